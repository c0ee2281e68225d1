//! How the process of a backend is started, and what it may use.

use std::ffi::OsString;
use std::num::NonZero;
use std::path::PathBuf;
use std::time::Duration;

use crate::wire::Limits;

/// A command that speaks the protocol, and its bounds.
#[derive(Clone, Debug)]
pub struct Launch {
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<OsString>,
    /// Variables added to the environment of Concord.
    pub env: Vec<(OsString, OsString)>,
    /// The longest time between the start and the introduction: imports, and devices that wake up.
    pub startup: Duration,
    /// The longest time a call may take, whatever a caller allows.
    pub deadline: Duration,
    /// Time beyond the deadline for the first call of each function in a process: compilers work then.
    pub compilation: Duration,
    /// The most address space of the process, in bytes. CUDA maps far more than it uses, so that such a backend needs
    /// none.
    pub memory: Option<u64>,
    /// The most processes at a time; `None`: one for each caller that waits.
    pub processes: Option<NonZero<usize>>,
    /// Whether the program, with `--forks` as its last argument, loads once and then forks a process for each that is asked
    /// of it (`dispatch/PROTOCOL.md`). Not for CUDA, which does not survive a fork.
    pub forks: bool,
    /// The longest frames that are read or written.
    pub limits: Limits,
}

impl Launch {
    /// A command with the usual bounds: two minutes to start, an hour for a call.
    pub fn new(program: impl Into<PathBuf>) -> Launch {
        Launch {
            program: program.into(),
            args: Vec::new(),
            env: Vec::new(),
            startup: Duration::from_secs(120),
            deadline: Duration::from_secs(3600),
            compilation: Duration::ZERO,
            memory: None,
            processes: None,
            forks: false,
            limits: Limits::default(),
        }
    }
}
