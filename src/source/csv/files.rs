//! The files of the binding and their columns (oneroster-csv §5, §6).

use std::fmt;

use crate::roster::Collection;

/// A version of the binding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CsvVersion {
    /// OneRoster 1.1: roles stand in `users.csv`.
    V1_1,
    /// OneRoster 1.2: roles have a file of their own.
    V1_2,
}

impl fmt::Display for CsvVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            CsvVersion::V1_1 => "1.1",
            CsvVersion::V1_2 => "1.2",
        })
    }
}

/// A data file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum FileKind {
    AcademicSessions,
    Categories,
    Classes,
    ClassResources,
    Courses,
    CourseResources,
    Demographics,
    Enrollments,
    LineItemLearningObjectiveIds,
    LineItems,
    LineItemScoreScales,
    Orgs,
    Resources,
    ResultLearningObjectiveIds,
    Results,
    ResultScoreScales,
    Roles,
    ScoreScales,
    UserProfiles,
    UserResources,
    Users,
}

/// A file's number, its name without `.csv`, its name with it, and whether it is new in 1.2.
const FILES: [(FileKind, &str, &str, bool); 21] = [
    (FileKind::AcademicSessions, "academicSessions", "academicSessions.csv", false),
    (FileKind::Categories, "categories", "categories.csv", false),
    (FileKind::Classes, "classes", "classes.csv", false),
    (FileKind::ClassResources, "classResources", "classResources.csv", false),
    (FileKind::Courses, "courses", "courses.csv", false),
    (FileKind::CourseResources, "courseResources", "courseResources.csv", false),
    (FileKind::Demographics, "demographics", "demographics.csv", false),
    (FileKind::Enrollments, "enrollments", "enrollments.csv", false),
    (FileKind::LineItemLearningObjectiveIds, "lineItemLearningObjectiveIds", "lineItemLearningObjectiveIds.csv", true),
    (FileKind::LineItems, "lineItems", "lineItems.csv", false),
    (FileKind::LineItemScoreScales, "lineItemScoreScales", "lineItemScoreScales.csv", true),
    (FileKind::Orgs, "orgs", "orgs.csv", false),
    (FileKind::Resources, "resources", "resources.csv", false),
    (FileKind::ResultLearningObjectiveIds, "resultLearningObjectiveIds", "resultLearningObjectiveIds.csv", true),
    (FileKind::Results, "results", "results.csv", false),
    (FileKind::ResultScoreScales, "resultScoreScales", "resultScoreScales.csv", true),
    (FileKind::Roles, "roles", "roles.csv", true),
    (FileKind::ScoreScales, "scoreScales", "scoreScales.csv", true),
    (FileKind::UserProfiles, "userProfiles", "userProfiles.csv", true),
    (FileKind::UserResources, "userResources", "userResources.csv", true),
    (FileKind::Users, "users", "users.csv", false),
];

impl FileKind {
    /// How many there are.
    pub(crate) const COUNT: usize = FILES.len();

    /// All of them, sorted by name.
    pub(crate) fn all() -> impl Iterator<Item = FileKind> {
        FILES.iter().map(|file| file.0)
    }

    /// The name in the manifest.
    pub(crate) fn stem(self) -> &'static str {
        FILES[self as usize].1
    }

    /// The file's name.
    pub(crate) fn name(self) -> &'static str {
        FILES[self as usize].2
    }

    /// Whether the version has it.
    pub(crate) fn is_in(self, version: CsvVersion) -> bool {
        version == CsvVersion::V1_2 || !FILES[self as usize].3
    }

    /// The file of a manifest name.
    pub(crate) fn of_stem(stem: &str) -> Option<Self> {
        FILES.iter().find(|file| file.1 == stem).map(|file| file.0)
    }

    /// The file of a file name. The standard itself misspells one; letter case is forgiven here and told by the caller.
    pub(crate) fn of_name(name: &str) -> Option<Self> {
        if name.eq_ignore_ascii_case("courseResourses.csv") {
            return Some(FileKind::CourseResources);
        }
        FILES.iter().find(|file| file.2.eq_ignore_ascii_case(name)).map(|file| file.0)
    }

    /// The collection that its rows fill; `None` for a file whose rows are not read.
    pub(crate) fn collection(self) -> Option<Collection> {
        Some(match self {
            FileKind::Orgs => Collection::Orgs,
            FileKind::AcademicSessions => Collection::Sessions,
            FileKind::Courses => Collection::Courses,
            FileKind::Classes => Collection::Classes,
            FileKind::Users => Collection::People,
            FileKind::Roles => Collection::Roles,
            FileKind::Enrollments => Collection::Enrollments,
            _ => return None,
        })
    }

    /// The file that fills a collection.
    pub(crate) fn of_collection(collection: Collection) -> Self {
        match collection {
            Collection::Orgs => FileKind::Orgs,
            Collection::Sessions => FileKind::AcademicSessions,
            Collection::Courses => FileKind::Courses,
            Collection::Classes => FileKind::Classes,
            Collection::People => FileKind::Users,
            Collection::Roles => FileKind::Roles,
            Collection::Enrollments => FileKind::Enrollments,
        }
    }

    /// All columns that our parsers know of this file, whatever the version; a parser names a column by its place here.
    pub(crate) fn columns(self) -> &'static [&'static str] {
        match self {
            FileKind::Users => &USERS,
            _ => self.headers(CsvVersion::V1_2)[0],
        }
    }

    /// The headers that a version allows, the preferred one first.
    pub(crate) fn headers(self, version: CsvVersion) -> &'static [&'static [&'static str]] {
        let old = version == CsvVersion::V1_1;
        match self {
            FileKind::AcademicSessions => &[&SESSIONS],
            FileKind::Orgs => &[&ORGS],
            FileKind::Courses => &[&COURSES],
            FileKind::Classes => &[&CLASSES],
            FileKind::Users if old => &[&USERS_1_1],
            FileKind::Users => &[&USERS_1_2_0, &USERS_1_2_1],
            FileKind::Roles => &[&ROLES],
            FileKind::Enrollments => &[&ENROLLMENTS],
            FileKind::Demographics => &[&DEMOGRAPHICS],
            FileKind::UserProfiles => &[&USER_PROFILES],
            FileKind::Resources => &[&RESOURCES],
            FileKind::ClassResources => &[&CLASS_RESOURCES],
            FileKind::CourseResources => &[&COURSE_RESOURCES],
            FileKind::UserResources => &[&USER_RESOURCES],
            FileKind::Categories if old => &[&CATEGORIES_1_1],
            FileKind::Categories => &[&CATEGORIES_1_2],
            FileKind::LineItems if old => &[&LINE_ITEMS_1_1],
            FileKind::LineItems => &[&LINE_ITEMS_1_2],
            FileKind::Results if old => &[&RESULTS_1_1],
            FileKind::Results => &[&RESULTS_1_2],
            FileKind::ScoreScales => &[&SCORE_SCALES],
            FileKind::LineItemScoreScales => &[&LINE_ITEM_SCORE_SCALES],
            FileKind::ResultScoreScales => &[&RESULT_SCORE_SCALES],
            FileKind::LineItemLearningObjectiveIds => &[&LINE_ITEM_OBJECTIVES],
            FileKind::ResultLearningObjectiveIds => &[&RESULT_OBJECTIVES],
        }
    }

    /// Columns without which a lenient reading makes no sense.
    pub(crate) fn columns_needed(self, version: CsvVersion) -> &'static [&'static str] {
        match self {
            FileKind::AcademicSessions => &["sourcedId", "title", "type", "startDate", "endDate"],
            FileKind::Orgs => &["sourcedId", "name", "type"],
            FileKind::Courses => &["sourcedId", "title", "orgSourcedId"],
            FileKind::Classes => &["sourcedId", "title", "classType", "schoolSourcedId", "termSourcedIds"],
            FileKind::Users if version == CsvVersion::V1_1 => {
                &["sourcedId", "enabledUser", "orgSourcedIds", "role", "username", "givenName", "familyName"]
            }
            FileKind::Users => &["sourcedId", "enabledUser", "username", "givenName", "familyName"],
            FileKind::Roles => &["sourcedId", "userSourcedId", "roleType", "role", "orgSourcedId"],
            FileKind::Enrollments => &["sourcedId", "classSourcedId", "schoolSourcedId", "userSourcedId", "role"],
            _ => &[],
        }
    }
}

/// Declares a header; every file begins with the same three columns.
macro_rules! headers {
    ($($name:ident [$count:literal] = $($column:literal),+;)*) => {$(
        const $name: [&str; $count] = ["sourcedId", "status", "dateLastModified", $($column),+];
    )*};
}

headers! {
    SESSIONS[9] = "title", "type", "startDate", "endDate", "parentSourcedId", "schoolYear";
    ORGS[7] = "name", "type", "identifier", "parentSourcedId";
    COURSES[10] = "schoolYearSourcedId", "title", "courseCode", "grades", "orgSourcedId", "subjects", "subjectCodes";
    CLASSES[14] = "title", "grades", "courseSourcedId", "classCode", "classType", "location", "schoolSourcedId",
        "termSourcedIds", "subjects", "subjectCodes", "periods";
    USERS[25] = "enabledUser", "orgSourcedIds", "role", "username", "userIds", "givenName", "familyName", "middleName",
        "identifier", "email", "sms", "phone", "agentSourcedIds", "grades", "password", "userMasterIdentifier",
        "resourceSourcedIds", "preferredGivenName", "preferredMiddleName", "preferredFamilyName", "primaryOrgSourcedId",
        "pronouns";
    USERS_1_1[18] = "enabledUser", "orgSourcedIds", "role", "username", "userIds", "givenName", "familyName", "middleName",
        "identifier", "email", "sms", "phone", "agentSourcedIds", "grades", "password";
    USERS_1_2_0[23] = "enabledUser", "username", "userIds", "givenName", "familyName", "middleName", "identifier", "email",
        "sms", "phone", "agentSourcedIds", "grades", "password", "userMasterIdentifier", "resourceSourcedIds",
        "preferredGivenName", "preferredMiddleName", "preferredFamilyName", "primaryOrgSourcedId", "pronouns";
    USERS_1_2_1[22] = "enabledUser", "username", "userIds", "givenName", "familyName", "middleName", "identifier", "email",
        "sms", "phone", "agentSourcedIds", "grades", "password", "userMasterIdentifier", "preferredGivenName",
        "preferredMiddleName", "preferredFamilyName", "primaryOrgSourcedId", "pronouns";
    ROLES[10] = "userSourcedId", "roleType", "role", "beginDate", "endDate", "orgSourcedId", "userProfileSourcedId";
    ENROLLMENTS[10] = "classSourcedId", "schoolSourcedId", "userSourcedId", "role", "primary", "beginDate", "endDate";
    DEMOGRAPHICS[16] = "birthDate", "sex", "americanIndianOrAlaskaNative", "asian", "blackOrAfricanAmerican",
        "nativeHawaiianOrOtherPacificIslander", "white", "demographicRaceTwoOrMoreRaces", "hispanicOrLatinoEthnicity",
        "countryOfBirthCode", "stateOfBirthAbbreviation", "cityOfBirth", "publicSchoolResidenceStatus";
    USER_PROFILES[11] = "userSourcedId", "profileType", "vendorId", "applicationId", "description", "credentialType",
        "username", "password";
    RESOURCES[9] = "vendorResourceId", "title", "roles", "importance", "vendorId", "applicationId";
    CLASS_RESOURCES[6] = "title", "classSourcedId", "resourceSourcedId";
    COURSE_RESOURCES[6] = "title", "courseSourcedId", "resourceSourcedId";
    USER_RESOURCES[7] = "userSourcedId", "orgSourcedId", "classSourcedId", "resourceSourcedId";
    CATEGORIES_1_1[4] = "title";
    CATEGORIES_1_2[5] = "title", "weight";
    LINE_ITEMS_1_1[12] = "title", "description", "assignDate", "dueDate", "classSourcedId", "categorySourcedId",
        "gradingPeriodSourcedId", "resultValueMin", "resultValueMax";
    LINE_ITEMS_1_2[13] = "title", "description", "assignDate", "dueDate", "classSourcedId", "categorySourcedId",
        "academicSessionSourcedId", "resultValueMin", "resultValueMax", "schoolSourcedId";
    RESULTS_1_1[9] = "lineItemSourcedId", "studentSourcedId", "scoreStatus", "score", "scoreDate", "comment";
    RESULTS_1_2[15] = "lineItemSourcedId", "studentSourcedId", "scoreStatus", "score", "scoreDate", "comment", "textScore",
        "classSourcedId", "inProgress", "incomplete", "late", "missing";
    SCORE_SCALES[9] = "title", "type", "orgSourcedId", "courseSourcedId", "classSourcedId", "scoreScaleValue";
    LINE_ITEM_SCORE_SCALES[6] = "title", "lineItemSourcedId", "scoreScaleSourcedId";
    RESULT_SCORE_SCALES[6] = "title", "resultSourcedId", "scoreScaleSourcedId";
    LINE_ITEM_OBJECTIVES[6] = "lineItemSourcedId", "source", "learningObjectiveId";
    RESULT_OBJECTIVES[8] = "resultSourcedId", "source", "learningObjectiveId", "score", "textScore";
}

#[cfg(test)]
mod tests {
    use crate::source::csv::files::{CsvVersion, FileKind};

    #[test]
    fn the_table_is_in_the_order_of_the_numbers() {
        for (number, kind) in FileKind::all().enumerate() {
            assert_eq!(kind as usize, number);
            assert_eq!(kind.name(), format!("{}.csv", kind.stem()));
            for version in [CsvVersion::V1_1, CsvVersion::V1_2] {
                for column in kind.headers(version).iter().copied().flatten().filter(|_| kind.collection().is_some()) {
                    assert!(kind.columns().contains(column), "{column}");
                }
            }
        }
        assert_eq!(FileKind::all().filter(|kind| kind.is_in(CsvVersion::V1_1)).count(), 13);
    }
}
