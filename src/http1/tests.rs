//! What the codec promises without a host to compare with; scripts/fuzz-http1 compares.

use super::errors::Error;
use super::head::flags;
use super::names::number_of;
use super::parser::{lenient, Config, Decision, Event, Kind, Parser, Phase};

fn config(kind: Kind) -> Config {
    Config {
        kind,
        max_header_size: 16 * 1024,
        max_headers: 0,
        lenient: 0,
    }
}

fn requests() -> Parser {
    Parser::new(config(Kind::Request))
}

/// Every event, with the text of heads and trailers, until the input is consumed.
fn events(parser: &mut Parser, input: &[u8]) -> Vec<String> {
    let mut told = Vec::new();
    let mut at = 0;
    loop {
        let rest = &input[at..];
        let (consumed, event) = parser.execute(rest);
        told.push(match event {
            Event::Head { complete } => {
                let bytes = parser.head_bytes(rest);
                let (start, end) = parser.head().text;
                let text = String::from_utf8_lossy(&bytes[start as usize..end as usize]);
                let lines = &bytes[parser.head().lines as usize..];
                format!(
                    "head {text} {:?} {complete}",
                    String::from_utf8_lossy(lines).trim_end()
                )
            }
            Event::Body { start, end, last } => {
                format!("body {} {last}", String::from_utf8_lossy(&rest[start..end]))
            }
            Event::Complete => {
                format!(
                    "complete {:?}",
                    String::from_utf8_lossy(parser.trailers().0)
                )
            }
            Event::Failed(error) => format!("{} at {}", error.text(), at + consumed),
            Event::Upgraded => format!("upgraded at {}", at + consumed),
            Event::NeedMore => return told,
        });
        at += consumed;
        if matches!(event, Event::Failed(_) | Event::Upgraded) {
            return told;
        }
    }
}

#[test]
fn a_request_without_a_body_is_one_event() {
    let told = events(
        &mut requests(),
        b"GET /a?b HTTP/1.1\r\nHost: x\r\nA: b\r\n\r\n",
    );
    assert_eq!(told, [r#"head /a?b "Host: x\r\nA: b" true"#]);
}

#[test]
fn the_same_events_come_whole_and_byte_by_byte() {
    let input = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n\
        3;a=\"b\"\r\nabc\r\n0\r\nTrail: er\r\n\r\nGET /b HTTP/1.1\r\nX:y \r\n\r\n";
    let whole = events(&mut requests(), input);
    assert_eq!(
        whole,
        [
            r#"head / "Host: x\r\nTransfer-Encoding: chunked" false"#,
            "body abc false",
            r#"complete "Trail: er\r\n""#,
            r#"head /b "X: y" true"#
        ]
    );
    let mut parser = requests();
    let mut split = Vec::new();
    for byte in input.chunks(1) {
        split.extend(events(&mut parser, byte));
    }
    let joined = ["body a false", "body b false", "body c false"];
    let split: Vec<_> = split
        .into_iter()
        .filter(|event| !joined.contains(&&**event))
        .collect();
    assert_eq!(split, [&whole[..1], &whole[2..]].concat());
}

#[test]
fn what_follows_a_request_that_closes_is_refused() {
    let input = b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n\r\nGET";
    let told = events(&mut requests(), input);
    assert_eq!(
        told[1],
        "HPE_CLOSED_CONNECTION:Data after `Connection: close` at 40"
    );
}

#[test]
fn a_response_waits_for_the_decision_about_its_body() {
    for (decision, expected) in [
        (Decision::Body, "body ab true"),
        (Decision::NoBody, r#"complete """#),
        (Decision::Upgrade, "upgraded at 0"),
    ] {
        let mut parser = Parser::new(config(Kind::Response));
        let head = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n";
        let (consumed, event) = parser.execute(head);
        assert_eq!(
            (consumed, event),
            (head.len(), Event::Head { complete: false })
        );
        assert!(parser.head().has(flags::AWAITS));
        parser.decide(decision);
        assert_eq!(events(&mut parser, b"ab")[0], expected);
    }
}

#[test]
fn a_request_whose_upgrade_is_declined_is_one_like_others() {
    let head = "POST / HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n";
    for (rest, first) in [
        ("\r\n", "complete \"\""),
        ("Content-Length: 2\r\n\r\nab", "body ab true"),
    ] {
        let input = format!("{head}{rest}GET /next HTTP/1.1\r\n\r\n");
        let mut parser = requests();
        let (consumed, event) = parser.execute(input.as_bytes());
        assert_eq!(event, Event::Head { complete: false });
        parser.decide(Decision::Stay);
        let told = events(&mut parser, &input.as_bytes()[consumed..]);
        assert_eq!(told[0], first);
        assert!(told[1].starts_with("head /next"), "{told:?}");
    }
}

#[test]
fn a_body_until_the_end_is_complete_at_the_end_alone() {
    let mut parser = Parser::new(config(Kind::Response));
    events(&mut parser, b"HTTP/1.0 200 OK\r\n\r\nabc");
    assert_eq!(parser.finish(), Event::Complete);

    let mut parser = Parser::new(config(Kind::Response));
    events(
        &mut parser,
        b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabc",
    );
    assert_eq!(parser.finish(), Event::Failed(Error::EndOfInput));
}

#[test]
fn the_phase_tells_when_a_head_has_begun() {
    let mut parser = requests();
    for (input, phase) in [
        (&b"\r\n"[..], Phase::Between),
        (b"G", Phase::Head),
        (b"ET / HTTP/1.1\r\nContent-Length: 1\r\n\r\n", Phase::Body),
        (b"x", Phase::Between),
    ] {
        events(&mut parser, input);
        assert_eq!(parser.phase(), phase, "behind {input:?}");
    }
}

#[test]
fn heads_trailers_and_extensions_are_bounded() {
    let small = Config {
        max_header_size: 20,
        max_headers: 2,
        ..config(Kind::Request)
    };
    let overflow = "HPE_HEADER_OVERFLOW:Header overflow";
    let chunked = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (config, input) in [
        (
            small,
            "GET / HTTP/1.1\r\nA: bcdefghijklmnopqrstuvwxyz".to_string(),
        ),
        (
            small,
            "GET / HTTP/1.1\r\nA: b\r\nC: d\r\nE: f\r\n\r\n".to_string(),
        ),
        (
            Config {
                max_header_size: 30,
                ..small
            },
            format!("{chunked}0\r\nA: bcdefghijklmnopqrstuvwxyzabcdefghijkl"),
        ),
        (
            Config {
                max_header_size: 60,
                ..small
            },
            format!("{chunked}0\r\nA: b\r\nC: d\r\nE: f\r\n\r\n"),
        ),
    ] {
        let told = events(&mut Parser::new(config), input.as_bytes());
        assert!(
            told.last().is_some_and(|event| event.starts_with(overflow)),
            "{input} {told:?}"
        );
    }

    let flood = format!("{chunked}1;a={}", "b".repeat(16 * 1024));
    let told = events(&mut requests(), flood.as_bytes());
    assert!(
        told[1].starts_with("HPE_CHUNK_EXTENSIONS_OVERFLOW"),
        "{told:?}"
    );
}

#[test]
fn memory_of_a_head_is_bounded_by_its_limit() {
    let mut parser = requests();
    let mut told = events(&mut parser, b"GET /");
    for _ in 0..1000 {
        told.extend(events(&mut parser, &[b'a'; 64]));
    }
    assert!(told[0].starts_with("HPE_HEADER_OVERFLOW"));
    assert!(parser.buffer.len() < 17 * 1024);
}

#[test]
fn what_is_refused_stays_refused_until_it_starts_over() {
    let mut parser = requests();
    assert_eq!(
        events(&mut parser, b"x")[0],
        "HPE_INVALID_METHOD:Invalid method encountered at 0"
    );
    assert_eq!(
        parser.execute(b"GET / HTTP/1.1\r\n\r\n").1,
        Event::Failed(Error::InvalidMethod)
    );
    parser.reset(config(Kind::Request));
    assert_eq!(
        events(&mut parser, b"GET / HTTP/1.1\r\n\r\n"),
        [r#"head / "" true"#]
    );
}

#[test]
fn every_error_has_a_code_and_a_reason() {
    for error in Error::ALL {
        let (code, reason) = error.text().split_once(':').expect("a colon");
        assert!(code.starts_with("HPE_") && !reason.is_empty(), "{error:?}");
    }
}

#[test]
fn the_last_line_that_frames_is_known() {
    for (lines, framed_by) in [
        ("A: b\r\nHost: x\r\nC: d\r\n", 2),
        ("A: b\r\nC: d\r\ncontent-length: 0\r\n", 3),
        ("A: b\r\nC:d\r\nConnection: x, close\r\nE: f\r\n", 3),
        ("A: b\r\n", 0),
    ] {
        let mut parser = requests();
        events(
            &mut parser,
            format!("GET / HTTP/1.1\r\n{lines}\r\n").as_bytes(),
        );
        assert_eq!(parser.head().framed_by, framed_by, "{lines}");
    }
}

/// Pseudo-random bytes, the same in every run.
fn random(seed: &mut u64) -> u64 {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    *seed
}

/// No input panics, goes out of bounds, or is read for ever.
#[test]
fn any_bytes_end_in_need_of_more_or_in_an_error() {
    const PIECES: [&[u8]; 20] = [
        b"GET / HTTP/1.1\r\n",
        b"HTTP/1.1 200 OK\r\n",
        b"POST /a HTTP/1.0\r\n",
        b"Content-Length: 5\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"Connection: upgrade\r\n",
        b"Upgrade: x\r\n",
        b"Host: y\r\n",
        b"\r\n",
        b"\n",
        b"\r",
        b"5;a=\"b\"\r\n",
        b"0\r\n",
        b"hello\r\n",
        b" ",
        b":",
        b"\x00",
        b"\xff",
        b"GET",
        b"A: b\r\n",
    ];
    let mut seed = 0x2545_F491_4F6C_DD1D;
    for round in 0..60_000u64 {
        let kind = if round.is_multiple_of(2) {
            Kind::Request
        } else {
            Kind::Response
        };
        let lenient = (random(&mut seed) as u16) * u16::from(round.is_multiple_of(3));
        let max_header_size = if round.is_multiple_of(5) {
            1 + random(&mut seed) as usize % 64
        } else {
            999
        };
        let mut parser = Parser::new(Config {
            kind,
            max_header_size,
            max_headers: 9,
            lenient,
        });
        for _ in 0..random(&mut seed) % 4 + 1 {
            let mut input = Vec::new();
            for _ in 0..random(&mut seed) % 12 {
                input.extend_from_slice(PIECES[random(&mut seed) as usize % PIECES.len()]);
                if random(&mut seed).is_multiple_of(8) {
                    input.push(random(&mut seed) as u8);
                }
            }
            let mut at = 0;
            // Each event but the last few moves on.
            for turn in 0.. {
                let (consumed, event) = parser.execute(&input[at..]);
                assert!(at + consumed <= input.len() && turn <= 4 * input.len() + 4);
                at += consumed;
                match event {
                    Event::NeedMore | Event::Failed(_) | Event::Upgraded => break,
                    Event::Head { .. } => {
                        let decision = random(&mut seed) % 3;
                        parser.decide(match decision {
                            0 => Decision::Body,
                            1 => Decision::NoBody,
                            _ => Decision::Upgrade,
                        });
                    }
                    _ => {}
                }
            }
        }
        parser.finish();
    }
}

#[test]
fn leniency_is_asked_for_bit_by_bit() {
    let input = b"GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n";
    assert!(events(&mut requests(), input)[0].starts_with("HPE_INVALID_HEADER_TOKEN"));
    let config = Config {
        lenient: lenient::HEADERS,
        ..config(Kind::Request)
    };
    assert_eq!(
        events(&mut Parser::new(config), input),
        [r#"head / "A: b c" true"#]
    );
}

/// The fast path takes what is ordinary, and tells of it what the machine tells.
#[test]
fn the_fast_path_agrees_with_the_machine() {
    for (kind, input) in [
        (
            Kind::Request,
            "GET /a?b=c HTTP/1.1\r\nHost: a\r\nAccept: */*\r\n\r\n",
        ),
        (
            Kind::Request,
            "POST / HTTP/1.0\r\nContent-Length: 12\r\nConnection: keep-alive\r\n\r\n",
        ),
        (
            Kind::Request,
            "PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nA: b\tc\r\n\r\n",
        ),
        (
            Kind::Request,
            "OPTIONS / HTTP/1.1\r\nconnection: Close\r\nexpect: 100-Continue\r\n\r\n",
        ),
        (
            Kind::Request,
            "GET / HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
        ),
        (
            Kind::Response,
            "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nX: \u{e9}\r\n\r\n",
        ),
        (Kind::Response, "HTTP/1.0 200 \r\nServer: x\r\n\r\n"),
    ] {
        let (end, _) =
            super::fast::head(&config(kind), input.as_bytes(), &mut Vec::new()).expect(input);
        assert_eq!(end, input.len());
        let mut fast = Parser::new(config(kind));
        let mut machine = Parser::new(config(kind));
        let whole = fast.execute(input.as_bytes());
        let (first, rest) = input.as_bytes().split_at(1);
        machine.execute(first);
        assert_eq!(whole.1, machine.execute(rest).1, "{input}");
        let (ours, its) = (fast.head(), machine.head());
        assert!(ours.has(flags::INDEXED) && !its.has(flags::INDEXED));
        let index = flags::INDEXED | flags::DISTINCT;
        assert_eq!(
            (ours.flags & !index, ours.count, ours.hosts),
            (its.flags, its.count, its.hosts)
        );
        assert_eq!(
            (ours.content_length, ours.framed_by),
            (its.content_length, its.framed_by)
        );
        let lines = |parser: &Parser| {
            let bytes = parser.head_bytes(input.as_bytes());
            String::from_utf8_lossy(&bytes[parser.head().lines as usize..])
                .trim_end()
                .to_string()
        };
        assert_eq!(lines(&fast), lines(&machine));
    }
}

/// An index as (number of the name, its length, the value's length), and the rest of the text.
fn split_index(text: &[u8], length: usize) -> (Vec<(u8, usize, usize)>, &[u8]) {
    let (index, rest) = text.split_at(length);
    let entries = index.chunks_exact(4).map(|entry| {
        let value = u16::from_le_bytes([entry[2], entry[3]]);
        (entry[0], entry[1] as usize, value as usize)
    });
    (entries.collect(), rest)
}

#[test]
fn an_index_tells_where_the_fields_of_a_head_are() {
    let long = "v".repeat(300);
    let input = format!("GET / HTTP/1.1\r\nHost: a\r\nx-odd: {long}\r\naccept: */*\r\n\r\nGET");
    let mut parser = requests();
    parser.execute(input.as_bytes());
    let ordinary = flags::INDEXED | flags::DISTINCT;
    assert_eq!(parser.head().flags & ordinary, flags::INDEXED);
    let (text, length) = parser.head_text(input.as_bytes());
    let (index, rest) = split_index(text, length);
    let [host, accept] = ["Host", "accept"].map(|name| number_of(name.as_bytes()));
    assert_eq!(index, [(host, 4, 1), (0, 5, 300), (accept, 6, 3)]);
    assert_eq!(rest, &input.as_bytes()[..input.len() - 3]);
}

#[test]
fn an_index_says_whether_names_are_known_and_differ() {
    let ordinary = flags::INDEXED | flags::DISTINCT;
    for (lines, expected) in [
        ("", ordinary),
        ("Host: a\r\nAccept: b\r\n", ordinary),
        ("Host: a\r\nhost: b\r\n", flags::INDEXED),
        ("Cookie: a\r\nCookie: b\r\n", flags::INDEXED),
        ("HOST: a\r\n", flags::INDEXED),
    ] {
        let mut parser = requests();
        parser.execute(format!("GET / HTTP/1.1\r\n{lines}\r\n").as_bytes());
        assert_eq!(parser.head().flags & ordinary, expected, "{lines}");
    }
}

#[test]
fn a_head_with_a_field_too_long_for_an_index_has_none() {
    let name = "n".repeat(256);
    let value = "v".repeat(1 << 16);
    for line in [format!("{name}: a"), format!("a: {value}")] {
        let input = format!("GET / HTTP/1.1\r\nHost: a\r\n{line}\r\n\r\n");
        let mut parser = Parser::new(Config {
            max_header_size: usize::MAX,
            ..config(Kind::Request)
        });
        let (_, event) = parser.execute(input.as_bytes());
        assert_eq!(event, Event::Head { complete: true });
        assert!(!parser.head().has(flags::INDEXED | flags::DISTINCT));
        let text = (input.as_bytes(), 0);
        assert_eq!(parser.head_text(input.as_bytes()), text);
    }
}

/// Quadratic time would be minutes for each: a megabyte that any one peer can send.
#[test]
fn time_grows_no_faster_than_input() {
    const CHUNKED: &str = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
    let chunked = |rest: &str| format!("{CHUNKED}{rest}");
    for (start, unit) in [
        (String::new(), "\r\n"),
        ("GET".to_string(), " "),
        ("GET /".to_string(), "a"),
        ("GET http://".to_string(), "a"),
        ("GET / HTTP/1.1\r\n".to_string(), "a"),
        ("GET / HTTP/1.1\r\n".to_string(), "a: b\r\n"),
        ("GET / HTTP/1.1\r\nA:".to_string(), " "),
        ("GET / HTTP/1.1\r\nA: ".to_string(), "\t"),
        ("GET / HTTP/1.1\r\nA: b".to_string(), "\r\n c"),
        ("GET / HTTP/1.1\r\nConnection ".to_string(), " "),
        ("GET / HTTP/1.1\r\nConnection:".to_string(), "close, "),
        ("GET / HTTP/1.1\r\nTransfer-Encoding:".to_string(), "a,"),
        (chunked(""), "1\r\na\r\n"),
        (chunked("5;"), "a"),
        (chunked("5;a="), "b"),
        (chunked("5"), ";a"),
        (chunked("5;a=\""), "b"),
        (chunked("5;a=\""), "\\b"),
        (chunked("0\r\n"), "a: b\r\n"),
    ] {
        let input = start.clone() + &unit.repeat((1 << 20) / unit.len());
        let mut parser = Parser::new(Config {
            max_header_size: usize::MAX,
            lenient: lenient::HEADERS,
            ..config(Kind::Request)
        });
        let (mut at, mut last) = (0, None);
        while !matches!(last, Some(Event::NeedMore | Event::Failed(_))) {
            let (consumed, event) = parser.execute(&input.as_bytes()[at..]);
            at += consumed;
            last = Some(event);
        }
        let taken = [Event::NeedMore, Event::Failed(Error::ExtensionsOverflow)];
        assert!(
            last.is_some_and(|last| taken.contains(&last)),
            "{start}{unit}: {last:?}"
        );
    }
}
