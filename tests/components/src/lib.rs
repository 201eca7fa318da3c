//! Components for tests: the first-party transforms and every guest in `tests/guests/examples`.
//!
//! Each has a constant with the path of its file, such as `SPIN`.

#![warn(missing_docs)]

include!(concat!(env!("OUT_DIR"), "/components.rs"));

/// Returns the bytes of the component `name`, such as `spin`.
///
/// # Panics
///
/// Where no component has this name or its file is gone.
pub fn bytes(name: &str) -> Vec<u8> {
    let path = ALL
        .iter()
        .find_map(|(known, path)| (*known == name).then_some(*path));
    let path = path.unwrap_or_else(|| panic!("no component is named {name}"));
    std::fs::read(path).unwrap_or_else(|error| panic!("cannot read {path}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_component_has_the_layer_and_the_magic_of_a_component() {
        for (name, _) in ALL {
            assert!(bytes(name).starts_with(b"\0asm\x0d\0\x01\0"), "{name}");
        }
    }

    #[test]
    fn first_party_transforms_are_among_the_components() {
        assert!(MAP.ends_with("map.wasm") && REDUCE.ends_with("reduce.wasm"));
    }
}
