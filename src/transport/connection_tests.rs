//! What a connection does with a peer's bytes and with those given to it.

use super::*;
use crate::runtime::reactor::Reactor;
use crate::runtime::sys::is_readable;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use socket2::SockRef;

/// A connection with its task, its peer, and memory to read into.
struct Fixture<P = UnixStream> {
    connection: ConnectionRef,
    peer: P,
    outbox: Rc<Outbox>,
    slab: Rc<Slab>,
    reactor: Reactor,
}

impl Fixture {
    fn new() -> Self {
        let (ours, peer) = UnixStream::pair().unwrap();
        Self::over(ours, peer)
    }
}

impl<P> Fixture<P> {
    fn over(ours: impl Into<OwnedFd>, peer: P) -> Self {
        let reactor = Reactor::new().unwrap();
        let stream = {
            let _guard = reactor.enter();
            Stream::from_fd(ours.into()).unwrap()
        };
        let (outbox, slab) = (Rc::<Outbox>::default(), Rc::new(Slab::with_scratch()));
        let connection = Connection::new(7, stream, Pending::Nothing, outbox.clone(), slab.clone());
        reactor.spawn(ConnectionTask(connection.clone()));
        reactor.run_tasks();
        Self {
            connection,
            peer,
            outbox,
            slab,
            reactor,
        }
    }

    fn turn(&self) -> Vec<Event> {
        self.reactor.poll_io();
        self.reactor.run_tasks();
        std::iter::from_fn(|| self.outbox.pop()).collect()
    }
}

/// Two ends of a connection that takes a megabyte.
fn tcp_pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    SockRef::from(&listener)
        .set_recv_buffer_size(1 << 20)
        .unwrap();
    let ours = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    (ours, listener.accept().unwrap().0)
}

#[test]
fn reads_once_until_the_read_is_delivered() {
    let fixture = Fixture::new();
    fixture.connection.borrow_mut().read_start();
    (&fixture.peer).write_all(b"first").unwrap();
    assert!(matches!(
        fixture.turn()[..],
        [Event::Read {
            id: 7,
            length: 5,
            ..
        }]
    ));
    (&fixture.peer).write_all(b"second").unwrap();
    assert!(fixture.turn().is_empty());
    fixture.slab.reclaim();
    fixture.connection.borrow_mut().read_delivered();
    assert!(matches!(
        fixture.turn()[..],
        [Event::Read { length: 6, .. }]
    ));
}

#[test]
fn a_fin_is_told_after_the_bytes_before_it() {
    let Fixture {
        connection,
        peer,
        outbox,
        slab,
        reactor,
    } = Fixture::new();
    connection.borrow_mut().read_start();
    (&peer).write_all(b"last").unwrap();
    drop(peer);
    reactor.poll_io();
    reactor.run_tasks();
    assert!(matches!(outbox.pop(), Some(Event::Read { length: 4, .. })));
    slab.reclaim();
    connection.borrow_mut().read_delivered();
    reactor.run_tasks();
    assert!(matches!(outbox.pop(), Some(Event::End { id: 7 })));
}

#[test]
fn the_first_write_of_a_tick_leaves_at_once_and_the_others_together() {
    let mut fixture = Fixture::new();
    let mut received = [0; 16];
    let write = |bytes: &[u8], tick| {
        fixture
            .connection
            .borrow_mut()
            .write(&[IoSlice::new(bytes)], tick)
            .unwrap()
    };
    assert_eq!(
        write(b"one", 1),
        Written {
            accepted: 3,
            waits: false
        }
    );
    assert_eq!(fixture.peer.read(&mut received).unwrap(), 3);
    assert_eq!(
        write(b"two", 1),
        Written {
            accepted: 3,
            waits: false
        }
    );
    assert_eq!(
        write(b"three", 1),
        Written {
            accepted: 5,
            waits: false
        }
    );
    assert!(fixture.connection.borrow().activity().requests);
    assert!(matches!(fixture.turn()[..], [Event::Settled { id: 7 }]));
    assert!(!fixture.connection.borrow().activity().requests);
    assert_eq!(fixture.peer.read(&mut received).unwrap(), 8);
    assert_eq!(&received[..8], b"twothree");
}

#[test]
fn a_large_write_goes_at_once_behind_what_is_kept() {
    let mut fixture = Fixture::new();
    for bytes in [&b"one"[..], b"two", &[b'x'; DIRECT]] {
        let mut connection = fixture.connection.borrow_mut();
        connection.write(&[IoSlice::new(bytes)], 1).unwrap();
    }
    let mut received = vec![0; 6 + DIRECT];
    fixture.peer.read_exact(&mut received).unwrap();
    assert!(received.starts_with(b"onetwox"));
}

#[test]
fn pieces_of_a_body_leave_together_and_give_their_room_back() {
    let mut fixture = Fixture::new();
    let piece = [b'x'; DIRECT - 1];
    let written = |tick| {
        let mut connection = fixture.connection.borrow_mut();
        let written = connection.write(&[IoSlice::new(&piece)], tick).unwrap();
        assert_eq!(written.accepted, piece.len());
        connection.out.len()
    };
    // The fourth does not fit: it leaves, behind those that are kept.
    let kept: Vec<usize> = (0..5).map(|_| written(1)).collect();
    let expected = [0, 1, 2, 3, 0].map(|count| count * piece.len());
    assert_eq!(kept, expected);
    assert_eq!(fixture.connection.borrow().out.capacity(), 0);
    assert_eq!(written(1), piece.len());
    fixture.turn();
    let connection = fixture.connection.borrow();
    assert_eq!((connection.out.len(), connection.out.capacity()), (0, 0));
    drop(connection);
    let mut received = vec![0; 6 * piece.len()];
    fixture.peer.read_exact(&mut received).unwrap();
    assert!(received.iter().all(|&byte| byte == b'x'));
}

#[test]
fn the_end_of_a_large_write_waits_for_more_until_the_tick_is_over() {
    let (ours, peer) = tcp_pair();
    ours.set_nodelay(true).unwrap();
    let mut fixture = Fixture::over(ours, peer);
    let mut received = vec![0; 1 << 18];
    let large = [1; COALESCE + 1];
    for (bytes, count) in [(&large[..1], 1), (&large, 1 + large.len())] {
        let mut connection = fixture.connection.borrow_mut();
        let written = connection.write(&[IoSlice::new(bytes)], 1).unwrap();
        assert_eq!(written.accepted, bytes.len());
        let there = fixture.peer.peek(&mut received).unwrap();
        assert_eq!(there == count, count == 1, "{there} of {count}");
    }
    fixture.turn();
    // Less than the kernel would wait.
    let patience = Duration::from_millis(100);
    fixture.peer.set_read_timeout(Some(patience)).unwrap();
    let all = &mut received[..1 + large.len()];
    fixture.peer.read_exact(all).unwrap();
}

#[test]
fn the_end_of_forwarded_bulk_does_not_wait_for_an_acknowledgement() {
    let (ours, peer) = tcp_pair();
    let fixture = Fixture::over(ours, peer);
    let mut connection = fixture.connection.borrow_mut();
    let is_prompt = |connection: &Connection| {
        let stream = connection.stream().unwrap();
        SockRef::from(stream).tcp_nodelay().unwrap()
    };
    let bulk = [1; BULK];
    let small = [IoSlice::new(b"x")];

    assert!(!is_prompt(&connection));
    assert_eq!(connection.forward(b"x", 1), 1);
    assert!(!is_prompt(&connection));
    assert_eq!(connection.forward(&bulk, 2), BULK);
    assert!(is_prompt(&connection));
    assert_eq!(connection.forward(b"x", 3), 1);
    assert!(is_prompt(&connection), "the end of it");
    connection.write(&small, 4).unwrap();
    assert!(!is_prompt(&connection), "not any more");

    connection.set_no_delay(false).unwrap();
    assert_eq!(connection.forward(&bulk, 5), BULK);
    assert!(!is_prompt(&connection), "the program wants it to");
    connection.set_no_delay(true).unwrap();
    connection.write(&small, 6).unwrap();
    assert!(is_prompt(&connection), "the program does not");
}

#[test]
fn a_full_kernel_buffer_takes_a_part_and_says_when_there_is_room() {
    let mut fixture = Fixture::new();
    let bytes = vec![1; 8 << 20];
    let written = fixture
        .connection
        .borrow_mut()
        .write(&[IoSlice::new(&bytes)], 1)
        .unwrap();
    assert!(written.waits && written.accepted > 0 && written.accepted < bytes.len());
    let again = fixture
        .connection
        .borrow_mut()
        .write(&[IoSlice::new(b"x")], 2)
        .unwrap();
    assert_eq!(
        again,
        Written {
            accepted: 0,
            waits: true
        }
    );
    assert!(fixture.turn().is_empty());
    let mut received = vec![0; written.accepted];
    fixture.peer.read_exact(&mut received).unwrap();
    assert!(matches!(fixture.turn()[..], [Event::Writable { id: 7 }]));
}

#[test]
fn a_window_is_narrowed_unless_it_is_fixed() {
    let fixture = Fixture::new();
    let mut connection = fixture.connection.borrow_mut();
    connection.adapt_window(WINDOW_MIN, true);
    assert_eq!(connection.window, WINDOW_MAX);
    connection.adapt_window(WINDOW_MIN + 1, false);
    assert_eq!(connection.window, WINDOW_MAX);
    connection.adapt_window(WINDOW_MIN, false);
    assert_eq!(connection.window, WINDOW_MIN);
    connection.adapt_window(WINDOW_MIN, true);
    connection.narrow_window();
    assert_eq!(connection.window, WINDOW_MIN);
    connection.fix_window(9);
    connection.narrow_window();
    assert_eq!(connection.window, 9);
}

#[test]
fn close_sends_what_was_accepted() {
    let mut fixture = Fixture::new();
    for part in [b"a", b"b"] {
        fixture
            .connection
            .borrow_mut()
            .write(&[IoSlice::new(part)], 1)
            .unwrap();
    }
    assert!(!fixture.connection.borrow_mut().close(Close::Plain));
    let mut received = Vec::new();
    fixture.peer.read_to_end(&mut received).unwrap();
    assert_eq!(received, b"ab");
    let late = fixture
        .connection
        .borrow_mut()
        .write(&[IoSlice::new(b"c")], 2);
    assert_eq!(late, Err(Errno(libc::EBADF)));
}

#[test]
fn what_a_panic_leaves_is_an_error_of_the_connection() {
    let fixture = Fixture::new();
    fixture.connection.borrow_mut().read_start();
    fixture.connection.borrow_mut().fail();
    assert!(matches!(
        fixture.turn()[..],
        [Event::ReadFailed {
            id: 7,
            errno: Errno(libc::EIO)
        }]
    ));
    assert!(!fixture.connection.borrow().activity().requests);
    let late = fixture
        .connection
        .borrow_mut()
        .write(&[IoSlice::new(b"lost")], 1);
    assert_eq!(late, Err(Errno(libc::EBADF)));
    assert_eq!((&fixture.peer).read(&mut [0; 1]).unwrap(), 0);
}

#[test]
fn what_is_read_past_the_runtime_is_not_reported_again() {
    let fixture = Fixture::new();
    let _guard = fixture.reactor.enter();
    fixture.connection.borrow_mut().read_start();
    assert!(fixture.turn().is_empty());
    // The first call asks for bytes alone from then on; the task asks again.
    assert!(!fixture.connection.borrow_mut().read_now());
    assert!(fixture.turn().is_empty());
    assert!(!fixture.connection.borrow_mut().read_now());

    (&fixture.peer).write_all(b"bytes").unwrap();
    assert!(fixture.connection.borrow_mut().read_now());
    assert!(matches!(
        fixture.outbox.pop(),
        Some(Event::Read { length: 5, .. })
    ));
    assert!(!is_readable(fixture.reactor.fd()));
    // Not again before JavaScript saw it.
    (&fixture.peer).write_all(b"more").unwrap();
    assert!(!fixture.connection.borrow_mut().read_now());
    fixture.slab.reclaim();
    fixture.connection.borrow_mut().read_delivered();
    assert!(matches!(
        fixture.turn()[..],
        [Event::Read { length: 4, .. }]
    ));
}

#[test]
fn an_end_that_is_read_past_the_runtime_is_told() {
    let Fixture {
        connection,
        peer,
        outbox,
        reactor,
        ..
    } = Fixture::new();
    let _guard = reactor.enter();
    connection.borrow_mut().read_start();
    reactor.run_tasks();
    assert!(!connection.borrow_mut().read_now());
    drop(peer);
    assert!(connection.borrow_mut().read_now());
    assert!(matches!(outbox.pop(), Some(Event::End { id: 7 })));
    assert!(!connection.borrow_mut().read_now());
}

#[test]
fn one_that_connects_is_not_read() {
    let fixture = Fixture::new();
    let _guard = fixture.reactor.enter();
    let mut connection = fixture.connection.borrow_mut();
    connection.read_start();
    assert!(connection.awaits());
    connection.pending = Pending::Connect;
    assert!(!connection.awaits() && !connection.read_now());
}

#[test]
fn room_is_told_to_one_that_was_watched_for_bytes_alone() {
    let mut fixture = Fixture::new();
    let guard = fixture.reactor.enter();
    fixture.connection.borrow_mut().read_start();
    fixture.turn();
    assert!(!fixture.connection.borrow_mut().read_now());
    fixture.turn();

    let bytes = vec![b'x'; 1 << 20];
    let mut sent = 0;
    loop {
        let mut connection = fixture.connection.borrow_mut();
        let written = connection.write(&[IoSlice::new(&bytes)], 1).unwrap();
        sent += written.accepted;
        if written.waits {
            break;
        }
    }
    assert!(fixture.turn().is_empty());
    // It is read as before while it waits, and not past the runtime.
    (&fixture.peer).write_all(b"bytes").unwrap();
    assert!(!fixture.connection.borrow().awaits());
    assert!(!fixture.connection.borrow_mut().read_now());
    assert!(matches!(
        fixture.turn()[..],
        [Event::Read { length: 5, .. }]
    ));
    fixture.peer.read_exact(&mut vec![0; sent]).unwrap();
    assert!(matches!(fixture.turn()[..], [Event::Writable { id: 7 }]));
    drop(guard);
}

#[test]
fn what_follows_urgent_data_does_not_wait() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let peer = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let fixture = Fixture::over(listener.accept().unwrap().0, peer);
    fixture.connection.borrow_mut().read_start();
    assert!(fixture.turn().is_empty());

    // A read ends before the urgent byte, which is not among the others.
    (&fixture.peer).write_all(b"before").unwrap();
    SockRef::from(&fixture.peer).send_out_of_band(b"!").unwrap();
    (&fixture.peer).write_all(b"after").unwrap();
    let mut lengths = Vec::new();
    for _ in 0..4 {
        for event in fixture.turn() {
            if let Event::Read { length, .. } = event {
                lengths.push(length);
            }
        }
        fixture.slab.reclaim();
        fixture.connection.borrow_mut().read_delivered();
    }
    assert_eq!(lengths, [6, 5]);
}

#[test]
fn the_third_read_of_one_length_is_expected() {
    let (ours, mut peer) = tcp_pair();
    peer.set_nodelay(true).unwrap();
    let fixture = Fixture::over(ours, ());
    fixture.connection.borrow_mut().read_start();
    let mut read = |length: usize| {
        peer.write_all(&vec![1; length]).unwrap();
        let events = fixture.turn();
        let [Event::Read {
            place, length: all, ..
        }] = events[..]
        else {
            panic!("{events:?}");
        };
        assert_eq!(all, length);
        if let Place::Fit(slot) = place {
            fixture.slab.fits.give_back(slot);
        }
        fixture.slab.reclaim();
        fixture.connection.borrow_mut().read_delivered();
        place
    };
    let scratch = Place::Scratch(0);
    assert!([5000, 5000, 5000]
        .map(&mut read)
        .iter()
        .all(|it| *it == scratch));
    let (slot, size) = fixture.slab.with_fit().unwrap();
    assert_eq!(size, 5000);
    let fit = Place::Fit(slot);
    assert_eq!([5000, 5000].map(&mut read), [fit, fit]);
    assert_eq!(
        [4999, 5000, 5000, 5000].map(&mut read),
        [scratch, scratch, scratch, fit]
    );
    assert_eq!([FITTING.start() - 1; 4].map(&mut read), [scratch; 4]);
    assert_eq!(fixture.slab.fits.wanted(), None);

    // Not what is parsed, nor where there is room for just so much.
    assert_eq!([5000; 3].map(&mut read), [scratch, scratch, fit]);
    for (parsed, place) in [(true, scratch), (false, fit)] {
        fixture.connection.borrow_mut().set_parsed(parsed);
        assert_eq!(read(5000), place);
    }
    fixture.connection.borrow_mut().fix_window(6000);
    assert_eq!([5000; 3].map(&mut read), [scratch; 3]);
}
