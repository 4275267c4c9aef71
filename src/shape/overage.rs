//! Overages and notices, in JSON.

use serde_json::{Value, json};

use crate::service::{EpisodeFile, EpisodeView, NoticeView};
use crate::shape::clock::{delivery_json, fact_json, quote_json};
use crate::shape::common::{ClockJson, EpisodeJson, at};
use crate::shape::trail::grant_json;

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

/// Everything about an overage.
pub fn episode_file_json(file: &EpisodeFile) -> Value {
    let EpisodeFile { view, facts, billing, notices, grants } = file;
    let notices: Vec<Value> = notices
        .iter()
        .map(|(notice, deliveries)| {
            json!({
                "key": notice.key, "kind": notice.kind, "at": at(notice.at), "text": notice.text,
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
