//! What is left out where a tile or an integer ends. Sizes are scaled to those that plans reach, and then as they are.

use reference::co_occurrence::{Counts, Task};

use super::{Class, Mutant, of, with_counts, with_task};

const SIZES: Mutant = of(Class::Sizes);

pub(super) const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "cooc-total-in-16-bits",
        spec: "B6",
        mistake: "adds the total up in 16 bits",
        origin: "a 32-bit total, scaled to what every plan reaches: 257 cells have 65792 pairs",
        check: "occ: value",
        run: |data, params| wrapped_total(data, params, |total| total & 0xffff),
        ..SIZES
    },
    Mutant {
        name: "cooc-total-in-32-bits",
        spec: "B6",
        mistake: "adds the total up in a signed 32-bit integer",
        origin: "overflows from 46342 cells on; all tests are small",
        check: "occ: value",
        run: |data, params| wrapped_total(data, params, |total| i64::from(total as i32) as u64),
        ..SIZES
    },
    Mutant {
        name: "cooc-counters-in-12-bits",
        spec: "B6",
        mistake: "counts pairs one by one in a float of 11 bits, which stops at 2048",
        origin: "float16 counters; float32 ones stop at 2^24",
        check: "occ: value",
        run: |data, params| stuck(data, params, 1 << 11),
        ..SIZES
    },
    Mutant {
        name: "cooc-counters-in-f32",
        spec: "B6",
        mistake: "counts pairs one by one in float32, which stops at 2^24",
        origin: "float atomics; all tests are small",
        check: "occ: value",
        run: |data, params| stuck(data, params, 1 << 24),
        ..SIZES
    },
    Mutant {
        name: "cooc-last-cell",
        mistake: "leaves the last cell out",
        origin: "`i < n - 1`; one cell in many",
        check: "occ: value",
        run: |data, params| {
            with_task(data, params, |task| keep(task, task.labels.len().saturating_sub(1)))
        },
        ..SIZES
    },
    Mutant {
        name: "cooc-last-block-16",
        spec: "B+",
        mistake: "leaves the cells after the last full block of 16 out",
        origin: "a grid of n / 16 blocks; tests have a multiple of the block",
        check: "occ: value",
        run: |data, params| block(data, params, 16),
        ..SIZES
    },
    Mutant {
        name: "cooc-last-block-64",
        spec: "B+",
        mistake: "leaves the cells after the last full block of 64 out",
        origin: "a grid of n / 64 blocks; tests have a multiple of the block",
        check: "occ: value",
        run: |data, params| block(data, params, 64),
        ..SIZES
    },
    Mutant {
        name: "cooc-last-block-256",
        spec: "B+",
        mistake: "leaves the cells after the last full block of 256 out",
        origin: "a grid of n / 256 blocks; tests have a multiple of the block",
        check: "occ: value",
        run: |data, params| block(data, params, 256),
        ..SIZES
    },
    Mutant {
        name: "cooc-fallback-above-2k",
        spec: "B+",
        mistake: "forgets pairs within a cluster where the table of counts exceeds 2 KiB",
        origin: "the path without shared memory, scaled to what every plan reaches; tests have few clusters",
        check: "occ: value",
        run: |data, params| fallback(data, params, |counts| 4 * counts.n.len() > 2048),
        ..SIZES
    },
    Mutant {
        name: "cooc-fallback-above-48k",
        spec: "B+",
        mistake: "forgets pairs within a cluster where k^2 counters exceed 48 KiB, from 111 clusters on",
        origin: "the path without shared memory; tests have few clusters",
        check: "occ: value",
        run: |data, params| fallback(data, params, |counts| 4 * counts.k * counts.k > 48 << 10),
        ..SIZES
    },
    Mutant {
        name: "cooc-last-threshold",
        mistake: "leaves the last threshold at 0",
        origin: "`r < m - 2`; one of fifty",
        check: "occ: value",
        run: |data, params| {
            with_counts(data, params, |_, counts| {
                counts.n.iter_mut().skip(counts.bins - 1).step_by(counts.bins).for_each(|n| *n = 0);
            })
        },
        ..SIZES
    },
    Mutant {
        name: "cooc-32-thresholds-at-most",
        mistake: "leaves thresholds beyond the 32nd at 0",
        origin: "one lane of a warp for each; the default has 49",
        check: "occ: value",
        run: |data, params| {
            with_counts(data, params, |_, counts| {
                for (cell, n) in counts.n.iter_mut().enumerate() {
                    *n = if cell % counts.bins >= 32 { 0 } else { *n };
                }
            })
        },
        ..SIZES
    },
];

/// The task with its first cells only.
fn keep(task: &mut Task, cells: usize) {
    task.labels.truncate(cells);
    task.x.truncate(cells);
    task.y.truncate(cells);
}

fn block(data: &dispatch::Dataset, params: &dispatch::Params, size: usize) -> super::Answer {
    with_task(data, params, |task| {
        if task.labels.len() >= size {
            keep(task, task.labels.len() / size * size);
        }
    })
}

/// Counters that stop at a number.
fn stuck(data: &dispatch::Dataset, params: &dispatch::Params, most: u64) -> super::Answer {
    with_counts(data, params, |_, counts| {
        counts.n.iter_mut().for_each(|n| *n = (*n).min(most));
    })
}

/// Ratios by a total that an integer cannot hold.
fn wrapped_total(
    data: &dispatch::Dataset,
    params: &dispatch::Params,
    wrap: impl Fn(u64) -> u64,
) -> super::Answer {
    super::with_ratios(data, params, 0.0, |n, sums, [i, c, r]| {
        let total = wrap(sums.total(r) as u64) as i64 as f64;
        n.at(c, i, r) as f64 / sums.row(n, c, r) / (sums.row(n, i, r) / total)
    })
}

fn fallback(
    data: &dispatch::Dataset,
    params: &dispatch::Params,
    beyond: impl Fn(&Counts) -> bool,
) -> super::Answer {
    with_counts(data, params, |_, counts| {
        if beyond(counts) {
            for a in 0..counts.k {
                let at = (a * counts.k + a) * counts.bins;
                counts.n[at..at + counts.bins].fill(0);
            }
        }
    })
}
