//! The stored graph misread: loops, duplicates, zeros, order, format, dtype.

use dispatch::{Dtype, Format, Value};
use reference::graph::Graph;
use reference::spatial_autocorr::Task;

use super::{Class, Mutant, edges, of, on_graph, with_statistics};
use crate::mutants::change::{text, with_slot};

const GRAPHS: Mutant = of(Class::Inputs);

pub(super) const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "autocorr-drops-loops",
        spec: "A+",
        mistake: "leaves out the edges from a cell to itself",
        origin: "graphs of tests have an empty diagonal",
        check: "I: value",
        run: |data, params| {
            on_graph(data, params, |graph| edges(graph, |i, j, w| (i != j).then_some(w)))
        },
        ..GRAPHS
    },
    Mutant {
        name: "autocorr-ignores-weights",
        mistake: "takes each stored entry for an edge of weight 1",
        origin: "the graphs that squidpy builds have no other weight",
        check: "I: value",
        run: |data, params| on_graph(data, params, |graph| edges(graph, |_, _, _| Some(1.0))),
        ..GRAPHS
    },
    Mutant {
        name: "autocorr-last-duplicate-wins",
        mistake: "keeps the last of several entries in one place, rather than their sum",
        origin: "`out[i][j] = w` for `+=`; builders of graphs store no duplicates",
        check: "I: value",
        run: |data, params| {
            on_graph(data, params, |graph| {
                let last = |i: usize, j: usize| graph.row(i).filter(|e| e.0 == j).last();
                let count = |i: usize, j: usize| graph.row(i).filter(|e| e.0 == j).count() as f64;
                // The same number of entries, which add up to the last one.
                edges(graph, |i, j, _| last(i, j).map(|(_, w)| w / count(i, j)))
            })
        },
        ..GRAPHS
    },
    Mutant {
        name: "autocorr-s1-per-entry",
        mistake: "squares duplicate entries one by one in S1",
        origin: "a kernel over stored entries; builders of graphs store no duplicates",
        check: "var_norm: value",
        run: |data, params| {
            with_s1(data, params, |task| {
                let transposed = task.graph.transposed();
                let sorted = transposed.transposed();
                (0..task.n()).map(|i| merged_squares(&sorted, &transposed, i)).sum()
            })
        },
        ..GRAPHS
    },
    Mutant {
        name: "autocorr-s1-needs-sorted-rows",
        mistake: "merges rows in S1 as if their entries stood in order",
        origin: "SciPy does not sort what it multiplies or stacks; squidpy's builders do",
        check: "var_norm: value",
        run: |data, params| {
            with_s1(data, params, |task| {
                let transposed = task.graph.transposed();
                (0..task.n()).map(|i| merged_squares(&task.graph, &transposed, i)).sum()
            })
        },
        ..GRAPHS
    },
    Mutant {
        name: "autocorr-integer-graph-not-normalised",
        spec: "A2",
        mistake: "normalises a converted copy of an integer graph and uses the original",
        origin: "squidpy 1.8.3 itself, through scikit-learn; its builders store float32",
        check: "I: value",
        run: |data, params| {
            let mut task = Task::read(data, params)?;
            if !task.graph.dtype.is_float() {
                task.graph = task.raw_graph.clone();
                task.moments = task.graph.moments();
            }
            Ok(super::answer(&task, &task.statistics()))
        },
        ..GRAPHS
    },
    Mutant {
        name: "autocorr-bool-graph-or",
        mistake: "adds a bool graph and its transpose as a logical OR in S1",
        origin: "what NumPy's `+` means for bool; squidpy 1.8.3 itself",
        check: "var_norm: value",
        run: |data, params| {
            with_s1(data, params, |task| {
                let right = task.moments.s1;
                if task.graph.dtype != Dtype::Bool || task.transformation {
                    return right;
                }
                let sorted = task.graph.transposed();
                let or = |i: usize| {
                    let mut targets: Vec<usize> = task
                        .graph
                        .row(i)
                        .chain(sorted.row(i))
                        .filter(|e| e.1 != 0.0)
                        .map(|e| e.0)
                        .collect();
                    targets.sort_unstable();
                    targets.dedup();
                    targets.len() as f64
                };
                0.5 * (0..task.n()).map(or).sum::<f64>()
            })
        },
        ..GRAPHS
    },
    Mutant {
        name: "autocorr-csc-read-as-csr",
        mistake: "reads the arrays of a CSC graph as those of a CSR graph",
        origin: "`.indptr` and `.indices` exist on both; symmetric graphs do not show it",
        check: "I: value",
        run: |data, params| {
            let path = format!("obsp/{}", key(params));
            let misread = with_slot(data, &path, |graph| {
                if let Value::Sparse(sparse) = graph {
                    sparse.format = Format::Csr;
                }
            });
            super::right(&misread, params)
        },
        ..GRAPHS
    },
    Mutant {
        name: "autocorr-empty-rows-nan",
        spec: "A+",
        mistake: "divides the rows of isolated cells by 0, and answers NaN",
        origin: "0/0 in a normalisation; kNN graphs have no isolated cells",
        check: "I: value",
        run: |data, params| {
            let mut task = Task::read(data, params)?;
            let isolated = (0..task.n()).any(|i| task.raw_graph.row(i).all(|(_, w)| w == 0.0));
            if task.transformation && isolated {
                task.moments.s0 = f64::NAN;
            }
            Ok(super::answer(&task, &task.statistics()))
        },
        ..GRAPHS
    },
    Mutant {
        name: "autocorr-empty-graph-gives-zero",
        mistake: "answers 0 on a graph without edges",
        origin: "a guard against dividing by 0; no upstream test has such a graph",
        check: "I: value",
        run: |data, params| {
            with_statistics(data, params, |task, s| {
                if task.moments.s0 == 0.0 {
                    s.score.iter_mut().for_each(|score| *score = 0.0);
                }
            })
        },
        ..GRAPHS
    },
    Mutant {
        name: "autocorr-ignores-connectivity-key",
        mistake: "takes the graph under the usual key, whatever `connectivity_key` says",
        origin: "tests have one graph",
        check: "I: value",
        run: |data, params| {
            let by = [("connectivity_key", "spatial_connectivities".into())];
            super::right(data, &crate::mutants::change::replaced(params, by))
        },
        ..GRAPHS
    },
];

fn key(params: &dispatch::Params) -> &str {
    text(params, "connectivity_key", "spatial_connectivities")
}

fn with_s1(
    data: &dispatch::Dataset,
    params: &dispatch::Params,
    s1: impl FnOnce(&Task<'_>) -> f64,
) -> super::Answer {
    with_statistics(data, params, |task, statistics| {
        let mut moments = task.moments.clone();
        moments.s1 = s1(task);
        statistics.variance = task.mode.variance(&moments);
    })
}

/// `1/2 sum_j (a_ij + b_ij)^2` by a merge of two rows that trusts both to be sorted and without duplicates.
fn merged_squares(a: &Graph, b: &Graph, i: usize) -> f64 {
    let (mut a, mut b) = (a.row(i).peekable(), b.row(i).peekable());
    let mut total = 0.0;
    loop {
        let w = match (a.peek().copied(), b.peek().copied()) {
            (Some((j, v)), Some((k, w))) if j == k => {
                a.next();
                b.next();
                v + w
            }
            (Some((j, v)), Some((k, _))) if j < k => {
                a.next();
                v
            }
            (_, Some((_, w))) => {
                b.next();
                w
            }
            (Some((_, v)), None) => {
                a.next();
                v
            }
            (None, None) => return 0.5 * total,
        };
        total += w * w;
    }
}
