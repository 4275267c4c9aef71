//! What happens to every question, whatever it asks: who asks is found out before anything else is looked at, then the body is
//! read, then the question, and its answer carries the version of the books.

use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody, to_bytes};
use axum::extract::{FromRequestParts, RawPathParams, Request, State};
use axum::http::header::IF_MATCH;
use axum::http::{HeaderMap, Response, StatusCode};
use axum::response::IntoResponse;
use axum::routing::{MethodFilter, MethodRouter, on};

use crate::http::answer::{Answer, Answered, Content, tag};
use crate::http::ask::{Asking, Door};
use crate::http::endpoint::{Endpoint, Work};
use crate::http::events::follow;
use crate::http::once::once;
use crate::http::pipe::pipe;
use crate::http::problem::{MOVED_ON, Problem};
use crate::http::question::Question;
use crate::http::says::Input;
use crate::service::{Customer, Service};

/// So long may JSON be, in bytes.
const JSON_BYTES_MAX: usize = 1 << 20;

/// So long may a body take to come.
const BODY_TIME_MAX: Duration = Duration::from_secs(30);

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
        Work::Open(answer) => return door.work(answer).await.map(Answer::into_response),
        Work::Asked(deed, ask) => (deed, ask),
    };
    let bytes_max = match endpoint.input {
        Input::Nothing => 0,
        Input::Json(_) => JSON_BYTES_MAX,
        Input::Csv(bytes_max) => bytes_max,
    };
    // Nobody unknown has a body read.
    let bytes = if bytes_max > 0 && !body.is_end_stream() {
        door.ask_on(&parts.headers, deed, |_| Ok(())).await?;
        read(body, bytes_max).await?
    } else {
        Bytes::new()
    };
    let params = RawPathParams::from_request_parts(&mut parts, &()).await;
    let params = params.map(|params| params.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect());
    let headers = parts.headers.clone();
    let answered = door.ask(&headers, deed, move |asking| {
        let params = params.map_err(|rejection| Problem::bad_request(rejection.body_text()))?;
        let mut question = Question::read((endpoint.asks, endpoint.input), params, &parts, bytes.clone())?;
        once(asking, endpoint, &parts, &bytes, || versioned(asking, endpoint, &parts.headers, &mut question, ask))
    });
    let (mut response, content) = answered.await?.into_parts();
    *response.body_mut() = match content {
        Content::Bytes(bytes) => Body::from(bytes),
        Content::Run(run) => follow(door, headers, deed, run)?,
        Content::Lines(writer) => {
            let (pipe, body) = pipe();
            let door = door.clone();
            let written = move |service: &Service| -> Result<(), Problem> {
                writer(service, &pipe)?;
                pipe.close();
                Ok(())
            };
            // Whoever reads sees where it ends, the log what was wrong.
            tokio::spawn(async move { drop(door.work(written).await) });
            body
        }
    };
    Ok(response)
}

async fn read(body: Body, bytes_max: usize) -> Result<Bytes, Problem> {
    let too_large = || {
        let detail = format!("a body is at most {bytes_max} bytes long here");
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail)
    };
    if body.size_hint().lower() > bytes_max as u64 {
        return Err(too_large());
    }
    match tokio::time::timeout(BODY_TIME_MAX, to_bytes(body, bytes_max)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(_)) => Err(too_large()),
        Err(_) => {
            let detail = format!("the body did not come within {} seconds", BODY_TIME_MAX.as_secs());
            Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "too_slow", detail))
        }
    }
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
    let answered = ask(asking, question);
    let answer = match (answered, question.version) {
        // Somebody was faster since the condition was looked at.
        (Err(Problem { code: MOVED_ON, .. }), Some(seen)) => {
            return Err(Problem::moved(version(customer)?.unwrap_or(seen)));
        }
        (answered, _) => answered?,
    };
    let now = if reads { before } else { version(customer)? };
    Ok(answer.of_version(now))
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
