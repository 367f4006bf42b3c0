//! The known name nearest to one that was written.
//! It never proposes a name that has little to do with it: no proposal is better than a silly one.

/// Longer texts are no misspelt names of ours, and the comparison takes the product of both lengths.
const CHARS_MAX: usize = 40;

/// The nearest of the candidates, or none when even that is far.
pub fn nearest<'a>(written: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if written.chars().count() > CHARS_MAX {
        return None;
    }
    let plain = plain(written);
    let (distance, best) = candidates
        .into_iter()
        .map(|name| (edits(&plain, &self::plain(name)), name))
        .min_by_key(|(distance, _)| *distance)?;
    // A third of the letters may differ, two in short names: enough for a slip, not for another word.
    let allowed = (best.chars().count() / 3).clamp(1, 3).max(if best.len() > 3 { 2 } else { 1 });
    (distance <= allowed).then_some(best)
}

/// Case, hyphens, underscores and blanks do not make another word.
fn plain(name: &str) -> Vec<char> {
    name.chars().filter(|c| !matches!(c, '-' | '_' | ' ')).flat_map(char::to_lowercase).collect()
}

/// How many letters must be put in, taken out, replaced or swapped with their neighbour.
fn edits(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let replaced = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut least = replaced.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(before[j - 2] + 1);
            }
            row.push(least);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_slip_is_known_and_another_word_is_not() {
        let names = ["mode", "match", "points", "onCreate", "resourceGroup", "os"];
        for (written, expected) in [
            ("mdoe", Some("mode")),
            ("Mode", Some("mode")),
            ("on_create", Some("onCreate")),
            ("oncreated", Some("onCreate")),
            ("resource-grp", Some("resourceGroup")),
            ("point", Some("points")),
            ("matches", Some("match")),
            ("zebra", None),
            ("x", None),
            ("OS", Some("os")),
        ] {
            assert_eq!(nearest(written, names), expected, "{written}");
        }
        assert_eq!(nearest(&"x".repeat(100_000), names), None);
    }
}
