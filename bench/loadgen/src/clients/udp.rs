//! UDP echo: one operation is one datagram that came back.

use std::io;
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::time::timeout;

use super::{payload, verify, Client};
use crate::options::Options;
use crate::tally::Tally;

pub struct UdpClient {
    socket: UdpSocket,
    sent: Vec<u8>,
    echoed: Vec<u8>,
    window: u64,
}

impl Client for UdpClient {
    async fn open(options: &Options, _index: usize) -> io::Result<Self> {
        let socket = UdpSocket::bind("127.0.0.1:0").await?;
        socket.connect(options.address).await?;
        Ok(Self {
            socket,
            sent: payload(options.size),
            echoed: vec![0; MAX_DATAGRAM],
            window: options.window as u64,
        })
    }

    async fn round_trip(&mut self, tally: &Tally) -> io::Result<u64> {
        for _ in 0..self.window {
            self.socket.send(&self.sent).await?;
        }
        for received in 0..self.window {
            match timeout(PATIENCE, self.socket.recv(&mut self.echoed)).await {
                Ok(length) => verify(tally, &self.sent, &self.echoed[..length?])?,
                Err(_) => {
                    tally.lost(self.window - received);
                    return Ok(received);
                }
            }
        }
        Ok(self.window)
    }
}

const MAX_DATAGRAM: usize = 65_536;

/// How long a datagram may take before it counts as lost.
const PATIENCE: Duration = Duration::from_millis(200);
