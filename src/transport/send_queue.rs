//! Datagrams on their way to the kernel: kept in order, handed over in batches, each with its own
//! outcome. Knows no socket, only something that sends.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::{IpAddr, SocketAddr};

use super::Errno;
use crate::runtime::mmsg::{Train, TRAIN_BYTES_MAX, TRAIN_MAX};

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
    joining: Joining,
    /// The connected peer is a group of receivers.
    peer_is_group: bool,
}

/// Whether datagrams of one size to one address are given to the kernel as one.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Joining {
    /// The kernel was not asked yet.
    #[default]
    Unknown,
    Works,
    /// A train failed; its first datagram is tried alone.
    Suspected,
    Fails,
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
    /// Sends some trains; returns how many. Errors only if the first could not be sent.
    fn send<'a>(&self, trains: impl Iterator<Item = Train<'a>>) -> io::Result<usize>;
    /// Whether trains of more than one datagram are divided.
    fn divides(&self) -> bool;
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
    /// Learns who the connected peer is, to whom datagrams without an address go.
    pub fn connected(&mut self, to: IpAddr) {
        self.peer_is_group = is_group(to);
    }

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
    ///
    /// Datagrams of one size to one address leave as a train. Where the way does not allow that, none
    /// of it is sent, and they go one by one from then on.
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
            if self.joining == Joining::Unknown && !single && self.count() > 1 {
                self.joining = match sender.divides() {
                    true => Joining::Works,
                    false => Joining::Fails,
                };
            }
            let suspected = self.joining == Joining::Suspected;
            let joins = !single && self.joining == Joining::Works;
            let most = if single || suspected { 1 } else { usize::MAX };
            match sender.send(self.trains(joins).take(most)) {
                Ok(0) => return self.blocked(),
                Ok(count) => {
                    if suspected {
                        self.joining = Joining::Fails;
                    }
                    let sent = self.trains(joins).take(count).map(|it| length(&it)).sum();
                    (0..sent).for_each(|_| self.complete(Ok(()), &mut told));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return self.blocked(),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if joins && self.may_be_joining(&error) => {
                    self.joining = Joining::Suspected;
                    continue;
                }
                Err(error) => {
                    if suspected {
                        self.joining = Joining::Works;
                    }
                    self.complete(Err(error.into()), &mut told);
                }
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

    /// What was sent gives its room up when it is more than what waits: a queue that never empties does
    /// not grow with all that ever went through it.
    fn blocked(&mut self) -> Flushed {
        if self.start > self.size() {
            self.bytes.drain(..self.start);
            self.start = 0;
        }
        Flushed::Blocked
    }

    /// Whether the first train may have failed with this error because it is one: a segment above
    /// the path's MTU, a device or a socket that cannot. Other errors are its first datagram's own.
    fn may_be_joining(&self, error: &io::Error) -> bool {
        let is_train = self.trains(true).next().is_some_and(|it| length(&it) > 1);
        let number = error.raw_os_error();
        is_train
            && number.is_some_and(|it| {
                [libc::EIO, libc::EINVAL, libc::EMSGSIZE, libc::ENOBUFS].contains(&it)
            })
    }

    /// Everything fails with the same error.
    pub fn abandon(&mut self, errno: Errno, mut told: impl FnMut(Sequence, Result<(), Errno>)) {
        while !self.entries.is_empty() {
            self.complete(Err(errno), &mut told);
        }
        self.bytes = Vec::new();
        self.start = 0;
    }

    /// What the kernel can be asked to send together: up to the next datagram that must fail.
    fn trains(&self, joins: bool) -> impl Iterator<Item = Train<'_>> {
        let mut start = self.start;
        let entries = self.entries.iter();
        let mut entries = entries.take_while(|it| it.doomed.is_none()).peekable();
        std::iter::from_fn(move || {
            let &Entry {
                length: segment,
                to,
                ..
            } = entries.next()?;
            let (mut end, mut count) = (start + segment, 1);
            let is_group = to.map_or(self.peer_is_group, |to| is_group(to.ip()));
            if joins && !is_group && (1..=SEGMENT_MAX).contains(&segment) {
                // A shorter one ends the train.
                while (end - start) == count * segment && count < TRAIN_MAX {
                    let fits = |it: &&Entry| {
                        it.to == to
                            && (1..=segment).contains(&it.length)
                            && end + it.length - start <= TRAIN_BYTES_MAX
                    };
                    let Some(next) = entries.next_if(fits) else {
                        break;
                    };
                    end += next.length;
                    count += 1;
                }
            }
            let bytes = &self.bytes[start..end];
            start = end;
            Some(Train { bytes, segment, to })
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

/// Whether an address may name several receivers: what kernels divide for one of them only.
fn is_group(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_multicast() || ip.is_broadcast(),
        IpAddr::V6(ip) => ip.is_multicast(),
    }
}

/// How many datagrams a train has.
fn length(train: &Train<'_>) -> usize {
    train.bytes.len().div_ceil(train.segment.max(1)).max(1)
}

/// What fits into one packet everywhere: the least MTU of IPv6 without the headers.
const SEGMENT_MAX: usize = 1280 - 40 - 8;
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
        divides: bool,
    }

    impl Script {
        fn new(answers: impl IntoIterator<Item = io::Result<usize>>) -> Self {
            let answers = RefCell::new(answers.into_iter().collect());
            Self {
                answers,
                errors: RefCell::default(),
                calls: RefCell::default(),
                divides: false,
            }
        }

        fn dividing(answers: impl IntoIterator<Item = io::Result<usize>>) -> Self {
            Self {
                divides: true,
                ..Self::new(answers)
            }
        }

        /// The bytes of each train of each call, as text.
        fn texts(&self) -> Vec<Vec<String>> {
            let text = |bytes: &Vec<u8>| String::from_utf8(bytes.clone()).unwrap();
            let calls = self.calls.borrow();
            calls
                .iter()
                .map(|call| call.iter().map(text).collect())
                .collect()
        }
    }

    impl Sender for Script {
        fn send<'a>(&self, trains: impl Iterator<Item = Train<'a>>) -> io::Result<usize> {
            let given: Vec<_> = trains.map(|train| train.bytes.to_vec()).collect();
            let all = given.len();
            self.calls.borrow_mut().push(given);
            self.answers.borrow_mut().pop_front().unwrap_or(Ok(all))
        }

        fn divides(&self) -> bool {
            self.divides
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
    fn a_queue_that_never_empties_keeps_only_what_waits() {
        let mut queue = SendQueue::default();
        for _ in 0..10 {
            queue.push(&[0; 1000], to(), false);
        }
        for round in 0..100 {
            queue.push(&[round; 1000], to(), false);
            let script = Script::new([Ok(1), errno(libc::EAGAIN)]);
            assert_eq!(queue.flush(&script, nobody), Flushed::Blocked);
            assert_eq!(queue.size(), 10_000);
            assert!(queue.bytes.len() <= 21_000);
        }
        let script = Script::new([]);
        queue.flush(&script, nobody);
        let sent: Vec<_> = script.calls.borrow()[0].iter().map(|it| it[0]).collect();
        assert_eq!(sent, (90..100).collect::<Vec<_>>());
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

    fn queue_of(datagrams: &[(&str, &str)]) -> SendQueue {
        let mut queue = SendQueue::default();
        for (text, to) in datagrams {
            queue.push(text.as_bytes(), to.parse().ok(), true);
        }
        queue
    }

    #[test]
    fn datagrams_of_one_size_to_one_address_leave_as_a_train() {
        let (one, other) = ("10.0.0.1:9", "10.0.0.1:8");
        let mut queue = queue_of(&[
            ("aa", one),
            ("bb", one),
            ("c", one),
            ("dd", one),
            ("ee", other),
            ("", other),
            ("ff", other),
            ("ggg", other),
        ]);
        let script = Script::dividing([Ok(2)]);
        assert_eq!(queue.flush(&script, nobody), Flushed::All);
        let all = ["aabbc", "dd", "ee", "", "ff", "ggg"];
        assert_eq!(script.texts(), [&all[..], &all[2..]]);
        assert_eq!(queue.done(), 8);
    }

    #[test]
    fn trains_stay_within_the_limits_and_leave_groups_alone() {
        for (size, count, lengths) in [
            (8, TRAIN_MAX + 2, vec![TRAIN_MAX * 8, 16]),
            (1232, 60, vec![52 * 1232, 8 * 1232]),
            (1233, 2, vec![1233, 1233]),
        ] {
            let mut queue = SendQueue::default();
            for _ in 0..count {
                queue.push(&vec![b'x'; size], to(), false);
            }
            let script = Script::dividing([]);
            queue.flush(&script, nobody);
            let sent: Vec<_> = script.calls.borrow()[0].iter().map(Vec::len).collect();
            assert_eq!(sent, lengths);
        }
        for group in ["224.0.0.7:9", "255.255.255.255:9", "[ff02::1]:9"] {
            let script = Script::dividing([]);
            queue_of(&[("a", group), ("b", group)]).flush(&script, nobody);
            assert_eq!(script.texts(), [["a", "b"]]);

            let mut queue = SendQueue::default();
            queue.connected(group.parse::<SocketAddr>().unwrap().ip());
            for _ in 0..3 {
                queue.push(b"c", None, false);
            }
            let script = Script::dividing([]);
            queue.flush(&script, nobody);
            assert_eq!(script.texts(), [vec!["c"], vec!["c", "c"]]);
        }
    }

    #[test]
    fn what_does_not_pass_as_a_train_passes_one_by_one_from_then_on() {
        let to = "10.0.0.1:9";
        for number in [libc::EIO, libc::EINVAL, libc::EMSGSIZE, libc::ENOBUFS] {
            let mut queue = queue_of(&[("a", to), ("b", to), ("c", to)]);
            let script = Script::dividing([errno(number)]);
            assert_eq!(queue.flush(&script, nobody), Flushed::All);
            assert_eq!(script.texts(), [vec!["abc"], vec!["a"], vec!["b", "c"]]);
            assert!((1..=3).all(|it| queue.outcome(it) == Some(Ok(()))));
        }
    }

    #[test]
    fn an_error_of_its_own_fails_the_first_datagram_of_a_train_alone() {
        let to = "10.0.0.1:9";
        let mut queue = queue_of(&[("a", to), ("b", to), ("c", to)]);
        let refused = errno(libc::EPERM);
        let script = Script::dividing([refused, errno(libc::EINVAL), errno(libc::EINVAL)]);
        assert_eq!(queue.flush(&script, nobody), Flushed::All);
        assert_eq!(script.texts(), [["abc"], ["bc"], ["b"], ["c"]]);
        let outcomes: Vec<_> = (1..=3).map(|it| queue.outcome(it).unwrap()).collect();
        assert_eq!(
            outcomes,
            [Err(Errno(libc::EPERM)), Err(Errno(libc::EINVAL)), Ok(())]
        );
        let more = Script::dividing([]);
        for _ in 0..2 {
            queue.push(b"d", to.parse().ok(), false);
        }
        queue.flush(&more, nobody);
        assert_eq!(more.texts(), [["dd"]]);
    }

    #[test]
    fn what_is_abandoned_fails() {
        let mut queue = queue_of(&[("a", "10.0.0.1:9"), ("b", "10.0.0.1:9")]);
        assert_eq!(queue.outcome(2), None);
        let mut told = Vec::new();
        let eio = Err(Errno(libc::EIO));
        queue.abandon(Errno(libc::EIO), |sequence, it| told.push((sequence, it)));
        assert_eq!(told, [(2, eio)]);
        assert_eq!(queue.outcome(1), Some(eio));
        assert_eq!((queue.count(), queue.size()), (0, 0));
    }
}
