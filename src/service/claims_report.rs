//! The claims report (R143): every claim, open and released, with why it is as it is; also as of a past date.

use std::collections::BTreeMap;

use crate::base::{Day, Instant, OrgId, PoolId, ProductId, most_similar};
use crate::license::{Activity, Claim, ClaimState, Orgs};
use crate::roster::Roster;
use crate::service::books::{Books, LastChanges};
use crate::service::core::{Customer, Service};
use crate::service::error::ServiceError;
use crate::service::report::Report;

/// Which claims are wanted; an absent field wants all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClaimFilter {
    /// Of this pool.
    pub pool: Option<PoolId>,
    /// Of this product.
    pub product: Option<ProductId>,
    /// With their home in this org or below.
    pub org: Option<OrgId>,
    /// Of people who have this role.
    pub role: Option<String>,
    /// In this state.
    pub state: Option<ClaimState>,
    /// As they stood when this date of the customer's calendar ended, without those that were released by then.
    pub on: Option<Day>,
    /// Open, or released on this date or later.
    pub since: Option<Day>,
    /// Seats that are used so.
    pub activity: Option<Activity>,
}

/// One row of the claims report (R143).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimRow {
    /// Claim id.
    pub claim: u64,
    /// Path of the home org.
    pub org_path: String,
    /// Product.
    pub product: String,
    /// Pool.
    pub pool: String,
    /// Person key.
    pub person: String,
    /// State.
    pub state: &'static str,
    /// Reasons.
    pub reasons: String,
    /// Since.
    pub since: Instant,
    /// Released at.
    pub released: Option<Instant>,
    /// Why it is as it is.
    pub because: Option<&'static str>,
    /// The run in which it became so; `None`: by hand.
    pub run: Option<u64>,
    /// The last log-in known; `None`: none, or no feed tells.
    pub last_activity: Option<Instant>,
    /// How the seat is used (R144); `None`: it is no seat.
    pub activity: Option<Activity>,
}

impl Service {
    /// Claims by person, pool and number.
    ///
    /// # Errors
    /// When the books cannot be read, a filter names what does not exist, or a role is asked for of a time whose roster is
    /// no longer kept.
    pub fn claims_report(&self, customer: &Customer, filter: &ClaimFilter) -> Result<Report<ClaimRow>, ServiceError> {
        // The last instant of a date that is over; today is as it is now.
        let at = filter.on.map(|day| Instant(customer.policy.calendar.end_of(day).0 - 1).min(self.now()));
        self.as_of(customer, at, |books| {
            let freshness = books.freshness()?;
            Ok(Report { freshness, rows: self.claim_rows(customer, books, filter)? })
        })
    }

    fn claim_rows(&self, customer: &Customer, books: &Books<'_>, filter: &ClaimFilter) -> Result<Vec<ClaimRow>, ServiceError> {
        let standing = books.whole()?;
        let marks = &standing.orgs;
        let orgs = Orgs::new(marks);
        let within = filter.org.as_ref().map(|org| {
            let hint = || most_similar(org.as_str(), marks.iter().map(|mark| mark.id.as_str()));
            orgs.find(org.as_str()).ok_or_else(|| ServiceError::Unknown { what: "org", id: org.to_string(), hint: hint() })
        });
        let within = within.transpose()?;
        let roster = filter.role.as_ref().map(|_| books.roster()).transpose()?;
        let sieve = Sieve { filter, within, roster: roster.as_ref(), today: customer.day_of(books.at) };
        let activity = self.activity_book(customer, books.at)?;
        let use_of = |person: &str, product: &ProductId| {
            (activity.last(person, product), activity.of(customer, person, product, sieve.today))
        };
        let (mut places, mut rows) = (BTreeMap::new(), Vec::new());
        let book = &standing.book;
        books.last_changes(|last| {
            let mut push = |person: &str, claim: &Claim, pool: &PoolId, home: &OrgId, reasons: &str| {
                let product = standing.terms.get(pool).map(|terms| &terms.product);
                // Many claims, few homes.
                let (path, home) = places.entry(home.clone()).or_insert_with(|| {
                    let at = orgs.find(home.as_str());
                    (at.map_or_else(|| home.to_string(), |at| orgs.path(at)), at)
                });
                let used = product.map(|product| use_of(person, product));
                if sieve.takes(person, claim, pool, product, *home, &orgs) {
                    rows.push(row(person, claim, (path, pool, product), reasons, last, used));
                }
            };
            for at in 0..book.people.len() {
                for claim in book.claims_at(at) {
                    let names = &book.names;
                    push(book.key(at), claim, names.pool_of(claim), names.home_of(claim), names.reasons_of(claim));
                }
            }
            for gone in last.released() {
                push(gone.person.as_str(), &gone.claim, &gone.pool, &gone.home, &gone.reasons);
            }
        })?;
        if filter.activity.is_some() {
            rows.retain(|row| row.activity == filter.activity);
        }
        if let Some(since) = filter.since {
            let since = customer.policy.calendar.start_of(since);
            rows.retain(|row| row.released.is_none_or(|at| at >= since));
        }
        rows.sort_by(|a, b| (&a.person, &a.pool, a.claim).cmp(&(&b.person, &b.pool, b.claim)));
        Ok(rows)
    }
}

struct Sieve<'a> {
    filter: &'a ClaimFilter,
    within: Option<usize>,
    roster: Option<&'a Roster>,
    today: Day,
}

impl Sieve<'_> {
    fn takes(
        &self,
        person: &str,
        claim: &Claim,
        pool: &PoolId,
        product: Option<&ProductId>,
        home: Option<usize>,
        orgs: &Orgs<'_>,
    ) -> bool {
        let ClaimFilter { pool: of, product: of_product, org: _, role, state, on, since: _, activity: _ } = self.filter;
        let has_role = |role: &String| {
            self.roster.is_some_and(|roster| {
                let person = roster.find_person(person).map(|at| roster.person(at));
                let roles = person.map_or(&[][..], |person| roster.roles_of(person));
                roles.iter().any(|held| held.live(self.today) && roster.role_word(held.role) == role)
            })
        };
        of.as_ref().is_none_or(|of| of == pool)
            && of_product.as_ref().is_none_or(|of| Some(of) == product)
            && state.is_none_or(|state| state == claim.state)
            && (on.is_none() || claim.state != ClaimState::Released)
            && self.within.is_none_or(|top| home.is_some_and(|home| orgs.is_within(home, top)))
            && role.as_ref().is_none_or(has_role)
    }
}

fn row(
    person: &str,
    claim: &Claim,
    (path, pool, product): (&str, &PoolId, Option<&ProductId>),
    reasons: &str,
    last: &LastChanges,
    used: Option<(Option<Instant>, Activity)>,
) -> ClaimRow {
    let (because, run) = last.of(claim.id).map_or((None, None), |(because, run)| (Some(because.word()), run));
    ClaimRow {
        claim: claim.id.0,
        org_path: path.to_owned(),
        product: product.map_or_else(String::new, ToString::to_string),
        pool: pool.to_string(),
        person: person.to_owned(),
        state: claim.state.word(),
        reasons: reasons.to_owned(),
        since: claim.since,
        released: (claim.state == ClaimState::Released).then_some(claim.changed),
        because,
        run: run.map(|run| run.0),
        last_activity: used.and_then(|(last, _)| last),
        activity: used.map(|(_, activity)| activity).filter(|_| claim.state.consumes()),
    }
}
