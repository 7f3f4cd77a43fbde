//! What JavaScript can ask of a datagram socket. Results are 0 or a negated error number, as libuv's
//! are; sending is among the hot commands.

use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;

use napi_derive::napi;

use super::commands::Runtime;
use super::environment::{code, Environment};
use super::handles::Kind;
use super::hot::Arguments;
use crate::runtime::slab::BATCH_ALIGN;
use crate::transport::{
    address_text, parse_socket_address, Arrival, Datagram, DatagramRef, DatagramTask, Errno,
    Family, HandleId, Interface, Membership, Sharing, Side,
};

#[napi]
impl Runtime {
    /// Binds to an IP address of the socket's family.
    #[napi(catch_unwind)]
    pub fn bind_datagram(
        &self,
        id: HandleId,
        ipv6: bool,
        address: String,
        port: u16,
        flags: u32,
    ) -> i32 {
        let environment = &self.environment;
        code(parse(&address, port, family(ipv6)).and_then(|address| {
            let datagram = environment.datagram_or_new(id, family(ipv6))?;
            let sharing = Sharing {
                reuse_address: flags & REUSE_ADDRESS != 0,
                reuse_port: flags & REUSE_PORT != 0,
                ipv6_only: flags & IPV6_ONLY != 0,
            };
            let bound = datagram.borrow().bind(address, sharing);
            bound
        }))
    }

    /// Becomes the socket behind an inherited descriptor, or, if `share`, behind another one of it.
    #[napi(catch_unwind)]
    pub fn open_datagram(&self, id: HandleId, fd: i32, share: bool) -> i32 {
        let environment = &self.environment;
        if environment.owns(fd) {
            return -libc::EEXIST;
        }
        code(environment.place_datagram(id, || {
            let (outbox, slab) = (environment.outbox.clone(), environment.slab.clone());
            Datagram::inherited(fd, share, id, outbox, slab)
        }))
    }

    /// Associates the socket with a peer.
    #[napi(catch_unwind)]
    pub fn connect_datagram(&self, id: HandleId, address: String, port: u16) -> i32 {
        code(self.environment.with_datagram(id, |datagram| {
            datagram.connect(parse(&address, port, datagram.family())?)
        }))
    }

    #[napi(catch_unwind)]
    pub fn disconnect_datagram(&self, id: HandleId) -> i32 {
        code(self.environment.with_datagram(id, Datagram::disconnect))
    }

    /// Receives; `Datagram` events follow.
    #[napi(catch_unwind)]
    pub fn receive_start(&self, id: HandleId) -> i32 {
        code(self.environment.with_datagram(id, |datagram| {
            datagram.receive_start();
            Ok(())
        }))
    }

    #[napi(catch_unwind)]
    pub fn receive_stop(&self, id: HandleId) -> i32 {
        code(self.environment.with_datagram(id, |datagram| {
            datagram.receive_stop();
            Ok(())
        }))
    }

    /// The address under a number that a `Datagram` event called fresh.
    #[napi(catch_unwind)]
    pub fn peer_address(&self, id: HandleId, number: u16) -> String {
        let datagram = self.environment.datagram(id);
        let address = datagram
            .ok()
            .and_then(|datagram| datagram.borrow().peer(number));
        address.map_or_else(String::new, |address| address_text(&address))
    }

    #[napi(catch_unwind)]
    pub fn set_broadcast(&self, id: HandleId, enable: bool) -> i32 {
        code(
            self.environment
                .with_datagram(id, |datagram| datagram.set_broadcast(enable)),
        )
    }

    #[napi(catch_unwind)]
    pub fn set_ttl(&self, id: HandleId, ttl: i32) -> i32 {
        self.set_hops(id, ttl, 1, Datagram::set_ttl)
    }

    #[napi(catch_unwind)]
    pub fn set_multicast_ttl(&self, id: HandleId, ttl: i32) -> i32 {
        self.set_hops(id, ttl, 0, Datagram::set_multicast_ttl)
    }

    #[napi(catch_unwind)]
    pub fn set_multicast_loopback(&self, id: HandleId, enable: bool) -> i32 {
        code(
            self.environment
                .with_datagram(id, |datagram| datagram.set_multicast_loopback(enable)),
        )
    }

    #[napi(catch_unwind)]
    pub fn set_multicast_interface(&self, id: HandleId, interface: String) -> i32 {
        code(Interface::parse(&interface).and_then(|interface| {
            let environment = &self.environment;
            environment.with_datagram(id, |datagram| datagram.set_multicast_interface(interface))
        }))
    }

    /// Joins or leaves a group; binds first if need be.
    #[napi(catch_unwind)]
    pub fn set_membership(
        &self,
        id: HandleId,
        group: String,
        interface: Option<String>,
        join: bool,
    ) -> i32 {
        code(Interface::parse(&group).and_then(|group| {
            let datagram = self.environment.bound_datagram(id, group.ip)?;
            let changed =
                datagram
                    .borrow()
                    .membership(group.ip, interface.as_deref(), change(join));
            changed
        }))
    }

    /// Joins or leaves the channel of one source of a group; binds first if need be.
    #[napi(catch_unwind)]
    pub fn set_source_membership(
        &self,
        id: HandleId,
        source: String,
        group: String,
        interface: Option<String>,
        join: bool,
    ) -> i32 {
        let parsed = Interface::parse(&group).and_then(|group| {
            let source = Interface::parse(&source)?;
            let same = source.ip.is_ipv4() == group.ip.is_ipv4();
            same.then_some((source.ip, group.ip))
                .ok_or(Errno(libc::EINVAL))
        });
        code(parsed.and_then(|(source, group)| {
            let datagram = self.environment.bound_datagram(id, group)?;
            let interface = interface.as_deref();
            let changed =
                datagram
                    .borrow()
                    .source_membership(source, group, interface, change(join));
            changed
        }))
    }

    /// The size of a buffer, after it was set unless 0 was given; or a negated error number.
    #[napi(catch_unwind)]
    pub fn buffer_size(&self, id: HandleId, size: u32, receive: bool) -> i32 {
        let side = if receive { Side::Receive } else { Side::Send };
        if i32::try_from(size).is_err() {
            return -libc::EINVAL;
        }
        let result = self
            .environment
            .with_datagram(id, |datagram| datagram.buffer_size(side, size as usize));
        match result {
            Ok(size) => size as i32,
            Err(Errno(errno)) => -errno,
        }
    }

    /// Bytes that wait to be sent.
    #[napi(catch_unwind)]
    pub fn send_queue_size(&self, id: HandleId) -> u32 {
        let datagram = self.environment.datagram(id);
        datagram.map_or(0, |datagram| datagram.borrow().queue().size() as u32)
    }

    /// Datagrams that wait to be sent.
    #[napi(catch_unwind)]
    pub fn send_queue_count(&self, id: HandleId) -> u32 {
        let datagram = self.environment.datagram(id);
        datagram.map_or(0, |datagram| datagram.borrow().queue().count() as u32)
    }

    /// Sends what is queued, before a close. Returns the number of the last datagram that was sent
    /// or failed, and then, one after the other, those that failed each with its error number.
    #[napi(catch_unwind)]
    pub fn finish_sends(&self, id: HandleId) -> Vec<i64> {
        let Ok(datagram) = self.environment.datagram(id) else {
            return vec![0];
        };
        let (done, failures) = datagram.borrow_mut().finish_sends();
        let failures =
            failures.flat_map(|(number, Errno(errno))| [number as i64, -i64::from(errno)]);
        std::iter::once(done as i64).chain(failures).collect()
    }
}

impl Runtime {
    fn set_hops(
        &self,
        id: HandleId,
        hops: i32,
        least: u32,
        set: impl FnOnce(&Datagram, u32) -> Result<(), Errno>,
    ) -> i32 {
        match u32::try_from(hops) {
            Ok(hops @ 0..=255) if hops >= least => code(
                self.environment
                    .with_datagram(id, |datagram| set(datagram, hops)),
            ),
            _ => -libc::EINVAL,
        }
    }
}

impl Environment {
    /// The datagram socket behind an id; `EBADF` for a handle that has no socket yet, or no more.
    pub fn datagram(&self, id: HandleId) -> Result<DatagramRef, Errno> {
        match self.kind(id).as_deref() {
            Some(Kind::Datagram(datagram)) => Ok(datagram.clone()),
            _ => Err(Errno(libc::EBADF)),
        }
    }

    fn with_datagram<T>(
        &self,
        id: HandleId,
        body: impl FnOnce(&mut Datagram) -> Result<T, Errno>,
    ) -> Result<T, Errno> {
        let result = body(&mut self.datagram(id)?.borrow_mut());
        self.update(id);
        result
    }

    /// The datagram socket behind an id, made now if there is none yet.
    fn datagram_or_new(&self, id: HandleId, family: Family) -> Result<DatagramRef, Errno> {
        self.datagram(id).or_else(|_| {
            self.place_datagram(id, || {
                Datagram::new(family, id, self.outbox.clone(), self.slab.clone())
            })?;
            self.datagram(id)
        })
    }

    /// A socket that has a port, for a group's family: as libuv, which binds it only if it made it.
    fn bound_datagram(&self, id: HandleId, group: IpAddr) -> Result<DatagramRef, Errno> {
        self.datagram(id).or_else(|_| {
            let datagram = self.datagram_or_new(id, family(group.is_ipv6()))?;
            datagram.borrow().bind_any()?;
            Ok(datagram)
        })
    }

    /// Gives a fresh handle its socket, and the socket its task.
    fn place_datagram(
        &self,
        id: HandleId,
        make: impl FnOnce() -> Result<DatagramRef, Errno>,
    ) -> Result<(), Errno> {
        if !matches!(self.kind(id).as_deref(), Some(Kind::Fresh)) {
            return Err(Errno(libc::EBADF));
        }
        let reactor = self.driver.reactor();
        let datagram = {
            let _guard = reactor.enter();
            make()?
        };
        reactor.spawn(DatagramTask(Rc::clone(&datagram)));
        self.handles.borrow_mut()[id as usize].kind = Kind::Datagram(datagram);
        Ok(())
    }
}

/// `sendDatagram(id, bytes, port, address, kept)`: queues a datagram; to the connected peer if
/// `address` is no string. Returns its number; `kept`: `sendResult` will ask for it.
pub fn send(environment: &Environment, arguments: &Arguments) -> i64 {
    let sent = environment.datagram(arguments.id()).and_then(|datagram| {
        let mut datagram = datagram.borrow_mut();
        let mut text = [0; ADDRESS_MAX];
        let length = arguments.string(3, true, &mut text);
        let to = match std::str::from_utf8(&text[..length]) {
            Ok("") => None,
            Ok(text) => Some(parse(text, arguments.number(2) as u16, datagram.family())?),
            Err(_) => return Err(Errno(libc::EINVAL)),
        };
        let sequence = datagram.send(arguments.bytes()?, to, arguments.flag(4))?;
        if environment.is_exiting() {
            datagram.flush();
        }
        Ok(sequence)
    });
    match sent {
        Ok(sequence) => sequence as i64,
        Err(Errno(errno)) => -i64::from(errno),
    }
}

/// `sendResult(id, number)`: 0, a negated error number, or 1 if a `Sent` event follows.
pub fn send_result(environment: &Environment, arguments: &Arguments) -> i64 {
    let Ok(datagram) = environment.datagram(arguments.id()) else {
        return -i64::from(libc::EBADF);
    };
    let outcome = datagram.borrow_mut().outcome(arguments.number(1) as u64);
    outcome.map_or(1, |result| code(result).into())
}

/// Where a datagram lies: its 64-byte unit above its length.
pub fn place_of(arrival: &Arrival) -> i32 {
    ((arrival.offset / BATCH_ALIGN) << 16 | arrival.length) as i32
}

/// Who sent it: the number of the address, whether that is fresh, the port.
pub fn sender_of(arrival: &Arrival) -> i32 {
    i32::from(arrival.peer.number) << 17
        | i32::from(arrival.peer.fresh) << 16
        | i32::from(arrival.port)
}

/// An address of a socket's family; `EINVAL` for any other text. Scopes that there are not count
/// as none.
fn parse(text: &str, port: u16, family: Family) -> Result<SocketAddr, Errno> {
    let address = match parse_socket_address(text, port) {
        Ok(address) => address,
        Err(_) => SocketAddr::new(Interface::parse(text)?.ip, port),
    };
    match address.is_ipv4() == (family == Family::V4) {
        true => Ok(address),
        false => Err(Errno(libc::EINVAL)),
    }
}

fn family(ipv6: bool) -> Family {
    if ipv6 {
        Family::V6
    } else {
        Family::V4
    }
}

fn change(join: bool) -> Membership {
    if join {
        Membership::Join
    } else {
        Membership::Leave
    }
}

/// The flags of `bind`, as libuv numbers them.
const IPV6_ONLY: u32 = 1;
const REUSE_ADDRESS: u32 = 4;
const REUSE_PORT: u32 = 8;
/// The longest address with the longest scope, and a NUL.
const ADDRESS_MAX: usize = 80;
