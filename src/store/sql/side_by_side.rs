//! Rows of many customers, one statement for each table instead of one for each customer.

use crate::store::sql::fault::Fault;
use crate::store::sql::transaction::{Row, Transaction};
use crate::store::sql::value::Params;

/// So many customers may lie between two that are asked for; to pass over their rows costs less than another statement.
const GAP_MAX: i64 = 4;

/// Customers that are asked for, by their numbers in the store.
pub(in crate::store::sql) struct SideBySide {
    /// With their places among those asked for, by number.
    places: Vec<(i64, usize)>,
    /// First and last numbers of those that lie close together.
    spans: Vec<(i64, i64)>,
}

impl SideBySide {
    /// Of customers with these numbers, in any order.
    pub(in crate::store::sql) fn of(numbers: impl Iterator<Item = i64>) -> Self {
        let mut places: Vec<(i64, usize)> = numbers.enumerate().map(|(place, number)| (number, place)).collect();
        places.sort_unstable();
        let mut spans: Vec<(i64, i64)> = Vec::new();
        for &(number, _) in &places {
            match spans.last_mut() {
                Some((_, last)) if number.saturating_sub(*last) <= GAP_MAX => *last = number,
                _ => spans.push((number, number)),
            }
        }
        Self { places, spans }
    }

    /// How many there are.
    pub(in crate::store::sql) fn len(&self) -> usize {
        self.places.len()
    }

    /// Hands every row of an answer to `read`, with the place of the customer whose number is the row's first column. The
    /// statement takes what `with` makes of a first and a last number.
    pub(in crate::store::sql) fn rows<P: Params>(
        &self,
        tx: &Transaction<'_>,
        sql: &str,
        with: impl Fn(i64, i64) -> P,
        mut read: impl FnMut(usize, Row<'_>) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        for &(first, last) in &self.spans {
            let mut ask = tx.prepare_cached(sql)?;
            let mut rows = ask.query(with(first, last))?;
            while let Some(row) = rows.next()? {
                let number: i64 = row.get(0)?;
                let from = self.places.partition_point(|(known, _)| *known < number);
                for (_, place) in self.places[from..].iter().take_while(|(known, _)| *known == number) {
                    read(*place, row)?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::store::sql::side_by_side::SideBySide;

    #[test]
    fn who_lies_close_is_read_in_one_go() {
        let all = SideBySide::of([7, 3, 40, 5, 3].into_iter());
        assert_eq!(all.spans, [(3, 7), (40, 40)]);
        assert_eq!(all.places, [(3, 1), (3, 4), (5, 3), (7, 0), (40, 2)]);
        assert!(SideBySide::of(std::iter::empty()).spans.is_empty());
    }
}
