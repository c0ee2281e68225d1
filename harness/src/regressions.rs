//! Counterexamples of earlier runs, as cases that run first.
//!
//! A recipe means what today's generator makes of it; a capsule is data and means the same for ever. The answer that
//! was expected then is not used: the host is asked again.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::Result;
use reports::Source;

use crate::capsule;
use crate::plan::Plan;
use crate::statistics::StudyCase;
use crate::{Case, contract};

/// Where the project keeps its regressions.
pub fn default_dir() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("regressions")
}

/// Puts the capsules in a folder that are calls of some functions before everything else in a plan.
///
/// # Errors
/// When the folder or a capsule in it cannot be read: a regression must not disappear in silence.
pub fn prepend(plan: &mut Plan, dir: &Path, functions: &[String]) -> Result<()> {
    let mut seen = BTreeSet::new();
    let mut cases = Vec::new();
    for capsule in capsule::list(dir)? {
        let function = &capsule.call.function;
        if functions.contains(function) && contract(function).is_some() && seen.insert(capsule.id())
        {
            let study = StudyCase::parse(function, &capsule.origin).map(Case::Study);
            let (id, call) = (capsule.id(), capsule.call.clone());
            let case = study.unwrap_or(Case::Stored { id, call });
            cases.push((Source::Regression, case));
        }
    }
    cases.append(&mut plan.cases);
    plan.cases = cases;
    Ok(())
}
