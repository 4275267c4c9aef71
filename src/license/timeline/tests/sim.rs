//! A pool in a small world of its own: events at instants, and somebody who looks now and then.

use crate::base::{Actor, Calendar, Day, EpisodeId, Instant, Seats};
use crate::license::allowance::allowance_at;
use crate::license::band::band;
use crate::license::books::{Band, Cause, Causes, Episode, Outcome, PoolBooks, StateCounts};
use crate::license::causes::{Situation, leading_cause, step};
use crate::license::chain::Phase;
use crate::license::claim::ClaimState;
use crate::license::clauses::Clauses;
use crate::license::clock_fact::{ClockFact, ClockStep, Delivery, Facts, is_frozen};
use crate::license::clock_proof::{prove_delivery, prove_fact};
use crate::license::entry::Entry;
use crate::license::episode::Observation;
use crate::license::grant::{Grant, GrantKind};
use crate::license::hold::{Hold, HoldState};
use crate::license::pool::{Audience, OnFull, OverageLimits, Pool};
use crate::license::stage::Stage;
use crate::license::tier::{Jump, Ladder, Tier};
use crate::license::timeline::{Case, Former, Surroundings, Timeline};

pub(super) fn at(text: &str) -> Instant {
    Instant::parse(text).expect("an instant")
}

#[derive(Clone, Debug)]
pub(super) enum Event {
    /// A run takes in a snapshot with so many people.
    Run(u32),
    /// The newest major notice is delivered.
    Deliver,
    Freeze(bool),
    Approve,
    /// So many seats are bought, in force so many hours later.
    Buy(i64, i64),
    /// A guard holds something, for so many hours.
    Hold(i64),
    /// An overage of another pool of the customer becomes provisional, or is none any more.
    Provisional(bool),
}

pub(super) struct Sim {
    pool: Pool,
    pub(super) grants: Vec<Grant>,
    deliveries: Vec<Delivery>,
    facts: Vec<ClockFact>,
    billing: Vec<ClockFact>,
    pub(super) all: Vec<ClockFact>,
    pub(super) episodes: Vec<Episode>,
    former: Option<Former>,
    used: Seats,
    causes: Causes,
    since: Instant,
    snapshot: Option<Instant>,
    hold: Option<Hold>,
    provisional: bool,
    next: EpisodeId,
}

impl Sim {
    pub(super) fn new(clauses: Clauses, seats: u32) -> Self {
        let pool = Pool {
            id: "p".into(),
            product: "p".into(),
            owner: "d".into(),
            audience: Audience::Any,
            unlimited: false,
            on_full: OnFull::Overdraw,
            overage: OverageLimits::CONTRACT,
            clauses,
            reservations: Vec::new(),
            calendar: Calendar::in_zone("Europe/London").expect("a zone"),
            anchor: Day::parse("2026-01-01"),
            renewal: Default::default(),
            reuse: Default::default(),
        };
        let bought = grant("first", i64::from(seats), Instant::MIN, Instant::MIN);
        Self {
            pool,
            grants: vec![bought],
            deliveries: Vec::new(),
            facts: Vec::new(),
            billing: Vec::new(),
            all: Vec::new(),
            episodes: Vec::new(),
            former: None,
            used: Seats(0),
            causes: Causes::new(),
            since: Instant::MIN,
            snapshot: None,
            hold: None,
            provisional: false,
            next: EpisodeId(1),
        }
    }

    /// The same where other days count, and license years begin on another day.
    pub(super) fn where_days_are(mut self, calendar: Calendar, anchor: &str) -> Self {
        (self.pool.calendar, self.pool.anchor) = (calendar, Day::parse(anchor));
        self
    }

    fn open(&self) -> Option<Episode> {
        self.episodes.last().filter(|episode| episode.closed.is_none()).cloned()
    }

    fn situation(&self, at: Instant) -> Situation {
        Situation { used: self.used, allowance: allowance_at(&self.pool, &self.grants, &[], at) }
    }

    /// Keeps what a timeline came to; every fact is proved by what was there before it.
    fn keep(&mut self, entries: Vec<Entry>, now: Instant) {
        for entry in entries {
            match entry {
                Entry::Granted(grant) => self.grants.push(grant),
                Entry::Episode(episode) => {
                    if episode.closed.is_some() && episode.outcome != Some(Outcome::Void) {
                        let day0 = Facts(&self.facts).continues().map_or(episode.opened_day, |(_, day0)| day0);
                        self.former = episode.closed.map(|closed| Former { episode: episode.id, day0, closed });
                    }
                    match self.episodes.iter_mut().find(|known| known.id == episode.id) {
                        Some(known) => *known = episode,
                        None => {
                            self.facts.clear();
                            self.episodes.push(episode);
                        }
                    }
                }
                Entry::Clock(fact) => {
                    let episode = self.episodes.iter().find(|episode| Some(episode.id) == fact.episode);
                    let grants = &self.grants;
                    prove_fact(&fact, episode, &self.facts, |id| grants.iter().find(|grant| grant.id == *id)).expect("a proof");
                    self.all.push(fact.clone());
                    self.facts.push(fact);
                }
                other => panic!("{other:?}"),
            }
        }
        self.since = self.since.max(now);
    }

    /// Somebody looks.
    pub(super) fn look(&mut self, now: Instant) {
        let (pool, grants, deliveries) = (self.pool.clone(), self.grants.clone(), self.deliveries.clone());
        let before = self.situation(self.since);
        let hold = self.hold.clone();
        let around = Surroundings {
            since: self.since,
            newest_snapshot: self.snapshot,
            stale_after_hours: 36,
            hold: hold.as_ref(),
            provisional: self.provisional,
            frozen: is_frozen(&self.billing, &self.pool.id),
        };
        let case = case(&pool, &grants, &deliveries, self.former, now);
        let mut counts = StateCounts::default();
        counts.set(ClaimState::Active, self.used);
        let books = PoolBooks {
            counts,
            allowance: before.allowance,
            causes: self.causes.clone(),
            band: Band::Within,
            episode: None,
            held_back: Seats(0),
            provisional: None,
        };
        let mut line = Timeline::new(case, self.open(), self.facts.clone());
        let affected = line.pass(&around, &books, &mut self.next);
        let entries = std::mem::take(&mut line.entries);
        drop(line);
        if affected || !entries.is_empty() {
            self.keep(entries, now);
            self.causes = step(&self.causes, before, self.situation(now), Cause::SyncOverdraw);
        }
    }

    fn observe(&mut self, now: Instant, before: Situation) {
        let after = self.situation(now);
        self.causes = step(&self.causes, before, after, Cause::SyncOverdraw);
        let effective = after.allowance.effective();
        let seen = Observation {
            pool: self.pool.id.clone(),
            at: now,
            day: self.pool.calendar.day_of(now),
            used: self.used,
            effective,
            band: band(self.used, effective, &self.pool.overage),
            cause: leading_cause(&self.causes).unwrap_or(Cause::SyncOverdraw),
        };
        let (pool, grants, deliveries) = (self.pool.clone(), self.grants.clone(), self.deliveries.clone());
        let case = case(&pool, &grants, &deliveries, self.former, now);
        let mut line = Timeline::new(case, self.open(), self.facts.clone());
        line.observe(&seen, &mut self.next);
        let entries = std::mem::take(&mut line.entries);
        self.keep(entries, now);
    }

    pub(super) fn happen(&mut self, now: Instant, event: &Event) {
        self.look(now);
        let before = self.situation(now);
        let by = Actor::operator("ann");
        let fact = |step: ClockStep, episode: Option<EpisodeId>| ClockFact {
            pool: "p".into(),
            episode,
            at: now,
            recorded: now,
            by: by.clone(),
            step,
        };
        match event {
            Event::Run(used) => {
                self.used = Seats(*used);
                self.snapshot = Some(now);
                self.observe(now, before);
            }
            Event::Deliver => {
                let stage = Facts(&self.facts).stages().next_back();
                let key = stage.filter(|(_, stage)| stage.stage == Stage::Major).and_then(|(_, stage)| stage.notice.clone());
                let Some(key) = key.filter(|key| self.deliveries.iter().all(|d| d.key != *key)) else { return };
                let episode = self.open().map(|episode| episode.id);
                let delivery = Delivery { key, episode, channel: "phone".into(), at: now, recorded: now, by: by.clone() };
                prove_delivery(&delivery, &self.facts).expect("a proof");
                self.deliveries.push(delivery);
            }
            Event::Freeze(freeze) => {
                if is_frozen(&self.billing, &self.pool.id) == *freeze {
                    return;
                }
                let reason = String::new();
                let step = if *freeze { ClockStep::Frozen { reason } } else { ClockStep::Unfrozen { reason } };
                let fact = fact(step, None);
                prove_fact(&fact, None, &self.billing, |_| None).expect("a proof");
                self.billing.push(fact);
            }
            Event::Approve => {
                let round = Facts(&self.facts).rounds(Stage::Major);
                if round == 0 || self.open().is_none() || Facts(&self.facts).is_approved(round) {
                    return;
                }
                let fact = fact(ClockStep::Approved { round, reason: String::new() }, self.open().map(|episode| episode.id));
                self.keep(vec![Entry::Clock(fact)], now);
            }
            Event::Buy(seats, hours) => {
                let id = format!("buy-{}", self.grants.len());
                self.grants.push(grant(&id, *seats, now.plus_millis(hours * 3_600_000), now));
                self.observe(now, before);
            }
            Event::Hold(hours) => self.hold = Some(hold(now, now.plus_millis(hours * 3_600_000))),
            Event::Provisional(is) => self.provisional = *is,
        }
        self.since = self.since.max(now);
    }

    /// What happened, without when it was written down.
    pub(super) fn history(&self) -> Vec<String> {
        self.history_before(0)
    }

    /// The same with every date so many days before it was.
    pub(super) fn history_before(&self, days: i32) -> Vec<String> {
        let earlier = |at: Instant| at.plus_millis(-i64::from(days) * 86_400_000);
        let fact = |fact: &ClockFact| {
            let what = match &fact.step {
                ClockStep::Stage(stage) => format!("{} {}", stage.stage.word(), stage.why.word()),
                ClockStep::Withheld { reasons, .. } => {
                    format!("withheld {}", reasons.iter().map(|reason| reason.word()).collect::<Vec<_>>().join(" "))
                }
                ClockStep::Upgraded { from, to, charge, .. } => {
                    format!("upgraded {from} to {to} for {}", charge.as_ref().map_or(0, |charge| charge.amount))
                }
                ClockStep::Settled(settled) => format!("{} on day {}", settled.outcome.word(), settled.elapsed),
                ClockStep::Continues { of, day0 } => format!("continues {of} from {}", day0.plus(-days)),
                ClockStep::GapEntered { .. } => "gap".into(),
                ClockStep::CureEnded { .. } => "cure ended".into(),
                ClockStep::Approved { .. } => "approved".into(),
                other => panic!("{other:?}"),
            };
            format!("{} {} {what}", earlier(fact.at), fact.episode.map_or(0, |id| id.0))
        };
        self.all.iter().map(fact).collect()
    }
}

fn case<'a>(pool: &'a Pool, grants: &'a [Grant], deliveries: &'a [Delivery], former: Option<Former>, now: Instant) -> Case<'a> {
    let (taken, phase, anchor) = (grants, &Phase::UNBOUND, pool.anchor);
    Case { pool, grants, agreed: &[], taken, deliveries, former, phase, anchor, now }
}

fn grant(id: &str, seats: i64, from: Instant, recorded: Instant) -> Grant {
    Grant {
        id: id.into(),
        pool: "p".into(),
        seats,
        from,
        to: Instant::MAX,
        recorded,
        by: Actor::operator("ann"),
        kind: GrantKind::Purchase,
        reference: String::new(),
    }
}

fn hold(opened: Instant, deadline: Instant) -> Hold {
    Hold {
        run: crate::base::RunId(1),
        plan: Default::default(),
        opened,
        deadline,
        trips: Vec::new(),
        removals: Vec::new(),
        additions: Vec::new(),
        packages: Vec::new(),
        empty: false,
        state: HoldState::Open,
        by: None,
        at: None,
        exceptions: Vec::new(),
        used: None,
        told: Day(0),
    }
}

pub(super) fn ladder(tiers: &[u32], jump: Jump) -> Ladder {
    let tier = |seats: &u32| Tier { seats: Seats(*seats), price: Some(u64::from(*seats) * 1200) };
    Ladder { tiers: tiers.iter().map(tier).collect(), jump, currency: "EUR".into() }
}

pub(super) fn contract(tiers: &[u32]) -> Clauses {
    Clauses { ladder: ladder(tiers, Jump::Next), ..Clauses::CONTRACT }
}

/// Plays events, looks at the end, and tells the history.
pub(super) fn play(clauses: Clauses, seats: u32, events: &[(&str, Event)], end: &str) -> Vec<String> {
    let mut sim = Sim::new(clauses, seats);
    for (when, event) in events {
        sim.happen(at(when), event);
    }
    sim.look(at(end));
    sim.history()
}

pub(super) type Row<'a> = (&'a str, Clauses, u32, Vec<(&'a str, Event)>, &'a str, &'a [&'a str]);

pub(super) fn check(rows: Vec<Row<'_>>) {
    for (case, clauses, seats, events, end, expected) in rows {
        assert_eq!(play(clauses, seats, &events, end), expected, "{case}");
    }
}

// 100 seats: 101 to 105 are minor, 106 is the gap, 107 is major.
pub(super) const MON: &str = "2026-03-02T09:00:00Z";
pub(super) const TUE: &str = "2026-03-03T09:00:00Z";
pub(super) const WED: &str = "2026-03-04T09:00:00Z";
pub(super) const THU: &str = "2026-03-05T09:00:00Z";
pub(super) const FRI: &str = "2026-03-06T09:00:00Z";
