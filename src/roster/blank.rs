//! Records that wait for what is told of them column by column.

use crate::base::{Day, Text};
use crate::roster::model::{Class, Course, Modified, Org, OrgIx, Person, Session};

/// An org of which nothing is known but the id.
pub(crate) fn blank_org(id: Text) -> Org {
    let (name, kind, identifier) = (Text::EMPTY, Text::EMPTY, Text::EMPTY);
    Org { id, name, kind, identifier, parent: None, ended: false, modified: Modified(0) }
}

/// A session of which nothing is known but the id.
pub(crate) fn blank_session(id: Text) -> Session {
    let (title, kind, first, last) = (Text::EMPTY, Text::EMPTY, Day::MIN, Day::MAX);
    Session { id, title, kind, first, last, parent: None, ended: false, modified: Modified(0) }
}

/// A course of which nothing is known but the id.
pub(crate) fn blank_course(id: Text) -> Course {
    Course {
        id,
        title: Text::EMPTY,
        code: Text::EMPTY,
        school_year: None,
        org: OrgIx(0),
        grades: Text::EMPTY,
        subjects: Text::EMPTY,
        subject_codes: Text::EMPTY,
        ended: false,
        modified: Modified(0),
    }
}

/// A class of which nothing is known but the id.
pub(crate) fn blank_class(id: Text) -> Class {
    Class {
        id,
        title: Text::EMPTY,
        kind: Text::EMPTY,
        code: Text::EMPTY,
        course: None,
        school: OrgIx(0),
        sessions: Vec::new(),
        grades: Text::EMPTY,
        subjects: Text::EMPTY,
        subject_codes: Text::EMPTY,
        ended: false,
        modified: Modified(0),
    }
}

/// Somebody of which nothing is known but the key.
pub(crate) fn blank_person(key: Text) -> Person {
    Person {
        key,
        given: Text::EMPTY,
        family: Text::EMPTY,
        email: Text::EMPTY,
        username: Text::EMPTY,
        identifier: Text::EMPTY,
        grades: Text::EMPTY,
        primary_org: None,
        enabled: false,
        ended: false,
        quarantined: false,
        modified: Modified(0),
        roles: (0, 0),
        enrollments: (0, 0),
        attributes: (0, 0),
    }
}
