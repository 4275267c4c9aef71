//! `rosterd serve`: the daemon.

use std::net::SocketAddr;
use std::sync::Arc;

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::parts;
use crate::daemon::{self, Beside, DaemonOptions};
use crate::http;
use crate::http::{Certificate, DoorOptions};
use crate::service::Outbox;
use crate::settings::{DaemonSettings, HttpSettings, TlsSettings};
use crate::store::Opening;
use crate::telemetry::{self, DoorOpened};

/// Runs the daemon until it is told to stop.
///
/// # Errors
/// When it cannot start.
pub fn run(context: &mut Context) -> Result<Exit, CliError> {
    if context.as_of.is_some() {
        return Err(CliError::Usage("serve works by the machine's clock and takes no --as-of".into()));
    }
    let mut settings = context.settings()?;
    telemetry::setup(&settings.log)?;
    let service = parts::service(&mut settings, None, Opening::Daemon)?;
    let DaemonSettings { workers, drop_poll_secs, stop_secs_max } = settings.daemon;
    let service = Arc::new(service);
    let outbox = Arc::new(parts::outbox(&settings, Arc::clone(&service)));
    let mut beside = vec![daemon::deliver(Arc::clone(&outbox))];
    if let Some(at) = settings.http.listen {
        beside.push(door(at, &settings.http, settings.questions_max(), outbox)?);
    }
    daemon::serve(service, DaemonOptions { workers, drop_poll_secs, stop_secs_max }, beside)?;
    Ok(Exit::Done)
}

/// The HTTP door, with its address taken already.
fn door(at: SocketAddr, settings: &HttpSettings, questions_max: u32, outbox: Arc<Outbox>) -> Result<Beside, CliError> {
    let open = |TlsSettings { cert, key, key_file }| Certificate::open(cert, key, key_file);
    let tls = settings.tls.clone().map(open).transpose()?;
    let per_minute = settings.requests_per_minute;
    let options = DoorOptions { per_minute, questions_max, tls, proxied: settings.behind_proxy };
    let listener = http::listen(at).map_err(|cause| CliError::Listen { at, cause })?;
    let at = listener.local_addr().unwrap_or(at);
    Ok(Box::new(move |stopped| {
        DoorOpened { address: &at.to_string(), loopback: at.ip().is_loopback(), tls: options.tls.is_some() }.emit();
        http::serve(listener, outbox, options, stopped)
    }))
}
