//! A settings tree as it was read, before anything is known of what it means.

use std::borrow::Cow;

/// One value of the tree. What it says is borrowed from the text of the file where that has it as it is.
#[derive(Clone, Debug, PartialEq)]
pub enum Node<'t> {
    /// A text of a file.
    Text(Cow<'t, str>),
    /// A text of the environment: it becomes whatever its key wants.
    Env(String),
    /// A whole number.
    Number(i64),
    /// `true` or `false`.
    Flag(bool),
    /// A number that is not whole, as written.
    Fraction(String),
    /// A list.
    List(Vec<Node<'t>>),
    /// A table, by key.
    Table(Table<'t>),
}

/// The entries of a table, each under a key of its own. Tables of settings are short: a look at each key finds one sooner than
/// any order of them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table<'t> {
    entries: Vec<(Cow<'t, str>, Node<'t>)>,
    is_whole: bool,
}

/// Longer values are cut in messages.
const SHOWN_CHARS_MAX: usize = 40;

impl<'t> Table<'t> {
    /// One that is written in one piece, `{ key = value }`: no header adds to it.
    pub fn in_one_piece() -> Self {
        Self { is_whole: true, ..Self::default() }
    }

    /// Whether it is written in one piece.
    pub fn is_whole(&self) -> bool {
        self.is_whole
    }

    /// A value.
    pub fn get(&self, key: &str) -> Option<&Node<'t>> {
        self.entries.iter().find(|(own, _)| own == key).map(|(_, node)| node)
    }

    /// A value, to be added to.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Node<'t>> {
        self.entries.iter_mut().find(|(own, _)| own == key).map(|(_, node)| node)
    }

    /// The value of a key that is put together of two parts.
    pub fn get_joined(&self, key: &str, ending: &str) -> Option<&Node<'t>> {
        let is_it = |own: &str| own.len() == key.len() + ending.len() && own.starts_with(key) && own.ends_with(ending);
        self.entries.iter().find(|(own, _)| is_it(own)).map(|(_, node)| node)
    }

    /// Adds an entry, and gives it back. Its key is not there yet.
    pub fn push(&mut self, key: Cow<'t, str>, node: Node<'t>) -> &mut Node<'t> {
        &mut self.entries.push_mut((key, node)).1
    }

    /// The entries.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Node<'t>)> {
        self.entries.iter().map(|(key, node)| (key.as_ref(), node))
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }
}

/// Of entries in any order, each with a key of its own; they stand in the order of their keys.
impl<'t> FromIterator<(String, Node<'t>)> for Table<'t> {
    fn from_iter<I: IntoIterator<Item = (String, Node<'t>)>>(entries: I) -> Self {
        let mut entries: Vec<(Cow<'t, str>, _)> = entries.into_iter().map(|(key, node)| (Cow::Owned(key), node)).collect();
        entries.sort_by(|(one, _), (other, _)| one.cmp(other));
        Self { entries, is_whole: false }
    }
}

impl Node<'_> {
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

    /// The text, of a file or of the environment.
    pub fn text(&self) -> Option<&str> {
        match self {
            Node::Text(text) => Some(text),
            Node::Env(text) => Some(text),
            Node::Number(_) | Node::Flag(_) | Node::Fraction(_) | Node::List(_) | Node::Table(_) => None,
        }
    }

    /// Whether it, or anything below it, comes from the environment.
    pub fn has_env(&self) -> bool {
        match self {
            Node::Env(_) => true,
            Node::Text(_) | Node::Number(_) | Node::Flag(_) | Node::Fraction(_) => false,
            Node::List(items) => items.iter().any(Node::has_env),
            Node::Table(table) => table.iter().any(|(_, node)| node.has_env()),
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
