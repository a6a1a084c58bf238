//! The control socket's language: any bytes, in any pieces, are read without panic, and any answer can be shown.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oasis6::control::request::{self, Lines, MAX_LINE};
use oasis6::control::show;

fuzz_target!(|data: &[u8]| {
    let Some((size, bytes)) = data.split_first() else { return };
    let mut lines = Lines::default();
    let mut whole = Vec::new();
    for piece in bytes.chunks(usize::from(*size).max(1)) {
        lines.push(piece);
        while let Some(call) = lines.take() {
            whole.push(call);
        }
    }
    // the pieces make no difference, as long as no line is too long
    if bytes.len() <= MAX_LINE {
        let ends = bytes.iter().filter(|byte| **byte == b'\n').count();
        let at_once: Vec<_> = bytes.split(|byte| *byte == b'\n').take(ends).map(request::parse).collect();
        assert_eq!(whole, at_once);
    }
    if let Ok(value) = serde_json::from_slice(bytes) {
        for text in [show::status(&value), show::leases(&value), show::plan(&value), show::reload(&value)] {
            assert!(
                !text.chars().any(|c| c.is_control() && c != '\n'),
                "a control character reaches the terminal: {text:?}"
            );
        }
        let event = show::event(&value);
        assert!(!event.chars().any(char::is_control), "a control character reaches the terminal: {event:?}");
    }
});
