//! One connection: what its task and the binding share, and how bytes pass through it.

use std::cell::RefCell;
use std::future::Future;
use std::io::{IoSlice, IoSliceMut};
use std::mem::take;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use super::stream::size_of_room;
use super::{Errno, Event, HandleId, Outbox, Pending, Stream};
use crate::runtime::slab::{Place, Slab, SMALL, SPARE_SIZE};
use crate::runtime::sys::IOV_MAX;

/// A connection. Commands change it at once where Node's handles do (writing, closing); its task,
/// [`ConnectionTask`], does what has to wait.
pub struct Connection {
    id: HandleId,
    stream: Option<Stream>,
    pending: Pending,
    reading: Reading,
    /// Size of the next read: `WINDOW_MIN`, or `WINDOW_MAX` where that was not enough.
    window: usize,
    /// Set by `onread`: JavaScript has room for just this much.
    fixed_window: bool,
    /// Bytes of the last read, and whether the one before had as many: see [`Self::expected`].
    last_length: u32,
    is_steady: bool,
    /// What is read is parsed where it lies, and none of it given to the program whole.
    parsed: bool,
    read_delivery: Delivery,
    /// Small writes of one tick after its first; leave together. Counted as sent.
    out: Vec<u8>,
    /// The tick in which the kernel last got bytes directly.
    sent_tick: u64,
    /// See [`Self::set_cork`].
    corked: bool,
    delay: Delay,
    /// JavaScript holds bytes that were not accepted and waits for [`Event::Writable`].
    wants_writable: bool,
    /// What the next write fails with: see [`Self::forward`].
    write_error: Option<Errno>,
    shutdown: Shutdown,
    /// Closed, but for what was accepted: see [`Self::close`].
    lingers: bool,
    waker: Option<Waker>,
    outbox: Rc<Outbox>,
    slab: Rc<Slab>,
}

pub type ConnectionRef = Rc<RefCell<Connection>>;

/// What became of bytes given to [`Connection::write`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// The first so many were taken.
    pub accepted: usize,
    /// Whether [`Event::Writable`] will follow, because not all were.
    pub waits: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reading {
    Stopped,
    Started,
    /// The peer's FIN came, or reading failed: there is nothing to read any more.
    Ended,
}

/// A connection reads again only after JavaScript had the chance to stop it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Delivery {
    Idle,
    /// A read is in the outbox.
    Undelivered,
    /// As `Undelivered`, and the socket has more.
    UndeliveredMore,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shutdown {
    No,
    Requested,
    Done,
}

impl Connection {
    /// A connection over `stream`; nothing is read before [`Self::read_start`].
    pub fn new(
        id: HandleId,
        stream: Stream,
        pending: Pending,
        outbox: Rc<Outbox>,
        slab: Rc<Slab>,
    ) -> ConnectionRef {
        Rc::new(RefCell::new(Self {
            id,
            stream: Some(stream),
            pending,
            reading: Reading::Stopped,
            window: WINDOW_MIN,
            fixed_window: false,
            last_length: 0,
            is_steady: false,
            parsed: false,
            read_delivery: Delivery::Idle,
            out: Vec::new(),
            sent_tick: 0,
            corked: false,
            delay: Delay::default(),
            wants_writable: false,
            write_error: None,
            shutdown: Shutdown::No,
            lingers: false,
            waker: None,
            outbox,
            slab,
        }))
    }

    /// The stream; `None` once closed.
    pub fn stream(&self) -> Option<&Stream> {
        self.stream.as_ref()
    }

    /// Whether the peer has yet to answer.
    pub fn is_connecting(&self) -> bool {
        self.pending != Pending::Nothing
    }

    /// Connects what is connected: the kernel allows it once after a connect that had to wait, and
    /// then answers `EISCONN`. [`Event::Connected`] follows if it does.
    pub fn connect_again(&mut self, to: SocketAddr) -> Result<(), Errno> {
        if self.is_connecting() {
            return Err(Errno(libc::EALREADY));
        }
        let stream = self.stream.as_ref().ok_or(Errno(libc::EBADF))?;
        self.pending = stream.connect_again(to)?;
        self.wake();
        Ok(())
    }

    /// Whether it is being read, or has requests under way: what keeps Node's loop alive.
    pub fn activity(&self) -> Activity {
        Activity {
            reading: self.reading == Reading::Started,
            requests: self.pending != Pending::Nothing
                || self.has_unsent()
                || self.shutdown == Shutdown::Requested,
        }
    }

    /// Whether bytes that were accepted, or room that was asked for, are waited for.
    pub fn has_unsent(&self) -> bool {
        self.wants_writable || !self.out.is_empty()
    }

    /// Starts to read; [`Event::Read`] and [`Event::End`] follow.
    pub fn read_start(&mut self) {
        if self.reading == Reading::Stopped {
            self.reading = Reading::Started;
            self.wake();
        }
    }

    /// Stops reading. What was read before is still delivered.
    pub fn read_stop(&mut self) {
        if self.reading == Reading::Started {
            self.reading = Reading::Stopped;
        }
    }

    /// Reads at most `size` bytes at a time from now on.
    pub fn fix_window(&mut self, size: usize) {
        self.window = size.max(1);
        self.fixed_window = true;
    }

    /// Begins with small reads again, also where the last one was full.
    pub fn narrow_window(&mut self) {
        if !self.fixed_window {
            self.window = WINDOW_MIN;
        }
    }

    /// Whether what is read is parsed from now on.
    pub fn set_parsed(&mut self, parsed: bool) {
        self.parsed = parsed;
    }

    /// JavaScript saw the read that was in the outbox.
    pub fn read_delivered(&mut self) {
        let more = self.read_delivery == Delivery::UndeliveredMore;
        self.read_delivery = Delivery::Idle;
        if more && self.reading == Reading::Started {
            self.wake();
        }
    }

    /// Writes: the first bytes of a tick go to the kernel at once, as Node's do; small ones after
    /// them are kept and leave together. Errors as `send(2)` does: `EPIPE`, `ECONNRESET`; `EBADF`
    /// once closed.
    pub fn write(&mut self, chunks: &[IoSlice<'_>], tick: u64) -> Result<Written, Errno> {
        let total: usize = chunks.iter().map(|chunk| chunk.len()).sum();
        if self.pending != Pending::Nothing {
            return Err(Errno(libc::ENOTCONN));
        }
        if self.stream.is_none() {
            return Err(Errno(libc::EBADF));
        }
        if let Some(errno) = self.write_error.take() {
            return Err(errno);
        }
        if self.wants_writable {
            return Ok(Written {
                accepted: 0,
                waits: true,
            });
        }
        self.keep_promptness(total);
        // After the peer's FIN a write may meet a reset that the one before it provoked: nothing is
        // promised then that the kernel has not taken.
        let joins = self.sent_tick == tick && self.reading != Reading::Ended;
        if joins && total < DIRECT && self.out.len() + total <= COALESCE {
            self.keep(chunks, total);
            self.wake();
            return Ok(Written {
                accepted: total,
                waits: false,
            });
        }
        if joins {
            // As segments that are full: 1 MB in 16 writes is 17 of loopback's, not 32.
            self.set_cork(true);
            self.wake();
        }
        self.sent_tick = tick;
        let accepted = self.send(chunks)?;
        if accepted < total {
            self.wants_writable = true;
            self.wake();
        }
        Ok(Written {
            accepted,
            waits: accepted < total,
        })
    }

    /// Writes what another connection read; returns how much was taken. Whoever writes the rest learns
    /// of an error.
    pub fn forward(&mut self, bytes: &[u8], tick: u64) -> usize {
        if self.delay.is_bulk(bytes.len()) {
            self.set_prompt(true);
        }
        match self.write(&[IoSlice::new(bytes)], tick) {
            Ok(written) => written.accepted,
            Err(errno) => {
                self.write_error = Some(errno);
                0
            }
        }
    }

    /// Sends our FIN after what was accepted; [`Event::ShutDown`] follows.
    pub fn shut_down(&mut self) {
        if self.shutdown == Shutdown::No {
            self.shutdown = Shutdown::Requested;
            self.wake();
        }
    }

    /// Closes the descriptor, after a last attempt to send what was accepted. Ends the task.
    ///
    /// Returns whether the kernel did not take all of it: it counts as sent, so the task keeps the
    /// descriptor until it is, or the peer is gone, or nothing moves for [`LINGER`]. [`Event::Lingered`]
    /// follows.
    #[must_use]
    pub fn close(&mut self, kind: Close) -> bool {
        self.flush_now();
        match (&self.stream, kind) {
            (Some(stream), Close::Reset) => drop(stream.reset_on_close()),
            (Some(_), Close::Plain) if !self.out.is_empty() => self.linger(),
            _ => {}
        }
        if !self.lingers {
            self.stream = None;
            self.out = Vec::new();
        }
        self.pending = Pending::Nothing;
        self.reading = Reading::Ended;
        self.wants_writable = false;
        self.shutdown = Shutdown::Done;
        self.wake();
        self.lingers
    }

    fn linger(&mut self) {
        self.set_cork(false);
        let Some(stream) = &self.stream else {
            return;
        };
        self.lingers = match stream.widen() {
            Ok(()) => self.send(&[]).is_ok() && !self.out.is_empty(),
            Err(_) => true,
        };
        if let (true, Some(stream)) = (self.lingers, &self.stream) {
            self.lingers = stream.give_up_after(LINGER).is_ok();
        }
    }

    /// Closes what lingers. Ends the task.
    pub fn abandon(&mut self) {
        self.stream = None;
        self.out = Vec::new();
        self.wake();
    }

    /// Tries to send what waits for the end of the tick. An error shows in the next write or read.
    pub fn flush_now(&mut self) {
        if !self.out.is_empty() && !self.wants_writable {
            let _ = self.send(&[]);
        }
    }

    /// Copies what leaves at the end of the tick.
    fn keep(&mut self, chunks: &[IoSlice<'_>], total: usize) {
        let needed = self.out.len() + total;
        if needed > OUT_KEPT && needed > self.out.capacity() {
            let mut room = self.slab.take_room(COALESCE);
            room.extend_from_slice(&self.out);
            self.out = room;
        }
        for chunk in chunks {
            self.out.extend_from_slice(chunk);
        }
    }

    /// Sends what is kept and then `chunks`; returns how many bytes of `chunks` were taken.
    fn send(&mut self, chunks: &[IoSlice<'_>]) -> Result<usize, Errno> {
        let Some(stream) = &self.stream else {
            return Err(Errno(libc::EBADF));
        };
        if self.out.is_empty() {
            return stream.write_now(chunks);
        }
        let chunks = &chunks[..chunks.len().min(IOV_MAX - 1)];
        let mut all = Vec::with_capacity(chunks.len() + 1);
        all.push(IoSlice::new(&self.out));
        all.extend_from_slice(chunks);
        let written = stream.write_now(&all)?;
        let kept = written.min(self.out.len());
        match kept == self.out.len() {
            // Most connections do not do it again; a small buffer is worth keeping.
            true if self.out.capacity() > OUT_KEPT => self.slab.give_room(take(&mut self.out)),
            true => self.out.clear(),
            false => drop(self.out.drain(..kept)),
        }
        Ok(written - kept)
    }

    /// Whether the kernel keeps what does not fill a segment: until the task runs.
    fn set_cork(&mut self, cork: bool) {
        if self.corked == cork {
            return;
        }
        self.corked = cork;
        if let Some(stream) = &self.stream {
            stream.set_cork(cork);
        }
    }

    /// Sets `TCP_NODELAY` for the program, whose word counts from now on.
    pub fn set_no_delay(&mut self, enable: bool) -> Result<(), Errno> {
        let stream = self.stream.as_ref().ok_or(Errno(libc::EBADF))?;
        stream.set_no_delay(enable)?;
        self.delay.asked = true;
        Ok(())
    }

    /// Small writes wait for acknowledgements again (RFC 896) once they come without bulk before them.
    fn keep_promptness(&mut self, length: usize) {
        if !self.delay.is_bulk(length) {
            self.set_prompt(false);
        }
        self.delay.was_bulk = length >= BULK;
    }

    /// The end of forwarded bulk leaves at once: where it would wait for the acknowledgement of another
    /// small segment, and the peer delays that (RFC 1122, section 4.2.3.4), the bytes take 40 ms.
    fn set_prompt(&mut self, prompt: bool) {
        if self.delay.asked || self.delay.prompt == prompt {
            return;
        }
        self.delay.prompt = prompt;
        if let Some(stream) = &self.stream {
            let _ = stream.set_no_delay(prompt);
        }
    }

    /// Its task panicked: tells so, as `EIO`, and is closed.
    fn fail(&mut self) {
        if self.lingers {
            self.abandon();
            self.outbox.push(Event::Lingered { id: self.id });
            return;
        }
        self.pending = Pending::Nothing;
        self.reading = Reading::Ended;
        self.wants_writable = false;
        self.shutdown = Shutdown::Done;
        self.out = Vec::new();
        self.stream = None;
        let (id, errno) = (self.id, Errno(libc::EIO));
        self.outbox.push(Event::ReadFailed { id, errno });
    }

    fn wake(&mut self) {
        if let Some(waker) = &self.waker {
            waker.wake_by_ref();
        }
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if self.stream.is_none() {
            return Poll::Ready(());
        }
        if !self
            .waker
            .as_ref()
            .is_some_and(|waker| waker.will_wake(context.waker()))
        {
            self.waker = Some(context.waker().clone());
        }
        if self.lingers {
            return self.poll_linger(context);
        }
        if self.pending != Pending::Nothing && self.poll_connect(context).is_pending() {
            return Poll::Pending;
        }
        // libuv ends a shutdown that waits for no write before it asks the kernel for more.
        if self.shutdown == Shutdown::Requested && !self.has_unsent() {
            self.finish_shutdown();
        }
        // A reset is told by the read, as it is where libuv reads first.
        if self.reading == Reading::Started {
            self.poll_read(context);
        }
        let _ = self.poll_write(context);
        Poll::Pending
    }

    fn poll_connect(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let result = match (self.pending, &mut self.stream) {
            (Pending::Connect, Some(stream)) => std::task::ready!(stream.poll_connected(context)),
            (Pending::Refused(errno), _) => Err(errno),
            _ => return Poll::Pending,
        };
        self.pending = Pending::Nothing;
        if result.is_err() {
            self.reading = Reading::Ended;
        }
        self.outbox.push(Event::Connected {
            id: self.id,
            result,
        });
        Poll::Ready(())
    }

    /// Sends what is kept, then says that there is room, then shuts down.
    fn poll_write(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let kept = !self.out.is_empty();
        while !self.out.is_empty() {
            let sent = match self.send(&[]) {
                Ok(_) if !self.out.is_empty() => {
                    // It may be long, and many may wait.
                    self.out.shrink_to_fit();
                    std::task::ready!(self.poll_writable(context))
                }
                sent => sent.map(|_| ()),
            };
            if let Err(errno) = sent {
                self.out = Vec::new();
                self.outbox.push(Event::WriteFailed { id: self.id, errno });
            }
        }
        if kept {
            self.outbox.push(Event::Settled { id: self.id });
        }
        self.set_cork(false);
        if self.wants_writable {
            // A wait that failed is told by the next write.
            if let Err(errno) = std::task::ready!(self.poll_writable(context)) {
                self.write_error = Some(errno);
            }
            self.wants_writable = false;
            self.outbox.push(Event::Writable { id: self.id });
        }
        self.finish_shutdown();
        Poll::Ready(())
    }

    /// Sends what was accepted before the end.
    fn poll_linger(&mut self, context: &mut Context<'_>) -> Poll<()> {
        while !self.out.is_empty() && self.send(&[]).is_ok() {
            if !self.out.is_empty() && std::task::ready!(self.poll_writable(context)).is_err() {
                break;
            }
        }
        self.abandon();
        self.outbox.push(Event::Lingered { id: self.id });
        Poll::Ready(())
    }

    fn finish_shutdown(&mut self) {
        if let (Shutdown::Requested, Some(stream)) = (self.shutdown, &self.stream) {
            let result = stream.shut_down_write();
            self.shutdown = Shutdown::Done;
            self.outbox.push(Event::ShutDown {
                id: self.id,
                result,
            });
        }
    }

    fn poll_writable(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Errno>> {
        match &mut self.stream {
            Some(stream) => stream.poll_writable(context).map_err(Errno::from),
            None => Poll::Ready(Err(Errno(libc::EBADF))),
        }
    }

    /// One read; the next follows after its delivery.
    fn poll_read(&mut self, context: &mut Context<'_>) {
        if self.read_delivery != Delivery::Idle {
            self.read_delivery = Delivery::UndeliveredMore;
            return;
        }
        let Some(stream) = &self.stream else {
            return;
        };
        let waker = context.waker();
        let read = self.fill(waker, |room| {
            let result = stream.poll_read(&mut Context::from_waker(waker), room);
            counted(result, room)
        });
        let (place, result, is_full) = match read {
            Some((place, (Poll::Ready(result), is_full))) => (place, result, is_full),
            // As libuv says of a read for which it got no memory.
            None if self.slab.is_exhausted() => {
                let none = Err(Errno(libc::ENOBUFS));
                return self.take_read(Place::Scratch(0), none, false, false);
            }
            _ => return,
        };
        // After a short read this only registers the task; after a FIN it says ready.
        let is_short = result.is_ok() && !is_full;
        let more = !is_short || stream.poll_readable(context).is_ready();
        self.take_read(place, result, is_full, more);
    }

    /// Reads into memory that suits the next read.
    fn fill<T>(
        &self,
        waker: &Waker,
        read: impl FnOnce(&mut [IoSliceMut<'_>]) -> (usize, T),
    ) -> Option<(Place, T)> {
        let has_fit = |size: &usize| self.slab.fits.has(*size);
        let Some(expected) = self.expected().filter(has_fit) else {
            return self.slab.fill(self.window, waker, read);
        };
        // What filled a window may be a part of more.
        let wanted = match self.window > SMALL || expected == SMALL {
            true => expected + SMALL,
            false => SMALL,
        };
        self.slab.fill_fit(expected, wanted, waker, read)
    }

    /// The length that the next read probably has, where the program would get such a read whole.
    fn expected(&self) -> Option<usize> {
        let is_expected = self.is_steady && !self.parsed && !self.fixed_window;
        is_expected.then_some(self.last_length as usize)
    }

    /// Whether the next byte can be read, and told, as soon as it is there, without asking tokio.
    pub fn awaits(&self) -> bool {
        let reads = self.pending == Pending::Nothing && self.reading == Reading::Started;
        let idle = reads && self.read_delivery == Delivery::Idle && self.window <= SMALL;
        let alone = |stream: &Stream| !stream.watches_room();
        idle && !self.lingers && self.stream.as_ref().is_some_and(alone)
    }

    /// Reads now what tokio would be told of by the kernel: the task goes on to wait, and tokio is not told.
    /// Returns whether there was anything. Called where the runtime is entered.
    pub fn read_now(&mut self) -> bool {
        let awaits = self.awaits();
        let (Some(stream), Some(waker), true) = (&mut self.stream, &self.waker, awaits) else {
            return false;
        };
        if !stream.reads_alone().unwrap_or(false) {
            // It may have to ask again, or learns that it cannot.
            waker.wake_by_ref();
            return false;
        }
        let (Some(stream), Some(waker)) = (&self.stream, &self.waker) else {
            return false;
        };
        let read = self.fill(waker, |room| {
            let result = stream.read_now(room).map_or(Poll::Pending, Poll::Ready);
            counted(result, room)
        });
        let Some((place, (Poll::Ready(result), is_full))) = read else {
            return false;
        };
        self.take_read(place, result, is_full, is_full);
        true
    }

    /// Tells what a read found; `more`: the next one may find something at once.
    fn take_read(&mut self, place: Place, result: Result<usize, Errno>, is_full: bool, more: bool) {
        let id = self.id;
        match result {
            Err(errno) => {
                self.reading = Reading::Ended;
                self.outbox.push(Event::ReadFailed { id, errno });
            }
            Ok(0) => {
                self.reading = Reading::Ended;
                self.outbox.push(Event::End { id });
            }
            Ok(length) => {
                self.read_delivery = match more {
                    true => Delivery::UndeliveredMore,
                    false => Delivery::Undelivered,
                };
                self.adapt_window(length, is_full);
                self.outbox.push(Event::Read { id, place, length });
            }
        }
    }

    fn adapt_window(&mut self, length: usize, full: bool) {
        if self.fixed_window {
            return;
        }
        let same = length == self.last_length as usize;
        self.is_steady = same && FITTING.contains(&length);
        self.last_length = length as u32;
        if full {
            self.window = WINDOW_MAX;
        } else if length <= WINDOW_MIN {
            self.window = WINDOW_MIN;
        }
    }
}

/// Whether what does not fill a segment waits for acknowledgements.
#[derive(Debug, Default)]
struct Delay {
    /// The program has set the option, to either.
    asked: bool,
    /// It does not, since bulk was forwarded.
    prompt: bool,
    /// The last write was bulk.
    was_bulk: bool,
}

impl Delay {
    /// Whether a write of this length is bulk, or the end of it.
    fn is_bulk(&self, length: usize) -> bool {
        self.was_bulk || length >= BULK
    }
}

/// What a read filled of its room, and the read.
fn counted(
    read: Poll<std::io::Result<usize>>,
    room: &[IoSliceMut<'_>],
) -> (usize, (Poll<Result<usize, Errno>>, bool)) {
    let count = match &read {
        Poll::Ready(Ok(count)) => *count,
        _ => 0,
    };
    let is_full = count == size_of_room(room);
    (count, (read.map_err(Errno::from), is_full))
}

/// What of a connection is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Activity {
    pub reading: bool,
    pub requests: bool,
}

/// How a connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Close {
    /// As the kernel does it: FIN, or RST where unread bytes are left.
    Plain,
    /// RST (Node: `resetAndDestroy`).
    Reset,
}

/// Moves bytes between a connection's socket and the outbox. Woken by its socket, by commands and
/// by the delivery of its last read; ends with [`Connection::close`]; who closed it knows.
pub struct ConnectionTask(pub ConnectionRef);

impl Future for ConnectionTask {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        // A panic is a bug of ours; it ends this connection, not the process.
        let polled = AssertUnwindSafe(|| self.0.borrow_mut().poll(context));
        catch_unwind(polled).unwrap_or_else(|_| {
            self.0.borrow_mut().fail();
            Poll::Ready(())
        })
    }
}

/// As Node's: 64 KiB a read, out of the area that all connections share.
const WINDOW_MIN: usize = SMALL;
/// Reads of these lengths are worth a Buffer that is ready for them; smaller ones are copied for less.
const FITTING: RangeInclusive<usize> = 4096..=SMALL;
/// 512 KiB: where bulk echoes of 1 MiB stop gaining.
const WINDOW_MAX: usize = SPARE_SIZE;
/// How long a closed connection waits for a peer that takes nothing.
const LINGER: Duration = Duration::from_secs(30);
/// Room for small writes that a connection keeps while it has none.
const OUT_KEPT: usize = 1024;
/// From here on a write is not worth a copy: 16 KiB, and the lines around a chunk. Sent by themselves,
/// writes of 4 KiB cost a server 1.2 times what they do copied; pieces of a body of 16 KiB 1.1 times.
const DIRECT: usize = 16 * 1024 + 64;
/// From here on a write is taken for one of many: a read that filled a whole window, or more.
const BULK: usize = SMALL;
/// Small writes kept until the end of a tick.
const COALESCE: usize = 64 * 1024;

#[cfg(test)]
#[path = "connection_tests.rs"]
mod tests;
