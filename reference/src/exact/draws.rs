//! The permutations that a call asks for, one after the other, written down plainly.
//!
//! Which permutations are drawn belongs to the question; that is why the oracle shares the generators of [`crate::rng`] with
//! the reference. How they are put to use is written here once more.

use crate::ligrec;
use crate::rng::numpy::{Generator, RandomState};
use crate::rng::{LIGREC, Permutations, SPATIAL_AUTOCORR};
use crate::spatial_autocorr::{self, Rng};

/// The permutations of the cells, `images[i] = pi(i)`; empty without permutations.
pub(super) fn permutations(task: &spatial_autocorr::Task<'_>) -> Vec<Vec<usize>> {
    let (n, n_perms) = (task.n(), task.n_perms.unwrap_or(0));
    let mut images = vec![0u32; n];
    let mut all = Vec::with_capacity(n_perms);
    let mut keep = |images: &[u32]| all.push(images.iter().map(|i| *i as usize).collect());
    match task.rng {
        Rng::Concord => {
            let stream = Permutations::new(SPATIAL_AUTOCORR, task.seed, n);
            for p in 0..n_perms {
                stream.fill(p as u64, &mut images);
                keep(&images);
            }
        }
        Rng::Numpy { n_jobs } => {
            let chunks = (0..n_perms).step_by(n_perms.div_ceil(n_jobs).max(1));
            for (chunk, first) in chunks.enumerate() {
                let mut generator = Generator::new(task.seed.wrapping_add(chunk as u64));
                for _ in first..n_perms.min(first + n_perms.div_ceil(n_jobs)) {
                    generator.permutation(&mut images);
                    keep(&images);
                }
            }
        }
    }
    all
}

/// The labels of the cells under each permutation.
pub(super) fn labellings(task: &ligrec::Task) -> Vec<Vec<u32>> {
    match task.stream {
        ligrec::Stream::Concord { seed } => {
            let stream = Permutations::new(LIGREC, seed, task.labels.len());
            let mut images = vec![0; task.labels.len()];
            let labels = |p: usize| {
                stream.fill(p as u64, &mut images);
                images.iter().map(|i| task.labels[*i as usize]).collect()
            };
            (0..task.n_perms).map(labels).collect()
        }
        ligrec::Stream::Numpy { seed, step } => {
            let runs = (0..task.n_perms).step_by(step.max(1));
            let of_run = |first: usize| {
                let mut state = RandomState::new(seed + first as u32);
                let mut labels = task.labels.clone();
                (first..task.n_perms.min(first + step)).map(move |_| {
                    state.shuffle(&mut labels);
                    labels.clone()
                })
            };
            runs.flat_map(of_run).collect()
        }
    }
}
