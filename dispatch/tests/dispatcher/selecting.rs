//! Rules D1 to D15, D34 and D35: which backend a name and a place mean.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};

use crate::hosts::{Echo, builder, data, dispatcher, function, provider, who};
use dispatch::{DispatchError, Dispatcher, Event, Fault, HOST, Origin, Params, Provider, Trusted};

/// The class and text of the error that selecting a name gives.
fn refused(dispatcher: &Dispatcher, name: &str) -> String {
    let error = dispatcher.use_backend(name).expect_err("a name that selects nothing");
    format!("{}: {error}", error.kind())
}

/// A host that trusts `rapids` and reserves `gpu`.
fn trusting() -> Dispatcher {
    let trusted = Trusted {
        aliases: vec!["cuda".to_owned()],
        distributions: vec!["rapids-singlecell".to_owned(), "rapids_singlecell_cu12".to_owned()],
        module_prefixes: vec!["rsc".to_owned()],
        ..Trusted::new("rapids", "pip install rapids-singlecell")
    };
    builder()
        .0
        .trust(trusted)
        .reserve("gpu", "name the backend, not the device")
        .build()
        .expect("a host")
}

fn from_package(distribution: &str, object: &str) -> Origin {
    let own = |text: &str| Some(text.to_owned());
    Origin { distribution: own(distribution), object: own(object), ..Origin::default() }
}

fn ignored(events: &[Event]) -> Vec<&str> {
    let names = events.iter().map(|event| match event {
        Event::Ignored { name, .. } => name.as_str(),
        other => panic!("not about a name: {other}"),
    });
    names.collect()
}

#[test]
fn d1_dispatchers_do_not_see_each_other() {
    let (one, other) = (dispatcher(), dispatcher());
    one.set_backend("fast").unwrap();
    let _scope = one.use_backend("quick").unwrap();
    assert_eq!((who(&one), who(&other)), ("fast".to_owned(), HOST.to_owned()));
    assert_eq!(Dispatcher::builder("").build().err().unwrap().kind(), "ValueError");
}

#[test]
fn d2_discovery_is_lazy_and_happens_once() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let list = move || match count.fetch_add(1, Ordering::SeqCst) {
        0 => Err("the index is locked".to_owned()),
        _ => Ok(vec![provider("fast", &[("f", "a, x=1")])]),
    };
    let dispatcher = builder().0.discover(list).build().unwrap();
    let _scope = dispatcher.use_backend(HOST).unwrap();
    let host = dispatcher.call(&function("f", "a"), vec![data()], Params::new(), Some(HOST));
    assert_eq!(host.unwrap().by, HOST);
    assert_eq!(asked.load(Ordering::SeqCst), 0);
    assert_eq!(
        refused(&dispatcher, "fast"),
        "RuntimeError: discover backends of `host`: the index is locked"
    );
    for _ in 0..3 {
        assert_eq!(dispatcher.available_backends().unwrap(), ["fast"]);
    }
    assert_eq!(asked.load(Ordering::SeqCst), 2);
}

#[test]
fn d2_a_provider_is_loaded_once_at_first_use() {
    let loads = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&loads);
    let dispatcher = builder().0.build().unwrap();
    dispatcher.register(Provider::new("fast", move || {
        count.fetch_add(1, Ordering::SeqCst);
        Ok(Echo::backend("fast", &[("f", "a, x=1")]))
    }));
    assert_eq!(dispatcher.available_backends().unwrap(), ["fast"]);
    assert_eq!(loads.load(Ordering::SeqCst), 0);
    dispatcher.set_backend("fast").unwrap();
    assert_eq!((who(&dispatcher), who(&dispatcher)), ("fast".to_owned(), "fast".to_owned()));
    assert_eq!(loads.load(Ordering::SeqCst), 1);
}

#[test]
fn d3_a_provider_is_a_name_and_a_way_to_load() {
    let dispatcher = builder().0.build().unwrap();
    dispatcher.register(Provider::new("fast", || Ok(Echo::backend("other", &[]))));
    let expected = "ImportError: backend `fast` failed to load: it calls itself `other`";
    assert_eq!(refused(&dispatcher, "fast"), expected);
}

#[test]
fn d4_names_are_labels() {
    let dispatcher = builder().0.build().unwrap();
    let long = "x".repeat(128);
    for good in
        ["a", "9", "rapids-singlecell", "cuda12.4", "_"].map(str::to_owned).iter().chain([&long])
    {
        let events = dispatcher.register(provider(good, &[]));
        assert_eq!(events.is_empty(), good != "_", "{good}");
    }
    let longer = "x".repeat(129);
    let bad = ["", "-x", ".x", "x-", "x.", "a b", "é", "cpu", &longer];
    for (i, bad) in bad.into_iter().enumerate() {
        assert_eq!(ignored(&dispatcher.register(provider(bad, &[]))), [bad]);
        let events = dispatcher.register(provider(&format!("b{i}"), &[]).alias(bad));
        assert_eq!(ignored(&events), [bad]);
    }
}

#[test]
fn d5_the_first_to_claim_a_name_keeps_it() {
    let dispatcher = dispatcher();
    assert_eq!(ignored(&dispatcher.register(provider("fast", &[]))), ["fast"]);
    assert_eq!(ignored(&dispatcher.register(provider("quick", &[]))), ["quick"]);
    let events =
        dispatcher.register(provider("other", &[]).alias("quick").alias("fast").alias("o"));
    assert_eq!(ignored(&events), ["quick", "fast"]);
    assert_eq!(dispatcher.available_backend_names().unwrap(), ["fast", "o", "other", "quick"]);
    dispatcher.set_backend("quick").unwrap();
    assert_eq!(dispatcher.backend(), "fast");
}

#[test]
fn d5_nobody_takes_a_trusted_name() {
    let dispatcher = trusting();
    assert_eq!(ignored(&dispatcher.register(provider("cuda", &[]))), ["cuda"]);
    let events = dispatcher.register(provider("mine", &[]).alias("cuda").alias("rapids"));
    assert_eq!(ignored(&events), ["cuda", "rapids"]);
}

#[test]
fn d6_a_trusted_name_is_verified() {
    let dispatcher = trusting();
    let evil = provider("rapids", &[]).origin(from_package("evil", "rsc.adapter:Backend"));
    assert_eq!(ignored(&dispatcher.register(evil)), ["rapids"]);
    assert_eq!(
        refused(&dispatcher, "cuda"),
        "ImportError: backend `rapids` was refused: expected distribution \
         `rapids-singlecell` or `rapids_singlecell_cu12`, got `evil`"
    );
    let shadow =
        provider("rapids", &[]).origin(from_package("rapids-singlecell", "rscevil:Backend"));
    assert_eq!(ignored(&dispatcher.register(shadow)), ["rapids"]);
    assert!(refused(&dispatcher, "rapids").ends_with("expected module `rsc`, got `rscevil`"));
    let unknown = provider("rapids", &[]);
    assert_eq!(ignored(&dispatcher.register(unknown)), ["rapids"]);
    let right = provider("rapids", &[])
        .origin(from_package("Rapids.SingleCell-cu12", "rsc.adapter:Backend"));
    assert_eq!(dispatcher.register(right), []);
    dispatcher.set_backend("cuda").unwrap();
    assert_eq!(dispatcher.backend(), "rapids");
}

#[test]
fn d7_an_unknown_name_is_an_error_that_helps() {
    let dispatcher = dispatcher();
    assert_eq!(
        refused(&dispatcher, "fats"),
        "ValueError: unknown backend `fats`, did you mean `fast`?; available: cpu, fast, quick"
    );
    assert_eq!(
        refused(&dispatcher, "zzz"),
        "ValueError: unknown backend `zzz`; available: cpu, fast, quick"
    );
    assert!(refused(&dispatcher, "").starts_with("ValueError: select a backend: expected"));
}

#[test]
fn d8_trusted_but_not_installed_says_how_to_install() {
    let expected = "ImportError: backend `rapids` is not installed; install it with `pip install rapids-singlecell`";
    assert_eq!(refused(&trusting(), "rapids"), expected);
    assert_eq!(refused(&trusting(), "cuda"), expected);
    assert!(refused(&trusting(), "cdua").contains("did you mean `cuda`?"));
}

#[test]
fn d9_a_provider_that_fails_to_load_says_why_under_every_name() {
    let dispatcher = builder().0.build().unwrap();
    let broken = Provider::new("fast", || Err("libcuda.so.1 not found".to_owned())).alias("quick");
    dispatcher.register(broken);
    let expected = "ImportError: backend `fast` failed to load: libcuda.so.1 not found";
    assert_eq!(refused(&dispatcher, "fast"), expected);
    assert_eq!(refused(&dispatcher, "quick"), expected);
}

#[test]
fn d10_a_host_reserves_names() {
    let dispatcher = trusting();
    assert_eq!(
        refused(&dispatcher, "gpu"),
        "ValueError: `gpu` does not name a backend: name the backend, not the device"
    );
    assert_eq!(ignored(&dispatcher.register(provider("gpu", &[]))), ["gpu"]);
    assert_eq!(ignored(&dispatcher.register(provider("x", &[]).alias("gpu"))), ["gpu"]);
}

#[test]
fn d11_an_untrusted_backend_works_with_one_warning() {
    let (builder, told) = builder();
    let dispatcher = builder.trust(Trusted::new("known", "")).build().unwrap();
    dispatcher.register(provider("fast", &[("f", "a, x=1")]));
    dispatcher.register(provider("known", &[("f", "a, x=1")]));
    for name in ["fast", "known", "fast"] {
        let f = function("f", "a, x=1");
        assert_eq!(dispatcher.call(&f, vec![data()], Params::new(), Some(name)).unwrap().by, name);
    }
    assert_eq!(*told.lock().unwrap(), [Event::Untrusted { backend: "fast".to_owned() }]);
}

#[test]
fn d12_call_then_scope_then_global_then_host() {
    let dispatcher = dispatcher();
    dispatcher.register(provider("slow", &[("f", "a, x=1")]));
    let f = function("f", "a, x=1");
    let call = |own| dispatcher.call(&f, vec![data()], Params::new(), own).unwrap().by;
    assert_eq!(call(None), HOST);
    dispatcher.set_backend("fast").unwrap();
    assert_eq!(call(None), "fast");
    let _scope = dispatcher.use_backend("slow").unwrap();
    assert_eq!(call(None), "slow");
    assert_eq!(call(Some("quick")), "fast");
    assert_eq!(call(Some(HOST)), HOST);
    let _inner = dispatcher.use_backend(HOST).unwrap();
    assert_eq!(call(None), HOST);
}

#[test]
fn d13_setting_the_global_backend_validates_it() {
    let dispatcher = dispatcher();
    dispatcher.set_backend("quick").unwrap();
    assert_eq!(dispatcher.backend(), "fast");
    assert!(matches!(dispatcher.set_backend("typo"), Err(DispatchError::Unknown { .. })));
    assert_eq!(dispatcher.backend(), "fast");
    dispatcher.set_backend(HOST).unwrap();
    assert_eq!(dispatcher.backend(), HOST);
}

#[test]
fn d14_a_scope_restores_on_exit() {
    let dispatcher = dispatcher();
    dispatcher.register(provider("slow", &[]));
    let failing = || -> Result<(), Fault> {
        let _scope = dispatcher.use_backend("fast")?;
        assert_eq!(dispatcher.backend(), "fast");
        Err(Fault::Failed("left early".to_owned()))
    };
    assert!(failing().is_err());
    assert_eq!(dispatcher.backend(), HOST);
    let panicking = std::panic::AssertUnwindSafe(|| {
        let _scope = dispatcher.use_backend("fast").unwrap();
        std::panic::resume_unwind(Box::new("left by a panic"));
    });
    assert!(std::panic::catch_unwind(panicking).is_err());
    assert_eq!(dispatcher.backend(), HOST);
    let outer = dispatcher.use_backend("fast").unwrap();
    let inner = dispatcher.use_backend("slow").unwrap();
    assert_eq!(dispatcher.backend(), "slow");
    drop(outer);
    assert_eq!(dispatcher.backend(), "slow");
    drop(inner);
    assert_eq!(dispatcher.backend(), HOST);
}

#[test]
fn d15_a_global_choice_is_seen_by_every_thread() {
    let dispatcher = dispatcher();
    let _scope = dispatcher.use_backend(HOST).unwrap();
    std::thread::scope(|threads| {
        dispatcher.set_backend("fast").unwrap();
        let seen = threads.spawn(|| dispatcher.backend());
        assert_eq!(seen.join().unwrap(), "fast");
    });
    assert_eq!(dispatcher.backend(), HOST);
}

/// Pending once, then ready; what an `.await` on something slow does.
struct Pause(bool);

impl Future for Pause {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.0, true) { Poll::Ready(()) } else { Poll::Pending }
    }
}

#[test]
fn d15_a_future_takes_its_scope_along() {
    let dispatcher = Arc::new(dispatcher());
    let inside = Arc::clone(&dispatcher);
    let future = async move {
        let before = inside.backend();
        Pause(false).await;
        (before, inside.backend())
    };
    let mut future = Box::pin(dispatcher.scope("fast", future).unwrap());
    assert!(future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    assert_eq!(dispatcher.backend(), HOST);
    let elsewhere = std::thread::spawn(move || {
        match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(seen) => seen,
            Poll::Pending => panic!("it pauses once"),
        }
    });
    assert_eq!(elsewhere.join().unwrap(), ("fast".to_owned(), "fast".to_owned()));
}

#[test]
fn d15_futures_on_one_thread_keep_their_own_scopes() {
    let dispatcher = dispatcher();
    dispatcher.register(provider("slow", &[]));
    let seen = async || {
        Pause(false).await;
        dispatcher.backend()
    };
    let mut one = Box::pin(dispatcher.scope("fast", seen()).unwrap());
    let mut two = Box::pin(dispatcher.scope("slow", seen()).unwrap());
    let mut context = Context::from_waker(Waker::noop());
    assert!(one.as_mut().poll(&mut context).is_pending());
    assert!(two.as_mut().poll(&mut context).is_pending());
    assert_eq!(one.as_mut().poll(&mut context), Poll::Ready("fast".to_owned()));
    assert_eq!(two.as_mut().poll(&mut context), Poll::Ready("slow".to_owned()));
}

#[test]
fn d34_backends_can_be_listed() {
    let dispatcher = dispatcher();
    assert_eq!(dispatcher.available_backends().unwrap(), ["fast"]);
    assert_eq!(dispatcher.available_backend_names().unwrap(), ["fast", "quick"]);
}

#[test]
fn d35_a_backend_can_be_registered_at_any_time() {
    let dispatcher = builder().0.build().unwrap();
    assert!(refused(&dispatcher, "late").starts_with("ValueError"));
    dispatcher.register(provider("late", &[("f", "a, x=1")]));
    dispatcher.set_backend("late").unwrap();
    assert_eq!(who(&dispatcher), "late");
}
