//! Walks roster and books side by side, person by person, and tells what each person's claims come to before anybody
//! competes for a seat: what stays, what is freed, who wants what (R33 to R36, R39, R41).

use crate::base::{OrgId, Text, TextArena};
use crate::license::{
    Audience, Because, Channel, Claim, ClaimChange, ClaimState, Names, OrgNameIx, PinKind, PoolIx, ReasonsIx, SeatModel, Wait,
    named_with_team, named_without_team,
};
use crate::plan::action::Withheld;
use crate::plan::catalog::Catalog;
use crate::plan::contest::{BundleTry, Contender, Dependent, Walked, Way};
use crate::plan::demand::NoNeed;
use crate::plan::fate::Fate;
use crate::plan::input::PlanInput;
use crate::plan::needs::{Kind, Needs};
use crate::plan::pins::{Pins, is_denied, pins_in_force};
use crate::plan::pools::PoolWork;
use crate::plan::reasons::Reasons;
use crate::plan::terms::suspended;
use crate::plan::ways::Ways;
use crate::roster::{OrgIx, Person};
use std::borrow::Cow;

/// The walk's tools and findings.
pub struct Walk<'a, 'p> {
    /// The input.
    pub input: &'a PlanInput<'a>,
    /// Ways to seats by product and org.
    pub ways: Ways<'a>,
    /// The pools at work, in the policy's order.
    pub pools: &'p mut [PoolWork<'a>],
    /// Words, growing; the policy's pools are in it.
    pub names: Names,
    /// Keys of people who have changes.
    pub people: TextArena,
    /// What came of it.
    pub out: Walked,
    /// Pins in force.
    pub pins: Pins<'a>,
    catalog: Catalog,
    reasons: Reasons,
    /// By org of the roster.
    homes: Vec<Option<OrgNameIx>>,
    current: Option<Text>,
    /// Term and grace of some pool are over.
    some_shut: bool,
    /// By kind of people: what those want who have no pins, once one was met.
    known: Vec<Vec<Result<Wanted, NoNeed>>>,
    wanted: Vec<Result<Wanted, NoNeed>>,
}

/// A product that a person ought to have.
#[derive(Clone, Copy)]
struct Wanted {
    priority: i32,
    reasons: ReasonsIx,
    home: OrgIx,
    way: Way,
    pinned: bool,
}

/// One person under the walk.
struct Visit<'v> {
    key: &'v str,
    quarantined: bool,
    audience: Audience,
    claims: &'v [Claim],
    wanted: Vec<Result<Wanted, NoNeed>>,
    /// Products of which the person keeps a seat whatever the contest brings.
    kept: Vec<u16>,
    /// Products that a bundle takes care of.
    bundled: Vec<u16>,
}

impl<'a, 'p> Walk<'a, 'p> {
    /// Starts a walk. `names` must hold the policy's pools.
    pub fn new(input: &'a PlanInput<'a>, needs: &Needs, ways: Ways<'a>, pools: &'p mut [PoolWork<'a>], names: Names) -> Self {
        let catalog = Catalog::new(input.policy, &names);
        // Whom a guard holds is met on the way, and counted anew.
        pools.iter_mut().for_each(|work| work.held_back = 0);
        let some_shut = pools.iter().any(PoolWork::is_shut);
        Self {
            input,
            ways,
            pools,
            names,
            people: TextArena::default(),
            out: Walked::default(),
            pins: pins_in_force(input.policy, &input.standing.pins, input.now),
            catalog,
            reasons: Reasons::default(),
            homes: vec![None; input.roster.orgs.len()],
            current: None,
            some_shut,
            known: vec![Vec::new(); needs.kinds()],
            wanted: Vec::new(),
        }
    }

    /// Somebody without an active record in the roster.
    pub fn missing(&mut self, key: &str, claims: &[Claim], fate: Option<Fate>) {
        self.current = None;
        let claims = &*self.suspend(key, claims);
        match fate {
            Some(Fate::Remove(because)) => claims.iter().for_each(|claim| self.free(key, claim, because)),
            Some(Fate::Keep(because)) => {
                self.withhold(key, None, because);
                if because == Because::HeldByGuard && self.input.holding.open {
                    for claim in claims.iter().filter(|c| c.state.consumes()) {
                        if let Some(at) = self.catalog.pool(claim.pool) {
                            self.pools[at].held_back += 1;
                        }
                    }
                }
            }
            // Nothing ever delivered the person: whoever seated them by hand may free them (R6).
            None => {}
        }
    }

    /// Somebody with an active record, whose needs are those of a kind.
    pub fn present(&mut self, person: &Person, (at, kind): (usize, &Kind), claims: &[Claim]) {
        self.current = None;
        let roster = self.input.roster;
        let key = roster.text(person.key);
        let claims = &*self.suspend(key, claims);
        if self.input.holding.withheld.binary_search_by(|held| held.as_str().cmp(key)).is_ok() {
            // Nothing is given and nothing taken until somebody decides (R117).
            return self.withhold(key, None, Because::HeldByGuard);
        }
        let (quarantined, audience, wanted) = (person.quarantined, kind.audience, std::mem::take(&mut self.wanted));
        let mut visit = Visit { key, quarantined, audience, claims, wanted, kept: Vec::new(), bundled: Vec::new() };
        self.want(&mut visit, at, kind);
        if quarantined {
            self.withhold(key, None, Because::Quarantined);
        }
        for at in 0..self.catalog.bundles.len() {
            self.bundle(self.catalog.bundles[at], &mut visit);
        }
        for at in 0..self.catalog.order.len() {
            let product = self.catalog.order[at];
            if !visit.bundled.contains(&product) {
                self.product(product, &mut visit);
            }
        }
        for claim in claims {
            // The pool is gone from the settings: nothing asks for its seats any more.
            if self.catalog.product(claim.pool).is_none() {
                self.free_known(&visit, claim, Because::EntitlementEnded);
            }
        }
        self.wanted = visit.wanted;
    }

    /// Whether anything came of the visit before: then its person is named.
    pub fn found(&self) -> bool {
        self.current.is_some()
    }

    /// A known person and the new key that claims the same e-mail: the known one keeps everything (R5).
    pub fn conflict(&mut self, known: &str, new: &str) {
        for key in [known, new] {
            self.current = None;
            self.withhold(key, None, Because::IdentityConflict);
        }
    }

    /// Grace that is over ends the seats of everybody, whatever else there is to say of them (R93).
    fn suspend<'c>(&mut self, key: &str, claims: &'c [Claim]) -> Cow<'c, [Claim]> {
        if !self.some_shut {
            return Cow::Borrowed(claims);
        }
        let is_shut = |pool| self.catalog.pool(pool).is_some_and(|at| self.pools[at].is_shut());
        let lost = suspended(claims, is_shut, self.input.now);
        if lost.is_empty() {
            return Cow::Borrowed(claims);
        }
        let mut claims = claims.to_vec();
        for (before, after) in lost {
            let (person, nearest) = (self.text(key), self.nearest_of(&before));
            if let Some(at) = self.catalog.pool(before.pool) {
                self.pools[at].shift(Some((before.state, nearest)), Some((after.state, None)));
            }
            claims.iter_mut().filter(|claim| claim.id == after.id).for_each(|claim| *claim = after);
            self.out.frees.push(ClaimChange { person, because: Because::TermOver, before: Some(Box::new(before)), after });
        }
        Cow::Owned(claims)
    }

    fn want(&mut self, visit: &mut Visit<'_>, at: usize, kind: &Kind) {
        visit.wanted.clear();
        let pins = self.pins.get(visit.key).cloned().unwrap_or_default();
        if pins.is_empty() && !self.known[at].is_empty() {
            return visit.wanted.extend(self.known[at].iter().copied());
        }
        let policy = self.input.policy;
        for (product, want) in (0u16..).zip(&kind.wants) {
            let pinned = pins.iter().any(|&(pool, kind)| {
                kind == PinKind::Assign && policy.pools[pool as usize].product == policy.products[product as usize].id
            });
            let priority = match want.need {
                Ok(priority) => priority,
                Err(_) if pinned => 0,
                Err(no) => {
                    visit.wanted.push(Err(no));
                    continue;
                }
            };
            let Some(home) = want.home else {
                visit.wanted.push(Err(NoNeed::NoRule));
                continue;
            };
            let way = self.ways.pinned_way(product, home, kind.audience, &pins);
            let reasons = self.reasons.ix(&want.rules, pinned, policy, &mut self.names);
            visit.wanted.push(Ok(Wanted { priority, reasons, home, way, pinned }));
        }
        if pins.is_empty() {
            self.known[at].clone_from(&visit.wanted);
        }
    }

    /// A bundle seat satisfies all its members; it is tried before them and never waited for (R14).
    fn bundle(&mut self, bundle: u16, visit: &mut Visit<'_>) {
        let members = self.catalog.members[bundle as usize].clone();
        let all_wanted: Option<Vec<Wanted>> = members.iter().map(|&m| visit.wanted[m as usize].ok()).collect();
        let seat = visit.claims.iter().find(|c| self.catalog.product(c.pool) == Some(bundle) && c.state.consumes());
        let Some(all_wanted) = all_wanted else { return };
        let Some(&first) = all_wanted.first() else { return };
        let pins = self.pins.get(visit.key).map_or(&[][..], |pins| pins.as_slice());
        let way = self.ways.pinned_way(bundle, first.home, visit.audience, pins);
        let priority = all_wanted.iter().map(|w| w.priority).max().unwrap_or_default();
        let mut words: Vec<&str> =
            all_wanted.iter().flat_map(|w| self.names.reasons[w.reasons.0 as usize].split(' ')).collect();
        words.sort_unstable();
        words.dedup();
        let words = words.join(" ");
        let reasons = self.names.reasons_ix(&words);
        let wanted = Wanted { priority, reasons, home: first.home, way, pinned: false };
        visit.wanted[bundle as usize] = Ok(wanted);
        if let Some(seat) = seat {
            if self.is_on(way, seat) {
                visit.bundled.extend(&members);
                visit.kept.extend(&members);
                for claim in visit.claims {
                    if self.catalog.product(claim.pool).is_some_and(|p| members.contains(&p)) {
                        self.free_known(visit, claim, Because::PoolMoved);
                    }
                }
            }
            return;
        }
        visit.bundled.push(bundle);
        let holds_member = |c: &Claim| c.state.consumes() && self.catalog.product(c.pool).is_some_and(|p| members.contains(&p));
        let at_rest = |c: &&Claim| c.state == ClaimState::Suspended && self.catalog.product(c.pool) == Some(bundle);
        let at_rest = visit.claims.iter().find(at_rest).copied();
        if visit.claims.iter().any(holds_member) || self.ways.lists[way.0 as usize].is_empty() {
            // Served by its parts: a suspended bundle seat is not come back to once it could be.
            if let Some(claim) = at_rest.filter(|c| self.catalog.pool(c.pool).is_some_and(|at| !self.pools[at].is_shut())) {
                self.free_known(visit, &claim, Because::PoolMoved);
            }
            return;
        }
        let bundle = self.contender(bundle, wanted, at_rest, visit);
        let members: Vec<Contender> = members
            .iter()
            .zip(all_wanted)
            .map(|(&m, wanted)| {
                let waiting = visit.claims.iter().find(|c| self.catalog.product(c.pool) == Some(m)).copied();
                self.contender(m, wanted, waiting, visit)
            })
            .collect();
        visit.bundled.extend(members.iter().map(|m| m.product));
        self.out.contest.bundles.push(BundleTry { bundle, members });
    }

    fn product(&mut self, product: u16, visit: &mut Visit<'_>) {
        let claims = visit.claims;
        let wanted = match visit.wanted[product as usize] {
            Ok(wanted) => wanted,
            Err(no) => return self.unwanted(product, no, visit),
        };
        // One seat per product; a seat comes before a wait, a seat on the way before one beside it.
        let mine = claims.iter().filter(|c| self.catalog.product(c.pool) == Some(product));
        let main = mine.min_by_key(|c| (!c.state.consumes(), !self.is_on(wanted.way, c))).copied();
        for extra in claims.iter().filter(|c| Some(c.id) != main.map(|m| m.id)) {
            if self.catalog.product(extra.pool) == Some(product) {
                self.free_known(visit, extra, Because::PoolMoved);
            }
        }
        match main {
            // The seat is free for this run's queue; the next run invites again.
            Some(seat) if self.lapsed(&seat) && !visit.quarantined => {
                self.free(visit.key, &seat, Because::InvitationLapsed);
            }
            Some(seat) if seat.state.consumes() && self.is_on(wanted.way, &seat) => self.stays(product, wanted, seat, visit),
            Some(seat) if seat.state.consumes() => {
                if visit.quarantined {
                    visit.kept.push(product);
                    return;
                }
                let because = if wanted.pinned { Because::Pinned } else { self.moved_because(visit.key, &seat, wanted) };
                self.free(visit.key, &seat, because);
                let mut contender = self.contender(product, wanted, None, visit);
                contender.since = seat.since;
                contender.because = Because::PoolMoved;
                self.out.contest.enter(contender, &self.people);
            }
            // No pool serves the person any more as far as can be told: the wait is kept as it was (R104).
            Some(_) if visit.quarantined && self.ways.lists[wanted.way.0 as usize].is_empty() => {}
            other => {
                let contender = self.contender(product, wanted, other, visit);
                self.out.contest.enter(contender, &self.people);
            }
        }
    }

    /// Whether an invitation was left open too long (R45).
    fn lapsed(&self, claim: &Claim) -> bool {
        let days_max = self.input.policy.pending_expire_days;
        // Few claims are invitations, and a date is dear.
        let days = || i64::from(self.input.today.0 - self.input.policy.calendar.day_of(claim.changed).0);
        claim.state == ClaimState::Pending && days_max > 0 && days() > i64::from(days_max)
    }

    fn is_on(&self, way: Way, claim: &Claim) -> bool {
        self.catalog.pool(claim.pool).is_some_and(|at| self.ways.on_way(way, at as u16).is_some())
    }

    /// A pool that serves somebody no more without a move or a denial was taken out of the settings or given another owner.
    fn moved_because(&self, key: &str, seat: &Claim, wanted: Wanted) -> Because {
        let roster = self.input.roster;
        let home = roster.text(roster.org(wanted.home).id);
        if self.names.home_of(seat).as_str() != home {
            Because::HomeMoved
        } else if self.denied(key, seat.pool) {
            Because::Denied
        } else {
            Because::PoolMoved
        }
    }

    /// A seat that stays: at most its words change, and `held` turns back to `active` (R33, R39, R41).
    fn stays(&mut self, product: u16, wanted: Wanted, seat: Claim, visit: &mut Visit<'_>) {
        let home = self.home_ix(wanted.home);
        let state = named_with_team(seat.state);
        let mut after = Claim { state, home, reasons: wanted.reasons, priority: wanted.priority, ..seat };
        if state != seat.state {
            after.changed = self.input.now;
        }
        let because = if after.state != seat.state {
            Because::JoinedTeam
        } else if after.home != seat.home {
            Because::HomeMoved
        } else {
            Because::ReasonsChanged
        };
        let was = self.nearest_of(&seat);
        let is = self.nearest_of(&after);
        if let Some(at) = self.catalog.pool(seat.pool)
            && (after.state, is) != (seat.state, was)
        {
            self.pools[at].shift(Some((seat.state, was)), Some((after.state, is)));
        }
        let required = self.catalog.requires[product as usize];
        if required.is_some_and(|r| !visit.kept.contains(&r)) && !visit.quarantined {
            let person = self.text(visit.key);
            let nearest = is.and_then(|at| u16::try_from(at).ok());
            self.out.contest.dependents.push(Dependent { person, product, before: seat, after, because, nearest });
            return;
        }
        visit.kept.push(product);
        if after != seat {
            self.update(visit.key, seat, after, because);
        }
    }

    fn unwanted(&mut self, product: u16, no: NoNeed, visit: &mut Visit<'_>) {
        let claims = visit.claims;
        let because = match no {
            NoNeed::NoRule | NoNeed::NotStarted => Because::EntitlementEnded,
            NoNeed::NotActiveUser => Because::EnrollmentsEnded,
            NoNeed::Disabled => Because::Disabled,
            NoNeed::NotActivated => Because::NotActivated,
        };
        let has_none = || claims.iter().all(|claim| self.catalog.product(claim.pool) != Some(product));
        if matches!(no, NoNeed::NotActivated | NoNeed::Disabled) && has_none() {
            self.withhold(visit.key, Some(product), because);
        }
        let named = self.input.policy.products[product as usize].seat_model == SeatModel::Named;
        for claim in claims {
            if self.catalog.product(claim.pool) != Some(product) {
                continue;
            }
            let denied = self.denied(visit.key, claim.pool);
            let unreadable = visit.quarantined;
            if claim.state == ClaimState::Suspended && named && !denied {
                self.rests(product, claim, visit);
                continue;
            }
            if claim.state.consumes() && (unreadable || (named && !denied)) {
                visit.kept.push(product);
                let state = if unreadable { claim.state } else { named_without_team(claim.state) };
                if state != claim.state {
                    let nearest = self.nearest_of(claim);
                    if let Some(at) = self.catalog.pool(claim.pool) {
                        self.pools[at].shift(Some((claim.state, nearest)), Some((state, nearest)));
                    }
                    let after = Claim { state, changed: self.input.now, ..*claim };
                    self.update(visit.key, *claim, after, Because::LeftTeams);
                }
            } else {
                self.free_known(visit, claim, if denied { Because::Denied } else { because });
            }
        }
    }

    /// A suspended seat that stays with the person whatever the rules say: it comes back as one in no team (R34, R93).
    fn rests(&mut self, product: u16, claim: &Claim, visit: &Visit<'_>) {
        let home = self.input.roster.find_org(self.names.home_of(claim).as_str());
        let pool = self.catalog.pool(claim.pool).and_then(|at| u16::try_from(at).ok());
        let (Some(home), Some(pool)) = (home, pool) else { return };
        let way = self.ways.pinned_way(product, home, visit.audience, &[(pool, PinKind::Assign)]);
        let wanted = Wanted { priority: claim.priority, reasons: claim.reasons, home, way, pinned: false };
        let contender = self.contender(product, wanted, Some(*claim), visit);
        self.out.contest.enter(Contender { as_held: true, ..contender }, &self.people);
    }

    fn denied(&self, key: &str, pool: PoolIx) -> bool {
        self.catalog.pool(pool).is_some_and(|at| is_denied(&self.pins, key, at))
    }

    fn contender(&mut self, product: u16, wanted: Wanted, existing: Option<Claim>, visit: &Visit<'_>) -> Contender {
        let required = self.catalog.requires[product as usize];
        let former = self.input.former.get(visit.key).map_or(&[][..], Vec::as_slice);
        let former = former.iter().find(|claim| self.catalog.product(claim.pool) == Some(product)).copied();
        Contender {
            person: self.text(visit.key),
            product,
            priority: wanted.priority,
            since: existing.map_or(self.input.now, |claim| claim.since),
            home: self.home_ix(wanted.home),
            reasons: wanted.reasons,
            way: wanted.way,
            former: former.filter(|_| existing.is_none()).map(Box::new),
            existing: existing.map(Box::new),
            as_held: false,
            has_required: required.is_none_or(|r| visit.kept.contains(&r)),
            because: if wanted.pinned { Because::Pinned } else { Because::Entitled },
            channel: if wanted.pinned || self.is_by_hand(visit.key) { Channel::Manual } else { Channel::Sync },
        }
    }

    /// Whether only a file by hand delivers the person.
    fn is_by_hand(&self, key: &str) -> bool {
        self.input.by_hand.binary_search_by(|known| known.as_str().cmp(key)).is_ok()
    }

    /// Frees a claim of somebody whose record could be read in full; else the person keeps it (R104). The first run
    /// frees nothing: no source has given it (R125).
    fn free_known(&mut self, visit: &Visit<'_>, claim: &Claim, because: Because) {
        if !visit.quarantined && !self.input.standing.sources.is_empty() {
            self.free(visit.key, claim, because);
        }
    }

    fn free(&mut self, key: &str, claim: &Claim, because: Because) {
        let person = self.text(key);
        let nearest = self.nearest_of(claim);
        if let Some(at) = self.catalog.pool(claim.pool) {
            self.pools[at].shift(Some((claim.state, nearest)), None);
        }
        let after = Claim { state: ClaimState::Released, wait: Wait::Nothing, changed: self.input.now, ..*claim };
        self.out.frees.push(ClaimChange { person, because, before: Some(Box::new(*claim)), after });
    }

    fn update(&mut self, key: &str, before: Claim, after: Claim, because: Because) {
        let person = self.text(key);
        self.out.updates.push(ClaimChange { person, because, before: Some(Box::new(before)), after });
    }

    fn withhold(&mut self, key: &str, product: Option<u16>, because: Because) {
        let person = self.text(key);
        self.out.withheld.push(Withheld { person, product, pool: None, because });
    }

    fn text(&mut self, key: &str) -> Text {
        // All keys of a customer fit into one arena: the roster's holds them beside everything else.
        *self.current.get_or_insert_with(|| self.people.push(key).unwrap_or_default())
    }

    fn nearest_of(&self, claim: &Claim) -> Option<usize> {
        let at = self.catalog.pool(claim.pool)?;
        self.ways.nearest_by_name(at, self.names.home_of(claim)).map(usize::from)
    }

    fn home_ix(&mut self, org: OrgIx) -> OrgNameIx {
        let (roster, names) = (self.input.roster, &mut self.names);
        *self.homes[org.0 as usize].get_or_insert_with(|| names.org(&OrgId::from(roster.text(roster.org(org).id))))
    }
}
