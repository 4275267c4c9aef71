//! Pauses of sources (R108) and their quiet hours, and what a run reads and how it judges: pauses and the admin's wish decide that.

use std::collections::BTreeSet;

use crate::base::{Actor, Instant, QuietHours, SourceId};
use crate::plan::Standing;
use crate::roster::Scope;
use crate::service::core::{Customer, Service};
use crate::service::error::ServiceError;
use crate::store::{Pause, Trigger};

/// What a run reads, and what it takes for granted.
pub(crate) struct RunTerms {
    /// Sources that are read.
    read: BTreeSet<SourceId>,
    /// The sources that would be read if they were not paused, with the pauses.
    paused: Vec<Pause>,
    /// Why other sources are not asked now.
    quiet: Vec<String>,
    /// The sources that are read and of which nothing was taken in since a pause of theirs was over.
    rollover: BTreeSet<SourceId>,
    confirm_absences: bool,
    /// Only these people are taken in.
    scope: Option<Scope>,
}

impl RunTerms {
    pub(crate) fn reads(&self, source: &SourceId) -> bool {
        self.read.contains(source)
    }

    /// The only people who are taken in; `None`: everybody.
    pub(crate) fn scope(&self) -> Option<&Scope> {
        self.scope.as_ref()
    }

    /// Whether whoever is absent from a source that was read counts as gone at once (R131).
    pub(crate) fn confirms_absences(&self) -> bool {
        self.confirm_absences
    }

    /// The sources that are judged as at the turn of a school year: each by itself, until it brought something (R108).
    pub(crate) fn rollover(&self) -> &BTreeSet<SourceId> {
        &self.rollover
    }

    /// What an operator should know of it.
    pub(crate) fn told(&self) -> Vec<String> {
        let mut told: Vec<String> = self.paused.iter().map(pause_text).chain(self.quiet.iter().cloned()).collect();
        told.extend(
            self.rollover.iter().map(|source| format!("source {source}: first run after a pause: guards as for a rollover")),
        );
        told
    }
}

/// A pause in a few words.
pub fn pause_text(pause: &Pause) -> String {
    let Pause { source, from: _, to, reason } = pause;
    let reason = if reason.is_empty() { String::new() } else { format!(" ({reason})") };
    format!("source {source}: paused until {to}{reason}")
}

impl Service {
    /// All pauses of a customer that ever were, of the settings and by hand.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn pauses(&self, customer: &Customer) -> Result<Vec<Pause>, ServiceError> {
        let mut pauses = self.store.pauses(customer.id())?;
        pauses.extend(customer.pauses.iter().cloned());
        Ok(pauses)
    }

    /// The pauses that hold now: the one of each source that lasts longest.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn paused(&self, customer: &Customer) -> Result<Vec<Pause>, ServiceError> {
        Ok(longest_now(customer, &self.pauses(customer)?, self.now()))
    }

    /// Pauses a source for a window. Runs that are under way go on.
    ///
    /// # Errors
    /// [`ServiceError::Unknown`] if there is no such source; when the store cannot be written.
    pub fn pause(&self, customer: &Customer, pause: &Pause, by: &Actor) -> Result<(), ServiceError> {
        customer.source(pause.source.as_str())?;
        self.store.add_pause(customer.id(), pause, by, self.now())?;
        self.note(customer, by, "pause", &[])
    }

    /// Lifts the pauses of a source that were made by hand and are not over. Says how many, and which pause of the
    /// settings still holds.
    ///
    /// # Errors
    /// [`ServiceError::Unknown`] if there is no such source; when the store cannot be written.
    pub fn resume(&self, customer: &Customer, source: &SourceId, by: &Actor) -> Result<(u32, Option<Pause>), ServiceError> {
        customer.source(source.as_str())?;
        let now = self.now();
        let lifted = self.store.end_pauses(customer.id(), source, by, now)?;
        if lifted > 0 {
            self.note(customer, by, "resume", &[])?;
        }
        Ok((lifted, longest(&customer.pauses, source, now).cloned()))
    }

    /// What a run for this trigger reads now.
    pub(crate) fn terms(
        &self,
        customer: &Customer,
        trigger: &Trigger,
        standing: &Standing,
        now: Instant,
    ) -> Result<RunTerms, ServiceError> {
        let asked = match trigger {
            Trigger::SameDay(asked) => Some(asked),
            Trigger::Nightly(_) | Trigger::Drop | Trigger::Dates(_) | Trigger::Revert(..) | Trigger::Import(_) => None,
        };
        let only = asked.and_then(|asked| asked.source.as_ref());
        let mut terms = RunTerms {
            read: BTreeSet::new(),
            paused: Vec::new(),
            quiet: Vec::new(),
            rollover: BTreeSet::new(),
            confirm_absences: asked.is_some_and(|asked| asked.confirm_absences),
            scope: asked.and_then(|asked| asked.scope.clone()),
        };
        if let Trigger::Dates(_) = trigger {
            return Ok(terms);
        }
        let pauses = self.pauses(customer)?;
        for source in customer.sources.iter().map(|feed| feed.source.id()).filter(|id| only.is_none_or(|only| only == *id)) {
            if let Some(pause) = longest(&pauses, source, now) {
                terms.paused.push(pause.clone());
                continue;
            }
            if let Some(hours) = quiet_hours(customer, source, now) {
                terms.quiet.push(format!("source {source}: not asked in its quiet hours, {hours}"));
                continue;
            }
            terms.read.insert(source.clone());
            let taken_in = standing.sources.get(source).map(|mark| mark.at);
            let over = pauses.iter().filter(|pause| pause.source == *source && pause.from < pause.to && pause.to <= now);
            let Some(over) = over.map(|pause| pause.to).max() else { continue };
            // A live source that had nothing new was looked at all the same.
            if taken_in.is_some_and(|at| at < over) && self.look(customer, source)?.is_none_or(|look| look.at < over) {
                terms.rollover.insert(source.clone());
            }
        }
        Ok(terms)
    }
}

/// The quiet hours of a source that an instant lies in.
pub(crate) fn quiet_hours<'c>(customer: &'c Customer, source: &SourceId, at: Instant) -> Option<&'c QuietHours> {
    let covers = |(of, hours): &&(SourceId, QuietHours)| of == source && hours.covers(at, &customer.policy.calendar);
    customer.quiet.iter().find(covers).map(|(_, hours)| hours)
}

/// Of the pauses that hold, the one of each source that lasts longest.
pub(crate) fn longest_now(customer: &Customer, pauses: &[Pause], now: Instant) -> Vec<Pause> {
    customer.sources.iter().filter_map(|feed| longest(pauses, feed.source.id(), now)).cloned().collect()
}

fn longest<'a>(pauses: &'a [Pause], source: &SourceId, now: Instant) -> Option<&'a Pause> {
    pauses.iter().filter(|pause| pause.source == *source && pause.covers(now)).max_by_key(|pause| pause.to)
}
