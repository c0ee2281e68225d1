//! How many cases one core builds, runs on both sides and judges, at n <= 64 without permutations, and where
//! the time goes. `cargo bench -p benches --bench judged`; elements per second are cases per second and core.
//!
//! Outside the timed region every case is checked to pass: a fast examination of wrong answers is worth nothing.

use std::sync::Arc;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use dispatch::{Backend, Call, Value};
use generators::Recipe;
use harness::Case;
use harness::examine::Examination;
use reports::{Source, Verdict};

fn recipes(function: &str) -> Vec<Recipe> {
    let Some(generator) = generators::generator(function) else { return Vec::new() };
    let small = |recipe: &Recipe| {
        let call = recipe.build();
        let permutes =
            call.params.get("n_perms").is_some_and(|n| *n != Value::None && *n != Value::Int(1));
        call.data.n_obs() <= 64 && (!permutes || function == "ligrec")
    };
    generators::plan::pairwise(generator, 1).into_iter().filter(small).collect()
}

fn examination() -> Examination {
    Examination {
        host: Arc::new(reference::backend()),
        backend: Arc::new(reference::backend()),
        precision: reports::Precision::P64,
        deadline: Duration::from_secs(60),
        host_name: "reference".to_owned(),
        backend_name: "reference".to_owned(),
        replay_args: String::new(),
    }
}

/// `ligrec` always permutes; one permutation is the least it accepts.
fn without_permutations(mut call: Call) -> Arc<Call> {
    if call.function == "ligrec"
        && matches!(call.params.get("n_perms"), Some(Value::Int(n)) if *n > 0)
    {
        call.params.insert("n_perms".to_owned(), Value::Int(1));
    }
    Arc::new(call)
}

fn judged(criterion: &mut Criterion) {
    for contract in harness::CONTRACTS {
        let function = contract.function;
        let recipes = recipes(function);
        let examination = examination();
        let mut session = examination.session();
        for recipe in &recipes {
            let record = session.record(Source::MustPass, &Case::Recipe(recipe.clone()));
            assert_eq!(record.verdict, Verdict::Pass, "{} {}", record.case, record.reason);
        }
        let calls: Vec<Arc<Call>> =
            recipes.iter().map(|r| without_permutations(r.build())).collect();
        let reference = reference::backend();
        let mut group = criterion.benchmark_group(function);
        group.throughput(Throughput::Elements(recipes.len() as u64));
        group.bench_function("build", |b| {
            b.iter(|| recipes.iter().map(|r| r.build().params.len()).sum::<usize>())
        });
        group.bench_function("run", |b| {
            b.iter(|| calls.iter().filter(|call| reference.run(call).is_ok()).count())
        });
        group.bench_function("digest", |b| b.iter(|| calls.iter().map(|c| c.digest()).max()));
        group.bench_function("exchange", |b| {
            b.iter(|| {
                calls
                    .iter()
                    .map(|call| session.exchange(call.clone()).judgement.checks.len())
                    .sum::<usize>()
            })
        });
        group.finish();
    }
}

criterion_group!(benches, judged);
criterion_main!(benches);
