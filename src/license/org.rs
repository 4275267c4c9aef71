//! The orgs of a customer as the books know them, so that a report of any past instant adds up (R137, R138, R159).

use crate::base::OrgId;

/// An org as it was last delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrgMark {
    /// Its id.
    pub id: OrgId,
    /// Its display name.
    pub name: String,
    /// Its parent when it was last delivered; `None` for a root.
    pub parent: Option<OrgId>,
    /// Ended by the source, or delivered no more. Seats of people who have not moved yet still count below its parent.
    pub ended: bool,
}

/// The tree of a customer's orgs, for sums over subtrees.
///
/// Invariant: an org that is delivered no more keeps its last parent. That cannot close a circle: of the orgs of a circle
/// those delivered last would have been delivered together, as a tree.
#[derive(Debug)]
pub struct Orgs<'a> {
    marks: &'a [OrgMark],
    parents: Vec<Option<usize>>,
    children: Vec<Vec<usize>>,
    /// Parents before children.
    order: Vec<usize>,
}

impl<'a> Orgs<'a> {
    /// The tree of these orgs, which are sorted by id.
    pub fn new(marks: &'a [OrgMark]) -> Self {
        let find = |id: &OrgId| marks.binary_search_by(|mark| mark.id.cmp(id)).ok();
        let parents: Vec<Option<usize>> = marks.iter().map(|mark| mark.parent.as_ref().and_then(find)).collect();
        let mut children = vec![Vec::new(); marks.len()];
        for (at, parent) in parents.iter().enumerate() {
            if let Some(parent) = parent {
                children[*parent].push(at);
            }
        }
        let mut order: Vec<usize> = (0..marks.len()).filter(|&at| parents[at].is_none()).collect();
        let mut next = 0;
        while next < order.len() {
            order.extend(&children[order[next]]);
            next += 1;
        }
        Self { marks, parents, children, order }
    }

    /// The org at a position.
    pub fn mark(&self, at: usize) -> &'a OrgMark {
        &self.marks[at]
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.marks.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.marks.is_empty()
    }

    /// The position of an org.
    pub fn find(&self, id: &str) -> Option<usize> {
        self.marks.binary_search_by(|mark| mark.id.as_str().cmp(id)).ok()
    }

    /// The first org without a parent, by id; one that is still delivered, if there is one.
    pub fn root(&self) -> Option<usize> {
        let mut roots = self.order.iter().copied().filter(|&at| self.parents[at].is_none());
        let first = roots.next()?;
        Some(std::iter::once(first).chain(roots).find(|&at| !self.marks[at].ended).unwrap_or(first))
    }

    /// The children of an org, by id.
    pub fn children(&self, at: usize) -> &[usize] {
        &self.children[at]
    }

    /// The org and what lies above it, nearest first.
    pub fn upward(&self, at: usize) -> impl Iterator<Item = usize> {
        std::iter::successors(Some(at), |&at| self.parents[at])
    }

    /// Whether `at` is `top` or lies below it.
    pub fn is_within(&self, at: usize, top: usize) -> bool {
        self.upward(at).any(|above| above == top)
    }

    /// The lowest org that both lie within.
    pub fn common(&self, one: usize, other: usize) -> Option<usize> {
        self.upward(one).find(|&above| self.is_within(other, above))
    }

    /// The ids from the root to the org, joined by `/`.
    pub fn path(&self, at: usize) -> String {
        let mut ids: Vec<&str> = self.upward(at).map(|above| self.marks[above].id.as_str()).collect();
        ids.reverse();
        ids.join("/")
    }

    /// Adds to each org what everything below it has.
    pub fn sum_up(&self, values: &mut [i64]) {
        for &at in self.order.iter().rev() {
            if let Some(parent) = self.parents[at] {
                values[parent] += values[at];
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::license::org::{OrgMark, Orgs};

    #[test]
    fn sums_paths_and_relations() {
        let org = |id: &str, parent: Option<&str>, ended| OrgMark {
            id: id.into(),
            name: id.to_uppercase(),
            parent: parent.map(Into::into),
            ended,
        };
        let marks = [
            org("a", None, true),
            org("ash", Some("d"), false),
            org("d", None, false),
            org("hall", Some("ash"), true),
            org("lost", Some("nowhere"), false),
        ];
        let orgs = Orgs::new(&marks);
        let at = |id: &str| orgs.find(id).expect("an org");
        assert_eq!(orgs.root(), Some(at("d")), "ended roots come last");
        assert_eq!(orgs.path(at("hall")), "d/ash/hall");
        assert_eq!(orgs.path(at("lost")), "lost");
        assert_eq!(orgs.children(at("d")), [at("ash")]);
        assert!(orgs.is_within(at("hall"), at("d")) && !orgs.is_within(at("d"), at("hall")));
        assert_eq!(orgs.common(at("hall"), at("ash")), Some(at("ash")));
        assert_eq!(orgs.common(at("hall"), at("a")), None);
        let mut values = vec![1, 10, 100, 1000, 10_000];
        orgs.sum_up(&mut values);
        assert_eq!(values, [1, 1010, 1110, 1000, 10_000]);
        assert_eq!(Orgs::new(&marks[..1]).root(), Some(0));
        assert_eq!((Orgs::new(&[]).root(), Orgs::new(&[]).len(), Orgs::new(&[]).is_empty()), (None, 0, true));
    }
}
