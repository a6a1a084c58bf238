//! Configuration files: any bytes are read without panic, into a configuration or into problems that can be printed.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oasis6::config::{self, Severity};

fuzz_target!(|data: &[u8]| {
    let reading = config::read(data);
    let refused = reading.problems.iter().any(|problem| problem.severity == Severity::Error);
    assert_eq!(reading.config.is_none(), refused, "a configuration is refused for an error, and for nothing else");
    for problem in &reading.problems {
        let line = problem.to_string();
        assert!(!line.chars().any(|c| c.is_control()), "a control character reaches the terminal: {line:?}");
    }
    let _ = config::interfaces(data);
});
