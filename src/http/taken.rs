//! A connection whose peer takes what is written to it, or is given up: hyper itself waits for ever.

use std::future::Future;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// See the module.
pub struct Taken<S> {
    stream: S,
    /// A write that waits for so long is given up.
    limit: Duration,
    /// When the one that waits now is.
    until: Option<Pin<Box<Sleep>>>,
}

impl<S> Taken<S> {
    /// A connection with a limit.
    pub fn new(stream: S, limit: Duration) -> Self {
        Self { stream, limit, until: None }
    }

    /// Whatever goes on starts the time anew.
    fn in_time<T>(&mut self, context: &mut Context<'_>, polled: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if polled.is_ready() {
            self.until = None;
            return polled;
        }
        let limit = self.limit;
        let until = self.until.get_or_insert_with(|| Box::pin(sleep(limit)));
        until.as_mut().poll(context).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Taken<S> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Taken<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.in_time(context, polled)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write_vectored(context, bytes);
        self.in_time(context, polled)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_flush(context);
        self.in_time(context, polled)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_shutdown(context);
        self.in_time(context, polled)
    }
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;
    use std::time::Duration;

    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
    use tokio::time::sleep;

    use crate::http::taken::Taken;

    #[tokio::test]
    async fn who_takes_a_little_now_and_then_is_waited_for_and_who_takes_nothing_is_not() {
        let (near, mut far) = duplex(16);
        let mut near = Taken::new(near, Duration::from_millis(400));
        let reader = tokio::spawn(async move {
            let mut piece = [0; 16];
            for _ in 0..8 {
                sleep(Duration::from_millis(100)).await;
                far.read_exact(&mut piece).await.expect("a piece");
            }
            far
        });
        near.write_all(&[7; 8 * 16]).await.expect("slower than the limit in all, never for so long at once");
        let _far = reader.await.expect("it read");
        near.write_all(&[7; 16]).await.expect("there is room");
        assert_eq!(near.write_all(&[7]).await.map_err(|error| error.kind()), Err(ErrorKind::TimedOut));
    }
}
