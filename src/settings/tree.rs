//! A settings tree as it was read, before anything is known of what it means.

use std::borrow::Cow;
use std::collections::BTreeMap;

/// One value of the tree.
#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    /// A text of a file.
    Text(String),
    /// A text of the environment: it becomes whatever its key wants.
    Env(String),
    /// A whole number.
    Number(i64),
    /// `true` or `false`.
    Flag(bool),
    /// A number that is not whole, as written.
    Fraction(String),
    /// A list.
    List(Vec<Node>),
    /// A table, by key.
    Table(BTreeMap<String, Node>),
}

/// Longer values are cut in messages.
const SHOWN_CHARS_MAX: usize = 40;

impl Node {
    /// The value as a person would write it, cut if long, and without a password in an address; `None` for tables.
    pub fn shown(&self) -> Option<String> {
        let whole = match self {
            Node::Text(text) => format!("{:?}", nameless(text)),
            Node::Env(text) => nameless(text).into_owned(),
            Node::Number(number) => number.to_string(),
            Node::Flag(flag) => flag.to_string(),
            Node::Fraction(text) => text.clone(),
            Node::List(items) => {
                let items: Vec<String> = items.iter().map(|item| item.shown().unwrap_or_else(|| "{…}".into())).collect();
                format!("[{}]", items.join(", "))
            }
            Node::Table(_) => return None,
        };
        if whole.chars().count() <= SHOWN_CHARS_MAX {
            return Some(whole);
        }
        Some(whole.chars().take(SHOWN_CHARS_MAX).chain(['…']).collect())
    }

    /// Whether it, or anything below it, comes from the environment.
    pub fn has_env(&self) -> bool {
        match self {
            Node::Env(_) => true,
            Node::Text(_) | Node::Number(_) | Node::Flag(_) | Node::Fraction(_) => false,
            Node::List(items) => items.iter().any(Node::has_env),
            Node::Table(table) => table.values().any(Node::has_env),
        }
    }
}

/// An address without the user and password that may stand in front of its host.
fn nameless(text: &str) -> Cow<'_, str> {
    match text.split_once("://").and_then(|(scheme, rest)| Some((scheme, rest.rsplit_once('@')?.1))) {
        Some((scheme, host)) => Cow::Owned(format!("{scheme}://…@{host}")),
        None => Cow::Borrowed(text),
    }
}
