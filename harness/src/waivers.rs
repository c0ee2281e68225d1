//! `waivers.toml`: differences that somebody decided to live with, for a while and for a reason.
//!
//! A waiver that outlives its reason hides the next bug, so the file is strict both ways. A waiver that is expired,
//! that selects nothing, that covers more than it says or whose failure is gone is an error, as is one without a
//! reason, an issue and the name of a person.
//!
//! ```toml
//! format = 1
//!
//! [[waiver]]
//! function = "spatial_autocorr"
//! select = { mode = ["geary"], isolated = ["first", "last"] }   # or: predicate = "isolated-cells"
//! kind = "C: value"                                              # the check that fails, or a verdict
//! reason = "sums rows in float32; fixed in the next release"
//! issue = "https://example.org/issues/7"
//! granted_by = "A. Reviewer"
//! granted = 2026-01-10
//! expires = 2026-04-10
//! max_cases = 12
//! ```

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};
use dispatch::Call;
use reports::{Date, Record, Verdict, WaiverUse};
use serde::Deserialize;

use crate::causes::failed_check;
use crate::plan::Plan;
use crate::predicates::{self, PREDICATES, Predicate};
use crate::recipe_text::Levels;
use crate::{CONTRACTS, Case, Usage};

/// The longest that a waiver may hold.
const MOST_DAYS: i64 = 180;
/// The shortest reason: a word is none.
const LEAST_REASON: usize = 20;

/// The waivers of a file, all in force on the day that was given.
#[derive(Debug, Default)]
pub struct Waivers {
    waivers: Vec<Waiver>,
}

#[derive(Debug)]
struct Waiver {
    entry: Entry,
    select: Select,
}

/// Which cases of the function.
enum Select {
    /// Those with one of some levels of each of these knobs.
    Levels(BTreeMap<String, Vec<String>>),
    /// Those whose input has a property.
    Input(&'static Predicate),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    format: u32,
    #[serde(default)]
    waiver: Vec<Entry>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    function: String,
    select: Option<BTreeMap<String, Vec<String>>>,
    predicate: Option<String>,
    kind: String,
    reason: String,
    issue: String,
    granted_by: String,
    granted: toml::value::Datetime,
    expires: toml::value::Datetime,
    max_cases: u64,
}

impl Waivers {
    /// Reads a file; `today` decides what has expired.
    ///
    /// # Errors
    /// Names the waiver and says what is wrong with it.
    pub fn read(path: &Path, today: Date) -> Result<Waivers> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("read waivers {}", path.display()))?;
        Waivers::parse(&text, today)
            .map_err(|what| Usage(format!("{}: {what}", path.display())).into())
    }

    /// Reads the text of a file.
    ///
    /// # Errors
    /// Names the waiver, counted from 1, and says what is wrong with it.
    pub fn parse(text: &str, today: Date) -> Result<Waivers, String> {
        let file: File = toml::from_str(text).map_err(|e| e.to_string())?;
        if file.format != 1 {
            return Err(format!("format {}, this version reads format 1", file.format));
        }
        let waiver = |(i, entry): (usize, Entry)| {
            let name = format!("waiver {} ({}, {})", i + 1, entry.function, entry.kind);
            Waiver::new(entry, today).map_err(|what| format!("{name}: {what}"))
        };
        let waivers = file.waiver.into_iter().enumerate().map(waiver).collect::<Result<_, _>>()?;
        Ok(Waivers { waivers })
    }

    /// Marks the failures that the waivers cover, and says what each of them did.
    ///
    /// A waiver with a problem covers nothing. May be called again after verdicts changed.
    pub fn apply(&self, plan: &Plan, records: &mut [Record]) -> Vec<WaiverUse> {
        let cases: BTreeMap<String, &Case> =
            plan.cases.iter().map(|(_, case)| (case.name(), case)).collect();
        self.waivers.iter().map(|waiver| waiver.apply(&cases, records)).collect()
    }
}

impl Waiver {
    fn new(entry: Entry, today: Date) -> Result<Waiver, String> {
        let known = || CONTRACTS.iter().map(|c| c.function);
        if !known().any(|k| k == entry.function) {
            return Err(Usage::unknown("function", &entry.function, known()).0);
        }
        let select = match (&entry.select, &entry.predicate) {
            (Some(levels), None) => Select::levels(&entry.function, levels)?,
            (None, Some(name)) => Select::Input(predicates::find(name).ok_or_else(|| {
                let names: Vec<&str> = PREDICATES.iter().map(|p| p.name).collect();
                format!("unknown predicate `{name}`: expected one of {}", names.join(", "))
            })?),
            (Some(_), Some(_)) | (None, None) => {
                return Err("expected either `select` or `predicate`".to_owned());
            }
        };
        let entry = checked(entry)?;
        let (granted, expires) = (date(&entry.granted)?, date(&entry.expires)?);
        let held = expires.days_since(granted);
        if granted > today {
            return Err(format!("granted on {granted}, which is after today, {today}"));
        }
        if !(1..=MOST_DAYS).contains(&held) {
            return Err(format!("holds for {held} days, expected 1 to {MOST_DAYS}"));
        }
        if expires < today {
            return Err(format!(
                "expired on {expires}, today is {today}: fix the difference or have it granted again"
            ));
        }
        Ok(Waiver { entry, select })
    }

    fn apply(&self, cases: &BTreeMap<String, &Case>, records: &mut [Record]) -> WaiverUse {
        let function = &self.entry.function;
        let in_scope = |record: &Record| {
            record.function == *function
                && cases.get(&record.case).is_some_and(|case| self.select.selects(case))
        };
        let selected: Vec<usize> = (0..records.len()).filter(|&i| in_scope(&records[i])).collect();
        let failing: Vec<usize> =
            selected.iter().copied().filter(|&i| self.is_about(&records[i])).collect();
        let problem = self.problem(selected.len() as u64, failing.len() as u64);
        if problem.is_none() {
            for &i in &failing {
                records[i].verdict = Verdict::Waived;
                records[i].reason = self.reason();
            }
        }
        WaiverUse {
            function: function.clone(),
            select: self.select.to_string(),
            kind: self.entry.kind.clone(),
            reason: self.entry.reason.clone(),
            issue: self.entry.issue.clone(),
            granted_by: self.entry.granted_by.clone(),
            granted: self.entry.granted.to_string(),
            expires: self.entry.expires.to_string(),
            max_cases: self.entry.max_cases,
            cases: failing.len() as u64,
            problem,
        }
    }

    /// Whether a record fails in the way that is waived.
    fn is_about(&self, record: &Record) -> bool {
        let fails = record.verdict.condemns()
            && (record.verdict.name() == self.entry.kind
                || failed_check(record) == self.entry.kind);
        fails || (record.verdict == Verdict::Waived && record.reason == self.reason())
    }

    fn problem(&self, selected: u64, failing: u64) -> Option<String> {
        let Entry { kind, max_cases, .. } = &self.entry;
        if selected == 0 {
            Some("it selects no case of this plan".to_owned())
        } else if failing == 0 {
            Some(format!("none of its {selected} cases fails with `{kind}` any more: remove it"))
        } else if failing > *max_cases {
            Some(format!("it covers {failing} failures, at most {max_cases} were granted"))
        } else {
            None
        }
    }

    /// What a waived record says; it tells the waivers apart when they are applied again.
    fn reason(&self) -> String {
        let Entry { kind, reason, issue, granted_by, expires, .. } = &self.entry;
        format!("{kind}: {reason} ({issue}; granted by {granted_by} until {expires})")
    }
}

/// The entry, if its texts say something.
fn checked(entry: Entry) -> Result<Entry, String> {
    let reason = entry.reason.trim().chars().count();
    if reason < LEAST_REASON {
        return Err(format!("a reason of {reason} characters, expected at least {LEAST_REASON}"));
    }
    let rest = entry.issue.strip_prefix("https://").or(entry.issue.strip_prefix("http://"));
    if !rest.is_some_and(|rest| rest.contains('/') && !rest.contains(char::is_whitespace)) {
        return Err(format!("issue `{}`, expected the URL of one", entry.issue));
    }
    if entry.granted_by.trim().is_empty() {
        return Err("`granted_by` is empty, expected the name of a person".to_owned());
    }
    if entry.kind.trim().is_empty() {
        return Err(
            "`kind` is empty, expected a check as a report names it, or a verdict".to_owned()
        );
    }
    if entry.max_cases == 0 {
        return Err("`max_cases` is 0, expected at least 1".to_owned());
    }
    Ok(entry)
}

fn date(stored: &toml::value::Datetime) -> Result<Date, String> {
    stored.to_string().parse()
}

impl Select {
    fn levels(function: &str, wanted: &BTreeMap<String, Vec<String>>) -> Result<Select, String> {
        if wanted.is_empty() {
            return Err("`select` is empty: it would select every case".to_owned());
        }
        let generator = generators::generator(function)
            .ok_or_else(|| format!("{function} has no recipes to select from"))?;
        for (name, levels) in wanted {
            let names: Vec<&str> = generator.knobs.iter().map(|k| k.name).collect();
            let knob = generator.knobs.iter().find(|k| k.name == name);
            let knob = knob.ok_or_else(|| {
                format!("unknown knob `{name}`: {function} has {}", names.join(", "))
            })?;
            if levels.is_empty() {
                return Err(format!("no level of `{name}` is given"));
            }
            if let Some(bad) = levels.iter().find(|l| !knob.levels.contains(&l.as_str())) {
                let known = knob.levels.join(", ");
                return Err(format!("unknown level `{bad}` of `{name}`: it has {known}"));
            }
        }
        Ok(Select::Levels(wanted.clone()))
    }

    fn selects(&self, case: &Case) -> bool {
        match (self, case) {
            (Select::Levels(wanted), Case::Recipe(recipe)) => {
                let levels = Levels::of(case.function(), &recipe.to_string());
                let has = |(knob, wanted): (&String, &Vec<String>)| {
                    levels.level(knob).is_some_and(|level| wanted.iter().any(|w| w == level))
                };
                wanted.iter().all(has)
            }
            // Only a recipe has the levels of a generator.
            (Select::Levels(_), Case::File(_) | Case::Stored { .. } | Case::Study(_)) => false,
            (Select::Input(predicate), _) => {
                let call: &Call = &case.build();
                (predicate.holds)(call)
            }
        }
    }
}

impl std::fmt::Display for Select {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Select::Levels(wanted) => {
                let each = |(knob, levels): (&String, &Vec<String>)| {
                    format!("{knob}={}", levels.join("|"))
                };
                f.write_str(&wanted.iter().map(each).collect::<Vec<_>>().join(" "))
            }
            Select::Input(predicate) => f.write_str(predicate.says),
        }
    }
}

impl std::fmt::Debug for Select {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Select({self})")
    }
}
