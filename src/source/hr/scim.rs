//! SCIM 2.0 (hr-sources §2): `Users`, page by page, until an empty one.

use serde_json::Value;

use crate::source::api::SourceError;
use crate::source::hr::proof::{Proof, Step};
use crate::source::hr::pull::{Got, MOVED, Page, Pull};
use crate::source::hr::wire::{Beside, Lists, Shape};
use crate::source::http::{Answer, Attempt, HttpError};

/// What is read, for errors and findings.
pub(crate) const WHAT: &str = "Users";
/// Pages that are too heavy or too many are halved down to so many records.
const PAGE_ROWS_MIN: u32 = 10;

const SHAPE: Shape<'static> = Shape { list: "Resources", id: "id", lists: Lists::Scim };

/// What is asked for.
pub(crate) struct Asking<'a> {
    pub(crate) filter: Option<&'a str>,
    pub(crate) sort: bool,
    /// The needed attributes only.
    pub(crate) attributes: bool,
}

/// Reads all users.
pub(crate) fn fetch(pull: &mut Pull<'_>, asking: &Asking<'_>) -> Result<Got, SourceError> {
    let attributes = asking.attributes.then(|| attributes(pull.columns.names()));
    pull.list(WHAT, |pull| {
        let mut proof = Proof::default();
        let mut seen = vec![false; pull.columns.names().len()];
        loop {
            // Advanced by what came, whatever was asked for or is said to have come; the first record is number 1.
            let at = proof.rows() + 1;
            let page = match pull.kept(at) {
                Some(page) => page,
                None => match ask(pull, asking, attributes.as_deref(), at, &proof)? {
                    Some(page) => page,
                    // It refused what it gave before: there are fewer now.
                    None if pull.again.is_some() => return Ok(Err(MOVED.to_owned())),
                    // Asked for what lies behind the last user, the server refused: as good as an empty page.
                    None => return Ok(Ok((proof.rows(), seen))),
                },
            };
            if pull.has_moved(&page) {
                return Ok(Err(MOVED.to_owned()));
            }
            seen.iter_mut().zip(&page.rows.seen).for_each(|(known, seen)| *known |= seen);
            match proof.scim_page(&page.rows.ids, page.total) {
                Step::More => {}
                Step::End => return Ok(Ok((proof.rows(), seen))),
                Step::Broken(why) => return Ok(Err(why)),
            }
        }
    })
}

/// Asks for one page alone: is anybody there, and are these users?
pub(crate) fn probe(pull: &mut Pull<'_>, asking: &Asking<'_>) -> Result<u64, SourceError> {
    let attributes = asking.attributes.then(|| attributes(pull.columns.names()));
    let page = ask(pull, asking, attributes.as_deref(), 1, &Proof::default())?;
    page.and_then(|page| page.total).ok_or_else(|| pull.unusable("it does not say totalResults".to_owned()))
}

/// Asks for a page and keeps it; `None` if it is refused and lies behind the end, or was there when an earlier pull asked.
fn ask(
    pull: &mut Pull<'_>,
    asking: &Asking<'_>,
    attributes: Option<&str>,
    at: u64,
    proof: &Proof,
) -> Result<Option<Page>, SourceError> {
    let mut limit = pull.limit;
    let answer = request(pull, asking, attributes, at, &mut limit)?;
    // What was too heavy once is not asked for again in this pull.
    pull.limit = limit;
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) if is_refused(&error) && is_end(pull, asking, attributes, proof)? => return Ok(None),
        Err(error) => return Err(failed(pull, error)),
    };
    let page = page(pull, &answer, at)?;
    pull.keep(&page)?;
    Ok(Some(page))
}

/// Whether a page that is refused is none: all came by totals that are known to count all, or it was looked at once more.
fn is_end(pull: &mut Pull<'_>, asking: &Asking<'_>, attributes: Option<&str>, proof: &Proof) -> Result<bool, SourceError> {
    Ok(pull.again.is_some()
        || proof.has_all() && (!proof.may_count_pages() || counts_all(pull, asking, attributes, proof.rows())?))
}

/// Whether the total of a list that came as one page is that of all: it stays where fewer users come. Half as many are asked
/// for, and, as some heed no count, those from the middle on.
fn counts_all(pull: &mut Pull<'_>, asking: &Asking<'_>, attributes: Option<&str>, rows: u64) -> Result<bool, SourceError> {
    let (half, limit) = (rows / 2, pull.limit);
    let fewer = u32::try_from(half).unwrap_or(limit).min(limit);
    for (at, mut limit) in [(1, fewer), (half + 1, limit)] {
        let answer = match request(pull, asking, attributes, at, &mut limit)? {
            Ok(answer) => answer,
            Err(error) if is_refused(&error) => continue,
            Err(error) => return Err(failed(pull, error)),
        };
        let page = page(pull, &answer, at)?;
        if (1..rows).contains(&page.rows.len()) {
            return Ok(page.total == Some(rows));
        }
    }
    Ok(false)
}

fn is_refused(error: &HttpError) -> bool {
    matches!(error.status(), Some(400 | 404 | 416))
}

/// Asks for users; too many or too heavy ones are asked for by halves, and `limit` tells by which.
fn request(
    pull: &mut Pull<'_>,
    asking: &Asking<'_>,
    attributes: Option<&str>,
    at: u64,
    limit: &mut u32,
) -> Result<Result<Answer, HttpError>, SourceError> {
    let start = at.to_string();
    let base = pull.url(WHAT, &[]);
    loop {
        let answer = pull.ask(|attempt: Attempt<'_>| {
            if attempt.because.is_some_and(HttpError::is_heavy) {
                *limit = (*limit / 2).max(PAGE_ROWS_MIN.min(*limit));
            }
            let mut url = base.clone();
            let count = limit.to_string();
            let mut query = vec![("startIndex", start.as_str()), ("count", count.as_str())];
            query.extend(asking.filter.map(|filter| ("filter", filter)));
            query.extend(attributes.map(|names| ("attributes", names)));
            if asking.sort {
                query.extend([("sortBy", "id"), ("sortOrder", "ascending")]);
            }
            url.query_pairs_mut().extend_pairs(query);
            url
        })?;
        let is_too_many = answer.as_ref().is_err_and(|error| scim_type(error).as_deref() == Some("tooMany"));
        if !is_too_many || *limit <= PAGE_ROWS_MIN {
            return Ok(answer);
        }
        *limit /= 2;
    }
}

fn failed(pull: &Pull<'_>, error: HttpError) -> SourceError {
    if scim_type(&error).as_deref() == Some("invalidFilter") {
        return pull.unusable("it does not understand the filter (invalidFilter); set another one, or none".to_owned());
    }
    pull.failed(WHAT, error)
}

/// What an answer holds.
fn page(pull: &Pull<'_>, answer: &Answer, at: u64) -> Result<Page, SourceError> {
    let (rows, beside) = pull.records(WHAT, answer, SHAPE)?;
    // A page without anybody need not have a list.
    let total = beside.as_ref().map_or_else(|| total_alone(&answer.body), |beside| number(beside, "totalResults"));
    if beside.is_none() && total.is_none() {
        return Err(pull.unusable(format!("it answered with success and something else instead of {WHAT}")));
    }
    Ok(Page { at, total, more: rows.len() > 0, rows })
}

/// The attributes that the columns name, without what lies below them.
fn attributes(columns: &[String]) -> String {
    let mut names = vec!["id".to_owned()];
    for column in columns {
        let name = match column.strip_prefix("enterprise.") {
            Some(rest) => format!("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:{rest}"),
            None if column.starts_with("urn:") => column.clone(),
            None => column.split('.').next().unwrap_or_default().to_owned(),
        };
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names.join(",")
}

fn number(beside: &Beside, name: &str) -> Option<u64> {
    beside.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).and_then(|(_, value)| match value {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => text.trim().parse().ok(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    })
}

fn total_alone(body: &[u8]) -> Option<u64> {
    serde_json::from_slice::<Beside>(body).ok().and_then(|beside| number(&beside, "totalResults"))
}

/// The kind of an error, a word of the standard.
fn scim_type(error: &HttpError) -> Option<String> {
    let body = &error.refusal()?.body;
    let Value::String(kind) = serde_json::from_slice::<Beside>(body).ok()?.remove("scimType")? else { return None };
    Some(kind).filter(|kind| kind.len() <= 40 && kind.bytes().all(|byte| byte.is_ascii_alphabetic()))
}

#[cfg(test)]
mod tests {
    use crate::source::hr::scim::attributes;

    #[test]
    fn only_what_columns_name_is_asked_for() {
        let columns = ["id", "name.givenName", "name.familyName", "emails.work", "enterprise.department"].map(str::to_owned);
        assert_eq!(
            attributes(&columns),
            "id,name,emails,urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department"
        );
    }
}
