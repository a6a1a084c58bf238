//! The `oasis6` command.

fn main() {}
