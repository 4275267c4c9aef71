//! `[customer.source.people]`: which columns of an HR feed mean what, for every kind of source that has columns.

use crate::base::Calendar;
use crate::settings::read::{Section, Wrong};
use crate::settings::words;
use crate::source::{DateForm, DateForms, HrMapping, OrgMapping, RoleMapping, StatusMapping};

/// The role of everybody, unless the settings say another.
const ROLE: &str = "ext:employee";

/// What no column may be named after: it is never read, so that it can be neither stored nor told.
const NEVER: [&str; 8] = ["password", "passwd", "secret", "birth", "phone", "mobile", "ssn", "social security"];

/// The keys. A column that is the empty text is none, also where a kind of source has a default.
#[derive(Default)]
pub struct PeopleShape {
    /// `person_id`.
    pub person_id: Option<String>,
    /// `given_name`.
    pub given: Option<String>,
    /// `family_name`.
    pub family: Option<String>,
    /// `full_name`.
    pub full_name: Option<String>,
    /// `email`.
    pub email: Option<String>,
    /// `username`.
    pub username: Option<String>,
    /// `identifier`.
    pub identifier: Option<String>,
    /// `status`.
    pub status: Option<String>,
    /// `active`.
    pub active: Option<Vec<String>>,
    /// `inactive`.
    pub inactive: Option<Vec<String>>,
    /// `empty_status`; inside, whether it means that people are there.
    pub empty_status: Option<Option<bool>>,
    /// `start_date`.
    pub start: Option<String>,
    /// `end_date`.
    pub end: Option<String>,
    /// `end_date_is`: whether it is the first day not worked.
    pub end_exclusive: Option<bool>,
    /// `date_format`.
    pub date_form: Option<DateForm>,
    /// `no_date`.
    pub no_date: Option<Vec<String>>,
    /// `orgs`.
    pub orgs: Option<Vec<String>>,
    /// `org_separator`.
    pub org_separator: Option<String>,
    /// `org_root`.
    pub org_root: Option<String>,
    /// `org_root_name`.
    pub org_root_name: Option<String>,
    /// `role`.
    pub role: Option<String>,
    /// `role_columns`.
    pub role_columns: Option<Vec<String>>,
    /// `[[customer.source.people.role_word]]`.
    pub role_words: Vec<(Option<String>, Option<String>)>,
}

/// What a kind of source names its columns, where it has names of its own.
#[derive(Clone, Copy, Debug, Default)]
pub struct PeopleDefaults {
    /// The key.
    pub person_id: &'static str,
    /// Given name, family name, e-mail, log-in name, second identifier; empty where there is none.
    pub names: [&'static str; 5],
    /// The status; empty where there is none.
    pub status: &'static str,
    /// What an empty status means.
    pub empty_status: Option<bool>,
    /// First and last day; empty where there is none.
    pub days: [&'static str; 2],
    /// Orgs, from the top level down.
    pub orgs: &'static [&'static str],
}

/// Reads the keys.
pub fn people(s: &Section<'_>) -> PeopleShape {
    let empties = [("active", Some(true)), ("inactive", Some(false)), ("error", None)];
    PeopleShape {
        person_id: s.parsed("person_id", |text| if text.is_empty() { Err(Wrong::new("is empty")) } else { column(text) }),
        given: s.parsed("given_name", column),
        family: s.parsed("family_name", column),
        full_name: s.parsed("full_name", column),
        email: s.parsed("email", column),
        username: s.parsed("username", column),
        identifier: s.parsed("identifier", column),
        status: s.parsed("status", column),
        active: s.texts("active"),
        inactive: s.texts("inactive"),
        empty_status: s.parsed("empty_status", words::one_of(&empties)),
        start: s.parsed("start_date", column),
        end: s.parsed("end_date", column),
        end_exclusive: s.parsed("end_date_is", words::one_of(&[("last_day", false), ("first_day_gone", true)])),
        date_form: s.parsed("date_format", date_form),
        no_date: s.texts("no_date"),
        orgs: s.parsed_list("orgs", column),
        org_separator: s.text("org_separator"),
        org_root: s.text("org_root"),
        org_root_name: s.text("org_root_name"),
        role: s.parsed("role", words::role),
        role_columns: s.parsed_list("role_columns", column),
        role_words: s.sections("role_word", |s| {
            let (word, role) = (s.text("word"), s.parsed("role", words::role));
            (s.required("word", word), s.required("role", role))
        }),
    }
}

/// A column's name, if it is one that may be read.
pub fn column(text: &str) -> Result<String, Wrong> {
    let lower = text.to_lowercase();
    match NEVER.iter().find(|never| lower.contains(*never)) {
        Some(never) => Err(Wrong::new(format!("names a column that is never read ({never})"))),
        None => Ok(text.trim().to_owned()),
    }
}

fn date_form(text: &str) -> Result<DateForm, Wrong> {
    DateForm::parse(text).ok_or_else(|| Wrong::new("is not a form of dates such as \"DD/MM/YYYY\" or \"MM/DD/YYYY\""))
}

/// The mapping. `customer` is its id and its name. `None` only if something that must be there is absent.
pub fn mapping(
    shape: &PeopleShape,
    defaults: PeopleDefaults,
    keep: &[String],
    customer: (&str, &str),
    calendar: &Calendar,
) -> Option<HrMapping> {
    let some = |name: &str| Some(name.to_owned()).filter(|name| !name.is_empty());
    let column = |own: &Option<String>, default: &str| own.clone().or_else(|| some(default)).filter(|name| !name.is_empty());
    let [given, family, email, username, identifier] = defaults.names;
    let status = column(&shape.status, defaults.status).map(|column| {
        let known = StatusMapping::of(&column);
        StatusMapping {
            active: shape.active.clone().unwrap_or(known.active),
            inactive: shape.inactive.clone().unwrap_or(known.inactive),
            empty: shape.empty_status.unwrap_or(defaults.empty_status),
            column,
        }
    });
    let orgs = shape.orgs.clone().unwrap_or_else(|| defaults.orgs.iter().map(|&name| name.to_owned()).collect());
    let words = shape.role_words.iter().map(|(word, role)| Some((word.clone()?, role.clone()?)));
    // A name in one cell takes the place of those a kind would have in two.
    let in_two = |name: &'static str| if shape.full_name.is_some() { "" } else { name };
    Some(HrMapping {
        person_id: shape.person_id.clone().or_else(|| some(defaults.person_id))?,
        given: column(&shape.given, in_two(given)),
        family: column(&shape.family, in_two(family)),
        full_name: column(&shape.full_name, ""),
        email: column(&shape.email, email),
        username: column(&shape.username, username),
        identifier: column(&shape.identifier, identifier),
        status,
        start: column(&shape.start, defaults.days[0]),
        end: column(&shape.end, defaults.days[1]),
        end_exclusive: shape.end_exclusive.unwrap_or(false),
        dates: DateForms { other: shape.date_form, none: shape.no_date.clone().unwrap_or_default() },
        orgs: OrgMapping {
            root: shape.org_root.clone().unwrap_or_else(|| customer.0.to_owned()),
            root_name: shape.org_root_name.clone().unwrap_or_else(|| customer.1.to_owned()),
            levels: orgs.into_iter().filter(|name| !name.is_empty()).collect(),
            separator: shape.org_separator.clone(),
        },
        roles: RoleMapping {
            standard: shape.role.clone().unwrap_or_else(|| ROLE.to_owned()),
            columns: shape.role_columns.clone().unwrap_or_default(),
            words: words.collect::<Option<_>>()?,
        },
        keep: keep.to_vec(),
        calendar: calendar.clone(),
    })
}
