//! The emulated device answers generated calls as the reference does, bit for bit.
#![cfg(emulated)]
#![expect(clippy::unwrap_used, reason = "a test fails where it panics")]

use dispatch::{Backend, Call, Fault, Reply};
use generators::{Generator, Recipe, generator, plan, strategy};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

/// Drawn recipes of each function, beside its covering array; with it more than 2,000 cases of all three.
const DRAWN: usize = 600;

fn check(recipe: &Recipe, host: &impl Backend, backend: &impl Backend) -> bool {
    let call: Call = recipe.build();
    let (expected, got) = (host.run(&call), backend.run(&call));
    match (&expected, &got) {
        (Ok(expected), Ok(got)) => same(recipe, expected, got),
        (Err(expected), Err(got)) => assert_eq!(expected, got, "{recipe}"),
        (Ok(_), Err(fault)) => panic!("{recipe}: {fault}"),
        (Err(fault), Ok(_)) => panic!("{recipe}: the reference refused it: {fault}"),
    }
    expected.is_ok()
}

/// Digests are of the bits, so NaN equals NaN and 0.0 is not -0.0.
fn same(recipe: &Recipe, expected: &Reply, got: &Reply) {
    assert_eq!(expected.warnings, got.warnings, "{recipe}");
    if expected.data.digest() != got.data.digest() {
        let message = format!("{recipe}\nreference: {:?}\ndevice: {:?}", expected.data, got.data);
        panic!("{}", &message[..message.len().min(6000)]);
    }
}

fn drawn(generator: &'static Generator, count: usize) -> Vec<Recipe> {
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let recipes = strategy::recipes(generator);
    let mut one = || recipes.new_tree(&mut runner).unwrap().current();
    (0..count).map(|_| one()).collect()
}

fn check_all(function: &str) {
    let generator = generator(function).unwrap();
    let (host, backend) = (reference::backend(), cuda_backend::backend());
    let mut recipes = plan::pairwise(generator, 11);
    recipes.extend(drawn(generator, DRAWN));
    recipes.retain(|recipe| !plan::is_heavy(recipe));
    let answered = recipes.iter().filter(|recipe| check(recipe, &host, &backend)).count();
    println!("{function}: {} cases, {answered} answered", recipes.len());
    assert!(answered > DRAWN * 2 / 3, "{answered} of {} cases were answered", recipes.len());
}

#[test]
fn spatial_autocorr_is_the_references_bit_for_bit() {
    check_all("spatial_autocorr");
}

#[test]
fn co_occurrence_is_the_references_bit_for_bit() {
    check_all("co_occurrence");
}

#[test]
fn ligrec_is_the_references_bit_for_bit() {
    check_all("ligrec");
}

#[test]
fn a_refusal_is_the_references_and_an_unknown_function_is_not_supported() {
    let (host, backend) = (reference::backend(), cuda_backend::backend());
    let empty = Call::new("ligrec", dispatch::Dataset::new(), dispatch::Params::new());
    assert_eq!(host.run(&empty).unwrap_err(), backend.run(&empty).unwrap_err());
    let unknown = Call::new("ripley", dispatch::Dataset::new(), dispatch::Params::new());
    assert!(matches!(backend.run(&unknown), Err(Fault::Unsupported(_))));
}
