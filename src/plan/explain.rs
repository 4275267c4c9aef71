//! Why does a person have a seat, or not (R161): the first answer that applies, with the facts it rests on.

use crate::base::{Day, Instant, PoolId, ProductId};
use crate::license::{Because, Claim, ClaimState, Gate, Names, PinKind, TermState, Wait, last_day, phase_at};
use crate::plan::catalog::Catalog;
use crate::plan::contest::Way;
use crate::plan::demand::{Demand, NoNeed, PlanError};
use crate::plan::input::{Policy, Standing};
use crate::plan::license_year::{is_year_full, reuse_year};
use crate::plan::pins::in_force;
use crate::plan::ways::Ways;
use crate::roster::{OrgTree, Roster};

/// What an explanation is made from.
pub struct ExplainInput<'a> {
    /// Today, in the customer's calendar.
    pub today: Day,
    /// Now.
    pub now: Instant,
    /// The settings.
    pub policy: &'a Policy,
    /// The books; the book of claims need only hold the person's.
    pub standing: &'a Standing,
    /// The newest roster.
    pub roster: &'a Roster,
    /// The person's position in the queue of a pool, counted from 1, and the queue's length.
    pub position: &'a dyn Fn(&PoolId) -> Option<(usize, usize)>,
}

/// The answer for one product.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The product.
    pub product: ProductId,
    /// The pool, where one is concerned.
    pub pool: Option<PoolId>,
    /// A stable code, such as `waiting` or `no_entitling_role`.
    pub answer: &'static str,
    /// The answer as a sentence.
    pub text: String,
    /// Facts and dates used.
    pub facts: Vec<String>,
}

/// Explains every product of the policy for one person, or only `product`.
///
/// # Errors
/// Orgs that the settings name and the roster does not know.
pub fn explain(input: &ExplainInput<'_>, key: &str, product: Option<&ProductId>) -> Result<Vec<Explanation>, PlanError> {
    let ExplainInput { today, policy, standing, roster, .. } = input;
    let tree = OrgTree::new(roster);
    let demand = Demand::new(policy, roster, &tree, *today).map_err(PlanError)?;
    let mut names = standing.book.names.clone();
    for pool in &policy.pools {
        names.pool(&pool.id);
    }
    let catalog = Catalog::new(policy, &names);
    let mut ways = Ways::new(policy, roster, &tree);
    let mut answers = Vec::new();
    for at in (0u16..).take(policy.products.len()) {
        let id = &policy.products[usize::from(at)].id;
        if product.is_some_and(|wanted| wanted != id) {
            continue;
        }
        let claim = standing.book.claims_of(key).iter().find(|c| catalog.product(c.pool) == Some(at)).copied();
        let mut case = Case { input, names: &names, demand: &demand, ways: &mut ways, key, at, claim, facts: Vec::new() };
        let (answer, text, pool) = case.answer();
        answers.push(Explanation { product: id.clone(), pool, answer, text, facts: case.facts });
    }
    Ok(answers)
}

struct Case<'c, 'a> {
    input: &'c ExplainInput<'a>,
    names: &'c Names,
    demand: &'c Demand<'c>,
    ways: &'c mut Ways<'a>,
    key: &'c str,
    at: u16,
    claim: Option<Claim>,
    facts: Vec<String>,
}

type Found = (&'static str, String, Option<PoolId>);

impl Case<'_, '_> {
    fn answer(&mut self) -> Found {
        let (roster, standing) = (self.input.roster, self.input.standing);
        let product = self.input.policy.products[usize::from(self.at)].id.clone();
        let pool = self.claim.map(|c| self.names.pool_of(&c).clone());
        let absence = standing.absences.iter().find(|a| a.person.as_str() == self.key);
        if let Some(absence) = absence {
            let how = if absence.ended { "ended by" } else { "absent from" };
            self.facts.push(format!("{how} source {} since {}, seen {} times", absence.source, absence.since, absence.count));
            if absence.removed {
                return ("ended", format!("The person was removed: {how} the source."), None);
            }
            let why = if absence.held { "a guard holds the removal" } else { "the absence is not confirmed yet" };
            return ("absent", format!("The person is {how} the source; {why}, so everything is kept."), pool);
        }
        let Some(person) = roster.find_person(self.key).map(|at| roster.person(at)) else {
            return match pool {
                Some(pool) => {
                    ("by_hand", format!("No source delivers the person; the seat in {pool} was given by hand."), Some(pool))
                }
                None => ("unknown_person", "No source delivers a person with this key.".to_owned(), None),
            };
        };
        if person.ended {
            return ("ended", "The source ended the person.".to_owned(), pool);
        }
        let withheld = standing.hold.as_ref().filter(|hold| hold.withheld().iter().any(|held| held.as_str() == self.key));
        if let Some(hold) = withheld {
            let text = format!("A guard holds the addition; `rosterd hold show {}` tells why.", hold.run);
            return (Because::HeldByGuard.word(), text, pool);
        }
        self.facts.extend(roster.roles_of(person).iter().map(|r| {
            let live = if r.live(self.input.today) { "" } else { " (not in force today)" };
            let (role, org) = (roster.role_word(r.role), roster.text(roster.org(r.org).id));
            format!("role {role} in {org}{}{live}", span(r.first, r.last))
        }));
        let enrollments = roster.enrollments_of(person);
        let live = enrollments.clone().filter(|e| e.live(self.input.today)).count();
        let last = enrollments.clone().filter(|e| !e.ended && e.last < self.input.today).map(|e| e.last).max();
        let last = last.filter(|_| live == 0).map_or(String::new(), |last| format!(", the last one ended on {last}"));
        self.facts.push(format!("{live} of {} enrollments live on {}{last}", enrollments.len(), self.input.today));

        let pins: Vec<(u16, PinKind)> = standing
            .pins
            .iter()
            .filter(|pin| pin.person.as_str() == self.key)
            .filter_map(|pin| {
                let at = self.input.policy.pools.iter().position(|p| p.id == pin.pool)?;
                let pool = &self.input.policy.pools[at];
                (in_force(pin.until, pool.calendar.day_of(self.input.now)) && pool.product == product).then(|| {
                    self.facts.push(format!(
                        "pinned to {} in {} by {}{}: {}",
                        pin.kind.word(),
                        pin.pool,
                        pin.by,
                        span(Day::MIN, pin.until),
                        pin.reason
                    ));
                    (u16::try_from(at).unwrap_or(u16::MAX), pin.kind)
                })
            })
            .collect();
        let assigned = pins.iter().any(|(_, kind)| *kind == PinKind::Assign);
        let mut rules = Vec::new();
        match self.demand.need(person, self.at, &mut rules) {
            Ok(_) => {
                self.facts.extend(rules.iter().map(|&r| {
                    let rule = &self.input.policy.rules[usize::from(r)];
                    let shipped = if rule.is_shipped() { "shipped " } else { "" };
                    format!("asked for by {shipped}rule {}", rule.id)
                }));
            }
            Err(no) if !assigned => return self.not_needed(no, pool),
            Err(_) => {}
        }
        let Some(home) = self.demand.home(person, self.at) else {
            return ("no_pool", "The person belongs to no org.".to_owned(), None);
        };
        self.facts.push(format!("home org {}", roster.text(roster.org(home).id)));
        let audience = self.ways.audience_of(person);
        let open = self.ways.way(self.at, home, audience);
        let way = self.ways.pinned_way(self.at, home, audience, &pins);
        if self.ways.lists[open.0 as usize].is_empty() {
            return ("no_pool", format!("No pool of {product} serves the person's org."), None);
        }
        if let Some(found) = self.out_of_term(open) {
            return found;
        }
        if self.ways.lists[way.0 as usize].is_empty() {
            return ("denied", format!("A pin keeps the person out of {product}."), None);
        }
        let needs_access = self.claim.is_some_and(|claim| claim.wait == Wait::Access);
        if person.quarantined && !needs_access {
            let kept = match self.claim {
                Some(claim) => format!(" and everything stays as it is: {}", self.claimed(claim).1),
                None => ", so the person gets no seat".to_owned(),
            };
            return ("quarantined", format!("A row of the person could not be read{kept}"), pool);
        }
        match self.claim {
            None => ("not_yet", format!("The next run will ask for a seat of {product}."), None),
            Some(claim) => self.claimed(claim),
        }
    }

    fn not_needed(&self, no: NoNeed, pool: Option<PoolId>) -> Found {
        let held = match (pool, self.claim) {
            (Some(pool), Some(claim)) if claim.state == ClaimState::Held => {
                let text = format!("In no team any more; the named seat in {pool} stays until the person is deleted.");
                return ("held", text, Some(pool));
            }
            (Some(pool), Some(_)) => Some(pool),
            _ => None,
        };
        let after = if held.is_some() { " The next run frees the seat." } else { "" };
        match no {
            NoNeed::NoRule => ("no_entitling_role", format!("No rule asks for it.{after}"), held),
            NoNeed::NotActiveUser => ("not_active_user", format!("No enrollment is live.{after}"), held),
            NoNeed::Disabled => ("disabled", format!("The account is locked in the source.{after}"), held),
            NoNeed::NotStarted => ("not_started", format!("The person's first day is to come.{after}"), held),
            NoNeed::NotActivated => {
                ("not_activated", format!("The product is not activated for the person's org.{after}"), held)
            }
        }
    }

    /// That no pool on the way has a term for the person (R161): grace lets those in who have a seat.
    fn out_of_term(&mut self, way: Way) -> Option<Found> {
        let seated = self.claim.is_some_and(|claim| claim.state.consumes());
        let mut found = None;
        for candidate in &self.ways.lists[way.0 as usize] {
            let pool = &self.input.policy.pools[usize::from(candidate.pool)];
            let phase = phase_at(&self.input.standing.chain, pool, self.input.now);
            match phase.gate(&pool.renewal) {
                Gate::Open => return None,
                Gate::NoNew(_) if seated => return None,
                Gate::NoNew(_) | Gate::YearFull | Gate::Shut => {}
            }
            let id = &pool.id;
            let text = match phase.state {
                TermState::NotStarted => format!("The first term of {id} has not started yet."),
                TermState::InGrace => format!("The term of {id} is over; nobody new gets a seat during grace."),
                _ if self.claim.is_some_and(|claim| claim.state == ClaimState::Suspended) => {
                    format!("The term of {id} is over; the seat is suspended and comes back with a renewal.")
                }
                _ => format!("The term of {id} is over."),
            };
            if phase.term.is_some() {
                self.facts.push(format!("the last term of {id} ended on {}", last_day(pool, phase.term_end)));
            }
            let answer = if phase.state == TermState::Expired { "expired" } else { "no_term" };
            found = found.or(Some((answer, text, Some(id.clone()))));
        }
        found
    }

    /// That nobody new gets a seat of a pool in this license year (R85).
    fn year_full(&self, id: &PoolId) -> Option<String> {
        let pool = self.input.policy.pools.iter().find(|pool| pool.id == *id)?;
        let year = self.input.standing.reuse.get(id).filter(|_| is_year_full(pool, self.input.standing))?;
        let (_, next) = reuse_year(pool, &self.input.standing.chain, year.year)?;
        let (made, allowed) = (year.replacements(), year.limit(&pool.reuse));
        Some(format!(
            "since {} seats of {id} went to {made} other people, {allowed} are allowed: nobody new gets one before {next}",
            year.year
        ))
    }

    fn claimed(&mut self, claim: Claim) -> Found {
        let pool = self.names.pool_of(&claim).clone();
        self.facts.push(format!("claim {} since {}, {} since {}", claim.id, claim.since, claim.state.word(), claim.changed));
        let reasons = self.names.reasons_of(&claim);
        let (answer, text) = match (claim.state, claim.wait) {
            (ClaimState::Waiting, Wait::Access) => {
                (Because::NeedsAccess.word(), format!("Waits in {pool} for a seat of the product it requires."))
            }
            (ClaimState::Waiting, _) => {
                self.facts.extend(self.year_full(&pool));
                let place = (self.input.position)(&pool).map_or(String::new(), |(k, n)| format!(" at position {k} of {n}"));
                ("waiting", format!("Waits{place} for a seat in {pool}."))
            }
            (ClaimState::Pending, _) => ("pending", format!("Invited to {pool}, not accepted yet; the seat is taken.")),
            (ClaimState::Active, _) => ("active", format!("Has a seat in {pool} because of {reasons}.")),
            (ClaimState::Held, _) => ("held", format!("Holds a named seat in {pool}.")),
            (ClaimState::Suspended, _) => ("suspended", format!("The term of {pool} is over.")),
            (ClaimState::Released, _) => ("released", "The seat was released.".to_owned()),
        };
        (answer, text, Some(pool))
    }
}

/// The dates between which something holds, as far as there are any.
fn span(first: Day, last: Day) -> String {
    let from = if first == Day::MIN { String::new() } else { format!(" from {first}") };
    let until = if last == Day::MAX { String::new() } else { format!(" until {last}") };
    format!("{from}{until}")
}
