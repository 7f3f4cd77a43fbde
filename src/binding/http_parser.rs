//! The HTTP/1.1 parser as JavaScript drives it: each call delivers at most one event, as a string
//! and integers in registers that lib/ reads at once.

use napi::bindgen_prelude::Int32Array;
use napi::{Env, JsString};
use napi_derive::napi;

use crate::http1::{Config, Decision, Event, Kind, Parser, METHODS};

/// What `registers[0]` tells, in the order of the interface that lib/ reads.
mod kind {
    pub const NEED_MORE: i32 = 0;
    pub const HEAD: i32 = 1;
    pub const BODY: i32 = 2;
    pub const COMPLETE: i32 = 3;
    pub const ERROR: i32 = 4;
    pub const UPGRADED: i32 = 5;
}

/// Node's `http.maxHeaderSize` where no other was asked for.
const MAX_HEADER_SIZE: u32 = 16 * 1024;
/// As many registers as the interface has.
const REGISTERS: usize = 16;

/// The names of the methods; `registers[8]` of a request's head is an index into them.
#[napi]
pub fn http_methods() -> Vec<&'static str> {
    METHODS.to_vec()
}

/// A pull parser: nothing calls back, so JavaScript may stop, decide or destroy between events.
#[napi]
pub struct HttpParser {
    parser: Parser,
    registers: Int32Array,
}

#[napi]
impl HttpParser {
    /// `registers`: 16 integers, which all parsers of an environment may share.
    #[napi(constructor, catch_unwind)]
    pub fn new(registers: Int32Array) -> napi::Result<Self> {
        if registers.len() < REGISTERS {
            return Err(napi::Error::from_reason("HttpParser needs 16 registers"));
        }
        Ok(Self {
            parser: Parser::new(config(1, 0, 0, 0)),
            registers,
        })
    }

    /// Starts over. `kind`: 1 requests, 2 responses. `lenient`: Node's `kLenient...` bits.
    /// `max_header_size` and `max_headers`: 0 for Node's default, and for no limit.
    #[napi(catch_unwind)]
    pub fn initialize(&mut self, kind: u32, max_header_size: u32, lenient: u32, max_headers: u32) {
        self.parser
            .reset(config(kind, max_header_size, lenient, max_headers));
    }

    /// Parses `bytes` from `start` to `end` until there is something to tell. Returns a head's
    /// or the trailers' text, or an error's code, a colon and its reason.
    #[napi(catch_unwind)]
    pub fn execute<'env>(
        &mut self,
        env: &'env Env,
        bytes: &[u8],
        start: u32,
        end: u32,
    ) -> napi::Result<Option<JsString<'env>>> {
        let end = bytes.len().min(end as usize);
        let start = end.min(start as usize);
        let input = &bytes[start..end];
        let (consumed, event) = self.parser.execute(input);
        self.tell(env, input, start, consumed, event)
    }

    /// No input will follow. Tells as `execute` does.
    #[napi(catch_unwind)]
    pub fn finish<'env>(&mut self, env: &'env Env) -> napi::Result<Option<JsString<'env>>> {
        let event = self.parser.finish();
        self.tell(env, &[], 0, 0, event)
    }

    /// What follows a head whose flags have `AWAITS`: 0 what it says, 1 no body, 2 no body and
    /// another protocol.
    #[napi(catch_unwind)]
    pub fn decide(&mut self, decision: u32) {
        self.parser.decide(match decision {
            0 => Decision::Body,
            1 => Decision::NoBody,
            _ => Decision::Upgrade,
        });
    }

    /// Sets the registers to the event, and makes its string.
    fn tell<'env>(
        &mut self,
        env: &'env Env,
        input: &[u8],
        start: usize,
        consumed: usize,
        event: Event,
    ) -> napi::Result<Option<JsString<'env>>> {
        let parser = &self.parser;
        // SAFETY: lib/ keeps the registers to itself and this thread; nothing else runs during
        // the call, and the array cannot be detached for it is never handed out.
        let registers = unsafe { self.registers.as_mut() };
        let Some(registers) = registers.get_mut(..REGISTERS) else {
            return Ok(None);
        };
        // Offsets: a buffer of more than 2 GiB is not what a socket reads.
        registers[1] = (start + consumed) as i32;
        registers[2] = parser.phase() as i32;
        match event {
            Event::NeedMore => {
                registers[0] = kind::NEED_MORE;
                Ok(None)
            }
            Event::Head { complete } => {
                let head = parser.head();
                registers[0] = kind::HEAD;
                registers[3] = head.text.0 as i32;
                registers[4] = head.text.1 as i32;
                registers[5] = i32::from(complete);
                registers[6] = head.count as i32;
                registers[7] = head.lines as i32;
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
                Ok(Some(env.create_string_latin1(parser.head_bytes(input))?))
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
                Ok(None)
            }
            Event::Complete | Event::Upgraded => {
                let (lines, count) = parser.trailers();
                registers[0] = match event {
                    Event::Complete => kind::COMPLETE,
                    _ => kind::UPGRADED,
                };
                registers[6] = count as i32;
                match count {
                    0 => Ok(None),
                    _ => Ok(Some(env.create_string_latin1(lines)?)),
                }
            }
            Event::Failed(error) => {
                registers[0] = kind::ERROR;
                Ok(Some(env.create_string_latin1(error.text().as_bytes())?))
            }
        }
    }
}

fn config(kind: u32, max_header_size: u32, lenient: u32, max_headers: u32) -> Config {
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
