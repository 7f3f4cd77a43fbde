//! Sockets before they connect or listen, and the options that can be set on open ones.

use std::ffi::OsStr;
use std::net::SocketAddr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::time::Duration;

use socket2::{Domain, SockAddr, SockRef, Socket, TcpKeepalive, Type};

use super::{Errno, Stream};
use crate::runtime::sys::full_unix_address;

/// Makes and binds sockets as libuv does.
pub struct Binding;

impl Binding {
    /// A non-blocking TCP socket of the family of `address`.
    pub fn tcp_socket(address: &SocketAddr) -> Result<Socket, Errno> {
        let socket = Socket::new(Domain::for_address(*address), Type::STREAM, None)?;
        socket.set_nonblocking(true)?;
        Ok(socket)
    }

    /// A TCP socket bound to `address`. `EADDRINUSE` is reported here, where libuv keeps it for
    /// `listen`: to JavaScript it is the same call.
    pub fn tcp(address: SocketAddr, ipv6_only: bool, reuse_port: bool) -> Result<Socket, Errno> {
        let socket = Self::tcp_socket(&address)?;
        socket.set_reuse_address(true)?;
        if reuse_port {
            socket.set_reuse_port(true)?;
        }
        if address.is_ipv6() {
            socket.set_only_v6(ipv6_only)?;
        }
        socket.bind(&address.into())?;
        Ok(socket)
    }

    /// A Unix domain socket bound to `path`, and the file to remove in the end: an abstract name
    /// has none.
    pub fn unix(path: &[u8]) -> Result<(Socket, Option<PathBuf>), Errno> {
        let socket = Self::unix_socket()?;
        socket.bind(&Self::unix_address(path)?)?;
        let file = (path[0] != 0).then(|| OsStr::from_bytes(path).into());
        Ok((socket, file))
    }

    /// Where a bound socket is. Errors with `EINVAL` for what has no IP address.
    pub fn local_address(socket: &Socket) -> Result<SocketAddr, Errno> {
        socket.local_addr()?.as_socket().ok_or(Errno(libc::EINVAL))
    }

    /// A non-blocking Unix domain stream socket.
    pub fn unix_socket() -> Result<Socket, Errno> {
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
        socket.set_nonblocking(true)?;
        Ok(socket)
    }

    /// The address of a path; a leading NUL makes it abstract (unix(7), "abstract").
    /// Errors with `EINVAL` if it is empty or too long for the kernel.
    pub fn unix_address(path: &[u8]) -> Result<SockAddr, Errno> {
        // A NUL inside would cut it short (CWE-158).
        if path.is_empty() || (path[0] != 0 && path.contains(&0)) {
            return Err(Errno(libc::EINVAL));
        }
        SockAddr::unix(OsStr::from_bytes(path))
            .or_else(|_| full_unix_address(path))
            .map_err(|_| Errno(libc::EINVAL))
    }
}

/// Options of an open connection.
impl Stream {
    /// `TCP_NODELAY`.
    pub fn set_no_delay(&self, enable: bool) -> Result<(), Errno> {
        Ok(SockRef::from(self).set_tcp_nodelay(enable)?)
    }

    /// `SO_KEEPALIVE`; with a `delay` of at least a second also the idle time before the first probe,
    /// the `interval` between probes and their `count`, as libuv sets them.
    pub fn set_keep_alive(
        &self,
        enable: bool,
        delay: Duration,
        interval: Duration,
        count: u32,
    ) -> Result<(), Errno> {
        let socket = SockRef::from(self);
        socket.set_keepalive(enable)?;
        if enable && !delay.is_zero() {
            let probes = TcpKeepalive::new()
                .with_time(delay)
                .with_interval(interval)
                .with_retries(count);
            socket.set_tcp_keepalive(&probes)?;
        }
        Ok(())
    }

    /// `IP_TOS` or `IPV6_TCLASS`, whichever the connection has. Errors with `EINVAL` elsewhere.
    pub fn set_type_of_service(&self, value: u8) -> Result<(), Errno> {
        let socket = SockRef::from(self);
        match self.local_address()? {
            SocketAddr::V4(_) => socket.set_tos_v4(value.into())?,
            SocketAddr::V6(_) => socket.set_tclass_v6(value.into())?,
        }
        Ok(())
    }

    /// What [`Self::set_type_of_service`] set, 0 by default.
    pub fn type_of_service(&self) -> Result<u8, Errno> {
        let socket = SockRef::from(self);
        let value = match self.local_address()? {
            SocketAddr::V4(_) => socket.tos_v4()?,
            SocketAddr::V6(_) => socket.tclass_v6()?,
        };
        Ok(value as u8)
    }

    /// Our end. Errors with `EINVAL` for what has no IP address.
    pub fn local_address(&self) -> Result<SocketAddr, Errno> {
        let address = SockRef::from(self).local_addr()?;
        address.as_socket().ok_or(Errno(libc::EINVAL))
    }

    /// The peer's end. Errors with `ENOTCONN` when it is gone, `EINVAL` without IP address.
    pub fn peer_address(&self) -> Result<SocketAddr, Errno> {
        let address = SockRef::from(self).peer_addr()?;
        address.as_socket().ok_or(Errno(libc::EINVAL))
    }
}
