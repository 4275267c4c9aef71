//! How one Clever source is set up; filled by the settings folder.

use crate::base::{Secret, SourceId};
use crate::source::http::HttpSettings;

/// The version of the data API.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CleverVersion {
    /// 3.0.
    #[default]
    V3_0,
    /// 3.1.
    V3_1,
}

impl CleverVersion {
    /// Its segment in addresses.
    pub fn word(self) -> &'static str {
        match self {
            CleverVersion::V3_0 => "v3.0",
            CleverVersion::V3_1 => "v3.1",
        }
    }
}

/// How the source signs in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CleverAuth {
    /// With the token of the district.
    Token(Secret),
    /// By the list of the tokens of all districts.
    Client {
        /// Where the list is.
        token_address: String,
        /// The application's id.
        id: Secret,
        /// The application's secret.
        secret: Secret,
    },
}

/// What Clever's staff are in a roster (clever §11).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StaffRole {
    /// `aide`.
    #[default]
    Aide,
    /// `siteAdministrator`.
    SiteAdministrator,
}

impl StaffRole {
    /// The role's word.
    pub fn word(self) -> &'static str {
        match self {
            StaffRole::Aide => "aide",
            StaffRole::SiteAdministrator => "siteAdministrator",
        }
    }
}

/// One Clever feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CleverSettings {
    /// Its id.
    pub id: SourceId,
    /// Under which name its pages are kept: customer and source.
    pub pull: String,
    /// Clever's id of the district.
    pub district: String,
    /// Where the data API is, without the version.
    pub address: String,
    /// Its version.
    pub version: CleverVersion,
    /// How it signs in.
    pub auth: CleverAuth,
    /// What staff are.
    pub staff: StaffRole,
    /// Read events between full reads (R106).
    pub events: bool,
    /// Records asked for at once.
    pub page_rows: u32,
    /// Requests of one pull at most.
    pub pages_max: u32,
    /// How long the pages of a pull that broke off may be used, in minutes.
    pub resume_minutes: u32,
    /// Bounds and manners of requests.
    pub http: HttpSettings,
}

impl CleverSettings {
    /// The data API, unless somebody says otherwise.
    pub const ADDRESS: &'static str = "https://api.clever.com";
    /// The list of tokens, unless somebody says otherwise.
    pub const TOKEN_ADDRESS: &'static str = "https://clever.com/oauth/tokens";
}
