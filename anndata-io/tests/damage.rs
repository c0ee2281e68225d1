//! A damaged file is an error or, where the damage is in a number, another dataset: never a panic, never
//! a process that runs out of memory.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::path::{Path, PathBuf};

use anndata_io::Error;
use proptest::prelude::*;

fn fixture(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name);
    std::fs::read(path).unwrap()
}

/// Reads `bytes` as a file of their own.
fn read(bytes: &[u8]) -> Result<anndata_io::File, Error> {
    let folder = tempfile::tempdir().unwrap();
    let path: PathBuf = folder.path().join("damaged.h5ad");
    std::fs::write(&path, bytes).unwrap();
    let result = anndata_io::read(&path);
    if let Err(error) = &result {
        let text = error.to_string();
        assert!(text.contains("damaged.h5ad"), "{text}");
        // A panic inside hdf5-pure is caught, but it would be a finding.
        assert!(!text.contains("the HDF5 reader gave up"), "{text}");
    }
    result
}

#[test]
fn what_is_no_hdf5_file_is_said_to_be_none() {
    for bytes in [&b""[..], b"hello", &[0; 4096]] {
        assert!(matches!(read(bytes), Err(Error::NotHdf5 { .. })));
    }
    let error = anndata_io::read(Path::new("nowhere/nothing.h5ad")).unwrap_err();
    assert!(matches!(error, Error::Io { action: "read", .. }), "{error}");
    assert!(error.to_string().starts_with("read nowhere/nothing.h5ad: "), "{error}");
}

#[test]
fn a_truncated_file_is_an_error() {
    for name in ["packed.h5ad", "old_0_7.h5ad"] {
        let bytes = fixture(name);
        for length in (0..bytes.len()).step_by(509) {
            let result = read(&bytes[..length]);
            assert!(result.is_err(), "{name} cut to {length} of {} bytes was read", bytes.len());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn flipped_bytes_never_panic(
        name in prop::sample::select(vec!["packed.h5ad", "old_0_7.h5ad", "unknown.h5ad", "empty_0x3.h5ad"]),
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20),
    ) {
        let mut bytes = fixture(name);
        for (at, byte) in flips {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let _ = read(&bytes);
    }

    /// Most bytes of a small file are padding; those that are not are hit here.
    #[test]
    fn flipped_bytes_of_the_structure_never_panic(
        name in prop::sample::select(vec!["packed.h5ad", "old_0_7.h5ad", "unknown.h5ad"]),
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut bytes = fixture(name);
        let used: Vec<usize> = (0..bytes.len()).filter(|&i| bytes[i] != 0).collect();
        for (at, byte) in flips {
            bytes[used[at.index(used.len())]] = byte;
        }
        let _ = read(&bytes);
    }
}
