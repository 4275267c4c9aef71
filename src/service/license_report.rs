//! The license report (R136 to R140): seats of an org and of each org below it, out of the books alone.

use crate::base::{OrgId, PoolId, ProductId, Seats, most_similar, percent_used};
use crate::license::{OrgMark, Orgs, PoolTerms};
use crate::service::books::Books;
use crate::service::core::{Customer, Service};
use crate::service::error::ServiceError;
use crate::service::inspect::allowance_in_books;
use crate::service::report::Report;

/// One row of the license report: an org with its subtree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LicenseRow {
    /// The org.
    pub org: OrgId,
    /// Its name.
    pub name: String,
    /// Seats available to it; `None`: it owns and reserves none, or one of its pools is unlimited.
    pub limit: Option<u64>,
    /// Seats in use by people whose home org it is, or one below it.
    pub used: u64,
}

impl LicenseRow {
    /// limit − used.
    pub fn remaining(&self) -> Option<i64> {
        self.limit.map(|limit| limit as i64 - self.used as i64)
    }

    /// With one decimal, half up (R140).
    pub fn percent(&self) -> Option<String> {
        let limit = u32::try_from(self.limit?).unwrap_or(u32::MAX);
        percent_used(Seats(u32::try_from(self.used).unwrap_or(u32::MAX)), Some(Seats(limit)))
    }
}

impl Service {
    /// The license report of an org (the first root if `None`): the org itself, then its children by name (R137). Of
    /// one product or over all of them.
    ///
    /// # Errors
    /// When the books cannot be read, or there is no such org or product.
    pub fn license_report(
        &self,
        customer: &Customer,
        org: Option<&OrgId>,
        product: Option<&ProductId>,
    ) -> Result<Report<LicenseRow>, ServiceError> {
        self.as_of(customer, None, |books| {
            let freshness = books.freshness()?;
            Ok(Report { freshness, rows: rows(customer, books, org, product)? })
        })
    }
}

fn rows(
    customer: &Customer,
    books: &Books<'_>,
    org: Option<&OrgId>,
    product: Option<&ProductId>,
) -> Result<Vec<LicenseRow>, ServiceError> {
    let marks = books.orgs()?;
    let orgs = Orgs::new(&marks);
    let Some(top) = top(&orgs, &marks, org)? else { return Ok(Vec::new()) };
    let terms = &books.standing.terms;
    let counts = |pool: &PoolId| product.is_none_or(|wanted| terms.get(pool).is_some_and(|terms| terms.product == *wanted));
    let mut used = vec![0i64; orgs.len()];
    for (pool, org, seats) in books.used_by_org()? {
        if counts(&pool)
            && let Some(at) = orgs.find(org.as_str())
        {
            used[at] += i64::from(seats);
        }
    }
    orgs.sum_up(&mut used);
    let limits = Limits::of(customer, &orgs, books, terms.values().filter(|terms| counts(&terms.pool)));
    let row = |at: usize| LicenseRow {
        org: orgs.mark(at).id.clone(),
        name: orgs.mark(at).name.clone(),
        limit: limits.at(at),
        used: used[at].unsigned_abs(),
    };
    // An org that is no longer delivered is told as long as seats are in use there: the rows add up to the first (I11).
    let children = orgs.children(top).iter().filter(|&&at| !orgs.mark(at).ended || used[at] > 0);
    let mut children: Vec<LicenseRow> = children.map(|&at| row(at)).collect();
    children.sort_by_cached_key(|row| (row.name.to_lowercase(), row.org.clone()));
    Ok(std::iter::once(row(top)).chain(children).collect())
}

fn top(orgs: &Orgs<'_>, marks: &[OrgMark], org: Option<&OrgId>) -> Result<Option<usize>, ServiceError> {
    let Some(org) = org else { return Ok(orgs.root()) };
    let hint = || most_similar(org.as_str(), marks.iter().map(|mark| mark.id.as_str()));
    let unknown = || ServiceError::Unknown { what: "org", id: org.to_string(), hint: hint() };
    orgs.find(org.as_str()).map(Some).ok_or_else(unknown)
}

/// Seats available to each org with its subtree (R138, A25).
struct Limits {
    seats: Vec<i64>,
    pools: Vec<i64>,
    unlimited: Vec<i64>,
}

impl Limits {
    fn of<'p>(customer: &Customer, orgs: &Orgs<'_>, books: &Books<'_>, pools: impl Iterator<Item = &'p PoolTerms>) -> Self {
        let nothing = || vec![0i64; orgs.len()];
        let mut limits = Self { seats: nothing(), pools: nothing(), unlimited: nothing() };
        let mut add = |at: usize, seats: i64, pools: i64| {
            limits.seats[at] += seats;
            limits.pools[at] += pools;
        };
        for PoolTerms { pool, unlimited, owner, reservations, .. } in pools {
            let owner = orgs.find(owner.as_str());
            let reserved = reservations.iter().filter_map(|(org, seats)| Some((orgs.find(org.as_str())?, i64::from(seats.0))));
            for (org, seats) in reserved {
                add(org, seats, 1);
                // From where the pool itself counts on, its reservations do not count once more.
                if let Some(common) = owner.and_then(|owner| orgs.common(org, owner)) {
                    add(common, -seats, -1);
                }
            }
            let Some(owner) = owner else { continue };
            match allowance_in_books(customer, &books.standing, pool, *unlimited, books.at).seats {
                Some(seats) => add(owner, i64::from(seats.0), 1),
                None => limits.unlimited[owner] += 1,
            }
        }
        orgs.sum_up(&mut limits.seats);
        orgs.sum_up(&mut limits.pools);
        orgs.sum_up(&mut limits.unlimited);
        limits
    }

    fn at(&self, org: usize) -> Option<u64> {
        (self.pools[org] > 0 && self.unlimited[org] == 0).then(|| self.seats[org].unsigned_abs())
    }
}
