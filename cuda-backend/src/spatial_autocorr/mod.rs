//! `spatial_autocorr` on a device: statistics, exact counts of permutations and exact moments by the kernels
//! `autocorr_*`; reading, p-values and the table are the reference's.
//!
//! This backend's own:
//! - `null="relabel"` permutes the cells (values over the whole graph, as Cliff and Ord and `esda` do) where the host, and
//!   `null="squidpy"`, permutes the rows of the graph only.
//! - `n_perms="exact"` gives `pval_z_sim` and `var_sim` of either null as infinitely many permutations would, from the
//!   closed form of their moments, and no `pval_sim`.

mod graph;
mod relabel;
mod stage;
mod tile;

use dispatch::{Dataset, Fault, Param, Params, Reply, Signature, Value};
use reference::args::Args;
use reference::spatial_autocorr::{Column, NullMoments, Permuted, Statistics, Task};
use reference::stats::upper_tail;

use crate::Gpu;
use crate::driver::Grid;
use crate::plan::{Plan, SLACK};
use crate::session::Session;
use graph::Graph;
use stage::Staged;
use tile::Tile;

/// Threads of a block.
const THREADS: usize = 256;
/// Terms of a leaf of the summation tree.
const LEAF: usize = 256;

/// What a permutation moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Null {
    /// The rows of the weights, as the host does.
    Rows,
    /// The cells.
    Cells,
}

/// The parameters: the reference's, and `null`.
pub(crate) fn signature() -> Signature {
    let mut signature = reference::spatial_autocorr::signature();
    signature.params.push(Param::keyword("null", "squidpy"));
    signature
}

pub(crate) fn run(gpu: &Gpu, data: &Dataset, params: &Params) -> Result<Reply, Fault> {
    let signature = signature();
    let args = Args::new("spatial_autocorr", &signature, params)?;
    let null = args.choice("null", &[("squidpy", Null::Rows), ("relabel", Null::Cells)])?;
    let exact = matches!(params.get("n_perms"), Some(Value::Text(text)) if text == "exact");
    let mut rest = params.clone();
    rest.remove("null");
    if exact {
        rest.remove("n_perms");
    }
    let task = Task::read(data, &rest)?;
    if exact && null == Null::Cells {
        relabel::check_graph(&task)?;
    }
    gpu.call(|session| {
        if !exact {
            return Ok(task.reply(statistics(session, &task, null)?.table(&task)));
        }
        let (statistics, moments) = with_moments(session, &task, null)?;
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

/// What [`Task::statistics`] of the reference computes, but for [`Permuted::resolution`], which only a judge needs; with
/// [`Null::Cells`] the permutations are of the cells.
///
/// # Errors
/// Those of the device.
pub fn statistics(
    session: &mut Session<'_>,
    task: &Task<'_>,
    null: Null,
) -> Result<Statistics, Fault> {
    let mut permuted = task.n_perms.map(|_| Permuted::default());
    let score = match (task.n_perms, &mut permuted, null) {
        (Some(n_perms), Some(permuted), Null::Rows) => each_tile(
            session,
            task,
            &[],
            |session, tile, graph| tile.permute(session, task, graph, n_perms),
            |session, _, sims| sims.append(session, n_perms, permuted),
        )?,
        (Some(n_perms), Some(permuted), Null::Cells) => {
            let weights = relabel::Weights::of(task);
            each_tile(
                session,
                task,
                &weights.integers,
                |session, tile, graph| weights.permute(session, task, tile, graph, n_perms),
                |session, scores, totals| weights.append(session, scores, &totals, permuted),
            )?
        }
        _ => each_tile(session, task, &[], |_, _, _| Ok(()), |_, _, ()| Ok(()))?,
    };
    Ok(of(task, score, permuted))
}

/// The statistics without permutations, and the moments of the permuted statistic: those of [`Task::null_moments`], or of
/// permuted cells.
///
/// # Errors
/// Those of the device.
pub fn with_moments(
    session: &mut Session<'_>,
    task: &Task<'_>,
    null: Null,
) -> Result<(Statistics, Vec<NullMoments>), Fault> {
    let mut moments = Vec::new();
    let score = each_tile(
        session,
        task,
        &[],
        |session, tile, graph| match null {
            Null::Rows => tile.moments(session, task, graph),
            Null::Cells => relabel::kurtosis(session, task, tile),
        },
        |session, scores, numbers| {
            let numbers = session.download(numbers)?;
            match null {
                Null::Rows => {
                    let null = |pair: &[f64]| NullMoments { mean: pair[0], variance: pair[1] };
                    moments.extend(numbers.chunks_exact(2).map(null));
                }
                Null::Cells => {
                    let of = |(score, b2): (&f64, &f64)| relabel::moments(task, *score, *b2);
                    moments.extend(scores.iter().zip(&numbers).map(of));
                }
            }
            Ok(())
        },
    )?;
    Ok((of(task, score, None), moments))
}

fn of(task: &Task<'_>, score: Vec<f64>, permuted: Option<Permuted>) -> Statistics {
    let expected = task.mode.expected(task.n());
    Statistics { score, expected, variance: task.mode.variance(&task.moments), permuted }
}

/// The scores of all features, tile by tile; `launch` asks for more of a tile, `finish` takes it. `integers` are the weights as
/// such, where more asks for them.
fn each_tile<'c, R>(
    session: &mut Session<'c>,
    task: &Task<'_>,
    integers: &[i32],
    mut launch: impl FnMut(&mut Session<'c>, &Tile, &Graph<'_>) -> Result<R, Fault>,
    mut finish: impl FnMut(&mut Session<'c>, &[f64], R) -> Result<(), Fault>,
) -> Result<Vec<f64>, Fault> {
    let (n, features) = (task.n(), task.features.len());
    let (batch, room) = room(session, task)?;
    let graph = Graph::new(session, task, integers, room)?;
    let mut score = Vec::with_capacity(features);
    session.pipeline(
        features.div_ceil(batch),
        |session, i| {
            let range = i * batch..features.min((i + 1) * batch);
            Staged::upload(session, &task.features.columns, range, n)
        },
        |session, _, staged| {
            let tile = Tile::new(session, task, &graph, staged)?;
            Ok((tile.scores, launch(session, &tile, &graph)?))
        },
        |session, _, (scores, more)| {
            let scores = session.download(scores)?;
            finish(session, &scores, more)?;
            score.extend(scores);
            Ok(())
        },
    )?;
    Ok(score)
}

/// How many features fit the device at a time, and how many bytes of the graph.
fn room(session: &Session<'_>, task: &Task<'_>) -> Result<(usize, usize), Fault> {
    let (n, perms) = (task.n(), task.n_perms.unwrap_or(0));
    // x, z, y and integers in 44 bytes, stored values and their cells in 12, those of the next feature in 20; leaves.
    let each = ("one feature", 76 * n + 16 * (perms + 1) + n / 16 + 512);
    let (sums, tables) = (16 * n, if perms > 0 { 8 * n } else { 0 });
    let (whole, heaviest) = Graph::bytes(task);
    // What fits stays. Of what does not, a tile is copied while another is read, in half of what is left.
    let left = session.left().saturating_sub(SLACK + sums + tables + each.1);
    let (room, graph) = match whole <= left {
        true => (whole, ("the graph", whole)),
        false => {
            let room = heaviest.max(left / 4);
            (room, ("two tiles of the graph", 2 * room))
        }
    };
    let throughout = [("sums of the graph", sums), ("two permutations", tables), graph];
    let plan = Plan { function: "spatial_autocorr", throughout: &throughout, each };
    Ok((plan.batch(session)?.min(Grid::DOWN), room))
}
