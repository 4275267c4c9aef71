//! Plays the days to come: what the daemon will do if nothing new arrives and nobody decides anything. Each day is
//! worked out by the very functions that runs and sweeps use, on books that the trail led to, and each outcome is folded
//! into them as a commit would be, so that every step is proved as the trail's own are.
//!
//! What is assumed: sources stay as fresh as they are now, and a notice of a major overage arrives when it is written.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::{Actor, Day, EpisodeId, Instant, PersonKey, PoolId, RunId, Seats, TextArena, Version};
use crate::license::{
    AgreedExcess, Allowance, Band, ClaimChange, ClaimState, ClockFact, Delivery, Entry, Facts, Grant, Hold, Ledger, Mismatch,
    Names, Phase, Stage, Term, TermState, next_phase_change,
};
use crate::plan::dates::acting_dates;
use crate::plan::decide::refill;
use crate::plan::decision::{Decided, Desk};
use crate::plan::demand::PlanError;
use crate::plan::fold::{standing_of, used_by_org};
use crate::plan::guard::Verdict;
use crate::plan::hold::{Sight, approval};
use crate::plan::holding::{holding_after, still_held};
use crate::plan::input::{PlanInput, Policy, Standing};
use crate::plan::license_year::reuse_rolls;
use crate::plan::overage::timeline;
use crate::plan::planner::plan;
use crate::plan::sweep::Sweep;
use crate::plan::terms::{carried_grants, phase_due};
use crate::roster::{Roster, RosterDelta};

/// Steps at one instant; more would be a clock that runs in a circle.
const STEPS_MAX: u32 = 1000;

/// By which channel an assumed delivery comes.
const ASSUMED: &str = "assumed";

/// What the days to come are worked out from.
#[derive(Clone, Debug)]
pub struct Prospect<'a> {
    /// The settings.
    pub policy: &'a Policy,
    /// The newest roster.
    pub roster: &'a Roster,
    /// People whom nothing but a file by hand delivers, sorted.
    pub by_hand: &'a [PersonKey],
    /// Whether the sources are fresh now; they stay so, or stay stale.
    pub fresh: bool,
    /// `sync.stale_after`, in hours.
    pub stale_after_hours: u32,
    /// Grants of the settings that the next run records.
    pub grants: Vec<Grant>,
    /// Agreed excesses of the settings that the next run records.
    pub agreed: Vec<AgreedExcess>,
    /// Terms of the settings that the next run records.
    pub terms: Vec<Term>,
    /// When the newest commit was made.
    pub since: Instant,
    /// Now.
    pub now: Instant,
    /// The last day, in the customer's calendar.
    pub last: Day,
}

/// Why the days to come cannot be told.
#[derive(Debug, thiserror::Error)]
pub enum AheadError {
    /// The settings and the roster do not fit.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// A step does not follow from the books: a bug.
    #[error(transparent)]
    Mismatch(Box<Mismatch>),
}

/// How a pool stands from an instant on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// From when on.
    pub at: Instant,
    /// Used.
    pub used: Seats,
    /// Waiting.
    pub waiting: Seats,
    /// Suspended.
    pub suspended: Seats,
    /// What was bought and agreed.
    pub allowance: Allowance,
    /// The band.
    pub band: Band,
    /// Where it is in its terms.
    pub term: TermState,
    /// The stage of its open episode.
    pub stage: Option<Stage>,
}

/// What the days to come bring.
#[derive(Debug, Default)]
pub struct Ahead {
    /// How each pool stands, in the order of time; the first is how it stands now.
    pub marks: BTreeMap<PoolId, Vec<Mark>>,
    /// Stages that are on now.
    pub stages: Vec<ClockFact>,
    /// What clocks will write down, in order.
    pub facts: Vec<ClockFact>,
    /// When the cure windows of major stages end, by episode and round.
    pub windows: BTreeMap<(EpisodeId, u32), Instant>,
    /// Pools that will move on in their terms, in order.
    pub phases: Vec<(PoolId, Phase)>,
    /// Who will lose a seat, pool by pool, and when.
    pub leavers: BTreeMap<PoolId, Vec<(String, Instant)>>,
    /// The terms of all pools.
    pub chain: Vec<Term>,
}

struct Player<'a> {
    prospect: Prospect<'a>,
    ledger: Ledger,
    standing: Standing,
    /// When the clocks of overages have something to do next.
    due: Instant,
    /// Seats were given or taken outside of a run: the next date's looks at everything again.
    unsettled: bool,
    ahead: Ahead,
}

/// Plays the days to come on top of these books.
///
/// # Errors
/// [`AheadError`] if the settings and the roster do not fit.
pub fn play_ahead(ledger: Ledger, prospect: Prospect<'_>) -> Result<Ahead, AheadError> {
    let (now, since, last) = (prospect.now, prospect.since, prospect.last);
    let calendar = &prospect.policy.calendar;
    let calendars = prospect.policy.pools.iter().map(|pool| &pool.calendar).chain([calendar]);
    let until = calendars.map(|calendar| calendar.end_of(last)).max().unwrap_or(now).plus_millis(-1);
    let today = calendar.day_of(now);
    // What became due since the newest commit is done first, and the next run looks at everything once.
    let mut dates = acting_dates(prospect.roster, calendar.day_of(since).min(today), calendar.day_of(until));
    let late = dates.first().is_some_and(|day| *day <= today);
    dates.insert(today.plus(1));
    for pin in ledger.pins().filter(|pin| pin.until != Day::MAX) {
        if let Some(pool) = prospect.policy.pools.iter().find(|pool| pool.id == pin.pool) {
            let over = pool.calendar.end_of(pin.until);
            let day = calendar.day_of(over);
            dates.insert(if calendar.start_of(day) < over { day.plus(1) } else { day });
        }
    }
    let standing = Standing { at: since, ..standing_of(&ledger) };
    let mut player = Player { prospect, ledger, standing, due: Instant::MAX, unsettled: false, ahead: Ahead::default() };
    player.begin();
    player.tick(now, late)?;
    let mut at = now;
    while let Some(next) = player.next(at, until, &dates) {
        let calendar = &player.prospect.policy.calendar;
        let day = calendar.day_of(next);
        let runs = calendar.start_of(day) == next && player.acts_on(day, &dates);
        player.tick(next, runs)?;
        at = next;
    }
    Ok(Ahead { chain: player.standing.chain, ..player.ahead })
}

impl Player<'_> {
    fn begin(&mut self) {
        let open = self.standing.pools.values().filter_map(|books| books.episode.as_ref());
        let stage = |facts: &Vec<ClockFact>| Facts(facts).stages().next_back().map(|(fact, _)| fact.clone());
        let stages = open.filter_map(|episode| self.standing.clock.get(&Some(episode.id)).and_then(stage));
        self.ahead.stages = stages.collect();
        self.mark(self.prospect.now);
    }

    /// A minute of the daemon: what is due in overages, then what a date does, then deliveries of what that told.
    fn tick(&mut self, now: Instant, runs: bool) -> Result<(), AheadError> {
        self.sweep(now)?;
        let policy = self.prospect.policy;
        let calendar = &policy.calendar;
        let mut runs = runs || (self.unsettled && calendar.start_of(calendar.day_of(now)) == now);
        while let Some(due) = self.has_roster().then(|| phase_due(policy, &self.standing, now)).flatten() {
            let version = self.ledger.version();
            self.run(due)?;
            runs = true;
            if self.ledger.version() == version {
                break;
            }
        }
        if runs && self.has_roster() {
            self.run(now)?;
        }
        for _ in 0..STEPS_MAX {
            self.sweep(now)?;
            if !self.deliver(now)? {
                break;
            }
        }
        Ok(())
    }

    /// Before the first roster nobody has a seat, and no run changes anything.
    fn has_roster(&self) -> bool {
        !self.standing.sources.is_empty()
    }

    /// The next instant at which something may happen.
    fn next(&self, at: Instant, until: Instant, dates: &BTreeSet<Day>) -> Option<Instant> {
        let Policy { pools, calendar, .. } = self.prospect.policy;
        let phases = pools.iter().filter_map(|pool| next_phase_change(&self.standing.chain, pool, at, until));
        let today = calendar.day_of(at);
        let date = dates.range(today.plus(1)..).next().copied().into_iter().chain(self.waits_for(today)).min();
        let date = date.map(|day| calendar.start_of(day));
        let years = pools.iter().filter_map(|pool| reuse_rolls(pool, &self.standing));
        phases.chain(years).chain(date).chain([self.due]).filter(|next| at < *next && *next <= until).min()
    }

    fn acts_on(&self, day: Day, dates: &BTreeSet<Day>) -> bool {
        dates.contains(&day) || self.waits_for(day.plus(-1)).is_some_and(|next| next <= day)
    }

    /// The date after `today` that what stands in the books waits for: an overage that does not count yet (R123), an
    /// invitation that lapses (R45), a queue that was looked at outside of a run.
    fn waits_for(&self, today: Day) -> Option<Day> {
        let policy = self.prospect.policy;
        let provisional = self.standing.pools.values().any(|books| books.provisional.is_some());
        let tomorrow = (provisional || self.unsettled).then(|| today.plus(1));
        let lapse_days = i32::try_from(policy.pending_expire_days).unwrap_or(i32::MAX);
        let pending = self.standing.book.claims.iter().filter(|claim| lapse_days > 0 && claim.state == ClaimState::Pending);
        let lapses = pending.map(|claim| policy.calendar.day_of(claim.changed).plus(lapse_days).plus(1));
        lapses.filter(|day| *day > today).chain(tomorrow).min()
    }

    /// What is due in overages, as the sweep does it.
    fn sweep(&mut self, now: Instant) -> Result<(), AheadError> {
        for _ in 0..STEPS_MAX {
            let Prospect { policy, roster, fresh, stale_after_hours, .. } = self.prospect;
            let newest_snapshot = fresh.then_some(Instant::MAX);
            let mut swept = Sweep { policy, standing: &self.standing, newest_snapshot, stale_after_hours, now }.swept();
            if swept.is_empty() {
                self.due = swept.next;
                break;
            }
            let decided = if swept.affected.is_empty() {
                Decided { names: self.standing.book.names.clone(), ..Decided::default() }
            } else {
                self.unsettled = true;
                let after = swept.applied(&self.standing);
                let used_by_org = used_by_org(&after.book);
                let desk = Desk { now, policy, standing: &after, roster, used_by_org: &used_by_org, episodes: &[] };
                refill(&desk, &swept.affected)?
            };
            swept.entries.extend(decided.entries);
            self.commit(now, &decided.names, &decided.people, &decided.changes, &swept.entries)?;
        }
        Ok(())
    }

    /// A run that reads nothing.
    fn run(&mut self, now: Instant) -> Result<(), AheadError> {
        self.sweep(now)?;
        self.unsettled = false;
        let policy = self.prospect.policy;
        let new_agreed = std::mem::take(&mut self.prospect.agreed);
        let new_terms = std::mem::take(&mut self.prospect.terms);
        let mut new_grants = std::mem::take(&mut self.prospect.grants);
        self.standing.grants.extend(new_grants.iter().cloned());
        self.standing.agreed.extend(new_agreed.iter().cloned());
        self.standing.chain.extend(new_terms.iter().cloned());
        let carried = carried_grants(policy, &self.standing, now);
        self.standing.grants.extend(carried.iter().cloned());
        new_grants.extend(carried);

        let standing = &self.standing;
        let today = policy.calendar.day_of(now);
        let newest = standing.hold.as_ref();
        let approval = approval(newest, now, &[]);
        let held = still_held(standing, approval.as_ref());
        let sight = Sight {
            run: RunId(0),
            now,
            calendar: &policy.calendar,
            ttl_hours: policy.limits_on(today).approval_ttl_hours,
            newest,
            used: approval.is_some(),
            judged: None,
        };
        let approved = approval.map_or(Vec::new(), |approval| approval.removals);
        let holding = holding_after(&sight, approved, Vec::new(), |after| after.map_or(Vec::new(), Hold::withheld));
        let (delta, verdict) = (RosterDelta::default(), Verdict::default());
        let (former, owners) = (BTreeMap::new(), BTreeMap::new());
        let plan = plan(&PlanInput {
            now,
            today,
            policy,
            standing,
            roster: self.prospect.roster,
            before: self.prospect.roster,
            delta: &delta,
            fresh: &[],
            amended: &[],
            repeated: &[],
            remade: &[],
            former: &former,
            verdict: &verdict,
            held: &held,
            confirmed: &[],
            partial: &[],
            gone: &[],
            owners: &owners,
            by_hand: self.prospect.by_hand,
            new_grants: &new_grants,
            new_agreed: &new_agreed,
            new_terms: &new_terms,
            conflicts: &[],
            holding: &holding,
            // What a purchase says of the past is not ahead.
            episodes: &[],
        })?;
        if plan.is_empty() {
            return Ok(());
        }
        self.commit(now, &plan.names, &plan.people, &plan.changes, &plan.entries)
    }

    /// Notices of major stages arrive when they are written. Says whether one did.
    fn deliver(&mut self, now: Instant) -> Result<bool, AheadError> {
        let standing = &self.standing;
        let open = standing.pools.values().filter_map(|books| books.episode.as_ref());
        let missing = open.filter_map(|episode| {
            let facts = standing.clock.get(&Some(episode.id)).map_or(&[][..], Vec::as_slice);
            let (_, stage) = Facts(facts).stages().next_back().filter(|(_, stage)| stage.stage == Stage::Major)?;
            let key = stage.notice.clone()?;
            let known = standing.deliveries.get(&episode.id).is_some_and(|all| all.iter().any(|known| known.key == key));
            (!known).then(|| {
                let (episode, channel) = (Some(episode.id), ASSUMED.to_owned());
                Entry::NoticeDelivered(Delivery { key, episode, channel, at: now, recorded: now, by: Actor::system() })
            })
        });
        let entries: Vec<Entry> = missing.collect();
        if entries.is_empty() {
            return Ok(false);
        }
        let names = standing.book.names.clone();
        self.commit(now, &names, &TextArena::default(), &[], &entries)?;
        Ok(true)
    }

    fn commit(
        &mut self,
        at: Instant,
        names: &Names,
        people: &TextArena,
        changes: &[ClaimChange],
        entries: &[Entry],
    ) -> Result<(), AheadError> {
        let version = Version(self.ledger.version().0 + 1);
        let folded = self.ledger.apply(version, at, names, people, changes, entries);
        folded.map_err(|mismatch| AheadError::Mismatch(Box::new(mismatch)))?;
        self.standing = Standing { at: self.standing.at.max(at), ..standing_of(&self.ledger) };
        for change in changes {
            let left = change.before.as_deref().filter(|before| before.state.consumes() && !change.after.state.consumes());
            if let Some(before) = left {
                let leavers = self.ahead.leavers.entry(names.pool_of(before).clone()).or_default();
                leavers.push((people.get(change.person).to_owned(), at));
            }
        }
        for entry in entries {
            match entry {
                Entry::Clock(fact) => self.ahead.facts.push(fact.clone()),
                Entry::Phase { pool, phase } => self.ahead.phases.push((pool.clone(), phase.clone())),
                _ => {}
            }
        }
        self.mark(at);
        Ok(())
    }

    /// Notes how pools stand from an instant on.
    fn mark(&mut self, at: Instant) {
        let Standing { grants, agreed, phases, clock, .. } = &self.standing;
        for pool in &self.prospect.policy.pools {
            let phase = phases.get(&pool.id).unwrap_or(&Phase::UNBOUND);
            let line = timeline(pool, &self.standing, (grants, agreed), phase, at);
            let window = line.window().filter(|window| window.start.is_some());
            let episode = line.episode.as_ref().map(|episode| episode.id);
            let round = clock.get(&episode).map_or(0, |facts| Facts(facts).rounds(Stage::Major));
            self.ahead.windows.extend(episode.zip(window).map(|(id, window)| ((id, round), window.ends)));
        }
        for (pool, books) in &self.standing.pools {
            let facts = books.episode.as_ref().and_then(|episode| self.standing.clock.get(&Some(episode.id)));
            let stage = facts.and_then(|facts| Facts(facts).stages().next_back().map(|(_, stage)| stage.stage));
            let mark = Mark {
                at: at.max(self.prospect.now),
                used: books.counts.used(),
                waiting: books.counts.of(ClaimState::Waiting),
                suspended: books.counts.of(ClaimState::Suspended),
                allowance: books.allowance,
                band: books.band,
                term: self.standing.phases.get(pool).map_or(TermState::Unbound, |phase| phase.state),
                stage,
            };
            let marks = self.ahead.marks.entry(pool.clone()).or_default();
            if marks.last().is_none_or(|last| Mark { at: mark.at, ..*last } != mark) {
                marks.push(mark);
            }
        }
    }
}
