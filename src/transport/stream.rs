//! One duplex byte stream, whatever carries it: the only place that reads and writes descriptors.

use std::fs::Permissions;
use std::io::{self, IoSlice, IoSliceMut};
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::task::{ready, Context, Poll};
use std::time::Duration;

use socket2::{SockAddr, SockRef, Socket};
use tokio::io::Interest;

use super::{Binding, Errno};
use crate::runtime::sys::{self, fd_kind, take, FdKind};
use crate::runtime::watch::{Watched, BYTES};

/// A connected, or connecting, stream registered with the runtime that was entered when it was made.
#[derive(Debug)]
pub struct Stream {
    io: Watched,
    carrier: Carrier,
    /// A write once had to wait for room.
    waited: bool,
}

/// What carries a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carrier {
    Tcp,
    Unix,
    /// A pipe or FIFO inherited as a descriptor.
    Pipe,
}

/// Whether a stream still has to hear from its peer before it is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pending {
    Nothing,
    Connect,
    /// The kernel refused at once; told on the next turn, as a remote refusal would be.
    Refused(Errno),
}

impl Stream {
    /// Starts to connect over TCP. Refusals that the kernel knows at once are reported as
    /// asynchronous ones; other errors (`ENETUNREACH`, `EINVAL`...) are returned, with the socket.
    pub fn connect_tcp(
        socket: Socket,
        to: SocketAddr,
    ) -> Result<(Self, Pending), (Option<Socket>, Errno)> {
        match start_connect(&socket, &to.into()) {
            Err(errno) => Err((Some(socket), errno)),
            Ok(pending) => match Self::new(socket.into(), Carrier::Tcp, BOTH) {
                Ok(stream) => Ok((stream, pending)),
                // epoll's own limits; the socket went with the attempt to register it.
                Err(error) => Err((None, error.into())),
            },
        }
    }

    fn new(fd: OwnedFd, carrier: Carrier, interest: Interest) -> io::Result<Self> {
        let io = Watched::new(fd, interest)?;
        let waited = false;
        Ok(Self {
            io,
            carrier,
            waited,
        })
    }

    /// A stream that was accepted. Errors as `epoll_ctl(2)` does.
    pub fn accepted(fd: OwnedFd, carrier: Carrier) -> io::Result<Self> {
        Self::new(fd, carrier, BYTES)
    }

    /// Connects a stream that was connected before.
    pub fn connect_again(&self, to: SocketAddr) -> Result<Pending, Errno> {
        start_connect(&SockRef::from(self), &to.into())
    }

    /// Connects to a Unix domain socket; `path` may be abstract (`\0name`). All refusals are told
    /// on the next turn: `ENOENT`, `ECONNREFUSED`, `EACCES`, `EAGAIN` (its backlog is full).
    pub fn connect_unix(path: &[u8]) -> Result<(Self, Pending), Errno> {
        let address = Binding::unix_address(path)?;
        let socket = Binding::unix_socket()?;
        let pending = match socket.connect(&address) {
            Ok(()) => Pending::Connect,
            Err(error) => Pending::Refused(error.into()),
        };
        let stream = Self::new(socket.into(), Carrier::Unix, BOTH)?;
        Ok((stream, pending))
    }

    /// Takes over a descriptor or, if `share`, another one of it. What is no stream is refused before
    /// it is taken, with `EINVAL`, and stays its owner's.
    pub fn inherited(fd: RawFd, share: bool) -> Result<Self, Errno> {
        if !fd_kind(fd)?.is_stream() {
            return Err(Errno(libc::EINVAL));
        }
        Self::from_fd(take(fd, share)?)
    }

    /// Takes over a descriptor. Errors with `EINVAL` for one that carries no byte stream.
    pub fn from_fd(fd: OwnedFd) -> Result<Self, Errno> {
        let kind = fd_kind(fd.as_raw_fd())?;
        // SockRef only sets O_NONBLOCK here, which is a property of any descriptor.
        SockRef::from(&fd).set_nonblocking(true)?;
        let carrier = match kind {
            FdKind::Tcp => Carrier::Tcp,
            FdKind::Unix => Carrier::Unix,
            FdKind::Pipe => Carrier::Pipe,
            _ => return Err(Errno(libc::EINVAL)),
        };
        Ok(Self::new(fd, carrier, BOTH)?)
    }

    /// The descriptor; it stays the stream's.
    pub fn fd(&self) -> RawFd {
        self.as_fd().as_raw_fd()
    }

    /// Reads into `room`. A short read tells tokio that the kernel has no more, which saves the
    /// read that would only say so.
    pub fn poll_read(
        &self,
        context: &mut Context<'_>,
        room: &mut [IoSliceMut<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = ready!(self.io.poll_call(context, |_| self.receive(room)));
        // Not for Unix sockets: there a read also ends where a descriptor was passed along.
        if let (Ok(count @ 1..), Carrier::Tcp) = (&result, self.carrier) {
            if *count < size_of_room(room) && !self.io.is_urgent() {
                self.io.clear(Interest::READABLE);
            }
        }
        Poll::Ready(result)
    }

    /// Reads into `room` without asking tokio, which learns nothing of it. `None`: there is nothing.
    pub fn read_now(&self, room: &mut [IoSliceMut<'_>]) -> Option<io::Result<usize>> {
        loop {
            match self.receive(room) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return None,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => return Some(result),
            }
        }
    }

    /// Whether it is watched for room, too, for good: it once had to wait for some.
    pub fn watches_room(&self) -> bool {
        self.waited
    }

    /// Whether it can be read without asking tokio. Not one that is watched for room, too: the kernel would
    /// go on to report it for that. One that never waits for room is not watched for it from the second
    /// call on; called where the runtime is entered.
    pub fn reads_alone(&mut self) -> io::Result<bool> {
        if !self.io.interest().is_writable() {
            return Ok(true);
        }
        if !self.waited {
            self.io.watch_for(BYTES)?;
        }
        Ok(false)
    }

    /// Ready when a read would find something; otherwise the task is woken when it would.
    pub fn poll_readable(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.io.poll_readable(context)
    }

    /// Ready when a write would be taken, as far as tokio knows. Called where the runtime is entered.
    pub fn poll_writable(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.waited = true;
        self.io.poll_writable(context)
    }

    /// Ready when an attempt to connect has ended, with its result.
    pub fn poll_connected(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Errno>> {
        ready!(self.io.poll_writable(context)).map_err(Errno::from)?;
        Poll::Ready(match SockRef::from(&*self).take_error() {
            Ok(None) => Ok(()),
            Ok(Some(error)) | Err(error) => Err(error.into()),
        })
    }

    /// Writes at once what the kernel takes, without asking tokio first: a socket that was just
    /// accepted is writable before the first `epoll_wait` can say so. `Ok(0)`: nothing now, and
    /// tokio knows, so that [`Self::poll_writable`] waits.
    pub fn write_now(&self, chunks: &[IoSlice<'_>]) -> Result<usize, Errno> {
        let total: usize = chunks.iter().map(|chunk| chunk.len()).sum();
        let written = loop {
            match self.send(chunks) {
                Ok(count) => break count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break 0,
                Err(error) => return Err(error.into()),
            }
        };
        if written < total {
            self.io.clear(Interest::WRITABLE);
        }
        Ok(written)
    }

    /// Whether what does not fill a segment of TCP waits for more: for 200 ms at most, says tcp(7).
    pub fn set_cork(&self, cork: bool) {
        #[cfg(any(target_os = "linux", target_os = "android"))]
        if self.carrier == Carrier::Tcp {
            let _ = SockRef::from(self).set_tcp_cork(cork);
        }
    }

    /// Sends our FIN.
    pub fn shut_down_write(&self) -> Result<(), Errno> {
        match self.carrier {
            Carrier::Pipe => Ok(()),
            _ => Ok(SockRef::from(self).shutdown(std::net::Shutdown::Write)?),
        }
    }

    /// Makes the close of this stream a reset (`SO_LINGER` of zero seconds). TCP only.
    pub fn reset_on_close(&self) -> Result<(), Errno> {
        match self.carrier {
            Carrier::Tcp => Ok(SockRef::from(self).set_linger(Some(Duration::ZERO))?),
            _ => Err(Errno(libc::ENOTSUP)),
        }
    }

    /// Makes room for a last write: as much again as a socket on a path has. Of TCP the kernel has made
    /// more than anybody may ask for.
    pub fn widen(&self) -> Result<(), Errno> {
        match self.carrier {
            Carrier::Unix => Ok(SockRef::from(self).set_send_buffer_size(SEND_BUFFER_MAX)?),
            _ => Err(Errno(libc::ENOTSUP)),
        }
    }

    /// Fails what waits for the peer when nothing moved for so long. TCP only.
    pub fn give_up_after(&self, time: Duration) -> Result<(), Errno> {
        match self.carrier {
            #[cfg(any(target_os = "linux", target_os = "android"))]
            Carrier::Tcp => Ok(SockRef::from(self).set_tcp_user_timeout(Some(time))?),
            _ => Err(Errno(libc::ENOTSUP)),
        }
    }

    fn receive(&self, room: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        match (self.carrier, room) {
            (Carrier::Pipe, room) => sys::read(self.as_fd(), room),
            (_, [buffer]) => sys::receive(self.as_fd(), buffer),
            (_, room) => sys::receive_vectored(self.as_fd(), room),
        }
    }

    fn send(&self, chunks: &[IoSlice<'_>]) -> io::Result<usize> {
        match (self.carrier, chunks) {
            (Carrier::Pipe, _) => sys::write(self.as_fd(), chunks),
            (_, [chunk]) => sys::send(self.as_fd(), chunk),
            _ => sys::send_vectored(self.as_fd(), chunks),
        }
    }
}

impl AsFd for Stream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.io.as_fd()
    }
}

/// Bytes that a read may find.
pub fn size_of_room(room: &[IoSliceMut<'_>]) -> usize {
    room.iter().map(|part| part.len()).sum()
}

/// As libuv: `ECONNREFUSED` is a verdict about the peer, so it is told later; the rest is ours.
fn start_connect(socket: &Socket, address: &SockAddr) -> Result<Pending, Errno> {
    loop {
        return match socket.connect(address) {
            Ok(()) => Ok(Pending::Connect),
            Err(error) => match error.raw_os_error() {
                Some(libc::EINPROGRESS) => Ok(Pending::Connect),
                Some(libc::EINTR) => continue,
                Some(libc::ECONNREFUSED) => Ok(Pending::Refused(Errno(libc::ECONNREFUSED))),
                _ => Err(error.into()),
            },
        };
    }
}

/// Removes the file of a Unix domain socket; that it is gone already is no error.
pub fn unlink(path: &Path) {
    let _ = std::fs::remove_file(path);
}

/// Sets the permissions of a file, or adds to them.
pub fn change_mode(path: &Path, bits: u32, add: bool) -> Result<(), Errno> {
    let before = std::fs::metadata(path)?.permissions().mode();
    let mode = if add { before | bits } else { bits };
    Ok(std::fs::set_permissions(
        path,
        Permissions::from_mode(mode),
    )?)
}

const BOTH: Interest = BYTES.add(Interest::WRITABLE);
/// What is asked for; the kernel gives what it allows (`wmem_max`).
const SEND_BUFFER_MAX: usize = 4 << 20;
