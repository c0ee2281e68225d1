//! What is written is read again, to the bit, for datasets of every shape and kind; and what AnnData
//! cannot hold is refused with the name of the slot.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::collections::BTreeSet;

use anndata_io::{Compression, Error, WriteOptions};
use dispatch::{
    Buffer, Categorical, Dataset, Dense, Dtype, Format, Frame, Index, Indices, Map, Masked, Order,
    Sparse, Strings, Value,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

fn round_trip(data: &Dataset, compression: Compression) -> Result<Dataset, Error> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.h5ad");
    anndata_io::write_with(&path, data, &WriteOptions { compression })?;
    let file = anndata_io::read(&path)?;
    assert_eq!(file.unread, []);
    Ok(file.data)
}

/// A dataset of two cells and one value in `uns/it`.
fn holding(value: impl Into<Value>) -> Dataset {
    let mut data = Dataset::new();
    data.set("X", Dense::new(vec![2, 1], vec![1.0f32, 2.0]).into());
    data.set("uns/it", value.into());
    data
}

fn comes_back_as(value: impl Into<Value>, want: impl Into<Value>) {
    let data = round_trip(&holding(value), Compression::None).unwrap();
    assert_eq!(data.get("uns/it"), Some(&want.into()));
}

fn refused(data: &Dataset) -> String {
    let error = round_trip(data, Compression::None).unwrap_err();
    assert!(matches!(error, Error::Unstorable { .. }), "{error}");
    let text = error.to_string();
    text.split_once(" at ").unwrap().1.to_owned()
}

#[test]
fn scalars_and_lists_come_back_as_from_python() {
    comes_back_as(Dense::new(vec![], vec![0.1f32]), Value::Float(0.1f32.into()));
    comes_back_as(Dense::new(vec![], vec![7u8]), Value::Int(7));
    comes_back_as(Dense::new(vec![], vec![u64::MAX]), Dense::new(vec![], vec![u64::MAX]));
    comes_back_as(Dense::new(vec![], vec![true]), true);
    comes_back_as(Value::Int(i64::MIN), Value::Int(i64::MIN));
    comes_back_as(Value::List(vec!["a".into(), "".into()]), Strings::new(["a", ""]));
    comes_back_as(Value::List(vec![1.into(), 2.into()]), Dense::vector(vec![1i64, 2]));
    comes_back_as(Value::List(vec![1.into(), 2.5.into()]), Dense::vector(vec![1.0, 2.5]));
    comes_back_as(Value::List(vec![]), Dense::vector(Vec::<f64>::new()));
    let text = Strings { shape: vec![], values: vec![Some("x".into())], nullable: false };
    comes_back_as(text, "x");
}

#[test]
fn layouts_without_a_form_of_their_own_are_stored_as_anndata_does() {
    let c = Dense::new(vec![2, 3], vec![1i16, 2, 3, 4, 5, 6]);
    comes_back_as(c.to_order(Order::F), c);
    // A missing string can only be told from an empty one in the nullable form.
    let values = vec![None, Some(String::new())];
    let plain = Strings { shape: vec![2], values, nullable: false };
    comes_back_as(plain.clone(), Strings { nullable: true, ..plain });
}

#[test]
fn cells_and_genes_without_names_are_numbered() {
    let mut data = Dataset::new();
    data.set("obsp/w", Sparse::csr((3, 3), vec![0, 0, 1, 1], vec![2], vec![1u8]).into());
    let data = round_trip(&data, Compression::None).unwrap();
    assert_eq!(data.obs_names(), ["0", "1", "2"]);
    assert_eq!(data.n_vars(), 0);
}

#[test]
fn what_anndata_cannot_hold_is_refused_by_name() {
    let tuple = holding(Value::Tuple(vec![]));
    assert!(refused(&tuple).starts_with("`uns/it`: AnnData cannot store a tuple"));
    assert!(refused(&holding(Value::List(vec![1.into(), "a".into()]))).contains("all text"));
    assert!(refused(&holding("a\0b")).contains("NUL inside the string"));
    assert!(
        refused(&holding(Masked { values: Dense::vector(vec![1.5]), mask: vec![true] }))
            .contains("expected integers or bools")
    );
    let map = Map::from([("a/b".to_owned(), 1.into())]);
    assert!(refused(&holding(map)).starts_with("`uns/it/a/b`: `a/b` cannot be a name"));
    let codes = Categorical::new(vec![0, 2], ["a", "b"]);
    assert!(refused(&holding(codes)).contains("code 2 for 2 categories"));
    let broken = Sparse::csr((1, 1), vec![0, 1], vec![1], vec![1.0]);
    assert!(refused(&holding(broken)).contains("index 1 at position 0, expected below 1"));

    let index = Index { names: vec![None; 2], levels: vec![Strings::new(["a"]).into(); 2] };
    let multi = Frame::new(index, Vec::<(String, Value)>::new());
    assert!(refused(&holding(multi)).contains("AnnData stores no MultiIndex"));
    let column = || -> Value { Dense::vector(vec![1.0]).into() };
    let twice = Frame::new(Index::text(["a"]), [("x", column()), ("x", column())]);
    assert!(refused(&holding(twice)).contains("two columns are named `x`"));
    let long = Frame::new(Index::text(["a", "b"]), [("x", column())]);
    assert!(refused(&holding(long)).starts_with("`uns/it/x`: expected 2 rows"));

    let mut data = holding(1);
    data.set("result", 1.into());
    assert!(refused(&data).starts_with("`result`: not a slot of AnnData"));
    data.remove("result");
    data.set("obsm/spatial", Dense::new(vec![3, 2], vec![0.0; 6]).into());
    assert!(
        refused(&data)
            .starts_with("`obsm/spatial`: expected an array, sparse matrix or frame of 2 rows")
    );
}

#[test]
fn an_index_that_is_also_a_column_is_stored_once() {
    let names: Value = Strings::new(["a", "b"]).into();
    let index = Index { names: vec![Some("gene".into())], levels: vec![names.clone()] };
    let frame = Frame::new(index.clone(), [("gene", names)]);
    comes_back_as(frame.clone(), frame);
    let other = Frame::new(index, [("gene", Strings::new(["a", "c"]).into())]);
    assert!(refused(&holding(other)).contains("both named `gene`"));
}

#[test]
fn a_failed_write_leaves_the_old_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.h5ad");
    anndata_io::write(&path, &holding(1)).unwrap();
    assert!(anndata_io::write(&path, &holding(Value::Tuple(vec![]))).is_err());
    assert_eq!(anndata_io::read(&path).unwrap().data.get("uns/it"), Some(&Value::Int(1)));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "no partial file is left");
    let error = anndata_io::write(&folder.path().join("no/x.h5ad"), &holding(1)).unwrap_err();
    assert!(matches!(error, Error::Io { action: "write", .. }), "{error}");
}

// --- any dataset -------------------------------------------------------------------------------------

/// `n` elements of any dtype, NaN, infinities and extremes among them.
fn buffer(n: usize) -> impl Strategy<Value = Buffer> {
    let number = prop_oneof![
        4 => -100.0..100.0,
        1 => select(vec![0.0, -0.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e300, -1e300, 1e-320]),
    ];
    (select(Dtype::ALL), vec(number, n)).prop_map(|(dtype, v)| Buffer::from_f64(dtype, &v))
}

fn dense(shape: Vec<usize>) -> impl Strategy<Value = Value> {
    buffer(shape.iter().product()).prop_map(move |data| Dense::new(shape.clone(), data).into())
}

/// A sparse matrix with unsorted and repeated indices.
fn sparse(rows: usize, columns: usize) -> impl Strategy<Value = Value> {
    (any::<bool>(), any::<bool>()).prop_flat_map(move |(csc, wide)| {
        let (major, minor) = if csc { (columns, rows) } else { (rows, columns) };
        let most = if minor == 0 { 0 } else { 4 };
        vec(vec(0..minor.max(1), 0..=most), major).prop_flat_map(move |lanes| {
            let mut indptr = vec![0i64];
            lanes.iter().for_each(|lane| indptr.push(indptr[indptr.len() - 1] + lane.len() as i64));
            let flat: Vec<i64> = lanes.concat().into_iter().map(|i| i as i64).collect();
            buffer(flat.len()).prop_map(move |data| {
                let width = |v: &[i64]| match wide {
                    true => Indices::I64(v.to_vec()),
                    false => Indices::I32(v.iter().map(|&i| i as i32).collect()),
                };
                let format = if csc { Format::Csc } else { Format::Csr };
                let (indptr, indices) = (width(&indptr), width(&flat));
                Sparse { format, shape: (rows, columns), indptr, indices, data }.into()
            })
        })
    })
}

fn matrix(rows: usize, columns: usize) -> BoxedStrategy<Value> {
    prop_oneof![dense(vec![rows, columns]), sparse(rows, columns)].boxed()
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[a-zA-Z0-9 _.-]{0,12}", "[^\0]{0,6}"]
}

fn strings(n: usize) -> impl Strategy<Value = Value> {
    let plain = vec(text(), n).prop_map(|v| Strings::new(v).into());
    let nullable = vec(proptest::option::of(text()), n)
        .prop_map(|values| Strings { shape: vec![values.len()], values, nullable: true }.into());
    prop_oneof![plain, nullable]
}

fn categorical(n: usize) -> impl Strategy<Value = Value> {
    let labels = prop_oneof![
        // Beyond 127 and 32767 categories the codes widen.
        select(vec![0usize, 1, 3, 126, 127, 300])
            .prop_map(|k| Value::from(Strings::new((0..k).map(|i| format!("k{i}"))))),
        (0usize..5).prop_map(|k| Value::from(Dense::vector((0..k as i64).collect::<Vec<_>>()))),
    ];
    (labels, any::<bool>()).prop_flat_map(move |(labels, ordered)| {
        let count = labels.len().unwrap() as i32;
        vec(-1..count, n).prop_map(move |codes| {
            Categorical { codes, categories: Box::new(labels.clone()), ordered }.into()
        })
    })
}

fn masked(n: usize) -> impl Strategy<Value = Value> {
    let integer = buffer(n).prop_filter_map("nullable floats do not exist", |values| {
        (!values.dtype().is_float()).then_some(values)
    });
    (integer, vec(any::<bool>(), n))
        .prop_map(|(values, mask)| Masked { values: Dense::vector(values), mask }.into())
}

fn column(n: usize) -> impl Strategy<Value = Value> {
    prop_oneof![dense(vec![n]), strings(n), categorical(n), masked(n)]
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z][a-z0-9_ .-]{0,10}", "[^\0/._]{1,5}"]
}

fn frame(n: usize) -> impl Strategy<Value = Value> {
    let index = prop_oneof![strings(n), dense(vec![n])];
    (
        index,
        proptest::option::of(Just("the index".to_owned())),
        proptest::collection::btree_map(name(), column(n), 0..5),
    )
        .prop_map(|(level, name, columns)| {
            let index = Index { names: vec![name], levels: vec![level] };
            // Not in the order of the alphabet, so that column-order matters.
            Frame::new(index, columns.into_iter().rev()).into()
        })
}

fn group(member: BoxedStrategy<Value>) -> impl Strategy<Value = Value> {
    proptest::collection::btree_map(name(), member, 0..3).prop_map(Value::Map)
}

fn anything() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::None),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Int),
        any::<f64>().prop_map(Value::Float),
        text().prop_map(Value::Text),
        (0usize..4).prop_flat_map(|n| dense(vec![n, 2, 3])),
        (0usize..4).prop_flat_map(column),
        (0usize..4, 0usize..4).prop_flat_map(|(n, m)| sparse(n, m)),
        (0usize..4).prop_flat_map(frame),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| group(inner.boxed()))
}

fn dataset() -> impl Strategy<Value = Dataset> {
    (0usize..6, 0usize..5).prop_flat_map(|(n, g)| {
        let aligned =
            |rows| prop_oneof![matrix(rows, 3), dense(vec![rows, 2, 2]), frame(rows)].boxed();
        let raw =
            (matrix(n, g + 1), frame(g + 1), group(aligned(g + 1))).prop_map(|(x, var, varm)| {
                Value::from(Map::from([
                    ("X".into(), x),
                    ("var".into(), var),
                    ("varm".into(), varm),
                ]))
            });
        let slots = (
            proptest::option::of(matrix(n, g)),
            group(matrix(n, g)),
            (frame(n), frame(g)),
            (group(aligned(n)), group(aligned(g))),
            (group(matrix(n, n)), group(matrix(g, g))),
            group(anything().boxed()),
            proptest::option::of(raw),
        );
        slots.prop_map(|(x, layers, (obs, var), (obsm, varm), (obsp, varp), uns, raw)| {
            let fixed = [
                ("layers", layers),
                ("obs", obs),
                ("var", var),
                ("obsm", obsm),
                ("varm", varm),
                ("obsp", obsp),
                ("varp", varp),
                ("uns", uns),
            ];
            let extra = [x.map(|x| ("X", x)), raw.map(|r| ("raw", r))].into_iter().flatten();
            Dataset::from(
                fixed.into_iter().chain(extra).map(|(k, v)| (k.to_owned(), v)).collect::<Map>(),
            )
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_dataset_survives(data in dataset(), packed in any::<bool>()) {
        let compression = if packed { Compression::Gzip(1) } else { Compression::None };
        let back = round_trip(&data, compression).unwrap();
        for ((path, got), (_, want)) in back.leaves().into_iter().zip(data.leaves()) {
            prop_assert_eq!(got, want, "slot `{}`", path);
        }
        prop_assert_eq!(back, data);
    }
}

#[test]
fn large_arrays_are_packed_in_several_chunks() {
    let values: Vec<f64> = (0..400_000).map(f64::from).collect();
    let data = holding(Dense::new(vec![1000, 400], values));
    assert_eq!(round_trip(&data, Compression::Gzip(4)).unwrap().get("uns/it"), data.get("uns/it"));
}

#[test]
fn a_dataset_inside_uns_survives() {
    let inner = round_trip(&holding("deep"), Compression::None).unwrap();
    comes_back_as(Value::Data(inner.clone().into()), Value::Data(inner.into()));
}

#[test]
fn the_same_dataset_gives_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let bytes: BTreeSet<Vec<u8>> = (0..2)
        .map(|i| {
            let path = folder.path().join(format!("{i}.h5ad"));
            anndata_io::write(&path, &holding(Categorical::new(vec![0, 1], ["a", "b"]))).unwrap();
            std::fs::read(path).unwrap()
        })
        .collect();
    assert_eq!(bytes.len(), 1);
}
