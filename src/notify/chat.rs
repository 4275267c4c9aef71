//! Messages for chats. Whatever a text holds, it stays text: it mentions nobody, links nowhere and is of bounded length.

use serde_json::{Value, json};

use crate::notify::message::{Message, capped};
use crate::plan::Severity;

/// A section of Slack takes 3,000 bytes; a card of Teams 28 KB in all.
const TEXT_BYTES_MAX: usize = 2_900;
/// A header of Slack takes 150.
const HEAD_BYTES_MAX: usize = 150;

/// A message of Slack: blocks, and a text for where blocks are not shown.
pub fn slack(message: &Message) -> String {
    let head = capped(&message.headline(), HEAD_BYTES_MAX, slack_escape);
    let text = capped(&message.text, TEXT_BYTES_MAX, slack_escape);
    let facts = message.facts().into_iter().map(|(name, value)| format!("{name}: {value}")).collect::<Vec<_>>().join(" · ");
    let facts = capped(&facts, TEXT_BYTES_MAX, slack_escape);
    let mark = match message.severity {
        Severity::Info => ":information_source:",
        Severity::Warning => ":warning:",
        Severity::Critical => ":rotating_light:",
    };
    // Verbatim: names of people and channels in it are not looked for.
    let words = |text: String| json!({"type": "mrkdwn", "text": text, "verbatim": true});
    json!({
        "text": capped(&format!("{}: {}", message.headline(), message.text), TEXT_BYTES_MAX, slack_escape),
        "blocks": [
            {"type": "section", "text": words(format!("{mark} *{head}*"))},
            {"type": "section", "text": words(text)},
            {"type": "context", "elements": [words(facts)]},
        ],
        "unfurl_links": false,
        "unfurl_media": false,
    })
    .to_string()
}

/// The three characters that mean something in Slack's texts.
fn slack_escape(c: char, out: &mut String) {
    match c {
        '&' => out.push_str("&amp;"),
        '<' => out.push_str("&lt;"),
        '>' => out.push_str("&gt;"),
        c => out.push(c),
    }
}

/// A card of Teams. Rich text knows no markup, so nothing needs to be escaped.
pub fn teams(message: &Message) -> String {
    let plain = |c: char, out: &mut String| out.push(c);
    let color = match message.severity {
        Severity::Info => "Default",
        Severity::Warning => "Warning",
        Severity::Critical => "Attention",
    };
    let head = json!({"type": "TextRun", "text": capped(&message.headline(), HEAD_BYTES_MAX, plain), "weight": "Bolder",
        "size": "Medium", "color": color});
    let text = json!({"type": "TextRun", "text": capped(&message.text, TEXT_BYTES_MAX, plain)});
    let facts = message.facts().into_iter().map(|(name, value)| format!("{name}: {value}")).collect::<Vec<_>>().join(" · ");
    let facts = json!({"type": "TextRun", "text": capped(&facts, TEXT_BYTES_MAX, plain), "isSubtle": true, "size": "Small"});
    let block = |run: Value| json!({"type": "RichTextBlock", "inlines": [run]});
    json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "contentUrl": null,
            "content": {
                "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                "type": "AdaptiveCard",
                "version": "1.4",
                "body": [block(head), block(text), block(facts)],
            },
        }],
    })
    .to_string()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use crate::base::{CustomerId, Instant};
    use crate::notify::chat::{slack, teams};
    use crate::notify::message::Message;
    use crate::plan::NoticeKind;

    fn message(text: &str) -> Message {
        let north = CustomerId::from("north");
        let told = (NoticeKind::OverageMajor, "k", Instant(0));
        Message::of("ops", (&north, "A & B <North>"), told, (Some("learn"), None), text)
    }

    #[test]
    fn slack_texts_mention_nobody() {
        let body: Value = serde_json::from_str(&slack(&message("<!channel> see <https://x|y> & @here"))).expect("JSON");
        let block = |at: usize| body["blocks"][at]["text"]["text"].as_str().expect("a text").to_owned();
        assert_eq!(block(0), ":rotating_light: *A &amp; B &lt;North&gt;: An overage is major*");
        assert_eq!(block(1), "&lt;!channel&gt; see &lt;https://x|y&gt; &amp; @here");
        assert_eq!(body["blocks"][1]["text"]["verbatim"], true);
        assert!(body["text"].as_str().is_some_and(|text| !text.contains('<')), "{body}");
        let facts = body["blocks"][2]["elements"][0]["text"].as_str().expect("facts");
        assert!(facts.starts_with("Customer: north · Pool: learn · Severity: critical"), "{facts}");
    }

    #[test]
    fn teams_cards_hold_text_as_it_is() {
        let body: Value = serde_json::from_str(&teams(&message("[click](https://x) **now**"))).expect("JSON");
        let card = &body["attachments"][0]["content"];
        assert_eq!((&card["type"], &card["version"]), (&"AdaptiveCard".into(), &"1.4".into()));
        let blocks = card["body"].as_array().expect("blocks");
        assert!(blocks.iter().all(|block| block["type"] == "RichTextBlock"), "{body}");
        assert_eq!(blocks[1]["inlines"][0]["text"], "[click](https://x) **now**");
        assert_eq!(blocks[0]["inlines"][0]["color"], "Attention");
    }

    #[test]
    fn r156_chats_get_bounded_texts() {
        let long = "&ü".repeat(50_000);
        for (body, max) in [(slack(&message(&long)), 9_000), (teams(&message(&long)), 9_000)] {
            assert!(body.len() < max && body.contains('…'), "{}", body.len());
            assert!(serde_json::from_str::<Value>(&body).is_ok());
        }
    }
}
