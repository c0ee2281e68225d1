//! `backends.toml`: backends that are not built in, by the environment variable `CONCORD_BACKENDS`.
//!
//! ```toml
//! [[backend]]
//! name = "rapids"               # for the command line and CONCORD_BACKEND
//! recorded = "answers/rapids"   # stored answers in the form of a golden folder; relative to this file
//! ```

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::Usage;

/// The variable that names the file.
pub const VARIABLE: &str = "CONCORD_BACKENDS";

/// One backend of the file.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Described {
    /// The name to use on the command line.
    pub name: String,
    /// A folder of stored answers.
    pub recorded: PathBuf,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    backend: Vec<Described>,
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

/// The backends of a file; relative folders are taken from where the file is.
///
/// # Errors
/// As [`from_environment`].
pub fn read(path: &Path) -> Result<Vec<Described>> {
    let text = std::fs::read_to_string(path).with_context(|| format!("read {}", path.display()))?;
    let file: File =
        toml::from_str(&text).map_err(|e| Usage(format!("{}: {e}", path.display())))?;
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut backends = file.backend;
    for (i, backend) in backends.iter_mut().enumerate() {
        backend.recorded = folder.join(&backend.recorded);
        let reserved = ["reference", "recorded", "cuda"].contains(&backend.name.as_str())
            || backend.name.contains(':');
        if reserved || backend.name.is_empty() {
            let message = format!(
                "{}: backend {}: the name `{}` is reserved",
                path.display(),
                i + 1,
                backend.name
            );
            return Err(Usage(message).into());
        }
    }
    Ok(backends)
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

    #[test]
    fn folders_are_relative_to_the_file() {
        let backends = check("[[backend]]\nname = 'rapids'\nrecorded = 'answers'").unwrap();
        assert!(backends[0].recorded.is_absolute() && backends[0].recorded.ends_with("answers"));
        assert!(check("").unwrap().is_empty());
    }

    #[test]
    fn a_mistake_is_shown_with_its_line() {
        let error = format!(
            "{:#}",
            check("[[backend]]\nname = 'x'\nrecorded = 'a'\ndevcie = 1").unwrap_err()
        );
        assert!(error.contains("devcie") && error.contains("line 4"), "{error}");
        let error =
            format!("{:#}", check("[[backend]]\nname = 'mutant:x'\nrecorded = 'a'").unwrap_err());
        assert!(error.contains("reserved"), "{error}");
    }
}
