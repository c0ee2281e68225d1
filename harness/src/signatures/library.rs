//! The functions of a library, from wherever they are described.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use dispatch::{Manifest, Signature};
use serde::Deserialize;

use crate::{Usage, backends};

/// The dumps that come with the project, by `name@version`.
pub const STORED: &[(&str, &str)] = &[
    ("rapids-singlecell@0.18.1", include_str!("../../signatures/rapids-singlecell-0.18.1.json")),
    ("scanpy@1.12.4", include_str!("../../signatures/scanpy-1.12.4.json")),
    ("squidpy@1.8.3", include_str!("../../signatures/squidpy-1.8.3.json")),
];

/// The form of dumps that is understood.
const FORMAT: u32 = 1;

/// One function.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Described {
    /// Its parameters.
    pub signature: Signature,
    /// The file that defines it, below what contains the package.
    #[serde(default)]
    pub file: Option<String>,
    /// The line of its `def`.
    #[serde(default)]
    pub line: Option<u32>,
    /// Names that a decorator accepts without showing them, each with the parameter it stands for.
    #[serde(default)]
    pub hidden: BTreeMap<String, String>,
}

/// The functions of one version of one library.
#[derive(Clone, Debug, PartialEq)]
pub struct Library {
    /// The name.
    pub name: String,
    /// The version.
    pub version: String,
    /// What the sources or the artifact hash to.
    pub digest: String,
    /// The functions, by the name a user sees below the package: `gr.sepal`.
    pub functions: BTreeMap<String, Described>,
}

#[derive(Deserialize)]
struct Dump {
    format: u32,
    name: String,
    version: String,
    digest: String,
    functions: Vec<Named>,
}

#[derive(Deserialize)]
struct Named {
    name: String,
    #[serde(flatten)]
    described: Described,
}

impl Library {
    /// The library of a name: `name@version` of a stored dump, the path of a dump, or a backend that runs here.
    ///
    /// # Errors
    /// [`Usage`] with the nearest names if there is none; an error that names the file if it is no dump.
    pub fn open(name: &str) -> Result<Library> {
        if let Some((_, text)) = STORED.iter().find(|(stored, _)| *stored == name) {
            return Library::parse(text).with_context(|| format!("stored dump {name}"));
        }
        if name.ends_with(".json") {
            let read = std::fs::read_to_string(Path::new(name));
            let text = read.with_context(|| format!("read dump {name}"))?;
            return Library::parse(&text).with_context(|| format!("read dump {name}"));
        }
        let known = backends::known()?;
        if known.iter().any(|k| k.name == name) {
            return Ok(Library::from(backends::open(name)?.backend.manifest()));
        }
        let stored = STORED.iter().map(|(stored, _)| *stored);
        let all = stored.clone().chain(known.iter().map(|k| k.name.as_str()));
        let Usage(why) = Usage::unknown("library or backend", name, all);
        let stored: Vec<_> = stored.collect();
        let stored = stored.join(", ");
        let where_ = format!("`concord list` shows the backends, stored signatures are {stored}");
        Err(Usage(why.replace("`concord list` shows all of them", &where_)).into())
    }

    /// Reads a dump.
    ///
    /// # Errors
    /// If the text is not a dump of a form that is understood; says where.
    pub fn parse(text: &str) -> Result<Library> {
        let dump: Dump = serde_json::from_str(text)?;
        ensure!(dump.format == FORMAT, "format {} is unknown, expected {FORMAT}", dump.format);
        let Dump { name, version, digest, functions, format: _ } = dump;
        let functions = functions.into_iter().map(|f| (f.name, f.described)).collect();
        Ok(Library { name, version, digest, functions })
    }

    /// `name@version`.
    pub fn id(&self) -> String {
        format!("{}@{}", self.name, self.version)
    }
}

impl From<&Manifest> for Library {
    fn from(manifest: &Manifest) -> Library {
        let described = |signature: &Signature| Described {
            signature: signature.clone(),
            file: None,
            line: None,
            hidden: BTreeMap::new(),
        };
        let functions = manifest.functions.iter();
        Library {
            name: manifest.name.clone(),
            version: manifest.version.clone(),
            digest: manifest.artifact.to_string(),
            functions: functions.map(|(name, sig)| (name.clone(), described(sig))).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stored_dumps_are_what_their_names_say() {
        for (id, text) in STORED {
            let library = Library::parse(text).unwrap();
            assert_eq!(library.id(), *id);
            assert!(library.digest.starts_with("sha256:"), "{id}: {}", library.digest);
            for (name, function) in &library.functions {
                let place = function.file.is_some() && function.line.is_some_and(|l| l > 0);
                assert!(place && !function.signature.params.is_empty(), "{id} {name}");
            }
        }
    }

    #[test]
    fn what_is_no_dump_is_refused_with_the_place() {
        let message = |text: &str| format!("{:#}", Library::parse(text).unwrap_err());
        assert!(message("{}").contains("format"));
        let newer =
            r#"{"format": 2, "name": "a", "version": "1", "digest": "sha256:", "functions": []}"#;
        assert!(message(newer).contains("format 2 is unknown"));
        assert!(message("{\n!").contains("line 2"));
    }
}
