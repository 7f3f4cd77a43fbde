//! Asks a server for its own count, by a datagram of one byte, which it answers with the number.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

/// What a server is told by one byte; it answers each with its count.
#[derive(Clone, Copy)]
pub enum Command {
    /// To say how many datagrams it counted.
    Tell = b'?' as isize,
    /// To begin to send, to where this came from.
    Begin = b'+' as isize,
    /// To send no more.
    End = b'-' as isize,
}

/// A socket that has the server as its peer.
pub fn connect(server: SocketAddr) -> io::Result<UdpSocket> {
    let socket = UdpSocket::bind("127.0.0.1:0")?;
    socket.connect(server)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    Ok(socket)
}

/// Sends a command until it is answered: one that meets a full buffer is lost like any datagram.
/// `passed` gets the size of whatever else arrives.
pub fn ask(socket: &UdpSocket, command: Command, mut passed: impl FnMut(usize)) -> io::Result<u64> {
    let mut answer = [0; MAX_DATAGRAM];
    for _ in 0..ATTEMPTS {
        socket.send(&[command as u8])?;
        loop {
            match socket.recv(&mut answer) {
                Ok(length) => match number(&answer[..length]) {
                    Some(count) => return Ok(count),
                    None => passed(length),
                },
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
    }
    Err(io::Error::new(
        io::ErrorKind::TimedOut,
        "the server does not tell its count",
    ))
}

fn number(text: &[u8]) -> Option<u64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

const MAX_DATAGRAM: usize = 65_536;
const PATIENCE: Duration = Duration::from_millis(100);
const ATTEMPTS: usize = 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_told_from_other_datagrams() {
        let server = UdpSocket::bind("127.0.0.1:0").unwrap();
        let socket = connect(server.local_addr().unwrap()).unwrap();
        let to = socket.local_addr().unwrap();
        server.send_to(b"payload", to).unwrap();
        server.send_to(b"12", to).unwrap();
        let mut passed = Vec::new();
        let count = ask(&socket, Command::Tell, |length| passed.push(length));
        assert_eq!((count.unwrap(), passed), (12, vec![7]));
        let mut command = [0; 8];
        assert_eq!(server.recv(&mut command).unwrap(), 1);
        assert_eq!(command[0], b'?');
    }
}
