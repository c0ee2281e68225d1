//! Names of backends: what they may look like, and which one was probably meant.

/// Whether `label` may name a backend: ASCII letters, digits, `.`, `_`, `-`; 1 to 128 of them; starting
/// with a letter or digit and not ending with `.` or `-`.
pub(crate) fn is_label(label: &str) -> bool {
    let bytes = label.as_bytes();
    let allowed = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    (1..=128).contains(&bytes.len())
        && bytes.iter().all(allowed)
        && bytes.first().is_some_and(u8::is_ascii_alphanumeric)
        && !matches!(bytes.last(), Some(b'.' | b'-'))
}

/// A distribution name in the one form that PEP 503 compares: lower case, runs of `-_.` as one `-`.
pub(crate) fn normalised(distribution: &str) -> String {
    let parts = distribution.split(['-', '_', '.']).filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join("-").to_ascii_lowercase()
}

/// The candidate most like `word`, if its similarity is at least `cutoff`; the first of equals.
pub(crate) fn closest<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
    cutoff: f64,
) -> Option<&'a str> {
    let mut best: Option<(f64, &str)> = None;
    for candidate in candidates {
        let score = similarity(word, candidate);
        if score >= cutoff && best.is_none_or(|(top, _)| score > top) {
            best = Some((score, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// Ratcliff and Obershelp's similarity, as `difflib.SequenceMatcher.ratio`: twice the number of
/// characters in matching blocks, over the sum of both lengths.
fn similarity(a: &str, b: &str) -> f64 {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let total = a.len() + b.len();
    if total == 0 { 1.0 } else { 2.0 * matching(&a, &b) as f64 / total as f64 }
}

/// Characters in the longest common block and, recursively, in the blocks before and after it.
fn matching(a: &[char], b: &[char]) -> usize {
    let (mut at_a, mut at_b, mut length) = (0, 0, 0);
    for i in 0..a.len() {
        for j in 0..b.len() {
            let common = a[i..].iter().zip(&b[j..]).take_while(|(x, y)| x == y).count();
            if common > length {
                (at_a, at_b, length) = (i, j, common);
            }
        }
    }
    if length == 0 {
        return 0;
    }
    let before = matching(&a[..at_a], &b[..at_b]);
    length + before + matching(&a[at_a + length..], &b[at_b + length..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn similarity_is_difflibs() {
        // Values of difflib.SequenceMatcher(None, a, b).ratio(), each a ratio of small integers.
        assert_eq!(similarity("cuda", "cdua"), 0.75);
        assert_eq!(similarity("rapids", "rapids-singlecell"), 12.0 / 23.0);
        assert_eq!(similarity("abc", "xyz"), 0.0);
        assert_eq!(similarity("", ""), 1.0);
    }

    #[test]
    fn distributions_are_compared_as_pep_503_says() {
        assert_eq!(normalised("Rapids__Single.Cell"), "rapids-single-cell");
    }
}
