//! The two generators of NumPy that the host draws from, bit for bit.
//!
//! [`Generator`] is `numpy.random.default_rng(seed)` (PCG64 seeded through `SeedSequence`), [`RandomState`] is
//! `numpy.random.RandomState(seed)` (MT19937). Both shuffle by Fisher-Yates from the last element down and bound
//! each draw by *masked rejection*: take the low bits of a 32-bit word until they are small enough.
//! Checked against NumPy 2.4; the streams are frozen by NumPy's compatibility policy only for `RandomState`.

use rand_core::Rng as _;
use rand_mt::Mt;
use rand_pcg::Pcg64;

/// The first `N` 64-bit words that `numpy.random.SeedSequence(seed).generate_state(N, uint64)` gives.
fn seed_sequence<const N: usize>(seed: u64) -> [u64; N] {
    let spread = |hash: &mut u32, multiplier: u32, word: u32| {
        let word = word ^ *hash;
        *hash = hash.wrapping_mul(multiplier);
        let word = word.wrapping_mul(*hash);
        word ^ (word >> 16)
    };
    // A seed below 2^32 is one word of entropy, and the missing words count as zeros: the same thing here.
    let mut hash = 0x43b0_d7e5;
    let mut pool = [seed as u32, (seed >> 32) as u32, 0, 0];
    for word in &mut pool {
        *word = spread(&mut hash, 0x931e_8875, *word);
    }
    for from in 0..4 {
        for to in (0..4).filter(|&to| to != from) {
            let hashed = spread(&mut hash, 0x931e_8875, pool[from]).wrapping_mul(0x4973_f715);
            let mixed = pool[to].wrapping_mul(0xca01_f9dd).wrapping_sub(hashed);
            pool[to] = mixed ^ (mixed >> 16);
        }
    }
    let mut hash = 0x8b51_f9dd;
    let mut at = pool.iter().cycle();
    std::array::from_fn(|_| {
        let mut half =
            || u64::from(spread(&mut hash, 0x58f3_8ded, at.next().copied().unwrap_or_default()));
        half() | half() << 32
    })
}

/// A uniform integer in `0..=max` by masked rejection on 32-bit words.
fn masked(max: u32, mut next: impl FnMut() -> u32) -> u32 {
    let mask = u32::MAX.checked_shr(max.leading_zeros()).unwrap_or(0);
    if mask == 0 {
        return 0;
    }
    loop {
        let value = next() & mask;
        if value <= max {
            return value;
        }
    }
}

/// `numpy.random.default_rng(seed)`.
#[derive(Clone, Debug)]
pub struct Generator {
    bits: Pcg64,
    /// The high half of the last 64-bit draw, if only the low half was used.
    high: Option<u32>,
}

impl Generator {
    /// The generator of a seed.
    pub fn new(seed: u64) -> Generator {
        let [state_high, state_low, stream_high, stream_low] = seed_sequence::<4>(seed);
        let join = |high: u64, low: u64| u128::from(high) << 64 | u128::from(low);
        let bits = Pcg64::new(join(state_high, state_low), join(stream_high, stream_low));
        Generator { bits, high: None }
    }

    fn next_u32(&mut self) -> u32 {
        self.high.take().unwrap_or_else(|| {
            let word = self.bits.next_u64();
            self.high = Some((word >> 32) as u32);
            word as u32
        })
    }

    /// `rng.shuffle(values)` for one axis.
    ///
    /// # Panics
    /// When there are 2^32 values or more; NumPy draws those from 64-bit words.
    pub fn shuffle<T>(&mut self, values: &mut [T]) {
        assert!(u32::try_from(values.len()).is_ok(), "{} values to shuffle", values.len());
        for i in (1..values.len()).rev() {
            values.swap(i, masked(i as u32, || self.next_u32()) as usize);
        }
    }

    /// `rng.permutation(n)`, written to a slice of `n` elements.
    pub fn permutation(&mut self, out: &mut [u32]) {
        out.iter_mut().enumerate().for_each(|(i, slot)| *slot = i as u32);
        self.shuffle(out);
    }
}

/// `numpy.random.RandomState(seed)`.
#[derive(Clone, Debug)]
pub struct RandomState(Mt);

impl RandomState {
    /// The generator of a seed.
    pub fn new(seed: u32) -> RandomState {
        RandomState(Mt::new(seed))
    }

    /// `rs.shuffle(values)` for one axis.
    ///
    /// # Panics
    /// When there are 2^32 values or more; NumPy draws those from 64-bit words.
    pub fn shuffle<T>(&mut self, values: &mut [T]) {
        assert!(u32::try_from(values.len()).is_ok(), "{} values to shuffle", values.len());
        for i in (1..values.len()).rev() {
            values.swap(i, masked(i as u32, || self.0.next_u32()) as usize);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An order-sensitive checksum, the same in the Python that made the constants.
    fn fold(values: &[u32]) -> u64 {
        let modulus = (1u128 << 61) - 1;
        values.iter().fold(0, |h: u128, &v| (h * 1_000_003 + u128::from(v)) % modulus) as u64
    }

    /// Two draws of 10 elements, then the checksum of one of 70 001, by NumPy 2.4.6.
    type Draws = (u64, [u32; 10], [u32; 10], u64);

    #[rustfmt::skip]
    const GENERATOR: &[Draws] = &[
        (0, [4, 6, 2, 7, 3, 5, 9, 0, 8, 1], [2, 9, 3, 6, 0, 4, 8, 7, 5, 1], 2082493712209412728),
        (1, [8, 4, 7, 0, 1, 2, 5, 9, 6, 3], [0, 1, 8, 6, 5, 7, 9, 2, 3, 4], 1936963689709701929),
        (42, [5, 6, 0, 7, 3, 2, 4, 9, 1, 8], [4, 8, 2, 6, 5, 9, 7, 3, 0, 1], 1021830086291045319),
        (4294967295, [0, 1, 4, 8, 3, 7, 5, 6, 2, 9], [1, 9, 6, 5, 7, 3, 0, 4, 2, 8], 1568582220183994373),
        (4294967296, [9, 1, 3, 8, 7, 6, 0, 4, 2, 5], [3, 7, 1, 6, 4, 0, 5, 8, 2, 9], 841415335997668541),
        (9223372036854775808, [2, 6, 1, 0, 9, 4, 5, 7, 8, 3], [5, 7, 9, 0, 6, 4, 2, 3, 8, 1], 1678825105526145080),
        (18446744073709551615, [8, 7, 3, 0, 4, 6, 1, 2, 5, 9], [2, 7, 5, 1, 8, 4, 0, 6, 9, 3], 1742503300250560149),
    ];

    #[rustfmt::skip]
    const RANDOM_STATE: &[Draws] = &[
        (0, [2, 8, 4, 9, 1, 6, 7, 3, 0, 5], [9, 6, 8, 4, 5, 0, 2, 7, 3, 1], 1593916734651883365),
        (1, [2, 9, 6, 4, 0, 3, 1, 7, 8, 5], [5, 3, 4, 2, 8, 0, 6, 9, 1, 7], 317876452681870387),
        (42, [8, 1, 5, 0, 7, 2, 9, 4, 3, 6], [8, 1, 3, 2, 0, 7, 4, 6, 9, 5], 1107160396306801470),
        (4294967295, [6, 9, 5, 1, 8, 0, 7, 4, 2, 3], [3, 6, 1, 8, 9, 0, 2, 4, 7, 5], 2108731598381420317),
    ];

    #[test]
    fn seed_sequence_is_numpys() {
        let state =
            [13091511679009522556, 13538552136045918767, 7269824232120749972, 4520223790601600371];
        assert_eq!(seed_sequence::<4>(12345), state);
    }

    #[test]
    fn generator_permutes_as_numpy_does() {
        for (seed, first, second, checksum) in GENERATOR {
            let mut rng = Generator::new(*seed);
            let (mut small, mut large) = ([0; 10], vec![0; 70_001]);
            rng.permutation(&mut small);
            assert_eq!(small, *first, "seed {seed}");
            rng.permutation(&mut small);
            assert_eq!(small, *second, "seed {seed}");
            rng.permutation(&mut large);
            assert_eq!(fold(&large), *checksum, "seed {seed}");
        }
    }

    #[test]
    fn random_state_shuffles_as_numpy_does() {
        for (seed, first, second, checksum) in RANDOM_STATE {
            let mut rng = RandomState::new(*seed as u32);
            let mut small: [u32; 10] = std::array::from_fn(|i| i as u32);
            let mut large: Vec<u32> = (0..70_001).collect();
            rng.shuffle(&mut small);
            assert_eq!(small, *first, "seed {seed}");
            // Shuffled again in place, as the host's permutation tests do.
            rng.shuffle(&mut small);
            assert_eq!(small, *second, "seed {seed}");
            rng.shuffle(&mut large);
            assert_eq!(fold(&large), *checksum, "seed {seed}");
        }
    }
}
