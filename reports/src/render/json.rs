//! The summary that programs read.

use serde_json::{Value, json};

use super::phrase;
use super::tally::{Failure, FunctionTally, Note, Spread, Tally};
use crate::{Coverage, Domain, FORMAT, Log, Outcome, Ruling};

/// The format of [`json_summary`]; it grows when a field changes its meaning or goes away.
pub const SUMMARY_FORMAT: u32 = 1;

/// The log as one JSON object, complete and unshortened.
///
/// Fields: `format`, `outcome` (kebab-case), `exit_code`, `backend`, `host`, `tier`, `functions` (by
/// name: outcome, why, planned, counts, compared, ratios, precision), `counts`, `failures` (function, check,
/// verdict, claim, cases, consequences, case, input, findings, ruling, replay), `notes`, `measured`, `waivers`, `domain`
/// (by function: levels, pairs, always_failing), `limitations`, and what identifies
/// the run. Ratios that are not finite are the texts `NaN` and `Infinity`; what is absent is null.
pub fn json_summary(log: &Log) -> Value {
    let tally = Tally::of(log);
    let header = &log.header;
    let who = |m: &dispatch::Manifest| {
        json!({
            "name": m.name, "version": m.version, "device": m.device, "artifact": m.artifact,
        })
    };
    let functions: serde_json::Map<String, Value> =
        tally.functions.iter().map(|f| (f.name.clone(), function(f))).collect();
    json!({
        "format": SUMMARY_FORMAT,
        "log_format": FORMAT,
        "outcome": tally.outcome,
        "exit_code": tally.outcome.exit_code(),
        "conformant": tally.outcome == Outcome::Conformant,
        "summary": phrase::summary(&tally),
        "backend": who(&header.backend),
        "host": who(&header.host),
        "examiner": header.examiner,
        "tier": header.tier,
        "precision": header.precision,
        "seed": header.seed,
        "plan": header.plan,
        "planned": tally.planned,
        "recorded": log.records.len(),
        "compared": tally.compared,
        "counts": tally.counts,
        "sources": tally.sources,
        "functions": functions,
        "failures": tally.failures.iter().map(|f| failure(f, &tally)).collect::<Vec<_>>(),
        "notes": tally.notes.iter().map(note).collect::<Vec<_>>(),
        "measured": tally.measured,
        "waivers": header.waivers,
        "domain": tally.domains.iter().map(|d| (d.function.clone(), domain(d))).collect::<serde_json::Map<_, _>>(),
        "limitations": header.limitations,
        "notice": phrase::notice(header),
    })
}

fn function(function: &FunctionTally) -> Value {
    let ratios = |s: Spread| json!({"checks": s.checks, "p50": s.p50, "p99": s.p99, "max": s.max});
    json!({
        "outcome": function.decision.outcome,
        "why": function.decision.why,
        "planned": function.planned,
        "counts": function.decision.counts,
        "compared": function.decision.compared,
        "ratios": function.spread.map(ratios),
        "precision": function.precision,
    })
}

fn failure(failure: &Failure<'_>, tally: &Tally<'_>) -> Value {
    let input = failure.shrunk().map(|s| {
        json!({
            "recipe": s.recipe, "n_obs": s.n_obs, "n_vars": s.n_vars, "cells": s.cells,
            "genes": s.genes, "params": s.params, "digest": s.input, "calls": s.calls,
            "edits": s.edits, "capsule": s.capsule,
        })
    });
    json!({
        "function": failure.function,
        "check": failure.check,
        "verdict": failure.verdict,
        "claim": phrase::claim(failure, &phrase::sides(&tally.log.header)[0]),
        "cases": failure.cases,
        "consequences": failure.consequences,
        "case": failure.record.case,
        "input": input,
        "findings": failure.findings(),
        "ruling": failure.shrunk().and_then(|s| s.ruling.as_ref()),
        "replay": failure.shrunk().map(|s| &s.replay),
    })
}

/// Each level with its word; of the pairs those that are not verified, and how many are.
fn domain(domain: &Domain) -> Value {
    let mut levels = serde_json::Map::new();
    for (name, seen) in &domain.levels {
        let (knob, level) = name.split_once('=').unwrap_or((name, ""));
        let knob = levels.entry(knob).or_insert_with(|| json!({}));
        knob[level] = json!(seen.coverage());
    }
    let mut pairs = json!({"verified": domain.pairs_that_are(Coverage::Verified).len()});
    for coverage in [Coverage::Failed, Coverage::Undefined, Coverage::Untested] {
        let joined = domain.pairs_that_are(coverage).into_iter().map(|pair| pair.join(" "));
        pairs[coverage.name()] = joined.collect();
    }
    json!({"levels": levels, "pairs": pairs, "always_failing": domain.always_failing()})
}

fn note(note: &Note<'_>) -> Value {
    let ruling = |(cases, first): &(u64, &Ruling)| json!({"cases": cases, "first": first});
    let rulings: Vec<Value> = note.rulings.values().map(ruling).collect();
    json!({
        "function": note.function,
        "verdict": note.verdict,
        "cases": note.cases,
        "reasons": note.reasons,
        "rulings": rulings,
    })
}
