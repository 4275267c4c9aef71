//! The trait's methods, each handed to the file that knows.

use std::collections::BTreeMap;
use std::path::Path;

use crate::base::{Actor, CustomerId, Day, Digest, EpisodeId, Instant, OrgId, PoolId, RequestId, RunId, SourceId, Version};
use crate::license::{
    Book, Claim, ClockFact, Delivery, Episode, Gone, Hold, Names, NumberedSeats, OrgMark, PoolSample, SeatRequest,
};
use crate::plan::{Notice, Plan, Standing};
use crate::store::alert::{AlertRow, AlertStanding, AlertState, Routed};
use crate::store::api::{DaemonLease, Give, Store, Take};
use crate::store::archive::ArchiveRow;
use crate::store::batch::{Batch, Receipt};
use crate::store::error::StoreError;
use crate::store::glance::Glance;
use crate::store::minute::Minute;
use crate::store::node::NodeRow;
use crate::store::once::{OnceAnswer, OnceRow};
use crate::store::outage::OutageRow;
use crate::store::place::PlaceGiven;
use crate::store::rest::RestRow;
use crate::store::shape::{
    ActivityRow, AuditCommit, DaemonMark, FindingRow, NoticeRow, Pause, ReleasedClaim, RequestRow, RequestState, RunRow,
    SameDayRow, SameDayTaken, SameDayWish, SnapshotRow, SourceLook, Trigger, Watch, WatchChange,
};
use crate::store::sql::alerts;
use crate::store::sql::archive;
use crate::store::sql::audit;
use crate::store::sql::books;
use crate::store::sql::clock;
use crate::store::sql::commit;
use crate::store::sql::door::Door;
use crate::store::sql::doubts::Doubts;
use crate::store::sql::glance;
use crate::store::sql::looks;
use crate::store::sql::minutes;
use crate::store::sql::on_time;
use crate::store::sql::once;
use crate::store::sql::orphans;
use crate::store::sql::outages;
use crate::store::sql::plans;
use crate::store::sql::purged;
use crate::store::sql::report_rows;
use crate::store::sql::requests;
use crate::store::sql::rest;
use crate::store::sql::runs;
use crate::store::sql::snapshots;
use crate::store::sql::standings;
use crate::store::sql::tokens;
use crate::store::sql::traces;
use crate::store::sql::watch;
use crate::store::token::TokenRow;

/// A store in a database that understands SQL. Several processes may use it at once.
pub struct SqlStore<D> {
    pub(in crate::store) door: D,
    pub(in crate::store) doubts: Doubts,
}

impl<D: Door> Store for SqlStore<D> {
    fn place(&self) -> String {
        self.door.place().to_owned()
    }

    fn integrity(&self) -> Result<Vec<String>, StoreError> {
        self.door.integrity()
    }

    fn backup(&self, file: &Path) -> Result<u64, StoreError> {
        self.door.backup(file)
    }

    fn become_daemon(&self, mark: &DaemonMark) -> Result<Box<dyn DaemonLease>, StoreError> {
        self.door.become_daemon(mark)
    }

    fn was_served(&self) -> bool {
        self.door.was_served()
    }

    fn daemon(&self) -> Result<Option<DaemonMark>, StoreError> {
        self.door.daemon()
    }

    fn readiness(&self) -> Result<Option<DaemonMark>, StoreError> {
        self.door.readiness()
    }

    fn take_minute(&self) -> Result<bool, StoreError> {
        self.door.take_minute()
    }

    fn nodes(&self) -> Result<Vec<NodeRow>, StoreError> {
        requests::nodes(&self.door)
    }

    fn customers(&self) -> Result<Vec<CustomerId>, StoreError> {
        self.door.ask(books::customers)
    }

    fn version(&self, customer: &CustomerId) -> Result<Version, StoreError> {
        self.door.ask(|tx| Ok(books::head(tx, customer)?.map(|head| head.version).unwrap_or_default()))
    }

    fn standing(&self, customer: &CustomerId) -> Result<Standing, StoreError> {
        self.door.read(|tx| standings::standing(tx, customer))
    }

    fn standing_light(&self, customer: &CustomerId) -> Result<Standing, StoreError> {
        standings::standing_light(&self.door, customer)
    }

    fn glance(&self, customers: &[(CustomerId, Day)], notices_max: u32) -> Result<Vec<Glance>, StoreError> {
        self.door.read(|tx| glance::glance(tx, customers, notices_max))
    }

    fn gone(&self, customer: &CustomerId) -> Result<Gone, StoreError> {
        self.door.read(|tx| books::gone(tx, customer))
    }

    fn numbered_seats(&self, customer: &CustomerId) -> Result<BTreeMap<PoolId, NumberedSeats>, StoreError> {
        self.door.read(|tx| books::numbered_seats(tx, customer))
    }

    fn claims_of(&self, customer: &CustomerId, person: &str) -> Result<(Names, Vec<Claim>), StoreError> {
        self.door.read(|tx| books::claims_of(tx, customer, person))
    }

    fn released(&self, customer: &CustomerId, person: Option<&str>) -> Result<Vec<ReleasedClaim>, StoreError> {
        self.door.read(|tx| books::released(tx, customer, person))
    }

    fn released_of(&self, customer: &CustomerId, people: &[&str]) -> Result<Vec<ReleasedClaim>, StoreError> {
        self.door.read(|tx| books::released_of(tx, customer, people))
    }

    fn queue(&self, customer: &CustomerId, pool: Option<&PoolId>) -> Result<Book, StoreError> {
        self.door.read(|tx| books::queue(tx, customer, pool))
    }

    fn used_by_org(&self, customer: &CustomerId) -> Result<Vec<(PoolId, OrgId, u32)>, StoreError> {
        self.door.read(|tx| books::used_by_org(tx, customer))
    }

    fn episodes(&self, customer: &CustomerId) -> Result<Vec<Episode>, StoreError> {
        self.door.read(|tx| books::episodes(tx, customer))
    }

    fn episode(&self, customer: &CustomerId, episode: EpisodeId) -> Result<Option<Episode>, StoreError> {
        self.door.ask(|tx| books::episode(tx, customer, episode))
    }

    fn clock(&self, customer: &CustomerId, episode: Option<EpisodeId>) -> Result<Vec<ClockFact>, StoreError> {
        self.door.read(|tx| clock::facts(tx, customer, episode))
    }

    fn deliveries(&self, customer: &CustomerId) -> Result<Vec<Delivery>, StoreError> {
        self.door.read(|tx| clock::deliveries(tx, customer))
    }

    fn orgs(&self, customer: &CustomerId) -> Result<Vec<OrgMark>, StoreError> {
        self.door.read(|tx| report_rows::orgs(tx, customer))
    }

    fn samples(&self, customer: &CustomerId) -> Result<BTreeMap<PoolId, Vec<PoolSample>>, StoreError> {
        self.door.read(|tx| report_rows::samples(tx, customer))
    }

    fn seat_requests(&self, customer: &CustomerId) -> Result<Vec<SeatRequest>, StoreError> {
        self.door.read(|tx| report_rows::seat_requests(tx, customer))
    }

    fn version_at(&self, customer: &CustomerId, at: Instant) -> Result<Version, StoreError> {
        self.door.ask(|tx| report_rows::version_at(tx, customer, at))
    }

    fn holds(&self, customer: &CustomerId) -> Result<Vec<Hold>, StoreError> {
        self.door.read(|tx| books::holds(tx, customer))
    }

    fn commit(&self, batch: &Batch<'_>) -> Result<Receipt, StoreError> {
        commit::commit(&self.door, batch)
    }

    fn audit(&self, customer: &CustomerId, after: Version, each: Take<'_, AuditCommit>) -> Result<(), StoreError> {
        self.door.read(|tx| audit::read(tx, customer, after, each))
    }

    fn archives(&self, customer: &CustomerId) -> Result<Vec<ArchiveRow>, StoreError> {
        self.door.read(|tx| archive::rows(tx, customer))
    }

    fn archive(
        &self,
        customer: &CustomerId,
        until: Version,
        file: &Path,
        at: Instant,
    ) -> Result<Option<ArchiveRow>, StoreError> {
        archive::write(&self.door, customer, until, file, at)
    }

    fn has_done(&self, customer: &CustomerId, actor: &Actor, verb: &str, since: Instant) -> Result<bool, StoreError> {
        self.door.read(|tx| audit::has_done(tx, customer, actor, verb, since))
    }

    fn stage(&self, row: &SnapshotRow, chunks: Give<'_, Vec<u8>>) -> Result<(), StoreError> {
        self.door.write_much(|tx| snapshots::stage(tx, row, chunks))
    }

    fn snapshot(&self, digest: &Digest) -> Result<Option<SnapshotRow>, StoreError> {
        self.door.ask(|tx| snapshots::snapshot(tx, digest))
    }

    fn snapshot_chunks(&self, digest: &Digest, each: Take<'_, Vec<u8>>) -> Result<(), StoreError> {
        self.door.read(|tx| snapshots::chunks(tx, digest, each))
    }

    fn prune(&self, customer: &CustomerId, snapshot_runs: u32, plan_runs: u32) -> Result<(u32, u32), StoreError> {
        self.door.write(|tx| runs::prune(tx, customer, (snapshot_runs, plan_runs)))
    }

    fn drop_snapshots(&self, customer: &CustomerId, run: Option<RunId>) -> Result<u32, StoreError> {
        self.door.write(|tx| snapshots::drop_all(tx, customer, run))
    }

    fn names_purged(&self, customer: &CustomerId) -> Result<bool, StoreError> {
        self.door.ask(|tx| purged::is_due(tx, customer))
    }

    fn save_trace(&self, customer: &CustomerId, source: &SourceId, chunks: Give<'_, Vec<u8>>) -> Result<(), StoreError> {
        self.door.write_much(|tx| traces::save(tx, customer, source, chunks))
    }

    fn trace(&self, customer: &CustomerId, source: &SourceId, each: Take<'_, Vec<u8>>) -> Result<(), StoreError> {
        self.door.read(|tx| traces::read(tx, customer, source, each))
    }

    fn save_plan(&self, plan: &Plan) -> Result<(), StoreError> {
        self.door.write(|tx| plans::save(tx, plan))
    }

    fn plan(&self, customer: &CustomerId, id: &Digest) -> Result<Option<Plan>, StoreError> {
        self.door.read(|tx| plans::plan(tx, customer, id))
    }

    fn begin_run(&self, customer: &CustomerId, trigger: &Trigger, at: Instant) -> Result<RunId, StoreError> {
        self.doubts.begin_run(&self.door, customer, trigger, at)
    }

    fn save_run(&self, row: &RunRow) -> Result<(), StoreError> {
        self.door.write(|tx| runs::save(tx, row))
    }

    fn save_planned(&self, plan: &Plan, row: &RunRow) -> Result<(), StoreError> {
        runs::save_planned(&self.door, plan, row)
    }

    fn run(&self, run: RunId) -> Result<Option<RunRow>, StoreError> {
        self.door.ask(|tx| runs::run(tx, run))
    }

    fn runs_before(&self, customer: Option<&CustomerId>, before: Option<RunId>, limit: u32) -> Result<Vec<RunRow>, StoreError> {
        self.door.ask(|tx| runs::runs(tx, customer, before, limit))
    }

    fn close_orphans(&self, at: Instant, unseen: bool) -> Result<Vec<RunId>, StoreError> {
        orphans::close(&self.door, at, unseen)
    }

    fn save_findings(&self, run: RunId, findings: &[FindingRow]) -> Result<(), StoreError> {
        self.door.write(|tx| runs::save_findings(tx, run, findings))
    }

    fn findings(&self, run: RunId, after: u64, limit: u32) -> Result<Vec<FindingRow>, StoreError> {
        self.door.ask(|tx| runs::findings(tx, run, after, limit))
    }

    fn rejected(&self, customer: &CustomerId, source: &SourceId) -> Result<Vec<Digest>, StoreError> {
        self.door.ask(|tx| runs::rejected(tx, customer, source))
    }

    fn request(&self, customer: &CustomerId, trigger: &Trigger, at: Instant) -> Result<(RequestId, bool), StoreError> {
        self.door.write(|tx| requests::request(tx, customer, trigger, at))
    }

    fn schedule(&self, customer: &CustomerId, trigger: &Trigger, at: Instant) -> Result<Option<RequestId>, StoreError> {
        self.door.write(|tx| requests::schedule(tx, customer, trigger, at))
    }

    fn take_request(&self, at: Instant) -> Result<Option<RequestRow>, StoreError> {
        self.doubts.take_request(&self.door, at)
    }

    fn end_request(&self, request: RequestId, state: RequestState, run: Option<RunId>, at: Instant) -> Result<(), StoreError> {
        self.doubts.end_request(&self.door, request, (state, run), at)
    }

    fn request_row(&self, request: RequestId) -> Result<Option<RequestRow>, StoreError> {
        self.door.ask(|tx| requests::row(tx, request))
    }

    fn unsettled_drops(&self, customer: &CustomerId) -> Result<Vec<RequestRow>, StoreError> {
        self.door.ask(|tx| requests::unsettled_drops(tx, customer))
    }

    fn settle_drop(&self, request: RequestId) -> Result<(), StoreError> {
        self.door.write(|tx| requests::settle(tx, request))
    }

    fn running_request(&self, customer: &CustomerId) -> Result<Option<RequestRow>, StoreError> {
        self.door.ask(|tx| requests::running(tx, customer))
    }

    fn drops_in_hand(&self, customer: &CustomerId) -> Result<Option<RequestState>, StoreError> {
        self.door.ask(|tx| requests::drops_in_hand(tx, customer))
    }

    fn minutes(&self) -> Result<BTreeMap<CustomerId, Minute>, StoreError> {
        self.door.ask(minutes::minutes)
    }

    fn requeue_orphans(&self) -> Result<u32, StoreError> {
        orphans::requeue(&self.door)
    }

    fn is_scheduled(&self, customer: &CustomerId, trigger: &Trigger) -> Result<bool, StoreError> {
        self.door.ask(|tx| requests::is_scheduled(tx, customer, trigger))
    }

    fn ask_same_day(&self, customer: &CustomerId, wish: &SameDayWish, at: Instant) -> Result<SameDayTaken, StoreError> {
        self.door.write(|tx| on_time::ask_same_day(tx, customer, wish, at))
    }

    fn same_day_used(&self, customer: &CustomerId, day: Day) -> Result<u32, StoreError> {
        self.door.ask(|tx| on_time::same_day_used(tx, customer, day))
    }

    fn same_day_open(&self, customer: &CustomerId) -> Result<Vec<SameDayRow>, StoreError> {
        self.door.ask(|tx| on_time::same_day_open(tx, customer))
    }

    fn settle_same_day(&self, number: u64) -> Result<(), StoreError> {
        self.door.write(|tx| on_time::settle_same_day(tx, number))
    }

    fn add_pause(&self, customer: &CustomerId, pause: &Pause, by: &Actor, at: Instant) -> Result<(), StoreError> {
        self.door.write(|tx| on_time::add_pause(tx, customer, pause, by, at))
    }

    fn end_pauses(&self, customer: &CustomerId, source: &SourceId, by: &Actor, at: Instant) -> Result<u32, StoreError> {
        self.door.write(|tx| on_time::end_pauses(tx, customer, source, by, at))
    }

    fn pauses(&self, customer: &CustomerId) -> Result<Vec<Pause>, StoreError> {
        self.door.ask(|tx| on_time::pauses(tx, customer))
    }

    fn notice(&self, customer: &CustomerId, key: &str) -> Result<Option<NoticeRow>, StoreError> {
        self.door.ask(|tx| runs::notice(tx, customer, key))
    }

    fn watches(&self, customer: &CustomerId) -> Result<BTreeMap<PoolId, Watch>, StoreError> {
        self.door.ask(|tx| watch::watches(tx, customer))
    }

    fn save_watches(&self, customer: &CustomerId, changes: &[WatchChange], at: Instant) -> Result<(), StoreError> {
        self.door.write(|tx| watch::save_watches(tx, customer, changes, at))
    }

    fn put_activity(&self, customer: &CustomerId, rows: &[ActivityRow], at: Instant) -> Result<u64, StoreError> {
        self.door.write(|tx| report_rows::put_activity(tx, customer, rows, at))
    }

    fn plan_activity(&self, customer: &CustomerId, run: RunId, rows: &[ActivityRow]) -> Result<(), StoreError> {
        self.door.write(|tx| report_rows::plan_activity(tx, customer, run, rows))
    }

    fn planned_activity(&self, run: RunId) -> Result<Vec<ActivityRow>, StoreError> {
        self.door.read(|tx| report_rows::planned_activity(tx, run))
    }

    fn activity(&self, customer: &CustomerId) -> Result<Vec<ActivityRow>, StoreError> {
        self.door.read(|tx| report_rows::activity(tx, customer))
    }

    fn activity_fed(&self, customer: &CustomerId) -> Result<Option<Instant>, StoreError> {
        self.door.ask(|tx| report_rows::activity_fed(tx, customer))
    }

    fn save_look(&self, customer: &CustomerId, look: &SourceLook) -> Result<(), StoreError> {
        self.door.write(|tx| looks::save_look(tx, customer, look))
    }

    fn save_rest(&self, customer: &CustomerId, rest: &RestRow) -> Result<(), StoreError> {
        self.door.write(|tx| rest::save_rest(tx, customer, rest))
    }

    fn rest(&self, customer: &CustomerId) -> Result<Option<RestRow>, StoreError> {
        self.door.ask(|tx| rest::rest(tx, customer))
    }

    fn looks(&self, customer: &CustomerId) -> Result<Vec<SourceLook>, StoreError> {
        self.door.ask(|tx| looks::looks(tx, customer))
    }

    fn outage(&self, upstream: &str) -> Result<Option<OutageRow>, StoreError> {
        self.door.ask(|tx| outages::outage(tx, upstream))
    }

    fn save_outage(&self, row: &OutageRow) -> Result<(), StoreError> {
        self.door.write(|tx| outages::save(tx, row))
    }

    fn drop_outage(&self, upstream: &str) -> Result<(), StoreError> {
        self.door.write(|tx| outages::drop(tx, upstream))
    }

    fn take_place(&self, upstream: &str, number: u64, parallel_max: u32, gap_micros: u64) -> Result<PlaceGiven, StoreError> {
        self.door.take_place(upstream, number, parallel_max, gap_micros)
    }

    fn end_place(&self, number: u64) -> Result<(), StoreError> {
        self.door.end_place(number)
    }

    fn pause_upstream(&self, upstream: &str, micros: u64) -> Result<(), StoreError> {
        self.door.pause_upstream(upstream, micros)
    }

    fn has_notice(&self, customer: &CustomerId, key: &str) -> Result<bool, StoreError> {
        self.door.ask(|tx| on_time::has_notice(tx, customer, key))
    }

    fn notices(&self, customer: Option<&CustomerId>, limit: u32) -> Result<Vec<NoticeRow>, StoreError> {
        self.door.ask(|tx| runs::notices(tx, customer, limit))
    }

    fn add_notices(&self, customer: &CustomerId, notices: &[Notice], at: Instant) -> Result<(), StoreError> {
        self.door.write(|tx| alerts::add_notices(tx, customer, notices, at))
    }

    fn unrouted_notices(&self, limit: u32) -> Result<Vec<NoticeRow>, StoreError> {
        self.door.ask(|tx| alerts::unrouted(tx, limit))
    }

    fn route_notices(&self, routed: &[Routed], at: Instant, again: bool) -> Result<(), StoreError> {
        self.door.write(|tx| alerts::route(tx, routed, at, again))
    }

    fn take_alerts(&self, now: Instant, until: Instant, channel_max: u32, limit: u32) -> Result<Vec<AlertRow>, StoreError> {
        alerts::take(&self.door, (now, until), channel_max, limit)
    }

    fn save_alert(&self, row: &AlertRow, taken: Option<Instant>) -> Result<(), StoreError> {
        self.door.write(|tx| alerts::save(tx, row, taken))
    }

    fn alerts(&self, state: Option<AlertState>, limit: u32) -> Result<Vec<AlertRow>, StoreError> {
        self.door.read(|tx| alerts::alerts(tx, state, limit))
    }

    fn alert_standings(&self) -> Result<Vec<AlertStanding>, StoreError> {
        self.door.ask(alerts::standings)
    }

    fn prune_alerts(&self, delivered: Instant, dead: Instant) -> Result<usize, StoreError> {
        self.door.write(|tx| alerts::prune(tx, delivered, dead))
    }

    fn add_token(&self, token: &TokenRow) -> Result<u64, StoreError> {
        self.door.write(|tx| tokens::add_token(tx, token))
    }

    fn tokens(&self) -> Result<Vec<TokenRow>, StoreError> {
        self.door.ask(tokens::tokens)
    }

    fn token(&self, id: u64) -> Result<Option<TokenRow>, StoreError> {
        self.door.ask(|tx| tokens::token(tx, id))
    }

    fn revoke_token(&self, id: u64, at: Instant) -> Result<bool, StoreError> {
        self.door.write(|tx| tokens::revoke_token(tx, id, at))
    }

    fn begin_once(&self, row: &OnceRow) -> Result<Option<OnceRow>, StoreError> {
        self.door.write(|tx| once::begin_once(tx, row))
    }

    fn end_once(&self, token: u64, key: &str, answer: Option<&OnceAnswer>) -> Result<(), StoreError> {
        self.door.write(|tx| once::end_once(tx, token, key, answer))
    }

    fn drop_once(&self, now: Instant) -> Result<(), StoreError> {
        self.door.write(|tx| once::drop_once(tx, now))
    }
}
