//! People by hand, in two steps: a preview that changes nothing and gives a token, and the same file again with it
//! (R133, R134). Rows become a snapshot of the source `manual`; from there on it is a run like any other.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::base::{Actor, Digest, Digester, ErrorChain, Instant, ProductId, RunId, SourceId, Version};
use crate::license::{Because, CreationAnswer, CreationDemand, Entry, PoolIx, SeatAnswer, SourceMark, admit_creation};
use crate::plan::Plan;
use crate::roster::{Collection, Roster, diff};
use crate::service::behind::Behind;
use crate::service::core::{Customer, MANUAL_SOURCE, Service};
use crate::service::draft::{Draft, Drafting, tally};
use crate::service::error::ServiceError;
use crate::service::guarding::Alone;
use crate::service::import_rows::{Ground, ImportReport, Judged, Meant, judge_rows, take_in};
use crate::service::people_file;
use crate::service::pulled::Pulled;
use crate::service::rosters::Keeping;
use crate::service::unusable::unusable;
use crate::source::{Package, SourceError};
use crate::store::{RunRow, RunState, StoreError, Trigger};

/// For so long a preview can be confirmed.
const TOKEN_HOURS: i64 = 72;

/// A file of people and how it is meant.
#[derive(Clone, Debug)]
pub struct ImportRequest<'a> {
    /// The file's name, for findings and runs.
    pub file: &'a str,
    /// Its bytes.
    pub bytes: &'a [u8],
    /// Everyone of the scope who is absent from the file is removed.
    pub synchronize: bool,
    /// The scope: people whose home lies in this org; `None`: all.
    pub org: Option<&'a str>,
    /// The uploader's person key, if the uploader is one of the people.
    pub by: Option<&'a str>,
    /// In whose name it is done.
    pub actor: Actor,
}

/// An import, previewed or done.
#[derive(Clone, Debug)]
pub struct Import {
    /// Its run.
    pub run: RunRow,
    /// Its plan; `None` if the file could not be used at all.
    pub plan: Option<Arc<Plan>>,
    /// What the file comes to.
    pub report: ImportReport,
    /// Confirms this very import; `None` where there is nothing to confirm, or it was just done.
    pub token: Option<String>,
}

/// The answer to a confirmation.
#[derive(Clone, Debug)]
pub enum ImportAnswer {
    /// It was done, as far as the guards let it.
    Done(Box<Import>),
    /// It was not; nothing was changed.
    Refused(TokenRefusal),
}

/// Why a token does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenRefusal {
    /// No preview of this customer gave it.
    Unknown,
    /// It was used; each works once.
    Used,
    /// It is older than 72 hours.
    Expired,
    /// The file or the options are not those of the preview.
    OtherFile,
    /// The books moved since the preview.
    Moved {
        /// The version previewed.
        planned: Version,
        /// The version now.
        now: Version,
    },
    /// The books stand where they stood, but a date passed or a setting changed: it would do something else now.
    Different,
}

impl TokenRefusal {
    /// The refusal's word.
    pub fn word(self) -> &'static str {
        match self {
            TokenRefusal::Unknown => "token_unknown",
            TokenRefusal::Used => "token_used",
            TokenRefusal::Expired => "token_expired",
            TokenRefusal::OtherFile => "token_of_another_file",
            TokenRefusal::Moved { .. } => "books_moved",
            TokenRefusal::Different => "plan_differs",
        }
    }
}

/// An import on its way: what was judged, and the plan it leads to.
struct Prepared {
    pulls_end: Option<(RunState, String)>,
    judged: Option<Judged>,
    draft: Option<Draft>,
}

impl Service {
    /// Says what a file of people would change, and changes nothing. The run is kept as `planned`.
    ///
    /// # Errors
    /// [`ServiceError::Unknown`] for an org or an uploader who is not there; else as [`Service::plan_sync`].
    pub fn preview_import(&self, customer: &Customer, request: &ImportRequest<'_>) -> Result<Import, ServiceError> {
        self.named(customer, request)?;
        let mut report = ImportReport::default();
        let trigger = Trigger::Import(request.actor.clone());
        let planned = self.recorded(customer, &trigger, &mut |row| {
            let Prepared { pulls_end, judged, draft } = self.prepare(customer, request, row, true)?;
            report = judged.map(Judged::into_report).unwrap_or_default();
            row.rejected.clear();
            let Some(draft) = draft else {
                (row.state, row.message) = pulls_end.unwrap_or((RunState::Failed, String::new()));
                return Ok(None);
            };
            note(row, &draft);
            row.state = RunState::Planned;
            self.store.save_plan(&draft.plan)?;
            Ok(Some(draft.plan))
        })?;
        let (row, plan) = (planned.run, planned.plan);
        let worth = plan.as_ref().filter(|plan| !plan.is_empty() || !plan.verdict.proceeds());
        let token = worth.map(|plan| token(row.run, request, plan));
        Ok(Import { run: row, plan, report, token })
    }

    /// Does what a preview showed. A guard's hold is kept: what it covers waits.
    ///
    /// # Errors
    /// As [`Service::preview_import`].
    pub fn confirm_import(
        &self,
        customer: &Customer,
        request: &ImportRequest<'_>,
        told: &str,
    ) -> Result<ImportAnswer, ServiceError> {
        let refused = |why| Ok(ImportAnswer::Refused(why));
        let run = told.split_once('-').and_then(|(run, _)| run.parse().ok()).map(RunId);
        let row = run.map(|run| self.store.run(run)).transpose()?.flatten();
        let Some(mut row) = row.filter(|row| row.customer == *customer.id() && matches!(row.trigger, Trigger::Import(_)))
        else {
            return refused(TokenRefusal::Unknown);
        };
        if row.state != RunState::Planned {
            return refused(TokenRefusal::Used);
        }
        let at = self.now();
        if at.0 - row.began.0 > TOKEN_HOURS * 3_600_000 {
            return refused(TokenRefusal::Expired);
        }
        let plan = row.plan.map(|id| self.store.plan(customer.id(), &id)).transpose()?.flatten();
        let Some(shown) = plan else { return refused(TokenRefusal::Expired) };
        if token(row.run, request, &shown) != told.trim() {
            return refused(TokenRefusal::OtherFile);
        }
        // What time did to the books in between is another plan, too.
        self.settled(customer)?;
        self.catch_up(customer, at)?;
        let now = self.store.version(customer.id())?;
        if now != shown.parent {
            return refused(TokenRefusal::Moved { planned: shown.parent, now });
        }
        self.named(customer, request)?;
        let Prepared { pulls_end: _, judged, draft } = self.prepare(customer, request, &mut row, false)?;
        let (Some(judged), Some(draft)) = (judged, draft) else { return refused(TokenRefusal::Different) };
        if draft.plan.parent != shown.parent || effect(&draft.plan) != effect(&shown) {
            return refused(TokenRefusal::Different);
        }
        note(&mut row, &draft);
        row.rejected.clear();
        self.store.save_plan(&draft.plan)?;
        match self.commit(&draft.plan, row.run, &request.actor, draft.plan.at, "import") {
            Ok(receipt) => row.version = receipt.map(|r| r.version),
            Err(StoreError::VersionMoved { planned, now, .. }) => return refused(TokenRefusal::Moved { planned, now }),
            Err(StoreError::SnapshotGone { .. }) => return refused(TokenRefusal::Moved { planned: shown.parent, now }),
            Err(error) => return Err(error.into()),
        }
        row.state = draft.state;
        if let Err(error) = self.clear_away(customer.id(), Some(row.run)) {
            // The commit stands; to call this import failed would say that nothing was changed.
            row.message.push_str(&format!("; could not clear old snapshots away: {}", ErrorChain(&error)));
        }
        row.ended = Some(self.now());
        self.unsaved.end_run(&self.store, &row)?;
        // The commit stands, whatever comes of looking at the pools; the next run looks again.
        let _ = self.watch_pools(customer, self.now());
        let plan = Some(Arc::new(draft.plan));
        Ok(ImportAnswer::Done(Box::new(Import { run: row, plan, report: judged.into_report(), token: None })))
    }

    /// What the request names must be there: a scope that is not would be no scope, and an uploader who is none of the
    /// people would protect nobody.
    fn named(&self, customer: &Customer, request: &ImportRequest<'_>) -> Result<(), ServiceError> {
        let standing = self.store.standing_light(customer.id())?;
        let ground = Ground::new(customer, self.rosters(customer, &standing)?, request.org)?;
        match request.by {
            Some(by) if !ground.knows(by) => Err(ServiceError::Unknown { what: "person", id: by.to_owned(), hint: None }),
            _ => Ok(()),
        }
    }

    fn prepare(
        &self,
        customer: &Customer,
        request: &ImportRequest<'_>,
        row: &mut RunRow,
        first_time: bool,
    ) -> Result<Prepared, ServiceError> {
        let now = self.now();
        let light = self.store.standing_light(customer.id())?;
        let ground = Ground::new(customer, self.rosters(customer, &light)?, request.org)?;
        let rows = match people_file::read(request.file, request.bytes) {
            Ok(rows) => rows,
            Err(finding) => {
                let mut pulled = Pulled::nothing_new(SourceId::from(MANUAL_SOURCE), None);
                pulled.findings.push((*finding).clone());
                let error = SourceError::Rejected { package: request.file.to_owned(), findings: vec![*finding] };
                pulled.error = Some(error);
                let mut pulls = vec![pulled];
                self.note_findings(row, &pulls, &Behind::default())?;
                return Ok(Prepared { pulls_end: unusable(customer, &mut pulls, row), judged: None, draft: None });
            }
        };
        let meant = Meant { file: request.file, synchronize: request.synchronize, by: request.by };
        let mut judged = judge_rows(&ground, &meant, rows);
        let mut end = None;
        let mut draft = None;
        // Whoever is not admitted is left out, and the rest is planned again: each time fewer are left.
        loop {
            let (mut pulls, alone) = self.pulls(customer, request, &ground, &judged, now)?;
            end = unusable(customer, &mut pulls, row).or(end);
            if end.is_some() {
                break;
            }
            let standing = self.standing_with_seeds(customer, now)?;
            let terms = self.terms(customer, &row.trigger, &standing.0, now)?;
            let mut drafting = Drafting::new(customer.id(), pulls, &terms)?.judged_alone(alone);
            let drafted = drafting.draft(self, customer, standing, row.run)?;
            let blocked = blocked(customer, &drafted.plan, &judged.created);
            if blocked.is_empty() {
                draft = Some(drafted);
                break;
            }
            for (key, product, detail) in blocked {
                judged.refuse(&key, "pool_exhausted", "", format!("blocked_by={product}: {detail}"));
            }
        }
        if first_time {
            let mut pulled = Pulled::nothing_new(SourceId::from(MANUAL_SOURCE), None);
            pulled.findings = judged.findings.clone();
            self.note_findings(row, &[pulled], &Behind::default())?;
        }
        Ok(Prepared { pulls_end: end, judged: Some(judged), draft })
    }

    /// All sources as they stand, what is made by hand with the rows taken in.
    fn pulls(
        &self,
        customer: &Customer,
        request: &ImportRequest<'_>,
        ground: &Ground<'_>,
        judged: &Judged,
        now: Instant,
    ) -> Result<(Vec<Pulled>, Alone), ServiceError> {
        let source = SourceId::from(MANUAL_SOURCE);
        let mut pulls: Vec<Pulled> = ground
            .rosters()
            .filter(|(known, _)| **known != source)
            .map(|(known, roster)| Pulled::nothing_new(known.clone(), Some(roster.clone())))
            .collect();
        let before = ground.by_hand().cloned();
        let after = take_in(ground, judged);
        let nothing = Roster::default();
        let mut delta = diff(before.as_ref().unwrap_or(&nothing), &after);
        delta.base = judged.base;
        // A file by hand has people and nothing else: their roles are cells, their orgs those of others.
        let people = Collection::People as usize;
        let counted = delta.collections[people];
        delta.collections = Default::default();
        delta.collections[people] = counted;
        // What is looked at is the file: that some people are protected does not make it less empty (R114).
        let emptied = request.synchronize && judged.is_empty && judged.base > 0;
        if emptied {
            delta.collections[people].1 = 0;
        }
        let mut pulled = Pulled::nothing_new(source.clone(), before.clone());
        pulled.findings = judged.findings.clone();
        let changes = !delta.is_empty() || emptied;
        let package = Package {
            name: request.file.to_owned(),
            location: request.file.to_owned(),
            digest: Some(Digest::of(request.bytes)),
            bytes: request.bytes.len() as u64,
            since: None,
        };
        if changes || !judged.counts.too_bad(customer.bad_percent_max).is_empty() {
            let counts = judged.counts.clone();
            let keeping = Keeping { known: before.as_ref(), ..Keeping::default() };
            pulled.fresh = Some(self.stage(customer.id(), &source, package, keeping, (after.clone(), counts), now)?);
        }
        pulls.push(pulled);
        Ok((pulls, Alone { source, before: before.unwrap_or_default(), after, delta }))
    }
}

fn note(row: &mut RunRow, draft: &Draft) {
    row.tally = tally(&draft.plan, draft.people, row.tally.findings);
    row.packages.clone_from(&draft.packages);
    row.message.clone_from(&draft.message);
    row.plan = Some(draft.plan.id);
}

/// New people whom a product with `auto_assign` shuts out (R52): of the first such product in the order of the settings,
/// so that whom it refuses makes room in the others.
fn blocked(customer: &Customer, plan: &Plan, created: &BTreeSet<String>) -> Vec<(String, ProductId, String)> {
    let policy = &customer.policy;
    let products: Vec<(u16, &ProductId)> = (0u16..)
        .zip(&policy.products)
        .filter(|(_, product)| product.auto_assign)
        .map(|(at, product)| (at, &product.id))
        .collect();
    if products.is_empty() {
        return Vec::new();
    }
    // The planner asked the admission for everybody, in the order of the queue: these are its answers.
    let no_seat = |because| matches!(because, Because::PoolFull | Because::InGrace | Because::NoTerm | Because::ReuseExceeded);
    let full = plan.withheld.iter().filter(|w| no_seat(w.because));
    let full: BTreeMap<(&str, u16), (PoolIx, Because)> =
        full.filter_map(|w| Some(((plan.people.get(w.person), w.product?), (w.pool?, w.because)))).collect();
    let answer = |key: &str, product: u16| {
        let pool = full.get(&(key, product)).map(|(pool, _)| &plan.names.pools[usize::from(pool.0)]);
        let outlook = pool.and_then(|pool| plan.pools.iter().find(|outlook| outlook.pool == *pool));
        let room = outlook.map(|o| (o.allowance.effective().unwrap_or(o.after.used()), o.after.used()));
        room.map_or(SeatAnswer::Seat, |(effective, used)| SeatAnswer::PoolExhausted { effective, used })
    };
    let mut found: Vec<(usize, String, ProductId, String)> = Vec::new();
    for key in created {
        let demand = |&(at, product): &(u16, _)| CreationDemand { product, auto_assign: true, answer: answer(key, at) };
        let demands: Vec<CreationDemand<'_>> = products.iter().map(demand).collect();
        if let CreationAnswer::BlockedBy { product, effective, used } =
            admit_creation(customer.by_hand.coupled_create, &demands)
        {
            let order = products.iter().position(|(_, id)| **id == product).unwrap_or_default();
            let at = products.get(order).map_or(0, |(at, _)| *at);
            let because = full.get(&(key.as_str(), at)).map_or(Because::PoolFull, |(_, because)| *because);
            let detail = match because {
                Because::PoolFull => format!("{used} of {effective} seats are used"),
                other => format!("nobody new gets a seat ({})", other.word()),
            };
            found.push((order, key.clone(), product, detail));
        }
    }
    let first = found.iter().map(|(order, ..)| *order).min();
    let of_first = found.into_iter().filter(|(order, ..)| Some(*order) == first);
    of_first.map(|(_, key, product, detail)| (key, product, detail)).collect()
}

/// The token of a preview: bound to file, options, plan and version; it names its run, which it works for once.
fn token(run: RunId, request: &ImportRequest<'_>, plan: &Plan) -> String {
    let ImportRequest { file: _, bytes, synchronize, org, by, actor: _ } = request;
    let mut digester = Digester::new("import token 1");
    digester.field(&Digest::of(bytes).0).field(&plan.id.0).number(plan.parent.0.cast_signed());
    digester.number(run.0.cast_signed()).number(i64::from(*synchronize));
    for option in [org, by] {
        digester.number(i64::from(option.is_some())).field(option.unwrap_or_default().as_bytes());
    }
    format!("{run}-{}", &digester.finish().to_string()[..32])
}

/// What a plan does, whenever it was made: two plans of one version and one file differ in this only if a date or a
/// setting made the difference.
fn effect(plan: &Plan) -> Digest {
    let mut digester = Digester::new("import effect");
    for change in &plan.changes {
        let before = change.before.as_deref().map(|before| before.state);
        let words = (plan.names.pool_of(&change.after), before, change.after.state, change.because);
        digester.field(plan.people.get(change.person).as_bytes()).field(format!("{words:?}").as_bytes());
    }
    for mark in &plan.snapshots {
        let SourceMark { source, package, bytes: _, snapshot, at: _, name: _, amended: _ } = mark;
        digester.field(source.as_str().as_bytes()).field(&package.0).field(&snapshot.0);
    }
    for entry in &plan.entries {
        let words = match entry {
            Entry::Absent(absence) => format!("{} {} {} {}", absence.person, absence.ended, absence.held, absence.removed),
            Entry::Granted(grant) => format!("{} {} {}", grant.id, grant.pool, grant.seats),
            Entry::ExcessAgreed(excess) => format!("{} {} {}", excess.id, excess.pool, excess.seats),
            _ => continue,
        };
        digester.field(words.as_bytes());
    }
    digester.field(format!("{:?}", plan.verdict).as_bytes());
    digester.finish()
}
