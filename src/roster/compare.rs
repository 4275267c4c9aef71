//! A stored roster compared with a newer one while it is unpacked: of a large one little is ever in memory.
//!
//! A base is read column by column and held against the newer roster, whose people stand in the same order of keys; a
//! patch on it is read whole, it is small. What comes out is what [`diff`](crate::roster::diff()),
//! [`thin`](crate::roster::thin()) and [`patch`](crate::roster::patch()) make of the two rosters, of which tests make sure.

use std::mem::{swap, take};

use crate::base::{PersonKey, Text};
use crate::roster::apply::{applied, join_texts, orgs_together, put_together, take_patch};
use crate::roster::blank::{blank_class, blank_person};
use crate::roster::compare_classes::{Classes, Frame};
use crate::roster::compare_people::{ENDED, HERE, OTHER, People, STAMPED};
use crate::roster::delta::{Comparison, OrgDelta, RosterDelta, collections, home_org};
use crate::roster::identity::conflicts;
use crate::roster::model::{
    Attribute, Class, ClassIx, Enrollment, Org, OrgIx, PackedEnrollment, Person, PersonIx, RecordHash, Role, RoleWord, Roster,
    Span,
};
use crate::roster::packed::DatedEnrollment;
use crate::roster::patch::{NEW, Origins, Own, moves, news, patch_of};
use crate::roster::rows::Collection;
use crate::roster::spans::{SpanTable, tidy};
use crate::roster::tree::OrgTree;
use crate::roster::unpack::{Unpacker, check};
use crate::roster::unread::{Bare, Unread};
use crate::roster::wire::{PackError, Reader};

/// A stored roster beside a newer one.
#[derive(Debug)]
pub struct Compared {
    /// What changed; positions before lead into `rest`.
    pub delta: RosterDelta,
    /// Of the stored roster all orgs, sessions and courses; whoever left or ended since then, and who was asked for, with all
    /// that is theirs; and of people who changed the keys and, of each role, word and org. Of the classes it has those that the
    /// former attend, with id and school.
    pub rest: Roster,
    /// What was not read of people of whom nothing is new.
    pub(crate) unread: Unread,
    pub(crate) has_own: [bool; 7],
    pub(crate) own: Own,
}

/// A stored roster whose comparison has begun.
pub struct Comparing<F> {
    unpacker: Unpacker<F>,
    counts: [u32; 10],
    origins: Origins,
    news: Roster,
    is_patched: bool,
}

impl<F: FnMut() -> Option<Vec<u8>>> Comparing<F> {
    /// Begins to read what [`pack`](crate::roster::pack()) wrote.
    ///
    /// # Errors
    /// As [`unpack`](crate::roster::unpack()).
    pub fn begin(chunks: F) -> Result<Self, PackError> {
        let (unpacker, counts) = Unpacker::begin(Reader::new(chunks), None)?;
        Ok(Self { unpacker, counts, origins: Origins::default(), news: Roster::default(), is_patched: false })
    }

    /// Reads what [`patch`](crate::roster::patch()) wrote: the stored roster is what it makes of the base.
    ///
    /// # Errors
    /// As [`apply`](crate::roster::apply()).
    pub fn patched(&mut self, chunks: impl FnMut() -> Option<Vec<u8>>) -> Result<(), PackError> {
        let [_, _, orgs, sessions, courses, classes, people, ..] = self.counts.map(|count| count as usize);
        (self.origins, self.news) = take_patch([orgs, sessions, courses, classes, people], chunks)?;
        self.is_patched = true;
        Ok(())
    }

    /// Reads the base to its end. `others` are people of the stored roster who are asked for whatever becomes of them; of those
    /// who are `bare` the newer roster has no more than the key, and they are what they are in the base.
    ///
    /// # Errors
    /// As [`apply`](crate::roster::apply()); the order of what leaves nothing behind is not checked in full.
    pub fn with(self, after: &Roster, others: &[&PersonKey], bare: Option<Bare>) -> Result<Compared, PackError> {
        let Self { mut unpacker, counts, mut origins, mut news, is_patched } = self;
        if !is_patched {
            let all = |at: usize| (0..counts[at]).collect();
            origins = Origins { orgs: all(2), sessions: all(3), courses: all(4), classes: all(5), people: all(6) };
        }
        let mut others: Vec<&str> = others.iter().map(|key| key.as_str()).collect();
        others.sort_unstable();
        unpacker.frame_texts(&counts)?;
        let frame = Frame::new(&unpacker, after);
        let mut classes = Classes::texts(&mut unpacker, after, counts[5] as usize)?;
        unpacker.frame()?;
        classes.places(&mut unpacker, &frame, after)?;
        let bare = bare.unwrap_or_default();
        let mut people = People::texts(&mut unpacker, after, &counts, &origins.people, (&others, &bare.is_bare))?;
        let mut unread = Unread::new(bare, after);
        let mut attributes = Vec::new();
        for _ in 0..counts[9] {
            attributes.push(Attribute { name: 0, value: unpacker.again()? });
        }
        people.numbers(&mut unpacker, &frame, after, (&counts, attributes), &mut unread)?;
        people.roles(&mut unpacker, &frame, after, &mut unread)?;
        people.enrollments(&mut unpacker, &frame, &classes, after, &mut unread)?;
        people.forget_bare();
        unread.is_plain &= !news.people.iter().any(|person| person.ended || person.quarantined);
        let Unpacker { arena, roster: mut base, .. } = unpacker;
        base.texts = arena;
        if !is_patched {
            news.role_words.clone_from(&base.role_words);
            news.attribute_names.clone_from(&base.attribute_names);
        } else {
            join_texts(&mut base.texts, &mut news)?;
        }
        Side { base, news, origins, classes, people, unread, after, others }.compared()
    }
}

impl Compared {
    /// Whether the stored roster has records of a collection that had rows of their own ([`Roster::has_own`]).
    pub fn has_own(&self, what: Collection) -> bool {
        self.has_own[what as usize]
    }

    /// Whether the newer roster has bare people.
    pub fn is_of_bare(&self) -> bool {
        self.unread.has_bare
    }

    /// How many enrollments its bare people have.
    pub fn bare_enrollments(&self) -> u64 {
        self.unread.enrollments.into()
    }

    /// The newer roster without bare people, out of its base.
    ///
    /// # Errors
    /// [`PackError`] if it is another base.
    pub fn whole(&self, base: Roster, after: &Roster) -> Result<Roster, PackError> {
        applied(base, news(after, &self.own).ok_or(FULL)?, &self.own)
    }

    /// What makes the newer roster of the base, as [`patch`](crate::roster::patch()) has it.
    pub fn patch(&self, after: &Roster) -> Option<Vec<Vec<u8>>> {
        patch_of(&self.own, after)
    }
}

/// All that was read, before it is put together. All texts are those of the base.
struct Side<'a> {
    /// The frame, and the people picked with their roles and attributes.
    base: Roster,
    news: Roster,
    origins: Origins,
    classes: Classes,
    people: People,
    unread: Unread,
    after: &'a Roster,
    others: Vec<&'a str>,
}

/// Somebody of the stored roster.
struct Known {
    /// Position in the newer roster.
    to: u32,
    had_ended: bool,
    is_other: bool,
    home: Option<OrgIx>,
}

/// An enrollment of somebody who is kept.
struct Attended {
    class: Text,
    school: OrgIx,
    span: Span,
    id: RecordHash,
}

/// The orgs of the stored roster, and where those of the base are among them.
struct Orgs {
    all: Vec<Org>,
    tree: OrgTree,
    moves: Vec<u32>,
}

const FULL: PackError = PackError::Corrupt("there are more than 4 GiB of text");
const ODD: PackError = PackError::Corrupt("a patch does not fit its base");

/// What the walk over the stored roster's people finds.
#[derive(Default)]
struct Walked {
    delta: RosterDelta,
    /// Who is kept, in the order of keys, and whether the patch told of them.
    kept: Vec<(Person, bool)>,
    /// People whom the stored roster did not have.
    new: Vec<PersonIx>,
    living: u32,
}

impl Side<'_> {
    fn compared(mut self) -> Result<Compared, PackError> {
        let orgs = self.orgs()?;
        let (has_own, own) = (self.has_own(&orgs), self.own());
        let Walked { mut delta, kept, new, living } = self.walk(&orgs)?;
        delta.collections = self.collections(&orgs, living);
        (delta.base, delta.now) = delta.collections[Collection::People as usize];
        let (after, unread) = (self.after, take(&mut self.unread));
        let rest = self.rest(&orgs, kept)?;
        delta.conflicts = conflicts(&rest, after, &new, &delta.absent);
        Ok(Compared { delta, rest, unread, has_own, own })
    }

    fn orgs(&mut self) -> Result<Orgs, PackError> {
        let (all, moves) = orgs_together(&self.base.texts, &self.base.orgs, self.news.orgs.clone(), &self.origins.orgs)?;
        let roster = Roster { texts: take(&mut self.base.texts), orgs: all, ..Roster::default() };
        let tree = OrgTree::new(&roster);
        self.base.texts = roster.texts;
        Ok(Orgs { all: roster.orgs, tree, moves })
    }

    fn has_own(&self, orgs: &Orgs) -> [bool; 7] {
        let Self { news, origins, people, .. } = self;
        let is_here = |person: usize| people.marks[person] & HERE != 0;
        let roles = people.has_own_roles || news.roles.iter().any(|role| !role.id.is_zero());
        let attends = |person: usize| is_here(person) && people.enrollments[person] < people.enrollments[person + 1];
        let enrollments = !news.enrollments.is_empty() || (0..people.to.len()).any(attends);
        let [sessions, courses] = [&origins.sessions, &origins.courses].map(|list| !list.is_empty());
        [!orgs.all.is_empty(), sessions, courses, !origins.classes.is_empty(), !origins.people.is_empty(), roles, enrollments]
    }

    /// Which records of the base the newer roster has as they are.
    fn own(&mut self) -> Own {
        let by_base = |origins: &[u32], len: usize| {
            let mut own = vec![NEW; len];
            origins.iter().filter(|&&origin| origin != NEW).for_each(|&origin| own[origin as usize] = origin);
            own
        };
        let frame = Origins {
            orgs: by_base(&self.origins.orgs, self.base.orgs.len()),
            sessions: by_base(&self.origins.sessions, self.base.sessions.len()),
            courses: by_base(&self.origins.courses, self.base.courses.len()),
            ..Origins::default()
        };
        let people = take(&mut self.base.people);
        let mut own = Own::of(&self.base, &frame, self.after);
        self.base.people = people;
        for &origin in self.origins.classes.iter().filter(|&&origin| origin != NEW) {
            if self.classes.is_same[origin as usize] {
                own.classes[self.classes.to[origin as usize] as usize] = origin;
            }
        }
        for ((at, &to), &marks) in (0u32..).zip(&self.people.to).zip(&self.people.marks) {
            if to != NEW && marks & (HERE | OTHER | STAMPED) == HERE {
                own.people[to as usize] = at;
            }
        }
        own
    }

    fn collections(&self, orgs: &Orgs, people_living: u32) -> [(u32, u32); 7] {
        let Self { base, news, origins, classes, people, unread, after, .. } = self;
        let mut all = collections(&Roster::default(), after);
        all[Collection::Roles as usize].1 += unread.roles_living;
        all[Collection::Enrollments as usize].1 += unread.enrollments_living;
        macro_rules! living {
            ($records:ident, $had_ended:expr) => {
                origins.$records.iter().filter(|&&origin| origin != NEW && !$had_ended(origin as usize)).count()
                    + news.$records.iter().filter(|record| !record.ended).count()
            };
        }
        let is_here = |person: usize| people.marks[person] & HERE != 0;
        let lives = |person: usize| {
            let own = people.roles[person] as usize..people.roles[person + 1] as usize;
            people.role_ended[own].iter().filter(|ended| !**ended).count()
        };
        let roles: usize = (0..people.to.len()).filter(|&person| is_here(person)).map(lives).sum();
        let attended = news.enrollments.count(|packed| !news.spans[packed.span.0 as usize].ended);
        let had = [
            orgs.all.iter().filter(|org| !org.ended).count(),
            living!(sessions, |at: usize| base.sessions[at].ended),
            living!(courses, |at: usize| base.courses[at].ended),
            living!(classes, |at: usize| classes.ended[at]),
            people_living as usize,
            roles + news.roles.iter().filter(|role| !role.ended).count(),
            people.living as usize + attended,
        ];
        all.iter_mut().zip(had).for_each(|(all, had)| all.0 = had as u32);
        all
    }

    fn walk(&mut self, orgs: &Orgs) -> Result<Walked, PackError> {
        let told = self.known_news(orgs);
        let mut out = Walked::default();
        let mut was_active: Vec<Option<bool>> = vec![None; self.after.people.len()];
        let mut homes: Vec<(u32, Vec<PersonIx>)> = vec![(0, Vec::new()); orgs.all.len()];
        let mut told = told.into_iter().zip(take(&mut self.news.people));
        for origin in take(&mut self.origins.people) {
            let (known, person, is_told) = match origin {
                NEW => told.next().map(|(known, person)| (known, Some(person), true)).ok_or(ODD)?,
                origin => {
                    let picked = self.base.people.get(self.people.pick[origin as usize] as usize);
                    (self.known(origin as usize, orgs)?, picked.cloned(), false)
                }
            };
            let (at, to) = (PersonIx(out.kept.len() as u32), PersonIx(known.to));
            let is = self.after.people.get(known.to as usize);
            if is.is_some() {
                was_active[known.to as usize] = Some(!known.had_ended);
            }
            let mut keeps = true;
            match (known.had_ended, is.map(|is| is.ended)) {
                (false, None) => out.delta.absent.push(at),
                (false, Some(true)) => out.delta.ended.push((at, to)),
                (false, Some(false)) if known.is_other => out.delta.changed.push((at, to)),
                _ => keeps = false,
            }
            out.living += u32::from(!known.had_ended);
            if let Some(home) = known.home.filter(|_| !known.had_ended) {
                let (base, gone) = &mut homes[home.0 as usize];
                *base += 1;
                gone.extend(is.is_none_or(|is| is.ended).then_some(at));
            }
            let person = match person {
                None if keeps => self.bare(origin as usize, to)?,
                None => continue,
                Some(person) => person,
            };
            let key = self.base.text(person.key);
            if keeps || self.others.binary_search(&key).is_ok() {
                out.kept.push((person, is_told));
            }
        }
        let people = (0u32..).zip(self.after.people.iter().zip(was_active)).filter(|(_, (is, _))| !is.ended);
        for (at, (_, was)) in people {
            out.delta.added.extend((was != Some(true)).then_some(PersonIx(at)));
            out.new.extend(was.is_none().then_some(PersonIx(at)));
        }
        let counted = orgs.all.iter().zip(homes).filter(|(_, (base, _))| *base > 0);
        let told = counted.map(|(org, (base, removed_people))| OrgDelta {
            org: self.base.text(org.id).to_owned(),
            base,
            removed_people,
        });
        out.delta.orgs = told.collect();
        Ok(out)
    }

    /// Somebody of the base who changed: key and roles are all that is asked of them as they were.
    fn bare(&mut self, at: usize, to: PersonIx) -> Result<Person, PackError> {
        let Self { base, people, after, .. } = self;
        let own = people.roles[at] as usize..people.roles[at + 1] as usize;
        let roles = (base.roles.len() as u32, own.len() as u32);
        base.roles.extend(own.map(|role| Role {
            role: RoleWord(people.role_words[role]),
            org: OrgIx(people.role_orgs[role]),
            ended: people.role_ended[role],
            ..Role::BLANK
        }));
        let key = base.texts.push(after.text(after.person(to).key)).map_err(|_| FULL)?;
        Ok(Person { roles, ..blank_person(key) })
    }

    fn known(&self, at: usize, orgs: &Orgs) -> Result<Known, PackError> {
        let Self { people, .. } = self;
        let roles = people.roles[at] as usize..people.roles[at + 1] as usize;
        let org = |org: u32| to(&orgs.moves, org).map(OrgIx);
        let home = match people.primary[at] {
            Some(primary) => Some(org(primary.0)?),
            None => {
                let live = roles.filter(|&role| !people.role_ended[role]).map(|role| org(people.role_orgs[role]));
                let live: Vec<OrgIx> = live.collect::<Result<_, _>>()?;
                live.into_iter().min_by_key(|&org| orgs.tree.path_rank(org))
            }
        };
        let marks = people.marks[at];
        Ok(Known { to: people.to[at], had_ended: marks & ENDED != 0, is_other: marks & OTHER != 0, home })
    }

    /// The people whom the patch tells of.
    fn known_news(&mut self, orgs: &Orgs) -> Vec<Known> {
        let Self { base, news, origins, classes, after, .. } = self;
        // Their texts lie in the base.
        swap(&mut base.texts, &mut news.texts);
        macro_rules! ids {
            ($list:expr, $records:ident $id:ident) => {
                moves(
                    (&news.texts, &mut $list.iter().map(|r| r.$id)),
                    (&after.texts, &mut after.$records.iter().map(|r| r.$id)),
                )
            };
        }
        let to = ids!(news.people, people key);
        let mut told = ids!(news.classes, classes id).into_iter();
        let class = |&origin: &u32| match origin {
            NEW => told.next().unwrap_or(NEW),
            origin => classes.to[origin as usize],
        };
        let mut comparison = Comparison::new(news, after);
        comparison.classes = origins.classes.iter().map(class).collect();
        comparison.orgs = ids!(orgs.all, orgs id);
        let known = |(person, to): (&Person, u32)| {
            let is = after.people.get(to as usize);
            let is_other = is.is_some_and(|is| !comparison.same_person(person, is));
            Known { to, had_ended: person.ended, is_other, home: home_org(news, &orgs.tree, person) }
        };
        let known = news.people.iter().zip(to).map(known).collect();
        swap(&mut base.texts, &mut news.texts);
        known
    }

    /// A roster of those who are kept.
    fn rest(mut self, orgs: &Orgs, kept: Vec<(Person, bool)>) -> Result<Roster, PackError> {
        let (texts, old, new) = (&self.base.texts, &self.base.role_words, &self.news.role_words);
        let word_moves = moves((texts, &mut old.iter().copied()), (texts, &mut new.iter().copied()));
        let told = self.origins.classes.iter().scan(0u32, |next, &origin| {
            let at = *next;
            *next += u32::from(origin == NEW);
            Some(at)
        });
        let told: Vec<u32> = told.collect();
        let mut attended = Vec::with_capacity(kept.len());
        for (person, is_told) in &kept {
            let (first, len) = (person.enrollments.0 as usize, person.enrollments.1 as usize);
            let mut own = Vec::with_capacity(len);
            for at in first..first + len {
                let (packed, mut span) = if *is_told {
                    let packed = self.news.enrollments.here(&mut self.news.spans)[at];
                    (packed, self.news.spans[packed.span.0 as usize])
                } else {
                    let DatedEnrollment { packed, modified } = self.people.picked[at];
                    (packed, Span { modified, ..self.base.spans[packed.span.0 as usize] })
                };
                let mut handle = packed.class.0;
                let mut is_told = *is_told;
                if is_told {
                    let origin = self.origins.classes[handle as usize];
                    is_told = origin == NEW;
                    handle = if is_told { told[handle as usize] } else { origin };
                } else {
                    span.role = RoleWord(to(&word_moves, u32::from(span.role.0))? as u16);
                }
                let (class, school) = if is_told {
                    let class = self.news.classes.get(handle as usize).ok_or(ODD)?;
                    (class.id, class.school)
                } else {
                    (self.class_id(handle)?, OrgIx(to(&orgs.moves, self.classes.schools[handle as usize])?))
                };
                own.push(Attended { class, school, span, id: packed.id });
            }
            attended.push(own);
        }
        let Self { mut base, mut news, mut origins, .. } = self;
        (origins.people, base.people, news.people) = Default::default();
        for (person, is_told) in kept {
            let (list, origin) = if is_told { (&mut news.people, NEW) } else { (&mut base.people, 0) };
            origins.people.push(if is_told { NEW } else { origin + list.len() as u32 });
            list.push(Person { enrollments: (0, 0), ..person });
        }
        // Handles of classes and spans lead elsewhere from now on.
        (base.spans, news.spans, base.enrollments, news.enrollments) = Default::default();
        (news.classes, origins.classes) = Default::default();
        let mut rest = put_together(base, news, &origins)?;
        attend(&mut rest, attended);
        check(&rest)?;
        Ok(rest)
    }

    fn class_id(&mut self, class: u32) -> Result<Text, PackError> {
        if let Some(&gone) = self.classes.gone.get(&class) {
            return Ok(gone);
        }
        let class = &self.after.classes[self.classes.to[class as usize] as usize];
        self.base.texts.push(self.after.text(class.id)).map_err(|_| FULL)
    }
}

fn to(moves: &[u32], handle: u32) -> Result<u32, PackError> {
    moves.get(handle as usize).copied().filter(|&to| to != NEW).ok_or(ODD)
}

/// Gives the people of a roster without classes what they attended.
fn attend(roster: &mut Roster, attended: Vec<Vec<Attended>>) {
    let mut classes: Vec<(Text, OrgIx)> = attended.iter().flatten().map(|own| (own.class, own.school)).collect();
    let texts = &roster.texts;
    classes.sort_unstable_by(|a, b| texts.bytes(a.0).cmp(texts.bytes(b.0)));
    classes.dedup_by(|a, b| texts.bytes(a.0) == texts.bytes(b.0));
    let (mut spans, mut all) = (SpanTable::default(), Vec::new());
    for (person, attended) in roster.people.iter_mut().zip(attended) {
        let place = |id: Text| classes.partition_point(|&(other, _)| texts.bytes(other) < texts.bytes(id)) as u32;
        let packed =
            |own: &Attended| PackedEnrollment { class: ClassIx(place(own.class)), span: spans.ix(own.span), id: own.id };
        let mut own: Vec<PackedEnrollment> = attended.iter().map(packed).collect();
        own.sort_by_key(|&packed| Enrollment::new(packed, spans.get(packed.span)).order());
        person.enrollments = (all.len() as u32, own.len() as u32);
        all.append(&mut own);
    }
    roster.classes = classes.into_iter().map(|(id, school)| Class { school, ..blank_class(id) }).collect();
    (roster.spans, roster.enrollments) = (spans.into_spans(), all.into());
    tidy(roster);
}

#[cfg(test)]
mod tests;
