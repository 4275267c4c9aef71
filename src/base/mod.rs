//! Floor 0: ids, counts, days, calendar, digests, error chain. Knows nothing of rosters or licenses.

mod access_role;
mod actor;
mod calendar;
mod chain;
mod count;
mod day;
mod digest;
mod guid;
mod ids;
mod merge;
pub mod parts;
mod quiet_hours;
mod secret;
mod similar;
mod text;
mod this_machine;

pub use access_role::AccessRole;
pub use actor::{Actor, ActorKind};
pub use calendar::Calendar;
pub use chain::ErrorChain;
pub use count::{Balance, Seats, percent_used};
pub use day::{Day, Instant};
pub use digest::{BulkDigester, Digest, Digester};
pub use guid::Guid;
pub use ids::{
    ClaimId, CustomerId, EpisodeId, GrantId, OrgId, PersonKey, PoolId, ProductId, RequestId, RuleId, RunId, SourceId, Version,
};
pub use merge::merged;
pub use quiet_hours::QuietHours;
pub use secret::{Secret, SecretAbsent};
pub use similar::most_similar;
pub use text::{ArenaFull, Text, TextArena};
pub use this_machine::is_this_machine;
