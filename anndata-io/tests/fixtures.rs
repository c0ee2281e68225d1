//! Files that Python's anndata 0.13 wrote (`tests/python/make_fixtures.py`) hold what Python says.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::path::{Path, PathBuf};

use anndata_io::{Compression, Error, WriteOptions};
use dispatch::{Buffer, Dataset, Value};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

/// What Python had in memory.
fn expected(name: &str) -> Dataset {
    let text = std::fs::read_to_string(fixture(&format!("{name}.json"))).unwrap();
    match serde_json::from_str(&text).unwrap() {
        Value::Data(data) => (*data).clone(),
        other => panic!("{name}.json holds a {}", other.type_name()),
    }
}

/// Fails with the first slot that differs.
fn assert_same(got: &Dataset, want: &Dataset) {
    let paths = |d: &Dataset| d.leaves().into_iter().map(|(path, _)| path).collect::<Vec<_>>();
    assert_eq!(paths(got), paths(want));
    for ((path, got), (_, want)) in got.leaves().into_iter().zip(want.leaves()) {
        assert_eq!(got, want, "slot `{path}`");
    }
    assert_eq!(got, want);
}

fn check(name: &str) -> Dataset {
    let file = anndata_io::read(&fixture(&format!("{name}.h5ad"))).unwrap();
    assert_eq!(file.unread, []);
    assert_same(&file.data, &expected(name));
    file.data
}

#[test]
fn every_slot_and_encoding_is_read() {
    let data = check("every_slot");
    assert_eq!((data.n_obs(), data.n_vars()), (7, 5));
    let Some(Value::Sparse(unsorted)) = data.get("obsp/unsorted") else { panic!() };
    assert_eq!(unsorted.indices.to_vec(), [4, 1, 1, 0], "order and duplicates as stored");
    assert_eq!(data.get("uns/scalars/none"), Some(&Value::None));
    assert_eq!(data.get("uns/scalars/f32"), Some(&Value::Float(0.1f32.into())));
}

#[test]
fn an_empty_object_is_read() {
    let data = check("empty_0x3");
    assert_eq!((data.n_obs(), data.n_vars()), (0, 3));
}

#[test]
fn gzip_shuffle_fletcher32_and_lzf_are_unpacked() {
    check("packed");
}

#[test]
fn frames_of_anndata_0_7_are_read() {
    let data = check("old_0_7");
    let Some(Value::Categorical(kind)) = data.get("obs/kind") else { panic!() };
    assert!(kind.ordered);
    assert_eq!(kind.codes, [1, -1, 0]);
}

#[test]
fn what_was_read_is_written_and_read_again() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["every_slot", "empty_0x3", "packed"] {
        let data = expected(name);
        for compression in [Compression::None, Compression::Gzip(9)] {
            let path = folder.path().join("again.h5ad");
            anndata_io::write_with(&path, &data, &WriteOptions { compression }).unwrap();
            assert_same(&anndata_io::read(&path).unwrap().data, &data);
        }
    }
}

#[test]
fn unknown_slots_are_listed_and_written_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("back.h5ad");
    let mut file = anndata_io::read(&fixture("unknown.h5ad")).unwrap();
    let listed = |file: &anndata_io::File| -> Vec<String> {
        file.unread.iter().map(|u| u.path.clone()).collect()
    };
    let copied = ["obs/complex", "uns/bytes", "uns/kept/c64", "uns/record"];
    assert_eq!(listed(&file), [&copied[..3], &["uns/pointers", "uns/record"]].concat());
    assert_eq!(file.data.frame("obs").unwrap().column_names(), ["before", "after"]);

    // Text of variable length inside records cannot be copied, and that is said before anything is written.
    let error = file.write_back(&path).unwrap_err();
    assert!(matches!(error, Error::Uncopyable { .. }), "{error}");
    assert!(error.to_string().contains("`uns/pointers` (elements of type compound"), "{error}");
    assert!(!path.exists());

    file.unread.retain(|slot| slot.path != "uns/pointers");
    file.data.set("uns/kept/number", Value::Int(2));
    file.write_back(&path).unwrap();
    let back = anndata_io::read(&path).unwrap();
    assert_eq!(listed(&back), copied);
    assert_eq!(back.unread, file.unread, "the column is back at its place");
    assert_same(&back.data, &file.data);

    // Over itself, and once a group is gone its slots have no place.
    back.write_back(&path).unwrap();
    let mut back = anndata_io::read(&path).unwrap();
    assert_eq!(listed(&back), copied);
    back.data.remove("uns/kept");
    let error = back.write_back(&path).unwrap_err().to_string();
    assert!(error.contains("`uns/kept/c64` (its group is gone)"), "{error}");
}

#[test]
fn a_filter_we_have_not_is_named() {
    let error = anndata_io::read(&fixture("zstd.h5ad")).unwrap_err();
    let Error::Filter { at, filter, id, .. } = &error else { panic!("{error}") };
    assert_eq!((at.as_str(), *filter, *id), ("X", "zstd", 32015));
    assert!(error.to_string().contains("expected gzip, lzf or none"), "{error}");
}

#[test]
fn every_dtype_is_among_the_fixtures() {
    let data = expected("every_slot");
    let Some(Value::Map(arrays)) = data.get("uns/arrays") else { panic!() };
    for dtype in dispatch::Dtype::ALL {
        let Some(Value::Dense(array)) = arrays.get(dtype.name()) else { panic!("{dtype:?}") };
        assert_eq!(array.data, Buffer::from_f64(*dtype, &[0.0, 1.0, 100.0]), "{dtype:?}");
    }
}
