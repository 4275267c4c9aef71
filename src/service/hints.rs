//! What may be behind it when people are missing: each vendor has ways of its own to lose many at once.

use crate::base::SourceId;
use crate::plan::{AbsenceChange, Plan};
use crate::service::core::{Customer, Feed};

/// The hints of sources that were read and of which somebody is missing, or that a guard holds, in the words of a run's
/// message.
pub(crate) fn hints(customer: &Customer, reads: impl Fn(&SourceId) -> bool, plan: &Plan, held: bool) -> Vec<String> {
    let is_missing = |source: &SourceId| {
        plan.absences
            .iter()
            .any(|change| matches!(change, AbsenceChange::Absent(absence) if absence.source == *source && !absence.ended))
    };
    let read = customer.sources.iter().filter(|feed| reads(feed.source.id()) && (held || is_missing(feed.source.id())));
    read.filter_map(hint).collect()
}

/// The hint of a source, with its name.
pub(crate) fn hint(feed: &Feed) -> Option<String> {
    Some(format!("source {}: {}", feed.source.id(), feed.source.hint()?))
}
