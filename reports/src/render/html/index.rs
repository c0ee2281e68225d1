//! Many certificates on one page: backends down, functions across, and how each came there.

use std::collections::{BTreeMap, BTreeSet};

use maud::{Markup, html};

use super::{brief, page, strip};
use crate::Time;
use crate::certificate::{Level, Statement};
use crate::render::phrase;

/// A certificate and where its page lies.
pub struct Listed {
    /// What it says.
    pub certificate: Statement,
    /// The address of its page, relative to the index; empty where there is none.
    pub page: String,
    /// Why it is refused, if it is; then nothing that it says counts.
    pub refused: Option<String>,
}

impl Listed {
    /// Whether it says nothing at a time: refused or expired.
    fn is_void(&self, now: Time) -> bool {
        self.refused.is_some() || now > self.certificate.predicate.not_after
    }

    /// The level of a function; `None` where it is not offered.
    fn level(&self, function: &str) -> Option<Level> {
        let granted = self.certificate.predicate.granted.functions.get(function).copied();
        if self.refused.is_some() { granted.map(|_| Level::None) } else { granted }
    }
}

/// The page of many certificates: the newest of each backend, then the history of each. What has expired at `now` or is
/// refused says so and is greyed.
pub fn index(listed: &[Listed], now: Time) -> String {
    let mut backends: BTreeMap<(&str, &str), Vec<&Listed>> = BTreeMap::new();
    for entry in listed {
        let predicate = &entry.certificate.predicate;
        let key = (predicate.backend.name.as_str(), predicate.reference.name.as_str());
        backends.entry(key).or_default().push(entry);
    }
    for entries in backends.values_mut() {
        entries.sort_by_key(|l| {
            let predicate = &l.certificate.predicate;
            (predicate.issued_at, predicate.certificate_id.clone())
        });
    }
    let all = || listed.iter().flat_map(|l| l.certificate.predicate.granted.functions.keys());
    let functions: BTreeSet<&str> = all().map(String::as_str).collect();
    let body = html! {
        main id="functions" {
            h1 { "Certified builds" }
            p { (phrase::plural(listed.len() as u64, "certificate")) " of " (phrase::plural(backends.len() as u64, "backend")) ", as of " time datetime=(now.to_string()) { (now.date()) } ". A level holds for the build it was given to, until its date; the link leads to the report." }
            (matrix(&backends, &functions, now))
            h2 { "History" }
            @for ((backend, host), entries) in &backends {
                h3 { (brief(backend)) " against " (brief(host)) }
                (history(entries, &functions, now))
            }
        }
    };
    page("Certified builds", body)
}

type Backends<'a> = BTreeMap<(&'a str, &'a str), Vec<&'a Listed>>;

/// The newest certificate of each backend.
fn matrix(backends: &Backends<'_>, functions: &BTreeSet<&str>, now: Time) -> Markup {
    html! {
        div.box tabindex="0" role="group" aria-label="Builds" { table {
            caption { "The newest certificate of each backend; the steps show the levels of all of them, oldest first" }
            thead { tr {
                th scope="col" { "Build" } th scope="col" { "Against" }
                @for function in functions { th scope="col" { code { (brief(function)) } } }
                th scope="col" { "Assurance" } th scope="col" { "Valid until" }
            } }
            tbody { @for ((_, host), entries) in backends { @if let Some(newest) = entries.last() {
                tr.s[newest.is_void(now)] {
                    (build(newest))
                    td { (brief(host)) }
                    @for function in functions { td.nowrap {
                        (cell(newest, function))
                        @if entries.len() > 1 { " " (steps(function, entries)) }
                    } }
                    td { (newest.certificate.predicate.verifier.assurance) }
                    (until(newest, now))
                }
            } } }
        } }
    }
}

/// Every certificate of a backend, newest first, with what changed.
fn history(entries: &[&Listed], functions: &BTreeSet<&str>, now: Time) -> Markup {
    let before = std::iter::once(None).chain(entries.iter().map(Some));
    let rows: Vec<(&Listed, Option<&&Listed>)> = entries.iter().copied().zip(before).collect();
    html! {
        div.box tabindex="0" role="group" aria-label="History" { table {
            caption { (phrase::plural(entries.len() as u64, "certificate")) ", newest first" }
            thead { tr {
                th scope="col" { "Issued" } th scope="col" { "Build" }
                @for function in functions { th scope="col" { code { (brief(function)) } } }
                th scope="col" { "Since the one before" } th scope="col" { "Valid until" }
            } }
            tbody { @for (entry, before) in rows.iter().rev() {
                tr.s[entry.is_void(now)] {
                    td.nowrap { (entry.certificate.predicate.issued_at.date()) }
                    (build(entry))
                    @for function in functions { td.nowrap { (cell(entry, function)) } }
                    td { @match before {
                        None => "– the first",
                        Some(before) => (changes(before, entry, functions)),
                    } }
                    (until(entry, now))
                }
            } }
        } }
    }
}

fn build(entry: &Listed) -> Markup {
    let backend = &entry.certificate.predicate.backend;
    let name = format!("{} {}", backend.name, backend.version);
    html! { th scope="row" {
        @if entry.page.is_empty() { (brief(&name)) } @else { a href=(entry.page) { (brief(&name)) } }
        @if let Some(why) = &entry.refused { br; span.b { "✗ refused: " (brief(why)) } }
    } }
}

fn until(entry: &Listed, now: Time) -> Markup {
    let end = entry.certificate.predicate.not_after;
    html! { td.nowrap { (end.date()) @if now > end { " (expired)" } } }
}

fn cell(entry: &Listed, function: &str) -> Markup {
    html! { @match entry.level(function) { Some(level) => (strip::level(level)), None => "– not offered" } }
}

fn changes(before: &Listed, entry: &Listed, functions: &BTreeSet<&str>) -> Markup {
    let level = |l: &Listed, f: &str| l.level(f).unwrap_or_default();
    let moved = functions.iter().filter(|f| level(before, f) != level(entry, f));
    let words = moved.map(|f| {
        let (then, is) = (level(before, f), level(entry, f));
        let word = if is > then { "gained" } else { "lost" };
        format!("{word} {f}: {then} to {is}")
    });
    let words: Vec<String> = words.collect();
    html! { @if words.is_empty() { "nothing" } @else { (brief(&words.join("; "))) } }
}

/// The levels of a function over all certificates of a backend, as a line of steps.
fn steps(function: &str, entries: &[&Listed]) -> Markup {
    let levels: Vec<Level> =
        entries.iter().map(|e| e.level(function).unwrap_or_default()).collect();
    let names: Vec<&str> = levels.iter().map(|level| level.name()).collect();
    // Ten units to the right a certificate, four up a level.
    let point = |(i, level): (usize, &Level)| {
        let y = 18 - 4 * *level as usize;
        format!("{},{y} {},{y}", 10 * i, 10 * (i + 1))
    };
    let points: Vec<String> = levels.iter().enumerate().map(point).collect();
    html! {
        svg.steps viewBox=(format!("0 0 {} 20", 10 * levels.len())) width=(10 * levels.len()) height="20" role="img" aria-label=(format!("oldest first: {}", names.join(", "))) {
            polyline.curve points=(points.join(" ")) {}
        }
    }
}
