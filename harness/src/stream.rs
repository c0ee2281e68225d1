//! Which random stream each side is asked to draw from, so that random columns can be compared exactly.
//!
//! A function with a parameter `rng` can draw the counter-based permutations of the project
//! (`"concord"`) or those of squidpy 1.8.3 (`"numpy"`). Two such peers share the former; such a peer and
//! squidpy share the latter; any other pair shares nothing.

use std::sync::Arc;

use dispatch::{Call, Manifest, Value};

use crate::Profile;

/// What each side is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Streams {
    /// The host's stream, if it can choose.
    pub host: Option<&'static str>,
    /// The backend's stream, if it can choose.
    pub backend: Option<&'static str>,
    /// Whether both draw the same permutations.
    pub same: bool,
}

/// Chooses the streams for one function.
pub fn choose(host: &Manifest, backend: &Manifest, function: &str) -> Streams {
    let chooses = |m: &Manifest| m.functions.get(function).is_some_and(|s| s.get("rng").is_some());
    let draws_numpy = |m: &Manifest| Profile::of(&m.name).numpy_stream;
    match (chooses(host), chooses(backend)) {
        (true, true) => Streams { host: Some("concord"), backend: Some("concord"), same: true },
        (true, false) if draws_numpy(backend) => {
            Streams { host: Some("numpy"), backend: None, same: true }
        }
        (false, true) if draws_numpy(host) => {
            Streams { host: None, backend: Some("numpy"), same: true }
        }
        (false, false) if draws_numpy(host) && draws_numpy(backend) => {
            Streams { host: None, backend: None, same: true }
        }
        _ => Streams { host: None, backend: None, same: false },
    }
}

/// The call with a stream asked for; a call that names one keeps it.
pub fn ask(call: &Arc<Call>, stream: Option<&'static str>) -> Arc<Call> {
    match stream {
        Some(stream) if !call.params.contains_key("rng") => {
            let mut call = Call::clone(call);
            call.params.insert("rng".to_owned(), Value::from(stream));
            Arc::new(call)
        }
        Some(_) | None => call.clone(),
    }
}
