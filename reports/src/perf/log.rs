//! `perf.json`: raw samples, on what machine, and what became of each lane. `docs/perf.md` describes it for others.

use std::collections::BTreeMap;

use dispatch::{Device, Digest, Phase};
use serde::{Deserialize, Serialize};

use crate::{Ratio, Time, Verdict};

/// The version of the file that is written and read.
pub const PERF_FORMAT: u32 = 1;

/// What one run measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PerfLog {
    /// [`PERF_FORMAT`].
    pub format: u32,
    /// Version of Concord.
    pub examiner: String,
    /// When the run began.
    pub started: Time,
    /// The machine and its state.
    pub environment: Environment,
    /// How the run was made.
    pub settings: Settings,
    /// Who took part; the host first.
    pub backends: Vec<Contender>,
    /// What was asked, by function and from small to large.
    pub workloads: Vec<Workload>,
}

/// The machine that a run was made on. But for the load and the ceilings nothing here is unstable: a key made of it is the
/// same after a restart.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Environment {
    /// Model of the processor.
    pub processor: String,
    /// Hardware threads that the run might use.
    pub threads: usize,
    /// Memory of the machine, in bytes, if known.
    pub memory_bytes: Option<u64>,
    /// Operating system and architecture.
    pub system: String,
    /// Load average of one minute before the run and after it, if known; each core that is free counts for 1.
    pub load: [Option<f64>; 2],
    /// Variables that decide how many threads libraries use, where they are set.
    pub variables: BTreeMap<String, String>,
    /// The most that the machine was seen to do in this run, if it was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ceilings: Option<Ceilings>,
}

/// The most that a machine was seen to do: the fastest of some short rounds, before the run and after it.
///
/// Work of others on the machine makes them lower than they are, never higher.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ceilings {
    /// Threads that did it together, each with data of its own.
    pub threads: usize,
    /// Bytes that all of them read in a round of `memory_bytes_per_s`: several times what caches hold.
    pub memory_bytes: u64,
    /// Bytes read from memory in a second.
    pub memory_bytes_per_s: u64,
    /// Bytes read in a second of what lies in the first cache.
    pub cache_bytes_per_s: u64,
    /// Operations of float64 in a second: multiplications with an addition, which count as two.
    pub f64_operations_per_s: u64,
    /// The same of float32.
    pub f32_operations_per_s: u64,
}

impl Ceilings {
    /// The higher of each; `None` of other threads or sizes.
    pub fn highest(self, other: Ceilings) -> Option<Ceilings> {
        let same = self.threads == other.threads && self.memory_bytes == other.memory_bytes;
        same.then(|| Ceilings {
            memory_bytes_per_s: self.memory_bytes_per_s.max(other.memory_bytes_per_s),
            cache_bytes_per_s: self.cache_bytes_per_s.max(other.cache_bytes_per_s),
            f64_operations_per_s: self.f64_operations_per_s.max(other.f64_operations_per_s),
            f32_operations_per_s: self.f32_operations_per_s.max(other.f32_operations_per_s),
            ..self
        })
    }
}

/// How a run was made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// Ratios from 1/(1+band) to 1+band count as the same.
    pub band: f64,
    /// Blocks that were measured at least, unless time ran out.
    pub least_blocks: usize,
    /// Blocks that were measured at most.
    pub most_blocks: usize,
    /// Half the width of the interval at which measuring ends, in natural logarithms of the ratio.
    pub half_width: f64,
    /// Where inputs and orders come from; the bootstrap draws from it too.
    pub seed: u64,
    /// The longest time of a call, in milliseconds.
    pub deadline_ms: u64,
    /// The most address space of a process, in bytes, if it was bounded.
    pub memory_bytes: Option<u64>,
    /// The backend that ratios are taken to.
    pub base: String,
}

/// A backend that took part.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Contender {
    /// Its name on the command line.
    pub name: String,
    /// Its version.
    pub version: String,
    /// One sentence about it.
    pub summary: String,
    /// What it computes on.
    pub device: Device,
    /// Digest of what was measured.
    pub artifact: Digest,
    /// Whether its answers are what the others are judged by.
    pub host: bool,
    /// Arguments and variables that it is given beside those of a call, as `NAME=VALUE`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub set: Vec<String>,
}

/// One function on inputs of one size.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Workload {
    /// The function.
    pub function: String,
    /// What the inputs are, as text; without the size it names a series.
    pub case: String,
    /// Number of cells.
    pub cells: u64,
    /// The work of a call, where it is known.
    pub work: Option<Work>,
    /// Each backend, and the host or base once more.
    pub lanes: Vec<Lane>,
}

/// The work of a call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Work {
    /// What is counted.
    pub unit: String,
    /// How many.
    pub count: u64,
    /// Additions, subtractions and multiplications that these are, if known: counted from the definition of the function.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operations: Option<u64>,
    /// Bytes of the input that must be read once, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
}

/// One backend in one workload.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Lane {
    /// The name of the backend.
    pub backend: String,
    /// Whether this is the base once more, in another process: what differs between the two is noise.
    pub again: bool,
    /// What became of it.
    pub fate: Fate,
    /// The first call, in a process that had answered nothing like it.
    pub cold: Option<Cold>,
    /// How its answers were judged.
    pub judged: Judged,
    /// The times of calls on an input that was asked before, in nanoseconds.
    pub repeated_ns: Vec<u64>,
    /// The most memory that its process has held, in bytes, its input included, if known. Sizes rise within a process, so that
    /// what a smaller one held is no more than this.
    pub peak_bytes: Option<u64>,
    /// What was measured.
    pub samples: Vec<Sample>,
}

/// What became of a lane.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "fate", rename_all = "kebab-case")]
pub enum Fate {
    /// Every answer was right, and every call was timed.
    Timed,
    /// An answer was wrong: nothing is timed.
    WrongAnswer {
        /// The verdict.
        verdict: Verdict,
        /// The check that failed, and how.
        why: String,
    },
    /// It does not offer the call, or its answer could not be judged.
    NotJudged {
        /// Why.
        why: String,
    },
    /// It is not timed, whatever it answers: its device is emulated or absent, or its answers are stored ones.
    Excluded {
        /// Why.
        why: String,
    },
    /// No answer within the deadline.
    TimedOut {
        /// After so long, in milliseconds.
        after_ms: u64,
    },
    /// It ran out of memory.
    OutOfMemory {
        /// What it said.
        why: String,
    },
    /// It gave no answer for another reason.
    Failed {
        /// What it said.
        why: String,
    },
}

/// The first call of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cold {
    /// From the start of the process to its introduction, in nanoseconds; `None` where it had answered calls before.
    pub start_ns: Option<u64>,
    /// The first call, as the caller saw it, in nanoseconds.
    pub call_ns: u64,
}

/// How the answers of a lane were judged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Judged {
    /// Answers judged before anything was timed.
    pub before: u64,
    /// Answers of timed calls that were judged: all of them.
    pub timed: u64,
    /// Those of them that are the host's bit for bit.
    pub identical: u64,
    /// The largest distance over its allowance.
    pub worst: Ratio,
}

/// One call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// The block, counted from 0.
    pub block: u32,
    /// 0 on the way there, 1 on the way back; each way has an input of its own.
    pub half: u32,
    /// The place in the order of the half, counted from 0.
    pub order: u32,
    /// The call as the caller saw it: with the way to the process and back.
    pub wall_ns: u64,
    /// The function alone, as its process measured it, if it did.
    pub elapsed_ns: Option<u64>,
    /// Parts of the call that the backend told apart.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub phases_ns: Vec<(Phase, u64)>,
    /// First half of the digest of the answer.
    pub answer: String,
}

/// Why a text is no log of a measurement.
#[derive(Debug, thiserror::Error)]
pub enum PerfError {
    /// It is not JSON of this form.
    #[error("parse perf.json: {0}")]
    Json(#[from] serde_json::Error),
    /// Another version wrote it.
    #[error(
        "perf.json has format {0}, this version reads {PERF_FORMAT}; measure again, or use the version that wrote it"
    )]
    Format(u32),
}

impl PerfLog {
    /// The log of a text.
    ///
    /// # Errors
    /// [`PerfError`]
    pub fn from_json(text: &str) -> Result<PerfLog, PerfError> {
        #[derive(Deserialize)]
        struct Version {
            format: u32,
        }
        match serde_json::from_str::<Version>(text)?.format {
            PERF_FORMAT => Ok(serde_json::from_str(text)?),
            other => Err(PerfError::Format(other)),
        }
    }

    /// The text of the log.
    ///
    /// # Errors
    /// None in practice: every part of a log has a JSON form.
    pub fn to_json(&self) -> Result<String, PerfError> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }
}

impl Workload {
    /// The lane of a backend; the base's second one is not meant.
    pub fn lane(&self, backend: &str) -> Option<&Lane> {
        self.lanes.iter().find(|lane| !lane.again && lane.backend == backend)
    }

    /// The lane that repeats the base.
    pub fn again(&self) -> Option<&Lane> {
        self.lanes.iter().find(|lane| lane.again)
    }

    /// Function and inputs, with the size: unique in a run.
    pub fn name(&self) -> String {
        format!("{} cells={} {}", self.function, self.cells, self.case).trim_end().to_owned()
    }
}

impl Fate {
    /// Whether a smaller input might have been answered in time and memory, and rightly.
    pub fn depends_on_size(&self) -> bool {
        match self {
            Fate::TimedOut { .. }
            | Fate::OutOfMemory { .. }
            | Fate::Failed { .. }
            | Fate::WrongAnswer { .. } => true,
            Fate::Timed | Fate::NotJudged { .. } | Fate::Excluded { .. } => false,
        }
    }

    /// One sentence; empty for what was timed.
    pub fn sentence(&self) -> String {
        match self {
            Fate::Timed => String::new(),
            Fate::WrongAnswer { verdict, why } => {
                format!("not timed: wrong answer ({verdict}): {why}")
            }
            Fate::NotJudged { why } => format!("not timed: {why}"),
            Fate::Excluded { why } => format!("not timed: {why}"),
            Fate::TimedOut { after_ms } => format!("no answer within {} s", *after_ms as f64 / 1e3),
            Fate::OutOfMemory { why } => format!("out of memory: {why}"),
            Fate::Failed { why } => format!("no answer: {why}"),
        }
    }
}

impl Sample {
    /// Nanoseconds: of the function alone where asked for and known, else as the caller saw it.
    pub fn ns(&self, alone: bool) -> f64 {
        let ns = self.elapsed_ns.filter(|_| alone).unwrap_or(self.wall_ns);
        // A clock that stood still must not make a logarithm infinite.
        ns.max(1) as f64
    }
}
