use super::*;

#[test]
fn an_empty_file_is_a_valid_configuration_that_does_nothing() {
    let Reading { config, problems } = read(b"");
    assert_eq!(config, Some(Config::default()));
    assert_eq!(problems.len(), 1);
}
