//! From a request to a page and back: who is signed in, whether they may, whether a form is ours; and the page made on a
//! thread of its own, because the service blocks.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::Request;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode};

use crate::base::Digest;
use crate::http::access::{Deed, may};
use crate::http::ask::{Asking, Door};
use crate::http::body::{BODY_TIME_MAX, whole};
use crate::http::pages::cookies::Cookies;
use crate::http::pages::fields::{Fields, link};
use crate::http::pages::layout::{once_more, problem};
use crate::http::pages::reply::{Made, Reply};
use crate::http::pages::sessions::Sessions;
use crate::http::pages::throttle::Throttle;
use crate::http::pages::visit::Visit;
use crate::http::peer::Peer;
use crate::http::problem::Problem;
use crate::service::Outbox;

/// So long may a form be, in bytes.
const FORM_BYTES_MAX: usize = 1 << 20;

/// Makes a page, or does what a form asks for and says where to go on.
pub type Make = fn(&Visit<'_>) -> Made;

/// A page: its method, its path, the deed it takes (`None`: the page itself looks), and how it is made.
pub struct Page {
    /// `GET` or `POST`.
    pub method: &'static str,
    /// Its path.
    pub path: &'static str,
    /// What it takes.
    pub deed: Option<Deed>,
    pub(in crate::http) make: Make,
}

/// What all pages share.
#[derive(Clone)]
pub struct Desk {
    /// The door behind the pages.
    pub door: Door,
    /// Who is signed in.
    pub sessions: Arc<Sessions>,
    /// Who tried to.
    pub tries: Arc<Throttle>,
    /// How cookies are made.
    pub cookies: Cookies,
    /// A proxy in front tells the address of who asks.
    proxied: bool,
}

impl Desk {
    /// A desk behind a door. `secure`: it speaks TLS itself; `proxied`: only a proxy speaks to it, and speaks TLS with browsers.
    pub fn new(door: Door, secure: bool, proxied: bool) -> Self {
        let cookies = Cookies { secure: secure || proxied };
        Self { door, sessions: Arc::default(), tries: Arc::default(), cookies, proxied }
    }

    /// Where a request comes from.
    pub fn from(&self, parts: &Parts) -> IpAddr {
        let told = parts.headers.get_all("x-forwarded-for").iter().next_back().and_then(|value| value.to_str().ok());
        let told = told.and_then(|list| list.rsplit(',').next()?.trim().parse().ok());
        let peer = parts.extensions.get::<Peer>().map(|Peer(address)| *address);
        told.filter(|_| self.proxied).or(peer).unwrap_or(IpAddr::from([0, 0, 0, 0]))
    }

    /// Makes a page for whoever is signed in.
    pub async fn serve(&self, page: &'static Page, params: Fields, request: Request) -> Reply {
        let (parts, body) = request.into_parts();
        let Some(secret) = self.cookies.session(&parts.headers) else { return outside(&parts) };
        // Nobody unknown has a form read, or takes a turn.
        let Some(seen) = self.sessions.find(&secret, self.door.now(), false) else { return outside(&parts) };
        let form = match form_of(&parts, body).await {
            Ok(form) => form,
            Err(why) => return problem(&why),
        };
        let door = self.door.clone();
        let (sessions, cookies) = (Arc::clone(&self.sessions), self.cookies);
        let own = match self.door.enter(Digest::of(&seen.token.to_be_bytes())).await {
            Ok(own) => own,
            Err(why) => return problem(&why),
        };
        let made = self.door.work_with(own, move |outbox| {
            let query = Fields::read(parts.uri.query().unwrap_or_default().as_bytes());
            let Some(visit) = visit(outbox, (&sessions, cookies), &secret, &parts, [params, query, form])? else {
                return Ok(outside(&parts));
            };
            door.count(visit.asking.caller.token)?;
            let is_change = parts.method == Method::POST;
            if is_change && !is_ours(&visit, &parts.headers) {
                return Err(foreign());
            }
            if page.deed.is_some_and(|deed| !may(visit.asking.caller.role, deed)) {
                return Err(Problem::forbidden());
            }
            (page.make)(&visit)
        });
        made.await.unwrap_or_else(|why| problem(&why))
    }
}

/// A form that did not come from one of our pages.
pub fn foreign() -> Problem {
    let detail = "this form is too old, or another site sent it: load the page anew and send it once more";
    Problem::new(StatusCode::FORBIDDEN, "forbidden", detail)
}

/// What a form says; nothing of a request that brings none.
pub async fn form_of(parts: &Parts, body: axum::body::Body) -> Result<Fields, Problem> {
    if parts.method != Method::POST {
        return Ok(Fields::default());
    }
    Ok(Fields::read(&whole(body, FORM_BYTES_MAX, BODY_TIME_MAX).await?))
}

fn visit<'s>(
    outbox: &'s Outbox,
    (sessions, cookies): (&'s Sessions, Cookies),
    secret: &str,
    parts: &Parts,
    [params, query, form]: [Fields; 3],
) -> Result<Option<Visit<'s>>, Problem> {
    let service = outbox.service();
    let (now, path) = (service.now(), parts.uri.path().to_owned());
    // What a page asks for by itself keeps nobody signed in.
    let Some(seen) = sessions.find(secret, now, !path.ends_with("/progress")) else { return Ok(None) };
    let Some(caller) = service.caller_of(seen.token).map_err(|error| Problem::from(error).hidden())? else {
        sessions.end(&seen.id);
        return Ok(None);
    };
    let asking = Asking { service, today: service, outbox, caller };
    Ok(Some(Visit { asking, seen, sessions, cookies, now, path, params, query, form }))
}

/// Whether a form comes from one of our pages, as this very session saw it.
fn is_ours(visit: &Visit<'_>, headers: &HeaderMap) -> bool {
    let brought = visit.form.get("csrf").unwrap_or_default();
    is_from_here(headers) && Digest::of(brought.as_bytes()).is_same(&Digest::of(visit.seen.csrf.as_bytes()))
}

/// Whether the browser does not say that another site sent it.
pub fn is_from_here(headers: &HeaderMap) -> bool {
    headers.get("sec-fetch-site").is_none_or(|site| site == "same-origin" || site == "none")
}

/// On to where one signs in.
fn outside(parts: &Parts) -> Reply {
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    if parts.method != Method::GET || path == "/" || path.contains("/progress") {
        return Reply::on_to("/login");
    }
    if parts.headers.get("sec-fetch-site").is_some_and(|site| site == "cross-site") {
        return once_more(path);
    }
    Reply::on_to(&link("/login", [("next", path)]))
}
