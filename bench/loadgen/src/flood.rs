//! UDP in one direction, faster than any server receives: one operation is one datagram that the
//! server's program saw, by its own count.

use std::io::{self, IoSlice};
use std::net::UdpSocket;
use std::os::fd::AsRawFd;
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::sys::socket::{sendmsg, ControlMessage, MsgFlags};

use crate::clients::payload;
use crate::counter::{ask, connect, Command};
use crate::cpu::ProcessCpu;
use crate::options::Options;
use crate::report::Report;
use crate::tally::Counts;

/// Floods for the warm-up, then for the measured time. Counts and clocks are read when the server
/// has seen what it kept of either: nothing is under way then.
pub fn measure(options: &Options) -> io::Result<Report> {
    let server = options.server_pid.map(ProcessCpu::of).transpose()?;
    let own = ProcessCpu::of(std::process::id() as i32)?;
    let sockets = (0..options.connections)
        .map(|_| connect(options.address))
        .collect::<io::Result<Vec<_>>>()?;
    let tell = || {
        sleep(CALM);
        ask(&sockets[0], Command::Tell, |_| {})
    };

    flood(&sockets, options.size, options.warmup)?;
    let before = tell()?;
    let server_before = server.as_ref().map(ProcessCpu::read).transpose()?;
    let own_before = own.read()?;

    let (sent, elapsed) = flood(&sockets, options.size, options.seconds)?;
    let own_after = own.read()?;
    let seen = tell()? - before;
    let server_after = server.as_ref().map(ProcessCpu::read).transpose()?;

    Ok(Report {
        options: options.clone(),
        elapsed,
        counts: Counts {
            operations: seen,
            lost: sent.saturating_sub(seen),
            ..Counts::default()
        },
        server_cpu: server_before
            .zip(server_after)
            .map(|(before, after)| before.until(after)),
        own_cpu: own_before.until(own_after),
    })
}

/// Sends without a pause, from each socket in turn; returns how many datagrams in what time.
fn flood(sockets: &[UdpSocket], size: usize, time: Duration) -> io::Result<(u64, Duration)> {
    let segments = (TRAIN_MAX / size).clamp(1, SEGMENTS_MAX);
    let train = payload(size).repeat(segments);
    let start = Instant::now();
    let mut sent = 0;
    loop {
        for socket in sockets {
            send_train(socket, &train, size as u16)?;
            sent += segments as u64;
        }
        let elapsed = start.elapsed();
        if elapsed >= time {
            return Ok((sent, elapsed));
        }
    }
}

/// One call, and one way through the kernel's layers, for many datagrams (`UDP_SEGMENT`).
fn send_train(socket: &UdpSocket, train: &[u8], size: u16) -> io::Result<()> {
    let parts = [IoSlice::new(train)];
    let segments = [ControlMessage::UdpGsoSegments(&size)];
    let (fd, flags) = (socket.as_raw_fd(), MsgFlags::empty());
    sendmsg::<()>(fd, &parts, &segments, flags, None)?;
    Ok(())
}

/// The kernel's limits of a train: datagrams, and bytes with a header.
const SEGMENTS_MAX: usize = 64;
const TRAIN_MAX: usize = 65_000;
/// Long enough to receive what a socket buffer of the default size holds.
const CALM: Duration = Duration::from_millis(50);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_train_arrives_as_datagrams() {
        let server = UdpSocket::bind("127.0.0.1:0").unwrap();
        let socket = connect(server.local_addr().unwrap()).unwrap();
        send_train(&socket, b"aabb", 2).unwrap();
        let mut bytes = [0; 8];
        assert_eq!(server.recv(&mut bytes).unwrap(), 2);
        assert_eq!(server.recv(&mut bytes).unwrap(), 2);
        assert_eq!(&bytes[..2], b"bb");
    }
}
