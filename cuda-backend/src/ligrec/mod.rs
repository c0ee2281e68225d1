//! `ligrec` on a device: sums by cluster and comparisons in exact integers by the kernels `ligrec_*`; reading, means
//! from sums, p-values and tables are the reference's.

mod genes;
mod words;

use dispatch::{Dataset, Fault, Params, Reply};
use reference::ligrec::{Fixed, Observed, Stream, Task};
use reference::rng::LIGREC;

use crate::Gpu;
use crate::driver::Grid;
use crate::permutations::{Source, Table, in_blocks};
use crate::session::{Buffer, Session};
use genes::{Genes, Tile};
use words::{Word, Words};

/// Most threads of a block that adds up.
const SUMMERS: usize = 128;
/// Most threads of any other block.
const THREADS: usize = 256;

pub(crate) fn run(gpu: &Gpu, data: &Dataset, params: &Params) -> Result<Reply, Fault> {
    let task = Task::read(data, params)?;
    gpu.call(|session| {
        let (observed, exceeding) = answer(session, &task)?;
        Ok(task.reply(task.tables(&observed, &exceeding)))
    })
}

/// What [`Task::observed`] of the reference gives, and the strict part of [`Task::exceedances`].
///
/// # Errors
/// Those of the device.
pub fn answer(session: &mut Session<'_>, task: &Task) -> Result<(Observed, Vec<u32>), Fault> {
    let fixed = Fixed::new(&task.columns, task.labels.len());
    match Words::of(task, &fixed) {
        Words::Narrow(words) => Run::new(session, task, words)?.answer(session, fixed),
        Words::Wide(words) => Run::new(session, task, words)?.answer(session, fixed),
    }
}

/// The infinite values, which go past the integers.
struct Infinite {
    genes: Buffer<u32>,
    cells: Buffer<u32>,
    bits: Buffer<u8>,
}

impl Infinite {
    fn upload(session: &mut Session<'_>, task: &Task) -> Result<Infinite, Fault> {
        let (mut genes, mut cells, mut bits) = (Vec::new(), Vec::new(), Vec::new());
        for (gene, column) in task.columns.iter().enumerate() {
            let entries = column.cells.iter().zip(&column.values);
            for (&cell, value) in entries.filter(|(_, value)| value.is_infinite()) {
                genes.push(gene as u32);
                cells.push(cell);
                bits.push(if *value > 0.0 { 1u8 } else { 2 });
            }
        }
        Ok(Infinite {
            genes: session.upload(&genes)?,
            cells: session.upload(&cells)?,
            bits: session.upload(&bits)?,
        })
    }
}

struct Run<'a, W> {
    task: &'a Task,
    genes: Genes<W>,
    labels: Buffer<u32>,
    sizes: Vec<u64>,
    infinite: Infinite,
}

impl<'a, W: Word> Run<'a, W> {
    fn new(session: &mut Session<'_>, task: &'a Task, words: Vec<W>) -> Result<Run<'a, W>, Fault> {
        let mut sizes = vec![0u64; task.k()];
        task.labels.iter().for_each(|&label| sizes[label as usize] += 1);
        Ok(Run {
            task,
            genes: Genes::new(session, task, words)?,
            labels: session.upload(&task.labels)?,
            sizes,
            infinite: Infinite::upload(session, task)?,
        })
    }

    fn answer(
        &self,
        session: &mut Session<'_>,
        fixed: Fixed,
    ) -> Result<(Observed, Vec<u32>), Fault> {
        let observed = self.observed(session, fixed)?;
        let exceeding = self.exceeding(session, &observed)?;
        Ok((observed, exceeding))
    }

    fn observed(&self, session: &mut Session<'_>, fixed: Fixed) -> Result<Observed, Fault> {
        let entries = self.task.columns.len() * self.task.k();
        let (sums, expressing) = session.scope(|session| {
            let as_they_are: Vec<u32> = (0..self.task.labels.len() as u32).collect();
            let table = Table { images: session.upload(&as_they_are)?, first: 0, count: 1 };
            let sums = session.undefined(entries)?;
            let expressing = session.zeros(entries)?;
            self.genes.each_tile(session, |session, tile| {
                self.count_expressing(session, tile, expressing)?;
                self.add_up(session, tile, table, sums)
            })?;
            Ok((session.download(sums)?, session.download(expressing)?))
        })?;
        let sums: Vec<i128> = sums.into_iter().map(W::into).collect();
        let sizes = self.sizes.clone();
        let share = |(n, size): (&u64, &u64)| *n as f64 / *size as f64;
        let shares = expressing.iter().zip(sizes.iter().cycle()).map(share).collect();
        let means = self.means(&fixed, &sums, &sizes);
        Ok(Observed { sizes, fixed, sums, means, expressing, shares })
    }

    fn count_expressing(
        &self,
        session: &mut Session<'_>,
        tile: &Tile<W>,
        expressing: Buffer<u64>,
    ) -> Result<(), Fault> {
        let longest = self.task.columns[tile.genes.clone()].iter().map(|c| c.cells.len()).max();
        for first in tile.genes.clone().step_by(Grid::DOWN) {
            let down = (tile.genes.end - first).min(Grid::DOWN);
            let arguments = [
                self.genes.starts_there.into(),
                tile.cells.into(),
                tile.positive.into(),
                self.labels.into(),
                self.task.k().into(),
                first.into(),
                tile.offset.into(),
                expressing.into(),
            ];
            let grid = Grid::covering(longest.unwrap_or(0), THREADS, down);
            session.launch("ligrec_expressing", grid, &arguments)?;
        }
        Ok(())
    }

    /// `mu` of each gene and cluster; values that do not fit one scale exactly are added up as they are.
    fn means(&self, fixed: &Fixed, sums: &[i128], sizes: &[u64]) -> Vec<f64> {
        let k = self.task.k();
        let mut means = Vec::with_capacity(sums.len());
        for (column, sums) in self.task.columns.iter().zip(sums.chunks_exact(k.max(1))) {
            let (mut infinite, mut rounded) = (vec![0.0; k], vec![0.0; k]);
            for (cell, value) in column.cells.iter().zip(&column.values) {
                let side = if value.is_infinite() { &mut infinite } else { &mut rounded };
                side[self.task.labels[*cell as usize] as usize] += value;
            }
            for c in 0..k {
                let sum = if fixed.exact { fixed.value(sums[c]) } else { rounded[c] };
                means.push(sum / sizes[c] as f64 + infinite[c]);
            }
        }
        means
    }

    /// Sums of the genes of a tile, at `(gene * k + cluster) * count + q`.
    fn add_up(
        &self,
        session: &mut Session<'_>,
        tile: &Tile<W>,
        table: Table,
        sums: Buffer<W>,
    ) -> Result<(), Fault> {
        for first in tile.genes.clone().step_by(Grid::DOWN) {
            let down = (tile.genes.end - first).min(Grid::DOWN);
            let arguments = [
                self.genes.starts_there.into(),
                tile.cells.into(),
                tile.words.into(),
                self.labels.into(),
                self.task.k().into(),
                first.into(),
                tile.offset.into(),
                table.images.into(),
                table.count.into(),
                sums.into(),
            ];
            session.launch(
                W::KERNELS[0],
                Grid::covering(table.count, SUMMERS, down),
                &arguments,
            )?;
        }
        Ok(())
    }

    fn exceeding(&self, session: &mut Session<'_>, observed: &Observed) -> Result<Vec<u32>, Fault> {
        let (task, k) = (self.task, self.task.k());
        let defined = task.defined(observed);
        let at: Vec<usize> = (0..defined.len()).filter(|&entry| defined[entry]).collect();
        let mut counts = vec![0; defined.len()];
        if at.is_empty() {
            return Ok(counts);
        }
        let compared = Compared::upload(session, task, observed, &at)?;
        let exceeding = session.zeros::<u64>(at.len())?;
        let (cells, entries) = (task.labels.len(), task.columns.len() * k);
        let beside = entries * (size_of::<W>() + 1);
        in_blocks(session, &mut source(task), cells, task.n_perms, beside, |session, table| {
            let sums = session.undefined(entries * table.count)?;
            self.genes
                .each_tile(session, |session, tile| self.add_up(session, tile, table, sums))?;
            let marks = self.marks(session, table)?;
            let grid = Grid::covering(32 * at.len(), THREADS, 1);
            let arguments = [
                compared.entries.into(),
                at.len().into(),
                sums.into(),
                compared.sums.into(),
                compared.sizes.into(),
                k.into(),
                table.count.into(),
                marks.is_some().into(),
                marks.unwrap_or(compared.infinite).into(),
                compared.infinite.into(),
                exceeding.into(),
            ];
            session.launch(W::KERNELS[1], grid, &arguments)
        })?;
        for (entry, count) in at.into_iter().zip(session.download(exceeding)?) {
            // Permutations are counted in 32 bits, as `Task::read` has made sure.
            counts[entry] = count as u32;
        }
        Ok(counts)
    }

    /// Where infinite values land under each permutation; `None` if there are none.
    fn marks(&self, session: &mut Session<'_>, table: Table) -> Result<Option<Buffer<u8>>, Fault> {
        let (genes, k) = (self.task.columns.len(), self.task.k());
        if self.infinite.genes.is_empty() {
            return Ok(None);
        }
        let marks = session.zeros(genes * k * table.count)?;
        let arguments = [
            self.infinite.genes.into(),
            self.infinite.cells.into(),
            self.infinite.bits.into(),
            self.infinite.genes.len().into(),
            self.labels.into(),
            k.into(),
            table.images.into(),
            table.count.into(),
            marks.into(),
        ];
        session.launch("ligrec_infinities", Grid::covering(table.count, THREADS, 1), &arguments)?;
        Ok(Some(marks))
    }
}

/// What permuted sums are compared with.
struct Compared {
    /// Two sides each, `gene * k + cluster`.
    entries: Buffer<u32>,
    sums: Buffer<i128>,
    sizes: Buffer<u64>,
    /// Whether the observed mean of a side is infinite.
    infinite: Buffer<u8>,
}

impl Compared {
    fn upload(
        session: &mut Session<'_>,
        task: &Task,
        observed: &Observed,
        at: &[usize],
    ) -> Result<Compared, Fault> {
        let (width, k) = (task.pairs.len(), task.k() as u32);
        let sides = |&entry: &usize| {
            let ([s, t], [c, d]) = (task.interactions[entry / width], task.pairs[entry % width]);
            [s * k + c, t * k + d]
        };
        let entries: Vec<u32> = at.iter().flat_map(sides).collect();
        let infinite: Vec<u8> =
            observed.means.iter().map(|mean| u8::from(mean.is_infinite())).collect();
        Ok(Compared {
            entries: session.upload(&entries)?,
            sums: session.upload(&observed.sums)?,
            sizes: session.upload(&observed.sizes)?,
            infinite: session.upload(&infinite)?,
        })
    }
}

fn source(task: &Task) -> Source {
    match task.stream {
        Stream::Concord { seed } => Source::Counters { function: LIGREC, seed },
        Stream::Numpy { seed, step } => Source::Shuffle { seed, step, state: None },
    }
}
