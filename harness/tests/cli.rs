//! The command line: what it prints and how it exits.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::path::Path;
use std::process::{Command, Output};

fn concord(arguments: &[&str], dir: &Path) -> Output {
    // Whatever GPU or compiler a machine has, here it has none.
    on("none", arguments, dir)
}

fn on(device: &str, arguments: &[&str], dir: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_concord"));
    command.args(arguments).current_dir(dir).env("CONCORD_CUDA", device).output().unwrap()
}

/// Runs, checks the exit code, and returns what was printed.
#[track_caller]
fn check(arguments: &[&str], code: i32) -> String {
    let dir = tempfile::tempdir().unwrap();
    let output = concord(arguments, dir.path());
    let text = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "concord {}\n{text}", arguments.join(" "));
    text
}

#[track_caller]
fn says(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "`{part}` is not in\n{text}");
    }
}

#[test]
fn without_arguments_it_explains_itself() {
    let text = check(&[], 2);
    says(&text, &["certify", "golden", "replay", "Examples:", "Exit codes"]);
}

#[test]
fn a_wrong_backend_is_refused_and_its_replay_command_reproduces_it() {
    let dir = tempfile::tempdir().unwrap();
    let backend = "mutant:moran-without-n-over-s0";
    let output = concord(&["certify", backend, "--json"], dir.path());
    assert_eq!(output.status.code(), Some(1));
    let summary: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let failure = &summary["failures"][0];
    assert_eq!(failure["check"], "I: value", "{failure:#}");
    let replay = failure["replay"].as_str().unwrap();
    let arguments: Vec<&str> = replay.strip_prefix("concord ").unwrap().split(' ').collect();
    assert_eq!((arguments.len(), arguments[0]), (2, "replay"), "{replay}");
    for more in [&[][..], &["--stored"]] {
        let output = concord(&[&arguments, more].concat(), dir.path());
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(output.status.code(), Some(1), "{text}");
        says(&text, &["violated: I: value", "verdict: fail", backend, "\n> result[I] Gene"]);
    }
    // The right backend passes on the same input; a capsule elsewhere is found by --dir or by its path.
    let folder = dir.path().join("out/capsules");
    let folder = folder.to_str().unwrap();
    says(
        &check(&["replay", arguments[1], "--dir", folder, "--backend", "reference"], 0),
        &["verdict: pass", "the capsule holds: fail, I: value"],
    );
    let path = format!("{folder}/{}", arguments[1]);
    check(&["replay", &path], 1);
    says(&check(&["replay", "CX-000000000000"], 2), &["there is no capsule", "--dir"]);
    says(&check(&["replay", &path, "seed=0"], 2), &["no recipe goes with it"]);
    for file in ["results.jsonl", "report.md", "summary.json"] {
        assert!(dir.path().join("out").join(file).is_file(), "{file}");
    }
    // The log alone gives the same report and the same decision again.
    let again = concord(&["report", "out", "--format", "json"], dir.path());
    assert_eq!(again.status.code(), Some(1));
    assert_eq!(serde_json::from_slice::<serde_json::Value>(&again.stdout).unwrap(), summary);
}

#[test]
fn laws_are_asked_without_a_host_and_a_broken_one_is_shown_again() {
    let backend = "mutant:cooc-annuli";
    let text = check(&["laws", backend, "--law", "C8"], 1);
    says(&text, &["law C8: occ broken by co_occurrence", "1 of 1 laws broken", "--law C8"]);
    let replay = text.lines().find_map(|line| line.trim().strip_prefix("replay: concord "));
    let parts: Vec<&str> = replay.unwrap().split('"').collect();
    let mut arguments: Vec<&str> = parts[0].split_whitespace().collect();
    arguments.push(parts[1]);
    arguments.extend(parts[2].split_whitespace());
    let text = check(&arguments, 1);
    says(&text, &["as it is", "changed", "interval", "violated: law C8: occ", "verdict: fail"]);
    let kept = check(&["replay", "ligrec", "seed=1", "--law", "L8"], 0);
    says(&kept, &["law L8: An uncorrected p-value", "verdict: pass"]);
    says(&check(&["laws", "reference", "--law", "M4x"], 2), &["did you mean `M4`"]);
    says(&check(&["laws", "cuda", "--law", "M4"], 4), &["0 of 1 laws broken, 1 said nothing"]);
    let list: serde_json::Value = serde_json::from_str(&check(&["list", "--json"], 0)).unwrap();
    assert_eq!(list["laws"].as_array().unwrap().len(), harness::laws::all().count());
}

#[test]
fn a_real_file_makes_cases() {
    let file = harness::backends::default_golden_dir().join("inputs/pbmc_umap.h5ad");
    let text = check(&["certify", "reference", "--data", &file.to_string_lossy()], 0);
    says(
        &text,
        &[
            "350 cells x 45 genes",
            "bulk_labels",
            "CONFORMANT",
            "from a file",
            "What was tried",
            "levels",
        ],
    );
}

#[test]
fn what_cannot_be_done_says_why_and_what_to_do() {
    says(
        &check(&["certify", "refrence"], 2),
        &["unknown backend `refrence`", "did you mean `reference`", "concord list"],
    );
    says(
        &check(&["certify", "reference", "--function", "ripley"], 2),
        &["unknown function `ripley`", "concord list"],
    );
    says(&check(&["certify", "reference", "--data", "nothing.h5ad"], 3), &["nothing.h5ad"]);
    says(&check(&["certify", "reference", "--deadline", "0"], 2), &["--deadline"]);
    says(&check(&["report", "nowhere"], 3), &["nowhere", "concord certify"]);
    says(&check(&["golden", "nowhere"], 3), &["cases.json"]);
    says(&check(&["golden", "--only", "no such case"], 2), &["no such case"]);
    says(&check(&["replay", "ligrec", "cels=3"], 2), &["did you mean `cells`"]);
    says(&check(&["replay", "ligrec", "seed=1", "--cells", "99"], 2), &["there is no cell 99"]);
}

#[test]
fn a_file_without_graph_and_coordinates_makes_no_plan() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("bare.h5ad");
    let mut data = dispatch::Dataset::new();
    data.set("X", dispatch::Dense::new(vec![2, 1], vec![1.0f32, 2.0]).into());
    anndata_io::write(&path, &data).unwrap();
    let text = check(&["certify", "reference", "--data", &path.to_string_lossy()], 2);
    says(&text, &["neither a graph", "no case can be made"]);
}

#[test]
fn a_backend_that_compares_nothing_is_inconclusive_not_green() {
    let text = check(&["certify", "cuda"], 4);
    says(&text, &["INCONCLUSIVE", "not-run: no device: CONCORD_CUDA is `none`"]);
    let summary: serde_json::Value = {
        let dir = tempfile::tempdir().unwrap();
        let output = concord(&["certify", "cuda", "--json"], dir.path());
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let counts = summary["counts"].as_object().unwrap();
    assert_eq!(counts.keys().collect::<Vec<_>>(), ["not-run"], "{summary:#}");
    assert_eq!(summary["compared"], 0);
}

#[test]
fn an_emulated_gpu_agrees_and_is_said_to_be_emulated_in_the_first_line() {
    let dir = tempfile::tempdir().unwrap();
    let output = on("emulated", &["certify", "cuda"], dir.path());
    let text = String::from_utf8_lossy(&output.stderr).into_owned()
        + &String::from_utf8_lossy(&output.stdout);
    if text.contains("no C++ compiler was there") {
        println!("not run: this was built without the emulated device");
        return;
    }
    assert_eq!(output.status.code(), Some(0), "{text}");
    says(text.lines().next().unwrap(), &["cuda", "emulated GPU, no evidence about a real one"]);
    let all =
        ["co_occurrence", "ligrec", "spatial_autocorr"].map(|f| format!("  {f:<16}  conformant"));
    says(&text, &all.each_ref().map(String::as_str));
}

#[test]
fn a_replay_on_a_device_says_how_many_kernels_and_bytes_it_took() {
    let dir = tempfile::tempdir().unwrap();
    let replay = ["replay", "co_occurrence", "cells=8 seed=3", "--backend", "cuda"];
    let output = on("emulated", &replay, dir.path());
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.code() != Some(0) {
        println!("not run: this was built without the emulated device");
        return;
    }
    says(&text, &["cuda counted 1 calls, 1 kernel launches, ", " bytes to the device and "]);
}

#[test]
fn a_case_is_kept_and_runs_first() {
    let dir = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str], code: i32| {
        let output = concord(arguments, dir.path());
        let text = String::from_utf8_lossy(&output.stdout).into_owned()
            + &String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{text}");
        text
    };
    let text = run(&["replay", "co_occurrence", "cells=8 seed=3", "--keep", "kept"], 0);
    says(&text, &["kept as kept/CX-", "verdict: pass"]);
    let certify = ["certify", "mutant:cooc-self-pairs", "--function", "co_occurrence"];
    run(&[&certify[..], &["--regressions", "kept"]].concat(), 1);
    let log = std::fs::read_to_string(dir.path().join("out/results.jsonl")).unwrap();
    let second = log.lines().nth(1).unwrap();
    assert!(second.contains("co_occurrence CX-") && second.contains("regression"), "{second}");
}

#[test]
fn waivers_of_the_command_line_expire_by_the_day_it_is_given() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("waivers.toml");
    let text = r#"
        format = 1
        [[waiver]]
        function = "co_occurrence"
        predicate = "one-cell"
        kind = "occ: value"
        reason = "one cell is its own neighbour there"
        issue = "https://example.org/issues/7"
        granted_by = "A. Reviewer"
        granted = 2026-01-10
        expires = 2026-04-10
        max_cases = 500
    "#;
    std::fs::write(&file, text).unwrap();
    let file = file.to_str().unwrap();
    let certify = |day: &str, code| {
        let backend = "mutant:cooc-self-pairs";
        check(
            &["certify", backend, "--function", "co_occurrence", "--waivers", file, "--today", day],
            code,
        )
    };
    says(
        &certify("2026-04-11", 2),
        &["waivers.toml", "waiver 1 (co_occurrence, occ: value)", "expired on 2026-04-10"],
    );
    says(&certify("2026-03-32", 2), &["YYYY-MM-DD"]);
    // Cells that are not alone still differ.
    says(&certify("2026-03-31", 1), &["Waivers", "waived", "A. Reviewer"]);
}

#[test]
fn the_lists_are_there_for_people_and_programs() {
    says(
        &check(&["list"], 0),
        &["spatial_autocorr", "graph", "reference", "mutant:cooc-annuli", "no device"],
    );
    let list: serde_json::Value = serde_json::from_str(&check(&["list", "--json"], 0)).unwrap();
    assert_eq!(list["functions"].as_array().unwrap().len(), harness::CONTRACTS.len());
}

#[test]
fn backends_of_a_file_are_known_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let golden = harness::backends::default_golden_dir();
    let text = format!("[[backend]]\nname = 'elsewhere'\nrecorded = '{}'\n", golden.display());
    std::fs::write(dir.path().join("backends.toml"), text).unwrap();
    let run = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_concord"));
        let output = command
            .args(arguments)
            .current_dir(dir.path())
            .env("CONCORD_BACKENDS", "backends.toml")
            .output();
        let output = output.unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    says(&run(&["list"]).1, &["elsewhere", "stored answers in"]);
    // The answers are squidpy's, but a backend of this name is not excused for squidpy's defects.
    let (code, text) = run(&["certify", "elsewhere", "--function", "spatial_autocorr"]);
    assert_eq!(code, Some(1), "{text}");
    says(&text, &["NOT CONFORMANT", "elsewhere 1.8.3"]);
}
