//! Addresses that messages are posted to.

use reqwest::Url;

use crate::base::is_this_machine;

/// Reads an address. Its path and query may be secret.
///
/// # Errors
/// Unless it is `https://` (or `http://` to this machine) without user and fragment; says nothing of the address.
pub fn parse(text: &str) -> Result<Url, &'static str> {
    let url = Url::parse(text).map_err(|_| "is no address such as https://chat.example/hooks/1")?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err("names a user or a password");
    }
    if url.scheme() != "https" && !(url.scheme() == "http" && url.host_str().is_some_and(is_this_machine)) {
        return Err("does not begin with https://");
    }
    if url.fragment().is_some() { Err("has a fragment") } else { Ok(url) }
}

/// Whether a text is such an address.
///
/// # Errors
/// What is wrong, without a word of the address; fits after its name.
pub fn check_hook(text: &str) -> Result<(), &'static str> {
    parse(text).map(|_| ())
}

/// Scheme, host and port: what may be told.
pub fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}

#[cfg(test)]
mod tests {
    use crate::notify::hook::{check_hook, origin, parse};

    #[test]
    fn addresses() {
        for good in ["https://x.example/a?sig=1", "http://127.0.0.1:80/x", "http://localhost/", "http://[::1]/"] {
            assert_eq!(check_hook(good), Ok(()), "{good}");
        }
        for bad in
            ["x.example", "http://x.example/", "http://127.0.0.1.x.example/", "ftp://x/", "https://a:b@x/", "https://x/#a"]
        {
            assert!(check_hook(bad).is_err(), "{bad}");
        }
        assert_eq!(origin(&parse("https://x.example:8443/hooks/secret?sig=secret").expect("good")), "https://x.example:8443");
    }
}
