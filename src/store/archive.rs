//! Parts of a trail whose content was moved to a file (R160).

use std::path::PathBuf;

use crate::base::{Instant, Version};

/// A part of a customer's trail whose content lies in a file: what was done, when, by whom and every hash stay in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArchiveRow {
    /// The version before its first commit.
    pub after: Version,
    /// Its last commit.
    pub until: Version,
    /// The file; without it questions about that time cannot be answered, nor the books proved from their beginning.
    pub file: PathBuf,
    /// Its size in bytes.
    pub bytes: u64,
    /// When it was made.
    pub at: Instant,
}
