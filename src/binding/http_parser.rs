//! The HTTP/1.1 parser as JavaScript drives it: each call delivers at most one event, as a string
//! and integers in registers that lib/ reads at once.

use std::cell::RefCell;
use std::ffi::c_void;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::ptr::null_mut;
use std::rc::Rc;

use napi::bindgen_prelude::{Int32Array, JsValue, This, Unknown};
use napi::{sys, Env};
use napi_derive::napi;

use super::commands::Runtime;
use crate::http1::{names, Config, Decision, Event, Kind, Parser, METHODS};
use crate::transport::HandleId;

/// What `registers[0]` tells, in the order of the interface that lib/ reads.
pub mod kind {
    pub const NEED_MORE: i32 = 0;
    pub const HEAD: i32 = 1;
    pub const BODY: i32 = 2;
    pub const COMPLETE: i32 = 3;
    pub const ERROR: i32 = 4;
    pub const UPGRADED: i32 = 5;
}

/// Node's `http.maxHeaderSize` where no other was asked for.
const MAX_HEADER_SIZE: u32 = 16 * 1024;
/// As many registers as an event has.
pub const REGISTERS: usize = 16;

/// The names of the methods; `registers[8]` of a request's head is an index into them.
#[napi]
pub fn http_methods() -> Vec<&'static str> {
    METHODS.to_vec()
}

/// Names of header fields by number, the empty one for 0; of a pair, 1 and 2 and so on, the second is
/// in lower case. A head with an index (`INDEXED`) tells them by number.
#[napi]
pub fn http_field_names() -> Vec<&'static str> {
    names().iter().map(String::as_str).collect()
}

/// A pull parser: nothing calls back, so JavaScript may stop, decide or destroy between events.
#[napi]
pub struct HttpParser {
    inner: Rc<RefCell<Inner>>,
}

struct Inner {
    parser: Parser,
    registers: Int32Array,
}

#[napi]
impl HttpParser {
    /// `registers`: 16 integers, which all parsers of an environment may share.
    #[napi(constructor, catch_unwind)]
    pub fn new(env: Env, this: This, registers: Int32Array) -> napi::Result<Self> {
        if registers.len() < REGISTERS {
            return Err(napi::Error::from_reason("HttpParser needs 16 registers"));
        }
        let parser = Parser::new(config(1, 0, 0, 0));
        let inner = Rc::new(RefCell::new(Inner { parser, registers }));
        // SAFETY: live values of the calling environment.
        unsafe { define(env.raw(), this.object.raw(), &inner) };
        Ok(Self { inner })
    }

    /// Starts over. `kind`: 1 requests, 2 responses. `lenient`: Node's `kLenient...` bits.
    /// `max_header_size` and `max_headers`: 0 for Node's default, and for no limit.
    #[napi(catch_unwind)]
    pub fn initialize(&mut self, kind: u32, max_header_size: u32, lenient: u32, max_headers: u32) {
        let config = config(kind, max_header_size, lenient, max_headers);
        self.inner.borrow_mut().parser.reset(config);
    }

    /// Parses `bytes` from `start` to `end` until there is something to tell. Returns a head's
    /// or the trailers' text, or an error's code, a colon and its reason. Only its type: each
    /// object has a function of its own, which a call does not have to unwrap.
    #[napi]
    pub fn execute(&self, _bytes: &[u8], _start: u32, _end: u32) -> Option<String> {
        None
    }

    /// No input will follow. Tells as `execute` does.
    #[napi(catch_unwind, ts_return_type = "string | null")]
    pub fn finish(&self, env: Env) -> Unknown<'_> {
        let mut inner = self.inner.borrow_mut();
        let event = inner.parser.finish();
        let text = inner.tell(&[], 0, 0, event);
        // SAFETY: the string or null is of the calling environment.
        unsafe { Unknown::from_raw_unchecked(env.raw(), value_of(env.raw(), text)) }
    }

    /// Goes on where the parser of a connection, which loses it, stands.
    #[napi(catch_unwind)]
    pub fn adopt(&self, runtime: &Runtime, id: HandleId) {
        // One that is closed has none: what was here before is another's.
        let parser = runtime.environment.take_http_parser(id);
        self.inner.borrow_mut().parser = match parser {
            Some(parser) => *parser,
            None => Parser::new(config(1, 0, 0, 0)),
        };
    }

    /// What follows a head whose flags have `AWAITS`: 0 what it says, 1 no body, 2 no body and
    /// another protocol, 3 what it says, but HTTP behind it.
    #[napi(catch_unwind)]
    pub fn decide(&self, decision: u32) {
        self.inner.borrow_mut().parser.decide(decision_of(decision));
    }
}

/// 0 what the head says, 1 no body, 2 no body and another protocol, 3 HTTP whatever it says.
pub fn decision_of(number: u32) -> Decision {
    match number {
        0 => Decision::Body,
        1 => Decision::NoBody,
        3 => Decision::Stay,
        _ => Decision::Upgrade,
    }
}

impl Inner {
    /// Parses, and tells.
    fn execute<'a>(&'a mut self, bytes: &'a [u8], start: u32, end: u32) -> Option<&'a [u8]> {
        let end = bytes.len().min(end as usize);
        let start = end.min(start as usize);
        let input = &bytes[start..end];
        let (consumed, event) = self.parser.execute(input);
        self.tell(input, start, consumed, event)
    }

    fn tell<'a>(
        &'a mut self,
        input: &'a [u8],
        start: usize,
        consumed: usize,
        event: Event,
    ) -> Option<&'a [u8]> {
        // SAFETY: lib/ keeps the registers to itself and this thread; nothing else runs during
        // the call, and the array cannot be detached for it is never handed out.
        let registers = unsafe { self.registers.as_mut() };
        let registers = registers.first_chunk_mut()?;
        tell(registers, &mut self.parser, input, start, consumed, event)
    }
}

/// Sets the registers to an event of `parser`, and returns its text. `input` began at `start`, and
/// so much of it is consumed.
pub fn tell<'a>(
    registers: &mut [i32; REGISTERS],
    parser: &'a mut Parser,
    input: &'a [u8],
    start: usize,
    consumed: usize,
    event: Event,
) -> Option<&'a [u8]> {
    // Offsets: a buffer of more than 2 GiB is not what a socket reads.
    registers[1] = (start + consumed) as i32;
    registers[2] = parser.phase() as i32;
    match event {
        Event::NeedMore => {
            registers[0] = kind::NEED_MORE;
            None
        }
        Event::Head { complete } => {
            let head = parser.head();
            registers[0] = kind::HEAD;
            registers[5] = i32::from(complete);
            registers[6] = head.count as i32;
            registers[8] = match parser.kind() {
                Kind::Request => i32::from(head.method),
                Kind::Response => i32::from(head.status),
            };
            registers[9] = i32::from(head.major) * 16 + i32::from(head.minor);
            registers[10] = i32::from(head.flags);
            registers[11] = parser.framing() as i32;
            registers[12] = head.hosts as i32;
            registers[13] = head.content_length as i32;
            registers[14] = (head.content_length >> 32) as i32;
            registers[15] = head.framed_by as i32;
            let ((from, to), lines) = (head.text, head.lines);
            let (text, index) = parser.head_text(input);
            for (register, at) in [(3, from), (4, to), (7, lines)] {
                registers[register] = (index + at as usize) as i32;
            }
            Some(text)
        }
        Event::Body {
            start: from,
            end,
            last,
        } => {
            registers[0] = kind::BODY;
            registers[3] = (start + from) as i32;
            registers[4] = (start + end) as i32;
            registers[5] = i32::from(last);
            None
        }
        Event::Complete | Event::Upgraded => {
            let (lines, count) = parser.trailers();
            registers[0] = match event {
                Event::Complete => kind::COMPLETE,
                _ => kind::UPGRADED,
            };
            registers[6] = count as i32;
            (count > 0).then_some(lines)
        }
        Event::Failed(error) => {
            registers[0] = kind::ERROR;
            Some(error.text().as_bytes())
        }
    }
}

/// Puts the hot function on a parser's object: a function of its own, whose data is the parser.
///
/// # Safety
/// `env` is alive and this is its thread, `target` is an object of it.
unsafe fn define(env: sys::napi_env, target: sys::napi_value, inner: &Rc<RefCell<Inner>>) {
    let data = Rc::into_raw(inner.clone()).cast_mut().cast::<c_void>();
    let (mut function, name) = (null_mut(), "execute");
    // SAFETY: by the caller's contract. The function owns a reference to the parser until its
    // finalizer, which runs when the function cannot be called any more.
    unsafe {
        sys::napi_create_function(
            env,
            name.as_ptr().cast(),
            name.len() as isize,
            Some(execute),
            data,
            &mut function,
        );
        let hint = null_mut();
        sys::napi_add_finalizer(env, function, data, Some(release), hint, null_mut());
        sys::napi_set_named_property(env, target, c"execute".as_ptr(), function);
    }
}

extern "C" fn release(_env: sys::napi_env, data: *mut c_void, _hint: *mut c_void) {
    // SAFETY: `define` made it of an `Rc`, and this runs once.
    drop(unsafe { Rc::from_raw(data.cast::<RefCell<Inner>>()) });
}

/// `execute(bytes, start, end)`.
extern "C" fn execute(env: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    let mut values = [null_mut(); 3];
    let (mut count, mut data) = (values.len(), null_mut());
    let (mut bytes, mut length, mut start, mut end) = (null_mut(), 0, 0, 0);
    // SAFETY: napi calls this with live arguments, missing ones as `undefined`. What is no view
    // leaves no bytes, what is no number zero.
    unsafe {
        let this = null_mut();
        sys::napi_get_cb_info(env, info, &mut count, values.as_mut_ptr(), this, &mut data);
        sys::napi_get_buffer_info(env, values[0], &mut bytes, &mut length);
        sys::napi_get_value_uint32(env, values[1], &mut start);
        sys::napi_get_value_uint32(env, values[2], &mut end);
    }
    let bytes: &[u8] = match bytes.is_null() || length == 0 {
        true => &[],
        // SAFETY: napi says so; JavaScript of this thread cannot touch or detach it before this call
        // returns. Shared memory that another thread writes to meanwhile is parsed as no one of its
        // states; each access is checked.
        false => unsafe { std::slice::from_raw_parts(bytes.cast(), length) },
    };
    // SAFETY: the function that is called holds a reference to it, see `define`.
    let inner = unsafe { &*data.cast::<RefCell<Inner>>() };
    catch_unwind(AssertUnwindSafe(|| {
        let mut inner = inner.borrow_mut();
        // SAFETY: the calling environment.
        unsafe { value_of(env, inner.execute(bytes, start, end)) }
    }))
    .unwrap_or_else(|_| {
        // SAFETY: the calling environment; `undefined` is returned, and the error thrown.
        unsafe {
            let text = c"the HTTP parser panicked";
            sys::napi_throw_error(env, null_mut(), text.as_ptr());
        }
        null_mut()
    })
}

/// A latin1 string, or null.
///
/// # Safety
/// `env` is alive and this is its thread.
pub unsafe fn value_of(env: sys::napi_env, text: Option<&[u8]>) -> sys::napi_value {
    let mut value = null_mut();
    // SAFETY: by the caller's contract; the bytes are copied.
    unsafe {
        match text {
            Some(text) => {
                let (start, length) = (text.as_ptr().cast(), text.len() as isize);
                sys::napi_create_string_latin1(env, start, length, &mut value)
            }
            None => sys::napi_get_null(env, &mut value),
        };
    }
    value
}

pub fn config(kind: u32, max_header_size: u32, lenient: u32, max_headers: u32) -> Config {
    Config {
        kind: if kind == 2 {
            Kind::Response
        } else {
            Kind::Request
        },
        max_header_size: match max_header_size {
            0 => MAX_HEADER_SIZE as usize,
            size => size as usize,
        },
        max_headers,
        // Bits that have no meaning have no effect.
        lenient: lenient as u16,
    }
}
