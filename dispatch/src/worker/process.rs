//! One process of a backend, from its start to its end.

use std::collections::BTreeSet;
use std::io::BufReader;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Resource, Rlimit, Signal, kill_process_group, prlimit};

use super::Launch;
use super::guard::Guard;
use super::tail::Tail;
use crate::wire::{Frame, Limits, PROTOCOL, Request, Response, WireError, read_frame, write_frame};
use crate::{Call, Fault, Manifest, Reply};

/// How long a process that closed its stream may take to die before it is ended.
const LAST_BREATH: Duration = Duration::from_secs(2);
/// What allocators say before a process dies for want of memory.
const OUT_OF_MEMORY: [&str; 4] =
    ["memory allocation of", "std::bad_alloc", "MemoryError", "Cannot allocate memory"];

/// A process that is ready to answer. It is ended, with its children, when this is dropped.
pub(super) struct Process {
    child: Child,
    guard: Option<Guard>,
    requests: Sender<Frame>,
    responses: Receiver<Result<Frame, WireError>>,
    stderr: Tail,
    calls: u64,
    called: BTreeSet<String>,
    compilation: Duration,
    ended: bool,
    /// The call answered last.
    pub(super) last: Option<String>,
}

impl Process {
    /// Starts a process and asks who it is.
    pub(super) fn start(launch: &Launch) -> Result<(Process, Manifest), Fault> {
        let mut process = Process::spawn(launch).map_err(|error| {
            Fault::Failed(format!("start {}: {error}", launch.program.display()))
        })?;
        let hello = Request::Hello { protocols: vec![PROTOCOL] };
        match process.exchange(hello.to_frame(), launch.startup)? {
            Response::Hello { protocol: PROTOCOL, manifest } => Ok((process, *manifest)),
            Response::Hello { protocol, .. } => Err(Fault::Protocol(format!(
                "the worker speaks version {protocol}, Concord speaks {PROTOCOL}"
            ))),
            Response::Outcome { outcome: Err(fault), .. } => Err(fault),
            Response::Outcome { .. } => {
                Err(Fault::Protocol("the worker answered before it introduced itself".to_owned()))
            }
        }
    }

    /// The outcome of a call, and the process; without a valid answer the process is gone.
    pub(super) fn call(
        mut self,
        call: &Call,
        deadline: Duration,
    ) -> Result<(Result<Reply, Fault>, Process), Fault> {
        self.calls += 1;
        let id = self.calls;
        let first = self.called.insert(call.function.clone());
        let deadline = if first { deadline.saturating_add(self.compilation) } else { deadline };
        let request = Request::Call { id, call: call.clone(), deadline };
        match self.exchange(request.to_frame(), deadline)? {
            Response::Outcome { id: answered, outcome } if answered == id => {
                self.last = Some(format!("{} {}", call.function, call.digest().short(12)));
                Ok((outcome, self))
            }
            Response::Outcome { id: answered, .. } => Err(Fault::Protocol(format!(
                "call {id} of this process was asked, call {answered} was answered"
            ))),
            Response::Hello { .. } => {
                Err(Fault::Protocol("the worker introduced itself again".to_owned()))
            }
        }
    }

    fn spawn(launch: &Launch) -> std::io::Result<Process> {
        let mut command = Command::new(&launch.program);
        command.args(&launch.args).envs(launch.env.iter().map(|(k, v)| (k, v)));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // A group of its own: a backend that starts processes is ended together with them.
        let mut child = command.process_group(0).spawn()?;
        let guard = Guard::of(child.id())?;
        // No core files: a run leaves nothing on disk, and a dump of gigabytes would be waited for.
        limit(&child, Resource::Core, 0)?;
        if let Some(bytes) = launch.memory {
            limit(&child, Resource::As, bytes)?;
        }
        let missing = || std::io::Error::other("a stream of the process is missing");
        let stdin = child.stdin.take().ok_or_else(missing)?;
        let stdout = child.stdout.take().ok_or_else(missing)?;
        let stderr = Tail::of(child.stderr.take().ok_or_else(missing)?)?;
        let (requests, responses) = lane(stdin, BufReader::new(stdout), launch.limits)?;
        Ok(Process {
            child,
            guard: Some(guard),
            requests,
            responses,
            stderr,
            calls: 0,
            called: BTreeSet::new(),
            compilation: launch.compilation,
            ended: false,
            last: None,
        })
    }

    /// Sends a request and waits for the response; without one the process is ended, and the fault says how it died.
    fn exchange(&mut self, request: Frame, deadline: Duration) -> Result<Response, Fault> {
        // A lane that is gone has left its last word in `responses`.
        let _ = self.requests.send(request);
        match self.responses.recv_timeout(deadline) {
            Ok(Ok(frame)) => Ok(Response::of_frame(frame)?),
            Ok(Err(WireError::Closed | WireError::Truncated { .. } | WireError::Io(_)))
            | Err(RecvTimeoutError::Disconnected) => Err(self.death()),
            Ok(Err(error)) => {
                self.end();
                let words = self.stderr.last_words();
                let last = words.lines().last().map(|line| format!("; on stderr: {line}"));
                Err(Fault::Protocol(format!("{error}{}", last.unwrap_or_default())))
            }
            Err(RecvTimeoutError::Timeout) => {
                self.end();
                Err(Fault::TimedOut(deadline))
            }
        }
    }

    /// How a process died that stopped speaking.
    fn death(&mut self) -> Fault {
        let status = match self.wait(LAST_BREATH) {
            Some(status) if status.success() => format!("{status}, without an answer"),
            Some(status) => status.to_string(),
            None => "closed its stream and lived on".to_owned(),
        };
        self.end();
        let stderr = self.stderr.last_words();
        if OUT_OF_MEMORY.iter().any(|words| stderr.contains(words)) {
            return Fault::OutOfMemory(format!("{status}: {stderr}"));
        }
        Fault::Crashed { status, stderr }
    }

    fn wait(&mut self, most: Duration) -> Option<ExitStatus> {
        let start = Instant::now();
        loop {
            match self.child.try_wait() {
                Ok(Some(status)) => return Some(status),
                Ok(None) if start.elapsed() < most => {
                    std::thread::sleep(Duration::from_millis(2));
                }
                Ok(None) | Err(_) => return None,
            }
        }
    }

    /// Ends the process and its children, and reaps it.
    fn end(&mut self) {
        // Once only: later the number may belong to somebody else.
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        if let Some(group) = pid(&self.child) {
            // An error says that nobody of the group is left.
            let _ = kill_process_group(group, Signal::KILL);
        }
        // Before the process is reaped, so that its number cannot belong to somebody else when the guard is dismissed.
        self.guard = None;
        let _ = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}

fn limit(child: &Child, what: Resource, most: u64) -> std::io::Result<()> {
    let most = Rlimit { current: Some(most), maximum: Some(most) };
    prlimit(pid(child), what, most)?;
    Ok(())
}

fn pid(child: &Child) -> Option<Pid> {
    i32::try_from(child.id()).ok().and_then(Pid::from_raw)
}

type Ends = (Sender<Frame>, Receiver<Result<Frame, WireError>>);

/// A thread that writes each request and reads its response: a process that reads nothing blocks it, and nobody else.
fn lane(
    mut stdin: impl std::io::Write + Send + 'static,
    mut stdout: impl std::io::Read + Send + 'static,
    limits: Limits,
) -> std::io::Result<Ends> {
    let (requests, inbox) = channel::<Frame>();
    let (outbox, responses) = channel();
    std::thread::Builder::new().name("worker".to_owned()).spawn(move || {
        for request in inbox {
            let written = write_frame(&mut stdin, &request, limits);
            let response = written.and_then(|()| read_frame(&mut stdout, limits));
            let failed = response.is_err();
            if outbox.send(response).is_err() || failed {
                break;
            }
        }
    })?;
    Ok((requests, responses))
}
