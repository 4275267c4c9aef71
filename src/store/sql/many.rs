//! Writing many rows of one table. SQLite takes them one by one as they come; PostgreSQL gets them by the thousand, for there each
//! statement is a journey.

use tokio_postgres::types::{ToSql, Type};

use crate::store::sql::fault::Fault;
use crate::store::sql::pg::PgSession;
use crate::store::sql::transaction::{Statement, Transaction};
use crate::store::sql::value::{Params, Value};

/// So many rows are sent together …
const ROWS_MAX: usize = 8_192;
/// … or so many bytes of texts and blobs.
const BYTES_MAX: usize = 4 << 20;

/// So many rows are not worth the further journey that a copy takes.
const ROWS_FEW: usize = 100;

/// What becomes of each row.
#[derive(Clone, Copy)]
enum Act<'n> {
    Add,
    /// Added, or these columns replaced where the others are there; with one of them only if it is larger than it was.
    Put(&'n [&'n str], Option<&'n str>),
    /// Deleted.
    Drop,
}

/// Rows on their way into a table.
pub(in crate::store::sql) enum Many<'t> {
    /// The statement, and how many rows it touched so far.
    Lite(Statement<'t>, u64),
    Pg(Waiting<'t>),
}

/// Rows that wait to be sent to PostgreSQL.
pub(in crate::store::sql) struct Waiting<'t> {
    session: &'t PgSession,
    sql: String,
    /// What many rows are sent by instead.
    copy: Option<String>,
    types: Vec<Type>,
    columns: Vec<Column>,
    rows: usize,
    bytes: usize,
    touched: u64,
}

/// The values of one column.
enum Column {
    Integers(Vec<Option<i64>>),
    Texts(Vec<Option<String>>),
    Blobs(Vec<Option<Vec<u8>>>),
}

impl<'t> Many<'t> {
    /// New rows.
    pub(in crate::store::sql) fn add(tx: &'t Transaction<'_>, table: &str, columns: &[&str]) -> Result<Self, Fault> {
        Self::new(tx, table, columns, Act::Add)
    }

    /// Rows by their key, new or instead of those that are there; without values those that are there stay.
    pub(in crate::store::sql) fn put(
        tx: &'t Transaction<'_>,
        table: &str,
        key: &[&str],
        values: &[&str],
    ) -> Result<Self, Fault> {
        Self::new(tx, table, &[key, values].concat(), Act::Put(values, None))
    }

    /// The same, but a row that is there stays unless `newer` is larger. No two rows may have the same key.
    pub(in crate::store::sql) fn put_newer(
        tx: &'t Transaction<'_>,
        table: &str,
        key: &[&str],
        values: &[&str],
        newer: &str,
    ) -> Result<Self, Fault> {
        Self::new(tx, table, &[key, values].concat(), Act::Put(values, Some(newer)))
    }

    /// Rows to be deleted, by these columns.
    pub(in crate::store::sql) fn drop(tx: &'t Transaction<'_>, table: &str, columns: &[&str]) -> Result<Self, Fault> {
        Self::new(tx, table, columns, Act::Drop)
    }

    fn new(tx: &'t Transaction<'_>, table: &str, columns: &[&str], act: Act<'_>) -> Result<Self, Fault> {
        let list = columns.join(", ");
        let numbered = |before: &str| (1..=columns.len()).map(|n| format!("{before}{n}")).collect::<Vec<_>>();
        let replaced = match act {
            Act::Add | Act::Drop => String::new(),
            Act::Put([], _) => " ON CONFLICT DO NOTHING".to_owned(),
            Act::Put(values, newer) => {
                let key: Vec<&str> = columns.iter().copied().filter(|column| !values.contains(column)).collect();
                let set: Vec<String> = values.iter().map(|column| format!("{column} = excluded.{column}")).collect();
                let only = newer.map_or(String::new(), |newer| format!(" WHERE excluded.{newer} > {table}.{newer}"));
                format!(" ON CONFLICT ({}) DO UPDATE SET {}{only}", key.join(", "), set.join(", "))
            }
        };
        let one = match act {
            Act::Drop => {
                let same: Vec<String> = columns.iter().zip(numbered("?")).map(|(c, n)| format!("{c} = {n}")).collect();
                format!("DELETE FROM {table} WHERE {}", same.join(" AND "))
            }
            _ => format!("INSERT INTO {table} ({list}) VALUES ({}){replaced}", numbered("?").join(", ")),
        };
        let Some(session) = tx.pg() else { return Ok(Many::Lite(tx.prepare_cached(&one)?, 0)) };
        let types = session.prepare(&one)?.params().to_vec();
        let kinds = types.iter().map(Column::of).collect::<Result<Vec<_>, _>>()?;
        let arrays: Vec<String> = kinds.iter().zip(numbered("?")).map(|((_, array), n)| format!("{n}::{array}[]")).collect();
        let arrays = arrays.join(", ");
        let sql = match act {
            Act::Add | Act::Put(..) => format!("INSERT INTO {table} ({list}) SELECT * FROM unnest({arrays}){replaced}"),
            Act::Drop => {
                let names = numbered("c");
                let same: Vec<String> = columns.iter().zip(&names).map(|(c, n)| format!("{table}.{c} = u.{n}")).collect();
                format!("DELETE FROM {table} USING unnest({arrays}) AS u ({}) WHERE {}", names.join(", "), same.join(" AND "))
            }
        };
        Ok(Many::Pg(Waiting {
            session,
            sql,
            copy: matches!(act, Act::Add).then(|| format!("COPY {table} ({list}) FROM STDIN (FORMAT binary)")),
            types,
            columns: kinds.into_iter().map(|(column, _)| column).collect(),
            rows: 0,
            bytes: 0,
            touched: 0,
        }))
    }

    /// Writes one row, now or with those that follow. Whether as many were touched as there were rows, as far as is known.
    pub(in crate::store::sql) fn write(&mut self, row: impl Params) -> Result<bool, Fault> {
        match self {
            Many::Lite(statement, touched) => {
                let rows = statement.execute(row)? as u64;
                *touched += rows;
                Ok(rows == 1)
            }
            Many::Pg(waiting) => {
                row.with(|values| waiting.columns.iter_mut().zip(values).try_for_each(|(column, value)| column.push(value)))?;
                waiting.bytes += row.with(|values| values.iter().map(bytes_of).sum::<usize>());
                waiting.rows += 1;
                if waiting.rows >= ROWS_MAX || waiting.bytes >= BYTES_MAX { waiting.send() } else { Ok(true) }
            }
        }
    }

    /// Writes what waits. Whether as many were touched as there were rows.
    pub(in crate::store::sql) fn flush(&mut self) -> Result<bool, Fault> {
        match self {
            Many::Lite(..) => Ok(true),
            Many::Pg(waiting) => waiting.send(),
        }
    }

    /// How many rows were touched, of those that were sent.
    pub(in crate::store::sql) fn touched(&self) -> u64 {
        match self {
            Many::Lite(_, touched) => *touched,
            Many::Pg(waiting) => waiting.touched,
        }
    }
}

fn bytes_of(value: &Value<'_>) -> usize {
    match value {
        Value::Null | Value::Integer(_) => 0,
        Value::Text(text) => text.len(),
        Value::Blob(bytes) => bytes.len(),
    }
}

impl Waiting<'_> {
    fn send(&mut self) -> Result<bool, Fault> {
        if self.rows == 0 {
            return Ok(true);
        }
        let touched = if let Some(copy) = self.copy.as_deref().filter(|_| self.rows > ROWS_FEW) {
            let columns = &self.columns;
            self.session.copy(copy, &self.types, (0..self.rows).map(|at| columns.iter().map(|c| c.at(at)).collect()))?
        } else {
            let columns: Vec<&(dyn ToSql + Sync)> = self.columns.iter().map(Column::array).collect();
            self.session.execute_columns(&self.sql, &columns)?
        };
        self.touched += touched;
        let all = touched == self.rows as u64;
        self.columns.iter_mut().for_each(Column::clear);
        (self.rows, self.bytes) = (0, 0);
        Ok(all)
    }
}

impl Column {
    /// Room for values of a type, and the type's name.
    fn of(kind: &Type) -> Result<(Self, &'static str), Fault> {
        match *kind {
            Type::INT8 => Ok((Column::Integers(Vec::new()), "bigint")),
            Type::TEXT => Ok((Column::Texts(Vec::new()), "text")),
            Type::BYTEA => Ok((Column::Blobs(Vec::new()), "bytea")),
            _ => Err(Fault::corrupt("a table", format!("the store has no columns of type {kind}"))),
        }
    }

    fn push(&mut self, value: &Value<'_>) -> Result<(), Fault> {
        match (self, *value) {
            (Column::Integers(all), Value::Integer(number)) => all.push(Some(number)),
            (Column::Texts(all), Value::Text(text)) => all.push(Some(text.replace('\0', "\u{fffd}"))),
            (Column::Blobs(all), Value::Blob(bytes)) => all.push(Some(bytes.to_vec())),
            (Column::Integers(all), Value::Null) => all.push(None),
            (Column::Texts(all), Value::Null) => all.push(None),
            (Column::Blobs(all), Value::Null) => all.push(None),
            _ => return Err(Fault::corrupt("a row", "a value does not fit its column")),
        }
        Ok(())
    }

    fn at(&self, at: usize) -> Value<'_> {
        match self {
            Column::Integers(all) => all[at].map_or(Value::Null, Value::Integer),
            Column::Texts(all) => all[at].as_deref().map_or(Value::Null, Value::Text),
            Column::Blobs(all) => all[at].as_deref().map_or(Value::Null, Value::Blob),
        }
    }

    fn array(&self) -> &(dyn ToSql + Sync) {
        match self {
            Column::Integers(all) => all,
            Column::Texts(all) => all,
            Column::Blobs(all) => all,
        }
    }

    fn clear(&mut self) {
        match self {
            Column::Integers(all) => all.clear(),
            Column::Texts(all) => all.clear(),
            Column::Blobs(all) => all.clear(),
        }
    }
}
