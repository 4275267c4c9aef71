//! Access decisions (R25, R29, R31): may this person log in, use this product, open this enrollment? Read off the books and
//! the roster; nothing is changed by asking.

use crate::base::{Day, ProductId};
use crate::license::{Claim, ClaimState, ProductKind};
use crate::plan::input::{Policy, Standing};
use crate::roster::{Enrollment, Person, Roster};

/// Whether an enrollment may be opened on a date (R25, R29).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opening {
    /// It is live.
    Open,
    /// Its first day has not come.
    NotStarted,
    /// Its last day is over: the person is told that it has ended.
    Expired,
    /// The source ended it.
    EndedBySource,
    /// The source ended its class, or the school of the class.
    ClassEnded,
}

impl Opening {
    /// Of an enrollment. `class_lives`: neither the class nor its school was ended.
    pub fn of(enrollment: &Enrollment, class_lives: bool, on: Day) -> Self {
        match () {
            () if enrollment.ended => Opening::EndedBySource,
            () if !class_lives => Opening::ClassEnded,
            () if on < enrollment.first => Opening::NotStarted,
            () if enrollment.last < on => Opening::Expired,
            () => Opening::Open,
        }
    }

    /// `open`, `not_started` or `ended`.
    pub fn state(self) -> &'static str {
        match self {
            Opening::Open => "open",
            Opening::NotStarted => "not_started",
            Opening::Expired | Opening::EndedBySource | Opening::ClassEnded => "ended",
        }
    }

    /// Why, as a stable code.
    pub fn because(self) -> &'static str {
        match self {
            Opening::Open => "live",
            Opening::NotStarted => "not_started",
            Opening::Expired => "expired",
            Opening::EndedBySource => "ended_by_source",
            Opening::ClassEnded => "class_ended",
        }
    }
}

/// An answer with its reason, as a stable code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Access {
    /// Yes or no.
    pub allowed: bool,
    /// Why: the state of the seat, or what stands in its way.
    pub because: &'static str,
}

impl Access {
    fn no(because: &'static str) -> Self {
        Self { allowed: false, because }
    }
}

/// An enrollment with its answer.
#[derive(Clone, Copy, Debug)]
pub struct EnrollmentAccess<'a> {
    /// Id of the class.
    pub class: &'a str,
    /// As what.
    pub role: &'a str,
    /// First day; [`Day::MIN`] without one.
    pub first: Day,
    /// Last day, on which it is still open; [`Day::MAX`] without one.
    pub last: Day,
    /// The answer.
    pub opening: Opening,
}

/// All answers about one person.
#[derive(Clone, Debug)]
pub struct PersonAccess<'a> {
    /// The person key.
    pub person: &'a str,
    /// Whether the person may log in: there is a seat of an access product in a state that gives access, or of any product
    /// where the customer has no access product; and the account is neither locked nor removed.
    pub log_in: Access,
    /// Per product, in the order of the policy.
    pub products: Vec<(&'a ProductId, Access)>,
    /// Per enrollment, in the order of the roster.
    pub enrollments: Vec<EnrollmentAccess<'a>>,
}

impl PersonAccess<'_> {
    /// Whether one of the enrollments may be opened now, by somebody who may log in.
    pub fn may_open(&self) -> bool {
        self.log_in.allowed && self.enrollments.iter().any(|enrollment| enrollment.opening == Opening::Open)
    }
}

/// The books and the newest roster, ready to be asked about many people.
pub struct AccessBook<'a> {
    policy: &'a Policy,
    standing: &'a Standing,
    roster: &'a Roster,
    today: Day,
    class_lives: Vec<bool>,
    has_access_product: bool,
}

impl<'a> AccessBook<'a> {
    /// As of a date in the customer's calendar. The book of claims need only hold the people who are asked for.
    pub fn new(policy: &'a Policy, standing: &'a Standing, roster: &'a Roster, today: Day) -> Self {
        Self {
            policy,
            standing,
            roster,
            today,
            class_lives: roster.classes.iter().map(|class| !class.ended && !roster.org(class.school).ended).collect(),
            has_access_product: policy.products.iter().any(|product| product.kind == ProductKind::Access),
        }
    }

    /// The date that the answers are for.
    pub fn today(&self) -> Day {
        self.today
    }

    /// Everybody in the roster, in the books, or missing from both and not yet forgotten; sorted.
    pub fn people(&self) -> Vec<&'a str> {
        let Self { standing, roster, .. } = *self;
        let of_roster = roster.people.iter().map(|person| roster.text(person.key));
        let of_books = (0..standing.book.people.len()).map(|at| standing.book.key(at));
        let missing = standing.absences.iter().map(|absence| absence.person.as_str());
        let mut all: Vec<&str> = of_roster.chain(of_books).chain(missing).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// All answers about a person; `None` for somebody nobody knows.
    pub fn of(&self, key: &'a str) -> Option<PersonAccess<'a>> {
        let person = self.roster.find_person(key).map(|at| self.roster.person(at));
        let claims = self.standing.book.claims_of(key);
        let absence = self.standing.absences.binary_search_by(|absence| absence.person.as_str().cmp(key)).ok();
        let absence = absence.and_then(|at| self.standing.absences.get(at));
        if person.is_none() && claims.is_empty() && absence.is_none() {
            return None;
        }
        let barred = match person {
            _ if absence.is_some_and(|absence| absence.removed) => Some("removed"),
            Some(person) if !person.enabled => Some("locked"),
            Some(_) | None => None,
        };
        let products = self.policy.products.iter().map(|product| {
            let access = barred.map_or_else(|| self.product(&product.id, claims), Access::no);
            (&product.id, access)
        });
        let products: Vec<(&ProductId, Access)> = products.collect();
        Some(PersonAccess {
            person: key,
            log_in: self.log_in(barred, &products),
            products,
            enrollments: self.enrollments(person),
        })
    }

    fn log_in(&self, barred: Option<&'static str>, products: &[(&ProductId, Access)]) -> Access {
        if let Some(barred) = barred {
            return Access::no(barred);
        }
        let doors = self.policy.products.iter().zip(products);
        let doors = doors.filter(|(product, _)| product.kind == ProductKind::Access || !self.has_access_product);
        let doors: Vec<Access> = doors.map(|(_, (_, access))| *access).collect();
        let open = doors.iter().find(|door| door.allowed);
        // What a seat waits for says more than that there is none of another product.
        let nearest = open.or_else(|| doors.iter().find(|door| door.because != NO_SEAT));
        nearest.copied().unwrap_or(Access::no(NO_SEAT))
    }

    /// A seat of the product, or of a bundle that has it (R14), in a state that gives access; and of what it requires (R12).
    fn product(&self, id: &ProductId, claims: &[Claim]) -> Access {
        let mut best: Option<(bool, ClaimState)> = None;
        for claim in claims {
            let pool = self.standing.book.names.pool_of(claim);
            let pool = self.policy.pools.iter().find(|known| known.id == *pool);
            let product = pool.and_then(|pool| self.policy.products.iter().find(|product| product.id == pool.product));
            if product.is_some_and(|product| product.id == *id || product.bundle_of.contains(id)) {
                best = best.max(Some((claim.state.gives_access(), claim.state)));
            }
        }
        let required =
            self.policy.products.iter().find(|product| product.id == *id).and_then(|product| product.requires.as_ref());
        match (best, required) {
            (None, _) => Access::no(NO_SEAT),
            // Settings with a circle of requirements are refused, so this ends.
            (Some((true, _)), Some(required)) if !self.product(required, claims).allowed => Access::no("needs_access"),
            (Some((allowed, state)), _) => Access { allowed, because: state.word() },
        }
    }

    fn enrollments(&self, person: Option<&Person>) -> Vec<EnrollmentAccess<'a>> {
        let roster = self.roster;
        let Some(person) = person else { return Vec::new() };
        let answer = |enrollment: Enrollment| EnrollmentAccess {
            class: roster.text(roster.class(enrollment.class).id),
            role: roster.role_word(enrollment.role),
            first: enrollment.first,
            last: enrollment.last,
            opening: Opening::of(&enrollment, self.class_lives[enrollment.class.0 as usize], self.today),
        };
        roster.enrollments_of(person).map(answer).collect()
    }
}

const NO_SEAT: &str = "no_seat";
