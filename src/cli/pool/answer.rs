//! Shows what came of a decision.

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::words::change_text;
use crate::plan::{Answer, causes_text};
use crate::service::DecisionDone;
use crate::shape::{DecisionJson, decision_words, is_moved};

/// Shows a decision; exits by its answer.
///
/// # Errors
/// When the output cannot be written.
pub fn show(context: &mut Context, done: &DecisionDone) -> Result<Exit, CliError> {
    let DecisionDone { answer, decided, receipt } = done;
    let exit = exit_of(answer);
    if context.out.is_json() {
        context.out.json(&DecisionJson::from(done))?;
        return Ok(exit);
    }
    let (code, text) = decision_words(done);
    let version = receipt.map_or(String::new(), |receipt| format!(" (version {})", receipt.version));
    context.out.text(&format!("{code}: {text}{version}"))?;
    for change in &decided.changes {
        context.out.text(&format!("  {}", change_text(&decided.names, &decided.people, change)))?;
    }
    for pool in decided.pools.iter().filter(|pool| is_moved(pool)) {
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

/// The exit code of an answer.
pub fn exit_of(answer: &Answer) -> Exit {
    match answer {
        Answer::Done | Answer::AlreadySo => Exit::Done,
        Answer::UnknownPerson | Answer::UnknownPool => Exit::Unknown,
        Answer::PoolExhausted { .. }
        | Answer::OutOfTerm(_)
        | Answer::ReuseExceeded
        | Answer::TermOverlaps(_)
        | Answer::TermEndsFirst
        | Answer::NotServed
        | Answer::NeedsAccess
        | Answer::NoClaim
        | Answer::GrantTaken => Exit::Refused,
    }
}

#[cfg(test)]
mod tests {
    use crate::base::Seats;
    use crate::cli::exit::Exit;
    use crate::cli::pool::answer::exit_of;
    use crate::plan::Answer;
    use crate::shape::answer_words;

    #[test]
    fn a_refusal_is_told_with_its_numbers_and_exits_so() {
        let refused = Answer::PoolExhausted { effective: Seats(10), used: Seats(12) };
        let (code, text) = answer_words(&refused);
        assert_eq!((exit_of(&refused), code), (Exit::Refused, "pool_exhausted"));
        assert!(text.starts_with("12 of 10 seats are used"));
        assert_eq!(exit_of(&Answer::AlreadySo), Exit::Done);
        assert_eq!(exit_of(&Answer::UnknownPerson), Exit::Unknown);
    }
}
