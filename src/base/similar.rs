//! "Did you mean": the known word that is nearest to a misspelt one.

/// The candidate nearest to `word`, if one is near enough to be meant. Ties go to the first.
pub fn most_similar<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let word: Vec<char> = word.to_lowercase().chars().collect();
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        let chars: Vec<char> = candidate.to_lowercase().chars().collect();
        let effort = effort(&word, &chars);
        let enough = effort <= (MISTAKE * word.len().max(chars.len())).div_ceil(3);
        if enough && !word.is_empty() && best.is_none_or(|(least, _)| effort < least) {
            best = Some((effort, candidate));
        }
    }
    best.map(|(_, candidate)| candidate.to_owned())
}

/// A letter too many, a wrong letter, or two neighbors swapped.
const MISTAKE: usize = 2;
/// A letter left out: half a mistake, because words get abbreviated.
const OMISSION: usize = 1;
/// Words that share a beginning of this length are taken for each other when one is nothing but that.
const STEM_CHARS_MIN: usize = 3;

/// How far the word as written is from a candidate.
fn effort(written: &[char], candidate: &[char]) -> usize {
    let stem = written.len().min(candidate.len());
    if stem >= STEM_CHARS_MIN && written[..stem] == candidate[..stem] && written != candidate {
        return OMISSION;
    }
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=candidate.len()).map(|omitted| omitted * OMISSION).collect();
    for (i, x) in written.iter().enumerate() {
        let mut row = Vec::with_capacity(candidate.len() + 1);
        row.push((i + 1) * MISTAKE);
        for (j, y) in candidate.iter().enumerate() {
            let replaced = last[j] + if x == y { 0 } else { MISTAKE };
            let mut least = replaced.min(last[j + 1] + MISTAKE).min(row[j] + OMISSION);
            if i > 0 && j > 0 && *x == candidate[j - 1] && written[i - 1] == *y {
                least = least.min(before_last[j - 1] + MISTAKE);
            }
            row.push(least);
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last[candidate.len()]
}

#[cfg(test)]
mod tests {
    use crate::base::most_similar;

    #[test]
    fn the_nearest_word_is_meant_and_a_far_one_is_not() {
        let known = ["removal_percent", "removal_min", "path", "id", "sun"];
        for (word, meant) in [
            ("removal_pct", Some("removal_percent")),
            ("removal_mni", Some("removal_min")),
            ("removal", Some("removal_percent")),
            ("PATH", Some("path")),
            ("paht", Some("path")),
            ("pth", Some("path")),
            ("sunday", Some("sun")),
            ("password", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(most_similar(word, known).as_deref(), meant, "{word}");
        }
    }
}
