//! Numbers for Prometheus, in its text format: a handful for each customer and each of its pools, nothing for people.

use std::collections::BTreeMap;
use std::fmt::{Display, Write as _};

use crate::http::access::Deed;
use crate::http::answer::{Answer, Answered};
use crate::http::ask::Asking;
use crate::http::endpoint::{Endpoint, Output, Work};
use crate::http::problem::Problem;
use crate::http::question::Question;
use crate::service::{Customer, CustomerStatus, PoolView};
use crate::store::{AlertStanding, NodeRow, RunState};

/// What scrapers get.
pub const METRICS: &[Endpoint] = &[Endpoint::get(
    "/metrics",
    Work::Asked(Deed::Look, metrics),
    "Numbers for Prometheus, a handful a customer and pool.",
    Output::Text(KIND),
)];

const KIND: &str = "text/plain; version=0.0.4; charset=utf-8";

fn metrics(asking: &Asking<'_>, _: &Question) -> Answered {
    let service = asking.service;
    let customers: Vec<&Customer> = asking.customers().collect();
    let alerts = service.store().alert_standings().map_err(Problem::of_store)?;
    // Who answers for one customer alone is told nothing of the machines.
    let nodes = match asking.caller.customer {
        None => service.store().nodes().map_err(Problem::of_store)?,
        Some(_) => Vec::new(),
    };
    let mut told = text(&service.statuses(&customers)?, &alerts, service.now().0);
    of_nodes(&mut told, &nodes);
    Answer::text(KIND, told)
}

/// Numbers of the daemons that work on the store. A command is gone before anybody asks again.
fn of_nodes(text: &mut String, nodes: &[NodeRow]) {
    let mut family = |name, help, value: &dyn Fn(&NodeRow) -> u64| {
        let mut family = Family::new(text, name, help);
        for node in nodes.iter().filter(|node| node.daemon) {
            let pid = node.pid.to_string();
            let labels = [("node", node.mark.as_str()), ("host", &node.host), ("process", &pid)];
            family.sample(&labels, value(node));
        }
    };
    family("rosterd_node_seen_seconds", "Seconds since a daemon that works on the store last said that it lives.", &|n| {
        n.seen_secs
    });
    family("rosterd_node_requests", "Requests that a daemon works on.", &|n| n.work.len() as u64);
}

/// A family of samples, as the format wants it: its help, its type, its samples together.
struct Family<'t> {
    text: &'t mut String,
    name: &'static str,
}

impl<'t> Family<'t> {
    fn new(text: &'t mut String, name: &'static str, help: &str) -> Self {
        // Writing to a text does not fail.
        let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} gauge");
        Self { text, name }
    }

    fn sample(&mut self, labels: &[(&str, &str)], value: impl Display) {
        let labels: Vec<String> = labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
        let _ = writeln!(self.text, "{}{{{}}} {value}", self.name, labels.join(","));
    }
}

fn escaped(label: &str) -> String {
    label.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

fn text(customers: &[CustomerStatus], alerts: &[AlertStanding], now_millis: i64) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "# HELP rosterd_build_info The program.\n# TYPE rosterd_build_info gauge");
    let _ = writeln!(text, "rosterd_build_info{{version=\"{}\"}} 1", env!("CARGO_PKG_VERSION"));
    let mut of_customers = |name, help, value: &dyn Fn(&CustomerStatus) -> Option<i64>| {
        let mut family = Family::new(&mut text, name, help);
        for customer in customers {
            value(customer).into_iter().for_each(|value| family.sample(&[("customer", &customer.customer)], value));
        }
    };
    of_customers("rosterd_customer_version", "Commits of the customer.", &|c| i64::try_from(c.version).ok());
    of_customers("rosterd_customer_stale", "1 if no source was read for too long.", &|c| Some(c.freshness.stale.into()));
    of_customers("rosterd_customer_snapshot_age_seconds", "Since a source was last known to be as the books have it.", &|c| {
        c.freshness.snapshot.map(|at| (now_millis - at.0) / 1000)
    });
    of_customers("rosterd_customer_hold_open", "1 if a hold waits for a decision.", &|c| Some(c.hold.is_some().into()));
    of_customers("rosterd_customer_last_run_failed", "1 if the newest run failed.", &|c| {
        c.last_run.as_ref().map(|run| (run.state == RunState::Failed).into())
    });
    of_customers("rosterd_customer_same_day_used", "Same-day runs asked for today.", &|c| Some(c.same_day.used.into()));
    let alerts: BTreeMap<&str, &AlertStanding> = alerts.iter().map(|alerts| (alerts.customer.as_str(), alerts)).collect();
    let of = |customer: &CustomerStatus| alerts.get(customer.customer.as_str()).copied();
    of_customers("rosterd_alerts_waiting", "Deliveries of notices that are still to arrive.", &|c| {
        Some(of(c).map_or(0, |alerts| i64::try_from(alerts.waiting).unwrap_or(i64::MAX)))
    });
    of_customers("rosterd_alerts_oldest_seconds", "Since the oldest notice that is still to arrive was written.", &|c| {
        of(c).and_then(|alerts| alerts.oldest).map(|at| (now_millis - at.0) / 1000)
    });
    of_customers("rosterd_alerts_dead", "Deliveries of notices that were given up.", &|c| {
        Some(of(c).map_or(0, |alerts| i64::try_from(alerts.dead).unwrap_or(i64::MAX)))
    });
    let mut of_pools = |name, help, value: &dyn Fn(&PoolView) -> Option<i64>| {
        let mut family = Family::new(&mut text, name, help);
        for customer in customers {
            for pool in &customer.pools {
                let labels = [("customer", customer.customer.as_str()), ("pool", pool.pool.as_str())];
                value(pool).into_iter().for_each(|value| family.sample(&labels, value));
            }
        }
    };
    of_pools("rosterd_pool_used", "Seats in use.", &|p| Some(p.used().0.into()));
    of_pools("rosterd_pool_allowance", "Seats bought; absent if unlimited.", &|p| {
        p.allowance.seats.map(|seats| seats.0.into())
    });
    of_pools("rosterd_pool_waiting", "People who wait for a seat.", &|p| Some(p.waiting().0.into()));
    of_pools("rosterd_pool_balance", "Allowance less used; absent if unlimited.", &|p| p.balance.map(|balance| balance.0));
    of_pools("rosterd_pool_overage_open", "1 if an overage is open.", &|p| Some(p.episode.is_some().into()));
    text
}

#[cfg(test)]
mod tests {
    use crate::http::metrics::{Family, escaped};

    #[test]
    fn labels_are_quoted_as_the_format_wants() {
        assert_eq!(escaped("a\\b\"c\nd"), "a\\\\b\\\"c\\nd");
        let mut text = String::new();
        Family::new(&mut text, "x", "Help.").sample(&[("customer", "n\"1"), ("pool", "p")], -3);
        assert_eq!(text, "# HELP x Help.\n# TYPE x gauge\nx{customer=\"n\\\"1\",pool=\"p\"} -3\n");
    }
}
