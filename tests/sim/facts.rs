//! What is told to both sides, in plain words: what a customer bought and wants, and what its school says of its people.

use std::collections::BTreeMap;

use rosterd::base::Day;

/// How a seat follows a person (R15).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Model {
    Role,
    Named,
    ActiveUser,
}

/// What a sync does with a full pool (R48).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Full {
    Wait,
    Overdraw,
    /// In percent.
    UpTo(u32),
}

/// For whom a pool's seats are (R13).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    Any,
    Student,
    Educator,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    Role(&'static str),
    /// Is in a class, whether or not it goes on today.
    Class,
    Everyone,
}

#[derive(Clone, Debug)]
pub struct Product {
    pub id: &'static str,
    pub model: Model,
    pub requires: Option<&'static str>,
    pub auto_assign: bool,
    pub invites: bool,
}

#[derive(Clone, Debug)]
pub struct Pool {
    pub id: &'static str,
    pub product: &'static str,
    pub owner: &'static str,
    /// Bought from before the year on; `None`: no limit.
    pub seats: Option<i64>,
    pub full: Full,
    pub audience: Audience,
    pub reserved: Option<(&'static str, u32)>,
}

#[derive(Clone, Debug)]
pub struct Rule {
    pub id: &'static str,
    pub product: &'static str,
    pub priority: i32,
    pub ask: Ask,
}

/// A customer. What is not said here is as the rules have it where nobody says anything.
#[derive(Clone, Debug)]
pub struct Setup {
    pub id: &'static str,
    pub zone: &'static str,
    /// Hour and minute of its nights.
    pub night: (u32, u32),
    pub catchup_hours: u32,
    /// All but the district `d`, which is above them.
    pub schools: Vec<&'static str>,
    pub roles: Vec<&'static str>,
    pub products: Vec<Product>,
    pub pools: Vec<Pool>,
    pub rules: Vec<Rule>,
    pub bootstrap_approval: bool,
    pub trip_stops_all: bool,
    /// Dates of the rollover profile, the last one excluded (R124).
    pub window: Option<(Day, Day)>,
    pub confirmations: u32,
    pub purge_days: Option<u32>,
    pub pending_days: u32,
    pub same_day_max: u32,
}

/// When the first seats were bought.
pub const FIRST_BOUGHT: &str = "2025-08-01";

/// An enrollment; both dates are included.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Enrolled {
    pub class: String,
    pub first: Option<Day>,
    pub last: Option<Day>,
    pub ended: bool,
}

/// Which row of a person cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bad {
    Nothing,
    Role(u32),
    Class(u32),
    /// The person's own.
    Own,
    /// The person's own is not there at all, though others name the person.
    Lost,
}

/// A person as the source tells it. Roles and enrollments by the number of their row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    pub given: String,
    pub family: String,
    pub email: String,
    pub roles: BTreeMap<u32, (String, String)>,
    pub primary: Option<String>,
    pub classes: BTreeMap<u32, Enrolled>,
    pub ended: bool,
    pub locked: bool,
    pub bad: Bad,
}

/// What a package is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Whole,
    /// Torn in the middle of a row.
    Torn,
    /// The people's file has a header and nothing else.
    HeaderOnly,
    /// People, roles and enrollments are declared absent: it says nothing of them.
    OrgsOnly,
}

/// A package that lies in the drop folder.
#[derive(Clone, Debug)]
pub struct Package {
    pub name: String,
    /// The same for the same bytes.
    pub bytes: u64,
    pub form: Form,
    pub people: BTreeMap<String, Person>,
}

/// `ash-1` is a class of the school `ash`.
pub fn school_of(class: &str) -> &str {
    class.split('-').next().unwrap_or(class)
}

pub fn day(text: &str) -> Day {
    Day::parse(text).expect("a date")
}
