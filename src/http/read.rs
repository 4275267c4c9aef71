//! Questions that change nothing.

use axum::extract::{FromRequestParts, Path, Query, State};
use axum::http::HeaderMap;
use axum::http::header::ACCEPT;
use axum::http::request::Parts;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::base::{EpisodeId, OrgId, PoolId, ProductId, RequestId, RunId};
use crate::http::access::Deed;
use crate::http::answer::{Answer, Answered};
use crate::http::ask::Door;
use crate::http::problem::Problem;
use crate::service::{Customer, Freshness, Report};
use crate::shape::report::{ADVICE, COMPLIANCE, CONSUMPTION, LICENSES, REUSE, UNSEATED, USAGE};
use crate::shape::report::{advice, compliance, consumption, license, reuse, unseated, usage};
use crate::shape::{
    Column, CustomerJson, Datum, ExplainJson, FindingsJson, FreshnessJson, HoldDetailJson, HoldsJson, PoolJson, QueueJson,
    RunJson, at, csv_of, csv_row, episode_file_json, episode_view_json, grid_json, notices_json,
};
use crate::store::RequestState;

/// So many rows of a list unless the question says so, and at most.
const ROWS: u32 = 100;
const ROWS_MAX: u32 = 1000;

/// What questions may say.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asks {
    pool: Option<String>,
    product: Option<String>,
    org: Option<String>,
    rule: Option<String>,
    limit: Option<u32>,
    all: Option<bool>,
}

impl<S: Sync> FromRequestParts<S> for Asks {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let asks = Query::try_from_uri(&parts.uri).map(|Query(asks)| asks);
        asks.map_err(|rejection| Problem::bad_request(rejection.body_text()))
    }
}

impl Asks {
    fn limit(&self) -> u32 {
        self.limit.unwrap_or(ROWS).min(ROWS_MAX)
    }

    fn pool(&self, customer: &Customer) -> Result<Option<PoolId>, Problem> {
        let pool = self.pool.as_deref().map(PoolId::from);
        if let Some(pool) = &pool {
            customer.pool(pool)?;
        }
        Ok(pool)
    }

    fn product(&self, customer: &Customer) -> Result<Option<ProductId>, Problem> {
        let Some(id) = self.product.as_deref() else { return Ok(None) };
        let known = customer.policy.products.iter().find(|product| product.id.as_str() == id);
        known.map(|product| Some(product.id.clone())).ok_or_else(|| Problem::unknown("product", id))
    }
}

/// All customers at a glance.
pub async fn customers(State(door): State<Door>, headers: HeaderMap) -> Answered {
    door.ask(&headers, Deed::Look, |asking| {
        let customers: Vec<&Customer> = asking.customers().collect();
        let all: Vec<_> = asking.service.statuses(&customers)?.into_iter().map(CustomerJson::from).collect();
        Answer::json(&json!({"customers": all}))
    })
    .await
}

/// One customer at a glance.
pub async fn customer(State(door): State<Door>, Path(id): Path<String>, headers: HeaderMap) -> Answered {
    door.ask(&headers, Deed::Look, move |asking| {
        Answer::json(&CustomerJson::from(asking.service.status(asking.customer(&id)?)?))
    })
    .await
}

/// The pools of a customer.
pub async fn pools(State(door): State<Door>, Path(id): Path<String>, headers: HeaderMap) -> Answered {
    door.ask(&headers, Deed::Look, move |asking| {
        let customer = asking.customer(&id)?;
        let pools: Vec<PoolJson> = asking.service.pools(customer)?.iter().map(PoolJson::from).collect();
        let freshness = FreshnessJson::from(asking.service.freshness(customer)?);
        Answer::json(&json!({"customer": id, "freshness": freshness, "pools": pools}))
    })
    .await
}

/// Who waits, in order.
pub async fn queue(State(door): State<Door>, Path(id): Path<String>, asks: Asks, headers: HeaderMap) -> Answered {
    door.ask(&headers, Deed::LookAtPeople, move |asking| {
        asking.whole_customer()?;
        let customer = asking.customer(&id)?;
        let rows = asking.service.queue(customer, asks.pool(customer)?.as_ref())?;
        Answer::json(&QueueJson::new(&id, asking.service.freshness(customer)?, &rows))
    })
    .await
}

/// Why a person has seats, or not.
pub async fn explain(
    State(door): State<Door>,
    Path((id, person)): Path<(String, String)>,
    asks: Asks,
    headers: HeaderMap,
) -> Answered {
    door.ask(&headers, Deed::LookAtPeople, move |asking| {
        let customer = asking.customer(&id)?;
        asking.person(customer, &person)?;
        let answers = asking.service.explain(customer, &person, asks.product(customer)?.as_ref())?;
        if !answers.is_empty() && answers.iter().all(|answer| answer.answer == "unknown_person") {
            return Err(Problem::unknown("person", &person));
        }
        Answer::json(&ExplainJson::new(&id, &person, asking.service.freshness(customer)?, &answers))
    })
    .await
}

/// Runs of a customer, newest first.
pub async fn runs(State(door): State<Door>, Path(id): Path<String>, asks: Asks, headers: HeaderMap) -> Answered {
    door.ask(&headers, Deed::Look, move |asking| {
        let customer = asking.customer(&id)?;
        let rows = asking.service.store().runs(Some(customer.id()), asks.limit()).map_err(store)?;
        Answer::json(&json!({"runs": rows.iter().map(RunJson::from).collect::<Vec<_>>()}))
    })
    .await
}

/// One run.
pub async fn run(State(door): State<Door>, Path(run): Path<u64>, headers: HeaderMap) -> Answered {
    door.ask(&headers, Deed::Look, move |asking| Answer::json(&RunJson::from(&asking.run(run)?))).await
}

/// What a run found wrong in its sources.
pub async fn findings(State(door): State<Door>, Path(run): Path<u64>, asks: Asks, headers: HeaderMap) -> Answered {
    door.ask(&headers, Deed::LookAtPeople, move |asking| {
        asking.whole_customer()?;
        let total = asking.run(run)?.tally.findings;
        let found = asking.service.run_findings(RunId(run), asks.rule.as_deref(), asks.limit() as usize)?;
        Answer::json(&FindingsJson::new(run, total, &found))
    })
    .await
}

/// A request for a run: whether it is over, and the run it came to.
pub async fn request(State(door): State<Door>, Path(request): Path<u64>, headers: HeaderMap) -> Answered {
    door.ask(&headers, Deed::Look, move |asking| {
        let unknown = || Problem::unknown("request", &request.to_string());
        let row = asking.service.store().request_row(RequestId(request)).map_err(store)?.ok_or_else(unknown)?;
        asking.customer(row.customer.as_str()).map_err(|_| unknown())?;
        let state = match row.state {
            RequestState::Queued => "queued",
            RequestState::Running => "running",
            RequestState::Done => "done",
        };
        let run = row.run.map(|run| run.0);
        Answer::json(
            &json!({"request": request, "customer": row.customer.as_str(), "state": state, "run": run, "at": at(row.at)}),
        )
    })
    .await
}

/// Holds of a customer: the open ones, or all.
pub async fn holds(State(door): State<Door>, Path(id): Path<String>, asks: Asks, headers: HeaderMap) -> Answered {
    door.ask(&headers, Deed::LookAtPeople, move |asking| {
        asking.whole_customer()?;
        let customer = asking.customer(&id)?;
        let now = asking.service.now();
        let holds = asking.service.holds(customer)?.into_iter();
        let wanted = holds.filter(|hold| asks.all.unwrap_or(false) || hold.is_open(now)).map(|hold| (customer, hold));
        Answer::json(&HoldsJson::new(&wanted.collect::<Vec<_>>()))
    })
    .await
}

/// A hold, and what approving it would do.
pub async fn hold(State(door): State<Door>, Path(run): Path<u64>, headers: HeaderMap) -> Answered {
    door.ask(&headers, Deed::LookAtPeople, move |asking| {
        asking.whole_customer()?;
        let (customer, hold) = asking.hold(run)?;
        let plan = asking.service.hold_preview(customer, &hold)?;
        Answer::json(&HoldDetailJson::new(customer.id().as_str(), &hold, plan.as_ref()))
    })
    .await
}

/// Overages of a customer, newest first.
pub async fn episodes(State(door): State<Door>, Path(id): Path<String>, asks: Asks, headers: HeaderMap) -> Answered {
    door.ask(&headers, Deed::Look, move |asking| {
        let customer = asking.customer(&id)?;
        let views = asking.service.episodes(customer, asks.pool(customer)?.as_ref())?;
        let views: Vec<Value> = views.iter().take(asks.limit() as usize).map(episode_view_json).collect();
        Answer::json(&json!({"customer": id, "episodes": views}))
    })
    .await
}

/// Everything about an overage.
pub async fn episode(State(door): State<Door>, Path((id, episode)): Path<(String, u64)>, headers: HeaderMap) -> Answered {
    door.ask(&headers, Deed::Look, move |asking| {
        let file = asking.service.episode_file(asking.customer(&id)?, EpisodeId(episode))?;
        Answer::json(&episode_file_json(&file))
    })
    .await
}

/// Notices of a customer, newest first.
pub async fn notices(State(door): State<Door>, Path(id): Path<String>, asks: Asks, headers: HeaderMap) -> Answered {
    door.ask(&headers, Deed::LookAtPeople, move |asking| {
        asking.whole_customer()?;
        let found = asking.service.notices(asking.customer(&id)?, asks.limit())?;
        Answer::json(&notices_json(&id, &found))
    })
    .await
}

/// The license report of an org and of those below it, as JSON or, where asked for, as CSV (R136 to R140, R147).
pub async fn licenses(State(door): State<Door>, Path(id): Path<String>, asks: Asks, headers: HeaderMap) -> Answered {
    let csv = wants_csv(&headers);
    door.ask(&headers, Deed::LicenseReport, move |asking| {
        let customer = asking.customer(&id)?;
        let org: Option<OrgId> = asking.org(customer, asks.org.as_deref())?;
        let report = asking.service.license_report(customer, org.as_ref(), asks.product(customer)?.as_ref())?;
        table(&id, csv, &LICENSES, report, |row| license(&row))
    })
    .await
}

/// A report by its name, as JSON or as CSV.
pub async fn report(
    State(door): State<Door>,
    Path((id, name)): Path<(String, String)>,
    asks: Asks,
    headers: HeaderMap,
) -> Answered {
    let csv = wants_csv(&headers);
    door.ask(&headers, Deed::Report, move |asking| {
        let customer = asking.customer(&id)?;
        let service = asking.service;
        let pool = asks.pool(customer)?;
        match name.as_str() {
            "compliance" => table(&id, csv, &COMPLIANCE, service.compliance(customer)?, |row| compliance(&row)),
            "usage" => table(&id, csv, &USAGE, service.usage(customer)?, |row| usage(&row)),
            "advice" => table(&id, csv, &ADVICE, service.advice(customer)?, |row| advice(&row)),
            "reuse" => table(&id, csv, &REUSE, service.reuse_report(customer)?, |row| reuse(&row)),
            "consumption" => {
                table(&id, csv, &CONSUMPTION, service.consumption(customer, pool.as_ref())?, |row| consumption(&row))
            }
            "unseated" => table(&id, csv, &UNSEATED, service.unseated(customer, pool.as_ref())?, unseated),
            _ => Err(Problem::unknown("report", &name)),
        }
    })
    .await
}

fn table<T>(customer: &str, csv: bool, columns: &[Column], report: Report<T>, cells: impl Fn(T) -> Vec<Datum>) -> Answered {
    let Report { freshness, rows } = report;
    if !csv {
        let freshness: Freshness = freshness;
        return Answer::json(&grid_json(customer, freshness, columns, Vec::new(), rows.into_iter().map(cells)));
    }
    let mut lines = csv_of(columns);
    rows.into_iter().for_each(|row| csv_row(&mut lines, columns, &cells(row)));
    Answer::text("text/csv; charset=utf-8", lines.take())
}

fn wants_csv(headers: &HeaderMap) -> bool {
    headers.get(ACCEPT).and_then(|accept| accept.to_str().ok()).is_some_and(|accept| accept.contains("text/csv"))
}

/// The store's own error, as the service would tell it.
fn store(error: crate::store::StoreError) -> Problem {
    crate::service::ServiceError::from(error).into()
}
