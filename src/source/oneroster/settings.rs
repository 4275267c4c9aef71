//! How one OneRoster REST source is set up; filled by the settings folder.

use crate::base::{Secret, SourceId};
use crate::source::http::HttpSettings;
use crate::source::oneroster::auth::OAuth2Settings;

/// Which binding a provider speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RestVersion {
    /// 1.1: one role, several orgs.
    V1_1,
    /// 1.2: roles with orgs and dates of their own.
    V1_2,
}

/// How OAuth 1 requests are signed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Signature {
    /// HMAC-SHA1.
    Sha1,
    /// HMAC-SHA256.
    #[default]
    Sha256,
}

impl Signature {
    /// Its name on the wire.
    pub fn word(self) -> &'static str {
        match self {
            Signature::Sha1 => "HMAC-SHA1",
            Signature::Sha256 => "HMAC-SHA256",
        }
    }
}

/// How a source signs in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RestAuth {
    /// OAuth 1.0a: each request is signed.
    OAuth1 {
        /// The consumer key.
        key: Secret,
        /// The consumer secret.
        secret: Secret,
        /// The method.
        signature: Signature,
        /// Send `oauth_version`.
        version: bool,
    },
    /// OAuth 2 client credentials: a token service gives out tokens that expire.
    OAuth2(OAuth2Settings),
    /// A fixed token.
    Bearer(Secret),
}

/// One OneRoster REST feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestSettings {
    /// Its id.
    pub id: SourceId,
    /// Under which name its pages are kept: customer and source.
    pub pull: String,
    /// The service root, for example `https://sis.example/ims/oneroster/v1p1`; used exactly as given.
    pub address: String,
    /// The binding.
    pub version: RestVersion,
    /// How it signs in.
    pub auth: RestAuth,
    /// How it asks.
    pub read: ReadSettings,
}

/// How collections are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadSettings {
    /// Records asked for at once.
    pub page_rows: u32,
    /// Requests of one pull at most.
    pub pages_max: u32,
    /// Ask for an order, which makes offsets mean something.
    pub sort: bool,
    /// Ask for the needed fields only.
    pub fields: bool,
    /// Ask for changes only, where possible (R106).
    pub delta: bool,
    /// How far a question for changes reaches back behind the last read: clocks differ, and writing takes time.
    pub delta_overlap_minutes: u32,
    /// How long the pages of a pull that broke off may be used, in minutes.
    pub resume_minutes: u32,
    /// Take known deviations in references with a warning each.
    pub lenient: bool,
    /// Take classes without a course.
    pub courses_optional: bool,
    /// `metadata.` fields of users that are handed on as attributes, by their full names.
    pub keep_metadata: Vec<String>,
    /// What is put before every id, so that the ids of two tenants differ; may be empty.
    pub id_prefix: String,
    /// Bounds and manners of requests.
    pub http: HttpSettings,
}

impl Default for ReadSettings {
    fn default() -> Self {
        Self {
            page_rows: 1_000,
            pages_max: 20_000,
            sort: true,
            fields: false,
            delta: false,
            delta_overlap_minutes: 15,
            resume_minutes: 60,
            lenient: false,
            courses_optional: false,
            keep_metadata: Vec::new(),
            id_prefix: String::new(),
            http: HttpSettings::default(),
        }
    }
}
