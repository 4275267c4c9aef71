//! How one ClassLink source is set up; filled by the settings folder.

use crate::base::{Secret, SourceId};
use crate::source::oneroster::{ReadSettings, Signature};

/// How the roster of a district is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClassLinkAccess {
    /// Through the vendor's proxy, with the bearer of the district.
    Proxy {
        /// The proxy.
        address: String,
        /// The partner's key.
        key: Secret,
    },
    /// At the district's own address, which the proxy tells with the keys to it.
    Server {
        /// The proxy.
        address: String,
        /// The partner's key.
        key: Secret,
        /// How requests are signed.
        signature: Signature,
        /// Send `oauth_version`.
        version: bool,
    },
    /// At the district's own address, with keys that somebody typed in.
    Direct {
        /// The endpoint of the district.
        address: String,
        /// The consumer key.
        key: Secret,
        /// The consumer secret.
        secret: Secret,
        /// How requests are signed.
        signature: Signature,
        /// Send `oauth_version`.
        version: bool,
    },
}

/// One ClassLink feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClassLinkSettings {
    /// Its id.
    pub id: SourceId,
    /// Under which name its pages are kept: customer and source.
    pub pull: String,
    /// The district; empty only with [`ClassLinkAccess::Direct`].
    pub tenant: String,
    /// Which of the district's applications, if it has several.
    pub application: Option<String>,
    /// How it is reached.
    pub access: ClassLinkAccess,
    /// How it is asked.
    pub read: ReadSettings,
}

impl ClassLinkSettings {
    /// The proxy, unless somebody says otherwise.
    pub const PROXY: &'static str = "https://oneroster-proxy.apis.classlink.com";
}
