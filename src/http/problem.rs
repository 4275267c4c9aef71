//! Errors as problem details (RFC 9457): a stable code, and a sentence that says what, where and what to do next.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::base::ErrorChain;
use crate::service::{ErrorKind, ServiceError};

/// Why a request came to nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The status.
    pub status: StatusCode,
    /// A stable code.
    pub code: &'static str,
    /// One sentence for people.
    pub detail: String,
    /// What the log has to tell of it; `None`: it is the caller's affair alone.
    pub logged: Option<String>,
}

impl Problem {
    /// A problem.
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self { status, code, detail: detail.into(), logged: None }
    }

    /// Nobody who is known.
    pub fn unauthenticated() -> Self {
        let detail = "send a token as `Authorization: Bearer …`; `rosterd token create` makes one";
        Self::new(StatusCode::UNAUTHORIZED, "unauthenticated", detail)
    }

    /// Somebody who is known and may not.
    pub fn forbidden() -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", "the role of this token does not reach that far")
    }

    /// A question that cannot be understood.
    pub fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad_request", detail)
    }

    /// Nothing of that name. What the caller may not see is not there either.
    pub fn unknown(what: &str, id: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "unknown", format!("there is no {what} {id}"))
    }

    /// Too much at once.
    pub fn busy() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", "too many questions at once; ask again in a moment")
    }

    /// The same for somebody who is not known: what went wrong inside is told by the log alone.
    pub fn hidden(self) -> Self {
        match self.logged {
            Some(_) => Self { detail: "this cannot be answered now; the daemon's log tells why".to_owned(), ..self },
            None => self,
        }
    }

    /// Its JSON.
    pub fn json(&self) -> Value {
        let title = self.status.canonical_reason().unwrap_or_default();
        json!({
            "type": format!("urn:rosterd:problem:{}", self.code),
            "title": title, "status": self.status.as_u16(), "detail": self.detail,
        })
    }
}

impl From<ServiceError> for Problem {
    fn from(error: ServiceError) -> Self {
        let (status, code) = match error.kind() {
            ErrorKind::Unknown => (StatusCode::NOT_FOUND, "unknown"),
            ErrorKind::PlanStale => (StatusCode::CONFLICT, "plan_stale"),
            ErrorKind::UnderWay => (StatusCode::CONFLICT, "run_under_way"),
            ErrorKind::SourceDown => (StatusCode::BAD_GATEWAY, "source_down"),
            ErrorKind::BadSettings => (StatusCode::CONFLICT, "bad_settings"),
            ErrorKind::StoreDown => (StatusCode::SERVICE_UNAVAILABLE, "store_down"),
            ErrorKind::Damaged => (StatusCode::INTERNAL_SERVER_ERROR, "damaged"),
            ErrorKind::Bug => (StatusCode::INTERNAL_SERVER_ERROR, "bug"),
        };
        let chain = ErrorChain(&error).to_string();
        let logged = status.is_server_error().then(|| chain.clone());
        Self { logged, ..Self::new(status, code, format!("could not {chain}")) }
    }
}

#[cfg(test)]
mod tests {
    use crate::http::problem::Problem;
    use crate::service::ServiceError;
    use crate::store::StoreError;

    #[test]
    fn what_goes_wrong_inside_is_logged_and_told_to_known_callers_alone() {
        let error = || ServiceError::from(StoreError::Busy { place: "sqlite:/var/lib/rosterd/rosterd.db".into() });
        let told = Problem::from(error());
        assert!(told.detail.contains("/var/lib/rosterd") && told.logged.as_ref().is_some_and(|why| why.contains("/var/lib")));
        let hidden = Problem::from(error()).hidden();
        assert!(!hidden.json().to_string().contains("/var/lib"), "{}", hidden.json());
        assert_eq!((hidden.status, hidden.code, &hidden.logged), (told.status, told.code, &told.logged));
        let unknown = Problem::from(ServiceError::Unknown { what: "run", id: "7".into(), hint: None });
        assert_eq!((unknown.logged.clone(), unknown.clone().hidden()), (None, unknown));
    }
}
