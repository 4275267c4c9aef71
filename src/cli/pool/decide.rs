//! `rosterd pool pin`, `unpin`, `transfer`, `accept`: who has a seat, by hand (R9, R32, R37, R47).

use crate::base::{Day, PersonKey, PoolId};
use crate::cli::context::{Context, actor};
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::pool::answer::show;
use crate::cli::pool::args::{PinArgs, PinWord};
use crate::license::{Pin, PinKind};
use crate::plan::Decision;

/// Pins a person to a pool, or keeps one out.
///
/// # Errors
/// When the books cannot be written, or there is no such customer or pool.
pub fn pin(context: &mut Context, args: &PinArgs) -> Result<Exit, CliError> {
    if args.insist && matches!(args.decision, PinWord::Deny) {
        return Err(CliError::Usage("--override is for assign: a deny needs no seat".into()));
    }
    let service = context.service_to_write()?;
    let customer = service.customer(&args.customer)?;
    let id = PoolId::from(args.pool.as_str());
    let today = customer.pool(&id)?.calendar.day_of(service.now());
    let until = args.until.unwrap_or(Day::MAX);
    if until < today {
        return Err(CliError::Usage(format!("--until {until} is over; today is {today}")));
    }
    let pin = Pin {
        person: PersonKey::from(args.person.as_str()),
        pool: id,
        kind: args.decision.into(),
        by: actor(),
        at: service.now(),
        reason: args.reason.clone(),
        until,
    };
    let done = service.decide(customer, &actor(), &Decision::Pin { pin, insist: args.insist })?;
    show(context, &done)
}

/// Lifts a pin, also one on a pool that is gone from the settings.
///
/// # Errors
/// When the books cannot be written, or there is no such customer.
pub fn unpin(context: &mut Context, customer: &str, pool: &str, person: &str) -> Result<Exit, CliError> {
    let service = context.service_to_write()?;
    let customer = service.customer(customer)?;
    let (person, pool) = (PersonKey::from(person), PoolId::from(pool));
    if !service.store().standing_light(customer.id())?.terms.contains_key(&pool) {
        customer.pool(&pool)?;
    }
    let done = service.decide(customer, &actor(), &Decision::Unpin { person, pool })?;
    show(context, &done)
}

/// Hands a seat on.
///
/// # Errors
/// When the books cannot be written, or there is no such customer or pool.
pub fn transfer(
    context: &mut Context,
    customer: &str,
    pool: &str,
    (from, to): (&str, &str),
    reason: &str,
) -> Result<Exit, CliError> {
    if from == to {
        return Err(CliError::Usage("a seat is handed from one person to another".into()));
    }
    let service = context.service_to_write()?;
    let customer = service.customer(customer)?;
    let id = PoolId::from(pool);
    customer.pool(&id)?;
    let pin = |person: &str, kind| Pin {
        person: PersonKey::from(person),
        pool: id.clone(),
        kind,
        by: actor(),
        at: service.now(),
        reason: reason.to_owned(),
        until: Day::MAX,
    };
    let decision = Decision::Transfer { give: pin(from, PinKind::Deny), take: pin(to, PinKind::Assign) };
    let done = service.decide(customer, &actor(), &decision)?;
    show(context, &done)
}

/// Records an acceptance.
///
/// # Errors
/// As [`transfer`].
pub fn accept(context: &mut Context, customer: &str, pool: &str, person: &str) -> Result<Exit, CliError> {
    let service = context.service_to_write()?;
    let customer = service.customer(customer)?;
    let (person, pool) = (PersonKey::from(person), PoolId::from(pool));
    customer.pool(&pool)?;
    let done = service.decide(customer, &actor(), &Decision::Accept { person, pool })?;
    show(context, &done)
}
