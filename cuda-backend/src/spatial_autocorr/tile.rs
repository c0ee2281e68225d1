//! Some features on the device: their statistics, moments and permutations, over every tile of the graph.

use dispatch::Fault;
use reference::rng::SPATIAL_AUTOCORR;
use reference::rng::numpy::Generator;
use reference::spatial_autocorr::{Mode, Permuted, Rng, Task};

use super::graph::Graph;
use super::stage::{Cells, Staged};
use super::{LEAF, THREADS};
use crate::driver::{Argument, Grid};
use crate::permutations::{Source, Table, in_blocks};
use crate::session::{Buffer, Session};

/// Some features on the device, their columns centred.
pub(super) struct Tile {
    pub(super) len: usize,
    cells: Cells,
    pub(super) z: Buffer<f64>,
    /// Room for one vector per feature, and for the leaves of its sums.
    y: Buffer<f64>,
    pub(super) leaves: Buffer<f64>,
    centres: Buffer<f64>,
    /// The square sum of each feature, 0 where it is constant.
    squares: Buffer<f64>,
    /// The statistic of each feature.
    pub(super) scores: Buffer<f64>,
}

impl Tile {
    pub(super) fn new(
        session: &mut Session<'_>,
        task: &Task<'_>,
        graph: &Graph<'_>,
        staged: &Staged,
    ) -> Result<Tile, Fault> {
        let (n, len) = (task.n(), staged.features);
        let x = staged.dense(session, n)?;
        let tile = Tile {
            len,
            cells: staged.cells,
            z: session.undefined(len * n)?,
            y: session.undefined(len * n)?,
            leaves: session.undefined(len * n.div_ceil(LEAF))?,
            centres: session.undefined(2 * len)?,
            squares: session.undefined(len)?,
            scores: session.undefined(len)?,
        };
        tile.score(session, task, graph, x)?;
        Ok(tile)
    }

    fn score(
        &self,
        session: &mut Session<'_>,
        task: &Task<'_>,
        graph: &Graph<'_>,
        x: Buffer<f64>,
    ) -> Result<(), Fault> {
        let (n, geary) = (task.n(), task.mode == Mode::Geary);
        let arguments = [
            x.into(),
            self.z.into(),
            self.leaves.into(),
            n.into(),
            self.centres.into(),
            self.squares.into(),
        ];
        session.launch("autocorr_centre", self.one_block_each(n), &arguments)?;
        graph.each_tile(session, |session, rows| {
            let before: [Argument; 4] = [x.into(), self.z.into(), n.into(), geary.into()];
            let arguments = [&before[..], &rows.arguments(), &[self.leaves.into()]].concat();
            let grid = Grid::covering(32 * rows.len.div_ceil(LEAF), THREADS, self.len);
            session.launch("autocorr_leaves", grid, &arguments)
        })?;
        let arguments = [
            self.leaves.into(),
            n.into(),
            task.moments.s0.into(),
            geary.into(),
            self.squares.into(),
            self.scores.into(),
        ];
        session.launch("autocorr_score", self.one_block_each(n), &arguments)
    }

    /// Leaves the lag of z in y.
    fn lag(&self, session: &mut Session<'_>, n: usize, graph: &Graph<'_>) -> Result<(), Fault> {
        graph.each_tile(session, |session, rows| {
            let before: [Argument; 2] = [self.z.into(), n.into()];
            let arguments = [&before[..], &rows.arguments(), &[self.y.into()]].concat();
            session.launch("autocorr_lag", Grid::covering(rows.len, THREADS, self.len), &arguments)
        })
    }

    /// A block per feature, a warp per leaf of its sums as far as there are threads.
    pub(super) fn one_block_each(&self, n: usize) -> Grid {
        let block = Grid::block(32 * n.div_ceil(LEAF), THREADS);
        Grid { across: self.len as u32, down: 1, block: block as u32 }
    }

    /// Mean and variance of each feature over all permutations of rows, in turn.
    pub(super) fn moments(
        &self,
        session: &mut Session<'_>,
        task: &Task<'_>,
        graph: &Graph<'_>,
    ) -> Result<Buffer<f64>, Fault> {
        self.lag(session, task.n(), graph)?;
        let moments = session.undefined(2 * self.len)?;
        let arguments = [
            self.z.into(),
            self.y.into(),
            self.leaves.into(),
            task.n().into(),
            graph.row_sums.into(),
            graph.column_sums.into(),
            task.moments.s0.into(),
            (task.mode == Mode::Geary).into(),
            self.scores.into(),
            moments.into(),
        ];
        session.launch("autocorr_moments", self.one_block_each(task.n()), &arguments)?;
        Ok(moments)
    }

    /// Permutes the rows of the graph; z is scaled on the way.
    pub(super) fn permute(
        &self,
        session: &mut Session<'_>,
        task: &Task<'_>,
        graph: &Graph<'_>,
        n_perms: usize,
    ) -> Result<Sims, Fault> {
        let channels = self.channels(session, task, graph)?;
        let sims = session.undefined::<f64>(self.len * n_perms)?;
        let at_least = session.zeros::<u64>(self.len)?;
        in_blocks(session, &mut source(task, n_perms), task.n(), n_perms, 0, |session, table| {
            self.permute_block(session, task, &channels, table, n_perms, sims, at_least)
        })?;
        Ok(Sims { sims, at_least })
    }

    fn channels(
        &self,
        session: &mut Session<'_>,
        task: &Task<'_>,
        graph: &Graph<'_>,
    ) -> Result<Channels, Fault> {
        let (n, len) = (task.n(), self.len);
        let arguments = [self.z.into(), n.into(), self.squares.into(), self.scores.into()];
        session.launch("autocorr_scale", Grid::covering(n, THREADS, len), &arguments)?;
        self.lag(session, n, graph)?;
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
            graph.row_sums.into(),
            task.moments.s0.into(),
            (task.mode == Mode::Geary).into(),
            self.centres.into(),
            self.squares.into(),
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

/// Permuted statistics, and how many reach the observed one.
pub(super) struct Sims {
    sims: Buffer<f64>,
    at_least: Buffer<u64>,
}

impl Sims {
    /// Appends the permutations of the features of a tile.
    pub(super) fn append(
        &self,
        session: &mut Session<'_>,
        n_perms: usize,
        permuted: &mut Permuted,
    ) -> Result<(), Fault> {
        let sims = session.download(self.sims)?;
        let at_least = session.download(self.at_least)?;
        permuted.sims.extend(sims.chunks_exact(n_perms.max(1)).map(<[f64]>::to_vec));
        permuted.resolution.extend(at_least.iter().map(|_| f64::NAN));
        permuted.at_least.extend(at_least.into_iter().map(|count| count as usize));
        Ok(())
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

pub(super) fn source(task: &Task<'_>, n_perms: usize) -> Source {
    match task.rng {
        Rng::Concord => Source::Counters { function: SPATIAL_AUTOCORR, seed: task.seed },
        Rng::Numpy { n_jobs } => Source::Generator {
            seed: task.seed,
            chunk: n_perms.div_ceil(n_jobs),
            rng: Box::new(Generator::new(task.seed)),
        },
    }
}
