//! Logs to decide about and to show.
#![allow(dead_code, reason = "each test file uses the part it needs")]

use std::collections::BTreeMap;

use dispatch::{Device, Digest, Manifest};
use reports::{
    Blame, Called, Check, FORMAT, Finding, Header, Log, Precision, Ratio, Record, Ruling, Shrunk,
    Source, Verdict, Witnessed,
};

pub(crate) fn digest(text: &str) -> Digest {
    Digest::of_bytes(text.as_bytes())
}

pub(crate) fn manifest(name: &str, device: Device) -> Manifest {
    Manifest {
        name: name.into(),
        version: "0.1.0".into(),
        summary: "a sample".into(),
        device,
        functions: BTreeMap::new(),
        artifact: digest(name),
    }
}

/// A log of no records, with a plan.
pub(crate) fn log(backend: &str, tier: &str, planned: &[(&str, u64)]) -> Log {
    let header = Header {
        format: FORMAT,
        examiner: "0.1.0".into(),
        backend: manifest(backend, Device::Cpu),
        host: manifest("reference", Device::Cpu),
        called: Called::default(),
        tier: tier.into(),
        planned: planned.iter().map(|&(name, n)| (name.into(), n)).collect(),
        plan: digest("plan"),
        seed: "7313882906912403161".into(),
        precision: Precision::P64,
        deadline_ms: None,
        limitations: Vec::new(),
        knobs: BTreeMap::new(),
        waivers: Vec::new(),
        witnessed: false,
        unfinished: false,
    };
    Log { header, records: Vec::new() }
}

/// A log whose records are those that were planned.
pub(crate) fn as_planned(mut log: Log) -> Log {
    log.header.plan = Header::digest_of(log.records.iter().map(|r| r.case.as_str()));
    log
}

/// Case number `i` of a function, with nothing compared.
pub(crate) fn record(function: &str, i: usize, verdict: Verdict) -> Record {
    let case = format!("{function} cells={} graph=ring seed={i}", 5 + i);
    Record {
        input: digest(&case),
        case,
        function: function.into(),
        source: if i.is_multiple_of(4) { Source::Sampled } else { Source::MustPass },
        verdict,
        reason: String::new(),
        witness: Witnessed::OwnCode,
        checks: Vec::new(),
        shrunk: None,
        precision: None,
        ruling: None,
        explained_by: None,
    }
}

pub(crate) fn passing(name: &str, compared: u64, worst: f64) -> Check {
    Check { name: name.into(), compared, worst: Ratio(worst), finding: None, places: None }
}

/// A case that passes with one check.
pub(crate) fn pass(function: &str, i: usize, worst: f64) -> Record {
    let checks = vec![passing("obsp/distances: value", 1024, worst)];
    Record { checks, ..record(function, i, Verdict::Pass) }
}

pub(crate) fn finding(slot: &str, at: &str, values: [&str; 3], ratio: f64) -> Finding {
    let [expected, actual, allowance] = values.map(String::from);
    Finding { slot: slot.into(), at: at.into(), expected, actual, allowance, ratio: Ratio(ratio) }
}

/// A case whose check `{slot}: value` fails.
pub(crate) fn fail(function: &str, i: usize, verdict: Verdict, finding: Finding) -> Record {
    let (name, worst) = (format!("{}: value", finding.slot), finding.ratio);
    let checks = vec![
        passing("uns: slots", 3, 0.0),
        Check { name, compared: 48, worst, finding: Some(finding), places: None },
    ];
    Record { checks, ..record(function, i, verdict) }
}

pub(crate) fn shrunk(record: Record, n_obs: usize, more: &[Finding]) -> Record {
    let failed = record.failed_check().expect("a check that failed");
    let findings = failed.finding.iter().chain(more).cloned().collect();
    let shrunk = Shrunk {
        recipe: "cells=5 genes=1 graph=ring weights=unit values=counts seed=0".into(),
        cells: Some((0..n_obs).map(|i| 2 * i).collect()),
        genes: None,
        edits: Vec::new(),
        capsule: None,
        n_obs,
        n_vars: 1,
        input: digest("shrunk"),
        calls: 31,
        params: vec!["mode=\"moran\"".into(), "n_perms=None".into(), "transformation=False".into()],
        check: failed.name.clone(),
        ruling: None,
        findings,
        replay: format!(
            "concord replay mutant:moran-no-scale {} \"cells=5 genes=1 graph=ring seed=0\" --cells 0,2",
            record.function
        ),
    };
    Record { shrunk: Some(shrunk), ..record }
}

/// The same with exact arithmetic against the backend.
fn ruled(mut record: Record, wrong: &Finding) -> Record {
    if let Some(shrunk) = &mut record.shrunk {
        let backend = Some(wrong.clone());
        shrunk.ruling = Some(Ruling { blame: Blame::Backend, host: None, backend });
    }
    record
}

/// Three functions of which one differs in three ways, and one is offered in part.
pub(crate) fn failing() -> Log {
    let name = "spatial_autocorr";
    let planned = [("co_occurrence", 24), ("ligrec", 12), (name, 24)];
    let mut log = log("mutant:moran-no-scale", "quick", &planned);
    log.header.limitations = vec![
        "The backend runs in the process of the examiner, so a side effect on the host's memory \
         would not be seen."
            .into(),
        "Sampled p-values are compared by their distribution: a bias below 0.002 passes.".into(),
    ];
    log.records.extend((0..24).map(|i| pass("co_occurrence", i, i as f64 / 60.0)));
    log.records.extend((0..10).map(|i| pass("ligrec", i, 0.0)));
    for i in 10..12 {
        let reason = "not supported: corr_method `fdr_by`".into();
        log.records.push(Record { reason, ..record("ligrec", i, Verdict::NotSupported) });
    }
    let wrong = finding("uns/moranI[I]", "Gene0", ["0.25", "0.2734375", "8.9e-16"], 2.63e13);
    let more = [finding("uns/moranI[pval_norm]", "Gene0", ["0.02", "0.03", "1e-12"], 1e10)];
    for i in 0..6 {
        let case = fail(name, i, Verdict::Fail, wrong.clone());
        log.records.push(if i == 2 { ruled(shrunk(case, 2, &more), &wrong) } else { case });
    }
    let dtype =
        finding("uns/moranI[pval_norm]", "", ["float64", "float32", "exact"], f64::INFINITY);
    log.records.push(shrunk(fail(name, 6, Verdict::Contract, dtype), 3, &[]));
    let reason = "the process of the backend died with signal 11".to_owned();
    log.records.push(Record { reason, ..record(name, 7, Verdict::Crash) });
    let cancelled = finding("uns/gearyC[C]", "Gene1", ["1", "0.5", "8.9e-16"], 5.6e14);
    log.records.push(Record {
        reason: "a mean so large that the host loses every digit".into(),
        ruling: Some(Ruling { blame: Blame::Host, host: Some(cancelled), backend: None }),
        ..record(name, 8, Verdict::HostUndefined)
    });
    log.records.extend((9..24).map(|i| pass(name, i, i as f64 / 30.0)));
    as_planned(log)
}

/// Two functions that agree.
pub(crate) fn conformant() -> Log {
    let mut log = log("concord-cuda", "standard", &[("co_occurrence", 24), ("ligrec", 60)]);
    log.header.backend.device = Device::Cuda {
        name: "NVIDIA H200".into(),
        capability: "9.0".into(),
        driver: "570.86".into(),
        nvrtc: "12.8".into(),
    };
    log.records.extend((0..24).map(|i| pass("co_occurrence", i, i as f64 / 60.0)));
    log.records.extend((0..60).map(|i| pass("ligrec", i, 0.0)));
    as_planned(log)
}

/// A log that was cut, with cases that could not be examined.
pub(crate) fn broken() -> Log {
    let mut log = log("rapids-singlecell", "full", &[("co_occurrence", 24), ("ligrec", 3)]);
    log.header.backend.device = Device::Absent { why: "no libcuda.so.1 was found".into() };
    log.records.extend((0..20).map(|i| pass("co_occurrence", i, 0.1)));
    for i in 0..3 {
        let reason = "the worker could not be started: no such file".into();
        log.records.push(Record { reason, ..record("ligrec", i, Verdict::Infra) });
    }
    log
}

/// Every text that a backend could choose tries to be something else.
pub(crate) fn hostile() -> Log {
    let name = "f|`<script>alert(1)</script>";
    let mut log = log("x`| @team\u{1b}[2J\n# owned \u{202e}", "quick", &[(name, 1)]);
    log.header.limitations = vec!["<img src=x> [click](http://evil.example) @team #1 \\|".into()];
    let long = |end: &str| format!("{}{end}", "0 ".repeat(400));
    let values = [&*long("|1"), &*long("`2`"), "exact"];
    let wrong = finding("uns/a|b`", "\u{1b}]0;title\u{7}\r\n| x |", values, f64::NAN);
    let mut case = shrunk(fail(name, 0, Verdict::Fail, wrong), 1, &[]);
    case.reason = "</details> | @team closed #1 ```".into();
    if let Some(shrunk) = &mut case.shrunk {
        shrunk.replay = "concord replay ```\n## owned".into();
    }
    log.records.push(case);
    log
}
