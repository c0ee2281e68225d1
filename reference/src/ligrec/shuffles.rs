//! The labels of every cell under a block of permutations.

use rayon::prelude::*;

use super::{Stream, Task};
use crate::rng::numpy::RandomState;
use crate::rng::{LIGREC, Permutations};

/// Permutations of a block.
pub(super) const LANES: usize = 32;
/// Below this many additions and comparisons of a block, threads cost more than they save.
pub(super) const PARALLEL: usize = 1 << 15;
/// Cells whose labels are turned together: they and their labels fit the first cache.
const TILE: usize = 128;

/// A label as it is stored.
pub(super) trait Label: Copy + Default + Send + Sync {
    /// A row of sums for each label that there may be.
    type Rows<W: Copy + Send>: Send;

    fn new(label: u32) -> Self;
    fn index(self) -> usize;

    /// Rows for labels below `k`.
    fn rows<W: Copy + Default + Send>(k: usize) -> Self::Rows<W>;
    /// The rows of the labels below `k`.
    fn below<W: Copy + Send>(rows: &mut Self::Rows<W>, k: usize) -> &mut [[W; LANES]];
    /// The row of a label.
    fn row<W: Copy + Send>(self, rows: &mut Self::Rows<W>) -> &mut [W; LANES];
}

/// Whatever a byte holds there is a row for it, so that nobody need ask.
impl Label for u8 {
    type Rows<W: Copy + Send> = Box<[[W; LANES]; 256]>;

    fn new(label: u32) -> u8 {
        label as u8
    }

    fn index(self) -> usize {
        self.into()
    }

    fn rows<W: Copy + Default + Send>(_: usize) -> Self::Rows<W> {
        Box::new([[W::default(); LANES]; 256])
    }

    fn below<W: Copy + Send>(rows: &mut Self::Rows<W>, k: usize) -> &mut [[W; LANES]] {
        &mut rows[..k]
    }

    #[inline(always)]
    fn row<W: Copy + Send>(self, rows: &mut Self::Rows<W>) -> &mut [W; LANES] {
        &mut rows[usize::from(self)]
    }
}

impl Label for u32 {
    type Rows<W: Copy + Send> = Vec<[W; LANES]>;

    fn new(label: u32) -> u32 {
        label
    }

    fn index(self) -> usize {
        self as usize
    }

    fn rows<W: Copy + Default + Send>(k: usize) -> Self::Rows<W> {
        vec![[W::default(); LANES]; k]
    }

    fn below<W: Copy + Send>(rows: &mut Self::Rows<W>, k: usize) -> &mut [[W; LANES]] {
        &mut rows[..k]
    }

    #[inline(always)]
    fn row<W: Copy + Send>(self, rows: &mut Self::Rows<W>) -> &mut [W; LANES] {
        &mut rows[self as usize]
    }
}

/// Permuted labels, one block of permutations after the other.
pub(super) struct Shuffles<'a, L> {
    task: &'a Task,
    /// Permutation by permutation, as they are drawn.
    drawn: Vec<L>,
    /// Cell by cell; left from the last block for permutations that this one lacks.
    labels: Vec<[L; LANES]>,
    /// The host's generator and the vector it shuffles.
    numpy: Option<(RandomState, Vec<u32>)>,
}

impl<'a, L: Label> Shuffles<'a, L> {
    pub(super) fn new(task: &'a Task) -> Shuffles<'a, L> {
        let labels = vec![[L::default(); LANES]; task.labels.len()];
        Shuffles { task, drawn: Vec::new(), labels, numpy: None }
    }

    /// Labels under permutations `first..first + lanes`, by cell.
    pub(super) fn next(&mut self, first: usize, lanes: usize) -> &[[L; LANES]] {
        let cells = self.task.labels.len();
        self.drawn.resize(lanes * cells, L::default());
        let parallel = lanes * cells >= PARALLEL;
        match self.task.stream {
            Stream::Concord { seed } => {
                let permutations = Permutations::new(LIGREC, seed, cells);
                self.draw(&permutations, first, parallel);
            }
            Stream::Numpy { seed, step } => self.draw_as_host(first, seed, step),
        }
        self.turn(lanes, parallel);
        &self.labels
    }

    fn draw(&mut self, permutations: &Permutations, first: usize, parallel: bool) {
        let labels = &self.task.labels;
        let draw = |images: &mut Vec<u32>, (lane, out): (usize, &mut [L])| {
            images.resize(labels.len(), 0);
            permutations.fill((first + lane) as u64, images);
            for (out, image) in out.iter_mut().zip(images) {
                *out = L::new(labels[*image as usize]);
            }
        };
        let cells = labels.len();
        if parallel {
            self.drawn.par_chunks_mut(cells).enumerate().for_each_init(Vec::new, draw);
        } else {
            let mut images = Vec::new();
            let lanes = self.drawn.chunks_mut(cells).enumerate();
            lanes.for_each(|lane| draw(&mut images, lane));
        }
    }

    fn draw_as_host(&mut self, first: usize, seed: u32, step: usize) {
        let labels = &self.task.labels;
        for (lane, out) in self.drawn.chunks_mut(labels.len()).enumerate() {
            let permutation = first + lane;
            // `Stream` promises that seed + n_perms fits 32 bits.
            let start = || RandomState::new(seed.wrapping_add(permutation as u32));
            let (rng, shuffled) = match &mut self.numpy {
                Some(state) if !permutation.is_multiple_of(step) => state,
                state => state.insert((start(), labels.clone())),
            };
            rng.shuffle(shuffled);
            out.iter_mut().zip(shuffled).for_each(|(out, label)| *out = L::new(*label));
        }
    }

    /// From permutation by permutation to cell by cell.
    fn turn(&mut self, lanes: usize, parallel: bool) {
        let (drawn, cells) = (&self.drawn, self.labels.len());
        let turn = |(tile, out): (usize, &mut [[L; LANES]])| {
            for lane in 0..lanes {
                let labels = &drawn[lane * cells + tile * TILE..][..out.len()];
                out.iter_mut().zip(labels).for_each(|(out, label)| out[lane] = *label);
            }
        };
        if parallel {
            self.labels.par_chunks_mut(TILE).enumerate().for_each(turn);
        } else {
            self.labels.chunks_mut(TILE).enumerate().for_each(turn);
        }
    }
}
