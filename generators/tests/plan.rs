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
