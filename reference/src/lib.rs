//! The CPU reference: what each host function should answer, in `f64`.
//!
//! One module per function holds the formula, its source and every place where the host deviates from
//! it. Nothing here looks at the host's answers or at the generators of test data, so one misreading
//! cannot hide on both sides of a comparison. Results do not depend on the number of threads, the
//! clock, entropy or the order of a hash map.
//!
//! - [`spatial_autocorr`]: Moran's I and Geary's C.
//! - [`co_occurrence`]: how much more often than by chance one cluster is found near another.
//! - [`ligrec`]: pairs of genes expressed by pairs of clusters, against permuted labels.
//!
//! Shared parts, open to other backends and to judges that derive tolerances from them: [`args`]
//! (arguments as Python would take them), [`graph`] and [`matrix`] (slots as numbers), [`rng`]
//! (permutations), [`stats`] (p-values and their correction), [`sum()`](sum::sum) (one order of additions).

#![forbid(unsafe_code)]

pub mod args;
pub mod co_occurrence;
pub mod exact;
pub mod graph;
mod labels;
pub mod ligrec;
pub mod matrix;
pub mod rng;
pub mod spatial_autocorr;
pub mod stats;
pub mod sum;

use dispatch::{Device, Digest, Entry, Manifest, Table};

/// Every function of the reference.
static ENTRIES: &[Entry<()>] = &[spatial_autocorr::ENTRY, co_occurrence::ENTRY, ligrec::ENTRY];

/// The reference as a backend named `reference`.
///
/// ```
/// use dispatch::Backend;
/// let backend = reference::backend();
/// assert!(backend.manifest().functions.contains_key("spatial_autocorr"));
/// ```
pub fn backend() -> Table<()> {
    let name_and_version = concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION"));
    let manifest = Manifest {
        name: "reference".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        summary:
            "The CPU reference: each host function in f64, the same bits for any number of threads"
                .to_owned(),
        device: Device::Cpu,
        functions: Default::default(),
        artifact: Digest::of_bytes(name_and_version.as_bytes()),
    };
    Table::new(manifest, (), ENTRIES)
}
