//! What changed between two rosters, by person.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::ops::Range;

use crate::base::{Text, parts};
use crate::roster::identity::conflicts;
use crate::roster::model::{Attribute, OrgIx, PackedEnrollment, Person, PersonIx, Role, Roster, Span};
use crate::roster::tree::OrgTree;

/// The difference. `before` positions belong to the older roster, `after` positions to the newer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RosterDelta {
    /// Active people in the older roster: the guard's base.
    pub base: u32,
    /// Active people in the newer one.
    pub now: u32,
    /// New, or back from an explicit end; positions after.
    pub added: Vec<PersonIx>,
    /// Something about them changed; (before, after).
    pub changed: Vec<(PersonIx, PersonIx)>,
    /// Active before, explicitly ended now; (before, after).
    pub ended: Vec<(PersonIx, PersonIx)>,
    /// Active before, without a record now; positions before.
    pub absent: Vec<PersonIx>,
    /// New keys whose e-mail belongs to somebody who is absent (R5): (before: the known one, after: the new one). They
    /// stand in `added` and `absent` as well.
    pub conflicts: Vec<(PersonIx, PersonIx)>,
    /// Orgs of the older roster that are home to active people, by id: the guard's bases per org (R115).
    pub orgs: Vec<OrgDelta>,
    /// Records that have not ended, before and after, in [`Collection::ALL`](crate::roster::Collection::ALL) order
    /// (R114).
    pub collections: [(u32, u32); 7],
}

/// What left one org. A person counts at the primary org, else at the org with the smallest path among their roles.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OrgDelta {
    /// The org's id.
    pub org: String,
    /// Active people before.
    pub base: u32,
    /// Those of them who are absent or ended now; positions before.
    pub removed_people: Vec<PersonIx>,
}

impl RosterDelta {
    /// Whether nothing changed.
    pub fn is_empty(&self) -> bool {
        let Self { base: _, now: _, added, changed, ended, absent, conflicts, orgs: _, collections: _ } = self;
        added.is_empty() && changed.is_empty() && ended.is_empty() && absent.is_empty() && conflicts.is_empty()
    }
}

/// Compares two rosters. Last-change stamps and record ids alone are no change; nor is it a change of a person when
/// the org or class they belong to changed.
pub fn diff(before: &Roster, after: &Roster) -> RosterDelta {
    let mut delta = RosterDelta { collections: collections(before, after), ..RosterDelta::default() };
    (delta.base, delta.now) = delta.collections[crate::roster::rows::Collection::People as usize];
    let compare = Comparison::new(before, after);
    for part in side_by_side(before, after, |old, new| compare.people(old, new)) {
        delta.added.extend(part.added);
        delta.changed.extend(part.changed);
        delta.ended.extend(part.ended);
        delta.absent.extend(part.absent);
    }
    let mut removed = vec![false; before.people.len()];
    for &before in delta.ended.iter().map(|(before, _)| before).chain(&delta.absent) {
        removed[before.0 as usize] = true;
    }
    delta.conflicts = conflicts(before, after, &delta.added, &delta.absent);
    delta.orgs = orgs(before, &removed);
    delta
}

/// The conflicts of [`diff`] alone, which need no look at anything but keys and e-mails.
pub fn key_conflicts(before: &Roster, after: &Roster) -> Vec<(PersonIx, PersonIx)> {
    let (mut added, mut absent) = (Vec::new(), Vec::new());
    for part in side_by_side(before, after, |old, new| merge_keys(before, after, old, new, |_, _| false)) {
        added.extend(part.added);
        absent.extend(part.absent);
    }
    conflicts(before, after, &added, &absent)
}

/// Works on the people of two rosters in parts, cut at the same keys.
pub(crate) fn side_by_side<T: Send>(
    before: &Roster,
    after: &Roster,
    work: impl Fn(Range<usize>, Range<usize>) -> T + Sync,
) -> Vec<T> {
    let ranges = parts::ranges(before.people.len());
    let count = ranges.len();
    let mut start = 0;
    let mut pairs = Vec::with_capacity(count);
    for (at, old) in ranges.into_iter().enumerate() {
        let end = match before.people.get(old.end) {
            Some(next) if at + 1 < count => {
                after.people.partition_point(|person| after.text(person.key) < before.text(next.key))
            }
            _ => after.people.len(),
        };
        pairs.push((old, start..end));
        start = end;
    }
    parts::each(pairs, |(old, new)| work(old, new))
}

/// Walks the people of two ranges side by side; `is_changed` is asked about those who are active in both.
fn merge_keys(
    before: &Roster,
    after: &Roster,
    old: Range<usize>,
    new: Range<usize>,
    is_changed: impl Fn(&Person, &Person) -> bool,
) -> RosterDelta {
    let mut delta = RosterDelta::default();
    let key = |roster: &Roster, at: usize, end: usize| (at < end).then(|| roster.people[at].key);
    let (old_end, new_end, mut old, mut new) = (old.end, new.end, old.start, new.start);
    loop {
        let order = match (key(before, old, old_end), key(after, new, new_end)) {
            (Some(a), Some(b)) => before.texts.bytes(a).cmp(after.texts.bytes(b)),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => return delta,
        };
        let (b, a) = (PersonIx(old as u32), PersonIx(new as u32));
        match order {
            Ordering::Less if !before.people[old].ended => delta.absent.push(b),
            Ordering::Greater if !after.people[new].ended => delta.added.push(a),
            Ordering::Less | Ordering::Greater => {}
            Ordering::Equal => {
                let (was, is) = (&before.people[old], &after.people[new]);
                match (was.ended, is.ended) {
                    (true, true) => {}
                    (true, false) => delta.added.push(a),
                    (false, true) => delta.ended.push((b, a)),
                    (false, false) if is_changed(was, is) => delta.changed.push((b, a)),
                    (false, false) => {}
                }
            }
        }
        old += usize::from(order.is_le());
        new += usize::from(order.is_ge());
    }
}

/// Records that have not ended, before and after.
pub(crate) fn collections(before: &Roster, after: &Roster) -> [(u32, u32); 7] {
    macro_rules! living {
        ($records:expr) => {
            parts::each_part($records.len(), |own| $records[own].iter().filter(|record| !record.ended).count() as u32)
                .into_iter()
                .sum()
        };
    }
    macro_rules! count {
        ($($records:ident),*) => {
            [$((living!(before.$records), living!(after.$records))),*]
        };
    }
    let [orgs, sessions, courses, classes, people, roles] = count!(orgs, sessions, courses, classes, people, roles);
    let enrollments = |roster: &Roster| -> u32 {
        let lives = |enrollment: &PackedEnrollment| !roster.spans[enrollment.span.0 as usize].ended;
        roster.enrollments.count(lives) as u32
    };
    [orgs, sessions, courses, classes, people, roles, (enrollments(before), enrollments(after))]
}

/// What left each org that is home to somebody.
pub(crate) fn orgs(before: &Roster, removed: &[bool]) -> Vec<OrgDelta> {
    let tree = OrgTree::new(before);
    let mut bases = vec![0u32; before.orgs.len()];
    let mut gone: Vec<Vec<PersonIx>> = vec![Vec::new(); before.orgs.len()];
    for (at, person) in before.people.iter().enumerate().filter(|(_, person)| !person.ended) {
        let Some(home) = home_org(before, &tree, person) else { continue };
        bases[home.0 as usize] += 1;
        if removed[at] {
            gone[home.0 as usize].push(PersonIx(at as u32));
        }
    }
    let counted = before.orgs.iter().zip(bases).zip(gone).filter(|((_, base), _)| *base > 0);
    counted
        .map(|((org, base), removed_people)| OrgDelta { org: before.text(org.id).to_owned(), base, removed_people })
        .collect()
}

/// Where somebody counts.
pub(crate) fn home_org(roster: &Roster, tree: &OrgTree, person: &Person) -> Option<OrgIx> {
    let roles = || roster.roles_of(person).iter().filter(|role| !role.ended).map(|role| role.org);
    person.primary_org.or_else(|| roles().min_by_key(|&org| tree.path_rank(org)))
}

/// No counterpart in the newer roster.
const GONE: u32 = u32::MAX;

/// Handles of the older roster as handles of the newer: then people are compared by numbers.
pub(crate) struct Comparison<'a> {
    before: &'a Roster,
    after: &'a Roster,
    pub(crate) orgs: Vec<u32>,
    pub(crate) classes: Vec<u32>,
    words: Vec<u32>,
    names: Vec<u32>,
    /// What spans mean, stamps aside, by numbers that both rosters share: those of the older, those of the newer.
    spans: [Vec<u32>; 2],
}

/// What spans mean, stamps aside, by numbers that both lists share.
pub(crate) fn senses(before: &[Span], words: &[u32], after: &[Span]) -> [Vec<u32>; 2] {
    let mut senses = BTreeMap::new();
    let mut sense = |word: u32, span: &Span| {
        let next = senses.len() as u32;
        *senses.entry((word, span.first, span.last, span.primary, span.ended)).or_insert(next)
    };
    let old = before.iter().map(|span| sense(words[usize::from(span.role.0)], span)).collect();
    let new = after.iter().map(|span| sense(u32::from(span.role.0), span)).collect();
    [old, new]
}

impl<'a> Comparison<'a> {
    pub(crate) fn new(before: &'a Roster, after: &'a Roster) -> Self {
        let map = |old: &mut dyn Iterator<Item = Text>, new: &mut dyn Iterator<Item = Text>| {
            let mut new = (0u32..).zip(new).peekable();
            let mut map = Vec::new();
            for text in old {
                let text = before.text(text);
                while new.next_if(|&(_, other)| after.text(other) < text).is_some() {}
                map.push(new.peek().filter(|&&(_, other)| after.text(other) == text).map_or(GONE, |&(at, _)| at));
            }
            map
        };
        let orgs = map(&mut before.orgs.iter().map(|r| r.id), &mut after.orgs.iter().map(|r| r.id));
        let classes = map(&mut before.classes.iter().map(|r| r.id), &mut after.classes.iter().map(|r| r.id));
        let words = map(&mut before.role_words.iter().copied(), &mut after.role_words.iter().copied());
        let names = map(&mut before.attribute_names.iter().copied(), &mut after.attribute_names.iter().copied());
        Self { before, after, orgs, classes, spans: senses(&before.spans, &words, &after.spans), words, names }
    }

    fn people(&self, old: Range<usize>, new: Range<usize>) -> RosterDelta {
        merge_keys(self.before, self.after, old, new, |was, is| !self.same_person(was, is))
    }

    /// Whether nothing changed of somebody.
    pub(crate) fn same_person(&self, was: &Person, is: &Person) -> bool {
        let Person {
            key: _,
            given,
            family,
            email,
            username,
            identifier,
            grades,
            primary_org,
            enabled,
            ended,
            quarantined,
            modified: _,
            roles: _,
            enrollments: _,
            attributes: _,
        } = was;
        let texts = [
            (given, is.given),
            (family, is.family),
            (email, is.email),
            (username, is.username),
            (identifier, is.identifier),
            (grades, is.grades),
        ];
        let (old, new) = (self.before.packed_of(was), self.after.packed_of(is));
        (enabled, ended, quarantined) == (&is.enabled, &is.ended, &is.quarantined)
            && primary_org.map(|org| self.orgs[org.0 as usize]) == is.primary_org.map(|org| org.0)
            && texts.into_iter().all(|(&old, new)| self.before.texts.bytes(old) == self.after.texts.bytes(new))
            && same(
                old.iter().map(|(e, _)| (self.classes[e.class.0 as usize], self.spans[0][e.span.0 as usize])),
                new.iter().map(|(e, _)| (e.class.0, self.spans[1][e.span.0 as usize])),
            )
            && same(self.before.roles_of(was).iter().map(|role| self.role(role)), self.after.roles_of(is).iter().map(new_role))
            && self.same_attributes(self.before.attributes_of(was), self.after.attributes_of(is))
    }

    fn role(&self, role: &Role) -> RoleSense {
        let Role { role, org, primary, first, last, id: _, ended, modified: _ } = *role;
        (self.orgs[org.0 as usize], self.words[usize::from(role.0)], first.0, last.0, primary, ended)
    }

    fn same_attributes(&self, old: &[Attribute], new: &[Attribute]) -> bool {
        old.len() == new.len()
            && old.iter().zip(new).all(|(a, b)| {
                self.names[usize::from(a.name)] == u32::from(b.name) && self.before.text(a.value) == self.after.text(b.value)
            })
    }
}

/// What a role means: where, as what, first and last day, primary, ended.
type RoleSense = (u32, u32, i32, i32, bool, bool);

fn new_role(role: &Role) -> RoleSense {
    let Role { role, org, primary, first, last, id: _, ended, modified: _ } = *role;
    (org.0, u32::from(role.0), first.0, last.0, primary, ended)
}

fn same<S: Ord>(old: impl ExactSizeIterator<Item = S> + Clone, new: impl ExactSizeIterator<Item = S> + Clone) -> bool {
    if old.len() != new.len() {
        return false;
    }
    // Handles are in order of ids in both rosters, so equal records meet; only ties are broken by the records' own ids.
    if old.clone().eq(new.clone()) {
        return true;
    }
    let (mut a, mut b): (Vec<S>, Vec<S>) = (old.collect(), new.collect());
    a.sort_unstable();
    b.sort_unstable();
    a == b
}

#[cfg(test)]
mod tests;
