//! How answers of `spatial_autocorr` are judged.
//!
//! Rows are joined by feature: the order of ties is not part of the contract, that each answer is
//! sorted by its own statistic is. The statistic and its variance have derived bounds; p-values get the
//! interval that those bounds leave; corrected p-values are recomputed from the answer's own column,
//! which separates a wrong correction from a wrong p-value.

pub(crate) mod allowance;

use dispatch::{Call, Dtype, Fault, Frame, Value};
use reference::spatial_autocorr::{Mode, Statistics, Task};
use reference::stats::upper_tail;

use self::allowance::{FeatureBounds, GraphBounds};
use super::frames::{at, join, numbers};
use crate::compare::{Allowance, Checks};
use crate::contract::{Answers, Contract};

/// The contract.
pub(super) const CONTRACT: Contract = Contract {
    function: "spatial_autocorr",
    semantic: &[
        "connectivity_key",
        "genes",
        "mode",
        "transformation",
        "n_perms",
        "two_tailed",
        "corr_method",
        "attr",
        "layer",
        "seed",
        "use_raw",
    ],
    rests_on: &[
        ("pval_norm: value", &["I: value", "C: value", "var_norm: value"]),
        ("var_sim: value", &["I: value", "C: value"]),
        ("pval_sim: value", &["I: value", "C: value"]),
        ("pval_z_sim: value", &["I: value", "C: value", "var_sim: value"]),
    ],
    judge,
    host_undefined,
};

fn judge(call: &Call, answers: &Answers<'_>, checks: &mut Checks) -> Result<(), Fault> {
    let task = Task::read(&call.data, &call.params)?;
    let slot = if task.copy { "result" } else { task.mode.slot() };
    let frame = |reply: &'_ dispatch::Reply| match reply.data.get(slot) {
        Some(Value::Frame(frame)) => Some(frame.clone()),
        _ => None,
    };
    let (Some(expected), Some(actual)) = (frame(answers.expected), frame(answers.actual)) else {
        let kind =
            |reply: &dispatch::Reply| reply.data.get(slot).map_or("nothing", Value::type_name);
        checks.equal("answer: form", slot, kind(answers.expected), kind(answers.actual));
        return Ok(());
    };
    if !checks.texts("columns: form", slot, &expected.column_names(), &actual.column_names()) {
        return Ok(());
    }
    checks.equal(
        "column dtypes: form",
        slot,
        "floats",
        if all_float(&actual) { "floats" } else { "other dtypes" },
    );
    let features = task.features.labels.labels();
    let (e_labels, a_labels) = (expected.index.labels(), actual.index.labels());
    let (Some(e_rows), Some(a_rows)) = (join(&features, &e_labels), join(&features, &a_labels))
    else {
        checks.equal("rows: form", slot, &sorted(&e_labels), &sorted(&a_labels));
        return Ok(());
    };
    let mut judge = Judge {
        task: &task,
        answers,
        checks,
        slot,
        features,
        e_rows,
        a_rows,
        expected: &expected,
        actual: &actual,
    };
    judge.all_columns();
    Ok(())
}

struct Judge<'a> {
    task: &'a Task<'a>,
    answers: &'a Answers<'a>,
    checks: &'a mut Checks,
    slot: &'a str,
    features: Vec<String>,
    e_rows: Vec<usize>,
    a_rows: Vec<usize>,
    expected: &'a Frame,
    actual: &'a Frame,
}

/// The value allowed for each feature.
type Allowed = Vec<Allowance>;

impl Judge<'_> {
    fn all_columns(&mut self) {
        let (task, peers) = (self.task, [self.answers.host, self.answers.backend]);
        let graph = GraphBounds::new(task, peers);
        let sparse = matches!(task.features.columns, reference::matrix::Columns::Sparse(..));
        let (mut x, mut z) = (vec![0.0; task.n()], vec![0.0; task.n()]);
        let bounds: Vec<FeatureBounds> = (0..self.features.len())
            .map(|k| {
                task.features.columns.fill(k, &mut x);
                FeatureBounds::new(task, &graph, peers, sparse, &x, &mut z)
            })
            .collect();
        let score = task.mode.column();
        let (e_score, a_score) = (self.column(score, true), self.column(score, false));
        // S0 = 0 leaves nothing to divide by; NaN is the value then, exactly.
        let nothing = task.moments.s0 == 0.0;
        let within = |bound: f64| {
            if bound.is_finite() { Allowance::Within(bound) } else { Allowance::Undefined }
        };
        let allowed = bounds
            .iter()
            .map(|b| if b.undefined || nothing { Allowance::Exact } else { within(b.score) });
        self.values(score, allowed.collect());
        self.order(score, &a_score);

        let (variance, slack) = (task.mode.variance(&task.moments), graph.variance);
        // A NaN variance (no weights) must be NaN; a bound above the variance itself leaves no digit of it.
        let room = if nothing { Allowance::Exact } else { within(slack) };
        self.values("var_norm", vec![room; self.features.len()]);
        let expected_value = task.mode.expected(task.n());
        let tails = if task.two_tailed { 2.0 } else { 1.0 };
        let (own, unit) = (self.column("pval_norm", false), self.answers.backend.unit());
        let p_norm = (0..self.features.len())
            .map(|k| {
                let excess = e_score[k] - expected_value;
                tail(excess, bounds[k].score, variance, slack, tails, own[k], unit)
            })
            .map(|a| if nothing { Allowance::Exact } else { a });
        let p_norm = self.host_leaves_undefined(&e_score, p_norm.collect());
        self.values("pval_norm", p_norm);
        if task.n_perms.is_some() {
            self.permutations(&e_score, &bounds);
        }
        self.corrections(&e_score);
    }

    /// A column in the order of the features.
    fn column(&self, name: &str, expected: bool) -> Vec<f64> {
        let (frame, rows) =
            if expected { (self.expected, &self.e_rows) } else { (self.actual, &self.a_rows) };
        numbers(frame, name)
            .map(|values| at(&values, rows))
            .unwrap_or_else(|| vec![f64::NAN; rows.len()])
    }

    fn values(&mut self, column: &str, allowed: Allowed) {
        let (e, a) = (self.column(column, true), self.column(column, false));
        let (slot, features) = (format!("{}[{column}]", self.slot), &self.features);
        self.checks.numbers(
            &format!("{column}: value"),
            &slot,
            &e,
            &a,
            |k| features[k].clone(),
            |k| allowed[k],
        );
    }

    /// The answer is sorted by its own statistic: I falling, C rising, NaN last.
    fn order(&mut self, column: &str, _: &[f64]) {
        let Some(values) = numbers(self.actual, column) else { return };
        let falls = self.task.mode == Mode::Moran;
        let ordered = |pair: &[f64]| match (pair[0].is_nan(), pair[1].is_nan()) {
            (_, true) => true,
            (true, false) => false,
            (false, false) if falls => pair[0] >= pair[1],
            (false, false) => pair[0] <= pair[1],
        };
        let wrong = values.windows(2).position(|pair| !ordered(pair));
        let order = if falls { "falling, NaN last" } else { "rising, NaN last" };
        let slot = format!("{}[{column}]", self.slot);
        self.checks.holds("rows: order", &slot, wrong.is_none(), order, || {
            wrong.map_or_else(String::new, |i| {
                format!("{} before {} in row {i}", values[i], values[i + 1])
            })
        });
    }

    /// squidpy leaves p-values of features without a statistic uninitialised; they are not compared then.
    fn host_leaves_undefined(&self, score: &[f64], mut allowed: Allowed) -> Allowed {
        if self.answers.host.squidpy_defects {
            let undefined = allowed.iter_mut().zip(score).filter(|(_, s)| s.is_nan());
            undefined.for_each(|(a, _)| *a = Allowance::Undefined);
        }
        allowed
    }

    fn permutations(&mut self, e_score: &[f64], bounds: &[FeatureBounds]) {
        if !self.answers.same_stream {
            self.checks
                .skip("permutations were not compared, because the two sides draw different ones");
            return;
        }
        let columns = ["var_sim", "pval_sim", "pval_z_sim"];
        let same = |column: &&str| {
            let (e, a) = (self.column(column, true), self.column(column, false));
            e.iter().zip(&a).all(|(e, a)| e.to_bits() == a.to_bits())
        };
        // Equal to the bit, as two users of the same integers are: no bound need be derived.
        if columns.iter().all(same) {
            for column in columns {
                let allowed = self
                    .host_leaves_undefined(e_score, vec![Allowance::Exact; self.features.len()]);
                self.values(column, allowed);
            }
            return;
        }
        let statistics = self.task.statistics();
        let Some(permuted) = &statistics.permuted else { return };
        let var_sim = self.column("var_sim", true);
        let (n_perms, unit) = (self.task.n_perms.unwrap_or(0) as f64, self.answers.backend.unit());
        // What one permuted statistic may be off by: the bounds of both sides, and the rounding of the reference's
        // permuted vectors to integers.
        let off = |k: usize| bounds[k].permuted + bounds[k].score + permuted.resolution[k];
        // A population variance whose terms are each wrong by d (and the observed score with them): |dV| <= 4 d sd + 4 d^2,
        // plus the roundings of the sum itself.
        let moved = |k: usize| {
            let (d, roundings) = (off(k), (2.0 * n_perms + 16.0) * unit);
            4.0 * d * var_sim[k].sqrt() + 4.0 * d * d + roundings * (var_sim[k] + d * d)
        };
        let within = |bound: f64| {
            if bound.is_finite() { Allowance::Within(bound) } else { Allowance::Undefined }
        };
        let undefined = |k: usize| bounds[k].undefined || self.task.moments.s0 == 0.0;
        let features = 0..self.features.len();
        let allowed = features
            .clone()
            .map(|k| if undefined(k) { Allowance::Exact } else { within(moved(k)) })
            .collect();
        let allowed = self.host_leaves_undefined(e_score, allowed);
        self.values("var_sim", allowed);
        let ranks = self.ranks(&statistics, bounds);
        let ranks = self.host_leaves_undefined(e_score, ranks);
        self.values("pval_sim", ranks);
        let own = self.column("pval_z_sim", false);
        let allowed = features.map(|k| {
            if undefined(k) {
                return Allowance::Exact;
            }
            let excess = e_score[k] - permuted.sims[k].iter().sum::<f64>() / n_perms;
            tail(excess, off(k), var_sim[k], moved(k), 1.0, own[k], unit)
        });
        let allowed = self.host_leaves_undefined(e_score, allowed.collect());
        self.values("pval_z_sim", allowed);
    }

    /// The rank p-values that remain possible if each comparison may err by the bounds of both sides.
    fn ranks(&self, statistics: &Statistics, bounds: &[FeatureBounds]) -> Allowed {
        let Some(permuted) = &statistics.permuted else { return Vec::new() };
        let n_perms = self.task.n_perms.unwrap_or(0);
        // A permutation that moves nothing is a tie for whoever adds both statistics up alike. squidpy's threads do not.
        let tied = match self.answers.host.numpy_stream || self.answers.backend.numpy_stream {
            true => vec![false; n_perms],
            false => self.task.unmoved(),
        };
        // A quotient of two small integers is the same everywhere in one arithmetic, and rounded once in another.
        let unit = self.answers.backend.unit();
        let quotient = if unit == crate::U64 { 0.0 } else { unit };
        let p = |count: usize| (count.min(n_perms - count) + 1) as f64 / (n_perms + 1) as f64;
        (0..self.features.len())
            .map(|k| {
                let score = statistics.score[k];
                if score.is_nan() {
                    return Allowance::Exact;
                }
                let slack = permuted.resolution[k] + bounds[k].permuted + bounds[k].score;
                if slack.is_infinite() {
                    return Allowance::Undefined;
                }
                let above = |limit: f64| {
                    let sims = permuted.sims[k].iter().zip(&tied);
                    sims.filter(|(sim, tied)| **tied || **sim >= limit).count()
                };
                let (few, many) = (above(score + slack), above(score - slack));
                let possible: Vec<f64> = (few..=many).map(p).collect();
                let low = possible.iter().copied().fold(f64::INFINITY, f64::min);
                let high = possible.iter().copied().fold(0.0, f64::max);
                Allowance::Between(low - quotient * low, high + quotient * high)
            })
            .collect()
    }

    /// Corrected columns, recomputed from the answer's own p-values.
    fn corrections(&mut self, e_score: &[f64]) {
        let Some((correction, label)) = &self.task.correction else { return };
        let m = self.features.len() as f64;
        for raw in ["pval_norm", "pval_z_sim", "pval_sim"] {
            let column = format!("{raw}_{label}");
            if self.actual.column(&column).is_none() {
                continue;
            }
            let p = self.column(raw, false);
            // One NaN poisons the whole column there: NaN statistics leave p-values uninitialised, and 0/0 is NaN too.
            let forgiven = self.answers.backend.squidpy_defects;
            if forgiven && e_score.iter().chain(&p).any(|x| x.is_nan()) {
                self.checks
                    .skip(format!("{column}: squidpy corrects uninitialised p-values along"));
                continue;
            }
            let own = correction.adjust(&p);
            let (actual, slot) = (self.column(&column, false), format!("{}[{column}]", self.slot));
            let features = &self.features;
            // A corrected p-value is at most 1 and takes at most m sums, products or quotients of numbers at most 1.
            let room = Allowance::Within((m + 16.0) * 2.0 * self.answers.backend.unit());
            self.checks.numbers(
                &format!("{column}: value from its own p-values"),
                &slot,
                &own,
                &actual,
                |k| features[k].clone(),
                |_| room,
            );
        }
    }
}

/// The p-values left possible by an excess and a variance that are each known within a bound; `own` is the one to judge,
/// computed with unit roundoff `unit`.
pub(crate) fn tail(
    excess: f64,
    slack: f64,
    variance: f64,
    variance_slack: f64,
    tails: f64,
    own: f64,
    unit: f64,
) -> Allowance {
    if excess.is_nan() {
        return Allowance::Exact;
    }
    if !(variance - variance_slack > 0.0) || !slack.is_finite() {
        // The variance may be zero: z may be anything.
        return Allowance::Undefined;
    }
    let (sd_low, sd_high) =
        ((variance - variance_slack).sqrt(), (variance + variance_slack).sqrt());
    let z_low = (excess.abs() - slack).max(0.0) / sd_high;
    let z_high = (excess.abs() + slack) / sd_low;
    // A side that takes 1 - cdf, as squidpy does, rounds twice in units of 2^-53; its answer is a whole number of them.
    // One that is not was computed as a tail, and has no excuse for an absolute error.
    let is_complement = (own / tails / crate::U64).fract() == 0.0;
    let grain = if is_complement { 4.0 * unit } else { 0.0 };
    // The tail itself is computed to a few units of its own last place, and z is rounded: d ln p = -z dz.
    let relative = 16.0 * unit * (1.0 + z_high * z_high);
    Allowance::Between(
        tails * (upper_tail(z_high) * (1.0 - relative) - grain),
        tails * (upper_tail(z_low) * (1.0 + relative) + grain),
    )
}

fn all_float(frame: &Frame) -> bool {
    frame.columns.iter().all(|c| matches!(c, Value::Dense(d) if d.dtype().is_float()))
}

fn sorted(labels: &[String]) -> String {
    let mut labels = labels.to_vec();
    labels.sort();
    crate::compare::shorten(&labels.join(", "), 100)
}

/// Inputs on which squidpy 1.8.3's own answer means nothing.
fn host_undefined(call: &Call) -> Option<String> {
    let task = Task::read(&call.data, &call.params).ok()?;
    let key =
        call.param("connectivity_key").and_then(Value::as_text).unwrap_or("spatial_connectivities");
    let graph = call.data.get(&format!("obsp/{key}"))?;
    if matches!(graph, Value::Sparse(sparse) if sparse.format == dispatch::Format::Csc) {
        return Some("a CSC graph: squidpy fails inside scanpy with an AttributeError".to_owned());
    }
    let dtype = task.raw_graph.dtype;
    if dtype == Dtype::Bool {
        return Some("a bool graph: squidpy adds w and its transpose as a logical OR".to_owned());
    }
    if !dtype.is_float() && task.transformation {
        return Some(format!(
            "a graph of {}: squidpy drops the row normalisation without a word",
            dtype.name()
        ));
    }
    if task.moments.s0 == 0.0 {
        return Some(
            "a graph without weight: squidpy divides by zero inside numba (SystemError)".to_owned(),
        );
    }
    if task.mode == Mode::Geary
        && matches!(task.features.columns, reference::matrix::Columns::Sparse(..))
    {
        return cancelled_feature(&task);
    }
    None
}

/// squidpy's denominator on sparse values, sum x^2 - 2 m sum x + n m^2, may come out as 0 and stop the whole call.
fn cancelled_feature(task: &Task<'_>) -> Option<String> {
    let mut x = vec![0.0; task.n()];
    let n = task.n() as f64;
    (0..task.features.len()).find_map(|k| {
        task.features.columns.fill(k, &mut x);
        let (mean, squares) = (x.iter().sum::<f64>() / n, x.iter().map(|v| v * v).sum::<f64>());
        let d: f64 = x.iter().map(|v| (v - mean).powi(2)).sum();
        let lost = 4.0 * n * crate::U64 * (squares + 3.0 * n * mean * mean);
        (d > 0.0 && d < lost).then(|| {
            let name = task.features.labels.labels().get(k).cloned().unwrap_or_default();
            format!("the mean of sparse `{name}` is so large that squidpy's Geary loses every digit of its denominator")
        })
    })
}
