//! `backends.toml`: backends that are not built in, by the environment variable `CONCORD_BACKENDS`.
//!
//! ```toml
//! [[backend]]
//! name = "rapids"               # for the command line and CONCORD_BACKEND
//! recorded = "answers/rapids"   # stored answers in the form of a golden folder; relative to this file
//!
//! [[backend]]
//! name = "mine"
//! command = ["bin/my-worker"]   # speaks the protocol of dispatch/PROTOCOL.md
//! env = { OMP_NUM_THREADS = "1" }
//! timeout = 60                  # seconds that a call may take
//! startup = 120                 # seconds until it introduces itself; Python has 300, and again for the first call of a function
//! memory = "8 GiB"              # address space; leave it out for CUDA
//! processes = 1                 # at a time; default: one for each thread of the examination
//!
//! [[backend]]
//! name = "squidpy-1.2.3"
//! python = "envs/old"           # a virtual environment, or an interpreter; default: CONCORD_PYTHON, else python3
//! module = "squidpy.gr"         # or  adapter = "adapter.py"  or  host = "lib._backends:dispatcher", backend = "NAME"
//! poison = ["scanpy.metrics"]   # hosts that must not do its work
//! set = { n_jobs = 1 }          # arguments where a call gives none; "ligrec.n_jobs" is for one function, in whose **kwargs it may be
//! device = "cuda"               # what it computes on, as CuPy sees it; default: the processor
//! forks = true                  # import once, and fork each process; not for what starts threads or CUDA when it is imported
//! ```

use std::collections::BTreeMap;
use std::num::NonZero;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::{Usage, python};

/// The variable that names the file.
pub const VARIABLE: &str = "CONCORD_BACKENDS";

/// One backend of the file.
#[derive(Clone, Debug, PartialEq)]
pub struct Described {
    /// The name to use on the command line.
    pub name: String,
    /// What answers.
    pub by: By,
}

/// What answers the calls.
#[derive(Clone, Debug, PartialEq)]
pub enum By {
    /// A folder of stored answers.
    Recorded(PathBuf),
    /// A process.
    Process(Box<Spec>),
}

/// A process and its bounds.
#[derive(Clone, Debug, PartialEq)]
pub struct Spec {
    /// Program and arguments.
    pub command: Command,
    /// Variables added to the environment.
    pub env: BTreeMap<String, String>,
    /// Seconds that a call may take.
    pub timeout: Option<f64>,
    /// Seconds until the process introduces itself.
    pub startup: Option<f64>,
    /// Address space, in bytes.
    pub memory: Option<u64>,
    /// Processes at a time.
    pub processes: Option<NonZero<usize>>,
    /// Whether a Python library is imported once and its processes are forked.
    pub forks: bool,
    /// Arguments of a Python library where a call gives none, by `NAME` or `FUNCTION.NAME`.
    pub set: BTreeMap<String, serde_json::Value>,
}

/// What is started.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// A program that speaks the protocol.
    Program(Vec<String>),
    /// Concord's Python worker, with these arguments, in this environment or interpreter.
    Python(Option<PathBuf>, Vec<String>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    backend: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    recorded: Option<PathBuf>,
    command: Option<Vec<String>>,
    python: Option<PathBuf>,
    module: Option<String>,
    adapter: Option<PathBuf>,
    host: Option<String>,
    backend: Option<String>,
    device: Option<String>,
    #[serde(default)]
    poison: Vec<String>,
    #[serde(default)]
    set: BTreeMap<String, toml::Value>,
    #[serde(default)]
    env: BTreeMap<String, String>,
    timeout: Option<f64>,
    startup: Option<f64>,
    memory: Option<Bytes>,
    processes: Option<NonZero<usize>>,
    #[serde(default)]
    forks: bool,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Bytes {
    Count(u64),
    Text(String),
}

/// The backends of the file that [`VARIABLE`] names; none if it is not set.
///
/// # Errors
/// Names the file and the line that is wrong.
pub fn from_environment() -> Result<Vec<Described>> {
    match std::env::var_os(VARIABLE) {
        Some(path) if !path.is_empty() => {
            read(Path::new(&path)).with_context(|| format!("{VARIABLE}={}", path.display()))
        }
        Some(_) | None => Ok(Vec::new()),
    }
}

/// The Python libraries that need no file.
///
/// # Errors
/// None in practice: the file is part of the program, and a test reads it.
pub fn built_in() -> Result<Vec<Described>> {
    parse(include_str!("backends.toml"), &python::package().unwrap_or_default())
}

/// The backends of a file; relative folders are taken from where the file is.
///
/// # Errors
/// As [`from_environment`].
pub fn read(path: &Path) -> Result<Vec<Described>> {
    let text = std::fs::read_to_string(path).with_context(|| format!("read {}", path.display()))?;
    parse(&text, path.parent().unwrap_or(Path::new(".")))
        .map_err(|usage| Usage(format!("{}: {usage}", path.display())).into())
}

fn parse(text: &str, folder: &Path) -> Result<Vec<Described>> {
    let file: File = toml::from_str(text).map_err(|e| Usage(e.to_string()))?;
    let described = |(i, entry): (usize, Entry)| {
        let name = entry.name.clone();
        entry.described(folder).map_err(|why| Usage(format!("backend {} (`{name}`): {why}", i + 1)))
    };
    Ok(file.backend.into_iter().enumerate().map(described).collect::<Result<_, Usage>>()?)
}

impl Entry {
    fn described(self, folder: &Path) -> Result<Described, String> {
        let reserved = ["reference", "recorded", "cuda"].contains(&self.name.as_str());
        if reserved || self.name.is_empty() || self.name.contains(':') {
            return Err("the name is reserved".to_owned());
        }
        let worker = [self.module.is_some(), self.adapter.is_some(), self.host.is_some()];
        let given = [self.recorded.is_some(), self.command.is_some()].into_iter().chain(worker);
        if given.filter(|&given| given).count() != 1 {
            let what = "expected one of `recorded`, `command`, `module`, `adapter`, `host`";
            return Err(what.to_owned());
        }
        if let Some(recorded) = &self.recorded {
            let by = By::Recorded(folder.join(recorded));
            return Ok(Described { name: self.name, by });
        }
        if self.command.is_some() && !self.set.is_empty() {
            return Err(
                "`set` is for Python libraries: give a `command` its own arguments".to_owned()
            );
        }
        let memory = self.memory.as_ref().map(bytes).transpose()?;
        for seconds in [self.timeout, self.startup].into_iter().flatten() {
            if !(seconds > 0.0 && seconds < 1e9) {
                return Err(format!("{seconds} is not a number of seconds above 0"));
            }
        }
        let set = self.given()?;
        let spec = Spec {
            command: self.started(folder)?,
            env: self.env,
            timeout: self.timeout,
            startup: self.startup,
            memory,
            processes: self.processes,
            forks: self.forks,
            set,
        };
        Ok(Described { name: self.name, by: By::Process(Box::new(spec)) })
    }

    fn given(&self) -> Result<BTreeMap<String, serde_json::Value>, String> {
        let json = |value| serde_json::to_value(value).map_err(|e| format!("`set`: {e}"));
        self.set.iter().map(|(name, value)| Ok((name.clone(), json(value)?))).collect()
    }

    fn started(&self, folder: &Path) -> Result<Command, String> {
        if let Some(command) = &self.command {
            let mut command = command.clone();
            let program = command.first_mut().ok_or("`command` is empty")?;
            // A bare name is looked for on the PATH, as a shell does.
            if program.contains('/') {
                *program = folder.join(&program).to_string_lossy().into_owned();
            }
            return Ok(Command::Program(command));
        }
        let mut args = Vec::new();
        let mut push =
            |option: &str, value: &str| args.extend([option.to_owned(), value.to_owned()]);
        let adapter = self.adapter.as_ref().map(|file| folder.join(file));
        let adapter = adapter.as_ref().map(|file| file.to_string_lossy());
        for (option, value) in [
            ("--module", self.module.as_deref()),
            ("--adapter", adapter.as_deref()),
            ("--host", self.host.as_deref()),
            ("--backend", self.backend.as_deref()),
            ("--device", self.device.as_deref()),
        ] {
            value.into_iter().for_each(|value| push(option, value));
        }
        self.poison.iter().for_each(|module| push("--poison", module));
        Ok(Command::Python(self.python.as_ref().map(|python| folder.join(python)), args))
    }
}

fn bytes(memory: &Bytes) -> Result<u64, String> {
    let text = match memory {
        Bytes::Count(bytes) => return Ok(*bytes),
        Bytes::Text(text) => text,
    };
    let unit = |suffix: &str| text.strip_suffix(suffix).and_then(|n| n.trim().parse::<u64>().ok());
    let (gib, mib) = (unit("GiB").map(|n| n << 30), unit("MiB").map(|n| n << 20));
    gib.or(mib).ok_or_else(|| format!("`memory = \"{text}\"`: expected bytes, or as in \"8 GiB\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> Result<Vec<Described>> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("backends.toml");
        std::fs::write(&path, text).unwrap();
        read(&path)
    }

    fn spec(text: &str) -> Spec {
        match check(text).unwrap().remove(0).by {
            By::Process(spec) => *spec,
            By::Recorded(folder) => panic!("{folder:?}"),
        }
    }

    #[test]
    fn folders_are_relative_to_the_file() {
        let backends = check("[[backend]]\nname = 'rapids'\nrecorded = 'answers'").unwrap();
        let By::Recorded(folder) = &backends[0].by else { panic!() };
        assert!(folder.is_absolute() && folder.ends_with("answers"));
        assert!(check("").unwrap().is_empty());
    }

    #[test]
    fn a_process_is_described_with_its_bounds() {
        let spec = spec(
            "[[backend]]\nname = 'x'\ncommand = ['bin/w', 'a']\nmemory = '2 GiB'\ntimeout = 5\nprocesses = 1",
        );
        let Command::Program(command) = spec.command else { panic!() };
        assert!(Path::new(&command[0]).is_absolute() && command[1] == "a");
        assert_eq!((spec.memory, spec.timeout), (Some(2 << 30), Some(5.0)));
    }

    #[test]
    fn a_python_library_becomes_arguments_of_the_worker() {
        let spec = spec(
            "[[backend]]\nname = 'x'\npython = 'env'\nmodule = 'a.b'\npoison = ['h']\nset = { n_jobs = 1 }",
        );
        let Command::Python(Some(python), args) = &spec.command else { panic!() };
        assert!(python.ends_with("env"));
        assert_eq!(args[..], ["--module", "a.b", "--poison", "h"]);
        let started = python::launch(&spec).args;
        assert_eq!(started[started.len() - 2..], ["--set", "n_jobs=1"]);
    }

    #[test]
    fn the_built_in_list_is_read() {
        let names: Vec<String> = built_in().unwrap().into_iter().map(|d| d.name).collect();
        assert_eq!(names, ["squidpy", "rapids-singlecell"]);
    }

    #[test]
    fn a_mistake_is_shown_with_its_place() {
        let entry = |rest: &str| format!("[[backend]]\nname = 'x'\n{rest}");
        for (text, says) in [
            (entry("recorded = 'a'\ndevcie = 1"), vec!["devcie", "line 4"]),
            ("[[backend]]\nname = 'mutant:x'\nrecorded = 'a'".to_owned(), vec!["reserved"]),
            (entry("recorded = 'a'\nmodule = 'b'"), vec!["backend 1", "expected one of"]),
            (entry("module = 'b'\nmemory = '3 apples'"), vec!["3 apples", "8 GiB"]),
            (entry("module = 'b'\ntimeout = -1"), vec!["seconds"]),
            (entry("command = ['b']\nset = { n_jobs = 2 }"), vec!["its own arguments"]),
        ] {
            let error = format!("{:#}", check(&text).unwrap_err());
            assert!(says.iter().all(|part| error.contains(part)), "{error}");
        }
    }
}
