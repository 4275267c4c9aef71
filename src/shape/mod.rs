//! Floor 6: the shapes of answers, in JSON and CSV, the same at every door. Stable: fields are only ever added.

mod access;
mod alert;
mod audit;
mod clock;
mod common;
mod csv;
mod decision;
mod explain;
mod finding;
mod forecast;
mod grid;
mod hold;
mod import;
mod node;
mod overage;
mod pause;
mod people;
mod plan;
mod planned;
mod pool;
mod queue;
mod renewal;
pub mod report;
mod status;
mod token;
mod trail;
mod what_if;

pub use access::{ACCESS_HEADER, AccessJson, PersonAccessJson, access_csv, yes_no};
pub use alert::{AlertsJson, ReplayedJson, TriedJson};
pub use audit::{HeadJson, HeadsJson, ProofJson, ProofsJson};
pub use clock::{calendar_json, charge_json, clauses_json, delivery_json, fact_json, quote_json};
pub use common::{
    ClockJson, EpisodeJson, FreshnessJson, HoldJson, PauseJson, PoolJson, QuotaJson, RunJson, TermStateJson, at, causes,
    notice_words, on, run_words, scope_words, when,
};
pub use csv::{CsvText, steers};
pub use decision::{
    BillingJson, DecisionJson, DeliveredJson, SeatsAskedJson, TermDoneJson, UpgradeJson, answer_words, decision_words, is_moved,
};
pub use explain::ExplainJson;
pub use finding::FindingsJson;
pub use forecast::{FORECAST_ASSUMED, forecast_json};
pub use grid::{Column, Datum, count, csv_of, csv_row, grid_json, shown, words};
pub use hold::{HoldDetailJson, HoldDoneJson, HoldsJson, hold_answer};
pub use import::{ImportJson, ImportRefusedJson};
pub use node::NodesJson;
pub use overage::{episode_document_json, episode_file_json, episode_view_json, notices_json};
pub use pause::{PausedJson, PausesJson, ResumedJson};
pub use people::{ActivityJson, ForgetJson, PeopleJson};
pub use plan::{ActionJson, NoticeJson, OutlookJson, PlanJson};
pub use planned::{NotRevertedJson, PlannedJson};
pub use pool::{PoolDetailJson, PoolsJson};
pub use queue::QueueJson;
pub use renewal::RenewalsJson;
pub use status::{CustomerJson, DaemonJson};
pub use token::{RevokedJson, TokenJson, TokensJson};
pub use trail::{CommitJson, agreed_json, grant_json, pin_json, seat_request_json, term_json};
pub use what_if::{WHAT_IF_LIMITS, what_if_json};
