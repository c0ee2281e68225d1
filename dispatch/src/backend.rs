//! Something that answers calls.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{Call, Dataset, Digest, Fault, Params, Reply, Signature};

/// What a backend computes on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Device {
    /// The processor.
    Cpu,
    /// An NVIDIA GPU.
    Cuda {
        /// Product name.
        name: String,
        /// Compute capability, `9.0`.
        capability: String,
        /// Driver version.
        driver: String,
        /// NVRTC version.
        nvrtc: String,
    },
    /// The GPU source run on the processor; never evidence about a GPU.
    Emulated,
    /// The device that the backend needs is not there.
    Absent {
        /// What was looked for and what was found.
        why: String,
    },
}

/// Who answers: name, version, device, and the signature of every function offered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Canonical name.
    pub name: String,
    /// Version of the backend.
    pub version: String,
    /// One sentence about it.
    pub summary: String,
    /// Where it computes.
    pub device: Device,
    /// Signatures by function name.
    pub functions: BTreeMap<String, Signature>,
    /// Digest of what was examined: the binary, the wheel, the recorded answers.
    pub artifact: Digest,
}

/// Answers calls: the reference, a GPU library, a worker process, a file of recorded answers.
pub trait Backend: Send + Sync {
    /// Who answers.
    fn manifest(&self) -> &Manifest;

    /// Answers one call.
    ///
    /// # Errors
    /// A [`Fault`] that says why there is no answer; bad input is [`Fault::Rejected`].
    fn run(&self, call: &Call) -> Result<Reply, Fault>;

    /// Answers one call within a time, if the backend can stop itself; else as [`Backend::run`].
    ///
    /// # Errors
    /// As [`Backend::run`], and [`Fault::TimedOut`].
    fn run_within(&self, call: &Call, deadline: Duration) -> Result<Reply, Fault> {
        let _ = deadline;
        self.run(call)
    }

    /// Whether [`Backend::run_within`] keeps its time: code of this process cannot be stopped, a process can.
    fn keeps_time(&self) -> bool {
        false
    }
}

/// One function of a backend with state `S`: `()` for a CPU backend, a device context for a GPU.
pub struct Entry<S: 'static> {
    /// The public name.
    pub name: &'static str,
    /// Its parameters.
    pub signature: fn() -> Signature,
    /// Computes the answer.
    pub run: fn(&S, &Dataset, &Params) -> Result<Reply, Fault>,
}

/// A backend made of a state and a list of functions.
pub struct Table<S: 'static> {
    manifest: Manifest,
    state: S,
    entries: &'static [Entry<S>],
}

impl<S> Table<S> {
    /// A backend of the given functions; the manifest's list of functions is filled from them.
    pub fn new(mut manifest: Manifest, state: S, entries: &'static [Entry<S>]) -> Table<S> {
        manifest.functions = entries.iter().map(|e| (e.name.to_owned(), (e.signature)())).collect();
        Table { manifest, state, entries }
    }
}

impl<S: Send + Sync> Backend for Table<S> {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    fn run(&self, call: &Call) -> Result<Reply, Fault> {
        match self.entries.iter().find(|e| e.name == call.function) {
            Some(entry) => (entry.run)(&self.state, &call.data, &call.params),
            None => Err(Fault::Unsupported(format!(
                "{} {} has no function `{}`",
                self.manifest.name, self.manifest.version, call.function
            ))),
        }
    }
}
