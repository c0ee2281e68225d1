//! What parameters a function takes.

use serde::{Deserialize, Serialize};

use crate::Value;

/// How a parameter may be passed; Python's five kinds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// By position only.
    PositionalOnly,
    /// By position or by name.
    PositionalOrKeyword,
    /// Collects further positional arguments (`*args`).
    VarPositional,
    /// By name only.
    KeywordOnly,
    /// Collects further named arguments (`**kwargs`).
    VarKeyword,
}

/// The default of a parameter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DefaultValue {
    /// A value that is known.
    Value(Value),
    /// An object that is known only by how it prints.
    Repr(String),
}

/// One parameter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Param {
    /// The name.
    pub name: String,
    /// How it may be passed.
    pub kind: Kind,
    /// The default; `None` if the parameter is required.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<DefaultValue>,
}

impl Param {
    /// A required parameter, by position or name.
    pub fn required(name: &str) -> Param {
        Param { name: name.to_owned(), kind: Kind::PositionalOrKeyword, default: None }
    }

    /// A parameter with a default, by position or name.
    pub fn optional(name: &str, default: impl Into<Value>) -> Param {
        let default = Some(DefaultValue::Value(default.into()));
        Param { name: name.to_owned(), kind: Kind::PositionalOrKeyword, default }
    }

    /// A keyword-only parameter with a default.
    pub fn keyword(name: &str, default: impl Into<Value>) -> Param {
        Param { kind: Kind::KeywordOnly, ..Param::optional(name, default) }
    }

    /// Whether a call must give a value: no default, and not `*args` or `**kwargs`.
    pub fn is_required(&self) -> bool {
        self.default.is_none() && self.is_named()
    }

    /// Whether it stands for one argument, as opposed to `*args` and `**kwargs`.
    pub fn is_named(&self) -> bool {
        !matches!(self.kind, Kind::VarPositional | Kind::VarKeyword)
    }

    /// Whether one argument may be passed to it by position.
    pub fn is_positional(&self) -> bool {
        matches!(self.kind, Kind::PositionalOnly | Kind::PositionalOrKeyword)
    }

    /// The known default value, if there is one.
    pub fn default_value(&self) -> Option<&Value> {
        match &self.default {
            Some(DefaultValue::Value(value)) => Some(value),
            Some(DefaultValue::Repr(_)) | None => None,
        }
    }
}

/// The parameters of a function, in order; the first is the AnnData by convention of the host.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Signature {
    /// The parameters, in declaration order.
    pub params: Vec<Param>,
}

impl Signature {
    /// A signature of some parameters.
    pub fn new(params: impl IntoIterator<Item = Param>) -> Signature {
        Signature { params: params.into_iter().collect() }
    }

    /// The parameters that stand for one argument each, in declaration order.
    pub fn named(&self) -> impl Iterator<Item = &Param> {
        self.params.iter().filter(|p| p.is_named())
    }

    /// The parameter of a name, or `None`.
    pub fn get(&self, name: &str) -> Option<&Param> {
        self.params.iter().find(|p| p.name == name)
    }

    /// Whether unknown keywords are accepted (`**kwargs`).
    pub fn has_var_keyword(&self) -> bool {
        self.params.iter().any(|p| p.kind == Kind::VarKeyword)
    }
}
