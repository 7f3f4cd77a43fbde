//! A descriptor that the runtime watches: at first only for what somebody wants to know of it.
//!
//! A socket that takes every write at once is watched for bytes to read alone: else the kernel tells of
//! the room that every new connection has, and a socket that was read without asking the runtime would
//! stay ready in its list for that room.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::task::{ready, Context, Poll};

use socket2::Socket;
use tokio::io::unix::AsyncFd;
use tokio::io::Interest;

/// Owns a descriptor and its registration with the runtime that was entered when it was made.
#[derive(Debug)]
pub struct Watched {
    // Declared, and so dropped, before the descriptor. `None`: the kernel refused to watch it.
    registration: Option<AsyncFd<RawFd>>,
    interest: Interest,
    fd: OwnedFd,
}

impl Watched {
    /// Registers a descriptor that is not blocking. Errors as `epoll_ctl(2)` does: `ENOSPC`, `ENOMEM`.
    pub fn new(fd: OwnedFd, interest: Interest) -> io::Result<Self> {
        let registration = Some(register(&fd, interest)?);
        Ok(Self {
            registration,
            interest,
            fd,
        })
    }

    /// What it is watched for.
    pub fn interest(&self) -> Interest {
        self.interest
    }

    /// Watches for something else from now on. Who waits is forgotten, and has to ask again.
    pub fn watch_for(&mut self, interest: Interest) -> io::Result<()> {
        // epoll takes a descriptor once.
        self.registration = None;
        self.interest = interest;
        self.registration = Some(register(&self.fd, interest)?);
        Ok(())
    }

    /// Ready when a read would find something, as far as the runtime knows; otherwise the task is woken
    /// when it would.
    pub fn poll_readable(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.registration()?.poll_read_ready(context).map_ok(|_| ())
    }

    /// As [`Self::poll_readable`], of a write. Watches for room if nobody wanted to know of it so far.
    pub fn poll_writable(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.interest.is_writable() {
            self.watch_for(BYTES | Interest::WRITABLE)?;
            // The task waits for bytes as before.
            if let Poll::Ready(result) = self.poll_readable(context) {
                result?;
                context.waker().wake_by_ref();
            }
        }
        self.registration()?
            .poll_write_ready(context)
            .map_ok(|_| ())
    }

    /// Calls once there is something to read, as far as the runtime knows, until the kernel does not say
    /// otherwise.
    pub fn poll_call<R>(
        &self,
        context: &mut Context<'_>,
        mut call: impl FnMut(BorrowedFd<'_>) -> io::Result<R>,
    ) -> Poll<io::Result<R>> {
        loop {
            let mut guard = ready!(self.registration()?.poll_read_ready(context))?;
            match call(self.fd.as_fd()) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    guard.clear_ready();
                    if self.is_urgent() {
                        self.clear(URGENT);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => return Poll::Ready(result),
            }
        }
    }

    /// Whether urgent data came, as far as the runtime knows: a read ends before it, though there is more.
    pub fn is_urgent(&self) -> bool {
        let tell = |registration: &AsyncFd<RawFd>| registration.try_io(URGENT, |_| Ok(())).is_ok();
        URGENT != Interest::READABLE && self.registration.as_ref().is_some_and(tell)
    }

    /// Tells the runtime what a call past it learnt: that there is nothing to read, or no room to write.
    pub fn clear(&self, interest: Interest) {
        if let Some(registration) = &self.registration {
            let _ =
                registration.try_io(interest, |_| Err::<(), _>(io::ErrorKind::WouldBlock.into()));
        }
    }

    fn registration(&self) -> io::Result<&AsyncFd<RawFd>> {
        let refused = || io::Error::from_raw_os_error(libc::ENOSPC);
        self.registration.as_ref().ok_or_else(refused)
    }
}

impl AsFd for Watched {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// What there is to read, urgent or not.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub const BYTES: Interest = Interest::READABLE.add(URGENT);
#[cfg(any(target_os = "linux", target_os = "android"))]
const URGENT: Interest = Interest::PRIORITY;
/// Elsewhere the runtime does not tell of urgent data.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub const BYTES: Interest = Interest::READABLE;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const URGENT: Interest = Interest::READABLE;

/// Registers a datagram socket, whose errors are waited for as well, with the runtime that is entered.
pub fn watch_socket(socket: Socket, interest: Interest) -> io::Result<AsyncFd<Socket>> {
    // SAFETY: a Socket owns its descriptor and always names the same one, until it is dropped with
    // the AsyncFd.
    unsafe { AsyncFd::register_with_interest(socket, interest) }.map_err(io::Error::from)
}

fn register(fd: &OwnedFd, interest: Interest) -> io::Result<AsyncFd<RawFd>> {
    // SAFETY: a Watched owns the descriptor and drops the registration first.
    unsafe { AsyncFd::register_with_interest(fd.as_raw_fd(), interest) }.map_err(io::Error::from)
}
