//! Zeros left out: the same statistics as of the dense matrix, within the bound that the module derives.

use dispatch::{Dataset, Dense, Format, Sparse, Value};
use reference::matrix::Columns;
use reference::spatial_autocorr::Task;

use crate::{dataset, params};

const CELLS: usize = 5000;
const GENES: usize = 8;

/// Genes of every kind on a ring with shortcuts: sparse, patched, empty, of one cell, constant, dense.
fn sparse(negative: bool) -> Dataset {
    let hash = |i: usize, g: usize| ((i * 31 + g * 977) as u32).wrapping_mul(2_654_435_761) >> 8;
    let value = |i: usize, g: usize| match g {
        0..3 if hash(i, g).is_multiple_of(10) => f64::from(1 + hash(i, g + 9) % 7) / 4.0,
        3 if i / 500 % 4 == 1 => 1.0 + f64::from(hash(i, g) % 5),
        4 if i == 77 => 2.5,
        5 => 3.0,
        6 => 100.0 + f64::from(hash(i, g) % 3),
        1 if negative && i == 40 => -1.0,
        _ => 0.0,
    };
    let (mut indptr, mut indices, mut values) = (vec![0], Vec::new(), Vec::new());
    for i in 0..CELLS {
        for g in (0..GENES).filter(|&g| value(i, g) != 0.0) {
            // Kept below a quarter: the constant and the dense gene stand in a few cells only.
            if g < 5 || i % 16 == 0 {
                indices.push(g as i32);
                values.push(value(i, g));
            }
        }
        indptr.push(indices.len() as i32);
    }
    let neighbours = |i: usize| [(i + 1) % CELLS, (i * 7 + 3) % CELLS, i].map(|j| j as i32);
    let graph = Sparse::csr(
        (CELLS, CELLS),
        (0..=CELLS).map(|i| 3 * i as i32).collect::<Vec<_>>(),
        (0..CELLS).flat_map(neighbours).collect::<Vec<_>>(),
        [1.0, 0.5, 0.25].repeat(CELLS),
    );
    let mut data = dataset(&vec![vec![0.0; CELLS]; GENES], &[]);
    data.set("X", Sparse::csr((CELLS, GENES), indptr, indices, values).into());
    data.set("obsp/spatial_connectivities", graph.into());
    data
}

fn x(data: &Dataset) -> Sparse {
    match data.get("X") {
        Some(Value::Sparse(x)) => x.clone(),
        other => panic!("{other:?}"),
    }
}

fn densified(data: &Dataset) -> Dataset {
    let x = x(data);
    let mut values = vec![0.0; CELLS * GENES];
    for i in 0..CELLS {
        x.lane(i).for_each(|(g, v)| values[i * GENES + g] += v);
    }
    let mut data = data.clone();
    data.set("X", Dense::new(vec![CELLS, GENES], values).into());
    data
}

fn with_x(data: &Dataset, x: Sparse) -> Dataset {
    let mut data = data.clone();
    data.set("X", x.into());
    data
}

/// Scores of both modes and normalisations, and with permutations their ranks.
fn scores(data: &Dataset) -> Vec<(Vec<f64>, Vec<usize>)> {
    let calls = [("moran", true), ("moran", false), ("geary", true), ("geary", false)];
    let one = |(mode, transformation): (&str, bool)| {
        let given = [
            ("mode", mode.into()),
            ("transformation", transformation.into()),
            ("n_perms", 5.into()),
        ];
        let task = Task::read(data, &params(&given)).unwrap();
        let statistics = task.statistics();
        (statistics.score, statistics.permuted.unwrap().at_least)
    };
    calls.map(one).to_vec()
}

/// h is 128 + 16 + 13 + 3 < 256 here, one side; the graph has row sums of 1 or 1.75 and column sums up to 2 or 3.25, so
/// kappa < 2, and `q`, `2 m sum t x`, `3 m^2 S0` are together below `12 kappa D S0 / n`.
const ALLOWED: f64 = (2.0 * 12.0 * 2.0 + 12.0) * 256.0 * f64::EPSILON / 2.0;

fn check(data: &Dataset, expected: &[(Vec<f64>, Vec<usize>)]) {
    for ((score, ranks), (dense, dense_ranks)) in scores(data).iter().zip(expected) {
        for (a, b) in score.iter().zip(dense) {
            let equal = a.is_nan() && b.is_nan() || (a - b).abs() <= ALLOWED * (1.0 + b.abs());
            assert!(equal, "{a} and {b}");
        }
        assert_eq!(ranks, dense_ranks);
    }
}

#[test]
fn every_storage_has_the_scores_of_the_dense_matrix() {
    let data = sparse(false);
    let expected = scores(&densified(&data));
    assert!(expected[0].0[7].is_nan() && expected[0].0[3] > 0.5);
    check(&data, &expected);
    check(&with_x(&data, x(&data).recompress()), &expected);
    // Quarters are float32 numbers too.
    let single: Vec<f32> = x(&data).data.to_f64().iter().map(|v| *v as f32).collect();
    let single = Sparse { data: single.into(), ..x(&data) };
    check(&with_x(&data, single), &expected);
}

#[test]
fn unordered_duplicate_and_negative_entries_are_no_exception() {
    let data = sparse(true);
    let expected = scores(&densified(&data));
    check(&data, &expected);
    let mut reversed = x(&data);
    let (mut indices, mut values) = (Vec::new(), Vec::new());
    let mut indptr = vec![0];
    for i in 0..CELLS {
        let mut lane: Vec<_> = reversed.lane(i).collect();
        lane.reverse();
        // The first entry in two parts that float64 adds up exactly.
        if let Some(&(g, v)) = lane.first() {
            lane[0] = (g, v - 0.25);
            lane.push((g, 0.25));
        }
        indices.extend(lane.iter().map(|(g, _)| *g as i32));
        values.extend(lane.iter().map(|(_, v)| *v));
        indptr.push(indices.len() as i32);
    }
    reversed = Sparse::csr((CELLS, GENES), indptr, indices, values);
    assert_eq!(reversed.format, Format::Csr);
    check(&with_x(&data, reversed), &expected);
}

#[test]
fn the_same_bits_for_any_number_of_threads() {
    let data = sparse(false);
    let by_column = with_x(&data, x(&data).recompress());
    for data in [&data, &by_column] {
        let bits = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let scores = pool.install(|| scores(data));
            scores.iter().flat_map(|(s, _)| s.iter().map(|v| v.to_bits())).collect::<Vec<u64>>()
        };
        let one = bits(1);
        assert!(one == bits(2) && one == bits(7));
    }
}

#[test]
fn a_sparse_matrix_is_turned_only_for_its_columns() {
    let data = sparse(false);
    let task = Task::read(&data, &params(&[])).unwrap();
    let Columns::Sparse(matrix, _) = &task.features.columns else { panic!() };
    assert_eq!(matrix.stored().format, Format::Csr);
    assert_eq!(matrix.columns(), &x(&data).recompress());
}
