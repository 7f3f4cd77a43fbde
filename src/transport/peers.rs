//! The addresses from which a socket hears, each under a small number, so that its text is made once.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// Numbers addresses (not ports). The newest replaces the oldest: spoofed senders cost no memory.
pub struct Peers {
    slots: Vec<Address>,
    numbers: HashMap<Address, u16>,
    last: (Address, u16),
    oldest: usize,
}

/// An IP address with its scope.
type Address = (IpAddr, u32);

/// The number of an address, which is `fresh` if it meant another one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot {
    pub number: u16,
    pub fresh: bool,
}

impl Default for Peers {
    fn default() -> Self {
        let nobody = (IpAddr::V4(Ipv4Addr::UNSPECIFIED), u32::MAX);
        Self {
            slots: Vec::new(),
            numbers: HashMap::new(),
            last: (nobody, 0),
            oldest: 0,
        }
    }
}

impl Peers {
    /// Numbers the address of a datagram's sender.
    pub fn slot(&mut self, from: &SocketAddr) -> Slot {
        let address = (from.ip(), scope(from));
        if self.last.0 == address {
            return Slot {
                number: self.last.1,
                fresh: false,
            };
        }
        let known = self.numbers.get(&address).copied();
        let number = known.unwrap_or_else(|| self.add(address));
        self.last = (address, number);
        Slot {
            number,
            fresh: known.is_none(),
        }
    }

    /// The address under a number, with port 0.
    pub fn address(&self, number: u16) -> Option<SocketAddr> {
        let (ip, scope) = *self.slots.get(usize::from(number))?;
        let mut address = SocketAddr::new(ip, 0);
        if let SocketAddr::V6(v6) = &mut address {
            v6.set_scope_id(scope);
        }
        Some(address)
    }

    fn add(&mut self, address: Address) -> u16 {
        let number = match self.slots.len() {
            PEERS_MAX => {
                let number = self.oldest;
                self.oldest = (self.oldest + 1) % PEERS_MAX;
                self.numbers.remove(&self.slots[number]);
                self.slots[number] = address;
                number
            }
            length => {
                self.slots.push(address);
                length
            }
        };
        self.numbers.insert(address, number as u16);
        number as u16
    }
}

fn scope(address: &SocketAddr) -> u32 {
    match address {
        SocketAddr::V4(_) => 0,
        SocketAddr::V6(v6) => v6.scope_id(),
    }
}

/// More than a batch has datagrams: a number never changes its meaning within one.
const PEERS_MAX: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    fn address(number: u32) -> SocketAddr {
        SocketAddr::new(IpAddr::V4(Ipv4Addr::from_bits(number)), 7)
    }

    #[test]
    fn an_address_is_fresh_once_whatever_its_port() {
        let mut peers = Peers::default();
        let first = peers.slot(&address(1));
        assert!(first.fresh);
        assert!(peers.slot(&address(2)).fresh);
        let again = peers.slot(&SocketAddr::new(address(1).ip(), 8));
        assert_eq!(
            again,
            Slot {
                number: first.number,
                fresh: false
            }
        );
        assert_eq!(
            peers.address(first.number),
            Some(SocketAddr::new(address(1).ip(), 0))
        );
    }

    #[test]
    fn the_newest_replaces_the_oldest() {
        let mut peers = Peers::default();
        for number in 0..3 * PEERS_MAX as u32 {
            let slot = peers.slot(&address(number));
            assert!(slot.fresh);
            assert_eq!(
                peers.address(slot.number).unwrap().ip(),
                address(number).ip()
            );
        }
        assert_eq!(
            (peers.slots.len(), peers.numbers.len()),
            (PEERS_MAX, PEERS_MAX)
        );
        assert!(
            !peers
                .slot(&address(3 * PEERS_MAX as u32 - PEERS_MAX as u32))
                .fresh
        );
        assert!(peers.slot(&address(0)).fresh);
    }
}
