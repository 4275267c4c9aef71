//! Curves, drawn here: steps of what is used against what was bought. Every chart has its numbers beside it as a table or a
//! list, and a sentence that says what it shows.

use std::fmt::Write as _;

use maud::{Markup, html};

use crate::http::pages::words::count;

/// How wide and how high a plot is, in its own units.
const WIDTH: i64 = 1000;
const HEIGHT: i64 = 300;

/// From a place along the plot on: how many are used, and how many were bought; `None`: unlimited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// Where it begins.
    pub at: i64,
    /// Used.
    pub used: i64,
    /// Bought and agreed.
    pub limit: Option<i64>,
}

/// A chart.
pub struct Chart<'c> {
    /// What it shows, in a sentence.
    pub told: &'c str,
    /// In the order of time; the first begins where the plot does.
    pub steps: &'c [Step],
    /// Where the plot ends.
    pub end: i64,
    /// Places where something happened.
    pub events: &'c [i64],
    /// What stands below its beginning and its end.
    pub along: (String, String),
}

impl Chart<'_> {
    /// Its figure.
    pub fn figure(&self) -> Markup {
        let Some(first) = self.steps.first() else { return html! {} };
        let values = || self.steps.iter().flat_map(|step| [Some(step.used), step.limit]).flatten();
        let most = values().max().unwrap_or(0).max(1);
        // Where all of it is far above zero, the part that moves is shown, and the axis says so.
        let least = values().min().unwrap_or(0);
        let low = if least * 4 > most * 3 { least - (most - least).max(most / 20).max(1) } else { 0 }.max(0);
        let top = most + ((most - low) / 12).max(1);
        let x = |at: i64| (at - first.at) * WIDTH / (self.end - first.at).max(1);
        let y = |seats: i64| HEIGHT - (seats - low) * HEIGHT / (top - low).max(1);
        let mut steps: Vec<Step> = self.steps.to_vec();
        steps.dedup_by(|next, step| (next.used, next.limit) == (step.used, step.limit));
        let until = |at: usize| steps.get(at + 1).map_or(self.end, |next| next.at);
        let spans: Vec<(i64, i64, &Step)> =
            steps.iter().enumerate().map(|(at, step)| (x(step.at), x(until(at)), step)).collect();
        let mut used = String::new();
        for (from, to, step) in &spans {
            let sign = if used.is_empty() { 'M' } else { 'L' };
            // Writing to a text does not fail.
            let _ = write!(used, "{sign}{from} {}H{to}", y(step.used));
        }
        let (mut limit, mut is_drawn) = (String::new(), false);
        for (from, to, step) in &spans {
            if let Some(seats) = step.limit {
                let _ = write!(limit, "{}{from} {}H{to}", if is_drawn { 'L' } else { 'M' }, y(seats));
            }
            is_drawn = step.limit.is_some();
        }
        let area = format!("{used}V{HEIGHT}H0Z");
        let over = spans.iter().filter_map(|(from, to, step)| {
            let limit = step.limit.filter(|limit| step.used > *limit)?;
            Some((*from, (to - from).max(1), y(step.used), y(limit) - y(step.used)))
        });
        html! {
            figure.chart {
                figcaption {
                    span { (self.told) }
                    (key("used", "Used")) (key("limit", "Bought and agreed"))
                }
                div.plot aria-hidden="true" {
                    div.up { span { (count(top)) } span { (count(low)) } }
                    svg viewBox="0 0 1000 300" preserveAspectRatio="none" {
                        path.area.used d=(area) {}
                        @for (x, width, y, height) in over { rect.area.over x=(x) y=(y) width=(width) height=(height) {} }
                        @for at in self.events { line.line.event x1=(x(*at)) x2=(x(*at)) y1="0" y2="300" {} }
                        path.line.limit d=(limit) {}
                        path.line.used d=(used) {}
                    }
                    div.along { span { (self.along.0) } span { (self.along.1) } }
                }
            }
        }
    }
}

fn key(class: &str, name: &str) -> Markup {
    html! {
        span.key {
            svg viewBox="0 0 26 12" aria-hidden="true" { line.line.(class) x1="0" y1="6" x2="26" y2="6" {} }
            (name)
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::http::pages::chart::{Chart, Step};

    fn drawn(steps: &[Step]) -> String {
        let along = ("today".to_owned(), "later".to_owned());
        Chart { told: "It <moves>.", steps, end: 10, events: &[5], along }.figure().into_string()
    }

    #[test]
    fn what_is_used_above_what_was_bought_is_marked() {
        let steps = [Step { at: 0, used: 10, limit: Some(10) }, Step { at: 5, used: 12, limit: Some(10) }];
        let figure = drawn(&steps);
        assert!(figure.contains("d=\"M0 ") && figure.contains("L500 "), "{figure}");
        assert_eq!(figure.matches("<rect class=\"area over\" x=\"500\"").count(), 1, "{figure}");
        assert!(figure.contains("It &lt;moves&gt;.") && figure.contains("x1=\"500\""), "{figure}");
        let within = drawn(&[Step { at: 0, used: 3, limit: Some(10) }]);
        assert!(!within.contains("area over"));
    }

    #[test]
    fn anything_can_be_drawn() {
        for steps in [
            vec![],
            vec![Step { at: 0, used: 0, limit: None }],
            vec![Step { at: 0, used: 0, limit: Some(0) }],
            vec![Step { at: 10, used: 4_000_000_000, limit: Some(1) }],
            vec![Step { at: 0, used: 1, limit: None }, Step { at: 3, used: 1, limit: Some(1) }],
        ] {
            let figure = drawn(&steps);
            assert!(!figure.contains("NaN"), "{figure}");
        }
    }
}
