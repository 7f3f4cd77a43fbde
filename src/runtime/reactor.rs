//! A tokio runtime that somebody else's loop turns: its epoll descriptor, one poll of it, one run
//! of its tasks. Knows neither libuv nor napi.

use std::cell::RefCell;
use std::fs::File;
use std::future::Future;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::os::unix::fs::MetadataExt;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::task::{Context, Wake, Waker};

use tokio::io::Interest;
use tokio::runtime::{Builder, EnterGuard, Runtime};
use tokio::task::LocalSet;

use super::watch::Watched;

/// One current-thread runtime with the tasks that run on it. It only moves when it is turned.
pub struct Reactor {
    // Declared, and so dropped, before the runtime: tasks own sockets registered with it.
    tasks: RefCell<LocalSet>,
    runtime: Runtime,
    fd: RawFd,
    woken: Arc<Woken>,
    waker: Waker,
}

impl Reactor {
    /// Builds a runtime and finds its descriptor. Errors as the kernel does (`EMFILE`), or with
    /// `Unsupported` where the descriptor cannot be told.
    pub fn new() -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_io().build()?;
        let fd = pollable_fd(&runtime)?;
        let woken = Arc::new(Woken(AtomicBool::new(false)));
        let waker = Waker::from(woken.clone());
        let tasks = RefCell::new(LocalSet::new());
        Ok(Self {
            tasks,
            runtime,
            fd,
            woken,
            waker,
        })
    }

    /// The descriptor that is readable whenever [`Self::poll_io`] would find something.
    pub fn fd(&self) -> RawFd {
        self.fd
    }

    /// Sockets can be registered with this runtime while the guard lives.
    pub fn enter(&self) -> EnterGuard<'_> {
        self.runtime.enter()
    }

    /// Adds a task; it is first polled by the next [`Self::run_tasks`].
    pub fn spawn(&self, task: impl Future<Output = ()> + 'static) {
        self.tasks.borrow().spawn_local(task);
        // The set cannot wake anybody before it was polled for the first time.
        self.woken.0.store(true, Ordering::Relaxed);
    }

    /// Takes what the kernel has to report, without waiting: exactly one `epoll_wait`.
    pub fn poll_io(&self) {
        self.runtime.block_on(tokio::task::yield_now());
    }

    /// Whether a task was woken since the last [`Self::run_tasks`].
    pub fn is_woken(&self) -> bool {
        self.woken.0.load(Ordering::Relaxed)
    }

    /// Polls the woken tasks until none is, or `TASK_ROUNDS` of tokio's batches have run.
    pub fn run_tasks(&self) {
        let _guard = self.runtime.enter();
        let mut context = Context::from_waker(&self.waker);
        let mut tasks = self.tasks.borrow_mut();
        for _ in 0..TASK_ROUNDS {
            self.woken.0.store(false, Ordering::Relaxed);
            if Pin::new(&mut *tasks).poll(&mut context).is_ready() || !self.is_woken() {
                return;
            }
        }
    }
}

/// Remembers that a task was woken. Atomic since a waker has to be; all that wakes is on this thread.
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// tokio has no accessor for its epoll descriptor, so it is found by a check: register one end of a
/// pipe and look which epoll descriptor of this process lists it.
#[cfg(target_os = "linux")]
fn pollable_fd(runtime: &Runtime) -> io::Result<RawFd> {
    let (probe, _writer) = io::pipe()?;
    let probe = OwnedFd::from(probe);
    let wanted = (
        probe.as_raw_fd(),
        File::from(probe.try_clone()?).metadata()?.ino(),
    );
    let _guard = runtime.enter();
    let _registered = Watched::new(probe, Interest::READABLE)?;

    for entry in std::fs::read_dir("/proc/self/fd")? {
        let entry = entry?;
        let is_epoll = std::fs::read_link(entry.path())
            .is_ok_and(|target| target.as_os_str() == "anon_inode:[eventpoll]");
        let name = entry.file_name();
        let Some(fd) = name.to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        if is_epoll && lists(fd, wanted) {
            return Ok(fd);
        }
    }
    Err(unsupported(
        "no epoll descriptor of this process watches tokio's sockets",
    ))
}

/// Whether `/proc` says that the epoll descriptor watches `wanted`, a descriptor and its inode: a line
/// `tfd: N events: ... ino:X sdev:Y`, in proc_pid_fdinfo(5). The number alone may be that of a file that
/// was closed here and is still open elsewhere.
#[cfg(target_os = "linux")]
fn lists(epoll: RawFd, wanted: (RawFd, u64)) -> bool {
    let info = std::fs::read_to_string(format!("/proc/self/fdinfo/{epoll}")).unwrap_or_default();
    let mut watched = info.lines().filter_map(|line| line.strip_prefix("tfd:"));
    watched.any(|rest| {
        let mut words = rest.split_whitespace();
        let fd = words.next().and_then(|fd| fd.parse().ok());
        let inode = words
            .find_map(|word| word.strip_prefix("ino:"))
            .and_then(|inode| u64::from_str_radix(inode, 16).ok());
        fd == Some(wanted.0) && inode.is_none_or(|inode| inode == wanted.1)
    })
}

#[cfg(not(target_os = "linux"))]
fn pollable_fd(_runtime: &Runtime) -> io::Result<RawFd> {
    Err(unsupported(
        "tokio's descriptor can only be found on Linux yet",
    ))
}

fn unsupported(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, why)
}

/// 32 batches of tokio's 61 tasks: about 2,000 connections before JavaScript gets its turn.
const TASK_ROUNDS: usize = 32;

#[cfg(test)]
mod tests {
    use super::super::sys::is_readable;
    use super::*;
    use std::cell::Cell;
    use std::rc::Rc;
    use tokio::io::AsyncReadExt;

    #[test]
    fn a_task_advances_only_when_turned() {
        let reactor = Reactor::new().unwrap();
        let done = Rc::new(Cell::new(false));
        let seen = done.clone();
        reactor.spawn(async move { seen.set(true) });
        assert!(!done.get());
        reactor.run_tasks();
        assert!(done.get());
    }

    #[test]
    fn the_descriptor_becomes_readable_with_its_sockets() {
        let reactor = Reactor::new().unwrap();
        let (ours, theirs) = std::os::unix::net::UnixStream::pair().unwrap();
        ours.set_nonblocking(true).unwrap();
        let mut stream = {
            let _guard = reactor.enter();
            tokio::net::UnixStream::from_std(ours).unwrap()
        };
        let got = Rc::new(Cell::new(0));
        let seen = got.clone();
        reactor.spawn(async move { seen.set(stream.read(&mut [0; 8]).await.unwrap()) });
        while reactor.is_woken() || is_readable(reactor.fd()) {
            reactor.poll_io();
            reactor.run_tasks();
        }
        assert_eq!(got.get(), 0);

        std::io::Write::write_all(&mut &theirs, b"byte").unwrap();
        assert!(is_readable(reactor.fd()));
        reactor.poll_io();
        reactor.run_tasks();
        assert_eq!(got.get(), 4);
    }

    #[test]
    fn each_runtime_finds_its_own_descriptor() {
        let (one, two) = (Reactor::new().unwrap(), Reactor::new().unwrap());
        assert_ne!(one.fd(), two.fd());
    }
}
