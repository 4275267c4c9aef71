//! This process as a node: a row that says that it lives, and a thread that says so again and again.

use std::sync::atomic::Ordering;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use crate::store::error::StoreError;
use crate::store::postgres::pool::Connector;
use crate::store::postgres::schema::NEWEST;
use crate::store::shape::DaemonMark;
use crate::store::sql::{Fault, Node, PgSession, Row, Value};

/// What a node says of itself.
pub(in crate::store::postgres) struct Presence {
    node: Arc<Node>,
    connector: Arc<Connector>,
    /// What it is as a daemon.
    pub(in crate::store::postgres) daemon: Arc<Mutex<Option<DaemonMark>>>,
    /// Dropped: the thread ends.
    beats: Mutex<Option<Sender<()>>>,
}

impl Presence {
    pub(in crate::store::postgres) fn new(node: Arc<Node>, connector: Arc<Connector>) -> Self {
        Self { node, connector, daemon: Arc::default(), beats: Mutex::default() }
    }

    /// The number of this node's row; 0: it has none.
    pub(in crate::store::postgres) fn id(&self) -> i64 {
        self.node.id.load(Ordering::SeqCst)
    }

    /// The row is gone: this node was taken for dead. What it does next it does as another one.
    pub(in crate::store::postgres) fn lost(&self, id: i64) {
        let _ = self.node.id.compare_exchange(id, 0, Ordering::SeqCst, Ordering::SeqCst);
    }

    /// Writes the row, unless it is there. A database that went on to a schema too new for this program is refused.
    pub(in crate::store::postgres) fn announce(&self, session: &PgSession, place: &str) -> Result<(), Fault> {
        let mut beats = self.beats.lock().unwrap_or_else(PoisonError::into_inner);
        if self.id() != 0 {
            return Ok(());
        }
        let daemon = self.daemon.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let (pid, host, since, is_daemon) = match &daemon {
            Some(mark) => (mark.pid, mark.host.as_str(), mark.since.0, 1),
            None => (std::process::id(), "", i64::MIN, 0),
        };
        let newest = Value::Integer(NEWEST.into());
        let values = [Value::Text(host), Value::Integer(pid.into()), Value::Integer(since), Value::Integer(is_daemon), newest];
        let id = {
            // A command does not say since when it works: the server knows.
            let add = "INSERT INTO nodes (host, pid, since, daemon, schema)
                       SELECT ?1, ?2, greatest(?3, CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)
                           * (1 - CAST(?4 AS BIGINT))), ?4, ?5
                       FROM rosterd WHERE compatible <= ?5
                       RETURNING id";
            let mut rows = session.ask(add, &values)?;
            match rows.next()? {
                Some(row) => row.try_get::<_, i64>(0)?,
                None => {
                    let found = session.ask("SELECT schema FROM rosterd", &[])?.next()?.map(|row| Row::Pg(row).get(0));
                    let (place, found) = (place.to_owned(), found.transpose()?.unwrap_or(0));
                    return Err(StoreError::SchemaNewer { place, found, known: NEWEST }.into());
                }
            }
        };
        self.node.id.store(id, Ordering::SeqCst);
        if beats.is_none() {
            let (stop, stopped) = channel();
            let (node, connector) = (Arc::clone(&self.node), Arc::clone(&self.connector));
            let every = Duration::from_secs(node.lease_secs.into()) / 3;
            let started = thread::Builder::new().name("rosterd-node".into()).spawn(move || {
                let mut session = None;
                while stopped.recv_timeout(every) == Err(RecvTimeoutError::Timeout) {
                    session = beat(&node, &connector, session);
                }
            });
            // A node that cannot say that it lives is dead to others sooner or later, and then made anew.
            if started.is_ok() {
                *beats = Some(stop);
            }
        }
        Ok(())
    }
}

/// Says once that the node lives, over a connection of its own; gives back the connection if it is good.
fn beat(node: &Arc<Node>, connector: &Connector, session: Option<PgSession>) -> Option<PgSession> {
    let id = node.id.load(Ordering::SeqCst);
    if id == 0 {
        return session;
    }
    let session = match session {
        Some(session) => session,
        None => connector.connect(node).ok()?,
    };
    match session.run("UPDATE nodes SET seen = clock_timestamp() WHERE id = ?1", &[Value::Integer(id)]) {
        Ok(0) => {
            let _ = node.id.compare_exchange(id, 0, Ordering::SeqCst, Ordering::SeqCst);
            Some(session)
        }
        Ok(_) => Some(session),
        Err(_) => None,
    }
}
