//! Whole batches of rows that were read ahead.
//!
//! Readers go on while batches are taken: what readers of roles and enrollments look at is not changed by taking these, and
//! for readers of classes and people there is a copy of the ids that these point at.

use hashbrown::HashTable;

use crate::base::Text;
use crate::roster::batch::{BatchRows, Known, PeopleBatch, Readers, RowBatch, Sight};
use crate::roster::book::{Book, Place};
use crate::roster::class_batch::{BatchClass, ClassBatch, KnownPlaces};
use crate::roster::desk::Desk;
use crate::roster::intern::{Scribe, Words};
use crate::roster::known_ids::KnownIds;
use crate::roster::links::Links;
use crate::roster::model::{Attribute, Class, PackedEnrollment, Person, Role, RoleWord, SessionIx, Span, SpanIx};
use crate::roster::rows::{Collection, Mode, RowAt};

/// What readers of one collection look at beside the intake, made once when it has begun.
#[derive(Debug)]
pub struct Apart {
    what: Collection,
    orgs: KnownIds,
    places: KnownPlaces,
}

impl Apart {
    /// For classes, people, roles or enrollments; `None` for other rows, which must come one by one.
    pub(crate) fn new(desk: &Desk, what: Collection) -> Option<Self> {
        let mut apart = Self { what, orgs: KnownIds::default(), places: KnownPlaces::default() };
        match what {
            Collection::Classes => apart.places = KnownPlaces::of(desk)?,
            Collection::People => apart.orgs = KnownIds::of(desk.arena(), &desk.orgs, |_| true)?,
            Collection::Roles | Collection::Enrollments => {}
            Collection::Orgs | Collection::Sessions | Collection::Courses => return None,
        }
        Some(apart)
    }
}

/// Takes batches while readers look at the rest of the intake.
#[derive(Debug)]
pub struct Taker<'d>(Half<'d>);

#[derive(Debug)]
enum Half<'d> {
    All(&'d mut Desk),
    Links(LinkDesk<'d>),
}

impl Taker<'_> {
    /// As [`RosterIntake::take`](crate::roster::RosterIntake::take), which may take what this does not.
    #[must_use]
    pub fn take(&mut self, batch: &mut RowBatch, rows_before: u64) -> bool {
        let Some(before) = bounded(rows_before) else { return false };
        match &mut self.0 {
            Half::All(desk) => desk.take(batch, before),
            Half::Links(desk) => desk.take(batch, before),
        }
    }
}

/// How many rows stand before a batch, if their number leaves room for others.
pub(crate) fn bounded(rows_before: u64) -> Option<u32> {
    u32::try_from(rows_before).ok().filter(|&before| before < u32::MAX / 2)
}

/// The part of the intake at which no reader of roles and enrollments looks, and words, which both only look at.
#[derive(Debug)]
struct LinkDesk<'d> {
    roles: &'d mut Links<Role>,
    enrollments: &'d mut Links<PackedEnrollment>,
    book: &'d mut Book,
    words: &'d Words,
    scribe: &'d Scribe,
    /// All rows stay in memory.
    keeps_rows: bool,
}

impl LinkDesk<'_> {
    fn take(&mut self, batch: &mut RowBatch, rows_before: u32) -> bool {
        if batch.is_empty() {
            return !batch.is_odd;
        }
        let words = batch.words.iter().map(|word| self.words.find(self.scribe, word).map(RoleWord));
        match words.collect::<Option<Vec<RoleWord>>>() {
            Some(words) if self.keeps_rows && !batch.is_odd => self.put(batch, &words, rows_before),
            _ => false,
        }
    }

    /// Takes a batch of roles or enrollments, whose words are these.
    fn put(&mut self, batch: &mut RowBatch, words: &[RoleWord], rows_before: u32) -> bool {
        let Self { roles, enrollments, book, .. } = self;
        let count = batch.len() as u64;
        let RowBatch { rows, places, spans, file, .. } = batch;
        let Place { file, .. } = book.place(RowAt { file, row: 0 });
        let places = places.iter().map(|row| Place { file, row: row + rows_before });
        let what = match rows {
            BatchRows::Roles(rows) if roles.can_take(rows) => {
                rows.iter_mut().for_each(|row| row.link.role = words[usize::from(row.link.role.0)]);
                roles.put_all(rows, places);
                Collection::Roles
            }
            BatchRows::Enrollments(rows) if enrollments.can_take(rows) => {
                let spans = spans.list().iter();
                let spans: Vec<SpanIx> =
                    spans.map(|span| enrollments.shared.ix(Span { role: words[usize::from(span.role.0)], ..*span })).collect();
                rows.iter_mut().for_each(|row| row.link.span = spans[row.link.span.0 as usize]);
                enrollments.put_all(rows, places);
                Collection::Enrollments
            }
            BatchRows::Classes(_) | BatchRows::People(_) | BatchRows::Roles(_) | BatchRows::Enrollments(_) => return false,
        };
        book.counts.of_mut(what).rows += count;
        true
    }
}

impl Desk {
    /// Readers of a collection, and what takes their batches beside them.
    pub(crate) fn halves<'d>(&'d mut self, apart: &'d Apart) -> (Readers<'d>, Taker<'d>) {
        let what = apart.what;
        match what {
            Collection::Classes => return (Readers { sight: Sight::Places(&apart.places), what }, Taker(Half::All(self))),
            Collection::People => return (Readers { sight: Sight::Orgs(&apart.orgs), what }, Taker(Half::All(self))),
            _ => {}
        }
        let is_sound = self.is_sound_and_unaided();
        let Self { orgs, classes, people, scribe, roles, enrollments, book, words, room, .. } = self;
        let known = Known { arena: scribe.arena(), orgs, classes, people, is_sound };
        let links = LinkDesk { roles, enrollments, book, words, scribe, keeps_rows: room.is_none() };
        (Readers { sight: Sight::Known(known), what }, Taker(Half::Links(links)))
    }

    /// Takes a batch whose rows stand behind `rows_before` others, or nothing of it: then its rows have to be handed on
    /// one by one.
    pub(crate) fn take(&mut self, batch: &mut RowBatch, rows_before: u32) -> bool {
        if batch.is_odd() || batch.is_empty() {
            return !batch.is_odd();
        }
        let Some(words) = self.words_of(batch) else { return false };
        let count = batch.len() as u64;
        if matches!(batch.rows, BatchRows::Roles(_) | BatchRows::Enrollments(_)) {
            let Self { roles, enrollments, book, words: known, scribe, .. } = self;
            let mut links = LinkDesk { roles, enrollments, book, words: known, scribe, keeps_rows: true };
            let is_taken = links.put(batch, &words, rows_before);
            self.make_room();
            return is_taken;
        }
        self.unsettle();
        let Place { file, .. } = self.book.place(RowAt { file: batch.file, row: 0 });
        let before = Place { file, row: rows_before };
        let (is_taken, what) = match batch.rows {
            BatchRows::Classes(_) => (self.take_classes(batch, before), Collection::Classes),
            _ => (self.take_people(batch, &words, before), Collection::People),
        };
        // What is taken in part cannot be taken again.
        batch.is_odd = !is_taken;
        if is_taken {
            self.book.counts.of_mut(what).rows += count;
        }
        is_taken
    }

    fn words_of(&mut self, batch: &RowBatch) -> Option<Vec<RoleWord>> {
        batch.words.iter().map(|word| self.words.word(&mut self.scribe, word).ok().map(RoleWord)).collect()
    }

    fn take_classes(&mut self, batch: &mut RowBatch, before: Place) -> bool {
        let RowBatch { rows: BatchRows::Classes(batch), scribe, .. } = batch else { return false };
        let (arena, ClassBatch { classes, sessions }) = (scribe.arena(), batch);
        if self.classes.mode != Some(Mode::Full) {
            return false;
        }
        let find = |read: &BatchClass| self.classes.find_hashed(self.scribe.arena(), arena.bytes(read.class.id), read.hash);
        let slots: Vec<Option<u32>> = classes.iter().map(find).collect();
        if slots.iter().flatten().any(|&slot| self.classes.is_seen(slot)) {
            return false;
        }
        let mut known = Repeated::default();
        for Class { kind, grades, subjects, subject_codes, .. } in classes.iter_mut().map(|read| &mut read.class) {
            for text in [kind, grades, subjects, subject_codes] {
                let Some(own) = known.text(*text, |text| self.scribe.intern(arena.get(text)).ok()) else { return false };
                *text = own;
            }
        }
        let Ok(start) = self.scribe.append(arena) else { return false };
        let mut sessions = sessions.drain(..);
        for (BatchClass { hash, row, stamp, sessions: count, class }, slot) in classes.drain(..).zip(slots) {
            let slot = slot.unwrap_or_else(|| self.classes.add(class.id.moved(start), hash));
            let mut sessions: Vec<SessionIx> = sessions.by_ref().take(count).collect();
            sessions.sort_unstable();
            sessions.dedup();
            let (title, code) = (class.title.moved(start), class.code.moved(start));
            let class = Class { id: self.classes.id(slot), title, code, sessions, ..class };
            self.classes.put_stamped(slot, stamp, Place { file: before.file, row: before.row + row }, class);
        }
        true
    }

    fn take_people(&mut self, batch: &mut RowBatch, words: &[RoleWord], before: Place) -> bool {
        let RowBatch { rows: BatchRows::People(batch), scribe, .. } = batch else { return false };
        let (arena, PeopleBatch { people, inline, attributes }) = (scribe.arena(), batch);
        if self.people.mode != Some(Mode::Full) {
            return false;
        }
        let find = |read: &crate::roster::batch::BatchPerson| {
            self.people.find_hashed(self.scribe.arena(), arena.bytes(read.person.key), read.hash)
        };
        let slots: Vec<Option<u32>> = people.iter().map(find).collect();
        if slots.iter().flatten().any(|&slot| self.people.is_seen(slot)) {
            return false;
        }
        let mut known = Repeated::default();
        let mut kept = Vec::with_capacity(attributes.len());
        for &(name, value) in attributes.iter() {
            let name = self.names.word(&mut self.scribe, arena.get(name));
            let value = known.text(value, |value| self.scribe.intern(arena.get(value)).ok());
            let (Ok(name), Some(value)) = (name, value) else { return false };
            kept.push(Attribute { name, value });
        }
        for read in people.iter_mut() {
            let Some(grades) = known.text(read.person.grades, |grades| self.scribe.intern(arena.get(grades)).ok()) else {
                return false;
            };
            read.person.grades = grades;
        }
        let Ok(start) = self.scribe.append(arena) else { return false };
        let (first_role, first_attribute) = (self.inline.len() as u32, self.attributes.len() as u32);
        self.inline.extend(inline.drain(..).map(|(word, org)| (words[usize::from(word.0)], org)));
        self.attributes.append(&mut kept);
        for (read, slot) in people.drain(..).zip(slots) {
            let Person { key, given, family, email, username, identifier, roles, attributes, .. } = read.person;
            let slot = slot.unwrap_or_else(|| self.people.add(key.moved(start), read.hash));
            let person = Person {
                key: self.people.id(slot),
                given: given.moved(start),
                family: family.moved(start),
                email: email.moved(start),
                username: username.moved(start),
                identifier: identifier.moved(start),
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
struct Repeated(HashTable<(Text, Text)>);

impl Repeated {
    fn text(&mut self, text: Text, intern: impl FnOnce(Text) -> Option<Text>) -> Option<Text> {
        let hash = |text: Text| text.bits().wrapping_mul(0x9e37_79b9_7f4a_7c15);
        if let Some(&(_, known)) = self.0.find(hash(text), |&(known, _)| known == text) {
            return Some(known);
        }
        let new = intern(text)?;
        self.0.insert_unique(hash(text), (text, new), |&(known, _)| hash(known));
        Some(new)
    }
}
