//! What the tasks tell JavaScript: events, in the order in which they happened.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io;

use super::lone::Lone;
use super::peers::Slot;
use super::send_queue::Sequence;
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
    /// Bytes accepted earlier are sent, or datagrams have to wait for room. JavaScript is not told;
    /// the handle may be, or have been, what keeps the process alive.
    Settled { id: HandleId },
    /// A closed connection is done with what it had accepted. JavaScript is not told.
    Lingered { id: HandleId },
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
    /// Datagrams came; [`Outbox::pop`] gives them out one by one.
    Datagrams {
        id: HandleId,
        batch: VecDeque<Arrival>,
    },
    /// A datagram lies in the slab. Becomes `'message'`. `last` of its batch.
    Datagram {
        id: HandleId,
        arrival: Arrival,
        last: bool,
    },
    /// The peer of a datagram socket refused, or the like. Becomes an `'error'` with
    /// `syscall: 'recvmsg'`.
    ReceiveFailed { id: HandleId, errno: Errno },
    /// What became of a datagram for which the kernel had no room at first. Becomes the callback
    /// of `send()`.
    Sent {
        id: HandleId,
        sequence: Sequence,
        result: Result<(), Errno>,
    },
}

/// Where a datagram lies in the slab, and who sent it.
#[derive(Debug, Clone, Copy)]
pub struct Arrival {
    pub offset: usize,
    pub length: usize,
    pub port: u16,
    pub peer: Slot,
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
            | Self::Lingered { id }
            | Self::WriteFailed { id, .. }
            | Self::Connected { id, .. }
            | Self::ShutDown { id, .. }
            | Self::Accepted { id, .. }
            | Self::AcceptFailed { id, .. }
            | Self::Datagrams { id, .. }
            | Self::Datagram { id, .. }
            | Self::ReceiveFailed { id, .. }
            | Self::Sent { id, .. } => id,
        }
    }
}

/// Events on their way to JavaScript. Bounded by design: a connection has at most one undelivered
/// read and one of each other kind, a listener one batch of accepted connections, a datagram socket
/// one batch of datagrams and what it was told to send.
#[derive(Default)]
pub struct Outbox {
    events: RefCell<VecDeque<Event>>,
    lone: Lone,
}

impl Outbox {
    /// Appends an event.
    pub fn push(&self, event: Event) {
        if let Event::Read { id, .. } | Event::Datagrams { id, .. } = event {
            self.lone.saw(id);
        }
        self.events.borrow_mut().push_back(event);
    }

    /// Who is read alone.
    pub fn lone(&self) -> &Lone {
        &self.lone
    }

    /// Takes the oldest event.
    pub fn pop(&self) -> Option<Event> {
        let mut events = self.events.borrow_mut();
        if let Some(Event::Datagrams { id, batch }) = events.front_mut() {
            let (id, arrival, last) = (*id, batch.pop_front(), batch.is_empty());
            if last {
                events.pop_front();
            }
            return arrival.map(|arrival| Event::Datagram { id, arrival, last });
        }
        events.pop_front()
    }

    /// Drops what was still to be told of a datagram socket that is closed.
    pub fn forget(&self, id: HandleId) {
        self.events
            .borrow_mut()
            .retain(|event| event.id() != id || matches!(event, Event::Lingered { .. }));
    }

    /// Whether nothing waits to be delivered.
    pub fn is_empty(&self) -> bool {
        self.events.borrow().is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(id: HandleId, ports: std::ops::Range<u16>) -> Event {
        let peer = Slot {
            number: 0,
            fresh: false,
        };
        let batch = ports
            .map(|port| Arrival {
                offset: 0,
                length: 1,
                port,
                peer,
            })
            .collect();
        Event::Datagrams { id, batch }
    }

    #[test]
    fn a_batch_is_given_out_one_by_one() {
        let outbox = Outbox::default();
        outbox.push(batch(1, 0..3));
        outbox.push(Event::End { id: 2 });
        let seen: Vec<_> = std::iter::from_fn(|| outbox.pop())
            .map(|event| match event {
                Event::Datagram { arrival, last, .. } => (arrival.port, last),
                _ => (99, false),
            })
            .collect();
        assert_eq!(seen, [(0, false), (1, false), (2, true), (99, false)]);
        assert!(outbox.is_empty());
    }

    #[test]
    fn a_closed_socket_is_forgotten_and_no_other() {
        let outbox = Outbox::default();
        outbox.push(batch(1, 0..3));
        outbox.push(batch(2, 7..8));
        outbox.pop();
        outbox.forget(1);
        assert!(matches!(outbox.pop(), Some(Event::Datagram { id: 2, .. })));
        assert!(outbox.is_empty());
    }
}
