//! Which of the listed files is to be fetched.

use std::collections::BTreeMap;

use crate::source::api::{Seen, SourceError};
use crate::source::csv::{has_ending, is_ignored};
use crate::source::fetch::settings::{FetchSettings, SftpSettings};
use crate::source::fetch::sftp::Listed;
use crate::source::http::Network;

/// So much of a file is looked at for `rosterd check`, in bytes.
pub(crate) const HEAD_BYTES: u64 = 64 << 10;

/// Files by name.
pub(crate) struct Listing(BTreeMap<String, Listed>);

/// A file that may be fetched.
#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    /// The name under which it sorts by age, and under which it is kept.
    pub(crate) sorts: String,
    pub(crate) file: Listed,
}

impl Listing {
    pub(crate) fn new(files: Vec<Listed>) -> Self {
        Self(files.into_iter().map(|file| (file.name.clone(), file)).collect())
    }

    /// What lies beside a file under its name with an ending added or exchanged.
    pub(crate) fn companion(&self, name: &str, ending: &str) -> Option<&Listed> {
        companion_names(name, ending).iter().find_map(|name| self.0.get(name))
    }
}

/// What a file beside another one may be called: the same with an ending added, or exchanged.
pub(crate) fn companion_names(name: &str, ending: &str) -> Vec<String> {
    let exchanged = name.rsplit_once('.').map(|(stem, _)| format!("{stem}.{ending}"));
    [Some(format!("{name}.{ending}")), exchanged].into_iter().flatten().collect()
}

/// The files that are newer than what was seen, oldest first.
///
/// # Errors
/// When whoever writes them has stopped.
pub(crate) fn choose(
    settings: &FetchSettings,
    sftp: &SftpSettings,
    listing: &Listing,
    seen: &Seen,
    network: &Network,
) -> Result<Vec<Candidate>, SourceError> {
    let mut found: Vec<Candidate> = match &settings.pattern {
        // Companions lie beside it under other names.
        None => {
            let is_it = |file: &&Listed| sftp.at.path.rsplit('/').next() == Some(file.name.as_str());
            let it = listing.0.values().find(is_it);
            it.map(|file| Candidate { sorts: settings.file_name(), file: file.clone() }).into_iter().collect()
        }
        Some(pattern) => {
            let fits = |file: &Listed| Some(Candidate { sorts: pattern.sorts(&file.name)?, file: file.clone() });
            listing
                .0
                .values()
                .filter(|file| is_plain(&file.name) && !is_beside(settings, &file.name))
                .filter_map(fits)
                .collect()
        }
    };
    found.sort_by(|a, b| a.sorts.cmp(&b.sorts));
    let now = network.pace().now().0 / 1000;
    if let (Some(newest), Some(hours_max)) = (found.last(), settings.age_hours_max) {
        let hours = now.saturating_sub(newest.file.modified) / 3600;
        if hours > i64::from(hours_max) {
            let why = format!("its newest file {} is {hours} h old, more than max_age_hours = {hours_max}", newest.file.name);
            return Err(SourceError::Unusable { upstream: sftp.at.shown(), why });
        }
    }
    if settings.pattern.is_some() {
        found.retain(|candidate| seen.newest.as_ref().is_none_or(|newest| candidate.sorts > *newest));
        if settings.newest_only {
            found.drain(..found.len().saturating_sub(1));
        }
    }
    Ok(found)
}

/// Whether a file is on its way, or goes with another one: it is none of its own, whatever the pattern says.
fn is_beside(settings: &FetchSettings, name: &str) -> bool {
    is_ignored(name) || settings.companions.iter().any(|ending| has_ending(name, &format!(".{ending}")))
}

/// Whether a name can be one of a file here: the server chose it.
fn is_plain(name: &str) -> bool {
    !name.starts_with('.') && name.len() <= 200 && !name.contains(['/', '\\']) && !name.chars().any(char::is_control)
}
