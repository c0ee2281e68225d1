//! Ranks among evenly spaced distances, from a table in AVX-512 registers, and the adders of the histogram.
//!
//! Here and in `spatial_autocorr` instructions are named: looking a table up in memory is the slowest step of
//! [`Table`](super::lanes::Table), and no plain loop compiles to a look-up in registers, nor to whole registers
//! of words. `pulp` gives the instructions as safe functions of a proof that the processor has them.

use std::arch::x86_64::{__m512i, _CMP_GT_OQ};

use pulp::cast;
use pulp::x86::V4;

use super::cells::{Cells, LANES};
use super::histogram::{Adder, WORDS};
use super::lanes::Rank;

impl Adder for V4 {
    type Words = __m512i;

    #[inline(always)]
    fn one_hot(self, bytes: &[u8; WORDS]) -> __m512i {
        let f = self.avx512f;
        let low = cast([u64::from_le_bytes(*bytes), 0]);
        f._mm512_sllv_epi64(f._mm512_set1_epi64(1), f._mm512_cvtepu8_epi64(low))
    }

    #[inline(always)]
    fn add(self, sum: &mut __m512i, a: __m512i, b: __m512i) -> __m512i {
        // Truth tables of three bits: two or three of them set, an odd number set.
        const MAJORITY: i32 = 0xe8;
        const PARITY: i32 = 0x96;
        let f = self.avx512f;
        let carry = f._mm512_ternarylogic_epi64::<MAJORITY>(*sum, a, b);
        *sum = f._mm512_ternarylogic_epi64::<PARITY>(*sum, a, b);
        carry
    }

    #[inline(always)]
    fn load(self, words: [u64; WORDS]) -> __m512i {
        cast(words)
    }

    #[inline(always)]
    fn store(self, words: __m512i) -> [u64; WORDS] {
        cast(words)
    }
}

/// Levels whose square roots are evenly spaced, as those of an automatic interval.
///
/// With the first distance `t0`, the step `s` and `f = (d - t0) / s`, a pair at distance `d` lies beyond `ceil(f)` levels, held
/// within 0 and their number. What is rounded is `f + 0.4`, from a `d` of 14 bits: if that and the spacing are together less
/// than 0.09 off, the result is the rank or one below it, and one exact comparison with the level there decides.
pub(super) struct Even {
    /// The levels, and infinity behind them.
    levels: [f32; 4 * LANES],
    /// `1 / s`.
    scale: f32,
    /// `0.4 - t0 / s`.
    shift: f32,
    /// Number of levels.
    last: f32,
}

impl Even {
    /// `None` if the spacing is not even, or positions or levels are so large that a square could overflow.
    pub(super) fn new(levels: &[f32], cells: &Cells) -> Option<Even> {
        // The squares of differences of such positions, and their sum, are finite.
        const LARGEST: f32 = 1e18;
        // Of one step: the rounded square root may be off by 0.05, the levels by 0.01; together with a rounding of
        // `f + 0.4` itself of at most 2^-24 * 2 * 410 they stay below 0.09.
        const UNEVEN: f64 = 0.01;
        const RELATIVE: f64 = 0.05 * (1 << 13) as f64;
        if !(2..=4 * LANES - 1).contains(&levels.len()) {
            return None;
        }
        let distance: Vec<f64> = levels.iter().map(|t| f64::from(*t).sqrt()).collect();
        let (first, last) = (distance[0], distance[levels.len() - 1]);
        let step = (last - first) / (levels.len() - 1) as f64;
        let even = |(r, d): (usize, &f64)| ((d - first) / step - r as f64).abs() <= UNEVEN;
        let small = |v: &f32| v.abs() <= LARGEST;
        let fits = distance.iter().enumerate().all(even)
            && last / step <= RELATIVE
            && f64::from(f32::MIN_POSITIVE) < step
            && cells.x.iter().chain(&cells.y).all(small);
        fits.then(|| {
            let mut padded = [f32::INFINITY; 4 * LANES];
            padded[..levels.len()].copy_from_slice(levels);
            Even {
                levels: padded,
                scale: (1.0 / step) as f32,
                shift: (0.4 - first / step) as f32,
                last: levels.len() as f32,
            }
        })
    }

    /// Ready to rank on a processor.
    pub(super) fn on(self, simd: V4) -> EvenAvx512 {
        EvenAvx512 { even: self, simd }
    }
}

/// [`Even`] and the proof that there is AVX-512.
pub(super) struct EvenAvx512 {
    even: Even,
    simd: V4,
}

impl Rank for EvenAvx512 {
    #[inline(always)]
    fn rank(&self, own: [f32; 2], x: &[[f32; LANES]], y: &[[f32; LANES]], out: &mut [[u8; LANES]]) {
        let f = self.simd.avx512f;
        let even = &self.even;
        let (table, _) = even.levels.as_chunks::<LANES>();
        let [t0, t1, t2, t3] = [table[0], table[1], table[2], table[3]].map(cast);
        let [own_x, own_y] = own.map(|v| f._mm512_set1_ps(v));
        let scale = f._mm512_set1_ps(even.scale);
        let shift = f._mm512_set1_ps(even.shift);
        let (zero, last) = (f._mm512_set1_ps(0.0), f._mm512_set1_ps(even.last));
        let (one, upper_half) = (f._mm512_set1_epi32(1), f._mm512_set1_epi32(2 * LANES as i32));
        for ((x, y), out) in x.iter().zip(y).zip(out) {
            let dx = f._mm512_sub_ps(own_x, cast(*x));
            let dy = f._mm512_sub_ps(own_y, cast(*y));
            let d2 = f._mm512_fmadd_ps(dy, dy, f._mm512_mul_ps(dx, dx));
            // d2 / sqrt(d2), to a relative error of 2^-14; NaN for 0, of which the maximum with 0 makes 0.
            let d = f._mm512_mul_ps(d2, f._mm512_rsqrt14_ps(d2));
            let guess = f._mm512_fmadd_ps(d, scale, shift);
            let guess = f._mm512_min_ps(f._mm512_max_ps(guess, zero), last);
            let guess = f._mm512_cvtps_epi32(guess);
            // The level at the guess, from four registers: the guess selects by its low five bits in each two.
            let low = f._mm512_permutex2var_ps(t0, guess, t1);
            let high = f._mm512_permutex2var_ps(t2, guess, t3);
            let upper = f._mm512_test_epi32_mask(guess, upper_half);
            let level = f._mm512_mask_blend_ps(upper, low, high);
            let beyond = f._mm512_cmp_ps_mask::<_CMP_GT_OQ>(d2, level);
            let rank = f._mm512_mask_add_epi32(guess, beyond, guess, one);
            *out = cast(f._mm512_cvtepi32_epi8(rank));
        }
    }
}
