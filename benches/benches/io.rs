//! Reading and writing `.h5ad`, and building generated calls. `cargo bench -p benches --bench io`; bytes per second
//! of values and indices held in memory.
//!
//! Outside the timed region what was written is read and has the digest of what was to be written; a recipe builds
//! the same call twice.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use generators::sized::{Shape, Storage, dataset};

fn files(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("data.h5ad");
    let mut group = criterion.benchmark_group("h5ad");
    group.sample_size(10);
    let large = [Storage::CsrF32, Storage::CsrF64, Storage::CscF32, Storage::DenseF32];
    let cases = large.map(|storage| (20_000, storage));
    for (cells, storage) in [(60, Storage::CsrF32)].into_iter().chain(cases) {
        let data = dataset(Shape { cells, genes: 500, clusters: 3, stored: 10 }, storage, 0);
        let bytes = match storage {
            Storage::DenseF32 => cells * 500 * 4,
            Storage::CsrF32 | Storage::CscF32 => cells * 50 * 8,
            Storage::CsrF64 => cells * 50 * 12,
        };
        anndata_io::write(&path, &data).expect("written");
        let back = anndata_io::read(&path).expect("read").data;
        assert_eq!(back.digest(), data.digest(), "{cells} {storage:?}");
        group.throughput(Throughput::Bytes(bytes as u64));
        let name = format!("{cells} cells {storage:?}");
        group.bench_function(BenchmarkId::new("write", &name), |b| {
            b.iter(|| anndata_io::write(&path, black_box(&data)).is_ok())
        });
        group.bench_function(BenchmarkId::new("read", &name), |b| {
            b.iter(|| black_box(anndata_io::read(&path).is_ok()))
        });
    }
    group.finish();
}

fn recipes(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("recipes");
    for contract in harness::CONTRACTS {
        let Some(generator) = generators::generator(contract.function) else { continue };
        let recipes = generators::plan::pairwise(generator, 1);
        assert!(recipes.iter().all(|recipe| recipe.build().digest() == recipe.build().digest()));
        group.throughput(Throughput::Elements(recipes.len() as u64));
        group.bench_function(BenchmarkId::new("build", contract.function), |b| {
            b.iter(|| recipes.iter().map(|recipe| recipe.build().params.len()).sum::<usize>())
        });
        group.bench_function(BenchmarkId::new("plan", contract.function), |b| {
            b.iter(|| generators::plan::pairwise(generator, black_box(1)).len())
        });
    }
    group.finish();
}

criterion_group!(benches, files, recipes);
criterion_main!(benches);
