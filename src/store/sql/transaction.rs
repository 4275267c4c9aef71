//! A transaction on either database, spelled as rusqlite spells it. All statements of the store are written once, in the SQL
//! that both understand, with parameters as `?1`; what differs is in here and in `pg`.

use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, Connection, ParamsFromIter, params_from_iter};

use crate::store::sql::fault::Fault;
use crate::store::sql::pg::{self, PgRows, PgSession, column};
use crate::store::sql::process;
use crate::store::sql::value::{FromValue, Params, Value};

/// A transaction under way. Whoever opened it ends it.
pub enum Transaction<'c> {
    /// SQLite: one that writes holds the lock of the one writer from its beginning.
    Lite(&'c Connection),
    /// PostgreSQL.
    Pg {
        /// Its connection.
        session: &'c PgSession,
        /// One that writes locks the row of its customer before it reads anything of it.
        writes: bool,
        /// The node it is of, from its beginning to its end, whatever becomes of the node meanwhile.
        node: i64,
    },
}

/// A prepared statement.
pub enum Statement<'t> {
    /// SQLite.
    Lite(CachedStatement<'t>),
    /// PostgreSQL.
    Pg(&'t PgSession, tokio_postgres::Statement),
    /// PostgreSQL, for answers of which only so many rows are held at once.
    PgLong(&'t PgSession, String, u32),
    /// PostgreSQL, for answers that are taken as they come.
    PgStream(&'t PgSession, tokio_postgres::Statement),
}

/// Rows of an answer, one by one.
pub enum Rows<'s> {
    /// SQLite.
    Lite(rusqlite::Rows<'s>),
    /// PostgreSQL.
    Pg(PgRows<'s>),
}

/// One row.
#[derive(Clone, Copy)]
pub enum Row<'r> {
    /// SQLite.
    Lite(&'r rusqlite::Row<'r>),
    /// PostgreSQL.
    Pg(&'r tokio_postgres::Row),
}

/// No row is no failure.
pub trait OptionalExtension<T> {
    /// `None` if there was no row.
    fn optional(self) -> Result<Option<T>, Fault>;
}

impl<T> OptionalExtension<T> for Result<T, Fault> {
    fn optional(self) -> Result<Option<T>, Fault> {
        match self {
            Ok(found) => Ok(Some(found)),
            Err(Fault::NoRow) => Ok(None),
            Err(fault) => Err(fault),
        }
    }
}

impl ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match *self {
            Value::Null => ValueRef::Null,
            Value::Integer(number) => ValueRef::Integer(number),
            Value::Text(text) => ValueRef::Text(text.as_bytes()),
            Value::Blob(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

fn lite<'v>(values: &'v [Value<'v>]) -> ParamsFromIter<&'v [Value<'v>]> {
    params_from_iter(values)
}

impl Transaction<'_> {
    /// Prepares a statement, or takes the one that was prepared before.
    pub fn prepare_cached(&self, sql: &str) -> Result<Statement<'_>, Fault> {
        match self {
            Transaction::Lite(connection) => Ok(Statement::Lite(connection.prepare_cached(sql)?)),
            Transaction::Pg { session, .. } => Ok(Statement::Pg(session, session.prepare(sql)?)),
        }
    }

    /// Prepares a question whose answer may be too long to be held; `at_once` rows of it may be.
    pub fn prepare_long(&self, sql: &str, at_once: u32) -> Result<Statement<'_>, Fault> {
        match self {
            Transaction::Lite(connection) => Ok(Statement::Lite(connection.prepare_cached(sql)?)),
            Transaction::Pg { session, .. } => Ok(Statement::PgLong(session, sql.to_owned(), at_once)),
        }
    }

    /// Prepares a question whose answer may be too long to be held and is taken as it comes: until its last row nothing else can
    /// be asked in the transaction, and the whole answer must come in the time that one statement may take.
    pub fn prepare_stream(&self, sql: &str) -> Result<Statement<'_>, Fault> {
        match self {
            Transaction::Lite(connection) => Ok(Statement::Lite(connection.prepare_cached(sql)?)),
            Transaction::Pg { session, .. } => Ok(Statement::PgStream(session, session.prepare(sql)?)),
        }
    }

    /// Executes a statement; returns how many rows it touched.
    pub fn execute(&self, sql: &str, params: impl Params) -> Result<usize, Fault> {
        self.prepare_cached(sql)?.execute(params)
    }

    /// The first row of an answer.
    pub fn query_row<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl FnOnce(Row<'_>) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        self.prepare_cached(sql)?.query_row(params, read)
    }

    /// PostgreSQL's session, for what only it needs.
    pub fn pg(&self) -> Option<&PgSession> {
        match self {
            Transaction::Lite(_) => None,
            Transaction::Pg { session, .. } => Some(session),
        }
    }

    /// Whether what is read must be locked to be still so at the end. With one writer it is.
    pub fn locks_rows(&self) -> bool {
        matches!(self, Transaction::Pg { writes: true, .. })
    }

    /// The node it is of; 0 where there is one process.
    pub fn node(&self) -> i64 {
        match self {
            Transaction::Lite(_) => 0,
            Transaction::Pg { node, .. } => *node,
        }
    }

    /// On PostgreSQL the condition that nobody lives whose mark stands in a column, and its parameters `?1` and `?2`.
    pub fn is_nobodys(&self, column: &str) -> Option<(String, (u32, i64))> {
        match self {
            Transaction::Lite(_) => None,
            Transaction::Pg { session, node, .. } => Some((pg::is_nobodys(column), (session.lease_secs(), *node))),
        }
    }

    /// Whoever else holds what is locked from here on is waited for briefly only.
    pub fn waits_briefly(&self) -> Result<(), Fault> {
        match self {
            Transaction::Lite(_) => Ok(()),
            Transaction::Pg { session, .. } => session.batch("SET LOCAL lock_timeout = '1s'").map(|_| ()),
        }
    }

    /// How this process is written beside what it works on.
    pub fn mark(&self) -> Result<String, Fault> {
        match self {
            Transaction::Lite(_) => Ok(process::mark().to_owned()),
            Transaction::Pg { node, .. } => Ok(pg::mark(*node)),
        }
    }
}

impl Statement<'_> {
    /// Executes it; returns how many rows it touched.
    pub fn execute(&mut self, params: impl Params) -> Result<usize, Fault> {
        params.with(|values| match self {
            Statement::Lite(statement) => Ok(statement.execute(lite(values))?),
            Statement::Pg(session, statement) | Statement::PgStream(session, statement) => session.execute(statement, values),
            Statement::PgLong(session, sql, _) => session.run(sql, values),
        })
    }

    /// Asks.
    pub fn query(&mut self, params: impl Params) -> Result<Rows<'_>, Fault> {
        params.with(|values| match self {
            Statement::Lite(statement) => Ok(Rows::Lite(statement.query(lite(values))?)),
            Statement::Pg(session, statement) => Ok(Rows::Pg(session.query(statement, values)?)),
            Statement::PgStream(session, statement) => Ok(Rows::Pg(session.query_stream(statement, values)?)),
            Statement::PgLong(session, sql, at_once) => Ok(Rows::Pg(session.query_long(sql, *at_once, values)?)),
        })
    }

    /// The first row of an answer.
    ///
    /// # Errors
    /// [`Fault::NoRow`] if there is none.
    pub fn query_row<T>(&mut self, params: impl Params, read: impl FnOnce(Row<'_>) -> Result<T, Fault>) -> Result<T, Fault> {
        read(self.query(params)?.next()?.ok_or(Fault::NoRow)?)
    }

    /// All rows of an answer.
    pub fn query_map<T>(
        &mut self,
        params: impl Params,
        mut read: impl FnMut(Row<'_>) -> Result<T, Fault>,
    ) -> Result<Vec<T>, Fault> {
        let mut rows = self.query(params)?;
        let mut all = Vec::new();
        while let Some(row) = rows.next()? {
            all.push(read(row)?);
        }
        Ok(all)
    }
}

impl Rows<'_> {
    /// The next row.
    pub fn next(&mut self) -> Result<Option<Row<'_>>, Fault> {
        match self {
            Rows::Lite(rows) => Ok(rows.next()?.map(Row::Lite)),
            Rows::Pg(rows) => Ok(rows.next()?.map(Row::Pg)),
        }
    }
}

impl<'r> Row<'r> {
    /// A column.
    pub fn get<T: FromValue<'r>>(self, at: usize) -> Result<T, Fault> {
        let value = match self {
            Row::Lite(row) => match row.get_ref(at)? {
                ValueRef::Null => Some(Value::Null),
                ValueRef::Integer(number) => Some(Value::Integer(number)),
                ValueRef::Text(text) => std::str::from_utf8(text).ok().map(Value::Text),
                ValueRef::Blob(bytes) => Some(Value::Blob(bytes)),
                ValueRef::Real(_) => None,
            },
            Row::Pg(row) => column(row, at)?,
        };
        let read = value.and_then(T::of);
        read.ok_or_else(|| Fault::corrupt("a row", format!("its column {at} is not what the schema says")))
    }
}
