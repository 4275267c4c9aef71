use crate::base::Day;
use crate::settings::ical::{holidays, read};

fn days(text: &str) -> Vec<String> {
    read(&file(text)).expect("a file of holidays").iter().map(Day::to_string).collect()
}

fn file(events: &str) -> String {
    format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y//EN\r\n{events}END:VCALENDAR\r\n")
}

fn event(lines: &str) -> String {
    format!("BEGIN:VEVENT\r\nUID:a\r\nSUMMARY:Holiday: a day off\r\n{lines}END:VEVENT\r\n")
}

fn flaw(text: &str) -> String {
    let flaw = read(text).expect_err("something is wrong");
    format!("{}: {}", flaw.line, flaw.what)
}

#[test]
fn whole_days_also_several_the_end_left_out() {
    let text = event("DTSTART;VALUE=DATE:20261225\r\nDTEND;VALUE=DATE:20261227\r\n");
    assert_eq!(days(&text), ["2026-12-25", "2026-12-26"]);
    assert_eq!(days(&event("DTSTART;VALUE=DATE:20260403\r\n")), ["2026-04-03"]);
    assert_eq!(days(&event("DTSTART:20260403\r\nDURATION:P2D\r\n")), ["2026-04-03", "2026-04-04"]);
    let two = event("DTSTART;VALUE=DATE:20260406\r\n") + &event("DTSTART;VALUE=DATE:20260403\r\n");
    assert_eq!(days(&two), ["2026-04-03", "2026-04-06"]);
}

#[test]
fn every_year_with_its_limits() {
    let yearly = |rule: &str| days(&event(&format!("DTSTART;VALUE=DATE:20241226\r\nRRULE:{rule}\r\n")));
    assert_eq!(yearly("FREQ=YEARLY;COUNT=2"), ["2024-12-26", "2025-12-26"]);
    assert_eq!(yearly("FREQ=YEARLY;UNTIL=20261226"), ["2024-12-26", "2025-12-26", "2026-12-26"]);
    assert_eq!(yearly("FREQ=YEARLY;UNTIL=20261225T235959Z"), ["2024-12-26", "2025-12-26"]);
    assert_eq!(yearly("FREQ=YEARLY;INTERVAL=2;COUNT=2"), ["2024-12-26", "2026-12-26"]);
    assert_eq!(yearly("FREQ=YEARLY").last().map(String::as_str), Some("2100-12-26"));
    assert_eq!(
        days(&event("DTSTART;VALUE=DATE:20240229\r\nRRULE:FREQ=YEARLY;COUNT=2\r\n")),
        ["2024-02-29", "2028-02-29"],
        "29 February comes back in leap years"
    );
    let two_days = "DTSTART;VALUE=DATE:20251231\r\nDTEND;VALUE=DATE:20260102\r\nRRULE:FREQ=YEARLY;COUNT=2\r\n";
    assert_eq!(days(&event(two_days)), ["2025-12-31", "2026-01-01", "2026-12-31", "2027-01-01"]);
    let left_out = "DTSTART;VALUE=DATE:20241226\r\nRRULE:FREQ=YEARLY;COUNT=3\r\nEXDATE;VALUE=DATE:20251226\r\n";
    assert_eq!(days(&event(left_out)), ["2024-12-26", "2026-12-26"]);
    assert_eq!(days(&event("DTSTART;VALUE=DATE:20260403\r\nRDATE;VALUE=DATE:20270326\r\n")), ["2026-04-03", "2027-03-26"]);
}

#[test]
fn the_nth_weekday_of_a_month() {
    // Thanksgiving and Memorial Day.
    let text = event("DTSTART;VALUE=DATE:20251127\r\nRRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=4TH;COUNT=2\r\n");
    assert_eq!(days(&text), ["2025-11-27", "2026-11-26"]);
    let text = event("DTSTART;VALUE=DATE:20250526\r\nRRULE:FREQ=YEARLY;BYMONTH=5;BYDAY=-1MO;COUNT=2\r\n");
    assert_eq!(days(&text), ["2025-05-26", "2026-05-25"]);
}

#[test]
fn folded_lines_alarms_cancelled_events_and_other_parts() {
    let text = "BEGIN:VTIMEZONE\r\nTZID:X\r\nBEGIN:STANDARD\r\nDTSTART:19701025T030000\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n"
        .to_owned()
        + &event("DTSTART;VALUE=DA\r\n TE:20260403\r\nBEGIN:VALARM\r\nTRIGGER:-PT1H\r\nDURATION:PT15M\r\nEND:VALARM\r\n")
        + &event("DTSTART;VALUE=DATE:20260406\r\nSTATUS:CANCELLED\r\n");
    assert_eq!(days(&text), ["2026-04-03"]);
    assert_eq!(read(&format!("\u{feff}{}", file(""))), Ok(Vec::new()));
    assert_eq!(read("BEGIN:VCALENDAR\nEND:VCALENDAR\n"), Ok(Vec::new()));
}

#[test]
fn what_is_not_understood_is_refused_with_its_line() {
    for (text, told) in [
        (
            file(&event("DTSTART:20260403T090000Z\r\n")),
            "7: DTSTART 20260403T090000Z is not a whole day (VALUE=DATE); holidays are",
        ),
        (file(&event("DTSTART;VALUE=DATE:20260230\r\n")), "7: DTSTART 20260230 is no date such as 20261225"),
        (file(&event("DTSTART;VALUE=DATE:2026-04-03\r\n")), "7: DTSTART 2026-04-03 is no date such as 20261225"),
        (file(&event("")), "4: the event has no DTSTART"),
        (
            file(&event("DTSTART;VALUE=DATE:20260403\r\nDTEND;VALUE=DATE:20260403\r\n")),
            "4: DTEND is not after DTSTART, or more than a year after it",
        ),
        (
            file(&event("DTSTART;VALUE=DATE:20260403\r\nRRULE:FREQ=WEEKLY\r\n")),
            "8: RRULE has FREQ=WEEKLY, which is not understood",
        ),
        (
            file(&event("DTSTART;VALUE=DATE:20260403\r\nRRULE:FREQ=YEARLY;BYSETPOS=1\r\n")),
            "8: RRULE has BYSETPOS=1, which is not understood",
        ),
        (file(&event("DTSTART;VALUE=DATE:20260403\r\nRRULE:FREQ=YEARLY;BYDAY=4TH\r\n")), "8: RRULE has BYDAY without BYMONTH"),
        (
            file(&event("DTSTART;VALUE=DATE:20260403\r\nRECURRENCE-ID;VALUE=DATE:20260403\r\n")),
            "8: RECURRENCE-ID is not supported: write the event out",
        ),
        ("hello".to_owned(), "1: is no line of an iCalendar file: it has no colon"),
        ("DTSTART:20260403".to_owned(), "1: is not an iCalendar file: it does not begin with BEGIN:VCALENDAR"),
        ("BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART;VALUE=DATE:20260403\n".to_owned(), "3: it ends in the middle"),
        (String::new(), "1: it ends in the middle"),
    ] {
        assert_eq!(flaw(&text), told);
    }
}

#[test]
fn files_are_bounded_and_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("uk.ics");
    assert!(holidays(&path).expect_err("no file").contains("uk.ics"));
    std::fs::write(&path, file(&event("DTSTART:now\r\n"))).expect("written");
    let told = holidays(&path).expect_err("a flaw");
    assert!(told.contains("uk.ics:7: DTSTART now is not a whole day"), "{told}");
    std::fs::write(&path, file(&event("DTSTART;VALUE=DATE:20260403\r\n"))).expect("written");
    assert_eq!(holidays(&path).map(|days| days.len()), Ok(1));
    let large = std::fs::File::create(&path).expect("a file");
    large.set_len(5 * 1024 * 1024).expect("long");
    assert!(holidays(&path).expect_err("too large").contains("is too large"));
}

#[test]
fn the_number_of_holidays_is_bounded() {
    let year = "DTSTART;VALUE=DATE:18000101\r\nDTEND;VALUE=DATE:18010101\r\nRRULE:FREQ=YEARLY\r\n";
    assert!(flaw(&file(&event(year))).ends_with("it has more than 20000 holidays"));
}
