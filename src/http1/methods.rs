//! The methods Node's parser knows, by its numbers, and the protocols each may be used with.

/// In the order of Node's numbers: the index is what `HEAD` events and JavaScript call the method.
pub const METHODS: [&str; 47] = [
    "DELETE",
    "GET",
    "HEAD",
    "POST",
    "PUT",
    "CONNECT",
    "OPTIONS",
    "TRACE",
    "COPY",
    "LOCK",
    "MKCOL",
    "MOVE",
    "PROPFIND",
    "PROPPATCH",
    "SEARCH",
    "UNLOCK",
    "BIND",
    "REBIND",
    "UNBIND",
    "ACL",
    "REPORT",
    "MKACTIVITY",
    "CHECKOUT",
    "MERGE",
    "M-SEARCH",
    "NOTIFY",
    "SUBSCRIBE",
    "UNSUBSCRIBE",
    "PATCH",
    "PURGE",
    "MKCALENDAR",
    "LINK",
    "UNLINK",
    "SOURCE",
    "PRI",
    "DESCRIBE",
    "ANNOUNCE",
    "SETUP",
    "PLAY",
    "PAUSE",
    "TEARDOWN",
    "GET_PARAMETER",
    "SET_PARAMETER",
    "REDIRECT",
    "RECORD",
    "FLUSH",
    "QUERY",
];

pub const GET: u8 = 1;
pub const POST: u8 = 3;
pub const CONNECT: u8 = 5;
pub const OPTIONS: u8 = 6;
pub const SOURCE: u8 = 33;
/// Only as the start of HTTP/2's connection preface.
pub const PRI: u8 = 34;
const DESCRIBE: u8 = 35;
const FLUSH: u8 = 45;

/// A set of methods, one bit each.
pub type Set = u64;

pub const ALL: Set = (1 << METHODS.len()) - 1;

/// Of `set`, those with `byte` at `index`.
pub fn narrow(set: Set, index: usize, byte: u8) -> Set {
    let mut rest = set;
    let mut narrowed = 0;
    while rest != 0 {
        let method = rest.trailing_zeros() as usize;
        rest &= rest - 1;
        if METHODS[method].as_bytes().get(index) == Some(&byte) {
            narrowed |= 1 << method;
        }
    }
    narrowed
}

/// Of `set`, the one that is `length` bytes long.
pub fn complete(set: Set, length: usize) -> Option<u8> {
    (0..METHODS.len() as u8)
        .find(|&method| set & (1 << method) != 0 && METHODS[method as usize].len() == length)
}

/// Whether a request with it may be of RTSP; those it shares with HTTP are four.
pub fn is_rtsp(method: u8) -> bool {
    matches!(method, GET | POST | OPTIONS | DESCRIBE..=FLUSH)
}

/// Whether a request with it may be of HTTP.
pub fn is_http(method: u8) -> bool {
    !matches!(method, DESCRIBE..=FLUSH)
}
