//! Who ought to have what: entitlement rules compiled against one roster, so that asking for a person costs no look-ups
//! by name (R22 to R30).

use crate::base::Day;
use crate::license::{Product, SeatModel};
use crate::plan::input::Policy;
use crate::plan::rule::{ClassFilter, Predicate};
use crate::roster::{Class, OrgIx, OrgTree, Person, Roster};

/// A settings error that only a roster can show.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place} names org {org}, which is not in the roster{}", hint(.suggestion))]
pub struct UnknownOrg {
    /// Where the settings name it: `rule teachers`, `owner of pool learn`.
    pub place: String,
    /// The unknown org.
    pub org: String,
    /// The most similar id in the roster.
    pub suggestion: Option<String>,
}

fn hint(suggestion: &Option<String>) -> String {
    suggestion.as_ref().map_or(String::new(), |s| format!("; did you mean {s}?"))
}

/// Why there is no plan.
#[derive(Debug, thiserror::Error)]
#[error("plan with these settings: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
pub struct PlanError(pub Vec<UnknownOrg>);

/// One person's need of one product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Need {
    /// Position in the policy's products.
    pub product: u16,
    /// The highest priority among the rules that ask.
    pub priority: i32,
}

/// Why a product is not needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoNeed {
    /// No rule asks for it.
    NoRule,
    /// No enrollment is live (R28).
    NotActiveUser,
    /// The account is locked in the source.
    Disabled,
    /// Not activated for the person's org (R10).
    NotActivated,
    /// The first day of every role is to come (R132).
    NotStarted,
}

/// The rules of a customer, ready to be asked about the people of one roster.
pub struct Demand<'a> {
    roster: &'a Roster,
    tree: &'a OrgTree,
    today: Day,
    products: Vec<ProductDemand<'a>>,
    alive: Vec<bool>,
}

struct ProductDemand<'a> {
    product: &'a Product,
    /// (position in the policy's rules, priority, predicate)
    rules: Vec<(u16, i32, Node)>,
    /// Orgs it is activated for; `None`: everywhere.
    activated: Option<Vec<bool>>,
}

enum Node {
    Everyone,
    Role(Vec<bool>),
    Org(Vec<bool>),
    Grade(Vec<String>),
    Class(Vec<bool>),
    Live(Vec<bool>),
    Attribute(Source, Vec<String>),
    All(Vec<Node>),
    Any(Vec<Node>),
    Not(Box<Node>),
}

enum Source {
    Identifier,
    Username,
    EmailDomain,
    /// Position in the roster's attribute names; `None`: nobody has it.
    Kept(Option<u16>),
}

impl<'a> Demand<'a> {
    /// Compiles the rules.
    ///
    /// # Errors
    /// Every org that the settings name and the roster does not know.
    pub fn new(policy: &'a Policy, roster: &'a Roster, tree: &'a OrgTree, today: Day) -> Result<Self, Vec<UnknownOrg>> {
        let mut unknown = Vec::new();
        let mut compiler = Compiler { roster, tree, unknown: &mut unknown };
        for pool in &policy.pools {
            compiler.org(&format!("owner of pool {}", pool.id), pool.owner.as_str());
            for (org, _) in &pool.reservations {
                compiler.org(&format!("reservation of pool {}", pool.id), org.as_str());
            }
        }
        let products = policy
            .products
            .iter()
            .map(|product| ProductDemand {
                product,
                rules: (0u16..)
                    .zip(&policy.rules)
                    .filter(|(_, rule)| rule.product == product.id)
                    .map(|(at, rule)| (at, rule.priority, compiler.node(&format!("rule {}", rule.id), &rule.when)))
                    .collect(),
                activated: (!product.activated_for.is_empty()).then(|| {
                    let place = format!("activation of product {}", product.id);
                    compiler.orgs(&place, product.activated_for.iter().map(|o| o.as_str()))
                }),
            })
            .collect();
        if !unknown.is_empty() {
            return Err(unknown);
        }
        let alive = roster.classes.iter().map(|c| !c.ended && !roster.org(c.school).ended).collect();
        Ok(Self { roster, tree, today, products, alive })
    }

    /// Whether the person has an enrollment live today (R26).
    pub fn is_active_user(&self, person: &Person) -> bool {
        self.roster.enrollments_of(person).any(|e| self.alive[e.class.0 as usize] && e.live(self.today))
    }

    /// Whether the person has yet to begin: there are roles, all of them with a first day to come, and nothing is live.
    fn is_to_come(&self, person: &Person) -> bool {
        let roles = self.roster.roles_of(person);
        !roles.is_empty() && roles.iter().all(|role| role.first > self.today) && !self.is_active_user(person)
    }

    /// Whether a product is needed; fills `rules` with the positions of the rules that ask.
    ///
    /// # Errors
    /// Why it is not.
    pub fn need(&self, person: &Person, product: u16, rules: &mut Vec<u16>) -> Result<Need, NoNeed> {
        rules.clear();
        if self.is_to_come(person) {
            return Err(NoNeed::NotStarted);
        }
        let ProductDemand { product: definition, rules: asking, activated } = &self.products[product as usize];
        let mut priority = i32::MIN;
        for (at, weight, node) in asking {
            if self.matches(node, person) {
                rules.push(*at);
                priority = priority.max(*weight);
            }
        }
        let for_all = definition.auto_assign || (definition.seat_model == SeatModel::ActiveUser && asking.is_empty());
        if rules.is_empty() && !for_all {
            return Err(NoNeed::NoRule);
        }
        match definition.seat_model {
            SeatModel::ActiveUser if !self.is_active_user(person) => return Err(NoNeed::NotActiveUser),
            SeatModel::Role if !person.enabled => return Err(NoNeed::Disabled),
            SeatModel::ActiveUser | SeatModel::Role | SeatModel::Named => {}
        }
        if let Some(activated) = activated
            && !self.home(person, product).is_some_and(|home| activated[home.0 as usize])
        {
            return Err(NoNeed::NotActivated);
        }
        Ok(Need { product, priority: if rules.is_empty() { 0 } else { priority } })
    }

    /// The home org of a claim of the product (R21): the primary org, else the smallest path among the orgs that create
    /// the demand, else among all of the person's orgs, else the first root.
    pub fn home(&self, person: &Person, product: u16) -> Option<OrgIx> {
        if person.primary_org.is_some() {
            return person.primary_org;
        }
        let mut found = Vec::new();
        for (_, _, node) in &self.products[product as usize].rules {
            if self.matches(node, person) {
                self.creating(node, person, &mut found);
            }
        }
        self.smallest(&found)
            .or_else(|| {
                let roles = self.live_role_orgs(person);
                self.smallest(&roles.collect::<Vec<_>>())
            })
            .or_else(|| {
                let schools = self.roster.enrollments_of(person).map(|e| self.roster.class(e.class).school);
                self.smallest(&schools.collect::<Vec<_>>())
            })
            .or_else(|| self.smallest(self.tree.roots()))
    }

    fn smallest(&self, orgs: &[OrgIx]) -> Option<OrgIx> {
        orgs.iter().copied().min_by_key(|&org| self.tree.path_rank(org))
    }

    fn live_role_orgs(&self, person: &Person) -> impl Iterator<Item = OrgIx> {
        self.roster.roles_of(person).iter().filter(|r| r.live(self.today) && !self.roster.org(r.org).ended).map(|r| r.org)
    }

    fn matches(&self, node: &Node, person: &Person) -> bool {
        let roster = self.roster;
        match node {
            Node::Everyone => true,
            Node::Role(words) => roster
                .roles_of(person)
                .iter()
                .any(|r| words[r.role.0 as usize] && r.live(self.today) && !roster.org(r.org).ended),
            Node::Org(orgs) => self.live_role_orgs(person).any(|org| orgs[org.0 as usize]),
            Node::Grade(grades) => roster.list(person.grades).any(|grade| grades.iter().any(|g| g == grade)),
            Node::Class(classes) => roster.enrollments_of(person).any(|e| !e.ended && classes[e.class.0 as usize]),
            Node::Live(classes) => roster.enrollments_of(person).any(|e| classes[e.class.0 as usize] && e.live(self.today)),
            Node::Attribute(source, values) => self.attribute(source, person).is_some_and(|v| values.iter().any(|w| w == v)),
            Node::All(nodes) => nodes.iter().all(|n| self.matches(n, person)),
            Node::Any(nodes) => nodes.iter().any(|n| self.matches(n, person)),
            Node::Not(node) => !self.matches(node, person),
        }
    }

    fn attribute(&self, source: &Source, person: &Person) -> Option<&str> {
        let roster = self.roster;
        match source {
            Source::Identifier => Some(roster.text(person.identifier)),
            Source::Username => Some(roster.text(person.username)),
            Source::EmailDomain => roster.text(person.email).rsplit_once('@').map(|(_, domain)| domain),
            Source::Kept(name) => {
                let name = (*name)?;
                roster.attributes_of(person).iter().find(|a| a.name == name).map(|a| roster.text(a.value))
            }
        }
    }

    /// The orgs through which a matching predicate matches.
    fn creating(&self, node: &Node, person: &Person, found: &mut Vec<OrgIx>) {
        let roster = self.roster;
        match node {
            Node::Everyone | Node::Grade(_) | Node::Attribute(..) | Node::Not(_) => {}
            Node::Role(words) => found.extend(
                roster.roles_of(person).iter().filter(|r| words[r.role.0 as usize] && r.live(self.today)).map(|r| r.org),
            ),
            Node::Org(orgs) => found.extend(self.live_role_orgs(person).filter(|org| orgs[org.0 as usize])),
            Node::Class(classes) => found.extend(
                roster
                    .enrollments_of(person)
                    .filter(|e| !e.ended && classes[e.class.0 as usize])
                    .map(|e| roster.class(e.class).school),
            ),
            Node::Live(classes) => found.extend(
                roster
                    .enrollments_of(person)
                    .filter(|e| classes[e.class.0 as usize] && e.live(self.today))
                    .map(|e| roster.class(e.class).school),
            ),
            Node::Any(nodes) => {
                nodes.iter().filter(|n| self.matches(n, person)).for_each(|n| self.creating(n, person, found));
            }
            Node::All(nodes) => {
                // What every part agrees on; where they agree on nothing, what any of them says.
                let parts: Vec<Vec<OrgIx>> = nodes
                    .iter()
                    .map(|n| {
                        let mut part = Vec::new();
                        self.creating(n, person, &mut part);
                        part
                    })
                    .filter(|part| !part.is_empty())
                    .collect();
                let shared = parts.iter().flatten().filter(|org| parts.iter().all(|part| part.contains(org)));
                let before = found.len();
                found.extend(shared);
                if found.len() == before {
                    found.extend(parts.iter().flatten());
                }
            }
        }
    }
}

struct Compiler<'a, 'u> {
    roster: &'a Roster,
    tree: &'a OrgTree,
    unknown: &'u mut Vec<UnknownOrg>,
}

impl Compiler<'_, '_> {
    fn org(&mut self, place: &str, id: &str) -> Option<OrgIx> {
        let found = self.roster.find_org(id);
        if found.is_none() {
            let suggestion = crate::base::most_similar(id, self.roster.orgs.iter().map(|o| self.roster.text(o.id)));
            self.unknown.push(UnknownOrg { place: place.to_owned(), org: id.to_owned(), suggestion });
        }
        found
    }

    fn orgs<'i>(&mut self, place: &str, ids: impl Iterator<Item = &'i str>) -> Vec<bool> {
        let mut within = vec![false; self.roster.orgs.len()];
        for id in ids {
            if let Some(org) = self.org(place, id) {
                for below in self.tree.subtree(org) {
                    within[below.0 as usize] = true;
                }
            }
        }
        within
    }

    fn classes(&self, filter: &ClassFilter) -> Vec<bool> {
        let roster = self.roster;
        let has = |texts: &[crate::base::Text], wanted: &[String]| {
            wanted.is_empty() || texts.iter().any(|&t| roster.list(t).any(|item| wanted.iter().any(|w| w == item)))
        };
        let matches = |class: &Class| {
            let course = class.course.map(|c| roster.course(c));
            let mut subjects = vec![class.subjects, class.subject_codes];
            let mut codes = Vec::new();
            if let Some(course) = course {
                subjects.extend([course.subjects, course.subject_codes]);
                codes.push(course.code);
            }
            has(&subjects, &filter.subjects) && has(&codes, &filter.course_codes) && has(&[class.grades], &filter.grades)
        };
        roster.classes.iter().map(|c| !c.ended && !roster.org(c.school).ended && matches(c)).collect()
    }

    fn node(&mut self, place: &str, predicate: &Predicate) -> Node {
        let roster = self.roster;
        match predicate {
            Predicate::Everyone => Node::Everyone,
            Predicate::Role(words) => {
                Node::Role(roster.role_words.iter().map(|&w| words.iter().any(|x| x == roster.text(w))).collect())
            }
            Predicate::Org(ids) => Node::Org(self.orgs(place, ids.iter().map(|o| o.as_str()))),
            Predicate::Grade(grades) => Node::Grade(grades.clone()),
            Predicate::Class(filter) => Node::Class(self.classes(filter)),
            Predicate::LiveEnrollment(filter) => Node::Live(self.classes(filter)),
            Predicate::Attribute { name, equals } => {
                let source = match name.as_str() {
                    "identifier" => Source::Identifier,
                    "username" => Source::Username,
                    "email_domain" => Source::EmailDomain,
                    kept => Source::Kept(
                        roster
                            .attribute_names
                            .iter()
                            .position(|&n| roster.text(n) == kept)
                            .and_then(|at| u16::try_from(at).ok()),
                    ),
                };
                Node::Attribute(source, equals.clone())
            }
            Predicate::All(parts) => Node::All(parts.iter().map(|p| self.node(place, p)).collect()),
            Predicate::Any(parts) => Node::Any(parts.iter().map(|p| self.node(place, p)).collect()),
            Predicate::Not(part) => Node::Not(Box::new(self.node(place, part))),
        }
    }
}
