//! Sizes around the edges of blocks, tiles and windows, other schedules and poisons, small devices, odd failures.
#![cfg(emulated)]
#![expect(clippy::unwrap_used, reason = "a test fails where it panics")]

#[path = "inputs/counters.rs"]
mod counters;
mod inputs;

use counters::full_counters;
use cuda_backend::Gpu;
use cuda_backend::driver::{Argument, Driver, Grid};
use cuda_backend::emulated::Emulated;
use cuda_backend::session::Session;
use dispatch::{Backend, Call, Device, Fault, Witness};
use inputs::{autocorr, close, cooc, infinite, ligrec, negated};

/// A backend on an emulated device that is not the usual one.
fn backend(change: impl Fn(&mut Emulated) + Send + Sync + 'static) -> impl Backend {
    cuda_backend::on(Gpu::opened_by(move || {
        let mut device = Emulated::default();
        change(&mut device);
        Ok(Box::new(device))
    }))
}

fn check(call: &Call, backend: &impl Backend, what: &str) {
    let expected = reference::backend().run(call).unwrap();
    let got = backend.run(call).unwrap_or_else(|fault| panic!("{what}: {fault}"));
    assert_eq!(got.data.digest(), expected.data.digest(), "{what}");
    assert!(
        matches!(got.witness, Witness::Counted { calls: 1, launches: Some(1..) }),
        "{what}: {:?}",
        got.witness
    );
}

#[test]
fn cells_around_the_edges_of_warps_leaves_and_networks() {
    let device = backend(|_| ());
    for n in [1, 2, 3, 4, 5, 31, 32, 33, 255, 256, 257, 511, 512, 513, 1025] {
        for mode in ["moran", "geary"] {
            check(&autocorr(n, 3, mode, 37), &device, &format!("{mode}, {n} cells"));
        }
        if n > 2 {
            check(&ligrec(n, 4, 3, 33), &device, &format!("ligrec, {n} cells"));
            check(&cooc(n, 3, 9), &device, &format!("co_occurrence, {n} cells"));
        }
    }
}

#[test]
fn genes_and_permutations_around_the_edges_of_tiles_and_blocks() {
    let device = backend(|_| ());
    for genes in [1, 31, 32, 33, 3071, 3072, 3073] {
        check(&autocorr(6, genes, "moran", 3), &device, &format!("{genes} genes"));
    }
    for n_perms in [1, 31, 32, 33, 255, 256, 257, 1023, 1024, 1025] {
        check(&autocorr(20, 2, "geary", n_perms), &device, &format!("{n_perms} permutations"));
        check(&ligrec(20, 3, 2, n_perms), &device, &format!("ligrec, {n_perms} permutations"));
    }
}

#[test]
fn clusters_and_thresholds_around_the_edges_of_tiles_and_windows() {
    let device = backend(|_| ());
    for k in [1, 2, 15, 16, 17, 33] {
        check(&cooc(140, k, 5), &device, &format!("{k} clusters"));
        if k > 1 {
            check(&ligrec(140, 3, k, 20), &device, &format!("ligrec, {k} clusters"));
        }
    }
    for bins in [1, 2, 63, 64, 65, 127, 128, 129, 200] {
        check(&cooc(70, 2, bins), &device, &format!("{bins} thresholds"));
    }
}

#[test]
fn answers_do_not_depend_on_schedule_poison_or_the_size_of_the_device() {
    let calls = [autocorr(600, 3, "moran", 40), autocorr(300, 4, "geary", 40)];
    let calls = calls.into_iter().chain([cooc(300, 3, 70), ligrec(300, 5, 18, 40)]);
    for call in calls {
        for seed in 1..4 {
            check(&call, &backend(move |d| d.schedule = seed), &format!("schedule {seed}"));
        }
        for poison in [0, 0x7f, 0xff] {
            check(&call, &backend(move |d| d.poison = poison), &format!("poison {poison}"));
        }
        check(&call, &backend(|d| d.budget = 250_000), "a device of 250 kB");
    }
}

#[test]
fn too_small_a_device_says_so_and_the_next_call_works() {
    let device = backend(|device| device.budget = 60_000);
    match device.run(&autocorr(2000, 2, "moran", 10)) {
        Err(Fault::OutOfMemory(why)) => assert!(why.contains("2000 cells") || why.contains("left")),
        other => panic!("{other:?}"),
    }
    check(&autocorr(20, 2, "moran", 10), &device, "after running out of memory");
}

#[test]
fn without_a_device_nothing_is_answered() {
    let absent = Gpu::opened_by(|| Err(Fault::Unsupported("nothing here".to_owned())));
    let backend = cuda_backend::on(absent);
    assert!(
        matches!(&backend.manifest().device, Device::Absent { why } if why.contains("nothing"))
    );
    assert!(backend.manifest().functions.is_empty());
    let refused = backend.run(&cooc(9, 2, 3));
    assert!(matches!(refused, Err(Fault::Unsupported(_))), "{refused:?}");
}

#[test]
fn exact_moments_are_the_references() {
    for mode in ["moran", "geary"] {
        let call = autocorr(300, 4, mode, 0);
        let task = reference::spatial_autocorr::Task::read(&call.data, &call.params).unwrap();
        let mut device = Emulated::default();
        let mut session = Session::new(&mut device);
        let (statistics, moments) =
            cuda_backend::spatial_autocorr::with_moments(&mut session, &task).unwrap();
        assert_eq!(statistics.score, task.statistics().score);
        assert_eq!(moments, task.null_moments());
        let mut exact = call.clone();
        exact.params.insert("n_perms".to_owned(), "exact".into());
        let reply = backend(|_| ()).run(&exact).unwrap();
        let Some(dispatch::Value::Frame(table)) = reply.data.get("result") else { panic!() };
        assert!(table.column("pval_z_sim_fdr_bh").is_some() && table.column("pval_sim").is_none());
    }
}

#[test]
fn a_call_gives_all_its_memory_back() {
    let mut device = Emulated::default();
    let call = ligrec(40, 4, 3, 20);
    let task = reference::ligrec::Task::read(&call.data, &call.params).unwrap();
    cuda_backend::ligrec::answer(&mut Session::new(&mut device), &task).unwrap();
    assert_eq!(device.allocations(), 0);
}

#[test]
fn a_launch_that_makes_no_sense_is_a_fault() {
    let mut device = Emulated::default();
    let memory = device.allocate(64).unwrap();
    let grid = Grid { across: 1, down: 1, block: 32 };
    let says = |device: &mut Emulated, kernel: &str, grid, arguments: &[Argument], what: &str| {
        let fault = device.launch(kernel, grid, arguments).unwrap_err().to_string();
        assert!(fault.contains(what), "{fault}");
    };
    says(&mut device, "nothing", grid, &[], "there is no kernel `nothing`");
    says(&mut device, "cooc_count", grid, &[7usize.into()], "takes 5 arguments, got 1");
    says(&mut device, "cooc_count", Grid { block: 33, ..grid }, &[], "multiple of 32");
    let shuffle = |m: usize| {
        [
            Argument::Buffer(memory),
            m.into(),
            1usize.into(),
            0usize.into(),
            4usize.into(),
            1.0.into(),
        ]
    };
    says(&mut device, "permutations_shuffle", grid, &shuffle(17), "element 16 of 16");
    device.launch("permutations_shuffle", grid, &shuffle(16)).unwrap();
    device.release(memory);
    says(&mut device, "permutations_shuffle", grid, &shuffle(3), "no allocation");
}

#[test]
fn counters_have_64_bits_and_columns_are_emptied_before_16_are_full() {
    let counts = full_counters(&mut Emulated::default()).unwrap();
    assert_eq!(counts[0], u64::from(u32::MAX) + 66_000);
    assert!(counts[1..].iter().all(|count| *count == 0));
}

#[test]
fn infinities_negative_weights_and_distances_at_a_threshold() {
    let device = backend(|_| ());
    check(&infinite(ligrec(12, 3, 3, 90)), &device, "infinities");
    check(&negated(autocorr(5, 3, "moran", 60)), &device, "negative weights");
    check(&close(90), &device, "distances at a threshold");
}
