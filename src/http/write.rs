//! Questions that change something: a same-day run, a decision on a hold.

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::json;

use crate::base::{PersonKey, RunId};
use crate::http::access::Deed;
use crate::http::answer::{Answer, Answered};
use crate::http::ask::Door;
use crate::http::problem::Problem;
use crate::roster::Scope;
use crate::service::{HoldAnswer, HoldDone, SameDayAnswer};
use crate::shape::{HoldDoneJson, QuotaJson, at};
use crate::store::Asked;

/// What a same-day run is to do (R96).
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SyncWish {
    source: Option<String>,
    person: Option<String>,
    org: Option<String>,
    confirm_absences: bool,
}

/// How a hold is approved (R120).
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Approval {
    except: Vec<String>,
    allow_empty: bool,
}

/// A body that may be left out.
type Body<T> = Result<Option<Json<T>>, JsonRejection>;

fn body<T: Default>(body: Body<T>) -> Result<T, Problem> {
    body.map(|body| body.map_or_else(T::default, |Json(wish)| wish))
        .map_err(|rejection| Problem::new(rejection.status(), "bad_request", rejection.body_text()))
}

/// Asks for a same-day run; the answer is immediate, the run is not.
pub async fn sync(State(door): State<Door>, Path(id): Path<String>, headers: HeaderMap, wish: Body<SyncWish>) -> Answered {
    door.ask(&headers, Deed::Sync, move |asking| {
        let SyncWish { source, person, org, confirm_absences } = body(wish)?;
        if person.is_some() && org.is_some() {
            return Err(Problem::bad_request("name a person or an org, not both"));
        }
        let customer = asking.customer(&id)?;
        let source = source.map(|source| customer.source(&source).map(|feed| feed.source.id().clone())).transpose()?;
        let scope = person.map(|key| Scope::Person(key.as_str().into()));
        let scope = scope.or_else(|| org.map(|org| Scope::Org(org.as_str().into())));
        let asked = Asked { by: asking.caller.actor(), source, confirm_absences, scope };
        match asking.service.request_same_day(customer, &asked)? {
            SameDayAnswer::Taken { place, deadline, quota } => Answer::json_with(
                StatusCode::ACCEPTED,
                &json!({
                    "request": place.request.0, "joined": place.joined, "position": place.position,
                    "deadline": at(deadline), "quota": QuotaJson::from(quota),
                }),
            ),
            SameDayAnswer::Refused { quota } => {
                let next = at(quota.next).unwrap_or_else(|| "never".to_owned());
                let detail =
                    format!("{} of {} same-day runs were asked for; the next one may be at {next}", quota.used, quota.max);
                Err(Problem::new(StatusCode::TOO_MANY_REQUESTS, "quota", detail))
            }
        }
    })
    .await
}

/// Approves a hold, but for the people excepted, and does what was approved.
pub async fn approve(State(door): State<Door>, Path(run): Path<u64>, headers: HeaderMap, wish: Body<Approval>) -> Answered {
    door.ask(&headers, Deed::DecideHold, move |asking| {
        let Approval { except, allow_empty } = body(wish)?;
        asking.hold(run)?;
        let except: Vec<PersonKey> = except.iter().map(|key| PersonKey::from(key.as_str())).collect();
        decided(&asking.service.approve_hold(RunId(run), &asking.caller.actor(), &except, allow_empty, &|_| ())?)
    })
    .await
}

/// Rejects a hold: the people stay as they are.
pub async fn reject(State(door): State<Door>, Path(run): Path<u64>, headers: HeaderMap) -> Answered {
    door.ask(&headers, Deed::DecideHold, move |asking| {
        asking.hold(run)?;
        decided(&asking.service.reject_hold(RunId(run), &asking.caller.actor())?)
    })
    .await
}

fn decided(done: &HoldDone) -> Answered {
    let status = match (&done.answer, done.request) {
        (HoldAnswer::Done, None) => StatusCode::OK,
        (HoldAnswer::Done, Some(_)) => StatusCode::ACCEPTED,
        _ => StatusCode::CONFLICT,
    };
    Answer::json_with(status, &HoldDoneJson::from(done))
}
