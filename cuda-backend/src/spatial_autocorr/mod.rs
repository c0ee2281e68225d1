//! `spatial_autocorr` on a device: statistics, exact counts of permutations and exact moments by the kernels
//! `autocorr_*`; reading, p-values and the table are the reference's.
//!
//! This backend's own: `n_perms="exact"` gives `pval_z_sim` and `var_sim` as infinitely many permutations would, from
//! the closed form of their moments, and no `pval_sim`.

mod stage;
mod tile;

use dispatch::{Dataset, Fault, Params, Reply, Value};
use reference::spatial_autocorr::{Column, NullMoments, Permuted, Statistics, Task};
use reference::stats::upper_tail;

use crate::Gpu;
use crate::driver::Grid;
use crate::session::Session;
use stage::Graph;
use tile::Tile;

/// Threads of a block.
const THREADS: usize = 256;

pub(crate) fn run(gpu: &Gpu, data: &Dataset, params: &Params) -> Result<Reply, Fault> {
    let exact = matches!(params.get("n_perms"), Some(Value::Text(text)) if text == "exact");
    let mut rest = params.clone();
    if exact {
        rest.remove("n_perms");
    }
    let task = Task::read(data, &rest)?;
    gpu.call(|session| {
        if !exact {
            return Ok(task.reply(statistics(session, &task)?.table(&task)));
        }
        let (statistics, moments) = with_moments(session, &task)?;
        let mut columns = statistics.columns(&task);
        columns.extend(exact_columns(&statistics.score, &moments));
        columns.extend(task.corrected(&columns));
        Ok(task.reply(task.sorted(columns)))
    })
}

/// `pval_z_sim` and `var_sim` as infinitely many permutations would give them.
fn exact_columns(scores: &[f64], moments: &[NullMoments]) -> [Column; 2] {
    let p = |(score, null): (&f64, &NullMoments)| {
        upper_tail(((score - null.mean) / null.variance.sqrt()).abs())
    };
    [
        ("pval_z_sim".to_owned(), scores.iter().zip(moments).map(p).collect()),
        ("var_sim".to_owned(), moments.iter().map(|null| null.variance).collect()),
    ]
}

/// What [`Task::statistics`] of the reference computes, but for [`Permuted::resolution`], which only a judge needs.
///
/// # Errors
/// Those of the device.
pub fn statistics(session: &mut Session<'_>, task: &Task<'_>) -> Result<Statistics, Fault> {
    let mut score = Vec::with_capacity(task.features.len());
    let mut permuted = task.n_perms.map(|_| Permuted::default());
    let graph = Graph::upload(session, task)?;
    for features in tiles(session, task)? {
        session.scope(|session| {
            let tile = Tile::new(session, task, &graph, features)?;
            score.extend(session.download(tile.scores)?);
            if let (Some(permuted), Some(n_perms)) = (&mut permuted, task.n_perms) {
                tile.permute(session, task, &graph, n_perms, permuted)?;
            }
            Ok(())
        })?;
    }
    Ok(of(task, score, permuted))
}

/// The statistics without permutations, and the moments of [`Task::null_moments`].
///
/// # Errors
/// Those of the device.
pub fn with_moments(
    session: &mut Session<'_>,
    task: &Task<'_>,
) -> Result<(Statistics, Vec<NullMoments>), Fault> {
    let (mut score, mut moments) = (Vec::new(), Vec::new());
    let graph = Graph::upload(session, task)?;
    for features in tiles(session, task)? {
        session.scope(|session| {
            let tile = Tile::new(session, task, &graph, features)?;
            score.extend(session.download(tile.scores)?);
            let pairs = tile.moments(session, task, &graph)?;
            let null = |pair: &[f64]| NullMoments { mean: pair[0], variance: pair[1] };
            moments.extend(pairs.chunks_exact(2).map(null));
            Ok(())
        })?;
    }
    Ok((of(task, score, None), moments))
}

fn of(task: &Task<'_>, score: Vec<f64>, permuted: Option<Permuted>) -> Statistics {
    let expected = task.mode.expected(task.n());
    Statistics { score, expected, variance: task.mode.variance(&task.moments), permuted }
}

/// Ranges of features that fit the device together; half of what the graph leaves is for permutations.
fn tiles(session: &Session<'_>, task: &Task<'_>) -> Result<Vec<std::ops::Range<usize>>, Fault> {
    let n = task.n();
    // x, z, y and a list of values and cells in 44 bytes, two channels of integers in 16, statistics, leaves.
    let one = 60 * n + 8 * task.n_perms.unwrap_or(0) + n / 16 + 256;
    let features = (session.left() / 2 / one).min(Grid::DOWN);
    if features == 0 {
        return Err(Fault::OutOfMemory(format!(
            "one feature of {n} cells takes {one} bytes beside the graph, {} are left on the device",
            session.left()
        )));
    }
    let all = task.features.len();
    Ok((0..all).step_by(features).map(|first| first..all.min(first + features)).collect())
}
