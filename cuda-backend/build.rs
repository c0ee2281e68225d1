//! Builds the emulated device: the kernels, by the host's C++ compiler.
//!
//! Without a C++ compiler the crate still builds; its device is then a GPU or absent, and `cfg(emulated)` is off.

use std::path::Path;

fn main() {
    println!("cargo::rustc-check-cfg=cfg(emulated)");
    for folder in ["kernels", "emulator"] {
        println!("cargo::rerun-if-changed={folder}");
    }
    if !cfg!(unix) || !has_compiler() {
        println!(
            "cargo::warning=no C++ compiler found: cuda-backend is built without its emulated device"
        );
        return;
    }
    compile(Path::new("emulator/run.cpp"));
    println!("cargo::rustc-cfg=emulated");
}

fn has_compiler() -> bool {
    let compiler = cc::Build::new().cpp(true).cargo_warnings(false).try_get_compiler();
    let runs = |tool: cc::Tool| tool.to_command().arg("--version").output().is_ok();
    compiler.is_ok_and(runs)
}

fn compile(source: &Path) {
    // A GPU rounds after each operation (--fmad=false), and so must the host. Optimised in every profile: thousands
    // of cases run on this device.
    cc::Build::new()
        .cpp(true)
        .std("c++17")
        .file(source)
        .define("CONCORD_EMULATED", None)
        .flag_if_supported("-ffp-contract=off")
        .flag_if_supported("-fno-strict-aliasing")
        .opt_level(2)
        .warnings(true)
        .compile("concord_emulated");
}
