//! Wrong formulas of the statistics and their moments.

use reference::spatial_autocorr::{Mode, Task};

use super::{Class, Mutant, divided, edges, normalised, of, with_score, with_statistics};
use crate::mutants::change::replaced;
use dispatch::{Dataset, Params};

const FORMULA: Mutant = of(Class::Formula);

pub(super) const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "moran-without-n-over-s0",
        spec: "A1",
        mistake: "leaves the factor n/S0 out of Moran's I",
        origin: "rapids-singlecell 0.18.1; invisible where rows are normalised and no cell is isolated",
        check: "I: value",
        run: |data, params| {
            with_statistics(data, params, |task, statistics| {
                if task.mode == Mode::Moran {
                    let lost = task.moments.s0 / task.n() as f64;
                    statistics.score.iter_mut().for_each(|score| *score *= lost);
                    if let Some(permuted) = &mut statistics.permuted {
                        permuted.sims.iter_mut().flatten().for_each(|sim| *sim *= lost);
                    }
                }
            })
        },
        ..FORMULA
    },
    Mutant {
        name: "autocorr-normalises-always",
        spec: "A2",
        mistake: "normalises the rows of the graph even if `transformation=False`",
        origin: "a dropped argument; invisible on graphs in which every cell has equally many neighbours",
        check: "I: value",
        run: |data, params| {
            super::right(data, &replaced(params, [("transformation", true.into())]))
        },
        ..FORMULA
    },
    Mutant {
        name: "autocorr-normalises-never",
        spec: "A2",
        mistake: "does not normalise the rows of the graph",
        origin: "a dropped argument; on kNN graphs it multiplies all weights by one number and nothing moves",
        check: "I: value",
        run: |data, params| {
            super::right(data, &replaced(params, [("transformation", false.into())]))
        },
        ..FORMULA
    },
    Mutant {
        name: "autocorr-normalises-columns",
        spec: "A2",
        mistake: "normalises the columns of the graph for its rows",
        origin: "CSR read as CSC; the same on symmetric graphs of constant degree",
        check: "I: value",
        run: |data, params| {
            normalised(data, params, |graph| {
                divided(&graph.transposed(), |row| row.iter().map(|w| w.abs()).sum()).transposed()
            })
        },
        ..FORMULA
    },
    Mutant {
        name: "autocorr-normalises-by-maximum",
        spec: "A2",
        mistake: "divides each row by its largest weight",
        origin: "`norm=\"max\"` for `norm=\"l1\"`; on graphs without weights it does nothing, which scaling hides",
        check: "I: value",
        run: |data, params| {
            normalised(data, params, |graph| {
                divided(graph, |row| row.iter().fold(0.0, |m: f64, w| m.max(w.abs())))
            })
        },
        ..FORMULA
    },
    Mutant {
        name: "autocorr-normalises-by-degree",
        spec: "A2",
        mistake: "divides each row by the number of its entries",
        origin: "right for unweighted graphs, which is all that is tested",
        check: "I: value",
        run: |data, params| {
            normalised(data, params, |graph| divided(graph, |row| row.len() as f64))
        },
        ..FORMULA
    },
    Mutant {
        name: "autocorr-normalises-by-signed-sum",
        spec: "A2",
        mistake: "divides each row by its sum, not by the sum of magnitudes",
        origin: "rapids-singlecell 0.18.1; the same unless weights are negative",
        check: "I: value",
        run: |data, params| {
            normalised(data, params, |graph| divided(graph, |row| row.iter().sum()))
        },
        ..FORMULA
    },
    Mutant {
        name: "geary-with-moran-variance",
        spec: "A5",
        mistake: "uses the variance of Moran's I for Geary's C",
        origin: "squidpy itself before 1.8.2 (issue #1183)",
        check: "var_norm: value",
        run: |data, params| {
            with_statistics(data, params, |task, s| {
                s.variance = Mode::Moran.variance(&task.moments);
            })
        },
        ..FORMULA
    },
    Mutant {
        name: "moran-expects-minus-1-over-n",
        spec: "A5",
        mistake: "expects -1/n, not -1/(n-1)",
        origin: "hardly visible with many cells",
        check: "pval_norm: value",
        run: |data, params| {
            with_statistics(data, params, |task, s| {
                if task.mode == Mode::Moran {
                    s.expected = -1.0 / task.n() as f64;
                }
            })
        },
        ..FORMULA
    },
    Mutant {
        name: "geary-with-n",
        spec: "A5",
        mistake: "has n where Geary's C has n - 1",
        origin: "copied from Moran's I; hardly visible with many cells",
        check: "C: value",
        run: |data, params| {
            with_score(data, params, |task, x, _, _| {
                let n = task.n() as f64;
                right_score(task, x) * if task.mode == Mode::Geary { n / (n - 1.0) } else { 1.0 }
            })
        },
        ..FORMULA
    },
    Mutant {
        name: "autocorr-expects-the-other",
        spec: "A+",
        mistake: "takes the expected value of the other statistic",
        origin: "1 for -1/(n-1) and back; p-values stay between 0 and 1/2",
        check: "pval_norm: value",
        run: |data, params| {
            with_statistics(data, params, |task, s| {
                s.expected = other(task.mode).expected(task.n())
            })
        },
        ..FORMULA
    },
    Mutant {
        name: "autocorr-s1-without-half",
        spec: "A+",
        mistake: "leaves the factor 1/2 out of S1",
        origin: "a formula copied by hand; no upstream test compares a variance with another formula",
        check: "var_norm: value",
        run: |data, params| with_moments(data, params, |_, s1, _| *s1 *= 2.0),
        ..FORMULA
    },
    Mutant {
        name: "autocorr-s2-without-transpose",
        spec: "A+",
        mistake: "takes row sums for column sums in S2",
        origin: "invisible on symmetric graphs",
        check: "var_norm: value",
        run: |data, params| {
            with_moments(data, params, |task, _, s2| {
                *s2 = task.moments.rows.iter().map(|r| (2.0 * r).powi(2)).sum();
            })
        },
        ..FORMULA
    },
    Mutant {
        name: "autocorr-s1-without-transpose",
        spec: "A+",
        mistake: "takes the squares of the weights themselves in S1: 2 sum w_ij^2",
        origin: "invisible on symmetric graphs",
        check: "var_norm: value",
        run: |data, params| {
            with_moments(data, params, |task, s1, _| {
                *s1 = 2.0 * task.graph.weights.iter().map(|w| w * w).sum::<f64>();
            })
        },
        ..FORMULA
    },
    Mutant {
        name: "moran-variance-adds-the-square",
        mistake: "adds 1/(n-1)^2 in the variance of Moran's I for subtracting it",
        origin: "a sign; vanishes with many cells",
        check: "var_norm: value",
        run: |data, params| {
            with_statistics(data, params, |task, s| {
                if task.mode == Mode::Moran {
                    s.variance += 2.0 / (task.n() as f64 - 1.0).powi(2);
                }
            })
        },
        ..FORMULA
    },
    Mutant {
        name: "moran-variance-over-n-squared",
        mistake: "divides by n^2 where the variance of Moran's I has (n-1)(n+1)",
        origin: "one part in n^2; tests with tolerances of 1e-5 and many cells",
        check: "var_norm: value",
        run: |data, params| {
            with_statistics(data, params, |task, s| {
                if task.mode == Mode::Moran {
                    let n = task.n() as f64;
                    let square = 1.0 / (n - 1.0).powi(2);
                    s.variance = (s.variance + square) * (n * n - 1.0) / (n * n) - square;
                }
            })
        },
        ..FORMULA
    },
    Mutant {
        name: "geary-variance-terms-swapped",
        mistake: "has S1 + 2 S2 where the variance of Geary's C has 2 S1 + S2",
        origin: "swapped terms of one formula",
        check: "var_norm: value",
        run: |data, params| {
            with_statistics(data, params, |task, s| {
                if task.mode == Mode::Geary {
                    let mut moments = task.moments.clone();
                    // 2 a + b = S1 + 2 S2
                    (moments.s1, moments.s2) = (moments.s2, moments.s1);
                    s.variance = task.mode.variance(&moments);
                }
            })
        },
        ..FORMULA
    },
    Mutant {
        name: "geary-variance-over-n",
        mistake: "divides by 2n where the variance of Geary's C has 2(n+1)",
        origin: "off by one; hardly visible with many cells",
        check: "var_norm: value",
        run: |data, params| {
            with_statistics(data, params, |task, s| {
                if task.mode == Mode::Geary {
                    s.variance *= (task.n() as f64 + 1.0) / task.n() as f64;
                }
            })
        },
        ..FORMULA
    },
    Mutant {
        name: "geary-without-half",
        mistake: "leaves the 2 of Geary's denominator out",
        origin: "each pair taken for two; rank p-values do not notice",
        check: "C: value",
        run: |data, params| {
            with_score(data, params, |task, x, _, _| {
                right_score(task, x) * if task.mode == Mode::Geary { 2.0 } else { 1.0 }
            })
        },
        ..FORMULA
    },
    Mutant {
        name: "geary-absolute-differences",
        mistake: "sums |x_i - x_j| for its square",
        origin: "the same for values of 0 and 1",
        check: "C: value",
        run: |data, params| {
            with_score(data, params, |task, x, _, d| match task.mode {
                Mode::Moran => right_score(task, x),
                Mode::Geary => {
                    let row =
                        |i: usize| task.graph.row(i).map(move |(j, w)| w * (x[i] - x[j]).abs());
                    let numerator: f64 = (0..task.n()).flat_map(row).sum();
                    task.mode.factor(task.n(), task.moments.s0, d) * numerator
                }
            })
        },
        ..FORMULA
    },
    Mutant {
        name: "moran-values-not-centred",
        mistake: "does not subtract the mean",
        origin: "invisible on data that were scaled first",
        check: "I: value",
        run: |data, params| moran_product(data, params, |x, _, i, j| x[i] * x[j]),
        ..FORMULA
    },
    Mutant {
        name: "moran-one-side-centred",
        mistake: "subtracts the mean on one side of the product only",
        origin: "exactly right where all rows and columns have one sum, as on symmetric kNN graphs",
        check: "I: value",
        run: |data, params| moran_product(data, params, |x, z, i, j| z[i] * x[j]),
        ..FORMULA
    },
    Mutant {
        name: "autocorr-counts-connected-cells",
        mistake: "takes for n the number of cells that have a neighbour",
        origin: "isolated cells dropped with the empty rows; tested graphs have none",
        check: "I: value",
        run: |data, params| {
            with_score(data, params, |task, x, _, _| {
                let n = (0..task.n()).filter(|&i| task.graph.row(i).count() > 0).count() as f64;
                let right = right_score(task, x);
                match task.mode {
                    Mode::Moran => right * n / task.n() as f64,
                    Mode::Geary => right * (n - 1.0) / (task.n() as f64 - 1.0),
                }
            })
        },
        ..FORMULA
    },
    Mutant {
        name: "autocorr-s0-is-nnz",
        mistake: "takes the number of stored entries for S0",
        origin: "right for weights of 1 that are not normalised",
        check: "I: value",
        run: |data, params| {
            let mut task = Task::read(data, params)?;
            task.moments.s0 = task.graph.weights.len() as f64;
            Ok(super::answer(&task, &task.statistics()))
        },
        ..FORMULA
    },
    Mutant {
        name: "autocorr-absolute-weights",
        spec: "A+",
        mistake: "takes the magnitudes of the weights",
        origin: "invisible unless weights are negative",
        check: "I: value",
        run: |data, params| {
            super::on_graph(data, params, |graph| edges(graph, |_, _, w| Some(w.abs())))
        },
        ..FORMULA
    },
];

/// The other statistic.
fn other(mode: Mode) -> Mode {
    match mode {
        Mode::Moran => Mode::Geary,
        Mode::Geary => Mode::Moran,
    }
}

fn right_score(task: &Task<'_>, x: &[f64]) -> f64 {
    super::score(task, &task.graph, x)
}

/// Everything right but S1 or S2, and what follows from them.
fn with_moments(
    data: &Dataset,
    params: &Params,
    change: impl FnOnce(&Task<'_>, &mut f64, &mut f64),
) -> super::Answer {
    with_statistics(data, params, |task, statistics| {
        let mut moments = task.moments.clone();
        change(task, &mut moments.s1, &mut moments.s2);
        statistics.variance = task.mode.variance(&moments);
    })
}

/// Moran's I with another product of two cells: `product(x, z, i, j)`.
fn moran_product(
    data: &Dataset,
    params: &Params,
    product: impl Fn(&[f64], &[f64], usize, usize) -> f64,
) -> super::Answer {
    with_score(data, params, |task, x, z, d| {
        if task.mode == Mode::Geary {
            return right_score(task, x);
        }
        let row = |i: usize| task.graph.row(i).map(|(j, w)| w * product(x, z, i, j)).sum::<f64>();
        task.mode.factor(task.n(), task.moments.s0, d) * (0..task.n()).map(row).sum::<f64>()
    })
}
