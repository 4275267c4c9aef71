//! Rows of enrollments that lie outside memory while a complete read is under way that does without the stored roster: of
//! such a read nobody asks for one row by its id before the last one is in.

use std::sync::Arc;

use crate::roster::desk::{Desk, concern};
use crate::roster::finding::{Finding, Level};
use crate::roster::links::{LinkRow, State, has_twins};
use crate::roster::model::{PackedEnrollment, Span, SpanIx};
use crate::roster::packed::DatedEnrollment;
use crate::roster::room::{Laid, RECORDS_AT_ONCE, Room, distinct};
use crate::roster::rows::Mode;

impl Desk {
    /// Gives room outside memory.
    pub(crate) fn give(&mut self, room: Arc<dyn Room>) {
        self.rows_max = room.records_max();
        self.room = Some(room);
    }

    /// Puts rows outside memory when they are many. If that cannot be done they stay.
    pub(crate) fn make_room(&mut self) {
        if self.enrollments.rows.len() < self.rows_max {
            return;
        }
        let Some(room) = self.room.as_ref().filter(|_| self.is_unaided() && self.enrollments.mode == Some(Mode::Full)) else {
            return;
        };
        self.laid = self.laid.take().or_else(|| Laid::new(&**room));
        if self.laid.is_none() {
            self.rows_max = usize::MAX;
        }
        self.put_outside();
    }

    /// Puts the rows behind those outside memory, if any are there. Their last changes go along: in what is shared each different
    /// one would stay in memory.
    pub(crate) fn put_outside(&mut self) {
        let Self { laid: Some(laid), laid_spans, enrollments, .. } = self else { return };
        let spans = enrollments.shared.list();
        let undated: Vec<SpanIx> = spans.iter().map(|span| laid_spans.ix(span.undated())).collect();
        let dated = |row: &LinkRow<PackedEnrollment>| {
            let span = row.link.span.0 as usize;
            let packed = PackedEnrollment { span: undated[span], ..row.link };
            LinkRow { person: row.person, link: DatedEnrollment { packed, modified: spans[span].modified } }
        };
        for some in enrollments.rows.chunks(RECORDS_AT_ONCE) {
            laid.keep(&some.iter().map(dated).collect::<Vec<_>>());
        }
        enrollments.shared.clear();
        enrollments.forget_rows();
    }

    /// What the enrollments of the read have in common, where they lie, when the last row is in.
    pub(crate) fn spans(&self) -> &[Span] {
        match self.laid_spans.list() {
            [] => self.enrollments.shared.list(),
            outside => outside,
        }
    }

    /// Visits the rows that stand outside memory.
    pub(crate) fn each_outside(&self, visit: &mut dyn FnMut(u32, &DatedEnrollment)) {
        let Some(laid) = &self.laid else { return };
        laid.each(&mut |at, row| {
            if self.enrollments.state(at as u32) == State::Good {
                visit(row.person, &row.link);
            }
        });
    }

    /// Visits the rows of enrollments that stand, wherever they are, but not what is stored.
    pub(crate) fn each_enrollment(&self, visit: &mut dyn FnMut(u32, &PackedEnrollment)) {
        self.each_outside(&mut |person, dated| visit(person, &dated.packed));
        self.enrollments.good().for_each(|(_, row)| visit(row.person, &row.link));
    }

    /// Whether two rows of enrollments have one id.
    pub(crate) fn enrollments_double(&self) -> bool {
        let (Some(laid), Some(room)) = (&self.laid, &self.room) else { return self.enrollments.has_doubles() };
        let walk = |visit: &mut dyn FnMut(u64)| {
            laid.each(&mut |_, row| visit(row.link.packed.id.bits()));
        };
        let count = laid.len();
        let is_doubled = distinct(&**room, count, &walk).map_or_else(
            || {
                let mut ids = Vec::new();
                walk(&mut |id| ids.push(id));
                has_twins(&mut ids)
            },
            |distinct| distinct < count,
        );
        // Rows that are lost are no doubles; that they are is told in the end.
        is_doubled && !laid.is_lost()
    }

    /// What the last row leaves to be done of those outside.
    pub(crate) fn close_outside(&mut self) {
        let Self { laid, enrollments, concerned, .. } = self;
        let Some(laid) = laid.as_ref().filter(|_| enrollments.has_unreadable()) else { return };
        laid.each(&mut |at, row| {
            if enrollments.is_unreadable(row.link.packed.id) {
                enrollments.set_state(at as u32, State::Bad);
                concern(concerned, row.person);
            }
        });
    }
}

/// Rows that were put outside memory cannot be had back: nothing of the read can be used.
pub(crate) fn rows_lost() -> Finding {
    Finding {
        level: Level::Package,
        rule: "rows_lost",
        file: String::new(),
        row: 0,
        record: String::new(),
        field: String::new(),
        detail: "rows that were put on the disk while they were read cannot be read back; the next run reads them again"
            .to_owned(),
    }
}

#[cfg(test)]
mod tests;
