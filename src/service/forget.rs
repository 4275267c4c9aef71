//! Forgetting a person on request: the name leaves everything that is kept, the id stays in the trail (R129, R130).

use crate::base::{Actor, Instant, PersonKey, PoolId, SourceId};
use crate::license::{Entry, SourceMark};
use crate::plan::Standing;
use crate::service::core::{Customer, Service};
use crate::service::error::ServiceError;
use crate::service::writing::{Made, Writing};
use crate::store::Receipt;

/// The answer to a request to forget somebody. Refusals are answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ForgetAnswer {
    /// Name, e-mail, log-in name and identifier are in no snapshot any more.
    Forgotten(Receipt),
    /// The same, but for snapshots that a run under way has read, or that could not be dropped just now: they go as soon as
    /// they can.
    Forgetting(Receipt),
    /// A source still delivers the person: the next package would bring the name again.
    StillDelivered(SourceId),
    /// Missing or ended, and not removed yet: not confirmed, or held by a guard.
    NotRemovedYet,
    /// The person has claims in these pools, given by hand.
    HoldsClaims(Vec<PoolId>),
}

impl Service {
    /// Forgets a removed person before the retention period is over, or whatever is left of an ended one.
    ///
    /// # Errors
    /// [`ServiceError::Unknown`] if the books know nobody by this key; when books or snapshots cannot be read or written.
    pub fn forget(
        &self,
        customer: &Customer,
        actor: &Actor,
        person: &PersonKey,
        reason: &str,
    ) -> Result<ForgetAnswer, ServiceError> {
        self.settled(customer)?;
        let (answer, receipt) =
            self.write(customer, actor, &|standing, now| self.to_forget(customer, standing, person, reason, now))?;
        let Some(receipt) = receipt else { return answer.map_or_else(|| Err(unknown(person)), Ok) };
        // The commit stands whatever comes of this; a minute, or a run, later it is done again.
        let left = self.drop_purged(customer.id(), None).and_then(|()| self.store.names_purged(customer.id()));
        Ok(if left.is_ok_and(|left| !left) { ForgetAnswer::Forgotten(receipt) } else { ForgetAnswer::Forgetting(receipt) })
    }

    /// A refusal, or what is to be written.
    fn to_forget(
        &self,
        customer: &Customer,
        standing: &Standing,
        person: &PersonKey,
        reason: &str,
        now: Instant,
    ) -> Made<Option<ForgetAnswer>> {
        let refused = |answer| Ok((Some(answer), None));
        let mut named = Vec::new();
        for mark in standing.sources.values() {
            let roster = self.snapshot(customer.id(), &mark.snapshot)?;
            let Some(at) = roster.find_person(person.as_str()) else { continue };
            if !roster.person(at).ended {
                return refused(ForgetAnswer::StillDelivered(mark.source.clone()));
            }
            named.push(mark);
        }
        let absence = standing.absences.iter().find(|absence| absence.person == *person);
        if absence.is_some_and(|absence| !absence.removed) {
            return refused(ForgetAnswer::NotRemovedYet);
        }
        let (names, claims) = self.store.claims_of(customer.id(), person.as_str())?;
        if !claims.is_empty() {
            return refused(ForgetAnswer::HoldsClaims(claims.iter().map(|claim| names.pool_of(claim).clone()).collect()));
        }
        let known = absence.is_some() || !named.is_empty();
        if !known && self.store.released(customer.id(), Some(person.as_str()))?.is_empty() {
            return Err(unknown(person));
        }
        let mut entries = Vec::new();
        for mark in named {
            let without = self.snapshot_without(customer.id(), mark, std::slice::from_ref(person), now)?;
            entries.extend(without.map(|snapshot| Entry::Adopted(SourceMark { snapshot, ..mark.clone() })));
        }
        entries.push(Entry::Purged { person: person.clone(), reason: Some(reason.to_owned()) });
        Ok((None, Some(Writing { verb: "forget", entries, ..Writing::default() })))
    }
}

fn unknown(person: &PersonKey) -> ServiceError {
    ServiceError::Unknown { what: "person", id: person.to_string(), hint: None }
}
