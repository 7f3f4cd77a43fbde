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
    slots: RefCell<Vec<Slot>>,
    /// In the order in which they were given back.
    free: RefCell<Vec<usize>>,
    empty: RefCell<Vec<usize>>,
    told: Cell<Option<usize>>,
    /// The length that a Buffer was last missed of.
    missed: Cell<Option<usize>>,
    /// How often there was no room for one.
    refused: Cell<u32>,
}

#[derive(Clone, Copy, Default)]
struct Slot {
    memory: Option<Memory>,
    /// What [`Fits::refused`] was when it was last taken.
    taken: u32,
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
        let mut slots = self.slots.borrow_mut();
        slots[slot].taken = self.refused.get();
        Some((slot, slots[slot].memory?))
    }

    /// Where, among the free slots, one of this length is.
    fn find(&self, size: usize) -> Option<usize> {
        let free = self.free.borrow();
        free.iter().rposition(|&slot| self.size_of(slot) == size)
    }

    /// The memory of a slot.
    pub fn at(&self, slot: usize) -> Option<Memory> {
        self.slots.borrow().get(slot)?.memory
    }

    fn size_of(&self, slot: usize) -> usize {
        self.at(slot).map_or(0, |memory| memory.size)
    }

    /// Frees a slot that is taken or told: JavaScript has no use for its Buffer.
    pub fn give_back(&self, slot: usize) {
        self.ends(slot);
        self.free.borrow_mut().push(slot);
    }

    /// As [`Self::give_back`], of the slot that JavaScript is told of, and of no other.
    pub fn keep(&self, slot: usize) {
        if self.ends(slot) {
            self.free.borrow_mut().push(slot);
        }
    }

    /// Whether this is the slot that JavaScript is told of, which it is no more.
    fn ends(&self, slot: usize) -> bool {
        let told = self.told.get() == Some(slot);
        if told {
            self.told.set(None);
        }
        told
    }

    /// JavaScript is about to be told of what lies in a slot that was taken.
    pub fn tell(&self, slot: usize) {
        self.told.set(Some(slot));
    }

    /// Frees the slot that JavaScript is told of, with its next Buffer, and says that the one before is
    /// JavaScript's. Without another of the same length the slot is empty. Of no other slot a Buffer is taken.
    ///
    /// # Safety
    /// As of [`Self::provide`].
    pub unsafe fn renew(&self, slot: usize, memory: Option<Memory>) -> bool {
        let told = self.ends(slot);
        if told {
            let size = self.size_of(slot);
            let memory = memory.filter(|memory| memory.size == size);
            // SAFETY: by the caller's contract.
            unsafe { self.provide(slot, memory) };
        }
        told
    }

    /// JavaScript was told: a slot that it did not renew is empty.
    pub fn delivered(&self) {
        if let Some(slot) = self.told.take() {
            self.clear(slot);
        }
    }

    fn clear(&self, slot: usize) {
        self.slots.borrow_mut()[slot].memory = None;
        self.empty.borrow_mut().push(slot);
    }

    /// A slot that is to be provided, and the length that its Buffer should have, if one was missed. While
    /// there are enough, one is taken whose Buffer has another length and was long of no use: where
    /// lengths are too many, each would drive out one that is about to be used.
    pub fn wanted(&self) -> Option<(usize, usize)> {
        let size = self.missed.take()?;
        let mut slots = self.slots.borrow_mut();
        let held = slots.iter().filter_map(|slot| slot.memory);
        let room = FITS_SIZE.saturating_sub(held.map(|memory| memory.size).sum());
        if room >= size {
            if let Some(slot) = self.empty.borrow_mut().pop() {
                return Some((slot, size));
            }
            if slots.len() < FITS {
                slots.push(Slot::default());
                return Some((slots.len() - 1, size));
            }
        }
        let refused = self.refused.get().wrapping_add(1);
        self.refused.set(refused);
        let mut free = self.free.borrow_mut();
        let other = |slot: &usize| {
            let Slot { memory, taken } = slots[*slot];
            let makes_room = |own: Memory| own.size != size && own.size + room >= size;
            memory.is_some_and(makes_room) && refused.wrapping_sub(taken) > UNUSED
        };
        let index = free.iter().position(other)?;
        let slot = free.remove(index);
        slots[slot].memory = None;
        Some((slot, size))
    }

    /// Frees a slot with a Buffer, or leaves it empty.
    ///
    /// # Safety
    /// The memory must stay valid, and be touched by nobody else, until JavaScript is told of the slot, it is
    /// wanted again, or [`Self::revoke`].
    pub unsafe fn provide(&self, slot: usize, memory: Option<Memory>) {
        if memory.is_none() {
            return self.clear(slot);
        }
        let mut slots = self.slots.borrow_mut();
        slots[slot] = Slot {
            memory,
            taken: self.refused.get(),
        };
        self.free.borrow_mut().push(slot);
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
/// For so many others there was no room since a Buffer was last used: it is of no use.
const UNUSED: u32 = 256;

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
        provide(fits, slot, Some(memory(size)));
        Some(slot)
    }

    fn provide(fits: &Fits, slot: usize, memory: Option<Memory>) {
        // SAFETY: nobody reads into it.
        unsafe { fits.provide(slot, memory) }
    }

    fn renew(fits: &Fits, slot: usize, size: usize) -> bool {
        // SAFETY: as above.
        unsafe { fits.renew(slot, (size > 0).then(|| memory(size))) }
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
            |fits| assert!(renew(fits, 0, 5000)),
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
        let end: [fn(&Fits); 4] = [
            |_| {},
            |fits| assert!(renew(fits, 0, 4999)),
            |fits| assert!(renew(fits, 0, 0)),
            |fits| assert!(!renew(fits, 1, 5000)),
        ];
        for end in end {
            assert_eq!(add(&fits, 5000), Some(0));
            fits.take(5000);
            fits.tell(0);
            end(&fits);
            fits.delivered();
            assert!(fits.free.borrow().is_empty() && fits.at(0).is_none());
            assert_eq!(*fits.empty.borrow(), [0]);
        }
    }

    #[test]
    fn only_what_is_told_is_renewed_or_kept() {
        let fits = Fits::default();
        add(&fits, 5000);
        assert!(!renew(&fits, 0, 5000) && !renew(&fits, 7, 0));
        fits.keep(0);
        assert_eq!(*fits.free.borrow(), [0]);
        fits.take(5000);
        assert!(!renew(&fits, 0, 5000));
        assert!(fits.free.borrow().is_empty());
    }

    #[test]
    fn what_javascript_could_not_allocate_is_wanted_again() {
        let fits = Fits::default();
        for _ in 0..2 {
            assert!(!fits.has(5000));
            assert_eq!(fits.wanted(), Some((0, 5000)));
            provide(&fits, 0, None);
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
        assert_eq!(add(&many, FITS + 1), None);
        assert_eq!(many.slots.borrow().len(), FITS);
    }

    #[test]
    fn one_of_another_length_makes_room_when_it_is_of_no_use() {
        let fits = Fits::default();
        let size = FITS_SIZE / 2;
        add(&fits, size);
        add(&fits, size - 1);
        for _ in 0..UNUSED {
            assert_eq!(add(&fits, size + 1), None);
        }
        let used = take(&fits, size).unwrap();
        fits.give_back(used);
        assert_eq!(add(&fits, size + 1), None, "the other leaves too little");
        assert_eq!(add(&fits, size - 2), Some(1));
        assert!(fits.has(size) && !fits.has(size - 1));
        let mut refused = 0;
        let next = loop {
            assert!(!fits.has(size + 2));
            match fits.wanted() {
                Some(next) => break next,
                None => refused += 1,
            }
        };
        assert_eq!(next, (0, size + 2));
        assert!(refused > UNUSED - 5);
    }
}
