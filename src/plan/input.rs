//! Everything a plan depends on, as values. Same input, same plan, byte for byte.

use std::collections::BTreeMap;

use crate::base::{Calendar, ClaimId, CustomerId, Day, Digest, EpisodeId, Instant, PersonKey, PoolId, SourceId, Version};
use crate::license::{
    Absence, AgreedExcess, Book, Claim, ClockFact, Delivery, Episode, Gone, Grant, GuardDay, Hold, OrgMark, Phase, Pin, Pool,
    PoolBooks, PoolTerms, Product, ReuseYear, SourceMark, Term,
};
use crate::plan::action::Notice;
use crate::plan::guard::Verdict;
use crate::plan::limits::{GuardLimits, GuardWindow};
use crate::plan::rule::Rule;
use crate::roster::{Roster, RosterDelta};

/// What the settings say of a customer, as far as planning goes.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    /// The customer.
    pub customer: CustomerId,
    /// What is licensed, in the order of the settings.
    pub products: Vec<Product>,
    /// The pools, in the order of the settings.
    pub pools: Vec<Pool>,
    /// Who ought to have what.
    pub rules: Vec<Rule>,
    /// When a plan becomes a hold.
    pub limits: GuardLimits,
    /// Dates on which other limits hold (R124).
    pub guard_windows: Vec<GuardWindow>,
    /// After how many consecutive complete snapshots an absence counts (R131).
    pub absence_confirmations: u32,
    /// After how many days a seat whose invitation was not accepted is freed (R45); 0: never.
    pub pending_expire_days: u32,
    /// After how many days a removed person is deleted for good (R130); 0: at once; `None`: never.
    pub purge_after_days: Option<u32>,
    /// The customer's calendar: whose "today" decides about enrollments.
    pub calendar: Calendar,
    /// Digest of all of the above as configured; part of the plan's id (R113).
    pub digest: Digest,
}

/// The customer's books as of one version.
#[derive(Clone, Debug, Default)]
pub struct Standing {
    /// Which version.
    pub version: Version,
    /// Open claims by person.
    pub book: Book,
    /// All grants ever recorded, by id.
    pub grants: Vec<Grant>,
    /// All agreed excesses ever recorded, by id.
    pub agreed: Vec<AgreedExcess>,
    /// Pins in force or not, by (person, pool).
    pub pins: Vec<Pin>,
    /// Books of each pool that was ever written.
    pub pools: BTreeMap<PoolId, PoolBooks>,
    /// When the newest episode of each pool closed, void ones left out: the next one does not open before (I7).
    pub overage_ended: BTreeMap<PoolId, Instant>,
    /// Definitions of pools as last written down.
    pub terms: BTreeMap<PoolId, PoolTerms>,
    /// Who is missing or removed, by person.
    pub absences: Vec<Absence>,
    /// What was last taken in, by source.
    pub sources: BTreeMap<SourceId, SourceMark>,
    /// The newest hold, open or not.
    pub hold: Option<Hold>,
    /// What was removed lately, by source and date.
    pub guard_days: Vec<GuardDay>,
    /// When it was committed; never before an earlier version.
    pub at: Instant,
    /// What the clocks of open episodes wrote down, in order, and under `None` those of pools as such; of closed ones,
    /// whose clock they went on with.
    pub clock: BTreeMap<Option<EpisodeId>, Vec<ClockFact>>,
    /// Deliveries of the notices of open episodes, by notice and channel.
    pub deliveries: BTreeMap<EpisodeId, Vec<Delivery>>,
    /// The newest closed episode of each pool, void ones left out (R62).
    pub former: BTreeMap<PoolId, Episode>,
    /// All orgs ever delivered, by id; empty in a standing without claims.
    pub orgs: Vec<OrgMark>,
    /// Terms of pools as last recorded, by id.
    pub chain: Vec<Term>,
    /// Where each pool with terms is in its chain, as last written down.
    pub phases: BTreeMap<PoolId, Phase>,
    /// The license years of pools whose people are counted (R81).
    pub reuse: BTreeMap<PoolId, ReuseYear>,
    /// Who had a seat in that year and has none now.
    pub gone: Gone,
    /// The id the next claim gets.
    pub next_claim: ClaimId,
    /// The id the next episode gets.
    pub next_episode: EpisodeId,
}

/// What one run plans from.
#[derive(Clone, Debug)]
pub struct PlanInput<'a> {
    /// When, asked once (HOUSE §3).
    pub now: Instant,
    /// The customer's local date at `now`.
    pub today: Day,
    /// The settings.
    pub policy: &'a Policy,
    /// The books.
    pub standing: &'a Standing,
    /// The roster to reach.
    pub roster: &'a Roster,
    /// The roster the books rest on; positions of `delta` before the change are its.
    pub before: &'a Roster,
    /// What changed since then.
    pub delta: &'a RosterDelta,
    /// The snapshots this run takes in; empty when only time passed.
    pub fresh: &'a [SourceMark],
    /// Sources of which some people were taken in by themselves; nobody else is looked at (R96).
    pub amended: &'a [SourceMark],
    /// Packages that came again under another name; noted, and otherwise nothing.
    pub repeated: &'a [SourceMark],
    /// Sources whose stored snapshot was made again without people who are deleted for good (R130).
    pub remade: &'a [SourceMark],
    /// Claims that a removal released, of people who are back before their purge, by key (R130).
    pub former: &'a BTreeMap<String, Vec<Claim>>,
    /// What the guards said of `delta`.
    pub verdict: &'a Verdict,
    /// Whose removal the guards hold, sorted.
    pub held: &'a [PersonKey],
    /// Sources whose absences count at once, without further snapshots, because an admin said so (R131).
    pub confirmed: &'a [SourceId],
    /// Sources whose fresh snapshot does not tell of all people: it confirms no absence (R131).
    pub partial: &'a [SourceId],
    /// People whose absence counts at once, because an admin named them, sorted.
    pub gone: &'a [PersonKey],
    /// Which source had somebody who left, where more than one was read; of all others it is the one that was.
    pub owners: &'a BTreeMap<String, SourceId>,
    /// People whom nothing but a file by hand delivers, sorted: they ask as a hand does and never overdraw (R47).
    pub by_hand: &'a [PersonKey],
    /// Grants of the settings to be recorded with this run; `standing` counts them already.
    pub new_grants: &'a [Grant],
    /// Agreed excesses of the settings to be recorded with this run; `standing` counts them already.
    pub new_agreed: &'a [AgreedExcess],
    /// Terms of the settings to be recorded with this run; `standing` counts them already.
    pub new_terms: &'a [Term],
    /// Known people and the new keys that claim their e-mail (R5); the new ones are not in `roster`.
    pub conflicts: &'a [(PersonKey, PersonKey)],
    /// What becomes of holds in this run.
    pub holding: &'a Holding,
}

/// What becomes of holds in a run, and what they do to it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holding {
    /// Holds that open, move or close: their whole state.
    pub holds: Vec<Hold>,
    /// What to tell of them (R122).
    pub notices: Vec<Notice>,
    /// What was removed on this date so far (R116).
    pub days: Vec<GuardDay>,
    /// New people who get no seats, sorted (R117).
    pub withheld: Vec<PersonKey>,
    /// People whose removal was approved: their absence is confirmed by it, sorted (R115).
    pub approved: Vec<PersonKey>,
    /// Whether a decision is still awaited: an overage that only held people make is provisional (R123).
    pub open: bool,
}

impl Policy {
    /// The guards' limits on a local date: those of the first window that has it, else the customer's (R124).
    pub fn limits_on(&self, today: Day) -> GuardLimits {
        let window = self.guard_windows.iter().find(|window| window.from <= today && today < window.to);
        window.map_or(self.limits, |window| window.limits)
    }
}
