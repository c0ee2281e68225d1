//! The log as GitHub-flavoured Markdown: a job summary, a comment on a pull request.
//!
//! Foreign text has two forms. [`code`] for names and values: nothing in a code span is markup, a
//! mention or a link. [`prose`] for sentences: every character that could be markup is an entity.

use std::fmt::Write as _;

use super::phrase::{self, clean, contrast, grouped, shorten};
use super::tally::{Failure, Tally};
use crate::{Log, Outcome};

/// Failures shown in full.
const CARDS: usize = 20;
/// Bytes of a summary. GitHub drops one of more than 1 MiB whole, and others may write to the same.
const MOST: usize = 900 << 10;
/// Characters of a value or a sentence that are shown.
const LONGEST: usize = 240;

/// The log as a Markdown summary: verdict, a row per function, what failed, counts, limitations.
pub fn markdown(log: &Log) -> String {
    let tally = Tally::of(log);
    let sections: [fn(&mut String, &Tally<'_>); 7] =
        [headline, functions, failures, notes, waivers, domains, closing];
    let mut out = String::new();
    for section in sections {
        let before = out.len();
        section(&mut out, &tally);
        if out.len() > MOST {
            out.truncate(before);
            out.push_str("**The rest is longer than a job summary may be: see the report.**\n");
            break;
        }
    }
    out
}

/// Appends a block and the empty line after it. Writing to a string cannot fail.
fn block(out: &mut String, text: &str) {
    out.push_str(text.trim_end());
    out.push_str("\n\n");
}

fn headline(out: &mut String, tally: &Tally<'_>) {
    let header = &tally.log.header;
    let verdict = tally.outcome.name().to_uppercase();
    let backend = code(&phrase::who(&header.backend));
    let host = code(&phrase::who(&header.host));
    let tier = code(&header.tier);
    block(out, &format!("### {verdict}: {backend} against {host}, tier {tier}"));
    let device = code(&phrase::device(&header.backend.device));
    block(out, &format!("{}\nDevice: {device}.", prose(&phrase::summary(tally))));
}

fn functions(out: &mut String, Tally { functions, .. }: &Tally<'_>) {
    if functions.is_empty() {
        return;
    }
    let mut table = String::from(
        "| Function | Outcome | Class | Cases | Compared | Ratio p50 | p99 | max | Why |\n\
         | --- | --- | --- | --- | ---: | ---: | ---: | ---: | --- |\n",
    );
    for function in functions {
        let decision = &function.decision;
        let [p50, p99, max] = phrase::ratios(function.spread);
        let name = decision.outcome.name();
        let (outcome, why) = match decision.outcome {
            // The columns before say why.
            Outcome::Conformant => (name.to_owned(), String::new()),
            Outcome::NotConformant | Outcome::Infrastructure | Outcome::Inconclusive => {
                (format!("**{name}**"), prose(&decision.why))
            }
        };
        let _ = writeln!(
            table,
            "| {} | {outcome} | {} | {} | {} | {p50} | {p99} | {max} | {why} |",
            code(&function.name),
            phrase::class(function.precision),
            phrase::verdicts(&decision.counts),
            grouped(decision.compared),
        );
    }
    block(out, &table);
    block(
        out,
        "Class: of the arithmetic in which all answers agree; P64 is float64 throughout. \
         Ratio: distance over allowance in the checks that pass; at most 1 agrees.",
    );
}

fn failures(out: &mut String, tally: &Tally<'_>) {
    if tally.failures.is_empty() {
        return;
    }
    block(out, "#### What failed");
    let [host, _] = phrase::sides(&tally.log.header);
    for (i, failure) in tally.failures.iter().take(CARDS).enumerate() {
        let (function, check) = (code(failure.function), code(failure.check));
        let claim = phrase::claim(failure, &host);
        let head = format!("**{}. {function}, {check}** ({})", i + 1, failure.verdict);
        block(out, &format!("{head}<br>\n{}", prose(&claim)));
        card(out, failure, tally);
    }
    if tally.failures.len() > CARDS {
        let mut list = String::from("Also failed (in full in the log):\n\n");
        for failure in &tally.failures[CARDS..] {
            let (function, check) = (code(failure.function), code(failure.check));
            let cases = phrase::plural(failure.cases, "case");
            let _ = writeln!(list, "- {function}, {check}: {cases}");
        }
        block(out, &list);
    }
}

fn card(out: &mut String, failure: &Failure<'_>, tally: &Tally<'_>) {
    let mut rows: Vec<(&str, String)> = Vec::new();
    match failure.shrunk() {
        Some(shrunk) => {
            rows.push(("input", phrase::size(shrunk)));
            rows.push(("recipe", code_in_full(&shrunk.recipe)));
            if !shrunk.params.is_empty() {
                rows.push(("parameters", code_in_full(&shrunk.params.join(", "))));
            }
        }
        None => rows.push(("case", code_in_full(&failure.record.case))),
    }
    let findings = failure.findings();
    if let Some((finding, others)) = findings.split_first() {
        let (expected, actual) = (clean(&finding.expected), clean(&finding.actual));
        let (expected, actual, _) = contrast(&expected, &actual, LONGEST);
        rows.push(("at", code(format!("{} {}", finding.slot, finding.at).trim_end())));
        rows.push(("expected", code(&expected)));
        rows.push(("actual", code(&actual)));
        rows.push(("allowance", code(&finding.allowance)));
        rows.push(("ratio", finding.ratio.to_string()));
        if !others.is_empty() {
            rows.push(("further findings", grouped(others.len() as u64)));
        }
    }
    if let Some(ruling) = failure.shrunk().and_then(|s| s.ruling.as_ref()) {
        let [host, backend] = phrase::sides(&tally.log.header);
        let said = phrase::ruling(ruling, &host, &backend);
        rows.push(("exact arithmetic", code_in_full(&said)));
    }
    rows.push(("cases", phrase::extent(failure, &tally.functions)));
    if let Some(consequences) = phrase::consequences(failure) {
        rows.push(("explains", code_in_full(&consequences)));
    }
    let rows: String =
        rows.iter().map(|(label, value)| format!("| {label} | {value} |\n")).collect();
    block(out, &format!("| | |\n| --- | --- |\n{rows}"));
    if let Some(shrunk) = failure.shrunk() {
        block(out, &fenced(&shrunk.replay));
    }
}

fn notes(out: &mut String, tally: &Tally<'_>) {
    if tally.notes.is_empty() {
        return;
    }
    block(out, "#### Neither passed nor failed");
    let mut table =
        String::from("| Function | Verdict | Cases | Why |\n| --- | --- | ---: | --- |\n");
    for note in &tally.notes {
        let mut reasons = phrase::reasons(note);
        if let Some(rulings) = phrase::rulings(note, &tally.log.header) {
            reasons += &format!("; {rulings}");
        }
        let (function, reasons) = (code(note.function), prose(&reasons));
        let _ = writeln!(table, "| {function} | {} | {} | {reasons} |", note.verdict, note.cases);
    }
    block(out, &table);
}

fn waivers(out: &mut String, tally: &Tally<'_>) {
    if tally.log.header.waivers.is_empty() {
        return;
    }
    block(out, "#### Waivers");
    let line = |waiver| format!("- {}\n", prose_in_full(&phrase::waiver(waiver)));
    block(out, &tally.log.header.waivers.iter().map(line).collect::<String>());
}

fn domains(out: &mut String, tally: &Tally<'_>) {
    if tally.domains.is_empty() {
        return;
    }
    block(out, "#### What was tried");
    block(out, "Levels of the knobs, and pairs of levels.");
    let mut list = String::new();
    for domain in &tally.domains {
        let levels = phrase::covered(&domain.level_counts(), "levels");
        let pairs = phrase::covered(&domain.pair_counts(), "pairs");
        let _ = writeln!(list, "- {}: {levels}; {pairs}", code(&domain.function));
        for (label, names) in phrase::domain_lists(domain) {
            let _ = writeln!(list, "  - {label}: {}", code_in_full(&names));
        }
    }
    block(out, &list);
}

fn closing(out: &mut String, tally: &Tally<'_>) {
    let header = &tally.log.header;
    let counts = phrase::verdicts(&tally.counts);
    block(out, "#### Cases");
    block(out, &format!("{counts}; {}.", phrase::origins(tally)));
    if !tally.measured.is_empty() {
        block(out, "#### Measured");
        let line = |(function, sentence): &(&str, &str)| {
            format!("- {}: {}\n", code(function), prose(sentence))
        };
        block(out, &tally.measured.iter().map(line).collect::<String>());
    }
    if !header.limitations.is_empty() {
        block(out, "#### What this run cannot show");
        let list: String = header.limitations.iter().map(|l| format!("- {}\n", prose(l))).collect();
        block(out, &list);
    }
    if let Some(notice) = phrase::notice(header) {
        block(out, &format!("**{notice}**"));
    }
    let identity = format!(
        "Examiner {}, seed {}, plan {}, artifact {}.",
        code(&header.examiner),
        code(&header.seed),
        code(&header.plan.to_string()),
        code(&header.backend.artifact.to_string())
    );
    out.push_str(&identity);
    out.push('\n');
}

/// Foreign text as a code span, shortened.
fn code(text: &str) -> String {
    code_in_full(&shorten(&clean(text), LONGEST))
}

/// Foreign text as a code span.
///
/// A table row is cut at its bars before code spans are recognised, and no escape for a bar works
/// after a backslash; so text with a bar is written in entities.
fn code_in_full(text: &str) -> String {
    let text = clean(text);
    if text.trim().is_empty() {
        return "<code></code>".to_owned();
    }
    if text.contains('|') {
        return format!("<code>{}</code>", entities(&text, |c| !" ,-=+/".contains(c)));
    }
    let ticks = "`".repeat(longest_run(&text) + 1);
    // One space on each side is dropped by the reader, so that text may begin or end in a backtick.
    let edge = |c: Option<char>| matches!(c, Some('`' | ' '));
    let pad = if edge(text.chars().next()) || edge(text.chars().last()) { " " } else { "" };
    format!("{ticks}{pad}{text}{pad}{ticks}")
}

/// A command to copy, as a block.
fn fenced(text: &str) -> String {
    let text = clean(text);
    let fence = "`".repeat((longest_run(&text) + 1).max(3));
    format!("{fence}sh\n{text}\n{fence}")
}

/// A foreign sentence as plain text, shortened.
fn prose(text: &str) -> String {
    prose_in_full(&shorten(&clean(text), LONGEST))
}

/// A foreign sentence as plain text.
fn prose_in_full(text: &str) -> String {
    // GitHub looks for mentions, issues and links after decoding entities; a comment parts them.
    entities(&clean(text), |c| "&<>|`*_[]~\\@#$".contains(c))
        .replace("&#64;", "&#64;<!-- -->")
        .replace("&#35;", "&#35;<!-- -->")
        .replace("://", ":<!-- -->//")
        .replace("www.", "www<!-- -->.")
}

/// Text with ASCII punctuation written as entities where `markup` says so.
fn entities(text: &str, markup: impl Fn(char) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii_punctuation() && markup(c) {
            let _ = write!(out, "&#{};", u32::from(c));
        } else {
            out.push(c);
        }
    }
    out
}

/// Length of the longest run of backticks.
fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_spans_cannot_be_closed_from_inside() {
        assert_eq!(code("plain"), "`plain`");
        assert_eq!(code("a`b``c"), "```a`b``c```");
        assert_eq!(code("`edge`"), "`` `edge` ``");
        assert_eq!(code("two\nlines"), "`two\\nlines`");
        assert_eq!(code(""), "<code></code>");
    }

    #[test]
    fn a_bar_never_cuts_a_row() {
        assert_eq!(code("a\\|<b>"), "<code>a&#92;&#124;&#60;b&#62;</code>");
        assert!(!prose("a|b").contains('|'));
    }

    #[test]
    fn prose_has_no_markup_and_mentions_nobody() {
        assert_eq!(prose("<b>@me</b>"), "&#60;b&#62;&#64;<!-- -->me&#60;/b&#62;");
        assert_eq!(prose("24 cases agree, 0.5 left - all"), "24 cases agree, 0.5 left - all");
    }

    #[test]
    fn a_fence_is_longer_than_any_in_the_command() {
        assert_eq!(fenced("x ``` y"), "````sh\nx ``` y\n````");
    }
}
