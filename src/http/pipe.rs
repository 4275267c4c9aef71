//! A body that is written while it is read: by a thread that asks the books, or by a task that waits for news.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use hyper::body::Frame;
use tokio::sync::mpsc;

/// So many pieces wait for a reader; then the writer waits.
const PIECES_MAX: usize = 8;

/// A reader who takes nothing for so long is given up.
const READER_TIME_MAX: Duration = Duration::from_secs(60);

/// The end that is written.
pub struct Pipe {
    pieces: mpsc::Sender<io::Result<Bytes>>,
}

struct Pieces {
    pieces: mpsc::Receiver<io::Result<Bytes>>,
}

/// A pipe, and the body that reads from it.
pub fn pipe() -> (Pipe, Body) {
    let (sender, receiver) = mpsc::channel(PIECES_MAX);
    (Pipe { pieces: sender }, Body::new(Pieces { pieces: receiver }))
}

impl Pipe {
    /// Writes a piece; `false`: nobody reads any more. Waits for a slow reader, so call it on a thread that may block.
    pub fn write(&self, piece: Vec<u8>) -> bool {
        tokio::runtime::Handle::current().block_on(self.send(piece))
    }

    /// The same in a task.
    pub async fn send(&self, piece: Vec<u8>) -> bool {
        self.pieces.send_timeout(Ok(piece.into()), READER_TIME_MAX).await.is_ok()
    }

    /// Lets the reader see that the end is missing.
    pub fn break_off(&self) {
        // A reader who left, or reads nothing, sees it anyway.
        let _ = self.pieces.try_send(Err(io::Error::other("the answer broke off")));
    }
}

impl hyper::body::Body for Pieces {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        self.pieces.poll_recv(context).map(|piece| piece.map(|piece| piece.map(Frame::data)))
    }
}
