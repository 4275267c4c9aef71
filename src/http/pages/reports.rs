//! Reports: as pages and as CSV, with the very columns that every door shows.

use maud::html;

use crate::base::PoolId;
use crate::http::pages::customer::products_table;
use crate::http::pages::fields::link;
use crate::http::pages::layout::{fresh, page};
use crate::http::pages::parts::{grid, nothing, pager_of};
use crate::http::pages::reply::{Made, Reply};
use crate::http::pages::visit::{ROWS, Visit, path_of};
use crate::http::pages::words::{count, counted};
use crate::http::problem::Problem;
use crate::license::ClaimState;
use crate::service::{ClaimFilter, Customer, Freshness, Report};
use crate::shape::report::{
    ADVICE, CLAIMS, COMPLIANCE, CONSUMPTION, HIGH_WATER, REUSE, UNSEATED, USAGE, advice, claim, compliance, consumption,
    high_water, reuse, unseated, usage,
};
use crate::shape::{Column, Datum, csv_of, csv_row};

/// A report: its name in paths, its title, what it tells, and whether it can be of one pool.
const REPORTS: [(&str, &str, &str, bool); 8] = [
    ("compliance", "Compliance", "How every pool stands with its contract, the worst first.", false),
    ("advice", "Advice", "What would help, with numbers.", false),
    ("usage", "Usage", "How many of those who have a seat use it.", false),
    ("consumption", "Consumption", "What each pool's seats are used for, team by team.", true),
    ("unseated", "People without a seat", "Who wanted a seat and has none, and why.", true),
    ("claims", "Claims", "Every claim with why it is as it is.", true),
    ("reuse", "Reuse", "The people of license years, and how many replaced others.", false),
    ("high-water", "High water", "The most that was used on each day.", true),
];

/// All reports, and the products with who holds two.
pub fn reports(visit: &Visit<'_>) -> Made {
    let customer = visit.customer()?;
    let told = visit.service().dashboard(customer, None)?;
    let body = html! {
        div.head { h1 { "Reports" } }
        (fresh(customer, told.freshness))
        ul.cards {
            li { article.card { h2 { a href=(path_of(customer, "/orgs")) { "Licenses" } } p { "Seats of each org and of those below it." } } }
            @for (name, title, what, _) in REPORTS {
                li { article.card { h2 { a href=(path_of(customer, &format!("/reports/{name}"))) { (title) } } p { (what) } } }
            }
        }
        h2 { "Products" }
        (products_table(&told.products))
        @for (one, other, people) in &told.combined {
            p.quiet { (counted(*people, "person holds", "people hold")) " seats of both " (one) " and " (other) "." }
        }
    };
    Ok(page(visit, customer, "Reports", "Reports", &body))
}

/// A report's rows as cells.
struct Told {
    freshness: Freshness,
    columns: &'static [Column],
    rows: Vec<Vec<Datum>>,
}

fn of<T>(report: Report<T>, columns: &'static [Column], cells: impl Fn(T) -> Vec<Datum>) -> Told {
    Told { freshness: report.freshness, columns, rows: report.rows.into_iter().map(cells).collect() }
}

fn told(visit: &Visit<'_>, customer: &Customer) -> Result<(Told, Option<PoolId>), Problem> {
    let service = visit.service();
    let pool = visit.query.get("pool").map(PoolId::from);
    if let Some(pool) = &pool {
        customer.pool(pool)?;
    }
    let told = match visit.param("report") {
        "compliance" => of(service.compliance(customer)?, &COMPLIANCE, |row| compliance(&row)),
        "usage" => of(service.usage(customer)?, &USAGE, |row| usage(&row)),
        "advice" => of(service.advice(customer)?, &ADVICE, |row| advice(&row)),
        "reuse" => of(service.reuse_report(customer)?, &REUSE, |row| reuse(&row)),
        "consumption" => of(service.consumption(customer, pool.as_ref())?, &CONSUMPTION, |row| consumption(&row)),
        "unseated" => of(service.unseated(customer, pool.as_ref())?, &UNSEATED, unseated),
        "high-water" => of(service.high_water(customer, pool.as_ref(), None, None)?, &HIGH_WATER, |row| high_water(&row)),
        "claims" => {
            let state = visit.query.get("state");
            let state = state.map(|word| ClaimState::ALL.into_iter().find(|state| state.word() == word));
            let filter = ClaimFilter { pool: pool.clone(), state: state.flatten(), ..ClaimFilter::default() };
            of(service.claims_report(customer, &filter)?, &CLAIMS, claim)
        }
        name => return Err(Problem::unknown("report", name)),
    };
    Ok((told, pool))
}

/// One report.
pub fn report(visit: &Visit<'_>) -> Made {
    let customer = visit.customer()?;
    let (told, pool) = told(visit, customer)?;
    let name = visit.param("report");
    let (_, title, what, of_pool) = REPORTS.into_iter().find(|(known, ..)| *known == name).unwrap_or(("", "", "", false));
    let path = path_of(customer, &format!("/reports/{name}"));
    let total = told.rows.len();
    let values = ["pool", "state"].into_iter().filter_map(|name| Some((name, visit.query.get(name)?)));
    let csv = link(&format!("{path}/csv"), values);
    let at = (visit.query.page() - 1) * ROWS;
    let shown = told.rows.get(at.min(total)..(at + ROWS).min(total)).unwrap_or_default();
    let body = html! {
        div.head { h1 { (title) } a.button href=(csv) download { "CSV" } }
        (fresh(customer, told.freshness))
        p { (what) }
        @if of_pool {
            form.find method="get" action=(path) {
                label for="pool" { "Pool" }
                select #pool name="pool" {
                    option value="" { "All pools" }
                    @for known in &customer.policy.pools {
                        option value=(known.id) selected[pool.as_ref() == Some(&known.id)] { (known.id) }
                    }
                }
                @if name == "claims" {
                    label for="state" { "State" }
                    select #state name="state" {
                        option value="" { "All states" }
                        @for state in ClaimState::ALL {
                            option value=(state.word()) selected[visit.query.get("state") == Some(state.word())] { (state.word()) }
                        }
                    }
                }
                button type="submit" { "Show" }
            }
        }
        @if total > ROWS { p.quiet { (count(total)) " rows" } }
        @if shown.is_empty() { (nothing("There is nothing to tell.")) } @else { (grid(title, told.columns, shown)) }
        (pager_of(&path, &visit.query, &["pool", "state"], total))
    };
    Ok(page(visit, customer, "Reports", title, &body))
}

/// The same as CSV, all of it.
pub fn csv(visit: &Visit<'_>) -> Made {
    let customer = visit.customer()?;
    let (told, _) = told(visit, customer)?;
    let mut lines = csv_of(told.columns);
    told.rows.iter().for_each(|row| csv_row(&mut lines, told.columns, row));
    Ok(Reply::csv(&format!("{}-{}", visit.param("report"), customer.id()), lines.take()))
}
