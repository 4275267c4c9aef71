//! The keys of `kind = "clever"`.

use crate::base::{Secret, SourceId};
use crate::settings::read::Section;
use crate::settings::words;
use crate::source::{CleverAuth, CleverSettings, CleverVersion, ReadSettings, SourceSettings, StaffRole};

/// The keys that no other kind has.
#[derive(Default)]
pub struct CleverShape {
    /// `district`.
    pub district: Option<String>,
    /// `api_version`.
    pub api_version: Option<CleverVersion>,
    /// `staff_role`.
    pub staff_role: Option<StaffRole>,
    /// `events`.
    pub events: Option<bool>,
}

/// Those keys, …
pub const OWN: [&str; 4] = ["district", "api_version", "staff_role", "events"];
/// … and keys of other sources that mean nothing here.
pub const FOREIGN: [&str; 16] = [
    "version",
    "auth",
    "key",
    "secret",
    "signature",
    "oauth_version",
    "client_auth",
    "scopes",
    "cookies",
    "sort",
    "fields",
    "delta",
    "delta_overlap_minutes",
    "lenient",
    "courses",
    "keep_metadata",
];

/// Reads the keys.
pub fn clever(s: &Section<'_>, is_clever: bool) -> CleverShape {
    let versions = [("3.0", CleverVersion::V3_0), ("3.1", CleverVersion::V3_1)];
    let roles = [("aide", StaffRole::Aide), ("siteAdministrator", StaffRole::SiteAdministrator)];
    let shape = CleverShape {
        district: s.text("district"),
        api_version: s.parsed("api_version", words::one_of(&versions)),
        staff_role: s.parsed("staff_role", words::one_of(&roles)),
        events: s.flag("events"),
    };
    if is_clever {
        s.required("district", shape.district.as_ref());
        if s.has("token") && s.has("client_id") {
            s.wrong("client_id", "is given beside token; one of them is enough");
        }
    }
    shape
}

/// What is told by keys that other kinds have, too.
pub struct Keys {
    /// `address`.
    pub address: Option<String>,
    /// `token_address`.
    pub token_address: Option<String>,
    /// `client_id`.
    pub client_id: Option<Secret>,
    /// `client_secret`.
    pub client_secret: Option<Secret>,
    /// `token`.
    pub token: Option<Secret>,
}

/// A Clever source. `None` only if something that must be there is absent.
pub fn build(id: &str, pull: String, shape: &CleverShape, keys: Keys, read: ReadSettings) -> Option<SourceSettings> {
    let Keys { address, token_address, client_id, client_secret, token } = keys;
    let auth = match token {
        Some(token) => CleverAuth::Token(token),
        None => CleverAuth::Client {
            token_address: token_address.unwrap_or_else(|| CleverSettings::TOKEN_ADDRESS.to_owned()),
            id: client_id?,
            secret: client_secret?,
        },
    };
    Some(SourceSettings::Clever(Box::new(CleverSettings {
        id: SourceId::from(id),
        pull,
        district: shape.district.clone()?,
        address: address.unwrap_or_else(|| CleverSettings::ADDRESS.to_owned()),
        version: shape.api_version.unwrap_or_default(),
        auth,
        staff: shape.staff_role.unwrap_or_default(),
        events: shape.events.unwrap_or(false),
        page_rows: read.page_rows,
        pages_max: read.pages_max,
        resume_minutes: read.resume_minutes,
        http: read.http,
    })))
}
