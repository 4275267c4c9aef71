//! Whole batches of rows that were read ahead.

use std::collections::BTreeMap;

use crate::base::Text;
use crate::roster::batch::{BatchRows, PeopleBatch, RowBatch};
use crate::roster::book::Place;
use crate::roster::desk::Desk;
use crate::roster::links::has_twins;
use crate::roster::model::{Attribute, Person, RoleWord, Span, SpanIx};
use crate::roster::rows::{Collection, Mode, RowAt};

impl Desk {
    /// Takes a batch whose rows stand behind `rows_before` others, or nothing of it: then its rows have to be handed on
    /// one by one.
    pub(crate) fn take(&mut self, batch: RowBatch, rows_before: u32) -> bool {
        if batch.is_odd() || batch.is_empty() {
            return !batch.is_odd();
        }
        let Some(words) = self.words_of(&batch) else { return false };
        let count = batch.len() as u64;
        let Place { file, .. } = self.book.place(RowAt { file: batch.file, row: 0 });
        let places = batch.places.iter().map(|row| Place { file, row: row + rows_before });
        let (what, taken) = match batch.rows {
            BatchRows::People(people) => {
                (Collection::People, self.take_people(people, &words, Place { file, row: rows_before }))
            }
            BatchRows::Roles(mut rows) => {
                rows.iter_mut().for_each(|row| row.link.role = words[usize::from(row.link.role.0)]);
                (Collection::Roles, self.roles.mode == Some(Mode::Full) && self.roles.put_all(rows, places))
            }
            BatchRows::Enrollments(mut rows) => {
                let spans = batch.spans.into_spans().into_iter();
                let spans: Vec<SpanIx> = spans
                    .map(|span| self.enrollments.shared.ix(Span { role: words[usize::from(span.role.0)], ..span }))
                    .collect();
                rows.iter_mut().for_each(|row| row.link.span = spans[row.link.span.0 as usize]);
                (Collection::Enrollments, self.enrollments.mode == Some(Mode::Full) && self.enrollments.put_all(rows, places))
            }
        };
        if taken {
            self.make_room();
            self.book.counts.of_mut(what).rows += count;
        }
        taken
    }

    fn words_of(&mut self, batch: &RowBatch) -> Option<Vec<RoleWord>> {
        batch.words.iter().map(|word| self.words.word(&mut self.scribe, word).ok().map(RoleWord)).collect()
    }

    fn take_people(&mut self, batch: PeopleBatch, words: &[RoleWord], before: Place) -> bool {
        self.unsettle();
        let PeopleBatch { arena, people, inline, attributes } = batch;
        let mut hashes: Vec<u64> = people.iter().map(|read| read.hash).collect();
        if self.people.mode != Some(Mode::Full) || has_twins(&mut hashes) {
            return false;
        }
        let find = |read: &crate::roster::batch::BatchPerson| {
            self.people.find_hashed(self.scribe.arena(), arena.get(read.person.key), read.hash)
        };
        let slots: Vec<Option<u32>> = people.iter().map(find).collect();
        if slots.iter().flatten().any(|&slot| self.people.is_seen(slot)) {
            return false;
        }
        let mut known = Repeated::default();
        let mut kept = Vec::with_capacity(attributes.len());
        for &(name, value) in &attributes {
            let name = self.names.word(&mut self.scribe, arena.get(name));
            let value = known.text(value, |value| self.scribe.intern(arena.get(value)).ok());
            let (Ok(name), Some(value)) = (name, value) else { return false };
            kept.push(Attribute { name, value });
        }
        for read in &people {
            if known.text(read.person.grades, |grades| self.scribe.intern(arena.get(grades)).ok()).is_none() {
                return false;
            }
        }
        let Ok(start) = self.scribe.append(&arena) else { return false };
        let (first_role, first_attribute) = (self.inline.len() as u32, self.attributes.len() as u32);
        self.inline.extend(inline.into_iter().map(|(word, org)| (words[usize::from(word.0)], org)));
        self.attributes.append(&mut kept);
        for (read, slot) in people.into_iter().zip(slots) {
            let Person { key, given, family, email, username, identifier, grades, roles, attributes, .. } = read.person;
            let slot = slot.unwrap_or_else(|| self.people.add(key.moved(start), read.hash));
            let person = Person {
                key: self.people.id(slot),
                given: given.moved(start),
                family: family.moved(start),
                email: email.moved(start),
                username: username.moved(start),
                identifier: identifier.moved(start),
                grades: known.0.get(&grades).copied().unwrap_or(Text::EMPTY),
                roles: (roles.0 + first_role, roles.1),
                attributes: (attributes.0 + first_attribute, attributes.1),
                ..read.person
            };
            let place = Place { file: before.file, row: before.row + read.row };
            self.people.put_stamped(slot, read.stamp, place, person);
        }
        true
    }
}

/// Texts that repeat: a batch's handles to the intake's.
#[derive(Default)]
struct Repeated(BTreeMap<Text, Text>);

impl Repeated {
    fn text(&mut self, text: Text, intern: impl FnOnce(Text) -> Option<Text>) -> Option<Text> {
        if let Some(&known) = self.0.get(&text) {
            return Some(known);
        }
        let new = intern(text)?;
        self.0.insert(text, new);
        Some(new)
    }
}
