//! How a ledger tells what does not follow.

use crate::base::{ClaimId, PoolId, Version};
use crate::license::entry::Mismatch;
use crate::license::proof::Flaw;

pub(crate) fn grow<T: Clone + PartialEq + std::fmt::Debug>(what: &str, held: &mut Vec<T>, names: &[T]) -> Result<(), Flaw> {
    match names.strip_prefix(held.as_slice()) {
        Some(fresh) => {
            held.extend_from_slice(fresh);
            Ok(())
        }
        None => {
            let at = held.iter().zip(names).take_while(|(a, b)| a == b).count();
            let name = |list: &[T]| list.get(at).map_or("none".into(), |name| format!("{name:?}"));
            Err(Flaw::new(format!("{what}, position {at}"), name(held), name(names)))
        }
    }
}

pub(crate) fn record(at: Version) -> impl Fn(Flaw) -> Mismatch {
    move |Flaw { what, trail, stored }| Mismatch::Record { at, what, trail, stored }
}

pub(crate) fn pool_mismatch(at: Version, pool: &PoolId) -> impl Fn(Flaw) -> Mismatch {
    let pool = pool.clone();
    move |Flaw { what, trail, stored }| Mismatch::Pool { at, pool: pool.clone(), what, trail, stored }
}

pub(crate) fn claim_mismatch(at: Version, person: &str, claim: ClaimId, flaw: Flaw) -> Mismatch {
    let Flaw { what: _, trail, stored } = flaw;
    Mismatch::Claim { at, claim, person: person.to_owned(), trail, stored }
}
