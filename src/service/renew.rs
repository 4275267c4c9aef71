//! A package read beside what the read before left to know: what did not change is not looked into.

use std::mem::take;
use std::sync::mpsc::sync_channel;

use crate::base::{CustomerId, PersonKey, SourceId, parts};
use crate::license::SourceMark;
use crate::plan::{Needs, Plan, Standing};
use crate::roster::{Intake, Renewal, RosterIntake, Trace};
use crate::service::beside::{Beside, others};
use crate::service::core::{Customer, Feed, Service};
use crate::service::error::ServiceError;
use crate::service::pulled::Pulled;
use crate::service::rosters::Ask;
use crate::source::Package;
use crate::store::StoreError;

impl Service {
    /// Reads of a package what is new and makes of it and the stored roster what reading all of it would come to, compared
    /// with the stored one; and the package with its digest. `None`: it has to be read whole.
    pub(crate) fn renewed(
        &self,
        (customer, feed): (&Customer, &Feed),
        standing: &Standing,
        (mark, package): (&SourceMark, &Package),
        ask: Ask<'_>,
    ) -> Result<Option<(Package, Intake, Beside)>, ServiceError> {
        let Some(mut trace) = self.trace_of(customer.id(), mark)? else { return Ok(None) };
        let known = needs_of(customer, take(&mut trace.needs));
        let Some(mut reread) = feed.source.reread(package, &trace) else { return Ok(None) };
        let others = others(standing);
        let others: Vec<&PersonKey> = others.iter().collect();
        let (stored, looked) = parts::both(|| self.load_keys(customer.id(), &mark.snapshot), || reread.look());
        let (stored, (_, origins)) = stored?.split();
        let begun = if looked { Renewal::begin(&stored, reread.news()) } else { None };
        let Some((renewal, frame)) = begun else { return Ok(None) };
        let mut intake = RosterIntake::new(Some(frame), feed.intake);
        let Some(news) = reread.feed(&mut intake) else { return Ok(None) };
        let read = (news, intake.finish());
        let Some(mut renewed) = renewal.finish((stored, &origins), read, &others) else { return Ok(None) };
        let asked = (others.as_slice(), Some(take(&mut renewed.bare)));
        let (mut compared, base) = self.compare(customer.id(), &mark.snapshot, &renewed.roster, asked)?;
        let Some((intake, same)) = renewed.compared(&mut compared, trace) else { return Ok(None) };
        let Ok(package) = feed.source.named(package.clone()) else { return Ok(None) };
        let claims = !compared.delta.conflicts.is_empty() && !self.is_approved(standing, &package.told());
        if claims {
            return Ok(None);
        }
        // A roster without its name is not staged under another.
        let Some(name) = intake.trace.as_ref().map(|trace| trace.name.clone()) else { return Ok(None) };
        let roster = &intake.roster;
        let renewed = ask.zip(known).map(|((policy, today), known)| known.renewed(policy, (roster, &same), today));
        // Where these hold no more, all that is stored is asked for.
        let needs = renewed.and_then(|renewed| renewed.ok().flatten());
        Ok(Some((package, intake, Beside { compared, base, name, needs })))
    }

    fn trace_of(&self, customer: &CustomerId, mark: &SourceMark) -> Result<Option<Trace>, ServiceError> {
        let mut chunks = Vec::new();
        let read = self.store.trace(customer, &mark.source, &mut |chunk| {
            chunks.push(chunk);
            Ok(())
        });
        // What cannot be used is as good as none: the package is read whole, and leaves another.
        match read {
            Err(StoreError::Corrupt { .. }) => return Ok(None),
            read => read?,
        }
        let mut chunks = chunks.into_iter();
        Ok(Trace::unpack(|| chunks.next(), |name| *name == mark.snapshot).unwrap_or_default())
    }

    /// Keeps what reads left to know for the next ones, where the books rest on what was read; `needs` are those of its people.
    pub(crate) fn keep_traces(
        &self,
        customer: &Customer,
        plan: &Plan,
        (traces, needs): (&mut [(SourceId, Trace)], Option<&Needs>),
    ) -> Result<(), StoreError> {
        for (source, trace) in traces {
            if let (Some(needs), Some(rules)) = (needs, customer.settings()) {
                needs.pack(&rules, &mut |chunk| trace.needs.extend_from_slice(chunk));
            }
            if plan.snapshots.iter().any(|mark| mark.source == *source && mark.snapshot == trace.name.digest) {
                let (give, got) = sync_channel(1);
                // If the store gives up nobody listens any more, and the rest is made for nothing.
                let there = move || trace.pack(&mut |chunk| drop(give.send(chunk.to_vec())));
                parts::both(there, || self.store.save_trace(customer.id(), source, &mut got.into_iter())).1?;
            }
        }
        Ok(())
    }
}

/// What people were found to need, if the same rules would find it today.
fn needs_of(customer: &Customer, bytes: Vec<u8>) -> Option<Needs> {
    let (rules, mut bytes) = (customer.settings()?, Some(bytes));
    Needs::unpack(|| bytes.take(), &rules).ok()?
}

/// What reads left to know.
pub(crate) fn traces_of(pulls: &mut [Pulled]) -> Vec<(SourceId, Trace)> {
    let trace = |pulled: &mut Pulled| Some((pulled.source.clone(), pulled.fresh.as_mut()?.trace.take()?));
    pulls.iter_mut().filter_map(trace).collect()
}
