//! Whether to ask again and again for bytes that are about to arrive, before the loop sleeps (busy
//! polling, as of a network device). Where the peer answers within some microseconds, to sleep and to be
//! woken takes longer than everything else that a lone request does, and as much of the processor.

use std::cell::Cell;
use std::time::{Duration, Instant};

/// Decides by how long the last waits were, and by how the last busy ones ended.
pub struct BusyPoll {
    /// When the loop went to sleep.
    asleep: Cell<Option<Instant>>,
    /// Waits in a row that ended within `WINDOW`, asleep or not.
    short: Cell<u32>,
    /// So many short ones make the next worth a try.
    needed: Cell<u32>,
    /// Tries in a row that found something.
    found: Cell<u32>,
}

impl Default for BusyPoll {
    fn default() -> Self {
        Self {
            asleep: Cell::default(),
            short: Cell::default(),
            needed: Cell::new(NEEDED_MIN),
            found: Cell::default(),
        }
    }
}

impl BusyPoll {
    /// The loop is about to wait for one connection: returns until when it pays to stay awake.
    pub fn until(&self, now: Instant) -> Option<Instant> {
        if self.short.get() >= self.needed.get() {
            return Some(now + WINDOW);
        }
        self.asleep.set(Some(now));
        None
    }

    /// There were bytes in time.
    pub fn found(&self) {
        self.found.set(self.found.get() + 1);
    }

    /// There were none. The next try takes twice as many short waits, unless this one is an exception.
    pub fn missed(&self) {
        let needed = match self.found.take() {
            ..RELIABLE => (self.needed.get() * 2).min(NEEDED_MAX),
            _ => NEEDED_MIN,
        };
        self.needed.set(needed);
        self.short.set(0);
    }

    /// The loop was woken.
    pub fn woke(&self, now: impl FnOnce() -> Instant) {
        if let Some(asleep) = self.asleep.take() {
            let was_short = now() - asleep <= WINDOW;
            self.short
                .set(if was_short { self.short.get() + 1 } else { 0 });
        }
    }
}

/// 20 us: about four times what a peer of the same machine takes to answer, and little enough for whatever
/// else becomes ready meanwhile.
const WINDOW: Duration = Duration::from_micros(20);
const NEEDED_MIN: u32 = 8;
/// At worst one wait in 4096 is busy for nothing.
const NEEDED_MAX: u32 = 4096;
/// Tries in a row.
const RELIABLE: u32 = 64;

#[cfg(test)]
mod tests {
    use super::*;

    const SHORT: Duration = Duration::from_micros(8);
    const LONG: Duration = Duration::from_micros(50);

    /// Waits until it stays awake; returns how many times it slept.
    fn sleeps(busy: &BusyPoll, each: Duration) -> u32 {
        let now = Instant::now();
        let mut slept = 0;
        while busy.until(now).is_none() {
            busy.woke(|| now + each);
            slept += 1;
            if slept > 2 * NEEDED_MAX {
                break;
            }
        }
        slept
    }

    #[test]
    fn stays_awake_after_some_short_waits() {
        let busy = BusyPoll::default();
        assert_eq!(sleeps(&busy, SHORT), NEEDED_MIN);
        busy.found();
        assert_eq!(sleeps(&busy, SHORT), 0);
    }

    #[test]
    fn never_does_where_answers_take_long() {
        let busy = BusyPoll::default();
        assert!(sleeps(&busy, LONG) > NEEDED_MAX);
        let now = Instant::now();
        for _ in 1..NEEDED_MIN {
            assert!(busy.until(now).is_none());
            busy.woke(|| now + SHORT);
        }
        assert!(busy.until(now).is_none());
        busy.woke(|| now + LONG);
        assert_eq!(sleeps(&busy, SHORT), NEEDED_MIN);
    }

    #[test]
    fn each_failure_makes_the_next_rarer_down_to_a_bound() {
        let busy = BusyPoll::default();
        let mut before = sleeps(&busy, SHORT);
        for _ in 0..20 {
            busy.missed();
            let slept = sleeps(&busy, SHORT);
            assert_eq!(slept, (before * 2).min(NEEDED_MAX));
            before = slept;
        }
        assert_eq!(before, NEEDED_MAX);
    }

    #[test]
    fn an_exception_is_forgiven() {
        let busy = BusyPoll::default();
        sleeps(&busy, SHORT);
        (0..RELIABLE).for_each(|_| busy.found());
        busy.missed();
        assert_eq!(sleeps(&busy, SHORT), NEEDED_MIN);
        busy.missed();
        assert_eq!(sleeps(&busy, SHORT), NEEDED_MIN * 2);
    }
}
