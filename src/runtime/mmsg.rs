//! Many datagrams in one system call where the kernel has one for them; neither std nor socket2 wraps
//! those.

use std::io;
use std::mem::{size_of, zeroed};
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, BorrowedFd};

#[cfg(target_os = "linux")]
mod batched;
#[cfg(any(test, not(target_os = "linux")))]
mod single;

#[cfg(target_os = "linux")]
pub use batched::{divides, receive, send};
#[cfg(not(target_os = "linux"))]
pub use single::{divides, receive, send};

/// One datagram that came: how many bytes, and from whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Received {
    pub length: usize,
    pub from: SocketAddr,
}

/// Datagrams to one address, or to the connected peer, which the kernel is given as one: each has
/// `segment` bytes, the last one at most. A lone datagram is as long as its segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Train<'a> {
    pub bytes: &'a [u8],
    pub segment: usize,
    pub to: Option<SocketAddr>,
}

impl Train<'_> {
    fn is_lone(&self) -> bool {
        self.bytes.len() <= self.segment
    }
}

/// Dissolves the association of a connected socket.
pub fn disconnect(socket: BorrowedFd<'_>) -> io::Result<()> {
    // SAFETY: a plain C struct, of which all zeroes is a valid value.
    let mut name: libc::sockaddr = unsafe { zeroed() };
    name.sa_family = libc::AF_UNSPEC as libc::sa_family_t;
    let size = size_of::<libc::sockaddr>() as libc::socklen_t;
    // SAFETY: the name lives through the call and has the size given.
    if unsafe { libc::connect(socket.as_raw_fd(), &name, size) } == 0 {
        return Ok(());
    }
    let error = io::Error::last_os_error();
    match error.raw_os_error() {
        // The BSDs complain of the address, and have done it.
        Some(libc::EAFNOSUPPORT | libc::EINVAL) if cfg!(not(target_os = "linux")) => Ok(()),
        _ => Err(error),
    }
}

/// 16 windows of 64 KiB are one slab; a second call for the next 16 costs a fiftieth of them.
pub const RECEIVE_MAX: usize = 16;
/// Of 64 small datagrams the call itself is less than a hundredth.
const SEND_MAX: usize = 64;
/// Bytes and datagrams that the kernel takes as one train: a little below 64 KiB with its headers.
pub const TRAIN_BYTES_MAX: usize = 65_000;
pub const TRAIN_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::UdpSocket;
    use std::os::fd::AsFd;

    type Receive = fn(BorrowedFd<'_>, &mut [u8], usize, &mut Vec<Received>) -> io::Result<bool>;
    type Send = fn(BorrowedFd<'_>, &[Train<'_>]) -> io::Result<usize>;

    const BOTH: [(Send, Receive); 2] = [
        (
            |socket, trains| batched::send(socket, trains.iter().copied()),
            batched::receive,
        ),
        (
            |socket, trains| single::send(socket, trains.iter().copied()),
            single::receive,
        ),
    ];

    fn pair(address: &str) -> (UdpSocket, UdpSocket) {
        (
            UdpSocket::bind(address).unwrap(),
            UdpSocket::bind(address).unwrap(),
        )
    }

    fn lone(bytes: &[u8], to: Option<SocketAddr>) -> Train<'_> {
        let segment = bytes.len();
        Train { bytes, segment, to }
    }

    #[test]
    fn datagrams_arrive_in_order_with_their_sender() {
        for ((send, receive), address) in BOTH
            .into_iter()
            .flat_map(|both| ["127.0.0.1:0", "[::1]:0"].map(|address| (both, address)))
        {
            let (sender, receiver) = pair(address);
            let to = Some(receiver.local_addr().unwrap());
            let texts: [&[u8]; 3] = [b"one", b"", b"three"];
            let trains = texts.map(|text| lone(text, to));
            assert_eq!(send(sender.as_fd(), &trains).unwrap(), 3);

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
        for (send, receive) in BOTH {
            let (sender, receiver) = pair("127.0.0.1:0");
            sender.connect(receiver.local_addr().unwrap()).unwrap();
            assert_eq!(send(sender.as_fd(), &[lone(b"x", None); 3]).unwrap(), 3);
            let (mut room, mut received) = ([0; 16], Vec::new());
            assert!(receive(receiver.as_fd(), &mut room, 8, &mut received).unwrap());
            assert!(!receive(receiver.as_fd(), &mut room, 8, &mut received).unwrap());
            receiver.set_nonblocking(true).unwrap();
            let error = receive(receiver.as_fd(), &mut room, 8, &mut received).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
            assert_eq!(received.len(), 3);
        }
    }

    #[test]
    fn a_train_arrives_as_its_datagrams() {
        for address in ["127.0.0.1:0", "[::1]:0"] {
            let (sender, receiver) = pair(address);
            assert!(batched::divides(sender.as_fd()));
            let to = Some(receiver.local_addr().unwrap());
            let train = Train {
                bytes: b"onetwosi",
                segment: 3,
                to,
            };
            let trains = [lone(b"zero", to), train, lone(b"seven", to)];
            assert_eq!(
                batched::send(sender.as_fd(), trains.into_iter()).unwrap(),
                3
            );

            let (mut room, mut received) = ([0; 64], Vec::new());
            batched::receive(receiver.as_fd(), &mut room, 8, &mut received).unwrap();
            let lengths: Vec<_> = received.iter().map(|it| it.length).collect();
            assert_eq!(lengths, [4, 3, 3, 2, 5]);
            assert_eq!((&room[8..11], &room[24..26]), (&b"one"[..], &b"si"[..]));
        }
    }

    #[test]
    fn a_train_of_the_greatest_length_is_taken() {
        let (sender, receiver) = pair("127.0.0.1:0");
        let train = Train {
            bytes: &[7; TRAIN_BYTES_MAX],
            segment: TRAIN_BYTES_MAX.div_ceil(TRAIN_MAX),
            to: Some(receiver.local_addr().unwrap()),
        };
        assert_eq!(
            batched::send(sender.as_fd(), [train].into_iter()).unwrap(),
            1
        );
        let (mut bytes, mut left) = ([0; 2048], TRAIN_BYTES_MAX);
        while left > 0 {
            left -= receiver.recv(&mut bytes).unwrap();
        }
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
        for (send, _) in BOTH {
            let error = send(socket.as_fd(), &[lone(b"x", None)]).unwrap_err();
            assert_eq!(error.raw_os_error(), Some(libc::EDESTADDRREQ));
        }
    }
}
