//! What a backend is given beside what a call gives, and what that does to the permutations it draws.
//!
//! squidpy 1.8.3 splits permutations among `n_jobs` jobs and seeds each by itself, so that its random columns depend on
//! how many there are. A peer that can draw from NumPy's stream splits them in the same way when it is told the number.

use std::collections::BTreeMap;
use std::sync::Arc;

use dispatch::{Call, Manifest, Value};

use crate::Usage;

const JOBS: &str = "n_jobs";

/// Arguments where a call gives none, and variables of the environment.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Given {
    /// By `NAME`, for functions that have a parameter of that name, or `FUNCTION.NAME`, for one function.
    pub(super) arguments: BTreeMap<String, serde_json::Value>,
    /// By name.
    pub(super) variables: BTreeMap<String, String>,
}

impl Given {
    /// `[FUNCTION.]NAME=JSON`, where what is no JSON is text.
    pub(super) fn parse<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Result<Given, Usage> {
        let argument = |text: &str| {
            let (name, value) = text.split_once('=').filter(|(name, _)| !name.is_empty()).ok_or_else(|| {
                Usage(format!(
                    "`{text}`: expected an argument as in n_jobs=2, or ligrec.n_jobs=2 for one function"
                ))
            })?;
            let value = serde_json::from_str(value).unwrap_or_else(|_| value.into());
            Ok((name.to_owned(), value))
        };
        let arguments = arguments.into_iter().map(argument).collect::<Result<_, Usage>>()?;
        Ok(Given { arguments, ..Given::default() })
    }

    /// All of it as text, with the functions that take an argument.
    pub(super) fn shown(&self, manifest: &Manifest) -> Vec<String> {
        let argument = |(name, value): (&String, &serde_json::Value)| {
            let takes = |f: &&String| manifest.functions[*f].get(name).is_some();
            let takers: Vec<&str> =
                manifest.functions.keys().filter(takes).map(String::as_str).collect();
            match name.split_once('.') {
                Some((function, _)) if manifest.functions.contains_key(function) => {
                    format!("{name}={value}")
                }
                None if !takers.is_empty() => format!("{name}={value}"),
                Some(_) | None => format!("{name}={value} (no function takes it)"),
            }
        };
        let variables = self.variables.iter().map(|(name, value)| format!("{name}={value}"));
        self.arguments.iter().map(argument).chain(variables).collect()
    }

    /// Among how many jobs the backend splits the permutations of a function: 1 if it is not told.
    pub(super) fn jobs(&self, manifest: &Manifest, function: &str) -> i64 {
        let for_one = self.arguments.get(&format!("{function}.{JOBS}"));
        let takes = manifest.functions.get(function).is_some_and(|s| s.get(JOBS).is_some());
        let given = for_one.or_else(|| self.arguments.get(JOBS).filter(|_| takes));
        given.and_then(serde_json::Value::as_i64).unwrap_or(1)
    }
}

/// The call with permutations split among so many jobs, where NumPy's stream is asked for: its peer splits them so.
pub(super) fn in_jobs(call: &Arc<Call>, stream: Option<&str>, jobs: i64) -> Arc<Call> {
    if jobs == 1 || stream != Some("numpy") || call.params.contains_key(JOBS) {
        return call.clone();
    }
    let mut call = Call::clone(call);
    call.params.insert(JOBS.to_owned(), Value::Int(jobs));
    Arc::new(call)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_json_or_text_and_a_name_is_needed() {
        let given = Given::parse(["n_jobs=2", "backend=threading", "ligrec.n_jobs=3"]).unwrap();
        assert_eq!(given.arguments["n_jobs"], 2);
        assert_eq!(given.arguments["backend"], "threading");
        for wrong in ["n_jobs", "=2", ""] {
            assert!(Given::parse([wrong]).unwrap_err().to_string().contains("n_jobs=2"), "{wrong}");
        }
    }

    #[test]
    fn jobs_are_those_that_the_function_is_given() {
        let reference = reference::backend();
        let manifest = dispatch::Backend::manifest(&reference);
        let given = Given::parse(["n_jobs=2", "ligrec.n_jobs=3", "n_jbos=4"]).unwrap();
        assert_eq!(given.jobs(manifest, "spatial_autocorr"), 2);
        assert_eq!(given.jobs(manifest, "ligrec"), 3);
        assert_eq!(given.jobs(manifest, "nothing"), 1);
        assert_eq!(Given::default().jobs(manifest, "ligrec"), 1);
        let shown = given.shown(manifest);
        assert!(shown.contains(&"n_jbos=4 (no function takes it)".to_owned()), "{shown:?}");
        assert!(shown.contains(&"ligrec.n_jobs=3".to_owned()), "{shown:?}");
    }
}
