use std::collections::BTreeSet;
use std::path::Path;

use crate::base::{Day, Digest, Instant, Seats, SourceId};
use crate::license::{Audience, GrantKind, OnFull, OverageLimits, SeatModel};
use crate::plan::{ClassFilter, GuardLimits, GuardWindow, Predicate};
use crate::service::ByHandPolicy;
use crate::settings::load::load_with;
use crate::settings::trial::{EVERYONE, district, env, good, when, wrong};
use crate::settings::values::StoreKind;
use crate::store::Pause;
use crate::telemetry::LogFormat;

#[test]
fn the_defaults_are_those_of_the_domain_rules() {
    let settings = load_with(None, env(&[])).expect("defaults");
    assert_eq!(settings.store.kind, StoreKind::Sqlite);
    assert_eq!(settings.store.path, Path::new("/var/lib/rosterd/rosterd.db"));
    assert_eq!((settings.daemon.workers, settings.daemon.drop_poll_secs, settings.daemon.stop_secs_max), (2, 30, 10));
    assert_eq!((settings.log.format, settings.log.level.as_str()), (LogFormat::Auto, "info"));
    assert!(settings.customers.is_empty());

    let settings = good(&district("", "", "", EVERYONE));
    let north = settings.customer("north").expect("the customer");
    assert_eq!((north.name.as_str(), north.nightly.as_deref()), ("north", None));
    assert_eq!((north.bad_percent_max, north.catchup_window_hours, north.stale_after_hours), (5, 12, 36));
    assert_eq!((north.same_day_max, north.pauses.len()), (6, 0));
    let limits = north.policy.limits;
    assert_eq!((limits.removal_percent, limits.removal_min), (10, 5));
    assert_eq!((limits.org_removal_percent, limits.org_base_min, limits.trip_stops_all), (50, 10, false));
    assert_eq!(limits, GuardLimits::STANDARD, "every other limit, too");
    assert_eq!(north.policy.guard_windows, []);
    assert_eq!((north.policy.absence_confirmations, north.policy.purge_after_days), (2, Some(30)));
    assert_eq!(north.by_hand, ByHandPolicy::default());
    assert!(north.by_hand.coupled_create && north.by_hand.protected.is_empty());
    assert_eq!(north.policy.calendar.zone_name(), "UTC");
    let pool = &north.policy.pools[0];
    assert_eq!((pool.on_full, pool.overage, pool.audience), (OnFull::Wait, OverageLimits::CONTRACT, Audience::Any));
    assert!(!pool.unlimited);
    assert_eq!(north.policy.products[0].seat_model, SeatModel::Role);
}

#[test]
fn r12_content_takes_the_only_access_product() {
    let access = |id: &str| format!("[[customer.product]]\nid = \"{id}\"\nkind = \"access\"\n");
    let content = |more: &str| district("", &format!("kind = \"content\"\n{more}"), "", EVERYONE);
    let settings = good(&content(&access("door")));
    assert_eq!(settings.customers[0].policy.products[0].requires, Some("door".into()));
    let explicit = good(&content(&format!("requires = \"gate\"\n{}{}", access("door"), access("gate"))));
    assert_eq!(explicit.customers[0].policy.products[0].requires, Some("gate".into()));
    let at = "customer.north.product.learn.requires";
    assert_eq!(
        wrong(&content("")),
        [format!("{at} is missing, and there is no access product that the content could require")]
    );
    assert_eq!(
        wrong(&content(&format!("{}{}", access("door"), access("gate")))),
        [format!("{at} is missing, and there are several access products: door, gate")]
    );
    // A kind that is misspelt may be the access product: one problem, not two.
    assert_eq!(wrong(&content("[[customer.product]]\nid = \"door\"\nkind = \"acess\"")).len(), 1);
}

#[test]
fn profiles_speak_where_the_settings_do_not() {
    for (profile, seat_model, on_full) in [
        ("lxp", SeatModel::ActiveUser, OnFull::Overdraw),
        ("studio", SeatModel::Named, OnFull::Wait),
        ("school", SeatModel::Role, OnFull::Wait),
        ("modules", SeatModel::Role, OnFull::Wait),
        ("academy", SeatModel::Role, OnFull::Overdraw),
    ] {
        let profile = format!("profile = \"{profile}\"");
        let of = |product: &str, pool: &str| {
            let policy = good(&district(&profile, product, pool, EVERYONE)).customers.remove(0).policy;
            (policy.products[0].seat_model, policy.pools[0].on_full)
        };
        assert_eq!(of("", ""), (seat_model, on_full), "{profile}");
        assert_eq!(of("seat_model = \"named\"", "on_full = \"wait\""), (SeatModel::Named, OnFull::Wait), "{profile}");
        assert_eq!(of("", "on_full = \"overdraw\"").1, OnFull::Overdraw, "{profile}");
        // R48: written overage terms decide before the profile does.
        assert_eq!(of("", "overage_terms = true").1, OnFull::Overdraw, "{profile}");
        assert_eq!(of("", "overage_terms = false").1, OnFull::Wait, "{profile}");
        let up_to = "on_full = \"overdraw_up_to\"\noverdraw_limit_percent = 110";
        assert_eq!(of("", up_to).1, OnFull::OverdrawUpTo { percent_max: 110 }, "{profile}");
    }
}

#[test]
fn r134_people_made_by_hand() {
    let own = "protected = [\"a-1\", \"b\"]\n[customer.admission]\ncoupled_create_manual = true";
    let settings = good(&format!("[admission]\ncoupled_create_manual = false\n{}", district(own, "", "", EVERYONE)));
    let by_hand = &settings.customers[0].by_hand;
    assert_eq!(by_hand.protected, ["a-1".into(), "b".into()]);
    assert!(by_hand.coupled_create);
    let settings = good(&format!("[admission]\ncoupled_create_manual = false\n{}", district("", "", "", EVERYONE)));
    assert!(!settings.customers[0].by_hand.coupled_create);
    let taken = "[[customer.source]]\nid = \"manual\"\nkind = \"oneroster_csv\"\npath = \"x\"";
    assert_eq!(
        wrong(&district(taken, "", "", EVERYONE)),
        ["customer.north.source.manual.id = manual is the id of what is made by hand; take another one, such as `sis`"]
    );
}

#[test]
fn what_is_nearer_wins() {
    let text = format!(
        "[calendar]\ntime_zone = \"Europe/Paris\"\nholidays = [\"2026-05-01\"]\n[overage]\nminor_floor_seats = 1\n\
         [absence]\nconfirmations = 3\n{}",
        district(
            "time_zone = \"america/new_york\"\n[customer.absence]\nconfirmations = 1\n[customer.overage]\nmajor_percent = 110",
            "",
            "weekend = [\"sun\"]\n[customer.pool.overage]\nminor_percent = 107\n[[customer.pool.grant]]\nid = \"po-1\"\n\
             seats = -5\nfrom = \"2026-07-01\"\nto = \"2026-09-01\"\nkind = \"correction\"\nreference = \"PO 1\"\n\
             [[customer.pool.grant]]\nid = \"po-2\"\nseats = 9\nfrom = \"2026-01-01\"",
            EVERYONE,
        )
    );
    let settings = good(&text);
    let north = &settings.customers[0];
    assert_eq!(north.policy.absence_confirmations, 1);
    assert_eq!(north.policy.calendar.zone_name(), "America/New_York");
    let pool = &north.policy.pools[0];
    assert_eq!(pool.calendar.zone_name(), "America/New_York");
    let business = |day: &str| pool.calendar.is_business_day(Day::parse(day).expect("day"));
    assert!(business("2026-03-07") && !business("2026-03-08") && !business("2026-05-01"));
    assert_eq!(pool.overage, OverageLimits { minor_percent: 107, major_percent: 110, minor_floor: Seats(1) });
    // Days start where the pool is.
    let [first, second] = &north.grants[..] else { panic!("two grants") };
    assert_eq!((first.pool.as_str(), first.seats, first.kind), ("main", -5, GrantKind::Correction));
    assert_eq!(Some(first.from), Instant::parse("2026-07-01T04:00:00Z"));
    assert_eq!(Some(first.to), Instant::parse("2026-09-01T04:00:00Z"));
    assert_eq!((second.to, second.kind, second.reference.as_str()), (Instant::MAX, GrantKind::Purchase, ""));
    assert_eq!((first.id.as_str(), first.reference.as_str()), ("po-1", "PO 1"));
}

#[test]
fn when_tables_become_predicates() {
    let of = |table: &str| good(&when(table)).customers[0].policy.rules[0].when.clone();
    let texts = |items: &[&str]| items.iter().map(|item| (*item).to_owned()).collect::<Vec<_>>();
    let art = ClassFilter { subjects: texts(&["Art"]), course_codes: texts(&["A1"]), grades: texts(&["09"]) };
    assert_eq!(of("{ everyone = true }"), Predicate::Everyone);
    assert_eq!(
        of("{ role = [\"teacher\", \"ext:coach\"], org = [\"ash\"] }"),
        Predicate::All(vec![Predicate::Role(texts(&["teacher", "ext:coach"])), Predicate::Org(vec!["ash".into()])])
    );
    assert_eq!(of("{ grade = [\"09\"] }"), Predicate::Grade(texts(&["09"])));
    assert_eq!(of("{ subject = [\"Art\"], course_code = [\"A1\"], class_grade = [\"09\"] }"), Predicate::Class(art.clone()));
    assert_eq!(of("{ live_enrollment = true }"), Predicate::LiveEnrollment(ClassFilter::default()));
    assert_eq!(
        of("{ live_enrollment = { subject = [\"Art\"], course_code = [\"A1\"], grade = [\"09\"] } }"),
        Predicate::LiveEnrollment(art)
    );
    assert_eq!(
        of("{ any = [{ attribute = { name = \"username\", equals = [\"x\"] } }, { all = [{ grade = [\"1\"] }] }], \
            not = { everyone = true } }"),
        Predicate::All(vec![
            Predicate::Any(vec![
                Predicate::Attribute { name: "username".into(), equals: texts(&["x"]) },
                Predicate::All(vec![Predicate::Grade(texts(&["1"]))]),
            ]),
            Predicate::Not(Box::new(Predicate::Everyone)),
        ])
    );
    let at = "customer.north.rule.all.when";
    for (table, line) in [
        ("{}", " is empty (say everyone = true for everybody)"),
        ("{ everyone = false }", ".everyone = false can only be true (leave it out otherwise)"),
        ("{ role = [] }", ".role = [] is an empty list"),
        ("{ any = [] }", ".any = [] is an empty list"),
        ("{ any = [{}] }", ".any.#1 is empty (say everyone = true for everybody)"),
        ("{ role = \"teacher\" }", ".role = \"teacher\" is not a list of texts, such as [\"one\", \"two\"]"),
        ("{ live_enrollment = {} }", ".live_enrollment is empty (say live_enrollment = true for any class)"),
        ("{ live_enrollment = \"yes\" }", ".live_enrollment = \"yes\" is neither true nor a table"),
        ("{ live_enrollment = { subject = [] } }", ".live_enrollment.subject = [] is an empty list"),
        ("{ attribute = { name = \"username\" } }", ".attribute.equals is missing"),
        ("{ attribute = { name = \"username\", equals = [] } }", ".attribute.equals = [] is an empty list"),
    ] {
        assert_eq!(wrong(&when(table)), [format!("{at}{line}")], "{table}");
    }
    assert_eq!(wrong(&district("", "", "", "")), ["customer.north.rule.all.when is missing"]);
}

#[test]
fn r124_windows_start_from_the_customers_limits_or_the_rollover_profile() {
    let window = |keys: &str| format!("[[customer.guard_window]]\nfrom = \"2026-08-01\"\nto = \"2026-08-15\"\n{keys}");
    let day = |text: &str| Day::parse(text).expect("a day");
    let base = GuardLimits { removal_percent: 15, ..GuardLimits::STANDARD };
    for (keys, limits) in [
        ("", base),
        ("growth_percent = 90", GuardLimits { growth_percent: 90, ..base }),
        ("profile = \"rollover\"", base.rollover()),
        ("profile = \"rollover\"\nremoval_percent = 60", GuardLimits { removal_percent: 60, ..base.rollover() }),
    ] {
        let customer = format!("[customer.guard]\nremoval_percent = 15\n{}", window(keys));
        let policy = &good(&district(&customer, "", "", EVERYONE)).customers[0].policy;
        let window = GuardWindow { from: day("2026-08-01"), to: day("2026-08-15"), limits };
        assert_eq!(policy.guard_windows, [window], "{keys}");
        for (today, inside) in [("2026-07-31", false), ("2026-08-01", true), ("2026-08-14", true), ("2026-08-15", false)] {
            assert_eq!(policy.limits_on(day(today)), if inside { limits } else { base }, "{keys} on {today}");
        }
    }
    let reversed = "[[customer.guard_window]]\nfrom = \"2026-08-15\"\nto = \"2026-08-15\"";
    let said = wrong(&district(reversed, "", "", EVERYONE));
    assert!(said.len() == 1 && said[0].contains("is not after from"), "{said:?}");
    let strange = window("profile = \"summer\"");
    assert_eq!(wrong(&district(&strange, "", "", EVERYONE)).len(), 1);
}

#[test]
fn a_policy_is_named_by_what_it_says() {
    let digest = |text: &str| good(text).customers[0].policy.digest;
    let base = digest(&district("", "", "", EVERYONE));
    assert_eq!(
        base,
        digest(&format!("# a comment\n{}", district("name = \"North\"\nnightly = \"0 1 * * *\"", "", "", EVERYONE)))
    );
    assert_eq!(
        base,
        digest(&format!("[guard]\nremoval_percent = 10\n{}", district("", "seat_model = \"role\"", "", EVERYONE)))
    );
    let mut seen = BTreeSet::from([base]);
    for (customer, product, pool, rule) in [
        ("[customer.guard]\nremoval_min = 6", "", "", EVERYONE),
        ("[customer.guard]\nchange_percent = 76", "", "", EVERYONE),
        ("[[customer.guard_window]]\nfrom = \"2026-08-01\"\nto = \"2026-08-15\"", "", "", EVERYONE),
        ("[customer.absence]\nconfirmations = 1", "", "", EVERYONE),
        ("[customer.retention]\npurge_after_days = 0", "", "", EVERYONE),
        ("[customer.retention]\npurge_after_days = -1", "", "", EVERYONE),
        ("time_zone = \"Europe/London\"", "", "", EVERYONE),
        ("", "needs_acceptance = true", "", EVERYONE),
        ("", "", "holidays = [\"2026-12-25\"]", EVERYONE),
        ("", "", "anchor = \"2026-01-01\"", EVERYONE),
        ("", "", "on_full = \"overdraw\"", EVERYONE),
        ("", "", "", "when = { everyone = true }\npriority = 1"),
        ("", "", "", "when = { grade = [\"09\"] }"),
    ] {
        let text = district(customer, product, pool, rule);
        assert!(seen.insert(digest(&text)), "{text}");
    }
    assert_ne!(base, Digest::default());
}

#[test]
fn a_pause_is_a_window_of_local_days() {
    let source = |from: &str, to: &str| {
        format!(
            "time_zone = \"America/Chicago\"\n[customer.same_day]\nmax_per_day = 2\n[[customer.source]]\nid = \"sis\"\n\
             kind = \"oneroster_csv\"\npath = \"x\"\n[[customer.source.pause]]\nfrom = \"{from}\"\nto = \"{to}\"\nreason = \"new year\""
        )
    };
    let settings = good(&district(&source("2026-07-01", "2026-08-15"), "", "", EVERYONE));
    let north = &settings.customers[0];
    assert_eq!(north.same_day_max, 2);
    let pause = Pause {
        source: SourceId::from("sis"),
        from: Instant::parse("2026-07-01T05:00:00Z").expect("instant"),
        to: Instant::parse("2026-08-15T05:00:00Z").expect("instant"),
        reason: "new year".into(),
    };
    assert_eq!(north.pauses, [pause]);
    let found = wrong(&district(&source("2026-07-01", "2026-07-01"), "", "", EVERYONE));
    assert_eq!(found.len(), 1);
    assert!(found[0].contains("pause") && found[0].ends_with("is not after from = \"2026-07-01\""), "{found:?}");
}
