//! Receives what a server sends on its own: one operation is one datagram that arrived.

use std::io;
use std::net::UdpSocket;
use std::time::{Duration, Instant};

use nix::sys::socket::{setsockopt, sockopt};

use crate::counter::{ask, connect, Command};
use crate::cpu::ProcessCpu;
use crate::options::Options;
use crate::report::Report;
use crate::tally::Counts;

/// Lets the server send for the warm-up and the measured time, then asks it how much that was.
pub fn measure(options: &Options) -> io::Result<Report> {
    let server = options.server_pid.map(ProcessCpu::of).transpose()?;
    let own = ProcessCpu::of(std::process::id() as i32)?;
    let socket = connect(options.address)?;
    setsockopt(&socket, sockopt::RcvBuf, &BUFFER)?;

    let begun = ask(&socket, Command::Begin, |_| {})?;
    let before = drain(&socket, options.size, options.warmup)?.0;
    let server_before = server.as_ref().map(ProcessCpu::read).transpose()?;
    let own_before = own.read()?;

    let (arrived, elapsed) = drain(&socket, options.size, options.seconds)?;
    let own_after = own.read()?;
    let server_after = server.as_ref().map(ProcessCpu::read).transpose()?;

    let mut after = 0;
    let ended = ask(&socket, Command::End, |length| {
        after += u64::from(length == options.size);
    })?;
    Ok(Report {
        options: options.clone(),
        elapsed,
        counts: Counts {
            operations: arrived,
            lost: (ended - begun).saturating_sub(before + arrived + after),
            ..Counts::default()
        },
        server_cpu: server_before
            .zip(server_after)
            .map(|(before, after)| before.until(after)),
        own_cpu: own_before.until(own_after),
    })
}

/// Receives and never sleeps: to wake somebody would be work of the server's.
fn drain(socket: &UdpSocket, size: usize, time: Duration) -> io::Result<(u64, Duration)> {
    let mut bytes = vec![0; size + 1];
    let start = Instant::now();
    let mut arrived = 0;
    socket.set_nonblocking(true)?;
    loop {
        match socket.recv(&mut bytes) {
            Ok(length) => arrived += u64::from(length == size),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
        let elapsed = start.elapsed();
        if elapsed >= time {
            socket.set_nonblocking(false)?;
            return Ok((arrived, elapsed));
        }
    }
}

/// Room for some thousand datagrams: this process may have to wait for its core.
const BUFFER: usize = 4 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_datagrams_of_the_right_size_count() {
        let server = UdpSocket::bind("127.0.0.1:0").unwrap();
        let socket = connect(server.local_addr().unwrap()).unwrap();
        let to = socket.local_addr().unwrap();
        for text in ["ab", "abc", "ab", "a"] {
            server.send_to(text.as_bytes(), to).unwrap();
        }
        let (arrived, elapsed) = drain(&socket, 2, Duration::from_millis(20)).unwrap();
        assert_eq!(arrived, 2);
        assert!(elapsed >= Duration::from_millis(20));
    }
}
