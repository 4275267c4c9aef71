//! What happens to every question, whatever it asks: who asks is found out before anything else is looked at, then the body is
//! read, then the question, and its answer carries the version of the books.

use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{FromRequestParts, RawPathParams, Request, State};
use axum::http::header::IF_MATCH;
use axum::http::{HeaderMap, Response};
use axum::response::IntoResponse;
use axum::routing::{MethodFilter, MethodRouter, on};

use crate::http::answer::{Answer, Answered, Content, tag};
use crate::http::ask::{Asking, Door};
use crate::http::body::{BODY_TIME_MAX, whole};
use crate::http::endpoint::{Endpoint, Work};
use crate::http::events::follow;
use crate::http::once::once;
use crate::http::pipe::pipe;
use crate::http::problem::{MOVED_ON, Problem};
use crate::http::question::Question;
use crate::http::says::Input;
use crate::service::{Customer, Outbox};

/// So long may JSON be, in bytes.
const JSON_BYTES_MAX: usize = 1 << 20;

/// So far ahead may a question look, in milliseconds.
const AHEAD_MILLIS_MAX: i64 = 731 * 86_400_000;

/// So long may an answer be written while it is read.
const STREAM_TIME_MAX: Duration = Duration::from_secs(600);

/// The route of a question.
pub fn route(endpoint: &'static Endpoint) -> MethodRouter<Door> {
    let method = match endpoint.method {
        "POST" => MethodFilter::POST,
        "DELETE" => MethodFilter::DELETE,
        _ => MethodFilter::GET,
    };
    let answer = move |State(door): State<Door>, request: Request| async move {
        match answer(&door, endpoint, request).await {
            Ok(response) => response,
            Err(problem) => problem.into_response(),
        }
    };
    on(method, answer)
}

async fn answer(door: &Door, endpoint: &'static Endpoint, request: Request) -> Result<Response<Body>, Problem> {
    let (mut parts, body) = request.into_parts();
    let (deed, ask) = match endpoint.work {
        Work::Now(answer) => return answer().map(Answer::into_response),
        Work::Open(answer) => return door.probe(answer).await.map(Answer::into_response),
        Work::Asked(deed, ask) => (deed, ask),
    };
    let bytes_max = match endpoint.input {
        Input::Nothing => 0,
        Input::Json(_) => JSON_BYTES_MAX,
        Input::Csv(bytes_max) => bytes_max,
    };
    // Nobody unknown has a body read, nor does anybody as often as they like.
    let has_body = bytes_max > 0 && !body.is_end_stream();
    let (mut bytes, mut upload) = (Bytes::new(), None);
    if has_body {
        door.ask(&parts.headers, deed, |_| Ok(())).await?;
        upload = (bytes_max > JSON_BYTES_MAX).then(|| door.upload()).transpose()?;
        bytes = whole(body, bytes_max, BODY_TIME_MAX).await?;
    }
    let params = RawPathParams::from_request_parts(&mut parts, &()).await;
    let params = params.map(|params| params.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect());
    let (headers, count) = (parts.headers.clone(), door.clone());
    let count = move |token| count.count(token);
    let answered = door.ask_on(&headers, deed, move |asking: &Asking<'_>| {
        if !has_body {
            count(asking.caller.token)?;
        }
        let params = params.map_err(|rejection| Problem::bad_request(rejection.body_text()))?;
        let mut question = Question::read((endpoint.asks, endpoint.input), params, &parts, bytes.clone())?;
        let ask = || versioned(asking, endpoint, &parts.headers, &mut question, ask);
        let answered = once(asking, endpoint, &parts, &bytes, ask);
        drop(upload);
        Ok((asking.caller.token, answered?))
    });
    let (token, answer) = answered.await?;
    let (mut response, content) = answer.into_parts();
    *response.body_mut() = match content {
        Content::Bytes(bytes) => Body::from(bytes),
        Content::Run(run) => follow(door, token, headers, deed, run)?,
        Content::Lines(writer) => {
            let place = door.stream(token)?;
            // What is told is read from the books first; while somebody reads it, others have their turn.
            let turn = door.turn().await?;
            let (pipe, body) = pipe(STREAM_TIME_MAX);
            let pipe = pipe.keeping(turn);
            let door = door.clone();
            let written = move |outbox: &Outbox| -> Result<(), Problem> {
                writer(outbox.service(), &pipe)?;
                pipe.close();
                Ok(())
            };
            // Whoever reads sees where it ends, the log what was wrong.
            tokio::spawn(async move { drop(door.work_in(place, written).await) });
            body
        }
    };
    Ok(response)
}

/// Asks on the condition that the books are where the caller saw them, and says where they are.
fn versioned(
    asking: &Asking<'_>,
    endpoint: &Endpoint,
    headers: &HeaderMap,
    question: &mut Question,
    ask: fn(&Asking<'_>, &Question) -> Answered,
) -> Answered {
    let reads = endpoint.method == "GET";
    let customer = customer_of(asking, question);
    let version = |customer: Option<&Customer>| customer.map(|customer| asking.service.version(customer)).transpose();
    // A tag that is older than its answer does no harm: a write that relies on it is refused.
    let before = if reads { version(customer)? } else { None };
    if let (false, Some(condition)) = (reads, headers.get(IF_MATCH)) {
        let now = version(customer)?.ok_or_else(|| Problem::bad_request("If-Match means nothing here"))?;
        let named = condition.to_str().unwrap_or_default();
        if named.trim() != "*" {
            if !named.split(',').any(|named| named.trim() == tag(now)) {
                return Err(Problem::moved(now));
            }
            question.version = Some(now);
        }
    }
    let answered = ask_as_of(asking, question, ask);
    let answer = match (answered, question.version) {
        // Somebody was faster since the condition was looked at.
        (Err(Problem { code: MOVED_ON, .. }), Some(seen)) => {
            return Err(Problem::moved(version(customer)?.unwrap_or(seen)));
        }
        (answered, _) => answered?,
    };
    let now = match question.as_of() {
        // The past is not what a write may rely on.
        Some(_) => None,
        None if reads => before,
        // What was done is told, also where nobody can say how far the books are.
        None => version(customer).ok().flatten(),
    };
    Ok(answer.of_version(now))
}

/// Answers as of the instant that the question takes for now, as the command line does with `--as-of` (R159). Who may ask, and
/// how far, was found out as of now.
fn ask_as_of(asking: &Asking<'_>, question: &Question, ask: fn(&Asking<'_>, &Question) -> Answered) -> Answered {
    let Some(at) = question.as_of() else { return ask(asking, question) };
    // Whoever plays the days up to then day by day is not to do so for ever.
    if at > asking.service.now().plus_millis(AHEAD_MILLIS_MAX) {
        return Err(Problem::bad_request("as_of is at most two years ahead"));
    }
    let service = asking.service.looking_from(at);
    ask(&Asking { service: &service, caller: asking.caller.clone(), ..*asking }, question)
}

/// The customer that a question is about, by its path.
fn customer_of<'s>(asking: &Asking<'s>, question: &Question) -> Option<&'s Customer> {
    if let Some(id) = question.param("customer") {
        return asking.customer(id).ok();
    }
    let run = question.param("run").and_then(|run| run.parse().ok())?;
    let row = asking.run(run).ok()?;
    asking.customer(row.customer.as_str()).ok()
}
