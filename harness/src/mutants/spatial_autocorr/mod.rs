//! Mistakes in `spatial_autocorr`, and the stages of the reference between which they are made.

mod corrections;
mod formula;
mod graphs;
mod inputs;
mod numerics;
mod permutations;
mod pvalues;
mod refusals;
mod sizes;
mod structure;

use dispatch::{Dataset, Fault, Frame, Index, Params, Reply};
use reference::graph::Graph;
use reference::matrix::Columns;
use reference::rng::{Permutations, SPATIAL_AUTOCORR};
use reference::spatial_autocorr::{
    Column, Mode, Permuted, Statistics, Task, centred, geary_numerator, moran_numerator,
};

use super::{Class, Mutant};

/// All of them.
pub(super) const MUTANTS: &[&[Mutant]] = &[
    formula::MUTANTS,
    graphs::MUTANTS,
    permutations::MUTANTS,
    pvalues::MUTANTS,
    corrections::MUTANTS,
    inputs::MUTANTS,
    numerics::MUTANTS,
    sizes::MUTANTS,
    structure::MUTANTS,
    refusals::MUTANTS,
];

const fn of(class: Class) -> Mutant {
    Mutant::of("spatial_autocorr", class)
}

type Answer = Result<Reply, Fault>;

/// The reference.
pub(super) fn right(data: &Dataset, params: &Params) -> Answer {
    let task = Task::read(data, params)?;
    Ok(answer(&task, &task.statistics()))
}

/// The rest of the computation, from the statistics on.
fn answer(task: &Task<'_>, statistics: &Statistics) -> Reply {
    task.reply(statistics.table(task))
}

/// Everything right but the statistics.
fn with_statistics(
    data: &Dataset,
    params: &Params,
    change: impl FnOnce(&Task<'_>, &mut Statistics),
) -> Answer {
    let task = Task::read(data, params)?;
    let mut statistics = task.statistics();
    change(&task, &mut statistics);
    Ok(answer(&task, &statistics))
}

/// Everything right but the score: `score(task, x, z, D)` of each feature that has one.
fn with_score(
    data: &Dataset,
    params: &Params,
    score: impl Fn(&Task<'_>, &[f64], &[f64], f64) -> f64,
) -> Answer {
    with_statistics(data, params, |task, statistics| {
        let (mut x, mut z) = (vec![0.0; task.n()], vec![0.0; task.n()]);
        for (k, value) in statistics.score.iter_mut().enumerate().filter(|(_, s)| !s.is_nan()) {
            task.features.columns.fill(k, &mut x);
            if let Some(d) = centred(&x, &mut z) {
                *value = score(task, &x, &z, d);
            }
        }
    })
}

/// Everything right but the permuted statistics.
fn with_permuted(
    data: &Dataset,
    params: &Params,
    change: impl FnOnce(&Task<'_>, &[f64], &mut Permuted),
) -> Answer {
    with_statistics(data, params, |task, statistics| {
        if let Some(permuted) = &mut statistics.permuted {
            change(task, &statistics.score, permuted);
        }
    })
}

/// Everything right but the columns before correction.
fn with_columns(
    data: &Dataset,
    params: &Params,
    change: impl FnOnce(&Task<'_>, &Statistics, &mut Vec<Column>),
) -> Answer {
    let task = Task::read(data, params)?;
    let statistics = task.statistics();
    let mut columns = statistics.columns(&task);
    change(&task, &statistics, &mut columns);
    let corrected = task.corrected(&columns);
    columns.extend(corrected);
    Ok(task.reply(task.sorted(columns)))
}

/// Everything right but one column before correction.
fn with_column(
    data: &Dataset,
    params: &Params,
    name: &str,
    change: impl FnOnce(&Task<'_>, &Statistics, &mut Vec<f64>),
) -> Answer {
    with_columns(data, params, |task, statistics, columns| {
        if let Some((_, values)) = columns.iter_mut().find(|(n, _)| n == name) {
            change(task, statistics, values);
        }
    })
}

/// Everything right but the finished table.
fn with_table(
    data: &Dataset,
    params: &Params,
    change: impl FnOnce(&Task<'_>, Frame) -> Frame,
) -> Answer {
    let task = Task::read(data, params)?;
    let table = task.statistics().table(&task);
    Ok(task.reply(change(&task, table)))
}

/// Everything right but the values of the features.
pub(super) fn with_values(
    data: &Dataset,
    params: &Params,
    change: impl Fn(&Task<'_>, &mut Vec<f64>),
) -> Answer {
    let mut task = Task::read(data, params)?;
    let columns = values(&task).into_iter().map(|mut x| {
        change(&task, &mut x);
        x
    });
    let columns = Columns::Owned(columns.collect());
    task.features.columns = columns;
    Ok(answer(&task, &task.statistics()))
}

/// The values of every feature.
fn values(task: &Task<'_>) -> Vec<Vec<f64>> {
    let one = |k: usize| {
        let mut x = vec![0.0; task.n()];
        task.features.columns.fill(k, &mut x);
        x
    };
    (0..task.features.len()).map(one).collect()
}

/// Everything right on another graph than the one stored.
fn on_graph(data: &Dataset, params: &Params, change: impl Fn(&Graph) -> Graph) -> Answer {
    let mut task = Task::read(data, params)?;
    task.raw_graph = change(&task.raw_graph);
    task.graph = match task.transformation {
        true => task.raw_graph.row_normalized()?,
        false => task.raw_graph.clone(),
    };
    task.moments = task.graph.moments();
    Ok(answer(&task, &task.statistics()))
}

/// Everything right on rows normalised in another way, where they are to be normalised.
fn normalised(data: &Dataset, params: &Params, change: impl Fn(&Graph) -> Graph) -> Answer {
    let mut task = Task::read(data, params)?;
    if task.transformation {
        task.graph = change(&task.raw_graph);
        task.moments = task.graph.moments();
    }
    Ok(answer(&task, &task.statistics()))
}

/// The graph with each edge `(from, to, weight)` replaced, or dropped for `None`.
fn edges(graph: &Graph, change: impl Fn(usize, usize, f64) -> Option<f64>) -> Graph {
    let mut out = Graph { indptr: vec![0], indices: vec![], weights: vec![], dtype: graph.dtype };
    for i in 0..graph.len() {
        for (j, w) in graph.row(i) {
            if let Some(w) = change(i, j, w) {
                out.indices.push(j as u32);
                out.weights.push(w);
            }
        }
        out.indptr.push(out.indices.len());
    }
    out
}

/// Each row divided by `total` of its weights, where that is not 0.
fn divided(graph: &Graph, total: impl Fn(&[f64]) -> f64) -> Graph {
    let mut graph = graph.clone();
    for i in 0..graph.len() {
        let row = &mut graph.weights[graph.indptr[i]..graph.indptr[i + 1]];
        let total = total(row);
        if total != 0.0 {
            row.iter_mut().for_each(|w| *w /= total);
        }
    }
    graph
}

/// The statistic of values on a graph, by the sums over weights in the task.
fn score(task: &Task<'_>, graph: &Graph, x: &[f64]) -> f64 {
    let mut z = vec![0.0; x.len()];
    let Some(d) = centred(x, &mut z) else { return f64::NAN };
    let numerator = match task.mode {
        Mode::Moran => moran_numerator(graph, &z),
        Mode::Geary => geary_numerator(graph, x),
    };
    if task.moments.s0 == 0.0 {
        return f64::NAN;
    }
    task.mode.factor(task.n(), task.moments.s0, d) * numerator
}

/// Permutation `p` of the call.
fn permutation(task: &Task<'_>, seed: u64, p: usize) -> Vec<u32> {
    let mut images = vec![0; task.n()];
    Permutations::new(SPATIAL_AUTOCORR, seed, task.n()).fill(p as u64, &mut images);
    images
}

/// Permuted statistics by plain loops: `simulate(k, x, p)` is the statistic of feature k under permutation p.
fn simulated(
    task: &Task<'_>,
    score: &[f64],
    permuted: &mut Permuted,
    simulate: impl Fn(usize, &[f64], usize) -> f64,
) {
    let n_perms = task.n_perms.unwrap_or(0);
    for (k, x) in values(task).iter().enumerate() {
        let sims = (0..n_perms).map(|p| simulate(k, x, p));
        permuted.sims[k] = sims.map(|sim| if score[k].is_nan() { f64::NAN } else { sim }).collect();
    }
    recount(score, permuted);
}

/// Counts again how many permuted statistics reach the observed one.
fn recount(score: &[f64], permuted: &mut Permuted) {
    for ((count, sims), score) in permuted.at_least.iter_mut().zip(&permuted.sims).zip(score) {
        *count = sims.iter().filter(|sim| *sim >= score).count();
    }
}

/// The rows of a graph in another order: row i becomes row `images[i]` of the old one.
fn permuted_rows(graph: &Graph, images: &[u32]) -> Graph {
    let mut out = Graph { indptr: vec![0], indices: vec![], weights: vec![], dtype: graph.dtype };
    for &i in images {
        for (j, w) in graph.row(i as usize) {
            out.indices.push(j as u32);
            out.weights.push(w);
        }
        out.indptr.push(out.indices.len());
    }
    out
}

/// An index of names.
fn names(labels: Vec<String>) -> Index {
    Index::text(labels)
}
