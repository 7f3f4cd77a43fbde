//! The table of what JavaScript has open: ids on one side, sockets on the other.

use std::os::fd::{AsRawFd, RawFd};
use std::path::PathBuf;

use slab::Slab;
use socket2::Socket;

use crate::http1::{Config, Parser};
use crate::transport::{Activity, ConnectionRef, DatagramRef, Errno, HandleId, ListenerRef};

/// One handle: a socket in some state and what Node keeps beside it.
pub struct Handle {
    pub kind: Kind,
    /// `ref()` and `unref()`.
    pub refed: bool,
    /// Whether this handle is counted as keeping the loop alive.
    pub holding: bool,
    /// What is read goes through it; JavaScript gets messages instead of bytes.
    pub http: Option<Http>,
}

/// How what a connection reads is to be parsed.
pub struct Http {
    pub config: Config,
    /// None between two messages.
    pub parser: Option<Box<Parser>>,
}

/// The states of a handle.
pub enum Kind {
    /// Made, and nothing more.
    Fresh,
    /// Has an address, and neither connects nor listens. `path`: a Unix socket's file.
    Bound {
        socket: Socket,
        path: Option<PathBuf>,
    },
    Connection(ConnectionRef),
    Listener(ListenerRef),
    Datagram(DatagramRef),
    /// Closed, and JavaScript is yet to be told.
    Closed,
}

pub type Handles = Slab<Handle>;

impl Handle {
    pub fn new(kind: Kind) -> Self {
        Self {
            kind,
            refed: true,
            holding: false,
            http: None,
        }
    }

    /// Whether the process must not exit because of it: as libuv, an active handle that is ref'd,
    /// or a request under way, ref'd or not.
    pub fn keeps_alive(&self) -> bool {
        match &self.kind {
            Kind::Connection(connection) => {
                let Activity { reading, requests } = connection.borrow().activity();
                requests || (reading && self.refed)
            }
            Kind::Listener(_) => self.refed,
            Kind::Datagram(datagram) => {
                let (receiving, sending) = datagram.borrow().is_active();
                sending || (receiving && self.refed)
            }
            Kind::Fresh | Kind::Bound { .. } | Kind::Closed => false,
        }
    }

    /// Why it cannot bind, listen or connect any more.
    pub fn why_not_fresh(&self) -> Errno {
        match &self.kind {
            Kind::Connection(connection) if connection.borrow().is_connecting() => {
                Errno(libc::EALREADY)
            }
            Kind::Connection(_) => Errno(libc::EISCONN),
            _ => Errno(libc::EINVAL),
        }
    }

    /// Its descriptor, -1 for none: Node's `handle.fd`.
    pub fn fd(&self) -> RawFd {
        match &self.kind {
            Kind::Bound { socket, .. } => socket.as_raw_fd(),
            Kind::Connection(connection) => connection
                .borrow()
                .stream()
                .map_or(-1, |stream| stream.fd()),
            Kind::Listener(listener) => listener.borrow().fd().unwrap_or(-1),
            Kind::Datagram(datagram) => datagram.borrow().fd().unwrap_or(-1),
            Kind::Fresh | Kind::Closed => -1,
        }
    }
}

/// Adds a handle and names it.
pub fn insert(handles: &mut Handles, kind: Kind) -> HandleId {
    // An id is an index of a table that cannot have 2^32 entries: each has a descriptor.
    handles.insert(Handle::new(kind)) as HandleId
}
