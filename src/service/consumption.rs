//! What a pool's seats are used for, team by team (R142). Teams are classes with an enrollment that is live today.

use std::collections::BTreeMap;

use crate::base::{Balance, OrgId, PoolId, Seats};
use crate::license::{ClaimState, PoolIx};
use crate::roster::ClassIx;
use crate::service::core::{Customer, Service};
use crate::service::error::ServiceError;
use crate::service::inspect::pool_views;
use crate::service::report::Report;

/// A team.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Team {
    /// The class's id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Its school.
    pub org: OrgId,
}

/// The seats of a pool, or those of its people who are in a team. Who is in two teams is in both rows; only the pool's own
/// row meets the pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsumptionRow {
    /// The pool.
    pub pool: PoolId,
    /// The team; `None`: the pool's own row.
    pub team: Option<Team>,
    /// Purchased seats; only in the pool's own row, and `None` there for unlimited.
    pub purchased: Option<Seats>,
    /// Accepted.
    pub active: Seats,
    /// Invited.
    pub pending: Seats,
    /// In no team, and still theirs (A23).
    pub held: Seats,
    /// purchased − active − pending − held; only in the pool's own row.
    pub unused: Option<Balance>,
    /// Distinct people with a seat: of the team, or in any team at all.
    pub people_in_teams: Seats,
}

#[derive(Clone, Copy, Default)]
struct Count {
    active: u32,
    pending: u32,
}

impl Count {
    fn add(&mut self, state: ClaimState) {
        self.active += u32::from(state == ClaimState::Active);
        self.pending += u32::from(state == ClaimState::Pending);
    }
}

impl Service {
    /// The consumption of a pool or of all, in the order of the settings; teams by title and id.
    ///
    /// # Errors
    /// When the books cannot be read, or the roster of the time asked about is no longer kept.
    pub fn consumption(&self, customer: &Customer, pool: Option<&PoolId>) -> Result<Report<ConsumptionRow>, ServiceError> {
        self.as_of(customer, None, |books| {
            let standing = books.whole()?;
            let roster = books.roster()?;
            let today = customer.day_of(books.at);
            let mut teams: BTreeMap<(PoolIx, ClassIx), Count> = BTreeMap::new();
            let mut in_teams: BTreeMap<PoolIx, u32> = BTreeMap::new();
            let book = &standing.book;
            for at in 0..book.people.len() {
                let Some(person) = roster.find_person(book.key(at)) else { continue };
                // Enrollments of one person lie by class.
                let live = roster.enrollments_of(roster.person(person)).filter(|e| e.live(today));
                let mut classes: Vec<ClassIx> = live.map(|e| e.class).collect();
                classes.dedup();
                for claim in book.claims_at(at).iter().filter(|claim| claim.state.consumes()) {
                    classes.iter().for_each(|&class| teams.entry((claim.pool, class)).or_default().add(claim.state));
                    // Whoever is held is in no team, as far as the newest run knows.
                    let counts = !classes.is_empty() && claim.state != ClaimState::Held;
                    *in_teams.entry(claim.pool).or_default() += u32::from(counts);
                }
            }
            let mut rows = Vec::new();
            for view in pool_views(customer, &standing, books.at) {
                if pool.is_some_and(|wanted| *wanted != view.pool) {
                    continue;
                }
                let name = book.names.find_pool(&view.pool);
                rows.push(ConsumptionRow {
                    pool: view.pool.clone(),
                    team: None,
                    purchased: view.allowance.seats,
                    active: view.counts.of(ClaimState::Active),
                    pending: view.counts.of(ClaimState::Pending),
                    held: view.counts.of(ClaimState::Held),
                    unused: view.balance,
                    people_in_teams: Seats(name.and_then(|name| in_teams.get(&name)).copied().unwrap_or(0)),
                });
                let of_pool = teams.iter().filter(|((of, _), _)| Some(*of) == name);
                let mut of_teams: Vec<ConsumptionRow> = of_pool
                    .map(|((_, class), count)| {
                        let class = roster.class(*class);
                        let text = |text| roster.text(text).to_owned();
                        let org = OrgId::from(roster.text(roster.org(class.school).id));
                        ConsumptionRow {
                            pool: view.pool.clone(),
                            team: Some(Team { id: text(class.id), title: text(class.title), org }),
                            purchased: None,
                            active: Seats(count.active),
                            pending: Seats(count.pending),
                            held: Seats(0),
                            unused: None,
                            people_in_teams: Seats(count.active + count.pending),
                        }
                    })
                    .collect();
                of_teams.sort_by_cached_key(|row| row.team.as_ref().map(|team| (team.title.to_lowercase(), team.id.clone())));
                rows.append(&mut of_teams);
            }
            Ok(Report { freshness: books.freshness()?, rows })
        })
    }
}
