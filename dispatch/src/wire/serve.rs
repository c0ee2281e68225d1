//! The other end: a backend of this process answers the requests of a stream.

use std::io::{Read, Write};
use std::panic::AssertUnwindSafe;
use std::sync::mpsc::channel;
use std::time::Instant;

use super::{Frame, Limits, PROTOCOL, Request, Response, WireError, read_frame, write_frame};
use crate::{Backend, Call, Fault, Reply};

/// Answers requests until their stream ends.
///
/// `gone` is called when it ends, on another thread and perhaps in the middle of a call: the caller has died or wants no
/// answer any more, and a process that serves should end there and then.
///
/// # Errors
/// What came that was no request, or could not be written. The caller is then told nothing: it sees the stream end.
pub fn serve(
    backend: &dyn Backend,
    mut input: impl Read + Send + 'static,
    mut output: impl Write,
    gone: impl FnOnce() + Send + 'static,
) -> Result<(), WireError> {
    let limits = Limits::default();
    let (outbox, inbox) = channel::<Result<Frame, WireError>>();
    std::thread::Builder::new().name("requests".to_owned()).spawn(move || {
        loop {
            match read_frame(&mut input, limits) {
                Err(WireError::Closed) => return gone(),
                frame => {
                    let failed = frame.is_err();
                    if outbox.send(frame).is_err() || failed {
                        return;
                    }
                }
            }
        }
    })?;
    for frame in inbox {
        let response = match Request::of_frame(frame?)? {
            Request::Hello { protocols } if protocols.contains(&PROTOCOL) => Response::Hello {
                protocol: PROTOCOL,
                manifest: Box::new(backend.manifest().clone()),
            },
            Request::Hello { protocols } => {
                let what = format!("version {PROTOCOL} is spoken here, not {protocols:?}");
                return Err(WireError::header(what));
            }
            Request::Call { id, call, deadline: _ } => {
                Response::Outcome { id, outcome: answer(backend, &call) }
            }
        };
        write_frame(&mut output, &response.to_frame(), limits)?;
    }
    Ok(())
}

fn answer(backend: &dyn Backend, call: &Call) -> Result<Reply, Fault> {
    let start = Instant::now();
    let run = AssertUnwindSafe(|| backend.run(call));
    let answered = std::panic::catch_unwind(run).map(|outcome| {
        let elapsed = Some(start.elapsed());
        outcome.map(|reply| {
            let peak_bytes = reply.peak_bytes.or_else(peak_bytes);
            Reply { elapsed, peak_bytes, ..reply }
        })
    });
    answered.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message");
        Err(Fault::Failed(format!("panicked: {text}")))
    })
}

/// The most memory that this process has held, in bytes, where the system says so. Not what `getrusage` says: that
/// counts what the process was before it became this program.
fn peak_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}
