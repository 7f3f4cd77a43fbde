//! The options of a UDP socket, as libuv sets them: what a program did not ask for stays as it is.

use std::net::{IpAddr, Ipv4Addr};
use std::os::fd::AsFd;

use super::datagram::Family;
use super::{Datagram, Errno};
use crate::runtime::sys::{interface_index, source_membership_v6};

/// Joining or leaving a multicast group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Membership {
    Join,
    Leave,
}

/// Which of a socket's two buffers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Receive,
    Send,
}

impl Datagram {
    /// `SO_BROADCAST`.
    pub fn set_broadcast(&self, enable: bool) -> Result<(), Errno> {
        Ok(self.socket()?.set_broadcast(enable)?)
    }

    /// `IP_TTL` or `IPV6_UNICAST_HOPS`.
    pub fn set_ttl(&self, ttl: u32) -> Result<(), Errno> {
        let socket = self.socket()?;
        match self.family() {
            Family::V4 => socket.set_ttl_v4(ttl)?,
            Family::V6 => socket.set_unicast_hops_v6(ttl)?,
        }
        Ok(())
    }

    /// `IP_MULTICAST_TTL` or `IPV6_MULTICAST_HOPS`.
    pub fn set_multicast_ttl(&self, ttl: u32) -> Result<(), Errno> {
        let socket = self.socket()?;
        match self.family() {
            Family::V4 => socket.set_multicast_ttl_v4(ttl)?,
            Family::V6 => socket.set_multicast_hops_v6(ttl)?,
        }
        Ok(())
    }

    /// `IP_MULTICAST_LOOP` or `IPV6_MULTICAST_LOOP`.
    pub fn set_multicast_loopback(&self, enable: bool) -> Result<(), Errno> {
        let socket = self.socket()?;
        match self.family() {
            Family::V4 => socket.set_multicast_loop_v4(enable)?,
            Family::V6 => socket.set_multicast_loop_v6(enable)?,
        }
        Ok(())
    }

    /// `IP_MULTICAST_IF` of an IPv4 address, or `IPV6_MULTICAST_IF` of an IPv6 address's scope.
    pub fn set_multicast_interface(&self, interface: Interface) -> Result<(), Errno> {
        let socket = self.socket()?;
        match interface.ip {
            IpAddr::V4(v4) => socket.set_multicast_if_v4(&v4)?,
            IpAddr::V6(_) => socket.set_multicast_if_v6(interface.scope)?,
        }
        Ok(())
    }

    /// `IP_ADD_MEMBERSHIP` and its like, by the family of the group.
    pub fn membership(
        &self,
        group: IpAddr,
        interface: Option<&str>,
        change: Membership,
    ) -> Result<(), Errno> {
        let socket = self.socket()?;
        match (group, change) {
            (IpAddr::V4(v4), Membership::Join) => {
                socket.join_multicast_v4(&v4, &interface_v4(interface)?)?
            }
            (IpAddr::V4(v4), Membership::Leave) => {
                socket.leave_multicast_v4(&v4, &interface_v4(interface)?)?
            }
            (IpAddr::V6(v6), Membership::Join) => {
                socket.join_multicast_v6(&v6, interface_v6(interface)?)?
            }
            (IpAddr::V6(v6), Membership::Leave) => {
                socket.leave_multicast_v6(&v6, interface_v6(interface)?)?
            }
        }
        Ok(())
    }

    /// `IP_ADD_SOURCE_MEMBERSHIP` and its like (RFC 4607). `group` and `source` are of one family.
    pub fn source_membership(
        &self,
        source: IpAddr,
        group: IpAddr,
        interface: Option<&str>,
        change: Membership,
    ) -> Result<(), Errno> {
        let socket = self.socket()?;
        let join = change == Membership::Join;
        match (source, group) {
            (IpAddr::V4(source), IpAddr::V4(group)) => {
                let interface = interface_v4(interface)?;
                match join {
                    true => socket.join_ssm_v4(&source, &group, &interface)?,
                    false => socket.leave_ssm_v4(&source, &group, &interface)?,
                }
            }
            (IpAddr::V6(source), IpAddr::V6(group)) => {
                let index = interface_v6(interface)?;
                source_membership_v6(socket.as_fd(), source, group, index, join)?
            }
            _ => return Err(Errno(libc::EINVAL)),
        }
        Ok(())
    }

    /// `SO_RCVBUF` or `SO_SNDBUF`: sets it, if `size` is not 0, and returns what it is then.
    pub fn buffer_size(&self, side: Side, size: usize) -> Result<usize, Errno> {
        let socket = self.socket()?;
        Ok(match (side, size) {
            (Side::Receive, 0) => socket.recv_buffer_size()?,
            (Side::Send, 0) => socket.send_buffer_size()?,
            (Side::Receive, _) => {
                socket.set_recv_buffer_size(size)?;
                size
            }
            (Side::Send, _) => {
                socket.set_send_buffer_size(size)?;
                size
            }
        })
    }
}

/// An address that stands for a network interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interface {
    pub ip: IpAddr,
    /// 0, the system's choice, unless a scope names an interface that there is.
    pub scope: u32,
}

impl Interface {
    /// Errors with `EINVAL`.
    pub fn parse(text: &str) -> Result<Self, Errno> {
        let (ip, zone) = text.split_once('%').unwrap_or((text, ""));
        let ip: IpAddr = ip.parse().map_err(|_| Errno(libc::EINVAL))?;
        if ip.is_ipv4() && ip.to_string() != text {
            return Err(Errno(libc::EINVAL));
        }
        Ok(Self {
            ip,
            scope: interface_index(zone).unwrap_or(0),
        })
    }
}

fn interface_v4(text: Option<&str>) -> Result<Ipv4Addr, Errno> {
    let Some(text) = text else {
        return Ok(Ipv4Addr::UNSPECIFIED);
    };
    text.parse().map_err(|_| Errno(libc::EINVAL))
}

fn interface_v6(text: Option<&str>) -> Result<u32, Errno> {
    let Some(text) = text else { return Ok(0) };
    let Interface { ip, scope } = Interface::parse(text)?;
    match ip {
        IpAddr::V6(_) => Ok(scope),
        IpAddr::V4(_) => Err(Errno(libc::EINVAL)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interface_is_an_address_whose_unknown_scope_means_the_systems_choice() {
        let index = interface_index("lo").unwrap();
        assert_eq!(Interface::parse("::%lo").unwrap().scope, index);
        assert_eq!(Interface::parse("::%no-such-interface").unwrap().scope, 0);
        assert_eq!(Interface::parse("127.0.0.1").unwrap().scope, 0);
        for text in ["", "undefined", "127.0.0.1%lo", "1.2.3"] {
            assert_eq!(Interface::parse(text), Err(Errno(libc::EINVAL)), "{text}");
        }
        assert_eq!(interface_v6(Some("127.0.0.1")), Err(Errno(libc::EINVAL)));
        assert_eq!(interface_v4(Some("::1")), Err(Errno(libc::EINVAL)));
    }
}
