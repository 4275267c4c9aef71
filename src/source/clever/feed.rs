//! Records to rows, from complete lists on the shelf into the intake.

use std::collections::BTreeSet;

use crate::base::{Day, Instant};
use crate::roster::{
    ClassRow, Collection, CourseRow, EnrollmentRow, Finding, Level, Mode, OrgRow, PersonRow, RoleRow, RosterIntake, RowAt,
    RowHead, RowStatus, SessionRow,
};
use crate::source::clever::people::{Held, Who, grade, roles_of, who};
use crate::source::clever::settings::StaffRole;
use crate::source::clever::wire::{CourseWire, RoleWire, SchoolWire, SectionWire, TermWire, UserWire};
use crate::source::oneroster::{Fault, Loose, fault, id, is_id, modified};

/// A person has fewer roles than this: their places among them serve as the ids that roles have not on the wire.
const ROLES_MAX: usize = 64;

/// Somebody of a section: whether they teach there, and their id.
pub(crate) type Member = (bool, String);

/// The members of a section, sorted, each once.
pub(crate) fn members<'w>(section: &'w SectionWire<'_>) -> Vec<(bool, &'w str)> {
    let teachers = section.teachers.0.iter().chain([&section.teacher]).map(|one| (true, one));
    let all = section.students.0.iter().map(|one| (false, one)).chain(teachers);
    let mut members: Vec<(bool, &str)> = all.filter_map(|(teaches, one)| Some((teaches, one.text()?))).collect();
    members.sort_unstable();
    members.dedup();
    members
}

/// Hands rows to an intake.
pub(crate) struct Feed<'a> {
    pub(crate) intake: &'a mut RosterIntake,
    district: &'a str,
    staff: StaffRole,
    mode: Mode,
    file: &'static str,
    row: u64,
    /// What is named and not shared, by what it is.
    strangers: [(&'static str, u64); 4],
    text: String,
}

type Read<T> = Result<T, Box<Fault>>;

impl<'a> Feed<'a> {
    pub(crate) fn new(intake: &'a mut RosterIntake, district: &'a str, staff: StaffRole, mode: Mode) -> Self {
        let strangers = [("users", 0), ("schools", 0), ("terms", 0), ("courses", 0)];
        Self { intake, district, staff, mode, file: "", row: 0, strangers, text: String::new() }
    }

    /// Begins a collection, whose records lie in this list.
    pub(crate) fn begin(&mut self, collection: Collection, file: &'static str) {
        self.intake.begin(collection, self.mode);
        (self.file, self.row) = (file, 0);
    }

    /// Tells what was named and is not shared: not shared with us is not gone.
    pub(crate) fn finish(self) {
        for (what, count) in self.strangers.into_iter().filter(|(_, count)| *count > 0) {
            self.intake.warn(Finding {
                level: Level::Warning,
                rule: "not_shared",
                file: self.file.to_owned(),
                row: 0,
                record: String::new(),
                field: what.to_owned(),
                detail: format!("{count} {what} are named and not shared; they are left out"),
            });
        }
    }

    fn next(&mut self) -> RowAt {
        self.row += 1;
        RowAt { file: self.file, row: self.row }
    }

    fn head<'h>(at: RowAt, id: &'h str) -> RowHead<'h> {
        RowHead { at, id, status: RowStatus::Active, modified: None }
    }

    #[cold]
    fn quarantine(&mut self, collection: Collection, at: RowAt, id: &Loose<'_>, person: Option<&str>, fault: Fault) {
        let id = id.text().filter(|id| is_id(id));
        // A role has no id of its own: whatever is stored of this person's roles stays.
        let own = id.filter(|_| collection != Collection::Roles);
        self.intake.quarantine(collection, at, own, person.filter(|person| is_id(person)), fault.of(at, id));
    }

    /// An id, if a record of it is known; else it is counted among the strangers.
    fn known<'w>(&mut self, collection: Collection, stranger: usize, value: &'w Loose<'_>) -> Option<&'w str> {
        let id = value.text().filter(|id| is_id(id))?;
        let knows = self.intake.knows(collection, id);
        self.strangers[stranger].1 += u64::from(!knows);
        knows.then_some(id)
    }

    /// The district itself, above all schools.
    pub(crate) fn district(&mut self, name: &str) {
        let at = self.next();
        let name = if name.is_empty() { self.district } else { name };
        let row = OrgRow { head: Self::head(at, self.district), name, kind: "district", identifier: "", parent: None };
        self.intake.org(&row);
    }

    pub(crate) fn school(&mut self, wire: &SchoolWire<'_>) {
        let at = self.next();
        match id("id", &wire.id) {
            Ok(id) => self.intake.org(&OrgRow {
                head: Self::head(at, id),
                name: wire.name.text().unwrap_or(id),
                kind: "school",
                identifier: wire.number.text().unwrap_or(wire.sis_id.or_empty()),
                parent: Some(self.district),
            }),
            Err(fault) => self.quarantine(Collection::Orgs, at, &wire.id, None, *fault),
        }
    }

    pub(crate) fn term(&mut self, wire: &TermWire<'_>) {
        let at = self.next();
        let read = || -> Read<_> {
            let (first, last) = (day("start_date", &wire.start)?, day("end_date", &wire.end)?);
            let (first, last) = (first.unwrap_or(Day::MIN), last.unwrap_or(Day::MAX));
            if last < first {
                return Err(fault("bad_date", "end_date", "the end lies before the start"));
            }
            Ok((id("id", &wire.id)?, first, last))
        };
        match read() {
            Ok((id, first, last)) => {
                let (head, title) = (Self::head(at, id), wire.name.text().unwrap_or(id));
                self.intake.session(&SessionRow { head, title, kind: "term", first, last, parent: None });
            }
            Err(fault) => self.quarantine(Collection::Sessions, at, &wire.id, None, *fault),
        }
    }

    pub(crate) fn course(&mut self, wire: &CourseWire<'_>) {
        let at = self.next();
        match id("id", &wire.id) {
            Ok(id) => self.intake.course(&CourseRow {
                head: Self::head(at, id),
                title: wire.name.text().unwrap_or(id),
                code: wire.number.or_empty(),
                school_year: None,
                org: self.district,
                grades: "",
                subjects: "",
                subject_codes: "",
            }),
            Err(fault) => self.quarantine(Collection::Courses, at, &wire.id, None, *fault),
        }
    }

    /// A section as a class; its members come later.
    pub(crate) fn class(&mut self, wire: &SectionWire<'_>) {
        let at = self.next();
        let sessions = self.known(Collection::Sessions, 2, &wire.term).unwrap_or_default();
        let course = self.known(Collection::Courses, 3, &wire.course);
        let read = || -> Read<_> { Ok((id("id", &wire.id)?, id("school", &wire.school)?)) };
        match read() {
            Ok((id, school)) => self.intake.class(&ClassRow {
                head: Self::head(at, id),
                title: wire.name.text().or(wire.number.text()).unwrap_or(id),
                kind: if wire.subject.text() == Some("homeroom/advisory") { "homeroom" } else { "scheduled" },
                code: wire.number.or_empty(),
                course,
                school,
                sessions,
                grades: grade(wire.grade.or_empty()),
                subjects: wire.subject.or_empty(),
                subject_codes: "",
            }),
            Err(fault) => self.quarantine(Collection::Classes, at, &wire.id, None, *fault),
        }
    }

    /// A user as a person, unless they are a contact.
    pub(crate) fn person(&mut self, wire: &UserWire<'_>) {
        let held = match self.who(wire) {
            Some(Ok(held)) => held,
            None => return,
            Some(Err(fault)) => {
                let at = self.next();
                return self.quarantine(Collection::People, at, &wire.id, wire.id.text(), *fault);
            }
        };
        let at = self.next();
        let name = wire.name.0.as_ref();
        let first = |field: fn(&RoleWire<'_>) -> Option<String>| roles_of(wire).find_map(field).unwrap_or_default();
        let number = |role: &RoleWire<'_>| {
            let numbers = [&role.student_number, &role.teacher_number, &role.staff_id, &role.sis_id];
            numbers.into_iter().find_map(|number| number.text()).map(str::to_owned)
        };
        let main = roles_of(wire).find_map(|role| role.school.text());
        let home = held.iter().find(|held| Some(held.org) == main).or(held.iter().find(|held| held.primary));
        match id("id", &wire.id) {
            Ok(id) => self.intake.person(&PersonRow {
                head: Self::head(at, id),
                enabled: true,
                given: name.map_or("", |name| name.first.or_empty()),
                family: name.map_or("", |name| name.last.or_empty()),
                email: wire.email.or_empty(),
                username: &first(|role| role.credentials.0.as_ref()?.username.text().map(str::to_owned)),
                identifier: &first(number),
                grades: &first(|role| role.grade.text().map(|word| grade(word).to_owned())),
                primary_org: home.map(|held| held.org),
                roles: &[],
                attributes: &[],
            }),
            Err(fault) => self.quarantine(Collection::People, at, &wire.id, None, *fault),
        }
    }

    /// The roles of a user. In a read of changes the places behind the last role are ended.
    pub(crate) fn roles(&mut self, wire: &UserWire<'_>) {
        let before = self.strangers[1].1;
        let who = self.who(wire);
        // They were counted with the people.
        self.strangers[1].1 = before;
        let (Ok(user), Some(Ok(held))) = (id("id", &wire.id), who) else { return };
        let at = self.next();
        if held.len() >= ROLES_MAX {
            let fault = fault("bad_list", "roles", format!("{} roles, fewer than {ROLES_MAX} are expected", held.len()));
            return self.quarantine(Collection::Roles, at, &wire.id, Some(user), *fault);
        }
        for (place, Held { org, role, primary }) in held.iter().enumerate() {
            let id = format!("{user}\u{0}{place}");
            let (head, first, last) = (Self::head(at, &id), Day::MIN, Day::MAX);
            self.intake.role(&RoleRow { head, person: user, role, org, primary: *primary, first, last });
        }
        if self.mode == Mode::Changes {
            for place in held.len()..ROLES_MAX {
                let id = format!("{user}\u{0}{place}");
                let head = RowHead { status: RowStatus::Ended, ..Self::head(at, &id) };
                let (first, last) = (Day::MIN, Day::MAX);
                self.intake.role(&RoleRow { head, person: user, role: "", org: "", primary: false, first, last });
            }
        }
    }

    /// `None`: nobody of the roster.
    fn who<'w>(&mut self, wire: &'w UserWire<'_>) -> Option<Read<Vec<Held<'w>>>>
    where
        'a: 'w,
    {
        let (district, staff, intake) = (self.district, self.staff, &*self.intake);
        match who(wire, district, staff, &|org| is_id(org) && intake.knows(Collection::Orgs, org)) {
            Who::Contact => None,
            Who::Unknown => Some(Err(fault("required_blank", "roles", "at least one role is required"))),
            Who::Person(held, strange) => {
                self.strangers[1].1 += strange;
                Some(Ok(held))
            }
        }
    }

    /// The enrollments of a section; in a read of changes also the ends of those who were in it before.
    pub(crate) fn enrollments(&mut self, wire: &SectionWire<'_>, before: Option<&BTreeSet<Member>>) {
        let section = match id("id", &wire.id) {
            Ok(section) => section,
            Err(fault) => {
                let at = self.next();
                return self.quarantine(Collection::Enrollments, at, &wire.id, None, *fault);
            }
        };
        let now = members(wire);
        for &(teaches, user) in &now {
            if !is_id(user) || !self.intake.knows(Collection::People, user) {
                self.strangers[0].1 += 1;
                continue;
            }
            self.enrollment((section, teaches, user), RowStatus::Active, wire.teacher.text() == Some(user));
        }
        for (teaches, user) in before.into_iter().flatten() {
            if now.binary_search(&(*teaches, user)).is_err() && is_id(user) {
                self.enrollment((section, *teaches, user), RowStatus::Ended, false);
            }
        }
    }

    fn enrollment(&mut self, (section, teaches, user): (&str, bool, &str), status: RowStatus, is_first: bool) {
        let at = self.next();
        let (kind, role) = if teaches { ("\u{0}t\u{0}", "teacher") } else { ("\u{0}s\u{0}", "student") };
        self.text.clear();
        [section, kind, user].into_iter().for_each(|part| self.text.push_str(part));
        self.intake.enrollment(&EnrollmentRow {
            head: RowHead { status, ..Self::head(at, &self.text) },
            person: user,
            class: section,
            school: "",
            role,
            primary: teaches && is_first,
            first: Day::MIN,
            last: Day::MAX,
        });
    }
}

/// The date of a moment as Clever tells it.
fn day(field: &'static str, value: &Loose<'_>) -> Read<Option<Day>> {
    let wrong = || fault("bad_date", field, "expected YYYY-MM-DD");
    let at: Option<Instant> = modified(value).map_err(|_| wrong())?;
    Ok(at.map(|at| Day(i32::try_from(at.0.div_euclid(86_400_000)).unwrap_or(i32::MAX))))
}
