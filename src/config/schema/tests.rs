use super::*;

#[test]
fn defaults_and_examples_are_good_values() {
    fn check<T>(table: &Table<T>) {
        for row in table.rows {
            for value in [row.default, row.example].into_iter().filter(|value| !value.is_empty()) {
                let set = row.set(&mut table.blank(), value);
                assert!(set.is_ok(), "{} {}: {value}: {set:?}", table.kind, row.name);
            }
        }
    }
    check(&GLOBALS);
    check(&LAN);
    check(&PREFIX);
    check(&HOST);
    check(&UPLINK);
    check(&PINHOLE);
    check(&DNS);
    check(&KEY);
    check(&PUBLISH);
}

#[test]
fn every_option_says_what_it_is() {
    for section in sections() {
        let mut names: Vec<_> = section.options.iter().map(|option| option.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), section.options.len(), "{}: a name comes twice", section.kind);
        for Opt { name, help, example, default, otherwise, .. } in section.options {
            assert!(help.ends_with('.') && !help.contains('|') && help.len() <= 110, "{name}: {help}");
            assert!(!example.is_empty(), "{name}");
            let needed =
                [("prefix", "prefix"), ("uplink", "type"), ("key", "secret"), ("publish", "zone"), ("publish", "key")]
                    .contains(&(section.kind, name));
            assert_eq!(default.is_empty() && otherwise.is_empty(), needed, "{name}: what if it is missing?");
            assert!(default.is_empty() || otherwise.is_empty(), "{name}: default or otherwise, not both");
            assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_'), "{name}");
        }
    }
}
