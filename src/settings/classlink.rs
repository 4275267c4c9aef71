//! The keys of `kind = "classlink"`.

use crate::base::{Secret, SourceId};
use crate::settings::read::Section;
use crate::settings::words;
use crate::source::{ClassLinkAccess, ClassLinkSettings, ReadSettings, Signature, SourceSettings};

/// How the roster of a district is reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AccessWord {
    /// `proxy`.
    #[default]
    Proxy,
    /// `server`.
    Server,
    /// `direct`.
    Direct,
}

/// The keys that no other kind has.
#[derive(Default)]
pub struct ClassLinkShape {
    /// `access`.
    pub access: AccessWord,
    /// `api_key`.
    pub api_key: Option<Secret>,
    /// `tenant`.
    pub tenant: Option<i64>,
    /// `application`.
    pub application: Option<String>,
    /// `qualify_ids`.
    pub qualify_ids: bool,
}

/// Those keys, …
pub const OWN: [&str; 5] = ["access", "api_key", "tenant", "application", "qualify_ids"];
/// … and keys of other sources over the network that mean nothing here.
pub const FOREIGN: [&str; 11] = [
    "version",
    "auth",
    "token_address",
    "client_id",
    "client_secret",
    "client_auth",
    "scopes",
    "cookies",
    "token",
    "delta",
    "delta_overlap_minutes",
];

/// So many requests a district may need, unless somebody says otherwise (classlink §5).
const PAGES_MAX: u32 = 2_000;

/// Reads the keys.
pub fn classlink(s: &Section<'_>, is_classlink: bool) -> ClassLinkShape {
    let words = [("proxy", AccessWord::Proxy), ("server", AccessWord::Server), ("direct", AccessWord::Direct)];
    let access = s.parsed("access", words::one_of(&words)).unwrap_or_default();
    let by_partner = is_classlink && access != AccessWord::Direct;
    let shape = ClassLinkShape {
        access,
        api_key: if by_partner { s.required_secret("api_key") } else { s.secret("api_key") },
        tenant: s.number("tenant", 0..=i64::MAX),
        application: s.text("application"),
        qualify_ids: s.flag("qualify_ids").unwrap_or(false),
    };
    if is_classlink && (by_partner || shape.qualify_ids) {
        s.required("tenant", shape.tenant);
    }
    if is_classlink && access == AccessWord::Direct {
        s.required("address", s.has("address").then_some(()));
        s.means_nothing(&["api_key", "application"], "access = \"direct\"");
    }
    shape
}

/// What is told by keys that other kinds have, too.
pub struct Keys {
    /// `address`.
    pub address: Option<String>,
    /// `key`.
    pub key: Option<Secret>,
    /// `secret`.
    pub secret: Option<Secret>,
    /// `signature`.
    pub signature: Signature,
    /// `oauth_version`.
    pub version: bool,
    /// `max_pages`.
    pub pages_max: Option<u32>,
}

/// A ClassLink source. `None` only if something that must be there is absent.
pub fn build(id: &str, pull: String, shape: &ClassLinkShape, keys: Keys, read: ReadSettings) -> Option<SourceSettings> {
    let ClassLinkShape { access, api_key, tenant, application, qualify_ids } = shape;
    let Keys { address, key, secret, signature, version, pages_max } = keys;
    let proxy = || address.clone().unwrap_or_else(|| ClassLinkSettings::PROXY.to_owned());
    let tenant = tenant.map_or_else(String::new, |tenant| tenant.to_string());
    let access = match access {
        AccessWord::Proxy => ClassLinkAccess::Proxy { address: proxy(), key: api_key.clone()? },
        AccessWord::Server => ClassLinkAccess::Server { address: proxy(), key: api_key.clone()?, signature, version },
        AccessWord::Direct => {
            ClassLinkAccess::Direct { address: address.clone()?, key: key?, secret: secret?, signature, version }
        }
    };
    let id_prefix = if *qualify_ids { format!("{tenant}:") } else { String::new() };
    let read = ReadSettings { pages_max: pages_max.unwrap_or(PAGES_MAX), id_prefix, ..read };
    let (id, application) = (SourceId::from(id), application.clone());
    Some(SourceSettings::ClassLink(Box::new(ClassLinkSettings { id, pull, tenant, application, access, read })))
}
