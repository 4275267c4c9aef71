//! Records of an answer as cells of the columns that are wanted, and nothing else of them: what no column asks for is
//! dropped at the parse, so that it lies neither on the shelf nor in memory.
//!
//! Columns name values inside a record by their path: `name.givenName`. Lists of values are told by one cell, see
//! [`Lists`].

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::source::hr::mapping::HrColumns;

/// SCIM's enterprise attributes go by this short name.
const ENTERPRISE: (&str, &str) = ("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User", "enterprise");

/// How lists inside a record are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lists {
    /// As in SCIM: of values with a type the primary one, else that of type `work`, else the first; those of one type as
    /// `emails.work`. Of groups, roles and entitlements all, joined by `; `.
    Scim,
    /// All of them, joined by `; `.
    Joined,
}

/// Where records are in an answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape<'a> {
    /// The key of the list.
    pub(crate) list: &'a str,
    /// The path of the record's own id, which tells records apart.
    pub(crate) id: &'a str,
    pub(crate) lists: Lists,
}

/// Rows of cells: all texts behind one another.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Rows {
    text: String,
    /// Where each cell ends.
    ends: Vec<u32>,
    /// The hash of each record's id; `None` for one without.
    pub(crate) ids: Vec<Option<u64>>,
    /// By column: some record had it, if only as nothing.
    pub(crate) seen: Vec<bool>,
    /// Which rows are none: they have no cells worth reading. Rising.
    broken: Vec<u32>,
}

impl Rows {
    /// No rows, for so many columns.
    pub(crate) fn new(width: usize) -> Self {
        Self { seen: vec![false; width], ..Self::default() }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> u64 {
        self.ids.len() as u64
    }

    /// Adds a row.
    pub(crate) fn push<'c>(&mut self, id: &str, cells: impl Iterator<Item = &'c str>) {
        for cell in cells {
            self.text.push_str(cell.trim());
            // An answer has less than 4 GiB.
            self.ends.push(u32::try_from(self.text.len()).unwrap_or(u32::MAX));
        }
        let id = id.trim();
        self.ids.push((!id.is_empty()).then(|| xxhash_rust::xxh3::xxh3_64(id.as_bytes())));
    }

    /// Adds a row that is none.
    pub(crate) fn push_broken(&mut self) {
        self.broken.push(u32::try_from(self.ids.len()).unwrap_or(u32::MAX));
        self.push("", self.seen.clone().iter().map(|_| ""));
    }

    /// Hands on each row, in order; `None` for one that is none.
    pub(crate) fn each(&self, mut row: impl FnMut(Option<&[&str]>)) {
        let (width, mut start) = (self.seen.len(), 0);
        let mut cells = Vec::with_capacity(width);
        for (number, ends) in (0u32..).zip(self.ends.chunks(width.max(1))) {
            cells.clear();
            for &end in ends {
                let end = end as usize;
                cells.push(self.text.get(start..end).unwrap_or_default());
                start = end;
            }
            row(self.broken.binary_search(&number).is_err().then_some(&cells));
        }
    }
}

/// What an answer holds beside its records.
pub(crate) type Beside = serde_json::Map<String, Value>;

/// Reads an answer: its records into `rows`, the rest of it as it is. `None`: there is no list.
///
/// # Errors
/// When the text is not JSON to its end, or a record is none.
pub(crate) fn read_answer(
    text: &str,
    shape: Shape<'_>,
    columns: &HrColumns,
    rows: &mut Rows,
) -> Result<Option<Beside>, serde_json::Error> {
    let mut beside = Beside::new();
    let width = columns.names().len();
    let (cells, seen) = (vec![String::new(); width], vec![false; width]);
    let mut desk = Desk { shape, columns, cells, seen, path: String::new(), id: String::new() };
    let mut json = serde_json::Deserializer::from_str(text);
    let found = Answer { desk: &mut desk, rows: &mut *rows, beside: &mut beside }.deserialize(&mut json)?;
    json.end()?;
    rows.seen.iter_mut().zip(desk.seen).for_each(|(known, seen)| *known |= seen);
    Ok(found.then_some(beside))
}

/// The record that is being read.
struct Desk<'a> {
    shape: Shape<'a>,
    columns: &'a HrColumns,
    cells: Vec<String>,
    seen: Vec<bool>,
    /// Where in the record.
    path: String,
    id: String,
}

impl Desk<'_> {
    /// A value at the path that was reached.
    fn put(&mut self, value: &str) {
        if self.path.eq_ignore_ascii_case(self.shape.id) {
            value.clone_into(&mut self.id);
        }
        let Some(slot) = self.columns.slot(&self.path) else { return };
        self.seen[slot] = true;
        let cell = &mut self.cells[slot];
        if !cell.is_empty() && !value.is_empty() {
            cell.push_str("; ");
        }
        cell.push_str(value);
    }

    /// A value at the path with one more step.
    fn put_below(&mut self, step: &str, value: &str) {
        let length = self.enter(step);
        if self.columns.slot(&self.path).is_some_and(|slot| self.cells[slot].is_empty()) {
            self.put(value);
        }
        self.path.truncate(length);
    }

    /// One step down; returns how long the path was.
    fn enter(&mut self, step: &str) -> usize {
        let length = self.path.len();
        if length > 0 {
            self.path.push('.');
        }
        self.path.push_str(if step == ENTERPRISE.0 { ENTERPRISE.1 } else { step });
        length
    }

    /// A list of SCIM.
    fn put_list(&mut self, items: &[Value]) {
        let value = |item: &Value, key: &str| match item {
            Value::Object(fields) => text_of(fields.get(key)?),
            other => text_of(other).filter(|_| key == "value"),
        };
        let is_set = ["groups", "roles", "entitlements"].iter().any(|name| self.path.eq_ignore_ascii_case(name));
        if is_set {
            for item in items {
                let told = value(item, "display").or_else(|| value(item, "value"));
                self.put(&told.unwrap_or_default());
            }
            return;
        }
        let is_primary = |item: &&Value| value(item, "primary").is_some_and(|flag| flag.eq_ignore_ascii_case("true"));
        let is_work = |item: &&Value| value(item, "type").is_some_and(|kind| kind.eq_ignore_ascii_case("work"));
        let best = items.iter().find(is_primary).or_else(|| items.iter().find(is_work)).or_else(|| items.first());
        self.put(&best.and_then(|item| value(item, "value")).unwrap_or_default());
        for item in items {
            if let (Some(kind), Some(value)) = (value(item, "type"), value(item, "value")) {
                self.put_below(&kind, &value);
            }
        }
    }
}

fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

struct Answer<'a, 'd> {
    desk: &'a mut Desk<'d>,
    rows: &'a mut Rows,
    beside: &'a mut Beside,
}

impl<'de> DeserializeSeed<'de> for Answer<'_, '_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Answer<'_, '_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<bool, A::Error> {
        let mut found = false;
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            // Names are case-insensitive in SCIM, and no other system has two that differ in case only.
            if key.eq_ignore_ascii_case(self.desk.shape.list) {
                found |= map.next_value_seed(List { desk: &mut *self.desk, rows: &mut *self.rows })?;
            } else {
                self.beside.insert(key.into_owned(), map.next_value()?);
            }
        }
        Ok(found)
    }
}

struct List<'a, 'd> {
    desk: &'a mut Desk<'d>,
    rows: &'a mut Rows,
}

impl<'de> DeserializeSeed<'de> for List<'_, '_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for List<'_, '_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of records")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<bool, A::Error> {
        loop {
            self.desk.cells.iter_mut().for_each(String::clear);
            self.desk.path.clear();
            self.desk.id.clear();
            if list.next_element_seed(Record(&mut *self.desk))?.is_none() {
                return Ok(true);
            }
            self.rows.push(&self.desk.id, self.desk.cells.iter().map(String::as_str));
        }
    }

    fn visit_unit<E>(self) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<bool, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(false)
    }
}

/// A record, or an object inside one.
struct Record<'a, 'd>(&'a mut Desk<'d>);

impl<'de> DeserializeSeed<'de> for Record<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Record<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a record")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            let length = self.0.enter(&key);
            map.next_value_seed(Inside(&mut *self.0))?;
            self.0.path.truncate(length);
        }
        Ok(())
    }
}

/// A value inside a record.
struct Inside<'a, 'd>(&'a mut Desk<'d>);

impl<'de> DeserializeSeed<'de> for Inside<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Inside<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        self.0.put(text);
        Ok(())
    }

    fn visit_bool<E>(self, flag: bool) -> Result<(), E> {
        self.0.put(if flag { "true" } else { "false" });
        Ok(())
    }

    fn visit_i64<E>(self, number: i64) -> Result<(), E> {
        self.0.put(&number.to_string());
        Ok(())
    }

    fn visit_u64<E>(self, number: u64) -> Result<(), E> {
        self.0.put(&number.to_string());
        Ok(())
    }

    fn visit_f64<E>(self, number: f64) -> Result<(), E> {
        self.0.put(&number.to_string());
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.0.put("");
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        Record(self.0).visit_map(map)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        if self.0.shape.lists == Lists::Joined {
            while list.next_element_seed(Inside(&mut *self.0))?.is_some() {}
            return Ok(());
        }
        // Only lists that some column asks for are kept as they are, and not for longer than this.
        let mut items: Vec<Value> = Vec::new();
        if self.0.columns.has_within(&self.0.path) {
            while let Some(item) = list.next_element()? {
                items.push(item);
            }
        } else {
            while list.next_element::<IgnoredAny>()?.is_some() {}
        }
        self.0.put_list(&items);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
