//! How events reach JavaScript: it takes one after the other, each in the handle's async context and with
//! the ticks behind it run before the next.

use std::cell::{Cell, RefCell};
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::ptr::null_mut;
use std::time::Instant;

use napi::sys;

use super::callback::{self, Called, Reference, Scope};
use super::datagram::{place_of, sender_of};
use super::environment::{code, number_of_place, Environment, SEQUENCE_MASK};
use super::handles::{insert, Kind};
use super::http_connection::NEXT_EVENT;
use super::http_parser::value_of;
use crate::runtime::slab::Place;
use crate::transport::{refuse, Event, HandleId, Pending, Stream};

/// What is being delivered, and what it takes to call JavaScript.
pub struct Delivery {
    /// What JavaScript is being told of; more than one event at a time it never is.
    telling: Cell<Telling>,
    source: Cell<Source>,
    /// Closed handles that JavaScript is told of in this closing phase.
    closed: RefCell<Vec<HandleId>>,
    /// When JavaScript gets no further event in this turn, and how many it had since the last look.
    deadline: Cell<Instant>,
    since_clock: Cell<usize>,
    /// Deliveries so far.
    count: Cell<i32>,
    /// JavaScript's `deliver()`, which takes events by `nextEvent` until there is none; the function
    /// that calls it; and the object that this is called on, the resource of what belongs to no handle.
    deliver: RefCell<Option<Reference>>,
    deliver_events: RefCell<Option<Reference>>,
    receiver: RefCell<Option<Reference>>,
    /// The integers that tell an event, a typed array that no program sees.
    told_array: RefCell<Option<Reference>>,
    told: Cell<(*mut i32, usize)>,
}

/// An event that JavaScript has, and what is to be done when it and the ticks behind it have run.
#[derive(Debug, Clone, Copy)]
enum Telling {
    Nothing,
    Other(HandleId),
    Read(HandleId),
    /// The last of a batch of datagrams.
    Datagram(HandleId),
    /// A read of messages.
    Http(HandleId, Place),
    Closed(HandleId),
}

/// Where events come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    Outbox,
    ClosingPhase,
}

/// What an event is, in the order of `lib/internal/runtime.js`.
#[derive(Debug, Clone, Copy)]
#[repr(i32)]
pub enum Kinds {
    Read,
    End,
    ReadFailed,
    Writable,
    WriteFailed,
    Connected,
    ShutDown,
    Accepted,
    AcceptFailed,
    Closed,
    Datagram,
    ReceiveFailed,
    Sent,
    Http,
    /// There is none.
    None,
}

impl Delivery {
    /// `deliver`: see the field.
    ///
    /// # Safety
    /// `env` is alive, this is its thread, `deliver` is a function of it.
    pub unsafe fn new(env: sys::napi_env, deliver: sys::napi_value) -> Self {
        let mut receiver = null_mut();
        // SAFETY: by the caller's contract.
        let [deliver, receiver] = unsafe {
            sys::napi_create_object(env, &mut receiver);
            [deliver, receiver].map(|value| RefCell::new(Some(Reference::new(env, value))))
        };
        Self {
            telling: Cell::new(Telling::Nothing),
            source: Cell::new(Source::Outbox),
            closed: RefCell::default(),
            deadline: Cell::new(Instant::now()),
            since_clock: Cell::new(0),
            count: Cell::new(0),
            deliver,
            deliver_events: RefCell::new(None),
            receiver,
            told_array: RefCell::new(None),
            told: Cell::new((std::ptr::dangling_mut(), 0)),
        }
    }

    /// Frees what refers to the environment, before it ends.
    pub fn release_references(&self) {
        for slot in [
            &self.deliver,
            &self.deliver_events,
            &self.receiver,
            &self.told_array,
        ] {
            if let Some(reference) = slot.take() {
                reference.delete();
            }
        }
    }
}

impl Environment {
    /// Lets JavaScript take what is in the outbox, until `deadline`.
    pub fn deliver_until(&self, deadline: Instant) -> Called {
        self.delivery.deadline.set(deadline);
        self.delivery.since_clock.set(0);
        self.delivery.source.set(Source::Outbox);
        self.delivery
            .count
            .set(self.delivery.count.get().wrapping_add(1).max(1));
        self.number(self.delivery.count.get());
        let called = self.deliver_all();
        self.number(0);
        called
    }

    /// Tells JavaScript which handles are closed, the last one first.
    pub fn tell_closed(&self, closed: Vec<HandleId>) -> Called {
        self.delivery.closed.replace(closed);
        self.delivery.source.set(Source::ClosingPhase);
        let called = self.deliver_all();
        self.delivery.source.set(Source::Outbox);
        called
    }

    /// Remembers the integers that events are told in.
    pub fn set_told(&self, array: sys::napi_value) {
        if let Some((start, size)) = self.keep(array, &self.delivery.told_array) {
            self.delivery.told.set((start.cast(), size / 4));
        }
    }

    /// Takes what waits to be told until something is for JavaScript, and tells it: the integers hold
    /// what it is, the value its text, if any. What it was told before is done.
    pub fn next_event(&self) -> sys::napi_value {
        let next = catch_unwind(AssertUnwindSafe(|| self.tell_next()));
        let none = ([Kinds::None as i32, 0, 0, 0, 0], None);
        let (event, text) = next.ok().flatten().unwrap_or(none);
        if let Some(told) = self.told() {
            *told = event;
        }
        // SAFETY: on the environment's thread, in the scope of JavaScript's call.
        text.unwrap_or_else(|| unsafe { value_of(self.env(), None) })
    }

    fn tell_next(&self) -> Option<Next> {
        if let Some((id, wanted)) = self.settle() {
            return Some(self.tell_http(id, wanted));
        }
        if self.delivery.source.get() == Source::ClosingPhase {
            let id = self.delivery.closed.borrow_mut().pop()?;
            self.delivery.telling.set(Telling::Closed(id));
            return Some((self.told_of(Kinds::Closed, id, 0, 0), None));
        }
        while !self.is_late() {
            if let Some(next) = self.begin(self.outbox.pop()?) {
                return Some(next);
            }
        }
        None
    }

    /// Whether the turn is over; looks at the clock now and then.
    fn is_late(&self) -> bool {
        self.delivery
            .since_clock
            .set(self.delivery.since_clock.get() + 1);
        if self.delivery.since_clock.get() <= CLOCK_EVERY {
            return false;
        }
        // Stays above until the next turn, once it is late.
        let late = Instant::now() >= self.delivery.deadline.get();
        if !late {
            self.delivery.since_clock.set(1);
        }
        late
    }

    /// The integers of an event.
    fn told_of(&self, kind: Kinds, id: HandleId, a: i32, b: i32) -> Told {
        self.next_tick();
        let last = self.outbox.is_empty() && self.delivery.closed.borrow().is_empty();
        [kind as i32, id as i32, a, b, i32::from(last)]
    }

    fn tell_http(&self, id: HandleId, wanted: i32) -> Next {
        let told = self.told_of(Kinds::Http, id, 0, 0);
        (told, Some(self.tell_message(id, wanted)))
    }

    /// Tells an event, if it is for JavaScript.
    fn begin(&self, event: Event) -> Option<Next> {
        let id = event.id();
        if !self.is_open(id) {
            self.discard(event);
            return None;
        }
        let mut telling = Telling::Other(id);
        let (kind, a, b) = match event {
            Event::Read { place, length, .. } if self.speaks_http(id) => {
                if !self.begin_messages(id, place, length) {
                    self.after_read(id);
                    return None;
                }
                self.delivery.telling.set(Telling::Http(id, place));
                return Some(self.tell_http(id, NEXT_EVENT));
            }
            Event::Read { place, length, .. } => {
                telling = Telling::Read(id);
                match place {
                    Place::Scratch(_) => self.cross_read(place, length),
                    Place::Spare => self.slab.deliver_spare(length),
                    Place::Fit(slot) => self.slab.fits.tell(slot),
                }
                (Kinds::Read, number_of_place(place), length as i32)
            }
            Event::End { .. } => (Kinds::End, 0, 0),
            Event::ReadFailed { errno, .. } => (Kinds::ReadFailed, -errno.0, 0),
            Event::Writable { .. } => (Kinds::Writable, 0, 0),
            Event::WriteFailed { errno, .. } => (Kinds::WriteFailed, -errno.0, 0),
            Event::Connected { result, .. } => (Kinds::Connected, code(result), 0),
            Event::ShutDown { result, .. } => (Kinds::ShutDown, code(result), 0),
            Event::AcceptFailed { errno, .. } => (Kinds::AcceptFailed, -errno.0, 0),
            Event::Accepted { stream, .. } => {
                (Kinds::Accepted, self.accepted(id, stream)? as i32, 0)
            }
            Event::Datagram { arrival, last, .. } => {
                if last {
                    telling = Telling::Datagram(id);
                }
                self.cross_read(Place::Scratch(arrival.offset), arrival.length);
                (Kinds::Datagram, place_of(&arrival), sender_of(&arrival))
            }
            Event::ReceiveFailed { errno, .. } => {
                telling = Telling::Datagram(id);
                (Kinds::ReceiveFailed, -errno.0, 0)
            }
            Event::Sent {
                sequence, result, ..
            } => (Kinds::Sent, (sequence & SEQUENCE_MASK) as i32, code(result)),
            // The outbox gives batches out one by one.
            Event::Settled { .. } | Event::Datagrams { .. } => {
                self.update(id);
                return None;
            }
            Event::Lingered { .. } => {
                self.lingered();
                return None;
            }
        };
        self.delivery.telling.set(telling);
        Some((self.told_of(kind, id, a, b), None))
    }

    /// An event of a closed handle: JavaScript is not told, and what it took up is free again.
    fn discard(&self, event: Event) {
        match event {
            Event::Read {
                place: Place::Spare,
                ..
            } => self.slab.copied_spare(),
            Event::Read {
                place: Place::Fit(slot),
                ..
            } => self.slab.fits.give_back(slot),
            Event::Accepted { stream, .. } => refuse(&stream),
            Event::Lingered { .. } => self.lingered(),
            _ => {}
        }
    }

    /// What JavaScript was told, and the ticks behind it, have run. Returns what it wants to be told
    /// next of the same read.
    fn settle(&self) -> Option<(HandleId, i32)> {
        match self.delivery.telling.replace(Telling::Nothing) {
            Telling::Nothing => {}
            Telling::Other(id) => self.update(id),
            Telling::Read(id) => {
                self.slab.read_delivered();
                self.after_read(id);
            }
            Telling::Datagram(id) => {
                if let Ok(datagram) = self.datagram(id) {
                    datagram.borrow_mut().delivered();
                }
                self.update(id);
            }
            Telling::Http(id, place) => {
                if let Some(wanted) = self.wanted_of(id) {
                    self.delivery.telling.set(Telling::Http(id, place));
                    return Some((id, wanted));
                }
                self.end_messages(id, place);
                self.after_read(id);
            }
            Telling::Closed(id) => self.retired.borrow_mut().push(id),
        }
        None
    }

    /// JavaScript has had the chance to stop the connection: it may read again.
    fn after_read(&self, id: HandleId) {
        if let Ok(connection) = self.connection(id) {
            connection.borrow_mut().read_delivered();
        }
        self.update(id);
    }

    /// Names an accepted connection.
    fn accepted(&self, id: HandleId, stream: Stream) -> Option<HandleId> {
        let listener = match &self.handles.borrow().get(id as usize)?.kind {
            Kind::Listener(listener) => listener.clone(),
            _ => return None,
        };
        listener.borrow_mut().delivered();
        let new_id = insert(&mut self.handles.borrow_mut(), Kind::Fresh);
        let kind = self.open_connection(new_id, stream, Pending::Nothing);
        self.handles.borrow_mut()[new_id as usize].kind = kind;
        Some(new_id)
    }

    /// Calls JavaScript until it has taken every event, or the turn is over: as one of Node's
    /// callbacks, inside which [`deliver_events`] calls `deliver()`.
    fn deliver_all(&self) -> Called {
        // SAFETY: on the environment's thread.
        let Some(_scope) = (unsafe { Scope::open(self.env()) }) else {
            return Called::Stopped;
        };
        let [events, receiver] = [&self.delivery.deliver_events, &self.delivery.receiver]
            .map(|slot| slot.borrow().as_ref().and_then(Reference::value));
        let (Some(events), Some(receiver)) = (events, receiver) else {
            return Called::Stopped;
        };
        while self.settle().is_some() || self.has_more() {
            // SAFETY: events are delivered on the environment's thread while it lives; the scope is
            // open until the call returns; no borrow of ours is held across it.
            let called = unsafe { callback::call_with_ticks(self.env(), receiver, events) };
            if called == Called::Stopped {
                return Called::Stopped;
            }
        }
        self.next_tick();
        Called::Returned
    }

    /// Makes the function that calls `deliver()`.
    pub fn make_deliver_events(&self) {
        let mut function = null_mut();
        let data = std::ptr::from_ref(self).cast_mut().cast();
        let (no_name, no_length) = (std::ptr::null(), 0);
        // SAFETY: on the environment's thread, in the scope of the constructor's caller. The function is
        // called by `deliver_all` alone.
        unsafe {
            let call: sys::napi_callback = Some(deliver_events);
            sys::napi_create_function(self.env(), no_name, no_length, call, data, &mut function);
            let reference = Reference::new(self.env(), function);
            self.delivery.deliver_events.replace(Some(reference));
        }
    }

    /// Calls `deliver()`, again where a listener threw: the other events are told all the same.
    fn deliver_each(&self) {
        let deliver = self
            .delivery
            .deliver
            .borrow()
            .as_ref()
            .and_then(Reference::value);
        let Some(deliver) = deliver else { return };
        // SAFETY: as in `deliver_all`.
        while unsafe { callback::call(self.env(), deliver) } == Called::Threw {
            if self.settle().is_none() && !self.has_more() {
                return;
            }
        }
    }

    fn has_more(&self) -> bool {
        match self.delivery.source.get() {
            Source::Outbox => !self.outbox.is_empty() && !self.is_late(),
            Source::ClosingPhase => !self.delivery.closed.borrow().is_empty(),
        }
    }

    /// Says which delivery it is that JavaScript runs in; 0 for none.
    fn number(&self, delivery: i32) {
        let (start, count) = self.delivery.told.get();
        if count > TOLD {
            // SAFETY: as in `told`, which leaves this one alone.
            unsafe { *start.add(TOLD) = delivery };
        }
    }

    /// The integers of the event that is told; `None` before JavaScript gave any.
    #[allow(clippy::mut_from_ref)]
    fn told(&self) -> Option<&mut Told> {
        let (start, count) = self.delivery.told.get();
        // SAFETY: a typed array that the environment keeps alive and lib/ keeps to itself; only
        // `next_event` writes to it, and JavaScript does not run meanwhile.
        (count >= TOLD).then(|| unsafe { &mut *start.cast::<Told>() })
    }
}

/// What one of Node's callbacks is for us: all events of a turn.
extern "C" fn deliver_events(env: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    let mut data = null_mut();
    let (no_count, no_values, no_this) = (null_mut(), null_mut(), null_mut());
    // SAFETY: napi calls this with live arguments.
    unsafe { sys::napi_get_cb_info(env, info, no_count, no_values, no_this, &mut data) };
    // SAFETY: `make_deliver_events` gave the environment that calls, and is alive.
    let environment = unsafe { &*data.cast::<Environment>() };
    // What a panic leaves is as in `runtime::driver`.
    let _ = catch_unwind(AssertUnwindSafe(|| environment.deliver_each()));
    null_mut()
}

/// What of an event crosses as integers: its kind, the handle, two of its own, and whether it is the
/// last that waits.
type Told = [i32; TOLD];

/// An event that is told, and the text of one of HTTP.
type Next = (Told, Option<sys::napi_value>);

const TOLD: usize = 5;
/// Events between two looks at the clock.
const CLOCK_EVERY: usize = 16;
