//! ClassLink: a proxy with applications of districts, in front of a OneRoster provider; with switches for all that it does.

use std::sync::{Arc, Mutex};

use rosterd::base::{Secret, SourceId};
use rosterd::roster::IntakePolicy;
use rosterd::service::Feed;
use rosterd::source::{ClassLinkAccess, ClassLinkSettings, ClassLinkSource, Network, ReadSettings, RestVersion, Signature};
use serde_json::{Value, json};

use crate::fake_http::{Asked, Reply};
use crate::fake_oneroster::Provider;
use crate::net_http::quick;
use crate::world::World;

/// The partner's key, and words that must show nowhere.
pub const PARTNER: &str = "partner-hunter2";
/// What stands for the application in addresses.
pub const PATH: &str = "%2FKx3mQ2Zs%3D";

type Twist = dyn Fn(&Asked, usize, Reply) -> Reply + Send + Sync;
/// Of answers where applications are listed.
type Door = dyn Fn(&Asked, Reply) -> Reply + Send + Sync;

/// What can be switched.
pub struct State {
    pub applications: Vec<Value>,
    /// The bearer that is accepted; else a 401.
    pub bearer: String,
    /// After so many requests for records it is another one.
    pub dies: Option<(usize, String)>,
    pub revision: Option<String>,
    pub twist: Box<Twist>,
    pub door: Box<Door>,
    /// Requests for records since the twist was set.
    pub before: usize,
}

/// See the module.
pub struct ClassLink {
    pub provider: Provider,
    pub state: Arc<Mutex<State>>,
}

/// An application that can be used, of tenant 8841.
pub fn application(bearer: &str) -> Value {
    json!({"id": "9f0c", "application_id": "412", "tenant_id": 8841, "tenant_name": "Nord USD", "bearer": bearer,
           "enabled": "true", "tenant_status": "Active", "oneroster_application_id": PATH, "name": "Product", "version": "1.1"})
}

impl ClassLink {
    pub fn start() -> Self {
        let state = State {
            applications: vec![application("b-1-hunter2")],
            bearer: "b-1-hunter2".to_owned(),
            dies: None,
            revision: Some("r1".to_owned()),
            twist: Box::new(|_, _, reply| reply),
            door: Box::new(|_, reply| reply),
            before: 0,
        };
        let state = Arc::new(Mutex::new(state));
        let provider = Provider::start();
        provider.lies({
            let state = state.clone();
            move |asked, _, reply| {
                let host = asked.header("host").expect("a host").to_owned();
                answer(&mut state.lock().expect("no panic"), &host, asked, reply)
            }
        });
        Self { provider, state }
    }

    pub fn has(&self, world: &World) {
        self.provider.has(world, RestVersion::V1_1);
    }

    pub fn set(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock().expect("no panic"));
    }

    /// From now on answers for records are twisted like this; `before` counts them from now on.
    pub fn lies(&self, twist: impl Fn(&Asked, usize, Reply) -> Reply + Send + Sync + 'static) {
        self.set(|state| (state.twist, state.before) = (Box::new(twist), 0));
    }

    pub fn is_honest(&self) {
        self.lies(|_, _, reply| reply);
    }

    /// The paths that were asked for since so many requests, without `/ims/…` before a collection.
    pub fn asked_since(&self, first: usize) -> Vec<String> {
        let asked = self.provider.server.asked();
        asked[first..].iter().map(|asked| asked.path().rsplit('/').next().unwrap_or_default().to_owned()).collect()
    }

    pub fn count(&self) -> usize {
        self.provider.server.asked().len()
    }

    pub fn settings(&self) -> ClassLinkSettings {
        ClassLinkSettings {
            id: SourceId::from("sis"),
            pull: "north/sis".into(),
            tenant: "8841".into(),
            application: None,
            access: ClassLinkAccess::Proxy { address: self.provider.server.url(""), key: Secret::new(PARTNER) },
            read: ReadSettings { page_rows: 7, fields: true, http: quick(), ..ReadSettings::default() },
        }
    }

    /// Access at the district's own address that the proxy tells.
    pub fn served(&self) -> ClassLinkAccess {
        let (address, key) = (self.provider.server.url(""), Secret::new(PARTNER));
        ClassLinkAccess::Server { address, key, signature: Signature::Sha256, version: false }
    }

    /// Makes this the source of the world, on a network of its own.
    pub fn feeds(&self, world: &mut World, adjust: impl Fn(&mut ClassLinkSettings) + Sync + 'static) {
        self.feeds_on(world, self.provider.network(), adjust);
    }

    pub fn feeds_on(&self, world: &mut World, network: Network, adjust: impl Fn(&mut ClassLinkSettings) + Sync + 'static) {
        let (settings, pages) = (self.settings(), self.provider.pages.clone());
        world.adjust = Box::new(move |customer| {
            let mut settings = settings.clone();
            adjust(&mut settings);
            let intake = IntakePolicy { lenient: false, courses_optional: false };
            let source = Arc::new(ClassLinkSource::new(settings, &network, pages.clone()));
            customer.sources = vec![Feed { source, intake, watched: false, activity_column: None }];
        });
    }
}

fn answer(state: &mut State, host: &str, asked: &Asked, reply: Reply) -> Reply {
    let authorization = asked.header("authorization").unwrap_or_default();
    if asked.path().starts_with("/applications") {
        if authorization != format!("Bearer {PARTNER}") {
            return Reply::json(r#"{"status":0,"message":"no"}"#).status(401);
        }
        if asked.path().ends_with("/server") {
            let server =
                json!({"client_id": "key-1", "client_secret": "s-hunter2", "endpoint_url": format!("http://{host}/own")});
            let told = Reply::json(json!({"status": 1, "server": server, "message": null}).to_string());
            return (state.door)(asked, told);
        }
        let (offset, limit) = (asked.number("offset").unwrap_or(0), asked.number("limit").unwrap_or(100));
        let page: Vec<&Value> = state.applications.iter().skip(offset).take(limit.min(2)).collect();
        return (state.door)(asked, Reply::json(json!({"status": 1, "applications": page}).to_string()));
    }
    let before = state.before;
    if let Some((_, next)) = state.dies.take_if(|(last, _)| before >= *last) {
        state.bearer = next;
    }
    let by_proxy = asked.path().starts_with(&format!("/{PATH}/ims/oneroster/v1p1/"));
    let by_own = asked.path().starts_with("/own/ims/oneroster/v1p1/");
    let lets_in = match (by_proxy, by_own) {
        (true, _) => authorization == format!("Bearer {}", state.bearer),
        (_, true) => authorization.starts_with("OAuth oauth_consumer_key=\"key-1\"") && state.bearer.starts_with("b-"),
        (false, false) => return Reply::new(404, ""),
    };
    state.before += 1;
    let reply = match (lets_in, &state.revision) {
        (false, _) => Reply::new(401, ""),
        (true, Some(revision)) => reply.with("x-perm-rev", revision),
        (true, None) => reply,
    };
    (state.twist)(asked, state.before - 1, reply)
}
