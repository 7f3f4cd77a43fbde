//! One connection: what its task and the binding share, and how bytes pass through it.

use std::cell::RefCell;
use std::future::Future;
use std::io::IoSlice;
use std::net::SocketAddr;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use super::{Errno, Event, HandleId, Outbox, Pending, Stream};
use crate::runtime::slab::{Slab, SMALL, SPARE_SIZE};

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
    read_delivery: Delivery,
    /// Small writes of one tick after its first; leave together. Counted as sent.
    out: Vec<u8>,
    /// The tick in which the kernel last got bytes directly.
    sent_tick: u64,
    /// See [`Self::set_cork`].
    corked: bool,
    /// JavaScript holds bytes that were not accepted and waits for [`Event::Writable`].
    wants_writable: bool,
    /// What the next write fails with: see [`Self::forward`].
    write_error: Option<Errno>,
    shutdown: Shutdown,
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
            read_delivery: Delivery::Idle,
            out: Vec::new(),
            sent_tick: 0,
            corked: false,
            wants_writable: false,
            write_error: None,
            shutdown: Shutdown::No,
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
        // After the peer's FIN a write may meet a reset that the one before it provoked: nothing is
        // promised then that the kernel has not taken.
        let joins = self.sent_tick == tick && self.reading != Reading::Ended;
        if joins && total < DIRECT && self.out.len() + total <= COALESCE {
            self.out.reserve(total);
            chunks
                .iter()
                .for_each(|chunk| self.out.extend_from_slice(chunk));
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
    pub fn close(&mut self, kind: Close) {
        self.flush_now();
        if let (Close::Reset, Some(stream)) = (kind, &self.stream) {
            let _ = stream.reset_on_close();
        }
        self.stream = None;
        self.pending = Pending::Nothing;
        self.reading = Reading::Ended;
        self.wants_writable = false;
        self.out = Vec::new();
        self.shutdown = Shutdown::Done;
        self.wake();
    }

    /// Tries to send what waits for the end of the tick. An error shows in the next write or read.
    pub fn flush_now(&mut self) {
        if !self.out.is_empty() && !self.wants_writable {
            let _ = self.send(&[]);
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
            true if self.out.capacity() > OUT_KEPT => self.out = Vec::new(),
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

    /// Its task panicked: tells so, as `EIO`, and does nothing any more.
    fn fail(&mut self) {
        self.pending = Pending::Nothing;
        self.reading = Reading::Ended;
        self.wants_writable = false;
        self.out = Vec::new();
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
        let result = match (self.pending, &self.stream) {
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
            match self.send(&[]) {
                Err(errno) => {
                    self.out = Vec::new();
                    self.outbox.push(Event::WriteFailed { id: self.id, errno });
                }
                Ok(_) if self.out.is_empty() => {}
                Ok(_) => std::task::ready!(self.poll_writable(context)),
            }
        }
        if kept {
            self.outbox.push(Event::Settled { id: self.id });
        }
        self.set_cork(false);
        if self.wants_writable {
            std::task::ready!(self.poll_writable(context));
            self.wants_writable = false;
            self.outbox.push(Event::Writable { id: self.id });
        }
        self.finish_shutdown();
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

    /// A failed wait counts as ready: the next write says what is wrong.
    fn poll_writable(&self, context: &mut Context<'_>) -> Poll<()> {
        let Some(stream) = &self.stream else {
            return Poll::Ready(());
        };
        stream.poll_writable(context).map(|_| ())
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
        let read = self.slab.fill(self.window, waker, |room| {
            match stream.poll_read(&mut Context::from_waker(waker), room) {
                Poll::Ready(Ok(length)) => {
                    (length, Poll::Ready(Ok((length, length == room.len()))))
                }
                Poll::Ready(Err(error)) => (0, Poll::Ready(Err(Errno::from(error)))),
                Poll::Pending => (0, Poll::Pending),
            }
        });
        let id = self.id;
        match read {
            None | Some((_, Poll::Pending)) => {}
            Some((_, Poll::Ready(Err(errno)))) => {
                self.reading = Reading::Ended;
                self.outbox.push(Event::ReadFailed { id, errno });
            }
            Some((_, Poll::Ready(Ok((0, _))))) => {
                self.reading = Reading::Ended;
                self.outbox.push(Event::End { id });
            }
            Some((place, Poll::Ready(Ok((length, full))))) => {
                // After a short read this only registers the task; after a FIN it says ready.
                let more = full || stream.poll_readable(context).is_ready();
                self.read_delivery = if more {
                    Delivery::UndeliveredMore
                } else {
                    Delivery::Undelivered
                };
                self.adapt_window(length, full);
                self.outbox.push(Event::Read { id, place, length });
            }
        }
    }

    fn adapt_window(&mut self, length: usize, full: bool) {
        if self.fixed_window {
            return;
        }
        if full {
            self.window = WINDOW_MAX;
        } else if length <= WINDOW_MIN {
            self.window = WINDOW_MIN;
        }
    }
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
/// 512 KiB: where bulk echoes of 1 MiB stop gaining.
const WINDOW_MAX: usize = SPARE_SIZE;
/// The kernel's limit on chunks in one call (`UIO_MAXIOV`).
const IOV_MAX: usize = 1024;
/// Room for small writes that a connection keeps while it has none.
const OUT_KEPT: usize = 1024;
/// From here on a write is not worth a copy.
const DIRECT: usize = 8 * 1024;
/// Small writes kept until the end of a tick.
const COALESCE: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::reactor::Reactor;
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream};
    use std::os::fd::OwnedFd;
    use std::os::unix::net::UnixStream;
    use std::time::Duration;

    use socket2::SockRef;

    /// A connection with its task, its peer, and memory to read into.
    struct Fixture<P = UnixStream> {
        connection: ConnectionRef,
        peer: P,
        outbox: Rc<Outbox>,
        slab: Rc<Slab>,
        reactor: Reactor,
    }

    impl Fixture {
        fn new() -> Self {
            let (ours, peer) = UnixStream::pair().unwrap();
            Self::over(ours, peer)
        }
    }

    impl<P> Fixture<P> {
        fn over(ours: impl Into<OwnedFd>, peer: P) -> Self {
            let reactor = Reactor::new().unwrap();
            let stream = {
                let _guard = reactor.enter();
                Stream::from_fd(ours.into()).unwrap()
            };
            let (outbox, slab) = (Rc::<Outbox>::default(), Rc::new(Slab::with_scratch()));
            let connection =
                Connection::new(7, stream, Pending::Nothing, outbox.clone(), slab.clone());
            reactor.spawn(ConnectionTask(connection.clone()));
            reactor.run_tasks();
            Self {
                connection,
                peer,
                outbox,
                slab,
                reactor,
            }
        }

        fn turn(&self) -> Vec<Event> {
            self.reactor.poll_io();
            self.reactor.run_tasks();
            std::iter::from_fn(|| self.outbox.pop()).collect()
        }
    }

    #[test]
    fn reads_once_until_the_read_is_delivered() {
        let fixture = Fixture::new();
        fixture.connection.borrow_mut().read_start();
        (&fixture.peer).write_all(b"first").unwrap();
        assert!(matches!(
            fixture.turn()[..],
            [Event::Read {
                id: 7,
                length: 5,
                ..
            }]
        ));
        (&fixture.peer).write_all(b"second").unwrap();
        assert!(fixture.turn().is_empty());
        fixture.slab.reclaim();
        fixture.connection.borrow_mut().read_delivered();
        assert!(matches!(
            fixture.turn()[..],
            [Event::Read { length: 6, .. }]
        ));
    }

    #[test]
    fn a_fin_is_told_after_the_bytes_before_it() {
        let Fixture {
            connection,
            peer,
            outbox,
            slab,
            reactor,
        } = Fixture::new();
        connection.borrow_mut().read_start();
        (&peer).write_all(b"last").unwrap();
        drop(peer);
        reactor.poll_io();
        reactor.run_tasks();
        assert!(matches!(outbox.pop(), Some(Event::Read { length: 4, .. })));
        slab.reclaim();
        connection.borrow_mut().read_delivered();
        reactor.run_tasks();
        assert!(matches!(outbox.pop(), Some(Event::End { id: 7 })));
    }

    #[test]
    fn the_first_write_of_a_tick_leaves_at_once_and_the_others_together() {
        let mut fixture = Fixture::new();
        let mut received = [0; 16];
        let write = |bytes: &[u8], tick| {
            fixture
                .connection
                .borrow_mut()
                .write(&[IoSlice::new(bytes)], tick)
                .unwrap()
        };
        assert_eq!(
            write(b"one", 1),
            Written {
                accepted: 3,
                waits: false
            }
        );
        assert_eq!(fixture.peer.read(&mut received).unwrap(), 3);
        assert_eq!(
            write(b"two", 1),
            Written {
                accepted: 3,
                waits: false
            }
        );
        assert_eq!(
            write(b"three", 1),
            Written {
                accepted: 5,
                waits: false
            }
        );
        assert!(fixture.connection.borrow().activity().requests);
        assert!(matches!(fixture.turn()[..], [Event::Settled { id: 7 }]));
        assert!(!fixture.connection.borrow().activity().requests);
        assert_eq!(fixture.peer.read(&mut received).unwrap(), 8);
        assert_eq!(&received[..8], b"twothree");
    }

    #[test]
    fn a_large_write_goes_at_once_behind_what_is_kept() {
        let mut fixture = Fixture::new();
        for bytes in [&b"one"[..], b"two", &[b'x'; DIRECT]] {
            let mut connection = fixture.connection.borrow_mut();
            connection.write(&[IoSlice::new(bytes)], 1).unwrap();
        }
        let mut received = vec![0; 6 + DIRECT];
        fixture.peer.read_exact(&mut received).unwrap();
        assert!(received.starts_with(b"onetwox"));
    }

    #[test]
    fn the_end_of_a_large_write_waits_for_more_until_the_tick_is_over() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        SockRef::from(&listener)
            .set_recv_buffer_size(1 << 20)
            .unwrap();
        let ours = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        ours.set_nodelay(true).unwrap();
        let (peer, _) = listener.accept().unwrap();
        let mut fixture = Fixture::over(ours, peer);
        let mut received = vec![0; 1 << 18];
        let large = [1; COALESCE + 1];
        for (bytes, count) in [(&large[..1], 1), (&large, 1 + large.len())] {
            let mut connection = fixture.connection.borrow_mut();
            let written = connection.write(&[IoSlice::new(bytes)], 1).unwrap();
            assert_eq!(written.accepted, bytes.len());
            let there = fixture.peer.peek(&mut received).unwrap();
            assert_eq!(there == count, count == 1, "{there} of {count}");
        }
        fixture.turn();
        // Less than the kernel would wait.
        let patience = Duration::from_millis(100);
        fixture.peer.set_read_timeout(Some(patience)).unwrap();
        let all = &mut received[..1 + large.len()];
        fixture.peer.read_exact(all).unwrap();
    }

    #[test]
    fn a_full_kernel_buffer_takes_a_part_and_says_when_there_is_room() {
        let mut fixture = Fixture::new();
        let bytes = vec![1; 8 << 20];
        let written = fixture
            .connection
            .borrow_mut()
            .write(&[IoSlice::new(&bytes)], 1)
            .unwrap();
        assert!(written.waits && written.accepted > 0 && written.accepted < bytes.len());
        let again = fixture
            .connection
            .borrow_mut()
            .write(&[IoSlice::new(b"x")], 2)
            .unwrap();
        assert_eq!(
            again,
            Written {
                accepted: 0,
                waits: true
            }
        );
        assert!(fixture.turn().is_empty());
        let mut received = vec![0; written.accepted];
        fixture.peer.read_exact(&mut received).unwrap();
        assert!(matches!(fixture.turn()[..], [Event::Writable { id: 7 }]));
    }

    #[test]
    fn a_window_is_narrowed_unless_it_is_fixed() {
        let fixture = Fixture::new();
        let mut connection = fixture.connection.borrow_mut();
        connection.adapt_window(WINDOW_MIN, true);
        assert_eq!(connection.window, WINDOW_MAX);
        connection.narrow_window();
        assert_eq!(connection.window, WINDOW_MIN);
        connection.fix_window(9);
        connection.narrow_window();
        assert_eq!(connection.window, 9);
    }

    #[test]
    fn close_sends_what_was_accepted() {
        let mut fixture = Fixture::new();
        for part in [b"a", b"b"] {
            fixture
                .connection
                .borrow_mut()
                .write(&[IoSlice::new(part)], 1)
                .unwrap();
        }
        fixture.connection.borrow_mut().close(Close::Plain);
        let mut received = Vec::new();
        fixture.peer.read_to_end(&mut received).unwrap();
        assert_eq!(received, b"ab");
        let late = fixture
            .connection
            .borrow_mut()
            .write(&[IoSlice::new(b"c")], 2);
        assert_eq!(late, Err(Errno(libc::EBADF)));
    }

    #[test]
    fn what_a_panic_leaves_is_an_error_of_the_connection() {
        let fixture = Fixture::new();
        fixture.connection.borrow_mut().read_start();
        fixture.connection.borrow_mut().fail();
        assert!(matches!(
            fixture.turn()[..],
            [Event::ReadFailed {
                id: 7,
                errno: Errno(libc::EIO)
            }]
        ));
        (&fixture.peer).write_all(b"unread").unwrap();
        assert!(fixture.turn().is_empty());
    }
}
