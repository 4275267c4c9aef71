//! Signing in with a token of the door, and out.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use maud::{Markup, html};

use crate::base::Digest;
use crate::http::pages::desk::{Desk, foreign, form_of, is_from_here};
use crate::http::pages::fields::Fields;
use crate::http::pages::layout::{outside, problem};
use crate::http::pages::reply::{Made, Reply};
use crate::http::pages::sessions::secret;
use crate::http::pages::visit::Visit;
use crate::http::problem::Problem;
use crate::service::ServiceError;

/// Longer than any token.
const TOKEN_CHARS_MAX: usize = 256;

/// The page where one signs in.
pub async fn form(State(desk): State<Desk>, request: Request) -> Reply {
    let (parts, _) = request.into_parts();
    let next = Fields::read(parts.uri.query().unwrap_or_default().as_bytes());
    asked(&desk, desk.cookies.visit(&parts.headers), StatusCode::OK, next.get("next"), None)
}

/// Signs in. Who fails too often is not heard for a while.
pub async fn sign_in(State(desk): State<Desk>, request: Request) -> Reply {
    let (parts, body) = request.into_parts();
    let visit = desk.cookies.visit(&parts.headers);
    // Who never saw our page has no form read.
    if visit.is_none() || !is_from_here(&parts.headers) {
        return asked(&desk, visit, StatusCode::FORBIDDEN, None, Some(&foreign().detail));
    }
    let form = match form_of(&parts, body).await {
        Ok(form) => form,
        Err(why) => return problem(&why),
    };
    let next = form.get("next").map(str::to_owned);
    let again = |status, why: &str| asked(&desk, visit.clone(), status, next.as_deref(), Some(why));
    let brought = Digest::of(form.get("csrf").unwrap_or_default().as_bytes());
    let is_ours = visit.as_ref().is_some_and(|visit| Digest::of(visit.as_bytes()).is_same(&brought));
    if !is_ours {
        return again(StatusCode::FORBIDDEN, &foreign().detail);
    }
    let (from, token) = (desk.from(&parts), form.get("token").unwrap_or_default().trim().to_owned());
    let (tries, sessions) = (desk.tries.clone(), desk.sessions.clone());
    let tried = desk.door.work(move |service| {
        let now = service.now();
        if let Err(secs) = tries.begin(from, now) {
            return Ok(Err(secs));
        }
        let caller = match token.len() {
            0..=TOKEN_CHARS_MAX => service.caller(&token).map_err(|error| Problem::from(error).hidden())?,
            _ => None,
        };
        let Some(caller) = caller else { return Ok(Ok(None)) };
        tries.forgive(from);
        let random = |cause| Problem::from(ServiceError::Random { cause }).hidden();
        Ok(Ok(Some(sessions.begin(caller.token, now).map_err(random)?)))
    });
    match tried.await {
        Ok(Ok(Some(secret))) => Reply::on_to(safe(next.as_deref())).with_cookie(&desk.cookies.keep_session(&secret)),
        Ok(Ok(None)) => again(StatusCode::FORBIDDEN, "This token is not good: it may be mistyped, expired or revoked."),
        Ok(Err(secs)) => {
            let why = format!("Too many tries from here failed. The next one is heard in {} minutes.", secs.div_ceil(60));
            again(StatusCode::TOO_MANY_REQUESTS, &why).with(RETRY_AFTER, &secs.to_string())
        }
        Err(why) => problem(&why),
    }
}

/// Signs out.
pub fn sign_out(visit: &Visit<'_>) -> Made {
    visit.sessions.end(&visit.seen.id);
    Ok(Reply::on_to("/login").with_cookie(&visit.cookies.drop_session()))
}

/// Where to go on: only on this site.
fn safe(next: Option<&str>) -> &str {
    let is_here = |path: &&str| {
        let rest = path.strip_prefix('/');
        rest.is_some_and(|rest| !rest.starts_with(['/', '\\'])) && path.bytes().all(|byte| byte.is_ascii_graphic())
    };
    next.filter(is_here).unwrap_or("/")
}

fn asked(desk: &Desk, visit: Option<String>, status: StatusCode, next: Option<&str>, why: Option<&str>) -> Reply {
    let visit = match visit.map_or_else(secret, Ok) {
        Ok(visit) => visit,
        Err(cause) => return problem(&Problem::from(ServiceError::Random { cause }).hidden()),
    };
    let page = outside(status, "Sign in", &sheet(&visit, next, why));
    page.with_cookie(&desk.cookies.keep_visit(&visit))
}

fn sheet(visit: &str, next: Option<&str>, why: Option<&str>) -> Markup {
    html! {
        h1 { "Sign in" }
        @if let Some(why) = why { p.said.bad role="alert" { (why) } }
        form.sheet method="post" action="/login" {
            input type="hidden" name="csrf" value=(visit);
            @if let Some(next) = next { input type="hidden" name="next" value=(next); }
            label for="token" { "Token" }
            input #token type="password" name="token" autocomplete="current-password" autocapitalize="none" spellcheck="false"
                maxlength="256" required aria-describedby="token-help";
            p #token-help.quiet {
                "Whoever runs the daemon makes one with " code { "rosterd token create" }
                ". It looks like " code { "rosterd_3_6c1f\u{2026}" } "."
            }
            button type="submit" data-working="Signing in\u{2026}" { "Sign in" }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::http::pages::login::safe;

    #[test]
    fn one_goes_on_on_this_site_alone() {
        for (next, path) in [
            (None, "/"),
            (Some("/c/north?page=2"), "/c/north?page=2"),
            (Some("//evil.example"), "/"),
            (Some("/\\evil.example"), "/"),
            (Some("https://evil.example"), "/"),
            (Some("/a\r\nset-cookie: x=y"), "/"),
            (Some(""), "/"),
        ] {
            assert_eq!(safe(next), path, "{next:?}");
        }
    }
}
