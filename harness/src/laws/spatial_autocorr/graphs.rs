//! Laws about other weights between the same cells.

use dispatch::{Call, Fault};
use generators::Random;
use reference::spatial_autocorr::{Mode, Task, centred};

use super::{FUNCTION, Table, both, graph, same_rows, scores_are, scores_scale, task};
use crate::compare::Checks;
use crate::laws::twist::{csr, flag, reweighed, rows, stored_like, with_params, with_slot};
use crate::laws::{Answered, Claim, Law};
use crate::profile::U64;

pub(super) const M4: Law = Law {
    id: "M4",
    function: FUNCTION,
    statement: "Weights times a positive number: every row stays.",
    claim: Claim::Twist { twist: scaled, holds: same_rows },
};

fn scaled(call: &Call, random: &mut Random) -> Option<Call> {
    let (path, weights) = graph(call)?;
    let factors = [3.0, 0.5, 2.0, 0.125];
    let start = random.below(factors.len());
    // Integers cannot be halved, and a weight of 1/10 cannot be tripled exactly.
    let tried = (0..factors.len()).map(|k| factors[(start + k) % factors.len()]);
    let scaled = tried.into_iter().find_map(|c| reweighed(weights, |_, w| c * w))?;
    Some(with_slot(call, &path, scaled.into()))
}

pub(super) const M5: Law = Law {
    id: "M5",
    function: FUNCTION,
    statement: "With transformation, rows of weights times positive numbers leave every row of the answer; so \
                does normalising the weights beforehand and passing transformation=False.",
    claim: Claim::Twist { twist: rows_scaled, holds: same_rows },
};

fn rows_scaled(call: &Call, random: &mut Random) -> Option<Call> {
    if !flag(call, "transformation", true) {
        return None;
    }
    let (path, weights) = graph(call)?;
    if random.below(2) == 0 {
        let factors: Vec<f64> =
            (0..weights.shape.0).map(|_| [1.0, 2.0, 4.0, 8.0][random.below(4)]).collect();
        return Some(with_slot(call, &path, reweighed(weights, |i, w| factors[i] * w)?.into()));
    }
    let mut normalised = rows(weights);
    for row in &mut normalised {
        let total: f64 = row.values().map(|w| w.abs()).sum();
        if total != 0.0 {
            row.values_mut().for_each(|w| *w /= total);
        }
    }
    // Held in float64, where a quotient is off by u, as it is in a backend that normalises itself.
    let call = with_slot(call, &path, csr(&normalised)?.into());
    Some(with_params(&call, [("transformation", false.into())]))
}

pub(super) const M6: Law = Law {
    id: "M6",
    function: FUNCTION,
    statement: "Where all rows of the graph have the same sum, the transformation changes nothing.",
    claim: Claim::Twist { twist: transformation_flipped, holds: same_rows },
};

fn transformation_flipped(call: &Call, _: &mut Random) -> Option<Call> {
    let (_, weights) = graph(call)?;
    let sums: Vec<f64> =
        rows(weights).iter().map(|row| row.values().map(|w| w.abs()).sum()).collect();
    let constant = sums.iter().all(|s| *s == sums[0]) && sums.first().is_some_and(|s| *s > 0.0);
    let flipped = !flag(call, "transformation", true);
    constant.then(|| with_params(call, [("transformation", flipped.into())]))
}

pub(super) const M7: Law = Law {
    id: "M7",
    function: FUNCTION,
    statement: "Without transformation, W, its transpose and (W + W^T)/2 give the same rows.",
    claim: Claim::Twist { twist: transposed, holds: same_rows },
};

fn transposed(call: &Call, random: &mut Random) -> Option<Call> {
    if flag(call, "transformation", true) {
        return None;
    }
    let (path, weights) = graph(call)?;
    let rows = rows(weights);
    let (kept, turned) = if random.below(2) == 0 { (0.0, 1.0) } else { (0.5, 0.5) };
    let mut twisted = vec![std::collections::BTreeMap::new(); rows.len()];
    for (i, row) in rows.iter().enumerate() {
        for (&j, w) in row {
            for (i, j, share) in [(i, j, kept), (j, i, turned)] {
                if share > 0.0 {
                    *twisted[i].entry(j).or_insert(0.0) += share * w;
                }
            }
        }
    }
    Some(with_slot(call, &path, stored_like(weights, &twisted)?.into()))
}

pub(super) const M8: Law = Law {
    id: "M8",
    function: FUNCTION,
    statement: "C = (n-1)/(2 S0 D) sum_i (r_i + c_i) z_i^2 - (n-1)/n I for every graph.",
    claim: Claim::Twist { twist: mode_flipped, holds: geary_from_moran },
};

fn mode_flipped(call: &Call, _: &mut Random) -> Option<Call> {
    let task = task(call)?;
    if task.graph.weights.iter().any(|w| *w < 0.0) || task.moments.s0 == 0.0 {
        return None;
    }
    let other = match task.mode {
        Mode::Moran => "geary",
        Mode::Geary => "moran",
    };
    Some(with_params(call, [("mode", other.into()), ("n_perms", dispatch::Value::None)]))
}

fn geary_from_moran(
    before: &Answered<'_>,
    after: &Answered<'_>,
    checks: &mut Checks,
) -> Result<(), Fault> {
    let Some((before, after)) = both(before, after, checks)? else { return Ok(()) };
    let (moran, geary) =
        if before.task.mode == Mode::Moran { (&before, &after) } else { (&after, &before) };
    let (n, longest) = (moran.task.n() as f64, moran.task.graph.longest_row() as f64);
    let diagonal = diagonal(&moran.task);
    let share = (n - 1.0) / n;
    let scores = moran.scores();
    let expected: Vec<f64> = (0..scores.len()).map(|k| diagonal[k] - share * scores[k]).collect();
    // Numerator, D and S0 of the first term: sums over cells or edges of positive terms, each rounded a few times.
    let roundings = 2.0 * (2.0 * n + longest + 32.0) * U64;
    let slack = |k: usize| share * moran.slack(k) + diagonal[k] * roundings;
    scores_are(geary, &expected, slack, checks);
    Ok(())
}

/// `(n-1)/(2 S0 D) sum_i (r_i + c_i) z_i^2` for each feature.
fn diagonal(task: &Task<'_>) -> Vec<f64> {
    let mut z = vec![0.0; task.n()];
    let (r, c) = (&task.moments.rows, &task.moments.columns);
    let of = |x: Vec<f64>| match centred(&x, &mut z) {
        Some(d) => {
            let sum: f64 = (0..z.len()).map(|i| (r[i] + c[i]) * z[i] * z[i]).sum();
            Mode::Geary.factor(task.n(), task.moments.s0, d) * sum
        }
        None => f64::NAN,
    };
    super::columns(task).into_iter().map(of).collect()
}

pub(super) const M18: Law = Law {
    id: "M18",
    function: FUNCTION,
    statement: "Without transformation, a loop of weight w at each cell makes I' = (S0 I + n w)/(S0 + n w) and \
                C' = C S0/(S0 + n w).",
    claim: Claim::Twist { twist: with_loops, holds: loops_enter },
};

fn with_loops(call: &Call, _: &mut Random) -> Option<Call> {
    if flag(call, "transformation", true) {
        return None;
    }
    let (path, weights) = graph(call)?;
    let mut rows = rows(weights);
    let s0: f64 = rows.iter().flat_map(|row| row.values()).sum();
    rows.iter_mut().enumerate().for_each(|(i, row)| *row.entry(i).or_insert(0.0) += 1.0);
    let looped = stored_like(weights, &rows)?;
    (s0 > 0.0).then(|| with_slot(call, &path, looped.into()))
}

fn loops_enter(
    before: &Answered<'_>,
    after: &Answered<'_>,
    checks: &mut Checks,
) -> Result<(), Fault> {
    let Some((before, after)) = both(before, after, checks)? else { return Ok(()) };
    let (n, s0) = (before.task.n() as f64, before.task.moments.s0);
    let share = s0 / (s0 + n);
    let all: Vec<usize> = (0..before.features.len()).collect();
    match before.task.mode {
        Mode::Geary => scores_scale(&before, &after, &all, share, checks),
        Mode::Moran => {
            let expected = moran_with_loops(&before, share);
            scores_are(&after, &expected, |k| share * before.slack(k) + 8.0 * U64, checks);
        }
    }
    Ok(())
}

fn moran_with_loops(before: &Table<'_>, share: f64) -> Vec<f64> {
    before.scores().iter().map(|score| share * score + (1.0 - share)).collect()
}
