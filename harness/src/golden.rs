//! The golden corpus: stored answers of a real host, and how a backend compares with them.
//!
//! A folder with `cases.json`, the inputs as `.h5ad` and one file per expected answer. The stored
//! answer plays the host; the same contracts judge it as in every other run.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use dispatch::{Backend, Call, Dataset, Fault, Map, Params, Reply, Value, Warning, Witness, json};
use reports::{Ruling, Verdict};
use serde::Deserialize;

use crate::examine::Exchange;
use crate::executor::Executor;
use crate::judge::{Judgement, Outcome, Peers, judge};
use crate::oracle::Deviations;
use crate::{Profile, contract, deliver, oracle, stream};

/// A folder of stored answers.
#[derive(Debug)]
pub struct Corpus {
    /// The cases, in the order of `cases.json`.
    pub cases: Vec<GoldenCase>,
    /// The version of the library that gave the answers.
    pub version: String,
}

/// One stored call and its answer.
#[derive(Clone, Debug)]
pub struct GoldenCase {
    /// Its id.
    pub id: String,
    /// The call.
    pub call: Arc<Call>,
    /// What the host said.
    pub outcome: Outcome,
    /// Where the host's behaviour is undefined: why, and the answer it was meant to give.
    pub undefined: Option<(String, Reply)>,
}

/// What became of one golden case.
pub struct GoldenResult<'a> {
    /// The case.
    pub case: &'a GoldenCase,
    /// Both answers and the judgement.
    pub exchange: Exchange,
    /// What exact arithmetic says about both answers, where it was affordable.
    pub ruling: Option<Ruling>,
    /// Which permutation null the host sampled, where that can be told.
    pub null: Option<Deviations>,
}

impl GoldenResult<'_> {
    /// `agree`, `differ`, `host-undefined` or `not-supported`.
    pub fn word(&self) -> &'static str {
        match self.exchange.judgement.verdict {
            Verdict::Pass | Verdict::QualityWarning => "agree",
            Verdict::HostUndefined => "host-undefined",
            Verdict::NotSupported => "not-supported",
            _ => "differ",
        }
    }
}

#[derive(Deserialize)]
struct CasesFile {
    versions: BTreeMap<String, String>,
    cases: Vec<CaseEntry>,
}

#[derive(Deserialize)]
struct CaseEntry {
    id: String,
    function: String,
    kwargs: serde_json::Map<String, serde_json::Value>,
    input: String,
    expected: String,
    status: String,
}

#[derive(Deserialize)]
struct ExpectedFile {
    #[serde(default)]
    outputs: serde_json::Map<String, serde_json::Value>,
    error: Option<ExpectedError>,
    #[serde(default)]
    warnings: Vec<Warning>,
    note: Option<String>,
    intended: Option<Intended>,
}

#[derive(Deserialize)]
struct Intended {
    outputs: serde_json::Map<String, serde_json::Value>,
}

#[derive(Deserialize)]
struct ExpectedError {
    #[serde(rename = "type")]
    kind: String,
    message: String,
}

impl Corpus {
    /// Reads a folder.
    ///
    /// # Errors
    /// Names the file and the place in it that cannot be read.
    pub fn read(dir: &Path) -> Result<Corpus> {
        let path = dir.join("cases.json");
        let text = std::fs::read_to_string(&path).with_context(|| {
            format!(
                "read {}: a golden folder has a cases.json, inputs/ and expected/",
                path.display()
            )
        })?;
        let file: CasesFile =
            serde_json::from_str(&text).with_context(|| format!("parse {}", path.display()))?;
        if file.cases.is_empty() {
            bail!("{} lists no case: nothing would be compared", path.display());
        }
        let mut inputs: BTreeMap<String, Arc<Dataset>> = BTreeMap::new();
        let cases = file
            .cases
            .iter()
            .map(|entry| {
                read_case(dir, entry, &mut inputs)
                    .with_context(|| format!("golden case {}", entry.id))
            })
            .collect::<Result<_>>()?;
        let version = file.versions.get("squidpy").cloned().unwrap_or_else(|| "unknown".to_owned());
        Ok(Corpus { cases, version })
    }

    /// Compares a backend with every stored answer.
    pub fn compare<'a>(
        &'a self,
        backend: &Arc<dyn Backend>,
        deadline: Duration,
        progress: impl Fn(),
    ) -> Vec<GoldenResult<'a>> {
        let mut executor = Executor::new(backend.clone(), deadline);
        let compare = |case: &'a GoldenCase| {
            progress();
            compare_case(case, backend.as_ref(), &mut executor, &self.version)
        };
        self.cases.iter().map(compare).collect()
    }
}

fn compare_case<'a>(
    case: &'a GoldenCase,
    backend: &dyn Backend,
    executor: &mut Executor,
    version: &str,
) -> GoldenResult<'a> {
    let to = backend.manifest();
    let host = recorded_manifest("recorded", version);
    let streams = stream::choose(&host, to, &case.call.function);
    let asked = stream::ask(&case.call, streams.backend);
    let Some(contract) = contract(&case.call.function) else { return not_supported(case) };
    let answer = deliver::deliver(&asked, to, to).and_then(|call| executor.run(&call));
    let mut peers =
        Peers { host: Profile::SQUIDPY, backend: Profile::of(&to.name), same_stream: streams.same };
    let judgement = match &case.undefined {
        None => judge(contract, &asked, peers, &case.outcome, &answer),
        // The host's own answer is not a reference here; what it was meant to answer is.
        Some((why, intended)) => {
            peers.host.squidpy_defects = false;
            let mut judgement = judge(contract, &asked, peers, &Ok(intended.clone()), &answer);
            if judgement.verdict == Verdict::Pass {
                judgement.verdict = Verdict::HostUndefined;
                judgement.reason = format!("{why}; agrees with the answer that was meant");
            }
            judgement
        }
    };
    let exchange = Exchange {
        call: case.call.clone(),
        host: case.outcome.clone(),
        backend: answer,
        judgement,
    };
    let ruling = oracle::ruling(&exchange, [&host, to]);
    let permuted = case.outcome.as_ref().ok().filter(|_| case.call.function == "spatial_autocorr");
    let null = permuted.and_then(|reply| oracle::deviations(&case.call, reply));
    GoldenResult { case, exchange, ruling, null }
}

fn not_supported(case: &GoldenCase) -> GoldenResult<'_> {
    let reason = format!("concord has no contract for `{}` yet", case.call.function);
    let backend = Err(Fault::Unsupported(reason.clone()));
    let judgement = Judgement { verdict: Verdict::NotSupported, reason, checks: Vec::new() };
    let exchange =
        Exchange { call: case.call.clone(), host: case.outcome.clone(), backend, judgement };
    GoldenResult { case, exchange, ruling: None, null: None }
}

/// The manifest of the library whose answers are stored. Its functions and their parameters are the reference's,
/// less what the reference adds.
pub fn recorded_manifest(name: &str, version: &str) -> dispatch::Manifest {
    let mut manifest = reference::backend().manifest().clone();
    manifest.name = name.to_owned();
    manifest.version = version.to_owned();
    manifest.summary = format!("stored answers, squidpy {version}");
    manifest.artifact = dispatch::Digest::of_bytes(format!("{name} {version}").as_bytes());
    for signature in manifest.functions.values_mut() {
        signature.params.retain(|p| p.name != "rng");
    }
    manifest
}

fn read_case(
    dir: &Path,
    entry: &CaseEntry,
    inputs: &mut BTreeMap<String, Arc<Dataset>>,
) -> Result<GoldenCase> {
    let data = match inputs.get(&entry.input) {
        Some(data) => data.clone(),
        None => {
            let data = Arc::new(anndata_io::read(&inside(dir, &entry.input)?)?.data);
            inputs.insert(entry.input.clone(), data.clone());
            data
        }
    };
    let params: Params = decode_fields(&entry.kwargs).context("kwargs")?;
    let function = entry.function.rsplit('.').next().unwrap_or_default();
    let call = Arc::new(Call::new(function, data, params));

    let path = inside(dir, &entry.expected)?;
    let text =
        std::fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
    let expected: ExpectedFile =
        serde_json::from_str(&text).with_context(|| format!("parse {}", path.display()))?;
    let (outcome, undefined) = match entry.status.as_str() {
        "ok" => {
            let mut reply = decode_reply(&expected.outputs)?;
            reply.warnings = Some(expected.warnings);
            (Ok(reply), None)
        }
        "error" => {
            let error = expected
                .error
                .ok_or_else(|| anyhow!("{} has status error and no error", path.display()))?;
            let refused = Fault::Rejected {
                kind: error.kind,
                bases: Vec::new(),
                message: error.message,
                warnings: Some(expected.warnings),
            };
            (Err(refused), None)
        }
        "undefined_behaviour" => {
            let why =
                expected.note.unwrap_or_else(|| "the host's behaviour is undefined".to_owned());
            let intended = expected
                .intended
                .ok_or_else(|| anyhow!("{} has no intended answer", path.display()))?;
            let crash =
                Fault::Crashed { status: "undefined behaviour".to_owned(), stderr: why.clone() };
            (Err(crash), Some((why, decode_reply(&intended.outputs)?)))
        }
        other => bail!("status `{other}`, expected ok, error or undefined_behaviour"),
    };
    Ok(GoldenCase { id: entry.id.clone(), call, outcome, undefined })
}

fn decode_reply(outputs: &serde_json::Map<String, serde_json::Value>) -> Result<Reply> {
    let mut reply = Reply { witness: Witness::OwnCode, ..Reply::default() };
    for (slot, value) in decode_fields(outputs).context("outputs")? {
        reply.data.set(&slot, value);
    }
    Ok(reply)
}

fn decode_fields(fields: &serde_json::Map<String, serde_json::Value>) -> Result<Map> {
    let decode = |(name, value): (&String, &serde_json::Value)| -> Result<(String, Value)> {
        Ok((name.clone(), json::decode(value).with_context(|| format!("`{name}`"))?))
    };
    fields.iter().map(decode).collect()
}

/// A path of the corpus, which must stay inside its folder.
fn inside(dir: &Path, relative: &str) -> Result<PathBuf> {
    if Path::new(relative).components().any(|c| !matches!(c, std::path::Component::Normal(_))) {
        bail!("path `{relative}` leaves the folder of the corpus");
    }
    Ok(dir.join(relative))
}
