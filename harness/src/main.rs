//! The command line `concord`.

fn main() -> std::process::ExitCode {
    harness::cli::main()
}
