//! Floor 4: what carries notices out of the house, to webhooks, chats and mailboxes.

mod answer;
mod channel;
mod chat;
mod error;
mod hook;
mod http;
mod mail;
mod mail_text;
mod message;
mod notifier;
mod pause;
mod sign;
mod standard;

pub use answer::Answer;
pub use channel::{ChannelSettings, Form, MailSettings, Party, Security, Way, check_mailbox, check_server};
pub use error::NotifyError;
pub use hook::check_hook;
pub use message::Message;
pub use notifier::{Notifier, open};
pub use pause::pause_millis;
pub use sign::{SigningKey, check_key};
