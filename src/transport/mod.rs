//! Sockets on tokio: a task for each connection and listener, speaking through an [`Outbox`].

mod address;
mod connection;
mod datagram;
mod datagram_options;
mod listener;
mod lone;
mod options;
mod outbox;
mod peers;
mod send_queue;
mod stream;

pub use address::{address_text, parse_socket_address, Endpoint};
pub use connection::{Activity, Close, Connection, ConnectionRef, ConnectionTask, Written};
pub use datagram::{Datagram, DatagramRef, DatagramTask, Family, Sharing};
pub use datagram_options::{Interface, Membership, Side};
pub use listener::{refuse, AcceptTask, Listener, ListenerRef};
pub use options::Binding;
pub use outbox::{Arrival, Errno, Event, HandleId, Outbox};
pub use stream::{change_mode, unlink, Pending, Stream};
