//! `reproduce.py`: the host's side of a counterexample in at most 15 lines, without us.

use dispatch::{Params, Value};

use super::literal::text;
use super::{Capsule, literal};

/// The Python module that offers the functions.
const HOST: &str = "squidpy";

/// The script of a capsule; `fortran` lists matrices that must be column-major, which the file does not keep.
///
/// It calls the host on the input, prints what it says now, and then what both sides were recorded to say at the places
/// that differ. A backend inside the examiner has no Python module, so its answer is the recorded one.
pub fn script(capsule: &Capsule, fortran: &[String]) -> String {
    let (host, backend) = (&capsule.host.manifest, &capsule.backend.manifest);
    let say = |text: &str| text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let title: String = say(&format!(
        "{}: {}, {}. Recorded: host {} {}, backend {} {}.",
        capsule.id(),
        capsule.call.function,
        capsule.check,
        host.name,
        host.version,
        backend.name,
        backend.version
    ));
    let orders: Vec<String> = fortran.iter().filter_map(|path| reorder(path)).collect();
    let mut lines = vec![
        format!("# {title}"),
        "import json, pathlib".to_owned(),
        format!("import anndata, numpy as np, pandas as pd, scipy.sparse as sp, {HOST}"),
        "here = pathlib.Path(__file__).resolve().parent".to_owned(),
        "adata = anndata.read_h5ad(here / \"input.h5ad\")".to_owned(),
    ];
    if !orders.is_empty() {
        lines.push(orders.join("; "));
    }
    lines.push(format!("params = {}", arguments(&capsule.call.params)));
    lines.extend(
        [
            "try:",
            &format!("    answer = {HOST}.gr.{}(adata, **params)", capsule.call.function),
            &format!("    print(\"{HOST} now:\", dict(adata.uns) if answer is None else answer, sep=\"\\n\")"),
            "except Exception as error:",
            &format!("    print(\"{HOST} now:\", repr(error))"),
            "for check in json.loads((here / \"capsule.json\").read_text(\"utf-8\"))[\"checks\"]:",
            "    if \"finding\" in check:",
            "        print(check[\"name\"], check[\"finding\"])",
        ]
        .map(str::to_owned),
    );
    lines.join("\n") + "\n"
}

/// The assignment that makes a matrix column-major; none for `raw`, which anndata does not let one assign.
fn reorder(path: &str) -> Option<String> {
    let place = match path.split_once('/') {
        None if path == "X" => "adata.X".to_owned(),
        Some((group @ ("layers" | "obsm" | "varm" | "obsp" | "varp"), key)) => {
            format!("adata.{group}[{}]", text(key))
        }
        None | Some(_) => return None,
    };
    Some(format!("{place} = np.asfortranarray({place})"))
}

/// The arguments as a dict display. What Python source cannot hold becomes `...`, and the call then says so itself.
fn arguments(params: &Params) -> String {
    // The stream of the permutations is a parameter of the reference, not of the host.
    let known = params.iter().filter(|(name, _)| *name != "rng");
    let entry = |(name, value): (&String, &Value)| {
        format!("{}: {}", text(name), literal(value).unwrap_or_else(|_| "...".to_owned()))
    };
    format!("{{{}}}", known.map(entry).collect::<Vec<_>>().join(", "))
}
