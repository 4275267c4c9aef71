//! Shows what came of a decision.

use serde::Serialize;

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::words::change_text;
use crate::license::TermState;
use crate::plan::{Answer, PoolOutlook, causes_text};
use crate::service::DecisionDone;
use crate::shape::{ActionJson, NoticeJson, OutlookJson};

#[derive(Debug, Serialize)]
struct AnswerJson<'a> {
    /// A stable code.
    answer: &'static str,
    text: String,
    /// The version it committed; `null` if there was nothing to write.
    version: Option<u64>,
    /// With `pool_exhausted`: the numbers it was decided on.
    effective: Option<u32>,
    used: Option<u32>,
    /// Those that changed.
    pools: Vec<OutlookJson<'a>>,
    actions: Vec<ActionJson<'a>>,
    notices: Vec<NoticeJson<'a>>,
}

/// Shows a decision; exits by its answer.
///
/// # Errors
/// When the output cannot be written.
pub fn show(context: &mut Context, done: &DecisionDone) -> Result<Exit, CliError> {
    let DecisionDone { answer, decided, receipt } = done;
    let (exit, code, mut text) = words(answer);
    if *answer == Answer::AlreadySo && receipt.is_some() {
        text.push_str("; the pin is new and written in the books");
    }
    let pools = || decided.pools.iter().filter(|pool| moved(pool));
    if context.out.is_json() {
        let (effective, used) = match answer {
            Answer::PoolExhausted { effective, used } => (Some(effective.0), Some(used.0)),
            _ => (None, None),
        };
        context.out.json(&AnswerJson {
            answer: code,
            text,
            version: receipt.map(|receipt| receipt.version.0),
            effective,
            used,
            pools: pools().map(OutlookJson::from).collect(),
            actions: decided.changes.iter().map(|c| ActionJson::new(&decided.names, &decided.people, c)).collect(),
            notices: decided.notices.iter().map(NoticeJson::from).collect(),
        })?;
        return Ok(exit);
    }
    let version = receipt.map_or(String::new(), |receipt| format!(" (version {})", receipt.version));
    context.out.text(&format!("{code}: {text}{version}"))?;
    for change in &decided.changes {
        context.out.text(&format!("  {}", change_text(&decided.names, &decided.people, change)))?;
    }
    for pool in pools() {
        let number = |balance: Option<crate::base::Balance>| balance.map_or("unlimited".to_owned(), |b| b.to_string());
        let why = if pool.causes.is_empty() { String::new() } else { format!(" ({})", causes_text(&pool.causes)) };
        context.out.text(&format!(
            "  pool {}: used {} -> {}, available {} -> {}{why}",
            pool.pool,
            pool.before.used(),
            pool.after.used(),
            number(pool.balance_before),
            number(pool.balance)
        ))?;
    }
    for notice in &decided.notices {
        context.out.text(&format!("  notice {}: {}", notice.kind.word(), notice.text))?;
    }
    Ok(exit)
}

/// Whether any number of a pool changed.
fn moved(pool: &PoolOutlook) -> bool {
    pool.before != pool.after
        || pool.allowance_before != pool.allowance
        || pool.balance_before != pool.balance
        || pool.band_before != pool.band
}

/// The exit code, the code and the sentence of an answer.
pub fn words(answer: &Answer) -> (Exit, &'static str, String) {
    let (exit, code, text) = match answer {
        Answer::Done => (Exit::Done, "done", "it is written in the books"),
        Answer::AlreadySo => (Exit::Done, "already_so", "it was so already"),
        Answer::PoolExhausted { effective, used } => {
            let text = format!("{used} of {effective} seats are used; --override assigns all the same");
            return (Exit::Refused, "pool_exhausted", text);
        }
        Answer::OutOfTerm(state) => {
            let why = match state {
                TermState::InGrace => "the pool's term is over; nobody new gets a seat during grace, not even with --override",
                TermState::NotStarted => "the pool's first term has not started yet",
                _ => "the pool has no term at this time",
            };
            (Exit::Refused, "out_of_term", why)
        }
        Answer::TermOverlaps(other) => {
            let text = format!("it would overlap term {other}; terms of a pool follow one another");
            return (Exit::Refused, "term_overlaps", text);
        }
        Answer::TermEndsFirst => (
            Exit::Refused,
            "term_ends_first",
            "the term would end before it starts; to withdraw one, let it end where it starts",
        ),
        Answer::NeedsAccess => (Exit::Refused, "needs_access", "the person lacks a seat of the product that this one requires"),
        Answer::NoClaim => (Exit::Refused, "no_claim", "the person has nothing there to give or accept"),
        Answer::UnknownPerson => (Exit::Unknown, "unknown_person", "the newest roster knows no such person"),
        Answer::UnknownPool => (Exit::Unknown, "unknown_pool", "the settings know no such pool"),
        Answer::GrantTaken => {
            (Exit::Refused, "grant_taken", "a grant of this id was recorded before; correct it with another one")
        }
    };
    (exit, code, text.to_owned())
}

#[cfg(test)]
mod tests {
    use crate::base::Seats;
    use crate::cli::exit::Exit;
    use crate::cli::pool::answer::words;
    use crate::plan::Answer;

    #[test]
    fn a_refusal_is_told_with_its_numbers_and_exits_so() {
        let (exit, code, text) = words(&Answer::PoolExhausted { effective: Seats(10), used: Seats(12) });
        assert_eq!((exit, code), (Exit::Refused, "pool_exhausted"));
        assert!(text.starts_with("12 of 10 seats are used"));
        assert_eq!(words(&Answer::AlreadySo).0, Exit::Done);
        assert_eq!(words(&Answer::UnknownPerson).0, Exit::Unknown);
    }
}
