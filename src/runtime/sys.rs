//! The few system calls that neither std nor socket2 wraps.

use std::ffi::{CStr, CString};
use std::io::{self, IoSlice, IoSliceMut};
use std::net::Ipv6Addr;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};

use socket2::SockAddr;

/// What an inherited descriptor is, as far as `net` can adopt it (Node: `new net.Socket({ fd })`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FdKind {
    /// A TCP socket, not listening.
    Tcp,
    /// A TCP socket that listens.
    TcpListener,
    /// A Unix domain stream socket, not listening.
    Unix,
    /// A Unix domain socket that listens.
    UnixListener,
    /// One end of a pipe or FIFO.
    Pipe,
    File,
    Terminal,
    /// A UDP socket.
    Datagram,
    Other,
}

impl FdKind {
    /// Whether it carries bytes both ways, or at least one.
    pub fn is_stream(self) -> bool {
        matches!(self, Self::Tcp | Self::Unix | Self::Pipe)
    }

    /// Whether `listen(2)` may succeed on it.
    pub fn can_listen(self) -> bool {
        matches!(
            self,
            Self::Tcp | Self::TcpListener | Self::Unix | Self::UnixListener
        )
    }
}

/// Says what a descriptor is. Errors with `EBADF` where it is not open.
pub fn fd_kind(fd: RawFd) -> io::Result<FdKind> {
    let mut stat = std::mem::MaybeUninit::<libc::stat>::uninit();
    // SAFETY: `stat` is a writable buffer of the right type; any fd number may be asked about.
    check(unsafe { libc::fstat(fd, stat.as_mut_ptr()) })?;
    // SAFETY: fstat succeeded and filled it.
    let mode = unsafe { stat.assume_init() }.st_mode & libc::S_IFMT;
    if mode == libc::S_IFIFO {
        return Ok(FdKind::Pipe);
    }
    if mode == libc::S_IFREG || (mode == libc::S_IFCHR && !is_terminal(fd)) {
        return Ok(FdKind::File);
    }
    if mode != libc::S_IFSOCK {
        return Ok(if is_terminal(fd) {
            FdKind::Terminal
        } else {
            FdKind::Other
        });
    }
    let (kind, family) = (int_option(fd, libc::SO_TYPE)?, family(fd)?);
    if kind != libc::SOCK_STREAM {
        let is_ip = matches!(family, libc::AF_INET | libc::AF_INET6);
        return Ok(match kind == libc::SOCK_DGRAM && is_ip {
            true => FdKind::Datagram,
            false => FdKind::Other,
        });
    }
    let listens = int_option(fd, libc::SO_ACCEPTCONN)? != 0;
    Ok(match (family, listens) {
        (libc::AF_INET | libc::AF_INET6, false) => FdKind::Tcp,
        (libc::AF_INET | libc::AF_INET6, true) => FdKind::TcpListener,
        (libc::AF_UNIX, false) => FdKind::Unix,
        (libc::AF_UNIX, true) => FdKind::UnixListener,
        _ => FdKind::Other,
    })
}

/// Takes ownership of a descriptor that JavaScript gave away, after checking that it is open.
fn adopt(fd: RawFd) -> io::Result<OwnedFd> {
    fd_kind(fd)?;
    // SAFETY: the fd is open (checked above) and the caller's contract, Node's `{ fd }` option,
    // is that the handle owns it from now on.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// `listen(2)` on a descriptor that is not ours yet.
pub fn listen(fd: RawFd, backlog: i32) -> io::Result<()> {
    // SAFETY: any number may be asked to listen.
    check(unsafe { libc::listen(fd, backlog) })
}

/// A second descriptor of what a descriptor names, which keeps its owner.
fn duplicate(fd: RawFd) -> io::Result<OwnedFd> {
    fd_kind(fd)?;
    // SAFETY: the fd is open (checked above) and nothing closes it before the call returns.
    unsafe { BorrowedFd::borrow_raw(fd) }.try_clone_to_owned()
}

/// [`duplicate`] if `share`, else [`adopt`].
pub fn take(fd: RawFd, share: bool) -> io::Result<OwnedFd> {
    match share {
        true => duplicate(fd),
        false => adopt(fd),
    }
}

/// A second descriptor of what one of ours names, for JavaScript to give away.
pub fn share(fd: RawFd) -> io::Result<RawFd> {
    Ok(duplicate(fd)?.into_raw_fd())
}

/// The address of a path that fills it to the last byte, with no NUL behind it, as unix(7) allows
/// ("pathname") and socket2 does not.
pub fn full_unix_address(path: &[u8]) -> io::Result<SockAddr> {
    let fill = |storage: *mut libc::sockaddr_storage, length: *mut libc::socklen_t| {
        // SAFETY: sockaddr_storage is made to hold, and aligned for, every kind of address.
        let unix = unsafe { &mut *storage.cast::<libc::sockaddr_un>() };
        if path.len() != unix.sun_path.len() {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        unix.sun_family = libc::AF_UNIX as libc::sa_family_t;
        for (to, from) in unix.sun_path.iter_mut().zip(path) {
            *to = *from as libc::c_char;
        }
        // SAFETY: `length` is writable; it is that of the whole address.
        unsafe { *length = size_of::<libc::sockaddr_un>() as libc::socklen_t };
        Ok(())
    };
    // SAFETY: `fill` writes a valid address and its length, or fails.
    Ok(unsafe { SockAddr::try_init(|storage, length| fill(storage.cast(), length)) }?.1)
}

/// The index of a network interface by name, for the scope of an IPv6 address (`fe80::1%eth0`).
pub fn interface_index(name: &str) -> Option<u32> {
    let name = CString::new(name).ok()?;
    // SAFETY: a NUL-terminated string that lives through the call.
    match unsafe { libc::if_nametoindex(name.as_ptr()) } {
        0 => None,
        index => Some(index),
    }
}

/// The name of a network interface, as addresses show it for their scope.
pub fn interface_name(index: u32) -> Option<String> {
    let mut name = [0u8; libc::IF_NAMESIZE];
    // SAFETY: a buffer of the size that the call requires.
    if unsafe { libc::if_indextoname(index, name.as_mut_ptr().cast()) }.is_null() {
        return None;
    }
    CStr::from_bytes_until_nul(&name)
        .ok()?
        .to_str()
        .ok()
        .map(str::to_owned)
}

/// Joins or leaves the channel of one source of an IPv6 multicast group (RFC 3678 section 5.1);
/// socket2 only has that for IPv4.
pub fn source_membership_v6(
    socket: BorrowedFd<'_>,
    source: Ipv6Addr,
    group: Ipv6Addr,
    interface: u32,
    join: bool,
) -> io::Result<()> {
    let request = libc::group_source_req {
        gsr_interface: interface,
        gsr_group: storage_v6(group),
        gsr_source: storage_v6(source),
    };
    let option = if join {
        libc::MCAST_JOIN_SOURCE_GROUP
    } else {
        libc::MCAST_LEAVE_SOURCE_GROUP
    };
    let size = size_of_val(&request) as libc::socklen_t;
    let (fd, level) = (socket.as_raw_fd(), libc::IPPROTO_IPV6);
    // SAFETY: the request lives through the call and has the size given.
    check(unsafe { libc::setsockopt(fd, level, option, (&raw const request).cast(), size) })
}

fn storage_v6(address: Ipv6Addr) -> libc::sockaddr_storage {
    // SAFETY: a plain C struct, of which all zeroes is a valid value.
    let mut storage: libc::sockaddr_storage = unsafe { std::mem::zeroed() };
    // SAFETY: sockaddr_storage is made to hold, and aligned for, every kind of address.
    let v6 = unsafe { &mut *(&raw mut storage).cast::<libc::sockaddr_in6>() };
    v6.sin6_family = libc::AF_INET6 as libc::sa_family_t;
    v6.sin6_addr.s6_addr = address.octets();
    storage
}

/// Accepts a connection, as a descriptor that does not block and that no child inherits.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub fn accept(listener: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    let (none, no_size) = (std::ptr::null_mut(), std::ptr::null_mut());
    let flags = libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC;
    // SAFETY: no address is asked for.
    let fd = unsafe { libc::accept4(listener.as_raw_fd(), none, no_size, flags) };
    check(fd.min(0))?;
    // SAFETY: the call made it, for us.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub fn accept(listener: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    let (socket, _) = socket2::SockRef::from(&listener).accept()?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

/// `readv(2)`, of what is no socket.
pub fn read(fd: BorrowedFd<'_>, room: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
    let count = room.len().min(IOV_MAX) as libc::c_int;
    // SAFETY: an IoSliceMut is an iovec, as std promises for Unix; each is writable for its length.
    let count = unsafe { libc::readv(fd.as_raw_fd(), room.as_mut_ptr().cast(), count) };
    usize::try_from(count).map_err(|_| io::Error::last_os_error())
}

/// `writev(2)`, of what is no socket. At most `IOV_MAX` chunks.
pub fn write(fd: BorrowedFd<'_>, chunks: &[IoSlice<'_>]) -> io::Result<usize> {
    let count = chunks.len().min(IOV_MAX) as libc::c_int;
    // SAFETY: an IoSlice is an iovec, as std promises for Unix; each is readable for its length.
    let count = unsafe { libc::writev(fd.as_raw_fd(), chunks.as_ptr().cast(), count) };
    usize::try_from(count).map_err(|_| io::Error::last_os_error())
}

/// `recv(2)`, not by way of libc's wrapper: that one is a cancellation point, which costs two atomic
/// operations in every process with threads, 0.1 us. Nor does it block where a process that shares the
/// socket has made it one that does.
#[cfg(target_os = "linux")]
pub fn receive(fd: BorrowedFd<'_>, buffer: &mut [u8]) -> io::Result<usize> {
    let (start, size) = (buffer.as_mut_ptr(), buffer.len());
    let none = std::ptr::null::<libc::sockaddr>();
    // SAFETY: the buffer is writable for `size` bytes; no address is asked for.
    counted(unsafe {
        libc::syscall(
            libc::SYS_recvfrom,
            fd.as_raw_fd(),
            start,
            size,
            libc::MSG_DONTWAIT,
            none,
            none,
        )
    })
}

/// `recvmsg(2)`, as [`receive`].
#[cfg(target_os = "linux")]
pub fn receive_vectored(fd: BorrowedFd<'_>, room: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
    // SAFETY: a struct of integers and pointers, for which zeroes are valid.
    let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
    message.msg_iov = room.as_mut_ptr().cast();
    message.msg_iovlen = room.len() as _;
    // SAFETY: the message names the room alone, which lives as long as the call.
    counted(unsafe {
        libc::syscall(
            libc::SYS_recvmsg,
            fd.as_raw_fd(),
            &raw mut message,
            libc::MSG_DONTWAIT,
        )
    })
}

/// `send(2)` without a signal, as [`receive`].
#[cfg(target_os = "linux")]
pub fn send(fd: BorrowedFd<'_>, bytes: &[u8]) -> io::Result<usize> {
    let (start, size) = (bytes.as_ptr(), bytes.len());
    let flags = libc::MSG_NOSIGNAL | libc::MSG_DONTWAIT;
    let none = std::ptr::null::<libc::sockaddr>();
    // SAFETY: the bytes are readable for `size` bytes; no address is given.
    counted(unsafe {
        libc::syscall(
            libc::SYS_sendto,
            fd.as_raw_fd(),
            start,
            size,
            flags,
            none,
            0,
        )
    })
}

/// `sendmsg(2)` without a signal, as [`receive`]. At most `IOV_MAX` chunks.
#[cfg(target_os = "linux")]
pub fn send_vectored(fd: BorrowedFd<'_>, chunks: &[io::IoSlice<'_>]) -> io::Result<usize> {
    // SAFETY: a struct of integers and pointers, for which zeroes are valid.
    let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
    // `IoSlice` is an `iovec`, which is only read from.
    message.msg_iov = chunks.as_ptr().cast_mut().cast();
    message.msg_iovlen = chunks.len() as _;
    // SAFETY: the message names the chunks alone, which live as long as the call.
    counted(unsafe {
        libc::syscall(
            libc::SYS_sendmsg,
            fd.as_raw_fd(),
            &raw const message,
            libc::MSG_NOSIGNAL | libc::MSG_DONTWAIT,
        )
    })
}

#[cfg(not(target_os = "linux"))]
pub fn send_vectored(fd: BorrowedFd<'_>, chunks: &[io::IoSlice<'_>]) -> io::Result<usize> {
    socket2::SockRef::from(&fd).send_vectored(chunks)
}

#[cfg(not(target_os = "linux"))]
pub fn receive(fd: BorrowedFd<'_>, buffer: &mut [u8]) -> io::Result<usize> {
    io::Read::read(&mut &*socket2::SockRef::from(&fd), buffer)
}

#[cfg(not(target_os = "linux"))]
pub fn receive_vectored(fd: BorrowedFd<'_>, room: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
    io::Read::read_vectored(&mut &*socket2::SockRef::from(&fd), room)
}

#[cfg(not(target_os = "linux"))]
pub fn send(fd: BorrowedFd<'_>, bytes: &[u8]) -> io::Result<usize> {
    socket2::SockRef::from(&fd).send(bytes)
}

#[cfg(target_os = "linux")]
fn counted(result: libc::c_long) -> io::Result<usize> {
    usize::try_from(result).map_err(|_| io::Error::last_os_error())
}

fn is_terminal(fd: RawFd) -> bool {
    // SAFETY: any number may be asked about.
    unsafe { libc::isatty(fd) == 1 }
}

fn int_option(fd: RawFd, option: libc::c_int) -> io::Result<libc::c_int> {
    let mut value: libc::c_int = 0;
    let mut size = size_of::<libc::c_int>() as libc::socklen_t;
    let pointer = (&raw mut value).cast();
    // SAFETY: `value` and `size` are writable and agree with each other.
    check(unsafe { libc::getsockopt(fd, libc::SOL_SOCKET, option, pointer, &mut size) })?;
    Ok(value)
}

fn family(fd: RawFd) -> io::Result<libc::c_int> {
    let mut address = std::mem::MaybeUninit::<libc::sockaddr_storage>::zeroed();
    let mut size = size_of::<libc::sockaddr_storage>() as libc::socklen_t;
    // SAFETY: the storage is large enough for any address, and `size` says so.
    check(unsafe { libc::getsockname(fd, address.as_mut_ptr().cast(), &mut size) })?;
    // SAFETY: zeroed storage is a valid sockaddr_storage, filled or not.
    Ok(libc::c_int::from(
        unsafe { address.assume_init() }.ss_family,
    ))
}

fn check(result: libc::c_int) -> io::Result<()> {
    if result == -1 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// The kernel's limit on chunks in one call (`UIO_MAXIOV`).
pub const IOV_MAX: usize = 1024;

/// Whether `poll(2)` says so at once, for tests.
#[cfg(test)]
pub fn is_readable(fd: RawFd) -> bool {
    let (events, revents) = (libc::POLLIN, 0);
    let mut poll = libc::pollfd {
        fd,
        events,
        revents,
    };
    // SAFETY: one valid pollfd, and the count says one.
    unsafe { libc::poll(&mut poll, 1, 0) == 1 }
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd;

    use super::*;
    use socket2::Socket;

    #[test]
    fn tells_sockets_pipes_and_files_apart() {
        let tcp = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        assert_eq!(fd_kind(tcp.as_raw_fd()).unwrap(), FdKind::TcpListener);
        let stream = std::net::TcpStream::connect(tcp.local_addr().unwrap()).unwrap();
        assert_eq!(fd_kind(stream.as_raw_fd()).unwrap(), FdKind::Tcp);
        let (unix, _peer) = std::os::unix::net::UnixStream::pair().unwrap();
        assert_eq!(fd_kind(unix.as_raw_fd()).unwrap(), FdKind::Unix);
        let (reader, _writer) = std::io::pipe().unwrap();
        assert_eq!(fd_kind(reader.as_raw_fd()).unwrap(), FdKind::Pipe);
        let file = std::fs::File::open("/dev/null").unwrap();
        assert_eq!(fd_kind(file.as_raw_fd()).unwrap(), FdKind::File);
        let udp = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        assert_eq!(fd_kind(udp.as_raw_fd()).unwrap(), FdKind::Datagram);
        let (datagram, _peer) = std::os::unix::net::UnixDatagram::pair().unwrap();
        assert_eq!(fd_kind(datagram.as_raw_fd()).unwrap(), FdKind::Other);
    }

    #[test]
    fn a_path_may_fill_its_address() {
        let start = format!("/tmp/ferronet-{}-", std::process::id());
        let path = format!("{start:p<108}");
        let socket = Socket::new(socket2::Domain::UNIX, socket2::Type::STREAM, None).unwrap();
        socket
            .bind(&full_unix_address(path.as_bytes()).unwrap())
            .unwrap();
        std::fs::remove_file(&path).unwrap();
        assert!(full_unix_address(&path.as_bytes()[1..]).is_err());
    }

    #[test]
    fn a_socket_that_blocks_is_not_waited_for() {
        let (ours, _peer) = std::os::unix::net::UnixStream::pair().unwrap();
        let would_block = |error: io::Error| error.kind() == io::ErrorKind::WouldBlock;
        assert!(receive(ours.as_fd(), &mut [0]).is_err_and(would_block));
        let chunk = [0; 1 << 16];
        let full = |_| send(ours.as_fd(), &chunk).err();
        assert!((0..100).find_map(full).is_some_and(would_block));
        let full = |_| send_vectored(ours.as_fd(), &[IoSlice::new(&chunk)]).err();
        assert!((0..100).find_map(full).is_some_and(would_block));
    }

    #[test]
    fn a_closed_descriptor_is_ebadf() {
        assert_eq!(
            fd_kind(1 << 20).unwrap_err().raw_os_error(),
            Some(libc::EBADF)
        );
    }

    #[test]
    fn knows_the_loopback_interface() {
        let index = interface_index("lo").unwrap();
        assert_eq!(interface_name(index).as_deref(), Some("lo"));
        assert_eq!(interface_name(1 << 30), None);
        assert_eq!(interface_index("no-such-interface"), None);
    }
}
