//! The napi calls of the hot path, each wrapped once: references, scopes, calling JavaScript.

use std::ptr::null_mut;

use napi::sys;

/// What came of calling JavaScript.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Called {
    /// It returned, or threw and `uncaughtException` took care of it.
    Returned,
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

/// The async context of a handle: its async id, its resource, its AsyncLocalStorage stores.
pub struct AsyncContext {
    env: sys::napi_env,
    context: sys::napi_async_context,
}

impl AsyncContext {
    /// Makes one that inherits from what runs now. `kind` is what `async_hooks` shows: `TCPWRAP`.
    ///
    /// # Safety
    /// `env` is alive and this is its thread; `resource` is an object of it.
    pub unsafe fn new(env: sys::napi_env, resource: sys::napi_value, kind: &str) -> Self {
        let mut name = null_mut();
        // SAFETY: by the caller's contract; napi copies the string.
        unsafe {
            sys::napi_create_string_utf8(env, kind.as_ptr().cast(), kind.len() as isize, &mut name);
            Self::named(env, resource, name)
        }
    }

    /// As [`Self::new`], with the kind as JavaScript's string.
    ///
    /// # Safety
    /// As for `new`; `name` is a value of the environment.
    pub unsafe fn named(
        env: sys::napi_env,
        resource: sys::napi_value,
        name: sys::napi_value,
    ) -> Self {
        let mut context = null_mut();
        // SAFETY: by the caller's contract. A failure leaves null, with which JavaScript is called
        // outside of any context.
        unsafe { sys::napi_async_init(env, resource, name, &mut context) };
        Self { env, context }
    }

    /// Emits `destroy` to `async_hooks`.
    pub fn destroy(self) {
        if !self.context.is_null() {
            // SAFETY: made by `new`, destroyed once, the environment lives.
            unsafe { sys::napi_async_destroy(self.env, self.context) };
        }
    }

    /// The raw context for [`call`].
    pub fn raw(&self) -> sys::napi_async_context {
        self.context
    }
}

/// Calls `function(...arguments)` as Node calls its own callbacks: afterwards `nextTick` callbacks
/// and microtasks have run. An exception goes to `uncaughtException`.
///
/// # Safety
/// `env` is alive, this is its thread, a scope is open; the values are of that environment.
pub unsafe fn call(
    env: sys::napi_env,
    context: sys::napi_async_context,
    function: sys::napi_value,
    arguments: &[sys::napi_value],
) -> Called {
    // SAFETY: by the caller's contract.
    unsafe {
        let mut this = null_mut();
        sys::napi_get_global(env, &mut this);
        let (count, first) = (arguments.len(), arguments.as_ptr());
        match sys::napi_make_callback(env, context, this, function, count, first, null_mut()) {
            sys::Status::napi_ok => Called::Returned,
            _ => report_exception(env),
        }
    }
}

/// Calls `function(...arguments)` for its result, in no async context and without running ticks.
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

/// Calls `function()`, which returns a number, in an async context. Called by JavaScript, and so
/// inside its scope: no ticks run.
///
/// # Safety
/// As for [`call`].
pub unsafe fn call_in_context(
    env: sys::napi_env,
    context: sys::napi_async_context,
    function: sys::napi_value,
) -> Option<f64> {
    // SAFETY: by the caller's contract.
    unsafe {
        let (mut this, mut result, mut number) = (null_mut(), null_mut(), 0.0);
        sys::napi_get_global(env, &mut this);
        let (none, status) = (std::ptr::null(), sys::Status::napi_ok);
        let called = sys::napi_make_callback(env, context, this, function, 0, none, &mut result);
        let read = sys::napi_get_value_double(env, result, &mut number);
        (called == status && read == status).then_some(number)
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
            sys::Status::napi_ok => Called::Returned,
            _ => Called::Stopped,
        }
    }
}
