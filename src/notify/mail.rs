//! Mail over SMTP. The only file that names the mail crate.

use std::time::{Duration, UNIX_EPOCH};

use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport, Message as Mail, Tokio1Executor};

use crate::base::Instant;
use crate::notify::answer::{Answer, said};
use crate::notify::channel::{MailSettings, Security};
use crate::notify::error::NotifyError;
use crate::notify::mail_text::{html, subject, text};
use crate::notify::message::Message;

/// Sends a message to all mailboxes at once: every one of them takes it, or it was not sent.
///
/// # Errors
/// When the server did not take it, or nobody knows.
pub async fn send(
    server: &MailSettings,
    to: &[String],
    message: &Message,
    now: Instant,
    limit: Duration,
) -> Result<Answer, NotifyError> {
    let place = format!("{}:{}", server.host, server.port);
    let mail = mail(server, to, message, now)?;
    let transport = transport(server, limit)?;
    match tokio::time::timeout(limit, transport.send(mail)).await {
        Err(_) => Err(NotifyError::Timeout { place, secs: limit.as_secs() }),
        Ok(Err(error)) => Err(failure(place, error, limit)),
        Ok(Ok(response)) => {
            let words = response.message().collect::<Vec<_>>().join(" ");
            Ok(Answer { status: response.code().to_string(), said: said(words.as_bytes()) })
        }
    }
}

fn failure(place: String, error: lettre::transport::smtp::Error, limit: Duration) -> NotifyError {
    if let Some(code) = error.status() {
        let said_all = error.to_string();
        return NotifyError::Refused {
            place,
            status: code.to_string(),
            for_good: error.is_permanent() && is_of_mailbox(&said_all),
            after: None,
            said: said(said_all.as_bytes()),
        };
    }
    if error.is_timeout() {
        return NotifyError::Timeout { place, secs: limit.as_secs() };
    }
    // Its own words tell its causes, too; told once is enough.
    NotifyError::Connect { place, cause: error.to_string().into() }
}

/// Whether a refusal is of the mailbox it goes to: by its enhanced status (RFC 3463 §3.2), 5.1.x but for those of the sender's
/// own mailbox, 5.1.7 and 5.1.8. Anything else that is refused may be let through tomorrow: a login, a list of senders, a quota,
/// a filter. Without such a status nobody can tell: 550 is said of all of them.
fn is_of_mailbox(said: &str) -> bool {
    let mut words = said.split(|c: char| c.is_whitespace() || matches!(c, ':' | ','));
    words.any(|word| {
        let detail = word.trim_start_matches('#').strip_prefix("5.1.");
        detail.and_then(|detail| detail.parse::<u16>().ok()).is_some_and(|detail| !matches!(detail, 7 | 8))
    })
}

fn transport(server: &MailSettings, limit: Duration) -> Result<AsyncSmtpTransport<Tokio1Executor>, NotifyError> {
    let security = match server.security {
        Security::StartTls => Tls::Required(parameters(server)?),
        Security::Tls => Tls::Wrapper(parameters(server)?),
        Security::None => Tls::None,
    };
    let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&server.host)
        .port(server.port)
        .tls(security)
        .timeout(Some(limit));
    if let Some((user, password)) = &server.login {
        let password = password.expose().map_err(|absent| NotifyError::Secret(absent.clone()))?;
        builder = builder.credentials(Credentials::new(user.clone(), password.to_owned()));
    }
    Ok(builder.build())
}

fn parameters(server: &MailSettings) -> Result<TlsParameters, NotifyError> {
    let mut builder = TlsParameters::builder(server.host.clone());
    if let Some(file) = &server.ca_file {
        let unusable = |cause| NotifyError::Certificates { file: file.display().to_string(), cause };
        let pem = std::fs::read(file).map_err(unusable)?;
        let certificate = Certificate::from_pem(&pem).map_err(|error| unusable(std::io::Error::other(error.to_string())))?;
        builder = builder.add_root_certificate(certificate);
    }
    builder.build_rustls().map_err(|error| NotifyError::Client(Box::new(error)))
}

/// The mail: text and HTML, told to be made by a machine, with an id of its own that stays the same at each try.
fn mail(server: &MailSettings, to: &[String], message: &Message, now: Instant) -> Result<Mail, NotifyError> {
    let mailbox = |text: &str| -> Result<Mailbox, NotifyError> {
        text.parse().map_err(|_| NotifyError::Unfit { what: "mailbox", why: "cannot be written to".to_owned() })
    };
    let from = mailbox(&server.from)?;
    let id = format!("<{}@{}>", message.id, from.email.domain());
    let at = UNIX_EPOCH + Duration::from_millis(u64::try_from(now.0).unwrap_or(0));
    let mut builder = Mail::builder().from(from).subject(subject(message)).date(at).message_id(Some(id));
    for to in to {
        builder = builder.to(mailbox(to)?);
    }
    let mail = builder.multipart(MultiPart::alternative_plain_html(text(message), html(message)));
    let mut mail = mail.map_err(|error| NotifyError::Client(Box::new(error)))?;
    for (name, value) in [("Auto-Submitted", "auto-generated"), ("X-Rosterd-Kind", message.kind)] {
        let name = HeaderName::new_from_ascii_str(name);
        mail.headers_mut().insert_raw(HeaderValue::new(name, value.to_owned()));
    }
    Ok(mail)
}

#[cfg(test)]
mod tests {
    use crate::notify::mail::is_of_mailbox;

    #[test]
    fn only_a_mailbox_that_is_not_there_is_refused_for_good() {
        for (said, for_good) in [
            ("permanent error (550): 5.1.1 <nobody@x.example>: Recipient address rejected: User unknown", true),
            ("permanent error (550): 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found", true),
            ("permanent error (553): #5.1.2 bad destination system", true),
            ("permanent error (550): 5.1.8 <licenses@vendor.example>: Sender address rejected: Domain not found", false),
            ("permanent error (550): 5.7.1 blocked: listed, see https://lists.example/?ip=5.1.1.9", false),
            ("permanent error (552): 5.2.2 mailbox full", false),
            ("permanent error (554): 5.7.0 policy", false),
            ("permanent error (535): 5.7.8 authentication failed", false),
            ("permanent error (550): no such mailbox", false),
            ("permanent error (554): ", false),
        ] {
            assert_eq!(is_of_mailbox(said), for_good, "{said}");
        }
    }
}
