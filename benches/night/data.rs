//! Writes the nights of a made-up district as OneRoster 1.2.1 folders. Same people, same seed: same bytes.
//!
//! Nothing is kept in memory but the table of schools: every id, name and enrollment is computed from its number, so
//! the second night is the first one with a few numbers treated otherwise. Schools are few huge ones and many small
//! ones, ids are GUIDs in no order, names carry accents and quoted commas.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;

/// Where every random number begins.
const SEED: u64 = 0x005e_ed0f_a11e_a5e5;
/// Enrollments per person.
pub const ENROLLMENTS_EACH: u64 = 7;
/// Subjects; a person is enrolled in one class of each, hence never twice in one class.
const SUBJECTS: [(&str, &str); ENROLLMENTS_EACH as usize] = [
    ("Mathematics", "MAT"),
    ("English", "ENG"),
    ("Science", "SCI"),
    ("History", "HIS"),
    ("Art, Music", "ART"),
    ("Français", "FRA"),
    ("Physical education", "PED"),
];
const GRADES: [&str; 12] = ["01", "02", "03", "04", "05", "06", "07", "08", "09", "10", "11", "12"];
const GIVEN: [&str; 48] = [
    "Ada", "Aiko", "Amélie", "Ana", "Ángel", "Aoife", "Ben", "Björn", "Carla", "Chidi", "Chloë", "Dana", "Elif", "Emeka",
    "Emma", "Fatima", "Femi", "Finn", "Grace", "Hugo", "Ibrahim", "Iván", "Jack", "José", "Kasia", "Kofi", "Leïla", "Liam",
    "Linh", "Łukasz", "Maja", "Mei", "Mohammed", "Ngozi", "Noah", "Omar", "Priya", "Quinn", "Rafał", "Ruth", "Siân", "Søren",
    "Tomás", "Uma", "Wei", "Yara", "Zara", "Zoë",
];
const FAMILY: [&str; 48] = [
    "Abbott",
    "Achebe",
    "Åkesson",
    "Álvarez",
    "Bakker",
    "Baptiste",
    "Brontë",
    "Castro",
    "Chen",
    "Çelik",
    "D'Angelo",
    "Dąbrowski",
    "de la Cruz",
    "Eriksen",
    "Fernández",
    "García",
    "Grey",
    "Haddad",
    "Hughes",
    "Ito",
    "Jensen",
    "Kaya",
    "Khan",
    "Kim",
    "Lefèvre",
    "McKay",
    "Müller",
    "Murphy",
    "Nguyễn",
    "Novák",
    "O'Neill",
    "Okonkwo",
    "Patel",
    "Peña",
    "Reyes",
    "Sato",
    "Silva",
    "Singh",
    "Smith",
    "\"Smith, Jr.\"",
    "Sørensen",
    "Tanaka",
    "\"Thomas, III\"",
    "van der Berg",
    "Wang",
    "Weiß",
    "Wójcik",
    "Żak",
];

const ACADEMIC_SESSIONS: &str = "sourcedId,status,dateLastModified,title,type,startDate,endDate,parentSourcedId,schoolYear";
const ORGS: &str = "sourcedId,status,dateLastModified,name,type,identifier,parentSourcedId";
const COURSES: &str =
    "sourcedId,status,dateLastModified,schoolYearSourcedId,title,courseCode,grades,orgSourcedId,subjects,subjectCodes";
const CLASSES: &str = "sourcedId,status,dateLastModified,title,grades,courseSourcedId,classCode,classType,location,\
                       schoolSourcedId,termSourcedIds,subjects,subjectCodes,periods";
const USERS: &str = "sourcedId,status,dateLastModified,enabledUser,username,userIds,givenName,familyName,middleName,\
                     identifier,email,sms,phone,agentSourcedIds,grades,password,userMasterIdentifier,preferredGivenName,\
                     preferredMiddleName,preferredFamilyName,primaryOrgSourcedId,pronouns";
const ROLES: &str = "sourcedId,status,dateLastModified,userSourcedId,roleType,role,beginDate,endDate,orgSourcedId,\
                     userProfileSourcedId";
const ENROLLMENTS: &str = "sourcedId,status,dateLastModified,classSourcedId,schoolSourcedId,userSourcedId,role,primary,\
                           beginDate,endDate";
const PRESENT: [&str; 7] = ["academicSessions", "classes", "courses", "enrollments", "orgs", "roles", "users"];
const ABSENT: [&str; 14] = [
    "categories",
    "classResources",
    "courseResources",
    "demographics",
    "lineItemLearningObjectiveIds",
    "lineItems",
    "lineItemScoreScales",
    "resources",
    "resultLearningObjectiveIds",
    "results",
    "resultScoreScales",
    "scoreScales",
    "userProfiles",
    "userResources",
];

/// Which night is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Night {
    /// The first.
    First,
    /// The next: 1 % of the people have another name or role, 0.1 % left, 0.1 % are new.
    Changed,
}

/// What was written, and what it asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Rows of `users.csv`.
    pub people: u64,
    /// Rows of `enrollments.csv`.
    pub enrollments: u64,
    /// Rows of `classes.csv`.
    pub classes: u64,
    /// Bytes of all files.
    pub bytes: u64,
    /// People with the role student or teacher: seats of the product `learn`.
    pub learn: u64,
    /// People with a live enrollment: seats of the product `lxp`.
    pub lxp: u64,
    /// People in a grade: seats of the product `reader`.
    pub reader: u64,
    /// People who were not there the night before.
    pub new: u64,
    /// People who were there the night before and are no more.
    pub left: u64,
}

/// Mixes a number well (the finalizer of SplitMix64).
fn mix(number: u64) -> u64 {
    let mut z = number.wrapping_add(SEED).wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// What a number stands for; keeps the numbers of different things apart.
#[derive(Clone, Copy)]
enum Kind {
    Org = 1,
    Course,
    Class,
    Person,
    Role,
    Enrollment,
    Name,
    Fate,
    Session,
}

fn roll(kind: Kind, number: u64) -> u64 {
    mix(mix(kind as u64).wrapping_add(number))
}

/// A GUID of 36 characters.
fn guid(kind: Kind, number: u64) -> [u8; 36] {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let high = roll(kind, number);
    let bytes = (u128::from(high) << 64 | u128::from(mix(high))).to_be_bytes();
    let mut text = [b'-'; 36];
    let mut at = 0;
    for (position, byte) in bytes.into_iter().enumerate() {
        if matches!(position, 4 | 6 | 8 | 10) {
            at += 1;
        }
        text[at] = HEX[usize::from(byte >> 4)];
        text[at + 1] = HEX[usize::from(byte & 15)];
        at += 2;
    }
    text
}

/// The district: which person is in which school.
pub struct District {
    people: u64,
    /// First person of each school, and one past the last of all.
    starts: Vec<u64>,
    /// First class of each school, and one past the last of all.
    classes: Vec<u64>,
}

/// One person of a night.
struct Person {
    number: u64,
    school: usize,
    teacher: bool,
    new: bool,
    renamed: bool,
    other_role: bool,
}

impl District {
    /// A district of so many people, in about one school for 700 of them.
    pub fn of(people: u64) -> Self {
        let schools = (people / 700).max(3);
        let weight = |school: u64| 1_000_000_000 / (school + 20);
        let all: u64 = (0..schools).map(weight).sum();
        let (mut starts, mut classes, mut sum) = (vec![0], vec![0], 0);
        for school in 0..schools {
            sum += weight(school);
            let start = starts[starts.len() - 1];
            let end = u64::try_from(u128::from(people) * u128::from(sum) / u128::from(all)).expect("at most `people`");
            starts.push(end);
            let parallel = ((end - start) / 25).max(1);
            classes.push(classes[classes.len() - 1] + parallel * ENROLLMENTS_EACH);
        }
        Self { people, starts, classes }
    }

    fn schools(&self) -> usize {
        self.starts.len() - 1
    }

    /// How many people come new with [`Night::Changed`]; as many leave, give or take chance.
    fn arrivals(&self) -> u64 {
        self.people / 1000
    }

    /// The class of a person for a subject.
    fn class_of(&self, person: &Person, subject: u64) -> u64 {
        let first = self.classes[person.school];
        let parallel = (self.classes[person.school + 1] - first) / ENROLLMENTS_EACH;
        first + subject * parallel + roll(Kind::Enrollment, person.number * 8 + subject) % parallel
    }

    /// Everybody who is there on a night, and how many left.
    fn each(&self, night: Night, mut visit: impl FnMut(&Person) -> io::Result<()>) -> io::Result<u64> {
        let (mut school, mut left) = (0, 0);
        let count = if night == Night::Changed { self.people + self.arrivals() } else { self.people };
        for number in 0..count {
            let new = number >= self.people;
            if new {
                school = usize::try_from(number - self.people).expect("few") % self.schools();
            } else {
                while number >= self.starts[school + 1] {
                    school += 1;
                }
            }
            // Of a thousand: one leaves, seven change their name, three their role.
            let fate = if night == Night::Changed && !new { roll(Kind::Fate, number) % 1000 } else { 999 };
            if fate == 0 {
                left += 1;
                continue;
            }
            visit(&Person {
                number,
                school,
                teacher: number.is_multiple_of(15),
                new,
                renamed: (1..=7).contains(&fate),
                other_role: (8..=10).contains(&fate),
            })?;
        }
        Ok(left)
    }

    /// Writes one night as a complete package into `folder`, which must not hold another.
    ///
    /// # Errors
    /// As the file system says.
    pub fn write(&self, night: Night, folder: &Path) -> io::Result<Written> {
        fs::create_dir_all(folder)?;
        let mut written = Written::default();
        self.write_small(folder)?;
        self.write_classes(folder, &mut written)?;
        self.write_people(night, folder, &mut written)?;
        self.write_roles(night, folder)?;
        self.write_enrollments(night, folder)?;
        for entry in fs::read_dir(folder)? {
            written.bytes += entry?.metadata()?.len();
        }
        Ok(written)
    }

    fn write_small(&self, folder: &Path) -> io::Result<()> {
        let mut out = create(folder, "manifest", "propertyName,value")?;
        out.write_all(b"manifest.version,1.0\noneroster.version,1.2\n")?;
        for name in PRESENT {
            writeln!(out, "file.{name},bulk")?;
        }
        for name in ABSENT {
            writeln!(out, "file.{name},absent")?;
        }
        out.flush()?;

        let (year, term) = (guid(Kind::Session, 0), guid(Kind::Session, 1));
        let mut out = create(folder, "academicSessions", ACADEMIC_SESSIONS)?;
        row(&mut out, &[&year, b"", b"", b"Open year", b"schoolYear", b"2020-08-01", b"2099-08-01", b"", b"2099"])?;
        row(&mut out, &[&term, b"", b"", b"Open term", b"term", b"2020-08-01", b"2099-08-01", &year, b"2099"])?;
        out.flush()?;

        let mut out = create(folder, "orgs", ORGS)?;
        row(&mut out, &[b"district", b"", b"", b"\"District, made up\"", b"district", b"", b""])?;
        for school in 0..self.schools() as u64 {
            let name = format!("\"School {school}, {}\"", ["Ash", "Birch", "Cedar", "Łąka"][(school % 4) as usize]);
            row(&mut out, &[&guid(Kind::Org, school), b"", b"", name.as_bytes(), b"school", b"", b"district"])?;
        }
        out.flush()?;

        let mut out = create(folder, "courses", COURSES)?;
        for (at, (subject, code)) in (0..).zip(SUBJECTS) {
            let id = guid(Kind::Course, at);
            let subject = format!("\"{}\"", subject.replace(", ", " and "));
            let cells: [&[u8]; 10] = [
                &id,
                b"",
                b"",
                &year,
                subject.as_bytes(),
                code.as_bytes(),
                b"",
                b"district",
                subject.as_bytes(),
                code.as_bytes(),
            ];
            row(&mut out, &cells)?;
        }
        out.flush()
    }

    fn write_classes(&self, folder: &Path, written: &mut Written) -> io::Result<()> {
        let term = guid(Kind::Session, 1);
        let mut out = create(folder, "classes", CLASSES)?;
        for school in 0..self.schools() {
            let school_id = guid(Kind::Org, school as u64);
            let parallel = (self.classes[school + 1] - self.classes[school]) / ENROLLMENTS_EACH;
            for (class, at) in (self.classes[school]..self.classes[school + 1]).zip(0..) {
                let subject = at / parallel;
                let (name, code) = SUBJECTS[subject as usize];
                let title = format!("\"{name}, group {}\"", at % parallel);
                let cells: [&[u8]; 14] = [
                    &guid(Kind::Class, class),
                    b"",
                    b"",
                    title.as_bytes(),
                    GRADES[(class % 12) as usize].as_bytes(),
                    &guid(Kind::Course, subject),
                    code.as_bytes(),
                    b"scheduled",
                    b"",
                    &school_id,
                    &term,
                    b"",
                    code.as_bytes(),
                    b"",
                ];
                row(&mut out, &cells)?;
                written.classes += 1;
            }
        }
        out.flush()
    }

    fn write_people(&self, night: Night, folder: &Path, written: &mut Written) -> io::Result<()> {
        let mut out = create(folder, "users", USERS)?;
        let left = self.each(night, |person| {
            let name = roll(Kind::Name, person.number);
            let given = GIVEN[(name % 48) as usize];
            let family = FAMILY[((name >> 8) + u64::from(person.renamed)) as usize % 48];
            let login = format!("user{}", person.number);
            let mail = format!("user{}@district.example", person.number);
            let grade = grade(person);
            let cells: [&[u8]; 22] = [
                &guid(Kind::Person, person.number),
                b"",
                b"",
                b"true",
                login.as_bytes(),
                b"",
                given.as_bytes(),
                family.as_bytes(),
                b"",
                &login.as_bytes()[4..],
                mail.as_bytes(),
                b"",
                b"",
                b"",
                grade.as_bytes(),
                b"",
                b"",
                b"",
                b"",
                b"",
                &guid(Kind::Org, person.school as u64),
                b"",
            ];
            row(&mut out, &cells)?;
            written.people += 1;
            written.enrollments += ENROLLMENTS_EACH;
            written.learn += u64::from(role(person) != "aide");
            written.lxp += u64::from((0..ENROLLMENTS_EACH).any(|subject| dates(person, subject).1.is_empty()));
            written.reader += u64::from(!grade.is_empty());
            written.new += u64::from(person.new);
            Ok(())
        })?;
        written.left = left;
        out.flush()
    }

    fn write_roles(&self, night: Night, folder: &Path) -> io::Result<()> {
        let mut out = create(folder, "roles", ROLES)?;
        self.each(night, |person| {
            let id = guid(Kind::Role, person.number);
            let user = guid(Kind::Person, person.number);
            let school = guid(Kind::Org, person.school as u64);
            row(&mut out, &[&id, b"", b"", &user, b"primary", role(person).as_bytes(), b"", b"", &school, b""])
        })?;
        out.flush()
    }

    fn write_enrollments(&self, night: Night, folder: &Path) -> io::Result<()> {
        let mut out = create(folder, "enrollments", ENROLLMENTS)?;
        self.each(night, |person| {
            let user = guid(Kind::Person, person.number);
            let school = guid(Kind::Org, person.school as u64);
            let role: &[u8] = if person.teacher { b"teacher" } else { b"student" };
            for subject in 0..ENROLLMENTS_EACH {
                let id = guid(Kind::Enrollment, person.number * 8 + subject);
                let class = guid(Kind::Class, self.class_of(person, subject));
                let (begin, end) = dates(person, subject);
                row(&mut out, &[&id, b"", b"", &class, &school, &user, role, b"", begin.as_bytes(), end.as_bytes()])?;
            }
            Ok(())
        })?;
        out.flush()
    }
}

fn role(person: &Person) -> &'static str {
    match person {
        Person { other_role: true, .. } => "aide",
        Person { teacher: true, .. } => "teacher",
        _ => "student",
    }
}

fn grade(person: &Person) -> &'static str {
    if person.teacher { "" } else { GRADES[(person.number % 12) as usize] }
}

/// Begin and end of an enrollment. One person in fifty has only expired ones, of the others one enrollment in seven.
fn dates(person: &Person, subject: u64) -> (&'static str, &'static str) {
    let expired = person.number % 50 == 7 || (person.number + subject).is_multiple_of(7);
    if expired {
        ("2023-08-01", "2024-06-20")
    } else if subject == 3 {
        ("2024-08-01", "")
    } else {
        ("", "")
    }
}

fn create(folder: &Path, name: &str, header: &str) -> io::Result<BufWriter<File>> {
    let mut out = BufWriter::with_capacity(1 << 20, File::create(folder.join(format!("{name}.csv")))?);
    writeln!(out, "{header}")?;
    Ok(out)
}

/// Writes one row whose cells are already quoted where they need it.
fn row(out: &mut impl Write, cells: &[&[u8]]) -> io::Result<()> {
    for (at, cell) in cells.iter().enumerate() {
        if at > 0 {
            out.write_all(b",")?;
        }
        out.write_all(cell)?;
    }
    out.write_all(b"\n")
}

/// The settings of no customer in particular.
pub fn head() -> String {
    "[store]\nkind = \"sqlite\"\npath = \"rosterd.db\"\n\n[guard]\nbootstrap_approval = false\n".to_owned()
}

/// The settings of one customer, whose packages are dropped into a folder.
pub fn customer(id: &str, drop_folder: &str, people: u64) -> String {
    let seats = people + people / 10;
    let mut text = format!(
        r#"
[[customer]]
id = "{id}"
name = "District {id}"
time_zone = "UTC"
nightly = "30 2 * * *"

[[customer.source]]
id = "sis"
kind = "oneroster_csv"
path = "{drop_folder}"
drop = true
settle_secs = 0
"#,
    );
    let products = [
        ("learn", "role", r#"{ role = ["student", "teacher"] }"#),
        ("lxp", "active_user", "{ live_enrollment = true }"),
        ("reader", "role", r#"{ grade = ["01", "02", "03", "04", "05", "06", "07", "08", "09", "10", "11", "12"] }"#),
    ];
    for (id, seat_model, when) in products {
        text.push_str(&format!(
            r#"
[[customer.product]]
id = "{id}"
kind = "module"
seat_model = "{seat_model}"

[[customer.pool]]
id = "{id}"
product = "{id}"
owner = "district"
on_full = "wait"

[[customer.pool.grant]]
id = "{id}-1"
seats = {seats}
from = "2020-08-01"
kind = "purchase"
reference = "bench"

[[customer.rule]]
id = "{id}"
product = "{id}"
when = {when}
"#
        ));
    }
    text
}
