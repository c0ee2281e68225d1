//! What squidpy 1.8.3 answered to four calls, copied from its runs: the oracle blames the host where the host is wrong.

use dispatch::{Buffer, Value};
use reference::exact::{
    Blame, Null, Number, null_moments, permuted_scores, spatial_autocorr, verdict,
};
use reference::rng::numpy::Generator;
use reference::spatial_autocorr::Task;
use serde_json::Value as Json;

use crate::{Cells, params};

/// One recorded call.
struct Recorded {
    cells: Cells,
    names: Vec<String>,
    graph_dtype: String,
    given: Vec<(&'static str, Value)>,
    json: Json,
}

impl Recorded {
    fn named(name: &str) -> Recorded {
        let all: Json = serde_json::from_str(include_str!("squidpy-1.8.3.json")).unwrap();
        let json =
            all.as_array().unwrap().iter().find(|case| case["name"] == name).unwrap().clone();
        let numbers =
            |list: &Json| list.as_array().unwrap().iter().map(number).collect::<Vec<f64>>();
        let rows = json["rows"].as_array().unwrap().iter().map(numbers).enumerate();
        let edges = rows.flat_map(|(i, row)| row.into_iter().map(move |j| (i, j as usize, 1.0)));
        let genes = json["genes"].as_object().unwrap();
        let mut given = vec![("copy", true.into()), ("rng", "numpy".into())];
        for name in ["mode", "n_perms", "seed"] {
            match &json["kwargs"][name] {
                Json::String(text) => given.push((name, text.as_str().into())),
                Json::Number(number) => given.push((name, number.as_i64().unwrap().into())),
                _ => {}
            }
        }
        Recorded {
            cells: Cells {
                genes: genes.values().map(numbers).collect(),
                edges: edges.collect(),
                ..Cells::default()
            },
            names: genes.keys().cloned().collect(),
            graph_dtype: json["graph_dtype"].as_str().unwrap().to_owned(),
            given,
            json,
        }
    }

    /// The task, given the graph in the dtype it had.
    fn with<T>(&self, f: impl FnOnce(&Task<'_>) -> T) -> T {
        let mut data = self.cells.dataset();
        if let Some(Value::Sparse(graph)) = data.get_mut("obsp/spatial_connectivities") {
            let ones = graph.data.len();
            graph.data = match self.graph_dtype.as_str() {
                "float32" => Buffer::F32(vec![1.0; ones]),
                "int64" => Buffer::I64(vec![1; ones]),
                other => panic!("{other}"),
            };
        }
        f(&Task::read(&data, &params(&self.given)).unwrap())
    }

    /// What squidpy answered for a gene.
    fn host(&self, gene: usize, column: &str) -> f64 {
        number(&self.json["squidpy"][&self.names[gene]][column])
    }
}

fn number(json: &Json) -> f64 {
    match json.as_str() {
        Some("NaN") => f64::NAN,
        _ => json.as_f64().unwrap(),
    }
}

/// What a float32 graph costs: weights normalised in float32, 2^-24 each, in numerator and S0, of a number near 1.
const FLOAT32_GRAPH: f64 = 4.0 / (1 << 24) as f64;

#[test]
fn gearys_denominator_cancels_in_the_host() {
    // sum x^2 - 2 mean sum x + n mean^2 with mean 1e6 and sd 0.3 keeps 1e-16 * (1e6/0.3)^2 = 1e-3 of itself.
    Recorded::named("geary-cancellation").with(|task| {
        let recorded = Recorded::named("geary-cancellation");
        let score = spatial_autocorr(task).score[0].clone();
        let (host, reference) = (recorded.host(0, "C"), task.statistics().score[0]);
        assert_eq!(verdict(score.as_ref(), host, reference, FLOAT32_GRAPH), Blame::Host);
        // The host is 0.4 % off, the reference within a few ulp of what is left of 53 bits.
        assert!(score.as_ref().unwrap().distance(host)[0] > 2e-3);
        assert_eq!(verdict(score.as_ref(), host, reference, 1e-14), Blame::Host);
        // The variance does not depend on the values and is right to float32.
        let variance = spatial_autocorr(task).variance;
        let blame = verdict(
            variance.as_ref(),
            recorded.host(0, "var_norm"),
            task.statistics().variance,
            1e-8,
        );
        assert_eq!(blame, Blame::Neither);
    });
}

#[test]
fn an_integer_graph_is_not_normalised_by_the_host() {
    let recorded = Recorded::named("integer-graph");
    recorded.with(|task| {
        let (oracle, statistics) = (spatial_autocorr(task), task.statistics());
        for gene in 0..recorded.names.len() {
            let (host, score) = (recorded.host(gene, "I"), oracle.score[gene].as_ref());
            assert_eq!(verdict(score, host, statistics.score[gene], 1e-12), Blame::Host);
            let host = recorded.host(gene, "var_norm");
            assert_eq!(
                verdict(oracle.variance.as_ref(), host, statistics.variance, 1e-12),
                Blame::Host
            );
        }
    });
    // Its answer is that of transformation=False.
    let mut raw = Recorded::named("integer-graph");
    raw.given.push(("transformation", false.into()));
    raw.with(|task| {
        let score = spatial_autocorr(task).score[0].clone();
        assert_eq!(verdict(score.as_ref(), raw.host(0, "I"), f64::NAN, 1e-12), Blame::Backend);
    });
}

#[test]
fn a_constant_gene_has_no_p_value() {
    let recorded = Recorded::named("constant-gene");
    recorded.with(|task| {
        let (oracle, statistics) = (spatial_autocorr(task), task.statistics());
        let columns = statistics.columns(task);
        let reference = |name: &str, gene: usize| {
            columns.iter().find(|(column, _)| column == name).unwrap().1[gene]
        };
        for gene in 0..3 {
            let truth = oracle.score[gene].as_ref();
            assert_eq!(truth.is_none(), recorded.names[gene] == "Gene1");
            // The score itself is right, NaN for NaN.
            let host = recorded.host(gene, "I");
            assert_eq!(verdict(truth, host, statistics.score[gene], FLOAT32_GRAPH), Blame::Neither);
        }
        // But the host finds the constant gene as significant as 50 permutations allow.
        let host = recorded.host(1, "pval_sim");
        assert_eq!(host, 1.0 / 51.0);
        assert_eq!(verdict(None, host, reference("pval_sim", 1), 0.0), Blame::Host);
        // And gives no corrected p-value to a gene that has one: at least its own p, at most 1.
        let (p, corrected) = (recorded.host(0, "pval_norm"), recorded.host(0, "pval_norm_fdr_bh"));
        assert!(corrected.is_nan() && p < 1e-6);
        let least = Number::ratio(0, 1);
        assert_eq!(verdict(least.as_ref(), corrected, p, 1.0), Blame::Host);
    });
}

#[test]
fn the_null_of_the_host_is_no_relabelling() {
    let recorded = Recorded::named("permutation-null");
    recorded.with(|task| {
        // The first permutation of its generator, statistic and all.
        let n = task.n();
        let mut images = vec![0; n];
        Generator::new(task.seed).permutation(&mut images);
        let images: Vec<usize> = images.iter().map(|image| *image as usize).collect();
        let host = number(&recorded.json["first_permutation"]["Gene6"]);
        let sim = task.statistics().permuted.unwrap().sims[0][0];
        let score = |null| permuted_scores(task, null, &images)[0].clone();
        let blame = |null| verdict(score(null).as_ref(), host, sim, FLOAT32_GRAPH);
        assert_eq!(blame(Null::Rows), Blame::Neither);
        // The reference does what the host does, so by the textbook both are wrong; a relabelling is right.
        assert_eq!(blame(Null::Labels), Blame::Both);
        let relabelled = score(Null::Labels).unwrap();
        let blame = verdict(Some(&relabelled), host, relabelled.nearest(), FLOAT32_GRAPH);
        assert_eq!(blame, Blame::Host);
        // The variance of 100 permutations has a relative sd of sqrt(2/100); 4.5 of them, one chance in 10^5.
        let host = recorded.host(0, "var_sim");
        let moments = |null| null_moments(task, null)[0].clone().unwrap();
        for (null, expected) in [(Null::Rows, Blame::Neither), (Null::Labels, Blame::Host)] {
            let variance = moments(null).variance;
            let allowed = 4.5 * (2.0f64 / 100.0).sqrt() * variance.nearest();
            assert_eq!(
                verdict(Some(&variance), host, variance.nearest(), allowed),
                expected,
                "{null:?}"
            );
        }
        // Both expect about the same mean of noise, but not the same.
        assert_eq!(moments(Null::Rows).mean.nearest(), 0.0);
        assert_eq!(moments(Null::Labels).mean.nearest(), -1.0 / 149.0);
    });
}
