//! A UDP socket and the task that receives from it and sends what was queued, in batches.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{ready, Context, Poll, Waker};

use socket2::{Domain, Socket, Type};
use tokio::io::unix::AsyncFd;
use tokio::io::Interest;

use super::outbox::Arrival;
use super::peers::Peers;
use super::send_queue::{Flushed, SendQueue, Sender, Sequence};
use super::{Errno, Event, HandleId, Outbox};
use crate::runtime::mmsg::{self, Received, Train, RECEIVE_MAX};
use crate::runtime::slab::{Slab, BATCH_ALIGN};
use crate::runtime::sys::{fd_kind, take, FdKind};
use crate::runtime::watch::watch_socket;

/// A UDP socket; shared by its task and the binding.
pub struct Datagram {
    id: HandleId,
    socket: Option<Rc<AsyncFd<Socket>>>,
    family: Family,
    /// Has a peer, to which datagrams without an address go.
    connected: bool,
    receiving: bool,
    /// Events in the outbox; the next batch is received when JavaScript saw them all.
    undelivered: usize,
    queue: SendQueue,
    /// The kernel takes no more for now: the same socket, watched for that.
    blocked: Option<AsyncFd<Socket>>,
    /// The wait for something to receive.
    readable: Option<Pin<Box<dyn Future<Output = ()>>>>,
    peers: Peers,
    received: Vec<Received>,
    waker: Option<Waker>,
    outbox: Rc<Outbox>,
    slab: Rc<Slab>,
}

pub type DatagramRef = Rc<RefCell<Datagram>>;

/// IPv4 or IPv6, chosen when the socket is made (Node: `udp4`, `udp6`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    V4,
    V6,
}

/// How a socket shares its address with others.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sharing {
    pub reuse_address: bool,
    pub reuse_port: bool,
    pub ipv6_only: bool,
}

impl Datagram {
    /// An unbound socket.
    pub fn new(
        family: Family,
        id: HandleId,
        outbox: Rc<Outbox>,
        slab: Rc<Slab>,
    ) -> Result<DatagramRef, Errno> {
        let domain = if family == Family::V4 {
            Domain::IPV4
        } else {
            Domain::IPV6
        };
        let socket = Socket::new(domain, Type::DGRAM, None)?;
        Self::over(socket, family, id, outbox, slab)
    }

    /// The socket behind an inherited descriptor or, if `share`, behind another one of it. What is no
    /// UDP socket is refused before it is taken, with `EINVAL`, and stays its owner's.
    pub fn inherited(
        fd: RawFd,
        share: bool,
        id: HandleId,
        outbox: Rc<Outbox>,
        slab: Rc<Slab>,
    ) -> Result<DatagramRef, Errno> {
        if fd_kind(fd)? != FdKind::Datagram {
            return Err(Errno(libc::EINVAL));
        }
        let socket = Socket::from(take(fd, share)?);
        let family = match socket.local_addr()?.as_socket() {
            Some(SocketAddr::V4(_)) => Family::V4,
            Some(SocketAddr::V6(_)) => Family::V6,
            None => return Err(Errno(libc::EINVAL)),
        };
        Self::over(socket, family, id, outbox, slab)
    }

    fn over(
        socket: Socket,
        family: Family,
        id: HandleId,
        outbox: Rc<Outbox>,
        slab: Rc<Slab>,
    ) -> Result<DatagramRef, Errno> {
        socket.set_nonblocking(true)?;
        let peer = socket.peer_addr().ok();
        let connected = peer.is_some();
        let mut queue = SendQueue::default();
        if let Some(address) = peer.and_then(|peer| peer.as_socket()) {
            queue.connected(address.ip());
        }
        let socket = watch_socket(socket, RECEIVES)?;
        Ok(Rc::new(RefCell::new(Self {
            id,
            socket: Some(Rc::new(socket)),
            family,
            connected,
            receiving: false,
            undelivered: 0,
            queue,
            blocked: None,
            readable: None,
            peers: Peers::default(),
            received: Vec::with_capacity(RECEIVE_MAX),
            waker: None,
            outbox,
            slab,
        })))
    }

    /// The socket, for its options. Errors with `EBADF` once closed.
    pub fn socket(&self) -> Result<&Socket, Errno> {
        self.socket
            .as_ref()
            .map(|socket| socket.get_ref())
            .ok_or(Errno(libc::EBADF))
    }

    pub fn family(&self) -> Family {
        self.family
    }

    /// The descriptor; `None` once closed.
    pub fn fd(&self) -> Option<RawFd> {
        self.socket
            .as_ref()
            .map(|socket| socket.get_ref().as_raw_fd())
    }

    /// Our end. Before a bind it is the unspecified address with port 0.
    pub fn local_address(&self) -> Result<SocketAddr, Errno> {
        self.socket()?
            .local_addr()?
            .as_socket()
            .ok_or(Errno(libc::EINVAL))
    }

    /// The peer's end. Errors with `ENOTCONN` if there is none.
    pub fn peer_address(&self) -> Result<SocketAddr, Errno> {
        self.socket()?
            .peer_addr()?
            .as_socket()
            .ok_or(Errno(libc::EINVAL))
    }

    /// Whether it hears, or has something to send that the kernel does not take: what keeps Node's
    /// loop alive. What is merely queued leaves before the loop blocks, or when the process exits.
    pub fn is_active(&self) -> (bool, bool) {
        (self.receiving, self.blocked.is_some())
    }

    /// Binds to an address of its family. Errors with `EADDRINUSE`, `EADDRNOTAVAIL`, or `EINVAL` if
    /// it is bound already.
    pub fn bind(&self, address: SocketAddr, sharing: Sharing) -> Result<(), Errno> {
        let socket = self.socket()?;
        if sharing.reuse_address {
            socket.set_reuse_address(true)?;
        }
        if sharing.reuse_port {
            socket.set_reuse_port(true)?;
        }
        if sharing.ipv6_only {
            socket.set_only_v6(true)?;
        }
        Ok(socket.bind(&address.into())?)
    }

    /// Binds to a port of the kernel's if it has none: what a membership needs.
    pub fn bind_any(&self) -> Result<(), Errno> {
        let any: SocketAddr = match self.family {
            Family::V4 => (Ipv4Addr::UNSPECIFIED, 0).into(),
            Family::V6 => (Ipv6Addr::UNSPECIFIED, 0).into(),
        };
        self.bind(
            any,
            Sharing {
                reuse_address: true,
                ..Sharing::default()
            },
        )
    }

    /// Associates the socket with a peer.
    pub fn connect(&mut self, to: SocketAddr) -> Result<(), Errno> {
        self.socket()?.connect(&to.into())?;
        self.connected = true;
        self.queue.connected(to.ip());
        Ok(())
    }

    /// Dissolves the association.
    pub fn disconnect(&mut self) -> Result<(), Errno> {
        mmsg::disconnect(self.socket()?.as_fd())?;
        self.connected = false;
        Ok(())
    }

    /// Receives from now on; [`Event::Datagrams`] follow.
    pub fn receive_start(&mut self) {
        self.receiving = true;
        self.wake();
    }

    /// Receives no more; what was received is still delivered.
    pub fn receive_stop(&mut self) {
        self.receiving = false;
    }

    /// The sender's address under a number of [`Arrival::peer`].
    pub fn peer(&self, number: u16) -> Option<SocketAddr> {
        self.peers.address(number)
    }

    /// JavaScript saw all datagrams of a batch, or an error.
    pub fn delivered(&mut self) {
        self.undelivered -= 1;
        if self.undelivered == 0 {
            self.wake();
        }
    }

    /// Queues a datagram, to leave with the others of its tick; `kept`: its outcome will be asked
    /// for. Errors with `EISCONN`, `EDESTADDRREQ`, or `EINVAL` for an address of the other family.
    pub fn send(
        &mut self,
        bytes: &[u8],
        to: Option<SocketAddr>,
        kept: bool,
    ) -> Result<Sequence, Errno> {
        self.socket()?;
        match to {
            Some(_) if self.connected => return Err(Errno(libc::EISCONN)),
            None if !self.connected => return Err(Errno(libc::EDESTADDRREQ)),
            _ => {}
        }
        let was_empty = self.queue.is_empty();
        let sequence = self.queue.push(bytes, to, kept);
        if self.queue.is_full() && self.blocked.is_none() {
            self.flush();
        }
        if was_empty {
            self.wake();
        }
        Ok(sequence)
    }

    /// How a datagram fared, after an attempt to send it if it is still queued. `None`: the kernel
    /// takes no more now, and [`Event::Sent`] follows.
    pub fn outcome(&mut self, sequence: Sequence) -> Option<Result<(), Errno>> {
        if sequence > self.queue.done() && self.blocked.is_none() {
            self.flush();
        }
        self.queue.outcome(sequence)
    }

    /// What waits to be sent.
    pub fn queue(&self) -> &SendQueue {
        &self.queue
    }

    /// Hands what is queued to the kernel, as far as it takes it.
    pub fn flush(&mut self) -> Flushed {
        let Some(socket) = &self.socket else {
            return Flushed::All;
        };
        let (id, outbox) = (self.id, &self.outbox);
        self.queue
            .flush(&Kernel(socket.get_ref()), |sequence, result| {
                outbox.push(Event::Sent {
                    id,
                    sequence,
                    result,
                });
            })
    }

    /// Sends what is queued, as far as the kernel takes it; returns up to which number datagrams
    /// were sent or failed, and the failures that nobody asked for yet.
    pub fn finish_sends(&mut self) -> (Sequence, impl Iterator<Item = (Sequence, Errno)>) {
        if self.blocked.is_none() {
            self.flush();
        }
        (self.queue.done(), self.queue.take_failures())
    }

    /// Closes the socket, after a last attempt to send what is queued. Ends the task.
    pub fn close(&mut self) {
        if self.blocked.is_none() {
            self.flush();
        }
        self.readable = None;
        self.socket = None;
        self.blocked = None;
        self.receiving = false;
        self.wake();
    }

    /// Its task panicked: tells so, as `EIO`, fails what is queued, and is a closed socket.
    fn fail(&mut self) {
        let (id, errno, outbox) = (self.id, Errno(libc::EIO), &self.outbox);
        self.queue.abandon(errno, |sequence, result| {
            outbox.push(Event::Sent {
                id,
                sequence,
                result,
            });
        });
        outbox.push(Event::ReceiveFailed { id, errno });
        self.undelivered += 1;
        self.receiving = false;
        self.readable = None;
        self.blocked = None;
        self.socket = None;
    }

    fn wake(&self) {
        if let Some(waker) = &self.waker {
            waker.wake_by_ref();
        }
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if !self
            .waker
            .as_ref()
            .is_some_and(|waker| waker.will_wake(context.waker()))
        {
            self.waker = Some(context.waker().clone());
        }
        if !self.queue.is_empty() {
            self.poll_flush(context);
        }
        loop {
            let Some(socket) = &self.socket else {
                return Poll::Ready(());
            };
            if !self.receiving || self.undelivered > 0 {
                return Poll::Pending;
            }
            let readable = self
                .readable
                .get_or_insert_with(|| Box::pin(readable(Rc::clone(socket))));
            ready!(readable.as_mut().poll(context));
            self.readable = None;
            if self.receive(context.waker(), Ask::Runtime) == Source::NoRoom {
                return Poll::Pending;
            }
        }
    }

    fn poll_flush(&mut self, context: &mut Context<'_>) {
        let was_blocked = self.blocked.is_some();
        loop {
            if let Some(blocked) = &self.blocked {
                match blocked.poll_write_ready(context) {
                    Poll::Pending => break,
                    // What is wrong with the socket shows in the next attempt to send.
                    Poll::Ready(Err(_)) => {}
                    Poll::Ready(Ok(mut guard)) => guard.clear_ready(),
                }
            }
            if self.flush() == Flushed::All {
                self.blocked = None;
                break;
            }
            if self.blocked.is_none() && self.watch_for_room().is_err() {
                // Without a descriptor to watch: tried again with the next event of this socket.
                break;
            }
        }
        if was_blocked != self.blocked.is_some() {
            self.outbox.push(Event::Settled { id: self.id });
        }
    }

    /// A socket that is only received from is not watched for room, of which the kernel would tell
    /// after each datagram that left; one that is full is, under a second descriptor.
    fn watch_for_room(&mut self) -> io::Result<()> {
        let Some(socket) = &self.socket else {
            return Ok(());
        };
        self.blocked = Some(watch_socket(
            socket.get_ref().try_clone()?,
            Interest::WRITABLE,
        )?);
        Ok(())
    }

    /// Whether the next datagram will be told as soon as it is there.
    pub fn awaits(&self) -> bool {
        self.socket.is_some() && self.receiving && self.undelivered == 0
    }

    /// Receives now what tokio would be told of by the kernel, as `Connection::read_now` reads. Returns
    /// whether there was anything.
    pub fn receive_now(&mut self) -> bool {
        let Some(waker) = self.waker.clone().filter(|_| self.awaits()) else {
            return false;
        };
        self.receive(&waker, Ask::Kernel);
        self.undelivered > 0
    }

    /// Receives one batch.
    fn receive(&mut self, waker: &Waker, ask: Ask) -> Source {
        let Some(socket) = self.socket.clone() else {
            return Source::Empty;
        };
        let (mut batch, mut failure, mut source) = (VecDeque::new(), None, Source::Unknown);
        while source == Source::Unknown
            && failure.is_none()
            && batch.len() + RECEIVE_MAX <= BATCH_MAX
        {
            let received = &mut self.received;
            received.clear();
            let waiter = batch.is_empty().then_some(waker);
            let filled = self
                .slab
                .fill_batch(WINDOW, WINDOW * RECEIVE_MAX, waiter, |room| {
                    // Fewer than there was room for: tokio is told that there are no more.
                    let mut receive = |socket: &Socket| match mmsg::receive(
                        socket.as_fd(),
                        room,
                        WINDOW,
                        received,
                    )? {
                        true => Ok(()),
                        false => Err(io::ErrorKind::WouldBlock.into()),
                    };
                    if ask == Ask::Kernel {
                        let result = receive(socket.get_ref());
                        return (pack(room, received), result);
                    }
                    let mut asked = false;
                    let mut result = socket.try_io(Interest::READABLE, |socket| {
                        asked = true;
                        receive(socket)
                    });
                    // Of both kinds of readiness at once try_io would know nothing.
                    if !asked {
                        result = socket.try_io(Interest::ERROR, receive);
                    }
                    (pack(room, received), result)
                });
            let Some((start, result)) = filled else {
                source = Source::NoRoom;
                break;
            };
            match result {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => source = Source::Empty,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => failure = Some(Errno::from(error)),
            }
            let mut offset = start;
            for &Received { length, from } in received.iter() {
                let peer = self.peers.slot(&from);
                batch.push_back(Arrival {
                    offset,
                    length,
                    port: from.port(),
                    peer,
                });
                offset = aligned(offset + length);
            }
        }
        if source == Source::NoRoom && batch.is_empty() && self.slab.is_exhausted() {
            failure = Some(Errno(libc::ENOBUFS));
        }
        let id = self.id;
        if !batch.is_empty() {
            self.undelivered += 1;
            self.outbox.push(Event::Datagrams { id, batch });
        }
        if let Some(errno) = failure {
            self.undelivered += 1;
            self.outbox.push(Event::ReceiveFailed { id, errno });
        }
        source
    }
}

/// Who knows whether there is something to receive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ask {
    /// tokio, as far as it was told.
    Runtime,
    Kernel,
}

/// What is known of a socket after a batch was received from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    /// There may be more.
    Unknown,
    /// There is no more.
    Empty,
    /// The slab is full; the task is woken when there is room, or when its batch was delivered.
    NoRoom,
}

/// Receives batches and pushes [`Event::Datagrams`] for each; sends what is queued. Woken by the
/// socket, by commands and by the delivery of its last batch; ends with [`Datagram::close`]; who
/// closed it knows.
pub struct DatagramTask(pub DatagramRef);

impl Future for DatagramTask {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        // A panic is a bug of ours; it ends this socket, not the process.
        let polled = AssertUnwindSafe(|| self.0.borrow_mut().poll(context));
        catch_unwind(polled).unwrap_or_else(|_| {
            self.0.borrow_mut().fail();
            Poll::Ready(())
        })
    }
}

/// Waits for a datagram or an error. The socket closes with the last reference: this is dropped
/// with the other one.
async fn readable(socket: Rc<AsyncFd<Socket>>) {
    // An error means that the runtime is gone, and all of its tasks with it.
    let _ = socket.ready(RECEIVES).await;
}

/// A socket as the queue sees it.
struct Kernel<'a>(&'a Socket);

impl Sender for Kernel<'_> {
    fn send<'a>(&self, trains: impl Iterator<Item = Train<'a>>) -> io::Result<usize> {
        mmsg::send(self.0.as_fd(), trains)
    }

    fn divides(&self) -> bool {
        mmsg::divides(self.0.as_fd())
    }

    fn take_error(&self) -> Option<Errno> {
        self.0.take_error().ok().flatten().map(Errno::from)
    }
}

/// Moves the datagrams, each at the start of its window, together. Returns where they end.
fn pack(room: &mut [u8], received: &[Received]) -> usize {
    let mut end = 0;
    let mut next = 0;
    for (index, datagram) in received.iter().enumerate() {
        let start = index * WINDOW;
        if next != start {
            room.copy_within(start..start + datagram.length, next);
        }
        end = next + datagram.length;
        next = aligned(end);
    }
    end
}

/// Where the next datagram may begin.
fn aligned(offset: usize) -> usize {
    offset.next_multiple_of(BATCH_ALIGN)
}

/// What a socket is watched for: of a peer that refuses the kernel tells as of an error alone.
const RECEIVES: Interest = Interest::READABLE.add(Interest::ERROR);
/// Room for the longest datagram there is.
const WINDOW: usize = 64 * 1024;
/// Datagrams received before JavaScript sees the first of them.
const BATCH_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::reactor::Reactor;
    use std::net::UdpSocket;

    /// A bound socket with its task, memory to receive into, and somebody who sends.
    struct Fixture {
        datagram: DatagramRef,
        sender: UdpSocket,
        outbox: Rc<Outbox>,
        slab: Rc<Slab>,
        reactor: Reactor,
    }

    impl Fixture {
        fn new() -> Self {
            let reactor = Reactor::new().unwrap();
            let (outbox, slab) = (Rc::<Outbox>::default(), Rc::new(Slab::with_scratch()));
            let datagram = {
                let _guard = reactor.enter();
                Datagram::new(Family::V4, 7, outbox.clone(), slab.clone()).unwrap()
            };
            let any = "127.0.0.1:0".parse().unwrap();
            datagram.borrow().bind(any, Sharing::default()).unwrap();
            let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
            let to = datagram.borrow().local_address().unwrap();
            sender.connect(to).unwrap();
            reactor.spawn(DatagramTask(datagram.clone()));
            reactor.run_tasks();
            Self {
                datagram,
                sender,
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
    fn receives_again_when_the_batch_is_delivered() {
        let fixture = Fixture::new();
        fixture.datagram.borrow_mut().receive_start();
        for text in ["one", "three"] {
            fixture.sender.send(text.as_bytes()).unwrap();
        }
        let lengths = |events: Vec<Event>| -> Vec<(usize, bool)> {
            let length = |event| match event {
                Event::Datagram { arrival, last, .. } => (arrival.length, last),
                other => unreachable!("{other:?}"),
            };
            events.into_iter().map(length).collect()
        };
        assert_eq!(lengths(fixture.turn()), [(3, false), (5, true)]);
        fixture.sender.send(b"late").unwrap();
        assert!(fixture.turn().is_empty());
        fixture.slab.reclaim();
        fixture.datagram.borrow_mut().delivered();
        assert_eq!(lengths(fixture.turn()), [(4, true)]);
    }

    #[test]
    fn what_is_received_past_the_runtime_is_not_reported_again() {
        let fixture = Fixture::new();
        let mut datagram = fixture.datagram.borrow_mut();
        assert!(!datagram.receive_now());
        datagram.receive_start();
        assert!(datagram.awaits() && !datagram.receive_now());
        fixture.sender.send(b"one").unwrap();
        assert!(datagram.receive_now());
        assert!(matches!(
            fixture.outbox.pop(),
            Some(Event::Datagram { arrival, last: true, .. }) if arrival.length == 3
        ));
        // Not again before JavaScript saw it.
        fixture.sender.send(b"three").unwrap();
        assert!(!datagram.awaits() && !datagram.receive_now());
        fixture.slab.reclaim();
        datagram.delivered();
        drop(datagram);
        let events = fixture.turn();
        assert!(
            matches!(events[..], [Event::Datagram { arrival, .. }] if arrival.length == 5),
            "{events:?}"
        );
    }

    #[test]
    fn what_has_received_does_not_wait_before_others() {
        let fixture = Fixture::new();
        let other = Waker::from(std::sync::Arc::new(Nobody));
        let read = || fixture.slab.fill(WINDOW, &other, |_| (1, ())).is_some();
        let most = 15 * WINDOW;
        let fill = |room: &mut [u8]| (room.len(), ());
        fixture.slab.fill_batch(most, most, Some(&other), fill);
        fixture.datagram.borrow_mut().receive_start();
        for text in [b"one", b"two"] {
            fixture.sender.send(text).unwrap();
        }
        assert_eq!(fixture.turn().len(), 1, "there is room for one");
        assert!(!read());
        fixture.datagram.borrow_mut().delivered();
        fixture.slab.reclaim();
        assert!(fixture.turn().is_empty() && read());
        fixture.slab.reclaim();
        assert_eq!(fixture.turn().len(), 1);
    }

    struct Nobody;

    impl std::task::Wake for Nobody {
        fn wake(self: std::sync::Arc<Self>) {}
    }

    #[test]
    fn what_a_panic_leaves_is_an_error_of_the_socket() {
        let fixture = Fixture::new();
        fixture.datagram.borrow_mut().receive_start();
        let to = fixture.sender.local_addr().ok();
        let sequence = fixture.datagram.borrow_mut().send(b"x", to, true).unwrap();
        fixture.datagram.borrow_mut().fail();
        let eio = Errno(libc::EIO);
        assert!(matches!(
            fixture.turn()[..],
            [Event::ReceiveFailed { id: 7, errno }] if errno == eio
        ));
        let mut datagram = fixture.datagram.borrow_mut();
        assert_eq!(datagram.outcome(sequence), Some(Err(eio)));
        assert_eq!(datagram.send(b"x", to, true), Err(Errno(libc::EBADF)));
        assert_eq!(datagram.is_active(), (false, false));
        datagram.delivered();
        datagram.close();
    }
}
