//! The parser: fed with input, it tells one event at a time, so that whoever drives it decides
//! between two events, and stops simply by not asking again.

use super::errors::Error;
use super::fast;
use super::field::{Field, Token};
use super::head::{flags, Framing, Head};
use super::machine::State;
use super::methods;

/// Which side's messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Request,
    Response,
}

/// What a parser is set to.
#[derive(Debug, Clone, Copy)]
pub struct Config {
    pub kind: Kind,
    /// At this many bytes of url or reason, names and values a head is refused.
    pub max_header_size: usize,
    /// With more header lines a head is refused.
    pub max_headers: u32,
    /// Bits of [`lenient`].
    pub lenient: u16,
}

/// What is tolerated, with Node's numbers (`HTTPParser.kLenientHeaders` ...).
pub mod lenient {
    pub const HEADERS: u16 = 1;
    pub const CHUNKED_LENGTH: u16 = 2;
    pub const KEEP_ALIVE: u16 = 4;
    pub const TRANSFER_ENCODING: u16 = 8;
    pub const VERSION: u16 = 16;
    pub const DATA_AFTER_CLOSE: u16 = 32;
    pub const OPTIONAL_LF_AFTER_CR: u16 = 64;
    pub const OPTIONAL_CRLF_AFTER_CHUNK: u16 = 128;
    pub const OPTIONAL_CR_BEFORE_LF: u16 = 256;
    pub const SPACES_AFTER_CHUNK_SIZE: u16 = 512;
    pub const HEADER_VALUE_RELAXED: u16 = 1024;
}

/// What happened, up to the offset told with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// All input is consumed.
    NeedMore,
    /// [`Parser::head`] is complete; so is the message, if `complete`.
    Head { complete: bool },
    /// Body bytes, as a range of the input; the message is complete if they are the last.
    Body {
        start: usize,
        end: usize,
        last: bool,
    },
    /// The message is complete, with [`Parser::trailers`].
    Complete,
    /// The message is complete and what follows is not HTTP.
    Upgraded,
    /// No input is taken any more.
    Failed(Error),
}

/// What follows a head that [`AWAITS`](flags::AWAITS) it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd)]
pub enum Decision {
    /// What the head says, but for the other protocol it asks for: HTTP goes on behind it.
    Stay,
    /// What the head says.
    Body,
    /// No body: the answer to a `HEAD`, an interim response.
    NoBody,
    /// No body, and then another protocol.
    Upgrade,
}

/// Where in a message the parser stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Phase {
    Between,
    Head,
    Body,
    Upgraded,
    Failed,
    Closed,
}

/// See the module.
#[derive(Debug)]
pub struct Parser {
    pub(super) config: Config,
    pub(super) state: State,
    pub(super) head: Head,
    pub(super) decision: Decision,
    /// What is left of a body or chunk, or the size of a chunk that is being read.
    pub(super) remaining: u64,
    /// Counted bytes of the head or trailers so far.
    pub(super) counted: usize,
    /// Bytes of the current chunk's extensions.
    pub(super) extensions: usize,
    /// Position in a constant, or in the method.
    pub(super) index: u8,
    /// Methods that the bytes so far can become.
    pub(super) candidates: methods::Set,
    pub(super) field: Field,
    pub(super) token: Token,
    /// A token of `Connection` was, or began with, a word, and no comma directly behind it.
    pub(super) worded: bool,
    pub(super) trailing: bool,
    /// Bytes of the head, or of the trailers, as [`Head`] describes them; the index of a head that is
    /// `raw`. Reused by each message.
    pub(super) buffer: Vec<u8>,
    pub(super) name_start: usize,
    pub(super) value_start: usize,
    /// The head, as a range of the input, where it did not have to be put together.
    raw: Option<(usize, usize)>,
}

impl Parser {
    pub fn new(config: Config) -> Self {
        Self {
            config,
            state: State::Start,
            head: Head::default(),
            decision: Decision::Body,
            remaining: 0,
            counted: 0,
            extensions: 0,
            index: 0,
            candidates: 0,
            field: Field::General,
            token: Token::Skip,
            worded: false,
            trailing: false,
            buffer: Vec::new(),
            name_start: 0,
            value_start: 0,
            raw: None,
        }
    }

    /// Starts over, as [`Self::new`], and keeps the buffer unless a message made it large.
    pub fn reset(&mut self, config: Config) {
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.clear();
        if buffer.capacity() > KEEP_CAPACITY {
            buffer = Vec::new();
        }
        *self = Self {
            buffer,
            ..Self::new(config)
        };
    }

    /// Parses until there is something to tell; tells it and how far it came. On
    /// [`Event::Failed`] that is the position Node reports, which a retried byte does not move.
    pub fn execute(&mut self, input: &[u8]) -> (usize, Event) {
        let mut at = 0;
        if self.state == State::Start {
            let mut index = std::mem::take(&mut self.buffer);
            let found = fast::head(&self.config, input, &mut index);
            if let Some((end, head)) = found {
                self.begin();
                (self.head, self.buffer) = (head, index);
                self.raw = Some((0, end));
                return (end, self.head_complete());
            }
            self.buffer = index;
        }
        loop {
            let step = match self.state {
                state if state.is_head() => self.step_head(input, at),
                _ => self.step_body(input, at),
            };
            match step {
                Ok(next) => at = next,
                Err(stop) => return stop,
            }
        }
    }

    /// No input will follow.
    pub fn finish(&mut self) -> Event {
        if self.state == State::AfterHead {
            let (_, event) = self.execute(&[]);
            if event != Event::NeedMore {
                return event;
            }
        }
        match self.state {
            State::BodyUntilEnd => {
                self.message_complete();
                Event::Complete
            }
            State::Start | State::Closed | State::Ignore | State::Upgraded { whole: true } => {
                Event::NeedMore
            }
            State::Failed(error) => Event::Failed(error),
            _ => self.fail(Error::EndOfInput),
        }
    }

    /// Decides what follows the head just told; without, it is what the head says.
    pub fn decide(&mut self, decision: Decision) {
        if self.state == State::AfterHead && self.head.has(flags::AWAITS) {
            self.decision = decision;
            if decision == Decision::Stay {
                self.head.flags &= !flags::UPGRADE;
            }
        }
    }

    pub fn kind(&self) -> Kind {
        self.config.kind
    }

    pub fn head(&self) -> &Head {
        &self.head
    }

    /// The bytes of the head just told; `input` as it was given.
    pub fn head_bytes<'a>(&'a self, input: &'a [u8]) -> &'a [u8] {
        match self.raw {
            Some((start, end)) => &input[start..end],
            None => &self.buffer,
        }
    }

    /// The head just told with the index of its fields in front, if it has one: of that the length
    /// comes, too. [`flags::INDEXED`] says the same.
    pub fn head_text<'a>(&'a mut self, input: &'a [u8]) -> (&'a [u8], usize) {
        let Some((start, end)) = self.raw.filter(|_| self.head.has(flags::INDEXED)) else {
            return (self.head_bytes(input), 0);
        };
        let index = self.head.count as usize * INDEX_ENTRY;
        self.buffer.truncate(index);
        self.buffer.extend_from_slice(&input[start..end]);
        (&self.buffer, index)
    }

    /// The trailers of the message just completed, as header lines, and their number.
    pub fn trailers(&self) -> (&[u8], u32) {
        match self.trailing {
            true => (&self.buffer, self.head.count),
            false => (&[], 0),
        }
    }

    /// How the body of the message ends, by its head alone.
    pub fn framing(&self) -> Framing {
        let request = self.is_request();
        let head = &self.head;
        if head.has(flags::UPGRADE) && (!head.has_body() || head.method == methods::CONNECT)
            || !request && head.status == 101
        {
            return Framing::Upgrade;
        }
        if !request && super::head::bodiless(head.status) {
            return Framing::None;
        }
        match head {
            _ if head.has(flags::CHUNKED) => Framing::Chunked,
            _ if head.has(flags::TRANSFER_ENCODING) => Framing::UntilEnd,
            _ if head.has(flags::CONTENT_LENGTH) && head.content_length > 0 => Framing::Length,
            _ if head.has(flags::CONTENT_LENGTH) => Framing::None,
            _ if head.needs_end(request, false) => Framing::UntilEnd,
            _ => Framing::None,
        }
    }

    pub fn phase(&self) -> Phase {
        match self.state {
            State::Start => Phase::Between,
            State::Closed | State::Ignore => Phase::Closed,
            State::Upgraded { .. } => Phase::Upgraded,
            State::Failed(_) => Phase::Failed,
            state if state.is_head() && !self.trailing => Phase::Head,
            _ => Phase::Body,
        }
    }

    pub(super) fn is_request(&self) -> bool {
        self.config.kind == Kind::Request
    }

    pub(super) fn is_lenient(&self, flag: u16) -> bool {
        self.config.lenient & flag != 0
    }

    pub(super) fn fail(&mut self, error: Error) -> Event {
        self.state = State::Failed(error);
        Event::Failed(error)
    }

    /// A message begins: forgets the last one's.
    pub(super) fn begin(&mut self) {
        self.head = Head::default();
        self.decision = Decision::Body;
        self.counted = 0;
        self.trailing = false;
        self.buffer.clear();
        self.raw = None;
    }

    /// The head's last byte is consumed.
    pub(super) fn head_complete(&mut self) -> Event {
        let request = self.is_request();
        if self.head.upgrades(request) {
            self.head.flags |= flags::UPGRADE;
        }
        if self.head.keeps_alive(request, false) {
            self.head.flags |= flags::KEEP_ALIVE;
        }
        self.decision = Decision::Body;
        self.trailing = false;
        self.state = State::AfterHead;
        if !request || self.head.has(flags::UPGRADE) {
            self.head.flags |= flags::AWAITS;
            return Event::Head { complete: false };
        }
        let complete = self.framing() == Framing::None;
        if complete {
            self.message_complete();
        }
        Event::Head { complete }
    }

    /// The message's last byte is consumed: the next may follow, or nothing more.
    pub(super) fn message_complete(&mut self) {
        let skip = self.decision >= Decision::NoBody;
        let keeps = self.head.keeps_alive(self.is_request(), skip);
        self.state = match keeps || self.is_lenient(lenient::KEEP_ALIVE) {
            true => State::Start,
            false if self.is_lenient(lenient::DATA_AFTER_CLOSE) => State::Ignore,
            false => State::Closed,
        };
    }
}

/// Bytes of an index for each field.
const INDEX_ENTRY: usize = 4;

/// A pooled parser keeps a buffer of this size: more than ordinary heads have, far less than the
/// largest.
const KEEP_CAPACITY: usize = 4096;
