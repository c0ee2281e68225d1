//! A host with one function and two backends: `cargo run -p dispatch --example host`.

use std::sync::Arc;

use dispatch::{
    Backend, Dataset, Device, Digest, Dispatcher, Entry, Fault, Function, Manifest, Param, Params,
    Provider, Reply, Semantics, Signature, Table, Trusted, Value,
};

/// What users see: `mean(adata, scale=1.0, seed=None, *, n_jobs=1)`.
fn mean() -> Signature {
    Signature::new([
        Param::required("adata"),
        Param::optional("scale", 1.0),
        Param::optional("seed", Value::None),
        Param::keyword("n_jobs", 1),
    ])
}

/// What the backend `tiled` offers: no seed, no workers, a parameter of its own.
fn mean_tiled() -> Signature {
    Signature::new([
        Param::required("adata"),
        Param::keyword("scale", 1.0),
        Param::keyword("tile", 32),
    ])
}

fn compute(_: &(), data: &Dataset, params: &Params) -> Result<Reply, Fault> {
    let scale = params.get("scale").and_then(Value::as_f64).unwrap_or(1.0);
    Ok(Reply::returning(Value::Float(scale * data.n_obs() as f64)))
}

/// A backend of one function under a name.
fn backend(name: &str, entries: &'static [Entry<()>]) -> Arc<dyn Backend> {
    let (name, summary) = (name.to_owned(), "an example".to_owned());
    let artifact = Digest::of_bytes(name.as_bytes());
    let (version, functions) = ("1.0".to_owned(), Default::default());
    let manifest = Manifest { name, version, summary, device: Device::Cpu, functions, artifact };
    Arc::new(Table::new(manifest, (), entries))
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    const TILED: &[Entry<()>] = &[Entry { name: "mean", signature: mean_tiled, run: compute }];
    let host = Dispatcher::builder("example")
        .trust(Trusted { aliases: vec!["t".into()], ..Trusted::new("tiled", "cargo add tiled") })
        .discover(|| {
            Ok(vec![
                Provider::loaded(backend("tiled", TILED)),
                Provider::loaded(backend("bare", &[])),
            ])
        })
        .build()?;
    let semantics = Semantics::new(["seed"]).neutral(["n_jobs"]);
    let f =
        Function::new("mean", mean(), semantics, |call| compute(&(), &call.data, &call.params))?;

    let arguments = || vec![Value::Data(Arc::new(Dataset::new())), Value::Float(2.0)];
    for name in ["cpu", "t", "bare"] {
        println!(
            "asked {name}, answered by {}",
            host.call(&f, arguments(), Params::new(), Some(name))?.by
        );
    }
    let seeded = Params::from([("seed".to_owned(), Value::Int(7))]);
    println!(
        "{}",
        host.call(&f, arguments(), seeded, Some("tiled")).map_or_else(|e| e.to_string(), |a| a.by)
    );
    Ok(())
}
