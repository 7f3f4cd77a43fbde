//! Elsewhere than on Linux: one system call for each datagram.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::BorrowedFd;

use socket2::SockRef;

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
    let socket = SockRef::from(&socket);
    let mut count = 0;
    for window in room.chunks_exact_mut(window).take(RECEIVE_MAX) {
        // SAFETY: initialised bytes may be seen as bytes that need not be, and the kernel only
        // writes initialised ones.
        let bytes = unsafe { &mut *(&raw mut *window as *mut [MaybeUninit<u8>]) };
        match socket.recv_from_with_flags(bytes, libc::MSG_DONTWAIT) {
            Ok((length, from)) => {
                let from = from.as_socket().ok_or(io::ErrorKind::InvalidData)?;
                received.push(Received { length, from });
                count += 1;
            }
            // A refusal that is told after a datagram is lost, as refusals may be.
            Err(_) if count > 0 => return Ok(false),
            Err(error) => return Err(error),
        }
    }
    Ok(true)
}

/// Sends lone datagrams, at most `SEND_MAX`. Returns how many were sent; errors only if the first
/// could not be.
pub fn send<'a>(
    socket: BorrowedFd<'_>,
    trains: impl Iterator<Item = Train<'a>>,
) -> io::Result<usize> {
    let socket = SockRef::from(&socket);
    let mut count = 0;
    for train in trains.take(SEND_MAX) {
        debug_assert!(train.is_lone());
        let sent = match train.to {
            Some(to) => socket.send_to_with_flags(train.bytes, &to.into(), libc::MSG_DONTWAIT),
            None => socket.send_with_flags(train.bytes, libc::MSG_DONTWAIT),
        };
        match sent {
            Ok(_) => count += 1,
            // The datagram is sent again, and fails again if it must.
            Err(_) if count > 0 => break,
            Err(error) => return Err(error),
        }
    }
    Ok(count)
}

/// Whether the kernel divides trains.
pub fn divides(_socket: BorrowedFd<'_>) -> bool {
    false
}
