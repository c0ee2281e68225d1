//! The predicate on the signatures of squidpy 1.8.3 and rapids-singlecell 0.18.1, and on small ones that break a
//! single rule each.

use std::collections::BTreeMap;

use dispatch::{
    DefaultValue, Kind, Param, Proof, Rule, Semantics, Severity, Signature, Value, Verdict,
    dispatchable,
};

/// A signature in the words of a Python `def`; a default that is no literal is known by how it prints.
fn signature(text: &str) -> Signature {
    let mut kind = Kind::PositionalOrKeyword;
    let params = text.split(", ").filter_map(|word| {
        let (name, default) = word.split_once('=').map_or((word, None), |(n, d)| (n, Some(d)));
        if name == "*" {
            kind = Kind::KeywordOnly;
            return None;
        }
        let kind = match name.chars().take_while(|c| *c == '*').count() {
            0 => kind,
            1 => Kind::VarPositional,
            _ => Kind::VarKeyword,
        };
        let default = default.map(|d| match d {
            "None" => DefaultValue::Value(Value::None),
            other => DefaultValue::Repr(other.to_owned()),
        });
        Some(Param { name: name.trim_start_matches('*').to_owned(), kind, default })
    });
    Signature::new(params)
}

fn semantics() -> Semantics {
    Semantics::new([
        "attr",
        "seed",
        "layer",
        "use_raw",
        "library_key",
        "clusters",
        "mask",
        "radius",
    ])
    .neutral(["n_jobs", "show_progress_bar", "numba_parallel"])
}

/// The verdict and the findings above a note, each as `RULE parameter`, with `!` for an error.
fn check(host: &str, backend: &str, semantics: &Semantics) -> String {
    let assessment = dispatchable(&signature(host), &signature(backend), semantics);
    let heavy = assessment.findings.iter().filter(|f| f.severity > Severity::Note);
    let words = heavy.map(|f| {
        let bang = if f.severity == Severity::Error { "!" } else { "" };
        format!("{}{bang} {}", f.rule, f.parameter.as_deref().unwrap_or("-"))
    });
    format!("{}: {}", assessment.verdict, words.collect::<Vec<_>>().join(", "))
}

const HOST: [(&str, &str); 7] = [
    (
        "spatial_autocorr",
        "adata, connectivity_key='spatial_connectivities', genes=None, mode='moran', transformation=True, \
         n_perms=None, two_tailed=False, corr_method='fdr_bh', attr='X', layer=None, seed=None, use_raw=False, \
         copy=False, n_jobs=None, backend='loky', show_progress_bar=True, *, table_key=None",
    ),
    (
        "co_occurrence",
        "adata, cluster_key, spatial_key='spatial', interval=50, copy=False, *, table_key=None",
    ),
    (
        "nhood_enrichment",
        "adata, cluster_key, library_key=None, connectivity_key=None, n_perms=1000, numba_parallel=False, \
         seed=None, copy=False, n_jobs=None, backend='loky', show_progress_bar=True, *, table_key=None",
    ),
    (
        "ripley",
        "adata, cluster_key, mode='F', n_neigh=2, n_simulations=100, max_dist=None, seed=None, copy=False, *, \
         table_key=None",
    ),
    (
        "sepal",
        "adata, max_neighs, genes=None, n_iter=30000, dt=0.001, thresh=1e-08, \
         connectivity_key=Key.obsp.spatial_conn(), spatial_key=Key.obsm.spatial, layer=None, use_raw=False, \
         copy=False, n_jobs=None, show_progress_bar=True, *, table_key=None",
    ),
    (
        "calculate_niche",
        "data, flavor, library_key=None, mask=None, n_neighbors=None, aggregation=None, n_components=None, \
         random_state=42, inplace=True, *, table_key=None",
    ),
    ("spatial_neighbors_knn", "data, *, spatial_key='spatial', n_neighs=6, copy=False, n_jobs=1"),
];

const BACKEND: [&str; 7] = [
    "adata, *, table_key=None, connectivity_key='spatial_connectivities', genes=None, mode='moran', \
     transformation=True, n_perms=None, two_tailed=False, corr_method='fdr_bh', layer=None, use_raw=False, \
     use_sparse=True, copy=False, dtype=None, multi_gpu=None",
    "adata, cluster_key, *, table_key=None, spatial_key='spatial', interval=50, copy=False, multi_gpu=None",
    "adata, cluster_key, *, table_key=None, library_key=None, connectivity_key='spatial_connectivities', \
     n_perms=1000, seed=None, copy=False",
    "adata, cluster_key, *, mode='F', n_neigh=2, n_simulations=100, max_dist=None, copy=False, table_key=None, \
     rng=None",
    "adata, max_neighs, genes=None, n_iter=30000, dt=0.001, thresh=1e-08, \
     connectivity_key='spatial_connectivities', spatial_key='spatial', layer=None, use_raw=False, copy=False, *, \
     table_key=None, dtype=np.float32",
    "adata, *, flavor, table_key=None, n_neighbors=15, mask=None, library_key=None, aggregation='mean', \
     n_components=10, random_state=42, inplace=True, copy=None, **kwargs",
    "adata, *, spatial_key='spatial', n_neighs=6, copy=False",
];

#[test]
fn the_real_signatures_are_judged_as_the_specification_says() {
    let semantics = semantics()
        .constant("Key.obsp.spatial_conn()", "spatial_connectivities")
        .constant("Key.obsm.spatial", "spatial");
    let verdicts: BTreeMap<&str, String> = HOST
        .iter()
        .zip(BACKEND)
        .map(|((name, host), backend)| (*name, check(host, backend, &semantics)))
        .collect();
    let expected = BTreeMap::from([
        ("spatial_autocorr", "no: S1a! attr, S1a! seed, S7 backend"),
        ("co_occurrence", "yes: "),
        ("nhood_enrichment", "warns: S7 backend, C4 connectivity_key"),
        ("ripley", "no: C2! seed"),
        ("sepal", "yes: "),
        (
            "calculate_niche",
            "no: S4! adata, C1! data, C4 n_neighbors, C4 aggregation, C4 n_components, D23 kwargs",
        ),
        ("spatial_neighbors_knn", "no: S4! adata, C1! data"),
    ]);
    assert_eq!(verdicts, expected.into_iter().map(|(k, v)| (k, v.to_owned())).collect());
}

#[test]
fn a_model_citizen_has_no_finding_at_all() {
    let semantics = semantics()
        .constant("Key.obsp.spatial_conn()", "spatial_connectivities")
        .constant("Key.obsm.spatial", "spatial");
    let assessment = dispatchable(&signature(HOST[4].1), &signature(BACKEND[4]), &semantics);
    assert_eq!(assessment.findings, []);
}

#[test]
fn a_probe_settles_none_against_a_value() {
    let (host, backend) = ("a, *, k=None", "a, *, k='x'");
    assert_eq!(check(host, backend, &semantics()), "warns: C4 k");
    assert_eq!(check(host, backend, &semantics().proof("k", Proof::Equal)), "yes: ");
    assert_eq!(check(host, backend, &semantics().proof("k", Proof::Different)), "warns: S1b k");
}

#[test]
fn each_rule_is_found_on_its_own() {
    let cases = [
        ("a, attr='X'", "a", "no: S1a! attr"),
        ("a, *, layer=None", "a", "no: S2! layer"),
        ("a, other=1", "a", "yes: "),
        ("a, n=2", "a, *, n=3", "warns: S1b n"),
        ("a, n=2", "a, *, n", "no: S1b! n"),
        ("a, n", "a, *, n=3", "yes: "),
        ("a, n=2", "a, *, n=2.0", "yes: "),
        ("a, b", "b, a", "warns: S3 a"),
        ("a, *, b=1, c=1", "a, *, c=1, b=1", "yes: "),
        ("a, b=1, c=1", "a, *, c=1, b=1", "yes: "),
        ("a, b", "a, b, c=1", "warns: S4 c"),
        ("a, b", "a, c, b", "no: S4! c"),
        (
            "a, backend_kwargs=None",
            "a, *, backend_kwargs=None",
            "warns: S5 backend_kwargs, S5 backend_kwargs",
        ),
        ("a, backend=None", "a", "warns: S7 backend"),
        ("data, b", "adata, b", "no: S4! adata, C1! data"),
        ("a, b, *, t", "a, b, *, u", "no: C1! t"),
        ("a, b", "a", "no: D21! b"),
        ("a", "a, *, b", "no: D22! b"),
        ("a, random_state=0", "a, *, rng=None", "warns: C2 random_state"),
        ("a, seed=0", "a, *, rng=None", "no: C2! seed"),
        ("a, n=f()", "a, *, n=g()", "warns: C5 n"),
        ("self, a", "self, a", "no: D25! self"),
        ("a, *args", "a", "no: D25! args"),
        (
            "a, **kw",
            "a, *, seed=0, attr=0, layer=0, use_raw=0, library_key=0, clusters=0, mask=0, radius=0",
            "warns: D23 kw",
        ),
        ("a", "a, **kw", "warns: D23 kw"),
    ];
    for (host, backend, expected) in cases {
        assert_eq!(check(host, backend, &semantics()), expected, "{host} | {backend}");
    }
}

#[test]
fn a_seed_behind_var_keyword_is_lost() {
    let assessment =
        dispatchable(&signature("a, **kw"), &signature("a"), &Semantics::new(["seed"]));
    assert_eq!(assessment.verdict, Verdict::No);
    assert_eq!(assessment.of(Rule::D23).count(), 2);
}

#[test]
fn a_hidden_name_warns_instead_of_being_lost() {
    let semantics = semantics().hidden("random_state", "rng");
    let found = check("a, random_state=0", "a, *, rng=None", &semantics);
    assert_eq!(found, "warns: C3 random_state");
}

#[test]
fn a_function_against_itself_has_no_finding_but_its_own() {
    for (_, host) in HOST {
        let found = dispatchable(&signature(host), &signature(host), &semantics()).findings;
        assert!(found.iter().all(|f| f.rule == Rule::S7), "{found:?}");
    }
}

#[test]
fn c6_a_narrowed_kind_is_one_note() {
    let found = dispatchable(&signature("a, b=1, c=1"), &signature("a, *, c=1, b=1"), &semantics());
    assert_eq!(found.verdict, Verdict::Yes);
    assert_eq!(found.findings.len(), 1);
    assert_eq!(found.findings[0].rule, Rule::C6);
    assert!(
        found.findings[0].message.starts_with("`b`, `c` can be passed by position to the host")
    );
}
