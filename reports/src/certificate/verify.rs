//! Checks a certificate: nothing in it that can be computed is believed.
//!
//! [`verify`] is pure; whoever calls it brings the files. Every question has one answer of three, so that what was
//! not asked is never mistaken for what holds.

use dispatch::Digest;
use serde_json::Value;

use super::{Circumstances, Level, POLICY, Policy, RESULTS, Statement, from_bytes, issue};
use crate::signature::{Signer, Signers};
use crate::{Header, Time};

/// What is asked about a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Topic {
    /// Whether it is written in its one form.
    Form,
    /// Whether it holds today.
    Period,
    /// Whether enough people whose keys are known signed these bytes.
    Signature,
    /// Whether it was taken back.
    Revocation,
    /// Whether the evidence is what it names.
    Evidence,
    /// Whether the policy is the one that the reader trusts.
    Policy,
    /// Whether everything it says follows from the evidence.
    Results,
    /// Whether seeds and cases are those that the suite derives.
    Plan,
    /// Whether the files at hand are the certified ones.
    Artifact,
    /// Whether the build of the examiner is one that the policy accepts.
    Suite,
}

impl Topic {
    /// The word used in reports.
    pub fn name(self) -> &'static str {
        match self {
            Topic::Form => "form",
            Topic::Period => "period",
            Topic::Signature => "signature",
            Topic::Revocation => "revocation",
            Topic::Evidence => "evidence",
            Topic::Policy => "policy",
            Topic::Results => "results",
            Topic::Plan => "plan",
            Topic::Artifact => "artifact",
            Topic::Suite => "suite",
        }
    }
}

/// The answer to one question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It holds; the text says what was seen.
    Holds(String),
    /// It does not hold, and why.
    Refused(String),
    /// It was not asked, and what is needed to ask it.
    NotChecked(String),
}

/// One question and its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What was asked.
    pub topic: Topic,
    /// The answer.
    pub standing: Standing,
}

/// What the suite of this version plans for a header and a challenge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replanned {
    /// The seed of the run.
    pub seed: u64,
    /// Digest over the names of the planned cases; `None` where they were not generated.
    pub plan: Option<Digest>,
}

/// Derives seed and plan again; an error says why this version cannot.
pub type Replan<'a> = &'a dyn Fn(&Header, &str) -> Result<Replanned, String>;

/// A certificate and what is known beside it.
pub struct Dossier<'a> {
    /// The bytes of the certificate.
    pub certificate: &'a [u8],
    /// The files of the evidence by name.
    pub evidence: &'a dyn Fn(&str) -> Option<Vec<u8>>,
    /// The policy that the reader trusts; `None`: that of the evidence is taken.
    pub policy: Option<&'a [u8]>,
    /// The files at hand, by name and bytes.
    pub artifacts: &'a [(String, Vec<u8>)],
    /// Detached signatures.
    pub signatures: &'a [String],
    /// Whose keys are known.
    pub signers: Option<&'a Signers>,
    /// Certificates that were taken back, by digest, with the reason.
    pub revoked: &'a dyn Fn(&Digest) -> Option<String>,
    /// What time it is.
    pub now: Time,
    /// Derives seed and plan again.
    pub replan: Option<Replan<'a>>,
}

type Question = fn(&Dossier<'_>, &Statement) -> Standing;

/// Asks everything. The statement is returned where it could be read.
pub fn verify(dossier: &Dossier<'_>) -> (Vec<Finding>, Option<Statement>) {
    let statement = match from_bytes(dossier.certificate) {
        Ok(statement) => statement,
        Err(error) => {
            let standing = Standing::Refused(error.to_string());
            return (vec![Finding { topic: Topic::Form, standing }], None);
        }
    };
    let questions: [(Topic, Question); 9] = [
        (Topic::Period, period),
        (Topic::Signature, signature),
        (Topic::Revocation, revocation),
        (Topic::Evidence, evidence),
        (Topic::Policy, policy),
        (Topic::Suite, suite),
        (Topic::Results, results),
        (Topic::Plan, plan),
        (Topic::Artifact, artifact),
    ];
    let form = Standing::Holds("one in-toto Statement, written as certificates are".to_owned());
    let mut findings = vec![Finding { topic: Topic::Form, standing: form }];
    let ask =
        |(topic, ask): (Topic, Question)| Finding { topic, standing: ask(dossier, &statement) };
    findings.extend(questions.into_iter().map(ask));
    (findings, Some(statement))
}

fn period(dossier: &Dossier<'_>, statement: &Statement) -> Standing {
    let (from, to, now) =
        (statement.predicate.issued_at, statement.predicate.not_after, dossier.now);
    if now < from {
        Standing::Refused(format!("it is issued at {from}, which is after now, {now}"))
    } else if now > to {
        Standing::Refused(format!("it expired at {to}, now is {now}"))
    } else {
        Standing::Holds(format!("from {from} to {to}"))
    }
}

fn signature(dossier: &Dossier<'_>, statement: &Statement) -> Standing {
    let Some(signers) = dossier.signers else {
        return Standing::NotChecked("no list of allowed signers was given".to_owned());
    };
    if dossier.signatures.is_empty() {
        return Standing::Refused("it is not signed".to_owned());
    }
    let mut known: Vec<Signer> = Vec::new();
    for text in dossier.signatures {
        match signers.verify(dossier.certificate, text, crate::signature::CERTIFICATE, dossier.now)
        {
            Ok(signer) if known.iter().all(|k| k.key != signer.key) => known.push(signer),
            Ok(_) => {}
            Err(error) => return Standing::Refused(error.to_string()),
        }
    }
    let highest = statement.levels().map_or(Level::None, |(_, highest)| highest);
    let needed = match (highest, trusted_policy(dossier)) {
        (Level::Full, Some(policy)) => policy.full.signatures,
        _ => 1,
    };
    let names: Vec<&str> = known.iter().map(|s| s.principal.as_str()).collect();
    match known.len() >= needed {
        true => Standing::Holds(format!("by {}", names.join(" and "))),
        false => Standing::Refused(format!(
            "level {highest} takes {needed} signatures by different keys, there is one by {}",
            names.join(" and ")
        )),
    }
}

fn revocation(dossier: &Dossier<'_>, _: &Statement) -> Standing {
    let digest = Digest::of_bytes(dossier.certificate);
    match (dossier.revoked)(&digest) {
        Some(reason) => Standing::Refused(format!("it was revoked: {reason}")),
        None => {
            Standing::Holds(format!("{} is on no list of revoked certificates", digest.short(12)))
        }
    }
}

fn evidence(dossier: &Dossier<'_>, statement: &Statement) -> Standing {
    for named in &statement.predicate.evidence {
        let Some(bytes) = (dossier.evidence)(&named.name) else {
            return Standing::NotChecked(format!("{} is not there", named.name));
        };
        let got = Digest::of_bytes(&bytes);
        if got != named.digest.sha256 {
            let (name, expected) = (&named.name, named.digest.sha256.short(12));
            return Standing::Refused(format!(
                "{name} hashes to {}, the certificate names {expected}",
                got.short(12)
            ));
        }
    }
    Standing::Holds(format!("{} files hash to what it names", statement.predicate.evidence.len()))
}

fn policy(dossier: &Dossier<'_>, statement: &Statement) -> Standing {
    let named = &statement.predicate.policy.digest.sha256;
    match dossier.policy.map(Digest::of_bytes) {
        None => Standing::NotChecked("no policy was given to compare with".to_owned()),
        Some(trusted) if trusted == *named => {
            Standing::Holds(format!("it is the trusted one, {}", named.short(12)))
        }
        Some(trusted) => Standing::Refused(format!(
            "it was issued under policy {}, the trusted one is {}",
            named.short(12),
            trusted.short(12)
        )),
    }
}

fn suite(dossier: &Dossier<'_>, statement: &Statement) -> Standing {
    let Some(policy) = trusted_policy(dossier) else {
        return Standing::NotChecked("the policy cannot be read".to_owned());
    };
    let digest = statement.predicate.suite.digest.sha256;
    if policy.suite.accepted.is_empty() {
        return Standing::Holds("the policy accepts any build of the examiner".to_owned());
    }
    match policy.suite.accepted.contains(&digest) {
        true => Standing::Holds(format!("examiner {} is accepted", digest.short(12))),
        false => Standing::Refused(format!(
            "examiner {} is not one the policy accepts",
            digest.short(12)
        )),
    }
}

/// Issues the certificate again and compares.
fn results(dossier: &Dossier<'_>, statement: &Statement) -> Standing {
    let files = super::evidence::NAMES.map(|name| (dossier.evidence)(name));
    let [Some(log), Some(adequacy), Some(policy)] = &files else {
        return Standing::NotChecked(
            "the evidence is not complete, so nothing was recomputed".to_owned(),
        );
    };
    let policy = dossier.policy.unwrap_or(policy);
    let expected = match issue([log, adequacy, policy], &Circumstances::of(statement)) {
        Ok(expected) => expected,
        Err(error) => return Standing::Refused(error.to_string()),
    };
    let incomplete = statement.predicate.results.iter().find(|r| !r.cases.is_complete());
    if let Some(result) = incomplete {
        let (function, planned) = (&result.function, result.cases.planned);
        return Standing::Refused(format!(
            "{function}: the cases do not sum to the {planned} planned"
        ));
    }
    let trees = (serde_json::to_value(statement), serde_json::to_value(&expected));
    let (Ok(stated), Ok(computed)) = trees else {
        return Standing::Refused("it cannot be compared".to_owned());
    };
    // What is granted says most to a reader, then what was counted; an identifier says least.
    let part = |name: &str| {
        let place = format!("/predicate/{name}");
        difference(stated.pointer(&place)?, computed.pointer(&place)?, &format!("predicate.{name}"))
    };
    let first = part("granted").or_else(|| part("results"));
    match first.or_else(|| difference(&stated, &computed, "")) {
        Some(what) => Standing::Refused(what),
        None => {
            let granted = &statement.predicate.granted;
            Standing::Holds(format!(
                "every figure and level follows from the evidence; overall {}",
                granted.overall
            ))
        }
    }
}

fn plan(dossier: &Dossier<'_>, statement: &Statement) -> Standing {
    let Some(replan) = dossier.replan else {
        return Standing::NotChecked("this reader has no suite to plan with".to_owned());
    };
    // Whether the rest of the log can be read is asked where the results are recomputed.
    let header = (dossier.evidence)(RESULTS)
        .and_then(|bytes| Header::parse(bytes.split(|&b| b == b'\n').next()?).ok());
    let Some(header) = header else {
        return Standing::NotChecked(format!("{RESULTS} cannot be read"));
    };
    let seeds = &statement.predicate.seeds;
    let challenge = seeds.challenge.as_ref().map_or("", |c| &c.value);
    match replan(&header, challenge) {
        Err(why) => Standing::NotChecked(why),
        Ok(Replanned { seed, .. }) if seed.to_string() != header.seed => {
            Standing::Refused(format!(
                "the seed of the run is {}, build, host and challenge give {seed}: it was chosen",
                header.seed
            ))
        }
        Ok(Replanned { plan: Some(plan), .. }) if plan != header.plan => {
            Standing::Refused(format!(
                "the cases are not those that seed {} gives: plan {}, expected {}",
                header.seed,
                header.plan.short(12),
                plan.short(12)
            ))
        }
        Ok(Replanned { plan: Some(_), .. }) => {
            Standing::Holds("seed and cases are those the suite derives".to_owned())
        }
        Ok(Replanned { plan: None, .. }) => {
            Standing::Holds("the seed is the one the suite derives".to_owned())
        }
    }
}

fn artifact(dossier: &Dossier<'_>, statement: &Statement) -> Standing {
    if dossier.artifacts.is_empty() {
        return Standing::NotChecked("no file was given to compare with".to_owned());
    }
    for (name, bytes) in dossier.artifacts {
        let got = Digest::of_bytes(bytes);
        if statement.subject.iter().any(|s| s.digest.sha256 == got) {
            continue;
        }
        let got = got.short(12);
        let file = name.rsplit(['/', '\\']).next().unwrap_or(name);
        return Standing::Refused(match statement.subject.iter().find(|s| s.name == file) {
            Some(subject) => format!(
                "{name} has the name of the certified file and other bytes: it hashes to {got}, expected {}",
                subject.digest.sha256.short(12)
            ),
            None => format!("{name} hashes to {got}, which is not certified"),
        });
    }
    Standing::Holds(format!("{} is the certified file", dossier.artifacts[0].0))
}

fn trusted_policy(dossier: &Dossier<'_>) -> Option<Policy> {
    let bytes = dossier.policy.map(<[u8]>::to_vec).or_else(|| (dossier.evidence)(POLICY))?;
    Policy::parse(std::str::from_utf8(&bytes).ok()?).ok()
}

/// The first place where two documents differ, in words.
fn difference(stated: &Value, computed: &Value, place: &str) -> Option<String> {
    let below =
        |key: &str| if place.is_empty() { key.to_owned() } else { format!("{place}.{key}") };
    match (stated, computed) {
        (Value::Object(a), Value::Object(b)) => {
            let missing = Value::Null;
            let keys: std::collections::BTreeSet<&String> = a.keys().chain(b.keys()).collect();
            let get = |map: &serde_json::Map<String, Value>, key: &String| map.get(key).cloned();
            keys.into_iter().find_map(|key| {
                let (x, y) = (
                    get(a, key).unwrap_or(missing.clone()),
                    get(b, key).unwrap_or(missing.clone()),
                );
                difference(&x, &y, &below(key))
            })
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => a
            .iter()
            .zip(b)
            .enumerate()
            .find_map(|(i, (x, y))| difference(x, y, &format!("{place}[{i}]"))),
        (a, b) if a == b => None,
        (a, b) => Some(format!("{place} says {}, the evidence gives {}", brief(a), brief(b))),
    }
}

fn brief(value: &Value) -> String {
    let text = match value {
        Value::Array(items) => format!("{} entries", items.len()),
        Value::Null => "nothing".to_owned(),
        other => other.to_string(),
    };
    text.chars().take(80).collect()
}
