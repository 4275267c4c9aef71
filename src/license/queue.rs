//! The order of a queue (R42): total, and the same in every run over the same input.

use std::cmp::Ordering;

use crate::base::Instant;

/// Compares two who wait, each as (rule priority, waiting since, person key): high priority first, then the older need,
/// then the smaller key.
pub fn queue_order(a: (i32, Instant, &str), b: (i32, Instant, &str)) -> Ordering {
    b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)).then_with(|| a.2.cmp(b.2))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::proptest;

    use crate::base::Instant;
    use crate::license::queue::queue_order;

    fn first<'a>(waiting: &[(i32, i64, &'a str)]) -> &'a str {
        let mut waiting: Vec<_> = waiting.iter().map(|(p, since, key)| (*p, Instant(*since), *key)).collect();
        waiting.sort_by(|a, b| queue_order(*a, *b));
        waiting[0].2
    }

    #[test]
    fn t22_priority_then_age_then_key() {
        assert_eq!(first(&[(0, 1, "D"), (10, 2, "C")]), "C", "priority first");
        assert_eq!(first(&[(0, 2, "C"), (0, 1, "D")]), "D", "without priorities the older");
        assert_eq!(first(&[(0, 1, "D"), (0, 1, "C")]), "C", "then the key");
        assert_eq!(first(&[(-1, 1, "A"), (0, 9, "Z")]), "Z", "a negative priority is lower than none");
        assert_eq!(first(&[(i32::MIN, 1, "A"), (i32::MAX, 1, "B")]), "B");
    }

    proptest! {
        #[test]
        fn i5_any_arrival_order_gives_the_same_queue(
            people in proptest::collection::btree_map("[a-c]{1,2}", (-2i32..3, 0i64..3), 1..12),
            turn in 0usize..12,
        ) {
            let mut one: Vec<_> = people.iter().map(|(key, (p, since))| (*p, Instant(*since), key.as_str())).collect();
            let mut other = one.clone();
            other.reverse();
            other.rotate_left(turn % one.len());
            one.sort_by(|a, b| queue_order(*a, *b));
            other.sort_by(|a, b| queue_order(*a, *b));
            assert_eq!(one, other);
        }
    }
}
