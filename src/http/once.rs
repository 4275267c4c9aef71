//! Idempotency keys: what is asked twice under one key is done once, and answered twice alike. A row is kept for a day.

use axum::http::StatusCode;
use axum::http::request::Parts;

use crate::base::Digester;
use crate::http::answer::{Answer, Answered};
use crate::http::ask::Asking;
use crate::http::endpoint::Endpoint;
use crate::http::problem::Problem;
use crate::store::{OnceAnswer, OnceRow};

/// The header that names the key.
const HEADER: &str = "idempotency-key";

/// A key is at most so long.
const KEY_CHARS_MAX: usize = 255;

/// Asks, or answers as the same question was answered before under its key.
pub fn once(asking: &Asking<'_>, endpoint: &Endpoint, parts: &Parts, body: &[u8], ask: impl FnOnce() -> Answered) -> Answered {
    let Some(key) = parts.headers.get(HEADER).filter(|_| endpoint.method == "POST") else { return ask() };
    let key = key.to_str().ok().filter(|key| (1..=KEY_CHARS_MAX).contains(&key.len()));
    let key = key.ok_or_else(|| Problem::bad_request("an Idempotency-Key is 1 to 255 visible characters"))?;
    let mut digester = Digester::new("question over HTTP");
    digester.field(parts.uri.to_string().as_bytes()).field(body);
    let store = asking.service.store();
    let row = OnceRow {
        token: asking.caller.token,
        key: key.to_owned(),
        asked: digester.finish(),
        at: asking.service.now(),
        answer: None,
    };
    match store.begin_once(&row).map_err(Problem::of_store)? {
        None => {}
        Some(known) if known.asked != row.asked => {
            let detail = "this Idempotency-Key belongs to another question";
            return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "idempotency_key", detail));
        }
        Some(OnceRow { answer: Some(OnceAnswer { status, body }), .. }) => {
            return Ok(Answer::again(StatusCode::from_u16(status).unwrap_or(StatusCode::OK), body));
        }
        Some(_) => {
            let detail =
                "the question with this Idempotency-Key is being answered, or its end is not known: look what became of it";
            return Err(Problem::new(StatusCode::CONFLICT, "in_progress", detail));
        }
    }
    let answered = ask();
    // What was not done may be asked again under the same key.
    let told = answered.as_ref().ok().and_then(Answer::whole);
    let answer = told.map(|(status, body)| OnceAnswer { status: status.as_u16(), body: body.to_vec() });
    store.end_once(row.token, &row.key, answer.as_ref()).map_err(Problem::of_store)?;
    answered
}
