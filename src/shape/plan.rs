//! Shapes of JSON for plans and for what changes: borrowed, because a plan may hold a million changes.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use crate::base::TextArena;
use crate::license::{ClaimChange, ClaimState, Names};
use crate::plan::{AbsenceChange, Notice, Plan, Policy, PoolOutlook, Trip, trip_text};
use crate::shape::common::{at, causes, on};

/// A plan (R112). `limit` bounds each of the three long lists; `totals` tells their full lengths.
#[derive(Debug, Serialize, JsonSchema)]
pub struct PlanJson<'a> {
    plan: String,
    customer: &'a str,
    parent: u64,
    at: Option<String>,
    empty: bool,
    snapshots: Vec<SnapshotJson<'a>>,
    verdict: VerdictJson<'a>,
    totals: TotalsJson,
    pools: Vec<OutlookJson<'a>>,
    actions: Vec<ActionJson<'a>>,
    withheld: Vec<WithheldJson<'a>>,
    missing: Vec<MissingJson<'a>>,
    notices: Vec<NoticeJson<'a>>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct SnapshotJson<'a> {
    source: &'a str,
    package: &'a str,
    snapshot: String,
    /// Only some people of a later package are taken in.
    amended: bool,
}

#[derive(Debug, Serialize, JsonSchema)]
struct VerdictJson<'a> {
    proceeds: bool,
    trips: Vec<TripJson<'a>>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct TripJson<'a> {
    guard: &'static str,
    org: Option<&'a str>,
    collection: Option<&'static str>,
    base: u32,
    removed: u32,
    limit_percent: u32,
    text: String,
}

#[derive(Debug, Serialize, JsonSchema)]
struct TotalsJson {
    actions: usize,
    withheld: usize,
    missing: usize,
}

#[derive(Debug, Serialize, JsonSchema)]
struct WithheldJson<'a> {
    person: &'a str,
    product: Option<&'a str>,
    pool: Option<&'a str>,
    because: &'static str,
}

#[derive(Debug, Serialize, JsonSchema)]
struct MissingJson<'a> {
    person: &'a str,
    /// `absent`, `held`, `removed` or `back`.
    state: &'static str,
    source: Option<&'a str>,
    since: Option<String>,
    seen: Option<u32>,
    ended: bool,
}

impl<'a> PlanJson<'a> {
    /// A plan's JSON.
    pub fn new(plan: &'a Plan, policy: &'a Policy, limit: usize) -> Self {
        let withheld = plan.withheld.iter().take(limit).map(|withheld| WithheldJson {
            person: plan.people.get(withheld.person),
            product: withheld.product.and_then(|at| policy.products.get(usize::from(at))).map(|product| product.id.as_str()),
            pool: withheld.pool.map(|pool| plan.names.pools[usize::from(pool.0)].as_str()),
            because: withheld.because.word(),
        });
        Self {
            plan: plan.id.to_string(),
            customer: plan.customer.as_str(),
            parent: plan.parent.0,
            at: at(plan.at),
            empty: plan.is_empty(),
            snapshots: plan
                .snapshots
                .iter()
                .map(|mark| SnapshotJson {
                    source: mark.source.as_str(),
                    package: &mark.name,
                    snapshot: mark.snapshot.to_string(),
                    amended: mark.amended,
                })
                .collect(),
            verdict: VerdictJson { proceeds: plan.verdict.proceeds(), trips: plan.verdict.trips.iter().map(trip).collect() },
            totals: TotalsJson { actions: plan.changes.len(), withheld: plan.withheld.len(), missing: plan.absences.len() },
            pools: plan.pools.iter().map(OutlookJson::from).collect(),
            actions: plan.changes.iter().take(limit).map(|c| ActionJson::new(&plan.names, &plan.people, c)).collect(),
            withheld: withheld.collect(),
            missing: plan.absences.iter().take(limit).map(missing).collect(),
            notices: plan.notices.iter().map(NoticeJson::from).collect(),
        }
    }
}

fn trip(trip: &Trip) -> TripJson<'_> {
    TripJson {
        guard: trip.guard.word(),
        org: trip.org.as_ref().map(|org| org.as_str()),
        collection: trip.collection.map(|collection| collection.word()),
        base: trip.base,
        removed: trip.removed,
        limit_percent: trip.limit_percent,
        text: trip_text(trip),
    }
}

fn missing(change: &AbsenceChange) -> MissingJson<'_> {
    match change {
        AbsenceChange::Returned(person) => {
            MissingJson { person: person.as_str(), state: "back", source: None, since: None, seen: None, ended: false }
        }
        AbsenceChange::Purged(person) => {
            MissingJson { person: person.as_str(), state: "purged", source: None, since: None, seen: None, ended: false }
        }
        AbsenceChange::Absent(absence) => MissingJson {
            person: absence.person.as_str(),
            state: match (absence.removed, absence.held) {
                (true, _) => "removed",
                (false, true) => "held",
                (false, false) => "absent",
            },
            source: Some(absence.source.as_str()),
            since: on(absence.since),
            seen: Some(absence.count),
            ended: absence.ended,
        },
    }
}

/// A change of a claim.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ActionJson<'a> {
    person: &'a str,
    claim: u64,
    pool: &'a str,
    /// The pool before, if the claim moved.
    from_pool: Option<&'a str>,
    /// The state before; `null` if the claim is new.
    from: Option<&'static str>,
    to: &'static str,
    because: &'static str,
    reasons: &'a str,
    home: &'a str,
    priority: i32,
}

impl<'a> ActionJson<'a> {
    /// A change's JSON.
    pub fn new(names: &'a Names, people: &'a TextArena, change: &'a ClaimChange) -> Self {
        let ClaimChange { person, because, before, after } = change;
        let before = before.as_deref();
        Self {
            person: people.get(*person),
            claim: after.id.0,
            pool: names.pool_of(after).as_str(),
            from_pool: before.filter(|before| before.pool != after.pool).map(|before| names.pool_of(before).as_str()),
            from: before.map(|before| before.state.word()),
            to: after.state.word(),
            because: because.word(),
            reasons: names.reasons_of(after),
            home: names.home_of(after).as_str(),
            priority: after.priority,
        }
    }
}

/// A pool before and after (R112).
#[derive(Debug, Serialize, JsonSchema)]
pub struct OutlookJson<'a> {
    pool: &'a str,
    product: &'a str,
    limit_before: Option<u32>,
    limit: Option<u32>,
    used_before: u32,
    used: u32,
    balance_before: Option<i64>,
    balance: Option<i64>,
    balance_if_approved: Option<i64>,
    waiting_before: u32,
    waiting: u32,
    band_before: &'static str,
    band: &'static str,
    causes: BTreeMap<&'static str, u32>,
    seated: u32,
    released: u32,
}

impl<'a> From<&'a PoolOutlook> for OutlookJson<'a> {
    fn from(outlook: &'a PoolOutlook) -> Self {
        Self {
            pool: outlook.pool.as_str(),
            product: outlook.product.as_str(),
            limit_before: outlook.allowance_before.seats.map(|seats| seats.0),
            limit: outlook.allowance.seats.map(|seats| seats.0),
            used_before: outlook.before.used().0,
            used: outlook.after.used().0,
            balance_before: outlook.balance_before.map(|balance| balance.0),
            balance: outlook.balance.map(|balance| balance.0),
            balance_if_approved: outlook.balance_if_approved.map(|balance| balance.0),
            waiting_before: outlook.before.of(ClaimState::Waiting).0,
            waiting: outlook.after.of(ClaimState::Waiting).0,
            band_before: outlook.band_before.word(),
            band: outlook.band.word(),
            causes: causes(&outlook.causes),
            seated: outlook.seated.0,
            released: outlook.released.0,
        }
    }
}

/// A notice that would go out, or went out.
#[derive(Debug, Serialize, JsonSchema)]
pub struct NoticeJson<'a> {
    kind: &'static str,
    pool: Option<&'a str>,
    source: Option<&'a str>,
    text: &'a str,
}

impl<'a> From<&'a Notice> for NoticeJson<'a> {
    fn from(notice: &'a Notice) -> Self {
        let Notice { key: _, kind, pool, source, text } = notice;
        Self {
            kind: kind.word(),
            pool: pool.as_ref().map(|pool| pool.as_str()),
            source: source.as_ref().map(|source| source.as_str()),
            text,
        }
    }
}
