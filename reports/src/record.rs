//! One case, whatever became of it: a line of `results.jsonl`.

use dispatch::Digest;
use serde::{Deserialize, Serialize};

use crate::{Places, Precision, Ratio, Ruling, Verdict, Witnessed};

/// Where a case comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// The must-pass list: a pairwise covering array over the knobs.
    MustPass,
    /// A recipe drawn at random.
    Sampled,
    /// A counterexample of an earlier run.
    Regression,
    /// A case made from a user's file.
    File,
    /// A stored answer of a real host.
    Golden,
    /// Random columns of a fixed input, judged by their distribution over many seeds and not by an answer of the host.
    Statistical,
}

/// One comparison that was made: how much was compared, and how near to its allowance it came.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Check {
    /// The name of the check: the slot and what is asked of it, `uns/moranI[I]: value`.
    pub name: String,
    /// Number of elements compared.
    pub compared: u64,
    /// The largest distance over its allowance; at most 1 agrees. Exact checks have 0 or infinity.
    pub worst: Ratio,
    /// What was wrong, if anything was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finding: Option<Finding>,
    /// Where random values stand in the distribution that a right backend's have; for pictures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub places: Option<Places>,
}

/// One thing that was wrong, in values a person can compare.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// The slot, with the column: `uns/moranI[I]`.
    pub slot: String,
    /// The place in it: `Gene3`, `[0, 2, 1]`; empty if the whole slot is meant.
    pub at: String,
    /// What was expected.
    pub expected: String,
    /// What was got.
    pub actual: String,
    /// The largest distance that would have agreed, or `exact`.
    pub allowance: String,
    /// Distance over allowance.
    pub ratio: Ratio,
}

/// The smallest input found on which the case still differs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Shrunk {
    /// The recipe, with only what still matters.
    pub recipe: String,
    /// Cells that were kept, as positions in the recipe's dataset; `None`: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cells: Option<Vec<usize>>,
    /// Genes that were kept, as positions in the recipe's dataset; `None`: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub genes: Option<Vec<usize>>,
    /// What was done to the input beyond that, one phrase each; the recipe alone does not build it then.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub edits: Vec<String>,
    /// The name of the capsule that holds the input, if one was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capsule: Option<String>,
    /// Number of cells of the shrunk input.
    pub n_obs: usize,
    /// Number of genes of the shrunk input.
    pub n_vars: usize,
    /// Digest of the shrunk call.
    pub input: Digest,
    /// Calls of the backend that the shrinking took.
    pub calls: u64,
    /// The parameters of the call, as `name=value` in order of the names.
    pub params: Vec<String>,
    /// What is wrong on the shrunk input, first things first.
    pub findings: Vec<Finding>,
    /// The name of the check that fails.
    pub check: String,
    /// What exact arithmetic says about the two answers, where it was affordable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ruling: Option<Ruling>,
    /// One command that shows it again.
    pub replay: String,
}

/// One case, whatever became of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The case: function and recipe text; unique in a run.
    pub case: String,
    /// The function.
    pub function: String,
    /// Where the case comes from.
    pub source: Source,
    /// Digest of the call (function, data, parameters).
    pub input: Digest,
    /// What became of it.
    pub verdict: Verdict,
    /// Why, in one sentence, where a verdict needs one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// What shows that the backend made the answer, where [`crate::Header::witnessed`] says that records know.
    #[serde(default, skip_serializing_if = "Witnessed::is_own_code")]
    pub witness: Witnessed,
    /// The comparisons made, passing ones included.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<Check>,
    /// The finest class of arithmetic within whose allowances the answer agrees with the host's. Absent if that is the finest
    /// and the case passes, and if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub precision: Option<Precision>,
    /// What exact arithmetic says where the host's own answer means nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ruling: Option<Ruling>,
    /// The shrunk counterexample, on the first failure of its kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shrunk: Option<Shrunk>,
    /// The case whose shrunk counterexample has the same root cause, if that is another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub explained_by: Option<String>,
}

impl Record {
    /// Elements compared in all checks.
    pub fn compared(&self) -> u64 {
        self.checks.iter().map(|c| c.compared).sum()
    }

    /// The findings, in the order of the checks.
    pub fn findings(&self) -> impl Iterator<Item = &Finding> {
        self.checks.iter().filter_map(|c| c.finding.as_ref())
    }

    /// The first check that failed.
    pub fn failed_check(&self) -> Option<&Check> {
        self.checks.iter().find(|c| c.finding.is_some())
    }
}
