//! Runs many clients at once: the warm-up, then the measured window, with the CPU clocks read at
//! both of its ends.

use std::io;
use std::rc::Rc;
use std::time::Instant;

use tokio::task::spawn_local;
use tokio::time::sleep;

use crate::clients::{Client, ConnectClient, StreamClient, TcpClient, UdpClient, WsClient};
use crate::cpu::ProcessCpu;
use crate::options::{Mode, Options};
use crate::report::Report;
use crate::tally::Tally;

pub async fn measure(options: &Options) -> io::Result<Report> {
    let server = options.server_pid.map(ProcessCpu::of).transpose()?;
    let own = ProcessCpu::of(std::process::id() as i32)?;
    let tally = Rc::new(Tally::default());
    for index in 0..options.connections {
        match options.mode {
            Mode::Tcp => start::<TcpClient>(options, index, &tally),
            Mode::Stream => start::<StreamClient>(options, index, &tally),
            Mode::Connect => start::<ConnectClient>(options, index, &tally),
            Mode::Udp => start::<UdpClient>(options, index, &tally),
            Mode::Ws => start::<WsClient>(options, index, &tally),
            other => unreachable!("main runs {} itself", other.name()),
        }
    }

    sleep(options.warmup).await;
    tally.start_measuring();
    let start = Instant::now();
    let server_before = server.as_ref().map(ProcessCpu::read).transpose()?;
    let own_before = own.read()?;

    sleep(options.seconds).await;
    let elapsed = start.elapsed();
    let server_after = server.as_ref().map(ProcessCpu::read).transpose()?;
    let own_after = own.read()?;

    Ok(Report {
        options: options.clone(),
        elapsed,
        counts: tally.take(),
        server_cpu: server_before
            .zip(server_after)
            .map(|(before, after)| before.until(after)),
        own_cpu: own_before.until(own_after),
    })
}

/// Spawns the task of one client: opens it, then repeats its operation. It ends at the first
/// error, which the tally keeps, or with the process.
fn start<C: Client>(options: &Options, index: usize, tally: &Rc<Tally>) {
    let options = options.clone();
    let tally = Rc::clone(tally);
    spawn_local(async move {
        if let Err(error) = drive::<C>(&options, index, &tally).await {
            tally.failed(&error);
        }
    });
}

async fn drive<C: Client>(options: &Options, index: usize, tally: &Tally) -> io::Result<()> {
    let mut client = C::open(options, index).await?;
    loop {
        let start = Instant::now();
        let operations = client.round_trip(tally).await?;
        tally.completed(operations, start.elapsed());
    }
}
