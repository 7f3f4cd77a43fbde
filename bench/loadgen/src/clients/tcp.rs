//! TCP echo, message by message: one operation is one echoed message.

use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::try_join;

use super::{payload, receive, verify, Client};
use crate::options::Options;
use crate::tally::Tally;

pub struct TcpClient {
    stream: TcpStream,
    /// As many messages as the window holds, back to back.
    sent: Vec<u8>,
    echoed: Vec<u8>,
    window: u64,
}

impl Client for TcpClient {
    async fn open(options: &Options, _index: usize) -> io::Result<Self> {
        let stream = TcpStream::connect(options.address).await?;
        stream.set_nodelay(true)?;
        let length = options.size * options.window;
        Ok(Self {
            stream,
            sent: payload(length),
            echoed: vec![0; length],
            window: options.window as u64,
        })
    }

    async fn round_trip(&mut self, tally: &Tally) -> io::Result<u64> {
        if self.sent.len() > FITS_IN_SOCKET_BUFFERS {
            // The echo comes back while the message is still going out.
            let (reader, mut writer) = self.stream.split();
            try_join!(
                writer.write_all(&self.sent),
                receive(tally, reader.as_ref(), &mut self.echoed)
            )?;
        } else {
            self.stream.write_all(&self.sent).await?;
            self.stream.read_exact(&mut self.echoed).await?;
        }
        verify(tally, &self.sent, &self.echoed)?;
        Ok(self.window)
    }
}

/// Up to here a message can be written whole before its echo is read, which spares a second poll.
const FITS_IN_SOCKET_BUFFERS: usize = 60_000;
