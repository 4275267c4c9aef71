//! The end of a cure window: the next tier is taken, or it is told once why not (R66, R67, R69, R70, R77).

use crate::base::Actor;
use crate::base::{GrantId, Instant};
use crate::license::band::band;
use crate::license::books::{Episode, Outcome, Sample};
use crate::license::clauses::{AutoUpgrade, CureFrom};
use crate::license::clock_fact::{ClockStep, Delivery, Facts, Interlock, StageFact};
use crate::license::entry::Entry;
use crate::license::grant::{Grant, GrantKind};
use crate::license::stage::Stage;
use crate::license::tier::Quote;
use crate::license::timeline::{Case, Surroundings, Timeline, key, used_at};
use crate::license::window::major_deadline;

impl<'a> Timeline<'a> {
    /// Stages up to and including `until`, and what is due by then, until a tier was taken. Says whether one was.
    pub(super) fn upgrade_to(&mut self, around: &Surroundings<'_>, until: Instant) -> bool {
        loop {
            self.run_to(until);
            let Some(due) = self.due(around, until) else { return false };
            match due {
                Due::Take { at, round, offer } => {
                    self.take(at, round, offer);
                    return true;
                }
                Due::Withhold { at, round, reasons, offer } => {
                    let Some(episode) = &self.episode else { return false };
                    let n = Facts(&self.facts).withheld(round).len() + 1;
                    let notice = format!("{}/{round}/{n}", key("upgrade_withheld", episode));
                    self.note(at, ClockStep::Withheld { round, reasons, offer, notice });
                }
            }
        }
    }

    /// What is due by the end of a cure window, if it ended by `until` and is not done or told yet (R67, R69).
    fn due(&self, around: &Surroundings<'_>, until: Instant) -> Option<Due> {
        let clauses = self.clauses();
        if clauses.auto_upgrade == AutoUpgrade::Off || Facts(&self.facts).upgraded_last().is_some() {
            return None;
        }
        let ends = self.window()?.ends;
        let (_, stage) = Facts(&self.facts).stages().next_back()?;
        let first = ends.max(around.since);
        // Time alone lifts a hold, and makes a snapshot stale; all else comes with a commit.
        let mut looks = vec![first];
        looks.extend(around.hold.filter(|hold| hold.is_open(first)).map(|hold| hold.deadline));
        looks.extend(around.stale_from().filter(|stale| *stale > first));
        looks.sort_unstable();
        let told = Facts(&self.facts).withheld(stage.round);
        for at in looks.into_iter().filter(|at| *at <= until) {
            let episode = self.episode.as_ref()?;
            let offer = self.offer(episode, at);
            let reasons = self.interlocks(around, at, offer.is_some(), stage);
            match offer {
                Some(offer) if reasons.is_empty() => return Some(Due::Take { at, round: stage.round, offer }),
                offer => {
                    let reasons: Vec<Interlock> = reasons.into_iter().filter(|reason| !told.contains(reason)).collect();
                    if !reasons.is_empty() {
                        return Some(Due::Withhold { at, round: stage.round, reasons, offer });
                    }
                }
            }
        }
        None
    }

    /// The cure window of the major stage that is on; `None` in any other stage.
    pub fn window(&self) -> Option<Window> {
        let (fact, stage) = Facts(&self.facts).stages().next_back()?;
        if stage.stage != Stage::Major || self.episode.is_none() {
            return None;
        }
        let delivered = self.delivered(stage).map(|delivery| delivery.at.max(fact.at));
        let start = match self.clauses().major_cure_from {
            CureFrom::NoticeDelivered => delivered,
            CureFrom::NoticeIssued => Some(fact.recorded.max(fact.at)),
            CureFrom::MajorStart => Some(fact.at),
        };
        // Before the delivery there is no deadline, only a time at which to say that it is missing.
        let ends = major_deadline(self.clauses(), &self.case.pool.calendar, start.unwrap_or(fact.at));
        Some(Window { start, ends })
    }

    fn delivered(&self, stage: &StageFact) -> Option<&'a Delivery> {
        let of = self.case.deliveries.iter().filter(|delivery| Some(&delivery.key) == stage.notice.as_ref());
        of.min_by_key(|delivery| (delivery.at, &delivery.channel))
    }

    fn interlocks(&self, around: &Surroundings<'_>, at: Instant, offer: bool, stage: &StageFact) -> Vec<Interlock> {
        let Surroundings { since: _, newest_snapshot: _, stale_after_hours: _, hold, provisional, frozen } = *around;
        let proposes = self.clauses().auto_upgrade == AutoUpgrade::Propose;
        let reasons = [
            (!offer, Interlock::NoHigherTier),
            (self.delivered(stage).is_none(), Interlock::Undelivered),
            (around.stale_from().is_none_or(|stale| at >= stale), Interlock::StaleSnapshot),
            (hold.is_some_and(|hold| hold.is_open(at)), Interlock::OpenHold),
            (provisional, Interlock::Provisional),
            (frozen, Interlock::BillingFrozen),
            (proposes && !Facts(&self.facts).is_approved(stage.round), Interlock::AwaitsApproval),
        ];
        reasons.into_iter().filter(|(holds, _)| *holds).map(|(_, reason)| reason).collect()
    }

    /// Takes a tier: the grant, the episode as it goes on or ends, the fact with its charge (R67, R78).
    fn take(&mut self, at: Instant, round: u32, offer: Quote) {
        let Some(episode) = self.episode.clone() else { return };
        let pool = self.case.pool;
        let Quote { from, to, day: _, until: _, charge } = offer;
        let grant = Grant {
            id: self.free_grant_id(&episode, round),
            pool: pool.id.clone(),
            seats: i64::from(to.0) - i64::from(from.0),
            from: at,
            // With the term, or until somebody says otherwise: what a silent renewal takes over (R80).
            to: self.case.phase.term_end,
            recorded: self.case.now,
            by: Actor::system(),
            kind: GrantKind::TierUpgrade,
            reference: format!("overage episode {}", episode.id),
        };
        let id = grant.id.clone();
        self.entries.push(Entry::Granted(grant.clone()));
        self.grants.push(grant);
        let notice = format!("{}/{round}", key("overage_upgraded", &episode));
        let step = ClockStep::Upgraded { round, grant: id, from, to, charge, notice };
        let used = used_at(&episode, at);
        let at = episode.samples.last().map_or(at, |last| last.at.max(at));
        match self.allowance(at).effective().filter(|effective| used > *effective) {
            Some(effective) => {
                let mut moved = episode;
                moved.samples.push(Sample { at, used, effective, band: band(used, Some(effective), &pool.overage) });
                self.entries.push(Entry::Episode(moved.clone()));
                self.episode = Some(moved);
                self.note(at, step);
            }
            None => {
                self.note(at, step);
                self.close(Episode { closed: Some(at), outcome: Some(Outcome::Upgraded), ..episode });
            }
        }
    }

    fn free_grant_id(&self, episode: &Episode, round: u32) -> GrantId {
        let mut id = format!("upgrade-{}-{round}", episode.id);
        let Case { taken, agreed, .. } = self.case;
        let taken = |id: &str| {
            taken.iter().chain(&self.grants).any(|grant| grant.id.as_str() == id)
                || agreed.iter().any(|excess| excess.id.as_str() == id)
        };
        while taken(&id) {
            id.push('x');
        }
        GrantId::from(id.as_str())
    }

    /// The next instant after the present one at which something may be due, by what is known now; at the latest.
    pub fn next_due(&self, around: &Surroundings<'_>) -> Instant {
        let Case { pool, grants, agreed, now, .. } = &self.case;
        let edges = grants.iter().filter(|g| g.pool == pool.id).flat_map(|g| [g.from, g.to]);
        let edges = edges.chain(agreed.iter().filter(|a| a.pool == pool.id).flat_map(|a| [a.from, a.to]));
        let mut due: Vec<Instant> = edges.collect();
        if let Some(episode) = &self.episode {
            let dates = self.dates(episode);
            due.extend([dates.overdue, dates.major]);
            due.extend(Facts(&self.facts).stages().filter_map(|(_, stage)| stage.deadline));
            due.extend(self.window().map(|window| window.ends));
            due.extend(around.hold.map(|hold| hold.deadline));
            due.extend(around.stale_from());
        }
        due.into_iter().filter(|at| at > now).min().unwrap_or(Instant::MAX)
    }
}

/// A cure window (R66).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// When it started; `None`: the major notice was not delivered yet.
    pub start: Option<Instant>,
    /// When it ends; without a start, when the missing delivery is told.
    pub ends: Instant,
}

enum Due {
    Take { at: Instant, round: u32, offer: Quote },
    Withhold { at: Instant, round: u32, reasons: Vec<Interlock>, offer: Option<Quote> },
}
