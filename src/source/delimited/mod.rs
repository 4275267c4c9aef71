//! Delimited files of people (hr-sources §5): separators, quotes and encodings as the settings name them, rows to the HR
//! record by the settings' columns.
//!
//! A file is trusted as a whole or not at all: it is read to its end once before anything of it is used, and what is cut,
//! miscounted or of another encoding is refused with file, row, field and rule. A broken row is quarantined, and its person
//! keeps everything.

mod decode;
mod header;
mod rows;
mod settings;
mod source;
mod walk;

#[cfg(test)]
mod tests;

pub(crate) use decode::{Text, TextFault};
pub(crate) use source::DelimitedSource;

pub use decode::Encoding;
pub use settings::{DelimitedSettings, Dialect, FeedKind, RowBounds};
