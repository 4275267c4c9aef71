//! What came of a decision by hand, in JSON: who has a seat, what was bought, for how long.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::license::{Entry, TermState};
use crate::plan::{Answer, PoolOutlook};
use crate::service::{ClockAnswer, DecisionDone, DeliveryAnswer, SeatsAsked, TermDone};
use crate::shape::clock::delivery_json;
use crate::shape::common::{RunJson, when};
use crate::shape::plan::{ActionJson, NoticeJson, OutlookJson};
use crate::shape::trail::{grant_json, seat_request_json, term_json};

/// What came of a decision.
#[derive(Debug, Serialize, JsonSchema)]
pub struct DecisionJson<'a> {
    /// A stable code.
    answer: &'static str,
    text: String,
    /// The version it committed; `null` if there was nothing to write.
    version: Option<u64>,
    /// With `pool_exhausted`: the numbers it was decided on.
    effective: Option<u32>,
    used: Option<u32>,
    /// Those that changed.
    pools: Vec<OutlookJson<'a>>,
    actions: Vec<ActionJson<'a>>,
    notices: Vec<NoticeJson<'a>>,
}

impl<'a> From<&'a DecisionDone> for DecisionJson<'a> {
    fn from(done: &'a DecisionDone) -> Self {
        let DecisionDone { answer, decided, receipt } = done;
        let (code, text) = decision_words(done);
        let (effective, used) = match answer {
            Answer::PoolExhausted { effective, used } => (Some(effective.0), Some(used.0)),
            _ => (None, None),
        };
        Self {
            answer: code,
            text,
            version: receipt.map(|receipt| receipt.version.0),
            effective,
            used,
            pools: decided.pools.iter().filter(|pool| is_moved(pool)).map(OutlookJson::from).collect(),
            actions: decided.changes.iter().map(|c| ActionJson::new(&decided.names, &decided.people, c)).collect(),
            notices: decided.notices.iter().map(NoticeJson::from).collect(),
        }
    }
}

/// What came of a term that was recorded.
#[derive(Debug, Serialize, JsonSchema)]
pub struct TermDoneJson<'a> {
    answer: &'static str,
    text: String,
    version: Option<u64>,
    term: Value,
    grants: Vec<Value>,
    notices: Vec<NoticeJson<'a>>,
    run: Option<RunJson>,
}

impl<'a> From<&'a TermDone> for TermDoneJson<'a> {
    fn from(done: &'a TermDone) -> Self {
        let TermDone { term, decided, run } = done;
        let (answer, text) = answer_words(&decided.answer);
        let granted = |entry: &Entry| if let Entry::Granted(grant) = entry { Some(grant_json(grant)) } else { None };
        Self {
            answer,
            text,
            version: decided.receipt.map(|receipt| receipt.version.0),
            term: term_json(term),
            grants: decided.decided.entries.iter().filter_map(granted).collect(),
            notices: decided.decided.notices.iter().map(NoticeJson::from).collect(),
            run: run.as_ref().map(RunJson::from),
        }
    }
}

/// A request for more seats that was recorded (R155).
#[derive(Debug, Serialize, JsonSchema)]
pub struct SeatsAskedJson<'a> {
    customer: &'a str,
    request: Value,
    /// The message to the vendor.
    text: &'a str,
    version: u64,
}

impl<'a> SeatsAskedJson<'a> {
    /// Of a customer.
    pub fn new(customer: &'a str, asked: &'a SeatsAsked) -> Self {
        let SeatsAsked { request, text, receipt } = asked;
        Self { customer, request: seat_request_json(request), text, version: receipt.version.0 }
    }
}

/// What came of a report that a notice arrived (R153).
#[derive(Debug, Serialize, JsonSchema)]
pub struct DeliveredJson {
    answer: &'static str,
    /// In words.
    pub text: String,
    delivery: Option<Value>,
}

impl From<&DeliveryAnswer> for DeliveredJson {
    fn from(answer: &DeliveryAnswer) -> Self {
        let (answer, text, delivery) = match answer {
            DeliveryAnswer::Done(delivery) => ("done", "written down".to_owned(), Some(delivery)),
            DeliveryAnswer::AlreadySo(delivery) => {
                ("already_so", format!("known since {}", when(delivery.recorded)), Some(delivery))
            }
            DeliveryAnswer::NotThen { written, now } => {
                let text = format!("it was written at {}, and it is {} now", when(*written), when(*now));
                ("not_then", text, None)
            }
        };
        Self { answer, text, delivery: delivery.map(delivery_json) }
    }
}

/// What came of approving an upgrade (R67).
#[derive(Debug, Serialize, JsonSchema)]
pub struct UpgradeJson {
    episode: u64,
    answer: &'static str,
    /// In words.
    pub text: String,
}

impl UpgradeJson {
    /// Of an overage.
    pub fn new(episode: u64, answer: &ClockAnswer) -> Self {
        let (answer, text) = match answer {
            ClockAnswer::Done => ("done", "approved; it happens when the cure window is over".to_owned()),
            ClockAnswer::AlreadySo => ("already_so", "it was approved before".to_owned()),
            ClockAnswer::Closed(outcome) => ("closed", format!("the episode is closed: {}", outcome.word())),
            ClockAnswer::NotMajor(stage) => ("not_major", format!("the episode is {}, not major", stage.word())),
        };
        Self { episode, answer, text }
    }
}

/// Whether billing of a pool is frozen (R69).
#[derive(Debug, Serialize, JsonSchema)]
pub struct BillingJson<'a> {
    customer: &'a str,
    pool: &'a str,
    answer: &'static str,
    billing_frozen: bool,
}

impl<'a> BillingJson<'a> {
    /// Of a pool.
    pub fn new(customer: &'a str, pool: &'a str, answer: &ClockAnswer, billing_frozen: bool) -> Self {
        let answer = if *answer == ClockAnswer::AlreadySo { "already_so" } else { "done" };
        Self { customer, pool, answer, billing_frozen }
    }
}

/// Whether any number of a pool changed.
pub fn is_moved(pool: &PoolOutlook) -> bool {
    pool.before != pool.after
        || pool.allowance_before != pool.allowance
        || pool.balance_before != pool.balance
        || pool.band_before != pool.band
}

/// The stable code of what was decided, and a sentence.
pub fn decision_words(done: &DecisionDone) -> (&'static str, String) {
    let (code, mut text) = answer_words(&done.answer);
    if done.answer == Answer::AlreadySo && done.receipt.is_some() {
        text.push_str("; the pin is new and written in the books");
    }
    (code, text)
}

/// The stable code of an answer, and a sentence.
pub fn answer_words(answer: &Answer) -> (&'static str, String) {
    let (code, text) = match answer {
        Answer::Done => ("done", "it is written in the books"),
        Answer::AlreadySo => ("already_so", "it was so already"),
        Answer::PoolExhausted { effective, used } => {
            let text = format!("{used} of {effective} seats are used; --override assigns all the same");
            return ("pool_exhausted", text);
        }
        Answer::OutOfTerm(state) => {
            let why = match state {
                TermState::InGrace => "the pool's term is over; nobody new gets a seat during grace, not even with --override",
                TermState::NotStarted => "the pool's first term has not started yet",
                _ => "the pool has no term at this time",
            };
            ("out_of_term", why)
        }
        Answer::ReuseExceeded => {
            let why = "its seats went to other people as often as they may; nobody new gets one in this license year, but with --override";
            ("reuse_exceeded", why)
        }
        Answer::TermOverlaps(other) => {
            return ("term_overlaps", format!("it would overlap term {other}; terms of a pool follow one another"));
        }
        Answer::TermEndsFirst => {
            ("term_ends_first", "the term would end before it starts; to withdraw one, let it end where it starts")
        }
        Answer::NotServed => ("not_served", "the pool is for other orgs, or for other people, than this person"),
        Answer::NeedsAccess => ("needs_access", "the person lacks a seat of the product that this one requires"),
        Answer::NoClaim => ("no_claim", "the person has nothing there to give or accept"),
        Answer::UnknownPerson => ("unknown_person", "the newest roster knows no such person"),
        Answer::UnknownPool => ("unknown_pool", "the settings know no such pool"),
        Answer::GrantTaken => ("grant_taken", "a grant of this id was recorded before; correct it with another one"),
    };
    (code, text.to_owned())
}
