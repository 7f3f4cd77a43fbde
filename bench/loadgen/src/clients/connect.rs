//! Connection rate: one operation is connect, one echo, and an orderly close from both sides.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpSocket;

use super::{bind_to, loopback, payload, verify, Client};
use crate::options::Options;
use crate::tally::Tally;

pub struct ConnectClient {
    address: SocketAddr,
    /// Each client connects from an address of its own, because every closed connection keeps its
    /// port for a minute (TIME_WAIT) and one address has too few of them for a minute of this.
    source: Ipv4Addr,
    sent: Vec<u8>,
    echoed: Vec<u8>,
}

impl Client for ConnectClient {
    async fn open(options: &Options, index: usize) -> io::Result<Self> {
        Ok(Self {
            address: options.address,
            source: loopback(index),
            sent: payload(options.size),
            echoed: vec![0; options.size],
        })
    }

    async fn round_trip(&mut self, tally: &Tally) -> io::Result<u64> {
        let socket = TcpSocket::new_v4()?;
        bind_to(&socket, self.source)?;
        let mut stream = socket.connect(self.address).await?;
        stream.write_all(&self.sent).await?;
        stream.read_exact(&mut self.echoed).await?;
        verify(tally, &self.sent, &self.echoed)?;
        stream.shutdown().await?;
        // Waiting for the server's own end keeps its work for this connection inside the window.
        match stream.read(&mut self.echoed).await? {
            0 => Ok(1),
            _ => Err(io::Error::other("bytes came after the echo")),
        }
    }
}
