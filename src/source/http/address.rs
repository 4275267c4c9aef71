//! Addresses: which ones a source may have, and which links may be followed.

use reqwest::Url;

use crate::base::is_this_machine;
use crate::source::http::error::HttpError;

/// Reads the address of a source or of a token service.
///
/// # Errors
/// [`HttpError::Address`] unless it is `https://` (or `http://` to this machine), without user, query or fragment.
pub fn parse(text: &str) -> Result<Url, HttpError> {
    let wrong = |why: &str| HttpError::Address { address: text.to_owned(), why: why.to_owned() };
    let url = Url::parse(text).map_err(|_| wrong("it is no address, such as https://sis.example/ims/oneroster/v1p1"))?;
    let safe = url.scheme() == "https" || url.scheme() == "http" && url.host_str().is_some_and(is_this_machine);
    if !url.username().is_empty() || url.password().is_some() {
        return Err(HttpError::Address { address: shown(&url), why: "a user or password has no place in it".to_owned() });
    }
    match (safe, url.query().is_none() && url.fragment().is_none()) {
        (false, _) => Err(wrong("it does not begin with https://")),
        (true, false) => Err(wrong("it has a query or a fragment")),
        (true, true) => Ok(url),
    }
}

/// Whether an address can be that of a source.
///
/// # Errors
/// What is wrong with it; fits after the address.
pub fn check_address(text: &str) -> Result<(), String> {
    match parse(text) {
        Ok(_) => Ok(()),
        Err(HttpError::Address { why, .. }) => Err(format!("cannot be used: {why}")),
        Err(other) => Err(format!("cannot be used: {other}")),
    }
}

/// The address a link in an answer leads to, if it stays at the origin of `base`.
///
/// # Errors
/// [`HttpError::Elsewhere`] if it does not, [`HttpError::Address`] if it is no link.
pub fn within(base: &Url, link: &str) -> Result<Url, HttpError> {
    let wrong = |why: &str| HttpError::Address { address: shown(base), why: why.to_owned() };
    let url = base.join(link).map_err(|_| wrong("it answered with a link that is no address"))?;
    if url.origin() != base.origin() {
        return Err(HttpError::Elsewhere { from: shown(base), to: origin(&url) });
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong("it answered with a link that names a user"));
    }
    Ok(url)
}

/// Scheme, host and port.
pub fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}

/// The address for messages: without query, which may hold keys.
pub fn shown(url: &Url) -> String {
    format!("{}{}", origin(url), url.path())
}

#[cfg(test)]
mod tests {
    use crate::source::http::address::{parse, shown, within};

    #[test]
    fn addresses() {
        for good in [
            "https://sis.example/ims/oneroster/v1p1",
            "https://proxy.example:8443/%2FKx3mQ2Zs%3D/ims/oneroster/v1p1",
            "http://127.0.0.1:8080/x",
            "http://[::1]/x",
            "http://localhost/x",
        ] {
            assert_eq!(parse(good).expect(good).as_str(), good);
        }
        for bad in [
            "sis.example",
            "http://sis.example/x",
            "http://127.0.0.1.sis.example/x",
            "ftp://sis.example/x",
            "https://sis.example/x?key=1",
            "https://sis.example/x#y",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
        let told = parse("https://me:hunter2@sis.example/x").expect_err("a user").to_string();
        assert!(!told.contains("hunter2") && told.contains("sis.example"), "{told}");
    }

    #[test]
    fn links_stay_at_home() {
        let base = parse("https://sis.example/a/b").expect("good");
        for (link, leads_to) in [
            ("/c?x=1", Some("https://sis.example/c?x=1")),
            ("https://sis.example:443/c", Some("https://sis.example/c")),
            ("//evil.example/c", None),
            ("https://sis.example:444/c", None),
            ("http://sis.example/c", None),
            ("https://sis.example.evil.example/c", None),
            ("https://sis.example@evil.example/c", None),
            ("https://me@sis.example/c", None),
            ("https://[", None),
        ] {
            assert_eq!(within(&base, link).ok().map(String::from).as_deref(), leads_to, "{link}");
        }
        let url = within(&base, "/c?access_token=hunter2").expect("home");
        assert_eq!(shown(&url), "https://sis.example/c");
    }
}
