//! The listener: bounded in connections and in what a connection may take its time for, and shut with the daemon.

use std::future::Future;
use std::io;
use std::net::{SocketAddr, TcpListener as StdListener};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};

use crate::http::ask::Door;
use crate::http::pages::{Desk, pages};
use crate::http::peer::Peer;
use crate::http::router::router;
use crate::service::Service;

/// So many connections at once; who comes later waits.
const CONNECTIONS_MAX: usize = 256;

/// So long may a request take to say what it wants.
const HEADER_TIME_MAX: Duration = Duration::from_secs(10);

/// So long does a stop wait for answers under way.
const STOP_TIME_MAX: Duration = Duration::from_secs(5);

/// A task of the daemon that ends when it is told to stop.
pub type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Takes the address, so that one that cannot be had is told before anything starts.
///
/// # Errors
/// When the address is taken or not of this machine.
pub fn listen(at: SocketAddr) -> io::Result<StdListener> {
    let listener = StdListener::bind(at)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Answers questions until it is told to stop. `proxied`: only a proxy that speaks TLS with browsers connects to it.
pub fn serve(listener: StdListener, service: Arc<Service>, proxied: bool, stopped: watch::Receiver<bool>) -> Task {
    Box::pin(async move {
        // It was made non-blocking; nothing else can be wrong with it.
        let Ok(listener) = TcpListener::from_std(listener) else { return };
        answer(listener, Door::new(service), proxied, stopped).await;
    })
}

async fn answer(listener: TcpListener, door: Door, proxied: bool, mut stopped: watch::Receiver<bool>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let graceful = GracefulShutdown::new();
    // What neither knows is answered as the API answers.
    let router = pages(Desk::new(door.clone(), proxied)).merge(router(door));
    loop {
        let place = tokio::select! {
            _ = stopped.changed() => break,
            place = Arc::clone(&places).acquire_owned() => place,
        };
        let accepted = tokio::select! {
            _ = stopped.changed() => break,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, peer)) = accepted else {
            // Out of file descriptors, or the peer went away: others are heard again in a moment.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let mut builder = http1::Builder::new();
        builder.timer(TokioTimer::new()).header_read_timeout(HEADER_TIME_MAX);
        let routed = TowerToHyperService::new(router.clone());
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(Peer(peer.ip()));
            routed.call(request)
        });
        let connection = graceful.watch(builder.serve_connection(TokioIo::new(stream), service));
        tokio::spawn(async move {
            // A peer that breaks off is its own affair.
            let _ = connection.await;
            drop(place);
        });
    }
    let _ = tokio::time::timeout(STOP_TIME_MAX, graceful.shutdown()).await;
}
