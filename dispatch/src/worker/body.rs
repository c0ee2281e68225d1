//! The process itself: started by Concord, or forked by a [`Seed`] that has loaded already.

use std::io::{self, PipeReader, PipeWriter, Read};
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{
    Pid, Resource, Rlimit, Signal, kill_process_group, prlimit, test_kill_process,
};

use super::guard::Guard;
use super::{Launch, seed::Seed};

/// A process in a group of its own; ended with the group when this is dropped.
pub(super) struct Body {
    pid: Pid,
    kind: Kind,
    ended: bool,
}

enum Kind {
    Spawned {
        child: Child,
        guard: Option<Guard>,
    },
    /// The seed says in this stream how the process ended, and reaps it when the stream is closed.
    Forked(UnixStream),
}

/// The ends of a process's streams that Concord holds.
pub(super) struct Streams {
    pub(super) stdin: PipeWriter,
    pub(super) stdout: PipeReader,
    pub(super) stderr: PipeReader,
}

/// The ends that the process holds.
pub(super) struct Inside {
    pub(super) stdin: PipeReader,
    pub(super) stdout: PipeWriter,
    pub(super) stderr: PipeWriter,
}

fn pipes() -> io::Result<(Streams, Inside)> {
    let (stdin, stdout, stderr) = (io::pipe()?, io::pipe()?, io::pipe()?);
    let inside = Inside { stdin: stdin.0, stdout: stdout.1, stderr: stderr.1 };
    Ok((Streams { stdin: stdin.1, stdout: stdout.0, stderr: stderr.0 }, inside))
}

impl Body {
    /// Starts the program.
    pub(super) fn spawn(launch: &Launch) -> io::Result<(Body, Streams)> {
        let (streams, inside) = pipes()?;
        let mut command = command(launch);
        command.stdin(inside.stdin).stdout(inside.stdout).stderr(inside.stderr);
        let body = Body::of(command)?;
        // The command holds the ends that belong to the process, and goes here.
        body.limit(launch)?;
        Ok((body, streams))
    }

    /// Starts the program as a seed; its standard input is a socket.
    pub(super) fn spawn_seed(launch: &Launch) -> io::Result<(Body, UnixStream, PipeReader)> {
        let (control, inside) = UnixStream::pair()?;
        let (stderr, stderr_inside) = io::pipe()?;
        let mut command = command(launch);
        command.arg("--forks").stdin(std::os::fd::OwnedFd::from(inside));
        command.stdout(Stdio::null()).stderr(stderr_inside);
        Ok((Body::of(command)?, control, stderr))
    }

    /// Lets the seed fork; within so much time it has to be loaded.
    pub(super) fn fork(seed: &Seed, launch: &Launch) -> io::Result<(Body, Streams)> {
        let (streams, inside) = pipes()?;
        let (pid, status) = seed.fork(inside, launch.startup)?;
        let body = Body { pid, kind: Kind::Forked(status), ended: false };
        body.limit(launch)?;
        Ok((body, streams))
    }

    fn of(mut command: Command) -> io::Result<Body> {
        // A group of its own: a backend that starts processes is ended together with them.
        let child = command.process_group(0).spawn()?;
        let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        let pid = pid.ok_or_else(|| io::Error::other("the process has no number"))?;
        let mut body = Body { pid, kind: Kind::Spawned { child, guard: None }, ended: false };
        if let Kind::Spawned { guard, .. } = &mut body.kind {
            *guard = Some(Guard::of(pid)?);
        }
        Ok(body)
    }

    fn limit(&self, launch: &Launch) -> io::Result<()> {
        let limit = |what, most| {
            let most = Rlimit { current: Some(most), maximum: Some(most) };
            prlimit(Some(self.pid), what, most).map(drop)
        };
        // No core files: a run leaves nothing on disk, and a dump of gigabytes would be waited for.
        limit(Resource::Core, 0)?;
        launch.memory.map_or(Ok(()), |bytes| limit(Resource::As, bytes))?;
        Ok(())
    }

    /// How the process ended, if it does in so much time.
    pub(super) fn wait(&mut self, most: Duration) -> Option<ExitStatus> {
        match &mut self.kind {
            Kind::Spawned { child, .. } => {
                let start = Instant::now();
                loop {
                    match child.try_wait() {
                        Ok(Some(status)) => return Some(status),
                        Ok(None) if start.elapsed() < most => {
                            std::thread::sleep(Duration::from_millis(2));
                        }
                        Ok(None) | Err(_) => return None,
                    }
                }
            }
            Kind::Forked(status) => {
                let mut raw = [0; 4];
                status.set_read_timeout(Some(most)).ok()?;
                status.read_exact(&mut raw).ok()?;
                Some(ExitStatus::from_raw(i32::from_le_bytes(raw)))
            }
        }
    }

    /// Whether the process has not ended.
    pub(super) fn lives(&self) -> bool {
        match &self.kind {
            Kind::Spawned { .. } => test_kill_process(self.pid).is_ok(),
            Kind::Forked(status) => {
                // Nothing is there to be read before it has ended.
                let waits = status.set_nonblocking(true).is_ok()
                    && (&mut &*status)
                        .read(&mut [0])
                        .is_err_and(|e| e.kind() == io::ErrorKind::WouldBlock);
                waits && status.set_nonblocking(false).is_ok()
            }
        }
    }

    /// Ends the process and its children. One that was started is reaped; one that was forked its seed reaps, and that is not
    /// waited for.
    pub(super) fn end(&mut self) {
        // Once only: later the number may belong to somebody else.
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        // An error says that nobody of the group is left.
        let _ = kill_process_group(self.pid, Signal::KILL);
        match &mut self.kind {
            Kind::Spawned { child, guard } => {
                // Before the process is reaped, so that the guard cannot take another for it.
                *guard = None;
                let _ = child.wait();
            }
            // The seed reaps when it sees this.
            Kind::Forked(status) => drop(status.shutdown(std::net::Shutdown::Both)),
        }
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        self.end();
    }
}

fn command(launch: &Launch) -> Command {
    let mut command = Command::new(&launch.program);
    if launch.memory.is_some() {
        // In KiB: what mimalloc, the allocator of `concord` and others, reserves at a time. By itself it reserves a gibibyte of
        // addresses, all of which count.
        command.env("MIMALLOC_ARENA_RESERVE", "32768");
    }
    command.args(&launch.args).envs(launch.env.iter().map(|(k, v)| (k, v)));
    command
}
