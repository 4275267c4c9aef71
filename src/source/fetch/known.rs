//! What was fetched before: by which marks its bytes are known again without fetching them.
//!
//! A hint: losing it costs fetching once more. Holds names, lengths, times, entity tags and digests; nothing of a content.

use std::fs;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::base::{Digest, Digester};
use crate::source::fetch::settings::{FetchSettings, Place};

/// So many are remembered.
const FILES_MAX: usize = 100;

/// Marks of one file, and what its bytes are called.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Marks {
    /// Its name there.
    pub(crate) name: String,
    /// Its length, where a server lists it.
    pub(crate) length: u64,
    /// When it was changed, where a server lists it.
    pub(crate) modified: i64,
    /// `ETag`.
    pub(crate) tag: Option<String>,
    /// `Last-Modified`.
    pub(crate) since: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Entry {
    marks: Marks,
    digest: [u8; 32],
}

/// What was fetched before from one place.
pub(crate) struct Known {
    file: PathBuf,
}

impl Known {
    pub(crate) fn of(settings: &FetchSettings) -> Self {
        let mut digester = Digester::new("files known");
        digester.field(settings.pull.as_bytes());
        match &settings.place {
            Place::Https { address, .. } => digester.field(address.as_bytes()),
            Place::Sftp(sftp) => {
                digester.field(sftp.at.shown().as_bytes()).field(sftp.user.expose().unwrap_or_default().as_bytes())
            }
        };
        Self { file: settings.work.join(format!("{}.known", digester.finish().short())) }
    }

    /// The digest of the file with these marks.
    pub(crate) fn digest(&self, marks: &Marks) -> Option<Digest> {
        self.read().into_iter().find(|entry| entry.marks == *marks).map(|entry| Digest(entry.digest))
    }

    /// The newest marks of a name, with the digest.
    pub(crate) fn newest(&self, name: &str) -> Option<(Marks, Digest)> {
        self.read().into_iter().rfind(|entry| entry.marks.name == name).map(|entry| (entry.marks, Digest(entry.digest)))
    }

    /// Remembers a file.
    pub(crate) fn remember(&self, marks: Marks, digest: Digest) {
        let mut entries = self.read();
        entries.retain(|entry| entry.marks.name != marks.name);
        entries.push(Entry { marks, digest: digest.0 });
        entries.drain(..entries.len().saturating_sub(FILES_MAX));
        let aside = self.file.with_extension(format!("{}.tmp", std::process::id()));
        // A hint: see above.
        if let Ok(text) = serde_json::to_vec(&entries)
            && fs::write(&aside, text).and_then(|()| fs::rename(&aside, &self.file)).is_err()
        {
            let _ = fs::remove_file(&aside);
        }
    }

    fn read(&self) -> Vec<Entry> {
        fs::read(&self.file).ok().and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default()
    }
}
