//! Datagrams on their way to the kernel: kept in order, handed over in batches, each with its own
//! outcome. Knows no socket, only something that sends.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::SocketAddr;

use super::Errno;

/// The datagrams of one socket that the kernel has yet to take.
#[derive(Default)]
pub struct SendQueue {
    entries: VecDeque<Entry>,
    /// The bytes of all entries, one after the other; those of the first begin at `start`.
    bytes: Vec<u8>,
    start: usize,
    /// How many datagrams were ever queued, and how many of them are done with.
    queued: Sequence,
    done: Sequence,
    /// What went wrong, until somebody asks.
    failures: HashMap<Sequence, Errno>,
}

/// The number of a datagram, counted from 1 for each socket.
pub type Sequence = u64;

struct Entry {
    length: usize,
    to: Option<SocketAddr>,
    /// Known to fail without asking the kernel.
    doomed: Option<Errno>,
    outcome: Outcome,
}

/// Who wants to know how a datagram fared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Nobody,
    /// Somebody asks later.
    Kept,
    /// Somebody asked too early, and waits to be told.
    Awaited,
}

/// What takes datagrams: a socket, or a test.
pub trait Sender {
    /// Sends some datagrams, without an address to the connected peer; returns how many. Errors
    /// only if the first could not be sent.
    fn send<'a>(
        &self,
        datagrams: impl Iterator<Item = (&'a [u8], Option<SocketAddr>)>,
    ) -> io::Result<usize>;
    /// Takes the error that the peer of a connected socket reported, if there is one.
    fn take_error(&self) -> Option<Errno>;
}

/// How a flush ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flushed {
    All,
    /// The kernel takes no more now.
    Blocked,
}

impl SendQueue {
    /// Appends a datagram; `kept`: its outcome will be asked for. Without `to` it goes to the
    /// connected peer.
    pub fn push(&mut self, bytes: &[u8], to: Option<SocketAddr>, kept: bool) -> Sequence {
        let doomed = (bytes.len() > PAYLOAD_MAX).then_some(Errno(libc::EMSGSIZE));
        let bytes = if doomed.is_some() { &[] } else { bytes };
        let outcome = if kept { Outcome::Kept } else { Outcome::Nobody };
        self.bytes.extend_from_slice(bytes);
        self.entries.push_back(Entry {
            length: bytes.len(),
            to,
            doomed,
            outcome,
        });
        self.queued += 1;
        self.queued
    }

    /// How many bytes wait.
    pub fn size(&self) -> usize {
        self.bytes.len() - self.start
    }

    /// How many datagrams wait.
    pub fn count(&self) -> usize {
        self.entries.len()
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether it is time to flush within a tick.
    pub fn is_full(&self) -> bool {
        self.count() >= COUNT_MAX || self.size() >= SIZE_MAX
    }

    /// How many datagrams were sent or failed: all those with a number up to this.
    pub fn done(&self) -> Sequence {
        self.done
    }

    /// How a datagram fared; asked once. `None`: it waits, and `told` of [`Self::flush`] follows.
    pub fn outcome(&mut self, sequence: Sequence) -> Option<Result<(), Errno>> {
        if sequence <= self.done {
            return Some(self.failures.remove(&sequence).map_or(Ok(()), Err));
        }
        let index = (sequence - self.done - 1) as usize;
        if let Some(entry) = self.entries.get_mut(index) {
            entry.outcome = Outcome::Awaited;
        }
        None
    }

    /// What went wrong and was not asked for yet.
    pub fn take_failures(&mut self) -> impl Iterator<Item = (Sequence, Errno)> {
        std::mem::take(&mut self.failures).into_iter()
    }

    /// Sends until nothing is left or the kernel takes no more.
    ///
    /// An error is the first datagram's alone. That of a connected peer (`ECONNREFUSED`) fails the
    /// datagram after the one that caused it, as with one call for each: `sendmmsg` would lose it,
    /// so the first datagram goes alone and the socket is asked before the others follow.
    pub fn flush(
        &mut self,
        sender: &impl Sender,
        mut told: impl FnMut(Sequence, Result<(), Errno>),
    ) -> Flushed {
        let mut alone = true;
        while let Some(first) = self.entries.front() {
            if let Some(errno) = first.doomed {
                self.complete(Err(errno), &mut told);
                continue;
            }
            let single = alone && first.to.is_none();
            let most = if single { 1 } else { usize::MAX };
            match sender.send(self.datagrams().take(most)) {
                Ok(0) => return Flushed::Blocked,
                Ok(count) => (0..count).for_each(|_| self.complete(Ok(()), &mut told)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Flushed::Blocked,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => self.complete(Err(error.into()), &mut told),
            }
            alone = false;
            if single && !self.is_empty() {
                if let Some(errno) = sender.take_error() {
                    self.complete(Err(errno), &mut told);
                    alone = true;
                }
            }
        }
        self.start = 0;
        self.bytes.clear();
        self.bytes.shrink_to(SIZE_MAX);
        Flushed::All
    }

    /// Those that the kernel can be asked to send together: up to the next that must fail.
    fn datagrams(&self) -> impl Iterator<Item = (&[u8], Option<SocketAddr>)> {
        let mut start = self.start;
        self.entries
            .iter()
            .take_while(|entry| entry.doomed.is_none())
            .map(move |entry| {
                let bytes = &self.bytes[start..start + entry.length];
                start += entry.length;
                (bytes, entry.to)
            })
    }

    fn complete(
        &mut self,
        result: Result<(), Errno>,
        told: &mut impl FnMut(Sequence, Result<(), Errno>),
    ) {
        let Some(entry) = self.entries.pop_front() else {
            return;
        };
        self.start += entry.length;
        self.done += 1;
        match (entry.outcome, result) {
            (Outcome::Awaited, _) => told(self.done, result),
            (Outcome::Kept, Err(errno)) => drop(self.failures.insert(self.done, errno)),
            (Outcome::Kept | Outcome::Nobody, _) => {}
        }
    }
}

/// What the length field of UDP can say; the kernel refuses more with `EMSGSIZE`.
const PAYLOAD_MAX: usize = 65_535;
/// Datagrams and bytes kept until the end of a tick: what is sent in a loop without end is sent.
const COUNT_MAX: usize = 1024;
const SIZE_MAX: usize = 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;

    /// Answers each call with the next of a list, and remembers what it was given.
    struct Script {
        answers: RefCell<VecDeque<io::Result<usize>>>,
        errors: RefCell<VecDeque<Option<Errno>>>,
        calls: RefCell<Vec<Vec<Vec<u8>>>>,
    }

    impl Script {
        fn new(answers: impl IntoIterator<Item = io::Result<usize>>) -> Self {
            let answers = RefCell::new(answers.into_iter().collect());
            Self {
                answers,
                errors: RefCell::default(),
                calls: RefCell::default(),
            }
        }
    }

    impl Sender for Script {
        fn send<'a>(
            &self,
            datagrams: impl Iterator<Item = (&'a [u8], Option<SocketAddr>)>,
        ) -> io::Result<usize> {
            let given: Vec<_> = datagrams.map(|(bytes, _)| bytes.to_vec()).collect();
            let all = given.len();
            self.calls.borrow_mut().push(given);
            self.answers.borrow_mut().pop_front().unwrap_or(Ok(all))
        }

        fn take_error(&self) -> Option<Errno> {
            self.errors.borrow_mut().pop_front().flatten()
        }
    }

    fn to() -> Option<SocketAddr> {
        Some("127.0.0.1:9".parse().unwrap())
    }

    fn errno(number: i32) -> io::Result<usize> {
        Err(io::Error::from_raw_os_error(number))
    }

    fn nobody(sequence: Sequence, _: Result<(), Errno>) {
        panic!("nobody waits for {sequence}");
    }

    #[test]
    fn a_batch_leaves_in_one_call() {
        let mut queue = SendQueue::default();
        for text in [&b"a"[..], b"", b"bcd"] {
            queue.push(text, to(), true);
        }
        assert_eq!((queue.count(), queue.size()), (3, 4));
        let script = Script::new([]);
        assert_eq!(queue.flush(&script, nobody), Flushed::All);
        assert_eq!(
            *script.calls.borrow(),
            [[b"a".to_vec(), vec![], b"bcd".to_vec()]]
        );
        assert_eq!((queue.count(), queue.size()), (0, 0));
        assert_eq!(queue.outcome(3), Some(Ok(())));
    }

    #[test]
    fn an_error_belongs_to_one_datagram() {
        let mut queue = SendQueue::default();
        for _ in 0..4 {
            queue.push(b"x", to(), true);
        }
        let script = Script::new([Ok(1), errno(libc::EPERM)]);
        assert_eq!(queue.flush(&script, nobody), Flushed::All);
        let outcomes: Vec<_> = (1..=4).map(|it| queue.outcome(it).unwrap()).collect();
        assert_eq!(outcomes, [Ok(()), Err(Errno(libc::EPERM)), Ok(()), Ok(())]);
        assert!(queue.failures.is_empty());
    }

    #[test]
    fn an_unanswered_datagram_keeps_no_failure() {
        let mut queue = SendQueue::default();
        queue.push(b"x", to(), false);
        queue.flush(&Script::new([errno(libc::EPERM)]), nobody);
        assert!(queue.failures.is_empty());
    }

    #[test]
    fn what_the_kernel_does_not_take_waits_and_is_told() {
        let mut queue = SendQueue::default();
        for _ in 0..3 {
            queue.push(b"xy", to(), true);
        }
        let script = Script::new([Ok(1), errno(libc::EAGAIN)]);
        assert_eq!(queue.flush(&script, nobody), Flushed::Blocked);
        assert_eq!((queue.count(), queue.size(), queue.done()), (2, 4, 1));
        assert_eq!(queue.outcome(1), Some(Ok(())));
        assert_eq!(queue.outcome(3), None);
        let mut told = Vec::new();
        let flushed = queue.flush(&Script::new([]), |sequence, it| told.push((sequence, it)));
        assert_eq!(flushed, Flushed::All);
        assert_eq!(told, [(3, Ok(()))]);
        assert_eq!(queue.outcome(2), Some(Ok(())));
    }

    #[test]
    fn an_interrupted_call_is_made_again() {
        let mut queue = SendQueue::default();
        queue.push(b"x", to(), true);
        let script = Script::new([errno(libc::EINTR)]);
        assert_eq!(queue.flush(&script, nobody), Flushed::All);
        assert_eq!(script.calls.borrow().len(), 2);
    }

    #[test]
    fn what_is_too_long_fails_in_its_turn() {
        let mut queue = SendQueue::default();
        queue.push(b"a", to(), true);
        queue.push(&[0; PAYLOAD_MAX + 1], to(), true);
        queue.push(b"b", to(), true);
        let script = Script::new([]);
        queue.flush(&script, nobody);
        assert_eq!(*script.calls.borrow(), [[b"a".to_vec()], [b"b".to_vec()]]);
        let outcomes: Vec<_> = (1..=3).map(|it| queue.outcome(it).unwrap()).collect();
        assert_eq!(outcomes, [Ok(()), Err(Errno(libc::EMSGSIZE)), Ok(())]);
    }

    #[test]
    fn a_refusal_fails_the_datagram_after_the_refused() {
        let mut queue = SendQueue::default();
        for _ in 0..5 {
            queue.push(b"x", None, true);
        }
        let script = Script::new([]);
        let refused = || Some(Errno(libc::ECONNREFUSED));
        script
            .errors
            .borrow_mut()
            .extend([refused(), refused(), None]);
        queue.flush(&script, nobody);
        let failed: Vec<_> = (1..=5)
            .filter(|it| queue.outcome(*it).unwrap().is_err())
            .collect();
        assert_eq!(failed, [2, 4]);
        assert!(script.calls.borrow().iter().all(|call| call.len() == 1));
    }

    #[test]
    fn a_connected_socket_without_refusals_sends_the_others_together() {
        let mut queue = SendQueue::default();
        for _ in 0..5 {
            queue.push(b"x", None, false);
        }
        let script = Script::new([]);
        queue.flush(&script, nobody);
        let sizes: Vec<_> = script.calls.borrow().iter().map(Vec::len).collect();
        assert_eq!(sizes, [1, 4]);
    }
}
