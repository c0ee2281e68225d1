//! The door of a backend's own CI: `cargo test -p harness` with `CONCORD_BACKEND=name`, or one line in
//! the tests of a backend crate.
//!
//! One trial per function and property. Trials of generated cases carry the recipe in their names, so that
//! `cargo test -p harness -- graph=delaunay` runs what uses a Delaunay graph. Works under nextest, which starts
//! one process per trial: listing must stay cheap.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use dispatch::{Backend, Semantics, dispatchable};
use generators::Recipe;
use libtest_mimic::{Arguments, Failed, Trial};
use reports::{Source, Verdict};

use crate::backends::{self, Opened};
use crate::examine::Examination;
use crate::golden::Corpus;
use crate::judge::Outcome;
use crate::laws::{self, Law};
use crate::plan::{Plan, Tier, run_seed};
use crate::shrink::{Budget, shrink};
use crate::statistics::{self, StudyCase};
use crate::{CONTRACTS, Case, causes, recorded};

/// Recipes drawn at random for each function, after the covering array.
const SAMPLES: u64 = 60;
/// Cases of each function that are called twice.
const REPEATS: usize = 12;
/// Cases on which each law is asked, if it says something about them.
const LAW_CASES: usize = 40;
/// How long one call may take.
const DEADLINE: Duration = Duration::from_secs(30);

/// Runs the suite for the backend that `CONCORD_BACKEND` names (default: the reference against itself).
pub fn main() -> ExitCode {
    let name = std::env::var("CONCORD_BACKEND").unwrap_or_else(|_| "reference".to_owned());
    match backends::open(&name) {
        Ok(opened) => run(&name, opened),
        Err(error) => {
            eprintln!("CONCORD_BACKEND={name}: {error:#}");
            ExitCode::from(2)
        }
    }
}

/// Runs the suite for a backend; the arguments are those of `cargo test`.
pub fn run(name: &str, Opened { backend, stored }: Opened) -> ExitCode {
    let arguments = Arguments::from_args();
    let listing = arguments.list;
    let host: Arc<dyn Backend> = Arc::new(reference::backend());
    let device = backend.manifest().device.clone();
    let examination = Examination {
        host,
        backend,
        precision: reports::Precision::P64,
        deadline: DEADLINE,
        host_name: "reference".to_owned(),
        backend_name: name.to_owned(),
        replay_args: String::new(),
    };
    let examination = Arc::new(examination);
    let trials = match &arguments.filter {
        // One trial, named in full, as nextest asks for in each of its processes: the name says all, and no plan is made.
        Some(name) if arguments.exact && stored.is_none() => {
            named(&examination, name).into_iter().collect()
        }
        Some(_) | None => trials(&examination, stored.as_deref()),
    };
    let conclusion = libtest_mimic::run(&arguments, trials);
    if !listing {
        println!("backend {name} on {device:?}, against the reference");
        println!("A quick tier certifies nothing: it only finds mistakes early.\n");
    }
    conclusion.exit_code()
}

fn trials(examination: &Arc<Examination>, stored: Option<&Corpus>) -> Vec<Trial> {
    let (host, backend) = (examination.host.manifest(), examination.backend.manifest());
    let contracts = CONTRACTS.iter().map(|c| contract_trial(examination, c.function));
    let mut trials: Vec<Trial> = contracts.collect();
    let plan = match stored {
        Some(corpus) => {
            let functions: Vec<String> = CONTRACTS.iter().map(|c| c.function.to_owned()).collect();
            recorded::plan(corpus, &functions)
        }
        None => {
            let seed = run_seed(backend, host, "");
            let mut plan = Plan::sized(generators::GENERATORS, 1, SAMPLES, seed);
            let functions: Vec<String> = CONTRACTS.iter().map(|c| c.function.to_owned()).collect();
            let studies = statistics::cases(examination, &functions, Tier::Quick.budget(), seed);
            plan.cases.extend(studies);
            plan
        }
    };
    if stored.is_none() {
        trials.extend(laws::all().map(|law| law_trial(examination, law)));
    }
    let mut called: BTreeMap<String, usize> = BTreeMap::new();
    for (_, case) in plan.cases {
        let times = called.entry(case.function().to_owned()).or_default();
        *times += 1;
        if *times <= REPEATS {
            trials.push(case_trial(examination, "repeats", repeats, case.clone()));
        }
        trials.push(case_trial(examination, "agrees", agrees, case));
    }
    trials
}

/// The trial of a name, if it is one of a function or of a recipe.
fn named(examination: &Arc<Examination>, name: &str) -> Option<Trial> {
    let (function, rest) = name.split_once("::")?;
    if rest == "contract" {
        return Some(contract_trial(examination, crate::contract(function)?.function));
    }
    let (property, text) = rest.split_once("::")?;
    if property == "law" {
        let law = laws::find(text).ok().filter(|law| law.function == function)?;
        return Some(law_trial(examination, law));
    }
    let case = match StudyCase::parse(function, text) {
        Some(study) => Case::Study(study),
        None => Case::Recipe(Recipe::parse(generators::generator(function)?, text).ok()?),
    };
    match property {
        "repeats" => Some(case_trial(examination, property, repeats, case)),
        "agrees" => Some(case_trial(examination, property, agrees, case)),
        _ => None,
    }
}

fn contract_trial(examination: &Arc<Examination>, function: &'static str) -> Trial {
    let shared = examination.clone();
    let trial =
        Trial::test(format!("{function}::contract"), move || static_contract(&shared, function));
    trial.with_ignored_flag(is_absent(examination))
}

fn law_trial(examination: &Arc<Examination>, law: &'static Law) -> Trial {
    let shared = examination.clone();
    let name = format!("{}::law::{}", law.function, law.id);
    Trial::test(name, move || keeps(&shared, law)).with_ignored_flag(is_absent(examination))
}

fn case_trial(
    examination: &Arc<Examination>,
    property: &str,
    run: fn(&Examination, &Case) -> Result<(), Failed>,
    case: Case,
) -> Trial {
    let shared = examination.clone();
    let name = format!("{}::{property}::{}", case.function(), case.text());
    Trial::test(name, move || run(&shared, &case)).with_ignored_flag(is_absent(examination))
}

/// Whether the device is missing. Decided before listing: a test that skips itself at run time counts as passed
/// under nextest.
fn is_absent(examination: &Examination) -> bool {
    matches!(examination.backend.manifest().device, dispatch::Device::Absent { .. })
}

/// The backend may be handed the calls of the function at all.
fn static_contract(examination: &Examination, function: &str) -> Result<(), Failed> {
    let semantic = crate::contract(function).map(|c| c.semantic).unwrap_or_default();
    let find = |b: &Arc<dyn Backend>| b.manifest().functions.get(function).cloned();
    let (Some(host), Some(backend)) = (find(&examination.host), find(&examination.backend)) else {
        return Err(format!("the backend does not offer `{function}`").into());
    };
    let assessment = dispatchable(&host, &backend, &Semantics::new(semantic.iter().copied()));
    if assessment.verdict == dispatch::Verdict::No {
        let findings: Vec<String> =
            assessment.findings.iter().map(|f| format!("{}: {}", f.rule.id(), f.message)).collect();
        return Err(format!("calls must not be handed over:\n{}", findings.join("\n")).into());
    }
    Ok(())
}

/// The answer agrees with the host's; if not, the message shows the shrunk input.
fn agrees(examination: &Examination, case: &Case) -> Result<(), Failed> {
    let mut session = examination.session();
    let record = session.record(Source::MustPass, case);
    match record.verdict {
        Verdict::Pass | Verdict::QualityWarning | Verdict::HostUndefined => return Ok(()),
        verdict if !verdict.condemns() => {
            return Err(format!("{verdict}: {}", record.reason).into());
        }
        _ => {}
    }
    let check = record.failed_check().map_or(record.verdict.name(), |c| c.name.as_str());
    let mut message = format!("{}: {check}: {}\n", record.verdict, record.reason);
    // A study comes with its counterexample: its inputs are small and fixed, and it has failed twice.
    let shrunk = record.shrunk.clone().or_else(|| {
        let symptom = causes::failed_check(&record);
        shrink(&mut session, case, &symptom, Budget::default()).map(|found| found.shrunk)
    });
    match shrunk {
        Some(shrunk) => {
            message += &format!(
                "shrunk to {} cells x {} genes: {}\n",
                shrunk.n_obs, shrunk.n_vars, shrunk.recipe
            );
            for f in &shrunk.findings {
                message += &format!(
                    "{} {}: expected {}, got {}, allowance {}, ratio {}\n",
                    f.slot, f.at, f.expected, f.actual, f.allowance, f.ratio
                );
            }
            message += &format!("replay: {}\n", shrunk.replay);
        }
        None => message += "it agreed when called again: flaky\n",
    }
    Err(message.into())
}

/// The answers keep a law; if not, the message shows the shrunk input.
fn keeps(examination: &Examination, law: &'static Law) -> Result<(), Failed> {
    let (host, backend) = (examination.host.manifest(), examination.backend.manifest());
    let generator = generators::generator(law.function).ok_or("no generator")?;
    let plan = Plan::sized(&[generator], 1, 0, run_seed(backend, host, ""));
    let cases: Vec<Case> = plan.cases.into_iter().map(|(_, case)| case).take(LAW_CASES).collect();
    let survey = laws::survey(examination, &cases, &[law], 1, || ());
    let Some((case, check, shrunk)) = survey.tallies.into_iter().find_map(|tally| tally.first)
    else {
        return Ok(());
    };
    let replay = shrunk.map_or("it was kept when asked again: flaky".to_owned(), |s| s.replay);
    Err(format!("{check}: {}\non {}\nreplay: {replay}", law.statement, case.text()).into())
}

/// The same call gives the same bits twice.
fn repeats(examination: &Examination, case: &Case) -> Result<(), Failed> {
    let mut session = examination.session();
    let answer = |outcome: Outcome| {
        outcome.map(|reply| reply.data.digest()).map_err(|fault| fault.to_string())
    };
    let first = answer(session.exchange(case.build()).backend);
    let second = answer(session.exchange(case.build()).backend);
    if first == second {
        return Ok(());
    }
    Err(format!("the same call gave two answers: {first:?} and {second:?}").into())
}
