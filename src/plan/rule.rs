//! Entitlement rules: predicates over roles, orgs and enrollments that ask for a product (§4 of the domain rules).

use crate::base::{OrgId, ProductId, RuleId};

/// One rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its id; becomes a claim's reason.
    pub id: RuleId,
    /// What it asks for.
    pub product: ProductId,
    /// Its weight in the queue; high first (R42).
    pub priority: i32,
    /// For whom.
    pub when: Predicate,
}

/// For whom a rule asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Predicate {
    /// Everybody.
    Everyone,
    /// Has one of these roles today.
    Role(Vec<String>),
    /// Has a role today in one of these orgs or below.
    Org(Vec<OrgId>),
    /// Is in one of these grades.
    Grade(Vec<String>),
    /// Has an enrollment that was not ended, live or not, in such a class.
    Class(ClassFilter),
    /// Has an enrollment live today in such a class (R25); an empty filter means any class.
    LiveEnrollment(ClassFilter),
    /// A kept attribute equals one of these values. Besides kept metadata: `identifier`, `username`, `email_domain`.
    Attribute {
        /// Its name.
        name: String,
        /// Accepted values.
        equals: Vec<String>,
    },
    /// All of these.
    All(Vec<Predicate>),
    /// One of these.
    Any(Vec<Predicate>),
    /// None of these.
    Not(Box<Predicate>),
}

/// Which classes; each list that is not empty must match with one item.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClassFilter {
    /// Subjects or subject codes of the class or its course.
    pub subjects: Vec<String>,
    /// Codes of the course.
    pub course_codes: Vec<String>,
    /// Grades of the class.
    pub grades: Vec<String>,
}
