//! Bound arguments routed to a backend by name, with everything that happens on the way as values.
//!
//! Nothing is printed and nothing is refused here: what is lost, defaulted or unknown is listed, and the
//! caller decides. Rules D17 to D24 of the contract.

use std::collections::BTreeSet;
use std::fmt;

use crate::bind::take_data;
use crate::defaults::{Comparison, compare_defaults};
use crate::equality::shown;
use crate::{
    BindError, Bound, Call, DefaultValue, Fault, Kind, Param, Params, Semantics, Signature, Value,
    Warning, python_equal,
};

/// Arguments for a backend, and what became of the others.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Routed {
    /// What the backend gets, by name.
    pub params: Params,
    /// The names in `params` that the backend takes by position only, in its order.
    pub positional_only: Vec<String>,
    /// Arguments that the backend has no parameter for, in the host's order.
    pub dropped: Vec<Dropped>,
    /// Shared parameters that were not passed and whose two defaults are not known to be equal: the
    /// backend's default applies.
    pub defaulted: Vec<Defaulted>,
    /// Forwarded names that neither side knows.
    pub unknown: Vec<String>,
    /// Parameters that the backend requires and that got no value: the call cannot succeed.
    pub missing: Vec<String>,
    /// What a user should be told.
    pub warned: Vec<Warning>,
}

/// An argument that does not reach the backend.
#[derive(Clone, Debug, PartialEq)]
pub struct Dropped {
    /// The host's parameter.
    pub name: String,
    /// What was passed.
    pub value: Value,
    /// Whether nothing is lost, so that nobody need be told.
    pub silent: bool,
    /// Whether the parameter changes the answer.
    pub semantic: bool,
    /// Why it was dropped, and how loudly.
    pub why: DropReason,
}

/// Why an argument does not reach the backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DropReason {
    /// Host-only, passed at the host's default (D19): silent.
    AtDefault,
    /// Host-only, passed at another value (D20).
    NoCounterpart,
    /// Host-only and required, so that it is passed in every call (D21).
    Required,
}

impl fmt::Display for DropReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            DropReason::AtDefault => "the backend has no such parameter; passed at its default",
            DropReason::NoCounterpart => "the backend has no such parameter",
            DropReason::Required => {
                "the backend has no such parameter, though the host requires it"
            }
        })
    }
}

/// A shared parameter that was not passed and may mean something else on the two sides.
#[derive(Clone, Debug, PartialEq)]
pub struct Defaulted {
    /// The parameter.
    pub name: String,
    /// What the host's signature promises.
    pub host: DefaultValue,
    /// What applies.
    pub backend: DefaultValue,
    /// How the two compare; never [`Comparison::Equal`].
    pub comparison: Comparison,
}

impl Routed {
    /// The call to hand to a backend; the AnnData is the argument of the host's first parameter.
    ///
    /// # Errors
    /// A `TypeError` if a required parameter of the backend got no value, or there is no AnnData.
    pub fn into_call(mut self, function: &str, host: &Signature) -> Result<Call, Fault> {
        self.complete()?;
        let name = host.params.first().map(|p| p.name.as_str());
        let data = take_data(&mut self.params, name)?;
        Ok(Call { function: function.to_owned(), data, params: self.params })
    }

    /// Whether the backend gets all it requires.
    pub(crate) fn complete(&self) -> Result<(), BindError> {
        self.missing.first().map_or(Ok(()), |name| Err(BindError::Missing(name.clone())))
    }
}

/// Routes bound arguments to a backend by name; see [`Plan`] for doing it many times.
///
/// ```
/// use dispatch::{Param, Params, Signature, Value, bind, route};
/// let host = Signature::new([Param::required("a"), Param::required("b"), Param::optional("jobs", 1)]);
/// let backend = Signature::new([Param::required("b"), Param::required("a")]);
/// let bound = bind(&host, vec!["first".into(), "second".into()], Params::new()).unwrap();
/// let routed = route(&host, &backend, &bound);
/// assert_eq!(routed.params["a"], "first".into()); // by name, whatever the backend's order
/// ```
pub fn route(host: &Signature, backend: &Signature, bound: &Bound) -> Routed {
    Plan::new(host, backend, &Semantics::default()).route(bound.clone())
}

/// What routing from one host signature to one backend signature needs to know, worked out once.
#[derive(Clone, Debug)]
pub struct Plan {
    host_only: Vec<HostOnly>,
    defaults: Vec<Defaulted>,
    required: Vec<String>,
    positional_only: Vec<Param>,
    names: BTreeSet<String>,
    star: Option<String>,
}

#[derive(Clone, Debug)]
struct HostOnly {
    param: Param,
    semantic: bool,
}

impl Plan {
    /// The plan for a pair of signatures.
    pub fn new(host: &Signature, backend: &Signature, semantics: &Semantics) -> Plan {
        let theirs: BTreeSet<&str> = backend.named().map(|p| p.name.as_str()).collect();
        let reaches = |p: &Param| theirs.contains(p.name.as_str()) || semantics.is_hidden(&p.name);
        let host_only = host.named().filter(|p| !reaches(p)).map(|param| HostOnly {
            param: param.clone(),
            semantic: semantics.is_semantic(&param.name),
        });
        Plan {
            host_only: host_only.collect(),
            defaults: host.named().filter_map(|p| differing(p, backend, semantics)).collect(),
            required: backend.named().filter(|p| p.is_required()).map(|p| p.name.clone()).collect(),
            positional_only: backend
                .named()
                .filter(|p| p.kind == Kind::PositionalOnly)
                .cloned()
                .collect(),
            names: backend.named().map(|p| p.name.clone()).collect(),
            star: host
                .params
                .iter()
                .find(|p| p.kind == Kind::VarPositional)
                .map(|p| format!("*{}", p.name)),
        }
    }

    /// Routes bound arguments; consumes them, so that no value is copied.
    pub fn route(&self, bound: Bound) -> Routed {
        let mut routed = Routed { params: bound.named, ..Routed::default() };
        for host_only in &self.host_only {
            // The name moves along with the value.
            if let Some((name, value)) = routed.params.remove_entry(&host_only.param.name) {
                host_only.drop(name, value, &mut routed);
            }
        }
        if let Some(name) = self.star.as_ref().filter(|_| !bound.star.is_empty()) {
            lose(
                name.clone(),
                Value::Tuple(bound.star),
                true,
                DropReason::NoCounterpart,
                &mut routed,
            );
        }
        for (name, value) in bound.extra {
            if !self.names.contains(&name) {
                routed.unknown.push(name.clone());
            }
            routed.params.insert(name, value);
        }
        self.apply_defaults(&mut routed);
        self.fill_positional_only(&mut routed);
        let absent = self.required.iter().filter(|name| !routed.params.contains_key(*name));
        routed.missing.extend(absent.cloned());
        routed
    }

    /// Lists the shared parameters that fall back to a default of the backend that is not the host's.
    fn apply_defaults(&self, routed: &mut Routed) {
        for defaulted in &self.defaults {
            if routed.params.contains_key(&defaulted.name) {
                continue;
            }
            if defaulted.comparison == Comparison::Different {
                routed.warned.push(user_warning(format!(
                    "'{}' was not passed: the backend's default {} applies where the host's is {}",
                    defaulted.name,
                    shown_default(&defaulted.backend),
                    shown_default(&defaulted.host),
                )));
            }
            routed.defaulted.push(defaulted.clone());
        }
    }

    /// A positional-only parameter before one that was passed must be passed too (D24).
    fn fill_positional_only(&self, routed: &mut Routed) {
        let last = self.positional_only.iter().rposition(|p| routed.params.contains_key(&p.name));
        for param in self.positional_only.iter().take(last.map_or(0, |last| last + 1)) {
            match (routed.params.contains_key(&param.name), param.default_value()) {
                (true, _) => {}
                (false, Some(value)) => {
                    routed.params.insert(param.name.clone(), value.clone());
                }
                // Required ones are found missing with all the others.
                (false, None) if param.is_required() => continue,
                (false, None) => routed.missing.push(param.name.clone()),
            }
            routed.positional_only.push(param.name.clone());
        }
    }
}

impl HostOnly {
    fn drop(&self, name: String, value: Value, routed: &mut Routed) {
        let why = match &self.param.default {
            None => DropReason::Required,
            Some(DefaultValue::Value(default)) if python_equal(default, &value) => {
                DropReason::AtDefault
            }
            Some(_) => DropReason::NoCounterpart,
        };
        lose(name, value, self.semantic, why, routed);
    }
}

fn lose(name: String, value: Value, semantic: bool, why: DropReason, routed: &mut Routed) {
    let silent = why == DropReason::AtDefault;
    if !silent {
        routed
            .warned
            .push(user_warning(format!("'{name}' has no effect: {why} (got {})", shown(&value))));
    }
    routed.dropped.push(Dropped { name, value, silent, semantic, why });
}

/// The defaults of a shared parameter, if they are not known to be equal.
fn differing(host: &Param, backend: &Signature, semantics: &Semantics) -> Option<Defaulted> {
    let other = backend.named().find(|p| p.name == host.name)?;
    let (mine, theirs) = (host.default.as_ref()?, other.default.as_ref()?);
    let comparison =
        semantics.settle(&host.name, compare_defaults(mine, theirs, &semantics.constants));
    (comparison != Comparison::Equal).then(|| Defaulted {
        name: host.name.clone(),
        host: mine.clone(),
        backend: theirs.clone(),
        comparison,
    })
}

/// A default as it reads in a signature.
pub(crate) fn shown_default(default: &DefaultValue) -> String {
    match default {
        DefaultValue::Value(value) => shown(value),
        DefaultValue::Repr(text) => text.clone(),
    }
}

fn user_warning(message: String) -> Warning {
    Warning::new("UserWarning", message)
}
