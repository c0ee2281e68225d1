//! The laws examined: the reference keeps each of them where it applies, and each is broken by a mistake it is there for.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use dispatch::{Backend, Call, Fault, Frame, Index, Manifest, Reply, Value};
use harness::Case;
use harness::examine::{Examination, header};
use harness::laws::{self, Law, Survey, survey};
use harness::mutants::{MutantBackend, find};
use harness::plan::{Plan, Tier};
use reference::matrix::Columns;
use reference::spatial_autocorr::{Mode, centred};
use reference::{co_occurrence, ligrec, spatial_autocorr};
use reports::Verdict;

fn alone(backend: Arc<dyn Backend>, name: &str) -> Examination {
    Examination {
        host: Arc::new(reference::backend()),
        backend,
        precision: reports::Precision::P64,
        deadline: Duration::from_secs(60),
        host_name: "reference".to_owned(),
        backend_name: name.to_owned(),
        replay_args: String::new(),
    }
}

fn cases(function: &str, samples: u64, seed: u64) -> Vec<Case> {
    let generator = generators::generator(function).unwrap();
    let plan = Plan::sized(&[generator], 1, samples, seed);
    plan.cases.into_iter().map(|(_, case)| case).collect()
}

#[test]
fn the_reference_keeps_every_law_and_none_is_silent() {
    let examination = alone(Arc::new(reference::backend()), "reference");
    for (i, contract) in harness::CONTRACTS.iter().enumerate() {
        let cases = cases(contract.function, 300, 40 + i as u64);
        let Survey { tallies, answered } =
            survey(&examination, &cases, &laws::of(contract.function), 2, || ());
        assert!(answered >= 200, "{answered} of {} answered", contract.function);
        for tally in tallies {
            let id = tally.law.id;
            let first = tally.first.map(|(case, check, _)| format!("{check} on {}", case.text()));
            assert_eq!((tally.broken, tally.faults), (0, 0), "{id}: {first:?}");
            assert!(tally.worst.agrees() && tally.worst.0 <= 1.0, "{id}: {}", tally.worst);
            // The rarest needs a graph whose rows have equal sums, or no transformation.
            assert!(tally.cases >= 40, "{id} speaks about {} cases only", tally.cases);
        }
    }
}

/// A wrong backend for one function; the reference for the others.
struct Wrong {
    manifest: Manifest,
    run: fn(&Call) -> Result<Reply, Fault>,
}

impl Backend for Wrong {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    fn run(&self, call: &Call) -> Result<Reply, Fault> {
        (self.run)(call)
    }
}

#[track_caller]
fn broken(backend: Arc<dyn Backend>, name: &str, ids: &[&str]) {
    let examination = alone(backend, name);
    let mut by_function: BTreeMap<&str, Vec<&'static Law>> = BTreeMap::new();
    for law in ids.iter().map(|id| laws::find(id).unwrap()) {
        by_function.entry(law.function).or_default().push(law);
    }
    for (function, laws) in by_function {
        for tally in survey(&examination, &cases(function, 100, 7), &laws, 2, || ()).tallies {
            let id = tally.law.id;
            let Some((_, check, shrunk)) = tally.first else {
                panic!("{id} is kept by {name} on all {} cases", tally.cases)
            };
            assert_eq!(laws::of_check(&check).map(|law| law.id), Some(id));
            let shrunk = shrunk.unwrap_or_else(|| panic!("{id}: {name} is flaky"));
            assert!(shrunk.replay.ends_with(&format!("--law {id}")), "{}", shrunk.replay);
            assert!(shrunk.n_obs <= 8 && shrunk.n_vars <= 3, "{id}: {name}: {shrunk:?}");
        }
    }
}

#[track_caller]
fn mutant(name: &str, ids: &[&str]) {
    broken(Arc::new(MutantBackend::new(find(name).unwrap())), &format!("mutant:{name}"), ids);
}

#[track_caller]
fn wrong(id: &str, run: fn(&Call) -> Result<Reply, Fault>) {
    let manifest = Manifest { name: "wrong".to_owned(), ..reference::backend().manifest().clone() };
    broken(Arc::new(Wrong { manifest, run }), "wrong", &[id]);
}

#[test]
fn known_mutants_break_the_laws_that_name_their_mistake() {
    mutant("moran-without-n-over-s0", &["M4", "M6", "M8", "M9", "M10", "M11", "M14", "M17", "M18"]);
    mutant("autocorr-normalises-always", &["M7"]);
    mutant("autocorr-p-without-plus-one", &["M15"]);
    mutant("cooc-annuli", &["C2", "C4", "C8", "C10", "C11"]);
    mutant("cooc-self-pairs", &["C3"]);
    mutant("cooc-strict-threshold", &["C13"]);
    mutant("cooc-stride-two", &["C5", "C9"]);
    mutant("ligrec-plus-one", &["L8"]);
    mutant("ligrec-counts-ties", &["L9"]);
    mutant("ligrec-mean-of-expressing", &["L14"]);
}

/// The answer of a task that was read right and then changed.
fn autocorr(
    call: &Call,
    change: fn(&mut spatial_autocorr::Task<'_>, &mut spatial_autocorr::Statistics),
    before: fn(&mut spatial_autocorr::Task<'_>),
) -> Result<Reply, Fault> {
    let mut task = spatial_autocorr::Task::read(&call.data, &call.params)?;
    before(&mut task);
    let mut statistics = task.statistics();
    change(&mut task, &mut statistics);
    Ok(task.reply(statistics.table(&task)))
}

/// The values of a task, each changed.
fn with_values(task: &mut spatial_autocorr::Task<'_>, change: fn(f64) -> f64) {
    let column = |k| {
        let mut x = vec![0.0; task.n()];
        task.features.columns.fill(k, &mut x);
        x.into_iter().map(change).collect()
    };
    let columns = (0..task.features.len()).map(column).collect();
    task.features.columns = Columns::Owned(columns);
}

#[test]
fn m1_forgets_the_last_row() {
    wrong("M1", |call| {
        autocorr(
            call,
            |_, _| (),
            |task| {
                let last = task.graph.indptr[task.n() - 1]..;
                task.graph.weights[last].fill(0.0);
                task.moments = task.graph.moments();
            },
        )
    });
}

#[test]
fn m2_gives_the_values_of_other_features() {
    wrong("M2", |call| autocorr(call, |_, statistics| statistics.score.reverse(), |_| ()));
}

#[test]
fn m3_has_a_floor_under_the_denominator() {
    wrong("M3", |call| {
        autocorr(
            call,
            |task, statistics| {
                let (mut x, mut z) = (vec![0.0; task.n()], vec![0.0; task.n()]);
                for (k, score) in statistics.score.iter_mut().enumerate() {
                    task.features.columns.fill(k, &mut x);
                    *score *= centred(&x, &mut z).map_or(f64::NAN, |d| d / (d + 1e-3));
                }
            },
            |_| (),
        )
    });
}

#[test]
fn m5_never_normalises() {
    wrong("M5", |call| {
        autocorr(
            call,
            |_, _| (),
            |task| {
                task.graph = task.raw_graph.clone();
                task.moments = task.graph.moments();
            },
        )
    });
}

#[test]
fn m12_takes_n_for_n_minus_1_in_geary() {
    wrong("M12", |call| {
        autocorr(
            call,
            |task, statistics| {
                let n = task.n() as f64;
                if task.mode == Mode::Geary {
                    statistics.score.iter_mut().for_each(|score| *score *= n / (n - 1.0));
                }
            },
            |_| (),
        )
    });
}

#[test]
fn m13_has_no_negative_values() {
    wrong("M13", |call| autocorr(call, |_, _| (), |task| with_values(task, |x| x.max(0.0))));
}

#[test]
fn m16_does_not_see_zeros_that_are_not_stored() {
    wrong("M16", |call| {
        autocorr(
            call,
            |_, _| (),
            |task| {
                if matches!(task.features.columns, Columns::Sparse(..)) {
                    with_values(task, |x| if x == 0.0 { 1.0 } else { x });
                }
            },
        )
    });
}

/// The answer with the ratios changed.
fn cooc(
    call: &Call,
    before: fn(&mut co_occurrence::Task, &Call),
    change: fn(&mut [f64], usize, usize),
) -> Result<Reply, Fault> {
    let mut task = co_occurrence::Task::read(&call.data, &call.params)?;
    before(&mut task, call);
    let mut ratios = task.counts().ratios();
    change(&mut ratios, task.k, task.thresholds.len());
    Ok(task.reply(ratios))
}

#[test]
fn c1_fills_the_upper_triangle_only() {
    wrong("C1", |call| {
        cooc(
            call,
            |_, _| (),
            |ratios, k, bins| {
                let below = |at: &usize| at / (k * bins) > at / bins % k;
                (0..ratios.len()).filter(below).for_each(|at| ratios[at] = 0.0);
            },
        )
    });
}

#[test]
fn c6_has_a_tolerance() {
    wrong("C6", |call| {
        cooc(call, |task, _| task.thresholds.iter_mut().for_each(|t| *t += 0.5), |_, _, _| ())
    });
}

#[test]
fn c7_has_clusters_in_the_order_of_appearance() {
    wrong("C7", |call| {
        let order = |task: &mut co_occurrence::Task, _: &Call| {
            let mut seen: Vec<u32> = Vec::new();
            for label in &mut task.labels {
                let place = seen.iter().position(|other| other == label).unwrap_or(seen.len());
                if place == seen.len() {
                    seen.push(*label);
                }
                *label = place as u32;
            }
        };
        cooc(call, order, |_, _, _| ())
    });
}

#[test]
fn c12_forgets_to_halve_the_largest_distance() {
    wrong("C12", |call| {
        let whole = |task: &mut co_occurrence::Task, call: &Call| {
            if let (Some(Value::Int(m)), Some(&low), Some(&high)) =
                (call.param("interval"), task.interval.first(), task.interval.last())
            {
                let step = (2.0 * high - low) / (*m as f32 - 1.0);
                task.interval.iter_mut().enumerate().for_each(|(i, t)| *t = low + step * i as f32);
                task.thresholds = task.interval[1..].iter().map(|t| t * t).collect();
            }
        };
        cooc(call, whole, |_, _, _| ())
    });
}

/// The answer with the task changed before and the tables after they were computed.
fn interactions(
    call: &Call,
    before: fn(&mut ligrec::Task, &Call),
    after: fn(&mut ligrec::Task, &ligrec::Observed, &mut ligrec::Tables),
) -> Result<Reply, Fault> {
    let mut task = ligrec::Task::read(&call.data, &call.params)?;
    before(&mut task, call);
    let observed = task.observed();
    let mut tables = task.tables(&observed, &task.exceedances(&observed, None).strict);
    after(&mut task, &observed, &mut tables);
    Ok(task.reply(tables))
}

/// The answer to the call with an argument changed.
fn asked_otherwise(call: &Call, name: &str, options: [&str; 2]) -> Result<Reply, Fault> {
    let mut call = call.clone();
    let passed = call.param(name).and_then(Value::as_text) == Some(options[0]);
    call.params.insert(name.to_owned(), options[usize::from(passed)].into());
    reference::backend().run(&call)
}

/// Drops the values of some cells.
fn forget(task: &mut ligrec::Task, kept: impl Fn(u32, f64) -> bool) {
    for column in &mut task.columns {
        let entries = column.cells.iter().copied().zip(column.values.iter().copied());
        (column.cells, column.values) = entries.filter(|(c, v)| kept(*c, *v)).unzip();
    }
}

#[test]
fn l1_weighs_the_source_twice() {
    wrong("L1", |call| {
        interactions(
            call,
            |_, _| (),
            |task, observed, tables| {
                let (k, width) = (task.k(), task.pairs.len());
                for (i, mean) in tables.means.iter_mut().enumerate().filter(|(_, m)| **m > 0.0) {
                    let ([s, _], [c, _]) = (task.interactions[i / width], task.pairs[i % width]);
                    *mean = (2.0 * *mean + observed.means[s as usize * k + c as usize]) / 3.0;
                }
            },
        )
    });
}

#[test]
fn l2_sees_values_above_one_only() {
    wrong("L2", |call| interactions(call, |task, _| forget(task, |_, v| v > 1.0), |_, _, _| ()));
}

#[test]
fn l3_forgets_the_last_cell() {
    wrong("L3", |call| {
        let all_but_one = |task: &mut ligrec::Task, _: &Call| {
            let last = task.labels.len() as u32 - 1;
            forget(task, |cell, _| cell != last);
        };
        interactions(call, all_but_one, |_, _, _| ())
    });
}

#[test]
fn l4_sorts_names_that_are_numbers_as_numbers() {
    wrong("L4", |call| {
        let as_numbers = |task: &mut ligrec::Task, _: &Call| {
            let numbers: Vec<f64> = task.clusters.iter().filter_map(|n| n.parse().ok()).collect();
            if numbers.len() == task.clusters.len() {
                let key = |pair: &[u32; 2]| pair.map(|c| numbers[c as usize] as i64);
                task.pairs.sort_by_key(key);
            }
        };
        interactions(call, as_numbers, |_, _, _| ())
    });
}

#[test]
fn l5_divides_by_all_cells() {
    wrong("L5", |call| {
        let mut task = ligrec::Task::read(&call.data, &call.params)?;
        let share = task.labels.len() as f64 / call.data.n_obs() as f64;
        task.columns.iter_mut().for_each(|c| c.values.iter_mut().for_each(|v| *v *= share));
        let observed = task.observed();
        let counts = task.exceedances(&observed, None).strict;
        Ok(task.reply(task.tables(&observed, &counts)))
    });
}

#[test]
fn l6_has_no_mean_where_it_has_no_p_value() {
    wrong("L6", |call| {
        interactions(
            call,
            |_, _| (),
            |_, _, tables| {
                let means = tables.means.iter_mut().zip(&tables.pvalues);
                means.filter(|(_, p)| p.is_nan()).for_each(|(mean, _)| *mean = 0.0);
            },
        )
    });
}

#[test]
fn l7_reads_undefined_p_values_as_one() {
    wrong("L7", |call| {
        interactions(
            call,
            |_, _| (),
            |_, _, tables| {
                tables.pvalues.iter_mut().filter(|p| p.is_nan()).for_each(|p| *p = 1.0);
            },
        )
    });
}

#[test]
fn l10_computes_sorted_interactions_under_the_names_of_the_given() {
    wrong("L10", |call| interactions(call, |task, _| task.interactions.sort(), |_, _, _| ()));
}

#[test]
fn l11_knows_genes_by_their_exact_names_only() {
    wrong("L11", |call| {
        let Some(Value::Map(columns)) = call.param("interactions") else {
            return reference::backend().run(call);
        };
        let texts = |name: &str| match columns.get(name) {
            Some(Value::List(items)) => items.iter().filter_map(Value::as_text).collect(),
            _ => Vec::new(),
        };
        let names: Vec<&str> = [texts("source"), texts("target")].concat();
        if names.iter().any(|name| name.to_lowercase() == *name) {
            return Err(Fault::rejected("ValueError", "no interactions remain"));
        }
        reference::backend().run(call)
    });
}

#[test]
fn l12_corrects_along_the_other_axis() {
    wrong("L12", |call| asked_otherwise(call, "corr_axis", ["clusters", "interactions"]));
}

#[test]
fn l13_takes_the_other_policy_for_complexes() {
    wrong("L13", |call| asked_otherwise(call, "complex_policy", ["min", "all"]));
}

#[test]
fn l15_sorts_the_columns_beside_the_names() {
    wrong("L15", |call| {
        let turned = |task: &mut ligrec::Task, _: &Call| {
            let rows: Vec<usize> = (0..task.metadata.index.len()).rev().collect();
            let Frame { index, column_index, columns } = task.metadata.take_rows(&rows);
            let right: Index = task.metadata.index.clone();
            drop(index);
            task.metadata = Frame { index: right, column_index, columns };
        };
        interactions(call, turned, |_, _, _| ())
    });
}

#[test]
fn l16_changes_its_input() {
    wrong("L16", |call| {
        let reply = reference::backend().run(call)?;
        Ok(Reply { mutated: vec!["X".to_owned()], ..reply })
    });
}

#[test]
fn a_mistake_that_host_and_backend_share_is_found_by_a_law_and_shrunk() {
    let name = "moran-without-n-over-s0";
    let shared: Arc<dyn Backend> = Arc::new(MutantBackend::new(find(name).unwrap()));
    let examination =
        Examination { host: shared.clone(), ..alone(shared, "mutant:moran-without-n-over-s0") };
    let generator = generators::generator("spatial_autocorr").unwrap();
    let plan = Plan::generated(&[generator], Tier::Quick, 1);
    let header = header(&examination, &plan, "quick", 1);
    let log = examination.run(&plan, header, 2, |_| ());
    let failed: Vec<_> = log.records.iter().filter(|r| r.verdict == Verdict::Fail).collect();
    assert!(!failed.is_empty());
    for record in failed {
        let check = record.failed_check().unwrap();
        let law = laws::of_check(&check.name).unwrap_or_else(|| panic!("found by {}", check.name));
        if let Some(shrunk) = &record.shrunk {
            assert!(shrunk.replay.ends_with(&format!("--law {}", law.id)), "{}", shrunk.replay);
            assert!(shrunk.n_obs <= 8, "{shrunk:?}");
        }
    }
    assert!(log.records.iter().any(|r| r.shrunk.is_some()));
}
