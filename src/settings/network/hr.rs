//! The keys of HR sources over the network (SCIM, BambooHR, Workday), and what they come to.

use std::time::Duration;

use crate::base::{Calendar, Secret, SourceId};
use crate::settings::network::people::{self, PeopleDefaults, PeopleShape};
use crate::settings::read::{Section, Wrong};
use crate::settings::values::SourceKind;
use crate::settings::words;
use crate::source::{HrAuth, HrSettings, HrSystem, HttpSettings};

/// Users of SCIM asked for at once, unless the settings say otherwise.
const SCIM_PAGE_ROWS: u32 = 200;
/// Employees of a BambooHR report asked for at once, at most.
pub const BAMBOOHR_PAGE_ROWS: u32 = 1_000;
/// A Workday report is one answer: so long it may be silent, and take in all, in seconds …
const WORKDAY_SECS: (u64, u64) = (600, 1_800);
/// … and so many bytes it may have, unless the settings say otherwise.
const WORKDAY_BYTES_MAX: u64 = 512 << 20;

/// The keys.
#[derive(Default)]
pub struct HrShape {
    /// `user`.
    pub user: Option<Secret>,
    /// `password`.
    pub password: Option<Secret>,
    /// `filter`.
    pub filter: Option<String>,
    /// `report`.
    pub report: Option<String>,
    /// `format`: whether it is CSV.
    pub csv: Option<bool>,
    /// `prompts`.
    pub prompts: Option<Vec<(String, String)>>,
    /// `[customer.source.people]`.
    pub people: PeopleShape,
}

/// Keys of some HR source …
pub const OF_HR: [&str; 7] = ["user", "password", "filter", "report", "format", "prompts", "people"];
/// … of which these are not SCIM's, …
const NOT_SCIM: [&str; 3] = ["report", "format", "prompts"];
/// … these not BambooHR's, …
const NOT_BAMBOOHR: [&str; 7] = ["user", "password", "filter", "format", "prompts", "sort", "fields"];
/// … and these not Workday's.
const NOT_WORKDAY: [&str; 6] = ["filter", "report", "page_rows", "max_pages", "sort", "fields"];
/// Keys of OneRoster that no HR source has.
const NOT_HR: [&str; 8] =
    ["version", "secret", "signature", "oauth_version", "delta", "delta_overlap_minutes", "lenient", "courses"];

/// Reads the keys; `basic` says that a user and a password are needed.
pub fn hr(s: &Section<'_>, basic: bool) -> HrShape {
    HrShape {
        user: if basic { s.required_secret("user") } else { s.secret("user") },
        password: if basic { s.required_secret("password") } else { s.secret("password") },
        filter: s.text("filter"),
        report: s.parsed("report", report),
        csv: s.parsed("format", words::one_of(&[("json", false), ("csv", true)])),
        prompts: s.parsed_list("prompts", prompt),
        people: s.section("people", people::people).unwrap_or_default(),
    }
}

/// Refuses what means nothing for this kind, and asks for what it needs.
pub fn check(s: &Section<'_>, kind: SourceKind, shape: &HrShape) {
    let (word, strange): (&str, &[&str]) = match kind {
        SourceKind::Scim => ("kind = \"scim\"", &NOT_SCIM),
        SourceKind::BambooHr => ("kind = \"bamboohr\"", &NOT_BAMBOOHR),
        SourceKind::Workday => ("kind = \"workday\"", &NOT_WORKDAY),
        SourceKind::OneRosterCsv
        | SourceKind::Delimited
        | SourceKind::OneRosterRest
        | SourceKind::ClassLink
        | SourceKind::Clever => return,
    };
    s.means_nothing(strange, word);
    s.means_nothing(&NOT_HR, word);
    if kind != SourceKind::BambooHr {
        s.means_nothing(&["key"], word);
    }
    if kind == SourceKind::BambooHr && shape.report.is_none() && !s.has("report") {
        s.means_nothing(&["page_rows"], "a directory, which comes in one answer; a report has pages");
    }
    if kind == SourceKind::Workday && shape.people.person_id.is_none() {
        s.wrong("people", "has no person_id: which column of the report is the key?");
    }
    // Read a second time, for what may not be kept of people.
    s.parsed_list("keep_metadata", people::column);
}

/// A saved report's number.
fn report(text: &str) -> Result<String, Wrong> {
    match !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        true => Ok(text.to_owned()),
        false => Err(Wrong::new("is not the number of a saved report, such as \"123\"")),
    }
}

/// A prompt: `Alias=value`.
fn prompt(text: &str) -> Result<(String, String), Wrong> {
    match text.split_once('=') {
        Some((alias, value)) if !alias.trim().is_empty() => Ok((alias.trim().to_owned(), value.trim().to_owned())),
        _ => Err(Wrong::new("is not a prompt such as \"Effective_Date=2026-09-01\"")),
    }
}

/// What each kind names its columns.
fn defaults(kind: SourceKind, shape: &HrShape) -> PeopleDefaults {
    match kind {
        SourceKind::Scim => PeopleDefaults {
            person_id: "id",
            names: ["name.givenName", "name.familyName", "emails", "userName", "externalId"],
            status: "active",
            empty_status: Some(true),
            days: ["", ""],
            orgs: &["enterprise.division", "enterprise.department"],
        },
        SourceKind::BambooHr => PeopleDefaults {
            person_id: "id",
            names: ["firstName", "lastName", "workEmail", "", ""],
            // The directory has active people only, and tells no dates.
            status: if shape.report.is_some() { "status" } else { "" },
            empty_status: None,
            days: if shape.report.is_some() { ["hireDate", "terminationDate"] } else { ["", ""] },
            orgs: &["division", "department"],
        },
        SourceKind::Workday
        | SourceKind::OneRosterCsv
        | SourceKind::Delimited
        | SourceKind::OneRosterRest
        | SourceKind::ClassLink
        | SourceKind::Clever => PeopleDefaults::default(),
    }
}

/// Where and how a source of these kinds is asked.
pub struct Place {
    /// The source's id.
    pub id: String,
    /// The name of its pulls.
    pub pull: String,
    /// The address.
    pub address: String,
    /// How to sign in.
    pub auth: HrAuth,
    /// Whether only needed fields are asked for.
    pub fields: Option<bool>,
    /// Whether an order is asked for.
    pub sort: Option<bool>,
    /// Records asked for at once, if the settings say so.
    pub page_rows: Option<u32>,
    /// Requests of one pull at most.
    pub pages_max: u32,
    /// For how long broken-off pulls are gone on from.
    pub resume_minutes: u32,
    /// The longest silence, if the settings say so.
    pub has_timeout: bool,
    /// MiB of one answer at most, if the settings say so.
    pub mib_max: Option<u32>,
    /// Bounds and manners.
    pub http: HttpSettings,
}

/// The source. `customer` is id and name. `None` only if something that must be there is absent.
pub fn build(
    kind: SourceKind,
    shape: &HrShape,
    place: Place,
    keep: &[String],
    customer: (&str, &str),
    calendar: &Calendar,
) -> Option<HrSettings> {
    let mapping = people::mapping(&shape.people, defaults(kind, shape), keep, customer, calendar)?;
    let mut http = place.http;
    let system = match kind {
        SourceKind::Scim => HrSystem::Scim {
            filter: shape.filter.clone(),
            sort: place.sort.unwrap_or(false),
            attributes: place.fields.unwrap_or(true),
        },
        SourceKind::BambooHr => HrSystem::BambooHr { report: shape.report.clone() },
        SourceKind::Workday => {
            http.body_bytes_max = place.mib_max.map_or(WORKDAY_BYTES_MAX, |mib| u64::from(mib) << 20);
            http.total = http.total.max(Duration::from_secs(WORKDAY_SECS.1));
            if !place.has_timeout {
                http.read = Duration::from_secs(WORKDAY_SECS.0);
            }
            HrSystem::Workday { csv: shape.csv.unwrap_or(false), prompts: shape.prompts.clone().unwrap_or_default() }
        }
        SourceKind::OneRosterCsv
        | SourceKind::Delimited
        | SourceKind::OneRosterRest
        | SourceKind::ClassLink
        | SourceKind::Clever => return None,
    };
    Some(HrSettings {
        id: SourceId::from(place.id.as_str()),
        pull: place.pull,
        address: place.address,
        auth: place.auth,
        system,
        mapping,
        page_rows: place.page_rows.unwrap_or(SCIM_PAGE_ROWS),
        pages_max: place.pages_max,
        resume_minutes: place.resume_minutes,
        http,
    })
}

#[cfg(test)]
mod tests;
