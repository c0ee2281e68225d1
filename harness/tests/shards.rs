//! A run in parts is the run as a whole, byte for byte; a part that is missing, doubled or foreign is refused.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::path::Path;
use std::process::Command;

/// Runs in a folder, checks the exit code, and returns what was printed.
#[track_caller]
fn certify(dir: &Path, out: &str, more: &[&str], code: i32) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_concord"));
    command.args(["certify", "mutant:cooc-annuli", "--function", "co_occurrence", "--out", out]);
    let output = command.args(more).current_dir(dir).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    assert_eq!(output.status.code(), Some(code), "{text}");
    text
}

#[test]
fn parts_gathered_are_the_whole() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    certify(dir, "out", &[], 1);
    let read = |file: &str| std::fs::read(dir.join(file)).unwrap();
    let whole = ["out/results.jsonl", "out/report.html", "out/junit.xml"].map(read);
    std::fs::remove_dir_all(dir.join("out")).unwrap();
    for part in ["1/3", "2/3", "3/3"] {
        certify(dir, &format!("part-{}", &part[..1]), &["--shard", part], 0);
    }
    // The order of the parts does not matter.
    certify(dir, "out", &["--gather", "part-3", "part-1", "part-2"], 1);
    let gathered = ["out/results.jsonl", "out/report.html", "out/junit.xml"].map(read);
    assert!(whole == gathered, "the bytes differ");

    let refused = |more: &[&str], why: &str| {
        let text = certify(dir, "refused", more, 2);
        assert!(text.contains(why), "`{why}` is not in {text}");
    };
    refused(&["--gather", "part-1", "part-2"], "no part has the case");
    refused(
        &["--gather", "part-1", "part-2", "part-3", "part-1"],
        "part-1 and part-1 both have the case",
    );
    certify(dir, "foreign", &["--shard", "3/3", "--challenge", "00ff"], 0);
    refused(
        &["--gather", "part-1", "part-2", "foreign"],
        "foreign belongs to another run: another seed",
    );
    refused(&["--shard", "4/3"], "expected I/N");
    // A part alone shows nothing.
    let report = Command::new(env!("CARGO_BIN_EXE_concord"))
        .args(["report", "part-1"])
        .current_dir(dir)
        .output();
    assert_eq!(report.unwrap().status.code(), Some(1), "it has failures");
}
