//! A curve in plain text: one column a day, or several days where there are many.

use crate::base::{Day, Seats};

/// The most columns a chart has.
const COLUMNS_MAX: usize = 90;
/// The most rows.
const ROWS_MAX: u32 = 8;

/// One day of a curve.
#[derive(Clone, Copy, Debug)]
pub struct Point {
    /// The day.
    pub day: Day,
    /// What is used.
    pub used: Seats,
    /// The limit; `None`: there is none.
    pub limit: Option<Seats>,
}

/// Draws a curve: `#` is used within the limit, `!` used beyond it, `-` the limit. A column of several days shows the most
/// that is used and the least limit. Empty for no points.
pub fn chart(points: &[Point]) -> String {
    let per_column = points.len().div_ceil(COLUMNS_MAX).max(1);
    let columns: Vec<(u32, Option<u32>)> = points
        .chunks(per_column)
        .map(|days| {
            let used = days.iter().map(|point| point.used.0).max().unwrap_or_default();
            (used, days.iter().filter_map(|point| point.limit.map(|seats| seats.0)).min())
        })
        .collect();
    let values = || columns.iter().flat_map(|(used, limit)| [Some(*used), *limit]).flatten();
    let (Some(low), Some(high)) = (values().min(), values().max()) else { return String::new() };
    // Room below the lowest value shows that it is not nothing.
    let low = low.saturating_sub((high - low).max(1).div_ceil(ROWS_MAX - 1));
    let rows = (high - low).clamp(1, ROWS_MAX);
    let level = |row: u32| {
        let step = u64::from(high - low) * u64::from(row);
        low + u32::try_from(step.div_ceil(u64::from(rows))).unwrap_or(u32::MAX)
    };
    let width = high.to_string().len();
    let mut text = String::new();
    for row in (1..=rows).rev() {
        let (here, above) = (level(row), if row == rows { u32::MAX } else { level(row + 1) });
        text.push_str(&format!("{here:>width$} |"));
        for (used, limit) in &columns {
            text.push(match limit {
                Some(limit) if *used >= here && here > *limit => '!',
                _ if *used >= here => '#',
                Some(limit) if here <= *limit && *limit < above => '-',
                _ => ' ',
            });
        }
        text.truncate(text.trim_end().len());
        text.push('\n');
    }
    if let (Some(first), Some(last)) = (points.first(), points.last()) {
        let axis = columns.len().max(1);
        text.push_str(&format!("{:>width$} +{}\n", "", "-".repeat(axis)));
        let gap = (axis.saturating_sub(10)).max(first.day.to_string().len() + 1);
        text.push_str(&format!("{:>width$}  {:<gap$}{}\n", "", first.day.to_string(), last.day));
    }
    text
}

#[cfg(test)]
mod tests {
    use crate::base::{Day, Seats};
    use crate::cli::chart::{Point, chart};

    fn points(days: &[(u32, Option<u32>)]) -> Vec<Point> {
        let first = Day::parse("2026-03-01").expect("a date");
        let point = |(at, (used, limit)): (usize, &(u32, Option<u32>))| Point {
            day: first.plus(i32::try_from(at).expect("small")),
            used: Seats(*used),
            limit: limit.map(Seats),
        };
        days.iter().enumerate().map(point).collect()
    }

    #[test]
    fn a_curve_shows_what_is_used_beyond_the_limit_and_where_the_limit_is() {
        let drawn = chart(&points(&[(2, Some(3)), (3, Some(3)), (5, Some(3)), (5, Some(6)), (1, Some(6))]));
        assert_eq!(drawn, "6 |   --\n5 |  !#\n4 |  !#\n3 |-###\n2 |####\n1 |#####\n  +-----\n   2026-03-01 2026-03-05\n");
        assert_eq!(chart(&[]), "");
        assert_eq!(chart(&points(&[(0, None)])), "0 |#\n  +-\n   2026-03-01 2026-03-01\n");
        assert_eq!(chart(&points(&[(7, None), (7, None)])), "7 |##\n  +--\n   2026-03-01 2026-03-02\n");
    }

    #[test]
    fn many_days_share_columns_and_large_numbers_rows() {
        let days: Vec<(u32, Option<u32>)> = (0..180).map(|day| (1_000_000 + day * 1000, Some(1_100_000))).collect();
        let drawn = chart(&points(&days));
        assert_eq!(drawn.lines().count(), 10);
        assert!(drawn.lines().all(|line| line.len() <= 100), "{drawn}");
        assert!(drawn.starts_with("1179000 |"), "{drawn}");
    }
}
