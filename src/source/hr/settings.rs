//! What HR sources over the network are told; filled by the settings folder.

use std::sync::Arc;

use crate::base::{Secret, SourceId};
use crate::source::hr::mapping::HrMapping;
use crate::source::http::{Authorize, Basic, Bearer, HttpSettings, Network};
use crate::source::oneroster::{OAuth2, OAuth2Settings};

/// How to sign in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HrAuth {
    /// A user and a password.
    Basic {
        /// The user.
        user: Secret,
        /// The password.
        password: Secret,
    },
    /// A fixed token.
    Bearer(Secret),
    /// Tokens of a token service.
    OAuth2(OAuth2Settings),
}

impl HrAuth {
    pub(crate) fn authorize(self, network: &Network, http: &HttpSettings) -> Arc<dyn Authorize> {
        match self {
            HrAuth::Basic { user, password } => Arc::new(Basic { user, password }),
            HrAuth::Bearer(token) => Arc::new(Bearer(token)),
            HrAuth::OAuth2(service) => Arc::new(OAuth2::new(service, network, http.clone())),
        }
    }
}

/// Which system it is, and what it is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HrSystem {
    /// SCIM 2.0: `Users` below the address.
    Scim {
        /// A filter, in SCIM's own words; `None`: everybody.
        filter: Option<String>,
        /// Ask for users sorted by id.
        sort: bool,
        /// Ask for the needed attributes only.
        attributes: bool,
    },
    /// BambooHR: the address ends in `/v1`.
    BambooHr {
        /// The number of a saved report; `None`: the directory.
        report: Option<String>,
    },
    /// A Workday report at the address.
    Workday {
        /// As CSV; else as JSON.
        csv: bool,
        /// Prompts: alias and value.
        prompts: Vec<(String, String)>,
    },
}

/// An HR source over the network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HrSettings {
    /// Its id.
    pub id: SourceId,
    /// Customer and source: the name of its pulls.
    pub pull: String,
    /// Where the system is.
    pub address: String,
    /// How to sign in.
    pub auth: HrAuth,
    /// Which system.
    pub system: HrSystem,
    /// What its columns mean.
    pub mapping: HrMapping,
    /// Records asked for at once.
    pub page_rows: u32,
    /// Requests of one pull at most.
    pub pages_max: u32,
    /// How long the pages of a pull that broke off may be used, in minutes.
    pub resume_minutes: u32,
    /// Bounds and manners of requests.
    pub http: HttpSettings,
}
