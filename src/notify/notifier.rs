//! A channel that can be used: takes a message, gives it its form, sends it.

use std::sync::Arc;
use std::time::Duration;

use crate::base::{Instant, Secret};
use crate::notify::answer::Answer;
use crate::notify::channel::{ChannelSettings, Form, Way};
use crate::notify::chat::{slack, teams};
use crate::notify::error::NotifyError;
use crate::notify::hook;
use crate::notify::http::{Clients, post};
use crate::notify::mail;
use crate::notify::message::Message;
use crate::notify::sign::SigningKey;
use crate::notify::standard;

/// See the module.
pub struct Notifier {
    settings: ChannelSettings,
    limit: Duration,
    clients: Arc<Clients>,
}

/// The channels of the settings, in their order. Reaches nobody. `limit`: how long a try may take.
pub fn open(settings: Vec<ChannelSettings>, limit: Duration) -> Vec<Notifier> {
    let clients = Arc::new(Clients::default());
    settings.into_iter().map(|settings| Notifier { settings, limit, clients: Arc::clone(&clients) }).collect()
}

impl Notifier {
    /// Its settings.
    pub fn settings(&self) -> &ChannelSettings {
        &self.settings
    }

    /// Sends a message, once. Takes no longer than the limit it was opened with.
    ///
    /// # Errors
    /// When the message was not taken, or nobody knows.
    pub async fn send(&self, message: &Message, now: Instant) -> Result<Answer, NotifyError> {
        match &self.settings.way {
            Way::Hook { form, address, keys, ca_file } => {
                let url = hook::parse(exposed(address)?);
                let url = url.map_err(|why| NotifyError::Unfit { what: "address", why: why.to_owned() })?;
                let client = self.clients.of(ca_file)?;
                let (body, headers) = match form {
                    Form::Standard => {
                        let body = standard::body(message);
                        let headers = signed(message, keys, now, &body)?;
                        (body, headers)
                    }
                    Form::Slack => (slack(message), Vec::new()),
                    Form::Teams => (teams(message), Vec::new()),
                };
                post(&client, &url, &headers, body, self.limit).await
            }
            Way::Mail { to, server } => mail::send(server, to, message, now, self.limit).await,
        }
    }
}

/// The headers of Standard Webhooks: a signature by each key.
fn signed(message: &Message, keys: &[Secret], now: Instant, body: &str) -> Result<Vec<(&'static str, String)>, NotifyError> {
    let secs = now.0.div_euclid(1_000);
    let mut signatures = Vec::with_capacity(keys.len());
    for key in keys {
        let key = SigningKey::parse(exposed(key)?);
        let key = key.map_err(|why| NotifyError::Unfit { what: "secret", why: why.to_owned() })?;
        signatures.push(key.signature(&message.id, secs, body.as_bytes()));
    }
    Ok(vec![
        ("webhook-id", message.id.clone()),
        ("webhook-timestamp", secs.to_string()),
        ("webhook-signature", signatures.join(" ")),
    ])
}

fn exposed(secret: &Secret) -> Result<&str, NotifyError> {
    secret.expose().map_err(|absent| NotifyError::Secret(absent.clone()))
}
