//! The null of permuted cells: `sum_ij w_ij z_pi(i) z_pi(j)`, or squared differences for Geary, over the whole graph.
//!
//! No part of it is linear in the permutation, so every permutation costs all edges. It is exact all the same: z is
//! rounded once to integers of a norm of at most 2^31, weights to integers of at most 2^30 by a power of two, and the
//! kernel `autocorr_relabel` adds up products in 128 bits. A sum stays below `2^63 2^30` per edge for Geary, so 2^34 edges
//! fit. The statistic as it is is computed in the same integers, so that ties are ties.

use dispatch::Fault;
use reference::args::value_error;
use reference::spatial_autocorr::{Mode, NullMoments, Permuted, Task};

use super::THREADS;
use super::graph::Graph;
use super::tile::{Tile, source};
use crate::driver::{Argument, Grid};
use crate::permutations::{Table, in_blocks};
use crate::session::{Buffer, Session};

/// The weights as integers, `2^scale` to one.
pub(super) struct Weights {
    pub(super) integers: Vec<i32>,
    scale: i32,
}

/// Sums of each feature under the identity and under each permutation, and what one unit of them is worth.
pub(super) struct Totals {
    sums: Buffer<i128>,
    units: Buffer<f64>,
}

impl Weights {
    pub(super) fn of(task: &Task<'_>) -> Weights {
        let largest = task.graph.weights.iter().fold(0.0f64, |a, w| a.max(w.abs()));
        // The largest weight becomes at least 2^29 and less than 2^30.
        let exponent = (largest.to_bits() >> 52 & 0x7ff) as i32 - 1023;
        let scale = if largest > 0.0 && largest.is_finite() { 29 - exponent.max(-900) } else { 0 };
        let integer = |w: &f64| (w * 2f64.powi(scale)).round_ties_even() as i32;
        Weights { integers: task.graph.weights.iter().map(integer).collect(), scale }
    }

    pub(super) fn permute(
        &self,
        session: &mut Session<'_>,
        task: &Task<'_>,
        tile: &Tile,
        graph: &Graph<'_>,
        n_perms: usize,
    ) -> Result<Totals, Fault> {
        let (n, len) = (task.n(), tile.len);
        let u = session.zeros::<i32>(len * n)?;
        let units = session.zeros(len)?;
        let geary = task.mode == Mode::Geary;
        let arguments = [
            tile.z.into(),
            tile.leaves.into(),
            n.into(),
            task.moments.s0.into(),
            geary.into(),
            tile.scores.into(),
            u.into(),
            units.into(),
        ];
        session.launch("autocorr_integers", tile.one_block_each(n), &arguments)?;
        let sums = session.zeros(len * (n_perms + 1))?;
        // Drawing permutations again for each tile is cheaper than copying the graph again for each table of them.
        graph.each_tile(session, |session, rows| {
            let add_up = |session: &mut Session<'_>, table: Table| {
                let before: [Argument; 2] = [u.into(), n.into()];
                let after: [Argument; 6] = [
                    geary.into(),
                    table.images.into(),
                    table.count.into(),
                    table.first.into(),
                    (n_perms + 1).into(),
                    sums.into(),
                ];
                let arguments = [&before[..], &rows.in_integers(), &after].concat();
                let grid = Grid::covering(table.count, THREADS, len);
                session.launch("autocorr_relabel", grid, &arguments)
            };
            session.scope(|session| {
                let as_they_are: Vec<u32> = (0..n as u32).collect();
                let images = session.upload(&as_they_are)?;
                add_up(session, Table { images, first: 0, count: 1 })
            })?;
            in_blocks(session, &mut source(task, n_perms), n, n_perms, 0, |session, table| {
                add_up(session, Table { first: table.first + 1, ..table })
            })
        })?;
        Ok(Totals { sums, units })
    }

    /// Appends the permuted statistics of the features of a tile.
    pub(super) fn append(
        &self,
        session: &mut Session<'_>,
        scores: &[f64],
        totals: &Totals,
        permuted: &mut Permuted,
    ) -> Result<(), Fault> {
        let (sums, units) = (session.download(totals.sums)?, session.download(totals.units)?);
        let each = sums.len() / scores.len().max(1);
        for ((score, unit), sums) in scores.iter().zip(units).zip(sums.chunks_exact(each.max(1))) {
            let unit = unit * 2f64.powi(-self.scale);
            let (observed, sums) = (sums[0], &sums[1..]);
            // Negative total weight turns the order around.
            let reaches =
                |sum: &&i128| if unit >= 0.0 { **sum >= observed } else { **sum <= observed };
            let defined = score.is_finite();
            let count = if defined { sums.iter().filter(reaches).count() } else { 0 };
            let sim = |sum: &i128| match defined {
                true => score + unit * (sum - observed) as f64,
                false => f64::NAN,
            };
            permuted.at_least.push(count);
            permuted.sims.push(sums.iter().map(sim).collect());
            permuted.resolution.push(f64::NAN);
        }
        Ok(())
    }
}

/// Refuses what the closed form does not cover.
pub(super) fn check_graph(task: &Task<'_>) -> Result<(), Fault> {
    match (0..task.n()).find(|&i| task.graph.row(i).any(|(j, _)| j == i)) {
        None => Ok(()),
        Some(i) => Err(value_error(format!(
            "`n_perms=\"exact\"` with `null=\"relabel\"` needs a graph without self loops, cell {i} has one; \
             pass a number of permutations, or take the diagonal off the graph"
        ))),
    }
}

/// `n sum z^4 / (sum z^2)^2` of each feature of a tile.
pub(super) fn kurtosis(
    session: &mut Session<'_>,
    task: &Task<'_>,
    tile: &Tile,
) -> Result<Buffer<f64>, Fault> {
    let b2 = session.undefined(tile.len)?;
    let arguments = [tile.z.into(), tile.leaves.into(), task.n().into(), b2.into()];
    session.launch("autocorr_kurtosis", tile.one_block_each(task.n()), &arguments)?;
    Ok(b2)
}

/// Mean and variance over all n! permutations of cells (Cliff and Ord 1981, "randomization"), for a graph without self
/// loops; NaN below 4 cells, where the variance has no such form.
pub(super) fn moments(task: &Task<'_>, score: f64, b2: f64) -> NullMoments {
    let (n, s0_squared) = (task.n() as f64, task.moments.s0 * task.moments.s0);
    let (s1, s2) = (task.moments.s1, task.moments.s2);
    if score.is_nan() || task.n() < 4 {
        return NullMoments { mean: f64::NAN, variance: f64::NAN };
    }
    let falling = (n - 2.0) * (n - 3.0) * s0_squared;
    match task.mode {
        Mode::Moran => {
            let mean = -1.0 / (n - 1.0);
            let even = n * ((n * n - 3.0 * n + 3.0) * s1 - n * s2 + 3.0 * s0_squared);
            let tails = b2 * ((n * n - n) * s1 - 2.0 * n * s2 + 6.0 * s0_squared);
            NullMoments { mean, variance: (even - tails) / ((n - 1.0) * falling) - mean * mean }
        }
        Mode::Geary => {
            let edges = (n - 1.0) * s1 * (n * n - 3.0 * n + 3.0 - (n - 1.0) * b2);
            let ends = (n - 1.0) * s2 * (n * n + 3.0 * n - 6.0 - (n * n - n + 2.0) * b2) / 4.0;
            let total = s0_squared * (n * n - 3.0 - (n - 1.0) * (n - 1.0) * b2);
            NullMoments { mean: 1.0, variance: (edges - ends + total) / (n * falling) }
        }
    }
}
