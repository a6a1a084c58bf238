//! Echo requests and replies (RFC 4443 §4).

/// ICMPv6 type of echo requests (RFC 4443 §4.1).
pub const ECHO_REQUEST: u8 = 128;
/// ICMPv6 type of echo replies (RFC 4443 §4.2).
pub const ECHO_REPLY: u8 = 129;

/// An echo request without data; checksum left zero.
pub fn request(identifier: u16, sequence: u16) -> [u8; 8] {
    let ([a, b], [c, d]) = (identifier.to_be_bytes(), sequence.to_be_bytes());
    [ECHO_REQUEST, 0, 0, 0, a, b, c, d]
}

/// Identifier and sequence number of an echo reply; `None`: it is none. Data is of no interest.
pub fn reply(message: &[u8]) -> Option<(u16, u16)> {
    match message {
        [ECHO_REPLY, 0, _, _, a, b, c, d, ..] => Some((u16::from_be_bytes([*a, *b]), u16::from_be_bytes([*c, *d]))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_eight_bytes_and_a_reply_is_told_from_everything_else() {
        assert_eq!(request(0x1234, 0xfffe), [128, 0, 0, 0, 0x12, 0x34, 0xff, 0xfe]);
        assert_eq!(reply(&[129, 0, 7, 7, 0x12, 0x34, 0xff, 0xfe]), Some((0x1234, 0xfffe)));
        assert_eq!(reply(&[129, 0, 7, 7, 0, 1, 0, 2, 3, 4, 5]), Some((1, 2)));
        for other in [&[][..], &[129, 0, 7, 7, 0, 1, 0], &[128, 0, 7, 7, 0, 1, 0, 2], &[129, 1, 7, 7, 0, 1, 0, 2]] {
            assert_eq!(reply(other), None);
        }
    }
}
