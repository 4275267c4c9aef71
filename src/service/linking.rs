//! One person from several sources is one person (R4 to R8): what a source tells is put under the keys of the books before
//! it is kept, and told back under its own keys when the next read builds on it.

use crate::base::SourceId;
use crate::plan::Standing;
use crate::roster::{
    Collection, Finding, Findings, IntakeCounts, Level, LinkConflict, Linked, Roster, is_linked, link, unlink,
};
use crate::service::core::{Customer, MANUAL_SOURCE, Service};
use crate::service::error::ServiceError;

/// Conflicts that are told with the keys of both, for the queue and the trail.
pub(crate) type Pairs = Vec<(String, String)>;

/// A stored roster as its source told it.
pub(crate) fn own_keys(customer: &Customer, stored: Roster) -> Result<Roster, ServiceError> {
    let own = unlink(&stored).map_err(|full| ServiceError::snapshot(customer.id(), &full))?;
    Ok(own.unwrap_or(stored))
}

/// The findings and counts that a pull comes to, to be added to.
pub(crate) struct Told<'a> {
    pub(crate) findings: &'a mut Findings,
    pub(crate) counts: &'a mut IntakeCounts,
}

impl Service {
    /// What was read of a source, under the keys of the books. `stored` is what was taken in of it before, `read_already` are
    /// the rosters of sources that this run has read. Whoever cannot be told is left out and listed.
    pub(crate) fn linked(
        &self,
        customer: &Customer,
        (source, stored): (&SourceId, Option<&Roster>),
        (standing, read_already): (&Standing, &[(&SourceId, &Roster)]),
        read: Roster,
        told: Told<'_>,
    ) -> Result<(Roster, Pairs), ServiceError> {
        if customer.same_person.is_empty() && !stored.is_some_and(is_linked) {
            return Ok((read, Vec::new()));
        }
        let mut kept = Vec::new();
        let everywhere = customer.sources.iter().map(|feed| feed.source.id().clone()).chain([SourceId::from(MANUAL_SOURCE)]);
        for other in everywhere.filter(|other| other != source) {
            if read_already.iter().all(|(pulled, _)| **pulled != other)
                && let Some(mark) = standing.sources.get(&other)
            {
                kept.push(self.snapshot(customer.id(), &mark.snapshot)?);
            }
        }
        let others: Vec<&Roster> = read_already.iter().map(|(_, roster)| *roster).chain(&kept).collect();
        let linked = link(&read, stored, &others, &customer.same_person);
        let Linked { roster, conflicts } = linked.map_err(|full| ServiceError::snapshot(customer.id(), &full))?;
        let mut pairs = Vec::new();
        for LinkConflict { own, known, is_kept, why } in conflicts {
            told.findings.push(Finding {
                level: Level::Graph,
                rule: "identity_conflict",
                file: String::new(),
                row: 0,
                record: own.clone(),
                field: customer.same_person.iter().map(|by| by.word()).collect::<Vec<_>>().join(", "),
                detail: format!("{why}: {}", known.join(", ")),
            });
            if !is_kept {
                told.counts.of_mut(Collection::People).quarantined += 1;
                pairs.extend(known.into_iter().filter(|key| *key != own).map(|key| (key, own.clone())));
            }
        }
        Ok((roster.unwrap_or(read), pairs))
    }
}
