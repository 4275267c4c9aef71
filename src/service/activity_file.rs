//! A file of log-ins: person, product where the file tells one, and when last (R144).

use crate::base::{Instant, ProductId};
use crate::roster::{Finding, Findings, Level, Roster};
use crate::service::activity::AHEAD_MILLIS_MAX;
use crate::service::core::{Customer, Service};
use crate::service::error::ServiceError;
use crate::service::people_file::{line_of, row_finding, unguarded};
use crate::store::ActivityRow;

/// A file has at most so many bytes.
pub const ACTIVITY_BYTES_MAX: usize = 64 << 20;
/// A file has at most so many rows.
const ROWS_MAX: u64 = 5_000_000;

/// What came of a file of log-ins.
#[derive(Clone, Debug)]
pub struct ActivityAnswer {
    /// It was taken in; `false`: nothing of it, because of what it is as a whole.
    pub taken: bool,
    /// Rows taken in.
    pub rows: u64,
    /// How many of them were newer than what was known.
    pub news: u64,
    /// Rows left out.
    pub bad: u64,
    /// Why, each with file, row and field; the first of them.
    pub findings: Vec<Finding>,
}

impl Service {
    /// Takes in a file of log-ins. Of each person and product the newest counts; rows that cannot be read, and people whom
    /// the books do not know, are left out and told.
    ///
    /// # Errors
    /// When the books cannot be read or the store not be written.
    pub fn import_activity(&self, customer: &Customer, file: &str, bytes: &[u8]) -> Result<ActivityAnswer, ServiceError> {
        let now = self.now();
        let standing = self.store.standing(customer.id())?;
        let roster = self.roster(customer, &standing)?;
        let known = |person: &str| is_known(&roster, person) || !standing.book.claims_of(person).is_empty();
        let mut read = Read { file, customer, known: &known, now, rows: Vec::new(), findings: Findings::default() };
        let whole = read.all(bytes);
        let Read { rows, mut findings, .. } = read;
        if let Err(finding) = whole {
            findings.push(*finding);
            return Ok(ActivityAnswer { taken: false, rows: 0, news: 0, bad: findings.total(), findings: findings.kept });
        }
        let news = self.store.put_activity(customer.id(), &rows, now)?;
        Ok(ActivityAnswer { taken: true, rows: rows.len() as u64, news, bad: findings.total(), findings: findings.kept })
    }
}

fn is_known(roster: &Roster, person: &str) -> bool {
    roster.active(person).is_some()
}

struct Read<'a> {
    file: &'a str,
    customer: &'a Customer,
    known: &'a dyn Fn(&str) -> bool,
    now: Instant,
    rows: Vec<ActivityRow>,
    findings: Findings,
}

/// Where the columns stand.
struct Columns {
    person: usize,
    product: Option<usize>,
    last_login: usize,
    count: usize,
}

impl Read<'_> {
    fn all(&mut self, bytes: &[u8]) -> Result<(), Box<Finding>> {
        if bytes.len() > ACTIVITY_BYTES_MAX {
            return Err(self.whole("too_large", format!("at most {ACTIVITY_BYTES_MAX} bytes are read")));
        }
        let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
        if bytes.iter().filter(|&&byte| byte == b'"').count() % 2 == 1 {
            return Err(self.whole("unbalanced_quote", "a cell is opened by a quote and never closed".to_owned()));
        }
        let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(bytes);
        let mut record = csv::ByteRecord::new();
        if !reader.read_byte_record(&mut record).map_err(|error| self.whole("unreadable", error.to_string()))? {
            return Err(self.whole("no_header", "the first line must be person,product,last_login".to_owned()));
        }
        let columns = columns(&record).map_err(|detail| self.whole("bad_header", detail))?;
        let mut count = 0;
        loop {
            let read = reader.read_byte_record(&mut record);
            if !read.map_err(|error| self.whole("unreadable", error.to_string()))? {
                return Ok(());
            }
            if record.iter().all(|cell| cell.is_empty()) {
                continue;
            }
            count += 1;
            if count > ROWS_MAX {
                return Err(self.whole("too_many_rows", format!("at most {ROWS_MAX} rows are read")));
            }
            let line = record.position().map_or(0, |position| line_of(bytes, position));
            match self.row(&record, &columns) {
                Ok(row) => self.rows.push(row),
                Err((key, rule, field, detail)) => {
                    self.findings.push(row_finding(self.file, line, &key, rule, field, detail));
                }
            }
        }
    }

    fn whole(&self, rule: &'static str, detail: String) -> Box<Finding> {
        let (file, record, field) = (self.file.to_owned(), String::new(), String::new());
        Box::new(Finding { level: Level::File, rule, file, row: 0, record, field, detail })
    }

    fn row(
        &self,
        record: &csv::ByteRecord,
        columns: &Columns,
    ) -> Result<ActivityRow, (String, &'static str, &'static str, String)> {
        if record.len() != columns.count {
            let detail = format!("the row has {} cells, expected {}", record.len(), columns.count);
            return Err((String::new(), "bad_cell_count", "", detail));
        }
        let cell = |at: usize| std::str::from_utf8(&record[at]).map(|text| unguarded(text).trim());
        let person = cell(columns.person).unwrap_or_default();
        let bad = |rule, field, detail: &str| Err((person.to_owned(), rule, field, detail.to_owned()));
        if person.is_empty() {
            return bad("empty_key", "person", "every log-in needs a person key in UTF-8");
        }
        let product = match columns.product.map(cell) {
            None | Some(Ok("")) => None,
            Some(Ok(product)) if self.customer.policy.products.iter().any(|p| p.id.as_str() == product) => {
                Some(ProductId::from(product))
            }
            Some(_) => return bad("unknown_product", "product", "expected a product of the settings, or nothing for all"),
        };
        let Some(at) = cell(columns.last_login).ok().and_then(|text| self.customer.log_in(text)) else {
            return bad("bad_instant", "last_login", "expected 2026-03-01T07:30:00Z or 2026-03-01");
        };
        if at.0 > self.now.0.saturating_add(AHEAD_MILLIS_MAX) {
            return bad("in_the_future", "last_login", "nobody has logged in then yet");
        }
        if !(self.known)(person) {
            return bad("unknown_person", "person", "neither the newest roster nor the books know this person");
        }
        Ok(ActivityRow { person: person.to_owned(), product, at })
    }
}

fn columns(header: &csv::ByteRecord) -> Result<Columns, String> {
    let names: Vec<String> = header.iter().map(|cell| String::from_utf8_lossy(cell).trim().to_ascii_lowercase()).collect();
    let find = |name: &str| {
        let mut at = (0..names.len()).filter(|&at| names[at] == name);
        match (at.next(), at.next()) {
            (Some(_), Some(_)) => Err(format!("column {name} is there twice")),
            (at, _) => Ok(at),
        }
    };
    let needed =
        |name: &str| find(name)?.ok_or_else(|| format!("column {name} is missing; expected person,product,last_login"));
    let columns =
        Columns { person: needed("person")?, product: find("product")?, last_login: needed("last_login")?, count: names.len() };
    match names.iter().find(|name| !["person", "product", "last_login"].contains(&name.as_str())) {
        Some(unknown) => Err(format!("column {unknown:?} is unknown; expected person,product,last_login")),
        None => Ok(columns),
    }
}
