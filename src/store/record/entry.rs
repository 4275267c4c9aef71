//! Entries of the trail and the records that they carry.

use crate::base::Actor;
use crate::license::{
    Absence, AgreedExcess, Allowance, ClaimState, Entry, Episode, Grant, GuardDay, Hold, Names, NumberedSeat, OrgMark,
    OverageLimits, Phase, Pin, PoolBooks, PoolTerms, ReuseYear, RolesChange, Sample, SeatMoves, SeatRequest, SourceMark,
    StateCounts, Term,
};
use crate::store::record::bytes::{DecodeError, Decoder, Record, fields};
use crate::store::shape::Watch;

fields! {
    Actor { kind, name }
    Grant { id, pool, seats, from, to, recorded, by, kind, reference }
    AgreedExcess { id, pool, seats, from, to, recorded, by, reference }
    Pin { person, pool, kind, by, at, reason, until }
    OverageLimits { minor_percent, major_percent, minor_floor }
    RolesChange { person, before, after }
    PoolTerms { pool, product, unlimited, overage, owner, reservations }
    OrgMark { id, name, parent, ended }
    SeatRequest { pool, seats, used, allowance, waiting, by, at, note }
    Allowance { seats, agreed }
    Sample { at, used, effective, band }
    Episode { id, pool, opened, opened_day, cause, peak, samples, closed, outcome }
    PoolBooks { counts, allowance, causes, band, episode, held_back, provisional }
    Absence { person, source, org, count, since, ended, held, removed, removed_at }
    SourceMark { source, package, bytes, snapshot, at, name, amended }
    Names { pools, orgs, reasons }
    Hold {
        run, plan, opened, deadline, trips, removals, additions, packages, empty, state, by, at, exceptions, used, told,
    }
    GuardDay { source, day, base, removed }
    Watch { status, near, waiting }
    Term { id, pool, from, to, seats, recorded, by, reference }
    Phase { state, term, since, term_end }
    ReuseYear { pool, year, distinct, allowance_max, used_max, people_max }
    NumberedSeat { number, people, person }
    SeatMoves { pool, anew, seats }
}

/// The names a commit added to each dictionary: what came behind the parent's.
pub(in crate::store) type NamesAdded = Names;

impl Record for StateCounts {
    fn put(&self, out: &mut Vec<u8>) {
        ClaimState::ALL.iter().for_each(|&state| self.of(state).put(out));
    }

    fn take(from: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let mut counts = StateCounts::default();
        for state in ClaimState::ALL {
            counts.set(state, Record::take(from)?);
        }
        Ok(counts)
    }
}

impl Record for Entry {
    fn put(&self, out: &mut Vec<u8>) {
        match self {
            Entry::PoolDefined(terms) => tagged(0, terms, out),
            Entry::Granted(grant) => tagged(1, grant, out),
            Entry::ExcessAgreed(agreed) => tagged(2, agreed, out),
            Entry::Pinned(pin) => tagged(3, pin, out),
            Entry::Unpinned { person, pool } => {
                tagged(4, person, out);
                pool.put(out);
            }
            Entry::Pool { pool, books } => {
                tagged(5, pool, out);
                books.put(out);
            }
            Entry::Episode(episode) => tagged(6, episode, out),
            Entry::Absent(absence) => tagged(7, absence, out),
            Entry::Returned(person) => tagged(8, person, out),
            Entry::Adopted(mark) => tagged(9, mark, out),
            Entry::RolesChanged(changes) => tagged(13, changes, out),
            Entry::Refused { person, pool, answer } => {
                tagged(10, person, out);
                pool.put(out);
                answer.put(out);
            }
            Entry::Purged { person, reason } => {
                tagged(12, person, out);
                reason.put(out);
            }
            Entry::IdentityConflict { known, new } => {
                tagged(11, known, out);
                new.put(out);
            }
            Entry::Hold(hold) => tagged(20, hold, out),
            Entry::GuardDay(day) => tagged(21, day, out),
            Entry::Clock(fact) => tagged(30, fact, out),
            Entry::NoticeDelivered(delivery) => tagged(31, delivery, out),
            Entry::Orgs(orgs) => tagged(50, orgs, out),
            Entry::SeatsRequested(request) => tagged(51, request, out),
            Entry::Term(term) => tagged(40, term, out),
            Entry::Reuse(year) => tagged(42, year, out),
            Entry::NumberedSeats(moves) => tagged(43, moves, out),
            Entry::Phase { pool, phase } => {
                tagged(41, pool, out);
                phase.put(out);
            }
        }
    }

    fn take(from: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        Ok(match from.byte()? {
            0 => Entry::PoolDefined(Record::take(from)?),
            1 => Entry::Granted(Record::take(from)?),
            2 => Entry::ExcessAgreed(Record::take(from)?),
            3 => Entry::Pinned(Record::take(from)?),
            4 => Entry::Unpinned { person: Record::take(from)?, pool: Record::take(from)? },
            5 => Entry::Pool { pool: Record::take(from)?, books: Record::take(from)? },
            6 => Entry::Episode(Record::take(from)?),
            7 => Entry::Absent(Record::take(from)?),
            8 => Entry::Returned(Record::take(from)?),
            9 => Entry::Adopted(Record::take(from)?),
            10 => Entry::Refused { person: Record::take(from)?, pool: Record::take(from)?, answer: Record::take(from)? },
            11 => Entry::IdentityConflict { known: Record::take(from)?, new: Record::take(from)? },
            12 => Entry::Purged { person: Record::take(from)?, reason: Record::take(from)? },
            13 => Entry::RolesChanged(Record::take(from)?),
            20 => Entry::Hold(Record::take(from)?),
            21 => Entry::GuardDay(Record::take(from)?),
            30 => Entry::Clock(Record::take(from)?),
            31 => Entry::NoticeDelivered(Record::take(from)?),
            50 => Entry::Orgs(Record::take(from)?),
            51 => Entry::SeatsRequested(Record::take(from)?),
            40 => Entry::Term(Record::take(from)?),
            42 => Entry::Reuse(Record::take(from)?),
            43 => Entry::NumberedSeats(Record::take(from)?),
            41 => Entry::Phase { pool: Record::take(from)?, phase: Record::take(from)? },
            code => return Err(DecodeError::Code { what: "entries", code }),
        })
    }
}

fn tagged(tag: u8, value: &impl Record, out: &mut Vec<u8>) {
    out.push(tag);
    value.put(out);
}
