//! The intake's state: what is known so far of every collection, and how a bad row is put aside.

use std::sync::Arc;

use crate::base::{Text, TextArena};
use crate::roster::book::{Book, Flaw};
use crate::roster::doubt::Doubt;
use crate::roster::finding::Finding;
use crate::roster::intern::{Scribe, Words};
use crate::roster::links::{LinkRow, Links, NOBODY};
use crate::roster::model::{
    Attribute, Class, Course, Org, OrgIx, PackedEnrollment, Person, RecordHash, Role, RoleWord, Roster, Session,
};
use crate::roster::packed::DatedEnrollment;
use crate::roster::parents::{BadParent, settle_parents};
use crate::roster::room::{Laid, Room};
use crate::roster::rows::{Collection, Mode, RowAt};
use crate::roster::spans::SpanTable;
use crate::roster::table::Table;
use crate::roster::trace::Tracing;

/// How lenient an intake is about references. Structure is never lenient.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct IntakePolicy {
    /// Accept a school that is an org of another type, and a second row of a person that differs in its orgs only, with
    /// a warning (oneroster-csv §10).
    pub lenient: bool,
    /// Accept classes whose course is not in the roster.
    pub courses_optional: bool,
}

/// Everything an intake holds.
#[derive(Debug)]
pub(crate) struct Desk {
    pub(crate) policy: IntakePolicy,
    /// The read goes on without the stored roster, and whether there is one.
    unaided: Option<bool>,
    /// What an unaided read must ask of the stored roster in the end.
    pub(crate) doubt: Doubt,
    pub(crate) scribe: Scribe,
    pub(crate) book: Book,
    pub(crate) words: Words,
    pub(crate) names: Words,
    pub(crate) orgs: Table<Org>,
    pub(crate) sessions: Table<Session>,
    pub(crate) courses: Table<Course>,
    pub(crate) classes: Table<Class>,
    pub(crate) people: Table<Person>,
    pub(crate) roles: Links<Role>,
    pub(crate) enrollments: Links<PackedEnrollment>,
    /// Attributes of the stored people.
    pub(crate) attributes_stored: Vec<Attribute>,
    /// Attributes of people made from rows.
    pub(crate) attributes: Vec<Attribute>,
    /// Roles told in people's rows.
    pub(crate) inline: Vec<(RoleWord, OrgIx)>,
    /// By person: a row of theirs was bad, they keep everything.
    pub(crate) concerned: Vec<bool>,
    /// The class and the school that the last enrollment named: rows of a class often stand together.
    pub(crate) last_class: Option<u32>,
    pub(crate) last_school: Option<u32>,
    /// Where enrollments go when there are so many …
    pub(crate) room: Option<Arc<dyn Room>>,
    /// … as these …
    pub(crate) rows_max: usize,
    /// … and those that went there.
    pub(crate) laid: Option<Laid<LinkRow<DatedEnrollment>>>,
    /// What those outside have in common, last changes aside.
    pub(crate) laid_spans: SpanTable,
    /// What is told for a trace, if one is to be left.
    pub(crate) traced: Option<Tracing>,
    /// What was found before the first row.
    pub(crate) found_before: Option<u64>,
    closed: usize,
}

impl Desk {
    /// Starts on the stored roster.
    pub(crate) fn new(previous: Roster, policy: IntakePolicy) -> Self {
        Self::start(previous, policy, None)
    }

    /// Starts without the stored roster, which is there if `has_stored`.
    pub(crate) fn unaided(has_stored: bool, policy: IntakePolicy) -> Self {
        Self::start(Roster::default(), policy, Some(has_stored))
    }

    fn start(previous: Roster, policy: IntakePolicy, unaided: Option<bool>) -> Self {
        let Roster {
            texts,
            role_words,
            attribute_names,
            orgs,
            sessions,
            courses,
            classes,
            people,
            roles,
            mut spans,
            enrollments,
            attributes,
        } = previous;
        Self {
            policy,
            unaided,
            doubt: Doubt::default(),
            book: Book::default(),
            words: Words::new(role_words, &texts),
            names: Words::new(attribute_names, &texts),
            orgs: Table::new(orgs, &texts),
            sessions: Table::new(sessions, &texts),
            courses: Table::new(courses, &texts),
            classes: Table::new(classes, &texts),
            people: Table::new(people, &texts),
            roles: Links::new(roles, (), unaided.is_some(), true),
            enrollments: Links::new(enrollments.into_here(&mut spans), SpanTable::new(spans), unaided.is_some(), false),
            attributes_stored: attributes,
            attributes: Vec::new(),
            inline: Vec::new(),
            concerned: Vec::new(),
            last_class: None,
            last_school: None,
            room: None,
            rows_max: usize::MAX,
            laid: None,
            laid_spans: SpanTable::default(),
            traced: None,
            found_before: None,
            closed: 0,
            scribe: Scribe::new(texts),
        }
    }

    /// The texts so far.
    pub(crate) fn arena(&self) -> &TextArena {
        self.scribe.arena()
    }

    /// The text behind a handle, owned, for a finding.
    pub(crate) fn owned(&self, text: Text) -> String {
        self.scribe.get(text).to_owned()
    }

    fn mode_mut(&mut self, what: Collection) -> &mut Option<Mode> {
        match what {
            Collection::Orgs => &mut self.orgs.mode,
            Collection::Sessions => &mut self.sessions.mode,
            Collection::Courses => &mut self.courses.mode,
            Collection::Classes => &mut self.classes.mode,
            Collection::People => &mut self.people.mode,
            Collection::Roles => &mut self.roles.mode,
            Collection::Enrollments => &mut self.enrollments.mode,
        }
    }

    /// The collections that never began.
    pub(crate) fn unbegun(&mut self) -> Vec<Collection> {
        Collection::ALL.into_iter().filter(|&what| self.mode_mut(what).is_none()).collect()
    }

    /// Whether an unaided read, whose last row is in, has found all that a read with the stored roster would: every row
    /// could be used, or its doubt is noted, and none of them is a change of something stored. Collections that never
    /// began stand as stored.
    pub(crate) fn is_conclusive(&mut self) -> bool {
        let Some(has_stored) = self.unaided else { return true };
        let bad: u64 = Collection::ALL.iter().map(|&what| self.book.counts.of(what).quarantined).sum();
        let changes = Collection::ALL.into_iter().any(|what| *self.mode_mut(what) == Some(Mode::Changes));
        // Of a sound read, doubled enrollments are looked for in what it makes.
        let enrollments_double = || bad > 0 && self.enrollments_double();
        !(changes || has_stored && bad > self.doubt.rows || self.roles.has_doubles() || enrollments_double())
    }

    /// Whether the read does without the stored roster.
    pub(crate) fn is_unaided(&self) -> bool {
        self.unaided.is_some()
    }

    /// Whether there is nothing but rows of complete collections, all of them sound.
    pub(crate) fn is_sound_and_unaided(&self) -> bool {
        self.unaided.is_some() && Collection::ALL.iter().all(|&what| self.book.counts.of(what).quarantined == 0)
    }

    /// Begins a collection; those before it are complete.
    pub(crate) fn begin(&mut self, what: Collection, mode: Mode) {
        if self.found_before.is_none() {
            self.found_before = Some(self.book.findings.total());
        }
        self.close_before(what as usize);
        self.mode_mut(what).get_or_insert(mode);
        // Enrollments are many: nothing may stand about that nobody asks for.
        if what == Collection::Enrollments && self.is_sound_and_unaided() {
            self.people.settle();
            self.classes.settle();
        }
    }

    /// Changes what a begun collection means.
    pub(crate) fn switch(&mut self, what: Collection, mode: Mode) {
        match what {
            Collection::Roles => self.roles.switch(mode),
            Collection::Enrollments => self.enrollments.switch(mode),
            _ => *self.mode_mut(what) = Some(mode),
        }
    }

    /// Whether a record of this id can be pointed at.
    pub(crate) fn knows(&self, what: Collection, id: &str) -> bool {
        match what {
            Collection::Orgs => self.orgs.look_up(self.arena(), id).is_some(),
            Collection::Sessions => self.sessions.look_up(self.arena(), id).is_some(),
            Collection::Courses => self.courses.look_up(self.arena(), id).is_some(),
            Collection::Classes => self.classes.look_up(self.arena(), id).is_some(),
            Collection::People => self.people.look_up(self.arena(), id).is_some(),
            Collection::Roles | Collection::Enrollments => false,
        }
    }

    /// Counts a row. One of a collection that has not begun can only be a change: nothing is absent.
    pub(crate) fn enter(&mut self, what: Collection) {
        if self.mode_mut(what).is_none() {
            self.begin(what, Mode::Changes);
        }
        if matches!(what, Collection::Classes | Collection::People) {
            self.unsettle();
        }
        self.book.row(what);
    }

    /// Makes ready for rows of people and classes behind those of enrollments, where nobody expects them.
    pub(crate) fn unsettle(&mut self) {
        self.people.unsettle();
        self.classes.unsettle();
    }

    /// Completes all collections.
    pub(crate) fn close(&mut self) {
        self.close_before(Collection::ALL.len());
    }

    fn close_before(&mut self, next: usize) {
        while self.closed < next {
            let what = Collection::ALL[self.closed];
            self.closed += 1;
            match what {
                Collection::Orgs => {
                    let bad = settle_parents(&mut self.orgs);
                    report_parents(&mut self.book, &self.scribe, &self.orgs, what, "org", &bad);
                    self.orgs.settle_ends();
                }
                Collection::Sessions => {
                    let bad = settle_parents(&mut self.sessions);
                    report_parents(&mut self.book, &self.scribe, &self.sessions, what, "session", &bad);
                    self.sessions.settle_ends();
                }
                Collection::Courses => self.courses.settle_ends(),
                Collection::Classes => self.classes.settle_ends(),
                Collection::People => self.people.settle_ends(),
                Collection::Roles => self.close_roles(),
                Collection::Enrollments => self.close_enrollments(),
            }
        }
    }

    /// A person keeps everything.
    pub(crate) fn concern(&mut self, person: u32) {
        concern(&mut self.concerned, person);
    }

    /// Notes a role or an enrollment that cannot be used, for the stored roster to be asked about.
    pub(crate) fn note_doubt(&mut self, id: &str, person: Option<&str>) {
        let unknown = person.filter(|key| self.people.find(self.scribe.arena(), key).is_none());
        self.doubt.note(id, unknown);
    }

    /// A person named in a row that cannot be used keeps everything.
    pub(crate) fn concern_named(&mut self, key: &str) {
        if let Some(person) = self.people.find(self.scribe.arena(), key) {
            self.concern(person);
        }
    }

    /// Takes note of a row that could not be parsed.
    pub(crate) fn quarantine(&mut self, what: Collection, at: RowAt, id: Option<&str>, person: Option<&str>, finding: Finding) {
        self.enter(what);
        self.book.counts.of_mut(what).quarantined += 1;
        self.book.findings.push(finding);
        let id = id.filter(|id| !id.is_empty());
        let person = person.filter(|key| !key.is_empty());
        if let (Collection::Roles | Collection::Enrollments, Some(id)) = (what, id) {
            self.note_doubt(id, person);
        }
        if let Some(key) = person {
            self.concern_named(key);
        }
        let Some(id) = id else {
            self.book.counts.of_mut(what).unidentified += 1;
            self.cannot_tell(what, person);
            return;
        };
        let place = self.book.place(at);
        let full = match what {
            Collection::Orgs => self.orgs.slot(&mut self.scribe, id).map(|slot| self.orgs.unreadable(slot, place)),
            Collection::Sessions => self.sessions.slot(&mut self.scribe, id).map(|slot| self.sessions.unreadable(slot, place)),
            Collection::Courses => self.courses.slot(&mut self.scribe, id).map(|slot| self.courses.unreadable(slot, place)),
            Collection::Classes => self.classes.slot(&mut self.scribe, id).map(|slot| self.classes.unreadable(slot, place)),
            Collection::People => self.people.slot(&mut self.scribe, id).map(|slot| {
                self.people.unreadable(slot, place);
                concern(&mut self.concerned, slot);
            }),
            Collection::Roles => {
                self.roles.unreadable(RecordHash::of(id));
                Ok(())
            }
            Collection::Enrollments => {
                self.enrollments.unreadable(RecordHash::of(id));
                Ok(())
            }
        };
        if full.is_err() {
            self.cannot_tell(what, None);
        }
    }

    /// A row without a readable id: what it stands for is present, whichever record that is.
    pub(crate) fn cannot_tell(&mut self, what: Collection, person: Option<&str>) {
        let person = person.and_then(|key| self.people.find(self.scribe.arena(), key));
        match what {
            Collection::Orgs => self.orgs.untellable = true,
            Collection::Sessions => self.sessions.untellable = true,
            Collection::Courses => self.courses.untellable = true,
            Collection::Classes => self.classes.untellable = true,
            Collection::People => self.people.untellable = true,
            Collection::Roles => match person {
                Some(person) => self.roles.untellable_of.push(person),
                None => self.roles.untellable = true,
            },
            Collection::Enrollments => match person {
                Some(person) => self.enrollments.untellable_of.push(person),
                None => self.enrollments.untellable = true,
            },
        }
    }
}

/// Marks a person as keeping everything.
pub(crate) fn concern(concerned: &mut Vec<bool>, person: u32) {
    if person == NOBODY {
        return;
    }
    let person = person as usize;
    if concerned.len() <= person {
        concerned.resize(person + 1, false);
    }
    concerned[person] = true;
}

fn report_parents<T: crate::roster::table::Record>(
    book: &mut Book,
    scribe: &Scribe,
    table: &Table<T>,
    what: Collection,
    word: &str,
    bad: &[(u32, BadParent)],
) {
    for &(slot, why) in bad {
        let flaw = match why {
            BadParent::Missing(parent) => Flaw::missing("parent", word, scribe.get(table.id(parent))),
            BadParent::Cycle => Flaw::graph("parent_cycle", "parent", format!("the {word} is its own ancestor")),
            BadParent::TooDeep => {
                Flaw::graph("parent_too_deep", "parent", format!("the {word} lies more than 100 levels below its root"))
            }
        };
        book.reject(what, book.at(table.place(slot)), scribe.get(table.id(slot)), flaw);
    }
}
