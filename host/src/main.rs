//! The `wf-host` command.

/// The allocator of the C library keeps what a load has left in pieces, 28 MiB of it in six minutes of `make soak`.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> std::process::ExitCode {
    wf_host::cli::main()
}
