//! From loose records to the one canonical roster: sorted, grouped, with an arena that depends on nothing but the
//! records (I5).
//!
//! The arena holds one column after the other in the order in which `pack` writes them, so that keys lie side by side
//! for the merges that walk them, and a packed roster reads back into the very same arena.

use crate::base::{ArenaFull, Text, TextArena, parts};
use crate::roster::intern::Scribe;
use crate::roster::model::{
    Attribute, Class, ClassIx, Course, CourseIx, Enrollment, Org, OrgIx, Person, Role, RoleWord, Roster, Session, SessionIx,
};

/// Calls a visitor for each record and the slot of its person. Several threads may walk at once.
pub(crate) type Walk<'a, T> = &'a (dyn Fn(&mut dyn FnMut(u32, &T)) + Sync);

/// A person with what only the read knows.
#[derive(Clone, Copy)]
pub(crate) struct LoosePerson<'a> {
    /// The record; its slices mean nothing here.
    pub(crate) person: &'a Person,
    /// Kept attributes.
    pub(crate) attributes: &'a [Attribute],
    /// Keeps everything (R104).
    pub(crate) quarantined: bool,
}

/// Records in any order, by slot; a slot without a record is left out. Handles are slots. Every handle must lead to a
/// record.
pub(crate) struct Loose<'a> {
    /// The texts behind the handles.
    pub(crate) texts: &'a TextArena,
    /// Role words by number.
    pub(crate) words: &'a [Text],
    /// Attribute names by number.
    pub(crate) names: &'a [Text],
    /// Orgs.
    pub(crate) orgs: Vec<Option<&'a Org>>,
    /// Sessions.
    pub(crate) sessions: Vec<Option<&'a Session>>,
    /// Courses.
    pub(crate) courses: Vec<Option<&'a Course>>,
    /// Classes.
    pub(crate) classes: Vec<Option<&'a Class>>,
    /// People.
    pub(crate) people: Vec<Option<LoosePerson<'a>>>,
    /// Roles; those of people who are left out are passed over.
    pub(crate) roles: Walk<'a, Role>,
    /// Enrollments; those of people who are left out are passed over.
    pub(crate) enrollments: Walk<'a, Enrollment>,
    /// Whether the arena holds nothing but texts of these records: then it may stay as it is, and the roster comes without
    /// one.
    pub(crate) keeps_arena: bool,
}

/// No position: the slot holds no record.
const NOWHERE: u32 = u32::MAX;

/// Slots in order of their texts, and the position of each slot.
struct Order {
    sorted: Vec<u32>,
    rank: Vec<u32>,
}

impl Order {
    fn of<R: Copy + Sync>(texts: &TextArena, slots: &[Option<R>], id: impl Fn(R) -> Text + Sync) -> Self {
        let id = |slot: u32| slots[slot as usize].map_or(&b""[..], |record| texts.bytes(id(record)));
        let mut kept = (0..slots.len() as u32).filter(|&slot| slots[slot as usize].is_some()).peekable();
        // Ids of one source often start alike: compare the 16 bytes after what they share before going to the arena.
        let first = kept.peek().map_or(&b""[..], |&slot| id(slot));
        let shared =
            (0..slots.len() as u32).filter(|&slot| slots[slot as usize].is_some()).fold(first.len(), |shared, slot| {
                let same = first[..shared].iter().zip(id(slot)).take_while(|(a, b)| a == b).count();
                same.min(shared)
            });
        let head = |slot: u32| {
            let rest = &id(slot)[shared..];
            let mut bytes = [0; 16];
            let len = rest.len().min(16);
            bytes[..len].copy_from_slice(&rest[..len]);
            u128::from_be_bytes(bytes)
        };
        let mut heads: Vec<(u128, u32)> = kept.map(|slot| (head(slot), slot)).collect();
        parts::sort_by(&mut heads, |a, b| a.0.cmp(&b.0).then_with(|| id(a.1).cmp(id(b.1))));
        let mut rank = vec![NOWHERE; slots.len()];
        let sorted: Vec<u32> = heads.into_iter().map(|(_, slot)| slot).collect();
        for (at, &slot) in sorted.iter().enumerate() {
            rank[slot as usize] = at as u32;
        }
        Self { sorted, rank }
    }

    fn of_words(texts: &TextArena, words: &[Text], used: &[bool]) -> Self {
        let kept: Vec<Option<Text>> = words.iter().zip(used).map(|(&word, &used)| used.then_some(word)).collect();
        Self::of(texts, &kept, |word| word)
    }

    fn records<'a, R: Copy>(&'a self, slots: &'a [Option<R>]) -> impl Iterator<Item = R> + 'a {
        self.sorted.iter().filter_map(|&slot| slots[slot as usize])
    }
}

/// Makes the canonical roster.
///
/// # Errors
/// [`ArenaFull`] when the texts pass 4 GiB; it cannot happen where they came out of one arena.
pub(crate) fn canonical(loose: &Loose<'_>) -> Result<Roster, ArenaFull> {
    let texts = loose.texts;
    let orgs = Order::of(texts, &loose.orgs, |r| r.id);
    let sessions = Order::of(texts, &loose.sessions, |r| r.id);
    let courses = Order::of(texts, &loose.courses, |r| r.id);
    let classes = Order::of(texts, &loose.classes, |r| r.id);
    let people = Order::of(texts, &loose.people, |r| r.person.key);

    let mut words_used = vec![false; loose.words.len()];
    let role_groups = Groups::new(&people, loose.roles, |role| role.role, &mut words_used);
    let enrollment_groups = Groups::new(&people, loose.enrollments, |enrollment| enrollment.role, &mut words_used);
    let mut names_used = vec![false; loose.names.len()];
    for person in loose.people.iter().flatten() {
        person.attributes.iter().for_each(|attribute| names_used[usize::from(attribute.name)] = true);
    }
    let words = Order::of_words(texts, loose.words, &words_used);
    let names = Order::of_words(texts, loose.names, &names_used);
    let org = |org: OrgIx| OrgIx(orgs.rank[org.0 as usize]);
    let session = |session: SessionIx| SessionIx(sessions.rank[session.0 as usize]);
    let word = |word: RoleWord| RoleWord(words.rank[usize::from(word.0)] as u16);

    let mut roster = Roster::default();
    roster.orgs.extend(orgs.records(&loose.orgs).map(|r| Org { parent: r.parent.map(org), ..r.clone() }));
    roster.sessions.extend(sessions.records(&loose.sessions).map(|r| Session { parent: r.parent.map(session), ..r.clone() }));
    roster.courses.extend(courses.records(&loose.courses).map(|r| Course {
        school_year: r.school_year.map(session),
        org: org(r.org),
        ..r.clone()
    }));
    roster.classes.extend(classes.records(&loose.classes).map(|r| {
        let mut own: Vec<SessionIx> = r.sessions.iter().copied().map(session).collect();
        own.sort_unstable();
        Class {
            course: r.course.map(|course| CourseIx(courses.rank[course.0 as usize])),
            school: org(r.school),
            sessions: own,
            ..r.clone()
        }
    }));

    let new_role = |r: &Role| Role { role: word(r.role), org: org(r.org), ..*r };
    roster.roles = role_groups.place(&people, loose.roles, Role::BLANK, new_role, Role::order);
    let new_enrollment =
        |r: &Enrollment| Enrollment { class: ClassIx(classes.rank[r.class.0 as usize]), role: word(r.role), ..*r };
    roster.enrollments =
        enrollment_groups.place(&people, loose.enrollments, Enrollment::BLANK, new_enrollment, Enrollment::order);

    roster.people.reserve_exact(people.sorted.len());
    for (at, loose_person) in people.records(&loose.people).enumerate() {
        let LoosePerson { person, attributes, quarantined } = loose_person;
        let first = roster.attributes.len();
        roster
            .attributes
            .extend(attributes.iter().map(|a| Attribute { name: names.rank[usize::from(a.name)] as u16, value: a.value }));
        let own = &mut roster.attributes[first..];
        own.sort_unstable_by(|a, b| a.name.cmp(&b.name).then_with(|| texts.get(a.value).cmp(texts.get(b.value))));
        roster.people.push(Person {
            primary_org: person.primary_org.map(org),
            quarantined,
            roles: role_groups.slice(at),
            enrollments: enrollment_groups.slice(at),
            attributes: (first as u32, attributes.len() as u32),
            ..person.clone()
        });
    }
    roster.role_words = words.sorted.iter().map(|&word| loose.words[word as usize]).collect();
    roster.attribute_names = names.sorted.iter().map(|&name| loose.names[name as usize]).collect();
    if !loose.keeps_arena {
        rewrite(&mut roster, texts)?;
    }
    Ok(roster)
}

/// Copies the texts into an arena of their own, column by column.
pub(crate) fn rewrite(roster: &mut Roster, from: &TextArena) -> Result<(), ArenaFull> {
    let mut scribe = Scribe::default();
    each_text(roster, |text, repeats| {
        let old = from.get(*text);
        *text = if repeats { scribe.intern(old)? } else { scribe.write(old)? };
        Ok(())
    })?;
    roster.texts = scribe.into_arena();
    Ok(())
}

/// Visits every text of a roster in the order of the arena, saying whether it belongs to those that repeat.
pub(crate) fn each_text<E>(roster: &mut Roster, mut visit: impl FnMut(&mut Text, bool) -> Result<(), E>) -> Result<(), E> {
    macro_rules! columns {
        ($records:expr; $($field:ident $repeats:literal),*) => {
            $(for record in &mut $records { visit(&mut record.$field, $repeats)?; })*
        };
    }
    for word in roster.role_words.iter_mut().chain(&mut roster.attribute_names) {
        visit(word, false)?;
    }
    columns!(roster.orgs; id false, name false, kind true, identifier false);
    columns!(roster.sessions; id false, title false, kind true);
    columns!(roster.courses; id false, title false, code false, grades true, subjects true, subject_codes true);
    columns!(roster.classes; id false, title false, kind true, code false, grades true, subjects true, subject_codes true);
    columns!(roster.people; key false, given false, family false, email false, username false, identifier false, grades true);
    columns!(roster.attributes; value true);
    Ok(())
}

/// A counting sort by person. Each thread looks at all records and cares for those of its own people.
struct Groups {
    /// First position of each person, and one more.
    starts: Vec<u32>,
}

impl Groups {
    fn new<T>(people: &Order, walk: Walk<'_, T>, word: impl Fn(&T) -> RoleWord + Sync, words_used: &mut [bool]) -> Self {
        let parts = parts::each_part(people.sorted.len(), |own| {
            let mut counts = vec![0u32; own.len()];
            let mut used = vec![false; words_used.len()];
            walk(&mut |person, record| {
                let rank = people.rank[person as usize] as usize;
                if own.contains(&rank) {
                    counts[rank - own.start] += 1;
                    used[usize::from(word(record).0)] = true;
                }
            });
            (counts, used)
        });
        let mut starts = Vec::with_capacity(people.sorted.len() + 1);
        let mut total = 0;
        starts.push(total);
        for (counts, used) in parts {
            starts.extend(counts.into_iter().map(|count| {
                total += count;
                total
            }));
            words_used.iter_mut().zip(used).for_each(|(all, used)| *all |= used);
        }
        Self { starts }
    }

    fn place<T: Copy + Send, K: Ord>(
        &self,
        people: &Order,
        walk: Walk<'_, T>,
        blank: T,
        new: impl Fn(&T) -> T + Sync,
        key: impl Fn(&T) -> K + Sync,
    ) -> Vec<T> {
        let mut placed = vec![blank; self.starts.last().map_or(0, |&total| total as usize)];
        let ranges = parts::ranges(people.sorted.len());
        let ends: Vec<usize> = ranges.iter().map(|own| self.starts[own.end] as usize).collect();
        let work: Vec<_> = ranges.into_iter().zip(parts::cut(&mut placed, ends)).collect();
        parts::each(work, |(own, placed)| {
            let first = self.starts[own.start];
            let mut next: Vec<u32> = self.starts[own.start..own.end].iter().map(|start| start - first).collect();
            walk(&mut |person, record| {
                let rank = people.rank[person as usize] as usize;
                if own.contains(&rank) {
                    let at = &mut next[rank - own.start];
                    placed[*at as usize] = new(record);
                    *at += 1;
                }
            });
            for at in own {
                let (start, len) = self.slice(at);
                let start = (start - first) as usize;
                placed[start..start + len as usize].sort_by_key(&key);
            }
        });
        placed
    }

    fn slice(&self, at: usize) -> (u32, u32) {
        (self.starts[at], self.starts[at + 1] - self.starts[at])
    }
}
