//! Standings without claims as they were last read. A run asks for its customer's again and again; over a network each time costs
//! a score of journeys. What is kept is as the trail's newest hash says, and nothing but commits changes it.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::base::{CustomerId, Digest};
use crate::plan::Standing;
use crate::store::sql::books::{head, standing_light};
use crate::store::sql::fault::Fault;
use crate::store::sql::transaction::Transaction;

/// So many are kept: those of the runs under way and a few more.
const KEPT_MAX: usize = 64;

/// See the module.
#[derive(Default)]
pub struct Recent(Mutex<VecDeque<(CustomerId, Digest, Standing)>>);

impl Recent {
    fn kept(&self) -> MutexGuard<'_, VecDeque<(CustomerId, Digest, Standing)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The standing as of this transaction.
    pub(in crate::store::sql) fn standing_light(&self, tx: &Transaction<'_>, customer: &CustomerId) -> Result<Standing, Fault> {
        let Some(head) = head(tx, customer)? else { return standing_light(tx, customer) };
        let known = self.kept().iter().find(|(whose, hash, _)| whose == customer && *hash == head.hash).cloned();
        if let Some((_, _, standing)) = known {
            return Ok(standing);
        }
        let standing = standing_light(tx, customer)?;
        let mut kept = self.kept();
        kept.retain(|(whose, ..)| whose != customer);
        kept.truncate(KEPT_MAX - 1);
        kept.push_front((customer.clone(), head.hash, standing.clone()));
        Ok(standing)
    }
}
