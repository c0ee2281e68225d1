//! Who may provide a backend, and how it is loaded.

use std::sync::Arc;

use crate::Backend;
use crate::label::normalised;

type Load = Box<dyn Fn() -> Result<Arc<dyn Backend>, String> + Send + Sync>;

/// A backend that can be loaded: its names, where it comes from, and how.
///
/// Names are declared before loading, so that an alias of a backend that fails to load can say why (D9).
pub struct Provider {
    pub(crate) name: String,
    pub(crate) aliases: Vec<String>,
    pub(crate) origin: Origin,
    pub(crate) load: Load,
}

/// Where a provider comes from, as far as it is known; compared with a [`Trusted`] entry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// The package it was installed with.
    pub distribution: Option<String>,
    /// The name of the entry point that led to it.
    pub entry_point: Option<String>,
    /// The object: `package.module:name`.
    pub object: Option<String>,
}

impl Provider {
    /// A provider of the backend of a canonical name; `load` runs once, at first use.
    pub fn new(
        name: &str,
        load: impl Fn() -> Result<Arc<dyn Backend>, String> + Send + Sync + 'static,
    ) -> Provider {
        Provider {
            name: name.to_owned(),
            aliases: Vec::new(),
            origin: Origin::default(),
            load: Box::new(load),
        }
    }

    /// A provider of a backend that is already there, under the name in its manifest.
    pub fn loaded(backend: Arc<dyn Backend>) -> Provider {
        let name = backend.manifest().name.clone();
        Provider::new(&name, move || Ok(Arc::clone(&backend)))
    }

    /// Adds another name.
    pub fn alias(mut self, alias: &str) -> Provider {
        self.aliases.push(alias.to_owned());
        self
    }

    /// Says where it comes from.
    pub fn origin(mut self, origin: Origin) -> Provider {
        self.origin = origin;
        self
    }
}

/// An entry of a host's trusted list: who may provide a name (D6), and how a user gets it (D8).
///
/// A list that is empty checks nothing; every list that is not must hold the provider's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trusted {
    /// The canonical name.
    pub name: String,
    /// Names that belong to it, installed or not.
    pub aliases: Vec<String>,
    /// The command that installs it.
    pub install: String,
    /// The packages it may come with, compared as PEP 503 says.
    pub distributions: Vec<String>,
    /// The entry points that may lead to it.
    pub entry_points: Vec<String>,
    /// The objects it may be.
    pub objects: Vec<String>,
    /// What the object's module must be or be inside of.
    pub module_prefixes: Vec<String>,
}

impl Trusted {
    /// A trusted name without aliases and checks.
    pub fn new(name: &str, install: &str) -> Trusted {
        Trusted { name: name.to_owned(), install: install.to_owned(), ..Trusted::default() }
    }

    /// Whether the name or an alias is `label`.
    pub(crate) fn owns(&self, label: &str) -> bool {
        self.name == label || self.aliases.iter().any(|alias| alias == label)
    }

    /// Checks a provider of this name; the error says which check failed.
    pub(crate) fn verify(&self, origin: &Origin) -> Result<(), String> {
        let same_distribution = |allowed: &str, got: &str| normalised(allowed) == normalised(got);
        let equal = |allowed: &str, got: &str| allowed == got;
        one_of(
            "distribution",
            &self.distributions,
            origin.distribution.as_deref(),
            same_distribution,
        )?;
        one_of("entry point", &self.entry_points, origin.entry_point.as_deref(), equal)?;
        one_of("object", &self.objects, origin.object.as_deref(), equal)?;
        let module = origin.object.as_deref().map(|o| o.split_once(':').map_or(o, |(m, _)| m));
        one_of("module", &self.module_prefixes, module, |prefix, module| {
            module.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        })
    }
}

fn one_of(
    what: &str,
    allowed: &[String],
    got: Option<&str>,
    matches: impl Fn(&str, &str) -> bool,
) -> Result<(), String> {
    if allowed.is_empty() || got.is_some_and(|got| allowed.iter().any(|a| matches(a, got))) {
        return Ok(());
    }
    let got = got.map_or("none".to_owned(), |got| format!("`{got}`"));
    Err(format!("expected {what} `{}`, got {got}", allowed.join("` or `")))
}
