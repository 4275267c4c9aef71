//! Floor 6: the shapes of answers, in JSON and CSV, the same at every door. Stable: fields are only ever added.

mod clock;
mod common;
mod csv;
mod explain;
mod finding;
mod grid;
mod hold;
mod overage;
mod plan;
mod queue;
pub mod report;
mod status;
mod trail;

pub use clock::{calendar_json, charge_json, clauses_json, delivery_json, fact_json, quote_json};
pub use common::{
    ClockJson, EpisodeJson, FreshnessJson, HoldJson, PauseJson, PoolJson, QuotaJson, RunJson, TermStateJson, at, causes, on,
};
pub use csv::{CsvText, steers};
pub use explain::ExplainJson;
pub use finding::FindingsJson;
pub use grid::{Column, Datum, count, csv_of, csv_row, grid_json, shown, words};
pub use hold::{HoldDetailJson, HoldDoneJson, HoldsJson, hold_answer};
pub use overage::{episode_file_json, episode_view_json, notices_json};
pub use plan::{ActionJson, NoticeJson, OutlookJson, PlanJson};
pub use queue::QueueJson;
pub use status::{CustomerJson, DaemonJson};
pub use trail::{CommitJson, agreed_json, grant_json, pin_json, seat_request_json, term_json};
