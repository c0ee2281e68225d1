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
            while matches!(stream.by_ref().take(LINE).read_until(b'\n', &mut line), Ok(n) if n > 0)
            {
                let text = String::from_utf8_lossy(&line).trim_end().to_owned();
                line.clear();
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
