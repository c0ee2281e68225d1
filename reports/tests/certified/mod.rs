//! A certificate to tamper with, and the evidence and keys that belong to it.
#![allow(dead_code, reason = "each test file uses the part it needs")]

use std::collections::BTreeMap;

use dispatch::{Device, Digest};
use reports::certificate::{
    ADEQUACY, Circumstances, Digests, Dossier, Environment, Execution, Finding, Machine, POLICY,
    Policy, RESULTS, Replanned, Runner, SelfTest, Standing, Statement, Subject, Topic, issue,
    to_bytes, verify,
};
use reports::signature::{self, Signers};
use reports::{Log, Time};
use ssh_key::private::Ed25519Keypair;
use ssh_key::{LineEnding, PrivateKey};

use crate::sample;

pub(crate) const WHEEL: &[u8] = b"the bytes of a wheel";

pub(crate) fn time(text: &str) -> Time {
    text.parse().unwrap()
}

/// A key made of a fixed seed; never use such a key.
pub(crate) fn key(seed: u8) -> PrivateKey {
    PrivateKey::from(Ed25519Keypair::from_seed(&[seed; 32]))
}

pub(crate) fn private(seed: u8) -> String {
    key(seed).to_openssh(LineEnding::LF).unwrap().to_string()
}

pub(crate) fn public(seed: u8) -> String {
    key(seed).public_key().to_openssh().unwrap()
}

/// A run of three functions without a fault; two have studies of their random columns or compare them.
pub(crate) fn log() -> Log {
    let mut log = sample::conformant();
    log.header.backend.device = Device::Cpu;
    for record in log.records.iter_mut().filter(|r| r.function == "ligrec") {
        record.checks.push(sample::passing("pvalues: value", 12, 0.0));
    }
    log
}

pub(crate) fn adequacy(killed: usize) -> Vec<u8> {
    let mutants = ["co_occurrence", "ligrec"].iter().flat_map(|function| {
        (0..10).map(move |i| {
            let fate = if i < killed { "killed" } else { "survived" };
            format!(r#"{{"mutant": "{function}-{i}", "function": "{function}", "fate": "{fate}"}}"#)
        })
    });
    let mutants: Vec<String> = mutants.collect();
    format!(r#"{{"examiner": "0.1.0", "tier": "quick", "mutants": [{}]}}"#, mutants.join(","))
        .into_bytes()
}

pub(crate) fn circumstances() -> Circumstances {
    let wheel =
        Digests { sha256: Digest::of_bytes(WHEEL), wheel_record1: Some(Digest::of_bytes(b"rows")) };
    Circumstances {
        subject: vec![Subject {
            name: "concord_cuda-0.1.0-py3-none-any.whl".into(),
            digest: wheel,
        }],
        distribution: Some("concord-cuda".into()),
        issued_at: time("2026-11-22T10:00:00Z"),
        parent: None,
        verifier: "https://example.org/lab".into(),
        assurance: Default::default(),
        suite: Digests { sha256: Digest::of_bytes(b"examiner"), wheel_record1: None },
        challenge: None,
        environment: Environment {
            machine: Machine { os: "Debian 12".into(), cores: 2, ..Machine::default() },
            accelerators: Vec::new(),
            variables: BTreeMap::new(),
            runner: Runner { kind: "local".into(), uri: None },
            self_test: SelfTest::default(),
        },
        execution: Execution {
            started_at: time("2026-11-22T09:00:00Z"),
            finished_at: time("2026-11-22T09:30:00Z"),
            argv: vec!["concord".into(), "certify".into()],
        },
    }
}

/// A certificate with everything that belongs to it; tests change a part and verify.
pub(crate) struct Case {
    pub(crate) log: Log,
    pub(crate) adequacy: Vec<u8>,
    pub(crate) policy: String,
    pub(crate) trusted_policy: String,
    pub(crate) circumstances: Circumstances,
    pub(crate) signing: Vec<u8>,
    pub(crate) allowed: String,
    pub(crate) revoked_keys: String,
    pub(crate) revoked: Option<Digest>,
    pub(crate) artifact: Vec<u8>,
    pub(crate) now: Time,
    pub(crate) seed: u64,
    pub(crate) plan: Digest,
}

impl Case {
    pub(crate) fn new() -> Case {
        let log = log();
        Case {
            seed: log.header.seed.parse().unwrap(),
            plan: log.header.plan,
            log,
            adequacy: adequacy(10),
            policy: Policy::DEFAULT.to_owned(),
            trusted_policy: Policy::DEFAULT.to_owned(),
            circumstances: circumstances(),
            signing: vec![1],
            allowed: format!(
                "maintainer@example.org namespaces=\"backend-conformance@concord\" {}\n",
                public(1)
            ),
            revoked_keys: String::new(),
            revoked: None,
            artifact: WHEEL.to_vec(),
            now: time("2026-12-01T00:00:00Z"),
        }
    }

    pub(crate) fn results(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.log.write(&mut bytes).unwrap();
        bytes
    }

    pub(crate) fn issue(&self) -> Result<Statement, String> {
        let files = [&self.results()[..], &self.adequacy, self.policy.as_bytes()];
        issue(files, &self.circumstances).map_err(|e| e.to_string())
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        to_bytes(&self.issue().unwrap()).unwrap()
    }

    /// Verifies certificate bytes against evidence bytes, signed by this case's keys.
    pub(crate) fn verify(&self, certificate: &[u8], results: &[u8]) -> Vec<Finding> {
        let signatures: Vec<String> = (self.signing.iter())
            .map(|&k| signature::sign(certificate, &private(k), signature::CERTIFICATE).unwrap())
            .collect();
        self.verify_signed(certificate, results, &signatures)
    }

    pub(crate) fn verify_signed(
        &self,
        certificate: &[u8],
        results: &[u8],
        signatures: &[String],
    ) -> Vec<Finding> {
        let signers = Signers::parse(&self.allowed, &self.revoked_keys).unwrap();
        let evidence = |name: &str| match name {
            RESULTS => Some(results.to_vec()),
            ADEQUACY => Some(self.adequacy.clone()),
            POLICY => Some(self.policy.clone().into_bytes()),
            _ => None,
        };
        let (seed, plan) = (self.seed, Some(self.plan));
        let dossier = Dossier {
            certificate,
            evidence: &evidence,
            policy: Some(self.trusted_policy.as_bytes()),
            artifacts: &[("a.whl".to_owned(), self.artifact.clone())],
            signatures,
            signers: Some(&signers),
            revoked: &|digest| (self.revoked == Some(*digest)).then(|| "wrong for ties".to_owned()),
            now: self.now,
            replan: Some(&|_, _| Ok(Replanned { seed, plan })),
        };
        verify(&dossier).0
    }

    /// Verifies what this case issues.
    pub(crate) fn verdict(&self) -> Vec<Finding> {
        self.verify(&self.bytes(), &self.results())
    }
}

pub(crate) fn refusals(findings: &[Finding]) -> Vec<(Topic, String)> {
    let refused = |f: &Finding| match &f.standing {
        Standing::Refused(why) => Some((f.topic, why.clone())),
        Standing::Holds(_) | Standing::NotChecked(_) => None,
    };
    findings.iter().filter_map(refused).collect()
}

/// Exactly one question is refused, and the message holds this text.
#[track_caller]
pub(crate) fn refused_by(findings: &[Finding], topic: Topic, text: &str) {
    let refusals = refusals(findings);
    assert!(
        refusals.len() == 1 && refusals[0].0 == topic && refusals[0].1.contains(text),
        "expected {topic:?} refused with `{text}`, got {refusals:?}"
    );
}
