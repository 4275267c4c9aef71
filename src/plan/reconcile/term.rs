//! What the end of a term does to one person's claims.

use std::borrow::Cow;

use crate::license::{Because, Claim, ClaimChange, PinKind};
use crate::plan::contest::Contender;
use crate::plan::reconcile::{Visit, Walk, Wanted};
use crate::plan::terms::suspended;

impl Walk<'_, '_> {
    /// Grace that is over ends the seats of everybody, whatever else there is to say of them (R93).
    pub(super) fn suspend<'c>(&mut self, key: &str, claims: &'c [Claim]) -> Cow<'c, [Claim]> {
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

    /// A suspended seat that stays with the person whatever the rules say: it comes back as one in no team (R34, R93).
    pub(super) fn rests(&mut self, product: u16, claim: &Claim, visit: &Visit<'_>) {
        let home = self.input.roster.find_org(self.names.home_of(claim).as_str());
        let pool = self.catalog.pool(claim.pool).and_then(|at| u16::try_from(at).ok());
        let (Some(home), Some(pool)) = (home, pool) else { return };
        let audience = self.ways.audience_of(visit.person);
        let way = self.ways.pinned_way(product, home, audience, &[(pool, PinKind::Assign)]);
        let wanted = Wanted { priority: claim.priority, reasons: claim.reasons, home, way, pinned: false };
        let contender = self.contender(product, wanted, Some(*claim), visit);
        self.out.contest.contenders.push(Contender { as_held: true, ..contender });
    }
}
