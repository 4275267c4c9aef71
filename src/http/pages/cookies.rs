//! The two cookies: of a session, and of a visit to the page where one signs in. Scripts see neither, other sites send
//! neither.

use axum::http::HeaderMap;
use axum::http::header::COOKIE;

/// How cookies are made: `secure` where the browser speaks TLS.
#[derive(Clone, Copy, Debug)]
pub struct Cookies {
    /// They are sent over TLS alone; their names say so, too.
    pub secure: bool,
}

const SESSION: &str = "rosterd_session";
const VISIT: &str = "rosterd_visit";

impl Cookies {
    /// The secret of the session that a request brings.
    pub fn session(self, headers: &HeaderMap) -> Option<String> {
        self.find(headers, SESSION)
    }

    /// The secret of the visit that a request brings.
    pub fn visit(self, headers: &HeaderMap) -> Option<String> {
        self.find(headers, VISIT).filter(|text| text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit()))
    }

    /// A cookie of a session, until the browser is shut.
    pub fn keep_session(self, secret: &str) -> String {
        self.keep(SESSION, secret, "")
    }

    /// A cookie of a visit.
    pub fn keep_visit(self, secret: &str) -> String {
        self.keep(VISIT, secret, "")
    }

    /// Drops the cookie of a session.
    pub fn drop_session(self) -> String {
        self.keep(SESSION, "", "; Max-Age=0")
    }

    fn name(self, name: &str) -> String {
        // Browsers take such a name from this host alone, over TLS alone.
        if self.secure { format!("__Host-{name}") } else { name.to_owned() }
    }

    fn keep(self, name: &str, secret: &str, more: &str) -> String {
        let (name, secure) = (self.name(name), if self.secure { "; Secure" } else { "" });
        format!("{name}={secret}; Path=/; HttpOnly; SameSite=Strict{secure}{more}")
    }

    fn find(self, headers: &HeaderMap, name: &str) -> Option<String> {
        let name = self.name(name);
        let texts = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
        let mut pairs = texts.flat_map(|text| text.split(';')).filter_map(|pair| pair.trim().split_once('='));
        pairs.find(|(known, _)| *known == name).map(|(_, value)| value.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderMap;
    use axum::http::header::{COOKIE, HeaderValue};

    use crate::http::pages::cookies::Cookies;

    #[test]
    fn cookies_are_for_this_host_and_no_script() {
        let (plain, secure) = (Cookies { secure: false }, Cookies { secure: true });
        assert_eq!(plain.keep_session("x"), "rosterd_session=x; Path=/; HttpOnly; SameSite=Strict");
        assert_eq!(secure.keep_session("x"), "__Host-rosterd_session=x; Path=/; HttpOnly; SameSite=Strict; Secure");
        assert!(secure.drop_session().ends_with("; Secure; Max-Age=0"));
        let mut headers = HeaderMap::new();
        let pairs = format!("a=b; rosterd_session=one;rosterd_visit={}; __Host-rosterd_session=two", "0f".repeat(32));
        headers.insert(COOKIE, HeaderValue::from_str(&pairs).expect("a value"));
        assert_eq!((plain.session(&headers).as_deref(), secure.session(&headers).as_deref()), (Some("one"), Some("two")));
        assert_eq!((plain.visit(&headers).map(|text| text.len()), secure.visit(&headers)), (Some(64), None));
        headers.insert(COOKIE, HeaderValue::from_static("rosterd_visit=short"));
        assert_eq!(plain.visit(&headers), None);
    }
}
