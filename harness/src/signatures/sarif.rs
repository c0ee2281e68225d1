//! A comparison as SARIF 2.1.0, which code hosts show beside the lines of the backend.

use std::collections::BTreeSet;

use dispatch::{Finding, Rule, Severity};
use serde_json::{Value, json};

use super::{Comparison, Place, Row};

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// The comparison as a SARIF log of one run.
///
/// A finding is located where the backend defines the function (the side that can follow the host), with the host's
/// definition as related location. Paths are relative to the folder that contains the packages, named in `originalUriBaseIds`.
pub fn render(comparison: &Comparison) -> Value {
    let findings: Vec<(&Row, &Finding)> = comparison
        .functions
        .iter()
        .flat_map(|row| row.assessment.findings.iter().map(move |finding| (row, finding)))
        .collect();
    let used: BTreeSet<Rule> = findings.iter().map(|(_, finding)| finding.rule).collect();
    let rules: Vec<Rule> = used.into_iter().collect();
    let result = |(row, finding): &(&Row, &Finding)| {
        let rule_index = rules.iter().position(|rule| *rule == finding.rule);
        let mut result = json!({
            "ruleId": finding.rule.id(),
            "ruleIndex": rule_index,
            "level": level(finding.severity),
            "message": {"text": format!("{}: {}", row.function, finding.message)},
            "locations": [location(&comparison.backend, &row.backend_function, row.backend_place.as_ref())],
            "relatedLocations": [location(&comparison.host, &row.function, row.host_place.as_ref())],
            "partialFingerprints": {"function/rule/parameter/n": fingerprint(row, finding)},
        });
        if let Some(parameter) = &finding.parameter {
            result["properties"] = json!({"parameter": parameter});
        }
        result
    };
    let base =
        |id: &str| json!({"description": {"text": format!("what contains the packages of {id}")}});
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "concord check",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules.iter().map(|rule| descriptor(*rule)).collect::<Vec<_>>(),
            }},
            "originalUriBaseIds": {
                comparison.host.as_str(): base(&comparison.host),
                comparison.backend.as_str(): base(&comparison.backend),
            },
            "columnKind": "unicodeCodePoints",
            "results": findings.iter().map(result).collect::<Vec<_>>(),
        }],
    })
}

fn descriptor(rule: Rule) -> Value {
    json!({
        "id": rule.id(),
        "shortDescription": {"text": rule.title()},
        "fullDescription": {"text": rule.explanation()},
        "help": {"text": format!("Example: {}", rule.example())},
    })
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}

fn location(library: &str, function: &str, place: Option<&Place>) -> Value {
    let mut location = json!({
        "logicalLocations": [{"fullyQualifiedName": format!("{library}:{function}"), "kind": "function"}],
    });
    if let Some(Place { file, line }) = place {
        location["physicalLocation"] = json!({
            "artifactLocation": {"uri": file, "uriBaseId": library},
            "region": {"startLine": line},
        });
    }
    location
}

/// What makes a finding the same one in another version: where it is, and the how-many-eth of its kind there
/// (`**kwargs` may be on both sides).
fn fingerprint(row: &Row, finding: &Finding) -> String {
    let parameter = finding.parameter.as_deref().unwrap_or_default();
    let before = row.assessment.findings.iter().take_while(|other| !std::ptr::eq(*other, finding));
    let alike = before.filter(|f| f.rule == finding.rule && f.parameter == finding.parameter);
    format!("{}/{}/{parameter}/{}", row.function, finding.rule, alike.count())
}
