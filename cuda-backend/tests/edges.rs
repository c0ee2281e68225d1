//! Sizes around the edges of blocks, tiles and windows, other schedules and poisons, small devices, odd failures.
#![cfg(emulated)]
#![expect(clippy::unwrap_used, reason = "a test fails where it panics")]

#[path = "inputs/counters.rs"]
mod counters;
mod inputs;

use counters::full_counters;
use std::sync::atomic::Ordering;

use cuda_backend::Gpu;
use cuda_backend::context::Context;
use cuda_backend::driver::{Argument, Driver, Grid, Memory, Queue};
use cuda_backend::emulated::Emulated;
use cuda_backend::session::Session;
use cuda_backend::spatial_autocorr::{Null, with_moments};
use dispatch::{Backend, Call, Dense, Device, Fault, Witness};
use inputs::{autocorr, close, cooc, crowded, infinite, ligrec, negated, with_null, without_edges};

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
        matches!(got.witness, Witness::Counted { calls: 1, launches: Some(1..), moved: Some(_) }),
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
    for genes in [1, 31, 32, 33, 255, 256, 257, 511, 512, 513, 3071, 3072, 3073] {
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
fn features_that_do_not_fit_together_come_in_tiles() {
    let launches = |call: &Call, budget: usize| {
        let device = backend(move |device| device.budget = budget);
        check(call, &device, &format!("a device of {budget} bytes"));
        match device.run(call).unwrap().witness {
            Witness::Counted { launches: Some(launches), .. } => launches,
            other => panic!("{other:?}"),
        }
    };
    let calls = [(autocorr(600, 9, "geary", 40), 200_000), (ligrec(600, 12, 3, 40), 90_000)];
    for (call, budget) in calls {
        let (tiled, whole) = (launches(&call, budget), launches(&call, 256 << 20));
        assert!(tiled >= 3 * whole, "{}: {tiled} launches, {whole} in one", call.function);
    }
    // Tasks of co_occurrence, a tile of cells against another each.
    let call = cooc(3000, 2, 3);
    assert!(launches(&call, 43_600) > launches(&call, 256 << 20));
}

/// Bytes that a call copies to a device.
fn sent(device: &impl Backend, call: &Call) -> u64 {
    match device.run(call).unwrap().witness {
        Witness::Counted { moved: Some(traffic), .. } => traffic.to_device,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_graph_that_does_not_fit_comes_in_tiles_of_rows() {
    // 40 neighbours of 1,030 cells: 660 kB, in five leaves of rows.
    let (degree, n, budget) = (40, 1030, 500_000);
    let copied = (12 * n * degree) as u64;
    for mode in ["moran", "geary"] {
        let call = crowded(autocorr(n, 2, mode, 20), degree);
        check(&call, &backend(move |device| device.budget = budget), mode);
        let nulls = [(20.into(), "squidpy"), ("exact".into(), "squidpy"), (20.into(), "relabel")];
        for (n_perms, null) in nulls {
            let call = with_null(call.clone(), n_perms, null);
            let (small, roomy) = (backend(move |device| device.budget = budget), backend(|_| ()));
            let answer = |device: &dyn Backend| device.run(&call).unwrap().data.digest();
            assert_eq!(answer(&small), answer(&roomy), "{mode}, {null}");
            // Once for the statistic and once for its null at least.
            assert!(sent(&small, &call) >= 2 * copied, "{mode}, {null}");
        }
    }
    let too_small = backend(|device| device.budget = 400_000);
    let refused = too_small.run(&crowded(autocorr(n, 2, "moran", 20), degree)).unwrap_err();
    assert!(refused.to_string().contains("two tiles of the graph"), "{refused}");
}

#[test]
fn too_small_a_device_says_so_and_the_next_call_works() {
    let device = backend(|device| device.budget = 60_000);
    match device.run(&autocorr(2000, 2, "moran", 10)) {
        Err(Fault::OutOfMemory(why)) => {
            assert!(
                why.contains("spatial_autocorr needs") && why.contains("are available"),
                "{why}"
            );
        }
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
        let mut context = Context::new(Box::new(Emulated::default()));
        let mut session = Session::new(&mut context);
        let (statistics, moments) = with_moments(&mut session, &task, Null::Rows).unwrap();
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
    let device = Emulated::default();
    let alive = device.alive.clone();
    let mut context = Context::new(Box::new(device));
    let call = ligrec(40, 4, 3, 20);
    let task = reference::ligrec::Task::read(&call.data, &call.params).unwrap();
    cuda_backend::ligrec::answer(&mut Session::new(&mut context), &task).unwrap();
    assert_eq!(context.used(), 0);
    // The same call finds what it needs among what is spare.
    let kept = alive.load(Ordering::Relaxed);
    assert!(kept > 0);
    cuda_backend::ligrec::answer(&mut Session::new(&mut context), &task).unwrap();
    assert_eq!(alive.load(Ordering::Relaxed), kept);
    drop(context);
    assert_eq!(alive.load(Ordering::Relaxed), 0);
}

#[test]
fn a_launch_that_makes_no_sense_is_a_fault() {
    let grid = Grid { across: 1, down: 1, block: 32 };
    // After a fault a device is broken, so each has its own.
    let run = |kernel: &str, grid, arguments: &dyn Fn(Memory) -> Vec<Argument>, freed: bool| {
        let mut device = Emulated::default();
        let memory = device.allocate(64).unwrap();
        if freed {
            device.free(memory);
        }
        device.launch(kernel, grid, &arguments(memory))?;
        let mark = device.mark(Queue::Kernels)?;
        device.wait(mark)
    };
    let shuffle = |m: usize| {
        move |memory| {
            let words = [m.into(), 1usize.into(), 0usize.into(), 4usize.into(), 1.0.into()];
            [&[Argument::Buffer(memory)][..], &words].concat()
        }
    };
    let says = |result: Result<(), Fault>, what: &str| {
        let fault = result.unwrap_err().to_string();
        assert!(fault.contains(what), "{fault}");
    };
    says(run("nothing", grid, &|_| vec![], false), "there is no kernel `nothing`");
    says(run("cooc_count", grid, &|_| vec![7usize.into()], false), "takes 5 arguments, got 1");
    says(run("cooc_count", Grid { block: 33, ..grid }, &|_| vec![], false), "multiple of 32");
    says(run("permutations_shuffle", grid, &shuffle(17), false), "element 16 of 16");
    run("permutations_shuffle", grid, &shuffle(16), false).unwrap();
    says(run("permutations_shuffle", grid, &shuffle(3), true), "no allocation");
}

#[test]
fn counters_have_64_bits_and_columns_are_emptied_before_16_are_full() {
    let counts = full_counters(Emulated::default()).unwrap();
    assert_eq!(counts[0], u64::from(u32::MAX) + 66_000);
    assert!(counts[1..].iter().all(|count| *count == 0));
}

#[test]
fn a_graph_without_edges() {
    let device = backend(|_| ());
    for n in [1, 2, 5, 300] {
        for mode in ["moran", "geary"] {
            let call = without_edges(autocorr(n, 3, mode, 20));
            check(&call, &device, &format!("{mode}, {n} cells without edges"));
        }
    }
}

/// More ordered pairs than 32 bits with a sign count (46,342 cells are the first with so many), by their closed form.
#[test]
fn pairs_of_47_000_cells() {
    let n = 47_000;
    let mut call = cooc(n, 1, 1);
    call.params.insert("interval".to_owned(), Dense::vector(vec![0.0, 1e6]).into());
    let task = reference::co_occurrence::Task::read(&call.data, &call.params).unwrap();
    let mut context = Context::new(Box::new(Emulated::default()));
    let counts = cuda_backend::co_occurrence::counts(&mut Session::new(&mut context), &task);
    assert_eq!(counts.unwrap().n, [(n * (n - 1)) as u64]);
}

#[test]
fn infinities_negative_weights_and_distances_at_a_threshold() {
    let device = backend(|_| ());
    check(&infinite(ligrec(12, 3, 3, 90)), &device, "infinities");
    check(&negated(autocorr(5, 3, "moran", 60)), &device, "negative weights");
    check(&close(90), &device, "distances at a threshold");
}
