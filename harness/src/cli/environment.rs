//! The machine that a run is made on, as the certificate states it: what it is, and what it counted meanwhile.

use std::collections::BTreeMap;
use std::process::Command;

use dispatch::{Device, Digest};
use reports::Time;
use reports::certificate::{
    Accelerator, Answer, DeviceState, Environment, Machine, Runner, SelfTest,
};
use serde::{Deserialize, Serialize};

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

/// What is asked of `nvidia-smi`, in the order of [`Gpu::parse`].
const QUERY: &str = "name,uuid,vbios_version,memory.total,mig.mode.current,ecc.mode.current,\
                     ecc.errors.corrected.volatile.total,ecc.errors.uncorrected.volatile.total";

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
        Watch { started: clock::now(), before: self_test(), gpus: Gpu::all(device) }
    }

    /// Ends.
    pub(super) fn end(self, device: &Device) -> Watched {
        let now = Gpu::all(device);
        let state = |before: &Gpu| {
            let after = now.iter().find(|gpu| gpu.uuid == before.uuid)?;
            let ecc_errors_delta = after.errors.saturating_sub(before.errors);
            Some((before.name.clone(), DeviceState { ecc_errors_delta, ..before.state() }))
        };
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
                    Some((_, known)) => known.ecc_errors_delta += state.ecc_errors_delta,
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

/// One line of `nvidia-smi`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Gpu {
    name: String,
    uuid: String,
    vbios: String,
    mem_bytes: u64,
    mig: bool,
    ecc: bool,
    errors: u64,
}

impl Gpu {
    /// Every device of the machine; none where no backend asks for one, or the driver's tool is not there.
    fn all(device: &Device) -> Vec<Gpu> {
        let Device::Cuda { .. } = device else { return Vec::new() };
        let mut command = Command::new("nvidia-smi");
        command.args([&format!("--query-gpu={QUERY}"), "--format=csv,noheader,nounits"]);
        let text = command.output().map(|output| output.stdout).unwrap_or_default();
        String::from_utf8_lossy(&text).lines().filter_map(Gpu::parse).collect()
    }

    fn parse(line: &str) -> Option<Gpu> {
        let fields: Vec<&str> = line.split(',').map(str::trim).collect();
        let &[name, uuid, vbios, mib, mig, ecc, corrected, uncorrected] = fields.as_slice() else {
            return None;
        };
        // A device without the counter says `[N/A]`.
        let count = |text: &str| text.parse::<u64>().unwrap_or(0);
        Some(Gpu {
            name: name.to_owned(),
            uuid: uuid.to_owned(),
            vbios: vbios.to_owned(),
            mem_bytes: count(mib) << 20,
            mig: mig == "Enabled",
            ecc: ecc == "Enabled",
            errors: count(corrected) + count(uncorrected),
        })
    }

    fn state(&self) -> DeviceState {
        DeviceState {
            uuid_sha256: Digest::of_bytes(self.uuid.as_bytes()),
            vbios: self.vbios.clone(),
            mem_bytes: self.mem_bytes,
            mig: self.mig,
            ecc_enabled: self.ecc,
            ecc_errors_delta: 0,
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
    use super::*;

    const LINE: &str = "NVIDIA H200, GPU-5a1, 96.00.89.00.01, 143771, Disabled, Enabled, 3, 1";

    #[test]
    fn a_line_of_the_driver_is_read() {
        let gpu = Gpu::parse(LINE).unwrap();
        assert_eq!(
            (gpu.name.as_str(), gpu.errors, gpu.ecc, gpu.mig),
            ("NVIDIA H200", 4, true, false)
        );
        assert_eq!(gpu.state().mem_bytes, 143_771 << 20);
        let plain = Gpu::parse("A, GPU-1, 1, 8192, [N/A], [N/A], [N/A], [N/A]").unwrap();
        assert!(!plain.ecc && plain.errors == 0);
        assert_eq!(Gpu::parse("NVIDIA-SMI has failed"), None);
    }

    #[test]
    fn a_fault_in_one_part_is_a_fault_of_the_run() {
        let part = |after, errors| {
            let state = Gpu::parse(LINE).unwrap().state();
            Watched {
                started: "2026-11-22T10:00:00Z".parse().unwrap(),
                self_test: SelfTest { before: Answer::Pass, after },
                devices: vec![(
                    "NVIDIA H200".into(),
                    DeviceState { ecc_errors_delta: errors, ..state },
                )],
            }
        };
        let earlier =
            Watched { started: "2026-11-22T09:00:00Z".parse().unwrap(), ..part(Answer::Pass, 2) };
        let all =
            Watched::together([part(Answer::Fail, 0), earlier, part(Answer::Pass, 1)]).unwrap();
        assert_eq!(all.started.to_string(), "2026-11-22T09:00:00Z");
        assert_eq!(all.self_test.after, Answer::Fail);
        assert_eq!(all.devices.len(), 1);
        assert_eq!(all.devices[0].1.ecc_errors_delta, 3);
        assert_eq!(Watched::together([]), None);
    }
}
