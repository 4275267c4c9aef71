//! Records to rows, from complete collections on the shelf into the intake.

use crate::roster::{
    ClassRow, Collection, CourseRow, EnrollmentRow, Finding, InlineRole, Level, Mode, OrgRow, PersonRow, RoleRow, RosterIntake,
    RowAt, RowHead, RowStatus, SessionRow,
};
use crate::source::oneroster::endpoint::Endpoint;
use crate::source::oneroster::page::each_record;
use crate::source::oneroster::parse::{
    Fault, Read, boolean_if_any, fault, head, id_if_any, is_id, reference, reference_if_any, references, required, span, word,
    words,
};
use crate::source::oneroster::settings::{ReadSettings, RestVersion};
use crate::source::oneroster::wire::{
    ClassWire, CourseWire, EnrollmentWire, Loose, OrgWire, Prefix, Ref, RoleWire, SessionWire, UserWire,
};

/// A record with its ids as they are told from those of other tenants.
macro_rules! told {
    ($wire:ident, $prefix:ident) => {{
        let mut wire = $wire;
        if !$prefix.is_empty() {
            wire.id.put_before($prefix);
            wire.prefix($prefix);
        }
        wire
    }};
}

/// A person has fewer roles than this: their places among them serve as the ids that roles have not on the wire.
const ROLES_MAX: usize = 64;

const ORG_TYPES: [&str; 6] = ["school", "department", "district", "local", "state", "national"];
const SESSION_TYPES: [&str; 4] = ["term", "semester", "gradingPeriod", "schoolYear"];
const CLASS_TYPES: [&str; 2] = ["scheduled", "homeroom"];
const ROLES: [&str; 13] = [
    "student",
    "teacher",
    "administrator",
    "aide",
    "counselor",
    "districtAdministrator",
    "guardian",
    "parent",
    "principal",
    "proctor",
    "relative",
    "siteAdministrator",
    "systemAdministrator",
];

/// Hands records on.
pub(crate) struct Feed<'a> {
    pub(crate) settings: &'a ReadSettings,
    pub(crate) version: RestVersion,
    pub(crate) mode: Mode,
    pub(crate) intake: &'a mut RosterIntake,
    /// E-mail addresses are not the real ones (classlink §6).
    pub(crate) leaves_mail_out: bool,
    row: u64,
    buffers: [String; 4],
    /// Fields in which a word that the standard has not was told already.
    odd_words: Vec<(Endpoint, &'static str)>,
}

impl<'a> Feed<'a> {
    pub(crate) fn new(settings: &'a ReadSettings, version: RestVersion, mode: Mode, intake: &'a mut RosterIntake) -> Self {
        let leaves_mail_out = false;
        Self { settings, version, mode, intake, leaves_mail_out, row: 0, buffers: Default::default(), odd_words: Vec::new() }
    }

    /// Begins a collection, and counts its records from 1.
    pub(crate) fn begin(&mut self, collection: Collection) {
        self.intake.begin(collection, self.mode);
        self.row = 0;
    }

    /// Hands on the records of one page.
    ///
    /// # Errors
    /// When the page is not what it was when it was kept.
    pub(crate) fn page(&mut self, endpoint: Endpoint, collection: Collection, body: &str) -> Result<(), serde_json::Error> {
        let key = endpoint.word();
        let prefix = self.settings.id_prefix.as_str();
        match (endpoint, collection) {
            (Endpoint::Orgs, _) => each_record(body, key, &mut |wire: OrgWire<'_>| self.org(&told!(wire, prefix))),
            (Endpoint::Sessions, _) => each_record(body, key, &mut |wire: SessionWire<'_>| self.session(&told!(wire, prefix))),
            (Endpoint::Courses, _) => each_record(body, key, &mut |wire: CourseWire<'_>| self.course(&told!(wire, prefix))),
            (Endpoint::Classes, _) => each_record(body, key, &mut |wire: ClassWire<'_>| self.class(&told!(wire, prefix))),
            (Endpoint::Users, Collection::Roles) => {
                each_record(body, key, &mut |wire: UserWire<'_>| self.roles(&told!(wire, prefix)))
            }
            (Endpoint::Users, _) => each_record(body, key, &mut |wire: UserWire<'_>| self.user(&told!(wire, prefix))),
            (Endpoint::Enrollments, _) => {
                each_record(body, key, &mut |wire: EnrollmentWire<'_>| self.enrollment(&told!(wire, prefix)))
            }
        }
        .map(|_| ())
    }

    fn next(&mut self, endpoint: Endpoint) -> RowAt {
        self.row += 1;
        RowAt { file: endpoint.word(), row: self.row }
    }

    #[cold]
    fn quarantine(&mut self, collection: Collection, at: RowAt, id: &Loose<'_>, person: Option<&str>, fault: Fault) {
        let id = id.text().filter(|id| is_id(id));
        self.intake.quarantine(collection, at, id, person.filter(|person| is_id(person)), fault.of(at, id));
    }

    /// A word as the standard writes it. One that it has not is told once per field and kept (oneroster-rest §5.8).
    fn word<'w>(&mut self, endpoint: Endpoint, field: &'static str, value: &'w str, known: &[&'static str]) -> &'w str {
        let (text, is_known) = word(value, known);
        if !is_known && !self.odd_words.contains(&(endpoint, field)) {
            self.odd_words.push((endpoint, field));
            self.intake.warn(Finding {
                level: Level::Warning,
                rule: "bad_enum",
                file: endpoint.word().to_owned(),
                row: self.row,
                record: String::new(),
                field: field.to_owned(),
                detail: "a word that the standard has not; it is kept as it is".to_owned(),
            });
        }
        text
    }

    fn org(&mut self, wire: &OrgWire<'_>) {
        let at = self.next(Endpoint::Orgs);
        let read = || -> Read<_> {
            let head = head(at, &wire.id, &wire.status, &wire.modified)?;
            let (name, kind) = (required("name", &wire.name)?, required("type", &wire.kind)?);
            Ok((head, name, kind, reference_if_any("parent", &wire.parent)?))
        };
        match read() {
            Ok((head, name, kind, parent)) => {
                let kind = self.word(Endpoint::Orgs, "type", kind, &ORG_TYPES);
                self.intake.org(&OrgRow { head, name, kind, identifier: wire.identifier.or_empty(), parent });
            }
            Err(fault) => self.quarantine(Collection::Orgs, at, &wire.id, None, *fault),
        }
    }

    fn session(&mut self, wire: &SessionWire<'_>) {
        let at = self.next(Endpoint::Sessions);
        let read = || -> Read<_> {
            let head = head(at, &wire.id, &wire.status, &wire.modified)?;
            let (title, kind) = (required("title", &wire.title)?, required("type", &wire.kind)?);
            required("startDate", &wire.begin)?;
            required("endDate", &wire.end)?;
            let days = span(("startDate", &wire.begin), ("endDate", &wire.end))?;
            Ok((head, title, kind, days, reference_if_any("parent", &wire.parent)?))
        };
        match read() {
            Ok((head, title, kind, (first, last), parent)) => {
                let kind = self.word(Endpoint::Sessions, "type", kind, &SESSION_TYPES);
                self.intake.session(&SessionRow { head, title, kind, first, last, parent });
            }
            Err(fault) => self.quarantine(Collection::Sessions, at, &wire.id, None, *fault),
        }
    }

    fn course(&mut self, wire: &CourseWire<'_>) {
        let at = self.next(Endpoint::Courses);
        let read = || -> Read<_> {
            let head = head(at, &wire.id, &wire.status, &wire.modified)?;
            let title = required("title", &wire.title)?;
            Ok((head, title, reference_if_any("schoolYear", &wire.year)?, reference("org", &wire.org)?))
        };
        match read() {
            Ok((head, title, school_year, org)) => {
                let [grades, subjects, subject_codes, _] = &mut self.buffers;
                self.intake.course(&CourseRow {
                    head,
                    title,
                    code: wire.code.or_empty(),
                    school_year,
                    org,
                    grades: words(&wire.grades, grades),
                    subjects: words(&wire.subjects, subjects),
                    subject_codes: words(&wire.subject_codes, subject_codes),
                });
            }
            Err(fault) => self.quarantine(Collection::Courses, at, &wire.id, None, *fault),
        }
    }

    fn class(&mut self, wire: &ClassWire<'_>) {
        let at = self.next(Endpoint::Classes);
        let kind = wire.kind.text().unwrap_or("scheduled");
        let kind = self.word(Endpoint::Classes, "classType", kind, &CLASS_TYPES);
        let [grades, subjects, subject_codes, sessions] = &mut self.buffers;
        let sessions = references("terms", &wire.terms, sessions);
        let read = || -> Read<_> {
            let head = head(at, &wire.id, &wire.status, &wire.modified)?;
            let title = required("title", &wire.title)?;
            let course = reference_if_any("course", &wire.course)?;
            if course.is_none() && !self.settings.courses_optional {
                return Err(fault("required_blank", "course", "a reference with a sourcedId is required"));
            }
            let school = reference("school", &wire.school)?;
            let sessions = sessions?;
            if sessions.is_empty() {
                return Err(fault("required_blank", "terms", "at least one term is required"));
            }
            Ok((head, title, course, school, sessions))
        };
        match read() {
            Ok((head, title, course, school, sessions)) => self.intake.class(&ClassRow {
                head,
                title,
                kind,
                code: wire.code.or_empty(),
                course,
                school,
                sessions,
                grades: words(&wire.grades, grades),
                subjects: words(&wire.subjects, subjects),
                subject_codes: words(&wire.subject_codes, subject_codes),
            }),
            Err(fault) => self.quarantine(Collection::Classes, at, &wire.id, None, *fault),
        }
    }

    fn user(&mut self, wire: &UserWire<'_>) {
        let at = self.next(Endpoint::Users);
        let inline = self.version == RestVersion::V1_1;
        let role = match wire.role.text() {
            Some(role) if inline => self.word(Endpoint::Users, "role", role, &ROLES),
            Some(_) | None => "",
        };
        let read = || -> Read<_> {
            let head = head(at, &wire.id, &wire.status, &wire.modified)?;
            let enabled = boolean_if_any("enabledUser", &wire.enabled)?.unwrap_or(true);
            let primary_org = reference_if_any("primaryOrg", &wire.primary_org)?;
            let mut roles = Vec::new();
            if inline && head.status == RowStatus::Active {
                if role.is_empty() {
                    return Err(fault("required_blank", "role", "a role is required"));
                }
                if wire.orgs.0.is_empty() {
                    return Err(fault("required_blank", "orgs", "at least one org is required"));
                }
                for org in &wire.orgs.0 {
                    roles.push(InlineRole { role, org: reference("orgs", org)? });
                }
            }
            Ok((head, enabled, primary_org, roles))
        };
        let keep = &self.settings.keep_metadata;
        let kept = |name: &str| keep.iter().find(|full| full.strip_prefix("metadata.") == Some(name)).map(String::as_str);
        let attributes: Vec<(&str, &str)> =
            wire.metadata.0.iter().filter_map(|(name, value)| Some((kept(name)?, value.text()?))).collect();
        match read() {
            Ok((head, enabled, primary_org, roles)) => self.intake.person(&PersonRow {
                head,
                enabled,
                given: wire.given.or_empty(),
                family: wire.family.or_empty(),
                email: if self.leaves_mail_out { "" } else { wire.email.or_empty() },
                username: wire.username.or_empty(),
                identifier: wire.identifier.or_empty(),
                grades: words(&wire.grades, &mut self.buffers[0]),
                primary_org,
                roles: &roles,
                attributes: &attributes,
            }),
            Err(fault) => self.quarantine(Collection::People, at, &wire.id, wire.id.text(), *fault),
        }
    }

    /// The roles of a user in 1.2. Their ids are the user's with their places in an order of their own, so that a full read
    /// and a read of changes name them alike; in a read of changes the places behind the last role are ended.
    fn roles(&mut self, wire: &UserWire<'_>) {
        let at = self.next(Endpoint::Users);
        let user = id_if_any("sourcedId", &wire.id).ok().flatten();
        // A user that cannot be used was told with the users.
        let Ok(user_head) = head(at, &wire.id, &wire.status, &wire.modified) else { return };
        let ends = user_head.status == RowStatus::Ended;
        let mut told: Vec<&RoleWire<'_>> = if ends { Vec::new() } else { wire.roles.0.iter().collect() };
        // Some servers of 1.2 still speak as in 1.1.
        let spare: Vec<RoleWire<'_>> = if told.is_empty() && !ends { old_roles(wire) } else { Vec::new() };
        told.extend(&spare);
        told.sort_by_key(|role| (role.org.0.or_empty(), role.role.or_empty(), role.begin.or_empty(), role.end.or_empty()));
        if told.len() >= ROLES_MAX || (told.is_empty() && !ends) {
            let fault = if told.is_empty() {
                fault("required_blank", "roles", "at least one role is required")
            } else {
                fault("bad_list", "roles", format!("{} roles, fewer than {ROLES_MAX} are expected", told.len()))
            };
            // Without an id of its own: whatever is stored of this person's roles stays.
            self.quarantine(Collection::Roles, at, &Loose::Absent, user, *fault);
            return;
        }
        for (place, role) in told.iter().enumerate() {
            let id = format!("{}\u{0}{place}", user_head.id);
            if let Err(fault) = self.role(RowHead { id: &id, ..user_head }, role) {
                self.quarantine(Collection::Roles, at, &Loose::Absent, user, *fault);
            }
        }
        if self.mode == Mode::Changes {
            for place in told.len()..ROLES_MAX {
                let id = format!("{}\u{0}{place}", user_head.id);
                let head = RowHead { id: &id, status: RowStatus::Ended, ..user_head };
                let (first, last) = (crate::base::Day::MIN, crate::base::Day::MAX);
                self.intake.role(&RoleRow { head, person: user_head.id, role: "", org: "", primary: false, first, last });
            }
        }
    }

    fn role(&mut self, head: RowHead<'_>, wire: &RoleWire<'_>) -> Read<()> {
        let role = required("role", &wire.role)?;
        let org = reference("org", &wire.org)?;
        let primary = match wire.kind.text() {
            Some(kind) if kind.eq_ignore_ascii_case("primary") => true,
            Some(kind) if kind.eq_ignore_ascii_case("secondary") => false,
            None => false,
            Some(_) => return Err(fault("bad_enum", "roleType", "expected `primary` or `secondary`")),
        };
        let (first, last) = span(("beginDate", &wire.begin), ("endDate", &wire.end))?;
        let role = self.word(Endpoint::Users, "roles", role, &ROLES);
        let person = head.id.split('\u{0}').next().unwrap_or_default();
        self.intake.role(&RoleRow { head, person, role, org, primary, first, last });
        Ok(())
    }

    fn enrollment(&mut self, wire: &EnrollmentWire<'_>) {
        let at = self.next(Endpoint::Enrollments);
        let read = || -> Read<_> {
            let head = head(at, &wire.id, &wire.status, &wire.modified)?;
            let (person, class) = (reference("user", &wire.user)?, reference("class", &wire.class)?);
            let school = reference_if_any("school", &wire.school)?.unwrap_or_default();
            let role = required("role", &wire.role)?;
            let primary = boolean_if_any("primary", &wire.primary)?.unwrap_or(false);
            let days = span(("beginDate", &wire.begin), ("endDate", &wire.end))?;
            Ok((head, person, class, school, role, primary, days))
        };
        match read() {
            Ok((head, person, class, school, role, primary, (first, last))) => {
                let role = self.word(Endpoint::Enrollments, "role", role, &ROLES);
                self.intake.enrollment(&EnrollmentRow { head, person, class, school, role, primary, first, last });
            }
            Err(fault) => self.quarantine(Collection::Enrollments, at, &wire.id, wire.user.0.text(), *fault),
        }
    }
}

/// One role in every org, as 1.1 has it.
fn old_roles<'w>(wire: &'w UserWire<'_>) -> Vec<RoleWire<'w>> {
    let copy = |text: &'w Loose<'_>| text.text().map_or(Loose::Absent, |text| Loose::Text(text.into()));
    if wire.role.text().is_none() {
        return Vec::new();
    }
    let orgs = wire.orgs.0.iter();
    orgs.map(|org| RoleWire { role: copy(&wire.role), org: Ref(copy(&org.0)), ..RoleWire::default() }).collect()
}
