//! What is known about the permuted statistics of a `spatial_autocorr` call, and what is asked of its random columns.
//!
//! Mean and variance over all permutations come in closed form from the reference
//! ([`Task::null_moments`], spec A.1.5), the shape and the odds of a rank from all n! permutations for n <= 8, else from
//! permutations of our own. `pval_sim` gives back the folded count, `var_sim` stands for itself, and
//! `pval_z_sim` with the score and `var_sim` gives the mean of the permutations up to a sign.

use dispatch::{Call, Dtype, Fault, Frame, Reply, Value};
use generators::Random;
use reference::spatial_autocorr::{Mode, Rng, Task, centred};

use super::batch::Batch;
use super::distributions::{Counts, normal_quantile};
use super::enumerate::permutations;
use super::hypothesis::{Odds, Shape, Test, independent_p, uniform_p};
use super::study::{Knowledge, Ties};
use crate::{U32, U64};

pub(super) const GRID: &str = "p grid";
pub(super) const VARIANCE: &str = "null variance of var_sim";
pub(super) const MEAN: &str = "null mean of the permutations";
pub(super) const RANK: &str = "rank p-value distribution";
pub(super) const SEEDS: &str = "rank p-values over seeds";
pub(super) const SERIAL: &str = "seeds are independent";

/// Scores this near the observed one, in units of score and deviation, may be ties that rounding decides. Float32
/// arithmetic on 10^3 terms stays far inside, and continuous values almost never come so near.
const TIE: f64 = 1e-5;
/// Entries drawn for a sample of our own, and the most permutations that are worth it.
const SAMPLE: (usize, usize) = (1 << 23, 100_000);

/// What is known about each feature, in the order of the task.
#[derive(Debug)]
pub(super) struct Truth {
    features: Vec<Feature>,
}

#[derive(Debug)]
struct Feature {
    label: String,
    score: f64,
    mean: f64,
    variance: f64,
    shape: Shape,
    /// Of a permuted statistic to reach the observed one.
    odds: Odds,
}

impl Truth {
    pub(super) fn of(call: &Call, knowledge: Knowledge, ties: Ties) -> Result<Truth, Fault> {
        let mut task = Task::read(&call.data, &call.params)?;
        let moments = task.null_moments();
        let sims = match knowledge {
            Knowledge::Enumerated => {
                task.n_perms = None;
                enumerated(&task)
            }
            Knowledge::Sampled => sampled(&mut task),
        };
        let labels = task.features.labels.labels();
        let scores = task.statistics().score;
        let features = labels.into_iter().zip(sims).enumerate();
        let feature = |(k, (label, sims)): (usize, (String, Vec<f64>))| {
            let (score, moments) = (scores[k], moments[k]);
            let tie = TIE * (score.abs() + moments.variance.sqrt());
            let count = |limit: f64| sims.iter().filter(|s| **s >= limit).count();
            let (of, high) = (sims.len(), count(score - tie));
            let low = if ties == Ties::Certain { high } else { count(score + tie) };
            Feature {
                label,
                score,
                mean: moments.mean,
                variance: moments.variance,
                shape: Shape::of(&sims, moments.mean, moments.variance.sqrt()),
                odds: match knowledge {
                    Knowledge::Enumerated => {
                        Odds::Known { low: low as f64 / of as f64, high: high as f64 / of as f64 }
                    }
                    Knowledge::Sampled => {
                        Odds::Sampled { low: low as u64, high: high as u64, of: of as u64 }
                    }
                },
            }
        };
        Ok(Truth { features: features.map(feature).collect() })
    }

    /// The tests that a batch of answers allows.
    pub(super) fn tests(&self, batch: Batch, replies: &[Reply], random: &mut Random) -> Vec<Test> {
        let answers: Vec<Option<Answer>> = replies.iter().map(|r| Answer::read(r, self)).collect();
        let Some(answers) = answers.into_iter().collect::<Option<Vec<_>>>() else {
            return vec![Test {
                check: GRID,
                slot: "result",
                at: String::new(),
                p: 0.0,
                expected: "a row for each feature, with pval_sim, pval_z_sim and var_sim"
                    .to_owned(),
                actual: "another table".to_owned(),
                transforms: Vec::new(),
            }];
        };
        (0..self.features.len())
            .flat_map(|k| {
                let rows: Vec<Row> = answers.iter().map(|a| a.rows[k]).collect();
                self.features[k].tests(batch, &rows, answers[0].unit, random)
            })
            .collect()
    }
}

/// The permuted statistics of each feature under all permutations.
fn enumerated(task: &Task<'_>) -> Vec<Vec<f64>> {
    let n = task.n();
    let (mut x, mut z, mut y) = (vec![0.0; n], vec![0.0; n], vec![0.0; n]);
    let rows = &task.moments.rows;
    (0..task.features.len())
        .map(|k| {
            task.features.columns.fill(k, &mut x);
            let Some(d) = centred(&x, &mut z) else { return vec![f64::NAN] };
            task.graph.lag(&z, &mut y);
            let factor = task.mode.factor(n, task.moments.s0, d);
            let fixed: f64 = (0..n).map(|j| task.moments.columns[j] * z[j] * z[j]).sum();
            let mut sims = Vec::new();
            permutations(n, |p| {
                let cross: f64 = (0..n).map(|i| z[i] * y[p[i]]).sum();
                let numerator = match task.mode {
                    Mode::Moran => cross,
                    Mode::Geary => {
                        (0..n).map(|i| z[i] * z[i] * rows[p[i]]).sum::<f64>() + fixed - 2.0 * cross
                    }
                };
                sims.push(factor * numerator);
            });
            sims
        })
        .collect()
}

/// The permuted statistics of each feature under permutations of our own: NumPy's generator with a seed that no call passes.
fn sampled(task: &mut Task<'_>) -> Vec<Vec<f64>> {
    let (entries, most) = SAMPLE;
    let given = (task.n_perms, task.seed, task.rng);
    task.n_perms = Some((entries / task.n().max(1)).min(most));
    task.seed = OWN_SEED;
    task.rng = Rng::Numpy { n_jobs: 1 };
    let sims = task.statistics().permuted.map(|p| p.sims).unwrap_or_default();
    (task.n_perms, task.seed, task.rng) = given;
    sims
}

/// Above 2^32, while calls pass seeds below 2^31.
const OWN_SEED: u64 = 0x5eed_0f0f_1234_5678;

/// The random columns of one feature in one answer.
#[derive(Clone, Copy, Debug)]
struct Row {
    rank: f64,
    tail: f64,
    variance: f64,
}

struct Answer {
    /// In the order of the task.
    rows: Vec<Row>,
    /// Unit roundoff of `pval_sim`.
    unit: f64,
}

impl Answer {
    fn read(reply: &Reply, truth: &Truth) -> Option<Answer> {
        let frame = reply.data.frame("result")?;
        let labels = frame.index.labels();
        let (rank, unit) = column(frame, "pval_sim")?;
        let (tail, _) = column(frame, "pval_z_sim")?;
        let (variance, _) = column(frame, "var_sim")?;
        let row = |feature: &Feature| {
            let i = labels.iter().position(|label| *label == feature.label)?;
            Some(Row { rank: rank[i], tail: tail[i], variance: variance[i] })
        };
        Some(Answer { rows: truth.features.iter().map(row).collect::<Option<_>>()?, unit })
    }
}

/// Numbers and their unit roundoff.
fn column(frame: &Frame, name: &str) -> Option<(Vec<f64>, f64)> {
    match frame.column(name)? {
        Value::Dense(dense) if dense.dtype().is_float() => {
            let unit = if dense.dtype() == Dtype::F64 { U64 } else { U32 };
            Some((dense.to_f64(), unit))
        }
        _ => None,
    }
}

impl Feature {
    fn tests(&self, batch: Batch, rows: &[Row], unit: f64, random: &mut Random) -> Vec<Test> {
        let mut tests = Vec::new();
        let folded: Vec<Option<u64>> =
            rows.iter().map(|row| folded(row.rank, batch.n_perms, unit)).collect();
        let off = folded.iter().position(Option::is_none);
        tests.push(self.test(
            GRID,
            "pval_sim",
            if off.is_some() { 0.0 } else { 1.0 },
            || format!("(L + 1)/{} with L from 0 to {}", batch.n_perms + 1, batch.n_perms / 2),
            || off.map(|i| crate::compare::number(rows[i].rank)).unwrap_or_default(),
        ));
        tests.push(self.variance(batch, rows));
        // The mean of two permutations says nothing that their variance does not drown.
        if batch.n_perms > 2 {
            tests.extend(self.mean(batch, rows));
        }
        if let Some(counts) = folded.into_iter().collect::<Option<Vec<u64>>>() {
            tests.extend(self.ranks(batch, &counts, random));
        }
        tests
    }

    fn test(
        &self,
        check: &'static str,
        slot: &'static str,
        p: f64,
        expected: impl FnOnce() -> String,
        actual: impl FnOnce() -> String,
    ) -> Test {
        let (at, transforms) = (self.label.clone(), Vec::new());
        Test { check, slot, at, p, expected: expected(), actual: actual(), transforms }
    }

    fn variance(&self, Batch { n_perms, runs }: Batch, rows: &[Row]) -> Test {
        let average = rows.iter().map(|row| row.variance).sum::<f64>() / rows.len() as f64;
        let shrunk = self.variance * (n_perms as f64 - 1.0) / n_perms as f64;
        // Every permutation gives the same statistic: the lag is 0 everywhere, in any arithmetic.
        let p = match self.variance == 0.0 {
            true => f64::from(u8::from(average == 0.0)),
            false => self.shape.variance_p(average / self.variance, n_perms, runs),
        };
        let expected = || format!("{} on average, from all permutations", short(shrunk));
        let actual = || format!("{} ({n_perms} permutations, {runs} runs)", short(average));
        self.test(VARIANCE, "var_sim", p, expected, actual)
    }

    /// `None` where no tail tells how far the mean is: an underflow to 0, no variance, or several runs whose tails do not say
    /// on which side of its mean the statistic is. Of one run the nearer side is believed, which favours the backend; on
    /// average over runs it would be a bias.
    fn mean(&self, Batch { n_perms, runs }: Batch, rows: &[Row]) -> Option<Test> {
        let clear = 6.0 * (self.variance / n_perms as f64).sqrt();
        if self.variance == 0.0 || (runs > 1 && (self.score - self.mean).abs() < clear) {
            return None;
        }
        let mut sum = 0.0;
        for row in rows {
            if row.tail == 0.0 || row.variance == 0.0 {
                return None;
            }
            let excess = normal_quantile(row.tail) * row.variance.sqrt();
            // The tail hides on which side of the mean the score is; the nearer one is believed.
            let [below, above] = [self.score - excess, self.score + excess];
            let off = |mean: f64| (mean - self.mean).abs();
            sum += if off(below) <= off(above) { below } else { above };
        }
        let (mean, draws) = (sum / runs as f64, (n_perms * runs) as f64);
        let t = (mean - self.mean) / (self.variance / draws).sqrt();
        // NaN where a tail is none (negative, above 1): off whatever is expected.
        let p = if t.is_nan() { 0.0 } else { self.shape.mean_p(t, draws) };
        let expected = || format!("a mean of {} over all permutations", short(self.mean));
        Some(self.test(MEAN, "pval_z_sim", p, expected, || short(mean)))
    }

    fn ranks(&self, batch: Batch, counts: &[u64], random: &mut Random) -> Vec<Test> {
        let n = batch.n_perms as u64;
        if let [count] = counts {
            let p = self.odds.folded_p_value(*count, n);
            let actual = || format!("{count} or {} of {n} reach it", n - count);
            return vec![self.test(RANK, "pval_sim", p, || self.odds.text(), actual)];
        }
        let Some(odds) = self.odds.exact() else { return Vec::new() };
        let law = Counts::binomial(n, odds).folded(n);
        let uniform: Vec<f64> =
            counts.iter().map(|&count| law.transform(count, random.unit())).collect();
        let (runs, text) = (counts.len(), || self.odds.text());
        let range = || {
            format!(
                "{} to {}",
                counts.iter().min().unwrap_or(&0),
                counts.iter().max().unwrap_or(&0)
            )
        };
        let shown = || format!("{runs} runs of {n} permutations with L from {}", range());
        let serial = self.test(SERIAL, "pval_sim", independent_p(&uniform), text, shown);
        let seeds = self.test(SEEDS, "pval_sim", uniform_p(&uniform), text, shown);
        vec![serial, Test { transforms: uniform, ..seeds }]
    }
}

/// Some six digits.
fn short(x: f64) -> String {
    if x == 0.0 || (1e-3..1e6).contains(&x.abs()) { format!("{x:.6}") } else { format!("{x:.5e}") }
}

/// The folded count that a rank p-value stands for, if it is one.
fn folded(p: f64, n_perms: usize, unit: f64) -> Option<u64> {
    let count = p * (n_perms + 1) as f64 - 1.0;
    // A quotient rounded to the dtype of the column, multiplied back: two roundings of at most N + 1.
    let room = 2.0 * (unit + U64) * (n_perms + 1) as f64;
    let on_grid = (count - count.round()).abs() <= room && count.round() >= 0.0;
    (on_grid && count.round() <= (n_perms / 2) as f64).then_some(count.round() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folded_counts_are_read_back_or_refused() {
        assert_eq!(folded(1.0 / 20.0, 19, U64), Some(0));
        assert_eq!(folded(10.0 / 20.0, 19, U64), Some(9));
        assert_eq!(folded(11.0 / 20.0, 19, U64), None); // not folded
        assert_eq!(folded(5.0 / 19.0, 19, U64), None); // without + 1
        assert_eq!(folded(0.0, 19, U64), None);
        assert_eq!(folded(f64::NAN, 19, U64), None);
        assert_eq!(folded(f64::from(301.0_f32 / 1000.0), 999, U32), Some(300));
    }
}
