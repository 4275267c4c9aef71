use std::collections::BTreeMap;

use proptest::prelude::{Strategy, any, proptest};

use crate::base::{Actor, ClaimId, Day, Digest, EpisodeId, Instant, PoolId, Seats, SourceId, TextArena, Version};
use crate::license::books::{Absence, Band, Cause, Episode, Outcome, SourceMark};
use crate::license::claim::ClaimState::{self, Active, Held, Pending, Released};
use crate::license::claim::{Names, OrgNameIx};
use crate::license::entry::{Entry, Mismatch, PoolTerms};
use crate::license::grant::{AgreedExcess, Pin, PinKind};
use crate::license::ledger::Ledger;
use crate::license::ledger::tests::world::{Commit, World, grant, two_commits};
use crate::license::transition::may_become;

#[test]
fn a_history_folds_to_what_was_kept() {
    let (mut world, first, second) = two_commits();
    let third = world.commit(30, &[("ben", Released), ("dan", Pending), ("ana", Held)], vec![grant("order 2", 5, 30, 30)]);
    let mut ledger = Ledger::default();
    for commit in [&first, &second, &third] {
        commit.apply(&mut ledger).expect("the trail agrees with itself");
    }
    let people: Vec<_> = ledger.people().map(|(key, claims)| (key, claims[0].id.0, claims[0].state, claims.len())).collect();
    assert_eq!(people, [("ana", 1, Held, 1), ("cal", 3, Active, 1), ("dan", 4, Pending, 1)]);
    assert_eq!(ledger.claims_of("ben"), []);
    assert_eq!(ledger.counts(&"math".into()).used(), Seats(3));
    assert_eq!(ledger.pools()[&PoolId::from("math")], world.books);
    let episodes: Vec<_> = ledger.episodes().map(|e| (e.opened.0, e.closed, e.outcome)).collect();
    assert_eq!(episodes, [(20, Some(Instant(30)), Some(Outcome::AllowanceRaised))]);
    assert_eq!(ledger.grants().map(|g| g.seats).collect::<Vec<_>>(), [2, 5]);
    assert_eq!((ledger.version(), ledger.next_claim(), ledger.next_episode()), (Version(3), ClaimId(5), EpisodeId(2)));
    assert_eq!(ledger.terms()[&PoolId::from("math")], world.terms());
    assert_eq!(ledger.agreed().count() + ledger.pins().count() + ledger.absences().count() + ledger.sources().len(), 0);
}

#[test]
fn t13_a_late_purchase_replays_as_void() {
    let (mut world, first, second) = two_commits();
    let third = world.commit(30, &[], vec![grant("order 2", 1, 0, 30)]);
    let mut ledger = Ledger::default();
    for commit in [&first, &second, &third] {
        commit.apply(&mut ledger).expect("the trail agrees with itself");
    }
    let ends: Vec<_> = ledger.episodes().map(|e| (e.outcome, e.cause, e.samples.len())).collect();
    assert_eq!(ends, [(Some(Outcome::Void), Cause::StaleAllowance, 1)]);
    assert_eq!(ledger.open_episode(&"math".into()), None);
}

/// R126, R130: told as it was when it was released, by its own person, and not after the purge.
#[test]
fn a_released_claim_comes_back_as_itself_until_the_purge() {
    let history = || {
        let (mut world, first, second) = two_commits();
        let third = world.commit(30, &[("ben", Released)], Vec::new());
        let gone = third.changes[0].after;
        let mut fourth = world.commit(40, &[("ben", Active)], Vec::new());
        fourth.changes[0].before = Some(Box::new(gone));
        fourth.changes[0].after.id = gone.id;
        (first, second, third, fourth)
    };
    let play = |first: &Commit, second: &Commit, third: &Commit, fourth: &Commit| {
        let mut ledger = Ledger::default();
        [first, second, third].into_iter().for_each(|commit| commit.apply(&mut ledger).expect("true so far"));
        fourth.apply(&mut ledger).map(|()| ledger)
    };
    let (first, second, third, fourth) = history();
    let ledger = play(&first, &second, &third, &fourth).expect("it may");
    assert_eq!(ledger.claims_of("ben"), [fourth.changes[0].after]);
    assert_eq!(ledger.next_claim(), ClaimId(5), "nobody took a new id");

    type Lie = fn(&mut Commit, &mut Commit);
    let lies: [Lie; 5] = [
        |_, fourth| fourth.changes[0].before.as_mut().expect("a claim").changed = Instant(29),
        |_, fourth| fourth.changes[0].before = None,
        |_, fourth| fourth.changes[0].person = fourth.people.push("eve").expect("room"),
        |_, fourth| fourth.changes[0].after.state = Released,
        |third, _| third.entries.push(Entry::Purged { person: "ben".into(), reason: None }),
    ];
    for (at, lie) in lies.into_iter().enumerate() {
        let (first, second, mut third, mut fourth) = history();
        lie(&mut third, &mut fourth);
        let found = play(&first, &second, &third, &fourth);
        assert!(matches!(found, Err(Mismatch::Claim { .. } | Mismatch::Record { .. })), "lie {at}: {found:?}");
    }
}

#[test]
fn each_lie_in_a_commit_is_found() {
    let what = |mismatch: Mismatch| match mismatch {
        Mismatch::Claim { claim, person, trail, .. } => format!("claim {claim} of {person}: {trail}"),
        Mismatch::Pool { pool, what, trail, stored, .. } => format!("{pool}, {what}: {trail}, {stored}"),
        Mismatch::Record { what, trail, stored, .. } => format!("{what}: {trail}, {stored}"),
    };
    type Lie = fn(&mut Commit);
    let lies: Vec<(Lie, &str)> = vec![
        (|c| c.version = Version(3), "version: 2, 3"),
        (|c| c.names.pools[0] = "art".into(), "pool names, position 0: PoolId(math), PoolId(art)"),
        (|c| c.names.reasons.clear(), "reason names, position 0: \"rule:all\", none"),
        (|c| c.changes[0].after.home = OrgNameIx(7), "claim 3 of cal: within the names"),
        (|c| c.changes[0].after.id = ClaimId(4), "id of a new claim: given once, 4 given twice"),
        (|c| c.changes[0].after.id = ClaimId(2), "id of a new claim: above 2, 2"),
        (|c| c.changes[0].before = Some(Box::new(c.changes[0].after)), "claim 3 of cal: none"),
        (|c| c.changes[0].after.state = Held, "claim 3 of cal: what may follow no claim"),
        (|c| c.changes[0].after.state = Released, "claim 3 of cal: what may follow no claim"),
        (|c| c.changes[0].person = c.people.push("ana").expect("room"), "claim 3 of ana: 1 in math active"),
        (|c| c.changes[0].after.state = Pending, "math, pending claims: 1, 0"),
        (|c| c.changes.truncate(1), "math, waiting claims: 0, 1"),
        (|c| c.entries.retain(|e| !matches!(e, Entry::Pool { .. })), "math, books: changed by claims, not in this commit"),
        (|c| c.books().counts.enter(Active), "math, active claims: 3, 4"),
        (|c| c.books().allowance.seats = Some(Seats(3)), "math, allowance: 2, 3"),
        (|c| c.books().allowance.seats = None, "math, allowance: 2, unlimited"),
        (|c| c.books().allowance.agreed = Seats(1), "math, agreed excess: 0, 1"),
        (|c| c.books().causes.clear(), "math, causes of seats below zero: 1, 0"),
        (|c| c.books().causes = [(Cause::AgreedExcess, 1)].into(), "math, seats below zero by agreement: 0, 1"),
        (|c| c.books().band = Band::Minor, "math, band: major, minor"),
        (|c| c.books().episode = None, "math, open episode: 1, none"),
        (|c| c.entries.retain(|e| !matches!(e, Entry::Episode(_))), "math, open episode: none, 1"),
        (|c| c.episode().opened_day = Day(3), "math, episode 1: "),
        (|c| c.episode().peak = Seats(9), "episode 1, peak: 3, 9"),
        (|c| c.episode().samples.clear(), "episode 1, first sample: 1970-01-01T00:00:00.02Z, none"),
        (|c| c.episode().samples[0].effective = Seats(3), "episode 1, samples: "),
        (|c| c.episode().closed = Some(Instant(40)), "episode 1, end: "),
        (
            |c| {
                let twin = Episode { id: EpisodeId(2), ..c.episode().clone() };
                c.entries.push(Entry::Episode(twin));
            },
            "episodes of math: ",
        ),
        (|c| c.entries.push(grant("order 1", 5, 90, 20)), "grant order 1: recorded before, recorded again"),
        (|c| c.entries.push(grant("order 2", 5, 0, 20)), "math, allowance: 7, 2"),
        (|c| c.entries.push(Entry::Returned("eve".into())), "absence of eve: none, returned"),
        (|c| c.entries.push(Entry::Unpinned { person: "eve".into(), pool: "math".into() }), "pin of eve on math: none, lifted"),
        (
            |c| {
                let books = c.books().clone();
                c.entries.push(Entry::Pool { pool: "art".into(), books });
            },
            "art, definition: none, books",
        ),
    ];
    for (lie, expected) in lies {
        let (_, first, mut second) = two_commits();
        let mut ledger = Ledger::default();
        first.apply(&mut ledger).expect("true so far");
        second.apply(&mut ledger.clone()).expect("true without the lie");
        lie(&mut second);
        let found = second.apply(&mut ledger).map_err(what).expect_err(expected);
        assert!(found.starts_with(expected), "{found} instead of {expected}");
    }
}

#[test]
fn the_past_cannot_be_told_anew() {
    type Lie = fn(&mut Commit);
    let lies: Vec<(Lie, &str)> = vec![
        (|c| c.episode().samples[0].used = Seats(4), "episode 1, its past"),
        (|c| c.episode().cause = Cause::ManualOverride, "episode 1, its past"),
        (|c| c.episode().pool = "art".into(), "episode 1, opening"),
        (|c| c.episode().opened_day = Day(0), "episode 1, opening"),
        (|c| c.changes[0].after.pool = c.names.pool(&"art".into()), "after"),
        (|c| c.changes[0].before.as_mut().expect("held").priority = 9, "before"),
    ];
    for (lie, expected) in lies {
        let (mut world, first, second) = two_commits();
        let mut third = world.commit(30, &[("dan", Active)], Vec::new());
        let mut ledger = Ledger::default();
        first.apply(&mut ledger).expect("true so far");
        second.apply(&mut ledger).expect("true so far");
        third.apply(&mut ledger.clone()).expect("true without the lie");
        lie(&mut third);
        match third.apply(&mut ledger).expect_err(expected) {
            Mismatch::Record { what, .. } => assert_eq!(what, expected),
            Mismatch::Claim { claim, person, .. } => assert_eq!((claim.0, person.as_str()), (4, "dan"), "{expected}"),
            other @ Mismatch::Pool { .. } => panic!("{other}"),
        }
    }
}

#[test]
fn an_episode_must_close_when_it_is_over() {
    let (mut world, first, mut second) = two_commits();
    let open = second.episode().clone();
    let mut third = world.commit(30, &[("cal", Released)], Vec::new());
    third.entries.retain(|entry| !matches!(entry, Entry::Episode(_)));
    third.books().episode = Some(open);
    let mut ledger = Ledger::default();
    first.apply(&mut ledger).expect("true so far");
    second.apply(&mut ledger).expect("true so far");
    let found = third.apply(&mut ledger).expect_err("left open").to_string();
    assert_eq!(found, "at version 3, pool math, episode 1: the trail says not over, stored is open");
}

#[test]
fn claims_of_a_person_lie_by_pool_however_they_came() {
    let mut world = World::new();
    world.pool.unlimited = true;
    let mut commit = world.commit(10, &[("ana", Active)], Vec::new());
    for (id, pool) in [(3, "art"), (2, "lab")] {
        let pool = PoolId::from(pool);
        let mut change = commit.changes[0].clone();
        (change.after.id, change.after.pool) = (ClaimId(id), commit.names.pool(&pool));
        commit.changes.insert(0, change);
        let books = commit.books().clone();
        commit.entries.push(Entry::PoolDefined(PoolTerms { pool: pool.clone(), ..world.terms() }));
        commit.entries.push(Entry::Pool { pool, books });
    }
    let mut ledger = Ledger::default();
    commit.apply(&mut ledger).expect("true");
    assert_eq!(ledger.claims_of("ana").iter().map(|c| (c.pool.0, c.id.0)).collect::<Vec<_>>(), [(0, 1), (1, 3), (2, 2)]);
}

#[test]
fn a_closed_episode_takes_nothing_but_void() {
    let (mut world, first, second) = two_commits();
    let third = world.commit(30, &[("cal", Released)], Vec::new());
    let mut ledger = Ledger::default();
    for commit in [&first, &second, &third] {
        commit.apply(&mut ledger).expect("true so far");
    }
    let closed = world.episodes[0].clone();
    assert_eq!(closed.outcome, Some(Outcome::Cured));
    for (outcome, closed_at, allowed) in
        [(Outcome::Void, 30, true), (Outcome::Upgraded, 30, false), (Outcome::Void, 31, false), (Outcome::Cured, 30, false)]
    {
        let told = Episode { outcome: Some(outcome), closed: Some(Instant(closed_at)), ..closed.clone() };
        let mut fourth = world.commit(40, &[], vec![Entry::Episode(told)]);
        fourth.version = Version(4);
        assert_eq!(fourth.apply(&mut ledger.clone()).is_ok(), allowed, "{outcome:?} at {closed_at}");
    }
}

#[test]
fn decisions_absences_and_sources_are_folded() {
    let pin = |kind| Pin {
        person: "ana".into(),
        pool: "math".into(),
        kind,
        by: Actor::operator("kim"),
        at: Instant(1),
        reason: "ticket 7".into(),
        until: Day::MAX,
    };
    let absence = |count| Absence {
        person: "ben".into(),
        source: "hr".into(),
        org: None,
        count,
        since: Day(1),
        ended: false,
        held: false,
        removed: false,
        removed_at: None,
    };
    let mark = |name: &str| SourceMark {
        source: "hr".into(),
        package: Digest::of(name.as_bytes()),
        bytes: 7,
        snapshot: Digest::of(b"roster"),
        at: Instant(1),
        name: name.into(),
        amended: false,
    };
    let refused = Entry::Refused { person: "eve".into(), pool: "math".into(), answer: "pool_exhausted".into() };
    let conflict = Entry::IdentityConflict { known: "ana".into(), new: "ann".into() };
    let commits = [
        vec![Entry::Pinned(pin(PinKind::Deny)), Entry::Absent(absence(1)), Entry::Adopted(mark("monday")), refused],
        vec![Entry::Pinned(pin(PinKind::Assign)), Entry::Absent(absence(2)), Entry::Adopted(mark("tuesday")), conflict],
        vec![Entry::Unpinned { person: "ana".into(), pool: "math".into() }, Entry::Returned("ben".into())],
    ];
    let mut ledger = Ledger::default();
    let mut held = Vec::new();
    for (version, entries) in commits.iter().enumerate() {
        let version = Version(version as u64 + 1);
        ledger.apply(version, Instant(1), &Names::default(), &TextArena::default(), &[], entries).expect("true");
        let (pins, absences): (Vec<_>, Vec<_>) =
            (ledger.pins().map(|p| p.kind).collect(), ledger.absences().map(|a| a.count).collect());
        held.push((pins, absences, ledger.sources()[&SourceId::from("hr")].name.clone()));
    }
    assert_eq!(
        held,
        [
            (vec![PinKind::Deny], vec![1], "monday".to_owned()),
            (vec![PinKind::Assign], vec![2], "tuesday".to_owned()),
            (vec![], vec![], "tuesday".to_owned()),
        ]
    );
}

type Night = (i64, BTreeMap<usize, usize>, Option<(i64, i64)>, Option<(u32, i64)>);

fn nights() -> impl Strategy<Value = Vec<Night>> {
    let night = (
        0i64..5,
        proptest::collection::btree_map(0usize..9, 0usize..6, 0..6),
        proptest::option::weighted(0.3, (-4i64..6, -12i64..12)),
        proptest::option::weighted(0.2, (0u32..4, 1i64..20)),
    );
    proptest::collection::vec(night, 1..25)
}

proptest! {
    #[test]
    fn i1_i2_i3_i7_i12_random_histories_replay(nights in nights(), lie in any::<bool>()) {
        const PEOPLE: [&str; 9] = ["ana", "ben", "cal", "dan", "eve", "flo", "gil", "hal", "ida"];
        let (mut world, mut ledger, mut now) = (World::new(), Ledger::default(), 0);
        let last = nights.len();
        for (night, (pause, wishes, bought, agreed)) in nights.into_iter().enumerate() {
            now += pause;
            let moves: Vec<_> = wishes
                .into_iter()
                .map(|(person, state)| (PEOPLE[person], ClaimState::ALL[state]))
                .filter(|(person, state)| may_become(world.claims.get(*person).map(|c| c.state), *state))
                .collect();
            let mut entries = Vec::new();
            if let Some((seats, from)) = bought {
                entries.push(grant(&format!("order {night}"), seats, now + from, now));
            }
            if let Some((seats, days)) = agreed {
                entries.push(Entry::ExcessAgreed(AgreedExcess {
                    id: format!("letter {night}").as_str().into(),
                    pool: "math".into(),
                    seats: Seats(seats),
                    from: Instant(now),
                    to: Instant(now + days),
                    recorded: Instant(now),
                    by: Actor::system(),
                    reference: String::new(),
                }));
            }
            let mut commit = world.commit(now, &moves, entries);
            if lie && night + 1 == last {
                commit.books().counts.enter(Active);
                assert!(commit.apply(&mut ledger).is_err());
                return Ok(());
            }
            commit.apply(&mut ledger).expect("the trail agrees with itself");
        }
        let told: BTreeMap<_, _> = ledger.people().map(|(key, claims)| (key.to_owned(), claims[0])).collect();
        assert_eq!(told, world.claims);
        assert!(ledger.people().all(|(_, claims)| claims.len() == 1));
        assert_eq!(ledger.pools()[&world.pool.id], world.books);
        assert_eq!(ledger.episodes().cloned().collect::<Vec<_>>(), world.episodes);
        assert_eq!(ledger.next_claim().0, world.next_claim);
    }
}
