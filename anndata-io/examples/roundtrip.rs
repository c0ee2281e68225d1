//! Reads an `.h5ad` file and writes what was read, for `tests/python/roundtrip.py`.
//!
//! `roundtrip IN OUT [gzip] [drop=PATH]...`: `gzip` packs the arrays and leaves out all slots listed
//! as unread, `drop=PATH` gives up one of them.

use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use anndata_io::{Compression, Error, WriteOptions};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [input, output, options @ ..] = arguments.as_slice() else {
        eprintln!("usage: roundtrip IN.h5ad OUT.h5ad [gzip] [drop=PATH]...");
        return ExitCode::from(2);
    };
    match round_trip(Path::new(input), Path::new(output), options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn round_trip(input: &Path, output: &Path, options: &[String]) -> Result<(), Error> {
    let start = Instant::now();
    let mut file = anndata_io::read(input)?;
    let read = start.elapsed();
    for slot in &file.unread {
        eprintln!("unread: {} ({})", slot.path, slot.why);
    }
    let given_up = |path: &str| options.iter().any(|o| o.strip_prefix("drop=") == Some(path));
    file.unread.retain(|slot| !given_up(&slot.path));
    let start = Instant::now();
    if options.iter().any(|o| o == "gzip") {
        let options = WriteOptions { compression: Compression::Gzip(4) };
        anndata_io::write_with(output, &file.data, &options)?;
    } else {
        file.write_back(output)?;
    }
    println!("read {read:.1?}, wrote {:.1?}", start.elapsed());
    Ok(())
}
