//! How a run goes on, as server-sent events: its state at once, then each time something of it changed, until it is over.

use std::time::Duration;

use axum::body::Body;
use axum::http::HeaderMap;
use tokio::time::{Instant, timeout};

use crate::base::RunId;
use crate::http::access::Deed;
use crate::http::ask::Door;
use crate::http::pipe::pipe;
use crate::http::problem::Problem;
use crate::shape::RunJson;

/// So often a run is looked at.
const LOOK: Duration = Duration::from_millis(500);

/// After so long without news a comment shows that the connection lives.
const SIGN_OF_LIFE: Duration = Duration::from_secs(15);

/// So long is a run followed; who still wants to know asks again.
const WATCH_MAX: Duration = Duration::from_secs(900);

/// Follows a run in the name of a token, as long as that is good.
///
/// # Errors
/// When too many are followed.
pub fn follow(door: &Door, token: u64, headers: HeaderMap, deed: Deed, run: RunId) -> Result<Body, Problem> {
    let place = door.watch(token)?;
    let (pipe, body) = pipe(WATCH_MAX + SIGN_OF_LIFE);
    let door = door.clone();
    tokio::spawn(async move {
        let (began, mut stopped) = (Instant::now(), door.stopped());
        let (mut told, mut silent) = (String::new(), Instant::now());
        while began.elapsed() < WATCH_MAX {
            let looked = door.ask_on(&headers, deed, move |asking| {
                let row = asking.run(run.0)?;
                let json = serde_json::to_string(&RunJson::seen(&row, asking.sees_people())).unwrap_or_default();
                Ok((json, row.state.is_over()))
            });
            let news = match looked.await {
                Ok((json, is_over)) if json != told || is_over => {
                    let event = if is_over { "over" } else { "run" };
                    let text = format!("event: {event}\ndata: {json}\n\n");
                    told = json;
                    Some((text, is_over))
                }
                Ok(_) => None,
                // Too much at once: it is looked at again.
                Err(problem) if problem.retry_after_secs.is_some() => None,
                // The token is no longer good.
                Err(_) => break,
            };
            let alive = || (silent.elapsed() > SIGN_OF_LIFE).then(|| (": still the same\n\n".to_owned(), false));
            if let Some((text, is_over)) = news.or_else(alive) {
                silent = Instant::now();
                if !pipe.send(text.into_bytes()).await || is_over {
                    break;
                }
            }
            if timeout(LOOK, stopped.changed()).await.is_ok() {
                break;
            }
        }
        pipe.end().await;
        drop(place);
    });
    Ok(body)
}
