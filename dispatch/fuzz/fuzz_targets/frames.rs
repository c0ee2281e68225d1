//! Any bytes as a stream of frames and messages: never a panic, never more memory than the limits, and what is read is
//! written and read again as the same.
#![no_main]

use std::io::Cursor;

use dispatch::wire::{Frame, Limits, Request, Response, read_frame, write_frame};
use libfuzzer_sys::fuzz_target;

const LIMITS: Limits = Limits { header: 1 << 16, block: 1 << 16 };

fuzz_target!(|bytes: &[u8]| {
    let mut stream = Cursor::new(bytes);
    while let Ok(frame) = read_frame(&mut stream, LIMITS) {
        if let Ok(request) = Request::of_frame(frame.clone()) {
            same(&request.to_frame(), |frame| Request::of_frame(frame).map(|r| r.to_frame()).ok());
        }
        if let Ok(response) = Response::of_frame(frame) {
            same(&response.to_frame(), |frame| Response::of_frame(frame).map(|r| r.to_frame()).ok());
        }
    }
});

/// Frames and not messages are compared, because NaN is no NaN's equal.
fn same(frame: &Frame, again: impl Fn(Frame) -> Option<Frame>) {
    let mut bytes = Vec::new();
    if write_frame(&mut bytes, frame, LIMITS).is_ok() {
        let read = read_frame(&mut bytes.as_slice(), LIMITS).ok();
        assert_eq!(read.as_ref(), Some(frame));
        assert_eq!(read.and_then(again).as_ref(), Some(frame));
    }
}
