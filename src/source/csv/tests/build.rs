//! Builds small packages and records what comes out of them.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::Path;

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::base::SourceId;
use crate::roster::{
    ClassRow, Collection, CourseRow, EnrollmentRow, Finding, Level, Mode, OrgRow, PersonRow, RoleRow, RowAt, RowHead,
    RowStatus, SessionRow,
};
use crate::source::api::{Package, RosterSource, Seen, SourceError};
use crate::source::csv::files::{CsvVersion, FileKind};
use crate::source::csv::settings::{CsvSourceSettings, DropKind};
use crate::source::csv::sink::RowSink;
use crate::source::csv::source::CsvSource;

pub(crate) const USERS_1_1: &str = "sourcedId,status,dateLastModified,enabledUser,orgSourcedIds,role,username,userIds,\
    givenName,familyName,middleName,identifier,email,sms,phone,agentSourcedIds,grades,password";
pub(crate) const USERS_1_2_0: &str = "sourcedId,status,dateLastModified,enabledUser,username,userIds,givenName,familyName,\
    middleName,identifier,email,sms,phone,agentSourcedIds,grades,password,userMasterIdentifier,resourceSourcedIds,\
    preferredGivenName,preferredMiddleName,preferredFamilyName,primaryOrgSourcedId,pronouns";

/// A package in the making: a small sound district, one thing of which a test changes.
#[derive(Clone)]
pub(crate) struct PackageBuilder {
    version: CsvVersion,
    files: BTreeMap<String, Vec<u8>>,
    modes: BTreeMap<String, String>,
    has_manifest: bool,
}

impl PackageBuilder {
    /// A sound 1.1 package.
    pub(crate) fn v1_1() -> Self {
        let users = format!(
            "{USERS_1_1}\nana,,,true,\"s1, s2\",student,ana1,{{LDAP:ana}},Ana,Alto,M,n-1,ana@x.example,SMS-SECRET,PHONE-SECRET,,\"5, 6\",PASSWORD-SECRET\n\
             tom,,,false,s1,teacher,tom1,,Tom,\"O\"\"Tal\",,,,,,,,\n"
        );
        Self::common(CsvVersion::V1_1).set("users", &users)
    }

    /// A sound 1.2 package with the users header of 1.2.0.
    pub(crate) fn v1_2() -> Self {
        let users = format!(
            "{USERS_1_2_0}\nana,,,true,ana1,,Ana,Alto,,n-1,ana@x.example,SMS-SECRET,PHONE-SECRET,,5,PASSWORD-SECRET,,,,,,s1,she\n\
             tom,,,true,tom1,,Tom,Tal,,,,,,,,,,,,,,,\n"
        );
        let roles = "sourcedId,status,dateLastModified,userSourcedId,roleType,role,beginDate,endDate,orgSourcedId,userProfileSourcedId\n\
                     r1,,,ana,primary,student,2026-08-01,2027-08-01,s1,\nr2,,,tom,secondary,ext:coach,,,s1,\n";
        Self::common(CsvVersion::V1_2).set("users", &users).set("roles", roles)
    }

    fn common(version: CsvVersion) -> Self {
        let modes = FileKind::all()
            .filter(|kind| kind.is_in(version))
            .map(|kind| (kind.stem().to_owned(), "absent".to_owned()))
            .collect();
        let empty = Self { version, files: BTreeMap::new(), modes, has_manifest: true };
        empty
            .set("orgs", "sourcedId,status,dateLastModified,name,type,identifier,parentSourcedId\nd,,,District,district,,\n\
                          s1,,,North,school,N-1,d\ns2,,,South,school,,d\n")
            .set("academicSessions", "sourcedId,status,dateLastModified,title,type,startDate,endDate,parentSourcedId,schoolYear\n\
                                      y,,,2026/27,schoolYear,2026-08-01,2027-08-01,,2027\nt1,,,Fall,term,2026-08-15,2026-12-20,y,2027\n")
            .set("courses", "sourcedId,status,dateLastModified,schoolYearSourcedId,title,courseCode,grades,orgSourcedId,subjects,subjectCodes\n\
                             c1,,,y,Algebra,ALG,\"9, 10\",d,\"Math , Logic\",\"M1,L1\"\n")
            .set("classes", "sourcedId,status,dateLastModified,title,grades,courseSourcedId,classCode,classType,location,schoolSourcedId,termSourcedIds,subjects,subjectCodes,periods\n\
                             k1,,,Algebra 1,9,c1,A-1,scheduled,Room 1,s1,\"t1, y\",,,\"1,2\"\n")
            .set("enrollments", "sourcedId,status,dateLastModified,classSourcedId,schoolSourcedId,userSourcedId,role,primary,beginDate,endDate\n\
                                 e1,,,k1,s1,ana,student,,2026-08-15,2026-12-20\ne2,,,k1,s1,tom,teacher,true,,\n")
    }

    /// Sets a file's text and declares it `bulk`.
    pub(crate) fn set(mut self, stem: &str, text: &str) -> Self {
        self.files.insert(format!("{stem}.csv"), text.as_bytes().to_vec());
        self.modes.insert(stem.to_owned(), "bulk".to_owned());
        self
    }

    /// Adds a file that the manifest knows nothing of.
    pub(crate) fn raw(mut self, name: &str, bytes: &[u8]) -> Self {
        self.files.insert(name.to_owned(), bytes.to_vec());
        self
    }

    /// Replaces a piece of text in a file; it must be there.
    pub(crate) fn replace(mut self, stem: &str, from: &str, to: &str) -> Self {
        let text = self.text(stem);
        assert!(text.contains(from), "`{from}` is in {stem}");
        self.files.insert(format!("{stem}.csv"), text.replacen(from, to, 1).into_bytes());
        self
    }

    /// Adds a line to a file.
    pub(crate) fn line(mut self, stem: &str, line: &str) -> Self {
        let text = self.text(stem) + line + "\n";
        self.files.insert(format!("{stem}.csv"), text.into_bytes());
        self
    }

    /// A file's text.
    pub(crate) fn text(&self, stem: &str) -> String {
        String::from_utf8(self.files[&format!("{stem}.csv")].clone()).expect("UTF-8")
    }

    /// Takes a file away and declares it `absent`.
    pub(crate) fn without(mut self, stem: &str) -> Self {
        self.files.remove(&format!("{stem}.csv"));
        self.modes.insert(stem.to_owned(), "absent".to_owned());
        self
    }

    /// Declares a file.
    pub(crate) fn mode(mut self, stem: &str, mode: &str) -> Self {
        self.modes.insert(stem.to_owned(), mode.to_owned());
        self
    }

    /// Leaves the manifest out.
    pub(crate) fn without_manifest(mut self) -> Self {
        self.has_manifest = false;
        self
    }

    /// All files, the manifest first.
    pub(crate) fn files(&self) -> Vec<(String, Vec<u8>)> {
        let mut manifest = format!("propertyName,value\nmanifest.version,1.0\noneroster.version,{}\n", self.version);
        for (stem, mode) in &self.modes {
            manifest.push_str(&format!("file.{stem},{mode}\n"));
        }
        let mut out = Vec::new();
        if self.has_manifest {
            out.push(("manifest.csv".to_owned(), manifest.into_bytes()));
        }
        out.extend(self.files.clone());
        out
    }

    /// Writes it as a zip.
    pub(crate) fn zip(&self, path: &Path) {
        fs::write(path, zip_of(&self.files())).expect("write");
    }

    /// Writes it as a folder.
    pub(crate) fn folder(&self, path: &Path) {
        fs::create_dir_all(path).expect("folder");
        for (name, bytes) in self.files() {
            fs::write(path.join(name), bytes).expect("write");
        }
    }

    /// Reads it with default settings; told is what was rejected.
    pub(crate) fn read(&self) -> Result<Recorder, Vec<Finding>> {
        self.read_with(|_| {})
    }

    /// Reads it as a zip and as a folder, which must come to the same.
    pub(crate) fn read_with(&self, change: impl Fn(&mut CsvSourceSettings)) -> Result<Recorder, Vec<Finding>> {
        let dir = tempfile::tempdir().expect("dir");
        self.zip(&dir.path().join("p.zip"));
        self.folder(&dir.path().join("p"));
        let zipped = read_path(&dir.path().join("p.zip"), &change);
        let laid_out = read_path(&dir.path().join("p"), &change);
        assert_eq!(zipped, laid_out);
        zipped
    }

    /// The one finding for which it is rejected.
    pub(crate) fn rejected(&self) -> String {
        let findings = self.read().expect_err("a rejection");
        assert_eq!(findings.len(), 1, "{findings:?}");
        assert!(matches!(findings[0].level, Level::Package | Level::File));
        findings[0].to_string()
    }

    /// What is found in the rows.
    pub(crate) fn findings(&self) -> Vec<String> {
        self.read().expect("rows").findings
    }
}

/// The bytes of a zip.
pub(crate) fn zip_of(files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut zip = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in files {
        zip.start_file(name.as_str(), SimpleFileOptions::default()).expect("entry");
        zip.write_all(bytes).expect("bytes");
    }
    zip.finish().expect("zip").into_inner()
}

/// A source of one package that is taken at first sight.
pub(crate) fn source_of(path: &Path, kind: DropKind, change: impl Fn(&mut CsvSourceSettings)) -> CsvSource {
    let mut settings = source_settings(path, kind);
    change(&mut settings);
    CsvSource::new(settings)
}

/// Its settings.
pub(crate) fn source_settings(path: &Path, kind: DropKind) -> CsvSourceSettings {
    let mut settings = CsvSourceSettings::new(SourceId::new("north"), path, kind);
    settings.settle_secs = 0;
    settings.trace_bytes_min = 0;
    settings
}

/// Pulls the one package at `path`.
pub(crate) fn pull_path(path: &Path, change: impl Fn(&mut CsvSourceSettings)) -> Result<Recorder, SourceError> {
    let source = source_of(path, DropKind::Package, change);
    let [package]: [Package; 1] = source.pending(&Seen::default())?.try_into().expect("one package");
    let mut recorder = Recorder::default();
    source.pull_into(&package, &mut recorder).map(|()| recorder)
}

/// As [`pull_path`], where only a rejection is expected to go wrong.
pub(crate) fn read_path(path: &Path, change: impl Fn(&mut CsvSourceSettings)) -> Result<Recorder, Vec<Finding>> {
    match pull_path(path, change) {
        Ok(recorder) => Ok(recorder),
        Err(SourceError::Rejected { findings, .. }) => Err(findings),
        Err(error) => panic!("{error:?}"),
    }
}

/// Writes down all that arrives.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Recorder {
    /// Rows and collections in order.
    pub(crate) rows: Vec<String>,
    /// Quarantined rows and warnings in order.
    pub(crate) findings: Vec<String>,
    /// Ids and persons of quarantined rows.
    pub(crate) quarantined: Vec<(Option<String>, Option<String>)>,
}

impl Recorder {
    fn row(&mut self, head: RowHead<'_>, text: String) {
        let end = if head.status == RowStatus::Ended { " ended" } else { "" };
        let modified = head.modified.map_or_else(String::new, |at| format!(" @{at}"));
        self.rows.push(format!("{} {}:{}{end}{modified} {text}", head.id, head.at.file, head.at.row));
    }

    /// The rows of one file.
    pub(crate) fn of(&self, file: &str) -> Vec<&str> {
        self.rows.iter().map(String::as_str).filter(|row| row.contains(&format!(" {file}.csv:"))).collect()
    }
}

impl RowSink for Recorder {
    fn begin(&mut self, collection: Collection, mode: Mode) {
        self.rows.push(format!("begin {} {mode:?}", collection.word()));
    }
    fn switch(&mut self, collection: Collection, mode: Mode) {
        self.rows.push(format!("switch {} {mode:?}", collection.word()));
    }
    fn org(&mut self, r: &OrgRow<'_>) {
        self.row(r.head, format!("{} {} {} {:?}", r.name, r.kind, r.identifier, r.parent));
    }
    fn session(&mut self, r: &SessionRow<'_>) {
        self.row(r.head, format!("{} {} {}..{} {:?}", r.title, r.kind, r.first, r.last, r.parent));
    }
    fn course(&mut self, r: &CourseRow<'_>) {
        let lists = format!("[{}] [{}] [{}]", r.grades, r.subjects, r.subject_codes);
        self.row(r.head, format!("{} {} {:?} {} {lists}", r.title, r.code, r.school_year, r.org));
    }
    fn class(&mut self, r: &ClassRow<'_>) {
        let lists = format!("[{}] [{}] [{}] [{}]", r.sessions, r.grades, r.subjects, r.subject_codes);
        self.row(r.head, format!("{} {} {} {:?} {} {lists}", r.title, r.kind, r.code, r.course, r.school));
    }
    fn person(&mut self, r: &PersonRow<'_>) {
        let roles: Vec<String> = r.roles.iter().map(|role| format!("{}@{}", role.role, role.org)).collect();
        let names = format!("{}|{}|{}|{}|{}", r.given, r.family, r.email, r.username, r.identifier);
        self.row(r.head, format!("{names} {} [{}] {:?} {roles:?} {:?}", r.enabled, r.grades, r.primary_org, r.attributes));
    }
    fn role(&mut self, r: &RoleRow<'_>) {
        self.row(r.head, format!("{} {} {} {} {}..{}", r.person, r.role, r.org, r.primary, r.first, r.last));
    }
    fn enrollment(&mut self, r: &EnrollmentRow<'_>) {
        self.row(r.head, format!("{} {} {} {} {} {}..{}", r.person, r.class, r.school, r.role, r.primary, r.first, r.last));
    }
    fn quarantine(&mut self, collection: Collection, at: RowAt, id: Option<&str>, person: Option<&str>, finding: Finding) {
        assert_eq!((finding.level, finding.file.as_str(), finding.row), (Level::Row, at.file, at.row), "{collection:?}");
        assert_eq!(finding.record, id.unwrap_or_default());
        self.findings.push(finding.to_string());
        self.quarantined.push((id.map(str::to_owned), person.map(str::to_owned)));
    }
    fn warn(&mut self, finding: Finding) {
        assert_eq!(finding.level, Level::Warning);
        self.findings.push(format!("warning: {finding}"));
    }
}
