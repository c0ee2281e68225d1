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
    /// Whether the machine computes known answers.
    pub self_test: SelfTest,
}

/// Whether known answers came out right around the run; a machine that fails shows nothing about a backend.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SelfTest {
    /// Before the first case.
    pub before: Answer,
    /// After the last.
    pub after: Answer,
}

/// How a self-test went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Answer {
    /// Every answer was the known one.
    #[default]
    Pass,
    /// One was not.
    Fail,
}

impl Environment {
    /// What makes this environment unfit to show anything about numbers, in words.
    pub fn fault(&self) -> Option<String> {
        for (answer, when) in [(self.self_test.before, "before"), (self.self_test.after, "after")] {
            if answer == Answer::Fail {
                return Some(format!("the machine failed its self-test {when} the run"));
            }
        }
        self.accelerators.iter().find_map(|accelerator| {
            let (name, state) = (&accelerator.name, accelerator.state.as_ref()?);
            match (state.ecc_errors_delta, state.xid_errors) {
                (0, None | Some(0)) => None,
                (0, Some(errors)) => {
                    Some(format!("{name} reported {errors} errors (Xid) during the run"))
                }
                (errors, _) => {
                    Some(format!("the memory of {name} had {errors} errors during the run"))
                }
            }
        })
    }
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
    /// What its driver says about it; absent where it says nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<DeviceState>,
}

/// What the driver of a device says about it, around the run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeviceState {
    /// SHA-256 of its serial identity: the same device again can be recognised, and is not named.
    pub uuid_sha256: Digest,
    /// Version of its firmware.
    pub vbios: String,
    /// Memory in bytes.
    pub mem_bytes: u64,
    /// Whether it is a part of a divided device.
    pub mig: bool,
    /// Whether its memory finds its own errors.
    pub ecc_enabled: bool,
    /// Errors of its memory that were counted between begin and end of the run, corrected ones included.
    pub ecc_errors_delta: u64,
    /// Errors that it reported to the kernel during the run (Xid); absent where the kernel's log may not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub xid_errors: Option<u64>,
    /// How fast it may compute; absent where its driver does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clocks: Option<Clocks>,
}

/// The clocks of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Clocks {
    /// The highest of its multiprocessors.
    pub max_mhz: u64,
    /// Whether heat, power or a fault held them below when the run began or ended; in between nobody looked.
    pub slowed: bool,
}

impl Clocks {
    /// Of two looks at one device.
    #[must_use]
    pub fn and(self, later: Clocks) -> Clocks {
        Clocks { slowed: self.slowed || later.slowed, ..self }
    }
}

impl DeviceState {
    /// Adds what was counted and seen in another part of the run.
    pub fn go_on(&mut self, part: &DeviceState) {
        self.ecc_errors_delta += part.ecc_errors_delta;
        self.xid_errors = self.xid_errors.zip(part.xid_errors).map(|(a, b)| a + b);
        self.clocks = self.clocks.zip(part.clocks).map(|(a, b)| a.and(b));
    }
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
                state: None,
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
