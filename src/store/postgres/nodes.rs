//! This process as a node: a row that says that it lives, and a thread that says so again and again.

use std::sync::atomic::Ordering;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::base::ErrorChain;
use crate::store::error::StoreError;
use crate::store::postgres::pool::Connector;
use crate::store::postgres::schema::NEWEST;
use crate::store::shape::DaemonMark;
use crate::store::sql::{Fault, Node, PgSession, Row, Transaction, Value, is_dead};

/// What a node heard within so long is not asked for again by whoever wants to know whether it is ready.
const FRESH: Duration = Duration::from_secs(1);
/// So long whoever wants to know waits for what the server says now.
const READY_TIME_MAX: Duration = Duration::from_secs(2);
/// What sessions are called, and within a transaction that writes, with the number of their node.
const NAME: &str = "rosterd";

/// What a node says of itself.
pub(in crate::store::postgres) struct Presence(Arc<Inner>);

struct Inner {
    place: String,
    node: Arc<Node>,
    connector: Arc<Connector>,
    /// What it is as a daemon.
    daemon: Arc<Mutex<Option<DaemonMark>>>,
    beats: Mutex<Beats>,
    heard: Mutex<Heard>,
    was_heard: Condvar,
}

/// The thread that says that the node lives.
enum Beats {
    None,
    /// It says so at once when it is sent something, and ends when this is dropped.
    Going(Sender<()>),
    Over,
}

/// What the server answered last.
struct Heard {
    /// How often it was asked.
    beats: u64,
    /// When it last wrote down that the node lives.
    at: Instant,
    /// Why it did not the last time.
    trouble: Option<String>,
}

/// What sessions of a node are called while they write.
pub(in crate::store::postgres) fn name_of(node: i64) -> String {
    if node == 0 { NAME.to_owned() } else { format!("{NAME} node {node}") }
}

/// Strikes off nodes that were not seen for too long, so that they stay dead.
pub(in crate::store::postgres) fn strike_off(tx: &Transaction<'_>, lease_secs: u32) -> Result<(), Fault> {
    tx.execute(&format!("DELETE FROM nodes n WHERE {}", is_dead(1, 2)), (lease_secs, tx.node()))?;
    Ok(())
}

/// Ends the transactions of nodes that are no more: whoever froze in the middle of one would hold its locks until the network
/// gives it up.
pub(in crate::store::postgres) fn end_sessions(session: &PgSession) -> Result<(), Fault> {
    let end = format!(
        "SELECT pg_terminate_backend(a.pid) FROM pg_stat_activity a
         WHERE a.datname = current_database() AND a.application_name LIKE '{NAME} node %'
           AND NOT EXISTS (SELECT 1 FROM nodes n WHERE a.application_name = '{NAME} node ' || n.id)"
    );
    match session.ask(&end, &[]) {
        Err(fault) if fault.is_away() => Err(fault),
        // Whoever may not do that waits for the network, and meanwhile for nobody else's customers.
        _ => Ok(()),
    }
}

impl Presence {
    pub(in crate::store::postgres) fn new(place: String, node: Arc<Node>, connector: Arc<Connector>) -> Self {
        let heard = Heard { beats: 0, at: Instant::now(), trouble: None };
        Self(Arc::new(Inner {
            place,
            node,
            connector,
            daemon: Arc::default(),
            beats: Mutex::new(Beats::None),
            heard: Mutex::new(heard),
            was_heard: Condvar::new(),
        }))
    }

    /// The number of this node's row; 0: it has none.
    pub(in crate::store::postgres) fn id(&self) -> i64 {
        self.0.node.id.load(Ordering::SeqCst)
    }

    /// What it is as a daemon.
    pub(in crate::store::postgres) fn daemon(&self) -> Arc<Mutex<Option<DaemonMark>>> {
        Arc::clone(&self.0.daemon)
    }

    /// The row is gone: this node was taken for dead. What it does next it does as another one.
    pub(in crate::store::postgres) fn lost(&self, id: i64) {
        self.0.lost(id);
    }

    /// Says no more that it lives; returns the number of its row.
    pub(in crate::store::postgres) fn leave(&self) -> i64 {
        *self.0.beats.lock().unwrap_or_else(PoisonError::into_inner) = Beats::Over;
        self.id()
    }

    /// This node as a daemon, if the server wrote down lately that it lives, so that it can be reached, may be written, and has
    /// a schema that this program knows. Asks it now, and waits for no answer for long: what counts then is the last one.
    pub(in crate::store::postgres) fn readiness(&self) -> Result<Option<DaemonMark>, StoreError> {
        let inner = &self.0;
        let Some(mark) = inner.daemon.lock().unwrap_or_else(PoisonError::into_inner).clone() else { return Ok(None) };
        let mut heard = inner.heard();
        if heard.trouble.is_some() || heard.at.elapsed() >= FRESH {
            let before = heard.beats;
            drop(heard);
            // Whoever holds it is just waiting for the server.
            if let Ok(beats) = inner.beats.try_lock()
                && let Beats::Going(now) = &*beats
            {
                let _ = now.send(());
            }
            let unheard = |heard: &mut Heard| heard.beats == before;
            let waited = inner.was_heard.wait_timeout_while(inner.heard(), READY_TIME_MAX, unheard);
            heard = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        let (lease, since) = (u64::from(inner.node.lease_secs), heard.at.elapsed().as_secs());
        let silent = || (since >= lease).then(|| format!("it was last heard {since} s ago"));
        match heard.trouble.clone().or_else(silent) {
            Some(why) => Err(StoreError::Away { place: inner.place.clone(), cause: why.into() }),
            None => Ok(Some(mark)),
        }
    }

    /// Writes the row, unless it is there. A database that went on to a schema too new for this program is refused.
    pub(in crate::store::postgres) fn announce(&self, session: &PgSession) -> Result<(), Fault> {
        let mut beats = self.0.beats.lock().unwrap_or_else(PoisonError::into_inner);
        self.0.announce(session)?;
        if matches!(*beats, Beats::None) {
            let (now, asked) = channel();
            let inner = Arc::downgrade(&self.0);
            let every = Duration::from_secs(self.0.node.lease_secs.into()) / 4;
            let started = thread::Builder::new().name("rosterd-node".into()).spawn(move || {
                let (mut session, mut pause) = (None, every);
                while asked.recv_timeout(pause) != Err(RecvTimeoutError::Disconnected) {
                    // Whoever asks while it is said hears the answer, too.
                    while asked.try_recv().is_ok() {}
                    let Some(inner) = inner.upgrade() else { return };
                    session = inner.beat(session);
                    // Whoever could not say it says it as soon as it can: before others may judge.
                    pause = if session.is_some() { every } else { every / 10 };
                }
            });
            // A node that cannot say that it lives is dead to others sooner or later, and then made anew.
            if started.is_ok() {
                *beats = Beats::Going(now);
            }
        }
        Ok(())
    }
}

impl Inner {
    fn heard(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lost(&self, id: i64) {
        let _ = self.node.id.compare_exchange(id, 0, Ordering::SeqCst, Ordering::SeqCst);
    }

    /// Writes the row, unless it is there. Whoever calls it holds `beats`.
    fn announce(&self, session: &PgSession) -> Result<(), Fault> {
        if self.node.id.load(Ordering::SeqCst) != 0 {
            return Ok(());
        }
        let daemon = self.daemon.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let (pid, host, since, is_daemon) = match &daemon {
            Some(mark) => (mark.pid, mark.host.as_str(), mark.since.0, 1),
            None => (std::process::id(), "", i64::MIN, 0),
        };
        let newest = Value::Integer(NEWEST.into());
        let values = [Value::Text(host), Value::Integer(pid.into()), Value::Integer(since), Value::Integer(is_daemon), newest];
        // A command does not say since when it works: the server knows.
        let add = "INSERT INTO nodes (host, pid, since, daemon, schema)
                   SELECT ?1, ?2, greatest(?3, CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)
                       * (1 - CAST(?4 AS BIGINT))), ?4, ?5
                   FROM rosterd WHERE compatible <= ?5
                   RETURNING id";
        let Some(id) = session.ask(add, &values)?.next()?.map(|row| Row::Pg(row).get(0)).transpose()? else {
            let found = session.ask("SELECT schema FROM rosterd", &[])?.next()?.map(|row| Row::Pg(row).get(0));
            let (place, found) = (self.place.clone(), found.transpose()?.unwrap_or(0));
            return Err(StoreError::SchemaNewer { place, found, known: NEWEST }.into());
        };
        self.node.id.store(id, Ordering::SeqCst);
        self.heard().at = Instant::now();
        Ok(())
    }

    /// Says once that the node lives, over a connection of its own; gives back the connection if it is good. One that broke
    /// since is made anew at once.
    fn beat(&self, kept: Option<PgSession>) -> Option<PgSession> {
        let said = match kept.map(|session| self.say(session)) {
            Some(Ok(session)) => Ok(session),
            _ => self.connector.connect_to_say(&self.node).and_then(|session| self.say(session)),
        };
        let mut heard = self.heard();
        heard.beats += 1;
        let said = match said {
            Ok(session) => {
                (heard.at, heard.trouble) = (Instant::now(), None);
                Some(session)
            }
            Err(fault) => {
                heard.trouble = Some(ErrorChain(&fault.told(&self.place)).to_string());
                None
            }
        };
        drop(heard);
        self.was_heard.notify_all();
        said
    }

    fn say(&self, session: PgSession) -> Result<PgSession, Fault> {
        let id = self.node.id.load(Ordering::SeqCst);
        let say = "UPDATE nodes SET seen = clock_timestamp(),
                       steady = CASE WHEN seen < clock_timestamp() - CAST(?2 AS BIGINT) * INTERVAL '1 second' / 2
                                THEN clock_timestamp() ELSE steady END
                   WHERE id = ?1 RETURNING (SELECT compatible FROM rosterd), (SELECT schema FROM rosterd)";
        let values = [Value::Integer(id), Value::Integer(self.node.lease_secs.into())];
        let found = session.ask(say, &values)?.next()?.map(|row| {
            let row = Row::Pg(row);
            Ok::<_, Fault>((row.get::<u32>(0)?, row.get(1)?))
        });
        match found.transpose()? {
            Some((compatible, found)) if compatible > NEWEST => {
                Err(StoreError::SchemaNewer { place: self.place.clone(), found, known: NEWEST }.into())
            }
            Some(_) => Ok(session),
            None => {
                // It slept for too long. Whoever waits for work is ready for it again at once.
                self.lost(id);
                let beats = self.beats.lock().unwrap_or_else(PoisonError::into_inner);
                if matches!(*beats, Beats::Going(_)) {
                    self.announce(&session)?;
                }
                Ok(session)
            }
        }
    }
}
