//! Calls of `ligrec`: means and permutation p-values of ligand-receptor pairs between clusters.
//!
//! Ties decide p-values here and names decide everything else: upper case, duplicates, complexes, labels that are
//! numbers. The knob `source` works as in `spatial_autocorr`: what is not asked for holds other numbers.

use dispatch::{Call, Categorical, Dataset, Dtype, Params, Value};

use crate::parts::annotated::{self, decoy_matrix, text_column};
use crate::parts::expression::{self, Expression, Storage, store};
use crate::parts::interactions::{self, Container, Content};
use crate::parts::labels::{self, Names, Sizes, Unused};
use crate::recipe::ARGUMENTS;
use crate::{Generator, Knob, Levels, Recipe, Rung};

/// The recipes of `ligrec`.
pub static LIGREC: Generator =
    Generator { function: "ligrec", knobs: KNOBS, ladder: LADDER, build, valid };

// The permutations of 512 cells and more are drawn in another way than those of fewer.
static LADDER: &[Rung] =
    &[Rung { recipe: "cells=1025 clusters=3 expression=zero-inflated n_perms=99", heavy: false }];

static KNOBS: &[Knob] = &[
    Knob::new("cells", &["4", "5", "8", "17", "33", "64", "129", "257", "2", "1025"])
        .edges(&["2"])
        .large(&["1025"]),
    Knob::new("genes", &["2", "1", "3", "8", "33"]),
    // One cluster is refused.
    Knob::new("clusters", &["2", "3", "5", "12", "1"]).edges(&["1"]),
    Knob::new("names", Names::NAMES),
    Knob::new("categories", &["sorted", "shuffled"]),
    // An unused category is refused, unless `restrict` leaves it out; so are missing labels.
    Knob::new("unused", Unused::NAMES).edges(Unused::NAMES.split_at(1).1),
    Knob::new("unlabelled", &["none", "some"]).edges(&["some"]),
    Knob::new("sizes", Sizes::NAMES),
    Knob::new("expression", Expression::NAMES),
    Knob::new("storage", Storage::NAMES),
    Knob::new("dtype", &["f64", "f32", "i32", "i64", "u8"]),
    Knob::new("missing", &["none", "nan", "inf"]).edges(&["inf"]),
    Knob::new("source", &["X", "raw"]),
    Knob::new("twins", &["no", "yes"]),
    Knob::new("gene_symbols", &["none", "symbol"]),
    Knob::new("interactions", Container::NAMES),
    Knob::new("content", Content::NAMES),
    Knob::new("complex_policy", &["min", "all"]),
    Knob::new("threshold", &["0.01", "0", "0.5", "exact", "1"]),
    Knob::new("restrict", &["none", "names", "pairs"]),
    Knob::new("n_perms", &["5", "1", "19", "99"]),
    // The two-stage method is the only one whose answer depends on `alpha`.
    Knob::new("corr_method", &["none", "fdr_bh", "bonferroni", "fdr_tsbh"]),
    Knob::new("corr_axis", &["clusters", "interactions"]),
    Knob::new("alpha", &["0.05", "0.5"]),
    Knob::new("key_added", &["none", "answer"]),
    Knob::new("copy", &["true", "false"]),
    Knob::new("arguments", ARGUMENTS).edges(&["changed"]),
    Knob::new("invalid", INVALID).edges(INVALID.split_at(1).1),
];

const INVALID: &[&str] = &[
    "none",
    "missing-cluster",
    "unknown-cluster",
    "no-interactions",
    "none-left",
    "bad-columns",
    "zero-perms",
    "missing-raw",
    "missing-symbols",
    "bad-policy",
    "bad-corr",
];

fn valid(recipe: &Recipe) -> bool {
    let dtype = dtype(recipe);
    let one_gene = recipe.is("genes", "1");
    recipe.number("clusters") <= recipe.number("cells")
        && recipe.choice::<Expression>("expression").fits(dtype)
        && (recipe.is("missing", "none") || dtype.is_float())
        && !(one_gene && (recipe.is("twins", "yes") || recipe.is("content", "complexes")))
        && recipe.is_lone("invalid")
}

fn dtype(recipe: &Recipe) -> Dtype {
    expression::dtype(recipe.level("dtype")).unwrap_or(Dtype::F64)
}

/// Values and names that stand in the matrix under test.
struct Tested {
    /// Row-major.
    values: Vec<f64>,
    genes: Vec<String>,
    /// What the interactions call them.
    called: Vec<String>,
}

fn build(recipe: &Recipe) -> Call {
    let cells = recipe.number("cells");
    let genes = gene_names(recipe);
    let mut data = annotated::dataset(cells, &genes, &mut recipe.random("score"));
    let tested = place_values(recipe, &mut data, cells, &genes);
    let labels = labels::column(recipe.labels(), cells, &mut recipe.random("labels"));
    let mut params = params(recipe, &tested, &labels);
    data.set("obs/cluster", labels.into());
    spoil(recipe.level("invalid"), &mut data, &mut params);
    recipe.leave_out_defaults(&mut params, &defaults());
    Call::new("ligrec", data, params)
}

/// `Gene0`, `Gene1` ...; with twins, the last is `GENE0`.
fn gene_names(recipe: &Recipe) -> Vec<String> {
    let mut genes = annotated::genes(recipe.number("genes"));
    if let (true, Some(last)) = (recipe.is("twins", "yes"), genes.last_mut()) {
        *last = "GENE0".to_owned();
    }
    genes
}

/// Puts the values under test into `X` or `raw` and decoys elsewhere.
fn place_values(recipe: &Recipe, data: &mut Dataset, cells: usize, genes: &[String]) -> Tested {
    let n = genes.len();
    let mut values =
        expression::values(recipe.choice("expression"), cells, n, &mut recipe.random("expression"));
    match recipe.level("missing") {
        "nan" => values[cells / 2 * n + n - 1] = f64::NAN,
        "inf" => values[cells / 2 * n + n - 1] = f64::INFINITY,
        _ => {}
    }
    let (storage, dtype) = (recipe.choice::<Storage>("storage"), dtype(recipe));
    let raw_genes = annotated::raw_genes(genes);
    let raw_random = &mut recipe.random("raw");
    data.set("layers/counts", decoy_matrix(&values, (cells, n), &mut recipe.random("layer")));
    let is_raw = recipe.is("source", "raw");
    let tested = if is_raw {
        data.set("X", decoy_matrix(&values, (cells, n), &mut recipe.random("X")));
        let values = annotated::raw_values(&values, n, raw_random);
        annotated::set_raw(data, store(&values, (cells, n + 1), storage, dtype), &raw_genes);
        (values, raw_genes.clone())
    } else {
        data.set("X", store(&values, (cells, n), storage, dtype));
        let decoy = annotated::decoy(&values, raw_random);
        let decoy = annotated::raw_values(&decoy, n, raw_random);
        annotated::set_raw(data, store(&decoy, (cells, n + 1), Storage::C, Dtype::F64), &raw_genes);
        (values, genes.to_vec())
    };
    let symbols =
        |genes: &[String]| genes.iter().map(|g| format!("Sym_{g}").replace('_', "")).collect();
    let (values, genes_of) = tested;
    let mut called = genes_of.clone();
    if recipe.is("gene_symbols", "symbol") {
        let (of_x, of_raw): (Vec<String>, Vec<String>) = (symbols(genes), symbols(&raw_genes));
        called = if is_raw { of_raw.clone() } else { of_x.clone() };
        data.set("var/symbol", text_column(of_x));
        data.set("raw/var/symbol", text_column(of_raw));
    }
    Tested { values, genes: genes_of, called }
}

fn params(recipe: &Recipe, tested: &Tested, labels: &Categorical) -> Params {
    let text = |level: &str| if level == "none" { Value::None } else { level.into() };
    let pairs =
        interactions::pairs(recipe.choice("content"), &tested.called, &mut recipe.random("pairs"));
    let params = [
        ("cluster_key", "cluster".into()),
        ("interactions", interactions::argument(recipe.choice("interactions"), &pairs)),
        ("complex_policy", recipe.level("complex_policy").into()),
        ("threshold", Value::Float(threshold(recipe, tested, labels))),
        ("corr_method", text(recipe.level("corr_method"))),
        ("corr_axis", recipe.level("corr_axis").into()),
        ("use_raw", recipe.is("source", "raw").into()),
        ("copy", recipe.is("copy", "true").into()),
        ("key_added", text(recipe.level("key_added"))),
        ("gene_symbols", text(recipe.level("gene_symbols"))),
        ("clusters", restriction(recipe, labels)),
        ("n_perms", recipe.count_or_none("n_perms")),
        ("seed", recipe.seed_argument()),
        ("alpha", Value::Float(if recipe.is("alpha", "0.5") { 0.5 } else { 0.05 })),
    ];
    params.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// The defaults of the host.
fn defaults() -> [(&'static str, Value); 10] {
    [
        ("complex_policy", "min".into()),
        ("threshold", Value::Float(0.01)),
        ("corr_method", Value::None),
        ("corr_axis", "clusters".into()),
        ("use_raw", true.into()),
        ("copy", false.into()),
        ("key_added", Value::None),
        ("gene_symbols", Value::None),
        ("clusters", Value::None),
        ("alpha", Value::Float(0.05)),
    ]
}

/// The argument `threshold`; `exact` is the fraction of the first cluster's cells that express `Gene0`.
fn threshold(recipe: &Recipe, tested: &Tested, labels: &Categorical) -> f64 {
    match recipe.level("threshold") {
        "0" => 0.0,
        "0.5" => 0.5,
        "1" => 1.0,
        "exact" => {
            let width = tested.genes.len();
            let gene = tested.genes.iter().position(|g| g == "Gene0").unwrap_or(0);
            let first = labels.codes.iter().copied().filter(|&c| c >= 0).min().unwrap_or(0);
            let of_first = || labels.codes.iter().enumerate().filter(|(_, code)| **code == first);
            let expressing =
                of_first().filter(|(i, _)| tested.values[i * width + gene] > 0.0).count();
            expressing as f64 / of_first().count().max(1) as f64
        }
        _ => 0.01,
    }
}

/// The argument `clusters`: none, the first two that occur, or two pairs of them.
fn restriction(recipe: &Recipe, labels: &Categorical) -> Value {
    let names = labels.names();
    let occurs = |c: &usize| labels.codes.contains(&(*c as i32));
    let used: Vec<&str> =
        (0..names.len()).filter(occurs).map(|c| names[c].as_str()).take(2).collect();
    let (Some(&first), Some(&last)) = (used.first(), used.last()) else { return Value::None };
    let pair = |a: &str, b: &str| Value::Tuple(vec![a.into(), b.into()]);
    match recipe.level("restrict") {
        // Not in the order of the columns, which the answer must restore.
        "names" => Value::List(used.iter().rev().map(|name| Value::from(*name)).collect()),
        "pairs" => Value::List(vec![pair(last, first), pair(first, first)]),
        _ => Value::None,
    }
}

/// Makes the call one that must be refused.
fn spoil(invalid: &str, data: &mut Dataset, params: &mut Params) {
    let pair = || Value::Tuple(vec!["Nobody".into(), "Noone".into()]);
    let list = |name: &str| (name.to_owned(), Value::List(vec!["Gene0".into()]));
    let (name, value): (&str, Value) = match invalid {
        "missing-cluster" => ("cluster_key", "nowhere".into()),
        "unknown-cluster" => ("clusters", Value::List(vec!["A".into(), "nowhere".into()])),
        "no-interactions" => ("interactions", Value::List(Vec::new())),
        "none-left" => ("interactions", Value::List(vec![pair(), pair(), pair()])),
        "bad-columns" => ("interactions", Value::Map([list("source"), list("tgt")].into())),
        "zero-perms" => ("n_perms", Value::Int(0)),
        "missing-raw" => {
            data.remove("raw");
            ("use_raw", true.into())
        }
        "missing-symbols" => ("gene_symbols", "nowhere".into()),
        "bad-policy" => ("complex_policy", "max".into()),
        "bad-corr" => ("corr_method", "nothing".into()),
        _ => return,
    };
    params.insert(name.to_owned(), value);
}
