//! Connections to the server: as many as are needed at once, up to a bound, each made anew when the server went away.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};

use tokio_postgres::Config;

use crate::store::error::StoreError;
use crate::store::postgres::choice::PostgresChoice;
use crate::store::postgres::tls::Tls;
use crate::store::sql::{Fault, Node, PgSession, Wire};

/// How long a writer waits for another one of the same customer; a district's first night takes less.
const LOCK_SECS_MAX: u32 = 60;
/// The first pause before a server that is away is tried again; each next one is twice as long …
const PAUSE: Duration = Duration::from_millis(50);
/// … up to this.
const PAUSE_MAX: Duration = Duration::from_secs(2);

/// A server that accepts a statement is waited for so much longer than the statement may take by its own bounds.
const BEYOND: Duration = Duration::from_secs(10);

/// How a session of this process is set up.
pub(in crate::store::postgres) struct Connector {
    config: Config,
    /// The same for whoever says that the node lives: it must hear in time that the server does not answer.
    config_to_say: Config,
    tls: Tls,
    setup: String,
    /// What makes a session better where the server knows it.
    wishes: String,
    /// So long a connection may take, all hosts tried.
    to_connect: Duration,
    /// So long a short answer may take: who does not get one in time is dead to others.
    to_say: Duration,
}

/// The connections.
pub(in crate::store::postgres) struct Pool {
    place: String,
    connector: Arc<Connector>,
    node: Arc<Node>,
    open_max: u32,
    patience: Duration,
    /// So long an answer may take that the server gives at once.
    patience_at_once: Duration,
    /// So long any other may take.
    patience_statement: Duration,
    state: Mutex<State>,
    freed: Condvar,
}

#[derive(Default)]
struct State {
    idle: Vec<PgSession>,
    open: u32,
    /// The server was waited for in vain: nobody waits for it again before this.
    away_until: Option<Instant>,
}

/// A connection in use; it goes back when it is dropped, unless it is spoiled.
pub(in crate::store::postgres) struct Lent<'p> {
    pool: &'p Pool,
    session: Option<PgSession>,
}

impl Connector {
    pub(in crate::store::postgres) fn new(choice: &PostgresChoice) -> Result<(Self, String), StoreError> {
        let (config, place) = choice.config()?;
        let hosts = u32::try_from(config.get_hosts().len()).unwrap_or(u32::MAX).saturating_add(1);
        let to_connect = Duration::from_secs(choice.connect_secs_max.into());
        let to_say = Duration::from_secs(choice.lease_secs.into()) / 2;
        let mut config_to_say = config.clone();
        // A first host that is dead must leave time for the next one.
        config_to_say.connect_timeout(to_connect.min(to_say / hosts));
        config_to_say.tcp_user_timeout(Duration::from_secs(choice.lease_secs.into()) / 4);
        let tls = Tls::new(choice.ca_file.as_deref()).map_err(|cause| StoreError::Database { place: place.clone(), cause })?;
        // Statements are planned once: what they touch is known by keys, however many rows there are; also where a table was
        // empty when that was done.
        let setup = format!(
            "SET statement_timeout = '{}s'; SET lock_timeout = '{LOCK_SECS_MAX}s';
             SET client_min_messages = warning; SET synchronous_commit = on",
            choice.statement_secs_max
        );
        let lease = choice.lease_secs;
        let wishes = format!(
            "SELECT set_config(s.name, w.value, false) FROM (VALUES
                 ('plan_cache_mode', 'force_generic_plan'), ('enable_seqscan', 'off'), ('jit', 'off'),
                 ('tcp_keepalives_idle', '{lease}'), ('tcp_keepalives_interval', '{}'), ('tcp_keepalives_count', '3'),
                 ('tcp_user_timeout', '{lease}000')) AS w (name, value)
             JOIN pg_settings s ON s.name = w.name",
            lease.div_ceil(3)
        );
        let to_connect = to_connect.saturating_mul(hosts);
        Ok((Self { config, config_to_say, tls, setup, wishes, to_connect, to_say }, place))
    }

    pub(in crate::store::postgres) fn connect(&self, node: &Arc<Node>) -> Result<PgSession, Fault> {
        self.connect_by(&self.config, node, self.to_connect)
    }

    pub(in crate::store::postgres) fn connect_to_say(&self, node: &Arc<Node>) -> Result<PgSession, Fault> {
        self.connect_by(&self.config_to_say, node, self.to_say)
    }

    fn connect_by(&self, config: &Config, node: &Arc<Node>, patience: Duration) -> Result<PgSession, Fault> {
        let session = PgSession::new(Wire::connect(config, self.tls.clone(), patience)?, Arc::clone(node));
        session.batch(&self.setup)?;
        match session.batch(&self.wishes) {
            Err(fault) if fault.is_away() => Err(fault),
            // A relative of PostgreSQL that has no such list does without.
            _ => Ok(session),
        }
    }
}

impl Pool {
    pub(in crate::store::postgres) fn new(
        place: String,
        connector: Arc<Connector>,
        node: Arc<Node>,
        choice: &PostgresChoice,
    ) -> Self {
        Self {
            place,
            connector,
            node,
            open_max: choice.connections_max.max(1),
            patience: Duration::from_secs(choice.connect_secs_max.into()),
            patience_at_once: Duration::from_secs(choice.lease_secs.max(choice.connect_secs_max).into()),
            patience_statement: Duration::from_secs(choice.statement_secs_max.into()) + BEYOND,
            state: Mutex::default(),
            freed: Condvar::new(),
        }
    }

    pub(in crate::store::postgres) fn place(&self) -> &str {
        &self.place
    }

    /// A connection on which `begin` was executed; says whether that gave a row. A server that is away is waited for as long
    /// as a connection may take: a restart is not noticed.
    pub(in crate::store::postgres) fn begin(
        &self,
        begin: impl Fn(&PgSession) -> Result<bool, Fault>,
    ) -> Result<(Lent<'_>, bool), StoreError> {
        self.heard(|lent| match begin(&lent) {
            Ok(row) => {
                lent.be_patient(self.patience_statement);
                Ok((lent, row))
            }
            Err(fault) => {
                lent.spoil();
                Err(fault)
            }
        })
    }

    /// What is said over a connection at once, in a way that does no harm twice: said again while the server is away.
    pub(in crate::store::postgres) fn heard<'p, T>(
        &'p self,
        say: impl Fn(Lent<'p>) -> Result<T, Fault>,
    ) -> Result<T, StoreError> {
        let (started, mut pause) = (Instant::now(), PAUSE);
        loop {
            let fault = match self.lend().and_then(&say) {
                Ok(heard) => {
                    self.state().away_until = None;
                    return Ok(heard);
                }
                Err(fault) => fault,
            };
            if !fault.is_away() {
                return Err(fault.told(&self.place));
            }
            let now = Instant::now();
            let mut state = self.state();
            if state.is_away(now) {
                return Err(fault.told(&self.place));
            }
            if started.elapsed() + pause > self.patience {
                state.away_until = Some(now + PAUSE_MAX);
                return Err(fault.told(&self.place));
            }
            drop(state);
            sleep(pause);
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }

    /// A connection for what is answered at once.
    pub(in crate::store::postgres) fn at_once(&self) -> Result<Lent<'_>, StoreError> {
        let (lent, _) = self.begin(|session| session.batch("SELECT 1"))?;
        lent.be_patient(self.patience_at_once);
        Ok(lent)
    }

    /// Closes the connections that idle.
    pub(in crate::store::postgres) fn close(&self) {
        let idle = std::mem::take(&mut self.state().idle);
        drop(idle);
    }

    fn lend(&self) -> Result<Lent<'_>, Fault> {
        let deadline = Instant::now() + self.patience;
        let mut state = self.state();
        loop {
            if let Some(session) = state.idle.pop() {
                session.be_patient(self.patience_at_once);
                return Ok(Lent { pool: self, session: Some(session) });
            }
            if state.is_away(Instant::now()) {
                let cause = "it was waited for just now".into();
                return Err(StoreError::Away { place: self.place.clone(), cause }.into());
            }
            if state.open < self.open_max {
                state.open += 1;
                drop(state);
                // Counted before it is made; whoever does not get it gives the place back.
                let mut lent = Lent { pool: self, session: None };
                lent.session = Some(self.connector.connect(&self.node)?);
                lent.be_patient(self.patience_at_once);
                return Ok(lent);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(StoreError::Busy { place: self.place.clone() }.into());
            }
            state = self.freed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lent<'_> {
    /// The connection is of no use any more, and so may be those that idle: a server that went away hung up on all of them,
    /// and nobody finds out before they are used.
    pub(in crate::store::postgres) fn spoil(mut self) {
        self.session = None;
        let mut state = self.pool.state();
        let idle = std::mem::take(&mut state.idle);
        state.open = state.open.saturating_sub(u32::try_from(idle.len()).unwrap_or(u32::MAX));
        drop(state);
        self.pool.freed.notify_all();
    }
}

impl State {
    fn is_away(&self, now: Instant) -> bool {
        self.away_until.is_some_and(|until| now < until)
    }
}

impl std::ops::Deref for Lent<'_> {
    type Target = PgSession;

    fn deref(&self) -> &PgSession {
        self.session.as_ref().expect("it is there until it is spoiled, which takes it away")
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        let mut state = self.pool.state();
        match self.session.take() {
            // Whoever panicked left it in the middle of something.
            Some(session) if !std::thread::panicking() => state.idle.push(session),
            _ => state.open = state.open.saturating_sub(1),
        }
        drop(state);
        self.pool.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::{Duration, Instant};

    use crate::base::Secret;
    use crate::store::error::StoreError;
    use crate::store::postgres::choice::PostgresChoice;
    use crate::store::postgres::pool::{Connector, Pool};
    use crate::store::sql::Node;

    #[test]
    fn whoever_comes_right_after_somebody_waited_in_vain_does_not_wait() {
        let folder = tempfile::tempdir().expect("a folder");
        let socket = folder.path().display().to_string().replace('/', "%2F");
        let url = Secret::new(format!("postgres://rosterd@{socket}/books"));
        let choice = PostgresChoice { connect_secs_max: 1, ..PostgresChoice::at(url) };
        let (connector, place) = Connector::new(&choice).expect("an address");
        let pool = Pool::new(place, Arc::new(connector), Arc::new(Node::default()), &choice);
        let asked = Instant::now();
        for _ in 0..3 {
            for _ in 0..20 {
                assert!(matches!(pool.begin(|session| session.batch("SELECT 1")), Err(StoreError::Away { .. })));
            }
            // The pause is over: it is tried again, and waited for again.
            let mut state = pool.state();
            assert!(state.is_away(Instant::now()));
            state.away_until = Some(Instant::now());
        }
        assert!(asked.elapsed() < Duration::from_secs(30), "each of sixty waits for it: {:?}", asked.elapsed());
        assert_eq!(pool.state().open, 0);
    }
}
