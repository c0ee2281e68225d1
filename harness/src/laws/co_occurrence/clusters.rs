//! Laws about clusters and the counts of pairs between them.

use dispatch::{Call, Categorical, Fault};
use generators::Random;

use super::{FUNCTION, Weights, counts, few_bits, grid, is_explicit, labels, task, unchanged};
use crate::compare::{Allowance, Checks};
use crate::laws::twist::{cells_shuffled, shuffled, with_slot};
use crate::laws::{Answered, Claim, Law};
use crate::profile::U64;
use crate::show::place;

pub(super) const C1: Law = Law {
    id: "C1",
    function: FUNCTION,
    statement: "occ[i,c,r] = occ[c,i,r].",
    claim: Claim::Answer { applies: |call| task(call).is_some(), holds: symmetric },
};

fn symmetric(answered: &Answered<'_>, checks: &mut Checks) -> Result<(), Fault> {
    let Some(grid) = grid(answered, checks)? else { return Ok(()) };
    let expected = grid.each(|i, c, r| grid.at(c, i, r));
    grid.is(&expected, |at| few_bits(expected[at]), checks);
    Ok(())
}

pub(super) const C2: Law = Law {
    id: "C2",
    function: FUNCTION,
    statement: "sum_i (R_i/Tot) occ[i,c,r] = 1 for each cluster c that has pairs.",
    claim: Claim::Answer { applies: |call| counts(call).is_some(), holds: averages_to_one },
};

fn averages_to_one(answered: &Answered<'_>, checks: &mut Checks) -> Result<(), Fault> {
    let Some(grid) = grid(answered, checks)? else { return Ok(()) };
    let (k, bins) = (grid.k, grid.bins);
    let rows = grid.task.counts().row_sums();
    let (mut expected, mut actual) = (Vec::new(), Vec::new());
    for c in 0..k {
        for r in 0..bins {
            let total: u64 = (0..k).map(|i| rows[i * bins + r]).sum();
            let share = |i: usize| rows[i * bins + r] as f64 / total as f64;
            let sum = (0..k).map(|i| share(i) * grid.at(i, c, r)).sum();
            let has_pairs = rows[c * bins + r] > 0;
            expected.push(if has_pairs { 1.0 } else { 0.0 });
            actual.push(if has_pairs { sum } else { 0.0 });
        }
    }
    // Terms are positive and sum to 1; each takes 8u in the ratio and 3u here, and k are added.
    let room = Allowance::Within((k as f64 + 16.0) * U64);
    let at = |at: usize| place(at, &[k, bins]);
    checks.numbers("weighted mean", "occ", &expected, &actual, at, |_| room);
    Ok(())
}

pub(super) const C3: Law = Law {
    id: "C3",
    function: FUNCTION,
    statement: "With one cluster occ is 1 where there are pairs and 0 where there are none.",
    claim: Claim::Twist { twist: one_cluster, holds: ones },
};

fn one_cluster(call: &Call, _: &mut Random) -> Option<Call> {
    let (path, column) = labels(call)?;
    let one = Categorical::new(vec![0; column.codes.len()], ["all"]);
    Some(with_slot(call, &path, one.into())).filter(|call| task(call).is_some())
}

fn ones(_: &Answered<'_>, after: &Answered<'_>, checks: &mut Checks) -> Result<(), Fault> {
    let Some(grid) = grid(after, checks)? else { return Ok(()) };
    let band = grid.task.band();
    let expected = grid.each(|_, _, r| if band.high.at(0, 0, r) > 0 { 1.0 } else { 0.0 });
    let in_doubt = |r: usize| band.high.at(0, 0, r) > 0 && band.low.at(0, 0, r) == 0;
    let allowed = |r| if in_doubt(r) { Allowance::Undefined } else { few_bits(expected[r]) };
    grid.is(&expected, allowed, checks);
    Ok(())
}

pub(super) const C7: Law = Law {
    id: "C7",
    function: FUNCTION,
    statement: "Cells in another order change nothing; categories in another order permute the axes.",
    claim: Claim::Twist { twist: reordered, holds: unchanged },
};

fn reordered(call: &Call, random: &mut Random) -> Option<Call> {
    task(call).filter(|_| is_explicit(call))?;
    let (path, column) = labels(call)?;
    let categories = column.categories.len()?;
    if random.below(2) == 0 || categories < 2 {
        return cells_shuffled(call, random);
    }
    let mut order = shuffled(categories, random);
    if order.is_sorted() {
        order.rotate_left(1);
    }
    let place =
        |code: i32| order.iter().position(|&old| old as i32 == code).map_or(-1, |p| p as i32);
    let reordered = Categorical {
        codes: column.codes.iter().map(|&code| place(code)).collect(),
        categories: Box::new(column.categories.take_rows(&order)),
        ordered: column.ordered,
    };
    Some(with_slot(call, &path, reordered.into()))
}

pub(super) const C10: Law = Law {
    id: "C10",
    function: FUNCTION,
    statement: "The counts that occ stands for, occ R R/Tot, are whole and do not fall as thresholds rise.",
    claim: Claim::Answer { applies: |call| counts(call).is_some(), holds: counts_rise },
};

fn counts_rise(answered: &Answered<'_>, checks: &mut Checks) -> Result<(), Fault> {
    let Some(grid) = grid(answered, checks)? else { return Ok(()) };
    let (bins, weights) = (grid.bins, Weights::new(&grid.task.counts()));
    let counted = grid.each(|i, c, r| grid.at(i, c, r) * weights.at(i, c, r));
    let mut order: Vec<usize> = (0..bins).collect();
    order.sort_by(|a, b| grid.interval[a + 1].total_cmp(&grid.interval[b + 1]));
    let mut expected = counted.clone();
    for slices in expected.chunks_mut(bins.max(1)) {
        let mut least = 0.0_f64;
        for &r in &order {
            least = least.max(slices[r].round());
            slices[r] = least;
        }
    }
    let shape = [grid.k, grid.k, bins];
    let allowed = |at: usize| few_bits(expected[at]);
    checks.numbers("counts", "occ", &expected, &counted, |at| place(at, &shape), allowed);
    Ok(())
}

pub(super) const C11: Law = Law {
    id: "C11",
    function: FUNCTION,
    statement: "Merging two clusters adds their counts.",
    claim: Claim::Twist { twist: merged, holds: counts_add },
};

/// Merges the last two clusters that occur into the first of them; the emptied category goes.
fn merged(call: &Call, _: &mut Random) -> Option<Call> {
    let (path, column) = labels(call)?;
    counts(call)?;
    let occurs = |code: &usize| column.codes.contains(&(*code as i32));
    let mut last = (0..column.categories.len()?).rev().filter(occurs);
    let (gone, into) = (last.next()?, last.next()?);
    let recoded = |&code: &i32| match code as usize {
        code if code == gone => into as i32,
        code if code > gone => code as i32 - 1,
        _ => code,
    };
    let kept: Vec<usize> = (0..column.categories.len()?).filter(|&code| code != gone).collect();
    let merged = Categorical {
        codes: column.codes.iter().map(recoded).collect(),
        categories: Box::new(column.categories.take_rows(&kept)),
        ordered: column.ordered,
    };
    Some(with_slot(call, &path, merged.into()))
}

fn counts_add(
    before: &Answered<'_>,
    after: &Answered<'_>,
    checks: &mut Checks,
) -> Result<(), Fault> {
    let Some(first) = grid(before, checks)? else { return Ok(()) };
    let Some(second) = grid(after, checks)? else { return Ok(()) };
    let (old, new) = (first.task.counts(), second.task.counts());
    let (old_weights, new_weights) = (Weights::new(&old), Weights::new(&new));
    let last = second.k - 1;
    let of = |merged: usize| if merged == last { vec![last, last + 1] } else { vec![merged] };
    let counted = |i: usize, c: usize, r: usize| -> f64 {
        let parts = of(i).into_iter().flat_map(|i| of(c).into_iter().map(move |c| (i, c)));
        parts.map(|(i, c)| first.at(i, c, r) * old_weights.at(i, c, r)).sum()
    };
    let expected = second.each(|i, c, r| {
        let weight = new_weights.at(i, c, r);
        if weight > 0.0 { counted(i, c, r) / weight } else { 0.0 }
    });
    // Up to four counts are added up, each a ratio (8u) times a weight (4u); all are positive.
    let allowed = |at: usize| Allowance::Within(32.0 * U64 * expected[at].abs());
    second.is(&expected, allowed, checks);
    Ok(())
}
