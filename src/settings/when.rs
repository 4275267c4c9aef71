//! `when` tables: for whom a rule asks. Several keys in one table mean all of them.

use crate::base::OrgId;
use crate::plan::{ClassFilter, Predicate};
use crate::settings::read::Section;
use crate::settings::words;

/// Reads one table; absent if anything in it is wrong.
pub fn when(s: &Section<'_>) -> Option<Predicate> {
    if s.is_empty() {
        s.wrong("", "is empty (say everyone = true for everybody)");
        return None;
    }
    let mut parts = Parts { found: Vec::new(), whole: true };
    parts.take(s, "everyone", everyone(s));
    parts.take(s, "role", filled(s, "role", s.parsed_list("role", words::role)).map(Predicate::Role));
    let orgs = filled(s, "org", s.texts("org")).map(|orgs| orgs.iter().map(|org| OrgId::from(org.as_str())).collect());
    parts.take(s, "org", orgs.map(Predicate::Org));
    parts.take(s, "grade", filled(s, "grade", s.texts("grade")).map(Predicate::Grade));
    parts.class(s);
    parts.take(s, "live_enrollment", live_enrollment(s));
    parts.take(s, "attribute", s.section("attribute", attribute).flatten());
    let all = s.all_like_this("all", when);
    parts.take(s, "all", several(s, "all", all).map(Predicate::All));
    let any = s.all_like_this("any", when);
    parts.take(s, "any", several(s, "any", any).map(Predicate::Any));
    let not = s.like_this("not", when).flatten();
    parts.take(s, "not", not.map(|inner| Predicate::Not(Box::new(inner))));
    parts.finish()
}

/// What was found so far, and whether all of it could be read.
struct Parts {
    found: Vec<Predicate>,
    whole: bool,
}

impl Parts {
    fn take(&mut self, s: &Section<'_>, key: &str, part: Option<Predicate>) {
        match part {
            Some(part) => self.found.push(part),
            None => self.whole &= !s.has(key),
        }
    }

    /// `subject`, `course_code` and `class_grade` speak of the same class.
    fn class(&mut self, s: &Section<'_>) {
        let subjects = filled(s, "subject", s.texts("subject"));
        let course_codes = filled(s, "course_code", s.texts("course_code"));
        let grades = filled(s, "class_grade", s.texts("class_grade"));
        if !["subject", "course_code", "class_grade"].iter().any(|key| s.has(key)) {
            return;
        }
        self.whole &= s.has("subject") == subjects.is_some()
            && s.has("course_code") == course_codes.is_some()
            && s.has("class_grade") == grades.is_some();
        self.found.push(Predicate::Class(ClassFilter {
            subjects: subjects.unwrap_or_default(),
            course_codes: course_codes.unwrap_or_default(),
            grades: grades.unwrap_or_default(),
        }));
    }

    fn finish(mut self) -> Option<Predicate> {
        match self.found.len() {
            _ if !self.whole => None,
            0 => None,
            1 => self.found.pop(),
            _ => Some(Predicate::All(self.found)),
        }
    }
}

fn everyone(s: &Section<'_>) -> Option<Predicate> {
    match s.flag("everyone")? {
        true => Some(Predicate::Everyone),
        false => {
            s.wrong("everyone", "can only be true (leave it out otherwise)");
            None
        }
    }
}

fn live_enrollment(s: &Section<'_>) -> Option<Predicate> {
    let any_class = |flag| {
        if flag {
            return Some(Predicate::LiveEnrollment(ClassFilter::default()));
        }
        s.wrong("live_enrollment", "can only be true or a table (for the contrary: not = { live_enrollment = true })");
        None
    };
    s.flag_or_section("live_enrollment", any_class, |s| {
        if s.is_empty() {
            s.wrong("", "is empty (say live_enrollment = true for any class)");
            return None;
        }
        let subjects = filled(s, "subject", s.texts("subject"));
        let course_codes = filled(s, "course_code", s.texts("course_code"));
        let grades = filled(s, "grade", s.texts("grade"));
        Some(Predicate::LiveEnrollment(ClassFilter {
            subjects: subjects.unwrap_or_default(),
            course_codes: course_codes.unwrap_or_default(),
            grades: grades.unwrap_or_default(),
        }))
    })
}

fn attribute(s: &Section<'_>) -> Option<Predicate> {
    let name = s.required("name", s.text("name"));
    let equals = s.required("equals", filled(s, "equals", s.texts("equals")));
    Some(Predicate::Attribute { name: name?, equals: equals? })
}

/// A list that is written must not be empty: it would mean nobody to some and everybody to others.
fn filled<T>(s: &Section<'_>, key: &str, list: Option<Vec<T>>) -> Option<Vec<T>> {
    let list = list?;
    if list.is_empty() {
        s.wrong(key, "is an empty list");
        return None;
    }
    Some(list)
}

fn several(s: &Section<'_>, key: &str, items: Vec<Option<Predicate>>) -> Option<Vec<Predicate>> {
    if items.is_empty() {
        if s.has_empty_list(key) {
            s.wrong(key, "is an empty list");
        }
        return None;
    }
    items.into_iter().collect()
}
