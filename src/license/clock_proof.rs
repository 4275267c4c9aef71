//! What must be so of an overage's facts when they are written down (R74): each follows from the episode, the grants and
//! the facts before it.

use crate::license::books::{Band, Episode};
use crate::license::clock_fact::{ClockFact, ClockStep, Delivery, Facts, is_frozen};
use crate::license::grant::{Grant, GrantKind};
use crate::license::proof::Flaw;
use crate::license::stage::{Stage, StageWhy};

/// The first thing wrong with a fact. `facts` are those before it of the same episode, or of the pool as such; `grant`
/// finds grants.
pub(crate) fn prove_fact<'g>(
    fact: &ClockFact,
    episode: Option<&Episode>,
    facts: &[ClockFact],
    grant: impl Fn(&crate::base::GrantId) -> Option<&'g Grant>,
) -> Result<(), Flaw> {
    let ClockFact { pool, episode: id, at, recorded, by: _, step } = fact;
    let flaw = |what: &str, trail: String| Err(Flaw::new(format!("clock of {pool}, {what}"), trail, format!("{fact:?}")));
    let Some(id) = id else {
        let frozen = is_frozen(facts, pool);
        return match step {
            ClockStep::Frozen { .. } if !frozen => Ok(()),
            ClockStep::Unfrozen { .. } if frozen => Ok(()),
            _ => flaw("billing", format!("frozen is {frozen}")),
        };
    };
    let Some(episode) = episode.filter(|episode| episode.pool == *pool) else {
        return flaw("episode", format!("no episode {id} of the pool"));
    };
    let facts_read = Facts(facts);
    // A clock that was set back leaves samples ahead of it.
    let last_seen = episode.samples.last().map_or(*recorded, |sample| sample.at.max(*recorded));
    if *at < episode.opened || *at > last_seen {
        return flaw("instant", format!("between {} and {last_seen}", episode.opened));
    }
    let settled = facts_read.any(|step| matches!(step, ClockStep::Settled(_)));
    if settled != matches!(step, ClockStep::Voided { .. }) {
        return flaw("end", format!("settled is {settled}"));
    }
    match step {
        ClockStep::Stage(stage) => {
            if episode.closed.is_some_and(|closed| *at > closed) {
                return flaw("stage", "before the end".into());
            }
            if stage.round != facts_read.rounds(stage.stage) + 1 {
                return flaw("round", (facts_read.rounds(stage.stage) + 1).to_string());
            }
            let last = facts_read.stages().next_back();
            if last.is_some_and(|(before, _)| before.at > *at) {
                return flaw("stage", "in the order of time".into());
            }
            let repeats = last.is_some_and(|(_, before)| before.stage == stage.stage);
            let anew = stage.stage == Stage::Major
                && (facts_read.upgraded_last().is_some() || last.is_some_and(|(_, before)| before.why != stage.why));
            if repeats && !anew {
                return flaw("stage", format!("another one than {}", stage.stage.word()));
            }
            let before = episode.samples.partition_point(|sample| sample.at <= *at);
            let band = before.checked_sub(1).and_then(|last| episode.samples.get(last)).map(|sample| sample.band);
            let by_band = stage.why == StageWhy::Band;
            if by_band && (stage.stage != Stage::Major || !matches!(band, Some(Band::Major | Band::Gap))) {
                return flaw("stage by band", format!("band {band:?}"));
            }
            if !by_band && band == Some(Band::Major) {
                return flaw("stage", "major by band".into());
            }
            Ok(())
        }
        ClockStep::Upgraded { round, grant: id, from, to, charge, notice: _ } => {
            let Some(grant) = grant(id) else { return flaw("grant", "none".into()) };
            let seats = i64::from(to.0) - i64::from(from.0);
            if (grant.kind, grant.seats, &grant.pool) != (GrantKind::TierUpgrade, seats, pool) || grant.from > *at {
                return flaw("grant", format!("{grant:?}"));
            }
            if charge.as_ref().is_some_and(|charge| !charge.adds_up()) {
                return flaw("charge", "the difference pro rata".into());
            }
            let major = facts_read.stages().next_back().filter(|(_, stage)| stage.stage == Stage::Major);
            if major.is_none_or(|(_, stage)| stage.round != *round) {
                return flaw("upgrade", "at the end of the newest major stage".into());
            }
            Ok(())
        }
        ClockStep::Withheld { round, .. } | ClockStep::Approved { round, .. } => {
            let known = facts_read.rounds(Stage::Major);
            if *round == 0 || *round > known { flaw("round", format!("up to {known}")) } else { Ok(()) }
        }
        ClockStep::Settled(settled) => {
            if episode.outcome != Some(settled.outcome) {
                return flaw("outcome", format!("{:?}", episode.outcome));
            }
            Ok(())
        }
        ClockStep::Continues { of, .. } => {
            if of >= id {
                flaw("clock", format!("of an episode before {id}"))
            } else {
                Ok(())
            }
        }
        ClockStep::Voided { .. } if episode.outcome != Some(crate::license::books::Outcome::Void) => {
            flaw("outcome", format!("{:?}", episode.outcome))
        }
        ClockStep::Frozen { .. } | ClockStep::Unfrozen { .. } => flaw("billing", "a fact of the pool".into()),
        ClockStep::GapEntered { .. } | ClockStep::CureEnded { .. } | ClockStep::Voided { .. } => Ok(()),
    }
}

/// The first thing wrong with a delivery. `facts` are those of its episode.
pub(crate) fn prove_delivery(delivery: &Delivery, facts: &[ClockFact]) -> Result<(), Flaw> {
    let Delivery { key, episode, channel: _, at, recorded, by: _ } = delivery;
    if at > recorded {
        return Err(Flaw::new(format!("delivery of {key}"), format!("not after {recorded}"), at));
    }
    let known = |fact: &ClockFact| fact.notice() == Some(key.as_str());
    if episode.is_some() && !facts.iter().any(known) {
        return Err(Flaw::new(format!("delivery of {key}"), "no such notice of the episode", format!("{delivery:?}")));
    }
    Ok(())
}
