//! What may be said with a question: values of its query, and what is sent along.

use schemars::{Schema, SchemaGenerator};

/// How the shape of a JSON value is had from its type.
pub type SchemaOf = fn(&mut SchemaGenerator) -> Schema;

/// What a value of a query may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A text that is not empty.
    Text,
    /// A whole number within limits.
    Number(u64, u64),
    /// `true` or `false`.
    Flag,
    /// A date such as 2026-03-01.
    Date,
    /// An instant such as 2026-03-01T02:30:00Z, or a date for its midnight in UTC.
    Instant,
    /// One of these words.
    Word(&'static [&'static str]),
}

/// Something that may be said in the query of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ask {
    /// Its name.
    pub name: &'static str,
    /// What it may be.
    pub kind: Kind,
    /// What it means.
    pub about: &'static str,
}

impl Ask {
    /// Something that may be said.
    pub const fn new(name: &'static str, kind: Kind, about: &'static str) -> Self {
        Self { name, kind, about }
    }
}

/// What was so at an instant.
pub const AS_OF: Ask = Ask::new(
    "as_of",
    Kind::Instant,
    "Answer as of this instant, or of this date's midnight in UTC; of one that has passed, what was said then.",
);

/// What is so on another date, of the people and seats of now.
pub const TODAY: Ask =
    Ask::new(AS_OF.name, Kind::Instant, "Take the local date of this instant for today; people and seats are those of now.");

/// What is sent along.
#[derive(Clone, Copy)]
pub enum Input {
    /// Nothing.
    Nothing,
    /// JSON; where all of it may be left out, so may the body.
    Json(SchemaOf),
    /// A CSV file of at most so many bytes.
    Csv(usize),
}
