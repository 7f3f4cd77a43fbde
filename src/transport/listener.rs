//! A listening socket and the task that accepts from it.

use std::cell::RefCell;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::path::PathBuf;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use socket2::{SockRef, Socket};
use tokio::net::{TcpListener, UnixListener};

use super::stream::unlink;
use super::{Errno, Event, HandleId, Outbox, Stream};
use crate::runtime::sys::{self, fd_kind, take, FdKind};

/// A listening socket; shared by its task and the binding.
pub struct Listener {
    id: HandleId,
    socket: Option<ListenSocket>,
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

enum ListenSocket {
    Tcp(TcpListener),
    Unix(UnixListener),
}

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
            true => Self::unix(socket, path, backlog, id, outbox),
            false => Self::tcp(socket, backlog, id, outbox),
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

    /// Listens on a bound TCP socket. Errors with `EADDRINUSE`.
    fn tcp(
        socket: Socket,
        backlog: i32,
        id: HandleId,
        outbox: Rc<Outbox>,
    ) -> Result<ListenerRef, Errno> {
        socket.listen(backlog)?;
        let socket = ListenSocket::Tcp(TcpListener::from_std(socket.into())?);
        Ok(Self::new(socket, None, id, outbox))
    }

    /// Listens on a bound Unix socket, whose file goes when it is closed.
    fn unix(
        socket: Socket,
        path: Option<PathBuf>,
        backlog: i32,
        id: HandleId,
        outbox: Rc<Outbox>,
    ) -> Result<ListenerRef, Errno> {
        socket.listen(backlog)?;
        let socket = ListenSocket::Unix(UnixListener::from_std(socket.into())?);
        Ok(Self::new(socket, path, id, outbox))
    }

    /// Listens on a descriptor, bound or listening already.
    fn from_fd(
        fd: OwnedFd,
        backlog: i32,
        id: HandleId,
        outbox: Rc<Outbox>,
    ) -> Result<ListenerRef, Errno> {
        let kind = fd_kind(fd.as_raw_fd())?;
        let socket = Socket::from(fd);
        socket.set_nonblocking(true)?;
        match kind {
            FdKind::Tcp | FdKind::TcpListener => Self::tcp(socket, backlog, id, outbox),
            FdKind::Unix | FdKind::UnixListener => Self::unix(socket, None, backlog, id, outbox),
            _ => Err(Errno(libc::EINVAL)),
        }
    }

    fn new(
        socket: ListenSocket,
        path: Option<PathBuf>,
        id: HandleId,
        outbox: Rc<Outbox>,
    ) -> ListenerRef {
        let socket = Some(socket);
        let (undelivered, paused, waker) = (0, false, None);
        Rc::new(RefCell::new(Self {
            id,
            socket,
            path,
            outbox,
            undelivered,
            paused,
            waker,
        }))
    }

    /// The descriptor; `None` once closed.
    pub fn fd(&self) -> Option<RawFd> {
        Some(match self.socket.as_ref()? {
            ListenSocket::Tcp(tcp) => tcp.as_raw_fd(),
            ListenSocket::Unix(unix) => unix.as_raw_fd(),
        })
    }

    /// Where it listens. Errors with `EINVAL` for what has no IP address.
    pub fn local_address(&self) -> Result<SocketAddr, Errno> {
        match &self.socket {
            Some(ListenSocket::Tcp(tcp)) => Ok(tcp.local_addr()?),
            _ => Err(Errno(libc::EINVAL)),
        }
    }

    /// JavaScript took an accepted connection.
    pub fn delivered(&mut self) {
        self.undelivered -= 1;
        if self.undelivered == 0 {
            self.wake();
        }
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
            let accepted = match socket {
                ListenSocket::Tcp(tcp) => tcp.poll_accept(context).map_ok(|(s, _)| Stream::Tcp(s)),
                ListenSocket::Unix(unix) => unix
                    .poll_accept(context)
                    .map_ok(|(stream, _)| Stream::Unix(stream)),
            };
            match accepted {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Ok(stream)) => {
                    self.undelivered += 1;
                    self.outbox.push(Event::Accepted {
                        id: self.id,
                        stream,
                    });
                }
                Poll::Ready(Err(error)) if is_transient(&error) => {}
                Poll::Ready(Err(error)) => {
                    self.paused = true;
                    self.outbox.push(Event::AcceptFailed {
                        id: self.id,
                        errno: error.into(),
                    });
                }
            }
        }
        Poll::Ready(())
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
            let listener = self.0.borrow();
            let (id, errno) = (listener.id, Errno(libc::EIO));
            listener.outbox.push(Event::AcceptFailed { id, errno });
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
