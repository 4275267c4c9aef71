//! A OneRoster provider that serves a [`World`], honestly at first; a test puts lies on top.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rosterd::base::{Instant, Secret, SourceId};
use rosterd::roster::IntakePolicy;
use rosterd::service::Feed;
use rosterd::source::{
    MemoryPages, Network, Pace, PageStore, ReadSettings, RestAuth, RestSettings, RestSource, RestVersion, Signature,
};
use serde_json::{Value, json};

use crate::fake_http::{Asked, FakeServer, Reply};
use crate::net_http::quick;
use crate::world::{World, day};

/// What a provider has, by path segment, each list sorted by id.
pub type Lists = BTreeMap<&'static str, Vec<Value>>;

pub fn reference(id: &str) -> Value {
    json!({"href": "https://elsewhere.example/x", "sourcedId": id, "type": "any"})
}

/// The world as a provider tells it.
pub fn lists(world: &World, version: RestVersion) -> Lists {
    let status = |ended: bool| if ended { "tobedeleted" } else { "active" };
    let mut lists = Lists::new();
    let orgs = world.orgs.iter().map(|(id, parent)| {
        let kind = if parent.is_none() { "district" } else { "school" };
        json!({"sourcedId": id, "status": "active", "name": format!("Org {id}"), "type": kind, "identifier": "",
               "parent": parent.as_deref().map(reference)})
    });
    lists.insert("orgs", orgs.collect());
    let year = json!({"sourcedId": "y", "status": "active", "title": "Year", "type": "schoolYear", "startDate": "2020-08-01",
                      "endDate": "2099-08-01", "schoolYear": "2099"});
    lists.insert("academicSessions", vec![year]);
    let course = json!({"sourcedId": "co", "status": "active", "title": "Course", "courseCode": "C1", "org": reference("d"),
                        "schoolYear": reference("y")});
    lists.insert("courses", vec![course]);
    let mut classes = world.classes.clone();
    if classes.is_empty()
        && let Some((school, _)) = world.orgs.iter().find(|(_, parent)| parent.is_some())
    {
        classes.push(("any".into(), school.clone(), "any".into()));
    }
    let rows = classes.iter().map(|(id, school, subject)| {
        json!({"sourcedId": id, "status": "active", "title": format!("Class {id}"), "classType": "Scheduled",
               "course": reference("co"), "school": reference(school), "terms": [reference("y")], "subjects": [subject]})
    });
    lists.insert("classes", rows.collect());
    let (mut users, mut enrollments) = (Vec::new(), Vec::new());
    for (key, person) in &world.people {
        let name = if person.name.is_empty() { key } else { &person.name };
        let mut user = json!({
            "sourcedId": key, "status": status(person.ended), "enabledUser": (!person.locked).to_string(), "username": key,
            "givenName": name, "familyName": "Test", "email": person.email, "password": "hunter2", "phone": "555-0199",
            "primaryOrg": person.primary_org.as_deref().map(reference), "grades": [], "metadata": {"program": "honors"},
        });
        if version == RestVersion::V1_1 {
            user["role"] = json!(person.roles.first().map(|(role, _)| role));
            user["orgs"] = person.roles.iter().map(|(_, org)| reference(org)).collect();
        } else {
            let begin = if person.broken { "1/05/2023" } else { "" };
            let role = |(role, org): &(String, String)| json!({"roleType": "primary", "role": role, "org": reference(org), "beginDate": begin});
            user["roles"] = person.roles.iter().map(role).collect();
        }
        users.push(user);
        for (at, e) in person.enrollments.iter().enumerate() {
            let school = classes.iter().find(|(id, _, _)| *id == e.class).map_or("", |(_, school, _)| school);
            enrollments.push(json!({
                "sourcedId": format!("e-{key}-{at}"), "status": status(e.ended), "user": reference(key),
                "class": reference(&e.class), "school": reference(school), "role": "STUDENT", "primary": false,
                "beginDate": e.first.unwrap_or(""), "endDate": e.last.map(|last| day(last).plus(1).to_string()),
            }));
        }
    }
    lists.insert("users", users);
    lists.insert("enrollments", enrollments);
    lists
}

/// The last segment of the path that was asked for.
pub fn segment(asked: &Asked) -> &str {
    asked.path().rsplit('/').next().unwrap_or_default()
}

/// The honest answer: a page with its total.
pub fn honest(lists: &Lists, asked: &Asked) -> Reply {
    let Some((key, rows)) = lists.get_key_value(segment(asked)) else { return Reply::new(404, "") };
    let (offset, limit) = (asked.number("offset").unwrap_or(0), asked.number("limit").unwrap_or(100));
    let changed = asked.param("filter").map(|filter| {
        let moment = filter.strip_prefix("dateLastModified>'").and_then(|rest| rest.strip_suffix('\'')).expect("a filter");
        Instant::parse(moment).expect("a moment")
    });
    let is_new = |row: &&Value| {
        let at = row["dateLastModified"].as_str().and_then(Instant::parse).unwrap_or(Instant::MIN);
        changed.is_none_or(|moment| at > moment)
    };
    let rows: Vec<&Value> = rows.iter().filter(is_new).collect();
    let page: Vec<&Value> = rows.iter().copied().skip(offset).take(limit).collect();
    Reply::json(json!({*key: page}).to_string()).with("X-Total-Count", rows.len())
}

type Twist = dyn Fn(&Asked, usize, Reply) -> Reply + Send + Sync;

/// A provider with what it has and how it twists its answers, both to be exchanged.
pub struct Provider {
    pub server: FakeServer,
    pub lists: Arc<Mutex<Lists>>,
    twist: Arc<Mutex<Box<Twist>>>,
    /// The time of day of the network.
    pub now: Arc<Mutex<Instant>>,
    pub pages: Arc<dyn PageStore>,
    waited: Arc<Mutex<Duration>>,
    around: Arc<Mutex<Option<Arc<Around>>>>,
}

/// Told of the beginning and the end of each request, outside all locks.
type Around = dyn Fn(bool) + Send + Sync;

impl Provider {
    /// An honest provider of nothing.
    pub fn start() -> Self {
        let lists = Arc::new(Mutex::new(Lists::new()));
        let twist: Arc<Mutex<Box<Twist>>> = Arc::new(Mutex::new(Box::new(|_, _, reply| reply)));
        let around: Arc<Mutex<Option<Arc<Around>>>> = Arc::default();
        let server = FakeServer::start({
            let (lists, twist, around) = (lists.clone(), twist.clone(), around.clone());
            move |asked, before| {
                let around = around.lock().expect("no panic").clone();
                around.iter().for_each(|around| around(true));
                let reply = honest(&lists.lock().expect("no panic"), asked);
                let reply = twist.lock().expect("no panic")(asked, before, reply);
                around.iter().for_each(|around| around(false));
                reply
            }
        });
        let now = Arc::new(Mutex::new(Instant::parse("2026-03-02T02:30:00Z").expect("a moment")));
        let pages = Arc::new(MemoryPages { bytes_max: 64 << 20 });
        Self { server, lists, twist, now, pages, waited: Arc::default(), around }
    }

    /// From now on it has what the world has.
    pub fn has(&self, world: &World, version: RestVersion) {
        *self.lists.lock().expect("no panic") = lists(world, version);
    }

    /// From now on it twists its answers like this; `before` counts the requests from now on.
    pub fn lies(&self, twist: impl Fn(&Asked, usize, Reply) -> Reply + Send + Sync + 'static) {
        let first = self.server.asked().len();
        *self.twist.lock().expect("no panic") = Box::new(move |asked, before, reply| twist(asked, before - first, reply));
    }

    /// From now on each request is told of when it begins and ends.
    pub fn slow(&self, around: impl Fn(bool) + Send + Sync + 'static) {
        *self.around.lock().expect("no panic") = Some(Arc::new(around));
    }

    pub fn is_honest(&self) {
        self.lies(|_, _, reply| reply);
    }

    /// What was waited for, in all.
    pub fn waited(&self) -> Duration {
        *self.waited.lock().expect("no panic")
    }

    pub fn network(&self) -> Network {
        let (now, waited, add) = (self.now.clone(), self.waited.clone(), self.waited.clone());
        Network::new(Pace::of(
            move || *now.lock().expect("no panic"),
            move || *waited.lock().expect("no panic"),
            move |time| *add.lock().expect("no panic") += time,
        ))
    }

    pub fn settings(&self, version: RestVersion) -> RestSettings {
        RestSettings {
            id: SourceId::from("sis"),
            pull: "north/sis".into(),
            address: self.server.url("/ims/oneroster/v1"),
            version,
            auth: RestAuth::OAuth1 {
                key: Secret::new("key-1"),
                secret: Secret::new("hunter2"),
                signature: Signature::Sha256,
                version: false,
            },
            read: ReadSettings { page_rows: 7, http: quick(), ..ReadSettings::default() },
        }
    }

    /// Makes this provider the source of the world, with settings that `adjust` changes.
    pub fn feeds(&self, world: &mut World, version: RestVersion, adjust: impl Fn(&mut RestSettings) + Sync + 'static) {
        self.feeds_on(world, self.network(), version, adjust);
    }

    /// The same on a network that others may share.
    pub fn feeds_on(
        &self,
        world: &mut World,
        network: Network,
        version: RestVersion,
        adjust: impl Fn(&mut RestSettings) + Sync + 'static,
    ) {
        let (settings, pages) = (self.settings(version), self.pages.clone());
        world.adjust = Box::new(move |customer| {
            let mut settings = settings.clone();
            adjust(&mut settings);
            let intake = IntakePolicy { lenient: false, courses_optional: false };
            let source = Arc::new(RestSource::new(settings, &network, pages.clone()));
            customer.sources = vec![Feed { source, intake, watched: false, activity_column: None }];
        });
    }
}
