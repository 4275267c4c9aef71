//! What a store must do. One contract suite (`tests/it/store_contract.rs`) runs over every implementation.
//!
//! All calls block; the service makes them off the async threads. A commit is whole or absent.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use crate::base::{Actor, CustomerId, Day, Digest, EpisodeId, Instant, PoolId, RequestId, RunId, SourceId, Version};
use crate::license::{
    Book, Claim, ClockFact, Delivery, Episode, Gone, Hold, Names, NumberedSeats, OrgMark, PoolSample, SeatRequest,
};
use crate::plan::{Notice, Plan, Standing};
use crate::store::alert::{AlertRow, AlertStanding, AlertState, Routed};
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
    RunState, SameDayRow, SameDayTaken, SameDayWish, SnapshotRow, SourceLook, Trigger, Watch, WatchChange,
};
use crate::store::token::TokenRow;

/// Takes an answer part by part; whoever fails breaks it off.
pub type Take<'t, T> = &'t mut dyn FnMut(T) -> Result<(), StoreError>;

/// Gives parts one by one, to another thread.
pub type Give<'g, T> = &'g mut (dyn Iterator<Item = T> + Send);

/// The one door to what is kept.
pub trait Store: Send + Sync {
    /// Where it is, for messages: `sqlite:/var/lib/rosterd/rosterd.db`.
    fn place(&self) -> String;

    /// Checks the store's own integrity. Empty: sound. Else what is wrong, a line each.
    fn integrity(&self) -> Result<Vec<String>, StoreError>;

    /// Copies the whole store as of one moment to a file that is not there yet, for its owner alone, and proves the copy
    /// sound. Others may work on the store meanwhile. Returns the size in bytes.
    ///
    /// # Errors
    /// [`StoreError::Backup`] when the file is there, cannot be written, or the copy is damaged.
    fn backup(&self, file: &Path) -> Result<u64, StoreError>;

    /// Makes this process the one daemon of the store until the guard is dropped.
    ///
    /// # Errors
    /// [`StoreError::DaemonRunning`] names the other one.
    fn become_daemon(&self, mark: &DaemonMark) -> Result<Box<dyn DaemonLease>, StoreError>;

    /// Whether a daemon ever worked on this store: these are books that somebody lives by.
    fn was_served(&self) -> bool;

    /// The daemon that runs on this store now, if any.
    fn daemon(&self) -> Result<Option<DaemonMark>, StoreError>;

    /// This process as a daemon of the store, if it is one that can work now. Answers soon, whatever the store does.
    fn readiness(&self) -> Result<Option<DaemonMark>, StoreError>;

    /// The processes that work on this store and what each of them does, oldest first.
    fn nodes(&self) -> Result<Vec<NodeRow>, StoreError>;

    /// Whether this process looks at what the minute asks for: of several that ask within the same minute the first one does.
    fn take_minute(&self) -> Result<bool, StoreError>;

    // What a customer's books say.

    /// Customers that were ever written, sorted.
    fn customers(&self) -> Result<Vec<CustomerId>, StoreError>;

    /// The customer's version; 0 if nothing was ever committed.
    fn version(&self, customer: &CustomerId) -> Result<Version, StoreError>;

    /// Everything a plan needs, as of one version.
    fn standing(&self, customer: &CustomerId) -> Result<Standing, StoreError>;

    /// The standing without any claims (`book` holds names only), without orgs and without those who are gone: for pool
    /// lists and status; single decisions add what they need.
    fn standing_light(&self, customer: &CustomerId) -> Result<Standing, StoreError>;

    /// Customers at a glance, each on its local date, all as of one moment and in their order; of each its newest notices.
    fn glance(&self, customers: &[(CustomerId, Day)], notices_max: u32) -> Result<Vec<Glance>, StoreError>;

    /// Who had a seat of a pool in its license year and has none now (R81).
    fn gone(&self, customer: &CustomerId) -> Result<Gone, StoreError>;

    /// Seats with numbers, of pools that have them (R84).
    fn numbered_seats(&self, customer: &CustomerId) -> Result<BTreeMap<PoolId, NumberedSeats>, StoreError>;

    /// Open claims of one person, with the customer's names.
    fn claims_of(&self, customer: &CustomerId, person: &str) -> Result<(Names, Vec<Claim>), StoreError>;

    /// Released claims of one person, oldest first; all of the customer's if `person` is `None`.
    fn released(&self, customer: &CustomerId, person: Option<&str>) -> Result<Vec<ReleasedClaim>, StoreError>;

    /// Released claims of each of these people, oldest first for each.
    fn released_of(&self, customer: &CustomerId, people: &[&str]) -> Result<Vec<ReleasedClaim>, StoreError>;

    /// People waiting for a pool (or for any), in queue order: priority, since, person key (R42); for a seat or for
    /// access, see [`Claim::wait`]. One entry per waiting claim, not sorted by key: read it by position.
    fn queue(&self, customer: &CustomerId, pool: Option<&PoolId>) -> Result<Book, StoreError>;

    /// Used seats by pool and home org; only pairs that are not zero, sorted.
    fn used_by_org(&self, customer: &CustomerId) -> Result<Vec<(PoolId, crate::base::OrgId, u32)>, StoreError>;

    /// Episodes, newest first.
    fn episodes(&self, customer: &CustomerId) -> Result<Vec<Episode>, StoreError>;

    /// One episode.
    fn episode(&self, customer: &CustomerId, episode: EpisodeId) -> Result<Option<Episode>, StoreError>;

    /// What clocks of overages wrote down: all of it, of pools as such first, then by episode; or that of one episode.
    fn clock(&self, customer: &CustomerId, episode: Option<EpisodeId>) -> Result<Vec<ClockFact>, StoreError>;

    /// Deliveries of notices, by notice and channel.
    fn deliveries(&self, customer: &CustomerId) -> Result<Vec<Delivery>, StoreError>;

    /// All orgs ever delivered, as they last were, by id.
    fn orgs(&self, customer: &CustomerId) -> Result<Vec<OrgMark>, StoreError>;

    /// What each pool came to with each commit that changed it (R149).
    fn samples(&self, customer: &CustomerId) -> Result<BTreeMap<PoolId, Vec<PoolSample>>, StoreError>;

    /// Requests for more seats, oldest first (R155).
    fn seat_requests(&self, customer: &CustomerId) -> Result<Vec<SeatRequest>, StoreError>;

    /// The newest version that was committed at or before an instant; 0 if none was.
    fn version_at(&self, customer: &CustomerId, at: Instant) -> Result<Version, StoreError>;

    /// Holds, newest first.
    fn holds(&self, customer: &CustomerId) -> Result<Vec<Hold>, StoreError>;

    // Writing.

    /// Writes a batch, whole or not at all, if the customer is still at `batch.parent()`.
    ///
    /// # Errors
    /// [`StoreError::VersionMoved`] when somebody else committed in between, [`StoreError::SnapshotGone`] when a snapshot
    /// that the books would rest on was dropped in between.
    fn commit(&self, batch: &Batch<'_>) -> Result<Receipt, StoreError>;

    /// The trail of a customer from after `after` on, one commit at a time, oldest first.
    fn audit(&self, customer: &CustomerId, after: Version, each: Take<'_, AuditCommit>) -> Result<(), StoreError>;

    /// Parts of a customer's trail whose content lies in files, oldest first (R160). Whoever reads the trail cannot tell.
    fn archives(&self, customer: &CustomerId) -> Result<Vec<ArchiveRow>, StoreError>;

    /// Moves the content of a trail up to a version, as far as it was not moved before, to a file that is not there yet; it
    /// is read back first. `None`: there was nothing to move. [`StoreError::Archive`]: the file cannot be made.
    fn archive(
        &self,
        customer: &CustomerId,
        until: Version,
        file: &Path,
        at: Instant,
    ) -> Result<Option<ArchiveRow>, StoreError>;

    /// Whether the trail says that somebody did this at `since` or later.
    fn has_done(&self, customer: &CustomerId, actor: &Actor, verb: &str, since: Instant) -> Result<bool, StoreError>;

    // Snapshots: immutable, named by their digest, in chunks.

    /// Keeps a snapshot. Doing it again with the same digest changes nothing, unless it stood on another one and is now
    /// given whole: then it stands alone from now on.
    /// An empty chunk says that whoever makes them cannot go on: then nothing is kept.
    fn stage(&self, row: &SnapshotRow, chunks: Give<'_, Vec<u8>>) -> Result<(), StoreError>;

    /// What is known of a snapshot.
    fn snapshot(&self, digest: &Digest) -> Result<Option<SnapshotRow>, StoreError>;

    /// Reads a snapshot's chunks in order.
    fn snapshot_chunks(&self, digest: &Digest, each: Take<'_, Vec<u8>>) -> Result<(), StoreError>;

    /// Drops what nobody asks for any more (what a kept snapshot stands on is asked for): snapshots that neither a
    /// customer's books nor its newest `snapshot_runs` runs rest on, and plans and findings that are not of its newest `plan_runs` runs. A run whose hold is open, or approved
    /// and not done yet, keeps snapshots and plan. Returns how many snapshots and plans.
    fn prune(&self, customer: &CustomerId, snapshot_runs: u32, plan_runs: u32) -> Result<(u32, u32), StoreError>;

    /// Drops every snapshot of a customer that no books rest on of those that were there when somebody was last purged: they
    /// name people who are to be forgotten (R130). What a run under way (other than `run`, whose commit this follows) has
    /// read stays for the moment: it looks again at the books before it commits. Returns how many.
    fn drop_snapshots(&self, customer: &CustomerId, run: Option<RunId>) -> Result<u32, StoreError>;

    /// Whether such snapshots are left, so that [`Store::drop_snapshots`] must be asked again.
    fn names_purged(&self, customer: &CustomerId) -> Result<bool, StoreError>;

    // Traces: what the last read of a source left to know its files by. Losing one costs a full read.

    /// Keeps the trace of a source in place of the one before. Whoever reads meanwhile has the one or the other.
    /// An empty chunk says that whoever makes them cannot go on: then the one before stays.
    /// A purge takes all traces of a customer with it, and while [`Store::names_purged`] says so none is kept: a run under way
    /// may have read before it, and hashes tell of people, too (R130).
    fn save_trace(&self, customer: &CustomerId, source: &SourceId, chunks: Give<'_, Vec<u8>>) -> Result<(), StoreError>;

    /// Reads a trace's chunks in order; there are none if there is no trace.
    fn trace(&self, customer: &CustomerId, source: &SourceId, each: Take<'_, Vec<u8>>) -> Result<(), StoreError>;

    // Plans: immutable, named by their digest.

    /// Keeps a plan whole.
    fn save_plan(&self, plan: &Plan) -> Result<(), StoreError>;

    /// Loads a plan; `None` also if it was to be committed ([`Store::save_planned`]) and was not.
    fn plan(&self, customer: &CustomerId, id: &Digest) -> Result<Option<Plan>, StoreError>;

    // Runs and what they found.

    /// Writes down that a run began; gives it its number.
    fn begin_run(&self, customer: &CustomerId, trigger: &Trigger, at: Instant) -> Result<RunId, StoreError>;

    /// Replaces a run's row. Only a row of the same run id is touched.
    fn save_run(&self, row: &RunRow) -> Result<(), StoreError>;

    /// One run.
    fn run(&self, run: RunId) -> Result<Option<RunRow>, StoreError>;

    /// Runs, newest first, of one customer or of all.
    fn runs(&self, customer: Option<&CustomerId>, limit: u32) -> Result<Vec<RunRow>, StoreError> {
        self.runs_before(customer, None, limit)
    }

    /// The same, only those before a run.
    fn runs_before(&self, customer: Option<&CustomerId>, before: Option<RunId>, limit: u32) -> Result<Vec<RunRow>, StoreError>;

    /// Marks runs that a dead process left in the middle as failed; returns them. `unseen`: also those whose process cannot
    /// be seen from here, as one in another container, so that nobody can say whether it lives.
    fn close_orphans(&self, at: Instant, unseen: bool) -> Result<Vec<RunId>, StoreError>;

    /// Keeps the findings of a run instead of those it had.
    fn save_findings(&self, run: RunId, findings: &[FindingRow]) -> Result<(), StoreError>;

    /// The findings of a run, in order, from `after` on.
    fn findings(&self, run: RunId, after: u64, limit: u32) -> Result<Vec<FindingRow>, StoreError>;

    /// Digests of packages of a source that were rejected, newest first.
    fn rejected(&self, customer: &CustomerId, source: &SourceId) -> Result<Vec<Digest>, StoreError>;

    // Requests: wishes for a run, as rows.

    /// Writes a request, or joins one that is still queued for the customer and does as much (R97). Says which, and
    /// whether it is new.
    fn request(&self, customer: &CustomerId, trigger: &Trigger, at: Instant) -> Result<(RequestId, bool), StoreError>;

    /// Writes a request for the local date of a scheduled trigger, or joins one, unless that was ever done before: of all that
    /// ask, one does. `None`: it was done before.
    fn schedule(&self, customer: &CustomerId, trigger: &Trigger, at: Instant) -> Result<Option<RequestId>, StoreError>;

    /// Takes the oldest queued request of a customer that has none running; marks it running.
    fn take_request(&self, at: Instant) -> Result<Option<RequestRow>, StoreError>;

    /// Ends a request.
    fn end_request(&self, request: RequestId, state: RequestState, run: Option<RunId>, at: Instant) -> Result<(), StoreError>;

    /// One request.
    fn request_row(&self, request: RequestId) -> Result<Option<RequestRow>, StoreError>;

    /// Requests for packages that were dropped, as far as they are not settled yet, oldest first (R107).
    fn unsettled_drops(&self, customer: &CustomerId) -> Result<Vec<RequestRow>, StoreError>;

    /// Settles such a request: it was over in time, or somebody was told that it was not.
    fn settle_drop(&self, request: RequestId) -> Result<(), StoreError>;

    /// The customer's request that is being worked on, if any.
    fn running_request(&self, customer: &CustomerId) -> Result<Option<RequestRow>, StoreError>;

    /// The state of a request that takes packages dropped for a customer: running if it is worked on at all, queued if a drop is
    /// in line.
    fn drops_in_hand(&self, customer: &CustomerId) -> Result<Option<RequestState>, StoreError>;

    /// All customers of whom something was ever written, as of one moment.
    fn minutes(&self) -> Result<BTreeMap<CustomerId, Minute>, StoreError>;

    /// Keeps a plan that is committed next and writes down how far the run that made it is, both or neither. Changes and entries
    /// are kept in the trail alone: until the commit the plan is not there, and if that is never made it is gone. One that says
    /// nothing is kept whole.
    fn save_planned(&self, plan: &Plan, row: &RunRow) -> Result<(), StoreError>;

    /// Puts requests that a dead daemon left running back in line.
    fn requeue_orphans(&self) -> Result<u32, StoreError>;

    /// Whether a request was ever written, or joined, for the local date of a scheduled trigger (R95). A trigger without
    /// a date never was.
    fn is_scheduled(&self, customer: &CustomerId, trigger: &Trigger) -> Result<bool, StoreError>;

    // Same-day wishes and pauses.

    /// Takes a wish for a same-day run, if its date has any left: writes or joins a request (R96 to R98).
    fn ask_same_day(&self, customer: &CustomerId, wish: &SameDayWish, at: Instant) -> Result<SameDayTaken, StoreError>;

    /// How many wishes were taken on a local date.
    fn same_day_used(&self, customer: &CustomerId, day: Day) -> Result<u32, StoreError>;

    /// Wishes that are not settled yet, oldest first.
    fn same_day_open(&self, customer: &CustomerId) -> Result<Vec<SameDayRow>, StoreError>;

    /// Settles a wish: it was done in time, or somebody was told that it was not.
    fn settle_same_day(&self, number: u64) -> Result<(), StoreError>;

    /// Writes down a pause of a source.
    fn add_pause(&self, customer: &CustomerId, pause: &Pause, by: &Actor, at: Instant) -> Result<(), StoreError>;

    /// Ends the pauses of a source that are not over at `at`; returns how many. One that never began is as if it had not
    /// been.
    fn end_pauses(&self, customer: &CustomerId, source: &SourceId, by: &Actor, at: Instant) -> Result<u32, StoreError>;

    /// All pauses ever written down, by source and beginning, as they ended or will end.
    fn pauses(&self, customer: &CustomerId) -> Result<Vec<Pause>, StoreError>;

    /// The notice with this key.
    fn notice(&self, customer: &CustomerId, key: &str) -> Result<Option<NoticeRow>, StoreError>;

    // How pools stood when they were last looked at: operational.

    /// How each pool stood.
    fn watches(&self, customer: &CustomerId) -> Result<BTreeMap<PoolId, Watch>, StoreError>;

    /// Writes how pools stand at `at`, with the notices; each only if its pool still stood as the change says.
    fn save_watches(&self, customer: &CustomerId, changes: &[WatchChange], at: Instant) -> Result<(), StoreError>;

    // Log-ins: operational, no book rests on them.

    /// Keeps log-ins, of each person and product the newest, and that a feed told at `at`. Returns how many were news.
    fn put_activity(&self, customer: &CustomerId, rows: &[ActivityRow], at: Instant) -> Result<u64, StoreError>;

    /// Keeps log-ins that a dry run read, for when its plan is applied.
    fn plan_activity(&self, customer: &CustomerId, run: RunId, rows: &[ActivityRow]) -> Result<(), StoreError>;

    /// The log-ins that a dry run read, by person and product; none where there were none, or the run is too old.
    fn planned_activity(&self, run: RunId) -> Result<Vec<ActivityRow>, StoreError>;

    /// The newest log-ins, by person and product. Who was deleted for good is not among them.
    fn activity(&self, customer: &CustomerId) -> Result<Vec<ActivityRow>, StoreError>;

    /// When a feed last told of log-ins; `None`: never.
    fn activity_fed(&self, customer: &CustomerId) -> Result<Option<Instant>, StoreError>;

    /// Notes a look at a source; the newest one is kept.
    fn save_look(&self, customer: &CustomerId, look: &SourceLook) -> Result<(), StoreError>;

    /// The last look at each source, by source.
    fn looks(&self, customer: &CustomerId) -> Result<Vec<SourceLook>, StoreError>;

    /// What is known of an upstream that fails; `None`: it answered last.
    fn outage(&self, upstream: &str) -> Result<Option<OutageRow>, StoreError>;

    /// Keeps what is known of an upstream that fails.
    fn save_outage(&self, row: &OutageRow) -> Result<(), StoreError>;

    /// An upstream answers again.
    fn drop_outage(&self, upstream: &str) -> Result<(), StoreError>;

    /// Takes a place among the requests to an upstream, of which so many are under way at once whoever asks, and start so far
    /// from each other. `number` is this process's own, given to no other place.
    fn take_place(&self, upstream: &str, number: u64, parallel_max: u32, gap_micros: u64) -> Result<PlaceGiven, StoreError>;

    /// Gives a place back. One that was never given is no mistake.
    fn end_place(&self, number: u64) -> Result<(), StoreError>;

    /// Nobody starts a request to an upstream before so many microseconds are over.
    fn pause_upstream(&self, upstream: &str, micros: u64) -> Result<(), StoreError>;

    /// Keeps what a run came to that left nothing to be done, instead of what was kept before.
    fn save_rest(&self, customer: &CustomerId, rest: &RestRow) -> Result<(), StoreError>;

    /// What was kept last; it says of which version.
    fn rest(&self, customer: &CustomerId) -> Result<Option<RestRow>, StoreError>;

    /// Whether a notice with this key was written.
    fn has_notice(&self, customer: &CustomerId, key: &str) -> Result<bool, StoreError>;

    /// Notices, newest first.
    fn notices(&self, customer: Option<&CustomerId>, limit: u32) -> Result<Vec<NoticeRow>, StoreError>;

    // Notices on their way out: operational.

    /// Writes notices of `at` that belong to no commit; one whose key exists is left as it is (R151).
    fn add_notices(&self, customer: &CustomerId, notices: &[Notice], at: Instant) -> Result<(), StoreError>;

    /// Notices that were not given to their channels yet, oldest first.
    fn unrouted_notices(&self, limit: u32) -> Result<Vec<NoticeRow>, StoreError>;

    /// Gives notices to channels, due at `at`; they are not unrouted any more. What a channel has already stays as it is, or
    /// with `again` is to be delivered anew.
    fn route_notices(&self, routed: &[Routed], at: Instant, again: bool) -> Result<(), StoreError>;

    /// Takes what waits or was accepted and is due at `now`, the longest due first, of each channel `channel_max` at most:
    /// nobody else gets it before `until`.
    fn take_alerts(&self, now: Instant, until: Instant, channel_max: u32, limit: u32) -> Result<Vec<AlertRow>, StoreError>;

    /// Writes how far a delivery is. Only a row of the same number is touched, and with `taken` only if nobody else has taken it
    /// or written since it was taken until then.
    fn save_alert(&self, row: &AlertRow, taken: Option<Instant>) -> Result<(), StoreError>;

    /// Deliveries, newest first, in one state or in all.
    fn alerts(&self, state: Option<AlertState>, limit: u32) -> Result<Vec<AlertRow>, StoreError>;

    /// How deliveries stand, by customer; whose all arrived is not among them.
    fn alert_standings(&self) -> Result<Vec<AlertStanding>, StoreError>;

    /// Forgets deliveries that arrived before `delivered`, and those given up before `dead`. Returns how many. Notices stay, and
    /// so does what the books say of their arrival.
    fn prune_alerts(&self, delivered: Instant, dead: Instant) -> Result<usize, StoreError>;

    // Tokens of the HTTP door: operational.

    /// Keeps a token; gives it its number.
    fn add_token(&self, token: &TokenRow) -> Result<u64, StoreError>;

    /// Tokens by number, also those that are no longer good.
    fn tokens(&self) -> Result<Vec<TokenRow>, StoreError>;

    /// One token.
    fn token(&self, id: u64) -> Result<Option<TokenRow>, StoreError>;

    /// Revokes a token; says whether it was good until then.
    fn revoke_token(&self, id: u64, at: Instant) -> Result<bool, StoreError>;

    /// Begins what a token asks under a key, unless it did before within [`ONCE_MILLIS`](crate::store::ONCE_MILLIS): then
    /// nothing is written, and what was written then comes back.
    fn begin_once(&self, row: &OnceRow) -> Result<Option<OnceRow>, StoreError>;

    /// Keeps the answer to what was begun; `None`: it came to nothing, and may be asked again.
    fn end_once(&self, token: u64, key: &str, answer: Option<&OnceAnswer>) -> Result<(), StoreError>;

    /// Drops what was begun longer ago than it is kept.
    fn drop_once(&self, now: Instant) -> Result<(), StoreError>;
}

/// What a store is opened for. Whoever makes it owns it, and whoever migrates it shuts older programs out; so not everybody
/// may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opening {
    /// It has to be there, in the newest schema.
    Existing,
    /// It is made if it is not there; an older schema is refused.
    Writing,
    /// It is made if it is not there, and brought to the newest schema; refused while a daemon works on it.
    Daemon,
}

/// Held by the one daemon of a store; dropping it lets the next one in.
pub trait DaemonLease: Send + Sync {}

/// A store, shared.
pub type SharedStore = Arc<dyn Store>;

impl RunRow {
    /// Whether it was more than a look: a dry run is one, and so is a date on which nothing began or ended.
    pub fn is_more_than_a_look(&self) -> bool {
        let idle = matches!(self.trigger, Trigger::Dates(_)) && self.version.is_none() && self.state != RunState::Failed;
        self.state != RunState::Planned && !idle
    }
}

impl RunState {
    /// Whether the run is over.
    pub fn is_over(self) -> bool {
        !matches!(self, RunState::Fetching | RunState::Planning | RunState::Committing)
    }
}
