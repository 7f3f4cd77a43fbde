//! The napi calls of the hot path, each wrapped once: references, scopes, calling JavaScript.

use std::ptr::{null, null_mut};

use napi::sys;

/// What came of calling JavaScript.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Called {
    Returned,
    /// It threw, and `uncaughtException` took care of it.
    Threw,
    /// JavaScript cannot run any more in this environment.
    Stopped,
}

/// Handles to JavaScript values made inside live until the scope is dropped.
pub struct Scope {
    env: sys::napi_env,
    scope: sys::napi_handle_scope,
}

impl Scope {
    /// # Safety
    /// `env` is alive and this is its thread.
    pub unsafe fn open(env: sys::napi_env) -> Option<Self> {
        let mut scope = null_mut();
        // SAFETY: by the caller's contract.
        match unsafe { sys::napi_open_handle_scope(env, &mut scope) } {
            sys::Status::napi_ok => Some(Self { env, scope }),
            _ => None,
        }
    }
}

impl Drop for Scope {
    fn drop(&mut self) {
        // SAFETY: opened by `open`, scopes are dropped in reverse order of their creation.
        unsafe { sys::napi_close_handle_scope(self.env, self.scope) };
    }
}

/// A strong reference to a JavaScript value.
pub struct Reference {
    env: sys::napi_env,
    reference: sys::napi_ref,
}

impl Reference {
    /// # Safety
    /// `env` is alive, this is its thread, `value` is an object or function of it.
    pub unsafe fn new(env: sys::napi_env, value: sys::napi_value) -> Self {
        let mut reference = null_mut();
        // SAFETY: by the caller's contract. A failure leaves null, which `value` reports as none.
        unsafe { sys::napi_create_reference(env, value, 1, &mut reference) };
        Self { env, reference }
    }

    /// The value, in the open scope.
    pub fn value(&self) -> Option<sys::napi_value> {
        let mut value = null_mut();
        // SAFETY: the reference belongs to `env`; null is refused with an error.
        unsafe { sys::napi_get_reference_value(self.env, self.reference, &mut value) };
        (!value.is_null()).then_some(value)
    }

    /// Gives the reference up while its environment lives. Dropped without, it goes with it.
    pub fn delete(self) {
        // SAFETY: made by `new`, deleted once.
        unsafe { sys::napi_delete_reference(self.env, self.reference) };
    }
}

/// Calls `function()` as Node calls its own callbacks, in no async context: afterwards `nextTick`
/// callbacks and microtasks have run. `function` is one of ours, which lets no exception through.
///
/// # Safety
/// `env` is alive, this is its thread, a scope is open; the values are of that environment.
pub unsafe fn call_with_ticks(
    env: sys::napi_env,
    this: sys::napi_value,
    function: sys::napi_value,
) -> Called {
    // SAFETY: by the caller's contract.
    unsafe {
        let (no_context, no_arguments) = (null_mut(), null());
        match sys::napi_make_callback(env, no_context, this, function, 0, no_arguments, null_mut())
        {
            sys::Status::napi_ok => Called::Returned,
            _ => report_exception(env),
        }
    }
}

/// Calls `function()` amid a callback. An exception goes to `uncaughtException`, which also takes
/// back the async contexts that it has left.
///
/// # Safety
/// As for [`call_with_ticks`].
pub unsafe fn call(env: sys::napi_env, function: sys::napi_value) -> Called {
    // SAFETY: by the caller's contract.
    unsafe {
        let mut this = null_mut();
        sys::napi_get_global(env, &mut this);
        match sys::napi_call_function(env, this, function, 0, null(), null_mut()) {
            sys::Status::napi_ok => Called::Returned,
            _ => report_exception(env),
        }
    }
}

/// Calls `function(...arguments)` for its result, without running ticks.
///
/// # Safety
/// As for [`call`].
pub unsafe fn call_for_value(
    env: sys::napi_env,
    function: sys::napi_value,
    arguments: &[sys::napi_value],
) -> Option<sys::napi_value> {
    // SAFETY: by the caller's contract.
    unsafe {
        let (mut this, mut result) = (null_mut(), null_mut());
        sys::napi_get_global(env, &mut this);
        let (count, first) = (arguments.len(), arguments.as_ptr());
        match sys::napi_call_function(env, this, function, count, first, &mut result) {
            sys::Status::napi_ok => Some(result),
            _ => {
                report_exception(env);
                None
            }
        }
    }
}

/// A small integer as a JavaScript value.
///
/// # Safety
/// `env` is alive, this is its thread, a scope is open.
pub unsafe fn integer(env: sys::napi_env, value: i32) -> sys::napi_value {
    let mut result = null_mut();
    // SAFETY: by the caller's contract; creating a number only fails on null arguments.
    unsafe { sys::napi_create_int32(env, value, &mut result) };
    result
}

/// Hands a pending exception to `uncaughtException`.
///
/// # Safety
/// As for [`call`].
unsafe fn report_exception(env: sys::napi_env) -> Called {
    // SAFETY: by the caller's contract.
    unsafe {
        let mut pending = false;
        sys::napi_is_exception_pending(env, &mut pending);
        if !pending {
            return Called::Stopped;
        }
        let mut error = null_mut();
        sys::napi_get_and_clear_last_exception(env, &mut error);
        match sys::napi_fatal_exception(env, error) {
            sys::Status::napi_ok => Called::Threw,
            _ => Called::Stopped,
        }
    }
}
