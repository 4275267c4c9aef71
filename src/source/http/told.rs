//! What a server says about when to come back.

use std::time::Duration;

use jiff::fmt::rfc2822;
use reqwest::header::HeaderMap;

/// The pause that an answer asks for. Moments are compared with the server's own `Date`, so that its clock need not agree
/// with ours.
pub fn asked_pause(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let server_now = || text("date").and_then(unix_secs);
    if let Some(after) = text("retry-after") {
        if let Ok(secs) = after.parse() {
            return Some(Duration::from_secs(secs));
        }
        if let (Some(at), Some(now)) = (unix_secs(after), server_now()) {
            return Some(Duration::from_secs(at.saturating_sub(now)));
        }
    }
    // A Unix time at one roster service, seconds from now by the draft standard.
    let reset: u64 = text("x-ratelimit-reset").or_else(|| text("ratelimit-reset"))?.parse().ok()?;
    match server_now() {
        Some(now) if reset > 1_000_000_000 => Some(Duration::from_secs(reset.saturating_sub(now))),
        _ if reset <= 1_000_000_000 => Some(Duration::from_secs(reset)),
        _ => None,
    }
}

/// The pause until there are new requests, of an answer that says that there are none left.
pub fn spent_pause(headers: &HeaderMap) -> Option<Duration> {
    let left = headers.get("x-ratelimit-remaining").or_else(|| headers.get("ratelimit-remaining"))?;
    (left.to_str().ok()?.trim() == "0").then(|| asked_pause(headers)).flatten()
}

/// Whether the limit that an answer tells is that of the credential alone (clever §6).
pub fn is_own_limit(headers: &HeaderMap) -> bool {
    headers.get("x-ratelimit-bucket").is_some_and(|bucket| bucket.as_bytes().eq_ignore_ascii_case(b"bearer"))
}

/// Seconds since 1970 of an HTTP date.
pub fn unix_secs(text: &str) -> Option<u64> {
    let at = rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
    u64::try_from(at.as_second()).ok()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use reqwest::header::{HeaderMap, HeaderName};

    use crate::source::http::told::asked_pause;

    #[test]
    fn pauses_are_read_in_every_form() {
        let date = ("date", "Sun, 06 Nov 1994 08:49:37 GMT");
        type Case<'a> = (&'a [(&'a str, &'a str)], Option<u64>);
        let cases: [Case<'_>; 7] = [
            (&[("retry-after", "17")], Some(17)),
            (&[("retry-after", "Sun, 06 Nov 1994 08:50:07 GMT"), date], Some(30)),
            (&[("retry-after", "Sun, 06 Nov 1994 08:49:07 GMT"), date], Some(0)),
            (&[("retry-after", "Sun, 06 Nov 1994 08:50:07 GMT")], None),
            (&[("retry-after", "soon")], None),
            (&[("x-ratelimit-reset", "1561523915"), ("date", "Wed, 26 Jun 2019 04:38:20 GMT")], Some(15)),
            (&[("ratelimit-reset", "42")], Some(42)),
        ];
        for (headers, secs) in cases {
            let pairs = headers.iter().map(|(name, value)| {
                (HeaderName::from_bytes(name.as_bytes()).expect("a name"), value.parse().expect("a value"))
            });
            let map: HeaderMap = pairs.collect();
            assert_eq!(asked_pause(&map), secs.map(Duration::from_secs), "{headers:?}");
        }
    }
}
