//! Laws about other cells: in another order, on graphs with a known answer, one more, twice as many.

use std::collections::BTreeMap;
use std::f64::consts::TAU;

use dispatch::{Call, Fault};
use generators::Random;
use generators::parts::expression::{self, Expression};
use reference::spatial_autocorr::Mode;

use super::{
    FUNCTION, Table, both, columns, graph, plain, same_rows, scores_are, scores_scale, table, task,
};
use crate::compare::Checks;
use crate::laws::twist::{Rows, cells_shuffled, csr, rows, stored_like};
use crate::laws::{Answered, Claim, Law};
use crate::profile::U64;

pub(super) const M1: Law = Law {
    id: "M1",
    function: FUNCTION,
    statement: "The same cells in another order, values and graph alike, give the same rows.",
    claim: Claim::Twist { twist: cells_shuffled, holds: same_rows },
};

pub(super) const M9: Law = Law {
    id: "M9",
    function: FUNCTION,
    statement: "On the complete graph I = -1/(n-1) and C = 1 for any values that are not all equal.",
    claim: Claim::Twist { twist: completed, holds: complete_graph },
};

fn completed(call: &Call, _: &mut Random) -> Option<Call> {
    let task = task(call)?;
    let n = task.n();
    let others = |i: usize| (0..n).filter(|&j| j != i).map(|j| (j, 1.0)).collect();
    let complete: Rows = (0..n).map(others).collect();
    (n > 1).then_some(())?;
    Some(plain(call, &columns(&task), csr(&complete)?))
}

fn complete_graph(
    _: &Answered<'_>,
    after: &Answered<'_>,
    checks: &mut Checks,
) -> Result<(), Fault> {
    let Some(after) = table(after, checks)? else { return Ok(()) };
    let value = match after.task.mode {
        Mode::Moran => -1.0 / (after.task.n() as f64 - 1.0),
        Mode::Geary => 1.0,
    };
    let expected: Vec<f64> = (0..after.features.len())
        .map(|k| if after.is_undefined(k) { f64::NAN } else { value })
        .collect();
    scores_are(&after, &expected, |_| 0.0, checks);
    Ok(())
}

pub(super) const M10: Law = Law {
    id: "M10",
    function: FUNCTION,
    statement: "On a ring of n cells, x_i = cos(2 pi q i/n) has I = cos(2 pi q/n) and C = (n-1)/n (1 - I).",
    claim: Claim::Twist { twist: waves_on_a_ring, holds: eigenvalues },
};

/// Frequencies of the waves: 1, 2 ... up to these.
const WAVES: usize = 4;

fn waves_on_a_ring(call: &Call, random: &mut Random) -> Option<Call> {
    let n = call.data.n_obs();
    task(call)?;
    if n < 3 {
        return None;
    }
    let (genes, edge) =
        (WAVES.min(n - 1), |i: usize| BTreeMap::from([((i + 1) % n, 1.0), ((i + n - 1) % n, 1.0)]));
    let values = expression::values(Expression::Cosine, n, genes, random);
    let columns: Vec<Vec<f64>> =
        (0..genes).map(|j| values.iter().skip(j).step_by(genes).copied().collect()).collect();
    Some(plain(call, &columns, csr(&(0..n).map(edge).collect())?))
}

fn eigenvalues(_: &Answered<'_>, after: &Answered<'_>, checks: &mut Checks) -> Result<(), Fault> {
    let Some(after) = table(after, checks)? else { return Ok(()) };
    let n = after.task.n() as f64;
    let expected: Vec<f64> = (1..=after.features.len())
        .map(|q| (TAU * q as f64 / n).cos())
        .map(|cosine| match after.task.mode {
            Mode::Moran => cosine,
            Mode::Geary => (n - 1.0) / n * (1.0 - cosine),
        })
        .collect();
    // Each value is off by u, so z by u sqrt(n) in norm against sqrt(n/2) and more; I and C are quotients of quadratic
    // forms with norms at most 1 and 2: 2 (2 + 2) sqrt(2) u, and 4 u for the cosines here.
    scores_are(&after, &expected, |_| 16.0 * U64, checks);
    Ok(())
}

pub(super) const M11: Law = Law {
    id: "M11",
    function: FUNCTION,
    statement: "One more cell without edges and with the mean as value multiplies I by (n+1)/n and C by n/(n-1).",
    claim: Claim::Twist { twist: with_a_hermit, holds: hermit_counts },
};

fn with_a_hermit(call: &Call, _: &mut Random) -> Option<Call> {
    let task = task(call)?;
    let (_, weights) = graph(call)?;
    let mut edges = rows(weights);
    edges.push(BTreeMap::new());
    let mut columns = columns(&task);
    for x in &mut columns {
        let mean = x.iter().sum::<f64>() / x.len() as f64;
        x.push(mean);
    }
    (task.n() > 1).then_some(())?;
    Some(plain(call, &columns, stored_like(weights, &edges)?))
}

fn hermit_counts(
    before: &Answered<'_>,
    after: &Answered<'_>,
    checks: &mut Checks,
) -> Result<(), Fault> {
    let Some((before, after)) = both(before, after, checks)? else { return Ok(()) };
    let n = before.task.n() as f64;
    let factor = match before.task.mode {
        Mode::Moran => (n + 1.0) / n,
        Mode::Geary => n / (n - 1.0),
    };
    let expected = grown(&before, &after, factor);
    // The new value misses the mean by what a sum of n terms may miss it by; the bound of the second answer holds
    // that once for the mean that the backend takes, and here it enters once more.
    let slack = |k: usize| before.slack(k) * factor + after.slack(k);
    scores_are(&after, &expected, slack, checks);
    Ok(())
}

/// The scores times a factor; NaN where the values are constant but for the rounding of what was appended.
fn grown(before: &Table<'_>, after: &Table<'_>, factor: f64) -> Vec<f64> {
    let scores = before.scores();
    let value = |k: usize| if after.is_undefined(k) { f64::NAN } else { scores[k] * factor };
    (0..scores.len()).map(value).collect()
}

pub(super) const M12: Law = Law {
    id: "M12",
    function: FUNCTION,
    statement: "Two copies without edges between them leave I and multiply C by (2n-1)/(2(n-1)).",
    claim: Claim::Twist { twist: twice, holds: copies_agree },
};

fn twice(call: &Call, _: &mut Random) -> Option<Call> {
    let task = task(call)?;
    let (_, weights) = graph(call)?;
    let mut edges = rows(weights);
    let n = edges.len();
    let copies: Rows =
        edges.iter().map(|row| row.iter().map(|(j, w)| (j + n, *w)).collect()).collect();
    edges.extend(copies);
    let columns: Vec<Vec<f64>> = columns(&task).iter().map(|x| x.repeat(2)).collect();
    (n > 1).then_some(())?;
    Some(plain(call, &columns, stored_like(weights, &edges)?))
}

fn copies_agree(
    before: &Answered<'_>,
    after: &Answered<'_>,
    checks: &mut Checks,
) -> Result<(), Fault> {
    let Some((before, after)) = both(before, after, checks)? else { return Ok(()) };
    let n = before.task.n() as f64;
    let factor = match before.task.mode {
        Mode::Moran => 1.0,
        Mode::Geary => (2.0 * n - 1.0) / (2.0 * (n - 1.0)),
    };
    let all: Vec<usize> = (0..before.features.len()).collect();
    scores_scale(&before, &after, &all, factor, checks);
    Ok(())
}
