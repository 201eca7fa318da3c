//! Compiles the first-party transforms and embeds them as `FIRST_PARTY`.

use std::fmt::Write as _;

const NAMES: [&str; 6] = ["chunk", "fold", "group", "map", "merge", "reduce"];

fn main() {
    synix_guest_build::script::run(|guests| {
        let mut source = String::from(
            "/// The first-party transforms: name and component.\npub const FIRST_PARTY: &[(&str, &[u8])] = &[\n",
        );
        for name in NAMES {
            let component = guests.transform(name)?;
            let _ = writeln!(
                source,
                "    ({name:?}, include_bytes!({:?})),",
                component.path
            );
        }
        source.push_str("];\n");
        guests.write_source("first_party.rs", &source)
    });
}
