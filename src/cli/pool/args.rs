//! The grammar of `rosterd pool`.

use clap::{Args, Subcommand, ValueEnum};

use crate::base::Day;
use crate::cli::pool::term_args::{CorrectArgs, RenewArgs};
use crate::cli::words::day;
use crate::license::{GrantKind, PinKind};

/// Arguments of `pool`.
#[derive(Debug, Args)]
#[command(
    disable_help_subcommand = true,
    after_help = "Examples:\n  rosterd pool list north\n  rosterd pool show north learn-main"
)]
pub struct PoolArgs {
    /// What to do.
    #[command(subcommand)]
    pub verb: PoolVerb,
}

/// The verbs of `pool`.
#[derive(Debug, Subcommand)]
pub enum PoolVerb {
    /// List pools with limit, used and available seats.
    #[command(after_help = "Example:\n  rosterd pool list north")]
    List {
        /// Of which customer.
        customer: String,
    },
    /// Tell why a pool's balance is what it is.
    #[command(
        after_help = "Examples:\n  rosterd pool show north learn-main\n  rosterd pool show north learn-main --since 2026-03-01"
    )]
    Show {
        /// Of which customer.
        customer: String,
        /// Which pool.
        pool: String,
        /// Tell as well what changed from this day on, in the pool's calendar.
        #[arg(long, value_name = "DAY", value_parser = day)]
        since: Option<Day>,
    },
    /// Record that seats were bought or added, or correct an earlier grant with another one.
    #[command(after_help = "Examples:
  rosterd pool grant north learn-main --seats 50 --from 2026-10-15 --to 2027-08-01 --kind add_on --reference 'PO 4802'
  rosterd pool grant north learn-main --seats -10 --from 2026-10-15 --kind correction --reference 'Letter of 2026-10-20'")]
    Grant(GrantArgs),
    /// Record an excess that was agreed in writing.
    #[command(after_help = "Example:
  rosterd pool agree north learn-main --seats 20 --from 2027-06-01 --to 2027-08-01 --reference 'Letter of 2027-04-20'")]
    Agree(AgreeArgs),
    /// Record the next term of a pool: for how long it was bought, and how many seats that brings.
    #[command(after_help = "Examples:
  rosterd pool renew north learn-main --seats 700 --last-day 2027-08-31 --reference 'PO 4903'
  rosterd pool renew north learn-main --last-day 2027-08-31 --basis from_activation --reference 'Letter of 2026-09-10'")]
    Renew(RenewArgs),
    /// Correct a term that was recorded; the trail keeps what it was.
    #[command(after_help = "Example:
  rosterd pool correct-term north learn-main learn-main-2026-09-01 --last-day 2027-06-30 --reference 'Letter of 2026-10-02'")]
    CorrectTerm(CorrectArgs),
    /// Give a person a seat, or keep a person out, whatever the rules say.
    #[command(after_help = "Examples:
  rosterd pool pin north learn-main p-4711 assign --reason 'substitute until June' --until 2027-06-30
  rosterd pool pin north learn-main p-4711 deny --reason 'left in dispute'")]
    Pin(PinArgs),
    /// Lift a pin; the rules decide again from the next run on.
    #[command(after_help = "Example:\n  rosterd pool unpin north learn-main p-4711")]
    Unpin {
        /// Of which customer.
        customer: String,
        /// Which pool.
        pool: String,
        /// Person key.
        person: String,
    },
    /// Hand a seat from one person to another, in one commit.
    #[command(after_help = "Example:\n  rosterd pool transfer north learn-main p-4711 p-4712 --reason 'new class teacher'")]
    Transfer {
        /// Of which customer.
        customer: String,
        /// Which pool.
        pool: String,
        /// Person key of who gives the seat; pinned to `deny`.
        from: String,
        /// Person key of who takes it; pinned to `assign`.
        to: String,
        /// Why; no personal data.
        #[arg(long)]
        reason: String,
    },
    /// Freeze the billing of a pool: nothing is upgraded by itself until it is unfrozen.
    #[command(after_help = "Example:\n  rosterd pool freeze-billing north learn-main --reason 'in talks'")]
    FreezeBilling {
        /// Of which customer.
        customer: String,
        /// Which pool.
        pool: String,
        /// Why; no personal data.
        #[arg(long)]
        reason: String,
    },
    /// Let the billing of a pool go on. An upgrade that was due meanwhile happens now.
    #[command(after_help = "Example:\n  rosterd pool unfreeze-billing north learn-main --reason 'talks are over'")]
    UnfreezeBilling {
        /// Of which customer.
        customer: String,
        /// Which pool.
        pool: String,
        /// Why; no personal data.
        #[arg(long)]
        reason: String,
    },
    /// Ask the vendor for more seats: composes the request with the current numbers, records and shows it.
    #[command(after_help = "Example:\n  rosterd pool request-seats north learn-main --seats 50 --note 'new campus in June'")]
    RequestSeats {
        /// Of which customer.
        customer: String,
        /// Of which pool.
        pool: String,
        /// How many more.
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000_000))]
        seats: u32,
        /// What the vendor should know; no personal data.
        #[arg(long, value_name = "TEXT", default_value = "")]
        note: String,
    },
    /// List what was asked for, newest first.
    #[command(after_help = "Example:\n  rosterd pool requests north --csv")]
    Requests {
        /// Of which customer.
        customer: String,
        /// As CSV.
        #[arg(long)]
        csv: bool,
    },
    /// Record that a person accepted the invitation.
    #[command(after_help = "Example:\n  rosterd pool accept north observe-main p-4711")]
    Accept {
        /// Of which customer.
        customer: String,
        /// Which pool.
        pool: String,
        /// Person key.
        person: String,
    },
}

/// Arguments of `pool grant`.
#[derive(Debug, Args)]
pub struct GrantArgs {
    /// Of which customer.
    pub customer: String,
    /// Which pool.
    pub pool: String,
    /// Seats added; negative: removed.
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
    pub seats: i64,
    /// The first day they count, in the pool's calendar.
    #[arg(long, value_name = "DAY", value_parser = day)]
    pub from: Day,
    /// The first day they no longer count; for good if left out.
    #[arg(long, value_name = "DAY", value_parser = day)]
    pub to: Option<Day>,
    /// Why.
    #[arg(long, value_enum, default_value_t = KindWord::Purchase)]
    pub kind: KindWord,
    /// The order or letter it rests on; no personal data.
    #[arg(long, value_name = "TEXT")]
    pub reference: String,
    /// Its id, unique in the customer; cli-N if left out.
    #[arg(long)]
    pub id: Option<String>,
}

/// Arguments of `pool agree`.
#[derive(Debug, Args)]
pub struct AgreeArgs {
    /// Of which customer.
    pub customer: String,
    /// Which pool.
    pub pool: String,
    /// How many seats beyond the bought ones.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub seats: u32,
    /// The first day it counts, in the pool's calendar.
    #[arg(long, value_name = "DAY", value_parser = day)]
    pub from: Day,
    /// The first day it no longer counts.
    #[arg(long, value_name = "DAY", value_parser = day)]
    pub to: Day,
    /// The written agreement; no personal data.
    #[arg(long, value_name = "TEXT")]
    pub reference: String,
    /// Its id, unique in the customer; cli-N if left out.
    #[arg(long)]
    pub id: Option<String>,
}

/// Arguments of `pool pin`.
#[derive(Debug, Args)]
pub struct PinArgs {
    /// Of which customer.
    pub customer: String,
    /// Which pool.
    pub pool: String,
    /// Person key.
    pub person: String,
    /// What is decided.
    #[arg(value_enum)]
    pub decision: PinWord,
    /// Why; no personal data.
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// The last day it holds, in the pool's calendar; until lifted if left out.
    #[arg(long, value_name = "DAY", value_parser = day)]
    pub until: Option<Day>,
    /// Assign although the pool has no seat; the balance goes below zero, cause manual_override.
    #[arg(long = "override")]
    pub insist: bool,
}

/// The words for a grant's kind.
#[derive(Clone, Copy, Debug, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum KindWord {
    /// Bought.
    Purchase,
    /// Bought in addition.
    #[value(alias = "add-on")]
    AddOn,
    /// A step up the ladder.
    #[value(alias = "tier-upgrade")]
    TierUpgrade,
    /// The next term.
    Renewal,
    /// A mistake put right.
    Correction,
}

impl From<KindWord> for GrantKind {
    fn from(word: KindWord) -> Self {
        match word {
            KindWord::Purchase => GrantKind::Purchase,
            KindWord::AddOn => GrantKind::AddOn,
            KindWord::TierUpgrade => GrantKind::TierUpgrade,
            KindWord::Renewal => GrantKind::Renewal,
            KindWord::Correction => GrantKind::Correction,
        }
    }
}

/// The words for a pin.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum PinWord {
    /// The person has a seat whatever the rules say.
    Assign,
    /// The person has none whatever the rules say.
    Deny,
}

impl From<PinWord> for PinKind {
    fn from(word: PinWord) -> Self {
        match word {
            PinWord::Assign => PinKind::Assign,
            PinWord::Deny => PinKind::Deny,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum;

    use crate::cli::pool::args::{KindWord, PinWord};
    use crate::license::{GrantKind, PinKind};

    #[test]
    fn words_on_the_command_line_are_the_words_everywhere() {
        for (word, kind) in KindWord::value_variants().iter().zip(GrantKind::ALL) {
            assert_eq!(GrantKind::from(*word), kind);
            assert_eq!(word.to_possible_value().expect("a value").get_name(), kind.word());
        }
        assert_eq!(KindWord::value_variants().len(), GrantKind::ALL.len());
        for (word, kind) in PinWord::value_variants().iter().zip([PinKind::Assign, PinKind::Deny]) {
            assert_eq!(PinKind::from(*word), kind);
            assert_eq!(word.to_possible_value().expect("a value").get_name(), kind.word());
        }
    }
}
