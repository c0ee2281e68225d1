//! Makes a certificate: a pure function of the evidence and of what the person who ran it asserts.

use std::collections::BTreeMap;

use dispatch::Digest;

use super::grant::{self, Granted, Terms};
use super::statement::*;
use super::{
    ADEQUACY, Adequacy, Assurance, CertificateError, Circumstances, Decimal, FunctionResult, Grant,
    POLICY, Policy, RESULTS, resource,
};
use crate::render::Tally;
use crate::{Date, Log, Record, Time};

/// What no certificate shows.
const ALWAYS: [&str; 3] = [
    "The results relate only to the files named by digest and to the environment stated here.",
    "Examination can show that mistakes exist, not that none do.",
    "Speed was not measured.",
];

/// Makes a certificate from the bytes of the log, the adequacy report and the policy.
///
/// # Errors
/// When a document cannot be read, or the run certifies nothing whatever its results: a quick tier, an empty log.
pub fn issue(
    [results, adequacy, policy]: [&[u8]; 3],
    circumstances: &Circumstances,
) -> Result<Statement, CertificateError> {
    let refused = |e: &dyn std::fmt::Display| CertificateError::Refused(e.to_string());
    let log = Log::read(results).map_err(|e| refused(&e))?;
    let text = std::str::from_utf8(policy).map_err(|e| CertificateError::Policy(e.to_string()))?;
    let rules = Policy::parse(text)?;
    let adequate = Adequacy::read(adequacy)?;
    if log.header.tier == "quick" {
        return Err(refused(&"a quick tier certifies nothing: run --tier standard or full"));
    }
    if log.records.is_empty() {
        return Err(refused(&"the log has no record"));
    }
    let own = rules.is_own(&log.header.backend.name);
    let assurance = if own { Assurance::SelfAttested } else { circumstances.assurance };
    let terms = Terms {
        challenged: circumstances.challenge.is_some(),
        assurance,
        fault: circumstances.environment.fault(),
    };
    let grants = grant::grant(&log, &rules, &adequate, &terms);
    let header = &log.header;
    let subject = match circumstances.subject.as_slice() {
        [] => vec![stated(&log)],
        given => given.to_vec(),
    };
    let predicate = Predicate {
        schema_version: SCHEMA_VERSION.to_owned(),
        certificate_id: id(&subject, results, circumstances.issued_at),
        issued_at: circumstances.issued_at,
        not_after: not_after(&log, &rules, circumstances.issued_at),
        parent_certificate: circumstances.parent,
        verifier: Verifier {
            id: circumstances.verifier.clone(),
            version: header.examiner.clone(),
            assurance,
            conflict_of_interest: own
                .then(|| "The makers of the examiner made this backend.".to_owned()),
        },
        backend: backend(&log, circumstances),
        suite: Suite {
            name: "concord".to_owned(),
            version: header.examiner.clone(),
            digest: circumstances.suite.clone(),
            tier: header.tier.clone(),
            precision: header.precision,
            plan: header.plan,
        },
        policy: resource(POLICY, policy),
        reference: Reference {
            name: header.host.name.clone(),
            version: header.host.version.clone(),
            artifact: header.host.artifact,
        },
        generator: Generator {
            cases: header.planned.values().sum(),
            inputs_digest: inputs(&log.records),
        },
        seeds: Seeds {
            derivation: SEED_DERIVATION.to_owned(),
            base: header.seed.clone(),
            challenge: circumstances.challenge.clone(),
        },
        environment: circumstances.environment.clone(),
        execution: circumstances.execution.clone(),
        results: function_results(&log, &grants, &adequate),
        counterexamples: counterexamples(&log),
        waivers: header.waivers.clone(),
        evidence: vec![
            resource(RESULTS, results),
            resource(ADEQUACY, adequacy),
            resource(POLICY, policy),
        ],
        granted: Granted::of(&grants),
        limitations: ALWAYS
            .map(str::to_owned)
            .into_iter()
            .chain(header.limitations.iter().cloned())
            .collect(),
    };
    Ok(Statement {
        kind: STATEMENT_TYPE.to_owned(),
        subject,
        predicate_type: PREDICATE_TYPE.to_owned(),
        predicate,
    })
}

/// What the backend says about itself, where no file was given.
fn stated(log: &Log) -> Subject {
    let backend = &log.header.backend;
    let digest = Digests { sha256: backend.artifact, wheel_record1: None };
    Subject { name: format!("{} {}", backend.name, backend.version), digest }
}

/// A UUID of version 8 (RFC 9562): 122 bits of a digest over what is certified.
fn id(subject: &[Subject], results: &[u8], issued_at: Time) -> String {
    let mut text = format!("{} {issued_at}", Digest::of_bytes(results));
    subject.iter().for_each(|s| text += &format!(" {} {}", s.name, s.digest.sha256));
    let hex = Digest::of_bytes(text.as_bytes()).to_string();
    format!(
        "urn:uuid:{}-{}-8{}-a{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[12..15],
        &hex[15..18],
        &hex[18..30]
    )
}

/// The end of the policy's period, or the end of the day on which the first waiver expires.
fn not_after(log: &Log, policy: &Policy, issued_at: Time) -> Time {
    let period = issued_at.plus_days(i64::from(policy.validity.days));
    // A waiver whose date cannot be read holds for nothing.
    let end = |text: &str| text.parse::<Date>().map_or(issued_at, Date::end);
    log.header.waivers.iter().map(|w| end(&w.expires)).fold(period, Time::min)
}

fn backend(log: &Log, circumstances: &Circumstances) -> Backend {
    let (host, backend) = (&log.header.host, &log.header.backend);
    let is_offered = |f: &&String| backend.functions.contains_key(*f);
    Backend {
        name: backend.name.clone(),
        version: backend.version.clone(),
        distribution: circumstances.distribution.clone(),
        artifact: backend.artifact,
        host: host.name.clone(),
        claimed_functions: grant::claimed(log).into_iter().map(str::to_owned).collect(),
        unclaimed_functions: host.functions.keys().filter(|f| !is_offered(f)).cloned().collect(),
    }
}

fn inputs(records: &[Record]) -> Digest {
    let bytes: Vec<u8> = records.iter().flat_map(|r| *r.input.bytes()).collect();
    Digest::of_bytes(&bytes)
}

fn function_results(
    log: &Log,
    grants: &BTreeMap<String, Grant>,
    adequacy: &Adequacy,
) -> Vec<FunctionResult> {
    let result = |(function, grant): (&String, &Grant)| {
        let records: Vec<&Record> =
            log.records.iter().filter(|r| r.function == *function).collect();
        FunctionResult::of(
            function,
            grant.level,
            &log.header,
            &records,
            adequacy.functions.get(function),
        )
    };
    grants.iter().map(result).collect()
}

fn counterexamples(log: &Log) -> Vec<Counterexample> {
    let tally = Tally::of(log);
    let all = tally.failures.iter().filter_map(|failure| {
        let shrunk = failure.shrunk()?;
        let finding = shrunk.findings.first();
        Some(Counterexample {
            id: shrunk.capsule.clone().unwrap_or_else(|| failure.record.case.clone()),
            function: failure.function.to_owned(),
            check: failure.check.to_owned(),
            cases: failure.cases,
            input: shrunk.input,
            n_obs: shrunk.n_obs as u64,
            n_vars: shrunk.n_vars as u64,
            expected: finding.map(|f| f.expected.clone()).unwrap_or_default(),
            actual: finding.map(|f| f.actual.clone()).unwrap_or_default(),
            error: Decimal::of(finding.map_or(f64::NAN, |f| f.ratio.0)),
            replay: shrunk.replay.clone(),
        })
    });
    all.collect()
}
