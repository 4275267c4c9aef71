//! An HTTP server on a port of its own that answers as a test tells it to, well or badly: on a real socket, over TLS where
//! asked, with answers that are cut, held back, packed or wrong.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// A request as it arrived.
#[derive(Clone, Debug)]
pub struct Asked {
    pub method: String,
    /// Path and query, as sent.
    pub target: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Asked {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// A parameter of the query, decoded.
    pub fn param(&self, name: &str) -> Option<String> {
        let url = reqwest::Url::parse(&format!("http://x{}", self.target)).expect("a target");
        url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }

    pub fn number(&self, name: &str) -> Option<usize> {
        self.param(name).map(|text| text.parse().expect("a number"))
    }
}

/// What to answer.
#[derive(Clone, Debug, Default)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// Close the connection after so many bytes of the body, though more were announced.
    pub cut: Option<usize>,
    /// Where it is cut, keep the connection open until the client gives up.
    pub stall: bool,
    /// Do not say how long the body is; its end is that of the connection.
    pub unsized_body: bool,
    /// The body comes in pieces of so many bytes, with a pause after each.
    pub drip: Option<(usize, Duration)>,
    /// Answer nothing, and keep the connection open until the client gives up.
    pub hang: bool,
    /// Close the connection without a word.
    pub drop: bool,
}

impl Reply {
    pub fn json(body: impl Into<String>) -> Self {
        Self::new(200, body.into()).with("Content-Type", "application/json")
    }

    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self { status, body: body.into(), ..Self::default() }
    }

    pub fn html(status: u16) -> Self {
        Self::new(status, "<!DOCTYPE html><title>Sorry</title>").with("Content-Type", "text/html")
    }

    pub fn with(mut self, name: &str, value: impl ToString) -> Self {
        self.headers.push((name.to_owned(), value.to_string()));
        self
    }

    /// The same with another status.
    pub fn status(self, status: u16) -> Self {
        Self { status, ..self }
    }

    pub fn cut(self, at: usize) -> Self {
        Self { cut: Some(at), ..self }
    }

    /// The same, cut there, and then silence.
    pub fn stall(self, at: usize) -> Self {
        Self { cut: Some(at), stall: true, ..self }
    }

    /// The same, so many bytes at a time.
    pub fn drip(self, bytes: usize, every: Duration) -> Self {
        Self { drip: Some((bytes, every)), ..self }
    }

    pub fn hang() -> Self {
        Self { hang: true, ..Self::default() }
    }

    pub fn drop() -> Self {
        Self { drop: true, ..Self::default() }
    }

    fn write(&self, to: &mut dyn Write) -> std::io::Result<bool> {
        let mut head = format!("HTTP/1.1 {} X\r\n", self.status);
        if self.unsized_body {
            head.push_str("Connection: close\r\n");
        } else {
            head.push_str(&format!("Content-Length: {}\r\n", self.body.len()));
        }
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        let body = &self.body[..self.cut.unwrap_or(self.body.len()).min(self.body.len())];
        head.push_str("\r\n");
        match self.drip {
            // At once: the system holds back a second piece until the first one is acknowledged, for up to 40 ms.
            None => to.write_all(&[head.as_bytes(), body].concat())?,
            Some((bytes, every)) => {
                to.write_all(head.as_bytes())?;
                for piece in body.chunks(bytes) {
                    to.write_all(piece)?;
                    to.flush()?;
                    std::thread::sleep(every);
                }
            }
        }
        to.flush()?;
        Ok(self.cut.is_none() && !self.unsized_body)
    }
}

type Handler = dyn Fn(&Asked, usize) -> Reply + Send + Sync;

/// See the module.
pub struct FakeServer {
    address: SocketAddr,
    tls: bool,
    asked: Arc<Mutex<Vec<Asked>>>,
    stopped: Arc<AtomicBool>,
}

impl FakeServer {
    /// Answers with `handler`, which gets the request and how many came before it.
    pub fn start(handler: impl Fn(&Asked, usize) -> Reply + Send + Sync + 'static) -> Self {
        Self::open(None, handler)
    }

    /// The same over TLS, with the certificate in `tests/it/tls`.
    pub fn start_tls(handler: impl Fn(&Asked, usize) -> Reply + Send + Sync + 'static) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let certificate = CertificateDer::from_pem_slice(include_bytes!("tls/server.pem")).expect("a certificate");
        let key = PrivateKeyDer::from_pem_slice(include_bytes!("tls/server-key.pem")).expect("a key");
        let config = ServerConfig::builder().with_no_client_auth().with_single_cert(vec![certificate], key);
        Self::open(Some(Arc::new(config.expect("a configuration"))), handler)
    }

    fn open(tls: Option<Arc<ServerConfig>>, handler: impl Fn(&Asked, usize) -> Reply + Send + Sync + 'static) -> Self {
        // On all addresses of this machine, so that it can be asked under a name that its certificate does not have.
        let listener = TcpListener::bind("0.0.0.0:0").expect("a port");
        let address = SocketAddr::from(([127, 0, 0, 1], listener.local_addr().expect("an address").port()));
        let (asked, stopped) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let server = Self { address, tls: tls.is_some(), asked: asked.clone(), stopped: stopped.clone() };
        let handler: Arc<Handler> = Arc::new(handler);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if stopped.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(stream) = stream else { continue };
                stream.set_nodelay(true).expect("a stream");
                let (tls, handler, asked) = (tls.clone(), handler.clone(), asked.clone());
                std::thread::spawn(move || match tls {
                    None => serve(stream, &*handler, &asked),
                    Some(config) => {
                        let connection = ServerConnection::new(config).expect("a connection");
                        serve(StreamOwned::new(connection, stream), &*handler, &asked);
                    }
                });
            }
        });
        server
    }

    /// Its address with a path.
    pub fn url(&self, path: &str) -> String {
        format!("{}://{}{path}", if self.tls { "https" } else { "http" }, self.address)
    }

    /// All requests so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().expect("no panic").clone()
    }
}

impl Drop for FakeServer {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
        // Wakes the listener.
        drop(TcpStream::connect(self.address));
    }
}

fn serve(stream: impl Read + Write, handler: &Handler, asked: &Mutex<Vec<Asked>>) {
    let mut stream = BufReader::new(stream);
    while let Some(request) = read_request(&mut stream) {
        let before = {
            let mut asked = asked.lock().expect("no panic");
            asked.push(request.clone());
            asked.len() - 1
        };
        let reply = handler(&request, before);
        if reply.drop {
            return;
        }
        if reply.hang {
            // Until the client closes.
            let _ = stream.read(&mut [0; 1]);
            return;
        }
        if !matches!(reply.write(stream.get_mut()), Ok(true)) {
            if reply.stall {
                let _ = stream.read(&mut [0; 1]);
            }
            return;
        }
    }
}

fn read_request(stream: &mut impl BufRead) -> Option<Asked> {
    let mut line = String::new();
    stream.read_line(&mut line).ok().filter(|bytes| *bytes > 0)?;
    let mut words = line.split_whitespace().map(str::to_owned);
    let (method, target) = (words.next()?, words.next()?);
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).ok().filter(|bytes| *bytes > 0)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.push((name.to_lowercase(), value.trim().to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length").map_or(0, |(_, n)| n.parse().expect("a length"));
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    Some(Asked { method, target, headers, body: String::from_utf8(body).expect("UTF-8") })
}
