//! Tables of permutations on the device: drawn there from counters, or by the host's generators and copied.

use dispatch::Fault;
use reference::rng::numpy::{Generator, RandomState};

use crate::driver::Grid;
use crate::session::{Buffer, Session};

/// Below this many elements permutations are shuffled, from it on they are a network.
const SMALL: usize = 512;
/// Most permutations of a table.
const COUNT: usize = 1024;

/// Where the permutations of one call come from.
pub(crate) enum Source {
    /// Counters: the function's number and the seed.
    Counters {
        /// As in `reference::rng`.
        function: u32,
        /// The seed.
        seed: u64,
    },
    /// NumPy's `Generator.permutation`, a new generator every `chunk` permutations, seeded `seed + chunk number`.
    Generator {
        /// The seed of the first chunk.
        seed: u64,
        /// Permutations of a chunk.
        chunk: usize,
        /// The generator of the chunk begun last.
        rng: Box<Generator>,
    },
    /// NumPy's `RandomState.shuffle` of one vector again and again, begun anew every `step` permutations `p` with
    /// the seed `seed + p`.
    Shuffle {
        /// The seed.
        seed: u32,
        /// Permutations of a run.
        step: usize,
        /// The generator of the run begun last and what it shuffles.
        state: Option<Box<(RandomState, Vec<u32>)>>,
    },
}

/// Permutations `first .. first + count` of `m` elements: the image of i at `i * count + q`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Table {
    pub(crate) images: Buffer<u32>,
    pub(crate) first: usize,
    pub(crate) count: usize,
}

/// Runs `each` with tables of all permutations in turn, each of a size that takes, with `beside` bytes per permutation, at
/// most a quarter of what memory is left. A table is made and copied while the kernels run that read the one before.
pub(crate) fn in_blocks<'c>(
    session: &mut Session<'c>,
    source: &mut Source,
    m: usize,
    n_perms: usize,
    beside: usize,
    mut each: impl FnMut(&mut Session<'c>, Table) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let one = size_of::<u32>() * m.max(1) + beside;
    let block = (session.left() / 4 / one).clamp(1, COUNT);
    let range = |i: usize| (i * block, block.min(n_perms - i * block));
    session.pipeline(
        n_perms.div_ceil(block),
        |session, i| {
            let (first, count) = range(i);
            Ok(Table { images: source.table(session, m, first, count)?, first, count })
        },
        |session, _, table| session.scope(|session| each(session, *table)),
        |_, _, ()| Ok(()),
    )
}

impl Source {
    fn table(
        &mut self,
        session: &mut Session<'_>,
        m: usize,
        first: usize,
        count: usize,
    ) -> Result<Buffer<u32>, Fault> {
        if let Source::Counters { function, seed } = *self {
            return drawn(session, m, first, count, 4 * u64::from(function), seed);
        }
        let mut images = vec![0; m * count];
        let mut one: Vec<u32> = vec![0; m];
        for q in 0..count {
            self.next(first + q, &mut one);
            one.iter().enumerate().for_each(|(i, image)| images[i * count + q] = *image);
        }
        session.upload(&images)
    }

    /// Permutation `p` of a host's generator, after all before it.
    fn next(&mut self, p: usize, out: &mut [u32]) {
        match self {
            Source::Counters { .. } => {}
            Source::Generator { seed, chunk, rng } => {
                if p.is_multiple_of(*chunk) {
                    **rng = Generator::new(seed.wrapping_add((p / *chunk) as u64));
                }
                rng.permutation(out);
            }
            Source::Shuffle { seed, step, state } => {
                let fresh = || {
                    let positions = (0..out.len() as u32).collect();
                    Box::new((RandomState::new(seed.wrapping_add(p as u32)), positions))
                };
                let (rng, positions) = &mut **match state {
                    Some(state) if !p.is_multiple_of(*step) => state,
                    state => state.insert(fresh()),
                };
                rng.shuffle(positions);
                out.copy_from_slice(positions);
            }
        }
    }
}

fn drawn(
    session: &mut Session<'_>,
    m: usize,
    first: usize,
    count: usize,
    word: u64,
    seed: u64,
) -> Result<Buffer<u32>, Fault> {
    let images = session.undefined(m * count)?;
    if m < SMALL {
        let grid = Grid::covering(count, 256, 1);
        let arguments =
            [images.into(), m.into(), count.into(), first.into(), word.into(), seed.into()];
        session.launch("permutations_shuffle", grid, &arguments)?;
    } else {
        let floor = m.isqrt();
        let a = floor + usize::from(floor * floor < m);
        // A thread draws about 64 rows with the keys that it has derived.
        let grid = Grid::covering(count, 256, m.div_ceil(64).min(Grid::DOWN));
        let arguments = [
            images.into(),
            m.into(),
            a.into(),
            count.into(),
            first.into(),
            word.into(),
            seed.into(),
        ];
        session.launch("permutations_network", grid, &arguments)?;
    }
    Ok(images)
}
