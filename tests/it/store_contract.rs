//! What every store must do, whatever is below it. A store joins with one line: `store_contract!(name, Harness)`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Barrier;

use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, TestRunner};
use rosterd::base::{
    Actor, Balance, ClaimId, CustomerId, Day, Digest, EpisodeId, Instant, OrgId, PersonKey, PoolId, ProductId, RunId, Seats,
    SourceId, TextArena, Version,
};
use rosterd::license::{
    Absence, Allowance, Band, Because, Book, Cause, Causes, Channel, Claim, ClaimChange, ClaimState, Entry, Episode, Grant,
    GrantKind, Hold, HoldState, Names, OrgMark, OrgNameIx, OverageLimits, Pin, PinKind, PoolBooks, PoolIx, PoolSample,
    PoolTerms, ReasonsIx, ReuseYear, SeatRequest, SourceMark, StateCounts, Wait,
};
use rosterd::plan::{AbsenceChange, Notice, NoticeKind, Plan, PoolOutlook, Verdict, Withheld};
use rosterd::store::{
    ActivityRow, AlertRow, AlertStanding, AlertState, Asked, AuditCommit, Batch, FindingRow, Minute, ONCE_MILLIS, OnceAnswer,
    OnceRow, Pause, Receipt, RequestPlace, RequestState, Routed, RunRow, RunState, RunTally, SameDayTaken, SameDayWish,
    SharedStore, SnapshotRow, SourceLook, Store, StoreError, Trigger,
};

/// A fresh, empty store, which can be opened several times as if by several processes.
pub trait Harness {
    /// Whether what it needs is installed; says so if it is not.
    fn is_available() -> bool {
        true
    }
    /// Makes one.
    fn fresh() -> Self;
    /// Opens it once more.
    fn open(&self) -> SharedStore;
    /// Makes it look as if the processes that began runs so far had died.
    fn all_die(&self);
    /// Whatever was taken for some time is not any more, where that is not told by the caller's clock.
    fn holds_run_out(&self) {}
}

macro_rules! store_contract {
    ($name:ident, $harness:ty) => {
        mod $name {
            $crate::store_contract::store_contract!(@tests $harness:
                a_new_store_is_empty, commits_move_the_version, stale_commits_are_refused, a_commit_is_whole_or_absent,
                histories_are_kept, entries_are_kept, what_reports_ask_for_is_kept, grants_are_never_edited, names_only_grow, notices_are_written_once,
                handles_see_each_other, one_of_fifty_wins, the_trail_is_a_chain, the_trail_can_be_read_from_the_middle,
                requests_join, a_minute_tells_of_everybody, a_plan_and_its_run_are_saved_together, same_day_wishes_are_counted, pauses_are_kept, looks_are_kept, what_is_asked_under_a_key_is_begun_once, each_request_is_taken_once, orphans_go_back_in_line, runs_are_kept, orphan_runs_are_closed,
                a_run_with_a_commit_did_not_fail, log_ins_are_kept, who_is_gone_is_kept,
                findings_are_kept, snapshots_are_immutable, an_answer_can_be_broken_off, a_snapshot_keeps_what_it_stands_on, snapshots_in_use_are_not_pruned, plans_round_trip,
                traces_are_kept_by_source, a_trace_is_replaced_whole_or_not_at_all, a_purge_takes_traces_along,
                notices_go_out_by_channels,
                very_much_is_kept_as_a_little_is, very_many_come_and_go,
                released_claims_come_back, purged_people_are_named_until_runs_end, books_rest_on_what_is_kept,
            );
        }
    };
    (@tests $harness:ty: $($test:ident),* $(,)?) => {$(
        #[test]
        fn $test() {
            use $crate::store_contract::Harness;
            if <$harness>::is_available() {
                $crate::store_contract::$test(&<$harness>::fresh());
            }
        }
    )*};
}
pub(crate) use store_contract;

pub fn lakes() -> CustomerId {
    CustomerId::from("lakes")
}

/// A batch under construction.
#[derive(Default)]
pub struct Desk {
    pub names: Names,
    people: TextArena,
    changes: Vec<ClaimChange>,
    pub entries: Vec<Entry>,
    notices: Vec<Notice>,
    run: Option<RunId>,
}

impl Desk {
    /// Three pools, three orgs, two lists of reasons.
    pub fn new() -> Self {
        Self {
            names: Names {
                pools: ["p0", "p1", "p2"].map(PoolId::from).to_vec(),
                orgs: ["north", "south", "east"].map(OrgId::from).to_vec(),
                reasons: vec!["auto_assign".into(), "pin rule:staff".into()],
            },
            ..Self::default()
        }
    }

    pub fn change(mut self, person: &str, before: Option<Claim>, after: Claim, because: Because) -> Self {
        let person = self.people.push(person).expect("room");
        self.changes.push(ClaimChange { person, because, before: before.map(Box::new), after });
        self
    }

    pub fn in_run(self, run: RunId) -> Self {
        Self { run: Some(run), ..self }
    }

    pub fn seat(self, person: &str, id: u64) -> Self {
        self.change(person, None, claim(id), Because::Entitled)
    }

    pub fn commit_as(&self, store: &dyn Store, customer: &CustomerId, parent: Version) -> Result<Receipt, StoreError> {
        store.commit(&Batch {
            customer,
            parent,
            at: Instant(1_000 + parent.0.cast_signed()),
            actor: Actor::operator("ops"),
            run: self.run,
            plan: Some(Digest::of(b"plan")),
            verb: "sync",
            names: &self.names,
            people: &self.people,
            changes: &self.changes,
            entries: &self.entries,
            notices: &self.notices,
        })
    }

    pub fn commit(&self, store: &SharedStore, parent: u64) -> Result<Receipt, StoreError> {
        self.commit_as(store.as_ref(), &lakes(), Version(parent))
    }
}

pub fn claim(id: u64) -> Claim {
    Claim {
        id: ClaimId(id),
        since: Instant(500),
        changed: Instant(500),
        home: OrgNameIx(0),
        reasons: ReasonsIx(0),
        priority: 0,
        pool: PoolIx(0),
        state: ClaimState::Active,
        channel: Channel::Sync,
        wait: Wait::Nothing,
    }
}

fn waiting(id: u64, priority: i32, since: i64) -> Claim {
    Claim { priority, since: Instant(since), state: ClaimState::Waiting, wait: Wait::Seat, ..claim(id) }
}

/// A book as a plain list, in its own order.
fn listed(book: &Book) -> Vec<(String, Vec<Claim>)> {
    (0..book.people.len()).map(|at| (book.key(at).to_owned(), book.claims_at(at).to_vec())).collect()
}

pub fn trail(store: &SharedStore, after: u64) -> Vec<AuditCommit> {
    let mut all = Vec::new();
    store
        .audit(&lakes(), Version(after), &mut |commit| {
            all.push(commit);
            Ok(())
        })
        .expect("reads the trail");
    all
}

pub fn a_new_store_is_empty(harness: &impl Harness) {
    let store = harness.open();
    assert_eq!(store.customers().expect("asks"), []);
    assert_eq!(store.version(&lakes()).expect("asks"), Version(0));
    let standing = store.standing(&lakes()).expect("asks");
    assert_eq!((standing.version, standing.next_claim, standing.next_episode), (Version(0), ClaimId(1), EpisodeId(1)));
    assert!(standing.book.people.is_empty() && standing.book.names == Names::default());
    assert_eq!(store.integrity().expect("checks"), [""; 0]);
    assert!(store.take_request(Instant(1)).expect("asks").is_none());
    assert!(trail(&store, 0).is_empty());
    assert!(store.daemon().expect("asks").is_none());
}

pub fn commits_move_the_version(harness: &impl Harness) {
    let store = harness.open();
    let receipt = Desk::new().seat("ann", 7).commit(&store, 0).expect("commits");
    assert_eq!(receipt.version, Version(1));
    assert_eq!(store.version(&lakes()).expect("asks"), Version(1));
    assert_eq!(store.customers().expect("asks"), [lakes()]);
    let standing = store.standing(&lakes()).expect("asks");
    assert_eq!(listed(&standing.book), [("ann".to_owned(), vec![claim(7)])]);
    assert_eq!(standing.next_claim, ClaimId(8));
    assert_eq!(standing.book.names, Desk::new().names);
    assert!(store.standing_light(&lakes()).expect("asks").book.claims.is_empty());
    // Nothing but the run's own entry is a commit as well (R102).
    assert_eq!(Desk::new().commit(&store, 1).expect("commits").version, Version(2));
    // Another customer is not touched.
    assert_eq!(store.version(&"hills".into()).expect("asks"), Version(0));
}

pub fn stale_commits_are_refused(harness: &impl Harness) {
    let store = harness.open();
    let ahead = Desk::new().seat("ann", 1).commit(&store, 3);
    assert!(matches!(ahead, Err(StoreError::VersionMoved { now: Version(0), planned: Version(3), .. })), "{ahead:?}");
    assert_eq!(store.customers().expect("asks"), [], "a refused commit leaves no customer");
    Desk::new().seat("ann", 1).commit(&store, 0).expect("commits");
    let behind = Desk::new().seat("ben", 2).commit(&store, 0);
    assert!(matches!(behind, Err(StoreError::VersionMoved { now: Version(1), planned: Version(0), .. })), "{behind:?}");
    assert_eq!(store.claims_of(&lakes(), "ben").expect("asks").1, []);
}

pub fn a_commit_is_whole_or_absent(harness: &impl Harness) {
    let store = harness.open();
    let first = Desk::new().seat("ann", 1).change("bob", None, waiting(2, 0, 5), Because::PoolFull);
    first.commit(&store, 0).expect("commits");
    let held = Claim { state: ClaimState::Held, ..claim(1) };
    let wrong: [(&str, Desk); 8] = [
        ("other before", Desk::new().change("ann", Some(held), claim(1), Because::JoinedTeam)),
        ("no such claim", Desk::new().change("zoe", Some(claim(9)), held, Because::LeftTeams)),
        ("not new", Desk::new().change("ann", None, claim(1), Because::Entitled)),
        ("one id for two", Desk::new().seat("yan", 30).seat("zoe", 30)),
        ("an id of somebody else", Desk::new().seat("zoe", 1)),
        ("another claim before", Desk::new().change("ann", Some(claim(1)), claim(3), Because::ReasonsChanged)),
        ("a pool without a name", Desk::new().change("zoe", None, Claim { pool: PoolIx(3), ..claim(9) }, Because::Entitled)),
        ("never released", {
            let gone = Claim { state: ClaimState::Released, ..claim(2) };
            Desk::new().change("zoe", Some(gone), claim(2), Because::Entitled)
        }),
    ];
    for (what, desk) in wrong {
        // Good changes come before and after the wrong one, by key and by position.
        let mut desk = desk.seat("aaa", 20).seat("zzz", 21);
        desk.entries.push(Entry::Returned("ann".into()));
        desk.notices.push(notice("lost"));
        desk.names.orgs.push("west".into());
        let refused = desk.commit(&store, 1);
        assert!(matches!(refused, Err(StoreError::Corrupt { .. })), "{what}: {refused:?}");
        let standing = store.standing(&lakes()).expect("asks");
        assert_eq!(standing.version, Version(1), "{what}");
        assert_eq!(listed(&standing.book), [("ann".to_owned(), vec![claim(1)]), ("bob".to_owned(), vec![waiting(2, 0, 5)])]);
        assert_eq!(standing.book.names, Desk::new().names, "{what}");
        assert_eq!(standing.next_claim, ClaimId(3), "{what}");
        assert_eq!(store.used_by_org(&lakes()).expect("asks"), [("p0".into(), "north".into(), 1)], "{what}");
        assert_eq!(store.queue(&lakes(), None).expect("asks").people.len(), 1, "{what}");
        assert_eq!(store.notices(None, 9).expect("asks"), [], "{what}");
        assert_eq!(trail(&store, 0).len(), 1, "{what}");
    }
    let told = Desk::new().change("ann", Some(held), claim(1), Because::JoinedTeam).commit(&store, 1).expect_err("refused");
    assert!(told.to_string().contains("claim 1 of person ann"), "{told}");
}

/// One step of a random history.
#[derive(Clone, Debug)]
struct Step {
    person: u8,
    which: Index,
    state: ClaimState,
    fresh: bool,
    pool: u16,
    home: u32,
    priority: i32,
    since: i64,
}

fn step() -> impl Strategy<Value = Step> {
    let states = proptest::sample::select(ClaimState::ALL.to_vec());
    (0u8..5, any::<Index>(), states, any::<bool>(), 0u16..3, 0u32..3, -1i32..2, 0i64..3).prop_map(
        |(person, which, state, fresh, pool, home, priority, since)| Step {
            person,
            which,
            state,
            fresh,
            pool,
            home,
            priority,
            since,
        },
    )
}

/// The books kept the plain way.
#[derive(Clone, Debug, Default, PartialEq)]
struct Model {
    open: BTreeMap<String, BTreeMap<u64, Claim>>,
    released: Vec<(String, Claim)>,
    next: u64,
}

impl Model {
    fn apply(&mut self, desk: Desk, step: &Step) -> Desk {
        let person = ["ann", "anna", "bob", "émile", "zoe"][usize::from(step.person)];
        let mine = self.open.entry(person.to_owned()).or_default();
        let before =
            if step.fresh || mine.is_empty() { None } else { mine.values().nth(step.which.index(mine.len())).copied() };
        let id = before.map_or(self.next, |before| before.id.0);
        self.next = self.next.max(id + 1);
        let after = Claim {
            state: step.state,
            pool: PoolIx(step.pool),
            home: OrgNameIx(step.home),
            priority: step.priority,
            since: Instant(step.since),
            ..claim(id)
        };
        if step.state == ClaimState::Released {
            mine.remove(&id);
            self.released.push((person.to_owned(), after));
        } else {
            mine.insert(id, after);
        }
        desk.change(person, before, after, Because::Entitled)
    }

    fn claims(&self) -> impl Iterator<Item = (&String, &Claim)> {
        self.open.iter().flat_map(|(person, claims)| claims.values().map(move |claim| (person, claim)))
    }

    fn check(&self, store: &SharedStore) {
        let standing = store.standing(&lakes()).expect("asks");
        let mut book = Vec::new();
        for (person, claims) in self.open.iter().filter(|(_, claims)| !claims.is_empty()) {
            let mut claims: Vec<Claim> = claims.values().copied().collect();
            claims.sort_by_key(|claim| (claim.pool, claim.id));
            assert_eq!(store.claims_of(&lakes(), person).expect("asks").1, claims);
            assert_eq!(standing.book.claims_of(person), claims);
            book.push((person.clone(), claims));
        }
        assert_eq!(listed(&standing.book), book);
        assert_eq!(standing.next_claim.0, self.next);

        let mut queue: Vec<(String, Claim)> = self
            .claims()
            .filter(|(_, claim)| claim.state == ClaimState::Waiting)
            .map(|(person, claim)| (person.clone(), *claim))
            .collect();
        queue.sort_by_key(|(person, claim)| (-claim.priority, claim.since, person.clone(), claim.pool, claim.id));
        let flat = |book: &Book| -> Vec<(String, Claim)> {
            listed(book).into_iter().flat_map(|(key, claims)| claims.into_iter().map(move |c| (key.clone(), c))).collect()
        };
        assert_eq!(flat(&store.queue(&lakes(), None).expect("asks")), queue);
        for (at, pool) in standing.book.names.pools.iter().enumerate() {
            let of_pool: Vec<_> = queue.iter().filter(|(_, claim)| usize::from(claim.pool.0) == at).cloned().collect();
            assert_eq!(flat(&store.queue(&lakes(), Some(pool)).expect("asks")), of_pool);
        }

        let mut used: BTreeMap<(PoolId, OrgId), u32> = BTreeMap::new();
        let names = &standing.book.names;
        for (_, claim) in self.claims().filter(|(_, claim)| claim.state.consumes()) {
            *used.entry((names.pool_of(claim).clone(), names.home_of(claim).clone())).or_default() += 1;
        }
        let used: Vec<_> = used.into_iter().map(|((pool, org), used)| (pool, org, used)).collect();
        assert_eq!(store.used_by_org(&lakes()).expect("asks"), used);

        let sorted = |mut all: Vec<(String, Claim)>| {
            all.sort_by_key(|(person, claim)| (person.clone(), claim.id));
            all
        };
        let released = store.released(&lakes(), None).expect("asks");
        assert!(released.iter().all(|r| r.pool == *names.pool_of(&r.claim) && r.home == *names.home_of(&r.claim)));
        let released: Vec<_> = released.into_iter().map(|r| (r.person.as_str().to_owned(), r.claim)).collect();
        assert_eq!(sorted(released), sorted(self.released.clone()));
        for person in self.open.keys() {
            let mine: Vec<_> = self.released.iter().filter(|(p, _)| p == person).map(|(_, claim)| *claim).collect();
            let kept: Vec<_> =
                store.released(&lakes(), Some(person)).expect("asks").into_iter().map(|released| released.claim).collect();
            assert_eq!(kept, mine, "oldest first");
        }
    }
}

/// Random histories come out as a plain map says; the trail alone rebuilds them (R159).
pub fn histories_are_kept<H: Harness>(_: &H) {
    let histories = prop::collection::vec(prop::collection::vec(step(), 0..12), 1..6);
    let mut runner = TestRunner::new(Config { cases: 24, failure_persistence: None, ..Config::default() });
    let outcome = runner.run(&histories, |history| {
        let harness = H::fresh();
        let store = harness.open();
        let mut model = Model { next: 1, ..Model::default() };
        let mut states = vec![model.clone()];
        for (parent, steps) in (0..).zip(&history) {
            let desk = steps.iter().fold(Desk::new(), |desk, step| model.apply(desk, step));
            desk.commit(&store, parent).expect("commits");
            model.check(&store);
            states.push(model.clone());
        }
        let mut open: BTreeMap<String, BTreeMap<u64, Claim>> = BTreeMap::new();
        for (commit, state) in trail(&store, 0).iter().zip(&states[1..]) {
            for change in &commit.changes {
                let mine = open.entry(commit.people.get(change.person).to_owned()).or_default();
                let before = match change.after.state {
                    ClaimState::Released => mine.remove(&change.after.id.0),
                    _ => mine.insert(change.after.id.0, change.after),
                };
                assert_eq!(before, change.before.as_deref().copied());
            }
            assert_eq!(open, state.open);
            assert_eq!(commit.hash, commit.hash_again);
        }
        assert_eq!(store.integrity().expect("checks"), [""; 0]);
        Ok(())
    });
    outcome.expect("holds for every history");
}

fn episode(id: u64, closed: Option<i64>) -> Episode {
    Episode {
        id: EpisodeId(id),
        pool: "p0".into(),
        opened: Instant(5),
        opened_day: Day(3),
        cause: Cause::SyncOverdraw,
        peak: Seats(12),
        samples: vec![],
        closed: closed.map(Instant),
        outcome: closed.map(|_| rosterd::license::Outcome::Cured),
    }
}

fn grant(id: &str, seats: i64) -> Grant {
    Grant {
        id: id.into(),
        pool: "p0".into(),
        seats,
        from: Instant(1),
        to: Instant::MAX,
        recorded: Instant(2),
        by: Actor::operator("ops"),
        kind: GrantKind::Purchase,
        reference: "order 1".into(),
    }
}

fn mark(snapshot: &[u8]) -> SourceMark {
    SourceMark {
        source: "sis".into(),
        package: Digest::of(b"package"),
        bytes: 7,
        snapshot: Digest::of(snapshot),
        at: Instant(4),
        name: "night.zip".into(),
        amended: false,
    }
}

fn notice(key: &str) -> Notice {
    Notice {
        key: key.into(),
        kind: NoticeKind::HoldOpened,
        pool: None,
        source: Some("sis".into()),
        text: format!("about {key}"),
    }
}

pub fn entries_are_kept(harness: &impl Harness) {
    let store = harness.open();
    let pin = |kind| Pin {
        person: "ann".into(),
        pool: "p0".into(),
        kind,
        by: Actor::operator("ops"),
        at: Instant(9),
        reason: "ticket 4".into(),
        until: Day::MAX,
    };
    let absence = |person: &str, count| Absence {
        person: person.into(),
        source: "sis".into(),
        org: Some("ash".into()),
        count,
        since: Day(4),
        ended: false,
        held: false,
        removed: false,
        removed_at: None,
    };
    let terms = |percent| PoolTerms {
        pool: "p0".into(),
        product: ProductId::from("learn"),
        unlimited: false,
        overage: OverageLimits { minor_percent: percent, ..OverageLimits::CONTRACT },
        owner: "d".into(),
        reservations: vec![("ash".into(), Seats(3))],
    };
    let books = |episode| PoolBooks {
        counts: StateCounts::default(),
        allowance: Allowance { seats: Some(Seats(10)), agreed: Seats(0) },
        causes: Causes::from([(Cause::SyncOverdraw, 2)]),
        band: Band::Major,
        episode,
        held_back: Seats(0),
        provisional: None,
    };
    stage(&store, b"one");
    stage(&store, b"two");
    let mut desk = Desk::new();
    desk.entries = vec![
        Entry::PoolDefined(terms(104)),
        Entry::PoolDefined(terms(105)),
        Entry::Granted(grant("g2", 5)),
        Entry::Granted(grant("g1", -5)),
        Entry::Pinned(pin(PinKind::Assign)),
        Entry::Pinned(pin(PinKind::Deny)),
        Entry::Pool { pool: "p0".into(), books: books(Some(episode(1, None))) },
        Entry::Episode(episode(1, None)),
        Entry::Absent(absence("bob", 1)),
        Entry::Absent(absence("ann", 1)),
        Entry::Absent(absence("bob", 2)),
        Entry::Adopted(mark(b"one")),
        Entry::Adopted(mark(b"two")),
        Entry::Refused { person: "zoe".into(), pool: "p0".into(), answer: "pool_exhausted".into() },
    ];
    desk.commit(&store, 0).expect("commits");
    let standing = store.standing_light(&lakes()).expect("asks");
    assert_eq!(standing.grants, [grant("g1", -5), grant("g2", 5)], "by id");
    assert_eq!(standing.pins, [pin(PinKind::Deny)], "a later pin replaces an earlier one");
    assert_eq!(standing.absences, [absence("ann", 1), absence("bob", 2)], "by person");
    assert_eq!(standing.terms, BTreeMap::from([("p0".into(), terms(105))]));
    assert_eq!(standing.pools, BTreeMap::from([("p0".into(), books(Some(episode(1, None))))]));
    assert_eq!(standing.sources, BTreeMap::from([("sis".into(), mark(b"two"))]));
    assert_eq!(standing.next_episode, EpisodeId(2));

    let mut desk = Desk::new();
    desk.entries = vec![
        Entry::Unpinned { person: "ann".into(), pool: "p0".into() },
        Entry::Returned("bob".into()),
        Entry::Episode(episode(1, Some(8))),
        Entry::Episode(episode(2, None)),
    ];
    desk.commit(&store, 1).expect("commits");
    let standing = store.standing(&lakes()).expect("asks");
    assert_eq!((standing.pins.len(), standing.absences), (0, vec![absence("ann", 1)]));
    assert_eq!(store.episodes(&lakes()).expect("asks"), [episode(2, None), episode(1, Some(8))], "newest first");
    assert_eq!(store.episode(&lakes(), EpisodeId(1)).expect("asks"), Some(episode(1, Some(8))));
    assert_eq!(store.episode(&lakes(), EpisodeId(3)).expect("asks"), None);
    assert_eq!(trail(&store, 1)[0].entries, desk.entries);
}

pub fn what_reports_ask_for_is_kept(harness: &impl Harness) {
    let store = harness.open();
    let nothing = (Vec::new(), Vec::new(), BTreeMap::new(), Version(0));
    let asked = |at| {
        let orgs = store.orgs(&lakes()).expect("asks");
        let requests = store.seat_requests(&lakes()).expect("asks");
        let samples = store.samples(&lakes()).expect("asks");
        (orgs, requests, samples, store.version_at(&lakes(), Instant(at)).expect("asks"))
    };
    assert_eq!(asked(5_000), nothing);
    let org = |id: &str, ended| OrgMark { id: id.into(), name: format!("Org {id}"), parent: None, ended };
    let request = |seats| SeatRequest {
        pool: "p0".into(),
        seats: Seats(seats),
        used: Seats(4),
        allowance: Some(Seats(3)),
        waiting: Seats(0),
        by: Actor::operator("ops"),
        at: Instant(9),
        note: "for June".into(),
    };
    let pool = |pool: &str, used, allowance: Option<u32>| {
        let mut counts = StateCounts::default();
        counts.set(ClaimState::Pending, Seats(used));
        let allowance = Allowance { seats: allowance.map(Seats), agreed: Seats(0) };
        let books = PoolBooks {
            counts,
            allowance,
            causes: Causes::new(),
            band: Band::Within,
            episode: None,
            held_back: Seats(0),
            provisional: None,
        };
        Entry::Pool { pool: pool.into(), books }
    };
    let commits = [
        vec![Entry::Orgs(vec![org("east", false), org("ash", false)]), pool("p1", 4, Some(3)), pool("p0", 1, None)],
        vec![Entry::SeatsRequested(request(5)), pool("p1", 4, Some(3))],
        vec![Entry::Orgs(vec![org("east", true)]), Entry::SeatsRequested(request(1)), pool("p1", 4, None)],
    ];
    for (parent, entries) in (0u64..).zip(commits) {
        let mut desk = Desk::new();
        desk.entries = entries;
        desk.commit(&store, parent).expect("commits");
        assert_eq!(trail(&store, parent)[0].entries, desk.entries);
    }
    let sample =
        |at, used, allowance: Option<u32>| PoolSample { at: Instant(at), used: Seats(used), allowance: allowance.map(Seats) };
    let (orgs, requests, samples, _) = asked(0);
    assert_eq!(orgs, [org("ash", false), org("east", true)], "by id, as last told");
    assert_eq!(requests, [request(5), request(1)], "oldest first");
    let p1 = vec![sample(1_000, 4, Some(3)), sample(1_002, 4, None)];
    assert_eq!(samples, BTreeMap::from([("p0".into(), vec![sample(1_000, 1, None)]), ("p1".into(), p1)]), "only what changed");
    assert_eq!(store.standing(&lakes()).expect("asks").orgs, orgs);
    for (at, version) in [(999, 0), (1_000, 1), (1_001, 2), (1_002, 3), (9_999, 3)] {
        assert_eq!(store.version_at(&lakes(), Instant(at)).expect("asks"), Version(version), "at {at}");
    }
    assert_eq!(store.orgs(&"hills".into()).expect("asks"), []);
}

pub fn grants_are_never_edited(harness: &impl Harness) {
    let store = harness.open();
    let mut desk = Desk::new();
    desk.entries = vec![Entry::Granted(grant("g1", 5))];
    desk.commit(&store, 0).expect("commits");
    desk.entries = vec![Entry::Granted(grant("g1", 6))];
    assert!(matches!(desk.commit(&store, 1), Err(StoreError::Corrupt { .. })));
    assert_eq!(store.standing_light(&lakes()).expect("asks").grants, [grant("g1", 5)]);
}

pub fn names_only_grow(harness: &impl Harness) {
    let store = harness.open();
    Desk::new().commit(&store, 0).expect("commits");
    let mut fewer = Desk::new();
    fewer.names.orgs.pop();
    let mut other = Desk::new();
    other.names.pools[1] = "p9".into();
    for desk in [fewer, other] {
        assert!(matches!(desk.commit(&store, 1), Err(StoreError::Corrupt { .. })));
    }
    let mut more = Desk::new();
    more.names.orgs.push("west".into());
    more.commit(&store, 1).expect("commits");
    assert_eq!(store.standing_light(&lakes()).expect("asks").book.names, more.names);
    let trail = trail(&store, 0);
    assert_eq!((&trail[0].names, &trail[1].names), (&Desk::new().names, &more.names), "as of each version");
}

pub fn notices_are_written_once(harness: &impl Harness) {
    let store = harness.open();
    let mut desk = Desk::new();
    desk.notices = vec![notice("hold:1"), notice("hold:1")];
    desk.commit(&store, 0).expect("commits");
    desk.notices = vec![Notice { text: "said again".into(), ..notice("hold:1") }, notice("hold:2")];
    desk.commit(&store, 1).expect("commits");
    let kept = store.notices(Some(&lakes()), 9).expect("asks");
    let kept: Vec<_> = kept.iter().map(|n| (n.key.as_str(), n.kind.as_str(), n.at, n.text.as_str())).collect();
    assert_eq!(
        kept,
        [("hold:2", "hold_opened", Instant(1_001), "about hold:2"), ("hold:1", "hold_opened", Instant(1_000), "about hold:1")],
        "newest first, each once"
    );
    assert_eq!(store.notices(None, 1).expect("asks").len(), 1);
    let known = |customer: CustomerId, key: &str| store.has_notice(&customer, key).expect("asks");
    assert!(known(lakes(), "hold:2") && !known(lakes(), "hold:3") && !known("hills".into(), "hold:2"));
    assert_eq!(store.notices(Some(&"hills".into()), 9).expect("asks"), []);
}

pub fn notices_go_out_by_channels(harness: &impl Harness) {
    let (one, two) = (harness.open(), harness.open());
    let mut desk = Desk::new();
    desk.notices = ["a", "b", "c"].map(notice).to_vec();
    desk.commit(&one, 0).expect("commits");
    // Some belong to no commit.
    one.add_notices(&lakes(), &[notice("b"), notice("d")], Instant(4_000)).expect("writes");
    assert_eq!(one.version(&lakes()).expect("asks"), Version(1));
    assert_eq!(one.notice(&lakes(), "d").expect("asks").map(|kept| kept.at), Some(Instant(4_000)));
    assert_eq!(one.notice(&lakes(), "b").expect("asks").map(|kept| kept.at), Some(Instant(1_000)), "each once");
    let nobody = Routed { customer: lakes(), key: "d".into(), channels: Vec::new() };
    one.route_notices(&[nobody], Instant(0), false).expect("writes");
    let unrouted = |limit| two.unrouted_notices(limit).expect("asks").into_iter().map(|notice| notice.key).collect::<Vec<_>>();
    assert_eq!((unrouted(2), unrouted(9)), (vec!["a".to_owned(), "b".into()], vec!["a".into(), "b".into(), "c".into()]));
    let routed = |key: &str, channels: &[&str]| Routed {
        customer: lakes(),
        key: key.to_owned(),
        channels: channels.iter().map(|channel| (*channel).to_owned()).collect(),
    };
    let at = Instant(5_000);
    one.route_notices(&[routed("a", &["mail", "ops"]), routed("b", &[]), routed("no such", &["ops"])], at, false)
        .expect("writes");
    assert_eq!(unrouted(9), ["c"]);
    // Two at once may do the same.
    two.route_notices(&[routed("a", &["mail", "ops"])], Instant(6_000), false).expect("writes");
    two.route_notices(&[routed("c", &["ops"])], Instant(6_000), false).expect("writes");

    let words = |rows: &[AlertRow]| {
        rows.iter().map(|row| format!("{} {} {}", row.notice.key, row.channel, row.state.word())).collect::<Vec<_>>()
    };
    assert_eq!(
        words(&one.alerts(None, 9).expect("asks")),
        ["c ops waiting", "a ops waiting", "a mail waiting"],
        "newest first"
    );
    assert_eq!(words(&one.alerts(None, 1).expect("asks")), ["c ops waiting"]);
    let take =
        |store: &SharedStore, now: i64, until: i64| store.take_alerts(Instant(now), Instant(until), 1, 9).expect("takes");
    assert_eq!(take(&one, 4_999, 9_000), []);
    let taken = take(&one, 6_000, 9_000);
    assert_eq!(words(&taken), ["a mail waiting", "a ops waiting"], "one of each channel, the longest due first");
    let first = &taken[0];
    assert_eq!(
        (&first.notice, &first.pool, &first.source),
        (&one.notice(&lakes(), "a").expect("asks").expect("there"), &notice("a").pool, &notice("a").source)
    );
    assert_eq!((first.tries, first.ended, first.error.as_str()), (0, None, ""));
    assert_eq!(words(&take(&two, 6_000, 9_000)), ["c ops waiting"], "what one has the other does not get");
    assert_eq!(take(&two, 8_999, 9_500), []);

    let next = Instant(i64::MAX);
    let accepted =
        AlertRow { state: AlertState::Accepted, tries: 2, ended: Some(Instant(6_500)), next: Instant(7_000), ..first.clone() };
    one.save_alert(&accepted, Some(Instant(9_000))).expect("writes");
    assert_eq!(take(&two, 7_000, 9_500), [AlertRow { next: Instant(9_500), ..accepted.clone() }], "the books wait for it");
    let late = AlertRow { state: AlertState::Dead, ..accepted.clone() };
    one.save_alert(&late, Some(Instant(9_000))).expect("finds that somebody else has it");
    two.save_alert(&AlertRow { state: AlertState::Delivered, next, ..accepted }, Some(Instant(9_500))).expect("writes");
    one.save_alert(&late, Some(next)).expect("finds that it is over");
    let dead =
        AlertRow { state: AlertState::Dead, tries: 9, error: "gone".into(), ended: Some(Instant(7_500)), ..taken[1].clone() };
    two.save_alert(&dead, None).expect("writes");
    assert_eq!(one.alerts(Some(AlertState::Dead), 9).expect("asks"), [dead]);
    assert_eq!(words(&one.alerts(Some(AlertState::Delivered), 9).expect("asks")), ["a mail delivered"]);
    harness.holds_run_out();
    assert_eq!(words(&take(&one, 1_000_000, 2_000_000)), ["c ops waiting"], "what is over is over");
    one.route_notices(&[routed("a", &["ops", "new"])], Instant(8_000), true).expect("writes");
    let all = words(&one.alerts(None, 9).expect("asks"));
    assert_eq!(all, ["a new waiting", "c ops waiting", "a ops waiting", "a mail delivered"], "asked for again");
    let again = take(&one, 8_000, 9_000);
    assert!(again.iter().all(|row| (row.tries, row.ended) == (0, None)) && again.len() == 2, "{again:?}");

    // How they stand, and what is forgotten in time.
    let standing =
        |waiting, oldest: Option<i64>, dead| AlertStanding { customer: lakes(), waiting, oldest: oldest.map(Instant), dead };
    assert_eq!(one.alert_standings().expect("asks"), [standing(3, Some(1_000), 0)]);
    two.save_alert(&AlertRow { state: AlertState::Dead, ended: Some(Instant(8_500)), ..again[0].clone() }, None)
        .expect("writes");
    assert_eq!(one.alert_standings().expect("asks"), [standing(2, Some(1_000), 1)]);
    let prune = |delivered, dead| one.prune_alerts(Instant(delivered), Instant(dead)).expect("writes");
    assert_eq!(prune(6_500, 8_500), 0, "it arrived at that very instant");
    assert_eq!(prune(6_501, 8_500), 1);
    assert_eq!(two.alerts(Some(AlertState::Delivered), 9).expect("asks"), []);
    assert_eq!(prune(i64::MAX, 8_500), 0, "what waits or was given up later stays");
    assert_eq!(prune(6_501, 8_501), 1);
    assert_eq!(two.alert_standings().expect("asks"), [standing(2, Some(1_000), 0)]);
    assert_eq!(unrouted(9), Vec::<String>::new(), "what is forgotten is not sent again");
}

pub fn handles_see_each_other(harness: &impl Harness) {
    let (one, two) = (harness.open(), harness.open());
    Desk::new().seat("ann", 1).commit(&one, 0).expect("commits");
    assert_eq!(two.version(&lakes()).expect("asks"), Version(1));
    Desk::new().seat("bob", 2).commit(&two, 1).expect("commits");
    let people: Vec<_> = listed(&one.standing(&lakes()).expect("asks").book).into_iter().map(|(key, _)| key).collect();
    assert_eq!(people, ["ann", "bob"]);
    assert!(matches!(Desk::new().commit(&one, 1), Err(StoreError::VersionMoved { now: Version(2), .. })));
}

pub fn one_of_fifty_wins(harness: &impl Harness) {
    let handles = [harness.open(), harness.open()];
    let start = Barrier::new(50);
    let outcomes: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..50)
            .map(|n| {
                let (store, start) = (&handles[n % 2], &start);
                scope.spawn(move || {
                    start.wait();
                    Desk::new().seat(&format!("p{n}"), 1).commit(store, 0)
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    });
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    for outcome in outcomes.iter().filter_map(|outcome| outcome.as_ref().err()) {
        assert!(matches!(outcome, StoreError::VersionMoved { now: Version(1), .. }), "{outcome}");
    }
    assert_eq!(handles[0].standing(&lakes()).expect("asks").book.people.len(), 1);
    assert_eq!(trail(&handles[1], 0).len(), 1);
}

pub fn the_trail_is_a_chain(harness: &impl Harness) {
    let store = harness.open();
    let run = store.begin_run(&lakes(), &Trigger::Drop, Instant(1)).expect("begins");
    let first = Desk { run: Some(run), ..Desk::new().seat("ann", 1) }.commit(&store, 0).expect("commits");
    let gone = Claim { state: ClaimState::Released, changed: Instant(9), ..claim(1) };
    let second = Desk::new().change("ann", Some(claim(1)), gone, Because::EntitlementEnded).commit(&store, 1).expect("commits");
    let trail = trail(&store, 0);
    let [a, b] = &trail[..] else { panic!("two commits, not {}", trail.len()) };
    assert_eq!((a.version, a.parent_hash, a.hash, a.hash_again), (Version(1), Digest::default(), first.hash, first.hash));
    assert_eq!((b.version, b.parent_hash, b.hash, b.hash_again), (Version(2), first.hash, second.hash, second.hash));
    assert_eq!((a.at, a.actor.as_str(), a.verb.as_str()), (Instant(1_000), "operator:ops", "sync"));
    assert_eq!((a.run, b.run, a.plan), (Some(run), None, Some(Digest::of(b"plan"))));
    assert_eq!(b.people.get(b.changes[0].person), "ann");
    let change = (b.changes[0].because, b.changes[0].before.as_deref(), b.changes[0].after);
    assert_eq!(change, (Because::EntitlementEnded, Some(&claim(1)), gone));
    let released = store.released(&lakes(), Some("ann")).expect("asks");
    assert_eq!((released[0].claim, released[0].because, released[0].run), (gone, Because::EntitlementEnded, None));
    // The same commit in another customer has another hash: a trail cannot be moved.
    let other = Desk { run: Some(run), ..Desk::new().seat("ann", 1) };
    let other = other.commit_as(store.as_ref(), &"hills".into(), Version(0)).expect("commits");
    assert_ne!(other.hash, first.hash);
}

pub fn the_trail_can_be_read_from_the_middle(harness: &impl Harness) {
    let store = harness.open();
    let (ops, ann) = (Actor::operator("ops"), Actor::operator("ann"));
    let done = |actor: &Actor, verb, since| store.has_done(&lakes(), actor, verb, Instant(since)).expect("asks");
    assert!(!done(&ops, "sync", 0));
    Desk::new().commit_as(store.as_ref(), &"hills".into(), Version(0)).expect("commits");
    assert!(!done(&ops, "sync", 0));
    let mut desk = Desk::new();
    for parent in 0..4 {
        desk.names.reasons.push(format!("rule:{parent}"));
        desk.commit(&store, parent).expect("commits");
    }
    // The last commit was at 1003.
    assert!(done(&ops, "sync", 1003) && !done(&ops, "sync", 1004) && !done(&ops, "sink", 0) && !done(&ann, "sync", 0));
    let (whole, half) = (trail(&store, 0), trail(&store, 2));
    assert_eq!(half.iter().map(|commit| commit.version.0).collect::<Vec<_>>(), [3, 4]);
    for (a, b) in whole[2..].iter().zip(&half) {
        assert_eq!((&a.names, a.parent_hash, a.hash_again), (&b.names, b.parent_hash, b.hash_again));
    }
    assert!(trail(&store, 4).is_empty());
    // The reader may stop; its own error comes back.
    let stopped = store.audit(&lakes(), Version(0), &mut |_| Err(StoreError::Busy { place: "reader".into() }));
    assert!(matches!(stopped, Err(StoreError::Busy { place }) if place == "reader"));
}

pub fn requests_join(harness: &impl Harness) {
    let store = harness.open();
    let ask = |trigger: &Trigger, at| store.request(&lakes(), trigger, Instant(at)).expect("asks");
    let by_ann = Trigger::SameDay(Asked::by(Actor::operator("ann")));
    let (first, fresh) = ask(&by_ann, 10);
    assert!(fresh);
    let night = Trigger::Nightly(Day(7));
    assert!(!store.is_scheduled(&lakes(), &night).expect("asks"));
    // The nightly wish joins, and its date is known all the same.
    assert_eq!(ask(&night, 11), (first, false));
    assert!(store.is_scheduled(&lakes(), &night).expect("asks"));
    for other in [Trigger::Nightly(Day(8)), Trigger::Dates(Day(7)), by_ann.clone(), Trigger::Drop] {
        assert!(!store.is_scheduled(&lakes(), &other).expect("asks"), "{other:?}");
    }
    assert!(!store.is_scheduled(&"hills".into(), &night).expect("asks"));
    let taken = store.take_request(Instant(12)).expect("takes").expect("one");
    assert_eq!((taken.request, &taken.trigger, taken.state), (first, &by_ann, RequestState::Running));
    assert_eq!((taken.customer.clone(), taken.at), (lakes(), Instant(10)));
    // While it runs, one follow-up queues and is joined, and nothing of the customer is taken (R97, R99).
    let (follow_up, fresh) = ask(&Trigger::Drop, 13);
    assert!(fresh && follow_up != first);
    assert_eq!(ask(&by_ann, 14), (follow_up, false));
    assert!(store.take_request(Instant(15)).expect("takes").is_none());
    // Another customer goes on.
    let (other, _) = store.request(&"hills".into(), &Trigger::Drop, Instant(16)).expect("asks");
    assert_eq!(store.take_request(Instant(17)).expect("takes").map(|row| row.request), Some(other));
    let running = |customer: &str| store.running_request(&customer.into()).expect("asks").map(|row| row.request);
    assert_eq!((running(lakes().as_str()), running("hills"), running("nowhere")), (Some(first), Some(other), None));
    let run = store.begin_run(&lakes(), &by_ann, Instant(18)).expect("begins");
    store.end_request(first, RequestState::Done, Some(run), Instant(19)).expect("ends");
    let row = store.request_row(first).expect("asks").expect("kept");
    assert_eq!((row.state, row.run), (RequestState::Done, Some(run)));
    assert_eq!(running(lakes().as_str()), None, "one that waits does not count");
    assert_eq!(store.take_request(Instant(20)).expect("takes").map(|row| row.request), Some(follow_up));
    // A run whose plan got stale puts its request back in line.
    store.end_request(follow_up, RequestState::Queued, None, Instant(21)).expect("puts back");
    assert_eq!(store.take_request(Instant(22)).expect("takes").map(|row| row.request), Some(follow_up));
    assert!(store.end_request(rosterd::base::RequestId(99), RequestState::Done, None, Instant(23)).is_err());
    assert!(store.request_row(rosterd::base::RequestId(99)).expect("asks").is_none());
    // Drops are looked at until they are settled, also those that are over.
    let unsettled = || {
        let rows = store.unsettled_drops(&lakes()).expect("reads").into_iter();
        rows.map(|row| (row.request, row.at, row.ended)).collect::<Vec<_>>()
    };
    let before = unsettled();
    let (drop, fresh) = store.request(&lakes(), &Trigger::Drop, Instant(24)).expect("asks");
    let other = unsettled().into_iter().find(|row| !before.contains(row)).expect("the drop");
    assert_eq!((fresh, other), (true, (drop, Instant(24), None)));
    store.end_request(drop, RequestState::Done, None, Instant(25)).expect("ends");
    assert!(unsettled().contains(&(drop, Instant(24), Some(Instant(25)))));
    store.settle_drop(drop).expect("settles");
    assert_eq!(unsettled(), before);
    assert!(before.iter().any(|row| row.0 == follow_up) && store.unsettled_drops(&"nowhere".into()).expect("reads").is_empty());
}

pub fn a_minute_tells_of_everybody(harness: &impl Harness) {
    let store = harness.open();
    let minute = |customer: &str| store.minutes().expect("reads").get(customer).copied();
    let in_hand = |customer: &str| store.drops_in_hand(&customer.into()).expect("asks");
    assert!(store.minutes().expect("reads").is_empty() && in_hand("lakes").is_none());
    let (drop, _) = store.request(&lakes(), &Trigger::Drop, Instant(1)).expect("asks");
    let mut known = Minute { drops_open: true, ..Minute::default() };
    assert_eq!((minute("lakes"), minute("hills")), (Some(known), None));
    assert_eq!((in_hand("lakes"), in_hand("hills")), (Some(RequestState::Queued), None));
    for trigger in [Trigger::Nightly(Day(7)), Trigger::Dates(Day(9)), Trigger::Nightly(Day(5))] {
        store.schedule(&lakes(), &trigger, Instant(2)).expect("asks");
    }
    (known.night, known.date) = (Some(Day(7)), Some(Day(9)));
    assert_eq!(minute("lakes"), Some(known));
    assert_eq!(store.take_request(Instant(3)).expect("takes").map(|row| row.request), Some(drop));
    assert_eq!(in_hand("lakes"), Some(RequestState::Running));
    let run = store.begin_run(&lakes(), &Trigger::Drop, Instant(4)).expect("begins");
    let begun = minute("lakes").and_then(|minute| minute.newest_run);
    known.newest_run = begun.filter(|(newest, _)| *newest == run);
    assert_eq!(minute("lakes"), Some(known));
    let row = store.run(run).expect("asks").expect("kept");
    store.save_run(&RunRow { state: RunState::Failed, ended: Some(Instant(5)), ..row }).expect("saves");
    known.newest_run =
        minute("lakes").and_then(|minute| minute.newest_run).filter(|newest| newest.0 == run && Some(*newest) != begun);
    store.end_request(drop, RequestState::Done, Some(run), Instant(5)).expect("ends");
    assert_eq!(in_hand("lakes"), None, "what is in line is no drop");
    store.settle_drop(drop).expect("settles");
    known.drops_open = false;
    assert_eq!(minute("lakes"), Some(known));
    let wish = SameDayWish { asked: Asked::by(Actor::system()), day: Day(9), deadline: Instant(9), day_max: 1 };
    store.ask_same_day(&"hills".into(), &wish, Instant(6)).expect("asks");
    assert_eq!(minute("hills"), Some(Minute { wishes_open: true, ..Minute::default() }));
    let purge = Entry::Purged { person: "bob".into(), reason: None };
    stage(&store, b"old");
    Desk { entries: vec![purge], ..Desk::new() }.commit(&store, 0).expect("commits");
    (known.version, known.names_purged) = (Version(1), true);
    assert_eq!(minute("lakes"), Some(known));
}

/// Beyond some length lists are made and read by two threads.
pub fn very_much_is_kept_as_a_little_is(harness: &impl Harness) {
    const PEOPLE: u32 = 100_000;
    let store = harness.open();
    let mut desk = Desk::new();
    let mut expected = Vec::new();
    for id in 1..=u64::from(PEOPLE) {
        // Not in the order of their keys.
        let key = format!("{:06}", id * 7_919 % 1_000_003);
        let claim = if id % 1_000 == 0 { waiting(id, 0, 5) } else { claim(id) };
        desk = desk.change(&key, None, claim, Because::Entitled);
        expected.push((key, vec![claim]));
    }
    expected.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    stage(&store, b"one");
    let plan = Plan { people: desk.people.clone(), changes: desk.changes.clone(), ..plan_over(b"one") };
    let run = store.begin_run(&lakes(), &Trigger::Drop, Instant(1)).expect("begins");
    let row = RunRow { state: RunState::Committing, plan: Some(plan.id), ..store.run(run).expect("asks").expect("kept") };
    let kept = |id| {
        let kept = store.plan(&lakes(), id).expect("asks").expect("kept");
        assert!(kept.changes.iter().map(|change| kept.people.get(change.person)).eq(people_of(&desk)));
        assert!(kept.changes.iter().zip(&desk.changes).all(|(kept, change)| kept.after == change.after));
    };
    store.save_plan(&plan).expect("saves");
    kept(&plan.id);
    let planned = Plan { id: Digest::of(b"plan"), parent: Version(0), ..plan.clone() };
    store.save_planned(&planned, &row).expect("saves");
    assert!(store.plan(&lakes(), &planned.id).expect("asks").is_none());
    desk.commit(&store, 0).expect("commits");
    kept(&planned.id);
    assert!(listed(&store.standing(&lakes()).expect("asks").book) == expected, "nobody said how many there are");
    let mut counts = StateCounts::default();
    desk.changes.iter().for_each(|change| counts.enter(change.after.state));
    let books = PoolBooks {
        counts,
        allowance: Allowance { seats: None, agreed: Seats(0) },
        causes: Causes::new(),
        band: Band::Within,
        episode: None,
        held_back: Seats(0),
        provisional: None,
    };
    let counted = Desk { entries: vec![Entry::Pool { pool: "p0".into(), books }], ..Desk::new() };
    counted.commit(&store, 1).expect("commits");
    let standing = store.standing(&lakes()).expect("asks");
    assert!(listed(&standing.book) == expected, "very many");
    assert_eq!(standing.next_claim, ClaimId(u64::from(PEOPLE) + 1));
    let waiting = store.queue(&lakes(), None).expect("asks");
    assert_eq!(waiting.claims.len(), PEOPLE as usize / 1_000);
    assert_eq!(trail(&store, 0).iter().map(|commit| commit.changes.len()).collect::<Vec<_>>(), [PEOPLE as usize, 0]);
    assert!(trail(&store, 0).iter().all(|commit| commit.hash == commit.hash_again));
}

/// Claims of thousands lie on many pages, of which some go and others come.
pub fn very_many_come_and_go(harness: &impl Harness) {
    let store = harness.open();
    let (mut open, mut next) = (BTreeMap::new(), 1);
    let key =
        |n: u64| if n.is_multiple_of(3) { format!("\u{e9}{n:05}") } else { format!("{n:05}-{:07}", n * 7_919 % 1_000_003) };
    // Whose claims come, those of others go; each night of so many people or of a few.
    let nights: [(u64, u64, usize, bool); 12] = [
        (2_000, 9_000, 1, true),
        (0, 2_000, 1, true),
        (2_000, 9_000, 100, false),
        (9_000, 12_000, 1, true),
        (100, 9_000, 7, false),
        (0, 12_000, 1, true),
        (3_000, 8_000, 1, false),
        (5_000, 5_001, 1, true),
        (0, 12_000, 2, false),
        (0, 12_000, 3, true),
        (0, 12_000, 1, false),
        (77, 78, 1, true),
    ];
    for (parent, (from, to, every, come)) in (0..).zip(nights) {
        let mut desk = Desk::new();
        // Not in the order of their keys.
        for key in (from..to).rev().step_by(every).map(key) {
            match open.get(&key) {
                Some(&before) if !come => {
                    open.remove(&key);
                    let after = Claim { state: ClaimState::Released, ..before };
                    desk = desk.change(&key, Some(before), after, Because::EntitlementEnded);
                }
                None if come => {
                    desk = desk.seat(&key, next);
                    open.insert(key, claim(next));
                    next += 1;
                }
                _ => {}
            }
        }
        desk.commit(&store, parent).expect("commits");
        let book = store.standing(&lakes()).expect("asks").book;
        assert!(listed(&book).iter().map(|(key, claims)| (key, &claims[0])).eq(&open), "after night {parent}");
        for key in (0..12_000).step_by(977).map(key).chain(["".to_owned(), "zoe".to_owned()]) {
            let claims = store.claims_of(&lakes(), &key).expect("asks").1;
            assert_eq!(claims.first(), open.get(&key), "{key} after night {parent}");
        }
    }
}

fn people_of(desk: &Desk) -> impl Iterator<Item = &str> {
    desk.changes.iter().map(|change| desk.people.get(change.person))
}

pub fn a_plan_and_its_run_are_saved_together(harness: &impl Harness) {
    let store = harness.open();
    stage(&store, b"one");
    let plan = plan_over(b"one");
    let run = store.begin_run(&lakes(), &Trigger::Drop, Instant(1)).expect("begins");
    let mut row = store.run(run).expect("asks").expect("kept");
    (row.state, row.plan) = (RunState::Committing, Some(plan.id));
    let kept = || store.plan(&lakes(), &plan.id).expect("asks").map(|plan| plan.id);
    let lost = RunRow { run: RunId(99), ..row.clone() };
    assert!(store.save_planned(&plan, &lost).is_err(), "it was never begun");
    assert_eq!(kept(), None);
    store.save_planned(&plan, &row).expect("saves");
    assert_eq!((kept(), store.run(run).expect("asks")), (None, Some(row.clone())), "its commit is to tell it");
    let commit = |parent, plan: &Plan| {
        let Plan { id, names, people, changes, entries, .. } = plan;
        store.commit(&Batch {
            customer: &lakes(),
            parent: Version(parent),
            at: Instant(77),
            actor: Actor::system(),
            // With a commit of its own it could not fail any more.
            run: None,
            plan: Some(*id),
            verb: "sync",
            names,
            people,
            changes,
            entries,
            notices: &[],
        })
    };
    let seats: [fn() -> Desk; 3] = [|| Desk::new().seat("ann", 1), Desk::new, Desk::new];
    for (version, desk) in (0..).zip(seats) {
        desk().commit(&store, version).expect("commits");
    }
    assert_eq!(kept(), None, "another's commit");
    commit(3, &plan).expect("commits");
    Desk::new().seat("bob", 3).commit(&store, 4).expect("commits");
    let again = store.plan(&lakes(), &plan.id).expect("asks").expect("told");
    assert_eq!(raw_of(&again), raw_of(&plan));
    // What was never committed is kept as soon as somebody keeps it, and what says nothing at once.
    let next = plan_over(b"next");
    stage(&store, b"next");
    store.save_planned(&next, &row).expect("saves");
    assert!(store.plan(&lakes(), &next.id).expect("asks").is_none());
    for _ in 0..2 {
        store.save_plan(&next).expect("saves");
        assert_eq!(store.plan(&lakes(), &next.id).expect("asks").as_ref().map(raw_of), Some(raw_of(&next)));
        store.save_planned(&next, &row).expect("saves");
    }
    let idle = Plan {
        id: Digest::of(b"idle"),
        snapshots: Vec::new(),
        changes: Vec::new(),
        absences: Vec::new(),
        entries: Vec::new(),
        notices: Vec::new(),
        ..plan.clone()
    };
    store.save_planned(&idle, &row).expect("saves");
    assert_eq!(store.plan(&lakes(), &idle.id).expect("asks").as_ref().map(raw_of), Some(raw_of(&idle)));
    store.save_planned(&plan, &row).expect("saves");
    // A run that was closed is not brought back.
    store.save_run(&RunRow { state: RunState::Failed, ended: Some(Instant(2)), ..row.clone() }).expect("closes");
    let closed = store.save_planned(&plan, &row).expect_err("it is over");
    assert!(matches!(closed, StoreError::RunClosed { run: which } if which == run), "{closed}");
    assert_eq!(store.run(run).expect("asks").map(|row| row.state), Some(RunState::Failed));
}

pub fn same_day_wishes_are_counted(harness: &impl Harness) {
    let store = harness.open();
    let wish = |day, asked: &Asked| SameDayWish { asked: asked.clone(), day: Day(day), deadline: Instant(100), day_max: 3 };
    let all = Asked::by(Actor::operator("ann"));
    let narrow = Asked { source: Some("sis".into()), ..all.clone() };
    let ask = |day, asked: &Asked, at| store.ask_same_day(&lakes(), &wish(day, asked), Instant(at)).expect("asks");
    assert_eq!(store.same_day_used(&lakes(), Day(1)).expect("counts"), 0);
    store.request(&"hills".into(), &Trigger::Drop, Instant(1)).expect("asks");
    let first = ask(1, &narrow, 10);
    let place = first.place.expect("taken");
    assert_eq!((first.used, place.joined, place.position), (1, false, 2));
    // A wider wish is no part of a narrow one; a narrow one is part of a wider one.
    let wide = ask(1, &all, 11).place.expect("taken");
    assert!(!wide.joined && wide.request != place.request && wide.position == 3);
    let joins = ask(1, &Asked { source: Some("hr".into()), ..all.clone() }, 12);
    assert_eq!((joins.used, joins.place), (3, Some(RequestPlace { joined: true, ..wide })));
    // The number is used up, and a refusal leaves nothing behind.
    assert_eq!(ask(1, &all, 13), SameDayTaken { used: 3, place: None });
    assert_eq!(store.same_day_used(&lakes(), Day(1)).expect("counts"), 3);
    assert_eq!(ask(2, &all, 14).used, 1, "another date");
    assert_eq!(store.same_day_used(&"hills".into(), Day(1)).expect("counts"), 0, "another customer");
    // All are open until they are settled; the end of a request is seen by everyone who joined it.
    store.end_request(wide.request, RequestState::Done, None, Instant(50)).expect("ends");
    let open = store.same_day_open(&lakes()).expect("reads");
    let told: Vec<_> = open.iter().map(|row| (row.request, row.at, row.deadline, row.ended)).collect();
    let done = Some(Instant(50));
    assert_eq!(told[..2], [(place.request, Instant(10), Instant(100), None), (wide.request, Instant(11), Instant(100), done)]);
    assert_eq!((told[2].3, told.len()), (done, 4));
    store.settle_same_day(open[0].number).expect("settles");
    assert_eq!(store.same_day_open(&lakes()).expect("reads"), open[1..]);
}

pub fn pauses_are_kept(harness: &impl Harness) {
    let store = harness.open();
    let ann = Actor::operator("ann");
    let pause = |source: &str, from, to| Pause {
        source: source.into(),
        from: Instant(from),
        to: Instant(to),
        reason: format!("{from}"),
    };
    assert!(store.pauses(&lakes()).expect("reads").is_empty());
    assert_eq!(store.end_pauses(&lakes(), &"sis".into(), &ann, Instant(5)).expect("ends"), 0);
    for one in [pause("sis", 10, 20), pause("sis", 30, 40), pause("sis", 50, 60), pause("hr", 30, 40)] {
        store.add_pause(&lakes(), &one, &ann, Instant(1)).expect("adds");
    }
    // One is over, one is cut short, one never began; the other source's is another matter.
    assert_eq!(store.end_pauses(&lakes(), &"sis".into(), &ann, Instant(35)).expect("ends"), 2);
    assert_eq!(store.end_pauses(&lakes(), &"sis".into(), &ann, Instant(36)).expect("ends"), 0);
    let cut = Pause { to: Instant(35), ..pause("sis", 30, 40) };
    assert_eq!(store.pauses(&lakes()).expect("reads"), [pause("hr", 30, 40), pause("sis", 10, 20), cut]);
    assert!(store.pauses(&"hills".into()).expect("reads").is_empty());
}

pub fn what_is_asked_under_a_key_is_begun_once(harness: &impl Harness) {
    let (store, other) = (harness.open(), harness.open());
    let row = |token, key: &str, asked: &[u8], at| OnceRow {
        token,
        key: key.to_owned(),
        asked: Digest::of(asked),
        at: Instant(at),
        answer: None,
    };
    let first = row(1, "k", b"a", 1000);
    assert_eq!(store.begin_once(&first).expect("begun"), None);
    assert_eq!(other.begin_once(&row(1, "k", b"b", 2000)).expect("known"), Some(first.clone()), "whatever is asked now");
    assert_eq!(other.begin_once(&row(2, "k", b"a", 2000)).expect("begun"), None, "a key is its token's own");
    // One that came to nothing may be asked again.
    store.end_once(2, "k", None).expect("ended");
    assert_eq!(other.begin_once(&row(2, "k", b"b", 3000)).expect("begun"), None);
    let answer = OnceAnswer { status: 409, body: Some(b"{}".to_vec()) };
    store.end_once(1, "k", Some(&answer)).expect("ended");
    let known = OnceRow { answer: Some(answer), ..first };
    assert_eq!(other.begin_once(&row(1, "k", b"a", 1000 + ONCE_MILLIS)).expect("known"), Some(known));
    assert_eq!(other.begin_once(&row(1, "k", b"a", 1001 + ONCE_MILLIS)).expect("begun"), None, "a day is over");
    store.end_once(9, "none", None).expect("there is nothing to end");
    // One whose body is not kept is over all the same.
    let bare = OnceAnswer { status: 200, body: None };
    let second = row(2, "k", b"b", 3000);
    store.end_once(2, "k", Some(&bare)).expect("ended");
    let known = OnceRow { answer: Some(bare), ..second.clone() };
    store.drop_once(Instant(3000 + ONCE_MILLIS)).expect("dropped");
    assert_eq!(other.begin_once(&second).expect("known"), Some(known), "its day is not over");
    store.drop_once(Instant(3001 + ONCE_MILLIS)).expect("dropped");
    assert_eq!(other.begin_once(&second).expect("begun"), None);
}

pub fn looks_are_kept(harness: &impl Harness) {
    let store = harness.open();
    let look = |source: &str, cursor: Option<&str>, at| SourceLook {
        source: source.into(),
        package: Digest::of(source.as_bytes()),
        cursor: cursor.map(str::to_owned),
        full_at: Instant(at - 1),
        at: Instant(at),
    };
    assert!(store.looks(&lakes()).expect("reads").is_empty());
    for one in [look("sis", Some("rev 1"), 10), look("hr", None, 11), look("sis", Some("rev 2"), 12)] {
        store.save_look(&lakes(), &one).expect("saves");
    }
    assert_eq!(store.looks(&lakes()).expect("reads"), [look("hr", None, 11), look("sis", Some("rev 2"), 12)]);
    assert!(store.looks(&"hills".into()).expect("reads").is_empty());
}

pub fn each_request_is_taken_once(harness: &impl Harness) {
    let handles = [harness.open(), harness.open()];
    let asked: BTreeSet<_> = (0..24)
        .map(|n| handles[n % 2].request(&CustomerId::new(format!("c{n}")), &Trigger::Drop, Instant(1)).expect("asks").0)
        .collect();
    let start = Barrier::new(8);
    let taken: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|n| {
                let (store, start) = (&handles[n % 2], &start);
                scope.spawn(move || {
                    start.wait();
                    let take = || store.take_request(Instant(2)).expect("takes").map(|row| row.request);
                    std::iter::from_fn(take).collect::<Vec<_>>()
                })
            })
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("no panic")).collect()
    });
    assert_eq!(taken.len(), asked.len());
    assert_eq!(taken.into_iter().collect::<BTreeSet<_>>(), asked);
}

pub fn orphans_go_back_in_line(harness: &impl Harness) {
    let store = harness.open();
    let (first, _) = store.request(&lakes(), &Trigger::Drop, Instant(1)).expect("asks");
    store.take_request(Instant(2)).expect("takes").expect("one");
    let (second, _) = store.request(&lakes(), &Trigger::Drop, Instant(3)).expect("asks");
    harness.all_die();
    let next_daemon = harness.open();
    assert_eq!(next_daemon.requeue_orphans().expect("requeues"), 1);
    assert_eq!(next_daemon.requeue_orphans().expect("requeues"), 0);
    let mut taken = Vec::new();
    while let Some(row) = next_daemon.take_request(Instant(4)).expect("takes") {
        next_daemon.end_request(row.request, RequestState::Done, None, Instant(5)).expect("ends");
        taken.push(row.request);
    }
    assert_eq!(taken, [first, second]);
}

pub fn runs_are_kept(harness: &impl Harness) {
    let store = harness.open();
    let sis = SourceId::from("sis");
    let one = store.begin_run(&lakes(), &Trigger::Nightly(Day(3)), Instant(1)).expect("begins");
    let two = store.begin_run(&"hills".into(), &Trigger::Drop, Instant(2)).expect("begins");
    assert!(two > one);
    let mut row = store.run(one).expect("asks").expect("kept");
    assert_eq!((row.state, row.began, &row.trigger), (RunState::Fetching, Instant(1), &Trigger::Nightly(Day(3))));
    row.state = RunState::Held;
    row.ended = Some(Instant(9));
    row.packages = vec!["sis:night.zip".into()];
    row.plan = Some(Digest::of(b"plan"));
    row.version = Some(Version(4));
    row.tally = RunTally { people: 5, seated: 4, released: 3, waiting: 2, changed: 1, withheld: 6, findings: 7 };
    row.message = "the guard removal holds it".into();
    row.rejected = vec![(sis.clone(), Digest::of(b"bad")), ("hr".into(), Digest::of(b"other"))];
    store.save_run(&row).expect("saves");
    assert_eq!(store.run(one).expect("asks"), Some(row.clone()));
    assert_eq!(store.runs(None, 9).expect("asks").iter().map(|row| row.run).collect::<Vec<_>>(), [two, one]);
    assert_eq!(store.runs(None, 1).expect("asks").len(), 1);
    let before = |run| store.runs_before(None, Some(run), 9).expect("asks").iter().map(|row| row.run).collect::<Vec<_>>();
    assert_eq!((before(two), before(one), before(RunId(u64::MAX))), (vec![one], vec![], vec![two, one]));
    assert_eq!(store.runs(Some(&lakes()), 9).expect("asks"), [row.clone()]);
    assert_eq!(store.runs(Some(&"nobody".into()), 9).expect("asks"), []);
    let three = store.begin_run(&lakes(), &Trigger::Drop, Instant(3)).expect("begins");
    let mut later = store.run(three).expect("asks").expect("kept");
    later.rejected = vec![(sis.clone(), Digest::of(b"worse")), (sis.clone(), Digest::of(b"bad"))];
    store.save_run(&later).expect("saves");
    let rejected = store.rejected(&lakes(), &sis).expect("asks");
    assert_eq!(rejected.len(), 2, "each digest once");
    later.rejected = vec![(sis.clone(), Digest::of(b"worse"))];
    store.save_run(&later).expect("saves");
    assert_eq!(store.rejected(&lakes(), &sis).expect("asks"), [Digest::of(b"worse"), Digest::of(b"bad")], "newest first");
    assert_eq!(store.rejected(&"hills".into(), &sis).expect("asks"), []);
    row.run = RunId(99);
    assert!(store.save_run(&row).is_err(), "a run that was never begun");
    assert!(store.run(RunId(99)).expect("asks").is_none());
}

pub fn orphan_runs_are_closed(harness: &impl Harness) {
    let store = harness.open();
    let runs: Vec<_> = (0..4).map(|n| store.begin_run(&lakes(), &Trigger::Drop, Instant(n)).expect("begins")).collect();
    let states = [RunState::Planning, RunState::Committing, RunState::Held, RunState::Committing];
    for (&run, state) in runs.iter().zip(states) {
        let mut row = store.run(run).expect("asks").expect("kept");
        row.state = state;
        store.save_run(&row).expect("saves");
    }
    // The last one got as far as its commit.
    Desk { run: Some(runs[3]), ..Desk::new().seat("ann", 1) }.commit(&store, 0).expect("commits");
    assert_eq!(harness.open().close_orphans(Instant(50), true).expect("asks"), [], "whoever began them lives");
    harness.all_die();
    let living = store.begin_run(&lakes(), &Trigger::Drop, Instant(9)).expect("begins");
    assert_eq!(harness.open().close_orphans(Instant(50), false).expect("closes"), [runs[0], runs[1], runs[3]]);
    let state = |at: usize| {
        let row = store.run(runs[at]).expect("asks").expect("kept");
        (row.state, row.ended, row.version)
    };
    assert_eq!(state(0), (RunState::Failed, Some(Instant(50)), None));
    assert_eq!(state(1), (RunState::Failed, Some(Instant(50)), None));
    assert_eq!(state(2), (RunState::Held, None, None), "a held run waits for a decision");
    assert_eq!(state(3), (RunState::SucceededWithErrors, Some(Instant(50)), Some(Version(1))), "its commit stands");
    assert_eq!(store.close_orphans(Instant(51), false).expect("closes"), []);
    assert_eq!(store.run(living).expect("asks").expect("kept").state, RunState::Fetching);
}

/// Whoever told it to commit heard nothing of it, and ends the run as failed.
pub fn a_run_with_a_commit_did_not_fail(harness: &impl Harness) {
    let store = harness.open();
    let run = store.begin_run(&lakes(), &Trigger::Drop, Instant(1)).expect("begins");
    let end = || {
        let mut row = store.run(run).expect("asks").expect("kept");
        (row.state, row.ended, row.message) = (RunState::Failed, Some(Instant(3)), "could not reach it".to_owned());
        store.save_run(&row).expect("saves");
        store.run(run).expect("asks").expect("kept")
    };
    Desk::new().in_run(run).seat("ann", 1).commit(&store, 0).expect("commits");
    let ended = end();
    assert_eq!((ended.state, ended.version), (RunState::SucceededWithErrors, Some(Version(1))));
    assert_eq!(ended.message, "version 1 is committed and the books are whole; after that, could not reach it");
}

pub fn log_ins_are_kept(harness: &impl Harness) {
    let store = harness.open();
    let log_in = |person: &str, product: Option<&str>, at| ActivityRow {
        person: person.to_owned(),
        product: product.map(ProductId::from),
        at: Instant(at),
    };
    let put = |rows: &[ActivityRow], at| store.put_activity(&lakes(), rows, Instant(at)).expect("writes");
    let (ann, ben) = (log_in("ann", Some("learn"), 5), log_in("ben", None, 6));
    assert_eq!(put(&[log_in("ann", Some("learn"), 4), ann.clone(), log_in("ann", Some("learn"), 3), ben.clone()], 10), 2);
    assert_eq!(store.activity(&lakes()).expect("asks"), [ann.clone(), ben]);
    let later = log_in("ben", None, 7);
    assert_eq!(put(&[log_in("ann", Some("learn"), 5), later.clone()], 9), 1, "only what is newer is news");
    assert_eq!(store.activity(&lakes()).expect("asks"), [ann.clone(), later.clone()]);
    assert_eq!(store.activity_fed(&lakes()).expect("asks"), Some(Instant(10)));

    let run = store.begin_run(&lakes(), &Trigger::Drop, Instant(1)).expect("begins");
    let plan = |rows: &[ActivityRow]| store.plan_activity(&lakes(), run, rows).expect("writes");
    plan(&[ann.clone(), log_in("ann", Some("learn"), 2)]);
    assert_eq!(store.planned_activity(run).expect("asks"), std::slice::from_ref(&ann));
    plan(&[later.clone(), ann.clone()]);
    assert_eq!(store.planned_activity(run).expect("asks"), [ann, later]);
}

/// Of pools whose people are counted by years.
pub fn who_is_gone_is_kept(harness: &impl Harness) {
    let store = harness.open();
    let year = ReuseYear {
        pool: "p0".into(),
        year: Day(7),
        distinct: 3,
        allowance_max: Seats(9),
        used_max: Seats(3),
        people_max: None,
    };
    let desk = Desk { entries: vec![Entry::Reuse(year)], ..Desk::new() };
    desk.seat("ann", 1).seat("ben", 2).seat("cid", 3).commit(&store, 0).expect("commits");
    let gone = |id| Claim { state: ClaimState::Released, changed: Instant(9), ..claim(id) };
    let leave = |desk: Desk, person: &str, id| desk.change(person, Some(claim(id)), gone(id), Because::EntitlementEnded);
    leave(leave(Desk::new(), "ann", 1), "ben", 2).commit(&store, 1).expect("commits");
    let are_gone = || {
        let mut gone = store.gone(&lakes()).expect("asks");
        gone.remove(&PoolId::from("p0")).expect("it is counted").into_iter().map(String::from).collect::<Vec<_>>()
    };
    assert_eq!(are_gone(), ["ann", "ben"]);
    let back = Claim { changed: Instant(10), ..claim(1) };
    leave(Desk::new(), "cid", 3).change("ann", Some(gone(1)), back, Because::Entitled).commit(&store, 2).expect("commits");
    assert_eq!(are_gone(), ["ben", "cid"]);
}

pub fn findings_are_kept(harness: &impl Harness) {
    let store = harness.open();
    let run = store.begin_run(&lakes(), &Trigger::Drop, Instant(1)).expect("begins");
    let finding = |number| FindingRow {
        number,
        source: "sis".into(),
        level: "row".into(),
        rule: "bad_date".into(),
        file: "users.csv".into(),
        row: 40 + number,
        record: format!("u{number}"),
        field: "dateLastModified".into(),
        detail: "not a date".into(),
    };
    store.save_findings(run, &[1, 2, 9].map(finding)).expect("saves");
    // A run that reads once more has found what it found then.
    store.save_findings(run, &[1, 2, 3, 4].map(finding)).expect("saves");
    assert_eq!(store.findings(run, 0, 10).expect("asks"), [1, 2, 3, 4].map(finding));
    assert_eq!(store.findings(run, 1, 2).expect("asks"), [2, 3].map(finding));
    assert_eq!(store.findings(RunId(9), 0, 10).expect("asks"), []);
    // Those of old runs are cleared away, those of one under way never.
    let later = store.begin_run(&lakes(), &Trigger::Drop, Instant(2)).expect("begins");
    store.prune(&lakes(), 9, 0).expect("prunes");
    assert_eq!(store.findings(run, 0, 10).expect("asks").len(), 4);
    for run in [run, later] {
        let row = store.run(run).expect("asks").expect("kept");
        store.save_run(&RunRow { state: RunState::Failed, ..row }).expect("saves");
    }
    store.prune(&"hills".into(), 9, 0).expect("prunes");
    store.prune(&lakes(), 9, 2).expect("prunes");
    assert_eq!(store.findings(run, 0, 10).expect("asks").len(), 4);
    store.prune(&lakes(), 9, 1).expect("prunes");
    assert_eq!(store.findings(run, 0, 10).expect("asks"), []);
}

pub fn snapshot(content: &[u8]) -> SnapshotRow {
    SnapshotRow {
        digest: Digest::of(content),
        base: None,
        customer: lakes(),
        source: "sis".into(),
        at: Instant(100),
        bytes: content.len() as u64,
        people: 3,
        enrollments: 9,
    }
}

fn stage(store: &SharedStore, content: &[u8]) -> Digest {
    let row = snapshot(content);
    store.stage(&row, &mut content.chunks(4).map(<[u8]>::to_vec)).expect("stages");
    row.digest
}

fn chunks(store: &SharedStore, digest: &Digest) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    store
        .snapshot_chunks(digest, &mut |chunk| {
            all.push(chunk);
            Ok(())
        })
        .expect("reads");
    all
}

pub fn snapshots_are_immutable(harness: &impl Harness) {
    let store = harness.open();
    let digest = stage(&store, b"abcdefghij");
    assert_eq!(chunks(&store, &digest), [b"abcd".to_vec(), b"efgh".to_vec(), b"ij".to_vec()]);
    let again = SnapshotRow { people: 99, at: Instant(200), ..snapshot(b"abcdefghij") };
    store.stage(&again, &mut std::iter::once(b"something else".to_vec())).expect("stages");
    assert_eq!(store.snapshot(&digest).expect("asks"), Some(snapshot(b"abcdefghij")));
    assert_eq!(chunks(&store, &digest).concat(), b"abcdefghij");
    assert_eq!(store.snapshot(&Digest::of(b"none")).expect("asks"), None);
    assert!(chunks(&store, &Digest::of(b"none")).is_empty());
}

pub fn an_answer_can_be_broken_off(harness: &impl Harness) {
    let store = harness.open();
    // More than is on its way at once, and nothing that could be made smaller.
    let content: Vec<u8> = (0..60_000_u32).flat_map(|at| Digest::of(&at.to_le_bytes()).0).collect();
    let row = snapshot(&content);
    let pieces = content.chunks(20_000);
    store.stage(&row, &mut pieces.clone().map(<[u8]>::to_vec)).expect("stages");
    for taken in [0, 1, 7] {
        let mut left = taken;
        let broken_off = store.snapshot_chunks(&row.digest, &mut |_| match left {
            0 => Err(StoreError::SnapshotGone { customer: lakes(), snapshot: row.digest }),
            _ => {
                left -= 1;
                Ok(())
            }
        });
        assert!(broken_off.is_err(), "{taken}");
        assert_eq!(store.snapshot(&row.digest).expect("asks"), Some(row.clone()));
        assert!(chunks(&store, &row.digest).iter().eq(pieces.clone()), "{taken}");
    }
}

pub fn a_snapshot_keeps_what_it_stands_on(harness: &impl Harness) {
    let store = harness.open();
    let base = stage(&store, b"base");
    let upper = SnapshotRow { base: Some(base), ..snapshot(b"upper") };
    store.stage(&upper, &mut std::iter::once(b"upper".to_vec())).expect("stages");
    assert_eq!(store.snapshot(&upper.digest).expect("asks"), Some(upper.clone()));
    let mut desk = Desk::new();
    desk.entries = vec![Entry::Adopted(mark(b"upper")), Entry::Purged { person: "bob".into(), reason: None }];
    desk.commit(&store, 0).expect("commits");
    let kept = |digest: &Digest| store.snapshot(digest).expect("asks").is_some();
    assert_eq!(store.prune(&lakes(), 0, 9).expect("prunes").0, 0);
    assert_eq!(store.drop_snapshots(&lakes(), None).expect("drops"), 0);
    assert!(kept(&base), "the books rest on what stands on it");
    // Given whole it stands alone, and what it stood on can go.
    store.stage(&SnapshotRow { base: None, ..upper.clone() }, &mut std::iter::once(b"whole".to_vec())).expect("stages");
    assert_eq!(store.snapshot(&upper.digest).expect("asks").expect("kept").base, None);
    assert_eq!(chunks(&store, &upper.digest), [b"whole".to_vec()]);
    assert_eq!(store.drop_snapshots(&lakes(), None).expect("drops"), 1);
    assert_eq!([&base, &upper.digest].map(kept), [false, true]);
    // What nobody rests on goes together with what it stood on.
    let base = stage(&store, b"base");
    let loose = SnapshotRow { base: Some(base), ..snapshot(b"loose") };
    store.stage(&loose, &mut std::iter::once(b"loose".to_vec())).expect("stages");
    assert_eq!(store.prune(&lakes(), 0, 9).expect("prunes").0, 2);
    assert_eq!([&base, &loose.digest].map(kept), [false, false]);
}

fn save_trace(store: &SharedStore, customer: &CustomerId, source: &str, content: &[u8]) {
    store.save_trace(customer, &source.into(), &mut content.chunks(4).map(<[u8]>::to_vec)).expect("saves");
}

fn trace(store: &SharedStore, customer: &CustomerId, source: &str) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    let mut take = |chunk| {
        all.push(chunk);
        Ok(())
    };
    store.trace(customer, &source.into(), &mut take).expect("reads");
    all
}

pub fn traces_are_kept_by_source(harness: &impl Harness) {
    let (store, other) = (harness.open(), harness.open());
    let hills = CustomerId::from("hills");
    let told = || {
        let of = |customer: &CustomerId, source| trace(&other, customer, source).concat();
        [of(&lakes(), "sis"), of(&lakes(), "hr"), of(&hills, "sis"), of(&hills, "hr")]
    };
    assert_eq!(told(), [b"", b"", b"", b""], "nobody has one yet");
    for (customer, source, content) in
        [(lakes(), "sis", b"lakes-sis"), (hills.clone(), "sis", b"hills-sis"), (lakes(), "hr", b"lakes--hr")]
    {
        save_trace(&store, &customer, source, content);
    }
    assert_eq!(told(), [b"lakes-sis".as_slice(), b"lakes--hr", b"hills-sis", b""]);
    assert_eq!(trace(&other, &lakes(), "sis"), [b"lake".to_vec(), b"s-si".to_vec(), b"s".to_vec()]);
    // A shorter one leaves nothing of a longer one, and one without chunks nothing at all.
    save_trace(&store, &lakes(), "sis", b"short");
    assert_eq!(told(), [b"short".as_slice(), b"lakes--hr", b"hills-sis", b""]);
    save_trace(&store, &lakes(), "sis", b"");
    assert_eq!(told(), [b"".as_slice(), b"lakes--hr", b"hills-sis", b""]);
    save_trace(&store, &lakes(), "sis", b"again");
    assert_eq!(told(), [b"again".as_slice(), b"lakes--hr", b"hills-sis", b""]);
    // It is no part of the books.
    assert_eq!(store.version(&lakes()).expect("asks"), Version(0));
    assert_eq!(store.integrity().expect("checks"), [""; 0]);
}

pub fn a_trace_is_replaced_whole_or_not_at_all(harness: &impl Harness) {
    let (store, other) = (harness.open(), harness.open());
    // More than is on its way at once, and nothing that could be made smaller.
    let chunk = |name: u8, n: u32| {
        (0..600).flat_map(|at: u32| Digest::of(&[&[name], &n.to_le_bytes()[..], &at.to_le_bytes()].concat()).0).collect()
    };
    let made = |name: u8, count| (0..count).map(move |n| chunk(name, n)).collect::<Vec<Vec<u8>>>();
    let (old, new) = (made(1, 300), made(2, 200));
    let sis = SourceId::from("sis");
    store.save_trace(&lakes(), &sis, &mut old.iter().cloned()).expect("saves");
    // Whoever makes it cannot go on, at once or later.
    for broken in [0, 7] {
        let mut chunks = new.iter().take(broken).cloned().chain([Vec::new()]).chain(new.iter().cloned());
        let told = store.save_trace(&lakes(), &sis, &mut chunks).expect_err("it broke off").to_string();
        assert!(told.contains("the trace of sis"), "{told}");
        assert!(trace(&store, &lakes(), "sis") == old, "the one before stays");
    }
    // Whoever reads it does not want more.
    for taken in [0, 1, 7] {
        let mut left = taken;
        let broken_off = store.trace(&lakes(), &sis, &mut |_| match left {
            0 => Err(StoreError::SnapshotGone { customer: lakes(), snapshot: Digest::default() }),
            _ => {
                left -= 1;
                Ok(())
            }
        });
        assert!(broken_off.is_err(), "{taken}");
        assert!(trace(&store, &lakes(), "sis") == old, "{taken}");
    }
    // Until the new one is there whole, others read the old one; …
    let mut seen = 0;
    let mut watched = new.iter().cloned().enumerate().map(|(n, chunk)| {
        if n % 50 == 0 {
            assert!(trace(&other, &lakes(), "sis") == old, "{n}");
            seen += 1;
        }
        chunk
    });
    store.save_trace(&lakes(), &sis, &mut watched).expect("saves");
    assert_eq!(seen, 4);
    assert!(trace(&other, &lakes(), "sis") == new);
    // … and whoever has begun to read it goes on in it.
    let mut read = Vec::new();
    let mut take = |chunk| {
        if read.is_empty() {
            store.save_trace(&lakes(), &sis, &mut old.iter().cloned()).expect("saves");
        }
        read.push(chunk);
        Ok(())
    };
    other.trace(&lakes(), &sis, &mut take).expect("reads");
    assert!(read == new);
    assert!(trace(&other, &lakes(), "sis") == old);
}

/// Whoever is deleted for good does not live on in hashes (R130).
pub fn a_purge_takes_traces_along(harness: &impl Harness) {
    let store = harness.open();
    let hills = CustomerId::from("hills");
    for (customer, source) in [(lakes(), "sis"), (lakes(), "hr"), (hills.clone(), "sis")] {
        save_trace(&store, &customer, source, b"knows bob");
    }
    let old = stage(&store, b"old");
    let reading = store.begin_run(&lakes(), &Trigger::Drop, Instant(100)).expect("begins");
    let purge = Desk { entries: vec![Entry::Purged { person: "bob".into(), reason: None }], ..Desk::new() };
    let kept =
        || [(lakes(), "sis"), (lakes(), "hr"), (hills.clone(), "sis")].map(|(c, source)| !trace(&store, &c, source).is_empty());
    purge.commit(&store, 7).expect_err("it rests on nothing");
    Desk::new().seat("ann", 1).commit(&store, 0).expect("commits");
    assert_eq!(kept(), [true; 3], "nobody was purged");
    purge.commit(&store, 1).expect("commits");
    assert_eq!(kept(), [false, false, true]);
    // What a run under way has read before the purge is not kept, nor looked at.
    store.save_trace(&lakes(), &"sis".into(), &mut std::iter::from_fn(|| panic!("nobody wants it"))).expect("saves nothing");
    store.drop_snapshots(&lakes(), None).expect("drops");
    assert!(store.names_purged(&lakes()).expect("asks") && store.snapshot(&old).expect("asks").is_some());
    save_trace(&store, &lakes(), "sis", b"knows bob");
    save_trace(&store, &hills, "sis", b"another");
    assert_eq!(kept(), [false, false, true]);
    // Once nothing names them any more, there are traces again.
    store.drop_snapshots(&lakes(), Some(reading)).expect("drops");
    assert!(!store.names_purged(&lakes()).expect("asks"));
    save_trace(&store, &lakes(), "sis", b"knows ann");
    assert_eq!(kept(), [true, false, true]);
}

fn plan_over(content: &[u8]) -> Plan {
    let mut people = TextArena::default();
    let (ann, zoe) = (people.push("ann").expect("room"), people.push("zoe").expect("room"));
    let gone = Claim { state: ClaimState::Released, ..claim(1) };
    Plan {
        id: Digest::of(&[b"plan over ", content].concat()),
        customer: lakes(),
        parent: Version(3),
        at: Instant(77),
        snapshots: vec![mark(content)],
        names: Desk::new().names,
        people,
        changes: vec![
            ClaimChange { person: ann, because: Because::EntitlementEnded, before: Some(Box::new(claim(1))), after: gone },
            ClaimChange { person: ann, because: Because::Entitled, before: None, after: claim(2) },
        ],
        withheld: vec![Withheld { person: zoe, product: Some(1), pool: Some(PoolIx(2)), because: Because::PoolFull }],
        absences: vec![AbsenceChange::Returned(PersonKey::from("bob"))],
        pools: vec![PoolOutlook {
            pool: "p0".into(),
            product: ProductId::from("learn"),
            allowance_before: Allowance { seats: None, agreed: Seats(0) },
            allowance: Allowance { seats: Some(Seats(3)), agreed: Seats(1) },
            before: StateCounts::default(),
            after: StateCounts::default(),
            balance_before: None,
            balance: Some(Balance(-1)),
            balance_if_approved: Some(Balance(2)),
            band_before: Band::Within,
            band: Band::Major,
            causes: Causes::from([(Cause::StaleAllowance, 1)]),
            released: Seats(1),
            seated: Seats(1),
        }],
        entries: vec![Entry::Adopted(mark(content))],
        notices: vec![notice("hold:1")],
        verdict: Verdict::default(),
    }
}

/// What a plan says, wherever its texts lie.
fn raw_of(plan: &Plan) -> impl PartialEq + std::fmt::Debug + use<> {
    let Plan { people, changes, withheld, .. } = plan;
    let changes: Vec<_> =
        changes.iter().map(|c| (people.get(c.person).to_owned(), c.because, c.before.clone(), c.after)).collect();
    let withheld: Vec<_> = withheld.iter().map(|w| (people.get(w.person).to_owned(), w.product, w.pool, w.because)).collect();
    let rest = Plan { people: TextArena::default(), changes: Vec::new(), withheld: Vec::new(), ..plan.clone() };
    (changes, withheld, format!("{rest:?}"))
}

pub fn plans_round_trip(harness: &impl Harness) {
    let store = harness.open();
    let plan = plan_over(b"one");
    store.save_plan(&plan).expect("saves");
    // A second one of the same name changes nothing.
    store.save_plan(&Plan { at: Instant(78), ..plan.clone() }).expect("saves");
    let again = harness.open().plan(&lakes(), &plan.id).expect("asks").expect("kept");
    assert_eq!(raw_of(&again), raw_of(&plan));
    assert!(store.plan(&"hills".into(), &plan.id).expect("asks").is_none(), "another customer has no part in it");
    assert!(store.plan(&lakes(), &Digest::of(b"none")).expect("asks").is_none());
}

pub fn snapshots_in_use_are_not_pruned(harness: &impl Harness) {
    let store = harness.open();
    let names: [&[u8]; 5] = [b"books", b"held", b"old", b"newest", b"loose"];
    let [books, held, old, newest, loose] = names.map(|content| stage(&store, content));
    let mut desk = Desk::new();
    desk.entries = vec![Entry::Adopted(mark(b"books"))];
    desk.commit(&store, 0).expect("commits");
    let contents: [(&[u8], RunState); 3] =
        [(b"held", RunState::Held), (b"old", RunState::Succeeded), (b"newest", RunState::Succeeded)];
    for (content, state) in contents {
        let run = store.begin_run(&lakes(), &Trigger::Drop, Instant(1)).expect("begins");
        let plan = plan_over(content);
        store.save_plan(&plan).expect("saves");
        let mut row = store.run(run).expect("asks").expect("kept");
        (row.plan, row.state) = (Some(plan.id), state);
        store.save_run(&row).expect("saves");
    }
    let hold = |state, used| Hold {
        run: RunId(1),
        plan: plan_over(b"held").id,
        opened: Instant(1),
        deadline: Instant(9),
        trips: Vec::new(),
        removals: Vec::new(),
        additions: Vec::new(),
        packages: Vec::new(),
        empty: false,
        state,
        by: None,
        at: None,
        exceptions: Vec::new(),
        used,
        told: Day(0),
    };
    desk.entries = vec![Entry::Hold(hold(HoldState::Open, None))];
    desk.commit(&store, 1).expect("commits");
    let kept = |digest: &Digest| store.snapshot(digest).expect("asks").is_some();
    // A run under way may be about to rest on what was staged since it began.
    let under_way = store.begin_run(&lakes(), &Trigger::Drop, Instant(100)).expect("begins");
    assert_eq!(store.prune(&lakes(), 3, 9).expect("prunes").0, 0);
    let mut row = store.run(under_way).expect("asks").expect("kept");
    row.state = RunState::Failed;
    store.save_run(&row).expect("saves");
    assert_eq!(store.prune(&"hills".into(), 0, 9).expect("prunes").0, 0, "not of another customer");
    // The newest two runs are the failed one and `newest`.
    assert_eq!(store.prune(&lakes(), 2, 9).expect("prunes").0, 2);
    assert_eq!([&books, &held, &old, &newest, &loose].map(kept), [true, true, false, true, false]);
    assert!(chunks(&store, &old).is_empty());
    assert_eq!(chunks(&store, &books).concat(), b"books");
    // Plans go by a count of their own; a held run keeps its plan.
    let plan_of = |content: &[u8]| store.plan(&lakes(), &plan_over(content).id).expect("asks").is_some();
    assert_eq!([plan_of(b"held"), plan_of(b"old"), plan_of(b"newest")], [true; 3]);
    assert_eq!(store.prune(&lakes(), 9, 2).expect("prunes").1, 1);
    assert_eq!([plan_of(b"held"), plan_of(b"old"), plan_of(b"newest")], [true, false, true]);
    // As long as it waits for a decision, or for the run that does what was approved.
    desk.entries = vec![Entry::Hold(hold(HoldState::Approved, None))];
    desk.commit(&store, 2).expect("commits");
    assert_eq!(store.prune(&lakes(), 2, 2).expect("prunes"), (0, 0));
    desk.entries = vec![Entry::Hold(hold(HoldState::Approved, Some(RunId(3))))];
    desk.commit(&store, 3).expect("commits");
    assert_eq!(store.prune(&lakes(), 2, 2).expect("prunes"), (1, 1));
    assert_eq!((kept(&held), plan_of(b"held")), (false, false));
    let held = stage(&store, b"held");
    // To forget somebody everything goes but the books' own, and what a run under way has read.
    let reading = store.begin_run(&lakes(), &Trigger::Drop, Instant(100)).expect("begins");
    assert_eq!(store.drop_snapshots(&lakes(), Some(reading)).expect("drops"), 0, "nobody is to be forgotten");
    desk.entries = vec![Entry::Purged { person: "bob".into(), reason: None }];
    desk.commit(&store, 4).expect("commits");
    assert_eq!(store.drop_snapshots(&lakes(), None).expect("drops"), 0);
    assert_eq!(store.drop_snapshots(&"hills".into(), Some(reading)).expect("drops"), 0);
    assert_eq!(store.drop_snapshots(&lakes(), Some(reading)).expect("drops"), 2);
    assert_eq!([&books, &held, &newest].map(kept), [true, false, false]);
    assert_eq!(store.integrity().expect("checks"), [""; 0]);
}

/// What a run under way has read names them until it is over, and goes as soon as somebody asks again.
pub fn purged_people_are_named_until_runs_end(harness: &impl Harness) {
    let store = harness.open();
    let old = stage(&store, b"old");
    assert!(!store.names_purged(&lakes()).expect("asks"));
    let reading = store.begin_run(&lakes(), &Trigger::Drop, Instant(100)).expect("begins");
    let purge = |version| {
        let desk = Desk { entries: vec![Entry::Purged { person: "bob".into(), reason: None }], ..Desk::new() };
        desk.commit(&store, version).expect("commits")
    };
    purge(0);
    let kept = |digest: &Digest| store.snapshot(digest).expect("asks").is_some();
    let drops = |dropped, left| {
        assert_eq!(store.drop_snapshots(&lakes(), None).expect("drops"), dropped);
        assert_eq!(store.names_purged(&lakes()).expect("asks"), left);
    };
    drops(0, true);
    // What it stages only now may name them too.
    let late = stage(&store, b"late");
    harness.all_die();
    assert_eq!(store.close_orphans(Instant(50), false).expect("closes"), [reading]);
    let ended = store.run(reading).expect("asks").expect("kept").ended;
    assert_eq!(ended, Some(Instant(100)), "nothing ends before it begins");
    let fresh = SnapshotRow { at: Instant(5000), ..snapshot(b"fresh") };
    store.stage(&fresh, &mut std::iter::once(b"fresh".to_vec())).expect("stages");
    drops(2, false);
    assert_eq!([old, late, fresh.digest].map(|digest| kept(&digest)), [false, false, true]);
    // Whoever is purged by a run that is under way itself is named by nothing but what others read.
    purge(1);
    assert!(store.names_purged(&lakes()).expect("asks") && !store.names_purged(&"hills".into()).expect("asks"));
    let own = store.begin_run(&lakes(), &Trigger::Drop, Instant(100)).expect("begins");
    assert_eq!(store.drop_snapshots(&lakes(), Some(own)).expect("drops"), 1);
    assert!(!store.names_purged(&lakes()).expect("asks"));
}

pub fn books_rest_on_what_is_kept(harness: &impl Harness) {
    let store = harness.open();
    let adopts = |content| Desk { entries: vec![Entry::Adopted(mark(content))], ..Desk::new() };
    let gone = adopts(b"gone").seat("ann", 1).commit(&store, 0).expect_err("it was never staged");
    assert!(matches!(gone, StoreError::SnapshotGone { snapshot, .. } if snapshot == Digest::of(b"gone")), "{gone}");
    assert_eq!(store.version(&lakes()).expect("asks"), Version(0));
    stage(&store, b"gone");
    adopts(b"gone").commit(&store, 0).expect("commits");
    // Two customers with equal rosters share a snapshot, and neither drops it while the other's books rest on it.
    let (hills, both) = (CustomerId::from("hills"), stage(&store, b"gone"));
    adopts(b"gone").commit_as(store.as_ref(), &hills, Version(0)).expect("commits");
    let plan = Plan { customer: hills.clone(), ..plan_over(b"gone") };
    store.save_plan(&plan).expect("saves");
    let run = store.begin_run(&hills, &Trigger::Drop, Instant(1)).expect("begins");
    let row = store.run(run).expect("asks").expect("kept");
    store.save_run(&RunRow { plan: Some(plan.id), state: RunState::Succeeded, ..row }).expect("saves");
    stage(&store, b"next");
    adopts(b"next").commit(&store, 1).expect("commits");
    let kept = || store.snapshot(&both).expect("asks").is_some();
    assert_eq!(store.prune(&lakes(), 0, 0).expect("prunes").0, 0);
    // Nor does a plan of the one keep alive what it must forget.
    let purge = Desk {
        entries: vec![Entry::Adopted(mark(b"next")), Entry::Purged { person: "bob".into(), reason: None }],
        ..Desk::new()
    };
    purge.commit_as(store.as_ref(), &hills, Version(1)).expect("commits");
    store.drop_snapshots(&hills, None).expect("drops");
    assert!(kept(), "it is the other's");
    assert_eq!(store.prune(&lakes(), 0, 0).expect("prunes").0, 1);
    assert!(!kept());
    assert_eq!(store.integrity().expect("checks"), [""; 0]);
}

pub fn released_claims_come_back(harness: &impl Harness) {
    let store = harness.open();
    Desk::new().seat("ann", 1).commit(&store, 0).expect("commits");
    let gone = Claim { state: ClaimState::Released, changed: Instant(9), ..claim(1) };
    Desk::new().change("ann", Some(claim(1)), gone, Because::AbsenceConfirmed).commit(&store, 1).expect("commits");
    assert_eq!(store.used_by_org(&lakes()).expect("asks"), []);
    // The same claim again (R130): told as it was when it was released.
    let back = Claim { changed: Instant(12), ..claim(1) };
    let wrong =
        Desk::new().change("ann", Some(Claim { changed: Instant(8), ..gone }), back, Because::Entitled).commit(&store, 2);
    assert!(matches!(wrong, Err(StoreError::Corrupt { .. })), "{wrong:?}");
    Desk::new().change("ann", Some(gone), back, Because::Entitled).commit(&store, 2).expect("commits");
    assert_eq!(store.claims_of(&lakes(), "ann").expect("asks").1, [back]);
    assert_eq!(store.used_by_org(&lakes()).expect("asks"), [("p0".into(), "north".into(), 1)]);
    assert_eq!(store.released(&lakes(), None).expect("asks").len(), 1, "history stays");
    let of = |people: &[&str]| store.released_of(&lakes(), people).expect("asks");
    assert_eq!(of(&["bob", "ann", "zoe"]), store.released(&lakes(), Some("ann")).expect("asks"));
    assert_eq!((of(&["bob"]), of(&[])), (Vec::new(), Vec::new()));
    // A transfer (R37): released and seated in one commit, in the order of the batch.
    let bob = Claim { id: ClaimId(2), ..claim(2) };
    let gone = Claim { state: ClaimState::Released, ..back };
    let transfer =
        Desk::new().change("bob", None, bob, Because::Transferred).change("ann", Some(back), gone, Because::Transferred);
    transfer.commit(&store, 3).expect("commits");
    assert_eq!(listed(&store.standing(&lakes()).expect("asks").book), [("bob".to_owned(), vec![bob])]);
    assert_eq!(store.used_by_org(&lakes()).expect("asks"), [("p0".into(), "north".into(), 1)]);
}
