//! JSON as it was received, but for redacted values: spaces, order and numbers stay as they are.

use crate::source::saved::redaction::{Counts, REDACTED, Redaction};

/// What became of a text.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Redacted {
    pub(crate) bytes: Vec<u8>,
    pub(crate) counts: Counts,
    /// It was JSON to its end; else what comes behind the first flaw is left out.
    pub(crate) whole: bool,
}

/// An object or a list that is not closed yet.
struct Frame {
    is_object: bool,
    /// The field by which all in it is redacted.
    under: Option<String>,
}

/// Copies a text up to its end or its first flaw.
pub(crate) fn redact_json(text: &[u8], redaction: &Redaction) -> Redacted {
    let mut bytes = Vec::with_capacity(text.len());
    let mut counts = Counts::new();
    let mut frames: Vec<Frame> = Vec::new();
    let mut expects_key = false;
    // The field by which the next value is redacted.
    let mut under: Option<String> = None;
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        let outer = |frames: &[Frame]| frames.last().and_then(|frame| frame.under.clone());
        match byte {
            b' ' | b'\t' | b'\r' | b'\n' | b':' => {
                bytes.push(byte);
                at += 1;
            }
            b',' => {
                bytes.push(byte);
                at += 1;
                expects_key = frames.last().is_some_and(|frame| frame.is_object);
                under = outer(&frames);
            }
            b'{' | b'[' => {
                bytes.push(byte);
                at += 1;
                expects_key = byte == b'{';
                frames.push(Frame { is_object: byte == b'{', under: under.clone() });
            }
            b'}' | b']' => {
                bytes.push(byte);
                at += 1;
                expects_key = false;
                frames.pop();
                under = outer(&frames);
            }
            b'"' => {
                let Some(end) = string_end(text, at) else { return Redacted { bytes, counts, whole: false } };
                let raw = &text[at..end];
                at = end;
                if expects_key {
                    // A name that cannot be read might be any.
                    let name = serde_json::from_slice::<String>(raw).unwrap_or_else(|_| "password".to_owned());
                    under = outer(&frames).or_else(|| redaction.redacts(&name).then_some(name));
                    expects_key = false;
                    bytes.extend_from_slice(raw);
                } else {
                    value(raw, under.as_ref(), &mut bytes, &mut counts);
                }
            }
            _ => {
                let rest = &text[at..];
                let ends = |byte: &u8| matches!(byte, b',' | b'}' | b']' | b' ' | b'\t' | b'\r' | b'\n');
                let end = at + rest.iter().position(ends).unwrap_or(rest.len());
                let raw = &text[at..end];
                let is_known = raw.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'));
                if !is_known || end == at {
                    return Redacted { bytes, counts, whole: false };
                }
                at = end;
                value(raw, under.as_ref(), &mut bytes, &mut counts);
            }
        }
    }
    let whole = frames.is_empty();
    Redacted { bytes, counts, whole }
}

/// What is empty says that something is missing, which support may know.
fn value(raw: &[u8], under: Option<&String>, bytes: &mut Vec<u8>, counts: &mut Counts) {
    match under {
        Some(name) if raw != b"null" && raw != b"\"\"" => {
            *counts.entry(name.clone()).or_default() += 1;
            bytes.push(b'"');
            bytes.extend_from_slice(REDACTED.as_bytes());
            bytes.push(b'"');
        }
        _ => bytes.extend_from_slice(raw),
    }
}

/// Behind the closing quote of the string that begins at `start`.
fn string_end(text: &[u8], start: usize) -> Option<usize> {
    let mut at = start + 1;
    loop {
        match text.get(at)? {
            b'\\' => at += 2,
            b'"' => return Some(at + 1),
            _ => at += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::source::saved::json::redact_json;
    use crate::source::saved::redaction::Redaction;

    #[test]
    fn values_go_and_all_else_stays() {
        let redact = |text: &str| {
            let redacted = redact_json(text.as_bytes(), &Redaction::default());
            let counts: Vec<String> = redacted.counts.iter().map(|(name, count)| format!("{name} {count}")).collect();
            (String::from_utf8(redacted.bytes).expect("UTF-8"), counts.join(", "), redacted.whole)
        };
        for (text, told, counts, whole) in [
            (r#"{"a": 1.50,  "b":"x\"y"}"#, r#"{"a": 1.50,  "b":"x\"y"}"#, "", true),
            (r#"{"birthDate":"2010-01-02","id":"7"}"#, r#"{"birthDate":"[redacted]","id":"7"}"#, "birthDate 1", true),
            (
                r#"[{"phone":null},{"phone":""},{"phone":49123}]"#,
                r#"[{"phone":null},{"phone":""},{"phone":"[redacted]"}]"#,
                "phone 1",
                true,
            ),
            (
                r#"{"phoneNumbers":[{"type":"work","value":"+49"}],"id":"phone"}"#,
                r#"{"phoneNumbers":[{"type":"[redacted]","value":"[redacted]"}],"id":"phone"}"#,
                "phoneNumbers 2",
                true,
            ),
            (
                r#"{"pass\u0077ord":"hunter2","x":[1,{"y":2}]}"#,
                r#"{"pass\u0077ord":"[redacted]","x":[1,{"y":2}]}"#,
                "password 1",
                true,
            ),
            (r#"{"secret":{"a":{"b":true}},"c":1}"#, r#"{"secret":{"a":{"b":"[redacted]"}},"c":1}"#, "secret 1", true),
            (r#"{"users":[{"id":"1","password":"hun"#, r#"{"users":[{"id":"1","password":"#, "", false),
            (r#"{"id":<html>"#, r#"{"id":"#, "", false),
            (r#"{"id":1"#, r#"{"id":1"#, "", false),
        ] {
            assert_eq!(redact(text), (told.to_owned(), counts.to_owned(), whole));
        }
    }
}
