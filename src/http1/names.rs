//! Names of header fields that are seen often, by number: JavaScript has each as a constant, and
//! neither cuts it out of a head nor looks it up.

use std::sync::LazyLock;

/// As most write them (the IANA registry of field names, and what browsers, proxies and HTTP clients
/// send beyond it). Of each also the form in lower case is known.
const NAMES: [&str; 113] = [
    "Accept",
    "Accept-CH",
    "Accept-Charset",
    "Accept-Encoding",
    "Accept-Language",
    "Accept-Ranges",
    "Access-Control-Allow-Credentials",
    "Access-Control-Allow-Headers",
    "Access-Control-Allow-Methods",
    "Access-Control-Allow-Origin",
    "Access-Control-Expose-Headers",
    "Access-Control-Max-Age",
    "Access-Control-Request-Headers",
    "Access-Control-Request-Method",
    "Age",
    "Allow",
    "Alt-Svc",
    "Authorization",
    "Baggage",
    "Cache-Control",
    "CF-Connecting-IP",
    "CF-IPCountry",
    "CF-Ray",
    "CF-Visitor",
    "Connection",
    "Content-Disposition",
    "Content-Encoding",
    "Content-Language",
    "Content-Length",
    "Content-Location",
    "Content-Range",
    "Content-Security-Policy",
    "Content-Type",
    "Cookie",
    "Cross-Origin-Embedder-Policy",
    "Cross-Origin-Opener-Policy",
    "Cross-Origin-Resource-Policy",
    "Date",
    "DNT",
    "ETag",
    "Expect",
    "Expires",
    "Forwarded",
    "From",
    "Host",
    "HTTP2-Settings",
    "If-Match",
    "If-Modified-Since",
    "If-None-Match",
    "If-Range",
    "If-Unmodified-Since",
    "Keep-Alive",
    "Last-Modified",
    "Link",
    "Location",
    "Max-Forwards",
    "Origin",
    "Origin-Agent-Cluster",
    "Permissions-Policy",
    "Pragma",
    "Priority",
    "Proxy-Authenticate",
    "Proxy-Authorization",
    "Proxy-Connection",
    "Range",
    "Referer",
    "Referrer-Policy",
    "Retry-After",
    "Sec-CH-UA",
    "Sec-CH-UA-Mobile",
    "Sec-CH-UA-Platform",
    "Sec-Fetch-Dest",
    "Sec-Fetch-Mode",
    "Sec-Fetch-Site",
    "Sec-Fetch-User",
    "Sec-GPC",
    "Sec-WebSocket-Accept",
    "Sec-WebSocket-Extensions",
    "Sec-WebSocket-Key",
    "Sec-WebSocket-Protocol",
    "Sec-WebSocket-Version",
    "Server",
    "Server-Timing",
    "Set-Cookie",
    "Strict-Transport-Security",
    "TE",
    "Traceparent",
    "Tracestate",
    "Trailer",
    "Transfer-Encoding",
    "True-Client-IP",
    "Upgrade",
    "Upgrade-Insecure-Requests",
    "User-Agent",
    "Vary",
    "Via",
    "WWW-Authenticate",
    "X-API-Key",
    "X-Content-Type-Options",
    "X-Correlation-ID",
    "X-CSRF-Token",
    "X-DNS-Prefetch-Control",
    "X-Download-Options",
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Forwarded-Port",
    "X-Forwarded-Proto",
    "X-Frame-Options",
    "X-Powered-By",
    "X-Real-IP",
    "X-Request-ID",
    "X-Requested-With",
    "X-XSS-Protection",
];

// A number is a byte, and half of it one of the 128 bits in which `fast` counts the names of a head.
const _: () = assert!(NAMES.len() < 128);

/// Four times as many as names: most slots are empty.
const SLOTS: usize = 1024;

struct Table {
    /// By number; at 0 is none.
    names: Vec<String>,
    /// Numbers, where [`slot`] says, or in the next free slot.
    slots: [u8; SLOTS],
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let mut table = Table {
        names: vec![String::new()],
        slots: [0; SLOTS],
    };
    for name in NAMES {
        for form in [name.to_string(), name.to_ascii_lowercase()] {
            let mut at = slot(form.as_bytes());
            while table.slots[at] != 0 {
                at = (at + 1) % SLOTS;
            }
            table.slots[at] = table.names.len() as u8;
            table.names.push(form);
        }
    }
    table
});

/// Each name by its number, the empty one for 0; of a pair the second is in lower case.
pub fn names() -> &'static [String] {
    &TABLE.names
}

/// The number of exactly these bytes, 0 for a name that has none.
pub fn number_of(name: &[u8]) -> u8 {
    let table = &*TABLE;
    let mut at = slot(name);
    loop {
        let number = table.slots[at];
        if number == 0 || table.names[number as usize].as_bytes() == name {
            return number;
        }
        at = (at + 1) % SLOTS;
    }
}

/// By the length and three bytes: names differ in them.
fn slot(name: &[u8]) -> usize {
    let (Some(&first), Some(&last)) = (name.first(), name.last()) else {
        return 0;
    };
    let middle = name[name.len() / 2];
    let bytes = [name.len() as u8, first, middle, last];
    (u32::from_le_bytes(bytes).wrapping_mul(0x9e37_79b1) >> 22) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_has_a_number_in_both_forms() {
        assert_eq!(names().len(), 1 + 2 * NAMES.len());
        for name in NAMES {
            let number = number_of(name.as_bytes()) as usize;
            assert_eq!(names()[number], name);
            let lower = name.to_ascii_lowercase();
            assert_eq!(number_of(lower.as_bytes()) as usize, number + 1);
        }
    }

    #[test]
    fn what_is_no_such_name_has_none() {
        for name in ["", "hOST", "Hos", "Hostt", "X-Unknown", "\u{e9}"] {
            assert_eq!(number_of(name.as_bytes()), 0, "{name}");
        }
    }

    #[test]
    fn few_names_share_a_slot() {
        let crowded = names()[1..].iter().filter(|name| {
            let number = TABLE.slots[slot(name.as_bytes())] as usize;
            names()[number] != **name
        });
        assert!(crowded.count() <= names().len() / 4);
    }
}
