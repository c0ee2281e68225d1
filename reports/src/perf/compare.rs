//! Two backends on one workload: the ratio of their times, its interval, and what may be said about it.
//!
//! Within a block every lane is called on the way there and, in reverse order, on the way back, so that a steady drift of
//! the machine hits all of them alike. A block gives one number per lane, the logarithm of the ratio of its two times to
//! the base's two (geometric means). The median over blocks is the estimate; blocks are resampled for its interval.
//! A second lane of the base, in another process, goes through the same: the farthest end of its interval from 0 is the
//! *noise floor* of the run, the effect that would be seen where there is none.

use std::collections::BTreeMap;

use super::interval::{Interval, median, of_median};
use super::{Lane, PerfLog, Sample, Settings, Workload};

/// Fewer blocks than this say nothing: the interval of a median of four is its range, which covers 87 %.
pub const FEWEST: usize = 6;

/// What may be said about a ratio.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SpeedVerdict {
    /// The interval lies below the band, and the effect is larger than the noise floor.
    Faster,
    /// The interval lies within the band.
    Same,
    /// The interval lies above the band, and the effect is larger than the noise floor.
    Slower,
    /// Neither.
    Inconclusive,
}

impl SpeedVerdict {
    /// The word in reports.
    pub fn name(self) -> &'static str {
        match self {
            SpeedVerdict::Faster => "faster",
            SpeedVerdict::Same => "same",
            SpeedVerdict::Slower => "slower",
            SpeedVerdict::Inconclusive => "inconclusive",
        }
    }
}

/// One backend beside the base.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison<'a> {
    /// What was asked.
    pub workload: &'a Workload,
    /// Who is compared.
    pub lane: &'a Lane,
    /// Time of the backend over time of the base, as natural logarithm: below 0 it is faster.
    pub effect: Interval,
    /// The effect that was seen between the base and itself.
    pub noise: Option<f64>,
    /// Blocks that were compared.
    pub blocks: usize,
    /// Whether times are of the function alone; else of calls with the way to a process and back.
    pub alone: bool,
    /// What may be said.
    pub verdict: SpeedVerdict,
}

impl Comparison<'_> {
    /// Time of the backend over time of the base.
    pub fn ratio(&self) -> Interval {
        self.effect.map(f64::exp)
    }

    /// The least relative change that would have been called one.
    pub fn detectable(&self, settings: &Settings) -> f64 {
        let least = settings.band.ln_1p() + self.effect.half_width();
        least.max(self.noise.unwrap_or(0.0)).exp_m1()
    }
}

/// Every backend that was timed beside the base, in the order of the log.
pub fn comparisons(log: &PerfLog) -> Vec<Comparison<'_>> {
    let of = |workload| compare_lanes(workload, &log.settings);
    log.workloads.iter().flat_map(of).collect()
}

/// Every backend that was timed beside the base in one workload.
pub(super) fn compare_lanes<'a>(
    workload: &'a Workload,
    settings: &Settings,
) -> Vec<Comparison<'a>> {
    let Some(base) = workload.lane(&settings.base) else { return Vec::new() };
    let others = workload.lanes.iter().filter(|lane| !lane.again && lane.backend != base.backend);
    others.filter_map(|lane| compare(workload, base, lane, settings)).collect()
}

fn compare<'a>(
    workload: &'a Workload,
    base: &Lane,
    lane: &'a Lane,
    settings: &Settings,
) -> Option<Comparison<'a>> {
    let alone = [base, lane].iter().all(|lane| knows_itself(lane));
    let effects = effects(&base.samples, &lane.samples, alone);
    let effect = of_median(&effects, settings.seed)?;
    let noise = workload.again().and_then(|again| noise_floor(base, again, alone, settings.seed));
    let verdict = judge(effect, noise, effects.len(), settings.band);
    Some(Comparison { workload, lane, effect, noise, blocks: effects.len(), alone, verdict })
}

/// Whether every sample of a lane has the time of the function alone.
pub(super) fn knows_itself(lane: &Lane) -> bool {
    lane.samples.iter().all(|sample| sample.elapsed_ns.is_some())
}

/// The effect that is seen between the base and itself: the farthest end of the interval.
pub(super) fn noise_floor(base: &Lane, again: &Lane, alone: bool, seed: u64) -> Option<f64> {
    let alone = alone && knows_itself(again);
    of_median(&effects(&base.samples, &again.samples, alone), seed).map(Interval::farthest)
}

/// The noise floor of a workload as a relative change, whether anybody is compared with the base or not.
pub(super) fn beside_itself(workload: &Workload, settings: &Settings) -> Option<f64> {
    let (base, again) = (workload.lane(&settings.base)?, workload.again()?);
    noise_floor(base, again, knows_itself(base), settings.seed).map(f64::exp_m1)
}

/// What may be said about an effect, a natural logarithm of a ratio.
pub fn judge(effect: Interval, noise: Option<f64>, blocks: usize, band: f64) -> SpeedVerdict {
    let band = band.ln_1p();
    // Without a noise floor nobody knows what the machine does to two equal backends.
    let Some(noise) = noise.filter(|_| blocks >= FEWEST) else { return SpeedVerdict::Inconclusive };
    if effect.low > band && effect.at > noise {
        SpeedVerdict::Slower
    } else if effect.high < -band && -effect.at > noise {
        SpeedVerdict::Faster
    } else if effect.low >= -band && effect.high <= band {
        SpeedVerdict::Same
    } else {
        SpeedVerdict::Inconclusive
    }
}

/// One effect for each block in which both lanes have both samples.
pub fn effects(base: &[Sample], lane: &[Sample], alone: bool) -> Vec<f64> {
    let (base, lane) = (by_block(base, alone), by_block(lane, alone));
    let both = base.iter().filter_map(|(block, base)| Some((base, lane.get(block)?)));
    both.filter(|(base, lane)| base.len() == lane.len() && base.len() == 2)
        .map(|(base, lane)| (lane.iter().sum::<f64>() - base.iter().sum::<f64>()) / 2.0)
        .collect()
}

fn by_block(samples: &[Sample], alone: bool) -> BTreeMap<u32, Vec<f64>> {
    let mut blocks: BTreeMap<u32, Vec<f64>> = BTreeMap::new();
    for sample in samples {
        blocks.entry(sample.block).or_default().push(sample.ns(alone).ln());
    }
    blocks
}

/// Whether enough blocks were measured for every lane: the intervals of all effects are narrow enough.
pub fn settled(workload: &Workload, settings: &Settings) -> bool {
    let Some(base) = workload.lane(&settings.base) else { return true };
    let lanes = workload.lanes.iter().filter(|lane| !std::ptr::eq(*lane, base));
    lanes.filter(|lane| !lane.samples.is_empty()).all(|lane| {
        let alone = knows_itself(base) && knows_itself(lane);
        let effect = of_median(&effects(&base.samples, &lane.samples, alone), settings.seed);
        effect.is_some_and(|effect| effect.half_width() <= settings.half_width)
    })
}

/// The median time of a call in nanoseconds, and its interval; `None` for a lane that was not timed.
pub fn typical(lane: &Lane, seed: u64) -> Option<Interval> {
    of_median(&times(lane), seed)
}

/// The times of a lane in nanoseconds.
pub(in crate::perf) fn times(lane: &Lane) -> Vec<f64> {
    let alone = knows_itself(lane);
    lane.samples.iter().map(|sample| sample.ns(alone)).collect()
}

/// How many times as fast as the fastest fresh input a repeated one was answered: well above 1, the backend keeps answers.
/// Work of others on the machine can make a call slow, and none faster than it is, so that the fastest is compared.
pub fn repeated(lane: &Lane) -> Option<f64> {
    let alone = knows_itself(lane);
    let fastest = lane.samples.iter().map(|s| s.ns(alone)).min_by(f64::total_cmp)?;
    let again: Vec<f64> = lane.repeated_ns.iter().map(|&ns| ns.max(1) as f64).collect();
    Some(fastest / median(&again)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interval(at: f64, half: f64) -> Interval {
        Interval { at, low: at - half, high: at + half }
    }

    #[test]
    fn verdicts_need_the_interval_outside_the_band_and_the_effect_above_the_noise() {
        for (effect, noise, blocks, verdict) in [
            (interval(0.05, 0.01), Some(0.01), 9, SpeedVerdict::Slower),
            (interval(-0.05, 0.01), Some(0.01), 9, SpeedVerdict::Faster),
            (interval(0.05, 0.01), Some(0.06), 9, SpeedVerdict::Inconclusive),
            (interval(0.0, 0.01), Some(0.06), 9, SpeedVerdict::Same),
            (interval(0.0, 0.03), Some(0.01), 9, SpeedVerdict::Inconclusive),
            (interval(0.05, 0.04), Some(0.01), 9, SpeedVerdict::Inconclusive),
            (interval(3.0, 0.01), None, 9, SpeedVerdict::Inconclusive),
            (interval(3.0, 0.01), Some(0.01), 5, SpeedVerdict::Inconclusive),
        ] {
            assert_eq!(
                judge(effect, noise, blocks, 0.02),
                verdict,
                "{effect:?} {noise:?} {blocks}"
            );
        }
    }

    #[test]
    fn a_steady_drift_cancels_within_a_block() {
        let sample = |block, half, order, wall_ns| Sample {
            block,
            half,
            order,
            wall_ns,
            elapsed_ns: None,
            phases_ns: Vec::new(),
            answer: String::new(),
        };
        // Times grow by the same factor with each call: base, lane, lane, base.
        let (base, lane) = ([100, 800], [200, 400]);
        let of = |times: [u64; 2]| [sample(0, 0, 0, times[0]), sample(0, 1, 0, times[1])];
        let effect = effects(&of(base), &of(lane), true);
        assert!(effect[0].abs() < 1e-15, "{effect:?}");
        // A block that one of them has not finished counts for nothing.
        assert!(effects(&of(base)[..1], &of(lane), true).is_empty());
    }
}
