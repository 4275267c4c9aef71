//! What somebody does who keeps the program itself running: tries channels, has notices delivered again, revokes tokens. The
//! vendor's. Tokens are made by the command line alone.

use schemars::JsonSchema;
use serde::Deserialize;
use tokio::runtime::Handle;

use crate::http::access::Deed;
use crate::http::answer::{Answer, Answered};
use crate::http::ask::Asking;
use crate::http::endpoint::{Endpoint, Output, Work, schema_of};
use crate::http::problem::Problem;
use crate::http::question::Question;
use crate::http::says::Input;
use crate::notify::Message;
use crate::shape::{ReplayedJson, RevokedJson, TriedJson};

/// See the module.
pub const OPERATING: &[Endpoint] = &[
    Endpoint::post(
        "/api/v1/alerts/replay",
        Work::Asked(Deed::Operate, replay),
        "Has deliveries made again: those that were given up, or one notice. The message keeps its id.",
        Output::Json(schema_of::<ReplayedJson>),
    )
    .takes(Input::Json(schema_of::<ReplayWish>)),
    Endpoint::post(
        "/api/v1/alerts/test",
        Work::Asked(Deed::Operate, test),
        "Sends a test message by a channel and tells what came back. No notice is written, no clock starts.",
        Output::Json(schema_of::<TriedJson>),
    )
    .takes(Input::Json(schema_of::<TestWish>)),
    Endpoint::delete(
        "/api/v1/tokens/{token}",
        Work::Asked(Deed::Operate, revoke),
        "Revokes a token at once.",
        Output::Json(schema_of::<RevokedJson>),
    ),
];

/// What is to be delivered again: all that was given up, or one notice of a customer.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct ReplayWish {
    /// All that was given up.
    dead: bool,
    /// Whose notice.
    customer: Option<String>,
    /// Its key.
    key: Option<String>,
    /// By this channel only.
    channel: Option<String>,
}

/// Which channel is tried.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct TestWish {
    /// Its id; for a customer's own one after the customer's id and a slash.
    channel: String,
}

fn replay(asking: &Asking<'_>, question: &Question) -> Answered {
    let ReplayWish { dead, customer, key, channel } = question.json()?;
    let channel = channel.as_deref();
    let (replayed, channels) = match (dead, customer, key) {
        (true, None, None) => {
            asking.all_customers()?;
            (asking.outbox.replay_dead(channel)?, Vec::new())
        }
        (false, Some(customer), Some(key)) => {
            let customer = asking.customer(&customer)?;
            let channels = asking.outbox.replay(customer.id().as_str(), &key, channel)?;
            (channels.len(), channels)
        }
        _ => return Err(Problem::bad_request("say that it is `dead`, or a customer and the key of a notice")),
    };
    let daemon = asking.service.store().daemon().map_err(Problem::of_store)?.is_some();
    Answer::json(&ReplayedJson { replayed, channels, daemon })
}

fn test(asking: &Asking<'_>, question: &Question) -> Answered {
    let TestWish { channel } = question.json()?;
    asking.all_customers()?;
    let notifier = asking.outbox.channel(&channel)?;
    let now = asking.service.now();
    let message = Message::test(&channel, now);
    // Questions are asked on threads that may wait; a try takes no longer than its channel's limit.
    let sent = Handle::current().block_on(notifier.send(&message, now));
    Answer::json(&TriedJson::new([(channel.as_str(), message.id.as_str(), &sent)]))
}

fn revoke(asking: &Asking<'_>, question: &Question) -> Answered {
    let token = question.number("token")?;
    asking.all_customers()?;
    Answer::json(&RevokedJson { token, was_good: asking.service.revoke_token(token)? })
}
