//! `results.jsonl`: one header line, then one line per case.
//!
//! Everything published is computed from this log and from nothing else, so it carries no clock and
//! no machine-dependent order.

use std::collections::BTreeMap;
use std::io::{BufRead, Write};

use dispatch::{Digest, Manifest};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::{Knobs, Precision, Record, WaiverUse};

/// The format of the log that this version reads and writes.
pub const FORMAT: u32 = 1;

/// The first line of the log: who was examined, against whom, and what was planned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Header {
    /// [`FORMAT`].
    pub format: u32,
    /// Version of the examiner.
    pub examiner: String,
    /// The backend that was examined.
    pub backend: Manifest,
    /// The host it was compared with.
    pub host: Manifest,
    /// The names by which both were opened.
    #[serde(default, skip_serializing_if = "Called::is_own")]
    pub called: Called,
    /// `quick`, `standard`, `full`, or what the cases were made from.
    pub tier: String,
    /// The functions examined, each with its number of planned cases.
    pub planned: BTreeMap<String, u64>,
    /// The class of arithmetic that was asked of the backend.
    #[serde(default)]
    pub precision: Precision,
    /// How long one call was allowed to take, in milliseconds; logs of earlier versions do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline_ms: Option<u64>,
    /// Digest over the planned case names, in order.
    pub plan: Digest,
    /// The seed from which the sampled cases were derived, as decimal text.
    pub seed: String,
    /// What this run cannot show, one sentence each.
    #[serde(default)]
    pub limitations: Vec<String>,
    /// What could be varied, by function; where this is absent there is no domain map.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub knobs: BTreeMap<String, Knobs>,
    /// The waivers of the run and what they covered.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waivers: Vec<WaiverUse>,
    /// Whether each record says what shows that the backend made the answer; in the logs of earlier versions none does.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub witnessed: bool,
    /// Whether the run was not at its end when this was written: cases may be missing, and nothing is waived or shrunk.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unfinished: bool,
}

/// The names by which host and backend were opened, where these are not their own: a file of backends may call them otherwise.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Called {
    /// The name of the host on the command line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// The name of the backend on the command line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backend: Option<String>,
}

impl Called {
    fn is_own(&self) -> bool {
        *self == Called::default()
    }
}

/// A whole log.
#[derive(Clone, Debug, PartialEq)]
pub struct Log {
    /// The first line.
    pub header: Header,
    /// One per case, in the order of the plan.
    pub records: Vec<Record>,
}

/// Why a log cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The file cannot be read.
    #[error("read log")]
    Io(#[from] std::io::Error),
    /// A line is not what it should be.
    #[error("line {line} of the log is not a {expected}: {}", explain(cause))]
    Line {
        /// Line number, from 1.
        line: usize,
        /// What was expected there.
        expected: &'static str,
        /// What the parser says; part of the message, so it is no source that would be printed again.
        cause: serde_json::Error,
    },
    /// The file has no first line.
    #[error("the log is empty, expected a header line")]
    Empty,
    /// Written by another version.
    #[error("the log has format {got}, this version reads format {FORMAT}")]
    Format {
        /// The format found.
        got: u32,
    },
}

impl Header {
    /// Reads the first line of a log.
    ///
    /// # Errors
    /// When it is not a header of [`FORMAT`].
    pub fn parse(line: &[u8]) -> Result<Header, LogError> {
        // Before the rest of the header: another format may have other fields.
        let Version { format } = parse(line, 1, "header")?;
        if format != FORMAT {
            return Err(LogError::Format { got: format });
        }
        parse(line, 1, "header")
    }

    /// The names by which host and backend can be opened again, in this order.
    pub fn called(&self) -> [&str; 2] {
        [
            self.called.host.as_deref().unwrap_or(&self.host.name),
            self.called.backend.as_deref().unwrap_or(&self.backend.name),
        ]
    }

    /// The digest over the names of planned cases, in order: what [`Header::plan`] is for the cases that were planned.
    pub fn digest_of<'a>(cases: impl Iterator<Item = &'a str>) -> Digest {
        Digest::of_bytes(cases.collect::<Vec<_>>().join("\n").as_bytes())
    }
}

impl Log {
    /// Whether the records are of the planned cases, in their order.
    pub fn is_as_planned(&self) -> bool {
        Header::digest_of(self.records.iter().map(|r| r.case.as_str())) == self.header.plan
    }

    /// Writes the log.
    ///
    /// # Errors
    /// When the writer fails.
    pub fn write(&self, mut out: impl Write) -> std::io::Result<()> {
        serde_json::to_writer(&mut out, &self.header)?;
        writeln!(out)?;
        for record in &self.records {
            serde_json::to_writer(&mut out, record)?;
            writeln!(out)?;
        }
        out.flush()
    }

    /// Reads a log.
    ///
    /// # Errors
    /// Names the line that is wrong. A log cut between two lines reads well; [`crate::decide`] counts.
    pub fn read(input: impl BufRead) -> Result<Log, LogError> {
        // Split as bytes, so that a line that is not UTF-8 is named too.
        let mut lines = input.split(b'\n').zip(1..);
        let (first, _) = lines.next().ok_or(LogError::Empty)?;
        let header = Header::parse(&first?)?;
        let mut records = Vec::new();
        for (line, number) in lines {
            let line = line?;
            if !line.trim_ascii().is_empty() {
                records.push(parse(&line, number, "record")?);
            }
        }
        Ok(Log { header, records })
    }
}

/// The part of the header that all formats share.
#[derive(Deserialize)]
struct Version {
    format: u32,
}

fn parse<T: DeserializeOwned>(
    text: &[u8],
    line: usize,
    expected: &'static str,
) -> Result<T, LogError> {
    serde_json::from_slice(text).map_err(|cause| LogError::Line { line, expected, cause })
}

/// The parser saw one line only, and would call it line 1.
fn explain(error: &serde_json::Error) -> String {
    error.to_string().replace(" at line 1 column", " at column")
}
