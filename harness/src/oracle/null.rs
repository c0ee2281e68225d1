//! Which null hypothesis the variances of an answer belong to.
//!
//! squidpy permutes the rows of the weights and leaves the values where they are. Cliff and Ord, and `esda`, permute the
//! values of the cells. Both nulls have exact moments, so the variances that an answer reports tell which one it sampled.

use dispatch::{Call, Reply, Value};
use reference::exact::{Null, null_moments};
use reference::spatial_autocorr::Task;

use crate::contracts::frames::{at, join, numbers};

/// Above this many products the exact moments would take too long.
const MOST: usize = 1 << 20;

/// How far the variances of an answer are from those of each null, in standard errors; the largest over the features.
///
/// The variance of N draws has the standard error `sqrt(2/N)` of itself for normal draws. Permutation distributions are
/// near enough to normal for a ratio that is 10 standard errors off to mean another null.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Deviations {
    /// From the null that permutes the rows of the weights.
    pub rows: f64,
    /// From the null of Cliff and Ord.
    pub labels: f64,
}

impl Deviations {
    /// A sentence, if the answer permutes rows and shows it.
    pub fn objection(&self) -> Option<String> {
        (self.labels > 10.0 && self.labels > 4.0 * self.rows).then(|| {
            format!(
                "the permutation null is not that of Cliff and Ord: var_sim is {:.0} standard errors from theirs, {:.1} from \
                 that of permuted rows",
                self.labels, self.rows
            )
        })
    }
}

/// Compares `var_sim` of an answer with the exact variances; `None` without permutations, or where no feature has both.
pub fn deviations(call: &Call, reply: &Reply) -> Option<Deviations> {
    let task = Task::read(&call.data, &call.params).ok()?;
    let n_perms = task.n_perms.filter(|n| *n > 1)?;
    if task.features.len() * (task.graph.weights.len() + task.n()) > MOST {
        return None;
    }
    let slot = if task.copy { "result" } else { task.mode.slot() };
    let Some(Value::Frame(frame)) = reply.data.get(slot) else { return None };
    let rows = join(&task.features.labels.labels(), &frame.index.labels())?;
    let variances = at(&numbers(frame, "var_sim")?, &rows);
    let error = (2.0 / n_perms as f64).sqrt();
    let worst = |null: Null| {
        let moments = null_moments(&task, null);
        let each = moments.iter().zip(&variances).filter_map(|(moments, variance)| {
            let exact = moments.as_ref()?.variance.nearest();
            (exact > 0.0).then(|| (variance / exact - 1.0).abs() / error)
        });
        each.reduce(f64::max)
    };
    Some(Deviations { rows: worst(Null::Rows)?, labels: worst(Null::Labels)? })
}
