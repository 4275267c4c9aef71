//! Who could be removed in an overage (R64, R144): named in its notices when they are written down, the least recently
//! active first. No plan and no book rests on log-ins, so a plan's own notices say that they are unknown.

use std::borrow::Cow;
use std::collections::BTreeSet;

use crate::base::{Instant, TextArena};
use crate::license::{ClaimChange, Names, seat_moves};
use crate::plan::{CANDIDATES_UNKNOWN, Notice};
use crate::service::core::{Customer, Service};
use crate::service::error::ServiceError;

/// A notice names at most so many people (R156).
pub(crate) const NAMED_MAX: usize = 20;

impl Service {
    /// Notices as they are written: with candidates where a feed tells of log-ins. `changes` are those of the same commit.
    pub(crate) fn with_candidates<'n>(
        &self,
        customer: &Customer,
        notices: &'n [Notice],
        (names, people, changes): (&Names, &TextArena, &[ClaimChange]),
    ) -> Cow<'n, [Notice]> {
        if !notices.iter().any(|notice| notice.text.contains(CANDIDATES_UNKNOWN)) {
            return Cow::Borrowed(notices);
        }
        // Where they cannot be read they stay unknown, and the notice is written all the same.
        self.candidates(customer, notices, (names, people, changes)).unwrap_or(Cow::Borrowed(notices))
    }

    fn candidates<'n>(
        &self,
        customer: &Customer,
        notices: &'n [Notice],
        (names, people, changes): (&Names, &TextArena, &[ClaimChange]),
    ) -> Result<Cow<'n, [Notice]>, ServiceError> {
        let now = self.now();
        let activity = self.activity_book(customer, now)?;
        if activity.is_empty() {
            return Ok(Cow::Borrowed(notices));
        }
        let book = self.store.standing(customer.id())?.book;
        let mut notices = notices.to_vec();
        for notice in notices.iter_mut().filter(|notice| notice.text.contains(CANDIDATES_UNKNOWN)) {
            let pool = customer.policy.pools.iter().find(|pool| Some(&pool.id) == notice.pool.as_ref());
            let Some(pool) = pool.filter(|pool| activity.tells(&pool.product)) else { continue };
            let has = |at: &usize| {
                book.claims_at(*at).iter().any(|claim| claim.state.consumes() && book.names.pool_of(claim) == &pool.id)
            };
            let mut seated: BTreeSet<&str> = (0..book.people.len()).filter(has).map(|at| book.key(at)).collect();
            for change in changes.iter().filter(|change| names.pool_of(&change.after) == &pool.id) {
                match seat_moves(change) {
                    Some(true) => _ = seated.insert(people.get(change.person)),
                    Some(false) => _ = seated.remove(people.get(change.person)),
                    None => {}
                }
            }
            let mut found: Vec<(Option<Instant>, &str)> =
                seated.into_iter().map(|person| (activity.last(person, &pool.product), person)).collect();
            found.sort_unstable();
            let named = found.iter().take(NAMED_MAX).map(|(last, person)| match last {
                Some(last) => format!("{person} ({})", pool.calendar.day_of(*last)),
                None => format!("{person} (never)"),
            });
            let named = named.collect::<Vec<_>>().join(", ");
            let more = match found.len().saturating_sub(NAMED_MAX) {
                0 => String::new(),
                more => format!(" and {more} more (`rosterd report claims {} --pool {}`)", customer.id(), pool.id),
            };
            let told = format!(", by their last log-in, the least recently active first: {named}{more}.");
            notice.text = notice.text.replace(CANDIDATES_UNKNOWN, &told);
        }
        Ok(Cow::Owned(notices))
    }
}
