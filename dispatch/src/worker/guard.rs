//! Ends a process of a backend when Concord is gone.
//!
//! A worker ends with its standard input if it looks there; one that hangs in native code does not look. So beside each
//! process a shell waits for the end of a pipe that Concord alone holds, and then ends the process and all it started.

use std::io;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};

use rustix::process::Pid;

/// Waits for a line that never comes.
const SCRIPT: &str = r#"read -r line; kill -s KILL -- "-$1""#;

/// A shell that waits; it is dismissed when this is dropped.
pub(super) struct Guard(Child);

impl Guard {
    /// Guards a group of processes.
    pub(super) fn of(group: Pid) -> io::Result<Guard> {
        let mut command = Command::new("sh");
        command.args(["-c", SCRIPT, "concord-guard"]).arg(group.as_raw_nonzero().to_string());
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        // A group of its own: what ends Concord from the terminal must not end the guard.
        command.process_group(0).spawn().map(Guard)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        // Not by closing the pipe: that is the alarm. An error says that it has ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
