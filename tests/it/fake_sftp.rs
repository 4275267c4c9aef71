//! A real OpenSSH server on a port of its own, with keys of its own, and a proxy before it that can cut connections. Where
//! no server is installed, tests that need it say so and do nothing.

use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rosterd::base::Secret;
use rosterd::source::{SftpAddress, SftpAuth, SftpSettings};
use tempfile::TempDir;

/// See the module.
pub struct Sshd {
    dir: TempDir,
    port: u16,
    child: Child,
    user: String,
    /// The fingerprint of its host key.
    pub host_key: String,
}

fn installed() -> Option<PathBuf> {
    ["/usr/sbin/sshd", "/usr/local/sbin/sshd", "/usr/bin/sshd"].iter().map(PathBuf::from).find(|path| path.exists())
}

fn output(command: &mut Command) -> String {
    let done = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(done.status.success(), "{command:?}: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).expect("UTF-8")
}

/// A new key: the private one's file, and the fingerprint.
fn keygen(file: &Path, kind: &str, passphrase: &str) -> String {
    output(Command::new("ssh-keygen").args(["-q", "-t", kind, "-N", passphrase, "-f"]).arg(file));
    let told = output(Command::new("ssh-keygen").arg("-lf").arg(file.with_extension("pub")));
    told.split_whitespace().nth(1).expect("a fingerprint").to_owned()
}

impl Sshd {
    /// Starts one with an ed25519 host key; `None`, said aloud, where none is installed.
    pub fn start() -> Option<Self> {
        Self::start_with("ed25519")
    }

    /// The same with another kind of host key.
    pub fn start_with(kind: &str) -> Option<Self> {
        let Some(sshd) = installed() else {
            eprintln!("LEFT OUT: no sshd is installed (Debian: openssh-server), SFTP is not tested");
            return None;
        };
        let dir = tempfile::tempdir().expect("a folder");
        let at = |name: &str| dir.path().join(name);
        let host_key = keygen(&at("host"), kind, "");
        keygen(&at("user"), "ed25519", "");
        keygen(&at("locked"), "ecdsa", "hunter2");
        keygen(&at("stranger"), "ed25519", "");
        let authorized = [at("user.pub"), at("locked.pub")].map(|file| fs::read_to_string(file).expect("a key")).concat();
        fs::write(at("authorized"), authorized).expect("written");
        fs::create_dir(at("out")).expect("made");
        // Only its own process needs it, and only as root.
        let _ = fs::create_dir_all("/run/sshd");
        let user = output(Command::new("id").arg("-un")).trim().to_owned();
        for _ in 0..20 {
            let port = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port").port();
            let place = dir.path().display();
            let config = format!(
                "ListenAddress 127.0.0.1:{port}\nHostKey {place}/host\nAuthorizedKeysFile {place}/authorized\n\
                 PidFile none\nStrictModes no\nUsePAM no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n\
                 PermitRootLogin yes\nLogLevel VERBOSE\nSubsystem sftp internal-sftp\n"
            );
            fs::write(at("config"), config).expect("written");
            let log = fs::File::create(at("log")).expect("a log");
            let mut child = Command::new(&sshd)
                .args(["-D", "-e", "-f"])
                .arg(at("config"))
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(log)
                .spawn()
                .expect("started");
            let began = Instant::now();
            while began.elapsed() < Duration::from_secs(20) && child.try_wait().expect("a state").is_none() {
                if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                    return Some(Self { dir, port, child, user, host_key });
                }
                std::thread::sleep(Duration::from_millis(20));
            }
            let _ = child.kill();
            let _ = child.wait();
        }
        panic!("sshd does not start: {}", fs::read_to_string(at("log")).unwrap_or_default());
    }

    /// The folder that it serves.
    pub fn folder(&self) -> PathBuf {
        self.dir.path().join("out")
    }

    /// What it wrote down.
    pub fn log(&self) -> String {
        fs::read_to_string(self.dir.path().join("log")).expect("a log")
    }

    /// A private key: `user`, `locked` (with a passphrase) or `stranger`.
    pub fn key(&self, name: &str) -> Secret {
        Secret::new(fs::read_to_string(self.dir.path().join(name)).expect("a key"))
    }

    /// How to sign in, for a path below its folder.
    pub fn settings(&self, path: &str) -> SftpSettings {
        let path = self.folder().join(path).display().to_string().trim_end_matches('/').to_owned();
        SftpSettings {
            at: SftpAddress { host: "127.0.0.1".into(), port: self.port, path },
            user: Secret::new(self.user.clone()),
            host_keys: vec![self.host_key.clone()],
            auth: SftpAuth::Key { key: self.key("user"), passphrase: None },
        }
    }

    /// The address in the form of the settings.
    pub fn address(&self, path: &str) -> String {
        format!("sftp://127.0.0.1:{}{}/{path}", self.port, self.folder().display())
    }

    /// Whom to sign in as.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// Where it listens.
    pub fn socket(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.port))
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Decides, with the number of a connection (from 0) and the bytes that came from the server so far, whether it stays open.
type Keep = dyn Fn(u32, u64) -> bool + Send + Sync;

/// Passes connections on, and looks at what comes back.
pub struct Proxy {
    pub port: u16,
    stopped: Arc<AtomicBool>,
    passed: Arc<AtomicU64>,
}

impl Proxy {
    pub fn before(server: SocketAddr, keep: impl Fn(u32, u64) -> bool + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let (stopped, passed) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let keep: Arc<Keep> = Arc::new(keep);
        std::thread::spawn({
            let (stopped, passed) = (stopped.clone(), passed.clone());
            move || {
                for (number, client) in (0..).zip(listener.incoming()) {
                    if stopped.load(Ordering::SeqCst) {
                        return;
                    }
                    let (Ok(client), Ok(server)) = (client, TcpStream::connect(server)) else { continue };
                    let (keep, passed) = (keep.clone(), passed.clone());
                    let (mut up_from, mut up_to) = (client.try_clone().expect("a twin"), server.try_clone().expect("a twin"));
                    std::thread::spawn(move || {
                        let _ = std::io::copy(&mut up_from, &mut up_to);
                        let _ = up_to.shutdown(Shutdown::Both);
                    });
                    std::thread::spawn(move || pass(number, server, client, &*keep, &passed));
                }
            }
        });
        Self { port, stopped, passed }
    }

    /// Bytes that came from the server, over all connections.
    pub fn passed(&self) -> u64 {
        self.passed.load(Ordering::SeqCst)
    }
}

fn pass(number: u32, mut server: TcpStream, mut client: TcpStream, keep: &Keep, passed: &AtomicU64) {
    let mut buffer = vec![0; 16 << 10];
    let mut count = 0u64;
    while let Ok(read) = server.read(&mut buffer) {
        count += read as u64;
        passed.fetch_add(read as u64, Ordering::SeqCst);
        if read == 0 || !keep(number, count) || client.write_all(&buffer[..read]).is_err() {
            break;
        }
    }
    let _ = client.shutdown(Shutdown::Both);
    let _ = server.shutdown(Shutdown::Both);
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
        // Wakes the listener.
        drop(TcpStream::connect(("127.0.0.1", self.port)));
    }
}

/// Does something once.
pub fn once(act: impl FnOnce() + Send + 'static) -> impl Fn() + Send + Sync + 'static {
    let act = Mutex::new(Some(act));
    move || {
        if let Some(act) = act.lock().expect("no panic").take() {
            act();
        }
    }
}
