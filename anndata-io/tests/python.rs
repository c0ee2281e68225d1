//! The real anndata finds what we write equal to what we read.
//!
//! Runs where the environment variable `CONCORD_PYTHON` names an interpreter that has anndata 0.13 (and
//! dask, which anndata's own comparison imports); elsewhere it says that it was not run.

use std::path::Path;
use std::process::Command;

#[test]
fn python_finds_rewritten_files_equal() {
    let Some(python) = std::env::var_os("CONCORD_PYTHON") else {
        println!("not run: set CONCORD_PYTHON to an interpreter with anndata 0.13 and dask");
        return;
    };
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    // Cargo builds examples before it runs tests, next to the folder of this program.
    let this = std::env::current_exe().unwrap();
    let program = this.parent().and_then(Path::parent).unwrap().join("examples/roundtrip");
    let inputs = ["every_slot", "empty_0x3", "packed", "unknown"];
    let run = Command::new(python)
        .arg(tests.join("python/roundtrip.py"))
        .arg(program)
        .args(inputs.map(|name| tests.join(format!("data/{name}.h5ad"))))
        .output()
        .unwrap();
    let (out, err) = (String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    assert!(run.status.success(), "{out}{err}");
    assert!(out.contains("4 of 4 files survive"), "{out}");
}
