//! The machine that a run is made on, as the certificate states it: what it is, and what it counted meanwhile.

use std::collections::BTreeMap;

use dispatch::Device;
use reports::Time;
use reports::certificate::{
    Accelerator, Answer, DeviceState, Environment, Machine, Runner, SelfTest,
};
use serde::{Deserialize, Serialize};

use super::accelerators::{Gpu, Tools};
use crate::clock;
use crate::self_test::self_test;

/// Variables of the environment that can change results or the place where they are computed.
const VARIABLES: [&str; 5] = [
    "CONCORD_BACKENDS",
    "CUDA_VISIBLE_DEVICES",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "RAYON_NUM_THREADS",
];

/// A run being watched.
pub(super) struct Watch {
    started: Time,
    before: Answer,
    gpus: Vec<Gpu>,
}

/// What was seen from begin to end of a run, or of a part of one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Watched {
    pub(super) started: Time,
    self_test: SelfTest,
    /// What was counted on devices that the machine has, by product name.
    devices: Vec<(String, DeviceState)>,
}

impl Watch {
    /// Begins: the time, a self-test, and the counters of the devices if the backend computes on one.
    pub(super) fn begin(device: &Device) -> Watch {
        Watch { started: clock::now(), before: self_test(), gpus: Tools::default().gpus(device) }
    }

    /// Ends.
    pub(super) fn end(self, device: &Device) -> Watched {
        let now = Tools::default().gpus(device);
        let state = |before: &Gpu| Some((before.name.clone(), before.until(&now)?));
        Watched {
            started: self.started,
            self_test: SelfTest { before: self.before, after: self_test() },
            devices: self.gpus.iter().filter_map(state).collect(),
        }
    }
}

impl Watched {
    /// What was seen in all parts of a run.
    pub(super) fn together(parts: impl IntoIterator<Item = Watched>) -> Option<Watched> {
        let worse = |a, b| if a == Answer::Pass { b } else { a };
        parts.into_iter().reduce(|mut all, part| {
            all.started = all.started.min(part.started);
            all.self_test.before = worse(all.self_test.before, part.self_test.before);
            all.self_test.after = worse(all.self_test.after, part.self_test.after);
            for (name, state) in part.devices {
                let known =
                    all.devices.iter_mut().find(|(_, s)| s.uuid_sha256 == state.uuid_sha256);
                match known {
                    Some((_, known)) => known.go_on(&state),
                    None => all.devices.push((name, state)),
                }
            }
            all
        })
    }

    /// The environment of a certificate about a backend that computes on a device.
    pub(super) fn environment(&self, device: &Device) -> Environment {
        let accelerators = Accelerator::of(device).into_iter().flat_map(|accelerator| {
            let named = self.devices.iter().filter(|(name, _)| *name == accelerator.name);
            let states: Vec<Option<DeviceState>> = named.map(|(_, s)| Some(s.clone())).collect();
            let states = if states.is_empty() { vec![None] } else { states };
            states.into_iter().map(move |state| Accelerator { state, ..accelerator.clone() })
        });
        Environment {
            machine: machine(),
            accelerators: accelerators.collect(),
            variables: variables(),
            runner: runner(),
            self_test: self.self_test,
        }
    }
}

fn variables() -> BTreeMap<String, String> {
    let set = |name: &&str| Some(((*name).to_owned(), std::env::var(name).ok()?));
    VARIABLES.iter().filter_map(set).collect()
}

/// What Linux says about the machine; elsewhere only what Rust knows.
fn machine() -> Machine {
    let file = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let field = |text: &str, name: &str, separator: char| {
        let line = text.lines().find(|line| line.starts_with(name));
        let value = line.and_then(|line| line.split_once(separator)).map(|(_, value)| value);
        value.unwrap_or_default().trim().trim_matches('"').to_owned()
    };
    let kib = field(&file("/proc/meminfo"), "MemTotal", ':');
    let kib: u64 = kib.split(' ').next().and_then(|n| n.parse().ok()).unwrap_or(0);
    let os = field(&file("/etc/os-release"), "PRETTY_NAME", '=');
    Machine {
        os: if os.is_empty() { std::env::consts::OS.to_owned() } else { os },
        kernel: file("/proc/sys/kernel/osrelease").trim().to_owned(),
        arch: std::env::consts::ARCH.to_owned(),
        cpu: field(&file("/proc/cpuinfo"), "model name", ':'),
        cores: std::thread::available_parallelism().map_or(0, |n| n.get() as u64),
        mem_bytes: kib * 1024,
    }
}

fn runner() -> Runner {
    let variable = |name| std::env::var(name).ok();
    if variable("GITHUB_ACTIONS").is_some() {
        let parts = ["GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID"].map(variable);
        let uri = match parts {
            [Some(server), Some(repository), Some(run)] => {
                Some(format!("{server}/{repository}/actions/runs/{run}"))
            }
            _ => None,
        };
        return Runner { kind: "github-actions".to_owned(), uri };
    }
    let kind = match (variable("GITLAB_CI"), variable("CI")) {
        (Some(_), _) => "gitlab-ci",
        (None, Some(_)) => "other-ci",
        (None, None) => "local",
    };
    Runner { kind: kind.to_owned(), uri: variable("CI_JOB_URL") }
}

#[cfg(test)]
mod tests {
    use dispatch::Digest;
    use reports::certificate::Clocks;

    use super::*;

    #[test]
    fn a_fault_in_one_part_is_a_fault_of_the_run() {
        let part = |after, errors| {
            let state = DeviceState {
                uuid_sha256: Digest::of_bytes(b"GPU-1"),
                vbios: "96.00".into(),
                mem_bytes: 1 << 37,
                mig: false,
                ecc_enabled: true,
                ecc_errors_delta: errors,
                xid_errors: Some(errors),
                clocks: Some(Clocks { max_mhz: 1980, slowed: errors == 1 }),
            };
            Watched {
                started: "2026-11-22T10:00:00Z".parse().unwrap(),
                self_test: SelfTest { before: Answer::Pass, after },
                devices: vec![("NVIDIA H200".into(), state)],
            }
        };
        let earlier =
            Watched { started: "2026-11-22T09:00:00Z".parse().unwrap(), ..part(Answer::Pass, 2) };
        let all =
            Watched::together([part(Answer::Fail, 0), earlier, part(Answer::Pass, 1)]).unwrap();
        assert_eq!(all.started.to_string(), "2026-11-22T09:00:00Z");
        assert_eq!(all.self_test.after, Answer::Fail);
        assert_eq!(all.devices.len(), 1);
        let state = &all.devices[0].1;
        assert_eq!((state.ecc_errors_delta, state.xid_errors), (3, Some(3)));
        assert!(state.clocks.unwrap().slowed);
        assert_eq!(Watched::together([]), None);
    }
}
