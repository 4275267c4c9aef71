//! `rosterd pool show`: why a pool's balance is what it is (R162).

use std::collections::BTreeMap;

use crate::base::{Day, PoolId};
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::output::{number, text};
use crate::cli::words::{POOL_HEADER, freshness_text, pool_cells, term_line, when};
use crate::license::{ClaimState, Episode, Pool, last_day};
use crate::service::{PoolDetail, PoolMoves};
use crate::shape::PoolDetailJson;

/// Shows a pool; `explained`: and tells for which reasons its seats are held, which takes a look at every claim.
///
/// # Errors
/// When the books cannot be read, or there is no such customer or pool.
pub fn run(context: &mut Context, customer: &str, pool: &str, since: Option<Day>, explained: bool) -> Result<Exit, CliError> {
    let service = context.service()?;
    let customer = service.customer(customer)?;
    let id = PoolId::from(pool);
    let pool = customer.pool(&id)?;
    let detail = service.pool_detail(customer, &id)?;
    let freshness = service.freshness(customer)?;
    let reasons = if explained { Some(service.seats_by_reason(customer, &id)?) } else { None };
    let moves = match since {
        Some(day) => Some((day, service.pool_moves(customer, &id, pool.calendar.start_of(day))?)),
        None => None,
    };
    if context.out.is_json() {
        context.out.json(&PoolDetailJson::new(customer, pool, &detail, freshness, moves.as_ref(), reasons.as_deref()))?;
    } else {
        tell(context, pool, &detail, moves.as_ref())?;
        let told = reasons.iter().flatten().map(|(why, seats)| vec![text(why), number(seats)]);
        context.out.table(&["seats held for", "seats"], told.collect())?;
        context.out.text(&freshness_text(freshness))?;
    }
    Ok(Exit::Done)
}

fn tell(context: &mut Context, pool: &Pool, detail: &PoolDetail, moves: Option<&(Day, PoolMoves)>) -> Result<(), CliError> {
    let out = &mut context.out;
    let PoolDetail { view, terms: _, grants, agreed, pins, episodes, used_by_org } = detail;
    out.table(&POOL_HEADER, vec![pool_cells(view)])?;
    let counts = ClaimState::ALL.into_iter().filter(|state| *state != ClaimState::Released);
    let counts: Vec<String> = counts.map(|state| format!("{} {}", view.counts.of(state), state.word())).collect();
    out.text(&format!("owner {}, zone {}; {}", pool.owner, pool.calendar.zone_name(), counts.join(", ")))?;
    if let Some(line) = view.term.as_ref().and_then(term_line) {
        out.text(&line)?;
    }
    if let Some(year) = &view.reuse {
        out.text(&format!(
            "license year from {}: {} different people, {} replacements of {} allowed",
            year.year,
            year.distinct,
            year.replacements(),
            view.reuse_limit.unwrap_or_default()
        ))?;
    }
    let day = |at| pool.calendar.day_of(at).to_string();
    let rows = detail.terms.iter().map(|term| {
        let last = if term.from < term.to { last_day(pool, term.to).to_string() } else { "withdrawn".to_owned() };
        vec![
            text(term.id.as_str()),
            text(day(term.from)),
            text(last),
            text(term.seats.map_or("carried over".to_owned(), |seats| seats.to_string())),
            text(when(term.recorded)),
            text(term.by.to_string()),
            text(&term.reference),
        ]
    });
    out.table(&["term", "from", "last day", "seats", "recorded", "by", "reference"], rows.collect())?;
    let rows = grants.iter().map(|grant| {
        let to = if grant.to == crate::base::Instant::MAX { "for good".to_owned() } else { day(grant.to) };
        vec![
            text(grant.id.as_str()),
            text(grant.kind.word()),
            number(grant.seats),
            text(day(grant.from)),
            text(to),
            text(when(grant.recorded)),
            text(grant.by.to_string()),
            text(&grant.reference),
        ]
    });
    let excesses = agreed.iter().map(|agreed| {
        vec![
            text(agreed.id.as_str()),
            text("agreed_excess"),
            number(agreed.seats),
            text(day(agreed.from)),
            text(day(agreed.to)),
            text(when(agreed.recorded)),
            text(agreed.by.to_string()),
            text(&agreed.reference),
        ]
    });
    let bought = rows.chain(excesses).collect();
    out.table(&["grant", "kind", "seats", "from", "to before", "recorded", "by", "reference"], bought)?;
    let reserved = pool.reservations.iter().map(|(org, seats)| vec![text(org.as_str()), number(seats)]).collect();
    out.table(&["reserved for", "seats"], reserved)?;
    let used = used_by_org.iter().map(|(org, used)| vec![text(org.as_str()), number(used)]).collect();
    out.table(&["home org", "used"], used)?;
    let rows = pins.iter().map(|pin| {
        let until = if pin.until == Day::MAX { "lifted".to_owned() } else { pin.until.to_string() };
        let (person, by) = (pin.person.as_str(), pin.by.to_string());
        vec![text(person), text(pin.kind.word()), text(until), text(when(pin.at)), text(by), text(&pin.reason)]
    });
    out.table(&["pinned", "decision", "until", "since", "by", "reason"], rows.collect())?;
    let header = ["episode", "opened", "cause", "peak", "now or at the end", "closed", "outcome"];
    out.table(&header, episodes.iter().map(episode_cells).collect())?;
    if let Some((since, moves)) = moves {
        let told = |counts: &BTreeMap<&'static str, u32>| match counts.is_empty() {
            true => "none".to_owned(),
            false => counts.iter().map(|(why, count)| format!("{count} {why}")).collect::<Vec<_>>().join(", "),
        };
        let granted: Vec<String> = moves.granted.iter().map(|(id, seats)| format!("{id} {seats:+}")).collect();
        let granted = if granted.is_empty() { "none".to_owned() } else { granted.join(", ") };
        let (seated, freed) = (told(&moves.seated), told(&moves.freed));
        out.text(&format!("since {since}\n  seats taken: {seated}\n  seats freed: {freed}\n  grants recorded: {granted}"))?;
    }
    Ok(())
}

fn episode_cells(episode: &Episode) -> Vec<crate::cli::output::Cell> {
    let last = episode.samples.last();
    vec![
        number(episode.id),
        text(episode.opened_day.to_string()),
        text(episode.cause.word()),
        number(episode.peak),
        text(last.map_or(String::new(), |s| format!("{} of {} ({})", s.used, s.effective, s.band.word()))),
        text(episode.closed.map_or("open".to_owned(), when)),
        text(episode.outcome.map_or("", |outcome| outcome.word())),
    ]
}
