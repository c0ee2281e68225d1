//! The other end: a backend of this process answers the requests of a stream.

use std::io::{Read, Write};
use std::panic::AssertUnwindSafe;
use std::sync::mpsc::channel;

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
    std::panic::catch_unwind(AssertUnwindSafe(|| backend.run(call))).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message");
        Err(Fault::Failed(format!("panicked: {text}")))
    })
}
