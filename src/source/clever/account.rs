//! The tokens of all districts that connected the application (clever §1). Asked for once for all of them, and again when the
//! list is old or a token is not accepted.

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Deserialize;

use crate::base::{Instant, Secret};
use crate::source::clever::envelope::facts;
use crate::source::clever::wire::Maybe;
use crate::source::http::{Basic, Http, HttpError, HttpSettings, Network};
use crate::source::oneroster::{Loose, each_record};

/// A list older than this is asked for again, in milliseconds: each night sees a new one.
const AGE_MILLIS_MAX: i64 = 12 * 3_600_000;
/// No list has more pages than this.
const PAGES_MAX: usize = 1_000;

#[derive(Default, Deserialize)]
#[serde(default)]
struct TokenWire<'a> {
    #[serde(borrow)]
    owner: Maybe<OwnerWire<'a>>,
    #[serde(borrow)]
    access_token: Loose<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct OwnerWire<'a> {
    #[serde(borrow, rename = "type")]
    kind: Loose<'a>,
    #[serde(borrow)]
    id: Loose<'a>,
}

/// District and token.
type Tokens = Vec<(String, Secret)>;

/// An application's account, shared by all of its districts.
pub(crate) struct Account {
    address: String,
    client: Basic,
    network: Network,
    http: HttpSettings,
    listed: Mutex<Option<(Instant, Tokens)>>,
}

impl Account {
    pub(crate) fn new(address: &str, client: Basic, network: &Network, http: HttpSettings) -> Self {
        Self { address: address.to_owned(), client, network: network.clone(), http, listed: Mutex::new(None) }
    }

    /// A list is there as a whole, whoever died while asking for it. It is asked for under the lock: whoever wants it too
    /// waits for the same answer.
    fn lock(&self) -> MutexGuard<'_, Option<(Instant, Tokens)>> {
        self.listed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The token of a district by a list that is not old; one without it is asked for again.
    pub(crate) fn find(&self, district: &str) -> Result<Option<Secret>, HttpError> {
        let now = self.network.pace().now();
        let of = |tokens: &Tokens| tokens.iter().find(|(owner, _)| owner == district).map(|(_, token)| token.clone());
        let mut listed = self.lock();
        let known = listed.as_ref().filter(|(at, _)| (0..AGE_MILLIS_MAX).contains(&(now.0 - at.0)));
        if let Some(token) = known.and_then(|(_, tokens)| of(tokens)) {
            return Ok(Some(token));
        }
        let fresh = self.list()?;
        let token = of(&fresh);
        *listed = Some((now, fresh));
        Ok(token)
    }

    /// The same by a new list.
    pub(crate) fn find_anew(&self, district: &str) -> Result<Option<Secret>, HttpError> {
        *self.lock() = None;
        self.find(district)
    }

    fn list(&self) -> Result<Tokens, HttpError> {
        let http = Http::new(&self.network, &self.address, &self.http)?;
        let mut url = http.base().clone();
        url.set_query(Some("owner_type=district"));
        let mut tokens = Tokens::new();
        for _ in 0..PAGES_MAX {
            let answer = http.get(&self.client, |_| url.clone())?;
            let text = answer.text()?;
            let found = each_record(text, "data", &mut |TokenWire { owner, access_token }: TokenWire<'_>| {
                let owner = owner.0.filter(|owner| owner.kind.text() == Some("district"));
                if let (Some(id), Some(token)) = (owner.as_ref().and_then(|owner| owner.id.text()), access_token.text()) {
                    tokens.push((id.to_owned(), Secret::new(token)));
                }
            });
            match found {
                Ok(true) => {}
                Ok(false) => {
                    let found = "something else instead of tokens".to_owned();
                    return Err(HttpError::NotJson { address: self.address.clone(), found });
                }
                Err(error) => return Err(answer.broken_json(&error)),
            }
            let next = facts(text).map_err(|error| answer.broken_json(&error))?.and_then(|facts| facts.next);
            match next {
                Some(next) if http.link(&next)? != url => url = http.link(&next)?,
                Some(_) | None => break,
            }
        }
        Ok(tokens)
    }
}
