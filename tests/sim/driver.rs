//! The simulation: the program as a daemon would run it, step by step, with the auditor beside it.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use rosterd::base::{Actor, Day, Digest, GrantId, Instant, PersonKey, PoolId, RunId, Seats, SourceId, Version};
use rosterd::cli::customers;
use rosterd::clock::SetClock;
use rosterd::license::{AgreedExcess, Grant, GrantKind, Pin, PinKind};
use rosterd::plan::{self, Answer};
use rosterd::service::{
    HoldAnswer, ImportAnswer, ImportReport, ImportRequest, RevertAnswer, SameDayAnswer, Service, TokenRefusal, Verified,
};
use rosterd::settings::{Settings, load_with};
use rosterd::store::{
    Asked, AuditCommit, Opening, Pause, RequestRow, RequestState, RunRow, RunState, SharedStore, SqliteStore, Store,
    StoreChoice, Trigger, open,
};
use tempfile::TempDir;

use crate::cluster::Database;
use crate::sim::auditor::books::{Auditor, HoldState, State};
use crate::sim::auditor::hands::{Decision, Said};
use crate::sim::auditor::holding::HoldSaid;
use crate::sim::auditor::importing::{File, Imported};
use crate::sim::auditor::night::Night;
use crate::sim::auditor::undoing::{Done, Undoing};
use crate::sim::dying::Dying;
use crate::sim::eye::{Numbers, compare};
use crate::sim::facts::{Package, Setup};
use crate::sim::files::{people_file, settings};
use crate::sim::prng::Dice;

/// How the simulation goes on; the error is what differs.
pub type Step<T = ()> = Result<T, String>;

/// A run that wrote something: its id, what version it made, what it did.
#[derive(Clone)]
pub struct Undoable {
    run: RunId,
    version: Version,
    done: Arc<Done>,
}

/// So many runs back are kept to be undone.
const RUNS_KEPT: usize = 5;

/// See the module.
pub struct Sim {
    pub dice: Dice,
    pub setups: Vec<Setup>,
    pub auditors: Vec<Auditor>,
    /// What happened, oldest first.
    pub events: Vec<String>,
    pub deaths: u32,
    folder: TempDir,
    /// Instead of a file in the folder.
    database: Option<Database>,
    settings: Settings,
    clock: Arc<SetClock>,
    numbers: Vec<Numbers>,
    /// Runs that can be undone, by customer, oldest first.
    runs: Vec<Vec<Undoable>>,
    store: Arc<Dying>,
    service: Service,
    /// Another node on the same books; they take turns.
    beside: Option<(Arc<Dying>, Service)>,
    has_beside: bool,
}

/// A memory filesystem spares the wait for the disk at each of thousands of commits; where there is none, any folder does.
fn folder() -> TempDir {
    tempfile::Builder::new().prefix("rosterd-sim").tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).expect("a folder")
}

/// The store, opened as by another process.
fn opened(database: Option<&Database>, folder: &TempDir) -> SharedStore {
    match database {
        Some(database) => {
            let choice = StoreChoice::Postgres(database.choice());
            open(&choice, Opening::Daemon).unwrap_or_else(|error| panic!("{error:?}"))
        }
        None => Arc::new(SqliteStore::open(&folder.path().join("rosterd.db")).expect("a store")),
    }
}

fn operator() -> Actor {
    Actor::operator("sim")
}

impl Sim {
    pub fn new(dice: Dice, setups: Vec<Setup>, now: Instant, database: Option<Database>, nodes: u32) -> Self {
        let folder = folder();
        let file = folder.path().join("rosterd.toml");
        std::fs::write(&file, settings(&setups)).expect("a file");
        let loaded = load_with(Some(&file), []).unwrap_or_else(|error| panic!("{error}: {}", settings(&setups)));
        for setup in &setups {
            std::fs::create_dir_all(folder.path().join(setup.id)).expect("a folder");
        }
        let clock = Arc::new(SetClock::at(now));
        let store = Arc::new(Dying::new(opened(database.as_ref(), &folder), None, false));
        let service = Service::new(store.clone(), clock.clone(), customers(&loaded));
        Self {
            dice,
            auditors: setups.iter().map(Auditor::new).collect(),
            numbers: vec![Numbers::default(); setups.len()],
            runs: vec![Vec::new(); setups.len()],
            setups,
            events: Vec::new(),
            deaths: 0,
            folder,
            database,
            settings: loaded,
            clock,
            store,
            service,
            beside: None,
            has_beside: nodes > 1,
        }
    }

    /// What comes next the other node does, if there is one.
    fn turn(&mut self) {
        if let Some((store, service)) = &mut self.beside {
            std::mem::swap(&mut self.store, store);
            std::mem::swap(&mut self.service, service);
        }
    }

    /// Every commit of every customer.
    pub fn history(&self) -> Vec<(String, Version, Digest)> {
        let mut history = Vec::new();
        for customer in self.store.customers().expect("the customers") {
            let note = &mut |commit: AuditCommit| {
                history.push((customer.to_string(), commit.version, commit.hash));
                Ok(())
            };
            self.store.audit(&customer, Version(0), note).expect("the trail");
        }
        history
    }

    pub fn drop_folder(&self, at: usize) -> PathBuf {
        self.folder.path().join(self.setups[at].id)
    }

    pub fn now(&self) -> Instant {
        self.service.now()
    }

    pub fn set(&mut self, now: Instant) {
        self.clock.set(now);
        self.tell(format!("— {now}"));
    }

    pub fn tell(&mut self, event: impl Into<String>) {
        self.events.push(event.into());
    }

    fn tell_of(&mut self, at: usize, event: String) {
        let id = self.setups[at].id;
        self.tell(format!("{id}: {event}"));
    }

    pub fn feed(&mut self, at: usize, package: Package, told: &str) {
        self.tell_of(at, format!("package {}, {told}", package.name));
        self.auditors[at].packages.push(package);
    }

    // ---- starting, dying ----

    /// A daemon starts: on the same file, and with a life of its own.
    pub fn start(&mut self, mortal: bool) {
        loop {
            let life = (mortal && self.dice.chance(40)).then(|| self.dice.between(0, 90) as u32);
            let store = opened(self.database.as_ref(), &self.folder);
            self.store = Arc::new(Dying::new(store, life, self.dice.chance(50)));
            self.service = Service::new(self.store.clone(), self.clock.clone(), customers(&self.settings));
            self.beside = self.has_beside.then(|| {
                let store = Arc::new(self.store.beside(opened(self.database.as_ref(), &self.folder)));
                (store.clone(), Service::new(store, self.clock.clone(), customers(&self.settings)))
            });
            // The one before was another process.
            match &self.database {
                Some(database) => database.raw().batch_execute("DELETE FROM nodes").expect("written"),
                None => {
                    let raw = rusqlite::Connection::open(self.folder.path().join("rosterd.db")).expect("opens");
                    raw.execute("UPDATE runs SET process = 'another-boot pid:[1] 1 1'", []).expect("written");
                }
            }
            let recovered = self.service.recover(self.now());
            if !self.store.is_dead() {
                recovered.expect("a recovery");
                return;
            }
            self.deaths += 1;
        }
    }

    /// If the process died, another one starts.
    fn died(&mut self) -> bool {
        let dead = self.store.is_dead();
        if dead {
            self.deaths += 1;
            self.tell("  the process dies; another one starts");
            self.start(true);
        }
        dead
    }

    /// After a death the books are as before or as after what was being done, and nothing between (R101, I13); the
    /// position of the neighbor they are.
    fn settle(&mut self, at: usize, neighbors: Vec<Auditor>) -> Step<usize> {
        let mut differences = Vec::new();
        for (place, neighbor) in neighbors.into_iter().enumerate().rev() {
            let mut numbers = self.numbers[at].clone();
            match compare(&self.service, &self.service.customers()[at], &neighbor, &mut numbers) {
                Ok(()) => {
                    self.auditors[at] = neighbor;
                    self.numbers[at] = numbers;
                    // Which packages were turned away is written down beside the books.
                    let source = SourceId::from("sis");
                    let customer = self.service.customers()[at].id();
                    let written = self.service.store().rejected(customer, &source).expect("they are there").len();
                    self.auditors[at].rejected.truncate(written);
                    return Ok(place);
                }
                Err(difference) => differences.push(difference),
            }
        }
        Err(format!("after a death the books are none of the neighbors:\n{}", differences.join("\n")))
    }

    pub fn check(&mut self, at: usize) -> Step {
        compare(&self.service, &self.service.customers()[at], &self.auditors[at], &mut self.numbers[at])
    }

    // ---- the daemon's work ----

    /// The minute comes: what is due is put in line, and all of it is done.
    pub fn minute(&mut self) -> Step {
        self.turn();
        let now = self.now();
        let expected: usize = self.auditors.iter_mut().map(|auditor| auditor.tick(now)).sum();
        loop {
            let ticked = self.service.tick();
            if self.died() {
                continue;
            }
            if let Some(error) = ticked.errors.first() {
                return Err(format!("the minute failed: {error:?}"));
            }
            if self.deaths == 0 && ticked.asked.len() != expected {
                return Err(format!("runs that are due\n  program: {:?}\n  auditor: {expected}", ticked.asked));
            }
            break;
        }
        self.work()
    }

    fn place_of(&self, id: &str) -> usize {
        self.setups.iter().position(|setup| setup.id == id).expect("a customer")
    }

    /// Everything in line is done.
    pub fn work(&mut self) -> Step {
        loop {
            self.turn();
            let taken = self.service.take_request();
            if self.died() {
                continue;
            }
            let Some(request) = taken.map_err(|error| format!("no request could be taken: {error:?}"))? else { break };
            let at = self.place_of(request.customer.as_str());
            let now = self.now();
            let before = self.auditors[at].clone();
            let Some(wish) = before.line.first().cloned() else {
                return Err(format!("nobody wished for the run {:?} of {}", request.trigger, request.customer));
            };
            let reads = !matches!(request.trigger, Trigger::Dates(_));
            let confirms = matches!(&request.trigger, Trigger::SameDay(asked) if asked.confirm_absences);
            if (reads, confirms) != (wish.reads, wish.confirms) {
                return Err(format!("the run {:?} of {} instead of {wish:?}", request.trigger, request.customer));
            }
            // What came due since the last look is a commit of its own.
            let mut passed = before.clone();
            passed.pass_time(now);
            let mut after = passed.clone();
            let night = after.run(wish.reads, wish.confirms, now);
            self.tell_of(at, format!("{} run: {night:?} {:?}", request.trigger.word(), after.trips));
            let done = self.service.fulfil(&request, &|_| ());
            if self.died() {
                self.settle(at, vec![before, passed, after])?;
                let row = self.service.store().request_row(request.request).expect("a row").expect("a row");
                if row.state == RequestState::Done {
                    self.auditors[at].fulfilled(now);
                    self.look_again(at, night, wish.confirms)?;
                } else if self.has_asked_on(&request) {
                    self.auditors[at].ask_behind();
                }
                continue;
            }
            let run = done.map_err(|error| format!("the run failed: {error:?}"))?.expect("the customer is there");
            self.judge_run(&passed, &after, night, &run)?;
            self.keep(at, &run, &passed, &after);
            after.fulfilled(now);
            after.follow_up(night, wish.confirms, now);
            self.auditors[at] = after;
            self.check(at)?;
        }
        match self.auditors.iter().find(|auditor| !auditor.line.is_empty()) {
            Some(auditor) => Err(format!("{:?} of {} was not done", auditor.line, auditor.setup.id)),
            None => Ok(()),
        }
    }

    /// What a run says of itself (R102, R109).
    fn judge_run(&self, before: &Auditor, after: &Auditor, night: Night, run: &RunRow) -> Step {
        let told = match (night, run.state) {
            (Night::Unusable, RunState::Held | RunState::Failed) => true,
            (Night::Held, state) => state == RunState::Held,
            (_, RunState::Succeeded) => {
                // Never where somebody ought to have a seat and has none.
                let waits = |(key, claim): (&(String, usize), &crate::sim::auditor::books::Claim)| {
                    claim.state == State::Waiting && after.active(&key.0).is_some()
                };
                !after.claims.iter().any(waits)
            }
            (_, state) => state == RunState::SucceededWithErrors,
        };
        if !told {
            let waits =
                after.claims.iter().filter(|(key, claim)| claim.state == State::Waiting && after.active(&key.0).is_some());
            let waits: Vec<_> = waits.collect();
            let (state, message) = (run.state, &run.message);
            return Err(format!("how the run ended\n  program: {state} ({message})\n  auditor: {night:?}, waiting: {waits:?}"));
        }
        let state = |a: &Auditor| {
            let books = (a.claims.clone(), a.missing.clone(), a.closed.clone(), a.episodes.clone());
            (books, a.hold.clone(), a.mark.clone(), a.days.clone(), a.begun)
        };
        if run.version.is_some() && state(before) == state(after) {
            let mut wrote = Vec::new();
            let note = &mut |commit: AuditCommit| {
                wrote = commit.entries;
                Ok(())
            };
            self.store.audit(&run.customer, Version(0), note).expect("the trail");
            return Err(format!("a run that changed nothing wrote version {:?} (R102): {wrote:?}", run.version));
        }
        Ok(())
    }

    /// Whether whoever died had asked for the packages that were still waiting, but not said yet that its request was done.
    fn has_asked_on(&self, request: &RequestRow) -> bool {
        let drops = self.service.store().unsettled_drops(&request.customer).expect("the requests");
        drops.iter().any(|drop| drop.request > request.request && drop.state == RequestState::Queued)
    }

    /// Whoever died may or may not have asked for the packages that are still waiting; the next daemon's first look at the
    /// drop folders asks again.
    fn look_again(&mut self, at: usize, night: Night, confirms: bool) -> Step {
        let now = self.now();
        loop {
            if !self.auditors[at].waits(now) {
                return Ok(());
            }
            let asked = self.service.request_sync(&self.service.customers()[at], &Trigger::Drop);
            if self.died() {
                continue;
            }
            let (_, is_new) = asked.expect("a request");
            self.auditors[at].follow_up(night, confirms && !is_new, now);
            self.auditors[at].ask_drop();
            return Ok(());
        }
    }

    /// A look at the drop folders: packages that arrived make a run.
    pub fn look(&mut self, at: usize) -> Step {
        let now = self.now();
        let arrivals = loop {
            let found = self.service.arrivals(&self.service.customers()[at]).expect("a folder");
            if !found.is_empty() {
                let asked = self.service.request_sync(&self.service.customers()[at], &Trigger::Drop);
                if self.died() {
                    continue;
                }
                asked.expect("a request");
            }
            break found;
        };
        let auditor = &mut self.auditors[at];
        let expected = auditor.waits(now);
        if !arrivals.is_empty() {
            auditor.ask_drop();
        }
        if arrivals.is_empty() == expected {
            return Err(format!("packages that wait\n  program: {arrivals:?}\n  auditor: {expected}"));
        }
        self.work()
    }

    // ---- people at desks ----

    pub fn decide(&mut self, at: usize, decision: &Decision) -> Step {
        self.tell_of(at, format!("{decision:?}"));
        loop {
            let now = self.now();
            let before = self.auditors[at].clone();
            let mut passed = before.clone();
            passed.pass_time(now);
            let mut after = passed.clone();
            let said = after.decide(decision, now);
            let asked = self.in_program(at, decision);
            let done = self.service.decide(&self.service.customers()[at], &operator(), &asked);
            if self.died() {
                if self.settle(at, vec![before, passed, after])? == 2 {
                    return Ok(());
                }
                continue;
            }
            let answer = done.map_err(|error| format!("the decision failed: {error:?}"))?.answer;
            let heard = match answer {
                Answer::Done => Some(Said::Done),
                Answer::AlreadySo => Some(Said::AlreadySo),
                Answer::PoolExhausted { .. } => Some(Said::Exhausted),
                Answer::NotServed => Some(Said::NotServed),
                Answer::NeedsAccess => Some(Said::NeedsAccess),
                Answer::NoClaim => Some(Said::NoClaim),
                Answer::UnknownPerson => Some(Said::Unknown),
                _ => None,
            };
            if heard != Some(said) {
                return Err(format!("the answer to {decision:?}\n  program: {answer:?}\n  auditor: {said:?}"));
            }
            self.auditors[at] = after;
            return self.check(at);
        }
    }

    fn in_program(&self, at: usize, decision: &Decision) -> plan::Decision {
        let pool = |pool: usize| PoolId::from(self.setups[at].pools[pool].id);
        let pin = |person: &str, of: usize, kind, until| Pin {
            person: PersonKey::from(person),
            pool: pool(of),
            kind,
            by: operator(),
            at: self.now(),
            reason: "because".to_owned(),
            until,
        };
        match decision {
            Decision::Assign { person, pool, until, insist } => {
                plan::Decision::Pin { pin: pin(person, *pool, PinKind::Assign, *until), insist: *insist }
            }
            Decision::Deny { person, pool, until } => {
                plan::Decision::Pin { pin: pin(person, *pool, PinKind::Deny, *until), insist: false }
            }
            Decision::Unpin { person, pool: of } => {
                plan::Decision::Unpin { person: PersonKey::from(person.as_str()), pool: pool(*of) }
            }
            Decision::Transfer { give, take, pool } => plan::Decision::Transfer {
                give: pin(give, *pool, PinKind::Deny, Day::MAX),
                take: pin(take, *pool, PinKind::Assign, Day::MAX),
            },
            Decision::Accept { person, pool: of } => {
                plan::Decision::Accept { person: PersonKey::from(person.as_str()), pool: pool(*of) }
            }
            Decision::Buy { id, pool: of, seats, from, to } => plan::Decision::Grant(Grant {
                id: GrantId::from(id.as_str()),
                pool: pool(*of),
                seats: *seats,
                from: *from,
                to: *to,
                recorded: self.now(),
                by: operator(),
                kind: GrantKind::Purchase,
                reference: "PO".to_owned(),
            }),
            Decision::Agree { id, pool: of, seats, from, to } => plan::Decision::AgreedExcess(AgreedExcess {
                id: GrantId::from(id.as_str()),
                pool: pool(*of),
                seats: Seats(*seats),
                from: *from,
                to: *to,
                recorded: self.now(),
                by: operator(),
                reference: "letter".to_owned(),
            }),
        }
    }

    /// Somebody approves the newest hold, but for some people, or rejects it.
    pub fn decide_hold(&mut self, at: usize, approve: bool, exceptions: &BTreeSet<String>, allow_empty: bool) -> Step {
        self.tell_of(at, format!("hold: approve {approve}, but for {exceptions:?}, also if empty {allow_empty}"));
        loop {
            let now = self.now();
            let before = self.auditors[at].clone();
            let mut passed = before.clone();
            passed.pass_time(now);
            let mut decided = passed.clone();
            let said = decided.decide_hold(approve, exceptions, allow_empty, now);
            let mut after = decided.clone();
            if said == HoldSaid::Done && approve {
                after.run(true, false, now);
            }
            let id = self.service.customers()[at].id().clone();
            let run = self.service.store().holds(&id).expect("the holds").first().expect("a hold").run;
            let keys: Vec<PersonKey> = exceptions.iter().map(|key| PersonKey::from(key.as_str())).collect();
            let done = if approve {
                self.service.approve_hold(run, &operator(), &keys, allow_empty, &|_| ())
            } else {
                self.service.reject_hold(run, &operator())
            };
            if self.died() {
                if self.settle(at, vec![before, passed, decided.clone(), after])? > 1 {
                    return Ok(());
                }
                continue;
            }
            let done = done.map_err(|error| format!("the decision failed: {error:?}"))?;
            let answer = done.answer;
            let heard = match answer {
                HoldAnswer::Done => Some(HoldSaid::Done),
                HoldAnswer::NotOpen(_) => Some(HoldSaid::NotOpen),
                HoldAnswer::Expired => Some(HoldSaid::Expired),
                HoldAnswer::NeedsAllowEmpty => Some(HoldSaid::NeedsAllowEmpty),
                HoldAnswer::NotCovered(_) => None,
            };
            if heard != Some(said) {
                return Err(format!("the answer to a decision on a hold\n  program: {answer:?}\n  auditor: {said:?}"));
            }
            if let Some(run) = &done.run {
                self.keep(at, run, &decided, &after);
            }
            self.auditors[at] = after;
            return self.check(at);
        }
    }

    /// Keeps a run that wrote something, to be undone later.
    fn keep(&mut self, at: usize, run: &RunRow, before: &Auditor, after: &Auditor) {
        let Some(version) = run.version else { return };
        let done = after.done_since(before);
        self.runs[at].push(Undoable { run: run.run, version, done });
        let many = self.runs[at].len().saturating_sub(RUNS_KEPT);
        self.runs[at].drain(..many);
    }

    /// Somebody takes a file of people in: it is shown first, and confirmed with the token of that (R133, R134).
    pub fn import(&mut self, at: usize, file: &File) -> Step {
        let told: (Vec<_>, Vec<_>) = (file.created.keys().collect(), file.updated.keys().collect());
        self.tell_of(at, format!("file: makes and changes {told:?}, removes {:?}, of all {}", file.removed, file.synchronize));
        let text = people_file(&self.auditors[at].made(), file);
        loop {
            let now = self.now();
            let before = self.auditors[at].clone();
            let mut passed = before.clone();
            passed.pass_time(now);
            let mut after = passed.clone();
            let foreseen = after.import(file, now);
            let customer = &self.service.customers()[at];
            let request = ImportRequest {
                file: "people.csv",
                bytes: text.as_bytes(),
                synchronize: file.synchronize,
                org: None,
                by: None,
                actor: operator(),
            };
            let shown = self.service.preview_import(customer, &request);
            if self.died() {
                continue;
            }
            let shown = shown.map_err(|error| format!("the file could not be shown: {error:?}"))?;
            let held = shown.plan.as_ref().is_some_and(|plan| !plan.verdict.proceeds());
            let created = match foreseen {
                Imported::Fine(created) if !held => created,
                Imported::Held if held => return self.check(at),
                Imported::Nothing if !held => return self.check(at),
                other => {
                    let verdict = shown.plan.as_ref().map(|plan| &plan.verdict);
                    return Err(format!("what a file comes to\n  program: {verdict:?}\n  auditor: {other:?}"));
                }
            };
            let ImportReport { created: makes, updated, removed, .. } = &shown.report;
            let program = (makes.clone(), updated.clone(), removed.clone());
            let auditor: (Vec<String>, Vec<String>, Vec<String>) =
                (created.into_iter().collect(), file.updated.keys().cloned().collect(), file.removed.iter().cloned().collect());
            if program != auditor {
                return Err(format!("who is made, changed, removed\n  program: {program:?}\n  auditor: {auditor:?}"));
            }
            self.check(at)?;
            let customer = &self.service.customers()[at];
            let token = shown.token.ok_or("a preview without a token")?;
            let answer = self.service.confirm_import(customer, &request, &token);
            if self.died() {
                if self.settle(at, vec![before, passed, after])? == 2 {
                    return Ok(());
                }
                continue;
            }
            let run = match answer.map_err(|error| format!("the file could not be taken in: {error:?}"))? {
                ImportAnswer::Done(import) => import.run,
                ImportAnswer::Refused(why) => return Err(format!("a token that was just given is refused: {why:?}")),
            };
            match self.service.confirm_import(&self.service.customers()[at], &request, &token) {
                Ok(ImportAnswer::Refused(TokenRefusal::Used)) => {}
                other => return Err(format!("a token works twice (T17): {other:?}")),
            }
            self.keep(at, &run, &passed, &after);
            self.auditors[at] = after;
            return self.check(at);
        }
    }

    /// What is taken out and read back unedited changes nobody (R135).
    pub fn round_trip(&mut self, at: usize) -> Step {
        let customer = &self.service.customers()[at];
        let export = self.service.export_people(customer, None).map_err(|error| format!("no export: {error:?}"))?;
        let request = ImportRequest {
            file: "people.csv",
            bytes: &export.file,
            synchronize: true,
            org: None,
            by: None,
            actor: operator(),
        };
        let shown = self.service.preview_import(customer, &request);
        if self.died() {
            return Ok(());
        }
        let ImportReport { created, updated, removed, refused, .. } = shown.map_err(|error| format!("{error:?}"))?.report;
        if !(created.is_empty() && updated.is_empty() && removed.is_empty() && refused == 0) {
            return Err(format!("the export changes somebody: {created:?} {updated:?} {removed:?} {refused}"));
        }
        self.check(at)
    }

    pub fn undoable(&self, at: usize) -> usize {
        self.runs[at].len()
    }

    /// Somebody undoes a run, the newest or one before it (R126, I15). All that is due was written down just before.
    pub fn revert(&mut self, at: usize, back: usize) -> Step {
        let which = self.runs[at].len() - 1 - back;
        let Undoable { run, version, done } = self.runs[at].remove(which);
        self.tell_of(at, format!("run {run} is undone"));
        loop {
            let now = self.now();
            let before = self.auditors[at].clone();
            let mut passed = before.clone();
            passed.pass_time(now);
            let mut after = passed.clone();
            let id = self.service.customers()[at].id().clone();
            let alone = self.service.store().version(&id).expect("a version") == version;
            let undoing = after.undo(&done, alone, now);
            let answer = self.service.revert(run, &operator(), true);
            if self.died() {
                if self.settle(at, vec![before, passed, after])? == 2 {
                    return Ok(());
                }
                continue;
            }
            let row = match answer.map_err(|error| format!("the run could not be undone: {error:?}"))? {
                RevertAnswer::Planned { run, plan: _ } => run,
                other => return Err(format!("the run cannot be undone: {other:?}")),
            };
            let heard = match row.state {
                RunState::Held => Some(Undoing::Held),
                RunState::Succeeded => Some(Undoing::Done),
                RunState::SucceededWithErrors => Some(Undoing::InPart),
                _ => None,
            };
            if heard != Some(undoing) {
                return Err(format!("a run is undone\n  program: {:?}\n  auditor: {undoing:?}", (row.state, &row.message)));
            }
            self.keep(at, &row, &passed, &after);
            self.auditors[at] = after;
            return self.check(at);
        }
    }

    pub fn ask_same_day(&mut self, at: usize, confirms: bool) -> Step {
        self.tell_of(at, format!("same-day wish, absences count at once: {confirms}"));
        loop {
            let now = self.now();
            let before = self.auditors[at].clone();
            let mut passed = before.clone();
            passed.pass_time(now);
            let mut after = before.clone();
            let taken = after.ask_same_day(confirms, now);
            let asked = Asked { confirm_absences: confirms, ..Asked::by(operator()) };
            let done = self.service.request_same_day(&self.service.customers()[at], &asked);
            if self.died() {
                if self.settle(at, vec![before, passed, after])? == 2 {
                    return Ok(());
                }
                continue;
            }
            let answer = done.map_err(|error| format!("the wish failed: {error:?}"))?;
            if matches!(answer, SameDayAnswer::Taken { .. }) != taken {
                return Err(format!("the answer to a same-day wish\n  program: {answer:?}\n  auditor: {taken}"));
            }
            self.auditors[at] = after;
            return self.check(at);
        }
    }

    /// The source is not read for some days; `None`: it is read again.
    pub fn pause(&mut self, at: usize, days: Option<i32>) -> Step {
        self.tell_of(at, format!("pause for {days:?} days"));
        loop {
            let now = self.now();
            let before = self.auditors[at].clone();
            let mut after = before.clone();
            let customer = &self.service.customers()[at];
            let failed = match days {
                Some(days) => {
                    let to = Instant(now.0 + i64::from(days) * 86_400_000);
                    after.pause(now, to);
                    let pause = Pause { source: SourceId::from("sis"), from: now, to, reason: String::new() };
                    self.service.pause(customer, &pause, &operator()).err()
                }
                None => {
                    after.resume(now);
                    self.service.resume(customer, &SourceId::from("sis"), &operator()).err()
                }
            };
            if self.died() {
                // The pause, and that it is written down.
                let paused = Auditor { pauses: after.pauses.clone(), ..before.clone() };
                if self.settle(at, vec![before, paused, after])? > 0 {
                    return Ok(());
                }
                continue;
            }
            if let Some(error) = failed {
                return Err(format!("the pause failed: {error:?}"));
            }
            self.auditors[at] = after;
            return self.check(at);
        }
    }

    /// A dry run changes nothing (R110).
    pub fn try_run(&mut self, at: usize) -> Step {
        let done = self.service.plan_sync(&self.service.customers()[at], &Trigger::Drop, &|_| ());
        if !self.died() {
            done.map_err(|error| format!("the dry run failed: {error:?}"))?;
        }
        self.check(at)
    }

    // ---- the end ----

    /// The trail proves the books (R159, I12), and everything was told as often as it happened.
    pub fn close(&mut self) -> Step {
        self.start(false);
        for at in 0..self.setups.len() {
            self.check(at)?;
            let customer = &self.service.customers()[at];
            let report = self.service.verify(customer).map_err(|error| format!("{error:?}"))?;
            if report.verified != Verified::Clean {
                return Err(format!("the books of {}: {:?}", self.setups[at].id, report.verified));
            }
            let notices = self.store.notices(Some(customer.id()), u32::MAX).expect("the notices");
            let keys: BTreeSet<&String> = notices.iter().map(|notice| &notice.key).collect();
            if keys.len() != notices.len() {
                return Err("a notice was written twice".to_owned());
            }
            let told = |prefix: &str| notices.iter().filter(|n| n.key.starts_with(prefix)).count() as u32;
            let program = (told("negative_balance"), told("balance_restored"), told("same_day_missed"));
            let auditor = &self.auditors[at].told;
            if program != (auditor.negative, auditor.restored, auditor.missed) {
                let id = self.setups[at].id;
                return Err(format!(
                    "notices of {id} (negative, restored, missed)\n  program: {program:?}\n  auditor: {auditor:?}"
                ));
            }
        }
        Ok(())
    }

    pub fn has_open_hold(&self, at: usize) -> bool {
        self.auditors[at].hold.as_ref().is_some_and(|hold| hold.state == HoldState::Open)
    }
}
