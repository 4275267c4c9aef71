//! What a node works on, and since when, is told by the command line, the API, the metrics and a page; and a node that is asked to
//! go does it to its end.

use std::sync::Arc;

use rosterd::base::{AccessRole, Instant};
use rosterd::source::RestVersion;
use serde_json::Value;

use crate::cluster::{self, Database};
use crate::daemon::{Daemon, assert_sound, is_over, runs, until, until_settled};
use crate::demo::Demo;
use crate::door::ask_at;
use crate::fake_oneroster::Provider;
use crate::gate::Gate;
use crate::net_oneroster::district;
use crate::net_program::customer_with;
use crate::site::Site;

/// The demo, and a customer `north` whose provider keeps who asks waiting.
fn demo(database: &Database, provider: &Provider) -> Demo {
    let demo = Demo::shared(database.url());
    let address = provider.server.url("/ims/oneroster/v1p1");
    std::fs::write(demo.path().join("config/word.secret"), "hunter2").expect("a secret");
    let text = std::fs::read_to_string(demo.settings_file()).expect("settings");
    let source = format!(
        "kind = \"oneroster_rest\"\naddress = \"{address}\"\nversion = \"1.1\"\nauth = \"bearer\"\ntoken_file = \"word.secret\"\n\
         timeout_secs = 120"
    );
    let north = customer_with("north", &source);
    let text = format!("[http]\nlisten = \"127.0.0.1:0\"\n{text}{north}");
    std::fs::write(demo.settings_file(), text).expect("written");
    demo
}

/// What a node works on, by its process, in the answer of `nodes`.
fn work_of(nodes: &Value, process: u32) -> Vec<Value> {
    let all = nodes["nodes"].as_array().expect("nodes");
    let node = all.iter().find(|node| node["pid"] == process).unwrap_or_else(|| panic!("{process} is not in {nodes}"));
    node["work"].as_array().expect("work").clone()
}

#[test]
fn what_a_node_works_on_is_told_everywhere_and_done_before_it_goes() {
    if !cluster::is_installed() {
        return;
    }
    let (database, provider, gate) = (Database::fresh(), Provider::start(), Arc::new(Gate::default()));
    provider.has(&district("north"), RestVersion::V1_1);
    let closed = gate.clone();
    provider.slow(move |begins| {
        if begins {
            closed.pass()
        }
    });
    let demo = demo(&database, &provider);
    let daemons = [Daemon::ready(&demo), Daemon::ready(&demo)];
    until_settled(&demo);

    demo.told("sync north");
    let mut busy = None;
    until("a node works on it", || {
        let nodes = demo.json("nodes");
        busy =
            daemons.iter().position(|daemon| work_of(&nodes, daemon.child.id()).iter().any(|work| work["customer"] == "north"));
        busy.map(drop).ok_or_else(|| nodes.to_string())
    });
    let busy = busy.expect("one of them");
    let [first, second] = daemons;
    let (worker, idle) = if busy == 0 { (first, second) } else { (second, first) };
    let processes = [worker.child.id(), idle.child.id()];
    idle.until_logged("door_opened", 1);
    let address = idle.events("door_opened")[0]["address"].as_str().expect("an address").to_owned();
    // The other one is asked.
    let mut site = Site { demo, daemon: idle, address };
    let operator = site.token(AccessRole::Operator, "");
    let get = |site: &Site, path: &str| ask_at(&site.address, "GET", path, Some(&operator), "*/*", "");
    for told in [site.demo.json("nodes"), get(&site, "/api/v1/nodes").json()] {
        let [work] = &work_of(&told, processes[0])[..] else { panic!("{told}") };
        assert_eq!(work["customer"], "north", "{told}");
        assert!(work["since"].as_str().and_then(Instant::parse).is_some() && work["request"].is_u64(), "{told}");
        assert_eq!(work_of(&told, processes[1]), Vec::<Value>::new(), "{told}");
    }
    let metrics = get(&site, "/metrics").body;
    for (process, requests) in processes.iter().zip(["1", "0"]) {
        let of = format!("process=\"{process}\"");
        let line = metrics.lines().find(|line| line.starts_with("rosterd_node_requests{") && line.contains(&of));
        assert_eq!(line.and_then(|line| line.rsplit(' ').next()), Some(requests), "{metrics}");
    }
    let page = site.signed_in(&operator).page("/nodes").body;
    let row = |process: u32| page.split("<tr>").find(|row| row.contains(&format!("<td>{process}</td>"))).expect("a row");
    assert!(row(processes[0]).contains("north") && !row(processes[0]).contains("nothing"), "{page}");
    assert!(row(processes[1]).contains("nothing"), "{page}");

    // Asked to go, it ends what it began before it does, and takes nothing more.
    worker.signal("TERM");
    worker.until_logged("daemon_stopping", 1);
    assert_eq!(worker.events("daemon_stopping")[0]["running"], 1);
    site.demo.told("sync larkspur");
    gate.let_pass(usize::MAX);
    let log = worker.ended_by_itself();
    assert!(log.iter().any(|line| line["event"] == "run_finished" && line["customer.id"] == "north"), "{log:?}");
    until("both are done", || {
        let all = runs(&site.demo, "");
        let is_done =
            |customer: &str| all.iter().any(|run| run["customer"] == customer && run["trigger"] == "same_day" && is_over(run));
        if is_done("north") && is_done("larkspur") { Ok(()) } else { Err(format!("{all:?}")) }
    });
    assert_eq!(runs(&site.demo, "north").len(), 1);
    assert_sound(&site.demo);
    site.daemon.signal("TERM");
    let _ = site.daemon.child.wait();
    drop(database);
}
