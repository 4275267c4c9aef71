//! The words of a mail: subject, text, HTML. Whatever a text holds, it stays text.

use crate::notify::message::{Message, capped};

/// A mail is no place for more.
const TEXT_BYTES_MAX: usize = 20_000;
const SUBJECT_BYTES_MAX: usize = 150;

/// The subject, in one line.
pub fn subject(message: &Message) -> String {
    let line = |c: char, out: &mut String| out.push(if c.is_control() { ' ' } else { c });
    capped(&message.headline(), SUBJECT_BYTES_MAX, line)
}

/// The text.
pub fn text(message: &Message) -> String {
    let plain = |c: char, out: &mut String| {
        if c == '\n' || !c.is_control() {
            out.push(c);
        }
    };
    let mut text = format!("{}\n\n{}\n\n", message.headline(), message.text);
    for (name, value) in message.facts() {
        text.push_str(&format!("{name}: {value}\n"));
    }
    if !message.key.is_empty() {
        text.push_str(&format!("Notice: {}\n", message.key));
    }
    capped(&text, TEXT_BYTES_MAX, plain)
}

/// The same in HTML.
pub fn html(message: &Message) -> String {
    let escaped = |text: &str| capped(text, TEXT_BYTES_MAX, escape);
    let mut rows = String::new();
    let key = (!message.key.is_empty()).then(|| ("Notice", message.key.clone()));
    for (name, value) in message.facts().into_iter().chain(key) {
        let cell = "style=\"padding:2px 12px 2px 0;text-align:left;vertical-align:top\"";
        rows.push_str(&format!("<tr><th {cell} scope=\"row\">{name}</th><td {cell}>{}</td></tr>\n", escaped(&value)));
    }
    let (head, text) = (escaped(&message.headline()), escaped(&message.text));
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>{head}</title></head>\n\
         <body style=\"font-family:sans-serif;line-height:1.4\">\n<h1 style=\"font-size:1.2em\">{head}</h1>\n<p>{text}</p>\n\
         <table style=\"border-collapse:collapse;font-size:0.9em\">\n{rows}</table>\n</body>\n</html>\n"
    )
}

fn escape(c: char, out: &mut String) {
    match c {
        '&' => out.push_str("&amp;"),
        '<' => out.push_str("&lt;"),
        '>' => out.push_str("&gt;"),
        '"' => out.push_str("&quot;"),
        '\'' => out.push_str("&#39;"),
        '\n' => out.push_str("<br>\n"),
        c if c.is_control() => {}
        c => out.push(c),
    }
}

#[cfg(test)]
mod tests {
    use crate::base::{CustomerId, Instant};
    use crate::notify::mail_text::{html, subject, text};
    use crate::notify::message::Message;
    use crate::plan::NoticeKind;

    fn message(name: &str, said: &str) -> Message {
        let told = (NoticeKind::NearLimit, "near_limit/learn/7", Instant(0));
        Message::of("mail", (&CustomerId::from("north"), name), told, (Some("learn"), None), said)
    }

    #[test]
    fn a_mail_says_the_same_twice_and_is_escaped() {
        let told = message("A & B\r\nBcc: x@y.example", "<script>alert('x')</script>\nnext");
        assert_eq!(subject(&told), "A & B  Bcc: x@y.example: Few seats are left");
        assert!(text(&told).contains("<script>alert('x')</script>\nnext\n\nCustomer: north\nPool: learn\n"), "{}", text(&told));
        let html = html(&told);
        assert!(html.contains("<p>&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;<br>\nnext</p>"), "{html}");
        assert!(html.contains("A &amp; B") && !html.contains("<script"), "{html}");
        assert!(
            html.contains("<th style=\"padding:2px 12px 2px 0;text-align:left;vertical-align:top\" scope=\"row\">Notice</th>")
        );
    }

    #[test]
    fn r156_a_mail_is_bounded() {
        let long = message(&"N".repeat(1_000), &"<ü>".repeat(100_000));
        assert!(subject(&long).len() <= 160 && text(&long).len() <= 20_100 && html(&long).len() <= 24_000);
    }
}
