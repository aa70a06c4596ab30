//! The command `vultus-datasets`.

fn main() -> std::process::ExitCode {
    vultus_datasets::cli::main()
}
