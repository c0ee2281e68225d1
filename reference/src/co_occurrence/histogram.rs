//! A histogram of bytes without memory traffic: positional popcount.
//!
//! Incrementing a counter in memory waits for the last increment of the same counter, a few cycles per pair. Here a
//! byte `r` below 64 becomes the word `1 << r`, and 64 counters are kept *bit-sliced*: bit `r` of the words of level `p` is
//! bit `p` of counter `r`. A full adder takes two words of a level and gives one of the next (Harley and Seal; Muła, Kurz
//! and Lemire 2018), so `n` words cost about `n` adders, eight words to an AVX-512 register.

/// Words that go through an adder together.
const WORDS: usize = 8;
/// Bytes that go through the lowest four levels together.
pub(super) const GROUP: usize = 16 * WORDS;
const LOW: usize = 4;
const LEVELS: usize = 16;
/// Groups after which the highest level could overflow.
const FULL: u32 = 1 << (LEVELS - LOW - 1);

type Words = [u64; WORDS];

/// Counters of the bytes below 64.
pub(super) struct Histogram {
    /// The sum of each level.
    sums: [Words; LEVELS],
    /// At each level from [`LOW`] on, words that wait for a second set of words: if the bit of `groups` is set.
    held: [Words; LEVELS - LOW],
    groups: u32,
    drained: [u64; 64],
}

impl Histogram {
    #[inline(always)]
    pub(super) fn new() -> Histogram {
        Histogram {
            sums: [[0; WORDS]; LEVELS],
            held: [[0; WORDS]; LEVELS - LOW],
            groups: 0,
            drained: [0; 64],
        }
    }

    /// Counts bytes below 64; bytes behind the last whole [`GROUP`] are left out.
    #[inline(always)]
    pub(super) fn add(&mut self, bytes: &[u8]) {
        let [mut ones, mut twos, mut fours, mut eights] =
            [self.sums[0], self.sums[1], self.sums[2], self.sums[3]];
        for group in bytes.as_chunks::<GROUP>().0 {
            let (row, _) = group.as_chunks::<WORDS>();
            // Macros, because a closure that is not inlined is compiled without the vectors of its caller.
            macro_rules! two {
                ($i:expr) => {
                    add(&mut ones, one_hot(&row[$i]), one_hot(&row[$i + 1]))
                };
            }
            macro_rules! four {
                ($i:expr) => {{
                    let (a, b) = (two!($i), two!($i + 2));
                    add(&mut twos, a, b)
                }};
            }
            macro_rules! eight {
                ($i:expr) => {{
                    let (a, b) = (four!($i), four!($i + 4));
                    add(&mut fours, a, b)
                }};
            }
            let (a, b) = (eight!(0), eight!(8));
            let carry = add(&mut eights, a, b);
            self.rise(carry);
        }
        [self.sums[0], self.sums[1], self.sums[2], self.sums[3]] = [ones, twos, fours, eights];
    }

    /// Takes the carry of a group up: as in a binary counter, every level passes on every second set of words.
    #[inline(always)]
    fn rise(&mut self, mut carry: Words) {
        let waiting = self.groups.trailing_ones() as usize;
        for level in 0..waiting {
            carry = add(&mut self.sums[LOW + level], self.held[level], carry);
        }
        self.held[waiting] = carry;
        self.groups += 1;
        if self.groups == FULL {
            self.drain();
        }
    }

    /// Empties the levels above the lowest, which [`Histogram::add`] may be working on.
    #[inline(always)]
    fn drain(&mut self) {
        let levels = (u32::BITS - self.groups.leading_zeros()) as usize;
        for level in 0..levels {
            tell(&self.sums[LOW + level], LOW + level, &mut self.drained);
            self.sums[LOW + level] = [0; WORDS];
            if self.groups >> level & 1 == 1 {
                tell(&self.held[level], LOW + level, &mut self.drained);
            }
        }
        self.groups = 0;
    }

    /// How often each byte was counted.
    #[inline(always)]
    pub(super) fn counts(mut self) -> [u64; 64] {
        self.drain();
        for level in 0..LOW {
            tell(&self.sums[level], level, &mut self.drained);
        }
        self.drained
    }
}

/// Adds `a` and `b` to `sum` bit by bit and returns what carries over.
#[inline(always)]
fn add(sum: &mut Words, a: Words, b: Words) -> Words {
    let mut carry = [0; WORDS];
    for i in 0..WORDS {
        let either = sum[i] ^ a[i];
        carry[i] = (sum[i] & a[i]) | (either & b[i]);
        sum[i] = either ^ b[i];
    }
    carry
}

#[inline(always)]
fn one_hot(bytes: &[u8; WORDS]) -> Words {
    let mut words = [0; WORDS];
    for i in 0..WORDS {
        words[i] = 1 << (bytes[i] & 63);
    }
    words
}

#[inline(always)]
fn tell(words: &Words, level: usize, counts: &mut [u64; 64]) {
    for word in words {
        for (bit, count) in counts.iter_mut().enumerate() {
            *count += (word >> bit & 1) << level;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_those_of_counting() {
        // Enough groups for the counters to be emptied in between, in pieces of every remainder.
        let byte = |i: usize| ((i * i + i / 7) % 61) as u8;
        let bytes: Vec<u8> = (0..GROUP * (FULL as usize + 37)).map(byte).collect();
        let mut histogram = Histogram::new();
        let mut rest = &bytes[..];
        for groups in (0..5).cycle() {
            let (piece, others) = rest.split_at(rest.len().min(groups * GROUP));
            histogram.add(piece);
            rest = others;
            if rest.is_empty() {
                break;
            }
        }
        let mut expected = [0; 64];
        bytes.iter().for_each(|&byte| expected[usize::from(byte)] += 1);
        assert_eq!(histogram.counts(), expected);
    }

    #[test]
    fn nothing_and_one_counter() {
        assert_eq!(Histogram::new().counts(), [0; 64]);
        let mut histogram = Histogram::new();
        histogram.add(&[63; 3 * GROUP]);
        assert_eq!(histogram.counts()[63], 3 * GROUP as u64);
    }
}
