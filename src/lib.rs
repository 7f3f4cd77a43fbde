//! ferronet: Node's networking modules on tokio, driven by Node's own event loop.

use napi_derive::napi;

/// The version of the addon, compared with package.json's when it is loaded.
#[napi]
pub fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}
