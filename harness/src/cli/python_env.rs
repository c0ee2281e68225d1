//! `concord python-env`

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use clap::Args;

use crate::{Usage, python};

/// What is installed: the libraries of the stored answers, at their versions, and what a worker needs.
const PINNED: &[&str] = &[
    "squidpy==1.8.3",
    "scverse-backends==0.0.3",
    "scanpy==1.12.4",
    "anndata==0.13.4",
    "numpy==2.5.5",
    "scipy==1.17.1",
    "pandas==3.1.1",
    "numba==0.68.1",
];

/// Makes a virtual environment with squidpy, for `certify squidpy` and `--host squidpy`; needs the network, by pip
#[derive(Args)]
pub(super) struct PythonEnv {
    /// The folder to make
    dir: PathBuf,
    /// The interpreter to make it with: Python 3.12 or newer
    #[arg(long, default_value = "python3", value_name = "PROGRAM")]
    python: PathBuf,
    /// Another requirement, as for pip; one of the same package takes the place of a pinned one (may be given
    /// several times)
    #[arg(long = "with", value_name = "REQUIREMENT")]
    with: Vec<String>,
}

impl PythonEnv {
    pub(super) fn run(&self) -> Result<u8> {
        if self.dir.exists() {
            return Err(Usage(format!("{} exists already", self.dir.display())).into());
        }
        done(Command::new(&self.python).args(["-m", "venv"]).arg(&self.dir))?;
        let mut install = Command::new(self.dir.join("bin/python"));
        install.args(["-m", "pip", "install", "--disable-pip-version-check"]);
        install.args(self.requirements());
        if let Some(package) = python::package() {
            install.arg(package);
        }
        done(&mut install)?;
        let dir = self.dir.display();
        super::print(&format!("now: {}={dir} concord certify squidpy\n", python::VARIABLE));
        Ok(0)
    }

    fn requirements(&self) -> Vec<&str> {
        let package = |requirement: &str| {
            let end = requirement.find(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c)));
            requirement[..end.unwrap_or(requirement.len())].to_owned()
        };
        let asked = |pinned: &&str| self.with.iter().any(|with| package(with) == package(pinned));
        let kept = PINNED.iter().copied().filter(|pinned| !asked(pinned));
        kept.chain(self.with.iter().map(String::as_str)).collect()
    }
}

fn done(command: &mut Command) -> Result<()> {
    let program = command.get_program().to_string_lossy().into_owned();
    let status = command.status().with_context(|| format!("start {program}"))?;
    ensure!(status.success(), "{program} ended with {status}; what it said stands above");
    Ok(())
}
