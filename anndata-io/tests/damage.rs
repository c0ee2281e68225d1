//! A damaged file is an error or, where the damage is in a number, another dataset: never a panic, never
//! a process that runs out of memory.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::path::{Path, PathBuf};

use anndata_io::{Compression, Error, WriteOptions};
use dispatch::{Dataset, Dense};
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

/// Positions of a number of 64 bits.
fn places(bytes: &[u8], number: u64) -> Vec<usize> {
    let number = number.to_le_bytes();
    (0..bytes.len() - 8).filter(|&at| bytes[at..at + 8] == number).collect()
}

/// A matrix of random bits, which take as many bytes packed as they do otherwise.
fn written(rows: usize, compression: Compression) -> Vec<u8> {
    let mut state = 1u64;
    let mut bits = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as u32 | 1
    };
    let mut data = Dataset::new();
    let values: Vec<u32> = (0..rows * 64).map(|_| bits()).collect();
    data.set("X", Dense::new(vec![rows, 64], values).into());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("whole.h5ad");
    anndata_io::write_with(&path, &data, &WriteOptions { compression }).unwrap();
    assert_eq!(anndata_io::read(&path).unwrap().data.get("X"), data.get("X"));
    std::fs::read(&path).unwrap()
}

/// Lengths that a header claims, in one piece and in chunks, up to far more than any machine has.
#[test]
fn a_header_that_claims_more_than_the_file_has_is_an_error() {
    let bytes = fixture("every_slot.h5ad");
    // Stored entries of the sparse matrices, in chunks, and cells, in one piece.
    for length in [18, 7] {
        let places = places(&bytes, length);
        for claim in [1u64 << 60, u64::MAX / 4, 1 << 40] {
            let mut named = 0;
            for &at in &places {
                let mut wrong = bytes.clone();
                wrong[at..at + 8].copy_from_slice(&claim.to_le_bytes());
                if let Err(error) = read(&wrong) {
                    named += usize::from(error.to_string().contains(&claim.to_string()));
                }
            }
            let count = places.len();
            assert!(named >= 2, "{claim} for {length} is refused in {named} of {count} places");
        }
    }
}

#[test]
fn a_matrix_that_is_cut_off_is_an_error() {
    for compression in [Compression::None, Compression::Gzip(4)] {
        // More than what is held of a file, and more than one thread reads at a time.
        let bytes = written(40_000, compression);
        for length in [bytes.len() / 2, bytes.len() - 5_000_000, 1 << 20, (1 << 20) + 1] {
            assert!(read(&bytes[..length]).is_err(), "{compression:?} cut to {length}");
        }
    }
}

#[test]
fn a_flipped_bit_of_a_packed_matrix_is_an_error_that_says_where() {
    let mut bytes = written(2_000, Compression::Gzip(4));
    let middle = bytes.len() / 2;
    bytes[middle] ^= 4;
    let error = read(&bytes).unwrap_err();
    assert!(matches!(&error, Error::Damaged { at, .. } if at == "X"), "{error}");
    assert!(error.to_string().contains("the chunk of "), "{error}");
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
