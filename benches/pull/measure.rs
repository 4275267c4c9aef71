//! What a pull costs over fetching the same pages one after the other and throwing them away.

use std::sync::Arc;
use std::time::{Duration, Instant as Moment};

use rosterd::base::{Instant, Secret, SourceId};
use rosterd::roster::{IntakePolicy, RosterIntake};
use rosterd::service::SpoolPages;
use rosterd::source::{
    Http, HttpSettings, Network, Nobody, Pace, ReadSettings, RestAuth, RestSettings, RestSource, RestVersion, RosterSource,
    Seen,
};

use crate::fake_http::{FakeServer, Reply};

/// Users, of whom every enrollment names one.
const USERS: usize = 1_000;

/// What it came to.
pub struct Cost {
    /// Fetching alone.
    pub plain: Duration,
    /// The pull, up to the last row in the intake.
    pub pulled: Duration,
    /// What the intake needs to make a roster of it, as of every other source.
    pub finished: Duration,
    /// Enrollments in the roster.
    pub enrollments: usize,
}

impl Cost {
    /// By how much the pull took longer, in percent.
    pub fn overhead_percent(&self) -> u128 {
        self.pulled.saturating_sub(self.plain).as_micros() * 100 / self.plain.as_micros().max(1)
    }
}

fn list(key: &str, rows: impl Iterator<Item = String>) -> String {
    format!("{{\"{key}\":[{}]}}", rows.collect::<Vec<_>>().join(","))
}

fn reference(id: &str, kind: &str) -> String {
    format!(r#"{{"href":"https://sis.example/ims/oneroster/v1p1/{kind}s/{id}","sourcedId":"{id}","type":"{kind}"}}"#)
}

/// Pulls so many pages of so many enrollments each from a server that takes so long for a page.
pub fn measure(pages: usize, rows: usize, latency: Duration) -> Cost {
    let head = r#""status":"active","dateLastModified":"2026-01-31T08:15:00.000Z""#;
    let enrollment = |at: usize| {
        let (user, class) = (reference(&format!("user-{:06}", at % USERS), "user"), reference("class-1", "class"));
        let school = reference("school-1", "org");
        format!(
            r#"{{"sourcedId":"enrollment-{at:09}",{head},"user":{user},"class":{class},"school":{school},"role":"student","primary":"false","beginDate":"2025-08-19","endDate":"2026-06-14"}}"#
        )
    };
    let bodies: Vec<String> =
        (0..pages).map(|page| list("enrollments", (page * rows..(page + 1) * rows).map(enrollment))).collect();
    let org = reference("school-1", "org");
    let users = list(
        "users",
        (0..USERS).map(|at| {
            format!(r#"{{"sourcedId":"user-{at:06}",{head},"enabledUser":"true","username":"u{at}","givenName":"Ana","familyName":"Okoro","role":"student","orgs":[{org}]}}"#)
        }),
    );
    let one = |key: &str, rest: String| list(key, std::iter::once(format!("{{{head},{rest}}}")));
    let orgs = one("orgs", r#""sourcedId":"school-1","name":"One","type":"school""#.to_owned());
    let sessions = one(
        "academicSessions",
        r#""sourcedId":"y","title":"Y","type":"schoolYear","startDate":"2025-08-01","endDate":"2026-08-01""#.to_owned(),
    );
    let courses = one("courses", format!(r#""sourcedId":"co","title":"C","org":{org}"#));
    let (course, term) = (reference("co", "course"), reference("y", "term"));
    let classes =
        one("classes", format!(r#""sourcedId":"class-1","title":"C","course":{course},"school":{org},"terms":[{term}]"#));
    let total = pages * rows;
    let server = FakeServer::start(move |asked, _| {
        std::thread::sleep(latency);
        let offset = asked.number("offset").unwrap_or(0);
        let (body, total) = match asked.path().rsplit('/').next().unwrap_or_default() {
            "enrollments" if offset < total => (bodies[offset / rows].clone(), total),
            "enrollments" => ("{\"enrollments\":[]}".to_owned(), total),
            "users" if offset == 0 => (users.clone(), USERS),
            "users" => ("{\"users\":[]}".to_owned(), USERS),
            key if offset > 0 => (format!("{{\"{key}\":[]}}"), 1),
            "orgs" => (orgs.clone(), 1),
            "academicSessions" => (sessions.clone(), 1),
            "courses" => (courses.clone(), 1),
            _ => (classes.clone(), 1),
        };
        Reply::json(body).with("X-Total-Count", total)
    });
    let network = Network::new(Pace::machine(|| Instant(1_700_000_000_000)));
    let http = HttpSettings { per_second_max: 1_000_000, ..HttpSettings::default() };
    let client = Http::new(&network, &server.url("/x"), &http).expect("a client");
    let fetch = || {
        let begin = Moment::now();
        for page in 0..pages {
            let url = client.link(&format!("/x/enrollments?limit={rows}&offset={}", page * rows)).expect("a link");
            let answer = client.get(&Nobody, |_| url.clone()).expect("an answer");
            assert!(!answer.body.is_empty());
        }
        begin.elapsed()
    };
    fetch();
    let plain = fetch();

    let folder = tempfile::tempdir().expect("a folder");
    let settings = RestSettings {
        id: SourceId::from("sis"),
        pull: "north/sis".into(),
        address: server.url("/x"),
        version: RestVersion::V1_1,
        auth: RestAuth::Bearer(Secret::new("t")),
        read: ReadSettings { page_rows: u32::try_from(rows).expect("few"), http, ..ReadSettings::default() },
    };
    let spool = SpoolPages::new(folder.path().join("spool"), 4 << 30);
    let source = RestSource::new(settings, &network, Arc::new(spool));
    let package = source.pending(&Seen::default()).expect("something").remove(0);
    let mut intake = RosterIntake::new(None, IntakePolicy::default());
    let begin = Moment::now();
    source.pull(&package, &mut intake).expect("it is read");
    let pulled = begin.elapsed();
    let begin = Moment::now();
    let roster = intake.finish().roster;
    Cost { plain, pulled, finished: begin.elapsed(), enrollments: roster.enrollments.len() }
}
