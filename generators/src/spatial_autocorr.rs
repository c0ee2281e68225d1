//! Calls of `spatial_autocorr`: Moran's I and Geary's C of values on a graph.
//!
//! The knob `source` says where the values under test stand; `X`, the layer and `raw` all exist in every
//! dataset, and those not asked for hold other numbers. The same goes for the graph and `connectivity_key`.

use dispatch::{Buffer, Call, Dataset, Dense, Dtype, Format, Params, Value};

use crate::parts::annotated::{self, decoy_matrix};
use crate::parts::expression::{self, Expression, Storage, store};
use crate::parts::graph::{self, Graph, Isolated, Layout, Shape, Weights};
use crate::recipe::ARGUMENTS;
use crate::{Generator, Knob, Levels, Recipe, Rung};

/// The recipes of `spatial_autocorr`.
pub static SPATIAL_AUTOCORR: Generator =
    Generator { function: "spatial_autocorr", knobs: KNOBS, ladder: LADDER, build, valid };

static LADDER: &[Rung] = &[
    // The permutations of 512 cells and more are drawn in another way than those of fewer.
    Rung { recipe: "cells=1025 graph=radius n_perms=19", heavy: false },
    Rung { recipe: "cells=1024 graph=random weights=dyadic mode=geary n_perms=19", heavy: false },
    // Genes in tiles of 3072, and one more or less.
    Rung { recipe: "genes=3071", heavy: false },
    Rung { recipe: "genes=3072 mode=geary", heavy: false },
    Rung { recipe: "genes=3073 storage=csr", heavy: false },
    Rung { recipe: "genes=6145 n_perms=5", heavy: false },
];

const YES: &[&str] = &["no", "yes"];

static KNOBS: &[Knob] = &[
    // A ring of three is complete: its variance is 0 up to rounding. Four is the least that has one.
    Knob::new(
        "cells",
        &["4", "5", "8", "17", "33", "64", "129", "257", "3", "2", "1", "1024", "1025"],
    )
    .edges(&["3", "2", "1"])
    .large(&["1024", "1025"]),
    Knob::new("genes", &["2", "1", "3", "8", "33", "3071", "3072", "3073", "6145"])
        .large(&["3071", "3072", "3073", "6145"]),
    // On a complete graph every gene has the same score, of variance 0.
    Knob::new("graph", Shape::NAMES).edges(&["complete", "empty"]),
    Knob::new("weights", Weights::NAMES),
    Knob::new("graph_dtype", &["f64", "f32", "i64", "bool"]),
    Knob::new("index", &["int32", "int64"]),
    Knob::new("indices", &["sorted", "unsorted"]),
    Knob::new("isolated", Isolated::NAMES),
    Knob::new("loops", YES),
    Knob::new("zeros", YES),
    Knob::new("duplicates", YES),
    // The host takes CSR only.
    Knob::new("format", &["csr", "csc"]).edges(&["csc"]),
    Knob::new("expression", Expression::NAMES),
    Knob::new("storage", Storage::NAMES),
    Knob::new("dtype", &["f64", "f32", "i32", "i64", "u8"]),
    Knob::new("missing", &["none", "nan", "inf"]),
    Knob::new("source", &["X", "layer", "raw", "raw-over-layer", "obs", "obsm"]),
    Knob::new("subset", &["all", "list", "text", "repeated", "highly-variable"]),
    Knob::new("connectivity_key", &["spatial_connectivities", "other"]),
    Knob::new("mode", &["moran", "geary"]),
    Knob::new("transformation", &["true", "false"]),
    Knob::new("n_perms", &["none", "5", "19", "99"]),
    Knob::new("two_tailed", &["false", "true"]),
    Knob::new("corr_method", &["fdr_bh", "none", "bonferroni", "fdr_by"]),
    Knob::new("copy", &["true", "false"]),
    Knob::new("arguments", ARGUMENTS).edges(&["changed"]),
    Knob::new("invalid", INVALID).edges(INVALID.split_at(1).1),
];

const INVALID: &[&str] = &[
    "none",
    "missing-key",
    "bad-mode",
    "zero-perms",
    "negative-perms",
    "bad-corr",
    "unknown-gene",
    "missing-layer",
    "missing-raw",
    "bad-attr",
];

fn valid(recipe: &Recipe) -> bool {
    let dtype = dtype(recipe, "dtype");
    let graph_is_bool = recipe.is("graph_dtype", "bool");
    let has_missing = !recipe.is("missing", "none");
    let source = recipe.level("source");
    let storage = recipe.choice::<Storage>("storage");
    let held = match source {
        "obs" => storage == Storage::C,
        "obsm" => matches!(storage, Storage::C | Storage::F),
        _ => true,
    };
    // Names of columns cannot be asked of obsm, a mask over genes only of genes that var has.
    let asked = match recipe.level("subset") {
        "text" => source != "obsm",
        "highly-variable" => matches!(source, "X" | "layer"),
        _ => true,
    };
    recipe.choice::<Expression>("expression").fits(dtype)
        && (dtype.is_float() || !has_missing)
        // A gene without an answer stands among others that have one.
        && !(recipe.is("genes", "1") && (has_missing || recipe.is("expression", "constant")))
        // Whether two `true` entries add up to 1 or 2 is nobody's contract.
        && !(graph_is_bool && (!recipe.is("weights", "one") || recipe.is("duplicates", "yes")))
        && held
        && asked
        && recipe.is_lone("invalid")
}

fn dtype(recipe: &Recipe, knob: &str) -> Dtype {
    expression::dtype(recipe.level(knob)).unwrap_or(Dtype::F64)
}

fn build(recipe: &Recipe) -> Call {
    let (cells, genes) = (recipe.number("cells"), annotated::genes(recipe.number("genes")));
    let mut data = annotated::dataset(cells, &genes, &mut recipe.random("score"));
    place_values(recipe, &mut data, cells, &genes);
    place_graphs(recipe, &mut data, cells);
    let mut params = params(recipe, &genes);
    spoil(recipe.level("invalid"), &mut data, &mut params);
    recipe.leave_out_defaults(&mut params, &defaults());
    Call::new("spatial_autocorr", data, params)
}

/// Puts the values under test where `source` says and decoys elsewhere.
fn place_values(recipe: &Recipe, data: &mut Dataset, cells: usize, genes: &[String]) {
    let (n, dtype) = (genes.len(), dtype(recipe, "dtype"));
    let mut values =
        expression::values(recipe.choice("expression"), cells, n, &mut recipe.random("expression"));
    match recipe.level("missing") {
        "nan" => values[cells / 2 * n + n - 1] = f64::NAN,
        "inf" => values[cells / 2 * n + n - 1] = f64::INFINITY,
        _ => {}
    }
    let storage = recipe.choice("storage");
    let held = |values: &[f64], columns| store(values, (cells, columns), storage, dtype);
    let decoy = |name: &str| decoy_matrix(&values, (cells, n), &mut recipe.random(name));
    let source = recipe.level("source");
    data.set("X", if source == "X" { held(&values, n) } else { decoy("X") });
    data.set("layers/counts", if source == "layer" { held(&values, n) } else { decoy("layer") });
    let is_raw = matches!(source, "raw" | "raw-over-layer");
    let raw_random = &mut recipe.random("raw");
    let raw = match is_raw {
        true => annotated::raw_values(&values, n, raw_random),
        false => {
            let decoy = annotated::decoy(&values, raw_random);
            annotated::raw_values(&decoy, n, raw_random)
        }
    };
    let raw = match is_raw {
        true => held(&raw, n + 1),
        false => store(&raw, (cells, n + 1), Storage::C, Dtype::F64),
    };
    annotated::set_raw(data, raw, &annotated::raw_genes(genes));
    data.set("obsm/X_pca", if source == "obsm" { held(&values, n) } else { decoy("obsm") });
    if source == "obs" {
        for (j, gene) in genes.iter().enumerate() {
            let column: Vec<f64> = values.iter().skip(j).step_by(n).copied().collect();
            let column = Dense::vector(Buffer::from_f64(dtype, &column));
            data.set(&format!("obs/{gene}"), column.into());
        }
    }
    if recipe.is("subset", "highly-variable") {
        let mask: Vec<bool> = (0..n).map(|j| j % 2 == 0).collect();
        data.set("var/highly_variable", Dense::vector(mask).into());
    }
}

/// Puts the graph under the key that is asked for, and a star under the other one.
fn place_graphs(recipe: &Recipe, data: &mut Dataset, cells: usize) {
    let places = graph::scatter(cells, &mut recipe.random("places"));
    let coordinates: Vec<f64> = places.iter().flatten().map(|x| *x as f64 / 16.0).collect();
    data.set("obsm/spatial", Dense::new(vec![cells, 2], coordinates).into());
    let random = &mut recipe.random("graph");
    let mut graph = Graph::of(recipe.choice("graph"), &places, random)
        .isolate(recipe.choice("isolated"))
        .weigh(recipe.choice("weights"), &mut recipe.random("weights"));
    if recipe.is("loops", "yes") {
        graph = graph.with_loops();
    }
    if recipe.is("duplicates", "yes") {
        graph = graph.with_duplicates();
    }
    if recipe.is("zeros", "yes") {
        graph = graph.with_zeros(&mut recipe.random("zeros"));
    }
    let layout = Layout {
        dtype: dtype(recipe, "graph_dtype"),
        wide: recipe.is("index", "int64"),
        unsorted: recipe.is("indices", "unsorted"),
        format: if recipe.is("format", "csc") { Format::Csc } else { Format::Csr },
    };
    let plain = Layout { dtype: Dtype::F64, wide: false, unsorted: false, format: Format::Csr };
    // Another weight than 1, so that the decoy differs even where the graph under test is a star.
    let decoy = Graph::of(Shape::Star, &places, random).weigh(Weights::Dyadic, random);
    let (tested, other) = ("obsp/spatial_connectivities", "obsp/other");
    let swapped = recipe.is("connectivity_key", "other");
    let (tested, other) = if swapped { (other, tested) } else { (tested, other) };
    data.set(tested, graph.store(layout).into());
    data.set(other, decoy.store(plain).into());
}

fn params(recipe: &Recipe, genes: &[String]) -> Params {
    let source = recipe.level("source");
    let text = |level: &str| if level == "none" { Value::None } else { level.into() };
    let (attr, layer) = match source {
        "obs" => ("obs", Value::None),
        "obsm" => ("obsm", "X_pca".into()),
        "layer" | "raw-over-layer" => ("X", "counts".into()),
        _ => ("X", Value::None),
    };
    let params = [
        ("connectivity_key", recipe.level("connectivity_key").into()),
        ("genes", genes_argument(recipe, genes)),
        ("mode", recipe.level("mode").into()),
        ("transformation", recipe.is("transformation", "true").into()),
        ("n_perms", recipe.count_or_none("n_perms")),
        ("two_tailed", recipe.is("two_tailed", "true").into()),
        ("corr_method", text(recipe.level("corr_method"))),
        ("attr", attr.into()),
        ("layer", layer),
        ("seed", recipe.seed_argument()),
        ("use_raw", source.starts_with("raw").into()),
        ("copy", recipe.is("copy", "true").into()),
    ];
    params.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// The defaults of the host.
fn defaults() -> [(&'static str, Value); 11] {
    [
        ("connectivity_key", "spatial_connectivities".into()),
        ("genes", Value::None),
        ("mode", "moran".into()),
        ("transformation", true.into()),
        ("n_perms", Value::None),
        ("two_tailed", false.into()),
        ("corr_method", "fdr_bh".into()),
        ("attr", "X".into()),
        ("layer", Value::None),
        ("use_raw", false.into()),
        ("copy", false.into()),
    ]
}

/// The argument `genes`: names, or positions of columns for obsm.
fn genes_argument(recipe: &Recipe, genes: &[String]) -> Value {
    let name = |j: usize| match recipe.level("source") {
        "obsm" => Value::Int(j as i64),
        _ => genes[j].as_str().into(),
    };
    let last = genes.len() - 1;
    match recipe.level("subset") {
        "text" => name(last),
        // From last to first, without the second.
        "list" => Value::List((0..=last).rev().filter(|&j| j != 1).map(name).collect()),
        "repeated" => Value::List([last, 0, last].into_iter().map(name).collect()),
        _ => Value::None,
    }
}

/// Makes the call one that must be refused.
fn spoil(invalid: &str, data: &mut Dataset, params: &mut Params) {
    let (name, value): (&str, Value) = match invalid {
        "missing-key" => ("connectivity_key", "nowhere".into()),
        "bad-mode" => ("mode", "moranI".into()),
        "zero-perms" => ("n_perms", Value::Int(0)),
        "negative-perms" => ("n_perms", Value::Int(-1)),
        "bad-corr" => ("corr_method", "nothing".into()),
        "unknown-gene" => ("genes", Value::List(vec!["Gene0".into(), "Nobody".into()])),
        "missing-layer" => ("layer", "nowhere".into()),
        "missing-raw" => {
            data.remove("raw");
            ("use_raw", true.into())
        }
        "bad-attr" => ("attr", "uns".into()),
        _ => return,
    };
    params.insert(name.to_owned(), value);
}
