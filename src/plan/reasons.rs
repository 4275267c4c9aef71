//! The reasons of claims as words, worked out once for each set of rules that asks (R24).

use std::collections::BTreeMap;

use crate::license::{Names, ReasonsIx};
use crate::plan::input::Policy;

/// The reasons known so far, by the rules that ask and whether a pin does.
#[derive(Debug, Default)]
pub(crate) struct Reasons {
    known: BTreeMap<(Vec<u16>, bool), ReasonsIx>,
    /// Those that were asked for last: people much alike stand side by side.
    last: Option<(Vec<u16>, bool, ReasonsIx)>,
}

impl Reasons {
    /// The reasons of a claim that these rules of the policy ask for.
    pub(crate) fn ix(&mut self, rules: &[u16], pinned: bool, policy: &Policy, names: &mut Names) -> ReasonsIx {
        if let Some((last, was_pinned, ix)) = &self.last
            && (last.as_slice(), *was_pinned) == (rules, pinned)
        {
            return *ix;
        }
        let key = (rules.to_vec(), pinned);
        let ix = *self.known.entry(key).or_insert_with(|| named(rules, pinned, policy, names));
        self.last = Some((rules.to_vec(), pinned, ix));
        ix
    }
}

fn named(rules: &[u16], pinned: bool, policy: &Policy, names: &mut Names) -> ReasonsIx {
    let mut words: Vec<String> = rules.iter().map(|&at| format!("rule:{}", policy.rules[at as usize].id)).collect();
    if words.is_empty() && !pinned {
        words.push("auto_assign".to_owned());
    }
    if pinned {
        words.push("pin".to_owned());
    }
    words.sort_unstable();
    names.reasons_ix(&words.join(" "))
}
