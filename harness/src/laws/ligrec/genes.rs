//! Laws about the list of interactions.

use std::collections::BTreeSet;

use dispatch::{Call, Dense, Fault, Frame, Index, Strings, Value};
use generators::Random;

use super::{
    FUNCTION, both, by_name, definition_agrees, join, means_scale, p_agree, row_names, same_means,
    same_tables, tables, task, uncorrected, with_interactions,
};
use crate::compare::Checks;
use crate::contracts::ligrec::Parts;
use crate::laws::twist::{shuffled, with_params};
use crate::laws::{Answered, Claim, Law};

pub(super) const L1: Law = Law {
    id: "L1",
    function: FUNCTION,
    statement: "Source and target exchanged together with the clusters give the same mean and p-value.",
    claim: Claim::Twist { twist: both_ways, holds: mirrored },
};

/// Every interaction and its mirror image, without correction: families of tests have no mirror image.
fn both_ways(call: &Call, _: &mut Random) -> Option<Call> {
    let task = task(call)?;
    let rows = row_names(&task);
    let mirrored = rows.iter().map(|[s, t]| [*t, *s]);
    let all: Vec<[&str; 2]> = rows.iter().copied().chain(mirrored).collect();
    Some(uncorrected(&with_interactions(call, &all)?))
}

fn mirrored(_: &Answered<'_>, after: &Answered<'_>, checks: &mut Checks) -> Result<(), Fault> {
    let Some(tables) = tables(after, checks)? else { return Ok(()) };
    let joined = join(&tables, &tables, |[s, t, c, d]| [t, s, d, c].map(str::to_owned));
    means_scale(&tables, &tables, &joined, 1.0, checks);
    definition_agrees(&tables, &tables, &joined, checks);
    p_agree(&tables, &tables, &joined, checks);
    Ok(())
}

pub(super) const L10: Law = Law {
    id: "L10",
    function: FUNCTION,
    statement: "Other interactions beside them, or another order, leave the means.",
    claim: Claim::Twist { twist: others_beside, holds: same_means },
};

/// The interactions in another order, the last of them left out if there are several, and a new one.
fn others_beside(call: &Call, random: &mut Random) -> Option<Call> {
    let task = task(call)?;
    let rows = row_names(&task);
    let order = shuffled(rows.len(), random);
    let mut chosen: Vec<[&str; 2]> = order.iter().map(|&i| rows[i]).collect();
    if chosen.len() > 1 {
        chosen.pop();
    }
    let mut gene = || task.genes[random.below(task.genes.len())].as_str();
    chosen.insert(0, [gene(), gene()]);
    with_interactions(call, &chosen)
}

pub(super) const L11: Law = Law {
    id: "L11",
    function: FUNCTION,
    statement: "Upper and lower case of gene names and repeated interactions have no effect.",
    claim: Claim::Twist { twist: in_other_letters, holds: same_tables },
};

fn in_other_letters(call: &Call, random: &mut Random) -> Option<Call> {
    let task = task(call)?;
    let rows = row_names(&task);
    let mut written = |name: &str| match random.below(2) {
        0 => name.to_lowercase(),
        _ => name.to_owned(),
    };
    let mut all: Vec<[String; 2]> = rows.iter().map(|row| row.map(&mut written)).collect();
    all.extend(rows.iter().map(|row| row.map(&mut written)));
    // Some letters do not come back from lower case.
    let survives = all
        .iter()
        .flatten()
        .all(|name| rows.iter().flatten().any(|other| name.to_uppercase() == *other));
    with_interactions(call, &all).filter(|_| survives)
}

pub(super) const L13: Law = Law {
    id: "L13",
    function: FUNCTION,
    statement: "The complex A_B is the gene of smaller mean over all cells under `min`, both genes under `all`.",
    claim: Claim::Twist { twist: as_a_complex, holds: parts_stand_for_it },
};

/// A_B with A, then A and B alone: the complex decides which of the rows is the first.
fn as_a_complex(call: &Call, random: &mut Random) -> Option<Call> {
    let task = task(call)?;
    // The mean is over all cells, those of clusters that were not asked for included; here only the kept ones are known.
    let all_kept = task.labels.len() == call.data.n_obs();
    let order = shuffled(task.genes.len(), random);
    let [a, b] = [*order.first()?, *order.get(1)?];
    let observed = task.observed();
    let [sum_a, sum_b] = [a, b].map(|gene| observed.fixed.total(gene));
    let infinite = [a, b].iter().any(|&g| task.columns[g].values.iter().any(|v| v.is_infinite()));
    // Sums that are not rounded order the same everywhere, and equal ones leave it to the order of the names.
    let clear =
        super::exact(&task, &observed) || sum_a.abs_diff(sum_b) > (sum_a.unsigned_abs() >> 20);
    let names = [a, b].map(|gene| task.genes[gene].as_str());
    if !all_kept || infinite || !clear || names.iter().any(|name| name.contains('_')) {
        return None;
    }
    let [a, b] = names;
    let rows = [
        [format!("{a}_{b}"), a.to_owned()],
        [a.to_owned(), a.to_owned()],
        [b.to_owned(), a.to_owned()],
    ];
    let tuple = |row: &[String; 2]| Value::Tuple(row.iter().map(|n| n.as_str().into()).collect());
    let policy = if random.below(2) == 0 { "min" } else { "all" };
    Some(with_params(
        &uncorrected(call),
        [
            ("interactions", Value::List(rows.iter().map(tuple).collect())),
            ("complex_policy", policy.into()),
        ],
    ))
}

fn parts_stand_for_it(
    before: &Answered<'_>,
    after: &Answered<'_>,
    checks: &mut Checks,
) -> Result<(), Fault> {
    // Which rows there are and in which order is what the law is about; the values follow by name.
    let Some((before, after)) = both(before, after, checks)? else { return Ok(()) };
    means_scale(&before, &after, &by_name(&before, &after), 1.0, checks);
    Ok(())
}

pub(super) const L15: Law = Law {
    id: "L15",
    function: FUNCTION,
    statement: "Other columns of the interactions come back unchanged, in the order of the rows.",
    claim: Claim::Twist { twist: with_a_column, holds: column_comes_back },
};

const COLUMN: &str = "serial";

fn with_a_column(call: &Call, _: &mut Random) -> Option<Call> {
    let task = task(call)?;
    let rows = row_names(&task);
    with_interactions(call, &rows)?;
    let column = |side: usize| Value::from(Strings::new(rows.iter().map(|row| row[side])));
    let serial: Vec<f64> = (0..rows.len()).map(|i| 0.5 + i as f64).collect();
    let numbers = Dense::vector((0..rows.len() as i64).collect::<Vec<_>>());
    let frame = Frame::new(
        Index { names: vec![None], levels: vec![numbers.into()] },
        [(COLUMN, Dense::vector(serial).into()), ("source", column(0)), ("target", column(1))],
    );
    Some(with_params(call, [("interactions", frame.into())]))
}

fn column_comes_back(
    _: &Answered<'_>,
    after: &Answered<'_>,
    checks: &mut Checks,
) -> Result<(), Fault> {
    let Some(tables) = tables(after, checks)? else { return Ok(()) };
    let Some(parts) = Parts::of(after.reply) else { return Ok(()) };
    let rows: Vec<String> =
        row_names(&tables.task).iter().map(|[s, t]| format!("{s} | {t}")).collect();
    checks.texts("metadata rows", "metadata", &rows, &parts.metadata.index.labels());
    let serial = crate::contracts::frames::numbers(parts.metadata, COLUMN).unwrap_or_default();
    let text = |x: f64| crate::compare::number(x);
    let wanted: Vec<String> = (0..rows.len()).map(|i| text(0.5 + i as f64)).collect();
    let found: Vec<String> = serial.into_iter().map(text).collect();
    checks.texts("metadata", &format!("metadata[{COLUMN}]"), &wanted, &found);
    Ok(())
}

pub(super) const L16: Law = Law {
    id: "L16",
    function: FUNCTION,
    statement: "The input is the same after the call.",
    claim: Claim::Answer { applies: |call| task(call).is_some(), holds: input_unchanged },
};

fn input_unchanged(answered: &Answered<'_>, checks: &mut Checks) -> Result<(), Fault> {
    let changed: BTreeSet<&str> = answered.reply.mutated.iter().map(String::as_str).collect();
    let changed: Vec<&str> = changed.into_iter().collect();
    checks.equal("slots changed", "", "", &changed.join(", "));
    Ok(())
}
