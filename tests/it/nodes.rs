//! Several real processes over one PostgreSQL: who gets the last seat, how fast they ask an upstream together, what they say while
//! the database is away, and whom they trust to be it.

use std::process::Stdio;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Barrier, Mutex};
use std::thread::sleep;
use std::time::{Duration, Instant as Moment};

use rosterd::base::{AccessRole, ErrorChain, Secret};
use rosterd::store::{Opening, PostgresChoice, StoreChoice, StoreError, open};
use serde_json::{Value, json};

use crate::cluster::{self, Database, Server};
use crate::daemon::{Daemon, assert_sound, is_over, runs, until, until_settled};
use crate::demo::Demo;
use crate::door::{Reply, ask_at};
use crate::fake_oneroster::Provider;
use crate::net_oneroster::district;
use crate::net_program::{rosterd, write_settings};
use crate::postgres_doors::until_made;

const TLS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/tls");

/// A node whose door is open.
struct Node {
    daemon: Daemon,
    address: String,
}

/// The demo with its door open, on this database.
fn with_door(database: &Database) -> Demo {
    let demo = Demo::shared(database.url());
    let text = std::fs::read_to_string(demo.settings_file()).expect("settings");
    std::fs::write(demo.settings_file(), format!("[http]\nlisten = \"127.0.0.1:0\"\n{text}")).expect("written");
    demo.set("drop_poll_secs = 2", "drop_poll_secs = 1");
    demo
}

fn node(demo: &Demo) -> Node {
    let daemon = Daemon::start_with(demo, |_| ());
    daemon.until_logged("door_opened", 1);
    let address = daemon.events("door_opened")[0]["address"].as_str().expect("an address").to_owned();
    Node { daemon, address }
}

/// Two of them on a database of their own that took everything in; without PostgreSQL none.
fn two_nodes() -> Option<(Database, Demo, [Node; 2])> {
    if !cluster::is_installed() {
        return None;
    }
    let database = Database::fresh();
    let demo = with_door(&database);
    let nodes = [node(&demo), node(&demo)];
    until_settled(&demo);
    Some((database, demo, nodes))
}

impl Node {
    fn get(&self, path: &str, token: Option<&str>) -> Reply {
        ask_at(&self.address, "GET", path, token, "application/json", "")
    }
}

fn token(demo: &Demo) -> String {
    let made = demo.json(&format!("token create t --role {}", AccessRole::Operator));
    made["text"].as_str().expect("a text").to_owned()
}

#[test]
fn t20_fifty_claims_for_the_last_seat_through_two_nodes() {
    let Some((_database, demo, nodes)) = two_nodes() else { return };
    // 13 of 20 seats are used: six of the free ones go back.
    demo.told("pool grant northfield observe-educators --seats -6 --from 2020-08-01 --kind correction --reference T20");
    let operator = token(&demo);
    let api = "/api/v1/customers/northfield";
    let has_seat = |key: &str| {
        let told = nodes[0].get(&format!("{api}/people/{key}/explain?product=observe"), Some(&operator));
        if told.status == 200 {
            told.body.contains("\"active\"")
        } else {
            demo.told(&format!("explain northfield {key} observe")).contains("observe: active")
        }
    };
    // t-013 left in the second night.
    let takers: Vec<String> =
        (1..=64).filter(|n| *n != 13).map(|n| format!("t-{n:03}")).filter(|key| !has_seat(key)).take(50).collect();
    assert_eq!(takers.len(), 50, "people without a seat");
    let start = Barrier::new(takers.len());
    let replies: Vec<Reply> = std::thread::scope(|scope| {
        let asked: Vec<_> = takers
            .iter()
            .enumerate()
            .map(|(n, key)| {
                let (node, start, operator) = (&nodes[n % 2], &start, &operator);
                scope.spawn(move || {
                    let body = json!({"person": key, "decision": "assign", "reason": "T20"}).to_string();
                    let path = format!("{api}/pools/observe-educators/pins");
                    let deadline = Moment::now() + Duration::from_secs(60);
                    start.wait();
                    // On a slow machine the last in line is told to come back, as everybody is whom a door cannot serve in time.
                    loop {
                        let reply = ask_at(&node.address, "POST", &path, Some(operator), "*/*", &body);
                        if reply.status != 503 || Moment::now() > deadline {
                            return reply;
                        }
                        sleep(Duration::from_millis(100));
                    }
                })
            })
            .collect();
        asked.into_iter().map(|asked| asked.join().expect("no panic")).collect()
    });
    let answers = |status: u16, word: &str| {
        replies.iter().filter(|reply| reply.status == status && reply.json()["answer"] == word).count()
    };
    let all: Vec<_> = replies.iter().map(|reply| (reply.status, &reply.body)).collect();
    assert_eq!((answers(200, "done"), answers(409, "pool_exhausted")), (1, 49), "{all:?}");
    let pool = demo.json("pool show northfield observe-educators");
    assert_eq!((&pool["used"], &pool["available"]), (&14.into(), &0.into()), "{pool}");
    // One commit seats somebody, 49 write down that they were refused; no version is missing.
    let export = demo.told("audit export northfield");
    let commits: Vec<Value> = export.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let pins: Vec<&Value> =
        commits.iter().filter(|commit| commit.to_string().contains("T20\"") || commit["verb"] == "pin").collect();
    assert!(pins.len() >= 50, "{} of {} commits", pins.len(), commits.len());
    assert!(commits.iter().map(|commit| commit["version"].clone()).eq(1..=commits.len()), "{} commits", commits.len());
    assert_sound(&demo);
}

#[test]
fn while_the_database_is_away_nodes_say_so_and_requests_wait() {
    let Some(server) = Server::start(&[]) else { return };
    let database = server.database();
    let demo = with_door(&database);
    let nodes = [node(&demo), node(&demo)];
    until_made(&demo, &nodes[0].daemon);
    until_settled(&demo);
    let ready = |node: &Node| node.get("/readyz", None).status;
    assert_eq!(nodes.iter().map(ready).collect::<Vec<_>>(), [200, 200]);
    server.control("stop", "immediate");
    demo.drop_students("2026-10-001.zip", &["z-001".to_owned()]);
    until("both say that they cannot work", || {
        let said: Vec<u16> = nodes.iter().map(ready).collect();
        if said == [503, 503] { Ok(()) } else { Err(format!("{said:?}")) }
    });
    assert_eq!(nodes[0].get("/livez", None).status, 200, "it lives, and need not be started anew");
    server.control("start", "fast");
    until("both are ready again", || {
        let said: Vec<u16> = nodes.iter().map(ready).collect();
        if said == [200, 200] { Ok(()) } else { Err(format!("{said:?}")) }
    });
    until("the package is taken in", || {
        let found = demo.run("explain northfield z-001");
        if found.code == 0 { Ok(()) } else { Err(format!("{found:?}")) }
    });
    until("nothing is under way", || {
        let all = runs(&demo, "");
        if all.iter().all(is_over) { Ok(()) } else { Err(format!("{all:?}")) }
    });
    let took = runs(&demo, "northfield").iter().filter(|run| run["packages"] == json!(["sis:2026-10-001.zip"])).count();
    assert_eq!(took, 1);
    assert_sound(&demo);
}

#[test]
fn a_server_is_trusted_only_where_an_authority_vouches_for_it() {
    let settings = [
        "listen_addresses=127.0.0.1".to_owned(),
        "ssl=on".to_owned(),
        format!("ssl_cert_file={TLS}/server.pem"),
        format!("ssl_key_file={TLS}/server-key.pem"),
    ];
    // The certificate is read by the server's own user.
    let folder = tempfile::Builder::new().prefix("rosterd-tls").tempdir_in("/tmp").expect("a folder");
    let certificate = folder.path().join("server.pem");
    std::fs::copy(format!("{TLS}/server.pem"), &certificate).expect("copied");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(folder.path(), mode).expect("set");
    let settings = settings.map(|setting| setting.replace(&format!("{TLS}/server.pem"), &certificate.display().to_string()));
    let Some(server) = Server::start(&settings) else { return };
    let database = server.database();
    let at = |host: &str, ca_file: Option<&str>| {
        let url = Secret::new(format!("postgres://rosterd:hunter2@{host}:{}/{}", server.port, database.name()));
        let choice = PostgresChoice { ca_file: ca_file.map(Into::into), connect_secs_max: 2, ..PostgresChoice::at(url) };
        open(&StoreChoice::Postgres(choice), Opening::Writing)
    };
    let authority = format!("{TLS}/ca.pem");
    for host in ["localhost", "127.0.0.1"] {
        let store = at(host, Some(&authority)).unwrap_or_else(|error| panic!("{}", ErrorChain(&error)));
        assert_eq!(store.customers().expect("asks"), []);
    }
    let encrypted = "SELECT count(*) FROM pg_stat_ssl s JOIN pg_stat_activity a ON a.pid = s.pid
                     WHERE s.ssl AND a.application_name = 'rosterd'";
    let store = at("localhost", Some(&authority)).unwrap_or_else(|error| panic!("{error:?}"));
    assert!(database.raw().query_one(encrypted, &[]).expect("asks").get::<_, i64>(0) >= 1);
    drop(store);
    // The system trusts another one, or nobody; and the authority vouches for no other name.
    for (host, ca_file) in [("localhost", None), ("127.0.0.2", Some(authority.as_str()))] {
        let refused = at(host, ca_file).err().expect("it is not trusted");
        let told = ErrorChain(&refused).to_string();
        assert!(matches!(refused, StoreError::Away { .. } | StoreError::Database { .. }), "{refused:?}");
        assert!(!told.contains("hunter2"), "{told}");
    }
}

/// Two programs sync a customer each from one provider; returns when each request began, and how many were under way at most.
fn asked_by_two(limits: &str, takes: Duration) -> Option<(Vec<Moment>, i64)> {
    if !cluster::is_installed() {
        return None;
    }
    let database = Database::fresh();
    let provider = Provider::start();
    provider.has(&district("north"), rosterd::source::RestVersion::V1_1);
    let (begun, under_way, most) = (Arc::new(Mutex::new(Vec::new())), AtomicI64::new(0), Arc::new(AtomicI64::new(0)));
    let (note, peak) = (begun.clone(), most.clone());
    provider.slow(move |begins| {
        if begins {
            note.lock().expect("no panic").push(Moment::now());
            peak.fetch_max(under_way.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            sleep(takes);
        } else {
            under_way.fetch_sub(1, Ordering::SeqCst);
        }
    });
    let folder = tempfile::tempdir().expect("a folder");
    let source = format!(
        "kind = \"oneroster_rest\"\naddress = \"{}\"\nversion = \"1.1\"\nauth = \"bearer\"\ntoken_file = \"word.secret\"\npage_rows = 5",
        provider.server.url("/ims/oneroster/v1p1")
    );
    write_settings(folder.path(), "", &[("north", &source), ("south", &source)]);
    let file = folder.path().join("rosterd.toml");
    let settings = std::fs::read_to_string(&file).expect("settings").replace("max_per_second = 1000", limits);
    std::fs::write(&file, settings).expect("written");
    let start = |customer: &str| {
        let mut sync = rosterd(folder.path(), &format!("sync {customer} --here"));
        sync.env("ROSTERD__STORE__KIND", "postgres").env("ROSTERD__STORE__URL", database.url());
        sync.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it runs")
    };
    let nodes = [start("north"), start("south")];
    for node in nodes {
        let done = node.wait_with_output().expect("it ends");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }
    let mut begun = begun.lock().expect("no panic").clone();
    begun.sort();
    Some((begun, most.load(Ordering::SeqCst)))
}

#[test]
fn two_nodes_together_ask_no_faster_than_one_may() {
    let Some((begun, _)) = asked_by_two("max_per_second = 20", Duration::ZERO) else { return };
    assert!(begun.len() >= 30, "{} requests", begun.len());
    // Ten requests on, half a second is over; how long a request is on its way differs by little.
    for window in begun.windows(11) {
        let took = window[10] - window[0];
        assert!(took >= Duration::from_millis(450), "eleven requests within {took:?}");
    }
}

#[test]
fn two_nodes_together_have_no_more_under_way_than_one_may() {
    let Some((begun, most)) = asked_by_two("max_parallel = 1\nmax_per_second = 1000", Duration::from_millis(30)) else {
        return;
    };
    assert!(begun.len() >= 30, "{} requests", begun.len());
    assert_eq!(most, 1);
}

#[test]
fn nodes_are_told_of_by_metrics_and_pages() {
    let Some((_database, demo, nodes)) = two_nodes() else { return };
    let operator = token(&demo);
    let metrics = ask_at(&nodes[0].address, "GET", "/metrics", Some(&operator), "*/*", "");
    assert_eq!(metrics.status, 200, "{}", metrics.body);
    for node in &nodes {
        let of = format!("process=\"{}\"", node.daemon.child.id());
        let seen = metrics.body.lines().find(|line| line.starts_with("rosterd_node_seen_seconds{") && line.contains(&of));
        let seen = seen.unwrap_or_else(|| panic!("{of} is not in {}", metrics.body));
        let secs: u64 = seen.rsplit(' ').next().and_then(|secs| secs.parse().ok()).expect("a number");
        assert!(secs <= 3, "{seen}");
        assert!(metrics.body.lines().any(|line| line.starts_with("rosterd_node_requests{") && line.contains(&of)));
    }
}
