//! What the contract says of a pool at an instant: the stage of its overage and the place in its term. One place, for all
//! reports.

use crate::base::Instant;
use crate::license::{Pool, Stage, TermPlace, TermState, TierOffer, chain_of, last_day, phase_at, tier_on_offer, year_anchor};
use crate::plan::Standing;
use crate::service::inspect::PoolView;

/// Stage and term of a pool.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conditions {
    /// The stage of its open episode (R63); `None`: there is none.
    pub stage: Option<Stage>,
    /// The place in its term; `None`: it has none.
    pub term: Option<TermPlace>,
    /// The next tier of its ladder, priced for today (R79).
    pub next_tier: Option<TierOffer>,
}

/// The conditions of a pool in these books at an instant, given its numbers.
pub(crate) fn conditions(pool: &Pool, standing: &Standing, at: Instant, view: &PoolView) -> Conditions {
    let place = (&phase_at(&standing.chain, pool, at), year_anchor(pool, &standing.chain));
    let quote = view.allowance.seats.and_then(|seats| tier_on_offer(pool, place, (seats, view.used()), at));
    let next_tier =
        quote.map(|quote| TierOffer { seats: quote.to, cost: quote.charge.map(|charge| charge.text(charge.amount)) });
    Conditions { stage: view.clock.as_ref().map(|clock| clock.stage), term: term(pool, standing, at), next_tier }
}

fn term(pool: &Pool, standing: &Standing, at: Instant) -> Option<TermPlace> {
    let phase = phase_at(&standing.chain, pool, at);
    phase.term.as_ref()?;
    Some(TermPlace {
        last_day: last_day(pool, phase.term_end),
        has_successor: chain_of(&standing.chain, &pool.id).iter().any(|term| at < term.from),
        in_grace: phase.state == TermState::InGrace,
        is_over: phase.state == TermState::Expired,
    })
}
