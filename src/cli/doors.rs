//! Both doors do the same: each verb has its question over HTTP, or a reason why not.

use std::collections::BTreeSet;

use clap::{Command, CommandFactory};

use crate::cli::args::Cli;
use crate::http::{openapi_json, routes};

/// A verb, and the question that does the same: its method, and its path after `/api/v1`. `check` looks at
/// settings, secrets and the whole store, too: those are the machine's, and whether it does its work, /readyz and /metrics tell.
const SAME: [(&str, &str); 66] = [
    ("check", "POST /customers/{customer}/sources/{source}/check"),
    ("status", "GET /customers"),
    ("sync", "POST /customers/{customer}/requests"),
    ("pause", "POST /customers/{customer}/pauses"),
    ("resume", "DELETE /customers/{customer}/pauses/{source}"),
    ("plan", "POST /customers/{customer}/plans"),
    ("apply", "POST /runs/{run}/apply"),
    ("revert", "POST /runs/{run}/revert"),
    ("runs", "GET /runs"),
    ("runs show", "GET /runs/{run}/plan"),
    ("findings", "GET /runs/{run}/findings"),
    ("hold list", "GET /holds"),
    ("hold show", "GET /holds/{run}"),
    ("hold approve", "POST /holds/{run}/approve"),
    ("hold reject", "POST /holds/{run}/reject"),
    ("people", "GET /customers/{customer}/people"),
    ("people forget", "POST /customers/{customer}/people/{person}/forget"),
    ("people import", "POST /customers/{customer}/people/import"),
    ("people export", "GET /customers/{customer}/people/export"),
    ("people bulk", "POST /customers/{customer}/people/bulk"),
    ("activity import", "POST /customers/{customer}/activity"),
    ("pool list", "GET /customers/{customer}/pools"),
    ("pool show", "GET /customers/{customer}/pools/{pool}"),
    ("pool grant", "POST /customers/{customer}/pools/{pool}/grants"),
    ("pool agree", "POST /customers/{customer}/pools/{pool}/agreements"),
    ("pool renew", "POST /customers/{customer}/pools/{pool}/terms"),
    ("pool correct-term", "POST /customers/{customer}/pools/{pool}/terms/{term}/correct"),
    ("pool freeze-billing", "POST /customers/{customer}/pools/{pool}/billing"),
    ("pool unfreeze-billing", "POST /customers/{customer}/pools/{pool}/billing"),
    ("pool pin", "POST /customers/{customer}/pools/{pool}/pins"),
    ("pool unpin", "DELETE /customers/{customer}/pools/{pool}/pins/{person}"),
    ("pool transfer", "POST /customers/{customer}/pools/{pool}/transfers"),
    ("pool accept", "POST /customers/{customer}/pools/{pool}/acceptances"),
    ("pool request-seats", "POST /customers/{customer}/pools/{pool}/seat-requests"),
    ("pool requests", "GET /customers/{customer}/seat-requests"),
    ("episode list", "GET /customers/{customer}/episodes"),
    ("episode show", "GET /customers/{customer}/episodes/{episode}"),
    ("episode export", "GET /customers/{customer}/episodes/{episode}/export"),
    ("episode approve-upgrade", "POST /customers/{customer}/episodes/{episode}/approve-upgrade"),
    ("notices list", "GET /customers/{customer}/notices"),
    ("notices delivered", "POST /customers/{customer}/notices/delivered"),
    ("alert test", "POST /alerts/test"),
    ("alert list", "GET /alerts"),
    ("alert replay", "POST /alerts/replay"),
    ("queue", "GET /customers/{customer}/queue"),
    ("renewals", "GET /renewals"),
    ("forecast", "GET /customers/{customer}/forecast"),
    ("what-if", "POST /customers/{customer}/what-if"),
    ("explain", "GET /customers/{customer}/people/{person}/explain"),
    ("access", "GET /customers/{customer}/people/{person}/access"),
    ("report licenses", "GET /customers/{customer}/reports/licenses"),
    ("report claims", "GET /customers/{customer}/reports/claims"),
    ("report dashboard", "GET /customers/{customer}/reports/dashboard"),
    ("report consumption", "GET /customers/{customer}/reports/consumption"),
    ("report compliance", "GET /customers/{customer}/reports/compliance"),
    ("report usage", "GET /customers/{customer}/reports/usage"),
    ("report advice", "GET /customers/{customer}/reports/advice"),
    ("report reuse", "GET /customers/{customer}/reports/reuse"),
    ("report unseated", "GET /customers/{customer}/reports/unseated"),
    ("report high-water", "GET /customers/{customer}/reports/high-water"),
    ("token list", "GET /tokens"),
    ("token revoke", "DELETE /tokens/{token}"),
    ("nodes", "GET /nodes"),
    ("audit list", "GET /customers/{customer}/audit"),
    ("audit verify", "GET /audit/verify"),
    ("audit export", "GET /changes"),
];

/// Verbs without a question of their own, and why.
const ALONE: [(&str, &str); 10] = [
    ("serve", "it is what answers"),
    ("pull", "it writes what a source said, people and all, into a folder of the machine, for support"),
    ("audit archive", "it moves files of the machine, on a schedule of whoever keeps it"),
    ("token create", "who may ask is said by whoever has the machine, so that no leaked token makes others"),
    ("store copy", "it moves the books while no daemon runs"),
    ("backup", "it writes a file of the machine; one with every name in it is sent over no door"),
    ("restore", "it replaces the books while no daemon runs, so that nobody stands at the door"),
    ("api openapi", "GET /openapi.json tells it, as does this"),
    ("completions", "it is about the command line"),
    ("man", "it is about the command line"),
];

/// Verbs whose question tells what is so now and takes no other instant, and why. What changes something is done now, too:
/// `--as-of` is for replays there, of books that no daemon works on.
const NOW: [(&str, &str); 13] = [
    ("runs", "each tells when it was"),
    ("runs show", "it tells when it was"),
    ("findings", "they are written once"),
    ("hold list", "holds are decided now; each tells when it was opened and decided"),
    ("hold show", "approving is done now, with what sources say now"),
    ("people export", "the newest roster is what can be edited"),
    ("notices list", "each tells when it was written, and when it arrived"),
    ("alert list", "channels are looked after now"),
    ("token list", "a token is good now, or not"),
    ("nodes", "they work now"),
    ("audit list", "each commit tells its instant"),
    ("audit verify", "the newest books are proved, with all commits"),
    ("audit export", "each commit tells its instant"),
];

/// Verbs that a caller types, by their words. One that does something by itself and has verbs below it counts, too.
fn verbs(command: &Command, path: &str, found: &mut BTreeSet<String>) {
    for sub in command.get_subcommands() {
        let path = format!("{path} {}", sub.get_name()).trim_start().to_owned();
        if !sub.is_subcommand_required_set() {
            found.insert(path.clone());
        }
        verbs(sub, &path, found);
    }
}

#[test]
fn every_verb_has_its_question_or_a_reason() {
    let mut typed = BTreeSet::new();
    verbs(&Cli::command(), "", &mut typed);
    let told = SAME.iter().chain(&ALONE).map(|(verb, _)| (*verb).to_owned());
    let told: BTreeSet<String> = told.collect();
    assert_eq!(told.len(), SAME.len() + ALONE.len(), "a verb is told twice");
    let (more, fewer): (Vec<_>, Vec<_>) = (typed.difference(&told).collect(), told.difference(&typed).collect());
    assert!(more.is_empty() && fewer.is_empty(), "verbs that are told of nowhere: {more:?}; told of and not there: {fewer:?}");
    let asked: BTreeSet<String> =
        routes().into_iter().map(|(method, path, _)| format!("{method} {}", path.trim_start_matches("/api/v1"))).collect();
    let absent: Vec<_> = SAME.iter().filter(|(_, question)| !asked.contains(*question)).collect();
    assert!(absent.is_empty(), "{absent:?}");
    // Whatever is not asked by a verb has its own reason to be there.
    let by_verb: BTreeSet<&str> = SAME.iter().map(|(_, question)| *question).collect();
    let beside: Vec<&String> = asked.iter().filter(|question| !by_verb.contains(question.as_str())).collect();
    let known = [
        // The process itself.
        "GET /livez",
        "GET /readyz",
        "GET /metrics",
        "GET /openapi.json",
        // Parts of what a verb tells at once.
        "GET /customers/{customer}",
        "GET /customers/{customer}/runs",
        "GET /customers/{customer}/holds",
        "GET /customers/{customer}/audit/verify",
        "GET /customers/{customer}/orgs",
        "GET /customers/{customer}/pauses",
        "GET /customers/{customer}/grants",
        "GET /customers/{customer}/terms",
        "GET /customers/{customer}/pins",
        "GET /customers/{customer}/renewals",
        "GET /customers/{customer}/access",
        "GET /runs/{run}",
        "GET /runs/{run}/events",
        "GET /requests/{request}",
    ];
    let unknown: Vec<_> = beside.iter().filter(|question| !known.contains(&question.as_str())).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}

/// Whatever the command line answers as of another instant, the door does.
#[test]
fn every_verb_that_takes_another_instant_for_now_has_a_question_that_does() {
    assert!(Cli::command().get_arguments().any(|argument| argument.get_id() == "as_of" && argument.is_global_set()));
    let document = openapi_json();
    let takes = |question: &str| {
        let (method, path) = question.split_once(' ').expect("a method and a path");
        let path = if matches!(path, "/livez" | "/readyz" | "/metrics") { path.to_owned() } else { format!("/api/v1{path}") };
        let parameters = &document["paths"][path][method.to_ascii_lowercase()]["parameters"];
        parameters.as_array().expect("parameters").iter().any(|one| one["name"] == "as_of" && one["in"] == "query")
    };
    // What is played again is posted and changes nothing.
    let answers = |(verb, question): &(&str, &str)| question.starts_with("GET ") || *verb == "what-if";
    for (verb, question) in SAME.iter().filter(|same| !answers(same)) {
        assert!(!takes(question), "{verb}: what is done is done now");
    }
    for (verb, question) in SAME.iter().filter(|same| answers(same)) {
        let now = NOW.iter().any(|(other, _)| other == verb);
        assert_eq!(takes(question), !now, "{verb}: {question}");
    }
    let unknown: Vec<_> =
        NOW.iter().filter(|(verb, _)| !SAME.iter().filter(|same| answers(same)).any(|(same, _)| same == verb)).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}
