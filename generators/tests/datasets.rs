//! Every recipe builds a sound AnnData, the same each time, whose slots cannot be mistaken for each other.

use std::collections::BTreeSet;

use dispatch::{Call, Categorical, Dataset, Frame, Sparse, Value};
use generators::{GENERATORS, Generator, Recipe, generator, plan, strategy};
use proptest::prelude::*;

/// All recipes that differ from the simplest in one knob, and the plan.
fn recipes(generator: &'static Generator) -> Vec<Recipe> {
    let simplest = Recipe::simplest(generator, 11);
    // Large levels are read from the ladder; to build each of them here would take a while.
    let single =
        generator.knobs.iter().flat_map(|k| k.levels[..k.ordinary()].iter().map(|l| (k.name, *l)));
    single
        .filter_map(|(knob, level)| simplest.with(knob, level))
        .chain(plan::pairwise(generator, 5))
        .collect()
}

#[test]
fn every_level_and_every_pair_builds_a_sound_dataset() {
    for &generator in GENERATORS {
        for recipe in recipes(generator) {
            check_sound(&recipe, &recipe.build());
        }
    }
}

#[test]
fn almost_every_level_stands_alone() {
    let lacking = |generator: &'static Generator| -> Vec<String> {
        let simplest = Recipe::simplest(generator, 0);
        let all = generator
            .knobs
            .iter()
            .flat_map(|k| k.levels[..k.ordinary()].iter().map(|l| (k.name, *l)));
        all.filter(|(knob, level)| simplest.with(knob, level).is_none())
            .map(|(knob, level)| format!("{knob}={level}"))
            .collect()
    };
    // There are four cells and two clusters, and no fewer cells than clusters.
    let expected: [&[&str]; 3] =
        [&[], &["cells=1", "clusters=5", "clusters=12"], &["clusters=5", "clusters=12"]];
    assert_eq!(GENERATORS.iter().map(|g| lacking(g)).collect::<Vec<_>>(), expected);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn drawn_recipes_build_sound_datasets_twice_the_same(
        recipe in (0..GENERATORS.len()).prop_flat_map(|i| strategy::recipes(GENERATORS[i]))
    ) {
        let call = recipe.build();
        check_sound(&recipe, &call);
        prop_assert_eq!(recipe.build().digest(), call.digest());
    }
}

#[test]
fn a_function_is_always_called_with_the_same_parameters() {
    for &generator in GENERATORS {
        let names = |call: &Call| call.params.keys().cloned().collect::<BTreeSet<String>>();
        let expected = names(&Recipe::simplest(generator, 0).build());
        for absent in ["adata", "n_jobs", "backend", "show_progress_bar"] {
            assert!(!expected.contains(absent));
        }
        for recipe in recipes(generator) {
            let given = names(&recipe.build());
            match recipe.is("arguments", "all") {
                true => assert_eq!(given, expected, "{recipe}"),
                false => assert!(given.is_subset(&expected), "{recipe}"),
            }
        }
    }
}

#[test]
fn slots_that_could_be_confused_differ() {
    for function in ["spatial_autocorr", "ligrec"] {
        for recipe in recipes(generator(function).unwrap()) {
            let data = recipe.build().data;
            let matrix = |path: &str| data.get(path).map(row_major);
            let [x, layer, mut raw] = [matrix("X"), matrix("layers/counts"), matrix("raw/X")];
            // The genes of X, in its order, as raw has them: in reverse behind one more.
            let width = data.n_vars();
            if let Some(raw) = &mut raw {
                *raw = raw
                    .chunks(width + 1)
                    .flat_map(|row| row.iter().rev().take(width).copied())
                    .collect();
            }
            let source = recipe.level("source");
            let bits = |m: &Option<Vec<f64>>| {
                m.as_ref().map(|m| m.iter().map(|x| x.to_bits()).collect::<Vec<_>>())
            };
            let others = match source {
                "X" => [&layer, &raw],
                "layer" => [&x, &raw],
                _ => [&x, &layer],
            };
            let tested = match source {
                "X" => &x,
                "layer" => &layer,
                "raw" | "raw-over-layer" => &raw,
                _ => continue,
            };
            for other in others {
                assert!(tested.is_none() || bits(tested) != bits(other), "{function}: {recipe}");
            }
        }
    }
}

/// A knob of one part leaves the random numbers of the others alone.
#[test]
fn changing_the_graph_keeps_the_values() {
    let simplest = Recipe::simplest(generator("spatial_autocorr").unwrap(), 8);
    let other = simplest.with("graph", "random").unwrap();
    let (a, b) = (simplest.build().data, other.build().data);
    for path in ["X", "layers/counts", "raw/X", "obsm/spatial", "obs"] {
        assert_eq!(a.get(path), b.get(path), "{path}");
    }
    assert_ne!(a.get("obsp/spatial_connectivities"), b.get("obsp/spatial_connectivities"));
}

#[test]
fn another_seed_gives_other_data() {
    for &generator in GENERATORS {
        let digest = |seed| Recipe::simplest(generator, seed).build().digest();
        assert_ne!(digest(0), digest(1));
    }
}

#[test]
fn an_exact_interval_consists_of_distances() {
    let function = generator("co_occurrence").unwrap();
    for seed in 0..20 {
        let call = Recipe::simplest(function, seed).with("interval", "exact").unwrap().build();
        let places = row_major(call.data.get("obsm/spatial").unwrap());
        let thresholds = row_major(call.param("interval").unwrap());
        let distance =
            |a: &[f64], b: &[f64]| ((a[0] - b[0]).powi(2) + (a[1] - b[1]).powi(2)).sqrt();
        for t in thresholds {
            let pairs = places.chunks(2).flat_map(|a| places.chunks(2).map(move |b| (a, b)));
            assert!(pairs.into_iter().any(|(a, b)| distance(a, b) == t), "no pair at {t}");
        }
    }
}

#[test]
fn an_exact_threshold_is_a_fraction_of_cells() {
    let function = generator("ligrec").unwrap();
    let recipe =
        Recipe::parse(function, "cells=33 expression=zero-inflated threshold=exact seed=2")
            .unwrap();
    let call = recipe.build();
    let Some(Value::Categorical(labels)) = call.data.get("obs/cluster") else {
        panic!("no labels")
    };
    let x = row_major(call.data.get("X").unwrap());
    let first: Vec<usize> = (0..33).filter(|&i| labels.codes[i] == 0).collect();
    let expressing = first.iter().filter(|&&i| x[2 * i] > 0.0).count();
    let fraction = expressing as f64 / first.len() as f64;
    assert!(fraction > 0.0 && fraction < 1.0);
    assert_eq!(call.param("threshold"), Some(&Value::Float(fraction)));
}

/// The numbers of an array or a sparse matrix, row-major; duplicates are summed.
fn row_major(value: &Value) -> Vec<f64> {
    match value {
        Value::Dense(dense) => dense.to_f64(),
        Value::Sparse(sparse) => {
            let rows = match sparse.format {
                dispatch::Format::Csr => sparse.clone(),
                dispatch::Format::Csc => sparse.recompress(),
            };
            let mut out = vec![0.0; rows.shape.0 * rows.shape.1];
            for i in 0..rows.major() {
                rows.lane(i).for_each(|(j, x)| out[i * rows.shape.1 + j] += x);
            }
            out
        }
        other => panic!("expected a matrix, got {}", other.type_name()),
    }
}

fn check_sound(recipe: &Recipe, call: &Call) {
    let data = &call.data;
    assert_eq!(call.function, recipe.generator().function);
    assert_eq!(data.n_obs(), recipe.number("cells"), "{recipe}");
    let raw_genes = data.get("raw/var").and_then(Value::len);
    let (cells, genes) = (data.n_obs(), data.n_vars());
    assert_eq!(data.obs_names().iter().collect::<BTreeSet<_>>().len(), cells);
    assert_eq!(data.var_names().iter().collect::<BTreeSet<_>>().len(), genes);
    for (path, value) in data.leaves() {
        let shape = shape(value);
        match path.split('/').collect::<Vec<_>>().as_slice() {
            ["X"] | ["layers", _] => assert_eq!(shape, [cells, genes], "{path} of {recipe}"),
            ["raw", "X"] => assert_eq!(Some(shape), raw_genes.map(|n| vec![cells, n]), "{recipe}"),
            ["obs"] => assert_eq!(shape[0], cells, "{recipe}"),
            ["var"] => assert_eq!(shape[0], genes, "{recipe}"),
            ["raw", "var"] => {}
            ["obsm", _] => assert_eq!(shape[0], cells, "{path} of {recipe}"),
            ["obsp", _] => assert_eq!(shape, [cells, cells], "{path} of {recipe}"),
            _ => panic!("unexpected slot {path} of {recipe}"),
        }
        check_value(value, &format!("{path} of {recipe}"));
    }
    call.params.iter().for_each(|(name, value)| check_value(value, &format!("{name} of {recipe}")));
}

fn shape(value: &Value) -> Vec<usize> {
    match value {
        Value::Dense(dense) => dense.shape.clone(),
        Value::Sparse(sparse) => vec![sparse.shape.0, sparse.shape.1],
        Value::Frame(frame) => vec![frame.index.len(), frame.columns.len()],
        other => panic!("unexpected {}", other.type_name()),
    }
}

fn check_value(value: &Value, place: &str) {
    match value {
        Value::Dense(dense) => {
            assert_eq!(dense.shape.iter().product::<usize>(), dense.data.len(), "{place}")
        }
        Value::Sparse(sparse) => check_sparse(sparse, place),
        Value::Frame(frame) => check_frame(frame, place),
        Value::Categorical(categorical) => check_categorical(categorical, place),
        Value::List(values) | Value::Tuple(values) => {
            values.iter().for_each(|v| check_value(v, place))
        }
        Value::Map(map) => map.values().for_each(|v| check_value(v, place)),
        Value::Strings(strings) => assert!(strings.values.iter().all(Option::is_some), "{place}"),
        Value::None | Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Text(_) => {}
        Value::Masked(_) | Value::Data(_) => panic!("unexpected {} in {place}", value.type_name()),
    }
}

fn check_sparse(sparse: &Sparse, place: &str) {
    assert_eq!(sparse.validate(), Ok(()), "{place}");
    assert_eq!(sparse.indices.dtype(), sparse.indptr.dtype(), "{place}");
}

fn check_frame(frame: &Frame, place: &str) {
    assert_eq!(frame.column_index.len(), frame.columns.len(), "{place}");
    for column in &frame.columns {
        assert_eq!(column.len(), Some(frame.index.len()), "{place}");
        check_value(column, place);
    }
}

fn check_categorical(categorical: &Categorical, place: &str) {
    let names = categorical.names();
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "{place}");
    assert!(categorical.codes.iter().all(|&c| c >= -1 && c < names.len() as i32), "{place}");
}

/// A dataset is only a value: two builds are equal, not just alike.
#[test]
fn builds_are_equal_as_values() {
    for &generator in GENERATORS {
        let recipe = plan::pairwise(generator, 1).pop().unwrap();
        let (a, b): (Dataset, Dataset) =
            ((*recipe.build().data).clone(), (*recipe.build().data).clone());
        assert_eq!(a, b);
    }
}
