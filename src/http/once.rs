//! Idempotency keys: what is asked twice under one key is done once, and answered twice alike. A row is kept for a day.
//! Where nobody knows whether it was done, the key stays taken.

use axum::http::StatusCode;
use axum::http::request::Parts;

use crate::base::Digester;
use crate::http::answer::{Answer, Answered};
use crate::http::ask::Asking;
use crate::http::endpoint::Endpoint;
use crate::http::problem::{MOVED_ON, Problem};
use crate::store::{OnceAnswer, OnceRow};
use crate::telemetry::QuestionFailed;

/// The header that names the key.
const HEADER: &str = "idempotency-key";

/// A key is at most so long.
const KEY_CHARS_MAX: usize = 255;

/// Answers that are longer are not kept.
const BODY_BYTES_MAX: usize = 256 << 10;

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
        Some(OnceRow { answer: Some(OnceAnswer { status, body: None }), .. }) => {
            let detail = format!("it was answered with {status}, at too great a length to be kept: look what became of it");
            return Err(Problem::new(StatusCode::CONFLICT, "not_kept", detail));
        }
        Some(OnceRow { answer: Some(OnceAnswer { status, body: Some(body) }), .. }) => {
            return Ok(Answer::again(StatusCode::from_u16(status).unwrap_or(StatusCode::OK), body));
        }
        Some(_) => {
            let detail =
                "the question with this Idempotency-Key is being answered, or its end is not known: look what became of it";
            return Err(Problem::new(StatusCode::CONFLICT, "in_progress", detail));
        }
    }
    let answered = ask();
    if answered.as_ref().is_err_and(may_be_done) {
        return answered;
    }
    // What was not done may be asked again under the same key.
    let answer = answered.as_ref().ok().and_then(Answer::whole).map(|(status, body)| OnceAnswer {
        status: status.as_u16(),
        body: Some(body).filter(|body| body.len() <= BODY_BYTES_MAX).map(<[u8]>::to_vec),
    });
    // What was done stays done if that cannot be written: the key stays taken.
    if let Err(Problem { code, logged: Some(why), .. }) =
        store.end_once(row.token, &row.key, answer.as_ref()).map_err(Problem::of_store)
    {
        QuestionFailed { code, why: &why }.emit();
    }
    answered
}

/// Whether a failure leaves it open what of the question was done: a store may break off in the middle of a commit, and what
/// follows a commit may fail.
fn may_be_done(problem: &Problem) -> bool {
    problem.status.is_server_error() && !matches!(problem.code, MOVED_ON | "source_down")
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;

    use crate::http::once::may_be_done;
    use crate::http::problem::{MOVED_ON, Problem};
    use crate::store::StoreError;

    #[test]
    fn a_key_stays_taken_where_nobody_knows_what_was_done() {
        let away = StoreError::Away { place: "postgres:".to_owned(), cause: "connection reset".into() };
        assert!(may_be_done(&Problem::of_store(away)), "the commit may have arrived");
        assert!(may_be_done(&Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "bug", "it broke off")));
        let unavailable = |code| Problem::new(StatusCode::SERVICE_UNAVAILABLE, code, "again");
        assert!(!may_be_done(&unavailable(MOVED_ON)), "others were faster each time");
        assert!(!may_be_done(&Problem::new(StatusCode::BAD_GATEWAY, "source_down", "nothing was read")));
        assert!(!may_be_done(&Problem::bad_request("no")));
    }
}
