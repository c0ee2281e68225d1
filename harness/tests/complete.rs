//! Reference, generators and contracts know the same functions, and each function is whole.

use std::collections::BTreeSet;

use dispatch::Backend;
use harness::CONTRACTS;

#[test]
fn the_three_lists_match() {
    let reference: BTreeSet<String> =
        reference::backend().manifest().functions.keys().cloned().collect();
    let generators: BTreeSet<String> =
        generators::GENERATORS.iter().map(|g| g.function.to_owned()).collect();
    let contracts: BTreeSet<String> = CONTRACTS.iter().map(|c| c.function.to_owned()).collect();
    assert_eq!(reference, contracts);
    assert_eq!(generators, contracts);
}

#[test]
fn semantic_parameters_exist_in_the_signature() {
    let reference = reference::backend();
    for contract in CONTRACTS {
        let signature = &reference.manifest().functions[contract.function];
        for name in contract.semantic {
            assert!(
                signature.get(name).is_some(),
                "{} has no parameter `{name}`",
                contract.function
            );
        }
    }
}

/// A drifted default must never pass for a numeric difference, so cases pass what changes the answer themselves.
#[test]
fn generated_calls_pass_every_semantic_parameter_that_has_a_default() {
    for generator in generators::GENERATORS {
        let contract = harness::contract(generator.function).unwrap();
        let recipe = generators::Recipe::simplest(generator, 1);
        let call = recipe.build();
        // `alpha` matters for two-stage corrections only, which no recipe asks for.
        let missing: Vec<_> = contract
            .semantic
            .iter()
            .filter(|n| **n != "alpha" && !call.params.contains_key(**n))
            .collect();
        assert!(missing.is_empty(), "{} leaves {missing:?} to the default", generator.function);
    }
}
