//! Counter-based permutations with random access.
//!
//! Permutation `p` of `m` elements is a pure function of (function number, seed, group, p, m): no state,
//! no memory, so any thread or device computes any element of any permutation, in any order.
//!
//! **m >= 512**: a 12-round Feistel network on `Z_a x Z_b`, `a = ceil(sqrt m)`, `b = ceil(m/a)`. Round
//! keys `K_0..K_11` are the words of `Philox4x32-10(counter = (p_lo, p_hi, group, 4*function + t), key =
//! (seed_lo, seed_hi))`, four for each t = 0, 1, 2. A value `v = r*a + l` is mapped by, for i = 0, 2, ... 10:
//! `l = (l + mulhi(mix(r + K_i), a)) mod a`, `r = (r + mulhi(mix(l + K_{i+1}), b)) mod b`, and again while the
//! result is not below m (probability < 1/b). `mulhi` is the high half of the 64-bit product.
//!
//! **m < 512** (where so small a Feistel domain is visibly not uniform): Fisher-Yates. Word `4j + i` of the
//! stream is word i of `Philox4x32-10(counter = (p_lo, p_hi, group + 2^16*j, 4*function + 3), key)`; start from
//! the identity and for i = m-1 down to 1 swap elements i and `bounded(i + 1)`, where `bounded(n)` is Lemire's:
//! with the next word w, return the high half of `w*n` unless its low half is below `2^32 mod n`, else draw again.

/// Below this many elements the permutation is drawn by Fisher-Yates.
const SMALL: usize = 512;
const ROUNDS: usize = 12;

/// Ten rounds of Philox4x32 (Salmon et al., SC 2011).
pub fn philox4x32_10(counter: [u32; 4], key: [u32; 2]) -> [u32; 4] {
    let ([mut c0, mut c1, mut c2, mut c3], [mut k0, mut k1]) = (counter, key);
    for _ in 0..10 {
        let even = u64::from(c0) * 0xD251_1F53;
        let odd = u64::from(c2) * 0xCD9E_8D57;
        (c0, c1, c2, c3) =
            ((odd >> 32) as u32 ^ c1 ^ k0, odd as u32, (even >> 32) as u32 ^ c3 ^ k1, even as u32);
        (k0, k1) = (k0.wrapping_add(0x9E37_79B9), k1.wrapping_add(0xBB67_AE85));
    }
    [c0, c1, c2, c3]
}

/// The permutations of `m` elements that belong to one function and seed.
///
/// ```
/// use reference::rng::{Permutations, SPATIAL_AUTOCORR};
/// let permutations = Permutations::new(SPATIAL_AUTOCORR, 42, 5);
/// let mut third = [0; 5];
/// permutations.fill(3, &mut third);
/// assert_eq!(permutations.at(3, 0), third[0]);
/// third.sort();
/// assert_eq!(third, [0, 1, 2, 3, 4]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Permutations {
    /// First of the four values that the last counter word takes.
    word: u32,
    seed: u64,
    group: u32,
    m: usize,
}

impl Permutations {
    /// The permutations of `0..m` of a function (by its number, such as [`crate::rng::LIGREC`]) and a seed.
    ///
    /// # Panics
    /// When `m` is 2^31 or more: positions are 32-bit.
    pub fn new(function: u32, seed: u64, m: usize) -> Permutations {
        assert!(m < 1 << 31, "{m} elements, at most 2^31 - 1 can be permuted");
        Permutations { word: 4 * function, seed, group: 0, m }
    }

    /// The permutations of another group (a library, say) of the same function and seed.
    ///
    /// # Panics
    /// When `group` is 2^16 or more.
    pub fn within(self, group: u32) -> Permutations {
        assert!(group < 1 << 16, "group {group}, expected below 65536");
        Permutations { group, ..self }
    }

    /// Number of elements permuted.
    pub fn len(&self) -> usize {
        self.m
    }

    /// Whether there is nothing to permute.
    pub fn is_empty(&self) -> bool {
        self.m == 0
    }

    /// Writes permutation `p`: element `i` of `out` becomes the image of `i`.
    ///
    /// # Panics
    /// When `out` has not `m` elements.
    pub fn fill(&self, p: u64, out: &mut [u32]) {
        assert_eq!(out.len(), self.m, "a permutation of {} elements", self.m);
        if self.m < SMALL {
            return self.shuffle(p, out);
        }
        let network = self.network(p);
        pulp::Arch::new().dispatch(Fill { network: &network, out });
    }

    /// The image of `i` under permutation `p`.
    ///
    /// # Panics
    /// When `i` is not below `m`.
    pub fn at(&self, p: u64, i: usize) -> u32 {
        assert!(i < self.m, "element {i} of {}", self.m);
        if self.m < SMALL {
            let mut all = [0; SMALL];
            self.shuffle(p, &mut all[..self.m]);
            return all[i];
        }
        self.network(p).image(i as u32)
    }

    fn philox(&self, p: u64, group: u32, t: u32) -> [u32; 4] {
        let counter = [p as u32, (p >> 32) as u32, group, self.word + t];
        philox4x32_10(counter, [self.seed as u32, (self.seed >> 32) as u32])
    }

    fn network(&self, p: u64) -> Network {
        let mut keys = [0; ROUNDS];
        for (t, four) in keys.chunks_exact_mut(4).enumerate() {
            four.copy_from_slice(&self.philox(p, self.group, t as u32));
        }
        let m = self.m as u32;
        let floor = m.isqrt();
        let a = floor + u32::from(floor * floor < m);
        Network { m, a, b: m.div_ceil(a), keys }
    }

    fn shuffle(&self, p: u64, out: &mut [u32]) {
        let (mut block, mut words, mut used) = (0, [0; 4], 4);
        let mut next = || {
            if used == words.len() {
                words = self.philox(p, self.group + (block << 16), 3);
                (block, used) = (block + 1, 0);
            }
            used += 1;
            words[used - 1]
        };
        out.iter_mut().enumerate().for_each(|(i, slot)| *slot = i as u32);
        for i in (1..out.len()).rev() {
            let n = i as u32 + 1;
            let rejected_below = n.wrapping_neg() % n;
            let j = loop {
                let product = u64::from(next()) * u64::from(n);
                if product as u32 >= rejected_below {
                    break (product >> 32) as usize;
                }
            };
            out.swap(i, j);
        }
    }
}

/// One keyed bijection of `0..m`.
struct Network {
    m: u32,
    a: u32,
    b: u32,
    keys: [u32; ROUNDS],
}

impl Network {
    fn image(&self, mut v: u32) -> u32 {
        loop {
            v = self.walk(v);
            if v < self.m {
                return v;
            }
        }
    }

    fn walk(&self, v: u32) -> u32 {
        self.rounds(v / self.a, v % self.a)
    }

    /// Where `r * a + l` goes; it may be `m` or more.
    #[inline(always)]
    fn rounds(&self, mut r: u32, mut l: u32) -> u32 {
        for pair in self.keys.as_chunks::<2>().0 {
            l += scaled(r.wrapping_add(pair[0]), self.a);
            l = l.min(l.wrapping_sub(self.a));
            r += scaled(l.wrapping_add(pair[1]), self.b);
            r = r.min(r.wrapping_sub(self.b));
        }
        r * self.a + l
    }
}

/// All images of a network, as many elements at a time as the processor's vectors hold.
struct Fill<'a> {
    network: &'a Network,
    out: &'a mut [u32],
}

impl pulp::NullaryFnOnce for Fill<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        /// More than one vector holds: a loop this long is made of vectors, a shorter one may be unrolled instead.
        const LANES: usize = 64;
        let Fill { network, out } = self;
        let (mut r, mut l) = ([0; LANES], [0; LANES]);
        let (mut row, mut column) = (0, 0);
        let (chunks, rest) = out.as_chunks_mut::<LANES>();
        for (chunk, images) in chunks.iter_mut().enumerate() {
            for lane in 0..LANES {
                (r[lane], l[lane]) = (row, column);
                column += 1;
                if column == network.a {
                    (row, column) = (row + 1, 0);
                }
            }
            for lane in 0..LANES {
                images[lane] = network.rounds(r[lane], l[lane]);
            }
            if images.iter().any(|image| *image >= network.m) {
                for (lane, image) in images.iter_mut().enumerate() {
                    *image = network.image((chunk * LANES + lane) as u32);
                }
            }
        }
        let done = chunks.len() * LANES;
        for (i, image) in rest.iter_mut().enumerate() {
            *image = network.image((done + i) as u32);
        }
    }
}

/// `h` mixed, then scaled to `0..n`.
#[inline(always)]
fn scaled(mut h: u32, n: u32) -> u32 {
    h ^= h >> 16;
    h = h.wrapping_mul(0x7feb_352d);
    h ^= h >> 15;
    h = h.wrapping_mul(0x846c_a68b);
    ((u64::from(h) * u64::from(n)) >> 32) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn philox_known_answers() {
        // Random123's kat_vectors.
        let zeros = [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8];
        assert_eq!(philox4x32_10([0; 4], [0; 2]), zeros);
        let ones = [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd];
        assert_eq!(philox4x32_10([u32::MAX; 4], [u32::MAX; 2]), ones);
    }

    #[test]
    fn large_permutation_test_vector() {
        // The vector of the design counts its three Philox calls from counter word 1.
        let stream = Permutations { word: 1, seed: 1, group: 0, m: 100_003 };
        let mut out = vec![0; 100_003];
        stream.fill(0, &mut out);
        assert_eq!(out[..8], [71334, 32892, 99762, 3259, 47937, 38064, 19580, 21479]);
        assert_eq!(out[100_001..], [16117, 57697]);
        assert_eq!(stream.at(0, 3), 3259);
    }

    #[test]
    fn every_size_is_a_bijection_and_random_access_agrees() {
        for m in [0, 1, 2, 3, 7, 100, 511, 512, 513, 529, 530, 1000, 4097] {
            let stream = Permutations::new(2, u64::MAX - 5, m).within(7);
            for p in [0, 1, 1 << 40] {
                let mut out = vec![0; m];
                stream.fill(p, &mut out);
                assert!((0..m).all(|i| stream.at(p, i) == out[i]), "m={m} p={p}");
                out.sort_unstable();
                assert!(out.iter().enumerate().all(|(i, &v)| i == v as usize), "m={m} p={p}");
            }
        }
    }

    #[test]
    fn streams_differ_by_function_seed_group_and_permutation() {
        for m in [40, 600] {
            let draw = |function, seed, group, p| {
                let mut out = vec![0; m];
                Permutations::new(function, seed, m).within(group).fill(p, &mut out);
                out
            };
            let base = draw(1, 0, 0, 0);
            let others =
                [draw(2, 0, 0, 0), draw(1, 1, 0, 0), draw(1, 1 << 32, 0, 0), draw(1, 0, 1, 0)];
            assert!(others.iter().chain([&draw(1, 0, 0, 1)]).all(|other| *other != base), "m={m}");
        }
    }

    #[test]
    fn small_permutations_are_uniform() {
        // chi^2 over the 120 permutations of 5 elements, 12 000 draws: mean 119, sd 15.4; 5 sd above.
        let stream = Permutations::new(1, 3, 5);
        let mut counts = std::collections::BTreeMap::<[u32; 5], f64>::new();
        for p in 0..12_000 {
            let mut out = [0; 5];
            stream.fill(p, &mut out);
            *counts.entry(out).or_default() += 1.0;
        }
        let chi2: f64 = counts.values().map(|c| (c - 100.0).powi(2) / 100.0).sum();
        assert_eq!(counts.len(), 120);
        assert!(chi2 < 119.0 + 5.0 * 15.4, "{chi2}");
    }
}
