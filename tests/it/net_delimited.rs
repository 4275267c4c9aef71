//! Delimited files of people, through to seats: from a folder, over SFTP and HTTPS; what is cut, miscounted or of another
//! encoding removes nobody and is told with file, row, field and rule.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use rosterd::base::{Calendar, SourceId};
use rosterd::license::{OnFull, ProductKind, SeatModel};
use rosterd::plan::Predicate;
use rosterd::source::{
    DateForm, DateForms, DelimitedSettings, Dialect, Encoding, FeedKind, FileAuth, HrMapping, OrgMapping, Pattern, Place,
    RoleMapping, RowBounds, SourceSettings, StatusMapping,
};
use rosterd::store::{RunRow, RunState, Store};

use crate::fake_http::{FakeServer, Reply};
use crate::fake_sftp::Sshd;
use crate::net_files::{feeds, fetch};
use crate::world::{World, day};

const HEADER: &str = "UID,First,Last,Mail,Status,Hired,Left,Unit";

fn mapping() -> HrMapping {
    let some = |name: &str| Some(name.to_owned());
    HrMapping {
        person_id: "uid".into(),
        given: some("first"),
        family: some("LAST"),
        full_name: None,
        email: some("Mail"),
        username: None,
        identifier: None,
        status: Some(StatusMapping::of("Status")),
        start: some("Hired"),
        end: some("Left"),
        end_exclusive: false,
        dates: DateForms { other: DateForm::parse("DD.MM.YYYY"), none: Vec::new() },
        orgs: OrgMapping {
            root: "d".into(),
            root_name: "Nord AG".into(),
            levels: vec!["Unit".into()],
            separator: Some("/".into()),
        },
        roles: RoleMapping { standard: "ext:employee".into(), columns: Vec::new(), words: Vec::new() },
        keep: Vec::new(),
        calendar: Calendar::utc(),
    }
}

pub fn files(path: impl Into<PathBuf>, pattern: Option<&str>) -> DelimitedSettings {
    DelimitedSettings {
        id: SourceId::from("hr"),
        path: path.into(),
        pattern: pattern.map(|text| Pattern::parse(text).expect("a pattern")),
        dialect: Dialect::default(),
        feed: FeedKind::Full,
        trailer: None,
        count_ending: None,
        marker: false,
        settle_secs: 0,
        age_hours_max: None,
        bounds: RowBounds::default(),
        mapping: mapping(),
    }
}

/// A company in which everybody gets a seat, and who is missing is gone at once.
pub fn company() -> World {
    let mut world = World::new("nord")
        .product("p", ProductKind::Module, SeatModel::Role)
        .rule("all", "p", 0, Predicate::Role(vec!["ext:employee".into()]))
        .pool("p", "d", Some(50), OnFull::Wait);
    world.policy.absence_confirmations = 1;
    fs::create_dir_all(world.dir.path().join("hr")).expect("made");
    world
}

pub fn rows(count: usize) -> String {
    let row = |at: usize| format!("{at:04},Ana,Müller {at},a{at}@nord.example,active,2020-01-01,,North/Sales\n");
    format!("{HEADER}\n{}", (0..count).map(row).collect::<String>())
}

fn place(world: &World) -> PathBuf {
    world.dir.path().join("hr/people.csv")
}

fn in_place(world: &mut World, adjust: impl FnOnce(&mut DelimitedSettings)) {
    let mut settings = files(place(world), None);
    adjust(&mut settings);
    feeds(world, SourceSettings::Delimited(Box::new(settings)));
}

fn findings(world: &World, run: &RunRow) -> String {
    let found = world.store().findings(run.run, 0, 20).expect("findings");
    let one =
        |f: rosterd::store::FindingRow| format!("{}:{} {} [{}] {} {}", f.file, f.row, f.rule, f.record, f.field, f.detail);
    found.into_iter().map(one).collect::<Vec<_>>().join("\n")
}

#[test]
fn people_come_stay_and_leave_by_files_in_the_order_of_their_dates() {
    let mut world = company();
    let folder = world.dir.path().join("hr");
    feeds(&mut world, SourceSettings::Delimited(Box::new(files(&folder, Some("hr_MMDDYYYY.csv")))));
    fs::write(folder.join("hr_03012026.csv"), rows(20)).expect("written");
    fs::write(folder.join("hr_12312025.csv"), rows(3)).expect("written");
    fs::write(folder.join("other.csv"), "no").expect("written");
    let run = world.run();
    assert_eq!((run.state, world.seated("p").len()), (RunState::Succeeded, 20), "the newest by date: {}", run.message);
    assert_eq!(run.packages, ["hr:2026-03-01 hr_03012026.csv"]);
    // Nothing new: nothing happens. The same bytes under a new name: nothing either.
    assert_eq!(world.run().packages, Vec::<String>::new());
    fs::write(folder.join("hr_03022026.csv"), rows(20)).expect("written");
    let run = world.run();
    assert_eq!((run.tally.released, world.seated("p").len()), (0, 20), "{}", run.message);
    fs::write(folder.join("hr_03032026.csv"), rows(18)).expect("written");
    assert_eq!((world.run().state, world.seated("p").len()), (RunState::Succeeded, 18));
    world.verify();
}

#[test]
fn days_to_come_act_on_their_day_though_the_file_stays_the_same() {
    let mut world = company();
    let text = format!(
        "{HEADER}\n1,A,A,,active,2020-01-01,,\n2,B,B,,active,04.03.2026,,\n3,C,C,,active,2020-01-01,2026-03-03,\n\
         4,D,D,,terminated,2020-01-01,2026-12-31,\n5,E,E,,active,2020-01-01,0000-00-00,\n"
    );
    fs::write(place(&world), text).expect("written");
    in_place(&mut world, |_| ());
    let mut seen = Vec::new();
    for date in ["2026-03-02", "2026-03-03", "2026-03-04"] {
        world.set_day(day(date));
        let run = world.run();
        assert_eq!(run.state, RunState::Succeeded, "{}", run.message);
        seen.push(world.seated("p").join(" "));
    }
    assert_eq!(seen, ["1 3 5", "1 3 5", "1 2 5"], "the first day counts, and the last one, too");
    world.verify();
}

#[test]
fn changes_add_and_end_and_leave_the_rest() {
    let mut world = company();
    in_place(&mut world, |_| ());
    fs::write(place(&world), rows(10)).expect("written");
    assert_eq!((world.run().state, world.seated("p").len()), (RunState::Succeeded, 10));
    in_place(&mut world, |settings| {
        settings.feed = FeedKind::Changes;
        let status = StatusMapping {
            column: "Action".into(),
            active: ["A", "U", "AU"].map(str::to_owned).to_vec(),
            inactive: vec!["D".into()],
            empty: None,
        };
        settings.mapping.status = Some(status);
    });
    let text = "Action,UID,First,Last,Mail,Hired,Left,Unit\nA,new,N,N,,,,\nD,0003,Ana,Müller,,,,\nU,0004,Bea,Müller,,,,\nX,0005,A,A,,,,\n";
    fs::write(place(&world), text).expect("written");
    let run = world.run();
    assert_eq!(run.state, RunState::SucceededWithErrors, "{}", run.message);
    let seated = world.seated("p");
    assert!(seated.len() == 10 && seated.contains(&"new".to_owned()) && !seated.contains(&"0003".to_owned()), "{seated:?}");
    assert!(findings(&world, &run).contains("people.csv:5 "), "{}", findings(&world, &run));
    world.verify();
}

#[test]
fn encodings_named_in_the_settings_come_out_as_names() {
    let text = format!("{HEADER}\n1,Zoë,Müßig-Šimić,,active,,,Köln\n");
    let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let narrow: Vec<u8> = text
        .chars()
        .map(|c| match c {
            'Š' => 0x8a,
            'ć' => b'c',
            c => u8::try_from(u32::from(c)).expect("Latin"),
        })
        .collect();
    let marked = [b"\xef\xbb\xbf", text.as_bytes()].concat();
    let cases: Vec<(&str, Vec<u8>)> =
        vec![("utf-8", text.clone().into()), ("utf-8", marked), ("utf-16le", wide.clone()), ("windows-1252", narrow.clone())];
    for (name, bytes) in cases {
        let mut world = company();
        fs::write(place(&world), &bytes).expect("written");
        in_place(&mut world, |settings| settings.dialect.encoding = Encoding::of(name).expect("known"));
        let run = world.run();
        assert_eq!((run.state, world.seated("p").len()), (RunState::Succeeded, 1), "{name}: {}", run.message);
        let service = world.service();
        let standing = service.store().standing(&world.policy.customer).expect("books");
        let roster = service.roster(&service.customers()[0], &standing).expect("a roster");
        let person = roster.people.first().expect("a person");
        let family = if name == "windows-1252" { "Müßig-Šimic" } else { "Müßig-Šimić" };
        assert_eq!((roster.text(person.given), roster.text(person.family)), ("Zoë", family), "{name}");
    }
    // The wrong one is refused as a whole, and the right one is told where it can be.
    for (bytes, hint) in [(narrow, "no UTF-8"), (wide, "no UTF-8")] {
        let mut world = company();
        fs::write(place(&world), &bytes).expect("written");
        in_place(&mut world, |_| ());
        let run = world.run();
        assert_eq!(run.state, RunState::Failed);
        assert!(findings(&world, &run).contains("bad_encoding") && run.message.contains(hint), "{}", run.message);
    }
}

/// 30 people were taken in; then a file comes that is not what it should be.
#[test]
fn files_that_are_not_whole_remove_nobody() {
    type Adjust = fn(&mut DelimitedSettings);
    let plain: Adjust = |_| ();
    let trailer: Adjust = |settings| settings.trailer = Some("TRL".into());
    let count: Adjust = |settings| settings.count_ending = Some("count".into());
    let five = rows(5);
    let cases: Vec<(String, Option<&str>, Adjust, &str)> = vec![
        (five[..five.len() - 22].to_owned(), None, plain, "people.csv:6 row_cut"),
        (HEADER.to_owned() + "\n", None, plain, "people.csv no_rows"),
        (String::new(), None, plain, "people.csv no_rows"),
        (five.replace(",a3@", ",\"a3@"), None, plain, "people.csv:5 quote_error"),
        (five.replace("Status", "State"), None, plain, "people.csv:1 column_missing Status"),
        (five.replace("Mail", "UID"), None, plain, "people.csv:1 header_duplicate UID"),
        (five.replace(',', ";"), None, plain, "is the separator another one?"),
        (five.clone(), None, trailer, "people.csv trailer_missing"),
        (
            five.clone() + "TRL,6,,,,,,\n",
            None,
            trailer,
            "people.csv:7 row_count: there are 5 rows before the trailer, which says 6",
        ),
        (five.clone() + "TRL,,,,,,,\n", None, trailer, "people.csv:7 trailer_missing"),
        (five.clone() + "TRL,5,,,,,,\n" + "9,,,,active,,,\n", None, trailer, "people.csv:8 rows_after_trailer"),
        (five.clone(), Some("rows: 30\n"), count, "people.csv row_count: it has 5 rows, and the file beside it says 30"),
        (five.clone(), None, count, "tells the number of its rows yet"),
        (five.clone(), Some("many"), count, "it tells no number of rows"),
    ];
    for (text, beside, adjust, told) in cases {
        let mut world = company();
        fs::write(place(&world), rows(30)).expect("written");
        in_place(&mut world, |_| ());
        assert_eq!((world.run().state, world.seated("p").len()), (RunState::Succeeded, 30));
        fs::write(place(&world), text).expect("written");
        if let Some(beside) = beside {
            fs::write(place(&world).with_extension("count"), beside).expect("written");
        }
        in_place(&mut world, adjust);
        let run = world.run();
        assert_eq!(run.state, RunState::Failed, "{told}");
        assert!(run.message.contains(told), "{told}: {}", run.message);
        assert_eq!(world.seated("p").len(), 30, "nobody left: {told}");
        world.verify();
    }
    // The same with its proofs, and it is believed.
    let mut world = company();
    fs::write(place(&world), five.clone() + "TRL,5,,,,,,\n").expect("written");
    fs::write(place(&world).with_extension("count"), "5\n").expect("written");
    in_place(&mut world, |settings| {
        trailer(settings);
        count(settings);
    });
    assert_eq!((world.run().state, world.seated("p").len()), (RunState::Succeeded, 5));
}

#[test]
fn bad_rows_are_told_with_file_row_field_and_rule_and_cost_nobody_a_seat() {
    let mut world = company();
    fs::write(place(&world), rows(8)).expect("written");
    in_place(&mut world, |_| ());
    assert_eq!((world.run().state, world.seated("p").len()), (RunState::Succeeded, 8));
    let text = format!(
        "{HEADER}\n0000,Ana,A,,active,2020-01-01,,\n0001,Ana,A,,on leave,2020-01-01,,\n0002,Ana,A,,active,3/4/2026,,\n0003,too,few\n\
         \n1.2E+05,Ana,A,,active,,,\n\"0005\"x,Ana,A,,active,,,\n,Ana,A,,active,,,\n0000,Ana,A,,active,2020-01-01,,\n"
    );
    fs::write(place(&world), text).expect("written");
    let run = world.run();
    let found = findings(&world, &run);
    for told in [
        "people.csv:3 unknown_status [0001] Status",
        "people.csv:4 bad_date [0002] Hired",
        "people.csv:5 row_width [] ",
        "people.csv:7 spreadsheet_damage [] uid",
        "people.csv:8 quote_error [] ",
        "people.csv:9 ",
    ] {
        assert!(found.contains(told), "{told}\n{found}");
    }
    assert!(!found.contains("Ana") && !found.contains("3/4/2026"), "{found}");
    assert_eq!(world.seated("p").len(), 8, "rows without a key might be anybody's: nobody is missing");
    world.verify();
}

#[test]
fn the_same_files_over_sftp_and_https() {
    let Some(server) = Sshd::start() else { return };
    let mut world = company();
    let text = rows(20).replace('\n', "\r\n");
    fs::write(server.folder().join("p_2026-03-01.csv"), rows(3)).expect("written");
    fs::write(server.folder().join("p_2026-03-02.csv"), &text).expect("written");
    let mut how = fetch(Place::Sftp(server.settings("")), Some("p_*.csv"), world.dir.path().join("files"));
    (how.newest_only, how.companions) = (true, vec!["sha256".into(), "count".into()]);
    let mut settings = files("", Some("p_*.csv"));
    settings.count_ending = Some("count".into());
    let source = SourceSettings::DelimitedFetched(Box::new(how), Box::new(settings));
    feeds(&mut world, source);
    let run = world.run();
    assert_eq!(run.state, RunState::Failed);
    assert!(run.message.contains("tells the number of its rows yet"), "{}", run.message);
    fs::write(server.folder().join("p_2026-03-02.count"), "20").expect("written");
    let run = world.run();
    assert_eq!((run.state, world.seated("p").len()), (RunState::Succeeded, 20), "{}", run.message);
    let known = fs::read_dir(world.dir.path().join("files")).expect("listed").next().expect("one").expect("an entry").path();
    let known = fs::read_to_string(known).expect("text");
    assert!(known.contains("p_2026-03-02.csv") && !known.contains("p_2026-03-01.csv"), "only the newest is read: {known}");

    let answer =
        Arc::new(Mutex::new(Reply::new(200, text.clone()).with("Content-Type", "text/csv; charset=utf-8").with("ETag", "1")));
    let http = FakeServer::start({
        let answer = answer.clone();
        move |_, _| answer.lock().expect("no panic").clone()
    });
    let mut world = company();
    let how = fetch(
        Place::Https { address: http.url("/export/people.csv"), auth: FileAuth::None },
        None,
        world.dir.path().join("files"),
    );
    feeds(&mut world, SourceSettings::DelimitedFetched(Box::new(how), Box::new(files("", None))));
    let run = world.run();
    assert_eq!((run.state, world.seated("p").len()), (RunState::Succeeded, 20), "{}", run.message);
    assert_eq!(run.packages, ["hr:people.csv"]);
    let cut = Reply::new(200, rows(2)).with("ETag", "2");
    for (reply, told) in
        [(cut.clone().cut(60), "to its end"), (Reply::html(200), "a web page"), (Reply::new(500, ""), "it failed (500)")]
    {
        *answer.lock().expect("no panic") = reply;
        let run = world.run();
        assert!(run.state == RunState::Failed && run.message.contains(told), "{}", run.message);
        assert_eq!(world.seated("p").len(), 20);
    }
    *answer.lock().expect("no panic") = cut;
    assert_eq!((world.run().state, world.seated("p").len()), (RunState::Succeeded, 2));
    world.verify();
}

#[test]
fn age_markers_and_check() {
    let mut world = company();
    let folder = world.dir.path().join("hr");
    fs::write(folder.join("p_1.csv"), rows(4)).expect("written");
    let settings = |adjust: fn(&mut DelimitedSettings)| {
        let mut settings = files(&folder, Some("p_*.csv"));
        adjust(&mut settings);
        SourceSettings::Delimited(Box::new(settings))
    };
    let set = |file: &Path, text: &str| {
        let at = rosterd::base::Instant::parse(text).expect("a moment").0 / 1000;
        let at = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(at.try_into().expect("after 1970"));
        fs::File::open(file).and_then(|file| file.set_modified(at)).expect("set");
    };
    // The pace of the tests says November 2023.
    set(&folder.join("p_1.csv"), "2023-11-01T00:00:00Z");
    feeds(&mut world, settings(|settings| settings.age_hours_max = Some(48)));
    let run = world.run();
    assert!(run.state == RunState::Failed && run.message.contains("more than max_age_hours = 48"), "{}", run.message);
    feeds(&mut world, settings(|settings| settings.marker = true));
    assert_eq!((world.run().packages.len(), world.seated("p").len()), (0, 0), "not marked yet");
    fs::write(folder.join("p_1.done"), "").expect("written");
    assert_eq!((world.run().state, world.seated("p").len()), (RunState::Succeeded, 4));
    let check = |adjust| {
        let (network, _) = crate::net_http::fast_network();
        let checked = crate::net_files::open(settings(adjust), &network).check();
        checked.map_err(|error| rosterd::base::ErrorChain(&error).to_string())
    };
    let good = check(|_| ()).expect("good");
    assert!(good.ends_with("newest file p_1.csv, 8 columns, among them all 8 that are configured"), "{good}");
    let bad = check(|settings| settings.mapping.email = Some("E-Mail".into())).expect_err("no such column");
    assert!(bad.contains("p_1.csv:1 column_missing E-Mail"), "{bad}");
}
