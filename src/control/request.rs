//! From bytes to requests: total functions, no I/O.

use super::Error;
use serde_json::Value;

/// Longest line taken, in bytes: no request we know needs a hundredth of it.
pub const MAX_LINE: usize = 64 * 1024;
/// Longest name of a method, in bytes.
const MAX_METHOD: usize = 64;

/// What a client asks.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// Name of the method: 1 to 64 ASCII letters, digits, `_`, `-` and `.`.
    pub method: String,
    /// An object, or null if there are none.
    pub params: Value,
}

/// Reads one line, with or without its line end. Errors (code `request`) say what is wrong with it.
pub fn parse(line: &[u8]) -> Result<Call, Error> {
    if line.len() > MAX_LINE {
        return Err(too_long());
    }
    let value = serde_json::from_slice(line).map_err(|error| wrong(format!("this is no line of JSON: {error}")))?;
    let Value::Object(fields) = value else {
        return Err(wrong("a request is an object, as {\"method\":\"status\"}"));
    };
    let (mut method, mut params) = (None, Value::Null);
    for (name, value) in fields {
        match (name.as_str(), value) {
            ("method", Value::String(word)) if is_method(&word) => method = Some(word),
            ("method", _) => return Err(wrong("'method' has to be a word, as \"status\"")),
            ("params", value @ (Value::Object(_) | Value::Null)) => params = value,
            ("params", _) => return Err(wrong("'params' has to be an object")),
            _ => return Err(wrong("a request has the fields 'method' and 'params', and no other")),
        }
    }
    match method {
        Some(method) => Ok(Call { method, params }),
        None => Err(wrong("the request names no 'method'")),
    }
}

fn is_method(word: &str) -> bool {
    let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
    (1..=MAX_METHOD).contains(&word.len()) && word.bytes().all(fits)
}

fn wrong(message: impl Into<String>) -> Error {
    Error::new("request", message)
}

fn too_long() -> Error {
    wrong(format!("the line is longer than {MAX_LINE} bytes"))
}

/// Puts the pieces that arrive together to lines. As large as the longest line and one piece, if nothing more is
/// pushed while [`Lines::take`] has something to give.
#[derive(Debug, Default)]
pub struct Lines {
    bytes: Vec<u8>,
    /// Bytes known to hold no line end.
    searched: usize,
}

impl Lines {
    /// Appends what arrived.
    pub fn push(&mut self, piece: &[u8]) {
        self.bytes.extend_from_slice(piece);
    }

    /// The next whole line, read; `None` until there is one. A line that is too long is an error before its end is seen;
    /// what follows an error can't be trusted to be the start of a line.
    pub fn take(&mut self) -> Option<Result<Call, Error>> {
        let end = self.bytes.iter().skip(self.searched).position(|b| *b == b'\n').map(|at| at + self.searched);
        let Some(end) = end else {
            self.searched = self.bytes.len();
            return (self.searched > MAX_LINE).then(|| Err(too_long()));
        };
        let line: Vec<u8> = self.bytes.drain(..=end).collect();
        self.searched = 0;
        Some(parse(line.strip_suffix(b"\n").unwrap_or(&line)))
    }

    /// Whether nothing is held.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn requests_are_read() {
        let status = Call { method: "status".into(), params: Value::Null };
        for (line, call) in [
            (r#"{"method":"status"}"#, status.clone()),
            (r#"{"method":"status","params":null}"#, status.clone()),
            (" { \"params\" : null , \"method\" : \"status\" } \r", status.clone()),
            ("{\"method\":\"st\\u0061tus\"}\n", status),
            (
                r#"{"method":"a.b-C_9","params":{"x":[1]}}"#,
                Call { method: "a.b-C_9".into(), params: json!({"x": [1]}) },
            ),
        ] {
            assert_eq!(parse(line.as_bytes()), Ok(call), "{line}");
        }
    }

    #[test]
    fn wrong_lines_are_told_what_is_wrong_with_them() {
        let deep = "[".repeat(60_000);
        let long = format!("{{\"method\":\"{}\"}}", "x".repeat(MAX_METHOD + 1));
        for (line, why) in [
            ("", "no line of JSON"),
            ("\r", "no line of JSON"),
            ("status", "no line of JSON"),
            ("{\"method\":\"status\"", "no line of JSON"),
            ("{\"method\":\"status\"}{}", "no line of JSON"),
            ("{\"method\":\"status\"}\0", "no line of JSON"),
            ("\0\0\0", "no line of JSON"),
            ("{\"method\":\"sta\0tus\"}", "no line of JSON"),
            (&deep, "no line of JSON"),
            ("[]", "a request is an object"),
            ("7", "a request is an object"),
            ("{}", "names no 'method'"),
            (r#"{"params":{}}"#, "names no 'method'"),
            (r#"{"method":""}"#, "has to be a word"),
            (r#"{"method":7}"#, "has to be a word"),
            (r#"{"method":"a b"}"#, "has to be a word"),
            (r#"{"method":"\u001b[2J"}"#, "has to be a word"),
            (&long, "has to be a word"),
            (r#"{"method":"status","params":[]}"#, "has to be an object"),
            (r#"{"method":"status","id":1}"#, "and no other"),
        ] {
            let error = parse(line.as_bytes()).unwrap_err();
            assert_eq!(error.code, "request");
            assert!(error.message.contains(why), "{line}: {}", error.message);
        }
        assert!(parse(b"{\"method\":\"\xff\xfe\"}").is_err());
        assert_eq!(parse(&[b' '; MAX_LINE + 1]), Err(too_long()));
    }

    #[test]
    fn a_line_that_never_ends_is_refused_while_it_is_still_small() {
        let mut lines = Lines::default();
        let mut pushed = 0;
        let error = loop {
            lines.push(&[b' '; 4096]);
            pushed += 4096;
            if let Some(taken) = lines.take() {
                break taken;
            }
        };
        assert_eq!((error, pushed), (Err(too_long()), MAX_LINE + 4096));
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_request_or_an_error(line: Vec<u8>) {
            let _ = parse(&line);
        }

        #[test]
        fn what_is_asked_is_what_arrives(method in "[A-Za-z0-9_.-]{1,64}", text: String, number: i64) {
            let params = json!({ "text": text, "number": number });
            let line = json!({ "method": method, "params": params }).to_string();
            prop_assert!(!line.contains('\n'));
            prop_assert_eq!(parse(line.as_bytes()), Ok(Call { method, params }));
        }

        #[test]
        fn how_bytes_are_cut_into_pieces_makes_no_difference(
            all in proptest::collection::vec(
                prop_oneof![Just(r#"{"method":"status"}"#.as_bytes().to_vec()), "[ -~]{0,20}".prop_map(String::into_bytes)],
                0..6,
            ),
            piece in 1usize..40,
        ) {
            let bytes = all.join(&b'\n');
            let mut lines = Lines::default();
            let mut taken = Vec::new();
            for piece in bytes.chunks(piece) {
                lines.push(piece);
                taken.extend(std::iter::from_fn(|| lines.take()));
            }
            let whole = all.len().saturating_sub(1);
            let expected: Vec<_> = all.iter().take(whole).map(|line| parse(line)).collect();
            prop_assert_eq!(taken, expected);
            prop_assert_eq!(lines.is_empty(), all.last().is_none_or(Vec::is_empty));
        }
    }
}
