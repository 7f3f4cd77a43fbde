//! Connections whose bytes JavaScript does not see: what they read goes through their HTTP parser
//! first, and each read crosses as its messages. Over any other stream the parser of
//! `http_parser` does the same, driven by JavaScript.

use std::cell::{Cell, RefCell};
use std::panic::{catch_unwind, AssertUnwindSafe};

use napi::sys;

use super::environment::{number_of_place, Environment};
use super::handles::{Handle, Http, Kind};
use super::hot::Arguments;
use super::http_parser::{config, decision_of, kind, tell, value_of, REGISTERS};
use crate::http1::{flags, Config, Event, Framing, Parser, Phase};
use crate::runtime::slab::Place;
use crate::transport::HandleId;

/// The read whose messages JavaScript is being told.
#[derive(Default)]
pub struct HttpReads {
    current: Cell<Option<Read>>,
    /// A parser that no connection needs now: most reads end between two messages.
    spare: RefCell<Option<Box<Parser>>>,
    /// How many events the read had so far.
    events: Cell<usize>,
}

impl HttpReads {
    /// Whether the read being told is this connection's.
    pub fn is_of(&self, id: HandleId) -> bool {
        self.current.get().is_some_and(|read| read.id == id)
    }
}

#[derive(Clone, Copy)]
struct Read {
    id: HandleId,
    start: *const u8,
    length: usize,
    /// So many bytes were parsed.
    at: usize,
}

impl Environment {
    /// Whether a connection's reads are messages.
    pub fn speaks_http(&self, id: HandleId) -> bool {
        let handles = self.handles.borrow();
        let handle = handles.get(id as usize);
        handle.is_some_and(|handle| handle.http.is_some())
    }

    /// Lets what a connection reads be parsed from now on.
    pub fn consume(&self, id: HandleId, config: Config) {
        self.stop_telling(id);
        if let Some(Handle {
            kind: Kind::Connection(connection),
            http,
            ..
        }) = self.handles.borrow_mut().get_mut(id as usize)
        {
            connection.borrow_mut().set_parsed(true);
            let parser = None;
            *http = Some(Http { config, parser });
        }
    }

    /// The parser of a connection, whose reads are bytes from now on.
    pub fn take_http_parser(&self, id: HandleId) -> Option<Box<Parser>> {
        self.stop_telling(id);
        let mut handles = self.handles.borrow_mut();
        let Http { config, parser } = handles.get_mut(id as usize)?.http.take()?;
        Some(parser.unwrap_or_else(|| Box::new(Parser::new(config))))
    }

    /// What is left of a read that is being told is nobody's.
    fn stop_telling(&self, id: HandleId) {
        if self.http.is_of(id) {
            self.http.current.set(None);
        }
    }

    /// A connection that stands between two messages needs no parser.
    fn spare_parser(&self, id: HandleId) {
        let mut handles = self.handles.borrow_mut();
        let handle = handles.get_mut(id as usize);
        let Some(http) = handle.and_then(|handle| handle.http.as_mut()) else {
            return;
        };
        if let Some(parser) = http
            .parser
            .take_if(|parser| parser.phase() == Phase::Between)
        {
            self.http.spare.replace(Some(parser));
        }
    }

    /// What many small messages or chunks cost is not what their bytes do: large reads are for bodies.
    fn limit_reads(&self, id: HandleId) {
        if self.http.events.get() > MANY_EVENTS {
            if let Ok(connection) = self.connection(id) {
                connection.borrow_mut().narrow_window();
            }
        }
    }

    /// Makes a read ready to be told: its first event by [`Self::tell_message`], then JavaScript asks
    /// for the others ([`http_next`]), or to be called anew with the next one: as in Node, ticks run
    /// behind each piece of a body. Says whether there is anybody to tell.
    pub fn begin_messages(&self, id: HandleId, place: Place, length: usize) -> bool {
        let (Some(start), Some(registers)) = (self.slab.at(place), self.registers()) else {
            return false;
        };
        registers[READ_BASE] = number_of_place(place);
        registers[READ_LENGTH] = length as i32;
        self.http.current.set(Some(Read {
            id,
            start,
            length,
            at: 0,
        }));
        self.http.events.set(0);
        true
    }

    /// The next event of the read, or the end of the message that has ended.
    pub fn tell_message(&self, id: HandleId, wanted: i32) -> sys::napi_value {
        let event = match wanted {
            COMPLETION => self.tell_completion(id),
            _ => self.next_http_event(id),
        };
        if let Some(registers) = self.registers() {
            registers[READ_WANTS] = 0;
        }
        event
    }

    /// What JavaScript wants to be called anew with, of the read that it was told of.
    pub fn wanted_of(&self, id: HandleId) -> Option<i32> {
        let wanted = self.registers()?[READ_WANTS];
        // Of a connection that was closed meanwhile nobody would take it.
        let may = self.http.current.get().is_some() && self.is_open(id) && self.speaks_http(id);
        (wanted != 0 && may).then_some(wanted)
    }

    /// The read was told to its end.
    pub fn end_messages(&self, id: HandleId, place: Place) {
        self.http.current.set(None);
        if self.is_open(id) {
            self.limit_reads(id);
            self.spare_parser(id);
        } else {
            drop(self.take_http_parser(id));
        }
        match place {
            Place::Scratch(_) => {}
            Place::Spare => self.slab.copied_spare(),
            Place::Fit(slot) => self.slab.fits.give_back(slot),
        }
    }

    /// Tells that the message whose body was told to its end is complete.
    fn tell_completion(&self, id: HandleId) -> sys::napi_value {
        let handles = self.handles.borrow();
        let http = handles.get(id as usize).and_then(|it| it.http.as_ref());
        let parser = http.and_then(|http| http.parser.as_ref());
        let read = self.http.current.get();
        if let (Some(registers), Some(parser), Some(read)) = (self.registers(), parser, read) {
            registers[0] = kind::COMPLETE;
            registers[1] = read.at as i32;
            registers[2] = parser.phase() as i32;
            registers[6] = 0;
            registers[READ_ENDS] = i32::from(read.at == read.length);
        }
        // SAFETY: on the environment's thread.
        unsafe { value_of(self.env(), None) }
    }

    /// Parses on in the current read, if it is of this connection. The registers tell the event, the
    /// value is its text.
    fn next_http_event(&self, id: HandleId) -> sys::napi_value {
        let parsed = catch_unwind(AssertUnwindSafe(|| self.parse_on(id)));
        parsed.unwrap_or_else(|_| {
            if let Some(registers) = self.registers() {
                registers[0] = kind::ERROR;
            }
            drop(self.take_http_parser(id));
            // SAFETY: on the environment's thread.
            unsafe { value_of(self.env(), Some(b"HPE_INTERNAL:the HTTP parser panicked")) }
        })
    }

    fn parse_on(&self, id: HandleId) -> sys::napi_value {
        let none = || {
            // SAFETY: on the environment's thread.
            unsafe { value_of(self.env(), None) }
        };
        let Some(registers) = self.registers() else {
            return none();
        };
        registers[0] = kind::NEED_MORE;
        registers[READ_ENDS] = 1;
        let Some(mut read) = self.http.current.get().filter(|read| read.id == id) else {
            return none();
        };
        let mut handles = self.handles.borrow_mut();
        let handle = handles.get_mut(id as usize);
        let Some(http) = handle.and_then(|handle| handle.http.as_mut()) else {
            return none();
        };
        let parser = http
            .parser
            .get_or_insert_with(|| match self.http.spare.take() {
                Some(mut parser) => {
                    parser.reset(http.config);
                    parser
                }
                None => Box::new(Parser::new(http.config)),
            });
        // SAFETY: bytes of a delivered read; the memory is read into again only after the delivery.
        let input = unsafe { std::slice::from_raw_parts(read.start, read.length) };
        let (start, input) = (read.at, &input[read.at..]);
        let (consumed, event) = parser.execute(input);
        self.http.events.set(self.http.events.get() + 1);
        read.at += consumed;
        self.http.current.set(Some(read));
        // What its head says of a body may be wrong, which takes no byte more to know.
        let waits = matches!(event, Event::Head { complete: false })
            && (parser.head().has(flags::AWAITS) || parser.framing() == Framing::UntilEnd);
        registers[READ_ENDS] = i32::from(read.at == read.length && !waits);
        let text = registers
            .first_chunk_mut()
            .and_then(|registers| tell(registers, parser, input, start, consumed, event));
        // SAFETY: on the environment's thread.
        unsafe { value_of(self.env(), text) }
    }

    /// The registers that lib/ reads; `None` before it gave any.
    #[allow(clippy::mut_from_ref)]
    fn registers(&self) -> Option<&mut [i32; ALL_REGISTERS]> {
        let (start, count) = self.registers.get();
        // SAFETY: a typed array that the environment keeps alive and lib/ keeps to itself; only one
        // function at a time writes to it, and JavaScript does not run meanwhile.
        (count >= ALL_REGISTERS).then(|| unsafe { &mut *start.cast::<[i32; ALL_REGISTERS]>() })
    }
}

/// `httpStart(id, kind, maxHeaderSize, lenient, maxHeaders)`: 1 requests, 2 responses.
pub fn http_start(environment: &Environment, arguments: &Arguments) -> i64 {
    let [kind, size, lenient, fields] = [1, 2, 3, 4].map(|index| arguments.number(index) as u32);
    environment.consume(arguments.id(), config(kind, size, lenient, fields));
    0
}

/// `httpStop(id)`: forgets the parser; reads are bytes again.
pub fn http_stop(environment: &Environment, arguments: &Arguments) -> i64 {
    drop(environment.take_http_parser(arguments.id()));
    if let Ok(connection) = environment.connection(arguments.id()) {
        connection.borrow_mut().set_parsed(false);
    }
    0
}

/// `httpDecide(id, decision)`: what follows a head whose flags have `AWAITS`.
pub fn http_decide(environment: &Environment, arguments: &Arguments) -> i64 {
    let decision = decision_of(arguments.number(1) as u32);
    let mut handles = environment.handles.borrow_mut();
    let handle = handles.get_mut(arguments.id() as usize);
    let http = handle.and_then(|handle| handle.http.as_mut());
    if let Some(parser) = http.and_then(|http| http.parser.as_mut()) {
        parser.decide(decision);
    }
    0
}

/// `httpNext(id)`: the next event of the read that is being told, as `HttpParser.execute` tells it.
pub fn http_next(environment: &Environment, arguments: &Arguments) -> sys::napi_value {
    environment.next_http_event(arguments.id())
}

/// `httpFinish(id)`: no input will follow; tells as `httpNext`.
pub fn http_finish(environment: &Environment, arguments: &Arguments) -> sys::napi_value {
    let finished = catch_unwind(AssertUnwindSafe(|| {
        let registers = environment.registers()?;
        registers[0] = kind::NEED_MORE;
        registers[2] = Phase::Between as i32;
        let mut handles = environment.handles.borrow_mut();
        let handle = handles.get_mut(arguments.id() as usize)?;
        let parser = handle.http.as_mut()?.parser.as_mut()?;
        let event = parser.finish();
        let text = tell(registers.first_chunk_mut()?, parser, &[], 0, 0, event);
        // SAFETY: on the environment's thread.
        Some(unsafe { value_of(environment.env(), text) })
    }));
    finished.ok().flatten().unwrap_or_else(|| {
        // SAFETY: on the environment's thread.
        unsafe { value_of(environment.env(), None) }
    })
}

/// Behind the registers of an event: where the read begins, its length, whether this was all of it.
const READ_BASE: usize = REGISTERS;
const READ_LENGTH: usize = REGISTERS + 1;
const READ_ENDS: usize = REGISTERS + 2;
/// What lib/ sets to be called anew with.
const READ_WANTS: usize = REGISTERS + 3;
const ALL_REGISTERS: usize = REGISTERS + 4;

/// More events than that, and the next read is a small one again. 256: of messages and chunks that are
/// shorter than 256 bytes, a read of 64 KiB has more.
const MANY_EVENTS: usize = 256;

pub const NEXT_EVENT: i32 = 1;
const COMPLETION: i32 = 2;
