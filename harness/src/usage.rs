//! Mistakes of the person at the keyboard, told apart from failures of the machine.

/// A request that cannot be carried out as it stands; exit code 2.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Usage(pub String);

impl Usage {
    /// Something was named that is not known; suggests the nearest names.
    pub fn unknown<'a>(what: &str, got: &str, known: impl IntoIterator<Item = &'a str>) -> Usage {
        let known: Vec<&str> = known.into_iter().collect();
        let mut near: Vec<(usize, &str)> =
            known.iter().map(|name| (distance(got, name), *name)).collect();
        near.sort();
        let hint = match near.first() {
            Some((d, name)) if *d <= got.len().max(name.len()) / 2 => {
                format!("did you mean `{name}`? ")
            }
            _ => String::new(),
        };
        Usage(format!("unknown {what} `{got}`: {hint}`concord list` shows all of them"))
    }
}

/// Edit distance (Levenshtein) in characters.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, cb) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(ca != *cb);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typo_gets_a_suggestion() {
        let usage = Usage::unknown("backend", "refrence", ["cuda", "reference"]);
        assert!(usage.0.contains("did you mean `reference`?"), "{usage}");
        assert!(!Usage::unknown("backend", "xyz", ["reference"]).0.contains("did you mean"));
    }
}
