//! The org tree with the license report, level by level (R136 to R140).

use maud::html;

use crate::base::{OrgId, ProductId, Seats};
use crate::http::pages::fields::link;
use crate::http::pages::layout::{fresh, page};
use crate::http::pages::parts::{Head, balance, bar, nothing, pager_of, part, table};
use crate::http::pages::reply::{Made, Reply};
use crate::http::pages::visit::{Visit, path_of};
use crate::http::pages::words::count;
use crate::http::problem::Problem;
use crate::service::{Customer, LicenseRow, Report, ServiceError};
use crate::shape::report::{LICENSES, license};
use crate::shape::{csv_of, csv_row};

/// The page.
pub fn orgs(visit: &Visit<'_>) -> Made {
    let customer = visit.customer()?;
    let (report, org, product) = asked(visit, customer)?;
    let Report { freshness, rows } = report;
    let here = |org: Option<&str>, product: Option<&str>, rest: &str| {
        let values = [("org", org), ("product", product)].into_iter().filter_map(|(name, value)| Some((name, value?)));
        link(&path_of(customer, rest), values)
    };
    let chosen = product.as_ref().map(ProductId::as_str);
    let above = org.as_ref().map(|org| org_above(visit, customer, org)).transpose()?.flatten();
    let mut rows = rows.into_iter();
    let top = rows.next();
    let below: Vec<LicenseRow> = rows.collect();
    let many = below.len();
    let is_top = |org: &OrgId| visit.asking.caller.org.as_ref() == Some(org);
    let body = html! {
        div.head {
            h1 { @if let Some(top) = &top { (top.name) } @else { "Orgs" } }
            a.button href=(here(org.as_ref().map(OrgId::as_str), chosen, "/orgs.csv")) download { "CSV" }
        }
        (fresh(customer, freshness))
        @if let (Some(above), Some(org)) = (&above, &org) {
            @if !is_top(org) { p { a href=(here(Some(above.as_str()), chosen, "/orgs")) { "\u{2191} The org above" } } }
        }
        form.find method="get" action=(path_of(customer, "/orgs")) {
            @if let Some(org) = &org { input type="hidden" name="org" value=(org); }
            label for="product" { "Product" }
            select #product name="product" {
                option value="" { "All products" }
                @for known in &customer.policy.products {
                    option value=(known.id) selected[chosen == Some(known.id.as_str())] { (known.id) }
                }
            }
            button type="submit" { "Show" }
        }
        @match &top {
            None => { (nothing("No source was taken in yet, so no org is known.")) }
            Some(top) => {
                (table("License report", &HEADS, &html! { (row(top, None)) }))
                h2 { "Orgs below" }
                @if below.is_empty() { (nothing("There are none.")) }
                @else {
                    (table("License report of the orgs below", &HEADS, &html! {
                        @for below in &part(below, visit.query.page()) {
                            (row(below, Some(here(Some(below.org.as_str()), chosen, "/orgs"))))
                        }
                    }))
                }
                (pager_of(&path_of(customer, "/orgs"), &visit.query, &["org", "product"], many))
            }
        }
    };
    Ok(page(visit, customer, "Orgs", "Orgs", &body))
}

const HEADS: [Head<'_>; 6] =
    [("Name", false), ("User limit", true), ("Used", true), ("Remaining", true), ("Percentage used", true), ("Share", false)];

fn row(row: &LicenseRow, to: Option<String>) -> maud::Markup {
    let seats = |seats: u64| Seats(u32::try_from(seats).unwrap_or(u32::MAX));
    html! {
        tr {
            th scope="row" { @match to { Some(to) => { a href=(to) { (row.name) } } None => { (row.name) } } }
            td.num { @if let Some(limit) = row.limit { (count(limit)) } }
            td.num { (count(row.used)) }
            td.num { @if let Some(left) = row.remaining() { (balance(Some(left))) } }
            td.num { @if let Some(share) = row.percent() { (share) " %" } }
            td.wide { @if row.limit.is_some() { (bar(seats(row.used), row.limit.map(seats))) } }
        }
    }
}

fn org_above(visit: &Visit<'_>, customer: &Customer, org: &OrgId) -> Result<Option<OrgId>, Problem> {
    let marks = visit.service().store().orgs(customer.id()).map_err(ServiceError::from)?;
    Ok(marks.into_iter().find(|mark| mark.id == *org).and_then(|mark| mark.parent))
}

/// The same as CSV, to the letter.
pub fn csv(visit: &Visit<'_>) -> Made {
    let customer = visit.customer()?;
    let (report, ..) = asked(visit, customer)?;
    let mut lines = csv_of(&LICENSES);
    report.rows.iter().for_each(|row| csv_row(&mut lines, &LICENSES, &license(row)));
    Ok(Reply::csv(&format!("licenses-{}", customer.id()), lines.take()))
}

type Asked = (Report<LicenseRow>, Option<OrgId>, Option<ProductId>);

fn asked(visit: &Visit<'_>, customer: &Customer) -> Result<Asked, Problem> {
    let org = visit.asking.org(customer, visit.query.get("org"))?;
    let product = match visit.query.get("product") {
        None => None,
        Some(id) => {
            let known = customer.policy.products.iter().find(|product| product.id.as_str() == id);
            Some(known.ok_or_else(|| Problem::unknown("product", id))?.id.clone())
        }
    };
    Ok((visit.service().license_report(customer, org.as_ref(), product.as_ref())?, org, product))
}
