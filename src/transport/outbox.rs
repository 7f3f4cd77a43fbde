//! What the tasks tell JavaScript: events, in the order in which they happened.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io;

use super::Stream;
use crate::runtime::slab::Place;

/// Names a handle across the boundary; reused only after JavaScript saw it close.
pub type HandleId = u32;

/// A kernel error number, positive as in `errno.h`. Crosses the boundary negated, as libuv has it,
/// where JS builds `err.errno`, `err.code` and the message from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Errno(pub i32);

impl From<io::Error> for Errno {
    /// Errors that did not come from the kernel become `EINVAL`: std makes them of bad arguments.
    fn from(error: io::Error) -> Self {
        Self(error.raw_os_error().unwrap_or(libc::EINVAL))
    }
}

/// Something that happened to a handle. JavaScript sees one callback for each.
#[derive(Debug)]
pub enum Event {
    /// Bytes lie in the read memory. Becomes `'data'`.
    Read {
        id: HandleId,
        place: Place,
        length: usize,
    },
    /// The peer sent its FIN. Becomes `'end'`.
    End { id: HandleId },
    /// Reading failed. Becomes an `'error'` with `syscall: 'read'`.
    ReadFailed { id: HandleId, errno: Errno },
    /// The kernel takes bytes again; whoever got fewer accepted than given goes on.
    Writable { id: HandleId },
    /// Bytes accepted earlier are sent. JavaScript is not told; the handle may have been what kept
    /// the process alive.
    Settled { id: HandleId },
    /// Bytes accepted earlier could not be sent. Becomes an `'error'` with `syscall: 'write'`.
    WriteFailed { id: HandleId, errno: Errno },
    /// The attempt to connect ended. Becomes `'connect'`, or an `'error'` with `syscall: 'connect'`.
    Connected {
        id: HandleId,
        result: Result<(), Errno>,
    },
    /// Our FIN is out. Becomes `'finish'`.
    ShutDown {
        id: HandleId,
        result: Result<(), Errno>,
    },
    /// A listener accepted. Becomes `'connection'`.
    Accepted { id: HandleId, stream: Stream },
    /// A listener could not accept. Becomes an `'error'` with `syscall: 'accept'`, or a pause.
    AcceptFailed { id: HandleId, errno: Errno },
}

impl Event {
    /// The handle to which it happened.
    pub fn id(&self) -> HandleId {
        match *self {
            Self::Read { id, .. }
            | Self::End { id }
            | Self::ReadFailed { id, .. }
            | Self::Writable { id }
            | Self::Settled { id }
            | Self::WriteFailed { id, .. }
            | Self::Connected { id, .. }
            | Self::ShutDown { id, .. }
            | Self::Accepted { id, .. }
            | Self::AcceptFailed { id, .. } => id,
        }
    }
}

/// Events on their way to JavaScript. Bounded by design: a connection has at most one undelivered
/// read and one of each other kind, a listener one batch of accepted connections.
#[derive(Default)]
pub struct Outbox {
    events: RefCell<VecDeque<Event>>,
}

impl Outbox {
    /// Appends an event.
    pub fn push(&self, event: Event) {
        self.events.borrow_mut().push_back(event);
    }

    /// Takes the oldest event.
    pub fn pop(&self) -> Option<Event> {
        self.events.borrow_mut().pop_front()
    }

    /// Whether nothing waits to be delivered.
    pub fn is_empty(&self) -> bool {
        self.events.borrow().is_empty()
    }
}
