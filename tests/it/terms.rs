//! Terms, grace, suspension and renewal (R18, R54, R80, R87 to R94), through the service with a set clock.

use proptest::prelude::{ProptestConfig, Strategy, proptest};
use rosterd::base::{Actor, Calendar, Day, GrantId, Instant, PersonKey, PoolId, ProductId, Seats};
use rosterd::clock::Clock;
use rosterd::license::{
    Because, ClaimState, Entry, GrantKind, OnFull, Outcome, PinKind, ProductKind, RenewalBasis, SeatModel, Term, TermState,
};
use rosterd::plan::{Answer, Decision};
use rosterd::service::{ForgetAnswer, ServiceError, TermDone, TermFix, TermView, TermWish};
use rosterd::store::{NoticeRow, RunState, StoreError, Trigger};

use crate::world::{World, day, grant, succeeded};

const POOL: &str = "learn";

fn at(text: &str) -> Instant {
    Instant::parse(text).expect("an instant")
}

/// A district with teachers `names`, whose pool has no seats yet, in a zone.
pub fn town(zone: &str, on_full: OnFull, names: &[&str]) -> World {
    let mut world = World::new("north");
    world.policy.calendar = Calendar::in_zone(zone).expect("a zone");
    let mut world = world.school("ash").product(POOL, ProductKind::Module, SeatModel::Role).role_rule("teacher", POOL).pool(
        POOL,
        "d",
        Some(0),
        on_full,
    );
    world.grants.clear();
    names.iter().for_each(|name| world.hire(name, "teacher", "ash"));
    world
}

pub fn wish(seats: Option<u32>, from: Option<&str>, last_day: &str) -> TermWish {
    TermWish {
        pool: PoolId::from(POOL),
        id: None,
        from: from.map(day),
        to: day(last_day).plus(1),
        seats: seats.map(Seats),
        basis: None,
        reference: "PO".into(),
    }
}

impl World {
    pub fn renewed(&self, wish: &TermWish) -> TermDone {
        let service = self.service();
        service.renew(&service.customers()[0], &Actor::operator("test"), wish).expect("an answer")
    }

    pub fn renew(&self, seats: Option<u32>, from: Option<&str>, last_day: &str) -> Term {
        let done = self.renewed(&wish(seats, from, last_day));
        assert_eq!(done.decided.answer, Answer::Done);
        assert!(done.run.as_ref().is_none_or(succeeded), "{:?}", done.run.map(|run| run.message));
        done.term
    }

    pub fn fix(&self, id: &GrantId, to: Option<&str>, seats: Option<u32>) -> TermDone {
        let service = self.service();
        let fix = TermFix { id: id.clone(), from: None, to: to.map(day), seats: seats.map(Seats), reference: "letter".into() };
        service.correct_term(&service.customers()[0], &Actor::operator("test"), &PoolId::from(POOL), &fix).expect("an answer")
    }

    pub fn now(&self, text: &str) {
        self.clock.set(at(text));
    }

    /// What a date does by itself: the daemon's minute, and the run it asks for.
    pub fn dates(&self) {
        let service = self.service();
        let ticked = service.tick();
        assert!(ticked.errors.is_empty(), "{:?}", ticked.errors);
        while let Some(request) = service.take_request().expect("a turn") {
            let run = service.fulfil(&request, &|_| ()).expect("a run").expect("a run");
            assert!(succeeded(&run), "{} {}", run.state, run.message);
        }
    }

    fn term(&self) -> TermView {
        self.view(POOL).term.expect("terms")
    }

    pub fn told(&self, kind: &str) -> Vec<NoticeRow> {
        let mut told = self.service().store().notices(Some(&self.policy.customer), 1000).expect("notices");
        told.retain(|notice| notice.kind == kind);
        told.reverse();
        told
    }

    /// When a person's claim entered its state.
    fn changed(&self, person: &str) -> Instant {
        let (_, claims) = self.service().store().claims_of(&self.policy.customer, person).expect("claims");
        claims[0].changed
    }

    /// Every state of every claim, with the instant it was entered, and every phase and episode as of its end.
    fn history(&self) -> Vec<String> {
        let mut told = Vec::new();
        let service = self.service();
        let mut read = |commit: rosterd::store::AuditCommit| {
            for change in &commit.changes {
                let (person, claim) = (commit.people.get(change.person), &change.after);
                told.push(format!("{person} {} {} {}", claim.state.word(), change.because.word(), claim.changed));
            }
            for entry in &commit.entries {
                match entry {
                    Entry::Phase { pool, phase } => {
                        told.push(format!("{} {pool} {} {:?} {}", commit.at, phase.state.word(), phase.term, phase.since));
                    }
                    Entry::Episode(e) => told.push(format!("episode {} {} {:?} {:?}", e.id, e.opened, e.closed, e.outcome)),
                    Entry::Granted(g) => told.push(format!("grant {} {} {} {}", g.id, g.seats, g.from, g.to)),
                    _ => {}
                }
            }
            std::ops::ControlFlow::Continue(())
        };
        service.trail(&service.customers()[0], rosterd::base::Version(0), &mut read).expect("a trail");
        told
    }
}

#[test]
fn t10_expiry_grace_and_a_renewal_in_grace() {
    let mut world = town("America/New_York", OnFull::Wait, &["a", "b"]);
    world.night();
    assert_eq!(world.state("a", POOL), Some(ClaimState::Waiting), "nothing was bought yet");
    let term = world.renew(Some(3), Some("2025-09-01"), "2026-08-31");
    assert_eq!(
        (term.id.as_str(), term.from, term.to),
        ("learn-2025-09-01", at("2025-09-01T04:00:00Z"), at("2026-09-01T04:00:00Z"))
    );
    assert_eq!(world.seated(POOL), ["a", "b"], "the term's seats fill the queue at once (R43)");
    assert_eq!(world.term().phase.state, TermState::Current);

    let seen = world.changed("a");
    world.now("2026-09-01T03:59:00Z");
    world.dates();
    assert_eq!(world.term().phase.state, TermState::Current);
    world.now("2026-09-01T04:00:00Z");
    world.dates();
    let view = world.view(POOL);
    let term = view.term.clone().expect("terms");
    assert_eq!((term.phase.state, term.phase.since), (TermState::InGrace, at("2026-09-01T04:00:00Z")));
    assert_eq!((term.last_day, term.access_until), (Some(day("2026-08-31")), Some(day("2026-09-14"))));
    assert_eq!((view.allowance.seats, view.used().0, view.balance.map(|b| b.0)), (Some(Seats(3)), 2, Some(1)));
    assert_eq!(world.told("term_ended").len(), 1);
    assert!(world.told("term_ended")[0].text.contains("2 people keep access until the end of 2026-09-14"));

    // R91: nobody new, neither by hand nor by sync; who has a seat keeps it.
    world.set_day(day("2026-09-05"));
    world.hire("c", "teacher", "ash");
    let run = world.night();
    assert_eq!((run.state, run.tally.waiting), (RunState::SucceededWithErrors, 1));
    assert_eq!(world.state("c", POOL), Some(ClaimState::Waiting));
    assert_eq!(world.assign("c", POOL), Answer::OutOfTerm(TermState::InGrace));
    let pin = world.pin("c", POOL, PinKind::Assign);
    assert_eq!(world.decide(Decision::Pin { pin, insist: true }), Answer::OutOfTerm(TermState::InGrace), "nobody insists");
    let (give, take) = (world.pin("a", POOL, PinKind::Deny), world.pin("c", POOL, PinKind::Assign));
    assert_eq!(world.decide(Decision::Transfer { give, take }), Answer::OutOfTerm(TermState::InGrace));
    assert_eq!(world.seated(POOL), ["a", "b"]);
    assert_eq!(world.told("negative_balance").len(), 0);

    // The renewal starts where the term ended; whoever had a seat sees nothing of it.
    world.now("2026-09-10T15:00:00Z");
    let term = world.renew(Some(3), None, "2027-08-31");
    assert_eq!(term.from, at("2026-09-01T04:00:00Z"));
    assert_eq!(world.seated(POOL), ["a", "b", "c"]);
    assert_eq!((world.changed("a"), world.changed("b")), (seen, seen), "no event on any claim (R92)");
    assert_eq!(world.term().phase.state, TermState::Current);
    world.now("2026-09-15T04:00:00Z");
    world.dates();
    assert_eq!(world.seated(POOL), ["a", "b", "c"], "grace is forgotten");
    assert!(world.told("suspended").is_empty());
    world.verify();
}

#[test]
fn t10_reminders_each_once_and_after_a_downtime_only_the_latest() {
    let expected = ["2026-06-02", "2026-07-02", "2026-08-01", "2026-08-17", "2026-08-24", "2026-08-30"];
    let mut world = town("America/New_York", OnFull::Wait, &["a"]);
    world.night();
    world.renew(Some(3), Some("2025-09-01"), "2026-08-31");
    let begins = |day: Day| world.policy.calendar.start_of(day);
    for offset in 0..200 {
        let today = day("2026-03-03").plus(offset);
        for late in [0, 60_000, 40_000_000] {
            world.clock.set(begins(today).plus_millis(late));
            world.dates();
        }
    }
    let told: Vec<String> =
        world.told("renewal_due").iter().map(|notice| world.policy.calendar.day_of(notice.at).to_string()).collect();
    assert_eq!(told, expected);
    let at_midnight = world.told("renewal_due").iter().all(|n| n.at == begins(world.policy.calendar.day_of(n.at)));
    assert!(at_midnight, "the daemon's minute is enough");
    let grace: Vec<String> =
        world.told("grace_ends").iter().map(|notice| world.policy.calendar.day_of(notice.at).to_string()).collect();
    assert_eq!(grace, ["2026-09-07", "2026-09-13"], "7 and 1 days before the last day of grace");

    // Away from May to 20 August: of four missed ones the latest is told.
    let mut world = town("America/New_York", OnFull::Wait, &["a"]);
    world.night();
    world.renew(Some(3), Some("2025-09-01"), "2026-08-31");
    world.now("2026-08-20T12:00:00Z");
    world.dates();
    world.dates();
    let told = world.told("renewal_due");
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].key.ends_with("/14"), "{}", told[0].key);
    world.now("2026-08-24T04:00:00Z");
    world.dates();
    assert_eq!(world.told("renewal_due").len(), 2);
    // A successor cancels the rest.
    world.renew(Some(3), None, "2027-08-31");
    world.now("2026-08-30T12:00:00Z");
    world.dates();
    assert_eq!(world.told("renewal_due").len(), 2);
    assert!(!world.term().renewal_due);
    world.verify();
}

#[test]
fn r88_upcoming_renewals() {
    let mut world = town("UTC", OnFull::Wait, &["a"]);
    world.night();
    world.renew(Some(1), Some("2026-01-01"), "2026-12-31");
    for (now, due) in [("2026-10-31T23:59:59Z", false), ("2026-11-01T00:00:00Z", true), ("2027-02-01T00:00:00Z", true)] {
        world.now(now);
        assert_eq!(world.term().renewal_due, due, "{now}");
    }
    world.now("2026-12-01T00:00:00Z");
    world.renew(Some(1), None, "2027-12-31");
    assert!(!world.term().renewal_due);
    let service = world.service();
    assert_eq!(service.term_views(&service.customers()[0]).expect("views").len(), 1);
}

#[test]
fn r93_grace_ends_at_its_instant_even_if_nobody_looks_for_weeks() {
    let mut world = town("America/New_York", OnFull::Wait, &["a", "b", "c"]);
    world.night();
    world.renew(Some(2), Some("2025-09-01"), "2026-08-31");
    assert_eq!(world.seated(POOL), ["a", "b"]);
    // The store stands still from March to 20 October.
    world.now("2026-10-20T12:00:00Z");
    world.run();
    for person in ["a", "b"] {
        assert_eq!(world.state(person, POOL), Some(ClaimState::Suspended), "{person}");
        assert_eq!(world.changed(person), at("2026-09-15T04:00:00Z"), "{person}");
    }
    assert_eq!(world.state("c", POOL), Some(ClaimState::Waiting));
    let phases: Vec<String> = world.history().into_iter().filter(|line| line.contains(" learn ")).collect();
    assert!(phases.iter().any(|line| line.starts_with("2026-09-01T04:00:00Z learn in_grace")), "{phases:?}");
    assert!(phases.iter().any(|line| line.starts_with("2026-09-15T04:00:00Z learn expired")), "{phases:?}");
    let view = world.view(POOL);
    assert_eq!((view.used().0, view.allowance.seats, view.episode), (0, Some(Seats(0)), None));
    assert_eq!(view.counts.of(ClaimState::Suspended).0, 2);
    let suspended = world.told("suspended");
    assert_eq!((suspended.len(), suspended[0].at), (1, at("2026-09-15T04:00:00Z")));
    assert!(suspended[0].text.contains("2 claims are suspended"), "{}", suspended[0].text);
    let answer = |person: &str| {
        let service = world.service();
        let told = service.explain(&service.customers()[0], person, Some(&ProductId::from(POOL))).expect("an answer");
        (told[0].answer, told[0].text.clone())
    };
    assert_eq!(
        answer("a"),
        ("expired", "The term of learn is over; the seat is suspended and comes back with a renewal.".into())
    );
    assert_eq!(answer("c").0, "expired");
    assert_eq!(world.assign("c", POOL), Answer::OutOfTerm(TermState::Expired));
    // Looking again changes nothing (R102).
    let version = world.service().store().version(&world.policy.customer).expect("a version");
    let run = world.run();
    assert_eq!((run.version, run.tally.changed), (None, 0));
    assert_eq!(world.service().store().version(&world.policy.customer).expect("a version"), version);
    world.verify();
}

/// R161: before the first term, and for who is new during grace, there is no term to get a seat by.
#[test]
fn r161_without_a_term_the_answer_says_so() {
    let answer = |world: &World, person: &str| {
        let service = world.service();
        let told = service.explain(&service.customers()[0], person, Some(&ProductId::from(POOL))).expect("an answer");
        (told[0].answer, told[0].text.clone())
    };
    let mut world = town("UTC", OnFull::Wait, &["a"]);
    world.night();
    world.renew(Some(5), Some("2027-01-01"), "2027-12-31");
    world.now("2026-06-01T12:00:00Z");
    world.run();
    assert_eq!(answer(&world, "a"), ("no_term", format!("The first term of {POOL} has not started yet.")));
    world.now("2027-06-01T12:00:00Z");
    world.run();
    assert_eq!(answer(&world, "a").0, "active");
    // A day into grace.
    world.now("2028-01-01T12:00:00Z");
    world.hire("b", "teacher", "ash");
    world.write_package();
    world.run();
    let told = answer(&world, "b");
    assert_eq!(told, ("no_term", format!("The term of {POOL} is over; nobody new gets a seat during grace.")));
    assert_eq!(answer(&world, "a").0, "active");
}

#[test]
fn r93_a_renewal_brings_back_who_is_still_demanded_in_queue_order() {
    let mut world = town("UTC", OnFull::Wait, &[]);
    for (day, person) in [("2026-03-02", "d"), ("2026-03-03", "c"), ("2026-03-04", "b"), ("2026-03-05", "a")] {
        world.set_day(crate::world::day(day));
        world.hire(person, "teacher", "ash");
        world.night();
    }
    world.renew(Some(4), Some("2026-03-01"), "2026-06-30");
    world.set_day(day("2026-03-10"));
    world.hire("late", "teacher", "ash");
    world.night();
    assert_eq!(world.seated(POOL), ["a", "b", "c", "d"]);
    world.set_day(day("2026-07-15"));
    world.quiet_night();
    assert_eq!(world.used(POOL), 0);
    // While it is suspended, one leaves; the claim goes with the demand, and nobody takes the place.
    world.end("d");
    world.night();
    assert_eq!(world.state("d", POOL), None);
    assert_eq!(world.state("late", POOL), Some(ClaimState::Waiting), "waited all the time");
    world.verify();
    // Two seats: the older needs of those who had one come back, before anybody who only waited.
    world.renew(Some(2), Some("2026-07-20"), "2027-06-30");
    world.set_day(day("2026-07-20"));
    world.quiet_night();
    assert_eq!(world.seated(POOL), ["b", "c"]);
    assert_eq!(world.state("a", POOL), Some(ClaimState::Waiting), "had one, is first in line");
    let history = world.history();
    assert!(history.contains(&"c active reinstated 2026-07-20T00:00:00Z".to_owned()), "{history:?}");
    assert_eq!(world.told("reinstated").len(), 1);
    world.verify();
    world.buy("more", POOL, 2, "2026-07-21");
    world.set_day(day("2026-07-21"));
    world.quiet_night();
    assert_eq!(world.seated(POOL), ["a", "b", "c", "late"]);
    world.verify();
}

#[test]
fn r94_an_overage_ends_with_its_term_and_opens_anew_with_the_next() {
    let mut world = town("UTC", OnFull::Overdraw, &["a"]);
    world.night();
    world.renew(Some(4), Some("2026-01-01"), "2026-06-30");
    ["b", "c", "e", "f"].iter().for_each(|name| world.hire(name, "teacher", "ash"));
    world.night();
    let open = world.view(POOL).episode.expect("an overage");
    // In time, and still too few: the same people, no event on a claim, another episode.
    world.renew(Some(3), None, "2026-12-31");
    assert_eq!(world.told("shortfall_ahead").len(), 1, "told when it is recorded (R54)");
    assert!(world.told("shortfall_ahead")[0].text.contains("3 seats from 2026-07-01 on; 5 are used today: 2 too few"));
    let seen = world.changed("a");
    world.set_day(day("2026-08-10"));
    world.quiet_night();
    let service = world.service();
    let closed = service.store().episode(&world.policy.customer, open.id).expect("a store").expect("an episode");
    assert_eq!((closed.closed, closed.outcome), (Some(at("2026-07-01T00:00:00Z")), Some(Outcome::TermEnded)));
    let next = world.view(POOL).episode.expect("still too few");
    assert_eq!((next.opened, next.opened_day, next.peak), (at("2026-07-01T00:00:00Z"), day("2026-07-01"), Seats(5)));
    assert_eq!(next.samples[0].effective, Seats(3));
    assert_eq!(world.changed("a"), seen);
    world.verify();
    // Without a successor it ends, and grace opens none; nor does the end of the seats.
    world.set_day(day("2027-01-05"));
    world.quiet_night();
    let view = world.view(POOL);
    assert_eq!(
        (view.term.expect("terms").phase.state, view.episode, view.balance.map(|b| b.0)),
        (TermState::InGrace, None, Some(-2))
    );
    let last = service.store().episode(&world.policy.customer, next.id).expect("a store").expect("an episode");
    assert_eq!((last.closed, last.outcome), (Some(at("2027-01-01T00:00:00Z")), Some(Outcome::TermEnded)));
    world.quiet_night();
    world.set_day(day("2027-02-05"));
    world.quiet_night();
    assert_eq!(
        (world.used(POOL), world.view(POOL).causes.len(), service.store().episodes(&world.policy.customer).unwrap().len()),
        (0, 0, 3)
    );
    world.verify();
}

#[test]
fn renewals_on_the_last_day_and_with_more_seats_happen_by_themselves() {
    let mut world = town("UTC", OnFull::Wait, &["a", "b", "c"]);
    world.night();
    world.renew(Some(2), Some("2026-01-01"), "2026-06-30");
    world.now("2026-06-30T23:59:59Z");
    world.renew(Some(3), None, "2026-12-31");
    assert_eq!(world.seated(POOL), ["a", "b"], "it starts tomorrow");
    let seen = world.changed("a");
    world.now("2026-07-01T00:00:00Z");
    world.dates();
    assert_eq!(world.seated(POOL), ["a", "b", "c"]);
    assert_eq!(world.changed("c"), at("2026-07-01T00:00:00Z"));
    assert_eq!(world.changed("a"), seen);
    assert!(world.told("term_ended").is_empty() && world.told("reinstated").is_empty());
    world.verify();
}

#[test]
fn r92_where_a_renewal_starts() {
    let rows = [
        (RenewalBasis::Expiry, "2026-06-01", "2026-07-01"),
        (RenewalBasis::Expiry, "2026-07-10", "2026-07-01"),
        (RenewalBasis::Expiry, "2026-08-10", "2026-07-01"),
        (RenewalBasis::Activation, "2026-06-01", "2026-07-01"),
        (RenewalBasis::Activation, "2026-07-10", "2026-07-10"),
        (RenewalBasis::Activation, "2026-08-10", "2026-08-10"),
        (RenewalBasis::ActivationIfLapsed, "2026-06-01", "2026-07-01"),
        (RenewalBasis::ActivationIfLapsed, "2026-07-14", "2026-07-01"),
        (RenewalBasis::ActivationIfLapsed, "2026-07-15", "2026-07-15"),
    ];
    for (basis, recorded, starts) in rows {
        let mut world = town("UTC", OnFull::Wait, &["a"]);
        world.night();
        world.renew(Some(1), Some("2026-01-01"), "2026-06-30");
        world.set_day(day(recorded));
        let done = world.renewed(&TermWish { basis: Some(basis), ..wish(Some(1), None, "2026-12-31") });
        assert_eq!(world.policy.calendar.day_of(done.term.from), day(starts), "{basis:?} on {recorded}");
        let back = world.state("a", POOL);
        assert_eq!(back, Some(ClaimState::Active), "{basis:?} on {recorded}");
        world.verify();
        // The knob says the same.
        let mut world = town("UTC", OnFull::Wait, &["a"]);
        world.policy.pools[0].renewal.basis = basis;
        world.night();
        world.renew(Some(1), Some("2026-01-01"), "2026-06-30");
        world.set_day(day(recorded));
        assert_eq!(world.policy.calendar.day_of(world.renew(Some(1), None, "2026-12-31").from), day(starts));
    }
}

#[test]
fn terms_follow_one_another_and_ids_are_given_once() {
    let mut world = town("UTC", OnFull::Wait, &["a"]);
    world.night();
    let first = world.renew(Some(1), Some("2026-01-01"), "2026-06-30");
    let overlap = world.renewed(&wish(Some(1), Some("2026-06-30"), "2026-12-31"));
    assert_eq!(overlap.decided.answer, Answer::TermOverlaps(first.id.clone()));
    let again = world.renewed(&TermWish { id: Some(first.id.to_string()), ..wish(Some(1), None, "2026-12-31") });
    assert_eq!(again.decided.answer, Answer::GrantTaken);
    assert!(overlap.run.is_none() && again.run.is_none());
    // A year mistyped ends a term before it starts: refused, and nothing is written.
    let version = || world.service().store().version(&world.policy.customer).expect("a version");
    let before = version();
    for last_day in ["2026-06-30", "2025-12-31"] {
        let late = world.renewed(&wish(Some(1), Some("2026-07-01"), last_day));
        assert_eq!(late.decided.answer, Answer::TermEndsFirst, "{last_day}");
    }
    assert_eq!(world.fix(&first.id, Some("2025-07-01"), None).decided.answer, Answer::TermEndsFirst);
    assert_eq!(version(), before);
    // Two ahead, the later first.
    world.renew(Some(1), Some("2027-01-01"), "2027-06-30");
    world.renew(Some(1), Some("2026-07-01"), "2026-12-31");
    world.set_day(day("2027-03-01"));
    world.quiet_night();
    assert_eq!(world.seated(POOL), ["a"]);
    assert_eq!(world.term().phase.term, Some(GrantId::from("learn-2027-01-01")));
    assert!(world.told("term_ended").is_empty());
    world.verify();
}

#[test]
fn terms_are_worked_out_on_the_books_they_are_written_to() {
    let mut world = town("UTC", OnFull::Wait, &["a", "b"]);
    world.night();
    let term = world.renew(Some(2), Some("2026-01-01"), "2026-12-31");
    // Eight hands at once: whichever comes last, the seats are the term's.
    std::thread::scope(|scope| {
        for seats in 10..18 {
            let (world, id) = (&world, &term.id);
            scope.spawn(move || assert_eq!(world.fix(id, None, Some(seats)).decided.answer, Answer::Done));
        }
    });
    let service = world.service();
    let customer = &service.customers()[0];
    let standing = service.store().standing_light(customer.id()).expect("books");
    let last = standing.chain.iter().find(|known| known.id == term.id).expect("it is there").seats;
    assert_eq!((world.view(POOL).allowance.seats, last.is_some()), (last, true));
    // Whoever saw other books is told so, whatever was done since.
    let seen = standing.version;
    world.fix(&term.id, None, Some(20));
    let fix = TermFix { id: term.id.clone(), from: None, to: None, seats: Some(Seats(3)), reference: "PO".into() };
    let by = Actor::operator("test");
    let stale =
        |done: Result<TermDone, ServiceError>| matches!(done, Err(ServiceError::Store(StoreError::VersionMoved { .. })));
    assert!(stale(service.correct_term_on(customer, &by, (&PoolId::from(POOL), &fix), Some(seen))));
    assert!(stale(service.renew_on(customer, &by, &wish(Some(5), None, "2027-12-31"), Some(seen))));
    let now = service.version(customer).expect("a version");
    assert!(service.correct_term_on(customer, &by, (&PoolId::from(POOL), &fix), Some(now)).is_ok());
    assert_eq!(world.view(POOL).allowance.seats, Some(Seats(3)));
    world.verify();
}

#[test]
fn a_term_that_is_corrected_counts_as_corrected_and_the_trail_keeps_both() {
    let mut world = town("UTC", OnFull::Wait, &["a", "b"]);
    world.night();
    let term = world.renew(Some(2), Some("2026-01-01"), "2026-12-31");
    // Shortened to the past: grace since then, and what it means from now on.
    world.set_day(day("2026-05-10"));
    let done = world.fix(&term.id, Some("2026-05-01"), None);
    assert_eq!(done.decided.answer, Answer::Done);
    let view = world.term();
    assert_eq!((view.phase.state, view.phase.since), (TermState::InGrace, at("2026-05-01T00:00:00Z")));
    assert_eq!(world.seated(POOL), ["a", "b"]);
    assert_eq!(world.view(POOL).allowance.seats, Some(Seats(2)));
    world.verify();
    // Shortened so far that grace is over: suspended when it is written down, not before.
    let now = world.clock.now();
    world.fix(&term.id, Some("2026-04-01"), None);
    assert_eq!(world.state("a", POOL), Some(ClaimState::Suspended));
    assert_eq!(world.changed("a"), now);
    // A mistake: back to the whole year, with one seat less.
    world.fix(&term.id, Some("2027-01-01"), Some(1));
    assert_eq!(world.seated(POOL), ["a"]);
    assert_eq!((world.state("b", POOL), world.view(POOL).allowance.seats), (Some(ClaimState::Waiting), Some(Seats(1))));
    world.verify();
    // Withdrawn: as if the pool had no terms, and no grants of it either.
    world.fix(&term.id, Some("2026-01-01"), None);
    assert_eq!(world.view(POOL).term, None);
    assert_eq!(world.view(POOL).allowance.seats, Some(Seats(0)));
    assert_eq!(world.seated(POOL), ["a"], "nobody is released for that (R54)");
    assert_eq!(world.history().iter().filter(|line| line.starts_with("grant learn-2026-01-01")).count(), 6);
    world.verify();
}

#[test]
fn r80_a_renewal_that_says_nothing_takes_over_what_ended_and_is_flagged_for_an_upgrade() {
    for upgraded in [false, true] {
        let mut world = town("UTC", OnFull::Wait, &["a", "b", "c"]);
        world.night();
        world.renew(Some(2), Some("2026-01-01"), "2026-06-30");
        let next = world.renew(None, None, "2026-12-31");
        // The upgrade comes after the renewal was recorded, and carries over all the same.
        if upgraded {
            let (from, to) = (at("2026-04-01T00:00:00Z"), at("2026-07-01T00:00:00Z"));
            let tier = rosterd::license::Grant {
                recorded: world.clock.now(),
                kind: GrantKind::TierUpgrade,
                ..grant("tier", POOL, 1, from, to)
            };
            assert_eq!(world.decide(Decision::Grant(tier)), Answer::Done);
        }
        assert!(world.told("shortfall_ahead").is_empty(), "nothing will be missing");
        world.set_day(day("2026-09-01"));
        world.quiet_night();
        assert_eq!(world.used(POOL), if upgraded { 3 } else { 2 });
        assert_eq!(world.view(POOL).allowance.seats, Some(Seats(if upgraded { 3 } else { 2 })));
        let grants = world.service().store().standing_light(&world.policy.customer).expect("books").grants;
        let carried = grants.iter().find(|grant| grant.id == next.id).expect("a fact of the renewal");
        assert_eq!((carried.from, carried.to, carried.kind), (next.from, next.to, GrantKind::Renewal));
        let flagged = world.told("renewal_carried_over");
        assert_eq!(flagged.len(), usize::from(upgraded));
        assert!(flagged.iter().all(|notice| notice.text.contains("the 3 it ended with carry over")));
        world.verify();
    }
}

#[test]
fn r80_a_term_cut_short_and_renewed_without_a_number_keeps_its_seats_and_its_tier() {
    let mut world = town("UTC", OnFull::Wait, &["a", "b", "c"]);
    world.night();
    let term = world.renew(Some(2), Some("2026-01-01"), "2026-12-31");
    let tier = rosterd::license::Grant {
        recorded: world.clock.now(),
        kind: GrantKind::TierUpgrade,
        by: Actor::system(),
        ..grant("upgrade-1-1", POOL, 1, world.clock.now(), term.to)
    };
    assert_eq!(world.decide(Decision::Grant(tier)), Answer::Done);
    assert_eq!(world.fix(&term.id, Some("2026-07-01"), None).decided.answer, Answer::Done);
    world.renew(None, None, "2027-06-30");
    world.set_day(day("2026-08-01"));
    world.quiet_night();
    assert_eq!((world.used(POOL), world.view(POOL).allowance.seats), (3, Some(Seats(3))));
    assert_eq!(world.told("renewal_carried_over").len(), 1);
    world.verify();
}

#[test]
fn terms_of_the_settings_are_recorded_once_and_corrected_by_hand_only() {
    let mut world = town("Europe/London", OnFull::Wait, &["a", "b"]);
    let term = |to: &str| {
        let calendar = Calendar::in_zone("Europe/London").expect("a zone");
        Term {
            id: "2025-26".into(),
            pool: POOL.into(),
            from: calendar.start_of(day("2025-09-01")),
            to: calendar.start_of(day(to)),
            seats: Some(Seats(1)),
            recorded: Instant::default(),
            by: Actor::system(),
            reference: "PO".into(),
        }
    };
    let first = term("2026-09-01");
    world.adjust = Box::new(move |customer| customer.terms = vec![first.clone()]);
    assert_eq!(world.term().phase.state, TermState::Current, "shown before the first run");
    world.night();
    assert_eq!(world.seated(POOL), ["a"]);
    world.quiet_night();
    world.verify();
    let other = term("2026-08-01");
    world.adjust = Box::new(move |customer| customer.terms = vec![other.clone()]);
    let run = world.quiet_night();
    assert_eq!(run.state, RunState::Failed);
    assert!(run.message.contains("term 2025-26 was recorded"), "{}", run.message);
    // Corrected by hand it is what the hand says, whatever the settings keep.
    let first = term("2026-09-01");
    world.adjust = Box::new(move |customer| customer.terms = vec![first.clone()]);
    world.fix(&GrantId::from("2025-26"), Some("2026-10-01"), Some(2));
    assert!(succeeded(&world.quiet_night()));
    assert_eq!(world.term().last_day, Some(day("2026-09-30")));
    assert_eq!(world.seated(POOL), ["a", "b"]);
    world.verify();
}

#[test]
fn a_pool_bought_ahead_seats_nobody_before_it_starts() {
    let mut world = town("UTC", OnFull::Overdraw, &["a"]);
    let ahead = Term {
        id: "ahead".into(),
        pool: POOL.into(),
        from: at("2026-04-01T00:00:00Z"),
        to: at("2027-04-01T00:00:00Z"),
        seats: Some(Seats(1)),
        recorded: Instant::default(),
        by: Actor::system(),
        reference: "PO".into(),
    };
    world.adjust = Box::new(move |customer| customer.terms = vec![ahead.clone()]);
    world.night();
    assert_eq!(world.state("a", POOL), Some(ClaimState::Waiting));
    assert_eq!(world.assign("a", POOL), Answer::OutOfTerm(TermState::NotStarted));
    world.set_day(day("2026-04-01"));
    world.quiet_night();
    assert_eq!(world.seated(POOL), ["a"]);
    assert_eq!(world.changed("a"), at("2026-04-01T00:00:00Z"), "at its start, although the run came later");
    world.verify();
}

#[test]
fn named_seats_and_open_invitations_come_back_as_they_were() {
    let mut world = World::new("north")
        .school("ash")
        .class("c", "ash", "math")
        .product("studio", ProductKind::Module, SeatModel::Named)
        .role_rule("teacher", "studio")
        .pool("studio", "d", Some(9), OnFull::Wait)
        .product("observe", ProductKind::Module, SeatModel::Role)
        .role_rule("teacher", "observe")
        .pool("observe", "d", Some(9), OnFull::Wait)
        .product("lxp", ProductKind::Module, SeatModel::ActiveUser)
        .pool("lxp", "d", Some(9), OnFull::Wait);
    world.policy.products[1].needs_acceptance = true;
    world.grants.clear();
    for person in ["held", "pending", "stays", "deleted"] {
        world.hire(person, "teacher", "ash");
        world.enroll(person, "c", None, Some(if person == "held" { "2026-07-10" } else { "2027-01-01" }));
    }
    world.night();
    for pool in ["studio", "observe", "lxp"] {
        world.renewed(&TermWish { pool: PoolId::from(pool), ..wish(Some(9), Some("2026-01-01"), "2026-06-30") });
    }
    let accept = Decision::Accept { person: PersonKey::from("stays"), pool: PoolId::from("observe") };
    assert_eq!(world.decide(accept), Answer::Done);
    world.people.get_mut("held").expect("a person").roles[0].0 = "parent".into();
    world.night();
    let states = |world: &World, person: &str| ["studio", "observe", "lxp"].map(|pool| world.state(person, pool));
    use ClaimState::{Active, Held, Pending, Suspended};
    assert_eq!(states(&world, "held"), [Some(Held), None, Some(Active)]);
    assert_eq!(states(&world, "stays"), [Some(Active); 3]);
    assert_eq!(states(&world, "pending"), [Some(Active), Some(Pending), Some(Active)]);
    world.set_day(day("2026-07-20"));
    world.end("deleted");
    world.night();
    // Demand that ends while suspended releases the claim in `role` and `active_user`; a named one only the deletion.
    assert_eq!(states(&world, "held"), [Some(Suspended), None, None], "its enrollments ended on 10 July");
    assert_eq!(states(&world, "stays"), [Some(Suspended); 3]);
    assert_eq!(states(&world, "deleted"), [None; 3]);
    world.verify();
    for pool in ["studio", "observe", "lxp"] {
        world.renewed(&TermWish { pool: PoolId::from(pool), ..wish(Some(9), None, "2027-06-30") });
    }
    assert_eq!(states(&world, "held"), [Some(Held), None, None], "in no team, and nobody's but theirs (R34)");
    assert_eq!(states(&world, "stays"), [Some(Active); 3], "who accepted is not asked again");
    assert_eq!(states(&world, "pending"), [Some(Active), Some(Pending), Some(Active)]);
    world.verify();
}

#[test]
fn content_falls_with_the_access_it_needs_and_rises_with_it() {
    let mut world = World::new("north")
        .school("ash")
        .product("access", ProductKind::Access, SeatModel::Role)
        .role_rule("teacher", "access")
        .pool("access", "d", Some(9), OnFull::Wait)
        .product("library", ProductKind::Content, SeatModel::Role)
        .role_rule("teacher", "library")
        .pool("library", "d", Some(9), OnFull::Wait)
        .person("a", "teacher", "ash");
    world.grants.retain(|grant| grant.pool.as_str() == "library");
    world.night();
    world.renewed(&TermWish { pool: PoolId::from("access"), ..wish(Some(9), Some("2026-01-01"), "2026-06-30") });
    assert_eq!(world.state("a", "library"), Some(ClaimState::Active));
    world.set_day(day("2026-07-15"));
    world.quiet_night();
    assert_eq!(
        (world.state("a", "access"), world.state("a", "library")),
        (Some(ClaimState::Suspended), Some(ClaimState::Waiting))
    );
    world.renewed(&TermWish { pool: PoolId::from("access"), ..wish(Some(9), None, "2027-06-30") });
    assert_eq!((world.state("a", "access"), world.state("a", "library")), (Some(ClaimState::Active), Some(ClaimState::Active)));
    world.verify();
}

#[test]
fn everybody_loses_access_whatever_is_said_of_them_and_removed_people_can_be_forgotten() {
    let mut world = town("UTC", OnFull::Wait, &["absent", "broken", "gone", "here"]);
    world.night();
    world.renew(Some(9), Some("2026-01-01"), "2026-06-30");
    world.set_day(day("2026-07-14"));
    world.vanish("absent");
    world.people.get_mut("broken").expect("a person").broken = true;
    world.night();
    assert_eq!(world.seated(POOL), ["absent", "broken", "gone", "here"], "nobody is gone for sure");
    world.set_day(day("2026-07-15"));
    world.quiet_night();
    for person in ["absent", "broken", "gone", "here"] {
        assert_eq!(world.state(person, POOL), Some(ClaimState::Suspended), "{person}");
    }
    world.end("gone");
    world.people.get_mut("broken").expect("a person").broken = false;
    world.night();
    // Absent twice: removed, and the suspended claim with it.
    assert_eq!((world.state("absent", POOL), world.state("gone", POOL)), (None, None));
    let service = world.service();
    for person in ["absent", "gone"] {
        let forgotten = service
            .forget(&service.customers()[0], &Actor::operator("test"), &PersonKey::from(person), "asked")
            .expect("an answer");
        assert!(matches!(forgotten, ForgetAnswer::Forgotten(_)), "{forgotten:?}");
    }
    world.verify();
    world.renew(Some(9), None, "2027-06-30");
    assert_eq!(world.seated(POOL), ["broken", "here"]);
    world.verify();
}

#[test]
fn undoing_a_run_never_seats_anybody_out_of_term() {
    let mut world = town("UTC", OnFull::Wait, &["a", "b"]);
    world.night();
    world.renew(Some(9), Some("2026-01-01"), "2026-06-30");
    world.set_day(day("2026-06-29"));
    world.end("b");
    let ended = world.night();
    world.set_day(day("2026-07-20"));
    world.quiet_night();
    let runs = world.service().store().runs(Some(&world.policy.customer), 20).expect("runs");
    let suspending = runs.iter().find(|run| run.tally.released == 1 && run.run != ended.run).expect("the end of grace");
    for run in [suspending.run, ended.run] {
        let service = world.service();
        service.revert(run, &Actor::operator("test"), true).expect("an answer");
        assert_eq!(world.used(POOL), 0);
        assert_eq!(world.state("a", POOL), Some(ClaimState::Suspended));
        world.verify();
    }
    // And a plan made before a boundary is not carried out after it.
    let service = world.service();
    world.renew(Some(9), None, "2026-12-31");
    world.now("2026-12-31T23:59:00Z");
    world.hire("late", "teacher", "ash");
    world.write_package();
    let customer = &service.customers()[0];
    let planned = service.plan_sync(customer, &Trigger::Nightly(world.today), &|_| ()).expect("a plan");
    world.now("2027-01-01T00:00:30Z");
    assert!(service.apply_plan(planned.run.run, &Actor::operator("test")).is_err(), "time passed");
    world.verify();
}

#[test]
fn r91_grace_may_be_told_to_let_people_in() {
    let mut world = town("UTC", OnFull::Wait, &["a"]);
    world.policy.pools[0].renewal.grace_allows_new = true;
    world.night();
    world.renew(Some(2), Some("2026-01-01"), "2026-06-30");
    world.set_day(day("2026-07-05"));
    world.hire("b", "teacher", "ash");
    world.night();
    assert_eq!(world.seated(POOL), ["a", "b"]);
    assert_eq!(world.term().phase.state, TermState::InGrace);
    world.verify();
}

#[test]
fn longer_grace_said_later_lets_those_back_who_were_suspended_and_nobody_else() {
    let mut world = town("UTC", OnFull::Wait, &["a"]);
    world.night();
    world.renew(Some(2), Some("2026-01-01"), "2026-06-30");
    world.set_day(day("2026-07-20"));
    world.hire("b", "teacher", "ash");
    world.night();
    assert_eq!(world.state("a", POOL), Some(ClaimState::Suspended));
    world.policy.pools[0].renewal.grace_days = 60;
    world.quiet_night();
    assert_eq!(world.seated(POOL), ["a"]);
    assert_eq!(world.state("b", POOL), Some(ClaimState::Waiting));
    world.verify();
}

#[test]
fn a_suspended_person_is_served_by_another_pool_that_has_a_seat() {
    let mut world = town("UTC", OnFull::Wait, &["a"]).pool_named("own", POOL, "ash", Some(0), OnFull::Wait);
    world.grants.retain(|grant| grant.pool.as_str() != "own");
    world.night();
    world.renewed(&TermWish { pool: PoolId::from("own"), ..wish(Some(1), Some("2026-01-01"), "2026-06-30") });
    assert_eq!(world.state("a", "own"), Some(ClaimState::Active));
    world.buy("g", POOL, 1, "2026-01-01");
    world.set_day(day("2026-07-15"));
    world.quiet_night();
    assert_eq!((world.state("a", "own"), world.state("a", POOL)), (None, Some(ClaimState::Active)));
    let history = world.history();
    assert!(history.iter().any(|line| line.starts_with("a suspended term_over 2026-07-15")), "{history:?}");
    world.verify();
}

/// A history of terms, as (seats, days long, gap before it, days ahead of its start at which it is recorded).
type Chain = Vec<(Option<u32>, i32, i32)>;

fn chains() -> impl Strategy<Value = Chain> {
    proptest::collection::vec((proptest::option::weighted(0.8, 0u32..5), 1i32..20, 0i32..25), 1..4)
}

/// Who looks when: the daemon's minute each hour, a run each day, or one run after 60 days.
#[derive(Clone, Copy)]
enum Looks {
    Hourly,
    Daily,
    Once,
}

fn played(chain: &Chain, looks: Looks, on_full: OnFull) -> (Vec<String>, Vec<String>) {
    let mut world = town("Europe/London", on_full, &["a", "b", "c"]);
    world.policy.pools[0].renewal.grace_days = 5;
    world.night();
    let mut from = day("2026-03-05");
    for (seats, length, gap) in chain {
        from = from.plus(*gap);
        let last = from.plus(*length - 1);
        world.renew(*seats, Some(&from.to_string()), &last.to_string());
        from = last.plus(1);
    }
    let start = at("2026-03-04T00:00:00Z");
    const HOURS: i64 = 60 * 24;
    let service = world.service();
    let hours: Vec<i64> = match looks {
        Looks::Hourly => (0..=HOURS).collect(),
        Looks::Daily => (0..=HOURS).step_by(24).collect(),
        Looks::Once => vec![HOURS],
    };
    for hour in hours {
        world.clock.set(start.plus_millis(hour * 3_600_000));
        if matches!(looks, Looks::Hourly) {
            world.dates();
            continue;
        }
        let run = service.sync(&service.customers()[0], &Trigger::Dates(world.today), &|_| ()).expect("a run");
        assert_ne!(run.state, RunState::Failed, "{}", run.message);
    }
    world.verify();
    let told = world.events();
    let told = told.into_iter().filter(|n| !matches!(&*n.kind, "renewal_due" | "grace_ends"));
    // Clocks of overages tell when somebody looks, and say so where that is late: their own tests hold what they tell.
    let told = told.filter(|n| !n.kind.starts_with("overage_") && !n.kind.starts_with("upgrade_"));
    (world.history(), told.rev().map(|n| format!("{} {} {}", n.at, n.kind, n.text)).collect())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(cases()) })]
    #[test]
    fn i9_looking_hourly_daily_or_once_gives_the_same_history(chain in chains(), overdraw: bool) {
        let on_full = if overdraw { OnFull::Overdraw } else { OnFull::Wait };
        let once = played(&chain, Looks::Once, on_full);
        assert_eq!(played(&chain, Looks::Daily, on_full), once, "daily");
        assert_eq!(played(&chain, Looks::Hourly, on_full), once, "hourly");
    }
}

/// How many random histories; PROPTEST_CASES says another number.
fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(3)
}

#[test]
fn a_withheld_person_is_told_why() {
    let mut world = town("UTC", OnFull::Wait, &["a"]);
    world.night();
    world.renew(Some(1), Some("2026-01-01"), "2026-06-30");
    world.set_day(day("2026-07-05"));
    world.hire("b", "teacher", "ash");
    let run = world.night();
    let plan = world.service().store().plan(&world.policy.customer, &run.plan.unwrap()).unwrap().unwrap();
    assert_eq!(plan.withheld.iter().map(|w| w.because).collect::<Vec<_>>(), [Because::InGrace]);
    world.set_day(day("2026-07-20"));
    let run = world.quiet_night();
    let plan = world.service().store().plan(&world.policy.customer, &run.plan.unwrap()).unwrap().unwrap();
    assert_eq!(plan.withheld.iter().map(|w| w.because).collect::<Vec<_>>(), [Because::NoTerm; 2]);
    world.verify();
}
