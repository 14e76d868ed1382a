//! The `multillm` program: a thin user of the library.
use std::process::ExitCode;

/// The released program stands alone with musl, whose own memory is slow and has one lock for all threads.
#[cfg(target_env = "musl")]
#[global_allocator]
static MEMORY: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    multillm_cli::main()
}
