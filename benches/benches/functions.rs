//! The functions of the reference over sizes, densities, dtypes and permutations, on all threads of the machine.
//! `cargo bench -p benches --bench functions -- FILTER`; elements are nonzero-edges, pairs of cells, or additions.
//!
//! Outside the timed region each call is checked to give the same digest on one thread and on seven.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use dispatch::{Backend, Call, Params, Value};
use generators::sized::{Shape, Storage, dataset};
use reference::rng::{LIGREC, Permutations};

fn call(function: &str, shape: Shape, storage: Storage, params: &[(&str, Value)]) -> Call {
    let params: Params =
        params.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    Call::new(function, dataset(shape, storage, 0), params)
}

/// Asserts that threads do not change the answer, then times the call.
fn bench(criterion: &mut Criterion, group: &str, name: String, elements: u64, call: &Call) {
    let backend = reference::backend();
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
        pool.install(|| backend.run(call)).expect("an answer").data.digest()
    };
    assert_eq!(on(1), on(7), "{group} {name}");
    let mut group = criterion.benchmark_group(group);
    group.throughput(Throughput::Elements(elements)).sample_size(10);
    group.bench_function(BenchmarkId::from_parameter(name), |b| {
        b.iter(|| black_box(backend.run(call).is_ok()))
    });
    group.finish();
}

fn spatial_autocorr(criterion: &mut Criterion) {
    let shape = |cells, genes, stored| Shape { cells, genes, clusters: 5, stored };
    let cases = [
        (shape(60, 8, 3), Storage::CsrF32, None),
        (shape(20_000, 500, 100), Storage::CsrF32, None),
        (shape(20_000, 500, 10), Storage::CsrF32, None),
        (shape(20_000, 500, 10), Storage::CsrF64, None),
        (shape(20_000, 500, 10), Storage::CscF32, None),
        (shape(20_000, 500, 2), Storage::CsrF32, None),
        (shape(20_000, 500, 1), Storage::DenseF32, None),
        (shape(20_000, 100, 10), Storage::CsrF32, Some(100)),
        (shape(20_000, 100, 1), Storage::DenseF32, Some(100)),
    ];
    for (shape, storage, n_perms) in cases {
        for mode in ["moran", "geary"] {
            let perms = n_perms.map_or(Value::None, Value::Int);
            let given = [("mode", mode.into()), ("n_perms", perms), ("copy", true.into())];
            let Shape { cells, genes, stored, .. } = shape;
            let name = format!("{mode} {cells}x{genes} 1/{stored} {storage:?} perms {n_perms:?}");
            let entries = (cells * genes / stored as usize) as u64;
            let each = n_perms.map_or(6, |n| n as u64);
            let call = call("spatial_autocorr", shape, storage, &given);
            bench(criterion, "spatial_autocorr", name, entries * each, &call);
        }
    }
}

fn co_occurrence(criterion: &mut Criterion) {
    for (cells, clusters) in [(60, 3), (5000, 5), (5000, 100), (20_000, 20), (50_000, 30)] {
        let shape = Shape { cells, genes: 1, clusters, stored: 2 };
        let given = [("cluster_key", "cluster".into()), ("copy", true.into())];
        let call = call("co_occurrence", shape, Storage::CsrF32, &given);
        let pairs = (cells * (cells - 1) / 2) as u64;
        bench(
            criterion,
            "co_occurrence",
            format!("{cells} cells {clusters} clusters"),
            pairs,
            &call,
        );
    }
}

fn ligrec(criterion: &mut Criterion) {
    for (cells, genes, stored, n_perms) in
        [(60, 8, 3, 10), (2000, 100, 10, 1000), (20_000, 200, 10, 100), (20_000, 200, 2, 100)]
    {
        let shape = Shape { cells, genes, clusters: 20.min(cells / 10), stored };
        let pair = |i: usize| {
            let gene = |g: usize| Value::Text(format!("g{}", g % genes));
            Value::List(vec![gene(i), gene(3 * i + 1)])
        };
        let given = [
            ("cluster_key", "cluster".into()),
            ("interactions", Value::List((0..genes / 2 + 1).map(pair).collect())),
            ("n_perms", Value::Int(n_perms)),
            ("use_raw", false.into()),
            ("copy", true.into()),
        ];
        let call = call("ligrec", shape, Storage::CsrF32, &given);
        let additions = (cells * genes / stored as usize) as u64 * n_perms as u64;
        let name = format!("{cells}x{genes} 1/{stored} perms {n_perms}");
        bench(criterion, "ligrec", name, additions, &call);
    }
}

fn permutations(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("permutations");
    for cells in [60, 20_000, 100_003] {
        let stream = Permutations::new(LIGREC, 1, cells);
        let mut images = vec![0; cells];
        stream.fill(9, &mut images);
        assert!((0..cells).step_by(7).all(|i| images[i] == stream.at(9, i)), "{cells}");
        group.throughput(Throughput::Elements(cells as u64));
        group.bench_function(BenchmarkId::from_parameter(cells), |b| {
            b.iter(|| stream.fill(black_box(9), &mut images))
        });
    }
    group.finish();
}

criterion_group!(benches, permutations, spatial_autocorr, co_occurrence, ligrec);
criterion_main!(benches);
