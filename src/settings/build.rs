//! From checked shapes to values: what is not said is taken from farther out, words become rules.

use std::path::{Path, PathBuf};

use crate::base::{
    Actor, Calendar, CustomerId, Day, Digest, Digester, GrantId, Instant, OrgId, PersonKey, PoolId, ProductId, RuleId, Seats,
    SourceId,
};
use crate::license::{AgreedExcess, Grant, GrantKind, OnFull, OverageLimits, Pool, Product, ProductKind};
use crate::plan::{DefaultFor, Entitlement, GuardLimits, GuardWindow, Policy, Rule, shipped_rules};
use crate::service::ByHandPolicy;
use crate::settings::audit;
use crate::settings::channels;
use crate::settings::check::{Requires, requires};
use crate::settings::clauses;
use crate::settings::days::DaysShape;
use crate::settings::file::{CustomerShape, FileShape, OverageShape, PoolShape, ProductShape, SourceShape};
use crate::settings::guard::GuardShape;
use crate::settings::http;
use crate::settings::network;
use crate::settings::network::{FileSource, Given};
use crate::settings::own::Own;
use crate::settings::pauses;
use crate::settings::profiles;
use crate::settings::reports;
use crate::settings::rules::RuleShape;
use crate::settings::store;
use crate::settings::terms;
use crate::settings::values::{CustomerSettings, DaemonSettings, OnFullWord, Settings, SourceKind, SpoolSettings};
use crate::source::{CsvSourceSettings, DropKind, SourceSettings};
use crate::telemetry::LogSettings;

/// The settings a file without problems means. `None` only if something that must be there is absent.
pub fn build(file: &FileShape, customers: Vec<Own>) -> Option<Settings> {
    Some(Settings {
        store: store::build(&file.store)?,
        spool: SpoolSettings { path: file.spool.0.clone()?, bytes_max: u64::from(file.spool.1?) << 20 },
        daemon: DaemonSettings {
            workers: file.daemon.workers?,
            drop_poll_secs: file.daemon.drop_poll_secs?,
            stop_secs_max: file.daemon.stop_secs_max?,
        },
        http: http::build(&file.http)?,
        archiving: audit::build(&file.audit),
        log: LogSettings { format: file.log.format?, level: file.log.level.clone()? },
        outbox: channels::policy(&file.outbox)?,
        channels: channels::build(&file.outbox, customers.iter().map(|own| (own.id.as_str(), &own.channels[..])))?,
        customers: customers.into_iter().map(|own| own.settings).collect::<Option<_>>()?,
        secrets_absent: Vec::new(),
        advice: Vec::new(),
    })
}

/// A calendar before it becomes one: in this form it can be digested.
#[derive(Debug, PartialEq)]
struct Days {
    zone: String,
    weekend: Vec<usize>,
    holidays: Vec<Day>,
}

impl Days {
    /// What the first of these says about each key.
    fn of(shapes: &[&DaysShape]) -> Option<Self> {
        let sorted = |mut days: Vec<Day>| {
            days.sort();
            days.dedup();
            days
        };
        let weekend = shapes.iter().find_map(|shape| shape.weekend.as_ref())?;
        Some(Self {
            zone: shapes.iter().find_map(|shape| shape.time_zone.clone())?,
            weekend: (0..7).filter(|day| weekend.contains(day)).collect(),
            holidays: sorted({
                let mut days = shapes.iter().find_map(|shape| shape.holidays.clone())?;
                days.extend(shapes.iter().find_map(|shape| shape.holidays_file.as_ref()).into_iter().flatten());
                days
            }),
        })
    }

    fn calendar(&self) -> Option<Calendar> {
        Some(Calendar::in_zone(&self.zone)?.with_days_off(&self.weekend, self.holidays.iter().copied()))
    }
}

/// The settings of a customer without problems; `file` is the rest of the file. `None` only if something that must be there is absent.
pub fn build_customer(file: &FileShape, shape: &CustomerShape) -> Option<CustomerSettings> {
    let (own, global) = (&shape.policies, &file.policies);
    let days = Days::of(&[&shape.days, &file.days])?;
    let calendar = days.calendar()?;
    let limits = guard_limits(&own.guard, guard_limits(&global.guard, GuardLimits::STANDARD));
    let guard_windows = shape.guard_windows.iter().map(|window| {
        let base = if window.rollover == Some(true) { limits.rollover() } else { limits };
        Some(GuardWindow { from: window.from?, to: window.to?, limits: guard_limits(&window.guard, base) })
    });
    let mut pools = Vec::with_capacity(shape.pools.len());
    let (mut grants, mut agreed, mut terms) = (Vec::new(), Vec::new(), Vec::new());
    for pool_shape in &shape.pools {
        let own = match pool_shape.days.is_said() {
            true => Some(Days::of(&[&pool_shape.days, &shape.days, &file.days])?),
            false => None,
        };
        let calendar = own.as_ref().map_or_else(|| Some(calendar.clone()), Days::calendar)?;
        let pool = pool(file, shape, pool_shape, calendar)?;
        seeds(pool_shape, &pool, &mut grants, &mut agreed)?;
        terms.extend(terms::build(&pool_shape.terms, &pool)?);
        pools.push((pool, own));
    }
    let mut policy = Policy {
        customer: CustomerId::from(shape.id.as_str()),
        products: shape.products.iter().map(|item| product(shape, item)).collect(),
        pools: Vec::new(),
        rules: Vec::new(),
        limits,
        guard_windows: guard_windows.collect::<Option<_>>()?,
        absence_confirmations: own.confirmations.or(global.confirmations)?,
        pending_expire_days: own.pending_expire_days.or(global.pending_expire_days)?,
        purge_after_days: u32::try_from(own.purge_after_days.or(global.purge_after_days)?).ok(),
        calendar,
        digest: Digest::default(),
    };
    policy.rules = rules(file, shape, &policy.products)?;
    policy.digest = digest(&policy, &days, &pools);
    policy.pools = pools.into_iter().map(|(pool, _)| pool).collect();
    let calendar = &policy.calendar;
    let pauses = shape.sources.iter().flat_map(|source| source.pauses.iter().map(|p| pauses::build(&source.id, p, calendar)));
    let pauses = pauses.collect::<Option<_>>()?;
    let quiet = shape.sources.iter().flat_map(|source| {
        let hours = source.network.quiet_hours.iter().flatten();
        hours.map(|hours| (SourceId::from(source.id.as_str()), *hours))
    });
    let work = network::work(file.spool.0.as_ref()?);
    let sources = shape.sources.iter().map(|item| source(shape, calendar, &work, item)).collect::<Option<_>>()?;
    Some(CustomerSettings {
        id: policy.customer.clone(),
        name: shape.name.clone().unwrap_or_else(|| shape.id.clone()),
        nightly: shape.nightly.clone(),
        policy,
        sources,
        same_person: shape.same_person.clone(),
        grants,
        agreed,
        terms,
        bad_percent_max: own.bad_percent_max.or(global.bad_percent_max)?,
        catchup_window_hours: own.catchup_window_hours.or(global.catchup_window_hours)?,
        stale_after_hours: own.stale_after_hours.or(global.stale_after_hours)?,
        full_every_days: own.full_every_days.or(global.full_every_days)?,
        same_day_max: own.same_day_max.or(global.same_day_max)?,
        latency_target_secs: own.latency_target_secs.or(global.latency_target_secs)?,
        pauses,
        quiet: quiet.collect(),
        by_hand: ByHandPolicy {
            protected: shape.protected.iter().map(|key| PersonKey::from(key.as_str())).collect(),
            coupled_create: own.coupled_create_manual.or(global.coupled_create_manual)?,
        },
        reports: reports::build(&own.reports, &global.reports)?,
    })
}

/// What a section says, and `base` where it says nothing.
fn guard_limits(shape: &GuardShape, base: GuardLimits) -> GuardLimits {
    GuardLimits {
        removal_percent: shape.removal_percent.unwrap_or(base.removal_percent),
        removal_min: shape.removal_min.unwrap_or(base.removal_min),
        org_removal_percent: shape.org_removal_percent.unwrap_or(base.org_removal_percent),
        org_base_min: shape.org_base_min.unwrap_or(base.org_base_min),
        rolling_days: shape.rolling_days.unwrap_or(base.rolling_days),
        rolling_percent: shape.rolling_percent.unwrap_or(base.rolling_percent),
        growth_percent: shape.growth_percent.unwrap_or(base.growth_percent),
        growth_min: shape.growth_min.unwrap_or(base.growth_min),
        change_percent: shape.change_percent.unwrap_or(base.change_percent),
        trip_stops_all: shape.trip_stops_all.unwrap_or(base.trip_stops_all),
        approval_ttl_hours: shape.approval_ttl_hours.unwrap_or(base.approval_ttl_hours),
        provisional_business_days_max: shape.provisional_business_days_max.unwrap_or(base.provisional_business_days_max),
        bootstrap_approval: shape.bootstrap_approval.unwrap_or(base.bootstrap_approval),
    }
}

fn source(customer: &CustomerShape, calendar: &Calendar, work: &Path, shape: &SourceShape) -> Option<SourceSettings> {
    let courses_optional = shape.courses_optional.unwrap_or(false);
    let read = |fields| network::read_settings(&shape.network, fields, shape.lenient, courses_optional, &shape.keep_metadata);
    let pull = format!("{}/{}", customer.id, shape.id);
    let files = file_source(shape);
    match shape.kind? {
        SourceKind::OneRosterCsv if shape.network.address.is_some() => {
            let fetch = network::fetch(&files, pull, work, read(false).http)?;
            let Some(SourceSettings::OneRosterCsv(csv)) = csv(shape) else { return None };
            Some(SourceSettings::OneRosterFetched(Box::new(fetch), csv))
        }
        SourceKind::OneRosterCsv => csv(shape),
        SourceKind::Delimited => {
            let names = (customer.id.as_str(), customer.name.as_deref().unwrap_or(&customer.id));
            let settings = Box::new(network::delimited(&files, names, calendar)?);
            if shape.network.address.is_none() {
                return Some(SourceSettings::Delimited(settings));
            }
            let fetch = network::fetch(&files, pull, work, read(false).http)?;
            Some(SourceSettings::DelimitedFetched(Box::new(fetch), settings))
        }
        SourceKind::OneRosterRest => network::oneroster(&shape.id, pull, &shape.network, read(false)),
        SourceKind::ClassLink => network::of_classlink(&shape.id, pull, &shape.network, read(true)),
        SourceKind::Clever => network::of_clever(&shape.id, pull, &shape.network, read(false)),
        kind @ (SourceKind::Scim | SourceKind::BambooHr | SourceKind::Workday) => {
            let names = (customer.id.as_str(), customer.name.as_deref().unwrap_or(&customer.id));
            network::hr_source(kind, &shape.id, pull, &shape.network, read(false), names, calendar)
        }
    }
}

/// A source as far as it is one of files.
fn file_source(shape: &SourceShape) -> FileSource<'_> {
    let SourceShape { at, id, kind, path, drop, settle_secs, keep_metadata, network, .. } = shape;
    FileSource {
        at,
        id,
        path: path.as_deref(),
        drop: *drop,
        settle_secs: *settle_secs,
        keep: keep_metadata,
        packages: *kind == Some(SourceKind::OneRosterCsv),
        given: Given::of(network.address.as_deref(), network.token.as_ref(), &network.hr, &network.files),
    }
}

fn csv(shape: &SourceShape) -> Option<SourceSettings> {
    let kind = if network::is_drop(&file_source(shape)) { DropKind::Drop } else { DropKind::Package };
    // What is fetched lies where it is fetched to.
    let path = shape.path.clone().or_else(|| shape.network.address.as_ref().map(|_| PathBuf::new()))?;
    let defaults = CsvSourceSettings::new(SourceId::from(shape.id.as_str()), path, kind);
    Some(SourceSettings::OneRosterCsv(CsvSourceSettings {
        settle_secs: shape.settle_secs.map_or(defaults.settle_secs, u64::from),
        bulk_with_status: shape.bulk_with_status.unwrap_or_default(),
        lenient: shape.lenient.unwrap_or(false),
        courses_optional: shape.courses_optional.unwrap_or(false),
        keep_metadata: shape.keep_metadata.iter().chain(&shape.activity_column).cloned().collect(),
        activity_column: shape.activity_column.clone(),
        ..defaults
    }))
}

fn product(customer: &CustomerShape, shape: &ProductShape) -> Product {
    let required = match requires(shape, &customer.products) {
        Requires::Product(id) => Some(ProductId::from(id)),
        Requires::Nothing | Requires::OneOf(_) => None,
    };
    Product {
        id: ProductId::from(shape.id.as_str()),
        kind: shape.kind.unwrap_or(ProductKind::Module),
        seat_model: shape.seat_model.unwrap_or(profiles::defaults(customer.profile).seat_model),
        requires: required,
        auto_assign: shape.auto_assign.unwrap_or(false),
        needs_acceptance: shape.needs_acceptance.unwrap_or(false),
        activated_for: shape.activated_for.iter().map(|org| OrgId::from(org.as_str())).collect(),
        bundle_of: shape.bundle_of.iter().map(|part| ProductId::from(part.as_str())).collect(),
    }
}

fn pool(file: &FileShape, customer: &CustomerShape, shape: &PoolShape, calendar: Calendar) -> Option<Pool> {
    let on_full = match profiles::on_full(shape.on_full, shape.overage_terms, customer.profile) {
        OnFullWord::Overdraw => OnFull::Overdraw,
        OnFullWord::Wait => OnFull::Wait,
        OnFullWord::OverdrawUpTo => OnFull::OverdrawUpTo { percent_max: shape.overdraw_limit_percent? },
    };
    let overage = [&shape.overage, &customer.policies.overage, &file.policies.overage];
    let clauses = overage.map(|shape| &shape.clauses);
    let first = |key: fn(&OverageShape) -> Option<u32>| overage.iter().find_map(|shape| key(shape));
    let mut reservations: Vec<(OrgId, Seats)> =
        shape.reservations.iter().map(|(org, seats)| (OrgId::from(org.as_str()), Seats(*seats))).collect();
    reservations.sort();
    Some(Pool {
        id: PoolId::from(shape.id.as_str()),
        product: ProductId::from(shape.product.as_deref()?),
        owner: OrgId::from(shape.owner.as_deref()?),
        audience: shape.audience?,
        unlimited: shape.unlimited.unwrap_or(false),
        on_full,
        overage: OverageLimits {
            minor_percent: first(|shape| shape.minor_percent)?,
            major_percent: first(|shape| shape.major_percent)?,
            minor_floor: Seats(first(|shape| shape.minor_floor_seats)?),
        },
        clauses: clauses::build(&clauses, &[&shape.tiers, &customer.policies.tiers, &file.policies.tiers])?,
        reservations,
        calendar,
        anchor: shape.anchor,
        renewal: terms::term_rules([&shape.term_rules, &customer.policies.terms, &file.policies.terms])?,
        reuse: terms::reuse_rules([&shape.term_rules, &customer.policies.terms, &file.policies.terms])?,
    })
}

/// The dated entries of a pool; days start where the pool is.
fn seeds(shape: &PoolShape, pool: &Pool, grants: &mut Vec<Grant>, agreed: &mut Vec<AgreedExcess>) -> Option<()> {
    for grant in &shape.grants {
        grants.push(Grant {
            id: GrantId::from(grant.id.as_str()),
            pool: pool.id.clone(),
            seats: grant.seats?,
            from: pool.calendar.start_of(grant.from?),
            to: grant.to.map_or(Instant::MAX, |day| pool.calendar.start_of(day)),
            recorded: Instant::default(),
            by: Actor::system(),
            kind: grant.kind.unwrap_or(GrantKind::Purchase),
            reference: grant.reference.clone().unwrap_or_default(),
        });
    }
    for excess in &shape.agreed {
        agreed.push(AgreedExcess {
            id: GrantId::from(excess.id.as_str()),
            pool: pool.id.clone(),
            seats: Seats(excess.seats?),
            from: pool.calendar.start_of(excess.from?),
            to: pool.calendar.start_of(excess.to?),
            recorded: Instant::default(),
            by: Actor::system(),
            reference: excess.reference.clone()?,
        });
    }
    Some(())
}

/// The customer's own rules, then the shipped ones in force (R22).
fn rules(file: &FileShape, shape: &CustomerShape, products: &[Product]) -> Option<Vec<Rule>> {
    let mut rules: Vec<Rule> = shape.rules.iter().map(rule).collect::<Option<_>>()?;
    let admin_products = shape.policies.admin_products.as_ref().or(file.policies.admin_products.as_ref())?;
    let admin_products: Vec<ProductId> = admin_products.iter().map(|id| ProductId::from(id.as_str())).collect();
    let said = shape.products.iter().filter_map(|item| Some((ProductId::from(item.id.as_str()), item.default_for?)));
    let default_for: Vec<(ProductId, DefaultFor)> = said.collect();
    let has_rules = !rules.is_empty();
    rules.extend(shipped_rules(&Entitlement {
        products,
        default_for: &default_for,
        admin_products: &admin_products,
        has_rules,
    }));
    Some(rules)
}

fn rule(shape: &RuleShape) -> Option<Rule> {
    Some(Rule {
        id: RuleId::from(shape.id.as_str()),
        product: ProductId::from(shape.product.as_deref()?),
        priority: i32::try_from(shape.priority.unwrap_or(0)).ok()?,
        when: shape.when.clone()?,
    })
}

/// Names a policy by what it says. A new field must find its place here, or the build breaks. Calendars go in as they
/// were said: a new edition of the time zone database is not a new policy. Pools without days of their own have the customer's.
fn digest(policy: &Policy, days: &Days, pools: &[(Pool, Option<Days>)]) -> Digest {
    let Policy {
        customer,
        products,
        pools: _,
        rules,
        limits,
        guard_windows,
        absence_confirmations,
        pending_expire_days,
        purge_after_days,
        calendar: _,
        digest: _,
    } = policy;
    let mut digester = Digester::new("policy");
    digester.field(customer.as_str().as_bytes()).number(products.len() as i64);
    for product in products {
        digester.field(format!("{product:?}").as_bytes());
    }
    digester.number(pools.len() as i64);
    // Most pools agree in what takes long to write out.
    let mut written: Option<(&Pool, &Option<Days>, String)> = None;
    for (pool, own) in pools {
        let Pool {
            id,
            product,
            owner,
            audience,
            unlimited,
            on_full,
            overage,
            clauses,
            reservations,
            calendar: _,
            anchor,
            renewal,
            reuse,
        } = pool;
        digester.field(id.as_str().as_bytes()).field(product.as_str().as_bytes()).field(owner.as_str().as_bytes());
        digester.field(format!("{audience:?} {unlimited} {on_full:?} {overage:?} {reservations:?} {anchor:?}").as_bytes());
        let agrees = |(other, days, _): &&(&Pool, &Option<Days>, String)| {
            *days == own && (&other.clauses, &other.renewal, &other.reuse) == (clauses, renewal, reuse)
        };
        let text = match written.as_ref().filter(agrees) {
            Some((.., text)) => text,
            None => {
                let days = own.as_ref().unwrap_or(days);
                &written.insert((pool, own, format!("{days:?} {clauses:?} {renewal:?} {reuse:?}"))).2
            }
        };
        digester.field(text.as_bytes());
    }
    digester.number(rules.len() as i64);
    for rule in rules {
        digester.field(format!("{rule:?}").as_bytes());
    }
    digester.field(
        format!("{limits:?} {guard_windows:?} {absence_confirmations} {pending_expire_days} {purge_after_days:?} {days:?}")
            .as_bytes(),
    );
    digester.finish()
}

#[cfg(test)]
mod tests;
