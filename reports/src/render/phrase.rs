//! The sentences that the terminal and Markdown share, and text made safe to show.

use std::collections::BTreeMap;

use dispatch::{Device, Manifest};

use super::tally::{Failure, FunctionTally, Note, Spread, Tally};
use crate::{
    Blame, Coverage, Domain, Finding, Header, Outcome, Precision, Ruling, Shrunk, Source, Verdict,
    WaiverUse, Witnesses,
};

/// What a quick tier says at its end.
const QUICK: &str = "A quick tier certifies nothing: it only finds mistakes early.";

/// The closing line of a tier that certifies nothing.
pub(super) fn notice(header: &Header) -> Option<&'static str> {
    (header.tier == "quick").then_some(QUICK)
}

/// `reference 0.1.0`.
pub(super) fn who(manifest: &Manifest) -> String {
    format!("{} {}", manifest.name, manifest.version)
}

/// Where a backend computes.
pub(super) fn device(device: &Device) -> String {
    match device {
        Device::Cpu => "CPU".to_owned(),
        Device::Cuda { name, capability, driver, nvrtc } => {
            format!("{name}, compute capability {capability}, driver {driver}, NVRTC {nvrtc}")
        }
        Device::Emulated => "emulated GPU, no evidence about a real one".to_owned(),
        Device::Absent { why } => format!("none ({why})"),
    }
}

/// The whole run in one sentence.
pub(super) fn summary(tally: &Tally<'_>) -> String {
    if tally.functions.is_empty() {
        return "No function was examined.".to_owned();
    }
    let worst: Vec<&str> = tally
        .functions
        .iter()
        .filter(|f| f.decision.outcome == tally.outcome)
        .map(|f| f.name.as_str())
        .collect();
    let all = plural(tally.functions.len() as u64, "function");
    match tally.outcome {
        Outcome::Conformant => format!(
            "{all}, {}, {} compared, worst ratio {}.",
            plural(tally.planned, "case"),
            plural(tally.compared, "element"),
            tally.worst_passing().unwrap_or_default(),
        ),
        Outcome::NotConformant => format!(
            "{} of {all} {} not conformant: {} in {} of {}.",
            worst.len(),
            if worst.len() == 1 { "is" } else { "are" },
            plural(tally.failures.len() as u64, "distinct failure"),
            grouped(tally.condemned()),
            plural(tally.planned, "case"),
        ),
        Outcome::Infrastructure => {
            format!("The examination broke in {} of {all}: {}.", worst.len(), worst.join(", "))
        }
        Outcome::Inconclusive => {
            format!("Not enough was shown for {} of {all}: {}.", worst.len(), worst.join(", "))
        }
    }
}

/// What one failure means, in one sentence.
pub(super) fn claim(failure: &Failure<'_>, host: &str) -> String {
    let reason = &failure.record.reason;
    if !reason.is_empty() {
        return reason.clone();
    }
    let Some(finding) = failure.findings().first().copied() else {
        return meaning(failure.verdict).to_owned();
    };
    let place = match finding.at.as_str() {
        "" => finding.slot.clone(),
        at => format!("{} at {at}", finding.slot),
    };
    if failure.verdict == Verdict::Contract {
        format!("{place} breaks the contract of the call")
    } else if failure.verdict == Verdict::Flaky {
        format!("{place} differs from run to run on the same input")
    } else if finding.ratio.0.is_finite() {
        format!("{place} is off by {} times its allowance", finding.ratio)
    } else {
        format!("{place} is not what {host} gives")
    }
}

/// What a condemning verdict means where nothing more is known.
fn meaning(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Contract => "the contract of the call is broken",
        Verdict::Flaky => "the answer changes from run to run on the same input",
        Verdict::Crash => "the process of the backend died",
        Verdict::Timeout => "no answer came within the deadline",
        Verdict::DeviceLost => "the accelerator was lost",
        Verdict::Fail
        | Verdict::Pass
        | Verdict::QualityWarning
        | Verdict::NotSupported
        | Verdict::Waived
        | Verdict::Unproven
        | Verdict::Infra
        | Verdict::Inconclusive
        | Verdict::HostUndefined
        | Verdict::NotRun => "the answer differs",
    }
}

/// Who is wrong by exact arithmetic, and if it is the host, in what.
pub fn ruling(ruling: &Ruling, host: &str, backend: &str) -> String {
    let shown = |finding: &Option<Finding>| match finding {
        Some(Finding { slot, expected, actual, .. }) if slot.is_empty() => {
            format!(" ({actual} instead of {expected})")
        }
        Some(Finding { slot, at, expected, actual, .. }) => {
            let place = if at.is_empty() { slot.clone() } else { format!("{slot} at {at}") };
            format!(" ({place} is {actual}, exactly {expected})")
        }
        None => String::new(),
    };
    match ruling.blame {
        Blame::Host => format!("{host} is wrong{}, {backend} is right", shown(&ruling.host)),
        Blame::Backend => format!("{backend} is wrong, {host} is right"),
        Blame::Both => format!(
            "both are wrong: {host}{}, {backend}{}",
            shown(&ruling.host),
            shown(&ruling.backend)
        ),
        Blame::Neither => "both are within their allowances of the exact answer".to_owned(),
    }
}

/// How the two sides of a run are called, host first: by name, and with the version where both have one name.
pub(super) fn sides(header: &Header) -> [String; 2] {
    let same = header.host.name == header.backend.name;
    [&header.host, &header.backend].map(|side| match same {
        true => format!("{} {}", side.name, side.version),
        false => side.name.clone(),
    })
}

/// What exact arithmetic says about the cases of a note: `5 cases: ...; 1 case: ...`.
pub(super) fn rulings(note: &Note<'_>, header: &Header) -> Option<String> {
    let [host, backend] = sides(header);
    let each = |(cases, first): &(u64, &Ruling)| {
        let said = ruling(first, &host, &backend);
        format!("{}: {said}", plural(*cases, "case"))
    };
    let parts: Vec<String> = note.rulings.values().map(each).collect();
    (!parts.is_empty()).then(|| format!("by exact arithmetic, {}", parts.join("; ")))
}

/// The name of the class of arithmetic that was reached, or a dash.
pub(super) fn class(precision: Option<Precision>) -> &'static str {
    precision.map_or("-", Precision::name)
}

/// The median, the 99th percentile and the largest ratio, or dashes.
pub(super) fn ratios(spread: Option<Spread>) -> [String; 3] {
    match spread {
        Some(s) => [s.p50, s.p99, s.max].map(|ratio| ratio.to_string()),
        None => ["-"; 3].map(String::from),
    }
}

/// The reasons of a note, as one line.
pub(super) fn reasons(note: &Note<'_>) -> String {
    let first = note.reasons.first().copied().unwrap_or_default();
    match note.reasons.len() {
        0 => "no reason given".to_owned(),
        1 => first.to_owned(),
        n => format!("{first} (and {})", plural(n as u64 - 1, "other reason")),
    }
}

/// `3 cells x 1 gene`, with the positions kept where the shrinking dropped some.
pub(super) fn size(shrunk: &Shrunk) -> String {
    let mut text = format!(
        "{} x {}",
        plural(shrunk.n_obs as u64, "cell"),
        plural(shrunk.n_vars as u64, "gene")
    );
    let kept: Vec<String> = [("cells", &shrunk.cells), ("genes", &shrunk.genes)]
        .into_iter()
        .filter_map(|(what, kept)| Some(format!("{what} {}", positions(kept.as_ref()?))))
        .collect();
    if !kept.is_empty() {
        text += &format!(", {} of the recipe", kept.join(" and "));
    }
    if !shrunk.edits.is_empty() {
        text += &format!("; then {}", shrunk.edits.join(", "));
    }
    text
}

/// `pval_norm: value (12 cases)`: what else fails for the same reason.
pub(super) fn consequences(failure: &Failure<'_>) -> Option<String> {
    let each = |(check, n): (&&str, &u64)| format!("{check} ({})", plural(*n, "case"));
    let parts: Vec<String> = failure.consequences.iter().map(each).collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// `110 of 118 levels verified, 2 failed, 6 untested`.
pub(super) fn covered(counts: &BTreeMap<Coverage, u64>, noun: &str) -> String {
    let of = |coverage: &Coverage| counts.get(coverage).copied().unwrap_or(0);
    let total: u64 = counts.values().sum();
    let mut text = format!("{} of {total} {noun} verified", of(&Coverage::Verified));
    for coverage in [Coverage::Failed, Coverage::Undefined, Coverage::Untested] {
        if of(&coverage) > 0 {
            text += &format!(", {} {}", of(&coverage), coverage.name());
        }
    }
    text
}

/// What a domain map shows beyond its counts: a label and a list, where there is something to list.
pub(super) fn domain_lists(domain: &Domain) -> Vec<(String, String)> {
    let pairs = |coverage: Coverage| -> Vec<String> {
        let all = domain.pairs_that_are(coverage);
        all.into_iter().map(|[a, b]| format!("{a} with {b}")).collect()
    };
    let levels = |names: Vec<&str>| names.into_iter().map(str::to_owned).collect::<Vec<_>>();
    [
        ("fails wherever it occurs", levels(domain.always_failing())),
        ("undefined", levels(domain.levels_that_are(Coverage::Undefined))),
        ("untested", levels(domain.levels_that_are(Coverage::Untested))),
        ("pairs untested", pairs(Coverage::Untested)),
    ]
    .into_iter()
    .filter(|(_, list)| !list.is_empty())
    .map(|(label, list)| (label.to_owned(), first_of(&list)))
    .collect()
}

fn first_of(list: &[String]) -> String {
    const SHOWN: usize = 8;
    let mut text = list.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
    if list.len() > SHOWN {
        text += &format!(" and {} more", grouped((list.len() - SHOWN) as u64));
    }
    text
}

/// One waiver in one sentence.
pub(super) fn waiver(waiver: &WaiverUse) -> String {
    let WaiverUse { function, select, kind, reason, issue, granted_by, expires, .. } = waiver;
    let (cases, most) = (waiver.cases, waiver.max_cases);
    let mut text = format!(
        "{function}, {kind}, where {select}: {reason} ({issue}); {} of at most {most}, granted by {granted_by} until {expires}",
        plural(cases, "case")
    );
    if let Some(problem) = &waiver.problem {
        text = format!("NOT IN FORCE, {problem}: {text}");
    }
    text
}

fn positions(kept: &[usize]) -> String {
    const SHOWN: usize = 8;
    let mut shown: Vec<String> = kept.iter().take(SHOWN).map(usize::to_string).collect();
    if kept.len() > SHOWN {
        shown.push("…".to_owned());
    }
    format!("[{}]", shown.join(", "))
}

/// `3 of 24 cases of this function fail this way`.
pub(super) fn extent(failure: &Failure<'_>, functions: &[FunctionTally]) -> String {
    let planned = functions.iter().find(|f| f.name == failure.function).map_or(0, |f| f.planned);
    match failure.cases {
        1 => format!("1 of {planned} fails this way"),
        n => format!("{} of {planned} fail this way", grouped(n)),
    }
}

/// `3 fail, 21 pass`: worst first.
pub(super) fn verdicts(counts: &BTreeMap<Verdict, u64>) -> String {
    let worst_first = Verdict::ALL.iter().rev();
    let parts: Vec<String> =
        worst_first.filter_map(|v| Some(format!("{} {v}", grouped(*counts.get(v)?)))).collect();
    if parts.is_empty() { "none".to_owned() } else { parts.join(", ") }
}

/// `120 planned, 120 recorded: 100 must-pass, 20 sampled`.
pub(super) fn origins(tally: &Tally<'_>) -> String {
    let parts: Vec<String> = tally
        .sources
        .iter()
        .map(|(source, n)| format!("{} {}", grouped(*n), source_name(*source)))
        .collect();
    let recorded = grouped(tally.log.records.len() as u64);
    let mut text = format!("{} planned, {recorded} recorded", grouped(tally.planned));
    if !parts.is_empty() {
        text += &format!(" ({})", parts.join(", "));
    }
    text
}

fn source_name(source: Source) -> &'static str {
    match source {
        Source::MustPass => "must-pass",
        Source::Sampled => "sampled",
        Source::Regression => "regression",
        Source::File => "from a file",
        Source::Golden => "golden",
        Source::Statistical => "statistical",
    }
}

/// `81 cases with counted calls (81 calls, 243 kernels launched, 8,192 bytes moved), 3 cases without an answer`.
pub(super) fn witness(witness: &Witnesses) -> String {
    let Witnesses { own_code, counted, unproven, no_answer, work } = *witness;
    let launches = work.launches.map(|n| format!(", {} launched", plural(n, "kernel")));
    let moved = work.moved.map(|n| format!(", {} moved", plural(n, "byte")));
    let device = [launches, moved].into_iter().flatten().collect::<String>();
    let parts = [
        (own_code, "answered by code of its own".to_owned()),
        (counted, format!("with counted calls ({}{device})", plural(work.calls, "call"))),
        (unproven, "with nothing that shows who answered".to_owned()),
        (no_answer, "without an answer".to_owned()),
    ];
    let stated = parts.iter().filter(|(n, _)| *n > 0);
    let parts: Vec<String> =
        stated.map(|(n, how)| format!("{} {how}", plural(*n, "case"))).collect();
    if parts.is_empty() { "no case has a record".to_owned() } else { parts.join(", ") }
}

/// `1 case`, `2 cases`, `1,024 cases`.
pub(super) fn plural(n: u64, noun: &str) -> String {
    format!("{} {noun}{}", grouped(n), if n == 1 { "" } else { "s" })
}

/// A count with its thousands apart: `61,440`.
pub(super) fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Text on one line that cannot move the cursor, change colours or reverse the reading order.
pub(super) fn clean(text: &str) -> String {
    let unseen = |c: char| {
        matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
            || c == '\u{feff}'
            || c.is_control()
    };
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if unseen(c) { out.extend(c.escape_default()) } else { out.push(c) }
    }
    out
}

/// At most `width` characters: the beginning, an ellipsis, the end.
pub(super) fn shorten(text: &str, width: usize) -> String {
    let chars: Vec<char> = text.chars().collect();
    if chars.len() <= width {
        return text.to_owned();
    }
    let kept = width.saturating_sub(1);
    let (head, tail) = (kept - kept / 3, kept / 3);
    let mut out: String = chars[..head].iter().collect();
    out.push('…');
    out.extend(&chars[chars.len() - tail..]);
    out
}

/// Two values shortened alike to `width` characters, so that their first difference stays in view.
/// Also returns the position of that difference in both.
pub(super) fn contrast(a: &str, b: &str, width: usize) -> (String, String, usize) {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let common = a.iter().zip(&b).take_while(|(x, y)| x == y).count();
    let too_long = a.len().max(b.len()) > width;
    let start = if too_long { common.saturating_sub(width / 3) } else { 0 };
    let window = |s: &[char]| {
        let lead = usize::from(start > 0);
        let rest = s.get(start..).unwrap_or_default();
        let room = width.saturating_sub(lead);
        let mut out = if lead == 1 { "…".to_owned() } else { String::new() };
        if rest.len() <= room {
            out.extend(rest);
        } else {
            out.extend(&rest[..room.saturating_sub(1)]);
            out.push('…');
        }
        out
    };
    (window(&a), window(&b), common - start + usize::from(start > 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_grouped() {
        let shown = [0, 999, 1000, 61_440, 1_234_567].map(grouped);
        assert_eq!(shown, ["0", "999", "1,000", "61,440", "1,234,567"]);
    }

    #[test]
    fn shortened_text_keeps_both_ends_and_its_width() {
        assert_eq!(shorten("short", 5), "short");
        assert_eq!(shorten("abcdefghij", 7), "abcd…ij");
        assert_eq!(shorten("éééééé", 4).chars().count(), 4);
        assert_eq!(shorten("abc", 0), "…");
    }

    #[test]
    fn contrast_keeps_the_difference_in_view() {
        let (a, b) = (format!("{}1tail", "0".repeat(300)), format!("{}2tail", "0".repeat(300)));
        let (left, right, at) = contrast(&a, &b, 30);
        assert_eq!(left.chars().nth(at), Some('1'));
        assert_eq!(right.chars().nth(at), Some('2'));
        assert!(left.chars().count() <= 30 && right.chars().count() <= 30);
        assert_eq!(contrast("0.25", "0.5", 30), ("0.25".into(), "0.5".into(), 2));
        assert_eq!(contrast("same", "same", 30).2, 4);
    }

    #[test]
    fn contrast_survives_every_width() {
        for width in 0..12 {
            contrast("aaaaaaaaaaaab", "aaaaaaaaaaaac", width);
            contrast("", "aaaaaaaaaaaaaaaaaaaa", width);
        }
    }

    #[test]
    fn clean_text_stays_on_its_line() {
        assert_eq!(clean("a\u{1b}[31m\nb\u{202e}c"), "a\\u{1b}[31m\\nb\\u{202e}c");
        assert_eq!(clean("Zürich, 細胞"), "Zürich, 細胞");
    }
}
