//! Many datagrams in one system call: `recvmmsg` and `sendmmsg`, which neither std nor socket2 wraps.

use std::io;
use std::mem::{size_of, zeroed};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::os::fd::{AsRawFd, BorrowedFd};

/// One datagram that came: how many bytes, and from whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Received {
    pub length: usize,
    pub from: SocketAddr,
}

/// Receives as many datagrams as are there, at most `RECEIVE_MAX` and as many windows of `window`
/// bytes as `room` has; the bytes of the n-th lie at the n-th window. Says whether all windows were
/// used, so that there may be more. Errors with `WouldBlock` if there is none.
pub fn receive(
    socket: BorrowedFd<'_>,
    room: &mut [u8],
    window: usize,
    received: &mut Vec<Received>,
) -> io::Result<bool> {
    let wanted = (room.len() / window).min(RECEIVE_MAX);
    // SAFETY: plain C structs, of which all zeroes is a valid value.
    let (mut names, mut parts, mut messages): (
        [Name; RECEIVE_MAX],
        [libc::iovec; RECEIVE_MAX],
        [libc::mmsghdr; RECEIVE_MAX],
    ) = unsafe { (zeroed(), zeroed(), zeroed()) };
    for (index, bytes) in room.chunks_exact_mut(window).take(wanted).enumerate() {
        parts[index] = libc::iovec {
            iov_base: bytes.as_mut_ptr().cast(),
            iov_len: window,
        };
        let header = &mut messages[index].msg_hdr;
        header.msg_name = (&raw mut names[index]).cast();
        header.msg_namelen = size_of::<Name>() as libc::socklen_t;
        header.msg_iov = &raw mut parts[index];
        header.msg_iovlen = 1;
    }
    let (flags, timeout) = (libc::MSG_DONTWAIT, std::ptr::null_mut());
    // SAFETY: the first `wanted` messages name memory that lives through the call, with its sizes.
    let count = unsafe {
        let (fd, first) = (socket.as_raw_fd(), messages.as_mut_ptr());
        libc::recvmmsg(fd, first, wanted as libc::c_uint, flags as _, timeout)
    };
    let count = usize::try_from(count).map_err(|_| io::Error::last_os_error())?;
    received.extend(
        messages
            .iter()
            .zip(&names)
            .take(count)
            .map(|(message, name)| Received {
                length: (message.msg_len as usize).min(window),
                from: name.address(),
            }),
    );
    Ok(count == wanted)
}

/// Sends datagrams, at most `SEND_MAX`, each to an address or, without one, to the connected peer.
/// Returns how many were sent; errors only if the first could not be.
pub fn send<'a>(
    socket: BorrowedFd<'_>,
    datagrams: impl Iterator<Item = (&'a [u8], Option<SocketAddr>)>,
) -> io::Result<usize> {
    // SAFETY: plain C structs, of which all zeroes is a valid value.
    let (mut names, mut parts, mut messages): (
        [Name; SEND_MAX],
        [libc::iovec; SEND_MAX],
        [libc::mmsghdr; SEND_MAX],
    ) = unsafe { (zeroed(), zeroed(), zeroed()) };
    let mut count = 0;
    for (index, (bytes, to)) in datagrams.take(SEND_MAX).enumerate() {
        // The kernel only reads it.
        let start = bytes.as_ptr().cast_mut().cast();
        parts[index] = libc::iovec {
            iov_base: start,
            iov_len: bytes.len(),
        };
        let header = &mut messages[index].msg_hdr;
        if let Some(address) = to {
            header.msg_namelen = names[index].set(address);
            header.msg_name = (&raw mut names[index]).cast();
        }
        header.msg_iov = &raw mut parts[index];
        header.msg_iovlen = 1;
        count = index + 1;
    }
    let flags = libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;
    // SAFETY: the first `count` messages name memory that lives through the call, with its sizes.
    let sent = unsafe {
        let (fd, first) = (socket.as_raw_fd(), messages.as_mut_ptr());
        libc::sendmmsg(fd, first, count as libc::c_uint, flags as _)
    };
    usize::try_from(sent).map_err(|_| io::Error::last_os_error())
}

/// Dissolves the association of a connected socket.
pub fn disconnect(socket: BorrowedFd<'_>) -> io::Result<()> {
    // SAFETY: a plain C struct, of which all zeroes is a valid value.
    let mut name: libc::sockaddr = unsafe { zeroed() };
    name.sa_family = libc::AF_UNSPEC as libc::sa_family_t;
    let size = size_of::<libc::sockaddr>() as libc::socklen_t;
    // SAFETY: the name lives through the call and has the size given.
    match unsafe { libc::connect(socket.as_raw_fd(), &name, size) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// An IP address as the kernel writes and reads it.
#[repr(C)]
union Name {
    family: libc::sa_family_t,
    v4: libc::sockaddr_in,
    v6: libc::sockaddr_in6,
}

impl Name {
    /// Returns how many bytes of it count.
    fn set(&mut self, address: SocketAddr) -> libc::socklen_t {
        match address {
            SocketAddr::V4(address) => {
                self.v4 = libc::sockaddr_in {
                    sin_family: libc::AF_INET as libc::sa_family_t,
                    sin_port: address.port().to_be(),
                    sin_addr: libc::in_addr {
                        s_addr: u32::from_ne_bytes(address.ip().octets()),
                    },
                    sin_zero: [0; 8],
                };
                size_of::<libc::sockaddr_in>() as libc::socklen_t
            }
            SocketAddr::V6(address) => {
                self.v6 = libc::sockaddr_in6 {
                    sin6_family: libc::AF_INET6 as libc::sa_family_t,
                    sin6_port: address.port().to_be(),
                    sin6_flowinfo: address.flowinfo(),
                    sin6_addr: libc::in6_addr {
                        s6_addr: address.ip().octets(),
                    },
                    sin6_scope_id: address.scope_id(),
                };
                size_of::<libc::sockaddr_in6>() as libc::socklen_t
            }
        }
    }

    fn address(&self) -> SocketAddr {
        // SAFETY: every member consists of integers, for which any bytes are valid, and all were
        // initialised: by `zeroed`, and over it by the kernel.
        let (family, v4, v6) = unsafe { (self.family, self.v4, self.v6) };
        if libc::c_int::from(family) == libc::AF_INET6 {
            let ip = Ipv6Addr::from(v6.sin6_addr.s6_addr);
            return SocketAddrV6::new(ip, u16::from_be(v6.sin6_port), 0, v6.sin6_scope_id).into();
        }
        let ip = Ipv4Addr::from(v4.sin_addr.s_addr.to_ne_bytes());
        SocketAddrV4::new(ip, u16::from_be(v4.sin_port)).into()
    }
}

/// 16 windows of 64 KiB are one slab; a second call for the next 16 costs a fiftieth of them.
pub const RECEIVE_MAX: usize = 16;
/// Of 64 small datagrams the call itself is less than a hundredth.
pub const SEND_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::UdpSocket;
    use std::os::fd::AsFd;

    fn pair(address: &str) -> (UdpSocket, UdpSocket) {
        (
            UdpSocket::bind(address).unwrap(),
            UdpSocket::bind(address).unwrap(),
        )
    }

    #[test]
    fn datagrams_arrive_in_order_with_their_sender() {
        for address in ["127.0.0.1:0", "[::1]:0"] {
            let (sender, receiver) = pair(address);
            let to = receiver.local_addr().unwrap();
            let texts: [&[u8]; 3] = [b"one", b"", b"three"];
            let sent = send(sender.as_fd(), texts.iter().map(|text| (*text, Some(to))));
            assert_eq!(sent.unwrap(), 3);

            let (mut room, mut received) = ([0; 64], Vec::new());
            assert!(!receive(receiver.as_fd(), &mut room, 8, &mut received).unwrap());
            let from = sender.local_addr().unwrap();
            let lengths: Vec<_> = received.iter().map(|it| (it.length, it.from)).collect();
            assert_eq!(lengths, [(3, from), (0, from), (5, from)]);
            assert_eq!((&room[..3], &room[16..21]), (texts[0], texts[2]));
        }
    }

    #[test]
    fn says_when_there_may_be_more_and_when_there_is_nothing() {
        let (sender, receiver) = pair("127.0.0.1:0");
        sender.connect(receiver.local_addr().unwrap()).unwrap();
        assert_eq!(
            send(sender.as_fd(), [(&b"x"[..], None); 3].into_iter()).unwrap(),
            3
        );
        let (mut room, mut received) = ([0; 16], Vec::new());
        assert!(receive(receiver.as_fd(), &mut room, 8, &mut received).unwrap());
        assert!(!receive(receiver.as_fd(), &mut room, 8, &mut received).unwrap());
        let error = receive(receiver.as_fd(), &mut room, 8, &mut received).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
        assert_eq!(received.len(), 3);
    }

    #[test]
    fn a_disconnected_socket_has_no_peer() {
        let (socket, peer) = pair("127.0.0.1:0");
        socket.connect(peer.local_addr().unwrap()).unwrap();
        disconnect(socket.as_fd()).unwrap();
        assert_eq!(
            socket.peer_addr().unwrap_err().kind(),
            io::ErrorKind::NotConnected
        );
        let error = send(socket.as_fd(), [(&b"x"[..], None)].into_iter()).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::EDESTADDRREQ));
    }
}
