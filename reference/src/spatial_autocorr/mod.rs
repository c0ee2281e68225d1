//! Moran's I and Geary's C of each feature over a spatial graph, as `squidpy.gr.spatial_autocorr`.
//!
//! With values `x` of a feature over `n` cells, `z = x - mean(x)`, `D = sum_i z_i^2` and weights `w_ij`:
//!
//! | | Moran | Geary |
//! | --- | --- | --- |
//! | statistic | `I = n/S0 * sum_ij w_ij z_i z_j / D` | `C = (n-1) sum_ij w_ij (x_i - x_j)^2 / (2 S0 D)` |
//! | expected | `-1/(n-1)` | 1 |
//! | variance | `(n^2 S1 - n S2 + 3 S0^2) / ((n-1)(n+1) S0^2) - 1/(n-1)^2` | `((2 S1 + S2)(n-1) - 4 S0^2) / (2 (n+1) S0^2)` |
//!
//! with `S0`, `S1`, `S2` of [`Moments`](crate::graph::Moments); expected value and variance hold for normal values
//! (Cliff and Ord 1981). `pval_norm` is the normal tail on the side of the statistic, doubled if `two_tailed`.
//! Permutations take row `pi(i)` of the weights for row `i` and leave the values where they are, which is what the host does;
//! it is *not* the relabelling of cells that Cliff and Ord and `esda` mean, and its variance is smaller (see [`null`]).
//! `pval_sim = (L + 1)/(N + 1)` with L the smaller of the counts of permutations at or above, and below, the statistic.
//! Rows are sorted by the statistic, I falling and C rising, NaN last, ties in the order asked for.
//!
//! # Where the host deviates, and what is defined here
//!
//! - *Dtype*: the host normalises rows and takes `S0`, `S1`, `S2` in the dtype of the graph, float32 as a rule, and gives
//!   `var_norm` as float32. Here all is float64.
//! - *Integer, bool and CSC graphs*: the host drops the row normalisation without a word; for bool `w + w.T` is a logical OR; CSC
//!   raises `AttributeError`. Here the dtype and the format of a graph do not change its meaning.
//! - *Constant feature, NaN or infinity in a feature*: the host leaves `pval_norm` and `pval_z_sim` uninitialised, gives
//!   `pval_sim = 1/(N+1)`, and the FDR of all features becomes NaN. Here the row is NaN, but for `var_norm`, and the correction is over
//!   the others.
//! - *Features so small or large that `D` is 0 or infinite in float64* (below about 1e-154, above 1e154): NaN, like constant ones.
//! - *S0 = 0*: the host raises `SystemError`. Here every number is NaN.
//! - *Tails*: the host takes `1 - cdf`, 0 beyond z = 8.3; here the upper tail itself.
//! - *Geary on sparse values with a large mean*: the host's one-pass denominator cancels. Here both passes are centred.
//! - *`use_raw`*: the host passes names through Python sets; here they keep their order, duplicates collapse to the first, names
//!   that `raw` does not have are left out as by the host, and a name that is ambiguous is a `ValueError`.
//! - *Seed `None`*: random in the host; here it means 0.
//! - *`n_jobs`*: with `rng="numpy"` it splits the permutations as the host does (chunk c draws from `seed + c`); otherwise
//!   it changes nothing.
//! - *`rng`* is this reference's own keyword: `"concord"` (default) takes [`Permutations`](crate::rng::Permutations) number 1,
//!   `"numpy"` the host's own stream.

mod features;
pub mod null;
mod quantized;
mod score;
mod sparse;
mod table;
mod task;
mod tile;
#[cfg(target_arch = "x86_64")]
mod x86;

use std::sync::LazyLock;

use dispatch::{Dataset, Entry, Fault, Param, Params, Reply, Signature, Value};

pub use features::Features;
pub use null::{NullMoments, Permuted};
pub use score::{Mode, Statistics, centred, geary_numerator, moran_numerator};
pub use table::Column;
pub use task::{Rng, Task};

/// The function in the backend's table.
pub const ENTRY: Entry<()> = Entry { name: "spatial_autocorr", signature, run };

static SIGNATURE: LazyLock<Signature> = LazyLock::new(|| {
    Signature::new([
        Param::required("adata"),
        Param::optional("connectivity_key", "spatial_connectivities"),
        Param::optional("genes", Value::None),
        Param::optional("mode", "moran"),
        Param::optional("transformation", true),
        Param::optional("n_perms", Value::None),
        Param::optional("two_tailed", false),
        Param::optional("corr_method", "fdr_bh"),
        Param::optional("attr", "X"),
        Param::optional("layer", Value::None),
        Param::optional("seed", Value::None),
        Param::optional("use_raw", false),
        Param::optional("copy", false),
        Param::optional("n_jobs", Value::None),
        // The name of a joblib backend, as in the host; it changes nothing.
        Param::optional("backend", "loky"),
        Param::optional("show_progress_bar", true),
        Param::keyword("table_key", Value::None),
        Param::keyword("rng", "concord"),
    ])
});

/// The parameters: the host's, and `rng`.
pub fn signature() -> Signature {
    SIGNATURE.clone()
}

fn run(_: &(), data: &Dataset, params: &Params) -> Result<Reply, Fault> {
    let task = Task::read(data, params)?;
    let table = task.statistics().table(&task);
    Ok(task.reply(table))
}
