//! What the rows of a file by hand come to, row by row: who is made, changed, removed, left alone, refused (R133, R134).

use std::collections::{BTreeMap, BTreeSet};

use crate::base::{SourceId, most_similar};
use crate::roster::{
    Collection, Findings, InlineRole, IntakeCounts, IntakePolicy, Mode, OrgIx, OrgRow, OrgTree, PersonRow, Roster,
    RosterIntake, RowAt, RowHead, RowStatus,
};
use crate::service::core::{Customer, MANUAL_SOURCE};
use crate::service::error::ServiceError;
use crate::service::people_file::{BadRow, PersonCells, Rows, row_finding};
use crate::service::rosters::united_of;

/// What an import is judged against: the rosters the books rest on.
pub(crate) struct Ground<'a> {
    customer: &'a Customer,
    /// In the order of the settings, what is made by hand last.
    rosters: Vec<(SourceId, Roster)>,
    /// All of them as one; `None` where there is only one.
    merged: Option<Roster>,
    tree: OrgTree,
    scope: Option<OrgIx>,
}

impl<'a> Ground<'a> {
    pub(crate) fn new(
        customer: &'a Customer,
        rosters: Vec<(SourceId, Roster)>,
        org: Option<&str>,
    ) -> Result<Self, ServiceError> {
        let merged = match &rosters[..] {
            [_] => None,
            several => Some(united_of(customer.id(), &several.iter().map(|(_, roster)| roster).collect::<Vec<_>>())?),
        };
        let mut ground = Self { customer, rosters, merged, tree: OrgTree::default(), scope: None };
        ground.tree = OrgTree::new(ground.all());
        let all = ground.all();
        let unknown = |id: &str| ServiceError::Unknown {
            what: "org",
            id: id.to_owned(),
            hint: most_similar(id, all.orgs.iter().map(|o| all.text(o.id))),
        };
        ground.scope = org.map(|id| all.find_org(id).ok_or_else(|| unknown(id))).transpose()?;
        Ok(ground)
    }

    /// All sources as one.
    fn all(&self) -> &Roster {
        // Where nothing was merged, there is exactly one.
        self.merged.as_ref().unwrap_or_else(|| &self.rosters[0].1)
    }

    /// What was made by hand so far.
    pub(crate) fn by_hand(&self) -> Option<&Roster> {
        self.rosters.iter().find(|(source, _)| source.as_str() == MANUAL_SOURCE).map(|(_, roster)| roster)
    }

    /// All rosters, in order.
    pub(crate) fn rosters(&self) -> impl Iterator<Item = (&SourceId, &Roster)> {
        self.rosters.iter().map(|(source, roster)| (source, roster))
    }

    pub(crate) fn is_by_hand(&self, person: &PersonCells) -> bool {
        person.source == MANUAL_SOURCE
    }

    /// Whether somebody delivers the person.
    pub(crate) fn knows(&self, key: &str) -> bool {
        self.all().active(key).is_some()
    }

    /// The person in the words of the first source that delivers them.
    fn person(&self, key: &str) -> Option<PersonCells> {
        self.rosters.iter().find_map(|(source, roster)| {
            let person = roster.person(roster.find_person(key)?);
            (!person.ended).then(|| PersonCells::of(source.as_str(), roster, person))
        })
    }

    /// Everybody of the scope, by key.
    pub(crate) fn people(&self) -> impl Iterator<Item = PersonCells> {
        let alive = self.all().people.iter().filter(|person| !person.ended);
        let found = alive.filter_map(|person| self.person(self.all().text(person.key)));
        found.filter(|person| self.in_scope(person))
    }

    /// Whether the person's home lies in the scope.
    fn in_scope(&self, person: &PersonCells) -> bool {
        let Some(scope) = self.scope else { return true };
        let primary = Some(person.primary_org.as_str()).filter(|org| !org.is_empty());
        let home = match primary {
            Some(org) => self.all().find_org(org),
            None => smallest(self.all(), &self.tree, person.orgs()),
        };
        home.is_some_and(|home| self.tree.is_within(home, scope))
    }

    /// Whether people may be put there. A customer without sources has the orgs that its settings name.
    fn has_org(&self, id: &str) -> bool {
        self.all().find_org(id).is_some_and(|org| !self.all().org(org).ended) || self.own_orgs().contains(id)
    }

    /// Orgs that what is made by hand keeps alive: none where a source delivers them.
    fn own_orgs(&self) -> BTreeSet<&str> {
        let policy = &self.customer.policy;
        if !self.customer.sources.is_empty() {
            return BTreeSet::new();
        }
        let pools = policy.pools.iter().flat_map(|p| p.reservations.iter().map(|(org, _)| org).chain([&p.owner]));
        pools.chain(policy.products.iter().flat_map(|p| &p.activated_for)).map(|org| org.as_str()).collect()
    }
}

/// Somebody who stays although the file would have them go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Who.
    pub person: String,
    /// Why.
    pub why: KeptWhy,
}

/// Why somebody stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeptWhy {
    /// Who uploads the file is never removed by it (R134).
    Uploader,
    /// The settings protect them (R134).
    Protected,
    /// A new row has their e-mail: it may be the same person under another key (R5).
    SameEmail,
}

impl KeptWhy {
    /// The reason's word.
    pub fn word(self) -> &'static str {
        match self {
            KeptWhy::Uploader => "uploader",
            KeptWhy::Protected => "protected",
            KeptWhy::SameEmail => "same_email",
        }
    }
}

/// What a file comes to. People are named by their keys, sorted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportReport {
    /// Rows of people in the file.
    pub rows: u64,
    /// People made by it.
    pub created: Vec<String>,
    /// People changed by it.
    pub updated: Vec<String>,
    /// People removed by it: absent from it, or told as ended.
    pub removed: Vec<String>,
    /// People who stay all the same.
    pub kept: Vec<Kept>,
    /// Rows that say what is so already.
    pub unchanged: u64,
    /// Rows of people whom another source delivers, as that source tells them: left to it.
    pub of_sources: u64,
    /// People of the scope who are absent from the file and stay, as another source delivers them (R6).
    pub elsewhere: u64,
    /// Rows that cannot be used, or were refused; the findings tell which and why.
    pub refused: u64,
    /// A row's person could not be told: nobody is absent then (R104).
    pub absence_untellable: bool,
}

/// Rows, judged.
pub(crate) struct Judged {
    pub(crate) report: ImportReport,
    pub(crate) findings: Findings,
    pub(crate) counts: IntakeCounts,
    /// Rows to be taken in, by key.
    pub(crate) rows: BTreeMap<String, (u64, PersonCells)>,
    /// People made by hand in the scope, before: the guards' base.
    pub(crate) base: u32,
    /// No row of the file is about somebody made by hand (R114).
    pub(crate) is_empty: bool,
    /// Keys of the rows that make somebody.
    pub(crate) created: BTreeSet<String>,
    file: String,
}

impl Judged {
    /// Leaves a row out after all.
    pub(crate) fn refuse(&mut self, key: &str, rule: &'static str, field: &str, detail: String) {
        if let Some((line, _)) = self.rows.remove(key) {
            self.created.remove(key);
            self.report.refused += 1;
            self.findings.push(row_finding(&self.file, line, key, rule, field, detail));
        }
    }

    /// What it came to in the end.
    pub(crate) fn into_report(self) -> ImportReport {
        ImportReport { created: self.created.into_iter().collect(), ..self.report }
    }

    fn reject(&mut self, bad: BadRow) {
        self.report.refused += 1;
        self.counts.of_mut(Collection::People).quarantined += 1;
        self.findings.push(bad.finding);
    }
}

/// How a file is meant.
pub(crate) struct Meant<'a> {
    pub(crate) file: &'a str,
    pub(crate) synchronize: bool,
    pub(crate) by: Option<&'a str>,
}

/// Judges all rows.
pub(crate) fn judge_rows(ground: &Ground<'_>, meant: &Meant<'_>, rows: Rows) -> Judged {
    let mut judged = Judged {
        report: ImportReport { rows: rows.len() as u64, ..ImportReport::default() },
        findings: Findings::default(),
        counts: IntakeCounts::default(),
        rows: BTreeMap::new(),
        base: 0,
        is_empty: true,
        created: BTreeSet::new(),
        file: meant.file.to_owned(),
    };
    judged.counts.of_mut(Collection::People).rows = rows.len() as u64;
    let mut seen: BTreeMap<String, u64> = BTreeMap::new();
    for (line, row) in rows {
        let row = match row {
            Ok(row) => row,
            Err(bad) => {
                match &bad.key {
                    Some(key) => {
                        seen.entry(key.clone()).or_insert(line);
                        judged.is_empty = false;
                    }
                    None => judged.report.absence_untellable = true,
                }
                judged.reject(*bad);
                continue;
            }
        };
        let key = row.key.clone();
        let judgment = match seen.get(&key) {
            Some(first) => Err(("duplicate_key", "key", format!("the same key stands in line {first}"))),
            None => judge_row(ground, meant, &mut judged, line, row),
        };
        seen.entry(key.clone()).or_insert(line);
        if let Err((rule, field, detail)) = judgment {
            judged.is_empty = false;
            let finding = row_finding(meant.file, line, &key, rule, field, detail);
            judged.reject(BadRow { key: Some(key), finding });
        }
    }
    absent(ground, meant, &mut judged, &seen);
    judged.report.kept.sort_by(|a, b| a.person.cmp(&b.person));
    judged.report.updated.sort_unstable();
    judged.report.removed.sort_unstable();
    judged
}

type RowFlaw = (&'static str, &'static str, String);

fn judge_row(ground: &Ground<'_>, meant: &Meant<'_>, judged: &mut Judged, line: u64, row: PersonCells) -> Result<(), RowFlaw> {
    let known = ground.person(&row.key);
    let owner = known.as_ref().map_or(MANUAL_SOURCE, |known| known.source.as_str());
    if !row.source.is_empty() && row.source != owner {
        let detail = format!("the person belongs to source {owner}, the row says another one");
        return Err(("wrong_source", "source", detail));
    }
    if let Some(known) = known.as_ref().filter(|known| !ground.is_by_hand(known)) {
        let Some(field) = known.difference(&row) else {
            judged.report.of_sources += 1;
            return Ok(());
        };
        return Err(("owned_by_source", field, format!("source {owner} owns this person: change it there")));
    }
    judged.is_empty = false;
    if let Some(known) = &known {
        if !ground.in_scope(known) {
            return Err(("out_of_scope", "primary_org", "the person's home lies outside the org of this import".to_owned()));
        }
        if known.difference(&row).is_none() {
            judged.report.unchanged += 1;
            return Ok(());
        }
    }
    if row.ended {
        match (&known, kept_why(ground, meant, &row.key)) {
            (None, _) => judged.report.unchanged += 1,
            (Some(_), Some(why)) => judged.report.kept.push(Kept { person: row.key, why }),
            (Some(_), None) => {
                judged.report.removed.push(row.key.clone());
                judged.rows.insert(row.key.clone(), (line, row));
            }
        }
        return Ok(());
    }
    for (field, org) in [("primary_org", row.primary_org.as_str())]
        .into_iter()
        .filter(|(_, org)| !org.is_empty())
        .chain(row.roles.iter().map(|(org, _)| ("roles", org.as_str())))
    {
        if !ground.has_org(org) {
            let known = ground.all().orgs.iter().filter(|o| !o.ended).map(|o| ground.all().text(o.id));
            let hint = most_similar(org, known).map_or(String::new(), |hint| format!("; did you mean {hint}?"));
            return Err(("missing_reference", field, format!("org {org} is not in the roster{hint}")));
        }
    }
    if !ground.in_scope(&row) {
        return Err(("out_of_scope", "primary_org", "the row's home lies outside the org of this import".to_owned()));
    }
    match known {
        Some(_) => judged.report.updated.push(row.key.clone()),
        None => _ = judged.created.insert(row.key.clone()),
    }
    judged.rows.insert(row.key.clone(), (line, row));
    Ok(())
}

fn kept_why(ground: &Ground<'_>, meant: &Meant<'_>, key: &str) -> Option<KeptWhy> {
    if meant.by == Some(key) {
        return Some(KeptWhy::Uploader);
    }
    let protected = &ground.customer.by_hand.protected;
    protected.iter().any(|known| known.as_str() == key).then_some(KeptWhy::Protected)
}

/// Counts who is there, and concludes who is absent from a file that says so.
fn absent(ground: &Ground<'_>, meant: &Meant<'_>, judged: &mut Judged, seen: &BTreeMap<String, u64>) {
    let concludes = meant.synchronize && !judged.report.absence_untellable;
    let mut emails: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (key, (_, row)) in &judged.rows {
        if !row.email.is_empty() && judged.created.contains(key) {
            emails.entry(row.email.to_ascii_lowercase()).or_default().push(key.clone());
        }
    }
    for mut person in ground.people() {
        judged.base += u32::from(ground.is_by_hand(&person));
        if !concludes || seen.contains_key(&person.key) {
            continue;
        }
        if !ground.is_by_hand(&person) {
            judged.report.elsewhere += 1;
            continue;
        }
        if let Some(why) = kept_why(ground, meant, &person.key) {
            judged.report.kept.push(Kept { person: person.key, why });
            continue;
        }
        let same_email = emails.get(&person.email.to_ascii_lowercase()).cloned().unwrap_or_default();
        let same = |key: &String| judged.rows.get(key).is_some_and(|(_, row)| !somebody_else(&person, row));
        let same: Vec<String> = same_email.into_iter().filter(|key| same(key)).collect();
        if same.is_empty() {
            person.ended = true;
            judged.report.removed.push(person.key.clone());
            judged.rows.insert(person.key.clone(), (0, person));
            continue;
        }
        for key in same {
            let detail = format!("the e-mail belongs to {}, who is absent: keep the old key, or end it first", person.key);
            judged.refuse(&key, "identity_conflict", "email", detail);
        }
        judged.report.kept.push(Kept { person: person.key, why: KeptWhy::SameEmail });
    }
}

/// A leaver's e-mail went to somebody else where both names differ (R7).
fn somebody_else(old: &PersonCells, new: &PersonCells) -> bool {
    let differ = |a: &str, b: &str| {
        let (a, b) = (a.trim(), b.trim());
        !a.is_empty() && !b.is_empty() && !a.eq_ignore_ascii_case(b)
    };
    differ(&old.given, &new.given) && differ(&old.family, &new.family)
}

/// The roster of what is made by hand, with the rows taken in. Orgs come along by id alone, as ended where a source
/// delivers them: nothing that is made by hand keeps an org alive.
pub(crate) fn take_in(ground: &Ground<'_>, judged: &Judged) -> Roster {
    let mut previous = ground.by_hand().cloned().unwrap_or_default();
    // Whoever ended before is written down in the books by now.
    previous.people.retain(|person| !person.ended);
    let own = ground.own_orgs();
    let mut intake = RosterIntake::new(Some(previous), IntakePolicy::default());
    let head = |id, line, status| RowHead { at: RowAt { file: "people.csv", row: line }, id, status, modified: None };
    let living = || judged.rows.values().filter(|(_, row)| !row.ended);
    let orgs: BTreeSet<&str> = living().flat_map(|(_, row)| row.orgs()).chain(own.iter().copied()).collect();
    intake.begin(Collection::Orgs, Mode::Changes);
    for id in orgs {
        let head = head(id, 0, RowStatus::Active);
        intake.org(&OrgRow { head, name: id, kind: "org", identifier: "", parent: None });
    }
    intake.begin(Collection::People, Mode::Changes);
    for (line, row) in judged.rows.values() {
        let roles: Vec<InlineRole<'_>> = row.roles.iter().map(|(org, role)| InlineRole { role, org }).collect();
        intake.person(&PersonRow {
            head: head(&row.key, *line, if row.ended { RowStatus::Ended } else { RowStatus::Active }),
            enabled: row.enabled,
            given: &row.given,
            family: &row.family,
            email: &row.email,
            username: &row.username,
            identifier: &row.identifier,
            grades: &row.grades,
            primary_org: Some(row.primary_org.as_str()).filter(|org| !org.is_empty()),
            roles: &roles,
            attributes: &[],
        });
    }
    // Every row was looked at before: there is nothing left to find.
    let mut roster = intake.finish().roster;
    let alive: Vec<bool> = roster.orgs.iter().map(|org| own.contains(roster.text(org.id))).collect();
    roster.orgs.iter_mut().zip(alive).for_each(|(org, alive)| org.ended = !alive);
    roster
}

/// The org with the smallest path among some (R21).
fn smallest<'a>(roster: &Roster, tree: &OrgTree, orgs: impl Iterator<Item = &'a str>) -> Option<OrgIx> {
    orgs.filter_map(|org| roster.find_org(org)).min_by_key(|&org| tree.path_rank(org))
}
