//! Linux: `recvmmsg`, `sendmmsg`, and datagrams that the kernel divides (`UDP_SEGMENT`).

use std::io;
use std::mem::{size_of, zeroed, MaybeUninit};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::os::fd::{AsRawFd, BorrowedFd};

use super::{Received, Train, RECEIVE_MAX, SEND_MAX};

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

/// Sends trains, at most `SEND_MAX`. Returns how many were sent; errors only if the first could not be.
pub fn send<'a>(
    socket: BorrowedFd<'_>,
    trains: impl Iterator<Item = Train<'a>>,
) -> io::Result<usize> {
    // Only what is used is written: all of it are 8 KiB.
    let mut names = [const { MaybeUninit::<Name>::uninit() }; SEND_MAX];
    let mut parts = [const { MaybeUninit::<libc::iovec>::uninit() }; SEND_MAX];
    let mut controls = [const { MaybeUninit::<Control>::uninit() }; SEND_MAX];
    let mut messages = [const { MaybeUninit::<libc::mmsghdr>::uninit() }; SEND_MAX];
    let mut count = 0;
    for (index, train) in trains.take(SEND_MAX).enumerate() {
        let part = parts[index].write(libc::iovec {
            // The kernel only reads it.
            iov_base: train.bytes.as_ptr().cast_mut().cast(),
            iov_len: train.bytes.len(),
        });
        // SAFETY: a plain C struct, of which all zeroes is a valid value.
        let header = &mut messages[index].write(unsafe { zeroed() }).msg_hdr;
        header.msg_iov = part;
        header.msg_iovlen = 1;
        if let Some(address) = train.to {
            // SAFETY: as above.
            let name = names[index].write(unsafe { zeroed() });
            header.msg_namelen = name.set(address);
            header.msg_name = (&raw mut *name).cast();
        }
        if !train.is_lone() {
            let control = controls[index].write(Control {
                space: [0; CONTROL],
            });
            header.msg_control = (&raw mut *control).cast();
            header.msg_controllen = CONTROL as _;
            // SAFETY: the control was just set.
            unsafe { divide(header, train.segment as u16) };
        }
        count = index + 1;
    }
    let flags = libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;
    // SAFETY: the first `count` messages are initialised, and name memory that lives through the
    // call, with its sizes.
    let sent = unsafe {
        let (fd, first) = (socket.as_raw_fd(), messages.as_mut_ptr().cast());
        libc::sendmmsg(fd, first, count as libc::c_uint, flags as _)
    };
    usize::try_from(sent).map_err(|_| io::Error::last_os_error())
}

/// Whether the kernel divides a train of this socket. One that does not know how (before 4.18) would
/// send it as a single datagram; and a socket with a segment size of its own is left to it.
pub fn divides(socket: BorrowedFd<'_>) -> bool {
    let (mut size, mut length) = (0, size_of::<libc::c_int>() as libc::socklen_t);
    let (fd, value) = (socket.as_raw_fd(), (&raw mut size).cast());
    // SAFETY: `size` and `length` are writable and agree with each other.
    let asked =
        unsafe { libc::getsockopt(fd, libc::SOL_UDP, libc::UDP_SEGMENT, value, &mut length) };
    asked == 0 && size == 0
}

/// Room for the one control message of a train.
#[repr(C)]
union Control {
    header: libc::cmsghdr,
    space: [u8; CONTROL],
}

// SAFETY: only computes a size.
const CONTROL: usize = unsafe { libc::CMSG_SPACE(size_of::<u16>() as u32) } as usize;

/// Says into what the kernel divides a message.
///
/// # Safety
/// The header has a [`Control`].
unsafe fn divide(header: &libc::msghdr, segment: u16) {
    let size = size_of::<u16>() as u32;
    // SAFETY: there is room for one control message of two bytes, aligned as one.
    unsafe {
        let first = libc::CMSG_FIRSTHDR(header);
        (*first).cmsg_level = libc::SOL_UDP;
        (*first).cmsg_type = libc::UDP_SEGMENT;
        (*first).cmsg_len = libc::CMSG_LEN(size) as _;
        libc::CMSG_DATA(first)
            .cast::<u16>()
            .write_unaligned(segment);
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
