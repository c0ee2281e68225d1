//! Why there was no answer.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::Warning;

/// Why a backend gave no answer to a call.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
pub enum Fault {
    /// The backend does not offer this function or this combination of parameters.
    #[error("not supported: {0}")]
    Unsupported(String),
    /// The backend looked at the call and refused it, as Python raises an exception on bad input.
    #[error("{kind}: {message}")]
    Rejected {
        /// The exception class, by its Python name: `KeyError`, `ValueError` ...
        kind: String,
        /// The classes it derives from, nearest first, where the library told; of Python's own classes they are known.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        bases: Vec<String>,
        /// The message.
        message: String,
        /// Warnings given before it was refused; `None` if who refuses is no Python and could not have given any.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        warnings: Option<Vec<Warning>>,
    },
    /// Something broke inside the backend.
    #[error("failed: {0}")]
    Failed(String),
    /// The process of the backend died.
    #[error("crashed ({status}): {stderr}")]
    Crashed {
        /// Signal or exit status.
        status: String,
        /// The last lines it wrote.
        stderr: String,
    },
    /// No answer within the deadline.
    #[error("no answer within {0:?}")]
    TimedOut(Duration),
    /// The accelerator went away.
    #[error("device lost: {0}")]
    DeviceLost(String),
    /// Memory ran out, on the host or on the device.
    #[error("out of memory: {0}")]
    OutOfMemory(String),
    /// The backend answered something that is not an answer.
    #[error("protocol: {0}")]
    Protocol(String),
}

impl Fault {
    /// A refusal with the name of a Python exception class.
    pub fn rejected(kind: &str, message: impl Into<String>) -> Fault {
        Fault::Rejected {
            kind: kind.to_owned(),
            bases: Vec::new(),
            message: message.into(),
            warnings: None,
        }
    }

    /// One word for logs: `unsupported`, `rejected`, `crashed` ...
    pub fn kind(&self) -> &'static str {
        match self {
            Fault::Unsupported(_) => "unsupported",
            Fault::Rejected { .. } => "rejected",
            Fault::Failed(_) => "failed",
            Fault::Crashed { .. } => "crashed",
            Fault::TimedOut(_) => "timed-out",
            Fault::DeviceLost(_) => "device-lost",
            Fault::OutOfMemory(_) => "out-of-memory",
            Fault::Protocol(_) => "protocol",
        }
    }
}
