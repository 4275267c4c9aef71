//! Standings without claims as they were last read. A run asks for its customer's again and again; over a network each time costs
//! a score of journeys. What is kept is as the trail's newest hash says, and nothing but commits changes it.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::base::{CustomerId, Digest};
use crate::plan::Standing;

/// So many are kept: those of the runs under way and a few more.
const KEPT_MAX: usize = 64;

/// See the module.
#[derive(Default)]
pub struct Recent(Mutex<VecDeque<(CustomerId, Digest, Standing)>>);

impl Recent {
    fn kept(&self) -> MutexGuard<'_, VecDeque<(CustomerId, Digest, Standing)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The standing of a customer whose newest hash is this, if it is kept.
    pub(in crate::store::sql) fn known(&self, customer: &CustomerId, hash: &Digest) -> Option<Standing> {
        self.kept().iter().find(|(whose, known, _)| whose == customer && known == hash).map(|(.., standing)| standing.clone())
    }

    /// Keeps a standing.
    pub(in crate::store::sql) fn keep(&self, customer: &CustomerId, hash: Digest, standing: &Standing) {
        let mut kept = self.kept();
        kept.retain(|(whose, ..)| whose != customer);
        kept.truncate(KEPT_MAX - 1);
        kept.push_front((customer.clone(), hash, standing.clone()));
    }
}
