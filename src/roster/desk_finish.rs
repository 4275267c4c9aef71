//! The end of an intake: which records make up the roster.

use std::mem::take;

use crate::base::Day;
use crate::roster::book::{Book, Flaw};
use crate::roster::canon::{Attending, Begun, Loose, LoosePerson, Places, Sound, canonical};
use crate::roster::desk::Desk;
use crate::roster::desk_outside::rows_lost;
use crate::roster::desk_people::range;
use crate::roster::finding::{Finding, Level};
use crate::roster::links::LinkRow;
use crate::roster::model::{PackedEnrollment, RecordHash, Role, Roster};
use crate::roster::packed::DatedEnrollment;
use crate::roster::parents::Nested;
use crate::roster::room::Laid;
use crate::roster::rows::RowAt;
use crate::roster::table::{Choice, Record, Table};

/// Which slots make up the roster. A stored record that stays brings along what it points at, be that in this read or
/// not: it stays exactly as it was (R104).
struct Kept {
    orgs: Vec<bool>,
    sessions: Vec<bool>,
    courses: Vec<bool>,
    classes: Vec<bool>,
    people: Vec<bool>,
}

fn present<T: Record>(table: &Table<T>) -> Vec<bool> {
    (0..table.len() as u32).map(|slot| table.present(slot)).collect()
}

/// The records of the kept slots that come from the store.
fn stored<'a, T: Record>(table: &'a Table<T>, kept: &'a [bool]) -> impl Iterator<Item = &'a T> {
    (0u32..).zip(&table.stored).filter_map(|(slot, record)| {
        let from_row = matches!(table.choice(slot), Choice::Row(_));
        (kept[slot as usize] && !from_row).then_some(record)
    })
}

fn keep_parents<T: Nested>(table: &Table<T>, kept: &mut [bool]) {
    for slot in 0..table.stored.len() as u32 {
        let mut at = slot;
        while kept[at as usize] && !matches!(table.choice(at), Choice::Row(_)) {
            let Some(parent) = table.stored.get(at as usize).and_then(Nested::parent) else { break };
            if kept[parent as usize] {
                break;
            }
            kept[parent as usize] = true;
            at = parent;
        }
    }
}

/// The record of each kept slot.
fn pick<'a, T: Record>(table: &'a Table<T>, kept: &[bool]) -> Vec<Option<&'a T>> {
    let record = |slot: u32| table.get(slot).or_else(|| table.stored.get(slot as usize));
    (0u32..).zip(kept).map(|(slot, &kept)| if kept { record(slot) } else { None }).collect()
}

/// The roster, unless rows of it were lost.
fn told(roster: Roster, book: &mut Book, is_lost: bool) -> Roster {
    if !is_lost {
        return roster;
    }
    book.findings.push(rows_lost());
    Roster::default()
}

impl Desk {
    /// Makes the roster.
    pub(crate) fn finish(mut self) -> (Roster, Book) {
        self.close();
        self.concerned.resize(self.people.len(), false);
        self.warn_two_primary_teachers();
        if self.is_sound_and_unaided() && self.people.is_rows_alone() && self.classes.is_rows_alone() {
            return self.finish_sound();
        }
        let kept = self.kept();
        let people = (0u32..).zip(&kept.people).map(|(slot, &kept)| if kept { self.loose_person(slot) } else { None });
        let people: Vec<Option<LoosePerson<'_>>> = people.collect();
        let here = |visit: &mut dyn FnMut(u32, &PackedEnrollment)| self.all_enrollments(&kept.people, visit);
        let outside = |visit: &mut dyn FnMut(u32, &DatedEnrollment)| {
            self.each_outside(&mut |person, enrollment| {
                if kept.people[person as usize] {
                    visit(person, enrollment);
                }
            });
        };
        let made = canonical(&Loose {
            places: self.places(&kept),
            people,
            roles: &|visit| self.all_roles(&kept.people, visit),
            enrollments: match &self.room {
                Some(room) if self.laid.is_some() => Attending::Outside(&outside, &**room),
                _ => Attending::Here(&here),
            },
        });
        let roster = made.unwrap_or_else(|full| {
            // Cannot happen: these texts lie in one arena already. If it did, nothing of the read may be used.
            self.book.findings.push(Finding {
                level: Level::Package,
                rule: "too_much_text",
                file: String::new(),
                row: 0,
                record: String::new(),
                field: String::new(),
                detail: full.to_string(),
            });
            Roster::default()
        });
        let is_lost = self.laid.as_ref().is_some_and(Laid::is_lost);
        (told(roster, &mut self.book, is_lost), self.book)
    }

    /// Of sound rows alone every row is a record and every text belongs to one: nothing is copied.
    fn finish_sound(mut self) -> (Roster, Book) {
        let mut kept = self.kept();
        kept.classes.clear();
        // The slots are of no use any more, and large.
        let (people, classes) = (self.people.into_rows(), self.classes.into_rows());
        let mut roles = take(&mut self.roles.rows);
        for (slot, person) in (0u32..).zip(&people) {
            for &(role, org) in &self.inline[range(person.roles)] {
                let link = Role { role, org, modified: person.modified, ..Role::BLANK };
                roles.push(LinkRow { person: slot, link });
            }
        }
        let (attributes, enrollments) = (take(&mut self.attributes), take(&mut self.enrollments.rows));
        self.people = Table::new(Vec::new(), self.scribe.arena());
        self.classes = Table::new(Vec::new(), self.scribe.arena());
        let laid = self.laid.take();
        let outside = laid.as_ref().zip(self.room.as_deref());
        let sound = Sound { people, attributes, roles, enrollments, outside };
        let begun = Begun::new(&self.places(&kept), classes, &sound);
        let roster = begun.finish(self.scribe.arena(), sound);
        let is_lost = laid.is_some_and(|laid| laid.is_lost());
        let roster = told(Roster { texts: self.scribe.into_arena(), ..roster }, &mut self.book, is_lost);
        (roster, self.book)
    }

    fn places(&self, kept: &Kept) -> Places<'_> {
        Places {
            texts: self.arena(),
            words: self.words.texts(),
            names: self.names.texts(),
            orgs: pick(&self.orgs, &kept.orgs),
            sessions: pick(&self.sessions, &kept.sessions),
            courses: pick(&self.courses, &kept.courses),
            classes: pick(&self.classes, &kept.classes),
            spans: self.spans(),
        }
    }

    fn loose_person(&self, slot: u32) -> Option<LoosePerson<'_>> {
        let quarantined = self.concerned[slot as usize] || self.people.kept_blindly(slot);
        let (person, attributes) = match self.people.choice(slot) {
            Choice::Row(row) => (self.people.rows.get(row as usize)?, &self.attributes),
            Choice::Stored | Choice::Absent => (self.people.stored.get(slot as usize)?, &self.attributes_stored),
        };
        Some(LoosePerson { person, attributes: &attributes[range(person.attributes)], quarantined })
    }

    fn kept(&self) -> Kept {
        let mut kept = Kept {
            orgs: present(&self.orgs),
            sessions: present(&self.sessions),
            courses: present(&self.courses),
            classes: present(&self.classes),
            people: present(&self.people),
        };
        // Whoever has a bad row is there, even if their own row is missing.
        for slot in 0..self.people.stored.len() {
            kept.people[slot] |= self.concerned[slot];
        }
        if self.is_sound_and_unaided() {
            return kept;
        }
        for person in stored(&self.people, &kept.people) {
            person.primary_org.into_iter().for_each(|org| kept.orgs[org.0 as usize] = true);
        }
        self.all_roles(&kept.people, &mut |_, role| kept.orgs[role.org.0 as usize] = true);
        let classes = &mut kept.classes;
        self.all_enrollments(&kept.people, &mut |_, enrollment| classes[enrollment.class.0 as usize] = true);
        for class in stored(&self.classes, &kept.classes) {
            class.course.into_iter().for_each(|course| kept.courses[course.0 as usize] = true);
            class.sessions.iter().for_each(|session| kept.sessions[session.0 as usize] = true);
            kept.orgs[class.school.0 as usize] = true;
        }
        for course in stored(&self.courses, &kept.courses) {
            course.school_year.into_iter().for_each(|session| kept.sessions[session.0 as usize] = true);
            kept.orgs[course.org.0 as usize] = true;
        }
        keep_parents(&self.sessions, &mut kept.sessions);
        keep_parents(&self.orgs, &mut kept.orgs);
        kept
    }

    fn all_roles(&self, people: &[bool], visit: &mut dyn FnMut(u32, &Role)) {
        for slot in (0..people.len() as u32).filter(|&slot| people[slot as usize]) {
            let stored = self.people.stored.get(slot as usize);
            if let Choice::Row(row) = self.people.choice(slot) {
                let person = &self.people.rows[row as usize];
                for &(role, org) in &self.inline[range(person.roles)] {
                    let (first, last, modified) = (Day::MIN, Day::MAX, person.modified);
                    let id = RecordHash::default();
                    visit(slot, &Role { role, org, primary: false, first, last, id, ended: false, modified });
                }
            } else if let Some(person) = stored {
                self.roles.stored[range(person.roles)].iter().filter(|r| r.id.is_zero()).for_each(|r| visit(slot, r));
            }
            if let Some(person) = stored {
                for at in range(person.roles) {
                    if !self.roles.stored[at].id.is_zero() && self.roles.stays(at) {
                        visit(slot, &self.roles.stored[at]);
                    }
                }
            }
        }
        for (_, row) in self.roles.good().filter(|(_, row)| people[row.person as usize]) {
            visit(row.person, &row.link);
        }
    }

    fn all_enrollments(&self, people: &[bool], visit: &mut dyn FnMut(u32, &PackedEnrollment)) {
        for (slot, person) in (0u32..).zip(&self.people.stored).filter(|&(slot, _)| people[slot as usize]) {
            for at in range(person.enrollments) {
                if self.enrollments.stays(at) {
                    visit(slot, &self.enrollments.stored[at]);
                }
            }
        }
        self.each_enrollment(&mut |person, enrollment| {
            if people[person as usize] {
                visit(person, enrollment);
            }
        });
    }

    /// A class with more than one primary teacher is odd, and no more than that.
    fn warn_two_primary_teachers(&mut self) {
        let teacher = self.words.texts().iter().position(|&word| self.scribe.get(word) == "teacher");
        let is_empty = self.laid.is_none() && self.enrollments.rows.is_empty();
        let (Some(teacher), false) = (teacher, is_empty) else { return };
        let mut primary = Vec::new();
        let spans = self.spans().iter();
        let teaches: Vec<bool> = spans.map(|span| span.primary && !span.ended && usize::from(span.role.0) == teacher).collect();
        if !teaches.contains(&true) {
            return;
        }
        self.all_enrollments(&present(&self.people), &mut |person, enrollment| {
            if teaches[enrollment.span.0 as usize] {
                primary.push((enrollment.class, person));
            }
        });
        primary.sort_unstable();
        primary.dedup();
        let file = self.book.at(self.enrollments.place(0)).file;
        for class in primary.chunk_by(|a, b| a.0 == b.0).filter(|class| class.len() > 1) {
            let id = self.owned(self.classes.id(class[0].0.0));
            let detail = format!("class {id} has {} primary teachers", class.len());
            self.book.warn(RowAt { file, row: 0 }, "", Flaw::graph("two_primary_teachers", "primary", detail));
        }
    }
}

#[cfg(test)]
mod tests;
