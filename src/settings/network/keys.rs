//! The keys that sources over the network share, and those of OneRoster.

use std::path::PathBuf;
use std::time::Duration;

use crate::base::{Calendar, QuietHours, Secret, SourceId};
use crate::settings::classlink::{self, ClassLinkShape};
use crate::settings::clever::{self, CleverShape};
use crate::settings::network::files::{self, FilesShape, OF_DELIMITED, OF_FETCH};
use crate::settings::network::hr::{self, HrShape, OF_HR, Place};
use crate::settings::read::{Section, Wrong};
use crate::settings::values::SourceKind;
use crate::settings::words;
use crate::source::{
    ClientAuth, HrAuth, HttpSettings, OAuth2Settings, ReadSettings, RestAuth, RestSettings, RestVersion, Signature,
    SourceSettings,
};

/// How a source signs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthWord {
    /// `oauth1`.
    OAuth1,
    /// `oauth2`.
    OAuth2,
    /// `bearer`.
    Bearer,
    /// `basic`.
    Basic,
    /// `key`.
    Key,
}

/// The keys.
#[derive(Default)]
pub struct NetworkShape {
    /// `address`.
    pub address: Option<String>,
    /// `version`.
    pub version: Option<RestVersion>,
    /// `auth`.
    pub auth: Option<AuthWord>,
    /// `key`.
    pub key: Option<Secret>,
    /// `secret`.
    pub secret: Option<Secret>,
    /// `signature`.
    pub signature: Option<Signature>,
    /// `oauth_version`.
    pub oauth_version: Option<bool>,
    /// `token_address`.
    pub token_address: Option<String>,
    /// `client_id`.
    pub client_id: Option<Secret>,
    /// `client_secret`.
    pub client_secret: Option<Secret>,
    /// `client_auth`.
    pub client_auth: Option<ClientAuth>,
    /// `scopes`.
    pub scopes: Option<Vec<String>>,
    /// `cookies`.
    pub cookies: Option<bool>,
    /// `token`.
    pub token: Option<Secret>,
    /// `page_rows`.
    pub page_rows: Option<u32>,
    /// `max_pages`.
    pub pages_max: Option<u32>,
    /// `sort`.
    pub sort: Option<bool>,
    /// `fields`.
    pub fields: Option<bool>,
    /// `delta`.
    pub delta: Option<bool>,
    /// `delta_overlap_minutes`.
    pub delta_overlap_minutes: Option<u32>,
    /// `resume_minutes`.
    pub resume_minutes: Option<u32>,
    /// `max_parallel`.
    pub parallel_max: Option<u32>,
    /// `max_per_second`.
    pub per_second_max: Option<u32>,
    /// `timeout_secs`.
    pub timeout_secs: Option<u32>,
    /// `quiet_hours`.
    pub quiet_hours: Option<Vec<QuietHours>>,
    /// `ca_file`.
    pub ca_file: Option<PathBuf>,
    /// The keys of ClassLink alone.
    pub classlink: ClassLinkShape,
    /// The keys of Clever alone.
    pub clever: CleverShape,
    /// The keys of HR sources.
    pub hr: HrShape,
    /// The keys of files.
    pub files: FilesShape,
}

/// The kinds of sources.
pub const KINDS: [(&str, SourceKind); 8] = [
    ("oneroster_csv", SourceKind::OneRosterCsv),
    ("delimited", SourceKind::Delimited),
    ("oneroster_rest", SourceKind::OneRosterRest),
    ("classlink", SourceKind::ClassLink),
    ("clever", SourceKind::Clever),
    ("scim", SourceKind::Scim),
    ("bamboohr", SourceKind::BambooHr),
    ("workday", SourceKind::Workday),
];

/// The ways in which a kind of source signs in.
fn auths(kind: Option<SourceKind>) -> Vec<(&'static str, AuthWord)> {
    let own: &[(&str, AuthWord)] = match kind {
        Some(SourceKind::Scim | SourceKind::Workday) => &[("basic", AuthWord::Basic)],
        Some(SourceKind::BambooHr) => &[("key", AuthWord::Key)],
        _ => &[("oauth1", AuthWord::OAuth1)],
    };
    own.iter().copied().chain([("oauth2", AuthWord::OAuth2), ("bearer", AuthWord::Bearer)]).collect()
}

/// The keys of each way.
const OF_AUTH: [(AuthWord, &[&str]); 5] = [
    (AuthWord::OAuth1, &["key", "secret", "signature", "oauth_version"]),
    (AuthWord::OAuth2, &["token_address", "client_id", "client_secret", "client_auth", "scopes"]),
    (AuthWord::Bearer, &["token"]),
    (AuthWord::Basic, &["user", "password"]),
    (AuthWord::Key, &["key"]),
];

/// Refuses the keys of the ways in which a kind of source might sign in and does not.
fn refuse_other_ways(s: &Section<'_>, kind: SourceKind, auth: Option<AuthWord>) {
    let ways = auths(Some(kind));
    let Some((word, auth)) = ways.iter().find(|(_, way)| Some(*way) == auth) else { return };
    let others = OF_AUTH.iter().filter(|(way, _)| way != auth && ways.iter().any(|(_, known)| known == way));
    others.for_each(|(_, keys)| s.means_nothing(keys, &format!("auth = \"{word}\"")));
}

/// Keys that mean something for packages only …
const OF_PACKAGES: [&str; 4] = ["path", "drop", "settle_secs", "bulk_with_status"];
/// … and those of everything that is asked over the network.
const OF_NETWORK: [&str; 26] = [
    "address",
    "version",
    "auth",
    "key",
    "secret",
    "signature",
    "oauth_version",
    "token_address",
    "client_id",
    "client_secret",
    "client_auth",
    "scopes",
    "cookies",
    "token",
    "page_rows",
    "max_pages",
    "sort",
    "fields",
    "delta",
    "delta_overlap_minutes",
    "resume_minutes",
    "max_parallel",
    "max_per_second",
    "timeout_secs",
    "quiet_hours",
    "ca_file",
];

/// Reads the keys.
pub fn network(s: &Section<'_>, kind: Option<SourceKind>) -> NetworkShape {
    let versions = [("1.1", RestVersion::V1_1), ("1.2", RestVersion::V1_2)];
    let signatures = [("sha256", Signature::Sha256), ("sha1", Signature::Sha1)];
    let places = [("basic", ClientAuth::Basic), ("body", ClientAuth::Body), ("query", ClientAuth::Query)];
    let auth = s.parsed("auth", words::one_of(&auths(kind)));
    let is_file = matches!(kind, Some(SourceKind::OneRosterCsv | SourceKind::Delimited));
    let is_clever = kind == Some(SourceKind::Clever);
    let by_auth = kind.is_some() && !is_file && !is_clever && kind != Some(SourceKind::ClassLink);
    let classlink = classlink::classlink(s, kind == Some(SourceKind::ClassLink));
    let typed_in = kind == Some(SourceKind::ClassLink) && classlink.access == classlink::AccessWord::Direct;
    let token = s.secret("token");
    let lacks_token = token.is_none();
    let needs = |wanted: AuthWord| {
        by_auth && auth == Some(wanted)
            || wanted == AuthWord::OAuth1 && typed_in
            || wanted == AuthWord::OAuth2 && is_clever && lacks_token
    };
    let needs_key = needs(AuthWord::OAuth1) || needs(AuthWord::Key);
    let shape = NetworkShape {
        address: if is_file { s.parsed("address", files::address) } else { s.parsed("address", address) },
        version: s.parsed("version", words::one_of(&versions)),
        auth,
        key: if needs_key { s.required_secret("key") } else { s.secret("key") },
        secret: if needs(AuthWord::OAuth1) { s.required_secret("secret") } else { s.secret("secret") },
        signature: s.parsed("signature", words::one_of(&signatures)),
        oauth_version: s.flag("oauth_version"),
        token_address: s.parsed("token_address", token_address),
        client_id: if needs(AuthWord::OAuth2) { s.required_secret("client_id") } else { s.secret("client_id") },
        client_secret: if needs(AuthWord::OAuth2) { s.required_secret("client_secret") } else { s.secret("client_secret") },
        client_auth: s.parsed("client_auth", words::one_of(&places)),
        scopes: s.texts("scopes"),
        cookies: s.flag("cookies"),
        token: if needs(AuthWord::Bearer) { token.or_else(|| s.required_secret("token")) } else { token },
        page_rows: s.count("page_rows", 1..=if kind == Some(SourceKind::BambooHr) { hr::BAMBOOHR_PAGE_ROWS } else { 50_000 }),
        pages_max: s.count("max_pages", 1..=10_000_000),
        sort: s.flag("sort"),
        fields: s.flag("fields"),
        delta: s.flag("delta"),
        delta_overlap_minutes: s.count("delta_overlap_minutes", 0..=1_440),
        resume_minutes: s.count("resume_minutes", 0..=1_440),
        parallel_max: s.count("max_parallel", 1..=64),
        per_second_max: s.count("max_per_second", 1..=1_000),
        timeout_secs: s.count("timeout_secs", 1..=3_600),
        quiet_hours: s.parsed_list("quiet_hours", quiet_hours),
        ca_file: s.path("ca_file"),
        classlink,
        clever: clever::clever(s, is_clever),
        hr: hr::hr(s, needs(AuthWord::Basic)),
        files: files::files(s),
    };
    let requires_place = || {
        s.required("address", shape.address.as_ref());
        s.required("auth", auth);
        if auth == Some(AuthWord::OAuth2) {
            s.required("token_address", shape.token_address.as_ref());
        }
    };
    match kind {
        Some(kind @ (SourceKind::OneRosterCsv | SourceKind::Delimited)) => {
            let word = if kind == SourceKind::Delimited { "kind = \"delimited\"" } else { "kind = \"oneroster_csv\"" };
            refuse(s, &[&classlink::OWN, &clever::OWN], word);
            let given = files::Given::of(shape.address.as_deref(), shape.token.as_ref(), &shape.hr, &shape.files);
            files::check(s, kind, given, &OF_NETWORK);
        }
        Some(SourceKind::ClassLink) => {
            refuse(
                s,
                &[&OF_PACKAGES, &classlink::FOREIGN, &clever::OWN, &OF_HR, &OF_FETCH, &OF_DELIMITED],
                "kind = \"classlink\"",
            );
            if !typed_in {
                refuse(s, &[&["key", "secret"]], "access = \"proxy\" or \"server\"");
            }
        }
        Some(SourceKind::Clever) => {
            refuse(
                s,
                &[&OF_PACKAGES, &clever::FOREIGN, &classlink::OWN, &OF_HR, &OF_FETCH, &OF_DELIMITED],
                "kind = \"clever\"",
            );
        }
        Some(SourceKind::OneRosterRest) => {
            refuse(
                s,
                &[&OF_PACKAGES, &classlink::OWN, &clever::OWN, &OF_HR, &OF_FETCH, &OF_DELIMITED],
                "kind = \"oneroster_rest\"",
            );
            requires_place();
            refuse_other_ways(s, SourceKind::OneRosterRest, auth);
            s.required("version", shape.version);
        }
        Some(kind @ (SourceKind::Scim | SourceKind::BambooHr | SourceKind::Workday)) => {
            // A report is one answer, and as long as a file.
            let of_fetch: Vec<&'static str> =
                OF_FETCH.into_iter().filter(|key| kind != SourceKind::Workday || *key != "max_mib").collect();
            let strange: [&[&str]; 5] = [&OF_PACKAGES, &of_fetch, &OF_DELIMITED, &classlink::OWN, &clever::OWN];
            refuse(s, &strange, "a source that is asked over the network");
            requires_place();
            refuse_other_ways(s, kind, auth);
            hr::check(s, kind, &shape.hr);
        }
        None => {}
    }
    shape
}

/// Keys that mean nothing for this kind.
fn refuse(s: &Section<'_>, keys: &[&[&str]], kind: &str) {
    keys.iter().for_each(|keys| s.means_nothing(keys, kind));
}

fn address(text: &str) -> Result<String, Wrong> {
    crate::source::check_address(text).map_err(Wrong::new)?;
    Ok(text.to_owned())
}

fn quiet_hours(text: &str) -> Result<QuietHours, Wrong> {
    QuietHours::parse(text).ok_or_else(|| Wrong::new("is no window such as \"02:00-03:30\" or \"Fri 22:00-Sat 06:00\""))
}

/// The query of a token service belongs to its address.
fn token_address(text: &str) -> Result<String, Wrong> {
    address(text.split('?').next().unwrap_or_default())?;
    Ok(text.to_owned())
}

/// How collections are read.
pub fn read_settings(
    shape: &NetworkShape,
    fields: bool,
    lenient: Option<bool>,
    courses_optional: bool,
    keep_metadata: &[String],
) -> ReadSettings {
    let base = ReadSettings::default();
    let http = HttpSettings::default();
    let read = shape.timeout_secs.map_or(http.read, |secs| Duration::from_secs(secs.into()));
    ReadSettings {
        page_rows: shape.page_rows.unwrap_or(base.page_rows),
        pages_max: shape.pages_max.unwrap_or(base.pages_max),
        sort: shape.sort.unwrap_or(base.sort),
        fields: shape.fields.unwrap_or(fields),
        delta: shape.delta.unwrap_or(base.delta),
        delta_overlap_minutes: shape.delta_overlap_minutes.unwrap_or(base.delta_overlap_minutes),
        resume_minutes: shape.resume_minutes.unwrap_or(base.resume_minutes),
        lenient: lenient.unwrap_or(false),
        courses_optional,
        keep_metadata: keep_metadata.to_vec(),
        id_prefix: String::new(),
        http: HttpSettings {
            read,
            total: http.total.max(read * 5),
            parallel_max: shape.parallel_max.unwrap_or(http.parallel_max),
            per_second_max: shape.per_second_max.unwrap_or(http.per_second_max),
            ca_file: shape.ca_file.clone(),
            ..http
        },
    }
}

/// A source of ClassLink. `None` only if something that must be there is absent.
pub fn of_classlink(id: &str, pull: String, shape: &NetworkShape, read: ReadSettings) -> Option<SourceSettings> {
    let keys = classlink::Keys {
        address: shape.address.clone(),
        key: shape.key.clone(),
        secret: shape.secret.clone(),
        signature: shape.signature.unwrap_or_default(),
        version: shape.oauth_version.unwrap_or(false),
        pages_max: shape.pages_max,
    };
    classlink::build(id, pull, &shape.classlink, keys, read)
}

/// A source of Clever. `None` only if something that must be there is absent.
pub fn of_clever(id: &str, pull: String, shape: &NetworkShape, read: ReadSettings) -> Option<SourceSettings> {
    let keys = clever::Keys {
        address: shape.address.clone(),
        token_address: shape.token_address.clone(),
        client_id: shape.client_id.clone(),
        client_secret: shape.client_secret.clone(),
        token: shape.token.clone(),
    };
    clever::build(id, pull, &shape.clever, keys, read)
}

/// A OneRoster REST source. `None` only if something that must be there is absent.
pub fn oneroster(id: &str, pull: String, shape: &NetworkShape, read: ReadSettings) -> Option<SourceSettings> {
    let auth = match shape.auth? {
        AuthWord::OAuth1 => RestAuth::OAuth1 {
            key: shape.key.clone()?,
            secret: shape.secret.clone()?,
            signature: shape.signature.unwrap_or_default(),
            version: shape.oauth_version.unwrap_or(false),
        },
        AuthWord::OAuth2 => RestAuth::OAuth2(token_service(shape)?),
        AuthWord::Bearer => RestAuth::Bearer(shape.token.clone()?),
        AuthWord::Basic | AuthWord::Key => return None,
    };
    Some(SourceSettings::OneRosterRest(Box::new(RestSettings {
        id: SourceId::from(id),
        pull,
        address: shape.address.clone()?,
        version: shape.version?,
        auth,
        read,
    })))
}

fn token_service(shape: &NetworkShape) -> Option<OAuth2Settings> {
    Some(OAuth2Settings {
        token_address: shape.token_address.clone()?,
        client_id: shape.client_id.clone()?,
        client_secret: shape.client_secret.clone()?,
        scopes: shape.scopes.clone().unwrap_or_default(),
        client_auth: shape.client_auth.unwrap_or_default(),
        cookies: shape.cookies.unwrap_or(false),
    })
}

/// An HR source of this kind. `customer` is id and name. `None` only if something that must be there is absent.
pub fn hr_source(
    kind: SourceKind,
    id: &str,
    pull: String,
    shape: &NetworkShape,
    read: ReadSettings,
    customer: (&str, &str),
    calendar: &Calendar,
) -> Option<SourceSettings> {
    let auth = match shape.auth? {
        AuthWord::Basic => HrAuth::Basic { user: shape.hr.user.clone()?, password: shape.hr.password.clone()? },
        // BambooHR takes the key for the user, and any password.
        AuthWord::Key => HrAuth::Basic { user: shape.key.clone()?, password: Secret::new("x") },
        AuthWord::Bearer => HrAuth::Bearer(shape.token.clone()?),
        AuthWord::OAuth2 => HrAuth::OAuth2(token_service(shape)?),
        AuthWord::OAuth1 => return None,
    };
    let place = Place {
        id: id.to_owned(),
        pull,
        address: shape.address.clone()?,
        auth,
        fields: shape.fields,
        sort: shape.sort,
        page_rows: shape.page_rows,
        pages_max: read.pages_max,
        resume_minutes: read.resume_minutes,
        has_timeout: shape.timeout_secs.is_some(),
        mib_max: shape.files.mib_max,
        http: read.http,
    };
    let settings = hr::build(kind, &shape.hr, place, &read.keep_metadata, customer, calendar)?;
    Some(SourceSettings::Hr(Box::new(settings)))
}

#[cfg(test)]
mod tests;
