//! HTTP/1.1 from bytes to events, exact to Node's parser: which input is refused, with which code
//! and text, at which byte. Knows neither sockets nor JavaScript.
//!
//! # Layout
//!
//! * [`parser`]: [`Parser`], fed with input, which tells one [`Event`] at a time.
//! * [`fast`]: whole, ordinary heads in one pass. Whatever it does not take, the machine reads
//!   again from the first byte.
//! * [`machine`]: the states, resumable at every byte.
//! * [`body`]: the states behind a head.
//! * [`head`]: what is known of a message once its head is complete, and what follows from it.
//! * [`field`]: the header fields that decide how a message ends, value by value.
//! * [`chars`], [`methods`], [`names`], [`errors`]: tables.

mod body;
mod chars;
mod errors;
mod fast;
mod field;
mod head;
mod machine;
mod methods;
mod names;
mod parser;
#[cfg(test)]
mod tests;

pub use head::{flags, Framing};
pub use methods::METHODS;
pub use names::names;
pub use parser::{Config, Decision, Event, Kind, Parser, Phase};
