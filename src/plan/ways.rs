//! From which pools a person may draw, nearest first (R13, R20).

use crate::base::{OrgId, Text};
use crate::license::{Audience, PinKind};
use crate::plan::contest::{Candidate, Way};
use crate::plan::input::Policy;
use crate::roster::{OrgIx, OrgTree, Person, Roster};

/// Anybody, educators, students.
const AUDIENCES: usize = 3;

/// Ways to seats, worked out once for each product, home org and audience.
pub struct Ways<'a> {
    policy: &'a Policy,
    roster: &'a Roster,
    tree: &'a OrgTree,
    owners: Vec<Option<OrgIx>>,
    /// By pool: the nearest reservation at each org or above.
    nearest: Vec<Vec<Option<u16>>>,
    student: Option<Text>,
    /// By product, home org and audience.
    known: Vec<Option<Way>>,
    /// The lists behind [`Way`]s.
    pub lists: Vec<Vec<Candidate>>,
}

impl<'a> Ways<'a> {
    /// Prepares the look-ups. Orgs that the roster does not know are passed over: the demand has reported them.
    pub fn new(policy: &'a Policy, roster: &'a Roster, tree: &'a OrgTree) -> Self {
        let owners = policy.pools.iter().map(|p| roster.find_org(p.owner.as_str())).collect();
        let nearest = policy
            .pools
            .iter()
            .map(|pool| {
                if pool.reservations.is_empty() {
                    return Vec::new();
                }
                let reserved: Vec<Option<OrgIx>> =
                    pool.reservations.iter().map(|(org, _)| roster.find_org(org.as_str())).collect();
                let at = |org: OrgIx| reserved.iter().position(|&r| r == Some(org)).and_then(|at| u16::try_from(at).ok());
                (0..roster.orgs.len())
                    .map(|org| {
                        let org = OrgIx(org as u32);
                        at(org).or_else(|| tree.ancestors(org).find_map(at))
                    })
                    .collect()
            })
            .collect();
        let known = vec![None; policy.products.len() * roster.orgs.len() * AUDIENCES];
        let student = roster.role_words.iter().copied().find(|&w| roster.text(w) == "student");
        Self { policy, roster, tree, owners, nearest, student, known, lists: Vec::new() }
    }

    /// The reservation of a pool that people of an org draw from.
    pub fn nearest(&self, pool: usize, org: OrgIx) -> Option<u16> {
        self.nearest[pool].get(org.0 as usize).copied().flatten()
    }

    /// The same by the org's id.
    pub fn nearest_by_name(&self, pool: usize, org: &OrgId) -> Option<u16> {
        if self.nearest[pool].is_empty() {
            return None;
        }
        self.roster.find_org(org.as_str()).and_then(|org| self.nearest(pool, org))
    }

    /// For each reservation of a pool the nearest one above it.
    pub fn reservation_parents(&self, pool: usize) -> Vec<Option<usize>> {
        let reservations = &self.policy.pools[pool].reservations;
        reservations
            .iter()
            .map(|(org, _)| {
                let org = self.roster.find_org(org.as_str())?;
                self.tree.ancestors(org).find_map(|above| {
                    let id = self.roster.text(self.roster.org(above).id);
                    reservations.iter().position(|(other, _)| other.as_str() == id)
                })
            })
            .collect()
    }

    /// Students draw from student pools, everybody else from educator pools (R13).
    pub fn audience_of(&self, person: &Person) -> Audience {
        let student = |role: &crate::roster::Role| Some(self.roster.role_words[role.role.0 as usize]) == self.student;
        let roles = self.roster.roles_of(person);
        if !roles.is_empty() && roles.iter().all(student) { Audience::Student } else { Audience::Educator }
    }

    /// Whether a pool is for people of a home org, and for this one (R13, R20).
    pub fn serves(&self, pool: usize, home: OrgIx, person: &Person) -> bool {
        let audience = self.policy.pools[pool].audience;
        let is_for = audience == Audience::Any || audience == self.audience_of(person);
        let mut line = std::iter::once(home).chain(self.tree.ancestors(home));
        is_for && self.owners[pool].is_some_and(|owner| line.any(|org| org == owner))
    }

    /// The way to a seat of a product for a home org and audience.
    pub fn way(&mut self, product: u16, home: OrgIx, audience: Audience) -> Way {
        let place = (usize::from(product) * self.roster.orgs.len() + home.0 as usize) * AUDIENCES + audience as usize;
        if let Some(way) = self.known[place] {
            return way;
        }
        let list = self.list(product, home, audience);
        let way = self.keep(list);
        self.known[place] = Some(way);
        way
    }

    /// The way of somebody with pins on pools of the product (R9).
    pub fn pinned_way(&mut self, product: u16, home: OrgIx, audience: Audience, pins: &[(u16, PinKind)]) -> Way {
        let way = self.way(product, home, audience);
        let of_product = |&&(pool, _): &&(u16, PinKind)| {
            self.policy.pools[pool as usize].product == self.policy.products[product as usize].id
        };
        let mine: Vec<(u16, PinKind)> = pins.iter().filter(of_product).copied().collect();
        if mine.is_empty() {
            return way;
        }
        let list = match mine.iter().find(|(_, kind)| *kind == PinKind::Assign) {
            Some(&(pool, _)) => {
                vec![Candidate { pool, nearest: self.nearest(pool as usize, home), reserved_only: false }]
            }
            None => {
                let denied = |c: &Candidate| mine.iter().any(|(pool, _)| *pool == c.pool);
                self.lists[way.0 as usize].iter().filter(|c| !denied(c)).copied().collect()
            }
        };
        self.keep(list)
    }

    /// The candidate of a pool on a way.
    pub fn on_way(&self, way: Way, pool: u16) -> Option<Candidate> {
        self.lists[way.0 as usize].iter().find(|c| c.pool == pool).copied()
    }

    fn keep(&mut self, list: Vec<Candidate>) -> Way {
        self.lists.push(list);
        Way((self.lists.len() - 1) as u32)
    }

    /// Pools of the home org; then reserved parts, nearest reservation first; then open parts, nearest pool first.
    fn list(&self, product: u16, home: OrgIx, audience: Audience) -> Vec<Candidate> {
        let product = &self.policy.products[product as usize].id;
        let fits = |pool: &crate::license::Pool| {
            pool.product == *product && (pool.audience == Audience::Any || pool.audience == audience)
        };
        let line: Vec<OrgIx> = std::iter::once(home).chain(self.tree.ancestors(home)).collect();
        let distance = |org: OrgIx| line.iter().position(|&o| o == org);
        let mut own = Vec::new();
        let mut reserved = Vec::new();
        let mut open = Vec::new();
        for (at, pool) in self.policy.pools.iter().enumerate().filter(|(_, pool)| fits(pool)) {
            let Some(away) = self.owners[at].and_then(distance) else { continue };
            let nearest = self.nearest(at, home);
            let candidate = Candidate { pool: at as u16, nearest, reserved_only: false };
            if away == 0 {
                own.push(candidate);
                continue;
            }
            if let Some(reservation) = nearest {
                let org = self.roster.find_org(pool.reservations[reservation as usize].0.as_str());
                reserved.push((org.and_then(distance), Candidate { reserved_only: true, ..candidate }));
            }
            open.push((away, candidate));
        }
        reserved.sort_by_key(|&(away, _)| away);
        open.sort_by_key(|&(away, _)| away);
        own.into_iter().chain(reserved.into_iter().map(|(_, c)| c)).chain(open.into_iter().map(|(_, c)| c)).collect()
    }
}
