//! What is asked for, and what is needed of it.

use crate::roster::Collection;

/// A collection as providers name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Endpoint {
    Orgs,
    Sessions,
    Courses,
    Classes,
    Users,
    Enrollments,
}

impl Endpoint {
    /// All of them, in the order in which the intake wants their rows.
    pub(crate) const ALL: [Endpoint; 6] =
        [Endpoint::Orgs, Endpoint::Sessions, Endpoint::Courses, Endpoint::Classes, Endpoint::Users, Endpoint::Enrollments];

    /// The path segment, which is also the key of the list in an answer.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Endpoint::Orgs => "orgs",
            Endpoint::Sessions => "academicSessions",
            Endpoint::Courses => "courses",
            Endpoint::Classes => "classes",
            Endpoint::Users => "users",
            Endpoint::Enrollments => "enrollments",
        }
    }

    /// What its records are to the intake.
    pub(crate) fn collection(self) -> Collection {
        match self {
            Endpoint::Orgs => Collection::Orgs,
            Endpoint::Sessions => Collection::Sessions,
            Endpoint::Courses => Collection::Courses,
            Endpoint::Classes => Collection::Classes,
            Endpoint::Users => Collection::People,
            Endpoint::Enrollments => Collection::Enrollments,
        }
    }

    /// The needed fields; `metadata` only if any of it is kept.
    pub(crate) fn fields(self, metadata: bool) -> String {
        let own = match self {
            Endpoint::Orgs => "name,type,identifier,parent",
            Endpoint::Sessions => "title,type,startDate,endDate,parent,schoolYear",
            Endpoint::Courses => "title,courseCode,schoolYear,org,grades,subjects,subjectCodes",
            Endpoint::Classes => "title,classCode,classType,course,school,terms,grades,subjects,subjectCodes",
            Endpoint::Users => "enabledUser,username,givenName,familyName,email,identifier,role,roles,orgs,primaryOrg,grades",
            Endpoint::Enrollments => "user,class,school,role,primary,beginDate,endDate",
        };
        let more = if metadata && self == Endpoint::Users { ",metadata" } else { "" };
        format!("sourcedId,status,dateLastModified,{own}{more}")
    }
}
