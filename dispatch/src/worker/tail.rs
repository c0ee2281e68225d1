//! The last lines that a process wrote to standard error.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Lines that are kept.
const LINES: usize = 40;
/// Bytes of a line that are kept: a progress bar without line ends must not fill the memory.
const LINE: u64 = 4096;
/// With this Python begins a line of many kilobytes after a crash: the names of all extension modules.
const MODULES: &[u8] = b"Extension modules: ";
/// How long the end of the stream is waited for; a child of the process may hold it open.
const DRAIN: Duration = Duration::from_millis(300);

/// Reads a stream on a thread of its own and remembers its end.
pub(super) struct Tail {
    lines: Arc<Mutex<VecDeque<String>>>,
    ended: Receiver<()>,
}

impl Tail {
    pub(super) fn of(stream: impl Read + Send + 'static) -> std::io::Result<Tail> {
        let lines = Arc::new(Mutex::new(VecDeque::new()));
        let (end, ended) = channel();
        let kept = lines.clone();
        std::thread::Builder::new().name("stderr".to_owned()).spawn(move || {
            let mut stream = BufReader::new(stream);
            let mut line = Vec::new();
            let (mut begins, mut tells) = (true, true);
            while matches!(stream.by_ref().take(LINE).read_until(b'\n', &mut line), Ok(n) if n > 0)
            {
                if begins {
                    tells = !line.starts_with(MODULES);
                }
                begins = line.ends_with(b"\n");
                let text = without_folders(String::from_utf8_lossy(&line).trim_end());
                line.clear();
                if !tells {
                    continue;
                }
                let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
                kept.push_back(text);
                if kept.len() > LINES {
                    kept.pop_front();
                }
            }
            // Nobody listens any more when the process was ended by Concord.
            let _ = end.send(());
        })?;
        Ok(Tail { lines, ended })
    }

    /// What a process that has ended wrote last.
    pub(super) fn last_words(&self) -> String {
        let _ = self.ended.recv_timeout(DRAIN);
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.make_contiguous().join("\n")
    }
}

/// A line of a traceback without the folders of this machine: what is kept of it goes into logs and capsules, which travel.
fn without_folders(line: &str) -> String {
    let parts = line.split_once("File \"").and_then(|(before, rest)| {
        let (path, after) = rest.split_once('"')?;
        let inside = path.rsplit_once("site-packages/").or_else(|| path.rsplit_once('/'))?.1;
        Some(format!("{before}File \"{inside}\"{after}"))
    });
    parts.unwrap_or_else(|| line.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(text: &str) -> String {
        Tail::of(std::io::Cursor::new(text.to_owned())).unwrap().last_words()
    }

    #[test]
    fn a_traceback_names_files_and_no_folders() {
        let text = "Fatal Python error: Aborted\n\n  File \"/home/a/lib/site-packages/squidpy/gr/x.py\", line 4 in f\n  \
                    File \"/b/serve.py\", line 9 in g\n  File \"<string>\", line 1\n";
        let expected = "Fatal Python error: Aborted\n\n  File \"squidpy/gr/x.py\", line 4 in f\n  File \"serve.py\", \
                        line 9 in g\n  File \"<string>\", line 1";
        assert_eq!(kept(text), expected);
    }

    #[test]
    fn the_list_of_extension_modules_is_not_kept_however_long() {
        let modules = "numpy.core, ".repeat(2000);
        assert_eq!(kept(&format!("a\nExtension modules: {modules}\nb\n")), "a\nb");
    }
}
