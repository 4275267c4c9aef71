use crate::base::{Calendar, Day};
use crate::source::hr::dates::DateForms;
use crate::source::hr::mapping::{HrColumns, HrMapping, OrgMapping, RoleMapping};
use crate::source::hr::record::HrReader;
use crate::source::hr::status::{Presence, StatusMapping};

/// A mapping with every column.
pub(crate) fn mapping() -> HrMapping {
    let some = |name: &str| Some(name.to_owned());
    HrMapping {
        person_id: "Employee ID".to_owned(),
        given: some("First"),
        family: some("Last"),
        full_name: some("Full Name"),
        email: some("Email"),
        username: some("User"),
        identifier: None,
        status: Some(StatusMapping::of("Status")),
        start: some("Hired"),
        end: some("Ends"),
        end_exclusive: false,
        dates: DateForms::default(),
        orgs: OrgMapping {
            root: "nord".to_owned(),
            root_name: "Nord AG".to_owned(),
            levels: vec!["Division".to_owned(), "Department".to_owned()],
            separator: None,
        },
        roles: RoleMapping {
            standard: "ext:employee".to_owned(),
            columns: vec!["Role".to_owned()],
            words: vec![("Line Manager".to_owned(), "ext:manager".to_owned()), ("1".to_owned(), "ext:lead".to_owned())],
        },
        keep: vec!["metadata.Worker Type".to_owned()],
        calendar: Calendar::utc(),
    }
}

const TODAY: Day = Day(20_000); // 2024-10-04

fn row<'c>(mapping: &HrMapping, cells: &[(&str, &'c str)]) -> Vec<&'c str> {
    let columns = HrColumns::of(mapping);
    let mut row = vec![""; columns.names().len()];
    for (name, cell) in cells {
        row[columns.slot(name).expect("a column")] = cell;
    }
    row
}

const GOOD: [(&str, &str); 3] = [("employee id", " 0017 "), ("STATUS", "Active"), ("First", "Mina")];

#[test]
fn a_row_is_what_its_columns_say() {
    let mapping = mapping();
    let columns = HrColumns::of(&mapping);
    assert_eq!(columns.names().len(), 13);
    assert_eq!((columns.slot(" worker type"), columns.slot("Phone")), (Some(12), None));
    let mut reader = HrReader::new(&mapping, &columns);
    let more = [
        ("Last", "Lee"),
        ("Email", "mlee@nord.example"),
        ("Hired", "2024-01-08"),
        ("Ends", "2024-10-04"),
        ("Division", "North"),
        ("Department", " Sales "),
        ("Role", "line manager; 1;Somebody;1"),
        ("Worker Type", "Intern"),
    ];
    let cells = row(&mapping, &[&GOOD[..], &more].concat());
    let record = reader.read(&cells, TODAY).expect("good");
    assert_eq!((record.id, record.identifier), ("0017", "0017"), "text, with its zeros");
    assert_eq!((record.given, record.family, record.email), ("Mina", "Lee", "mlee@nord.example"));
    let (first, last) = (Day::parse("2024-01-08").expect("a date"), TODAY);
    assert_eq!(record.presence, Presence::Stays { first, last });
    assert_eq!(reader.path(), "nord/North/Sales");
    assert_eq!(reader.roles(&cells).collect::<Vec<_>>(), ["ext:employee", "ext:manager", "ext:lead", "ext:lead"]);
    assert_eq!(reader.kept(&cells).collect::<Vec<_>>(), [("metadata.Worker Type", "Intern")]);
    assert_eq!(reader.org(&cells), Some("nord/North/Sales"));
}

#[test]
fn a_column_may_serve_twice_and_the_end_may_be_exclusive() {
    let mut mapping = mapping();
    mapping.identifier = Some("User".to_owned());
    mapping.roles.columns.push("STATUS".to_owned());
    mapping.end_exclusive = true;
    let columns = HrColumns::of(&mapping);
    assert_eq!(columns.names().len(), 13, "each column once");
    let mut reader = HrReader::new(&mapping, &columns);
    let cells = row(&mapping, &[&GOOD[..], &[("User", "mlee"), ("Ends", "2024-10-04")]].concat());
    let record = reader.read(&cells, TODAY).expect("good");
    assert_eq!((record.identifier, record.presence), ("mlee", Presence::Left), "gone on the first day not worked");
    let cells = row(&mapping, &[&GOOD[..], &[("Ends", "2024-10-05")]].concat());
    let stays = Presence::Stays { first: Day::MIN, last: TODAY };
    assert_eq!(reader.read(&cells, TODAY).map(|record| record.presence), Ok(stays));
}

#[test]
fn full_names() {
    let mut mapping = mapping();
    (mapping.given, mapping.family) = (None, None);
    let columns = HrColumns::of(&mapping);
    let mut reader = HrReader::new(&mapping, &columns);
    for (name, given, family) in [
        ("Abbott, Charlotte", "Charlotte", "Abbott"),
        ("Charlotte Anne Abbott", "Charlotte Anne", "Abbott"),
        ("Madonna", "", "Madonna"),
        ("", "", ""),
    ] {
        let cells = row(&mapping, &[("Employee ID", "7"), ("Status", "1"), ("Full Name", name)]);
        let record = reader.read(&cells, TODAY).expect("good");
        assert_eq!((record.given, record.family), (given, family), "{name}");
    }
}

#[test]
fn what_is_wrong_is_told_with_column_and_rule_and_without_what_was_found() {
    let mapping = mapping();
    let columns = HrColumns::of(&mapping);
    let mut reader = HrReader::new(&mapping, &columns);
    let long = "x".repeat(256);
    for (column, value, rule, told) in [
        ("Employee ID", "", "required_blank", "a key is required"),
        ("Employee ID", "1,23457E+05", "spreadsheet_damage", "spreadsheet"),
        ("Employee ID", "###", "spreadsheet_damage", "spreadsheet"),
        ("Employee ID", long.as_str(), "bad_id", "at most 255 bytes"),
        ("Employee ID", "a\u{0}b", "bad_id", "control"),
        ("Status", "", "unknown_status", "it is empty"),
        ("Status", "On Leave", "unknown_status", "`On Leave` is neither"),
        ("Status", "+49 170 1234", "unknown_status", "something that is no word"),
        ("Hired", "03/01/2024", "bad_date", "expected YYYY-MM-DD"),
        ("Ends", "soon", "bad_date", "expected YYYY-MM-DD"),
    ] {
        let cells = row(&mapping, &[&GOOD[..], &[(column, value)]].concat());
        let fault = reader.read(&cells, TODAY).expect_err(value);
        assert_eq!((fault.field.as_str(), fault.rule), (column, rule), "{value}");
        assert!(fault.detail.contains(told) && !fault.detail.contains("1234"), "{}", fault.detail);
        assert_eq!(reader.id(&cells).is_some(), column != "Employee ID", "{value}");
    }
    let cells = row(&mapping, &[&GOOD[..], &[("Hired", "2024-09-01"), ("Ends", "2024-01-31")]].concat());
    assert_eq!(reader.read(&cells, TODAY).expect_err("hired again").rule, "end_before_start");
}
