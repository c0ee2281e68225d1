//! A run in parts is the run as a whole, byte for byte; a part that is missing, doubled, foreign or cut is refused.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::path::Path;
use std::process::Command;

/// Runs in a folder, checks the exit code, and returns what was printed.
#[track_caller]
fn concord(dir: &Path, arguments: &[&str], code: i32) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_concord"));
    let output = command.args(arguments).current_dir(dir).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    assert_eq!(output.status.code(), Some(code), "concord {}\n{text}", arguments.join(" "));
    text
}

const WHAT: [&str; 4] = ["certify", "mutant:ligrec-sum-of-means", "--function", "ligrec"];

/// Runs one part.
#[track_caller]
fn part(dir: &Path, out: &str, shard: &str, more: &[&str]) {
    concord(dir, &[&WHAT, &["--shard", shard, "--out", out], more].concat(), 0);
}

#[test]
fn parts_merged_are_the_whole() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    concord(dir, &WHAT, 1);
    let files = ["results.jsonl", "report.html", "report.md", "junit.xml", "summary.json"];
    let read = |file: &str| std::fs::read(dir.join("out").join(file)).unwrap();
    let whole = files.map(read);
    std::fs::remove_dir_all(dir.join("out")).unwrap();
    for index in 1..=3 {
        part(dir, &format!("part-{index}"), &format!("{index}/3"), &[]);
    }
    // The order of the parts does not matter.
    concord(dir, &["merge", "part-3", "part-1", "part-2"], 1);
    for ((file, whole), merged) in files.iter().zip(&whole).zip(&files.map(read)) {
        assert!(whole == merged, "the bytes of {file} differ");
    }

    let refused = |parts: &[&str], why: &str| {
        let text = concord(dir, &[&["merge", "--out", "refused"], parts].concat(), 2);
        assert!(text.contains(why), "`{why}` is not in {text}");
        assert!(!dir.join("refused").exists(), "something was written");
    };
    refused(&["part-1", "part-2"], "part 3/3 is missing");
    refused(
        &["part-1", "part-2", "part-3", "part-1"],
        "part 1/3 is there twice: part-1 and part-1",
    );
    part(dir, "challenged", "3/3", &["--challenge", "00ff"]);
    let why = "challenged belongs to another run: its `challenge` is not that of part-1";
    refused(&["part-1", "part-2", "challenged"], why);
    part(dir, "half", "2/2", &[]);
    refused(&["part-1", "half"], "half belongs to another run: it is part 2/2 of a run in 2 parts");
    let about = dir.join("part-2/part.json");
    let text = std::fs::read_to_string(&about).unwrap();
    let mut stated: serde_json::Value = serde_json::from_str(&text).unwrap();
    stated["suite"] = "0".repeat(64).into();
    std::fs::write(&about, stated.to_string()).unwrap();
    refused(&["part-1", "part-2", "part-3"], "another build of concord made it");
    std::fs::write(&about, text).unwrap();
    refused(&["part-1", "out"], "out is no part: `certify --shard` writes part.json");

    // A part whose log is that of another build, cut, or has a line twice.
    let tampered = |change: &dyn Fn(&str) -> String, why: &str| {
        let path = dir.join("part-3/results.jsonl");
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, change(&text)).unwrap();
        refused(&["part-1", "part-2", "part-3"], why);
        std::fs::write(&path, text).unwrap();
    };
    tampered(
        &|text| text.replacen("\"version\":\"0.1.0\"", "\"version\":\"0.1.1\"", 1),
        "part-3 belongs to another run: another",
    );
    let last = |text: &str| text.trim_end().rfind('\n').unwrap() + 1;
    tampered(&|text| text[..last(text)].to_owned(), "part-3 is cut short: it lacks the case");
    tampered(&|text| text.to_owned() + &text[last(text)..], "is there twice");

    let text = concord(dir, &[&WHAT[..], &["--shard", "4/3"]].concat(), 2);
    assert!(text.contains("expected I/N"), "{text}");
    // A part alone shows nothing.
    concord(dir, &["report", "part-1"], 1);
}
