//! From loose records to the one canonical roster: sorted, grouped, with an arena that depends on nothing but the
//! records (I5).
//!
//! The arena holds one column after the other in the order in which `pack` writes them, so that keys lie side by side
//! for the merges that walk them, and a packed roster reads back into the very same arena.

use crate::base::{ArenaFull, Text, TextArena, parts};
use crate::roster::enrollments::Enrollments;
use crate::roster::groups::{Groups, Walk};
use crate::roster::intern::Scribe;
use crate::roster::links::LinkRow;
use crate::roster::model::{
    Attribute, Class, ClassIx, Course, CourseIx, Org, OrgIx, PackedEnrollment, Person, RecordHash, Role, RoleWord, Roster,
    Session, SessionIx, Span, SpanIx,
};
use crate::roster::pack::TOUCHED;
use crate::roster::packed::DatedEnrollment;
use crate::roster::room::{Laid, Room};
use crate::roster::spans;

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
    /// Everything but people and theirs.
    pub(crate) places: Places<'a>,
    /// People.
    pub(crate) people: Vec<Option<LoosePerson<'a>>>,
    /// Roles; those of people who are left out are passed over.
    pub(crate) roles: Walk<'a, Role>,
    /// Enrollments; those of people who are left out are passed over.
    pub(crate) enrollments: Attending<'a>,
}

/// Enrollments in any order.
#[derive(Clone, Copy)]
pub(crate) enum Attending<'a> {
    /// For memory.
    Here(Walk<'a, PackedEnrollment>),
    /// Too many for it, and where they go.
    Outside(Walk<'a, DatedEnrollment>, &'a dyn Room),
}

/// Records other than people, by slot, and what people point at.
pub(crate) struct Places<'a> {
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
    /// What enrollments have in common.
    pub(crate) spans: &'a [Span],
}

/// People and theirs as a sound read has them: all of them, used up.
pub(crate) struct Sound<'a> {
    /// People by slot; their slices of attributes count.
    pub(crate) people: Vec<Person>,
    /// Kept attributes.
    pub(crate) attributes: Vec<Attribute>,
    /// Roles, those told in people's rows too.
    pub(crate) roles: Vec<LinkRow<Role>>,
    /// Enrollments, if they are in memory.
    pub(crate) enrollments: Vec<LinkRow<PackedEnrollment>>,
    /// Otherwise these, and where what is made of them goes.
    pub(crate) outside: Option<OutsideRows<'a>>,
}

/// Rows outside memory, and where there is room for what is made of them.
pub(crate) type OutsideRows<'a> = (&'a Laid<LinkRow<DatedEnrollment>>, &'a dyn Room);

/// No position: the slot holds no record.
const NOWHERE: u32 = u32::MAX;

/// Slots in order of their texts, and the position of each slot.
struct Order {
    sorted: Vec<u32>,
    rank: Vec<u32>,
}

impl Order {
    fn of<R: Copy + Sync>(texts: &TextArena, slots: &[Option<R>], id: impl Fn(R) -> Text + Sync) -> Self {
        Self::by_id(texts, slots.len(), |slot| slots[slot as usize].map(&id))
    }

    fn by_id(texts: &TextArena, slots: usize, id: impl Fn(u32) -> Option<Text> + Sync) -> Self {
        let all = || (0..slots as u32).filter(|&slot| id(slot).is_some());
        let id = |slot: u32| id(slot).map_or(&b""[..], |id| texts.bytes(id));
        let mut kept = all().peekable();
        // Ids of one source often start alike: compare the 8 bytes after what they share before going to the arena.
        let first = kept.peek().map_or(&b""[..], |&slot| id(slot));
        let shared = all().fold(first.len(), |shared, slot| {
            let same = first[..shared].iter().zip(id(slot)).take_while(|(a, b)| a == b).count();
            same.min(shared)
        });
        let head = |slot: u32| {
            let rest = &id(slot)[shared..];
            let mut bytes = [0; 8];
            let len = rest.len().min(8);
            bytes[..len].copy_from_slice(&rest[..len]);
            u64::from_be_bytes(bytes)
        };
        let mut heads: Vec<(u64, u32)> = kept.map(|slot| (head(slot), slot)).collect();
        // By plain numbers first, which goes without a look at anything else; what is alike then is rare.
        parts::sort_by(&mut heads, |a, b| a.0.cmp(&b.0));
        heads.chunk_by_mut(|a, b| a.0 == b.0).for_each(|alike| alike.sort_unstable_by(|a, b| id(a.1).cmp(id(b.1))));
        let mut rank = vec![NOWHERE; slots];
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

/// Where everything but people and words goes.
struct Grounds {
    orgs: Order,
    classes: Order,
}

/// Where everything but people goes.
struct Frame {
    grounds: Grounds,
    words: Order,
    names: Order,
    /// New positions of spans.
    spans: Vec<u32>,
}

impl Grounds {
    /// Makes a roster of all but people and words. Classes that are the roster's own already stand by slot, and are no places.
    fn new(places: &Places<'_>, own: Option<Vec<Class>>) -> (Self, Roster) {
        let texts = places.texts;
        let orgs = Order::of(texts, &places.orgs, |r| r.id);
        let sessions = Order::of(texts, &places.sessions, |r| r.id);
        let courses = Order::of(texts, &places.courses, |r| r.id);
        let org = |org: OrgIx| OrgIx(orgs.rank[org.0 as usize]);
        let session = |session: SessionIx| SessionIx(sessions.rank[session.0 as usize]);

        let mut roster = Roster::default();
        roster.orgs.extend(orgs.records(&places.orgs).map(|r| Org { parent: r.parent.map(org), ..r.clone() }));
        let records = sessions.records(&places.sessions);
        roster.sessions.extend(records.map(|r| Session { parent: r.parent.map(session), ..r.clone() }));
        roster.courses.extend(courses.records(&places.courses).map(|r| Course {
            school_year: r.school_year.map(session),
            org: org(r.org),
            ..r.clone()
        }));
        let classes;
        (classes, roster.classes) = match own {
            None => {
                let order = Order::of(texts, &places.classes, |r| r.id);
                let list = order.records(&places.classes).cloned().collect();
                (order, list)
            }
            Some(mut list) => {
                let order = Order::by_id(texts, list.len(), |slot| Some(list[slot as usize].id));
                parts::permute(&mut list, &mut order.rank.clone());
                (order, list)
            }
        };
        for class in &mut roster.classes {
            class.course = class.course.map(|course| CourseIx(courses.rank[course.0 as usize]));
            class.school = org(class.school);
            class.sessions.iter_mut().for_each(|own| *own = session(*own));
            class.sessions.sort_unstable();
        }
        (Self { orgs, classes }, roster)
    }
}

impl Frame {
    /// Completes a roster of all but people; these use the words, names and spans told.
    fn new(
        places: &Places<'_>,
        (grounds, mut roster): (Grounds, Roster),
        words_used: &mut [bool],
        names_used: &[bool],
        spans_used: &[bool],
    ) -> (Self, Roster) {
        let texts = places.texts;
        let used = places.spans.iter().zip(spans_used).filter(|(_, used)| **used);
        used.for_each(|(span, _)| words_used[usize::from(span.role.0)] = true);
        let words = Order::of_words(texts, places.words, words_used);
        let names = Order::of_words(texts, places.names, names_used);
        roster.role_words = words.sorted.iter().map(|&word| places.words[word as usize]).collect();
        roster.attribute_names = names.sorted.iter().map(|&name| places.names[name as usize]).collect();
        // A word of no use has no rank, and a row that cannot be used no word; nor has a span of these.
        let rank = |word: RoleWord| words.rank.get(usize::from(word.0)).copied().unwrap_or(NOWHERE);
        let moved = |span: &Span| Span { role: RoleWord(rank(span.role) as u16), ..*span };
        let spans: Vec<Span> = places.spans.iter().map(moved).collect();
        let (to, list) = spans::sorted(&spans, spans_used);
        roster.spans = list;
        (Self { grounds, words, names, spans: to }, roster)
    }

    fn role(&self, r: &Role) -> Role {
        let role = RoleWord(self.words.rank[usize::from(r.role.0)] as u16);
        Role { role, org: OrgIx(self.grounds.orgs.rank[r.org.0 as usize]), ..*r }
    }

    fn enrollment(&self, r: &PackedEnrollment) -> PackedEnrollment {
        let class = ClassIx(self.grounds.classes.rank[r.class.0 as usize]);
        PackedEnrollment { class, span: SpanIx(self.spans[r.span.0 as usize]), ..*r }
    }

    fn dated(&self, r: &DatedEnrollment) -> DatedEnrollment {
        DatedEnrollment { packed: self.enrollment(&r.packed), ..*r }
    }

    /// A person at a new position; the attributes are appended.
    fn person(&self, texts: &TextArena, person: Person, attributes: &[Attribute], all: &mut Vec<Attribute>) -> Person {
        let first = all.len();
        all.extend(attributes.iter().map(|a| Attribute { name: self.names.rank[usize::from(a.name)] as u16, value: a.value }));
        all[first..].sort_unstable_by(|a, b| a.name.cmp(&b.name).then_with(|| texts.get(a.value).cmp(texts.get(b.value))));
        Person {
            primary_org: person.primary_org.map(|org| OrgIx(self.grounds.orgs.rank[org.0 as usize])),
            attributes: (first as u32, attributes.len() as u32),
            ..person
        }
    }
}

/// The order of one person's enrollments, by numbers alone: spans that differ in what does not count have one number.
fn enrollment_order(spans: &[Span]) -> impl Fn(&PackedEnrollment) -> (ClassIx, u32, RecordHash) + Sync + use<> {
    let mut numbers = Vec::with_capacity(spans.len());
    let mut number = 0;
    for (at, span) in spans.iter().enumerate() {
        let key = |span: &Span| (span.role, span.first, span.last);
        number += u32::from(at > 0 && key(&spans[at - 1]) != key(span));
        numbers.push(number);
    }
    move |packed| (packed.class, numbers[packed.span.0 as usize], packed.id)
}

/// Makes the canonical roster.
///
/// # Errors
/// [`ArenaFull`] when the texts pass 4 GiB; it cannot happen where they came out of one arena.
pub(crate) fn canonical(loose: &Loose<'_>) -> Result<Roster, ArenaFull> {
    let places = &loose.places;
    let people = Order::of(places.texts, &loose.people, |r| r.person.key);
    let (mut words_used, mut spans_used) = (vec![false; places.words.len()], vec![false; places.spans.len()]);
    let role_groups = Groups::new(&people.rank, people.sorted.len(), loose.roles, |role| role.role.0.into(), &mut words_used);
    let (rank, count) = (&people.rank, people.sorted.len());
    let enrollment_groups = match loose.enrollments {
        Attending::Here(walk) => Groups::new(rank, count, walk, |e| e.span.0 as usize, &mut spans_used),
        Attending::Outside(walk, _) => Groups::new(rank, count, walk, |e| e.packed.span.0 as usize, &mut spans_used),
    };
    let mut names_used = vec![false; places.names.len()];
    for person in loose.people.iter().flatten() {
        person.attributes.iter().for_each(|attribute| names_used[usize::from(attribute.name)] = true);
    }
    let grounds = Grounds::new(places, None);
    let (frame, mut roster) = Frame::new(places, grounds, &mut words_used, &names_used, &spans_used);
    roster.roles = role_groups.place(&people.rank, loose.roles, Role::BLANK, |r| frame.role(r), Role::order);
    let (blank, order) = (PackedEnrollment::default(), enrollment_order(&roster.spans));
    roster.enrollments = match loose.enrollments {
        Attending::Here(walk) => enrollment_groups.place(rank, walk, blank, |r| frame.enrollment(r), order).into(),
        Attending::Outside(walk, room) => {
            let placed = enrollment_groups.place_outside(rank, walk, room, |r| frame.dated(r), |r| order(&r.packed));
            Enrollments::outside(placed)
        }
    };
    roster.people.reserve_exact(people.sorted.len());
    for (at, LoosePerson { person, attributes, quarantined }) in people.records(&loose.people).enumerate() {
        let person = frame.person(places.texts, person.clone(), attributes, &mut roster.attributes);
        let (roles, enrollments) = (role_groups.slice(at), enrollment_groups.slice(at));
        roster.people.push(Person { quarantined, roles, enrollments, ..person });
    }
    rewrite(&mut roster, places.texts)?;
    Ok(roster)
}

/// The canonical roster of a sound read, all but its people and theirs: what they point at has its place.
pub(crate) struct Begun {
    frame: Frame,
    rank: Vec<u32>,
    role_groups: Groups,
    enrollment_groups: Groups,
    roster: Roster,
}

impl Begun {
    /// Gives everything its place; classes are used up, there is no room for two of each. After that the places that were
    /// read are of no use any more.
    pub(crate) fn new(places: &Places<'_>, classes: Vec<Class>, sound: &Sound<'_>) -> Self {
        let Sound { people, attributes, roles, enrollments, outside } = sound;
        let by_key = || Order::by_id(places.texts, people.len(), |slot| Some(people[slot as usize].key));
        let (grounds, Order { sorted: _, rank }) = match parts::is_long(people.len()) {
            true => parts::both(|| Grounds::new(places, Some(classes)), by_key),
            false => (Grounds::new(places, Some(classes)), by_key()),
        };
        let (mut words_used, mut spans_used) = (vec![false; places.words.len()], vec![false; places.spans.len()]);
        let role_groups = Groups::of_rows(&rank, roles, |role| role.role.0.into(), &mut words_used);
        let enrollment_groups = match *outside {
            None => Groups::of_rows(&rank, enrollments, |e| e.span.0 as usize, &mut spans_used),
            Some((laid, _)) => {
                let walk = |visit: &mut dyn FnMut(u32, &DatedEnrollment)| laid.each(&mut |_, row| visit(row.person, &row.link));
                Groups::new(&rank, people.len(), &walk, |e| e.packed.span.0 as usize, &mut spans_used)
            }
        };
        let mut names_used = vec![false; places.names.len()];
        attributes.iter().for_each(|attribute| names_used[usize::from(attribute.name)] = true);
        let (frame, roster) = Frame::new(places, grounds, &mut words_used, &names_used, &spans_used);
        Self { frame, rank, role_groups, enrollment_groups, roster }
    }

    /// Makes the roster of the same rows, which it uses up as it goes: there is no room for two of a large one. Its texts
    /// stay where they are; the roster comes without them.
    pub(crate) fn finish(self, texts: &TextArena, sound: Sound<'_>) -> Roster {
        let Self { frame, rank, role_groups, enrollment_groups, mut roster } = self;
        let Sound { mut people, attributes, roles, enrollments, outside } = sound;
        let (blank, order) = (PackedEnrollment::default(), enrollment_order(&roster.spans));
        let roles_and_people = || {
            let roles = role_groups.use_up(&rank, roles, Role::BLANK, |r| frame.role(r), Role::order);
            parts::permute(&mut people, &mut rank.clone());
            roles
        };
        let attended = || match outside {
            None => enrollment_groups.use_up(&rank, enrollments, blank, |r| frame.enrollment(r), order).into(),
            Some((laid, room)) => {
                let walk = |visit: &mut dyn FnMut(u32, &DatedEnrollment)| laid.each(&mut |_, row| visit(row.person, &row.link));
                let placed = enrollment_groups.place_outside(&rank, &walk, room, |r| frame.dated(r), |r| order(&r.packed));
                Enrollments::outside(placed)
            }
        };
        (roster.roles, roster.enrollments) = parts::both(roles_and_people, attended);
        roster.attributes.reserve_exact(attributes.len());
        for (at, person) in people.iter_mut().enumerate() {
            let (first, len) = person.attributes;
            let own = &attributes[first as usize..first as usize + len as usize];
            let moved = frame.person(texts, person.clone(), own, &mut roster.attributes);
            let (roles, enrollments) = (role_groups.slice(at), enrollment_groups.slice(at));
            *person = Person { quarantined: false, roles, enrollments, ..moved };
        }
        roster.people = people;
        roster
    }
}

/// Copies the texts into an arena of their own, column by column.
pub(crate) fn rewrite(roster: &mut Roster, from: &TextArena) -> Result<(), ArenaFull> {
    let mut scribe = Scribe::default();
    each_text(roster, Some(from), |text, repeats| {
        let old = from.get(*text);
        *text = if repeats { scribe.intern(old)? } else { scribe.write(old)? };
        Ok(())
    })?;
    roster.texts = scribe.into_arena();
    Ok(())
}

/// Visits every text of a roster in the order of the arena, saying whether it belongs to those that repeat. `from` is where
/// they lie, if in no order.
pub(crate) fn each_text<E>(
    roster: &mut Roster,
    from: Option<&TextArena>,
    mut visit: impl FnMut(&mut Text, bool) -> Result<(), E>,
) -> Result<(), E> {
    macro_rules! columns {
        ($records:expr; $($field:ident $repeats:literal),*) => {
            $(for some in $records.chunks_mut(TOUCHED) {
                if let Some(from) = from {
                    from.touch(some.iter().map(|record| record.$field).filter(|text| !text.is_empty()));
                }
                for record in some {
                    visit(&mut record.$field, $repeats)?;
                }
            })*
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
