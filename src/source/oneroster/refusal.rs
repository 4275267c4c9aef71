//! What a provider says in an error (oneroster-rest §10): codes of the standard, never its free texts.

use serde_json::Value;

/// No longer bodies are looked through, in bytes.
const BYTES_MAX: usize = 64 << 10;

/// The minor codes in an error body, sorted; empty where there are none.
pub(crate) fn minor_codes(body: &[u8]) -> Vec<String> {
    let mut codes = Vec::new();
    if body.len() <= BYTES_MAX
        && let Ok(value) = serde_json::from_slice(body)
    {
        collect(&value, &mut codes);
    }
    codes.sort();
    codes.dedup();
    codes
}

fn collect(value: &Value, codes: &mut Vec<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect(item, codes)),
        Value::Object(fields) => {
            for (key, value) in fields {
                match (key.as_str(), value) {
                    ("imsx_codeMinorFieldValue" | "imsx_CodeMinor" | "imsx_codeMinor", Value::String(code)) => {
                        let is_code = code.len() <= 40 && code.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
                        codes.extend(is_code.then(|| code.clone()));
                    }
                    _ => collect(value, codes),
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use crate::source::oneroster::refusal::minor_codes;

    #[test]
    fn codes_are_found_in_every_variant() {
        let minor =
            r#"{"imsx_codeMinorField":[{"imsx_codeMinorFieldName":"X","imsx_codeMinorFieldValue":"invalid_filter_field"}]}"#;
        for body in [
            format!(r#"{{"imsx_codeMajor":"failure","imsx_CodeMinor":{minor}}}"#),
            format!(r#"{{"statusInfoSet":[{{"imsx_codeMajor":"failure","imsx_codeMinor":{minor}}}]}}"#),
            format!(r#"{{"imsx_StatusInfo":{{"imsx_CodeMinor":{minor}}}}}"#),
            r#"{"imsx_CodeMinor":"invalid_filter_field","imsx_description":"Ana Okoro is not known"}"#.to_owned(),
        ] {
            assert_eq!(minor_codes(body.as_bytes()), ["invalid_filter_field"], "{body}");
        }
        assert!(minor_codes(b"<html>").is_empty());
        assert!(minor_codes(br#"{"imsx_CodeMinor":"Ana Okoro"}"#).is_empty());
    }
}
