//! The rules of the house that a machine can check: which way the code may lean, how imports are spelled, how long a
//! file may grow, that settings and their reference agree, that links lead somewhere.
//!
//! Every check is a function from files to faults, so that it can be shown a small bad tree of its own: the tests at
//! the end do that, and fail if a check has gone blind.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The floors: a folder imports only from lower floors, folders of one floor are strangers. A folder is the first
/// component of a path under `src`. `main.rs` and `lib.rs` stand outside.
const FLOORS: [(&str, u32); 16] = [
    ("base", 0),
    ("roster", 1),
    ("license", 1),
    ("plan", 2),
    ("telemetry", 3),
    ("store", 4),
    ("source", 4),
    ("spool", 4),
    ("notify", 4),
    ("clock", 4),
    ("service", 5),
    ("settings", 6),
    ("shape", 6),
    ("daemon", 7),
    ("http", 7),
    ("cli", 8),
];

/// The highest floor below the waterline.
const WATERLINE: u32 = 2;

/// Words that do not occur below the waterline.
const WORDS_ABOVE: [&str; 13] = [
    "async",
    "await",
    "tokio",
    "reqwest",
    "rusqlite",
    "tracing",
    "serde",
    "serde_json",
    "SystemTime",
    "RandomState",
    "println",
    "eprintln",
    "dbg",
];

/// Paths that do not occur below the waterline.
const PATHS_ABOVE: [&[&str]; 11] = [
    &["std", "fs"],
    &["std", "env"],
    &["std", "net"],
    &["std", "process"],
    &["std", "thread"],
    &["std", "time", "Instant"],
    &["Timestamp", "now"],
    &["Zoned", "now"],
    // Maps seeded at random: their order differs from run to run.
    &["HashMap", "new"],
    &["HashSet", "new"],
    &["HashMap", "from"],
];

/// Files below the waterline that may name one of these paths: each is the one place that wraps it for the others.
const EXEMPT: [(&str, &[&str]); 1] = [("base/parts.rs", &["std", "thread"])];

/// Crates that one file alone may name, so that they can be exchanged by rewriting that file.
const ALONE: [(&str, &str); 8] = [
    ("tokio_cron_scheduler", "daemon/schedule.rs"),
    ("config", "settings/load.rs"),
    ("backoff", "source/retry.rs"),
    ("lettre", "notify/mail.rs"),
    ("encoding_rs", "source/delimited/decode.rs"),
    ("russh", "source/fetch/sftp.rs"),
    ("russh_sftp", "source/fetch/sftp.rs"),
    ("sled", "spool/pages.rs"),
];

const LINES_MAX: usize = 500;

// ── Files ────────────────────────────────────────────────────────────────────────────────────────────────────────────

/// One file: its path with `/`, relative to `src` or to the repository, and its text.
struct Source {
    path: String,
    text: String,
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// All text files below a folder but what is built, downloaded or written at run time.
fn files(folder: &Path) -> Vec<Source> {
    const SKIPPED: [&str; 4] = ["target", ".git", "state", "bench-data"];
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).expect("the folder can be listed") {
            let path = entry.expect("the folder can be listed").path();
            let relative = path.strip_prefix(folder).expect("it lies below").to_string_lossy().replace('\\', "/");
            if SKIPPED.contains(&relative.as_str()) {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else if let Ok(text) = fs::read_to_string(&path) {
                found.push(Source { path: relative, text });
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

fn sources() -> Vec<Source> {
    let mut found = files(&root().join("src"));
    found.retain(|source| source.path.ends_with(".rs"));
    assert!(!found.is_empty());
    found
}

impl Source {
    /// The folder under `src`; `None` for `main.rs` and `lib.rs`.
    fn folder(&self) -> Option<&str> {
        match self.path.split_once('/') {
            Some((folder, _)) => Some(folder),
            None => Some(self.path.trim_end_matches(".rs")).filter(|name| !matches!(*name, "main" | "lib")),
        }
    }

    /// Whether it is nothing but tests.
    fn is_tests(&self) -> bool {
        self.path.ends_with("/tests.rs") || self.path.contains("/tests/")
    }

    fn is_contents(&self) -> bool {
        self.path.ends_with("/mod.rs")
    }

    /// The module's path: `store/sqlite/mod.rs` is `store::sqlite`.
    fn module(&self) -> Vec<&str> {
        self.path.trim_end_matches(".rs").trim_end_matches("/mod").split('/').collect()
    }

    /// The tokens outside `mod tests` …
    fn code(&self) -> Vec<Token> {
        if self.is_tests() { Vec::new() } else { split_tests(tokens(&self.text)).0 }
    }

    /// … and all of them.
    fn all_code(&self) -> Vec<Token> {
        tokens(&self.text)
    }
}

// ── Just enough of a lexer ───────────────────────────────────────────────────────────────────────────────────────────

#[derive(Clone, Debug)]
struct Token {
    text: String,
    line: usize,
}

/// Words and signs, without comments, strings, characters and lifetimes. `::` is one sign.
fn tokens(text: &str) -> Vec<Token> {
    let chars: Vec<char> = text.chars().collect();
    let at = |i: usize| chars.get(i).copied().unwrap_or('\0');
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let (mut found, mut i, mut line) = (Vec::new(), 0, 1);
    while i < chars.len() {
        let begin = i;
        match chars[i] {
            '/' if at(i + 1) == '/' => {
                while i < chars.len() && chars[i] != '\n' {
                    i += 1;
                }
            }
            '/' if at(i + 1) == '*' => {
                let mut depth = 0;
                loop {
                    match (at(i), at(i + 1)) {
                        ('/', '*') => (depth, i) = (depth + 1, i + 2),
                        ('*', '/') => (depth, i) = (depth - 1, i + 2),
                        _ => i += 1,
                    }
                    if depth == 0 || i >= chars.len() {
                        break;
                    }
                }
            }
            '"' => i = string_end(&chars, i),
            '\'' => {
                let escaped = at(i + 1) == '\\';
                if escaped || at(i + 2) == '\'' {
                    i += if escaped { 3 } else { 2 };
                    while i < chars.len() && chars[i] != '\'' {
                        i += 1;
                    }
                    i += 1;
                } else {
                    i += 1;
                    while is_word(at(i)) {
                        i += 1;
                    }
                }
            }
            c if is_word(c) => {
                while is_word(at(i)) {
                    i += 1;
                }
                let word: String = chars[begin..i].iter().collect();
                let hashes = chars[i..].iter().take_while(|c| **c == '#').count();
                if matches!(word.as_str(), "r" | "br" | "cr") && at(i + hashes) == '"' {
                    i = raw_string_end(&chars, i + hashes, hashes);
                } else if word == "r" && hashes == 1 {
                    i += 1; // a raw identifier: the word follows
                } else {
                    found.push(Token { text: word, line });
                }
            }
            ':' if at(i + 1) == ':' => {
                found.push(Token { text: "::".to_owned(), line });
                i += 2;
            }
            c => {
                if !c.is_whitespace() {
                    found.push(Token { text: c.to_string(), line });
                }
                i += 1;
            }
        }
        let end = i.min(chars.len());
        line += chars[begin..end].iter().filter(|c| **c == '\n').count();
    }
    without_reach(found)
}

/// Leaves out how far a `pub(…)` reaches: `pub(in crate::store)` imports nothing.
fn without_reach(all: Vec<Token>) -> Vec<Token> {
    let (mut kept, mut i) = (Vec::new(), 0);
    while i < all.len() {
        let is = |offset: usize, text: &str| all.get(i + offset).is_some_and(|token| token.text == text);
        let reach = is(0, "pub") && is(1, "(");
        kept.push(all[i].clone());
        if reach && (is(2, "in") || ["crate", "self", "super"].iter().any(|word| is(2, word) && is(3, ")"))) {
            while all.get(i).is_some_and(|token| token.text != ")") {
                i += 1;
            }
        }
        i += 1;
    }
    kept
}

fn string_end(chars: &[char], begin: usize) -> usize {
    let mut i = begin + 1;
    while i < chars.len() && chars[i] != '"' {
        i += if chars[i] == '\\' { 2 } else { 1 };
    }
    i + 1
}

fn raw_string_end(chars: &[char], quote: usize, hashes: usize) -> usize {
    let mut i = quote + 1;
    while i < chars.len() && !(chars[i] == '"' && chars[i + 1..].iter().take(hashes).filter(|c| **c == '#').count() == hashes) {
        i += 1;
    }
    i + 1 + hashes
}

/// Parts the tokens outside `mod tests { … }` from those inside.
fn split_tests(all: Vec<Token>) -> (Vec<Token>, Vec<Token>) {
    let (mut code, mut tests, mut i) = (Vec::new(), Vec::new(), 0);
    while i < all.len() {
        let is = |offset: usize, text: &str| all.get(i + offset).is_some_and(|token| token.text == text);
        if is(0, "mod") && is(1, "tests") && is(2, "{") {
            let mut depth = 0;
            while i < all.len() {
                match all[i].text.as_str() {
                    "{" => depth += 1,
                    "}" => depth -= 1,
                    _ => {}
                }
                let closed = depth == 0 && all[i].text == "}";
                tests.push(all[i].clone());
                i += 1;
                if closed {
                    break;
                }
            }
        } else {
            code.push(all[i].clone());
            i += 1;
        }
    }
    (code, tests)
}

/// A path as written: `a::b::C`.
#[derive(Debug)]
struct PathAt {
    segments: Vec<String>,
    line: usize,
    /// It stands in a `use`.
    import: bool,
}

impl PathAt {
    fn has(&self, part: &[&str]) -> bool {
        self.segments.windows(part.len()).any(|window| window.iter().zip(part).all(|(a, b)| a == b))
    }
}

/// All paths; a `use` tree becomes one path per leaf.
fn paths(code: &[Token]) -> Vec<PathAt> {
    let (mut found, mut i) = (Vec::new(), 0);
    while i < code.len() {
        let before = i.checked_sub(1).map_or("", |b| code[b].text.as_str());
        if code[i].text == "use" && matches!(before, "" | ";" | "{" | "}" | "]" | ")" | "pub") {
            i = use_tree(code, i + 1, &[], &mut found);
        } else if code[i].text.starts_with(|c: char| c.is_alphabetic() || c == '_') && before != "::" {
            let line = code[i].line;
            let mut segments = vec![code[i].text.clone()];
            while i + 2 < code.len()
                && code[i + 1].text == "::"
                && code[i + 2].text.starts_with(|c: char| c.is_alphabetic() || c == '_')
            {
                segments.push(code[i + 2].text.clone());
                i += 2;
            }
            found.push(PathAt { segments, line, import: false });
            i += 1;
        } else {
            i += 1;
        }
    }
    found
}

/// Reads one branch of a `use` tree; returns where it ends.
fn use_tree(code: &[Token], mut i: usize, before: &[String], found: &mut Vec<PathAt>) -> usize {
    let mut segments = before.to_vec();
    let line = code.get(i).map_or(0, |token| token.line);
    while i < code.len() {
        match code[i].text.as_str() {
            "::" => i += 1,
            "{" => {
                i += 1;
                while i < code.len() && code[i].text != "}" {
                    i = use_tree(code, i, &segments, found);
                    if i < code.len() && code[i].text == "," {
                        i += 1;
                    }
                }
                return i + 1;
            }
            "as" => i += 2,
            "," | "}" | ";" => break,
            word => {
                segments.push(word.to_owned());
                i += 1;
            }
        }
    }
    if segments.len() > 1 && segments.last().is_some_and(|last| last == "self") {
        segments.pop();
    }
    found.push(PathAt { segments, line, import: true });
    i
}

// ── 1. Floors ────────────────────────────────────────────────────────────────────────────────────────────────────────

fn floor(folder: &str) -> Option<u32> {
    FLOORS.iter().find(|(name, _)| *name == folder).map(|(_, floor)| *floor)
}

fn wrong_floors(sources: &[Source]) -> Vec<String> {
    let mut faults = Vec::new();
    for source in sources {
        let Some(folder) = source.folder() else { continue };
        let Some(own) = floor(folder) else {
            faults.push(format!("{}: the folder {folder} is on no floor", source.path));
            continue;
        };
        for path in paths(&source.all_code()) {
            let place = format!("{}:{}", source.path, path.line);
            if path.segments[0] == "rosterd" && path.segments.len() > 1 {
                faults.push(format!("{place}: names the crate from inside; say crate::"));
            }
            let ["crate", other, ..] = path.segments.iter().map(String::as_str).collect::<Vec<_>>()[..] else { continue };
            match floor(other) {
                _ if other == folder => {}
                None => faults.push(format!("{place}: crate::{other} is on no floor")),
                Some(there) if there >= own => {
                    faults.push(format!("{place}: {folder} (floor {own}) imports from {other} (floor {there})"));
                }
                Some(_) => {}
            }
        }
    }
    faults
}

/// The table of floors in the crate's docs says the same as [`FLOORS`].
fn floors_undocumented(lib: &str, folders: &BTreeSet<String>) -> Vec<String> {
    let row_of = |folder: &str| {
        let row = lib.lines().find(|line| line.starts_with("//! |") && line.contains(&format!("`{folder}`")))?;
        row.split('|').nth(1)?.trim().parse::<u32>().ok()
    };
    let told = folders.iter().filter(|folder| row_of(folder) != floor(folder));
    told.map(|folder| format!("lib.rs: its table does not put `{folder}` on floor {:?}", floor(folder))).collect()
}

// ── 2. Circles and tables of contents ────────────────────────────────────────────────────────────────────────────────

fn circles(sources: &[Source]) -> Vec<String> {
    let modules: BTreeMap<Vec<&str>, &Source> =
        sources.iter().filter(|source| source.folder().is_some()).map(|source| (source.module(), source)).collect();
    let mut faults = Vec::new();
    let mut edges: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (module, source) in &modules {
        let code = source.code();
        for path in paths(&code) {
            let mut full: Vec<&str> = path.segments.iter().map(String::as_str).collect();
            if source.is_contents() && path.import && full[0] != "crate" {
                full = module.iter().copied().chain(full).collect();
            } else if full[0] == "crate" && full.get(1) == Some(&module[0]) {
                full.remove(0);
            } else {
                continue;
            }
            let Some(target) = (1..=full.len()).rev().find_map(|len| modules.get(&full[..len])) else { continue };
            if target.path == source.path {
                continue;
            }
            if target.is_contents() && module.starts_with(&target.module()) {
                faults.push(format!("{}:{}: imports from {}, its own table of contents", source.path, path.line, target.path));
            } else {
                edges.entry(&source.path).or_default().insert(&target.path);
            }
        }
    }
    let (mut done, mut trail) = (BTreeSet::new(), Vec::new());
    for start in edges.keys() {
        walk(start, &edges, &mut done, &mut trail, &mut faults);
    }
    faults
}

fn walk<'a>(
    at: &'a str,
    edges: &BTreeMap<&'a str, BTreeSet<&'a str>>,
    done: &mut BTreeSet<&'a str>,
    trail: &mut Vec<&'a str>,
    faults: &mut Vec<String>,
) {
    if let Some(begin) = trail.iter().position(|seen| *seen == at) {
        faults.push(format!("a circle: {} -> {at}", trail[begin..].join(" -> ")));
        return;
    }
    if done.contains(at) {
        return;
    }
    trail.push(at);
    for next in edges.get(at).into_iter().flatten() {
        walk(next, edges, done, trail, faults);
    }
    trail.pop();
    done.insert(at);
}

fn contents_with_more(sources: &[Source]) -> Vec<String> {
    let mut faults = Vec::new();
    for source in sources.iter().filter(|source| source.is_contents()) {
        let code = without_attributes(&source.all_code());
        let words = |i: usize| code.get(i).map_or("", |token| token.text.as_str());
        let mut i = 0;
        while i < code.len() {
            let line = code[i].line;
            let public = words(i) == "pub";
            i += usize::from(public);
            let fine = match words(i) {
                "mod" => words(i + 2) == ";",
                "use" => public,
                _ => false,
            };
            if !fine {
                faults.push(format!("{}:{line}: holds more than `mod` and `pub use`", source.path));
                break;
            }
            while i < code.len() && code[i].text != ";" {
                i += 1;
            }
            i += 1;
        }
        let children: BTreeSet<&str> =
            code.windows(2).filter(|pair| pair[0].text == "mod").map(|pair| pair[1].text.as_str()).collect();
        for path in paths(&code).iter().filter(|path| path.import && !children.contains(path.segments[0].as_str())) {
            faults.push(format!("{}:{}: passes on {}, which is not its own", source.path, path.line, path.segments.join("::")));
        }
    }
    faults
}

/// A file other than `mod.rs` has no children but its tests: else the walk for circles would not see them.
fn children_elsewhere(sources: &[Source]) -> Vec<String> {
    let mut faults = Vec::new();
    for source in sources.iter().filter(|source| source.folder().is_some() && !source.is_contents()) {
        for three in source.all_code().windows(3) {
            if three[0].text == "mod" && three[1].text != "tests" && three[2].text == ";" {
                faults.push(format!("{}:{}: declares the module {}", source.path, three[0].line, three[1].text));
            }
        }
    }
    faults
}

fn without_attributes(code: &[Token]) -> Vec<Token> {
    let (mut kept, mut depth, mut i) = (Vec::new(), 0, 0);
    while i < code.len() {
        let text = code[i].text.as_str();
        let next = code.get(i + 1).map_or("", |token| token.text.as_str());
        if depth > 0 {
            match text {
                "[" => depth += 1,
                "]" => depth -= 1,
                _ => {}
            }
        } else if text == "#" && matches!(next, "[" | "!") {
            i += if next == "!" { 2 } else { 1 };
            depth = 1;
        } else {
            kept.push(code[i].clone());
        }
        i += 1;
    }
    kept
}

// ── 3. Spelling of imports ───────────────────────────────────────────────────────────────────────────────────────────

fn misspelled_imports(sources: &[Source], crates: &BTreeSet<String>) -> Vec<String> {
    let mut faults = Vec::new();
    for source in sources.iter().filter(|source| source.folder().is_some()) {
        for three in source.all_code().windows(3) {
            if three[0].text == "crate" && three[1].text == "::" && three[2].text == "{" {
                faults.push(format!("{}:{}: a group crate::{{…}}", source.path, three[0].line));
            }
        }
        let code = source.code();
        for two in code.windows(2) {
            if two[0].text == "super" && two[1].text == "::" {
                faults.push(format!("{}:{}: super:: outside of tests", source.path, two[0].line));
            }
        }
        if source.is_contents() {
            continue;
        }
        for path in paths(&code).iter().filter(|path| path.import && path.segments.len() > 1) {
            let first = path.segments[0].as_str();
            let known = matches!(first, "crate" | "std" | "core" | "alloc" | "super")
                || crates.contains(first)
                || first.starts_with(char::is_uppercase);
            if !known {
                let spelled = path.segments.join("::");
                faults.push(format!("{}:{}: `use {spelled}` is neither crate:: nor another crate", source.path, path.line));
            }
        }
    }
    faults
}

/// The crates that `Cargo.toml` names, as code spells them.
fn crates() -> BTreeSet<String> {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).expect("the manifest is there");
    let (mut found, mut inside) = (BTreeSet::new(), false);
    for line in manifest.lines() {
        if line.starts_with('[') {
            inside = line.ends_with("dependencies]");
        } else if let (true, Some((name, _))) = (inside, line.split_once(['=', '.'])) {
            found.insert(name.trim().replace('-', "_"));
        }
    }
    found
}

// ── 4. Waterline, 5. length, 6. alone, leftovers ─────────────────────────────────────────────────────────────────────

fn above_the_waterline(sources: &[Source]) -> Vec<String> {
    let mut faults = Vec::new();
    for source in sources {
        if source.folder().and_then(floor).is_none_or(|floor| floor > WATERLINE) {
            continue;
        }
        let code = source.code();
        for token in code.iter().filter(|token| WORDS_ABOVE.contains(&token.text.as_str())) {
            faults.push(format!("{}:{}: `{}` below the waterline", source.path, token.line, token.text));
        }
        for path in paths(&code) {
            let exempt = |banned: &[&str]| EXEMPT.contains(&(source.path.as_str(), banned));
            if let Some(banned) = PATHS_ABOVE.iter().find(|banned| path.has(banned) && !exempt(banned)) {
                faults.push(format!("{}:{}: `{}` below the waterline", source.path, path.line, banned.join("::")));
            }
        }
    }
    faults
}

fn too_long(sources: &[Source]) -> Vec<String> {
    let lines = sources.iter().map(|source| (source, source.text.lines().count()));
    lines.filter(|(_, n)| *n > LINES_MAX).map(|(source, n)| format!("{}: {n} lines", source.path)).collect()
}

fn named_elsewhere(sources: &[Source]) -> Vec<String> {
    let mut faults = Vec::new();
    for source in sources {
        for path in paths(&source.all_code()) {
            let alone = ALONE.iter().find(|(name, _)| *name == path.segments[0]);
            if let Some((name, file)) = alone
                && source.path != *file
                && source.path != file.replace(".rs", "/tests.rs")
                && (path.import || path.segments.len() > 1)
            {
                faults.push(format!("{}:{}: names the crate {name}, which {file} does alone", source.path, path.line));
            }
        }
    }
    faults
}

fn leftovers(sources: &[Source]) -> Vec<String> {
    let mut faults = Vec::new();
    for source in sources {
        for (line, text) in (1..).zip(source.text.lines()) {
            let words: BTreeSet<&str> = text.split(|c: char| !c.is_alphanumeric() && c != '_' && c != '!').collect();
            for word in ["TODO", "TODO!", "FIXME", "FIXME!", "XXX", "todo!", "unimplemented!"] {
                if words.contains(word) {
                    faults.push(format!("{}:{line}: {word}", source.path));
                }
            }
        }
    }
    faults
}

fn machine_paths(sources: &[Source]) -> Vec<String> {
    let banned = [["/ro", "ot/"], ["/wo", "rk/"], ["/fa", "rm/"], ["/home/", "ubuntu"]].map(|parts| parts.concat());
    let mut faults = Vec::new();
    for source in sources {
        for (line, text) in (1..).zip(source.text.lines()) {
            let here = env!("CARGO_MANIFEST_DIR");
            if let Some(path) = banned.iter().map(String::as_str).chain([here]).find(|path| text.contains(path)) {
                faults.push(format!("{}:{line}: {path} is a path of one machine", source.path));
            }
        }
    }
    faults
}

// ── 7. Settings and links ────────────────────────────────────────────────────────────────────────────────────────────

/// Names of keys and sections in a commented settings file. A line `#key = value` without a space after the `#` counts.
fn keys_written(toml: &str) -> BTreeSet<String> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut found = BTreeSet::new();
    for line in toml.lines() {
        let line = line.trim_start();
        let line = line.strip_prefix('#').unwrap_or(line);
        if let Some(header) = line.strip_prefix('[') {
            let header = header.trim_start_matches('[').split(']').next().unwrap_or_default();
            found.extend(header.split('.').map(|part| part.trim().to_owned()));
        } else if line.starts_with(is_word) {
            let bare: String = line.split('"').step_by(2).collect::<Vec<_>>().join("\"\"");
            let bare = bare.split('#').next().unwrap_or_default();
            for (at, _) in bare.match_indices('=') {
                let before = bare[..at].trim_end();
                let begin = before.rfind(|c| !is_word(c)).map_or(0, |b| b + 1);
                found.insert(before[begin..].to_owned());
            }
        }
    }
    found
}

/// Names of keys the code asks for: `s.count("workers", …)`, `s.required("path", …)` and the like.
fn keys_asked(code: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for part in code.split("s.").skip(1) {
        let Some((method, rest)) = part.split_once("(\"") else { continue };
        let method_like = !method.is_empty() && method.chars().all(|c| c.is_ascii_lowercase() || c == '_');
        if let (true, Some((key, _))) = (method_like && !matches!(method, "wrong" | "at"), rest.split_once('"')) {
            found.insert(key.to_owned());
        }
    }
    found
}

fn settings_disagree(reference: &str, code: &str) -> Vec<String> {
    let (written, asked) = (keys_written(reference), keys_asked(code));
    let unknown = written.difference(&asked).map(|key| format!("config/default.toml: `{key}` is read nowhere"));
    let missing = asked.difference(&written).map(|key| format!("src/settings: `{key}` is not in config/default.toml"));
    unknown.chain(missing).collect()
}

fn dead_links(documents: &[Source], exists: impl Fn(&str) -> bool) -> Vec<String> {
    let mut faults = Vec::new();
    for document in documents.iter().filter(|document| document.path.ends_with(".md")) {
        let folder = document.path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let dead = |target: &str| format!("{}: {target} leads nowhere", document.path);
        let mut fenced = false;
        for line in document.text.lines() {
            fenced ^= line.trim_start().starts_with("```");
            if fenced {
                continue;
            }
            for rest in line.split("](").skip(1) {
                let target = rest.split(')').next().unwrap_or_default();
                if target.contains("://") || target.starts_with("mailto:") {
                    continue;
                }
                let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
                let file = if file.is_empty() { document.path.clone() } else { joined(folder, file) };
                let headings = documents.iter().find(|other| other.path == file).map(|other| anchors(&other.text));
                if !exists(&file) || headings.is_some_and(|known| !anchor.is_empty() && !known.contains(anchor)) {
                    faults.push(dead(target));
                }
            }
            for quoted in line.split('`').skip(1).step_by(2) {
                let in_tree =
                    ["src/", "config/", "docs/", "tests/", "systemd/", "benches/"].iter().any(|top| quoted.starts_with(top));
                let plain = quoted.chars().all(|c| c.is_ascii_alphanumeric() || "_-./".contains(c));
                if in_tree && plain && !exists(quoted.trim_end_matches('/')) {
                    faults.push(dead(quoted));
                }
            }
        }
    }
    faults
}

fn joined(folder: &str, target: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in target.split('/').filter(|part| !part.is_empty() && *part != ".") {
        if part == ".." {
            parts.pop();
        } else {
            parts.push(part);
        }
    }
    parts.join("/")
}

/// Anchors of a document's headings, as forges make them.
fn anchors(markdown: &str) -> BTreeSet<String> {
    let headings = markdown.lines().filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim());
    headings
        .map(|heading| {
            let lower = heading.to_lowercase();
            let kept = lower.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
            kept.map(|c| if c == ' ' { '-' } else { c }).collect()
        })
        .collect()
}

// ── The tree as it is ────────────────────────────────────────────────────────────────────────────────────────────────

fn none(faults: Vec<String>) {
    assert!(faults.is_empty(), "{} faults:\n  {}", faults.len(), faults.join("\n  "));
}

#[test]
fn imports_point_down() {
    none(wrong_floors(&sources()));
}

#[test]
fn the_table_of_floors_is_told() {
    let folders: BTreeSet<String> = sources().iter().filter_map(|source| source.folder().map(str::to_owned)).collect();
    let lib = fs::read_to_string(root().join("src/lib.rs")).unwrap();
    none(floors_undocumented(&lib, &folders));
}

#[test]
fn files_form_no_circle() {
    none(circles(&sources()));
}

#[test]
fn tables_of_contents_hold_nothing_else() {
    none(contents_with_more(&sources()));
    none(children_elsewhere(&sources()));
}

#[test]
fn imports_are_spelled_one_way() {
    none(misspelled_imports(&sources(), &crates()));
}

#[test]
fn below_the_waterline_is_quiet() {
    none(above_the_waterline(&sources()));
}

#[test]
fn no_file_is_longer_than_a_sitting() {
    none(too_long(&sources()));
}

#[test]
fn some_crates_have_one_file_each() {
    none(named_elsewhere(&sources()));
}

#[test]
fn nothing_is_left_over() {
    none(leftovers(&sources()));
}

#[test]
fn no_path_of_one_machine() {
    none(machine_paths(&files(&root())));
}

#[test]
fn settings_and_their_reference_agree() {
    let read = |path: &str| fs::read_to_string(root().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"));
    let files = [
        "audit",
        "channels",
        "classlink",
        "clauses",
        "clever",
        "days",
        "file",
        "guard",
        "http",
        "identity",
        "logging",
        "network/files",
        "network/hr",
        "network/keys",
        "network/people",
        "pauses",
        "reports",
        "rules",
        "store",
        "terms",
        "when",
    ];
    let code = files.map(|name| read(&format!("src/settings/{name}.rs"))).concat();
    none(settings_disagree(&read("config/default.toml"), &code));
}

#[test]
fn links_lead_somewhere() {
    none(dead_links(&files(&root()), |path| root().join(path).exists()));
}

// ── The checks can fail ──────────────────────────────────────────────────────────────────────────────────────────────

fn tree(files: &[(&str, &str)]) -> Vec<Source> {
    files.iter().map(|(path, text)| Source { path: (*path).to_owned(), text: (*text).to_owned() }).collect()
}

/// As many faults as said, and each of these words in one of them.
fn finds(faults: Vec<String>, words: &[&str]) {
    assert_eq!(faults.len(), words.len(), "{faults:#?}");
    for word in words {
        assert!(faults.iter().any(|fault| fault.contains(word)), "no fault says {word}: {faults:#?}");
    }
}

#[test]
fn a_wrong_floor_is_found() {
    let bad = tree(&[
        ("roster/a.rs", "use crate::license::Pool;\nfn f() { crate::plan::plan(); }"),
        ("plan/b.rs", "use crate::roster::{A, B}; // crate::service::X\nconst S: &str = \"crate::cli::Y\";"),
        ("util/c.rs", ""),
        ("clock.rs", "use crate::store::Store;"),
        ("cli/d.rs", "use crate::util::X; use rosterd::base::Day;"),
        ("base/e.rs", "#[cfg(test)]\nmod tests { use crate::roster::Roster; }"),
    ]);
    let words = [
        "roster/a.rs:1: roster (floor 1) imports from license",
        "roster/a.rs:2",
        "util/c.rs",
        "clock.rs:1",
        "cli/d.rs:1: crate::util",
        "names the crate",
        "base/e.rs:2",
    ];
    finds(wrong_floors(&bad), &words);
    let lib = "//! | 1 | `roster`, `license` | x |\n//! | 0 | `plan` | y |\n";
    let folders = ["roster", "plan", "base"].map(str::to_owned).into();
    finds(floors_undocumented(lib, &folders), &["`plan`", "`base`"]);
}

#[test]
fn a_circle_is_found() {
    let bad = tree(&[
        ("store/mod.rs", "mod a; mod b; mod c; mod sqlite; pub use a::A;"),
        ("store/a.rs", "use crate::store::b::B;"),
        ("store/b.rs", "fn f() { crate::store::c::go() }"),
        ("store/c.rs", "use crate::store::{a::A, C};"),
        ("store/sqlite/mod.rs", "mod read; pub use read::Read;"),
        ("store/sqlite/read.rs", "use crate::store::d::D; #[cfg(test)] mod tests { use crate::store::a::A; }"),
        ("store/d.rs", "use crate::store::sqlite::Read; pub(in crate::store) struct S(pub(crate) u8);"),
    ]);
    finds(
        circles(&bad),
        &[
            "store/a.rs -> store/b.rs -> store/c.rs -> store/a.rs",
            "store/c.rs:1: imports from store/mod.rs",
            "store/d.rs -> store/sqlite/mod.rs -> store/sqlite/read.rs -> store/d.rs",
        ],
    );
    let good =
        tree(&[("plan/mod.rs", "mod a; mod b; pub use a::A;"), ("plan/a.rs", "use crate::plan::b::B;"), ("plan/b.rs", "")]);
    finds(circles(&good), &[]);
}

#[test]
fn a_table_of_contents_with_more_is_found() {
    let bad = tree(&[
        ("plan/mod.rs", "//! Docs.\nmod a;\npub use a::{A, B};\npub(crate) use a::C;\n#[cfg(test)]\nmod tests;"),
        ("base/mod.rs", "mod a;\nfn f() {}"),
        ("store/mod.rs", "mod a { }"),
        ("source/mod.rs", "mod a;\nuse a::A;"),
        ("cli/mod.rs", "mod a;\npub use crate::base::Day;"),
    ]);
    finds(
        contents_with_more(&bad),
        &["base/mod.rs:2", "store/mod.rs:1", "source/mod.rs:2", "cli/mod.rs:2: passes on crate::base::Day"],
    );
}

#[test]
fn a_child_elsewhere_is_found() {
    let bad = tree(&[("plan/a.rs", "mod b;\nmod tests;"), ("plan/mod.rs", "mod a;"), ("lib.rs", "mod plan;")]);
    finds(children_elsewhere(&bad), &["plan/a.rs:1: declares the module b"]);
}

#[test]
fn a_misspelled_import_is_found() {
    let bad = tree(&[
        ("plan/a.rs", "use crate::{base::Day, roster::Roster};\nuse super::b::B;\nuse b::C;\nuse self::d::D;"),
        (
            "plan/b.rs",
            "use std::fmt; use jiff::civil::Date; use Kind::{X, Y}; fn f<'a>() -> impl Iterator + use<'a> { let c = '\"'; }",
        ),
        ("plan/c.rs", "#[cfg(test)] mod tests { use super::*; }"),
    ]);
    let words = ["plan/a.rs:1: a group", "plan/a.rs:2: super::", "plan/a.rs:3: `use b::C`", "plan/a.rs:4: `use self::d::D`"];
    finds(misspelled_imports(&bad, &["jiff".to_owned()].into()), &words);
}

#[test]
fn a_word_from_above_is_found() {
    let bad = tree(&[
        ("plan/a.rs", "/// Not async, says serde.\nuse std::{fmt, fs::File};\nasync fn f() {}\nlet m = HashMap::new();"),
        ("license/b.rs", "use serde::Serialize;\nlet now = std::time::SystemTime::now();"),
        ("store/c.rs", "use std::fs; async fn g() {}"),
        ("base/d.rs", "#[cfg(test)]\nmod tests { use std::fs; }\nlet lifetimes: &'static str = r#\"tokio \"quoted\" \"#;"),
    ]);
    let words = [
        "plan/a.rs:2: `std::fs`",
        "plan/a.rs:3: `async`",
        "plan/a.rs:4: `HashMap::new`",
        "license/b.rs:1: `serde`",
        "license/b.rs:2: `SystemTime`",
    ];
    finds(above_the_waterline(&bad), &words);
}

#[test]
fn the_other_checks_find_something() {
    let long = "x\n".repeat(LINES_MAX + 1);
    finds(too_long(&tree(&[("base/a.rs", &long), ("base/b.rs", &long[2..])])), &["base/a.rs: 501 lines"]);
    let names = tree(&[
        ("settings/load.rs", "use config::Config;"),
        ("settings/load/tests.rs", "use config::Config;"),
        ("settings/file.rs", "fn f(config: u8) { config::File::from(x) }"),
        ("daemon/run.rs", "use tokio_cron_scheduler::Job;"),
    ]);
    finds(named_elsewhere(&names), &["settings/file.rs:1", "daemon/run.rs:1"]);
    let left = tree(&[("base/a.rs", "// TODO: later\nfn f() { todo!() }\n// FIXME\nlet TODOS = 1;")]);
    finds(leftovers(&left), &["base/a.rs:1", "base/a.rs:2", "base/a.rs:3"]);
    let absolute = tree(&[("README.md", concat!("see /ro", "ot/x\nsee /rooted"))]);
    finds(machine_paths(&absolute), &["README.md:1"]);
}

#[test]
fn settings_that_disagree_are_found() {
    let reference = "[daemon]\n# Prose about workers = 3.\nworkers = 2\n#[[customer]]\n#id = \"x = y\"\n#when = { role = [\"a\"], not = { grade = [1] } }\n";
    let code = r#"s.section("daemon", d); s.count("workers", 1); s.sections("customer", c); s.required("id", x); s.section("when", w);
        filled(s, "role", s.texts("role")); s.like_this("not", w); s.wrong("seats", "x"); s.text("name");"#;
    finds(settings_disagree(reference, code), &["`grade` is read nowhere", "`name` is not in"]);
}

#[test]
fn a_dead_link_is_found() {
    let documents = tree(&[
        (
            "README.md",
            "[a](docs/A.md) [b](docs/B.md) [c](docs/A.md#one-two) [d](docs/A.md#three) `src/lib.rs` `src/gone.rs` [w](https://example.org/x)\n```\n[x](y)\n```",
        ),
        ("docs/A.md", "# One, two\n[up](../README.md) [self](#one-two) [bad](#two)"),
    ]);
    let exists = |path: &str| ["README.md", "docs/A.md", "src/lib.rs"].contains(&path);
    finds(dead_links(&documents, exists), &["README.md: docs/B.md", "docs/A.md#three", "src/gone.rs", "docs/A.md: #two"]);
}
