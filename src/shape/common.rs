//! Shapes of JSON answers that several verbs share. Stable: docs/CLI.md tells them, fields are only ever added.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use crate::base::{Day, Instant, PersonKey, percent_used};
use crate::license::{Causes, ClaimState, Episode, Hold};
use crate::plan::NoticeKind;
use crate::roster::Scope;
use crate::service::{ClockView, Freshness, PoolView, SameDayQuota, TermView};
use crate::store::{NoticeRow, Pause, RunRow, Trigger};

/// An instant in RFC 3339; `null` for the ends of time.
pub fn at(instant: Instant) -> Option<String> {
    (instant != Instant::MIN && instant != Instant::MAX).then(|| instant.to_string())
}

/// An instant for people: without fractions of a second.
pub fn when(at: Instant) -> String {
    let whole = if at == Instant::MIN || at == Instant::MAX { at } else { Instant(at.0 - at.0.rem_euclid(1000)) };
    whole.to_string()
}

/// A date; `null` for the ends of time.
pub fn on(day: Day) -> Option<String> {
    (day != Day::MIN && day != Day::MAX).then(|| day.to_string())
}

/// Counts by cause.
pub fn causes(causes: &Causes) -> BTreeMap<&'static str, u32> {
    causes.iter().map(|(cause, count)| (cause.word(), *count)).collect()
}

/// What a notice says; for somebody who may not see people, what it is about.
pub fn notice_words(notice: &NoticeRow, sees_people: bool) -> &str {
    match NoticeKind::of_word(&notice.kind) {
        _ if sees_people => &notice.text,
        Some(kind) => kind.title(),
        None => &notice.kind,
    }
}

/// The only people that a run takes in: `person KEY` or `org ID`; for somebody who may not see people, `person`.
pub fn scope_words(trigger: &Trigger, sees_people: bool) -> Option<String> {
    trigger.scope().map(|scope| match scope {
        Scope::Person(_) if !sees_people => "person".to_owned(),
        scope => scope.to_string(),
    })
}

/// What a run says of itself; to somebody who may not see people, without the one it was for.
pub fn run_words(row: &RunRow, sees_people: bool) -> Cow<'_, str> {
    match row.trigger.scope() {
        Some(Scope::Person(person)) if !sees_people => row.message.replace(person.as_str(), "\u{2026}").into(),
        _ => row.message.as_str().into(),
    }
}

/// How old the numbers are (R148).
#[derive(Debug, Serialize, JsonSchema)]
pub struct FreshnessJson {
    as_of: Option<String>,
    snapshot: Option<String>,
    stale: bool,
}

impl From<Freshness> for FreshnessJson {
    fn from(freshness: Freshness) -> Self {
        let Freshness { as_of, snapshot, stale } = freshness;
        Self { as_of: at(as_of), snapshot: snapshot.and_then(at), stale }
    }
}

/// How many same-day syncs are left today (R98).
#[derive(Debug, Serialize, JsonSchema)]
pub struct QuotaJson {
    used: u32,
    max: u32,
    /// When one may be asked for next.
    next: Option<String>,
}

impl From<SameDayQuota> for QuotaJson {
    fn from(quota: SameDayQuota) -> Self {
        let SameDayQuota { used, max, next } = quota;
        Self { used, max, next: at(next) }
    }
}

/// A pause of a source (R108).
#[derive(Debug, Serialize, JsonSchema)]
pub struct PauseJson {
    source: String,
    from: Option<String>,
    to: Option<String>,
    reason: String,
}

impl From<&Pause> for PauseJson {
    fn from(pause: &Pause) -> Self {
        let Pause { source, from, to, reason } = pause;
        Self { source: source.to_string(), from: at(*from), to: at(*to), reason: reason.clone() }
    }
}

/// A pool's numbers (R46, R141).
#[derive(Debug, Serialize, JsonSchema)]
pub struct PoolJson {
    pool: String,
    product: String,
    owner: String,
    /// `null`: unlimited.
    limit: Option<u32>,
    agreed: u32,
    used: u32,
    active: u32,
    pending: u32,
    held: u32,
    waiting: u32,
    /// `null`: unlimited.
    available: Option<i64>,
    usage_percent: Option<String>,
    band: &'static str,
    causes: BTreeMap<&'static str, u32>,
    episode: Option<EpisodeJson>,
    /// How the open overage stands by its clock.
    clock: Option<ClockJson>,
    /// With an open hold: `available` if it were approved (R123); else `null`.
    available_if_approved: Option<i64>,
    /// Since when an overage does not count because only held people make it.
    provisional: Option<String>,
    suspended: u32,
    /// `null`: the pool has no terms and never expires.
    term: Option<TermStateJson>,
    /// `null`: the people of its license years are not counted.
    reuse: Option<ReuseJson>,
}

/// The people of a pool's license year (R81 to R83).
#[derive(Debug, Serialize, JsonSchema)]
pub struct ReuseJson {
    year: Option<String>,
    distinct: u32,
    replacements: u32,
    allowed: Option<u64>,
}

/// Where a pool is in its terms (R87 to R93).
#[derive(Debug, Serialize, JsonSchema)]
pub struct TermStateJson {
    state: &'static str,
    /// The term that runs, or ended last.
    term: Option<String>,
    since: Option<String>,
    last_day: Option<String>,
    access_until: Option<String>,
    /// The term that follows.
    next: Option<String>,
    renewal_due: bool,
}

impl From<&TermView> for TermStateJson {
    fn from(view: &TermView) -> Self {
        let TermView { phase, last_day, access_until, next, renewal_due } = view;
        Self {
            state: phase.state.word(),
            term: phase.term.as_ref().map(ToString::to_string),
            since: at(phase.since),
            last_day: last_day.and_then(on),
            access_until: access_until.and_then(on),
            next: next.as_ref().map(ToString::to_string),
            renewal_due: *renewal_due,
        }
    }
}

impl From<&PoolView> for PoolJson {
    fn from(view: &PoolView) -> Self {
        Self {
            pool: view.pool.to_string(),
            product: view.product.to_string(),
            owner: view.owner.clone(),
            limit: view.allowance.seats.map(|seats| seats.0),
            agreed: view.allowance.agreed.0,
            used: view.used().0,
            active: view.counts.of(ClaimState::Active).0,
            pending: view.counts.of(ClaimState::Pending).0,
            held: view.counts.of(ClaimState::Held).0,
            waiting: view.waiting().0,
            available: view.balance.map(|balance| balance.0),
            usage_percent: percent_used(view.used(), view.allowance.seats),
            band: view.band.word(),
            causes: causes(&view.causes),
            episode: view.episode.as_ref().map(EpisodeJson::from),
            clock: view.clock.as_ref().map(ClockJson::from),
            available_if_approved: view.balance_if_approved.map(|balance| balance.0),
            provisional: view.provisional.and_then(at),
            suspended: view.counts.of(ClaimState::Suspended).0,
            term: view.term.as_ref().map(TermStateJson::from),
            reuse: view.reuse.as_ref().map(|year| ReuseJson {
                year: on(year.year),
                distinct: year.distinct,
                replacements: year.replacements(),
                allowed: view.reuse_limit,
            }),
        }
    }
}

/// How an open overage stands by its clock (R61, R63).
#[derive(Debug, Serialize, JsonSchema)]
pub struct ClockJson {
    stage: &'static str,
    since: Option<String>,
    business_day: u32,
    day_0: Option<String>,
    /// `null`: the major notice was not delivered yet.
    deadline: Option<String>,
    billing_frozen: bool,
}

impl From<&ClockView> for ClockJson {
    fn from(view: &ClockView) -> Self {
        let ClockView { stage, since, elapsed, day0, deadline, offer: _, frozen } = view;
        Self {
            stage: stage.word(),
            since: at(*since),
            business_day: *elapsed,
            day_0: on(*day0),
            deadline: deadline.and_then(at),
            billing_frozen: *frozen,
        }
    }
}

/// A hold (R119 to R122).
#[derive(Debug, Serialize, JsonSchema)]
pub struct HoldJson {
    run: u64,
    plan: String,
    state: &'static str,
    opened: Option<String>,
    deadline: Option<String>,
    trips: Vec<String>,
    removals: Vec<String>,
    additions: Vec<String>,
    /// How many there are in each of these lists, which are empty for whoever may not see people.
    removals_count: usize,
    additions_count: usize,
    exceptions_count: usize,
    packages: Vec<String>,
    needs_allow_empty: bool,
    by: Option<String>,
    at: Option<String>,
    exceptions: Vec<String>,
    used: Option<u64>,
}

impl HoldJson {
    /// For somebody who may see people, or may not: then they are counted.
    pub fn seen(hold: &Hold, sees_people: bool) -> Self {
        let keys = |people: &[PersonKey]| people.iter().filter(|_| sees_people).map(ToString::to_string).collect();
        Self {
            run: hold.run.0,
            plan: hold.plan.to_string(),
            state: hold.state.word(),
            opened: at(hold.opened),
            deadline: at(hold.deadline),
            trips: hold.trips.clone(),
            removals: keys(&hold.removals),
            additions: keys(&hold.additions),
            removals_count: hold.removals.len(),
            additions_count: hold.additions.len(),
            exceptions_count: hold.exceptions.len(),
            packages: hold.packages.iter().map(|(source, (_, name))| format!("{source}:{name}")).collect(),
            needs_allow_empty: hold.empty,
            by: hold.by.as_ref().map(ToString::to_string),
            at: hold.at.and_then(at),
            exceptions: keys(&hold.exceptions),
            used: hold.used.map(|run| run.0),
        }
    }
}

impl From<&Hold> for HoldJson {
    fn from(hold: &Hold) -> Self {
        Self::seen(hold, true)
    }
}

/// An overage episode with its samples (R74).
#[derive(Debug, Serialize, JsonSchema)]
pub struct EpisodeJson {
    episode: u64,
    pool: String,
    opened: Option<String>,
    opened_day: Option<String>,
    cause: &'static str,
    peak: u32,
    closed: Option<String>,
    outcome: Option<&'static str>,
    samples: Vec<SampleJson>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct SampleJson {
    at: Option<String>,
    used: u32,
    effective: u32,
    band: &'static str,
}

impl From<&Episode> for EpisodeJson {
    fn from(episode: &Episode) -> Self {
        let Episode { id, pool, opened, opened_day, cause, peak, samples, closed, outcome } = episode;
        Self {
            episode: id.0,
            pool: pool.to_string(),
            opened: at(*opened),
            opened_day: on(*opened_day),
            cause: cause.word(),
            peak: peak.0,
            closed: closed.and_then(at),
            outcome: outcome.map(|outcome| outcome.word()),
            samples: samples
                .iter()
                .map(|s| SampleJson { at: at(s.at), used: s.used.0, effective: s.effective.0, band: s.band.word() })
                .collect(),
        }
    }
}

/// A run.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RunJson {
    run: u64,
    customer: String,
    trigger: &'static str,
    by: String,
    /// The only people taken in: `person KEY` or `org ID`; `person` for whoever may not see people.
    scope: Option<String>,
    state: &'static str,
    began: Option<String>,
    ended: Option<String>,
    packages: Vec<String>,
    plan: Option<String>,
    version: Option<u64>,
    people: u64,
    seated: u64,
    released: u64,
    changed: u64,
    waiting: u64,
    withheld: u64,
    findings: u64,
    message: String,
}

impl From<&RunRow> for RunJson {
    fn from(row: &RunRow) -> Self {
        Self::seen(row, true)
    }
}

impl RunJson {
    /// For somebody who may see people, or may not: then nobody is named.
    pub fn seen(row: &RunRow, sees_people: bool) -> Self {
        Self {
            run: row.run.0,
            customer: row.customer.to_string(),
            trigger: row.trigger.word(),
            by: row.trigger.actor().to_string(),
            scope: scope_words(&row.trigger, sees_people),
            state: row.state.word(),
            began: at(row.began),
            ended: row.ended.and_then(at),
            packages: row.packages.clone(),
            plan: row.plan.map(|plan| plan.to_string()),
            version: row.version.map(|version| version.0),
            people: row.tally.people,
            seated: row.tally.seated,
            released: row.tally.released,
            changed: row.tally.changed,
            waiting: row.tally.waiting,
            withheld: row.tally.withheld,
            findings: row.tally.findings,
            message: run_words(row, sees_people).into_owned(),
        }
    }
}
