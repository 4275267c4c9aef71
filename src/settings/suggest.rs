//! "Did you mean": the known word that is nearest to a misspelt one.

/// The candidate nearest to `word`, if one is near enough to be meant. Ties go to the first.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let word: Vec<char> = word.to_lowercase().chars().collect();
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        let chars: Vec<char> = candidate.to_lowercase().chars().collect();
        let distance = distance(&word, &chars);
        let enough = distance <= word.len().max(chars.len()).div_ceil(3) && distance < word.len().max(chars.len());
        if enough && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate.to_owned())
}

/// How many insertions, deletions, replacements and swaps of neighbors lead from one word to the other.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = Vec::with_capacity(b.len() + 1);
        row.push(i + 1);
        for (j, y) in b.iter().enumerate() {
            let mut least = (last[j] + usize::from(x != y)).min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *x == b[j - 1] && a[i - 1] == *y {
                least = least.min(before_last[j - 1] + 1);
            }
            row.push(least);
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use crate::settings::suggest::nearest;

    #[test]
    fn the_nearest_word_is_meant_and_a_far_one_is_not() {
        let known = ["removal_percent", "removal_min", "path", "id"];
        for (word, meant) in [
            ("removal_pct", Some("removal_percent")),
            ("removal_mni", Some("removal_min")),
            ("PATH", Some("path")),
            ("paht", Some("path")),
            ("password", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, known).as_deref(), meant, "{word}");
        }
    }
}
