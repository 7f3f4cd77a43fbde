//! The commands of the hot path as plain functions: no class to unwrap, no reference to make, the
//! environment in the function's data. What is not called for each message is in `commands`.

use std::ffi::c_void;
use std::io::IoSlice;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::ptr::{null_mut, NonNull};

use napi::sys;
use smallvec::{smallvec, SmallVec};

use super::datagram;
use super::environment::{code, place_of_number, Environment};
use super::http_connection;
use crate::transport::{Close, Errno, HandleId, Written};

/// The functions, by the names under which JavaScript finds them.
const FUNCTIONS: [(&str, Body); COMMANDS] = [
    ("close", Body::Number(close)),
    ("nextEvent", Body::Value(next_event)),
    ("forward", Body::Number(forward)),
    ("renewFit", Body::Number(renew_fit)),
    ("readStart", Body::Number(read_start)),
    ("readStop", Body::Number(read_stop)),
    ("setRef", Body::Number(set_ref)),
    ("shutdown", Body::Number(shutdown)),
    ("write", Body::Number(write)),
    ("writeSmall", Body::Number(write_small)),
    ("writeString", Body::Number(write_string)),
    ("writev", Body::Number(writev)),
    ("writeMessage", Body::Number(write_message)),
    ("httpStart", Body::Number(http_connection::http_start)),
    ("httpStop", Body::Number(http_connection::http_stop)),
    ("httpDecide", Body::Number(http_connection::http_decide)),
    ("httpNext", Body::Value(http_connection::http_next)),
    ("httpFinish", Body::Value(http_connection::http_finish)),
    ("sendDatagram", Body::Number(datagram::send)),
    ("sendResult", Body::Number(datagram::send_result)),
];

/// Puts the functions on `target`.
///
/// # Safety
/// `env` is alive and this is its thread, `target` is an object of it. `environment` outlives every
/// call into JavaScript of that environment.
pub unsafe fn define(env: sys::napi_env, target: sys::napi_value, environment: &Environment) {
    let functions = environment.functions.get_or_init(|| {
        FUNCTIONS.map(|(_, body)| Function {
            environment: environment.into(),
            body,
        })
    });
    for ((name, _), function) in FUNCTIONS.iter().zip(functions) {
        let data = std::ptr::from_ref(function).cast_mut().cast();
        let (text, length) = (name.as_ptr().cast(), name.len() as isize);
        let (mut key, mut value) = (null_mut(), null_mut());
        // SAFETY: by the caller's contract; the data lives as long as the environment.
        unsafe {
            let call: sys::napi_callback = Some(trampoline);
            sys::napi_create_function(env, text, length, call, data, &mut value);
            sys::napi_create_string_utf8(env, text, length, &mut key);
            sys::napi_set_property(env, target, key, value);
        }
    }
}

/// What a JavaScript function carries; the environment owns those of all.
pub struct Function {
    environment: NonNull<Environment>,
    body: Body,
}

/// One for each of the commands.
pub type Functions = [Function; COMMANDS];

/// What a function returns: a number, or a value it makes itself.
#[derive(Clone, Copy)]
enum Body {
    Number(fn(&Environment, &Arguments) -> i64),
    Value(fn(&Environment, &Arguments) -> sys::napi_value),
}

/// The arguments of a call: an id, then up to four more, or any number, which have to be asked for.
pub struct Arguments {
    env: sys::napi_env,
    info: sys::napi_callback_info,
    count: usize,
    values: [sys::napi_value; 5],
}

extern "C" fn trampoline(env: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    let mut values = [null_mut(); 5];
    let (mut count, mut data): (usize, *mut c_void) = (values.len(), null_mut());
    // SAFETY: napi calls this with live arguments; missing ones are filled with `undefined`.
    unsafe {
        sys::napi_get_cb_info(
            env,
            info,
            &mut count,
            values.as_mut_ptr(),
            null_mut(),
            &mut data,
        );
    }
    // SAFETY: `define` gave the data; the environment, which owns it, outlives JavaScript's calls.
    let (function, environment) = unsafe {
        let function = &*data.cast::<Function>();
        (function, function.environment.as_ref())
    };
    let arguments = Arguments {
        env,
        info,
        count,
        values,
    };
    let result = match function.body {
        Body::Number(body) => {
            catch_unwind(AssertUnwindSafe(|| body(environment, &arguments))).unwrap_or(PANICKED)
        }
        // These catch panics themselves.
        Body::Value(body) => return body(environment, &arguments),
    };
    let mut value = null_mut();
    // SAFETY: a number for the calling environment, in the scope of the call.
    unsafe { sys::napi_create_int64(env, result, &mut value) };
    value
}

impl Arguments {
    pub fn id(&self) -> HandleId {
        let mut id = HandleId::MAX;
        // SAFETY: a live value; what is no number leaves an id that names no handle.
        unsafe { sys::napi_get_value_uint32(self.env, self.values[0], &mut id) };
        id
    }

    /// The bytes of the second argument, a Buffer or other view.
    pub fn bytes(&self) -> Result<&[u8], Errno> {
        self.bytes_at(1)
    }

    /// The bytes of an argument, a Buffer or other view.
    pub fn bytes_at(&self, index: usize) -> Result<&[u8], Errno> {
        self.bytes_of(self.values[index])
    }

    fn bytes_of(&self, value: sys::napi_value) -> Result<&[u8], Errno> {
        let (mut start, mut length) = (null_mut(), 0);
        // SAFETY: a live value; what is no view is refused with a status.
        let status = unsafe { sys::napi_get_buffer_info(self.env, value, &mut start, &mut length) };
        if status != sys::Status::napi_ok {
            return Err(Errno(libc::EINVAL));
        }
        if length == 0 {
            return Ok(&[]);
        }
        // SAFETY: napi says so; JavaScript of this thread cannot touch or detach it before this call
        // returns. Another thread may write to shared memory: we only copy it, or let the kernel.
        Ok(unsafe { std::slice::from_raw_parts(start.cast(), length) })
    }

    /// The arguments from the second on, views and strings; the strings are copied to `text`.
    fn parts(&self, text: &mut Vec<u8>) -> Result<SmallVec<[Part; FEW]>, Errno> {
        let mut values: SmallVec<[sys::napi_value; FEW]> = smallvec![null_mut(); self.count];
        let (mut count, none, start) = (self.count, null_mut(), values.as_mut_ptr());
        // SAFETY: room for all arguments of the call that is being served.
        unsafe { sys::napi_get_cb_info(self.env, self.info, &mut count, start, none, null_mut()) };
        let mut used = 0;
        let parts = values.iter().skip(1).map(|&value| {
            if let Some(length) = self.append(value, text, used) {
                used += length;
                return Ok(Part::Text(used - length, length));
            }
            let bytes = self.bytes_of(value)?;
            Ok(Part::Bytes(bytes.as_ptr(), bytes.len()))
        });
        parts.collect()
    }

    /// Copies a string to `text`, behind so much of it; returns its length in bytes, `None` for what is no
    /// string.
    fn append(&self, value: sys::napi_value, text: &mut Vec<u8>, used: usize) -> Option<usize> {
        let length = self.string_of(value, true, &mut text[used..])?;
        if used + length + 1 < text.len() {
            return Some(length);
        }
        // It may go on: all of it, then.
        let mut all = 0;
        // SAFETY: a live value, and no place to copy to.
        unsafe {
            sys::napi_get_value_string_latin1(self.env, value, null_mut(), 0, &mut all);
        }
        text.resize(used + all + 2, 0);
        self.string_of(value, true, &mut text[used..])
    }

    pub fn flag(&self, index: usize) -> bool {
        let mut flag = false;
        // SAFETY: a live value; what is no boolean leaves `false`.
        unsafe { sys::napi_get_value_bool(self.env, self.values[index], &mut flag) };
        flag
    }

    /// A number, 0 for what is none.
    pub fn number(&self, index: usize) -> i64 {
        let mut number = 0;
        // SAFETY: a live value; what is no number leaves 0.
        unsafe { sys::napi_get_value_int64(self.env, self.values[index], &mut number) };
        number
    }

    /// Copies a string; returns its length in bytes, 0 for what is no string.
    pub fn string(&self, index: usize, latin1: bool, into: &mut [u8]) -> usize {
        self.string_at(index, latin1, into).unwrap_or(0)
    }

    /// Copies a string; returns its length in bytes, `None` for what is no string.
    fn string_at(&self, index: usize, latin1: bool, into: &mut [u8]) -> Option<usize> {
        self.string_of(self.values[index], latin1, into)
    }

    fn string_of(&self, value: sys::napi_value, latin1: bool, into: &mut [u8]) -> Option<usize> {
        let mut length = 0;
        let read = match latin1 {
            true => sys::napi_get_value_string_latin1,
            false => sys::napi_get_value_string_utf8,
        };
        let (start, size) = (into.as_mut_ptr().cast(), into.len());
        // SAFETY: a live value and a buffer whose size is given; what is no string is refused with a status.
        let status = unsafe { read(self.env, value, start, size, &mut length) };
        (status == sys::Status::napi_ok).then_some(length)
    }
}

/// `close(id, reset)`: a `Closed` event follows.
fn close(environment: &Environment, arguments: &Arguments) -> i64 {
    let how = match arguments.flag(1) {
        true => Close::Reset,
        false => Close::Plain,
    };
    environment.close(arguments.id(), how);
    0
}

/// `readStart(id)`.
fn read_start(environment: &Environment, arguments: &Arguments) -> i64 {
    let result = environment.with_connection(arguments.id(), |connection| {
        connection.read_start();
        Ok(())
    });
    code(result).into()
}

/// `readStop(id)`.
fn read_stop(environment: &Environment, arguments: &Arguments) -> i64 {
    let result = environment.with_connection(arguments.id(), |connection| {
        connection.read_stop();
        Ok(())
    });
    code(result).into()
}

/// `setRef(id, refed)`: whether an active handle keeps the process alive.
fn set_ref(environment: &Environment, arguments: &Arguments) -> i64 {
    let id = arguments.id();
    if let Some(handle) = environment.handles.borrow_mut().get_mut(id as usize) {
        handle.refed = arguments.flag(1);
    }
    environment.update(id);
    0
}

/// `nextEvent()`: tells the next event in the integers that both sides keep, after what was told before
/// is done; returns the text of an HTTP event.
fn next_event(environment: &Environment, _arguments: &Arguments) -> sys::napi_value {
    environment.next_event()
}

/// `shutdown(id)`: sends our FIN after what was written; a `ShutDown` event follows.
fn shutdown(environment: &Environment, arguments: &Arguments) -> i64 {
    let result = environment.with_connection(arguments.id(), |connection| {
        connection.shut_down();
        Ok(())
    });
    // As libuv says of what is none, or none any more.
    code(result.map_err(|_| Errno(libc::ENOTCONN))).into()
}

/// `write(id, bytes)`: returns how many were taken. Fewer than given: the caller keeps the rest,
/// and goes on after a `Writable` event.
fn write(environment: &Environment, arguments: &Arguments) -> i64 {
    let bytes = arguments.bytes();
    taken(bytes.and_then(|bytes| environment.write(arguments.id(), &[IoSlice::new(bytes)])))
}

/// `writeSmall(id, length)`: as `write`, of what lies where small writes cross.
fn write_small(environment: &Environment, arguments: &Arguments) -> i64 {
    let mut length = 0;
    // SAFETY: a live value; what is no number leaves zero.
    unsafe { sys::napi_get_value_uint32(arguments.env, arguments.values[1], &mut length) };
    let bytes = environment.outgoing(length as usize);
    taken(bytes.and_then(|bytes| environment.write(arguments.id(), &[IoSlice::new(bytes)])))
}

/// `writeString(id, text, latin1)`, of at most 16,384 characters: returns its length in bytes, or,
/// if not all of it was taken, -1 less the count of those that were. Errors are offset.
fn write_string(environment: &Environment, arguments: &Arguments) -> i64 {
    let mut bytes = environment.text.borrow_mut();
    bytes.resize(TEXT_ROOM, 0);
    let length = arguments.string(1, arguments.flag(2), &mut bytes);
    let written = whole(length)
        .and_then(|()| environment.write(arguments.id(), &[IoSlice::new(&bytes[..length])]));
    taken_of_text(written, length)
}

/// `writeMessage(id, head, latin1, body)`: as `writeString`, of a string and the bytes behind it, or text
/// of the same encoding and, with it, no longer than `writeString` takes. Both leave in one write: put
/// together in JavaScript, two strings are copied once more, into memory to be collected.
fn write_message(environment: &Environment, arguments: &Arguments) -> i64 {
    let mut text = environment.text.borrow_mut();
    text.resize(TEXT_ROOM, 0);
    let length = arguments.string(1, arguments.flag(2), &mut text);
    let (total, written) = match arguments.string_at(3, arguments.flag(2), &mut text[length..]) {
        Some(more) => {
            let all = &text[..length + more];
            let written = whole(all.len())
                .and_then(|()| environment.write(arguments.id(), &[IoSlice::new(all)]));
            (all.len(), written)
        }
        None => match arguments.bytes_at(3) {
            Ok(body) => {
                let chunks = [IoSlice::new(&text[..length]), IoSlice::new(body)];
                let written =
                    whole(length).and_then(|()| environment.write(arguments.id(), &chunks));
                (length + body.len(), written)
            }
            Err(errno) => (0, Err(errno)),
        },
    };
    taken_of_text(written, total)
}

/// `writev(id, ...chunks)`: as `write`, of at most 1,000 chunks, Buffers or strings in latin1.
fn writev(environment: &Environment, arguments: &Arguments) -> i64 {
    let mut text = environment.text.borrow_mut();
    text.resize(TEXT_ROOM, 0);
    let written = arguments.parts(&mut text).and_then(|parts| {
        let chunks = parts.iter().map(|part| match *part {
            // SAFETY: as in `bytes_of`.
            Part::Bytes(start, length) => unsafe { std::slice::from_raw_parts(start, length) },
            Part::Text(start, length) => &text[start..start + length],
        });
        let chunks: SmallVec<[IoSlice; FEW]> = chunks.map(IoSlice::new).collect();
        environment.write(arguments.id(), &chunks)
    });
    // Long strings came with memory of theirs.
    if text.len() > TEXT_ROOM {
        *text = Vec::new();
    }
    taken(written)
}

/// `forward(to, offset, length)`: writes the read being told, or the first bytes of it, to another
/// connection, and returns how many were taken. The write of the rest learns of an error.
fn forward(environment: &Environment, arguments: &Arguments) -> i64 {
    let place = place_of_number(arguments.number(1) as i32);
    let length = usize::try_from(arguments.number(2)).unwrap_or(0);
    environment.forward(arguments.id(), place, length) as i64
}

/// `renewFit(slot, buffer)`: the next Buffer of the slot that JavaScript is told of, or the same; see
/// [`crate::runtime::fits`]. Returns 1 if it is told of that slot.
fn renew_fit(environment: &Environment, arguments: &Arguments) -> i64 {
    i64::from(environment.renew_fit(arguments.id() as usize, arguments.values[1]))
}

/// That no text was cut: longer ones end at the end of the room, but for a character that did not fit.
fn whole(length: usize) -> Result<(), Errno> {
    match length <= STRING_MAX * 3 {
        true => Ok(()),
        false => Err(Errno(libc::EMSGSIZE)),
    }
}

/// How much of a write was taken, or a negated error number.
fn taken(written: Result<Written, Errno>) -> i64 {
    match written {
        Ok(Written { accepted, .. }) => accepted as i64,
        Err(Errno(errno)) => -i64::from(errno),
    }
}

/// As [`taken`], where JavaScript does not know the length: all of it, or -1 less a part.
fn taken_of_text(written: Result<Written, Errno>, length: usize) -> i64 {
    match written {
        Ok(Written { waits: false, .. }) => length as i64,
        Ok(Written { accepted, .. }) => -1 - accepted as i64,
        Err(Errno(errno)) => STRING_ERROR - i64::from(errno),
    }
}

/// One chunk of several: memory of a view, or a place in the text that was copied.
enum Part {
    Bytes(*const u8, usize),
    Text(usize, usize),
}

/// How many commands there are.
const COMMANDS: usize = 20;
/// What a command that panicked returns: an error to every caller, also where small negative results
/// are counts.
const PANICKED: i64 = STRING_ERROR - libc::EIO as i64;
/// Chunks that need no memory of their own.
const FEW: usize = 16;
/// Longer strings are made Buffers by JavaScript.
const STRING_MAX: usize = 16 * 1024;
/// Room for one in UTF-8, a character more, by which longer ones are known, and a NUL.
const TEXT_ROOM: usize = STRING_MAX * 3 + 4 + 1;
/// Error numbers of `writeString` are told apart from counts by this offset.
const STRING_ERROR: i64 = -(1 << 40);
