//! Arguments bound to a signature by Python's rules.
//!
//! A positional argument means whatever the *host's* signature says at that place. Binding first and
//! routing by name afterwards is what makes a backend with another parameter order safe (rule D17).
//! Nothing here knows what a parameter is for.

use std::sync::Arc;
use std::vec;

use crate::label::closest;
use crate::{Dataset, Fault, Kind, Param, Params, Signature, Value};

/// Arguments that fit a signature, by name; defaults are not filled in.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bound {
    /// The arguments of named parameters, whichever way they were passed.
    pub named: Params,
    /// Further positional arguments, collected by `*args`.
    pub star: Vec<Value>,
    /// Further keywords: collected by `**kwargs`, or left over by [`bind_open`].
    pub extra: Params,
}

impl Bound {
    /// The argument of a parameter, or `None` if it was not passed.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.named.get(name).or_else(|| self.extra.get(name))
    }

    /// The arguments with the known defaults of `sig` filled in; a default known only by how it
    /// prints is left out.
    pub fn with_defaults(&self, sig: &Signature) -> Params {
        let mut params = self.named.clone();
        params.extend(self.extra.iter().map(|(name, value)| (name.clone(), value.clone())));
        for param in &sig.params {
            if let Some(value) = param.default_value()
                && !params.contains_key(&param.name)
            {
                params.insert(param.name.clone(), value.clone());
            }
        }
        params
    }

    /// Takes the AnnData out: the argument of the first parameter of `sig`.
    ///
    /// # Errors
    /// A `TypeError` if that argument is missing or is not an AnnData.
    pub fn take_data(&mut self, sig: &Signature) -> Result<Arc<Dataset>, Fault> {
        take_data(&mut self.named, sig.params.first().map(|p| p.name.as_str()))
    }
}

/// Takes the AnnData passed under `name` out of some arguments.
pub(crate) fn take_data(params: &mut Params, name: Option<&str>) -> Result<Arc<Dataset>, Fault> {
    let name = name.ok_or_else(|| Fault::rejected("TypeError", "the function has no parameter"))?;
    let data = params.remove(name).ok_or_else(|| BindError::Missing(name.to_owned()))?;
    data_of(name, data)
}

/// The AnnData in an argument.
pub(crate) fn data_of(name: &str, argument: Value) -> Result<Arc<Dataset>, Fault> {
    match argument {
        Value::Data(data) => Ok(data),
        other => Err(Fault::rejected(
            "TypeError",
            format!("expected an AnnData for '{name}', got {}", other.type_name()),
        )),
    }
}

/// Why arguments do not fit a signature; the texts are those of Python's `inspect.Signature.bind`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BindError {
    /// More positional arguments than parameters that take them.
    #[error("too many positional arguments: expected at most {accepted}, got {given}")]
    TooManyPositional {
        /// How many the signature takes.
        accepted: usize,
        /// How many were passed.
        given: usize,
    },
    /// The same parameter by position and by name.
    #[error("multiple values for argument '{0}'")]
    MultipleValues(String),
    /// A required parameter got no value.
    #[error("missing a required argument: '{0}'")]
    Missing(String),
    /// A required keyword-only parameter got no value.
    #[error("missing a required keyword-only argument: '{0}'")]
    MissingKeywordOnly(String),
    /// Positional-only parameters were passed by name; their names, joined by commas.
    #[error("got some positional-only arguments passed as keyword arguments: '{0}'")]
    PositionalOnly(String),
    /// A keyword that no parameter takes.
    #[error("got an unexpected keyword argument '{name}'{}", suggestion(.closest.as_deref()))]
    Unexpected {
        /// The keyword.
        name: String,
        /// The parameter it is most like, if any is like it.
        closest: Option<String>,
    },
}

fn suggestion(closest: Option<&str>) -> String {
    closest.map(|name| format!(". Did you mean '{name}'?")).unwrap_or_default()
}

impl From<BindError> for Fault {
    fn from(error: BindError) -> Fault {
        Fault::rejected("TypeError", error.to_string())
    }
}

/// Binds arguments to a signature as a Python call does.
///
/// ```
/// use dispatch::{Param, Params, Signature, Value, bind};
/// let sig = Signature::new([Param::required("adata"), Param::optional("mode", "moran")]);
/// let bound = bind(&sig, vec![Value::None, "geary".into()], Params::new()).unwrap();
/// assert_eq!(bound.get("mode"), Some(&"geary".into()));
///
/// let twice = bind(&sig, vec![Value::None], Params::from([("adata".into(), Value::None)]));
/// assert_eq!(twice.unwrap_err().to_string(), "multiple values for argument 'adata'");
/// ```
///
/// # Errors
/// A [`BindError`], in Python's order: surplus and doubled arguments, then missing, then unexpected ones.
pub fn bind(sig: &Signature, positional: Vec<Value>, keyword: Params) -> Result<Bound, BindError> {
    let bound = bind_open(sig, positional, keyword)?;
    if !sig.has_var_keyword() {
        refuse_extra(sig, &bound)?;
    }
    Ok(bound)
}

/// Binds like [`bind`], but leaves keywords that the signature does not know in [`Bound::extra`]: they may
/// belong to a backend (rules D22 and D23).
///
/// # Errors
/// A [`BindError`], except [`BindError::Unexpected`].
pub fn bind_open(
    sig: &Signature,
    positional: Vec<Value>,
    keyword: Params,
) -> Result<Bound, BindError> {
    bind_indexed(sig, &index(sig), positional.into_iter(), keyword)
}

/// The parameters that stand for one argument, in the order of their names.
pub(crate) fn index(sig: &Signature) -> Vec<usize> {
    let mut order: Vec<usize> =
        (0..sig.params.len()).filter(|&i| sig.params[i].is_named()).collect();
    order.sort_by(|&a, &b| sig.params[a].name.cmp(&sig.params[b].name));
    order
}

/// The first keyword in `extra` as an error; for a host that is about to run itself.
pub(crate) fn refuse_extra(sig: &Signature, bound: &Bound) -> Result<(), BindError> {
    let Some(name) = bound.extra.keys().next() else { return Ok(()) };
    let names = sig.params.iter().map(|p| p.name.as_str());
    Err(BindError::Unexpected {
        name: name.clone(),
        closest: closest(name, names, 0.6).map(str::to_owned),
    })
}

/// [`bind_open`] with the [`index`] of the signature at hand.
pub(crate) fn bind_indexed(
    sig: &Signature,
    index: &[usize],
    mut positional: vec::IntoIter<Value>,
    keyword: Params,
) -> Result<Bound, BindError> {
    let given = positional.len();
    // The map of keywords becomes the map of arguments: no name is copied, only the unknown move out.
    let (keyword, extra) = split_unknown(sig, index, keyword);
    let named = if keyword.is_empty() {
        all_positional(sig, index, &mut positional)
    } else {
        add_positional(sig, &mut positional, keyword)?
    };
    if positional.len() > 0 && sig.params.iter().all(|p| p.kind != Kind::VarPositional) {
        return Err(BindError::TooManyPositional { accepted: given - positional.len(), given });
    }
    let absent = || sig.params.iter().filter(|p| p.is_required() && !named.contains_key(&p.name));
    // `f(a, /, **kw)` called with `a=1` collects it in `kw` and still misses `a`.
    let missing = absent().find(|p| !by_wrong_way(p, &extra));
    match missing.or_else(|| absent().next().filter(|_| sig.has_var_keyword())) {
        Some(p) if p.kind == Kind::KeywordOnly => {
            Err(BindError::MissingKeywordOnly(p.name.clone()))
        }
        Some(p) => Err(BindError::Missing(p.name.clone())),
        None => {
            positional_only_by_name(sig, &named, &extra)?;
            Ok(Bound { named, star: positional.collect(), extra })
        }
    }
}

/// Positional arguments alone, by name. Taken in the order of the names, the map is built in one pass.
fn all_positional(
    sig: &Signature,
    index: &[usize],
    positional: &mut vec::IntoIter<Value>,
) -> Params {
    let n = sig.params.iter().take_while(|p| p.is_positional()).count().min(positional.len());
    let values = positional.as_mut_slice();
    let named = index
        .iter()
        .filter(|&&i| i < n)
        .map(|&i| (sig.params[i].name.clone(), std::mem::take(&mut values[i])))
        .collect();
    positional.by_ref().take(n).for_each(drop);
    named
}

/// Positional arguments added to those passed by name.
fn add_positional(
    sig: &Signature,
    positional: &mut vec::IntoIter<Value>,
    mut named: Params,
) -> Result<Params, BindError> {
    for param in sig.params.iter().take_while(|p| p.is_positional()) {
        let Some(value) = positional.next() else { break };
        if param.kind != Kind::PositionalOnly && named.contains_key(&param.name) {
            return Err(BindError::MultipleValues(param.name.clone()));
        }
        named.insert(param.name.clone(), value);
    }
    Ok(named)
}

/// Whether it takes its value by position only and got one by name.
fn by_wrong_way(param: &Param, extra: &Params) -> bool {
    param.kind == Kind::PositionalOnly && extra.contains_key(&param.name)
}

fn positional_only_by_name(
    sig: &Signature,
    named: &Params,
    extra: &Params,
) -> Result<(), BindError> {
    if extra.is_empty() || sig.has_var_keyword() {
        return Ok(());
    }
    let wrong =
        sig.params.iter().filter(|p| by_wrong_way(p, extra) && !named.contains_key(&p.name));
    let names: Vec<&str> = wrong.map(|p| p.name.as_str()).collect();
    if names.is_empty() { Ok(()) } else { Err(BindError::PositionalOnly(names.join(", "))) }
}

/// Splits keywords into those that name a parameter and the rest; both sides are in name order.
fn split_unknown(sig: &Signature, index: &[usize], keyword: Params) -> (Params, Params) {
    let by_name = |i: &&usize| sig.params[**i].kind != Kind::PositionalOnly;
    let mut known = index.iter().filter(by_name).map(|&i| sig.params[i].name.as_str()).peekable();
    let mut is_known = |name: &str| {
        while known.next_if(|k| *k < name).is_some() {}
        known.peek() == Some(&name)
    };
    let unknown: Vec<String> = keyword.keys().filter(|k| !is_known(k)).cloned().collect();
    let mut named = keyword;
    let extra = unknown.into_iter().filter_map(|name| named.remove_entry(&name)).collect();
    (named, extra)
}
