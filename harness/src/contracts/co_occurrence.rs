//! How answers of `co_occurrence` are judged.
//!
//! The ratios are quotients of counts, and counts are integers, so the only freedom a correct backend
//! has is where float32 rounding puts a pair that lies on a threshold. [`Task::band`] encloses every
//! such count; interval arithmetic carries the band to the ratios (spec A.2.4). On integer coordinates
//! the band has no width, and the ratios must agree to the last few bits of float64.

use dispatch::{Call, Dataset, Dense, Fault, Value};
use reference::co_occurrence::{Band, Ends, Task, automatic_ends, interval::linspace};

use crate::compare::{Allowance, Checks};
use crate::contract::{Answers, Contract};
use crate::profile::{Profile, U32};
use crate::show::place;

/// The contract.
pub(super) const CONTRACT: Contract = Contract {
    function: "co_occurrence",
    semantic: &["cluster_key", "spatial_key", "interval"],
    rests_on: &[("occ: value", &["interval: value"])],
    judge,
    host_undefined,
};

fn judge(call: &Call, answers: &Answers<'_>, checks: &mut Checks) -> Result<(), Fault> {
    let (Some(expected), Some(actual)) =
        (parts(&answers.expected.data), parts(&answers.actual.data))
    else {
        let shape = |data: &Dataset| {
            data.leaves()
                .iter()
                .map(|(p, v)| format!("{p}: {}", v.type_name()))
                .collect::<Vec<_>>()
                .join(", ")
        };
        checks.equal(
            "answer: form",
            "result",
            &shape(&answers.expected.data),
            &shape(&answers.actual.data),
        );
        return Ok(());
    };
    let form = |(occ, interval): (&Dense, &Dense)| {
        format!("occ {:?}, interval {:?}", occ.shape, interval.shape)
    };
    if !checks.equal("shape: form", "occ", &form(expected), &form(actual)) {
        return Ok(());
    }
    let task = Task::read(&call.data, &call.params)?;
    let (e, a) = (expected.1.to_f64(), actual.1.to_f64());
    let automatic = matches!(call.param("interval"), None | Some(Value::Int(_)));
    // A given interval is sorted and cast, which rounds nothing twice.
    let (wanted, room) = match automatic {
        true => automatic_interval(call, answers, &e, &a)?,
        false => (e.clone(), Allowance::Exact),
    };
    checks.numbers("interval: value", "interval", &wanted, &a, |i| format!("[{i}]"), |_| room);
    if automatic {
        spacing(&a, checks);
    }
    let task = if e == a { task } else { at_interval(task, &a) };
    // Ratios at another interval than the host's are those of the reference.
    let same_ratios = e == a && expected.0.data == actual.0.data;
    let e = if e == a { expected.0.to_f64() } else { task.counts().ratios() };
    let a = actual.0.to_f64();
    // Equal to the bit: no band need be derived.
    let unit = answers.backend.unit();
    let allowed = if same_ratios { Vec::new() } else { ratios_allowed(&task.band(), unit) };
    let shape = &expected.0.shape;
    checks.numbers(
        "occ: value",
        "occ",
        &e,
        &a,
        |i| place(i, shape),
        |i| allowed.get(i).copied().unwrap_or(Allowance::Exact),
    );
    Ok(())
}

/// What an automatic interval `a` is compared with, and how far it may be: the host's `e`, or where cells have equal sums
/// and the host's choice among them is as good as another, the one of the choice that `a` seems to have made.
///
/// Square roots and divisions in float32 come to `4u t_max` for any order of operations (spec A.2.4); a side that
/// expands its squares may lose more ([`Ends::expansion`]). What lies between the ends is no further off than they are.
fn automatic_interval(
    call: &Call,
    answers: &Answers<'_>,
    e: &[f64],
    a: &[f64],
) -> Result<(Vec<f64>, Allowance), Fault> {
    let Some(choices) = automatic_ends(&call.data, &call.params)? else {
        return Ok((e.to_vec(), Allowance::Undefined));
    };
    let off = |interval: &[f64], ends: &Ends| match (interval.first(), interval.last()) {
        (Some(&low), Some(&high)) => {
            let [t_min, t_max] = ends.values.map(f64::from);
            (low - t_min).abs().max((high - t_max).abs())
        }
        _ => f64::INFINITY,
    };
    let nearest = |interval: &[f64]| {
        choices.iter().copied().min_by(|x, y| off(interval, x).total_cmp(&off(interval, y)))
    };
    let room = |ends: &Ends, sides: &[Profile]| {
        let [t_min, t_max] = ends.values.map(f64::from);
        let expanded = sides.iter().filter(|side| side.expanded_distance).count() as f64;
        4.0 * U32 * t_min.max(t_max) + expanded * ends.expansion[0].max(ends.expansion[1])
    };
    let (Some(of_host), Some(own)) = (nearest(e), nearest(a)) else {
        return Ok((e.to_vec(), Allowance::Undefined));
    };
    if of_host == own || off(e, &of_host) > room(&of_host, &[answers.host]) {
        let room = room(&of_host, &[answers.host, answers.backend]);
        return Ok((e.to_vec(), Allowance::Within(room)));
    }
    let wanted = linspace(own.values[0], own.values[1], a.len());
    let room = room(&own, &[answers.backend]);
    Ok((wanted.into_iter().map(f64::from).collect(), Allowance::Within(room)))
}

/// An automatic interval is spaced as NumPy spaces it from its own ends: `fl(fl(i step) + low)` in float32, or with one
/// rounding where product and sum are fused. The ends may be some units off; what lies between them follows.
fn spacing(interval: &[f64], checks: &mut Checks) {
    let (Some(&low), Some(&high)) = (interval.first(), interval.last()) else { return };
    let (low, high, last) = (low as f32, high as f32, interval.len() - 1);
    let (delta, parts) = (high - low, last as f32);
    let step = delta / parts;
    let [plain, fused]: [Vec<f64>; 2] = [false, true].map(|fuse| {
        let at = |i: usize| match (i == last, step == 0.0, fuse) {
            (true, _, _) => high,
            (false, true, _) => i as f32 / parts * delta + low,
            (false, false, false) => i as f32 * step + low,
            (false, false, true) => (i as f32).mul_add(step, low),
        };
        (0..=last).map(|i| f64::from(at(i))).collect()
    });
    checks.numbers(
        "interval: spacing",
        "interval",
        &plain,
        interval,
        |i| format!("[{i}]"),
        |i| Allowance::Between(plain[i].min(fused[i]), plain[i].max(fused[i])),
    );
}

/// The same question at the distances of an answer, so that a last bit of them does not hide the ratios.
fn at_interval(task: Task, interval: &[f64]) -> Task {
    let interval: Vec<f32> = interval.iter().map(|t| *t as f32).collect();
    let thresholds = interval.iter().skip(1).map(|t| t * t).collect();
    Task { interval, thresholds, ..task }
}

/// `occ` and `interval`, wherever the call put them.
pub(crate) fn parts(data: &Dataset) -> Option<(&Dense, &Dense)> {
    let leaves = data.leaves();
    match leaves.as_slice() {
        [(_, Value::Tuple(items))] => match items.as_slice() {
            [Value::Dense(occ), Value::Dense(interval)] => Some((occ, interval)),
            _ => None,
        },
        [(interval_path, Value::Dense(interval)), (occ_path, Value::Dense(occ))]
            if interval_path.ends_with("/interval") && occ_path.ends_with("/occ") =>
        {
            Some((occ, interval))
        }
        _ => None,
    }
}

/// For each ratio, what some count inside the band gives.
fn ratios_allowed(band: &Band, unit: f64) -> Vec<Allowance> {
    let (low, high) = (&band.low, &band.high);
    let (k, bins) = (low.k, low.bins);
    let (rows_low, rows_high) = (low.row_sums(), high.row_sums());
    let total = |rows: &[u64], r: usize| -> u64 { (0..k).map(|b| rows[b * bins + r]).sum() };
    let mut allowed = Vec::with_capacity(low.n.len());
    for i in 0..k {
        for c in 0..k {
            for r in 0..bins {
                let (given, of) = (c * bins + r, i * bins + r);
                allowed.push(if rows_high[given] == 0 || rows_high[of] == 0 {
                    Allowance::Exact
                } else if rows_low[given] == 0 || rows_low[of] == 0 {
                    // A pair in doubt decides whether there is anything to divide by.
                    Allowance::Undefined
                } else {
                    let least = low.at(c, i, r) as f64 * total(&rows_low, r) as f64
                        / (rows_high[given] as f64 * rows_high[of] as f64);
                    let most = high.at(c, i, r) as f64 * total(&rows_high, r) as f64
                        / (rows_low[given] as f64 * rows_low[of] as f64);
                    // Two conversions to floats, a product or quotient each, in any order, on both sides.
                    Allowance::Between(least * (1.0 - 8.0 * unit), most * (1.0 + 8.0 * unit))
                });
            }
        }
    }
    allowed
}

/// squidpy 1.8.3 sizes its table by the labels that are present and indexes it by category code.
fn host_undefined(call: &Call) -> Option<String> {
    let key = call.param("cluster_key").and_then(Value::as_text)?;
    let Value::Categorical(column) = call.data.get(&format!("obs/{key}"))? else { return None };
    let used = |code: usize| column.codes.iter().any(|&c| usize::try_from(c) == Ok(code));
    let categories = column.categories.len().unwrap_or(0);
    let last_used = (0..categories).rev().find(|&code| used(code))?;
    let unused = (0..last_used).find(|&code| !used(code))?;
    let name = column.names().get(unused).cloned().unwrap_or_default();
    Some(format!(
        "the unused category `{name}` stands before a used one: squidpy writes outside its table"
    ))
}
