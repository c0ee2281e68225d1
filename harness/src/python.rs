//! Where Concord's Python worker is found and how the process of a described backend is started.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use dispatch::worker::{Launch, Worker};

use crate::backends_file::{Command, Spec};

/// The variable that names the environment or interpreter of Python libraries.
pub const VARIABLE: &str = "CONCORD_PYTHON";

/// The Python package of the project, where the project's folder is at hand; elsewhere it has to be installed.
pub fn package() -> Option<PathBuf> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../python");
    folder.canonicalize().ok()
}

/// Starts the process of a backend.
///
/// # Errors
/// Says what the process wrote when it could not be started, and what to do.
pub fn start(name: &str, spec: &Spec) -> Result<Worker> {
    let launch = launch(spec);
    let shown = launch.program.display().to_string();
    Worker::start(launch).with_context(|| {
        format!(
            "start backend `{name}` ({shown}; `concord python-env DIR` makes an environment, {VARIABLE}=DIR names it)"
        )
    })
}

/// How the process of a backend is started.
pub(crate) fn launch(spec: &Spec) -> Launch {
    let mut launch = match &spec.command {
        Command::Program(command) => {
            let mut launch = Launch::new(command.first().map_or("", String::as_str));
            launch.args = command.iter().skip(1).map(OsString::from).collect();
            launch
        }
        Command::Python(python, args) => of_python(python.clone(), args),
    };
    launch.env.extend(spec.env.iter().map(|(k, v)| (k.into(), v.into())));
    launch.startup = spec.startup.map_or(launch.startup, Duration::from_secs_f64);
    if matches!(spec.command, Command::Python(..)) {
        // Numba and JAX compile when a function is first called, which takes about as long as the imports.
        launch.compilation = launch.startup;
        launch.forks = spec.forks;
        for (name, value) in &spec.set {
            launch.args.extend(["--set".into(), format!("{name}={value}").into()]);
        }
    }
    launch.deadline = spec.timeout.map_or(launch.deadline, Duration::from_secs_f64);
    launch.memory = spec.memory;
    launch.processes = spec.processes;
    launch
}

fn of_python(python: Option<PathBuf>, args: &[String]) -> Launch {
    let named = || std::env::var_os(VARIABLE).filter(|v| !v.is_empty()).map(PathBuf::from);
    let python = python.or_else(named).unwrap_or_else(|| PathBuf::from("python3"));
    let mut launch = Launch::new(interpreter(&python));
    // squidpy takes 15 s of a processor to import, and machines that test have other work.
    launch.startup = Duration::from_secs(300);
    launch.args = ["-m", "concord_worker"].map(OsString::from).into();
    launch.args.extend(args.iter().map(OsString::from));
    if let Some(package) = package() {
        let mut path = package.join("src").into_os_string();
        if let Some(more) = std::env::var_os("PYTHONPATH").filter(|v| !v.is_empty()) {
            path.push(":");
            path.push(more);
        }
        launch.env.push(("PYTHONPATH".into(), path));
    }
    launch
}

/// The interpreter of a virtual environment, or the interpreter itself.
fn interpreter(python: &Path) -> PathBuf {
    let inside = python.join("bin/python");
    if inside.exists() { inside } else { python.to_owned() }
}
