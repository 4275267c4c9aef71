//! The applications of all districts, as the partner's key lists them (classlink §2). Asked for once for all districts, and
//! again when it is old or a district does not let us in.

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Deserialize;

use crate::base::{Instant, Secret};
use crate::source::http::{Bearer, Http, HttpError, HttpSettings, Network};
use crate::source::oneroster::{Loose, each_record};

/// A list older than this is asked for again, in milliseconds: each night sees a new one.
const AGE_MILLIS_MAX: i64 = 12 * 3_600_000;
/// Entries asked for at once.
const LIMIT: usize = 1_000;
/// No account has more pages of entries than this.
const PAGES_MAX: usize = 1_000;

/// An application of a district.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Application {
    /// The district.
    pub(crate) tenant: String,
    /// What stands for it in an address, escaped already.
    pub(crate) path: String,
    /// The district's bearer.
    pub(crate) bearer: Option<Secret>,
    /// Why it cannot be used; `None`: it can.
    pub(crate) unfit: Option<&'static str>,
}

/// What became of looking for a district's application.
pub(crate) enum Found {
    /// Here it is.
    One(Application),
    /// There is none to be used; says why.
    None(String),
    /// There are several, and nothing says which.
    Several(String),
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ApplicationWire<'a> {
    #[serde(borrow)]
    tenant_id: Loose<'a>,
    #[serde(borrow)]
    oneroster_application_id: Loose<'a>,
    #[serde(borrow)]
    bearer: Loose<'a>,
    #[serde(borrow)]
    enabled: Loose<'a>,
    #[serde(borrow)]
    tenant_status: Loose<'a>,
}

/// A partner's account, shared by all of its districts.
pub(crate) struct Account {
    address: String,
    key: Secret,
    network: Network,
    http: HttpSettings,
    listed: Mutex<Option<(Instant, Vec<Application>)>>,
}

impl Account {
    pub(crate) fn new(address: &str, key: Secret, network: &Network, http: HttpSettings) -> Self {
        Self { address: address.to_owned(), key, network: network.clone(), http, listed: Mutex::new(None) }
    }

    /// The proxy's address without a slash at its end.
    pub(crate) fn root(&self) -> &str {
        self.address.trim_end_matches('/')
    }

    /// A list is there as a whole, whoever died while asking for it. It is asked for under the lock: whoever wants it too
    /// waits for the same answer.
    fn lock(&self) -> MutexGuard<'_, Option<(Instant, Vec<Application>)>> {
        self.listed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The application of a district by a list that is not old; one that shows no such application is asked for again.
    pub(crate) fn find(&self, tenant: &str, application: Option<&str>) -> Result<Found, HttpError> {
        let now = self.network.pace().now();
        let mut listed = self.lock();
        if let Some((_, known)) = listed.as_ref().filter(|(at, _)| (0..AGE_MILLIS_MAX).contains(&(now.0 - at.0)))
            && let found @ Found::One(_) = select(known, tenant, application)
        {
            return Ok(found);
        }
        let fresh = self.list()?;
        let found = select(&fresh, tenant, application);
        *listed = Some((now, fresh));
        Ok(found)
    }

    /// The same by a new list.
    pub(crate) fn find_anew(&self, tenant: &str, application: Option<&str>) -> Result<Found, HttpError> {
        *self.lock() = None;
        self.find(tenant, application)
    }

    /// The district's own address, and key and secret for it.
    pub(crate) fn server(&self, application: &Application) -> Result<(String, Secret, Secret), HttpError> {
        #[derive(Deserialize)]
        struct Wire {
            server: Server,
        }
        #[derive(Deserialize)]
        struct Server {
            client_id: String,
            client_secret: String,
            endpoint_url: String,
        }
        let http = Http::new(&self.network, self.root(), &self.http)?;
        let url = http.link(&format!("{}/applications/{}/server", self.root(), application.path))?;
        let answer = http.get(&Bearer(self.key.clone()), |_| url.clone())?;
        let Wire { server: Server { client_id, client_secret, endpoint_url } } = answer.json()?;
        Ok((endpoint_url, Secret::new(client_id), Secret::new(client_secret)))
    }

    fn list(&self) -> Result<Vec<Application>, HttpError> {
        let http = Http::new(&self.network, self.root(), &self.http)?;
        let auth = Bearer(self.key.clone());
        let mut all: Vec<Application> = Vec::new();
        let mut offset = 0;
        for _ in 0..PAGES_MAX {
            // There are no counts: until an empty page, or one with nothing new.
            let url = http.link(&format!("{}/applications?limit={LIMIT}&offset={offset}", self.root()))?;
            let answer = http.get(&auth, |_| url.clone())?;
            let (mut rows, before) = (0, all.len());
            let found = each_record(answer.text()?, "applications", &mut |wire: ApplicationWire<'_>| {
                rows += 1;
                let application = application(&wire);
                let is_known = |known: &Application| (&known.tenant, &known.path) == (&application.tenant, &application.path);
                if !all.iter().any(is_known) {
                    all.push(application);
                }
            });
            match found {
                Ok(true) if all.len() == before => return Ok(all),
                Ok(true) => offset += rows,
                Ok(false) => {
                    let found = "something else instead of applications".to_owned();
                    return Err(HttpError::NotJson { address: format!("{}/applications", self.root()), found });
                }
                Err(error) => return Err(answer.broken_json(&error)),
            }
        }
        Ok(all)
    }
}

fn application(wire: &ApplicationWire<'_>) -> Application {
    let path = wire.oneroster_application_id.or_empty();
    let unfit = if !wire.enabled.or_empty().eq_ignore_ascii_case("true") {
        Some("is not enabled")
    } else if !wire.tenant_status.or_empty().eq_ignore_ascii_case("active") {
        Some("belongs to a district that is not active")
    } else if path.is_empty() || !path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"%-._~=+:@".contains(&byte)) {
        Some("has no id that an address can have")
    } else {
        None
    };
    let bearer = wire.bearer.text().map(Secret::new);
    Application { tenant: wire.tenant_id.or_empty().to_owned(), path: path.to_owned(), bearer, unfit }
}

fn select(all: &[Application], tenant: &str, application: Option<&str>) -> Found {
    let of_tenant = || all.iter().filter(|known| known.tenant == tenant);
    let named: Vec<&Application> = of_tenant().filter(|known| application.is_none_or(|name| known.path == name)).collect();
    let fit: Vec<&Application> = named.iter().copied().filter(|known| known.unfit.is_none()).collect();
    match (&*fit, &*named) {
        ([one], _) => Found::One((*one).clone()),
        ([], []) if of_tenant().next().is_some() => {
            Found::None(format!("tenant {tenant} has no application {} any more", application.unwrap_or_default()))
        }
        ([], []) => Found::None(format!("the partner's key lists no application of tenant {tenant}")),
        ([], [first, ..]) => {
            Found::None(format!("the application of tenant {tenant} {}", first.unfit.unwrap_or("cannot be used")))
        }
        (several, _) => {
            let paths: Vec<&str> = several.iter().map(|known| known.path.as_str()).collect();
            Found::Several(format!("tenant {tenant} has several applications; set application to one of {}", paths.join(", ")))
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::source::classlink::account::{Application, Found, application, select};
    use crate::source::oneroster::each_record;

    fn told(all: &[Application], tenant: &str, name: Option<&str>) -> String {
        match select(all, tenant, name) {
            Found::One(found) => format!("one {}", found.path),
            Found::None(why) | Found::Several(why) => why,
        }
    }

    #[test]
    fn an_application_is_found_or_it_is_told_why_not() {
        let entry = |tenant: &str, id: &str, bearer: &str, enabled: &str, status: &str| {
            format!(
                r#"{{"tenant_id":{tenant},"oneroster_application_id":"{id}","bearer":{bearer},"enabled":{enabled},
                     "tenant_status":"{status}","tenant_name":"Nord USD"}}"#
            )
        };
        let text = format!(
            r#"{{"status":1,"applications":[{}]}}"#,
            [
                entry("1", "%2FKx3%3D", r#""hunter2""#, r#""true""#, "Active"),
                entry("2", "a", r#""hunter2""#, r#""false""#, "Active"),
                entry("3", "a", r#""hunter2""#, r#""true""#, "Suspended"),
                entry("4", "a", "null", "true", "active"),
                entry("5", "a", r#""hunter2""#, r#""true""#, "Active"),
                entry("5", "b", r#""hunter2""#, r#""true""#, "Active"),
                entry("5", "c", r#""hunter2""#, r#""false""#, "Active"),
                entry("6", "../x", r#""hunter2""#, r#""true""#, "Active"),
            ]
            .join(",")
        );
        let mut all = Vec::new();
        assert!(each_record(&text, "applications", &mut |wire| all.push(application(&wire))).expect("JSON"));
        assert!(!format!("{all:?}").contains("hunter2"), "a bearer shows nowhere");
        for (tenant, name, expected) in [
            ("1", None, "one %2FKx3%3D"),
            ("1", Some("%2FKx3%3D"), "one %2FKx3%3D"),
            ("1", Some("x"), "tenant 1 has no application x any more"),
            ("2", None, "the application of tenant 2 is not enabled"),
            ("3", None, "the application of tenant 3 belongs to a district that is not active"),
            ("4", None, "one a"),
            ("5", None, "tenant 5 has several applications; set application to one of a, b"),
            ("5", Some("b"), "one b"),
            ("5", Some("c"), "the application of tenant 5 is not enabled"),
            ("6", None, "the application of tenant 6 has no id that an address can have"),
            ("7", None, "the partner's key lists no application of tenant 7"),
        ] {
            assert_eq!(told(&all, tenant, name), expected);
        }
        assert_eq!(all[3].bearer, None);
    }
}
