//! What only the person who ran the examination knows: the part of a certificate that evidence does not give.

use std::collections::BTreeMap;

use dispatch::{Device, Digest};
use serde::{Deserialize, Serialize};

use super::{Assurance, Challenge, Digests, Statement, Subject};
use crate::Time;

/// What a certificate asserts. Everything else in it is computed.
#[derive(Clone, Debug, PartialEq)]
pub struct Circumstances {
    /// The files examined; none: the backend's own statement of its artifact stands for them.
    pub subject: Vec<Subject>,
    /// The distribution that installs the backend.
    pub distribution: Option<String>,
    /// When the certificate is made.
    pub issued_at: Time,
    /// The certificate that this one follows or confirms.
    pub parent: Option<Digest>,
    /// Whose installation ran it, as a URI.
    pub verifier: String,
    /// On whose word the results stand.
    pub assurance: Assurance,
    /// Digest of the program that ran.
    pub suite: Digests,
    /// What somebody else chose after the build was published.
    pub challenge: Option<Challenge>,
    /// On what machine.
    pub environment: Environment,
    /// When and how it was run.
    pub execution: Execution,
}

impl Circumstances {
    /// What a certificate asserts.
    pub fn of(statement: &Statement) -> Circumstances {
        let predicate = &statement.predicate;
        Circumstances {
            subject: statement.subject.clone(),
            distribution: predicate.backend.distribution.clone(),
            issued_at: predicate.issued_at,
            parent: predicate.parent_certificate,
            verifier: predicate.verifier.id.clone(),
            assurance: predicate.verifier.assurance,
            suite: predicate.suite.digest.clone(),
            challenge: predicate.seeds.challenge.clone(),
            environment: predicate.environment.clone(),
            execution: predicate.execution.clone(),
        }
    }
}

/// The machine and what was set on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Environment {
    /// The machine.
    pub machine: Machine,
    /// The devices that computed.
    pub accelerators: Vec<Accelerator>,
    /// Variables that can change results, as far as they were set.
    pub variables: BTreeMap<String, String>,
    /// Who started it.
    pub runner: Runner,
}

/// The machine; what is not known is empty or 0.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Machine {
    /// Name and version of the system.
    pub os: String,
    /// Version of its kernel.
    pub kernel: String,
    /// The architecture.
    pub arch: String,
    /// The processor.
    pub cpu: String,
    /// Threads that it runs at once.
    pub cores: u64,
    /// Memory in bytes.
    pub mem_bytes: u64,
}

/// One device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Accelerator {
    /// Product name.
    pub name: String,
    /// Compute capability.
    pub capability: String,
    /// Driver version.
    pub driver: String,
    /// The compiler that made its code at run time.
    pub jit: String,
}

impl Accelerator {
    /// The device of a backend, if it is one.
    pub fn of(device: &Device) -> Option<Accelerator> {
        match device {
            Device::Cuda { name, capability, driver, nvrtc } => Some(Accelerator {
                name: name.clone(),
                capability: capability.clone(),
                driver: driver.clone(),
                jit: format!("NVRTC {nvrtc}"),
            }),
            Device::Cpu | Device::Emulated | Device::Absent { .. } => None,
        }
    }
}

/// Who started the run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Runner {
    /// `local`, `github-actions`, `gitlab-ci` or `other-ci`.
    pub kind: String,
    /// The run, where it has an address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uri: Option<String>,
}

/// When and how it was run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Execution {
    /// When the first case was started.
    pub started_at: Time,
    /// When the last case was done.
    pub finished_at: Time,
    /// The command.
    pub argv: Vec<String>,
}
