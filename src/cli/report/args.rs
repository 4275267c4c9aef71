//! The grammar of `rosterd report`.

use clap::{Args, Subcommand, ValueEnum};

use crate::base::Day;
use crate::license::{Activity, ClaimState};

/// Arguments of `report`.
#[derive(Debug, Args)]
#[command(
    disable_help_subcommand = true,
    after_help = "Examples:\n  rosterd report licenses north\n  rosterd report claims north --pool learn-main --csv > claims.csv"
)]
pub struct ReportArgs {
    /// Which report.
    #[command(subcommand)]
    pub verb: ReportVerb,
}

/// The reports.
#[derive(Debug, Subcommand)]
pub enum ReportVerb {
    /// Seats of an org and of each org below it: limit, used, remaining.
    #[command(after_help = "Examples:
  rosterd report licenses north
  rosterd report licenses north --org ash --product learn --csv > ash.csv
  rosterd report licenses north --as-of 2026-03-01T12:00:00Z")]
    Licenses {
        /// Of which customer.
        customer: String,
        /// The org at the top; the first root if left out.
        #[arg(long)]
        org: Option<String>,
        /// Of one product only.
        #[arg(long)]
        product: Option<String>,
        /// As CSV.
        #[arg(long)]
        csv: bool,
    },
    /// Every claim, open and released, and why it is as it is.
    #[command(after_help = "Examples:
  rosterd report claims north --pool learn-main --csv > claims.csv
  rosterd report claims north --org ash --role teacher --state waiting
  rosterd report claims north --on 2026-03-01")]
    Claims(ClaimsArgs),
    /// Each product with its seats: licensed, assigned, available, pending, waiting; stage, status and next expiry.
    #[command(after_help = "Examples:
  rosterd report dashboard north
  rosterd report dashboard north --combined learn,observe --csv")]
    Dashboard {
        /// Of which customer.
        customer: String,
        /// Count who holds both of these two products; each two of few modules if left out.
        #[arg(long, value_name = "A,B")]
        combined: Option<String>,
        /// As CSV.
        #[arg(long)]
        csv: bool,
    },
    /// What a pool's seats are used for, team by team; who is in two teams is in both.
    #[command(after_help = "Example:\n  rosterd report consumption north --pool studio --csv")]
    Consumption(PoolReportArgs),
    /// How each pool stands with its contract, worst first.
    #[command(after_help = "Example:\n  rosterd report compliance north --json")]
    Compliance(PlainArgs),
    /// How many seats were used lately, as far as a log-in feed tells.
    #[command(after_help = "Examples:
  rosterd report usage north
  rosterd report claims north --activity inactive --csv    who they are")]
    Usage(PlainArgs),
    /// What would help each pool, with numbers.
    #[command(after_help = "Example:\n  rosterd report advice north")]
    Advice(PlainArgs),
    /// The most that was used and the least that was left on each day.
    #[command(
        after_help = "Example:\n  rosterd report high-water north --pool learn-main --from 2026-03-01 --to 2026-03-31 --csv"
    )]
    HighWater {
        /// Of which customer.
        customer: String,
        /// Of one pool only.
        #[arg(long)]
        pool: Option<String>,
        /// The first day, in the pool's calendar.
        #[arg(long, value_name = "DAY", value_parser = day)]
        from: Option<Day>,
        /// The last day.
        #[arg(long, value_name = "DAY", value_parser = day)]
        to: Option<Day>,
        /// As CSV.
        #[arg(long)]
        csv: bool,
    },
    /// How often seats went from person to person in the license year.
    #[command(after_help = "Example:\n  rosterd report reuse north --csv")]
    Reuse(PlainArgs),
    /// Who wanted a seat and has none, by name: why, where in the queue, since when.
    #[command(after_help = "Example:\n  rosterd report unseated north --csv > unseated.csv")]
    Unseated(PoolReportArgs),
}

/// Arguments of a report of one customer.
#[derive(Debug, Args)]
pub struct PlainArgs {
    /// Of which customer.
    pub customer: String,
    /// As CSV.
    #[arg(long)]
    pub csv: bool,
}

/// Arguments of a report of one pool or of all.
#[derive(Debug, Args)]
pub struct PoolReportArgs {
    /// Of which customer.
    pub customer: String,
    /// Of one pool only.
    #[arg(long)]
    pub pool: Option<String>,
    /// As CSV.
    #[arg(long)]
    pub csv: bool,
}

/// Arguments of `report claims`.
#[derive(Debug, Args)]
pub struct ClaimsArgs {
    /// Of which customer.
    pub customer: String,
    /// Of one pool only.
    #[arg(long)]
    pub pool: Option<String>,
    /// Of one product only.
    #[arg(long)]
    pub product: Option<String>,
    /// With their home in this org or below only.
    #[arg(long)]
    pub org: Option<String>,
    /// Of people who have this role only.
    #[arg(long)]
    pub role: Option<String>,
    /// In this state only.
    #[arg(long)]
    pub state: Option<StateArg>,
    /// Seats that are used so only.
    #[arg(long)]
    pub activity: Option<ActivityArg>,
    /// As they stood at the end of this day of the customer's calendar.
    #[arg(long, value_name = "DAY", value_parser = day)]
    pub on: Option<Day>,
    /// Leave out what was released before this day.
    #[arg(long, value_name = "DAY", value_parser = day)]
    pub since: Option<Day>,
    /// As CSV.
    #[arg(long)]
    pub csv: bool,
}

/// States of a claim.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum StateArg {
    /// Waits for a seat.
    Waiting,
    /// Invited.
    Pending,
    /// Seated.
    Active,
    /// A named seat of somebody in no team.
    Held,
    /// The term is over.
    Suspended,
    /// Over.
    Released,
}

impl From<StateArg> for ClaimState {
    fn from(state: StateArg) -> Self {
        match state {
            StateArg::Waiting => ClaimState::Waiting,
            StateArg::Pending => ClaimState::Pending,
            StateArg::Active => ClaimState::Active,
            StateArg::Held => ClaimState::Held,
            StateArg::Suspended => ClaimState::Suspended,
            StateArg::Released => ClaimState::Released,
        }
    }
}

/// How a seat is used.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum ActivityArg {
    /// No feed tells.
    Unknown,
    /// Lately.
    Recent,
    /// Less lately.
    Quiet,
    /// Not for long.
    Inactive,
}

impl From<ActivityArg> for Activity {
    fn from(activity: ActivityArg) -> Self {
        match activity {
            ActivityArg::Unknown => Activity::Unknown,
            ActivityArg::Recent => Activity::Recent,
            ActivityArg::Quiet => Activity::Quiet,
            ActivityArg::Inactive => Activity::Inactive,
        }
    }
}

fn day(text: &str) -> Result<Day, String> {
    Day::parse(text).ok_or_else(|| "write 2026-03-01".to_owned())
}
