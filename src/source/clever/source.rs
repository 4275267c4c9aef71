//! The source: one district of Clever.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::base::{Digest, Instant, Secret, SourceId};
use crate::roster::{Room, RosterIntake};
use crate::source::api::{Package, Read, RosterSource, Seen, SourceError, Trouble};
use crate::source::clever::account::Account;
use crate::source::clever::cursor::Cursor;
use crate::source::clever::pull::Clever;
use crate::source::clever::settings::{CleverAuth, CleverSettings};
use crate::source::http::{Authorize, Basic, Bearer, Credential, Network, Rotating};
use crate::source::shelf::PageStore;

/// What the list of tokens is called in errors.
const TOKENS: &str = "tokens";

/// A Clever feed.
pub struct CleverSource {
    id: SourceId,
    clever: Clever,
    door: Door,
    state: Mutex<State>,
}

enum Door {
    /// The district's own token.
    Own(Secret),
    /// The list of all tokens, and where it is.
    Listed(Arc<Account>, String),
}

#[derive(Default)]
struct State {
    /// What the district's own data had come to at the last read.
    sync: Option<String>,
    /// Why we were not let in when we last asked.
    withdrawn: Option<String>,
}

impl CleverSource {
    /// A source with these settings. Nothing is reached yet.
    pub fn new(settings: CleverSettings, network: &Network, pages: Arc<dyn PageStore>) -> Self {
        let door = match &settings.auth {
            CleverAuth::Token(token) => Door::Own(token.clone()),
            CleverAuth::Client { token_address, id, secret } => {
                let client = Basic { user: id.clone(), password: secret.clone() };
                let both = [id, secret].map(|secret| secret.expose().unwrap_or_default()).join("\u{0}");
                let make = || Account::new(token_address, client.clone(), network, settings.http.clone());
                let name = format!("clever {token_address} {}", Digest::of(both.as_bytes()));
                Door::Listed(network.account(name, make), token_address.clone())
            }
        };
        let id = settings.id.clone();
        Self { id, clever: Clever::new(settings, network, pages), door, state: Mutex::default() }
    }

    /// Two independent values, whole at every moment.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A way to sign in that is good for one run.
    fn open(&self) -> Result<Arc<dyn Authorize>, SourceError> {
        let district = &self.clever.settings.district;
        let (account, address) = match &self.door {
            Door::Own(token) => return Ok(Arc::new(Bearer(token.clone()))),
            Door::Listed(account, address) => (account.clone(), address.clone()),
        };
        let failed = |cause| SourceError::Upstream { what: TOKENS, upstream: address, cause: Box::new(cause) };
        let gone = || self.disconnected(&format!("Clever has no token of district {district}"));
        let token = account.find(district).map_err(failed)?.ok_or_else(gone)?;
        let own = district.clone();
        Ok(Arc::new(Rotating::new(bearing(token), move || Ok(account.find_anew(&own)?.map(bearing)))))
    }

    /// The outcome of asking, noted and told.
    fn noted<T>(&self, done: Result<T, SourceError>) -> Result<T, SourceError> {
        let done = done.map_err(|error| match error {
            SourceError::Upstream { what, cause, .. } if matches!(cause.status(), Some(401 | 403)) && what != TOKENS => {
                self.disconnected(&cause.to_string())
            }
            other => other,
        });
        self.lock().withdrawn = match &done {
            Err(SourceError::Disconnected { why, .. }) => Some(why.clone()),
            Ok(_) | Err(_) => None,
        };
        done
    }

    fn disconnected(&self, why: &str) -> SourceError {
        let why = format!("{why}; ask the district whether it still shares its roster with the application");
        SourceError::Disconnected { upstream: self.clever.root(), why: format!("disconnected: {why}") }
    }
}

fn bearing(token: Secret) -> Credential {
    Credential { mark: Digest::of(token.expose().unwrap_or_default().as_bytes()), auth: Arc::new(Bearer(token)) }
}

impl RosterSource for CleverSource {
    fn id(&self) -> &SourceId {
        &self.id
    }

    fn pending(&self, seen: &Seen) -> Result<Vec<Package>, SourceError> {
        let now = self.clever.network().pace().now();
        let cursor = seen.cursor.as_deref().and_then(Cursor::parse);
        self.lock().sync = cursor.as_ref().and_then(|cursor| cursor.sync.clone());
        let is_good = |cursor: &Cursor| self.clever.settings.events && cursor.event.is_some() && cursor.is_young(now);
        let since = cursor.filter(is_good).map(|cursor| cursor.to_string());
        let when = seen.now.unwrap_or(now);
        let what = if since.is_some() { "changes" } else { "everything" };
        let name = format!("{} {what}", Instant(when.0 / 1000 * 1000));
        Ok(vec![Package { name, location: self.clever.root(), digest: None, bytes: 0, since }])
    }

    fn pull(&self, package: &Package, intake: &mut RosterIntake) -> Result<Read, SourceError> {
        let since = package.since.as_deref().and_then(Cursor::parse);
        let sync = self.lock().sync.clone();
        let auth = self.open();
        self.noted(auth.and_then(|auth| self.clever.pull(&*auth, since.as_ref(), sync.as_deref(), intake)))
    }

    fn feed_again(&self, intake: &mut RosterIntake) -> Option<Result<(), SourceError>> {
        self.clever.feed_again(intake)
    }

    fn feeds_again(&self) -> bool {
        true
    }

    fn room(&self) -> Option<Arc<dyn Room>> {
        self.clever.room()
    }

    fn is_incremental(&self, package: &Package) -> Result<bool, SourceError> {
        Ok(package.since.is_some())
    }

    fn is_live(&self) -> bool {
        true
    }

    fn trouble(&self) -> Option<Trouble> {
        let withdrawn = self.lock().withdrawn.clone().map(Trouble::Disconnected);
        let outage = |address: &str| self.clever.network().outage(address).map(Trouble::Down);
        let tokens = || match &self.door {
            Door::Listed(_, address) => outage(address),
            Door::Own(_) => None,
        };
        withdrawn.or_else(|| outage(&self.clever.settings.address)).or_else(tokens)
    }

    fn hint(&self) -> Option<&'static str> {
        Some(
            "at Clever a change of what the district shares, a rollover after a pause, or an upload that was cut off adds or \
             removes many at once",
        )
    }

    fn done(&self) {
        self.clever.done();
    }

    fn check(&self) -> Result<String, SourceError> {
        let auth = self.open();
        let district = self.noted(auth.and_then(|auth| self.clever.district(&*auth)))?;
        Ok(format!("{}: {}", self.clever.root(), district.text()))
    }
}
