//! On what a function is probed: recipes, the knobs and values of each argument, and arguments that are wrong.

use dispatch::{Dense, Value};

/// What the probes of one function call.
pub(super) struct Inputs {
    /// The function.
    pub(super) function: &'static str,
    /// Recipes on which arguments are varied; together they answer with and without permutations, returned
    /// (`copy=true`, which is the simplest level) and stored. The first is the simplest.
    pub(super) bases: &'static [&'static str],
    /// A recipe whose answer depends on a seed.
    pub(super) random: Option<&'static str>,
    /// Knobs of the generator, each with the parameter that it varies.
    pub(super) knobs: &'static [(&'static str, &'static str)],
    /// Values to pass, the falsy ones among them; each is a question even where the host refuses it.
    pub(super) values: fn() -> Vec<(&'static str, Value)>,
    /// Parameters that must not be left out: the host's default is not there on every machine.
    pub(super) needed: &'static [&'static str],
}

/// The inputs of a function.
pub(super) fn inputs(function: &str) -> Option<&'static Inputs> {
    [&SPATIAL_AUTOCORR, &CO_OCCURRENCE, &LIGREC].into_iter().find(|i| i.function == function)
}

static SPATIAL_AUTOCORR: Inputs = Inputs {
    function: "spatial_autocorr",
    bases: &[
        "cells=17 genes=3 graph=knn weights=dyadic seed=1",
        "cells=17 genes=3 graph=knn weights=dyadic n_perms=19 copy=false seed=2",
    ],
    random: Some("cells=17 genes=3 graph=knn weights=dyadic n_perms=19 seed=2"),
    knobs: &[
        ("source", "attr"),
        ("subset", "genes"),
        ("connectivity_key", "connectivity_key"),
        ("mode", "mode"),
        ("transformation", "transformation"),
        ("n_perms", "n_perms"),
        ("two_tailed", "two_tailed"),
        ("corr_method", "corr_method"),
        ("copy", "copy"),
    ],
    values: || {
        vec![
            ("transformation", false.into()),
            ("transformation", Value::Int(0)),
            ("transformation", Value::None),
            ("two_tailed", Value::Int(1)),
            ("two_tailed", Value::Int(0)),
            ("corr_method", Value::None),
            ("n_perms", Value::None),
            ("n_perms", Value::Int(0)),
            ("n_perms", Value::Int(1)),
            ("n_perms", Dense::new(Vec::new(), vec![5_i64]).into()),
            ("use_raw", Value::Int(0)),
            ("copy", Value::Int(0)),
            ("copy", Value::Int(1)),
            ("seed", Value::Int(0)),
            ("layer", "counts".into()),
            ("mode", Value::Int(5)),
            ("mode", "Moran".into()),
            ("n_perms", "five".into()),
            ("n_perms", Value::Float(2.5)),
            ("connectivity_key", Value::Int(3)),
            ("seed", "one".into()),
            ("corr_method", Value::Int(3)),
        ]
    },
    needed: &[],
};

static CO_OCCURRENCE: Inputs = Inputs {
    function: "co_occurrence",
    bases: &["cells=17 clusters=3 seed=1", "cells=17 clusters=3 interval=count copy=false seed=2"],
    random: None,
    knobs: &[
        ("interval", "interval"),
        ("cluster_key", "cluster_key"),
        ("spatial_key", "spatial_key"),
        ("copy", "copy"),
    ],
    values: || {
        vec![
            ("interval", Value::Int(3)),
            ("interval", Value::Int(0)),
            ("interval", Value::List(Vec::new())),
            ("interval", Value::List(vec![Value::Float(0.0), Value::Float(4.0)])),
            ("copy", Value::Int(0)),
            ("copy", Value::Int(1)),
            // The host warns and goes on.
            ("n_splits", Value::Int(2)),
            ("show_progress_bar", false.into()),
            ("cluster_key", Value::Int(3)),
            ("spatial_key", Value::Int(3)),
            ("interval", "all".into()),
        ]
    },
    needed: &[],
};

static LIGREC: Inputs = Inputs {
    function: "ligrec",
    bases: &[
        "cells=33 genes=3 clusters=3 n_perms=19 seed=1",
        "cells=33 genes=3 clusters=3 n_perms=19 source=raw corr_method=fdr_bh copy=false seed=2",
    ],
    random: Some("cells=33 genes=3 clusters=3 n_perms=19 seed=1"),
    knobs: &[
        ("source", "use_raw"),
        ("gene_symbols", "gene_symbols"),
        ("interactions", "interactions"),
        ("content", "interactions"),
        ("complex_policy", "complex_policy"),
        ("threshold", "threshold"),
        ("restrict", "clusters"),
        ("n_perms", "n_perms"),
        ("corr_method", "corr_method"),
        ("corr_axis", "corr_axis"),
        ("alpha", "alpha"),
        ("key_added", "key_added"),
        ("copy", "copy"),
    ],
    values: || {
        vec![
            ("threshold", Value::Float(0.0)),
            ("threshold", Value::Int(0)),
            ("threshold", Value::Float(0.6)),
            ("use_raw", false.into()),
            ("use_raw", Value::Int(0)),
            ("corr_method", Value::None),
            ("key_added", Value::None),
            ("clusters", Value::None),
            ("n_perms", Value::Int(0)),
            ("n_perms", Value::Int(7)),
            ("copy", Value::Int(0)),
            ("copy", Value::Int(1)),
            ("seed", Value::Int(0)),
            ("cluster_key", Value::Int(3)),
            ("threshold", "low".into()),
            ("n_perms", "five".into()),
            ("seed", Value::Int(-1)),
            ("interactions", Value::Int(3)),
            ("complex_policy", Value::Int(3)),
        ]
    },
    needed: &["interactions"],
};
