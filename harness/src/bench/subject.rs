//! A backend that can be started again and again, each time in a process of its own.

use std::ffi::OsString;
use std::sync::Arc;

use anyhow::{Context, Result};
use dispatch::worker::{Launch, Worker};
use dispatch::{Backend, Device, Fault};

use super::settings::Given;
use crate::backends_file::{By, Command};
use crate::{Usage, backends, python};

/// Variables by which libraries decide how many threads they use.
pub(super) const THREADS: [&str; 5] = [
    "RAYON_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
];

/// What a process of a backend may use.
#[derive(Clone, Copy, Debug, Default)]
pub struct Bounds {
    /// Threads that libraries are told to use.
    pub threads: Option<usize>,
    /// Address space, in bytes.
    pub memory: Option<u64>,
}

type Start = dyn Fn() -> Result<Arc<dyn Backend>, Fault>;

/// A backend by name.
pub struct Subject {
    /// Its name on the command line.
    pub name: String,
    /// What it is given beside what calls give.
    pub(super) given: Given,
    start: Box<Start>,
}

impl Subject {
    /// A backend that `start` starts.
    pub fn new(
        name: impl Into<String>,
        start: impl Fn() -> Result<Arc<dyn Backend>, Fault> + 'static,
    ) -> Subject {
        Subject { name: name.into(), given: Given::default(), start: Box::new(start) }
    }

    /// This backend, given arguments where a call gives none: `NAME=JSON` or `FUNCTION.NAME=JSON`. What is said here about
    /// `n_jobs` decides which permutations it is expected to draw.
    ///
    /// # Errors
    /// Says what is no such argument.
    pub fn set<'a>(
        mut self,
        arguments: impl IntoIterator<Item = &'a str>,
    ) -> Result<Subject, Usage> {
        self.given = Given::parse(arguments)?;
        Ok(self)
    }

    /// The backend of a name: of this project in a process of this program, of `backends.toml` as it says there. A Python
    /// library may be followed by arguments that are set where a call gives none: `squidpy:n_jobs=2,ligrec.n_jobs=2`.
    ///
    /// # Errors
    /// There is none of that name, it takes no arguments, or this program does not know where it lies.
    pub fn open(name: &str, bounds: Bounds) -> Result<Subject> {
        let (plain, arguments) = match name.split_once(':') {
            Some((plain, arguments)) if arguments.contains('=') => (plain, Some(arguments)),
            Some(_) | None => (name, None),
        };
        let mut given = Given::default();
        let launch = match backends::described_as(plain)? {
            Some(By::Process(mut spec)) => {
                if let Some(arguments) = arguments {
                    if !matches!(spec.command, Command::Python(..)) {
                        return Err(no_arguments(plain).into());
                    }
                    spec.set.extend(Given::parse(arguments.split(','))?.arguments);
                }
                given = Given { arguments: spec.set.clone(), variables: spec.env.clone() };
                python::launch(&spec)
            }
            Some(By::Recorded(_)) | None if arguments.is_some() => {
                backends::open(plain)?;
                return Err(no_arguments(plain).into());
            }
            Some(By::Recorded(_)) => return Ok(Subject::stored(name)),
            None if name == "recorded" => return Ok(Subject::stored(name)),
            None => {
                // An unknown name is said now and not by a process that cannot start.
                backends::open(name)?;
                let program =
                    std::env::current_exe().context("find this program, to start it again")?;
                let mut launch = Launch::new(program);
                launch.args = ["serve", name].map(OsString::from).into();
                launch
            }
        };
        Ok(Subject { given, ..Subject::process(name, bounded(launch, bounds)) })
    }

    /// A process that speaks the worker protocol.
    pub fn process(name: &str, launch: Launch) -> Subject {
        let start = move || Ok(Arc::new(Worker::start(launch.clone())?) as Arc<dyn Backend>);
        Subject::new(name, start)
    }

    fn stored(name: &str) -> Subject {
        let refuse = || Err(Fault::Unsupported("its answers are stored ones".to_owned()));
        Subject::new(name, refuse)
    }

    /// The backend in a new process.
    ///
    /// # Errors
    /// It cannot be started, or its times would say nothing ([`Fault::Unsupported`]).
    pub fn start(&self) -> Result<Arc<dyn Backend>, Fault> {
        let backend = (self.start)()?;
        let why = match &backend.manifest().device {
            Device::Cpu | Device::Cuda { .. } => return Ok(backend),
            Device::Emulated => {
                "its device is emulated, and times of that say nothing about a GPU".to_owned()
            }
            Device::Absent { why } => format!("its device is not there: {why}"),
        };
        Err(Fault::Unsupported(why))
    }
}

fn no_arguments(name: &str) -> Usage {
    Usage(format!("`{name}` takes no arguments after a colon: only Python libraries do"))
}

fn bounded(mut launch: Launch, bounds: Bounds) -> Launch {
    if let Some(threads) = bounds.threads {
        let own = |name: &str| launch.env.iter().any(|(known, _)| known == name);
        let more: Vec<_> = THREADS.into_iter().filter(|name| !own(name)).collect();
        launch.env.extend(more.into_iter().map(|name| (name.into(), threads.to_string().into())));
    }
    launch.memory = launch.memory.or(bounds.memory);
    launch
}
