//! How a PostgreSQL is reached.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

use crate::base::Secret;
use crate::store::error::StoreError;

/// Which PostgreSQL, and how it is used.
#[derive(Clone, PartialEq, Eq)]
pub struct PostgresChoice {
    /// `postgres://user:password@host/database`; it may hold a password and is shown nowhere.
    pub url: Secret,
    /// Certificates of the authorities that may vouch for the server, instead of the system's.
    pub ca_file: Option<PathBuf>,
    /// Connections of this process at most.
    pub connections_max: u32,
    /// So long a connection may take, and so long a server that went away is waited for, in seconds.
    pub connect_secs_max: u32,
    /// So long one statement may take, in seconds.
    pub statement_secs_max: u32,
    /// A node that is not seen for so long is dead, in seconds.
    pub lease_secs: u32,
}

impl PostgresChoice {
    /// A database with everything else as it is by default.
    pub fn at(url: Secret) -> Self {
        Self { url, ca_file: None, connections_max: 16, connect_secs_max: 5, statement_secs_max: 300, lease_secs: 30 }
    }

    /// Whether the url, if it is to be had, is one; it is not shown.
    ///
    /// # Errors
    /// A sentence for people.
    pub fn check(&self) -> Result<(), &'static str> {
        let well = self.url.expose().is_err() || self.config().is_ok();
        well.then_some(()).ok_or("is no address of a database (postgres://user:password@host/database)")
    }

    /// Where it is, for messages; neither user nor password.
    pub fn place(&self) -> String {
        self.config().map_or_else(|_| "postgres".to_owned(), |(_, place)| place)
    }

    /// What the driver needs, and where that is, for messages.
    pub(in crate::store::postgres) fn config(&self) -> Result<(Config, String), StoreError> {
        type Cause = Box<dyn std::error::Error + Send + Sync>;
        let bad = |cause: Cause| StoreError::Database { place: "postgres".to_owned(), cause };
        let url = self.url.expose().map_err(|absent| bad(absent.clone().into()))?;
        // The driver's own words may repeat parts of the url.
        let mut config: Config = url.parse().map_err(|_| bad("the url of the store is not one".into()))?;
        let place = place(&config).ok_or_else(|| bad("the url of the store names no host or no database".into()))?;
        let is_far = config.get_hosts().iter().any(|host| matches!(host, Host::Tcp(_)));
        if is_far && config.get_ssl_mode() == SslMode::Prefer {
            // What is sent in the clear is said so in the url, not found out from the server.
            config.ssl_mode(SslMode::Require);
        }
        let secs = |secs: u32| Duration::from_secs(secs.into());
        config
            .connect_timeout(secs(self.connect_secs_max))
            .tcp_user_timeout(secs(self.lease_secs))
            .keepalives_idle(secs(self.lease_secs))
            .application_name("rosterd");
        Ok((config, place))
    }
}

impl fmt::Debug for PostgresChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresChoice").field("place", &self.place()).finish_non_exhaustive()
    }
}

/// Hosts, port and database; neither user nor password.
fn place(config: &Config) -> Option<String> {
    let database = config.get_dbname()?;
    let ports = config.get_ports();
    let hosts = config.get_hosts().iter().enumerate().map(|(at, host)| {
        let host = match host {
            Host::Tcp(name) => name.clone(),
            Host::Unix(folder) => folder.display().to_string(),
        };
        match ports.get(at).or(ports.first()) {
            Some(port) => format!("{host}:{port}"),
            None => host,
        }
    });
    let hosts: Vec<String> = hosts.collect();
    (!hosts.is_empty()).then(|| format!("postgres:{}/{database}", hosts.join(",")))
}

#[cfg(test)]
mod tests {
    use tokio_postgres::config::SslMode;

    use crate::base::Secret;
    use crate::store::postgres::choice::PostgresChoice;

    #[test]
    fn nothing_secret_is_shown() {
        let choice = PostgresChoice::at(Secret::new("postgres://rosterd:hunter2@db.example.org:5433/books"));
        let (config, place) = choice.config().expect("an address");
        assert_eq!(place, "postgres:db.example.org:5433/books");
        assert_eq!(config.get_ssl_mode(), SslMode::Require, "over a network nothing is sent in the clear unasked");
        assert!(!format!("{choice:?}").contains("hunter2"));
        let wrong = PostgresChoice::at(Secret::new("postgres://rosterd:hunter2@db:port/books"));
        assert!(!wrong.check().unwrap_err().contains("hunter2"));
        assert!(!wrong.config().unwrap_err().to_string().contains("hunter2"));
    }

    #[test]
    fn a_socket_needs_no_tls_and_neither_does_who_says_so() {
        let mode = |url: &str| PostgresChoice::at(Secret::new(url)).config().expect("an address").0.get_ssl_mode();
        assert_eq!(mode("postgres:///books?host=/run/postgresql"), SslMode::Prefer);
        assert_eq!(mode("postgres://db/books?sslmode=disable"), SslMode::Disable);
        assert!(PostgresChoice::at(Secret::new("postgres://db")).check().is_err(), "no database");
    }
}
