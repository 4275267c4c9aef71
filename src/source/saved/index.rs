//! The index of a folder: what is in it, where it came from, and what is not in it.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use serde::Serialize;

use crate::source::saved::redaction::Counts;

/// One request or file.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Entry {
    /// Its file in this folder; `null` if nothing is kept.
    pub(crate) file: Option<String>,
    /// `GET`, `POST`, `SFTP`, `FILE`.
    pub(crate) method: String,
    /// The path on the upstream, or on this machine.
    pub(crate) path: String,
    /// Parameters of the query; values that may be secret are redacted.
    pub(crate) query: BTreeMap<String, String>,
    pub(crate) status: Option<u16>,
    /// Headers of the answer that matter.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) began: String,
    pub(crate) millis: i64,
    /// As received.
    pub(crate) bytes: Option<u64>,
    /// Of what was received, before anything was redacted.
    pub(crate) sha256: Option<String>,
    /// How many values of each field were redacted.
    pub(crate) redacted: Counts,
    /// Why nothing, or not all of it, is kept.
    pub(crate) withheld: Option<String>,
    pub(crate) error: Option<String>,
}

/// How a pull ended.
#[derive(Debug, Default, Serialize)]
pub struct Outcome {
    /// What was pulled; `null` if there was nothing.
    pub package: Option<String>,
    /// Why it failed.
    pub error: Option<String>,
    /// Rows seen, by collection.
    pub rows: BTreeMap<String, u64>,
    /// Findings, by rule.
    pub findings: BTreeMap<String, u64>,
}

/// The whole index.
#[derive(Serialize)]
pub(crate) struct Index<'i> {
    pub(crate) program: &'static str,
    pub(crate) customer: &'i str,
    pub(crate) source: &'i str,
    pub(crate) at: String,
    pub(crate) outcome: &'i Outcome,
    /// How many values of each field were redacted, in all files.
    pub(crate) redacted: Counts,
    /// What is never kept, for whoever looks for it.
    pub(crate) never_kept: [&'static str; 3],
    pub(crate) entries: &'i [Entry],
}

/// A new file that nobody else may read.
pub(crate) fn private_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().create_new(true).write(true).mode(0o600).open(path)
}
