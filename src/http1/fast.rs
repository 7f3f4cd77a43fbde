//! Whole, ordinary heads in one pass: eight bytes at a time, and nothing copied. What is not
//! exactly as almost every client and server writes it is left to the machine, so that there is
//! one place that refuses, and one that is lenient.

use super::chars::{run, TOKEN};
use super::field::Field;
use super::head::{flags, Head};
use super::names;
use super::parser::{Config, Kind};

/// Reads the head that `input` starts with, if it is there to its end and ordinary; tells where
/// it ends. Nothing here depends on leniency: what it takes is right with and without. Leaves the
/// index of its fields in `index`.
pub fn head(config: &Config, input: &[u8], index: &mut Vec<u8>) -> Option<(usize, Head)> {
    let mut head = Head::default();
    let mut at = match config.kind {
        Kind::Request => request_line(input, &mut head)?,
        Kind::Response => status_line(input, &mut head)?,
    };
    head.lines = at as u32;
    let mut counted = (head.text.1 - head.text.0) as usize;
    let mut index = Index::new(index);
    while *input.get(at)? != b'\r' {
        let (name, value) = line(&input[at..])?;
        note(&mut head, name, value)?;
        index.add(name, value);
        head.count += 1;
        counted += name.len() + value.len();
        at += name.len() + value.len() + 4;
    }
    let bounded = counted < config.max_header_size
        && (config.max_headers == 0 || head.count <= config.max_headers);
    head.flags |= index.flags();
    (bounded && *input.get(at + 1)? == b'\n').then_some((at + 2, head))
}

/// Where each field is, in four bytes: the number of its name, the name's length, the value's, whose
/// low byte comes first.
struct Index<'a> {
    bytes: &'a mut Vec<u8>,
    /// Every field so far is in it.
    complete: bool,
    /// The names so far, by half their numbers.
    seen: u128,
    distinct: bool,
}

impl<'a> Index<'a> {
    fn new(bytes: &'a mut Vec<u8>) -> Self {
        bytes.clear();
        Self {
            bytes,
            complete: true,
            seen: 0,
            distinct: true,
        }
    }

    fn add(&mut self, name: &[u8], value: &[u8]) {
        let (Ok(name_length), Ok(value_length)) =
            (u8::try_from(name.len()), u16::try_from(value.len()))
        else {
            self.complete = false;
            return;
        };
        let number = names::number_of(name);
        let [low, high] = value_length.to_le_bytes();
        self.bytes
            .extend_from_slice(&[number, name_length, low, high]);
        let bit = 1 << number.div_ceil(2);
        self.distinct &= number != 0 && self.seen & bit == 0;
        self.seen |= bit;
    }

    fn flags(&self) -> u16 {
        match (self.complete, self.distinct) {
            (false, _) => 0,
            (true, false) => flags::INDEXED,
            (true, true) => flags::INDEXED | flags::DISTINCT,
        }
    }
}

fn request_line(input: &[u8], head: &mut Head) -> Option<usize> {
    let start = match input.first_chunk()? {
        b"GET " => (1, 4),
        b"POST" => (3, 5),
        b"PUT " => (4, 4),
        b"HEAD" => (2, 5),
        b"DELE" if input.starts_with(b"DELETE") => (0, 7),
        b"OPTI" if input.starts_with(b"OPTIONS") => (6, 8),
        b"PATC" if input.starts_with(b"PATCH") => (28, 6),
        _ => return None,
    };
    let from = start.1;
    if input[from - 1..].first_chunk()? != b" /" {
        return None;
    }
    let end = from + run_url(&input[from..]);
    let (major, minor) = match input[end..].first_chunk()? {
        b" HTTP/1.1\r\n" => (1, 1),
        b" HTTP/1.0\r\n" => (1, 0),
        _ => return None,
    };
    (head.method, head.major, head.minor) = (start.0, major, minor);
    head.text = (from as u32, end as u32);
    Some(end + 11)
}

fn status_line(input: &[u8], head: &mut Head) -> Option<usize> {
    (head.major, head.minor) = match input.first_chunk()? {
        b"HTTP/1.1 " => (1, 1),
        b"HTTP/1.0 " => (1, 0),
        _ => return None,
    };
    for &byte in input.get(9..12)? {
        if !byte.is_ascii_digit() {
            return None;
        }
        head.status = head.status * 10 + u16::from(byte - b'0');
    }
    if *input.get(12)? != b' ' {
        return None;
    }
    let end = 13 + run_value(&input[13..]);
    if input[end..].first_chunk()? != b"\r\n" {
        return None;
    }
    head.text = (13, end as u32);
    Some(end + 2)
}

/// A line of exactly `name: value\r\n`.
fn line(input: &[u8]) -> Option<(&[u8], &[u8])> {
    let (name, rest) = input.split_at(run(input, TOKEN));
    let rest = rest.strip_prefix(b": ")?;
    let (value, rest) = rest.split_at(run_value(rest));
    let trimmed = !matches!(value.first()?, b' ' | b'\t') && !matches!(value.last()?, b' ' | b'\t');
    (trimmed && !name.is_empty() && rest.first_chunk()? == b"\r\n").then_some((name, value))
}

/// Notes what a line means; none for what the machine has to read.
fn note(head: &mut Head, name: &[u8], value: &[u8]) -> Option<()> {
    match name.len() {
        4 if name.eq_ignore_ascii_case(b"host") => {
            head.hosts += 1;
            head.framed_by = head.count + 1;
            return Some(());
        }
        6 if name.eq_ignore_ascii_case(b"expect") => {
            head.flags |= flags::EXPECT;
            if value.eq_ignore_ascii_case(b"100-continue") {
                head.flags |= flags::EXPECT_CONTINUE;
            }
            return Some(());
        }
        7 | 10 | 14 | 16 | 17 => {}
        _ => return Some(()),
    }
    let field = Field::named(name);
    if field != Field::General {
        head.framed_by = head.count + 1;
    }
    match field {
        Field::General => {}
        Field::Upgrade => head.flags |= flags::UPGRADE_FIELD,
        Field::Connection => {
            if name.len() != 10 {
                return None;
            }
            head.flags |= flags::CONNECTION
                | match value {
                    _ if value.eq_ignore_ascii_case(b"keep-alive") => flags::CONNECTION_KEEP_ALIVE,
                    _ if value.eq_ignore_ascii_case(b"close") => flags::CONNECTION_CLOSE,
                    _ if value.eq_ignore_ascii_case(b"upgrade") => flags::CONNECTION_UPGRADE,
                    _ => return None,
                };
        }
        Field::ContentLength => {
            if head.has(flags::CONTENT_LENGTH | flags::TRANSFER_ENCODING) || value.len() > 18 {
                return None;
            }
            for &byte in value {
                if !byte.is_ascii_digit() {
                    return None;
                }
                head.content_length = head.content_length * 10 + u64::from(byte - b'0');
            }
            head.flags |= flags::CONTENT_LENGTH;
        }
        Field::TransferEncoding => {
            let before = flags::CONTENT_LENGTH | flags::TRANSFER_ENCODING;
            if head.has(before) || !value.eq_ignore_ascii_case(b"chunked") {
                return None;
            }
            head.flags |= flags::TRANSFER_ENCODING | flags::CHUNKED;
        }
    }
    Some(())
}

/// How many bytes from the start may stand in a value; at the latest a CR is not of them.
#[inline]
fn run_value(bytes: &[u8]) -> usize {
    let mut at = 0;
    loop {
        at += run_words(&bytes[at..], |word| below(word, 0x20) | equal(word, 0x7f));
        if bytes.get(at) != Some(&b'\t') {
            return at;
        }
        at += 1;
    }
}

/// How many bytes from the start may stand in a url.
#[inline]
fn run_url(bytes: &[u8]) -> usize {
    run_words(bytes, |word| {
        below(word, 0x21) | equal(word, 0x7f) | (word & HIGHS)
    })
}

/// How many bytes from the start `ends` marks none of: by the highest bit of each, of which the
/// lowest byte's is right.
#[inline]
fn run_words(bytes: &[u8], ends: impl Fn(u64) -> u64) -> usize {
    let mut at = 0;
    while let Some(word) = bytes[at..].first_chunk() {
        let marks = ends(u64::from_le_bytes(*word));
        if marks != 0 {
            return at + marks.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    let mut last = [0; 8];
    let rest = &bytes[at..];
    last[..rest.len()].copy_from_slice(rest);
    let marks = ends(u64::from_le_bytes(last));
    // The zeros behind the rest are marked, if nothing before them is.
    at + rest.len().min(marks.trailing_zeros() as usize / 8)
}

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// Marks the bytes less than `limit`, which is at most 128.
#[inline]
fn below(word: u64, limit: u64) -> u64 {
    word.wrapping_sub(ONES * limit) & !word & HIGHS
}

/// Marks the bytes equal to `byte`.
#[inline]
fn equal(word: u64, byte: u64) -> u64 {
    below(word ^ (ONES * byte), 1)
}
