//! Stands between a store and its PostgreSQL: it loses an answer, or lets nobody through, where a test says so.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rosterd::base::Secret;
use rosterd::store::PostgresChoice;
use tempfile::TempDir;

use crate::cluster::Database;

pub struct Between {
    _folder: TempDir,
    url: String,
    wishes: Arc<Wishes>,
}

#[derive(Default)]
struct Wishes {
    loses: AtomicBool,
    shut: AtomicBool,
    frozen: AtomicBool,
}

impl Between {
    pub fn of(database: &Database) -> Self {
        let url = database.url();
        let (server, name) = url.split_once('@').and_then(|(_, rest)| rest.split_once('/')).expect("a socket");
        let (server, port) = server.rsplit_once(':').expect("a port");
        let server = PathBuf::from(server.replace("%2F", "/")).join(format!(".s.PGSQL.{port}"));
        let folder = tempfile::tempdir().expect("a folder");
        let socket = folder.path().display().to_string().replace('/', "%2F");
        let listener = UnixListener::bind(folder.path().join(".s.PGSQL.5432")).expect("a socket");
        let wishes = Arc::new(Wishes::default());
        let between = Self { url: format!("postgres://rosterd@{socket}/{name}"), _folder: folder, wishes: wishes.clone() };
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if !wishes.shut.load(Ordering::SeqCst) {
                    // Who comes while it is frozen is accepted, and hears nothing.
                    pass(client, UnixStream::connect(&server).expect("a server"), wishes.clone());
                }
            }
        });
        between
    }

    /// The way through.
    pub fn choice(&self) -> PostgresChoice {
        PostgresChoice { connect_secs_max: 1, ..PostgresChoice::at(Secret::new(self.url.clone())) }
    }

    /// The next thing that is written is committed, and whoever wrote it never hears of it.
    pub fn lose_commit(&self) {
        self.wishes.loses.store(true, Ordering::SeqCst);
    }

    /// Whether nothing passes any more, while all connections stay and new ones are accepted.
    pub fn freeze(&self, whether: bool) {
        self.wishes.frozen.store(whether, Ordering::SeqCst);
    }

    /// Whether nobody is let through any more.
    pub fn shut(&self, whether: bool) {
        self.wishes.shut.store(whether, Ordering::SeqCst);
    }
}

impl Wishes {
    fn until_thawed(&self) {
        while self.frozen.load(Ordering::SeqCst) {
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
    }
}

fn pass(client: UnixStream, server: UnixStream, wishes: Arc<Wishes>) {
    let silent = Arc::new(AtomicBool::new(false));
    let (mut from, mut to) = (client.try_clone().expect("a socket"), server.try_clone().expect("a socket"));
    let (mut back_from, mut back_to, is_silent, back_wishes) = (server, client, silent.clone(), wishes.clone());
    std::thread::spawn(move || {
        let (mut buffer, mut writes) = (vec![0; 1 << 16], false);
        while let Ok(len @ 1..) = from.read(&mut buffer) {
            wishes.until_thawed();
            let says = |words: &[u8]| buffer[..len].windows(words.len()).any(|found| found == words);
            writes = says(b"READ COMMITTED") || (writes && !says(b"READ ONLY"));
            if writes && says(b"COMMIT\0") && wishes.loses.swap(false, Ordering::SeqCst) {
                silent.store(true, Ordering::SeqCst);
            }
            if to.write_all(&buffer[..len]).is_err() {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Both);
    });
    std::thread::spawn(move || {
        let mut buffer = vec![0; 1 << 16];
        while let Ok(len @ 1..) = back_from.read(&mut buffer) {
            back_wishes.until_thawed();
            if is_silent.load(Ordering::SeqCst) || back_to.write_all(&buffer[..len]).is_err() {
                break;
            }
        }
        let _ = back_to.shutdown(Shutdown::Both);
        let _ = back_from.shutdown(Shutdown::Both);
    });
}
