//! What clocks of overages write down, as bytes.

use crate::license::{
    AutoUpgrade, Charge, Clauses, ClockFact, ClockStep, CureCalendar, CureFrom, Delivery, GapBand, Interlock, Jump, Ladder,
    Quote, Settled, Stage, StageFact, StageWhy, Tier,
};
use crate::store::record::bytes::{DecodeError, Decoder, Record, codes, fields};

fields! {
    Tier { seats, price }
    Ladder { tiers, jump, currency }
    Clauses {
        gap_band, count_first_day, merge_gap_business_days, minor_business_days, major_after_business_days,
        cure_business_days, major_cure_hours, major_cure_calendar, major_cure_from, auto_upgrade, ladder,
    }
    Charge { currency, price_old, price_new, days_left, days_in_year, amount }
    Quote { from, to, day, until, charge }
    StageFact { stage, why, round, notice, deadline, offer }
    Settled { outcome, day0, day, elapsed, zone, weekend, holidays, clauses, notice }
    ClockFact { pool, episode, at, recorded, by, step }
    Delivery { key, episode, channel, at, recorded, by }
}

codes! {
    Jump, "jumps" { Next = 0, Covering = 1 }
    GapBand, "gap policies" { Minor = 0, Major = 1, Warn = 2 }
    CureCalendar, "cure calendars" { Clock = 0, Business = 1 }
    CureFrom, "starts of a cure window" { NoticeDelivered = 0, NoticeIssued = 1, MajorStart = 2 }
    AutoUpgrade, "upgrade policies" { Apply = 0, Propose = 1, Off = 2 }
    Stage, "stages" { Minor = 0, MinorOverdue = 1, Major = 2 }
    StageWhy, "reasons of a stage" { Opened = 0, Time = 1, Band = 2, BandLeft = 3 }
    Interlock, "interlocks" {
        NoHigherTier = 0, Undelivered = 1, StaleSnapshot = 2, OpenHold = 3, Provisional = 4, BillingFrozen = 5,
        AwaitsApproval = 6,
    }
}

impl ClockStep {
    /// The step's stored code.
    pub(in crate::store) fn code(&self) -> u8 {
        match self {
            ClockStep::Continues { .. } => CONTINUES,
            ClockStep::Stage(_) => 1,
            ClockStep::GapEntered { .. } => 2,
            ClockStep::CureEnded { .. } => 3,
            ClockStep::Withheld { .. } => 4,
            ClockStep::Approved { .. } => 5,
            ClockStep::Upgraded { .. } => 6,
            ClockStep::Settled(_) => 7,
            ClockStep::Voided { .. } => 8,
            ClockStep::Frozen { .. } => 9,
            ClockStep::Unfrozen { .. } => 10,
        }
    }
}

/// The code of a clock that goes on from an earlier episode; stores look for it.
pub(in crate::store) const CONTINUES: u8 = 0;

impl Record for ClockStep {
    fn put(&self, out: &mut Vec<u8>) {
        out.push(self.code());
        match self {
            ClockStep::Continues { of, day0 } => {
                of.put(out);
                day0.put(out);
            }
            ClockStep::Stage(stage) => stage.put(out),
            ClockStep::GapEntered { notice } | ClockStep::CureEnded { notice } | ClockStep::Voided { notice } => {
                notice.put(out)
            }
            ClockStep::Withheld { round, reasons, offer, notice } => {
                round.put(out);
                reasons.put(out);
                offer.put(out);
                notice.put(out);
            }
            ClockStep::Approved { round, reason } => {
                round.put(out);
                reason.put(out);
            }
            ClockStep::Upgraded { round, grant, from, to, charge, notice } => {
                round.put(out);
                grant.put(out);
                from.put(out);
                to.put(out);
                charge.put(out);
                notice.put(out);
            }
            ClockStep::Settled(settled) => settled.put(out),
            ClockStep::Frozen { reason } | ClockStep::Unfrozen { reason } => reason.put(out),
        }
    }

    fn take(from: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        Ok(match from.byte()? {
            CONTINUES => ClockStep::Continues { of: Record::take(from)?, day0: Record::take(from)? },
            1 => ClockStep::Stage(Record::take(from)?),
            2 => ClockStep::GapEntered { notice: Record::take(from)? },
            3 => ClockStep::CureEnded { notice: Record::take(from)? },
            4 => ClockStep::Withheld {
                round: Record::take(from)?,
                reasons: Record::take(from)?,
                offer: Record::take(from)?,
                notice: Record::take(from)?,
            },
            5 => ClockStep::Approved { round: Record::take(from)?, reason: Record::take(from)? },
            6 => ClockStep::Upgraded {
                round: Record::take(from)?,
                grant: Record::take(from)?,
                from: Record::take(from)?,
                to: Record::take(from)?,
                charge: Record::take(from)?,
                notice: Record::take(from)?,
            },
            7 => ClockStep::Settled(Record::take(from)?),
            8 => ClockStep::Voided { notice: Record::take(from)? },
            9 => ClockStep::Frozen { reason: Record::take(from)? },
            10 => ClockStep::Unfrozen { reason: Record::take(from)? },
            code => return Err(DecodeError::Code { what: "steps of a clock", code }),
        })
    }
}

#[cfg(test)]
mod tests;
