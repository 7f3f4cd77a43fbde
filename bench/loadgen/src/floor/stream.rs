//! Answers every HTTP request with a megabyte in chunks.

use std::io::{self, IoSlice};
use std::net::TcpStream;

use super::{After, Link, Service};
use crate::http::HeadEnds;

/// What `bench/servers/http-stream.js` answers. All chunks are the same bytes: they stay in the cache.
pub struct Stream {
    chunk: Vec<u8>,
    chunks: usize,
    /// Bytes in an answer, its head and all.
    each: usize,
    buffer: Box<[u8]>,
}

#[derive(Default)]
pub struct Asked {
    ends: HeadEnds,
    /// Answers that are not sent, or not whole.
    owed: usize,
    /// How much is sent of the first of them.
    sent: usize,
}

impl Stream {
    /// `size` is the length of a chunk.
    pub fn new(size: usize) -> Self {
        let mut chunk = format!("{size:x}\r\n").into_bytes();
        chunk.resize(chunk.len() + size, b'x');
        chunk.extend_from_slice(b"\r\n");
        let chunks = TOTAL / size;
        Self {
            each: HEAD.len() + chunks * chunk.len() + LAST.len(),
            chunk,
            chunks,
            buffer: vec![0; READ].into_boxed_slice(),
        }
    }

    /// Sends what one turn may of what is owed; `None` when nothing is any more.
    fn flush(&self, asked: &mut Asked, link: &Link) -> io::Result<Option<After>> {
        if asked.owed == 0 {
            return Ok(None);
        }
        let parts = self.after(asked.sent);
        let wanted: usize = parts.iter().map(|part| part.len()).sum();
        let sent = link.send_parts(&parts)?;
        asked.sent += sent;
        if asked.sent == self.each {
            asked.sent = 0;
            asked.owed -= 1;
        }
        Ok(match (sent < wanted, asked.owed) {
            (true, _) => Some(After::Blocked),
            (false, 0) => None,
            (false, _) => Some(After::Unfinished),
        })
    }

    /// What follows in an answer on this many bytes of it, as much as goes into one call.
    fn after(&self, mut sent: usize) -> Vec<IoSlice<'_>> {
        let chunks = std::iter::repeat_n(&self.chunk[..], self.chunks);
        let all = std::iter::once(HEAD).chain(chunks).chain([LAST]);
        let (mut parts, mut length) = (Vec::new(), 0);
        for part in all {
            if sent >= part.len() {
                sent -= part.len();
                continue;
            }
            parts.push(IoSlice::new(&part[sent..]));
            length += part.len() - sent;
            sent = 0;
            if length >= TURN {
                break;
            }
        }
        parts
    }
}

impl Service for Stream {
    type State = Asked;

    fn accepted(&self, stream: &TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)
    }

    fn ready(&mut self, asked: &mut Asked, link: &Link, ended: bool) -> io::Result<After> {
        if let Some(after) = self.flush(asked, link)? {
            return Ok(after);
        }
        loop {
            let length = match link.recv(&mut self.buffer)? {
                Some(0) => return Ok(After::Closed),
                Some(length) => length,
                None => return Ok(After::Idle),
            };
            asked.owed = asked.ends.count(&self.buffer[..length]);
            if let Some(after) = self.flush(asked, link)? {
                return Ok(after);
            }
            if length < self.buffer.len() && !ended {
                return Ok(After::Idle);
            }
        }
    }
}

const TOTAL: usize = 1024 * 1024;
const READ: usize = 65_536;
/// What a connection sends before it is another's turn, in one call: with sockets filled at once wrk
/// reads memory that has left the cache, and gets through fewer answers (1.27 instead of 1.40 times
/// as many as from Node 26).
const TURN: usize = 256 * 1024;

/// The fields that Node's own server sends.
const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\n\
    Date: Thu, 01 Jan 2026 00:00:00 GMT\r\n\
    Connection: keep-alive\r\n\
    Keep-Alive: timeout=5\r\n\
    Transfer-Encoding: chunked\r\n\
    \r\n";
const LAST: &[u8] = b"0\r\n\r\n";

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::Shutdown;

    use super::super::start;
    use super::*;

    #[test]
    fn each_request_gets_a_megabyte_in_chunks_and_then_the_end() {
        let mut stream = TcpStream::connect(start(Stream::new(16_384))).unwrap();
        let request = b"GET /16384 HTTP/1.1\r\nHost: a\r\n\r\n";
        stream.write_all(&request.repeat(3)).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let mut answers = Vec::new();
        stream.read_to_end(&mut answers).unwrap();
        let chunk = [b"4000\r\n", &[b'x'; 16_384][..], b"\r\n"].concat();
        let answer = [HEAD, &chunk.repeat(64), LAST].concat();
        assert!(answers == answer.repeat(3));
    }
}
