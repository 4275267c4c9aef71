use std::collections::BTreeSet;
use std::path::Path;

use crate::settings::load::load_with;
use crate::settings::problem::SettingsError;
use crate::settings::trial::{EVERYONE, district, env, good, load_text, when, wrong};

#[test]
fn all_mistakes_are_told_at_once_with_the_way_out() {
    let text = district(
        "nightly = \"tonight\"\ntime_zon = \"UTC\"\n[customer.guard]\nremoval_percent = 140",
        "",
        "",
        "when = { role = [\"techer\"] }",
    );
    let Err(SettingsError::Wrong { problems }) = load_text(&text, &[]) else { panic!("wrong settings were taken") };
    let lines: Vec<String> = problems.to_string().lines().map(str::to_owned).collect();
    assert_eq!(lines[0], "4 problems");
    let explained: BTreeSet<usize> = ["is more than 100", "is not a cron pattern", "is no OneRoster role", "unknown key"]
        .iter()
        .map(|what| lines.iter().find_map(|line| line.find(what)).expect(what))
        .collect();
    assert_eq!(explained.len(), 1, "explanations do not line up:\n{problems}");
    assert!(lines[1].starts_with("  customer.north.guard.removal_percent = 140 "), "{problems}");
    assert!(lines[2].starts_with("  customer.north.nightly = \"tonight\" "), "{problems}");
    assert!(lines[3].ends_with("is no OneRoster role (own words start with `ext:`); did you mean `teacher`?"), "{problems}");
    assert!(lines[4].ends_with("unknown key; did you mean `time_zone`?"), "{problems}");
}

#[test]
fn an_unknown_key_is_refused_at_every_level() {
    let grant = "[[customer.pool.grant]]\nid = \"g\"\nseats = 1\nfrom = \"2026-01-01\"";
    for (text, line) in [
        ("[gard]\nremoval_min = 1".to_owned(), "gard unknown key; did you mean `guard`?"),
        ("wrokers = 2".to_owned(), "wrokers unknown key"),
        ("[store]\npaht = \"x\"".to_owned(), "store.paht unknown key; did you mean `path`?"),
        ("[daemon]\nworker = 2".to_owned(), "daemon.worker unknown key; did you mean `workers`?"),
        ("[log]\nlevl = \"info\"".to_owned(), "log.levl unknown key; did you mean `level`?"),
        ("[sync]\nstale_after = 1".to_owned(), "sync.stale_after unknown key; did you mean `stale_after_hours`?"),
        ("[calendar]\nweekends = []".to_owned(), "calendar.weekends unknown key; did you mean `weekend`?"),
        (district("profil = \"lxp\"", "", "", EVERYONE), "customer.north.profil unknown key; did you mean `profile`?"),
        (
            district("[customer.absence]\nconfirmation = 1", "", "", EVERYONE),
            "customer.north.absence.confirmation unknown key; did you mean `confirmations`?",
        ),
        (
            district("[[customer.source]]\nid = \"sis\"\nkind = \"oneroster_csv\"\npath = \"x\"\ntokn = 1", "", "", EVERYONE),
            "customer.north.source.sis.tokn unknown key; did you mean `token`?",
        ),
        (
            district("", "autoassign = true", "", EVERYONE),
            "customer.north.product.learn.autoassign unknown key; did you mean `auto_assign`?",
        ),
        (
            district("", "", "audiences = \"any\"", EVERYONE),
            "customer.north.pool.main.audiences unknown key; did you mean `audience`?",
        ),
        (
            district("", "", "reservations = [{ org = \"a\", seats = 1, seat = 2 }]", EVERYONE),
            "customer.north.pool.main.reservations.#1.seat unknown key; did you mean `seats`?",
        ),
        (
            district("", "", "[customer.pool.overage]\nminor = 105", EVERYONE),
            "customer.north.pool.main.overage.minor unknown key; did you mean `minor_percent`?",
        ),
        (
            district("", "", &format!("{grant}\nreferense = \"x\""), EVERYONE),
            "customer.north.pool.main.grant.g.referense unknown key; did you mean `reference`?",
        ),
        (
            district("", "", "", &format!("prio = 1\n{EVERYONE}")),
            "customer.north.rule.all.prio unknown key; did you mean `priority`?",
        ),
        (when("{ roles = [\"teacher\"] }"), "customer.north.rule.all.when.roles unknown key; did you mean `role`?"),
        (
            when("{ live_enrollment = { subjects = [\"Art\"] } }"),
            "customer.north.rule.all.when.live_enrollment.subjects unknown key; did you mean `subject`?",
        ),
        (
            when("{ any = [{ everyone = true }, { not = { orgs = [\"a\"] } }] }"),
            "customer.north.rule.all.when.any.#2.not.orgs unknown key; did you mean `org`?",
        ),
    ] {
        assert_eq!(wrong(&text), [line], "{text}");
    }
}

#[test]
fn values_of_the_wrong_kind_name_the_key_and_what_it_wants() {
    for (text, line) in [
        ("[daemon]\nworkers = \"two\"", "daemon.workers = \"two\" is not a whole number"),
        ("[daemon]\nworkers = 1.5", "daemon.workers = 1.5 is not a whole number"),
        ("[daemon]\nworkers = 0", "daemon.workers = 0 is less than 1"),
        (
            "[store]\nkind = \"postgres\"\nurl = \"postgres://db/books\"\nconnections_max = 9",
            "store.connections_max = 9 is too few for 2 workers; at least 10",
        ),
        ("[store]\nkind = \"mysql\"", "store.kind = \"mysql\" is none of sqlite, postgres"),
        (
            "[store]\nkind = \"postgres\"\nurl = \"db/books:hunter2\"",
            "store.url is no address of a database (postgres://user:password@host/database)",
        ),
        ("[store]\npath = 5", "store.path = 5 is not a text in quotes"),
        ("[store]\npath = \"\"", "store.path = \"\" is empty"),
        (
            "[log]\nlevel = \"inof\"",
            "log.level = \"inof\" is none of off, error, warn, info, debug, trace; did you mean `info`?",
        ),
        ("[guard]\non_trip = \"removal\"", "guard.on_trip = \"removal\" is none of removals, all; did you mean `removals`?"),
        ("guard = 5", "guard = 5 is not a table"),
        ("[customer]\nid = \"a\"", "customer is one table, not a list of tables (write [[customer]])"),
        (
            "[calendar]\ntime_zone = \"Europe/Lundon\"",
            "calendar.time_zone = \"Europe/Lundon\" is not a time zone such as \"Europe/London\"; did you mean `Europe/London`?",
        ),
        (
            "[calendar]\nweekend = [\"sat\", \"sunday\"]",
            "calendar.weekend = \"sunday\" is none of mon, tue, wed, thu, fri, sat, sun; did you mean `sun`?",
        ),
        ("[calendar]\nweekend = \"sat\"", "calendar.weekend = \"sat\" is not a list of texts, such as [\"one\", \"two\"]"),
        ("[calendar]\nholidays = [\"25.12.2026\"]", "calendar.holidays = \"25.12.2026\" is not a date such as \"2026-09-01\""),
        ("[[customer]]\nname = \"x\"", "customer.#1.id is missing"),
        ("[[customer]]\nid = \"a b\"", "customer.a b.id = \"a b\" has characters other than letters, digits, `-`, `_` and `.`"),
        (
            "[[customer]]\nid = \"a\"\nprofile = \"shcool\"",
            "customer.a.profile = \"shcool\" is none of lxp, studio, school, modules, academy; did you mean `school`?",
        ),
    ] {
        assert_eq!(wrong(text), [line], "{text}");
    }
    assert!(matches!(load_text("[store\n", &[]), Err(SettingsError::Syntax { .. })));
    let missing = load_with(Some(Path::new("/nonexistent/rosterd.toml")), env(&[]));
    assert!(matches!(missing, Err(SettingsError::Read { .. })));
}

#[test]
fn names_that_lead_nowhere_come_back_with_the_nearest() {
    let source = "[[customer.source]]\nid = \"sis\"\nkind = \"oneroster_csv\"\npath = \"x\"\n\
                  keep_metadata = [\"metadata.program\"]";
    let kept = "when = { attribute = { name = \"metadata.progam\", equals = [\"x\"] } }";
    for (text, lines) in [
        (
            district("", "requires = \"lern\"", "", EVERYONE),
            vec!["customer.north.product.learn.requires = \"lern\" is no product of this customer; did you mean `learn`?"],
        ),
        (
            district("", "bundle_of = [\"learn\", \"x1\"]", "", EVERYONE),
            vec![
                "customer.north.product.learn.bundle_of contains the bundle itself",
                "customer.north.product.learn.bundle_of = \"x1\" is no product of this customer",
            ],
        ),
        (
            district("", "", "", EVERYONE).replace("product = \"learn\"\nowner", "product = \"lear\"\nowner"),
            vec!["customer.north.pool.main.product = \"lear\" is no product of this customer; did you mean `learn`?"],
        ),
        (
            district("", "", "", EVERYONE).replace("product = \"learn\"\nwhen", "product = \"lurn\"\nwhen"),
            vec!["customer.north.rule.all.product = \"lurn\" is no product of this customer; did you mean `learn`?"],
        ),
        (
            district(source, "", "", kept),
            vec![
                "customer.north.rule.all.when.attribute.name = \"metadata.progam\" is kept by no source; \
             did you mean `metadata.program`?",
            ],
        ),
        (
            when("{ not = { attribute = { name = \"user_name\", equals = [\"x\"] } } }"),
            vec!["customer.north.rule.all.when.attribute.name = \"user_name\" is kept by no source; did you mean `username`?"],
        ),
    ] {
        assert_eq!(wrong(&text), lines, "{text}");
    }
    good(&district(source, "", "", &kept.replace("progam", "program")));
    good(&when("{ attribute = { name = \"email_domain\", equals = [\"x\"] } }"));
}

#[test]
fn things_given_twice_and_orders_reversed_are_refused() {
    let grant =
        |id: &str, rest: &str| format!("[[customer.pool.grant]]\nid = \"{id}\"\nseats = 1\nfrom = \"2026-01-01\"\n{rest}\n");
    let pool = "[[customer.pool]]\nid = \"second\"\nproduct = \"learn\"\nowner = \"d1\"";
    let source = |id: &str| format!("[[customer.source]]\nid = \"{id}\"\nkind = \"oneroster_csv\"\npath = \"/x\"\n");
    for (text, line) in [
        ("[[customer]]\nid = \"a\"\n[[customer]]\nid = \"a\"".to_owned(), "customer.a.id = \"a\" is the id of two customers"),
        (
            district("", "[[customer.product]]\nid = \"learn\"", "", EVERYONE),
            "customer.north.product.learn.id = \"learn\" is the id of two products",
        ),
        (
            district("", "", "", &format!("{EVERYONE}\n[[customer.rule]]\nid = \"all\"\nproduct = \"learn\"\n{EVERYONE}")),
            "customer.north.rule.all.id = \"all\" is the id of two rules",
        ),
        (
            district("", "", &format!("{}{}", grant("g", ""), grant("g", "")), EVERYONE),
            "customer.north.pool.main.grant.g.id = \"g\" is the id of two grants, agreed excesses or terms",
        ),
        (district("", "", pool, EVERYONE), "customer.north.pool.second has product, owner and audience of pool `main`"),
        (
            district(&format!("{}{}", source("a"), source("b")), "", "", EVERYONE),
            "customer.north.source.b.path = \"/x\" is the path of customer.north.source.a, too",
        ),
        (
            district("", "", &grant("g", "to = \"2026-01-01\""), EVERYONE),
            "customer.north.pool.main.grant.g.to = \"2026-01-01\" is not after from = \"2026-01-01\"",
        ),
        (
            district("", "", &grant("g", "").replace("seats = 1", "seats = 0"), EVERYONE),
            "customer.north.pool.main.grant.g.seats = 0 neither adds nor removes seats",
        ),
        (
            district("", "", "reservations = [{ org = \"a\", seats = 0 }]", EVERYONE),
            "customer.north.pool.main.reservations.#1.seats = 0 is less than 1",
        ),
        (
            district("", "", "reservations = [{ org = \"a\", seats = 1 }, { org = \"a\", seats = 1 }]", EVERYONE),
            "customer.north.pool.main.reservations has the org `a` twice",
        ),
        (
            district("", "", "reservations = [{ org = \"d1\", seats = 1 }]", EVERYONE),
            "customer.north.pool.main.reservations has the pool's own owner `d1`",
        ),
        ("[overage]\nminor_percent = 120".to_owned(), "overage.minor_percent = 120 is more than major_percent = 106"),
        (
            district("[customer.overage]\nmajor_percent = 104", "", "", EVERYONE),
            "customer.north.overage.major_percent = 104 is less than minor_percent = 105",
        ),
        (
            district("", "", "[customer.pool.overage]\nminor_percent = 107", EVERYONE),
            "customer.north.pool.main.overage.minor_percent = 107 is more than major_percent = 106",
        ),
        (
            district("", "", "on_full = \"overdraw_up_to\"", EVERYONE),
            "customer.north.pool.main.overdraw_limit_percent is missing: \"overdraw_up_to\" needs it",
        ),
        (
            district("", "", "on_full = \"overdraw_up_to\"\noverdraw_limit_percent = 99", EVERYONE),
            "customer.north.pool.main.overdraw_limit_percent = 99 is less than 100",
        ),
        (
            district("", "", "overdraw_limit_percent = 110", EVERYONE),
            "customer.north.pool.main.overdraw_limit_percent has no effect without on_full = \"overdraw_up_to\"",
        ),
        (
            district(
                "",
                "requires = \"b\"\n[[customer.product]]\nid = \"b\"\nrequires = \"c\"\n\
                       [[customer.product]]\nid = \"c\"\nrequires = \"b\"",
                "",
                EVERYONE,
            ),
            "customer.north.product.b.requires goes in a circle: b -> c -> b",
        ),
        (
            district("", "requires = \"learn\"", "", EVERYONE),
            "customer.north.product.learn.requires goes in a circle: learn -> learn",
        ),
        (
            district("", "[[customer.product]]\nid = \"b\"\nbundle_of = [\"learn\"]", "", EVERYONE),
            "customer.north.product.b.bundle_of needs at least two products",
        ),
    ] {
        assert_eq!(wrong(&text), [line], "{text}");
    }
}

#[test]
fn r22_products_for_administrators_are_products() {
    let no = "is no product of this customer";
    let north = |text: &str| wrong(&district(&format!("[customer.entitlement]\nadmin_products = [{text}]"), "", "", EVERYONE));
    assert_eq!(
        north("\"laern\", \"x\""),
        [
            format!("customer.north.entitlement.admin_products = \"laern\" {no}; did you mean `learn`?"),
            format!("customer.north.entitlement.admin_products = \"x\" {no}"),
        ]
    );
    let global = |text: &str| format!("[entitlement]\nadmin_products = [{text}]\n{}", district("", "", "", EVERYONE));
    let lines = ["entitlement.admin_products = \"laern\" is a product of no customer; did you mean `learn`?"];
    assert_eq!(wrong(&global("\"laern\"")), lines);
    assert_eq!(good(&global("\"learn\"")).customers[0].policy.rules.len(), 2);
    let text = district("[customer.entitlement]\nadmin_products = []", "default_for = \"content_acess\"", "", EVERYONE);
    let line = "customer.north.product.learn.default_for = \"content_acess\" is none of content_access, observer; \
                did you mean `content_access`?";
    assert_eq!(wrong(&text), [line]);
}
