//! From 4,096 cells on the reference takes sparse features in one pass (`reference/src/spatial_autocorr/sparse/mod.rs`), and this
//! backend does not: there scores agree within what both roundings may do, and counts of permutations still bit for bit.
#![cfg(emulated)]

mod inputs;

use std::sync::Arc;

use cuda_backend::context::Context;
use cuda_backend::emulated::Emulated;
use cuda_backend::session::Session;
use cuda_backend::spatial_autocorr::{Null, statistics};
use dispatch::{Call, Sparse, Value};
use inputs::autocorr;
use reference::spatial_autocorr::{Mode, Task};

/// The longest chain of additions of either form: a leaf of 128, 16 leaves, a tree, a row of the graph, and the means.
const CHAIN: f64 = 128.0 + 16.0 + 8.0 + 8.0 + 8.0;

/// The same call with every third entry of X only, which is sparse enough for one pass.
fn thinned(mut call: Call) -> Call {
    let data = Arc::make_mut(&mut call.data);
    let Some(Value::Sparse(x)) = data.get("X").cloned() else { panic!("X is sparse") };
    let (mut indptr, mut indices, mut values) = (vec![0], vec![], vec![]);
    for i in 0..x.shape.0 {
        for (g, value) in x.lane(i).filter(|(g, _)| (i + g) % 3 == 0) {
            indices.push(g as i32);
            // Not integers, whose sums would be exact in any order.
            values.push((value.abs() + 0.1) as f32);
        }
        indptr.push(indices.len() as i32);
    }
    data.set("X", Sparse::csr(x.shape, indptr, indices, values).into());
    call
}

/// How far the one-pass score of a feature may be from the centred one, by the accuracy part of `sparse/mod.rs`.
fn allowance(task: &Task<'_>, score: f64, x: &[f64]) -> f64 {
    let (n, g) = (x.len() as f64, CHAIN * f64::EPSILON / 2.0);
    let mean = x.iter().sum::<f64>() / n;
    let d: f64 = x.iter().map(|x| (x - mean).powi(2)).sum();
    let edges = (0..x.len()).flat_map(|i| task.graph.row(i).map(move |(j, w)| (i, j, w)));
    let products: f64 = edges.map(|(i, j, w)| w * x[i] * x[j]).sum();
    let totals = |power: i32| -> f64 {
        let total = |i: usize| task.moments.rows[i] + task.moments.columns[i];
        (0..x.len()).map(|i| total(i) * x[i].powi(power)).sum()
    };
    let magnitude = match task.mode {
        Mode::Moran => products + 2.0 * mean * totals(1) + 3.0 * mean * mean * task.moments.s0,
        Mode::Geary => totals(2) + 2.0 * products,
    };
    // Twice, for the centred form errs by no more.
    2.0 * g * (task.mode.factor(x.len(), task.moments.s0, d) * magnitude + 4.0 * score.abs())
}

#[test]
fn above_4096_cells_counts_are_equal_and_scores_within_their_roundings() {
    let (mut equal, mut close) = (0, 0);
    for (n, mode) in [(4095, "moran"), (4096, "moran"), (4097, "geary"), (5000, "geary")] {
        let call = thinned(autocorr(n, 5, mode, 25));
        let task = Task::read(&call.data, &call.params).unwrap();
        let mut context = Context::new(Box::new(Emulated::default()));
        let found = statistics(&mut Session::new(&mut context), &task, Null::Rows).unwrap();
        let expected = task.statistics();
        let counts = |s: &reference::spatial_autocorr::Statistics| {
            s.permuted.as_ref().map(|p| p.at_least.clone()).unwrap()
        };
        assert_eq!(counts(&found), counts(&expected), "{n} {mode}");
        for (k, (a, b)) in found.score.iter().zip(&expected.score).enumerate() {
            let mut x = vec![0.0; n];
            task.features.columns.fill(k, &mut x);
            assert!((a - b).abs() <= allowance(&task, *b, &x), "{n} {mode} {k}: {a} {b}");
            *(if a.to_bits() == b.to_bits() { &mut equal } else { &mut close }) += 1;
            assert!(n >= 4096 || a.to_bits() == b.to_bits(), "{n} {mode} {k}: {a} {b}");
        }
    }
    // Were all equal, this would say nothing about another form.
    assert!(close > 0, "{equal} equal, {close} close");
}
