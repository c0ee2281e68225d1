//! The genes in tiles that fit the device: one that stays there, or several that are copied whenever sums are taken.

use std::ops::Range;

use dispatch::Fault;
use reference::ligrec::Task;

use super::words::Word;
use crate::plan::{Plan, tiles};
use crate::session::{Buffer, Session};

/// All genes, one after the other, as they are copied.
pub(super) struct Genes<W> {
    starts: Vec<u64>,
    cells: Vec<u32>,
    positive: Vec<u8>,
    words: Vec<W>,
    tiles: Vec<Range<usize>>,
    /// Where genes start on the device, counted through all of them.
    pub(super) starts_there: Buffer<u64>,
    /// The only tile.
    resident: Option<Tile<W>>,
}

/// Some genes on the device.
pub(super) struct Tile<W> {
    pub(super) genes: Range<usize>,
    /// Entries of the genes before.
    pub(super) offset: u64,
    pub(super) cells: Buffer<u32>,
    pub(super) positive: Buffer<u8>,
    pub(super) words: Buffer<W>,
}

impl<W: Word> Genes<W> {
    pub(super) fn new(
        session: &mut Session<'_>,
        task: &Task,
        words: Vec<W>,
    ) -> Result<Genes<W>, Fault> {
        let (mut starts, mut cells, mut positive) = (vec![0u64], Vec::new(), Vec::new());
        for column in &task.columns {
            cells.extend_from_slice(&column.cells);
            positive.extend(column.values.iter().map(|value| u8::from(*value > 0.0)));
            starts.push(cells.len() as u64);
        }
        let longest = task.columns.iter().map(|c| c.cells.len()).max().unwrap_or(0).max(1);
        let tiles = tiles(&starts, (longest * room::<W>(session, task, longest)?) as u64);
        let starts_there = session.upload(&starts)?;
        let mut genes =
            Genes { starts, cells, positive, words, tiles, starts_there, resident: None };
        if genes.tiles.len() == 1 {
            genes.resident = Some(genes.stage(session, 0)?);
        }
        Ok(genes)
    }

    fn stage(&self, session: &mut Session<'_>, tile: usize) -> Result<Tile<W>, Fault> {
        let genes = self.tiles[tile].clone();
        let offset = self.starts[genes.start];
        let entries = offset as usize..self.starts[genes.end] as usize;
        Ok(Tile {
            genes,
            offset,
            cells: session.upload(&self.cells[entries.clone()])?,
            positive: session.upload(&self.positive[entries.clone()])?,
            words: session.upload(&self.words[entries])?,
        })
    }

    /// Runs kernels over every tile.
    pub(super) fn each_tile<'c>(
        &self,
        session: &mut Session<'c>,
        mut kernels: impl FnMut(&mut Session<'c>, &Tile<W>) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        if let Some(tile) = &self.resident {
            return kernels(session, tile);
        }
        session.pipeline(
            self.tiles.len(),
            |session, i| self.stage(session, i),
            |session, _, tile| kernels(session, tile),
            |_, _, ()| Ok(()),
        )
    }
}

/// How many genes as long as the longest fit the device at a time.
fn room<W: Word>(session: &Session<'_>, task: &Task, longest: usize) -> Result<usize, Fault> {
    let (cells, sums) = (task.labels.len(), task.columns.len() * task.k());
    let compared = task.interactions.len() * task.pairs.len();
    let entry = size_of::<u32>() + size_of::<u8>() + size_of::<W>();
    let plan = Plan {
        function: "ligrec",
        throughout: &[
            ("labels", 8 * cells),
            ("observed sums", (2 * size_of::<W>() + 16) * sums),
            ("interactions", 16 * compared),
            ("a permutation", 8 * cells + (size_of::<W>() + 1) * sums),
        ],
        each: ("the longest gene", 2 * entry * longest),
    };
    plan.batch(session)
}
