//! What would have been, in JSON.

use serde_json::{Value, json};

use crate::license::Charge;
use crate::plan::Story;
use crate::service::{PoolWhatIf, WhatIf};
use crate::shape::clock::{charge_json, fact_json};
use crate::shape::common::{EpisodeJson, FreshnessJson, at};

/// What a replay cannot know.
pub const WHAT_IF_LIMITS: &str = "People are taken as recorded: who wanted a seat, since when and until when. Only whether a pool had a seat \
                      for them is asked anew, with its queue in order; reservations, moves to another pool and what hangs on a seat \
                      of another product are not worked out anew, and what was refused by hand stays refused. The changed side is \
                      looked at in time. A pool's n-th major notice arrives, and its upgrade is approved, as long after it is written \
                      as the n-th one was; further notices arrive at once.";

/// A stretch of the past, played again.
pub fn what_if_json(customer: &str, told: &WhatIf) -> Value {
    let WhatIf { freshness, from, to, commits, difference, pools } = told;
    let mut value = serde_json::to_value(FreshnessJson::from(*freshness)).unwrap_or_default();
    if let Value::Object(fields) = &mut value {
        fields.insert("customer".to_owned(), customer.into());
        fields.insert("from".to_owned(), at(*from).into());
        fields.insert("to".to_owned(), at(*to).into());
        fields.insert("commits".to_owned(), (*commits).into());
        let differs = difference.as_ref().map(|(version, what)| json!({"version": version.0, "what": what}));
        fields.insert("exact".to_owned(), difference.is_none().into());
        fields.insert("difference".to_owned(), differs.into());
        fields.insert("limits".to_owned(), WHAT_IF_LIMITS.into());
        fields.insert("pools".to_owned(), pools.iter().map(pool_json).collect());
    }
    value
}

fn pool_json(told: &PoolWhatIf) -> Value {
    let PoolWhatIf { pool, was, would, bought, refused } = told;
    json!({
        "pool": pool.as_str(), "was": story_json(was), "would": would.as_ref().map(story_json), "refused_by_hand": refused,
        "seats_added": bought.iter().map(|charge| charge.as_ref().map(charge_json)).collect::<Vec<_>>(),
    })
}

fn story_json(story: &Story) -> Value {
    let notices = story
        .notices
        .iter()
        .map(|(told, notice)| json!({"at": at(*told), "kind": notice.kind.word(), "key": notice.key, "text": notice.text}));
    let charged =
        |charge: Option<(u64, &Charge)>| charge.map(|(sum, charge)| json!({"currency": charge.currency, "amount": sum}));
    json!({
        "episodes": story.episodes.iter().map(EpisodeJson::from).collect::<Vec<_>>(),
        "facts": story.facts.iter().map(fact_json).collect::<Vec<_>>(),
        "notices": notices.collect::<Vec<_>>(), "upgrades": story.upgrades().count(), "charged": charged(story.charged()),
        "over_max": story.most_over().0, "used_max": story.most().0.0, "waiting_max": story.most().1.0,
        "used": story.last().0.0, "waiting": story.last().1.0,
    })
}
