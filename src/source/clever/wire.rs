//! The shapes on the wire (clever §4). Every field may be absent, `null` or empty, which is the same; a record that is another
//! one than expected breaks alone, and not its page.

use std::collections::BTreeSet;
use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::source::oneroster::{Loose, Many};

/// An object, if it is one.
#[derive(Clone, Debug)]
pub(crate) struct Maybe<T>(pub(crate) Option<T>);

impl<T> Default for Maybe<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Maybe<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Any<T> {
            type Value = Maybe<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Maybe<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(|value| Maybe(Some(value)))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Maybe<T>, A::Error> {
                while list.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Maybe(None))
            }
            fn visit_str<E>(self, _: &str) -> Result<Maybe<T>, E> {
                Ok(Maybe(None))
            }
            fn visit_bool<E>(self, _: bool) -> Result<Maybe<T>, E> {
                Ok(Maybe(None))
            }
            fn visit_i64<E>(self, _: i64) -> Result<Maybe<T>, E> {
                Ok(Maybe(None))
            }
            fn visit_u64<E>(self, _: u64) -> Result<Maybe<T>, E> {
                Ok(Maybe(None))
            }
            fn visit_f64<E>(self, _: f64) -> Result<Maybe<T>, E> {
                Ok(Maybe(None))
            }
            fn visit_unit<E>(self) -> Result<Maybe<T>, E> {
                Ok(Maybe(None))
            }
        }
        deserializer.deserialize_any(Any(PhantomData))
    }
}

/// A record in its envelope: every record lies two levels deep.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "T: Deserialize<'de>"))]
pub(crate) struct Wrapped<T> {
    #[serde(default)]
    pub(crate) data: Maybe<T>,
}

macro_rules! wires {
    ($($(#[$doc:meta])* $name:ident { $($field:ident $wire:literal : $kind:ty),* $(,)? })*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Debug, Default, Deserialize)]
            #[serde(default)]
            pub(crate) struct $name<'a> {
                $(#[serde(rename = $wire, borrow)] pub(crate) $field: $kind,)*
            }
        )*

        const FIELDS: &[&str] = &[$($($wire,)*)*];
    };
}

wires! {
    /// What is looked at in every record first.
    IdWire { id "id": Loose<'a> }
    /// Where a page leads.
    LinkWire { rel "rel": Loose<'a>, uri "uri": Loose<'a> }
    DistrictWire {
        id "id": Loose<'a>, name "name": Loose<'a>, state "state": Loose<'a>, error "error": Loose<'a>,
        last_sync "last_sync": Loose<'a>, pause_start "pause_start": Loose<'a>, pause_end "pause_end": Loose<'a>,
    }
    SchoolWire { id "id": Loose<'a>, name "name": Loose<'a>, number "school_number": Loose<'a>, sis_id "sis_id": Loose<'a> }
    TermWire { id "id": Loose<'a>, name "name": Loose<'a>, start "start_date": Loose<'a>, end "end_date": Loose<'a> }
    CourseWire { id "id": Loose<'a>, name "name": Loose<'a>, number "number": Loose<'a> }
    SectionWire {
        id "id": Loose<'a>, name "name": Loose<'a>, number "section_number": Loose<'a>, school "school": Loose<'a>,
        course "course": Loose<'a>, term "term_id": Loose<'a>, grade "grade": Loose<'a>, subject "subject": Loose<'a>,
        teacher "teacher": Loose<'a>, teachers "teachers": Many<Loose<'a>>, students "students": Many<Loose<'a>>,
    }
    UserWire {
        id "id": Loose<'a>, email "email": Loose<'a>, name "name": Maybe<NameWire<'a>>, roles "roles": Maybe<RolesWire<'a>>,
    }
    NameWire { first "first": Loose<'a>, last "last": Loose<'a> }
    /// A role is held if there is an object for it.
    RolesWire {
        student "student": Maybe<RoleWire<'a>>, teacher "teacher": Maybe<RoleWire<'a>>, staff "staff": Maybe<RoleWire<'a>>,
        district_admin "district_admin": Maybe<RoleWire<'a>>, contact "contact": Maybe<RoleWire<'a>>,
    }
    RoleWire {
        sis_id "sis_id": Loose<'a>, student_number "student_number": Loose<'a>, teacher_number "teacher_number": Loose<'a>,
        staff_id "staff_id": Loose<'a>, school "school": Loose<'a>, schools "schools": Many<Loose<'a>>,
        grade "grade": Loose<'a>, credentials "credentials": Maybe<CredentialsWire<'a>>,
    }
    CredentialsWire { username "district_username": Loose<'a> }
    /// The lists of a section, as they were before.
    ListsWire { teacher "teacher": Loose<'a>, teachers "teachers": Many<Loose<'a>>, students "students": Many<Loose<'a>> }
}

/// An event about a record of this shape.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "T: Deserialize<'de>, 'de: 'a"))]
pub(crate) struct EventWire<'a, T> {
    #[serde(default, rename = "type")]
    pub(crate) kind: Loose<'a>,
    #[serde(default)]
    pub(crate) data: Maybe<ObjectWire<T>>,
    #[serde(default)]
    pub(crate) previous_attributes: Maybe<ListsWire<'a>>,
}

/// The record after the change.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "T: Deserialize<'de>"))]
pub(crate) struct ObjectWire<T> {
    #[serde(default)]
    pub(crate) object: Maybe<T>,
}

/// All keys of an answer that are used.
pub(crate) fn keys() -> BTreeSet<String> {
    let around = ["data", "links", "count", "type", "object", "previous_attributes"];
    FIELDS.iter().copied().chain(around).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use crate::source::clever::wire::{EventWire, SectionWire, UserWire, Wrapped};

    #[test]
    fn absent_null_and_empty_are_the_same() {
        for text in [
            r#"{"data":{"id":"u","name":null,"roles":{"student":{"schools":null,"school":""},"teacher":null,"staff":{}}}}"#,
            r#"{"data":{"id":"u","name":"","roles":{"student":{"schools":"","school":null},"staff":{"credentials":""}}}}"#,
            r#"{"data":{"id":"u","name":[],"email":{"x":1},"roles":{"student":{"schools":[]},"teacher":7,"staff":{}}}}"#,
        ] {
            let Wrapped { data } = serde_json::from_str::<Wrapped<UserWire<'_>>>(text).expect("JSON");
            let user = data.0.expect("a user");
            let roles = user.roles.0.expect("roles");
            assert!(user.name.0.is_none() && user.email.text().is_none() && roles.teacher.0.is_none(), "{text}");
            assert!(roles.staff.0.is_some() && roles.contact.0.is_none(), "{text}");
            let student = roles.student.0.expect("a student");
            assert!(student.school.text().is_none() && student.schools.0.iter().all(|s| s.text().is_none()), "{text}");
        }
        assert!(serde_json::from_str::<Wrapped<UserWire<'_>>>(r#"{"data":null}"#).expect("JSON").data.0.is_none());
    }

    #[test]
    fn an_event_is_read_as_whatever_it_is_about() {
        let text = r#"{"id":"e","type":"sections.updated","data":{"object":{"id":"s","name":"Art","students":["a","b"]}},
            "previous_attributes":{"students":["a","c"]}}"#;
        let event: EventWire<'_, SectionWire<'_>> = serde_json::from_str(text).expect("JSON");
        let object = event.data.0.and_then(|data| data.object.0).expect("a section");
        assert_eq!((event.kind.or_empty(), object.name.or_empty(), object.students.0.len()), ("sections.updated", "Art", 2));
        assert_eq!(event.previous_attributes.0.expect("before").students.0[1].or_empty(), "c");
        let as_user: EventWire<'_, UserWire<'_>> = serde_json::from_str(text).expect("JSON");
        assert!(as_user.data.0.and_then(|data| data.object.0).expect("something").roles.0.is_none());
    }
}
