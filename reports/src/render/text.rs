//! What the command line prints at the end of a run.

use super::page::{Ink, Page};
use super::phrase::{self, clean, contrast, grouped, shorten};
use super::tally::{Failure, FunctionTally, Tally};
use crate::{Log, Outcome};

/// Failures shown in full; further ones have a line each, or the verdict scrolls away.
const CARDS: usize = 8;

/// How text is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Whether to use ANSI colours.
    pub color: bool,
    /// Characters in a line; commands to copy are never broken.
    pub width: usize,
}

impl Default for Style {
    /// No colours, 100 characters.
    fn default() -> Style {
        Style { color: false, width: 100 }
    }
}

/// The log for a terminal: the verdict in the first line, a line per function, then what failed,
/// then counts and limitations.
pub fn text(log: &Log, style: Style) -> String {
    let tally = Tally::of(log);
    let mut page = Page::new(style);
    headline(&mut page, &tally);
    functions(&mut page, &tally.functions);
    failures(&mut page, &tally);
    notes(&mut page, &tally);
    waivers(&mut page, &tally);
    domains(&mut page, &tally);
    closing(&mut page, &tally);
    page.finish()
}

fn ink(outcome: Outcome) -> Ink {
    match outcome {
        Outcome::Conformant => Ink::Good,
        Outcome::NotConformant => Ink::Bad,
        Outcome::Infrastructure | Outcome::Inconclusive => Ink::Doubtful,
    }
}

fn headline(page: &mut Page, tally: &Tally<'_>) {
    let header = &tally.log.header;
    let verdict = page.paint(ink(tally.outcome), &tally.outcome.name().to_uppercase());
    let (backend, host) = (phrase::who(&header.backend), phrase::who(&header.host));
    let rest = clean(&format!("{backend} against {host}, tier {}", header.tier));
    page.line(&format!("{verdict}  {rest}"));
    page.sentence(0, &clean(&phrase::summary(tally)));
    page.sentence(0, &format!("Device: {}.", clean(&phrase::device(&header.backend.device))));
}

const HEAD: [&str; 7] = ["function", "outcome", "class", "compared", "p50", "p99", "max"];

const LEGEND: [&str; 2] = [
    "class: of the arithmetic in which all answers agree; P64 is float64 throughout",
    "p50, p99, max: ratio of distance to allowance in the checks that pass; at most 1 agrees",
];

/// The cells of one line of the table, apart from the last.
fn cells(function: &FunctionTally) -> [String; 7] {
    let [p50, p99, max] = phrase::ratios(function.spread);
    [
        shorten(&clean(&function.name), 28),
        function.decision.outcome.name().to_owned(),
        phrase::class(function.precision).to_owned(),
        grouped(function.decision.compared),
        p50,
        p99,
        max,
    ]
}

fn functions(page: &mut Page, functions: &[FunctionTally]) {
    if functions.is_empty() {
        return;
    }
    let rows: Vec<_> = functions.iter().map(cells).collect();
    let widths: [usize; 7] = std::array::from_fn(|i| {
        let longest = rows.iter().map(|row| row[i].chars().count()).max().unwrap_or(0);
        longest.max(HEAD[i].len())
    });
    // Words to the left, numbers to the right.
    let pad = |i: usize, cell: &str| match i {
        0..=2 => format!("{cell:<0$}", widths[i]),
        _ => format!("{cell:>0$}", widths[i]),
    };
    let indent = 2 + widths.iter().map(|width| width + 2).sum::<usize>();
    page.blank();
    let titles: Vec<String> = (0..7).map(|i| pad(i, HEAD[i])).collect();
    let titles = page.paint(Ink::Faint, &format!("{}  cases", titles.join("  ")));
    page.line(&format!("  {titles}"));
    for (function, row) in functions.iter().zip(&rows) {
        let outcome = function.decision.outcome;
        let mut padded: Vec<String> = (0..7).map(|i| pad(i, &row[i])).collect();
        padded[1] = page.paint(ink(outcome), &padded[1]);
        let mut cases = phrase::verdicts(&function.decision.counts);
        // Of a conformant function, the columns before say why.
        if outcome != Outcome::Conformant {
            cases += &format!(": {}", clean(&function.decision.why));
        }
        page.hanging(&format!("  {}  ", padded.join("  ")), indent, &cases);
    }
    for legend in LEGEND {
        let legend = page.paint(Ink::Faint, legend);
        page.line(&format!("  {legend}"));
    }
}

fn failures(page: &mut Page, tally: &Tally<'_>) {
    let total = tally.failures.len();
    for (i, failure) in tally.failures.iter().take(CARDS).enumerate() {
        page.blank();
        let number = page.paint(Ink::Bad, &format!("FAILED {} of {total}", i + 1));
        let name = format!("{}, {}", clean(failure.function), clean(failure.check));
        let name = page.paint(Ink::Strong, &name);
        page.line(&format!("{number}  {name}"));
        card(page, failure, tally);
    }
    if total > CARDS {
        page.heading("Also failed (in full in the log)");
        for failure in &tally.failures[CARDS..] {
            let (function, check) = (clean(failure.function), clean(failure.check));
            let cases = phrase::plural(failure.cases, "case");
            page.sentence(2, &format!("{function}, {check}: {cases}"));
        }
    }
}

fn card(page: &mut Page, failure: &Failure<'_>, tally: &Tally<'_>) {
    let header = &tally.log.header;
    let [host, backend] = phrase::sides(header);
    let claim = clean(&phrase::claim(failure, &host));
    page.sentence(2, &shorten(&claim, 4 * page.width()));
    match failure.shrunk() {
        Some(shrunk) => {
            page.long_field("input", &phrase::size(shrunk));
            page.long_field("recipe", &clean(&shrunk.recipe));
            if !shrunk.params.is_empty() {
                page.long_field("params", &clean(&shrunk.params.join(", ")));
            }
        }
        None => page.long_field("case", &clean(&failure.record.case)),
    }
    findings(page, failure, &claim);
    if let Some(ruling) = failure.shrunk().and_then(|s| s.ruling.as_ref()) {
        page.long_field("exact", &clean(&phrase::ruling(ruling, &host, &backend)));
    }
    page.field("cases", &phrase::extent(failure, &tally.functions));
    if let Some(consequences) = phrase::consequences(failure) {
        page.long_field("explains", &clean(&consequences));
    }
    if let Some(shrunk) = failure.shrunk() {
        page.field("replay", &clean(&shrunk.replay));
    }
}

fn findings(page: &mut Page, failure: &Failure<'_>, claim: &str) {
    let findings = failure.findings();
    let Some((finding, others)) = findings.split_first() else { return };
    let slot = clean(&finding.slot);
    if !claim.contains(&slot) {
        let place = format!("{slot} {}", clean(&finding.at));
        page.field("at", &shorten(place.trim_end(), page.field_width()));
    }
    let (expected, actual) = (clean(&finding.expected), clean(&finding.actual));
    let (expected, actual, differs) = contrast(&expected, &actual, page.field_width());
    let same: String = actual.chars().take(differs).collect();
    let other: String = actual.chars().skip(differs).collect();
    page.field("expected", &expected);
    let other = page.paint(Ink::Bad, &other);
    page.field("actual", &format!("{same}{other}"));
    let allowance = shorten(&clean(&finding.allowance), page.field_width() / 2);
    page.field("allowance", &format!("{allowance} (ratio {})", finding.ratio));
    let mut slots: Vec<String> = others.iter().map(|f| clean(&f.slot)).collect();
    slots.dedup();
    slots.retain(|other| *other != slot);
    if !slots.is_empty() {
        page.field("also wrong", &shorten(&slots.join(", "), page.field_width()));
    }
}

fn notes(page: &mut Page, tally: &Tally<'_>) {
    if tally.notes.is_empty() {
        return;
    }
    page.heading("Neither passed nor failed");
    for note in &tally.notes {
        let reasons = shorten(&clean(&phrase::reasons(note)), 3 * page.width());
        let function = clean(note.function);
        page.sentence(2, &format!("{function}: {} {}: {reasons}", note.cases, note.verdict));
        if let Some(rulings) = phrase::rulings(note, &tally.log.header) {
            page.hanging("    ", 4, &clean(&rulings));
        }
    }
}

fn waivers(page: &mut Page, tally: &Tally<'_>) {
    if tally.log.header.waivers.is_empty() {
        return;
    }
    page.heading("Waivers");
    for waiver in &tally.log.header.waivers {
        page.hanging("  - ", 4, &shorten(&clean(&phrase::waiver(waiver)), 4 * page.width()));
    }
}

fn domains(page: &mut Page, tally: &Tally<'_>) {
    if tally.domains.is_empty() {
        return;
    }
    page.heading("What was tried: levels of the knobs, and pairs of levels");
    for domain in &tally.domains {
        let levels = phrase::covered(&domain.level_counts(), "levels");
        let pairs = phrase::covered(&domain.pair_counts(), "pairs");
        page.hanging("  ", 4, &clean(&format!("{}: {levels}; {pairs}", domain.function)));
        for (label, list) in phrase::domain_lists(domain) {
            page.hanging("    ", 6, &clean(&format!("{label}: {list}")));
        }
    }
}

fn closing(page: &mut Page, tally: &Tally<'_>) {
    let header = &tally.log.header;
    page.heading("Cases");
    page.sentence(2, &phrase::verdicts(&tally.counts));
    page.sentence(2, &phrase::origins(tally));
    let identity = format!(
        "examiner {}, seed {}, plan {}, artifact {}",
        header.examiner,
        header.seed,
        header.plan.short(12),
        header.backend.artifact.short(12)
    );
    page.sentence(2, &clean(&identity));
    if !tally.measured.is_empty() {
        page.heading("Measured");
        for (function, sentence) in &tally.measured {
            page.sentence(2, &format!("{}: {}", clean(function), clean(sentence)));
        }
    }
    if !header.limitations.is_empty() {
        page.heading("What this run cannot show");
        for limitation in &header.limitations {
            page.hanging("  - ", 4, &clean(limitation));
        }
    }
    if let Some(notice) = phrase::notice(header) {
        page.blank();
        let notice = page.paint(Ink::Doubtful, notice);
        page.line(&notice);
    }
}
