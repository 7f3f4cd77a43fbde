//! The states behind a head: how its message goes on, and the body.

use super::chars::{is, run, TOKEN, VALUE};
use super::errors::Error;
use super::head::{flags, Framing};
use super::machine::{State, Step};
use super::methods::CONNECT;
use super::parser::{lenient, Decision, Event, Parser};

/// At more bytes of extensions to one chunk it is refused, as Node does.
const MAX_EXTENSIONS: usize = 16 * 1024;

impl Parser {
    pub(super) fn step_body(&mut self, input: &[u8], at: usize) -> Step {
        match self.state {
            State::AfterHead => return self.after_head(at),
            State::Upgraded { .. } => return Err((at, Event::Upgraded)),
            State::BodyDone => return self.complete(at),
            State::Failed(error) => return Err((at, Event::Failed(error))),
            _ => {}
        }
        let Some(&byte) = input.get(at) else {
            return match self.extensions > MAX_EXTENSIONS {
                true => Err((at, self.fail(Error::ExtensionsOverflow))),
                false => Err((at, Event::NeedMore)),
            };
        };
        match self.state {
            State::BodyLength | State::ChunkData => Err(self.body(input, at)),
            State::BodyUntilEnd => {
                let end = input.len();
                Err((
                    end,
                    Event::Body {
                        start: at,
                        end,
                        last: false,
                    },
                ))
            }
            State::Closed => match byte {
                b'\r' | b'\n' => Ok(at + 1),
                _ => Err((at + 1, self.fail(Error::Closed))),
            },
            State::Ignore => Ok(input.len()),
            State::ChunkSizeStart | State::ChunkSize | State::ChunkSizeSpaces => {
                self.chunk_size(byte, at)
            }
            State::ChunkSizeLf => match byte {
                b'\n' => self.chunk_begins(at + 1),
                _ if self.is_lenient(lenient::OPTIONAL_LF_AFTER_CR) => self.chunk_begins(at),
                _ => Err((at, self.fail(Error::ChunkSizeLf))),
            },
            State::ChunkDataCr => self.chunk_data_ends(byte, at),
            State::ChunkDataLf => match byte {
                b'\n' => self.go(State::ChunkSizeStart, at + 1),
                _ if self.is_lenient(lenient::OPTIONAL_CRLF_AFTER_CHUNK) => {
                    self.go(State::ChunkSizeStart, at)
                }
                _ => Err((at, self.fail(Error::ChunkDataLf))),
            },
            _ => self.extension(input, byte, at),
        }
    }

    /// What follows the head.
    fn after_head(&mut self, at: usize) -> Step {
        let request = self.is_request();
        let skip = self.decision >= Decision::NoBody;
        let upgrade = self.head.has(flags::UPGRADE) || self.decision == Decision::Upgrade;
        if !request && self.head.status == 101
            || upgrade && (skip || !self.head.has_body() || request && self.head.method == CONNECT)
        {
            self.state = State::Upgraded { whole: upgrade };
            return Err((at, Event::Upgraded));
        }
        if skip {
            return self.complete(at);
        }
        match self.framing() {
            Framing::None | Framing::Upgrade => self.complete(at),
            Framing::Chunked => self.go(State::ChunkSizeStart, at),
            Framing::Length => {
                self.remaining = self.head.content_length;
                self.go(State::BodyLength, at)
            }
            Framing::UntilEnd => {
                let tolerated = lenient::TRANSFER_ENCODING | lenient::CHUNKED_LENGTH;
                if request && !self.is_lenient(tolerated) {
                    return Err((at, self.fail(Error::EncodingOfRequest)));
                }
                self.go(State::BodyUntilEnd, at)
            }
        }
    }

    pub(super) fn complete(&mut self, at: usize) -> Step {
        // What was asked for beside a body begins when the body is over.
        if self.head.has(flags::UPGRADE) && self.decision == Decision::Body {
            self.state = State::Upgraded { whole: true };
            return Err((at, Event::Upgraded));
        }
        self.message_complete();
        Err((at, Event::Complete))
    }

    /// As much as there is of a body or chunk of known length.
    fn body(&mut self, input: &[u8], at: usize) -> (usize, Event) {
        let there = (input.len() - at) as u64;
        let taken = there.min(self.remaining);
        self.remaining -= taken;
        // No more than there is in memory.
        let end = at + taken as usize;
        let done = self.remaining == 0;
        let mut last = false;
        if done && self.state == State::ChunkData {
            self.state = State::ChunkDataCr;
        } else if done && !self.head.has(flags::UPGRADE) {
            self.message_complete();
            last = true;
        } else if done {
            self.state = State::BodyDone;
        }
        (
            end,
            Event::Body {
                start: at,
                end,
                last,
            },
        )
    }

    fn chunk_size(&mut self, byte: u8, at: usize) -> Step {
        let digit = (byte as char).to_digit(16).map(u64::from);
        match (self.state, digit) {
            (State::ChunkSizeStart, Some(digit)) => {
                self.remaining = digit;
                self.extensions = 0;
                return self.go(State::ChunkSize, at + 1);
            }
            (State::ChunkSizeStart, None) => return Err((at, self.fail(Error::ChunkSize))),
            (State::ChunkSize, Some(digit)) => {
                let size = self.remaining.checked_mul(16);
                return match size.and_then(|size| size.checked_add(digit)) {
                    Some(size) => {
                        self.remaining = size;
                        Ok(at + 1)
                    }
                    None => Err((at + 1, self.fail(Error::ChunkSizeOverflow))),
                };
            }
            _ => {}
        }
        match byte {
            b'\r' => self.go(State::ChunkSizeLf, at + 1),
            // It stands for the CR: a LF of its own may follow, or must.
            b'\n' if self.is_lenient(lenient::OPTIONAL_CR_BEFORE_LF) => {
                self.go(State::ChunkSizeLf, at + 1)
            }
            b'\n' => Err((at + 1, self.fail(Error::ChunkSizeCr))),
            b';' => self.go(State::ExtensionStart, at + 1),
            b' ' | b'\t' if self.is_lenient(lenient::SPACES_AFTER_CHUNK_SIZE) => {
                self.go(State::ChunkSizeSpaces, at + 1)
            }
            b' ' | b'\t' => Err((at + 1, self.fail(Error::ChunkSize))),
            _ => Err((at, self.fail(Error::ChunkSize))),
        }
    }

    /// The line with the size is over.
    fn chunk_begins(&mut self, at: usize) -> Step {
        self.counted = 0;
        self.extensions = 0;
        if self.remaining > 0 {
            return self.go(State::ChunkData, at);
        }
        self.trailing = true;
        self.head.count = 0;
        self.buffer.clear();
        self.go(State::FieldStart, at)
    }

    fn chunk_data_ends(&mut self, byte: u8, at: usize) -> Step {
        match byte {
            b'\r' => self.go(State::ChunkDataLf, at + 1),
            b'\n' if self.is_lenient(lenient::OPTIONAL_CR_BEFORE_LF) => {
                self.go(State::ChunkSizeStart, at + 1)
            }
            b'\n' => Err((at + 1, self.fail(Error::ChunkDataCr))),
            _ if self.is_lenient(lenient::OPTIONAL_CRLF_AFTER_CHUNK) => {
                self.go(State::ChunkSizeStart, at)
            }
            _ => Err((at, self.fail(Error::ChunkDataLf))),
        }
    }

    /// A chunk's extensions: `;name`, `;name=value`, `;name="value"`.
    fn extension(&mut self, input: &[u8], byte: u8, at: usize) -> Step {
        match self.state {
            State::ExtensionName | State::ExtensionValue if is(byte, TOKEN) => {
                self.extended(at, run(&input[at..], TOKEN))
            }
            State::ExtensionStart if matches!(byte, b' ' | b'\r') => {
                Err((at + 1, self.fail(Error::Extensions)))
            }
            State::ExtensionStart => self.go(State::ExtensionName, at),
            State::ExtensionName => {
                self.extension_ends(at + 1)?;
                match byte {
                    b'=' => self.go(State::ExtensionValue, at + 1),
                    _ => self.extension_line(
                        byte,
                        at,
                        Error::ExtensionNameCr,
                        (at + 1, Error::ExtensionName),
                    ),
                }
            }
            State::ExtensionValue if byte == b'"' => {
                self.state = State::ExtensionQuoted;
                self.extended(at, 1)
            }
            State::ExtensionValue => {
                self.extension_ends(at + 1)?;
                self.extension_line(
                    byte,
                    at,
                    Error::ExtensionValueCr,
                    (at + 1, Error::ExtensionValue),
                )
            }
            State::ExtensionQuoted => match byte {
                b'"' => {
                    self.extensions += 1;
                    self.extension_ends(at + 1)?;
                    self.go(State::ExtensionQuotedEnd, at + 1)
                }
                b'\\' => {
                    self.state = State::ExtensionQuotedPair;
                    self.extended(at, 1)
                }
                _ if is(byte, VALUE) => self.extended(at, 1),
                _ => Err((at + 1, self.fail(Error::ExtensionQuoted))),
            },
            State::ExtensionQuotedPair => match is(byte, VALUE) {
                true => {
                    self.state = State::ExtensionQuoted;
                    self.extended(at, 1)
                }
                false => Err((at + 1, self.fail(Error::ExtensionQuotedPair))),
            },
            _ => self.extension_line(
                byte,
                at,
                Error::ExtensionValueCr,
                (at, Error::ExtensionQuotedEnd),
            ),
        }
    }

    /// What may follow a name or value.
    fn extension_line(&mut self, byte: u8, at: usize, cr: Error, other: (usize, Error)) -> Step {
        match byte {
            b';' => self.go(State::ExtensionStart, at + 1),
            b'\r' => self.go(State::ChunkSizeLf, at + 1),
            b'\n' if self.is_lenient(lenient::OPTIONAL_CR_BEFORE_LF) => self.chunk_begins(at + 1),
            b'\n' => Err((at, self.fail(cr))),
            _ => Err((other.0, self.fail(other.1))),
        }
    }

    fn extended(&mut self, at: usize, count: usize) -> Step {
        self.extensions = self.extensions.saturating_add(count);
        Ok(at + count)
    }

    /// The extension's name or value is over: Node counts it then.
    fn extension_ends(&mut self, at: usize) -> Step {
        match self.extensions > MAX_EXTENSIONS {
            true => Err((at, self.fail(Error::ExtensionsOverflow))),
            false => Ok(at),
        }
    }

    pub(super) fn go(&mut self, state: State, at: usize) -> Step {
        self.state = state;
        Ok(at)
    }
}
