use super::*;
use proptest::prelude::*;

/// What holds for any bytes.
fn holds(bytes: &[u8]) {
    let Reading { config, problems, .. } = read(bytes);
    let errors = problems.iter().filter(|problem| problem.severity == Severity::Error);
    assert_eq!(config.is_none(), errors.clone().next().is_some());
    let lines = bytes.split(|b| *b == b'\n').count();
    for error in errors {
        assert!((1..=lines).contains(&error.line), "{error}");
    }
    assert!(problems.iter().all(|problem| !problem.remedy.is_empty() && !problem.message.is_empty()));
    assert!(problems.is_sorted_by_key(|problem| problem.line));
    interfaces(bytes);
}

proptest! {
    #[test]
    fn any_bytes_are_read_and_every_error_names_a_line(bytes: Vec<u8>) {
        holds(&bytes);
    }

    #[test]
    fn any_words_of_the_language_are_read(words in prop::collection::vec(word(), 0..60)) {
        holds(words.concat().as_bytes());
    }

    #[test]
    fn a_damaged_file_is_read_and_every_error_names_a_line(
        damage in prop::collection::vec((0..GOOD.len(), any::<u8>(), 0..4_usize), 1..8),
    ) {
        let mut bytes = GOOD.as_bytes().to_vec();
        for (at, byte, what) in damage {
            let at = at % (bytes.len() + 1);
            match what {
                0 => bytes.insert(at, byte),
                1 => bytes.truncate(at),
                2 => drop(bytes.drain(at..(at + 1).min(bytes.len()))),
                _ => bytes.iter_mut().skip(at).take(1).for_each(|old| *old = byte),
            }
        }
        holds(&bytes);
    }

    #[test]
    fn any_value_of_any_option_is_taken_or_refused(section in 0..9_usize, option in 0..60_usize, value in value()) {
        let section = schema::sections()[section].clone();
        let option = &section.options[option % section.options.len()];
        holds(format!("config {} x\noption {} \"{value}\"\n", section.kind, option.name).as_bytes());
    }
}

fn word() -> impl Strategy<Value = String> {
    let names: Vec<_> = schema::sections().into_iter().flat_map(|section| section.options).map(|o| o.name).collect();
    prop_oneof![
        Just(" ".to_owned()),
        Just("\n".to_owned()),
        Just("\nconfig ".to_owned()),
        Just("\n\toption ".to_owned()),
        Just("\n\tlist ".to_owned()),
        Just("'".to_owned()),
        prop::sample::select(vec![
            "oasis6 ", "lan ", "uplink ", "prefix ", "host ", "pinhole ", "dns ", "key ", "publish ", "x", "\"", "\\",
            ";", "#", "\r", "\0", "auto"
        ])
        .prop_map(str::to_owned),
        prop::sample::select(names).prop_map(|name| format!("{name} ")),
        value(),
    ]
}

fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        "[0-9a-f:/%.-]{0,24}",
        "[0-9]{1,12}",
        "[a-z./:]{0,20}",
        any::<[u16; 8]>().prop_map(|s| std::net::Ipv6Addr::from(s).to_string()),
        (any::<u128>(), 0..140_u8).prop_map(|(bits, len)| {
            let shift = 128 - u32::from(len.min(128));
            let bits = bits.checked_shr(shift).unwrap_or(0).checked_shl(shift).unwrap_or(0);
            format!("{}/{len}", std::net::Ipv6Addr::from(bits))
        }),
        "[ -~]{0,30}".prop_map(|text| text.replace(['"', '\\'], "")),
    ]
}
