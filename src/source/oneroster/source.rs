//! The source: one OneRoster provider at a configured address.

use std::sync::Arc;

use crate::base::{Instant, SourceId};
use crate::roster::{Room, RosterIntake};
use crate::source::api::{Package, Read, RosterSource, Seen, SourceError, Trouble};
use crate::source::http::{Authorize, Bearer, Network};
use crate::source::oneroster::auth::OAuth2;
use crate::source::oneroster::rest::{Address, Rest};
use crate::source::oneroster::settings::{RestAuth, RestSettings};
use crate::source::oneroster::sign::OAuth1;
use crate::source::shelf::PageStore;

/// A OneRoster REST feed.
pub struct RestSource {
    id: SourceId,
    at: Address,
    /// Where tokens come from.
    tokens: Option<String>,
    rest: Rest,
}

impl RestSource {
    /// A source with these settings. Nothing is reached yet.
    pub fn new(settings: RestSettings, network: &Network, pages: Arc<dyn PageStore>) -> Self {
        let RestSettings { id, pull, address, version, auth, read } = settings;
        let tokens = if let RestAuth::OAuth2(service) = &auth { Some(service.token_address.clone()) } else { None };
        let auth: Arc<dyn Authorize> = match auth {
            RestAuth::OAuth1 { key, secret, signature, version } => Arc::new(OAuth1 { key, secret, signature, version }),
            RestAuth::OAuth2(service) => Arc::new(OAuth2::new(service, network, read.http.clone())),
            RestAuth::Bearer(token) => Arc::new(Bearer(token)),
        };
        Self { id, at: Address { root: address, auth }, tokens, rest: Rest::new(pull, version, read, network, pages) }
    }
}

/// What is to be read, seen from the cursor: nothing new, changes, or everything. `probe` tells the revision now.
pub(crate) fn offer(
    rest: &Rest,
    seen: &Seen,
    location: &str,
    probe: impl FnOnce() -> Result<Option<String>, SourceError>,
) -> Result<Package, SourceError> {
    let when = seen.now.unwrap_or_else(|| rest.network.pace().now());
    let package = |what: &str, digest, since| Package {
        name: format!("{} {what}", Instant(when.0 / 1000 * 1000)),
        location: location.to_owned(),
        digest,
        bytes: 0,
        since,
    };
    if let Some(cursor) = seen.cursor.as_deref() {
        if let (Some(known), Some(digest)) = (Rest::revision_of(cursor), seen.digest)
            && probe()?.as_deref() == Some(known)
        {
            return Ok(package("unchanged", Some(digest), None));
        }
        if let Some(moment) = rest.moment_of(cursor) {
            return Ok(package("changes", None, Some(moment.to_owned())));
        }
    }
    Ok(package("everything", None, None))
}

impl RosterSource for RestSource {
    fn id(&self) -> &SourceId {
        &self.id
    }

    fn pending(&self, seen: &Seen) -> Result<Vec<Package>, SourceError> {
        Ok(vec![offer(&self.rest, seen, &self.at.root, || Ok(self.rest.probe(&self.at)?.revision))?])
    }

    fn pull(&self, package: &Package, intake: &mut RosterIntake) -> Result<Read, SourceError> {
        self.rest.pull(&self.at, package.since.as_deref(), intake)
    }

    fn feed_again(&self, intake: &mut RosterIntake) -> Option<Result<(), SourceError>> {
        self.rest.feed_again(intake)
    }

    fn feeds_again(&self) -> bool {
        true
    }

    fn room(&self) -> Option<Arc<dyn Room>> {
        self.rest.room()
    }

    fn is_incremental(&self, package: &Package) -> Result<bool, SourceError> {
        Ok(package.since.is_some())
    }

    fn is_live(&self) -> bool {
        true
    }

    fn trouble(&self) -> Option<Trouble> {
        let outage = |address: &str| self.rest.network.outage(address);
        outage(&self.at.root).or_else(|| outage(self.tokens.as_deref()?)).map(Trouble::Down)
    }

    fn done(&self) {
        self.rest.done();
    }

    fn check(&self) -> Result<String, SourceError> {
        let fetched = self.rest.probe(&self.at)?;
        let revision = fetched.revision.map(|revision| format!(", revision {revision}")).unwrap_or_default();
        Ok(format!("{}: answers{revision}", self.at.root))
    }
}
