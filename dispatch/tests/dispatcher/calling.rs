//! Rules D16 to D31 and S5, S6 at the dispatcher: what a call does.

use std::sync::{Arc, OnceLock};

use crate::hosts::{Echo, builder, data, dispatcher, function, keywords, provider, signature};
use dispatch::{
    Answer, Backend, Call, DispatchError, Dispatcher, Event, Fault, Function, HOST, Manifest,
    Params, Provider, Reply, Semantics, Value,
};

/// Calls `function(data, *positional, **keyword)` on `fast`.
fn call<const N: usize>(
    dispatcher: &Dispatcher,
    function: &Function,
    positional: &[i64],
    keyword: [(&str, Value); N],
) -> Result<Answer, DispatchError> {
    let positional = positional.iter().map(|i| Value::Int(*i));
    let positional = std::iter::once(data()).chain(positional).collect();
    dispatcher.call(function, positional, keywords(keyword), Some("fast"))
}

/// A dispatcher whose backend `fast` has the function `f` with a signature.
fn with_fast(text: &str) -> Dispatcher {
    let dispatcher = builder().0.build().expect("a host");
    dispatcher.register(provider("fast", &[("f", text)]));
    dispatcher
}

fn argument(answer: &Answer, name: &str) -> Option<Value> {
    match answer.reply.data.get("result") {
        Some(Value::Map(map)) => map.get(name).cloned(),
        _ => None,
    }
}

fn failed(result: Result<Answer, DispatchError>) -> String {
    let error = result.expect_err("a call that is refused");
    format!("{}: {error}", error.kind())
}

#[test]
fn d16_a_fallback_to_the_host_is_seen() {
    let (builder, told) = builder();
    let dispatcher = builder.build().unwrap();
    dispatcher.register(provider("fast", &[]));
    let answer = call(&dispatcher, &function("g", "a, x=1"), &[2], []).unwrap();
    assert_eq!((answer.by.as_str(), argument(&answer, "by")), (HOST, Some("host".into())));
    let fell = Event::FellBack { function: "g".into(), backend: "fast".into() };
    assert_eq!(answer.notes.events[1], fell);
    assert_eq!(told.lock().unwrap()[1], fell);
}

#[test]
fn d16_a_fallback_is_an_error_in_strict_mode() {
    let dispatcher = builder().0.strict().build().unwrap();
    dispatcher.register(provider("fast", &[]));
    assert_eq!(
        failed(call(&dispatcher, &function("g", "a, x=1"), &[2], [])),
        "RuntimeError: backend `fast` has no `g`, and the host may not stand in for it"
    );
}

#[test]
fn d17_positional_calls_are_bound_to_the_host_signature() {
    let dispatcher = with_fast("a, *, y=0, x=0");
    let answer = call(&dispatcher, &function("f", "a, x=0, y=0"), &[1, 2], []).unwrap();
    assert_eq!(argument(&answer, "x"), Some(Value::Int(1)));
    assert_eq!(argument(&answer, "y"), Some(Value::Int(2)));
    assert_eq!(argument(&answer, "by"), Some("fast".into()));
}

#[test]
fn d18_an_omitted_argument_takes_the_backends_default_and_says_so() {
    let dispatcher = with_fast("a, *, n=15");
    let answer = call(&dispatcher, &function("f", "a, n=10"), &[], []).unwrap();
    assert_eq!(argument(&answer, "n"), None);
    assert_eq!(answer.notes.defaulted[0].name, "n");
    let expected = "UserWarning: f() on backend `fast`: 'n' was not passed: the backend's default 15 applies \
                    where the host's is 10";
    assert_eq!(answer.notes.events[1].to_string(), expected);
}

#[test]
fn d20_a_lost_argument_warns_and_a_semantic_one_is_refused() {
    let dispatcher = with_fast("a");
    let f = function("f", "a, attr=0, bar=1");
    let answer =
        call(&dispatcher, &f, &[], [("bar", Value::Int(0)), ("attr", Value::Int(0))]).unwrap();
    assert_eq!(answer.notes.dropped.iter().map(|d| d.silent).collect::<Vec<_>>(), [true, false]);
    assert_eq!(answer.notes.events.len(), 2);
    assert_eq!(
        failed(call(&dispatcher, &f, &[], [("attr", Value::Int(3))])),
        "TypeError: f() argument 'attr' changes the answer and backend `fast` has no such parameter (got 3); \
         leave it out or use backend='cpu'"
    );
}

#[test]
fn d21_a_required_host_only_parameter_is_refused_before_the_call() {
    let dispatcher = with_fast("adata");
    let text = failed(call(&dispatcher, &function("f", "data"), &[], []));
    assert!(text.starts_with("TypeError: `f` cannot be dispatched to `fast`: S4:"), "{text}");
    assert!(text.contains("C1: the host requires `data`"), "{text}");
}

#[test]
fn d22_a_backend_only_keyword_is_the_backends() {
    let dispatcher = dispatcher();
    let f = function("f", "a, x=1");
    let answer = call(&dispatcher, &f, &[], [("tile", Value::Int(16))]).unwrap();
    assert_eq!(argument(&answer, "tile"), Some(Value::Int(16)));
    let on_host = dispatcher.call(&f, vec![data()], keywords([("tile", Value::Int(16))]), None);
    assert_eq!(failed(on_host), "TypeError: f() got an unexpected keyword argument 'tile'");
    let open = function("f", "a, x=1, **kw");
    let on_host = dispatcher.call(&open, vec![data()], keywords([("tile", Value::Int(16))]), None);
    assert_eq!(argument(&on_host.unwrap(), "tile"), Some(Value::Int(16)));
}

#[test]
fn d23_a_keyword_nobody_knows_is_refused_unless_the_backend_takes_all() {
    let f = function("f", "a, n_perms=1");
    assert_eq!(
        failed(call(&with_fast("a, *, n_perms=1"), &f, &[], [("n_perm", Value::Int(3))])),
        "TypeError: f() got an unexpected keyword argument 'n_perm'. Did you mean 'n_perms'?"
    );
    let answer = call(&with_fast("a, *, n_perms=1, **kw"), &f, &[], [("n_perm", Value::Int(3))]);
    assert_eq!(argument(&answer.unwrap(), "n_perm"), Some(Value::Int(3)));
}

#[test]
fn d25_some_functions_cannot_be_registered() {
    let register = |text: &str| {
        let made =
            Function::new("f", signature(text), Semantics::default(), |_| Ok(Reply::default()));
        made.err().map(|error| format!("{}: {error}", error.kind()))
    };
    assert_eq!(register("a, x=1, **kw"), None);
    for text in ["self, a", "cls", "a, *args", "a, backend=1", "a, *, backend_kwargs=1"] {
        assert!(
            register(text).is_some_and(|e| e.starts_with("TypeError: register `f`: ")),
            "{text}"
        );
    }
}

#[test]
fn d26_the_merged_signature_is_offered_with_its_provenance() {
    let dispatcher = dispatcher();
    dispatcher.register(provider("slow", &[("f", "a, *, tile=4, y=2, _z=1")]));
    dispatcher.register(Provider::new("sad", || Err("broken".to_owned())));
    let f = function("f", "a, x=1, **kw");
    let offered = dispatcher.signature(&f).unwrap();
    let words: Vec<_> =
        offered.iter().map(|o| (o.param.name.as_str(), o.from.as_deref())).collect();
    let expected = [
        ("a", None),
        ("x", None),
        ("backend", None),
        ("tile", Some("fast")),
        ("y", Some("slow")),
        ("kw", None),
    ];
    assert_eq!(words, expected);
    assert_eq!(f.signature(), &signature("a, x=1, **kw"));
}

#[test]
fn d28_a_parameter_of_another_backend_is_refused_by_name() {
    let dispatcher = dispatcher();
    dispatcher.register(provider("slow", &[("f", "a, x=1, *, patience=9")]));
    assert_eq!(
        failed(call(&dispatcher, &function("f", "a, x=1"), &[], [("patience", Value::Int(1))])),
        "TypeError: f() 'patience' is a parameter of backend `slow`, not of `fast`"
    );
}

#[test]
fn d29_plans_are_kept_by_function_and_registration() {
    let (one, two) = (with_fast("a, *, x=1"), with_fast("a, *, y=1"));
    let f = function("f", "a, x=1, y=1");
    for _ in 0..2 {
        let got = [&one, &two].map(|dispatcher| {
            let answer = call(dispatcher, &f, &[5, 6], []).unwrap();
            (argument(&answer, "x"), argument(&answer, "y"))
        });
        assert_eq!(got, [(Some(Value::Int(5)), None), (None, Some(Value::Int(6)))]);
    }
    let answer = call(&one, &function("f", "a, y=1, x=1"), &[5, 6], []).unwrap();
    assert_eq!(argument(&answer, "x"), Some(Value::Int(6)));
}

/// A backend that answers from what it was made with.
struct Canned(Manifest, Reply);

impl Backend for Canned {
    fn manifest(&self) -> &Manifest {
        &self.0
    }

    fn run(&self, _: &Call) -> Result<Reply, Fault> {
        Ok(self.1.clone())
    }
}

#[test]
fn d30_answers_pass_through_untouched() {
    let mut reply = Reply::writing("obs/not/a/column", Value::Int(1));
    reply.mutated.push("X".to_owned());
    reply.warnings = Some(vec![dispatch::Warning::new("W", "m")]);
    let manifest = Echo::backend("fast", &[("f", "a, x=1")]).manifest().clone();
    let dispatcher = builder().0.build().unwrap();
    dispatcher.register(Provider::loaded(Arc::new(Canned(manifest, reply.clone()))));
    assert_eq!(call(&dispatcher, &function("f", "a, x=1"), &[], []).unwrap().reply, reply);
}

/// A backend that hands every call to the host's public function.
struct Delegating(Manifest, Arc<OnceLock<(Dispatcher, Function)>>);

impl Backend for Delegating {
    fn manifest(&self) -> &Manifest {
        &self.0
    }

    fn run(&self, call: &Call) -> Result<Reply, Fault> {
        let (dispatcher, function) = self.1.get().expect("set up");
        let data = Value::Data(Arc::clone(&call.data));
        let answer = dispatcher.call(function, vec![data], call.params.clone(), None)?;
        Ok(answer.reply)
    }
}

#[test]
fn d31_a_backend_that_calls_the_host_reaches_the_host() {
    let public = Arc::new(OnceLock::new());
    let manifest = Echo::backend("fast", &[("f", "a, x=1")]).manifest().clone();
    let dispatcher = builder().0.build().unwrap();
    dispatcher.register(Provider::loaded(Arc::new(Delegating(manifest, Arc::clone(&public)))));
    dispatcher.set_backend("fast").unwrap();
    assert!(public.set((dispatcher, function("f", "a, x=1"))).is_ok());
    let (dispatcher, f) = public.get().unwrap();
    let answer = dispatcher.call(f, vec![data(), Value::Int(7)], Params::new(), None).unwrap();
    assert_eq!(answer.by, "fast");
    assert_eq!(argument(&answer, "by"), Some("host".into()));
    assert_eq!(dispatcher.backend(), "fast");
}

#[test]
fn s5_backend_kwargs_reach_the_backend_alone() {
    let dispatcher = dispatcher();
    let f = function("f", "a, x=1");
    let own = |name: &str| {
        let map = keywords([(name, Value::Int(2))]);
        [(dispatch::BACKEND_KWARGS, Value::Map(map))]
    };
    let answer = call(&dispatcher, &f, &[5], own("tile")).unwrap();
    assert_eq!(argument(&answer, "tile"), Some(Value::Int(2)));
    assert_eq!(
        failed(call(&dispatcher, &f, &[5], own("x"))),
        "TypeError: f() multiple values for argument 'x'"
    );
    assert_eq!(
        failed(dispatcher.call(&f, vec![data()], keywords(own("tile")), None)),
        "TypeError: f() backend_kwargs has 'tile', but the host answers; name a backend that takes it"
    );
    let no_dict = [(dispatch::BACKEND_KWARGS, Value::Int(2))];
    assert!(
        failed(call(&dispatcher, &f, &[5], no_dict))
            .ends_with("must be a dict of arguments, got int")
    );
}

#[test]
fn s6_only_the_calls_that_a_no_is_about_are_refused() {
    let dispatcher = with_fast("a, *, x=1");
    let f = function("f", "a, x=1, seed=None");
    assert_eq!(call(&dispatcher, &f, &[3], []).unwrap().by, "fast");
    assert!(matches!(
        call(&dispatcher, &f, &[3, 7], []),
        Err(DispatchError::Lost { parameter, .. }) if parameter == "seed"
    ));
}

#[test]
fn a_fault_of_who_answers_is_passed_on() {
    let refuse = |_: &Call| Err(Fault::rejected("KeyError", "'cluster'"));
    let f = Function::new("f", signature("a"), Semantics::default(), refuse).unwrap();
    let error = dispatcher().call(&f, vec![data()], Params::new(), None).unwrap_err();
    assert_eq!(error.kind(), "KeyError");
    assert_eq!(Fault::from(error), Fault::rejected("KeyError", "'cluster'"));
}
