//! A closed-loop load generator on one thread: every connection sends a message, waits for its
//! echo, and repeats; one line of JSON comes out.
//!
//! # Layout
//!
//! * [`options`] reads the command line.
//! * [`clients`] holds one file per kind of client; each says what one operation is.
//! * [`load`] runs many clients at once: warm-up, then the measured window.
//! * [`flood`] and [`sink`] are UDP in one direction; [`counter`] asks the server for its count.
//! * [`respond`] is the other side: an HTTP server for clients that are measured.
//! * [`floor`] is the other side too: servers that do nothing but the system calls.
//! * [`http`] is what all of them know of HTTP.
//! * [`hold`] opens idle connections and keeps them, for memory per connection.
//! * [`tally`] counts operations and latencies, [`cpu`] reads the CPU clock of a process, and
//!   [`report`] turns both into the printed line.

mod clients;
mod counter;
mod cpu;
mod flood;
mod floor;
mod hold;
mod http;
mod load;
mod options;
mod report;
mod respond;
mod sink;
mod tally;

use std::process::ExitCode;

use tokio::runtime::Builder;
use tokio::task::LocalSet;

use crate::floor::{Answers, Echo, Stream};
use crate::options::{Mode, Options};
use crate::report::Report;

fn main() -> ExitCode {
    let options = match Options::parse(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(problem) => {
            eprintln!("loadgen: {problem}\n\n{}", options::USAGE);
            return ExitCode::from(2);
        }
    };
    match run(options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("loadgen: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: Options) -> std::io::Result<()> {
    let (address, size) = (options.address, options.size);
    match options.mode {
        Mode::ServeEcho => return floor::serve(address, Echo::new(size)),
        Mode::ServeHello => return floor::serve(address, Answers::hello()),
        Mode::ServeJson => return floor::serve(address, Answers::json()),
        Mode::ServeStream => return floor::serve(address, Stream::new(size)),
        _ => {}
    }
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let tasks = LocalSet::new();
    match options.mode {
        Mode::Hold | Mode::HoldHttp | Mode::HoldWs => {
            let held = tasks.block_on(&runtime, hold::open(&options))?;
            hold::keep_until_stdin_ends(held)
        }
        Mode::Respond => tasks.block_on(&runtime, respond::serve(options.address)),
        Mode::UdpFlood => print(&flood::measure(&options)?),
        Mode::UdpSink => print(&sink::measure(&options)?),
        _ => print(&tasks.block_on(&runtime, load::measure(&options))?),
    }
}

fn print(report: &Report) -> std::io::Result<()> {
    println!("{}", report.to_json());
    Ok(())
}
