//! The shape of `[audit]`.

use std::path::PathBuf;

use crate::service::Archiving;
use crate::settings::read::Section;

/// How long the trail stays whole in the store.
#[derive(Clone, Debug, Default)]
pub struct AuditShape {
    /// `keep_days`.
    pub keep_days: Option<u32>,
    /// `archive_folder`.
    pub folder: Option<PathBuf>,
}

/// Reads the section.
pub fn audit(s: &Section<'_>) -> AuditShape {
    let shape =
        s.section("audit", |s| AuditShape { keep_days: s.count("keep_days", 31..=36_500), folder: s.path("archive_folder") });
    shape.unwrap_or_default()
}

/// Where old content of trails goes; `None`: it stays.
pub fn build(shape: &AuditShape) -> Option<Archiving> {
    Some(Archiving { folder: shape.folder.clone()?, keep_days: shape.keep_days? })
}
