//! Overages and notices, in JSON.

use serde_json::{Value, json};

use crate::base::{Digest, Instant, Version};
use crate::service::{Customer, EpisodeFile, EpisodeTrail, EpisodeView, NoticeView};
use crate::shape::clock::{calendar_json, clauses_json, delivery_json, fact_json, quote_json};
use crate::shape::common::{ClockJson, EpisodeJson, at, notice_words, on};
use crate::shape::trail::{CommitJson, grant_json};

/// Notices of a customer.
pub fn notices_json(customer: &str, notices: &[NoticeView]) -> Value {
    let notice = |view: &NoticeView| {
        json!({
            "key": view.notice.key, "kind": view.notice.kind, "at": at(view.notice.at), "text": view.notice.text,
            "superseded": view.superseded, "deliveries": view.deliveries.iter().map(delivery_json).collect::<Vec<_>>(),
        })
    };
    json!({"customer": customer, "notices": notices.iter().map(notice).collect::<Vec<_>>()})
}

/// An overage with its clock.
pub fn episode_view_json(view: &EpisodeView) -> Value {
    let EpisodeView { episode, clock, repeat } = view;
    json!({
        "episode": EpisodeJson::from(episode), "clock": clock.as_ref().map(ClockJson::from), "nth": repeat,
        "offer": clock.as_ref().and_then(|clock| clock.offer.as_ref()).map(quote_json),
    })
}

/// Everything about an overage; for somebody who may not see people, without the texts of its notices.
pub fn episode_file_json(file: &EpisodeFile, sees_people: bool) -> Value {
    let EpisodeFile { view, facts, billing, notices, grants } = file;
    let notices: Vec<Value> = notices
        .iter()
        .map(|(notice, deliveries)| {
            json!({
                "key": notice.key, "kind": notice.kind, "at": at(notice.at), "text": notice_words(notice, sees_people),
                "deliveries": deliveries.iter().map(delivery_json).collect::<Vec<_>>(),
            })
        })
        .collect();
    let mut value = episode_view_json(view);
    if let Value::Object(fields) = &mut value {
        fields.extend([
            ("facts".to_owned(), facts.iter().map(fact_json).collect()),
            ("billing".to_owned(), billing.iter().map(fact_json).collect()),
            ("notices".to_owned(), Value::Array(notices)),
            ("grants".to_owned(), grants.iter().map(grant_json).collect()),
        ]);
    }
    value
}

/// Everything for a dispute: what happened, by which calendar and clauses, who was told when, and the commits that prove
/// it, each with its place in the chain.
pub fn episode_document_json(customer: &Customer, file: &EpisodeFile, trail: &EpisodeTrail, now: Instant) -> Value {
    let episode = &file.view.episode;
    let mut value = episode_file_json(file, true);
    if let Value::Object(fields) = &mut value {
        fields.insert("customer".to_owned(), customer.id().as_str().into());
        fields.insert("exported".to_owned(), at(now).into());
        // Those of a closed one are in its last fact, as they were then.
        if let (None, Ok(pool)) = (episode.closed, customer.pool(&episode.pool)) {
            let today = pool.calendar.day_of(now);
            let holidays = pool.calendar.holidays(episode.opened_day, today.plus(366)).map(on);
            let calendar = calendar_json(pool.calendar.zone_name(), pool.calendar.weekend(), holidays);
            fields.insert("calendar".to_owned(), calendar);
            fields.insert("clauses".to_owned(), clauses_json(&pool.clauses));
        }
        let commits: Vec<CommitJson<'_>> =
            trail.commits.iter().map(|commit| CommitJson::new(customer.id().as_str(), commit)).collect();
        fields.insert("trail".to_owned(), serde_json::to_value(commits).unwrap_or_default());
        let link = |(version, hash): &(Version, Digest)| json!({"version": version.0, "hash": hash.to_string()});
        fields.insert("chain".to_owned(), trail.chain.iter().map(link).collect());
    }
    value
}
