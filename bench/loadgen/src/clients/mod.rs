//! The kinds of client; each file says what one of its operations is.

mod connect;
mod stream;
mod tcp;
mod udp;
mod ws;

use std::io;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::AsRawFd;

use nix::sys::socket::{recv, setsockopt, sockopt, MsgFlags};
use tokio::io::Interest;
use tokio::net::{TcpSocket, TcpStream};

use crate::options::Options;
use crate::tally::Tally;

pub use connect::ConnectClient;
pub use stream::StreamClient;
pub use tcp::TcpClient;
pub use udp::UdpClient;
pub use ws::{handshake as ws_handshake, WsClient};

/// One connection's worth of closed-loop load.
pub trait Client: Sized + 'static {
    /// Connects, where the connection outlives an operation. `index` numbers the clients of a run.
    async fn open(options: &Options, index: usize) -> io::Result<Self>;

    /// Does what is timed and says how many operations that was.
    async fn round_trip(&mut self, tally: &Tally) -> io::Result<u64>;
}

/// A message to send: letters in an order that does not repeat, so that an echo with bytes missing
/// or swapped differs from it.
pub fn payload(size: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut letter = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        b'a' + (state % 26) as u8
    };
    (0..size).map(|_| letter()).collect()
}

/// Reads until the buffer is full or, once nobody compares, so many bytes were thrown away: the kernel then
/// copies nothing (tcp(7), `MSG_TRUNC`), so that it is the server that limits the throughput of bulk.
async fn receive(tally: &Tally, stream: &TcpStream, buffer: &mut [u8]) -> io::Result<()> {
    let mut at = 0;
    while at < buffer.len() {
        let flags = match tally.verifying() {
            true => MsgFlags::empty(),
            false => MsgFlags::MSG_TRUNC,
        };
        stream.readable().await?;
        let room = &mut buffer[at..];
        let read = stream.try_io(Interest::READABLE, || {
            Ok(recv(stream.as_raw_fd(), room, flags)?)
        });
        at += match read {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
            read => read?,
        };
    }
    Ok(())
}

fn verify(tally: &Tally, sent: &[u8], echoed: &[u8]) -> io::Result<()> {
    if tally.verifying() && sent != echoed {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "the echo differs from what was sent",
        ));
    }
    Ok(())
}

/// The `index`th loopback address to connect from: 127.0.1.1, 127.0.1.2, ...
pub fn loopback(index: usize) -> Ipv4Addr {
    Ipv4Addr::new(127, 0, 1, 1 + (index % 250) as u8)
}

/// Binds to an address and leaves the choice of the port to `connect`, which may then take any
/// port that is free towards this one peer.
pub fn bind_to(socket: &TcpSocket, address: Ipv4Addr) -> io::Result<()> {
    setsockopt(socket, sockopt::IpBindAddressNoPort, &true)?;
    socket.bind(SocketAddrV4::new(address, 0).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::AsyncWriteExt;
    use tokio::net::TcpListener;

    #[test]
    fn a_payload_is_text_and_does_not_repeat() {
        let bytes = payload(4096);
        assert!(bytes.iter().all(u8::is_ascii_lowercase));
        assert_ne!(bytes[..2048], bytes[2048..]);
    }

    #[tokio::test]
    async fn what_is_not_compared_is_thrown_away() -> io::Result<()> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let (stream, accepted) = tokio::join!(
            TcpStream::connect(listener.local_addr()?),
            listener.accept()
        );
        let (stream, (mut peer, _)) = (stream?, accepted?);
        let tally = Tally::default();
        let mut buffer = [0; 4];
        peer.write_all(b"abcdefghijkl").await?;
        receive(&tally, &stream, &mut buffer).await?;
        assert_eq!(&buffer, b"abcd");
        tally.start_measuring();
        receive(&tally, &stream, &mut buffer).await?;
        assert_eq!(&buffer, b"abcd");
        drop(peer);
        receive(&tally, &stream, &mut buffer).await?;
        let end = receive(&tally, &stream, &mut buffer).await;
        assert_eq!(end.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
        Ok(())
    }

    #[test]
    fn a_wrong_echo_is_an_error_during_the_warm_up() {
        let tally = Tally::default();
        assert!(verify(&tally, b"ab", b"ab").is_ok());
        assert!(verify(&tally, b"ab", b"ba").is_err());
        tally.start_measuring();
        assert!(verify(&tally, b"ab", b"ba").is_ok());
    }
}
