//! The entitlement rules that a customer has without writing any (R22): who has a role that uses content, that observes or
//! is observed, or that administers.

use crate::base::{ProductId, RuleId};
use crate::license::{Product, ProductKind, SeatModel};
use crate::plan::rule::{Predicate, Rule};

/// Whose product it is, in the shipped rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DefaultFor {
    /// Of those who use content.
    ContentAccess,
    /// Of those who observe and those who are observed.
    Observer,
}

/// What the shipped rules are made from.
#[derive(Clone, Copy, Debug)]
pub struct Entitlement<'a> {
    /// The customer's products.
    pub products: &'a [Product],
    /// Products that are said to be for somebody.
    pub default_for: &'a [(ProductId, DefaultFor)],
    /// What administrators get; products of other customers are passed over.
    pub admin_products: &'a [ProductId],
    /// Whether the customer wrote rules: then nothing is guessed from the names of products.
    pub has_rules: bool,
}

/// Ids of shipped rules begin so; ids that the settings give never have a colon.
const SHIPPED: &str = "default:";

/// OneRoster's roles that use content, and the extension for any other.
const CONTENT_ROLES: [&str; 4] = ["aide", "student", "teacher", "ext:content_access"];
/// OneRoster has no words for observing. A teacher is not taken for one who is observed: the seats would go unasked.
const OBSERVER_ROLES: [&str; 2] = ["ext:observable", "ext:observer"];
/// Administrators of a system or an org, in the words of OneRoster 1.1 and 1.2.
const ADMIN_ROLES: [&str; 4] = ["administrator", "districtAdministrator", "siteAdministrator", "systemAdministrator"];

impl Rule {
    /// Whether the rule is a shipped default.
    pub fn is_shipped(&self) -> bool {
        self.id.as_str().starts_with(SHIPPED)
    }
}

/// The shipped rules in force, in the order of the products.
///
/// What a product is said to be for counts always, and so do products for administrators. Only a customer without rules
/// has more: the products `learn` and `observe` go to whom R22 gives them, and access to everybody in these roles. A
/// product whose seats come by themselves (R30, R35) is not asked for a second time.
pub fn shipped_rules(entitlement: &Entitlement<'_>) -> Vec<Rule> {
    let mut rules = Vec::new();
    for product in entitlement.products {
        let mut ship = |name: &str, roles: &[&[&str]]| {
            rules.push(Rule {
                id: RuleId::from(format!("{SHIPPED}{name}").as_str()),
                product: product.id.clone(),
                priority: 0,
                when: Predicate::Role(roles.concat().iter().map(|&role| role.to_owned()).collect()),
            });
        };
        let said = entitlement.default_for.iter().find(|(id, _)| *id == product.id).map(|&(_, whose)| whose);
        let comes_by_itself = product.auto_assign || product.seat_model == SeatModel::ActiveUser;
        let guessed = !entitlement.has_rules && !comes_by_itself;
        match (said, product.id.as_str()) {
            (Some(DefaultFor::ContentAccess), _) => ship("content_access", &[&CONTENT_ROLES]),
            (Some(DefaultFor::Observer), _) => ship("observer", &[&OBSERVER_ROLES]),
            (None, "learn") if guessed => ship("content_access", &[&CONTENT_ROLES]),
            (None, "observe") if guessed => ship("observer", &[&OBSERVER_ROLES]),
            (None, _) if guessed && product.kind == ProductKind::Access => {
                ship("access", &[&CONTENT_ROLES, &OBSERVER_ROLES, &ADMIN_ROLES]);
            }
            (None, _) => {}
        }
        if entitlement.admin_products.contains(&product.id) {
            ship("administrators", &[&ADMIN_ROLES]);
        }
    }
    rules
}
