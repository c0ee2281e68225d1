//! Compiled kernels on disk, so that a process starts without compiling.
//!
//! An entry is named by everything that its content depends on and begins with the digest of the rest. It is
//! written beside its place and moved there, so that processes may meet; what does not match its digest is as good as
//! absent. A cache that cannot be read or written only costs time.

use std::path::{Path, PathBuf};

use dispatch::{Digest, Fault};

/// A folder of compiled kernels, or none.
#[derive(Clone, Debug)]
pub struct Cache {
    folder: Option<PathBuf>,
}

impl Cache {
    /// The cache in a folder, which need not exist.
    pub fn new(folder: &Path) -> Cache {
        Cache { folder: Some(folder.to_owned()) }
    }

    /// `CONCORD_CACHE`, else `concord` in the user's cache folder; nowhere if there is none.
    pub fn of_this_user() -> Cache {
        let set = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
        let home = || set("HOME").map(|home| home.join(".cache"));
        let folder = set("CONCORD_CACHE")
            .or_else(|| set("XDG_CACHE_HOME").or_else(home).map(|dir| dir.join("concord")));
        Cache { folder }
    }

    /// The entry of a key, made by `make` if it is not there or damaged.
    ///
    /// # Errors
    /// Those of `make`.
    pub fn get(
        &self,
        key: &[&str],
        make: impl FnOnce() -> Result<Vec<u8>, Fault>,
    ) -> Result<Vec<u8>, Fault> {
        // Each part with its length, so that no two keys run together.
        let parts: Vec<String> = key.iter().map(|part| format!("{}:{part}", part.len())).collect();
        let name = Digest::of_bytes(parts.concat().as_bytes());
        let Some(path) = self.folder.as_ref().map(|dir| dir.join(format!("{name}.cubin"))) else {
            return make();
        };
        if let Some(content) = read(&path) {
            return Ok(content);
        }
        let content = make()?;
        // Without the entry the next process compiles again.
        let _ = write(&path, &content);
        Ok(content)
    }
}

fn read(path: &Path) -> Option<Vec<u8>> {
    let entry = std::fs::read(path).ok()?;
    let (digest, content) = entry.split_at_checked(32)?;
    (Digest::of_bytes(content).bytes() == digest).then(|| content.to_vec())
}

fn write(path: &Path, content: &[u8]) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let own = path.with_extension(format!("{}.part", std::process::id()));
    let digest = Digest::of_bytes(content);
    std::fs::write(&own, [digest.bytes().as_slice(), content].concat())?;
    std::fs::rename(&own, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(cache: &Cache, key: &[&str]) -> (Vec<u8>, bool) {
        let mut was_made = false;
        let content = cache.get(key, || {
            was_made = true;
            Ok(key.concat().into_bytes())
        });
        (content.unwrap_or_default(), was_made)
    }

    #[test]
    fn an_entry_is_made_once_and_again_when_damaged() {
        let Ok(dir) = tempfile::tempdir() else { panic!("no temporary folder") };
        let cache = Cache::new(&dir.path().join("deep/inside"));
        assert_eq!(made(&cache, &["a", "bc"]), (b"abc".to_vec(), true));
        assert_eq!(made(&cache, &["a", "bc"]), (b"abc".to_vec(), false));
        assert_eq!(made(&cache, &["ab", "c"]), (b"abc".to_vec(), true));
        for damage in [&b""[..], b"short", &[0; 64]] {
            let files = std::fs::read_dir(dir.path().join("deep/inside")).into_iter().flatten();
            for file in files.flatten() {
                assert!(std::fs::write(file.path(), damage).is_ok());
            }
            assert_eq!(made(&cache, &["a", "bc"]), (b"abc".to_vec(), true));
            assert_eq!(made(&cache, &["a", "bc"]), (b"abc".to_vec(), false));
        }
    }

    #[test]
    fn processes_that_meet_read_whole_entries() {
        let Ok(dir) = tempfile::tempdir() else { panic!("no temporary folder") };
        let cache = Cache::new(dir.path());
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    (0..50).for_each(|_| assert_eq!(made(&cache, &["key"]).0, b"key"));
                });
            }
        });
    }

    #[test]
    fn without_a_folder_everything_is_made() {
        let nowhere = Cache { folder: None };
        assert!(made(&nowhere, &["a"]).1 && made(&nowhere, &["a"]).1);
        let forbidden = Cache::new(Path::new("/dev/null/concord"));
        assert!(made(&forbidden, &["a"]).1);
    }
}
