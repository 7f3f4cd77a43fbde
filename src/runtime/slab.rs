//! The memory that connections read into. Small reads share the *scratch* area, out of which
//! JavaScript copies them into Buffers of their own, unless their length was expected ([`Fits`]); a bulk read gets a whole *spare* Buffer, which
//! JavaScript then hands to the program as it is, unless another connection takes it all. No program
//! ever sees memory that is read into again. Also the memory that bytes to be written are kept in.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io::IoSliceMut;
use std::task::Waker;

use super::fits::Fits;

/// The read memory of one environment. Both areas are Buffers that JavaScript allocated and the
/// binding keeps alive.
#[derive(Default)]
pub struct Slab {
    scratch: Cell<Option<Memory>>,
    /// Where the next small read goes.
    next: Cell<usize>,
    spare: Cell<Option<Memory>>,
    /// The spare holds a read that JavaScript has not seen.
    spare_used: Cell<bool>,
    /// What was the spare, while JavaScript sees the large read in it.
    leaving: Cell<Option<Memory>>,
    /// Tasks that found no room in the scratch area, or others before them.
    waiting: RefCell<Vec<Waker>>,
    /// Those of them who were woken when there was room again, and have yet to come for it: until
    /// the next time nobody else gets any.
    first: RefCell<VecDeque<*const ()>>,
    /// Tasks that wait for the spare, first come, first served.
    queue: RefCell<VecDeque<Waker>>,
    /// Whose turn with the spare it is, until it was delivered to or passed over.
    granted: RefCell<Option<Waker>>,
    /// There is no memory to be had: nobody waits for any.
    exhausted: Cell<bool>,
    /// Buffers of the lengths that reads are expected to have.
    pub fits: Fits,
    /// What bytes to be written were kept in last: it is in the cache.
    room: Cell<Vec<u8>>,
}

#[derive(Clone, Copy)]
pub struct Memory {
    pub start: *mut u8,
    pub size: usize,
}

/// Where a read lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// From this offset of the scratch area on.
    Scratch(usize),
    /// From the start of the spare.
    Spare,
    /// All of the Buffer in this slot of [`Fits`].
    Fit(usize),
}

/// What JavaScript is to allocate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Area {
    Scratch,
    Spare,
}

impl Area {
    /// Bytes to allocate.
    pub fn size(self) -> usize {
        match self {
            Self::Scratch => SCRATCH_SIZE,
            Self::Spare => SPARE_SIZE,
        }
    }
}

impl Slab {
    /// Memory for so many bytes to be written.
    pub fn take_room(&self, size: usize) -> Vec<u8> {
        let mut room = self.room.take();
        room.reserve_exact(size);
        room
    }

    /// Gives it back for the next who asks.
    pub fn give_room(&self, mut room: Vec<u8>) {
        room.clear();
        self.room.set(room);
    }

    /// Gives an area its memory and wakes the tasks that waited for room.
    ///
    /// # Safety
    /// `start..start + size` must stay valid, and be touched by nobody but readers of delivered
    /// bytes, until the area is provided again, the spare is taken, or [`Self::revoke`].
    pub unsafe fn provide(&self, area: Area, start: *mut u8, size: usize) {
        let memory = Some(Memory { start, size });
        match area {
            Area::Scratch => {
                self.scratch.set(memory);
                self.next.set(0);
            }
            Area::Spare => {
                self.spare.set(memory);
                self.spare_used.set(false);
            }
        }
        self.wake_waiting();
        self.grant();
    }

    /// A slab with a scratch area of its own, for tests; the memory is never freed.
    #[cfg(test)]
    pub fn with_scratch() -> Self {
        let slab = Self::default();
        let memory = Box::leak(vec![0; SCRATCH_SIZE].into_boxed_slice());
        // SAFETY: leaked, and nobody else has it.
        unsafe { slab.provide(Area::Scratch, memory.as_mut_ptr(), memory.len()) };
        slab
    }

    /// Provides the Buffer that is wanted, for tests, which is never freed; returns its slot and length.
    #[cfg(test)]
    pub fn with_fit(&self) -> Option<(usize, usize)> {
        let (slot, size) = self.fits.wanted()?;
        let memory = Box::leak(vec![0; size].into_boxed_slice());
        let start = memory.as_mut_ptr();
        // SAFETY: leaked, and nobody else has it.
        unsafe { self.fits.provide(slot, Some(Memory { start, size })) };
        Some((slot, size))
    }

    /// Forgets the memory: the environment ends.
    pub fn revoke(&self) {
        self.scratch.set(None);
        self.spare.set(None);
        self.leaving.set(None);
        self.fits.revoke();
    }

    /// The area that a task waits for, if JavaScript has to allocate it.
    pub fn wanted(&self) -> Option<Area> {
        if self.scratch.get().is_none() && !self.waiting.borrow().is_empty() {
            return Some(Area::Scratch);
        }
        (self.spare.get().is_none() && !self.queue.borrow().is_empty()).then_some(Area::Spare)
    }

    /// JavaScript could not allocate: whoever waits is woken, and told so by [`Self::is_exhausted`] when
    /// there is no room for it.
    pub fn exhaust(&self) {
        self.exhausted.set(true);
        self.first.borrow_mut().clear();
        self.granted.replace(None);
        let waiting = self.waiting.take().into_iter();
        waiting.chain(self.queue.take()).for_each(Waker::wake);
    }

    /// Whether it is for want of memory that there is no room.
    pub fn is_exhausted(&self) -> bool {
        self.exhausted.get()
    }

    /// Lets JavaScript try again.
    pub fn recover(&self) {
        self.exhausted.set(false);
    }

    /// Lets `fill` write into at most `wanted` bytes of free room and takes the bytes it says it
    /// wrote; returns where they lie. `None`: no room, and `waker` is woken when there is.
    pub fn fill<T>(
        &self,
        wanted: usize,
        waker: &Waker,
        fill: impl FnOnce(&mut [IoSliceMut<'_>]) -> (usize, T),
    ) -> Option<(Place, T)> {
        let (memory, offset) = match wanted > SMALL {
            true => (self.take_spare(waker)?, 0),
            false => self.take_scratch(wanted, waker)?,
        };
        let size = wanted.min(memory.size - offset);
        // SAFETY: within the memory promised by `provide`. In the scratch area undelivered reads
        // end at `next`; the spare is unused. The slice does not outlive the call, in which
        // JavaScript does not run.
        let room = unsafe { std::slice::from_raw_parts_mut(memory.start.add(offset), size) };
        let (filled, result) = fill(&mut [IoSliceMut::new(room)]);
        debug_assert!(filled <= size);
        if wanted > SMALL {
            self.spare_used.set(filled > 0);
            return Some((Place::Spare, result));
        }
        self.next.set(offset + filled);
        Some((Place::Scratch(offset), result))
    }

    /// As [`Self::fill`], for a read that probably has this length, of at most `SMALL`: it goes straight
    /// into a Buffer of that length, if there is one, and lies there if it is neither shorter nor longer. Any
    /// other lies in the scratch area.
    pub fn fill_fit<T>(
        &self,
        expected: usize,
        wanted: usize,
        waker: &Waker,
        fill: impl FnOnce(&mut [IoSliceMut<'_>]) -> (usize, T),
    ) -> Option<(Place, T)> {
        let (memory, offset) = self.take_scratch(wanted, waker)?;
        let (slot, fit) = self.fits.take(expected)?;
        // SAFETY: as in `fill`; the memory of a slot that was taken is nobody else's.
        let (head, rest) = unsafe {
            let start = memory.start.add(offset);
            let head = std::slice::from_raw_parts_mut(fit.start, fit.size);
            let rest = std::slice::from_raw_parts_mut(start, wanted);
            (head, rest)
        };
        let (before, behind) = rest.split_at_mut(expected);
        let mut room = [IoSliceMut::new(head), IoSliceMut::new(behind)];
        let (filled, result) = fill(&mut room);
        if filled == expected {
            return Some((Place::Fit(slot), result));
        }
        let length = filled.min(expected);
        before[..length].copy_from_slice(&head[..length]);
        self.fits.give_back(slot);
        self.next.set(offset + filled);
        Some((Place::Scratch(offset), result))
    }

    /// As [`Self::fill`], of the scratch area, for several reads at once: `fill` gets at least `least`
    /// and at most `most` bytes, which begin at a multiple of `BATCH_ALIGN`. Without a waker there is
    /// no wait for room: who has read something does not stand before others for more.
    pub fn fill_batch<T>(
        &self,
        least: usize,
        most: usize,
        waker: Option<&Waker>,
        fill: impl FnOnce(&mut [u8]) -> (usize, T),
    ) -> Option<(usize, T)> {
        let offset = self.next.get().next_multiple_of(BATCH_ALIGN);
        let scratch = self.scratch.get();
        let fits = |memory: &Memory| memory.size >= offset + least;
        let memory = self.admit(scratch.filter(fits), waker)?;
        let size = most.min(memory.size - offset);
        // SAFETY: as in `fill`.
        let room = unsafe { std::slice::from_raw_parts_mut(memory.start.add(offset), size) };
        let (filled, result) = fill(room);
        debug_assert!(filled <= size);
        self.next.set(offset + filled);
        Some((offset, result))
    }

    fn take_scratch(&self, wanted: usize, waker: &Waker) -> Option<(Memory, usize)> {
        let offset = self.next.get();
        let fits = |memory: &Memory| memory.size.min(STREAM_ROOM) >= offset + wanted;
        let memory = self.admit(self.scratch.get().filter(fits), Some(waker))?;
        Some((memory, offset))
    }

    /// Gives room, if there is any, to who is not behind others. Some who send without a pause would
    /// have it always, were it given to who asks first: they are woken when their reads were told, the
    /// others when all were.
    fn admit(&self, room: Option<Memory>, waker: Option<&Waker>) -> Option<Memory> {
        let mut first = self.first.borrow_mut();
        let is_next = first.is_empty() || waker.is_some_and(|it| leave(&mut first, it.data()));
        let room = room.filter(|_| is_next);
        if let (None, Some(waker), false) = (room, waker, self.is_exhausted()) {
            let mut waiting = self.waiting.borrow_mut();
            // Who asks again and again, as a busy wait does, waits once.
            if !waiting.last().is_some_and(|last| is_same(last, waker)) {
                waiting.push(waker.clone());
            }
        }
        room
    }

    /// The spare, if it is free and nobody came before. One who sends without a pause would have it
    /// always, were it given to who asks first after a read.
    fn take_spare(&self, waker: &Waker) -> Option<Memory> {
        let mut queue = self.queue.borrow_mut();
        let mut granted = self.granted.borrow_mut();
        let first = match &*granted {
            Some(task) => is_same(task, waker),
            None => queue.is_empty(),
        };
        let memory = self.spare.get().filter(|_| first && !self.spare_used.get());
        if memory.is_some() {
            *granted = None;
        } else if !self.is_exhausted() && !queue.iter().any(|task| is_same(task, waker)) {
            queue.push_back(waker.clone());
        }
        memory
    }

    /// Gives the free spare to who waits longest. A task that does not use it, because its
    /// connection was closed or stopped, is passed over at the next call.
    fn grant(&self) {
        if self.spare.get().is_none() || self.spare_used.get() {
            return;
        }
        let next = self.queue.borrow_mut().pop_front();
        if let Some(task) = &next {
            task.wake_by_ref();
        }
        self.granted.replace(next);
    }

    /// Whether the spare is free and tasks wait for it: whose turn it is did not come for it, and
    /// may be gone, so that nobody else would ask [`Self::reclaim`] to pass it on.
    pub fn is_withheld(&self) -> bool {
        let free = self.spare.get().is_some() && !self.spare_used.get();
        free && !self.queue.borrow().is_empty()
    }

    /// JavaScript is about to see the spare's read: a large one it keeps, and the spare with it.
    pub fn deliver_spare(&self, length: usize) {
        let leaves = is_kept(length);
        self.leaving
            .set(if leaves { self.spare.take() } else { None });
        self.spare_used.set(false);
    }

    /// JavaScript copied what it wanted of the large read that it sees: the spare stays.
    pub fn keep_spare(&self) {
        if let Some(memory) = self.leaving.take() {
            self.spare.set(Some(memory));
        }
    }

    /// JavaScript has seen the read that was told.
    pub fn read_delivered(&self) {
        self.fits.delivered();
        self.leaving.set(None);
    }

    /// The bytes of the read that JavaScript is being told of.
    pub fn delivered(&self, place: Place, length: usize) -> Option<&[u8]> {
        let (memory, offset) = match place {
            Place::Scratch(offset) => (self.scratch.get()?, offset),
            Place::Spare => (self.leaving.get().or(self.spare.get())?, 0),
            Place::Fit(slot) => (self.fits.at(slot)?, 0),
        };
        if memory.size.checked_sub(offset)? < length {
            return None;
        }
        // SAFETY: within the memory promised by `provide`. It is not read into before JavaScript,
        // which calls this by a command, returns.
        Some(unsafe { std::slice::from_raw_parts(memory.start.add(offset), length) })
    }

    /// Where the bytes of a read lie; `None` once the memory is revoked.
    pub fn at(&self, place: Place) -> Option<*const u8> {
        let (memory, offset) = match place {
            Place::Scratch(offset) => (self.scratch.get()?, offset),
            Place::Spare => (self.spare.get()?, 0),
            Place::Fit(slot) => (self.fits.at(slot)?, 0),
        };
        (offset <= memory.size).then(|| memory.start.wrapping_add(offset).cast_const())
    }

    /// What JavaScript wanted of the spare's read it has copied, or it wants none of it.
    pub fn copied_spare(&self) {
        self.spare_used.set(false);
    }

    /// Every read was delivered, and with that copied or kept: there is room again.
    pub fn reclaim(&self) {
        self.next.set(0);
        if self.scratch.get().is_some() {
            self.wake_waiting();
        }
        self.grant();
    }

    fn wake_waiting(&self) {
        let mut first = self.first.borrow_mut();
        first.clear();
        for task in self.waiting.borrow_mut().drain(..) {
            first.push_back(task.data());
            task.wake();
        }
    }
}

/// Whether JavaScript keeps a spare with a read of this length rather than copy the bytes.
fn is_kept(length: usize) -> bool {
    length >= KEEP
}

/// Reads of at most this many bytes share the scratch area. As large as Node's reads.
pub const SMALL: usize = 64 * 1024;
/// What the place of a datagram is counted in.
pub const BATCH_ALIGN: usize = 64;
/// 1 MiB: sixteen datagrams of any size in one call. What nobody reads into is not resident.
const SCRATCH_SIZE: usize = 1024 * 1024;
/// What streams use of it. 256 KiB: at 16 KiB a message, a larger area is slower: its bytes are out
/// of the cache when copied.
const STREAM_ROOM: usize = 256 * 1024;
/// The largest read, see `WINDOW_MAX` of a connection.
pub const SPARE_SIZE: usize = 512 * 1024;
/// Half of a spare: below, copying costs less than clearing what would stay unused.
pub const KEEP: usize = SPARE_SIZE / 2;

/// Whether two wakers are of one task. `will_wake` may say no of those that are, and a task would wait
/// behind itself.
fn is_same(one: &Waker, other: &Waker) -> bool {
    one.data() == other.data()
}

/// Takes a task out of a queue; the first one, mostly, since they are polled in the order of their wakes.
fn leave(queue: &mut VecDeque<*const ()>, task: *const ()) -> bool {
    let place = queue.iter().position(|it| *it == task);
    place.and_then(|place| queue.remove(place)).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(slab: &Slab, wanted: usize, count: usize) -> Option<Place> {
        slab.fill(wanted, Waker::noop(), |room| {
            room[0][..count].fill(1);
            (count, ())
        })
        .map(|(place, ())| place)
    }

    /// SAFETY of the calls: the vectors outlive the slab and are not touched meanwhile.
    fn provide(slab: &Slab, area: Area, memory: &mut Vec<u8>) {
        // SAFETY: as said above.
        unsafe { slab.provide(area, memory.as_mut_ptr(), memory.len()) }
    }

    #[test]
    fn a_batch_takes_what_is_left_of_the_scratch_area() {
        let slab = Slab::default();
        let batch = |filled| {
            let fill = |room: &mut [u8]| (filled, room.len());
            slab.fill_batch(SMALL, 4 * SMALL, Some(Waker::noop()), fill)
        };
        assert_eq!(batch(1), None);
        let mut scratch = vec![0; 3 * SMALL];
        provide(&slab, Area::Scratch, &mut scratch);
        assert_eq!(batch(65), Some((0, 3 * SMALL)));
        assert_eq!(batch(SMALL), Some((128, 3 * SMALL - 128)));
        assert_eq!(batch(2 * SMALL - 128), Some((SMALL + 128, 2 * SMALL - 128)));
        assert_eq!(batch(0), None);
        slab.reclaim();
        assert_eq!(batch(0), Some((0, 3 * SMALL)));
    }

    #[test]
    fn small_reads_share_the_scratch_area_until_they_are_delivered() {
        let slab = Slab::default();
        assert_eq!(put(&slab, SMALL, 1), None);
        assert_eq!(slab.wanted(), Some(Area::Scratch));
        let mut scratch = vec![0; 2 * SMALL];
        provide(&slab, Area::Scratch, &mut scratch);
        assert_eq!(slab.wanted(), None);
        assert_eq!(put(&slab, SMALL, 10), Some(Place::Scratch(0)));
        assert_eq!(put(&slab, SMALL, SMALL), Some(Place::Scratch(10)));
        assert_eq!(put(&slab, SMALL, 1), None);
        assert_eq!(slab.wanted(), None);
        slab.reclaim();
        assert_eq!(put(&slab, SMALL, 1), Some(Place::Scratch(0)));
    }

    #[test]
    fn who_waited_for_room_comes_before_who_had_some() {
        let slab = Slab::default();
        let mut scratch = vec![0; 2 * SMALL];
        provide(&slab, Area::Scratch, &mut scratch);
        let [one, two, gone, last] = [(); 4].map(|()| Waker::from(std::sync::Arc::new(Nobody)));
        let read = |task: &Waker| slab.fill(SMALL, task, |_| (SMALL, ())).is_some();
        let receive = |task: &Waker| {
            slab.fill_batch(SMALL, SMALL, Some(task), |_| (1, ()))
                .is_some()
        };
        assert!(read(&one) && read(&two) && !read(&gone) && !read(&last));
        slab.reclaim();
        assert!(!read(&one) && !receive(&two) && read(&last));
        slab.reclaim();
        assert!(read(&one) && receive(&two));
        slab.reclaim();
        assert!(read(&two) && read(&one), "nobody waits");
        assert!(slab.fill_batch(SMALL, SMALL, None, |_| (1, ())).is_none());
        slab.reclaim();
        assert!(receive(&gone) && read(&two), "nobody waits");
    }

    #[test]
    fn who_asks_again_and_again_waits_once() {
        let slab = Slab::default();
        let mut scratch = vec![0; 2 * SMALL];
        provide(&slab, Area::Scratch, &mut scratch);
        let [one, two, busy, other] = [(); 4].map(|()| Waker::from(std::sync::Arc::new(Nobody)));
        let read = |task: &Waker| slab.fill(SMALL, task, |_| (1, ())).is_some();
        let fill = |task: &Waker| slab.fill(SMALL, task, |_| (SMALL, ())).is_some();
        assert!(fill(&one) && fill(&two));
        assert!((0..100).all(|_| !read(&busy)));
        slab.reclaim();
        assert!(read(&busy) && read(&other), "nobody else waits");
    }

    #[test]
    fn nobody_waits_for_memory_that_is_not_to_be_had() {
        let slab = Slab::default();
        for wanted in [SMALL, SPARE_SIZE] {
            assert_eq!(put(&slab, wanted, 1), None);
            assert!(slab.wanted().is_some() && !slab.is_exhausted());
            slab.exhaust();
            assert_eq!(put(&slab, wanted, 1), None);
            assert!(slab.wanted().is_none() && slab.is_exhausted());
            slab.recover();
        }
    }

    #[test]
    fn a_spare_is_used_once_and_kept_with_a_large_read() {
        let slab = Slab::default();
        let (mut scratch, mut spare) = (vec![0; SMALL], vec![0; SPARE_SIZE]);
        provide(&slab, Area::Scratch, &mut scratch);
        assert_eq!(put(&slab, SPARE_SIZE, 1), None);
        assert_eq!(slab.wanted(), Some(Area::Spare));
        provide(&slab, Area::Spare, &mut spare);
        assert_eq!(put(&slab, SPARE_SIZE, KEEP), Some(Place::Spare));
        assert_eq!(put(&slab, SPARE_SIZE, 1), None);
        slab.deliver_spare(KEEP);
        assert_eq!(slab.wanted(), Some(Area::Spare));
    }

    /// Reads so many bytes where 10 are expected, and at most 30.
    fn put_steady(slab: &Slab, count: usize) -> Option<Place> {
        let fill = |room: &mut [IoSliceMut<'_>]| {
            let bytes = room.iter_mut().flat_map(|part| part.iter_mut());
            (1..=30)
                .zip(bytes.take(count))
                .for_each(|(number, byte)| *byte = number);
            (count, ())
        };
        let read = slab.fill_fit(10, 30, Waker::noop(), fill);
        read.map(|(place, ())| place)
    }

    #[test]
    fn a_read_of_the_expected_length_lies_in_its_own_buffer_others_in_the_scratch_area() {
        let slab = Slab::with_scratch();
        assert!(!slab.fits.has(10));
        assert_eq!(put_steady(&slab, 10), None);
        let (slot, _) = slab.with_fit().unwrap();

        let mut offset = 0;
        for count in [9, 11, 10, 0, 30, 1] {
            let place = put_steady(&slab, count).unwrap();
            if count == 10 {
                assert_eq!(place, Place::Fit(slot));
            } else {
                assert_eq!(place, Place::Scratch(offset));
                offset += count;
            }
            let bytes = slab.delivered(place, count).unwrap();
            assert!(bytes.iter().copied().eq(1..=count as u8));
            assert_eq!(slab.at(place), Some(bytes.as_ptr()));
            if count == 10 {
                assert_eq!(slab.delivered(place, 11), None);
                assert_eq!(put_steady(&slab, 10), None, "it is not delivered");
                slab.fits.give_back(slot);
            }
        }
        slab.revoke();
        assert_eq!(slab.at(Place::Fit(slot)), None);
        assert_eq!(put_steady(&slab, 10), None);
    }

    #[test]
    fn a_buffer_stays_free_where_the_scratch_area_has_no_room() {
        let slab = Slab::default();
        let mut scratch = vec![0; 35];
        provide(&slab, Area::Scratch, &mut scratch);
        assert!(!slab.fits.has(10));
        let (slot, _) = slab.with_fit().unwrap();
        assert_eq!(put_steady(&slab, 6), Some(Place::Scratch(0)));
        assert_eq!(put_steady(&slab, 10), None);
        slab.reclaim();
        assert_eq!(put_steady(&slab, 10), Some(Place::Fit(slot)));
    }

    #[test]
    fn a_spare_whose_read_was_forwarded_is_used_again() {
        let slab = Slab::default();
        let mut spare = vec![0; SPARE_SIZE];
        provide(&slab, Area::Spare, &mut spare);
        assert_eq!(put(&slab, SPARE_SIZE, SPARE_SIZE), Some(Place::Spare));
        slab.deliver_spare(SPARE_SIZE);
        let delivered = slab
            .delivered(Place::Spare, SPARE_SIZE)
            .map(|bytes| bytes[7]);
        assert_eq!(delivered, Some(1));
        assert_eq!(slab.delivered(Place::Spare, SPARE_SIZE + 1), None);
        slab.keep_spare();
        slab.read_delivered();
        assert_eq!(put(&slab, SPARE_SIZE, 5), Some(Place::Spare));
        slab.deliver_spare(SPARE_SIZE);
        slab.read_delivered();
        assert_eq!(slab.delivered(Place::Spare, 1), None);
    }

    #[test]
    fn a_spare_with_a_small_read_is_used_again() {
        let slab = Slab::default();
        let (mut scratch, mut spare) = (vec![0; SMALL], vec![0; SPARE_SIZE]);
        provide(&slab, Area::Scratch, &mut scratch);
        provide(&slab, Area::Spare, &mut spare);
        assert_eq!(put(&slab, SPARE_SIZE, KEEP - 1), Some(Place::Spare));
        slab.deliver_spare(KEEP - 1);
        assert_eq!(put(&slab, SPARE_SIZE, 5), Some(Place::Spare));
        slab.revoke();
        assert_eq!(put(&slab, SMALL, 1), None);
    }

    #[test]
    fn whoever_waits_longest_gets_the_spare() {
        let slab = Slab::default();
        let (mut scratch, mut spare) = (vec![0; SMALL], vec![0; SPARE_SIZE]);
        provide(&slab, Area::Scratch, &mut scratch);
        provide(&slab, Area::Spare, &mut spare);
        let [one, two, gone] = [(); 3].map(|()| Waker::from(std::sync::Arc::new(Nobody)));
        let read = |task: &Waker| slab.fill(SPARE_SIZE, task, |_| (1, ())).is_some();
        assert!(read(&one));
        assert!(!read(&gone) && !read(&two) && !read(&one));
        slab.deliver_spare(1);
        slab.reclaim();
        assert!(!read(&two), "it is the turn of another");
        slab.reclaim();
        assert!(!read(&one) && read(&two));
        slab.deliver_spare(1);
        slab.reclaim();
        assert!(read(&one));
    }

    #[test]
    fn who_does_not_come_for_the_spare_is_passed_over() {
        let slab = Slab::default();
        let mut spare = vec![0; SPARE_SIZE];
        provide(&slab, Area::Spare, &mut spare);
        let [one, gone, two] = [(); 3].map(|()| Waker::from(std::sync::Arc::new(Nobody)));
        let read = |task: &Waker| slab.fill(SPARE_SIZE, task, |_| (1, ())).is_some();
        assert!(read(&one) && !read(&gone) && !read(&two));
        assert!(!slab.is_withheld(), "it is in use");
        slab.copied_spare();
        slab.reclaim();
        assert!(slab.is_withheld());
        slab.reclaim();
        assert!(!slab.is_withheld() && read(&two));
    }

    #[test]
    fn what_left_with_a_read_is_not_taken_for_the_next_one() {
        let slab = Slab::default();
        let (mut left, mut spare) = (vec![7; SPARE_SIZE], vec![0; SPARE_SIZE]);
        provide(&slab, Area::Spare, &mut left);
        assert_eq!(put(&slab, SPARE_SIZE, KEEP), Some(Place::Spare));
        slab.deliver_spare(KEEP);
        provide(&slab, Area::Spare, &mut spare);
        assert_eq!(put(&slab, SPARE_SIZE, 5), Some(Place::Spare));
        slab.deliver_spare(5);
        let delivered = slab.delivered(Place::Spare, SPARE_SIZE).unwrap();
        assert_eq!((delivered[0], delivered[5]), (1, 0));
    }

    struct Nobody;

    impl std::task::Wake for Nobody {
        fn wake(self: std::sync::Arc<Self>) {}
    }

    #[test]
    fn an_empty_read_leaves_the_spare_free() {
        let slab = Slab::default();
        let (mut scratch, mut spare) = (vec![0; SMALL], vec![0; SPARE_SIZE]);
        provide(&slab, Area::Scratch, &mut scratch);
        provide(&slab, Area::Spare, &mut spare);
        assert_eq!(put(&slab, SPARE_SIZE, 0), Some(Place::Spare));
        assert_eq!(put(&slab, SPARE_SIZE, 5), Some(Place::Spare));
    }
}
