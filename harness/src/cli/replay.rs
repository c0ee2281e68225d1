//! `concord replay`

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, anyhow};
use clap::Args;
use dispatch::{Call, Reply, Traffic, Value, Witness};
use reports::{Finding, Outcome as RunOutcome, Precision, Verdict};

use crate::backends::Opened;
use crate::capsule::{self, Capsule};
use crate::case::{Case, Input};
use crate::causes::study_capsule;
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
    /// The function, or the name of a capsule: CX-0123456789ab
    #[arg(value_name = "FUNCTION|CX-...")]
    function: String,
    /// The recipe, as a report prints it, for example "cells=17 graph=delaunay seed=4"; none for a capsule
    recipe: Option<String>,
    /// The backend; default: the reference, or who a capsule names
    #[arg(long, value_name = "NAME")]
    backend: Option<String>,
    /// Who defines the right answer; default: the reference, or who a capsule names
    #[arg(long, value_name = "NAME")]
    host: Option<String>,
    /// The folder in which the capsule lies
    #[arg(long, default_value = capsule::DEFAULT_DIR, value_name = "DIR")]
    dir: PathBuf,
    /// Show the answers that the capsule holds and judge those, without calling anybody
    #[arg(long)]
    stored: bool,
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
    /// Store the case with both answers as a capsule in this folder, for example of regressions
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
    /// Seconds that one call may take
    #[arg(long, default_value_t = 60.0, value_name = "SECONDS")]
    deadline: f64,
}

impl Replay {
    pub(super) fn run(&self) -> Result<u8> {
        match self.capsule()? {
            Some(capsule) if self.stored => {
                let exchange = stored_exchange(&capsule);
                super::print(&text([&capsule.host.name, &capsule.backend.name], &exchange));
                Ok(exit_code(exchange.judgement.verdict))
            }
            Some(capsule) => self.replay_capsule(&capsule),
            None if self.stored => Err(Usage("--stored needs a capsule, CX-...".to_owned()).into()),
            None => self.replay_case(),
        }
    }

    fn replay_case(&self) -> Result<u8> {
        let name = |asked: &Option<String>| asked.clone().unwrap_or("reference".to_owned());
        let (host_name, backend_name) = (name(&self.host), name(&self.backend));
        let (host, backend) = (backends::open(&host_name)?, backends::open(&backend_name)?);
        if let Some(case) = StudyCase::parse(&self.function, self.recipe()?) {
            return self
                .study(&self.examination(host, backend, [&host_name, &backend_name]), &case);
        }
        let stored = backend.stored.as_deref().or(host.stored.as_deref());
        let case = self.case(stored)?;
        let examination = self.examination(host, backend, [&host_name, &backend_name]);
        let law = self.law.as_deref().map(laws::find).transpose()?;
        let origin = case.text();
        self.replay(&mut examination.session(), case, &origin, law)
    }

    /// Calls both sides with the input of a capsule; a law that was broken is asked again, and a study made again.
    fn replay_capsule(&self, capsule: &Capsule) -> Result<u8> {
        let name = |asked: &Option<String>, side: &capsule::Side| {
            asked.clone().unwrap_or_else(|| side.name.clone())
        };
        let host_name = name(&self.host, &capsule.host);
        let backend_name = name(&self.backend, &capsule.backend);
        let (host, backend) = (backends::open(&host_name)?, backends::open(&backend_name)?);
        let examination = self.examination(host, backend, [&host_name, &backend_name]);
        if let Some(case) = StudyCase::parse(&capsule.call.function, &capsule.origin) {
            return self.study(&examination, &case);
        }
        let law = self.law.as_deref().map(laws::find).transpose()?;
        let law = law.or_else(|| laws::of_check(&capsule.check));
        let case = Case::Stored { id: capsule.id(), call: capsule.call.clone() };
        let code = self.replay(&mut examination.session(), case, &capsule.origin, law)?;
        super::print(&format!("the capsule holds: {}, {}\n", capsule.verdict, capsule.check));
        Ok(code)
    }

    /// Runs a case once and shows what was said; `origin` is what it was made from.
    fn replay(
        &self,
        session: &mut Session<'_>,
        case: Case,
        origin: &str,
        law: Option<&'static Law>,
    ) -> Result<u8> {
        let input = Input { case, cells: self.cells.clone(), genes: self.genes.clone() };
        let call = input.build().map_err(Usage)?;
        if let Some(path) = &self.save {
            anndata_io::write(path, &call.data)?;
        }
        if let Some(law) = law {
            return Ok(under_law(session, law, &call));
        }
        let exchange = session.exchange(call);
        let Examination { host_name, backend_name, .. } = session.examination();
        super::print(&text([host_name, backend_name], &exchange));
        let verdict = exchange.judgement.verdict;
        if let Some(dir) = &self.keep {
            let check = exchange.judgement.failed_check();
            let check = check.unwrap_or_else(|| verdict.name().to_owned());
            let kept = Capsule::of(session, &exchange, origin, &check);
            kept.write(dir)?;
            super::print(&format!("kept as {}\n", dir.join(kept.id()).display()));
        }
        Ok(exit_code(verdict))
    }

    /// A study is asked again with the seeds of the case; there is no host's answer to stand beside.
    fn study(&self, examination: &Examination, case: &StudyCase) -> Result<u8> {
        let mut session = examination.session();
        let mut record = statistics::record(&mut session, case);
        let mut out = format!("{}\n\n", record.case);
        for check in &record.checks {
            let (name, compared, worst) = (&check.name, check.compared, check.worst);
            out += &format!("  {name:<36} {compared:>6} compared, worst ratio {worst}\n");
        }
        let (verdict, reason) = (record.verdict, record.reason.clone());
        let checks = record.checks.clone();
        super::print(&(out + &conclusion(&Judgement { verdict, reason, checks })));
        if let Some(dir) = &self.keep {
            let kept = study_capsule(&mut session, case, &mut record);
            kept.write(dir)?;
            super::print(&format!("kept as {}\n", dir.join(kept.id()).display()));
        }
        Ok(exit_code(verdict))
    }

    /// The capsule that is named, by its name or by its folder.
    fn capsule(&self) -> Result<Option<Capsule>> {
        let path = Path::new(&self.function);
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if !name.starts_with("CX-") {
            return Ok(None);
        }
        if self.recipe.is_some() {
            let message = "a capsule has its own input: no recipe goes with it";
            return Err(Usage(message.to_owned()).into());
        }
        let is_bare = path.parent() == Some(Path::new(""));
        let folder = if is_bare { self.dir.join(path) } else { path.to_owned() };
        if !folder.is_dir() {
            let message = format!(
                "there is no capsule {}: `concord certify` writes them into OUT/capsules, --dir says where to look",
                folder.display()
            );
            return Err(Usage(message).into());
        }
        capsule::read(&folder).map(Some)
    }

    fn recipe(&self) -> Result<&str, Usage> {
        self.recipe.as_deref().ok_or_else(|| {
            let function = &self.function;
            Usage(format!(
                "which case of {function}? A recipe or the id of a stored case is missing"
            ))
        })
    }

    fn examination(&self, host: Opened, backend: Opened, names: [&str; 2]) -> Examination {
        Examination {
            host: host.backend,
            backend: backend.backend,
            precision: Precision::P64,
            deadline: Duration::from_secs_f64(self.deadline.max(1e-3)),
            host_name: names[0].to_owned(),
            backend_name: names[1].to_owned(),
            replay_args: String::new(),
        }
    }

    fn case(&self, stored: Option<&Corpus>) -> Result<Case> {
        if let Some(path) = &self.data {
            let file = file_case::RealFile::open(path)?;
            return Ok(Case::File(
                file_case::parse(&file, &self.function, self.recipe()?).map_err(Usage)?,
            ));
        }
        let function = super::functions(std::slice::from_ref(&self.function))?.remove(0);
        if let Some(corpus) = stored {
            let id = self.recipe()?;
            let case = corpus.cases.iter().find(|c| c.id == id);
            let case = case.ok_or_else(|| Usage(format!("no stored case has the id `{id}`")))?;
            return Ok(Case::Stored { id: case.id.clone(), call: case.call.clone() });
        }
        let generator = generators::generator(&function)
            .ok_or_else(|| anyhow!("no generator for {function}"))?;
        let recipe = generators::Recipe::parse(generator, self.recipe()?);
        Ok(Case::Recipe(recipe.map_err(|e| Usage(e.to_string()))?))
    }
}

/// Shows the answer to the call beside the answer to the call as a law changes it.
fn under_law(session: &mut Session<'_>, law: &'static Law, call: &Arc<Call>) -> u8 {
    let mut out = describe_call(call) + &format!("law {}: {}\n", law.id, law.statement);
    let reply = match session.answer(call) {
        Ok(reply) => reply,
        Err(fault) => {
            let backend = &session.examination().backend_name;
            super::print(&format!("{out}\n{backend}: {fault}\n"));
            return exit_code(Verdict::Inconclusive);
        }
    };
    let trials = session.trials(call, &reply, &[law], 1);
    if let Some((twisted, outcome)) = trials.first().and_then(|t| t.twisted.as_ref()) {
        let changed = |(name, value): &(&String, &Value)| call.param(name) != Some(*value);
        out += &format!("changed: {}\n", describe_call(twisted).lines().next().unwrap_or(""));
        for (name, value) in twisted.params.iter().filter(changed) {
            out += &format!("  {name:<18} {}\n", shorten(&describe(value), 90));
        }
        out += &side_by_side(["as it is", "changed"], &Ok(reply), outcome, &[]);
    }
    let judgement = laws::judgement(trials);
    super::print(&(out + &conclusion(&judgement)));
    exit_code(judgement.verdict)
}

/// What both sides said when the capsule was made. It is judged again, except where the word of a law stands: that
/// takes another answer.
fn stored_exchange(capsule: &Capsule) -> Exchange {
    let (host, backend) = (&capsule.host, &capsule.backend);
    if laws::of_check(&capsule.check).is_some() {
        let (verdict, reason) = (capsule.verdict, capsule.reason.clone());
        return Exchange {
            call: capsule.call.clone(),
            host: host.outcome.clone(),
            backend: backend.outcome.clone(),
            judgement: Judgement { verdict, reason, checks: capsule.checks.clone() },
        };
    }
    Exchange::judged(
        capsule.call.clone(),
        (&host.manifest, host.outcome.clone()),
        (&backend.manifest, backend.outcome.clone()),
        Precision::P64,
    )
}

fn text(names: [&str; 2], exchange: &Exchange) -> String {
    let checks = exchange.judgement.checks.iter();
    let findings: Vec<&Finding> = checks.filter_map(|c| c.finding.as_ref()).collect();
    let answers = side_by_side(names, &exchange.host, &exchange.backend, &findings);
    let proof = witness(names[1], &exchange.backend);
    describe_call(&exchange.call) + &answers + &proof + &conclusion(&exchange.judgement)
}

/// What shows that the backend did the work, where it counted something.
fn witness(backend: &str, outcome: &Outcome) -> String {
    let Ok(Reply { witness: Witness::Counted { calls, launches, moved }, .. }) = outcome else {
        return String::new();
    };
    let mut out = format!("\n{backend} counted {calls} calls");
    if let Some(launches) = launches {
        out += &format!(", {launches} kernel launches");
    }
    if let Some(Traffic { to_device, from_device }) = moved {
        out += &format!(", {to_device} bytes to the device and {from_device} back");
    }
    out + "\n"
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

/// Both answers in two columns; a star marks entries that are not equal, an arrow those that a check names.
fn side_by_side(
    [host, backend]: [&str; 2],
    expected: &Outcome,
    actual: &Outcome,
    findings: &[&Finding],
) -> String {
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
        let named = |f: &Finding| f.expected == *value && f.actual == other && at.contains(&f.at);
        let mark = match other {
            same if same == value => ' ',
            _ if findings.iter().any(|f| named(f)) => '>',
            _ => '*',
        };
        out += &format!("{mark} {at:<place$}  {value:>w$}  {other:>v$}\n");
    }
    for (at, value) in a.iter().filter(|(at, _)| !expected.contains(at.as_str())) {
        out += &format!("* {at:<place$}  {:>w$}  {value:>v$}\n", "(absent)");
    }
    out + "  `*` differs in some digit; `>` is the entry that a check names\n"
}
