//! A store that dies: from a certain write on, nothing is written any more, as if the process had been killed there.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use rosterd::base::{Actor, CustomerId, Day, Digest, EpisodeId, Instant, OrgId, PoolId, RequestId, RunId, SourceId, Version};
use rosterd::license::{
    Book, Claim, ClockFact, Delivery, Episode, Gone, Hold, Names, NumberedSeats, OrgMark, PoolSample, SeatRequest,
};
use rosterd::plan::{Notice, Plan, Standing};
use rosterd::store::{
    ActivityRow, AlertRow, AlertStanding, AlertState, ArchiveRow, AuditCommit, Batch, DaemonLease, DaemonMark, FindingRow,
    Give, Glance, Minute, NodeRow, NoticeRow, OnceAnswer, OnceRow, OutageRow, Pause, PlaceGiven, Receipt, ReleasedClaim,
    RequestRow, RequestState, RestRow, Routed, RunRow, SameDayRow, SameDayTaken, SameDayWish, SharedStore, SnapshotRow,
    SourceLook, Store, StoreError, Take, TokenRow, Trigger, Watch, WatchChange,
};

/// See the module.
pub struct Dying {
    store: SharedStore,
    life: Arc<Life>,
}

struct Life {
    /// So many writes are still to come.
    left: AtomicI64,
    /// The last write is done, and its caller is never told.
    silently: bool,
    dead: AtomicBool,
}

impl Dying {
    /// `life`: it dies at the write after so many; `None`: it lives on.
    pub fn new(store: SharedStore, life: Option<u32>, silently: bool) -> Self {
        let left = AtomicI64::new(life.map_or(i64::MAX, i64::from));
        Self { store, life: Arc::new(Life { left, silently, dead: AtomicBool::new(false) }) }
    }

    /// Another node's way to the same books; they die together.
    pub fn beside(&self, store: SharedStore) -> Self {
        Self { store, life: Arc::clone(&self.life) }
    }

    pub fn is_dead(&self) -> bool {
        self.life.dead.load(Ordering::SeqCst)
    }

    /// So many more writes; see [`Dying::new`].
    fn error() -> StoreError {
        StoreError::Database { place: "the simulation".to_owned(), cause: "the process died".into() }
    }

    fn write<T>(&self, write: impl FnOnce(&dyn Store) -> Result<T, StoreError>) -> Result<T, StoreError> {
        if self.is_dead() {
            return Err(Self::error());
        }
        if self.life.left.fetch_sub(1, Ordering::SeqCst) > 0 {
            return write(self.store.as_ref());
        }
        self.life.dead.store(true, Ordering::SeqCst);
        if self.life.silently {
            write(self.store.as_ref())?;
        }
        Err(Self::error())
    }
}

impl Store for Dying {
    fn place(&self) -> String {
        self.store.place()
    }

    fn integrity(&self) -> Result<Vec<String>, StoreError> {
        self.store.integrity()
    }

    fn become_daemon(&self, mark: &DaemonMark) -> Result<Box<dyn DaemonLease>, StoreError> {
        self.store.become_daemon(mark)
    }

    fn backup(&self, file: &Path) -> Result<u64, StoreError> {
        self.store.backup(file)
    }

    fn was_served(&self) -> bool {
        self.store.was_served()
    }

    fn daemon(&self) -> Result<Option<DaemonMark>, StoreError> {
        self.store.daemon()
    }

    fn readiness(&self) -> Result<Option<DaemonMark>, StoreError> {
        self.store.readiness()
    }

    fn take_minute(&self) -> Result<bool, StoreError> {
        self.store.take_minute()
    }

    fn nodes(&self) -> Result<Vec<NodeRow>, StoreError> {
        self.store.nodes()
    }

    fn customers(&self) -> Result<Vec<CustomerId>, StoreError> {
        self.store.customers()
    }

    fn version(&self, customer: &CustomerId) -> Result<Version, StoreError> {
        self.store.version(customer)
    }

    fn standing(&self, customer: &CustomerId) -> Result<Standing, StoreError> {
        self.store.standing(customer)
    }

    fn standing_light(&self, customer: &CustomerId) -> Result<Standing, StoreError> {
        self.store.standing_light(customer)
    }

    fn gone(&self, customer: &CustomerId) -> Result<Gone, StoreError> {
        self.store.gone(customer)
    }

    fn glance(&self, customers: &[(CustomerId, Day)], notices_max: u32) -> Result<Vec<Glance>, StoreError> {
        self.store.glance(customers, notices_max)
    }

    fn numbered_seats(&self, customer: &CustomerId) -> Result<BTreeMap<PoolId, NumberedSeats>, StoreError> {
        self.store.numbered_seats(customer)
    }

    fn claims_of(&self, customer: &CustomerId, person: &str) -> Result<(Names, Vec<Claim>), StoreError> {
        self.store.claims_of(customer, person)
    }

    fn released(&self, customer: &CustomerId, person: Option<&str>) -> Result<Vec<ReleasedClaim>, StoreError> {
        self.store.released(customer, person)
    }

    fn released_of(&self, customer: &CustomerId, people: &[&str]) -> Result<Vec<ReleasedClaim>, StoreError> {
        self.store.released_of(customer, people)
    }

    fn queue(&self, customer: &CustomerId, pool: Option<&PoolId>) -> Result<Book, StoreError> {
        self.store.queue(customer, pool)
    }

    fn used_by_org(&self, customer: &CustomerId) -> Result<Vec<(PoolId, OrgId, u32)>, StoreError> {
        self.store.used_by_org(customer)
    }

    fn episodes(&self, customer: &CustomerId) -> Result<Vec<Episode>, StoreError> {
        self.store.episodes(customer)
    }

    fn episode(&self, customer: &CustomerId, episode: EpisodeId) -> Result<Option<Episode>, StoreError> {
        self.store.episode(customer, episode)
    }

    fn clock(&self, customer: &CustomerId, episode: Option<EpisodeId>) -> Result<Vec<ClockFact>, StoreError> {
        self.store.clock(customer, episode)
    }

    fn deliveries(&self, customer: &CustomerId) -> Result<Vec<Delivery>, StoreError> {
        self.store.deliveries(customer)
    }

    fn holds(&self, customer: &CustomerId) -> Result<Vec<Hold>, StoreError> {
        self.store.holds(customer)
    }

    fn commit(&self, batch: &Batch<'_>) -> Result<Receipt, StoreError> {
        self.write(|store| store.commit(batch))
    }

    fn has_done(&self, customer: &CustomerId, actor: &Actor, verb: &str, since: Instant) -> Result<bool, StoreError> {
        self.store.has_done(customer, actor, verb, since)
    }

    fn archives(&self, customer: &CustomerId) -> Result<Vec<ArchiveRow>, StoreError> {
        self.store.archives(customer)
    }

    fn archive(
        &self,
        customer: &CustomerId,
        until: Version,
        file: &Path,
        at: Instant,
    ) -> Result<Option<ArchiveRow>, StoreError> {
        self.write(|store| store.archive(customer, until, file, at))
    }

    fn audit(
        &self,
        customer: &CustomerId,
        after: Version,
        each: &mut dyn FnMut(AuditCommit) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.store.audit(customer, after, each)
    }

    fn stage(&self, row: &SnapshotRow, chunks: Give<'_, Vec<u8>>) -> Result<(), StoreError> {
        self.write(|store| store.stage(row, chunks))
    }

    fn snapshot(&self, digest: &Digest) -> Result<Option<SnapshotRow>, StoreError> {
        self.store.snapshot(digest)
    }

    fn snapshot_chunks(
        &self,
        digest: &Digest,
        each: &mut dyn FnMut(Vec<u8>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.store.snapshot_chunks(digest, each)
    }

    fn prune(&self, customer: &CustomerId, snapshot_runs: u32, plan_runs: u32) -> Result<(u32, u32), StoreError> {
        self.write(|store| store.prune(customer, snapshot_runs, plan_runs))
    }

    fn drop_snapshots(&self, customer: &CustomerId, run: Option<RunId>) -> Result<u32, StoreError> {
        self.write(|store| store.drop_snapshots(customer, run))
    }

    fn names_purged(&self, customer: &CustomerId) -> Result<bool, StoreError> {
        self.store.names_purged(customer)
    }

    fn save_trace(&self, customer: &CustomerId, source: &SourceId, chunks: Give<'_, Vec<u8>>) -> Result<(), StoreError> {
        self.write(|store| store.save_trace(customer, source, chunks))
    }

    fn trace(&self, customer: &CustomerId, source: &SourceId, each: Take<'_, Vec<u8>>) -> Result<(), StoreError> {
        self.store.trace(customer, source, each)
    }

    fn save_plan(&self, plan: &Plan) -> Result<(), StoreError> {
        self.write(|store| store.save_plan(plan))
    }

    fn plan(&self, customer: &CustomerId, id: &Digest) -> Result<Option<Plan>, StoreError> {
        self.store.plan(customer, id)
    }

    fn begin_run(&self, customer: &CustomerId, trigger: &Trigger, at: Instant) -> Result<RunId, StoreError> {
        self.write(|store| store.begin_run(customer, trigger, at))
    }

    fn save_run(&self, row: &RunRow) -> Result<(), StoreError> {
        self.write(|store| store.save_run(row))
    }

    fn run(&self, run: RunId) -> Result<Option<RunRow>, StoreError> {
        self.store.run(run)
    }

    fn runs_before(&self, customer: Option<&CustomerId>, before: Option<RunId>, limit: u32) -> Result<Vec<RunRow>, StoreError> {
        self.store.runs_before(customer, before, limit)
    }

    fn close_orphans(&self, at: Instant, unseen: bool) -> Result<Vec<RunId>, StoreError> {
        // A minute that finds none writes nothing.
        if !unseen && !self.is_dead() {
            return self.store.close_orphans(at, unseen);
        }
        self.write(|store| store.close_orphans(at, unseen))
    }

    fn save_findings(&self, run: RunId, findings: &[FindingRow]) -> Result<(), StoreError> {
        self.write(|store| store.save_findings(run, findings))
    }

    fn findings(&self, run: RunId, after: u64, limit: u32) -> Result<Vec<FindingRow>, StoreError> {
        self.store.findings(run, after, limit)
    }

    fn rejected(&self, customer: &CustomerId, source: &SourceId) -> Result<Vec<Digest>, StoreError> {
        self.store.rejected(customer, source)
    }

    fn request(&self, customer: &CustomerId, trigger: &Trigger, at: Instant) -> Result<(RequestId, bool), StoreError> {
        self.write(|store| store.request(customer, trigger, at))
    }

    fn schedule(&self, customer: &CustomerId, trigger: &Trigger, at: Instant) -> Result<Option<RequestId>, StoreError> {
        self.write(|store| store.schedule(customer, trigger, at))
    }

    fn take_request(&self, at: Instant) -> Result<Option<RequestRow>, StoreError> {
        self.write(|store| store.take_request(at))
    }

    fn end_request(&self, request: RequestId, state: RequestState, run: Option<RunId>, at: Instant) -> Result<(), StoreError> {
        self.write(|store| store.end_request(request, state, run, at))
    }

    fn request_row(&self, request: RequestId) -> Result<Option<RequestRow>, StoreError> {
        self.store.request_row(request)
    }

    fn running_request(&self, customer: &CustomerId) -> Result<Option<RequestRow>, StoreError> {
        self.store.running_request(customer)
    }

    fn drops_in_hand(&self, customer: &CustomerId) -> Result<Option<RequestState>, StoreError> {
        self.store.drops_in_hand(customer)
    }

    fn minutes(&self) -> Result<BTreeMap<CustomerId, Minute>, StoreError> {
        self.store.minutes()
    }

    fn save_planned(&self, plan: &Plan, row: &RunRow) -> Result<(), StoreError> {
        self.write(|store| store.save_planned(plan, row))
    }

    fn requeue_orphans(&self) -> Result<u32, StoreError> {
        self.write(|store| store.requeue_orphans())
    }

    fn is_scheduled(&self, customer: &CustomerId, trigger: &Trigger) -> Result<bool, StoreError> {
        self.store.is_scheduled(customer, trigger)
    }

    fn ask_same_day(&self, customer: &CustomerId, wish: &SameDayWish, at: Instant) -> Result<SameDayTaken, StoreError> {
        self.write(|store| store.ask_same_day(customer, wish, at))
    }

    fn same_day_used(&self, customer: &CustomerId, day: Day) -> Result<u32, StoreError> {
        self.store.same_day_used(customer, day)
    }

    fn same_day_open(&self, customer: &CustomerId) -> Result<Vec<SameDayRow>, StoreError> {
        self.store.same_day_open(customer)
    }

    fn settle_same_day(&self, number: u64) -> Result<(), StoreError> {
        self.write(|store| store.settle_same_day(number))
    }

    fn add_pause(&self, customer: &CustomerId, pause: &Pause, by: &Actor, at: Instant) -> Result<(), StoreError> {
        self.write(|store| store.add_pause(customer, pause, by, at))
    }

    fn end_pauses(&self, customer: &CustomerId, source: &SourceId, by: &Actor, at: Instant) -> Result<u32, StoreError> {
        self.write(|store| store.end_pauses(customer, source, by, at))
    }

    fn pauses(&self, customer: &CustomerId) -> Result<Vec<Pause>, StoreError> {
        self.store.pauses(customer)
    }

    fn unsettled_drops(&self, customer: &CustomerId) -> Result<Vec<RequestRow>, StoreError> {
        self.store.unsettled_drops(customer)
    }

    fn settle_drop(&self, request: RequestId) -> Result<(), StoreError> {
        self.write(|store| store.settle_drop(request))
    }

    fn orgs(&self, customer: &CustomerId) -> Result<Vec<OrgMark>, StoreError> {
        self.store.orgs(customer)
    }

    fn samples(&self, customer: &CustomerId) -> Result<BTreeMap<PoolId, Vec<PoolSample>>, StoreError> {
        self.store.samples(customer)
    }

    fn seat_requests(&self, customer: &CustomerId) -> Result<Vec<SeatRequest>, StoreError> {
        self.store.seat_requests(customer)
    }

    fn version_at(&self, customer: &CustomerId, at: Instant) -> Result<Version, StoreError> {
        self.store.version_at(customer, at)
    }

    fn watches(&self, customer: &CustomerId) -> Result<BTreeMap<PoolId, Watch>, StoreError> {
        self.store.watches(customer)
    }

    fn save_watches(&self, customer: &CustomerId, changes: &[WatchChange], at: Instant) -> Result<(), StoreError> {
        self.write(|store| store.save_watches(customer, changes, at))
    }

    fn put_activity(&self, customer: &CustomerId, rows: &[ActivityRow], at: Instant) -> Result<u64, StoreError> {
        self.write(|store| store.put_activity(customer, rows, at))
    }

    fn plan_activity(&self, customer: &CustomerId, run: RunId, rows: &[ActivityRow]) -> Result<(), StoreError> {
        self.write(|store| store.plan_activity(customer, run, rows))
    }

    fn planned_activity(&self, run: RunId) -> Result<Vec<ActivityRow>, StoreError> {
        self.store.planned_activity(run)
    }

    fn activity(&self, customer: &CustomerId) -> Result<Vec<ActivityRow>, StoreError> {
        self.store.activity(customer)
    }

    fn activity_fed(&self, customer: &CustomerId) -> Result<Option<Instant>, StoreError> {
        self.store.activity_fed(customer)
    }

    fn save_look(&self, customer: &CustomerId, look: &SourceLook) -> Result<(), StoreError> {
        self.write(|store| store.save_look(customer, look))
    }

    fn save_rest(&self, customer: &CustomerId, rest: &RestRow) -> Result<(), StoreError> {
        self.write(|store| store.save_rest(customer, rest))
    }

    fn rest(&self, customer: &CustomerId) -> Result<Option<RestRow>, StoreError> {
        self.store.rest(customer)
    }

    fn looks(&self, customer: &CustomerId) -> Result<Vec<SourceLook>, StoreError> {
        self.store.looks(customer)
    }

    fn add_notices(&self, customer: &CustomerId, notices: &[Notice], at: Instant) -> Result<(), StoreError> {
        // No write to die at: it is no part of the books, and written twice it is there once.
        if self.is_dead() { Err(Self::error()) } else { self.store.add_notices(customer, notices, at) }
    }

    fn unrouted_notices(&self, limit: u32) -> Result<Vec<NoticeRow>, StoreError> {
        self.store.unrouted_notices(limit)
    }

    fn route_notices(&self, routed: &[Routed], at: Instant, again: bool) -> Result<(), StoreError> {
        self.write(|store| store.route_notices(routed, at, again))
    }

    fn take_alerts(&self, now: Instant, until: Instant, channel_max: u32, limit: u32) -> Result<Vec<AlertRow>, StoreError> {
        self.write(|store| store.take_alerts(now, until, channel_max, limit))
    }

    fn save_alert(&self, row: &AlertRow, taken: Option<Instant>) -> Result<(), StoreError> {
        self.write(|store| store.save_alert(row, taken))
    }

    fn alerts(&self, state: Option<AlertState>, limit: u32) -> Result<Vec<AlertRow>, StoreError> {
        self.store.alerts(state, limit)
    }

    fn alert_standings(&self) -> Result<Vec<AlertStanding>, StoreError> {
        self.store.alert_standings()
    }

    fn prune_alerts(&self, delivered: Instant, dead: Instant) -> Result<usize, StoreError> {
        self.write(|store| store.prune_alerts(delivered, dead))
    }

    fn add_token(&self, token: &TokenRow) -> Result<u64, StoreError> {
        self.write(|store| store.add_token(token))
    }

    fn tokens(&self) -> Result<Vec<TokenRow>, StoreError> {
        self.store.tokens()
    }

    fn token(&self, id: u64) -> Result<Option<TokenRow>, StoreError> {
        self.store.token(id)
    }

    fn revoke_token(&self, id: u64, at: Instant) -> Result<bool, StoreError> {
        self.write(|store| store.revoke_token(id, at))
    }

    fn begin_once(&self, row: &OnceRow) -> Result<Option<OnceRow>, StoreError> {
        self.write(|store| store.begin_once(row))
    }

    fn end_once(&self, token: u64, key: &str, answer: Option<&OnceAnswer>) -> Result<(), StoreError> {
        self.write(|store| store.end_once(token, key, answer))
    }

    fn drop_once(&self, now: Instant) -> Result<(), StoreError> {
        self.write(|store| store.drop_once(now))
    }

    fn outage(&self, upstream: &str) -> Result<Option<OutageRow>, StoreError> {
        self.store.outage(upstream)
    }

    fn save_outage(&self, row: &OutageRow) -> Result<(), StoreError> {
        self.write(|store| store.save_outage(row))
    }

    fn drop_outage(&self, upstream: &str) -> Result<(), StoreError> {
        self.write(|store| store.drop_outage(upstream))
    }

    fn take_place(&self, upstream: &str, number: u64, parallel_max: u32, gap_micros: u64) -> Result<PlaceGiven, StoreError> {
        self.write(|store| store.take_place(upstream, number, parallel_max, gap_micros))
    }

    fn end_place(&self, number: u64) -> Result<(), StoreError> {
        self.write(|store| store.end_place(number))
    }

    fn pause_upstream(&self, upstream: &str, micros: u64) -> Result<(), StoreError> {
        self.write(|store| store.pause_upstream(upstream, micros))
    }

    fn notice(&self, customer: &CustomerId, key: &str) -> Result<Option<NoticeRow>, StoreError> {
        self.store.notice(customer, key)
    }

    fn has_notice(&self, customer: &CustomerId, key: &str) -> Result<bool, StoreError> {
        self.store.has_notice(customer, key)
    }

    fn notices(&self, customer: Option<&CustomerId>, limit: u32) -> Result<Vec<NoticeRow>, StoreError> {
        self.store.notices(customer, limit)
    }
}
