//! Calls of `co_occurrence`: which clusters are found within which distance of each other.
//!
//! The counts behind the answer are integers and are decided by comparisons `distance <= threshold`, so the knobs
//! `layout` and `interval` decide how many of them are ties.

use dispatch::{Buffer, Call, Dataset, Dense, Dtype, Order, Params, Strings, Value};

use crate::parts::annotated;
use crate::parts::coordinates::{self, HUGE_OFFSET, Layout};
use crate::parts::expression::{self, Expression, Storage, store};
use crate::parts::labels::{self, Names, Sizes, Unused};
use crate::recipe::ARGUMENTS;
use crate::{Generator, Knob, Levels, Random, Recipe, Rung};

/// The recipes of `co_occurrence`.
pub static CO_OCCURRENCE: Generator =
    Generator { function: "co_occurrence", knobs: KNOBS, ladder: LADDER, build, valid };

static LADDER: &[Rung] = &[
    // Tables of k^2 counters that no longer fit the 48 KiB of a block.
    Rung { recipe: "cells=257 clusters=120", heavy: false },
    // 3.6e7 pairs of each two clusters: more than a float32 counts one by one.
    Rung { recipe: "cells=12000 layout=coincident interval=single", heavy: false },
    // n (n - 1) >= 2^31: more ordered pairs than a 32-bit integer counts.
    Rung { recipe: "cells=47000 layout=coincident interval=single", heavy: true },
];

static KNOBS: &[Knob] = &[
    Knob::new(
        "cells",
        &["4", "5", "8", "17", "33", "64", "129", "257", "3", "2", "1", "12000", "47000"],
    )
    .edges(&["3", "2", "1"])
    .large(&["12000", "47000"]),
    Knob::new("clusters", &["2", "1", "3", "5", "12", "120"]).large(&["120"]),
    Knob::new("names", Names::NAMES),
    Knob::new("categories", &["sorted", "shuffled"]),
    // The host writes out of bounds if an unused category stands before a used one.
    Knob::new("unused", Unused::NAMES).edges(&["first", "middle"]),
    Knob::new("sizes", Sizes::NAMES),
    // The host refuses missing labels.
    Knob::new("unlabelled", &["none", "some"]).edges(&["some"]),
    Knob::new("layout", Layout::NAMES).edges(&["coincident"]),
    Knob::new("dims", &["2", "3"]),
    Knob::new("offset", &["none", "1e6"]),
    Knob::new("dtype", &["f64", "f32", "i64", "i32"]),
    Knob::new("order", &["C", "F"]),
    Knob::new(
        "interval",
        &[
            "array",
            "list",
            "count",
            "exact",
            "unsorted",
            "with-zero",
            "repeated",
            "single",
            "many",
            "f32",
            "count-50",
        ],
    ),
    Knob::new("cluster_key", &["cluster", "other"]),
    Knob::new("spatial_key", &["spatial", "other"]),
    Knob::new("copy", &["true", "false"]),
    Knob::new("arguments", ARGUMENTS).edges(&["changed"]),
    Knob::new("invalid", INVALID).edges(INVALID.split_at(1).1),
];

const INVALID: &[&str] = &[
    "none",
    "missing-cluster",
    "missing-spatial",
    "not-categorical",
    "one-threshold",
    "count-1",
    "numpy-count",
];

fn valid(recipe: &Recipe) -> bool {
    recipe.number("clusters") <= recipe.number("cells") && recipe.is_lone("invalid")
}

fn build(recipe: &Recipe) -> Call {
    let cells = recipe.number("cells");
    let genes = annotated::genes(1);
    let mut data = annotated::dataset(cells, &genes, &mut recipe.random("score"));
    let counts =
        expression::values(Expression::Poisson, cells, 1, &mut recipe.random("expression"));
    data.set("X", store(&counts, (cells, 1), Storage::C, Dtype::F64));
    place_labels(recipe, &mut data, cells);
    let places = place_cells(recipe, &mut data, cells);
    let mut params: Params = [
        ("cluster_key", recipe.level("cluster_key").into()),
        ("spatial_key", recipe.level("spatial_key").into()),
        ("interval", interval(recipe, &places)),
        ("copy", recipe.is("copy", "true").into()),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect();
    spoil(recipe.level("invalid"), &mut data, &mut params);
    recipe.leave_out_defaults(
        &mut params,
        &[("spatial_key", "spatial".into()), ("interval", Value::Int(50)), ("copy", false.into())],
    );
    Call::new("co_occurrence", data, params)
}

/// Puts the labels under the key that is asked for, and others under the other one.
fn place_labels(recipe: &Recipe, data: &mut Dataset, cells: usize) {
    let labels = recipe.labels();
    let tested = labels::column(labels, cells, &mut recipe.random("labels"));
    let plain = labels::Labels { clusters: cells.min(3), ..labels::PLAIN };
    let other = labels::column(plain, cells, &mut recipe.random("other labels"));
    let swapped = recipe.is("cluster_key", "other");
    let (first, second) = if swapped { (other, tested) } else { (tested, other) };
    data.set("obs/cluster", first.into());
    data.set("obs/other", second.into());
}

/// Puts the coordinates under the key that is asked for, and others under the other one; returns the places.
fn place_cells(recipe: &Recipe, data: &mut Dataset, cells: usize) -> Vec<[f64; 2]> {
    let random = &mut recipe.random("places");
    let places = coordinates::places(recipe.choice("layout"), cells, random);
    let dtype = expression::dtype(recipe.level("dtype")).unwrap_or(Dtype::F64);
    let offset = if recipe.is("offset", "1e6") { HUGE_OFFSET } else { 0.0 };
    let order = if recipe.is("order", "F") { Order::F } else { Order::C };
    let tested = coordinates::array(&places, recipe.number("dims"), offset, dtype, order, random);
    let decoys = coordinates::places(Layout::Uniform, cells, random);
    let decoy = coordinates::array(&decoys, 2, 0.0, Dtype::F64, Order::C, random);
    let swapped = recipe.is("spatial_key", "other");
    let (first, second) = if swapped { (decoy, tested) } else { (tested, decoy) };
    data.set("obsm/spatial", first);
    data.set("obsm/other", second);
    places
}

/// The argument `interval`.
fn interval(recipe: &Recipe, places: &[[f64; 2]]) -> Value {
    let random = &mut recipe.random("interval");
    let exact = distances(places, 4, random);
    // A little above a distance between two cells, so that no comparison is a tie.
    let above = |count: usize, random: &mut Random| -> Vec<f64> {
        distances(places, count, random).iter().map(|d| d * 1.015_625 + 0.031_25).collect()
    };
    let array = |values: &[f64], dtype| Value::from(Dense::vector(Buffer::from_f64(dtype, values)));
    let plain = above(5, random);
    match recipe.level("interval") {
        "list" => Value::List(plain.into_iter().map(Value::Float).collect()),
        "count" => Value::Int(5),
        "count-50" => Value::Int(50),
        "exact" => array(&exact, Dtype::F64),
        "unsorted" => {
            let mut values = plain;
            values.reverse();
            values.swap(0, 1);
            array(&values, Dtype::F64)
        }
        "with-zero" => array(&[&[0.0], &exact[..], &[1e4]].concat(), Dtype::F64),
        "repeated" => array(&[&plain[..], &plain[2..]].concat(), Dtype::F64),
        "single" => array(&plain[3..], Dtype::F64),
        "many" => array(&above(33, random), Dtype::F64),
        "f32" => array(&plain, Dtype::F32),
        _ => array(&plain, Dtype::F64),
    }
}

/// Distances between random pairs of cells, ascending.
fn distances(places: &[[f64; 2]], count: usize, random: &mut Random) -> Vec<f64> {
    let mut place = || places[random.below(places.len())];
    let mut out: Vec<f64> = (0..count).map(|_| coordinates::distance(place(), place())).collect();
    out.sort_by(f64::total_cmp);
    out
}

/// Makes the call one that must be refused.
fn spoil(invalid: &str, data: &mut Dataset, params: &mut Params) {
    let (name, value): (&str, Value) = match invalid {
        "missing-cluster" => ("cluster_key", "nowhere".into()),
        "missing-spatial" => ("spatial_key", "nowhere".into()),
        "not-categorical" => {
            let names = (0..data.n_obs()).map(|i| format!("c{}", i % 2));
            data.set("obs/text", Strings::new(names).into());
            ("cluster_key", "text".into())
        }
        "one-threshold" => ("interval", Value::List(vec![Value::Float(1.0)])),
        "count-1" => ("interval", Value::Int(1)),
        // `np.int64(5)` is no `int` for the host, and nothing to iterate over.
        "numpy-count" => ("interval", Dense::new(Vec::new(), vec![5_i64]).into()),
        _ => return,
    };
    params.insert(name.to_owned(), value);
}
