//! The one way to write to the books: condition, changes and trail in one transaction.

use crate::base::{Version, parts};
use crate::store::batch::{Batch, Receipt};
use crate::store::error::StoreError;
use crate::store::sql::audit::{append, tell};
use crate::store::sql::books::{head, head_or_new, names};
use crate::store::sql::claims::{CHANGES_LARGE, write as write_claims};
use crate::store::sql::door::Door;
use crate::store::sql::entries::{names_added, write as write_entries, write_names, write_notices};
use crate::store::sql::fault::Fault;
use crate::store::sql::orphans;
use crate::store::sql::purged;
use crate::store::sql::reuse;
use crate::store::sql::runs::must_go_on;
use crate::store::sql::snapshots::must_be_kept;
use crate::store::sql::transaction::Transaction;

pub(in crate::store::sql) fn commit(door: &impl Door, batch: &Batch<'_>) -> Result<Receipt, StoreError> {
    let mut made = None;
    let is_large = batch.changes.len() >= CHANGES_LARGE;
    let act = |tx: &Transaction<'_>| {
        let head = head_or_new(tx, batch.customer)?;
        if head.version != batch.parent {
            let (customer, planned, now) = (batch.customer.clone(), batch.parent, head.version);
            return Err(StoreError::VersionMoved { customer, planned, now }.into());
        }
        if let Some(run) = batch.run {
            must_go_on(tx, run)?;
        }
        must_be_kept(tx, batch.customer, batch.entries)?;
        let version = Version(head.version.0 + 1);
        let stored = names(tx, head.id)?;
        let added = names_added(&stored, batch.names)?;
        write_names(tx, head.id, &stored, &added)?;
        let tell = || tell(&head, version, batch, &added);
        let write = || {
            let next_claim = write_claims(tx, &head, version, batch)?;
            reuse::follow_changes(tx, head.id, batch)?;
            let next_episode = write_entries(tx, &head, version, batch)?;
            purged::note(tx, head.id, batch.at, batch.entries)?;
            write_notices(tx, head.id, batch)?;
            Ok::<_, Fault>((next_claim, next_episode))
        };
        let (told, written) = if is_large { parts::both(tell, write) } else { (tell(), write()) };
        let ((next_claim, next_episode), told) = (written?, told?);
        let hash = told.hash;
        append(tx, &head, version, batch, told)?;
        tx.prepare_cached(
            "UPDATE customers SET version = ?2, hash = ?3, next_claim = ?4, next_episode = ?5, at = CASE WHEN at < ?6 THEN ?6 ELSE at END
             WHERE id = ?1",
        )?
        .execute((
            head.id,
            version.0.cast_signed(),
            hash.0,
            next_claim.0.cast_signed(),
            next_episode.0.cast_signed(),
            batch.at.0,
        ))?;
        Ok(*made.insert(Receipt { version, hash }))
    };
    let written = if is_large { door.write_much(act) } else { door.write(act) };
    let receipt = match (written, made) {
        (Ok(receipt), _) => receipt,
        // The server went away while it was told to commit. The hash tells whether it did.
        (Err(away @ StoreError::Away { .. }), Some(receipt)) => {
            // If the server still commits, that is waited for briefly; who still does not know says that it is away.
            let asked = orphans::apart(door, |tx| {
                head_or_new(tx, batch.customer)?;
                is_committed(tx, batch, receipt)
            });
            if asked? == Some(true) {
                receipt
            } else {
                return Err(away);
            }
        }
        (Err(error), _) => return Err(error),
    };
    if is_large {
        door.tidy();
    }
    Ok(receipt)
}

fn is_committed(tx: &Transaction<'_>, batch: &Batch<'_>, receipt: Receipt) -> Result<bool, Fault> {
    let Some(head) = head(tx, batch.customer)? else { return Ok(false) };
    tx.query_row(
        "SELECT EXISTS (SELECT 1 FROM audit WHERE customer_id = ?1 AND version = ?2 AND hash = ?3)",
        (head.id, receipt.version.0.cast_signed(), receipt.hash.0),
        |row| row.get(0),
    )
}
