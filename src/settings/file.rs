//! The shape of a settings file: every key there is, with its type. `config/default.toml` says what each one means.
//!
//! Absent fields were not written or were wrong; what is wrong is in the report by then.

use std::path::PathBuf;

use crate::base::Day;
use crate::license::{Audience, GrantKind, ProductKind, SeatModel};
use crate::plan::DefaultFor;
use crate::roster::MatchBy;
use crate::settings::audit::{AuditShape, audit};
use crate::settings::channels::{self, ChannelShape, OutboxShape};
use crate::settings::clauses::{ClausesShape, TiersShape, clauses, tiers};
use crate::settings::cron;
use crate::settings::days::{DaysShape, days};
use crate::settings::guard::{GuardShape, GuardWindowShape, guard, guard_window};
use crate::settings::http::{HttpShape, http};
use crate::settings::identity::identity;
use crate::settings::logging::{LogShape, log};
use crate::settings::network::{KINDS, NetworkShape, network};
use crate::settings::pauses::{self, PauseShape};
use crate::settings::profiles::Profile;
use crate::settings::read::Section;
use crate::settings::reports::{ReportsShape, reports};
use crate::settings::rules::{RuleShape, id, rule};
use crate::settings::store::{StoreShape, store};
use crate::settings::terms::{self, TermRulesShape, TermShape};
use crate::settings::values::{OnFullWord, SourceKind};
use crate::settings::words;
use crate::source::BulkWithStatus;

/// What a whole file, or several laid over each other, says beside its customers.
pub struct FileShape {
    /// `[store]`.
    pub store: StoreShape,
    /// `[spool]`: `path` and `max_mib`.
    pub spool: (Option<PathBuf>, Option<u32>),
    /// `[daemon]`.
    pub daemon: DaemonShape,
    /// `[http]`.
    pub http: HttpShape,
    /// `[log]`.
    pub log: LogShape,
    /// `[audit]`.
    pub audit: AuditShape,
    /// `[outbox]`, `[smtp]`, `[[channel]]`.
    pub outbox: OutboxShape,
    /// `[guard]`, `[absence]`, `[claims]`, `[retention]`, `[admission]`, `[validation]`, `[sync]`, `[overage]` for all customers.
    pub policies: PoliciesShape,
    /// `[calendar]` for all customers.
    pub days: DaysShape,
}

/// `[daemon]`.
#[derive(Default)]
pub struct DaemonShape {
    /// `workers`.
    pub workers: Option<u32>,
    /// `drop_poll_secs`.
    pub drop_poll_secs: Option<u32>,
    /// `stop_secs_max`.
    pub stop_secs_max: Option<u32>,
}

/// The sections that a customer may repeat to override.
#[derive(Clone, Debug, Default)]
pub struct PoliciesShape {
    /// `[guard]`.
    pub guard: GuardShape,
    /// `absence.confirmations`.
    pub confirmations: Option<u32>,
    /// `claims.pending_expire_days`.
    pub pending_expire_days: Option<u32>,
    /// `entitlement.admin_products`.
    pub admin_products: Option<Vec<String>>,
    /// `retention.purge_after_days`; −1: never.
    pub purge_after_days: Option<i64>,
    /// `admission.coupled_create_manual`.
    pub coupled_create_manual: Option<bool>,
    /// `validation.max_bad_percent`.
    pub bad_percent_max: Option<u32>,
    /// `sync.catchup_window_hours`.
    pub catchup_window_hours: Option<u32>,
    /// `sync.stale_after_hours`.
    pub stale_after_hours: Option<u32>,
    /// `sync.full_every_days`.
    pub full_every_days: Option<u32>,
    /// `same_day.max_per_day`.
    pub same_day_max: Option<u32>,
    /// `latency.target_secs`.
    pub latency_target_secs: Option<u32>,
    /// `[overage]`.
    pub overage: OverageShape,
    /// `[tiers]`.
    pub tiers: TiersShape,
    /// `[activity]`, `[alerts]`.
    pub reports: ReportsShape,
    /// `[grace]`, `[renewal]`.
    pub terms: TermRulesShape,
}

/// `[overage]`.
#[derive(Clone, Debug, Default)]
pub struct OverageShape {
    /// `minor_percent`.
    pub minor_percent: Option<u32>,
    /// `major_percent`.
    pub major_percent: Option<u32>,
    /// `minor_floor_seats`.
    pub minor_floor_seats: Option<u32>,
    /// Its other keys.
    pub clauses: ClausesShape,
}

/// `[[customer]]`.
pub struct CustomerShape {
    /// Its path, for messages.
    pub at: String,
    /// `id`.
    pub id: String,
    /// `name`.
    pub name: Option<String>,
    /// `profile`.
    pub profile: Option<Profile>,
    /// `nightly`.
    pub nightly: Option<String>,
    /// `protected`.
    pub protected: Vec<String>,
    /// `time_zone`, `weekend`, `holidays`.
    pub days: DaysShape,
    /// Sections that override the global ones.
    pub policies: PoliciesShape,
    /// `[[customer.guard_window]]`.
    pub guard_windows: Vec<GuardWindowShape>,
    /// `[[customer.source]]`.
    pub sources: Vec<SourceShape>,
    /// `[customer.identity]`.
    pub same_person: Vec<MatchBy>,
    /// `[[customer.product]]`.
    pub products: Vec<ProductShape>,
    /// `[[customer.pool]]`.
    pub pools: Vec<PoolShape>,
    /// `[[customer.rule]]`.
    pub rules: Vec<RuleShape>,
    /// `[[customer.channel]]`.
    pub channels: Vec<ChannelShape>,
}

/// `[[customer.source]]`.
pub struct SourceShape {
    /// Its path, for messages.
    pub at: String,
    /// `id`.
    pub id: String,
    /// `kind`.
    pub kind: Option<SourceKind>,
    /// `path`.
    pub path: Option<PathBuf>,
    /// `drop`.
    pub drop: Option<bool>,
    /// `settle_secs`.
    pub settle_secs: Option<u32>,
    /// `bulk_with_status`.
    pub bulk_with_status: Option<BulkWithStatus>,
    /// `lenient`.
    pub lenient: Option<bool>,
    /// `courses`: whether they may be left out.
    pub courses_optional: Option<bool>,
    /// `keep_metadata`.
    pub keep_metadata: Vec<String>,
    /// `activity_column`.
    pub activity_column: Option<String>,
    /// The keys of sources over the network.
    pub network: NetworkShape,
    /// `[[customer.source.pause]]`.
    pub pauses: Vec<PauseShape>,
}

/// `[[customer.product]]`.
pub struct ProductShape {
    /// Its path, for messages.
    pub at: String,
    /// `id`.
    pub id: String,
    /// `kind`; absent only if wrong.
    pub kind: Option<ProductKind>,
    /// `seat_model`.
    pub seat_model: Option<SeatModel>,
    /// `requires`.
    pub requires: Option<String>,
    /// `auto_assign`.
    pub auto_assign: Option<bool>,
    /// `needs_acceptance`.
    pub needs_acceptance: Option<bool>,
    /// `activated_for`.
    pub activated_for: Vec<String>,
    /// `bundle_of`.
    pub bundle_of: Vec<String>,
    /// `default_for`.
    pub default_for: Option<DefaultFor>,
}

/// `[[customer.pool]]`.
pub struct PoolShape {
    /// Its path, for messages.
    pub at: String,
    /// `id`.
    pub id: String,
    /// `product`.
    pub product: Option<String>,
    /// `owner`.
    pub owner: Option<String>,
    /// `audience`; absent only if wrong.
    pub audience: Option<Audience>,
    /// `unlimited`.
    pub unlimited: Option<bool>,
    /// `on_full`.
    pub on_full: Option<OnFullWord>,
    /// `overdraw_limit_percent`.
    pub overdraw_limit_percent: Option<u32>,
    /// `overage_terms`.
    pub overage_terms: Option<bool>,
    /// `[customer.pool.overage]`.
    pub overage: OverageShape,
    /// `[customer.pool.tiers]`.
    pub tiers: TiersShape,
    /// `[customer.pool.grace]`, `[customer.pool.renewal]`.
    pub term_rules: TermRulesShape,
    /// `[[customer.pool.term]]`.
    pub terms: Vec<TermShape>,
    /// `reservations`: org and seats.
    pub reservations: Vec<(String, u32)>,
    /// `anchor`.
    pub anchor: Option<Day>,
    /// `time_zone`, `weekend`, `holidays`.
    pub days: DaysShape,
    /// `[[customer.pool.grant]]`.
    pub grants: Vec<GrantShape>,
    /// `[[customer.pool.agreed_excess]]`.
    pub agreed: Vec<AgreedShape>,
}

/// `[[customer.pool.grant]]`.
pub struct GrantShape {
    /// Its path, for messages.
    pub at: String,
    /// `id`.
    pub id: String,
    /// `seats`.
    pub seats: Option<i64>,
    /// `from`.
    pub from: Option<Day>,
    /// `to`.
    pub to: Option<Day>,
    /// `kind`.
    pub kind: Option<GrantKind>,
    /// `reference`.
    pub reference: Option<String>,
}

/// `[[customer.pool.agreed_excess]]`.
pub struct AgreedShape {
    /// Its path, for messages.
    pub at: String,
    /// `id`.
    pub id: String,
    /// `seats`.
    pub seats: Option<u32>,
    /// `from`.
    pub from: Option<Day>,
    /// `to`.
    pub to: Option<Day>,
    /// `reference`.
    pub reference: Option<String>,
}

const SEATS_MAX: u32 = 100_000_000;
const HOURS_MAX: u32 = 24 * 365;

/// Reads everything: the rest first, upon which `own` makes something of each customer.
pub fn whole<T>(s: &Section<'_>, own: impl Fn(&Section<'_>, &FileShape) -> T) -> (FileShape, Vec<T>) {
    let file = file(s);
    let customers = s.sections("customer", |s| own(s, &file));
    (file, customers)
}

fn file(s: &Section<'_>) -> FileShape {
    FileShape {
        store: s.section("store", store).unwrap_or_default(),
        spool: s.section("spool", |s| (s.path("path"), s.count("max_mib", 1..=1_048_576))).unwrap_or_default(),
        daemon: s.section("daemon", daemon).unwrap_or_default(),
        http: s.section("http", http).unwrap_or_default(),
        log: s.section("log", log).unwrap_or_default(),
        audit: audit(s),
        outbox: channels::outbox(s),
        policies: policies(s),
        days: s.section("calendar", days).unwrap_or_default(),
    }
}

fn daemon(s: &Section<'_>) -> DaemonShape {
    DaemonShape {
        workers: s.count("workers", 1..=256),
        drop_poll_secs: s.count("drop_poll_secs", 1..=86_400),
        stop_secs_max: s.count("stop_secs_max", 1..=3_600),
    }
}

fn policies(s: &Section<'_>) -> PoliciesShape {
    let sync = s.section("sync", |s| {
        let stale_after_hours = s.count("stale_after_hours", 1..=HOURS_MAX);
        (s.count("catchup_window_hours", 0..=HOURS_MAX), stale_after_hours, s.count("full_every_days", 1..=365))
    });
    let (catchup_window_hours, stale_after_hours, full_every_days) = sync.unwrap_or_default();
    PoliciesShape {
        guard: s.section("guard", guard).unwrap_or_default(),
        confirmations: s.section("absence", |s| s.count("confirmations", 1..=30)).flatten(),
        pending_expire_days: s.section("claims", |s| s.count("pending_expire_days", 0..=3650)).flatten(),
        admin_products: s.section("entitlement", |s| s.texts("admin_products")).flatten(),
        purge_after_days: s.section("retention", |s| s.number("purge_after_days", -1..=3650)).flatten(),
        coupled_create_manual: s.section("admission", |s| s.flag("coupled_create_manual")).flatten(),
        bad_percent_max: s.section("validation", |s| s.count("max_bad_percent", 0..=100)).flatten(),
        catchup_window_hours,
        stale_after_hours,
        latency_target_secs: s.section("latency", |s| s.count("target_secs", 1..=86_400)).flatten(),
        full_every_days,
        same_day_max: s.section("same_day", |s| s.count("max_per_day", 0..=1_000)).flatten(),
        overage: s.section("overage", overage).unwrap_or_default(),
        tiers: s.section("tiers", tiers).unwrap_or_default(),
        reports: reports(s),
        terms: terms::rules(s),
    }
}

fn overage(s: &Section<'_>) -> OverageShape {
    OverageShape {
        minor_percent: s.count("minor_percent", 100..=1_000),
        major_percent: s.count("major_percent", 100..=1_000),
        minor_floor_seats: s.count("minor_floor_seats", 0..=SEATS_MAX),
        clauses: clauses(s),
    }
}

/// Reads a customer.
pub fn customer(s: &Section<'_>) -> CustomerShape {
    CustomerShape {
        at: s.at(""),
        id: id(s),
        name: s.text("name"),
        profile: s.parsed("profile", words::one_of(&Profile::WORDS)),
        nightly: s.parsed("nightly", |text| words::nightly(text, |pattern| s.flaw(pattern, cron::flaw))).flatten(),
        protected: s.texts("protected").unwrap_or_default(),
        days: days(s),
        policies: policies(s),
        guard_windows: s.sections("guard_window", guard_window),
        sources: s.sections("source", source),
        same_person: identity(s),
        products: s.sections("product", product),
        pools: s.sections("pool", pool),
        rules: s.sections("rule", rule),
        channels: channels::channels(s),
    }
}

fn source(s: &Section<'_>) -> SourceShape {
    let modes = [("strict", BulkWithStatus::Strict), ("delta", BulkWithStatus::Delta), ("full", BulkWithStatus::Full)];
    let kind = s.parsed("kind", words::one_of(&KINDS));
    SourceShape {
        at: s.at(""),
        id: id(s),
        kind: s.required("kind", kind),
        path: s.path("path"),
        drop: s.flag("drop"),
        settle_secs: s.count("settle_secs", 0..=86_400),
        bulk_with_status: s.parsed("bulk_with_status", words::one_of(&modes)),
        lenient: s.flag("lenient"),
        courses_optional: s.parsed("courses", words::one_of(&[("required", false), ("optional", true)])),
        keep_metadata: s.parsed_list("keep_metadata", words::metadata).unwrap_or_default(),
        activity_column: s.parsed("activity_column", words::metadata),
        network: network(s, kind),
        pauses: s.sections("pause", pauses::pause),
    }
}

fn product(s: &Section<'_>) -> ProductShape {
    let kinds = [("module", ProductKind::Module), ("access", ProductKind::Access), ("content", ProductKind::Content)];
    let whose = [("content_access", DefaultFor::ContentAccess), ("observer", DefaultFor::Observer)];
    let models = [("role", SeatModel::Role), ("named", SeatModel::Named), ("active_user", SeatModel::ActiveUser)];
    ProductShape {
        at: s.at(""),
        id: id(s),
        kind: s.or("kind", s.parsed("kind", words::one_of(&kinds)), ProductKind::Module),
        seat_model: s.parsed("seat_model", words::one_of(&models)),
        requires: s.text("requires"),
        auto_assign: s.flag("auto_assign"),
        needs_acceptance: s.flag("needs_acceptance"),
        activated_for: s.texts("activated_for").unwrap_or_default(),
        bundle_of: s.texts("bundle_of").unwrap_or_default(),
        default_for: s.parsed("default_for", words::one_of(&whose)),
    }
}

fn pool(s: &Section<'_>) -> PoolShape {
    let audiences = [("any", Audience::Any), ("educator", Audience::Educator), ("student", Audience::Student)];
    let policies =
        [("overdraw", OnFullWord::Overdraw), ("wait", OnFullWord::Wait), ("overdraw_up_to", OnFullWord::OverdrawUpTo)];
    PoolShape {
        at: s.at(""),
        id: id(s),
        product: s.required("product", s.text("product")),
        owner: s.required("owner", s.text("owner")),
        audience: s.or("audience", s.parsed("audience", words::one_of(&audiences)), Audience::Any),
        unlimited: s.flag("unlimited"),
        on_full: s.parsed("on_full", words::one_of(&policies)),
        overdraw_limit_percent: s.count("overdraw_limit_percent", 100..=1_000),
        overage_terms: s.flag("overage_terms"),
        overage: s.section("overage", overage).unwrap_or_default(),
        tiers: s.section("tiers", tiers).unwrap_or_default(),
        term_rules: terms::rules(s),
        terms: s.sections("term", |s| terms::term(s, id, SEATS_MAX)),
        reservations: s.sections("reservations", reservation).into_iter().flatten().collect(),
        anchor: s.parsed("anchor", words::day),
        days: days(s),
        grants: s.sections("grant", grant),
        agreed: s.sections("agreed_excess", agreed),
    }
}

fn reservation(s: &Section<'_>) -> Option<(String, u32)> {
    let org = s.required("org", s.text("org"));
    let seats = s.required("seats", s.count("seats", 1..=SEATS_MAX));
    Some((org?, seats?))
}

fn grant(s: &Section<'_>) -> GrantShape {
    let kinds = GrantKind::ALL.map(|kind| (kind.word(), kind));
    let seats_max = i64::from(SEATS_MAX);
    let seats = s.required("seats", s.number("seats", -seats_max..=seats_max));
    if seats == Some(0) {
        s.wrong("seats", "neither adds nor removes seats");
    }
    GrantShape {
        at: s.at(""),
        id: id(s),
        seats,
        from: s.required("from", s.parsed("from", words::day)),
        to: s.parsed("to", words::day),
        kind: s.parsed("kind", words::one_of(&kinds)),
        reference: s.text("reference"),
    }
}

fn agreed(s: &Section<'_>) -> AgreedShape {
    AgreedShape {
        at: s.at(""),
        id: id(s),
        seats: s.required("seats", s.count("seats", 1..=SEATS_MAX)),
        from: s.required("from", s.parsed("from", words::day)),
        to: s.required("to", s.parsed("to", words::day)),
        reference: s.required("reference", s.text("reference")),
    }
}
