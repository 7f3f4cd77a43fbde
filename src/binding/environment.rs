//! One Node environment: its handles, its driver, and the delivery of events to its JavaScript.

use std::cell::{Cell, Ref, RefCell};
use std::ffi::c_void;
use std::io::IoSlice;
use std::os::fd::RawFd;
use std::ptr::null_mut;
use std::rc::{Rc, Weak};
use std::time::Instant;

use napi::sys;
use once_cell::unsync::OnceCell;

use super::callback::{self, Called, Reference, Scope};
use super::delivery::Delivery;
use super::handles::{Handles, Kind};
use super::hot::Functions;
use super::http_connection::HttpReads;
use crate::runtime::driver::{Boundary, Delivered, Driver};
use crate::runtime::slab::{Area, Memory, Place, Slab};
use crate::transport::{
    unlink, Close, Connection, ConnectionRef, ConnectionTask, Errno, HandleId, Outbox, Pending,
    Stream, Written,
};

/// Everything of one environment; nothing is shared with another.
pub struct Environment {
    env: sys::napi_env,
    pub driver: Rc<Driver>,
    pub outbox: Rc<Outbox>,
    pub slab: Rc<Slab>,
    pub handles: RefCell<Handles>,
    /// Counts the callbacks into JavaScript: the writes of one leave together.
    tick: Cell<u64>,
    /// No writes wait for a later tick any more: the process exits.
    exiting: Cell<bool>,
    closing: RefCell<Vec<HandleId>>,
    closing_scheduled: Cell<bool>,
    /// Closed connections whose last bytes the kernel has not taken yet.
    lingering: Cell<usize>,
    /// Closed handles that events in the outbox may still name; their ids are not given again yet.
    pub retired: RefCell<Vec<HandleId>>,
    pub delivery: Delivery,
    /// JavaScript's `allocate(size)`, which returns a Buffer to read into.
    allocate: RefCell<Option<Reference>>,
    scratch_buffer: RefCell<Option<Reference>>,
    spare_buffer: RefCell<Option<Reference>>,
    /// Where small writes and small reads cross: a Buffer that no program sees.
    crossing_buffer: RefCell<Option<Reference>>,
    crossing: Cell<(*mut u8, usize)>,
    /// The integers that tell HTTP events, a typed array that no program sees.
    registers_array: RefCell<Option<Reference>>,
    pub registers: Cell<(*mut i32, usize)>,
    pub http: HttpReads,
    /// Where strings are converted.
    pub text: RefCell<Vec<u8>>,
    /// What the functions of the hot path carry.
    pub functions: OnceCell<Functions>,
    cleanup: Cell<sys::napi_async_cleanup_hook_handle>,
}

impl Environment {
    /// Attaches to the environment that calls. Errors as [`Driver::new`] does.
    ///
    /// # Safety
    /// `env` is alive, this is its thread, both values are functions of it.
    pub unsafe fn new(
        env: sys::napi_env,
        deliver: sys::napi_value,
        allocate: sys::napi_value,
    ) -> std::io::Result<Rc<Self>> {
        let mut uv_loop = null_mut();
        // SAFETY: by the caller's contract; the loop outlives the environment's cleanup hooks.
        let driver = unsafe {
            sys::napi_get_uv_event_loop(env, &mut uv_loop);
            Driver::new(uv_loop.cast())?
        };
        let environment = Rc::new(Self {
            env,
            driver,
            outbox: Rc::default(),
            slab: Rc::default(),
            handles: RefCell::default(),
            tick: Cell::new(1),
            exiting: Cell::new(false),
            closing: RefCell::default(),
            closing_scheduled: Cell::new(false),
            lingering: Cell::new(0),
            retired: RefCell::default(),
            // SAFETY: by the caller's contract.
            delivery: unsafe { Delivery::new(env, deliver) },
            // SAFETY: by the caller's contract.
            allocate: RefCell::new(Some(unsafe { Reference::new(env, allocate) })),
            scratch_buffer: RefCell::new(None),
            spare_buffer: RefCell::new(None),
            crossing_buffer: RefCell::new(None),
            crossing: Cell::new((std::ptr::dangling_mut(), 0)),
            registers_array: RefCell::new(None),
            registers: Cell::new((std::ptr::dangling_mut(), 0)),
            http: HttpReads::default(),
            text: RefCell::default(),
            functions: OnceCell::new(),
            cleanup: Cell::new(null_mut()),
        });
        let weak: Weak<Self> = Rc::downgrade(&environment);
        environment.driver.connect(weak);
        environment.make_deliver_events();

        let owned = Rc::into_raw(environment.clone()).cast_mut().cast();
        let mut cleanup = null_mut();
        // SAFETY: the hook takes back the reference given as its data.
        unsafe { sys::napi_add_async_cleanup_hook(env, Some(on_cleanup), owned, &mut cleanup) };
        environment.cleanup.set(cleanup);
        Ok(environment)
    }

    /// Whether nothing may wait for a later tick any more.
    pub fn is_exiting(&self) -> bool {
        self.exiting.get()
    }

    pub fn env(&self) -> sys::napi_env {
        self.env
    }

    pub fn next_tick(&self) {
        self.tick.set(self.tick.get() + 1);
    }

    /// Makes a connection of a stream and starts its task.
    pub fn open_connection(&self, id: HandleId, stream: Stream, pending: Pending) -> Kind {
        let connection =
            Connection::new(id, stream, pending, self.outbox.clone(), self.slab.clone());
        self.driver
            .reactor()
            .spawn(ConnectionTask(connection.clone()));
        Kind::Connection(connection)
    }

    /// Runs `body` on a connection; `EBADF` for an id that is none, as for a closed descriptor.
    pub fn with_connection<T>(
        &self,
        id: HandleId,
        body: impl FnOnce(&mut Connection) -> Result<T, Errno>,
    ) -> Result<T, Errno> {
        let result = body(&mut self.connection(id)?.borrow_mut());
        self.update(id);
        result
    }

    /// Writes to a connection; see [`Connection::write`].
    pub fn write(&self, id: HandleId, chunks: &[IoSlice<'_>]) -> Result<Written, Errno> {
        self.send(id, |connection, tick| connection.write(chunks, tick))?
    }

    /// Writes the read that JavaScript is being told of to a connection; see
    /// [`Connection::forward`]. If any of it was taken, JavaScript copies the rest.
    pub fn forward(&self, id: HandleId, place: Place, length: usize) -> usize {
        let Some(bytes) = self.slab.delivered(place, length) else {
            return 0;
        };
        let taken = self.send(id, |connection, tick| connection.forward(bytes, tick));
        if taken.is_ok_and(|taken| taken > 0) {
            match place {
                Place::Fit(slot) => self.slab.fits.keep(slot),
                Place::Scratch(_) | Place::Spare => self.slab.keep_spare(),
            }
        }
        taken.unwrap_or(0)
    }

    fn send<T>(
        &self,
        id: HandleId,
        send: impl FnOnce(&mut Connection, u64) -> T,
    ) -> Result<T, Errno> {
        // Outside of a turn the end of the tick may be far: a program that blocks, or is ended, would
        // keep from its peer what Node had sent.
        if self.exiting.get() || !self.driver.is_turning() {
            self.next_tick();
        }
        let connection = self.connection(id)?;
        let mut connection = connection.borrow_mut();
        let before = connection.has_unsent();
        let sent = send(&mut connection, self.tick.get());
        let after = connection.has_unsent();
        drop(connection);
        if before || after {
            self.update(id);
        }
        Ok(sent)
    }

    /// What is behind an id, if it names a handle. Nothing may open or close one meanwhile.
    pub fn kind(&self, id: HandleId) -> Option<Ref<'_, Kind>> {
        let handles = self.handles.borrow();
        Ref::filter_map(handles, |handles| {
            handles.get(id as usize).map(|it| &it.kind)
        })
        .ok()
    }

    /// The connection behind an id.
    pub fn connection(&self, id: HandleId) -> Result<ConnectionRef, Errno> {
        match self.kind(id).as_deref() {
            Some(Kind::Connection(connection)) => Ok(connection.clone()),
            _ => Err(Errno(libc::EBADF)),
        }
    }

    /// Counts a handle in or out after anything about it changed.
    pub fn update(&self, id: HandleId) {
        let mut handles = self.handles.borrow_mut();
        let Some(handle) = handles.get_mut(id as usize) else {
            return;
        };
        let keeps = handle.keeps_alive();
        if keeps == handle.holding {
            return;
        }
        handle.holding = keeps;
        match keeps {
            true => self.driver.hold(),
            false => self.driver.release(),
        }
    }

    /// Whether a handle of this environment has the descriptor.
    pub fn owns(&self, fd: RawFd) -> bool {
        self.handles
            .borrow()
            .iter()
            .any(|(_, handle)| handle.fd() == fd)
    }

    /// Closes a handle's socket now; JavaScript is told in libuv's closing phase.
    pub fn close(&self, id: HandleId, how: Close) {
        let kind = match self.handles.borrow_mut().get_mut(id as usize) {
            Some(handle) if !matches!(handle.kind, Kind::Closed) => {
                // What was read is told to its end: a listener may close, and hear the rest.
                if !self.http.is_of(id) {
                    handle.http = None;
                }
                std::mem::replace(&mut handle.kind, Kind::Closed)
            }
            _ => return,
        };
        let is_datagram = matches!(kind, Kind::Datagram(_));
        match kind {
            Kind::Connection(connection) => self.close_connection(&connection, how),
            kind => close_kind(kind),
        }
        if is_datagram {
            self.outbox.forget(id);
        }
        self.update(id);
        self.closing.borrow_mut().push(id);
        if !self.closing_scheduled.replace(true) {
            self.driver.schedule_closed();
        }
    }

    /// What the kernel did not take yet keeps the process alive, as a write under way does.
    fn close_connection(&self, connection: &ConnectionRef, how: Close) {
        let mut connection = connection.borrow_mut();
        if !connection.close(how) {
            return;
        }
        if self.lingering.get() == LINGERING_MAX {
            connection.abandon();
            return;
        }
        self.lingering.set(self.lingering.get() + 1);
        self.driver.hold();
    }

    /// A closed connection is done with what it had accepted.
    pub fn lingered(&self) {
        self.lingering.set(self.lingering.get() - 1);
        self.driver.release();
    }

    /// Sends what waits for the end of its tick, and lets nothing wait any more: the process exits.
    pub fn flush_for_exit(&self) {
        self.exiting.set(true);
        for (_, handle) in self.handles.borrow().iter() {
            match &handle.kind {
                Kind::Connection(connection) => connection.borrow_mut().flush_now(),
                Kind::Datagram(datagram) => drop(datagram.borrow_mut().flush()),
                _ => {}
            }
        }
    }

    pub fn is_open(&self, id: HandleId) -> bool {
        self.kind(id)
            .is_some_and(|kind| !matches!(*kind, Kind::Closed))
    }

    /// Gets memory from JavaScript if a task waits for it.
    fn refill_slab(&self) {
        self.slab.recover();
        while let Some(area) = self.slab.wanted() {
            if self.allocate(area).is_none() {
                self.slab.exhaust();
            }
        }
        if let Some((slot, size)) = self.slab.fits.wanted() {
            let memory = self.allocate_fit(slot, size);
            let memory = memory.filter(|memory| memory.size == size);
            // SAFETY: lib/internal keeps the Buffer, and no program has it before `renew_fit`.
            unsafe { self.slab.fits.provide(slot, memory) };
        }
    }

    /// Lets JavaScript allocate the Buffer of a slot, if it can.
    fn allocate_fit(&self, slot: usize, size: usize) -> Option<Memory> {
        // SAFETY: on the environment's thread, in a scope of our own. lib/internal keeps the Buffer.
        unsafe {
            let _scope = Scope::open(self.env)?;
            let allocate = self.allocate.borrow().as_ref().and_then(Reference::value)?;
            let arguments = [
                callback::integer(self.env, size as i32),
                callback::integer(self.env, slot as i32),
            ];
            let buffer = callback::call_for_value(self.env, allocate, &arguments)?;
            self.memory_of(buffer)
        }
    }

    /// JavaScript gives the slot that it is told of its next Buffer, if it has one. Returns whether the
    /// one before is the program's.
    pub fn renew_fit(&self, slot: usize, buffer: sys::napi_value) -> bool {
        let memory = self.memory_of(buffer);
        // SAFETY: as in `refill_slab`.
        unsafe { self.slab.fits.renew(slot, memory) }
    }

    fn memory_of(&self, buffer: sys::napi_value) -> Option<Memory> {
        let (start, size) = self.buffer_memory(buffer)?;
        Some(Memory { start, size })
    }

    /// Lets JavaScript allocate an area, if it can.
    fn allocate(&self, area: Area) -> Option<()> {
        // SAFETY: on the environment's thread, in a scope of our own. The reference keeps the
        // memory until it is replaced; no program holds a Buffer over it until then.
        unsafe {
            let _scope = Scope::open(self.env)?;
            let allocate = self.allocate.borrow().as_ref().and_then(Reference::value)?;
            let argument = [callback::integer(self.env, area.size() as i32)];
            let buffer = callback::call_for_value(self.env, allocate, &argument)?;
            let (start, size) = self.buffer_memory(buffer)?;
            let slot = match area {
                Area::Scratch => &self.scratch_buffer,
                Area::Spare => &self.spare_buffer,
            };
            let reference = Reference::new(self.env, buffer);
            if let Some(old) = slot.replace(Some(reference)) {
                old.delete();
            }
            self.slab.provide(area, start, size);
        }
        Some(())
    }

    /// Remembers the Buffer that small writes and reads cross in.
    pub fn set_crossing(&self, buffer: sys::napi_value) {
        if let Some(memory) = self.keep(buffer, &self.crossing_buffer) {
            self.crossing.set(memory);
        }
    }

    /// Remembers the integers that HTTP messages are told in.
    pub fn set_registers(&self, array: sys::napi_value) {
        if let Some((start, size)) = self.keep(array, &self.registers_array) {
            self.registers.set((start.cast(), size / 4));
        }
    }

    /// A small write. Errors with `EINVAL` if it is none.
    pub fn outgoing(&self, length: usize) -> Result<&[u8], Errno> {
        let (start, size) = self.crossing.get();
        if length > size.min(SMALL_WRITE) {
            return Err(Errno(libc::EINVAL));
        }
        // SAFETY: the Buffer is kept alive, only lib/internal knows it, and JavaScript does not run
        // while the caller, one of its commands, looks at the bytes.
        Ok(unsafe { std::slice::from_raw_parts(start, length) })
    }

    /// Puts a small read where JavaScript takes it from without making a view.
    pub fn cross_read(&self, place: Place, length: usize) {
        let (start, size) = self.crossing.get();
        if length > SMALL_READ || size < SMALL_WRITE + SMALL_READ {
            return;
        }
        if let Some(bytes) = self.slab.delivered(place, length) {
            // SAFETY: as above, of the part behind the small writes; the read memory is another.
            unsafe {
                std::ptr::copy_nonoverlapping(bytes.as_ptr(), start.add(SMALL_WRITE), length)
            };
        }
    }

    /// Keeps a view alive in `slot`; where its bytes lie.
    pub fn keep(
        &self,
        view: sys::napi_value,
        slot: &RefCell<Option<Reference>>,
    ) -> Option<(*mut u8, usize)> {
        let memory = self.buffer_memory(view)?;
        // SAFETY: on the environment's thread, a live value.
        slot.replace(Some(unsafe { Reference::new(self.env, view) }));
        Some(memory)
    }

    /// Where a Buffer's bytes lie; `None` for a detached one.
    fn buffer_memory(&self, buffer: sys::napi_value) -> Option<(*mut u8, usize)> {
        let (mut start, mut size) = (null_mut(), 0);
        // SAFETY: on the environment's thread, `buffer` is a value of an open scope.
        let status = unsafe { sys::napi_get_buffer_info(self.env, buffer, &mut start, &mut size) };
        (status == sys::Status::napi_ok && size > 0).then_some((start.cast(), size))
    }

    /// Reads a socket without asking the kernel whether it has anything. Returns whether it had.
    fn read_now(&self, id: HandleId) -> bool {
        let _guard = self.driver.reactor().enter();
        match self.kind(id).as_deref() {
            Some(Kind::Connection(connection)) => connection.borrow_mut().read_now(),
            Some(Kind::Datagram(datagram)) => datagram.borrow_mut().receive_now(),
            _ => false,
        }
    }

    /// No event names a closed handle any more: its id may be given to another.
    fn free_retired(&self) {
        let mut handles = self.handles.borrow_mut();
        for id in self.retired.take() {
            handles.remove(id as usize);
        }
    }

    /// Frees what refers to the environment, before it ends.
    fn release_references(&self) {
        for slot in [
            &self.allocate,
            &self.scratch_buffer,
            &self.spare_buffer,
            &self.crossing_buffer,
            &self.registers_array,
        ] {
            if let Some(reference) = slot.take() {
                reference.delete();
            }
        }
        self.delivery.release_references();
    }
}

impl Boundary for Environment {
    fn read_ahead(&self) -> bool {
        let Some(id) = self.outbox.lone().next() else {
            return false;
        };
        let read = self.read_now(id);
        if !read {
            self.outbox.lone().missed();
        }
        read
    }

    fn read_lone(&self) -> bool {
        self.outbox
            .lone()
            .probable()
            .is_some_and(|id| self.read_now(id))
    }

    fn expects_one(&self) -> bool {
        let Some(id) = self.outbox.lone().probable() else {
            return false;
        };
        match self.kind(id).as_deref() {
            Some(Kind::Connection(connection)) => connection.borrow().awaits(),
            Some(Kind::Datagram(datagram)) => datagram.borrow().awaits(),
            _ => false,
        }
    }

    fn prepare_tasks(&self) {
        self.refill_slab();
    }

    fn has_events(&self) -> bool {
        !self.outbox.is_empty() || self.slab.wanted().is_some() || self.slab.is_withheld()
    }

    fn deliver(&self, deadline: Instant) -> Delivered {
        if self.deliver_until(deadline) == Called::Stopped {
            return Delivered::Stopped;
        }
        if !self.outbox.is_empty() {
            return Delivered::Some;
        }
        self.slab.reclaim();
        self.free_retired();
        Delivered::All
    }

    /// Newest first, as libuv does.
    fn deliver_closed(&self) {
        self.closing_scheduled.set(false);
        if self.tell_closed(self.closing.take()) == Called::Returned && self.outbox.is_empty() {
            self.free_retired();
        }
    }

    fn torn_down(&self) {
        let cleanup = self.cleanup.replace(null_mut());
        if !cleanup.is_null() {
            // SAFETY: registered by `new`, removed once; Node waits for this to go on.
            unsafe { sys::napi_remove_async_cleanup_hook(cleanup) };
        }
    }
}

/// The environment ends: every socket and reference of it goes, then the libuv handles.
extern "C" fn on_cleanup(_hook: sys::napi_async_cleanup_hook_handle, data: *mut c_void) {
    // SAFETY: the reference that `new` gave to the hook, taken back once.
    let environment = unsafe { Rc::from_raw(data.cast_const().cast::<Environment>()) };
    let handles = std::mem::take(&mut *environment.handles.borrow_mut());
    for (_, handle) in handles {
        match handle.kind {
            // Nobody turns its task any more.
            Kind::Connection(connection) => {
                let _ = connection.borrow_mut().close(Close::Plain);
            }
            kind => close_kind(kind),
        }
    }
    while environment.outbox.pop().is_some() {}
    environment.slab.revoke();
    environment.release_references();
    environment.driver.clone().tear_down(environment);
}

fn close_kind(kind: Kind) {
    match kind {
        Kind::Listener(listener) => listener.borrow_mut().close(),
        Kind::Datagram(datagram) => datagram.borrow_mut().close(),
        Kind::Bound {
            path: Some(path), ..
        } => unlink(&path),
        Kind::Connection(_) | Kind::Fresh | Kind::Bound { .. } | Kind::Closed => {}
    }
}

/// A result as libuv has it: 0, or the negated error number.
pub fn code(result: Result<(), Errno>) -> i32 {
    match result {
        Ok(()) => 0,
        Err(Errno(errno)) => -errno,
    }
}

/// A place as JavaScript knows it: an offset in the scratch area, `IN_SPARE`, or below that a slot.
pub fn number_of_place(place: Place) -> i32 {
    match place {
        Place::Scratch(offset) => offset as i32,
        Place::Spare => IN_SPARE,
        Place::Fit(slot) => FIRST_FIT - slot as i32,
    }
}

/// The place of a number.
pub fn place_of_number(number: i32) -> Place {
    match number {
        0.. => Place::Scratch(number.unsigned_abs() as usize),
        IN_SPARE => Place::Spare,
        _ => Place::Fit(FIRST_FIT.abs_diff(number) as usize),
    }
}

const IN_SPARE: i32 = -1;
const FIRST_FIT: i32 = IN_SPARE - 1;
/// What of a datagram's number crosses in a `Sent` event.
pub const SEQUENCE_MASK: u64 = 0x7fff_ffff;
/// Writes of up to so many bytes cross in memory that both sides keep.
const SMALL_WRITE: usize = 256;
/// And reads, behind them: what V8 keeps in a typed array itself.
const SMALL_READ: usize = 64;
/// Connections that may linger: each keeps a descriptor and up to 64 KiB.
const LINGERING_MAX: usize = 256;
