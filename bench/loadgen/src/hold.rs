//! Opens idle connections one after the other and keeps them, for memory per connection.

use std::io::{self, Read};
use std::net::SocketAddr;

use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::WebSocketStream;

use crate::clients::{bind_to, loopback, ws_handshake};
use crate::http;
use crate::options::{Mode, Options};

/// A connection on which nothing is sent any more.
pub enum Held {
    Tcp {
        _stream: TcpStream,
    },
    Ws {
        _stream: Box<WebSocketStream<TcpStream>>,
    },
}

pub async fn open(options: &Options) -> io::Result<Vec<Held>> {
    let mut held = Vec::with_capacity(options.connections);
    for index in 0..options.connections {
        let mut stream = connect(options.address, index).await?;
        held.push(match options.mode {
            Mode::HoldWs => Held::Ws {
                _stream: Box::new(ws_handshake(options.address, stream).await?),
            },
            Mode::HoldHttp => {
                http::ask_once(&mut stream).await?;
                Held::Tcp { _stream: stream }
            }
            _ => Held::Tcp { _stream: stream },
        });
    }
    Ok(held)
}

/// Says that all connections are open, then waits until whoever started the generator closes its
/// end of stdin, or ends itself.
pub fn keep_until_stdin_ends(held: Vec<Held>) -> io::Result<()> {
    println!("{{\"held\":{}}}", held.len());
    io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

/// Connects from one of several loopback addresses, so that more connections than there are local
/// ports can be open at once. Closing resets, which leaves no TIME_WAIT behind for the next run.
async fn connect(address: SocketAddr, index: usize) -> io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    bind_to(&socket, loopback(index / CONNECTIONS_PER_ADDRESS))?;
    socket.set_zero_linger()?;
    socket.connect(address).await
}

/// Below the 28,232 ports that Linux hands out by default.
const CONNECTIONS_PER_ADDRESS: usize = 20_000;
