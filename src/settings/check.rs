//! What only shows when keys are looked at together: names that lead nowhere, things given twice, orders reversed.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use crate::base::most_similar;
use crate::license::ProductKind;
use crate::plan::Predicate;
use crate::service::MANUAL_SOURCE;
use crate::settings::channels;
use crate::settings::clauses;
use crate::settings::file::{CustomerShape, FileShape, OverageShape, PoliciesShape, PoolShape, ProductShape};
use crate::settings::own::Own;
use crate::settings::pauses;
use crate::settings::place::join;
use crate::settings::problem::Problem;
use crate::settings::profiles;
use crate::settings::rules::RuleShape;
use crate::settings::terms;
use crate::settings::values::{OnFullWord, SourceKind, StoreKind, connections_min};

const NO_PRODUCT: &str = "is no product of this customer";

/// Attributes that every person has.
const ATTRIBUTES: [&str; 3] = ["identifier", "username", "email_domain"];

/// Everything that is wrong between the keys of a file.
pub fn check(file: &FileShape, customers: &[Own]) -> Vec<Problem> {
    let mut found = Vec::new();
    unique("customers", customers.iter().map(|customer| (&customer.at, &customer.id)), &mut found);
    percents(&file.policies.overage, &[], ("", "overage"), &mut found);
    clauses::check_days(&file.policies.overage.clauses, &[], ("", "overage"), &mut found);
    clauses::check(&file.policies.tiers, &[], ("", "tiers"), &mut found);
    shared_paths(customers, &mut found);
    connections(file, &mut found);
    channels::check(&file.outbox, customers.iter().map(|customer| &customer.channels[..]), &mut found);
    let all: Vec<&str> = customers.iter().flat_map(|customer| &customer.products).map(String::as_str).collect();
    if !customers.is_empty() {
        admin_products("", &file.policies, &all, "is a product of no customer", &mut found);
    }
    found.extend(customers.iter().flat_map(|customer| &customer.problems).cloned());
    found
}

/// What a product requires (R12).
pub enum Requires<'a> {
    /// Nothing.
    Nothing,
    /// This product.
    Product(&'a str),
    /// An access product, but there is not exactly one: these are there.
    OneOf(Vec<&'a str>),
}

/// What a product requires: as written; else a content product takes the customer's only access product (R12).
pub fn requires<'a>(product: &'a ProductShape, products: &'a [ProductShape]) -> Requires<'a> {
    if let Some(required) = &product.requires {
        return Requires::Product(required);
    }
    if product.kind != Some(ProductKind::Content) {
        return Requires::Nothing;
    }
    let access = products.iter().filter(|other| other.kind == Some(ProductKind::Access));
    let access: Vec<&str> = access.map(|other| other.id.as_str()).collect();
    match access[..] {
        [only] => Requires::Product(only),
        _ => Requires::OneOf(access),
    }
}

/// Workers and whatever else the daemon does have connections of their own; a few are left for questions (R99).
fn connections(file: &FileShape, found: &mut Vec<Problem>) {
    let (Some(StoreKind::Postgres), Some(most), Some(workers)) =
        (file.store.kind, file.store.connections_max, file.daemon.workers)
    else {
        return;
    };
    let least = connections_min(workers) + 2;
    if most < least {
        let why = format!("is too few for {workers} workers; at least {least}");
        found.push(Problem::new("store.connections_max", why).showing(Some(most.to_string())));
    }
}

/// What is wrong between the keys of one customer.
pub fn check_customer(file: &FileShape, customer: &CustomerShape) -> Vec<Problem> {
    let mut problems = Vec::new();
    let found = &mut problems;
    let CustomerShape {
        at,
        id: _,
        name: _,
        profile: _,
        nightly: _,
        protected: _,
        days: _,
        policies,
        guard_windows,
        sources,
        same_person: _,
        products,
        pools,
        rules,
        channels: _,
    } = customer;
    for window in guard_windows {
        if let (Some(from), Some(to)) = (window.from, window.to)
            && to <= from
        {
            found.push(Problem::new(format!("{}.to", window.at), "is not after from").showing(Some(to.to_string())));
        }
    }
    percents(&policies.overage, &[&file.policies.overage], (at, "overage"), found);
    clauses::check_days(&policies.overage.clauses, &[&file.policies.overage.clauses], (at, "overage"), found);
    clauses::check(&policies.tiers, &[&file.policies.tiers], (at, "tiers"), found);
    unique("sources", sources.iter().map(|source| (&source.at, &source.id)), found);
    for source in sources {
        let Some(column) = &source.activity_column else { continue };
        let why = if source.keep_metadata.contains(column) {
            "is in keep_metadata as well; log-ins change every day, no rule sees them"
        } else if source.kind.is_some_and(|kind| kind != SourceKind::OneRosterCsv) {
            "is for files; `rosterd activity import` takes in log-ins of other sources"
        } else {
            continue;
        };
        found.push(Problem::new(format!("{}.activity_column", source.at), why).showing(Some(column.clone())));
    }
    let tenants = sources.iter().filter(|source| source.kind == Some(SourceKind::ClassLink));
    let mixed = tenants.clone().count() > 1;
    for source in tenants.filter(|source| mixed && !source.network.classlink.qualify_ids) {
        let why = "is needed: the customer has several sources of ClassLink, whose ids are unique within a tenant only";
        found.push(Problem::new(format!("{}.qualify_ids", source.at), why));
    }
    sources.iter().flat_map(|source| &source.pauses).for_each(|pause| pauses::check(pause, found));
    for source in sources.iter().filter(|source| source.id == MANUAL_SOURCE) {
        let why = "is the id of what is made by hand; take another one, such as `sis`";
        found.push(Problem::new(format!("{}.id", source.at), why).showing(Some(MANUAL_SOURCE.to_owned())));
    }
    unique("products", products.iter().map(|product| (&product.at, &product.id)), found);
    unique("pools", pools.iter().map(|pool| (&pool.at, &pool.id)), found);
    unique("rules", rules.iter().map(|rule| (&rule.at, &rule.id)), found);
    let grants = pools.iter().flat_map(|pool| {
        let agreed = pool.agreed.iter().map(|agreed| (&agreed.at, &agreed.id));
        let terms = pool.terms.iter().map(|term| (&term.at, &term.id));
        pool.grants.iter().map(|grant| (&grant.at, &grant.id)).chain(agreed).chain(terms)
    });
    unique("grants, agreed excesses or terms", grants, found);
    for product in products {
        check_product(product, products, found);
    }
    let all: Vec<&str> = products.iter().map(|product| product.id.as_str()).collect();
    admin_products(at, policies, &all, NO_PRODUCT, found);
    circles(products, found);
    for (ix, pool) in pools.iter().enumerate() {
        percents(&pool.overage, &[&policies.overage, &file.policies.overage], (&pool.at, "overage"), found);
        let outer = [&policies.overage.clauses, &file.policies.overage.clauses];
        clauses::check_days(&pool.overage.clauses, &outer, (&pool.at, "overage"), found);
        clauses::check(&pool.tiers, &[&policies.tiers, &file.policies.tiers], (&pool.at, "tiers"), found);
        check_pool(pool, customer, found);
        let same = |other: &&PoolShape| {
            (&other.product, &other.owner, other.audience) == (&pool.product, &pool.owner, pool.audience) && other.id != pool.id
        };
        if pool.product.is_some()
            && pool.owner.is_some()
            && let Some(other) = pools[..ix].iter().find(same)
        {
            found.push(Problem::new(&pool.at, format!("has product, owner and audience of pool `{}`", other.id)));
        }
    }
    for rule in rules {
        check_rule(rule, customer, found);
    }
    problems
}

fn check_product(product: &ProductShape, products: &[ProductShape], found: &mut Vec<Problem>) {
    let at = &product.at;
    if let Some(required) = &product.requires {
        known_product(&format!("{at}.requires"), required, products, found);
    }
    // A kind that was misspelt could be the access product that is looked for.
    let kinds_known = products.iter().all(|other| other.kind.is_some());
    if let Requires::OneOf(access) = requires(product, products)
        && kinds_known
    {
        found.push(Problem::new(
            format!("{at}.requires"),
            match &access[..] {
                [] => "is missing, and there is no access product that the content could require".to_owned(),
                several => format!("is missing, and there are several access products: {}", several.join(", ")),
            },
        ));
    }
    let key = format!("{at}.bundle_of");
    let mut seen = BTreeSet::new();
    for part in &product.bundle_of {
        known_product(&key, part, products, found);
        if part == &product.id {
            found.push(Problem::new(&key, "contains the bundle itself"));
        } else if products.iter().any(|other| &other.id == part && !other.bundle_of.is_empty()) {
            found.push(Problem::new(&key, format!("contains `{part}`, which is a bundle")));
        }
        if !seen.insert(part) {
            found.push(Problem::new(&key, format!("contains `{part}` twice")));
        }
    }
    if product.bundle_of.len() == 1 {
        found.push(Problem::new(&key, "needs at least two products"));
    }
}

/// Each circle of `requires` is told once, at its smallest id.
fn circles(products: &[ProductShape], found: &mut Vec<Problem>) {
    let required_by = |id: &str| {
        let product = products.iter().find(|product| product.id == id)?;
        if let Requires::Product(required) = requires(product, products) { Some(required) } else { None }
    };
    for product in products {
        let mut chain = vec![product.id.as_str()];
        while let Some(next) = chain.last().and_then(|last| required_by(last)) {
            if next == product.id {
                if chain.iter().all(|id| *id >= next) {
                    let way = format!("{} -> {next}", chain.join(" -> "));
                    found.push(Problem::new(format!("{}.requires", product.at), format!("goes in a circle: {way}")));
                }
                break;
            }
            if chain.contains(&next) {
                break;
            }
            chain.push(next);
        }
    }
}

fn check_pool(pool: &PoolShape, customer: &CustomerShape, found: &mut Vec<Problem>) {
    let at = &pool.at;
    if let Some(product) = &pool.product {
        known_product(&format!("{at}.product"), product, &customer.products, found);
    }
    let on_full = profiles::on_full(pool.on_full, pool.overage_terms, customer.profile);
    let key = format!("{at}.overdraw_limit_percent");
    match (on_full, pool.overdraw_limit_percent) {
        (OnFullWord::OverdrawUpTo, None) => found.push(Problem::new(key, "is missing: \"overdraw_up_to\" needs it")),
        (OnFullWord::Overdraw | OnFullWord::Wait, Some(_)) => {
            found.push(Problem::new(key, "has no effect without on_full = \"overdraw_up_to\""));
        }
        (OnFullWord::OverdrawUpTo, Some(_)) | (OnFullWord::Overdraw | OnFullWord::Wait, None) => {}
    }
    terms::check(&pool.terms, found);
    let mut orgs = BTreeSet::new();
    for (org, _) in &pool.reservations {
        if !orgs.insert(org) {
            found.push(Problem::new(format!("{at}.reservations"), format!("has the org `{org}` twice")));
        }
        if Some(org) == pool.owner.as_ref() {
            found.push(Problem::new(format!("{at}.reservations"), format!("has the pool's own owner `{org}`")));
        }
    }
    let dates = pool.grants.iter().map(|grant| (&grant.at, grant.from, grant.to));
    for (at, from, to) in dates.chain(pool.agreed.iter().map(|agreed| (&agreed.at, agreed.from, agreed.to))) {
        if let (Some(from), Some(to)) = (from, to)
            && to <= from
        {
            let shown = Some(format!("\"{to}\""));
            found.push(Problem::new(format!("{at}.to"), format!("is not after from = \"{from}\"")).showing(shown));
        }
    }
}

fn check_rule(rule: &RuleShape, customer: &CustomerShape, found: &mut Vec<Problem>) {
    if let Some(product) = &rule.product {
        known_product(&format!("{}.product", rule.at), product, &customer.products, found);
    }
    if let Some(when) = &rule.when {
        attributes(when, &mut |name| {
            let kept = customer.sources.iter().flat_map(|source| &source.keep_metadata).map(String::as_str);
            let known: BTreeSet<&str> = ATTRIBUTES.into_iter().chain(kept).collect();
            if !known.contains(name) {
                let problem = Problem::new(format!("{}.when.attribute.name", rule.at), "is kept by no source");
                let meant = most_similar(name, known.iter().copied());
                found.push(problem.showing(Some(format!("{name:?}"))).suggesting(meant));
            }
        });
    }
}

fn attributes<'a>(when: &'a Predicate, each: &mut dyn FnMut(&'a str)) {
    match when {
        Predicate::Attribute { name, equals: _ } => each(name),
        Predicate::All(inner) | Predicate::Any(inner) => inner.iter().for_each(|inner| attributes(inner, each)),
        Predicate::Not(inner) => attributes(inner, each),
        Predicate::Everyone
        | Predicate::Role(_)
        | Predicate::Org(_)
        | Predicate::Grade(_)
        | Predicate::Class(_)
        | Predicate::LiveEnrollment(_) => {}
    }
}

fn known_product(at: &str, id: &str, products: &[ProductShape], found: &mut Vec<Problem>) {
    if !products.iter().any(|product| product.id == id) {
        let meant = most_similar(id, products.iter().map(|product| product.id.as_str()));
        let problem = Problem::new(at, NO_PRODUCT);
        found.push(problem.showing(Some(format!("{id:?}"))).suggesting(meant));
    }
}

/// Products for administrators (R22): a name that leads nowhere would give them nothing, silently.
fn admin_products(at: &str, own: &PoliciesShape, products: &[&str], wrong: &str, found: &mut Vec<Problem>) {
    for id in own.admin_products.iter().flatten() {
        if !products.contains(&id.as_str()) {
            let meant = most_similar(id, products.iter().copied());
            let problem = Problem::new(join(at, "entitlement.admin_products"), wrong);
            found.push(problem.showing(Some(format!("{id:?}"))).suggesting(meant));
        }
    }
}

/// The two percentages as they are in force here: what is not said is said farther out.
fn percents(own: &OverageShape, outer: &[&OverageShape], (at, section): (&str, &str), found: &mut Vec<Problem>) {
    if own.minor_percent.is_none() && own.major_percent.is_none() {
        return;
    }
    let minor = own.minor_percent.or_else(|| outer.iter().find_map(|outer| outer.minor_percent));
    let major = own.major_percent.or_else(|| outer.iter().find_map(|outer| outer.major_percent));
    if let (Some(minor), Some(major)) = (minor, major)
        && minor > major
    {
        let key = if own.minor_percent.is_some() { "minor_percent" } else { "major_percent" };
        let (value, wrong) = match own.minor_percent {
            Some(_) => (minor, format!("is more than major_percent = {major}")),
            None => (major, format!("is less than minor_percent = {minor}")),
        };
        found.push(Problem::new(join(&join(at, section), key), wrong).showing(Some(value.to_string())));
    }
}

fn unique<'a>(what: &str, ids: impl Iterator<Item = (&'a String, &'a String)>, found: &mut Vec<Problem>) {
    let mut seen = BTreeSet::new();
    for (at, id) in ids {
        if !id.is_empty() && !seen.insert(id) {
            found.push(Problem::new(format!("{at}.id"), format!("is the id of two {what}")).showing(Some(format!("{id:?}"))));
        }
    }
}

/// Two sources that read one folder would each take the other's packages.
fn shared_paths(customers: &[Own], found: &mut Vec<Problem>) {
    let mut seen: HashMap<&Path, &str> = HashMap::new();
    for (path, at) in customers.iter().flat_map(|customer| &customer.paths) {
        if let Some(other) = seen.insert(path, at) {
            let shown = Some(format!("{:?}", path.display().to_string()));
            found.push(Problem::new(format!("{at}.path"), format!("is the path of {other}, too")).showing(shown));
        }
    }
}

#[cfg(test)]
mod tests;
