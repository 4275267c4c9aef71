//! Who waits, in order (R42, R150).

use maud::html;

use crate::base::PoolId;
use crate::http::pages::layout::{fresh, page};
use crate::http::pages::parts::{Head, nothing, pager_of, part, table};
use crate::http::pages::people::path_of_person;
use crate::http::pages::reply::Made;
use crate::http::pages::visit::{Visit, path_of};
use crate::http::pages::words::{count, counted, number, when};

/// The page.
pub fn queue(visit: &Visit<'_>) -> Made {
    const HEADS: [Head<'_>; 7] = [
        ("Place", true),
        ("Person", false),
        ("Pool", false),
        ("Since", false),
        ("Priority", true),
        ("Home org", false),
        ("Asked for by", false),
    ];
    let customer = visit.whole_customer()?;
    let service = visit.service();
    let wanted = visit.query.get("pool").map(PoolId::from);
    if let Some(pool) = &wanted {
        customer.pool(pool)?;
    }
    let path = path_of(customer, "/queue");
    let rows = service.queue(customer, wanted.as_ref())?;
    let total = rows.len();
    let shown = part(rows, visit.query.page());
    let rows = html! {
        @for row in &shown {
            tr {
                td.num { (count(row.position)) }
                th scope="row" { a href=(path_of_person(customer, &row.person)) { (row.person) } }
                td { a href=(path_of(customer, &format!("/pools/{}", row.pool))) { (row.pool) }
                    @if row.waits_for == "access" { span.quiet { " (until there is access)" } } }
                td { (when(customer, row.since)) }
                td.num { (number(i64::from(row.priority))) }
                td { (row.home) }
                td { (row.reasons) }
            }
        }
    };
    let body = html! {
        div.head { h1 { "Queue" } p.quiet { (counted(total, "person waits", "people wait")) } }
        (fresh(customer, service.freshness(customer)?))
        form.find method="get" action=(path) {
            label for="pool" { "Pool" }
            select #pool name="pool" {
                option value="" { "All pools" }
                @for pool in &customer.policy.pools {
                    option value=(pool.id) selected[wanted.as_ref() == Some(&pool.id)] { (pool.id) }
                }
            }
            button type="submit" { "Show" }
        }
        p.quiet { "The order is fixed: priority first, then who has waited longest, then the key." }
        @if shown.is_empty() { (nothing("Nobody waits.")) } @else { (table("Queue", &HEADS, &rows)) }
        (pager_of(&path, &visit.query, &["pool"], total))
    };
    Ok(page(visit, customer, "Queue", "Queue", &body))
}
