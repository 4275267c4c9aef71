//! The file of people: one template for taking people out and putting them in by hand, so that what is written is read
//! back as it was (R133, R135, R147).

use crate::roster::{Finding, Level, Person, Roster};

/// The columns, in the order of the template.
pub const PEOPLE_COLUMNS: [&str; 12] = [
    "key",
    "given_name",
    "family_name",
    "email",
    "username",
    "identifier",
    "enabled",
    "grades",
    "primary_org",
    "roles",
    "status",
    "source",
];

/// A file has at most so many bytes.
pub const PEOPLE_BYTES_MAX: usize = 64 << 20;
/// A file has at most so many rows.
const ROWS_MAX: usize = 1_000_000;
/// A cell has at most so many bytes.
const CELL_BYTES_MAX: usize = 4096;

/// One person as the file tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PersonCells {
    pub(crate) key: String,
    pub(crate) given: String,
    pub(crate) family: String,
    pub(crate) email: String,
    pub(crate) username: String,
    pub(crate) identifier: String,
    pub(crate) enabled: bool,
    /// Joined by `,`.
    pub(crate) grades: String,
    /// Empty: none.
    pub(crate) primary_org: String,
    /// Org and role, sorted, each once.
    pub(crate) roles: Vec<(String, String)>,
    pub(crate) ended: bool,
    /// Empty in a file that does not say.
    pub(crate) source: String,
}

/// A row that cannot be used, with its key where that can be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BadRow {
    pub(crate) key: Option<String>,
    pub(crate) finding: Finding,
}

/// Rows with their lines.
pub(crate) type Rows = Vec<(u64, Result<PersonCells, Box<BadRow>>)>;

impl PersonCells {
    /// A person of a source's roster.
    pub(crate) fn of(source: &str, roster: &Roster, person: &Person) -> Self {
        let text = |text| roster.text(text).to_owned();
        let org = |org| text(roster.org(org).id);
        let alive = roster.roles_of(person).iter().filter(|role| !role.ended);
        let roles = alive.map(|role| (org(role.org), roster.role_word(role.role).to_owned())).collect();
        Self {
            key: text(person.key),
            given: text(person.given),
            family: text(person.family),
            email: text(person.email),
            username: text(person.username),
            identifier: text(person.identifier),
            enabled: person.enabled,
            grades: list(roster.text(person.grades)),
            primary_org: person.primary_org.map_or_else(String::new, org),
            roles: sorted(roles),
            ended: person.ended,
            source: source.to_owned(),
        }
    }

    /// The orgs that the person is in.
    pub(crate) fn orgs(&self) -> impl Iterator<Item = &str> {
        let primary = Some(self.primary_org.as_str()).filter(|org| !org.is_empty());
        primary.into_iter().chain(self.roles.iter().map(|(org, _)| org.as_str()))
    }

    /// The cells, in the order of the columns.
    fn cells(&self) -> [String; 12] {
        let Self { key, given, family, email, username, identifier, enabled, grades, primary_org, roles, ended, source } = self;
        let roles: Vec<String> = roles.iter().map(|(org, role)| format!("{}@{}", escaped(role), escaped(org))).collect();
        [
            key.clone(),
            given.clone(),
            family.clone(),
            email.clone(),
            username.clone(),
            identifier.clone(),
            if *enabled { "true" } else { "false" }.to_owned(),
            grades.clone(),
            primary_org.clone(),
            roles.join(";"),
            if *ended { "ended" } else { "active" }.to_owned(),
            source.clone(),
        ]
    }

    /// The first column in which two rows of one person differ; what they say of the source is not looked at.
    pub(crate) fn difference(&self, other: &Self) -> Option<&'static str> {
        let (mine, theirs) = (self.cells(), other.cells());
        PEOPLE_COLUMNS.into_iter().zip(mine.iter().zip(&theirs)).take(11).find(|(_, (a, b))| a != b).map(|(name, _)| name)
    }

    fn read(cells: &[String; 12]) -> Result<Self, (&'static str, &'static str, String)> {
        let [key, given, family, email, username, identifier, enabled, grades, primary_org, roles, status, source] = cells;
        let word = |cell: &String| cell.trim().to_ascii_lowercase();
        let enabled = match word(enabled).as_str() {
            "true" | "" => true,
            "false" => false,
            _ => return Err(("bad_boolean", "enabled", "expected true or false".to_owned())),
        };
        let ended = match word(status).as_str() {
            "active" | "" => false,
            "ended" => true,
            _ => return Err(("bad_status", "status", "expected active or ended".to_owned())),
        };
        let mut told = Vec::new();
        for part in roles.split(';').map(str::trim).filter(|part| !part.is_empty()) {
            let (role, org) = part.split_once('@').unwrap_or_default();
            match (unescaped(role.trim()), unescaped(org.trim())) {
                (Some(role), Some(org)) if !role.is_empty() && !org.is_empty() => told.push((org, role)),
                _ => return Err(("bad_roles", "roles", "expected roles as teacher@ash;student@birch".to_owned())),
            }
        }
        Ok(Self {
            key: key.clone(),
            given: given.clone(),
            family: family.clone(),
            email: email.clone(),
            username: username.clone(),
            identifier: identifier.clone(),
            enabled,
            grades: list(grades),
            primary_org: primary_org.trim().to_owned(),
            roles: sorted(told),
            ended,
            source: source.trim().to_owned(),
        })
    }
}

fn sorted(mut roles: Vec<(String, String)>) -> Vec<(String, String)> {
    roles.sort_unstable();
    roles.dedup();
    roles
}

fn list(text: &str) -> String {
    text.split(',').map(str::trim).filter(|item| !item.is_empty()).collect::<Vec<_>>().join(",")
}

/// A role's word or an org's id inside the cell of roles: what keeps the cell apart is written as `%` and two hex digits,
/// and so are spaces, which a reader may cut off at the ends.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '%' | ';' | '@' => out.push_str(&format!("%{:02X}", u32::from(c))),
            c if c.is_whitespace() && c.is_ascii() => out.push_str(&format!("%{:02X}", u32::from(c))),
            c => out.push(c),
        }
    }
    out
}

fn unescaped(text: &str) -> Option<String> {
    let mut parts = text.split('%');
    let mut out = parts.next()?.to_owned();
    for part in parts {
        let (code, rest) = part.split_at_checked(2)?;
        let code = u8::from_str_radix(code, 16).ok().filter(u8::is_ascii)?;
        out.push(char::from(code));
        out.push_str(rest);
    }
    Some(out)
}

/// Whether a spreadsheet would take the text for a formula, or it looks as if a `'` had been put before such a text.
fn needs_guard(text: &str) -> bool {
    text.trim_start_matches('\'').starts_with(['=', '+', '-', '@', '\t', '\r'])
}

/// A text that no spreadsheet takes for a formula (R147).
fn guarded(text: &str) -> String {
    if needs_guard(text) { format!("'{text}") } else { text.to_owned() }
}

/// The text that [`guarded`] was given.
pub(crate) fn unguarded(text: &str) -> &str {
    text.strip_prefix('\'').filter(|rest| needs_guard(rest)).unwrap_or(text)
}

/// The file of these people: UTF-8, CRLF, RFC 4180, header always.
pub(crate) fn write(people: impl Iterator<Item = PersonCells>) -> Vec<u8> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    // Writing to memory cannot fail, nor does the number of cells change between rows.
    let _ = writer.write_record(PEOPLE_COLUMNS);
    for person in people {
        let _ = writer.write_record(person.cells().iter().map(|cell| guarded(cell)));
    }
    writer.into_inner().unwrap_or_default()
}

/// Reads a file. Columns may stand in any order.
///
/// # Errors
/// What is wrong with the file as a whole: nothing of it may be used then.
pub(crate) fn read(file: &str, bytes: &[u8]) -> Result<Rows, Box<Finding>> {
    let whole = |rule: &'static str, detail: String| {
        let (record, field) = (String::new(), String::new());
        Box::new(Finding { level: Level::Package, rule, file: file.to_owned(), row: 0, record, field, detail })
    };
    if bytes.len() > PEOPLE_BYTES_MAX {
        return Err(whole("too_large", format!("the file has {} bytes, at most {PEOPLE_BYTES_MAX} are read", bytes.len())));
    }
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    // One quote too many or too few swallows rows: then nobody can tell who is absent.
    if bytes.iter().filter(|&&byte| byte == b'"').count() % 2 == 1 {
        return Err(whole("unbalanced_quote", "a cell is opened by a quote and never closed".to_owned()));
    }
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(bytes);
    let mut record = csv::ByteRecord::new();
    let unreadable = |error: csv::Error| whole("unreadable", error.to_string());
    if !reader.read_byte_record(&mut record).map_err(unreadable)? {
        return Err(whole("no_header", format!("the first line must be {}", PEOPLE_COLUMNS.join(","))));
    }
    let order = order_of(&record).map_err(|detail| whole("bad_header", detail))?;
    let mut rows = Vec::new();
    while reader.read_byte_record(&mut record).map_err(unreadable)? {
        if record.iter().all(|cell| cell.is_empty()) {
            continue;
        }
        if rows.len() == ROWS_MAX {
            return Err(whole("too_many_rows", format!("at most {ROWS_MAX} rows are read")));
        }
        let line = record.position().map_or(0, |position| line_of(bytes, position));
        rows.push((line, row(file, line, &record, &order)));
    }
    Ok(rows)
}

/// The line of a record. The reader's own count stands before the line ends that it passes over on its way to the record.
pub(crate) fn line_of(bytes: &[u8], position: &csv::Position) -> u64 {
    let from = usize::try_from(position.byte()).map_or(bytes.len(), |from| from.min(bytes.len()));
    let ends = bytes[from..].iter().take_while(|byte| matches!(byte, b'\r' | b'\n'));
    position.line() + ends.filter(|&&byte| byte == b'\n').count() as u64
}

/// Where each column of the template stands in the file.
fn order_of(header: &csv::ByteRecord) -> Result<[usize; 12], String> {
    let names: Vec<String> = header.iter().map(|cell| String::from_utf8_lossy(cell).trim().to_ascii_lowercase()).collect();
    let mut order = [0; 12];
    for (place, column) in order.iter_mut().zip(PEOPLE_COLUMNS) {
        let mut at = (0..names.len()).filter(|&at| names[at] == column);
        *place = match (at.next(), at.next()) {
            (Some(at), None) => at,
            (None, _) => return Err(format!("column {column} is missing; expected {}", PEOPLE_COLUMNS.join(","))),
            (Some(_), Some(_)) => return Err(format!("column {column} is there twice")),
        };
    }
    match names.iter().find(|name| !PEOPLE_COLUMNS.contains(&name.as_str())) {
        Some(unknown) => Err(format!("column {unknown:?} is unknown; expected {}", PEOPLE_COLUMNS.join(","))),
        None => Ok(order),
    }
}

fn row(file: &str, line: u64, record: &csv::ByteRecord, order: &[usize; 12]) -> Result<PersonCells, Box<BadRow>> {
    let bad = |key: Option<&str>, rule: &'static str, field: &str, detail: String| {
        let finding = row_finding(file, line, key.unwrap_or_default(), rule, field, detail);
        Box::new(BadRow { key: key.map(str::to_owned), finding })
    };
    if record.len() != order.len() {
        // Which cell is the key is anybody's guess.
        return Err(bad(None, "bad_cell_count", "", format!("the row has {} cells, expected {}", record.len(), order.len())));
    }
    let key = std::str::from_utf8(&record[order[0]]).ok().map(unguarded);
    let key = match key {
        Some(key) if is_key(key) => key,
        Some("") => return Err(bad(None, "empty_key", "key", "every person needs a key".to_owned())),
        _ => return Err(bad(None, "bad_key", "key", "expected visible characters without spaces at the ends".to_owned())),
    };
    let mut cells: [String; 12] = Default::default();
    for (cell, (&at, column)) in cells.iter_mut().zip(order.iter().zip(PEOPLE_COLUMNS)) {
        let Ok(text) = std::str::from_utf8(&record[at]) else {
            return Err(bad(Some(key), "bad_encoding", column, "expected UTF-8".to_owned()));
        };
        if text.len() > CELL_BYTES_MAX {
            return Err(bad(Some(key), "too_long", column, format!("at most {CELL_BYTES_MAX} bytes are taken")));
        }
        *cell = unguarded(text).to_owned();
    }
    PersonCells::read(&cells).map_err(|(rule, field, detail)| bad(Some(key), rule, field, detail))
}

fn is_key(key: &str) -> bool {
    !key.is_empty() && key.trim() == key && key.len() <= CELL_BYTES_MAX && !key.contains(char::is_control)
}

/// Something wrong with one row.
pub(crate) fn row_finding(
    file: &str,
    line: u64,
    key: &str,
    rule: &'static str,
    field: &str,
    detail: impl Into<String>,
) -> Finding {
    Finding {
        level: Level::Row,
        rule,
        file: file.to_owned(),
        row: line,
        record: key.to_owned(),
        field: field.to_owned(),
        detail: detail.into(),
    }
}

#[cfg(test)]
mod tests;
