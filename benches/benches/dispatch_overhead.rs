//! What a call costs between the host's public function and the backend's: bind, select, route.
//! `benches/dispatch_overhead.sh` runs this and the same calls through scverse-backends in Python.
//!
//! The function has 15 parameters, as squidpy's `spatial_autocorr`. What is asserted before anything is timed: the
//! right backend gets the right arguments.

use std::hint::black_box;
use std::sync::Arc;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use dispatch::{
    Backend, Call, Dataset, Device, Digest, Dispatcher, Fault, Function, Manifest, Param, Params,
    Provider, Reply, Semantics, Signature, Trusted, Value,
};

const OPTIONS: [&str; 14] = [
    "connectivity_key",
    "genes",
    "mode",
    "transformation",
    "n_perms",
    "two_tailed",
    "corr_method",
    "attr",
    "layer",
    "seed",
    "use_raw",
    "copy",
    "n_jobs",
    "show_progress_bar",
];

fn host_signature() -> Signature {
    let options = OPTIONS.iter().map(|name| Param::optional(name, Value::None));
    Signature::new([Param::required("adata")].into_iter().chain(options))
}

/// The same parameters, by keyword only, without `n_jobs` and `show_progress_bar`, and one of its own.
fn backend_signature() -> Signature {
    let shared = OPTIONS[..12].iter().map(|name| Param::keyword(name, Value::None));
    Signature::new(
        [Param::required("adata")]
            .into_iter()
            .chain(shared)
            .chain([Param::keyword("use_sparse", true)]),
    )
}

struct Fast(Manifest);

impl Backend for Fast {
    fn manifest(&self) -> &Manifest {
        &self.0
    }
    fn run(&self, _: &Call) -> Result<Reply, Fault> {
        Ok(Reply::default())
    }
}

fn dispatcher() -> Dispatcher {
    let manifest = Manifest {
        name: "fast".to_owned(),
        version: "1.0".to_owned(),
        summary: "answers nothing".to_owned(),
        device: Device::Cpu,
        functions: [("spatial_autocorr".to_owned(), backend_signature())].into(),
        artifact: Digest::of_bytes(b"fast"),
    };
    let dispatcher = Dispatcher::builder("host")
        .trust(Trusted::new("fast", "cargo add fast"))
        .build()
        .expect("a valid dispatcher");
    dispatcher.register(Provider::loaded(Arc::new(Fast(manifest))));
    dispatcher
}

/// `keywords` of the options, as a caller passes them.
fn arguments(data: &Arc<Dataset>, keywords: usize) -> (Vec<Value>, Params) {
    let values = OPTIONS.iter().take(keywords).map(|name| ((*name).to_owned(), Value::Int(3)));
    (vec![Value::Data(data.clone())], values.collect())
}

fn overhead(criterion: &mut Criterion) {
    let dispatcher = dispatcher();
    let run = |_: &Call| Ok(Reply::default());
    let function = Function::new("spatial_autocorr", host_signature(), Semantics::default(), run)
        .expect("a valid function");
    let data = Arc::new(Dataset::new());
    let mut group = criterion.benchmark_group("dispatch");
    for keywords in [0, 3, 6] {
        let (positional, keyword) = arguments(&data, keywords);
        let prepared =
            dispatcher.prepare(&function, positional, keyword, Some("fast")).expect("a call");
        assert_eq!(prepared.call.params.len(), keywords);
        for (name, backend) in [("backend", Some("fast")), ("host", None)] {
            group.bench_function(format!("{name}, {keywords} keywords"), |b| {
                // Building the arguments is the caller's work, not the dispatcher's.
                b.iter_batched(
                    || arguments(&data, keywords),
                    |(positional, keyword)| {
                        black_box(
                            dispatcher
                                .prepare(&function, positional, keyword, backend)
                                .map(|p| p.call.params.len()),
                        )
                    },
                    BatchSize::SmallInput,
                );
            });
        }
    }
    group.finish();
}

criterion_group!(benches, overhead);
criterion_main!(benches);
