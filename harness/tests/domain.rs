//! The domain map of a real run: complete, and honest about what was not tried.

use std::sync::Arc;
use std::time::Duration;

use harness::examine::{Examination, header};
use harness::plan::Plan;
use reports::{Coverage, Domain, Log};

fn run(plan: &Plan) -> Log {
    let examination = Examination {
        host: Arc::new(reference::backend()),
        backend: Arc::new(reference::backend()),
        precision: reports::Precision::P64,
        deadline: Duration::from_secs(60),
        host_name: "reference".to_owned(),
        backend_name: "reference".to_owned(),
        replay_args: String::new(),
    };
    examination.run(plan, header(&examination, plan, "quick", 1), 2, |_| ())
}

/// Without running anything: a record for each case, as a backend that agrees would get.
fn passing(plan: &Plan) -> Log {
    let mut log = run(&Plan { cases: plan.cases[..1].to_vec() });
    log.header = {
        let mut header = log.header.clone();
        header.knobs = harness::domain::knobs(plan);
        header
    };
    let first = log.records[0].clone();
    let record = |(source, case): &(reports::Source, harness::Case)| reports::Record {
        case: case.name(),
        function: case.function().to_owned(),
        source: *source,
        ..first.clone()
    };
    log.records = plan.cases.iter().map(record).collect();
    log
}

#[test]
fn a_covering_array_leaves_no_level_and_no_pair_untested() {
    for generator in generators::GENERATORS {
        let plan = Plan::sized(&[generator], 1, 0, 3);
        let domain = Domain::of(&passing(&plan)).remove(0);
        let levels: usize = generator.knobs.iter().map(|k| k.levels.len()).sum();
        assert_eq!(domain.levels.len(), levels);
        // The generator and the report count the same pairs, each by its own rules.
        let recipes: Vec<_> = generators::plan::pairwise(generator, 3);
        let (met, wanted) = generators::plan::coverage(&recipes);
        assert_eq!((domain.pairs.len(), met), (wanted, wanted), "{}", generator.function);
        assert_eq!(domain.pairs_that_are(Coverage::Untested), Vec::<&[String; 2]>::new());
        let large: usize = generator.knobs.iter().map(|k| k.large.len()).sum();
        assert_eq!(domain.levels_that_are(Coverage::Untested).len(), large);
    }
}

#[test]
fn what_was_not_tried_is_shown() {
    let generator = generators::generator("co_occurrence").unwrap();
    let mut plan = Plan::sized(&[generator], 1, 0, 3);
    plan.cases.retain(|(_, case)| !case.text().contains("dtype=i32"));
    let log = run(&plan);
    let domain = Domain::of(&log).remove(0);
    let large = |level: &&str| level.starts_with("cells=") || level.starts_with("clusters=");
    let mut untested = domain.levels_that_are(Coverage::Untested);
    assert!(untested.len() > 1, "large sizes have no case here, and are listed");
    untested.retain(|level| !large(level));
    assert_eq!(untested, ["dtype=i32"]);
    assert!(domain.pairs_that_are(Coverage::Untested).len() > 30);
    assert_eq!(domain.levels_that_are(Coverage::Failed), Vec::<&str>::new());
    let shown = reports::render::text(&log, Default::default());
    assert!(shown.contains("untested: ") && shown.contains("dtype=i32"), "{shown}");
    let markdown = reports::render::markdown(&log);
    assert!(markdown.contains("dtype=i32"), "{markdown}");
}

#[test]
fn the_header_stays_small() {
    let generators: Vec<_> = generators::GENERATORS.to_vec();
    let knobs = harness::domain::knobs(&Plan::sized(&generators, 0, 40, 1));
    assert_eq!(knobs.len(), generators.len());
    // 1 500 pairs exclude each other; most follow from edges and lone levels.
    let bytes = serde_json::to_string(&knobs).unwrap().len();
    assert!(bytes < 16_000, "{bytes} bytes");
    assert!(
        knobs["ligrec"]
            .knobs
            .iter()
            .any(|k| k.name == "invalid" && k.lone.len() + 1 == k.levels.len())
    );
}
