//! Lets the addon find Node's symbols at load time; napi-build knows the flags of each platform.

fn main() {
    napi_build::setup();
}
