//! A histogram of bytes without memory traffic: positional popcount.
//!
//! Incrementing a counter in memory waits for the last increment of the same counter, a few cycles per pair. Here a
//! byte `r` below 64 becomes the word `1 << r`, and 64 counters are kept *bit-sliced*: bit `r` of the words of level `p` is
//! bit `p` of counter `r`. A full adder takes two words of a level and gives one of the next (Harley and Seal; Muła, Kurz
//! and Lemire 2018), so `n` words cost about `n` adders, eight words to an AVX-512 register.

/// Words that go through an adder together.
pub(super) const WORDS: usize = 8;
/// Bytes that go through the lowest four levels together.
pub(super) const GROUP: usize = 16 * WORDS;
const LOW: usize = 4;
const LEVELS: usize = 16;
/// Groups after which the highest level could overflow.
const FULL: u32 = 1 << (LEVELS - LOW - 1);

/// What the counters ask of eight words.
///
/// Left to itself the compiler cuts them into pieces of two and four, at twice the cost; so a processor's own
/// vectors may implement it.
pub(super) trait Adder: Copy + Sync {
    /// Eight words.
    type Words: Copy;

    /// `1 << byte` for each of eight bytes below 64.
    fn one_hot(self, bytes: &[u8; WORDS]) -> Self::Words;

    /// Adds `a` and `b` to `sum` bit by bit and returns what carries over.
    fn add(self, sum: &mut Self::Words, a: Self::Words, b: Self::Words) -> Self::Words;

    /// The words from memory.
    fn load(self, words: [u64; WORDS]) -> Self::Words;

    /// The words to memory.
    fn store(self, words: Self::Words) -> [u64; WORDS];
}

/// [`Adder`] by plain loops.
#[derive(Clone, Copy)]
pub(super) struct Loops;

impl Adder for Loops {
    type Words = [u64; WORDS];

    #[inline(always)]
    fn one_hot(self, bytes: &[u8; WORDS]) -> [u64; WORDS] {
        let mut words = [0; WORDS];
        for i in 0..WORDS {
            words[i] = 1 << (bytes[i] & 63);
        }
        words
    }

    #[inline(always)]
    fn add(self, sum: &mut [u64; WORDS], a: [u64; WORDS], b: [u64; WORDS]) -> [u64; WORDS] {
        let mut carry = [0; WORDS];
        for i in 0..WORDS {
            let either = sum[i] ^ a[i];
            carry[i] = (sum[i] & a[i]) | (either & b[i]);
            sum[i] = either ^ b[i];
        }
        carry
    }

    #[inline(always)]
    fn load(self, words: [u64; WORDS]) -> [u64; WORDS] {
        words
    }

    #[inline(always)]
    fn store(self, words: [u64; WORDS]) -> [u64; WORDS] {
        words
    }
}

/// Counters of the bytes below 64.
pub(super) struct Histogram<A: Adder> {
    adder: A,
    /// The sum of each level.
    sums: [A::Words; LEVELS],
    /// At each level from [`LOW`] on, words that wait for a second set of words: if the bit of `groups` is set.
    held: [A::Words; LEVELS - LOW],
    groups: u32,
    drained: [u64; 64],
}

impl<A: Adder> Histogram<A> {
    #[inline(always)]
    pub(super) fn new(adder: A) -> Histogram<A> {
        let none = adder.load([0; WORDS]);
        Histogram {
            adder,
            sums: [none; LEVELS],
            held: [none; LEVELS - LOW],
            groups: 0,
            drained: [0; 64],
        }
    }

    /// Counts bytes below 64; bytes behind the last whole [`GROUP`] are left out.
    #[inline(always)]
    pub(super) fn add(&mut self, bytes: &[u8]) {
        let adder = self.adder;
        let [mut ones, mut twos, mut fours, mut eights] =
            [self.sums[0], self.sums[1], self.sums[2], self.sums[3]];
        for group in bytes.as_chunks::<GROUP>().0 {
            let (row, _) = group.as_chunks::<WORDS>();
            // Macros, because a closure that is not inlined is compiled without the vectors of its caller.
            macro_rules! two {
                ($i:expr) => {
                    adder.add(&mut ones, adder.one_hot(&row[$i]), adder.one_hot(&row[$i + 1]))
                };
            }
            macro_rules! four {
                ($i:expr) => {{
                    let (a, b) = (two!($i), two!($i + 2));
                    adder.add(&mut twos, a, b)
                }};
            }
            macro_rules! eight {
                ($i:expr) => {{
                    let (a, b) = (four!($i), four!($i + 4));
                    adder.add(&mut fours, a, b)
                }};
            }
            let (a, b) = (eight!(0), eight!(8));
            let carry = adder.add(&mut eights, a, b);
            self.rise(carry);
        }
        [self.sums[0], self.sums[1], self.sums[2], self.sums[3]] = [ones, twos, fours, eights];
    }

    /// Takes the carry of a group up: as in a binary counter, every level passes on every second set of words.
    #[inline(always)]
    fn rise(&mut self, mut carry: A::Words) {
        let waiting = self.groups.trailing_ones() as usize;
        for level in 0..waiting {
            carry = self.adder.add(&mut self.sums[LOW + level], self.held[level], carry);
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
            self.tell(self.sums[LOW + level], LOW + level);
            self.sums[LOW + level] = self.adder.load([0; WORDS]);
            if self.groups >> level & 1 == 1 {
                self.tell(self.held[level], LOW + level);
            }
        }
        self.groups = 0;
    }

    /// How often each byte was counted.
    #[inline(always)]
    pub(super) fn counts(mut self) -> [u64; 64] {
        self.drain();
        for level in 0..LOW {
            self.tell(self.sums[level], level);
        }
        self.drained
    }

    /// Counts what words of a level stand for.
    #[inline(always)]
    fn tell(&mut self, words: A::Words, level: usize) {
        for word in self.adder.store(words) {
            for (bit, count) in self.drained.iter_mut().enumerate() {
                *count += (word >> bit & 1) << level;
            }
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
        let mut histogram = Histogram::new(Loops);
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
        assert_eq!(Histogram::new(Loops).counts(), [0; 64]);
        let mut histogram = Histogram::new(Loops);
        histogram.add(&[63; 3 * GROUP]);
        assert_eq!(histogram.counts()[63], 3 * GROUP as u64);
    }
}
