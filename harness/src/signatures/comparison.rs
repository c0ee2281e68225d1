//! Two libraries, function by function.

use std::collections::{BTreeMap, BTreeSet};

use dispatch::{Assessment, Rule, Semantics, Severity, Verdict, dispatchable};
use serde::Serialize;

use super::{Described, Library, semantics, short};

/// Where a function is defined.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The file, below what contains the package.
    pub file: String,
    /// The line of its `def`.
    pub line: u32,
}

impl Place {
    fn of(function: &Described) -> Option<Place> {
        Some(Place { file: function.file.clone()?, line: function.line? })
    }
}

/// A function that both sides have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    /// Its name on the host.
    pub function: String,
    /// Its name on the backend.
    pub backend_function: String,
    /// Where the host defines it, if known.
    pub host_place: Option<Place>,
    /// Where the backend defines it, if known.
    pub backend_place: Option<Place>,
    /// Whether calls may be handed over, and why.
    #[serde(flatten)]
    pub assessment: Assessment,
}

/// How many functions got which verdict, and how many findings there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Functions that may be dispatched without reserve.
    pub yes: usize,
    /// Functions that may be dispatched with warnings.
    pub warns: usize,
    /// Functions that must not.
    pub no: usize,
    /// Findings that are errors.
    pub errors: usize,
    /// Findings that are warnings.
    pub warnings: usize,
    /// Findings that are notes.
    pub notes: usize,
}

/// Every function of a host beside that of a backend.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// The host, `name@version`.
    pub host: String,
    /// The backend, `name@version`.
    pub backend: String,
    /// What the host hashes to.
    pub host_digest: String,
    /// What the backend hashes to.
    pub backend_digest: String,
    /// The functions that both have, by name.
    pub functions: Vec<Row>,
    /// Functions that only the host has: every call of them stays there.
    pub host_only: Vec<String>,
    /// Functions that only the backend has.
    pub backend_only: Vec<String>,
}

impl Comparison {
    /// Compares the functions that `wanted` selects by their names on the host.
    pub fn new(host: &Library, backend: &Library, wanted: impl Fn(&str) -> bool) -> Comparison {
        let pairs = pair(host, backend);
        let row = |(&h, &b): (&&str, &&str)| {
            let (ours, theirs) = (&host.functions[h], &backend.functions[b]);
            let semantics = semantics(host, h, theirs);
            Row {
                function: h.to_owned(),
                backend_function: b.to_owned(),
                host_place: Place::of(ours),
                backend_place: Place::of(theirs),
                assessment: assess(ours, theirs, &semantics, host.digest == backend.digest),
            }
        };
        let taken: BTreeSet<&str> = pairs.values().copied().collect();
        let left = |names: &mut dyn Iterator<Item = &String>| -> Vec<String> {
            names.filter(|name| wanted(name)).cloned().collect()
        };
        Comparison {
            host: host.id(),
            backend: backend.id(),
            host_digest: host.digest.clone(),
            backend_digest: backend.digest.clone(),
            functions: pairs.iter().filter(|(h, _)| wanted(h)).map(row).collect(),
            host_only: left(
                &mut host.functions.keys().filter(|name| !pairs.contains_key(name.as_str())),
            ),
            backend_only: left(
                &mut backend.functions.keys().filter(|name| !taken.contains(name.as_str())),
            ),
        }
    }

    /// Counts verdicts and findings.
    pub fn summary(&self) -> Summary {
        let mut summary = Summary::default();
        for row in &self.functions {
            match row.assessment.verdict {
                Verdict::Yes => summary.yes += 1,
                Verdict::Warns => summary.warns += 1,
                Verdict::No => summary.no += 1,
            }
            for finding in &row.assessment.findings {
                match finding.severity {
                    Severity::Error => summary.errors += 1,
                    Severity::Warning => summary.warnings += 1,
                    Severity::Note => summary.notes += 1,
                }
            }
        }
        summary
    }
}

/// Asks about one pair. A library handed to itself is asked for differences only: what keeps it from being a host at all
/// (a parameter `backend` of its own) is none.
fn assess(host: &Described, backend: &Described, semantics: &Semantics, same: bool) -> Assessment {
    let whole = dispatchable(&host.signature, &backend.signature, semantics);
    if !same {
        return whole;
    }
    let findings = whole.findings.into_iter().filter(|f| !matches!(f.rule, Rule::S5 | Rule::S7));
    Assessment::new(findings.collect())
}

/// Functions of the host and those of the backend that answer for them: of the same full name, else of the same last part
/// if that is not ambiguous (a manifest says `sepal` where a library says `gr.sepal`).
fn pair<'a>(host: &'a Library, backend: &'a Library) -> BTreeMap<&'a str, &'a str> {
    let mut pairs: BTreeMap<&str, &str> = BTreeMap::new();
    for (name, _) in host.functions.iter().filter(|(name, _)| backend.functions.contains_key(*name))
    {
        pairs.insert(name, name);
    }
    let lone = |library: &'a Library| {
        let mut by_short: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for name in library.functions.keys().filter(|name| !pairs.contains_key(name.as_str())) {
            by_short.entry(short(name)).or_default().push(name);
        }
        by_short
    };
    let (ours, theirs) = (lone(host), lone(backend));
    for (name, candidates) in &ours {
        if let ([ours], Some([theirs])) =
            (candidates.as_slice(), theirs.get(name).map(Vec::as_slice))
        {
            pairs.insert(ours, theirs);
        }
    }
    pairs
}
