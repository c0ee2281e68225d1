//! The laws of Moran's I and Geary's C.
//!
//! Only columns that do not depend on permutations are compared, except in M15 (the grid of `pval_sim`) and
//! M17 (the variance of permuted statistics): which permutations a backend draws for a changed call is its
//! own affair.

mod answers;
mod cells;
mod graphs;
mod rayleigh;
mod values;

use dispatch::{Call, Fault, Frame, Sparse, Value};
use reference::matrix::Columns;
use reference::spatial_autocorr::Task;

use super::twist::{bare, text, with_data, with_params};
use super::{Answered, Law};
use crate::compare::{Allowance, Checks};
use crate::contracts::frames::{at, join, numbers};
use crate::contracts::spatial_autocorr::allowance::{FeatureBounds, GraphBounds};
use crate::contracts::spatial_autocorr::tail;
use crate::profile::U64;

const FUNCTION: &str = "spatial_autocorr";

/// All of them.
pub(super) const LAWS: &[Law] = &[
    cells::M1,
    values::M2,
    values::M3,
    graphs::M4,
    graphs::M5,
    graphs::M6,
    graphs::M7,
    graphs::M8,
    cells::M9,
    cells::M10,
    cells::M11,
    cells::M12,
    values::M13,
    answers::M14,
    answers::M15,
    values::M16,
    answers::M17,
    graphs::M18,
];

/// An answer, read, and what rounding may have done to it.
struct Table<'a> {
    task: Task<'a>,
    frame: &'a Frame,
    slot: &'a str,
    /// The row of each feature.
    rows: Vec<usize>,
    features: Vec<String>,
    /// Bounds for two answers to this call; one has half.
    bounds: Vec<FeatureBounds>,
    variance_slack: f64,
}

/// The table of an answer; `None`, with a failed check, if it is not there or has other rows or columns.
fn table<'a>(answered: &Answered<'a>, checks: &mut Checks) -> Result<Option<Table<'a>>, Fault> {
    let Answered { call, reply, profile } = *answered;
    let task = Task::read(&call.data, &call.params)?;
    let slot = if task.copy { "result" } else { task.mode.slot() };
    let features = task.features.labels.labels();
    let frame = match reply.data.get(slot) {
        Some(Value::Frame(frame)) => frame,
        other => {
            checks.equal("form", slot, "DataFrame", other.map_or("nothing", Value::type_name));
            return Ok(None);
        }
    };
    let columns = [task.mode.column(), "pval_norm", "var_norm"];
    let missing = columns.into_iter().find(|name| numbers(frame, name).is_none());
    let rows = join(&features, &frame.index.labels());
    let (Some(rows), None) = (rows, missing) else {
        let wanted = format!("{} rows, {}", features.len(), columns.join(", "));
        let found = format!("{} rows, {}", frame.index.len(), frame.column_names().join(", "));
        checks.equal("form", slot, &wanted, &found);
        return Ok(None);
    };
    let peers = [profile; 2];
    let graph = GraphBounds::new(&task, peers);
    let sparse = matches!(task.features.columns, Columns::Sparse(..));
    let (mut x, mut z) = (vec![0.0; task.n()], vec![0.0; task.n()]);
    let bounds = (0..features.len())
        .map(|k| {
            task.features.columns.fill(k, &mut x);
            FeatureBounds::new(&task, &graph, peers, sparse, &x, &mut z)
        })
        .collect();
    let variance_slack = graph.variance / 2.0;
    Ok(Some(Table { task, frame, slot, rows, features, bounds, variance_slack }))
}

impl Table<'_> {
    /// A column in the order of the features; NaN throughout if it is not there.
    fn column(&self, name: &str) -> Vec<f64> {
        let nothing = || vec![f64::NAN; self.rows.len()];
        numbers(self.frame, name).map_or_else(nothing, |values| at(&values, &self.rows))
    }

    fn scores(&self) -> Vec<f64> {
        self.column(self.task.mode.column())
    }

    /// What one answer may be off by.
    fn slack(&self, feature: usize) -> f64 {
        self.bounds[feature].score / 2.0
    }

    /// Whether the statistic is NaN by definition.
    fn is_undefined(&self, feature: usize) -> bool {
        self.bounds[feature].undefined || self.task.moments.s0 == 0.0
    }

    fn tails(&self) -> f64 {
        if self.task.two_tailed { 2.0 } else { 1.0 }
    }

    fn slot(&self, column: &str) -> String {
        format!("{}[{column}]", self.slot)
    }
}

fn within(slack: f64) -> Allowance {
    if slack.is_finite() { Allowance::Within(slack) } else { Allowance::Undefined }
}

/// Asks that the statistic of each feature of `after` is an expected number, give or take a slack besides that of
/// the answer itself.
fn scores_are(
    after: &Table<'_>,
    expected: &[f64],
    slack: impl Fn(usize) -> f64,
    checks: &mut Checks,
) {
    let column = after.task.mode.column();
    let allowed = |k: usize| match after.is_undefined(k) {
        true => Allowance::Exact,
        // The expected value is itself the result of a few operations.
        false => within(after.slack(k) + slack(k) + 8.0 * U64 * expected[k].abs()),
    };
    let at = |k: usize| after.features[k].clone();
    checks.numbers(column, &after.slot(column), expected, &after.scores(), at, allowed);
}

/// Asks that feature `from[k]` of `before` and `k` of `after` have the same statistic up to a factor.
fn scores_scale(
    before: &Table<'_>,
    after: &Table<'_>,
    from: &[usize],
    factor: f64,
    checks: &mut Checks,
) {
    let expected: Vec<f64> = at(&before.scores(), from).iter().map(|s| s * factor).collect();
    scores_are(after, &expected, |k| before.slack(from[k]) * factor.abs(), checks);
}

/// Asks that statistic, variance and p-value of feature `from[k]` of `before` and `k` of `after` are the same.
fn rows_agree(before: &Table<'_>, after: &Table<'_>, from: &[usize], checks: &mut Checks) {
    scores_scale(before, after, from, 1.0, checks);
    let nothing = after.task.moments.s0 == 0.0;
    let slack = before.variance_slack + after.variance_slack;
    let room = if nothing { Allowance::Exact } else { within(slack) };
    let feature = |k: usize| after.features[k].clone();
    let (e, a) = (at(&before.column("var_norm"), from), after.column("var_norm"));
    checks.numbers("var_norm", &after.slot("var_norm"), &e, &a, feature, |_| room);
    p_agree(before, after, from, checks);
}

/// Asks that `pval_norm` is the same, or doubled where only `after` is two-tailed.
fn p_agree(before: &Table<'_>, after: &Table<'_>, from: &[usize], checks: &mut Checks) {
    let task = &before.task;
    let (scores, expected_score) = (at(&before.scores(), from), task.mode.expected(task.n()));
    let variance = task.mode.variance(&task.moments);
    let variance_slack = before.variance_slack + after.variance_slack;
    let factor = after.tails() / before.tails();
    let e: Vec<f64> = at(&before.column("pval_norm"), from).iter().map(|p| p * factor).collect();
    let own = after.column("pval_norm");
    let allowed = |k: usize| {
        if after.is_undefined(k) {
            return Allowance::Exact;
        }
        let slack = before.slack(from[k]) + after.slack(k);
        let tails = after.tails();
        tail(scores[k] - expected_score, slack, variance, variance_slack, tails, own[k], crate::U64)
    };
    let feature = |k: usize| after.features[k].clone();
    let slot = after.slot("pval_norm");
    checks.numbers("pval_norm", &slot, &e, &own, feature, allowed);
}

/// Both tables, if both are what they should be.
fn both<'a>(
    before: &Answered<'a>,
    after: &Answered<'a>,
    checks: &mut Checks,
) -> Result<Option<(Table<'a>, Table<'a>)>, Fault> {
    let Some(first) = table(before, checks)? else { return Ok(None) };
    Ok(table(after, checks)?.map(|second| (first, second)))
}

/// Holds if all rows agree, feature by feature.
fn same_rows(
    before: &Answered<'_>,
    after: &Answered<'_>,
    checks: &mut Checks,
) -> Result<(), Fault> {
    if let Some((before, after)) = both(before, after, checks)? {
        let all: Vec<usize> = (0..before.features.len()).collect();
        if checks.equal(
            "features",
            after.slot,
            &before.features.len().to_string(),
            &after.features.len().to_string(),
        ) {
            rows_agree(&before, &after, &all, checks);
        }
    }
    Ok(())
}

fn task(call: &Call) -> Option<Task<'_>> {
    Task::read(&call.data, &call.params).ok()
}

/// The graph of a call and the path of its slot.
fn graph(call: &Call) -> Option<(String, &Sparse)> {
    let path = format!("obsp/{}", text(call, "connectivity_key", "spatial_connectivities"));
    match call.data.get(&path)? {
        Value::Sparse(sparse) => Some((path, sparse)),
        _ => None,
    }
}

/// The values of each feature.
fn columns(task: &Task<'_>) -> Vec<Vec<f64>> {
    let fill = |k: usize| {
        let mut x = vec![0.0; task.n()];
        task.features.columns.fill(k, &mut x);
        x
    };
    (0..task.features.len()).map(fill).collect()
}

/// The same question about other values on another graph, which stand in `X` and under the default key; no
/// permutations.
fn plain(call: &Call, columns: &[Vec<f64>], graph: Sparse) -> Call {
    let (cells, genes) = (graph.shape.0, columns.len());
    let mut data = bare(cells, genes);
    let values: Vec<f64> =
        (0..cells).flat_map(|i| columns.iter().map(move |column| column[i])).collect();
    data.set("X", dispatch::Dense::new(vec![cells, genes], values).into());
    data.set("obsp/spatial_connectivities", graph.into());
    with_params(
        &with_data(call, data),
        [
            ("connectivity_key", "spatial_connectivities".into()),
            ("attr", "X".into()),
            ("genes", Value::None),
            ("layer", Value::None),
            ("use_raw", false.into()),
            ("n_perms", Value::None),
        ],
    )
}
