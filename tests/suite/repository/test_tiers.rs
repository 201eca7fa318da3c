//! The names of tests in the configuration of nextest, which ignores a name that no test has.

use std::fs;

use crate::support::folders::files;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// Returns the names in `test(=…)` and in the alternatives of `test(/^(…)::/)`, without their modules.
fn configured_names() -> Vec<String> {
    let path = format!("{ROOT}/.config/nextest.toml");
    let text = fs::read_to_string(path).expect("the configuration of nextest");
    let filters = text.split("test(").skip(1);
    let filters = filters.map(|rest| rest.split_once("/)").map_or(rest, |(filter, _)| filter));
    let mut names = Vec::new();
    for filter in filters {
        let filter = match filter.strip_prefix('=') {
            Some(exact) => exact.split(')').next().expect("a first part"),
            None => filter,
        };
        let words =
            filter.split(|character: char| !(character.is_alphanumeric() || character == '_'));
        names.extend(words.filter(|word| !word.is_empty()).map(str::to_owned));
    }
    names
}

#[test]
fn every_name_in_the_configuration_of_nextest_is_a_test_or_a_module() {
    let names = configured_names();
    assert!(names.len() > 15, "{names:?}");
    let mut sources = String::new();
    for folder in ["host", "plugins", "tests"] {
        let rust = files(format!("{ROOT}/{folder}").as_ref());
        for (path, bytes) in rust {
            if path.extension().is_some_and(|extension| extension == "rs") {
                sources.push_str(&String::from_utf8_lossy(&bytes));
            }
        }
    }
    for name in names {
        let is_known = [
            format!("fn {name}("),
            format!("mod {name};"),
            format!("mod {name} {{"),
        ]
        .iter()
        .any(|declaration| sources.contains(declaration));
        assert!(is_known, "nothing is called {name}");
    }
}
