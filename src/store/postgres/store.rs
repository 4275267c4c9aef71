//! PostgreSQL as one of the databases below the store.

use std::path::Path;
use std::sync::atomic::AtomicI64;
use std::sync::{Arc, Mutex, PoisonError};

use crate::base::Instant;
use crate::store::api::{DaemonLease, Opening};
use crate::store::error::StoreError;
use crate::store::node::NodeRow;
use crate::store::place::PlaceGiven;
use crate::store::postgres::choice::PostgresChoice;
use crate::store::postgres::nodes::{self, Presence};
use crate::store::postgres::places;
use crate::store::postgres::pool::{Connector, Lent, Pool};
use crate::store::postgres::schema;
use crate::store::shape::DaemonMark;
use crate::store::sql::{Door, Doubts, Fault, Node, PgSession, Recent, Row, SqlStore, Transaction, Value};

/// A store in a PostgreSQL database. Several nodes may use it at once.
pub type PostgresStore = SqlStore<Server>;

/// The server and the connections to it.
pub struct Server {
    lease_secs: u32,
    pool: Pool,
    presence: Presence,
    recent: Recent,
}

/// A daemon that ends is no daemon any more, whether or not its process goes on.
struct Lease(Arc<Mutex<Option<DaemonMark>>>);

impl DaemonLease for Lease {}

impl Drop for Lease {
    fn drop(&mut self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

impl SqlStore<Server> {
    /// Opens the database as far as `opening` allows. It has to be there; its tables are made.
    ///
    /// # Errors
    /// [`StoreError::Away`] when the server cannot be reached, [`StoreError::Absent`], [`StoreError::SchemaOlder`],
    /// [`StoreError::SchemaNewer`].
    pub fn open_for(choice: &PostgresChoice, opening: Opening) -> Result<Self, StoreError> {
        let (connector, place) = Connector::new(choice)?;
        let connector = Arc::new(connector);
        let node = Arc::new(Node { id: AtomicI64::default(), lease_secs: choice.lease_secs });
        let pool = Pool::new(place, Arc::clone(&connector), Arc::clone(&node), choice);
        let (session, _) = pool.begin(|session| session.batch("SELECT 1"))?;
        schema::prepare(&session, opening, pool.place()).map_err(|fault| fault.told(pool.place()))?;
        drop(session);
        let (lease_secs, presence) = (choice.lease_secs, Presence::new(pool.place().to_owned(), node, connector));
        let door = Server { lease_secs, pool, presence, recent: Recent::default() };
        Ok(Self { door, doubts: Doubts::default() })
    }
}

impl Server {
    /// Ends a transaction: commits it if all is well. A connection that broke is not used again.
    fn end<T>(&self, lent: Lent<'_>, answer: Result<T, Fault>, commit: &str) -> Result<T, StoreError> {
        let ended = match answer {
            Ok(answer) => lent.batch(commit).map(|_| answer),
            Err(fault) => {
                let fault = match lent.batch("ROLLBACK") {
                    Ok(_) => fault,
                    Err(gone) => first_of(fault, gone),
                };
                Err(fault)
            }
        };
        if lent.is_closed() || ended.as_ref().is_err_and(Fault::is_away) {
            lent.spoil();
        }
        ended.map_err(|fault| fault.told(self.pool.place()))
    }

    /// One statement outside a transaction.
    fn at_once<T>(&self, act: impl FnOnce(&PgSession) -> Result<T, Fault>) -> Result<T, StoreError> {
        let lent = self.pool.at_once()?;
        let done = act(&lent);
        if lent.is_closed() {
            lent.spoil();
        }
        done.map_err(|fault| fault.told(self.pool.place()))
    }
}

/// What was wrong before the connection broke is told, unless it is that the connection broke.
fn first_of(fault: Fault, gone: Fault) -> Fault {
    if matches!(fault, Fault::Pg(_) | Fault::Unheard(_)) { fault } else { gone }
}

impl Door for Server {
    fn place(&self) -> &str {
        self.pool.place()
    }

    fn read<T>(&self, ask: impl FnOnce(&Transaction<'_>) -> Result<T, Fault>) -> Result<T, StoreError> {
        let (lent, _) = self.pool.begin(|session| session.batch("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"))?;
        let answer = ask(&Transaction::Pg { session: &lent, writes: false, node: self.presence.id() });
        self.end(lent, answer, "COMMIT")
    }

    fn ask<T>(&self, ask: impl Fn(&Transaction<'_>) -> Result<T, Fault>) -> Result<T, StoreError> {
        self.pool.heard(|lent| {
            let answer =
                lent.one_statement(|session| ask(&Transaction::Pg { session, writes: false, node: self.presence.id() }));
            if lent.is_closed() || answer.as_ref().is_err_and(Fault::is_away) {
                lent.spoil();
            }
            answer
        })
    }

    fn write<T>(&self, act: impl FnOnce(&Transaction<'_>) -> Result<T, Fault>) -> Result<T, StoreError> {
        // Rows of a customer are read under the lock of its row, so each statement sees what was committed before it.
        let (lent, node) = loop {
            let id = self.presence.id();
            // Whoever strikes a node off finds its transactions by their name and ends them. A process that stops in the middle
            // must not hold others up for much longer than it may be unseen.
            let name = format!(
                "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL idle_in_transaction_session_timeout = '{}s';
                 SET LOCAL application_name = '{}'",
                self.lease_secs.max(30),
                nodes::name_of(id)
            );
            let known = "SELECT 1 FROM nodes WHERE id = ?1 AND (SELECT compatible FROM rosterd) <= ?2";
            let values = [Value::Integer(id), Value::Integer(schema::NEWEST.into())];
            let begin = |session: &PgSession| session.begin(&name, known, &values);
            let (lent, known) = self.pool.begin(begin)?;
            if known {
                break (lent, id);
            }
            let announced = lent.batch("ROLLBACK").and_then(|_| {
                self.presence.lost(id);
                self.presence.announce(&lent)
            });
            if let Err(fault) = announced {
                lent.spoil();
                return Err(fault.told(self.pool.place()));
            }
        };
        let answer = act(&Transaction::Pg { session: &lent, writes: true, node });
        self.end(lent, answer, "COMMIT")
    }

    fn tidy(&self) {}

    fn recent(&self) -> Option<&Recent> {
        Some(&self.recent)
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn integrity(&self) -> Result<Vec<String>, StoreError> {
        self.read(|tx| {
            let mut wrong = Vec::new();
            for table in schema::tables_of_customers() {
                let strays = format!(
                    "SELECT count(*) FROM {table} t WHERE NOT EXISTS (SELECT 1 FROM customers c WHERE c.id = t.customer_id)"
                );
                let strays: i64 = tx.query_row(&strays, (), |row| row.get(0))?;
                if strays > 0 {
                    wrong.push(format!("{strays} rows of {table} belong to no row of customers"));
                }
            }
            Ok(wrong)
        })
    }

    fn backup(&self, file: &Path) -> Result<u64, StoreError> {
        let cause = "a store in PostgreSQL is backed up with the server's own means (pg_dump, or its log)".into();
        Err(StoreError::Backup { file: file.to_owned(), cause })
    }

    fn become_daemon(&self, mark: &DaemonMark) -> Result<Box<dyn DaemonLease>, StoreError> {
        let daemon = self.presence.daemon();
        *daemon.lock().unwrap_or_else(PoisonError::into_inner) = Some(mark.clone());
        let DaemonMark { pid, host, since } = mark;
        self.write(|tx| {
            tx.execute("UPDATE rosterd SET served = 1", ())?;
            let say = "UPDATE nodes SET daemon = 1, pid = ?2, host = ?3, since = ?4 WHERE id = ?1";
            tx.execute(say, (tx.node(), *pid, host, since.0))
        })?;
        Ok(Box::new(Lease(daemon)))
    }

    fn was_served(&self) -> bool {
        let served = self.read(|tx| tx.query_row("SELECT served = 1 FROM rosterd", (), |row| row.get(0)));
        served.unwrap_or(false)
    }

    fn nodes(&self) -> Result<Vec<NodeRow>, StoreError> {
        self.at_once(|session| {
            let ask = "SELECT id, host, pid, since, daemon,
                           CAST(greatest(extract(epoch FROM clock_timestamp() - seen), 0) AS BIGINT)
                       FROM nodes WHERE seen >= clock_timestamp() - CAST(?1 AS BIGINT) * INTERVAL '1 second' ORDER BY id";
            let mut rows = session.ask(ask, &[Value::Integer(session.lease_secs().into())])?;
            let mut nodes = Vec::new();
            while let Some(row) = rows.next()?.map(Row::Pg) {
                nodes.push(NodeRow {
                    mark: format!("node {}", row.get::<i64>(0)?),
                    host: row.get(1)?,
                    pid: row.get(2)?,
                    since: Instant(row.get(3)?),
                    daemon: row.get(4)?,
                    seen_secs: row.get::<i64>(5)?.unsigned_abs(),
                    work: Vec::new(),
                });
            }
            Ok(nodes)
        })
    }

    fn daemon(&self) -> Result<Option<DaemonMark>, StoreError> {
        let oldest = Door::nodes(self)?.into_iter().find(|node| node.daemon);
        Ok(oldest.map(|NodeRow { pid, host, since, .. }| DaemonMark { pid, host, since }))
    }

    fn readiness(&self) -> Result<Option<DaemonMark>, StoreError> {
        self.presence.readiness()
    }

    fn take_minute(&self) -> Result<bool, StoreError> {
        // Clocks ring a little earlier or later than the last time.
        // Whoever is just taking it has it.
        let take = "WITH free AS (
                 SELECT 1 FROM rosterd WHERE minute <= clock_timestamp() - INTERVAL '50 seconds' FOR UPDATE SKIP LOCKED
             )
             UPDATE rosterd SET minute = clock_timestamp() WHERE EXISTS (SELECT 1 FROM free)";
        Ok(self.write(|tx| tx.execute(take, ()))? == 1)
    }

    fn strike_off(&self) -> Result<(), StoreError> {
        let dead = self.write(|tx| nodes::strike_off(tx, self.lease_secs));
        // Whoever was killed right after that left the sessions: so it is asked for all nodes that are no more.
        let ended = self.at_once(nodes::end_sessions);
        dead.and(ended)
    }

    fn take_place(&self, upstream: &str, number: u64, parallel_max: u32, gap_micros: u64) -> Result<PlaceGiven, StoreError> {
        let limits = (parallel_max, gap_micros);
        self.write(|tx| places::take(tx, self.lease_secs, (upstream, number), limits))
    }

    fn end_place(&self, number: u64) -> Result<(), StoreError> {
        self.write(|tx| places::end(tx, number))
    }

    fn pause_upstream(&self, upstream: &str, micros: u64) -> Result<(), StoreError> {
        self.write(|tx| places::pause(tx, upstream, micros))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let id = self.presence.leave();
        if !std::thread::panicking() {
            // Others would find out by themselves, only later. The driver blocks, which it may not where somebody drops the
            // store on a thread of an asynchronous runtime.
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    if id != 0 {
                        let gone = |session: &PgSession| session.run("DELETE FROM nodes WHERE id = ?1", &[Value::Integer(id)]);
                        drop(self.at_once(gone));
                    }
                    self.pool.close();
                });
            });
        }
    }
}
