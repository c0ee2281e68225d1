//! Reading holds the data once. The kernel counts, for a process that does nothing but read one file.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::path::Path;
use std::process::Command;

use anndata_io::{Compression, WriteOptions};
use dispatch::{Dataset, Sparse};

const FILE: &str = "CONCORD_TEST_READS";

fn kib(status: &str, name: &str) -> u64 {
    let line = status.lines().find(|line| line.starts_with(name)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// The process that is measured; by itself it has nothing to read.
#[test]
fn reads_the_file_that_its_caller_names() {
    let Some(file) = std::env::var_os(FILE) else { return };
    let status = || std::fs::read_to_string("/proc/self/status").unwrap();
    let before = kib(&status(), "VmRSS");
    let data = anndata_io::read(Path::new(&file)).unwrap().data;
    let peak = kib(&status(), "VmHWM");
    println!("held {} of {}", (peak - before) << 10, data.digest());
}

/// 8 million entries of 4 and 4 bytes; 200 in each of 40,000 rows.
fn matrix() -> Dataset {
    const ROWS: usize = 40_000;
    let starts = (0..=ROWS).map(|i| 200 * i as i32).collect();
    let columns = (0..200 * ROWS).map(|k| (k % 200 * 10 + k / 200 % 10) as i32).collect();
    let values: Vec<f32> = (0..200 * ROWS).map(|k| (k as f32).sqrt()).collect();
    let mut data = Dataset::new();
    data.set("X", Sparse::csr((ROWS, 2000), starts, columns, values).into());
    data
}

#[test]
fn reading_takes_less_than_a_fifth_more_memory_than_the_data() {
    if !Path::new("/proc/self/status").exists() {
        return println!("not run: this system does not say how much memory a process has held");
    }
    let folder = tempfile::tempdir().unwrap();
    let data = matrix();
    // Level 0: chunks like those of any level, which are as fast to write as none.
    for compression in [Compression::None, Compression::Gzip(0)] {
        let path = folder.path().join("large.h5ad");
        anndata_io::write_with(&path, &data, &WriteOptions { compression }).unwrap();
        let size = std::fs::metadata(&path).unwrap().len();
        assert!(size > 64_000_000, "{size} bytes");
        let run = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "reads_the_file_that_its_caller_names", "--nocapture"])
            .env(FILE, &path)
            .output()
            .unwrap();
        let out = String::from_utf8_lossy(&run.stdout);
        let line = out.lines().find_map(|line| line.split_once("held ")).expect(&out).1;
        let (held, digest) = line.split_once(" of ").unwrap();
        let held: u64 = held.parse().unwrap();
        assert!(held > size * 9 / 10, "{held} bytes for a file of {size}: not all was counted");
        assert!(held < size * 12 / 10, "{held} bytes for a file of {size}, {compression:?}");
        let back = anndata_io::read(&path).unwrap().data;
        assert_eq!(digest, back.digest().to_string());
        assert_eq!(back.get("X"), data.get("X"), "{compression:?}");
    }
}
