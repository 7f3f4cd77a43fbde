//! Servers that are nothing but their system calls: what the kernel alone costs a benchmark.
//!
//! One thread, edge-triggered epoll, and one call for each thing that has to be asked of the kernel:
//! no probe for what is not there, no timer, no program. What they read is not kept.

mod answer;
mod echo;
mod stream;

use std::io::{self, ErrorKind};
use std::mem;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsRawFd;

use nix::errno::Errno;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use nix::sys::socket::{recv, send, sendmsg, MsgFlags};

pub use answer::Answers;
pub use echo::Echo;
pub use stream::Stream;

/// What is done with the connections of a server.
pub trait Service {
    /// What a connection keeps from one event to the next.
    type State: Default;

    /// Prepares a connection that has just been accepted.
    fn accepted(&self, _stream: &TcpStream) -> io::Result<()> {
        Ok(())
    }

    /// Does all that an event allows. `ended`: the peer sends no more than what can be read now.
    fn ready(&mut self, state: &mut Self::State, link: &Link, ended: bool) -> io::Result<After>;
}

/// What a connection waits for after an event.
#[derive(Debug, PartialEq, Eq)]
pub enum After {
    /// Something to read.
    Idle,
    /// Room to write.
    Blocked,
    /// Its next turn, for which there is work left already.
    Unfinished,
    /// Nothing any more: it is closed.
    Closed,
}

/// The socket of a connection. It may block, and no call on it does: accepting one that does not
/// would take the standard library a call more.
pub struct Link {
    stream: TcpStream,
}

impl Link {
    /// How much was read, 0 at the end of the stream; `None` where nothing has come.
    pub fn recv(&self, bytes: &mut [u8]) -> io::Result<Option<usize>> {
        match recv(self.stream.as_raw_fd(), bytes, MsgFlags::MSG_DONTWAIT) {
            Ok(length) => Ok(Some(length)),
            Err(Errno::EAGAIN) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// How much was taken. Less than all: the kernel reports the room for the rest.
    pub fn send(&self, bytes: &[u8]) -> io::Result<usize> {
        taken(send(self.stream.as_raw_fd(), bytes, MsgFlags::MSG_DONTWAIT))
    }

    /// As [`send`](Self::send), from several places.
    pub fn send_parts(&self, parts: &[io::IoSlice<'_>]) -> io::Result<usize> {
        let (fd, flags) = (self.stream.as_raw_fd(), MsgFlags::MSG_DONTWAIT);
        taken(sendmsg::<()>(fd, parts, &[], flags, None))
    }
}

/// Prints the port it listens on, as the servers of the other contenders do, and serves until it is
/// killed.
pub fn serve<S: Service>(address: SocketAddr, service: S) -> io::Result<()> {
    let listener = TcpListener::bind(address)?;
    println!("{}", listener.local_addr()?.port());
    Server::new(listener, service)?.run()
}

struct Server<S: Service> {
    epoll: Epoll,
    listener: TcpListener,
    service: S,
    /// By file descriptor.
    connections: Vec<Option<Connection<S::State>>>,
    /// The descriptors of those that go on when all others have had their turn.
    unfinished: Vec<usize>,
}

struct Connection<T> {
    link: Link,
    state: T,
    /// Whether its peer sends no more.
    ended: bool,
    /// Whether epoll reports room to write: not before there was a lack of it.
    reports_room: bool,
    /// Whether it is among the unfinished: an event that comes first gives it no second place.
    unfinished: bool,
}

impl<S: Service> Server<S> {
    fn new(listener: TcpListener, service: S) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        epoll.add(&listener, event(&listener, EpollFlags::EPOLLIN))?;
        Ok(Self {
            epoll,
            listener,
            service,
            connections: Vec::new(),
            unfinished: Vec::new(),
        })
    }

    fn run(mut self) -> io::Result<()> {
        let mut events = [EpollEvent::empty(); EVENTS];
        loop {
            let patience = match self.unfinished.is_empty() {
                true => EpollTimeout::NONE,
                false => EpollTimeout::ZERO,
            };
            let count = match self.epoll.wait(&mut events, patience) {
                Err(Errno::EINTR) => continue,
                count => count?,
            };
            let unfinished = mem::take(&mut self.unfinished);
            for event in &events[..count] {
                let fd = event.data() as usize;
                if fd == self.listener.as_raw_fd() as usize {
                    self.accept()?;
                } else {
                    self.ready(fd, event.events())?;
                }
            }
            for fd in unfinished {
                self.go_on(fd)?;
            }
        }
    }

    /// Takes one connection: the listener is level-triggered and reports the next by itself, which
    /// spares the call that finds none.
    fn accept(&mut self) -> io::Result<()> {
        let stream = match self.listener.accept() {
            Ok((stream, _)) => stream,
            // It was gone again, or was none.
            Err(error) if error.kind() == ErrorKind::ConnectionAborted => return Ok(()),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error),
        };
        self.service.accepted(&stream)?;
        self.epoll.add(&stream, event(&stream, READS))?;
        let fd = stream.as_raw_fd() as usize;
        if self.connections.len() <= fd {
            self.connections.resize_with(fd + 1, || None);
        }
        self.connections[fd] = Some(Connection {
            link: Link { stream },
            state: S::State::default(),
            ended: false,
            reports_room: false,
            unfinished: false,
        });
        Ok(())
    }

    /// Gives one its turn, unless it was closed since.
    fn go_on(&mut self, fd: usize) -> io::Result<()> {
        match self.connections[fd].as_mut() {
            Some(connection) if connection.unfinished => connection.unfinished = false,
            _ => return Ok(()),
        }
        self.ready(fd, EpollFlags::empty())
    }

    fn ready(&mut self, fd: usize, happened: EpollFlags) -> io::Result<()> {
        let Some(connection) = self.connections[fd].as_mut() else {
            return Ok(());
        };
        connection.ended |= happened.intersects(ENDS);
        let Connection {
            link, state, ended, ..
        } = connection;
        let after = self
            .service
            .ready(state, link, *ended)
            // A peer that leaves in the midst of a message is no failure of this side.
            .unwrap_or(After::Closed);
        match after {
            After::Closed => self.connections[fd] = None,
            After::Blocked if !connection.reports_room => {
                connection.reports_room = true;
                let stream = &connection.link.stream;
                let mut wanted = event(stream, READS | EpollFlags::EPOLLOUT);
                self.epoll.modify(stream, &mut wanted)?;
            }
            After::Unfinished if !connection.unfinished => {
                connection.unfinished = true;
                self.unfinished.push(fd);
            }
            After::Unfinished | After::Blocked | After::Idle => {}
        }
        Ok(())
    }
}

fn event(socket: &impl AsRawFd, wanted: EpollFlags) -> EpollEvent {
    EpollEvent::new(wanted, socket.as_raw_fd() as u64)
}

fn taken(result: nix::Result<usize>) -> io::Result<usize> {
    match result {
        Err(Errno::EAGAIN) => Ok(0),
        other => Ok(other?),
    }
}

const EVENTS: usize = 256;
const READS: EpollFlags = EpollFlags::EPOLLIN
    .union(EpollFlags::EPOLLRDHUP)
    .union(EpollFlags::EPOLLET);
const ENDS: EpollFlags = EpollFlags::EPOLLRDHUP
    .union(EpollFlags::EPOLLHUP)
    .union(EpollFlags::EPOLLERR);

/// A server of a test, on a thread that ends with the test's process.
#[cfg(test)]
fn start<S: Service + Send + 'static>(service: S) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || Server::new(listener, service).unwrap().run());
    address
}
