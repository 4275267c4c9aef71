//! What a package says of people of whom it does not say what the one before said.

use std::collections::HashSet;

use crate::roster::intern::text_hash;
use crate::roster::rows::Collection;
use crate::roster::trace::Prints;

/// What is new in a package.
#[derive(Debug, Default)]
pub struct News {
    /// What all its rows say.
    pub prints: Prints,
    /// For each group of people whether its rows say something else than before.
    pub changed: Vec<bool>,
    /// How many rows of each of [`TRACED`](crate::roster::TRACED) tell of those.
    pub rows: [usize; 3],
    /// The classes that they name.
    pub classes: HashSet<ClassHash>,
    /// Collections of which the package has no file.
    pub unbegun: Vec<Collection>,
}

/// The hash of a class's id: enough to leave out most of those that are not meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ClassHash(u64);

impl ClassHash {
    /// That of an id.
    pub fn of(id: &str) -> Self {
        Self(text_hash(id))
    }
}
