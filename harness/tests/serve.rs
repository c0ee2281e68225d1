//! A backend of this project in a process of its own gives the answers that it gives here, bit for bit.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::process::Command;

use dispatch::worker::{Launch, Worker};
use dispatch::{Backend, Fault, Reply, Value};
use generators::Recipe;

fn served(name: &str) -> Worker {
    let mut launch = Launch::new(env!("CARGO_BIN_EXE_concord"));
    launch.args = ["serve", name].map(Into::into).into();
    Worker::start(launch).unwrap()
}

#[test]
fn answers_are_the_same_in_a_process() {
    let (here, there) = (reference::backend(), served("reference"));
    assert_eq!(there.manifest(), here.manifest());
    for generator in generators::GENERATORS {
        for seed in 0..8 {
            for recipe in generators::plan::pairwise(generator, seed).into_iter().take(5) {
                let call = recipe.build();
                let answer = there.run(&call).map(|reply| Reply {
                    elapsed: None,
                    peak_bytes: None,
                    ..reply
                });
                assert_eq!(answer, here.run(&call), "{} {recipe}", generator.function);
            }
        }
    }
}

#[test]
fn a_gibibyte_of_addresses_is_enough() {
    let mut launch = Launch::new(env!("CARGO_BIN_EXE_concord"));
    launch.args = ["serve", "reference"].map(Into::into).into();
    launch.memory = Some(1 << 30);
    let worker = Worker::start(launch).unwrap();
    for seed in 0..50 {
        let generator = generators::generator("spatial_autocorr").unwrap();
        let recipe = generators::plan::pairwise(generator, seed).swap_remove(0);
        let answer = worker.run(&recipe.build());
        assert!(matches!(answer, Ok(_) | Err(Fault::Rejected { .. })), "{recipe}: {answer:?}");
    }
}

#[test]
fn a_refusal_is_the_same_in_a_process() {
    let generator = generators::generator("co_occurrence").unwrap();
    let mut call = Recipe::simplest(generator, 1).build();
    call.params.insert("cluster_key".to_owned(), Value::from("nothing"));
    let refused = served("reference").run(&call).unwrap_err();
    assert!(matches!(refused, Fault::Rejected { ref kind, .. } if kind == "KeyError"), "{refused}");
    assert_eq!(Err(refused), reference::backend().run(&call));
}

#[test]
fn a_process_of_the_users_file_is_examined_like_any_backend() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("backends.toml");
    let concord = env!("CARGO_BIN_EXE_concord");
    let entry = format!(
        "[[backend]]\nname = 'apart'\ncommand = ['{concord}', 'serve', 'mutant:cooc-strict-threshold']\n"
    );
    std::fs::write(&file, entry).unwrap();
    let mut certify = Command::new(concord);
    certify.args(["certify", "apart", "--function", "co_occurrence", "--jobs", "2", "--out"]);
    certify.arg(dir.path().join("out")).env("CONCORD_BACKENDS", &file);
    let output = certify.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(1), "{text}{}", String::from_utf8_lossy(&output.stderr));
    assert!(text.contains("NOT CONFORMANT") && text.contains("occ: value"), "{text}");
}

#[test]
fn a_backend_that_cannot_be_started_says_why_and_what_to_do() {
    let output = Command::new(env!("CARGO_BIN_EXE_concord"))
        .args(["certify", "squidpy"])
        .env("CONCORD_PYTHON", "/nowhere/at/all")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(3), "{text}");
    assert!(text.contains("/nowhere/at/all") && text.contains("python-env"), "{text}");
}
