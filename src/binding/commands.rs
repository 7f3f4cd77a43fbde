//! What JavaScript can ask of the addon: one class, `Runtime`, with Node's handle verbs. Every
//! command returns at once; results are 0 or a negated error number, as libuv's are.

use std::rc::Rc;
use std::time::Duration;

use napi::bindgen_prelude::{Either, JsObjectValue, JsValue, Object, Unknown};
use napi::Env;
use napi_derive::napi;

use super::environment::{code, Environment};
use super::handles::{insert, Kind};
use super::hot;
use crate::runtime::slab::KEEP;
use crate::runtime::sys::FdKind;
use crate::transport::{
    change_mode, parse_socket_address, AcceptTask, Binding, Endpoint, Errno, HandleId, Listener,
    Stream,
};

/// The version of the addon, compared with package.json's when it is loaded.
#[napi]
pub fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}

/// A read in the spare of at least so many bytes takes the spare with it.
#[napi]
pub fn keep_from() -> u32 {
    KEEP as u32
}

/// What an inherited descriptor is, as Node names it in `ERR_INVALID_FD_TYPE`.
#[napi]
pub fn fd_kind(fd: i32) -> &'static str {
    match crate::runtime::sys::fd_kind(fd) {
        Ok(FdKind::Tcp | FdKind::TcpListener) => "TCP",
        Ok(FdKind::Unix | FdKind::UnixListener | FdKind::Pipe) => "PIPE",
        Ok(FdKind::File) => "FILE",
        Ok(FdKind::Terminal) => "TTY",
        Ok(FdKind::Datagram) => "UDP",
        Ok(FdKind::Other) | Err(_) => "UNKNOWN",
    }
}

/// One end of a connection, as `socket.address()` shows it.
#[napi(object)]
pub struct Address {
    pub address: String,
    pub family: String,
    pub port: u16,
}

/// The transports of one Node environment.
#[napi]
pub struct Runtime {
    pub(super) environment: Rc<Environment>,
}

#[napi]
impl Runtime {
    /// `deliver()` takes events by `nextEvent` until it has all, or as many as it wants; `allocate(size)`
    /// returns a Buffer to read into.
    /// Throws where the runtime cannot be made: with the kernel's error number, negated, as `errno`
    /// (`EMFILE`), or without one where the platform is not supported.
    #[napi(constructor, catch_unwind)]
    pub fn new(env: Env, deliver: Unknown, allocate: Unknown) -> napi::Result<Self> {
        // SAFETY: napi-rs gives live values of the calling environment; lib/internal passes
        // functions, and napi_create_reference refuses what is neither object nor function.
        let made = unsafe { Environment::new(env.raw(), deliver.raw(), allocate.raw()) };
        match made {
            Ok(environment) => Ok(Self { environment }),
            Err(error) => Err(cannot_start(env, &error)?),
        }
    }

    /// Puts the commands of the hot path on `target`; events are told in `told`, an Int32Array of 6, small
    /// writes and reads come by way of `crossing`, a Buffer: nobody else may see either.
    #[napi(catch_unwind)]
    pub fn define_commands(&self, env: Env, target: Object, told: Unknown, crossing: Unknown) {
        self.environment.set_told(told.raw());
        self.environment.set_crossing(crossing.raw());
        // SAFETY: live values of the calling environment, whose cleanup hook keeps our environment
        // until JavaScript cannot run any more.
        unsafe { hot::define(env.raw(), target.raw(), &self.environment) };
    }

    /// HTTP events are told in `registers`, an Int32Array of 20 that nobody else may see.
    #[napi(catch_unwind)]
    pub fn set_registers(&self, registers: Unknown) {
        self.environment.set_registers(registers.raw());
    }

    /// Makes a handle.
    #[napi(catch_unwind)]
    pub fn open(&self) -> HandleId {
        insert(&mut self.environment.handles.borrow_mut(), Kind::Fresh)
    }

    /// Binds to an IP address; the socket may then listen or connect.
    #[napi(catch_unwind)]
    pub fn bind(
        &self,
        id: HandleId,
        address: String,
        port: u16,
        ipv6_only: bool,
        reuse_port: bool,
    ) -> i32 {
        code(self.set_kind(id, |_| {
            let address = parse_socket_address(&address, port)?;
            let socket = Binding::tcp(address, ipv6_only, reuse_port)?;
            Ok(Kind::Bound { socket, path: None })
        }))
    }

    /// Binds to the path of a Unix domain socket, or to an abstract name after a NUL.
    #[napi(catch_unwind)]
    pub fn bind_path(&self, id: HandleId, path: &[u8]) -> i32 {
        code(self.set_kind(id, |_| {
            let (socket, path) = Binding::unix(path)?;
            Ok(Kind::Bound { socket, path })
        }))
    }

    /// Sets the permissions of a bound Unix socket's file, or adds to them.
    #[napi(catch_unwind)]
    pub fn chmod(&self, id: HandleId, bits: u32, add: bool) -> i32 {
        match self.environment.kind(id).as_deref() {
            Some(Kind::Bound {
                path: Some(path), ..
            }) => code(change_mode(path, bits, add)),
            _ => -libc::EINVAL,
        }
    }

    /// Listens on a bound handle; accepted connections follow. One that listens already has another
    /// backlog from now on.
    #[napi(catch_unwind)]
    pub fn listen(&self, id: HandleId, backlog: i32) -> i32 {
        if let Some(Kind::Listener(listener)) = self.environment.kind(id).as_deref() {
            return code(listener.borrow().set_backlog(backlog));
        }
        code(self.set_kind(id, |kind| {
            let Kind::Bound { socket, path } = kind else {
                return Err(Errno(libc::EINVAL));
            };
            let outbox = self.environment.outbox.clone();
            let listener = Listener::bound(socket, path, backlog, id, outbox)?;
            self.environment
                .driver
                .reactor()
                .spawn(AcceptTask(listener.clone()));
            Ok(Kind::Listener(listener))
        }))
    }

    /// Listens on an inherited descriptor or, if `share`, on another one of it.
    #[napi(catch_unwind)]
    pub fn listen_fd(&self, id: HandleId, fd: i32, backlog: i32, share: bool) -> i32 {
        code(self.set_kind(id, |_| {
            let outbox = self.environment.outbox.clone();
            if self.environment.owns(fd) {
                return Err(Errno(libc::EEXIST));
            }
            let listener = Listener::inherited(fd, share, backlog, id, outbox)?;
            self.environment
                .driver
                .reactor()
                .spawn(AcceptTask(listener.clone()));
            Ok(Kind::Listener(listener))
        }))
    }

    /// Accepts again after an error stopped it.
    #[napi(catch_unwind)]
    pub fn accept_again(&self, id: HandleId) {
        if let Some(Kind::Listener(listener)) = self.environment.kind(id).as_deref() {
            listener.borrow_mut().resume();
        }
    }

    /// Becomes the stream behind an inherited descriptor or, if `share`, behind another one of it.
    #[napi(catch_unwind)]
    pub fn open_fd(&self, id: HandleId, fd: i32, share: bool) -> i32 {
        code(self.set_kind(id, |_| {
            if self.environment.owns(fd) {
                return Err(Errno(libc::EEXIST));
            }
            let stream = Stream::inherited(fd, share)?;
            Ok(self
                .environment
                .open_connection(id, stream, crate::transport::Pending::Nothing))
        }))
    }

    /// Connects to an IP address; a `Connected` event follows.
    #[napi(catch_unwind)]
    pub fn connect(&self, id: HandleId, address: String, port: u16) -> i32 {
        if let Ok(connection) = self.environment.connection(id) {
            let again = parse_socket_address(&address, port)
                .and_then(|to| connection.borrow_mut().connect_again(to));
            self.environment.update(id);
            return code(again);
        }
        let mut refused = None;
        let result = self.set_kind(id, |kind| {
            let to = parse_socket_address(&address, port)?;
            let socket = match kind {
                Kind::Bound { socket, .. } => socket,
                _ => Binding::tcp_socket(&to)?,
            };
            let (stream, pending) = match Stream::connect_tcp(socket, to) {
                Ok(connecting) => connecting,
                Err((socket, errno)) => {
                    // It keeps the address it has, for the error to tell.
                    refused = Some(errno);
                    return Ok(
                        socket.map_or(Kind::Fresh, |socket| Kind::Bound { socket, path: None })
                    );
                }
            };
            Ok(self.environment.open_connection(id, stream, pending))
        });
        code(refused.map_or(result, Err))
    }

    /// Connects to a Unix domain socket.
    #[napi(catch_unwind)]
    pub fn connect_path(&self, id: HandleId, path: &[u8]) -> i32 {
        code(self.set_kind(id, |_| {
            let (stream, pending) = Stream::connect_unix(path)?;
            Ok(self.environment.open_connection(id, stream, pending))
        }))
    }

    /// Reads at most `size` bytes at a time, all of which JavaScript copies.
    #[napi(catch_unwind)]
    pub fn fix_read_size(&self, id: HandleId, size: u32) -> i32 {
        self.command(id, |connection| {
            connection.fix_window(size as usize);
            Ok(())
        })
    }

    #[napi(catch_unwind)]
    pub fn set_no_delay(&self, id: HandleId, enable: bool) -> i32 {
        self.command(id, |connection| connection.set_no_delay(enable))
    }

    /// `delay` before the first probe and `interval` between them in seconds; `count` of them.
    #[napi(catch_unwind)]
    pub fn set_keep_alive(
        &self,
        id: HandleId,
        enable: bool,
        delay: u32,
        interval: u32,
        count: u32,
    ) -> i32 {
        let [delay, interval] = [delay, interval].map(|it| Duration::from_secs(it.into()));
        self.option(id, |stream| {
            stream.set_keep_alive(enable, delay, interval, count)
        })
    }

    #[napi(catch_unwind)]
    pub fn set_type_of_service(&self, id: HandleId, value: u8) -> i32 {
        self.option(id, |stream| stream.set_type_of_service(value))
    }

    /// The value, or a negated error number.
    #[napi(catch_unwind)]
    pub fn get_type_of_service(&self, id: HandleId) -> i32 {
        let read = |stream: &Stream| stream.type_of_service();
        match self
            .environment
            .with_connection(id, |it| on_stream(it.stream(), read))
        {
            Ok(value) => value.into(),
            Err(Errno(errno)) => -errno,
        }
    }

    /// Our end, or a negated error number.
    #[napi(catch_unwind)]
    pub fn getsockname(&self, id: HandleId) -> Either<i32, Address> {
        let local = match self.environment.kind(id).as_deref() {
            Some(Kind::Bound { socket, .. }) => Binding::local_address(socket),
            Some(Kind::Connection(it)) => on_stream(it.borrow().stream(), Stream::local_address),
            Some(Kind::Listener(listener)) => listener.borrow().local_address(),
            Some(Kind::Datagram(datagram)) => datagram.borrow().local_address(),
            _ => Err(Errno(libc::EBADF)),
        };
        address(local)
    }

    /// The peer's end, or a negated error number.
    #[napi(catch_unwind)]
    pub fn getpeername(&self, id: HandleId) -> Either<i32, Address> {
        if let Ok(datagram) = self.environment.datagram(id) {
            return address(datagram.borrow().peer_address());
        }
        address(
            self.environment
                .with_connection(id, |it| on_stream(it.stream(), Stream::peer_address)),
        )
    }

    /// The descriptor, -1 for none.
    #[napi(catch_unwind)]
    pub fn fd(&self, id: HandleId) -> i32 {
        let handles = self.environment.handles.borrow();
        handles.get(id as usize).map_or(-1, |handle| handle.fd())
    }

    /// Another descriptor of what the handle has, which nobody here closes; or a negated error number.
    #[napi(catch_unwind)]
    pub fn share_fd(&self, id: HandleId) -> i32 {
        match crate::runtime::sys::share(self.fd(id)) {
            Ok(fd) => fd,
            Err(error) => -Errno::from(error).0,
        }
    }

    /// Whether an active handle keeps the process alive.
    #[napi(catch_unwind)]
    pub fn has_ref(&self, id: HandleId) -> bool {
        let handles = self.environment.handles.borrow();
        handles.get(id as usize).is_some_and(|handle| handle.refed)
    }

    /// The process exits: sends what waits, and lets nothing wait any more.
    #[napi(catch_unwind)]
    pub fn flush_for_exit(&self) {
        self.environment.flush_for_exit();
    }
}

impl Runtime {
    /// Gives a handle its next state. On an error it keeps the one it had, less what `change` took.
    fn set_kind(
        &self,
        id: HandleId,
        change: impl FnOnce(Kind) -> Result<Kind, Errno>,
    ) -> Result<(), Errno> {
        let _guard = self.environment.driver.reactor().enter();
        let current = match self.environment.handles.borrow_mut().get_mut(id as usize) {
            Some(handle) if matches!(handle.kind, Kind::Fresh | Kind::Bound { .. }) => {
                std::mem::replace(&mut handle.kind, Kind::Fresh)
            }
            Some(handle) => return Err(handle.why_not_fresh()),
            None => return Err(Errno(libc::EBADF)),
        };
        let next = change(current)?;
        self.environment.handles.borrow_mut()[id as usize].kind = next;
        self.environment.update(id);
        Ok(())
    }

    fn command(
        &self,
        id: HandleId,
        body: impl FnOnce(&mut crate::transport::Connection) -> Result<(), Errno>,
    ) -> i32 {
        code(self.environment.with_connection(id, body))
    }

    fn option(&self, id: HandleId, set: impl FnOnce(&Stream) -> Result<(), Errno>) -> i32 {
        self.command(id, |connection| on_stream(connection.stream(), set))
    }
}

fn on_stream<T>(
    stream: Option<&Stream>,
    body: impl FnOnce(&Stream) -> Result<T, Errno>,
) -> Result<T, Errno> {
    body(stream.ok_or(Errno(libc::EBADF))?)
}

fn cannot_start(env: Env, error: &std::io::Error) -> napi::Result<napi::Error> {
    let reason = format!("ferronet cannot start its runtime: {error}");
    let mut thrown = env.create_error(napi::Error::from_reason(reason))?;
    if let Some(errno) = error.raw_os_error() {
        thrown.set_named_property("errno", -errno)?;
    }
    Ok(thrown.to_unknown().into())
}

fn address(result: Result<std::net::SocketAddr, Errno>) -> Either<i32, Address> {
    match result.map(Endpoint::from) {
        Ok(Endpoint {
            address,
            family,
            port,
        }) => Either::B(Address {
            address,
            family: family.to_owned(),
            port,
        }),
        Err(Errno(errno)) => Either::A(-errno),
    }
}
