//! The `wf-host` command.

fn main() -> std::process::ExitCode {
    wf_host::cli::main()
}
