//! What a waiver did in a run: part of the header, so that nobody reads a log without it.

use serde::{Deserialize, Serialize};

/// A waiver in force, and how many failures it covered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaiverUse {
    /// The function.
    pub function: String,
    /// Which cases it selects: `mode=geary isolated=first|last`, or the name of an input predicate.
    pub select: String,
    /// The check that may fail, or the verdict.
    pub kind: String,
    /// Why.
    pub reason: String,
    /// Where it is being worked on.
    pub issue: String,
    /// Who granted it.
    pub granted_by: String,
    /// The day it was granted, `YYYY-MM-DD`.
    pub granted: String,
    /// The last day it holds, `YYYY-MM-DD`.
    pub expires: String,
    /// The most failures it may cover.
    pub max_cases: u64,
    /// Failures that it selects.
    pub cases: u64,
    /// What is wrong with it, if anything: then it covered nothing, and the run shows nothing either.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}
