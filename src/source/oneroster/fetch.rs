//! Pages from a provider to the shelf, collection by collection, each until it is proven complete. Only what is used of a
//! page is kept.

use std::collections::BTreeSet;
use std::sync::Arc;

use reqwest::Url;
use reqwest::header::HeaderMap;
use serde::{Deserialize, Serialize};

use crate::roster::Room;
use crate::source::api::SourceError;
use crate::source::aside::{Aside, Unkept};
use crate::source::http::{Answer, Attempt, Authorize, Http, HttpError};
use crate::source::narrow::narrowed;
use crate::source::oneroster::collection::{PageFacts, Proof, Step};
use crate::source::oneroster::endpoint::Endpoint;
use crate::source::oneroster::page::each_record;
use crate::source::oneroster::refusal::minor_codes;
use crate::source::oneroster::settings::ReadSettings;
use crate::source::oneroster::sign::encoded;
use crate::source::oneroster::wire::{FIELDS, IdWire};
use crate::source::shelf::{Shelf, has_moved};

/// How often a collection that does not add up is read from its beginning.
const TRIES_MAX: u32 = 3;
/// What does not add up where a collection was gone on with.
const MOVED: &str = "records moved since it was broken off";
/// Pages that are too heavy are halved down to so many records.
const PAGE_ROWS_MIN: u32 = 50;
/// The revision of a provider's whole data set (classlink §4).
pub(crate) const REVISION: &str = "x-perm-rev";
/// What a provider masks (classlink §6).
const MASKED: &str = "x-obfuscated";

/// Why a pull does not go on.
pub(crate) enum Stop {
    /// It failed.
    Failed(SourceError),
    /// The data set was exchanged in the meantime: everything is to be read again.
    Moved,
    /// The provider does not answer questions for changes.
    NoChanges,
}

/// What is kept of a page beside its body.
#[derive(Serialize, Deserialize)]
struct Head {
    endpoint: u8,
    offset: u64,
    count: Option<u64>,
    total: Option<u64>,
    next: Option<bool>,
    revision: Option<String>,
    masked: bool,
}

/// The pages of a complete collection on the shelf.
pub(crate) struct Stored {
    pub(crate) endpoint: Endpoint,
    /// Numbers of its pages.
    pub(crate) pages: std::ops::Range<u32>,
    /// Records.
    pub(crate) rows: u64,
    /// Some page says that its e-mail addresses are not the real ones.
    pub(crate) masked: bool,
}

/// A pull under way.
pub(crate) struct Fetch<'a> {
    pub(crate) http: &'a Http,
    pub(crate) auth: &'a dyn Authorize,
    pub(crate) settings: &'a ReadSettings,
    pub(crate) shelf: &'a mut Aside,
    /// What is used of answers.
    pub(crate) keys: Arc<BTreeSet<String>>,
    /// The number of the next page.
    pub(crate) number: u32,
    /// Pages of an earlier pull may still be on the shelf.
    pub(crate) resumes: bool,
    /// The ids of the last page that was there, which is asked for once more.
    pub(crate) again: Option<Ids>,
    /// The revision all pages must have.
    pub(crate) revision: Option<String>,
    /// Requests so far.
    pub(crate) requests: u32,
    /// Records asked for at once.
    pub(crate) limit: u32,
    /// Where very many ids go.
    pub(crate) room: Option<Arc<dyn Room>>,
}

impl Fetch<'_> {
    /// Reads a collection; `changed` is the moment since which records must have changed.
    pub(crate) fn collection(&mut self, endpoint: Endpoint, changed: Option<&str>) -> Result<Stored, Stop> {
        let from = self.number;
        let mut last = String::new();
        for _ in 0..TRIES_MAX {
            self.again = None;
            match self.try_collection(endpoint, changed)? {
                Ok((rows, masked)) => return Ok(Stored { endpoint, pages: from..self.number, rows, masked }),
                Err(why) => last = why,
            }
            self.number = from;
            self.shelf.cut(from);
            self.resumes = false;
        }
        Err(self.unusable(format!("{} did not add up, {TRIES_MAX} times in a row; the last time {last}", endpoint.word())))
    }

    /// How many records there are, and whether any are masked; inside, an error says what does not add up.
    fn try_collection(&mut self, endpoint: Endpoint, changed: Option<&str>) -> Result<Result<(u64, bool), String>, Stop> {
        let mut proof = Proof::new(changed.is_some(), self.room.clone());
        let mut masked = false;
        loop {
            let offset = proof.rows();
            let page = match self.kept(endpoint, offset) {
                Some(page) => page,
                None => match self.ask(endpoint, offset, changed, proof.has_all())? {
                    Some(page) => page,
                    // It refused what it gave before: there are fewer now.
                    None if self.again.is_some() => return Ok(Err(MOVED.to_owned())),
                    // Asked for what lies behind the last record, the server refused: as good as an empty page …
                    None if !proof.may_count_a_page() || self.counts_all(endpoint, changed, offset)? => {
                        return Ok(Ok((offset, masked)));
                    }
                    // … if it is known to be the last one.
                    None => {
                        return Ok(Err("what follows the first page was refused, and its total may be its size".to_owned()));
                    }
                },
            };
            let (head, ids) = page;
            if self.again.take().is_some_and(|known| has_moved(&known, &ids)) {
                return Ok(Err(MOVED.to_owned()));
            }
            if head.revision != self.revision {
                if self.revision.is_some() {
                    return Err(Stop::Moved);
                }
                self.revision.clone_from(&head.revision);
            }
            self.number += 1;
            masked |= head.masked;
            let facts = PageFacts { count: head.count, total: head.total, next: head.next };
            match proof.page(&ids, facts) {
                Step::More => {}
                Step::End => return Ok(Ok((proof.rows(), masked))),
                Step::Broken(why) => return Ok(Err(why)),
            }
        }
    }

    /// The page that an earlier pull left under the next number, if it is the one we would ask for. A page that proves
    /// nothing by itself cannot be told from one of another day; and without a revision the last one is asked for once more:
    /// whoever left in the meantime moved the others.
    fn kept(&mut self, endpoint: Endpoint, offset: u64) -> Option<(Head, Ids)> {
        if !self.resumes {
            return None;
        }
        let kept = self.shelf.page(self.number).and_then(|page| unpack(&page)).filter(|(head, _)| {
            head.endpoint == endpoint as u8 && head.offset == offset && (head.total.is_some() || head.revision.is_some())
        });
        let mut kept = kept.and_then(|(head, body)| Some((head, ids_of(&body, endpoint).ok().flatten()?)));
        if kept.as_ref().is_some_and(|(head, _)| head.revision.is_none()) && self.shelf.page(self.number + 1).is_none() {
            self.again = kept.take().map(|(_, ids)| ids);
        }
        if kept.is_none() {
            self.resumes = false;
            // What is asked for once more stays until its answer takes its place: whoever breaks off now loses nothing.
            self.shelf.cut(self.number + u32::from(self.again.is_some()));
        }
        kept
    }

    /// Whether the total of a collection that came as one page is that of all: it stays where fewer records come. Half as many
    /// are asked for, and, as some heed no limit, those from the middle on.
    fn counts_all(&mut self, endpoint: Endpoint, changed: Option<&str>, rows: u64) -> Result<bool, Stop> {
        let (half, limit) = (rows / 2, self.limit);
        let fewer = u32::try_from(half).unwrap_or(limit).min(limit);
        for (offset, mut limit) in [(0, fewer), (half, limit)] {
            let answer = match self.request(endpoint, offset, changed, &mut limit)? {
                Ok(answer) => answer,
                Err(error) if is_refused(&error) => continue,
                Err(error) => return Err(Stop::Failed(self.failed(endpoint, error))),
            };
            let came = self.ids(endpoint, &answer, false)?.len() as u64;
            if (1..rows).contains(&came) {
                return Ok(number(&answer.headers, "x-total-count") == Some(rows));
            }
        }
        Ok(false)
    }

    /// Asks for a page; one that is too heavy is asked for by halves, and `limit` tells by which.
    fn request(
        &mut self,
        endpoint: Endpoint,
        offset: u64,
        changed: Option<&str>,
        limit: &mut u32,
    ) -> Result<Result<Answer, HttpError>, Stop> {
        self.requests += 1;
        if self.requests > self.settings.pages_max {
            let why =
                format!("{} pages were read and there are more: the bound of max_pages is passed", self.settings.pages_max);
            return Err(self.unusable(why));
        }
        let base = self.http.base().clone();
        Ok(self.http.get(self.auth, |attempt: Attempt<'_>| {
            if attempt.because.is_some_and(HttpError::is_heavy) {
                *limit = (*limit / 2).max(PAGE_ROWS_MIN.min(*limit));
            }
            url(&base, endpoint, offset, *limit, changed, self.settings)
        }))
    }

    /// Asks for a page; `None` if it is refused and lies behind the end, or was there when an earlier pull asked.
    fn ask(
        &mut self,
        endpoint: Endpoint,
        offset: u64,
        changed: Option<&str>,
        has_all: bool,
    ) -> Result<Option<(Head, Ids)>, Stop> {
        let mut limit = self.limit;
        let answer = self.request(endpoint, offset, changed, &mut limit)?;
        // What was too heavy once is not asked for again in this pull.
        self.limit = limit;
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => {
                if is_refused(&error) && (offset > 0 && has_all || self.again.is_some()) {
                    return Ok(None);
                }
                if changed.is_some() && matches!(error.status(), Some(400 | 422 | 501)) {
                    return Err(Stop::NoChanges);
                }
                return Err(Stop::Failed(self.failed(endpoint, error)));
            }
        };
        let ids = self.ids(endpoint, &answer, changed.is_some())?;
        let head = Head {
            endpoint: endpoint as u8,
            offset,
            count: number(&answer.headers, "x-count"),
            total: number(&answer.headers, "x-total-count"),
            next: answer.header("link").and_then(names_next),
            revision: answer.header(REVISION).filter(|text| !text.is_empty()).map(str::to_owned),
            masked: answer.header(MASKED).is_some_and(masks_mail),
        };
        let start = postcard::to_stdvec(&head).map_err(|error| self.unusable(error.to_string()))?;
        let keys = self.keys.clone();
        let make = move || {
            let text = answer.text().map_err(|error| error.to_string())?;
            let body = narrowed(text, &keys).map_err(|error| answer.broken_json(&error).to_string())?;
            Ok([start, body.into_bytes()].concat())
        };
        self.shelf.put_later(self.number, make).map_err(|error| self.unkept(error))?;
        Ok(Some((head, ids)))
    }

    /// Waits until all pages are kept.
    pub(crate) fn settle(&mut self) -> Result<(), Stop> {
        self.shelf.settle().map_err(|error| self.unkept(error))
    }

    fn unkept(&self, error: Unkept) -> Stop {
        Stop::Failed(error.into_error(self.http.base().as_str()))
    }

    /// The ids in the list of an answer. Success is told by the list alone (oneroster-rest §10).
    fn ids(&self, endpoint: Endpoint, answer: &Answer, changes: bool) -> Result<Ids, Stop> {
        let failed = |error| Stop::Failed(self.failed(endpoint, error));
        let text = answer.text().map_err(failed)?;
        match ids_of(text, endpoint) {
            Ok(Some(ids)) => Ok(ids),
            Ok(None) => {
                let codes = minor_codes(text.as_bytes());
                if changes && codes.iter().any(|code| code == "invalid_filter_field") {
                    return Err(Stop::NoChanges);
                }
                let told =
                    if codes.is_empty() { "something else".to_owned() } else { format!("an error ({})", codes.join(", ")) };
                Err(self.unusable(format!("it answered with success and {told} instead of {}", endpoint.word())))
            }
            Err(error) => Err(failed(answer.broken_json(&error))),
        }
    }

    /// The error of the source for a failed request.
    pub(crate) fn failed(&self, endpoint: Endpoint, cause: HttpError) -> SourceError {
        let codes = cause.refusal().map(|refusal| minor_codes(&refusal.body)).unwrap_or_default();
        let upstream = self.http.base().as_str().to_owned();
        let field = "invalid_selection_field";
        if codes.iter().any(|code| code == field) && self.settings.fields {
            let why = format!("it does not know a field that was asked for ({field}); set fields = false");
            return SourceError::Unusable { upstream, why };
        }
        SourceError::Upstream { what: endpoint.word(), upstream, cause: Box::new(cause) }
    }

    fn unusable(&self, why: String) -> Stop {
        Stop::Failed(SourceError::Unusable { upstream: self.http.base().as_str().to_owned(), why })
    }
}

/// A page from the shelf: its body.
pub(crate) fn body_of(page: &[u8]) -> Option<String> {
    unpack(page).map(|(_, body)| body)
}

fn unpack(page: &[u8]) -> Option<(Head, String)> {
    let (head, body) = postcard::take_from_bytes(page).ok()?;
    Some((head, String::from_utf8(body.to_vec()).ok()?))
}

/// The hashes of the ids in a page; `None` for a record without one.
type Ids = Vec<Option<u64>>;

/// `None`: there is no list.
fn ids_of(text: &str, endpoint: Endpoint) -> Result<Option<Ids>, serde_json::Error> {
    let mut ids = Vec::new();
    let found = each_record(text, endpoint.word(), &mut |wire: IdWire<'_>| {
        ids.push(wire.id.text().map(|id| xxhash_rust::xxh3::xxh3_64(id.as_bytes())));
    })?;
    Ok(found.then_some(ids))
}

/// The keys of an answer that are used.
pub(crate) fn keys(settings: &ReadSettings) -> BTreeSet<String> {
    let lists = Endpoint::ALL.iter().map(|endpoint| endpoint.word());
    let used = FIELDS.iter().copied().filter(|field| *field != "metadata" || !settings.keep_metadata.is_empty());
    let kept = settings.keep_metadata.iter().filter_map(|full| full.strip_prefix("metadata."));
    lists.chain(used).chain(kept).map(str::to_owned).collect()
}

fn is_refused(error: &HttpError) -> bool {
    matches!(error.status(), Some(400 | 404 | 416 | 422))
}

fn number(headers: &HeaderMap, name: &str) -> Option<u64> {
    headers.get(name)?.to_str().ok()?.trim().parse().ok()
}

/// Whether e-mail addresses are among what is masked: a list of fields names them, any other word says that there is something.
fn masks_mail(told: &str) -> bool {
    let told = told.to_ascii_lowercase();
    match told.as_str() {
        "" | "0" | "false" | "no" | "none" => false,
        "1" | "true" | "yes" => true,
        fields => fields.contains("mail") || fields.contains("all"),
    }
}

/// Whether links name a next page; `None` if they cannot be understood. Only that is used of them: their hosts may be
/// internal ones (oneroster-rest §3).
fn names_next(links: &str) -> Option<bool> {
    let mut understood = false;
    for link in links.split(',') {
        let Some((_, parameters)) = link.split_once(';') else { continue };
        for parameter in parameters.split(';') {
            let Some((name, value)) = parameter.split_once('=') else { continue };
            if name.trim().eq_ignore_ascii_case("rel") {
                understood = true;
                if value.trim().trim_matches('"').eq_ignore_ascii_case("next") {
                    return Some(true);
                }
            }
        }
    }
    understood.then_some(false)
}

/// The address of a page. The configured path stays exactly as it is.
pub(crate) fn url(
    base: &Url,
    endpoint: Endpoint,
    offset: u64,
    limit: u32,
    changed: Option<&str>,
    settings: &ReadSettings,
) -> Url {
    let mut url = base.clone();
    url.set_path(&format!("{}/{}", base.path().trim_end_matches('/'), endpoint.word()));
    let mut query = format!("limit={limit}&offset={offset}");
    if settings.sort {
        query.push_str("&sort=sourcedId&orderBy=asc");
    }
    if settings.fields {
        query.push_str(&format!("&fields={}", encoded(&endpoint.fields(!settings.keep_metadata.is_empty()))));
    }
    if let Some(changed) = changed {
        query.push_str(&format!("&filter={}", encoded(&format!("dateLastModified>'{changed}'"))));
    }
    url.set_query(Some(&query));
    url
}

#[cfg(test)]
mod tests {
    use reqwest::Url;

    use crate::source::oneroster::endpoint::Endpoint;
    use crate::source::oneroster::fetch::{masks_mail, names_next, url};
    use crate::source::oneroster::settings::ReadSettings;

    #[test]
    fn paths_stay_as_configured_and_queries_are_encoded_once() {
        let base = Url::parse("https://proxy.example/%2FKx3mQ2Zs%3D/ims/oneroster/v1p1/").expect("a URL");
        let plain = ReadSettings { sort: false, ..ReadSettings::default() };
        assert_eq!(
            url(&base, Endpoint::Users, 200, 100, None, &plain).as_str(),
            "https://proxy.example/%2FKx3mQ2Zs%3D/ims/oneroster/v1p1/users?limit=100&offset=200"
        );
        let all = ReadSettings { fields: true, ..ReadSettings::default() };
        let asked = url(&base, Endpoint::Orgs, 0, 50, Some("2024-01-31T00:00:00Z"), &all);
        assert_eq!(
            asked.query().expect("a query"),
            "limit=50&offset=0&sort=sourcedId&orderBy=asc&fields=sourcedId%2Cstatus%2CdateLastModified%2Cname%2Ctype%2C\
             identifier%2Cparent&filter=dateLastModified%3E%272024-01-31T00%3A00%3A00Z%27"
        );
    }

    #[test]
    fn what_is_masked_is_told_in_a_word_or_a_list() {
        assert!(["true", "1", "Yes", "givenName, Email", "ALL"].into_iter().all(masks_mail));
        assert!(!["", "false", "None", "0", "phone,sms"].into_iter().any(masks_mail));
    }

    #[test]
    fn links_are_read_in_both_spellings() {
        for (links, next) in [
            (r#"<https://a/x?offset=2>; rel="next", <https://a/x?offset=8>; rel="last""#, Some(true)),
            (r#"https://a/x?offset=2; rel=next"#, Some(true)),
            (r#"<https://a/x?fields=a,b&offset=0>; rel="first", <https://a/x>; rel="prev""#, Some(false)),
            ("", None),
            ("nonsense", None),
        ] {
            assert_eq!(names_next(links), next, "{links}");
        }
    }
}
