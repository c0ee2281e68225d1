//! One process of a backend, from its start to its end.

use std::collections::BTreeSet;
use std::io::{self, BufReader};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use super::Launch;
use super::body::{Body, Streams};
use super::tail::Tail;
use crate::wire::{Frame, Limits, PROTOCOL, Request, Response, WireError, read_frame, write_frame};
use crate::{Call, Fault, Manifest, Reply};

/// How long a process that closed its stream may take to die before it is ended. Its seed tells of it, and may be at work.
const LAST_BREATH: Duration = Duration::from_secs(10);
/// What allocators say before a process dies for want of memory.
const OUT_OF_MEMORY: [&str; 4] =
    ["memory allocation of", "std::bad_alloc", "MemoryError", "Cannot allocate memory"];

/// A process that is ready to answer. It is ended, with its children, when this is dropped.
pub(super) struct Process {
    body: Body,
    requests: Sender<Frame>,
    responses: Receiver<Result<Frame, WireError>>,
    stderr: Tail,
    calls: u64,
    called: BTreeSet<String>,
    compilation: Duration,
    /// The call answered last.
    pub(super) last: Option<String>,
}

impl Process {
    /// Asks a new process who it is.
    pub(super) fn start(
        body: io::Result<(Body, Streams)>,
        launch: &Launch,
    ) -> Result<(Process, Manifest), Fault> {
        let process = body.and_then(|(body, streams)| Process::of(body, streams, launch));
        let mut process = process.map_err(|error| {
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

    /// Whether it has not ended.
    pub(super) fn lives(&self) -> bool {
        self.body.lives()
    }

    fn of(body: Body, streams: Streams, launch: &Launch) -> io::Result<Process> {
        let stderr = Tail::of(streams.stderr)?;
        let stdout = BufReader::new(streams.stdout);
        let (requests, responses) = lane(streams.stdin, stdout, launch.limits)?;
        Ok(Process {
            body,
            requests,
            responses,
            stderr,
            calls: 0,
            called: BTreeSet::new(),
            compilation: launch.compilation,
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
                self.body.end();
                let words = self.stderr.last_words();
                let last = words.lines().last().map(|line| format!("; on stderr: {line}"));
                Err(Fault::Protocol(format!("{error}{}", last.unwrap_or_default())))
            }
            Err(RecvTimeoutError::Timeout) => {
                self.body.end();
                Err(Fault::TimedOut(deadline))
            }
        }
    }

    /// How a process died that stopped speaking.
    fn death(&mut self) -> Fault {
        let status = match self.body.wait(LAST_BREATH) {
            Some(status) if status.success() => format!("{status}, without an answer"),
            Some(status) => status.to_string(),
            None => "closed its stream and lived on".to_owned(),
        };
        self.body.end();
        let stderr = self.stderr.last_words();
        if OUT_OF_MEMORY.iter().any(|words| stderr.contains(words)) {
            return Fault::OutOfMemory(format!("{status}: {stderr}"));
        }
        Fault::Crashed { status, stderr }
    }
}

type Ends = (Sender<Frame>, Receiver<Result<Frame, WireError>>);

/// A thread that writes each request and reads its response: a process that reads nothing blocks it, and nobody else.
fn lane(
    mut stdin: impl io::Write + Send + 'static,
    mut stdout: impl io::Read + Send + 'static,
    limits: Limits,
) -> io::Result<Ends> {
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
