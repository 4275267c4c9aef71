//! Plans as bytes, written piece by piece so that three million changes never lie in one buffer.

use crate::base::TextArena;
use crate::license::{Because, PoolIx};
use crate::plan::{AbsenceChange, Notice, Plan, PoolOutlook, Trip, Verdict, Withheld};
use crate::store::record::bytes::{DecodeError, Decoder, FORMAT, Record, fields, put_number};
use crate::store::record::change::{ChangeReader, ChangeWriter, KeyReader, KeyWriter};

fields! {
    PoolOutlook {
        pool, product, allowance_before, allowance, before, after, balance_before, balance, balance_if_approved,
        band_before, band, causes, released, seated,
    }
    Notice { key, kind, pool, source, text }
    Trip { guard, org, collection, base, removed, limit_percent }
    Verdict { trips }
}

impl Record for PoolIx {
    fn put(&self, out: &mut Vec<u8>) {
        self.0.put(out);
    }

    fn take(from: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        Ok(PoolIx(Record::take(from)?))
    }
}

impl Record for AbsenceChange {
    fn put(&self, out: &mut Vec<u8>) {
        match self {
            AbsenceChange::Absent(absence) => {
                out.push(0);
                absence.put(out);
            }
            AbsenceChange::Returned(person) => {
                out.push(1);
                person.put(out);
            }
            AbsenceChange::Purged(person) => {
                out.push(2);
                person.put(out);
            }
        }
    }

    fn take(from: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        match from.byte()? {
            0 => Ok(AbsenceChange::Absent(Record::take(from)?)),
            1 => Ok(AbsenceChange::Returned(Record::take(from)?)),
            2 => Ok(AbsenceChange::Purged(Record::take(from)?)),
            code => Err(DecodeError::Code { what: "changes of absence", code }),
        }
    }
}

/// What of a plan is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) enum Form {
    /// All of it.
    Whole,
    /// All but its changes and entries, which the trail tells once it is committed.
    Short,
}

/// Writes a plan into `out`; calls `pause` between items, which may take `out`'s bytes away.
pub(in crate::store) fn put_plan<E>(
    plan: &Plan,
    form: Form,
    out: &mut Vec<u8>,
    pause: &mut dyn FnMut(&mut Vec<u8>) -> Result<(), E>,
) -> Result<(), E> {
    let Plan {
        id,
        customer,
        parent,
        at,
        snapshots,
        names,
        people,
        changes,
        withheld,
        absences,
        pools,
        entries,
        notices,
        verdict,
    } = plan;
    let (changes, entries) = match form {
        Form::Whole => (changes.as_slice(), entries.as_slice()),
        Form::Short => (&[][..], &[][..]),
    };
    out.push(FORMAT);
    id.put(out);
    customer.put(out);
    parent.put(out);
    at.put(out);
    snapshots.put(out);
    names.put(out);
    put_number(changes.len() as u64, out);
    let mut writer = ChangeWriter::default();
    for change in changes {
        writer.put(change, people, out);
        pause(out)?;
    }
    put_number(withheld.len() as u64, out);
    let mut keys = KeyWriter::default();
    for Withheld { person, product, pool, because } in withheld {
        keys.put(people.get(*person), out);
        product.put(out);
        pool.put(out);
        because.put(out);
        pause(out)?;
    }
    absences.put(out);
    pools.put(out);
    put_number(entries.len() as u64, out);
    for entry in entries {
        entry.put(out);
        pause(out)?;
    }
    notices.put(out);
    verdict.put(out);
    pause(out)
}

/// Reads a plan back, as far as it was written.
pub(in crate::store) fn take_plan(bytes: &[u8]) -> Result<Plan, DecodeError> {
    let mut from = Decoder::open(bytes)?;
    let id = Record::take(&mut from)?;
    let customer = Record::take(&mut from)?;
    let parent = Record::take(&mut from)?;
    let at = Record::take(&mut from)?;
    let snapshots = Record::take(&mut from)?;
    let names = Record::take(&mut from)?;
    let mut people = TextArena::default();
    let mut reader = ChangeReader::default();
    let count = from.count()?;
    let changes = (0..count).map(|_| reader.take(&mut from, &mut people)).collect::<Result<_, _>>()?;
    let mut keys = KeyReader::default();
    let count = from.count()?;
    let withheld = (0..count).map(|_| take_withheld(&mut from, &mut keys, &mut people)).collect::<Result<_, _>>()?;
    let plan = Plan {
        id,
        customer,
        parent,
        at,
        snapshots,
        names,
        people,
        changes,
        withheld,
        absences: Record::take(&mut from)?,
        pools: Record::take(&mut from)?,
        entries: Record::take(&mut from)?,
        notices: Record::take(&mut from)?,
        verdict: Record::take(&mut from)?,
    };
    from.end()?;
    Ok(plan)
}

fn take_withheld(from: &mut Decoder<'_>, keys: &mut KeyReader, people: &mut TextArena) -> Result<Withheld, DecodeError> {
    Ok(Withheld {
        person: keys.take(from, people)?,
        product: Record::take(from)?,
        pool: Record::take(from)?,
        because: Because::take(from)?,
    })
}
