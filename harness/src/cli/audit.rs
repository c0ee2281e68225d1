//! `concord audit`

use anyhow::Result;
use clap::Args;
use serde_json::json;

use crate::audit::{Sensitivity, audit};

/// Measures how small an error each check sees, by perturbing correct answers until the judge objects.
#[derive(Args)]
pub(super) struct Audit {
    /// Audit only this function (may be given several times)
    #[arg(long = "function", value_name = "F")]
    functions: Vec<String>,
    /// The seed of the recipes
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Print JSON instead of text
    #[arg(long)]
    json: bool,
}

impl Audit {
    pub(super) fn run(&self) -> Result<u8> {
        let mut blind = 0;
        let mut out = Vec::new();
        for function in super::functions(&self.functions)? {
            let Some(generator) = generators::generator(&function) else { continue };
            if !self.json {
                super::print(&format!(
                    "{function}: smallest relative change of one element that a check objects to\n"
                ));
                super::print(
                    "  column                tried  least    median   most     NaN unseen  blind  checks\n",
                );
            }
            for (column, s) in audit(generator, self.seed) {
                blind += usize::from(s.seen.is_empty());
                if self.json {
                    out.push(as_json(&function, &column, &s));
                } else {
                    super::print(&line(&column, &s));
                }
            }
        }
        if self.json {
            super::print(&format!("{:#}\n", json!({"format": 1, "columns": out})));
        }
        // A column in which nothing is ever seen is a hole in the examination.
        Ok(if blind > 0 { 1 } else { 0 })
    }
}

fn line(column: &str, s: &Sensitivity) -> String {
    let at = |q: f64| s.quantile(q).map_or_else(|| "-".to_owned(), |x| format!("{x:.1e}"));
    let by: Vec<String> = s.by.iter().map(|(check, n)| format!("{check} ({n})")).collect();
    format!(
        "  {column:<20} {:>6}  {:<8} {:<8} {:<8} {:>10}  {:>5}  {}\n",
        s.tried,
        at(0.0),
        at(0.5),
        at(1.0),
        s.nan_blind,
        s.blind,
        by.join(", ")
    )
}

fn as_json(function: &str, column: &str, s: &Sensitivity) -> serde_json::Value {
    json!({
        "function": function, "column": column, "tried": s.tried, "blind": s.blind, "nan_unseen": s.nan_blind,
        "least": s.quantile(0.0), "median": s.quantile(0.5), "most": s.quantile(1.0), "checks": s.by,
    })
}
