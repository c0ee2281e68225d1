//! A host with one function and two backends: `cargo run -p dispatch --example host`.

use std::{error::Error, sync::Arc};

use dispatch::*;

/// What users see: `mean(adata, scale=1.0, seed=None, *, n_jobs=1)`.
fn mean() -> Signature {
    let scale = Param::optional("scale", 1.0);
    let seed = Param::optional("seed", Value::None);
    Signature::new([Param::required("adata"), scale, seed, Param::keyword("n_jobs", 1)])
}

/// What the backend `tiled` has: no seed, no workers, a parameter of its own.
fn mean_tiled() -> Signature {
    let scale = Param::keyword("scale", 1.0);
    Signature::new([Param::required("adata"), scale, Param::keyword("tile", 32)])
}

fn compute(_: &(), data: &Dataset, params: &Params) -> Result<Reply, Fault> {
    let scale = params.get("scale").and_then(Value::as_f64).unwrap_or(1.0);
    Ok(Reply::returning(Value::Float(scale * data.n_obs() as f64)))
}

const TILED: &[Entry<()>] = &[Entry { name: "mean", signature: mean_tiled, run: compute }];

fn backend(name: &str, entries: &'static [Entry<()>]) -> Provider {
    let artifact = Digest::of_bytes(name.as_bytes());
    let (name, version, summary) = (name.to_owned(), "1.0".to_owned(), "an example".to_owned());
    let (device, functions) = (Device::Cpu, Default::default());
    let manifest = Manifest { name, version, summary, device, functions, artifact };
    Provider::loaded(Arc::new(Table::new(manifest, (), entries)))
}

fn main() -> Result<(), Box<dyn Error>> {
    let host = Dispatcher::builder("example")
        .trust(Trusted { aliases: vec!["t".into()], ..Trusted::new("tiled", "cargo add tiled") })
        .discover(|| Ok(vec![backend("tiled", TILED), backend("bare", &[])]))
        .build()?;
    let semantics = Semantics::new(["seed"]).neutral(["n_jobs"]);
    let f = Function::new("mean", mean(), semantics, |c| compute(&(), &c.data, &c.params))?;

    let arguments = || vec![Value::Data(Dataset::new().into()), Value::Float(2.0)];
    for name in ["cpu", "t", "bare"] {
        let by = host.call(&f, arguments(), Params::new(), Some(name))?.by;
        println!("asked {name}, answered by {by}");
    }
    let seeded = Params::from([("seed".to_owned(), Value::Int(7))]);
    let lost = host.call(&f, arguments(), seeded, Some("tiled"));
    println!("{}", lost.map_or_else(|error| error.to_string(), |answer| answer.by));
    Ok(())
}
