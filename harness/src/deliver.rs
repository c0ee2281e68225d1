//! Hands a call, written in the host's parameters, to a peer with a signature of its own.

use std::sync::Arc;

use dispatch::{Call, Dropped, Fault, Kind, Manifest, Semantics, Value, bind, route};

use crate::contract;

/// The call as `to` gets it: bound to the host's signature, routed by name.
///
/// # Errors
/// [`Fault::Unsupported`] if `to` has no such function or would lose a parameter that changes the answer: what it
/// then computes is the answer to another question. `TypeError` if it would miss a required parameter.
pub fn deliver(call: &Arc<Call>, host: &Manifest, to: &Manifest) -> Result<Arc<Call>, Fault> {
    let function = &call.function;
    let Some(target) = to.functions.get(function) else {
        return Err(Fault::Unsupported(format!(
            "{} {} has no function `{function}`",
            to.name, to.version
        )));
    };
    let Some(source) = host.functions.get(function) else {
        return Err(Fault::Unsupported(format!(
            "the host {} has no function `{function}`",
            host.name
        )));
    };
    if source == target {
        return Ok(call.clone());
    }
    let mut keyword = call.params.clone();
    // The stream was chosen for this peer, not for the host, whose signature may not know it.
    let stream = keyword.remove("rng");
    if let Some(first) = source.params.first() {
        keyword.insert(first.name.clone(), Value::Data(call.data.clone()));
    }
    let bound = bind(source, Vec::new(), keyword)?;
    let routed = route(source, target, &bound);
    // `**kwargs` take what no parameter does. Whether it is heeded then, the answer shows.
    let takes_any = target.params.iter().any(|p| p.kind == Kind::VarKeyword);
    let semantics =
        Semantics::new(contract(function).map(|c| c.semantic).unwrap_or_default().iter().copied());
    let is_lost = |d: &&Dropped| !takes_any && !d.silent && semantics.is_semantic(&d.name);
    if let Some(lost) = routed.dropped.iter().find(is_lost) {
        return Err(Fault::Unsupported(format!(
            "the parameter `{}` would be lost: {}",
            lost.name, lost.why
        )));
    }
    let carried = routed.dropped.iter().filter(|d| takes_any && !d.silent);
    let carried: Vec<_> = carried.map(|d| (d.name.clone(), d.value.clone())).collect();
    let mut delivered = routed.into_call(function, source)?;
    delivered.params.extend(carried);
    if let Some(stream) = stream.filter(|_| target.get("rng").is_some()) {
        delivered.params.insert("rng".to_owned(), stream);
    }
    Ok(Arc::new(delivered))
}
