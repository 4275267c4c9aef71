//! Customers that are read apart come to what the layers make of them, or to nothing: the same tree, the same settings, the same
//! mistakes.

use std::collections::BTreeMap;

use proptest::prelude::*;

use crate::settings::load::merge;
use crate::settings::plain::customer_of;
use crate::settings::problem::SettingsError;
use crate::settings::tree::{Node, Table};
use crate::settings::trial::load_text;

/// The tree with all tables in the order of their keys, as the layers have it.
fn in_order<'t>(node: &Node<'t>) -> Node<'t> {
    match node {
        Node::List(items) => Node::List(items.iter().map(in_order).collect()),
        Node::Table(table) => Node::Table(table.iter().map(|(key, node)| (key.to_owned(), in_order(node))).collect()),
        Node::Text(_) | Node::Env(_) | Node::Number(_) | Node::Flag(_) | Node::Fraction(_) => node.clone(),
    }
}

/// What the layers make of a text with one customer and nothing else.
fn by_layers(text: &str) -> Option<Node<'static>> {
    let tree: Table<'static> = merge(text, BTreeMap::new()).ok()?;
    match tree.get("customer") {
        Some(Node::List(items)) if items.len() == 1 => Some(in_order(&items[0])),
        _ => None,
    }
}

const PLAIN: [&str; 22] = [
    "\"text\"",
    "\"\"",
    "''",
    "'it\\s # \"so\"'",
    "\"a \\\"b\\\" \\\\ \\t\\n\\r \\u00e9 \\U0001F600 c\"",
    "\"Łąka 東京 [[customer]]\"",
    "\"tab\there\"",
    "0",
    "-0",
    "-7",
    "42",
    "9223372036854775807",
    "-9223372036854775808",
    "true",
    "false",
    "2026-01-02",
    "2028-02-29",
    "\"2026-01-02\"",
    "[]",
    "{}",
    "[ # one\n  1,\r\n\n  [2, 'x'], # two\n]",
    "{ a = 1 , b = [{ c = 'd' }]}",
];
const ODD: [&str; 24] = [
    "",
    "007",
    "+5",
    "1_000",
    "0x1f",
    "1.5",
    "1e3",
    "inf",
    "tru",
    "2026-13-02",
    "2027-02-29",
    "2026-01-02T03:04:05Z",
    "2026-01-02 03:04:05",
    "03:04:05",
    "\"\"\"long\"\"\"",
    "'''\nlong\n'''",
    "\"bad \\q\"",
    "\"\\ud800\"",
    "\"open",
    "9223372036854775808",
    "\"nul\u{1}\"",
    "{ a = 1, }",
    "{ a = 1, a = 2 }",
    "[1,,2]",
];
const KEYS: [&str; 8] = ["id", "seats", "a-b", "x_1", "7", "pool", "list", "one"];
const ODD_KEYS: [&str; 6] = ["\"quoted\"", "a.b", "é", "a b", "", "'id'"];
const HEADERS: [&str; 6] = [
    "[[customer.pool]]",
    "[[customer.pool.grant]]",
    "[customer.pool.tiers]",
    "[customer.one]",
    "[[customer.list]]",
    "[customer.7]",
];
const ODD_HEADERS: [&str; 12] = [
    "[[customer]]",
    "[customer]",
    "[other]",
    "[[ customer.pool ]]",
    "[customer.x.y]",
    "[customer.pool.tiers",
    "[customer.pool]",
    "[customer.one.two]",
    "[[customer.one]]",
    "[[customer.\"pool\"]]",
    "[customer..x]",
    "[]",
];
const ENDS: [&str; 5] = ["\n", "\r\n", "  # why, Łąka\n", "\n\n \t\n", "\t\r\n"];

fn pick(plain: &'static [&'static str], odd: &'static [&'static str]) -> impl Strategy<Value = String> {
    prop_oneof![24 => prop::sample::select(plain), 1 => prop::sample::select(odd)].prop_map(str::to_owned)
}

fn value() -> impl Strategy<Value = String> {
    pick(&PLAIN, &ODD).prop_recursive(3, 10, 4, |inner| {
        let list = (prop::collection::vec(inner.clone(), 0..4), prop::sample::select(vec![", ", ",", " ,\n # so\n "]));
        let table = prop::collection::vec((pick(&KEYS, &ODD_KEYS), inner), 0..4);
        prop_oneof![
            list.prop_map(|(items, between)| format!("[{}]", items.join(between))),
            table.prop_map(|entries| {
                let entries: Vec<String> = entries.into_iter().map(|(key, value)| format!("{key}={value}")).collect();
                format!("{{ {} }}", entries.join(", "))
            }),
        ]
    })
}

fn line() -> impl Strategy<Value = String> {
    let entry = (pick(&KEYS, &ODD_KEYS), value()).prop_map(|(key, value)| format!("{key} = {value}"));
    let line = prop_oneof![3 => entry, 2 => pick(&HEADERS, &ODD_HEADERS), 1 => Just(String::new())];
    (prop::sample::select(vec!["", "", "  ", "\t"]), line, prop::sample::select(&ENDS[..]))
        .prop_map(|(start, line, end)| format!("{start}{line}{end}"))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn what_is_read_apart_is_what_the_layers_read(lines in prop::collection::vec(line(), 0..7), cut in 0..40_usize) {
        let mut text = format!("[[customer]]\n{}", lines.concat());
        // Now and then it ends in the middle.
        if cut < 8 {
            text.truncate((0..=text.len().saturating_sub(cut)).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0));
        }
        if let Some(table) = customer_of(&text) {
            prop_assert_eq!(Some(in_order(&Node::Table(table))), by_layers(&text), "{}", text);
        }
    }

    #[test]
    fn what_is_plain_is_read_apart(values in prop::collection::vec(prop::sample::select(&PLAIN[..]), 0..6), end in prop::sample::select(&ENDS[..])) {
        let entries = || values.iter().zip(KEYS).map(|(value, key)| format!("{key} = {value}{end}")).collect::<String>();
        let headers = ["[[customer.grant]]", "[customer.grant.tiers]", "[customer.tiers]", "[[customer.grant]]", "[[customer.grant.deep]]"];
        let mut text = format!("[[customer]]{end}{}", entries());
        for header in headers {
            text.push_str(&format!("{header}{end}{}", entries()));
        }
        let table = customer_of(&text);
        prop_assert!(table.is_some(), "{}", text);
        prop_assert_eq!(table.map(|table| in_order(&Node::Table(table))), by_layers(&text), "{}", text);
    }
}

/// What a text comes to: its settings, or all that is wrong.
fn outcome(text: &str) -> String {
    match load_text(text, &[]) {
        Ok(settings) => format!("{:?} {:?} {:?}", settings.customers, settings.channels, settings.advice),
        Err(SettingsError::Wrong { problems }) => problems.to_string(),
        // Whatever was no TOML apart is told of the whole.
        Err(SettingsError::Syntax { .. }) => "no TOML".to_owned(),
        Err(other) => panic!("{other}\n{text}"),
    }
}

/// A customer with nearly all that one can have, each value in a line of its own.
fn rich(at: usize) -> String {
    let sample = concat!(
        "name = \"District\"\ntime_zone = \"Europe/London\"\nnightly = \"30 2 * * *\"\nprotected = [\"p1\"]\n",
        "weekend = [\"sat\", \"sun\"]\nholidays = [\"2026-12-25\", 2026-12-26]\n",
        "[customer.guard]\nremoval_percent = 20\non_trip = \"all\"\n[customer.overage]\nminor_percent = 110\nmajor_percent = 120\n",
        "[[customer.guard_window]]\nfrom = \"2026-08-01\"\nto = \"2026-09-01\"\nprofile = \"rollover\"\n",
        "[[customer.source]]\nid = \"sis\"\nkind = \"oneroster_csv\"\ndrop = true\nsettle_secs = 5\nkeep_metadata = [\"metadata.x\"]\n",
        "[[customer.source.pause]]\nfrom = \"2026-08-01\"\nto = \"2026-08-02\"\nreason = \"summer\"\n",
        "[[customer.source]]\nid = \"rest\"\nkind = \"oneroster_rest\"\naddress = \"https://a.example/\"\nversion = \"1.2\"\n",
        "auth = \"oauth2\"\ntoken_address = \"https://a.example/token\"\nclient_id = \"me\"\nclient_secret_file = \"nowhere\"\n",
        "[[customer.product]]\nid = \"learn\"\nkind = \"access\"\nseat_model = \"role\"\n",
        "[[customer.product]]\nid = \"more\"\nkind = \"content\"\nrequires = \"learn\"\n",
        "[[customer.pool]]\nid = \"learn\"\nproduct = \"learn\"\nowner = \"d\"\non_full = \"wait\"\nreservations = [{ org = \"o\", seats = 3 }]\n",
        "[customer.pool.tiers]\ncurrency = \"EUR\"\nladder = [{ seats = 10, price_minor = 5 }, { seats = 20, price_minor = 9 }]\n",
        "[[customer.pool.grant]]\nid = \"g1\"\nseats = 100\nfrom = \"2026-01-01\"\nkind = \"purchase\"\n",
        "[[customer.pool.term]]\nid = \"t1\"\nfrom = \"2026-01-01\"\nlast_day = \"2026-12-31\"\nreference = \"r\"\n",
        "[[customer.pool]]\nid = \"more\"\nproduct = \"more\"\nowner = \"d\"\ntime_zone = \"UTC\"\n",
        "[[customer.rule]]\nid = \"r1\"\nproduct = \"learn\"\nwhen = { any = [{ role = [\"student\"] }, { not = { org = [\"o\"] } }] }\n",
        "[[customer.rule]]\nid = \"r2\"\nproduct = \"learn\"\n[customer.rule.when]\nlive_enrollment = { subject = [\"math\"] }\n",
        "[[customer.channel]]\nid = \"ops\"\nkind = \"slack\"\naddress = \"https://hooks.example/x\"\n",
    );
    let sample = sample.replace("drop = true\n", &format!("path = \"/drops/{at}\"\ndrop = true\n"));
    format!("[[customer]]\nid = \"c{at}\"\n{sample}")
}

#[test]
fn a_rich_customer_is_plain_and_right() {
    let text = rich(3);
    let table = customer_of(&text).map(|table| in_order(&Node::Table(table)));
    assert!(table.is_some());
    assert_eq!(table, by_layers(&text));
    let told = outcome(&(0..64).map(rich).collect::<String>());
    assert!(told.contains("id: CustomerId(c63), "));
}

/// Other values, right and wrong, and other lines.
const OTHERS: [&str; 22] = [
    "id = \"learn\"",
    "id = \"c3\"",
    "id = 7",
    "id = \"\"",
    "name = 5",
    "oops = 1",
    "seats = 0",
    "seats = \"many\"",
    "from = \"2027-01-01\"",
    "to = 2020-01-01",
    "product = \"nothing\"",
    "path = \"/drops/1\"",
    "kind = \"oneroster\"",
    "kind = \"clever\"",
    "nightly = \"tonight\"",
    "token = \"inline\"",
    "token_fil = \"x\"",
    "holidays = [\"2026-13-01\", 5]",
    "when = { everyone = true, oops = 1 }",
    "tiers = { jump = \"covering\" }",
    "pool = { id = \"x\" }",
    "[customer.oops]",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn settings_and_mistakes_are_the_same_apart_and_together(
        changes in prop::collection::vec((0..64_usize, 0..100_usize, prop::option::weighted(0.7, prop::sample::select(&OTHERS[..]))), 0..4),
    ) {
        let mut customers: Vec<String> = (0..64).map(rich).collect();
        for (customer, line, other) in changes {
            let mut lines: Vec<&str> = customers[customer].lines().collect();
            let line = 1 + line % (lines.len() - 1);
            match other {
                Some(other) => lines[line] = other,
                None => drop(lines.remove(line)),
            }
            customers[customer] = lines.join("\n") + "\n";
        }
        let customers = customers.concat();
        // A section behind them can only be read with all.
        let together = outcome(&format!("{customers}\n[spool]\nmax_mib = 100\n"));
        let apart = outcome(&format!("[spool]\nmax_mib = 100\n{customers}"));
        prop_assert!(apart == together, "{}", customers);
    }
}
