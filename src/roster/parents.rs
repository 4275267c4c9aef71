//! Which parents hold: records whose parent is missing, or that are their own ancestor, are rejected and the others
//! stay (R1).

use crate::roster::model::{Org, Session};
use crate::roster::table::{Choice, Record, Table};

/// No tree of schools is deeper; a longer chain is an attack on whoever walks it.
const DEPTH_MAX: u32 = 100;

const NONE: u32 = u32::MAX;

/// A record in a tree of its kind.
pub(crate) trait Nested: Record {
    /// The parent's slot.
    fn parent(&self) -> Option<u32>;
}

impl Nested for Org {
    fn parent(&self) -> Option<u32> {
        self.parent.map(|org| org.0)
    }
}

impl Nested for Session {
    fn parent(&self) -> Option<u32> {
        self.parent.map(|session| session.0)
    }
}

/// Why a record was rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BadParent {
    /// The parent in this slot is not there.
    Missing(u32),
    /// It is its own ancestor.
    Cycle,
    /// It lies deeper than [`DEPTH_MAX`].
    TooDeep,
}

/// Drops the rows whose parents do not hold, until all that stay do. Each dropped row falls back to the stored record,
/// or to nothing; what then hangs in the air is looked at again.
pub(crate) fn settle_parents<T: Nested>(table: &mut Table<T>) -> Vec<(u32, BadParent)> {
    let mut bad = Vec::new();
    if table.rows.is_empty() {
        return bad;
    }
    let children = Children::of(table);
    let mut open: Vec<u32> = (0..table.len() as u32).rev().collect();
    loop {
        while let Some(slot) = open.pop() {
            if let Some(parent) = row_parent(table, slot)
                && !table.present(parent)
            {
                bad.push((slot, BadParent::Missing(parent)));
                table.drop_row(slot);
                if !table.present(slot) {
                    children.each(slot, |child| open.push(child));
                }
            }
        }
        for (slot, why) in circles(table) {
            bad.push((slot, why));
            table.drop_row(slot);
            if !table.present(slot) {
                children.each(slot, |child| open.push(child));
            }
            open.push(slot);
        }
        if open.is_empty() {
            return bad;
        }
    }
}

fn row_parent<T: Nested>(table: &Table<T>, slot: u32) -> Option<u32> {
    match table.choice(slot) {
        Choice::Row(row) => table.rows[row as usize].parent(),
        Choice::Absent | Choice::Stored => None,
    }
}

/// The parent of the record that a mention of the slot would bring in, be it present or kept for its children's sake.
fn parent<T: Nested>(table: &Table<T>, slot: u32) -> Option<u32> {
    match table.choice(slot) {
        Choice::Row(row) => table.rows[row as usize].parent(),
        Choice::Absent | Choice::Stored => table.stored.get(slot as usize).and_then(Nested::parent),
    }
}

/// The rows that are part of a circle or lie too deep.
fn circles<T: Nested>(table: &Table<T>) -> Vec<(u32, BadParent)> {
    const ON_PATH: u32 = NONE;
    let mut depth = vec![0u32; table.len()];
    let mut found = Vec::new();
    let mut path = Vec::new();
    for start in 0..table.len() as u32 {
        let mut at = Some(start);
        while let Some(slot) = at
            && depth[slot as usize] == 0
        {
            depth[slot as usize] = ON_PATH;
            path.push(slot);
            at = parent(table, slot);
        }
        let mut above = at.map_or(0, |slot| depth[slot as usize]);
        if above == ON_PATH {
            // The walk came back to a slot of its own path: from there on it goes round.
            while let Some(slot) = path.pop() {
                depth[slot as usize] = 1;
                found.push((slot, BadParent::Cycle));
                if Some(slot) == at {
                    break;
                }
            }
            above = 1;
        }
        while let Some(slot) = path.pop() {
            above = (above + 1).min(DEPTH_MAX + 1);
            depth[slot as usize] = above;
            if above > DEPTH_MAX {
                found.push((slot, BadParent::TooDeep));
            }
        }
    }
    found.retain(|&(slot, _)| matches!(table.choice(slot), Choice::Row(_)));
    found
}

/// Children by parent, as the rows tell them.
struct Children {
    first: Vec<u32>,
    next: Vec<u32>,
}

impl Children {
    fn of<T: Nested>(table: &Table<T>) -> Self {
        let mut children = Self { first: vec![NONE; table.len()], next: vec![NONE; table.len()] };
        for slot in 0..table.len() as u32 {
            if let Some(parent) = row_parent(table, slot) {
                children.next[slot as usize] = children.first[parent as usize];
                children.first[parent as usize] = slot;
            }
        }
        children
    }

    fn each(&self, parent: u32, mut visit: impl FnMut(u32)) {
        let mut at = self.first[parent as usize];
        while at != NONE {
            visit(at);
            at = self.next[at as usize];
        }
    }
}
