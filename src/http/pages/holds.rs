//! What guards hold: shown before anybody decides, and decided as a whole or person by person (R119 to R123).

use std::collections::{BTreeMap, BTreeSet};

use maud::{Markup, html};

use crate::base::{PersonKey, RunId};
use crate::http::access::Deed;
use crate::http::pages::layout::{csrf, page, when_and_far};
use crate::http::pages::parts::{Head, Tone, chip, facts, nothing, pager_of, part, table};
use crate::http::pages::people::path_of_person;
use crate::http::pages::plan::outlook;
use crate::http::pages::reply::{Made, Reply};
use crate::http::pages::visit::{ROWS, Visit, path_of};
use crate::http::pages::words::{begun, count, counted, sentence, told, when};
use crate::http::problem::Problem;
use crate::license::{Hold, HoldState};
use crate::plan::Plan;
use crate::service::{Customer, HoldAnswer, HoldDone};
use crate::shape::hold_answer;

/// All holds, newest first.
pub fn holds(visit: &Visit<'_>) -> Made {
    const HEADS: [Head<'_>; 6] =
        [("Hold", false), ("State", false), ("Opened", false), ("Decide until", false), ("People", true), ("Because", false)];
    let customer = visit.whole_customer()?;
    let all = visit.service().holds(customer)?;
    let total = all.len();
    let shown = part(all, visit.query.page());
    let rows = html! {
        @for hold in &shown {
            tr {
                th scope="row" { a href=(path_of(customer, &format!("/holds/{}", hold.run))) { "Run " (hold.run) } }
                td { (state_chip(visit, hold)) }
                td { (when(customer, hold.opened)) }
                td { (when(customer, hold.deadline)) }
                td.num { (count(hold.removals.len() + hold.additions.len())) }
                td.words { @for trip in &hold.trips { p { (told(trip)) } } }
            }
        }
    };
    let body = html! {
        div.head { h1 { "Holds" } }
        p.quiet { "Where a run would take or give more seats than the guards let pass, people stay as they are until somebody decides." }
        @if shown.is_empty() { (nothing("No guard ever held anything back.")) } @else { (table("Holds", &HEADS, &rows)) }
        (pager_of(&path_of(customer, "/holds"), &visit.query, &[], total))
    };
    Ok(page(visit, customer, "Holds", "Holds", &body))
}

fn state_chip(visit: &Visit<'_>, hold: &Hold) -> Markup {
    let tone = match hold.state {
        HoldState::Open if hold.is_open(visit.now) => Tone::Bad,
        HoldState::Approved | HoldState::PartlyApproved => Tone::Good,
        _ => Tone::Quiet,
    };
    chip(tone, sentence(hold.state.word()))
}

fn hold_of<'s>(visit: &Visit<'s>) -> Result<(&'s Customer, Hold), Problem> {
    let customer = visit.whole_customer()?;
    let number = visit.number("run")?;
    let (whose, hold) = visit.asking.hold(number)?;
    if whose.id() != customer.id() {
        return Err(Problem::unknown("hold of run", &number.to_string()));
    }
    Ok((customer, hold))
}

/// One hold.
pub fn hold(visit: &Visit<'_>) -> Made {
    let (customer, hold) = hold_of(visit)?;
    shown(visit, customer, &hold, visit.query.page(), &BTreeSet::new())
}

/// One hold, with people who were ticked on its pages so far.
fn shown(visit: &Visit<'_>, customer: &Customer, hold: &Hold, at: usize, kept: &BTreeSet<String>) -> Made {
    let is_open = hold.is_open(visit.now);
    let decides = is_open && visit.may(Deed::DecideHold);
    let preview = visit.service().hold_preview(customer, hold)?;
    let path = path_of(customer, &format!("/holds/{}", hold.run));
    let total = hold.removals.len() + hold.additions.len();
    let body = html! {
        div.head { h1 { "Hold of run " (hold.run) } (state_chip(visit, hold)) }
        @for trip in &hold.trips { p { (told(trip)) } }
        (facts(&[
            ("Opened", when_and_far(customer, visit.now, hold.opened)),
            (if hold.state.is_approved() { "Works until" } else { "Decide until" }, when_and_far(customer, visit.now, hold.deadline)),
            ("Would go", html! { (counted(hold.removals.len(), "person", "people")) }),
            ("Would come", html! { (counted(hold.additions.len(), "person", "people")) }),
            ("Run", html! { a href=(path_of(customer, &format!("/runs/{}", hold.run))) { "Run " (hold.run) } }),
        ]))
        @if let (Some(by), Some(at)) = (&hold.by, hold.at) { p { "Decided by " (by) ", " (when(customer, at)) "." } }
        @if let Some(run) = hold.used {
            p { "What was approved was done by " a href=(path_of(customer, &format!("/runs/{run}"))) { "run " (run) } "." }
        }
        @for (source, (_, name)) in &hold.packages { p.quiet { "Nothing of " (name) " from " (source) " is taken in until then." } }
        @match &preview {
            Some(plan) => {
                h2 { "If all of it is approved now" }
                (outlook(customer, &plan.pools))
            }
            None if is_open => { p { "Its packages are gone: a newer package is judged anew." } }
            None => {}
        }
        @if !hold.exceptions.is_empty() {
            h2 { "Stay by decision" }
            p { @for (at, person) in hold.exceptions.iter().take(ROWS).enumerate() {
                @if at > 0 { ", " } a href=(path_of_person(customer, person.as_str())) { (person) }
            } @if hold.exceptions.len() > ROWS { " and " (count(hold.exceptions.len() - ROWS)) " more" } }
        }
        h2 { "People" }
        @if total == 0 { (nothing("It names nobody.")) }
        @if decides {
            form method="post" action={ (path) "/approve" } {
                (csrf(visit))
                (people(customer, hold, preview.as_ref(), at, Some(kept)))
                (turns(at, total))
                @if hold.empty {
                    p.choice {
                        input #allow_empty type="checkbox" name="allow_empty" value="yes";
                        label for="allow_empty" { "A collection came back empty, and that is right." }
                    }
                }
                p data-tally=(kept_elsewhere(hold, at, kept).count()) aria-live="polite" {
                    "Whoever is ticked stays as they are; everybody else is approved."
                }
                div.choice {
                    button type="submit" data-working="Approving\u{2026}" { "Approve" }
                    button.danger type="submit" formaction={ (path) "/reject" } data-working="Rejecting\u{2026}" { "Reject all of it" }
                }
                p.quiet { "Approving makes a run at once and answers when it is over. Rejecting leaves everybody as they are." }
            }
        } @else if total > 0 {
            (people(customer, hold, preview.as_ref(), at, None))
            (pager_of(&path, &visit.query, &[], total))
            @if is_open { p.quiet { "Holds are decided by operators." } }
        }
    };
    Ok(page(visit, customer, "Holds", &format!("Hold of run {}", hold.run), &body))
}

/// The people of a hold on one of its pages: those who would go first.
fn on_page(hold: &Hold, at: usize) -> impl Iterator<Item = (&PersonKey, bool)> {
    let going = hold.removals.iter().map(|person| (person, true));
    going.chain(hold.additions.iter().map(|person| (person, false))).skip((at - 1) * ROWS).take(ROWS)
}

/// Those who are kept and are not on this page.
fn kept_elsewhere<'k>(hold: &Hold, at: usize, kept: &'k BTreeSet<String>) -> impl Iterator<Item = &'k String> {
    let here: BTreeSet<&str> = on_page(hold, at).map(|(person, _)| person.as_str()).collect();
    kept.iter().filter(move |person| !here.contains(person.as_str()))
}

fn people(customer: &Customer, hold: &Hold, plan: Option<&Plan>, at: usize, kept: Option<&BTreeSet<String>>) -> Markup {
    let here: BTreeSet<&str> = on_page(hold, at).map(|(person, _)| person.as_str()).collect();
    let mut pools: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (plan, change) in plan.iter().flat_map(|plan| plan.changes.iter().map(move |change| (plan, change))) {
        let person = plan.people.get(change.person);
        let was_seat = change.before.as_deref().is_some_and(|before| before.state.consumes());
        if here.contains(person) && was_seat != change.after.state.consumes() {
            pools.entry(person).or_default().push(plan.names.pool_of(&change.after).as_str());
        }
    }
    let with_boxes: &[Head<'_>] =
        &[("Keep", false), ("Person", false), ("What would happen", false), ("Seats freed or given", false)];
    let heads = if kept.is_some() { with_boxes } else { &with_boxes[1..] };
    let rows = html! {
        @for (at, (person, goes)) in on_page(hold, at).enumerate() {
            tr.(if goes { "out" } else { "in" }) {
                @if let Some(kept) = kept {
                    td {
                        input type="checkbox" name="keep" id={ "keep-" (at) } value=(person) checked[kept.contains(person.as_str())]
                            aria-label={ "Keep " (person) " as is" };
                    }
                }
                th scope="row" { a href=(path_of_person(customer, person.as_str())) { (person) } }
                td { @if goes { "Would go" } @else { "Would come" } }
                td { (pools.get(person.as_str()).map(|pools| pools.join(", ")).unwrap_or_default()) }
            }
        }
    };
    html! {
        @if let Some(kept) = kept {
            @for person in kept_elsewhere(hold, at, kept) { input type="hidden" name="keep" value=(person); }
        }
        (table("People of the hold", heads, &rows))
    }
}

/// Ways to the other pages of a list that is being decided on; who is ticked stays ticked.
fn turns(at: usize, total: usize) -> Markup {
    html! {
        @if total > ROWS {
            div.pager {
                @if at > 1 { button.second type="submit" name="go" value=(at - 1) { "\u{2190} Before" } }
                span.quiet { (count((at - 1) * ROWS + 1)) "\u{2013}" (count((at * ROWS).min(total))) " of " (count(total)) }
                @if at * ROWS < total { button.second type="submit" name="go" value=(at + 1) { "After \u{2192}" } }
            }
        }
    }
}

/// The other pages of a list that is being decided on are answers to a form; who asks for one anew begins with the first.
pub fn afresh(visit: &Visit<'_>) -> Made {
    let (customer, hold) = hold_of(visit)?;
    Ok(Reply::on_to(&path_of(customer, &format!("/holds/{}", hold.run))))
}

/// Approves a hold but for those who are ticked, or shows another page of it.
pub fn approve(visit: &Visit<'_>) -> Made {
    let (customer, hold) = hold_of(visit)?;
    let kept: BTreeSet<String> = visit.form.all("keep").map(str::to_owned).collect();
    if let Some(to) = visit.form.get("go").and_then(|to| to.parse::<usize>().ok()) {
        let pages = (hold.removals.len() + hold.additions.len()).div_ceil(ROWS);
        return shown(visit, customer, &hold, to.clamp(1, pages.max(1)), &kept);
    }
    let except: Vec<PersonKey> = kept.iter().map(|key| PersonKey::from(key.as_str())).collect();
    let allow_empty = visit.form.get("allow_empty").is_some();
    let done = visit.service().approve_hold(RunId(hold.run.0), &visit.actor(), &except, allow_empty, &|_| ())?;
    Ok(decided(visit, customer, &done))
}

/// Rejects a hold.
pub fn reject(visit: &Visit<'_>) -> Made {
    let (customer, hold) = hold_of(visit)?;
    let done = visit.service().reject_hold(RunId(hold.run.0), &visit.actor())?;
    Ok(decided(visit, customer, &done))
}

fn decided(visit: &Visit<'_>, customer: &Customer, done: &HoldDone) -> Reply {
    let state = done.hold.state.word().replace('_', " ");
    let text = match done.answer {
        HoldAnswer::NeedsAllowEmpty => "A collection came back empty: tick that this is right, or reject the hold.".to_owned(),
        HoldAnswer::Done => format!("Hold {} is {state}.", done.hold.run),
        HoldAnswer::NotOpen(_) => format!("Hold {} is {state} already.", done.hold.run),
        HoldAnswer::Expired | HoldAnswer::NotCovered(_) => format!("{}.", begun(&hold_answer(done).1)),
    };
    let run = done.run.as_ref().map_or_else(String::new, |run| {
        let freed = counted(run.tally.released, "seat", "seats");
        format!(" Run {} {}: {freed} freed, {} given.", run.run, run.state.word().replace('_', " "), count(run.tally.seated))
    });
    let later = match (&done.run, done.hold.used) {
        (Some(_), None) => " What was approved is not done yet: the next run does it, until the deadline.",
        _ => "",
    };
    visit.say(done.answer == HoldAnswer::Done, format!("{text}{run}{later}"));
    Reply::on_to(&path_of(customer, &format!("/holds/{}", done.hold.run)))
}
