//! Lists that the store keeps beside the claims, so that nobody has to go through all of them: who waits, seats by org, what
//! was released. They say nothing that the claims do not say; so they are made again from the trail and compared.

use std::collections::BTreeMap;
use std::fmt::Debug;

use crate::base::{CustomerId, OrgId, PersonKey, PoolId, RunId, Version};
use crate::license::{Because, Book, Claim, ClaimState, Ledger};
use crate::service::error::ServiceError;
use crate::store::{AuditCommit, ReleasedClaim, SharedStore};

/// The lists as stored.
pub struct Lists {
    queue: Book,
    used_by_org: Vec<(PoolId, OrgId, u32)>,
    released: Vec<ReleasedClaim>,
}

/// Every release that the trail tells, in its order.
#[derive(Default)]
pub struct Releases(Vec<(Version, PersonKey, Claim, Because, Option<RunId>)>);

impl Releases {
    /// Notes what a commit released.
    pub fn take(&mut self, commit: &AuditCommit) {
        let released = commit.changes.iter().filter(|change| change.after.state == ClaimState::Released);
        self.0.extend(released.map(|change| {
            (commit.version, PersonKey::from(commit.people.get(change.person)), change.after, change.because, commit.run)
        }));
    }
}

impl Lists {
    /// Reads them.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn read(store: &SharedStore, customer: &CustomerId) -> Result<Self, ServiceError> {
        Ok(Self {
            queue: store.queue(customer, None)?,
            used_by_org: store.used_by_org(customer)?,
            released: store.released(customer, None)?,
        })
    }

    /// The first difference from what the trail comes to: what, the trail's side, the stored side.
    pub fn difference(&self, ledger: &Ledger, releases: Releases) -> Option<(String, String, String)> {
        let mut waiting: Vec<(&str, &Claim)> = Vec::new();
        let mut used: BTreeMap<(&PoolId, &OrgId), u32> = BTreeMap::new();
        for (person, claims) in ledger.people() {
            for claim in claims {
                if claim.state == ClaimState::Waiting {
                    waiting.push((person, claim));
                }
                if claim.state.consumes() {
                    *used.entry((ledger.names().pool_of(claim), ledger.names().home_of(claim))).or_default() += 1;
                }
            }
        }
        // The order of the queue (R42).
        waiting.sort_by_key(|(person, claim)| (-i64::from(claim.priority), claim.since, *person, claim.pool, claim.id));
        let queued = (0..self.queue.people.len())
            .flat_map(|at| self.queue.claims_at(at).iter().map(move |claim| (self.queue.key(at), claim)));
        let mut released = releases.0;
        released.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
        let stored_used = self.used_by_org.iter().map(|(pool, org, used)| ((pool, org), *used));
        first_difference("the queue", waiting.into_iter(), queued)
            .or_else(|| first_difference("seats used by org", used.into_iter(), stored_used))
            .or_else(|| {
                first_difference(
                    "released claims",
                    released.iter().map(|(_, person, claim, because, run)| (person, claim, because, run)),
                    self.released.iter().map(|row| (&row.person, &row.claim, &row.because, &row.run)),
                )
            })
    }
}

/// Of what stands at the same place in both, the first that differs, with both sides.
pub fn first_difference<T: PartialEq + Debug>(
    what: &str,
    trail: impl Iterator<Item = T>,
    stored: impl Iterator<Item = T>,
) -> Option<(String, String, String)> {
    let (trail, stored): (Vec<T>, Vec<T>) = (trail.collect(), stored.collect());
    let side = |item: Option<&T>| item.map_or("nothing".to_owned(), |item| format!("{item:?}"));
    (0..trail.len().max(stored.len()))
        .find(|&at| trail.get(at) != stored.get(at))
        .map(|at| (what.to_owned(), side(trail.get(at)), side(stored.get(at))))
}
