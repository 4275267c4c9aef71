use crate::base::Secret;
use crate::settings::trial::{EVERYONE, district, good, wrong};
use crate::source::{DropKind, FeedKind, FetchSettings, FileAuth, Place, SftpAuth, SourceSettings};

fn source(keys: &str) -> String {
    district(&format!("[[customer.source]]\nid = \"sis\"\n{keys}"), "", "", EVERYONE)
}

fn only(keys: &str) -> SourceSettings {
    let settings = good(&source(keys));
    assert!(!format!("{settings:?}").contains("hunter2"));
    settings.customers[0].sources[0].clone()
}

const PRINT: &str = "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

fn sftp(kind: &str, more: &str) -> String {
    format!(
        "kind = \"{kind}\"\naddress = \"sftp://sftp.example:2222/out\"\nhost_keys = [\"{PRINT}\"]\nuser = \"north\"\n\
         private_key = \"hunter2\"\n{more}"
    )
}

const PEOPLE: &str = "\n[customer.source.people]\nperson_id = \"UID\"";

fn fetched(keys: &str) -> FetchSettings {
    match only(keys) {
        SourceSettings::OneRosterFetched(fetch, _) | SourceSettings::DelimitedFetched(fetch, _) => *fetch,
        other => panic!("fetched files expected: {other:?}"),
    }
}

#[test]
fn files_from_other_machines() {
    let fetch = fetched(&sftp("oneroster_csv", ""));
    assert_eq!((fetch.pull.as_str(), fetch.newest_only, fetch.settle.as_secs()), ("north/sis", false, 60));
    assert_eq!(fetch.pattern.as_ref().map(|pattern| pattern.text()), Some("*.zip"));
    assert!(fetch.work.ends_with("spool.files"), "{:?}", fetch.work);
    let Place::Sftp(sftp_place) = &fetch.place else { panic!("SFTP") };
    assert_eq!((sftp_place.at.port, sftp_place.at.path.as_str(), &sftp_place.host_keys[0][..]), (2222, "/out", PRINT));
    assert_eq!(sftp_place.auth, SftpAuth::Key { key: Secret::new("hunter2"), passphrase: None });

    let fetch = fetched(&sftp(
        "oneroster_csv",
        "drop = false\nmarker = true\nmax_age_hours = 30\nmax_mib = 5\npassphrase = \"hunter2\"",
    ));
    assert_eq!((fetch.pattern, fetch.marker, fetch.age_hours_max, fetch.file_bytes_max), (None, true, Some(30), 5 << 20));

    let SourceSettings::OneRosterFetched(fetch, csv) = only(
        "kind = \"oneroster_csv\"\naddress = \"https://x.example/a.zip\"\nuser = \"u\"\npassword = \"hunter2\"\ntimeout_secs = 9",
    ) else {
        panic!("packages");
    };
    assert_eq!((csv.kind, fetch.http.read.as_secs(), fetch.http.total.as_secs()), (DropKind::Package, 9, 3_600));
    let basic = FileAuth::Basic { user: Secret::new("u"), password: Secret::new("hunter2") };
    assert_eq!(fetch.place, Place::Https { address: "https://x.example/a.zip".into(), auth: basic });

    let SourceSettings::DelimitedFetched(fetch, files) =
        only(&sftp("delimited", &format!("pattern = \"p_*.csv\"\ncount_file = \".count\"{PEOPLE}")))
    else {
        panic!("rows");
    };
    assert!(fetch.newest_only && fetch.companions == ["sha256", "count"]);
    assert_eq!((files.feed, files.dialect.separator, files.dialect.encoding.name()), (FeedKind::Full, b',', "UTF-8"));
    let SourceSettings::DelimitedFetched(fetch, _) =
        only(&format!("kind = \"delimited\"\naddress = \"https://x.example/a.csv\"\ntoken = \"hunter2\"{PEOPLE}"))
    else {
        panic!("rows");
    };
    assert_eq!(
        fetch.place,
        Place::Https { address: "https://x.example/a.csv".into(), auth: FileAuth::Bearer(Secret::new("hunter2")) }
    );
}

#[test]
fn rows_in_a_folder() {
    let SourceSettings::Delimited(files) = only(&format!(
        "kind = \"delimited\"\npath = \"/srv/hr\"\npattern = \"p_MMDDYYYY.csv\"\nencoding = \"latin1\"\nseparator = \"tab\"\n\
         quote = \"none\"\nfeed = \"delta\"\ntrailer = \"TRL\"\nsettle_secs = 5\nkeep_metadata = [\"metadata.Grade\"]{PEOPLE}"
    )) else {
        panic!("rows");
    };
    assert_eq!((files.dialect.encoding.name(), files.dialect.separator, files.dialect.quote), ("windows-1252", b'\t', None));
    assert_eq!((files.feed, files.trailer.as_deref(), files.settle_secs), (FeedKind::Changes, Some("TRL"), 5));
    assert_eq!((files.mapping.person_id.as_str(), files.mapping.keep.len()), ("UID", 1));
    let SourceSettings::Delimited(files) =
        only(&format!("kind = \"delimited\"\npath = \"/srv/hr/p.csv\"\ndrop = false{PEOPLE}"))
    else {
        panic!("rows");
    };
    assert!(files.pattern.is_none());
}

#[test]
fn mistakes_are_told() {
    let sis = "customer.north.source.sis";
    let no_key = "kind = \"oneroster_csv\"\naddress = \"sftp://x.example/a\"\nuser = \"u\"\nprivate_key = \"k\"\n".to_owned();
    let cases: Vec<(String, Vec<String>)> = vec![
        (no_key.clone(), vec![format!("{sis}.host_keys is missing")]),
        (
            format!("{no_key}host_keys = []"),
            vec![format!("{sis}.host_keys is empty: a server that nobody can recognize is not talked to")],
        ),
        (sftp("oneroster_csv", "token = \"t\""), vec![format!("{sis}.token means nothing with an sftp:// address")]),
        (
            sftp("oneroster_csv", "password = \"p\""),
            vec![format!("{sis}.password is given beside private_key: which one is it?")],
        ),
        (
            sftp("oneroster_csv", "encoding = \"utf-8\""),
            vec![format!("{sis}.encoding means nothing with kind = \"oneroster_csv\"")],
        ),
        (sftp("delimited", PEOPLE), vec![format!("{sis}.pattern is missing")]),
        (sftp("delimited", "drop = false"), vec![format!("{sis}.people has no person_id: which column is the key?")]),
        (
            format!("kind = \"delimited\"\npath = \"/a\"\naddress = \"https://x.example/a\"{PEOPLE}"),
            vec![format!("{sis}.address is given beside path: the files are here or there")],
        ),
        (
            format!(
                "kind = \"delimited\"\npath = \"/a\"\ndrop = false\nlenient = true\nseparator = \";\"\nquote = \";\"{PEOPLE}"
            ),
            vec![
                format!("{sis}.lenient means nothing with kind = \"delimited\""),
                format!("{sis}.quote is the separator, too"),
            ],
        ),
        (
            // The quote is the standard one.
            format!("kind = \"delimited\"\npath = \"/a\"\ndrop = false\nseparator = \"\\\"\"{PEOPLE}"),
            vec![format!("{sis}.separator is the quote, too: name another quote, or \"none\"")],
        ),
        (
            format!("kind = \"delimited\"\npath = \"/a\"\ndrop = false\nfeed = \"delta\"{PEOPLE}"),
            vec![format!(
                "{sis}.feed is given beside drop = false: changes in a file that is replaced in place are lost if nobody looks in \
                 between"
            )],
        ),
        (
            format!("kind = \"delimited\"\naddress = \"https://x.example/a.csv\"\nfeed = \"delta\"{PEOPLE}"),
            vec![format!(
                "{sis}.feed is given beside an https:// address: changes in a file that is replaced in place are lost if nobody \
                 looks in between"
            )],
        ),
        (
            sftp("delimited", &format!("pattern = \"p_*.csv\"\ncount_file = \"CSV\"{PEOPLE}")),
            vec![format!("{sis}.count_file is the ending of the files themselves")],
        ),
        (
            format!("kind = \"delimited\"\npath = \"/a/p.txt\"\ndrop = false\ncount_file = \"txt\"{PEOPLE}"),
            vec![format!("{sis}.count_file is the ending of the files themselves")],
        ),
        ("kind = \"oneroster_csv\"".into(), vec![format!("{sis}.path is missing")]),
        (
            "kind = \"oneroster_csv\"\npath = \"/a\"\nmarker = true\nuser = \"u\"".into(),
            vec![
                format!("{sis}.marker means nothing with kind = \"oneroster_csv\" and a path"),
                format!("{sis}.user means nothing with kind = \"oneroster_csv\" and a path"),
            ],
        ),
        (
            "kind = \"oneroster_csv\"\naddress = \"https://x.example/a.zip\"\ndrop = true\nauth = \"bearer\"".into(),
            vec![
                format!("{sis}.auth means nothing with kind = \"oneroster_csv\""),
                format!("{sis}.drop means nothing with an https:// address"),
            ],
        ),
    ];
    for (keys, expected) in cases {
        let mut told = wrong(&source(&keys));
        told.sort();
        // Between the key and the explanation the value is shown.
        let fits = |told: &String, expected: &String| {
            let (key, why) = expected.split_once(' ').expect("a key");
            told.split(' ').next() == Some(key) && told.ends_with(why)
        };
        let all_fit = told.len() == expected.len() && told.iter().zip(&expected).all(|(told, expected)| fits(told, expected));
        assert!(all_fit, "{keys}\n{told:#?}");
    }
    for (keys, told) in [
        (sftp("oneroster_csv", "").replace(PRINT, "MD5:aa:bb"), "is no fingerprint of a host key"),
        (sftp("oneroster_csv", "").replace("sftp://", "ftp://"), "cannot be used"),
        (sftp("oneroster_csv", "pattern = \"a/b\""), "is a path"),
        (format!("kind = \"delimited\"\npath = \"/a\"\ndrop = false\nencoding = \"utf8-bom\"{PEOPLE}"), "is no encoding"),
        (format!("kind = \"delimited\"\npath = \"/a\"\ndrop = false\nseparator = \"::\"{PEOPLE}"), "is not one sign"),
        (format!("kind = \"delimited\"\npath = \"/a\"\ndrop = false\ncount_file = \"done\"{PEOPLE}"), "is no ending"),
    ] {
        let found = wrong(&source(&keys)).join("\n");
        assert!(found.contains(told), "{found}");
    }
    assert!(!wrong(&source(&sftp("oneroster_csv", "pattern = \"a/b\""))).join("").contains("hunter2"));
}
