//! OneRoster CSV packages, 1.1 and 1.2: a zip or a folder of files, read as a stream into the intake.
//!
//! A package is trusted as a whole or not at all. Everything that can be known before the first row is checked first
//! (entries, manifest, headers), all faults of that kind are told at once, and only then do rows flow. A broken row is
//! quarantined; a broken file or package rejects everything, because a missing or cut `users.csv` must never read as
//! "everyone is gone". Invariant: passwords, phone numbers and demographics are never handed on and never told.
//!
//! A way it fails: whether a `bulk` file holds changes after all is known only at its first row with a status. The
//! intake is then told to switch; it must not have concluded any absence before the collection ended.

mod ahead;
mod block;
mod cells;
mod digest;
mod fault;
mod feed;
mod feeder;
mod files;
mod ground;
mod header;
mod lane;
mod manifest;
mod package;
mod parse;
mod pieces;
mod places;
mod pull;
mod reread;
mod says;
mod scan;
mod settings;
mod settle;
mod sink;
mod source;
mod value;

#[cfg(test)]
mod tests;

pub(crate) use package::{has_ending, is_ignored};
pub(crate) use settle::{Look, Sightings};

pub use files::CsvVersion;
pub use settings::{BulkWithStatus, CsvBounds, CsvSourceSettings, DropKind};
pub use source::CsvSource;
