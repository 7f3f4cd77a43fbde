//! The header fields that decide how a message ends and whether another may follow: their names,
//! and the machine that reads their values.

use super::errors::Error;
use super::head::flags;
use super::machine::Step;
use super::parser::{lenient, Parser};

/// What a header line means to the parser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    General,
    Connection,
    ContentLength,
    TransferEncoding,
    Upgrade,
}

/// How far a list of tokens is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Token {
    /// Before a token.
    Skip,
    /// In one that can still be the word, of which `u8` bytes were seen.
    Word(Word, u8),
    /// Behind the word; spaces may follow.
    After(Word),
    /// In a token that means nothing.
    Other,
    /// Tokens are not looked at any more.
    Plain,
    /// Nor bytes, behind one that only leniency took.
    Lax,
}

/// Tokens that mean something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    Close,
    KeepAlive,
    Upgrade,
    Chunked,
}

impl Field {
    pub fn named(name: &[u8]) -> Self {
        match name.len() {
            7 if name.eq_ignore_ascii_case(b"upgrade") => Self::Upgrade,
            10 if name.eq_ignore_ascii_case(b"connection") => Self::Connection,
            14 if name.eq_ignore_ascii_case(b"content-length") => Self::ContentLength,
            16 if name.eq_ignore_ascii_case(b"proxy-connection") => Self::Connection,
            17 if name.eq_ignore_ascii_case(b"transfer-encoding") => Self::TransferEncoding,
            _ => Self::General,
        }
    }
}

impl Word {
    fn text(self) -> &'static [u8] {
        match self {
            Self::Close => b"close",
            Self::KeepAlive => b"keep-alive",
            Self::Upgrade => b"upgrade",
            Self::Chunked => b"chunked",
        }
    }

    fn flag(self) -> u16 {
        match self {
            Self::Close => flags::CONNECTION_CLOSE,
            Self::KeepAlive => flags::CONNECTION_KEEP_ALIVE,
            Self::Upgrade => flags::CONNECTION_UPGRADE,
            Self::Chunked => flags::CHUNKED,
        }
    }
}

impl Parser {
    /// The colon behind a name is consumed, `at` is behind it.
    pub(super) fn field_named(&mut self, at: usize) -> Step {
        let tolerant = self.is_lenient(lenient::CHUNKED_LENGTH);
        let refused = match self.field {
            Field::ContentLength if self.head.has(flags::TRANSFER_ENCODING) => {
                Some(Error::LengthAfterEncoding)
            }
            Field::TransferEncoding if self.head.has(flags::CONTENT_LENGTH) => {
                Some(Error::EncodingAfterLength)
            }
            _ => None,
        };
        if let Some(error) = refused.filter(|_| !tolerant) {
            return Err((at, self.fail(error)));
        }
        Ok(at)
    }

    /// The value's first byte stands at `at`, and is no white space.
    pub(super) fn value_begins(&mut self, at: usize) -> Step {
        self.token = Token::Skip;
        self.worded = false;
        match self.field {
            Field::Upgrade => self.head.flags |= flags::UPGRADE_FIELD,
            Field::ContentLength => {
                if self.head.has(flags::CONTENT_LENGTH) {
                    return Err((at, self.fail(Error::LengthTwice)));
                }
                self.head.flags |= flags::CONTENT_LENGTH;
                self.head.content_length = 0;
            }
            Field::TransferEncoding => {
                self.head.flags |= flags::TRANSFER_ENCODING;
                if self.head.has(flags::CHUNKED) && self.refuses_more_codings() {
                    return Err((at + 1, self.fail(Error::EncodingValue)));
                }
                self.head.flags &= !flags::CHUNKED;
            }
            _ => {}
        }
        Ok(at)
    }

    /// The value goes on behind a line's end and white space.
    pub(super) fn value_folds(&mut self, at: usize) -> Step {
        match self.field {
            Field::ContentLength => return Err((at, self.fail(Error::LengthTwice))),
            Field::TransferEncoding => {
                self.token = Token::Plain;
                self.head.flags &= !flags::CHUNKED;
            }
            // A word that a token was, or began with, ends the list, unless a comma followed it.
            Field::Connection if self.worded => self.token = Token::Plain,
            _ => self.token = Token::Skip,
        }
        Ok(at)
    }

    /// A digit of `Content-Length`, or a space behind the digits.
    pub(super) fn length_byte(&mut self, byte: u8, at: usize) -> Step {
        match byte {
            b' ' => self.token = Token::Plain,
            b'0'..=b'9' if self.token != Token::Plain => {
                let digit = u64::from(byte - b'0');
                let length = self.head.content_length.checked_mul(10);
                match length.and_then(|length| length.checked_add(digit)) {
                    Some(length) => self.head.content_length = length,
                    None => {
                        self.counted += 1;
                        self.count(at + 1)?;
                        return Err((at + 1, self.fail(Error::LengthOverflow)));
                    }
                }
            }
            _ => {
                self.count(at)?;
                return Err((at, self.fail(Error::LengthChar)));
            }
        }
        Ok(at + 1)
    }

    /// A byte of a list of tokens.
    pub(super) fn token_byte(&mut self, byte: u8, at: usize) -> Step {
        let lower = byte.to_ascii_lowercase();
        self.token = match self.token {
            Token::Plain | Token::Lax => self.token,
            Token::Skip => match byte {
                b' ' | b'\t' => Token::Skip,
                _ => match self.word_of(lower) {
                    Some(word) => Token::Word(word, 1),
                    None => self.other(byte),
                },
            },
            Token::Word(word, seen) => match word.text().get(seen as usize) {
                Some(&next) if next == lower => match word.text().len() == seen as usize + 1 {
                    true => Token::After(word),
                    false => Token::Word(word, seen + 1),
                },
                _ => self.other(byte),
            },
            Token::After(word) => match byte {
                b' ' => Token::After(word),
                // Of `Connection`, as Node 24 reads it: Node 20 keeps a connection alive that says
                // `close`, a tab.
                b'\t' if word != Word::Chunked => Token::After(word),
                b',' => {
                    if word == Word::Chunked && self.refuses_more_codings() {
                        self.count(at + 1)?;
                        return Err((at + 1, self.fail(Error::EncodingValue)));
                    }
                    if word != Word::Chunked {
                        self.head.flags |= word.flag();
                        self.worded = false;
                    }
                    Token::Skip
                }
                _ => self.other(byte),
            },
            Token::Other => self.other(byte),
        };
        if matches!(self.token, Token::After(_)) {
            self.worded = true;
        }
        Ok(at + 1)
    }

    /// The value's line ends.
    pub(super) fn token_ends(&mut self) {
        if let Token::After(word) = self.token {
            self.head.flags |= word.flag();
        }
    }

    fn other(&self, byte: u8) -> Token {
        match byte {
            b',' => Token::Skip,
            _ => Token::Other,
        }
    }

    fn word_of(&self, first: u8) -> Option<Word> {
        match (self.field, first) {
            (Field::Connection, b'c') => Some(Word::Close),
            (Field::Connection, b'k') => Some(Word::KeepAlive),
            (Field::Connection, b'u') => Some(Word::Upgrade),
            (Field::TransferEncoding, b'c') => Some(Word::Chunked),
            _ => None,
        }
    }

    /// Whether a coding behind `chunked` is an error; in a response it means that the body goes
    /// on until the end.
    fn refuses_more_codings(&self) -> bool {
        self.is_request() && !self.is_lenient(lenient::TRANSFER_ENCODING)
    }
}
