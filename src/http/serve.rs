//! The listener: bounded in connections and in what a connection may take its time for, and shut with the daemon.

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener as StdListener};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::header::STRICT_TRANSPORT_SECURITY;
use axum::http::{HeaderValue, Response};
use axum::middleware::map_response;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};

use crate::http::ask::Door;
use crate::http::pages::{Desk, pages};
use crate::http::peer::Peer;
use crate::http::router::router;
use crate::http::taken::Taken;
use crate::http::tls::Certificate;
use crate::service::Outbox;
use crate::telemetry::{CertificateRead, CertificateRefused};

/// What a connection may take.
#[derive(Clone, Copy)]
struct Bounds {
    /// So many connections at once; who comes later waits.
    connections_max: usize,
    /// So long may a request take to say what it wants.
    header_time_max: Duration,
    /// So long may nothing be taken of an answer.
    reader_time_max: Duration,
}

const BOUNDS: Bounds =
    Bounds { connections_max: 256, header_time_max: Duration::from_secs(10), reader_time_max: Duration::from_secs(60) };

/// So long does a stop wait for answers under way.
const STOP_TIME_MAX: Duration = Duration::from_secs(5);

/// How often it looks whether there is a new certificate.
const RENEWAL_TIME: Duration = Duration::from_secs(10);

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

/// How the door stands.
pub struct DoorOptions {
    /// So many questions a minute of each token; 0: any number.
    pub per_minute: u32,
    /// The certificate it shows; `None`: it speaks without TLS.
    pub tls: Option<Certificate>,
    /// Only a proxy that speaks TLS with browsers connects to it.
    pub proxied: bool,
}

/// Answers questions until it is told to stop.
pub fn serve(listener: StdListener, outbox: Arc<Outbox>, options: DoorOptions, stopped: watch::Receiver<bool>) -> Task {
    Box::pin(async move {
        // It was made non-blocking; nothing else can be wrong with it.
        let Ok(listener) = TcpListener::from_std(listener) else { return };
        let DoorOptions { per_minute, tls, proxied } = options;
        let door = Door::new(outbox, per_minute, stopped.clone());
        let tls = tls.map(Arc::new);
        if let Some(certificate) = &tls {
            tokio::spawn(renew(Arc::clone(certificate), stopped.clone()));
        }
        // What neither knows is answered as the API answers.
        let router = pages(Desk::new(door.clone(), tls.is_some(), proxied)).merge(router(door));
        let router = if tls.is_some() { router.layer(map_response(strict)) } else { router };
        answer(listener, router, (tls, BOUNDS), stopped).await;
    })
}

async fn answer(
    listener: TcpListener,
    router: Router,
    (tls, bounds): (Option<Arc<Certificate>>, Bounds),
    mut stopped: watch::Receiver<bool>,
) {
    let places = Arc::new(Semaphore::new(bounds.connections_max));
    let graceful = GracefulShutdown::new();
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
        let tls = tls.as_ref().map(|certificate| certificate.acceptor());
        let (router, watcher) = (router.clone(), graceful.watcher());
        let (stream, header_time_max) = (Taken::new(stream, bounds.reader_time_max), bounds.header_time_max);
        tokio::spawn(async move {
            match tls {
                None => speak(stream, (peer.ip(), header_time_max), router, watcher).await,
                Some(tls) => {
                    // Who does not come to terms is its own affair, and not waited for.
                    if let Ok(Ok(stream)) = tokio::time::timeout(header_time_max, tls.accept(stream)).await {
                        speak(stream, (peer.ip(), header_time_max), router, watcher).await;
                    }
                }
            }
            drop(place);
        });
    }
    let _ = tokio::time::timeout(STOP_TIME_MAX, graceful.shutdown()).await;
}

/// Looks for a new certificate again and again.
async fn renew(certificate: Arc<Certificate>, mut stopped: watch::Receiver<bool>) {
    loop {
        tokio::select! {
            _ = stopped.changed() => return,
            () = tokio::time::sleep(RENEWAL_TIME) => {}
        }
        let looked = Arc::clone(&certificate);
        let renewed = tokio::task::spawn_blocking(move || looked.look()).await;
        match renewed {
            Ok(Ok(true)) => CertificateRead { file: certificate.file() }.emit(),
            Ok(Err(error)) => CertificateRefused { file: certificate.file(), error: &error }.emit(),
            Ok(Ok(false)) | Err(_) => {}
        }
    }
}

async fn speak(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    (peer, header_time_max): (IpAddr, Duration),
    router: Router,
    watcher: Watcher,
) {
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(header_time_max);
    let routed = TowerToHyperService::new(router);
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(Peer(peer));
        routed.call(request)
    });
    // A peer that breaks off is its own affair.
    let _ = watcher.watch(builder.serve_connection(TokioIo::new(stream), service)).await;
}

/// Browsers are to come back with TLS.
async fn strict(mut response: Response<Body>) -> Response<Body> {
    response.headers_mut().insert(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    response
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;
    use std::time::Duration;

    use axum::Router;
    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};
    use tokio::sync::watch;

    use crate::http::serve::{BOUNDS, Bounds, answer};

    async fn asked(at: SocketAddr, requests: &str) -> TcpStream {
        let mut stream = TcpStream::connect(at).await.expect("a door");
        stream.write_all(requests.as_bytes()).await.expect("asked");
        stream
    }

    #[tokio::test]
    async fn who_asks_and_never_reads_gives_way_to_others() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let at = listener.local_addr().expect("an address");
        let (stop, stopped) = watch::channel(false);
        let long = || async { vec![b'x'; 16 << 20] };
        let router = Router::new().route("/long", get(long)).route("/short", get(|| async { "here" }));
        // One place in all, and it is taken until the reader is given up.
        let bounds = Bounds { connections_max: 1, reader_time_max: Duration::from_millis(300), ..BOUNDS };
        let door = tokio::spawn(answer(listener, router, (None, bounds), stopped));
        let mut mute = asked(at, &"GET /long HTTP/1.1\r\nHost: x\r\n\r\n".repeat(4)).await;
        let mut other = asked(at, "GET /short HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
        let mut told = String::new();
        let heard = tokio::time::timeout(Duration::from_secs(20), other.read_to_string(&mut told)).await;
        assert!(matches!(heard, Ok(Ok(_))) && told.ends_with("here"), "{heard:?} {told}");
        let mut rest = Vec::new();
        let _ = mute.read_to_end(&mut rest).await;
        assert!(rest.len() < 16 << 20, "it had what fits on the way, not the answer: {}", rest.len());
        stop.send(true).expect("it listens");
        door.await.expect("it ends");
    }
}
