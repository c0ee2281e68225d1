//! May calls of one function be handed to another? The question is answered from two signatures, without a call.
//!
//! Names, kinds and defaults are compared; what only the function's author knows comes as [`Semantics`]. The
//! rules and why they are there: `dispatch/CONTRACT.md`.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::defaults::{Comparison, compare_defaults};
use crate::route::shown_default;
use crate::{Kind, Param, Rule, Semantics, Signature};

/// Names under which scientific Python libraries pass the source of randomness.
const RANDOMNESS: [&str; 5] = ["seed", "random_seed", "random_state", "rng", "rng_seed"];

/// Whether calls may be handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Every call means the same on both sides, as far as signatures tell.
    Yes,
    /// Some calls mean something else; they can be told at run time.
    Warns,
    /// Calls fail, or lose an argument that changes the answer.
    No,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Verdict::Yes => "yes",
            Verdict::Warns => "warns",
            Verdict::No => "no",
        })
    }
}

/// How much a finding weighs; the heaviest one makes the verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing; does not change the verdict.
    Note,
    /// Makes the verdict `warns`.
    Warning,
    /// Makes the verdict `no`.
    Error,
}

/// One thing that is not as the contract wants it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The rule.
    pub rule: Rule,
    /// Its weight here.
    pub severity: Severity,
    /// The parameter it is about, if it is about one.
    pub parameter: Option<String>,
    /// What was found, what it does to a call, and what to do about it.
    pub message: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.rule, self.message)
    }
}

/// The answer of [`dispatchable`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assessment {
    /// Whether calls may be handed over.
    pub verdict: Verdict,
    /// Why; the heaviest first, then in the order of the rules.
    pub findings: Vec<Finding>,
}

impl Assessment {
    /// What findings add up to: they are put in order, and the heaviest makes the verdict.
    pub fn new(mut findings: Vec<Finding>) -> Assessment {
        findings.sort_by_key(|f| (std::cmp::Reverse(f.severity), f.rule));
        let verdict = match findings.first().map(|f| f.severity) {
            None | Some(Severity::Note) => Verdict::Yes,
            Some(Severity::Warning) => Verdict::Warns,
            Some(Severity::Error) => Verdict::No,
        };
        Assessment { verdict, findings }
    }

    /// The findings of a rule.
    pub fn of(&self, rule: Rule) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(move |finding| finding.rule == rule)
    }
}

/// Whether calls of a function with signature `host` may be handed to one with signature `backend`.
///
/// ```
/// use dispatch::{Param, Rule, Semantics, Signature, Verdict, dispatchable};
/// let host = Signature::new([Param::required("adata"), Param::optional("seed", dispatch::Value::None)]);
/// let backend = Signature::new([Param::required("adata")]);
/// let assessment = dispatchable(&host, &backend, &Semantics::new(["seed"]));
/// assert_eq!(assessment.verdict, Verdict::No);
/// assert_eq!(assessment.findings[0].rule, Rule::S1a);
/// ```
pub fn dispatchable(host: &Signature, backend: &Signature, semantics: &Semantics) -> Assessment {
    let mut check = Check { host, backend, semantics, findings: Vec::new() };
    check.host_itself();
    let renamed = check.renamed_required();
    check.host_only(&renamed);
    check.backend_only(&renamed);
    check.shared();
    check.order();
    check.var_keyword();
    Assessment::new(check.findings)
}

/// A required parameter of the host and the one of the backend that stands in its place.
type Renamed<'a> = Vec<(&'a str, &'a str)>;

struct Check<'a> {
    host: &'a Signature,
    backend: &'a Signature,
    semantics: &'a Semantics,
    findings: Vec<Finding>,
}

impl<'a> Check<'a> {
    fn find(&mut self, rule: Rule, severity: Severity, parameter: &str, message: String) {
        let parameter = Some(parameter.to_owned());
        self.findings.push(Finding { rule, severity, parameter, message });
    }

    /// What makes a host impossible to dispatch to anyone.
    fn host_itself(&mut self) {
        if let Some(p) =
            self.host.params.first().filter(|p| matches!(p.name.as_str(), "self" | "cls"))
        {
            let message = format!("the host is a method: its first parameter is `{}`", p.name);
            self.find(Rule::D25, Severity::Error, &p.name, message);
        }
        for p in &self.host.params {
            if p.kind == Kind::VarPositional {
                let message =
                    format!("the host takes `*{}`, which cannot be routed by name", p.name);
                self.find(Rule::D25, Severity::Error, &p.name, message);
            }
        }
        if named(self.host, "backend").is_some() {
            let message = "the host has a parameter `backend` of its own; rename it, or the selector \
                           cannot be offered";
            self.find(Rule::S7, Severity::Warning, "backend", message.to_owned());
        }
        for (side, sig) in [("host", self.host), ("backend", self.backend)] {
            if named(sig, "backend_kwargs").is_some() {
                let message = format!(
                    "the {side} has a parameter `backend_kwargs`, which the dispatcher \
                                       uses for arguments of the backend alone"
                );
                self.find(Rule::S5, Severity::Warning, "backend_kwargs", message);
            }
        }
    }

    /// Pairs of required parameters, one known to each side only, in the same place or without rival.
    fn renamed_required(&mut self) -> Renamed<'a> {
        let lone = |sig: &'a Signature, other: &'a Signature| -> Vec<(usize, &'a Param)> {
            let all = sig.params.iter().enumerate();
            all.filter(|(_, p)| p.is_required() && named(other, &p.name).is_none()).collect()
        };
        let (mine, theirs) = (lone(self.host, self.backend), lone(self.backend, self.host));
        let only_pair = mine.len() == 1 && theirs.len() == 1;
        let pairs: Renamed<'a> = mine
            .iter()
            .filter_map(|(i, p)| {
                let other = theirs.iter().find(|(j, q)| {
                    only_pair || (i == j && p.is_positional() && q.is_positional())
                })?;
                Some((p.name.as_str(), other.1.name.as_str()))
            })
            .collect();
        for (ours, others) in &pairs {
            let message = format!(
                "the host requires `{ours}` where the backend requires `{others}`: routed by name, the \
                 argument is dropped and the call fails; rename one of them"
            );
            self.find(Rule::C1, Severity::Error, ours, message);
        }
        pairs
    }

    fn host_only(&mut self, renamed: &Renamed<'a>) {
        let host = self.host;
        for p in host.named().filter(|p| named(self.backend, &p.name).is_none()) {
            let name = p.name.as_str();
            if name == "backend" || renamed.iter().any(|(ours, _)| *ours == name) {
                continue;
            }
            if let Some(stands_for) = self.semantics.hidden.get(name) {
                let message = format!(
                    "the backend accepts `{name}` (for `{stands_for}`) but its signature hides that: a \
                     router that reads signatures drops it; declare it"
                );
                self.find(Rule::C3, Severity::Warning, name, message);
            } else if p.is_required() {
                let message = format!(
                    "the host requires `{name}` and the backend lacks it: it is dropped from every call"
                );
                self.find(Rule::D21, Severity::Error, name, message);
            } else {
                self.lost(p);
            }
        }
    }

    /// An optional parameter that the backend lacks.
    fn lost(&mut self, p: &Param) {
        let name = p.name.as_str();
        let semantic = self.semantics.is_semantic(name);
        if let Some(other) = randomness_elsewhere(name, self.host, self.backend) {
            let severity = if semantic { Severity::Error } else { Severity::Warning };
            let message = format!(
                "`{name}` on the host looks like `{other}` on the backend: the seed is dropped and the \
                 answer cannot be repeated"
            );
            self.find(Rule::C2, severity, name, message);
        } else if !self.semantics.neutral.contains(name) {
            let rule = if p.is_positional() { Rule::S1a } else { Rule::S2 };
            let (severity, effect) = if semantic {
                (Severity::Error, "without it the backend answers another question")
            } else {
                (Severity::Note, "a value other than the default is dropped with a warning")
            };
            self.find(rule, severity, name, format!("the backend has no `{name}`: {effect}"));
        }
    }

    fn backend_only(&mut self, renamed: &Renamed<'a>) {
        let backend = self.backend;
        for p in backend.named().filter(|p| named(self.host, &p.name).is_none()) {
            let name = p.name.as_str();
            if p.is_positional() {
                let severity = if p.is_required() { Severity::Error } else { Severity::Warning };
                let message = format!(
                    "`{name}` exists only on the backend and can be passed by position, which shifts \
                     whatever follows; make it keyword-only"
                );
                self.find(Rule::S4, severity, name, message);
            } else if p.is_required() && !renamed.iter().any(|(_, theirs)| *theirs == name) {
                let message =
                    format!("the backend requires `{name}`, which no call of the host passes");
                self.find(Rule::D22, Severity::Error, name, message);
            }
        }
    }

    fn shared(&mut self) {
        let mut narrowed = Vec::new();
        let host = self.host;
        for p in host.named() {
            let Some(other) = named(self.backend, &p.name) else { continue };
            self.shared_default(p, other);
            if p.is_positional() && other.kind == Kind::KeywordOnly {
                narrowed.push(format!("`{}`", p.name));
            }
        }
        if !narrowed.is_empty() {
            let message = format!(
                "{} can be passed by position to the host but not to the backend: harmless through the \
                 dispatcher, an error in a direct call",
                narrowed.join(", ")
            );
            let finding =
                Finding { rule: Rule::C6, severity: Severity::Note, parameter: None, message };
            self.findings.push(finding);
        }
    }

    fn shared_default(&mut self, host: &Param, backend: &Param) {
        let name = host.name.as_str();
        let (mine, theirs) = match (&host.default, &backend.default) {
            // A value is always passed.
            (None, _) => return,
            (Some(_), None) => {
                let message = format!(
                    "`{name}` is optional on the host and required on the backend: a call that omits it \
                     fails"
                );
                return self.find(Rule::S1b, Severity::Error, name, message);
            }
            (Some(mine), Some(theirs)) => (mine, theirs),
        };
        let comparison = compare_defaults(mine, theirs, &self.semantics.constants);
        let values = format!(
            "{} on the host, {} on the backend",
            shown_default(mine),
            shown_default(theirs)
        );
        let (rule, message) = match self.semantics.settle(name, comparison) {
            Comparison::Equal => return,
            Comparison::Different => (
                Rule::S1b,
                format!(
                    "the default of `{name}` differs: {values}; a call that omits it means something else"
                ),
            ),
            Comparison::NoneAgainstValue => (
                Rule::C4,
                format!(
                    "the default of `{name}` is {values}: equivalent only if a probe proves it"
                ),
            ),
            Comparison::Unresolved => (
                Rule::C5,
                format!(
                    "the default of `{name}` is {values}: known only by how it prints; resolve it"
                ),
            ),
        };
        self.find(rule, Severity::Warning, name, message);
    }

    /// S3, on the parameters that can be passed by position on both sides.
    fn order(&mut self) {
        let theirs: Vec<&str> = positional(self.backend).collect();
        let shared: Vec<&str> =
            positional(self.host).filter(|name| theirs.contains(name)).collect();
        let place = |name: &&str| theirs.iter().position(|other| other == name);
        if let Some(pair) = shared.windows(2).find(|pair| place(&pair[0]) > place(&pair[1])) {
            let (first, second) = (pair[0], pair[1]);
            let message = format!(
                "`{first}` comes before `{second}` on the host and after it on the backend: a direct \
                 positional call swaps them"
            );
            self.find(Rule::S3, Severity::Warning, first, message);
        }
    }

    fn var_keyword(&mut self) {
        for (side, sig) in [("host", self.host), ("backend", self.backend)] {
            let Some(p) = sig.params.iter().find(|p| p.kind == Kind::VarKeyword) else { continue };
            let message = format!(
                "the {side} takes `**{}`: a misspelt or unsupported keyword passes without an error",
                p.name
            );
            self.find(Rule::D23, Severity::Warning, &p.name, message);
        }
        if !self.host.has_var_keyword() {
            return;
        }
        let semantics = self.semantics;
        let hides = |name: &&String| {
            named(self.host, name).is_none()
                && named(self.backend, name).is_none()
                && !semantics.is_hidden(name)
        };
        for name in semantics.semantic.iter().filter(hides).collect::<BTreeSet<_>>() {
            let message = format!(
                "`{name}` changes the answer, passes through the host's `**kwargs`, and the backend has no \
                 such parameter"
            );
            self.find(Rule::D23, Severity::Error, name, message);
        }
    }
}

/// The parameter of a name, `*args` and `**kwargs` aside.
fn named<'s>(sig: &'s Signature, name: &str) -> Option<&'s Param> {
    sig.named().find(|p| p.name == name)
}

fn positional(sig: &Signature) -> impl Iterator<Item = &str> {
    sig.params.iter().filter(|p| p.is_positional()).map(|p| p.name.as_str())
}

/// A backend-only parameter that names the source of randomness, if `name` does so on the host.
fn randomness_elsewhere<'s>(
    name: &str,
    host: &Signature,
    backend: &'s Signature,
) -> Option<&'s str> {
    if !RANDOMNESS.contains(&name) {
        return None;
    }
    let names = backend.named().map(|p| p.name.as_str());
    let mut other = names.filter(|n| RANDOMNESS.contains(n) && named(host, n).is_none());
    other.next()
}
