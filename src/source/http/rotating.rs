//! Credentials that a directory of the vendor gives out, and exchanges without a word (classlink §3, clever §5).

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::base::{Digest, Instant};
use crate::source::http::auth::{Authorize, Header, Outgoing};
use crate::source::http::error::{HttpError, Refusal};

/// A credential, and what tells it from another one.
#[derive(Clone)]
pub(crate) struct Credential {
    pub(crate) mark: Digest,
    pub(crate) auth: Arc<dyn Authorize>,
}

/// Asks the directory; `None`: it has none any more.
type Ask = dyn Fn() -> Result<Option<Credential>, HttpError> + Send + Sync;

/// Signs in with the credential of a directory. After the first 401 of its life the directory is asked again, once.
pub(crate) struct Rotating {
    ask: Box<Ask>,
    state: Mutex<State>,
}

struct State {
    now: Credential,
    asked: bool,
}

impl Rotating {
    /// Starts with a credential; `ask` tells the one of the moment.
    pub(crate) fn new(
        now: Credential,
        ask: impl Fn() -> Result<Option<Credential>, HttpError> + Send + Sync + 'static,
    ) -> Self {
        Self { ask: Box::new(ask), state: Mutex::new(State { now, asked: false }) }
    }

    /// A credential is there as a whole, whatever happened to whoever exchanged it.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Authorize for Rotating {
    fn headers(&self, request: &Outgoing<'_>) -> Result<Vec<Header>, HttpError> {
        let auth = self.lock().now.auth.clone();
        auth.headers(request)
    }

    fn renew(&self) -> Result<bool, HttpError> {
        if std::mem::replace(&mut self.lock().asked, true) {
            return Ok(false);
        }
        let found = (self.ask)()?;
        let mut state = self.lock();
        let fresh = found.filter(|found| found.mark != state.now.mark);
        Ok(fresh.map(|fresh| state.now = fresh).is_some())
    }

    fn hint(&self, refusal: &Refusal, now: Instant) -> Option<String> {
        let auth = self.lock().now.auth.clone();
        auth.hint(refusal, now)
    }
}
