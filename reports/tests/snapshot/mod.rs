//! Compares what was rendered with a file that a person has read.

use std::path::Path;

/// Compares with `tests/snapshots/{name}`; with `CONCORD_BLESS=1` in the environment, rewrites it.
#[track_caller]
pub(crate) fn check(name: &str, actual: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots").join(name);
    if std::env::var_os("CONCORD_BLESS").is_some_and(|v| v == "1") {
        std::fs::write(&path, actual).expect("write the snapshot");
        return;
    }
    let hint = "read the change, then accept it with `CONCORD_BLESS=1 cargo test -p reports`";
    let Ok(expected) = std::fs::read_to_string(&path) else {
        panic!("there is no snapshot {name}; {hint}");
    };
    let (old, new): (Vec<_>, Vec<_>) = (expected.lines().collect(), actual.lines().collect());
    let line = (0..old.len().max(new.len())).find(|&i| old.get(i) != new.get(i));
    if let Some(i) = line {
        let show = |lines: &[&str]| lines.get(i).map_or("(end)".to_owned(), |l| format!("{l:?}"));
        let (old, new) = (show(&old), show(&new));
        panic!("{name} differs in line {}:\n  snapshot  {old}\n  rendered  {new}\n{hint}", i + 1);
    }
    assert_eq!(expected, actual, "{name} differs in its line ends; {hint}");
}
