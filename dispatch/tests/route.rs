//! Routing: rules D17 to D24, one call each.

use dispatch::{
    Comparison, Dense, DropReason, Kind, Param, Params, Routed, Semantics, Signature, Value,
    bind_open, route,
};

fn params<const N: usize>(items: [(&str, Value); N]) -> Params {
    items.map(|(name, value)| (name.to_owned(), value)).into()
}

fn positional_only(name: &str) -> Param {
    Param { kind: Kind::PositionalOnly, ..Param::required(name) }
}

/// Binds two positional arguments `'x'`, `'y'` and some keywords, and routes them.
fn routed<const N: usize>(
    host: &Signature,
    backend: &Signature,
    keyword: [(&str, Value); N],
) -> Routed {
    let bound = bind_open(host, vec!["x".into(), "y".into()], params(keyword))
        .expect("these arguments fit");
    route(host, backend, &bound)
}

fn host() -> Signature {
    Signature::new([
        Param::required("a"),
        Param::required("b"),
        Param::optional("seed", Value::None),
        Param::optional("n_jobs", 1),
    ])
}

#[test]
fn d17_positional_arguments_travel_by_the_hosts_names() {
    let backend = Signature::new([Param::required("b"), Param::required("a")]);
    let routed = routed(&host(), &backend, []);
    assert_eq!(
        routed,
        Routed { params: params([("a", "x".into()), ("b", "y".into())]), ..Routed::default() }
    );
}

#[test]
fn d18_a_backends_own_default_is_told() {
    let mine =
        Signature::new([Param::required("a"), Param::required("b"), Param::optional("n", 10)]);
    let theirs =
        Signature::new([Param::required("a"), Param::required("b"), Param::keyword("n", 15)]);
    let omitted = routed(&mine, &theirs, []);
    assert_eq!(omitted.defaulted[0].comparison, Comparison::Different);
    assert_eq!(
        omitted.warned[0].message,
        "'n' was not passed: the backend's default 15 applies where the host's is 10"
    );
    let passed = routed(&mine, &theirs, [("n", Value::Int(10))]);
    assert_eq!(passed.params["n"], Value::Int(10));
    assert!(passed.defaulted.is_empty() && passed.warned.is_empty());
}

#[test]
fn d18_none_against_a_value_is_recorded_quietly() {
    let backend = Signature::new([
        Param::required("a"),
        Param::required("b"),
        Param::keyword("seed", 0),
        Param::keyword("n_jobs", 1),
    ]);
    let routed = routed(&host(), &backend, []);
    assert_eq!(routed.defaulted[0].comparison, Comparison::NoneAgainstValue);
    assert!(routed.warned.is_empty());
}

#[test]
fn d19_a_host_only_argument_at_its_default_is_dropped_silently() {
    let backend = Signature::new([Param::required("a"), Param::required("b")]);
    let routed = routed(&host(), &backend, [("n_jobs", Value::Float(1.0)), ("seed", Value::None)]);
    assert_eq!(routed.params.len(), 2);
    assert!(routed.dropped.iter().all(|d| d.silent && d.why == DropReason::AtDefault));
    assert_eq!(routed.dropped.len(), 2);
    assert!(routed.warned.is_empty());
}

#[test]
fn d19_an_array_is_never_at_its_default() {
    let array = Value::Dense(Dense::vector(vec![1.0, 2.0]));
    let host = Signature::new([
        Param::required("a"),
        Param::required("b"),
        Param::optional("w", array.clone()),
    ]);
    let backend = Signature::new([Param::required("a"), Param::required("b")]);
    assert_eq!(routed(&host, &backend, [("w", array)]).warned.len(), 1);
}

#[test]
fn d20_a_host_only_argument_at_another_value_is_dropped_with_a_warning() {
    let backend = Signature::new([Param::required("a"), Param::required("b")]);
    let routed = routed(&host(), &backend, [("seed", Value::Int(7))]);
    assert_eq!(routed.dropped[0].why, DropReason::NoCounterpart);
    assert_eq!(routed.warned[0].category, "UserWarning");
    assert_eq!(
        routed.warned[0].message,
        "'seed' has no effect: the backend has no such parameter (got 7)"
    );
}

#[test]
fn d21_a_required_host_only_argument_is_always_told() {
    let backend = Signature::new([Param::required("adata"), Param::required("b")]);
    let routed = routed(&host(), &backend, []);
    assert_eq!(routed.dropped[0].why, DropReason::Required);
    assert_eq!(routed.missing, ["adata"]);
    let fault = routed.into_call("f", &host()).unwrap_err();
    assert_eq!(fault.to_string(), "TypeError: missing a required argument: 'adata'");
}

#[test]
fn d22_a_backend_only_keyword_is_forwarded() {
    let backend =
        Signature::new([Param::required("a"), Param::required("b"), Param::keyword("tile", 32)]);
    let routed = routed(&host(), &backend, [("tile", Value::Int(64))]);
    assert_eq!(routed.params["tile"], Value::Int(64));
    assert!(routed.unknown.is_empty());
}

#[test]
fn d23_a_keyword_that_neither_side_knows_is_forwarded_and_listed() {
    let backend = Signature::new([Param::required("a"), Param::required("b")]);
    let routed = routed(&host(), &backend, [("sede", Value::Int(7))]);
    assert_eq!(routed.params["sede"], Value::Int(7));
    assert_eq!(routed.unknown, ["sede"]);
}

#[test]
fn d24_a_gap_before_a_positional_only_argument_takes_its_default() {
    let backend = Signature::new([
        positional_only("a"),
        Param { kind: Kind::PositionalOnly, ..Param::optional("gap", 5) },
        positional_only("b"),
        Param { kind: Kind::PositionalOnly, ..Param::optional("rest", 6) },
    ]);
    let routed = routed(&host(), &backend, []);
    assert_eq!(routed.positional_only, ["a", "gap", "b"]);
    assert_eq!(routed.params["gap"], Value::Int(5));
    assert!(!routed.params.contains_key("rest") && routed.missing.is_empty());
}

#[test]
fn d24_a_gap_without_a_known_default_is_missing() {
    let opaque = Some(dispatch::DefaultValue::Repr("object()".into()));
    let gap = Param { kind: Kind::PositionalOnly, default: opaque, name: "gap".into() };
    let backend = Signature::new([positional_only("a"), gap, positional_only("b")]);
    assert_eq!(routed(&host(), &backend, []).missing, ["gap"]);
}

#[test]
fn a_hidden_name_is_forwarded() {
    let backend = Signature::new([Param::required("a"), Param::required("b")]);
    let semantics = Semantics::default().hidden("seed", "rng");
    let bound = bind_open(&host(), vec!["x".into(), "y".into()], params([("seed", Value::Int(7))]))
        .unwrap();
    let routed = dispatch::Plan::new(&host(), &backend, &semantics).route(bound);
    assert_eq!(routed.params["seed"], Value::Int(7));
    assert!(routed.dropped.is_empty());
}
