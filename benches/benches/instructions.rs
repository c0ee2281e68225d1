//! Instructions that a call of each function takes on one thread, counted by valgrind: the same number on a busy machine.
//!
//! `cargo bench -p benches --bench instructions` needs valgrind and `cargo install gungraun-runner --version 0.19.4`;
//! `-- --save-baseline=NAME` keeps the counts, `-- --baseline=NAME` exits with 3 where one has grown by more than 2 %.
//! valgrind has no AVX-512, so what is counted is the path for AVX2. The answer is the one of a call before, outside
//! what is counted.

#![expect(missing_docs, reason = "the items that the macros make")]

use std::hint::black_box;

use dispatch::{Backend, Call, Fault, Params, Reply, Value};
use generators::sized::{Shape, Storage, dataset};
use gungraun::{
    Callgrind, EventKind, LibraryBenchmarkConfig, library_benchmark, library_benchmark_group, main,
};

/// A call, and the digest of its answer.
struct Prepared {
    backend: Box<dyn Backend>,
    call: Call,
    digest: Option<String>,
}

fn prepare(function: &str, cells: usize, params: &[(&str, Value)]) -> Prepared {
    // Nothing is counted on other threads than this one.
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).use_current_thread();
    pool.build_global().expect("the first pool of the process");
    let params: Params =
        params.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    let shape = Shape { cells, genes: 50, clusters: 5, stored: 10 };
    let call = Call::new(function, dataset(shape, Storage::CsrF32, 0), params);
    let backend: Box<dyn Backend> = Box::new(reference::backend());
    let digest = digest(&backend.run(&call));
    Prepared { backend, call, digest }
}

fn digest(answer: &Result<Reply, Fault>) -> Option<String> {
    answer.as_ref().ok().map(|reply| format!("{:?}", reply.data.digest()))
}

fn autocorr(mode: &str, n_perms: Value) -> Prepared {
    let params = [("mode", mode.into()), ("n_perms", n_perms), ("copy", true.into())];
    prepare("spatial_autocorr", 5000, &params)
}

fn co_occurrence() -> Prepared {
    let params = [("cluster_key", "cluster".into()), ("copy", true.into())];
    prepare("co_occurrence", 2000, &params)
}

fn ligrec() -> Prepared {
    let pair = |i: usize| Value::Tuple(vec![format!("g{i}").into(), format!("g{}", i + 7).into()]);
    let params = [
        ("cluster_key", "cluster".into()),
        ("interactions", Value::List((0..10).map(pair).collect())),
        ("n_perms", Value::Int(100)),
        ("use_raw", false.into()),
        ("copy", true.into()),
    ];
    prepare("ligrec", 1000, &params)
}

fn same((answer, expected): (Result<Reply, Fault>, Option<String>)) {
    assert!(expected.is_some(), "{answer:?}");
    assert_eq!(digest(&answer), expected);
}

#[library_benchmark(teardown = same)]
#[bench::moran(autocorr("moran", Value::None))]
#[bench::geary(autocorr("geary", Value::None))]
#[bench::moran_permuted(autocorr("moran", Value::Int(20)))]
#[bench::co_occurrence(co_occurrence())]
#[bench::ligrec(ligrec())]
fn call(prepared: Prepared) -> (Result<Reply, Fault>, Option<String>) {
    (black_box(prepared.backend.run(&prepared.call)), prepared.digest)
}

library_benchmark_group!(
    name = functions;
    config = LibraryBenchmarkConfig::default()
        .tool(Callgrind::default().soft_limits([(EventKind::Ir, 2.0)]));
    benchmarks = call
);

main!(library_benchmark_groups = functions);
