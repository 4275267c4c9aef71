//! `rosterd pool renew` and `pool correct-term`: for how long a pool was bought (R18, R92).

use crate::base::{Day, GrantId, PoolId, Seats};
use crate::cli::context::{Context, actor};
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::pool::answer::exit_of;
use crate::cli::pool::term_args::{CorrectArgs, RenewArgs};
use crate::cli::words::run_text;
use crate::license::{Entry, Pool, RenewalBasis, last_day};
use crate::plan::Answer;
use crate::service::{TermDone, TermFix, TermWish};
use crate::shape::{TermDoneJson, answer_words};

/// Records the next term of a pool.
///
/// # Errors
/// When the books cannot be written, or there is no such customer or pool.
pub fn renew(context: &mut Context, args: &RenewArgs) -> Result<Exit, CliError> {
    let to = args.to.or(args.last_day.map(|last| last.plus(1))).unwrap_or(Day::MAX);
    let service = context.service_to_write()?;
    let customer = service.customer(&args.customer)?;
    let wish = TermWish {
        pool: PoolId::from(args.pool.as_str()),
        id: args.id.clone(),
        from: args.from,
        to,
        seats: args.seats.map(Seats),
        basis: args.basis.map(RenewalBasis::from),
        reference: args.reference.clone(),
    };
    let done = service.renew(customer, &actor(), &wish)?;
    show(context, customer.pool(&wish.pool)?, &done)
}

/// Corrects a term.
///
/// # Errors
/// As [`renew`], or when the pool has no such term.
pub fn correct(context: &mut Context, args: &CorrectArgs) -> Result<Exit, CliError> {
    let to = args.to.or(args.last_day.map(|last| last.plus(1)));
    if to.is_none() && args.from.is_none() && args.seats.is_none() {
        return Err(CliError::Usage("a correction says --seats, --from, --last-day or --to".into()));
    }
    let service = context.service_to_write()?;
    let customer = service.customer(&args.customer)?;
    let pool = PoolId::from(args.pool.as_str());
    let fix = TermFix {
        id: GrantId::from(args.term.as_str()),
        from: args.from,
        to,
        seats: args.seats.map(Seats),
        reference: args.reference.clone(),
    };
    let done = service.correct_term(customer, &actor(), &pool, &fix)?;
    show(context, customer.pool(&pool)?, &done)
}

fn show(context: &mut Context, pool: &Pool, done: &TermDone) -> Result<Exit, CliError> {
    let TermDone { term, decided, run } = done;
    let exit = exit_of(&decided.answer);
    if context.out.is_json() {
        context.out.json(&TermDoneJson::from(done))?;
        return Ok(exit);
    }
    let (code, text) = answer_words(&decided.answer);
    let grants =
        || decided.decided.entries.iter().filter_map(|e| if let Entry::Granted(grant) = e { Some(grant) } else { None });
    let version = decided.receipt.map_or(String::new(), |receipt| format!(" (version {})", receipt.version));
    context.out.text(&format!("{code}: {text}{version}"))?;
    if decided.answer != Answer::Done {
        return Ok(exit);
    }
    let from = pool.calendar.day_of(term.from);
    if term.from < term.to {
        let seats = term.seats.map_or("the seats it ended with".to_owned(), |seats| format!("{seats} seats"));
        context.out.text(&format!("  term {}: {from} to {}, {seats}", term.id, last_day(pool, term.to)))?;
    } else {
        context.out.text(&format!("  term {} of {from} is withdrawn", term.id))?;
    }
    for grant in grants() {
        let (from, to) = (pool.calendar.day_of(grant.from), pool.calendar.day_of(grant.to));
        context.out.text(&format!("  grant {}: {:+} seats from {from} to before {to}", grant.id, grant.seats))?;
    }
    for notice in &decided.decided.notices {
        context.out.text(&format!("  notice {}: {}", notice.kind.word(), notice.text))?;
    }
    if let Some(run) = run {
        context.out.text(&run_text(run))?;
    }
    Ok(exit)
}
