//! What is left out where a tile, a block or a buffer ends. Sizes are scaled to those that plans reach.

use reference::spatial_autocorr::{Mode, Task};

use super::{Class, Mutant, edges, of, with_score, with_statistics};

const SIZES: Mutant = of(Class::Sizes);

pub(super) const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "autocorr-last-gene-tile-32",
        spec: "A10",
        mistake: "leaves the genes after the last full tile of 32 at 0",
        origin: "a grid of n / 32 blocks; tests have few genes, or a multiple of the tile",
        check: "I: value",
        run: |data, params| gene_tile(data, params, 32),
        ..SIZES
    },
    Mutant {
        name: "autocorr-last-gene-tile-3072",
        spec: "A10",
        mistake: "leaves the genes after the last full tile of 3072 at 0",
        origin: "genes are worked off in tiles of about 3072; no test has more",
        check: "I: value",
        run: |data, params| gene_tile(data, params, 3072),
        ..SIZES
    },
    Mutant {
        name: "autocorr-last-cell-block",
        spec: "A10",
        mistake: "leaves the rows after the last full block of 64 cells out of the numerator",
        origin: "a grid of n / 64 blocks; tests have a multiple of the block",
        check: "I: value",
        run: |data, params| {
            numerator_over(data, params, |task, i, _| task.n() < 64 || i < task.n() / 64 * 64)
        },
        ..SIZES
    },
    Mutant {
        name: "autocorr-last-cell",
        mistake: "leaves the last row out of the numerator",
        origin: "`i < n - 1`; one cell in many",
        check: "I: value",
        run: |data, params| numerator_over(data, params, |task, i, _| i + 1 < task.n()),
        ..SIZES
    },
    Mutant {
        name: "autocorr-first-neighbour-only",
        mistake: "takes the first neighbour of each cell only",
        origin: "`indices[indptr[i]]` without the loop; chains have one neighbour",
        check: "I: value",
        run: |data, params| numerator_over(data, params, |_, _, nth| nth == 0),
        ..SIZES
    },
    Mutant {
        name: "autocorr-eight-neighbours-at-most",
        mistake: "takes at most eight neighbours of a cell",
        origin: "a buffer of fixed size; kNN graphs of tests have six, a hub has all",
        check: "I: value",
        run: |data, params| numerator_over(data, params, |_, _, nth| nth < 8),
        ..SIZES
    },
    Mutant {
        name: "autocorr-narrow-indices",
        spec: "A10",
        mistake: "stores the positions of cells in 8 bits",
        origin: "32-bit indices beyond 2^31 entries, scaled to what a plan reaches: 257 cells wrap around",
        check: "I: value",
        run: |data, params| {
            super::on_graph(data, params, |graph| {
                let mut wrapped = edges(graph, |_, _, w| Some(w));
                wrapped.indices.iter_mut().for_each(|j| *j &= 0xff);
                wrapped
            })
        },
        ..SIZES
    },
    Mutant {
        name: "autocorr-narrow-row-starts",
        spec: "A10",
        mistake: "keeps the starts of rows in 10 bits, so that rows beyond 1024 entries are read from the front",
        origin: "a 32-bit `indptr` beyond 2^31 entries, scaled to what a plan reaches",
        check: "I: value",
        run: |data, params| {
            super::on_graph(data, params, |graph| {
                let mut wrapped = graph.clone();
                for k in 0..wrapped.indices.len() {
                    wrapped.indices[k] = graph.indices[k & 0x3ff];
                    wrapped.weights[k] = graph.weights[k & 0x3ff];
                }
                wrapped
            })
        },
        ..SIZES
    },
    Mutant {
        name: "autocorr-last-permutation-tile",
        spec: "A10",
        mistake: "leaves the permutations after the last full tile of 16 at 0",
        origin: "a grid of N / 16 blocks; tests have a multiple of the tile",
        check: "var_sim: value",
        run: |data, params| {
            super::with_permuted(data, params, |_, scores, permuted| {
                for sims in permuted.sims.iter_mut().filter(|sims| sims.len() >= 16) {
                    let full = sims.len() / 16 * 16;
                    sims[full..].iter_mut().filter(|s| !s.is_nan()).for_each(|s| *s = 0.0);
                }
                super::recount(scores, permuted);
            })
        },
        ..SIZES
    },
    Mutant {
        name: "autocorr-short-permutations",
        spec: "A10",
        mistake: "permutes the first 512 cells only",
        origin: "shared memory for 512 positions; permutations of small data are right",
        check: "var_sim: value",
        run: |data, params| {
            super::with_permuted(data, params, |task, scores, permuted| {
                if task.n() > 512 {
                    super::simulated(task, scores, permuted, |_, x, p| {
                        let mut images = crate::mutants::change::identity(task.n());
                        for (i, image) in
                            super::permutation(task, task.seed, p).into_iter().enumerate().take(512)
                        {
                            images[i] = image % 512;
                        }
                        super::score(task, &super::permuted_rows(&task.graph, &images), x)
                    });
                }
            })
        },
        ..SIZES
    },
];

fn gene_tile(data: &dispatch::Dataset, params: &dispatch::Params, tile: usize) -> super::Answer {
    with_statistics(data, params, |_, s| {
        let genes = s.score.len();
        if genes >= tile {
            let tail = s.score[genes / tile * tile..].iter_mut();
            tail.filter(|score| !score.is_nan()).for_each(|score| *score = 0.0);
        }
    })
}

/// The score with a numerator over some edges: `takes(task, from, nth of its row)`.
fn numerator_over(
    data: &dispatch::Dataset,
    params: &dispatch::Params,
    takes: impl Fn(&Task<'_>, usize, usize) -> bool,
) -> super::Answer {
    with_score(data, params, |task, x, z, d| {
        let row = |i: usize| {
            let term = move |(j, w): (usize, f64)| {
                w * match task.mode {
                    Mode::Moran => z[i] * z[j],
                    Mode::Geary => (x[i] - x[j]).powi(2),
                }
            };
            let kept = task.graph.row(i).enumerate().filter(|(nth, _)| takes(task, i, *nth));
            kept.map(|(_, edge)| term(edge)).sum::<f64>()
        };
        task.mode.factor(task.n(), task.moments.s0, d) * (0..task.n()).map(row).sum::<f64>()
    })
}
