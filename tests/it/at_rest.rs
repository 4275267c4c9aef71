//! People of whom nothing is to be said are passed over: a plan made so and one for which everybody was visited are the
//! same, whatever the settings are, whatever the books hold and however many people are alike.

use std::collections::{BTreeMap, BTreeSet};

use proptest::collection::vec;
use proptest::prelude::{ProptestConfig, any, proptest};
use rosterd::base::{
    Actor, Day, Digest, GrantId, Instant, OrgId, PersonKey, PoolId, ProductId, RuleId, Seats, SourceId, Version,
};
use rosterd::license::{
    Audience, Because, Channel, ClaimState, Clauses, Ledger, OnFull, OrgNameIx, OverageLimits, Pin, PinKind, Pool, PoolIx,
    Product, ProductKind, ReasonsIx, SeatModel, SourceMark, Term, Wait,
};
use rosterd::plan::{
    Flaw, Holding, Needs, Plan, PlanInput, Policy, Predicate, Rule, Standing, Verdict, plan_checked, standing_of,
};
use rosterd::roster::{
    Collection, Finding, IntakePolicy, Level, Mode, OrgRow, PersonRow, RoleRow, Roster, RosterDelta, RosterIntake, RowAt,
    RowHead, RowStatus, diff,
};

use crate::world::{World, day, grant};

/// Draws from what proptest made up; zeros when that is used up.
struct Dice(std::vec::IntoIter<u8>);

impl Dice {
    fn pick(&mut self, sides: usize) -> usize {
        usize::from(self.0.next().unwrap_or(0)) % sides
    }

    /// Once in so many times.
    fn hits(&mut self, times: usize) -> bool {
        self.pick(times) == times - 1
    }

    fn one<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.pick(of.len())].clone()
    }
}

const ORGS: [&str; 3] = ["d", "a", "b"];
const ROLES: [&str; 2] = ["student", "teacher"];
const NOW: Instant = Instant(1_772_442_000_000);
const DAY_MILLIS: i64 = 86_400_000;

/// Somebody as the source has them.
#[derive(Clone, Copy, Default)]
struct Row {
    role: usize,
    org: usize,
    locked: bool,
    ended: bool,
    broken: bool,
}

fn roster(people: &BTreeMap<String, Row>, before: Option<Roster>) -> Roster {
    fn head<'i>(file: &'static str, id: &'i str, ended: bool) -> RowHead<'i> {
        let status = if ended { RowStatus::Ended } else { RowStatus::Active };
        RowHead { at: RowAt { file, row: 2 }, id, status, modified: None }
    }
    let mut intake = RosterIntake::new(before, IntakePolicy { lenient: false, courses_optional: true });
    for collection in Collection::ALL {
        intake.begin(collection, Mode::Full);
        match collection {
            Collection::Orgs => {
                for (at, id) in ORGS.into_iter().enumerate() {
                    let (kind, parent) = if at == 0 { ("district", None) } else { ("school", Some("d")) };
                    intake.org(&OrgRow { head: head("orgs.csv", id, false), name: id, kind, identifier: "", parent });
                }
            }
            Collection::People => {
                for (key, row) in people {
                    intake.person(&PersonRow {
                        head: head("users.csv", key, row.ended),
                        enabled: !row.locked,
                        given: key,
                        family: "Test",
                        email: "",
                        username: key,
                        identifier: "",
                        grades: "",
                        primary_org: None,
                        roles: &[],
                        attributes: &[],
                    });
                }
            }
            Collection::Roles => {
                for (key, row) in people {
                    let id = format!("r-{key}");
                    let role = RoleRow {
                        head: head("roles.csv", &id, false),
                        person: key,
                        role: ROLES[row.role],
                        org: ORGS[row.org],
                        primary: true,
                        first: Day::MIN,
                        last: Day::MAX,
                    };
                    if row.broken {
                        let finding = Finding {
                            level: Level::Row,
                            rule: "bad_date",
                            file: "roles.csv".into(),
                            row: 2,
                            record: id.clone(),
                            field: "beginDate".into(),
                            detail: "no date".into(),
                        };
                        intake.quarantine(collection, RowAt { file: "roles.csv", row: 2 }, Some(&id), Some(key), finding);
                    } else {
                        intake.role(&role);
                    }
                }
            }
            Collection::Sessions | Collection::Courses | Collection::Classes | Collection::Enrollments => {}
        }
    }
    intake.finish().roster
}

fn pool(policy: &Policy, id: &str, product: &str, owner: &str) -> Pool {
    Pool {
        id: PoolId::from(id),
        product: ProductId::from(product),
        owner: OrgId::from(owner),
        audience: Audience::Any,
        unlimited: false,
        on_full: OnFull::Wait,
        overage: OverageLimits::CONTRACT,
        clauses: Clauses::CONTRACT,
        reservations: Vec::new(),
        calendar: policy.calendar.clone(),
        anchor: None,
        renewal: Default::default(),
        reuse: Default::default(),
    }
}

fn product(id: &str) -> Product {
    Product {
        id: ProductId::from(id),
        kind: ProductKind::Access,
        seat_model: SeatModel::Role,
        requires: None,
        auto_assign: false,
        needs_acceptance: false,
        activated_for: Vec::new(),
        bundle_of: Vec::new(),
    }
}

/// Three products and perhaps a bundle, each with a pool of the district and perhaps one of a school.
fn settings(dice: &mut Dice) -> Policy {
    let mut policy = World::new("town").policy;
    let names = ["p0", "p1", "p2", "all"];
    for (at, id) in names.iter().enumerate().take(3 + dice.pick(2)) {
        policy.products.push(Product {
            seat_model: dice.one(&[SeatModel::Role, SeatModel::Named]),
            requires: (at == 1 && dice.hits(2)).then(|| ProductId::from("p0")),
            auto_assign: dice.hits(6),
            needs_acceptance: dice.hits(4),
            activated_for: if dice.hits(8) { vec![OrgId::from("a")] } else { Vec::new() },
            bundle_of: if at == 3 { vec![ProductId::from("p1"), ProductId::from("p2")] } else { Vec::new() },
            ..product(id)
        });
        for owner in ["a", "d"] {
            if owner == "d" || dice.hits(2) {
                let reserved = owner == "d" && dice.hits(3);
                policy.pools.push(Pool {
                    audience: if dice.hits(6) { Audience::Student } else { Audience::Any },
                    unlimited: dice.hits(3),
                    on_full: dice.one(&[OnFull::Wait, OnFull::Overdraw]),
                    reservations: if reserved { vec![(OrgId::from("b"), Seats(3))] } else { Vec::new() },
                    ..pool(&policy, &format!("{id}-{owner}"), id, owner)
                });
            }
        }
    }
    policy.pending_expire_days = 3 * u32::from(dice.hits(2));
    policy.rules = rules(dice, &policy);
    policy
}

fn rules(dice: &mut Dice, policy: &Policy) -> Vec<Rule> {
    let rule = |at: usize| {
        let role = |at: usize| Predicate::Role(vec![ROLES[at].to_owned()]);
        let when = [Predicate::Everyone, role(0), role(1), Predicate::Org(vec![OrgId::from("a")])];
        let product = policy.products[at % 3].id.clone();
        Rule { id: RuleId::from(format!("r{at}").as_str()), product, priority: dice.pick(2) as i32, when: dice.one(&when) }
    };
    (0..5).map(rule).collect()
}

fn people(dice: &mut Dice) -> BTreeMap<String, Row> {
    let row = |at: usize| {
        let row = Row { role: dice.pick(2), org: dice.pick(2) + dice.pick(2), ..Row::default() };
        let row = Row { locked: dice.hits(12), ended: dice.hits(16), broken: dice.hits(12), ..row };
        (format!("k{at:02}"), row)
    };
    (0..40).map(row).collect()
}

struct Night<'a> {
    policy: &'a Policy,
    standing: Standing,
    before: &'a Roster,
    after: &'a Roster,
    holding: Holding,
    by_hand: Vec<PersonKey>,
}

impl Night<'_> {
    /// The plan, made with and without a look at everybody.
    fn plan(&self) -> (Plan, Vec<Flaw>) {
        let delta: RosterDelta = diff(self.before, self.after);
        let mark = |number: u64| SourceMark {
            source: SourceId::from("sis"),
            package: Digest::of(&number.to_be_bytes()),
            bytes: 7,
            snapshot: Digest::default(),
            at: NOW,
            name: "n".into(),
            amended: false,
        };
        let new = if self.standing.version == Version(0) { self.standing.grants.clone() } else { Vec::new() };
        let input = PlanInput {
            now: NOW,
            today: self.policy.calendar.day_of(NOW),
            policy: self.policy,
            standing: &self.standing,
            roster: self.after,
            before: self.before,
            delta: &delta,
            fresh: &[mark(self.standing.version.0)],
            amended: &[],
            repeated: &[],
            remade: &[],
            former: &BTreeMap::new(),
            verdict: &Verdict::default(),
            held: &[],
            confirmed: &[],
            partial: &[],
            gone: &[],
            owners: &BTreeMap::new(),
            by_hand: &self.by_hand,
            new_grants: &new,
            new_agreed: &[],
            new_terms: &[],
            episodes: &[],
            conflicts: &[],
            holding: &self.holding,
        };
        let needs = Needs::new(self.policy, self.after, input.today).expect("its orgs are known");
        let made = plan_checked(&input, Some(&needs)).expect("a plan");
        let long = plan_checked(&input, Some(&needs.apart())).expect("a plan");
        assert_eq!(format!("{made:?}"), format!("{long:?}"));
        made
    }
}

/// Books after a first night.
fn first_night(policy: &Policy, grants: Vec<rosterd::license::Grant>, roster: &Roster) -> (Ledger, Plan) {
    let mut ledger = Ledger::default();
    let standing = Standing { grants, ..standing_of(&ledger) };
    let (holding, by_hand) = (Holding::default(), Vec::new());
    let (plan, flaws) = Night { policy, standing, before: &Roster::default(), after: roster, holding, by_hand }.plan();
    assert_eq!(flaws, []);
    ledger.apply(Version(1), NOW, &plan.names, &plan.people, &plan.changes, &plan.entries).expect("it adds up");
    (ledger, plan)
}

/// Something of somebody's claims becomes otherwise: nobody but a flaw or a hand would do so, and the plan says the same.
fn disturb(standing: &mut Standing, dice: &mut Dice) {
    let count = standing.book.claims.len();
    if count == 0 {
        return;
    }
    let at = dice.pick(count);
    let names = &standing.book.names;
    let (pools, orgs, reasons) = (names.pools.len(), names.orgs.len(), names.reasons.len());
    let claim = &mut standing.book.claims[at];
    match dice.pick(9) {
        0 => claim.since.0 -= DAY_MILLIS * dice.pick(9) as i64,
        1 => claim.changed.0 -= DAY_MILLIS * dice.pick(9) as i64,
        2 => claim.home = OrgNameIx(dice.pick(orgs) as u32),
        3 => claim.reasons = ReasonsIx(dice.pick(reasons) as u32),
        4 => claim.priority = dice.pick(2) as i32,
        5 => claim.pool = PoolIx(dice.pick(pools) as u16),
        6 => claim.state = dice.one(&ClaimState::ALL[..5]),
        7 => claim.channel = dice.one(&[Channel::Manual, Channel::Sync]),
        _ => claim.wait = dice.one(&[Wait::Nothing, Wait::Seat, Wait::Access, Wait::Acceptance]),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn a_plan_is_the_same_whoever_is_passed_over(genes in vec(any::<u8>(), 600)) {
        let dice = &mut Dice(genes.into_iter());
        let policy = settings(dice);
        let seats = [3, 40, 40];
        let grants = policy.pools.iter().filter(|pool| !pool.unlimited);
        let grants = grants.map(|pool| {
            grant(pool.id.as_str(), pool.id.as_str(), dice.one(&seats), Instant::MIN, Instant::MAX)
        }).collect();
        let rows = people(dice);
        let before = roster(&rows, None);
        let (ledger, _) = first_night(&policy, grants, &before);

        // Most of it stays as it was: some people, some claims, perhaps the rules and a term.
        let mut after = rows.clone();
        for _ in 0..dice.pick(4) {
            let key = format!("k{:02}", dice.pick(40));
            if dice.hits(3) {
                after.remove(&key);
            } else {
                after.insert(key, Row { role: dice.pick(2), org: dice.pick(3), ..Row::default() });
            }
        }
        let after = roster(&after, Some(before.clone()));
        let mut standing = standing_of(&ledger);
        for _ in 0..dice.pick(12) {
            disturb(&mut standing, dice);
        }
        let mut policy = policy.clone();
        if dice.hits(3) {
            policy.rules = rules(dice, &policy);
        }
        if dice.hits(8) {
            policy.pools.remove(0);
        }
        let keys = |dice: &mut Dice| -> Vec<PersonKey> {
            let keys: BTreeSet<String> = (0..dice.pick(4)).map(|_| format!("k{:02}", dice.pick(40))).collect();
            keys.iter().map(|key| PersonKey::from(key.as_str())).collect()
        };
        let term_to = dice.one(&[Instant::MAX, Instant::MAX, Instant(NOW.0 - 99 * DAY_MILLIS), Instant(NOW.0 - DAY_MILLIS)]);
        if term_to != Instant::MAX {
            let pool = dice.one(&policy.pools).id;
            standing.chain.push(Term {
                id: GrantId::from("term"),
                pool,
                from: Instant(NOW.0 - 400 * DAY_MILLIS),
                to: term_to,
                seats: Some(Seats(40)),
                recorded: Instant::default(),
                by: Actor::system(),
                reference: "PO".into(),
            });
        }
        for person in keys(dice) {
            standing.pins.push(Pin {
                person,
                pool: dice.one(&policy.pools).id,
                kind: dice.one(&[PinKind::Assign, PinKind::Deny]),
                by: Actor::operator("test"),
                at: NOW,
                reason: "because".into(),
                until: Day::MAX,
            });
        }
        let by_hand = keys(dice);
        let holding = Holding { withheld: keys(dice), ..Holding::default() };
        Night { policy: &policy, standing, before: &before, after: &after, holding, by_hand }.plan();
    }
}

/// So many that they are looked at in parts.
#[test]
fn of_many_people_those_are_met_who_changed() {
    let mut policy = World::new("town").policy;
    policy.absence_confirmations = 1;
    policy.products = vec![product("p0"), product("p1")];
    policy.pools = vec![pool(&policy, "p0-d", "p0", "d"), pool(&policy, "p1-a", "p1", "a")];
    policy.rules = ["p0", "p1"]
        .map(|product| Rule {
            id: RuleId::from(product),
            product: ProductId::from(product),
            priority: 0,
            when: Predicate::Role(vec!["teacher".into()]),
        })
        .into();
    let grants = ["p0-d", "p1-a"].map(|pool| grant(pool, pool, 100_000, Instant::MIN, Instant::MAX)).into();
    let key = |at: usize| format!("k{at:05}");
    let row = |at: usize| Row { role: (at % 3).min(1), org: at % 2, ..Row::default() };
    let mut rows: BTreeMap<String, Row> = (0..40_000).map(|at| (key(at), row(at))).collect();
    let before = roster(&rows, None);
    let (ledger, first) = first_night(&policy, grants, &before);
    assert_eq!(
        first.changes.len(),
        (0..40_000).filter(|at| !usize::is_multiple_of(*at, 3)).map(|at| 1 + at % 2).sum::<usize>()
    );

    // Somebody leaves, arrives, stops and starts teaching everywhere, also where one part ends and the next one begins.
    let mut expected = BTreeSet::new();
    for at in (0..40_000).step_by(997).chain(19_990..20_010) {
        match at % 4 {
            0 => drop(rows.remove(&key(at))),
            1 => drop(rows.insert(format!("{}x", key(at)), Row { role: 1, org: 0, ..Row::default() })),
            _ => rows.get_mut(&key(at)).expect("there").role ^= 1,
        }
        match at % 4 {
            0 if at.is_multiple_of(3) => {}
            1 => drop(expected.insert(format!("{}x", key(at)))),
            _ => drop(expected.insert(key(at))),
        }
    }
    let after = roster(&rows, Some(before.clone()));
    let (holding, by_hand, standing) = (Holding::default(), Vec::new(), standing_of(&ledger));
    let (plan, flaws) = Night { policy: &policy, standing, before: &before, after: &after, holding, by_hand }.plan();
    assert_eq!(flaws, []);
    let changed: BTreeSet<String> = plan.changes.iter().map(|change| plan.people.get(change.person).to_owned()).collect();
    assert_eq!(changed, expected);
    assert!(plan.changes.iter().any(|change| change.because == Because::AbsenceConfirmed));
    assert_eq!(policy.calendar.day_of(NOW), day("2026-03-02"));
}
