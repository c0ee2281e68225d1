//! Laws about the distances asked for.

use dispatch::{Call, Fault, Value};
use generators::Random;

use super::{FUNCTION, coordinates, distances, few_bits, grid, is_explicit, task};
use crate::compare::{Allowance, Checks};
use crate::laws::twist::{shuffled, with_params};
use crate::laws::{Answered, Claim, Law};
use crate::profile::U32;

pub(super) const C4: Law = Law {
    id: "C4",
    function: FUNCTION,
    statement: "Beyond the diameter occ is n/(n-1) off the diagonal and n (n_c - 1)/(n_c (n - 1)) on it.",
    claim: Claim::Twist { twist: beyond_the_diameter, holds: everybody_meets },
};

fn beyond_the_diameter(call: &Call, _: &mut Random) -> Option<Call> {
    let task = task(call)?;
    let extent = |v: &[f32]| {
        let ends = |(low, high): (f32, f32), x: &f32| (low.min(*x), high.max(*x));
        let (low, high) = v.iter().fold((f32::INFINITY, f32::NEG_INFINITY), ends);
        f64::from(high) - f64::from(low)
    };
    let far = 2.0 * (extent(&task.x) + extent(&task.y)) + 1.0;
    (task.labels.len() > 1)
        .then(|| with_params(call, [("interval", distances(&[0.0, far, 2.0 * far]))]))
}

fn everybody_meets(
    _: &Answered<'_>,
    after: &Answered<'_>,
    checks: &mut Checks,
) -> Result<(), Fault> {
    let Some(grid) = grid(after, checks)? else { return Ok(()) };
    let n = grid.task.labels.len() as f64;
    let size = |c: usize| grid.task.labels.iter().filter(|l| **l as usize == c).count() as f64;
    let sizes: Vec<f64> = (0..grid.k).map(size).collect();
    let expected = grid.each(|i, c, _| match i == c {
        true => n * (sizes[c] - 1.0) / (sizes[c] * (n - 1.0)),
        false => n / (n - 1.0),
    });
    grid.is(&expected, |at| few_bits(expected[at]), checks);
    Ok(())
}

pub(super) const C8: Law = Law {
    id: "C8",
    function: FUNCTION,
    statement: "Slice r depends on threshold r+1 alone: the first is not used, others may be left out, any order \
                will do.",
    claim: Claim::Twist { twist: fewer_thresholds, holds: slices_stay },
};

fn fewer_thresholds(call: &Call, random: &mut Random) -> Option<Call> {
    let task = task(call).filter(|_| is_explicit(call))?;
    let thresholds = &task.interval[1..];
    let kept = 1 + random.below(thresholds.len());
    let order = shuffled(thresholds.len(), random);
    let mut kept: Vec<f64> = order.iter().take(kept).map(|&r| f64::from(thresholds[r])).collect();
    let least = kept.iter().copied().fold(f64::INFINITY, f64::min);
    // Half of a float32 is a float32, and stands before all others once they are sorted.
    kept.insert(random.below(kept.len() + 1), least / 2.0);
    (least >= 0.0).then(|| with_params(call, [("interval", distances(&kept))]))
}

fn slices_stay(
    before: &Answered<'_>,
    after: &Answered<'_>,
    checks: &mut Checks,
) -> Result<(), Fault> {
    let Some(first) = grid(before, checks)? else { return Ok(()) };
    let Some(second) = grid(after, checks)? else { return Ok(()) };
    let wanted: Vec<f64> = second.task.interval.iter().map(|t| f64::from(*t)).collect();
    let at = |i: usize| format!("[{i}]");
    checks.numbers("interval", "interval", &wanted, &second.interval, at, |_| Allowance::Exact);
    let slice = |r: usize| {
        let threshold = second.task.interval[r + 1];
        first.task.interval[1..].iter().position(|t| *t == threshold)
    };
    let slices: Vec<Option<usize>> = (0..second.bins).map(slice).collect();
    let expected = second.each(|i, c, r| slices[r].map_or(f64::NAN, |slice| first.at(i, c, slice)));
    second.is(&expected, |at| few_bits(expected[at]), checks);
    Ok(())
}

pub(super) const C12: Law = Law {
    id: "C12",
    function: FUNCTION,
    statement: "interval=m gives m equally spaced distances from |x_p - x_p2| to |x_p - x_q|/2 and m-1 slices.",
    claim: Claim::Twist { twist: automatic, holds: equally_spaced },
};

fn automatic(call: &Call, random: &mut Random) -> Option<Call> {
    let (_, places) = coordinates(call)?;
    let (values, width) = (places.to_f64(), *places.shape.get(1)?);
    let mut sums: Vec<f64> = values.chunks(width.max(1)).map(|at| at.iter().sum()).collect();
    sums.sort_by(f64::total_cmp);
    let [first, second, third] = *sums.first_chunk::<3>()?;
    let [before_last, last] = *sums.last_chunk::<2>()?;
    // Which of equal sums is the smallest is nobody's contract, and float32 sums are equal up to rounding.
    let largest = values.iter().fold(0.0_f64, |most, x| most.max(x.abs()));
    let rounding = 8.0 * width as f64 * U32 * largest * width as f64;
    let apart = |low: f64, high: f64| high - low > rounding;
    let clear = apart(first, second) && apart(second, third) && apart(before_last, last);
    let m = 2 + random.below(8) as i64;
    let twisted = with_params(call, [("interval", Value::Int(m))]);
    (clear && task(&twisted).is_some()).then_some(twisted)
}

fn equally_spaced(
    _: &Answered<'_>,
    after: &Answered<'_>,
    checks: &mut Checks,
) -> Result<(), Fault> {
    let Some(grid) = grid(after, checks)? else { return Ok(()) };
    let [first, .., last] = grid.task.interval[..] else { return Ok(()) };
    let (first, last) = (f64::from(first), f64::from(last));
    let parts = (grid.interval.len() - 1) as f64;
    let expected: Vec<f64> =
        (0..grid.interval.len()).map(|i| first + (last - first) * i as f64 / parts).collect();
    // Square roots, a half and a division in float32, in any order of operations (spec A.2.4).
    let room = Allowance::Within(4.0 * U32 * first.max(last));
    let at = |i: usize| format!("[{i}]");
    checks.numbers("interval", "interval", &expected, &grid.interval, at, |_| room);
    Ok(())
}
