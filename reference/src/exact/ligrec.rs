//! Means of genes in clusters as fractions, and p-values by comparing them.

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{Signed, Zero};

use super::number::nearest;
use super::ring::integers;
use super::{Beyond, Number, Tally, arrangements};
use crate::ligrec::Task;

/// The data of a call as integers at one scale.
pub struct Ligrec<'a> {
    task: &'a Task,
    /// Number of cells by cluster.
    sizes: Vec<BigInt>,
    /// Values by gene and cell, times `scale`.
    values: Vec<Vec<BigInt>>,
    scale: BigRational,
}

impl Ligrec<'_> {
    /// Reads the data of a call.
    ///
    /// # Errors
    /// [`Beyond::Infinite`] for infinite values.
    pub fn new(task: &Task) -> Result<Ligrec<'_>, Beyond> {
        let cells = task.labels.len();
        let mut all = vec![0.0; task.columns.len() * cells];
        for (gene, column) in task.columns.iter().enumerate() {
            for (cell, value) in column.cells.iter().zip(&column.values) {
                if value.is_infinite() {
                    return Err(Beyond::Infinite { gene: task.genes[gene].clone() });
                }
                all[gene * cells + *cell as usize] = *value;
            }
        }
        let (all, exponent) = integers(&all);
        let size = |cluster: u32| task.labels.iter().filter(|l| **l == cluster).count();
        let two = BigRational::from(BigInt::from(2));
        Ok(Ligrec {
            task,
            sizes: (0..task.clusters.len() as u32).map(|c| size(c).into()).collect(),
            values: all.chunks(cells.max(1)).map(<[BigInt]>::to_vec).collect(),
            scale: num_traits::Pow::pow(two, exponent),
        })
    }

    /// `(mu[s,c] + mu[t,d])/2` by interaction and pair of clusters, row-major; 0 unless both means are positive.
    pub fn means(&self) -> Vec<Number> {
        let sums = self.sums(&self.task.labels);
        self.entries(|s, t| {
            let [s, t] = [s, t].map(|side| self.mean(&sums, side));
            Number::Ratio(match s.is_positive() && t.is_positive() {
                true => (s + t) / BigInt::from(2),
                false => BigRational::zero(),
            })
        })
    }

    /// Which entries have a p-value: both means positive, both shares of expressing cells at the threshold or above.
    ///
    /// A share is compared as the `f64` nearest to it. In fractions 1/10 would miss a threshold of 0.1, which is a
    /// little more; nobody who writes 0.1 means that.
    pub fn defined(&self) -> Vec<bool> {
        let sums = self.sums(&self.task.labels);
        let expressed = |(gene, cluster): (usize, usize)| {
            let cells = self.task.labels.iter().zip(&self.values[gene]);
            let positive =
                cells.filter(|(l, v)| **l as usize == cluster && v.is_positive()).count();
            let share = BigRational::new(positive.into(), self.sizes[cluster].clone());
            sums[gene][cluster].is_positive() && nearest(&share) >= self.task.threshold
        };
        self.entries(|s, t| expressed(s) && expressed(t))
    }

    /// How `mu[s,c] + mu[t,d]` under some labellings compares with the observed one, by entry; `None` where undefined.
    ///
    /// # Panics
    /// When a labelling has not one label per cell, in the sizes observed.
    pub fn tally<'l>(&self, labellings: impl IntoIterator<Item = &'l [u32]>) -> Vec<Option<Tally>> {
        let mut counter = Counter::new(self);
        labellings.into_iter().for_each(|labels| counter.add(labels));
        counter.tallies
    }

    /// As [`Ligrec::tally`] over every distinct assignment of the labels to the cells.
    ///
    /// # Errors
    /// [`Beyond::Arrangements`] if there are more than `limit`: `n!/prod n_c!`.
    pub fn enumerate(&self, limit: u64) -> Result<Vec<Option<Tally>>, Beyond> {
        arrangements::count(&self.task.labels, limit)?;
        let mut counter = Counter::new(self);
        arrangements::each(&self.task.labels, |labels| counter.add(labels));
        Ok(counter.tallies)
    }

    /// Sums by gene and cluster.
    fn sums(&self, labels: &[u32]) -> Vec<Vec<BigInt>> {
        assert_eq!(labels.len(), self.task.labels.len(), "one label per cell");
        let of_gene = |values: &Vec<BigInt>| {
            let mut sums = vec![BigInt::ZERO; self.sizes.len()];
            values.iter().zip(labels).for_each(|(value, label)| sums[*label as usize] += value);
            sums
        };
        self.values.iter().map(of_gene).collect()
    }

    fn mean(&self, sums: &[Vec<BigInt>], (gene, cluster): (usize, usize)) -> BigRational {
        BigRational::new(sums[gene][cluster].clone(), self.sizes[cluster].clone()) * &self.scale
    }

    /// One value per interaction and pair of clusters, from (gene, cluster) of its two sides.
    fn entries<T>(&self, value: impl Fn((usize, usize), (usize, usize)) -> T) -> Vec<T> {
        let side = |gene: u32, cluster: u32| (gene as usize, cluster as usize);
        let of_row = |[s, t]: &[u32; 2]| {
            let pairs = self.task.pairs.iter();
            pairs.map(|[c, d]| value(side(*s, *c), side(*t, *d))).collect::<Vec<T>>()
        };
        self.task.interactions.iter().flat_map(of_row).collect()
    }
}

/// Compares labellings with the observed one.
struct Counter<'a> {
    data: &'a Ligrec<'a>,
    observed: Vec<BigInt>,
    tallies: Vec<Option<Tally>>,
}

impl<'a> Counter<'a> {
    fn new(data: &'a Ligrec<'a>) -> Counter<'a> {
        let tally = |defined: bool| defined.then(Tally::default);
        Counter {
            data,
            observed: statistics(data, &data.task.labels),
            tallies: data.defined().into_iter().map(tally).collect(),
        }
    }

    fn add(&mut self, labels: &[u32]) {
        let permuted = statistics(self.data, labels);
        for ((tally, permuted), observed) in
            self.tallies.iter_mut().zip(&permuted).zip(&self.observed)
        {
            if let Some(tally) = tally {
                tally.add(permuted.cmp(observed));
            }
        }
    }
}

/// `n_c n_d (mu[s,c] + mu[t,d])` by entry; sizes do not change, so it is ordered as the statistic is.
fn statistics(data: &Ligrec<'_>, labels: &[u32]) -> Vec<BigInt> {
    let sums = data.sums(labels);
    data.entries(|(s, c), (t, d)| &sums[s][c] * &data.sizes[d] + &sums[t][d] * &data.sizes[c])
}
