//! A body that is written while it is read: by a thread that asks the books, or by a task that waits for news.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use hyper::body::Frame;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::time::Instant;

/// So many pieces wait for a reader; then the writer waits.
const PIECES_MAX: usize = 8;

/// A reader who takes nothing for so long is given up.
const READER_TIME_MAX: Duration = Duration::from_secs(60);

/// What goes through.
enum Piece {
    Bytes(Bytes),
    End,
}

/// The end that is written. A pipe that is dropped before its end was said shows its reader that something is missing.
pub struct Pipe {
    pieces: mpsc::Sender<Piece>,
    /// Whoever has not read all by then is given up, too.
    until: Instant,
    /// A piece was lost.
    lost: AtomicBool,
    /// Given back with the first piece.
    kept: Mutex<Option<OwnedSemaphorePermit>>,
}

struct Pieces {
    pieces: mpsc::Receiver<Piece>,
    ended: bool,
}

/// A pipe that is open for so long at most, and the body that reads from it.
pub fn pipe(time_max: Duration) -> (Pipe, Body) {
    let (sender, receiver) = mpsc::channel(PIECES_MAX);
    let pipe = Pipe { pieces: sender, until: Instant::now() + time_max, lost: AtomicBool::new(false), kept: Mutex::default() };
    (pipe, Body::new(Pieces { pieces: receiver, ended: false }))
}

impl Pipe {
    /// The same pipe, which keeps a place until the first piece is written.
    pub fn keeping(self, place: OwnedSemaphorePermit) -> Self {
        Self { kept: Mutex::new(Some(place)), ..self }
    }

    /// Writes a piece; `false`: nobody reads any more. Waits for a slow reader, so call it on a thread that may block.
    pub fn write(&self, piece: Vec<u8>) -> bool {
        tokio::runtime::Handle::current().block_on(self.send(piece))
    }

    /// The same in a task.
    pub async fn send(&self, piece: Vec<u8>) -> bool {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).take();
        let sent = self.pieces.send_timeout(Piece::Bytes(piece.into()), self.patience()).await.is_ok();
        if !sent || self.patience().is_zero() {
            self.lost.store(true, Ordering::Relaxed);
        }
        !self.lost.load(Ordering::Relaxed)
    }

    fn patience(&self) -> Duration {
        READER_TIME_MAX.min(self.until.saturating_duration_since(Instant::now()))
    }

    /// Says that this was all, if it was. Waits as [`Pipe::write`] does.
    pub fn close(&self) {
        tokio::runtime::Handle::current().block_on(self.end());
    }

    /// The same in a task.
    pub async fn end(&self) {
        if !self.lost.load(Ordering::Relaxed) {
            // A reader who is gone needs no end.
            let _ = self.pieces.send_timeout(Piece::End, self.patience()).await;
        }
    }
}

impl hyper::body::Body for Pieces {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if self.ended {
            return Poll::Ready(None);
        }
        let Poll::Ready(piece) = self.pieces.poll_recv(context) else { return Poll::Pending };
        Poll::Ready(match piece {
            Some(Piece::Bytes(bytes)) => Some(Ok(Frame::data(bytes))),
            Some(Piece::End) => {
                self.ended = true;
                None
            }
            None => {
                self.ended = true;
                Some(Err(io::Error::other("the answer broke off")))
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use axum::body::to_bytes;
    use tokio::sync::Semaphore;
    use tokio::time::sleep;

    use crate::http::pipe::pipe;

    #[tokio::test]
    async fn a_place_is_kept_until_the_first_piece_and_no_longer_than_the_pipe() {
        let places = Arc::new(Semaphore::new(2));
        let place = || Arc::clone(&places).try_acquire_owned().expect("a place");
        let (near, body) = pipe(Duration::from_secs(60));
        let near = near.keeping(place());
        let (other, _unread) = pipe(Duration::from_secs(60));
        let other = other.keeping(place());
        assert_eq!(places.available_permits(), 0);
        assert!(near.send(b"one".to_vec()).await);
        assert_eq!(places.available_permits(), 1, "though nobody has read it");
        drop(other);
        assert_eq!(places.available_permits(), 2);
        drop((near, body));
    }

    #[tokio::test]
    async fn a_pipe_is_open_for_so_long_however_fast_it_is_read() {
        let (near, body) = pipe(Duration::from_millis(200));
        let reader = tokio::spawn(to_bytes(body, usize::MAX));
        assert!(near.send(b"one".to_vec()).await);
        sleep(Duration::from_millis(250)).await;
        assert!(!near.send(b"two".to_vec()).await, "its time is over");
        near.end().await;
        drop(near);
        assert!(reader.await.expect("it ends").is_err(), "whoever reads sees that something is missing");
        let (near, body) = pipe(Duration::from_secs(60));
        let reader = tokio::spawn(to_bytes(body, usize::MAX));
        assert!(near.send(b"all".to_vec()).await);
        near.end().await;
        assert_eq!(reader.await.expect("it ends").expect("whole"), b"all".as_slice());
    }
}
