//! ferronet: Node's networking modules on tokio, driven by Node's own event loop.
//!
//! # Layout, in the order in which a byte passes
//!
//! * [`transport`]: sockets. One task a connection or listener reads and writes it and tells what
//!   happened by [`transport::Event`]s. Knows tokio and the kernel, nothing of JavaScript.
//! * [`http1`]: HTTP/1.1 from bytes to events, exact to Node's parser; knows no sockets.
//! * [`runtime`]: the tokio runtime of one Node environment, and the driver that lets Node's libuv
//!   loop turn it; the memory into which connections read.
//! * [`binding`]: the boundary. Delivers events to JavaScript, takes commands from it.
//!
//! `cargo test` leaves out what needs a running Node (the binding and the driver), which also
//! proves that the transports stand without them.

// Without the binding much has no caller.
#![cfg_attr(test, allow(dead_code, unused_imports))]

#[cfg(not(test))]
mod binding;
mod http1;
mod runtime;
mod transport;
