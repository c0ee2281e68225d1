//! The columns of some features, as they are copied and as kernels read them.

use dispatch::{Fault, Sparse};
use reference::matrix::Columns;

use super::THREADS;
use crate::driver::Grid;
use crate::session::{Buffer, Session};

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
