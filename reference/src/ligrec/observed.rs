//! Sums, means and shares of expressing cells under the labels as they are.

use super::{Fixed, Task};

/// What the data say before any permutation; matrices are genes by clusters, row-major.
#[derive(Clone, Debug, PartialEq)]
pub struct Observed {
    /// Number of cells of each cluster.
    pub sizes: Vec<u64>,
    /// The values as integers.
    pub fixed: Fixed,
    /// Sum of each gene in each cluster, in units of `fixed`; infinities left out.
    pub sums: Vec<i128>,
    /// `mu`.
    pub means: Vec<f64>,
    /// Number of cells with a positive value.
    pub expressing: Vec<u64>,
    /// `f`, `expressing` by size.
    pub shares: Vec<f64>,
}

impl Task {
    /// Number of clusters.
    pub fn k(&self) -> usize {
        self.clusters.len()
    }

    /// Sums, means and shares of expressing cells.
    pub fn observed(&self) -> Observed {
        let k = self.k();
        let mut sizes = vec![0u64; k];
        self.labels.iter().for_each(|&label| sizes[label as usize] += 1);
        let fixed = Fixed::new(&self.columns, self.labels.len());
        let entries = self.columns.len() * k;
        let (mut sums, mut means) = (Vec::with_capacity(entries), Vec::with_capacity(entries));
        let mut expressing = vec![0u64; entries];
        for (gene, column) in self.columns.iter().enumerate() {
            // What is not finite goes past the integers: inf, -inf, or NaN where both meet.
            let mut infinite = vec![0.0; k];
            let mut rounded = vec![0.0; k];
            for (cell, value) in column.cells.iter().zip(&column.values) {
                let label = self.labels[*cell as usize] as usize;
                expressing[gene * k + label] += u64::from(*value > 0.0);
                let sums = if value.is_infinite() { &mut infinite } else { &mut rounded };
                sums[label] += value;
            }
            let of_gene = fixed.sums(gene, &column.cells, &self.labels, k);
            for c in 0..k {
                // The common scale is that of the largest gene; digits of a gene far below it are lost there.
                let sum = if fixed.exact { fixed.value(of_gene[c]) } else { rounded[c] };
                means.push(sum / sizes[c] as f64 + infinite[c]);
            }
            sums.extend(of_gene);
        }
        let shares = expressing.iter().zip(sizes.iter().cycle());
        let shares = shares.map(|(&n, &size)| n as f64 / size as f64).collect();
        Observed { sizes, fixed, sums, means, expressing, shares }
    }

    /// Which entries of the answer have a p-value: both means positive, both shares at the threshold or above.
    pub fn defined(&self, observed: &Observed) -> Vec<bool> {
        let k = self.k();
        let expressed: Vec<bool> = (observed.means.iter().zip(&observed.shares))
            .map(|(mean, share)| *mean > 0.0 && *share >= self.threshold)
            .collect();
        self.entries(|s, t| expressed[s] && expressed[t], k)
    }

    /// One value per interaction and pair of clusters, from the entries (gene, cluster) of its two sides.
    pub(super) fn entries<T>(&self, value: impl Fn(usize, usize) -> T, k: usize) -> Vec<T> {
        let mut out = Vec::with_capacity(self.interactions.len() * self.pairs.len());
        for [s, t] in &self.interactions {
            for [c, d] in &self.pairs {
                out.push(value(*s as usize * k + *c as usize, *t as usize * k + *d as usize));
            }
        }
        out
    }
}
