//! Pairwise plans cover what they claim and stay small.

use generators::{GENERATORS, plan};

#[test]
fn a_plan_meets_every_pair() {
    for &generator in GENERATORS {
        let recipes = plan::pairwise(generator, 1);
        let (covered, total) = plan::coverage(&recipes);
        println!(
            "{}: {} recipes meet {covered} of {total} pairs",
            generator.function,
            recipes.len()
        );
        assert_eq!(covered, total, "{}", generator.function);
        // Two knobs alone need the product of their levels, so a plan cannot be much below a hundred.
        assert!(recipes.len() <= 320, "{} recipes for {}", recipes.len(), generator.function);
        assert!(recipes[0].is_simplest());
    }
}

#[test]
fn a_ladder_climbs_and_only_ladders_have_large_levels() {
    for &generator in GENERATORS {
        let (all, light) = (plan::ladder(generator, true, 1), plan::ladder(generator, false, 1));
        assert!(!light.is_empty() && light.len() <= all.len(), "{}", generator.function);
        let is_large = |r: &generators::Recipe| {
            generator.knobs.iter().any(|k| k.large.contains(&r.level(k.name)))
        };
        assert!(all.iter().all(is_large));
        let heavy = all.iter().filter(|r| plan::is_heavy(r)).count();
        assert_eq!(heavy, all.len() - light.len());
        assert!(!plan::pairwise(generator, 1).iter().any(is_large));
    }
}

#[test]
fn defaults_left_out_are_the_hosts() {
    let signature = |function: &str| match function {
        "spatial_autocorr" => ["mode", "attr"].as_slice(),
        "co_occurrence" => &["spatial_key"],
        _ => &["complex_policy", "threshold", "alpha"],
    };
    for &generator in GENERATORS {
        let call = generators::Recipe::simplest(generator, 1).with("arguments", "changed");
        let params = call.expect("an edge level stands alone").build().params;
        for name in signature(generator.function) {
            assert!(!params.contains_key(*name), "{name} of {}", generator.function);
        }
    }
}
