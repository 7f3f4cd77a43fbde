//! A listening socket and the task that accepts from it.

use std::cell::RefCell;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::path::PathBuf;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use socket2::{SockRef, Socket};
use tokio::io::Interest;

use super::stream::{unlink, Carrier};
use super::{Errno, Event, HandleId, Outbox, Stream};
use crate::runtime::sys::{self, fd_kind, take, FdKind};
use crate::runtime::watch::Watched;

/// A listening socket; shared by its task and the binding.
pub struct Listener {
    id: HandleId,
    socket: Option<Watched>,
    /// What carries the connections that it accepts.
    carrier: Carrier,
    /// The file to remove on close; none for TCP and abstract names.
    path: Option<PathBuf>,
    outbox: Rc<Outbox>,
    /// Accepted and not yet delivered. At `BATCH` the task waits for JavaScript.
    undelivered: usize,
    /// Stopped after an error such as `EMFILE`, until JavaScript says to go on.
    paused: bool,
    waker: Option<Waker>,
}

pub type ListenerRef = Rc<RefCell<Listener>>;

impl Listener {
    /// Listens on a bound socket, whose file, if it has one, goes when it is closed.
    pub fn bound(
        socket: Socket,
        path: Option<PathBuf>,
        backlog: i32,
        id: HandleId,
        outbox: Rc<Outbox>,
    ) -> Result<ListenerRef, Errno> {
        match socket.local_addr()?.is_unix() {
            true => Self::listen(socket, Carrier::Unix, path, backlog, id, outbox),
            false => Self::listen(socket, Carrier::Tcp, None, backlog, id, outbox),
        }
    }

    /// Listens on an inherited descriptor or, if `share`, on another one of it. What cannot listen
    /// is refused before it is taken, with `EINVAL`, and stays its owner's.
    pub fn inherited(
        fd: RawFd,
        share: bool,
        backlog: i32,
        id: HandleId,
        outbox: Rc<Outbox>,
    ) -> Result<ListenerRef, Errno> {
        if !fd_kind(fd).is_ok_and(FdKind::can_listen) {
            return Err(Errno(libc::EINVAL));
        }
        sys::listen(fd, backlog)?;
        Self::from_fd(take(fd, share)?, backlog, id, outbox)
    }

    /// Listens on a bound socket. Errors with `EADDRINUSE`.
    fn listen(
        socket: Socket,
        carrier: Carrier,
        path: Option<PathBuf>,
        backlog: i32,
        id: HandleId,
        outbox: Rc<Outbox>,
    ) -> Result<ListenerRef, Errno> {
        let listens = || {
            socket.listen(backlog)?;
            socket.set_nonblocking(true)
        };
        let watched =
            listens().and_then(|()| Watched::new(OwnedFd::from(socket), Interest::READABLE));
        if let (Err(_), Some(path)) = (&watched, &path) {
            unlink(path);
        }
        Ok(Rc::new(RefCell::new(Self {
            id,
            socket: Some(watched?),
            carrier,
            path,
            outbox,
            undelivered: 0,
            paused: false,
            waker: None,
        })))
    }

    /// Listens on a descriptor, bound or listening already.
    fn from_fd(
        fd: OwnedFd,
        backlog: i32,
        id: HandleId,
        outbox: Rc<Outbox>,
    ) -> Result<ListenerRef, Errno> {
        let carrier = match fd_kind(fd.as_raw_fd())? {
            FdKind::Tcp | FdKind::TcpListener => Carrier::Tcp,
            FdKind::Unix | FdKind::UnixListener => Carrier::Unix,
            _ => return Err(Errno(libc::EINVAL)),
        };
        Self::listen(Socket::from(fd), carrier, None, backlog, id, outbox)
    }

    /// The descriptor; `None` once closed.
    pub fn fd(&self) -> Option<RawFd> {
        Some(self.socket.as_ref()?.as_fd().as_raw_fd())
    }

    /// Where it listens. Errors with `EINVAL` for what has no IP address.
    pub fn local_address(&self) -> Result<SocketAddr, Errno> {
        let socket = self.socket.as_ref().ok_or(Errno(libc::EINVAL))?;
        let address = SockRef::from(socket).local_addr()?;
        address.as_socket().ok_or(Errno(libc::EINVAL))
    }

    /// JavaScript took an accepted connection.
    pub fn delivered(&mut self) {
        self.undelivered -= 1;
        if self.undelivered == 0 {
            self.wake();
        }
    }

    /// Changes how many connections wait to be accepted, as listen(2) does when it is called again.
    pub fn set_backlog(&self, backlog: i32) -> Result<(), Errno> {
        let fd = self.fd().ok_or(Errno(libc::EBADF))?;
        Ok(sys::listen(fd, backlog)?)
    }

    /// Accepts again after an error.
    pub fn resume(&mut self) {
        self.paused = false;
        self.wake();
    }

    /// Closes the socket, removes its file and ends the task.
    pub fn close(&mut self) {
        self.socket = None;
        if let Some(path) = self.path.take() {
            unlink(&path);
        }
        self.wake();
    }

    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        self.waker = Some(context.waker().clone());
        while let Some(socket) = &self.socket {
            if self.paused || self.undelivered == BATCH {
                return Poll::Pending;
            }
            match socket.poll_call(context, sys::accept) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Ok(fd)) => self.accepted(fd),
                Poll::Ready(Err(error)) if is_transient(&error) => {}
                Poll::Ready(Err(error)) => self.failed(error),
            }
        }
        Poll::Ready(())
    }

    fn accepted(&mut self, fd: OwnedFd) {
        let id = self.id;
        match Stream::accepted(fd, self.carrier) {
            Ok(stream) => {
                self.undelivered += 1;
                self.outbox.push(Event::Accepted { id, stream });
            }
            Err(error) => self.failed(error),
        }
    }

    fn failed(&mut self, error: io::Error) {
        self.paused = true;
        let (id, errno) = (self.id, error.into());
        self.outbox.push(Event::AcceptFailed { id, errno });
    }
}

/// Accepts connections and pushes [`Event::Accepted`] for each. Woken by the listening socket, by
/// the delivery of its last batch and by [`Listener::resume`]; ends with [`Listener::close`]; who
/// closed it knows.
pub struct AcceptTask(pub ListenerRef);

impl Future for AcceptTask {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        // A panic is a bug of ours; it ends this listener, not the process.
        let polled = AssertUnwindSafe(|| self.0.borrow_mut().poll(context));
        catch_unwind(polled).unwrap_or_else(|_| {
            let mut listener = self.0.borrow_mut();
            listener.failed(io::Error::from_raw_os_error(libc::EIO));
            listener.close();
            Poll::Ready(())
        })
    }
}

/// The peer left before it was accepted; the next one may not have.
fn is_transient(error: &io::Error) -> bool {
    matches!(
        error.raw_os_error(),
        Some(libc::ECONNABORTED | libc::EPROTO | libc::EINTR)
    )
}

/// Connections accepted before JavaScript sees them. Small, since a server may decide to close
/// with the first.
const BATCH: usize = 64;

/// Makes the close of a stream that nobody took look to its peer like one that was never accepted.
pub fn refuse(stream: &Stream) {
    let _ = SockRef::from(stream).set_linger(Some(std::time::Duration::ZERO));
}
