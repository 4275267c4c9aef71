//! The JSON of a message after Standard Webhooks: `type`, `timestamp`, `data`. Stable: fields are only ever added.

use serde::Serialize;

use crate::notify::message::Message;

#[derive(Serialize)]
struct Body<'a> {
    r#type: String,
    timestamp: String,
    data: Data<'a>,
}

#[derive(Serialize)]
struct Data<'a> {
    customer: Option<&'a str>,
    customer_name: Option<&'a str>,
    key: &'a str,
    kind: &'a str,
    severity: &'a str,
    title: &'a str,
    text: &'a str,
    pool: Option<&'a str>,
    source: Option<&'a str>,
}

/// The body.
pub fn body(message: &Message) -> String {
    let Message { id: _, kind, severity, title, customer, key, at, pool, source, text } = message;
    let data = Data {
        customer: customer.as_ref().map(|(id, _)| id.as_str()),
        customer_name: customer.as_ref().map(|(_, name)| name.as_str()),
        key,
        kind,
        severity: severity.word(),
        title,
        text,
        pool: pool.as_deref(),
        source: source.as_deref(),
    };
    let r#type = if customer.is_some() { format!("notice.{kind}") } else { (*kind).to_owned() };
    let body = Body { r#type, timestamp: at.to_string(), data };
    serde_json::to_string(&body).expect("texts are always JSON")
}

#[cfg(test)]
mod tests {
    use crate::base::{CustomerId, Instant};
    use crate::notify::message::Message;
    use crate::notify::standard::body;
    use crate::plan::NoticeKind;

    #[test]
    fn the_body_is_stable() {
        let at = Instant::parse("2026-03-31T00:00:00Z").expect("an instant");
        let told = (NoticeKind::OverageMajor, "overage_major/learn/1/1", at);
        let north = CustomerId::from("north");
        let message = Message::of("ops", (&north, "North \"A\""), told, (Some("learn"), None), "It is major.\n<b>");
        assert_eq!(
            body(&message),
            r#"{"type":"notice.overage_major","timestamp":"2026-03-31T00:00:00Z","data":{"customer":"north","customer_name":"North \"A\"","key":"overage_major/learn/1/1","kind":"overage_major","severity":"critical","title":"An overage is major","text":"It is major.\n<b>","pool":"learn","source":null}}"#
        );
        let test = body(&Message::test("ops", at));
        assert!(test.starts_with(r#"{"type":"test","timestamp":"2026-03-31T00:00:00Z","data":{"customer":null,"#), "{test}");
    }
}
