//! What is known of a message once its head is complete, and what follows from it.

use super::methods::CONNECT;

/// One message's head. Its text is `text`, then header lines of exactly `name: value\r\n`.
#[derive(Debug, Default, Clone)]
pub struct Head {
    /// Where the url or the reason phrase is in the head's bytes.
    pub text: (u32, u32),
    /// Where the header lines start.
    pub lines: u32,
    /// How many header lines.
    pub count: u32,
    /// Those of them named `Host`.
    pub hosts: u32,
    /// Number of the last line, from 1, that says where the message goes or ends: `Host` or one of
    /// [`Field`](super::field::Field). Who shows fewer lines than this hides it.
    pub framed_by: u32,
    /// Index into [`METHODS`](super::METHODS); requests only.
    pub method: u8,
    /// Responses only, else 0.
    pub status: u16,
    pub major: u8,
    pub minor: u8,
    /// Bits of [`flags`].
    pub flags: u16,
    /// Valid with [`flags::CONTENT_LENGTH`].
    pub content_length: u64,
}

/// Facts about a head, as JavaScript reads them.
pub mod flags {
    pub const KEEP_ALIVE: u16 = 1;
    pub const UPGRADE: u16 = 2;
    pub const CHUNKED: u16 = 4;
    pub const CONTENT_LENGTH: u16 = 8;
    pub const TRANSFER_ENCODING: u16 = 16;
    pub const CONNECTION: u16 = 32;
    pub const EXPECT: u16 = 64;
    pub const EXPECT_CONTINUE: u16 = 128;
    pub const CONNECTION_CLOSE: u16 = 256;
    pub const CONNECTION_KEEP_ALIVE: u16 = 512;
    pub const CONNECTION_UPGRADE: u16 = 1024;
    /// A decision on what follows the head is taken now.
    pub const AWAITS: u16 = 2048;
    /// An `Upgrade` field with a value; not told to JavaScript, which asks for `UPGRADE`.
    pub const UPGRADE_FIELD: u16 = 4096;
    /// The text has an index in front of it: see [`Parser::head_text`](super::Parser::head_text).
    pub const INDEXED: u16 = 8192;
    /// Of an index: every name has a number, and none comes twice, whatever its case.
    pub const DISTINCT: u16 = 16384;
}

/// How a message's body ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Framing {
    None,
    Length,
    Chunked,
    UntilEnd,
    /// Nothing follows but another protocol.
    Upgrade,
}

impl Head {
    pub fn has(&self, flag: u16) -> bool {
        self.flags & flag != 0
    }

    /// Whether its body would end with the connection.
    pub fn needs_end(&self, request: bool, skip: bool) -> bool {
        if request || skip || ends_itself(self.status) {
            return false;
        }
        if self.has(flags::TRANSFER_ENCODING) && !self.has(flags::CHUNKED) {
            return true;
        }
        !self.has(flags::CHUNKED) && !self.has(flags::CONTENT_LENGTH)
    }

    /// Whether another message may follow on the connection.
    pub fn keeps_alive(&self, request: bool, skip: bool) -> bool {
        let wanted = match self.major > 0 && self.minor > 0 {
            true => !self.has(flags::CONNECTION_CLOSE),
            false => self.has(flags::CONNECTION_KEEP_ALIVE),
        };
        wanted && !self.needs_end(request, skip)
    }

    /// Whether it asks to go on with another protocol.
    pub fn upgrades(&self, request: bool) -> bool {
        if request && self.method == CONNECT {
            return true;
        }
        let asked = self.has(flags::UPGRADE_FIELD) && self.has(flags::CONNECTION_UPGRADE);
        asked && (request || self.status == 101)
    }

    /// Whether it says that body bytes follow.
    pub fn has_body(&self) -> bool {
        self.has(flags::CHUNKED) || (self.has(flags::CONTENT_LENGTH) && self.content_length > 0)
    }
}

/// Whether a response of this status has no body, whatever it says.
pub fn bodiless(status: u16) -> bool {
    matches!(status, 100 | 102 | 103 | 204 | 304)
}

/// Whether a response of this status has no body that it does not announce.
fn ends_itself(status: u16) -> bool {
    matches!(status, 100..=199 | 204 | 304)
}
