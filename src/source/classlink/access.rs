//! How one gets in at a district (classlink §1 to §3).

use std::sync::Arc;

use crate::base::{Digest, Secret};
use crate::source::api::SourceError;
use crate::source::classlink::account::{Account, Application, Found};
use crate::source::classlink::settings::{ClassLinkAccess, ClassLinkSettings};
use crate::source::http::{Authorize, Bearer, Credential, HttpError, Network, Rotating};
use crate::source::oneroster::{Address, OAuth1, Signature};

/// What the partner's key is good for.
const APPLICATIONS: &str = "applications";
const SERVER: &str = "the district's address";
/// What stands behind the endpoint of a district.
const SERVICE: &str = "/ims/oneroster/v1p1";

/// Finds out, for each run anew, where a district is and how to sign in there.
pub(crate) struct Way {
    /// Where is asked first: the proxy, or the district.
    first: String,
    tenant: String,
    application: Option<String>,
    door: Door,
}

enum Door {
    /// Keys that somebody typed in.
    Own(Credential),
    /// By the partner's account: the proxy, or the district itself, where requests are signed.
    Partner(Arc<Account>, Option<Signing>),
}

/// How requests to the district itself are signed.
#[derive(Clone, Copy)]
struct Signing {
    signature: Signature,
    version: bool,
}

impl Way {
    pub(crate) fn new(settings: ClassLinkSettings, network: &Network) -> Self {
        let ClassLinkSettings { tenant, application, access, read, .. } = settings;
        let account = |address: &str, key: Secret| {
            let whose = Digest::of(key.expose().unwrap_or_default().as_bytes());
            let make = || Account::new(address, key.clone(), network, read.http.clone());
            network.account(format!("classlink {address} {whose}"), make)
        };
        let (first, door) = match access {
            ClassLinkAccess::Proxy { address, key } => {
                let door = Door::Partner(account(&address, key), None);
                (address, door)
            }
            ClassLinkAccess::Server { address, key, signature, version } => {
                let door = Door::Partner(account(&address, key), Some(Signing { signature, version }));
                (address, door)
            }
            ClassLinkAccess::Direct { address, key, secret, signature, version } => {
                (address, Door::Own(signed(key, secret, Signing { signature, version })))
            }
        };
        Self { first, tenant, application, door }
    }

    /// Where is asked first.
    pub(crate) fn first(&self) -> &str {
        &self.first
    }

    /// The district's address, and a way to sign in there that is good for one run.
    pub(crate) fn open(&self) -> Result<Address, SourceError> {
        let (account, signing) = match &self.door {
            Door::Own(credential) => {
                return Ok(Address { root: service_root(&self.first), auth: credential.auth.clone() });
            }
            Door::Partner(account, signing) => (account, *signing),
        };
        let application = self.application(account)?;
        let Some(signing) = signing else {
            let root = format!("{}/{}{SERVICE}", account.root(), application.path);
            let Some(bearer) = application.bearer else {
                return Err(self.disconnected(&format!("tenant {} has no bearer", self.tenant)));
            };
            let ask = self.asks_anew(account, |_, application| Ok(application.bearer.clone().map(bearing)));
            return Ok(Address { root, auth: Arc::new(Rotating::new(bearing(bearer), ask)) });
        };
        let (endpoint, key, secret) = account.server(&application).map_err(|cause| self.failed(SERVER, cause))?;
        let root = service_root(&endpoint);
        let ask = self.asks_anew(account, {
            let root = root.clone();
            move |account, application| {
                let (endpoint, key, secret) = account.server(application)?;
                // Another address is one for the next run.
                Ok((service_root(&endpoint) == root).then(|| signed(key, secret, signing)))
            }
        });
        Ok(Address { root, auth: Arc::new(Rotating::new(signed(key, secret, signing), ask)) })
    }

    /// What to tell of an error: a district that does not let us in has withdrawn its permission. That the partner's own
    /// key is refused is no district's doing.
    pub(crate) fn told(&self, error: SourceError) -> SourceError {
        match error {
            SourceError::Upstream { what, upstream, cause }
                if matches!(cause.status(), Some(401 | 403)) && ![APPLICATIONS, SERVER].contains(&what) =>
            {
                SourceError::Disconnected { upstream, why: withdrawn(&cause.to_string()) }
            }
            other => other,
        }
    }

    fn application(&self, account: &Account) -> Result<Application, SourceError> {
        match account.find(&self.tenant, self.application.as_deref()) {
            Ok(Found::One(found)) => Ok(found),
            Ok(Found::None(why)) => Err(self.disconnected(&why)),
            Ok(Found::Several(why)) => Err(SourceError::Unusable { upstream: self.first.clone(), why }),
            Err(cause) => Err(self.failed(APPLICATIONS, cause)),
        }
    }

    /// Asks the partner's account for the application once more, and for what `credential` makes of it.
    fn asks_anew(
        &self,
        account: &Arc<Account>,
        credential: impl Fn(&Account, &Application) -> Result<Option<Credential>, HttpError> + Send + Sync + 'static,
    ) -> impl Fn() -> Result<Option<Credential>, HttpError> + Send + Sync + 'static {
        let (account, tenant, name) = (account.clone(), self.tenant.clone(), self.application.clone());
        move || match account.find_anew(&tenant, name.as_deref())? {
            Found::One(application) => credential(&account, &application),
            Found::None(_) | Found::Several(_) => Ok(None),
        }
    }

    fn failed(&self, what: &'static str, cause: HttpError) -> SourceError {
        SourceError::Upstream { what, upstream: self.first.clone(), cause: Box::new(cause) }
    }

    fn disconnected(&self, why: &str) -> SourceError {
        SourceError::Disconnected { upstream: self.first.clone(), why: withdrawn(why) }
    }
}

fn withdrawn(why: &str) -> String {
    format!("district_not_authorised: {why}; ask the district whether it still shares its roster with the application")
}

/// The service root of an endpoint, which may be one already.
fn service_root(endpoint: &str) -> String {
    let endpoint = endpoint.trim_end_matches('/');
    if endpoint.contains("/ims/oneroster/") { endpoint.to_owned() } else { format!("{endpoint}{SERVICE}") }
}

fn bearing(bearer: Secret) -> Credential {
    Credential { mark: Digest::of(bearer.expose().unwrap_or_default().as_bytes()), auth: Arc::new(Bearer(bearer)) }
}

fn signed(key: Secret, secret: Secret, Signing { signature, version }: Signing) -> Credential {
    let both = [&key, &secret].map(|secret| secret.expose().unwrap_or_default().to_owned());
    let auth: Arc<dyn Authorize> = Arc::new(OAuth1 { key, secret, signature, version });
    Credential { mark: Digest::of(both.join("\u{0}").as_bytes()), auth }
}

#[cfg(test)]
mod tests {
    use crate::source::classlink::access::service_root;

    #[test]
    fn an_endpoint_becomes_a_service_root_once() {
        for (endpoint, root) in [
            ("https://nord.oneroster.example", "https://nord.oneroster.example/ims/oneroster/v1p1"),
            ("https://nord.oneroster.example/", "https://nord.oneroster.example/ims/oneroster/v1p1"),
            ("https://x.example/a%2Fb", "https://x.example/a%2Fb/ims/oneroster/v1p1"),
            ("https://x.example/ims/oneroster/v1p1/", "https://x.example/ims/oneroster/v1p1"),
        ] {
            assert_eq!(service_root(endpoint), root);
        }
    }
}
