//! Inputs of one size, as many different ones as are asked for.

use std::sync::Arc;

use dispatch::{Call, Dataset};
use generators::sized::{self, Shape, Storage};
use reports::perf::Work;

use crate::file_case::FileCase;

/// Inputs that differ in content and not in size.
#[derive(Clone, Debug)]
pub enum Inputs {
    /// Made for measuring.
    Generated(Generated),
    /// From a user's file: subsets of its cells, or all of them in an order that begins elsewhere.
    File(FileCase),
}

/// What generated inputs are like.
#[derive(Clone, Debug)]
pub struct Generated {
    /// The function.
    pub function: String,
    /// Cells, genes, clusters, and how sparse.
    pub shape: Shape,
    /// Permutations, of a function that has them.
    pub n_perms: Option<u64>,
}

impl Inputs {
    /// The function that is called.
    pub fn function(&self) -> &str {
        match self {
            Inputs::Generated(generated) => &generated.function,
            Inputs::File(case) => case.function,
        }
    }

    /// Number of cells.
    pub fn cells(&self) -> usize {
        match self {
            Inputs::Generated(generated) => generated.shape.cells,
            Inputs::File(case) => case.cells(),
        }
    }

    /// Everything but the number of cells and the seed, as text.
    pub fn case(&self) -> String {
        match self {
            Inputs::Generated(generated) => {
                let Shape { genes, clusters, stored, .. } = generated.shape;
                let perms = generated.n_perms.map_or("none".to_owned(), |n| n.to_string());
                format!("genes={genes} stored=1/{stored} clusters={clusters} n_perms={perms}")
            }
            Inputs::File(case) => {
                let text = case.to_string();
                let kept = |word: &&str| !word.starts_with("cells=") && !word.starts_with("seed=");
                text.split(' ').filter(kept).collect::<Vec<_>>().join(" ")
            }
        }
    }

    /// The work of one call, where it is known.
    pub fn work(&self) -> Option<Work> {
        match self {
            Inputs::Generated(g) => {
                let (_, work) = sized::call(&g.function, g.shape, g.n_perms, Dataset::new())?;
                Some(Work {
                    unit: work.unit.to_owned(),
                    count: work.count,
                    operations: Some(work.operations),
                    bytes: Some(work.bytes),
                })
            }
            Inputs::File(_) => None,
        }
    }

    /// The call on the input of a number; another number, another content.
    ///
    /// # Errors
    /// Says which function nothing is known about.
    pub fn fresh(&self, seed: u64, number: u64) -> Result<Arc<Call>, String> {
        match self {
            Inputs::Generated(g) => {
                // Runs with neighbouring seeds share no input.
                let data = sized::dataset(g.shape, Storage::CsrF32, (seed << 32) ^ (number + 1));
                let made = sized::call(&g.function, g.shape, g.n_perms, data);
                let (call, _) = made.ok_or_else(|| {
                    format!(
                        "no inputs of any size are known for `{}`: give a file with --data",
                        g.function
                    )
                })?;
                Ok(Arc::new(call))
            }
            Inputs::File(case) => {
                let call = case.seeded((seed << 32) ^ number).build();
                Ok(Arc::new(if case.is_whole() { turned(call, number) } else { call }))
            }
        }
    }
}

/// The same cells in an order that begins elsewhere: neighbours in memory stay neighbours.
fn turned(call: Call, number: u64) -> Call {
    let n = call.data.n_obs();
    // A large step that has no factor in common with most sizes, so that few numbers meet.
    let first = (number as usize).wrapping_mul(7919) % n.max(1);
    let order: Vec<usize> = (first..n).chain(0..first).collect();
    Call { data: Arc::new(call.data.subset(Some(&order), None)), ..call }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_number_is_another_input_and_the_same_number_the_same() {
        for function in ["spatial_autocorr", "co_occurrence", "ligrec"] {
            let shape = Shape { cells: 40, genes: 6, clusters: 3, stored: 3 };
            let inputs = Inputs::Generated(Generated {
                function: function.to_owned(),
                shape,
                n_perms: None,
            });
            let digest = |seed, number| inputs.fresh(seed, number).unwrap().digest();
            assert_eq!(digest(1, 0), digest(1, 0), "{function}");
            assert_ne!(digest(1, 0), digest(1, 1), "{function}");
            assert_ne!(digest(1, 0), digest(2, 0), "{function}");
        }
    }

    #[test]
    fn a_turned_input_has_the_same_cells() {
        let shape = Shape { cells: 40, genes: 6, clusters: 3, stored: 3 };
        let data = sized::dataset(shape, Storage::CsrF32, 1);
        let (call, _) = sized::call("co_occurrence", shape, None, data).unwrap();
        let turned = turned(call.clone(), 3);
        let sorted = |call: &Call| {
            let mut names = call.data.obs_names();
            names.sort();
            names
        };
        assert_ne!(turned.data.obs_names(), call.data.obs_names());
        assert_eq!(sorted(&turned), sorted(&call));
    }
}
