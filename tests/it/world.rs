//! A small world in the words of the domain: a customer, its people and pools, a clock that stands where it is put, and
//! nights. Everything real underneath: OneRoster packages in a folder, the CSV source, SQLite, the service.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use rosterd::base::{
    Actor, Calendar, CustomerId, Day, Digest, GrantId, Instant, OrgId, PersonKey, PoolId, ProductId, RuleId, Seats, SourceId,
};
use rosterd::clock::SetClock;
use rosterd::license::{
    AgreedExcess, Audience, ClaimState, Clauses, Grant, GrantKind, OnFull, OverageLimits, Pin, PinKind, Pool, Product,
    ProductKind, SeatModel,
};
use rosterd::plan::{Answer, Decision, GuardLimits, Policy, Predicate, Rule};
use rosterd::roster::IntakePolicy;
use rosterd::service::{ByHandPolicy, Customer, Feed, PoolView, Service, Verified};
use rosterd::source::{CsvSource, CsvSourceSettings, DropKind};
use rosterd::store::{NoticeRow, Opening, RunRow, RunState, SharedStore, SqliteStore, StoreChoice, Trigger, open};
use tempfile::TempDir;

use crate::cluster::Database;

/// A person as the source tells it.
#[derive(Clone, Debug, Default)]
pub struct Person {
    pub roles: Vec<(String, String)>,
    pub enrollments: Vec<Enrolled>,
    pub ended: bool,
    pub locked: bool,
    pub email: String,
    pub name: String,
    pub primary_org: Option<String>,
    /// Written with an impossible date, so that a row of the person cannot be read.
    pub broken: bool,
}

/// An enrollment: class, first day, last day (inclusive).
#[derive(Clone, Debug)]
pub struct Enrolled {
    pub class: String,
    pub first: Option<&'static str>,
    pub last: Option<&'static str>,
    pub ended: bool,
}

/// See the module.
pub struct World {
    pub dir: TempDir,
    pub policy: Policy,
    pub orgs: Vec<(String, Option<String>)>,
    /// Names of orgs that are not called after their id.
    pub org_names: BTreeMap<String, String>,
    pub classes: Vec<(String, String, String)>,
    pub people: BTreeMap<String, Person>,
    pub grants: Vec<Grant>,
    pub agreed: Vec<AgreedExcess>,
    pub bad_percent_max: u32,
    pub by_hand: ByHandPolicy,
    /// The customer has no source but files by hand.
    pub by_hand_only: bool,
    /// Rows are written in another order; 0: by id.
    pub shuffle: u64,
    pub clock: Arc<SetClock>,
    pub today: Day,
    /// Where its books are, if not in a file of its own.
    pub database: Option<Database>,
    /// What a test changes in the customer of the service.
    pub adjust: Box<dyn Fn(&mut Customer) + Sync>,
    nights: u32,
}

pub fn day(text: &str) -> Day {
    Day::parse(text).expect("a date")
}

impl World {
    /// A district `d` with no people, on Monday 2 March 2026, in UTC.
    pub fn new(customer: &str) -> Self {
        let calendar = Calendar::utc();
        let today = day("2026-03-02");
        Self {
            dir: tempfile::tempdir().expect("a folder"),
            policy: Policy {
                customer: CustomerId::from(customer),
                products: Vec::new(),
                pools: Vec::new(),
                rules: Vec::new(),
                limits: GuardLimits {
                    removal_percent: 100,
                    removal_min: 5,
                    org_removal_percent: 100,
                    org_base_min: 10,
                    rolling_days: 0,
                    growth_percent: 1_000_000,
                    change_percent: 100,
                    bootstrap_approval: false,
                    ..GuardLimits::STANDARD
                },
                guard_windows: Vec::new(),
                absence_confirmations: 2,
                pending_expire_days: 0,
                purge_after_days: Some(30),
                calendar,
                digest: Digest::default(),
            },
            orgs: vec![("d".into(), None)],
            org_names: BTreeMap::new(),
            classes: Vec::new(),
            people: BTreeMap::new(),
            grants: Vec::new(),
            agreed: Vec::new(),
            bad_percent_max: 100,
            by_hand: ByHandPolicy::default(),
            by_hand_only: false,
            database: None,
            shuffle: 0,
            clock: Arc::new(SetClock::at(Instant(i64::from(today.0) * 86_400_000 + 9_000_000))),
            today,
            adjust: Box::new(|_| ()),
            nights: 0,
        }
    }

    pub fn school(mut self, id: &str) -> Self {
        self.orgs.push((id.into(), Some("d".into())));
        self
    }

    /// A class of a school, with its subject.
    pub fn class(mut self, id: &str, school: &str, subject: &str) -> Self {
        self.classes.push((id.into(), school.into(), subject.into()));
        self
    }

    /// A product with the seat model, asked for by nothing yet.
    pub fn product(mut self, id: &str, kind: ProductKind, seat_model: SeatModel) -> Self {
        let access = self.policy.products.iter().find(|p| p.kind == ProductKind::Access).map(|p| p.id.clone());
        self.policy.products.push(Product {
            id: ProductId::from(id),
            kind,
            seat_model,
            requires: access.filter(|_| kind == ProductKind::Content),
            auto_assign: false,
            needs_acceptance: false,
            activated_for: Vec::new(),
            bundle_of: Vec::new(),
        });
        self
    }

    pub fn rule(mut self, id: &str, product: &str, priority: i32, when: Predicate) -> Self {
        self.policy.rules.push(Rule { id: RuleId::from(id), product: ProductId::from(product), priority, when });
        self
    }

    /// The role `role` asks for the product.
    pub fn role_rule(self, role: &str, product: &str) -> Self {
        self.rule(&format!("{role}-{product}"), product, 0, Predicate::Role(vec![role.into()]))
    }

    /// A pool named like its product, owned by `owner`, with `seats` bought since ever; `None`: unlimited.
    pub fn pool(self, product: &str, owner: &str, seats: Option<u32>, on_full: OnFull) -> Self {
        self.pool_named(product, product, owner, seats, on_full)
    }

    pub fn pool_named(mut self, id: &str, product: &str, owner: &str, seats: Option<u32>, on_full: OnFull) -> Self {
        self.policy.pools.push(Pool {
            id: PoolId::from(id),
            product: ProductId::from(product),
            owner: OrgId::from(owner),
            audience: Audience::Any,
            unlimited: seats.is_none(),
            on_full,
            overage: OverageLimits::CONTRACT,
            clauses: Clauses::CONTRACT,
            reservations: Vec::new(),
            calendar: self.policy.calendar.clone(),
            anchor: None,
            renewal: Default::default(),
            reuse: Default::default(),
        });
        if let Some(seats) = seats {
            self.grants.push(grant(&format!("{id}-first"), id, i64::from(seats), Instant::MIN, Instant::MAX));
        }
        self
    }

    /// A person with a role in an org.
    pub fn person(mut self, key: &str, role: &str, org: &str) -> Self {
        self.hire(key, role, org);
        self
    }

    pub fn hire(&mut self, key: &str, role: &str, org: &str) {
        let person = self.people.entry(key.into()).or_default();
        person.roles.push((role.into(), org.into()));
        person.ended = false;
    }

    pub fn enroll(&mut self, key: &str, class: &str, first: Option<&'static str>, last: Option<&'static str>) {
        let person = self.people.entry(key.into()).or_default();
        person.enrollments.push(Enrolled { class: class.into(), first, last, ended: false });
    }

    /// The source ends the person explicitly.
    pub fn end(&mut self, key: &str) {
        self.people.get_mut(key).expect("a person").ended = true;
    }

    /// The person is simply not in the files any more.
    pub fn vanish(&mut self, key: &str) {
        self.people.remove(key);
    }

    pub fn drop_folder(&self) -> PathBuf {
        self.dir.path().join("drop")
    }

    /// The service as a process would build it now.
    pub fn service(&self) -> Service {
        let store: SharedStore = match &self.database {
            Some(database) => open(&StoreChoice::Postgres(database.choice()), Opening::Daemon).expect("a store"),
            None => Arc::new(self.store()),
        };
        Service::new(store, self.clock.clone(), vec![self.customer()]).looking_back()
    }

    pub fn store(&self) -> SqliteStore {
        SqliteStore::open(&self.dir.path().join("rosterd.db")).expect("a store")
    }

    /// A connection that knows nothing of the store's rules.
    pub fn raw(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.dir.path().join("rosterd.db")).expect("opens")
    }

    /// Makes it look as if the processes that began runs so far had died.
    pub fn all_die(&self) {
        self.raw().execute("UPDATE runs SET process = 'another-boot pid:[1] 1 1'", []).expect("written");
    }

    /// The customer as the settings would describe it now.
    pub fn customer(&self) -> Customer {
        let mut policy = self.policy.clone();
        policy.digest = Digest::of(format!("{:?}", Policy { digest: Digest::default(), ..policy.clone() }).as_bytes());
        fs::create_dir_all(self.drop_folder()).expect("a folder");
        let mut settings = CsvSourceSettings::new(SourceId::from("sis"), self.drop_folder(), DropKind::Drop);
        settings.settle_secs = 0;
        settings.courses_optional = true;
        settings.bulk_with_status = rosterd::source::BulkWithStatus::Full;
        settings.trace_bytes_min = 0;
        let mut customer = Customer {
            name: self.policy.customer.to_string(),
            policy,
            sources: vec![Feed {
                source: Arc::new(CsvSource::new(settings)),
                intake: IntakePolicy { lenient: false, courses_optional: true },
                watched: true,
                activity_column: None,
            }],
            same_person: Vec::new(),
            grants: self.grants.clone(),
            agreed: self.agreed.clone(),
            terms: Vec::new(),
            bad_percent_max: self.bad_percent_max,
            nightly: None,
            catchup_window_hours: 12,
            stale_after_hours: 36,
            full_every_days: 7,
            same_day_max: 6,
            latency_target_secs: 300,
            pauses: Vec::new(),
            quiet: Vec::new(),
            by_hand: self.by_hand.clone(),
            // Stories count what is told; that it is told again has a story of its own.
            reports: rosterd::service::ReportPolicy { remind_business_days: 0, ..rosterd::service::ReportPolicy::default() },
        };
        if self.by_hand_only {
            customer.sources.clear();
        }
        (self.adjust)(&mut customer);
        customer
    }

    /// Writes tonight's package and runs it; the clock then stands on the next day.
    pub fn night(&mut self) -> RunRow {
        self.write_package();
        let run = self.run();
        self.next_day();
        run
    }

    /// A night without a new package.
    pub fn quiet_night(&mut self) -> RunRow {
        let run = self.run();
        self.next_day();
        run
    }

    pub fn run(&self) -> RunRow {
        let service = self.service();
        let customer = &service.customers()[0];
        let run = service.sync(customer, &Trigger::Nightly(self.today), &|_| ()).expect("a run");
        println!("{} {} {}", self.today, run.state, run.message);
        for finding in service.store().findings(run.run, 0, 3).expect("findings") {
            println!("  {}:{} {} {}", finding.file, finding.row, finding.rule, finding.detail);
        }
        run
    }

    pub fn next_day(&mut self) {
        self.set_day(self.today.plus(1));
    }

    pub fn set_day(&mut self, today: Day) {
        self.today = today;
        self.clock.set(Instant(i64::from(today.0) * 86_400_000 + 9_000_000));
    }

    pub fn decide(&self, decision: Decision) -> Answer {
        let service = self.service();
        service.decide(&service.customers()[0], &Actor::operator("test"), &decision).expect("an answer").answer
    }

    pub fn pin(&self, person: &str, pool: &str, kind: PinKind) -> Pin {
        Pin {
            person: PersonKey::from(person),
            pool: PoolId::from(pool),
            kind,
            by: Actor::operator("test"),
            at: rosterd::clock::Clock::now(&*self.clock),
            reason: "because".into(),
            until: Day::MAX,
        }
    }

    pub fn assign(&self, person: &str, pool: &str) -> Answer {
        self.decide(Decision::Pin { pin: self.pin(person, pool, PinKind::Assign), insist: false })
    }

    pub fn buy(&self, id: &str, pool: &str, seats: i64, from: &str) -> Answer {
        let from = Instant(i64::from(day(from).0) * 86_400_000);
        self.decide(Decision::Grant(Grant {
            recorded: rosterd::clock::Clock::now(&*self.clock),
            ..grant(id, pool, seats, from, Instant::MAX)
        }))
    }

    pub fn view(&self, pool: &str) -> PoolView {
        let service = self.service();
        let pools = service.pools(&service.customers()[0]).expect("pools");
        pools.into_iter().find(|view| view.pool.as_str() == pool).expect("the pool")
    }

    pub fn used(&self, pool: &str) -> u32 {
        self.view(pool).used().0
    }

    pub fn balance(&self, pool: &str) -> i64 {
        self.view(pool).balance.expect("a limit").0
    }

    /// State of a person's claim in a pool.
    pub fn state(&self, person: &str, pool: &str) -> Option<ClaimState> {
        let service = self.service();
        let (names, claims) = service.store().claims_of(&self.policy.customer, person).expect("claims");
        claims.iter().find(|c| names.pool_of(c).as_str() == pool).map(|c| c.state)
    }

    /// Keys of people with a consuming claim in a pool, sorted.
    pub fn seated(&self, pool: &str) -> Vec<String> {
        let service = self.service();
        let standing = service.store().standing(&self.policy.customer).expect("books");
        let book = &standing.book;
        (0..book.people.len())
            .filter(|&at| book.claims_at(at).iter().any(|c| c.state.consumes() && book.names.pool_of(c).as_str() == pool))
            .map(|at| book.key(at).to_owned())
            .collect()
    }

    /// Notices of events, newest first: without those that tell how pools stand.
    pub fn events(&self) -> Vec<NoticeRow> {
        let all = self.service().store().notices(None, 1000).expect("notices");
        all.into_iter()
            .filter(|notice| !matches!(notice.kind.as_str(), "compliance_changed" | "near_limit" | "people_wait"))
            .collect()
    }

    /// The books are proved by a replay from the first entry.
    pub fn verify(&self) {
        let service = self.service();
        let report = service.verify(&service.customers()[0]).expect("a report");
        assert_eq!(report.verified, Verified::Clean);
    }

    pub fn org_name(&self, id: &str) -> String {
        self.org_names.get(id).cloned().unwrap_or_else(|| format!("Org {id}"))
    }

    pub fn write_package(&mut self) {
        self.nights += 1;
        let dir = self.drop_folder().join(format!("{:05}-{}", self.nights, self.today));
        fs::create_dir_all(&dir).expect("a folder");
        for (file, text) in self.files() {
            fs::write(dir.join(file), self.shuffled(&text)).expect("a file");
        }
    }

    /// A file with its rows in another order.
    fn shuffled(&self, text: &str) -> String {
        let mut rows: Vec<&str> = text.lines().collect();
        let mut state = self.shuffle;
        for at in (2..rows.len()).rev().take_while(|_| self.shuffle > 0) {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            rows.swap(at, 1 + (state >> 33) as usize % at);
        }
        rows.join("\n") + "\n"
    }

    fn files(&self) -> Vec<(&'static str, String)> {
        let ended = |ended: bool| if ended { "tobedeleted,2026-01-01T00:00:00.000Z" } else { "," };
        let mut orgs = "sourcedId,status,dateLastModified,name,type,identifier,parentSourcedId\n".to_owned();
        for (id, parent) in &self.orgs {
            let kind = if parent.is_none() { "district" } else { "school" };
            let name = self.org_name(id).replace('"', "\"\"");
            orgs += &format!("{id},,,\"{name}\",{kind},,{}\n", parent.as_deref().unwrap_or(""));
        }
        let sessions = "sourcedId,status,dateLastModified,title,type,startDate,endDate,parentSourcedId,schoolYear\n\
                        y,,,Year,schoolYear,2020-08-01,2099-08-01,,2099\n";
        let courses = "sourcedId,status,dateLastModified,schoolYearSourcedId,title,courseCode,grades,orgSourcedId,subjects,subjectCodes\n\
                       co,,,y,Course,C1,,d,,\n";
        let mut classes = "sourcedId,status,dateLastModified,title,grades,courseSourcedId,classCode,classType,location,schoolSourcedId,termSourcedIds,subjects,subjectCodes,periods\n".to_owned();
        let mut all_classes = self.classes.clone();
        if all_classes.is_empty()
            && let Some((school, _)) = self.orgs.iter().find(|(_, parent)| parent.is_some())
        {
            all_classes.push(("any".into(), school.clone(), "any".into()));
        }
        for (id, school, subject) in &all_classes {
            classes += &format!("{id},,,Class {id},,co,,scheduled,,{school},y,{subject},,\n");
        }
        let mut users = "sourcedId,status,dateLastModified,enabledUser,username,userIds,givenName,familyName,middleName,identifier,email,sms,phone,agentSourcedIds,grades,password,userMasterIdentifier,preferredGivenName,preferredMiddleName,preferredFamilyName,primaryOrgSourcedId,pronouns\n".to_owned();
        let mut roles = "sourcedId,status,dateLastModified,userSourcedId,roleType,role,beginDate,endDate,orgSourcedId,userProfileSourcedId\n".to_owned();
        let mut enrollments =
            "sourcedId,status,dateLastModified,classSourcedId,schoolSourcedId,userSourcedId,role,primary,beginDate,endDate\n"
                .to_owned();
        let mut rows = 0;
        for (key, person) in &self.people {
            let name = if person.name.is_empty() { key } else { &person.name };
            users += &format!(
                "{key},{},{},{key},,{name},Test,,,{},,,,,secret,,,,,{},\n",
                ended(person.ended),
                !person.locked,
                person.email,
                person.primary_org.as_deref().unwrap_or(""),
            );
            for (at, (role, org)) in person.roles.iter().enumerate() {
                let begin = if person.broken { "1/05/2023" } else { "" };
                roles += &format!("r-{key}-{at},,,{key},primary,{role},{begin},,{org},\n");
            }
            for (at, e) in person.enrollments.iter().enumerate() {
                let school = all_classes.iter().find(|(id, _, _)| *id == e.class).map_or("", |(_, school, _)| school);
                let last = e.last.map_or(String::new(), |last| day(last).plus(1).to_string());
                rows += 1;
                enrollments += &format!(
                    "e-{key}-{at},{},{},{school},{key},student,,{},{last}\n",
                    ended(e.ended),
                    e.class,
                    e.first.unwrap_or("")
                );
            }
        }
        if let (0, Some(key), Some((class, school, _))) = (rows, self.people.keys().next(), all_classes.first()) {
            // A complete package has enrollments: one that ended long ago says so without giving anybody anything.
            rows = 1;
            enrollments += &format!("e-none,tobedeleted,2026-01-01T00:00:00.000Z,{class},{school},{key},student,,,\n");
        }
        let mut files =
            vec![("orgs.csv", orgs), ("academicSessions.csv", sessions.to_owned()), ("courses.csv", courses.to_owned())];
        if !all_classes.is_empty() {
            files.push(("classes.csv", classes));
        }
        if !self.people.is_empty() {
            files.push(("users.csv", users));
            files.push(("roles.csv", roles));
        }
        if rows > 0 {
            files.push(("enrollments.csv", enrollments));
        }
        let manifest = manifest("bulk", |name| files.iter().any(|(file, _)| file.strip_suffix(".csv") == Some(name)));
        files.push(("manifest.csv", manifest));
        files
    }
}

/// A manifest that declares the files told of as `mode` and all others as absent (oneroster-csv §3).
pub fn manifest(mode: &str, is_told: impl Fn(&str) -> bool) -> String {
    let all = [
        "academicSessions",
        "categories",
        "classes",
        "classResources",
        "courses",
        "courseResources",
        "demographics",
        "enrollments",
        "lineItemLearningObjectiveIds",
        "lineItems",
        "lineItemScoreScales",
        "orgs",
        "resources",
        "resultLearningObjectiveIds",
        "results",
        "resultScoreScales",
        "roles",
        "scoreScales",
        "userProfiles",
        "userResources",
        "users",
    ];
    let mut text = "propertyName,value\nmanifest.version,1.0\noneroster.version,1.2\n".to_owned();
    for name in all {
        text += &format!("file.{name},{}\n", if is_told(name) { mode } else { "absent" });
    }
    text
}

pub fn grant(id: &str, pool: &str, seats: i64, from: Instant, to: Instant) -> Grant {
    Grant {
        id: GrantId::from(id),
        pool: PoolId::from(pool),
        seats,
        from,
        to,
        recorded: Instant::MIN,
        by: Actor::operator("test"),
        kind: GrantKind::Purchase,
        reference: "PO".into(),
    }
}

pub fn seats(count: u32) -> Seats {
    Seats(count)
}

pub fn succeeded(run: &RunRow) -> bool {
    matches!(run.state, RunState::Succeeded | RunState::SucceededWithErrors)
}
