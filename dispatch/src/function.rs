//! A function of a host, as the dispatcher knows it.

use std::sync::{Arc, PoisonError, RwLock};

use crate::registry::Registered;
use crate::{
    Assessment, Call, DispatchError, Fault, Plan, Reply, Rule, Semantics, Severity, Signature,
    bind, dispatchable,
};

type Run = Box<dyn Fn(&Call) -> Result<Reply, Fault> + Send + Sync>;

/// A host function that may be dispatched: its name, signature, semantics and own code.
///
/// It remembers how to route to each backend it was dispatched to (D29).
pub struct Function {
    pub(crate) name: String,
    pub(crate) signature: Signature,
    /// The signature without the AnnData, which travels beside the arguments.
    pub(crate) rest: Signature,
    /// The [`bind::index`] of `rest`.
    pub(crate) index: Vec<usize>,
    pub(crate) semantics: Semantics,
    pub(crate) run: Run,
    routes: RwLock<Vec<(u64, Arc<Route>)>>,
}

/// How one function goes to one backend; `None` inside the cache stands for "it has no such function".
pub(crate) struct Route {
    pub(crate) known: Option<Known>,
}

pub(crate) struct Known {
    pub(crate) plan: Plan,
    pub(crate) signature: Signature,
    pub(crate) assessment: Assessment,
    /// No call can be formed.
    pub(crate) hopeless: bool,
}

impl Function {
    /// Registers a function: the signature users see, what its parameters mean, and the host's own code,
    /// which gets the arguments that were passed, by name.
    ///
    /// # Errors
    /// A `TypeError` if it cannot be dispatched to anyone (D25, S5, S7): a method, `*args`, or a parameter
    /// named `backend` or `backend_kwargs`.
    pub fn new(
        name: &str,
        signature: Signature,
        semantics: Semantics,
        run: impl Fn(&Call) -> Result<Reply, Fault> + Send + Sync + 'static,
    ) -> Result<Function, DispatchError> {
        let refuse = |why: String| DispatchError::Undecorable { function: name.to_owned(), why };
        if signature.params.is_empty() {
            return Err(refuse("it has no parameter for the AnnData".to_owned()));
        }
        // Against itself, a function has no finding but those about the host alone.
        let alone = dispatchable(&signature, &signature, &semantics);
        let fatal = |rule| matches!(rule, Rule::D25 | Rule::S5 | Rule::S7);
        if let Some(finding) = alone.findings.iter().find(|f| fatal(f.rule)) {
            return Err(refuse(finding.to_string()));
        }
        let rest = Signature::new(signature.params.iter().skip(1).cloned());
        let index = bind::index(&rest);
        let run = Box::new(run);
        Ok(Function {
            name: name.to_owned(),
            signature,
            rest,
            index,
            semantics,
            run,
            routes: RwLock::default(),
        })
    }

    /// The public name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The signature users see.
    pub fn signature(&self) -> &Signature {
        &self.signature
    }

    /// The way to a backend, worked out at the first call.
    pub(crate) fn route(&self, to: &Registered) -> Result<Arc<Route>, DispatchError> {
        let routes = self.routes.read().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, route)) = routes.iter().find(|(id, _)| *id == to.id) {
            return Ok(Arc::clone(route));
        }
        drop(routes);
        let theirs = to.backend()?.manifest().functions.get(&self.name);
        let route = Arc::new(Route { known: theirs.map(|signature| self.know(signature)) });
        let mut routes = self.routes.write().unwrap_or_else(PoisonError::into_inner);
        routes.push((to.id, Arc::clone(&route)));
        Ok(route)
    }

    fn know(&self, theirs: &Signature) -> Known {
        let assessment = dispatchable(&self.signature, theirs, &self.semantics);
        let unformed = |rule| matches!(rule, Rule::C1 | Rule::D21 | Rule::D22 | Rule::S4);
        let mut errors = assessment.findings.iter().filter(|f| f.severity == Severity::Error);
        let hopeless = errors.any(|f| unformed(f.rule));
        let of_data = &self.signature.params[0].name;
        let arguments =
            Signature::new(theirs.params.iter().filter(|p| p.name != *of_data).cloned());
        let plan = Plan::new(&self.rest, &arguments, &self.semantics);
        Known { plan, signature: theirs.clone(), assessment, hopeless }
    }
}
