//! `concord replay`

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, anyhow};
use clap::Args;
use dispatch::{Call, Value};
use reports::{Outcome as RunOutcome, Verdict};

use crate::backends::Opened;
use crate::case::{Case, Input};
use crate::compare::{describe, shorten};
use crate::examine::{Examination, Exchange, Session};
use crate::golden::Corpus;
use crate::judge::{Judgement, Outcome};
use crate::laws::{self, Law};
use crate::show::rows;
use crate::statistics::{self, StudyCase};
use crate::{Usage, backends, file_case};

/// Runs one case again and shows both answers side by side.
#[derive(Args)]
pub(super) struct Replay {
    /// The function
    function: String,
    /// The recipe, as a report prints it, for example "cells=17 graph=delaunay seed=4"
    recipe: String,
    /// The backend
    #[arg(long, default_value = "reference", value_name = "NAME")]
    backend: String,
    /// Who defines the right answer
    #[arg(long, default_value = "reference", value_name = "NAME")]
    host: String,
    /// Keep only these cells of the recipe, counted from 0
    #[arg(long, value_delimiter = ',', value_name = "I,J,...")]
    cells: Option<Vec<usize>>,
    /// Keep only these genes of the recipe, counted from 0
    #[arg(long, value_delimiter = ',', value_name = "I,J,...")]
    genes: Option<Vec<usize>>,
    /// Ask only this law, without the host: show the answer and that to the changed call
    #[arg(long, value_name = "ID")]
    law: Option<String>,
    /// The file a case was made from
    #[arg(long, value_name = "FILE.h5ad")]
    data: Option<PathBuf>,
    /// Write the input to this file, to open it elsewhere
    #[arg(long, value_name = "FILE.h5ad")]
    save: Option<PathBuf>,
    /// Seconds that one call may take
    #[arg(long, default_value_t = 60.0, value_name = "SECONDS")]
    deadline: f64,
}

impl Replay {
    pub(super) fn run(&self) -> Result<u8> {
        let (host, backend) = (backends::open(&self.host)?, backends::open(&self.backend)?);
        if let Some(case) = StudyCase::parse(&self.function, &self.recipe) {
            return Ok(self.study(host, backend, &case));
        }
        let stored = backend.stored.as_deref().or(host.stored.as_deref());
        let input = Input {
            case: self.case(stored)?,
            cells: self.cells.clone(),
            genes: self.genes.clone(),
        };
        let call = input.build().map_err(Usage)?;
        if let Some(path) = &self.save {
            anndata_io::write(path, &call.data)?;
        }
        let examination = self.examination(host, backend);
        let mut session = examination.session();
        if let Some(id) = &self.law {
            return self.under_law(&mut session, laws::find(id)?, &call);
        }
        let exchange = session.exchange(call);
        super::print(&self.text(&exchange));
        Ok(exit_code(exchange.judgement.verdict))
    }

    fn examination(&self, host: Opened, backend: Opened) -> Examination {
        Examination {
            host: host.backend,
            backend: backend.backend,
            deadline: Duration::from_secs_f64(self.deadline.max(1e-3)),
            backend_name: self.backend.clone(),
            replay_args: String::new(),
        }
    }

    /// A study is asked again with the seeds of the case; there is no host's answer to stand beside.
    fn study(&self, host: Opened, backend: Opened, case: &StudyCase) -> u8 {
        let examination = self.examination(host, backend);
        let record = statistics::record(&mut examination.session(), case);
        let mut out = format!("{}\n\n", record.case);
        for check in &record.checks {
            let (name, compared, worst) = (&check.name, check.compared, check.worst);
            out += &format!("  {name:<36} {compared:>6} compared, worst ratio {worst}\n");
        }
        let (verdict, reason, checks) = (record.verdict, record.reason, record.checks);
        super::print(&(out + &conclusion(&Judgement { verdict, reason, checks })));
        exit_code(verdict)
    }

    /// Shows the answer to the call beside the answer to the call as a law changes it.
    fn under_law(
        &self,
        session: &mut Session<'_>,
        law: &'static Law,
        call: &Arc<Call>,
    ) -> Result<u8> {
        let mut out = describe_call(call) + &format!("law {}: {}\n", law.id, law.statement);
        let reply = match session.answer(call) {
            Ok(reply) => reply,
            Err(fault) => {
                super::print(&format!("{out}\n{}: {fault}\n", self.backend));
                return Ok(exit_code(Verdict::Inconclusive));
            }
        };
        let trials = session.trials(call, &reply, &[law], 1);
        if let Some((twisted, outcome)) = trials.first().and_then(|t| t.twisted.as_ref()) {
            let changed = |(name, value): &(&String, &Value)| call.param(name) != Some(*value);
            out += &format!("changed: {}\n", describe_call(twisted).lines().next().unwrap_or(""));
            for (name, value) in twisted.params.iter().filter(changed) {
                out += &format!("  {name:<18} {}\n", shorten(&describe(value), 90));
            }
            out += &side_by_side("as it is", &Ok(reply), "changed", outcome);
        }
        let judgement = laws::judgement(trials);
        super::print(&(out + &conclusion(&judgement)));
        Ok(exit_code(judgement.verdict))
    }

    fn case(&self, stored: Option<&Corpus>) -> Result<Case> {
        if let Some(path) = &self.data {
            let file = file_case::RealFile::open(path)?;
            return Ok(Case::File(
                file_case::parse(&file, &self.function, &self.recipe).map_err(Usage)?,
            ));
        }
        let function = super::functions(std::slice::from_ref(&self.function))?.remove(0);
        if let Some(corpus) = stored {
            let case = corpus.cases.iter().find(|c| c.id == self.recipe);
            let case =
                case.ok_or_else(|| Usage(format!("no stored case has the id `{}`", self.recipe)))?;
            return Ok(Case::Stored { id: case.id.clone(), call: case.call.clone() });
        }
        let generator = generators::generator(&function)
            .ok_or_else(|| anyhow!("no generator for {function}"))?;
        let recipe = generators::Recipe::parse(generator, &self.recipe);
        Ok(Case::Recipe(recipe.map_err(|e| Usage(e.to_string()))?))
    }

    fn text(&self, exchange: &Exchange) -> String {
        let answers = side_by_side(&self.host, &exchange.host, &self.backend, &exchange.backend);
        describe_call(&exchange.call) + &answers + &conclusion(&exchange.judgement)
    }
}

fn exit_code(verdict: Verdict) -> u8 {
    let outcome = match verdict {
        _ if verdict.condemns() => RunOutcome::NotConformant,
        Verdict::Pass | Verdict::QualityWarning => RunOutcome::Conformant,
        Verdict::Infra => RunOutcome::Infrastructure,
        _ => RunOutcome::Inconclusive,
    };
    outcome.exit_code()
}

/// The function, the size of the data, and the arguments.
fn describe_call(call: &Call) -> String {
    let (n, g) = (call.data.n_obs(), call.data.n_vars());
    let mut out = format!("{} on {n} cells and {g} genes\n", call.function);
    for (name, value) in &call.params {
        out += &format!("  {name:<18} {}\n", shorten(&describe(value), 90));
    }
    out
}

/// What was violated, and the verdict.
fn conclusion(judgement: &Judgement) -> String {
    let mut out = String::new();
    for check in &judgement.checks {
        if let Some(f) = &check.finding {
            out += &format!(
                "\nviolated: {}\n  at {} {}\n  expected {}\n  actual   {}\n  allowance {}, ratio {}\n",
                check.name, f.slot, f.at, f.expected, f.actual, f.allowance, f.ratio
            );
        }
    }
    let reason = match judgement.reason.as_str() {
        "" => String::new(),
        reason => format!(": {reason}"),
    };
    out + &format!("\nverdict: {}{reason}\n", judgement.verdict)
}

/// Both answers in two columns; a star marks entries that are not equal.
fn side_by_side(host: &str, expected: &Outcome, backend: &str, actual: &Outcome) -> String {
    let (e, a) = match (expected, actual) {
        (Ok(e), Ok(a)) => (rows(&e.data), rows(&a.data)),
        _ => {
            let say = |outcome: &Outcome| match outcome {
                Ok(reply) => format!("an answer of {} slots", reply.data.leaves().len()),
                Err(fault) => fault.to_string(),
            };
            return format!("\n{host}: {}\n{backend}: {}\n", say(expected), say(actual));
        }
    };
    let width = |rows: &[(String, String)], least: usize| {
        rows.iter().map(|(_, v)| v.chars().count()).max().unwrap_or(0).max(least)
    };
    let place = e.iter().chain(&a).map(|(p, _)| p.chars().count()).max().unwrap_or(0);
    let (w, v) = (width(&e, host.len()), width(&a, backend.len()));
    let mut out = format!("\n  {:<place$}  {host:>w$}  {backend:>v$}\n", "");
    let actual: std::collections::BTreeMap<&str, &str> =
        a.iter().map(|(p, v)| (p.as_str(), v.as_str())).collect();
    let expected: std::collections::BTreeSet<&str> = e.iter().map(|(p, _)| p.as_str()).collect();
    for (at, value) in &e {
        let other = actual.get(at.as_str()).copied().unwrap_or("(absent)");
        let mark = if other == value { ' ' } else { '*' };
        out += &format!("{mark} {at:<place$}  {value:>w$}  {other:>v$}\n");
    }
    for (at, value) in a.iter().filter(|(at, _)| !expected.contains(at.as_str())) {
        out += &format!("* {at:<place$}  {:>w$}  {value:>v$}\n", "(absent)");
    }
    out
}
