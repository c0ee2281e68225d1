//! A certificate on the command line: made, signed, verified, tampered with.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::path::Path;
use std::process::Command;

/// Runs in a folder, checks the exit code, and that a text is printed.
#[track_caller]
fn check(dir: &Path, arguments: &[&str], code: i32, says: &str) {
    let output =
        Command::new(env!("CARGO_BIN_EXE_concord")).args(arguments).current_dir(dir).output();
    let output = output.unwrap();
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text);
    assert_eq!(output.status.code(), Some(code), "concord {}\n{text}", arguments.join(" "));
    assert!(text.contains(says), "`{says}` is not in\n{text}");
}

#[test]
fn a_certificate_is_made_signed_verified_and_refused_after_a_change() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let certify = ["certify", "reference", "--function", "ligrec", "--tier", "standard"];
    check(dir, &certify, 0, "ligrec             statistical");
    for file in [
        "certificate.intoto.json",
        "policy.toml",
        "adequacy.json",
        "badge.svg",
        "report.html",
        "junit.xml",
    ] {
        assert!(dir.join("out").join(file).is_file(), "{file}");
    }
    let certificate = "out/certificate.intoto.json";
    // Nobody was named whose signature counts: nothing is refused, not everything was asked.
    check(
        dir,
        &["verify", certificate],
        4,
        "ok       plan        seed and cases are those the suite derives",
    );
    check(dir, &["diff", "out", "out"], 0, "nothing was gained or lost");
    check(
        dir,
        &["reproduce", certificate, "--sample", "1"],
        0,
        "each gives what the certificate says",
    );
    check(
        dir,
        &["trust", "build", "out", "--host", "squidpy"],
        2,
        "there is no out/allowed_signers",
    );
    check(dir, &["sign", certificate, "--key", certificate], 3, "read the private key");
    check(dir, &["index", "."], 0, "./index.html: 1 certificates, 0 refused");
    let path = dir.join(certificate);
    let text = std::fs::read_to_string(&path).unwrap();
    let own = "\"ownCode\": ";
    assert!(text.contains(own), "a program of its own says so:\n{text}");
    std::fs::write(&path, text.replacen(own, "\"ownCode\": 1", 1)).unwrap();
    check(dir, &["verify", certificate], 5, "witness.ownCode says 1");
    std::fs::write(&path, text.replace("\"ligrec\": \"statistical\"", "\"ligrec\": \"full\""))
        .unwrap();
    check(dir, &["verify", certificate], 5, "granted.functions.ligrec says \"full\"");
    check(dir, &["index", "."], 5, "1 certificates, 1 refused");
    let page = std::fs::read_to_string(dir.join("index.html")).unwrap();
    for part in ["href=\"out/report.html\"", "refused: results: predicate.granted"] {
        assert!(page.contains(part), "`{part}` is not in {page}");
    }
}

#[test]
fn a_host_of_the_users_file_is_opened_again_by_the_name_it_was_called_by() {
    let dir = tempfile::tempdir().unwrap();
    let concord = env!("CARGO_BIN_EXE_concord");
    let entry =
        format!("[[backend]]\nname = 'apart'\ncommand = ['{concord}', 'serve', 'reference']\n");
    std::fs::write(dir.path().join("backends.toml"), entry).unwrap();
    let run = |arguments: &[&str], file: &str| {
        let mut command = Command::new(concord);
        let command = command.args(arguments).current_dir(dir.path());
        let output = command.env("CONCORD_BACKENDS", file).output().unwrap();
        let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        (output.status.code(), text)
    };
    let certify = ["certify", "reference", "--host", "apart", "--tier", "standard"];
    let certify = [&certify[..], &["--function", "co_occurrence", "--jobs", "2"]].concat();
    let (code, text) = run(&certify, "backends.toml");
    assert_eq!(code, Some(0), "{text}");
    let certificate = "out/certificate.intoto.json";
    let reproduce = ["reproduce", certificate, "--sample", "1"];
    let (code, text) = run(&reproduce, "backends.toml");
    assert_eq!(code, Some(0), "{text}");
    // What calls itself `reference` is not the host that was asked.
    std::fs::write(dir.path().join("none.toml"), "").unwrap();
    let (code, text) = run(&reproduce, "none.toml");
    assert!(code == Some(2) && text.contains("`apart`"), "{code:?} {text}");
    // Nor is it for `verify`, which plans again where it can open both.
    let (_, text) = run(&["verify", certificate], "none.toml");
    assert!(!text.contains("seed and cases are those the suite derives"), "{text}");
    let (_, text) = run(&["verify", certificate], "backends.toml");
    assert!(text.contains("seed and cases are those the suite derives"), "{text}");
}

#[test]
fn an_emulated_device_is_granted_the_contract_and_nothing_more() {
    let dir = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_concord"));
    command.args(["certify", "cuda", "--function", "co_occurrence", "--tier", "standard"]);
    let output = command.current_dir(dir.path()).env("CONCORD_CUDA", "emulated").output().unwrap();
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    if text.contains("no C++ compiler was there") {
        println!("not run: this was built without the emulated device");
        return;
    }
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(text.contains("co_occurrence      contract"), "{text}");
    assert!(text.contains("its device is emulated, which is no evidence"), "{text}");
    let path = dir.path().join("out/certificate.intoto.json");
    let certificate: serde_json::Value =
        serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let granted = &certificate["predicate"]["granted"];
    assert_eq!(granted["functions"]["co_occurrence"], "contract", "{granted:#}");
    // The others were not examined, and the whole is as good as the least of them.
    assert_eq!(granted["overall"], "none", "{granted:#}");
    // The device counts, so whose work it was is in the certificate, and every case is accounted for.
    let result = &certificate["predicate"]["results"][0];
    let witness = |name: &str| result["witness"][name].as_u64().unwrap();
    assert!(witness("calls") >= witness("counted") && witness("counted") > 0, "{result:#}");
    assert!(witness("launches") > 0 && witness("moved") > 0, "{result:#}");
    assert_eq!((witness("ownCode"), witness("unproven")), (0, 0), "{result:#}");
    let planned = result["cases"]["planned"].as_u64().unwrap();
    assert_eq!(witness("counted") + witness("noAnswer"), planned, "{result:#}");
    check(dir.path(), &["verify", "out/certificate.intoto.json"], 4, "ok       results");
}

#[test]
fn a_quick_tier_makes_no_certificate() {
    let dir = tempfile::tempdir().unwrap();
    check(
        dir.path(),
        &["certify", "reference", "--function", "ligrec"],
        0,
        "A quick tier certifies nothing",
    );
    assert!(!dir.path().join("out/certificate.intoto.json").exists());
    assert!(dir.path().join("out/report.html").is_file());
}

/// What the operating system says stands in a message once, however many layers it came through.
#[test]
fn an_unreadable_file_is_named_once() {
    let dir = tempfile::tempdir().unwrap();
    let said = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_concord"))
            .args(arguments)
            .current_dir(dir.path())
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(3), "{text}");
        text
    };
    for arguments in [
        &["certify", "reference", "--data", "none.h5ad"][..],
        &["report", "none"],
        &["verify", "none.json"],
        &["golden", "none"],
    ] {
        let text = said(arguments);
        assert_eq!(text.matches("No such file").count(), 1, "{arguments:?}: {text}");
    }
    std::fs::write(dir.path().join("results.jsonl"), "{}\n").unwrap();
    let text = said(&["report", "results.jsonl"]);
    assert_eq!(text.matches("missing field").count(), 1, "{text}");
}
