//! T20 with processes: what threads of one program cannot show.

use std::process::Stdio;

use crate::demo::Demo;

#[test]
fn fifty_processes_and_one_seat() {
    let demo = Demo::new();
    for _ in 0..2 {
        assert!([0, 6].contains(&demo.run("sync northfield --here").code));
    }
    // 13 of 20 seats are used: six of the free ones go back.
    demo.told("pool grant northfield observe-educators --seats -6 --from 2020-08-01 --kind correction --reference T20");
    // t-013 left in the second night.
    let takers: Vec<String> = (1..=64).filter(|n| *n != 13).map(|n| format!("t-{n:03}")).collect();
    let free =
        takers.iter().filter(|key| !demo.run(&format!("explain northfield {key} observe")).out.contains("observe: active"));
    let started: Vec<_> = free
        .take(50)
        .map(|key| {
            let mut program = demo.program();
            program.args(["pool", "pin", "northfield", "observe-educators", key, "assign", "--reason", "T20"]);
            program.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("it runs")
        })
        .collect();
    assert!(started.len() >= 45, "{} people without a seat", started.len());
    let codes: Vec<Option<i32>> =
        started.into_iter().map(|child| child.wait_with_output().expect("it ends").status.code()).collect();
    assert_eq!(codes.iter().filter(|code| **code == Some(0)).count(), 1, "{codes:?}");
    assert!(codes.iter().all(|code| matches!(code, Some(0 | 1))), "every other one is refused: {codes:?}");
    let winner = demo.told("people northfield t- --limit 200");
    assert_eq!(winner.matches("observe-educators pinned to assign").count(), 1, "{winner}");
    let shown = demo.told("pool show northfield observe-educators");
    assert!(shown.contains("   14    14          0"), "{shown}");
    assert!(demo.told("audit verify northfield").contains("the books are what the trail says"));
}

#[test]
fn a_sync_and_purchases_by_hand_at_once() {
    let demo = Demo::new();
    assert_eq!(demo.run("sync northfield --here").code, 6);
    // The second night, and eight seats bought by eight processes meanwhile: whoever is late plans anew on newer books.
    let mut started =
        vec![demo.program().args(["sync", "northfield", "--here"]).stdout(Stdio::null()).spawn().expect("it runs")];
    started.extend((1..=8).map(|n| {
        let line =
            format!("pool grant northfield learn-educators --seats 1 --from 2020-08-01 --reference race-{n} --id race-{n}");
        demo.program().args(line.split(' ')).stdout(Stdio::null()).spawn().expect("it runs")
    }));
    let codes: Vec<Option<i32>> = started.iter_mut().map(|child| child.wait().expect("it ends").code()).collect();
    assert!(matches!(codes[0], Some(0 | 6)), "the sync: {codes:?}");
    assert!(codes[1..].iter().all(|code| *code == Some(0)), "the purchases: {codes:?}");
    // 52 want a seat after that night, 45 were bought before.
    let status = demo.json("status northfield");
    let pools = status["customers"][0]["pools"].as_array().expect("pools");
    let pool = pools.iter().find(|pool| pool["pool"] == "learn-educators").expect("a pool");
    assert_eq!((&pool["limit"], &pool["used"], &pool["waiting"]), (&53.into(), &52.into(), &0.into()), "{pool}");
    let runs = demo.json("runs northfield");
    let over = runs["runs"].as_array().expect("runs").iter().all(|run| run["state"] != "failed" && !run["ended"].is_null());
    assert!(over, "{runs}");
    assert!(demo.told("audit verify northfield").contains("the books are what the trail says"));
}
