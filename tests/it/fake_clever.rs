//! Clever: a data API and a list of tokens that tell of a [`World`], with events of what changed; with switches for faults.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rosterd::base::{Instant, Secret, SourceId};
use rosterd::roster::IntakePolicy;
use rosterd::service::Feed;
use rosterd::source::{
    CleverAuth, CleverSettings, CleverSource, CleverVersion, MemoryPages, Network, Pace, PageStore, StaffRole,
};
use serde_json::{Value, json};

use crate::fake_http::{Asked, FakeServer, Reply};
use crate::net_http::quick;
use crate::world::World;

/// Records by list, each by id.
pub type Lists = BTreeMap<&'static str, BTreeMap<String, Value>>;

type Twist = dyn Fn(&Asked, usize, Reply) -> Reply + Send + Sync;

/// What can be switched.
pub struct State {
    pub district: Value,
    pub lists: Lists,
    pub events: Vec<Value>,
    /// The token that is accepted, …
    pub token: String,
    /// … and the one that the list tells, if the district is in it.
    pub listed: Option<String>,
    /// After so many requests it is another one.
    pub dies: Option<(usize, String)>,
    pub has_events: bool,
    pub tells_count: bool,
    /// The versions of the API that the application has.
    pub versions: Vec<CleverVersion>,
    pub twist: Box<Twist>,
    pub before: usize,
}

/// See the module.
pub struct Clever {
    pub server: FakeServer,
    pub state: Arc<Mutex<State>>,
    pub now: Arc<Mutex<Instant>>,
    pub pages: Arc<dyn PageStore>,
    pub waited: Arc<Mutex<Duration>>,
}

/// The world as Clever tells it.
pub fn lists(world: &World) -> Lists {
    let mut lists = Lists::new();
    let mut put = |list: &'static str, id: &str, record: Value| {
        lists.entry(list).or_default().insert(id.to_owned(), record);
    };
    for list in ["schools", "terms", "courses", "sections", "users"] {
        put(list, "", Value::Null);
    }
    for (id, parent) in &world.orgs {
        if parent.is_some() {
            put(
                "schools",
                id,
                json!({"id": id, "district": "d", "name": format!("Org {id}"), "phone": "555-0199", "sis_id": ""}),
            );
        }
    }
    put(
        "terms",
        "y",
        json!({"id": "y", "district": "d", "name": "Year", "start_date": "2020-08-01T00:00:00.000Z",
                             "end_date": "2099-07-31T00:00:00.000Z"}),
    );
    put("courses", "co", json!({"id": "co", "district": "d", "name": "Course", "number": "C1"}));
    for (id, school, subject) in &world.classes {
        let members = |role: &str| {
            let is_in = |person: &crate::world::Person| {
                !person.ended
                    && person.roles.first().is_some_and(|(own, _)| own == role)
                    && person.enrollments.iter().any(|e| e.class == *id && !e.ended)
            };
            world.people.iter().filter(|(_, person)| is_in(person)).map(|(key, _)| key.clone()).collect::<Vec<_>>()
        };
        let teachers = members("teacher");
        put(
            "sections",
            id,
            json!({"id": id, "district": "d", "school": school, "course": "co", "term_id": "y",
            "name": format!("Class {id}"), "subject": subject.to_lowercase(), "grade": "Kindergarten", "teacher": teachers.first(),
            "teachers": teachers, "students": members("student")}),
        );
    }
    for (key, person) in world.people.iter().filter(|(_, person)| !person.ended) {
        let name = if person.name.is_empty() { key } else { &person.name };
        let of =
            |role: &str| person.roles.iter().filter(|(own, _)| own == role).map(|(_, org)| org.clone()).collect::<Vec<_>>();
        let mut roles = json!({"contact": null});
        for (role, kind) in [("student", "student"), ("teacher", "teacher"), ("aide", "staff")] {
            let schools = of(role);
            if !schools.is_empty() {
                roles[kind] = json!({"school": schools[0], "schools": schools, "sis_id": "", "dob": "1/2/2010", "grade": "9",
                                     "credentials": {"district_username": key}});
            }
        }
        if !of("districtAdministrator").is_empty() {
            roles["district_admin"] = json!({"title": "Boss"});
        }
        put(
            "users",
            key,
            json!({"id": key, "district": "d", "email": person.email, "name": {"first": name, "last": "Test"},
            "roles": roles, "created": "2024-03-02T22:24:55.356Z"}),
        );
    }
    for at in 0..3 {
        let id = format!("zz-contact-{at}");
        put(
            "users",
            &id,
            json!({"id": id, "district": "d", "email": "", "name": {"last": "Parent"},
            "roles": {"contact": {"phone": "555-0199", "student_relationships": [{"student": "u01", "relationship": "Parent"}]}}}),
        );
    }
    lists.values_mut().for_each(|list| _ = list.remove(""));
    lists
}

impl Clever {
    pub fn start() -> Self {
        let state = State {
            district: json!({"id": "d", "name": "Nord", "state": "running", "last_sync": "2026-03-01T05:00:00.000Z"}),
            lists: Lists::new(),
            events: Vec::new(),
            token: "t-1-hunter2".to_owned(),
            listed: Some("t-1-hunter2".to_owned()),
            dies: None,
            has_events: true,
            tells_count: true,
            versions: vec![CleverVersion::V3_0, CleverVersion::V3_1],
            twist: Box::new(|_, _, reply| reply),
            before: 0,
        };
        let state = Arc::new(Mutex::new(state));
        let server = FakeServer::start({
            let state = state.clone();
            move |asked, _| {
                let mut state = state.lock().expect("no panic");
                let before = state.before;
                if let Some((_, next)) = state.dies.take_if(|(last, _)| before >= *last) {
                    state.token = next;
                }
                let reply = honest(&state, asked);
                state.before += 1;
                (state.twist)(asked, state.before - 1, reply)
            }
        });
        let now = Arc::new(Mutex::new(Instant::parse("2026-03-02T02:30:00Z").expect("a moment")));
        Self { server, state, now, pages: Arc::new(MemoryPages { bytes_max: 64 << 20 }), waited: Arc::default() }
    }

    pub fn set(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock().expect("no panic"));
    }

    pub fn lies(&self, twist: impl Fn(&Asked, usize, Reply) -> Reply + Send + Sync + 'static) {
        self.set(|state| (state.twist, state.before) = (Box::new(twist), 0));
    }

    pub fn is_honest(&self) {
        self.lies(|_, _, reply| reply);
    }

    /// From now on it has what the world has, and tells events of the difference, if it had anything before.
    pub fn has(&self, world: &World) {
        let new = lists(world);
        self.set(|state| {
            let old = std::mem::replace(&mut state.lists, new);
            if !old.is_empty() {
                let events = events(&old, &state.lists, state.events.len());
                state.events.extend(events);
            }
        });
    }

    pub fn at(&self, moment: &str) {
        *self.now.lock().expect("no panic") = Instant::parse(moment).expect("a moment");
    }

    /// The lists that were asked for since so many requests.
    pub fn asked_since(&self, first: usize) -> Vec<String> {
        self.server.asked()[first..]
            .iter()
            .map(|asked| asked.path().rsplit('/').next().unwrap_or_default().to_owned())
            .collect()
    }

    pub fn count(&self) -> usize {
        self.server.asked().len()
    }

    pub fn network(&self) -> Network {
        let (now, waited, add) = (self.now.clone(), self.waited.clone(), self.waited.clone());
        Network::new(Pace::of(
            move || *now.lock().expect("no panic"),
            move || *waited.lock().expect("no panic"),
            move |time| *add.lock().expect("no panic") += time,
        ))
    }

    pub fn settings(&self) -> CleverSettings {
        CleverSettings {
            id: SourceId::from("sis"),
            pull: "north/sis".into(),
            district: "d".into(),
            address: self.server.url(""),
            version: CleverVersion::V3_0,
            auth: CleverAuth::Client {
                token_address: self.server.url("/oauth/tokens"),
                id: Secret::new("id"),
                secret: Secret::new("hunter2"),
            },
            staff: StaffRole::Aide,
            events: false,
            page_rows: 7,
            pages_max: 500,
            resume_minutes: 60,
            http: quick(),
        }
    }

    pub fn feeds(&self, world: &mut World, adjust: impl Fn(&mut CleverSettings) + Sync + 'static) {
        self.feeds_on(world, self.network(), adjust);
    }

    /// The same on a network that others may share.
    pub fn feeds_on(&self, world: &mut World, network: Network, adjust: impl Fn(&mut CleverSettings) + Sync + 'static) {
        let (settings, pages) = (self.settings(), self.pages.clone());
        world.adjust = Box::new(move |customer| {
            let mut settings = settings.clone();
            adjust(&mut settings);
            let source = Arc::new(CleverSource::new(settings, &network, pages.clone()));
            let intake = IntakePolicy { lenient: false, courses_optional: true };
            customer.sources = vec![Feed { source, intake, watched: false, activity_column: None }];
        });
    }
}

/// What changed from one state to another, as events, in no order but that of lists and ids.
fn events(old: &Lists, new: &Lists, first: usize) -> Vec<Value> {
    let mut events = Vec::new();
    for list in ["schools", "terms", "courses", "sections", "users"] {
        let (old, new) = (&old[list], &new[list]);
        let ids: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        for id in ids {
            let (how, object, before) = match (old.get(id), new.get(id)) {
                (None, Some(now)) => ("created", now, None),
                (Some(was), None) => ("deleted", was, None),
                (Some(was), Some(now)) if was != now => {
                    let fields = was.as_object().expect("an object").iter().filter(|(key, value)| now[key.as_str()] != **value);
                    let before: BTreeMap<_, _> = fields.map(|(key, value)| (key.clone(), value.clone())).collect();
                    ("updated", now, Some(before))
                }
                _ => continue,
            };
            let mut event = json!({"id": format!("e{:06}", first + events.len()), "type": format!("{list}.{how}"),
                                   "created": "2026-03-02T05:14:11.001Z", "data": {"object": object}});
            if let Some(before) = before {
                event["previous_attributes"] = json!(before);
            }
            events.push(event);
        }
    }
    events
}

/// A record with what only 3.1 has.
fn of_3_1(word: &str, mut row: Value) -> Value {
    match word {
        "districts" => {
            row["last_attendance_sync"] = json!("2026-03-01T05:10:00.000Z");
            (row["lms_type"], row["lms_state"]) = (json!("canvas"), json!("success"));
        }
        "sections" => row["lms_status"] = json!({"synced_in_lms": true}),
        "users" => {
            row["lms_status"] = json!({"synced_in_lms": false});
            if let Some(student) = row["roles"].get_mut("student").and_then(Value::as_object_mut) {
                for (key, value) in [
                    ("preferred_name", json!({"first": "Somebody", "last": "Else"})),
                    ("home_language", json!("Spanish")),
                    ("home_language_code", json!("spa")),
                    ("frl_status", json!("Free")),
                    ("gifted_status", json!("Y")),
                    ("iep_status", json!("N")),
                    ("section_504_status", json!("N")),
                    ("disability", json!({"code": "", "type": ""})),
                ] {
                    student.insert(key.to_owned(), value);
                }
            }
        }
        _ => {}
    }
    row
}

fn honest(state: &State, asked: &Asked) -> Reply {
    let authorization = asked.header("authorization").unwrap_or_default();
    if asked.path() == "/oauth/tokens" {
        if authorization != "Basic aWQ6aHVudGVyMg==" {
            return Reply::json(r#"{"error":"invalid_client"}"#).status(401);
        }
        let token = |owner: &str, token: &str| json!({"id": "x", "owner": {"type": "district", "id": owner}, "access_token": token, "scopes": ["read:users"]});
        let mut tokens = vec![token("other", "t-other")];
        tokens.extend(state.listed.iter().map(|own| token("d", own)));
        return Reply::json(json!({"data": tokens, "links": [{"rel": "self", "uri": "/oauth/tokens"}]}).to_string());
    }
    if authorization != format!("Bearer {}", state.token) {
        return Reply::json(r#"{"message":"unauthorized"}"#).status(401);
    }
    let version = state.versions.iter().copied().find(|version| asked.path().starts_with(&format!("/{}/", version.word())));
    let Some(version) = version else { return Reply::new(404, "") };
    let root = format!("/{}", version.word());
    let word = &asked.path()[root.len() + 1..];
    let limit = asked.number("limit").unwrap_or(100);
    if limit > 10_000 {
        return Reply::json(r#"{"message":"too many"}"#).status(413);
    }
    let rows: Vec<&Value> = match word {
        "districts" => vec![&state.district],
        "events" if !state.has_events => return Reply::json(r#"{"message":"no events"}"#).status(403),
        "events" => state.events.iter().collect(),
        list => match state.lists.get(list) {
            Some(list) => list.values().collect(),
            None => return Reply::new(404, ""),
        },
    };
    let id = |row: &Value| row["id"].as_str().expect("an id").to_owned();
    let newest = asked.param("ending_before").as_deref() == Some("last");
    let after = asked.param("starting_after");
    if word == "events" && after.as_ref().is_some_and(|after| !rows.iter().any(|row| id(row) == *after)) {
        return Reply::json(r#"{"message":"not found"}"#).status(404);
    }
    let skipped = if newest { rows.len().saturating_sub(limit) } else { 0 };
    let left: Vec<&Value> =
        rows.iter().copied().skip(skipped).filter(|row| after.as_ref().is_none_or(|after| id(row) > *after)).collect();
    let page: Vec<&Value> = left.iter().copied().take(limit).collect();
    let told = |row: &Value| if version == CleverVersion::V3_1 { of_3_1(word, row.clone()) } else { row.clone() };
    let data: Vec<Value> =
        page.iter().map(|row| json!({"data": told(row), "uri": format!("{root}/{word}/{}", id(row))})).collect();
    let mut links = vec![json!({"rel": "self", "uri": asked.target})];
    if let Some(last) = page.last().filter(|_| left.len() > page.len()) {
        links.push(json!({"rel": "next", "uri": format!("{root}/{word}?limit={limit}&starting_after={}", id(last))}));
    }
    let mut body = json!({"data": data, "links": links});
    if state.tells_count && asked.param("count").is_some() {
        body["count"] = json!(rows.len());
    }
    Reply::json(body.to_string()).with("X-Ratelimit-Bucket", "bearer").with("X-Ratelimit-Remaining", 1100)
}
