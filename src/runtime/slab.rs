//! The memory that connections read into: allocated by JavaScript, filled here, handed back as
//! views. Reads go to the bump pointer; bytes that JavaScript copies out are given back.

use std::cell::{Cell, RefCell};
use std::task::Waker;

/// The current slab of one environment. Its memory belongs to a JavaScript ArrayBuffer that the
/// binding keeps alive and checks for detachment before every run of the tasks.
#[derive(Default)]
pub struct Slab {
    memory: Cell<Option<Memory>>,
    /// Where the next read goes.
    next: Cell<usize>,
    /// Up to here JavaScript holds views; what lies behind is free again after delivery.
    kept: Cell<usize>,
    /// Tasks that found no room.
    waiting: RefCell<Vec<Waker>>,
}

#[derive(Clone, Copy)]
struct Memory {
    start: *mut u8,
    size: usize,
}

impl Slab {
    /// Replaces the memory and wakes the tasks that waited for room.
    ///
    /// # Safety
    /// `start..start + size` must stay valid and unaliased by Rust until [`Self::revoke`] or the
    /// next `provide`.
    pub unsafe fn provide(&self, start: *mut u8, size: usize) {
        self.memory.set(Some(Memory { start, size }));
        self.next.set(0);
        self.kept.set(0);
        self.waiting.borrow_mut().drain(..).for_each(Waker::wake);
    }

    /// Forgets the memory: it was detached, or the environment ends.
    pub fn revoke(&self) {
        self.memory.set(None);
    }

    /// Whether tasks wait for a new slab.
    pub fn is_wanted(&self) -> bool {
        !self.waiting.borrow().is_empty()
    }

    /// Lets `fill` write into at most `wanted` bytes of free room and takes the bytes it says it
    /// wrote; returns where they lie. `None`: no room, and `waker` is woken when there is.
    pub fn fill<T>(
        &self,
        wanted: usize,
        waker: &Waker,
        fill: impl FnOnce(&mut [u8]) -> (usize, T),
    ) -> Option<(usize, T)> {
        let offset = self.next.get();
        let memory = self
            .memory
            .get()
            .filter(|memory| memory.size >= offset + wanted.min(MIN_ROOM));
        let Some(memory) = memory else {
            self.waiting.borrow_mut().push(waker.clone());
            return None;
        };
        let size = wanted.min(memory.size - offset);
        // SAFETY: within the memory promised by `provide`; what was handed out before ends at
        // `next`, and this slice does not outlive the call, during which `fill` cannot reach the
        // slab's memory by another way (it runs inside a task, JavaScript does not).
        let room = unsafe { std::slice::from_raw_parts_mut(memory.start.add(offset), size) };
        let (filled, result) = fill(room);
        debug_assert!(filled <= size);
        self.next.set((offset + filled + ALIGN - 1) & !(ALIGN - 1));
        Some((offset, result))
    }

    /// JavaScript keeps a view on the bytes up to `end`.
    pub fn keep(&self, end: usize) {
        self.kept
            .set(self.kept.get().max((end + ALIGN - 1) & !(ALIGN - 1)));
    }

    /// Every read was delivered: takes back the room of those that were copied out.
    pub fn reclaim(&self) {
        self.next.set(self.kept.get());
    }
}

/// 1 MiB: at 16 KiB a read, one allocation serves sixty reads; it is also twice the largest read.
pub const SLAB_SIZE: usize = 1024 * 1024;
/// Below this much free room a new slab is taken: reads never get smaller windows than Node's.
const MIN_ROOM: usize = 64 * 1024;
/// Views start on cache lines, so that typed arrays over them are aligned.
const ALIGN: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    fn put(slab: &Slab, count: usize) -> Option<usize> {
        slab.fill(MIN_ROOM, Waker::noop(), |room| {
            room[..count].fill(1);
            (count, ())
        })
        .map(|(offset, ())| offset)
    }

    #[test]
    fn copied_reads_give_their_room_back_and_kept_ones_do_not() {
        let slab = Slab::default();
        let mut memory = vec![0u8; 4 * MIN_ROOM];
        // SAFETY: `memory` outlives the slab and is not touched meanwhile.
        unsafe { slab.provide(memory.as_mut_ptr(), memory.len()) };
        assert_eq!(put(&slab, 10), Some(0));
        assert_eq!(put(&slab, 100), Some(64));
        slab.keep(74 + 100);
        assert_eq!(put(&slab, 10), Some(192));
        slab.reclaim();
        assert_eq!(put(&slab, 10), Some(192));
    }

    #[test]
    fn a_full_slab_asks_for_another() {
        let slab = Slab::default();
        let mut memory = vec![0u8; MIN_ROOM + 64];
        assert_eq!(put(&slab, 1), None);
        assert!(slab.is_wanted());
        // SAFETY: as above.
        unsafe { slab.provide(memory.as_mut_ptr(), memory.len()) };
        assert!(!slab.is_wanted());
        assert_eq!(put(&slab, 65), Some(0));
        assert_eq!(put(&slab, 1), None);
        slab.revoke();
        assert_eq!(put(&slab, 1), None);
    }
}
