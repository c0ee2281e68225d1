//! The host's side of a GPU, `src/cuda`, on a driver and a compiler that are none (`stub/libcuda.cpp`): streams, events, pinned
//! copies, launches, and what becomes of every error. That a GPU does the same is not shown by it.
#![cfg(all(emulated, target_os = "linux"))]
#![expect(clippy::unwrap_used, reason = "a test fails where it panics")]
#![allow(unsafe_code, reason = "the stub is C++")]

mod inputs;

use std::ffi::{CString, c_char, c_int};
use std::path::Path;
use std::process::Command;

use cuda_backend::Gpu;
use cuda_backend::cuda::{Cache, Cuda};
use dispatch::{Backend, Call, Device, Fault};
use inputs::{autocorr, cooc, ligrec};
use libloading::Library;

/// The two libraries, loaded under the names that are looked for.
struct Stub {
    driver: Library,
    compiler: Library,
}

impl Stub {
    fn build(dir: &Path, name: &str) -> Library {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let library = dir.join(name);
        let compiler = std::env::var("CXX").unwrap_or_else(|_| "c++".to_owned());
        let mut command = Command::new(compiler);
        command.args(["-std=c++17", "-O1", "-w", "-ffp-contract=off", "-fno-strict-aliasing"]);
        command.args(["-fPIC", "-shared", "-DCONCORD_EMULATED", "-I"]).arg(root.join("emulator"));
        command.arg(format!("-Wl,-soname,{name},-Bsymbolic")).arg("-o").arg(&library);
        let output = command.arg(root.join("tests/stub/libcuda.cpp")).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        // SAFETY: built just now; it runs no code when it is loaded.
        unsafe { Library::new(&library) }.unwrap()
    }

    fn load(dir: &Path) -> Stub {
        // What is loaded is found again by its name, whatever the paths are.
        Stub {
            driver: Stub::build(dir, "libcuda.so"),
            compiler: Stub::build(dir, "libnvrtc.so.13"),
        }
    }

    /// Makes the call of a function fail that `after` others go before.
    fn fail(&self, function: &str, after: c_int, code: c_int) {
        let name = CString::new(function).unwrap();
        // SAFETY: that is its type.
        unsafe {
            let fail = self.driver.get::<extern "C" fn(*const c_char, c_int, c_int)>(b"stub_fail");
            fail.unwrap()(name.as_ptr(), after, code);
        }
    }

    fn compiles(&self, status: c_int, log: &str) {
        let log = CString::new(log).unwrap();
        // SAFETY: that is its type.
        unsafe {
            let set = self.compiler.get::<extern "C" fn(c_int, *const c_char)>(b"stub_compiles");
            set.unwrap()(status, log.as_ptr());
        }
    }

    fn capability(&self, major: c_int) {
        // SAFETY: that is its type.
        unsafe { self.driver.get::<extern "C" fn(c_int)>(b"stub_capability").unwrap()(major) }
    }

    /// Objects alive, and those that were alive when a context was released.
    fn alive_and_leaked(&self) -> [u64; 2] {
        // SAFETY: that is their type.
        [&b"stub_alive"[..], b"stub_leaked"]
            .map(|name| unsafe { self.driver.get::<extern "C" fn() -> u64>(name).unwrap()() })
    }
}

fn gpu(cache: Cache) -> Gpu {
    Gpu::opened_by(move || Ok(Box::new(Cuda::open(&cache)?)))
}

fn calls() -> Vec<Call> {
    let mut relabelled = autocorr(70, 3, "geary", 40);
    relabelled.params.insert("null".to_owned(), "relabel".into());
    let mut numpy = autocorr(600, 3, "moran", 40);
    numpy.params.insert("rng".to_owned(), "numpy".into());
    vec![autocorr(600, 3, "geary", 300), numpy, relabelled, cooc(300, 3, 70), ligrec(90, 5, 3, 40)]
}

fn check(backend: &impl Backend, call: &Call) {
    let expected = cuda_backend::on(emulated()).run(call).unwrap();
    let got = backend.run(call).unwrap();
    assert_eq!(got.data.digest(), expected.data.digest());
    assert_eq!(got.witness, expected.witness);
}

fn emulated() -> Gpu {
    Gpu::opened_by(|| Ok(Box::new(cuda_backend::emulated::Emulated::default())))
}

/// Every call of the driver's functions in turn fails with a code, on a call that worked before.
fn fail_everywhere(stub: &Stub, backend: &impl Backend, call: &Call, code: c_int, kind: &str) {
    for function in [
        "cuCtxSetCurrent",
        "cuMemcpyHtoDAsync_v2",
        "cuMemcpyDtoHAsync_v2",
        "cuMemsetD8Async",
        "cuStreamWaitEvent",
        "cuEventRecord",
        "cuEventSynchronize",
        "cuLaunchKernel",
    ] {
        for after in [0, 1, 4] {
            stub.fail(function, after, code);
            match backend.run(call) {
                Err(fault) => assert_eq!(fault.kind(), kind, "{function} {after}: {fault}"),
                // Not every function is called that often.
                Ok(_) => assert!(after > 0, "{function} is not called"),
            }
            stub.fail("", 0, 0);
            check(backend, call);
        }
    }
}

#[test]
fn a_driver_that_is_none_is_driven_as_it_should_be() {
    // SAFETY: only tries to load libcuda.
    if unsafe { cudarc::driver::sys::is_culib_present() } {
        println!(
            "not run: there is a driver, which would be taken for the stub or the other way round"
        );
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let stub = Stub::load(dir.path());
    let cache = Cache::new(&dir.path().join("cache"));

    let backend = cuda_backend::on(gpu(cache.clone()));
    let version = |text: &str| text.to_owned();
    let device = Device::Cuda {
        name: version("stub"),
        capability: version("9.0"),
        driver: version("12.4"),
        nvrtc: version("12.4"),
    };
    assert_eq!(backend.manifest().device, device);
    for call in calls() {
        check(&backend, &call);
        check(&backend, &call);
    }
    let call = autocorr(300, 3, "geary", 40);
    fail_everywhere(&stub, &backend, &call, 700, "device-lost");
    fail_everywhere(&stub, &backend, &call, 1, "failed");
    drop(backend);
    assert_eq!(stub.alive_and_leaked(), [0, 0], "everything is given back");

    // Memory that is short is asked for again after what is spare was given back; then it is told.
    let backend = cuda_backend::on(gpu(cache.clone()));
    stub.fail("cuMemAlloc_v2", 3, 2);
    check(&backend, &call);
    drop(backend);
    let backend = cuda_backend::on(gpu(cache.clone()));
    stub.fail("cuMemHostAlloc", 1, 2);
    assert!(matches!(backend.run(&call), Err(Fault::OutOfMemory(_))));
    check(&backend, &call);
    drop(backend);
    assert_eq!(stub.alive_and_leaked(), [0, 0]);

    // What fails while a device is opened leaves nothing behind, and the reason in the manifest.
    let opened = |cache: &Cache| match Cuda::open(cache) {
        Ok(_) => panic!("it was opened"),
        Err(fault) => fault,
    };
    let told = |fault: Fault, kind: &str, what: &str| {
        assert!(fault.kind() == kind && fault.to_string().contains(what), "{fault}");
        assert_eq!(stub.alive_and_leaked(), [0, 0], "{fault}");
    };
    stub.capability(7);
    told(opened(&cache), "unsupported", "7.5 (Turing) or newer is needed");
    stub.capability(9);
    let nowhere = Cache::new(Path::new("/dev/null/concord"));
    stub.compiles(6, "cooc.cu(3): error: nothing");
    told(opened(&nowhere), "failed", "cooc.cu(3): error: nothing");
    stub.compiles(5, "nvrtc: error: invalid value for --gpu-architecture (-arch)");
    told(opened(&nowhere), "unsupported", "does not know sm_90");
    stub.compiles(0, "");
    stub.fail("cuModuleLoadData", 1, 209);
    told(opened(&cache), "unsupported", "use an NVRTC of the driver's CUDA version");
    stub.fail("cuStreamCreate", 1, 2);
    told(opened(&cache), "out-of-memory", "use fewer features");
    stub.fail("cuDeviceGet", 0, 100);
    told(opened(&cache), "unsupported", "no GPU");
    check(&cuda_backend::on(gpu(cache)), &call);
}
