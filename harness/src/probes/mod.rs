//! Behavioural probes: what a backend does with a call, where no signature can tell.
//!
//! Each [`Probe`] asks one question of one rule of the dispatch contract, by a few calls on small inputs. All calls
//! are written as a caller of the host writes them and go through the dispatcher's binding and routing, so
//! a backend with a signature of its own is asked like any other; the few that are aimed at the backend itself
//! say so. A probe does not judge numbers: where it must know whether two answers agree, it asks the
//! [judge](crate::judge::judge).
//!
//! The order of keywords is no question here: arguments cross this boundary by name.

mod arguments;
mod bench;
mod content;
mod defaults;
mod inputs;
mod keywords;
mod presence;
mod purity;
mod refusals;
mod seeds;
mod slots;
mod state;
mod styles;
mod watched;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use dispatch::{Backend, Device, Proof, Rule};

pub use bench::Bench;
pub use watched::Watched;

/// One question about the behaviour of a backend.
pub struct Probe {
    /// The name, as `concord probe --probe NAME` takes it.
    pub name: &'static str,
    /// The rule of `dispatch/CONTRACT.md` that it checks.
    pub rule: Rule,
    /// What it does, in a sentence.
    pub asks: &'static str,
    /// Does it.
    pub run: fn(&mut Bench) -> Conclusion,
}

/// All probes, in the order of their rules.
pub const PROBES: &[Probe] = &[
    defaults::OMITTED_IS_DEFAULT,
    styles::HOST_ONLY,
    styles::POSITIONAL_ORDER,
    styles::NO_SHIFT,
    keywords::HIDDEN,
    keywords::SHOWN,
    defaults::NONE_MEANS_DEFAULT,
    styles::KINDS,
    purity::INPUT_UNCHANGED,
    slots::SLOTS_AS_DOCUMENTED,
    slots::COPY_RETURNS,
    slots::COPY_SAME_CONTENT,
    state::SAME_CALL_SAME_BITS,
    state::OTHER_CALLS_BETWEEN,
    state::THREADS,
    seeds::SEED_MATTERS,
    seeds::SEED_AS_THE_HOST,
    arguments::ARGUMENTS_COUNT,
    refusals::REFUSALS_ALIKE,
    presence::WITNESS,
    presence::LISTED_IS_CALLABLE,
    slots::FORM_AS_THE_HOST,
    presence::WITHOUT_THE_HOST,
    styles::STYLES,
    defaults::HOST_ONLY_AT_DEFAULT,
    defaults::BACKEND_ONLY,
    keywords::UNKNOWN,
    state::NO_REMEMBERED_SIGNATURE,
];

/// What came of a probe.
#[derive(Clone, Debug, PartialEq)]
pub enum Conclusion {
    /// The rule holds on every call made.
    Holds,
    /// It does not; at least one way in which it does not.
    Violated(Vec<Violation>),
    /// The question has no meaning for this pair, or could not be asked; says why.
    NotApplicable(String),
}

/// One way in which a rule is broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The parameter it is about, by the host's name, if it is about one.
    pub parameter: Option<String>,
    /// What was expected and what happened.
    pub message: String,
    /// The call that shows it: a recipe and what was changed.
    pub call: String,
}

/// One probe on one function.
pub struct ProbeResult {
    /// The rule.
    pub rule: Rule,
    /// The probe.
    pub probe: &'static Probe,
    /// The function.
    pub function: String,
    /// What came of it.
    pub outcome: Conclusion,
}

impl ProbeResult {
    /// The violations; none if the rule holds or does not apply.
    pub fn violations(&self) -> &[Violation] {
        match &self.outcome {
            Conclusion::Violated(violations) => violations,
            Conclusion::Holds | Conclusion::NotApplicable(_) => &[],
        }
    }

    /// The command that asks this question alone again.
    pub fn replay(&self, host: &str, backend: &str) -> String {
        let host = if host == "reference" { String::new() } else { format!(" --host {host}") };
        let (function, probe) = (&self.function, self.probe.name);
        format!("concord probe {backend}{host} --function {function} --probe {probe}")
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(parameter) = &self.parameter {
            write!(f, "`{parameter}`: ")?;
        }
        write!(f, "{} ({})", self.message, self.call)
    }
}

/// How many violations one probe lists; more would repeat them.
const MOST_VIOLATIONS: usize = 8;

/// What a probe has found so far.
#[derive(Default)]
struct Findings {
    asked: usize,
    violations: Vec<Violation>,
}

impl Findings {
    /// One question was asked and had an answer.
    fn ask(&mut self) {
        self.asked += 1;
    }

    /// One question was asked, and the rule is broken.
    fn violate(
        &mut self,
        parameter: Option<&str>,
        call: impl fmt::Display,
        message: impl Into<String>,
    ) {
        let (parameter, message) = (parameter.map(str::to_owned), message.into());
        let known =
            self.violations.iter().any(|v| v.parameter == parameter && v.message == message);
        if !known && self.violations.len() < MOST_VIOLATIONS {
            self.violations.push(Violation { parameter, message, call: call.to_string() });
        }
    }

    /// The conclusion; `otherwise` says why nothing was asked.
    fn conclude(self, otherwise: &str) -> Conclusion {
        match (self.violations.is_empty(), self.asked) {
            (false, _) => Conclusion::Violated(self.violations),
            (true, 0) => Conclusion::NotApplicable(otherwise.to_owned()),
            (true, _) => Conclusion::Holds,
        }
    }
}

/// Probes one function of a backend; `deadline` holds for each call.
///
/// A backend that was opened beside the same `host` is seen if it calls back to it.
pub fn probe(
    backend: &Arc<dyn Backend>,
    host: &Arc<Watched>,
    function: &str,
    deadline: Duration,
) -> Vec<ProbeResult> {
    let chosen: Vec<&'static Probe> = PROBES.iter().collect();
    probe_with(&chosen, backend, host, function, deadline)
}

/// Probes one function of a backend with some of the probes.
pub fn probe_with(
    probes: &[&'static Probe],
    backend: &Arc<dyn Backend>,
    host: &Arc<Watched>,
    function: &str,
    deadline: Duration,
) -> Vec<ProbeResult> {
    let mut bench = Bench::new(backend, host, function, deadline);
    let mut conclude = |probe: &'static Probe| match &mut bench {
        Ok(bench) => (probe.run)(bench),
        Err(why) => Conclusion::NotApplicable(why.clone()),
    };
    let result = |probe: &&'static Probe| ProbeResult {
        rule: probe.rule,
        probe,
        function: function.to_owned(),
        outcome: conclude(probe),
    };
    probes.iter().map(result).collect()
}

/// What calls show about each shared parameter whose default is None on one side and a value on the other
/// (rule C4), for [`dispatch::Semantics::proof`].
///
/// # Errors
/// Says why the backend cannot be asked about the function.
pub fn proofs(
    backend: &Arc<dyn Backend>,
    host: &Arc<Watched>,
    function: &str,
    deadline: Duration,
) -> Result<Vec<(String, Proof)>, String> {
    Ok(defaults::proofs(&mut Bench::new(backend, host, function, deadline)?))
}

/// Why nothing can be asked of a backend, if so.
fn unaskable(backend: &dyn Backend, host: &dyn Backend, function: &str) -> Option<String> {
    let (backend, host) = (backend.manifest(), host.manifest());
    if let Device::Absent { why } = &backend.device {
        return Some(format!("no device: {why}"));
    }
    let lacks = |m: &dispatch::Manifest| !m.functions.contains_key(function);
    let who = [host, backend].into_iter().find(|m| lacks(m))?;
    Some(format!("{} does not offer `{function}`", who.name))
}
