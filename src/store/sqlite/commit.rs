//! The one way to write to the books: condition, changes and trail in one transaction.

use crate::base::Version;
use crate::store::batch::{Batch, Receipt};
use crate::store::error::StoreError;
use crate::store::sqlite::audit::append;
use crate::store::sqlite::books::{head_or_new, names};
use crate::store::sqlite::claims::write as write_claims;
use crate::store::sqlite::connect::Door;
use crate::store::sqlite::entries::{names_added, write as write_entries, write_names, write_notices};
use crate::store::sqlite::purged;
use crate::store::sqlite::reuse;
use crate::store::sqlite::snapshots::must_be_kept;

/// Commits of so many changes leave a log worth tidying.
const CHANGES_LARGE: usize = 100_000;

pub(in crate::store::sqlite) fn commit(door: &Door, batch: &Batch<'_>) -> Result<Receipt, StoreError> {
    let receipt = door.write(|tx| {
        let head = head_or_new(tx, batch.customer)?;
        if head.version != batch.parent {
            let (customer, planned, now) = (batch.customer.clone(), batch.parent, head.version);
            return Err(StoreError::VersionMoved { customer, planned, now }.into());
        }
        must_be_kept(tx, batch.customer, batch.entries)?;
        let version = Version(head.version.0 + 1);
        let stored = names(tx, head.id)?;
        let added = names_added(&stored, batch.names)?;
        write_names(tx, head.id, &stored, &added)?;
        let next_claim = write_claims(tx, &head, version, batch)?;
        reuse::follow_changes(tx, head.id, batch)?;
        let next_episode = write_entries(tx, &head, version, batch)?;
        purged::note(tx, head.id, batch.at, batch.entries)?;
        write_notices(tx, head.id, batch)?;
        let hash = append(tx, &head, version, batch, &added)?;
        tx.prepare_cached(
            "UPDATE customers SET version = ?2, hash = ?3, next_claim = ?4, next_episode = ?5, at = max(at, ?6) WHERE id = ?1",
        )?
        .execute((
            head.id,
            version.0.cast_signed(),
            hash.0,
            next_claim.0.cast_signed(),
            next_episode.0.cast_signed(),
            batch.at.0,
        ))?;
        Ok(Receipt { version, hash })
    })?;
    if batch.changes.len() >= CHANGES_LARGE {
        door.tidy();
    }
    Ok(receipt)
}
