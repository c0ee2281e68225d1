//! Thresholds in order, and how many of them lie below a squared distance.

/// Entries of the table that guesses where a distance belongs.
const GUESSES: u32 = 1 << 10;
/// More steps than this take longer than a binary search.
const STEPS: usize = 8;

/// The distinct thresholds in ascending order, and where each asked one stands.
pub(super) struct Levels {
    pub(super) values: Vec<f32>,
    /// By threshold; `None` for NaN, within which nothing lies.
    pub(super) of: Vec<Option<usize>>,
}

impl Levels {
    pub(super) fn new(thresholds: &[f32]) -> Levels {
        let mut values: Vec<f32> = thresholds.iter().copied().filter(|t| !t.is_nan()).collect();
        values.sort_by(f32::total_cmp);
        values.dedup();
        let of = |t: &f32| values.binary_search_by(|v| v.total_cmp(t)).ok();
        Levels { of: thresholds.iter().map(of).collect(), values }
    }

    /// How many levels lie below a value, by binary search.
    pub(super) fn below(&self, value: f32) -> usize {
        self.values.partition_point(|level| *level < value)
    }
}

/// Finds how many levels lie below a value: a guess from the leading bits, never too high, then a few steps.
///
/// Without branches, since no processor predicts where the next pair falls.
pub(super) struct Ladder {
    /// Ascending, and infinity.
    levels: Vec<f32>,
    /// By the leading bits of a value: the number of levels below all values with these bits.
    guess: Vec<u32>,
    /// Bits of the first level.
    first: u32,
    shift: u32,
    /// Most levels with the same leading bits.
    steps: usize,
}

impl Ladder {
    pub(super) fn new(levels: &[f32]) -> Ladder {
        // The bits of non-negative floats are ordered as the floats are.
        // Zero stands with the first positive level; between the two there are no other levels.
        let first = levels.iter().find(|t| **t > 0.0).map_or(0, |t| t.to_bits());
        let span = levels.last().map_or(0, |t| t.to_bits()) - first;
        let shift = (span / GUESSES).checked_ilog2().map_or(0, |log| log + 1);
        let mut in_cell = vec![0u32; (span >> shift) as usize + 1];
        for level in levels {
            in_cell[(level.to_bits().saturating_sub(first) >> shift) as usize] += 1;
        }
        let mut sum = 0;
        let below = in_cell.iter().map(|n| {
            sum += n;
            sum - n
        });
        Ladder {
            guess: below.collect(),
            levels: levels.iter().copied().chain([f32::INFINITY]).collect(),
            first,
            shift,
            steps: in_cell.iter().max().map_or(0, |most| *most as usize),
        }
    }

    #[inline]
    pub(super) fn below(&self, value: f32) -> usize {
        if self.steps > STEPS {
            return self.levels.partition_point(|level| *level < value);
        }
        let cell = value.to_bits().saturating_sub(self.first) >> self.shift;
        let mut at = self.guess[(cell as usize).min(self.guess.len() - 1)] as usize;
        for _ in 0..self.steps {
            at += usize::from(value > self.levels[at]);
        }
        at
    }
}
