//! The dispatcher of a host: which backend answers, and how a call gets there.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use crate::label::is_label;
use crate::registry::{Choice, HOST, Registered, Registry};
use crate::scope::{enter, innermost};
use crate::{
    DispatchError, Event, Function, Param, Provider, Scope, Scoped, Sink, Trusted, to_stderr,
};

/// Lists the providers that are installed; asked at most once with success.
type Discover = Box<dyn Fn() -> Result<Vec<Provider>, String> + Send + Sync>;

/// Registry, settings and scopes of one host (D1). Shared between threads; every method takes `&self`.
pub struct Dispatcher {
    name: String,
    pub(crate) id: u64,
    registry: RwLock<Registry>,
    global: RwLock<Choice>,
    discover: Vec<Discover>,
    discovering: Mutex<()>,
    discovered: AtomicBool,
    strict: bool,
    pub(crate) sink: Sink,
}

/// What a dispatcher is made from.
pub struct Builder {
    name: String,
    registry: Registry,
    discover: Vec<Discover>,
    strict: bool,
    sink: Sink,
}

/// A parameter of the merged signature (D26).
#[derive(Clone, Debug, PartialEq)]
pub struct Offered {
    /// The parameter.
    pub param: Param,
    /// The backend it belongs to; `None` for the host's own and the selector.
    pub from: Option<String>,
}

impl Builder {
    /// Sets a name aside, with the reason a user is told (D10).
    pub fn reserve(mut self, name: &str, reason: &str) -> Builder {
        self.registry.reserved.insert(name.to_owned(), reason.to_owned());
        self
    }

    /// Adds an entry to the trusted list.
    pub fn trust(mut self, trusted: Trusted) -> Builder {
        self.registry.trusted.push(trusted);
        self
    }

    /// Adds a list of providers, asked for at the first need (D2).
    pub fn discover(
        mut self,
        list: impl Fn() -> Result<Vec<Provider>, String> + Send + Sync + 'static,
    ) -> Builder {
        self.discover.push(Box::new(list));
        self
    }

    /// Makes a fallback to the host an error (D16).
    pub fn strict(mut self) -> Builder {
        self.strict = true;
        self
    }

    /// Sends events somewhere else than to standard error.
    pub fn sink(mut self, sink: impl Fn(&Event) + Send + Sync + 'static) -> Builder {
        self.sink = Box::new(sink);
        self
    }

    /// The dispatcher.
    ///
    /// # Errors
    /// A `ValueError` if the host's name is no label.
    pub fn build(self) -> Result<Dispatcher, DispatchError> {
        if !is_label(&self.name) {
            return Err(DispatchError::InvalidName { what: "name a host", name: self.name });
        }
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Ok(Dispatcher {
            name: self.name,
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            registry: RwLock::new(self.registry),
            global: RwLock::new(None),
            discover: self.discover,
            discovering: Mutex::new(()),
            discovered: AtomicBool::new(false),
            strict: self.strict,
            sink: self.sink,
        })
    }
}

impl Dispatcher {
    /// Starts a dispatcher for a host.
    pub fn builder(host: &str) -> Builder {
        Builder {
            name: host.to_owned(),
            registry: Registry::default(),
            discover: Vec::new(),
            strict: false,
            sink: Box::new(to_stderr),
        }
    }

    /// The host's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether a fallback to the host is an error.
    pub fn is_strict(&self) -> bool {
        self.strict
    }

    /// Registers a backend now, whether or not discovery has happened (D35). The events say which of its names it
    /// did not get, and why; they go to the sink too.
    pub fn register(&self, provider: Provider) -> Vec<Event> {
        self.admit([provider])
    }

    /// Gives providers their names, then tells the sink, which may ask the dispatcher in turn.
    fn admit(&self, providers: impl IntoIterator<Item = Provider>) -> Vec<Event> {
        let mut registry = self.registry.write().unwrap_or_else(PoisonError::into_inner);
        let events: Vec<_> = providers.into_iter().flat_map(|p| registry.register(p)).collect();
        drop(registry);
        events.iter().for_each(|event| (self.sink)(event));
        events
    }

    /// Asks for the list of providers, unless that has succeeded before.
    ///
    /// # Errors
    /// If a list cannot be made; nothing is registered then, and asking again tries again.
    pub fn discover(&self) -> Result<(), DispatchError> {
        if self.discovered.load(Ordering::Acquire) {
            return Ok(());
        }
        let _one_at_a_time = self.discovering.lock().unwrap_or_else(PoisonError::into_inner);
        if self.discovered.load(Ordering::Acquire) {
            return Ok(());
        }
        let lists: Result<Vec<_>, String> = self.discover.iter().map(|list| list()).collect();
        let lists =
            lists.map_err(|cause| DispatchError::Discovery { host: self.name.clone(), cause })?;
        self.admit(lists.into_iter().flatten());
        self.discovered.store(true, Ordering::Release);
        Ok(())
    }

    /// Selects a backend for every thread, now and later (D13, D15); `cpu` is the host.
    ///
    /// # Errors
    /// If the name selects nothing or its backend does not load; the old choice then stays.
    pub fn set_backend(&self, name: &str) -> Result<(), DispatchError> {
        let choice = self.resolve(name)?;
        *self.global.write().unwrap_or_else(PoisonError::into_inner) = choice;
        Ok(())
    }

    /// Selects a backend on this thread until the scope is dropped (D14).
    ///
    /// # Errors
    /// If the name selects nothing or its backend does not load.
    pub fn use_backend(&self, name: &str) -> Result<Scope, DispatchError> {
        Ok(enter(self.id, self.resolve(name)?))
    }

    /// Selects a backend for a future, wherever it is polled; the code that awaits it is not affected (D15).
    ///
    /// # Errors
    /// If the name selects nothing or its backend does not load.
    pub fn scope<F: Future>(&self, name: &str, future: F) -> Result<Scoped<F>, DispatchError> {
        Ok(Scoped::new(self.id, self.resolve(name)?, future))
    }

    /// The canonical name of the backend that a call without a choice of its own would use; `cpu` for the host.
    pub fn backend(&self) -> String {
        self.chosen().map_or_else(|| HOST.to_owned(), |registered| registered.name.clone())
    }

    /// The canonical names of the backends that are there (D34).
    ///
    /// # Errors
    /// If discovery fails.
    pub fn available_backends(&self) -> Result<Vec<String>, DispatchError> {
        Ok(self.registered()?.iter().map(|registered| registered.name.clone()).collect())
    }

    /// Every name that selects a backend, aliases included (D34).
    ///
    /// # Errors
    /// If discovery fails.
    pub fn available_backend_names(&self) -> Result<Vec<String>, DispatchError> {
        self.discover()?;
        Ok(self.registry.read().unwrap_or_else(PoisonError::into_inner).all_names())
    }

    /// The merged signature of a function (D26): the host's parameters, the selector, and what only backends take.
    /// Backends that do not load are left out.
    ///
    /// # Errors
    /// If discovery fails.
    pub fn signature(&self, function: &Function) -> Result<Vec<Offered>, DispatchError> {
        let own = function.signature.params.iter().cloned();
        let mut offered: Vec<Offered> = own.map(|param| Offered { param, from: None }).collect();
        let var_keyword = offered.pop_if(|o| !o.param.is_named());
        let selector = Param::keyword("backend", crate::Value::None);
        offered.push(Offered { param: selector, from: None });
        for registered in self.registered()? {
            let Ok(backend) = registered.backend() else { continue };
            let Some(theirs) = backend.manifest().functions.get(&function.name) else { continue };
            for param in theirs.named().filter(|p| is_public(&p.name)) {
                if offered.iter().all(|o| o.param.name != param.name) {
                    let param = Param { kind: crate::Kind::KeywordOnly, ..param.clone() };
                    offered.push(Offered { param, from: Some(registered.name.clone()) });
                }
            }
        }
        offered.extend(var_keyword);
        Ok(offered)
    }

    /// The choice for a call: its own, else the innermost scope, else the global one, else the host (D12).
    pub(crate) fn select(&self, own: Option<&str>) -> Result<Choice, DispatchError> {
        match own {
            None => Ok(self.chosen()),
            Some(name) => self.resolve(name),
        }
    }

    fn chosen(&self) -> Choice {
        innermost(self.id)
            .unwrap_or_else(|| self.global.read().unwrap_or_else(PoisonError::into_inner).clone())
    }

    /// What a name means; the backend is loaded. The host's name needs no discovery (D2).
    fn resolve(&self, name: &str) -> Result<Choice, DispatchError> {
        if name == HOST {
            return Ok(None);
        }
        self.discover()?;
        let choice = self.registry.read().unwrap_or_else(PoisonError::into_inner).resolve(name)?;
        if let Some(registered) = &choice {
            registered.backend()?;
        }
        Ok(choice)
    }

    /// The backends that are there, in the order of their names.
    pub(crate) fn registered(&self) -> Result<Vec<Arc<Registered>>, DispatchError> {
        self.discover()?;
        let registry = self.registry.read().unwrap_or_else(PoisonError::into_inner);
        Ok(registry.backends().cloned().collect())
    }
}

/// Whether a parameter may be offered to users: an identifier that does not start with `_`.
fn is_public(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(char::is_alphabetic) && chars.all(|c| c.is_alphanumeric() || c == '_')
}
