//! A process that has loaded a library and answers nothing: it forks those that answer.
//!
//! To import a library takes seconds, to fork a process that has imported it takes milliseconds; so a process that a fault
//! ended costs little. For each process Concord sends over a socket a byte with four descriptors: its three streams,
//! and a stream in which the seed says the number of the process and, when it has ended, its status as of `wait`.

use std::io::{self, IoSlice, Read};
use std::mem::MaybeUninit;
use std::net::Shutdown;
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
use rustix::process::Pid;

use super::Launch;
use super::body::{Body, Inside};
use super::tail::Tail;

/// How long a seed that closed its socket may take to die before it is ended.
const LAST_BREATH: Duration = Duration::from_secs(2);

/// A loaded process; it is ended when this is dropped, after all that it forked.
pub(super) struct Seed {
    process: Mutex<(Body, Tail)>,
    control: UnixStream,
}

impl Seed {
    /// Starts the program; it loads while nobody waits for it.
    pub(super) fn start(launch: &Launch) -> io::Result<Seed> {
        let (body, control, stderr) = Body::spawn_seed(launch)?;
        Ok(Seed { process: Mutex::new((body, Tail::of(stderr)?)), control })
    }

    /// A process that has these streams, and the stream that tells its end.
    pub(super) fn fork(&self, inside: Inside, within: Duration) -> io::Result<(Pid, UnixStream)> {
        let (mut status, status_inside) = UnixStream::pair()?;
        let descriptors = [
            inside.stdin.as_fd(),
            inside.stdout.as_fd(),
            inside.stderr.as_fd(),
            status_inside.as_fd(),
        ];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(4))];
        let mut message = SendAncillaryBuffer::new(&mut space);
        message.push(SendAncillaryMessage::ScmRights(&descriptors));
        // A broken pipe must be an error here and not a signal.
        let sent = sendmsg(&self.control, &[IoSlice::new(b"f")], &mut message, SendFlags::NOSIGNAL);
        sent.map_err(|_| self.death())?;
        drop((inside, status_inside));
        let mut pid = [0; 4];
        status.set_read_timeout(Some(within))?;
        match status.read_exact(&mut pid) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                return Err(io::ErrorKind::TimedOut.into());
            }
            Err(_) => return Err(self.death()),
        }
        let pid = Pid::from_raw(i32::from_le_bytes(pid));
        Ok((pid.ok_or_else(|| io::Error::other("the seed could not fork"))?, status))
    }

    /// Whether it has not ended yet.
    pub(super) fn lives(&self) -> bool {
        self.process().0.wait(Duration::ZERO).is_none()
    }

    fn process(&self) -> MutexGuard<'_, (Body, Tail)> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How the seed died, in words.
    fn death(&self) -> io::Error {
        let mut process = self.process();
        let (body, stderr) = &mut *process;
        let status =
            body.wait(LAST_BREATH).map_or("lives on".to_owned(), |status| status.to_string());
        body.end();
        io::Error::other(format!("{status}: {}", stderr.last_words()))
    }
}

impl Drop for Seed {
    fn drop(&mut self) {
        // Nothing more is asked. The seed reaps what it forked and closes its side; an error says that it has died.
        let _ = self.control.shutdown(Shutdown::Write);
        if self.control.set_read_timeout(Some(LAST_BREATH)).is_ok() {
            let _ = self.control.read(&mut [0]);
        }
    }
}
