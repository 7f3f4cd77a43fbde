//! TCP echo as a stream: one task always writes, the client always reads; one operation is `size`
//! bytes read back.
//!
//! With messages of a megabyte in lock step, a lone connection measures how Nagle's algorithm and
//! delayed acknowledgements meet at each message's end (Node's echo stalls for 40 ms there). Bytes
//! that never pause measure throughput.

use std::io;

use tokio::io::AsyncWriteExt;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::TcpStream;
use tokio::task::spawn_local;

use super::{payload, receive, verify, Client};
use crate::options::Options;
use crate::tally::Tally;

pub struct StreamClient {
    reader: OwnedReadHalf,
    sent: Vec<u8>,
    echoed: Vec<u8>,
}

impl Client for StreamClient {
    async fn open(options: &Options, _index: usize) -> io::Result<Self> {
        let stream = TcpStream::connect(options.address).await?;
        stream.set_nodelay(true)?;
        let (reader, writer) = stream.into_split();
        let sent = payload(options.size);
        spawn_local(write_forever(writer, sent.clone()));
        Ok(Self {
            reader,
            echoed: vec![0; sent.len()],
            sent,
        })
    }

    async fn round_trip(&mut self, tally: &Tally) -> io::Result<u64> {
        receive(tally, self.reader.as_ref(), &mut self.echoed).await?;
        verify(tally, &self.sent, &self.echoed)?;
        Ok(1)
    }
}

/// Writes the same bytes over and over, as fast as the connection takes them. Ends when a write
/// fails; the reading side then meets the same failure and reports it.
async fn write_forever(mut writer: OwnedWriteHalf, bytes: Vec<u8>) {
    while writer.write_all(&bytes).await.is_ok() {}
}
