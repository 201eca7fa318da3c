//! Compiles every example of `tests/guests`; the first-party transforms are compiled already.

use std::fmt::Write as _;

use synix_guest_build::first_party;

fn main() {
    synix_guest_build::script::run(|guests| {
        let mut components = guests.examples("tests/guests")?;
        for name in first_party::NAMES {
            components.push(guests.first_party(name)?);
        }
        let mut constants = String::new();
        let mut all = String::new();
        for component in components {
            let (name, path) = (&component.name, &component.path);
            let constant = name.to_uppercase();
            let _ = writeln!(
                constants,
                "/// Path of the component `{name}`.\npub const {constant}: &str = {path:?};"
            );
            let _ = writeln!(all, "    ({name:?}, {constant}),");
        }
        let source = format!(
            "{constants}\n/// Name and path of each component.\npub const ALL: &[(&str, &str)] = &[\n{all}];\n"
        );
        guests.write_source("components.rs", &source)
    });
}
