//! Floor 6: the shapes of answers in JSON, the same at every door. Stable: fields are only ever added.

mod clock;
mod common;
mod plan;
mod trail;

pub use clock::{calendar_json, charge_json, clauses_json, delivery_json, fact_json, quote_json};
pub use common::{
    ClockJson, EpisodeJson, FreshnessJson, HoldJson, PauseJson, PoolJson, QuotaJson, RunJson, TermStateJson, at, causes, on,
};
pub use plan::{ActionJson, NoticeJson, OutlookJson, PlanJson};
pub use trail::{CommitJson, agreed_json, grant_json, pin_json, seat_request_json, term_json};
