//! The graph in tiles of rows that fit the device: one that stays there, or several that are copied whenever they are read.

use std::ops::Range;

use dispatch::Fault;
use reference::spatial_autocorr::Task;

use super::LEAF;
use crate::driver::Argument;
use crate::plan::tiles;
use crate::session::{Buffer, Session};

/// Bytes of a row, and of an edge: its end, its weight, and that as an integer.
const ROW: usize = 8;
const EDGE: usize = 4 + 8 + 4;

/// The weights and their sums.
pub(super) struct Graph<'t> {
    task: &'t Task<'t>,
    integers: &'t [i32],
    tiles: Vec<Range<usize>>,
    /// The only tile.
    resident: Option<Rows>,
    pub(super) row_sums: Buffer<f64>,
    pub(super) column_sums: Buffer<f64>,
}

/// Some rows on the device.
pub(super) struct Rows {
    first: usize,
    pub(super) len: usize,
    starts: Buffer<u64>,
    indices: Buffer<u32>,
    weights: Buffer<f64>,
    integers: Buffer<i32>,
}

impl<'t> Graph<'t> {
    /// Bytes of a whole graph, and of the rows of its heaviest leaf: less cannot be on the device.
    pub(super) fn bytes(task: &Task<'_>) -> (usize, usize) {
        let starts = leaves(task);
        let heaviest = starts.windows(2).map(|ends| ends[1] - ends[0]).max().unwrap_or(0);
        (starts.last().map_or(0, |end| *end as usize), heaviest as usize)
    }

    /// The graph, of which at most `room` bytes, or a leaf, are on the device at a time; `integers` are its weights as such,
    /// or none.
    pub(super) fn new(
        session: &mut Session<'_>,
        task: &'t Task<'t>,
        integers: &'t [i32],
        room: usize,
    ) -> Result<Graph<'t>, Fault> {
        let rows = |leaves: Range<usize>| leaves.start * LEAF..task.n().min(leaves.end * LEAF);
        let tiles = tiles(&leaves(task), room as u64).into_iter().map(rows).collect();
        let row_sums = session.upload(&task.moments.rows)?;
        let column_sums = session.upload(&task.moments.columns)?;
        let mut graph = Graph { task, integers, tiles, resident: None, row_sums, column_sums };
        if let [all] = &graph.tiles[..] {
            graph.resident = Some(graph.stage(session, all.clone())?);
        }
        Ok(graph)
    }

    fn stage(&self, session: &mut Session<'_>, rows: Range<usize>) -> Result<Rows, Fault> {
        let graph = &self.task.graph;
        let starts = &graph.indptr[rows.start..=rows.end];
        let edges = starts[0]..starts[rows.len()];
        let starts: Vec<u64> = starts.iter().map(|start| (start - edges.start) as u64).collect();
        Ok(Rows {
            first: rows.start,
            len: rows.len(),
            starts: session.upload(&starts)?,
            indices: session.upload(&graph.indices[edges.clone()])?,
            weights: session.upload(&graph.weights[edges.clone()])?,
            integers: session.upload(self.integers.get(edges).unwrap_or(&[]))?,
        })
    }

    /// Runs kernels over every tile.
    pub(super) fn each_tile<'c>(
        &self,
        session: &mut Session<'c>,
        mut kernels: impl FnMut(&mut Session<'c>, &Rows) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        if let Some(rows) = &self.resident {
            return kernels(session, rows);
        }
        session.pipeline(
            self.tiles.len(),
            |session, i| self.stage(session, self.tiles[i].clone()),
            |session, _, rows| kernels(session, rows),
            |_, _, ()| Ok(()),
        )
    }
}

impl Rows {
    /// As a kernel takes them.
    pub(super) fn arguments(&self) -> [Argument; 5] {
        let Rows { first, len, starts, indices, weights, .. } = *self;
        [first.into(), len.into(), starts.into(), indices.into(), weights.into()]
    }

    /// As a kernel takes them that reads weights as integers.
    pub(super) fn in_integers(&self) -> [Argument; 5] {
        let [first, len, starts, indices, _] = self.arguments();
        [first, len, starts, indices, self.integers.into()]
    }
}

/// Where each leaf of cells starts in the bytes of the graph; and where the last ends.
fn leaves(task: &Task<'_>) -> Vec<u64> {
    let n = task.n();
    let start = |row: usize| (ROW * row + EDGE * task.graph.indptr[row]) as u64;
    (0..n).step_by(LEAF).chain([n]).map(start).collect()
}
