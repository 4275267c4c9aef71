//! The body of a question, of a bounded length and in bounded time.

use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody, to_bytes};
use axum::http::StatusCode;

use crate::http::problem::Problem;

/// So long may a body take to come.
pub const BODY_TIME_MAX: Duration = Duration::from_secs(30);

/// All of a body.
///
/// # Errors
/// If it is longer, or does not come within the time.
pub async fn whole(body: Body, bytes_max: usize, time_max: Duration) -> Result<Bytes, Problem> {
    let too_large = || {
        let detail = format!("a body is at most {bytes_max} bytes long here");
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail)
    };
    if body.size_hint().lower() > bytes_max as u64 {
        return Err(too_large());
    }
    match tokio::time::timeout(time_max, to_bytes(body, bytes_max)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(_)) => Err(too_large()),
        Err(_) => {
            let detail = format!("the body did not come within {} seconds", time_max.as_secs());
            Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "too_slow", detail))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use axum::body::Body;

    use crate::http::body::whole;
    use crate::http::pipe::pipe;

    #[tokio::test]
    async fn a_body_is_whole_short_and_in_time_or_it_is_none() {
        const SOON: Duration = Duration::from_millis(50);
        assert_eq!(whole(Body::from("abc"), 3, SOON).await.as_deref(), Ok(b"abc".as_slice()));
        let why = |told: Result<_, crate::http::problem::Problem>| told.map_err(|why| (why.status.as_u16(), why.code));
        assert_eq!(why(whole(Body::from("abcd"), 3, SOON).await), Err((413, "too_large")));
        // One that does not say how long it is, and stops in its middle.
        let (pipe, body) = pipe(Duration::from_secs(60));
        assert!(pipe.send(b"ab".to_vec()).await);
        assert_eq!(why(whole(body, 3, SOON).await), Err((408, "too_slow")));
        let (pipe, body) = crate::http::pipe::pipe(Duration::from_secs(60));
        assert!(pipe.send(b"abcd".to_vec()).await);
        assert_eq!(why(whole(body, 3, SOON).await), Err((413, "too_large")));
    }
}
