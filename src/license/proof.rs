//! What must be so in the books after every commit. Nothing here knows how the books are kept; the ledger asks it.

use crate::base::Seats;
use crate::license::band::band;
use crate::license::books::{Allowance, Band, Cause, Episode, Outcome, PoolBooks, StateCounts};
use crate::license::causes::Situation;
use crate::license::claim::ClaimState;
use crate::license::entry::PoolTerms;

/// One thing that is not so: what the trail comes to, and what was written down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Flaw {
    /// What it is about.
    pub what: String,
    /// The trail's side.
    pub trail: String,
    /// The side that was written down.
    pub stored: String,
}

impl Flaw {
    pub(crate) fn new(what: impl Into<String>, trail: impl ToString, stored: impl ToString) -> Self {
        Self { what: what.into(), trail: trail.to_string(), stored: stored.to_string() }
    }
}

/// The first thing wrong with a pool's books, given what the trail comes to: claims by state, the allowance at the
/// commit, and the open episode (I1, I3, R49, R58, R60).
pub(crate) fn prove_books(
    terms: &PoolTerms,
    counts: StateCounts,
    allowance: Allowance,
    open: Option<&Episode>,
    books: &PoolBooks,
) -> Result<(), Flaw> {
    let PoolBooks {
        counts: counts_stored,
        allowance: allowance_stored,
        causes,
        band: band_stored,
        episode,
        held_back,
        provisional,
    } = books;
    for state in ClaimState::ALL {
        same(|| format!("{} claims", state.word()), counts.of(state), counts_stored.of(state))?;
    }
    same(|| "allowance".into(), limit(allowance.seats), limit(allowance_stored.seats))?;
    same(|| "agreed excess".into(), allowance.agreed, allowance_stored.agreed)?;

    let (used, effective) = (counts.used(), allowance.effective());
    let causes_sum: u64 = causes.values().map(|count| u64::from(*count)).sum();
    let situation = Situation { used, allowance };
    same(|| "causes of seats below zero".into(), u64::from(situation.shortfall().0), causes_sum)?;
    let agreed = causes.get(&Cause::AgreedExcess).copied().unwrap_or(0);
    same(|| "seats below zero by agreement".into(), situation.covered(), Seats(agreed))?;
    same(|| "band".into(), band(used, effective, &terms.overage).word(), band_stored.word())?;

    let id = |episode: Option<&Episode>| episode.map_or("none".into(), |e| e.id.to_string());
    same(|| "open episode".into(), id(open), id(episode.as_ref()))?;
    if *held_back > used {
        return Err(Flaw::new("seats held back", format!("at most {used}"), held_back));
    }
    if let Some(since) = provisional.filter(|_| open.is_some() || *band_stored == Band::Within) {
        return Err(Flaw::new("provisional overage", "none", since));
    }
    if let Some(open) = open {
        if Some(open) != episode.as_ref() {
            return Err(Flaw::new(
                format!("episode {}", open.id),
                describe(open),
                episode.as_ref().map_or("none".into(), describe),
            ));
        }
        if *band_stored == Band::Within {
            return Err(Flaw::new(format!("episode {}", open.id), "not over", "open"));
        }
    }
    Ok(())
}

/// The first thing wrong with an episode as written down, given how the trail had it before (R74): it makes sense in
/// itself, its past stays, and after closing only `void` may be put on it.
pub(crate) fn prove_episode(before: Option<&Episode>, episode: &Episode) -> Result<(), Flaw> {
    let Episode { id, pool, opened, opened_day, cause, peak, samples, closed, outcome } = episode;
    let flaw = |what: &str, trail: String, stored: String| Err(Flaw::new(format!("episode {id}, {what}"), trail, stored));

    if samples.first().map(|first| first.at) != Some(*opened) {
        return flaw("first sample", opened.to_string(), samples.first().map_or("none".into(), |s| s.at.to_string()));
    }
    let mut last = *opened;
    for sample in samples {
        if sample.at < last || sample.used <= sample.effective {
            return flaw("samples", format!("over, from {last} on"), format!("{sample:?}"));
        }
        last = sample.at;
    }
    let peak_seen = samples.iter().map(|sample| sample.used).max().unwrap_or_default();
    if peak_seen != *peak {
        return flaw("peak", peak_seen.to_string(), peak.to_string());
    }
    if closed.is_some() != outcome.is_some() || closed.is_some_and(|closed| closed < last) {
        return flaw("end", format!("with an outcome, not before {last}"), describe(episode));
    }

    let Some(before) = before else { return Ok(()) };
    if (&before.pool, before.opened, before.opened_day) != (pool, *opened, *opened_day) {
        return flaw("opening", describe(before), describe(episode));
    }
    let void = *outcome == Some(Outcome::Void);
    let past_stays = match before.closed {
        None => samples.starts_with(&before.samples),
        Some(_) => samples == &before.samples && closed == &before.closed && void,
    };
    if past_stays && (void || *cause == before.cause) { Ok(()) } else { flaw("its past", describe(before), describe(episode)) }
}

/// An episode on one line.
fn describe(episode: &Episode) -> String {
    let Episode { id: _, pool, opened, opened_day: _, cause, peak, samples, closed, outcome } = episode;
    let end = match (closed, outcome) {
        (Some(closed), Some(outcome)) => format!("{} at {closed}", outcome.word()),
        (None, None) => "open".into(),
        (closed, outcome) => format!("{outcome:?} at {closed:?}"),
    };
    let last = samples.last().map_or("none".into(), |s| format!("{} of {} at {}", s.used, s.effective, s.at));
    format!("{pool}, opened {opened}, {}, peak {peak}, {} samples, last {last}, {end}", cause.word(), samples.len())
}

fn limit(seats: Option<Seats>) -> String {
    seats.map_or("unlimited".into(), |seats| seats.to_string())
}

fn same<T: PartialEq + ToString>(what: impl FnOnce() -> String, trail: T, stored: T) -> Result<(), Flaw> {
    if trail == stored { Ok(()) } else { Err(Flaw::new(what(), trail, stored)) }
}
