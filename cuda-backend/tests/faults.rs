//! What fails on a device is told, given back whole, and does not keep the next call from working.
#![cfg(emulated)]
#![expect(clippy::unwrap_used, reason = "a test fails where it panics")]

mod inputs;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use cuda_backend::Gpu;
use cuda_backend::driver::Driver;
use cuda_backend::emulated::{Emulated, Injected, Operation};
use dispatch::{Backend, Call, Fault};
use inputs::{autocorr, cooc, ligrec};

const OPERATIONS: [Operation; 6] = [
    Operation::Allocate,
    Operation::Pin,
    Operation::Upload,
    Operation::Download,
    Operation::Launch,
    Operation::Wait,
];

/// A backend whose device, the first time it is opened, is `first`, then a sound one; and what is alive on any of them.
fn backend(
    first: impl Fn() -> Emulated + Send + Sync + 'static,
) -> (impl Backend, Arc<AtomicUsize>) {
    let (opened, alive) = (AtomicU64::new(0), Arc::new(AtomicUsize::new(0)));
    let counted = alive.clone();
    let gpu = Gpu::opened_by(move || {
        let again = opened.fetch_add(1, Ordering::Relaxed) > 0;
        let mut device = if again { Emulated::default() } else { first() };
        device.alive = counted.clone();
        Ok(Box::new(device))
    });
    (cuda_backend::on(gpu), alive)
}

fn calls() -> [Call; 3] {
    [autocorr(300, 3, "geary", 40), cooc(300, 3, 70), ligrec(90, 5, 3, 40)]
}

/// Small pieces and little memory, so that there are many operations.
fn small() -> Emulated {
    let mut device = Emulated::default();
    (device.piece, device.budget) = (2048, 150_000);
    device
}

fn check(call: &Call, backend: &impl Backend) {
    let expected = reference::backend().run(call).unwrap();
    assert_eq!(backend.run(call).unwrap().data.digest(), expected.data.digest());
}

/// Fails each operation of a kind in turn until a call has fewer of them; how many did fail.
fn fail_each(call: &Call, operation: Operation, fault: &Fault) -> u64 {
    for after in 0.. {
        let injected = Injected { operation, after, fault: fault.clone() };
        let (backend, alive) = backend(move || {
            let mut device = small();
            device.injected = Some(injected.clone());
            device
        });
        match backend.run(call) {
            Ok(_) => return after,
            Err(told) => assert_eq!(&told, fault),
        }
        assert_eq!(
            alive.load(Ordering::Relaxed),
            0,
            "{operation:?} {after}: the context is released"
        );
        check(call, &backend);
    }
    0
}

#[test]
fn a_device_lost_at_any_operation_is_told_and_the_next_call_works() {
    let lost = Fault::DeviceLost("the bus".to_owned());
    for call in calls() {
        for operation in OPERATIONS {
            let failed = fail_each(&call, operation, &lost);
            assert!(failed > 1, "{} {operation:?}: {failed}", call.function);
        }
    }
}

#[test]
fn a_kernel_that_fails_is_told_and_the_next_call_works() {
    let failed = Fault::Failed("a trap".to_owned());
    for call in calls() {
        assert!(fail_each(&call, Operation::Launch, &failed) > 0);
        assert!(fail_each(&call, Operation::Wait, &failed) > 0);
    }
}

#[test]
fn memory_that_other_programs_hold_is_told_with_what_to_do() {
    for call in calls() {
        let (backend, alive) = backend(|| {
            let mut device = Emulated::default();
            device.taken = device.budget - 4096;
            device
        });
        match backend.run(&call) {
            Err(Fault::OutOfMemory(why)) => assert!(why.contains("use fewer features"), "{why}"),
            other => panic!("{other:?}"),
        }
        assert_eq!(alive.load(Ordering::Relaxed), 0);
        check(&call, &backend);
    }
}

#[test]
fn memory_that_is_short_for_a_moment_is_asked_for_again() {
    let call = autocorr(300, 3, "moran", 10);
    let (backend, _) = backend(|| {
        let fault = Fault::OutOfMemory("for a moment".to_owned());
        let injected = Some(Injected { operation: Operation::Allocate, after: 3, fault });
        let mut device = Emulated::default();
        device.injected = injected;
        device
    });
    check(&call, &backend);
}

#[test]
fn every_function_says_how_much_memory_it_needs_at_least() {
    for call in calls() {
        let device = || {
            let mut device = Emulated::default();
            device.budget = 9000;
            Ok(Box::new(device) as Box<dyn Driver>)
        };
        let backend = cuda_backend::on(Gpu::opened_by(device));
        match backend.run(&call) {
            Err(Fault::OutOfMemory(why)) => {
                let needs = format!("{} needs ", call.function);
                assert!(why.starts_with(&needs) && why.contains("9000 are available"), "{why}");
            }
            other => panic!("{other:?}"),
        }
    }
}

/// The compiler, the architecture: what fails while a device is opened.
#[test]
fn a_device_that_cannot_be_opened_again_is_told_until_it_can() {
    let opened = AtomicU64::new(0);
    let backend = cuda_backend::on(Gpu::opened_by(move || {
        let lost = Fault::DeviceLost("the bus".to_owned());
        match opened.fetch_add(1, Ordering::Relaxed) {
            0 => {
                let mut device = Emulated::default();
                device.injected =
                    Some(Injected { operation: Operation::Launch, after: 0, fault: lost });
                Ok(Box::new(device) as Box<dyn Driver>)
            }
            1 => Err(Fault::Unsupported("NVRTC 12.4 does not know sm_120".to_owned())),
            2 => Err(Fault::Failed("NVRTC could not compile `cooc.cu`".to_owned())),
            _ => Ok(Box::new(Emulated::default())),
        }
    }));
    let call = cooc(60, 2, 5);
    let kinds: Vec<&str> = (0..3).map(|_| backend.run(&call).unwrap_err().kind()).collect();
    assert_eq!(kinds, ["device-lost", "unsupported", "failed"]);
    check(&call, &backend);
}
