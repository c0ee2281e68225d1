//! Positions sorted by label, laid out for vectors.

use std::ops::Range;

use super::Task;

/// Positions of a vector; each label starts at a multiple of it.
pub(super) const LANES: usize = 16;
/// Rows of one label that are counted together, a multiple of [`LANES`].
const BLOCK: usize = 64;

/// Positions sorted by label; behind each label stand zeros up to a multiple of [`LANES`], which are no cells.
pub(super) struct Cells {
    pub(super) x: Vec<f32>,
    pub(super) y: Vec<f32>,
    /// The cells of each label.
    pub(super) labels: Vec<Range<usize>>,
}

/// Rows of one label.
pub(super) struct Block {
    pub(super) label: usize,
    pub(super) rows: Range<usize>,
}

impl Cells {
    pub(super) fn new(task: &Task) -> Cells {
        let mut sizes = vec![0; task.k];
        task.labels.iter().for_each(|&label| sizes[label as usize] += 1);
        let mut end = 0usize;
        let labels = sizes.into_iter().map(|size| {
            let start = end.next_multiple_of(LANES);
            end = start + size;
            start..end
        });
        let labels: Vec<Range<usize>> = labels.collect();
        let stored = end.next_multiple_of(LANES);
        let (mut x, mut y) = (vec![0.0; stored], vec![0.0; stored]);
        let mut next: Vec<usize> = labels.iter().map(|cells| cells.start).collect();
        for ((&label, &own_x), &own_y) in task.labels.iter().zip(&task.x).zip(&task.y) {
            let at = &mut next[label as usize];
            (x[*at], y[*at]) = (own_x, own_y);
            *at += 1;
        }
        Cells { x, y, labels }
    }

    pub(super) fn k(&self) -> usize {
        self.labels.len()
    }

    /// Unordered pairs of cells.
    pub(super) fn pairs(&self) -> usize {
        let n: usize = self.labels.iter().map(Range::len).sum();
        n * n.saturating_sub(1) / 2
    }

    pub(super) fn at(&self, cell: usize) -> [f32; 2] {
        [self.x[cell], self.y[cell]]
    }

    /// All cells as blocks of rows.
    pub(super) fn blocks(&self) -> Vec<Block> {
        let labels = self.labels.iter().enumerate();
        labels
            .flat_map(|(label, cells)| {
                let rows = cells.clone().step_by(BLOCK);
                rows.map(move |row| Block { label, rows: row..cells.end.min(row + BLOCK) })
            })
            .collect()
    }

    /// The cells of label `b` that a row still has to meet: all, or of its own label those behind it.
    pub(super) fn partners(&self, row: usize, b: usize) -> Range<usize> {
        let cells = self.labels[b].clone();
        cells.start.max(row + 1)..cells.end
    }
}
