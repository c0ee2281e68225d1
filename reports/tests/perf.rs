//! What is made of a log of times: text, page, exports. Names in it are somebody else's and may be hostile.

use dispatch::{Device, Digest};
use reports::Time;
use reports::Verdict;
use reports::perf::export::{asv, bencher, criterion, github_action_benchmark, libtest};
use reports::perf::{
    Ceilings, Contender, Environment, Fate, Judged, Lane, PERF_FORMAT, PerfLog, Sample, Settings,
    Work, Workload, html, text,
};

const CEILINGS: Ceilings = Ceilings {
    threads: 2,
    memory_bytes: 256 << 20,
    memory_bytes_per_s: 20_000_000_000,
    cache_bytes_per_s: 400_000_000_000,
    f64_operations_per_s: 80_000_000_000,
    f32_operations_per_s: 160_000_000_000,
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
        work: Some(Work {
            unit: "pair of cells".to_owned(),
            count: cells * (cells - 1) / 2,
            operations: Some(5 * cells * (cells - 1) / 2),
            bytes: Some(20 * cells),
        }),
        lanes: lanes(cells),
    };
    let contender = |name: &str| Contender {
        name: name.to_owned(),
        version: "1".to_owned(),
        summary: "a backend".to_owned(),
        device: Device::Cpu,
        artifact: Digest::of_bytes(b"x"),
        host: name == "base",
        set: Vec::new(),
    };
    PerfLog {
        format: PERF_FORMAT,
        examiner: "0.1.0".to_owned(),
        started: Time::from_seconds(1_790_000_000),
        environment: Environment {
            processor: "a processor".to_owned(),
            threads: 2,
            ceilings: Some(CEILINGS),
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
    assert!(said.contains("base: 100 ms [100 ms, 100 ms], beside itself within 0.0 %"), "{said}");
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
    assert_eq!(drawn, 4, "a forest, a curve, error against speed, and a roofline");
    assert_eq!(page, html(&half_as_long(hostile), &[]));
}

/// What the section of the roofline says.
fn roofline(log: &PerfLog) -> String {
    let page = html(log, &[]);
    let section = page.split("<h2 id=\"roofline\">").nth(1);
    section.and_then(|s| s.split("</section>").next()).unwrap_or_default().to_owned()
}

#[test]
fn a_roofline_needs_ceilings_counts_and_a_processor() {
    let mut log = half_as_long("other");
    let said = roofline(&log);
    // 5 · 100 · 99 / 2 operations in 100 ms, on 20 · 100 bytes.
    for part in
        ["with 2 threads", "247 k/s", "12.4", "20.0 kB/s", "memory 20.0 GB/s", "float32 160 G/s"]
    {
        assert!(said.contains(part), "{part}: {said}");
    }
    // Six points: two backends at three sizes, and the base's second process is none.
    let points = |said: &str| said.matches("<circle").count();
    assert_eq!(points(&said), 6);
    assert!(!said.contains("Without a point"));

    log.backends[1].device = Device::Cuda {
        name: "a GPU".to_owned(),
        capability: "9.0".to_owned(),
        driver: "1".to_owned(),
        nvrtc: "1".to_owned(),
    };
    let said = roofline(&log);
    assert_eq!(points(&said), 3);
    assert!(said.contains("Without a point: other, whose device has ceilings"), "{said}");

    log.workloads[0].work = None;
    let said = roofline(&log);
    assert_eq!(points(&said), 2);
    assert!(said.contains("Without a point: co_occurrence on inputs whose operations"), "{said}");

    log.environment.ceilings = None;
    let said = roofline(&log);
    assert!(
        said.contains("No roofline is drawn: what the machine can do was not measured"),
        "{said}"
    );
    assert_eq!(points(&said), 0);
}

#[test]
fn a_file_of_before_there_were_ceilings_is_read() {
    let mut log = half_as_long("other");
    log.environment.ceilings = None;
    log.workloads.iter_mut().for_each(|w| {
        w.work = Some(Work { operations: None, bytes: None, ..w.work.clone().unwrap() });
    });
    let text = log.to_json().unwrap();
    for later in ["ceilings", "operations", "\"bytes\"", "\"set\""] {
        assert!(!text.contains(later), "{later}");
    }
    assert_eq!(PerfLog::from_json(&text).unwrap(), log);
}

#[test]
fn what_a_backend_was_given_is_said() {
    let mut log = half_as_long("other");
    log.backends[1].set = vec!["n_jobs=2".to_owned()];
    assert!(html(&log, &[]).contains("given n_jobs=2"));
    assert!(text(&log, &[]).contains("other is given n_jobs=2"));
}

#[test]
fn bencher_gets_what_its_schema_asks_for() {
    // The schema of Bencher Metric Format, as bencher.dev documents it, with its bounds on names.
    let metric = serde_json::json!({
        "type": "object",
        "properties": {"value": {"type": "number"}, "lower_value": {"type": "number"}, "upper_value": {"type": "number"}},
        "required": ["value"],
        "additionalProperties": false,
    });
    let schema = serde_json::json!({
        "type": "object",
        "propertyNames": {"minLength": 1, "maxLength": 1024},
        "additionalProperties": {
            "type": "object",
            "propertyNames": {"pattern": "^[a-z0-9-]{1,64}$"},
            "additionalProperties": metric,
        },
    });
    let value = bencher(&half_as_long("other:n_jobs=2"));
    jsonschema::validate(&schema, &value).unwrap();
    assert_eq!(value.as_object().unwrap().len(), 6);
}

#[test]
fn github_action_benchmark_gets_entries_of_its_form() {
    let schema = serde_json::json!({
        "type": "array",
        "items": {
            "type": "object",
            "properties": {
                "name": {"type": "string"}, "unit": {"type": "string"}, "value": {"type": "number"},
                "range": {"type": "string", "pattern": "^± [0-9.]+$"}, "extra": {"type": "string"},
            },
            "required": ["name", "unit", "value"],
            "additionalProperties": false,
        },
    });
    let value = github_action_benchmark(&half_as_long("other"));
    jsonschema::validate(&schema, &value).unwrap();
    let mut names: Vec<&str> =
        value.as_array().unwrap().iter().map(|e| e["name"].as_str().unwrap()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), 6, "a name is the key of a series");
}

#[test]
fn lines_are_those_that_readers_of_cargo_bench_match() {
    // test NAME ... bench: DIGITS ns/iter (+/- DIGITS), and no blank in the name, at which Bencher stops.
    for line in libtest(&half_as_long("other one")).lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let &["test", name, "...", "bench:", time, "ns/iter", "(+/-", spread] = words.as_slice()
        else {
            panic!("{line}")
        };
        assert!(!name.is_empty());
        time.parse::<u64>().unwrap();
        spread.strip_suffix(')').unwrap().parse::<u64>().unwrap();
    }
}

#[test]
fn criterion_gets_the_folder_that_it_leaves_itself() {
    let log = half_as_long("other:n_jobs=2");
    let files = criterion(&log);
    assert_eq!(files, criterion(&log), "the same log gives the same files");
    assert_eq!(files.len(), 4 * 6);
    let folder = "co_occurrence clusters=3/other_n_jobs=2/100";
    let file = |name: &str| {
        let path = format!("{folder}/new/{name}.json");
        &files.iter().find(|(p, _)| *p == path).unwrap_or_else(|| panic!("{path}")).1
    };
    let benchmark = file("benchmark");
    assert_eq!(benchmark["directory_name"], folder);
    assert_eq!(benchmark["full_id"], "co_occurrence clusters=3/other:n_jobs=2/100");
    assert_eq!(benchmark["throughput"], serde_json::json!({"Elements": 4950}));
    let times: Vec<f64> = serde_json::from_value(file("sample")["times"].clone()).unwrap();
    assert_eq!((times.len(), &file("sample")["sampling_mode"]), (24, &"Flat".into()));
    let mean = times.iter().sum::<f64>() / 24.0;
    let estimates = file("estimates");
    assert!(estimates["slope"].is_null());
    assert!((estimates["mean"]["point_estimate"].as_f64().unwrap() / mean - 1.0).abs() < 1e-12);
    for statistic in ["mean", "median", "median_abs_dev", "std_dev"] {
        let one = &estimates[statistic];
        let at = |name: &str| one["confidence_interval"][name].as_f64().unwrap();
        let point = one["point_estimate"].as_f64().unwrap();
        assert!(at("lower_bound") <= point && point <= at("upper_bound"), "{statistic}: {one}");
        assert!(at("confidence_level") == 0.95 && one["standard_error"].is_f64(), "{one}");
    }
    // Times are 0 to 4 ns above a number: the fences hold them all.
    let fences: [f64; 4] = serde_json::from_value(file("tukey").clone()).unwrap();
    assert!(fences.is_sorted() && times.iter().all(|t| fences[1] < *t && *t < fences[2]));
}

#[test]
fn a_log_without_anything_is_a_page_too() {
    let mut empty = half_as_long("other");
    empty.workloads.clear();
    assert!(html(&empty, &[]).contains("NOTHING COMPARED"));
    assert_eq!(text(&empty, &[]).trim(), "");
}
