//! The conformance suite as `cargo test` trials; see `harness::suite`.

fn main() -> std::process::ExitCode {
    harness::suite::main()
}
