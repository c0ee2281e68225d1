//! `null="relabel"`: permuted cells, against their definition, over drawn and over all permutations.
#![cfg(emulated)]
#![expect(clippy::unwrap_used, reason = "a test fails where it panics")]

mod inputs;

use cuda_backend::context::Context;
use cuda_backend::emulated::Emulated;
use cuda_backend::session::Session;
use cuda_backend::spatial_autocorr::{Null, statistics, with_moments};
use dispatch::{Backend, Call, Fault, Kind, Value};
use inputs::autocorr;
use reference::rng::{Permutations, SPATIAL_AUTOCORR};
use reference::spatial_autocorr::{Mode, Task};

/// The statistic of a feature whose cells are permuted, in float64, by its definition.
fn statistic(task: &Task<'_>, x: &[f64], at: &[u32]) -> f64 {
    let n = x.len();
    let mean = x.iter().sum::<f64>() / n as f64;
    let z = |i: usize| x[at[i] as usize] - mean;
    let edges = (0..n).flat_map(|i| task.graph.row(i).map(move |(j, w)| (i, j, w)));
    let d: f64 = (0..n).map(|i| z(i) * z(i)).sum();
    let numerator: f64 = match task.mode {
        Mode::Moran => edges.map(|(i, j, w)| w * z(i) * z(j)).sum(),
        Mode::Geary => edges.map(|(i, j, w)| w * (z(i) - z(j)).powi(2)).sum(),
    };
    task.mode.factor(n, task.moments.s0, d) * numerator
}

fn column(task: &Task<'_>, feature: usize) -> Vec<f64> {
    let mut x = vec![0.0; task.n()];
    task.features.columns.fill(feature, &mut x);
    x
}

fn context() -> Context {
    let mut device = Emulated::default();
    device.budget = 400_000;
    Context::new(Box::new(device))
}

#[test]
fn permuted_cells_are_those_of_the_counters_and_ties_are_ties() {
    for (n, mode) in [(3, "moran"), (5, "geary"), (40, "moran"), (600, "geary"), (600, "moran")] {
        let call = autocorr(n, 3, mode, 50);
        let task = Task::read(&call.data, &call.params).unwrap();
        let mut context = context();
        let found = statistics(&mut Session::new(&mut context), &task, Null::Cells).unwrap();
        let permuted = found.permuted.unwrap();
        let permutations = Permutations::new(SPATIAL_AUTOCORR, task.seed, n);
        for feature in 0..3 {
            let x = column(&task, feature);
            let identity: Vec<u32> = (0..n as u32).collect();
            let score = statistic(&task, &x, &identity);
            if found.score[feature].is_nan() {
                assert!(permuted.sims[feature].iter().all(|sim| sim.is_nan()));
                continue;
            }
            // Integers of norm 2^31 leave sqrt(n) 2^-32 of |z|, twice, times the largest statistic (below 4 here).
            let allowance = 8.0 * (n as f64).sqrt() * 2f64.powi(-31);
            let (mut surely, mut maybe) = (0, 0);
            for (p, sim) in permuted.sims[feature].iter().enumerate() {
                let mut images = vec![0; n];
                permutations.fill(p as u64, &mut images);
                let expected = statistic(&task, &x, &images);
                assert!((sim - expected).abs() <= allowance, "{n} {mode}: {sim} for {expected}");
                surely += usize::from(expected > score + allowance);
                maybe += usize::from(expected >= score - allowance);
            }
            let count = permuted.at_least[feature];
            assert!((surely..=maybe).contains(&count), "{surely} <= {count} <= {maybe}");
        }
    }
}

#[test]
fn a_ring_that_is_turned_ties_with_itself() {
    // Two distinct values on three cells, all pairs joined: every permutation gives the same statistic.
    let mut call = autocorr(3, 1, "moran", 60);
    let data = std::sync::Arc::make_mut(&mut call.data);
    let x = dispatch::Dense::new(vec![3, 1], vec![1.0f32, 0.0, 0.0]);
    data.set("X", x.into());
    let third = 1.0 / 3.0;
    let (indptr, indices) = (vec![0, 2, 4, 6], vec![1, 2, 0, 2, 0, 1]);
    let graph = dispatch::Sparse::csr((3, 3), indptr, indices, vec![third; 6]);
    data.set("obsp/spatial_connectivities", graph.into());
    let task = Task::read(&call.data, &call.params).unwrap();
    let found = statistics(&mut Session::new(&mut context()), &task, Null::Cells).unwrap();
    assert_eq!(found.permuted.unwrap().at_least, [60]);
}

/// Every permutation of some elements, by Heap's algorithm.
fn arrangements(n: usize) -> Vec<Vec<u32>> {
    let mut items: Vec<u32> = (0..n as u32).collect();
    let (mut all, mut counters, mut i) = (vec![items.clone()], vec![0; n], 0);
    while i < n {
        if counters[i] < i {
            items.swap(if i % 2 == 0 { 0 } else { counters[i] }, i);
            all.push(items.clone());
            counters[i] += 1;
            i = 0;
        } else {
            counters[i] = 0;
            i += 1;
        }
    }
    all
}

#[test]
fn exact_moments_are_those_of_all_permutations() {
    for (n, mode) in [(5, "moran"), (5, "geary"), (6, "moran"), (7, "geary")] {
        let call = autocorr(n, 3, mode, 0);
        let task = Task::read(&call.data, &call.params).unwrap();
        assert!((0..n).all(|i| task.graph.row(i).all(|(j, _)| j != i)), "no self loops");
        let (found, moments) =
            with_moments(&mut Session::new(&mut context()), &task, Null::Cells).unwrap();
        for feature in 0..3 {
            if found.score[feature].is_nan() {
                assert!(moments[feature].variance.is_nan());
                continue;
            }
            let x = column(&task, feature);
            let all: Vec<f64> = arrangements(n).iter().map(|at| statistic(&task, &x, at)).collect();
            let mean = all.iter().sum::<f64>() / all.len() as f64;
            let variance = all.iter().map(|s| (s - mean).powi(2)).sum::<f64>() / all.len() as f64;
            // A few hundred additions of numbers near 1.
            let close = |a: f64, b: f64| (a - b).abs() < 1e-12;
            assert!(
                close(moments[feature].mean, mean),
                "{n} {mode}: {:?} {mean}",
                moments[feature]
            );
            assert!(close(moments[feature].variance, variance), "{n} {mode}: {variance}");
        }
    }
}

fn asked(mut call: Call, params: &[(&str, Value)]) -> Result<dispatch::Reply, Fault> {
    call.params.extend(params.iter().map(|(k, v)| ((*k).to_owned(), v.clone())));
    cuda_backend::backend().run(&call)
}

#[test]
fn the_parameter_is_keyword_only_and_refuses_what_it_does_not_know() {
    let backend = cuda_backend::backend();
    let signature = &backend.manifest().functions["spatial_autocorr"];
    let host = reference::spatial_autocorr::signature();
    let (shared, own) = signature.params.split_at(host.params.len());
    assert_eq!(shared, host.params);
    assert!(own.len() == 1 && own[0].name == "null" && own[0].kind == Kind::KeywordOnly);
    for function in ["co_occurrence", "ligrec"] {
        let hosts = &reference::backend().manifest().functions[function].clone();
        assert_eq!(&backend.manifest().functions[function], hosts);
    }
    let call = autocorr(20, 2, "moran", 10);
    let plain = asked(call.clone(), &[]).unwrap().data;
    assert_eq!(asked(call.clone(), &[("null", "squidpy".into())]).unwrap().data, plain);
    assert_ne!(asked(call.clone(), &[("null", "relabel".into())]).unwrap().data, plain);
    let refused = asked(call, &[("null", "rows".into())]).unwrap_err();
    assert!(refused.to_string().contains("squidpy"), "{refused}");
}

#[test]
fn exact_relabelling_refuses_self_loops_and_says_what_to_do() {
    let mut call = autocorr(3, 1, "moran", 0);
    let graph = dispatch::Sparse::csr((3, 3), vec![0, 2, 3, 4], vec![0, 1, 2, 0], vec![1.0; 4]);
    std::sync::Arc::make_mut(&mut call.data).set("obsp/spatial_connectivities", graph.into());
    let params = [("null", "relabel".into()), ("n_perms", "exact".into())];
    let refused = asked(call, &params).unwrap_err().to_string();
    assert!(refused.contains("cell 0") && refused.contains("number of permutations"), "{refused}");
}
