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
use crate::pull_provider::page;

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

/// Pulls so many pages of so many enrollments each from a server that takes so long for a page.
pub fn measure(pages: usize, rows: usize, latency: Duration) -> Cost {
    let total = pages * rows;
    let bodies: Vec<String> = (0..pages).map(|at| page("enrollments", at * rows, rows, total).0).collect();
    let server = FakeServer::start(move |asked, _| {
        std::thread::sleep(latency);
        let offset = asked.number("offset").unwrap_or(0);
        match asked.path().rsplit('/').next().unwrap_or_default() {
            "enrollments" if offset < total => Reply::json(bodies[offset / rows].clone()).with("X-Total-Count", total),
            key => {
                let (body, total) = page(key, offset, rows, total);
                Reply::json(body).with("X-Total-Count", total)
            }
        }
    });
    let network = Network::new(Pace::machine(|| Instant(1_700_000_000_000)));
    let http = HttpSettings { per_second_max: 1_000_000, ..HttpSettings::default() };
    let client = Http::new(&network, &server.url("/x"), &http).expect("a client");
    let fetch = |pages: usize| {
        let begin = Moment::now();
        for at in 0..pages {
            let url = client.link(&format!("/x/enrollments?limit={rows}&offset={}", at * rows)).expect("a link");
            let answer = client.get(&Nobody, |_| url.clone()).expect("an answer");
            assert!(!answer.body.is_empty());
        }
        begin.elapsed()
    };
    // The connection is there, and the memory of both.
    fetch(pages.min(20));
    let plain = fetch(pages);

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
