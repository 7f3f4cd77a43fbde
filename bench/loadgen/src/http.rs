//! As much of HTTP/1.1 as a generator needs: where a head ends, and one request with its answer.

use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Finds the ends of heads in a stream of bytes, however it is cut.
#[derive(Default)]
pub struct HeadEnds {
    /// How much of `\r\n\r\n` was seen last.
    matched: u8,
}

impl HeadEnds {
    /// How many heads end in these bytes. Messages without a body are nothing but heads.
    pub fn count(&mut self, bytes: &[u8]) -> usize {
        bytes.iter().filter(|byte| self.step(**byte)).count()
    }

    /// Whether a head ends with this byte.
    fn step(&mut self, byte: u8) -> bool {
        self.matched = match (self.matched, byte) {
            (0 | 2, b'\r') | (1 | 3, b'\n') => self.matched + 1,
            (_, b'\r') => 1,
            _ => 0,
        };
        let ended = self.matched == 4;
        if ended {
            self.matched = 0;
        }
        ended
    }
}

/// Sends a GET and reads the whole answer, whose head must give its length.
pub async fn ask_once(stream: &mut TcpStream) -> io::Result<()> {
    stream
        .write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .await?;
    let mut answer = Vec::new();
    while !is_complete(&answer)? {
        if stream.read_buf(&mut answer).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(())
}

fn is_complete(answer: &[u8]) -> io::Result<bool> {
    let mut ends = HeadEnds::default();
    let Some(last) = answer.iter().position(|byte| ends.step(*byte)) else {
        return Ok(false);
    };
    let (head, body) = answer.split_at(last + 1);
    let text = String::from_utf8_lossy(head);
    if !text.starts_with("HTTP/1.1 200 ") {
        return Err(io::Error::other(format!("not a good answer: {text}")));
    }
    let length = content_length(head)
        .ok_or_else(|| io::Error::other(format!("an answer without its length: {text}")))?;
    Ok(body.len() >= length)
}

/// The length of the body behind a head that says it.
pub fn content_length(head: &[u8]) -> Option<usize> {
    let value = head.split(|byte| *byte == b'\n').find_map(|line| {
        let (name, value) = line.split_at_checked(NAME.len())?;
        name.eq_ignore_ascii_case(NAME).then_some(value)
    })?;
    std::str::from_utf8(value).ok()?.trim().parse().ok()
}

const NAME: &[u8] = b"content-length:";

/// An answer with the fields that Node's own server sends.
pub const HELLO: &[u8] = b"HTTP/1.1 200 OK\r\n\
    Date: Thu, 01 Jan 2026 00:00:00 GMT\r\n\
    Connection: keep-alive\r\n\
    Keep-Alive: timeout=5\r\n\
    Content-Length: 13\r\n\
    \r\n\
    Hello, world!";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_counted_however_they_are_cut() {
        let text = b"GET / HTTP/1.1\r\nA: \r\r\n\r\nGET /b HTTP/1.1\r\n\r\n\r\n";
        assert_eq!(HeadEnds::default().count(text), 2);
        let mut ends = HeadEnds::default();
        let cut: usize = text.chunks(1).map(|byte| ends.count(byte)).sum();
        assert_eq!(cut, 2);
    }

    #[test]
    fn an_answer_is_complete_with_its_body() {
        let head = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n";
        assert!(!is_complete(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n").unwrap());
        assert!(!is_complete(format!("{head}a").as_bytes()).unwrap());
        assert!(is_complete(format!("{head}ab").as_bytes()).unwrap());
        assert!(is_complete(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
        assert!(is_complete(b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n").is_err());
    }
}
