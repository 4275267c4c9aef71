//! A file at an address: asked for on condition that it is not the one we know.

use std::fs::File;

use reqwest::header::HeaderMap;

use crate::source::api::SourceError;
use crate::source::fault::{because, unreachable};
use crate::source::fetch::known::Marks;
use crate::source::fetch::settings::{FetchSettings, FileAuth, Place};
use crate::source::http::{
    Ask, Authorize, Basic, Bearer, FileTo, Http, HttpError, HttpSettings, Into, Network, Nobody, unix_secs,
};

/// What a server said.
pub(crate) enum Asked {
    /// It still is the known file.
    Unchanged,
    /// All of the file came.
    Whole { tag: Option<String>, since: Option<String> },
}

/// Asks for the file, on condition that its marks are not the known ones.
pub(crate) fn ask(
    settings: &FetchSettings,
    network: &Network,
    known: Option<&Marks>,
    into: &mut File,
) -> Result<Asked, SourceError> {
    let Place::Https { address, .. } = &settings.place else { return Ok(Asked::Unchanged) };
    ask_into(settings, network, known, Into::File(FileTo { file: into, address: address.clone() }))
}

fn ask_into(settings: &FetchSettings, network: &Network, known: Option<&Marks>, into: Into<'_>) -> Result<Asked, SourceError> {
    let Place::Https { address, auth } = &settings.place else { return Ok(Asked::Unchanged) };
    let failed = |cause| SourceError::Upstream { what: "the file", upstream: address.clone(), cause: Box::new(cause) };
    let bounds = HttpSettings { packed: false, body_bytes_max: settings.file_bytes_max, ..settings.http.clone() };
    let http = Http::new(network, address, &bounds).map_err(failed)?;
    let auth: Box<dyn Authorize> = match auth {
        FileAuth::None => Box::new(Nobody),
        FileAuth::Basic { user, password } => Box::new(Basic { user: user.clone(), password: password.clone() }),
        FileAuth::Bearer(token) => Box::new(Bearer(token.clone())),
    };
    let mut headers = vec![("accept-encoding", "identity")];
    if let Some(marks) = known {
        headers.extend(marks.tag.as_deref().map(|tag| ("if-none-match", tag)));
        headers.extend(marks.since.as_deref().map(|since| ("if-modified-since", since)));
    }
    let mut what = Ask { form: None, accept: "*/*", headers: &headers, into };
    let answer = match http.ask(&*auth, &mut |_| http.base().clone(), &mut what) {
        Ok(answer) => answer,
        Err(HttpError::Status { refusal, .. }) if refusal.status == 304 && headers.len() > 1 => {
            // Whoever has stopped writing it is told by nothing else.
            let since = told(&refusal.headers).or(known.and_then(|marks| marks.since.as_deref()));
            check_age(settings, address, since, network)?;
            return Ok(Asked::Unchanged);
        }
        Err(error) => return Err(failed(error)),
    };
    check_age(settings, address, told(&answer.headers), network)?;
    let text = |name| answer.header(name).map(str::to_owned);
    Ok(Asked::Whole { tag: text("etag"), since: text("last-modified") })
}

/// The beginning of the file, for `rosterd check`.
pub(crate) fn peek(settings: &FetchSettings, network: &Network) -> Result<Vec<u8>, SourceError> {
    let mut head = Vec::new();
    ask_into(settings, network, None, Into::Head(&mut head))?;
    Ok(head)
}

/// `Last-Modified`.
fn told(headers: &HeaderMap) -> Option<&str> {
    headers.get("last-modified").and_then(|value| value.to_str().ok())
}

fn check_age(settings: &FetchSettings, address: &str, since: Option<&str>, network: &Network) -> Result<(), SourceError> {
    let Some(hours_max) = settings.age_hours_max else { return Ok(()) };
    let modified = since.and_then(unix_secs).and_then(|secs| i64::try_from(secs).ok());
    let Some(modified) = modified else { return Ok(()) };
    let hours = (network.pace().now().0 / 1000).saturating_sub(modified) / 3600;
    if hours <= i64::from(hours_max) {
        return Ok(());
    }
    let why = format!("the file is {hours} h old, more than max_age_hours = {hours_max}");
    Err(unreachable(address.to_owned(), because(why)))
}
