//! The `oasis6` command: see `oasis6 help`.

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    oasis6::command::main(&arguments)
}
