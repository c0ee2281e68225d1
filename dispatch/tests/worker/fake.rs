//! A worker that does what it is asked, and worse.

use std::io::Write;
use std::process::{Command, ExitCode};

use dispatch::wire::{Frame, Limits, PROTOCOL, Request, Response, read_frame, write_frame};
use dispatch::{Call, Device, Digest, Fault, Manifest, Param, Reply, Signature, Value};
use serde_json::json;

pub(crate) fn run(manner: &str) -> ExitCode {
    match manner {
        "silent" => std::thread::park(),
        "mute" => {
            eprintln!("no such module");
            return ExitCode::FAILURE;
        }
        _ => {}
    }
    let mut poisoned = false;
    loop {
        let Ok(frame) = read_frame(&mut std::io::stdin(), Limits::default()) else {
            return ExitCode::SUCCESS;
        };
        match Request::of_frame(frame).unwrap() {
            Request::Hello { .. } => {
                let protocol = if manner == "newer" { PROTOCOL + 1 } else { PROTOCOL };
                say(&Response::Hello { protocol, manifest: Box::new(manifest()) });
                if manner == "deaf" {
                    std::thread::park();
                }
            }
            Request::Call { id, call, .. } => {
                if poisoned {
                    std::process::abort();
                }
                let how = call.param("how").and_then(Value::as_text).unwrap_or("answer").to_owned();
                poisoned = how == "poison";
                answer(id, &call, &how);
            }
        }
    }
}

fn answer(id: u64, call: &Call, how: &str) {
    let mine = Value::Int(std::process::id().into());
    match how {
        "abort" => {
            eprintln!("about to die");
            std::process::abort();
        }
        "segfault" => {
            eprintln!("about to die");
            // The first one only takes away the handler of Rust's runtime.
            let me = rustix::process::getpid();
            loop {
                let _ = rustix::process::kill_process(me, rustix::process::Signal::SEGV);
            }
        }
        "exit" => std::process::exit(0),
        "hang" => loop {
            std::thread::park();
        },
        "hog" => {
            std::hint::black_box(vec![1u8; 1 << 30]);
        }
        "noise" => print(b"Hello, I am a progress bar\n"),
        "oversized" => print(b"CNC1\xff\xff\xff\xff\0\0\0\0\0\0\0\0"),
        "not-json" => print(b"CNC1\x01\0\0\0\0\0\0\0\0\0\0\0?"),
        "cut" => {
            let mut bytes = Vec::new();
            let frame = Frame { header: json!({"say": "reply"}), block: vec![0; 100] };
            let _ = write_frame(&mut bytes, &frame, Limits::default());
            print(&bytes[..bytes.len() - 50]);
            std::process::exit(0);
        }
        "wrong-id" => outcome(id + 1, Ok(Reply::returning(mine))),
        "refuse" => outcome(
            id,
            Err(Fault::Rejected {
                kind: "BadGraph".to_owned(),
                bases: vec!["ValueError".to_owned()],
                message: format!("{} is not for me", call.function),
                warnings: None,
            }),
        ),
        "child" => {
            #[expect(clippy::zombie_processes, reason = "whether it is left is the test")]
            let child = Command::new("sleep").arg("1000").spawn().unwrap();
            outcome(id, Ok(Reply::returning(Value::Int(child.id().into()))));
        }
        _ => outcome(id, Ok(Reply::returning(mine))),
    }
}

fn outcome(id: u64, outcome: Result<Reply, Fault>) {
    say(&Response::Outcome { id, outcome });
}

fn say(response: &Response) {
    let _ = write_frame(&mut std::io::stdout(), &response.to_frame(), Limits::default());
}

fn print(bytes: &[u8]) {
    let mut out = std::io::stdout();
    let _ = out.write_all(bytes).and_then(|()| out.flush());
}

fn manifest() -> Manifest {
    let signature = Signature::new([Param::required("adata"), Param::optional("how", "answer")]);
    Manifest {
        name: "fake".to_owned(),
        version: "1".to_owned(),
        summary: "A worker for tests".to_owned(),
        device: Device::Cpu,
        functions: [("f".to_owned(), signature)].into(),
        artifact: Digest::of_bytes(b"fake"),
    }
}
