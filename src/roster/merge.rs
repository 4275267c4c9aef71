//! Several sources of one customer as one roster (R6).

use crate::base::ArenaFull;
use crate::roster::canon::{Attending, Loose, LoosePerson, Places, canonical};
use crate::roster::intern::{NoWord, Scribe, Words};
use crate::roster::model::{
    Attribute, Class, ClassIx, Course, CourseIx, Enrollment, Org, OrgIx, PackedEnrollment, Person, PersonIx, Role, RoleWord,
    Roster, Session, SessionIx, Span, SpanIx,
};
use crate::roster::spans::SpanTable;

/// The union of several rosters, the first one's word counting most: of records with the same id the first one's
/// fields hold. Of a person the others tell what the first ones left empty: e-mail, names, identifiers, attributes. A record
/// has ended only where it ended in all that have it, and a person quarantined in one is quarantined. Roles and enrollments
/// are united. With one roster there is nothing to merge.
///
/// # Errors
/// [`ArenaFull`] when the rosters together hold more than 4 GiB of text, or more than 65 536 role words.
pub fn merge(rosters: &[&Roster]) -> Result<Roster, ArenaFull> {
    let mut pot = Pot::default();
    for roster in rosters {
        pot.add(roster)?;
    }
    pot.finish()
}

/// `after` as it stands while conflicting keys are not settled (R5): without the new ones, and with the known ones as they
/// were in `before`, marked so that they keep everything. `conflicts` are (before: the known one, after: the new one).
///
/// # Errors
/// As [`merge`].
pub fn hold_conflicts(before: &Roster, after: &Roster, conflicts: &[(PersonIx, PersonIx)]) -> Result<Roster, ArenaFull> {
    let mut without_new = after.clone();
    let news: std::collections::BTreeSet<u32> = conflicts.iter().map(|&(_, new)| new.0).collect();
    let mut at = 0u32;
    without_new.people.retain(|_| {
        at += 1;
        !news.contains(&(at - 1))
    });
    let mut known = before.clone();
    known.people = conflicts.iter().map(|&(old, _)| Person { quarantined: true, ..before.person(old).clone() }).collect();
    // What only the known ones still point at comes along as ended: it must not come back to life.
    known.orgs.iter_mut().for_each(|org| org.ended = true);
    known.sessions.iter_mut().for_each(|session| session.ended = true);
    known.courses.iter_mut().for_each(|course| course.ended = true);
    known.classes.iter_mut().for_each(|class| class.ended = true);
    merge(&[&without_new, &known])
}

/// Ids in order of first mention.
#[derive(Debug, Default)]
struct Ids {
    index: hashbrown::HashTable<u32>,
    texts: Vec<crate::base::Text>,
}

impl Ids {
    /// The slot of an id, and whether it is new.
    fn slot(&mut self, scribe: &mut Scribe, id: &str) -> Result<(u32, bool), ArenaFull> {
        let hash = crate::roster::intern::text_hash(id);
        if let Some(&slot) = self.index.find(hash, |&slot| scribe.get(self.texts[slot as usize]) == id) {
            return Ok((slot, false));
        }
        let slot = self.texts.len() as u32;
        self.texts.push(scribe.write(id)?);
        let hasher = |&slot: &u32| crate::roster::intern::text_hash(scribe.get(self.texts[slot as usize]));
        self.index.insert_unique(hash, slot, hasher);
        Ok((slot, true))
    }
}

#[derive(Default)]
struct Pot {
    scribe: Scribe,
    words: Words,
    names: Words,
    org_ids: Ids,
    session_ids: Ids,
    course_ids: Ids,
    class_ids: Ids,
    people_ids: Ids,
    orgs: Vec<Org>,
    sessions: Vec<Session>,
    courses: Vec<Course>,
    classes: Vec<Class>,
    people: Vec<Person>,
    attributes: Vec<Attribute>,
    roles: Vec<(u32, Role)>,
    spans: SpanTable,
    enrollments: Vec<(u32, PackedEnrollment)>,
}

fn number(word: Result<u16, NoWord>) -> Result<u16, ArenaFull> {
    word.map_err(|_| ArenaFull)
}

impl Pot {
    fn add(&mut self, from: &Roster) -> Result<(), ArenaFull> {
        let Self { scribe, words, names, .. } = self;
        macro_rules! slots {
            ($ids:ident $records:ident $id:ident) => {{
                let mut slots = Vec::with_capacity(from.$records.len());
                for record in &from.$records {
                    slots.push(self.$ids.slot(scribe, from.text(record.$id))?);
                }
                slots
            }};
        }
        let orgs = slots!(org_ids orgs id);
        let sessions = slots!(session_ids sessions id);
        let courses = slots!(course_ids courses id);
        let classes = slots!(class_ids classes id);
        let people = slots!(people_ids people key);
        let org = |org: OrgIx| OrgIx(orgs[org.0 as usize].0);
        let session = |session: SessionIx| SessionIx(sessions[session.0 as usize].0);
        let word =
            |at: RoleWord, scribe: &mut Scribe, words: &mut Words| number(words.word(scribe, from.role_word(at))).map(RoleWord);

        for (record, &(slot, new)) in from.orgs.iter().zip(&orgs) {
            if !new {
                self.orgs[slot as usize].ended &= record.ended;
                continue;
            }
            self.orgs.push(Org {
                id: self.org_ids.texts[slot as usize],
                name: scribe.write(from.text(record.name))?,
                kind: scribe.intern(from.text(record.kind))?,
                identifier: scribe.write(from.text(record.identifier))?,
                parent: record.parent.map(org),
                ..*record
            });
        }
        for (record, &(slot, new)) in from.sessions.iter().zip(&sessions) {
            if !new {
                self.sessions[slot as usize].ended &= record.ended;
                continue;
            }
            self.sessions.push(Session {
                id: self.session_ids.texts[slot as usize],
                title: scribe.write(from.text(record.title))?,
                kind: scribe.intern(from.text(record.kind))?,
                parent: record.parent.map(session),
                ..*record
            });
        }
        for (record, &(slot, new)) in from.courses.iter().zip(&courses) {
            if !new {
                self.courses[slot as usize].ended &= record.ended;
                continue;
            }
            self.courses.push(Course {
                id: self.course_ids.texts[slot as usize],
                title: scribe.write(from.text(record.title))?,
                code: scribe.write(from.text(record.code))?,
                school_year: record.school_year.map(session),
                org: org(record.org),
                grades: scribe.intern(from.text(record.grades))?,
                subjects: scribe.intern(from.text(record.subjects))?,
                subject_codes: scribe.intern(from.text(record.subject_codes))?,
                ..*record
            });
        }
        for (record, &(slot, new)) in from.classes.iter().zip(&classes) {
            if !new {
                self.classes[slot as usize].ended &= record.ended;
                continue;
            }
            self.classes.push(Class {
                id: self.class_ids.texts[slot as usize],
                title: scribe.write(from.text(record.title))?,
                kind: scribe.intern(from.text(record.kind))?,
                code: scribe.write(from.text(record.code))?,
                course: record.course.map(|course| CourseIx(courses[course.0 as usize].0)),
                school: org(record.school),
                sessions: record.sessions.iter().copied().map(session).collect(),
                grades: scribe.intern(from.text(record.grades))?,
                subjects: scribe.intern(from.text(record.subjects))?,
                subject_codes: scribe.intern(from.text(record.subject_codes))?,
                ended: record.ended,
                modified: record.modified,
            });
        }
        let mut spans: Vec<SpanIx> = Vec::with_capacity(from.spans.len());
        for span in &from.spans {
            let role = word(span.role, scribe, words)?;
            spans.push(self.spans.ix(Span { role, ..*span }));
        }
        for (record, &(slot, new)) in from.people.iter().zip(&people) {
            for role in from.roles_of(record) {
                self.roles.push((slot, Role { role: word(role.role, scribe, words)?, org: org(role.org), ..*role }));
            }
            for (PackedEnrollment { id, class, span }, modified) in from.packed_of(record).iter() {
                let (class, mut span) = (ClassIx(classes[class.0 as usize].0), spans[span.0 as usize]);
                if let Some(modified) = modified {
                    span = self.spans.ix(Span { modified, ..*self.spans.get(span) });
                }
                self.enrollments.push((slot, PackedEnrollment { id, class, span }));
            }
            if !new {
                let known = &mut self.people[slot as usize];
                known.ended &= record.ended;
                known.quarantined |= record.quarantined;
                for (field, told) in [
                    (&mut known.given, record.given),
                    (&mut known.family, record.family),
                    (&mut known.email, record.email),
                    (&mut known.username, record.username),
                    (&mut known.identifier, record.identifier),
                ] {
                    if field.is_empty() && !told.is_empty() {
                        *field = scribe.write(from.text(told))?;
                    }
                }
                if from.attributes_of(record).is_empty() {
                    continue;
                }
                let (start, len) = known.attributes;
                let had = start as usize..start as usize + len as usize;
                let first = self.attributes.len();
                self.attributes.extend_from_within(had);
                for attribute in from.attributes_of(record) {
                    let name = from.text(from.attribute_names[usize::from(attribute.name)]);
                    let name = number(names.word(scribe, name))?;
                    // Of a name that an earlier one tells, the earlier one's values stand alone.
                    let is_told = self.attributes[first..first + len as usize].iter().any(|known| known.name == name);
                    if !is_told {
                        self.attributes.push(Attribute { name, value: scribe.intern(from.text(attribute.value))? });
                    }
                }
                known.attributes = (first as u32, (self.attributes.len() - first) as u32);
                continue;
            }
            let first = self.attributes.len() as u32;
            for attribute in from.attributes_of(record) {
                let name = from.text(from.attribute_names[usize::from(attribute.name)]);
                let name = number(names.word(scribe, name))?;
                self.attributes.push(Attribute { name, value: scribe.intern(from.text(attribute.value))? });
            }
            self.people.push(Person {
                key: self.people_ids.texts[slot as usize],
                given: scribe.write(from.text(record.given))?,
                family: scribe.write(from.text(record.family))?,
                email: scribe.write(from.text(record.email))?,
                username: scribe.write(from.text(record.username))?,
                identifier: scribe.write(from.text(record.identifier))?,
                grades: scribe.intern(from.text(record.grades))?,
                primary_org: record.primary_org.map(org),
                attributes: (first, self.attributes.len() as u32 - first),
                ..*record
            });
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Roster, ArenaFull> {
        // Stable sorts: of equal links the first roster's comes first and stays.
        self.roles.sort_by_key(|(person, role)| (*person, role.order()));
        self.roles.dedup_by(|again, first| {
            let same = (again.0, again.1.order()) == (first.0, first.1.order());
            first.1.ended &= !same || again.1.ended;
            same
        });
        let spans = &mut self.spans;
        self.enrollments.sort_by_key(|&(person, packed)| (person, Enrollment::new(packed, spans.get(packed.span)).order()));
        self.enrollments.dedup_by(|again, first| {
            let full = |packed: PackedEnrollment| Enrollment::new(packed, spans.get(packed.span));
            let (other, one) = (full(again.1), full(first.1));
            let same = (again.0, other.order()) == (first.0, one.order());
            if same && one.ended && !other.ended {
                first.1.span = spans.ix(Span { ended: false, ..*spans.get(first.1.span) });
            }
            same
        });
        let people = self.people.iter().map(|person| {
            let (first, len) = person.attributes;
            let attributes = &self.attributes[first as usize..first as usize + len as usize];
            Some(LoosePerson { person, attributes, quarantined: person.quarantined })
        });
        canonical(&Loose {
            places: Places {
                texts: self.scribe.arena(),
                words: self.words.texts(),
                names: self.names.texts(),
                orgs: self.orgs.iter().map(Some).collect(),
                sessions: self.sessions.iter().map(Some).collect(),
                courses: self.courses.iter().map(Some).collect(),
                classes: self.classes.iter().map(Some).collect(),
                spans: self.spans.list(),
            },
            people: people.collect(),
            roles: &|visit| self.roles.iter().for_each(|(person, role)| visit(*person, role)),
            enrollments: Attending::Here(&|visit| {
                self.enrollments.iter().for_each(|(person, enrollment)| visit(*person, enrollment));
            }),
        })
    }
}
