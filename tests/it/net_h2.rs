//! HTTP/2 is spoken where a server offers it, and HTTP/1.1 where it does not.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use hyper::body::Incoming;
use hyper::header::HeaderMap;
use hyper::service::service_fn;
use hyper::{Request, Response, Version};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rosterd::source::RestVersion;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

use crate::fake_http::Asked;
use crate::fake_oneroster::{Lists, Provider, honest, lists};
use crate::net_oneroster::district;
use crate::world::succeeded;

/// A provider on an async server.
struct Server {
    address: SocketAddr,
    /// The version of each request.
    versions: Arc<Mutex<Vec<Version>>>,
    connections: Arc<AtomicUsize>,
}

fn answer(lists: &Lists, request: &Request<Incoming>) -> Response<String> {
    let target = request.uri().path_and_query().expect("a target").as_str().to_owned();
    let asked = Asked { method: "GET".into(), target, headers: Vec::new(), body: String::new() };
    let reply = honest(lists, &asked);
    let mut response = Response::new(String::from_utf8(reply.body).expect("text"));
    let headers: &mut HeaderMap = response.headers_mut();
    for (name, value) in &reply.headers {
        let name: hyper::header::HeaderName = name.parse().expect("a name");
        headers.insert(name, value.parse().expect("a value"));
    }
    response
}

impl Server {
    /// Offers these protocols.
    fn start(lists: Lists, protocols: &[&str]) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let certificate = CertificateDer::from_pem_slice(include_bytes!("tls/server.pem")).expect("a certificate");
        let key = PrivateKeyDer::from_pem_slice(include_bytes!("tls/server-key.pem")).expect("a key");
        let config = ServerConfig::builder().with_no_client_auth().with_single_cert(vec![certificate], key);
        let mut config = config.expect("a configuration");
        config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let (versions, connections) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicUsize::new(0)));
        let (told, count) = (versions.clone(), connections.clone());
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        listener.set_nonblocking(true).expect("set");
        let address = listener.local_addr().expect("an address");
        let lists = Arc::new(lists);
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async move {
                let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
                while let Ok((stream, _)) = listener.accept().await {
                    let (acceptor, lists, told) = (acceptor.clone(), lists.clone(), told.clone());
                    count.fetch_add(1, Ordering::SeqCst);
                    tokio::spawn(async move {
                        let Ok(tls) = acceptor.accept(stream).await else { return };
                        let is_h2 = tls.get_ref().1.alpn_protocol() == Some(b"h2");
                        let service = service_fn(move |request: Request<Incoming>| {
                            told.lock().expect("no panic").push(request.version());
                            let response = answer(&lists, &request);
                            async move { Ok::<_, std::convert::Infallible>(response) }
                        });
                        let io = TokioIo::new(tls);
                        // However it ends: the client has what it wants.
                        if is_h2 {
                            let server = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
                            let _ = server.serve_connection(io, service).await;
                        } else {
                            let _ = hyper::server::conn::http1::Builder::new().serve_connection(io, service).await;
                        }
                    });
                }
            });
        });
        Self { address, versions, connections }
    }
}

#[test]
fn the_best_version_that_a_server_offers_is_spoken() {
    for (protocols, version) in [
        (&["h2", "http/1.1"][..], Version::HTTP_2),
        (&["h2"], Version::HTTP_2),
        (&["http/1.1"], Version::HTTP_11),
        (&[], Version::HTTP_11),
    ] {
        let mut world = district("north");
        let server = Server::start(lists(&world, RestVersion::V1_1), protocols);
        let address = format!("https://{}/ims/oneroster/v1p1", server.address);
        // Its settings and its network; nobody asks it.
        let provider = Provider::start();
        provider.feeds(&mut world, RestVersion::V1_1, move |settings| {
            settings.address.clone_from(&address);
            settings.read.http.ca_file = Some(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/it/tls/ca.pem"));
        });
        let run = world.run();
        assert!(succeeded(&run) && world.seated("p").len() == 30, "{protocols:?}: {}", run.message);
        let versions = server.versions.lock().expect("no panic");
        assert!(versions.len() > 12 && versions.iter().all(|spoken| *spoken == version), "{protocols:?}: {versions:?}");
        let connections = server.connections.load(Ordering::SeqCst);
        // With HTTP/1.1 a request may come before the connection of the last one is put back, and open another; not each does.
        let few = if version == Version::HTTP_2 { connections == 1 } else { connections * 3 < versions.len() };
        assert!(few, "{protocols:?}: {connections} connections for {} requests", versions.len());
    }
}
