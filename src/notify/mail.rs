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

/// Refusals for good that are none: the server wants a login, or another one, and the settings can be put right.
const OF_LOGIN: [u16; 4] = [530, 534, 535, 538];

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
        let number = code.to_string();
        let of_login = OF_LOGIN.iter().any(|of_login| of_login.to_string() == number);
        return NotifyError::Refused {
            place,
            status: number,
            for_good: error.is_permanent() && !of_login,
            after: None,
            said: said(error.to_string().as_bytes()),
        };
    }
    if error.is_timeout() {
        return NotifyError::Timeout { place, secs: limit.as_secs() };
    }
    // Its own words tell its causes, too; told once is enough.
    NotifyError::Connect { place, cause: error.to_string().into() }
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
