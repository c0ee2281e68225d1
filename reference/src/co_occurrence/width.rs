//! How many pairs this machine counts at a time, found at run time.
//!
//! `pulp` asks the processor once and enters functions compiled for what it has, without `unsafe` here. Ranks are exact in
//! each, so every width gives the same counts; a processor without AVX2 counts pair by pair.

#[cfg(target_arch = "x86_64")]
use super::avx512::Even;
use super::cells::Cells;
#[cfg(target_arch = "x86_64")]
use super::histogram::Loops;
#[cfg(target_arch = "x86_64")]
use super::lanes::{Table, Unit, Vectors};
use super::levels::Levels;
use super::tally::{Counting, tally};

/// The vectors of a machine.
#[derive(Clone, Copy, Debug)]
pub(super) enum Width {
    /// One pair at a time.
    One,
    /// 256 bits: AVX2 and FMA.
    #[cfg(target_arch = "x86_64")]
    Avx2(pulp::x86::V3),
    /// 512 bits: AVX-512 F, BW, CD, DQ, VL.
    #[cfg(target_arch = "x86_64")]
    Avx512(pulp::x86::V4),
}

impl Width {
    /// All widths that this machine has, ascending.
    pub(super) fn all() -> Vec<Width> {
        #[cfg_attr(not(target_arch = "x86_64"), expect(unused_mut, reason = "nothing to add"))]
        let mut all = vec![Width::One];
        #[cfg(target_arch = "x86_64")]
        {
            all.extend(pulp::x86::V3::try_new().map(Width::Avx2));
            all.extend(pulp::x86::V4::try_new().map(Width::Avx512));
        }
        all
    }

    /// The widest vectors of this machine.
    pub(super) fn widest() -> Width {
        Width::all().pop().unwrap_or(Width::One)
    }

    /// As [`tally()`], with vectors where the levels fit their tables.
    #[cfg_attr(not(target_arch = "x86_64"), expect(unused_variables, reason = "for tables"))]
    pub(super) fn tally(
        self,
        cells: &Cells,
        levels: &Levels,
        portable: &impl Counting,
    ) -> Vec<u64> {
        let slots = levels.values.len() + 1;
        match self {
            #[cfg(target_arch = "x86_64")]
            Width::Avx512(simd) => {
                if let Some(even) = Even::new(&levels.values, cells) {
                    let (rank, enter) =
                        (even.on(simd), |unit: Unit<'_, _, _>| simd.vectorize(unit));
                    return tally(cells, slots, &Vectors { rank, adder: simd, enter, portable });
                }
                if let Some(rank) = Table::new(&levels.values) {
                    let enter = |unit: Unit<'_, _, _>| simd.vectorize(unit);
                    return tally(cells, slots, &Vectors { rank, adder: simd, enter, portable });
                }
            }
            #[cfg(target_arch = "x86_64")]
            Width::Avx2(simd) => {
                if let Some(rank) = Table::new(&levels.values) {
                    let enter = |unit: Unit<'_, _, _>| simd.vectorize(unit);
                    return tally(cells, slots, &Vectors { rank, adder: Loops, enter, portable });
                }
            }
            Width::One => {}
        }
        tally(cells, slots, portable)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{by_definition, task};
    use super::*;

    /// Uneven clusters: one of a third of the cells, one of three cells.
    fn label(i: u32) -> u32 {
        match i {
            0..3 => 4,
            _ if i.is_multiple_of(3) => 0,
            _ => 1 + i % 4 % 3,
        }
    }

    fn check(what: &str, scale: f32, interval: &[f32]) {
        let spread = |i: u32| i.wrapping_mul(2_654_435_761) as f32 / u32::MAX as f32;
        let anywhere = (0..700u32).map(|i| [spread(i), spread(i + 9000)]);
        // Steps of a lattice meet even thresholds exactly.
        let lattice = (0..700u32).map(|i| [(i % 35) as f32 / 32.0, (i / 35) as f32 / 32.0]);
        let all = [anywhere.collect::<Vec<_>>(), lattice.collect()];
        for positions in all {
            let cells: Vec<_> = positions.iter().map(|p| p.map(|v| v * scale)).zip(0..).collect();
            let cells: Vec<_> = cells.into_iter().map(|(at, i)| (at, label(i))).collect();
            let task = task(&cells, 5, interval);
            let expected = by_definition(&task);
            for width in Width::all() {
                assert_eq!(task.counts_by(width), expected, "{what}, {width:?}");
            }
        }
    }

    fn even(first: f32, step: f32, levels: u8) -> Vec<f32> {
        [0.0].into_iter().chain((0..levels).map(|r| first + step * f32::from(r))).collect()
    }

    #[test]
    fn every_width_counts_the_same() {
        check("fifty", 1.0, &even(0.03, 1.0 / 64.0, 49));
        check("most", 1.0, &even(0.015_625, 0.015_625, 63));
        check("one too many", 1.0, &even(0.015_625, 0.015_625, 64));
        check("two", 1.0, &[0.0, 0.25, 0.5]);
        check("one", 1.0, &[0.0, 0.5]);
        check("from zero", 1.0, &even(0.0, 0.0625, 20));
        check("falling", 1.0, &[0.0, 0.9, 0.1, 0.3]);
        check("geometric", 1.0, &[0.0, 0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28]);
        check("far and narrow", 1.0, &even(1.0, 1e-4, 40));
        check("crowded", 1.0, &even(1.0, 3e-7, 60));
        check("infinite", 1.0, &[0.0, 0.5, f32::INFINITY, f32::NAN]);
        check("squares that overflow", 1e20, &[0.0, 1e18, 1e19]);
        check("subnormal squares", 1e-20, &even(1e-21, 1e-21, 20));
    }
}
