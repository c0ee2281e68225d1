//! Laws about what an answer may say at all.

use dispatch::{Call, Fault, Value};
use generators::Random;
use reference::spatial_autocorr::{Mode, Task, centred};
use reference::stats::Correction;

use super::{
    FUNCTION, Table, both, columns, graph, p_agree, plain, rayleigh, scores_scale, table, task,
    within,
};
use crate::compare::{Allowance, Checks};
use crate::laws::twist::{flag, with_params};
use crate::laws::{Answered, Claim, Law};
use crate::profile::U64;

pub(super) const M14: Law = Law {
    id: "M14",
    function: FUNCTION,
    statement: "For weights that are not negative, |I| <= n/S0 sqrt(max r max c) and 0 <= C <= (n-1)/S0 max(r + c); \
                I lies between the outermost eigenvalues of the centred symmetric part of W, times n/S0.",
    claim: Claim::Answer { applies: bounded, holds: within_bounds },
};

fn bounded(call: &Call) -> bool {
    task(call).is_some_and(|t| limits(&t).is_some())
}

fn within_bounds(answered: &Answered<'_>, checks: &mut Checks) -> Result<(), Fault> {
    let Some(table) = table(answered, checks)? else { return Ok(()) };
    let Some((low, high)) = limits(&table.task) else { return Ok(()) };
    let scores = table.scores();
    let nearest = |s: &f64| if s.is_nan() { *s } else { s.clamp(low, high) };
    let expected: Vec<f64> = scores.iter().map(nearest).collect();
    super::scores_are(&table, &expected, |_| 8.0 * U64 * low.abs().max(high.abs()), checks);
    Ok(())
}

/// Between which numbers the statistic lies whatever the values; `None` if nothing is known.
fn limits(task: &Task<'_>) -> Option<(f64, f64)> {
    let both = |a: (f64, f64), b: (f64, f64)| (a.0.max(b.0), a.1.min(b.1));
    match (schur(task), rayleigh::limits(task)) {
        (Some(a), Some(b)) => Some(both(a, b)),
        (a, b) => a.or(b),
    }
}

/// From row and column sums, for weights that are not negative; (x_i - x_j)^2 <= 2 z_i^2 + 2 z_j^2 for C.
fn schur(task: &Task<'_>) -> Option<(f64, f64)> {
    let (n, moments) = (task.n() as f64, &task.moments);
    if !(moments.s0 > 0.0 && task.graph.weights.iter().all(|w| *w >= 0.0)) {
        return None;
    }
    let largest = |sums: &mut dyn Iterator<Item = f64>| sums.fold(0.0, f64::max);
    Some(match task.mode {
        Mode::Moran => {
            let rows = largest(&mut moments.rows.iter().copied());
            let columns = largest(&mut moments.columns.iter().copied());
            let high = n / moments.s0 * (rows * columns).sqrt();
            (-high, high)
        }
        Mode::Geary => {
            let both = moments.rows.iter().zip(&moments.columns).map(|(r, c)| r + c);
            (0.0, (n - 1.0) / moments.s0 * largest(&mut { both }))
        }
    })
}

pub(super) const M15: Law = Law {
    id: "M15",
    function: FUNCTION,
    statement: "pval_norm is at most 1/2, twice that if two-tailed; corrected p-values are not smaller and in the \
                same order; pval_sim is a whole number of (N+1)ths; n_perms changes no other column.",
    claim: Claim::Twist { twist: tails_and_permutations, holds: p_values },
};

fn tails_and_permutations(call: &Call, _: &mut Random) -> Option<Call> {
    let two_tailed = !flag(call, "two_tailed", false);
    let n_perms = match task(call)?.n_perms {
        None => Value::Int(7),
        Some(_) => Value::None,
    };
    Some(with_params(call, [("two_tailed", two_tailed.into()), ("n_perms", n_perms)]))
}

fn p_values(before: &Answered<'_>, after: &Answered<'_>, checks: &mut Checks) -> Result<(), Fault> {
    let Some((before, after)) = both(before, after, checks)? else { return Ok(()) };
    for table in [&before, &after] {
        halves(table, checks);
        grid(table, checks);
        for raw in ["pval_norm", "pval_z_sim", "pval_sim"] {
            corrected(table, raw, checks);
        }
    }
    let all: Vec<usize> = (0..before.features.len()).collect();
    scores_scale(&before, &after, &all, 1.0, checks);
    p_agree(&before, &after, &all, checks);
    Ok(())
}

/// One-sided towards the observed side, so at most 1/2, and 1 if doubled.
fn halves(table: &Table<'_>, checks: &mut Checks) {
    let p = table.column("pval_norm");
    let nearest: Vec<f64> =
        p.iter().map(|p| if p.is_nan() { *p } else { p.clamp(0.0, 0.5 * table.tails()) }).collect();
    let room = Allowance::Within(4.0 * U64);
    let feature = |k: usize| table.features[k].clone();
    let slot = table.slot("pval_norm");
    checks.numbers("pval_norm at most 1/2", &slot, &nearest, &p, feature, |_| room);
}

/// `pval_sim` is one of `1 .. floor(N/2) + 1` by `N + 1`.
fn grid(table: &Table<'_>, checks: &mut Checks) {
    let Some(n_perms) = table.task.n_perms else { return };
    let (parts, most) = ((n_perms + 1) as f64, (n_perms / 2 + 1) as f64);
    let p = table.column("pval_sim");
    let nearest: Vec<f64> =
        p.iter().map(|p| (p * parts).round().clamp(1.0, most) / parts).collect();
    let allowed = |k: usize| match table.is_undefined(k) {
        true => Allowance::Undefined,
        // A quotient of integers is rounded once; a backend may multiply by a reciprocal.
        false => Allowance::Within(4.0 * U64),
    };
    let feature = |k: usize| table.features[k].clone();
    checks.numbers("pval_sim grid", &table.slot("pval_sim"), &nearest, &p, feature, allowed);
}

/// Corrected p-values are not below the raw ones and in the same order.
fn corrected(table: &Table<'_>, raw: &str, checks: &mut Checks) {
    let Some((correction, label)) = &table.task.correction else { return };
    let column = format!("{raw}_{label}");
    let (p, q) = (table.column(raw), table.column(&column));
    if table.frame.column(&column).is_none() || p.iter().chain(&q).any(|x| x.is_nan()) {
        return;
    }
    // m sums, products or quotients of numbers at most 1.
    let room = Allowance::Within((p.len() as f64 + 16.0) * 2.0 * U64);
    let (slot, feature) = (table.slot(&column), |k: usize| table.features[k].clone());
    // The others estimate how many hypotheses are true, and may take less.
    let may_shrink = matches!(
        correction,
        Correction::TwoStageBenjaminiHochberg
            | Correction::TwoStageBenjaminiKriegerYekutieli
            | Correction::GavrilovBenjaminiSarkar
    );
    if !may_shrink {
        let least: Vec<f64> = p.iter().zip(&q).map(|(p, q)| p.max(*q)).collect();
        checks.numbers("corrected p not below p", &slot, &least, &q, feature, |_| room);
    }
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|a, b| p[*a].total_cmp(&p[*b]));
    let (mut running, mut monotone) = (0.0_f64, q.clone());
    for k in order {
        running = running.max(q[k]);
        monotone[k] = running;
    }
    checks.numbers("corrected p in the order of p", &slot, &monotone, &q, feature, |_| room);
}

pub(super) const M17: Law = Law {
    id: "M17",
    function: FUNCTION,
    statement: "The variance of many permuted statistics is near that over all n! permutations of the rows of W.",
    claim: Claim::Twist { twist: many_permutations, holds: null_variance },
};

/// Permutations drawn; the more, the narrower the interval.
const PERMUTATIONS: usize = 10_000;
/// Most cells: the interval widens with the square root of their number.
const CELLS: usize = 17;
/// Most features.
const FEATURES: usize = 2;
/// A right backend is outside the interval with a probability below 2 exp(-L) for each of two means: 2e-12.
const L: f64 = 28.4;

fn many_permutations(call: &Call, _: &mut Random) -> Option<Call> {
    let task = task(call)?;
    let (_, weights) = graph(call)?;
    let mut columns = columns(&task);
    columns.truncate(FEATURES);
    let call = plain(call, &columns, weights.clone());
    ((4..=CELLS).contains(&task.n()) && task.moments.s0 > 0.0)
        .then(|| with_params(&call, [("n_perms", Value::Int(PERMUTATIONS as i64))]))
}

/// Bernstein's inequality: the mean of N independent variables of variance at most `v` that lie within `b` of their mean is
/// off by more than `sqrt(2 v L / N) + b L / (3 N)` with a probability of at most `2 exp(-L)`.
fn bernstein(v: f64, b: f64) -> f64 {
    let n = PERMUTATIONS as f64;
    (2.0 * v * L / n).sqrt() + b * L / (3.0 * n)
}

fn null_variance(_: &Answered<'_>, after: &Answered<'_>, checks: &mut Checks) -> Result<(), Fault> {
    let Some(table) = table(after, checks)? else { return Ok(()) };
    let null = table.task.null_moments();
    let reach = reach(&table.task);
    let expected: Vec<f64> = null.iter().map(|m| m.variance).collect();
    let allowed = |k: usize| {
        if table.is_undefined(k) {
            return Allowance::Exact;
        }
        let (v, b) = (expected[k], reach[k]);
        // The squared distance from the mean is at most b^2 and has a variance of at most b^2 v; what the sample's own
        // mean takes off is the square of its error.
        let (spread, mean) = (bernstein(b * b * v, b * b), bernstein(v, b));
        let d = table.bounds[k].permuted;
        let rounding = 4.0 * d * v.sqrt() + 4.0 * d * d + 4.0 * PERMUTATIONS as f64 * U64 * v;
        match within(rounding) {
            Allowance::Within(r) => {
                Allowance::Between(v - spread - mean * mean - r, v + spread + r)
            }
            other => other,
        }
    };
    let feature = |k: usize| table.features[k].clone();
    let (slot, actual) = (table.slot("var_sim"), table.column("var_sim"));
    checks.numbers("var_sim", &slot, &expected, &actual, feature, allowed);
    Ok(())
}

/// How far a permuted statistic can be from its mean, by Cauchy and Schwarz, for each feature.
fn reach(task: &Task<'_>) -> Vec<f64> {
    let n = task.n();
    let squares = |v: &[f64]| {
        let mean = v.iter().sum::<f64>() / n as f64;
        v.iter().map(|x| (x - mean).powi(2)).sum::<f64>()
    };
    let (mut z, mut y) = (vec![0.0; n], vec![0.0; n]);
    let of = |x: Vec<f64>| {
        let Some(d) = centred(&x, &mut z) else { return f64::NAN };
        task.graph.lag(&z, &mut y);
        let k = task.mode.factor(n, task.moments.s0, d);
        let lag = (d * squares(&y)).sqrt();
        match task.mode {
            Mode::Moran => k * lag,
            Mode::Geary => {
                let a: Vec<f64> = z.iter().map(|z| z * z).collect();
                k * ((squares(&a) * squares(&task.moments.rows)).sqrt() + 2.0 * lag)
            }
        }
    };
    columns(task).into_iter().map(of).collect()
}
