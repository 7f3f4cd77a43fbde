//! The tokio runtime of one Node environment and what turns it.

pub mod busy_poll;
#[cfg(not(test))]
pub mod driver;
pub mod fits;
pub mod mmsg;
pub mod reactor;
pub mod slab;
pub mod sys;
#[cfg(not(test))]
mod uv;
pub mod watch;
