//! Wrong permutations: of the wrong thing, too few, the same, from another seed.

use reference::spatial_autocorr::{Mode, Task};

use super::{
    Class, Mutant, edges, of, permutation, permuted_rows, recount, score, simulated, with_permuted,
};
use crate::mutants::change::{identity, replaced};
use dispatch::Value;

const PERMUTATIONS: Mutant = of(Class::Permutations);

pub(super) const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "autocorr-permutes-values",
        spec: "A3",
        mistake: "relabels the cells, which permutes rows and columns of the graph alike",
        origin: "the textbook's null, `esda`'s too, of another variance than squidpy's; p-values remain plausible",
        check: "var_sim: value",
        run: |data, params| {
            with_permuted(data, params, |task, scores, permuted| {
                simulated(task, scores, permuted, |_, x, p| {
                    let images = permutation(task, task.seed, p);
                    let moved: Vec<f64> = images.iter().map(|&i| x[i as usize]).collect();
                    score(task, &task.graph, &moved)
                });
            })
        },
        ..PERMUTATIONS
    },
    Mutant {
        name: "autocorr-permutes-columns",
        mistake: "permutes the columns of the graph for its rows",
        origin: "the same null on symmetric graphs; range checks of p-values see neither",
        check: "var_sim: value",
        run: |data, params| {
            with_permuted(data, params, |task, scores, permuted| {
                simulated(task, scores, permuted, |_, x, p| {
                    let images = permutation(task, task.seed, p);
                    let columns = permuted_rows(&task.graph.transposed(), &images).transposed();
                    score(task, &columns, x)
                });
            })
        },
        ..PERMUTATIONS
    },
    Mutant {
        name: "autocorr-permutes-by-inverse",
        mistake: "scatters rows to `pi(i)` where they are to be gathered from there",
        origin: "the inverse permutation: the same null, other numbers; a seed no longer reproduces an answer",
        check: "var_sim: value",
        run: |data, params| {
            with_permuted(data, params, |task, scores, permuted| {
                simulated(task, scores, permuted, |_, x, p| {
                    let mut inverse = identity(task.n());
                    for (i, image) in permutation(task, task.seed, p).into_iter().enumerate() {
                        inverse[image as usize] = i as u32;
                    }
                    score(task, &permuted_rows(&task.graph, &inverse), x)
                });
            })
        },
        ..PERMUTATIONS
    },
    Mutant {
        name: "autocorr-first-permutation-is-identity",
        mistake: "counts the data as they are as one of the permutations",
        origin: "off by one; one permutation in many",
        check: "var_sim: value",
        run: |data, params| {
            with_permuted(data, params, |_, scores, permuted| {
                for (sims, score) in
                    permuted.sims.iter_mut().zip(scores).filter(|(s, _)| !s.is_empty())
                {
                    sims.rotate_right(1);
                    sims[0] = *score;
                }
                recount(scores, permuted);
            })
        },
        ..PERMUTATIONS
    },
    Mutant {
        name: "autocorr-last-permutation-missing",
        mistake: "leaves the last permutation at 0",
        origin: "a loop that ends one early over a zeroed buffer",
        check: "var_sim: value",
        run: |data, params| {
            with_permuted(data, params, |_, scores, permuted| {
                let last = permuted.sims.iter_mut().filter_map(|sims| sims.last_mut());
                last.filter(|sim| !sim.is_nan()).for_each(|sim| *sim = 0.0);
                recount(scores, permuted);
            })
        },
        ..PERMUTATIONS
    },
    Mutant {
        name: "autocorr-permutations-all-equal",
        mistake: "draws the same permutation every time",
        origin: "a generator made anew from the seed for each draw, as in squidpy's ripley; p-values stay in range",
        check: "var_sim: value",
        run: |data, params| {
            with_permuted(data, params, |_, scores, permuted| {
                for sims in permuted.sims.iter_mut().filter(|sims| !sims.is_empty()) {
                    let first = sims[0];
                    sims.fill(first);
                }
                recount(scores, permuted);
            })
        },
        ..PERMUTATIONS
    },
    Mutant {
        name: "autocorr-seed-per-gene",
        mistake: "draws other permutations for each gene",
        origin: "a stream that runs on from gene to gene; the answer of a gene then depends on which others are asked for",
        check: "var_sim: value",
        run: |data, params| {
            with_permuted(data, params, |task, scores, permuted| {
                simulated(task, scores, permuted, |k, x, p| {
                    let images = permutation(task, task.seed + k as u64, p);
                    score(task, &permuted_rows(&task.graph, &images), x)
                });
            })
        },
        ..PERMUTATIONS
    },
    Mutant {
        name: "autocorr-ignores-seed",
        mistake: "draws from seed 0, whatever `seed` says",
        origin: "rapids-singlecell 0.18.1 has no seed at all; tests compare two runs of one seed",
        check: "var_sim: value",
        run: |data, params| super::right(data, &replaced(params, [("seed", Value::Int(0))])),
        ..PERMUTATIONS
    },
    Mutant {
        name: "autocorr-naive-shuffle",
        mistake: "swaps each element with any other, not with one of those left",
        origin: "the classic biased shuffle; no test of a single p-value can tell",
        check: "var_sim: value",
        run: |data, params| {
            with_permuted(data, params, |task, scores, permuted| {
                simulated(task, scores, permuted, |_, x, p| {
                    let draws = permutation(task, task.seed, p);
                    let mut images = identity(task.n());
                    for (i, &j) in draws.iter().enumerate() {
                        images.swap(i, j as usize);
                    }
                    score(task, &permuted_rows(&task.graph, &images), x)
                });
            })
        },
        ..PERMUTATIONS
    },
    Mutant {
        name: "autocorr-permutes-structure-only",
        mistake: "permutes which cells are neighbours and leaves the weights where they are",
        origin: "`indices` shuffled without `data`; the same for equal weights",
        check: "var_sim: value",
        run: |data, params| {
            with_permuted(data, params, |task, scores, permuted| {
                simulated(task, scores, permuted, |_, x, p| {
                    let images = permutation(task, task.seed, p);
                    let rows = permuted_rows(&task.graph, &images);
                    let mean = task.moments.s0 / task.graph.weights.len() as f64;
                    score(task, &edges(&rows, |_, _, _| Some(mean)), x)
                });
            })
        },
        ..PERMUTATIONS
    },
    Mutant {
        name: "geary-permutes-half",
        mistake: "permutes the cross terms of Geary's C and leaves its squares",
        origin: "Moran's shortcut, the lag, taken over to Geary; right where all rows have one sum",
        check: "var_sim: value",
        run: |data, params| {
            with_permuted(data, params, |task, scores, permuted| {
                if task.mode == Mode::Geary {
                    simulated(task, scores, permuted, |_, x, p| half_permuted(task, x, p));
                }
            })
        },
        ..PERMUTATIONS
    },
];

/// C with only the products of two cells permuted.
fn half_permuted(task: &Task<'_>, x: &[f64], p: usize) -> f64 {
    let mut z = vec![0.0; x.len()];
    let Some(d) = reference::spatial_autocorr::centred(x, &mut z) else { return f64::NAN };
    let images = permutation(task, task.seed, p);
    let rows = permuted_rows(&task.graph, &images);
    let (n, moments) = (task.n(), &task.moments);
    let squares: f64 = (0..n).map(|i| (moments.rows[i] + moments.columns[i]) * z[i] * z[i]).sum();
    let cross: f64 = (0..n).map(|i| z[i] * rows.row(i).map(|(j, w)| w * z[j]).sum::<f64>()).sum();
    task.mode.factor(n, moments.s0, d) * (squares - 2.0 * cross)
}
