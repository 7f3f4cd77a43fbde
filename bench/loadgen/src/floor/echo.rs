//! Sends back what it reads.

use std::io;
use std::mem;

use super::{After, Link, Service};

/// All connections read into the same bytes, which therefore stay in the cache: a program that keeps
/// what it gets has other bytes for each read.
pub struct Echo {
    buffer: Box<[u8]>,
    spare: Vec<Box<[u8]>>,
}

/// What a full socket did not take of a buffer.
pub struct Rest {
    buffer: Box<[u8]>,
    from: usize,
    to: usize,
}

impl Echo {
    /// `size` is the length of a read.
    pub fn new(size: usize) -> Self {
        Self {
            buffer: zeros(size),
            spare: Vec::new(),
        }
    }

    /// Whether all of it is sent.
    fn flush(&mut self, rest: &mut Option<Rest>, link: &Link) -> io::Result<bool> {
        if let Some(Rest { buffer, from, to }) = rest {
            *from += link.send(&buffer[*from..*to])?;
            if from < to {
                return Ok(false);
            }
        }
        self.spare.extend(rest.take().map(|rest| rest.buffer));
        Ok(true)
    }
}

impl Service for Echo {
    type State = Option<Rest>;

    fn ready(&mut self, rest: &mut Option<Rest>, link: &Link, ended: bool) -> io::Result<After> {
        if !self.flush(rest, link)? {
            return Ok(After::Blocked);
        }
        loop {
            let to = match link.recv(&mut self.buffer)? {
                Some(0) => return Ok(After::Closed),
                Some(length) => length,
                None => return Ok(After::Idle),
            };
            let from = link.send(&self.buffer[..to])?;
            if from < to {
                let size = self.buffer.len();
                let next = self.spare.pop().unwrap_or_else(|| zeros(size));
                let buffer = mem::replace(&mut self.buffer, next);
                *rest = Some(Rest { buffer, from, to });
                return Ok(After::Blocked);
            }
            // A short read took all there was, and epoll reports what comes after it.
            if to < self.buffer.len() && !ended {
                return Ok(After::Idle);
            }
        }
    }
}

fn zeros(size: usize) -> Box<[u8]> {
    vec![0; size].into_boxed_slice()
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{Shutdown, TcpStream};
    use std::thread;

    use super::super::start;
    use super::*;
    use crate::clients::payload;

    #[test]
    fn everything_comes_back_and_then_the_end() {
        // More than the buffers of both sockets hold, with nobody who reads at first.
        let sent = payload(16 * 1024 * 1024);
        let mut reader = TcpStream::connect(start(Echo::new(4096))).unwrap();
        let mut writer = reader.try_clone().unwrap();
        let bytes = sent.clone();
        let writing = thread::spawn(move || {
            writer.write_all(&bytes).unwrap();
            writer.shutdown(Shutdown::Write).unwrap();
        });
        let mut echoed = Vec::new();
        reader.read_to_end(&mut echoed).unwrap();
        writing.join().unwrap();
        assert!(echoed == sent);
    }

    #[test]
    fn a_connection_that_only_ends_is_ended() {
        let mut stream = TcpStream::connect(start(Echo::new(64))).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        assert_eq!(stream.read(&mut [0; 1]).unwrap(), 0);
    }

    #[test]
    fn other_connections_go_on_while_one_is_blocked() {
        let address = start(Echo::new(65_536));
        let mut stuck = TcpStream::connect(address).unwrap();
        stuck.set_nonblocking(true).unwrap();
        while stuck.write(&[0; 65_536]).is_ok() {}
        let mut other = TcpStream::connect(address).unwrap();
        other.write_all(b"echo").unwrap();
        let mut echoed = [0; 4];
        other.read_exact(&mut echoed).unwrap();
        assert_eq!(&echoed, b"echo");
    }
}
