//! A host and backends to dispatch to, made of signatures written as in Python.

use std::sync::{Arc, Mutex};

use dispatch::{
    Backend, Builder, Call, Dataset, Device, Digest, Dispatcher, Event, Fault, Function, Kind,
    Manifest, Param, Params, Provider, Reply, Semantics, Signature, Value,
};

/// A signature from `a, b=1, *, c=2, **kw`; every default is an integer or `None`.
pub(crate) fn signature(text: &str) -> Signature {
    let mut kind = Kind::PositionalOrKeyword;
    let params = text.split(", ").filter_map(|word| {
        let (name, default) = word.split_once('=').map_or((word, None), |(n, d)| (n, Some(d)));
        let bare = name.trim_start_matches('*');
        if bare.is_empty() {
            kind = Kind::KeywordOnly;
            return None;
        }
        let default = default.map(|d| d.parse().map_or(Value::None, Value::Int));
        let param = default.map_or(Param::required(bare), |d| Param::optional(bare, d));
        let kind = [kind, Kind::VarPositional, Kind::VarKeyword][name.len() - bare.len()];
        Some(Param { kind, ..param })
    });
    Signature::new(params)
}

/// A backend that returns the arguments it got, and under `by` its name.
pub(crate) struct Echo(Manifest);

impl Echo {
    pub(crate) fn backend(name: &str, functions: &[(&str, &str)]) -> Arc<dyn Backend> {
        let functions = functions.iter().map(|(name, text)| ((*name).to_owned(), signature(text)));
        Arc::new(Echo(Manifest {
            name: name.to_owned(),
            version: "1".to_owned(),
            summary: "returns its arguments".to_owned(),
            device: Device::Cpu,
            functions: functions.collect(),
            artifact: Digest::of_bytes(name.as_bytes()),
        }))
    }
}

impl Backend for Echo {
    fn manifest(&self) -> &Manifest {
        &self.0
    }

    fn run(&self, call: &Call) -> Result<Reply, Fault> {
        echo(&self.0.name, call)
    }
}

fn echo(by: &str, call: &Call) -> Result<Reply, Fault> {
    let mut params = call.params.clone();
    params.insert("by".to_owned(), by.into());
    Ok(Reply::returning(Value::Map(params)))
}

/// A function of the host that returns its arguments.
pub(crate) fn function(name: &str, text: &str) -> Function {
    let semantics = Semantics::new(["attr", "seed"]);
    Function::new(name, signature(text), semantics, |call| echo("host", call))
        .expect("dispatchable")
}

/// A provider of an [`Echo`].
pub(crate) fn provider(name: &str, functions: &[(&str, &str)]) -> Provider {
    Provider::loaded(Echo::backend(name, functions))
}

/// What the sink was told.
pub(crate) type Told = Arc<Mutex<Vec<Event>>>;

/// A builder whose events are kept, and where.
pub(crate) fn builder() -> (Builder, Told) {
    let told = Told::default();
    let sink = Arc::clone(&told);
    let builder =
        Dispatcher::builder("host").sink(move |e| sink.lock().expect("told").push(e.clone()));
    (builder, told)
}

/// A dispatcher with one backend `fast`, alias `quick`, that answers `f(a, x=1, *, tile=8)`.
pub(crate) fn dispatcher() -> Dispatcher {
    let dispatcher = builder().0.build().expect("a host");
    dispatcher.register(provider("fast", &[("f", "a, x=1, *, tile=8")]).alias("quick"));
    dispatcher
}

/// The AnnData every call gets.
pub(crate) fn data() -> Value {
    Value::Data(Dataset::new().into())
}

/// Keywords.
pub(crate) fn keywords<const N: usize>(items: [(&str, Value); N]) -> Params {
    items.map(|(name, value)| (name.to_owned(), value)).into()
}

/// Who answers `f(data)` when the call itself does not say.
pub(crate) fn who(dispatcher: &Dispatcher) -> String {
    let f = function("f", "a, x=1");
    dispatcher.call(&f, vec![data()], Params::new(), None).expect("an answer").by
}
