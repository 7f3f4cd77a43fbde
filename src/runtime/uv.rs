//! The part of libuv's C API that the driver uses; the symbols come from the node binary.

use std::alloc::{alloc_zeroed, dealloc, handle_alloc_error, Layout};
use std::ffi::{c_int, c_uint, c_void};
use std::ptr::NonNull;

/// `uv_loop_t`.
pub enum Loop {}
/// Any `uv_*_t` handle.
pub enum Handle {}

pub type Callback = extern "C" fn(*mut Handle);
pub type PollCallback = extern "C" fn(*mut Handle, c_int, c_int);

/// `uv_handle_type`; the numbers are part of libuv's ABI since 1.0.
#[derive(Clone, Copy)]
#[repr(u32)]
pub enum Type {
    Check = 2,
    Idle = 6,
    Poll = 8,
    Prepare = 9,
}

pub const READABLE: c_int = 1;

extern "C" {
    pub fn uv_poll_init(uv_loop: *mut Loop, handle: *mut Handle, fd: c_int) -> c_int;
    pub fn uv_poll_start(handle: *mut Handle, events: c_int, callback: PollCallback) -> c_int;
    pub fn uv_prepare_init(uv_loop: *mut Loop, handle: *mut Handle) -> c_int;
    pub fn uv_prepare_start(handle: *mut Handle, callback: Callback) -> c_int;
    pub fn uv_check_init(uv_loop: *mut Loop, handle: *mut Handle) -> c_int;
    pub fn uv_check_start(handle: *mut Handle, callback: Callback) -> c_int;
    pub fn uv_check_stop(handle: *mut Handle) -> c_int;
    pub fn uv_idle_init(uv_loop: *mut Loop, handle: *mut Handle) -> c_int;
    pub fn uv_idle_start(handle: *mut Handle, callback: Callback) -> c_int;
    pub fn uv_idle_stop(handle: *mut Handle) -> c_int;
    pub fn uv_backend_timeout(uv_loop: *const Loop) -> c_int;
    pub fn uv_ref(handle: *mut Handle);
    pub fn uv_unref(handle: *mut Handle);
    pub fn uv_close(handle: *mut Handle, callback: Callback);
    pub fn uv_handle_get_data(handle: *const Handle) -> *mut c_void;
    pub fn uv_handle_set_data(handle: *mut Handle, data: *mut c_void);
    fn uv_handle_size(kind: c_uint) -> usize;
}

/// Allocates memory for a handle, of the size that this libuv has, for libuv to initialise.
pub fn allocate(kind: Type) -> NonNull<Handle> {
    let layout = layout(kind);
    // SAFETY: the layout has a size greater than zero: it includes `uv_handle_t`.
    let memory = unsafe { alloc_zeroed(layout) };
    NonNull::new(memory.cast()).unwrap_or_else(|| handle_alloc_error(layout))
}

/// Frees a handle of [`allocate`].
///
/// # Safety
/// It is closed (its close callback runs or ran), or was never initialised.
pub unsafe fn free(handle: *mut Handle, kind: Type) {
    // SAFETY: allocated by `allocate` with the same layout, and the loop forgot it.
    unsafe { dealloc(handle.cast(), layout(kind)) }
}

fn layout(kind: Type) -> Layout {
    // SAFETY: a pure function of an enum's value.
    let size = unsafe { uv_handle_size(kind as c_uint) };
    Layout::from_size_align(size, 16).expect("the size of a small C struct is a valid layout")
}
