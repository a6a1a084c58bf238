//! README.md says nothing about configurations and commands that is not so.

use oasis6::config;
use std::collections::BTreeSet;

const README: &str = include_str!("../README.md");

/// What stands between lines ```` ``` ````.
fn blocks() -> impl Iterator<Item = &'static str> {
    README.split("```\n").skip(1).step_by(2)
}

#[test]
fn every_configuration_in_the_readme_is_right() {
    let configurations: Vec<_> = blocks().filter(|block| block.contains("config ")).collect();
    assert_eq!(configurations.len(), 3);
    for text in configurations {
        let reading = config::read(text.as_bytes());
        assert!(reading.config.is_some_and(|config| config.enabled), "{text}\n{:?}", reading.problems);
        assert!(reading.problems.is_empty(), "{text}\n{:?}", reading.problems);
    }
}

#[test]
fn every_option_that_the_readme_names_exists() {
    let known: BTreeSet<_> = config::schema::sections().into_iter().flat_map(|s| s.options).map(|o| o.name).collect();
    let named = README.split("`option ").skip(1).filter_map(|rest| rest.split([' ', '`', '\n']).next());
    for option in named.filter(|option| !option.is_empty()) {
        assert!(known.contains(option), "there is no option '{option}'");
    }
}

#[cfg(feature = "daemon")]
#[test]
fn every_command_that_the_readme_names_exists() -> std::io::Result<()> {
    let help = std::process::Command::new(env!("CARGO_BIN_EXE_oasis6")).arg("help").output()?;
    let help = String::from_utf8_lossy(&help.stdout).into_owned();
    let named = README.split("`oasis6 ").skip(1).filter_map(|rest| rest.split([' ', '`', '\n']).next());
    for command in named.filter(|word| !["is"].contains(word)) {
        assert!(help.contains(&format!("oasis6 {command}")), "there is no command '{command}'");
    }
    Ok(())
}
