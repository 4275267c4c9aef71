//! Random histories of a small customer, played twice: by the planner (in memory, or through files, service and store),
//! and by the naive model. After every step both must say the same; the invariants of the domain rules §20 hold anyway.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::{Just, ProptestConfig, Strategy, any, proptest};
use proptest::{collection::vec, option, prop_oneof};
use rosterd::base::{
    Actor, Balance, Day, Digest, GrantId, Instant, OrgId, PersonKey, PoolId, ProductId, RuleId, Seats, SourceId, Text,
    TextArena, Version,
};
use rosterd::license::{
    AgreedExcess, Audience, Because, Book, BookPerson, ClaimChange, ClaimState, Clauses, Entry, Grant, Hold, Ledger, Names,
    OnFull, OverageLimits, Pin, PinKind, Pool, Product, ProductKind, SeatModel, SourceMark, Wait, queue_order,
};
use rosterd::plan::{
    Answer, Case, ClassFilter, Decision, Desk, GuardLimits, Judgment, Needs, Plan, PlanInput, Policy, Predicate, Rule,
    Standing, check, decide, judge, plan, plan_checked, render, standing_of,
};
use rosterd::roster::{
    ClassRow, Collection, CourseRow, EnrollmentRow, Finding, Intake, IntakePolicy, Level, Mode, OrgRow, PersonRow, RoleRow,
    Roster, RosterDelta, RosterIntake, RowAt, RowHead, RowStatus, SessionRow, diff, digest_of, hold_conflicts, lean,
    without_people,
};
use rosterd::service::Verified;
use rosterd::store::RunState;

use crate::model::{Dated, Model, Night, Said, consumes};
use crate::world::{Enrolled, Person, World, day, grant};

// ---- what is random ----

#[derive(Clone, Debug)]
struct ProductGene {
    model: u8,
    needs_acceptance: bool,
    auto_assign: bool,
    requires_first: bool,
    activated: Option<u8>,
}

#[derive(Clone, Debug)]
struct PoolGene {
    product: u8,
    owner: u8,
    seats: Option<u8>,
    on_full: u8,
    reservations: [u8; 3],
    audience: u8,
}

#[derive(Clone, Debug)]
struct RuleGene {
    product: u8,
    kind: u8,
    priority: i8,
}

#[derive(Clone, Debug)]
struct PersonGene {
    role: u8,
    org: u8,
    second: Option<(u8, u8)>,
    primary: bool,
    enrollment: Option<(u8, u8)>,
}

#[derive(Clone, Debug)]
struct Setup {
    schools: u8,
    products: Vec<ProductGene>,
    pools: Vec<PoolGene>,
    rules: Vec<RuleGene>,
    people: Vec<PersonGene>,
    tight: u8,
    confirmations: u8,
    strict: bool,
}

#[derive(Clone, Debug)]
enum Change {
    Join(u8, PersonGene),
    End(u8),
    Vanish(u8),
    Move(u8, PersonGene),
    Lock(u8),
    Break(u8),
    Mend,
    Enroll(u8, u8, u8),
    Leave(u8),
    NewKey(u8),
}

#[derive(Clone, Debug)]
enum Step {
    Night(Vec<Change>),
    Quiet(u8),
    Assign(u8, u8, bool),
    Deny(u8, u8),
    Unpin(u8, u8),
    Transfer(u8, u8, u8),
    Accept(u8, u8),
    Grant(u8, i8, u8),
    Agree(u8, u8, u8),
}

const ROLES: [&str; 3] = ["student", "teacher", "principal"];
const ORGS: [&str; 4] = ["d", "a", "b", "c"];
const CLASSES: [(&str, &str, &str); 4] = [("ca", "a", "math"), ("cb", "b", "art"), ("ca2", "a", "art"), ("cc", "c", "math")];
const SPANS: [(Option<&str>, Option<&str>); 6] = [
    (None, None),
    (Some("2026-03-04"), None),
    (None, Some("2026-03-03")),
    (Some("2026-03-03"), Some("2026-03-05")),
    (None, Some("2026-03-06")),
    (Some("2026-02-01"), Some("2026-03-04")),
];

fn person_gene() -> impl Strategy<Value = PersonGene> {
    let second = option::weighted(0.2, (0u8..3, 0u8..4));
    let enrollment = option::weighted(0.7, (0u8..4, 0u8..6));
    (0u8..3, 0u8..4, second, any::<bool>(), enrollment).prop_map(|(role, org, second, primary, enrollment)| PersonGene {
        role,
        org,
        second,
        primary,
        enrollment,
    })
}

fn setup() -> impl Strategy<Value = Setup> {
    let rare = || proptest::bool::weighted(0.2);
    let product = (0u8..3, rare(), rare(), proptest::bool::weighted(0.5), option::weighted(0.15, 0u8..4)).prop_map(
        |(model, needs_acceptance, auto_assign, requires_first, activated)| ProductGene {
            model,
            needs_acceptance,
            auto_assign,
            requires_first,
            activated,
        },
    );
    let seats = option::weighted(0.92, 0u8..6);
    let reserved = prop_oneof![5 => Just([0u8; 3]), 2 => [0u8..3, 0u8..3, 0u8..3]];
    let pool =
        (0u8..4, prop_oneof![2 => Just(0u8), 1 => 0u8..4], seats, 0u8..4, reserved, prop_oneof![3 => Just(0u8), 1 => 0u8..3])
            .prop_map(|(product, owner, seats, on_full, reservations, audience)| PoolGene {
                product,
                owner,
                seats,
                on_full,
                reservations,
                audience,
            });
    let rule = (0u8..4, 0u8..10, prop_oneof![2 => Just(0i8), 1 => -1i8..3]).prop_map(|(product, kind, priority)| RuleGene {
        product,
        kind,
        priority,
    });
    (
        2u8..4,
        vec(product, 1..5),
        vec(pool, 0..4),
        vec(rule, 1..6),
        vec(person_gene(), 2..9),
        prop_oneof![3 => Just(0u8), 2 => 1u8..4],
        1u8..4,
        proptest::bool::weighted(0.3),
    )
        .prop_map(|(schools, products, pools, rules, people, tight, confirmations, strict)| Setup {
            schools,
            products,
            pools,
            rules,
            people,
            tight,
            confirmations,
            strict,
        })
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let who = || 0u8..12;
    let change = prop_oneof![
        3 => (who(), person_gene()).prop_map(|(p, g)| Change::Join(p, g)),
        2 => who().prop_map(Change::End),
        3 => who().prop_map(Change::Vanish),
        3 => (who(), person_gene()).prop_map(|(p, g)| Change::Move(p, g)),
        1 => who().prop_map(Change::Lock),
        2 => who().prop_map(Change::Break),
        1 => Just(Change::Mend),
        2 => (who(), 0u8..4, 0u8..6).prop_map(|(p, c, s)| Change::Enroll(p, c, s)),
        1 => who().prop_map(Change::Leave),
        1 => who().prop_map(Change::NewKey),
    ];
    let step = prop_oneof![
        8 => vec(change, 0..4).prop_map(Step::Night),
        2 => (0u8..3).prop_map(Step::Quiet),
        3 => (who(), 0u8..6, proptest::bool::weighted(0.2)).prop_map(|(p, q, i)| Step::Assign(p, q, i)),
        2 => (who(), 0u8..6).prop_map(|(p, q)| Step::Deny(p, q)),
        1 => (who(), 0u8..6).prop_map(|(p, q)| Step::Unpin(p, q)),
        2 => (who(), who(), 0u8..6).prop_map(|(p, r, q)| Step::Transfer(p, r, q)),
        1 => (who(), 0u8..6).prop_map(|(p, q)| Step::Accept(p, q)),
        2 => (0u8..6, -2i8..4, 0u8..3).prop_map(|(q, n, d)| Step::Grant(q, n, d)),
        1 => (0u8..6, 1u8..3, 1u8..4).prop_map(|(q, n, d)| Step::Agree(q, n, d)),
    ];
    vec(step, 3..9)
}

// ---- the town: settings and what the source would say ----

#[derive(Clone, Debug)]
struct Town {
    policy: Policy,
    schools: usize,
    people: BTreeMap<String, Person>,
    grants: Vec<Grant>,
    bad_percent_max: u32,
    today: Day,
    number: u32,
    /// The last person stays: a package of files cannot say that there is nobody.
    keeps_one: bool,
}

impl Town {
    fn in_files(setup: &Setup) -> Self {
        Self { keeps_one: true, ..Self::new(setup) }
    }

    fn new(setup: &Setup) -> Self {
        let schools = usize::from(setup.schools);
        let org = |at: u8| ORGS[usize::from(at) % (schools + 1)];
        let mut world = World::new("town");
        let policy = &mut world.policy;
        for (at, gene) in setup.products.iter().enumerate() {
            let requires = (at > 0 && gene.requires_first).then(|| ProductId::from(format!("p{}", (at - 1) / 2).as_str()));
            policy.products.push(Product {
                id: ProductId::from(format!("p{at}").as_str()),
                kind: if requires.is_some() { ProductKind::Content } else { ProductKind::Access },
                seat_model: [SeatModel::Role, SeatModel::Named, SeatModel::ActiveUser][usize::from(gene.model)],
                requires,
                auto_assign: gene.auto_assign,
                needs_acceptance: gene.needs_acceptance,
                activated_for: gene.activated.map(|o| OrgId::from(org(o))).into_iter().collect(),
                bundle_of: Vec::new(),
            });
        }
        let count = setup.products.len();
        let mut grants = Vec::new();
        // Every product has a district pool; there may be others.
        let first = (0..count).map(|at| PoolGene {
            product: at as u8,
            owner: 0,
            seats: Some(1 + (at as u8) % 4),
            on_full: at as u8,
            reservations: [0; 3],
            audience: 0,
        });
        for (at, gene) in setup.pools.iter().cloned().chain(first).enumerate() {
            let id = format!("q{}{at}", (7 * at + 3) % 10);
            let owner = org(gene.owner);
            let reserved = gene.reservations.iter().take(schools).enumerate().filter(|(_, n)| owner == "d" && **n > 0);
            policy.pools.push(Pool {
                id: PoolId::from(id.as_str()),
                product: policy.products[usize::from(gene.product) % count].id.clone(),
                owner: OrgId::from(owner),
                audience: [Audience::Any, Audience::Student, Audience::Educator][usize::from(gene.audience)],
                unlimited: gene.seats.is_none(),
                on_full: match gene.on_full {
                    0 | 1 => OnFull::Wait,
                    2 => OnFull::Overdraw,
                    _ => OnFull::OverdrawUpTo { percent_max: 150 },
                },
                overage: OverageLimits::CONTRACT,
                clauses: Clauses::CONTRACT,
                reservations: reserved.map(|(s, n)| (OrgId::from(ORGS[s + 1]), Seats(u32::from(*n)))).collect(),
                calendar: policy.calendar.clone(),
                anchor: None,
                renewal: Default::default(),
                reuse: Default::default(),
            });
            if let Some(seats) = gene.seats {
                grants.push(grant(&format!("{id}-first"), &id, i64::from(seats), Instant::MIN, Instant::MAX));
            }
        }
        for (at, gene) in setup.rules.iter().enumerate() {
            let role = |r: usize| Predicate::Role(vec![ROLES[r].to_owned()]);
            policy.rules.push(Rule {
                id: RuleId::from(format!("r{at}").as_str()),
                product: policy.products[usize::from(gene.product) % count].id.clone(),
                priority: i32::from(gene.priority),
                when: match gene.kind {
                    0 => Predicate::Everyone,
                    1..=3 => role(usize::from(gene.kind) - 1),
                    4 | 5 => Predicate::Org(vec![OrgId::from(org(gene.kind - 3))]),
                    6 => Predicate::LiveEnrollment(ClassFilter::default()),
                    7 => Predicate::LiveEnrollment(ClassFilter { subjects: vec!["math".into()], ..ClassFilter::default() }),
                    8 => Predicate::Not(Box::new(role(0))),
                    _ => Predicate::Everyone,
                },
            });
        }
        policy.absence_confirmations = u32::from(setup.confirmations);
        policy.limits = match setup.tight {
            1 => GuardLimits { removal_percent: 20, removal_min: 1, ..policy.limits },
            2 => GuardLimits { org_removal_percent: 40, removal_min: 0, org_base_min: 2, ..policy.limits },
            3 => GuardLimits { removal_percent: 30, removal_min: 0, trip_stops_all: true, ..policy.limits },
            _ => GuardLimits { removal_min: 1000, ..policy.limits },
        };
        let mut town = Self {
            policy: world.policy,
            schools,
            people: BTreeMap::new(),
            grants,
            bad_percent_max: if setup.strict { 40 } else { 100 },
            today: world.today,
            number: 0,
            keeps_one: false,
        };
        for (at, gene) in setup.people.iter().enumerate() {
            town.join(at as u8, gene);
        }
        town
    }

    fn now(&self) -> Instant {
        Instant(i64::from(self.today.0) * 86_400_000 + 9_000_000)
    }

    fn classes(&self) -> Vec<(String, String, String)> {
        let here = CLASSES.iter().filter(|(_, school, _)| ORGS[1..=self.schools].contains(school));
        here.map(|(id, school, subject)| ((*id).into(), (*school).into(), (*subject).into())).collect()
    }

    fn place(&self, person: &mut Person, gene: &PersonGene) {
        let org = |at: u8| ORGS[usize::from(at) % (self.schools + 1)].to_owned();
        person.roles = vec![(ROLES[usize::from(gene.role)].to_owned(), org(gene.org))];
        if let Some((role, second)) = gene.second
            && org(second) != person.roles[0].1
        {
            person.roles.push((ROLES[usize::from(role)].to_owned(), org(second)));
        }
        person.primary_org = gene.primary.then(|| person.roles[0].1.clone());
    }

    fn enroll(&self, person: &mut Person, class: u8, span: u8) {
        let classes = self.classes();
        let (first, last) = SPANS[usize::from(span)];
        let class = classes[usize::from(class) % classes.len()].0.clone();
        person.enrollments.push(Enrolled { class, first, last, ended: false });
    }

    fn join(&mut self, at: u8, gene: &PersonGene) {
        let key = format!("p{at:02}");
        let mut person = self.people.remove(&key).unwrap_or_default();
        (person.ended, person.email) = (false, format!("{key}@town.example"));
        self.place(&mut person, gene);
        if let Some((class, span)) = gene.enrollment {
            self.enroll(&mut person, class, span);
        }
        self.people.insert(key, person);
    }

    /// Somebody whom the source has; mostly.
    fn who(&self, at: u8) -> String {
        let keys: Vec<&String> = self.people.keys().collect();
        match keys.get(usize::from(at) % (keys.len() + 1)) {
            Some(key) => (*key).clone(),
            None => format!("p{at:02}"),
        }
    }

    fn pool(&self, at: u8) -> usize {
        usize::from(at) % self.policy.pools.len()
    }

    fn change(&mut self, change: &Change) {
        let at = match change {
            Change::Join(at, gene) => return self.join(*at, gene),
            Change::Mend => return self.people.values_mut().for_each(|p| p.broken = false),
            Change::End(at) | Change::Vanish(at) | Change::Move(at, _) | Change::Lock(at) | Change::Break(at) => *at,
            Change::Enroll(at, ..) | Change::Leave(at) | Change::NewKey(at) => *at,
        };
        let key = self.who(at);
        let Some(mut person) = self.people.remove(&key) else { return };
        match change {
            Change::Join(..) | Change::Mend => {}
            Change::End(_) => person.ended = true,
            Change::Vanish(_) if self.keeps_one && self.people.is_empty() => {}
            Change::Vanish(_) => return,
            Change::Move(_, gene) => self.place(&mut person, gene),
            Change::Lock(_) => person.locked = !person.locked,
            Change::Break(_) => person.broken = true,
            Change::Enroll(_, class, span) => self.enroll(&mut person, *class, *span),
            Change::Leave(_) => person.enrollments.iter_mut().for_each(|e| e.ended = true),
            Change::NewKey(_) => {
                self.number += 1;
                person.ended = false;
                self.people.insert(format!("n{:02}", self.number), person);
                return;
            }
        }
        self.people.insert(key, person);
    }
}

// ---- rows in any order ----

/// A small generator of its own, for the order of rows.
fn shuffled<T>(mut list: Vec<T>, salt: u64) -> Vec<T> {
    let mut state = salt;
    if salt > 0 {
        for at in (1..list.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            list.swap(at, (state >> 33) as usize % (at + 1));
        }
    }
    list
}

fn intake(town: &Town, previous: Option<Roster>, salt: u64) -> Intake {
    let mut intake = RosterIntake::new(previous, IntakePolicy { lenient: false, courses_optional: true });
    let at = |file: &'static str| RowAt { file, row: 2 };
    fn head<'i>(file: &'static str, id: &'i str, ended: bool) -> RowHead<'i> {
        let status = if ended { RowStatus::Ended } else { RowStatus::Active };
        RowHead { at: RowAt { file, row: 2 }, id, status, modified: None }
    }
    for collection in Collection::ALL {
        intake.begin(collection, Mode::Full);
        match collection {
            Collection::Orgs => {
                for (at, id) in shuffled(ORGS[..=town.schools].iter().enumerate().collect(), salt) {
                    let (kind, parent) = if at == 0 { ("district", None) } else { ("school", Some("d")) };
                    intake.org(&OrgRow { head: head("orgs.csv", id, false), name: id, kind, identifier: "", parent });
                }
            }
            Collection::Sessions => intake.session(&SessionRow {
                head: head("academicSessions.csv", "y", false),
                title: "Year",
                kind: "schoolYear",
                first: day("2020-08-01"),
                last: day("2099-07-31"),
                parent: None,
            }),
            Collection::Courses => intake.course(&CourseRow {
                head: head("courses.csv", "co", false),
                title: "Course",
                code: "C1",
                school_year: Some("y"),
                org: "d",
                grades: "",
                subjects: "",
                subject_codes: "",
            }),
            Collection::Classes => {
                for (id, school, subject) in shuffled(town.classes(), salt) {
                    intake.class(&ClassRow {
                        head: head("classes.csv", &id, false),
                        title: &id,
                        kind: "scheduled",
                        code: "",
                        course: Some("co"),
                        school: &school,
                        sessions: "y",
                        grades: "",
                        subjects: &subject,
                        subject_codes: "",
                    });
                }
            }
            Collection::People => {
                for (key, person) in shuffled(town.people.iter().collect(), salt) {
                    intake.person(&PersonRow {
                        head: head("users.csv", key, person.ended),
                        enabled: !person.locked,
                        given: key,
                        family: "Test",
                        email: &person.email,
                        username: key,
                        identifier: "",
                        grades: "",
                        primary_org: person.primary_org.as_deref(),
                        roles: &[],
                        attributes: &[],
                    });
                }
            }
            Collection::Roles => {
                let rows =
                    town.people.iter().flat_map(|(key, p)| p.roles.iter().enumerate().map(move |(at, r)| (key, p, at, r)));
                for (key, person, number, (role, org)) in shuffled(rows.collect(), salt) {
                    let id = format!("r-{key}-{number}");
                    if person.broken {
                        let finding = Finding {
                            level: Level::Row,
                            rule: "bad_date",
                            file: "roles.csv".into(),
                            row: 2,
                            record: id.clone(),
                            field: "beginDate".into(),
                            detail: "no date".into(),
                        };
                        intake.quarantine(collection, at("roles.csv"), Some(&id), Some(key), finding);
                        continue;
                    }
                    intake.role(&RoleRow {
                        head: head("roles.csv", &id, false),
                        person: key,
                        role,
                        org,
                        primary: true,
                        first: Day::MIN,
                        last: Day::MAX,
                    });
                }
            }
            Collection::Enrollments => {
                let rows =
                    town.people.iter().flat_map(|(key, p)| p.enrollments.iter().enumerate().map(move |(at, e)| (key, at, e)));
                let classes = town.classes();
                for (key, number, e) in shuffled(rows.collect(), salt) {
                    let school = &classes.iter().find(|(id, _, _)| *id == e.class).expect("it is there").1;
                    let id = format!("e-{key}-{number}");
                    intake.enrollment(&EnrollmentRow {
                        head: head("enrollments.csv", &id, e.ended),
                        person: key,
                        class: &e.class,
                        school,
                        role: "student",
                        primary: false,
                        first: e.first.map_or(Day::MIN, day),
                        last: e.last.map_or(Day::MAX, day),
                    });
                }
            }
        }
    }
    intake.finish()
}

// ---- the planner in memory ----

/// Books in memory: every commit is folded, and proved, by the ledger.
#[derive(Default)]
struct Memory {
    ledger: Ledger,
    roster: Option<Roster>,
    packages: u32,
}

impl Memory {
    fn standing(&self) -> Standing {
        Standing { hold: None, guard_days: Vec::new(), ..standing_of(&self.ledger) }
    }

    fn commit(&mut self, at: Instant, names: &Names, people: &TextArena, changes: &[ClaimChange], entries: &[Entry]) {
        let version = Version(self.ledger.version().0 + 1);
        self.ledger.apply(version, at, names, people, changes, entries).expect("the trail proves every commit (I12)");
    }

    /// The plan of a night and whose removal is held; `None`: too many rows are bad.
    fn plan(&self, town: &Town, fresh: bool, salt: u64) -> Option<(Plan, BTreeSet<String>, bool, Option<Roster>)> {
        let nothing = Roster::default();
        let before = self.roster.as_ref().unwrap_or(&nothing);
        let (mut after, mut conflicts, mut marks) = (None, Vec::new(), Vec::new());
        if fresh {
            let Intake { mut roster, findings, counts, .. } = intake(town, self.roster.clone(), salt);
            assert!(findings.kept.iter().all(|f| f.rule == "bad_date"), "{:?}", findings.kept);
            if !counts.too_bad(town.bad_percent_max).is_empty() {
                return None;
            }
            // As the service does it: whoever ended and is unknown to the books is nobody (R130).
            let absences = self.standing().absences;
            let active = |key: &str| before.find_person(key).is_some_and(|at| !before.person(at).ended);
            let rest = without_people(&roster, |person| {
                let key = roster.text(person.key);
                person.ended && !person.quarantined && !active(key) && absences.iter().all(|a| a.person.as_str() != key)
            });
            roster = rest.expect("it fits").unwrap_or(roster);
            let found = diff(before, &roster).conflicts;
            conflicts = found
                .iter()
                .map(|&(known, new)| {
                    let key = |roster: &Roster, at| PersonKey::from(roster.text(roster.person(at).key));
                    (key(before, known), key(&roster, new))
                })
                .collect();
            if !found.is_empty() {
                roster = hold_conflicts(before, &roster, &found).expect("it is there");
            }
            let (package, snapshot) = (Digest::of(&self.packages.to_be_bytes()), digest_of(&roster));
            marks.push(SourceMark {
                source: SourceId::from("sis"),
                package,
                bytes: 7,
                snapshot,
                at: town.now(),
                name: "n".into(),
                amended: false,
            });
            after = Some(roster);
        }
        let mut standing = self.standing();
        let new: Vec<Grant> = town
            .grants
            .iter()
            .filter(|g| standing.grants.iter().all(|k| k.id != g.id))
            .map(|g| Grant { recorded: town.now(), by: Actor::operator("settings"), ..g.clone() })
            .collect();
        standing.grants.extend(new.iter().cloned());
        let delta = after.as_ref().map_or_else(RosterDelta::default, |after| diff(before, after));
        let waiting = || standing.absences.iter().filter(|a| a.held).map(|a| a.person.clone()).collect();
        let judgment = match &after {
            Some(after) => {
                let conflicts = u32::try_from(conflicts.len()).expect("few");
                judge(&Case {
                    before,
                    after,
                    delta: &delta,
                    conflicts,
                    absences: &standing.absences,
                    limits: town.policy.limits,
                    today: town.today,
                    days: &[],
                    withheld: &[],
                    exceptions: &[],
                    new_source: self.roster.is_none(),
                    approval: None,
                })
            }
            None => Judgment { held: waiting(), ..Judgment::default() },
        };
        let stopped = judgment.verdict.stops_all(&town.policy.limits);
        let held = if stopped { waiting() } else { judgment.held };
        let none = RosterDelta::default();
        let input = PlanInput {
            now: town.now(),
            today: town.today,
            policy: &town.policy,
            standing: &standing,
            roster: after.as_ref().filter(|_| !stopped).unwrap_or(before),
            before,
            delta: if stopped { &none } else { &delta },
            fresh: if stopped { &[] } else { &marks },
            amended: &[],
            repeated: &[],
            verdict: &judgment.verdict,
            held: &held,
            by_hand: &[],
            new_grants: &new,
            new_agreed: &[],
            new_terms: &[],
            episodes: &[],
            confirmed: &[],
            partial: &[],
            gone: &[],
            owners: &Default::default(),
            holding: &Default::default(),
            former: &Default::default(),
            remade: &[],
            conflicts: if stopped { &[] } else { &conflicts },
        };
        let made = plan(&input).expect("a plan");
        assert_eq!(check(&made, &standing, &held), []);
        // Asked ahead, and of the roster nothing left but who is there and all of those who changed: the same plan.
        let needs = Needs::new(&town.policy, input.roster, town.today).expect("its orgs are known");
        let mut changed: Vec<_> = input.delta.changed.iter().map(|(_, after)| *after).collect();
        changed.sort_unstable();
        let rest = lean(input.roster.clone(), &changed).expect("it fits");
        let (again, flaws) = plan_checked(&PlanInput { roster: &rest, ..input.clone() }, Some(&needs)).expect("a plan");
        assert_eq!(format!("{again:?}"), format!("{made:?}"));
        assert_eq!(flaws, []);
        let held = held.iter().map(|k| k.as_str().to_owned()).collect();
        Some((made, held, stopped, after.filter(|_| !stopped)))
    }

    fn quarantined(&self) -> BTreeSet<String> {
        let roster = self.roster.iter();
        roster.flat_map(|r| r.people.iter().filter(|p| p.quarantined).map(|p| r.text(p.key).to_owned())).collect()
    }
}

fn text_of(plan: &Plan, town: &Town) -> String {
    let mut text = String::new();
    render(plan, &town.policy, usize::MAX, &mut text).expect("it is there");
    text
}

/// Something that plays a history.
trait Engine {
    /// A night; `written`: a package arrives, `fresh`: its bytes are news.
    fn night(&mut self, town: &Town, written: bool, fresh: bool) -> Night;
    fn decide(&mut self, town: &Town, decision: &Decision) -> Answer;
    fn books(&self) -> Standing;
    /// Whether what time gave and took is written down before anything else is.
    fn catches_up(&self) -> bool {
        false
    }
}

impl Engine for Memory {
    fn night(&mut self, town: &Town, _: bool, fresh: bool) -> Night {
        if !fresh && self.roster.is_none() {
            return Night::Quiet;
        }
        self.packages += 1;
        let Some((made, held, stopped, roster)) = self.plan(town, fresh, 0) else { return Night::Rejected };
        // I5: rows in another order, the same plan.
        for salt in [1, u64::from(self.packages) + 77] {
            let (again, ..) = self.plan(town, fresh, salt).expect("the same rows");
            assert_eq!(again.id, made.id, "the order of rows is no fact (I5)");
            assert_eq!((&again.changes, &again.entries), (&made.changes, &made.entries));
            assert_eq!(text_of(&again, town), text_of(&made, town));
        }
        if let Some(roster) = roster {
            self.roster = Some(roster);
        }
        // I10: nobody loses a seat while a guard holds the removal, or while the record cannot be read.
        let quarantined = self.quarantined();
        for change in &made.changes {
            let person = made.people.get(change.person);
            let removal = matches!(change.because, Because::EndedInSource | Because::AbsenceConfirmed);
            let loses = change.before.as_ref().is_some_and(|b| b.state.consumes()) && !change.after.state.consumes();
            assert!(!(removal || loses) || !held.contains(person), "held {person} loses {change:?}");
            assert!(!(removal || loses) || !quarantined.contains(person), "quarantined {person} loses {change:?}");
            assert!(!removal || !stopped, "no snapshot was taken in, and {person} is removed");
        }
        if !made.is_empty() {
            self.commit(made.at, &made.names, &made.people, &made.changes, &made.entries);
        }
        // I4: the same again changes nothing.
        let (again, ..) = self.plan(town, false, 0).expect("a plan");
        assert!(again.is_empty(), "the second plan is not empty (I4): {:?} {:?}", again.changes, again.entries);
        if made.verdict.proceeds() && fresh {
            // The same people in another package: only absences are counted on.
            let (again, ..) = self.plan(town, true, 0).expect("a plan");
            assert!(!again.absences.is_empty() || again.changes.is_empty(), "I4: {:?}", again.changes);
        }
        match (fresh, stopped) {
            (false, _) => Night::Quiet,
            (true, true) => Night::Stopped,
            (true, false) => Night::Taken { held: !made.verdict.proceeds() },
        }
    }

    fn decide(&mut self, town: &Town, decision: &Decision) -> Answer {
        // As the service does it: the queue, and all claims of the people concerned.
        let mut standing = self.standing();
        let concerned: Vec<&str> = match decision {
            Decision::Pin { pin, .. } => vec![pin.person.as_str()],
            Decision::Unpin { person, .. } | Decision::Accept { person, .. } => vec![person.as_str()],
            Decision::Transfer { give, take } => vec![give.person.as_str(), take.person.as_str()],
            Decision::Grant(_) | Decision::AgreedExcess(_) | Decision::Term { .. } => Vec::new(),
        };
        let mut used: BTreeMap<(PoolId, OrgId), u32> = BTreeMap::new();
        let mut light = Book { names: standing.book.names.clone(), ..Book::default() };
        for at in 0..standing.book.people.len() {
            let key = standing.book.key(at);
            let all = concerned.contains(&key);
            let mut claims = standing.book.claims_at(at).to_vec();
            for claim in claims.iter().filter(|c| c.state.consumes()) {
                let names = &standing.book.names;
                *used.entry((names.pool_of(claim).clone(), names.home_of(claim).clone())).or_default() += 1;
            }
            claims.retain(|c| all || c.state == ClaimState::Waiting);
            if !claims.is_empty() {
                let key: Text = light.keys.push(key).expect("it is there");
                light.people.push(BookPerson { key, first: light.claims.len() as u32 });
                light.claims.append(&mut claims);
            }
        }
        standing.book = light;
        let used: Vec<(PoolId, OrgId, u32)> = used.into_iter().map(|((p, o), n)| (p, o, n)).collect();
        let nothing = Roster::default();
        let episodes: Vec<_> = self.ledger.episodes().cloned().collect();
        let desk = Desk {
            now: town.now(),
            policy: &town.policy,
            standing: &standing,
            roster: self.roster.as_ref().unwrap_or(&nothing),
            used_by_org: &used,
            episodes: &episodes,
        };
        let (answer, done) = decide(&desk, decision).expect("a decision");
        if !done.changes.is_empty() || !done.entries.is_empty() {
            self.commit(town.now(), &done.names, &done.people, &done.changes, &done.entries);
        }
        answer
    }

    fn books(&self) -> Standing {
        self.standing()
    }
}

/// The whole path: files, service, store.
impl Engine for World {
    fn catches_up(&self) -> bool {
        true
    }

    fn night(&mut self, town: &Town, written: bool, fresh: bool) -> Night {
        self.people = town.people.clone();
        self.set_day(town.today);
        let run = if written { World::night(self) } else { self.quiet_night() };
        match run.state {
            _ if !fresh => Night::Quiet,
            RunState::Held if run.plan.is_none() => Night::Rejected,
            RunState::Held if run.message.contains("nothing of the new snapshot") => Night::Stopped,
            RunState::Held => Night::Taken { held: true },
            RunState::Succeeded | RunState::SucceededWithErrors => Night::Taken { held: false },
            other => panic!("{other}: {}", run.message),
        }
    }

    fn decide(&mut self, town: &Town, decision: &Decision) -> Answer {
        self.set_day(town.today);
        World::decide(self, decision.clone())
    }

    fn books(&self) -> Standing {
        self.service().store().standing(&self.policy.customer).expect("books")
    }
}

fn world_of(town: &Town) -> World {
    let mut world = World::new("town");
    world.policy = town.policy.clone();
    // Every seat has a number, of which the model knows nothing: that they are right is proved by the replay.
    for pool in &mut world.policy.pools {
        (pool.anchor, pool.reuse.scope) = (Some(day("2020-01-01")), rosterd::license::ReuseScope::Seat);
    }
    world.orgs = ORGS[..=town.schools].iter().map(|o| ((*o).to_owned(), (*o != "d").then(|| "d".to_owned()))).collect();
    world.classes = town.classes();
    world.grants = town.grants.clone();
    world.bad_percent_max = town.bad_percent_max;
    world
}

fn model_of(town: &Town) -> Model {
    let grants: Vec<Dated> = town.grants.iter().map(|g| (g.pool.to_string(), g.seats, g.from, g.to)).collect();
    Model::new(town.policy.clone(), town.classes(), town.bad_percent_max, grants)
}

// ---- the comparison ----

type Shown = BTreeMap<(String, String), (ClaimState, Instant, String, i32, bool)>;

fn shown(books: &Standing) -> Shown {
    let mut shown = Shown::new();
    for at in 0..books.book.people.len() {
        for claim in books.book.claims_at(at) {
            let names = &books.book.names;
            let key = (books.book.key(at).to_owned(), names.pool_of(claim).to_string());
            let lacks = claim.wait == Wait::Access;
            assert_eq!(claim.state == ClaimState::Waiting, claim.wait != Wait::Nothing, "{key:?}");
            let facts = (claim.state, claim.since, names.home_of(claim).to_string(), claim.priority, lacks);
            assert_eq!(shown.insert(key.clone(), facts), None, "one claim per person and pool (I2): {key:?}");
        }
    }
    shown
}

fn compare(books: &Standing, model: &Model) {
    let pool_id = |at: usize| model.policy.pools[at].id.to_string();
    let expected: Shown = model
        .claims
        .iter()
        .map(|((person, pool), s)| {
            ((person.clone(), pool_id(*pool)), (s.state, s.since, s.home.clone(), s.priority, s.lacks_access))
        })
        .collect();
    let is = shown(books);
    for key in is.keys().chain(expected.keys()).collect::<BTreeSet<_>>() {
        assert_eq!(is.get(key), expected.get(key), "{key:?}: the books (left) and the model (right)");
    }
    let missing: BTreeMap<&str, _> =
        books.absences.iter().map(|a| (a.person.as_str(), (a.count, a.ended, a.held, a.removed))).collect();
    let expected: BTreeMap<&str, _> =
        model.absences.iter().map(|(p, m)| (p.as_str(), (m.count, m.ended, m.held, m.removed))).collect();
    assert_eq!(missing, expected, "who is missing");
    let pins: BTreeMap<_, _> = books.pins.iter().map(|p| ((p.person.to_string(), p.pool.to_string()), p.kind)).collect();
    let expected: BTreeMap<_, _> = model.pins.iter().map(|((p, q), k)| ((p.clone(), pool_id(*q)), *k)).collect();
    assert_eq!(pins, expected, "pins");
    let Some(closed) = model.closed else { return };
    for (at, pool) in model.policy.pools.iter().enumerate() {
        let book = &books.pools[&pool.id];
        let used = model.used(at);
        assert_eq!(book.counts.used(), Seats(used), "used of {} (I1)", pool.id);
        for state in ClaimState::ALL {
            let count = model.claims.iter().filter(|((_, p), s)| *p == at && s.state == state).count();
            assert_eq!(book.counts.of(state).0 as usize, count, "{} {}", pool.id, state.word());
        }
        let allowance = model.allowance(at, closed);
        assert_eq!(book.allowance.seats, allowance.map(|(seats, _)| Seats(seats)), "{}", pool.id);
        assert_eq!(book.allowance.effective(), allowance.map(|(seats, agreed)| Seats(seats + agreed)), "{}", pool.id);
        let balance = allowance.map(|(seats, _)| Balance(i64::from(seats) - i64::from(used)));
        assert_eq!(book.allowance.balance(book.counts.used()), balance, "balance of {} (I1)", pool.id);
        let short = balance.map_or(0, |b| (-b.0).max(0));
        assert_eq!(i64::from(book.causes.values().sum::<u32>()), short, "causes of {} (I3): {:?}", pool.id, book.causes);
        assert_eq!(book.band, Model::band(used, allowance.map(|(seats, agreed)| seats + agreed)), "band of {}", pool.id);
    }
}

/// The queue of a pool as the model has it.
fn queue_of(model: &Model, pool: usize) -> Vec<String> {
    let mut queue: Vec<_> = model
        .claims
        .iter()
        .filter(|((_, p), s)| *p == pool && s.state == ClaimState::Waiting)
        .map(|((person, _), s)| (s.priority, s.since, person.as_str()))
        .collect();
    queue.sort_by(|a, b| queue_order(*a, *b));
    queue.into_iter().map(|(_, _, person)| person.to_owned()).collect()
}

fn pin(town: &Town, person: &str, pool: usize, kind: PinKind) -> Pin {
    Pin {
        person: PersonKey::from(person),
        pool: town.policy.pools[pool].id.clone(),
        kind,
        by: Actor::operator("test"),
        at: town.now(),
        reason: "because".into(),
        until: Day::MAX,
    }
}

fn said(answer: &Answer) -> Said {
    match answer {
        Answer::Done => Said::Done,
        Answer::AlreadySo => Said::AlreadySo,
        Answer::PoolExhausted { .. } => Said::Exhausted,
        Answer::NotServed => Said::NotServed,
        Answer::NeedsAccess => Said::NeedsAccess,
        Answer::NoClaim => Said::NoClaim,
        Answer::UnknownPerson => Said::UnknownPerson,
        other => panic!("{other:?}"),
    }
}

/// Plays a history on an engine and on the model.
fn play(steps: &[Step], engine: &mut dyn Engine, town: &mut Town) -> Model {
    let mut model = model_of(town);
    let first = Step::Night(Vec::new());
    let (mut newest, mut turned_away) = (None, Vec::new());
    for step in std::iter::once(&first).chain(steps) {
        (model.today, model.now) = (town.today, town.now());
        if engine.catches_up() && !matches!(step, Step::Quiet(_)) {
            model.pass_time();
        }
        match step {
            Step::Night(changes) => {
                changes.iter().for_each(|change| town.change(change));
                // The same bytes again are no second look; what was turned away once is not looked at again.
                let package = format!("{:?}", town.people);
                let fresh = newest.as_ref() != Some(&package) && !turned_away.contains(&package);
                let expected = model.night(fresh.then_some(&town.people));
                assert_eq!(engine.night(town, true, fresh), expected, "how the night went");
                match expected {
                    Night::Taken { .. } => newest = Some(package),
                    Night::Rejected | Night::Stopped => turned_away.push(package),
                    Night::Quiet => {}
                }
                town.today = town.today.plus(1);
            }
            Step::Quiet(days) => {
                town.today = town.today.plus(i32::from(*days));
                (model.today, model.now) = (town.today, town.now());
                if engine.catches_up() {
                    model.pass_time();
                }
                let expected = model.night(None);
                assert_eq!(engine.night(town, false, false), expected, "how the night went");
                town.today = town.today.plus(1);
            }
            by_hand => {
                let (decision, expected) = decision(by_hand, town, &mut model);
                let answer = engine.decide(town, &decision);
                assert_eq!(said(&answer), expected, "{decision:?}");
            }
        }
        if engine.catches_up() && model.closed.is_some() {
            model.closed = Some(model.now);
        }
        compare(&engine.books(), &model);
    }
    model
}

/// A decision, and what the model says of it.
fn decision(step: &Step, town: &mut Town, model: &mut Model) -> (Decision, Said) {
    match step {
        Step::Night(_) | Step::Quiet(_) => unreachable!(),
        Step::Assign(who, pool, insist) => {
            let (person, pool) = (town.who(*who), town.pool(*pool));
            let holds = model.claims.get(&(person.clone(), pool)).is_some_and(|s| consumes(s.state));
            let said = model.assign(&person, pool, *insist);
            assert!(!holds || said == Said::AlreadySo, "re-affirming is never refused (I14)");
            (Decision::Pin { pin: pin(town, &person, pool, PinKind::Assign), insist: *insist }, said)
        }
        Step::Deny(who, pool) => {
            let (person, pool) = (town.who(*who), town.pool(*pool));
            let said = model.deny(&person, pool);
            (Decision::Pin { pin: pin(town, &person, pool, PinKind::Deny), insist: false }, said)
        }
        Step::Unpin(who, pool) => {
            let (person, pool) = (town.who(*who), town.pool(*pool));
            let said = model.unpin(&person, pool);
            (Decision::Unpin { person: PersonKey::from(person.as_str()), pool: town.policy.pools[pool].id.clone() }, said)
        }
        Step::Transfer(give, take, pool) => {
            let (give, take, pool) = (town.who(*give), town.who(*take), town.pool(*pool));
            let said = model.transfer(&give, &take, pool);
            let decision = Decision::Transfer {
                give: pin(town, &give, pool, PinKind::Deny),
                take: pin(town, &take, pool, PinKind::Assign),
            };
            (decision, said)
        }
        Step::Accept(who, pool) => {
            let (person, pool) = (town.who(*who), town.pool(*pool));
            let said = model.accept(&person, pool);
            (Decision::Accept { person: PersonKey::from(person.as_str()), pool: town.policy.pools[pool].id.clone() }, said)
        }
        Step::Grant(pool, seats, days) => {
            let pool = town.pool(*pool);
            let from = Instant(i64::from(town.today.plus(i32::from(*days) - 1).0) * 86_400_000);
            town.number += 1;
            let id = format!("g{}", town.number);
            let said = model.grant(pool, i64::from(*seats), from);
            let grant = grant(&id, town.policy.pools[pool].id.as_str(), i64::from(*seats), from, Instant::MAX);
            (Decision::Grant(Grant { recorded: town.now(), ..grant }), said)
        }
        Step::Agree(pool, seats, days) => {
            let pool = town.pool(*pool);
            town.number += 1;
            let to = Instant(i64::from(town.today.plus(i32::from(*days)).0) * 86_400_000);
            let said = model.agree(pool, u32::from(*seats), to);
            let agreed = AgreedExcess {
                id: GrantId::from(format!("x{}", town.number).as_str()),
                pool: town.policy.pools[pool].id.clone(),
                seats: Seats(u32::from(*seats)),
                from: town.now(),
                to,
                recorded: town.now(),
                by: Actor::operator("test"),
                reference: "letter".into(),
            };
            (Decision::AgreedExcess(agreed), said)
        }
    }
}

/// Cases of a property: as many as the environment says, divided by what one case costs.
fn cases(default: u32, cost: u32) -> ProptestConfig {
    let asked = std::env::var("PROPTEST_CASES").ok().and_then(|text| text.parse::<u32>().ok());
    ProptestConfig { max_shrink_iters: 4096 / cost, ..ProptestConfig::with_cases(asked.map_or(default, |n| (n / cost).max(1))) }
}

proptest! {
    #![proptest_config(cases(400, 1))]

    /// I1, I2, I3, I4, I5, I10, I14 and the trail (I12), against the model.
    #[test]
    fn the_planner_does_what_the_model_does(setup in setup(), steps in steps()) {
        let mut town = Town::new(&setup);
        play(&steps, &mut Memory::default(), &mut town);
    }
}

proptest! {
    #![proptest_config(cases(10, 40))]

    /// The same through files, service and store; and the reports over it (I11), the queue (R42), the trail (I12).
    #[test]
    fn the_whole_path_does_what_the_model_does(setup in setup(), steps in steps()) {
        let mut town = Town::in_files(&setup);
        let mut world = world_of(&town);
        let model = play(&steps, &mut world, &mut town);
        world.verify();
        let service = world.service();
        let customer = &service.customers()[0];
        for (at, pool) in model.policy.pools.iter().enumerate() {
            let rows = service.queue(customer, Some(&pool.id)).expect("it is there");
            assert_eq!(rows.iter().map(|r| r.person.clone()).collect::<Vec<_>>(), queue_of(&model, at), "{}", pool.id);
        }
        let products: Vec<Option<&ProductId>> = std::iter::once(None).chain(model.policy.products.iter().map(|p| Some(&p.id))).collect();
        for product in products {
            let rows = service.license_report(customer, None, product).expect("it is there").rows;
            let Some((top, children)) = rows.split_first() else { continue };
            let of = |pool: usize| product.is_none_or(|p| model.policy.pools[pool].product == *p);
            let at = |org: &str| {
                model.claims.iter().filter(|((_, p), s)| of(*p) && consumes(s.state) && s.home == org).count() as u64
            };
            assert_eq!(top.used, at("d") + children.iter().map(|c| c.used).sum::<u64>(), "I11");
            children.iter().for_each(|child| assert_eq!(child.used, at(child.org.as_str()), "{}", child.org));
        }
    }
}

proptest! {
    #![proptest_config(cases(3, 100))]

    /// I5 through files, service and store: the same data with its rows in another order lead to the same books.
    #[test]
    fn the_order_of_rows_in_files_is_no_fact(setup in setup(), steps in steps(), salt in 1u64..1000) {
        let books: Vec<(Shown, String)> = [0, salt]
            .into_iter()
            .map(|shuffle| {
                let mut town = Town::in_files(&setup);
                let mut world = world_of(&town);
                world.shuffle = shuffle;
                play(&steps, &mut world, &mut town);
                let service = world.service();
                let store = service.store();
                let mut trail = String::new();
                store
                    .audit(&world.policy.customer, Version(0), &mut |commit| {
                        // What names the bytes of a package differs with them.
                        let entries = commit.entries.iter().filter(|e| !matches!(e, Entry::Adopted(_))).map(|e| match e {
                            Entry::Hold(hold) => Entry::Hold(Hold { plan: Digest::default(), packages: Vec::new(), ..hold.clone() }),
                            other => other.clone(),
                        });
                        trail += &format!("{} {:?} {:?}\n", commit.version, commit.changes, entries.collect::<Vec<_>>());
                        Ok(())
                    })
                    .expect("it is there");
                (shown(&store.standing(&world.policy.customer).expect("it is there")), trail)
            })
            .collect();
        assert_eq!(books[0], books[1]);
    }

    /// I12: whatever stored value is touched behind the trail's back, the verification says so.
    #[test]
    fn a_value_changed_behind_the_trail_is_found(setup in setup(), steps in steps(), pick in any::<u32>()) {
        let mut town = Town::in_files(&setup);
        let mut world = world_of(&town);
        play(&steps, &mut world, &mut town);
        world.verify();
        let base = rusqlite::Connection::open(world.dir.path().join("rosterd.db")).expect("it is there");
        let tables = ["claims", "pools", "grants", "pins", "absences", "episodes", "terms"];
        let rows = |table: &str| base.query_row(&format!("SELECT count(*) FROM {table}"), [], |r| r.get::<_, u32>(0)).expect("it is there");
        let filled: Vec<&str> = tables.into_iter().filter(|t| rows(t) > 0).collect();
        let table = filled[pick as usize % filled.len()];
        let at = (pick / 8) % rows(table);
        // One row is lost.
        let key = match table {
            "claims" => "customer_id, first",
            "absences" => "customer_id, person",
            "pools" | "terms" => "customer_id, pool",
            "pins" => "customer_id, person, pool",
            _ => "customer_id, id",
        };
        let gone = base
            .execute(&format!("DELETE FROM {table} WHERE ({key}) IN (SELECT {key} FROM {table} ORDER BY {key} LIMIT 1 OFFSET {at})"), [])
            .expect("it is there");
        assert_eq!(gone, 1);
        drop(base);
        let service = world.service();
        match service.verify(&service.customers()[0]) {
            Ok(report) => assert_ne!(report.verified, Verified::Clean, "a row of {table} is gone"),
            // The store itself may notice first.
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
}

#[test]
fn an_only_enrollment_that_its_ended_person_takes_along() {
    let nobody = PersonGene { role: 0, org: 0, second: None, primary: false, enrollment: None };
    let enrolled = PersonGene { enrollment: Some((0, 0)), ..nobody.clone() };
    let product = ProductGene { model: 0, needs_acceptance: false, auto_assign: false, requires_first: false, activated: None };
    let setup = Setup {
        schools: 2,
        products: vec![product],
        pools: Vec::new(),
        rules: vec![RuleGene { product: 0, kind: 0, priority: 0 }],
        people: vec![nobody.clone(), enrolled, nobody.clone(), nobody.clone(), nobody],
        tight: 0,
        confirmations: 1,
        strict: false,
    };
    let steps = [Step::Night(vec![Change::End(1)]), Step::Night(vec![Change::Vanish(1)]), Step::Night(Vec::new())];
    let mut town = Town::in_files(&setup);
    let mut world = world_of(&town);
    play(&steps, &mut world, &mut town);
}
