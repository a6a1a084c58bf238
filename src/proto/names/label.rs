//! What hosts call themselves → what can stand in the zone.

use super::Refusal;
use crate::wire::name::{MAX_LABEL, MAX_NAME};

/// Names that mean something to whoever asks for them: nobody gets them by saying so. With `wpad` and `isatap` a host
/// could become the proxy or the router of others, and `localhost` is everybody's own (RFC 6761 §6.3).
const RESERVED: [&str; 3] = ["wpad", "isatap", "localhost"];
/// Room for a suffix and for the domain behind a name that the owner gives.
const MAX_OWN: usize = MAX_NAME / 2;

/// The label of a host by what it says: of a whole name the first label (the rest is a domain that is not ours), in lower
/// case, with `-` for what a host name can't have (RFC 1123 §2.1), as in `Bob's iPhone`.
pub(super) fn of_host(said: &str) -> Result<String, Refusal> {
    let first = said.split('.').next().unwrap_or_default();
    let mut label = String::new();
    for letter in first.chars() {
        match letter {
            'a'..='z' | '0'..='9' => label.push(letter),
            'A'..='Z' => label.push(letter.to_ascii_lowercase()),
            // one for many, and none at the beginning
            _ if label.is_empty() || label.ends_with('-') => {}
            _ => label.push('-'),
        }
        if label.len() == MAX_LABEL {
            break;
        }
    }
    let label = label.trim_end_matches('-');
    match label {
        "" => Err(Refusal::NoName),
        _ if RESERVED.contains(&label) => Err(Refusal::Reserved),
        _ => Ok(label.to_owned()),
    }
}

/// A name that the owner gives, relative to `domain`: it may have several labels, and end with the domain.
pub(super) fn of_owner(given: &str, domain: &str) -> Result<String, Refusal> {
    let given = given.trim_end_matches('.').to_ascii_lowercase();
    let domain = domain.to_ascii_lowercase();
    match within(&given, &domain).unwrap_or(&given) {
        _ if given == domain => Err(Refusal::Domain),
        "" => Err(Refusal::NoName),
        "localhost" => Err(Refusal::Reserved),
        relative if relative.len() > MAX_OWN => Err(Refusal::NoName),
        relative => Ok(relative.to_owned()),
    }
}

/// What `name` is relative to `domain`, if it is below it. Both are in lower case, without a dot at the end.
pub(super) fn within<'a>(name: &'a str, domain: &str) -> Option<&'a str> {
    name.strip_suffix(domain)?.strip_suffix('.')
}

/// `name-2` for `name`, `a-2.b` for `a.b`; the label is cut if it would be too long.
pub(super) fn with_suffix(name: &str, number: u32) -> String {
    let (label, rest) = name.split_once('.').map_or((name, None), |(label, rest)| (label, Some(rest)));
    let suffix = format!("-{number}");
    let room = MAX_LABEL.saturating_sub(suffix.len());
    // names are ASCII
    let label = label.get(..room.min(label.len())).unwrap_or_default().trim_end_matches('-');
    match rest {
        Some(rest) => format!("{label}{suffix}.{rest}"),
        None => format!("{label}{suffix}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_host_says_becomes_a_label() {
        let long = "a".repeat(70);
        for (said, label) in [
            ("laptop", Ok("laptop")),
            ("Laptop.example.com", Ok("laptop")),
            ("Bob's iPhone", Ok("bob-s-iphone")),
            ("-_x__y-", Ok("x-y")),
            ("café", Ok("caf")),
            ("ein größerer", Ok("ein-gr-erer")),
            (&long, Ok(&long[..63])),
            ("", Err(Refusal::NoName)),
            (".lan", Err(Refusal::NoName)),
            ("日本", Err(Refusal::NoName)),
            ("WPAD", Err(Refusal::Reserved)),
            ("wpad.lan", Err(Refusal::Reserved)),
            ("_wpad", Err(Refusal::Reserved)),
            ("isatap", Err(Refusal::Reserved)),
            ("localhost.localdomain", Err(Refusal::Reserved)),
            ("*", Err(Refusal::NoName)),
        ] {
            assert_eq!(of_host(said), label.map(str::to_owned), "{said}");
        }
    }

    #[test]
    fn what_the_owner_gives_may_have_a_domain() {
        for (given, domain, name) in [
            ("printer", "lan", Ok("printer")),
            ("Printer.LAN.", "lan", Ok("printer")),
            ("a.b", "lan", Ok("a.b")),
            ("vlan", "lan", Ok("vlan")),
            ("wpad", "lan", Ok("wpad")),
            ("printer", "", Ok("printer")),
            ("lan", "lan", Err(Refusal::Domain)),
            ("localhost", "lan", Err(Refusal::Reserved)),
        ] {
            assert_eq!(of_owner(given, domain), name.map(str::to_owned), "{given} {domain}");
        }
    }

    #[test]
    fn a_suffix_fits() {
        assert_eq!(with_suffix("a", 2), "a-2");
        assert_eq!(with_suffix("a.b", 12), "a-12.b");
        let long = with_suffix(&"a".repeat(63), 2);
        assert_eq!((long.len(), long.ends_with("a-2")), (63, true));
    }
}
