//! Where a table is. A path of it is only put together when somebody wants to know.

use crate::settings::tree::{Node, Table};

/// A table's place in the table above.
#[derive(Clone, Copy, Default)]
pub struct Place<'a> {
    /// Not so at the top.
    above: Option<&'a Place<'a>>,
    key: &'static str,
    /// Of a list of tables, this one.
    item: Option<Item<'a>>,
    /// It has the keys that the table above has.
    is_like_above: bool,
}

/// A table of a list goes by its id, one without an id by its number.
#[derive(Clone, Copy)]
enum Item<'a> {
    Id(&'a str),
    Number(usize),
}

impl Place<'_> {
    /// Of a table under a key of this one.
    pub fn below(&self, key: &'static str) -> Place<'_> {
        Place { above: Some(self), key, item: None, is_like_above: false }
    }

    /// The same of a table that has the keys of this one.
    pub fn like_this(&self, key: &'static str) -> Place<'_> {
        Place { is_like_above: true, ..self.below(key) }
    }

    /// Of a table in the list that is here; the first has the number 0.
    pub fn item<'a>(&'a self, table: &'a Table<'_>, ix: usize) -> Place<'a> {
        let item = match table.get("id") {
            Some(Node::Text(id)) if !id.is_empty() => Item::Id(id),
            _ => Item::Number(ix + 1),
        };
        Place { item: Some(item), ..*self }
    }

    /// The path of a key, for messages; the table's own without a key.
    pub fn at(&self, key: &str) -> String {
        // Most are shorter.
        let mut path = String::with_capacity(48);
        self.write_at(&mut path);
        push(&mut path, key);
        path
    }

    fn write_at(&self, path: &mut String) {
        if let Some(above) = self.above {
            above.write_at(path);
        }
        push(path, self.key);
        match self.item {
            Some(Item::Id(id)) => push(path, id),
            Some(Item::Number(number)) => push(path, &format!("#{number}")),
            None => {}
        }
    }

    /// The path for the list of known keys: there tables of a list have no names.
    pub fn known(&self) -> String {
        let mut path = self.above.map(Place::known).unwrap_or_default();
        if !self.is_like_above {
            push(&mut path, self.key);
        }
        path
    }
}

fn push(path: &mut String, word: &str) {
    if !path.is_empty() && !word.is_empty() {
        path.push('.');
    }
    path.push_str(word);
}

/// A key below a path; the path itself without a key.
pub fn join(path: &str, key: &str) -> String {
    let mut joined = path.to_owned();
    push(&mut joined, key);
    joined
}
