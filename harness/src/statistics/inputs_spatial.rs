//! The inputs on which permutations of `spatial_autocorr` are studied.
//!
//! Each gene is there for a mistake. A *ramp* is smooth along the ring of cells and in the order of their numbers: under
//! permuted values its variance is twice that under permuted rows, and a shuffle that keeps neighbours together shows. *Noise*
//! has odds near one half, where folding matters; *alternating* has a negative I, which without folding ends above one half. *First* and *last* are one
//! cell each: they ask whether that cell goes everywhere equally often. On a ring of eight cells with values +1 and -1 every
//! number is a small multiple of a power of two, so ties are ties in any arithmetic.

use dispatch::{Call, Dtype, Format, Params, Value};
use generators::parts::annotated;
use generators::parts::expression::{Storage, store};
use generators::parts::graph::{self, Graph, Isolated, Layout, Shape, Weights};
use generators::{Random, Recipe};

use super::study::{Study, Ties};

const FUNCTION: &str = "spatial_autocorr";

pub(super) static STUDIES: [Study; 14] = [
    Study::tiny(FUNCTION, "ring-of-8", Ties::Certain, || ring_of_8("moran", false)),
    Study::tiny(FUNCTION, "ring-of-8-geary", Ties::Certain, || ring_of_8("geary", true)),
    Study::tiny(FUNCTION, "star-and-loner-of-7", Ties::Doubtful, star_of_7),
    Study::sampled(FUNCTION, "ring-33", || simple(33, Shape::Ring, "moran", true)),
    Study::sampled(FUNCTION, "delaunay-64", || simple(64, Shape::Delaunay, "moran", false)),
    Study::sampled(FUNCTION, "delaunay-64-geary", || simple(64, Shape::Delaunay, "geary", true)),
    Study::sampled(FUNCTION, "torus-100", || simple(100, Shape::Torus, "moran", false)),
    Study::sampled(FUNCTION, "isolated-48", || {
        weighted(48, Shape::Radius, Isolated::Half, "moran", true)
    }),
    Study::sampled(FUNCTION, "directed-50-geary", || {
        weighted(50, Shape::Random, Isolated::First, "geary", false)
    }),
    Study::sampled(FUNCTION, "directed-50", || {
        weighted(50, Shape::Random, Isolated::None, "moran", false)
    }),
    Study::sampled(FUNCTION, "knn-577", || simple(577, Shape::Knn, "moran", true)),
    Study::sampled(FUNCTION, "recipe-sparse-33", || {
        recipe(
            "cells=33 genes=3 graph=delaunay weights=dyadic isolated=last expression=zero-inflated storage=csr seed=7",
        )
    }),
    Study::sampled(FUNCTION, "recipe-layer-64", || {
        recipe(
            "cells=64 genes=3 graph=radius graph_dtype=f32 expression=gaussian dtype=f32 source=layer seed=8",
        )
    }),
    Study::sampled(FUNCTION, "recipe-geary-17", || {
        recipe(
            "cells=17 genes=3 graph=knn loops=yes expression=poisson mode=geary two_tailed=true seed=9",
        )
    }),
];

/// Genes by name, a value for each cell.
type Genes = Vec<(&'static str, Vec<f64>)>;

/// A call on some genes and a graph.
fn call(genes: Genes, graph: &Graph, mode: &str, transformation: bool) -> Call {
    let n = genes.first().map_or(0, |(_, values)| values.len());
    let names: Vec<String> = genes.iter().map(|(name, _)| (*name).to_owned()).collect();
    let mut data = annotated::dataset(n, &names, &mut Random::new(0, "score"));
    let values: Vec<f64> = (0..n).flat_map(|i| genes.iter().map(move |(_, v)| v[i])).collect();
    data.set("X", store(&values, (n, names.len()), Storage::C, Dtype::F64));
    let layout = Layout { dtype: Dtype::F64, wide: false, unsorted: false, format: Format::Csr };
    data.set("obsp/spatial_connectivities", graph.store(layout).into());
    let params: [(&str, Value); 12] = [
        ("connectivity_key", "spatial_connectivities".into()),
        ("genes", Value::None),
        ("mode", mode.into()),
        ("transformation", transformation.into()),
        ("n_perms", Value::Int(999)),
        // Changes pval_norm alone; a backend that doubles other columns is off by a factor.
        ("two_tailed", true.into()),
        ("corr_method", "fdr_bh".into()),
        ("attr", "X".into()),
        ("layer", Value::None),
        ("seed", Value::Int(0)),
        ("use_raw", false.into()),
        ("copy", true.into()),
    ];
    let params: Params = params.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    Call::new(FUNCTION, data, params)
}

/// Values +1 and -1, four each, so that means are 0 and sums of squares 8.
fn ring_of_8(mode: &str, transformation: bool) -> Call {
    let genes: [(&'static str, [i8; 8]); 5] = [
        ("blocks", [1, 1, 1, 1, -1, -1, -1, -1]),
        ("alternating", [1, -1, 1, -1, 1, -1, 1, -1]),
        ("pairs", [1, 1, -1, -1, 1, 1, -1, -1]),
        ("mixed", [1, 1, -1, 1, -1, -1, 1, -1]),
        ("uneven", [1, 1, 1, -1, 1, -1, -1, -1]),
    ];
    let genes = genes.map(|(name, values)| (name, values.map(f64::from).to_vec()));
    let ring = Graph::of(Shape::Ring, &[[0; 2]; 8], &mut Random::new(0, "ring"));
    call(genes.into(), &ring, mode, transformation)
}

/// A star of six cells with weights of its own, and a cell that nobody knows.
fn star_of_7() -> Call {
    let random = &mut Random::new(1, "star");
    let star = Graph::of(Shape::Star, &[[0; 2]; 7], random);
    let star = star.isolate(Isolated::Last).weigh(Weights::Dyadic, random);
    let genes: [(&'static str, [i8; 7]); 4] = [
        ("hub", [0, 1, 0, 9, 1, 0, 1]),
        ("rim", [1, 5, 2, 0, 7, 3, 0]),
        ("counts", [2, 0, 3, 1, 1, 4, 2]),
        ("loner", [0, 0, 1, 0, 1, 0, 6]),
    ];
    call(genes.map(|(name, v)| (name, v.map(f64::from).to_vec())).into(), &star, "moran", true)
}

/// Genes that depend on the number of the cell; cells are numbered from left to right.
fn genes(n: usize, seed: u64) -> Genes {
    let random = &mut Random::new(seed, "genes");
    let mut gene = |value: &dyn Fn(usize) -> f64, noise: f64| -> Vec<f64> {
        (0..n).map(|i| value(i) + noise * random.normal()).collect()
    };
    let half = n as f64 / 2.0;
    let sign = |odd: bool| if odd { -1.0 } else { 1.0 };
    vec![
        ("ramp", gene(&|i| (i as f64 - half).abs() / half, 0.1)),
        ("noise", gene(&|_| 0.0, 1.0)),
        ("alternating", gene(&|i| sign(i % 2 == 1), 0.3)),
        ("blocks", gene(&|i| sign(2 * i < n), 0.5)),
        ("first", gene(&|i| f64::from(u8::from(i == 0)), 0.02)),
        ("last", gene(&|i| f64::from(u8::from(i + 1 == n)), 0.02)),
    ]
}

/// Places from left to right.
fn places(n: usize, random: &mut Random) -> Vec<[i64; 2]> {
    let mut places = graph::scatter(n, random);
    places.sort_unstable();
    places
}

fn simple(n: usize, shape: Shape, mode: &str, transformation: bool) -> Call {
    let random = &mut Random::new(n as u64, "simple");
    let graph = Graph::of(shape, &places(n, random), random);
    call(genes(n, 2), &graph, mode, transformation)
}

fn weighted(n: usize, shape: Shape, isolated: Isolated, mode: &str, transformation: bool) -> Call {
    let random = &mut Random::new(n as u64, "weighted");
    let graph = Graph::of(shape, &places(n, random), random).isolate(isolated);
    call(genes(n, 3), &graph.weigh(Weights::Dyadic, random), mode, transformation)
}

fn recipe(text: &str) -> Call {
    let parsed = Recipe::parse(&generators::SPATIAL_AUTOCORR, text);
    parsed.unwrap_or_else(|error| panic!("the recipe of a study: {error}")).build()
}
