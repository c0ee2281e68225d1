//! `spatial_autocorr` on a device: statistics, exact counts of permutations and exact moments by the kernels
//! `autocorr_*`; reading, p-values and the table are the reference's.

use dispatch::{Dataset, Fault, Param, Params, Reply, Signature, Sparse, Value};
use reference::args::value_error;
use reference::matrix::Columns;
use reference::rng::SPATIAL_AUTOCORR;
use reference::rng::numpy::Generator;
use reference::spatial_autocorr::{Column, Mode, NullMoments, Permuted, Rng, Statistics, Task};
use reference::stats::upper_tail;

use crate::Gpu;
use crate::driver::Grid;
use crate::permutations::{Source, Table, in_blocks};
use crate::session::{Buffer, Session};

/// Terms of a leaf of the summation tree.
const LEAF: usize = 256;
/// Threads of a block.
const THREADS: usize = 256;

/// The host's parameters, and what only this backend offers: `rng`, and for `n_perms` also `"exact"`.
pub fn signature() -> Signature {
    let mut signature = reference::spatial_autocorr::signature();
    signature.params.push(Param::keyword("null", "rows"));
    signature
}

pub(crate) fn run(gpu: &Gpu, data: &Dataset, params: &Params) -> Result<Reply, Fault> {
    let mut params = params.clone();
    match params.remove("null") {
        None => {}
        Some(Value::Text(null)) if null == "rows" => {}
        Some(other) => {
            return Err(value_error(format!(
                "`null` is {other:?}, expected \"rows\": permuted rows of the weights, as the host does"
            )));
        }
    }
    let exact = matches!(params.get("n_perms"), Some(Value::Text(text)) if text == "exact");
    if exact {
        params.remove("n_perms");
    }
    let task = Task::read(data, &params)?;
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

/// The weights and their sums on the device.
struct Graph {
    indptr: Buffer<u64>,
    indices: Buffer<u32>,
    weights: Buffer<f64>,
    row_sums: Buffer<f64>,
    column_sums: Buffer<f64>,
}

impl Graph {
    fn upload(session: &mut Session<'_>, task: &Task<'_>) -> Result<Graph, Fault> {
        let indptr: Vec<u64> = task.graph.indptr.iter().map(|&start| start as u64).collect();
        Ok(Graph {
            indptr: session.upload(&indptr)?,
            indices: session.upload(&task.graph.indices)?,
            weights: session.upload(&task.graph.weights)?,
            row_sums: session.upload(&task.moments.rows)?,
            column_sums: session.upload(&task.moments.columns)?,
        })
    }
}

/// Some features on the device, their columns centred.
struct Tile {
    len: usize,
    cells: Cells,
    z: Buffer<f64>,
    /// Room for one vector per feature, and for the leaves of its sums.
    y: Buffer<f64>,
    leaves: Buffer<f64>,
    centres: Buffer<f64>,
    scores: Buffer<f64>,
}

/// The cells at which the features of a tile have a value of their own; all others have 0.
struct Cells {
    starts: Buffer<u64>,
    rows: Buffer<u32>,
    /// Every cell; the lists are then empty.
    all: bool,
}

impl Tile {
    fn new(
        session: &mut Session<'_>,
        task: &Task<'_>,
        graph: &Graph,
        features: std::ops::Range<usize>,
    ) -> Result<Tile, Fault> {
        let (n, len) = (task.n(), features.len());
        let (x, cells) = stage(session, &task.features.columns, features, n)?;
        let tile = Tile {
            len,
            cells,
            z: session.undefined(len * n)?,
            y: session.undefined(len * n)?,
            leaves: session.undefined(len * n.div_ceil(LEAF))?,
            centres: session.undefined(2 * len)?,
            scores: session.undefined(len)?,
        };
        let arguments = [
            x.into(),
            tile.z.into(),
            tile.leaves.into(),
            n.into(),
            graph.indptr.into(),
            graph.indices.into(),
            graph.weights.into(),
            task.moments.s0.into(),
            (task.mode == Mode::Geary).into(),
            tile.centres.into(),
            tile.scores.into(),
        ];
        session.launch("autocorr_statistic", tile.one_block_each(n), &arguments)?;
        Ok(tile)
    }

    /// A block per feature, a warp per leaf of its sums as far as there are threads.
    fn one_block_each(&self, n: usize) -> Grid {
        let block = Grid::block(32 * n.div_ceil(LEAF), THREADS);
        Grid { across: self.len as u32, down: 1, block: block as u32 }
    }

    fn moments(
        &self,
        session: &mut Session<'_>,
        task: &Task<'_>,
        graph: &Graph,
    ) -> Result<Vec<f64>, Fault> {
        let moments = session.undefined(2 * self.len)?;
        let arguments = [
            self.z.into(),
            self.y.into(),
            self.leaves.into(),
            task.n().into(),
            graph.indptr.into(),
            graph.indices.into(),
            graph.weights.into(),
            graph.row_sums.into(),
            graph.column_sums.into(),
            task.moments.s0.into(),
            (task.mode == Mode::Geary).into(),
            self.scores.into(),
            moments.into(),
        ];
        session.launch("autocorr_moments", self.one_block_each(task.n()), &arguments)?;
        session.download(moments)
    }

    /// Appends the permuted statistics of the features; z is scaled on the way.
    fn permute(
        &self,
        session: &mut Session<'_>,
        task: &Task<'_>,
        graph: &Graph,
        n_perms: usize,
        permuted: &mut Permuted,
    ) -> Result<(), Fault> {
        let channels = self.channels(session, task, graph)?;
        let sims = session.undefined::<f64>(self.len * n_perms)?;
        let at_least = session.zeros::<u64>(self.len)?;
        in_blocks(session, &mut source(task, n_perms), task.n(), n_perms, 0, |session, table| {
            self.permute_block(session, task, &channels, table, n_perms, sims, at_least)
        })?;
        let sims = session.download(sims)?;
        permuted.sims.extend(sims.chunks_exact(n_perms.max(1)).map(<[f64]>::to_vec));
        permuted.at_least.extend(session.download(at_least)?.into_iter().map(|n| n as usize));
        permuted.resolution.extend(vec![f64::NAN; self.len]);
        Ok(())
    }

    fn channels(
        &self,
        session: &mut Session<'_>,
        task: &Task<'_>,
        graph: &Graph,
    ) -> Result<Channels, Fault> {
        let (n, len) = (task.n(), self.len);
        let channels = Channels {
            u: session.zeros(2 * len * n)?,
            v: session.zeros(2 * len * n)?,
            base: session.zeros(2 * len)?,
            totals: session.zeros(2 * len)?,
            observed: session.zeros(len)?,
            units: session.zeros(len)?,
        };
        let arguments = [
            self.z.into(),
            self.y.into(),
            self.leaves.into(),
            n.into(),
            graph.indptr.into(),
            graph.indices.into(),
            graph.weights.into(),
            graph.row_sums.into(),
            task.moments.s0.into(),
            (task.mode == Mode::Geary).into(),
            self.centres.into(),
            self.scores.into(),
            channels.u.into(),
            channels.v.into(),
            channels.base.into(),
            channels.totals.into(),
            channels.observed.into(),
            channels.units.into(),
        ];
        session.launch("autocorr_channels", self.one_block_each(n), &arguments)?;
        Ok(channels)
    }

    #[expect(clippy::too_many_arguments, reason = "what one kernel reads and writes")]
    fn permute_block(
        &self,
        session: &mut Session<'_>,
        task: &Task<'_>,
        channels: &Channels,
        table: Table,
        n_perms: usize,
        sims: Buffer<f64>,
        at_least: Buffer<u64>,
    ) -> Result<(), Fault> {
        let active: usize = match task.mode {
            Mode::Moran => 1,
            Mode::Geary => 2,
        };
        let arguments = [
            channels.u.into(),
            channels.v.into(),
            channels.base.into(),
            channels.totals.into(),
            channels.observed.into(),
            channels.units.into(),
            self.scores.into(),
            task.n().into(),
            active.into(),
            self.cells.starts.into(),
            self.cells.rows.into(),
            self.cells.all.into(),
            table.images.into(),
            table.count.into(),
            table.first.into(),
            n_perms.into(),
            sims.into(),
            at_least.into(),
        ];
        let grid = Grid::covering(table.count, THREADS, self.len);
        session.launch("autocorr_permute", grid, &arguments)
    }
}

/// The integers whose products are permuted: two channels a feature, the second empty for Moran.
struct Channels {
    u: Buffer<i32>,
    v: Buffer<i32>,
    base: Buffer<i32>,
    totals: Buffer<u64>,
    observed: Buffer<u64>,
    units: Buffer<f64>,
}

fn source(task: &Task<'_>, n_perms: usize) -> Source {
    match task.rng {
        Rng::Concord => Source::Counters { function: SPATIAL_AUTOCORR, seed: task.seed },
        Rng::Numpy { n_jobs } => Source::Generator {
            seed: task.seed,
            chunk: n_perms.div_ceil(n_jobs),
            rng: Box::new(Generator::new(task.seed)),
        },
    }
}

/// The columns of some features on the device; of a sparse matrix only what is stored is copied.
fn stage(
    session: &mut Session<'_>,
    columns: &Columns<'_>,
    features: std::ops::Range<usize>,
    n: usize,
) -> Result<(Buffer<f64>, Cells), Fault> {
    let Columns::Sparse(sparse, at) = columns else {
        let mut x = vec![0.0; features.len() * n];
        for (k, column) in features.zip(x.chunks_exact_mut(n.max(1))) {
            columns.fill(k, column);
        }
        let cells = Cells { starts: session.upload(&[0])?, rows: session.upload(&[])?, all: true };
        return Ok((session.upload(&x)?, cells));
    };
    let len = features.len();
    let (mut starts, mut rows, mut values) = (vec![0u64], Vec::new(), Vec::new());
    for k in features {
        stored(sparse, at[k], &mut rows, &mut values);
        starts.push(rows.len() as u64);
    }
    let x = session.zeros(len * n)?;
    let cells =
        Cells { starts: session.upload(&starts)?, rows: session.upload(&rows)?, all: false };
    let values = session.upload(&values)?;
    let grid = Grid::covering(rows.len().div_ceil(len.max(1)), THREADS, len);
    let arguments = [x.into(), n.into(), cells.starts.into(), cells.rows.into(), values.into()];
    session.launch("autocorr_scatter", grid, &arguments)?;
    Ok((x, cells))
}

/// Appends the stored entries of a column; duplicates are added up in stored order, as `Columns::fill` does.
fn stored(sparse: &Sparse, column: usize, rows: &mut Vec<u32>, values: &mut Vec<f64>) {
    let mut entries: Vec<(usize, f64)> = sparse.lane(column).collect();
    entries.sort_by_key(|entry| entry.0);
    entries.dedup_by(|next, kept| {
        let same = next.0 == kept.0;
        kept.1 += if same { next.1 } else { 0.0 };
        same
    });
    // Adding 0 makes a stored -0.0 the 0.0 that dense columns hold.
    rows.extend(entries.iter().map(|entry| entry.0 as u32));
    values.extend(entries.iter().map(|entry| 0.0 + entry.1));
}
