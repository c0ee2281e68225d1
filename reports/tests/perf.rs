//! What is made of a log of times: text, page, exports. Names in it are somebody else's and may be hostile.

use dispatch::{Device, Digest};
use reports::Time;
use reports::Verdict;
use reports::perf::export::{asv, bencher, github_action_benchmark, libtest};
use reports::perf::{
    Contender, Environment, Fate, Judged, Lane, PERF_FORMAT, PerfLog, Sample, Settings, Work,
    Workload, html, text,
};

/// Twelve blocks of a lane whose calls take about `ns`.
fn lane(backend: &str, again: bool, ns: u64) -> Lane {
    let sample = |at: u64| Sample {
        block: (at / 2) as u32,
        half: (at % 2) as u32,
        order: 0,
        wall_ns: 2 * ns,
        elapsed_ns: Some(ns + at % 5),
        phases_ns: Vec::new(),
        answer: "00".to_owned(),
    };
    Lane {
        backend: backend.to_owned(),
        again,
        fate: Fate::Timed,
        cold: None,
        judged: Judged { before: 1, timed: 24, identical: 24, ..Judged::default() },
        repeated_ns: vec![ns; 3],
        peak_bytes: Some(1 << 20),
        samples: (0..24).map(sample).collect(),
    }
}

fn log(other: &str, lanes: impl Fn(u64) -> Vec<Lane>) -> PerfLog {
    let workload = |cells: u64| Workload {
        function: "co_occurrence".to_owned(),
        case: "clusters=3".to_owned(),
        cells,
        work: Some(Work { unit: "pair of cells".to_owned(), count: cells * (cells - 1) / 2 }),
        lanes: lanes(cells),
    };
    let contender = |name: &str| Contender {
        name: name.to_owned(),
        version: "1".to_owned(),
        summary: "a backend".to_owned(),
        device: Device::Cpu,
        artifact: Digest::of_bytes(b"x"),
        host: name == "base",
    };
    PerfLog {
        format: PERF_FORMAT,
        examiner: "0.1.0".to_owned(),
        started: Time::from_seconds(1_790_000_000),
        environment: Environment {
            processor: "a processor".to_owned(),
            threads: 2,
            ..Environment::default()
        },
        settings: Settings {
            band: 0.02,
            least_blocks: 8,
            most_blocks: 60,
            half_width: 0.01,
            seed: 1,
            deadline_ms: 1000,
            memory_bytes: None,
            base: "base".to_owned(),
        },
        backends: vec![contender("base"), contender(other)],
        workloads: [100, 200, 400].map(workload).to_vec(),
    }
}

fn half_as_long(other: &str) -> PerfLog {
    log(other, |cells| {
        let ns = 1_000_000 * cells;
        vec![lane("base", false, ns), lane(other, false, ns / 2), lane("base", true, ns)]
    })
}

#[test]
fn the_text_says_how_many_times_as_fast() {
    let said = text(&half_as_long("other"), &[]);
    assert!(
        said.starts_with("co_occurrence cells=100 clusters=3\n  base          base: 100 ms"),
        "{said}"
    );
    assert!(
        said.contains(
            "  faster        other: 50.0 ms [50.0 ms, 50.0 ms], 2.00 times as fast as base"
        ),
        "{said}"
    );
    assert!(said.contains("other: time grows as cells to the power 1.00 [1.00, 1.00]"), "{said}");
    assert!(said.contains("process at most 1 MiB"), "{said}");
}

#[test]
fn exports_hold_the_times_of_right_answers_only() {
    let log = log("other", |cells| {
        let mut wrong = lane("other", false, cells);
        wrong.samples.clear();
        wrong.fate = Fate::WrongAnswer { verdict: Verdict::Fail, why: "occ".to_owned() };
        vec![lane("base", false, 1000 * cells), wrong, lane("base", true, 1000 * cells)]
    });
    let name = "co_occurrence cells=100 clusters=3 / base";
    let metrics = bencher(&log);
    assert_eq!(metrics.as_object().unwrap().len(), 3);
    assert_eq!(metrics[name]["latency"]["value"], 100_002.0);
    assert!(
        metrics[name]["latency"]["lower_value"].as_f64()
            <= metrics[name]["latency"]["upper_value"].as_f64()
    );
    let list = github_action_benchmark(&log);
    assert_eq!(list.as_array().unwrap().len(), 3);
    assert_eq!((&list[0]["name"], &list[0]["unit"]), (&name.into(), &"ms".into()));
    let lines = libtest(&log);
    assert!(
        lines.starts_with("test co_occurrence_cells=100_clusters=3_/_base ... bench:"),
        "{lines}"
    );
    assert!(lines.lines().all(|line| line.contains(" ns/iter (+/- ")), "{lines}");
    let files = asv(&log, "0123456789abcdef0123456789abcdef01234567");
    let (path, run) = &files[2];
    assert_eq!(path, "concord/01234567-concord.json");
    // Backends by name and then sizes: what has no time is null.
    let result = &run["results"]["co_occurrence.time_clusters_3"];
    assert_eq!(result[1], serde_json::json!([["'base'", "'other'"], ["100", "200", "400"]]));
    assert_eq!(result[0].as_array().unwrap().len(), 6);
    assert!(result[0][0].is_f64() && result[0][3].is_null(), "{result}");
}

#[test]
fn a_page_asks_for_nothing_and_hostile_names_stay_text() {
    let hostile = "<script>alert(1)</script>\" onload=\"x";
    let page = html(&half_as_long(hostile), &[]);
    assert!(!page.contains("<script>") && !page.contains("onload=\"x"), "{page}");
    assert!(page.contains("default-src 'none'"));
    for outside in ["http://", "https://", "url("] {
        // The namespace of SVG is no address that is asked for, and is not needed inside a page.
        assert!(!page.contains(outside), "{outside}");
    }
    // No colour of plotters is left: all are the page's.
    let figures = page.split("<svg").skip(1).filter_map(|svg| svg.split("</svg>").next());
    let mut drawn = 0;
    for figure in figures {
        drawn += 1;
        assert!(!figure.contains("=\"#"), "{figure}");
        assert!(figure.contains("var(--"), "{figure}");
    }
    assert_eq!(drawn, 3, "a forest, a curve, and error against speed");
    assert_eq!(page, html(&half_as_long(hostile), &[]));
}

#[test]
fn a_log_without_anything_is_a_page_too() {
    let mut empty = half_as_long("other");
    empty.workloads.clear();
    assert!(html(&empty, &[]).contains("NOTHING COMPARED"));
    assert_eq!(text(&empty, &[]).trim(), "");
}
