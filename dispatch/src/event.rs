//! What happens beside an answer: values first, printed second.

use std::fmt;

use crate::Warning;

/// Something a user or a test may want to know about a call or a registration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// An argument was lost or means something else (D18, D20).
    Warned {
        /// The function called.
        function: String,
        /// The backend that answers.
        backend: String,
        /// What is told.
        warning: Warning,
    },
    /// The backend lacks the function; the host answers (D16).
    FellBack {
        /// The function called.
        function: String,
        /// The backend that was selected.
        backend: String,
    },
    /// A backend outside the trusted list is used for the first time (D11).
    Untrusted {
        /// Its canonical name.
        backend: String,
    },
    /// A provider, or one of its names, was not registered (D4, D5, D6, D10).
    Ignored {
        /// The name.
        name: String,
        /// The reason.
        why: String,
    },
}

impl Event {
    /// The event as the warning that Python code would see.
    pub fn warning(&self) -> Warning {
        let message = match self {
            Event::Warned { function, backend, warning } => {
                let message = format!("{function}() on backend `{backend}`: {}", warning.message);
                return Warning { message, ..warning.clone() };
            }
            Event::FellBack { function, backend } => {
                format!("backend `{backend}` has no `{function}`: the host answers")
            }
            Event::Untrusted { backend } => {
                format!("backend `{backend}` is not on the host's trusted list")
            }
            Event::Ignored { name, why } => format!("`{name}` is ignored: {why}"),
        };
        Warning::new("UserWarning", message)
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Warning { category, message, .. } = self.warning();
        write!(f, "{category}: {message}")
    }
}

/// Where events go as they happen; each call also returns its own in the answer.
pub type Sink = Box<dyn Fn(&Event) + Send + Sync>;

/// A sink that writes each event as a line on standard error; the one a dispatcher has unless told otherwise.
pub fn to_stderr(event: &Event) {
    eprintln!("{event}");
}
