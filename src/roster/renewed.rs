//! The stored roster with touched people as the package has them: what a read of the whole package comes to, and what of it
//! is new.

use std::collections::HashSet;
use std::mem::replace;
use std::ops::Range;

use crate::base::{PersonKey, Text, TextArena, parts};
use crate::roster::blank::blank_person;
use crate::roster::compare::Compared;
use crate::roster::delta::{OrgDelta, RosterDelta, collections, diff, orgs};
use crate::roster::doubt::Doubt;
use crate::roster::enrollments::Told;
use crate::roster::finding::IntakeCounts;
use crate::roster::intake::Intake;
use crate::roster::model::{
    Attribute, ClassIx, PackedEnrollment, Person, PersonIx, RecordHash, Role, RoleWord, Roster, Span, SpanIx,
};
use crate::roster::news::News;
use crate::roster::patch::{NEW, Origins, Own};
use crate::roster::renew::{Renewal, begins};
use crate::roster::rows::Collection;
use crate::roster::spans::tidy;
use crate::roster::splice::{Piece, splice};
use crate::roster::thin::{some, thin};
use crate::roster::trace::Trace;

/// What became of a renewal.
#[derive(Debug)]
pub struct Renewed {
    /// As if the whole package was read.
    pub intake: Intake,
    /// As if the stored roster was compared with it.
    pub compared: Compared,
    /// For each person the position in the stored roster of whoever is the same to the last byte.
    pub same: Vec<Option<u32>>,
}

/// What is told of the stored roster before it is changed.
struct Before {
    /// Touched people as they were.
    old: Roster,
    has_own: [bool; 7],
    living: [(u32, u32); 7],
    homes: Vec<OrgDelta>,
}

impl Renewal {
    /// Puts touched people, as reading their rows left them, in place of those that were stored, with what the next read is to
    /// know. `None`: the package has to be read whole.
    pub fn finish(
        self,
        (mut stored, origins): (Roster, &Origins),
        known: Trace,
        (news, read): (News, Intake),
        others: &[&PersonKey],
    ) -> Option<Renewed> {
        let Intake { roster: read, findings, counts, found_in_rows, .. } = read;
        let is_sound = |&what: &Collection| counts.of(what).quarantined == 0 && counts.of(what).outdated == 0;
        let is_sound = found_in_rows == 0 && Collection::ALL.iter().all(is_sound);
        if !is_sound || !self.is_expected(&news, &read, &stored) || !self.are_new(&stored, &read) {
            return None;
        }
        let words = (stored.role_words.clone(), stored.attribute_names.clone());
        let read = self.settle_in(read, &mut stored)?;
        let (pieces, olds) = pieces(&stored, &self.touched, &read);
        let changes = Changes::of(&stored, &self.touched, (&olds, &read), others);
        // As it was, without the words that came.
        let new_words = (replace(&mut stored.role_words, words.0), replace(&mut stored.attribute_names, words.1));
        let before = Before {
            old: some(&stored, &changes.old).ok()?,
            has_own: Collection::ALL.map(|what| stored.has_own(what)),
            living: collections(&stored, &Roster::default()),
            homes: orgs(&stored, &vec![false; stored.people.len()]),
        };
        (stored.role_words, stored.attribute_names) = new_words;
        put_in(&mut stored, &pieces, &read);
        drop(read);
        let mut roster = stored;
        tidy(&mut roster);
        tidy_words(&mut roster);
        if has_two_primary_teachers(&roster) {
            return None;
        }
        let compared = compared(before, (&roster, origins), (&pieces, &olds, &changes), others)?;
        let same = changes.same_ones(&pieces, &olds);
        let name = known.name.renewed(&roster, &same);
        let (counts, doubt) = (counts_of(&roster, &news), Doubt::default());
        let News { prints, unbegun, .. } = news;
        let trace = Some(Trace { name, ground: known.ground, prints, needs: Vec::new() });
        let intake = Intake { roster, findings, counts, is_conclusive: true, trace, found_in_rows, unbegun, doubt };
        Some(Renewed { intake, compared, same })
    }

    /// Whether each row came to a record, in a way that does not need all rows together.
    fn is_expected(&self, news: &News, read: &Roster, stored: &Roster) -> bool {
        let same_ids = |a: &mut dyn Iterator<Item = Text>, b: &mut dyn Iterator<Item = Text>| {
            a.map(|id| read.text(id)).eq(b.map(|id| stored.text(id)))
        };
        [read.people.len(), own_roles(read), read.enrollments.len()] == news.rows
            && read.classes.len() == self.classes.len()
            && same_ids(&mut read.orgs.iter().map(|org| org.id), &mut stored.orgs.iter().map(|org| org.id))
            && read.people.iter().all(|person| !person.ended && !person.quarantined)
    }

    /// Whether the ids of what was read are nobody else's.
    fn are_new(&self, stored: &Roster, read: &Roster) -> bool {
        let roles = Ids::of(read.roles.iter().map(|role| role.id).filter(|id| !id.is_zero()));
        let all = read.enrollments.some(0, read.enrollments.len());
        let enrollments = Ids::of(all.into_iter().map(|(packed, _)| packed.id));
        let mut is_touched = vec![false; stored.people.len()];
        self.touched.iter().for_each(|at| is_touched[at.0 as usize] = true);
        let is_met = |at: usize| {
            let person = &stored.people[at];
            stored.roles_of(person).iter().any(|role| roles.has(role.id))
                || stored.packed_of(person).into_iter().any(|(packed, _)| enrollments.has(packed.id))
        };
        !parts::each_part(is_touched.len(), |mut own| own.any(|at| !is_touched[at] && is_met(at))).contains(&true)
    }

    /// Moves people and theirs into the handles of the stored roster, which gets their texts, words and spans. `None` if there
    /// is no room.
    fn settle_in(&self, mut read: Roster, stored: &mut Roster) -> Option<Roster> {
        let start = stored.texts.append(&read.texts).ok()?;
        let Roster { texts, role_words, attribute_names, .. } = stored;
        let place = |list: &mut Vec<Text>, word: &Text| {
            let word = word.moved(start);
            let at = list.iter().position(|&known| texts.bytes(known) == texts.bytes(word)).unwrap_or(list.len());
            if at == list.len() {
                list.push(word);
            }
            u16::try_from(at).ok()
        };
        let words: Vec<u16> = read.role_words.iter().map(|word| place(role_words, word)).collect::<Option<_>>()?;
        let names: Vec<u16> = read.attribute_names.iter().map(|name| place(attribute_names, name)).collect::<Option<_>>()?;
        for person in &mut read.people {
            let Person { key, given, family, email, username, identifier, grades, .. } = person;
            for text in [key, given, family, email, username, identifier, grades] {
                *text = text.moved(start);
            }
        }
        for Attribute { name, value } in &mut read.attributes {
            (*name, *value) = (names[usize::from(*name)], value.moved(start));
        }
        let word = |role: RoleWord| RoleWord(words[usize::from(role.0)]);
        read.roles.iter_mut().for_each(|role| role.role = word(role.role));
        let first_span = stored.spans.len() as u32;
        stored.spans.extend(read.spans.iter().map(|span| Span { role: word(span.role), ..*span }));
        let Roster { enrollments, spans, .. } = &mut read;
        for PackedEnrollment { class, span, .. } in enrollments.here(spans) {
            (*class, *span) = (ClassIx(self.classes[class.0 as usize]), SpanIx(first_span + span.0));
        }
        Some(read)
    }
}

/// Ids, of which most others are told apart by one look.
struct Ids {
    all: HashSet<RecordHash>,
    likely: Vec<u64>,
}

impl Ids {
    const BITS: usize = 1 << 22;

    fn of(ids: impl Iterator<Item = RecordHash>) -> Self {
        let all: HashSet<RecordHash> = ids.collect();
        let mut likely = vec![0; Self::BITS / 64];
        all.iter().map(|&id| Self::bit(id)).for_each(|(word, bit)| likely[word] |= bit);
        Self { all, likely }
    }

    fn bit(id: RecordHash) -> (usize, u64) {
        let bit = id.0[1] as usize % Self::BITS;
        (bit / 64, 1 << (bit % 64))
    }

    fn has(&self, id: RecordHash) -> bool {
        let (word, bit) = Self::bit(id);
        self.likely[word] & bit > 0 && self.all.contains(&id)
    }
}

/// Who of the touched people is another than before; all positions are sorted.
struct Changes {
    /// In the stored roster, whoever is gone or changed, and whoever is asked for.
    old: Vec<PersonIx>,
    /// For each of those who were read whether nothing changed at all.
    is_same: Vec<bool>,
}

impl Changes {
    fn of(stored: &Roster, touched: &[PersonIx], (olds, read): (&[Option<PersonIx>], &Roster), others: &[&PersonKey]) -> Self {
        let is_same =
            |(old, new): (&Option<PersonIx>, &Person)| old.is_some_and(|old| same(stored, stored.person(old), read, new));
        let is_same: Vec<bool> = olds.iter().zip(&read.people).map(is_same).collect();
        let mut stays = olds.iter().zip(&is_same).filter(|(_, same)| **same).filter_map(|(old, _)| *old).peekable();
        let mut old: Vec<PersonIx> = touched.iter().copied().filter(|at| stays.next_if_eq(at).is_none()).collect();
        old.extend(others.iter().filter_map(|key| stored.find_person(key.as_str())));
        old.sort_unstable();
        old.dedup();
        Self { old, is_same }
    }

    /// For each person of the new roster who is the same in the old one.
    fn same_ones(&self, pieces: &[Piece<usize>], olds: &[Option<PersonIx>]) -> Vec<Option<u32>> {
        let mut same = Vec::new();
        for piece in pieces {
            match piece {
                Piece::Keep(own) => same.extend(own.clone().map(|at| Some(at as u32))),
                Piece::Put(at) => same.push(olds[*at].filter(|_| self.is_same[*at]).map(|old| old.0)),
            }
        }
        same
    }
}

/// Whether somebody is the same to the last byte. All handles are those of the stored roster.
fn same(stored: &Roster, old: &Person, read: &Roster, new: &Person) -> bool {
    let texts = |person: &Person| {
        let Person { given, family, email, username, identifier, grades, .. } = person;
        [*given, *family, *email, *username, *identifier, *grades]
    };
    let bytes = |text: Text| stored.texts.bytes(text);
    let attribute = |a: &Attribute, b: &Attribute| a.name == b.name && bytes(a.value) == bytes(b.value);
    let (own, new_own) = (stored.attributes_of(old), read.attributes_of(new));
    let (attended, attends) = (stored.packed_of(old), read.packed_of(new));
    let span = |at: SpanIx| &stored.spans[at.0 as usize];
    let enrollment = |((a, _), (b, _)): (Told, Told)| (a.id, a.class, span(a.span)) == (b.id, b.class, span(b.span));
    (old.primary_org, old.enabled, old.modified) == (new.primary_org, new.enabled, new.modified)
        && texts(old).into_iter().zip(texts(new)).all(|(a, b)| bytes(a) == bytes(b))
        && stored.roles_of(old) == read.roles_of(new)
        && own.len() == new_own.len()
        && own.iter().zip(new_own).all(|(a, b)| attribute(a, b))
        && attended.len() == attends.len()
        && attended.iter().zip(attends.iter()).all(enrollment)
}

/// Which people of the new roster are those of the old one, and which were read; and who each of the latter was.
fn pieces(stored: &Roster, touched: &[PersonIx], read: &Roster) -> (Vec<Piece<usize>>, Vec<Option<PersonIx>>) {
    let (mut pieces, mut olds, mut next) = (Vec::with_capacity(touched.len() * 2), Vec::new(), 0);
    let mut keep = |pieces: &mut Vec<Piece<usize>>, until: usize, from: usize| {
        if until > next {
            pieces.push(Piece::Keep(next..until));
        }
        next = from;
    };
    let key = |person: &Person| stored.texts.bytes(person.key);
    let mut touched = touched.iter().map(|at| at.0 as usize).peekable();
    for (at, person) in read.people.iter().enumerate() {
        let mut old = None;
        while let Some(gone) = touched.next_if(|&old| key(&stored.people[old]) <= key(person)) {
            old = Some(gone).filter(|&old| key(&stored.people[old]) == key(person));
            keep(&mut pieces, gone, gone + 1);
        }
        if old.is_none() {
            let first = stored.people.partition_point(|other| key(other) < key(person));
            keep(&mut pieces, first, first);
        }
        olds.push(old.map(|old| PersonIx(old as u32)));
        pieces.push(Piece::Put(at));
    }
    touched.for_each(|old| keep(&mut pieces, old, old + 1));
    keep(&mut pieces, stored.people.len(), 0);
    (pieces, olds)
}

/// The slice of a person, by what it is of.
type Slice = fn(&Person) -> (u32, u32);

/// The same pieces of the list of what people have.
fn of_theirs(pieces: &[Piece<usize>], stored: &[Person], total: usize, slice: Slice) -> Vec<Piece<usize>> {
    let start = |person: usize| stored.get(person).map_or(total, |person| slice(person).0 as usize);
    let own = |piece: &Piece<usize>| match piece {
        Piece::Keep(own) => Piece::Keep(start(own.start)..start(own.end)),
        Piece::Put(read) => Piece::Put(*read),
    };
    pieces.iter().map(own).collect()
}

fn range((first, len): (u32, u32)) -> Range<usize> {
    first as usize..first as usize + len as usize
}

const SLICES: [Slice; 3] = [|person| person.roles, |person| person.enrollments, |person| person.attributes];

/// Puts people and theirs in place.
fn put_in(stored: &mut Roster, pieces: &[Piece<usize>], read: &Roster) {
    macro_rules! theirs {
        ($list:expr, $pieces:expr, $new:expr, $slice:expr, $blank:expr) => {{
            let (len, new) = (|read_at: &usize| $slice(&read.people[*read_at]).1 as usize, $new);
            splice($list, &$pieces, $blank, len, |&at, places| places.copy_from_slice(&new[range($slice(&read.people[at]))]));
        }};
    }
    let [roles, enrollments, attributes] = SLICES;
    let pieces_of = |total, slice| of_theirs(pieces, &stored.people, total, slice);
    let role_pieces = pieces_of(stored.roles.len(), roles);
    let enrollment_pieces = pieces_of(stored.enrollments.len(), enrollments);
    let attribute_pieces = pieces_of(stored.attributes.len(), attributes);
    let new: Vec<PackedEnrollment> =
        read.enrollments.some(0, read.enrollments.len()).into_iter().map(|(packed, _)| packed).collect();
    let Roster { people: own, roles: own_roles, attributes: own_attributes, enrollments: own_enrollments, spans, .. } = stored;
    let others = || {
        theirs!(own_roles, role_pieces, &read.roles, roles, || Role::BLANK);
        let blank = || Attribute { name: 0, value: Text::EMPTY };
        theirs!(own_attributes, attribute_pieces, &read.attributes, attributes, blank);
        let put = |&at: &usize, places: &mut [Person]| places.clone_from_slice(&read.people[at..=at]);
        splice(own, pieces, || blank_person(Text::EMPTY), |_| 1, put);
    };
    let own_enrollments = own_enrollments.here(spans);
    parts::both(others, || theirs!(own_enrollments, enrollment_pieces, &new, enrollments, PackedEnrollment::default));
    let mut starts = [0; 3];
    for person in &mut stored.people {
        for (start, own) in starts.iter_mut().zip([&mut person.roles, &mut person.enrollments, &mut person.attributes]) {
            own.0 = *start;
            *start += own.1;
        }
    }
}

/// Leaves out words and names that are nobody's any more, and puts new ones in order.
fn tidy_words(roster: &mut Roster) {
    let (mut words, mut names) = (vec![false; roster.role_words.len()], vec![false; roster.attribute_names.len()]);
    roster.roles.iter().for_each(|role| words[usize::from(role.role.0)] = true);
    roster.spans.iter().for_each(|span| words[usize::from(span.role.0)] = true);
    roster.attributes.iter().for_each(|attribute| names[usize::from(attribute.name)] = true);
    if let Some(to) = tidy_list(&roster.texts, &mut roster.role_words, &words) {
        let new = |role: &mut RoleWord| *role = RoleWord(to[usize::from(role.0)]);
        roster.roles.iter_mut().for_each(|role| new(&mut role.role));
        roster.spans.iter_mut().for_each(|span| new(&mut span.role));
        // Spans are in the order of their words.
        tidy(roster);
    }
    if let Some(to) = tidy_list(&roster.texts, &mut roster.attribute_names, &names) {
        roster.attributes.iter_mut().for_each(|attribute| attribute.name = to[usize::from(attribute.name)]);
    }
}

/// Sorts a list and leaves out what is not used; where each word goes, unless all stay where they are.
fn tidy_list(texts: &TextArena, list: &mut Vec<Text>, used: &[bool]) -> Option<Vec<u16>> {
    let mut order: Vec<usize> = (0..list.len()).filter(|&at| used[at]).collect();
    order.sort_unstable_by(|&a, &b| texts.compare(list[a], list[b]));
    if order.iter().copied().eq(0..list.len()) {
        return None;
    }
    let mut to = vec![0; list.len()];
    order.iter().enumerate().for_each(|(new, &at)| to[at] = new as u16);
    *list = order.into_iter().map(|at| list[at]).collect();
    Some(to)
}

fn has_two_primary_teachers(roster: &Roster) -> bool {
    let Some(teacher) = roster.role_words.iter().position(|&word| roster.text(word) == "teacher") else { return false };
    let teaches = |span: &Span| span.primary && !span.ended && usize::from(span.role.0) == teacher;
    let teaches: Vec<bool> = roster.spans.iter().map(teaches).collect();
    if !teaches.contains(&true) {
        return false;
    }
    let mut primary = Vec::new();
    for (at, person) in (0u32..).zip(&roster.people) {
        let own = roster.packed_of(person).into_iter().filter(|(packed, _)| teaches[packed.span.0 as usize]);
        primary.extend(own.map(|(packed, _)| (packed.class, at)));
    }
    primary.sort_unstable();
    primary.dedup();
    primary.windows(2).any(|pair| pair[0].0 == pair[1].0)
}

fn own_roles(roster: &Roster) -> usize {
    roster.roles.iter().filter(|role| !role.id.is_zero()).count()
}

/// The rows of a package in which each is a record.
fn counts_of(roster: &Roster, news: &News) -> IntakeCounts {
    let mut counts = IntakeCounts::default();
    let rows = [
        roster.orgs.len(),
        roster.sessions.len(),
        roster.courses.len(),
        roster.classes.len(),
        roster.people.len(),
        own_roles(roster),
        roster.enrollments.len(),
    ];
    for (what, rows) in Collection::ALL.into_iter().zip(rows).filter(|&(what, _)| begins(news, what)) {
        counts.of_mut(what).rows = rows as u64;
    }
    counts
}

/// Compares people who changed, and says of all others that they are as they were.
fn compared(
    before: Before,
    (roster, origins): (&Roster, &Origins),
    (pieces, olds, changes): (&[Piece<usize>], &[Option<PersonIx>], &Changes),
    others: &[&PersonKey],
) -> Option<Compared> {
    let Before { old, has_own, living, homes } = before;
    let mut put: Vec<PersonIx> = others.iter().filter_map(|key| roster.find_person(key.as_str())).collect();
    let mut people = Vec::with_capacity(roster.people.len());
    for piece in pieces {
        match piece {
            Piece::Keep(own) => people.extend_from_slice(origins.people.get(own.clone())?),
            Piece::Put(at) => {
                let old = olds[*at].filter(|_| changes.is_same[*at]);
                put.extend(old.is_none().then_some(PersonIx(people.len() as u32)));
                people.push(old.map_or(NEW, |old| origins.people[old.0 as usize]));
            }
        }
    }
    put.sort_unstable();
    put.dedup();
    let new = some(roster, &put).ok()?;
    let mut delta = diff(&old, &new);
    let to = |at: &mut PersonIx| *at = put[at.0 as usize];
    let RosterDelta { added, changed, ended, conflicts, .. } = &mut delta;
    let pairs = changed.iter_mut().chain(ended).chain(conflicts);
    added.iter_mut().chain(pairs.map(|(_, after)| after)).for_each(to);
    delta.collections = collections(&Roster::default(), roster);
    delta.collections.iter_mut().zip(living).for_each(|(all, living)| all.0 = living.0);
    (delta.base, delta.now) = delta.collections[Collection::People as usize];
    let mut gone = std::mem::take(&mut delta.orgs).into_iter().peekable();
    let home = |home: OrgDelta| {
        let own = gone.next_if(|gone| gone.org == home.org);
        OrgDelta { removed_people: own.map(|own| own.removed_people).unwrap_or_default(), ..home }
    };
    delta.orgs = homes.into_iter().map(home).collect();
    let own = Own { people, ..origins.clone() };
    let rest = thin(old, &mut delta, others).ok()?;
    Some(Compared { delta, rest, has_own, own })
}
