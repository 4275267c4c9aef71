//! People who wanted a seat and did not get one, by name (R150).

use crate::base::{Instant, PoolId, ProductId};
use crate::license::Because;
use crate::plan::is_year_full;
use crate::roster::Roster;
use crate::service::books::Books;
use crate::service::core::{Customer, Service};
use crate::service::error::ServiceError;
use crate::service::inspect::{QueueRow, queue_rows};
use crate::service::report::Report;
use crate::store::RunState;

/// Somebody without a seat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnseatedRow {
    /// The person key.
    pub person: String,
    /// Given and family name; empty where only the key is left.
    pub name: String,
    /// Of which product.
    pub product: Option<ProductId>,
    /// In which pool, where one was chosen.
    pub pool: Option<PoolId>,
    /// Why, as a stable code: `pool_full`, `needs_access`, `no_pool` …
    pub because: &'static str,
    /// Position in the pool's queue, from 1; `None`: not in a queue.
    pub position: Option<usize>,
    /// Since when.
    pub since: Option<Instant>,
    /// The home org, for those in a queue.
    pub home: String,
}

impl Service {
    /// Who waits, by pool and position; then whom the newest run left out for another reason, by key.
    ///
    /// # Errors
    /// When the books cannot be read, or the roster of the time asked about is no longer kept.
    pub fn unseated(&self, customer: &Customer, pool: Option<&PoolId>) -> Result<Report<UnseatedRow>, ServiceError> {
        self.as_of(customer, None, |books| {
            let roster = if books.standing.sources.is_empty() { Roster::default() } else { books.roster()? };
            let mut rows = waiting(customer, books, &roster, pool)?;
            let left_out = self.left_out(customer, books, &roster)?;
            rows.extend(left_out.into_iter().filter(|row| pool.is_none_or(|pool| row.pool.as_ref() == Some(pool))));
            Ok(Report { freshness: books.freshness()?, rows })
        })
    }

    /// Whom the newest run that planned anything left out without a place in a queue.
    fn left_out(&self, customer: &Customer, books: &Books<'_>, roster: &Roster) -> Result<Vec<UnseatedRow>, ServiceError> {
        let runs = self.store.runs(Some(customer.id()), 50)?;
        let mut runs = runs.into_iter().filter(|run| {
            (books.is_newest() || run.began <= books.at) && !matches!(run.state, RunState::Planned | RunState::Failed)
        });
        // That of a run that just commits is not there yet.
        let newest = runs.find_map(|run| Some(self.run_plan(&run).transpose()?.map(|plan| (run, plan)))).transpose()?;
        let Some((run, plan)) = newest else { return Ok(Vec::new()) };
        let missing = |because: Because| {
            matches!(because, Because::NoPool | Because::HeldByGuard | Because::Quarantined | Because::IdentityConflict)
        };
        let mut rows = Vec::new();
        for withheld in plan.withheld.iter().filter(|withheld| missing(withheld.because)) {
            let person = plan.people.get(withheld.person);
            let product = withheld.product.and_then(|at| customer.policy.products.get(usize::from(at)));
            let (names, claims) = books.claims_of(person)?;
            let holds = claims.iter().any(|claim| {
                let product_of = books.standing.terms.get(names.pool_of(claim)).map(|terms| &terms.product);
                product.is_none_or(|product| product_of == Some(&product.id))
            });
            // What a quarantined row or a guard keeps is kept; only who has nothing is without a seat.
            if !holds {
                rows.push(UnseatedRow {
                    person: person.to_owned(),
                    name: name(roster, person),
                    product: product.map(|product| product.id.clone()),
                    pool: withheld.pool.and_then(|pool| plan.names.pools.get(usize::from(pool.0)).cloned()),
                    because: withheld.because.word(),
                    position: None,
                    since: Some(run.began),
                    home: String::new(),
                });
            }
        }
        rows.sort_by(|a, b| (&a.person, &a.product).cmp(&(&b.person, &b.product)));
        rows.dedup();
        Ok(rows)
    }
}

fn waiting(
    customer: &Customer,
    books: &Books<'_>,
    roster: &Roster,
    pool: Option<&PoolId>,
) -> Result<Vec<UnseatedRow>, ServiceError> {
    let rows = queue_rows(&books.queue(pool)?).into_iter();
    let standing = &books.standing;
    // Somebody waits although there is a seat: nobody new gets one in this license year (R85).
    let year_full = customer.policy.pools.iter().filter(|pool| is_year_full(pool, standing));
    let year_full: Vec<&PoolId> = year_full.map(|pool| &pool.id).collect();
    let because = |row: &QueueRow| match row.waits_for {
        "access" => Because::NeedsAccess,
        _ if year_full.contains(&&row.pool) => Because::ReuseExceeded,
        _ => Because::PoolFull,
    };
    Ok(rows
        .map(|row| UnseatedRow {
            name: name(roster, &row.person),
            product: books.standing.terms.get(&row.pool).map(|terms| terms.product.clone()),
            because: because(&row).word(),
            position: Some(row.position),
            since: Some(row.since),
            home: row.home,
            person: row.person,
            pool: Some(row.pool),
        })
        .collect())
}

/// Given and family name of a person.
fn name(roster: &Roster, key: &str) -> String {
    let Some(person) = roster.find_person(key).map(|at| roster.person(at)) else { return String::new() };
    format!("{} {}", roster.text(person.given), roster.text(person.family)).trim().to_owned()
}
