//! What the kernels read: the graph, and the columns of some features.

use dispatch::{Fault, Sparse};
use reference::matrix::Columns;
use reference::spatial_autocorr::Task;

use super::THREADS;
use crate::driver::Grid;
use crate::session::{Buffer, Session};

/// The weights and their sums on the device.
pub(super) struct Graph {
    pub(super) indptr: Buffer<u64>,
    pub(super) indices: Buffer<u32>,
    pub(super) weights: Buffer<f64>,
    pub(super) row_sums: Buffer<f64>,
    pub(super) column_sums: Buffer<f64>,
}

impl Graph {
    pub(super) fn upload(session: &mut Session<'_>, task: &Task<'_>) -> Result<Graph, Fault> {
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

/// The columns of some features as they were copied; of a sparse matrix only what is stored.
pub(super) struct Staged {
    pub(super) features: usize,
    pub(super) cells: Cells,
    /// Values of every cell, or of the cells listed.
    values: Buffer<f64>,
    entries: usize,
}

/// The cells at which the features of a tile have a value of their own; all others have 0.
#[derive(Clone, Copy)]
pub(super) struct Cells {
    pub(super) starts: Buffer<u64>,
    pub(super) rows: Buffer<u32>,
    /// Every cell; the lists are then empty.
    pub(super) all: bool,
}

impl Staged {
    /// Copies the columns of some features over `n` cells.
    pub(super) fn upload(
        session: &mut Session<'_>,
        columns: &Columns<'_>,
        range: std::ops::Range<usize>,
        n: usize,
    ) -> Result<Staged, Fault> {
        let features = range.len();
        let (mut starts, mut rows, mut values) = (vec![0u64], Vec::new(), Vec::new());
        let mut all = true;
        if let Columns::Sparse(sparse, at) = columns {
            all = false;
            for k in range {
                stored(sparse.columns(), at[k], &mut rows, &mut values);
                starts.push(rows.len() as u64);
            }
        } else {
            values.resize(features * n, 0.0);
            for (k, column) in range.zip(values.chunks_exact_mut(n.max(1))) {
                columns.fill(k, column);
            }
        }
        let cells = Cells { starts: session.upload(&starts)?, rows: session.upload(&rows)?, all };
        Ok(Staged { features, cells, values: session.upload(&values)?, entries: rows.len() })
    }

    /// The columns, dense.
    pub(super) fn dense(&self, session: &mut Session<'_>, n: usize) -> Result<Buffer<f64>, Fault> {
        if self.cells.all {
            return Ok(self.values);
        }
        let x = session.zeros(self.features * n)?;
        let Cells { starts, rows, .. } = self.cells;
        let per_feature = self.entries.div_ceil(self.features.max(1));
        let grid = Grid::covering(per_feature, THREADS, self.features);
        let arguments = [x.into(), n.into(), starts.into(), rows.into(), self.values.into()];
        session.launch("autocorr_scatter", grid, &arguments)?;
        Ok(x)
    }
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
