//! What this machine can do at most: bytes read and operations made in a second, with as many threads as the backends may use.
//!
//! Rounds are short and the fastest counts: others on the machine only make one slower. The reading is of data that
//! nobody writes, because the least that a call needs is to read its input.

use std::hint::black_box;
use std::sync::Barrier;
use std::time::{Duration, Instant};

use pulp::{Arch, Simd, WithSimd};
use reports::perf::Ceilings;

/// Rounds of each measurement.
const ROUNDS: usize = 5;
/// Vectors that are added to in turn. Ten hide the latency of a multiplication with addition (four cycles, two at a time),
/// and with two factors they fit into the sixteen registers of AVX2.
const APART: usize = 10;
/// Turns of the arithmetic in a round: some milliseconds.
const TURNS: usize = 4_000_000;
/// Bytes that lie in the first cache of every processor of the last ten years, with room for other things.
const CACHED: usize = 16 << 10;
/// Times that they are read in a round: some milliseconds.
const AGAIN: usize = 20_000;
/// What threads read at least, and how many times what the last cache holds.
const LEAST: u64 = 256 << 20;
const TIMES: u64 = 4;

/// Measures for about a second. `memory` is that of the machine in bytes; an eighth of it is used at most.
pub fn measure(threads: usize, memory: Option<u64>) -> Ceilings {
    let threads = threads.max(1);
    let wanted = last_cache().map_or(LEAST, |cache| LEAST.max(TIMES * cache));
    let bytes = wanted.min(memory.map_or(LEAST, |bytes| bytes / 8));
    let each = (bytes / 8 / threads as u64).max(1) as usize;
    let read = |values: &Vec<f64>| {
        black_box(Arch::new().dispatch(Sum(values)));
    };
    let reread = |values: &Vec<f64>| {
        for _ in 0..AGAIN {
            black_box(Arch::new().dispatch(Sum(black_box(values))));
        }
    };
    let memory = shortest(threads, || vec![1.0; each], read);
    let cache = shortest(threads, || vec![1.0; CACHED / 8], reread);
    let wide = |(): &()| {
        black_box(Arch::new().dispatch(MulAdd64));
    };
    let narrow = |(): &()| {
        black_box(Arch::new().dispatch(MulAdd32));
    };
    let (f64s, f32s) = (shortest(threads, || (), wide), shortest(threads, || (), narrow));
    let per_s = |each: usize, time: Duration| {
        ((threads * each) as f64 / time.as_secs_f64().max(1e-9)).round() as u64
    };
    let [of_wide, of_narrow] = Arch::new().dispatch(Lanes).map(|lanes| 2 * TURNS * APART * lanes);
    Ceilings {
        threads,
        memory_bytes: (8 * each * threads) as u64,
        memory_bytes_per_s: per_s(8 * each, memory),
        cache_bytes_per_s: per_s(CACHED * AGAIN, cache),
        f64_operations_per_s: per_s(of_wide, f64s),
        f32_operations_per_s: per_s(of_narrow, f32s),
    }
}

/// The shortest round: from when the first thread begins to when the last one ends.
fn shortest<D>(threads: usize, data: impl Fn() -> D + Sync, work: impl Fn(&D) + Sync) -> Duration {
    let barrier = Barrier::new(threads);
    let one = || {
        let data = data();
        let round = |_| {
            barrier.wait();
            let start = Instant::now();
            work(&data);
            (start, Instant::now())
        };
        (0..ROUNDS).map(round).collect::<Vec<_>>()
    };
    let all: Vec<Vec<(Instant, Instant)>> = std::thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(one)).collect();
        running.into_iter().filter_map(|thread| thread.join().ok()).collect()
    });
    let round = |r: usize| {
        let of = || all.iter().filter_map(|thread| thread.get(r));
        let (first, last) = (of().map(|t| t.0).min()?, of().map(|t| t.1).max()?);
        Some(last - first)
    };
    (0..ROUNDS).filter_map(round).min().unwrap_or_default()
}

/// Bytes of the largest cache that the system tells of.
fn last_cache() -> Option<u64> {
    let size = |index: u32| {
        let path = format!("/sys/devices/system/cpu/cpu0/cache/index{index}/size");
        let text = std::fs::read_to_string(path).ok()?;
        Some(text.trim().strip_suffix('K')?.parse::<u64>().ok()? * 1024)
    };
    (0..8).filter_map(size).max()
}

/// Numbers in a vector: of float64, and of float32.
struct Lanes;

impl WithSimd for Lanes {
    type Output = [usize; 2];

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> [usize; 2] {
        [S::F64_LANES, S::F32_LANES]
    }
}

struct Sum<'a>(&'a [f64]);

impl WithSimd for Sum<'_> {
    type Output = f64;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> f64 {
        let (vectors, rest) = S::as_simd_f64s(self.0);
        let mut sums = [simd.splat_f64s(0.0); 8];
        let eights = vectors.chunks_exact(8);
        let left = eights.remainder();
        for eight in eights {
            for (sum, v) in sums.iter_mut().zip(eight) {
                *sum = simd.add_f64s(*sum, *v);
            }
        }
        let sum = sums.iter().chain(left).fold(simd.splat_f64s(0.0), |a, b| simd.add_f64s(a, *b));
        simd.reduce_sum_f64s(sum) + rest.iter().sum::<f64>()
    }
}

/// Multiplications with additions of one type of number.
// A loop and no closure: a closure is compiled for any processor, and its vectors then are calls.
macro_rules! mul_add {
    ($name:ident, $number:ty, $splat:ident, $mul_add:ident, $sum:ident) => {
        struct $name;

        impl WithSimd for $name {
            type Output = $number;

            #[inline(always)]
            fn with_simd<S: Simd>(self, simd: S) -> $number {
                // Values that stay near 1 and are no constants for the compiler.
                let [a, b] = [0.999, 0.001].map(|v| simd.$splat(black_box(v)));
                let mut own = [simd.$splat(black_box(1.0)); APART];
                for _ in 0..TURNS {
                    for v in &mut own {
                        *v = simd.$mul_add(*v, a, b);
                    }
                }
                own.iter().map(|v| simd.$sum(*v)).sum()
            }
        }
    };
}

mul_add!(MulAdd64, f64, splat_f64s, mul_add_e_f64s, reduce_sum_f64s);
mul_add!(MulAdd32, f32, splat_f32s, mul_add_e_f32s, reduce_sum_f32s);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_computed_is_what_is_counted() {
        let values: Vec<f64> = (0..1003).map(f64::from).collect();
        // Integers below 2^53: exact in any order.
        assert_eq!(Arch::new().dispatch(Sum(&values)), 1002.0 * 1003.0 / 2.0);
        // Each lane goes to the fixed point of 0.999 v + 0.001, which is 1, so that the sum counts the lanes.
        let [wide, narrow] = Arch::new().dispatch(Lanes);
        assert!((Arch::new().dispatch(MulAdd64) / (APART * wide) as f64 - 1.0).abs() < 1e-12);
        assert!((Arch::new().dispatch(MulAdd32) / (APART * narrow) as f32 - 1.0).abs() < 1e-4);
    }
}
