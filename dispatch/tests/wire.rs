//! Frames and messages: what is written is read, and whatever else comes is an error, at once and without a panic.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::Cursor;
use std::time::Duration;

use dispatch::wire::{Frame, Limits, MAGIC, Request, Response, WireError, read_frame, write_frame};
use dispatch::{
    Call, Dataset, Dense, Fault, Params, Phase, Reply, Sparse, Traffic, Value, Warning, Witness,
};
use proptest::prelude::*;
use serde_json::json;

const SMALL: Limits = Limits { header: 4096, block: 4096 };

fn bytes_of(frame: &Frame) -> Vec<u8> {
    let mut bytes = Vec::new();
    write_frame(&mut bytes, frame, SMALL).unwrap();
    bytes
}

fn read(bytes: &[u8]) -> Result<Frame, WireError> {
    read_frame(&mut Cursor::new(bytes), SMALL)
}

fn frames() -> impl Strategy<Value = Frame> {
    let header = prop::collection::btree_map("[a-z]{0,8}", "\\PC{0,12}", 0..6);
    (header, prop::collection::vec(any::<u8>(), 0..300))
        .prop_map(|(header, block)| Frame { header: json!(header), block })
}

fn call() -> Call {
    let mut data = Dataset::new();
    data.set("X", Dense::new(vec![2, 2], vec![1.0f32, f32::NAN, -0.0, 1e-45]).into());
    let graph = Sparse::csr((2, 2), vec![0, 1, 2], vec![1, 0], vec![1u8, 2]);
    data.set("obsp/g", graph.into());
    let params = Params::from([
        ("interval".to_owned(), Value::List(vec![Value::Int(1), Value::Float(0.5)])),
        ("pair".to_owned(), Value::Tuple(vec![Value::Float(f64::INFINITY), Value::None])),
    ]);
    Call::new("f", data, params)
}

fn round_trips_request(request: &Request) {
    let frame = read_frame(&mut Cursor::new(bytes_of(&request.to_frame())), SMALL).unwrap();
    assert_eq!(&Request::of_frame(frame).unwrap(), request);
}

fn round_trips_response(response: &Response) {
    let frame = read_frame(&mut Cursor::new(bytes_of(&response.to_frame())), SMALL).unwrap();
    assert_eq!(&Response::of_frame(frame).unwrap(), response);
}

#[test]
fn requests_round_trip() {
    round_trips_request(&Request::Hello { protocols: vec![1, 7] });
    let deadline = Duration::from_millis(1500);
    round_trips_request(&Request::Call { id: u64::MAX, call: call(), deadline });
}

#[test]
fn responses_round_trip() {
    let reply = Reply {
        mutated: vec!["X".to_owned()],
        warnings: Some(vec![Warning {
            category: "OddWarning".to_owned(),
            bases: vec!["UserWarning".to_owned(), "Warning".to_owned()],
            message: "m".to_owned(),
        }]),
        witness: Witness::Counted {
            calls: 2,
            launches: Some(3),
            moved: Some(Traffic { to_device: 4, from_device: 5 }),
        },
        phases: vec![(Phase::Compute, Duration::from_nanos(17))],
        elapsed: Some(Duration::from_nanos(19)),
        peak_bytes: Some(1 << 40),
        ..Reply::writing("uns/score", Dense::vector(vec![0.1f64, f64::NAN]).into())
    };
    round_trips_response(&Response::Outcome { id: 1, outcome: Ok(reply) });
    let refused = Fault::Rejected {
        kind: "BadGraph".to_owned(),
        bases: vec!["ValueError".to_owned()],
        message: "no".to_owned(),
        warnings: Some(vec![Warning::new("UserWarning", "so be it")]),
    };
    for fault in [
        refused,
        Fault::Unsupported("a".to_owned()),
        Fault::Failed("b".to_owned()),
        Fault::DeviceLost("c".to_owned()),
        Fault::OutOfMemory("d".to_owned()),
    ] {
        round_trips_response(&Response::Outcome { id: 2, outcome: Err(fault) });
    }
}

/// A worker only sees its own end: that it was ended is said by its caller.
#[test]
fn a_fault_that_only_a_caller_can_see_becomes_a_failure() {
    let outcome = Err(Fault::TimedOut(Duration::from_secs(1)));
    let frame = Response::Outcome { id: 0, outcome }.to_frame();
    let Response::Outcome { outcome, .. } = Response::of_frame(frame).unwrap() else { panic!() };
    assert_eq!(outcome, Err(Fault::Failed("no answer within 1s".to_owned())));
}

#[test]
fn what_is_no_message_says_where() {
    for (header, says) in [
        (json!({"say": "sing"}), "sing"),
        (json!([1]), "header"),
        (json!({"say": "call", "id": -1}), "-1"),
        (json!({"say": "call", "id": 1, "function": "f", "deadline_ms": 1, "params": {}}), "data"),
        (
            json!({"say": "call", "id": 1, "function": "f", "deadline_ms": 1, "data": 1, "params": {}}),
            "`data`: expected an object",
        ),
        (
            json!({"say": "call", "id": 1, "function": "f", "deadline_ms": 1, "params": {}, "data":
                {"X": {"t": "array", "dtype": "int8", "shape": [1], "data": {"at": 0, "bytes": 1}}}}),
            "`data/X`: 1 bytes from 0 lie outside a block of 0 at `data`",
        ),
    ] {
        let error = Request::of_frame(Frame { header, block: Vec::new() }).unwrap_err();
        assert!(error.to_string().contains(says), "{error}");
    }
}

#[test]
fn a_length_beyond_the_limit_is_refused_before_it_is_read() {
    let mut start = MAGIC.to_vec();
    start.extend(2u32.to_le_bytes());
    start.extend(u64::MAX.to_le_bytes());
    start.extend(b"{}");
    assert!(matches!(read(&start), Err(WireError::TooLong { part: "block", .. })));
    start[4..8].copy_from_slice(&u32::MAX.to_le_bytes());
    assert!(matches!(read(&start), Err(WireError::TooLong { part: "header", .. })));
    let long = Frame { header: json!({}), block: vec![0; 4097] };
    assert!(matches!(write_frame(&mut Vec::new(), &long, SMALL), Err(WireError::TooLong { .. })));
}

/// A reader that would wait for ever is shown by a stream that fails when more is asked of it than the noise.
#[test]
fn noise_is_told_by_its_first_bytes() {
    struct Noise(bool);
    impl std::io::Read for Noise {
        fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
            assert!(!std::mem::replace(&mut self.0, true), "asked for more");
            out[..5].copy_from_slice(b"Hello");
            Ok(5)
        }
    }
    let error = read_frame(&mut Noise(false), SMALL).unwrap_err();
    assert_eq!(error.to_string(), "expected a frame, got \"Hello\"");
}

proptest! {
    #[test]
    fn frames_round_trip(several in prop::collection::vec(frames(), 1..4)) {
        let mut stream = Cursor::new(several.iter().flat_map(bytes_of).collect::<Vec<u8>>());
        for frame in &several {
            prop_assert_eq!(&read_frame(&mut stream, SMALL).unwrap(), frame);
        }
        prop_assert!(matches!(read_frame(&mut stream, SMALL), Err(WireError::Closed)));
    }

    #[test]
    fn a_frame_cut_short_is_truncated(frame in frames(), cut in any::<prop::sample::Index>()) {
        let bytes = bytes_of(&frame);
        let cut = cut.index(bytes.len());
        match read(&bytes[..cut]) {
            Err(WireError::Closed) => prop_assert_eq!(cut, 0),
            Err(WireError::Truncated { got, want, .. }) => prop_assert!(got < want),
            other => prop_assert!(false, "{:?}", other),
        }
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), framed: bool) {
        let mut stream = if framed { MAGIC.to_vec() } else { Vec::new() };
        stream.extend(bytes);
        if let Ok(frame) = read(&stream) {
            let _ = Request::of_frame(frame.clone());
            let _ = Response::of_frame(frame);
        }
    }

    /// One byte of a good call changed: an error, or another call, never a panic.
    #[test]
    fn a_damaged_call_is_read_without_a_panic(at in any::<prop::sample::Index>(), to: u8) {
        let request = Request::Call { id: 3, call: call(), deadline: Duration::from_secs(1) };
        let mut bytes = bytes_of(&request.to_frame());
        let at = at.index(bytes.len());
        bytes[at] = to;
        if let Ok(frame) = read(&bytes) {
            let _ = Request::of_frame(frame);
        }
    }
}
