//! Lets Node's libuv loop turn the tokio runtime: the only code that knows both.
//!
//! Four libuv handles, all unref'd, so that they alone never keep a process alive:
//!
//! * a *poll* handle on the runtime's epoll descriptor: something happened, take a turn;
//! * a *prepare* handle, run before the loop blocks: a timer or promise issued commands, take a turn
//!   without asking the kernel;
//! * a *check* handle, run once after a busy wait found something: tell of it;
//! * an *idle* handle, active while a turn was cut short, or has yet to be taken: keeps the loop from
//!   blocking.
//!
//! The poll handle is ref'd while something that JavaScript opened should keep the process alive.

use std::cell::{Cell, RefCell};
use std::ffi::{c_int, c_void};
use std::io;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::ptr::NonNull;
use std::rc::{Rc, Weak};
use std::time::{Duration, Instant};

use once_cell::unsync::OnceCell;

use super::busy_poll::BusyPoll;
use super::reactor::Reactor;
use super::uv;

/// What the driver turns besides tokio: the way to JavaScript and back.
pub trait Boundary {
    /// A turn begins for which the kernel has something: reads what that probably is. Returns whether it
    /// was, so that the kernel need not be asked.
    fn read_ahead(&self) -> bool;
    /// Whether the next turn will probably be of one connection alone.
    fn expects_one(&self) -> bool;
    /// Reads that one. Returns whether it had anything.
    fn read_lone(&self) -> bool;
    /// Called before tasks run; JavaScript may have run since the last time.
    fn prepare_tasks(&self);
    /// Whether another delivery is of use: for an event, or for memory that a task waits for.
    fn has_events(&self) -> bool;
    /// Hands events to JavaScript until none is left or `deadline` has passed.
    fn deliver(&self, deadline: Instant) -> Delivered;
    /// libuv's closing phase: tells JavaScript which handles are closed.
    fn deliver_closed(&self);
    /// All handles of the driver are gone; the last call.
    fn torn_down(&self);
}

/// How a delivery ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivered {
    All,
    /// The deadline passed first.
    Some,
    /// JavaScript cannot run any more: the environment is being stopped.
    Stopped,
}

/// Drives one environment. Ends with [`Self::tear_down`].
pub struct Driver {
    reactor: Reactor,
    uv_loop: *mut uv::Loop,
    poll: Cell<*mut uv::Handle>,
    prepare: Cell<*mut uv::Handle>,
    check: Cell<*mut uv::Handle>,
    idle: Cell<*mut uv::Handle>,
    idling: Cell<bool>,
    turning: Cell<bool>,
    busy_poll: BusyPoll,
    /// Handles that keep the loop alive.
    holds: Cell<usize>,
    /// libuv handles whose close callback has yet to run.
    open: Cell<usize>,
    boundary: OnceCell<Weak<dyn Boundary>>,
    /// Keeps the boundary until it was told that all is torn down.
    leaving: RefCell<Option<Rc<dyn Boundary>>>,
}

impl Driver {
    /// Attaches a new runtime to a libuv loop. Errors as [`Reactor::new`] does.
    ///
    /// # Safety
    /// `uv_loop` is the loop of the current thread's environment and outlives the driver.
    pub unsafe fn new(uv_loop: *mut c_void) -> io::Result<Rc<Self>> {
        let driver = Rc::new(Self {
            reactor: Reactor::new()?,
            uv_loop: uv_loop.cast(),
            poll: Cell::new(std::ptr::null_mut()),
            prepare: Cell::new(std::ptr::null_mut()),
            check: Cell::new(std::ptr::null_mut()),
            idle: Cell::new(std::ptr::null_mut()),
            idling: Cell::new(false),
            turning: Cell::new(false),
            busy_poll: BusyPoll::default(),
            holds: Cell::new(0),
            open: Cell::new(0),
            boundary: OnceCell::new(),
            leaving: RefCell::new(None),
        });
        driver.start()?;
        Ok(driver)
    }

    /// Names who is told; until then no turn is taken.
    pub fn connect(&self, boundary: Weak<dyn Boundary>) {
        // Called once, by the constructor of the environment.
        let _ = self.boundary.set(boundary);
    }

    pub fn reactor(&self) -> &Reactor {
        &self.reactor
    }

    /// Whether JavaScript was called by a turn, which goes on when it returns.
    pub fn is_turning(&self) -> bool {
        self.turning.get()
    }

    /// One more handle keeps the loop alive.
    pub fn hold(&self) {
        self.holds.set(self.holds.get() + 1);
        if self.holds.get() == 1 && !self.poll.get().is_null() {
            // SAFETY: `poll` is initialised and not closed while the pointer is set.
            unsafe { uv::uv_ref(self.poll.get()) };
        }
    }

    /// One handle less keeps the loop alive.
    pub fn release(&self) {
        self.holds.set(self.holds.get() - 1);
        if self.holds.get() == 0 && !self.poll.get().is_null() {
            // SAFETY: as above.
            unsafe { uv::uv_unref(self.poll.get()) };
        }
    }

    /// Calls [`Boundary::deliver_closed`] in the closing phase of this iteration of the loop, where
    /// libuv calls back for its own handles, by closing an otherwise unused handle.
    pub fn schedule_closed(self: &Rc<Self>) {
        let handle = self.open_handle(uv::Type::Idle, |uv_loop, handle| {
            // SAFETY: fresh memory of the right size.
            unsafe { uv::uv_idle_init(uv_loop, handle) }
        });
        if let Ok(handle) = handle {
            // SAFETY: just initialised.
            unsafe { uv::uv_close(handle, on_closing_phase) };
        }
    }

    /// Closes the libuv handles; no turn is taken any more. [`Boundary::torn_down`] follows when the loop
    /// has let go of them, and the runtime with its tasks goes with the last reference to the driver.
    pub fn tear_down(&self, boundary: Rc<dyn Boundary>) {
        self.leaving.replace(Some(boundary));
        for (slot, callback) in [
            (&self.poll, on_poll_closed as uv::Callback),
            (&self.prepare, on_prepare_closed),
            (&self.check, on_check_closed),
            (&self.idle, on_idle_closed),
        ] {
            let handle = slot.replace(std::ptr::null_mut());
            if !handle.is_null() {
                // SAFETY: initialised, and closed only here.
                unsafe { uv::uv_close(handle, callback) };
            }
        }
    }

    fn start(self: &Rc<Self>) -> io::Result<()> {
        let fd = self.reactor.fd();
        // The only one that can fail is the first, before anything is open.
        let poll = self.open_handle(uv::Type::Poll, |uv_loop, handle| {
            // SAFETY: fresh memory of the right size; the descriptor is the runtime's, which is dropped
            // after the handle is closed.
            unsafe { uv::uv_poll_init(uv_loop, handle, fd) }
        })?;
        let prepare = self.open_handle(uv::Type::Prepare, |uv_loop, handle| {
            // SAFETY: fresh memory of the right size.
            unsafe { uv::uv_prepare_init(uv_loop, handle) }
        })?;
        let check = self.open_handle(uv::Type::Check, |uv_loop, handle| {
            // SAFETY: fresh memory of the right size.
            unsafe { uv::uv_check_init(uv_loop, handle) }
        })?;
        let idle = self.open_handle(uv::Type::Idle, |uv_loop, handle| {
            // SAFETY: fresh memory of the right size.
            unsafe { uv::uv_idle_init(uv_loop, handle) }
        })?;
        // SAFETY: initialised above.
        unsafe {
            for handle in [poll, prepare, check, idle] {
                uv::uv_unref(handle);
            }
            uv::uv_poll_start(poll, uv::READABLE, on_poll);
            uv::uv_prepare_start(prepare, on_prepare);
        }
        self.poll.set(poll);
        self.prepare.set(prepare);
        self.check.set(check);
        self.idle.set(idle);
        Ok(())
    }

    /// Allocates and initialises a handle that owns a reference to the driver until it is closed.
    fn open_handle(
        self: &Rc<Self>,
        kind: uv::Type,
        init: impl FnOnce(*mut uv::Loop, *mut uv::Handle) -> c_int,
    ) -> io::Result<*mut uv::Handle> {
        let handle: NonNull<uv::Handle> = uv::allocate(kind);
        let error = init(self.uv_loop, handle.as_ptr());
        if error != 0 {
            // uv_poll_init and the other init functions leave no trace when they fail.
            // SAFETY: not in the loop.
            unsafe { uv::free(handle.as_ptr(), kind) };
            return Err(io::Error::from_raw_os_error(-error));
        }
        // SAFETY: initialised; the data is read back by `driver_of` and `closed`.
        unsafe {
            uv::uv_handle_set_data(handle.as_ptr(), Rc::into_raw(self.clone()) as *mut c_void)
        };
        self.open.set(self.open.get() + 1);
        Ok(handle.as_ptr())
    }

    /// One turn: what the kernel has to say, the tasks that this wakes, the events that they make,
    /// the commands that JavaScript answers with, until it is quiet or `TURN` has passed.
    fn turn(&self, ask_kernel: bool) {
        let Some(boundary) = self.boundary.get().and_then(Weak::upgrade) else {
            return;
        };
        if self.poll.get().is_null() || self.turning.replace(true) {
            return;
        }
        let _turning = Turning(&self.turning);
        let deadline = Instant::now() + TURN;
        if ask_kernel && !boundary.read_ahead() {
            self.reactor.poll_io();
        }
        let finished = loop {
            boundary.prepare_tasks();
            if self.reactor.is_woken() {
                self.reactor.run_tasks();
            }
            match boundary.deliver(deadline) {
                Delivered::All if !self.is_dirty(&*boundary) => break true,
                Delivered::All if Instant::now() < deadline => {}
                Delivered::All | Delivered::Some => break false,
                Delivered::Stopped => break true,
            }
        };
        self.set_idling(!finished);
    }

    /// Before the loop blocks: looks for a while whether the lone connection has bytes, if that pays.
    fn poll_busily(&self, boundary: &dyn Boundary) {
        let stays_awake = self.idling.get() || self.turning.get();
        if stays_awake || self.poll.get().is_null() || !boundary.expects_one() {
            return;
        }
        // SAFETY: the loop outlives the driver.
        if unsafe { uv::uv_backend_timeout(self.uv_loop) } == 0 {
            return;
        }
        let Some(end) = self.busy_poll.until(Instant::now()) else {
            return;
        };
        // What is there at once says nothing of whether it pays to wait.
        if !boundary.read_lone() {
            while !boundary.read_lone() {
                if Instant::now() >= end {
                    return self.busy_poll.missed();
                }
                std::hint::spin_loop();
            }
            self.busy_poll.found();
        }
        // Told where Node tells of bytes, after libuv's wait and before the immediates: in this phase they
        // could come twice before those run.
        self.set_idling(true);
        // SAFETY: `check` is initialised and not closed, as `poll`.
        unsafe { uv::uv_check_start(self.check.get(), on_check) };
    }

    fn is_dirty(&self, boundary: &dyn Boundary) -> bool {
        self.reactor.is_woken() || boundary.has_events()
    }

    /// While idling, the loop goes through its phases without blocking.
    fn set_idling(&self, idling: bool) {
        if self.idle.get().is_null() || self.idling.replace(idling) == idling {
            return;
        }
        // SAFETY: `idle` is initialised and not closed while the pointer is set.
        unsafe {
            match idling {
                true => uv::uv_idle_start(self.idle.get(), on_idle),
                false => uv::uv_idle_stop(self.idle.get()),
            };
        }
    }

    /// A handle's close callback ran.
    fn closed(self: Rc<Self>) {
        self.open.set(self.open.get() - 1);
        if self.open.get() == 0 {
            if let Some(boundary) = self.leaving.take() {
                boundary.torn_down();
            }
        }
    }
}

/// Marks a turn; dropped at its end, or when a panic passes.
struct Turning<'a>(&'a Cell<bool>);

impl Drop for Turning<'_> {
    fn drop(&mut self) {
        self.0.set(false);
    }
}

/// The driver behind a handle, without taking the handle's reference.
///
/// # Safety
/// `handle` was made by `open_handle` and is not closed.
unsafe fn driver_of(handle: *mut uv::Handle) -> Rc<Driver> {
    // SAFETY: `open_handle` stored a reference that lives until the close callback.
    unsafe {
        let pointer = uv::uv_handle_get_data(handle).cast::<Driver>().cast_const();
        Rc::increment_strong_count(pointer);
        Rc::from_raw(pointer)
    }
}

/// Ends a handle in its close callback: frees its memory and its reference to the driver.
///
/// # Safety
/// Called once, by the close callback.
unsafe fn finish(handle: *mut uv::Handle, kind: uv::Type) -> Rc<Driver> {
    // SAFETY: the reference stored by `open_handle` is taken back here and nowhere else.
    unsafe {
        let driver = Rc::from_raw(uv::uv_handle_get_data(handle).cast::<Driver>().cast_const());
        uv::free(handle, kind);
        driver
    }
}

/// Nothing may unwind into libuv. A panic was printed by Rust's hook; what it left is consistent,
/// since tasks catch their own and no borrow is held across a call into JavaScript.
fn guarded(body: impl FnOnce()) {
    let _ = catch_unwind(AssertUnwindSafe(body));
}

extern "C" fn on_poll(handle: *mut uv::Handle, _status: c_int, _events: c_int) {
    guarded(|| {
        // SAFETY: libuv calls back only for open handles.
        let driver = unsafe { driver_of(handle) };
        driver.busy_poll.woke(Instant::now);
        driver.turn(true);
    });
}

extern "C" fn on_prepare(handle: *mut uv::Handle) {
    guarded(|| {
        // SAFETY: as above.
        let driver = unsafe { driver_of(handle) };
        let Some(boundary) = driver.boundary.get().and_then(Weak::upgrade) else {
            return;
        };
        if driver.is_dirty(&*boundary) {
            driver.turn(false);
        }
        driver.poll_busily(&*boundary);
    });
}

extern "C" fn on_check(handle: *mut uv::Handle) {
    // SAFETY: as above.
    guarded(|| unsafe {
        uv::uv_check_stop(handle);
        driver_of(handle).turn(false);
    });
}

extern "C" fn on_idle(_handle: *mut uv::Handle) {}

extern "C" fn on_closing_phase(handle: *mut uv::Handle) {
    guarded(|| {
        // SAFETY: this is the close callback.
        let driver = unsafe { finish(handle, uv::Type::Idle) };
        if !driver.poll.get().is_null() {
            if let Some(boundary) = driver.boundary.get().and_then(Weak::upgrade) {
                boundary.deliver_closed();
            }
        }
        driver.closed();
    });
}

extern "C" fn on_poll_closed(handle: *mut uv::Handle) {
    // SAFETY: this is the close callback.
    guarded(|| unsafe { finish(handle, uv::Type::Poll) }.closed());
}

extern "C" fn on_prepare_closed(handle: *mut uv::Handle) {
    // SAFETY: this is the close callback.
    guarded(|| unsafe { finish(handle, uv::Type::Prepare) }.closed());
}

extern "C" fn on_check_closed(handle: *mut uv::Handle) {
    // SAFETY: this is the close callback.
    guarded(|| unsafe { finish(handle, uv::Type::Check) }.closed());
}

extern "C" fn on_idle_closed(handle: *mut uv::Handle) {
    // SAFETY: this is the close callback.
    guarded(|| unsafe { finish(handle, uv::Type::Idle) }.closed());
}

/// 2 ms: long enough that a busy server batches, short enough that a timer is late by no more.
const TURN: Duration = Duration::from_millis(2);
