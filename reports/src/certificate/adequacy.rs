//! Whether the examination finds mistakes: what `concord adequacy --json` reports, as far as a level needs it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::CertificateError;

/// How many backends that are wrong on purpose the examination found, by function.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Adequacy {
    /// Version of the examiner that was measured.
    pub examiner: String,
    /// The tier whose plan was used; a larger tier finds at least as much.
    pub tier: String,
    /// By function.
    pub functions: BTreeMap<String, FunctionAdequacy>,
}

/// The mutants of one function.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FunctionAdequacy {
    /// Backends that are wrong on purpose.
    pub mutants: u64,
    /// Those that were found.
    pub killed: u64,
    /// The names of the others.
    pub survivors: Vec<String>,
    /// Changes that no answer can show, all of which were rightly not found.
    pub equivalent: u64,
    /// Changes of that kind that were found all the same: then a right backend may be refused.
    pub refuted: Vec<String>,
}

#[derive(Deserialize)]
struct Report {
    examiner: String,
    tier: String,
    mutants: Vec<Mutant>,
    #[serde(default)]
    equivalent: Vec<Control>,
}

#[derive(Deserialize)]
struct Mutant {
    mutant: String,
    function: String,
    fate: String,
}

#[derive(Deserialize)]
struct Control {
    mutant: String,
    function: String,
    #[serde(default)]
    refuted: Option<String>,
}

impl Adequacy {
    /// Reads what `concord adequacy --json` printed.
    ///
    /// # Errors
    /// When it is something else.
    pub fn read(bytes: &[u8]) -> Result<Adequacy, CertificateError> {
        let report: Report = serde_json::from_slice(bytes).map_err(CertificateError::Adequacy)?;
        let mut functions: BTreeMap<String, FunctionAdequacy> = BTreeMap::new();
        for Mutant { mutant, function, fate } in report.mutants {
            let entry = functions.entry(function).or_default();
            entry.mutants += 1;
            match fate.as_str() {
                "survived" => entry.survivors.push(mutant),
                _ => entry.killed += 1,
            }
        }
        for Control { mutant, function, refuted } in report.equivalent {
            let entry = functions.entry(function).or_default();
            match refuted {
                None => entry.equivalent += 1,
                Some(_) => entry.refuted.push(mutant),
            }
        }
        Ok(Adequacy { examiner: report.examiner, tier: report.tier, functions })
    }
}
