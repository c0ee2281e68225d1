//! What changed from run to run.
//!
//! The number that is followed is the effect beside the base *of the same run*: a machine that is slower today is slower for
//! both. Two runs are two numbers: they can be shown to differ by more than their intervals and noise floors explain
//! ([`Movement`]), but whether something changed or one of the runs was odd cannot be told from them. A *change* is said
//! only of a series: the best piecewise constant line through it (least absolute deviations, the number of pieces by an
//! information criterion, as asv does), of which each piece has at least three runs, so that one or two odd runs are none.

use std::collections::BTreeMap;

use super::PerfLog;
use super::compare::{Comparison, comparisons};
use super::interval::{Interval, median};

/// Fewer runs than this are no series.
pub const SHORTEST: usize = 8;
/// Runs that a level must hold.
const HOLD: usize = 3;
/// Smaller changes of the ratio than this are never reported: other things than the code move a ratio by as much.
const LEAST: f64 = 0.05;
/// A step of fewer standard deviations of a run than this is not reported. The best of many places to cut is looked for and the
/// standard deviation is itself an estimate; the test measures what that comes to.
const CLEAR: f64 = 5.0;

/// One backend in one workload, over all runs.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// Function and inputs.
    pub workload: String,
    /// The backend.
    pub backend: String,
    /// The backend that ratios are taken to.
    pub base: String,
    /// The effect in each run that has one, oldest first: natural logarithm of the ratio of times.
    pub effects: Vec<Interval>,
    /// The noise floor of each of these runs.
    pub noise: Vec<f64>,
    /// Where the level changed, in a series that is long enough.
    pub changes: Vec<Step>,
}

/// A change of level.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// The first run of the new level, counted from 0.
    pub run: usize,
    /// New ratio over old one.
    pub factor: f64,
}

/// The last run beside the one before it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Movement {
    /// There is only one run.
    Alone,
    /// What is seen is explained by the intervals, the noise floors, or is smaller than 5 %.
    Held,
    /// It is not explained: measure again. New ratio over old one, and the interval that both intervals leave; noise floors come
    /// on top of it.
    Moved(Interval),
}

/// The series of some runs, oldest first by the time at which they began; runs on another machine or to another base are
/// other series.
pub fn series(logs: &[&PerfLog]) -> Vec<Series> {
    let mut logs = logs.to_vec();
    logs.sort_by_key(|log| log.started);
    in_order(&logs)
}

/// The series of some runs in this order, whenever they were made.
pub fn in_order(logs: &[&PerfLog]) -> Vec<Series> {
    let mut found: BTreeMap<[String; 4], Series> = BTreeMap::new();
    for log in logs {
        let machine = format!("{} {}", log.environment.processor, log.environment.threads);
        for comparison in comparisons(log) {
            let (workload, backend) = (comparison.workload.name(), comparison.lane.backend.clone());
            let base = log.settings.base.clone();
            let key = [workload.clone(), backend.clone(), base.clone(), machine.clone()];
            let new = || Series {
                workload,
                backend,
                base,
                effects: Vec::new(),
                noise: Vec::new(),
                changes: Vec::new(),
            };
            found.entry(key).or_insert_with(new).add(&comparison);
        }
    }
    let mut series: Vec<Series> = found.into_values().collect();
    series.iter_mut().for_each(|one| {
        one.changes = steps(&one.effects.iter().map(|e| e.at).collect::<Vec<_>>());
    });
    series
}

impl Series {
    fn add(&mut self, comparison: &Comparison<'_>) {
        self.effects.push(comparison.effect);
        // Without a second lane nobody knows the noise; infinite, it explains everything.
        self.noise.push(comparison.noise.unwrap_or(f64::INFINITY));
    }

    /// The last run beside the one before it.
    pub fn movement(&self) -> Movement {
        let ([.., before, after], [.., n0, n1]) = (self.effects.as_slice(), self.noise.as_slice())
        else {
            return Movement::Alone;
        };
        let moved = after.at - before.at;
        // Independent intervals add up in squares, noise floors in the worst case.
        let half = before.half_width().hypot(after.half_width());
        if moved.abs() > (half + n0 + n1).max(LEAST.ln_1p()) {
            let effect = Interval { at: moved, low: moved - half, high: moved + half };
            Movement::Moved(effect.map(f64::exp))
        } else {
            Movement::Held
        }
    }
}

/// Where the level of a series changes.
pub fn steps(values: &[f64]) -> Vec<Step> {
    if values.len() < SHORTEST {
        return Vec::new();
    }
    let starts = pieces(values);
    let ends = starts.iter().skip(1).copied().chain([values.len()]);
    let pieces: Vec<&[f64]> =
        starts.iter().zip(ends).map(|(&from, to)| &values[from..to]).collect();
    let least = LEAST.ln_1p().max(CLEAR * scatter(values));
    let step = |(pair, &run): (&[&[f64]], &usize)| {
        let (old, new) = (median(pair[0])?, median(pair[1])?);
        let holds = held(pair[0], old, new) && held(pair[1], new, old) && (new - old).abs() > least;
        holds.then(|| Step { run, factor: (new - old).exp() })
    };
    pieces.windows(2).zip(starts.iter().skip(1)).filter_map(step).collect()
}

/// Whether some consecutive runs of a piece are all nearer to its level than to the neighbour's: the median of three runs of
/// which two are odd is no level.
fn held(piece: &[f64], own: f64, other: f64) -> bool {
    piece.windows(HOLD).any(|runs| runs.iter().all(|v| (v - own).abs() < (v - other).abs()))
}

/// The standard deviation of a run, from neighbours: a change of level is in one difference of them only, and odd runs in a
/// few, so that the median does not see them. That of |a - b| is 0.6745 sqrt(2) standard deviations.
fn scatter(values: &[f64]) -> f64 {
    let apart: Vec<f64> = values.windows(2).map(|pair| (pair[1] - pair[0]).abs()).collect();
    median(&apart).unwrap_or(0.0) / (0.6745 * std::f64::consts::SQRT_2)
}

/// The first positions of the pieces of the best line, by dynamic programming over the last piece.
fn pieces(values: &[f64]) -> Vec<usize> {
    let n = values.len();
    let cost = |from: usize, to: usize| -> f64 {
        let level = median(&values[from..to]).unwrap_or(0.0);
        values[from..to].iter().map(|v| (v - level).abs()).sum()
    };
    let most = (n / HOLD).min(6);
    // best[k][to]: the cost of the first `to` values in k + 1 pieces, and where the last of them begins.
    let mut best = vec![vec![(f64::INFINITY, 0); n + 1]; most];
    for (to, one) in best[0].iter_mut().enumerate().skip(HOLD) {
        *one = (cost(0, to), 0);
    }
    for k in 1..most {
        for to in (k + 1) * HOLD..=n {
            let candidates =
                (k * HOLD..=to - HOLD).map(|from| (best[k - 1][from].0 + cost(from, to), from));
            best[k][to] = candidates.fold((f64::INFINITY, 0), |a, b| if b.0 < a.0 { b } else { a });
        }
    }
    // Schwarz's criterion for deviations of Laplace: two parameters more for each piece. A series without any deviation
    // has none that a piece could remove; a millionth keeps the logarithm finite.
    let score = |k: usize| {
        let deviation = (best[k][n].0 / n as f64).max(1e-6);
        n as f64 * deviation.ln() + (k + 1) as f64 * 2.0 * (n as f64).ln()
    };
    let chosen = (0..most).fold(0, |a, k| if score(k) < score(a) { k } else { a });
    let mut starts = Vec::new();
    let mut to = n;
    for k in (0..=chosen).rev() {
        to = best[k][to].1;
        starts.push(to);
    }
    starts.reverse();
    starts
}

#[cfg(test)]
mod tests {
    use rand_core::Rng;
    use rand_pcg::Pcg64;

    use super::*;

    /// Values of a standard deviation of 2 %, one in twenty of them thrown by up to 30 %.
    fn noisy(seed: u64, n: usize) -> Vec<f64> {
        let mut rng = Pcg64::new(u128::from(seed), 5);
        let mut unit = move || rng.next_u64() as f64 / u64::MAX as f64;
        let mut value = || {
            let thrown = if unit() < 0.05 { 0.3 * unit() } else { 0.0 };
            0.02 * ((0..12).map(|_| unit()).sum::<f64>() - 6.0) + thrown
        };
        (0..n).map(|_| value()).collect()
    }

    #[test]
    fn a_series_in_which_nothing_happens_never_alerts() {
        for seed in 0..300 {
            for n in [8, 12, 30] {
                let found = steps(&noisy(seed, n));
                assert!(found.is_empty(), "seed {seed}, {n} runs: {found:?}");
            }
        }
        assert!(steps(&[0.0; 12]).is_empty());
    }

    #[test]
    fn a_step_is_found_where_it_is_in_both_directions() {
        let found = (0..100).filter(|&seed| {
            let mut values = noisy(seed, 20);
            let sign = if seed % 2 == 0 { 1.0 } else { -1.0 };
            values[12..].iter_mut().for_each(|v| *v += sign * 0.2);
            let found = steps(&values);
            found.len() == 1
                && found[0].run.abs_diff(12) <= 1
                && (found[0].factor.ln() * sign - 0.2).abs() < 0.06
        });
        // A thrown run beside the step moves it further than that now and then.
        let found = found.count();
        assert!(found >= 90, "{found} of 100");
    }

    #[test]
    fn two_odd_runs_are_no_change_and_two_runs_are_no_series() {
        let mut values = vec![0.0, 0.01, -0.01, 0.0, 0.9, 0.8, 0.01, -0.01, 0.0, 0.01];
        assert!(steps(&values).is_empty());
        values.truncate(2);
        values[1] = 3.0;
        assert!(steps(&values).is_empty());
    }

    #[test]
    fn two_runs_have_moved_only_beyond_what_explains_it() {
        let series = |apart: f64, noise: f64| Series {
            workload: String::new(),
            backend: String::new(),
            base: String::new(),
            effects: [0.0, apart]
                .map(|at| Interval { at, low: at - 0.01, high: at + 0.01 })
                .to_vec(),
            noise: vec![noise; 2],
            changes: Vec::new(),
        };
        assert_eq!(series(0.04, 0.0).movement(), Movement::Held);
        assert_eq!(series(0.2, 0.1).movement(), Movement::Held);
        let Movement::Moved(ratio) = series(0.2, 0.01).movement() else { panic!("it has moved") };
        let half = 0.01 * std::f64::consts::SQRT_2;
        for (end, expected) in [(ratio.at, 0.2), (ratio.low, 0.2 - half), (ratio.high, 0.2 + half)]
        {
            // Differences of numbers below 1, and an exponential: a few roundings.
            assert!((end.ln() - expected).abs() < 1e-14, "{ratio:?}");
        }
    }
}
