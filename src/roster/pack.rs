//! A roster as bytes, always the same for the same roster.
//!
//! Layout: a version byte, ten counts, then texts and numbers of whatever people point at, then those of people, each column
//! by column. Columns put like beside like, which is what the compression of whoever stores the chunks lives on. Handles,
//! days and stamps are told as differences from the record before.

use hashbrown::HashTable;

use crate::base::{Day, Text};
use crate::roster::intern::text_hash;
use crate::roster::model::{Modified, Roster};
use crate::roster::spans::undated;
use crate::roster::wire::Writer;

/// The version of the layout; the first byte.
pub(crate) const LAYOUT: u8 = 1;

/// So many texts are touched before they are read.
pub(crate) const TOUCHED: usize = 64;

/// Writes a canonical roster in chunks of about 1 MiB.
pub fn pack(roster: &Roster, sink: &mut dyn FnMut(&[u8])) {
    let mut packer = Packer { out: Writer::new(sink), roster, known: HashTable::new(), texts: Vec::new() };
    packer.out.raw(&[LAYOUT]);
    packer.counts();
    packer.place_texts();
    packer.places();
    packer.person_texts();
    packer.people();
    packer.links();
    packer.out.finish();
}

/// A day as a number: 0 has no start, 1 has no end, others by their difference from the last such day.
pub(crate) fn day_code(day: Day, last: &mut i32) -> u64 {
    match day {
        Day::MIN => 0,
        Day::MAX => 1,
        Day(day) => {
            let difference = i64::from(day) - i64::from(*last);
            *last = day;
            ((difference << 1) ^ (difference >> 63)) as u64 + 2
        }
    }
}

struct Packer<'a> {
    out: Writer<'a>,
    roster: &'a Roster,
    /// Texts of the columns that repeat, by their number.
    known: HashTable<u32>,
    texts: Vec<Text>,
}

/// Texts of records, column by column.
macro_rules! columns {
    ($packer:ident, $records:ident: $($way:ident $field:ident),*) => {
        $(for some in $packer.roster.$records.chunks(TOUCHED) {
            $packer.roster.texts.touch(some.iter().map(|record| record.$field));
            some.iter().for_each(|record| $packer.$way(record.$field));
        })*
    };
}

impl Packer<'_> {
    fn counts(&mut self) {
        let r = self.roster;
        let counts = [
            r.role_words.len(),
            r.attribute_names.len(),
            r.orgs.len(),
            r.sessions.len(),
            r.courses.len(),
            r.classes.len(),
            r.people.len(),
            r.roles.len(),
            r.enrollments.len(),
            r.attributes.len(),
        ];
        counts.into_iter().for_each(|count| self.out.number(count as u64));
    }

    fn place_texts(&mut self) {
        let r = self.roster;
        r.role_words.iter().chain(&r.attribute_names).for_each(|&word| self.once(word));
        columns!(self, orgs: once id, once name, again kind, once identifier);
        columns!(self, sessions: once id, once title, again kind);
        columns!(self, courses: once id, once title, once code, again grades, again subjects, again subject_codes);
        columns!(self, classes: once id, once title, again kind, once code, again grades, again subjects, again subject_codes);
    }

    fn person_texts(&mut self) {
        columns!(self, people: once key, once given, once family, once email, once username, once identifier, again grades);
        columns!(self, attributes: again value);
    }

    fn once(&mut self, text: Text) {
        self.out.text(self.roster.texts.bytes(text));
    }

    /// A text that may have been there: 0 and the text, or the number it got when it was.
    fn again(&mut self, text: Text) {
        let (roster, texts) = (self.roster, &mut self.texts);
        let plain = roster.text(text);
        let hash = text_hash(plain);
        if let Some(&known) = self.known.find(hash, |&at| roster.text(texts[at as usize]) == plain) {
            self.out.number(u64::from(known) + 1);
            return;
        }
        let at = texts.len() as u32;
        texts.push(text);
        self.known.insert_unique(hash, at, |&at| text_hash(roster.text(texts[at as usize])));
        self.out.number(0);
        self.out.text(plain.as_bytes());
    }

    fn places(&mut self) {
        let r = self.roster;
        let optional = |handle: Option<u32>| handle.map_or(0, |handle| u64::from(handle) + 1);
        r.orgs.iter().for_each(|o| self.out.number(optional(o.parent.map(|org| org.0))));
        self.ended(r.orgs.iter().map(|o| (o.ended, o.modified)));
        r.sessions.iter().for_each(|s| self.out.number(optional(s.parent.map(|session| session.0))));
        self.days(r.sessions.iter().map(|s| s.first));
        self.days(r.sessions.iter().map(|s| s.last));
        self.ended(r.sessions.iter().map(|s| (s.ended, s.modified)));
        r.courses.iter().for_each(|c| self.out.number(optional(c.school_year.map(|session| session.0))));
        r.courses.iter().for_each(|c| self.out.number(u64::from(c.org.0)));
        self.ended(r.courses.iter().map(|c| (c.ended, c.modified)));
        r.classes.iter().for_each(|c| self.out.number(optional(c.course.map(|course| course.0))));
        r.classes.iter().for_each(|c| self.out.number(u64::from(c.school.0)));
        for class in &r.classes {
            self.out.number(class.sessions.len() as u64);
            class.sessions.iter().for_each(|session| self.out.number(u64::from(session.0)));
        }
        self.ended(r.classes.iter().map(|c| (c.ended, c.modified)));
    }

    fn people(&mut self) {
        let r = self.roster;
        r.people.iter().for_each(|p| self.out.number(p.primary_org.map_or(0, |org| u64::from(org.0) + 1)));
        for p in &r.people {
            self.out.raw(&[u8::from(p.enabled) | u8::from(p.ended) << 1 | u8::from(p.quarantined) << 2]);
        }
        self.stamps(r.people.iter().map(|p| p.modified));
        r.people.iter().for_each(|p| self.out.number(u64::from(p.roles.1)));
        r.people.iter().for_each(|p| self.out.number(u64::from(p.enrollments.1)));
        r.people.iter().for_each(|p| self.out.number(u64::from(p.attributes.1)));
        r.attributes.iter().for_each(|a| self.out.number(u64::from(a.name)));
    }

    fn links(&mut self) {
        let r = self.roster;
        self.handles(r.roles.iter().map(|l| l.org.0));
        r.roles.iter().for_each(|l| self.out.number(u64::from(l.role.0)));
        for l in &r.roles {
            self.out.raw(&[u8::from(l.primary) | u8::from(l.ended) << 1 | u8::from(l.id.is_zero()) << 2]);
        }
        self.days(r.roles.iter().map(|l| l.first));
        self.days(r.roles.iter().map(|l| l.last));
        self.stamps(r.roles.iter().map(|l| l.modified));
        for l in r.roles.iter().filter(|l| !l.id.is_zero()) {
            self.out.raw(&l.id.bits().to_be_bytes());
        }
        let (spans, to) = undated(&r.spans);
        self.out.number(spans.len() as u64);
        spans.iter().for_each(|s| self.out.number(u64::from(s.role.0)));
        spans.iter().for_each(|s| self.out.raw(&[u8::from(s.primary) | u8::from(s.ended) << 1]));
        self.days(spans.iter().map(|s| s.first));
        self.days(spans.iter().map(|s| s.last));
        let mut last = 0;
        r.enrollments.each(&mut |l| self.handle(l.class.0, &mut last));
        r.enrollments.each(&mut |l| self.out.number(u64::from(to[l.span.0 as usize])));
        let mut last = 0;
        r.enrollments.each_modified(&r.spans, &mut |modified| self.stamp(modified, &mut last));
        r.enrollments.each(&mut |l| self.out.raw(&l.id.bits().to_be_bytes()));
    }

    fn handles(&mut self, handles: impl Iterator<Item = u32>) {
        let mut last = 0;
        handles.for_each(|handle| self.handle(handle, &mut last));
    }

    #[inline]
    fn handle(&mut self, handle: u32, last: &mut i64) {
        self.out.signed(i64::from(handle) - *last);
        *last = i64::from(handle);
    }

    fn days(&mut self, days: impl Iterator<Item = Day>) {
        let mut last = 0;
        days.for_each(|day| self.out.number(day_code(day, &mut last)));
    }

    fn stamps(&mut self, stamps: impl Iterator<Item = Modified>) {
        let mut last = 0;
        stamps.for_each(|stamp| self.stamp(stamp, &mut last));
    }

    #[inline]
    fn stamp(&mut self, stamp: Modified, last: &mut i64) {
        self.out.signed(i64::from(stamp.0) - *last);
        *last = i64::from(stamp.0);
    }

    fn ended(&mut self, records: impl Iterator<Item = (bool, Modified)> + Clone) {
        records.clone().for_each(|(ended, _)| self.out.raw(&[u8::from(ended)]));
        self.stamps(records.map(|(_, stamp)| stamp));
    }
}

#[cfg(test)]
mod tests;
