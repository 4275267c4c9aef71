//! Pools: all of them, and one in depth, in JSON.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::base::Day;
use crate::license::Pool;
use crate::service::{Customer, Freshness, PoolDetail, PoolMoves, PoolView};
use crate::shape::common::{EpisodeJson, FreshnessJson, PoolJson};
use crate::shape::trail::{agreed_json, grant_json, pin_json, term_json};

/// The pools of a customer.
#[derive(Debug, Serialize, JsonSchema)]
pub struct PoolsJson<'a> {
    customer: &'a str,
    #[serde(flatten)]
    freshness: FreshnessJson,
    pools: Vec<PoolJson>,
}

impl<'a> PoolsJson<'a> {
    /// Of a customer.
    pub fn new(customer: &'a str, freshness: Freshness, pools: &[PoolView]) -> Self {
        Self { customer, freshness: freshness.into(), pools: pools.iter().map(PoolJson::from).collect() }
    }
}

/// Everything about a pool (R162).
#[derive(Debug, Serialize, JsonSchema)]
pub struct PoolDetailJson<'a> {
    customer: &'a str,
    #[serde(flatten)]
    freshness: FreshnessJson,
    #[serde(flatten)]
    pool: PoolJson,
    terms: Vec<Value>,
    grants: Vec<Value>,
    agreed_excesses: Vec<Value>,
    reservations: Vec<ReservedJson<'a>>,
    pins: Vec<Value>,
    used_by_org: BTreeMap<&'a str, u32>,
    episodes: Vec<EpisodeJson>,
    /// With `since`.
    moves: Option<MovesJson<'a>>,
    /// Where it was asked for: seats in use by the reasons they are held for.
    #[serde(skip_serializing_if = "Option::is_none")]
    seats_by_reason: Option<BTreeMap<&'a str, u32>>,
}

/// Seats kept for an org.
#[derive(Debug, Serialize, JsonSchema)]
struct ReservedJson<'a> {
    org: &'a str,
    seats: u32,
}

/// What happened since a day.
#[derive(Debug, Serialize, JsonSchema)]
struct MovesJson<'a> {
    since: String,
    seated: &'a BTreeMap<&'static str, u32>,
    freed: &'a BTreeMap<&'static str, u32>,
    granted: Vec<GrantedJson<'a>>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct GrantedJson<'a> {
    id: &'a str,
    seats: i64,
}

impl<'a> PoolDetailJson<'a> {
    /// A pool, where asked for with what happened since a day, and with the reasons its seats are held for.
    pub fn new(
        customer: &'a Customer,
        pool: &'a Pool,
        detail: &'a PoolDetail,
        freshness: Freshness,
        moves: Option<&'a (Day, PoolMoves)>,
        reasons: Option<&'a [(String, u32)]>,
    ) -> Self {
        let reserved = pool.reservations.iter().map(|(org, seats)| ReservedJson { org: org.as_str(), seats: seats.0 });
        Self {
            customer: customer.id().as_str(),
            freshness: freshness.into(),
            pool: PoolJson::from(&detail.view),
            terms: detail.terms.iter().map(term_json).collect(),
            grants: detail.grants.iter().map(grant_json).collect(),
            agreed_excesses: detail.agreed.iter().map(agreed_json).collect(),
            reservations: reserved.collect(),
            pins: detail.pins.iter().map(pin_json).collect(),
            used_by_org: detail.used_by_org.iter().map(|(org, used)| (org.as_str(), *used)).collect(),
            episodes: detail.episodes.iter().map(EpisodeJson::from).collect(),
            moves: moves.map(|(since, moves)| MovesJson {
                since: since.to_string(),
                seated: &moves.seated,
                freed: &moves.freed,
                granted: moves.granted.iter().map(|(id, seats)| GrantedJson { id, seats: *seats }).collect(),
            }),
            seats_by_reason: reasons.map(|list| list.iter().map(|(why, seats)| (why.as_str(), *seats)).collect()),
        }
    }
}
