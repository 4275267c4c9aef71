use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::Permissions;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::base::Secret;
use crate::settings::problem::{Problem, SettingsError};
use crate::settings::read::{Findings, Report, Section};
use crate::settings::secret::{CREDENTIALS, Credentials};
use crate::settings::tree::{Node, Table};
use crate::settings::trial::{EVERYONE, district, load_text, wrong_with};

/// An environment with this folder of credentials.
fn env(folder: &Path) -> Vec<(OsString, OsString)> {
    let bytes = OsString::from_vec(vec![0xFF, 0xFE]);
    let pairs = [(CREDENTIALS, folder.into()), ("SIS_TOKEN", "from a variable".into()), ("EMPTY", "".into()), ("BYTES", bytes)];
    pairs.map(|(name, value)| (name.into(), value)).into()
}

type Pair = (&'static str, Node<'static>);

fn text(text: &'static str) -> Node<'static> {
    Node::Text(Cow::Borrowed(text))
}

/// Reads `[mail]` with these keys, in a folder with the files and credentials of the table below.
fn read(pairs: &[Pair], secret: impl FnOnce(&Section<'_>) -> Option<Secret>) -> (Option<Secret>, Findings) {
    let folder = tempfile::tempdir().expect("a folder");
    let credentials = folder.path().join("credentials");
    std::fs::create_dir(&credentials).expect("create");
    let write = |name: &str, content: &[u8], mode: u32| {
        let path = folder.path().join(name);
        std::fs::write(&path, content).expect("write");
        std::fs::set_permissions(&path, Permissions::from_mode(mode)).expect("mode");
    };
    write("good", b"from a file\r\n", 0o600);
    write("open", b"from a file\n", 0o644);
    write("empty", b"\n", 0o600);
    write("bytes", &[0xff, 0xfe], 0o600);
    write("long", &vec![b'x'; 64 * 1024 + 1], 0o600);
    write("whole", &vec![b'x'; 64 * 1024], 0o600);
    write("credentials/mail.key", b"from systemd\n", 0o400);
    write("credentials/mail.void", b"", 0o400);

    let table: Table<'_> = pairs.iter().map(|(key, node)| ((*key).to_owned(), node.clone())).collect();
    let root = Table::from_iter([("mail".to_owned(), Node::Table(table))]);
    let report = Report::in_folder(folder.path(), Credentials::of_env(env(&credentials)));
    let value = report.read(&root, |s| s.section("mail", secret).flatten());
    (value, report.into_findings())
}

fn told(problems: &[Problem]) -> Vec<String> {
    problems.iter().map(|problem| format!("{} {}", problem.at, problem.wrong)).collect()
}

#[test]
fn a_secret_comes_from_its_credential_its_file_or_its_key() {
    for (key, pairs, expected) in [
        ("token", vec![("token", text("inline"))], Some("inline")),
        ("token", vec![("token", Node::Env("from env".into()))], Some("from env")),
        ("token", vec![("token_file", text("good"))], Some("from a file")),
        ("token", vec![("token_file", text("open"))], Some("from a file")),
        ("token", vec![("token_env", text("SIS_TOKEN"))], Some("from a variable")),
        ("token", vec![], None),
        ("key", vec![], Some("from systemd")),
        ("key", vec![("key", text("inline"))], Some("from systemd")),
        ("key", vec![("key_file", text("good"))], Some("from systemd")),
        ("key", vec![("key_file", text("nowhere"))], Some("from systemd")),
        ("key", vec![("key_env", text("NOT_SET"))], Some("from systemd")),
    ] {
        let (secret, found) = read(&pairs, |s| s.secret(if key == "key" { "key" } else { "token" }));
        assert_eq!(secret.as_ref().map(|secret| secret.expose().expect("there")), expected, "{pairs:?}");
        assert_eq!((found.problems, found.secrets_absent), (vec![], vec![]), "{pairs:?}");
    }
    let (secret, _) = read(&[("token_file", text("whole"))], |s| s.secret("token"));
    assert_eq!(secret.expect("given").expose().map(str::len), Ok(64 * 1024));
}

#[test]
fn advice_is_given_where_others_can_read_a_secret() {
    for (pairs, expected) in [
        (
            vec![("token", text("inline"))],
            "mail.token is written in the settings file; a credential, `token_file` or `token_env` keeps it out",
        ),
        (vec![("token_file", text("open"))], "mail.token_file every user of this machine can read "),
        (vec![("token_file", text("good"))], ""),
        (vec![("token", Node::Env("x".into()))], ""),
    ] {
        let (_, found) = read(&pairs, |s| s.secret("token"));
        let told = told(&found.advice).concat();
        assert!(told.starts_with(expected) && told.is_empty() == expected.is_empty(), "{told}");
    }
}

#[test]
fn a_secret_that_cannot_be_had_fails_only_who_needs_it() {
    for (variable, why) in [
        ("NOT_SET", "the variable NOT_SET is not set"),
        ("EMPTY", "the variable EMPTY is empty"),
        ("BYTES", "the variable BYTES is not UTF-8"),
    ] {
        let (secret, found) = read(&[("token_env", text(variable))], |s| s.required_secret("token"));
        let error = secret.expect("a value").expose().expect_err("absent").to_string();
        assert!(error.contains(why) && found.problems.is_empty(), "{error}");
        assert!(matches!(&found.secrets_absent[..], [absent] if absent.wrong.contains(why)));
    }
    for (key, file, why) in [
        ("token", Some("nowhere"), "nowhere cannot be opened: No such file or directory"),
        ("token", Some("empty"), "empty is empty"),
        ("token", Some("bytes"), "bytes is not UTF-8"),
        ("token", Some("long"), "long is longer than 64 KiB"),
        ("void", None, "the credential is empty"),
        (
            "token",
            None,
            "is given neither as the credential `mail.token` nor by `token_file` nor by `token_env` nor by `token`",
        ),
    ] {
        let pairs: Vec<Pair> = file.map(|file| ("token_file", text(file))).into_iter().collect();
        let (secret, found) = read(&pairs, |s| s.required_secret(if key == "void" { "void" } else { "token" }));
        let error = secret.expect("a value").expose().expect_err("absent").to_string();
        assert!(error.starts_with(&format!("find the secret mail.{key}: ")) && error.contains(why), "{error}");
        let [absent] = &found.secrets_absent[..] else { panic!("{:?}", found.secrets_absent) };
        assert!(absent.at == format!("mail.{key}") && absent.wrong.contains(why), "{absent:?}");
        assert_eq!(found.problems, []);
    }
    let (secret, found) = read(&[], |s| s.secret("token"));
    assert_eq!((secret, found.secrets_absent), (None, vec![]), "nobody has to give one that is not required");
}

#[test]
fn no_problem_shows_a_secret() {
    let list = Node::List(vec![text("hunter2")]);
    for (pairs, problem) in [
        (
            vec![("token", text("hunter2")), ("token_file", text("good"))],
            "mail.token is given twice, by `token` and `token_file`",
        ),
        (vec![("token", list.clone())], "mail.token is not a text in quotes, or is empty"),
        (vec![("token", Node::Number(42))], "mail.token is not a text in quotes, or is empty"),
        (vec![("token", text(""))], "mail.token is not a text in quotes, or is empty"),
        (
            vec![("token_env", text("SIS_TOKEN")), ("token_file", text("good"))],
            "mail.token is given twice, by `token_file` and `token_env`",
        ),
        (vec![("token_env", Node::Number(42))], "mail.token_env is not a text in quotes, or is empty"),
        (vec![("token_file", list)], "mail.token_file is not a text in quotes, or is empty"),
        (vec![("tokn", text("hunter2")), ("token", text("x"))], "mail.tokn unknown key"),
    ] {
        let (secret, found) = read(&pairs, |s| s.required_secret("token"));
        assert_eq!(told(&found.problems), [problem]);
        assert_eq!(found.secrets_absent, []);
        assert!(found.problems.iter().all(|problem| problem.shown.is_none()));
        assert!(!format!("{secret:?}").contains("hunter2"));
    }
    for torn in
        ["token = \"hunter2\n", "token = hunter2\n", "token = '''\nhunter2", "hunter2 = = 1\n", "a = 1\na = 'hunter2'\n"]
    {
        let error = load_text(&format!("[mail]\n{torn}"), &[]).expect_err("not TOML");
        assert!(matches!(error, SettingsError::Syntax { .. }), "{error}");
        let told = error.to_string();
        assert!(told.contains("line ") && told.contains("column ") && !told.contains("hunter2"), "{told}");
    }
}

/// Every secret key of every kind of source where it does not belong: none of them is silently without effect, however it is
/// given, and none is shown.
#[test]
fn a_secret_where_it_means_nothing_is_told_and_not_shown() {
    const KINDS: [(&str, &[&str]); 12] = [
        ("kind = \"oneroster_csv\"\npath = \"x\"", &[]),
        ("kind = \"oneroster_csv\"\naddress = \"https://x.example/a.zip\"", &["token", "user", "password"]),
        (
            "kind = \"delimited\"\naddress = \"sftp://x.example/a\"\nhost_keys = []",
            &["user", "password", "private_key", "passphrase"],
        ),
        ("kind = \"oneroster_rest\"\nauth = \"oauth1\"", &["key", "secret"]),
        ("kind = \"oneroster_rest\"\nauth = \"oauth2\"", &["client_id", "client_secret"]),
        ("kind = \"oneroster_rest\"\nauth = \"bearer\"", &["token"]),
        ("kind = \"classlink\"", &["api_key"]),
        ("kind = \"classlink\"\naccess = \"direct\"", &["key", "secret"]),
        ("kind = \"clever\"", &["token", "client_id", "client_secret"]),
        ("kind = \"scim\"\nauth = \"basic\"", &["user", "password"]),
        ("kind = \"bamboohr\"\nauth = \"key\"", &["key"]),
        ("kind = \"workday\"\nauth = \"oauth2\"", &["client_id", "client_secret"]),
    ];
    const SECRETS: [&str; 10] =
        ["key", "secret", "client_id", "client_secret", "token", "api_key", "user", "password", "private_key", "passphrase"];
    for (kind, own) in KINDS {
        for key in SECRETS {
            for way in [key.to_owned(), format!("{key}_file"), format!("{key}_env")] {
                let source = format!("[[customer.source]]\nid = \"sis\"\n{kind}\n{way} = \"hunter2\"");
                let told = wrong_with(&format!("x = 1\n{}", district(&source, "", "", EVERYONE)), &[]);
                let at = format!("customer.north.source.sis.{way} ");
                let means_nothing = told.iter().any(|line| line.starts_with(&at) && line.contains("means nothing with "));
                assert_eq!(means_nothing, !own.contains(&key), "{kind}: {way}: {told:#?}");
                assert!(way != key || !told.concat().contains("hunter2"), "{kind}: {way}: {told:#?}");
            }
        }
    }
}

#[test]
fn an_address_is_shown_without_its_password() {
    for (kind, address) in
        [("oneroster_rest", "https://ann:hunter2@x.example/a"), ("delimited", "sftp://ann:hun/ter2@x.example")]
    {
        let source = format!("[[customer.source]]\nid = \"sis\"\nkind = \"{kind}\"\naddress = \"{address}\"");
        for (text, env) in
            [(district(&source, "", "", EVERYONE), vec![]), (String::new(), vec![("ROSTERD__HTTP__LISTEN", address)])]
        {
            let told = wrong_with(&text, &env).join("\n");
            assert!(told.contains("://…@x.example") && !told.contains("ter2"), "{told}");
        }
    }
}

#[test]
fn a_credential_that_belongs_to_no_key_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    for name in ["customer.north.source.sis.tokn", "tls-key", "backup.key", "guard.x"] {
        std::fs::write(folder.path().join(name), "hunter2").expect("write");
    }
    let path = folder.path().to_str().expect("UTF-8");
    let lines = wrong_with(&district("", "", "", EVERYONE), &[(CREDENTIALS, path)]);
    let expected =
        ["credential customer.north.source.sis.tokn belongs to no secret key", "credential guard.x belongs to no secret key"];
    assert_eq!(lines, expected);

    let credentials = Credentials::of_env(env(folder.path()));
    assert_eq!(credentials.of("customer.north.source.sis.token"), None);
    let sections = BTreeSet::from(["customer".to_owned()]);
    let meant = Some("customer.north.source.sis.token".to_owned());
    assert_eq!(
        credentials.unknown(|| sections.clone()).iter().map(|problem| problem.suggestion.clone()).collect::<Vec<_>>(),
        [meant]
    );

    let gone = Credentials::of_env(env(&folder.path().join("gone")));
    assert!(gone.unknown(|| sections.clone())[0].wrong.starts_with("cannot be listed: "));
}
