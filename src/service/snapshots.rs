//! Snapshots in and out of the store: whole, or as the difference from one that is whole. A name is made of what a
//! snapshot says, not of how it is kept.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;

use crate::base::{CustomerId, Digest, Instant, PersonKey, SourceId, parts};
use crate::roster::{
    Bare, Compared, Comparing, Name, Origins, PackError, Roster, apply, apply_one, pack, patch, unpack, unpack_keys, unpack_one,
};
use crate::service::behind::Behind;
use crate::service::core::Service;
use crate::service::error::ServiceError;
use crate::store::{SnapshotRow, StoreError};

/// Chunks that wait between the thread that makes them and the one that uses them.
const CHUNKS_AHEAD: usize = 4;
/// A difference must be so many times smaller than the snapshot it stands on; else that one has served its time.
const SMALLER_TIMES: u64 = 6;

/// A snapshot that was loaded, and what the next one may stand on.
pub(crate) struct Stored {
    pub(crate) roster: Roster,
    /// The snapshot kept whole that this one is or stands on.
    base: Digest,
    /// Where its records are in that one.
    origins: Origins,
}

impl Stored {
    /// What a difference needs of it besides the roster.
    pub(crate) fn split(self) -> (Roster, (Digest, Origins)) {
        (self.roster, (self.base, self.origins))
    }
}

/// What a new snapshot may stand on.
#[derive(Clone, Copy)]
pub(crate) enum Ground<'a> {
    /// The base of a roster that was loaded.
    Loaded(&'a Roster, &'a (Digest, Origins)),
    /// The base of one that was compared while it was read; and the name of the newer roster, which is known by then.
    Compared(&'a Compared, &'a Digest, &'a Name),
}

impl Ground<'_> {
    fn base(&self) -> &Digest {
        match self {
            Ground::Loaded(_, (base, _)) => base,
            Ground::Compared(_, base, _) => base,
        }
    }

    fn patch(&self, roster: &Roster) -> Option<Vec<Vec<u8>>> {
        match self {
            Ground::Loaded(before, (_, origins)) => patch(before, origins, roster),
            Ground::Compared(compared, ..) => compared.patch(roster),
        }
    }
}

impl Service {
    /// Loads a snapshot.
    ///
    /// # Errors
    /// If it is not there or cannot be read back.
    pub fn snapshot(&self, customer: &CustomerId, digest: &Digest) -> Result<Roster, ServiceError> {
        Ok(self.load(customer, digest)?.roster)
    }

    /// Loads of a snapshot's people only one, with all orgs and classes.
    pub(crate) fn snapshot_of(&self, customer: &CustomerId, digest: &Digest, key: &str) -> Result<Roster, ServiceError> {
        let base = self.store.snapshot(digest)?.and_then(|row| row.base);
        let failed = |error| ServiceError::snapshot(customer, &error);
        let one = self.chunks(&base.unwrap_or(*digest), |chunks| unpack_one(chunks, key))?.map_err(failed)?;
        match base {
            None => Ok(one.roster),
            Some(_) => self.chunks(digest, |chunks| apply_one(one, chunks, key))?.map_err(failed),
        }
    }

    /// Loads a snapshot with what the next one may stand on.
    pub(crate) fn load(&self, customer: &CustomerId, digest: &Digest) -> Result<Stored, ServiceError> {
        self.load_with(customer, digest, |chunks| unpack(chunks))
    }

    /// The same, of people no more than the keys but of whom its difference tells.
    pub(crate) fn load_keys(&self, customer: &CustomerId, digest: &Digest) -> Result<Stored, ServiceError> {
        self.load_with(customer, digest, |chunks| unpack_keys(chunks))
    }

    fn load_with(
        &self,
        customer: &CustomerId,
        digest: &Digest,
        unpack: impl FnOnce(&mut dyn FnMut() -> Option<Vec<u8>>) -> Result<Roster, PackError>,
    ) -> Result<Stored, ServiceError> {
        let row = self.store.snapshot(digest)?;
        let base = row.and_then(|row| row.base);
        let whole = self.chunks(&base.unwrap_or(*digest), unpack)?;
        let roster = whole.map_err(|error| ServiceError::snapshot(customer, &error))?;
        if base.is_none() {
            let origins = Origins::of_whole(&roster);
            return Ok(Stored { roster, base: *digest, origins });
        }
        let applied = self.chunks(digest, |chunks| apply(roster, chunks))?;
        let (roster, origins) = applied.map_err(|error| ServiceError::snapshot(customer, &error))?;
        Ok(Stored { roster, base: base.unwrap_or(*digest), origins })
    }

    /// Compares a snapshot with a newer roster while it is read, and names the snapshot kept whole that it is or stands on.
    /// `others` are people who are asked for whatever became of them; of whom is `bare` the newer one tells no more than the key.
    pub(crate) fn compare(
        &self,
        customer: &CustomerId,
        digest: &Digest,
        after: &Roster,
        (others, bare): (&[&PersonKey], Option<Bare>),
    ) -> Result<(Compared, Digest), ServiceError> {
        let base = self.store.snapshot(digest)?.and_then(|row| row.base);
        let mut patch = Vec::new();
        if base.is_some() {
            self.store.snapshot_chunks(digest, &mut |chunk| {
                patch.push(chunk);
                Ok(())
            })?;
        }
        let (whole, mut patch) = (base.unwrap_or(*digest), patch.into_iter());
        let compared = self.chunks(&whole, |chunks| {
            let mut comparing = Comparing::begin(chunks)?;
            if base.is_some() {
                comparing.patched(|| patch.next())?;
            }
            comparing.with(after, others, bare)
        })?;
        Ok((compared.map_err(|error| ServiceError::snapshot(customer, &error))?, whole))
    }

    /// Hands a snapshot's chunks to `use_up` while a second thread reads and unpacks those behind them.
    fn chunks<T>(
        &self,
        digest: &Digest,
        use_up: impl FnOnce(&mut dyn FnMut() -> Option<Vec<u8>>) -> T,
    ) -> Result<T, StoreError> {
        let (send, receive) = sync_channel(CHUNKS_AHEAD);
        thread::scope(|scope| {
            let read = scope.spawn(move || {
                let (mut is_heard, place) = (true, self.store.place());
                let unheard = || StoreError::Corrupt { place: place.clone(), what: digest.short(), why: String::new() };
                let read = self.store.snapshot_chunks(digest, &mut |chunk| {
                    is_heard = send.send(chunk).is_ok();
                    is_heard.then_some(()).ok_or_else(unheard)
                });
                // Nobody listens any more: all was read that is wanted, or it was wrong, which the listener tells.
                if is_heard { read } else { Ok(()) }
            });
            let used = use_up(&mut || receive.recv().ok());
            drop(receive);
            match read.join() {
                Ok(read) => read.map(|()| used),
                Err(panic) => resume_unwind(panic),
            }
        })
    }

    /// Keeps a roster as a snapshot, as its difference from what it may stand on if that is small; returns its name.
    pub(crate) fn stage_roster(
        &self,
        customer: &CustomerId,
        source: &SourceId,
        roster: &Roster,
        ground: Option<Ground<'_>>,
        now: Instant,
    ) -> Result<Name, ServiceError> {
        let name = if let Some(Ground::Compared(_, _, name)) = ground { name.clone() } else { Name::of(roster) };
        let mut row = row_of((customer, source), &name, roster, now)?;
        if let Some(Ground::Compared(compared, ..)) = ground {
            row.enrollments += compared.bare_enrollments();
        }
        let watch = roster.enrollments.watch();
        let lost = || ServiceError::RowsLost { customer: customer.clone() };
        if self.store.snapshot(&row.digest)?.is_some() {
            return Ok(name);
        }
        // While snapshots wait to go because they name somebody, nothing new stands on them: it would keep them.
        if let Some(ground) = ground
            && !self.store.names_purged(customer)?
            && let Some(whole) = self.store.snapshot(ground.base())?
            && let Some(chunks) = ground.patch(roster)
        {
            if !watch.is_whole() {
                return Err(lost());
            }
            let bytes: u64 = chunks.iter().map(|chunk| chunk.len() as u64).sum();
            if bytes * SMALLER_TIMES < whole.bytes {
                self.store.stage(&SnapshotRow { base: Some(*ground.base()), ..row }, &mut chunks.into_iter())?;
                return Ok(name);
            }
        }
        if let Some(Ground::Compared(compared, base, _)) = ground
            && compared.is_of_bare()
        {
            let failed = |error| ServiceError::snapshot(customer, &error);
            let base = self.chunks(base, |chunks| unpack(chunks))?.map_err(failed)?;
            self.stage_whole(&row, &compared.whole(base, roster).map_err(failed)?)?;
            return Ok(name);
        }
        self.stage_whole(&row, roster).map_err(|error| if watch.is_whole() { error.into() } else { lost() })?;
        Ok(name)
    }

    /// The same of a roster that can stand on nothing, and as soon as it is packed: the rest is written behind the run.
    pub(crate) fn stage_behind(
        &self,
        customer: &CustomerId,
        source: &SourceId,
        roster: &Roster,
        now: Instant,
    ) -> Result<(Name, Behind), ServiceError> {
        let name = Name::of(roster);
        let row = row_of((customer, source), &name, roster, now)?;
        if self.store.snapshot(&row.digest)?.is_some() {
            return Ok((name, Behind::default()));
        }
        let (send, receive) = sync_channel(CHUNKS_AHEAD);
        let behind = Behind::begin(&self.store, move |store| store.stage(&row, &mut receive.into_iter()));
        pack_to(roster, send);
        Ok((name, behind))
    }

    /// Keeps a snapshot whole, also one that stood on another.
    fn stage_whole(&self, row: &SnapshotRow, roster: &Roster) -> Result<(), StoreError> {
        let (send, receive) = sync_channel(CHUNKS_AHEAD);
        parts::both(move || pack_to(roster, send), || self.store.stage(row, &mut receive.into_iter())).1
    }

    /// Lets the snapshots that the books rest on stand on nothing else, so that all others can be dropped: for people who
    /// are to be forgotten (R130).
    pub(crate) fn stand_alone(&self, customer: &CustomerId) -> Result<(), StoreError> {
        for mark in self.store.standing_light(customer)?.sources.values() {
            if let Some(row) = self.store.snapshot(&mark.snapshot)?.filter(|row| row.base.is_some()) {
                let roster = self.snapshot(customer, &mark.snapshot).map_err(|error| match error {
                    ServiceError::Store(error) => error,
                    error => StoreError::Corrupt {
                        place: self.store.place(),
                        what: format!("snapshot {}", mark.snapshot.short()),
                        why: error.to_string(),
                    },
                })?;
                self.stage_whole(&SnapshotRow { base: None, ..row }, &roster)?;
            }
        }
        Ok(())
    }
}

/// The row of a roster that is kept as a snapshot.
fn row_of(
    (customer, source): (&CustomerId, &SourceId),
    name: &Name,
    roster: &Roster,
    now: Instant,
) -> Result<SnapshotRow, ServiceError> {
    // Blank rows may stand in what is made of a roster that is not whole, and the name is that of the whole ones.
    if !roster.enrollments.watch().is_whole() {
        return Err(ServiceError::RowsLost { customer: customer.clone() });
    }
    Ok(SnapshotRow {
        digest: name.digest,
        base: None,
        customer: customer.clone(),
        source: source.clone(),
        at: now,
        bytes: 0,
        people: roster.people.iter().filter(|p| !p.ended).count() as u64,
        enrollments: roster.enrollments.len() as u64,
    })
}

/// Packs a roster for whoever keeps the chunks, who is not kept waiting for more whatever happens here. If the store gives up,
/// nobody listens any more, and the rest is made for nothing; if this does, the store is told: half a snapshot must not be kept.
fn pack_to(roster: &Roster, send: SyncSender<Vec<u8>>) {
    let watch = roster.enrollments.watch();
    let packed = catch_unwind(AssertUnwindSafe(|| pack(roster, &mut |chunk| drop(send.send(chunk.to_vec())))));
    if packed.is_err() || !watch.is_whole() {
        drop(send.send(Vec::new()));
    }
    packed.unwrap_or_else(|panic| resume_unwind(panic));
}
