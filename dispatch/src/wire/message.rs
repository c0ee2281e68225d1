//! What the two ends say to each other.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::{Frame, WireError};
use crate::{
    Call, Dataset, Fault, Manifest, Map, Phase, Reply, Value, Warning, Witness, json as values,
};

/// The version of the protocol that this crate speaks.
pub const PROTOCOL: u32 = 1;

/// What a caller says to a worker.
#[derive(Clone, Debug, PartialEq)]
pub enum Request {
    /// Who are you? First, and once.
    Hello {
        /// The versions of the protocol that the caller speaks.
        protocols: Vec<u32>,
    },
    /// Answer this.
    Call {
        /// The number of the call, to be repeated in the answer.
        id: u64,
        /// The call.
        call: Call,
        /// How long it may take; the caller then ends the worker.
        deadline: Duration,
    },
}

/// What a worker says to its caller.
#[derive(Clone, Debug, PartialEq)]
pub enum Response {
    /// This is who I am.
    Hello {
        /// The version of the protocol that will be spoken.
        protocol: u32,
        /// Name, versions, device, signatures.
        manifest: Box<Manifest>,
    },
    /// The outcome of a call.
    Outcome {
        /// The number of the call.
        id: u64,
        /// The answer, or why there is none.
        outcome: Result<Reply, Fault>,
    },
}

impl Request {
    /// The frame of the request.
    pub fn to_frame(&self) -> Frame {
        let mut block = Vec::new();
        let header = match self {
            Request::Hello { protocols } => json!({"say": "hello", "protocols": protocols}),
            Request::Call { id, call, deadline } => json!({
                "say": "call",
                "id": id,
                "function": call.function,
                "deadline_ms": deadline.as_millis() as u64,
                "data": encode_map(call.data.root(), &mut block),
                "params": encode_map(&call.params, &mut block),
            }),
        };
        Frame { header, block }
    }

    /// The request in a frame.
    ///
    /// # Errors
    /// Names the field that is missing or wrong.
    pub fn of_frame(frame: Frame) -> Result<Request, WireError> {
        match serde_json::from_value(frame.header).map_err(WireError::header)? {
            Asked::Hello { protocols } => Ok(Request::Hello { protocols }),
            Asked::Call { id, function, deadline_ms, data, params } => {
                let data = Dataset::from(decode_map("data", &data, &frame.block)?);
                let call = Call::new(function, data, decode_map("params", &params, &frame.block)?);
                Ok(Request::Call { id, call, deadline: Duration::from_millis(deadline_ms) })
            }
        }
    }
}

impl Response {
    /// The frame of the response.
    pub fn to_frame(&self) -> Frame {
        let mut block = Vec::new();
        let header = match self {
            Response::Hello { protocol, manifest } => {
                json!({"say": "hello", "protocol": protocol, "manifest": manifest})
            }
            Response::Outcome { id, outcome: Ok(reply) } => {
                let phases: Vec<_> =
                    reply.phases.iter().map(|(p, time)| (p, time.as_nanos() as u64)).collect();
                json!({
                    "say": "reply",
                    "id": id,
                    "data": encode_map(reply.data.root(), &mut block),
                    "mutated": reply.mutated,
                    "warnings": reply.warnings,
                    "witness": reply.witness,
                    "phases_ns": phases,
                    "elapsed_ns": reply.elapsed.map(|time| time.as_nanos() as u64),
                    "peak_bytes": reply.peak_bytes,
                })
            }
            Response::Outcome { id, outcome: Err(fault) } => encode_fault(*id, fault),
        };
        Frame { header, block }
    }

    /// The response in a frame.
    ///
    /// # Errors
    /// Names the field that is missing or wrong.
    pub fn of_frame(frame: Frame) -> Result<Response, WireError> {
        match serde_json::from_value(frame.header).map_err(WireError::header)? {
            Said::Hello { protocol, manifest } => Ok(Response::Hello { protocol, manifest }),
            Said::Reply {
                id,
                data,
                mutated,
                warnings,
                witness,
                phases_ns,
                elapsed_ns,
                peak_bytes,
            } => {
                let phases = phases_ns.into_iter().map(|(p, ns)| (p, Duration::from_nanos(ns)));
                let reply = Reply {
                    data: Dataset::from(decode_map("data", &data, &frame.block)?),
                    mutated,
                    warnings,
                    witness,
                    phases: phases.collect(),
                    elapsed: elapsed_ns.map(Duration::from_nanos),
                    peak_bytes,
                    unsteady: None,
                };
                Ok(Response::Outcome { id, outcome: Ok(reply) })
            }
            Said::Fault { id, kind, class, bases, message, warnings } => {
                let rejected = |message| Fault::Rejected { kind: class, bases, message, warnings };
                Ok(Response::Outcome { id, outcome: Err(decode_fault(kind, rejected, message)) })
            }
        }
    }
}

#[derive(Deserialize)]
#[serde(tag = "say", rename_all = "kebab-case")]
enum Asked {
    Hello { protocols: Vec<u32> },
    Call { id: u64, function: String, deadline_ms: u64, data: Json, params: Json },
}

#[derive(Deserialize)]
#[serde(tag = "say", rename_all = "kebab-case")]
enum Said {
    Hello {
        protocol: u32,
        manifest: Box<Manifest>,
    },
    Reply {
        id: u64,
        data: Json,
        #[serde(default)]
        mutated: Vec<String>,
        #[serde(default)]
        warnings: Option<Vec<Warning>>,
        #[serde(default)]
        witness: Witness,
        #[serde(default)]
        phases_ns: Vec<(Phase, u64)>,
        #[serde(default)]
        elapsed_ns: Option<u64>,
        #[serde(default)]
        peak_bytes: Option<u64>,
    },
    Fault {
        id: u64,
        kind: FaultKind,
        #[serde(default)]
        class: String,
        #[serde(default)]
        bases: Vec<String>,
        message: String,
        #[serde(default)]
        warnings: Option<Vec<Warning>>,
    },
}

/// The faults that a worker can report itself; the others are what its caller sees of it.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum FaultKind {
    Unsupported,
    Rejected,
    Failed,
    DeviceLost,
    OutOfMemory,
}

fn encode_fault(id: u64, fault: &Fault) -> Json {
    let (kind, message) = match fault {
        Fault::Rejected { kind, bases, message, warnings } => {
            return json!({
                "say": "fault", "id": id, "kind": FaultKind::Rejected,
                "class": kind, "bases": bases, "message": message, "warnings": warnings,
            });
        }
        Fault::Unsupported(message) => (FaultKind::Unsupported, message.clone()),
        Fault::Failed(message) => (FaultKind::Failed, message.clone()),
        Fault::DeviceLost(message) => (FaultKind::DeviceLost, message.clone()),
        Fault::OutOfMemory(message) => (FaultKind::OutOfMemory, message.clone()),
        Fault::Crashed { .. } | Fault::TimedOut(_) | Fault::Protocol(_) => {
            (FaultKind::Failed, fault.to_string())
        }
    };
    json!({"say": "fault", "id": id, "kind": kind, "message": message})
}

fn decode_fault(kind: FaultKind, rejected: impl FnOnce(String) -> Fault, message: String) -> Fault {
    match kind {
        FaultKind::Unsupported => Fault::Unsupported(message),
        FaultKind::Rejected => rejected(message),
        FaultKind::Failed => Fault::Failed(message),
        FaultKind::DeviceLost => Fault::DeviceLost(message),
        FaultKind::OutOfMemory => Fault::OutOfMemory(message),
    }
}

/// A mapping without a tag of its own: `{name: value}`.
fn encode_map(map: &Map, block: &mut Vec<u8>) -> Json {
    let pair =
        |(name, value): (&String, &Value)| (name.clone(), values::encode_beside(value, block));
    Json::Object(map.iter().map(pair).collect())
}

fn decode_map(field: &str, json: &Json, block: &[u8]) -> Result<Map, WireError> {
    let object = json.as_object();
    let object =
        object.ok_or_else(|| WireError::header(format!("`{field}`: expected an object")))?;
    let pair = |(name, value): (&String, &Json)| {
        let value = values::decode_beside(value, block);
        let value = value.map_err(|e| WireError::header(format!("`{field}/{name}`: {e}")))?;
        Ok((name.clone(), value))
    };
    object.iter().map(pair).collect()
}
