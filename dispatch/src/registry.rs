//! Which backend a name means.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use crate::label::{closest, is_label};
use crate::{Backend, DispatchError, Event, Origin, Provider, Trusted};

/// The name that means the host itself, at every level of selection.
pub const HOST: &str = "cpu";

/// Upstream's cutoff for "did you mean" among backends.
const CUTOFF: f64 = 0.4;

/// A backend that has its name; loaded at first use.
pub(crate) struct Registered {
    /// Unlike an address, never used twice in a process (D29).
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) trusted: bool,
    pub(crate) announced: AtomicBool,
    load: Box<dyn Fn() -> Result<Arc<dyn Backend>, String> + Send + Sync>,
    loaded: OnceLock<Result<Arc<dyn Backend>, String>>,
}

/// A choice: a backend, or the host.
pub(crate) type Choice = Option<Arc<Registered>>;

impl Registered {
    /// The backend, loading it if this is the first use.
    pub(crate) fn backend(&self) -> Result<&Arc<dyn Backend>, DispatchError> {
        let loaded = self.loaded.get_or_init(|| {
            let backend = (self.load)()?;
            let own = &backend.manifest().name;
            if *own == self.name { Ok(backend) } else { Err(format!("it calls itself `{own}`")) }
        });
        loaded.as_ref().map_err(|cause| DispatchError::FailedToLoad {
            name: self.name.clone(),
            cause: cause.clone(),
        })
    }
}

/// Names, aliases, the trusted list and the reserved names of one host.
#[derive(Default)]
pub(crate) struct Registry {
    backends: BTreeMap<String, Arc<Registered>>,
    aliases: BTreeMap<String, String>,
    refused: BTreeMap<String, String>,
    pub(crate) trusted: Vec<Trusted>,
    pub(crate) reserved: BTreeMap<String, String>,
}

impl Registry {
    /// Gives a provider its names; the events say which it did not get.
    pub(crate) fn register(&mut self, provider: Provider) -> Vec<Event> {
        let Provider { name, aliases, origin, load } = provider;
        if let Err(why) = self.may_be_called(&name, &origin) {
            return vec![Event::Ignored { name, why }];
        }
        let trusted = self.trusted.iter().any(|t| t.name == name);
        let mut events = Vec::new();
        for alias in aliases {
            match self.may_take_alias(&alias, &name) {
                Ok(()) => drop(self.aliases.insert(alias, name.clone())),
                Err(why) => events.push(Event::Ignored { name: alias, why }),
            }
        }
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let registered = Registered {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            name: name.clone(),
            trusted,
            announced: AtomicBool::new(false),
            load,
            loaded: OnceLock::new(),
        };
        self.refused.remove(&name);
        self.backends.insert(name, Arc::new(registered));
        events
    }

    fn may_be_called(&mut self, name: &str, origin: &Origin) -> Result<(), String> {
        self.may_be_used(name)?;
        if self.backends.contains_key(name) || self.aliases.contains_key(name) {
            return Err("the name is taken by an earlier backend".to_owned());
        }
        match self.trusted.iter().find(|t| t.owns(name)) {
            None => Ok(()),
            Some(t) if t.name != name => Err(format!("the name belongs to trusted `{}`", t.name)),
            Some(t) => t.verify(origin).inspect_err(|why| {
                self.refused.insert(name.to_owned(), why.clone());
            }),
        }
    }

    fn may_take_alias(&self, alias: &str, name: &str) -> Result<(), String> {
        self.may_be_used(alias)?;
        let taken =
            self.aliases.get(alias).or_else(|| self.backends.get_key_value(alias).map(|(k, _)| k));
        match taken {
            Some(other) if other != name => return Err(format!("the alias is taken by `{other}`")),
            Some(_) | None => {}
        }
        match self.trusted.iter().find(|t| t.owns(alias)) {
            Some(t) if t.name != name => Err(format!("the alias belongs to trusted `{}`", t.name)),
            Some(_) | None => Ok(()),
        }
    }

    /// What holds for names and aliases alike.
    fn may_be_used(&self, label: &str) -> Result<(), String> {
        if label == HOST {
            return Err("the name means the host".to_owned());
        }
        if let Some(reason) = self.reserved.get(label) {
            return Err(format!("the name is reserved: {reason}"));
        }
        if is_label(label) {
            Ok(())
        } else {
            Err("expected 1 to 128 ASCII letters, digits, `.`, `_`, `-`, the first a letter or digit, \
                 the last not `.` or `-`"
                .to_owned())
        }
    }

    /// What a name means.
    pub(crate) fn resolve(&self, name: &str) -> Result<Choice, DispatchError> {
        if name == HOST {
            return Ok(None);
        }
        let known = self.backends.get(name).or_else(|| self.backends.get(self.aliases.get(name)?));
        match known.or_else(|| self.backends.get(&self.trusted_owner(name)?.name)) {
            Some(registered) => Ok(Some(Arc::clone(registered))),
            None => Err(self.unresolved(name)),
        }
    }

    fn trusted_owner(&self, name: &str) -> Option<&Trusted> {
        self.trusted.iter().find(|t| t.owns(name))
    }

    fn unresolved(&self, name: &str) -> DispatchError {
        let name = name.to_owned();
        if name.is_empty() {
            return DispatchError::InvalidName { what: "select a backend", name };
        }
        if let Some(reason) = self.reserved.get(&name) {
            return DispatchError::Reserved { name, reason: reason.clone() };
        }
        if let Some(trusted) = self.trusted_owner(&name) {
            let canonical = trusted.name.clone();
            return match self.refused.get(&canonical) {
                Some(why) => DispatchError::Refused { name: canonical, why: why.clone() },
                None => DispatchError::NotInstalled {
                    name: canonical,
                    install: trusted.install.clone(),
                },
            };
        }
        let available = [vec![HOST.to_owned()], self.all_names()].concat();
        let trusted = self.trusted.iter().flat_map(|t| std::iter::once(&t.name).chain(&t.aliases));
        let candidates = available.iter().chain(trusted).map(String::as_str);
        let closest = closest(&name, candidates, CUTOFF).map(str::to_owned);
        DispatchError::Unknown { name, closest, available }
    }

    /// The backends, by canonical name.
    pub(crate) fn backends(&self) -> impl Iterator<Item = &Arc<Registered>> {
        self.backends.values()
    }

    /// Every name that selects a backend, in order: canonical names, aliases, trusted aliases of what is there.
    pub(crate) fn all_names(&self) -> Vec<String> {
        let here = self.trusted.iter().filter(|t| self.backends.contains_key(&t.name));
        let names = self.backends.keys().chain(self.aliases.keys());
        let mut names: Vec<String> = names.chain(here.flat_map(|t| &t.aliases)).cloned().collect();
        names.sort();
        names.dedup();
        names
    }
}
