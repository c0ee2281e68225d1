//! The policy engine: which level follows for each function, and what stands in the way of the next one.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::policy::{self, Policy};
use super::{Adequacy, Assurance, Level};
use dispatch::Device;

use crate::{Decision, FunctionDecision, Log, Outcome, Record, Source, Verdict, WaiverUse, decide};

/// What the log does not say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// Whether the seeds come from a challenge.
    pub challenged: bool,
    /// On whose word the results stand.
    pub assurance: Assurance,
    /// What makes the environment unfit, if anything does.
    pub fault: Option<String>,
}

/// What follows for one function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The level.
    pub level: Level,
    /// Why it is not higher, in one sentence; `None` at the highest level.
    pub why_not_higher: Option<String>,
}

/// What follows for the whole build, as a certificate writes it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Granted {
    /// The lowest level of the claimed functions.
    pub overall: Level,
    /// The level of each claimed function.
    pub functions: BTreeMap<String, Level>,
    /// Why the levels are not higher, one sentence each; functions with the lowest level first.
    pub reasons: Vec<String>,
}

/// Decides the level of every function that backend and host both offer; one that was not examined gets none.
pub fn grant(
    log: &Log,
    policy: &Policy,
    adequacy: &Adequacy,
    terms: &Terms,
) -> BTreeMap<String, Grant> {
    let decision = decide(log);
    let of = |function: &str| {
        let records = log.records.iter().filter(|r| r.function == function).collect();
        let facts = Facts { log, policy, adequacy, terms, function, records, decision: &decision };
        (function.to_owned(), facts.grant())
    };
    claimed(log).into_iter().map(of).collect()
}

/// Functions that the backend offers and the host defines, and whatever was planned besides.
pub(super) fn claimed(log: &Log) -> BTreeSet<&str> {
    let (host, backend) = (&log.header.host.functions, &log.header.backend.functions);
    let offered = backend.keys().filter(|f| host.contains_key(*f));
    offered.chain(log.header.planned.keys()).map(String::as_str).collect()
}

impl Granted {
    /// Sums up the grants of all claimed functions.
    pub fn of(grants: &BTreeMap<String, Grant>) -> Granted {
        let functions = grants.iter().map(|(name, grant)| (name.clone(), grant.level)).collect();
        let mut by_level: Vec<(&String, &Grant)> = grants.iter().collect();
        by_level.sort_by_key(|(_, grant)| grant.level);
        let reason = |(name, grant): (&String, &Grant)| {
            Some(format!("{name}: {}", grant.why_not_higher.as_ref()?))
        };
        Granted {
            overall: grants.values().map(|g| g.level).min().unwrap_or_default(),
            functions,
            reasons: by_level.into_iter().filter_map(reason).collect(),
        }
    }
}

/// Whether a level follows from the one before it; an error says what is missing.
type Step<'a> = fn(&Facts<'a>) -> Result<(), String>;

/// Everything that is asked about one function.
struct Facts<'a> {
    log: &'a Log,
    policy: &'a Policy,
    adequacy: &'a Adequacy,
    terms: &'a Terms,
    function: &'a str,
    records: Vec<&'a Record>,
    decision: &'a Decision,
}

impl<'a> Facts<'a> {
    /// Climbs until something stands in the way.
    fn grant(&self) -> Grant {
        let steps: [(Level, Step<'a>); 4] = [
            (Level::Contract, Self::contract),
            (Level::Numerical, Self::numerical),
            (Level::Statistical, Self::statistical),
            (Level::Full, Self::full),
        ];
        let mut reached = Level::None;
        for (level, step) in steps {
            if let Err(why) = step(self) {
                return Grant {
                    level: reached,
                    why_not_higher: Some(format!("not {level}: {why}")),
                };
            }
            reached = level;
        }
        Grant { level: reached, why_not_higher: None }
    }

    /// Everything planned was answered by the backend itself, and nothing differs.
    fn contract(&self) -> Result<(), String> {
        let decision = self.examined()?;
        match decision.outcome {
            Outcome::Conformant => {}
            Outcome::Inconclusive if only_unsupported(decision, self.wrong_waiver()) => {}
            Outcome::Inconclusive | Outcome::Infrastructure | Outcome::NotConformant => {
                return Err(decision.why.clone());
            }
        }
        self.each_waived_failure_has_its_waiver()?;
        let agreeing = self.agreeing().count() as u64;
        let compared = self.agreeing().filter(|r| r.compared() > 0).count() as u64;
        let least = self.policy.contract.compared.value();
        match is_share(compared, agreeing, least) {
            true => Ok(()),
            false => Err(format!(
                "something was compared in only {compared} of {agreeing} agreeing cases"
            )),
        }
    }

    fn each_waived_failure_has_its_waiver(&self) -> Result<(), String> {
        let in_force = |w: &&WaiverUse| w.function == self.function && w.problem.is_none();
        let granted: u64 = self.log.header.waivers.iter().filter(in_force).map(|w| w.cases).sum();
        match self.waived() {
            waived if waived == granted => Ok(()),
            waived => Err(format!("{waived} failures are waived, the waivers cover {granted}")),
        }
    }

    /// Enough was asked of the numbers, on a device that counts, by an examination that finds mistakes.
    fn numerical(&self) -> Result<(), String> {
        let rules = &self.policy.numerical;
        let decision = self.examined()?;
        if decision.outcome != Outcome::Conformant {
            return Err(decision.why.clone());
        }
        if let Some(fault) = &self.terms.fault {
            return Err(fault.clone());
        }
        self.tier_among(&rules.tiers)?;
        let device = &self.log.header.backend.device;
        let kind = policy::kind(device);
        // Whatever a policy says: GPU source run on a processor tells nothing about the numbers of a GPU.
        if *device == Device::Emulated || !rules.devices.iter().any(|d| d == kind) {
            return Err(format!("its device is {kind}, which is no evidence"));
        }
        let class = self.log.header.precision;
        if !rules.precision.contains(&class) {
            return Err(format!("it was allowed the rounding of {class}"));
        }
        let must_pass = self.agreeing().filter(|r| r.source == Source::MustPass).count() as u64;
        if must_pass < rules.must_pass {
            return Err(format!(
                "{must_pass} must-pass cases agree, {} are needed",
                rules.must_pass
            ));
        }
        self.is_adequate(rules.adequacy.value())
    }

    fn is_adequate(&self, least: f64) -> Result<(), String> {
        let Some(found) = self.adequacy.functions.get(self.function).filter(|f| f.mutants > 0)
        else {
            return Err("it was not measured whether this examination finds mistakes".to_owned());
        };
        let (measured, running) = (&self.adequacy.examiner, &self.log.header.examiner);
        if measured != running {
            return Err(format!(
                "adequacy was measured for examiner {measured}, this is {running}"
            ));
        }
        if !is_share(found.killed, found.mutants, least) {
            return Err(format!(
                "this examination finds only {} of {} mutants",
                found.killed, found.mutants
            ));
        }
        Ok(())
    }

    /// Random columns were compared draw by draw, or their distribution was studied.
    fn statistical(&self) -> Result<(), String> {
        let Some(checks) = self.policy.statistical.random.get(self.function) else { return Ok(()) };
        let mut studies =
            self.records.iter().filter(|r| r.source == Source::Statistical).peekable();
        if studies.peek().is_some() {
            return match studies.find(|r| r.verdict != Verdict::Pass) {
                None => Ok(()),
                Some(record) => Err(format!("the study {} is {}", record.case, record.verdict)),
            };
        }
        let compared = |name: &&String| {
            let named = |r: &&Record| r.checks.iter().any(|c| c.name == **name && c.compared > 0);
            self.agreeing().any(|r| named(&r))
        };
        match checks.iter().find(|name| !compared(name)) {
            None => Ok(()),
            Some(name) => {
                Err(format!("its random columns were neither compared (`{name}`) nor studied"))
            }
        }
    }

    /// For a release, with seeds nobody could know, confirmed by somebody else, without a waiver.
    fn full(&self) -> Result<(), String> {
        let rules = &self.policy.full;
        self.tier_among(&rules.tiers)?;
        if rules.challenge && !self.terms.challenged {
            return Err("its seeds do not come from a challenge".to_owned());
        }
        if !rules.assurance.contains(&self.terms.assurance) {
            return Err(format!("it is {}", self.terms.assurance));
        }
        match self.waived() {
            waived if waived <= rules.waivers => {}
            waived => return Err(format!("{waived} failures are waived")),
        }
        Ok(())
    }

    fn examined(&self) -> Result<&FunctionDecision, String> {
        let decision = self.decision.functions.get(self.function);
        decision.ok_or_else(|| "it was not examined".to_owned())
    }

    fn tier_among(&self, tiers: &[String]) -> Result<(), String> {
        let tier = &self.log.header.tier;
        match tiers.contains(tier) {
            true => Ok(()),
            false => Err(format!("the tier is `{tier}`, it takes {}", tiers.join(" or "))),
        }
    }

    fn agreeing(&self) -> impl Iterator<Item = &Record> {
        let agrees = |r: &&Record| matches!(r.verdict, Verdict::Pass | Verdict::QualityWarning);
        self.records.iter().copied().filter(agrees)
    }

    fn waived(&self) -> u64 {
        self.records.iter().filter(|r| r.verdict == Verdict::Waived).count() as u64
    }

    fn wrong_waiver(&self) -> bool {
        self.log.header.waivers.iter().any(|w| w.function == self.function && w.problem.is_some())
    }
}

/// Whether the only thing missing is an answer to calls that the backend says it does not offer.
fn only_unsupported(decision: &FunctionDecision, wrong_waiver: bool) -> bool {
    let count = |verdict| decision.counts.get(&verdict).copied().unwrap_or(0);
    let open = [Verdict::Unproven, Verdict::NotRun, Verdict::Inconclusive].map(count);
    let passed = count(Verdict::Pass) + count(Verdict::QualityWarning);
    open == [0; 3] && passed > 0 && decision.compared > 0 && !wrong_waiver
}

/// Whether `part` is at least that share of `whole`; no share of nothing is enough.
fn is_share(part: u64, whole: u64, least: f64) -> bool {
    // Counts are far below 2^53.
    whole > 0 && part as f64 >= least * whole as f64
}
