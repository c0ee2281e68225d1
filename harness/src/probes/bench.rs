//! Host and backend on a bench: calls written for the host, handed to either side, and what came back.

use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use dispatch::{Backend, Bound, Call, Digest, Fault, Params, Signature, Value, bind_open, route};
use generators::{Generator, Recipe};

use super::content::fingerprint;
use super::inputs::{Inputs, inputs};
use super::{Watched, unaskable};
use crate::compare::{describe, shorten};
use crate::executor::Executor;
use crate::judge::{Judgement, Outcome, Peers, judge};
use crate::stream::{self, Streams};
use crate::{Contract, Profile, contract};

/// A call as a caller of the host writes it: a recipe, and what was changed about its arguments.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    recipe: String,
    changes: Vec<(String, Option<Value>)>,
    pub(super) call: Call,
}

impl Asked {
    /// The same call with an argument passed.
    pub(super) fn with(&self, name: &str, value: Value) -> Asked {
        let mut asked = self.clone();
        asked.call.params.insert(name.to_owned(), value.clone());
        asked.changes.push((name.to_owned(), Some(value)));
        asked
    }

    /// The same call with an argument left out.
    pub(super) fn without(&self, name: &str) -> Asked {
        let mut asked = self.clone();
        asked.call.params.remove(name);
        asked.changes.push((name.to_owned(), None));
        asked
    }

    fn touches(&self, name: &str) -> bool {
        self.changes.iter().any(|(changed, _)| changed == name)
    }
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} \"{}\"", self.call.function, self.recipe)?;
        for (name, value) in &self.changes {
            match value {
                Some(value) => write!(f, ", {name}={}", shorten(&describe(value), 40))?,
                None => write!(f, ", without {name}")?,
            }
        }
        Ok(())
    }
}

/// One call of a sweep, and what both sides said.
pub(super) struct Swept {
    /// The call.
    pub(super) asked: Asked,
    /// The parameter that was varied; empty for a base and for calls that are wrong altogether.
    pub(super) parameter: &'static str,
    /// The position in the sweep of the call that was varied; its own position for a base.
    pub(super) base: usize,
    /// What the host said.
    pub(super) host: Outcome,
    /// What the backend said.
    pub(super) backend: Outcome,
    /// What the judge says.
    pub(super) judgement: Judgement,
    /// Parts of the input that were not after the call what they were before.
    pub(super) changed: Vec<String>,
}

/// Host and backend, ready to be probed about one function.
pub struct Bench {
    pub(super) backend: Arc<dyn Backend>,
    pub(super) host: Arc<Watched>,
    pub(super) host_signature: Signature,
    pub(super) signature: Signature,
    pub(super) contract: &'static Contract,
    pub(super) inputs: &'static Inputs,
    pub(super) streams: Streams,
    pub(super) deadline: Duration,
    generator: &'static Generator,
    peers: Peers,
    host_lane: Executor,
    lane: Executor,
    sweep: Option<Rc<Vec<Swept>>>,
}

impl Bench {
    /// A bench for one function, or why nothing can be asked about it.
    pub(super) fn new(
        backend: &Arc<dyn Backend>,
        host: &Arc<Watched>,
        function: &str,
        deadline: Duration,
    ) -> Result<Bench, String> {
        if let Some(why) = unaskable(&**backend, &**host, function) {
            return Err(why);
        }
        let known = contract(function).zip(inputs(function)).zip(generators::generator(function));
        let ((contract, inputs), generator) =
            known.ok_or_else(|| format!("no inputs to probe `{function}` with"))?;
        let (hosts, theirs) = (host.manifest(), backend.manifest());
        let streams = stream::choose(hosts, theirs, function);
        let peers = Peers {
            host: Profile::of(&hosts.name),
            backend: Profile::examined(&theirs.name, &hosts.name),
            same_stream: streams.same,
        };
        Ok(Bench {
            host_signature: hosts.functions[function].clone(),
            signature: theirs.functions[function].clone(),
            contract,
            inputs,
            streams,
            deadline,
            generator,
            peers,
            host_lane: Executor::new(host.clone(), deadline),
            lane: Executor::new(backend.clone(), deadline),
            backend: backend.clone(),
            host: host.clone(),
            sweep: None,
        })
    }

    /// The calls that arguments are varied on.
    pub(super) fn bases(&self) -> Vec<Asked> {
        self.inputs.bases.iter().map(|text| self.recipe(text)).collect()
    }

    /// The call of a recipe that stands in [`Inputs`]; one that cannot be read is the simplest.
    pub(super) fn recipe(&self, text: &str) -> Asked {
        let recipe = Recipe::parse(self.generator, text);
        self.asked(&recipe.unwrap_or_else(|_| Recipe::simplest(self.generator, 0)))
    }

    fn asked(&self, recipe: &Recipe) -> Asked {
        Asked { recipe: recipe.to_string(), changes: Vec::new(), call: recipe.build() }
    }

    /// Asks the host.
    pub(super) fn ask_host(&mut self, asked: &Asked) -> Outcome {
        let (signature, stream) = (&self.host_signature, self.streams.host);
        let bound = self.bound(asked, 0)?;
        dispatch::bind(signature, Vec::new(), with_extra(&bound))?;
        let mut call =
            route(signature, signature, &bound).into_call(&asked.call.function, signature)?;
        name_stream(&mut call, asked, stream, signature);
        self.host_lane.run(&Arc::new(call))
    }

    /// Asks the backend, all arguments by name.
    pub(super) fn ask(&mut self, asked: &Asked) -> Outcome {
        self.ask_in_style(asked, 0)
    }

    /// Asks the backend, the first `positional` arguments by position.
    pub(super) fn ask_in_style(&mut self, asked: &Asked, positional: usize) -> Outcome {
        let call = self.routed(asked, positional)?;
        self.lane.run(&Arc::new(call))
    }

    /// Hands the backend a call as it stands.
    pub(super) fn ask_directly(&mut self, call: Call) -> Outcome {
        self.lane.run(&Arc::new(call))
    }

    /// The call as the backend gets it: bound to the host's signature, routed by name. Keywords that the host does not
    /// know go to the backend.
    ///
    /// # Errors
    /// As [`deliver`](crate::deliver::deliver): a call that would lose a parameter that changes the answer is not made.
    pub(super) fn routed(&self, asked: &Asked, positional: usize) -> Result<Call, Fault> {
        let bound = self.bound(asked, positional)?;
        let routed = route(&self.host_signature, &self.signature, &bound);
        let semantic = |name: &str| self.contract.semantic.contains(&name);
        if let Some(lost) = routed.dropped.iter().find(|d| !d.silent && semantic(&d.name)) {
            let message = format!("the parameter `{}` would be lost: {}", lost.name, lost.why);
            return Err(Fault::Unsupported(message));
        }
        let mut call = routed.into_call(&asked.call.function, &self.host_signature)?;
        name_stream(&mut call, asked, self.streams.backend, &self.signature);
        Ok(call)
    }

    fn bound(&self, asked: &Asked, positional: usize) -> Result<Bound, Fault> {
        let (values, mut keyword) = self.arguments(asked);
        let values: Vec<Value> = values
            .into_iter()
            .take(positional)
            .map(|(name, value)| {
                keyword.remove(&name);
                value
            })
            .collect();
        Ok(bind_open(&self.host_signature, values, keyword)?)
    }

    /// The arguments that can be passed by position, in the host's order, and all arguments by name.
    pub(super) fn arguments(&self, asked: &Asked) -> (Vec<(String, Value)>, Params) {
        let mut keyword = asked.call.params.clone();
        if let Some(first) = self.host_signature.params.first() {
            keyword.insert(first.name.clone(), Value::Data(asked.call.data.clone()));
        }
        let leading = self.host_signature.params.iter().take_while(|p| p.is_positional());
        // A gap before an argument is filled with the host's default, as a caller would.
        let value = |p: &dispatch::Param| {
            let value = keyword.get(&p.name).or_else(|| p.default_value()).cloned()?;
            Some((p.name.clone(), value))
        };
        (leading.map_while(value).collect(), keyword)
    }

    /// What the judge says about two outcomes of a call.
    pub(super) fn judge(&self, asked: &Asked, host: &Outcome, backend: &Outcome) -> Judgement {
        judge(self.contract, &asked.call, self.peers, host, backend)
    }

    /// Every base, with every argument varied, asked of both sides once; the first calls that the backend gets.
    pub(super) fn sweep(&mut self) -> Rc<Vec<Swept>> {
        if let Some(sweep) = &self.sweep {
            return sweep.clone();
        }
        let mut swept: Vec<Swept> = Vec::new();
        for text in self.inputs.bases {
            let base = swept.len();
            let asked = self.recipe(text);
            let variations = self.variations(text, &asked);
            swept.push(self.swept(asked, "", base));
            for (parameter, asked) in variations {
                swept.push(self.swept(asked, parameter, base));
            }
        }
        let sweep = Rc::new(swept);
        self.sweep = Some(sweep.clone());
        sweep
    }

    fn variations(&self, text: &str, base: &Asked) -> Vec<(&'static str, Asked)> {
        let mut out = Vec::new();
        if let Ok(recipe) = Recipe::parse(self.generator, text) {
            for (knob, parameter) in self.inputs.knobs {
                let at = self.generator.position(knob);
                let levels = at.map(|at| self.generator.knobs[at].levels).unwrap_or_default();
                let others = levels.iter().filter(|level| !recipe.is(knob, level));
                let varied = others.filter_map(|level| recipe.with(knob, level));
                out.extend(varied.map(|recipe| (*parameter, self.asked(&recipe))));
            }
            // A call that must be refused stands alone: the recipes with an invalid argument are the simplest.
            let plain = Recipe::simplest(self.generator, recipe.seed);
            let at = self.generator.position("invalid");
            let levels = at.map(|at| self.generator.knobs[at].levels).unwrap_or_default();
            let invalid = levels.iter().skip(1).filter_map(|level| plain.with("invalid", level));
            out.extend(invalid.map(|recipe| ("", self.asked(&recipe))));
        }
        let known = |name: &str| self.host_signature.get(name).is_some();
        let values = (self.inputs.values)().into_iter().filter(|(name, _)| known(name));
        out.extend(values.map(|(name, value)| (name, base.with(name, value))));
        out
    }

    fn swept(&mut self, asked: Asked, parameter: &'static str, base: usize) -> Swept {
        let host = self.ask_host(&asked);
        let (backend, changed) = match self.routed(&asked, 0) {
            Ok(call) => {
                let call = Arc::new(call);
                let before = fingerprint(&call);
                let outcome = self.lane.run(&call);
                let changed = differing(&before, &fingerprint(&call));
                (outcome, changed)
            }
            Err(fault) => (Err(fault), Vec::new()),
        };
        let judgement = self.judge(&asked, &host, &backend);
        Swept { asked, parameter, base, host, backend, judgement, changed }
    }
}

/// Names the random stream in a call, unless the caller named or unnamed it.
fn name_stream(call: &mut Call, asked: &Asked, stream: Option<&str>, signature: &Signature) {
    if let Some(stream) = stream.filter(|_| !asked.touches("rng") && signature.get("rng").is_some())
    {
        call.params.entry("rng".to_owned()).or_insert_with(|| stream.into());
    }
}

fn with_extra(bound: &Bound) -> Params {
    let mut params = bound.named.clone();
    params.extend(bound.extra.iter().map(|(name, value)| (name.clone(), value.clone())));
    params
}

fn differing(before: &BTreeMap<String, Digest>, after: &BTreeMap<String, Digest>) -> Vec<String> {
    let all = before.keys().chain(after.keys().filter(|path| !before.contains_key(*path)));
    all.filter(|path| before.get(*path) != after.get(*path)).cloned().collect()
}
