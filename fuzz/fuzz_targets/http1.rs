//! The HTTP/1.1 codec alone: no input may panic, go out of bounds or be read for ever, and the
//! same bytes tell the same whether they come whole or one by one.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[allow(dead_code, unused_imports)]
#[path = "../../src/http1/mod.rs"]
mod http1;

use http1::{flags, names, Config, Decision, Event, Kind, Parser};

/// A limit that short inputs reach.
const SMALL: usize = 40;

fuzz_target!(|data: &[u8]| {
    let [choice, low, high, input @ ..] = data else {
        return;
    };
    let config = Config {
        kind: if choice & 1 == 0 {
            Kind::Request
        } else {
            Kind::Response
        },
        max_header_size: if choice & 2 == 0 { 16_384 } else { SMALL },
        max_headers: if choice & 4 == 0 { 0 } else { 3 },
        lenient: u16::from_le_bytes([*low, *high]),
    };
    let decision = match choice >> 3 & 3 {
        0 => Decision::Body,
        1 => Decision::NoBody,
        2 => Decision::Upgrade,
        _ => Decision::Stay,
    };
    let whole = told(config, decision, input, input.len().max(1));
    assert_eq!(whole, told(config, decision, input, 1));
});

/// What was told of the input in pieces of `size`: heads and trailers as their bytes, bodies joined.
fn told(config: Config, decision: Decision, input: &[u8], size: usize) -> Vec<(u8, Vec<u8>)> {
    let mut parser = Parser::new(config);
    let mut told: Vec<(u8, Vec<u8>)> = Vec::new();
    for piece in input.chunks(size) {
        let mut at = 0;
        for turn in 0.. {
            let rest = &piece[at..];
            let (consumed, event) = parser.execute(rest);
            assert!(consumed <= rest.len() && turn <= 4 * piece.len() + 4);
            at += consumed;
            match event {
                Event::NeedMore => break,
                Event::Head { complete } => {
                    let head = parser.head();
                    let bytes = parser.head_bytes(rest);
                    let text = &bytes[head.text.0 as usize..head.text.1 as usize];
                    // A head told from the input has the empty line, too.
                    let lines = bytes[head.lines as usize..].to_vec();
                    let lines = lines.strip_suffix(b"\r\n\r\n").unwrap_or(&lines);
                    told.push((1, text.to_vec()));
                    told.push((7, facts(&parser)));
                    let lines = lines.strip_suffix(b"\r\n").unwrap_or(lines).to_vec();
                    if head.has(flags::INDEXED) {
                        check_index(&mut parser, rest, &lines);
                    }
                    told.push((2, lines));
                    if complete {
                        told.push((3, Vec::new()));
                    }
                    if parser.head().has(flags::AWAITS) {
                        parser.decide(decision);
                    }
                }
                Event::Body { start, end, last } => {
                    match told.last_mut() {
                        Some((4, body)) => body.extend_from_slice(&rest[start..end]),
                        _ => told.push((4, rest[start..end].to_vec())),
                    }
                    if last {
                        told.push((3, Vec::new()));
                    }
                }
                Event::Complete => told.push((3, parser.trailers().0.to_vec())),
                Event::Upgraded => {
                    told.push((5, parser.trailers().0.to_vec()));
                    return told;
                }
                Event::Failed(error) => {
                    // A limit is also looked at where input ends: which of two errors comes first
                    // depends on the pieces.
                    let limited = config.max_header_size == SMALL;
                    let text = if limited { "" } else { error.text() };
                    told.push((6, text.as_bytes().to_vec()));
                    return told;
                }
            }
        }
    }
    if let Event::Complete = parser.finish() {
        told.push((3, Vec::new()));
    }
    told
}

/// The index of a head has the fields that its lines are.
fn check_index(parser: &mut Parser, input: &[u8], lines: &[u8]) {
    let (count, start) = (parser.head().count as usize, parser.head().lines as usize);
    let (text, length) = parser.head_text(input);
    assert_eq!(length, 4 * count);
    let (index, head) = text.split_at(length);
    let mut at = start;
    let mut listed = Vec::new();
    for entry in index.chunks_exact(4) {
        let colon = at + entry[1] as usize;
        let end = colon + 2 + u16::from_le_bytes([entry[2], entry[3]]) as usize;
        let name = names()[entry[0] as usize].as_bytes();
        assert!(entry[0] == 0 || name == &head[at..colon]);
        assert_eq!(
            (&head[colon..colon + 2], &head[end..end + 2]),
            (&b": "[..], &b"\r\n"[..])
        );
        listed.extend_from_slice(&head[at..end + 2]);
        at = end + 2;
    }
    assert_eq!(listed.strip_suffix(b"\r\n").unwrap_or(&listed), lines);
}

/// What is known of a head besides its text: the fast path must know what the machine does.
fn facts(parser: &Parser) -> Vec<u8> {
    let head = parser.head();
    let line = (head.method, head.status, head.major, head.minor);
    let lines = (head.count, head.hosts, head.framed_by);
    let flags = head.flags & !(flags::INDEXED | flags::DISTINCT);
    let body = (flags, head.content_length, parser.framing());
    format!("{line:?} {lines:?} {body:?}").into_bytes()
}
