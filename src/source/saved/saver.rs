//! A folder that receives what a pull receives.

use std::collections::BTreeMap;
use std::fs::{DirBuilder, File};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use reqwest::Url;
use reqwest::header::HeaderMap;

use crate::base::{Digest, Digester, Instant};
use crate::source::delimited::Dialect;
use crate::source::http::{Exchange, Recorder};
use crate::source::saved::cells::redact_cells;
use crate::source::saved::index::{Entry, Index, Outcome, private_file};
use crate::source::saved::json::redact_json;
use crate::source::saved::package::redact_package;
use crate::source::saved::redaction::{Counts, REDACTED, Redaction};

/// Headers of answers that say something about a pull.
const HEADERS: [&str; 17] = [
    "cache-control",
    "content-encoding",
    "content-length",
    "content-type",
    "date",
    "etag",
    "last-modified",
    "link",
    "location",
    "ratelimit-remaining",
    "ratelimit-reset",
    "retry-after",
    "server",
    "x-bamboohr-error-message",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
    "x-total-count",
];
/// Parameters of queries whose values are no secrets.
const PARAMETERS: [&str; 16] = [
    "attributes",
    "count",
    "ending_before",
    "excludedattributes",
    "fields",
    "filter",
    "format",
    "limit",
    "offset",
    "onlycurrent",
    "orderby",
    "page",
    "sort",
    "sortby",
    "startindex",
    "starting_after",
];

/// Keeps what one source says in one pull. See the module.
pub struct SavedPull {
    folder: PathBuf,
    redaction: Redaction,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    entries: Vec<Entry>,
    /// The first thing that could not be written.
    failed: Option<io::Error>,
}

impl SavedPull {
    /// Makes the folder, which must not be there yet.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn new(folder: &Path, redaction: Redaction) -> io::Result<Self> {
        DirBuilder::new().mode(0o700).create(folder)?;
        Ok(Self { folder: folder.to_owned(), redaction, state: Mutex::default() })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a file of a source: rows of a dialect, or, without one, a OneRoster package.
    pub fn file(&self, path: &Path, dialect: Option<Dialect>, at: Instant) {
        let mut state = self.state();
        let number = state.entries.len() + 1;
        let done = match dialect {
            Some(dialect) => self.rows(path, dialect, number, at).map(|entry| vec![entry]),
            None => self.package(path, number, at),
        };
        match done {
            Ok(entries) => state.entries.extend(entries),
            Err(error) => {
                let withheld = Some(format!("it cannot be read, and so not redacted: {error}"));
                state.entries.push(Entry { withheld, ..entry_of("FILE", path.display().to_string(), at) });
            }
        }
    }

    fn rows(&self, path: &Path, dialect: Dialect, number: usize, at: Instant) -> io::Result<Entry> {
        let name = format!("{number:04}-{}", plain(path));
        let mut to = BufWriter::new(private_file(&self.folder.join(&name))?);
        let redacted = redact_cells(File::open(path)?, dialect, None, &self.redaction, &mut to)?;
        to.flush()?;
        let (bytes, sha256) = digest_of(path)?;
        Ok(Entry {
            file: Some(name),
            bytes: Some(bytes),
            sha256: Some(sha256),
            redacted,
            ..entry_of("FILE", path.display().to_string(), at)
        })
    }

    fn package(&self, path: &Path, number: usize, at: Instant) -> io::Result<Vec<Entry>> {
        let name = format!("{number:04}-{}", plain(path));
        let to = self.folder.join(&name);
        DirBuilder::new().mode(0o700).create(&to)?;
        let parts = redact_package(path, &self.redaction, &to)?;
        let whole = entry_of("FILE", path.display().to_string(), at);
        let digest = if path.is_dir() { None } else { Some(digest_of(path)?) };
        let (bytes, sha256) = digest.unzip();
        let mut entries = vec![Entry { file: Some(name.clone()), bytes, sha256, ..whole }];
        entries.extend(parts.into_iter().map(|part| Entry {
            file: part.withheld.is_none().then(|| format!("{name}/{}", part.name)),
            bytes: Some(part.bytes),
            redacted: part.counts,
            withheld: part.withheld,
            ..entry_of("FILE", part.name, at)
        }));
        Ok(entries)
    }

    /// Writes the index; returns how many entries it has.
    ///
    /// # Errors
    /// When something could not be written, now or before.
    pub fn finish(&self, customer: &str, source: &str, at: Instant, outcome: &Outcome) -> io::Result<usize> {
        let mut state = self.state();
        if let Some(error) = state.failed.take() {
            return Err(error);
        }
        let mut redacted = Counts::new();
        for (name, count) in state.entries.iter().flat_map(|entry| &entry.redacted) {
            *redacted.entry(name.clone()).or_default() += count;
        }
        let index = Index {
            program: concat!("rosterd ", env!("CARGO_PKG_VERSION")),
            customer,
            source,
            at: at.to_string(),
            outcome,
            redacted,
            never_kept: ["headers of requests", "answers of token services", "bodies that are neither JSON nor rows"],
            entries: &state.entries,
        };
        let mut file = BufWriter::new(private_file(&self.folder.join("index.json"))?);
        serde_json::to_writer_pretty(&mut file, &index)?;
        file.write_all(b"\n")?;
        file.flush()?;
        Ok(state.entries.len())
    }

    fn body(&self, name: String, body: &[u8], entry: &mut Entry) -> io::Result<()> {
        entry.bytes = Some(body.len() as u64);
        entry.sha256 = Some(Digest::of(body).to_string());
        let text = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
        if entry.headers.get("content-type").is_some_and(|kind| kind.to_ascii_lowercase().starts_with("text/csv")) {
            let name = name.replace(".json", ".csv");
            let mut to = private_file(&self.folder.join(&name))?;
            entry.redacted = redact_cells(text, Dialect::default(), None, &self.redaction, &mut to)?;
            entry.file = Some(name);
            return Ok(());
        }
        if !matches!(text.iter().find(|byte| !byte.is_ascii_whitespace()), Some(b'{' | b'[')) {
            entry.withheld = Some("it is no JSON, and cannot be redacted".to_owned());
            return Ok(());
        }
        let redacted = redact_json(text, &self.redaction);
        private_file(&self.folder.join(&name))?.write_all(&redacted.bytes)?;
        entry.file = Some(name);
        entry.redacted = redacted.counts;
        entry.withheld = (!redacted.whole).then(|| "it is broken JSON; what comes behind the flaw is left out".to_owned());
        Ok(())
    }
}

impl Recorder for SavedPull {
    fn saw(&self, exchange: &Exchange<'_>) {
        let mut state = self.state();
        let number = state.entries.len() + 1;
        let mut entry = Entry {
            query: exchange.url.map(query).unwrap_or_default(),
            status: exchange.status,
            headers: exchange.headers.map(headers).unwrap_or_default(),
            millis: exchange.ended.0 - exchange.began.0,
            error: exchange.error.clone(),
            ..entry_of(exchange.method, exchange.path.clone(), exchange.began)
        };
        if let Some(body) = exchange.body {
            let name = format!("{number:04}-{}.json", plain(Path::new(&exchange.path)));
            if let Err(error) = self.body(name, body, &mut entry) {
                state.failed.get_or_insert(error);
            }
        }
        state.entries.push(entry);
    }
}

fn entry_of(method: &str, path: String, at: Instant) -> Entry {
    Entry { method: method.to_owned(), path, began: at.to_string(), ..Entry::default() }
}

/// The last part of a path, as a file name.
fn plain(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    let name: String = name.chars().take(80).map(|c| if is_plain(c) { c } else { '_' }).collect();
    if name.is_empty() { "root".to_owned() } else { name }
}

fn query(url: &Url) -> BTreeMap<String, String> {
    let shown = |name: &str, value: &str| {
        let is_known = PARAMETERS.contains(&name.to_ascii_lowercase().as_str());
        (name.to_owned(), if is_known { value.to_owned() } else { REDACTED.to_owned() })
    };
    url.query_pairs().map(|(name, value)| shown(&name, &value)).collect()
}

fn headers(headers: &HeaderMap) -> BTreeMap<String, String> {
    let found = HEADERS.iter().filter_map(|name| {
        let value = headers.get(*name)?.to_str().ok()?;
        // Addresses carry queries, and queries may carry keys.
        let value = if matches!(*name, "link" | "location") { without_queries(value) } else { value.to_owned() };
        Some(((*name).to_owned(), value))
    });
    found.collect()
}

fn without_queries(text: &str) -> String {
    let mut out = String::new();
    for (at, part) in text.split('?').enumerate() {
        let rest = if at == 0 { part } else { part.find(['>', ',', ' ']).map_or("", |end| &part[end..]) };
        out.push_str(if at == 0 { "" } else { "?…" });
        out.push_str(rest);
    }
    out
}

fn digest_of(path: &Path) -> io::Result<(u64, String)> {
    let mut file = File::open(path)?;
    let mut digester = Digester::default();
    let (mut buffer, mut bytes) = (vec![0; 256 << 10], 0);
    loop {
        match io::Read::read(&mut file, &mut buffer)? {
            0 => return Ok((bytes, digester.finish().to_string())),
            count => {
                bytes += count as u64;
                digester.stream(&buffer[..count]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::source::saved::saver::{plain, query, without_queries};

    #[test]
    fn addresses_without_keys() {
        let url = reqwest::Url::parse("https://x.example/a?limit=7&access_token=hunter2&client_secret=hunter2").expect("good");
        let shown: Vec<String> = query(&url).iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(shown, ["access_token=[redacted]", "client_secret=[redacted]", "limit=7"]);
        let link = "<https://x.example/a?key=hunter2&offset=7>; rel=\"next\", </b?k=hunter2>; rel=\"last\"";
        assert_eq!(without_queries(link), "<https://x.example/a?…>; rel=\"next\", </b?…>; rel=\"last\"");
        assert_eq!(plain(std::path::Path::new("/a/b c/u%2Fé.csv")), "u_2F_.csv");
    }
}
