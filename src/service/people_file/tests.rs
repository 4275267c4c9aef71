use proptest::collection::vec;
use proptest::prelude::{Strategy, any, prop_assert_eq, proptest};

use crate::service::people_file::{PersonCells, guarded, read, unguarded, write};

fn somebody(key: &str) -> PersonCells {
    PersonCells {
        key: key.into(),
        given: String::new(),
        family: String::new(),
        email: String::new(),
        username: String::new(),
        identifier: String::new(),
        enabled: true,
        grades: String::new(),
        primary_org: String::new(),
        roles: Vec::new(),
        ended: false,
        source: "manual".into(),
    }
}

const HEADER: &str = "key,given_name,family_name,email,username,identifier,enabled,grades,primary_org,roles,status,source\r\n";

fn rules(text: &str) -> Vec<(u64, &'static str, String, Option<String>)> {
    let rows = read("f.csv", text.as_bytes()).expect("a file");
    let bad = |(line, row): (u64, Result<PersonCells, _>)| {
        row.err().map(|bad: Box<crate::service::people_file::BadRow>| (line, bad.finding.rule, bad.finding.field, bad.key))
    };
    rows.into_iter().filter_map(bad).collect()
}

fn whole(text: &[u8]) -> &'static str {
    read("f.csv", text).expect_err("it is refused").rule
}

#[test]
fn the_template_is_what_it_is() {
    let ada = PersonCells {
        given: "=Ada".into(),
        family: "Love, \"lace\"".into(),
        roles: vec![("ash".into(), "teacher".into()), ("a;b".into(), "student".into())],
        grades: "9,10".into(),
        ..somebody("a1")
    };
    let text = String::from_utf8(write([ada].into_iter())).expect("text");
    let row = "a1,'=Ada,\"Love, \"\"lace\"\"\",,,,true,\"9,10\",,teacher@ash;student@a%3Bb,active,manual\r\n";
    assert_eq!(text, format!("{HEADER}{row}"));
}

#[test]
fn r147_guards_come_off_again() {
    for (text, cell) in [("=1", "'=1"), ("'=1", "''=1"), ("''-", "'''-"), ("'tis", "'tis"), ("'", "'"), ("", ""), ("@x", "'@x")]
    {
        assert_eq!((guarded(text).as_str(), unguarded(cell)), (cell, text));
    }
}

#[test]
fn a_bad_row_says_where_and_why() {
    let text = format!(
        "{HEADER}a,,,,,,maybe,,,,,\r\n,,x,,,,,,,,,\r\nb,,,,,,,,,teacher,,\r\nc,,,,,,,,,t@%zz,,\r\nd,,,,,,,,,,gone,\r\n\
         e,short\r\n\" f\",,,,,,,,,,,\r\n,,,,,,,,,,,\r\ng,,,,,,FALSE,\"9, 10\",, t@ash ; t@ash ,ENDED,\r\n"
    );
    let told = |key: &str| Some(key.to_owned());
    let expected: [(u64, &str, &str, Option<String>); 7] = [
        (2, "bad_boolean", "enabled", told("a")),
        (3, "empty_key", "key", None),
        (4, "bad_roles", "roles", told("b")),
        (5, "bad_roles", "roles", told("c")),
        (6, "bad_status", "status", told("d")),
        (7, "bad_cell_count", "", None),
        (8, "bad_key", "key", None),
    ];
    let expected: Vec<_> = expected.into_iter().map(|(a, b, c, d)| (a, b, c.to_owned(), d)).collect();
    assert_eq!(rules(&text), expected);
    let rows = read("f.csv", text.as_bytes()).expect("a file");
    let (line, last) = rows.last().expect("a row").clone();
    let last = last.expect("a good one");
    assert_eq!((line, last.enabled, last.grades.as_str(), last.ended), (10, false, "9,10", true));
    assert_eq!(last.roles, [("ash".to_owned(), "t".to_owned())]);
}

#[test]
fn lines_are_counted_as_an_editor_does() {
    for end in ["\r\n", "\n"] {
        let text = format!("{HEADER}\n\nb,\"two\nlines\",,,,,,,,,,\nc,short\n\n\nd,short\n").replace("\r\n", "\n");
        let lines: Vec<u64> = rules(&text.replace('\n', end)).into_iter().map(|(line, ..)| line).collect();
        assert_eq!(lines, [6, 9], "{end:?}");
    }
}

#[test]
fn a_bad_file_is_refused_whole() {
    assert_eq!(whole(b""), "no_header");
    assert_eq!(whole(b"key;given_name\r\n"), "bad_header");
    assert_eq!(whole(format!("extra,{HEADER}").as_bytes()), "bad_header");
    assert_eq!(whole(format!("key,{HEADER}").as_bytes()), "bad_header");
    assert_eq!(whole(format!("{HEADER}a,\"x,,,,,,,,,,\r\nb,,,,,,,,,,,\r\n").as_bytes()), "unbalanced_quote");
    assert_eq!(whole(&vec![b'x'; super::PEOPLE_BYTES_MAX + 1]), "too_large");
    assert!(
        read("f.csv", format!("\u{feff}{HEADER}").as_bytes()).expect("a file").is_empty(),
        "a mark of the encoding is no cell"
    );
    let turned =
        "source,status,roles,primary_org,grades,enabled,identifier,username,email,family_name,given_name,KEY\n,,,,,,,,,,,k\n";
    assert_eq!(read("f.csv", turned.as_bytes()).expect("a file")[0].1.as_ref().expect("a row").key, "k");
}

fn text() -> impl Strategy<Value = String> {
    vec(
        proptest::sample::select(vec!['=', '+', '-', '@', '\'', '"', ',', ';', '%', '\n', '\t', ' ', 'a', 'é', '名', '🎓']),
        0..8,
    )
    .prop_map(|chars| chars.into_iter().collect())
}

fn id() -> impl Strategy<Value = String> {
    vec(proptest::sample::select(vec!['=', '@', '\'', '"', ',', ';', '%', 'a', 'é', '7']), 1..6)
        .prop_map(|chars| chars.into_iter().collect())
}

proptest! {
    #[test]
    fn r135_what_is_written_is_read_back(
        key in id(),
        texts in vec(text(), 5),
        flags in any::<(bool, bool)>(),
        roles in vec((id(), id()), 0..3),
        primary_org in id(),
    ) {
        let [given, family, email, username, identifier]: [String; 5] = texts.try_into().expect("five");
        let roles = super::sorted(roles);
        let person = PersonCells {
            given, family, email, username, identifier, roles, primary_org,
            enabled: flags.0, ended: flags.1, ..somebody(&key)
        };
        let rows = read("f.csv", &write([person.clone()].into_iter())).expect("a file");
        prop_assert_eq!(rows.len(), 1);
        prop_assert_eq!(rows[0].1.as_ref(), Ok(&person));
    }
}
