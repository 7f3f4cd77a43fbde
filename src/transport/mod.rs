//! Sockets on tokio: a task for each connection and listener, speaking through an [`Outbox`].

mod address;
mod connection;
mod listener;
mod options;
mod outbox;
mod stream;

pub use address::{parse_socket_address, Endpoint};
pub use connection::{Activity, Close, Connection, ConnectionRef, ConnectionTask, Written};
pub use listener::{refuse, AcceptTask, Listener, ListenerRef};
pub use options::Binding;
pub use outbox::{Errno, Event, HandleId, Outbox};
pub use stream::{unlink, Pending, Stream};
