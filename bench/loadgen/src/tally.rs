//! Counts what the clients complete; shared by all of them through an `Rc`, reset when the warm-up
//! ends.

use std::cell::{Cell, RefCell};
use std::io;
use std::time::Duration;

/// The counters of one run.
#[derive(Default)]
pub struct Tally {
    measuring: Cell<bool>,
    operations: Cell<u64>,
    lost: Cell<u64>,
    latencies: RefCell<Vec<u32>>,
    errors: RefCell<Vec<String>>,
}

/// What a run counted, taken out of the [`Tally`] when the measured window ends.
#[derive(Debug, Default)]
pub struct Counts {
    pub operations: u64,
    /// Datagrams that never came back.
    pub lost: u64,
    /// Nanoseconds of each round trip, sorted.
    pub latencies: Vec<u32>,
    /// Of the warm-up too: a client that failed there is missing from the measured window.
    pub errors: Vec<String>,
}

impl Tally {
    /// Whether echoes should be compared byte by byte: only before the measured window, because
    /// comparing would cost the generator time that is then missing from the load.
    pub fn verifying(&self) -> bool {
        !self.measuring.get()
    }

    /// Ends the warm-up: what was counted so far is forgotten, except errors.
    pub fn start_measuring(&self) {
        self.measuring.set(true);
        self.operations.set(0);
        self.lost.set(0);
        self.latencies.borrow_mut().clear();
    }

    pub fn completed(&self, operations: u64, elapsed: Duration) {
        self.operations.set(self.operations.get() + operations);
        let mut latencies = self.latencies.borrow_mut();
        if latencies.len() < MAX_LATENCIES {
            latencies.push(u32::try_from(elapsed.as_nanos()).unwrap_or(u32::MAX));
        }
    }

    pub fn lost(&self, datagrams: u64) {
        self.lost.set(self.lost.get() + datagrams);
    }

    pub fn failed(&self, error: &io::Error) {
        self.errors.borrow_mut().push(error.to_string());
    }

    pub fn take(&self) -> Counts {
        let mut latencies = self.latencies.take();
        latencies.sort_unstable();
        Counts {
            operations: self.operations.get(),
            lost: self.lost.get(),
            latencies,
            errors: self.errors.take(),
        }
    }
}

impl Counts {
    /// The latency that the fraction `quantile` of all round trips did not exceed.
    pub fn latency(&self, quantile: f64) -> Duration {
        let Some(last) = self.latencies.len().checked_sub(1) else {
            return Duration::ZERO;
        };
        let index = (last as f64 * quantile) as usize;
        Duration::from_nanos(self.latencies[index].into())
    }
}

/// 16 MB of latencies: more round trips than one core can generate in 20 seconds.
const MAX_LATENCIES: usize = 4_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_warm_up_is_not_counted_but_its_errors_are() {
        let tally = Tally::default();
        tally.completed(5, Duration::from_micros(9));
        tally.lost(1);
        tally.failed(&io::Error::other("refused"));
        assert!(tally.verifying());
        tally.start_measuring();
        assert!(!tally.verifying());
        tally.completed(2, Duration::from_micros(3));
        let counts = tally.take();
        assert_eq!(counts.operations, 2);
        assert_eq!(counts.lost, 0);
        assert_eq!(counts.latencies, [3000]);
        assert_eq!(counts.errors, ["refused"]);
    }

    #[test]
    fn quantiles_come_from_the_sorted_round_trips() {
        let tally = Tally::default();
        for micros in [30, 10, 20] {
            tally.completed(1, Duration::from_micros(micros));
        }
        let counts = tally.take();
        assert_eq!(counts.latency(0.5), Duration::from_micros(20));
        assert_eq!(counts.latency(1.0), Duration::from_micros(30));
        assert_eq!(Counts::default().latency(0.99), Duration::ZERO);
    }
}
