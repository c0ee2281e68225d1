//! How time grows with the number of cells, and the size at which one backend overtakes another.

use std::collections::{BTreeMap, BTreeSet};

use super::compare::{SpeedVerdict, compare_lanes, effects, knows_itself, typical};
use super::interval::{Interval, Resampler, median, quantile};
use super::{Fate, Lane, PerfLog, Settings, Workload};

/// Quantiles of Student's t at 97.5 % for 1 to 12 degrees of freedom; beyond that, of the normal with its first correction.
const T: [f64; 12] =
    [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179];

/// Workloads that differ in size alone, from small to large.
#[derive(Clone, Debug, PartialEq)]
pub struct Sweep<'a> {
    /// The function.
    pub function: &'a str,
    /// What the inputs are otherwise.
    pub case: &'a str,
    /// The workloads.
    pub workloads: Vec<&'a Workload>,
}

/// One backend over the sizes of a sweep.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve<'a> {
    /// The backend.
    pub backend: &'a str,
    /// Cells, and the median time in nanoseconds with its interval.
    pub points: Vec<(f64, Interval)>,
    /// Sizes at which there is no time, and why.
    pub gaps: Vec<(f64, &'a Fate)>,
    /// The exponent `b` of `time = a * cells^b`, and its interval; of three sizes or more.
    pub exponent: Option<Interval>,
}

/// Where a backend overtakes the base, or the base it.
#[derive(Clone, Debug, PartialEq)]
pub struct Crossover<'a> {
    /// The backend.
    pub backend: &'a str,
    /// The number of cells at which both take the same time.
    pub cells: Interval,
    /// Whether the backend is the faster one above it.
    pub faster_above: bool,
    /// The share of resamples in which there was a crossing at all; the interval is of those.
    pub share: f64,
}

/// The sweeps of a log, in its order.
pub fn sweeps(log: &PerfLog) -> Vec<Sweep<'_>> {
    let mut sweeps: Vec<Sweep<'_>> = Vec::new();
    for workload in &log.workloads {
        let (function, case) = (workload.function.as_str(), workload.case.as_str());
        match sweeps.iter_mut().find(|s| (s.function, s.case) == (function, case)) {
            Some(sweep) => sweep.workloads.push(workload),
            None => sweeps.push(Sweep { function, case, workloads: vec![workload] }),
        }
    }
    sweeps.iter_mut().for_each(|sweep| sweep.workloads.sort_by_key(|w| w.cells));
    sweeps
}

impl<'a> Sweep<'a> {
    /// The curve of each backend, in the order of the lanes.
    pub fn curves(&self, seed: u64) -> Vec<Curve<'a>> {
        let mut curves: Vec<Curve<'a>> = Vec::new();
        for workload in &self.workloads {
            for lane in workload.lanes.iter().filter(|lane| !lane.again) {
                let cells = workload.cells as f64;
                let at = match curves.iter().position(|c| c.backend == lane.backend) {
                    Some(at) => at,
                    None => {
                        let (points, gaps) = (Vec::new(), Vec::new());
                        curves.push(Curve { backend: &lane.backend, points, gaps, exponent: None });
                        curves.len() - 1
                    }
                };
                match typical(lane, seed).filter(|_| lane.fate == Fate::Timed) {
                    Some(time) => curves[at].points.push((cells, time)),
                    None => curves[at].gaps.push((cells, &lane.fate)),
                }
            }
        }
        // Who is not timed anywhere, whatever the size, has no curve.
        curves.retain(|c| {
            !c.points.is_empty() || c.gaps.iter().any(|(_, fate)| fate.depends_on_size())
        });
        for curve in &mut curves {
            let points = curve.points.iter().map(|(n, t)| (n.ln(), t.at.ln())).collect::<Vec<_>>();
            curve.exponent = slope(&points);
        }
        curves
    }

    /// Where each backend and the base cross; a backend that is faster at every size, or at none, has no crossing, and one
    /// that differs by noise alone has none either: it must have been found slower at some size and faster at another.
    pub fn crossovers(&self, settings: &Settings) -> Vec<Crossover<'a>> {
        let mut found: BTreeMap<&'a str, Seen> = BTreeMap::new();
        for workload in self.workloads.iter().copied() {
            let Some(base) = workload.lane(&settings.base) else { continue };
            for comparison in compare_lanes(workload, settings) {
                let seen = found.entry(&comparison.lane.backend).or_default();
                seen.sizes.push(((workload.cells as f64).ln(), paired(base, comparison.lane)));
                seen.verdicts.insert(comparison.verdict);
                seen.noise = seen.noise.into_iter().chain(comparison.noise).reduce(f64::min);
            }
        }
        let both = BTreeSet::from([SpeedVerdict::Faster, SpeedVerdict::Slower]);
        let found = found.into_iter().filter(|(_, seen)| seen.verdicts.is_superset(&both));
        let of = |(name, seen): (_, Seen)| {
            crossover(name, &seen.sizes, seen.noise.unwrap_or(0.0), settings.seed)
        };
        found.filter_map(of).collect()
    }
}

/// A backend beside the base: the effects at the logarithm of each size, and what was said of them.
#[derive(Default)]
struct Seen {
    sizes: Vec<(f64, Vec<f64>)>,
    verdicts: BTreeSet<SpeedVerdict>,
    /// The least noise floor: processes live through the sizes, so that what two of them differ by is no larger.
    noise: Option<f64>,
}

fn paired(base: &Lane, lane: &Lane) -> Vec<f64> {
    effects(&base.samples, &lane.samples, knows_itself(base) && knows_itself(lane))
}

/// More blocks narrow the interval of the resamples, but not by what two processes of one backend differ, the `noise`: the curve may lie
/// so much higher or lower.
fn crossover<'a>(
    backend: &'a str,
    sizes: &[(f64, Vec<f64>)],
    noise: f64,
    seed: u64,
) -> Option<Crossover<'a>> {
    let groups: Vec<Vec<f64>> = sizes.iter().map(|(_, effects)| effects.clone()).collect();
    let crossing = |groups: &[Vec<f64>], shift: f64| {
        let place = |((n, _), e): (&(f64, _), &Vec<f64>)| Some((*n, median(e)? + shift));
        zero(&sizes.iter().zip(groups).filter_map(place).collect::<Vec<_>>())
    };
    let drawn =
        |shift| Resampler::new(seed).distribution(&groups, |groups| crossing(groups, shift));
    let (at, found) = (crossing(&groups, 0.0)?, drawn(0.0));
    let mut interval =
        Interval { at, low: quantile(&found, 0.025)?, high: quantile(&found, 0.975)? };
    for found in [drawn(-noise), drawn(noise)] {
        interval.low = quantile(&found, 0.025).map_or(interval.low, |low| low.min(interval.low));
        interval.high =
            quantile(&found, 0.975).map_or(interval.high, |high| high.max(interval.high));
    }
    let last = groups.last().and_then(|effects| median(effects))?;
    Some(Crossover {
        backend,
        cells: interval.map(f64::exp),
        faster_above: last < 0.0,
        share: Resampler::share(&found),
    })
}

/// The last place where a line through the points changes its sign: what holds beyond it, holds for large inputs.
fn zero(points: &[(f64, f64)]) -> Option<f64> {
    points.windows(2).rev().find_map(|pair| {
        let ((x0, y0), (x1, y1)) = (pair[0], pair[1]);
        (y0 != y1 && (y0 <= 0.0) != (y1 <= 0.0)).then(|| x0 + (x1 - x0) * y0 / (y0 - y1))
    })
}

/// The slope of the least-squares line, and its interval by Student's t. The residuals are those of the medians, so that a
/// curve that bends (a constant cost at small sizes, caches that overflow) widens it.
fn slope(points: &[(f64, f64)]) -> Option<Interval> {
    let n = points.len() as f64;
    let freedom = points.len().checked_sub(2).filter(|&f| f > 0)?;
    let mean = |f: &dyn Fn(&(f64, f64)) -> f64| points.iter().map(f).sum::<f64>() / n;
    let (x, y) = (mean(&|p| p.0), mean(&|p| p.1));
    let spread = mean(&|p| (p.0 - x).powi(2)) * n;
    if spread == 0.0 {
        return None;
    }
    let slope = mean(&|p| (p.0 - x) * (p.1 - y)) * n / spread;
    let residual = mean(&|p| (p.1 - y - slope * (p.0 - x)).powi(2)) * n;
    let error = (residual / freedom as f64 / spread).sqrt();
    // Cornish and Fisher: t = z + (z^3 + z) / 4f.
    let t = T
        .get(freedom - 1)
        .copied()
        .unwrap_or(1.96 + (1.96f64.powi(3) + 1.96) / (4.0 * freedom as f64));
    Some(Interval { at: slope, low: slope - t * error, high: slope + t * error })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slope_of_a_power_is_its_exponent() {
        let points: Vec<_> =
            [1e3f64, 2e3, 4e3, 8e3].map(|n| (n.ln(), (3.0 * n.powf(1.5)).ln())).to_vec();
        let fitted = slope(&points).unwrap();
        assert!((fitted.at - 1.5).abs() < 1e-12 && fitted.half_width() < 1e-6, "{fitted:?}");
        assert_eq!(slope(&points[..2]), None);
        // The residuals of (0, 1, 1): slope 1/2, sum of squares 1/6 with one degree of freedom over a spread of 2.
        let bent = slope(&[(0.0, 0.0), (1.0, 1.0), (2.0, 1.0)]).unwrap();
        let half = 12.706 * (1.0f64 / 6.0 / 2.0).sqrt();
        assert!(
            (bent.at - 0.5).abs() < 1e-12 && (bent.half_width() - half).abs() < 1e-9,
            "{bent:?}"
        );
    }

    #[test]
    fn a_crossing_is_found_between_sizes_and_its_interval_holds_it() {
        // Slower by a tenth at e^2 cells, faster by a tenth at e^4: equal at e^3. No median is off by more than five steps.
        const STEP: f64 = 0.001;
        let around =
            |at: f64| (0..11).map(|i| at + STEP * (f64::from(i) - 5.0)).collect::<Vec<_>>();
        let found = crossover("x", &[(2.0, around(0.1)), (4.0, around(-0.1))], 0.0, 1).unwrap();
        assert!((found.cells.at.ln() - 3.0).abs() < 1e-12, "{found:?}");
        assert!(found.cells.low < found.cells.at && found.cells.at < found.cells.high);
        assert!(found.faster_above && found.share == 1.0);
        // Were the backend's process 2 % slower or faster than others, it would cross a fifth of a power of e later or earlier.
        let noisy = crossover("x", &[(2.0, around(0.1)), (4.0, around(-0.1))], 0.02, 1).unwrap();
        let ends = [noisy.cells.low / found.cells.low, noisy.cells.high / found.cells.high];
        // Each crossing moves by 0.04 over the fall between the sizes, 0.2 to ten steps; so does each of their quantiles.
        let allowed = 0.04 / (0.2 - 10.0 * STEP) - 0.2 + 1e-12;
        let moved = ends.map(|ratio| ratio.ln().abs());
        assert!(ends[0] < 1.0 && ends[1] > 1.0, "{ends:?}");
        assert!(moved.iter().all(|by| (by - 0.2).abs() < allowed), "{moved:?}");
        assert_eq!(crossover("x", &[(2.0, around(0.1)), (4.0, around(0.2))], 0.0, 1), None);
    }
}
