//! The states of a head and of trailers, byte by byte: a single state machine.

use super::chars::{is, run, AUTHORITY, TOKEN, URL, VALUE};
use super::errors::Error;
use super::field::{Field, Token};
use super::head::flags;
use super::methods::{self, PRI, SOURCE};
use super::parser::{lenient, Event, Kind, Parser};

/// Where to go on, or where to stop and with which event.
pub type Step = Result<usize, (usize, Event)>;

/// The states, in the order in which a message passes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Between messages; line ends are skipped.
    Start,
    Method,
    UrlSpaces,
    UrlStart,
    UrlSchema,
    UrlSchemaSlash,
    UrlSchemaSlashSlash,
    UrlServer,
    UrlServerAt,
    UrlPath,
    UrlQuery,
    UrlFragment,
    /// A request without a version: its line's LF, and the first byte behind it.
    OldLf,
    OldLine,
    /// Behind the space that ended the url, and behind more.
    ProtocolSpace,
    ProtocolSpaces,
    ProtocolStart,
    Protocol(Protocol),
    Major,
    Dot,
    Minor,
    /// HTTP/2's preface, behind `PRI * HTTP/2.0`.
    Preface,
    RequestLineEnd,
    RequestLineLf,
    StatusSpace,
    Status,
    StatusEnd,
    Reason,
    ReasonLf,
    /// The first line behind the start line.
    FirstField,
    FieldStart,
    FieldName,
    /// Spaces behind a name that means something.
    FieldSpaces,
    ValueSpaces,
    /// The line ends before a value began: its LF, and the first byte behind it.
    EmptyLf,
    EmptyFold,
    Value,
    ValueLf,
    ValueFold,
    HeadersLf,
    /// The head is told, what follows it is not known yet.
    AfterHead,
    BodyLength,
    BodyUntilEnd,
    ChunkSizeStart,
    ChunkSize,
    ChunkSizeSpaces,
    ChunkSizeLf,
    ExtensionStart,
    ExtensionName,
    ExtensionValue,
    ExtensionQuoted,
    ExtensionQuotedPair,
    ExtensionQuotedEnd,
    ChunkData,
    ChunkDataCr,
    ChunkDataLf,
    /// A body is over behind which another protocol follows.
    BodyDone,
    /// Not `whole`: a 101 that does not upgrade, behind which Node's parser accepts no end.
    Upgraded {
        whole: bool,
    },
    /// No message may follow.
    Closed,
    /// No message may follow, and none is refused.
    Ignore,
    Failed(Error),
}

/// What stands before the version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    Http,
    Rtsp,
    Ice,
}

impl State {
    /// Whether [`Parser::step_head`] takes it.
    pub fn is_head(self) -> bool {
        !matches!(
            self,
            Self::AfterHead
                | Self::BodyLength
                | Self::BodyUntilEnd
                | Self::ChunkSizeStart
                | Self::ChunkSize
                | Self::ChunkSizeSpaces
                | Self::ChunkSizeLf
                | Self::ExtensionStart
                | Self::ExtensionName
                | Self::ExtensionValue
                | Self::ExtensionQuoted
                | Self::ExtensionQuotedPair
                | Self::ExtensionQuotedEnd
                | Self::ChunkData
                | Self::ChunkDataCr
                | Self::ChunkDataLf
                | Self::BodyDone
                | Self::Upgraded { .. }
                | Self::Closed
                | Self::Ignore
                | Self::Failed(_)
        )
    }

    fn is_url(self) -> bool {
        matches!(
            self,
            Self::UrlStart
                | Self::UrlSchema
                | Self::UrlSchemaSlash
                | Self::UrlSchemaSlashSlash
                | Self::UrlServer
                | Self::UrlServerAt
                | Self::UrlPath
                | Self::UrlQuery
                | Self::UrlFragment
        )
    }
}

impl Parser {
    pub(super) fn step_head(&mut self, input: &[u8], at: usize) -> Step {
        let Some(&byte) = input.get(at) else {
            // Node counts what it has of a name, value or url when input ends.
            return match self.counted >= self.config.max_header_size && self.state != State::Start {
                true => Err((at, self.fail(Error::HeaderOverflow))),
                false => Err((at, Event::NeedMore)),
            };
        };
        match self.state {
            State::Start if matches!(byte, b'\r' | b'\n') => Ok(at + 1),
            State::Start => self.start(at),
            State::Method => self.method(byte, at),
            State::UrlSpaces => match byte {
                b' ' => Ok(at + 1),
                _ => {
                    let connect = self.head.method == methods::CONNECT;
                    self.go(
                        if connect {
                            State::UrlServer
                        } else {
                            State::UrlStart
                        },
                        at,
                    )
                }
            },
            state if state.is_url() => self.url(input, byte, at),
            State::OldLf => match byte {
                b'\n' => self.go(State::OldLine, at + 1),
                _ => Err((at, self.fail(Error::UrlLineEnd))),
            },
            State::OldLine => match byte {
                b'\t' | b'\x0c' => Err((at + 1, self.fail(Error::UrlCharacters))),
                _ => self.go(State::FirstField, at),
            },
            State::ProtocolSpace if matches!(byte, b'\t' | b'\x0c') => {
                Err((at + 1, self.fail(Error::UrlCharacters)))
            }
            State::ProtocolSpace | State::ProtocolSpaces => match byte {
                b' ' => self.go(State::ProtocolSpaces, at + 1),
                _ => self.go(State::ProtocolStart, at),
            },
            State::ProtocolStart => self.protocol_starts(byte, at),
            State::Protocol(protocol) => self.protocol(protocol, byte, at),
            State::Preface => self.preface(byte, at),
            State::Major | State::Dot | State::Minor => self.version(byte, at),
            State::RequestLineEnd | State::RequestLineLf => self.request_line_end(byte, at),
            State::StatusSpace | State::Status | State::StatusEnd => self.status(byte, at),
            State::Reason | State::ReasonLf => self.reason(input, byte, at),
            State::FirstField => match byte {
                b' ' if self.is_lenient(lenient::HEADERS) => self.go(State::FieldStart, at + 1),
                b' ' => Err((at + 1, self.fail(Error::SpaceAfterStartLine))),
                _ => self.go(State::FieldStart, at),
            },
            State::FieldStart | State::FieldName | State::FieldSpaces => {
                self.field(input, byte, at)
            }
            State::ValueSpaces | State::EmptyLf | State::EmptyFold => self.before_value(byte, at),
            State::Value => self.value(input, byte, at),
            State::ValueLf => match byte {
                b'\n' => self.go(State::ValueFold, at + 1),
                _ => Err((at, self.fail(Error::ValueLf))),
            },
            State::ValueFold => match byte {
                b' ' | b'\t' if self.is_lenient(lenient::HEADERS) => {
                    self.value_folds(at)?;
                    self.go(State::Value, at)
                }
                b' ' | b'\t' => Err((at, self.fail(Error::Fold))),
                _ => self.line_complete(at),
            },
            _ => match byte {
                b'\n' => self.section_complete(at + 1),
                _ if self.is_lenient(lenient::OPTIONAL_LF_AFTER_CR) => self.section_complete(at),
                _ => Err((at, self.fail(Error::HeadersLf))),
            },
        }
    }

    fn start(&mut self, at: usize) -> Step {
        self.begin();
        self.index = 0;
        match self.config.kind {
            Kind::Request => {
                self.candidates = methods::ALL;
                self.go(State::Method, at)
            }
            Kind::Response => self.go(State::ProtocolStart, at),
        }
    }

    fn method(&mut self, byte: u8, at: usize) -> Step {
        let index = self.index as usize;
        let narrowed = methods::narrow(self.candidates, index, byte);
        if narrowed != 0 {
            self.candidates = narrowed;
            // No method has 256 bytes.
            self.index += 1;
            return Ok(at + 1);
        }
        let Some(method) = methods::complete(self.candidates, index) else {
            return Err((at, self.fail(Error::InvalidMethod)));
        };
        if byte != b' ' {
            return Err((at, self.fail(Error::SpaceAfterMethod)));
        }
        self.head.method = method;
        self.go(State::UrlSpaces, at + 1)
    }

    fn url(&mut self, input: &[u8], byte: u8, at: usize) -> Step {
        let early = matches!(
            self.state,
            State::UrlStart | State::UrlSchema | State::UrlSchemaSlash
        );
        match byte {
            _ if self.state == State::UrlSchemaSlashSlash => {}
            b'\t' | b'\x0c' => return Err((at + 1, self.fail(Error::UrlCharacters))),
            b'\r' | b'\n' | b' ' if early => {
                return Err((at + 1, self.fail(Error::UrlCharacters)));
            }
            b'\r' | b'\n' | b' ' => return self.url_ends(byte, at),
            _ => {}
        }
        let (next, error) = match self.state {
            State::UrlStart => match byte {
                b'/' | b'*' => (Some(State::UrlPath), Error::UrlStart),
                _ if byte.is_ascii_alphabetic() => (Some(State::UrlSchema), Error::UrlStart),
                _ => (None, Error::UrlStart),
            },
            State::UrlSchema => match byte {
                b':' => (Some(State::UrlSchemaSlash), Error::UrlSchema),
                _ if byte.is_ascii_alphabetic() => (Some(State::UrlSchema), Error::UrlSchema),
                _ => (None, Error::UrlSchema),
            },
            State::UrlSchemaSlash | State::UrlSchemaSlashSlash => {
                let next = match self.state {
                    State::UrlSchemaSlash => State::UrlSchemaSlashSlash,
                    _ => State::UrlServer,
                };
                ((byte == b'/').then_some(next), Error::UrlSchema)
            }
            State::UrlServer | State::UrlServerAt => match byte {
                b'/' => (Some(State::UrlPath), Error::UrlServer),
                b'?' => (Some(State::UrlQuery), Error::UrlServer),
                b'@' if self.state == State::UrlServerAt => {
                    return Err((at + 1, self.fail(Error::UrlDoubleAt)));
                }
                b'@' => (Some(State::UrlServerAt), Error::UrlServer),
                _ if is(byte, AUTHORITY) => (Some(State::UrlServer), Error::UrlServer),
                _ => (None, Error::UrlServer),
            },
            state => {
                let taken = run(&input[at..], URL);
                if taken > 0 {
                    let bytes = &input[at..at + taken];
                    self.state = url_state(state, bytes);
                    return self.take(bytes, at);
                }
                let error = match state {
                    State::UrlPath => Error::UrlPath,
                    State::UrlQuery => Error::UrlQuery,
                    _ => Error::UrlFragment,
                };
                (None, error)
            }
        };
        match next {
            Some(next) => {
                self.state = next;
                self.take(&input[at..at + 1], at)
            }
            None => Err((at, self.fail(error))),
        }
    }

    fn url_ends(&mut self, byte: u8, at: usize) -> Step {
        let next = match byte {
            b' ' => State::ProtocolSpace,
            b'\r' => State::OldLf,
            _ => State::OldLine,
        };
        self.count(at)?;
        self.text_ends();
        if byte != b' ' {
            (self.head.major, self.head.minor) = (0, 9);
        }
        self.go(next, at + 1)
    }

    fn protocol_starts(&mut self, byte: u8, at: usize) -> Step {
        self.index = 1;
        let protocol = match byte {
            b'H' => Protocol::Http,
            b'R' => Protocol::Rtsp,
            b'I' => Protocol::Ice,
            _ => return Err((at, self.fail(Error::Protocol))),
        };
        self.go(State::Protocol(protocol), at + 1)
    }

    fn protocol(&mut self, protocol: Protocol, byte: u8, at: usize) -> Step {
        let text: &[u8] = match protocol {
            Protocol::Http => b"HTTP/",
            Protocol::Rtsp => b"RTSP/",
            Protocol::Ice => b"ICE/",
        };
        let index = self.index as usize;
        if text.get(index) != Some(&byte) {
            return Err((at, self.fail(Error::Protocol)));
        }
        self.index += 1;
        if index + 1 == text.len() {
            return self.go(State::Major, at + 1);
        }
        // Behind the name, before the slash.
        if index + 2 == text.len() && self.is_request() {
            let method = self.head.method;
            let (fits, error) = match protocol {
                Protocol::Http => (methods::is_http(method), Error::MethodForHttp),
                Protocol::Rtsp => (methods::is_rtsp(method), Error::MethodForRtsp),
                Protocol::Ice => (method == SOURCE, Error::MethodForIce),
            };
            if !fits {
                return Err((at + 1, self.fail(error)));
            }
        }
        Ok(at + 1)
    }

    fn preface(&mut self, byte: u8, at: usize) -> Step {
        let text = b"\r\n\r\nSM\r\n\r\n";
        let index = self.index as usize;
        if text.get(index) != Some(&byte) {
            return Err((at, self.fail(Error::Preface)));
        }
        self.index += 1;
        match index + 1 == text.len() {
            true => Err((at + 1, self.fail(Error::Http2))),
            false => Ok(at + 1),
        }
    }

    fn version(&mut self, byte: u8, at: usize) -> Step {
        let digit = byte.is_ascii_digit().then(|| byte - b'0');
        match (self.state, digit) {
            (State::Major, Some(digit)) => {
                self.head.major = digit;
                self.go(State::Dot, at + 1)
            }
            (State::Major, None) => Err((at, self.fail(Error::MajorVersion))),
            (State::Dot, _) if byte == b'.' => self.go(State::Minor, at + 1),
            (State::Dot, _) => Err((at, self.fail(Error::VersionDot))),
            (_, None) => Err((at, self.fail(Error::MinorVersion))),
            (_, Some(digit)) => {
                self.head.minor = digit;
                let known = matches!((self.head.major, digit), (0, 9) | (1, 0) | (1, 1) | (2, 0));
                if !known && !self.is_lenient(lenient::VERSION) {
                    return Err((at + 1, self.fail(Error::Version)));
                }
                self.index = 0;
                self.state = match self.config.kind {
                    Kind::Request if self.head.method == PRI => State::Preface,
                    Kind::Request => State::RequestLineEnd,
                    Kind::Response => State::StatusSpace,
                };
                Ok(at + 1)
            }
        }
    }

    fn request_line_end(&mut self, byte: u8, at: usize) -> Step {
        match (self.state, byte) {
            (State::RequestLineEnd, b'\r') => self.go(State::RequestLineLf, at + 1),
            // It stands for the CR: a LF of its own may follow, or must.
            (State::RequestLineEnd, b'\n') if self.is_lenient(lenient::OPTIONAL_CR_BEFORE_LF) => {
                self.go(State::RequestLineLf, at + 1)
            }
            (State::RequestLineEnd, b'\n') => Err((at + 1, self.fail(Error::VersionLineEnd))),
            (State::RequestLineEnd, _) => Err((at, self.fail(Error::VersionLineEnd))),
            (_, b'\n') => self.go(State::FirstField, at + 1),
            _ if self.is_lenient(lenient::OPTIONAL_LF_AFTER_CR) => self.go(State::FirstField, at),
            _ => Err((at, self.fail(Error::VersionLf))),
        }
    }

    fn status(&mut self, byte: u8, at: usize) -> Step {
        match self.state {
            State::StatusSpace if byte == b' ' => self.go(State::Status, at + 1),
            State::StatusSpace => Err((at, self.fail(Error::VersionSpace))),
            State::Status if byte.is_ascii_digit() => {
                self.head.status = self.head.status * 10 + u16::from(byte - b'0');
                self.index += 1;
                let next = if self.index == 3 {
                    State::StatusEnd
                } else {
                    State::Status
                };
                self.go(next, at + 1)
            }
            State::Status => Err((at, self.fail(Error::StatusCode))),
            _ => match byte {
                b' ' => self.go(State::Reason, at + 1),
                b'\r' => {
                    self.text_ends();
                    self.go(State::ReasonLf, at + 1)
                }
                b'\n' if self.is_lenient(lenient::OPTIONAL_CR_BEFORE_LF) => {
                    self.text_ends();
                    self.go(State::FirstField, at + 1)
                }
                b'\n' => Err((at + 1, self.fail(Error::StatusEnd))),
                _ => Err((at, self.fail(Error::StatusEnd))),
            },
        }
    }

    fn reason(&mut self, input: &[u8], byte: u8, at: usize) -> Step {
        match (self.state, byte) {
            (State::Reason, b'\r') => {
                self.count(at + 1)?;
                self.text_ends();
                self.go(State::ReasonLf, at + 1)
            }
            (State::Reason, b'\n') => {
                self.count(at + 1)?;
                self.text_ends();
                match self.is_lenient(lenient::OPTIONAL_CR_BEFORE_LF) {
                    true => self.go(State::FirstField, at + 1),
                    false => Err((at + 1, self.fail(Error::ReasonCr))),
                }
            }
            (State::Reason, _) => {
                let rest = &input[at..];
                let end = rest.iter().position(|byte| matches!(byte, b'\r' | b'\n'));
                self.take(&rest[..end.unwrap_or(rest.len())], at)
            }
            (_, b'\n') => self.go(State::FirstField, at + 1),
            _ if self.is_lenient(lenient::OPTIONAL_LF_AFTER_CR) => self.go(State::FirstField, at),
            _ => Err((at, self.fail(Error::LfAfterCr))),
        }
    }

    fn field(&mut self, input: &[u8], byte: u8, at: usize) -> Step {
        if self.state == State::FieldStart {
            return match byte {
                b'\r' => self.go(State::HeadersLf, at + 1),
                b'\n' if self.is_lenient(lenient::OPTIONAL_CR_BEFORE_LF) => {
                    self.section_complete(at + 1)
                }
                b'\n' => Err((at + 1, self.fail(Error::FieldChar))),
                _ if is(byte, TOKEN) => {
                    self.name_start = self.buffer.len();
                    self.go(State::FieldName, at)
                }
                _ => Err((at, self.fail(Error::HeaderToken))),
            };
        }
        let named = |parser: &Self| Field::named(&parser.buffer[parser.name_start..]);
        match byte {
            _ if is(byte, TOKEN) => {
                if self.state == State::FieldSpaces {
                    self.field = Field::General;
                    self.state = State::FieldName;
                }
                let taken = run(&input[at..], TOKEN);
                self.take(&input[at..at + taken], at)
            }
            b':' => {
                if self.state == State::FieldName {
                    self.field = named(self);
                }
                self.count(at + 1)?;
                let most = self.config.max_headers;
                if most != 0 && self.head.count >= most {
                    return Err((at + 1, self.fail(Error::HeaderOverflow)));
                }
                self.buffer.extend_from_slice(b": ");
                self.value_start = self.buffer.len();
                self.state = State::ValueSpaces;
                self.field_named(at + 1)
            }
            b' ' if self.state == State::FieldSpaces => self.take(b" ", at),
            b' ' if named(self) != Field::General => {
                if !self.is_lenient(lenient::HEADERS) {
                    self.count(at + 1)?;
                    return Err((at + 1, self.fail(Error::FieldChar)));
                }
                self.field = named(self);
                self.state = State::FieldSpaces;
                self.take(b" ", at)
            }
            _ => Err((at, self.fail(Error::HeaderToken))),
        }
    }

    fn before_value(&mut self, byte: u8, at: usize) -> Step {
        match (self.state, byte) {
            (State::ValueSpaces, b' ' | b'\t') => Ok(at + 1),
            (State::ValueSpaces, b'\r') => self.go(State::EmptyLf, at + 1),
            (State::ValueSpaces, b'\n') => match self.is_lenient(lenient::OPTIONAL_CR_BEFORE_LF) {
                true => self.go(State::EmptyFold, at + 1),
                false => Err((at + 1, self.fail(Error::ValueChar))),
            },
            (State::ValueSpaces, _) => {
                self.value_begins(at)?;
                self.go(State::Value, at)
            }
            (State::EmptyLf, b'\n') => self.go(State::EmptyFold, at + 1),
            (State::EmptyLf, _) => match self.is_lenient(lenient::HEADERS) {
                true => self.go(State::EmptyFold, at),
                false => Err((at, self.fail(Error::LfAfterCr))),
            },
            (_, b' ' | b'\t') => match self.is_lenient(lenient::HEADERS) {
                true => self.go(State::ValueSpaces, at + 1),
                false => Err((at + 1, self.fail(Error::ValueChar))),
            },
            _ if self.field == Field::ContentLength => Err((at, self.fail(Error::LengthEmpty))),
            _ if self.field == Field::TransferEncoding => {
                Err((at, self.fail(Error::EncodingEmpty)))
            }
            _ => self.line_complete(at),
        }
    }

    fn value(&mut self, input: &[u8], byte: u8, at: usize) -> Step {
        match byte {
            b'\r' => {
                self.token_ends();
                self.count(at + 1)?;
                return self.go(State::ValueLf, at + 1);
            }
            b'\n' => {
                self.token_ends();
                self.count(at)?;
                let lax = self.token == Token::Lax && self.is_lenient(lenient::HEADERS);
                return match lax || self.is_lenient(lenient::OPTIONAL_CR_BEFORE_LF) {
                    true => self.go(State::ValueFold, at + 1),
                    false => Err((at, self.fail(Error::ValueCr))),
                };
            }
            _ => {}
        }
        let rest = &input[at..];
        match self.field {
            Field::ContentLength => {
                self.length_byte(byte, at)?;
                self.take(&rest[..1], at)
            }
            _ if self.token == Token::Lax || !is(byte, VALUE) => {
                if !self.is_tolerated(byte) {
                    self.count(at)?;
                    return Err((at, self.fail(Error::ValueChar)));
                }
                self.token = Token::Lax;
                let end = rest.iter().position(|&byte| !self.is_tolerated(byte));
                self.take(&rest[..end.unwrap_or(rest.len())], at)
            }
            Field::General | Field::Upgrade => self.take(&rest[..run(rest, VALUE)], at),
            Field::Connection | Field::TransferEncoding => {
                self.token_byte(byte, at)?;
                self.take(&rest[..1], at)
            }
        }
    }

    /// Whether leniency lets the byte stand in a value.
    fn is_tolerated(&self, byte: u8) -> bool {
        match byte {
            b'\r' | b'\n' => false,
            _ if is(byte, VALUE) || self.is_lenient(lenient::HEADERS) => true,
            0 => false,
            _ => self.is_lenient(lenient::HEADER_VALUE_RELAXED),
        }
    }

    /// A header line is over, and the next byte belongs to another.
    fn line_complete(&mut self, at: usize) -> Step {
        let value = &self.buffer[self.value_start..];
        let trailing = value
            .iter()
            .rev()
            .take_while(|byte| matches!(byte, b' ' | b'\t'))
            .count();
        self.buffer.truncate(self.buffer.len() - trailing);
        if !self.trailing {
            self.note_field();
        }
        self.buffer.extend_from_slice(b"\r\n");
        self.head.count += 1;
        self.go(State::FieldStart, at)
    }

    /// Notes the fields of which JavaScript asks at every request.
    fn note_field(&mut self) {
        if self.field != Field::General {
            self.head.framed_by = self.head.count + 1;
        }
        let name = &self.buffer[self.name_start..self.value_start - 2];
        if name.eq_ignore_ascii_case(b"host") {
            self.head.hosts += 1;
            self.head.framed_by = self.head.count + 1;
        } else if name.eq_ignore_ascii_case(b"expect") {
            self.head.flags |= flags::EXPECT;
            if self.buffer[self.value_start..].eq_ignore_ascii_case(b"100-continue") {
                self.head.flags |= flags::EXPECT_CONTINUE;
            }
        } else if name.eq_ignore_ascii_case(b"connection") {
            self.head.flags |= flags::CONNECTION;
        }
    }

    /// The header lines are over, or the trailers.
    fn section_complete(&mut self, at: usize) -> Step {
        match self.trailing {
            true => self.complete(at),
            false => Err((at, self.head_complete())),
        }
    }

    /// The url or reason phrase is over.
    fn text_ends(&mut self) {
        // A head is smaller than `u32::MAX`: its limit is checked as it grows.
        self.head.text = (0, self.buffer.len() as u32);
        self.buffer.extend_from_slice(b"\r\n");
        self.head.lines = self.buffer.len() as u32;
    }

    /// Takes bytes that count.
    fn take(&mut self, bytes: &[u8], at: usize) -> Step {
        self.counted += bytes.len();
        self.buffer.extend_from_slice(bytes);
        Ok(at + bytes.len())
    }

    /// A url, reason, name or value is over.
    pub(super) fn count(&mut self, at: usize) -> Step {
        match self.counted >= self.config.max_header_size {
            true => Err((at, self.fail(Error::HeaderOverflow))),
            false => Ok(at),
        }
    }
}

/// In which part of the url one is behind `bytes`.
fn url_state(state: State, bytes: &[u8]) -> State {
    let mut state = state;
    for &byte in bytes {
        state = match (state, byte) {
            (State::UrlPath, b'?') => State::UrlQuery,
            (State::UrlPath | State::UrlQuery, b'#') => State::UrlFragment,
            _ => state,
        };
    }
    state
}
