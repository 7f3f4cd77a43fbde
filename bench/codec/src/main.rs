//! Times the codec alone: `cargo run --release --manifest-path bench/codec/Cargo.toml`.

use std::hint::black_box;
use std::time::Instant;

#[allow(dead_code, unused_imports)]
#[path = "../../../src/http1/mod.rs"]
mod http1;

use http1::{Config, Event, Kind, Parser};

const ROUNDS: u32 = 2_000;

const BROWSER: &str = "GET /api/items?page=2&sort=name HTTP/1.1\r\n\
    Host: www.example.com\r\n\
    User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n\
    Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n\
    Accept-Language: en-US,en;q=0.5\r\n\
    Accept-Encoding: gzip, deflate, br\r\n\
    Connection: keep-alive\r\n\
    Cookie: session=0123456789abcdef; theme=dark\r\n\r\n";

fn main() {
    let config = |kind| Config {
        kind,
        max_header_size: 16_384,
        max_headers: 0,
        lenient: 0,
    };
    let hello = "GET / HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\r\n";
    let response = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\
        Date: Sat, 21 Nov 2026 02:44:39 GMT\r\nConnection: keep-alive\r\n\
        Keep-Alive: timeout=5\r\nContent-Length: 2\r\n\r\nok";
    // No space behind a colon: not what the fast path takes.
    let unusual = BROWSER.replace("Accept: ", "Accept:");
    for (name, kind, text) in [
        ("hello, 1 header", Kind::Request, hello),
        ("browser, 7 headers", Kind::Request, BROWSER),
        ("browser, by the machine", Kind::Request, &unusual),
        ("response, 5 headers, body", Kind::Response, response),
    ] {
        let mut parser = Parser::new(config(kind));
        let best = (0..300)
            .map(|_| time(&mut parser, text.as_bytes()))
            .min()
            .unwrap_or(0);
        println!("{name:28} {:4} bytes {best:5} ns", text.len());
    }
}

/// Nanoseconds for one message.
fn time(parser: &mut Parser, input: &[u8]) -> u128 {
    let start = Instant::now();
    for _ in 0..ROUNDS {
        let mut at = 0;
        loop {
            let (consumed, event) = parser.execute(black_box(&input[at..]));
            at += consumed;
            match black_box(event) {
                Event::NeedMore => break,
                Event::Failed(error) => panic!("{}", error.text()),
                _ => {}
            }
        }
    }
    start.elapsed().as_nanos() / u128::from(ROUNDS)
}
