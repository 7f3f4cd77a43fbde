//! Addresses as JavaScript writes and reads them.

use std::net::{IpAddr, Ipv6Addr, SocketAddr, SocketAddrV6};

use super::Errno;
use crate::runtime::sys;

/// Parses an IP address, with its scope if it is link-local (`fe80::1%eth0`, RFC 4007 section 11).
/// Errors with `EINVAL`; host names were resolved before they came here.
pub fn parse_socket_address(address: &str, port: u16) -> Result<SocketAddr, Errno> {
    if let Ok(ip) = address.parse::<IpAddr>() {
        return Ok(SocketAddr::new(ip, port));
    }
    let (ip, zone) = address.split_once('%').ok_or(Errno(libc::EINVAL))?;
    let ip: Ipv6Addr = ip.parse().map_err(|_| Errno(libc::EINVAL))?;
    let scope = zone.parse().ok().or_else(|| sys::interface_index(zone));
    Ok(SocketAddrV6::new(ip, port, 0, scope.ok_or(Errno(libc::EINVAL))?).into())
}

/// One end of a connection. Becomes `{ address, family, port }`; a Unix socket has no such end.
pub struct Endpoint {
    pub address: String,
    pub family: &'static str,
    pub port: u16,
}

impl From<SocketAddr> for Endpoint {
    fn from(address: SocketAddr) -> Self {
        let family = if address.is_ipv4() { "IPv4" } else { "IPv6" };
        Self {
            address: address_text(&address),
            family,
            port: address.port(),
        }
    }
}

/// The address without its port; a link-local one with its scope.
pub fn address_text(address: &SocketAddr) -> String {
    match address {
        SocketAddr::V6(v6) if v6.scope_id() > 0 && v6.ip().is_unicast_link_local() => {
            let name = sys::interface_name(v6.scope_id());
            let zone = name.unwrap_or_else(|| v6.scope_id().to_string());
            format!("{}%{zone}", v6.ip())
        }
        _ => address.ip().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_addresses_and_scopes() {
        let v4 = parse_socket_address("127.0.0.1", 80).unwrap();
        assert_eq!(v4.to_string(), "127.0.0.1:80");
        let scoped = parse_socket_address("fe80::1%lo", 80).unwrap();
        let SocketAddr::V6(scoped) = scoped else {
            panic!("an IPv6 address")
        };
        assert_eq!(Some(scoped.scope_id()), sys::interface_index("lo"));
    }

    #[test]
    fn shows_the_scope_of_link_local_addresses_only() {
        let scope = sys::interface_index("lo").unwrap();
        let text = |ip: &str, scope| {
            address_text(&SocketAddrV6::new(ip.parse().unwrap(), 1, 0, scope).into())
        };
        assert_eq!(text("fe80::1", scope), "fe80::1%lo");
        assert_eq!(text("fe80::1", 0), "fe80::1");
        assert_eq!(text("fd00::1", scope), "fd00::1");
    }

    #[test]
    fn refuses_what_is_no_address() {
        for text in [
            "",
            "localhost",
            "1.2.3",
            "fe80::1%no-such-interface",
            "1.2.3.4%lo",
        ] {
            assert_eq!(
                parse_socket_address(text, 1),
                Err(Errno(libc::EINVAL)),
                "{text}"
            );
        }
    }
}
