//! The answer: tables of means and p-values.

use dispatch::{Dense, Frame, Index, Map, Reply, Strings, Value};

use super::{Axis, Observed, Task};

/// Means and p-values of interactions by pairs of clusters, row-major.
#[derive(Clone, Debug, PartialEq)]
pub struct Tables {
    /// 0 where one of the two means is not positive.
    pub means: Vec<f64>,
    /// Corrected if that was asked for; NaN where undefined.
    pub pvalues: Vec<f64>,
}

impl Task {
    /// The tables of a number of exceedances per entry.
    ///
    /// # Panics
    /// When there is not one count per interaction and pair of clusters.
    pub fn tables(&self, observed: &Observed, exceedances: &[u32]) -> Tables {
        let mean = |s: usize, t: usize| {
            let (s, t) = (observed.means[s], observed.means[t]);
            if s > 0.0 && t > 0.0 { (s + t) / 2.0 } else { 0.0 }
        };
        let defined = self.defined(observed);
        assert_eq!(
            exceedances.len(),
            defined.len(),
            "one count per interaction and pair of clusters"
        );
        let p = |(count, defined): (&u32, &bool)| match defined {
            true => f64::from(*count) / self.n_perms as f64,
            false => f64::NAN,
        };
        let pvalues = exceedances.iter().zip(&defined).map(p).collect();
        Tables { means: self.entries(mean, self.k()), pvalues: self.corrected(pvalues) }
    }

    /// p-values after the correction of the call, if any: an undefined one counts as 1 and stays NaN.
    pub fn corrected(&self, mut pvalues: Vec<f64>) -> Vec<f64> {
        let Some((method, alpha, axis)) = self.correction else { return pvalues };
        let width = self.pairs.len();
        let (families, size, step, next) = match axis {
            Axis::Clusters => (width, self.interactions.len(), width, 1),
            Axis::Interactions => (self.interactions.len(), width, 1, width),
        };
        for family in 0..families {
            let at = |member: usize| family * next + member * step;
            let ones = |p: f64| if p.is_nan() { 1.0 } else { p };
            let members: Vec<f64> = (0..size).map(|member| ones(pvalues[at(member)])).collect();
            for (member, adjusted) in method.adjust_at(&members, alpha).into_iter().enumerate() {
                let p = &mut pvalues[at(member)];
                *p = if p.is_nan() { f64::NAN } else { adjusted };
            }
        }
        pvalues
    }

    /// The answer: a dict of `means`, `pvalues` and `metadata`, in `result` or in `uns`.
    pub fn reply(&self, tables: Tables) -> Reply {
        let map = Map::from([
            ("means".to_owned(), self.frame(&tables.means).into()),
            ("pvalues".to_owned(), self.frame(&tables.pvalues).into()),
            ("metadata".to_owned(), self.metadata.clone().into()),
        ]);
        match &self.key {
            None => Reply::returning(map.into()),
            Some(key) => Reply::writing(&format!("uns/{key}"), map.into()),
        }
    }

    fn frame(&self, values: &[f64]) -> Frame {
        let names = |side: usize| -> Value {
            Strings::new(self.pairs.iter().map(|pair| self.clusters[pair[side] as usize].as_str()))
                .into()
        };
        // The host leaves the two levels of the columns without names.
        let column_index = Index { names: vec![None, None], levels: vec![names(0), names(1)] };
        let width = self.pairs.len();
        let column = |j: usize| values.iter().skip(j).step_by(width).copied().collect::<Vec<f64>>();
        Frame {
            index: self.metadata.index.clone(),
            column_index,
            columns: (0..width).map(|j| Dense::vector(column(j)).into()).collect(),
        }
    }
}
