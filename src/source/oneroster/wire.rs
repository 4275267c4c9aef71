//! The shapes on the wire. Every value is read loosely (oneroster-rest §4): texts, numbers and booleans stand for one another,
//! absent, `null` and empty are the same, a list may be a single value. What is of another kind than expected is told by
//! `Other` when it is asked for, so that a record breaks and not its page.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// A single value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Loose<'a> {
    #[default]
    Absent,
    Text(Cow<'a, str>),
    /// A list or an object.
    Other,
}

impl Loose<'_> {
    /// The text without spaces around it; `None` if there is none.
    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Loose::Text(text) => Some(text.trim()).filter(|text| !text.is_empty()),
            Loose::Absent | Loose::Other => None,
        }
    }

    /// The text, or nothing.
    pub(crate) fn or_empty(&self) -> &str {
        self.text().unwrap_or_default()
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Loose<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any<'a>(PhantomData<&'a ()>);
        impl<'de: 'a, 'a> Visitor<'de> for Any<'a> {
            type Value = Loose<'a>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value")
            }
            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Loose<'a>, E> {
                Ok(Loose::Text(Cow::Borrowed(text)))
            }
            fn visit_str<E>(self, text: &str) -> Result<Loose<'a>, E> {
                Ok(Loose::Text(Cow::Owned(text.to_owned())))
            }
            fn visit_bool<E>(self, flag: bool) -> Result<Loose<'a>, E> {
                Ok(Loose::Text(Cow::Borrowed(if flag { "true" } else { "false" })))
            }
            fn visit_i64<E>(self, number: i64) -> Result<Loose<'a>, E> {
                Ok(Loose::Text(Cow::Owned(number.to_string())))
            }
            fn visit_u64<E>(self, number: u64) -> Result<Loose<'a>, E> {
                Ok(Loose::Text(Cow::Owned(number.to_string())))
            }
            fn visit_f64<E>(self, number: f64) -> Result<Loose<'a>, E> {
                Ok(Loose::Text(Cow::Owned(number.to_string())))
            }
            fn visit_unit<E>(self) -> Result<Loose<'a>, E> {
                Ok(Loose::Absent)
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Loose<'a>, A::Error> {
                while list.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Loose::Other)
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Loose<'a>, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Loose::Other)
            }
        }
        deserializer.deserialize_any(Any(PhantomData))
    }
}

impl Loose<'_> {
    /// Puts something before the text, if there is one.
    pub(crate) fn put_before(&mut self, prefix: &str) {
        if let Some(text) = self.text().filter(|_| !prefix.is_empty()) {
            *self = Loose::Text(Cow::Owned(format!("{prefix}{text}")));
        }
    }
}

/// Records whose references get a prefix, so that the ids of two providers differ.
pub(crate) trait Prefix {
    /// Puts it before every id that is referred to.
    fn prefix(&mut self, prefix: &str);
}

impl Prefix for Loose<'_> {
    fn prefix(&mut self, _: &str) {}
}

impl Prefix for Ref<'_> {
    fn prefix(&mut self, prefix: &str) {
        self.0.put_before(prefix);
    }
}

impl Prefix for Pairs<'_> {
    fn prefix(&mut self, _: &str) {}
}

impl<T: Prefix> Prefix for Many<T> {
    fn prefix(&mut self, prefix: &str) {
        self.0.iter_mut().for_each(|item| item.prefix(prefix));
    }
}

/// A reference: its `sourcedId`; `href` is never followed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ref<'a>(pub(crate) Loose<'a>);

impl<'de: 'a, 'a> Deserialize<'de> for Ref<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any<'a>(PhantomData<&'a ()>);
        impl<'de: 'a, 'a> Visitor<'de> for Any<'a> {
            type Value = Ref<'a>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a reference")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Ref<'a>, A::Error> {
                let mut id = Loose::Absent;
                while let Some(key) = map.next_key::<Cow<'de, str>>()? {
                    if key == "sourcedId" {
                        id = map.next_value()?;
                    } else {
                        map.next_value::<IgnoredAny>()?;
                    }
                }
                Ok(Ref(id))
            }
            fn visit_unit<E>(self) -> Result<Ref<'a>, E> {
                Ok(Ref(Loose::Absent))
            }
            fn visit_str<E>(self, text: &str) -> Result<Ref<'a>, E> {
                Ok(Ref(if text.is_empty() { Loose::Absent } else { Loose::Other }))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Ref<'a>, A::Error> {
                while list.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Ref(Loose::Other))
            }
        }
        deserializer.deserialize_any(Any(PhantomData))
    }
}

/// A list; a single value is a list of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Many<T>(pub(crate) Vec<T>);

impl<T> Default for Many<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Many<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Any<T> {
            type Value = Many<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Many<T>, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = list.next_element()? {
                    items.push(item);
                }
                Ok(Many(items))
            }
            fn visit_unit<E>(self) -> Result<Many<T>, E> {
                Ok(Many::default())
            }
            fn visit_borrowed_str<E: serde::de::Error>(self, text: &'de str) -> Result<Many<T>, E> {
                T::deserialize(serde::de::value::BorrowedStrDeserializer::new(text)).map(|item| Many(vec![item]))
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Many<T>, E> {
                T::deserialize(serde::de::value::StrDeserializer::new(text)).map(|item| Many(vec![item]))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Many<T>, A::Error> {
                T::deserialize(serde::de::value::MapAccessDeserializer::new(map)).map(|item| Many(vec![item]))
            }
        }
        deserializer.deserialize_any(Any(PhantomData))
    }
}

macro_rules! wires {
    ($($(#[$doc:meta])* $name:ident { $($field:ident $wire:literal : $kind:ty),* $(,)? })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Default, serde::Deserialize)]
        #[serde(default)]
        pub(crate) struct $name<'a> {
            $(#[serde(rename = $wire, borrow)] pub(crate) $field: $kind,)*
        }

        impl Prefix for $name<'_> {
            fn prefix(&mut self, prefix: &str) {
                $(self.$field.prefix(prefix);)*
            }
        }
    )*

    /// The names of all fields that are looked at.
    pub(crate) const FIELDS: &[&str] = &[$($($wire,)*)*];
    };
}

wires! {
    /// What is looked at in every record first.
    IdWire { id "sourcedId": Loose<'a> }
    OrgWire {
        id "sourcedId": Loose<'a>, status "status": Loose<'a>, modified "dateLastModified": Loose<'a>,
        name "name": Loose<'a>, kind "type": Loose<'a>, identifier "identifier": Loose<'a>, parent "parent": Ref<'a>,
    }
    SessionWire {
        id "sourcedId": Loose<'a>, status "status": Loose<'a>, modified "dateLastModified": Loose<'a>,
        title "title": Loose<'a>, kind "type": Loose<'a>, begin "startDate": Loose<'a>, end "endDate": Loose<'a>,
        parent "parent": Ref<'a>,
    }
    CourseWire {
        id "sourcedId": Loose<'a>, status "status": Loose<'a>, modified "dateLastModified": Loose<'a>,
        title "title": Loose<'a>, code "courseCode": Loose<'a>, year "schoolYear": Ref<'a>, org "org": Ref<'a>,
        grades "grades": Many<Loose<'a>>, subjects "subjects": Many<Loose<'a>>, subject_codes "subjectCodes": Many<Loose<'a>>,
    }
    ClassWire {
        id "sourcedId": Loose<'a>, status "status": Loose<'a>, modified "dateLastModified": Loose<'a>,
        title "title": Loose<'a>, kind "classType": Loose<'a>, code "classCode": Loose<'a>, course "course": Ref<'a>,
        school "school": Ref<'a>, terms "terms": Many<Ref<'a>>, grades "grades": Many<Loose<'a>>,
        subjects "subjects": Many<Loose<'a>>, subject_codes "subjectCodes": Many<Loose<'a>>,
    }
    UserWire {
        id "sourcedId": Loose<'a>, status "status": Loose<'a>, modified "dateLastModified": Loose<'a>,
        enabled "enabledUser": Loose<'a>, username "username": Loose<'a>, given "givenName": Loose<'a>,
        family "familyName": Loose<'a>, email "email": Loose<'a>, identifier "identifier": Loose<'a>,
        role "role": Loose<'a>, orgs "orgs": Many<Ref<'a>>, roles "roles": Many<RoleWire<'a>>,
        primary_org "primaryOrg": Ref<'a>, grades "grades": Many<Loose<'a>>, metadata "metadata": Pairs<'a>,
    }
    RoleWire {
        kind "roleType": Loose<'a>, role "role": Loose<'a>, org "org": Ref<'a>, begin "beginDate": Loose<'a>,
        end "endDate": Loose<'a>,
    }
    EnrollmentWire {
        id "sourcedId": Loose<'a>, status "status": Loose<'a>, modified "dateLastModified": Loose<'a>,
        user "user": Ref<'a>, class "class": Ref<'a>, school "school": Ref<'a>, role "role": Loose<'a>,
        primary "primary": Loose<'a>, begin "beginDate": Loose<'a>, end "endDate": Loose<'a>,
    }
}

/// Vendor data: names and single values.
#[derive(Debug, Default)]
pub(crate) struct Pairs<'a>(pub(crate) Vec<(Cow<'a, str>, Loose<'a>)>);

impl<'de: 'a, 'a> Deserialize<'de> for Pairs<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any<'a>(PhantomData<&'a ()>);
        impl<'de: 'a, 'a> Visitor<'de> for Any<'a> {
            type Value = Pairs<'a>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs<'a>, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry::<Cow<'de, str>, Loose<'de>>()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
            fn visit_unit<E>(self) -> Result<Pairs<'a>, E> {
                Ok(Pairs::default())
            }
            fn visit_str<E>(self, _: &str) -> Result<Pairs<'a>, E> {
                Ok(Pairs::default())
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Pairs<'a>, A::Error> {
                while list.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Pairs::default())
            }
        }
        deserializer.deserialize_any(Any(PhantomData))
    }
}
