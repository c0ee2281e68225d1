//! Laws about p-values.

use dispatch::{Call, Dense, Fault, Value};
use generators::Random;

use super::{
    FUNCTION, Tables, both, by_name, matrix, means_scale, p_agree, tables, task, uncorrected,
};
use crate::compare::{Allowance, Checks};
use crate::laws::twist::{elements, with_params, with_slot};
use crate::laws::{Answered, Claim, Law};
use crate::profile::U64;

pub(super) const L6: Law = Law {
    id: "L6",
    function: FUNCTION,
    statement: "A higher threshold makes p-values undefined and changes nothing else.",
    claim: Claim::Twist { twist: higher_threshold, holds: only_fewer },
};

fn higher_threshold(call: &Call, random: &mut Random) -> Option<Call> {
    let threshold = task(call)?.threshold;
    let higher = threshold + [0.125, 0.375, 0.625][random.below(3)];
    Some(with_params(call, [("threshold", Value::Float(higher))]))
}

fn only_fewer(
    before: &Answered<'_>,
    after: &Answered<'_>,
    checks: &mut Checks,
) -> Result<(), Fault> {
    let Some((before, after)) = both(before, after, checks)? else { return Ok(()) };
    let joined = by_name(&before, &after);
    means_scale(&before, &after, &joined, 1.0, checks);
    let defined = |p: f64| if p.is_nan() { 0.0 } else { 1.0 };
    let actual: Vec<f64> = joined.iter().map(|(_, j)| defined(after.pvalues[*j])).collect();
    // At most what was defined before.
    let expected: Vec<f64> = joined
        .iter()
        .zip(&actual)
        .map(|((i, _), now)| defined(before.pvalues[*i]).min(*now))
        .collect();
    let allowed = |k: usize| match before.bounds.doubtful[joined[k].0] {
        true => Allowance::Undefined,
        false => Allowance::Exact,
    };
    let at = |k: usize| after.at(joined[k].1);
    checks.numbers("newly defined p-values", "pvalues", &expected, &actual, at, allowed);
    // What is undefined counts as 1 in a correction, and so changes the others.
    if before.task.correction.is_none() {
        p_agree(&before, &after, &joined, checks);
    }
    Ok(())
}

pub(super) const L7: Law = Law {
    id: "L7",
    function: FUNCTION,
    statement: "With threshold 0 a p-value is undefined exactly where a mean is not positive, which is where means holds 0.",
    claim: Claim::Twist { twist: no_threshold, holds: undefined_without_mean },
};

fn no_threshold(call: &Call, _: &mut Random) -> Option<Call> {
    task(call)?;
    Some(with_params(call, [("threshold", Value::Float(0.0))]))
}

fn undefined_without_mean(
    _: &Answered<'_>,
    after: &Answered<'_>,
    checks: &mut Checks,
) -> Result<(), Fault> {
    let Some(tables) = tables(after, checks)? else { return Ok(()) };
    let flag = |b: bool| f64::from(u8::from(b));
    let expected: Vec<f64> = tables.means.iter().map(|m| flag(*m == 0.0)).collect();
    let actual: Vec<f64> = tables.pvalues.iter().map(|p| flag(p.is_nan())).collect();
    let allowed = |i: usize| match tables.bounds.doubtful[i] {
        true => Allowance::Undefined,
        false => Allowance::Exact,
    };
    let at = |i: usize| tables.at(i);
    checks.numbers("undefined p-values", "pvalues", &expected, &actual, at, allowed);
    Ok(())
}

pub(super) const L8: Law = Law {
    id: "L8",
    function: FUNCTION,
    statement: "An uncorrected p-value times the number of permutations is a whole number from 0 to it.",
    claim: Claim::Answer {
        applies: |call| task(call).is_some_and(|t| t.correction.is_none()),
        holds: whole_counts,
    },
};

fn whole_counts(answered: &Answered<'_>, checks: &mut Checks) -> Result<(), Fault> {
    let Some(tables) = tables(answered, checks)? else { return Ok(()) };
    let n = tables.task.n_perms as f64;
    let nearest = |p: &f64| (p * n).round().clamp(0.0, n) / n;
    let expected: Vec<f64> = tables.pvalues.iter().map(nearest).collect();
    // A quotient of integers is rounded once; a backend may multiply by a reciprocal, or add up reciprocals.
    let allowed = |i: usize| match expected[i].is_nan() {
        true => Allowance::Undefined,
        false => Allowance::Within((n + 4.0) * U64),
    };
    let at = |i: usize| tables.at(i);
    checks.numbers("p-values", "pvalues", &expected, &tables.pvalues, at, allowed);
    Ok(())
}

pub(super) const L9: Law = Law {
    id: "L9",
    function: FUNCTION,
    statement: "Where every cell has the same value no permutation exceeds the observed mean: p = 0.",
    claim: Claim::Twist { twist: all_alike, holds: nothing_exceeds },
};

/// The value of every cell and gene: a power of two, so that no sum or mean of it is rounded.
const VALUE: f64 = 2.0;

fn all_alike(call: &Call, _: &mut Random) -> Option<Call> {
    let (path, value) = matrix(call)?;
    let (cells, genes, _) = elements(value)?;
    let alike = Dense::new(vec![cells, genes], vec![VALUE; cells * genes]);
    let twisted = uncorrected(&with_slot(call, path, alike.into()));
    // Every cell expresses every gene, so only a threshold above 1 would leave a p-value undefined.
    task(&twisted).is_some_and(|t| t.threshold <= 1.0).then_some(twisted)
}

fn nothing_exceeds(
    _: &Answered<'_>,
    after: &Answered<'_>,
    checks: &mut Checks,
) -> Result<(), Fault> {
    let Some(tables) = tables(after, checks)? else { return Ok(()) };
    let at = |i: usize| tables.at(i);
    let means = vec![VALUE; tables.means.len()];
    let room = Allowance::Within(8.0 * U64 * VALUE);
    checks.numbers("means", "means", &means, &tables.means, at, |_| room);
    let zeros = vec![0.0; tables.pvalues.len()];
    checks.numbers("p-values", "pvalues", &zeros, &tables.pvalues, at, |_| Allowance::Exact);
    Ok(())
}

pub(super) const L12: Law = Law {
    id: "L12",
    function: FUNCTION,
    statement: "Corrected p-values are the uncorrected ones corrected along the axis, an undefined one counting as 1 \
                and staying undefined; none is below the uncorrected one.",
    claim: Claim::Twist { twist: correction_flipped, holds: correction_follows },
};

fn correction_flipped(call: &Call, random: &mut Random) -> Option<Call> {
    if task(call)?.correction.is_some() {
        return Some(uncorrected(call));
    }
    let method = ["fdr_bh", "bonferroni"][random.below(2)];
    let axis = ["clusters", "interactions"][random.below(2)];
    Some(with_params(call, [("corr_method", method.into()), ("corr_axis", axis.into())]))
}

fn correction_follows(
    before: &Answered<'_>,
    after: &Answered<'_>,
    checks: &mut Checks,
) -> Result<(), Fault> {
    let Some((before, after)) = both(before, after, checks)? else { return Ok(()) };
    let (raw, corrected): (&Tables, &Tables) = match before.task.correction {
        Some(_) => (&after, &before),
        None => (&before, &after),
    };
    // Without rounding the two runs decide each comparison alike.
    if !raw.exact {
        return Ok(());
    }
    let expected = corrected.task.corrected(raw.pvalues.clone());
    let m = raw.task.interactions.len().max(raw.task.pairs.len()) as f64;
    // m sums, products or quotients of numbers at most 1.
    let room = Allowance::Within((m + 16.0) * 2.0 * U64);
    let at = |i: usize| corrected.at(i);
    checks.numbers("corrected p-values", "pvalues", &expected, &corrected.pvalues, at, |_| room);
    Ok(())
}
