//! WebSocket text echo: one operation is one echoed message.

use std::io;
use std::net::SocketAddr;

use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::{Bytes, Message, Utf8Bytes};
use tokio_tungstenite::{client_async, WebSocketStream};

use super::{payload, verify, Client};
use crate::options::Options;
use crate::tally::Tally;

pub struct WsClient {
    stream: WebSocketStream<TcpStream>,
    text: Utf8Bytes,
    window: u64,
}

impl Client for WsClient {
    async fn open(options: &Options, _index: usize) -> io::Result<Self> {
        let stream = TcpStream::connect(options.address).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream: handshake(options.address, stream).await?,
            text: Utf8Bytes::try_from(Bytes::from(payload(options.size)))
                .expect("a payload is ASCII letters"),
            window: options.window as u64,
        })
    }

    async fn round_trip(&mut self, tally: &Tally) -> io::Result<u64> {
        for _ in 0..self.window {
            let message = Message::Text(self.text.clone());
            self.stream.feed(message).await.map_err(io::Error::other)?;
        }
        self.stream.flush().await.map_err(io::Error::other)?;
        for _ in 0..self.window {
            let message = self
                .stream
                .next()
                .await
                .ok_or(io::ErrorKind::UnexpectedEof)?;
            match message.map_err(io::Error::other)? {
                Message::Text(echoed) => verify(tally, self.text.as_bytes(), echoed.as_bytes())?,
                other => return Err(io::Error::other(format!("not a text message: {other}"))),
            }
        }
        Ok(self.window)
    }
}

/// Turns a connection into a WebSocket.
pub async fn handshake(
    address: SocketAddr,
    stream: TcpStream,
) -> io::Result<WebSocketStream<TcpStream>> {
    let (stream, _response) = client_async(format!("ws://{address}/"), stream)
        .await
        .map_err(io::Error::other)?;
    Ok(stream)
}
