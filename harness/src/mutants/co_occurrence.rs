//! Mistakes in `co_occurrence`.

use dispatch::{Dataset, Fault, Params, Reply, Value};
use reference::co_occurrence::Task;

use super::Mutant;

/// B1 of the specification.
pub(super) const STRICT_THRESHOLD: Mutant = Mutant {
    name: "cooc-strict-threshold",
    function: "co_occurrence",
    mistake: "counts pairs nearer than a threshold, not those at it",
    origin: "`d < t` for `d <= t`; random coordinates never show it",
    check: "occ: value",
    run: |data, params| {
        let mut task = Task::read(data, params)?;
        // The float just below admits exactly the pairs that are strictly nearer.
        task.thresholds.iter_mut().filter(|t| **t > 0.0).for_each(|t| *t = t.next_down());
        Ok(task.reply(task.counts().ratios()))
    },
};

/// B2 of the specification.
pub(super) const ANNULI: Mutant = Mutant {
    name: "cooc-annuli",
    function: "co_occurrence",
    mistake: "counts pairs between two thresholds, not all within the larger",
    origin: "squidpy itself before PR #816",
    check: "occ: value",
    run: |data, params| {
        let task = Task::read(data, params)?;
        let mut counts = task.counts();
        for bins in counts.n.chunks_mut(counts.bins.max(1)) {
            for r in (1..bins.len()).rev() {
                bins[r] = bins[r].abs_diff(bins[r - 1]);
            }
        }
        Ok(task.reply(counts.ratios()))
    },
};

/// B4 of the specification.
pub(super) const SELF_PAIRS: Mutant = Mutant {
    name: "cooc-self-pairs",
    function: "co_occurrence",
    mistake: "counts each cell as its own neighbour",
    origin: "a missing `i != j`; hardly visible with many cells",
    check: "occ: value",
    run: |data, params| {
        let task = Task::read(data, params)?;
        let mut counts = task.counts();
        for &label in &task.labels {
            let diagonal = (label as usize * counts.k + label as usize) * counts.bins;
            counts.n[diagonal..diagonal + counts.bins].iter_mut().for_each(|n| *n += 1);
        }
        Ok(task.reply(counts.ratios()))
    },
};

/// B10 of the specification.
pub(super) const STRIDE_TWO: Mutant = Mutant {
    name: "cooc-stride-two",
    function: "co_occurrence",
    mistake: "reads coordinates with three columns as if they had two",
    origin: "the kernel of rapids-singlecell 0.18.1; invisible in 2-D",
    check: "occ: value",
    run: stride_two,
};

fn stride_two(data: &Dataset, params: &Params) -> Result<Reply, Fault> {
    let mut task = Task::read(data, params)?;
    let key = params.get("spatial_key").and_then(Value::as_text).unwrap_or("spatial");
    if let Some(Value::Dense(coordinates)) = data.get(&format!("obsm/{key}")) {
        let flat = coordinates.to_f64();
        for i in 0..task.x.len() {
            (task.x[i], task.y[i]) = (flat[2 * i] as f32, flat[2 * i + 1] as f32);
        }
    }
    Ok(task.reply(task.counts().ratios()))
}
