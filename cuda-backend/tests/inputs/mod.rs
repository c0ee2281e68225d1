//! Inputs of any size, from a few multiplications; hard ones are the generators' business.
#![allow(dead_code, reason = "each test file uses some of them")]

use std::sync::Arc;

use dispatch::{Call, Categorical, Dataset, Dense, Frame, Index, Params, Sparse, Strings, Value};

/// A number from 0 to 1 that a position and a purpose determine.
fn noise(at: usize, purpose: u64) -> f64 {
    let mut h = (at as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ purpose << 32;
    h = (h ^ h >> 31).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    (h >> 11) as f64 / (1u64 << 53) as f64
}

fn names(prefix: &str, count: usize) -> Vec<String> {
    (0..count).map(|i| format!("{prefix}{i}")).collect()
}

fn frame(prefix: &str, count: usize) -> Frame {
    Frame::new(Index::text(names(prefix, count)), [] as [(String, Value); 0])
}

fn call(function: &str, data: Dataset, params: &[(&str, Value)]) -> Call {
    let params: Params = params.iter().map(|(k, v)| ((*k).to_owned(), v.clone())).collect();
    Call::new(function, data, params)
}

/// Sparse counts over a graph in which a cell has up to four neighbours of uneven weights; the first gene is dense.
pub(crate) fn autocorr(n: usize, genes: usize, mode: &str, n_perms: usize) -> Call {
    let mut data = Dataset::new();
    data.set("obs", frame("c", n).into());
    data.set("var", frame("g", genes).into());
    let (mut indptr, mut indices, mut values) = (vec![0], vec![], vec![]);
    for i in 0..n {
        for g in 0..genes {
            let count = (10.0 * noise(i * genes + g, 1)).floor() - 6.0;
            if count > 0.0 || g == 0 {
                indices.push(g as i32);
                values.push(count as f32);
            }
        }
        indptr.push(indices.len() as i32);
    }
    data.set("X", Sparse::csr((n, genes), indptr, indices, values).into());
    let (mut indptr, mut indices, mut weights) = (vec![0], vec![], vec![]);
    for i in 0..n {
        for step in 1..5 {
            if n > 1 && noise(4 * i + step, 2) < 0.8 {
                indices.push(((i + step * step) % n) as i32);
                weights.push(0.5 + noise(4 * i + step, 3));
            }
        }
        indptr.push(indices.len() as i32);
    }
    data.set("obsp/spatial_connectivities", Sparse::csr((n, n), indptr, indices, weights).into());
    let mut params = vec![
        ("mode", mode.into()),
        ("transformation", false.into()),
        ("copy", true.into()),
        ("seed", 5.into()),
    ];
    if n_perms > 0 {
        params.push(("n_perms", (n_perms as i64).into()));
    }
    call("spatial_autocorr", data, &params)
}

fn clustered(n: usize, k: usize) -> Dataset {
    // Every cluster has a cell, the others go where they will.
    let label = |i: usize| if i < k { i } else { (k as f64 * noise(i, 4).powi(2)) as usize };
    let codes: Vec<i32> = (0..n).map(|i| label(i) as i32).collect();
    let categories: Value = Strings::new(names("k", k)).into();
    let column: Value =
        Categorical { codes, categories: Box::new(categories), ordered: false }.into();
    let mut data = Dataset::new();
    data.set(
        "obs",
        Frame::new(Index::text(names("c", n)), [("cluster".to_owned(), column)]).into(),
    );
    data
}

/// Cells on a fine grid, so that distances tie, and `bins` thresholds.
pub(crate) fn cooc(n: usize, k: usize, bins: usize) -> Call {
    let mut data = clustered(n, k.min(n));
    let place = |i: usize| (40.0 * noise(i, 5)).floor() as f32 / 4.0;
    let at: Vec<f32> = (0..2 * n).map(place).collect();
    data.set("obsm/spatial", Dense::new(vec![n, 2], at).into());
    let interval: Vec<f64> = (0..=bins).map(|r| 12.0 * r as f64 / bins as f64).collect();
    let params = [("cluster_key", "cluster".into()), ("copy", true.into())];
    let interval = ("interval", Dense::vector(interval).into());
    call("co_occurrence", data, &[&params[..], &[interval]].concat())
}

/// Small counts, so that sums tie, and every gene with every other.
pub(crate) fn ligrec(n: usize, genes: usize, k: usize, n_perms: usize) -> Call {
    let mut data = clustered(n, k.min(n));
    data.set("var", frame("G", genes).into());
    let count = |e: usize| (noise(e, 6) * 5.0 - 2.0).floor().max(0.0) as f32;
    let x: Vec<f32> = (0..n * genes).map(count).collect();
    data.set("X", Dense::new(vec![n, genes], x).into());
    let side = |pick: fn(usize, usize) -> usize| -> Value {
        let of = |e: usize| format!("G{}", pick(e / genes, e % genes));
        Strings::new((0..genes * genes).map(of)).into()
    };
    let pairs = Frame::new(
        Index::text((0..genes * genes).map(|i| i.to_string())),
        [("source".to_owned(), side(|s, _| s)), ("target".to_owned(), side(|_, t| t))],
    );
    let params = [
        ("cluster_key", "cluster".into()),
        ("interactions", pairs.into()),
        ("use_raw", false.into()),
        ("copy", true.into()),
        ("n_perms", (n_perms as i64).into()),
        ("seed", 3.into()),
        ("threshold", 0.0.into()),
    ];
    call("ligrec", data, &params)
}

/// The same call over a graph of negative weights.
pub(crate) fn negated(mut call: Call) -> Call {
    let data = Arc::make_mut(&mut call.data);
    if let Some(Value::Sparse(mut graph)) = data.get("obsp/spatial_connectivities").cloned() {
        let weights: Vec<f64> = graph.data.to_f64().iter().map(|w| -w).collect();
        graph.data = weights.into();
        data.set("obsp/spatial_connectivities", graph.into());
    }
    call
}

/// The same call over a graph in which every cell has `degree` neighbours.
pub(crate) fn crowded(mut call: Call, degree: usize) -> Call {
    let data = Arc::make_mut(&mut call.data);
    let n = data.n_obs();
    let indptr = (0..=n).map(|i| (i * degree) as i32).collect();
    let edges = || (0..n).flat_map(|i| (1..=degree).map(move |step| (i, step)));
    let indices: Vec<i32> = edges().map(|(i, step)| ((i + step * step) % n) as i32).collect();
    let weights: Vec<f64> = (0..n * degree).map(|edge| 0.5 + noise(edge, 8)).collect();
    let graph = Sparse::csr((n, n), indptr, indices, weights);
    data.set("obsp/spatial_connectivities", graph.into());
    call
}

/// The same call with another null of `spatial_autocorr`.
pub(crate) fn with_null(mut call: Call, n_perms: Value, null: &str) -> Call {
    let params = [("n_perms", n_perms), ("null", null.into())];
    call.params.extend(params.map(|(name, value)| (name.to_owned(), value)));
    call
}

/// The same call over a graph without edges.
pub(crate) fn without_edges(mut call: Call) -> Call {
    let data = Arc::make_mut(&mut call.data);
    let n = data.n_obs();
    let none = Sparse::csr((n, n), vec![0; n + 1], vec![0i32; 0], vec![0f64; 0]);
    data.set("obsp/spatial_connectivities", none.into());
    call
}

/// The same call with an inf, and a -inf of another cell, in the first gene.
pub(crate) fn infinite(mut call: Call) -> Call {
    let data = Arc::make_mut(&mut call.data);
    if let Some(Value::Dense(x)) = data.get("X").cloned() {
        let (mut values, genes) = (x.to_f64(), x.shape[1]);
        (values[0], values[5 * genes]) = (f64::INFINITY, f64::NEG_INFINITY);
        data.set("X", Dense::new(x.shape, values).into());
    }
    call
}

/// Positions of many digits, and thresholds that are distances between cells: a rounding decides.
pub(crate) fn close(n: usize) -> Call {
    let mut call = cooc(n, 2, 1);
    let at: Vec<f32> = (0..2 * n).map(|i| 10.0 * noise(i, 7) as f32).collect();
    let distance =
        |i: usize, j: usize| (at[2 * i] - at[2 * j]).hypot(at[2 * i + 1] - at[2 * j + 1]);
    let interval: Vec<f64> = (0..n).map(|i| f64::from(distance(i, (i + 1) % n))).collect();
    call.params.insert("interval".to_owned(), Dense::vector(interval).into());
    Arc::make_mut(&mut call.data).set("obsm/spatial", Dense::new(vec![n, 2], at).into());
    call
}
