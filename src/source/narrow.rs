//! Answers without what nobody asked for: providers send birth dates, passwords and phone numbers, whatever is asked for,
//! and none of it may be kept, not even for the time of a pull.

use std::collections::BTreeSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// The same JSON with nothing in its objects but these keys.
///
/// # Errors
/// When the text is not JSON to its end.
pub(crate) fn narrowed(text: &str, keys: &BTreeSet<String>) -> Result<String, serde_json::Error> {
    let mut out = Vec::with_capacity(text.len() / 2);
    let mut json = serde_json::Deserializer::from_str(text);
    Narrow { keys, out: &mut out }.deserialize(&mut json)?;
    json.end()?;
    // What was written is ASCII and texts of the text: it is UTF-8.
    String::from_utf8(out).map_err(serde::de::Error::custom)
}

struct Narrow<'n> {
    keys: &'n BTreeSet<String>,
    out: &'n mut Vec<u8>,
}

impl Narrow<'_> {
    fn write<E: serde::de::Error>(self, value: &(impl serde::Serialize + ?Sized)) -> Result<(), E> {
        serde_json::to_writer(self.out, value).map_err(E::custom)
    }
}

impl<'de> DeserializeSeed<'de> for Narrow<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Narrow<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }
    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<(), E> {
        self.write(text)
    }
    fn visit_bool<E: serde::de::Error>(self, flag: bool) -> Result<(), E> {
        self.write(&flag)
    }
    fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<(), E> {
        self.write(&number)
    }
    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<(), E> {
        self.write(&number)
    }
    fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<(), E> {
        self.write(&number)
    }
    fn visit_unit<E: serde::de::Error>(self) -> Result<(), E> {
        self.write(&())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let Narrow { keys, out } = self;
        let mut before = b'[';
        loop {
            let length = out.len();
            out.push(before);
            if list.next_element_seed(Narrow { keys, out })?.is_none() {
                out.truncate(length);
                break;
            }
            before = b',';
        }
        if before == b'[' {
            out.push(before);
        }
        out.push(b']');
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Narrow { keys, out } = self;
        let mut before = b'{';
        while let Some(key) = map.next_key::<std::borrow::Cow<'de, str>>()? {
            if !keys.contains(&*key) {
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            out.push(std::mem::replace(&mut before, b','));
            Narrow { keys, out }.write(&*key)?;
            out.push(b':');
            map.next_value_seed(Narrow { keys, out })?;
        }
        if before == b'{' {
            out.push(before);
        }
        out.push(b'}');
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use crate::source::narrow::narrowed;

    #[test]
    fn only_known_keys_are_left() {
        let keys = BTreeSet::from(["users", "id", "names", "role"].map(str::to_owned));
        for (text, left) in [
            (
                r#"{"users":[{"id":"a\"\u00e9\n","dob":"1/2/2010"},{"dob":"x","id":7}]}"#,
                r#"{"users":[{"id":"a\"é\n"},{"id":7}]}"#,
            ),
            (r#"{"total":3,"users":[]}"#, r#"{"users":[]}"#),
            (
                r#"{"users":null,"id":{"role":{"phone":"5"}},"names":[[],{},-1,1.5,true]}"#,
                r#"{"users":null,"id":{"role":{}},"names":[[],{},-1,1.5,true]}"#,
            ),
            (r#" [ {"id" : ""} ] "#, r#"[{"id":""}]"#),
            ("[]", "[]"),
            ("{}", "{}"),
        ] {
            assert_eq!(narrowed(text, &keys).expect("JSON"), left);
        }
        for broken in ["{", "[1,]", "{} {", r#"{"dob":}"#, ""] {
            assert!(narrowed(broken, &keys).is_err(), "{broken}");
        }
    }
}
