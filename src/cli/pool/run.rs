//! Which verb of `rosterd pool`.

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::pool::args::{PoolArgs, PoolVerb};
use crate::cli::pool::{billing, buy, decide, list, request, show, term};

/// Does a verb of `pool`.
///
/// # Errors
/// When the books cannot be read or written, or something named does not exist.
pub fn run(context: &mut Context, args: &PoolArgs) -> Result<Exit, CliError> {
    match &args.verb {
        PoolVerb::List { customer } => list::run(context, customer),
        PoolVerb::Show { customer, pool, since } => show::run(context, customer, pool, *since, false),
        PoolVerb::Grant(args) => buy::grant(context, args),
        PoolVerb::Agree(args) => buy::agree(context, args),
        PoolVerb::Renew(args) => term::renew(context, args),
        PoolVerb::CorrectTerm(args) => term::correct(context, args),
        PoolVerb::Pin(args) => decide::pin(context, args),
        PoolVerb::Unpin { customer, pool, person } => decide::unpin(context, customer, pool, person),
        PoolVerb::Transfer { customer, pool, from, to, reason } => {
            decide::transfer(context, customer, pool, (from, to), reason)
        }
        PoolVerb::FreezeBilling { customer, pool, reason } => billing::run(context, customer, pool, true, reason),
        PoolVerb::UnfreezeBilling { customer, pool, reason } => billing::run(context, customer, pool, false, reason),
        PoolVerb::RequestSeats { customer, pool, seats, note } => request::ask(context, customer, pool, *seats, note),
        PoolVerb::Requests { customer, csv } => request::list(context, customer, *csv),
        PoolVerb::Accept { customer, pool, person } => decide::accept(context, customer, pool, person),
    }
}
