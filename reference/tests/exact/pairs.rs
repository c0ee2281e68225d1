//! Pairs of cells, and pairs of genes and clusters.

use dispatch::{Dataset, Value};
use proptest::prelude::*;
use reference::co_occurrence::Task as Distances;
use reference::exact::{Beyond, Ligrec, Tally, co_occurrence};
use reference::ligrec::Task as Genes;
use reference::rng::{LIGREC, Permutations};

use crate::{Cells, U, cases, fraction, params};

fn distances(data: &Dataset, interval: &[f64]) -> Distances {
    let interval = Value::List(interval.iter().map(|t| (*t).into()).collect());
    Distances::read(data, &params(&[("cluster_key", "cluster".into()), ("interval", interval)]))
        .unwrap()
}

fn genes(data: &Dataset, names: &[&str]) -> Genes {
    let names = Value::List(names.iter().map(|name| (*name).into()).collect());
    let given = [
        ("cluster_key", "cluster".into()),
        ("interactions", names),
        ("use_raw", false.into()),
        ("n_perms", 20.into()),
    ];
    Genes::read(data, &params(&given)).unwrap()
}

fn labels(task: &Genes, permutation: u64) -> Vec<u32> {
    let mut images = vec![0; task.labels.len()];
    Permutations::new(LIGREC, 0, images.len()).fill(permutation, &mut images);
    images.iter().map(|image| task.labels[*image as usize]).collect()
}

#[test]
fn rounding_decides_where_predicates_differ() {
    let at = vec![[0.0, 0.0], [0.1, 0.2], [3.0, 4.0]];
    let data = Cells { at, labels: vec![0, 1, 0], ..Cells::default() }.dataset();
    // 3-4-5 is exact both ways; its next smaller distance is out both ways.
    let task = distances(&data, &[0.0, f64::from(5f32.next_down()), 5.0]);
    let counts = co_occurrence(&task);
    assert_eq!(counts.canonical, counts.real);
    assert_eq!([counts.real.at(0, 0, 0), counts.real.at(0, 0, 1)], [0, 2]);
    // The floats about sqrt(0.05): the real squares step over d2 = 0.1^2 + 0.2^2, rounded ones may stand on it.
    let near = 0.05f32.sqrt();
    let steps = (-3i32..=3).map(|k| f64::from(f32::from_bits((near.to_bits() as i32 + k) as u32)));
    let interval: Vec<f64> = std::iter::once(0.0).chain(steps.clone()).collect();
    let task = distances(&data, &interval);
    let counts = co_occurrence(&task);
    assert_eq!(task.counts().n, counts.canonical.n);
    let exact = |v: f32| num_rational::BigRational::from_float(f64::from(v)).unwrap();
    let d2 = exact(0.1) * exact(0.1) + exact(0.2) * exact(0.2);
    for (r, t) in steps.enumerate() {
        let within = exact(t as f32) * exact(t as f32) >= d2;
        assert_eq!(counts.real.at(0, 1, r), u64::from(within), "t = {t}");
    }
}

#[test]
fn ratios_by_hand() {
    // A at 0 and 3, B at 4, as in the tests of the reference: within 3, N = [[2, 1], [1, 0]].
    let at = vec![[0.0, 0.0], [3.0, 0.0], [4.0, 0.0]];
    let data = Cells { at, labels: vec![0, 0, 1], ..Cells::default() }.dataset();
    let counts = co_occurrence(&distances(&data, &[0.0, 0.5, 3.0])).real;
    assert_eq!(counts.n, [0, 2, 0, 1, 0, 1, 0, 0]);
    // R = 3, 1, Tot = 4: 2 4/9, 4/3, 4/3, 0.
    let zero = fraction(0, 1);
    let expected =
        [&zero, &fraction(8, 9), &zero, &fraction(4, 3), &zero, &fraction(4, 3), &zero, &zero];
    assert!(counts.ratios().iter().eq(expected));
}

#[test]
fn four_cells_are_enumerated_by_hand() {
    // g0 = 2, 4 | 0, 0; the six assignments of {a, a, b, b} give a the sums 6, 2, 2, 4, 4, 0.
    let cells = Cells {
        genes: vec![vec![2.0, 4.0, 0.0, 0.0], vec![1.0, 0.0, 3.0, 5.0]],
        labels: vec![0, 0, 1, 1],
        ..Cells::default()
    };
    let data = cells.dataset();
    let task = genes(&data, &["g0", "g1"]);
    let oracle = Ligrec::new(&task).unwrap();
    // Rows g0-g0, g0-g1, g1-g0, g1-g1; columns aa, ab, ba, bb.
    assert_eq!(oracle.means()[5], fraction(7, 2));
    assert_eq!(oracle.means()[6], fraction(0, 1));
    let defined = [true, false, false, false, true, true, false, false];
    assert_eq!(oracle.defined()[..8], defined);
    let all = oracle.enumerate(6).unwrap();
    assert_eq!(all[0], Some(Tally { above: 0, ties: 1, total: 6 }));
    assert_eq!(all[1], None);
    // g1-g1 in aa: sums of a are 1, 4, 6, 3, 5, 8 (cells 01, 02, 03, 12, 13, 23); observed 1.
    assert_eq!(all[12], Some(Tally { above: 5, ties: 1, total: 6 }));
    // g0 in a with g1 in b: the largest g0 meets the largest g1.
    assert_eq!(all[5], Some(Tally { above: 0, ties: 1, total: 6 }));
    let refused = oracle.enumerate(5).unwrap_err().to_string();
    assert_eq!(refused, "enumerate 6 arrangements: the limit is 5");
}

#[test]
fn infinite_values_are_beyond_it() {
    let genes_of = vec![vec![1.0, f64::INFINITY, 0.0]];
    let data = Cells { genes: genes_of, labels: vec![0, 1, 1], ..Cells::default() }.dataset();
    let task = genes(&data, &["g0"]);
    assert_eq!(Ligrec::new(&task).err(), Some(Beyond::Infinite { gene: "G0".to_owned() }));
}

/// Up to 40 cells of up to 4 clusters that all occur, on a lattice with ties or anywhere; 3 genes.
fn labelled() -> impl Strategy<Value = Cells> {
    let coordinate = prop_oneof![(-6i8..6).prop_map(f32::from), -6f32..6.0];
    let value = prop_oneof![Just(0.0), (0u8..4).prop_map(f64::from), 0.0f64..10.0, -1.0f64..1e-6];
    let cell = (prop::array::uniform2(coordinate), prop::array::uniform3(value), 0i32..4);
    (prop::collection::vec(cell, 4..40), 2i32..5).prop_map(|(cells, k)| Cells {
        at: cells.iter().map(|cell| cell.0).collect(),
        genes: (0..3).map(|g| cells.iter().map(|cell| cell.1[g]).collect()).collect(),
        labels: cells.iter().enumerate().map(|(i, cell)| (i as i32).min(k + cell.2) % k).collect(),
        edges: Vec::new(),
    })
}

proptest! {
    #![proptest_config(cases(200))]

    #[test]
    fn counts_and_ratios_of_the_reference(cells in labelled(), interval in prop::collection::vec(0.0f64..20.0, 2..7), whole in any::<bool>()) {
        let interval: Vec<f64> = interval.iter().map(|t| if whole { t.round() } else { *t }).collect();
        let data = cells.dataset();
        let task = distances(&data, &interval);
        let (oracle, counts, band) = (co_occurrence(&task), task.counts(), task.band());
        prop_assert_eq!(&counts.n, &oracle.canonical.n);
        // Four conversions of counts below 2^53 are exact; three divisions.
        for (exact, ratio) in oracle.canonical.ratios().iter().zip(counts.ratios()) {
            prop_assert!(exact.distance(ratio)[1] <= 4.0 * U * ratio, "{exact:?} {ratio}");
        }
        // The band is about float32 predicates with thresholds as rounded; where nothing was rounded it holds the truth.
        for (at, real) in oracle.real.n.iter().enumerate() {
            let t = f64::from(task.interval[at % task.thresholds.len() + 1]);
            if t * t == f64::from(task.thresholds[at % task.thresholds.len()]) {
                prop_assert!(band.low.n[at] <= *real && *real <= band.high.n[at]);
            }
        }
    }

    #[test]
    fn means_and_p_values_of_the_reference(cells in labelled()) {
        let data = cells.dataset();
        let task = genes(&data, &["g0", "g1", "g2"]);
        let oracle = Ligrec::new(&task).unwrap();
        let observed = task.observed();
        let exceedances = task.exceedances(&observed, Some(1e-12));
        prop_assert_eq!(oracle.defined(), task.defined(&observed));
        let tables = task.tables(&observed, &exceedances.strict);
        // Two positive means of one rounding for the sum and one for the division each, and their sum.
        for (exact, mean) in oracle.means().iter().zip(&tables.means) {
            prop_assert!(exact.distance(*mean)[1] <= 4.0 * U * mean, "{exact:?} {mean}");
        }
        let permuted: Vec<Vec<u32>> = (0..20).map(|p| labels(&task, p)).collect();
        let tallies = oracle.tally(permuted.iter().map(Vec::as_slice));
        for (at, tally) in tallies.iter().enumerate() {
            let Some(tally) = tally else { continue };
            let counts = [exceedances.strict[at], exceedances.ties[at]].map(u64::from);
            prop_assert_eq!(counts, [tally.above, tally.ties]);
            prop_assert_eq!(tally.total, 20);
        }
    }
}
