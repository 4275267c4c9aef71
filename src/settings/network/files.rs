//! The keys of sources that are files: OneRoster packages and delimited files, in a folder of this machine or fetched from
//! another one, and what they come to.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::base::{Calendar, Secret, SourceId};
use crate::settings::network::hr::{HrShape, OF_HR};
use crate::settings::network::people::{self, PeopleDefaults};
use crate::settings::read::{Section, Wrong};
use crate::settings::values::SourceKind;
use crate::settings::words;
use crate::source::{
    DelimitedSettings, Dialect, Encoding, FeedKind, FetchSettings, FileAddress, FileAuth, HttpSettings, Pattern, Place,
    RowBounds, SftpAuth, SftpSettings,
};

/// How long a file must lie unchanged, in seconds, unless the settings say otherwise.
const SETTLE_SECS: u32 = 60;
/// MiB of one file at most, unless the settings say otherwise.
const FILE_MIB_MAX: u32 = 2_048;
/// So long one file may take in all, in seconds.
const TOTAL_SECS: u64 = 3_600;

/// The keys.
#[derive(Default)]
pub struct FilesShape {
    /// `pattern`.
    pub pattern: Option<Pattern>,
    /// `host_keys`.
    pub host_keys: Option<Vec<String>>,
    /// `private_key`.
    pub private_key: Option<Secret>,
    /// `passphrase`.
    pub passphrase: Option<Secret>,
    /// `marker`.
    pub marker: Option<bool>,
    /// `max_age_hours`.
    pub age_hours_max: Option<u32>,
    /// `max_mib`.
    pub mib_max: Option<u32>,
    /// `encoding`.
    pub encoding: Option<Encoding>,
    /// `separator`.
    pub separator: Option<u8>,
    /// `quote`; inside, `None` for none.
    pub quote: Option<Option<u8>>,
    /// `feed`.
    pub feed: Option<FeedKind>,
    /// `trailer`.
    pub trailer: Option<String>,
    /// `count_file`.
    pub count_ending: Option<String>,
}

/// What other readers read and means something for files as well.
#[derive(Clone, Copy)]
pub struct Given<'g> {
    address: Option<&'g str>,
    token: Option<&'g Secret>,
    hr: &'g HrShape,
    files: &'g FilesShape,
}

impl<'g> Given<'g> {
    /// All of it.
    pub fn of(address: Option<&'g str>, token: Option<&'g Secret>, hr: &'g HrShape, files: &'g FilesShape) -> Self {
        Self { address, token, hr, files }
    }

    fn is_sftp(&self) -> bool {
        self.address.is_some_and(|text| text.starts_with("sftp://"))
    }
}

/// A source of files, as it was read.
pub struct FileSource<'s> {
    /// Its path in the settings.
    pub at: &'s str,
    /// Its id.
    pub id: &'s str,
    /// `path`.
    pub path: Option<&'s Path>,
    /// `drop`.
    pub drop: Option<bool>,
    /// `settle_secs`.
    pub settle_secs: Option<u32>,
    /// `keep_metadata`.
    pub keep: &'s [String],
    /// Whether its files are OneRoster packages.
    pub packages: bool,
    /// Its other keys.
    pub given: Given<'s>,
}

/// Keys of files that are fetched, …
pub const OF_FETCH: [&str; 7] = ["pattern", "host_keys", "private_key", "passphrase", "marker", "max_age_hours", "max_mib"];
/// … of delimited files, …
pub const OF_DELIMITED: [&str; 6] = ["encoding", "separator", "quote", "feed", "trailer", "count_file"];
/// … and of everything over the network, those that files have, too.
const SHARED: [&str; 7] = ["address", "token", "max_parallel", "max_per_second", "timeout_secs", "quiet_hours", "ca_file"];

/// Reads the keys.
pub fn files(s: &Section<'_>) -> FilesShape {
    FilesShape {
        pattern: s.parsed("pattern", |text| Pattern::parse(text).map_err(Wrong::new)),
        host_keys: s.parsed_list("host_keys", fingerprint),
        private_key: s.secret("private_key"),
        passphrase: s.secret("passphrase"),
        marker: s.flag("marker"),
        age_hours_max: s.count("max_age_hours", 1..=24 * 365),
        mib_max: s.count("max_mib", 1..=16_384),
        encoding: s.parsed("encoding", encoding),
        separator: s.parsed("separator", |text| if text == "tab" { Ok(b'\t') } else { sign(text) }),
        quote: s.parsed("quote", |text| if text == "none" { Ok(None) } else { sign(text).map(Some) }),
        feed: s.parsed("feed", words::one_of(&[("full", FeedKind::Full), ("delta", FeedKind::Changes)])),
        trailer: s.text("trailer"),
        count_ending: s.parsed("count_file", ending),
    }
}

/// Refuses what means nothing for this kind or place, and asks for what it needs.
pub fn check(s: &Section<'_>, kind: SourceKind, given: Given<'_>, of_network: &[&'static str]) {
    let is_delimited = kind == SourceKind::Delimited;
    let word = if is_delimited { "kind = \"delimited\"" } else { "kind = \"oneroster_csv\"" };
    let strange =
        |keys: &[&'static str], but: &[&str]| keys.iter().copied().filter(|key| !but.contains(key)).collect::<Vec<_>>();
    if is_delimited {
        s.means_nothing(&["bulk_with_status", "lenient", "courses", "activity_column"], word);
        s.means_nothing(&strange(&OF_HR, &["people", "user", "password"]), word);
        if given.hr.people.person_id.is_none() {
            s.wrong("people", "has no person_id: which column is the key?");
        }
        // Read a second time, for what may not be kept of people.
        s.parsed_list("keep_metadata", people::column);
        check_delimited(s, given);
    } else {
        s.means_nothing(&OF_DELIMITED, word);
        s.means_nothing(&strange(&OF_HR, &["user", "password"]), word);
    }
    match (s.has("path"), s.has("address")) {
        (true, true) => s.wrong("address", "is given beside path: the files are here or there"),
        (false, false) => {
            s.required("path", None::<()>);
        }
        (true, false) => {
            s.means_nothing(&strange(of_network, &SHARED), word);
            s.means_nothing(&SHARED, &format!("{word} and a path"));
            s.means_nothing(&["user", "password"], &format!("{word} and a path"));
            let own: &[&str] = if is_delimited { &["pattern", "marker", "max_age_hours", "max_mib"] } else { &[] };
            s.means_nothing(&strange(&OF_FETCH, own), &format!("{word} and a path"));
            if is_delimited && s.flag("drop") != Some(false) {
                s.required("pattern", given.files.pattern.as_ref());
            }
        }
        (false, true) => {
            s.means_nothing(&strange(of_network, &SHARED), word);
            match given.address {
                Some(_) if given.is_sftp() => check_sftp(s, given, is_delimited),
                Some(_) => check_https(s, given),
                None => {}
            }
        }
    }
    if s.flag("drop") == Some(false) {
        s.means_nothing(&["pattern"], "drop = false");
    }
}

fn check_delimited(s: &Section<'_>, given: Given<'_>) {
    let Given { address, files, .. } = given;
    let standard = Dialect::default();
    let is_quote = files.quote.unwrap_or(standard.quote) == Some(files.separator.unwrap_or(standard.separator));
    if is_quote && s.has("quote") {
        s.wrong("quote", "is the separator, too");
    } else if is_quote {
        s.wrong("separator", "is the quote, too: name another quote, or \"none\"");
    }
    // Nobody tells again what only the file before said (R106).
    let in_place = match address {
        Some(_) if !given.is_sftp() => Some("an https:// address"),
        _ => (s.flag("drop") == Some(false)).then_some("drop = false"),
    };
    if let (Some(FeedKind::Changes), Some(in_place)) = (files.feed, in_place) {
        s.wrong(
            "feed",
            format!(
                "is given beside {in_place}: changes in a file that is replaced in place are lost if nobody looks in between"
            ),
        );
    }
    let path = s.path("path");
    let names = [files.pattern.as_ref().map(Pattern::text), address, path.as_deref().and_then(Path::to_str)];
    if let Some(ending) = &files.count_ending {
        let own = |name: &&str| name.rsplit_once('.').is_some_and(|(_, own)| own.eq_ignore_ascii_case(ending));
        if names.into_iter().flatten().any(|name| own(&name)) {
            s.wrong("count_file", "is the ending of the files themselves");
        }
    }
}

fn check_sftp(s: &Section<'_>, given: Given<'_>, is_delimited: bool) {
    s.means_nothing(&["token", "ca_file"], "an sftp:// address");
    s.required("host_keys", given.files.host_keys.as_ref());
    if given.files.host_keys.as_ref().is_some_and(Vec::is_empty) {
        s.wrong("host_keys", "is empty: a server that nobody can recognize is not talked to");
    }
    if given.hr.user.is_none() {
        s.required_secret("user");
    }
    match (&given.files.private_key, &given.hr.password) {
        (Some(_), Some(_)) => s.wrong("password", "is given beside private_key: which one is it?"),
        (None, None) => {
            s.required_secret("private_key");
        }
        (Some(_), None) | (None, Some(_)) => {}
    }
    if given.files.passphrase.is_some() && given.files.private_key.is_none() {
        s.wrong("passphrase", "means nothing without private_key");
    }
    if is_delimited && s.flag("drop") != Some(false) {
        s.required("pattern", given.files.pattern.as_ref());
    }
}

fn check_https(s: &Section<'_>, given: Given<'_>) {
    s.means_nothing(
        &["drop", "settle_secs", "pattern", "host_keys", "private_key", "passphrase", "marker", "count_file"],
        "an https:// address",
    );
    match (&given.hr.user, &given.hr.password) {
        (Some(_), None) => {
            s.required_secret("password");
        }
        (None, Some(_)) => {
            s.required_secret("user");
        }
        (Some(_), Some(_)) if given.token.is_some() => s.wrong("token", "is given beside user and password: which one is it?"),
        (Some(_), Some(_)) | (None, None) => {}
    }
}

/// Whether a folder of files is meant, and not one file.
pub fn is_drop(source: &FileSource<'_>) -> bool {
    let is_https = source.given.address.is_some() && !source.given.is_sftp();
    source.drop.unwrap_or(true) && !is_https
}

/// Where files on their way lie: beside the spool.
pub fn work(spool: &Path) -> PathBuf {
    let mut name = spool.file_name().unwrap_or_default().to_owned();
    name.push(".files");
    spool.with_file_name(name)
}

/// How files are fetched. `None` only if something that must be there is absent.
pub fn fetch(source: &FileSource<'_>, pull: String, work: &Path, http: HttpSettings) -> Option<FetchSettings> {
    let Given { address, token, hr, files } = source.given;
    let address = address?;
    let place = match FileAddress::parse(address).ok()? {
        FileAddress::Https(address) => {
            let auth = match (token, &hr.user, &hr.password) {
                (Some(token), ..) => FileAuth::Bearer(token.clone()),
                (None, Some(user), Some(password)) => FileAuth::Basic { user: user.clone(), password: password.clone() },
                (None, ..) => FileAuth::None,
            };
            Place::Https { address, auth }
        }
        FileAddress::Sftp(at) => {
            let absent = |key: &str| Secret::absent(format!("{}.{key}", source.at), "is not given");
            let auth = match (&files.private_key, &hr.password) {
                (None, Some(password)) => SftpAuth::Password(password.clone()),
                (key, _) => SftpAuth::Key {
                    key: key.clone().unwrap_or_else(|| absent("private_key")),
                    passphrase: files.passphrase.clone(),
                },
            };
            let user = hr.user.clone().unwrap_or_else(|| absent("user"));
            Place::Sftp(SftpSettings { at, user, host_keys: files.host_keys.clone()?, auth })
        }
    };
    let pattern = files.pattern.clone().or_else(|| Pattern::parse("*.zip").ok().filter(|_| source.packages));
    Some(FetchSettings {
        pull,
        place,
        pattern: pattern.filter(|_| is_drop(source)),
        newest_only: !source.packages && files.feed != Some(FeedKind::Changes),
        work: work.to_owned(),
        settle: Duration::from_secs(source.settle_secs.unwrap_or(SETTLE_SECS).into()),
        marker: files.marker.unwrap_or(false),
        companions: std::iter::once("sha256".to_owned()).chain(files.count_ending.clone()).collect(),
        age_hours_max: files.age_hours_max,
        file_bytes_max: u64::from(files.mib_max.unwrap_or(FILE_MIB_MAX)) << 20,
        http: HttpSettings { total: http.total.max(Duration::from_secs(TOTAL_SECS)), ..http },
    })
}

/// How delimited files are read. `customer` is its id and its name. `None` only if something that must be there is absent.
pub fn delimited(source: &FileSource<'_>, customer: (&str, &str), calendar: &Calendar) -> Option<DelimitedSettings> {
    let Given { address, hr, files, .. } = source.given;
    let standard = Dialect::default();
    Some(DelimitedSettings {
        id: SourceId::from(source.id),
        // What is fetched lies where it is fetched to.
        path: source.path.map(Path::to_owned).or_else(|| address.map(|_| PathBuf::new()))?,
        pattern: files.pattern.clone().filter(|_| is_drop(source)),
        dialect: Dialect {
            encoding: files.encoding.unwrap_or(standard.encoding),
            separator: files.separator.unwrap_or(standard.separator),
            quote: files.quote.unwrap_or(standard.quote),
        },
        feed: files.feed.unwrap_or(FeedKind::Full),
        trailer: files.trailer.clone(),
        count_ending: files.count_ending.clone(),
        marker: files.marker.unwrap_or(false),
        settle_secs: source.settle_secs.unwrap_or(SETTLE_SECS).into(),
        age_hours_max: files.age_hours_max,
        bounds: RowBounds { file_bytes_max: u64::from(files.mib_max.unwrap_or(FILE_MIB_MAX)) << 20, ..RowBounds::default() },
        mapping: people::mapping(&hr.people, PeopleDefaults::default(), source.keep, customer, calendar)?,
    })
}

/// An address of a file or a folder.
pub fn address(text: &str) -> Result<String, Wrong> {
    FileAddress::parse(text).map_err(Wrong::new)?;
    Ok(text.to_owned())
}

fn fingerprint(text: &str) -> Result<String, Wrong> {
    let is_print = text.strip_prefix("SHA256:").is_some_and(|print| {
        print.len() == 43 && print.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'))
    });
    let why = "is no fingerprint of a host key such as \"SHA256:…\" with 43 characters behind it; ask whoever runs the server, and \
               compare with `ssh-keyscan HOST | ssh-keygen -lf -`";
    if is_print { Ok(text.to_owned()) } else { Err(Wrong::new(why)) }
}

fn encoding(text: &str) -> Result<Encoding, Wrong> {
    Encoding::of(text).ok_or_else(|| Wrong::new("is no encoding such as \"utf-8\", \"utf-16le\" or \"windows-1252\""))
}

fn sign(text: &str) -> Result<u8, Wrong> {
    match text.as_bytes() {
        [sign] if sign.is_ascii_graphic() && !sign.is_ascii_alphanumeric() => Ok(*sign),
        _ => Err(Wrong::new("is not one sign, such as \",\" or \";\"")),
    }
}

fn ending(text: &str) -> Result<String, Wrong> {
    let ending = text.trim_start_matches('.');
    let is_plain = !ending.is_empty() && ending.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let taken = ["done", "sha256", "part", "tmp"].contains(&ending);
    if is_plain && !taken { Ok(ending.to_owned()) } else { Err(Wrong::new("is no ending such as \"count\"")) }
}

#[cfg(test)]
mod tests;
