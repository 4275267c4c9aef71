//! Rows read ahead of the intake, in other threads: a reader resolves them against what is known so far and changes
//! nothing; the intake then takes whole batches in the order of the file.
//!
//! Invariant: a batch holds rows without any oddity, and taking it does exactly what handing on its rows one by one would
//! do. A reader that meets anything else says so; then the intake must be given those rows themselves, which judges and
//! tells in the one place where that is done. So threads can change neither a roster nor a finding.

use crate::base::{Text, TextArena};
use crate::roster::asked::Asked;
use crate::roster::class_batch::{ClassBatch, KnownPlaces};
use crate::roster::intern::{Scribe, text_hash};
use crate::roster::known_ids::KnownIds;
use crate::roster::links::{LinkRow, has_twins};
use crate::roster::model::{Class, ClassIx, Org, OrgIx, PackedEnrollment, Person, RecordHash, Role, RoleWord, Span};
use crate::roster::rows::{ClassRow, Collection, EnrollmentRow, PersonRow, RoleRow, RowAt, RowStatus};
use crate::roster::spans::SpanTable;
use crate::roster::table::{Table, modified_of, stamp_of};

/// Rows of one collection that an intake can take at once.
#[derive(Debug)]
pub struct RowBatch {
    pub(crate) rows: BatchRows,
    /// The texts of classes and people.
    pub(crate) scribe: Scribe,
    /// The row numbers of roles and enrollments.
    pub(crate) places: Vec<u32>,
    /// Role words, by the numbers that the rows use.
    pub(crate) words: Vec<String>,
    /// What enrollments have in common, by the numbers that the rows use; role words are the batch's.
    pub(crate) spans: SpanTable,
    /// Where the rows stand, but for the row number.
    pub(crate) file: &'static str,
    pub(crate) is_odd: bool,
}

/// The rows of a batch.
#[derive(Debug)]
pub(crate) enum BatchRows {
    Classes(ClassBatch),
    People(PeopleBatch),
    Roles(Vec<LinkRow<Role>>),
    Enrollments(Vec<LinkRow<PackedEnrollment>>),
}

/// People with their texts in the batch's arena.
#[derive(Debug, Default)]
pub(crate) struct PeopleBatch {
    pub(crate) people: Vec<BatchPerson>,
    /// Roles told in the rows; words by the batch's numbers.
    pub(crate) inline: Vec<(RoleWord, OrgIx)>,
    /// Kept attributes: name and value.
    pub(crate) attributes: Vec<(Text, Text)>,
}

/// One person of a batch.
#[derive(Debug)]
pub(crate) struct BatchPerson {
    /// The hash of the key.
    pub(crate) hash: u64,
    pub(crate) row: u32,
    pub(crate) stamp: i64,
    pub(crate) person: Person,
}

impl RowBatch {
    /// An empty one for a collection of classes, people, roles or enrollments; `None` for others.
    fn new(what: Collection) -> Option<Self> {
        let rows = match what {
            Collection::Classes => BatchRows::Classes(ClassBatch::default()),
            Collection::People => BatchRows::People(PeopleBatch::default()),
            Collection::Roles => BatchRows::Roles(Vec::new()),
            Collection::Enrollments => BatchRows::Enrollments(Vec::new()),
            Collection::Orgs | Collection::Sessions | Collection::Courses => return None,
        };
        let (places, words, spans) = (Vec::new(), Vec::new(), SpanTable::default());
        Some(Self { rows, scribe: Scribe::default(), places, words, spans, file: "", is_odd: false })
    }

    /// Forgets all rows; their memory is for the next ones.
    fn clear(&mut self) {
        let Self { rows, scribe, places, words, spans, file, is_odd } = self;
        match rows {
            BatchRows::Classes(ClassBatch { classes, sessions }) => {
                classes.clear();
                sessions.clear();
            }
            BatchRows::People(PeopleBatch { people, inline, attributes }) => {
                people.clear();
                inline.clear();
                attributes.clear();
            }
            BatchRows::Roles(rows) => rows.clear(),
            BatchRows::Enrollments(rows) => rows.clear(),
        }
        scribe.clear();
        places.clear();
        words.clear();
        spans.clear();
        (*file, *is_odd) = ("", false);
    }

    /// Whether the rows must be handed on one by one instead.
    pub fn is_odd(&self) -> bool {
        self.is_odd
    }

    /// How many rows it holds.
    pub fn len(&self) -> usize {
        match &self.rows {
            BatchRows::Classes(batch) => batch.classes.len(),
            BatchRows::People(batch) => batch.people.len(),
            BatchRows::Roles(rows) => rows.len(),
            BatchRows::Enrollments(rows) => rows.len(),
        }
    }

    /// Whether it holds no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Reads rows ahead. It only looks at the intake, so that several threads may have one each.
#[derive(Debug)]
pub struct RowReader<'d> {
    sight: Sight<'d>,
    batch: RowBatch,
    /// What the last row named: rows of a person or a class often stand together.
    last_person: Option<u32>,
    /// How many of the last rows did not follow the order of the people.
    astray: u32,
    /// People and classes named by the last enrollments.
    people: Asked,
    classes: Asked,
    last_org: Option<u32>,
    last_school: Option<u32>,
    /// All rows so far were sound: whatever has a slot is there.
    is_sound: bool,
}

/// What a reader looks at.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Sight<'d> {
    /// All that roles and enrollments point at.
    Known(Known<'d>),
    /// Orgs alone: people point at nothing else.
    Orgs(&'d KnownIds),
    /// What classes point at.
    Places(&'d KnownPlaces),
}

/// All that roles and enrollments point at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Known<'d> {
    pub(crate) arena: &'d TextArena,
    pub(crate) orgs: &'d Table<Org>,
    pub(crate) classes: &'d Table<Class>,
    pub(crate) people: &'d Table<Person>,
    /// All rows so far were sound, and nothing else is known: whatever has a slot is there.
    pub(crate) is_sound: bool,
}

impl<'d> Sight<'d> {
    #[inline]
    fn known(&self) -> Result<&Known<'d>, Odd> {
        if let Sight::Known(known) = self { Ok(known) } else { Err(Odd) }
    }
}

/// Makes readers of one collection, for any thread.
#[derive(Clone, Copy, Debug)]
pub struct Readers<'d> {
    pub(crate) sight: Sight<'d>,
    pub(crate) what: Collection,
}

impl<'d> Readers<'d> {
    /// A reader. `used` is a batch of the same collection whose memory may be used again.
    pub fn reader(&self, used: Option<RowBatch>) -> Option<RowReader<'d>> {
        let mut batch = used.or_else(|| RowBatch::new(self.what))?;
        batch.clear();
        Some(RowReader::new(self.sight, batch))
    }
}

/// So many rows out of order, and the order of the people is no guess any more.
const ASTRAY_MAX: u32 = 16;

/// The row has to be handed on by itself.
struct Odd;

impl<'d> RowReader<'d> {
    fn new(sight: Sight<'d>, batch: RowBatch) -> Self {
        Self {
            sight,
            batch,
            last_person: None,
            astray: 0,
            people: Asked::default(),
            classes: Asked::default(),
            last_org: None,
            last_school: None,
            is_sound: sight.known().is_ok_and(|known| known.is_sound),
        }
    }

    /// Whether each id that a row points at needs no other check than that it is known: all known ids are from rows of this
    /// read, and whoever handed those on checked them.
    pub fn knows_ids(&self) -> bool {
        self.is_sound
    }

    /// Says that something was met that only the intake itself can deal with.
    pub fn odd(&mut self) {
        self.batch.is_odd = true;
    }

    /// What was read.
    pub fn finish(mut self) -> RowBatch {
        if self.people_named().is_err() || self.classes_named().is_err() {
            self.odd();
        }
        let mut hashes: Vec<u64> = match &self.batch.rows {
            BatchRows::Classes(batch) => batch.classes.iter().map(|read| read.hash).collect(),
            BatchRows::People(batch) => batch.people.iter().map(|read| read.hash).collect(),
            BatchRows::Roles(_) | BatchRows::Enrollments(_) => Vec::new(),
        };
        self.batch.is_odd |= has_twins(&mut hashes);
        self.batch
    }

    /// Reads an enrollment.
    pub fn enrollment(&mut self, row: &EnrollmentRow<'_>) {
        if self.try_enrollment(row).is_err() {
            self.odd();
        }
    }

    fn try_enrollment(&mut self, row: &EnrollmentRow<'_>) -> Result<(), Odd> {
        let head = &row.head;
        let span = Span {
            role: self.word(row.role)?,
            first: row.first,
            last: row.last,
            primary: row.primary,
            ended: head.status == RowStatus::Ended,
            modified: modified_of(head),
        };
        // The class is looked up later.
        let link = PackedEnrollment { id: RecordHash::of(head.id), class: ClassIx(0), span: self.batch.spans.ix(span) };
        if !row.school.is_empty() {
            self.school(row.school)?;
        }
        let (key, class, row) = (row.person, row.class, self.row(head.at)?);
        let known = match self.next_person(key) {
            None if self.astray < ASTRAY_MAX => Some(self.person_found(key, text_hash(key))?),
            guess => guess,
        };
        let BatchRows::Enrollments(rows) = &mut self.batch.rows else { return Err(Odd) };
        if known.is_none() {
            self.people.ask(rows.len(), key);
        }
        self.classes.ask(rows.len(), class);
        rows.push(LinkRow { person: known.unwrap_or_default(), link });
        self.batch.places.push(row);
        if self.people.is_handful() {
            self.people_named()?;
        }
        if self.classes.is_handful() {
            self.classes_named()?;
        }
        Ok(())
    }

    /// Reads a role.
    pub fn role(&mut self, row: &RoleRow<'_>) {
        if self.try_role(row).is_err() {
            self.odd();
        }
    }

    fn try_role(&mut self, row: &RoleRow<'_>) -> Result<(), Odd> {
        let head = &row.head;
        let link = Role {
            role: self.word(row.role)?,
            org: self.org(row.org)?,
            primary: row.primary,
            first: row.first,
            last: row.last,
            id: RecordHash::of(head.id),
            ended: head.status == RowStatus::Ended,
            modified: modified_of(head),
        };
        let person = self.person_named(row.person)?;
        let row = self.row(head.at)?;
        let BatchRows::Roles(rows) = &mut self.batch.rows else { return Err(Odd) };
        rows.push(LinkRow { person, link });
        self.batch.places.push(row);
        Ok(())
    }

    /// Reads a class.
    pub fn class(&mut self, row: &ClassRow<'_>) {
        if self.try_class(row).is_err() {
            self.odd();
        }
    }

    fn try_class(&mut self, row: &ClassRow<'_>) -> Result<(), Odd> {
        let at = self.row(row.head.at)?;
        let RowBatch { rows: BatchRows::Classes(batch), scribe, .. } = &mut self.batch else { return Err(Odd) };
        let Sight::Places(known) = self.sight else { return Err(Odd) };
        batch.read(at, row, known, scribe).ok_or(Odd)
    }

    /// Reads a person.
    pub fn person(&mut self, row: &PersonRow<'_>) {
        if self.try_person(row).is_err() {
            self.odd();
        }
    }

    fn try_person(&mut self, row: &PersonRow<'_>) -> Result<(), Odd> {
        let head = &row.head;
        let primary_org = row.primary_org.filter(|id| !id.is_empty()).map(|id| self.org(id)).transpose()?;
        let mut told: Vec<(RoleWord, OrgIx)> = Vec::new();
        for role in row.roles {
            let role = (self.word(role.role)?, self.org(role.org)?);
            if !told.contains(&role) {
                told.push(role);
            }
        }
        let mut attributes: Vec<(Text, Text)> = Vec::new();
        for &(name, value) in row.attributes {
            let attribute = (self.intern(name)?, self.intern(value)?);
            if !attributes.contains(&attribute) {
                attributes.push(attribute);
            }
        }
        let at = self.row(head.at)?;
        let grades = self.intern(row.grades)?;
        let mut person = Person {
            key: self.write(head.id)?,
            given: self.write(row.given)?,
            family: self.write(row.family)?,
            email: self.write(row.email)?,
            username: self.write(row.username)?,
            identifier: self.write(row.identifier)?,
            grades,
            primary_org,
            enabled: row.enabled,
            ended: head.status == RowStatus::Ended,
            quarantined: false,
            modified: modified_of(head),
            roles: (0, told.len() as u32),
            enrollments: (0, 0),
            attributes: (0, attributes.len() as u32),
        };
        let BatchRows::People(batch) = &mut self.batch.rows else { return Err(Odd) };
        person.roles.0 = batch.inline.len() as u32;
        person.attributes.0 = batch.attributes.len() as u32;
        batch.inline.append(&mut told);
        batch.attributes.append(&mut attributes);
        batch.people.push(BatchPerson { hash: text_hash(head.id), row: at, stamp: stamp_of(head), person });
        Ok(())
    }

    fn row(&mut self, at: RowAt) -> Result<u32, Odd> {
        self.batch.file = at.file;
        u32::try_from(at.row).map_err(|_| Odd)
    }

    fn write(&mut self, text: &str) -> Result<Text, Odd> {
        self.batch.scribe.write(text).map_err(|_| Odd)
    }

    fn intern(&mut self, text: &str) -> Result<Text, Odd> {
        self.batch.scribe.intern(text).map_err(|_| Odd)
    }

    /// The batch's number of a role word: there are few.
    fn word(&mut self, word: &str) -> Result<RoleWord, Odd> {
        let words = &mut self.batch.words;
        let at = words.iter().position(|known| known == word).unwrap_or_else(|| {
            words.push(word.to_owned());
            words.len() - 1
        });
        u16::try_from(at).map(RoleWord).map_err(|_| Odd)
    }

    /// The person that a row names.
    fn person_named(&mut self, key: &str) -> Result<u32, Odd> {
        match self.next_person(key) {
            Some(slot) => Ok(slot),
            None => self.person_found(key, text_hash(key)),
        }
    }

    /// Where rows follow the order of the people, it is the last one or the next. Where they do not, nobody asks for the
    /// next: that costs as much as a look-up.
    fn next_person(&mut self, key: &str) -> Option<u32> {
        let Known { people, arena, .. } = *self.sight.known().ok()?;
        let is_it = |&slot: &u32| (slot as usize) < people.len() && arena.bytes(people.id(slot)) == key.as_bytes();
        let last = self.last_person?;
        let guesses = [last, last + 1].into_iter().take(if self.astray < ASTRAY_MAX { 2 } else { 1 });
        let guess = guesses.into_iter().find(is_it).filter(|&slot| self.is_sound || people.present(slot));
        match guess {
            Some(slot) => (self.last_person, self.astray) = (Some(slot), 0),
            None => self.astray = self.astray.saturating_add(1),
        }
        guess
    }

    fn person_found(&mut self, key: &str, hash: u64) -> Result<u32, Odd> {
        let Known { people, arena, .. } = *self.sight.known()?;
        let found = people.find_hashed(arena, key.as_bytes(), hash);
        let slot = found.filter(|&slot| self.is_sound || people.present(slot)).ok_or(Odd)?;
        self.last_person = Some(slot);
        Ok(slot)
    }

    /// Looks up whom the last enrollments name.
    fn people_named(&mut self) -> Result<(), Odd> {
        let BatchRows::Enrollments(rows) = &mut self.batch.rows else { return Ok(()) };
        let Known { people, arena, is_sound, .. } = *self.sight.known()?;
        let mut are_there = true;
        let are_known = self.people.answer(people, arena, |named, slot| {
            are_there &= is_sound || people.present(slot);
            rows[named].iter_mut().for_each(|row| row.person = slot);
            self.last_person = Some(slot);
        });
        if are_known && are_there { Ok(()) } else { Err(Odd) }
    }

    /// Looks up the classes that the last enrollments name.
    fn classes_named(&mut self) -> Result<(), Odd> {
        let BatchRows::Enrollments(rows) = &mut self.batch.rows else { return Ok(()) };
        let Known { classes, arena, is_sound, .. } = *self.sight.known()?;
        let mut are_there = true;
        let are_known = self.classes.answer(classes, arena, |named, slot| {
            are_there &= is_sound || classes.present(slot);
            rows[named].iter_mut().for_each(|row| row.link.class = ClassIx(slot));
        });
        if are_known && are_there { Ok(()) } else { Err(Odd) }
    }

    fn org(&mut self, id: &str) -> Result<OrgIx, Odd> {
        let Known { orgs, arena, .. } = match self.sight {
            Sight::Known(known) => known,
            Sight::Orgs(orgs) => return orgs.find(id).map(OrgIx).ok_or(Odd),
            Sight::Places(_) => return Err(Odd),
        };
        let last = self.last_org.filter(|&slot| arena.bytes(orgs.id(slot)) == id.as_bytes());
        let slot = last.or_else(|| orgs.find(arena, id).filter(|&slot| orgs.present(slot))).ok_or(Odd)?;
        self.last_org = Some(slot);
        Ok(OrgIx(slot))
    }

    fn school(&mut self, id: &str) -> Result<(), Odd> {
        let Known { orgs, arena, .. } = *self.sight.known()?;
        if self.last_school.is_some_and(|slot| arena.bytes(orgs.id(slot)) == id.as_bytes()) {
            return Ok(());
        }
        let (slot, org) = orgs.look_up(arena, id).ok_or(Odd)?;
        let kind = arena.get(org.kind);
        if kind != "school" && !kind.starts_with("ext:") {
            return Err(Odd);
        }
        self.last_school = Some(slot);
        Ok(())
    }
}
