//! One case: what is called, and the line of text that names it.

use std::sync::Arc;

use dispatch::Call;
use generators::Recipe;

use crate::file_case::FileCase;
use crate::statistics::StudyCase;

/// A case of a plan.
#[derive(Clone, Debug)]
pub enum Case {
    /// Built from a recipe.
    Recipe(Recipe),
    /// Made from a user's file.
    File(FileCase),
    /// A stored call of the golden corpus.
    Stored {
        /// Its id in the corpus.
        id: String,
        /// The call.
        call: Arc<Call>,
    },
    /// A study of random columns; its call is made with many seeds.
    Study(StudyCase),
}

impl Case {
    /// The function called.
    pub fn function(&self) -> &str {
        match self {
            Case::Recipe(recipe) => recipe.generator().function,
            Case::File(case) => case.function,
            Case::Stored { call, .. } => &call.function,
            Case::Study(study) => study.function,
        }
    }

    /// The text that names the case among those of its function and builds it again.
    pub fn text(&self) -> String {
        match self {
            Case::Recipe(recipe) => recipe.to_string(),
            Case::File(case) => case.to_string(),
            Case::Stored { id, .. } => id.clone(),
            Case::Study(study) => study.to_string(),
        }
    }

    /// Function and text; unique in a plan.
    pub fn name(&self) -> String {
        format!("{} {}", self.function(), self.text())
    }

    /// The call.
    pub fn build(&self) -> Arc<Call> {
        match self {
            Case::Recipe(recipe) => Arc::new(recipe.build()),
            Case::File(case) => Arc::new(case.build()),
            Case::Stored { call, .. } => call.clone(),
            Case::Study(study) => Arc::new(study.call()),
        }
    }
}

/// A case, perhaps restricted to some of its cells and genes: what shrinking works on.
#[derive(Clone, Debug)]
pub struct Input {
    /// The case.
    pub case: Case,
    /// Positions of the cells kept; `None`: all.
    pub cells: Option<Vec<usize>>,
    /// Positions of the genes kept; `None`: all.
    pub genes: Option<Vec<usize>>,
}

impl Input {
    /// A whole case.
    pub fn whole(case: Case) -> Input {
        Input { case, cells: None, genes: None }
    }

    /// The call on the cells and genes kept.
    ///
    /// # Errors
    /// Says which position is out of range.
    pub fn build(&self) -> Result<Arc<Call>, String> {
        let whole = self.case.build();
        if self.cells.is_none() && self.genes.is_none() {
            return Ok(whole);
        }
        let (n_obs, n_vars) = (whole.data.n_obs(), whole.data.n_vars());
        for (kept, n, what) in [(&self.cells, n_obs, "cell"), (&self.genes, n_vars, "gene")] {
            if let Some(bad) = kept.iter().flatten().find(|&&i| i >= n) {
                return Err(format!(
                    "there is no {what} {bad}: the case has {n} of them, counted from 0"
                ));
            }
        }
        let data = whole.data.subset(self.cells.as_deref(), self.genes.as_deref());
        Ok(Arc::new(Call::new(whole.function.clone(), data, whole.params.clone())))
    }
}
