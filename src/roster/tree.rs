//! The tree of orgs of one roster: who lies within whom (R1, R20, R21).

use crate::roster::model::{OrgIx, Roster};

/// Parents, children and paths of all orgs, ended ones included. A customer may have several roots.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OrgTree {
    parents: Vec<Option<OrgIx>>,
    /// Orgs so that each stands before its subtree, siblings by id.
    order: Vec<OrgIx>,
    /// For each org its place in `order` and the end of its subtree there.
    spans: Vec<(u32, u32)>,
    depths: Vec<u32>,
    /// Children grouped by parent, by id; `child_starts` has one more entry than there are orgs.
    children: Vec<OrgIx>,
    child_starts: Vec<u32>,
    roots: Vec<OrgIx>,
    paths: Vec<Box<str>>,
    path_ranks: Vec<u32>,
}

impl OrgTree {
    /// The tree of a roster's orgs.
    pub fn new(roster: &Roster) -> Self {
        let count = roster.orgs.len();
        let mut tree = Self {
            parents: roster.orgs.iter().map(|org| org.parent).collect(),
            order: Vec::with_capacity(count),
            spans: vec![(0, 0); count],
            depths: vec![0; count],
            paths: vec![Box::default(); count],
            ..Self::default()
        };
        tree.find_children();
        let roots = (0..count as u32).map(OrgIx).filter(|&org| tree.parent(org).is_none());
        tree.roots = roots.collect();
        for root in tree.roots.clone() {
            tree.walk(roster, root);
        }
        let mut by_path: Vec<u32> = (0..count as u32).collect();
        by_path.sort_unstable_by(|&a, &b| tree.paths[a as usize].cmp(&tree.paths[b as usize]).then(a.cmp(&b)));
        tree.path_ranks = vec![0; count];
        for (rank, &org) in by_path.iter().enumerate() {
            tree.path_ranks[org as usize] = rank as u32;
        }
        tree
    }

    fn find_children(&mut self) {
        let mut starts = vec![0u32; self.parents.len() + 1];
        for parent in self.parents.iter().flatten() {
            starts[parent.0 as usize + 1] += 1;
        }
        for at in 1..starts.len() {
            starts[at] += starts[at - 1];
        }
        let mut next = starts.clone();
        self.children = vec![OrgIx(0); starts.last().map_or(0, |&all| all as usize)];
        for (org, parent) in (0u32..).zip(&self.parents) {
            if let Some(parent) = parent {
                self.children[next[parent.0 as usize] as usize] = OrgIx(org);
                next[parent.0 as usize] += 1;
            }
        }
        self.child_starts = starts;
    }

    fn walk(&mut self, roster: &Roster, root: OrgIx) {
        // An org is pushed twice: to be entered, and below it to be left when its subtree is done.
        let mut open = vec![(root, false)];
        while let Some((org, leave)) = open.pop() {
            let at = org.0 as usize;
            if leave {
                self.spans[at].1 = self.order.len() as u32;
                continue;
            }
            let id = roster.text(roster.org(org).id);
            if let Some(parent) = self.parents[at] {
                self.depths[at] = self.depths[parent.0 as usize] + 1;
                self.paths[at] = format!("{}/{id}", self.paths[parent.0 as usize]).into();
            } else {
                self.paths[at] = id.into();
            }
            self.spans[at].0 = self.order.len() as u32;
            self.order.push(org);
            open.push((org, true));
            open.extend(self.children(org).iter().rev().map(|&child| (child, false)));
        }
    }

    /// Orgs without a parent, by id.
    pub fn roots(&self) -> &[OrgIx] {
        &self.roots
    }

    /// The parent; `None` for a root.
    pub fn parent(&self, org: OrgIx) -> Option<OrgIx> {
        self.parents[org.0 as usize]
    }

    /// The children, by id.
    pub fn children(&self, org: OrgIx) -> &[OrgIx] {
        let at = org.0 as usize;
        &self.children[self.child_starts[at] as usize..self.child_starts[at + 1] as usize]
    }

    /// How many ancestors there are; 0 for a root.
    pub fn depth(&self, org: OrgIx) -> u32 {
        self.depths[org.0 as usize]
    }

    /// Whether `org` is `ancestor` or lies below it. Takes the same short time for every pair.
    pub fn is_within(&self, org: OrgIx, ancestor: OrgIx) -> bool {
        let (first, end) = self.spans[ancestor.0 as usize];
        (first..end).contains(&self.spans[org.0 as usize].0)
    }

    /// The ancestors, nearest first, without the org itself.
    pub fn ancestors(&self, org: OrgIx) -> impl Iterator<Item = OrgIx> + '_ {
        std::iter::successors(self.parent(org), |&above| self.parent(above))
    }

    /// The org and everything below it; each org stands before its own subtree.
    pub fn subtree(&self, org: OrgIx) -> &[OrgIx] {
        let (first, end) = self.spans[org.0 as usize];
        &self.order[first as usize..end as usize]
    }

    /// The ids from the root to the org, joined by `/`.
    pub fn path(&self, org: OrgIx) -> &str {
        &self.paths[org.0 as usize]
    }

    /// The place of the org's path among all paths in byte order: compares as the paths do (R21).
    pub fn path_rank(&self, org: OrgIx) -> u32 {
        self.path_ranks[org.0 as usize]
    }
}
