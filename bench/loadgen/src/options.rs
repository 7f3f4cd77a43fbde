//! Reads the command line into [`Options`]; knows the modes and nothing of how they work.

use std::net::SocketAddr;
use std::str::FromStr;
use std::time::Duration;

/// What one run of the generator does.
#[derive(Clone, Debug)]
pub struct Options {
    pub mode: Mode,
    pub address: SocketAddr,
    pub connections: usize,
    /// Bytes in a message.
    pub size: usize,
    /// Messages a connection sends before it waits for their echoes.
    pub window: usize,
    /// Time under load that is not counted, while the server warms up and echoes are verified.
    pub warmup: Duration,
    /// Length of the measured window.
    pub seconds: Duration,
    /// The process whose CPU time is read at both ends of the measured window.
    pub server_pid: Option<i32>,
}

/// The kind of load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// TCP, message by message: one operation is one echoed message.
    Tcp,
    /// TCP, always writing and always reading: one operation is `size` bytes echoed.
    Stream,
    /// TCP: one operation is connect, one echo, orderly close from both sides.
    Connect,
    /// UDP: one operation is one echoed datagram.
    Udp,
    /// UDP towards the server, without a pause: one operation is one datagram that it saw.
    UdpFlood,
    /// UDP from the server, of its own accord: one operation is one datagram that arrived.
    UdpSink,
    /// WebSocket: one operation is one echoed text message.
    Ws,
    /// Idle TCP connections.
    Hold,
    /// Idle TCP connections, each after one HTTP request and its answer.
    HoldHttp,
    /// Idle WebSocket connections.
    HoldWs,
    /// No load: an HTTP server for clients to be measured against.
    Respond,
    /// No load: a bare echo server, reading `size` bytes at a time.
    ServeEcho,
    /// No load: a bare HTTP server that answers a short text.
    ServeHello,
    /// No load: a bare HTTP server that answers a JSON document.
    ServeJson,
    /// No load: a bare HTTP server that answers a megabyte in chunks of `size` bytes.
    ServeStream,
}

impl Options {
    pub fn parse(mut words: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self {
            mode: words.next().ok_or("a MODE is missing")?.parse()?,
            address: value("HOST:PORT", words.next())?,
            connections: 50,
            size: 64,
            window: 1,
            warmup: Duration::from_millis(500),
            seconds: Duration::from_secs(2),
            server_pid: None,
        };
        while let Some(flag) = words.next() {
            match flag.as_str() {
                "--connections" => options.connections = value(&flag, words.next())?,
                "--size" => options.size = value(&flag, words.next())?,
                "--window" => options.window = value(&flag, words.next())?,
                "--warmup" => options.warmup = duration(&flag, words.next())?,
                "--seconds" => options.seconds = duration(&flag, words.next())?,
                "--server-pid" => options.server_pid = Some(value(&flag, words.next())?),
                _ => return Err(format!("unknown option {flag}")),
            }
        }
        if options.connections == 0 || options.size == 0 || options.window == 0 {
            return Err("--connections, --size and --window start at 1".into());
        }
        Ok(options)
    }
}

impl Mode {
    pub fn name(self) -> &'static str {
        match self {
            Mode::Tcp => "tcp",
            Mode::Stream => "stream",
            Mode::Connect => "connect",
            Mode::Udp => "udp",
            Mode::UdpFlood => "udp-flood",
            Mode::UdpSink => "udp-sink",
            Mode::Ws => "ws",
            Mode::Hold => "hold",
            Mode::HoldHttp => "hold-http",
            Mode::HoldWs => "hold-ws",
            Mode::Respond => "respond",
            Mode::ServeEcho => "serve-echo",
            Mode::ServeHello => "serve-hello",
            Mode::ServeJson => "serve-json",
            Mode::ServeStream => "serve-stream",
        }
    }
}

impl FromStr for Mode {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        ALL_MODES
            .into_iter()
            .find(|mode| mode.name() == word)
            .ok_or_else(|| format!("unknown mode {word}"))
    }
}

fn value<T: FromStr>(name: &str, word: Option<String>) -> Result<T, String> {
    let word = word.ok_or_else(|| format!("{name} needs a value"))?;
    word.parse()
        .map_err(|_| format!("{name} cannot be {word:?}"))
}

fn duration(name: &str, word: Option<String>) -> Result<Duration, String> {
    Duration::try_from_secs_f64(value(name, word)?)
        .map_err(|_| format!("{name} cannot be negative"))
}

const ALL_MODES: [Mode; 15] = [
    Mode::Tcp,
    Mode::Stream,
    Mode::Connect,
    Mode::Udp,
    Mode::UdpFlood,
    Mode::UdpSink,
    Mode::Ws,
    Mode::Hold,
    Mode::HoldHttp,
    Mode::HoldWs,
    Mode::Respond,
    Mode::ServeEcho,
    Mode::ServeHello,
    Mode::ServeJson,
    Mode::ServeStream,
];

pub const USAGE: &str = "\
usage: loadgen MODE HOST:PORT [options]

modes:
  tcp       echo, message by message
  stream    echo, always writing and always reading
  connect   connect, one echo, close
  udp       echo, datagram by datagram
  udp-flood datagrams to a server that counts them
  udp-sink  datagrams from a server that counts them
  ws        WebSocket text echo, message by message
  hold      idle TCP connections, until stdin ends
  hold-http idle TCP connections after one HTTP request each, until stdin ends
  hold-ws   idle WebSocket connections, until stdin ends
  respond   an HTTP server at HOST:PORT that answers every GET, until stdin ends
  serve-echo    a bare echo server at HOST:PORT, which reads --size bytes at a time
  serve-hello   a bare HTTP server at HOST:PORT that answers a short text
  serve-json    as serve-hello, a JSON document
  serve-stream  as serve-hello, a megabyte in chunks of --size bytes

options:
  --connections N    connections at once (50)
  --size N           bytes in a message (64)
  --window N         messages sent before waiting for their echoes (1)
  --warmup SECONDS   load before measuring; echoes are compared byte by byte (0.5)
  --seconds SECONDS  measured time (2)
  --server-pid PID   also report this process's CPU time over the measured time";

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Options, String> {
        Options::parse(line.split_whitespace().map(String::from))
    }

    #[test]
    fn every_mode_is_read_back_from_its_name() {
        for mode in ALL_MODES {
            assert_eq!(mode.name().parse(), Ok(mode));
        }
    }

    #[test]
    fn the_usage_explains_every_mode() {
        for mode in ALL_MODES {
            let line = format!("\n  {} ", mode.name());
            assert!(USAGE.contains(&line), "{}", mode.name());
        }
    }

    #[test]
    fn flags_override_the_defaults() {
        let options = parse("tcp 127.0.0.1:80 --size 16384 --seconds 0.25 --server-pid 7").unwrap();
        assert_eq!(options.size, 16384);
        assert_eq!(options.seconds, Duration::from_millis(250));
        assert_eq!(options.server_pid, Some(7));
        assert_eq!(options.connections, 50);
    }

    #[test]
    fn mistakes_are_named() {
        assert!(parse("").unwrap_err().contains("MODE"));
        assert!(parse("tcp").unwrap_err().contains("HOST:PORT"));
        assert!(parse("quic 127.0.0.1:80").unwrap_err().contains("quic"));
        assert!(parse("tcp 127.0.0.1:80 --size x")
            .unwrap_err()
            .contains("--size"));
        assert!(parse("tcp 127.0.0.1:80 --window 0")
            .unwrap_err()
            .contains("--window"));
        assert!(parse("tcp 127.0.0.1:80 --seconds -1")
            .unwrap_err()
            .contains("--seconds"));
    }
}
