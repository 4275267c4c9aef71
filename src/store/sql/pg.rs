//! One connection to PostgreSQL, and how the store's statements become its own.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::BytesMut;
use futures_core::Stream;
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};
use tokio_postgres::{Row, RowStream, SimpleQueryMessage, Statement};

use crate::store::sql::fault::Fault;
use crate::store::sql::value::Value;
use crate::store::sql::wire::Wire;

/// What a node is called beside what it works on; the number of its row in `nodes` follows.
const MARK: &str = "node ";

/// This process, as other nodes see it.
#[derive(Debug, Default)]
pub struct Node {
    /// Its row in `nodes`; 0: it has none yet.
    pub id: AtomicI64,
    /// Who is not seen for so long is dead, in seconds.
    pub lease_secs: u32,
}

/// A connection with its prepared statements.
pub struct PgSession {
    wire: Wire,
    statements: RefCell<HashMap<String, Statement>>,
    cursors: Cell<u32>,
    /// Outside a transaction: whether a question was asked, so that another one would be of another moment.
    asked: Cell<Option<bool>>,
    /// An answer is on its way, and whoever asked for it has not taken all of it.
    streams: Cell<bool>,
    node: Arc<Node>,
}

/// Rows of an answer, all at once or some at a time.
pub struct PgRows<'s> {
    session: &'s PgSession,
    rows: Vec<Row>,
    at: usize,
    more: More,
}

/// Where rows behind those that are there come from.
enum More {
    /// There are none.
    Nowhere,
    /// A cursor, and how many are fetched at once.
    Cursor(u32, u32),
    /// The server sends them as fast as they are taken.
    Stream(Pin<Box<RowStream>>),
}

/// So many rows of a stream are taken up at once at most.
const ROWS_TAKEN: usize = 256;

/// A node `n` that was not seen for too long, in a statement with its lease and this node as the parameters of these numbers.
/// Only whoever could say all the time since then that it lives itself may judge: after an outage nobody was heard.
pub fn is_dead(lease: u32, own: u32) -> String {
    let lease = format!("CAST(?{lease} AS BIGINT) * INTERVAL '1 second'");
    format!(
        "n.seen < clock_timestamp() - {lease}
         AND EXISTS (SELECT 1 FROM nodes own WHERE own.id = ?{own} AND own.steady <= clock_timestamp() - {lease}
                     AND own.seen >= clock_timestamp() - {lease} / 2)"
    )
}

/// How a node is written beside what it works on.
pub(in crate::store::sql) fn mark(node: i64) -> String {
    format!("{MARK}{node}")
}

/// Whether nobody lives whose mark stands in a column, with a lease as `?1` and this node as `?2`.
pub(in crate::store::sql) fn is_nobodys(column: &str) -> String {
    let is_dead = is_dead(1, 2);
    format!("NOT EXISTS (SELECT 1 FROM nodes n WHERE {column} = '{MARK}' || n.id AND NOT ({is_dead}))")
}

impl ToSql for Value<'_> {
    fn to_sql(&self, to: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match *self {
            Value::Null => Ok(IsNull::Yes),
            Value::Integer(number) => match *to {
                Type::INT4 => i32::try_from(number)?.to_sql(to, out),
                Type::BOOL => (number != 0).to_sql(to, out),
                _ => number.to_sql(to, out),
            },
            Value::Text(text) if text.contains('\0') => text.replace('\0', "\u{fffd}").to_sql(to, out),
            Value::Text(text) => text.to_sql(to, out),
            Value::Blob(bytes) => bytes.to_sql(to, out),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// A column of a row; `None` if it is of a kind that the store does not use.
pub(in crate::store::sql) fn column(row: &Row, at: usize) -> Result<Option<Value<'_>>, Fault> {
    let Some(column) = row.columns().get(at) else { return Ok(None) };
    let value = match *column.type_() {
        Type::INT8 => row.try_get::<_, Option<i64>>(at)?.map(Value::Integer),
        Type::INT4 => row.try_get::<_, Option<i32>>(at)?.map(|number| Value::Integer(number.into())),
        Type::BOOL => row.try_get::<_, Option<bool>>(at)?.map(|whether| Value::Integer(whether.into())),
        Type::TEXT => row.try_get::<_, Option<&str>>(at)?.map(Value::Text),
        Type::BYTEA => row.try_get::<_, Option<&[u8]>>(at)?.map(Value::Blob),
        _ => return Ok(None),
    };
    Ok(Some(value.unwrap_or(Value::Null)))
}

fn refs<'v>(values: &'v [Value<'v>]) -> Vec<&'v (dyn ToSql + Sync)> {
    values.iter().map(|value| value as &(dyn ToSql + Sync)).collect()
}

impl PgSession {
    /// A session over a connection of this node.
    pub fn new(wire: Wire, node: Arc<Node>) -> Self {
        Self {
            wire,
            statements: RefCell::default(),
            cursors: Cell::default(),
            asked: Cell::default(),
            streams: Cell::default(),
            node,
        }
    }

    /// Waits for so long for each answer from now on.
    pub fn be_patient(&self, patience: Duration) {
        self.wire.be_patient(patience);
    }

    /// Whether the server hung up, as far as is known.
    pub fn is_closed(&self) -> bool {
        self.wire.is_closed()
    }

    /// Who is not seen for so long is dead, in seconds.
    pub fn lease_secs(&self) -> u32 {
        self.node.lease_secs
    }

    /// What carries questions, unless an answer is still on its way: behind that another would be waited for in vain.
    fn wire(&self) -> Result<&Wire, Fault> {
        match self.streams.get() {
            false => Ok(&self.wire),
            true => Err(Fault::corrupt("a question", "it was asked before all rows of the one before it were taken")),
        }
    }

    /// Executes statements as they are; says whether any of them gave a row.
    pub fn batch(&self, sql: &str) -> Result<bool, Fault> {
        let wire = self.wire()?;
        let answer = wire.wait(wire.client().simple_query(sql))?;
        Ok(answer.iter().any(|message| matches!(message, SimpleQueryMessage::Row(_))))
    }

    /// Begins a transaction and asks the first question in it, in one journey; says whether that gave a row.
    pub fn begin(&self, begin: &str, sql: &str, values: &[Value<'_>]) -> Result<bool, Fault> {
        let (statement, wire, values) = (self.prepare(sql)?, self.wire()?, refs(values));
        let client = wire.client();
        let (_, rows) = wire.wait(async { tokio::try_join!(client.simple_query(begin), client.query(&statement, &values)) })?;
        Ok(!rows.is_empty())
    }

    /// Answers by one statement, outside a transaction: another one would be of another moment, and is refused.
    pub fn one_statement<T>(&self, ask: impl FnOnce(&Self) -> Result<T, Fault>) -> Result<T, Fault> {
        self.asked.set(Some(false));
        let answer = ask(self);
        self.asked.set(None);
        answer
    }

    /// Of a question of one statement nothing is left but to read its answer.
    fn in_transaction(&self) -> Result<(), Fault> {
        if self.asked.get().is_none() { Ok(()) } else { Err(takes_transaction()) }
    }

    pub(in crate::store::sql) fn prepare(&self, sql: &str) -> Result<Statement, Fault> {
        if let Some(known) = self.statements.borrow().get(sql) {
            return Ok(known.clone());
        }
        let wire = self.wire()?;
        let statement = wire.wait(wire.client().prepare(&sql.replace('?', "$")))?;
        self.statements.borrow_mut().insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }

    /// Executes a statement with its parameters, in the store's spelling; returns how many rows it touched.
    pub fn run(&self, sql: &str, values: &[Value<'_>]) -> Result<usize, Fault> {
        self.execute(&self.prepare(sql)?, values)
    }

    /// Asks; all rows of the answer.
    pub fn ask(&self, sql: &str, values: &[Value<'_>]) -> Result<PgRows<'_>, Fault> {
        self.query(&self.prepare(sql)?, values)
    }

    pub(in crate::store::sql) fn execute(&self, statement: &Statement, values: &[Value<'_>]) -> Result<usize, Fault> {
        self.in_transaction()?;
        let wire = self.wire()?;
        let touched = wire.wait(wire.client().execute(statement, &refs(values)))?;
        usize::try_from(touched).map_err(|_| Fault::corrupt("a statement", "it touched too many rows"))
    }

    pub(in crate::store::sql) fn query(&self, statement: &Statement, values: &[Value<'_>]) -> Result<PgRows<'_>, Fault> {
        if self.asked.replace(self.asked.get().map(|_| true)) == Some(true) {
            return Err(takes_transaction());
        }
        let wire = self.wire()?;
        let rows = wire.wait(wire.client().query(statement, &refs(values)))?;
        Ok(PgRows { session: self, rows, at: 0, more: More::Nowhere })
    }

    /// Asks for an answer that is too long to be held at once, of which rows are taken while others are on their way. Until all
    /// are taken, or none are wanted any more, nothing else can be asked.
    pub(in crate::store::sql) fn query_stream(&self, statement: &Statement, values: &[Value<'_>]) -> Result<PgRows<'_>, Fault> {
        self.in_transaction()?;
        let wire = self.wire()?;
        let values = values.iter().map(|value| value as &(dyn ToSql + Sync));
        let rows = Box::pin(wire.wait(wire.client().query_raw(statement, values))?);
        self.streams.set(true);
        Ok(PgRows { session: self, rows: Vec::new(), at: 0, more: More::Stream(rows) })
    }

    /// Asks for an answer that is too long to be held at once; `at_once` rows of it are. Whoever takes them may do so as slowly as
    /// they like, and ask for other things meanwhile.
    pub(in crate::store::sql) fn query_long(&self, sql: &str, at_once: u32, values: &[Value<'_>]) -> Result<PgRows<'_>, Fault> {
        self.in_transaction()?;
        let number = self.cursors.replace(self.cursors.get().wrapping_add(1));
        let declare = format!("DECLARE long_{number} NO SCROLL CURSOR FOR {}", sql.replace('?', "$"));
        let wire = self.wire()?;
        wire.wait(wire.client().execute(&declare, &refs(values)))?;
        Ok(PgRows { session: self, rows: Vec::new(), at: 0, more: More::Cursor(number, at_once) })
    }

    /// The rows of an answer for each of many texts.
    pub(in crate::store::sql) fn query_texts(&self, sql: &str, id: i64, texts: &[&str]) -> Result<Vec<Row>, Fault> {
        self.in_transaction()?;
        let (statement, wire) = (self.prepare(sql)?, self.wire()?);
        wire.wait(wire.client().query(&statement, &[&id, &texts]))
    }

    /// Executes a statement for many rows at once, given column by column.
    pub(in crate::store::sql) fn execute_columns(&self, sql: &str, columns: &[&(dyn ToSql + Sync)]) -> Result<u64, Fault> {
        self.in_transaction()?;
        let (statement, wire) = (self.prepare(sql)?, self.wire()?);
        wire.wait(wire.client().execute(&statement, columns))
    }

    /// Copies rows into a table.
    pub(in crate::store::sql) fn copy<'v>(
        &self,
        sql: &str,
        types: &[Type],
        rows: impl Iterator<Item = Vec<Value<'v>>>,
    ) -> Result<u64, Fault> {
        self.in_transaction()?;
        let (statement, wire) = (self.prepare(sql)?, self.wire()?);
        let mut writer = pin!(BinaryCopyInWriter::new(wire.wait(wire.client().copy_in(&statement))?, types));
        for row in rows {
            let values = refs(&row);
            let mut written = pin!(writer.as_mut().write(&values));
            // Most rows only join those that are sent next.
            match written.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Ready(done) => done?,
                Poll::Pending => wire.wait(written)?,
            }
        }
        wire.wait(writer.finish())
    }
}

fn takes_transaction() -> Fault {
    Fault::corrupt("a question", "it takes a transaction: it is more than one statement, or it writes")
}

impl PgRows<'_> {
    /// The next row.
    pub fn next(&mut self) -> Result<Option<&Row>, Fault> {
        if self.at == self.rows.len() {
            self.take_more()?;
        }
        let row = self.rows.get(self.at);
        self.at += usize::from(row.is_some());
        Ok(row)
    }

    fn take_more(&mut self) -> Result<(), Fault> {
        match &mut self.more {
            More::Nowhere => return Ok(()),
            More::Cursor(number, at_once) => {
                let wire = self.session.wire()?;
                self.rows = wire.wait(wire.client().query(&format!("FETCH {at_once} FROM long_{number}"), &[]))?;
                if self.rows.len() < *at_once as usize {
                    wire.wait(wire.client().batch_execute(&format!("CLOSE long_{number}")))?;
                    self.more = More::Nowhere;
                }
            }
            More::Stream(stream) => {
                let rows = &mut self.rows;
                rows.clear();
                let is_over = self.session.wire.wait(poll_fn(|cx| {
                    while rows.len() < ROWS_TAKEN {
                        match stream.as_mut().poll_next(cx) {
                            Poll::Ready(Some(row)) => rows.push(row?),
                            Poll::Ready(None) => return Poll::Ready(Ok(true)),
                            Poll::Pending if rows.is_empty() => return Poll::Pending,
                            Poll::Pending => break,
                        }
                    }
                    Poll::Ready(Ok(false))
                }))?;
                if is_over {
                    self.more = More::Nowhere;
                    self.session.streams.set(false);
                }
            }
        }
        self.at = 0;
        Ok(())
    }
}

impl Drop for PgRows<'_> {
    fn drop(&mut self) {
        // What is not wanted any more is thrown away as it comes.
        if matches!(self.more, More::Stream(_)) {
            self.session.streams.set(false);
        }
    }
}
