//! What a pull received, kept in a folder for support: every page and file, without what is secret or too personal.
//!
//! Invariant: what cannot be read well enough to be redacted is not kept at all. Requests' own headers and the answers of
//! token services are never kept.

mod cells;
mod index;
mod json;
mod package;
mod redaction;
mod saver;

pub use index::Outcome;
pub use redaction::Redaction;
pub use saver::SavedPull;
