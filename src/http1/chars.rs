//! Which bytes may stand where.

/// Of a header name, a chunk extension's name and value.
pub const TOKEN: u8 = 1;
/// Of a header's value.
pub const VALUE: u8 = 2;
/// Of a URL's path, query and fragment.
pub const URL: u8 = 4;
/// Of a URL's authority.
pub const AUTHORITY: u8 = 8;

/// The classes of each byte.
pub static CLASSES: [u8; 256] = classes();

#[inline]
pub fn is(byte: u8, class: u8) -> bool {
    CLASSES[byte as usize] & class != 0
}

/// How many bytes from the start are of the class.
#[inline]
pub fn run(bytes: &[u8], class: u8) -> usize {
    bytes
        .iter()
        .position(|&byte| !is(byte, class))
        .unwrap_or(bytes.len())
}

const fn classes() -> [u8; 256] {
    let mut table = [0; 256];
    let mut index = 0;
    while index < 256 {
        let byte = index as u8;
        if byte.is_ascii_alphanumeric() || contains(b"!#$%&'*+-.^_`|~", byte) {
            table[index] |= TOKEN;
        }
        if byte == b'\t' || (byte >= b' ' && byte != 0x7f) {
            table[index] |= VALUE;
        }
        if byte > b' ' && byte < 0x7f {
            table[index] |= URL;
        }
        if byte.is_ascii_alphanumeric() || contains(b"!$%&'()*+,-.:;=@[]_~", byte) {
            table[index] |= AUTHORITY;
        }
        index += 1;
    }
    table
}

const fn contains(set: &[u8], byte: u8) -> bool {
    let mut index = 0;
    while index < set.len() {
        if set[index] == byte {
            return true;
        }
        index += 1;
    }
    false
}
