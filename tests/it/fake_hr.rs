//! HR systems that serve the same employees, honestly at first; a test puts lies on top. Every record carries what must never
//! be kept: a password, a birth date, a phone number.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rosterd::base::{Calendar, Instant, Secret, SourceId};
use rosterd::roster::IntakePolicy;
use rosterd::service::Feed;
use rosterd::source::{
    DateForms, HrAuth, HrMapping, HrSettings, HrSource, HrSystem, MemoryPages, Network, OrgMapping, Pace, PageStore,
    RoleMapping, StatusMapping,
};
use serde_json::{Value, json};

use crate::fake_http::{Asked, FakeServer, Reply};
use crate::net_http::quick;
use crate::world::World;

/// What no log, store, spool or message may hold.
pub const PERSONAL: [&str; 3] = ["hunter2", "1980-07-13", "555-0199"];

#[derive(Clone, Debug)]
pub struct Employee {
    pub number: String,
    pub email: String,
    pub active: bool,
    pub hired: &'static str,
    pub ends: &'static str,
    pub division: &'static str,
    pub title: &'static str,
}

impl Default for Employee {
    fn default() -> Self {
        let (number, email) = (String::new(), String::new());
        Self { number, email, active: true, hired: "2020-01-01", ends: "", division: "North", title: "Clerk" }
    }
}

pub type Staff = BTreeMap<String, Employee>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Scim,
    Directory,
    Report,
    WorkdayJson,
    WorkdayCsv,
}

impl Kind {
    pub const ALL: [Kind; 5] = [Kind::Scim, Kind::Directory, Kind::Report, Kind::WorkdayJson, Kind::WorkdayCsv];

    /// The key of the list in an answer.
    pub fn list(self) -> &'static str {
        match self {
            Kind::Scim => "Resources",
            Kind::Directory => "employees",
            Kind::Report => "data",
            Kind::WorkdayJson | Kind::WorkdayCsv => "Report_Entry",
        }
    }
}

/// An employee as the system tells one.
fn record(kind: Kind, id: &str, one: &Employee) -> Value {
    let Employee { number, email, active, hired, ends, division, title } = one;
    match kind {
        Kind::Scim => json!({
            "id": id, "externalId": number, "userName": id, "active": active, "title": title, "password": "hunter2",
            "name": {"givenName": id, "familyName": "Test"}, "birthDate": "1980-07-13",
            "emails": [{"value": "x@home.example", "type": "home"}, {"value": email, "type": "work", "primary": true}],
            "phoneNumbers": [{"value": "555-0199"}],
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"division": division},
        }),
        Kind::Directory | Kind::Report => json!({
            "id": id, "employeeNumber": number, "firstName": id, "lastName": "Test", "workEmail": email, "jobTitle": title,
            "status": if *active { "Active" } else { "Inactive" }, "hireDate": hired, "dateOfBirth": "1980-07-13",
            "terminationDate": if ends.is_empty() { "0000-00-00" } else { ends }, "division": division,
            "mobilePhone": "555-0199", "pin": "hunter2",
        }),
        Kind::WorkdayJson | Kind::WorkdayCsv => {
            let mut row = json!({
                "Employee_ID": id, "Staff_Number": number, "First_Name": id, "Last_Name": "Test", "Email_-_Work": email,
                "Active_Status": if *active { "1" } else { "0" }, "Hire_Date": format!("{hired}-08:00"), "Unit": division,
                "Business_Title": title, "Date_of_Birth": "1980-07-13", "Phone": "555-0199", "Secret_Word": "hunter2",
            });
            // Empty fields are left out.
            if !ends.is_empty() {
                row["Termination_Date"] = json!(ends);
            }
            row
        }
    }
}

/// The honest answer.
pub fn honest(kind: Kind, staff: &Staff, asked: &Asked) -> Reply {
    let people = staff.iter().filter(|(_, one)| kind != Kind::Directory || one.active);
    let rows: Vec<Value> = people.map(|(id, one)| record(kind, id, one)).collect();
    let total = rows.len();
    match kind {
        Kind::Scim => {
            let (start, count) = (asked.number("startIndex").unwrap_or(1).max(1), asked.number("count").unwrap_or(50));
            let page: Vec<&Value> = rows.iter().skip(start - 1).take(count).collect();
            let mut body = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"], "totalResults": total,
                                  "startIndex": start, "itemsPerPage": page.len()});
            if !page.is_empty() {
                body["Resources"] = json!(page);
            }
            Reply::new(200, body.to_string()).with("Content-Type", "application/scim+json")
        }
        Kind::Directory => {
            let names = ["firstName", "lastName", "workEmail", "jobTitle", "division", "employeeNumber"];
            let fields: Vec<Value> = names.iter().map(|id| json!({"id": id, "type": "text", "name": id})).collect();
            Reply::json(json!({"fields": fields, "employees": rows}).to_string())
        }
        Kind::Report => {
            let (page, size) = (asked.number("page").unwrap_or(1), asked.number("page_size").unwrap_or(500));
            let pages = total.div_ceil(size).max(1);
            let data: Vec<&Value> = rows.iter().skip((page - 1) * size).take(size).collect();
            let next = (page < pages).then_some(page + 1);
            let paging = json!({"total_records": total, "current_page": page, "total_pages": pages, "next_page": next,
                                "prev_page": null});
            Reply::json(json!({"data": data, "pagination": paging}).to_string())
        }
        Kind::WorkdayJson => Reply::json(json!({"Report_Entry": rows}).to_string()),
        Kind::WorkdayCsv => {
            let names = [
                "Employee_ID",
                "Staff_Number",
                "First_Name",
                "Last_Name",
                "Email_-_Work",
                "Active_Status",
                "Hire_Date",
                "Termination_Date",
                "Unit",
                "Business_Title",
                "Date_of_Birth",
                "Phone",
            ];
            let mut text = names.join(",") + "\r\n";
            for row in &rows {
                let cells: Vec<String> = names.iter().map(|name| format!("\"{}\"", row[name].as_str().unwrap_or(""))).collect();
                text += &(cells.join(",") + "\r\n");
            }
            Reply::new(200, text).with("Content-Type", "text/csv;charset=UTF-8")
        }
    }
}

type Twist = dyn Fn(&Asked, usize, Reply) -> Reply + Send + Sync;

/// An HR system, with its staff and how it twists its answers, both to be exchanged.
pub struct Office {
    pub kind: Kind,
    pub server: FakeServer,
    pub staff: Arc<Mutex<Staff>>,
    twist: Arc<Mutex<Box<Twist>>>,
    pub pages: Arc<dyn PageStore>,
    pub waited: Arc<Mutex<Duration>>,
}

impl Office {
    pub fn start(kind: Kind) -> Self {
        let staff = Arc::new(Mutex::new(Staff::new()));
        let twist: Arc<Mutex<Box<Twist>>> = Arc::new(Mutex::new(Box::new(|_, _, reply| reply)));
        let server = FakeServer::start({
            let (staff, twist) = (staff.clone(), twist.clone());
            move |asked, before| {
                let reply = honest(kind, &staff.lock().expect("no panic"), asked);
                twist.lock().expect("no panic")(asked, before, reply)
            }
        });
        Self { kind, server, staff, twist, pages: Arc::new(MemoryPages { bytes_max: 64 << 20 }), waited: Arc::default() }
    }

    /// Changes one employee, or hires one.
    pub fn put(&self, id: &str, change: impl FnOnce(&mut Employee)) {
        change(self.staff.lock().expect("no panic").entry(id.to_owned()).or_default());
    }

    pub fn remove(&self, id: &str) {
        self.staff.lock().expect("no panic").remove(id).expect("known");
    }

    /// From now on it twists its answers like this; `before` counts the requests from now on.
    pub fn lies(&self, twist: impl Fn(&Asked, usize, Reply) -> Reply + Send + Sync + 'static) {
        let first = self.server.asked().len();
        *self.twist.lock().expect("no panic") = Box::new(move |asked, before, reply| twist(asked, before - first, reply));
    }

    pub fn is_honest(&self) {
        self.lies(|_, _, reply| reply);
    }

    pub fn network(&self) -> Network {
        let (waited, add) = (self.waited.clone(), self.waited.clone());
        Network::new(Pace::of(
            || Instant::parse("2026-03-02T02:30:00Z").expect("a moment"),
            move || *waited.lock().expect("no panic"),
            move |time| *add.lock().expect("no panic") += time,
        ))
    }

    pub fn settings(&self) -> HrSettings {
        let (address, system) = match self.kind {
            Kind::Scim => ("/scim/v2", HrSystem::Scim { filter: None, sort: false, attributes: true }),
            Kind::Directory => ("/api/v1", HrSystem::BambooHr { report: None }),
            Kind::Report => ("/api/v1", HrSystem::BambooHr { report: Some("12".into()) }),
            Kind::WorkdayJson => ("/report/Roster", HrSystem::Workday { csv: false, prompts: vec![("X".into(), "1".into())] }),
            Kind::WorkdayCsv => ("/report/Roster", HrSystem::Workday { csv: true, prompts: Vec::new() }),
        };
        HrSettings {
            id: SourceId::from("hris"),
            pull: "nord/hris".into(),
            address: self.server.url(address),
            auth: HrAuth::Basic { user: Secret::new("isu"), password: Secret::new("hunter2") },
            system,
            mapping: mapping(self.kind),
            page_rows: 7,
            pages_max: 100,
            resume_minutes: 60,
            http: quick(),
        }
    }

    pub fn feed(&self, settings: HrSettings, network: &Network) -> Feed {
        let source = Arc::new(HrSource::new(settings, network, self.pages.clone()));
        Feed { source, intake: IntakePolicy::default(), watched: false, activity_column: None }
    }

    /// Makes this system the source of the world, with settings that `adjust` changes.
    pub fn feeds(&self, world: &mut World, adjust: impl FnOnce(&mut HrSettings)) {
        self.feeds_on(world, self.network(), adjust);
    }

    /// The same on a network that others may share.
    pub fn feeds_on(&self, world: &mut World, network: Network, adjust: impl FnOnce(&mut HrSettings)) {
        let (pages, mut settings) = (self.pages.clone(), self.settings());
        adjust(&mut settings);
        world.adjust = Box::new(move |customer| {
            let source = Arc::new(HrSource::new(settings.clone(), &network, pages.clone()));
            let intake = IntakePolicy::default();
            customer.sources = vec![Feed { source, intake, watched: false, activity_column: None }];
        });
    }
}

/// The columns of a system.
pub fn mapping(kind: Kind) -> HrMapping {
    // Key, given name, family name, e-mail, number, status, start, end, org, title.
    let names = match kind {
        Kind::Scim => [
            "id",
            "name.givenName",
            "name.familyName",
            "emails",
            "externalId",
            "active",
            "",
            "",
            "enterprise.division",
            "title",
        ],
        Kind::Directory => ["id", "firstName", "lastName", "workEmail", "employeeNumber", "", "", "", "division", "jobTitle"],
        Kind::Report => [
            "id",
            "firstName",
            "lastName",
            "workEmail",
            "employeeNumber",
            "status",
            "hireDate",
            "terminationDate",
            "division",
            "jobTitle",
        ],
        Kind::WorkdayJson | Kind::WorkdayCsv => [
            "Employee_ID",
            "First_Name",
            "Last_Name",
            "Email_-_Work",
            "Staff_Number",
            "Active_Status",
            "Hire_Date",
            "Termination_Date",
            "Unit",
            "Business_Title",
        ],
    };
    let some = |at: usize| Some(names[at].to_owned()).filter(|name| !name.is_empty());
    HrMapping {
        person_id: names[0].to_owned(),
        given: some(1),
        family: some(2),
        full_name: None,
        email: some(3),
        username: None,
        identifier: some(4),
        status: some(5).map(|column| StatusMapping::of(&column)),
        start: some(6),
        end: some(7),
        end_exclusive: false,
        dates: DateForms::default(),
        orgs: OrgMapping {
            root: "nord".into(),
            root_name: "Nord AG".into(),
            levels: some(8).into_iter().collect(),
            separator: None,
        },
        roles: RoleMapping {
            standard: "ext:employee".into(),
            columns: some(9).into_iter().collect(),
            words: vec![("Instructor".into(), "teacher".into())],
        },
        keep: Vec::new(),
        calendar: Calendar::utc(),
    }
}
