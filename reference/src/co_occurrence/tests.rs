//! Hand-computed tables and laws of co-occurrence.

use dispatch::{Categorical, Dataset, Dense, Fault, Frame, Index, Params, Value};
use proptest::prelude::*;

use super::*;

/// A task of explicit distances; the first is not used.
pub(super) fn task(cells: &[([f32; 2], u32)], k: usize, interval: &[f32]) -> Task {
    Task {
        x: cells.iter().map(|(at, _)| at[0]).collect(),
        y: cells.iter().map(|(at, _)| at[1]).collect(),
        labels: cells.iter().map(|(_, label)| *label).collect(),
        k,
        interval: interval.to_vec(),
        thresholds: interval[1..].iter().map(|t| t * t).collect(),
        key: None,
        warnings: Vec::new(),
    }
}

/// The definition, pair by pair.
pub(super) fn by_definition(task: &Task) -> Counts {
    let (k, bins) = (task.k, task.thresholds.len());
    let mut n = vec![0; k * k * bins];
    let at = |i: usize| [task.x[i], task.y[i]];
    for i in 0..task.labels.len() {
        for j in (0..task.labels.len()).filter(|&j| j != i) {
            let (dx, dy) = (at(i)[0] - at(j)[0], at(i)[1] - at(j)[1]);
            for (r, threshold) in task.thresholds.iter().enumerate() {
                let pair = task.labels[i] as usize * k + task.labels[j] as usize;
                n[pair * bins + r] += u64::from(dy.mul_add(dy, dx * dx) <= *threshold);
            }
        }
    }
    Counts { k, bins, n }
}

fn dataset(codes: Vec<i32>, categories: &[&str], at: Dense) -> Dataset {
    let mut data = Dataset::new();
    let index = Index::text((0..codes.len()).map(|i| format!("c{i}")));
    let column = Categorical::new(codes, categories.iter().copied()).into();
    data.set("obs", Frame::new(index, [("cluster", column)]).into());
    data.set("obsm/spatial", at.into());
    data
}

fn params(pairs: &[(&str, Value)]) -> Params {
    let pairs = pairs.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
    Params::from([("cluster_key".to_owned(), "cluster".into())]).into_iter().chain(pairs).collect()
}

fn kind(data: &Dataset, pairs: &[(&str, Value)]) -> String {
    match Task::read(data, &params(pairs)).unwrap_err() {
        Fault::Rejected { kind, .. } => kind,
        other => panic!("{other}"),
    }
}

/// Cells of k labels, each label used, on a small lattice with ties or anywhere.
fn cells() -> impl Strategy<Value = (Vec<([f32; 2], u32)>, usize)> {
    let coordinate = prop_oneof![(-6i8..6).prop_map(f32::from), -6f32..6.0];
    let cell = ((coordinate.clone(), coordinate).prop_map(|(x, y)| [x, y]), 0u32..4);
    (prop::collection::vec(cell, 0..60), 1usize..5).prop_map(|(mut cells, k)| {
        cells.iter_mut().enumerate().for_each(|(i, (_, label))| {
            *label = if i < k { i as u32 } else { *label % k as u32 };
        });
        let k = k.min(cells.len());
        (cells, k)
    })
}

fn distances() -> impl Strategy<Value = Vec<f32>> {
    prop::collection::vec(prop_oneof![(0u8..9).prop_map(f32::from), 0f32..20.0], 2..9)
}

#[test]
fn three_cells_by_hand() {
    // A at 0 and 3, B at 4; distances 3, 4, 1; within 1: one A-B pair, within 3: one A-A pair more.
    let cells = [([0.0, 0.0], 0), ([3.0, 0.0], 0), ([4.0, 0.0], 1)];
    let task = task(&cells, 2, &[0.0, 0.5, 1.0, 3.0]);
    let counts = task.counts();
    // [a][b][r]: AA, AB, BA, BB at 0.5, 1, 3.
    assert_eq!(counts.n, [0, 0, 2, 0, 1, 1, 0, 1, 1, 0, 0, 0]);
    // r=1: R = (1, 1), Tot = 2, occ[A,B] = (1/1)/(1/2) = 2. r=2: R = (3, 1), Tot = 4:
    // occ[A,A] = (2/3)/(3/4), occ[A,B] = (N[B,A]/R[B])/(R[A]/Tot) = 1/(3/4), occ[B,A] = (1/3)/(1/4).
    let r2 = [2.0 / 3.0 / 0.75, 1.0 / 0.75, 1.0 / 3.0 / 0.25, 0.0];
    assert_eq!(
        counts.ratios(),
        [0.0, 0.0, r2[0], 0.0, 2.0, r2[1], 0.0, 2.0, r2[2], 0.0, 0.0, r2[3]]
    );
}

#[test]
fn unused_categories_have_no_axis_and_categories_keep_their_order() {
    let at = Dense::new(vec![4, 2], vec![0.0, 0.0, 1.0, 0.0, 3.0, 0.0, 6.0, 0.0]);
    let interval = Value::List(vec![0.0.into(), 1.0.into(), 2.0.into()]);
    let read = |codes: &[i32], names: &[&str]| {
        let data = dataset(codes.to_vec(), names, at.clone());
        Task::read(&data, &params(&[("interval", interval.clone())])).unwrap()
    };
    let plain = read(&[0, 1, 1, 0], &["b", "a"]);
    assert_eq!(read(&[1, 3, 3, 1], &["z", "b", "y", "a", "x"]), plain);
    assert_eq!(plain.labels, [0, 1, 1, 0]);
}

#[test]
fn refusals_are_the_hosts() {
    let at = Dense::new(vec![3, 2], vec![0.0, 0.0, 1.0, 0.0, 3.0, 0.0]);
    let data = dataset(vec![0, 1, 0], &["a", "b"], at.clone());
    assert_eq!(kind(&data, &[("cluster_key", "nope".into())]), "KeyError");
    assert_eq!(kind(&data, &[("spatial_key", "nope".into())]), "KeyError");
    assert_eq!(kind(&data, &[("interval", 1.into())]), "ValueError");
    assert_eq!(kind(&data, &[("radius", 1.into())]), "TypeError");
    assert_eq!(kind(&dataset(vec![0, -1, 0], &["a"], at.clone()), &[]), "KeyError");
    let few = Dense::new(vec![2, 2], vec![0.0; 4]);
    assert_eq!(kind(&dataset(vec![0, 0], &["a"], few), &[]), "ValueError");
    assert_eq!(
        kind(&dataset(vec![0, 0, 0], &["a"], Dense::new(vec![3, 1], vec![0.0; 3])), &[]),
        "IndexError"
    );
    let lost = Dense::new(vec![3, 2], vec![f64::NAN, 0.0, 1.0, 0.0, 3.0, 0.0]);
    assert_eq!(kind(&dataset(vec![0, 0, 0], &["a"], lost), &[]), "ValueError");
    let mut text = data.clone();
    text.set("obs/cluster", dispatch::Strings::new(["a", "b", "a"]).into());
    assert_eq!(kind(&text, &[]), "TypeError");
}

#[test]
fn ignored_parameters_warn_and_the_answer_stands_in_uns() {
    let at = Dense::new(vec![3, 2], vec![0.0f32, 0.0, 1.0, 0.0, 3.0, 0.0]);
    let data = dataset(vec![0, 1, 0], &["a", "b"], at);
    let reply = (ENTRY.run)(&(), &data, &params(&[("interval", 4.into()), ("n_jobs", 2.into())]));
    let reply = reply.unwrap();
    let warnings = reply.warnings.unwrap();
    assert_eq!(warnings.len(), 1);
    assert!(warnings[0].message.starts_with("Parameter `n_jobs` of `co_occurrence()`"));
    let shape = |path| match reply.data.get(path) {
        Some(Value::Dense(d)) => d.shape.clone(),
        other => panic!("{path}: {other:?}"),
    };
    assert_eq!(shape("uns/cluster_co_occurrence/occ"), [2, 2, 3]);
    assert_eq!(shape("uns/cluster_co_occurrence/interval"), [4]);
}

#[test]
fn the_same_counts_for_any_number_of_threads() {
    // 700 cells are 245 000 pairs, above the threshold for threads.
    let spread = |i: u32| i.wrapping_mul(2_654_435_761) as f32 / u32::MAX as f32;
    let cells: Vec<_> = (0..700).map(|i| ([spread(i), spread(i + 9000)], i * i % 5 % 3)).collect();
    let task = task(&cells, 3, &[0.0, 0.9, 0.1, 0.3]);
    let counts = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| (task.counts(), task.band()))
    };
    let one = counts(1);
    assert_eq!(one.0, by_definition(&task));
    assert!(one == counts(2) && one == counts(7));
}

#[test]
fn crowded_thresholds_are_searched() {
    // 60 levels a few ULP apart and a zero: too many for the guess to help.
    let crowd = (0..60).map(|i| 1.0 + i as f32 * 3e-7);
    let interval: Vec<f32> = [9.0, 0.0].into_iter().chain(crowd).chain([4.0]).collect();
    let cells: Vec<_> = (0..40)
        .map(|i| ([1.0 + (i % 20) as f32 * 9e-7, (i / 20) as f32 * 1e-4], i as u32 % 2))
        .chain([([0.0, 0.0], 0), ([0.0, 0.0], 1)])
        .collect();
    let task = task(&cells, 2, &interval);
    assert_eq!(task.counts(), by_definition(&task));
}

#[test]
fn the_band_holds_the_pairs_in_doubt() {
    // Distance 0.1 twice; 0.1f32^2 is inexact, so both are in doubt; the integer pair is not.
    let cells = [([0.0, 0.0], 0), ([0.1, 0.0], 0), ([0.0, 0.1], 0)];
    let band = task(&cells, 1, &[0.0, 0.1]).band();
    assert_eq!((band.low.n, band.high.n), (vec![0], vec![4]));
    let lattice = [([0.0, 0.0], 0), ([3.0, 4.0], 0), ([0.0, 5.0], 0)];
    let band = task(&lattice, 1, &[0.0, 5.0]).band();
    assert_eq!((band.low.n, band.high.n), (vec![6], vec![6]));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_predicate_is_fused(bits in prop::array::uniform4(any::<u32>()), near in 0u32..64) {
        let f = |bits: u32| { let v = f32::from_bits(bits); if v.is_finite() { v } else { 1.0 } };
        let check = |a: [f32; 2], b: [f32; 2]| {
            let (dx, dy) = (a[0] - b[0], a[1] - b[1]);
            squared_distance(a, b).to_bits() == dy.mul_add(dy, dx * dx).to_bits()
        };
        prop_assert!(check([f(bits[0]), f(bits[1])], [f(bits[2]), f(bits[3])]));
        // Equal exponents, so that both squares matter.
        let unit = |bits: u32| f32::from_bits(bits >> 9 | 0x3f80_0000);
        prop_assert!(check([unit(bits[0]), unit(bits[1])], [0.0, 0.0]));
        prop_assert!(check([unit(bits[0]), f32::from_bits(unit(bits[0]).to_bits() + near)], [0.0; 2]));
        let tiny = |bits: u32| f32::from_bits(bits >> 9 | 0x1f80_0000);
        prop_assert!(check([tiny(bits[0]), tiny(bits[1])], [0.0, 0.0]));
    }

    #[test]
    fn counts_are_the_definition((cells, k) in cells(), interval in distances()) {
        let task = task(&cells, k, &interval);
        let counts = task.counts();
        prop_assert_eq!(&counts, &by_definition(&task));
        let band = task.band();
        let inside = band.low.n.iter().zip(&counts.n).zip(&band.high.n);
        prop_assert!(inside.into_iter().all(|((low, n), high)| low <= n && n <= high));
    }

    // C1 and C2.
    #[test]
    fn symmetric_and_averaging_to_one((cells, k) in cells(), interval in distances()) {
        let counts = task(&cells, k, &interval).counts();
        let (occ, sums) = (counts.ratios(), counts.row_sums());
        let at = |i: usize, c: usize, r: usize| (i * k + c) * counts.bins + r;
        for r in 0..counts.bins {
            let total: u64 = (0..k).map(|b| sums[b * counts.bins + r]).sum();
            for c in 0..k {
                for i in 0..k {
                    // Each side rounds three quotients: 3u relative, 6u together.
                    let (one, other) = (occ[at(i, c, r)], occ[at(c, i, r)]);
                    prop_assert!((one - other).abs() <= 3.0 * f64::EPSILON * one);
                }
                if sums[c * counts.bins + r] > 0 {
                    let share = |i: usize| sums[i * counts.bins + r] as f64 / total as f64;
                    let mean: f64 = (0..k).map(|i| share(i) * occ[at(i, c, r)]).sum();
                    // Terms add up to 1 with 5 roundings each and k more in the sum.
                    prop_assert!((mean - 1.0).abs() <= (5 + k) as f64 * f64::EPSILON);
                }
            }
        }
    }

    // C3 and C4: everything within the last distance.
    #[test]
    fn beyond_the_diameter_only_sizes_matter((cells, k) in cells()) {
        prop_assume!(cells.len() > 1);
        let counts = task(&cells, k, &[0.0, 100.0]).counts();
        let occ = counts.ratios();
        let n = cells.len() as f64;
        let size = |c: usize| cells.iter().filter(|(_, l)| *l as usize == c).count() as f64;
        for i in 0..k {
            for c in 0..k {
                let expected = match i == c {
                    true => n * (size(c) - 1.0) / (size(c) * (n - 1.0)),
                    false => n / (n - 1.0),
                };
                // Three rounded quotients against three or four rounded operations.
                prop_assert!((occ[i * k + c] - expected).abs() <= 4.0 * f64::EPSILON * expected);
            }
        }
        if k == 1 {
            prop_assert_eq!(occ, [1.0]);
        }
    }

    // C6, C7 and C8.
    #[test]
    fn scale_order_and_unused_distances_change_nothing((cells, k) in cells(), interval in distances()) {
        let plain = task(&cells, k, &interval).counts();
        let scaled: Vec<_> = cells.iter().map(|(at, l)| (at.map(|v| v * 8.0), *l)).collect();
        let wide: Vec<f32> = interval.iter().map(|t| t * 8.0).collect();
        prop_assert_eq!(&task(&scaled, k, &wide).counts(), &plain);
        let reversed: Vec<_> = cells.iter().rev().copied().collect();
        prop_assert_eq!(&task(&reversed, k, &interval).counts(), &plain);
        let mut first = interval.clone();
        first[0] = 0.25;
        prop_assert_eq!(&task(&cells, k, &first).counts(), &plain);
        // One distance alone is its slice.
        let last = task(&cells, k, &[0.0, interval[interval.len() - 1]]).counts();
        let slice: Vec<u64> = plain.n.chunks_exact(plain.bins).map(|n| n[plain.bins - 1]).collect();
        prop_assert_eq!(last.n, slice);
    }

    // C9: a copy out of reach.
    #[test]
    fn a_distant_copy_doubles_every_count((cells, k) in cells(), interval in distances()) {
        // On a lattice of 1/64, so that moving a cell does not round its position.
        let snap = |v: f32| (v * 64.0).round() / 64.0;
        let cells: Vec<_> = cells.iter().map(|(at, l)| (at.map(snap), *l)).collect();
        let plain = task(&cells, k, &interval).counts();
        let copy = cells.iter().map(|(at, l)| ([at[0], at[1] + 4096.0], *l));
        let both: Vec<_> = cells.iter().copied().chain(copy).collect();
        let doubled = task(&both, k, &interval).counts();
        prop_assert!(plain.n.iter().zip(&doubled.n).all(|(n, d)| 2 * n == *d));
        prop_assert_eq!(doubled.ratios(), plain.ratios());
    }

    // C11: merging the last cluster into the first.
    #[test]
    fn merging_clusters_adds_counts((cells, k) in cells(), interval in distances()) {
        prop_assume!(k > 1);
        let counts = task(&cells, k, &interval).counts();
        let last = k - 1;
        let into = |l: u32| if l as usize == last { 0 } else { l };
        let merged: Vec<_> = cells.iter().map(|(at, l)| (*at, into(*l))).collect();
        let merged = task(&merged, last, &interval).counts();
        let from = |a: usize| if a == 0 { vec![0, last] } else { vec![a] };
        for a in 0..last {
            for b in 0..last {
                for r in 0..counts.bins {
                    let parts = from(a).into_iter().flat_map(|a| from(b).into_iter().map(move |b| (a, b)));
                    let sum: u64 = parts.map(|(a, b)| counts.at(a, b, r)).sum();
                    prop_assert_eq!(merged.at(a, b, r), sum);
                }
            }
        }
    }
}
