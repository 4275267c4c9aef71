//! A pull for support: what a source says is kept in a folder, redacted. Neither books nor store are touched.

use std::io;
use std::path::Path;
use std::sync::Arc;

use crate::base::{CustomerId, ErrorChain};
use crate::clock::Clock;
use crate::roster::{Collection, RosterIntake};
use crate::source::{
    MemoryPages, Network, Outcome, Pace, PageStore, Redaction, RosterSource, SavedPull, Seen, SourceError, SourceSettings,
    open_source,
};

/// Pages of one pull at most, packed, in bytes.
const PAGES_BYTES_MAX: u64 = 2 << 30;

/// What is to be pulled, and where to.
#[derive(Clone, Copy, Debug)]
pub struct PullAsked<'a> {
    /// Whose source.
    pub customer: &'a CustomerId,
    /// Which one.
    pub source: &'a SourceSettings,
    /// A folder that is not there yet.
    pub folder: &'a Path,
    /// Fields whose names contain one of these words are redacted, besides the standard ones.
    pub redact: &'a [String],
}

/// Pulls the newest package of a source and keeps what came. Returns how many entries the index has, and how it went; a
/// source that cannot be read is an outcome, and what came until then is kept.
///
/// # Errors
/// When the folder cannot be written.
pub fn save_pull(asked: PullAsked<'_>, clock: Arc<dyn Clock>) -> io::Result<(usize, Outcome)> {
    let PullAsked { customer, source: settings, folder, redact } = asked;
    let now = clock.now();
    let saved = Arc::new(SavedPull::new(folder, Redaction::with(redact))?);
    let network = Network::recorded(Pace::machine(move || clock.now()), saved.clone());
    network.insist();
    let pages: Arc<dyn PageStore> = Arc::new(MemoryPages { bytes_max: PAGES_BYTES_MAX });
    let work = folder.join(".work");
    let source = open_source(settings.clone().aside(&work), &network, &pages);
    let mut outcome = Outcome::default();
    let pulled = pull(&*source, settings, &saved, &mut outcome, now);
    outcome.error = pulled.err().map(|error| ErrorChain(&error).to_string());
    source.done();
    drop(source);
    if work.exists() {
        std::fs::remove_dir_all(&work)?;
    }
    let entries = saved.finish(customer.as_str(), settings.id().as_str(), now, &outcome)?;
    Ok((entries, outcome))
}

fn pull(
    source: &dyn RosterSource,
    settings: &SourceSettings,
    saved: &SavedPull,
    outcome: &mut Outcome,
    now: crate::base::Instant,
) -> Result<(), SourceError> {
    let Some(package) = source.pending(&Seen { now: Some(now), ..Seen::default() })?.pop() else { return Ok(()) };
    outcome.package = Some(package.name.clone());
    if let Some(file) = source.file(&package) {
        saved.file(&file, settings.dialect(), now);
    }
    let mut intake = RosterIntake::new(None, settings.intake());
    let done = source.pull(&package, &mut intake);
    let intake = intake.finish();
    for collection in Collection::ALL {
        let rows = intake.counts.of(collection).rows;
        if rows > 0 {
            outcome.rows.insert(collection.word().to_owned(), rows);
        }
    }
    outcome.findings = intake.findings.counts.iter().map(|(rule, count)| ((*rule).to_owned(), *count)).collect();
    if let Err(SourceError::Rejected { findings, .. }) = &done {
        for finding in findings {
            *outcome.findings.entry(finding.rule.to_owned()).or_default() += 1;
        }
    }
    done.map(drop)
}
