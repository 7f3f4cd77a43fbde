//! An HTTP server that costs as little as it can, so that the client under test is the limit.

use std::io::{self, Read};
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::spawn_local;

use crate::http::{HeadEnds, HELLO};

/// Prints the port it listens on, and answers until stdin ends.
pub async fn serve(address: SocketAddr) -> io::Result<()> {
    let listener = TcpListener::bind(address).await?;
    println!("{{\"port\":{}}}", listener.local_addr()?.port());
    std::thread::spawn(end_with_stdin);
    loop {
        let (stream, _) = listener.accept().await?;
        spawn_local(async move {
            // A client that ends in the midst of a request is no failure of this side.
            let _ = answer(stream).await;
        });
    }
}

fn end_with_stdin() {
    let ended = io::stdin().read_to_end(&mut Vec::new());
    std::process::exit(i32::from(ended.is_err()));
}

/// Answers every request of a connection until the client closes it. Requests have no bodies.
async fn answer(mut stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut ends = HeadEnds::default();
    let mut bytes = [0; 4096];
    loop {
        let length = stream.read(&mut bytes).await?;
        if length == 0 {
            return Ok(());
        }
        let requests = ends.count(&bytes[..length]);
        stream.write_all(&HELLO.repeat(requests)).await?;
    }
}
