//! A long list changed in few places, in place: there is no room for two of a large one.

use std::ops::Range;

/// A part of the new list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Piece<P> {
    /// These of the old one. They follow one another: none before an earlier piece's.
    Keep(Range<usize>),
    /// New ones.
    Put(P),
}

/// Makes of a list the one that the pieces tell; `put` takes the place for the new ones of a piece, where blank ones stand in.
pub(crate) fn splice<T, P>(
    list: &mut Vec<T>,
    pieces: &[Piece<P>],
    blank: impl Fn() -> T,
    len: impl Fn(&P) -> usize,
    mut put: impl FnMut(&P, &mut [T]),
) {
    // What is kept moves to the front, then each piece to its place, the last one first: neither way anything is in the way.
    let mut end = 0;
    for piece in pieces {
        let Piece::Keep(own) = piece else { continue };
        if own.start == end {
            end = own.end;
            continue;
        }
        for at in own.clone() {
            list.swap(end, at);
            end += 1;
        }
    }
    let new: usize = pieces.iter().map(|piece| if let Piece::Put(new) = piece { len(new) } else { 0 }).sum();
    let mut next = end + new;
    list.reserve_exact(next.saturating_sub(list.len()));
    list.resize_with(next.max(list.len()), blank);
    list.truncate(next);
    for piece in pieces.iter().rev() {
        match piece {
            Piece::Put(new) => {
                next -= len(new);
                put(new, &mut list[next..next + len(new)]);
            }
            // All before it stands where it belongs.
            Piece::Keep(_) if next == end => break,
            Piece::Keep(own) => {
                for _ in own.clone() {
                    (next, end) = (next - 1, end - 1);
                    list.swap(next, end);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::roster::splice::{Piece, splice};

    proptest! {
        #[test]
        fn it_is_the_list_that_the_pieces_tell(parts in prop::collection::vec((0..5usize, 0..4usize, 0..5usize), 0..30)) {
            let (mut pieces, mut expected, mut at, mut new) = (Vec::new(), Vec::new(), 0usize, 1_000usize);
            for (gone, put, kept) in parts {
                at += gone;
                if put > 0 {
                    pieces.push(Piece::Put(new..new + put));
                    expected.extend(new..new + put);
                    new += put;
                }
                pieces.push(Piece::Keep(at..at + kept));
                expected.extend(at..at + kept);
                at += kept;
            }
            let mut list: Vec<usize> = (0..at).collect();
            splice(&mut list, &pieces, || 0, ExactSizeIterator::len, |new, list| {
                list.iter_mut().zip(new.clone()).for_each(|(old, new)| *old = new);
            });
            prop_assert_eq!(list, expected);
        }
    }
}
