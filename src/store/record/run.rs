//! What is kept of runs and requests.

use crate::base::{Digest, SourceId};
use crate::roster::Scope;
use crate::store::record::bytes::{DecodeError, Decoder, Record, fields};
use crate::store::shape::{Asked, RunTally, Trigger};

/// The part of a run that nobody asks for by value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::store) struct RunBody {
    pub(in crate::store) packages: Vec<String>,
    pub(in crate::store) tally: RunTally,
    pub(in crate::store) message: String,
    pub(in crate::store) rejected: Vec<(SourceId, Digest)>,
}

fields! {
    Asked { by, source, confirm_absences, scope }
    RunTally { people, seated, released, waiting, changed, withheld, findings }
    RunBody { packages, tally, message, rejected }
}

impl Record for Scope {
    fn put(&self, out: &mut Vec<u8>) {
        match self {
            Scope::Person(person) => {
                out.push(0);
                person.put(out);
            }
            Scope::Org(org) => {
                out.push(1);
                org.put(out);
            }
        }
    }

    fn take(from: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        match from.byte()? {
            0 => Ok(Scope::Person(Record::take(from)?)),
            1 => Ok(Scope::Org(Record::take(from)?)),
            code => Err(DecodeError::Code { what: "scopes", code }),
        }
    }
}

impl Record for Trigger {
    fn put(&self, out: &mut Vec<u8>) {
        match self {
            Trigger::Nightly(day) => {
                out.push(0);
                day.put(out);
            }
            Trigger::SameDay(asked) => {
                out.push(1);
                asked.put(out);
            }
            Trigger::Drop => out.push(2),
            Trigger::Dates(day) => {
                out.push(3);
                day.put(out);
            }
            Trigger::Revert(run, actor) => {
                out.push(4);
                run.put(out);
                actor.put(out);
            }
            Trigger::Import(actor) => {
                out.push(5);
                actor.put(out);
            }
        }
    }

    fn take(from: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        match from.byte()? {
            0 => Ok(Trigger::Nightly(Record::take(from)?)),
            1 => Ok(Trigger::SameDay(Record::take(from)?)),
            2 => Ok(Trigger::Drop),
            3 => Ok(Trigger::Dates(Record::take(from)?)),
            4 => Ok(Trigger::Revert(Record::take(from)?, Record::take(from)?)),
            5 => Ok(Trigger::Import(Record::take(from)?)),
            code => Err(DecodeError::Code { what: "triggers", code }),
        }
    }
}
