//! The processes that work on the store, what each does and since when: for whoever answers for all customers.

use maud::{Markup, html};

use crate::http::access::Deed;
use crate::http::pages::layout::plain;
use crate::http::pages::parts::{Head, nothing, table};
use crate::http::pages::reply::Made;
use crate::http::pages::visit::Visit;
use crate::http::pages::words::{counted, far};
use crate::http::problem::Problem;
use crate::service::ServiceError;
use crate::store::{NodeRow, NodeWork};

const HEADS: [Head<'_>; 6] =
    [("Node", false), ("Host", false), ("Process", true), ("Since", false), ("Last seen", true), ("Works on", false)];

/// The page.
pub fn nodes(visit: &Visit<'_>) -> Made {
    if visit.asking.caller.customer.is_some() {
        return Err(Problem::forbidden());
    }
    let nodes = visit.service().store().nodes().map_err(ServiceError::from)?;
    let daemons = nodes.iter().filter(|node| node.daemon).count();
    let rows = html! { @for node in &nodes { (row(visit, node)) } };
    let body = html! {
        div.head {
            h1 { "Nodes" }
            p.quiet { (counted(daemons, "daemon works", "daemons work")) " on " (visit.service().store().place()) }
        }
        @if nodes.is_empty() { (nothing("No process works on the store.")) } @else { (table("Nodes", &HEADS, &rows)) }
    };
    Ok(plain(visit, "Nodes", &body))
}

fn row(visit: &Visit<'_>, node: &NodeRow) -> Markup {
    let NodeRow { mark, host, pid, since, daemon, seen_secs, work } = node;
    html! {
        tr {
            td { (mark) @if !daemon { span.quiet { " (a command)" } } }
            td { (host) }
            td { (pid) }
            td { (far(visit.now, *since)) }
            td { (seen_secs) " s ago" }
            td { @if work.is_empty() { span.quiet { "nothing" } } @else { ul { @for work in work { li { (doing(visit, work)) } } } } }
        }
    }
}

fn doing(visit: &Visit<'_>, NodeWork { customer, request, since }: &NodeWork) -> Markup {
    html! { a href={ "/c/" (customer) "/requests/" (request) } { (customer) } ", begun " (far(visit.now, *since)) }
}

/// The way to this page, for those who may go there.
pub fn way(visit: &Visit<'_>) -> Markup {
    html! {
        @if visit.may(Deed::Look) && visit.asking.caller.customer.is_none() { a href="/nodes" { "Nodes" } }
    }
}
