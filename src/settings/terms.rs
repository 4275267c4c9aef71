//! Terms of pools, and what happens when they end (R87 to R93).

use crate::base::{Actor, Day, GrantId, Instant, Seats};
use crate::license::{Pool, RenewalBasis, ReuseRules, Term, TermRules, overlaps};
use crate::settings::problem::Problem;
use crate::settings::read::Section;
use crate::settings::words;

/// `[grace]`, `[renewal]` and `[reuse]`, of all customers, one customer or one pool.
#[derive(Clone, Debug, Default)]
pub struct TermRulesShape {
    /// `grace.days`.
    pub grace_days: Option<u32>,
    /// `grace.allow_new`.
    pub grace_allows_new: Option<bool>,
    /// `renewal.upcoming_days`.
    pub upcoming_days: Option<u32>,
    /// `renewal.remind_days`.
    pub remind_days: Option<Vec<u32>>,
    /// `renewal.basis`.
    pub basis: Option<RenewalBasis>,
    /// `reuse.max_per_seat`.
    pub reuse_max: Option<u32>,
}

/// `[[customer.pool.term]]`.
pub struct TermShape {
    /// Its path, for messages.
    pub at: String,
    /// `id`.
    pub id: String,
    /// `from`.
    pub from: Option<Day>,
    /// `to`, or the day after `last_day`.
    pub to: Option<Day>,
    /// `seats`.
    pub seats: Option<u32>,
    /// `reference`.
    pub reference: Option<String>,
}

const DAYS_MAX: u32 = 3_650;

/// Reads the sections.
pub fn rules(s: &Section<'_>) -> TermRulesShape {
    let grace = s.section("grace", |s| (s.count("days", 0..=DAYS_MAX), s.flag("allow_new"))).unwrap_or_default();
    let basis = RenewalBasis::ALL.map(|basis| (basis.word(), basis));
    let renewal = |s: &Section<'_>| {
        let upcoming = s.count("upcoming_days", 0..=DAYS_MAX);
        (upcoming, s.counts("remind_days", 0..=DAYS_MAX), s.parsed("basis", words::one_of(&basis)))
    };
    let (upcoming_days, remind_days, basis) = s.section("renewal", renewal).unwrap_or_default();
    let reuse_max = s.section("reuse", |s| s.count("max_per_seat", 0..=1_000)).flatten();
    TermRulesShape { grace_days: grace.0, grace_allows_new: grace.1, upcoming_days, remind_days, basis, reuse_max }
}

/// Reads one term.
pub fn term(s: &Section<'_>, id: impl Fn(&Section<'_>) -> String, seats_max: u32) -> TermShape {
    let to = s.parsed("to", words::day);
    let last = s.parsed("last_day", words::day);
    match (s.has("to"), s.has("last_day")) {
        (true, true) => s.wrong("last_day", "says what `to` says, too; write one of them"),
        (false, false) if !s.is_empty() => s.wrong("last_day", "is missing"),
        _ => {}
    }
    TermShape {
        at: s.at(""),
        id: id(s),
        from: s.required("from", s.parsed("from", words::day)),
        to: to.or(last.map(|last| last.plus(1))),
        seats: s.count("seats", 0..=seats_max),
        reference: s.required("reference", s.text("reference")),
    }
}

/// What is wrong with the terms of a pool.
pub fn check(terms: &[TermShape], found: &mut Vec<Problem>) {
    for term in terms {
        if let (Some(from), Some(to)) = (term.from, term.to)
            && to <= from
        {
            found.push(Problem::new(&term.at, format!("ends before it begins, on {from}")));
        }
    }
    let periods: Vec<(Day, Day)> = terms.iter().filter_map(|term| Some((term.from?, term.to?))).collect();
    if periods.len() == terms.len()
        && let Some((one, other)) = overlaps(&periods)
    {
        found.push(Problem::new(&terms[other].at, format!("overlaps term `{}`", terms[one].id)));
    }
}

/// What the innermost of these says about each key.
pub fn term_rules(shapes: [&TermRulesShape; 3]) -> Option<TermRules> {
    let first = |key: fn(&TermRulesShape) -> Option<u32>| shapes.iter().find_map(|shape| key(shape));
    Some(TermRules {
        grace_days: first(|shape| shape.grace_days)?,
        grace_allows_new: shapes.iter().find_map(|shape| shape.grace_allows_new)?,
        upcoming_days: first(|shape| shape.upcoming_days)?,
        remind_days: shapes.iter().find_map(|shape| shape.remind_days.clone())?,
        basis: shapes.iter().find_map(|shape| shape.basis)?,
    })
}

/// The same of reuse.
pub fn reuse_rules(shapes: [&TermRulesShape; 3]) -> Option<ReuseRules> {
    Some(ReuseRules { max_per_seat: shapes.iter().find_map(|shape| shape.reuse_max)? })
}

/// The terms of a pool; days start where the pool is. `recorded` and `by` mean nothing yet.
pub fn build(shapes: &[TermShape], pool: &Pool) -> Option<Vec<Term>> {
    let term = |shape: &TermShape| {
        Some(Term {
            id: GrantId::from(shape.id.as_str()),
            pool: pool.id.clone(),
            from: pool.calendar.start_of(shape.from?),
            to: pool.calendar.start_of(shape.to?),
            seats: shape.seats.map(Seats),
            recorded: Instant::default(),
            by: Actor::system(),
            reference: shape.reference.clone()?,
        })
    };
    shapes.iter().map(term).collect()
}
