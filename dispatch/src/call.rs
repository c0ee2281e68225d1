//! A call and its answer.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{Dataset, Digest, Value};

/// Arguments by name, without the data.
pub type Params = BTreeMap<String, Value>;

/// One call: a function, the AnnData it works on, and its other arguments by name.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// The public name of the function, without its module.
    pub function: String,
    /// The AnnData; shared, because one input serves many calls.
    pub data: Arc<Dataset>,
    /// Every other argument, by the host's parameter names.
    pub params: Params,
}

impl Call {
    /// A call of a function.
    pub fn new(function: impl Into<String>, data: impl Into<Arc<Dataset>>, params: Params) -> Call {
        Call { function: function.into(), data: data.into(), params }
    }

    /// Digest of function, data and parameters.
    pub fn digest(&self) -> Digest {
        let parts = [
            Digest::of_bytes(self.function.as_bytes()),
            self.data.digest(),
            Digest::of_params(&self.params),
        ];
        Digest::of_bytes(&parts.iter().flat_map(|d| *d.bytes()).collect::<Vec<u8>>())
    }

    /// The argument of a name, or `None` if it was not passed.
    pub fn param(&self, name: &str) -> Option<&Value> {
        self.params.get(name)
    }
}

/// A warning a backend gave, by Python category.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warning {
    /// The category: `UserWarning`, `FutureWarning` ...
    pub category: String,
    /// The categories it derives from, nearest first, as far as the library told.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bases: Vec<String>,
    /// The text.
    pub message: String,
}

impl Warning {
    /// A warning in a category of Python's own.
    pub fn new(category: &str, message: impl Into<String>) -> Warning {
        Warning { category: category.to_owned(), bases: Vec::new(), message: message.into() }
    }
}

/// A part of the work of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// Moving the input to where it is computed.
    Upload,
    /// Computing.
    Compute,
    /// Moving the answer back.
    Download,
}

/// What shows that the backend itself did the work.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Witness {
    /// Nothing shows it; a passing case is then `unproven`.
    #[default]
    Unproven,
    /// The backend is a program of its own: there is no host in its process to fall back to.
    OwnCode,
    /// The worker counted calls of the backend's function while the host's was poisoned.
    Counted {
        /// Calls of the backend's function.
        calls: u64,
        /// Kernel launches, where the device counts them.
        launches: Option<u64>,
        /// Bytes copied, where the device counts them.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        moved: Option<Traffic>,
    },
}

impl Witness {
    /// Whether it shows that the backend did the work: a counter that counted no call shows the contrary.
    pub fn proves(&self) -> bool {
        !matches!(self, Witness::Unproven | Witness::Counted { calls: 0, .. })
    }
}

/// Bytes copied between the host and a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Traffic {
    /// From the host to the device.
    pub to_device: u64,
    /// From the device to the host.
    pub from_device: u64,
}

/// An answer: only what was written, plus how it was made.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reply {
    /// The slots written, by path; a returned value stands in the slot `result`.
    pub data: Dataset,
    /// Paths of input slots that the call changed, an argument as `params/NAME`; a well-behaved backend leaves this
    /// empty.
    pub mutated: Vec<String>,
    /// Warnings given during the call; `None` if who answers is no Python and could not have given any.
    pub warnings: Option<Vec<Warning>>,
    /// Proof of work.
    pub witness: Witness,
    /// Where the time went, if known.
    pub phases: Vec<(Phase, Duration)>,
    /// How long the function itself took, as its own process measured it: without the way there and back, if known.
    pub elapsed: Option<Duration>,
    /// The most memory that the process of the backend has held so far, in bytes, if known.
    pub peak_bytes: Option<u64>,
    /// Why this answer does not stand for what the backend does: a process that had answered other calls failed on
    /// this one, and a fresh process gave this answer.
    pub unsteady: Option<String>,
}

impl Reply {
    /// An answer that returns one value.
    pub fn returning(value: Value) -> Reply {
        Reply::writing("result", value)
    }

    /// An answer that writes one slot.
    pub fn writing(path: &str, value: Value) -> Reply {
        let mut data = Dataset::new();
        data.set(path, value);
        Reply { data, witness: Witness::OwnCode, ..Reply::default() }
    }
}
