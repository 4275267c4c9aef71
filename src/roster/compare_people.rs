//! The columns of a packed roster's people, beside those of a newer one. Of people nothing is made: somebody is met by the
//! key, and whatever differs leaves a mark. Only who is picked is read whole.

use std::collections::BTreeMap;

use crate::base::Day;
use crate::roster::blank::blank_person;
use crate::roster::compare_classes::{Classes, Frame, Join, bytes};
use crate::roster::delta::senses;
use crate::roster::enrollments::{Own, Told};
use crate::roster::model::{
    Attribute, ClassIx, Modified, OrgIx, PackedEnrollment, PersonIx, RecordHash, Role, RoleWord, Roster, SpanIx,
};
use crate::roster::pack::TOUCHED;
use crate::roster::packed::DatedEnrollment;
use crate::roster::patch::NEW;
use crate::roster::unpack::{HANDLE, Unpacker};
use crate::roster::unread::{Link, Unread, teaches};
use crate::roster::wire::{PackError, push};

/// The person is one of the stored roster, not only of the base it stands on.
pub(super) const HERE: u8 = 1;
/// Something about the person is different.
pub(super) const OTHER: u8 = 2;
/// A last change or an id of a record is different.
pub(super) const STAMPED: u8 = 4;
/// The person had ended.
pub(super) const ENDED: u8 = 8;

/// The people of the base.
pub(super) struct People {
    /// The newer roster's person of the same key …
    pub(super) to: Vec<u32>,
    /// … unless that is bare: then nothing is compared.
    met: Vec<u32>,
    pub(super) is_bare: Vec<bool>,
    pub(super) marks: Vec<u8>,
    /// Place among those picked.
    pub(super) pick: Vec<u32>,
    pub(super) primary: Vec<Option<OrgIx>>,
    /// First role of each, and one past the last of all.
    pub(super) roles: Vec<u32>,
    pub(super) enrollments: Vec<u32>,
    /// Where those of the newer roster begin, if they are as many; [`NEW`] otherwise. So columns of records are compared
    /// without a look at people, who are large.
    now_roles: Vec<u32>,
    now_enrollments: Vec<u32>,
    pub(super) role_orgs: Vec<u32>,
    pub(super) role_words: Vec<u16>,
    pub(super) role_ended: Vec<bool>,
    /// Whether a role has an id.
    pub(super) has_own_roles: bool,
    /// Enrollments that have not ended.
    pub(super) living: u32,
    /// Those of the people picked; classes and spans are the base's.
    pub(super) picked: Vec<DatedEnrollment>,
}

/// What people of the stored roster attend in the newer one; asked about one person after the other.
struct Now<'r> {
    after: &'r Roster,
    first: &'r [u32],
    /// Those of the stored roster, which are as many.
    starts: &'r [u32],
    person: usize,
    own: Own<'r>,
}

impl Now<'_> {
    fn of(&mut self, person: usize) -> &Own<'_> {
        if self.person != person {
            self.person = person;
            self.own = match self.first[person] {
                NEW => Own::Here(&[]),
                first => {
                    let len = self.starts[person + 1] - self.starts[person];
                    self.after.enrollments.some(first as usize, len as usize)
                }
            };
        }
        &self.own
    }
}

impl People {
    /// Reads the columns of texts; `origins` are the base's people that the stored roster has, `others` (rising) the keys of
    /// people to be picked beside those who left, and `bare` tells which people of the newer roster are.
    pub(super) fn texts<F: FnMut() -> Option<Vec<u8>>>(
        from: &mut Unpacker<F>,
        after: &Roster,
        counts: &[u32; 10],
        origins: &[u32],
        (others, bare): (&[&str], &[bool]),
    ) -> Result<Self, PackError> {
        let count = counts[6] as usize;
        let mut people = Self {
            to: Vec::with_capacity(count.min(1 << 16)),
            met: Vec::with_capacity(count.min(1 << 16)),
            is_bare: Vec::with_capacity(count.min(1 << 16)),
            marks: vec![0; count],
            pick: Vec::with_capacity(count.min(1 << 16)),
            primary: Vec::new(),
            roles: Vec::new(),
            enrollments: Vec::new(),
            now_roles: Vec::new(),
            now_enrollments: Vec::new(),
            role_orgs: Vec::new(),
            role_words: Vec::new(),
            role_ended: Vec::new(),
            has_own_roles: false,
            living: 0,
            picked: Vec::new(),
        };
        origins.iter().filter(|&&origin| origin != NEW).for_each(|&origin| people.marks[origin as usize] = HERE);
        let (mut join, mut named) = (Join::default(), others.iter().peekable());
        for at in 0..count {
            if at % TOUCHED == 0 {
                // About here are the next keys.
                after.texts.touch(after.people.iter().skip(join.next).take(TOUCHED * 2).map(|person| person.key));
            }
            let Unpacker { reader, arena, roster, .. } = &mut *from;
            let is_here = people.marks[at] & HERE != 0;
            let (to, pick) = reader.text_with(|key| {
                let to = join.step(key, |at| after.people.get(at).map(|person| after.texts.bytes(person.key)))?;
                while named.next_if(|other| other.as_bytes() < key).is_some() {}
                let is_named = named.peek().is_some_and(|other| other.as_bytes() == key);
                let leaves = after.people.get(to as usize).is_none_or(|person| person.ended);
                if !is_here || !(is_named || leaves) {
                    return Ok((to, NEW));
                }
                roster.people.push(blank_person(push(arena, key)?));
                Ok((to, roster.people.len() as u32 - 1))
            })??;
            let is_bare = is_here && bare.get(to as usize).copied().unwrap_or_default();
            people.is_bare.push(is_bare);
            people.met.push(if is_bare { NEW } else { to });
            people.to.push(to);
            people.pick.push(pick);
        }
        macro_rules! once {
            ($($field:ident),*) => {$(
                for at in 0..count {
                    if at % TOUCHED == 0 {
                        let next = people.met[at..].iter().take(TOUCHED);
                        let of = |&to: &u32| after.people.get(to as usize).map(|person| person.$field);
                        after.texts.touch(next.filter_map(of));
                    }
                    let other = bytes(after, after.people.get(people.met[at] as usize).map(|person| person.$field));
                    let is_same = match from.roster.people.get_mut(people.pick[at] as usize) {
                        None => from.reader.text_with(|text| text == other)?,
                        Some(person) => {
                            person.$field = from.reader.text_into(&mut from.arena)?;
                            from.arena.bytes(person.$field) == other
                        }
                    };
                    people.mark(at, OTHER, !is_same);
                }
            )*};
        }
        once!(given, family, email, username, identifier);
        for at in 0..count {
            let grades = from.again()?;
            let other = bytes(after, after.people.get(people.met[at] as usize).map(|person| person.grades));
            people.mark(at, OTHER, from.arena.bytes(grades) != other);
            if let Some(person) = from.roster.people.get_mut(people.pick[at] as usize) {
                person.grades = grades;
            }
        }
        Ok(people)
    }

    /// Bare people are as they were.
    pub(super) fn forget_bare(&mut self) {
        self.marks.iter_mut().zip(&self.is_bare).filter(|(_, is_bare)| **is_bare).for_each(|(marks, _)| *marks = HERE);
    }

    #[inline]
    fn mark(&mut self, at: usize, mark: u8, is_so: bool) {
        self.marks[at] |= if is_so { mark } else { 0 };
    }

    /// Reads the columns of numbers, and the names of attributes, whose values were read before.
    pub(super) fn numbers<F: FnMut() -> Option<Vec<u8>>>(
        &mut self,
        from: &mut Unpacker<F>,
        frame: &Frame,
        after: &Roster,
        (counts, mut attributes): (&[u32; 10], Vec<Attribute>),
        unread: &mut Unread,
    ) -> Result<(), PackError> {
        let (count, orgs) = (self.to.len(), from.bounds.orgs);
        for at in 0..count {
            let primary = from.optional(orgs)?.map(OrgIx);
            self.primary.push(primary);
            let is = after.people.get(self.met[at] as usize).and_then(|person| person.primary_org);
            self.mark(at, OTHER, primary.map(|org| frame.orgs[org.0 as usize]) != is.map(|org| org.0));
            if let Some(person) = from.roster.people.get_mut(self.pick[at] as usize) {
                person.primary_org = primary;
            }
        }
        for at in 0..count {
            let flags = from.flags(7)?;
            let (enabled, ended, quarantined) = (flags & 1 > 0, flags & 2 > 0, flags & 4 > 0);
            self.mark(at, ENDED, ended);
            unread.is_plain &= self.marks[at] & HERE == 0 || !ended && !quarantined;
            let is = after.people.get(self.met[at] as usize);
            self.mark(at, OTHER, is.map(|is| (is.enabled, is.ended, is.quarantined)) != Some((enabled, ended, quarantined)));
            if let Some(person) = from.roster.people.get_mut(self.pick[at] as usize) {
                (person.enabled, person.ended, person.quarantined) = (enabled, ended, quarantined);
            }
        }
        let mut last = 0;
        for at in 0..count {
            let modified = from.stamp(&mut last)?;
            self.mark(at, STAMPED, after.people.get(self.met[at] as usize).map(|is| is.modified) != Some(modified));
            if let Some(person) = from.roster.people.get_mut(self.pick[at] as usize) {
                person.modified = modified;
            }
        }
        // Who has more records of one kind, or fewer, is another.
        macro_rules! starts {
            ($field:ident, $total:expr) => {{
                let (mut starts, mut next, mut first) = (vec![0u32], 0u32, 0u32);
                let mut now = Vec::with_capacity(count);
                for at in 0..count {
                    let len = from.reader.small()?;
                    next = next.checked_add(len).ok_or(HANDLE)?;
                    starts.push(next);
                    let is = after.people.get(self.met[at] as usize);
                    self.mark(at, OTHER, is.is_some_and(|is| is.$field.1 != len));
                    now.push(is.filter(|is| is.$field.1 == len).map_or(NEW, |is| is.$field.0));
                    if let Some(person) = from.roster.people.get_mut(self.pick[at] as usize) {
                        person.$field = (first, len);
                        first += len;
                    }
                }
                if next != $total {
                    return Err(PackError::Corrupt("people and their records do not add up"));
                }
                (starts, now)
            }};
        }
        (self.roles, self.now_roles) = starts!(roles, counts[7]);
        (self.enrollments, self.now_enrollments) = starts!(enrollments, counts[8]);
        let (starts, _) = starts!(attributes, counts[9]);
        let names = from.roster.attribute_names.len();
        for attribute in &mut attributes {
            attribute.name = from.handle(names)? as u16;
        }
        for at in 0..count {
            let own = &attributes[starts[at] as usize..starts[at + 1] as usize];
            if self.is_bare[at] {
                own.iter().for_each(|attribute| unread.names.note(frame.names[usize::from(attribute.name)]));
            }
            if let Some(is) = after.people.get(self.met[at] as usize) {
                let same = |(was, is): (&Attribute, &Attribute)| {
                    frame.names[usize::from(was.name)] == u32::from(is.name)
                        && from.arena.bytes(was.value) == after.texts.bytes(is.value)
                };
                self.mark(at, OTHER, !own.iter().zip(after.attributes_of(is)).all(same));
            }
            if self.pick[at] != NEW {
                from.roster.attributes.extend_from_slice(own);
            }
        }
        Ok(())
    }

    /// Visits a column of records, each with its person and its place among theirs.
    fn column<V>(
        starts: &[u32],
        mut read: impl FnMut() -> Result<V, PackError>,
        mut visit: impl FnMut(usize, usize, V),
    ) -> Result<(), PackError> {
        for (person, own) in starts.windows(2).enumerate() {
            for at in 0..(own[1] - own[0]) as usize {
                visit(person, at, read()?);
            }
        }
        Ok(())
    }

    /// Reads the roles.
    pub(super) fn roles<F: FnMut() -> Option<Vec<u8>>>(
        &mut self,
        from: &mut Unpacker<F>,
        frame: &Frame,
        after: &Roster,
        unread: &mut Unread,
    ) -> Result<(), PackError> {
        let Self {
            met, is_bare, marks, pick, roles: starts, now_roles, role_orgs, role_words, role_ended, has_own_roles, ..
        } = self;
        let mut picked: Vec<Role> = Vec::new();
        let new = |person: usize, at: usize| match now_roles[person] {
            NEW => None,
            first => after.roles.get(first as usize + at),
        };
        macro_rules! column {
            ($value:ident = $read:expr, $field:ident: $told:expr, $mark:ident unless |$is:ident| $same:expr) => {{
                let mut own = 0;
                Self::column(
                    starts,
                    || $read,
                    |person, at, $value| {
                        if !new(person, at).is_some_and(|$is| $same) {
                            marks[person] |= $mark;
                        }
                        if pick[person] != NEW {
                            if picked.len() == own {
                                picked.push(Role::BLANK);
                            }
                            picked[own].$field = $told;
                            own += 1;
                        }
                    },
                )?;
            }};
        }
        let (bound, mut last) = (from.bounds.orgs, 0);
        column!(org = from.place(&mut last, bound).inspect(|&org| role_orgs.push(org)), org: OrgIx(org), OTHER
            unless |is| is.org.0 == frame.orgs[org as usize]);
        let words = from.roster.role_words.len();
        column!(word = from.handle(words).inspect(|&word| role_words.push(word as u16)), role: RoleWord(word as u16), OTHER
            unless |is| u32::from(is.role.0) == frame.words[word as usize]);
        // Records that are equal but for these may stand in another order: such a person is looked at again.
        let (mut doubted, mut nameless): (BTreeMap<usize, Vec<u8>>, Vec<bool>) = (BTreeMap::new(), Vec::new());
        let mut of = Vec::new();
        let flags_of = |role: &Role| u8::from(role.primary) | u8::from(role.ended) << 1;
        let (mut own, mut own_flags) = (0, Vec::new());
        for person in 0..met.len() {
            own_flags.clear();
            for _ in starts[person]..starts[person + 1] {
                let flags = from.flags(7)?;
                nameless.push(flags & 4 > 0);
                role_ended.push(flags & 2 > 0);
                *has_own_roles |= flags & 4 == 0 && marks[person] & HERE != 0;
                of.push(person as u32);
                if is_bare[person] {
                    unread.roles_own += u32::from(flags & 4 == 0);
                    unread.roles_living += u32::from(flags & 2 == 0);
                    unread.words.note(frame.words[usize::from(role_words[role_ended.len() - 1])]);
                }
                own_flags.push(flags & 3);
                if pick[person] != NEW {
                    (picked[own].primary, picked[own].ended) = (flags & 1 > 0, flags & 2 > 0);
                    own += 1;
                }
            }
            let differs = (0..).zip(&own_flags).any(|(at, flags)| new(person, at).map(flags_of) != Some(*flags));
            if differs && marks[person] & OTHER == 0 {
                doubted.insert(person, own_flags.clone());
            }
            marks[person] |= if differs { STAMPED } else { 0 };
        }
        let mut day = 0;
        column!(first = from.day(&mut day), first: first, OTHER unless |is| is.first == first);
        let mut day = 0;
        column!(last = from.day(&mut day), last: last, OTHER unless |is| is.last == last);
        let mut stamp = 0;
        column!(modified = from.stamp(&mut stamp), modified: modified, STAMPED unless |is| is.modified == modified);
        let mut nameless = nameless.into_iter();
        let mut of = of.into_iter();
        let mut id = || if nameless.next() == Some(true) { Ok(RecordHash::default()) } else { from.id() };
        column!(id = id().inspect(|&id| of.next().filter(|&of| is_bare[of as usize]).into_iter().for_each(|_| unread.meet(Link::Role, id))), id: id, STAMPED unless |is| is.id == id);
        for (person, flags) in doubted {
            let Some(is) = after.people.get(met[person] as usize).filter(|_| marks[person] & OTHER == 0) else { continue };
            let roles = after.roles_of(is);
            let sense = |role: &Role, flags: u8| (role.org, role.role, role.first, role.last, flags);
            let mut was: Vec<(OrgIx, RoleWord, Day, Day, u8)> = roles.iter().zip(flags).map(|(r, was)| sense(r, was)).collect();
            let mut is: Vec<_> = roles.iter().map(|role| sense(role, flags_of(role))).collect();
            was.sort_unstable();
            is.sort_unstable();
            marks[person] |= if was == is { 0 } else { OTHER };
        }
        from.roster.roles = picked;
        Ok(())
    }

    /// Reads the enrollments, to the end of the bytes.
    pub(super) fn enrollments<F: FnMut() -> Option<Vec<u8>>>(
        &mut self,
        from: &mut Unpacker<F>,
        frame: &Frame,
        classes: &Classes,
        after: &Roster,
        unread: &mut Unread,
    ) -> Result<(), PackError> {
        from.spans()?;
        let Self { marks, pick, enrollments: starts, now_enrollments: first, living, picked, to, is_bare, .. } = self;
        let spans = &from.roster.spans;
        let lives: Vec<bool> = spans.iter().map(|span| !span.ended).collect();
        let [old_senses, new_senses] = senses(spans, &frame.words, &after.spans);
        let mut now = Now { after, first, starts, person: usize::MAX, own: Own::Here(&[]) };
        // Of those who are bare: the classes, if some teach, and which spans they have.
        let (teaches, mut taught, mut used) = (teaches(&from.roster, &from.arena), Vec::new(), vec![false; lives.len()]);
        let some_teach = teaches.contains(&true);
        let (bound, mut last) = (from.bounds.classes, 0);
        let all = |person: usize| starts[person]..starts[person + 1];
        for person in 0..pick.len() {
            if is_bare[person] {
                for _ in all(person) {
                    let class = from.place(&mut last, bound)?;
                    taught.extend(some_teach.then(|| classes.to[class as usize]));
                }
                continue;
            }
            let (is, mut differs) = (now.of(person), false);
            for at in 0..(starts[person + 1] - starts[person]) as usize {
                let class = from.place(&mut last, bound)?;
                differs |= is.get(at).is_none_or(|(is, _)| is.class.0 != classes.to[class as usize]);
                if pick[person] != NEW {
                    let packed = PackedEnrollment { class: ClassIx(class), ..PackedEnrollment::default() };
                    picked.push(DatedEnrollment { packed, modified: Modified(0) });
                }
            }
            marks[person] |= if differs { OTHER } else { 0 };
        }
        let mut taught = taught.into_iter();
        // Of records of one class with one role and the same days the order is that of their ids, and no change.
        let (mut own_senses, mut own): (Vec<u32>, usize) = (Vec::new(), 0);
        for person in 0..pick.len() {
            if is_bare[person] {
                unread.enrollments += all(person).len() as u32;
                for _ in all(person) {
                    let span = from.handle(lives.len())? as usize;
                    used[span] = true;
                    unread.enrollments_living += u32::from(lives[span]);
                    let class = taught.next().filter(|_| teaches[span]);
                    unread.primary.extend(class.map(|class| (ClassIx(class), PersonIx(to[person]))));
                }
                continue;
            }
            let is = now.of(person);
            own_senses.clear();
            let mut differs = false;
            for at in 0..(starts[person + 1] - starts[person]) as usize {
                let span = from.handle(lives.len())? as usize;
                *living += u32::from(lives[span] && marks[person] & HERE != 0);
                own_senses.push(old_senses[span]);
                differs |= is.get(at).map(|(is, _)| new_senses[is.span.0 as usize]) != Some(old_senses[span]);
                if pick[person] != NEW {
                    picked[own].packed.span = SpanIx(span as u32);
                    own += 1;
                }
            }
            marks[person] |= if differs { STAMPED } else { 0 };
            if differs && marks[person] & OTHER == 0 {
                let mut was: Vec<(ClassIx, u32)> = is.iter().map(|(is, _)| is.class).zip(own_senses.iter().copied()).collect();
                let mut is: Vec<_> = is.iter().map(|(is, _)| (is.class, new_senses[is.span.0 as usize])).collect();
                was.sort_unstable();
                is.sort_unstable();
                marks[person] |= if was == is { 0 } else { OTHER };
            }
        }
        *living += unread.enrollments_living;
        let (mut last, mut own) = (0, 0);
        for person in 0..pick.len() {
            if is_bare[person] {
                for _ in all(person) {
                    from.stamp(&mut last)?;
                }
                continue;
            }
            let (is, mut differs) = (now.of(person), false);
            let last_change = |(is, of_its_own): Told| of_its_own.unwrap_or(after.spans[is.span.0 as usize].modified);
            for at in 0..(starts[person + 1] - starts[person]) as usize {
                let modified = from.stamp(&mut last)?;
                differs |= is.get(at).map(last_change) != Some(modified);
                if pick[person] != NEW {
                    picked[own].modified = modified;
                    own += 1;
                }
            }
            marks[person] |= if differs { STAMPED } else { 0 };
        }
        own = 0;
        for person in 0..pick.len() {
            if is_bare[person] {
                for _ in all(person) {
                    unread.meet(Link::Enrollment, from.id()?);
                }
                continue;
            }
            let (is, mut differs) = (now.of(person), false);
            for at in 0..(starts[person + 1] - starts[person]) as usize {
                let id = from.id()?;
                differs |= is.get(at).is_none_or(|(is, _)| is.id != id);
                if pick[person] != NEW {
                    picked[own].packed.id = id;
                    own += 1;
                }
            }
            marks[person] |= if differs { STAMPED } else { 0 };
        }
        let words = from.roster.spans.iter().zip(used).filter(|(_, is_used)| *is_used).map(|(span, _)| span.role);
        words.for_each(|word| unread.words.note(frame.words[usize::from(word.0)]));
        if from.reader.at_end() { Ok(()) } else { Err(PackError::Corrupt("bytes are left over")) }
    }
}
