//! What was told, and whether it arrived (R151, R153).

use maud::html;

use crate::http::pages::layout::page;
use crate::http::pages::parts::{Head, Tone, chip, nothing, pager, part, table};
use crate::http::pages::reply::Made;
use crate::http::pages::visit::{ROWS, Visit, path_of};
use crate::http::pages::words::{sentence, when};

/// So many notices can be looked back on.
const NOTICES_MAX: usize = 10_000;

/// The page.
pub fn notices(visit: &Visit<'_>) -> Made {
    const HEADS: [Head<'_>; 4] = [("When", false), ("Kind", false), ("Notice", false), ("Delivered by", false)];
    let customer = visit.whole_customer()?;
    let wanted = (visit.query.page() * ROWS + 1).min(NOTICES_MAX);
    let all = visit.service().notices(customer, u32::try_from(wanted).unwrap_or(u32::MAX))?;
    let is_more = all.len() > visit.query.page() * ROWS;
    let shown = part(all, visit.query.page());
    let rows = html! {
        @for view in &shown {
            tr {
                td { (when(customer, view.notice.at)) }
                td { (sentence(&view.notice.kind)) @if view.superseded { " " (chip(Tone::Quiet, "Superseded")) } }
                td.words { (view.notice.text) }
                td {
                    @for (at, delivery) in view.deliveries.iter().enumerate() {
                        @if at > 0 { ", " } (delivery.channel) " " (when(customer, delivery.at))
                    }
                }
            }
        }
    };
    let body = html! {
        div.head { h1 { "Notices" } }
        @if shown.is_empty() { (nothing("Nothing was told yet.")) } @else { (table("Notices", &HEADS, &rows)) }
        (pager(&path_of(customer, "/notices"), &visit.query, &[], None, is_more))
    };
    Ok(page(visit, customer, "Notices", "Notices", &body))
}
