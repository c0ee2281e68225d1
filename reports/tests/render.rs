//! What a maintainer reads, as files to look at.

mod sample;
mod snapshot;

use reports::render::{Style, Tally, json_summary, markdown, text};
use reports::{Log, Ratio, Record, Verdict};

const PLAIN: Style = Style { color: false, width: 100 };

#[test]
fn text_is_as_reviewed() {
    snapshot::check("failing.txt", &text(&sample::failing(), PLAIN));
    snapshot::check("conformant.txt", &text(&sample::conformant(), PLAIN));
    snapshot::check("broken.txt", &text(&sample::broken(), PLAIN));
    snapshot::check("hostile.txt", &text(&sample::hostile(), PLAIN));
}

#[test]
fn markdown_is_as_reviewed() {
    snapshot::check("failing.md", &markdown(&sample::failing()));
    snapshot::check("conformant.md", &markdown(&sample::conformant()));
    snapshot::check("broken.md", &markdown(&sample::broken()));
    snapshot::check("hostile.md", &markdown(&sample::hostile()));
}

#[test]
fn json_is_as_reviewed() {
    let mut summary = serde_json::to_string_pretty(&json_summary(&sample::failing())).unwrap();
    summary.push('\n');
    snapshot::check("failing.json", &summary);
}

#[test]
fn the_same_log_gives_the_same_bytes() {
    for log in [sample::failing(), sample::conformant(), sample::broken(), sample::hostile()] {
        let mut bytes = Vec::new();
        log.write(&mut bytes).unwrap();
        let again = Log::read(&*bytes).unwrap();
        assert_eq!(text(&log, PLAIN), text(&again, PLAIN));
        assert_eq!(markdown(&log), markdown(&again));
        assert_eq!(json_summary(&log).to_string(), json_summary(&again).to_string());
    }
}

#[test]
fn colours_change_nothing_but_colours() {
    let log = sample::failing();
    let colored = text(&log, Style { color: true, ..PLAIN });
    assert!(
        colored.starts_with("\u{1b}[1;31mNOT CONFORMANT\u{1b}[0m  mutant:moran-no-scale 0.1.0")
    );
    let mut plain = String::new();
    for (i, part) in colored.split('\u{1b}').enumerate() {
        plain.push_str(if i == 0 { part } else { part.split_once('m').unwrap().1 });
    }
    // Padding before a colour ends is not trimmed.
    let trimmed: String = plain.lines().map(|line| format!("{}\n", line.trim_end())).collect();
    assert_eq!(trimmed, text(&log, PLAIN));
}

#[test]
fn lines_fit_the_width_except_what_is_copied() {
    for width in [100, 140] {
        for log in [sample::failing(), sample::conformant(), sample::broken(), sample::hostile()] {
            for line in text(&log, Style { width, ..PLAIN }).lines() {
                let fits = line.chars().count() <= width;
                assert!(fits || line.starts_with("  replay"), "{width}: {line}");
            }
        }
    }
}

#[test]
fn a_hostile_log_cannot_act_on_a_terminal() {
    let shown = text(&sample::hostile(), PLAIN);
    assert!(shown.chars().all(|c| c == '\n' || !c.is_control()));
    assert!(!shown.contains('\u{202e}'));
    assert!(shown.lines().all(|line| !line.starts_with('#')));
    assert!(shown.contains("…"), "long values are shortened");
    assert!(shown.contains("|1") && shown.contains("`2`"), "the difference stays in view");
}

#[test]
fn a_hostile_log_cannot_act_on_a_page() {
    let shown = markdown(&sample::hostile());
    for (i, line) in shown.lines().enumerate() {
        assert!(!line.trim_start().starts_with("## owned"), "line {i}: {line}");
        // Outside the code spans there is no markup but ours.
        let outside = entities_as_dots(&outside_code(line));
        for forbidden in ["<script", "<img", "</details", "@team", "#1", "[click]", "http:/"] {
            assert!(!outside.contains(forbidden), "line {i} has {forbidden}: {line}");
        }
    }
    let bars = |line: &&str| line.matches('|').count();
    let rows: Vec<&str> = shown.lines().filter(|line| line.starts_with('|')).collect();
    assert!(rows.iter().all(|row| matches!(bars(row), 3 | 10)), "{rows:#?}");
}

/// A page shows an entity as a character that is never markup.
fn entities_as_dots(line: &str) -> String {
    let mut parts = line.split("&#");
    let first = parts.next().unwrap_or_default().to_owned();
    let number = |part: &str| part.find(|c: char| !c.is_ascii_digit());
    parts.fold(first, |out, part| match number(part) {
        Some(end @ 1..) if part[end..].starts_with(';') => out + "." + &part[end + 1..],
        _ => panic!("not an entity: &#{part}"),
    })
}

/// The part of a line that is not in a code span (spans of any number of backticks).
fn outside_code(line: &str) -> String {
    let ticks = |s: &str| s.chars().take_while(|&c| c == '`').count();
    let (mut out, mut rest) = (String::new(), line);
    while let Some(start) = rest.find('`') {
        out.push_str(&rest[..start]);
        let n = ticks(&rest[start..]);
        rest = &rest[start + n..];
        let mut end = 0;
        while let Some(at) = rest[end..].find('`') {
            let run = ticks(&rest[end + at..]);
            end += at + run;
            if run == n {
                break;
            }
        }
        rest = &rest[end..];
    }
    out + rest
}

#[test]
fn failures_with_the_same_check_are_folded_on_the_smallest_input() {
    let mut log = sample::log("b", "quick", &[("f", 4)]);
    let wrong = sample::finding("uns/x", "0", ["1", "2", "0.1"], 10.0);
    let case = |i, verdict| sample::fail("f", i, verdict, wrong.clone());
    log.records = vec![
        case(0, Verdict::Contract),
        sample::shrunk(case(1, Verdict::Contract), 5, &[]),
        sample::shrunk(case(2, Verdict::Fail), 2, &[]),
        sample::record("f", 3, Verdict::Timeout),
    ];
    let tally = Tally::of(&log);
    let folded: Vec<_> = tally.failures.iter().map(|f| (f.check, f.verdict, f.cases)).collect();
    let expected = [("uns/x: value", Verdict::Fail, 3), ("timeout", Verdict::Timeout, 1)];
    assert_eq!(folded, expected);
    assert_eq!(tally.failures[0].record.case, log.records[2].case);
    assert_eq!(tally.condemned(), 4);
}

#[test]
fn a_failure_explained_by_another_is_folded_under_it() {
    let mut log = sample::log("b", "quick", &[("f", 4)]);
    let wrong = |slot: &str| sample::finding(slot, "0", ["1", "2", "0.1"], 10.0);
    let case = |i, slot: &str| sample::fail("f", i, Verdict::Fail, wrong(slot));
    let shrunk_to = |record: Record, recipe: &str| {
        let mut record = sample::shrunk(record, 2, &[]);
        record.shrunk.as_mut().unwrap().recipe = recipe.into();
        record
    };
    let root = shrunk_to(case(0, "I"), "graph=ring seed=0");
    let explained = Record { explained_by: Some(root.case.clone()), ..case(1, "p") };
    let other = shrunk_to(case(2, "I"), "dtype=f32 seed=0");
    log.records = vec![explained, root, other, case(3, "I")];
    let tally = Tally::of(&log);
    let folded: Vec<_> = tally.failures.iter().map(|f| (f.record.case.as_str(), f.cases)).collect();
    // What names no cause is counted under the first.
    assert_eq!(folded, [(log.records[1].case.as_str(), 3), (log.records[2].case.as_str(), 1)]);
    assert_eq!(tally.failures[0].consequences.get("p: value"), Some(&1));
    assert!(text(&log, PLAIN).contains("  explains   p: value (1 case)"), "{}", text(&log, PLAIN));
    assert_eq!(tally.condemned(), 4);
}

#[test]
fn many_failures_end_in_a_list_and_none_disappears() {
    let mut log = sample::log("b", "quick", &[("f", 30)]);
    log.records = (0..30)
        .map(|i| {
            let wrong = sample::finding(&format!("uns/x{i}"), "", ["1", "2", "0.1"], 10.0);
            sample::fail("f", i, Verdict::Fail, wrong)
        })
        .collect();
    for shown in [text(&log, PLAIN), markdown(&log)] {
        let name = |i| format!("uns/x{i}: value");
        assert!((0..30).all(|i| shown.contains(&name(i))), "{shown}");
        assert!(shown.contains("Also failed"));
    }
    assert_eq!(json_summary(&log)["failures"].as_array().unwrap().len(), 30);
}

#[test]
fn the_spread_is_nearest_rank_and_keeps_nan() {
    let mut log = sample::log("b", "quick", &[("f", 200)]);
    log.records = (0..200).map(|i| sample::pass("f", i, (i + 1) as f64 / 200.0)).collect();
    let spread = Tally::of(&log).functions[0].spread.unwrap();
    let got = [spread.p50, spread.p99, spread.max].map(|r| r.0);
    // The 100th, the 198th and the 200th of 200.
    assert_eq!((spread.checks, got), (200, [0.5, 0.99, 1.0]));

    log.records[7].checks[0].worst = Ratio(-f64::NAN);
    assert!(Tally::of(&log).functions[0].spread.unwrap().max.0.is_nan());

    let nothing = |r: Record| Record { checks: vec![sample::passing("x", 0, 0.0)], ..r };
    log.records = log.records.into_iter().map(nothing).collect();
    assert_eq!(Tally::of(&log).functions[0].spread, None);
}

#[test]
fn only_the_quick_tier_says_that_it_certifies_nothing() {
    let notice = "A quick tier certifies nothing: it only finds mistakes early.";
    for (log, said) in [(sample::failing(), true), (sample::conformant(), false)] {
        assert_eq!(text(&log, PLAIN).contains(notice), said);
        assert_eq!(markdown(&log).contains(notice), said);
        assert_eq!(json_summary(&log)["notice"] == notice, said);
    }
    assert!(text(&sample::failing(), PLAIN).trim_end().ends_with(notice));
}

#[test]
fn an_empty_log_can_be_shown() {
    let log = sample::log("b", "full", &[]);
    let shown = text(&log, PLAIN);
    assert!(shown.starts_with("INCONCLUSIVE  b 0.1.0 against reference 0.1.0, tier full\n"));
    assert!(shown.contains("No function was examined."));
    assert!(markdown(&log).contains("No function was examined"));
    assert_eq!(json_summary(&log)["exit_code"], 4);
}

/// GitHub drops a longer summary whole, and what it does not show it does not mention.
#[test]
fn a_summary_stays_below_the_limit_and_says_what_it_leaves_out() {
    let mut log = sample::failing();
    log.header.limitations = vec!["what this cannot show ".repeat(12); 5_000];
    let text = markdown(&log);
    assert!(text.len() < 1 << 20, "{} bytes", text.len());
    assert!(text.contains("What failed") && !text.contains("What this run cannot show"));
    assert!(text.ends_with("longer than a job summary may be: see the report.**\n"));
}

#[test]
fn two_versions_of_one_library_are_told_apart() {
    let mut log = sample::failing();
    let (name, version) = (log.header.backend.name.clone(), log.header.backend.version.clone());
    assert!(text(&log, PLAIN).contains(&format!("{name} is wrong, reference is right")));
    log.header.host.name = name.clone();
    log.header.host.version = "1.6.5".to_owned();
    let text = text(&log, PLAIN);
    assert!(text.contains(&format!("{name} {version} is wrong, {name} 1.6.5 is right")), "{text}");
}
