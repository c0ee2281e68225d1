//! Why a call was not dispatched.

use crate::{Assessment, BindError, Fault, Severity};

/// Why a backend was not selected, a function not registered, or a call not made.
///
/// [`DispatchError::kind`] is the Python exception class that upstream raises in the same place.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum DispatchError {
    /// A name that no host or backend may have.
    #[error("{what}: expected ASCII letters, digits, `.`, `_`, `-`, got `{name}`")]
    InvalidName {
        /// What was to be named.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// A name that nobody has (D7).
    #[error("unknown backend `{name}`{}; available: {}", meant(.closest.as_deref()), .available.join(", "))]
    Unknown {
        /// The name asked for.
        name: String,
        /// The name most like it.
        closest: Option<String>,
        /// Every name that would work, the host's included.
        available: Vec<String>,
    },
    /// A name the host has set aside (D10).
    #[error("`{name}` does not name a backend: {reason}")]
    Reserved {
        /// The name asked for.
        name: String,
        /// The host's reason.
        reason: String,
    },
    /// A trusted backend that is not there (D8).
    #[error("backend `{name}` is not installed; install it with `{install}`")]
    NotInstalled {
        /// Its canonical name.
        name: String,
        /// The command.
        install: String,
    },
    /// A provider that claimed a trusted name without being the one trusted (D6).
    #[error("backend `{name}` was refused: {why}")]
    Refused {
        /// The name it claimed.
        name: String,
        /// Which check it failed.
        why: String,
    },
    /// A provider that is there and does not load (D9).
    #[error("backend `{name}` failed to load: {cause}")]
    FailedToLoad {
        /// Its canonical name.
        name: String,
        /// What it said.
        cause: String,
    },
    /// The list of providers could not be made (D2); asking again tries again.
    #[error("discover backends of `{host}`: {cause}")]
    Discovery {
        /// The host.
        host: String,
        /// What went wrong.
        cause: String,
    },
    /// A function that cannot be dispatched to anyone (D25, S7).
    #[error("register `{function}`: {why}")]
    Undecorable {
        /// The function.
        function: String,
        /// What is wrong with its signature.
        why: String,
    },
    /// Arguments that do not fit the function.
    #[error("{function}() {error}")]
    Bind {
        /// The function.
        function: String,
        /// What does not fit.
        error: BindError,
    },
    /// A pair of functions between which no call can be formed (S6).
    #[error("`{function}` cannot be dispatched to `{backend}`: {}", errors(.assessment))]
    Undispatchable {
        /// The function.
        function: String,
        /// The backend.
        backend: String,
        /// The findings.
        assessment: Assessment,
    },
    /// An argument that changes the answer and that the backend cannot honour (D20).
    #[error(
        "{function}() argument '{parameter}' changes the answer and backend `{backend}` has no such parameter \
         (got {value}); leave it out or use backend='cpu'"
    )]
    Lost {
        /// The function.
        function: String,
        /// The backend.
        backend: String,
        /// The parameter.
        parameter: String,
        /// What was passed.
        value: String,
    },
    /// A parameter of one backend passed to another (D28).
    #[error("{function}() '{parameter}' is a parameter of backend `{owner}`, not of `{backend}`")]
    Foreign {
        /// The function.
        function: String,
        /// The backend that would answer.
        backend: String,
        /// The parameter.
        parameter: String,
        /// The backend that has it.
        owner: String,
    },
    /// `backend_kwargs` that no backend would see, or that is no mapping (S5).
    #[error("{function}() {why}")]
    BackendArguments {
        /// The function.
        function: String,
        /// What is wrong.
        why: String,
    },
    /// In strict mode: the backend lacks the function (D16).
    #[error("backend `{backend}` has no `{function}`, and the host may not stand in for it")]
    FellBack {
        /// The function.
        function: String,
        /// The backend.
        backend: String,
    },
    /// The function was called and gave no answer.
    #[error(transparent)]
    Fault(#[from] Fault),
}

fn meant(closest: Option<&str>) -> String {
    closest.map(|name| format!(", did you mean `{name}`?")).unwrap_or_default()
}

fn errors(assessment: &Assessment) -> String {
    let errors = assessment.findings.iter().filter(|f| f.severity == Severity::Error);
    errors.map(|f| f.to_string()).collect::<Vec<_>>().join("; ")
}

impl DispatchError {
    /// The Python exception class: `ValueError`, `ImportError`, `TypeError`, `RuntimeError`.
    pub fn kind(&self) -> &str {
        match self {
            DispatchError::InvalidName { .. }
            | DispatchError::Unknown { .. }
            | DispatchError::Reserved { .. } => "ValueError",
            DispatchError::NotInstalled { .. }
            | DispatchError::Refused { .. }
            | DispatchError::FailedToLoad { .. } => "ImportError",
            DispatchError::Undecorable { .. }
            | DispatchError::Bind { .. }
            | DispatchError::Undispatchable { .. }
            | DispatchError::Lost { .. }
            | DispatchError::Foreign { .. }
            | DispatchError::BackendArguments { .. } => "TypeError",
            DispatchError::Discovery { .. } | DispatchError::FellBack { .. } => "RuntimeError",
            DispatchError::Fault(Fault::Rejected { kind, .. }) => kind,
            DispatchError::Fault(_) => "RuntimeError",
        }
    }
}

impl From<DispatchError> for Fault {
    fn from(error: DispatchError) -> Fault {
        match error {
            DispatchError::Fault(fault) => fault,
            other => Fault::rejected(other.kind(), other.to_string()),
        }
    }
}
