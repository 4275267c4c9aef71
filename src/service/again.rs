//! The same package again. The plan of a run that finds nothing new, while time did nothing either, is empty (R102): so none
//! is made and no roster is loaded, however large. What such a run says is what the run said that left nothing to be done.

use crate::base::{Calendar, Instant, Version};
use crate::license::{Because, Entry, SourceMark, allowance_in, phase_at};
use crate::plan::{Plan, Standing};
use crate::service::core::{Customer, Service};
use crate::service::draft::outcome;
use crate::service::error::ServiceError;
use crate::service::pauses::RunTerms;
use crate::service::sync::told_beside;
use crate::store::{Batch, RestRow, RunRow, RunState, RunTally, StoreError};

/// Whether a run looks at all of a customer and at nothing in a special way.
fn is_plain(customer: &Customer, terms: &RunTerms) -> bool {
    let reads = customer.sources.iter().all(|feed| terms.reads(feed.source.id()) && !feed.source.is_far());
    reads && terms.told().is_empty() && terms.scope().is_none() && !terms.confirms_absences()
}

impl Service {
    /// Ends a run that finds nothing new: every package was taken in before, perhaps under another name, which is noted.
    /// `false` if anything may be to be done.
    pub(crate) fn nothing_to_do(
        &self,
        customer: &Customer,
        row: &mut RunRow,
        terms: &RunTerms,
        now: Instant,
    ) -> Result<bool, ServiceError> {
        if !is_plain(customer, terms) || self.store.names_purged(customer.id())? {
            return Ok(false);
        }
        self.catch_up(customer, now)?;
        let Some(rest) = self.store.rest(customer.id())? else { return Ok(false) };
        let standing = self.store.standing_light(customer.id())?;
        let now = self.acts_at(&standing, now);
        if rest.version != standing.version
            || customer.settings() != Some(rest.settings)
            || !self.stands_still(customer, &standing, rest.at, now)?
        {
            return Ok(false);
        }
        let Some(repeated) = self.repeated(customer, &standing, now)? else { return Ok(false) };
        row.packages = repeated.iter().map(|mark| format!("{}:{}", mark.source, mark.name)).collect();
        let (findings, RestRow { people, waiting, withheld, .. }) = (row.tally.findings, rest.clone());
        row.tally = RunTally { people, waiting, withheld, findings, ..RunTally::default() };
        if !repeated.is_empty() {
            let entries: Vec<Entry> = repeated.into_iter().map(Entry::Adopted).collect();
            row.state = RunState::Committing;
            let receipt = self.store.commit(&Batch {
                customer: customer.id(),
                parent: standing.version,
                at: now,
                actor: row.trigger.actor(),
                run: Some(row.run),
                plan: None,
                verb: "sync",
                names: &standing.book.names,
                people: &Default::default(),
                changes: &[],
                entries: &entries,
                notices: &[],
            })?;
            row.version = Some(receipt.version);
        }
        row.state = if rest.unserved { RunState::SucceededWithErrors } else { RunState::Succeeded };
        row.message = rest.message.clone();
        if let Some(version) = row.version {
            let noted = self.store.save_rest(customer.id(), &RestRow { version, ..rest });
            // The commit stands; to call this run failed would say that nothing was changed.
            told_beside(row, [("note that nothing is left to be done", noted)]);
        }
        Ok(true)
    }

    /// Whether between two instants nothing came due that a plan looks at: no date began, no allowance or term moved, and
    /// nothing is open whose clock runs.
    fn stands_still(
        &self,
        customer: &Customer,
        standing: &Standing,
        then: Instant,
        now: Instant,
    ) -> Result<bool, ServiceError> {
        let same_day = |calendar: &Calendar| calendar.day_of(then) == calendar.day_of(now);
        let hold = standing.hold.as_ref();
        let is_held = hold.is_some_and(|hold| hold.waits() || !hold.exceptions.is_empty() || !hold.withheld().is_empty());
        let is_over = standing.pools.values().any(|books| books.episode.is_some());
        if then > now || !same_day(&customer.policy.calendar) || is_held || is_over {
            return Ok(false);
        }
        let Standing { chain, grants, agreed, .. } = standing;
        let rests = customer.policy.pools.iter().all(|pool| {
            let (was, is) = (phase_at(chain, pool, then), phase_at(chain, pool, now));
            let allowance = |phase, at| allowance_in(phase, pool, grants, agreed, at);
            same_day(&pool.calendar) && was == is && allowance(&was, then) == allowance(&is, now)
        });
        let (_, seeds) = self.seeded(customer, standing.clone(), now)?;
        Ok(rests && seeds.grants.is_empty() && seeds.agreed.is_empty() && seeds.terms.is_empty())
    }

    /// The packages that came again under another name; `None` if a source brings anything else.
    fn repeated(
        &self,
        customer: &Customer,
        standing: &Standing,
        now: Instant,
    ) -> Result<Option<Vec<SourceMark>>, ServiceError> {
        let mut repeated = Vec::new();
        for feed in &customer.sources {
            let Some(mark) = standing.sources.get(feed.source.id()) else { return Ok(None) };
            let seen = self.seen_before_reading(customer, feed.source.id(), standing)?;
            // What goes wrong is told by the run that reads.
            let Ok(packages) = feed.source.pending(&seen) else { return Ok(None) };
            match packages.into_iter().next() {
                None => {}
                Some(package) if package.digest.is_some_and(|told| mark.is_of(&told)) => {
                    repeated.push(SourceMark { at: now, name: package.name, ..mark.clone() });
                }
                Some(_) => return Ok(None),
            }
        }
        Ok(Some(repeated))
    }

    /// Notes that a run left nothing to be done: `plan` was committed, the books are at `version`, and of the pools `said`
    /// was told.
    pub(crate) fn note_rest(
        &self,
        customer: &Customer,
        row: &RunRow,
        (plan, version, said): (&Plan, Version, String),
        terms: &RunTerms,
    ) -> Result<(), StoreError> {
        let Some(settings) = customer.settings().filter(|_| is_plain(customer, terms)) else { return Ok(()) };
        // Two keys of one person are only seen when they are read (R5).
        let conflicts = plan.withheld.iter().any(|withheld| withheld.because == Because::IdentityConflict);
        if !plan.verdict.proceeds() || conflicts {
            return Ok(());
        }
        let rest = RestRow {
            version,
            at: plan.at,
            settings,
            people: row.tally.people,
            waiting: row.tally.waiting,
            withheld: row.tally.withheld,
            unserved: outcome(plan, false, false) != RunState::Succeeded,
            message: said,
        };
        self.store.save_rest(customer.id(), &rest)
    }
}
