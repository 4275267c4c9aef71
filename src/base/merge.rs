//! Sorted lists made one, without room for all of them twice.

use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;

/// So many items of a list are used up before it gives their memory back.
const GIVEN_BACK_AT: usize = 1 << 16;

/// Sorts lists by a key and merges them; where keys are equal the earlier list comes first. The lists are used up from their
/// ends while the result grows, so that hardly more memory is taken than they had.
pub fn merged<T, K: Ord>(mut lists: Vec<Vec<T>>, key: impl Fn(&T) -> K) -> Vec<T> {
    lists.retain(|list| !list.is_empty());
    lists.iter_mut().for_each(|list| list.sort_by_key(&key));
    if lists.len() < 2 {
        return lists.pop().unwrap_or_default();
    }
    let mut all = Vec::with_capacity(lists.iter().map(Vec::len).sum());
    let mut ends: BinaryHeap<(K, usize)> =
        lists.iter().enumerate().filter_map(|(at, list)| Some((key(list.last()?), at))).collect();
    while let Some(mut end) = ends.peek_mut() {
        let list = &mut lists[end.1];
        all.extend(list.pop());
        if list.len().is_multiple_of(GIVEN_BACK_AT) {
            list.shrink_to_fit();
        }
        match list.last() {
            Some(last) => end.0 = key(last),
            None => drop(PeekMut::pop(end)),
        }
    }
    all.reverse();
    all
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::base::merge::merged;

    proptest! {
        #[test]
        fn merged_lists_are_as_if_sorted_in_one(lists in prop::collection::vec(prop::collection::vec(0u8..20, 0..40), 0..5)) {
            let lists: Vec<Vec<(u8, usize, usize)>> = lists
                .into_iter()
                .enumerate()
                .map(|(list, items)| items.into_iter().enumerate().map(|(at, item)| (item, list, at)).collect())
                .collect();
            let mut sorted = lists.concat();
            sorted.sort_by_key(|item| item.0);
            prop_assert_eq!(merged(lists, |item| item.0), sorted);
        }
    }

    #[test]
    fn long_lists_are_merged_whole() {
        let list = |step: usize| (0..200_000).map(|n| n * step).collect::<Vec<_>>();
        let mut sorted = [list(1), list(3)].concat();
        sorted.sort_unstable();
        assert_eq!(merged(vec![list(1), list(3)], |item| *item), sorted);
    }
}
