//! The `multillm` program: a thin user of the library.
use std::process::ExitCode;

fn main() -> ExitCode {
    multillm_cli::main()
}
