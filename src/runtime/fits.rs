//! Buffers of the lengths that reads are expected to have. Where the reads of a connection have one
//! length, as of a peer that sends blocks, the next goes straight into a Buffer of that length, and the
//! program gets that Buffer: nothing is copied out of the scratch area.
//!
//! Each Buffer has a slot, and JavaScript knows it by the slot's number. A slot is *free*; or *taken*, by
//! a read that is not delivered; or *told*, while JavaScript handles that read and gives the slot its
//! next Buffer, or the same once more; or *empty*, if it gave none.

use std::cell::{Cell, RefCell};

use super::slab::Memory;

/// The slots of one environment.
#[derive(Default)]
pub struct Fits {
    slots: RefCell<Vec<Option<Memory>>>,
    /// In the order in which they were given back.
    free: RefCell<Vec<usize>>,
    empty: RefCell<Vec<usize>>,
    told: Cell<Option<usize>>,
    /// The length that a Buffer was last missed of.
    missed: Cell<Option<usize>>,
}

impl Fits {
    /// Whether a slot with a Buffer of this length is free. If not, [`Self::wanted`] tells of it.
    pub fn has(&self, size: usize) -> bool {
        let found = self.find(size).is_some();
        if !found {
            self.missed.set(Some(size));
        }
        found
    }

    /// Takes a free slot with a Buffer of this length, for a read.
    pub fn take(&self, size: usize) -> Option<(usize, Memory)> {
        let index = self.find(size)?;
        let slot = self.free.borrow_mut().remove(index);
        Some((slot, self.at(slot)?))
    }

    /// Where, among the free slots, one of this length is.
    fn find(&self, size: usize) -> Option<usize> {
        let free = self.free.borrow();
        free.iter().rposition(|&slot| self.size_of(slot) == size)
    }

    /// The memory of a slot.
    pub fn at(&self, slot: usize) -> Option<Memory> {
        *self.slots.borrow().get(slot)?
    }

    fn size_of(&self, slot: usize) -> usize {
        self.at(slot).map_or(0, |memory| memory.size)
    }

    /// Frees a slot that is taken or told: JavaScript has no use for its Buffer.
    pub fn give_back(&self, slot: usize) {
        self.told.set(None);
        self.free.borrow_mut().push(slot);
    }

    /// As [`Self::give_back`], of the slot that JavaScript is told of, and of no other.
    pub fn keep(&self, slot: usize) {
        if self.told.get() == Some(slot) {
            self.give_back(slot);
        }
    }

    /// JavaScript is about to be told of what lies in a slot that was taken.
    pub fn tell(&self, slot: usize) {
        self.told.set(Some(slot));
    }

    /// Frees the slot that JavaScript is told of, with its next Buffer. One of another length, or for
    /// another slot, is not taken.
    pub fn renew(&self, slot: usize, memory: Memory) {
        if self.told.get() == Some(slot) && memory.size == self.size_of(slot) {
            self.told.set(None);
            self.provide(slot, Some(memory));
        }
    }

    /// JavaScript was told: a slot that it did not renew is empty.
    pub fn delivered(&self) {
        if let Some(slot) = self.told.take() {
            self.provide(slot, None);
        }
    }

    /// A slot that is to be provided, and the length that its Buffer should have, if one was missed. While
    /// there are enough, one is taken whose Buffer has another length.
    pub fn wanted(&self) -> Option<(usize, usize)> {
        let size = self.missed.take()?;
        let mut slots = self.slots.borrow_mut();
        let held = slots.iter().flatten().map(|memory| memory.size);
        let room = FITS_SIZE.saturating_sub(held.sum());
        if room >= size {
            if let Some(slot) = self.empty.borrow_mut().pop() {
                return Some((slot, size));
            }
            if slots.len() < FITS {
                slots.push(None);
                return Some((slots.len() - 1, size));
            }
        }
        let mut free = self.free.borrow_mut();
        let other = |slot: &usize| {
            slots[*slot].is_some_and(|own| own.size != size && own.size + room >= size)
        };
        let slot = free
            .iter()
            .position(other)
            .map(|index| free.remove(index))?;
        slots[slot] = None;
        Some((slot, size))
    }

    /// Frees a slot with a Buffer, or leaves it empty.
    pub fn provide(&self, slot: usize, memory: Option<Memory>) {
        if let Some(it) = self.slots.borrow_mut().get_mut(slot) {
            *it = memory;
            let into = if memory.is_some() {
                &self.free
            } else {
                &self.empty
            };
            into.borrow_mut().push(slot);
        }
    }

    /// Forgets the memory: the environment ends.
    pub fn revoke(&self) {
        self.slots.take();
        self.free.take();
        self.empty.take();
        self.told.take();
        self.missed.take();
    }
}

/// As many as connections are read in one turn before the scratch area is full, mostly.
const FITS: usize = 64;
/// 1 MiB, together: as much as the scratch area.
const FITS_SIZE: usize = 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    /// Memory that nobody looks at.
    fn memory(size: usize) -> Memory {
        let start = std::ptr::without_provenance_mut(size);
        Memory { start, size }
    }

    /// Misses a length and provides for it.
    fn add(fits: &Fits, size: usize) -> Option<usize> {
        assert!(!fits.has(size));
        let (slot, wanted) = fits.wanted()?;
        assert_eq!(wanted, size);
        fits.provide(slot, Some(memory(size)));
        Some(slot)
    }

    fn take(fits: &Fits, size: usize) -> Option<usize> {
        fits.take(size).map(|(slot, _)| slot)
    }

    #[test]
    fn a_length_that_was_missed_is_wanted_once() {
        let fits = Fits::default();
        assert_eq!(fits.wanted(), None);
        assert_eq!(add(&fits, 5000), Some(0));
        assert_eq!(fits.wanted(), None);
        assert!(fits.has(5000) && !fits.has(5001));
        assert_eq!(take(&fits, 5000), Some(0));
        assert_eq!(take(&fits, 5000), None);
    }

    #[test]
    fn a_slot_is_free_again_when_it_is_renewed_or_given_back() {
        let fits = Fits::default();
        add(&fits, 5000);
        let again: [fn(&Fits); 3] = [
            |fits| fits.renew(0, memory(5000)),
            |fits| fits.give_back(0),
            |fits| fits.keep(0),
        ];
        for again in again {
            fits.take(5000);
            fits.tell(0);
            assert!(!fits.has(5000));
            again(&fits);
            fits.delivered();
            assert_eq!(*fits.free.borrow(), [0]);
        }
    }

    #[test]
    fn a_slot_that_is_not_renewed_is_empty() {
        let fits = Fits::default();
        let renew: [fn(&Fits); 3] = [
            |_| {},
            |fits| fits.renew(0, memory(4999)),
            |fits| fits.renew(1, memory(5000)),
        ];
        for renew in renew {
            assert_eq!(add(&fits, 5000), Some(0));
            fits.take(5000);
            fits.tell(0);
            renew(&fits);
            fits.delivered();
            assert!(fits.free.borrow().is_empty() && fits.at(0).is_none());
        }
    }

    #[test]
    fn only_what_is_told_is_renewed_or_kept() {
        let fits = Fits::default();
        add(&fits, 5000);
        fits.renew(0, memory(5000));
        fits.keep(0);
        fits.renew(7, memory(0));
        assert_eq!(*fits.free.borrow(), [0]);
        fits.take(5000);
        fits.renew(0, memory(5000));
        assert!(fits.free.borrow().is_empty());
    }

    #[test]
    fn what_javascript_could_not_allocate_is_wanted_again() {
        let fits = Fits::default();
        for _ in 0..2 {
            assert!(!fits.has(5000));
            assert_eq!(fits.wanted(), Some((0, 5000)));
            fits.provide(0, None);
        }
        assert_eq!(add(&fits, 5000), Some(0));
    }

    #[test]
    fn all_together_are_bounded() {
        let fits = Fits::default();
        let size = FITS_SIZE / 4;
        for slot in 0..4 {
            assert_eq!(add(&fits, size), Some(slot));
            assert_eq!(take(&fits, size), Some(slot));
        }
        assert_eq!(add(&fits, size), None);
        assert_eq!(add(&fits, 1), None);

        let many = Fits::default();
        for slot in 0..FITS {
            assert_eq!(add(&many, slot + 1), Some(slot));
        }
        assert_eq!(add(&many, FITS + 1), Some(0), "the one that rests longest");
        assert_eq!(many.slots.borrow().len(), FITS);
    }

    #[test]
    fn one_of_another_length_makes_room() {
        let fits = Fits::default();
        let size = FITS_SIZE / 2;
        add(&fits, size);
        add(&fits, size - 1);
        assert_eq!(add(&fits, size + 2), None, "neither leaves enough");
        assert_eq!(add(&fits, size + 1), Some(0));
        assert!(!fits.has(size) && fits.has(size - 1));
    }
}
