//! `concord merge`

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Args;
use dispatch::Digest;
use reports::Log;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::conclude::{Destination, write_log};
use super::environment::Watched;
use super::issue::{program, read};
use super::request::Request;
use crate::Usage;
use crate::shards::{self, Part, Shard};

/// What a part says about itself, beside its log.
const FILE: &str = "part.json";
/// The version of that file.
const FORMAT: u32 = 1;

/// Gathers the parts that `certify --shard` wrote: the log, the reports and the certificate of one run.
///
/// The options of the run stand in the parts; what a file name in them means is decided here. With the `--out` that
/// a run as a whole would have, the log and the reports have its bytes.
#[derive(Args)]
pub(super) struct Merge {
    /// The folders of all parts, in any order
    #[arg(required = true, value_name = "DIR")]
    parts: Vec<PathBuf>,
    #[command(flatten)]
    destination: Destination,
}

/// [`FILE`].
#[derive(Serialize, Deserialize)]
struct Stated {
    format: u32,
    /// The program that ran.
    suite: Digest,
    shard: Shard,
    watched: Watched,
    request: Value,
}

impl Merge {
    pub(super) fn run(&self) -> Result<u8> {
        let stated: Vec<Stated> =
            self.parts.iter().map(|dir| stated(dir)).collect::<Result<_>>()?;
        let Some(first) = stated.first() else {
            return Err(Usage("there are no parts".to_owned()).into());
        };
        for (dir, other) in self.parts.iter().zip(&stated) {
            if let Some(option) = differs(&first.request, &other.request) {
                let message = format!(
                    "{} belongs to another run: its `{option}` is not that of {}",
                    dir.display(),
                    self.parts[0].display()
                );
                return Err(Usage(message).into());
            }
        }
        let here = program()?;
        if let Some((dir, _)) = self.parts.iter().zip(&stated).find(|(_, s)| s.suite != here) {
            let message = format!(
                "{} belongs to another run: another build of concord made it than this one",
                dir.display()
            );
            return Err(Usage(message).into());
        }
        let request: Request = serde_json::from_value(first.request.clone())
            .with_context(|| format!("read the options in {}", self.parts[0].display()))?;
        let prepared = request.prepare()?;
        let parts = self.parts.iter().zip(&stated).map(|(dir, stated)| part(dir, stated.shard));
        let parts = parts.collect::<Result<Vec<Part>>>()?;
        let records = shards::gather(&prepared.plan, &prepared.header, parts)
            .map_err(|error| Usage(error.to_string()))?;
        let watched = stated.iter().map(|part| part.watched.clone());
        let watched = Watched::together(watched).context("there are no parts")?;
        self.destination.conclude(&request, prepared, records, &watched)
    }
}

/// A part has a log and no report: what it says stands only with the other parts.
pub(super) fn write_part(
    log: &Log,
    shard: Shard,
    request: &Request,
    watched: Watched,
    out: &Path,
) -> Result<u8> {
    write_log(log, out)?;
    let request = serde_json::to_value(request).context("write the options of the run")?;
    let stated = Stated { format: FORMAT, suite: program()?, shard, watched, request };
    let path = out.join(FILE);
    let text = serde_json::to_string_pretty(&stated)? + "\n";
    std::fs::write(&path, text).with_context(|| format!("write {}", path.display()))?;
    super::print(&format!(
        "part {shard}: {} cases in {}; `concord merge` of all parts concludes\n",
        log.records.len(),
        out.display()
    ));
    Ok(0)
}

fn stated(dir: &Path) -> Result<Stated> {
    let path = dir.join(FILE);
    if !path.is_file() {
        let dir = dir.display();
        return Err(Usage(format!("{dir} is no part: `certify --shard` writes {FILE}")).into());
    }
    let stated: Stated = serde_json::from_slice(&read(&path)?)
        .with_context(|| format!("read {}", path.display()))?;
    match stated.format {
        FORMAT => Ok(stated),
        got => {
            let message =
                format!("{} has format {got}, this version reads {FORMAT}", path.display());
            Err(Usage(message).into())
        }
    }
}

fn part(dir: &Path, shard: Shard) -> Result<Part> {
    let path = dir.join("results.jsonl");
    let file = File::open(&path).with_context(|| format!("open {}", path.display()))?;
    let log =
        Log::read(BufReader::new(file)).with_context(|| format!("read {}", path.display()))?;
    Ok(Part { name: dir.display().to_string(), shard, log })
}

/// The first option in which two requests are not the same.
fn differs(first: &Value, other: &Value) -> Option<String> {
    let (Value::Object(first), Value::Object(other)) = (first, other) else {
        return (first != other).then(|| "request".to_owned());
    };
    first.keys().chain(other.keys()).find(|key| first.get(*key) != other.get(*key)).cloned()
}
