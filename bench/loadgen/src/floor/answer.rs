//! Answers every HTTP request with the same bytes.

use std::io;
use std::net::TcpStream;

use super::{After, Link, Service};
use crate::http::{content_length, HELLO};

/// The answers, as many as one call may have to send, one behind the other.
pub struct Answers {
    bytes: Vec<u8>,
    /// Bytes in one.
    each: usize,
    buffer: Box<[u8]>,
}

#[derive(Default)]
pub struct Asked {
    requests: Requests,
    /// Bytes of answers that are not sent.
    owed: usize,
    /// Where in an answer the next of them is.
    at: usize,
}

impl Answers {
    /// What `bench/servers/http-hello.js` answers.
    pub fn hello() -> Self {
        Self::new(HELLO)
    }

    /// What `bench/servers/http-json.js` answers wrk.
    pub fn json() -> Self {
        Self::new(JSON)
    }

    fn new(answer: &[u8]) -> Self {
        Self {
            bytes: answer.repeat(AT_ONCE),
            each: answer.len(),
            buffer: vec![0; READ].into_boxed_slice(),
        }
    }

    /// Whether all is sent that is owed.
    fn flush(&self, asked: &mut Asked, link: &Link) -> io::Result<bool> {
        while asked.owed > 0 {
            let bytes = &self.bytes[asked.at..];
            let bytes = &bytes[..bytes.len().min(asked.owed)];
            let sent = link.send(bytes)?;
            asked.owed -= sent;
            asked.at = (asked.at + sent) % self.each;
            if sent < bytes.len() {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

impl Service for Answers {
    type State = Asked;

    fn accepted(&self, stream: &TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)
    }

    fn ready(&mut self, asked: &mut Asked, link: &Link, ended: bool) -> io::Result<After> {
        if !self.flush(asked, link)? {
            return Ok(After::Blocked);
        }
        loop {
            let length = match link.recv(&mut self.buffer)? {
                Some(0) => return Ok(After::Closed),
                Some(length) => length,
                None => return Ok(After::Idle),
            };
            asked.owed = asked.requests.count(&self.buffer[..length]) * self.each;
            if !self.flush(asked, link)? {
                return Ok(After::Blocked);
            }
            if length < self.buffer.len() && !ended {
                return Ok(After::Idle);
            }
        }
    }
}

/// Counts requests, with a body or without, however they are cut.
#[derive(Default)]
pub struct Requests {
    /// The beginning of one whose end has not come.
    begun: Vec<u8>,
}

impl Requests {
    /// How many end in these bytes.
    pub fn count(&mut self, bytes: &[u8]) -> usize {
        if self.begun.is_empty() {
            let (requests, length) = whole(bytes);
            self.begun.extend_from_slice(&bytes[length..]);
            return requests;
        }
        self.begun.extend_from_slice(bytes);
        let (requests, length) = whole(&self.begun);
        self.begun.drain(..length);
        requests
    }
}

/// How many requests these bytes begin with, and how long those are together.
fn whole(bytes: &[u8]) -> (usize, usize) {
    let (mut requests, mut length) = (0, 0);
    while let Some(one) = request_length(&bytes[length..]) {
        requests += 1;
        length += one;
    }
    (requests, length)
}

/// The length of the request at the beginning, if all of it is there.
fn request_length(bytes: &[u8]) -> Option<usize> {
    let head = bytes.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let body = match bytes.starts_with(b"GET ") {
        true => 0,
        false => content_length(&bytes[..head]).unwrap_or(0),
    };
    (bytes.len() - head >= body).then_some(head + body)
}

/// One read takes all requests of a connection under wrk.
const READ: usize = 65_536;
const AT_ONCE: usize = 64;

/// The fields that Node's own server sends, in its order.
const JSON: &[u8] = b"HTTP/1.1 200 OK\r\n\
    Content-Type: application/json; charset=utf-8\r\n\
    Content-Length: 110\r\n\
    Cache-Control: no-store\r\n\
    X-Request-Id: 6f9619ff-8b86-d011-b42d-00cf4fc964ff\r\n\
    Date: Thu, 01 Jan 2026 00:00:00 GMT\r\n\
    Connection: keep-alive\r\n\
    Keep-Alive: timeout=5\r\n\
    \r\n\
    {\"customer\":4711,\"total\":1140,\"host\":\"127.0.0.1:40000\",\
    \"accept\":\"application/json\",\"token\":\"0123456789abcdef\"}";

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{Shutdown, TcpStream};

    use super::super::start;
    use super::*;

    const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    const POST: &[u8] = b"POST / HTTP/1.1\r\ncontent-length: 6\r\n\r\n\r\n\r\nab";

    #[test]
    fn requests_are_counted_however_they_are_cut() {
        let text = [GET, POST, GET].concat();
        assert_eq!(Requests::default().count(&text), 3);
        let mut requests = Requests::default();
        let cut: usize = text.chunks(1).map(|byte| requests.count(byte)).sum();
        assert_eq!(cut, 3);
        assert_eq!(Requests::default().count(&text[..text.len() - 1]), 2);
    }

    #[test]
    fn each_request_is_answered_and_then_the_end() {
        let count = AT_ONCE + 3;
        let mut stream = TcpStream::connect(start(Answers::hello())).unwrap();
        stream.write_all(&GET.repeat(count)).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let mut answers = Vec::new();
        stream.read_to_end(&mut answers).unwrap();
        assert!(answers == HELLO.repeat(count));
    }

    #[test]
    fn answers_wait_for_a_client_that_does_not_read() {
        let count = 100_000;
        let mut stream = TcpStream::connect(start(Answers::json())).unwrap();
        let mut writer = stream.try_clone().unwrap();
        let writing = std::thread::spawn(move || {
            writer.write_all(&POST.repeat(count)).unwrap();
            writer.shutdown(Shutdown::Write).unwrap();
        });
        let mut answers = Vec::new();
        stream.read_to_end(&mut answers).unwrap();
        writing.join().unwrap();
        assert!(answers == JSON.repeat(count));
    }

    #[test]
    fn the_lengths_of_the_answers_are_true() {
        for answer in [HELLO, JSON] {
            let head = answer.windows(4).position(|four| four == b"\r\n\r\n");
            let (head, body) = answer.split_at(head.unwrap() + 4);
            assert_eq!(content_length(head), Some(body.len()));
        }
    }
}
