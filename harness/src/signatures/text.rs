//! A comparison for people: a line per function.

use std::collections::BTreeSet;

use dispatch::{Finding, Rule, Severity};

use super::{Comparison, Row};

/// The comparison as text; `details` adds what each finding means, under its function.
pub fn render(comparison: &Comparison, details: bool) -> String {
    let Comparison { host, backend, functions, host_only, .. } = comparison;
    let mut out =
        format!("{host} -> {backend}   (verdict, function, rules broken; ! is an error)\n\n");
    let width = functions.iter().map(|row| row.function.len()).max().unwrap_or_default();
    for row in functions {
        let line = format!(
            "{:<6}{:<width$}  {}{}",
            row.assessment.verdict,
            row.function,
            findings(row),
            place(row)
        );
        out += &format!("{}\n", line.trim_end());
        if details {
            for finding in &row.assessment.findings {
                out += &format!("      {:<8}{finding}\n", word(finding.severity));
            }
        }
    }
    let s = comparison.summary();
    out += if functions.is_empty() { "" } else { "\n" };
    out += &format!(
        "shared functions: {} ({} yes, {} warns, {} no); findings: {} errors, {} warnings, {} notes\n",
        functions.len(),
        s.yes,
        s.warns,
        s.no,
        s.errors,
        s.warnings,
        s.notes
    );
    out += &only(host, host_only, "calls stay there");
    let (near, far) = by_namespace(comparison);
    out += &only(backend, &near, "no call reaches them");
    if far > 0 {
        out += &format!("{backend} has {far} more in namespaces that {host} lacks\n");
    }
    out
}

/// The text of a rule, as `--explain` prints it.
pub fn explain(rule: Rule) -> String {
    format!(
        "{rule}. {}\n\n{}\n\nExample: {}\nRefines: {}\nStatus: {}\n",
        rule.title(),
        rule.explanation(),
        rule.example(),
        rule.refines(),
        rule.status()
    )
}

/// `S1b n_neighbors, aggregation; S4 adata; 2 notes`: errors and warnings, each rule once with its parameters.
fn findings(row: &Row) -> String {
    let all = &row.assessment.findings;
    let mut groups: Vec<(Severity, Rule, Vec<&str>)> = Vec::new();
    for Finding { rule, severity, parameter, .. } in all {
        if *severity == Severity::Note {
            continue;
        }
        let parameter = parameter.as_deref().unwrap_or_default();
        match groups.iter_mut().find(|(s, r, _)| s == severity && r == rule) {
            Some((_, _, parameters)) if parameters.contains(&parameter) => {}
            Some((_, _, parameters)) => parameters.push(parameter),
            None => groups.push((*severity, *rule, vec![parameter])),
        }
    }
    let mut parts: Vec<String> = groups
        .iter()
        .map(|(severity, rule, parameters)| {
            let mark = if *severity == Severity::Error { "!" } else { "" };
            format!("{rule}{mark} {}", parameters.join(", "))
        })
        .collect();
    match all.iter().filter(|f| f.severity == Severity::Note).count() {
        0 => {}
        1 => parts.push("1 note".to_owned()),
        n => parts.push(format!("{n} notes")),
    }
    parts.join("; ")
}

fn place(row: &Row) -> String {
    match &row.backend_place {
        Some(place) if !row.assessment.findings.is_empty() => {
            format!("  {}:{}", place.file, place.line)
        }
        Some(_) | None => String::new(),
    }
}

fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}

fn only(side: &str, names: &[impl AsRef<str>], effect: &str) -> String {
    if names.is_empty() {
        return String::new();
    }
    let list: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
    format!("only {side} has {} ({effect}): {}\n", list.len(), list.join(", "))
}

/// Functions of the backend alone: those in a namespace that the host has too, and the number of the others.
fn by_namespace(comparison: &Comparison) -> (Vec<&str>, usize) {
    let namespace = |name: &str| name.rsplit_once('.').map(|(space, _)| space.to_owned());
    let ours = comparison.functions.iter().map(|row| &row.function).chain(&comparison.host_only);
    let spaces: BTreeSet<_> = ours.map(|name| namespace(name)).collect();
    let all = comparison.backend_only.iter().map(String::as_str);
    let near: Vec<&str> = all.filter(|name| spaces.contains(&namespace(name))).collect();
    let far = comparison.backend_only.len() - near.len();
    (near, far)
}
