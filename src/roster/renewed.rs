//! A stored roster of keys with touched people as the package has them; and, once it was compared with all that is stored, what
//! a read of the whole package comes to.

use std::mem::take;
use std::ops::Range;

use crate::base::{PersonKey, Text, TextArena, parts};
use crate::roster::blank::blank_person;
use crate::roster::compare::Compared;
use crate::roster::doubt::Doubt;
use crate::roster::finding::{Findings, IntakeCounts};
use crate::roster::intake::Intake;
use crate::roster::model::{Attribute, ClassIx, PackedEnrollment, Person, PersonIx, Role, RoleWord, Roster, Span, SpanIx};
use crate::roster::news::News;
use crate::roster::patch::{NEW, Origins};
use crate::roster::renew::{Renewal, begins};
use crate::roster::rows::Collection;
use crate::roster::spans::tidy;
use crate::roster::splice::{Piece, splice};
use crate::roster::trace::Trace;
use crate::roster::unread::{Bare, Ids, Unread, teaches};

/// A renewal that is to be compared with what is stored.
#[derive(Debug)]
pub struct Renewed {
    /// The roster: of people who are not touched no more than the key, unless the newest patch told of them.
    pub roster: Roster,
    /// For each person the position in the stored roster of whoever is not touched.
    pub same: Vec<Option<u32>>,
    /// Who is bare, for whoever compares.
    pub bare: Bare,
    news: News,
    findings: Findings,
}

impl Renewal {
    /// Puts touched people, as reading their rows left them, in place of those that were stored. `None`: the package has to be
    /// read whole.
    pub fn finish(
        self,
        (mut stored, origins): (Roster, &Origins),
        (news, read): (News, Intake),
        others: &[&PersonKey],
    ) -> Option<Renewed> {
        let Intake { roster: read, findings, counts, found_in_rows, .. } = read;
        let is_sound = |&what: &Collection| counts.of(what).quarantined == 0 && counts.of(what).outdated == 0;
        let is_sound = found_in_rows == 0 && Collection::ALL.iter().all(is_sound);
        if !is_sound || !self.is_expected(&news, &read, &stored) {
            return None;
        }
        let read = self.settle_in(read, &mut stored)?;
        let pieces = pieces(&stored, &self.touched, &read);
        let (mut same, mut is_bare) = (Vec::with_capacity(stored.people.len()), Vec::with_capacity(stored.people.len()));
        for piece in &pieces {
            match piece {
                Piece::Keep(own) => {
                    same.extend(own.clone().map(|at| Some(at as u32)));
                    is_bare.extend(origins.people.get(own.clone())?.iter().map(|&origin| origin != NEW));
                }
                Piece::Put(_) => {
                    same.push(None);
                    is_bare.push(false);
                }
            }
        }
        let roles = Ids::of(read.roles.iter().map(|role| role.id).filter(|id| !id.is_zero()));
        let all = read.enrollments.some(0, read.enrollments.len());
        let enrollments = Ids::of(all.into_iter().map(|(packed, _)| packed.id));
        put_in(&mut stored, &pieces, &read);
        drop(read);
        let mut roster = stored;
        tidy(&mut roster);
        tidy_words(&mut roster);
        let bare = Bare { is_bare, roles, enrollments };
        let is_asked = |key: &&PersonKey| roster.find_person(key.as_str()).is_some_and(|at| bare.is_bare[at.0 as usize]);
        let stands = !others.iter().any(is_asked) && !bare.meets(&roster, &same);
        stands.then_some(Renewed { roster, same, bare, news, findings })
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

impl Renewed {
    /// What a read of the whole package comes to, and the trace it leaves, now that it was compared with what is stored.
    /// `None`: the package has to be read whole.
    pub fn compared(self, compared: &mut Compared, known: Trace) -> Option<(Intake, Vec<Option<u32>>)> {
        let Self { roster, same, news, findings, .. } = self;
        let has_own = |what: &Collection| compared.has_own(*what);
        let is_partial = news.unbegun.iter().any(has_own);
        let unread = &mut compared.unread;
        let stands = unread.is_plain && !unread.is_met && !is_partial && uses_all_words(&roster, unread);
        if !stands || has_two_primary_teachers(&roster, unread) {
            return None;
        }
        let name = known.name.renewed(&roster, &same);
        let (counts, doubt) = (counts_of(&roster, &news, unread), Doubt::default());
        let News { prints, unbegun, .. } = news;
        let trace = Some(Trace { name, ground: known.ground, prints, needs: Vec::new() });
        let intake = Intake { roster, findings, counts, is_conclusive: true, trace, found_in_rows: 0, unbegun, doubt };
        Some((intake, same))
    }
}

/// Which people of the new roster are those of the old one, and which were read.
fn pieces(stored: &Roster, touched: &[PersonIx], read: &Roster) -> Vec<Piece<usize>> {
    let (mut pieces, mut next) = (Vec::with_capacity(touched.len() * 2), 0);
    let mut keep = |pieces: &mut Vec<Piece<usize>>, until: usize, from: usize| {
        if until > next {
            pieces.push(Piece::Keep(next..until));
        }
        next = from;
    };
    let key = |person: &Person| stored.texts.bytes(person.key);
    let mut touched = touched.iter().map(|at| at.0 as usize).peekable();
    for (at, person) in read.people.iter().enumerate() {
        let mut was_there = false;
        while let Some(gone) = touched.next_if(|&old| key(&stored.people[old]) <= key(person)) {
            was_there = key(&stored.people[gone]) == key(person);
            keep(&mut pieces, gone, gone + 1);
        }
        if !was_there {
            let first = stored.people.partition_point(|other| key(other) < key(person));
            keep(&mut pieces, first, first);
        }
        pieces.push(Piece::Put(at));
    }
    touched.for_each(|old| keep(&mut pieces, old, old + 1));
    keep(&mut pieces, stored.people.len(), 0);
    pieces
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

/// Puts words and names in order.
fn tidy_words(roster: &mut Roster) {
    if let Some(to) = tidy_list(&roster.texts, &mut roster.role_words) {
        let new = |role: &mut RoleWord| *role = RoleWord(to[usize::from(role.0)]);
        roster.roles.iter_mut().for_each(|role| new(&mut role.role));
        roster.spans.iter_mut().for_each(|span| new(&mut span.role));
        // Spans are in the order of their words.
        tidy(roster);
    }
    if let Some(to) = tidy_list(&roster.texts, &mut roster.attribute_names) {
        roster.attributes.iter_mut().for_each(|attribute| attribute.name = to[usize::from(attribute.name)]);
    }
}

/// Sorts a list; where each word goes, unless all stay where they are.
fn tidy_list(texts: &TextArena, list: &mut Vec<Text>) -> Option<Vec<u16>> {
    let mut order: Vec<usize> = (0..list.len()).collect();
    order.sort_unstable_by(|&a, &b| texts.compare(list[a], list[b]));
    if order.iter().copied().eq(0..list.len()) {
        return None;
    }
    let mut to = vec![0; list.len()];
    order.iter().enumerate().for_each(|(new, &at)| to[at] = new as u16);
    *list = order.into_iter().map(|at| list[at]).collect();
    Some(to)
}

/// Whether all words and names are somebody's still.
fn uses_all_words(roster: &Roster, unread: &mut Unread) -> bool {
    let words = roster.roles.iter().map(|role| role.role.0).chain(roster.spans.iter().map(|span| span.role.0));
    take(&mut unread.words).are_all_beside(words)
        && take(&mut unread.names).are_all_beside(roster.attributes.iter().map(|attribute| attribute.name))
}

fn has_two_primary_teachers(roster: &Roster, unread: &mut Unread) -> bool {
    let teaches = teaches(roster, &roster.texts);
    let mut primary = take(&mut unread.primary);
    if teaches.contains(&true) {
        for (at, person) in (0u32..).zip(&roster.people) {
            let own = roster.packed_of(person).into_iter().filter(|(packed, _)| teaches[packed.span.0 as usize]);
            primary.extend(own.map(|(packed, _)| (packed.class, PersonIx(at))));
        }
    }
    primary.sort_unstable();
    primary.dedup();
    primary.windows(2).any(|pair| pair[0].0 == pair[1].0)
}

fn own_roles(roster: &Roster) -> usize {
    roster.roles.iter().filter(|role| !role.id.is_zero()).count()
}

/// The rows of a package in which each is a record.
fn counts_of(roster: &Roster, news: &News, unread: &Unread) -> IntakeCounts {
    let mut counts = IntakeCounts::default();
    let rows = [
        roster.orgs.len(),
        roster.sessions.len(),
        roster.courses.len(),
        roster.classes.len(),
        roster.people.len(),
        own_roles(roster) + unread.roles_own as usize,
        roster.enrollments.len() + unread.enrollments as usize,
    ];
    for (what, rows) in Collection::ALL.into_iter().zip(rows).filter(|&(what, _)| begins(news, what)) {
        counts.of_mut(what).rows = rows as u64;
    }
    counts
}
