//! Where an instant lies in a chain of terms.

use proptest::prelude::{Strategy, any, proptest};

use crate::base::{Actor, Calendar, Day, Instant, Seats};
use crate::license::chain::{
    Gate, Phase, Term, TermState, allowance_in, carried_over, grace_end, last_day, next_phase_change, overlapping_terms,
    phase_at, term_corrections, term_grant,
};
use crate::license::grant::{Grant, GrantKind};
use crate::license::pool::{Audience, OnFull, OverageLimits, Pool};
use crate::license::renewal::TermRules;

fn day(text: &str) -> Day {
    Day::parse(text).expect("a date")
}

fn at(text: &str) -> Instant {
    Instant::parse(text).expect("an instant")
}

fn pool(zone: &str, grace_days: u32) -> Pool {
    Pool {
        id: "learn".into(),
        product: "learn".into(),
        owner: "north".into(),
        audience: Audience::Any,
        unlimited: false,
        on_full: OnFull::Wait,
        overage: OverageLimits::CONTRACT,
        clauses: crate::license::clauses::Clauses::CONTRACT,
        reservations: Vec::new(),
        calendar: Calendar::in_zone(zone).expect("a zone"),
        anchor: None,
        renewal: TermRules { grace_days, ..TermRules::default() },
        reuse: Default::default(),
    }
}

fn term(pool: &Pool, id: &str, from: Day, to: Day) -> Term {
    Term {
        id: id.into(),
        pool: pool.id.clone(),
        from: pool.calendar.start_of(from),
        to: pool.calendar.start_of(to),
        seats: Some(Seats(100)),
        recorded: Instant::MIN,
        by: Actor::system(),
        reference: "PO".into(),
    }
}

fn grant(id: &str, seats: i64, from: Instant, to: Instant, kind: GrantKind) -> Grant {
    Grant {
        id: id.into(),
        pool: "learn".into(),
        seats,
        from,
        to,
        recorded: Instant::MIN,
        by: Actor::system(),
        kind,
        reference: String::new(),
    }
}

#[test]
fn t10_a_term_of_new_york_and_its_grace() {
    let pool = pool("America/New_York", 14);
    let terms = [term(&pool, "2025", day("2025-09-01"), day("2026-09-01"))];
    assert_eq!(last_day(&pool, terms[0].to), day("2026-08-31"));
    assert_eq!(grace_end(&pool, terms[0].to), at("2026-09-15T04:00:00Z"));
    for (instant, state, since) in [
        ("2025-09-01T03:59:59.999Z", TermState::NotStarted, Instant::MIN),
        ("2025-09-01T04:00:00Z", TermState::Current, at("2025-09-01T04:00:00Z")),
        ("2026-09-01T03:59:59.999Z", TermState::Current, at("2025-09-01T04:00:00Z")),
        ("2026-09-01T04:00:00Z", TermState::InGrace, at("2026-09-01T04:00:00Z")),
        ("2026-09-15T03:59:59.999Z", TermState::InGrace, at("2026-09-01T04:00:00Z")),
        ("2026-09-15T04:00:00Z", TermState::Expired, at("2026-09-15T04:00:00Z")),
        ("2036-01-01T00:00:00Z", TermState::Expired, at("2026-09-15T04:00:00Z")),
    ] {
        let phase = phase_at(&terms, &pool, at(instant));
        assert_eq!((phase.state, phase.since), (state, since), "{instant}");
    }
}

#[test]
fn grace_counts_days_and_not_hours_across_a_change_of_the_clocks() {
    for (zone, last, ends) in [
        // The night of 8 March has 23 hours, the one of 1 November 25.
        ("America/New_York", "2026-03-01", "2026-03-09T04:00:00Z"),
        ("America/New_York", "2026-10-25", "2026-11-02T05:00:00Z"),
        ("America/New_York", "2026-02-22", "2026-03-02T05:00:00Z"),
        ("Europe/London", "2026-03-22", "2026-03-29T23:00:00Z"),
        // Midnight itself is skipped: the day starts at 1.
        ("America/Santiago", "2026-08-29", "2026-09-06T04:00:00Z"),
    ] {
        let pool = pool(zone, 7);
        let terms = [term(&pool, "t", day("2025-01-01"), day(last).plus(1))];
        assert_eq!(grace_end(&pool, terms[0].to), at(ends), "{zone} {last}");
        assert_eq!(phase_at(&terms, &pool, at(ends)).state, TermState::Expired, "{zone} {last}");
        assert_eq!(phase_at(&terms, &pool, at(ends).plus_millis(-1)).state, TermState::InGrace, "{zone} {last}");
    }
}

#[test]
fn a_pool_without_terms_never_expires_and_one_without_grace_does_at_once() {
    let none = pool("UTC", 14);
    assert_eq!(phase_at(&[], &none, at("2036-01-01T00:00:00Z")), Phase::UNBOUND);
    let none = pool("UTC", 0);
    let terms = [term(&none, "t", day("2026-01-01"), day("2026-07-01"))];
    assert_eq!(phase_at(&terms, &none, at("2026-06-30T23:59:59Z")).state, TermState::Current);
    assert_eq!(phase_at(&terms, &none, at("2026-07-01T00:00:00Z")).state, TermState::Expired);
    let other = Term { pool: "other".into(), ..terms[0].clone() };
    assert_eq!(phase_at(&[other], &none, at("2026-07-01T00:00:00Z")), Phase::UNBOUND, "another pool's");
    let withdrawn = Term { to: terms[0].from, ..terms[0].clone() };
    assert_eq!(phase_at(&[withdrawn], &none, at("2026-07-01T00:00:00Z")), Phase::UNBOUND, "it was withdrawn");
}

#[test]
fn two_terms_ahead_a_gap_and_a_successor_within_grace() {
    let pool = pool("UTC", 14);
    let terms = [
        term(&pool, "c", day("2028-01-20"), day("2029-01-01")),
        term(&pool, "a", day("2026-01-01"), day("2027-01-01")),
        term(&pool, "b", day("2027-01-08"), day("2028-01-01")),
    ];
    let mut changes = Vec::new();
    let mut last = Instant::MIN;
    while let Some(next) = next_phase_change(&terms, &pool, last, Instant::MAX) {
        let phase = phase_at(&terms, &pool, next);
        changes.push((pool.calendar.day_of(next).to_string(), phase.state.word(), phase.term.map(|id| id.to_string())));
        last = next;
    }
    let some = |id: &str| Some(id.to_owned());
    assert_eq!(
        changes,
        [
            ("2026-01-01".to_owned(), "current", some("a")),
            ("2027-01-01".to_owned(), "in_grace", some("a")),
            ("2027-01-08".to_owned(), "current", some("b")),
            ("2028-01-01".to_owned(), "in_grace", some("b")),
            ("2028-01-15".to_owned(), "expired", some("b")),
            ("2028-01-20".to_owned(), "current", some("c")),
            ("2029-01-01".to_owned(), "in_grace", some("c")),
            ("2029-01-15".to_owned(), "expired", some("c")),
        ]
    );
    assert_eq!(overlapping_terms(&terms, &pool.id), None);
    let longer = Term { to: terms[2].from.plus_millis(1), ..terms[1].clone() };
    let (one, other) = overlapping_terms(&[longer, terms[2].clone()], &pool.id).expect("an overlap");
    assert_eq!((one.as_str(), other.as_str()), ("a", "b"));
}

#[test]
fn the_allowance_stands_still_in_grace_and_is_nothing_after_it() {
    let pool = pool("UTC", 14);
    let terms = [term(&pool, "t", day("2026-01-01"), day("2027-01-01"))];
    let grants = [
        grant("t", 100, terms[0].from, terms[0].to, GrantKind::Purchase),
        grant("more", 10, terms[0].from, Instant::MAX, GrantKind::AddOn),
    ];
    for (instant, seats) in [
        ("2026-12-31T23:59:59Z", 110),
        ("2027-01-01T00:00:00Z", 110),
        ("2027-01-14T23:59:59Z", 110),
        ("2027-01-15T00:00:00Z", 0),
    ] {
        let phase = phase_at(&terms, &pool, at(instant));
        assert_eq!(allowance_in(&phase, &pool, &grants, &[], at(instant)).seats, Some(Seats(seats)), "{instant}");
    }
    // Until somebody notices that the term is over, it counts as its last moment.
    let late = phase_at(&terms, &pool, at("2026-06-01T00:00:00Z"));
    assert_eq!(allowance_in(&late, &pool, &grants, &[], at("2027-03-01T00:00:00Z")).seats, Some(Seats(110)));
}

#[test]
fn who_may_come_in() {
    let rules = TermRules::default();
    let phase = |state| Phase { state, ..Phase::UNBOUND };
    for (state, gate) in [
        (TermState::Unbound, Gate::Open),
        (TermState::NotStarted, Gate::NoNew(TermState::NotStarted)),
        (TermState::Current, Gate::Open),
        (TermState::InGrace, Gate::NoNew(TermState::InGrace)),
        (TermState::Expired, Gate::Shut),
    ] {
        assert_eq!(phase(state).gate(&rules), gate);
    }
    let generous = TermRules { grace_allows_new: true, ..rules };
    assert_eq!(phase(TermState::InGrace).gate(&generous), Gate::Open);
}

#[test]
fn r80_what_ends_with_a_term_carries_over_and_upgrades_are_told() {
    let pool = pool("UTC", 14);
    let old = term(&pool, "a", day("2026-01-01"), day("2027-01-01"));
    let next = Term { seats: None, ..term(&pool, "b", day("2027-01-01"), day("2028-01-01")) };
    let terms = [old.clone(), next.clone()];
    let first = grant("a", 1000, old.from, old.to, GrantKind::Purchase);
    assert_eq!(carried_over(&terms, std::slice::from_ref(&first), &next), (Seats(1000), false));
    let mid = old.from.plus_millis(1);
    let grants = [
        first,
        grant("tier", 500, mid, old.to, GrantKind::TierUpgrade),
        grant("back", -20, mid, old.to, GrantKind::Correction),
        grant("trial", 7, old.from, mid, GrantKind::AddOn),
        grant("for-good", 3, mid, Instant::MAX, GrantKind::AddOn),
        grant("longer", 9, mid, next.from.plus_millis(1), GrantKind::AddOn),
    ];
    assert_eq!(carried_over(&terms, &grants, &next), (Seats(1480), true), "what goes on by itself is not carried over");
    assert_eq!(carried_over(&terms, &grants, &old), (Seats(0), false), "the first term has nothing before it");
}

#[test]
fn a_term_brings_its_seats_and_a_correction_the_difference() {
    let pool = pool("UTC", 14);
    let old = term(&pool, "a", day("2026-01-01"), day("2027-01-01"));
    let seats = |grants: &[Grant]| {
        let day = |at| pool.calendar.day_of(at).to_string();
        grants.iter().map(|g| format!("{} {:+} {} {}", g.id, g.seats, day(g.from), day(g.to))).collect::<Vec<_>>()
    };
    let new = term_grant(&old, GrantKind::Purchase).expect("a grant");
    assert_eq!(seats(std::slice::from_ref(&new)), ["a +100 2026-01-01 2027-01-01"]);
    assert_eq!(new.kind, GrantKind::Purchase);
    assert_eq!(term_grant(&Term { seats: None, ..old.clone() }, GrantKind::Renewal), None);
    let fixed = |from: &str, to: &str, count: u32| {
        let fixed = Term { seats: Some(Seats(count)), ..term(&pool, "a", day(from), day(to)) };
        seats(&term_corrections((&old, Seats(100)), &fixed, std::slice::from_ref(&new)))
    };
    assert_eq!(fixed("2026-01-01", "2026-07-01", 100), ["a-2 -100 2026-07-01 2027-01-01"]);
    assert_eq!(fixed("2026-01-01", "2027-02-01", 100), ["a-2 +100 2027-01-01 2027-02-01"]);
    assert_eq!(fixed("2026-02-01", "2027-01-01", 120), ["a-2 -100 2026-01-01 2026-02-01", "a-3 +20 2026-02-01 2027-01-01"]);
    assert_eq!(fixed("2026-01-01", "2026-01-01", 100), ["a-2 -100 2026-01-01 2027-01-01"], "it is withdrawn");
    assert!(fixed("2026-01-01", "2027-01-01", 100).is_empty());
}

#[test]
fn r80_a_tier_that_was_taken_lasts_as_long_as_its_term() {
    let pool = pool("UTC", 14);
    let mut term = term(&pool, "a", day("2026-01-01"), day("2027-01-01"));
    let april = pool.calendar.start_of(day("2026-04-01"));
    let mut grants = vec![
        term_grant(&term, GrantKind::Purchase).expect("a grant"),
        grant("upgrade-1-1", 50, april, term.to, GrantKind::TierUpgrade),
        Grant { by: Actor::operator("ann"), ..grant("by-hand", 7, april, term.to, GrantKind::TierUpgrade) },
        grant("other", 9, april, term.to, GrantKind::AddOn),
    ];
    let sum = |grants: &[Grant], on: &str| {
        let at = pool.calendar.start_of(day(on));
        let own = grants.iter().filter(|g| g.kind != GrantKind::AddOn && g.id.as_str() != "by-hand");
        own.filter(|g| g.from <= at && at < g.to).map(|g| g.seats).sum::<i64>()
    };
    // Prolonged, cut short before and after the upgrade, restored, withdrawn: end, seats on some dates.
    for (to, seats, sums) in [
        ("2027-03-01", 100, [100, 150, 150, 150, 0]),
        ("2026-07-01", 100, [100, 150, 0, 0, 0]),
        ("2027-01-01", 120, [120, 170, 170, 0, 0]),
        ("2026-03-01", 120, [120, 0, 0, 0, 0]),
        ("2026-06-01", 100, [100, 100, 0, 0, 0]),
        ("2026-01-01", 100, [0, 0, 0, 0, 0]),
    ] {
        let old = term.clone();
        term = Term { to: pool.calendar.start_of(day(to)), seats: Some(Seats(seats)), ..term };
        let new = term_corrections((&old, old.seats.expect("seats")), &term, &grants);
        assert!(new.iter().all(|g| g.is_correction_of(&term.id)));
        grants.extend(new);
        let got = ["2026-02-01", "2026-05-01", "2026-12-01", "2027-02-01", "2027-04-01"].map(|on| sum(&grants, on));
        assert_eq!(got, sums, "{seats} seats to {to}");
    }
}

#[test]
fn r80_a_silent_renewal_of_a_term_that_was_cut_short_takes_over_its_seats() {
    let pool = pool("UTC", 14);
    let whole = term(&pool, "a", day("2026-01-01"), day("2027-01-01"));
    let april = pool.calendar.start_of(day("2026-04-01"));
    for (upgraded, seats) in [(false, 100), (true, 150)] {
        let mut grants = vec![term_grant(&whole, GrantKind::Purchase).expect("a grant")];
        grants.extend(upgraded.then(|| grant("upgrade-1-1", 50, april, whole.to, GrantKind::TierUpgrade)));
        let mut old = whole.clone();
        // Twice, and prolonged again.
        for to in ["2026-09-01", "2026-07-01", "2026-08-01"] {
            let cut = Term { to: pool.calendar.start_of(day(to)), ..old.clone() };
            grants.extend(term_corrections((&old, Seats(100)), &cut, &grants));
            old = cut;
            let next = Term { seats: None, ..term(&pool, "b", day(to), day("2027-08-01")) };
            assert_eq!(carried_over(&[old.clone(), next.clone()], &grants, &next), (Seats(seats), upgraded), "cut at {to}");
            // What somebody takes back from the renewal on stays taken back.
            let back = grant("less", -5, next.from, Instant::MAX, GrantKind::Correction);
            let with: Vec<Grant> = grants.iter().cloned().chain([back]).collect();
            assert_eq!(carried_over(&[old.clone(), next.clone()], &with, &next).0, Seats(seats));
        }
    }
}

fn chains() -> impl Strategy<Value = Vec<(i32, i32)>> {
    proptest::collection::vec((0i32..40, 1i32..400), 1..5)
}

fn built(pool: &Pool, chain: &[(i32, i32)], shift: i32) -> Vec<Term> {
    let mut start = day("2024-02-29").0 + shift;
    let build = |(at, (gap, length)): (usize, &(i32, i32))| {
        let from = start + gap;
        start = from + length;
        term(pool, &format!("t{at}"), Day(from), Day(start))
    };
    chain.iter().enumerate().map(build).collect()
}

proptest! {
    #[test]
    fn i17_28_years_later_everything_is_28_years_later(
        chain in chains(),
        grace in 0u32..40,
        offset in 0i32..2000,
        hour in 0i64..24,
    ) {
        const SHIFT: i32 = 10_227;
        let pool = pool("UTC", grace);
        let (now, later) = (built(&pool, &chain, 0), built(&pool, &chain, SHIFT));
        let instant = pool.calendar.start_of(Day(day("2024-02-01").0 + offset)).plus_millis(hour * 3_600_000);
        let shift = |at: Instant| if at == Instant::MIN || at == Instant::MAX { at } else { at.plus_millis(i64::from(SHIFT) * 86_400_000) };
        let phase = phase_at(&now, &pool, instant);
        let shifted = Phase { since: shift(phase.since), term_end: shift(phase.term_end), ..phase };
        assert_eq!(phase_at(&later, &pool, shift(instant)), shifted);
    }

    #[test]
    fn walking_from_change_to_change_misses_nothing(chain in chains(), grace in 0u32..40, zone in any::<bool>(), offset in 0i32..2000) {
        let pool = pool(if zone { "Europe/London" } else { "America/New_York" }, grace);
        let terms = built(&pool, &chain, 0);
        let until = pool.calendar.start_of(Day(day("2024-02-01").0 + offset)).plus_millis(i64::from(offset) * 17_000);
        let (mut last, mut phase) = (Instant::MIN, phase_at(&terms, &pool, Instant::MIN));
        while let Some(next) = next_phase_change(&terms, &pool, last, until) {
            assert!(last < next && next <= until);
            assert_eq!(phase_at(&terms, &pool, next.plus_millis(-1)), phase, "nothing happened in between");
            let now = phase_at(&terms, &pool, next);
            assert_ne!(now, phase);
            assert_eq!(now.since, next, "a phase begins where it is noticed");
            (last, phase) = (next, now);
        }
        assert_eq!(phase_at(&terms, &pool, until), phase);
    }
}
