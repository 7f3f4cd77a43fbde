//! The one line the generator prints.

use std::time::Duration;

use crate::cpu::CpuTime;
use crate::options::Options;
use crate::tally::Counts;

/// The outcome of a run, as measured.
pub struct Report {
    pub options: Options,
    pub elapsed: Duration,
    pub counts: Counts,
    /// Of `--server-pid`, when it was given.
    pub server_cpu: Option<CpuTime>,
    /// The generator's own: near `elapsed`, the generator was the limit and not the server.
    pub own_cpu: CpuTime,
}

impl Report {
    pub fn to_json(&self) -> String {
        let seconds = self.elapsed.as_secs_f64();
        let counts = &self.counts;
        let rate = counts.operations as f64 / seconds;
        let server = self.server_cpu;
        let fields = [
            ("mode", quoted(self.options.mode.name())),
            ("connections", self.options.connections.to_string()),
            ("size", self.options.size.to_string()),
            ("window", self.options.window.to_string()),
            ("seconds", seconds.to_string()),
            ("operations", counts.operations.to_string()),
            ("operationsPerSecond", rate.to_string()),
            (
                "bytesPerSecond",
                (rate * self.options.size as f64).to_string(),
            ),
            ("p50Micros", micros(counts.latency(0.5)).to_string()),
            ("p99Micros", micros(counts.latency(0.99)).to_string()),
            (
                "serverUserSeconds",
                seconds_or_null(server.map(|cpu| cpu.user)),
            ),
            (
                "serverSystemSeconds",
                seconds_or_null(server.map(|cpu| cpu.system)),
            ),
            (
                "ownCpuSeconds",
                (self.own_cpu.user + self.own_cpu.system)
                    .as_secs_f64()
                    .to_string(),
            ),
            ("lost", counts.lost.to_string()),
            ("errors", counts.errors.len().to_string()),
            (
                "firstError",
                counts
                    .errors
                    .first()
                    .map_or("null".into(), |text| quoted(text)),
            ),
        ];
        let body: Vec<String> = fields
            .iter()
            .map(|(name, value)| format!("\"{name}\":{value}"))
            .collect();
        format!("{{{}}}", body.join(","))
    }
}

fn micros(duration: Duration) -> f64 {
    duration.as_nanos() as f64 / 1000.0
}

fn seconds_or_null(duration: Option<Duration>) -> String {
    duration.map_or("null".into(), |duration| duration.as_secs_f64().to_string())
}

/// A JSON string. The texts are mode names and the operating system's messages, so quotes,
/// backslashes and control characters are all that could need an escape.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => out.extend(['\\', character]),
            _ if character.is_control() => out.push(' '),
            _ => out.push(character),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_escaped() {
        assert_eq!(quoted("a \"b\" \\ \n"), r#""a \"b\" \\  ""#);
    }
}
