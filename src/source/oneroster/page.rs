//! The records of one answer, one after the other, without a list of them in between.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// Hands each record of the list under `key` to `each`; a list without an object around it counts as well. Returns whether
/// there was a list (oneroster-rest §10).
///
/// # Errors
/// When the text is not JSON to its end, or a record is not of the expected shape.
pub(crate) fn each_record<'de, T: Deserialize<'de>>(
    text: &'de str,
    key: &str,
    each: &mut dyn FnMut(T),
) -> Result<bool, serde_json::Error> {
    let mut json = serde_json::Deserializer::from_str(text);
    let found = Whole { key, each, record: PhantomData }.deserialize(&mut json)?;
    json.end()?;
    Ok(found)
}

struct Whole<'k, T> {
    key: &'k str,
    each: &'k mut dyn FnMut(T),
    record: PhantomData<T>,
}

impl<'de, T: Deserialize<'de>> DeserializeSeed<'de> for Whole<'_, T> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for Whole<'_, T> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object or a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<bool, A::Error> {
        List { each: self.each, record: PhantomData }.visit_seq(list)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<bool, A::Error> {
        let mut found = false;
        while let Some(key) = map.next_key::<std::borrow::Cow<'de, str>>()? {
            if key == self.key {
                // A second list of the same name is as good as the first: what it repeats is noticed by its ids.
                found |= map.next_value_seed(List { each: &mut *self.each, record: PhantomData })?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }
}

struct List<'k, T> {
    each: &'k mut dyn FnMut(T),
    record: PhantomData<T>,
}

impl<'de, T: Deserialize<'de>> DeserializeSeed<'de> for List<'_, T> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for List<'_, T> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of records")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<bool, A::Error> {
        while let Some(record) = list.next_element()? {
            (self.each)(record);
        }
        Ok(true)
    }

    fn visit_unit<E>(self) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<bool, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(false)
    }
}

#[cfg(test)]
mod tests {
    use crate::source::oneroster::page::each_record;
    use crate::source::oneroster::wire::{EnrollmentWire, IdWire, UserWire};

    fn ids(text: &str) -> Result<Option<Vec<String>>, String> {
        let mut ids = Vec::new();
        let found = each_record(text, "users", &mut |wire: IdWire<'_>| ids.push(wire.id.or_empty().to_owned()));
        found.map(|found| found.then_some(ids)).map_err(|error| error.to_string())
    }

    #[test]
    fn a_list_is_found_wherever_providers_put_it() {
        let both = Ok(Some(vec!["a".to_owned(), "7".to_owned()]));
        assert_eq!(ids(r#"{"users":[{"sourcedId":"a","x":{"y":[1]}},{"sourcedId":7}]}"#), both);
        assert_eq!(ids(r#"[{"sourcedId":"a"},{"sourcedId":7}]"#), both);
        assert_eq!(
            ids(r#"{"statusInfoSet":[{"imsx_codeMajor":"success"}],"users":[{"sourcedId":"a"},{"sourcedId":7}]}"#),
            both
        );
        assert_eq!(ids(r#"{"users":[]}"#), Ok(Some(vec![])));
        assert_eq!(ids(r#"{"users":[{}]}"#), Ok(Some(vec![String::new()])));
        for none in [r#"{"orgs":[]}"#, r#"{"users":null}"#, r#"{"users":{"sourcedId":"a"}}"#, "{}"] {
            assert_eq!(ids(none), Ok(None), "{none}");
        }
        for broken in
            [r#"{"users":[{"sourcedId":"a"}"#, r#"{"users":[{}]} {"#, r#"{"users":[null]}"#, r#"{"users":["a"]}"#, "\"\""]
        {
            assert!(ids(broken).is_err(), "{broken}");
        }
    }

    #[test]
    fn odd_values_break_no_page() {
        let text = r#"{"users":[{"sourcedId":" a ","enabledUser":true,"grades":"09","orgs":{"sourcedId":"S"},"roles":null,
            "primaryOrg":"","email":["x"],"metadata":{"n":1,"o":{}},"identifier":12.5,"username":null}]}"#;
        let mut seen = 0;
        let found = each_record(text, "users", &mut |user: UserWire<'_>| {
            seen += 1;
            assert_eq!((user.id.or_empty(), user.enabled.or_empty(), user.grades.0[0].or_empty()), ("a", "true", "09"));
            assert_eq!((user.orgs.0[0].0.or_empty(), user.roles.0.len(), user.primary_org.0.text()), ("S", 0, None));
            assert_eq!((user.email.text(), user.identifier.or_empty(), user.username.text()), (None, "12.5", None));
            assert_eq!(user.metadata.0[0], ("n".into(), crate::source::oneroster::wire::Loose::Text("1".into())));
        });
        assert!(found.expect("JSON") && seen == 1);
        let text = r#"[{"sourcedId":"e","user":{"href":"x","sourcedId":"\u0061","type":"user"},"class":[],"school":null}]"#;
        let found = each_record(text, "enrollments", &mut |row: EnrollmentWire<'_>| {
            assert_eq!((row.user.0.or_empty(), row.class.0.text(), row.school.0.text()), ("a", None, None));
        });
        assert!(found.expect("JSON"));
    }
}
