//! A measurement as one page that works offline and without scripts: verdicts first, then pictures, then everything else.

mod canvas;
mod curves;
mod forest;
mod margin;
mod roofline;
mod sections;

use maud::{Markup, html as markup};

use super::compare::{Comparison, SpeedVerdict, comparisons};
use super::{Fate, PerfLog};
use crate::render::{brief, page};

/// The page; `before` are earlier runs. The same logs give the same bytes.
pub fn html(log: &PerfLog, before: &[PerfLog]) -> String {
    let all = comparisons(log);
    let title = format!("Speed beside {}", log.settings.base);
    page(
        &title,
        markup! {
            (strip(log, &all))
            main id="functions" {
                (forest::forest(log, &all))
                (sections::missing(log))
                (curves::curves(log))
                (margin::margins(&all))
                (roofline::roofline(log))
                (sections::times(log))
                (sections::history(log, before))
                (sections::circumstances(log))
                (sections::method(log))
            }
        },
    )
}

fn strip(log: &PerfLog, all: &[Comparison<'_>]) -> Markup {
    let count = |verdict| all.iter().filter(|c| c.verdict == verdict).count();
    let words = [
        SpeedVerdict::Faster,
        SpeedVerdict::Same,
        SpeedVerdict::Slower,
        SpeedVerdict::Inconclusive,
    ];
    let said = words.map(|verdict| (verdict, count(verdict)));
    let lanes = || log.workloads.iter().flat_map(|w| &w.lanes);
    let wrong = lanes().filter(|l| matches!(l.fate, Fate::WrongAnswer { .. })).count();
    let answers: u64 = lanes().map(|l| l.judged.before + l.judged.timed).sum();
    let class = match () {
        () if wrong > 0 => "bad",
        () if count(SpeedVerdict::Faster) > 0
            && count(SpeedVerdict::Faster) + count(SpeedVerdict::Same) == all.len() =>
        {
            "good"
        }
        () => "doubt",
    };
    let word: Vec<String> = said
        .iter()
        .filter(|(_, n)| *n > 0)
        .map(|(verdict, n)| format!("{n} {}", verdict.name()))
        .collect();
    let word = if word.is_empty() { "nothing compared".to_owned() } else { word.join(" · ") };
    let build = |c: &super::Contender| format!("{} {}", brief(&c.name), brief(&c.version));
    markup! {
        header class=(format!("strip {class}")) {
            h1 { "Speed beside " (brief(&log.settings.base)) }
            p.word { (word.to_uppercase()) }
            p { (answers) " answers were judged by those of " (host(log)) ", every one that was timed among them."
                @if wrong > 0 { " " strong { (wrong) " with a wrong answer: not timed." } } }
            dl.facts {
                div { dt { "Compared" } dd { @for (i, c) in log.backends.iter().enumerate() { @if i > 0 { ", " } (build(c)) } } }
                div { dt { "Measured" } dd { time datetime=(log.started) { (log.started) } } }
                div { dt { "Machine" } dd { (brief(&log.environment.processor)) ", " (log.environment.threads) " threads" } }
                div { dt { "Load average" } dd { (sections::load(log)) } }
            }
        }
    }
}

fn host(log: &PerfLog) -> String {
    log.backends.iter().find(|c| c.host).map_or("nobody".to_owned(), |host| brief(&host.name))
}

/// A table that may scroll, named for those who do not see it.
fn table(label: &str, content: Markup) -> Markup {
    markup! { div.box tabindex="0" role="group" aria-label=(label) { table { (content) } } }
}

/// The class of the ink of a verdict, and its symbol.
fn ink(verdict: SpeedVerdict) -> (&'static str, &'static str) {
    match verdict {
        SpeedVerdict::Faster => ("g", "✓"),
        SpeedVerdict::Same => ("s", "="),
        SpeedVerdict::Slower => ("b", "✗"),
        SpeedVerdict::Inconclusive => ("d", "~"),
    }
}
