//! Laws about where the cells are.

use dispatch::{Call, Dense, Dtype, Fault, Value};
use generators::Random;
use reference::co_occurrence::Counts;

use super::{
    FUNCTION, Weights, coordinates, counts, distances, few_bits, grid, is_explicit, task, unchanged,
};
use crate::compare::Checks;
use crate::laws::twist::{map_numbers, map_rows, rename_cells, with_data, with_params, with_slot};
use crate::laws::{Answered, Claim, Law};

/// The twisted call, if its counts are those of the call and none is in doubt.
fn same_counts(call: &Call, twisted: Call) -> Option<Call> {
    (counts(call)? == counts(&twisted)?).then_some(twisted)
}

pub(super) const C5: Law = Law {
    id: "C5",
    function: FUNCTION,
    statement: "Moving, turning, reflecting and swapping axes change nothing.",
    claim: Claim::Twist { twist: moved, holds: unchanged },
};

/// A motion of the plane; those with a third coordinate leave it alone.
type Motion = fn(&mut [f64], Turn);

/// What a motion takes at random.
#[derive(Clone, Copy)]
struct Turn {
    shift: [f64; 2],
    angle: f64,
}

/// All but the last are exact on integers; the last rounds, and is taken where no pair comes near a threshold by that.
const MOTIONS: [Motion; 5] = [
    |at, turn| (at[0], at[1]) = (at[0] + turn.shift[0], at[1] + turn.shift[1]),
    |at, _| (at[0], at[1]) = (-at[1], at[0]),
    |at, _| at[0] = -at[0],
    |at, _| at.swap(0, 1),
    |at, turn| {
        let (sin, cos) = turn.angle.sin_cos();
        (at[0], at[1]) = (cos * at[0] - sin * at[1], sin * at[0] + cos * at[1]);
    },
];

fn moved(call: &Call, random: &mut Random) -> Option<Call> {
    if !is_explicit(call) {
        return None;
    }
    let (path, places) = coordinates(call)?;
    let start = random.below(MOTIONS.len());
    let shift = [0; 2].map(|_| random.below(33) as f64 - 16.0);
    let turn = Turn { shift, angle: random.below(1 << 20) as f64 };
    let narrow = places.dtype() == Dtype::F32;
    (0..MOTIONS.len()).find_map(|k| {
        let motion = MOTIONS[(start + k) % MOTIONS.len()];
        let moved = map_rows(places, |_, at| {
            motion(at, turn);
            if narrow {
                at.iter_mut().for_each(|x| *x = f64::from(*x as f32));
            }
        })?;
        same_counts(call, with_slot(call, &path, moved))
    })
}

pub(super) const C6: Law = Law {
    id: "C6",
    function: FUNCTION,
    statement: "Positions and thresholds times a power of two change nothing.",
    claim: Claim::Twist { twist: zoomed, holds: unchanged },
};

fn zoomed(call: &Call, random: &mut Random) -> Option<Call> {
    if !is_explicit(call) {
        return None;
    }
    let (path, places) = coordinates(call)?;
    let factors = [0.25, 8.0, 2.0];
    let start = random.below(factors.len());
    let tried = (0..factors.len()).map(|k| factors[(start + k) % factors.len()]);
    let places = Value::from(places.clone());
    let (factor, zoomed) =
        tried.into_iter().find_map(|f| Some((f, map_numbers(&places, |x| f * x)?)))?;
    let wider: Vec<f64> = task(call)?.interval.iter().map(|t| factor * f64::from(*t)).collect();
    let zoomed = with_params(&with_slot(call, &path, zoomed), [("interval", distances(&wider))]);
    same_counts(call, zoomed)
}

pub(super) const C9: Law = Law {
    id: "C9",
    function: FUNCTION,
    statement: "Two copies farther apart than the largest threshold change nothing.",
    claim: Claim::Twist { twist: copied, holds: unchanged },
};

fn copied(call: &Call, _: &mut Random) -> Option<Call> {
    let task = task(call).filter(|_| is_explicit(call))?;
    let (path, places) = coordinates(call)?;
    let n = task.labels.len();
    let largest = |v: &[f32]| v.iter().fold(0.0_f32, |most, x| most.max(x.abs()));
    let reach = 2.0 * f64::from(largest(&task.x)) + f64::from(largest(&task.interval)) + 1.0;
    // A power of two, so that sums are exact as long as digits last.
    let apart = reach.log2().ceil().exp2();
    let both: Vec<usize> = (0..2 * n).map(|i| i % n).collect();
    let Value::Dense(twice) = Value::from(places.clone()).take_rows(&both) else { return None };
    let moved = map_rows(&twice, |i, at| at[0] += if i < n { 0.0 } else { apart })?;
    let mut data = call.data.subset(Some(&both), None);
    data.set(&path, moved);
    rename_cells(&mut data);
    let copied = with_data(call, data);
    let doubled = counts(call)?.n.iter().map(|n| 2 * n).collect::<Vec<_>>();
    (counts(&copied)?.n == doubled).then_some(copied)
}

pub(super) const C13: Law = Law {
    id: "C13",
    function: FUNCTION,
    statement: "Cells at the places 0, 1, 2 ... of a line have the counts that adding up over lags gives.",
    claim: Claim::Twist { twist: on_a_line, holds: lags_add_up },
};

fn on_a_line(call: &Call, _: &mut Random) -> Option<Call> {
    let n = task(call)?.labels.len();
    let (path, _) = coordinates(call)?;
    let line: Vec<f64> = (0..n).flat_map(|i| [i as f64, 0.0]).collect();
    let placed = with_slot(call, &path, Dense::new(vec![n, 2], line).into());
    Some(with_params(&placed, [("interval", distances(&[0.0, 1.0, 2.5, 4.0, 7.0]))]))
}

fn lags_add_up(_: &Answered<'_>, after: &Answered<'_>, checks: &mut Checks) -> Result<(), Fault> {
    let Some(grid) = grid(after, checks)? else { return Ok(()) };
    let (k, bins, labels) = (grid.k, grid.bins, &grid.task.labels);
    let mut n = vec![0u64; k * k * bins];
    for r in 0..bins {
        let reach = grid.task.interval[r + 1] as usize;
        for lag in 1..=reach.min(labels.len().saturating_sub(1)) {
            for (a, b) in labels.iter().zip(&labels[lag..]).map(|(a, b)| (*a as usize, *b as usize))
            {
                n[(a * k + b) * bins + r] += 1;
                n[(b * k + a) * bins + r] += 1;
            }
        }
    }
    let counts = Counts { k, bins, n };
    let weights = Weights::new(&counts);
    let expected = grid.each(|i, c, r| {
        let weight = weights.at(i, c, r);
        if weight > 0.0 { counts.at(i, c, r) as f64 / weight } else { 0.0 }
    });
    grid.is(&expected, |at| few_bits(expected[at]), checks);
    Ok(())
}
