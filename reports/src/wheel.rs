//! What a wheel hashes to before and after it is installed.
//!
//! `pip install` keeps the rows of a wheel's RECORD and adds its own, so a digest over the wheel's rows names the
//! build on the maker's disk and in a user's environment alike. The loader in `python/` computes the same number.

use std::io::{Cursor, Read};

use dispatch::Digest;

use crate::certificate::CertificateError;

/// Files of `*.dist-info/` that an installer or a signer adds.
const ADDED: [&str; 6] =
    ["RECORD", "RECORD.jws", "RECORD.p7s", "INSTALLER", "REQUESTED", "direct_url.json"];

/// The digest `wheelRecord1` of a wheel.
///
/// # Errors
/// When the bytes are no wheel.
pub fn record_digest(file: &str, bytes: &[u8]) -> Result<Digest, CertificateError> {
    let error = |why: String| CertificateError::Wheel { file: file.to_owned(), why };
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(|e| error(e.to_string()))?;
    for i in 0..archive.len() {
        let mut entry = archive.by_index(i).map_err(|e| error(e.to_string()))?;
        let name = entry.name().map_err(|e| error(e.to_string()))?.into_owned();
        let dir = name
            .strip_suffix("/RECORD")
            .filter(|dir| dir.ends_with(".dist-info") && !dir.contains('/'));
        if dir.is_some() {
            let mut text = String::new();
            entry.read_to_string(&mut text).map_err(|e| error(e.to_string()))?;
            return Ok(of_record(&text));
        }
    }
    Err(error("it holds no *.dist-info/RECORD".to_owned()))
}

/// The digest over the text of a RECORD: SHA-256 of the sorted lines `PATH,HASH`, of rows that have a hash and that
/// are the wheel's own.
pub fn of_record(text: &str) -> Digest {
    let mut rows: Vec<String> = text.lines().filter_map(row).collect();
    rows.sort();
    Digest::of_bytes(rows.concat().as_bytes())
}

fn row(line: &str) -> Option<String> {
    let (path, hash) = fields(line)?;
    let base = path.rsplit('/').next().unwrap_or_default();
    let is_added = path.contains(".dist-info/") && ADDED.contains(&base);
    let own = !hash.is_empty() && !path.starts_with("../") && !path.ends_with(".pyc") && !is_added;
    own.then(|| format!("{path},{hash}\n"))
}

/// The first two fields of a line of CSV; a path with a comma or a quote is quoted.
fn fields(line: &str) -> Option<(String, String)> {
    let (path, rest) = match line.strip_prefix('"') {
        None => line.split_once(',').map(|(path, rest)| (path.to_owned(), rest))?,
        Some(quoted) => {
            let mut end = 0;
            loop {
                end += quoted[end..].find('"')?;
                match quoted[end + 1..].starts_with('"') {
                    true => end += 2,
                    false => break,
                }
            }
            (quoted[..end].replace("\"\"", "\""), quoted[end + 1..].strip_prefix(',')?)
        }
    };
    Some((path, rest.split(',').next()?.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_installer_adds_changes_nothing() {
        let wheel = "b/x.py,sha256=BB,3\na/__init__.py,sha256=AA,10\nb-1.dist-info/RECORD,,\n";
        let installed = "a/__init__.py,sha256=AA,10\na/__pycache__/x.pyc,,\n../../bin/b,sha256=CC,1\n\
                         b-1.dist-info/INSTALLER,sha256=DD,4\nb-1.dist-info/RECORD,,\nb/x.py,sha256=BB,3\n";
        assert_eq!(of_record(wheel), of_record(installed));
        assert_eq!(
            of_record(wheel),
            Digest::of_bytes(b"a/__init__.py,sha256=AA\nb/x.py,sha256=BB\n")
        );
        assert_ne!(of_record(wheel), of_record(&wheel.replace("BB", "BC")));
        assert_eq!(of_record("\"a,\"\"b\",sha256=AA,1\n"), Digest::of_bytes(b"a,\"b,sha256=AA\n"));
    }
}
