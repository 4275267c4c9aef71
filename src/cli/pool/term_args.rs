//! The grammar of `rosterd pool renew` and `pool correct-term`.

use clap::{Args, ValueEnum};

use crate::base::Day;
use crate::cli::words::day;
use crate::license::RenewalBasis;

/// Arguments of `pool renew`.
#[derive(Debug, Args)]
pub struct RenewArgs {
    /// Of which customer.
    pub customer: String,
    /// Which pool.
    pub pool: String,
    /// How many seats it brings; what ends with the term before it carries over if left out.
    #[arg(long, value_name = "N")]
    pub seats: Option<u32>,
    /// Its last day, in the pool's calendar.
    #[arg(long, value_name = "DAY", value_parser = day, conflicts_with = "to", required_unless_present = "to")]
    pub last_day: Option<Day>,
    /// Instead: the first day no longer in it.
    #[arg(long, value_name = "DAY", value_parser = day)]
    pub to: Option<Day>,
    /// Its first day; as --basis says if left out.
    #[arg(long, value_name = "DAY", value_parser = day)]
    pub from: Option<Day>,
    /// Where it starts if --from says nothing; as renewal.basis says if left out.
    #[arg(long, value_enum, conflicts_with = "from")]
    pub basis: Option<BasisWord>,
    /// The order or letter it rests on; no personal data.
    #[arg(long, value_name = "TEXT")]
    pub reference: String,
    /// Its id, unique in the customer; the pool's with the first day if left out.
    #[arg(long)]
    pub id: Option<String>,
}

/// Arguments of `pool correct-term`.
#[derive(Debug, Args)]
pub struct CorrectArgs {
    /// Of which customer.
    pub customer: String,
    /// Which pool.
    pub pool: String,
    /// Which term.
    pub term: String,
    /// How many seats it brings.
    #[arg(long, value_name = "N")]
    pub seats: Option<u32>,
    /// Its first day, in the pool's calendar.
    #[arg(long, value_name = "DAY", value_parser = day)]
    pub from: Option<Day>,
    /// Its last day.
    #[arg(long, value_name = "DAY", value_parser = day, conflicts_with = "to")]
    pub last_day: Option<Day>,
    /// Instead: the first day no longer in it; its own first day withdraws it.
    #[arg(long, value_name = "DAY", value_parser = day)]
    pub to: Option<Day>,
    /// The letter this rests on; no personal data.
    #[arg(long, value_name = "TEXT")]
    pub reference: String,
}

/// The words for where a renewal starts.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum BasisWord {
    /// Where the term before it ended.
    #[value(name = "from_expiry")]
    Expiry,
    /// Today.
    #[value(name = "from_activation")]
    Activation,
    /// Where the term before it ended; once grace is over, today.
    #[value(name = "from_activation_if_lapsed")]
    ActivationIfLapsed,
}

impl From<BasisWord> for RenewalBasis {
    fn from(word: BasisWord) -> Self {
        match word {
            BasisWord::Expiry => RenewalBasis::Expiry,
            BasisWord::Activation => RenewalBasis::Activation,
            BasisWord::ActivationIfLapsed => RenewalBasis::ActivationIfLapsed,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum;

    use crate::cli::pool::term_args::BasisWord;
    use crate::license::RenewalBasis;

    #[test]
    fn words_for_the_basis_are_those_of_the_settings() {
        for (word, basis) in BasisWord::value_variants().iter().zip(RenewalBasis::ALL) {
            assert_eq!(RenewalBasis::from(*word), basis);
            assert_eq!(word.to_possible_value().expect("a value").get_name(), basis.word());
        }
        assert_eq!(BasisWord::value_variants().len(), RenewalBasis::ALL.len());
    }
}
