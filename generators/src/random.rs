//! The random numbers behind every recipe, fixed for good.
//!
//! Changing anything here changes every recorded case, so the generator is our own: SplitMix64 (Steele, Lea,
//! Flood 2014), twelve lines, checked against published outputs. It never asks for entropy. Distributions use only
//! operations that IEEE 754 rounds exactly, or `libm`, which is the same Rust code everywhere; the standard
//! library's `exp` and `cos` call the platform's and differ in the last bit from one to the next.

/// A deterministic stream of random numbers.
#[derive(Clone, Debug)]
pub struct Random {
    state: u64,
}

impl Random {
    /// The stream of a seed and a subject.
    ///
    /// Each part of a dataset draws from a stream of its own, so changing the graph of a recipe leaves its expression
    /// values alone: a difference that survives is not due to other numbers.
    pub fn new(seed: u64, subject: &str) -> Random {
        // FNV-1a of the subject, mixed with the seed so that neighbouring seeds are unrelated.
        let hash = subject.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |h, b| {
            (h ^ u64::from(b)).wrapping_mul(0x100_0000_01b3)
        });
        Random { state: mix(seed.wrapping_add(mix(hash))) }
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.state)
    }

    /// A number from 0 to `n - 1`, or 0 if `n` is 0.
    ///
    /// The multiply-shift of Lemire without rejection; the bias is below `n / 2^64`.
    pub fn below(&mut self, n: usize) -> usize {
        ((u128::from(self.bits()) * n as u128) >> 64) as usize
    }

    /// A number in [0, 1), a multiple of 2^-53.
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 * (1.0 / (1_u64 << 53) as f64)
    }

    /// A number of mean 0 and variance 1 that is nearly normal, at most 4.9 in size.
    ///
    /// The sum of eight uniform 16-bit integers (Irwin-Hall): two draws and one rounding, where Box-Muller would
    /// need a logarithm and a cosine. Tests need a bell, not its far tails.
    pub fn normal(&mut self) -> f64 {
        let chunks = |bits: u64| (0..4).map(|k| (bits >> (16 * k)) & 0xffff).sum::<u64>();
        let sum = chunks(self.bits()) + chunks(self.bits());
        // A chunk has mean (2^16 - 1)/2 and variance (2^32 - 1)/12; the standard deviation of eight is
        // sqrt(8/12) 2^16 to ten digits.
        (sum as f64 - 4.0 * 65535.0) / 53_509.919_921_45
    }

    /// Puts the items in random order (Fisher-Yates from the end).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            items.swap(i, self.below(i + 1));
        }
    }
}

/// Poisson counts of one mean, drawn by inverting the distribution function: one draw and a few comparisons each.
#[derive(Clone, Debug)]
pub struct Poisson {
    /// `2^64 P(count <= k)` for k = 0, 1, ... until rounding makes it 1.
    cumulative: Vec<u64>,
}

impl Poisson {
    /// Counts of a mean between 0 and about 30.
    pub fn new(mean: f64) -> Poisson {
        let two_to_64 = (1_u128 << 64) as f64;
        let (mut probability, mut sum, mut cumulative) = (libm::exp(-mean), 0.0, Vec::new());
        // The last term is below the rounding of the sum: 30 standard deviations above the mean and more.
        while sum + probability > sum {
            sum += probability;
            cumulative.push((sum * two_to_64) as u64);
            probability *= mean / cumulative.len() as f64;
        }
        Poisson { cumulative }
    }

    /// The next count.
    pub fn sample(&self, random: &mut Random) -> f64 {
        let bits = random.bits();
        let count = self.cumulative.iter().position(|&limit| bits < limit);
        count.unwrap_or(self.cumulative.len()) as f64
    }
}

/// The output function of SplitMix64.
fn mix(z: u64) -> u64 {
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splitmix64_gives_its_published_outputs() {
        let mut random = Random { state: 1_234_567 };
        let expected: [u64; 5] = [
            6_457_827_717_110_365_317,
            3_203_168_211_198_807_973,
            9_817_491_932_198_370_423,
            4_593_380_528_125_082_431,
            16_408_922_859_458_223_821,
        ];
        assert_eq!(std::array::from_fn(|_| random.bits()), expected);
    }

    #[test]
    fn distributions_have_their_moments() {
        let mut random = Random::new(7, "moments");
        let n = 40_000;
        let moments = |values: Vec<f64>| {
            let mean = values.iter().sum::<f64>() / n as f64;
            let variance = values.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / n as f64;
            (mean, variance)
        };
        // Five standard errors: sd/sqrt(n) = 0.005 sd for a mean, at most 0.007 var for a variance near normal.
        let (mean, variance) = moments((0..n).map(|_| random.normal()).collect());
        assert!(mean.abs() < 0.025 && (variance - 1.0).abs() < 0.036, "{mean} {variance}");
        let poisson = Poisson::new(3.0);
        let (mean, variance) = moments((0..n).map(|_| poisson.sample(&mut random)).collect());
        assert!((mean - 3.0).abs() < 0.044 && (variance - 3.0).abs() < 0.12, "{mean} {variance}");
        let (mean, variance) = moments((0..n).map(|_| random.unit()).collect());
        assert!(
            (mean - 0.5).abs() < 0.008 && (variance - 1.0 / 12.0).abs() < 0.002,
            "{mean} {variance}"
        );
        let (mean, _) = moments((0..n).map(|_| random.below(7) as f64).collect());
        assert!((mean - 3.0).abs() < 0.05, "{mean}");
    }

    #[test]
    fn poisson_inverts_its_distribution_function() {
        let probability = |k: usize| Poisson::new(3.0).cumulative[k] as f64 / (1_u128 << 64) as f64;
        // exp(-3) sum of 3^k / k!, to the digits given.
        assert!((probability(0) - 0.049_787_068_4).abs() < 1e-10);
        assert!((probability(3) - 0.647_231_888_8).abs() < 1e-10);
        assert_eq!(Poisson::new(0.0).sample(&mut Random::new(0, "")), 0.0);
    }

    #[test]
    fn streams_differ_by_seed_and_subject() {
        let first = |seed, subject| Random::new(seed, subject).bits();
        assert_ne!(first(0, "graph"), first(1, "graph"));
        assert_ne!(first(0, "graph"), first(0, "labels"));
        assert_eq!(Random::new(0, "").below(0), 0);
    }
}
