//! "Did you mean …?"

/// The candidate most similar to `word`, if any is similar enough to be a slip of the fingers. Ties go to the first.
pub fn most_similar<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<String> {
    let edits_max = (word.chars().count() / 3).max(1);
    candidates
        .map(|candidate| (edits(word, candidate, edits_max), candidate))
        .filter(|&(edits, _)| edits <= edits_max)
        .min_by_key(|&(edits, _)| edits)
        .map(|(_, candidate)| candidate.to_owned())
}

/// Edits (insert, delete, replace, swap of neighbors) between two words; anything above `max` is told as `max + 1`.
fn edits(a: &str, b: &str, max: usize) -> usize {
    let a: Vec<char> = a.chars().flat_map(char::to_lowercase).collect();
    let b: Vec<char> = b.chars().flat_map(char::to_lowercase).collect();
    if a.len().abs_diff(b.len()) > max {
        return max + 1;
    }
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            rows[i][j] = if i == 0 || j == 0 {
                i + j
            } else {
                let replace = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
                let mut best = replace.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1);
                if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                    best = best.min(rows[i - 2][j - 2] + 1);
                }
                best
            };
        }
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use crate::base::most_similar;

    #[test]
    fn slips_are_recognized_and_strangers_are_not() {
        let words = ["teacher", "student", "token_file", "path"];
        let suggest = |word| most_similar(word, words.into_iter());
        assert_eq!(suggest("techer").as_deref(), Some("teacher"));
        assert_eq!(suggest("Studnet").as_deref(), Some("student"));
        assert_eq!(suggest("pahts").as_deref(), None);
        assert_eq!(suggest("pth").as_deref(), Some("path"));
        assert_eq!(suggest("zebra"), None);
    }
}
