//! Who logged in when, from a file or a source's column (R144). Operational: no plan and no book rests on it.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::{Day, Instant, ProductId};
use crate::license::Activity;
use crate::roster::{Finding, Findings, Level, Roster, take_attribute};
use crate::service::core::{Customer, Feed, Service};
use crate::service::error::ServiceError;
use crate::store::ActivityRow;

/// A log-in may lie so far ahead: clocks differ, and so do time zones.
pub(crate) const AHEAD_MILLIS_MAX: i64 = 86_400_000;

/// Who logged in when, for questions by person and product.
#[derive(Debug, Default)]
pub(crate) struct ActivityBook {
    last: BTreeMap<String, Vec<(Option<ProductId>, Instant)>>,
    /// Products a feed tells of; `None`: of all.
    told: BTreeSet<Option<ProductId>>,
    /// The feed is not older than a recent log-in: who is not in it did not log in.
    fresh: bool,
}

impl Service {
    /// What is known of log-ins up to an instant.
    pub(crate) fn activity_book(&self, customer: &Customer, at: Instant) -> Result<ActivityBook, ServiceError> {
        let mut book = ActivityBook::default();
        let Some(fed) = self.store.activity_fed(customer.id())? else { return Ok(book) };
        let days = i64::from(customer.reports.activity.recent_days);
        book.fresh = at.0 - fed.0 <= days * 86_400_000;
        for ActivityRow { person, product, at: seen } in self.store.activity(customer.id())? {
            book.told.insert(product.clone());
            // Only the newest is kept: of an earlier instant it says nothing.
            if seen <= at {
                book.last.entry(person).or_default().push((product, seen));
            }
        }
        Ok(book)
    }
}

impl Service {
    /// A roster without the column that tells log-ins, and what the column told.
    pub(crate) fn without_activity(
        &self,
        customer: &Customer,
        feed: &Feed,
        roster: Roster,
        findings: &mut Findings,
    ) -> Result<(Roster, Vec<ActivityRow>), ServiceError> {
        let mut rows = Vec::new();
        let Some(column) = &feed.activity_column else { return Ok((roster, rows)) };
        let now = self.now();
        let rest = take_attribute(&roster, column, |person, value| {
            match customer.log_in(value).filter(|at| at.0 <= now.0.saturating_add(AHEAD_MILLIS_MAX)) {
                Some(at) => rows.push(ActivityRow { person: person.to_owned(), product: None, at }),
                None if value.is_empty() => {}
                None => findings.push(Finding {
                    level: Level::Warning,
                    rule: "bad_instant",
                    file: "users.csv".to_owned(),
                    row: 0,
                    record: person.to_owned(),
                    field: column.clone(),
                    detail: "expected an instant such as 2026-03-01T07:30:00Z or a date, not in the future".to_owned(),
                }),
            }
        });
        let rest = rest.map_err(|full| ServiceError::Snapshot { customer: customer.id().clone(), why: full.to_string() })?;
        Ok((rest.unwrap_or(roster), rows))
    }
}

impl Customer {
    /// A log-in as files tell it: an instant, or a local date for its beginning.
    pub(crate) fn log_in(&self, text: &str) -> Option<Instant> {
        Instant::parse(text).or_else(|| Day::parse(text).map(|day| self.policy.calendar.start_of(day)))
    }
}

impl ActivityBook {
    /// The last log-in of a person that counts for a product.
    pub(crate) fn last(&self, person: &str, product: &ProductId) -> Option<Instant> {
        let rows = self.last.get(person)?.iter();
        rows.filter(|(of, _)| of.as_ref().is_none_or(|of| of == product)).map(|(_, at)| *at).max()
    }

    /// Whether nothing is known at all.
    pub(crate) fn is_empty(&self) -> bool {
        self.told.is_empty()
    }

    /// Whether a person logged in to another product, and never to this one.
    pub(crate) fn uses_another(&self, person: &str, product: &ProductId) -> bool {
        self.last(person, product).is_none() && self.last.contains_key(person)
    }

    /// Whether a feed tells of a product.
    pub(crate) fn tells(&self, product: &ProductId) -> bool {
        self.fresh && (self.told.contains(&None) || self.told.contains(&Some(product.clone())))
    }

    /// How a person uses a product, on a local date.
    pub(crate) fn of(&self, customer: &Customer, person: &str, product: &ProductId, today: Day) -> Activity {
        let last = self.last(person, product).map(|at| customer.day_of(at));
        customer.reports.activity.judge(self.tells(product), last, today)
    }
}
