//! Readers: each a thread with a connection of its own that it keeps, as a dashboard does.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// So long may an answer take before the reader calls it lost.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often a reader that waits for its turn looks whether it is to go.
const STEP: Duration = Duration::from_millis(20);

/// What is asked, of whom.
#[derive(Clone)]
pub struct Door {
    /// Address and port.
    pub address: String,
    /// The text of a token.
    pub token: String,
}

impl Door {
    /// A connection to ask by.
    ///
    /// # Errors
    /// As the network says.
    pub fn connect(&self) -> io::Result<BufReader<TcpStream>> {
        let stream = TcpStream::connect(&self.address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(BufReader::new(stream))
    }

    /// Asks once; the status and the body.
    ///
    /// # Errors
    /// As the network says, and where the answer is none of HTTP.
    pub fn ask(&self, way: &mut BufReader<TcpStream>, method: &str, path: &str, body: &str) -> io::Result<(u16, Vec<u8>)> {
        let (Self { address, token }, length) = (self, body.len());
        let head = format!("{method} {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\n");
        let about = format!("Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}");
        way.get_mut().write_all(format!("{head}{about}").as_bytes())?;
        let (mut line, mut status, mut bytes) = (String::new(), None, 0);
        loop {
            line.clear();
            if way.read_line(&mut line)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let told = line.trim_end();
            match status {
                None => status = told.split(' ').nth(1).and_then(|status| status.parse().ok()),
                Some(_) if told.is_empty() => break,
                Some(_) => {
                    let length = told.to_ascii_lowercase();
                    bytes = length.strip_prefix("content-length:").map_or(bytes, |length| length.trim().parse().unwrap_or(0));
                }
            }
        }
        let mut body = vec![0; bytes];
        way.read_exact(&mut body)?;
        Ok((status.unwrap_or(0), body))
    }
}

/// How reads went.
#[derive(Debug, Default)]
pub struct Reads {
    /// How long each took that was answered, shortest first. Of a reader that keeps a pace it counts from when it was to ask.
    pub took: Vec<Duration>,
    /// How many were answered otherwise than with what was asked, or not at all.
    pub refused: usize,
}

impl Reads {
    /// What so many of a hundred were not above.
    pub fn percentile(&self, percent: usize) -> Duration {
        let place = (self.took.len() * percent).div_ceil(100).saturating_sub(1);
        self.took.get(place).copied().unwrap_or_default()
    }

    /// Both together.
    pub fn with(mut self, other: Reads) -> Reads {
        self.took.extend(other.took);
        self.took.sort_unstable();
        self.refused += other.refused;
        self
    }
}

/// Readers at work.
pub struct Crowd {
    is_over: Arc<AtomicBool>,
    readers: Vec<JoinHandle<io::Result<Reads>>>,
}

impl Crowd {
    /// So many readers begin to ask for a path: each once in `pace`, evenly spread over it, or with `None` again as soon as it
    /// has its answer.
    pub fn gather(readers: u32, pace: Option<Duration>, door: &Door, path: &str) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let began = Instant::now();
        let reader = |number: u32| {
            let (is_over, door, path) = (Arc::clone(&is_over), door.clone(), path.to_owned());
            let first = began + pace.map_or(Duration::ZERO, |pace| pace * number / readers);
            thread::spawn(move || read(&door, &path, (first, pace), &is_over))
        };
        Self { readers: (0..readers).map(reader).collect(), is_over }
    }

    /// Sends them home and adds up what they saw.
    ///
    /// # Errors
    /// When one of them could not go on.
    pub fn disperse(self) -> io::Result<Reads> {
        self.is_over.store(true, Ordering::Release);
        let mut all = Reads::default();
        for reader in self.readers {
            all = all.with(reader.join().map_err(|_| io::Error::other("a reader broke off"))??);
        }
        Ok(all)
    }
}

fn read(door: &Door, path: &str, (mut due, pace): (Instant, Option<Duration>), is_over: &AtomicBool) -> io::Result<Reads> {
    let (mut way, mut reads) = (door.connect()?, Reads::default());
    loop {
        while !is_over.load(Ordering::Acquire) && Instant::now() < due {
            thread::sleep(STEP.min(due.saturating_duration_since(Instant::now())));
        }
        if is_over.load(Ordering::Acquire) {
            return Ok(reads);
        }
        let (status, _) = door.ask(&mut way, "GET", path, "")?;
        if status == 200 {
            reads.took.push(due.elapsed());
        } else {
            reads.refused += 1;
        }
        due = pace.map_or_else(Instant::now, |pace| due + pace);
    }
}
