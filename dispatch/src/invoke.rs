//! A call through the dispatcher: bind, select, route, run.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::bind::{bind_indexed, data_of, refuse_extra};
use crate::equality::shown;
use crate::function::Known;
use crate::label::closest;
use crate::registry::{Choice, HOST, Registered};
use crate::scope::enter;
use crate::{
    BindError, Bound, Call, Dataset, Defaulted, DispatchError, Dispatcher, Dropped, Event,
    Function, Kind, Map, Params, Reply, Value,
};

/// The keyword under which arguments of the backend alone may be passed (S5).
pub const BACKEND_KWARGS: &str = "backend_kwargs";

/// What happened to a call on its way, beside the answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Notes {
    /// Arguments that did not reach the backend.
    pub dropped: Vec<Dropped>,
    /// Parameters that took a default of the backend that is not known to be the host's.
    pub defaulted: Vec<Defaulted>,
    /// What a user should know; the sink has been told.
    pub events: Vec<Event>,
}

/// An answer, who gave it, and what happened on the way.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The reply, untouched (D30).
    pub reply: Reply,
    /// The canonical name of the backend that answered; `cpu` for the host.
    pub by: String,
    /// What happened on the way.
    pub notes: Notes,
}

/// A call that is bound, selected and routed, and not yet made.
pub struct Prepared<'a> {
    /// The call, in the parameters of whoever answers.
    pub call: Call,
    /// What happened on the way.
    pub notes: Notes,
    dispatcher: &'a Dispatcher,
    function: &'a Function,
    backend: Choice,
}

impl Dispatcher {
    /// Calls a function: binds the arguments to its signature, selects who answers (`backend`, else the scope, else
    /// the global choice, else the host), routes the arguments by name and runs it.
    ///
    /// Positional arguments are in the host's order, the AnnData first, as [`Value::Data`].
    ///
    /// # Errors
    /// A [`DispatchError`]; the fault of whoever was asked is one of them.
    pub fn call(
        &self,
        function: &Function,
        positional: Vec<Value>,
        keyword: Params,
        backend: Option<&str>,
    ) -> Result<Answer, DispatchError> {
        self.prepare(function, positional, keyword, backend)?.run()
    }

    /// Everything of [`Dispatcher::call`] but the running.
    ///
    /// # Errors
    /// A [`DispatchError`], except the fault of whoever would be asked.
    pub fn prepare<'a>(
        &'a self,
        function: &'a Function,
        positional: Vec<Value>,
        mut keyword: Params,
        backend: Option<&str>,
    ) -> Result<Prepared<'a>, DispatchError> {
        let of_backend = function.take_backend_kwargs(&mut keyword)?;
        let (data, bound) = function.bind(positional, keyword)?;
        let mut notes = Notes::default();
        let mut backend = self.select(backend)?;
        let params = match &backend {
            None => function.for_host(bound, of_backend)?,
            Some(registered) => {
                self.announce(registered, &mut notes);
                let route = function.route(registered)?;
                match &route.known {
                    Some(known) => {
                        let bound = function.merge(bound, of_backend)?;
                        self.for_backend(function, known, registered, bound, &mut notes)?
                    }
                    None => {
                        self.fall_back(function, registered, &mut notes)?;
                        backend = None;
                        function.for_host(bound, of_backend)?
                    }
                }
            }
        };
        let call = Call { function: function.name.clone(), data, params };
        Ok(Prepared { call, notes, dispatcher: self, function, backend })
    }

    /// The one warning about an untrusted backend (D11).
    fn announce(&self, registered: &Registered, notes: &mut Notes) {
        // A plain load first: a swap writes, and would make every call contend for the cache line.
        let announced = &registered.announced;
        let is_new = !registered.trusted && !announced.load(Ordering::Relaxed);
        if is_new && !announced.swap(true, Ordering::Relaxed) {
            self.tell(Event::Untrusted { backend: registered.name.clone() }, notes);
        }
    }

    /// The backend lacks the function (D16).
    fn fall_back(
        &self,
        function: &Function,
        registered: &Registered,
        notes: &mut Notes,
    ) -> Result<(), DispatchError> {
        let (function, backend) = (function.name.clone(), registered.name.clone());
        if self.is_strict() {
            return Err(DispatchError::FellBack { function, backend });
        }
        self.tell(Event::FellBack { function, backend }, notes);
        Ok(())
    }

    /// The arguments for a backend.
    fn for_backend(
        &self,
        function: &Function,
        known: &Known,
        to: &Registered,
        bound: Bound,
        notes: &mut Notes,
    ) -> Result<Params, DispatchError> {
        if known.hopeless {
            return Err(DispatchError::Undispatchable {
                function: function.name.clone(),
                backend: to.name.clone(),
                assessment: known.assessment.clone(),
            });
        }
        let mut routed = known.plan.route(bound);
        if let Some(name) = routed.unknown.first().filter(|_| !known.signature.has_var_keyword()) {
            return Err(self.unknown_keyword(function, name, known, to));
        }
        if let Some(lost) = routed.dropped.iter().find(|d| d.semantic && !d.silent) {
            return Err(DispatchError::Lost {
                function: function.name.clone(),
                backend: to.name.clone(),
                parameter: lost.name.clone(),
                value: shown(&lost.value),
            });
        }
        for warning in std::mem::take(&mut routed.warned) {
            let (function, backend) = (function.name.clone(), to.name.clone());
            self.tell(Event::Warned { function, backend, warning }, notes);
        }
        notes.dropped = std::mem::take(&mut routed.dropped);
        notes.defaulted = std::mem::take(&mut routed.defaulted);
        routed.complete().map_err(|error| function.misfit(error))?;
        Ok(routed.params)
    }

    /// A keyword that neither side knows: another backend's (D28), or nobody's (D23).
    fn unknown_keyword(
        &self,
        function: &Function,
        name: &str,
        known: &Known,
        to: &Registered,
    ) -> DispatchError {
        let has_it = |other: &Registered| {
            let manifest = other.backend().ok().map(|backend| backend.manifest());
            let theirs = manifest.and_then(|m| m.functions.get(&function.name));
            theirs.is_some_and(|sig| sig.named().any(|p| p.name == name))
        };
        let others = self.registered().unwrap_or_default();
        if let Some(owner) = others.iter().find(|other| has_it(other)) {
            return DispatchError::Foreign {
                function: function.name.clone(),
                backend: to.name.clone(),
                parameter: name.to_owned(),
                owner: owner.name.clone(),
            };
        }
        let names = function.signature.named().chain(known.signature.named());
        let closest = closest(name, names.map(|p| p.name.as_str()), 0.6).map(str::to_owned);
        function.misfit(BindError::Unexpected { name: name.to_owned(), closest })
    }

    /// Keeps an event for the answer and tells the sink.
    fn tell(&self, event: Event, notes: &mut Notes) {
        (self.sink)(&event);
        notes.events.push(event);
    }
}

impl Prepared<'_> {
    /// The canonical name of who will answer; `cpu` for the host.
    pub fn by(&self) -> &str {
        self.backend.as_ref().map_or(HOST, |registered| &registered.name)
    }

    /// Makes the call.
    ///
    /// # Errors
    /// The fault of whoever was asked.
    pub fn run(self) -> Result<Answer, DispatchError> {
        let reply = match &self.backend {
            None => (self.function.run)(&self.call)?,
            Some(registered) => {
                let backend = registered.backend()?;
                // Whoever answers sees the host when it calls back (D31).
                let _host = enter(self.dispatcher.id, None);
                backend.run(&self.call)?
            }
        };
        let by = self.by().to_owned();
        Ok(Answer { reply, by, notes: self.notes })
    }
}

impl Function {
    /// The AnnData, and the other arguments bound to the signature.
    fn bind(
        &self,
        positional: Vec<Value>,
        mut keyword: Params,
    ) -> Result<(Arc<Dataset>, Bound), DispatchError> {
        let mut positional = positional.into_iter();
        let param = &self.signature.params[0];
        let data = if param.is_positional() { positional.next() } else { None };
        let by_name =
            if param.kind == Kind::PositionalOnly { None } else { keyword.remove(&param.name) };
        let data = match (data, by_name) {
            (Some(data), None) | (None, Some(data)) => data,
            (Some(_), Some(_)) => Err(self.misfit(BindError::MultipleValues(param.name.clone())))?,
            (None, None) => Err(self.misfit(BindError::Missing(param.name.clone())))?,
        };
        let bound = bind_indexed(&self.rest, &self.index, positional, keyword);
        let bound = bound.map_err(|error| self.misfit(counting_the_data(error)))?;
        Ok((data_of(&param.name, data)?, bound))
    }

    /// The host gets what was passed, by name; a keyword it does not know is an error (D22).
    fn for_host(&self, bound: Bound, of_backend: Map) -> Result<Params, DispatchError> {
        if let Some(name) = of_backend.keys().next() {
            return Err(self.wrong_kwargs(format!(
                "{BACKEND_KWARGS} has '{name}', but the host answers; name a backend that takes it"
            )));
        }
        if !self.signature.has_var_keyword() {
            refuse_extra(&self.rest, &bound).map_err(|error| self.misfit(error))?;
        }
        let Bound { mut named, mut extra, .. } = bound;
        named.append(&mut extra);
        Ok(named)
    }

    /// Adds the arguments for the backend alone; none may be passed twice.
    fn merge(&self, mut bound: Bound, of_backend: Map) -> Result<Bound, DispatchError> {
        for (name, value) in of_backend {
            if bound.get(&name).is_some() {
                return Err(self.misfit(BindError::MultipleValues(name)));
            }
            bound.extra.insert(name, value);
        }
        Ok(bound)
    }

    /// Takes `backend_kwargs` out of the keywords.
    fn take_backend_kwargs(&self, keyword: &mut Params) -> Result<Map, DispatchError> {
        match keyword.remove(BACKEND_KWARGS) {
            None | Some(Value::None) => Ok(Map::new()),
            Some(Value::Map(map)) => Ok(map),
            Some(other) => Err(self.wrong_kwargs(format!(
                "{BACKEND_KWARGS} must be a dict of arguments, got {}",
                other.type_name()
            ))),
        }
    }

    fn misfit(&self, error: BindError) -> DispatchError {
        DispatchError::Bind { function: self.name.clone(), error }
    }

    fn wrong_kwargs(&self, why: String) -> DispatchError {
        DispatchError::BackendArguments { function: self.name.clone(), why }
    }
}

/// The AnnData was bound before the others; a user counts it with them.
fn counting_the_data(error: BindError) -> BindError {
    match error {
        BindError::TooManyPositional { accepted, given } => {
            BindError::TooManyPositional { accepted: accepted + 1, given: given + 1 }
        }
        other => other,
    }
}
