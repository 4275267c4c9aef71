//! What pages are made of: chips, bars, tables, pagers. Nothing is told by color alone.

use maud::{Markup, Render, html};

use crate::base::Seats;
use crate::http::pages::fields::Fields;
use crate::http::pages::visit::ROWS;
use crate::http::pages::words::{count, number, stage};
use crate::license::{Compliance, Stage, TermState};
use crate::service::PoolView;
use crate::shape::{Column, Datum, shown};
use crate::store::RunState;

/// How good something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tone {
    /// Somebody has to act.
    Bad,
    /// Somebody should look.
    Warn,
    /// It is under way.
    Info,
    /// Nothing to say of it.
    Quiet,
    /// All is well.
    Good,
}

impl Tone {
    fn class(self) -> &'static str {
        match self {
            Tone::Good => "good",
            Tone::Info => "info",
            Tone::Quiet => "quiet",
            Tone::Warn => "warn",
            Tone::Bad => "bad",
        }
    }

    /// A sign that differs in its form, too.
    fn sign(self) -> &'static str {
        match self {
            Tone::Good => "\u{2713}",
            Tone::Info => "\u{25cf}",
            Tone::Quiet => "\u{2013}",
            Tone::Warn => "\u{25b2}",
            Tone::Bad => "\u{25c6}",
        }
    }
}

/// A few words with how good that is.
pub fn chip(tone: Tone, text: impl Render) -> Markup {
    html! { span.chip.(tone.class()) { span.sign aria-hidden="true" { (tone.sign()) } (text) } }
}

/// A state of a run.
pub fn run_chip(state: RunState) -> Markup {
    let tone = match state {
        RunState::Fetching | RunState::Planning | RunState::Committing => Tone::Info,
        RunState::Planned | RunState::Reverted | RunState::Cancelled => Tone::Quiet,
        RunState::Succeeded => Tone::Good,
        RunState::Held | RunState::SucceededWithErrors => Tone::Warn,
        RunState::Failed => Tone::Bad,
    };
    chip(tone, crate::http::pages::words::sentence(state.word()))
}

/// How good a status is (R145).
pub fn compliance_tone(status: Compliance) -> Tone {
    match status {
        Compliance::Expired | Compliance::OverageMajor | Compliance::OverageMinorOverdue => Tone::Bad,
        Compliance::OverageGap | Compliance::OverageMinor | Compliance::InGrace | Compliance::AtRisk => Tone::Warn,
        Compliance::Compliant => Tone::Good,
    }
}

/// How a pool stands, in a word or two.
pub fn pool_standing(view: &PoolView) -> (Tone, &'static str) {
    let term = view.term.as_ref().map(|term| (term.phase.state, term.renewal_due));
    match (term, &view.clock) {
        (Some((TermState::Expired, _)), _) => (Tone::Bad, "Term over"),
        (_, Some(clock)) if clock.stage == Stage::Minor => (Tone::Warn, stage(clock.stage)),
        (_, Some(clock)) => (Tone::Bad, stage(clock.stage)),
        (_, None) if view.provisional.is_some() => (Tone::Warn, "Provisional overage"),
        (_, None) if view.balance.is_some_and(|balance| balance.0 < 0) => (Tone::Warn, "Below zero"),
        (Some((TermState::InGrace, _)), _) => (Tone::Warn, "In grace"),
        (Some((_, true)), _) => (Tone::Warn, "Renewal due"),
        (Some((TermState::NotStarted, _)), _) => (Tone::Quiet, "Not started"),
        _ if view.balance.is_some_and(|balance| balance.0 == 0) && view.used().0 > 0 => (Tone::Info, "Full"),
        _ if view.allowance.seats.is_some_and(|seats| is_nearly_full(view.used(), seats)) => (Tone::Info, "Nearly full"),
        _ => (Tone::Good, "Within"),
    }
}

/// At 95 % and above (R145).
fn is_nearly_full(used: Seats, limit: Seats) -> bool {
    limit.0 > 0 && u64::from(used.0) * 100 >= u64::from(limit.0) * 95
}

/// The width of a bar in its own units.
const BAR: u64 = 1000;

/// Seats in use of those that were bought; what is above them is drawn beyond their mark.
pub fn bar(used: Seats, limit: Option<Seats>) -> Markup {
    let nearly = limit.is_some_and(|limit| is_nearly_full(used, limit));
    let (used, limit) = (u64::from(used.0), limit.map(|limit| u64::from(limit.0)));
    let whole = limit.unwrap_or(used).max(used).max(1);
    let at = |seats: u64| seats * BAR / whole;
    let (inside, over) = (used.min(limit.unwrap_or(used)), used.saturating_sub(limit.unwrap_or(used)));
    let told = match limit {
        Some(limit) => format!("{} of {} seats used", count(used), count(limit)),
        None => format!("{} seats used, unlimited", count(used)),
    };
    html! {
        svg.bar role="img" aria-label=(told) viewBox="0 0 1000 12" preserveAspectRatio="none" {
            rect.track x="0" y="0" width="1000" height="12" {}
            rect.used.near[nearly] x="0" y="0" width=(at(inside)) height="12" {}
            @if over > 0 {
                rect.over x=(at(inside)) y="0" width=(BAR - at(inside)) height="12" {}
                rect.mark x=(at(inside).saturating_sub(2)) y="0" width="4" height="12" {}
            }
        }
    }
}

/// What is left of a pool: red and with its sign where negative.
pub fn balance(left: Option<i64>) -> Markup {
    match left {
        None => html! { span.quiet { "unlimited" } },
        Some(left) => html! { span.num.neg[left < 0] { (number(left)) } },
    }
}

/// The head of a column, and whether it holds numbers.
pub type Head<'h> = (&'h str, bool);

/// A table that scrolls by itself where it is wider than the screen. Its rows can be sorted where there is a script.
pub fn table(label: &str, heads: &[Head<'_>], rows: &Markup) -> Markup {
    html! {
        div.scroll role="region" aria-label=(label) tabindex="0" {
            table data-sort {
                thead { tr { @for (head, is_number) in heads { th.num[*is_number] scope="col" { (head) } } } }
                tbody { (rows) }
            }
        }
    }
}

/// A report's rows as a table.
pub fn grid(label: &str, columns: &[Column], rows: &[Vec<Datum>]) -> Markup {
    let shown = shown(columns);
    let is_number = |at: usize| {
        let mut cells = rows.iter().filter_map(|row| row.get(at));
        cells.next().is_some_and(|datum| !matches!(datum, Datum::Text(_) | Datum::At(_) | Datum::On(_)))
    };
    let heads: Vec<Head<'_>> = shown.iter().map(|&at| (columns[at].0, is_number(at))).collect();
    let rows = html! {
        @for row in rows { tr { @for &at in &shown { @if let Some(datum) = row.get(at) { (cell(datum)) } } } }
    };
    table(label, &heads, &rows)
}

fn cell(datum: &Datum) -> Markup {
    match datum {
        Datum::Text(text) => {
            html! { td.words[text.as_ref().is_some_and(|text| text.len() > 40)] { (text.as_deref().unwrap_or_default()) } }
        }
        Datum::Number(value) => html! { td.num { @if let Some(value) = value { (number(*value)) } } },
        Datum::Balance(value) => {
            html! { td.num { @if let Some(value) = value { span.neg[*value < 0] { (number(*value)) } } } }
        }
        Datum::Percent(text) => html! { td.num { @if let Some(text) = text { (text) " %" } } },
        Datum::At(at) => html! { td { @if let Some(at) = at { time datetime=(at) { (at) } } } },
        Datum::On(day) => html! { td { @if let Some(day) = day { time datetime=(day) { (day) } } } },
    }
}

/// Names and what they are, side by side.
pub fn facts(facts: &[(&str, Markup)]) -> Markup {
    html! { dl.facts { @for (name, what) in facts { div { dt { (name) } dd { (what) } } } } }
}

/// That there is nothing to show, and why that is so.
pub fn nothing(text: &str) -> Markup {
    html! { p.nothing { (text) } }
}

/// The part of a list that a page shows.
pub fn part<T>(all: Vec<T>, page: usize) -> Vec<T> {
    all.into_iter().skip((page - 1) * ROWS).take(ROWS).collect()
}

/// Ways to the pages before and after, keeping these values of the query.
pub fn pager(path: &str, query: &Fields, keep: &[&str], total: Option<usize>, is_more: bool) -> Markup {
    let page = query.page();
    if page == 1 && !is_more {
        return html! {};
    }
    let (first, last) = ((page - 1) * ROWS + 1, total.map(|total| (page * ROWS).min(total)));
    let told = match (last, total) {
        (Some(last), Some(total)) => format!("{}\u{2013}{} of {}", count(first), count(last), count(total)),
        _ => format!("Page {}", count(page)),
    };
    html! {
        nav.pager aria-label="Pages" {
            @if page > 1 { a.button rel="prev" href=(query.link(path, keep, page - 1)) { "\u{2190} Before" } }
            span.quiet { (told) }
            @if is_more { a.button rel="next" href=(query.link(path, keep, page + 1)) { "After \u{2192}" } }
        }
    }
}

/// The same for a list that is known as a whole.
pub fn pager_of(path: &str, query: &Fields, keep: &[&str], total: usize) -> Markup {
    pager(path, query, keep, Some(total), total > query.page() * ROWS)
}
