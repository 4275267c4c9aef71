//! What is asked of the past: pools with other settings, seats more or fewer.

use crate::base::{Actor, Day, GrantId, Instant, most_similar};
use crate::license::{Grant, GrantKind, Pool};
use crate::service::{Customer, ServiceError, WhatIfAsked};
use crate::settings::knobs::turn;

/// What is to be otherwise.
#[derive(Clone, Copy, Debug)]
pub struct Turns<'a> {
    /// In these pools only; empty: in all.
    pub pools: &'a [String],
    /// Settings of the pools: key and value.
    pub set: &'a [(String, String)],
    /// Seats more, or fewer, from a day on or all the time; of one pool.
    pub seats: &'a [(i64, Option<Day>)],
    /// Purchases that are left out.
    pub without: &'a [String],
    /// The first day.
    pub from: Option<Day>,
    /// The last day.
    pub to: Option<Day>,
}

/// Why that cannot be asked.
#[derive(Debug, thiserror::Error)]
pub enum TurnsError {
    /// Something named does not exist.
    #[error(transparent)]
    Unknown(#[from] ServiceError),
    /// It makes no sense.
    #[error("understand what is to be otherwise: {0}")]
    Senseless(String),
}

/// The question that these turns make.
///
/// # Errors
/// When a pool or a setting is not known, a value does not fit, or seats are added without one pool to add them to.
pub fn what_if(customer: &Customer, turns: &Turns<'_>) -> Result<WhatIfAsked, TurnsError> {
    let Turns { pools: named, set, seats, without, from, to } = turns;
    let known = || customer.policy.pools.iter().map(|pool| pool.id.as_str());
    for id in *named {
        if !known().any(|known| known == id) {
            let hint = most_similar(id, known());
            return Err(ServiceError::Unknown { what: "pool", id: id.clone(), hint }.into());
        }
    }
    let wanted = |known: &&Pool| named.is_empty() || named.iter().any(|id| known.id.as_str() == id);
    let mut pools: Vec<Pool> = customer.policy.pools.iter().filter(wanted).cloned().collect();
    for (key, value) in *set {
        pools.iter_mut().try_for_each(|pool| turn(pool, key, value)).map_err(TurnsError::Senseless)?;
    }
    let mut grants = Vec::new();
    for (nth, (seats, day)) in (1..).zip(*seats) {
        let [pool] = pools.as_slice() else {
            return Err(TurnsError::Senseless("seats need one pool to add them to".into()));
        };
        grants.push(Grant {
            id: GrantId::new(format!("what-if-{nth}")),
            pool: pool.id.clone(),
            seats: *seats,
            from: day.map_or(Instant::MIN, |day| pool.calendar.start_of(day)),
            to: Instant::MAX,
            recorded: Instant::MIN,
            by: Actor::operator("what-if"),
            kind: GrantKind::Purchase,
            reference: "what-if".to_owned(),
        });
    }
    if set.is_empty() {
        pools.clear();
    }
    let without = without.iter().map(|id| GrantId::from(id.as_str())).collect();
    Ok(WhatIfAsked { from: *from, to: *to, pools, grants, without })
}
