//! A backend that repeats stored answers, so that a machine without Python can judge a real library.

use std::collections::BTreeMap;
use std::sync::Arc;

use dispatch::{Backend, Call, Digest, Fault, Manifest, Reply};
use reports::Source;

use crate::golden::{Corpus, recorded_manifest};
use crate::judge::Outcome;
use crate::plan::Plan;
use crate::{Case, contract};

/// Stored answers, by the digest of the call.
pub struct Recorded {
    manifest: Manifest,
    answers: BTreeMap<Digest, Outcome>,
}

impl Recorded {
    /// A backend of a name that repeats the answers of a corpus.
    pub fn new(name: &str, corpus: &Corpus) -> Recorded {
        let answers =
            corpus.cases.iter().map(|case| (case.call.digest(), case.outcome.clone())).collect();
        Recorded { manifest: recorded_manifest(name, &corpus.version), answers }
    }
}

impl Backend for Recorded {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    fn run(&self, call: &Call) -> Result<Reply, Fault> {
        match self.answers.get(&call.digest()) {
            Some(outcome) => outcome.clone(),
            None => Err(Fault::Unsupported("no answer to this call is stored".to_owned())),
        }
    }
}

/// The stored calls of some functions as a plan: the only calls that [`Recorded`] answers.
pub fn plan(corpus: &Corpus, functions: &[String]) -> Plan {
    let wanted =
        |call: &Call| contract(&call.function).is_some() && functions.contains(&call.function);
    let cases = corpus.cases.iter().filter(|case| wanted(&case.call));
    let cases = cases.map(|case| {
        (Source::Golden, Case::Stored { id: case.id.clone(), call: Arc::clone(&case.call) })
    });
    Plan { cases: cases.collect() }
}
