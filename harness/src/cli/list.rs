//! `concord list`

use anyhow::Result;
use clap::Args;
use dispatch::Device;
use serde_json::json;

use crate::{CONTRACTS, backends, laws};

/// Shows functions, knobs and levels, laws, known backends, and the state of the device.
#[derive(Args)]
pub(super) struct List {
    /// Print JSON instead of text
    #[arg(long)]
    json: bool,
}

impl List {
    pub(super) fn run(&self) -> Result<u8> {
        super::print(&if self.json { format!("{:#}\n", as_json()?) } else { as_text()? });
        Ok(0)
    }
}

fn as_text() -> Result<String> {
    let mut out = String::from(
        "Functions, with the knobs of a recipe and their levels from simple to hard\n",
    );
    for generator in generators::GENERATORS {
        out += &format!("\n  {}\n", generator.function);
        for knob in generator.knobs {
            out += &format!("    {:<16} {}\n", knob.name, knob.levels.join(" "));
        }
    }
    out += "\nLaws, which need no host\n\n";
    for law in laws::all() {
        out += &format!("  {:<4} {:<17} {}\n", law.id, law.function, law.statement);
    }
    out += "\nBackends\n\n";
    for known in backends::known()? {
        let state = match &known.device {
            Device::Absent { why } => format!(" [no device: {why}]"),
            Device::Cpu | Device::Cuda { .. } | Device::Emulated => String::new(),
        };
        out += &format!("  {:<44} {}{state}\n", known.name, known.summary);
    }
    Ok(out)
}

fn as_json() -> Result<serde_json::Value> {
    let functions: Vec<_> = generators::GENERATORS
        .iter()
        .map(|g| {
            let contract = CONTRACTS.iter().find(|c| c.function == g.function);
            let knobs: Vec<_> =
                g.knobs.iter().map(|k| json!({"name": k.name, "levels": k.levels})).collect();
            json!({"name": g.function, "knobs": knobs, "semantic": contract.map(|c| c.semantic)})
        })
        .collect();
    let laws: Vec<_> = laws::all()
        .map(|l| json!({"id": l.id, "function": l.function, "statement": l.statement}))
        .collect();
    let backends: Vec<_> = backends::known()?
        .iter()
        .map(|k| json!({"name": k.name, "summary": k.summary, "device": k.device}))
        .collect();
    Ok(json!({"format": 1, "functions": functions, "laws": laws, "backends": backends}))
}
