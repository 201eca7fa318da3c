//! The first-party transforms and readers, compiled to components.
//!
//! `cargo xtask components` writes them into `packed`, compressed with Brotli: uncompressed, they would be a fifth of the
//! command.
//!
//! ```
//! let component = synix_components::component("map").expect("`map` comes with synix");
//! assert_eq!(component.get(..4), Some(&b"\0asm"[..]));
//! assert!(synix_components::component("no-such-transform").is_none());
//! ```

#![forbid(unsafe_code)]
#![warn(missing_docs)]

/// A component that comes with synix.
#[derive(Debug)]
pub struct FirstParty {
    /// The name in a pipeline file.
    pub name: &'static str,
    packed: &'static [u8],
}

impl FirstParty {
    /// Returns the SHA-256 of the component's bytes, in hex.
    pub fn digest(&self) -> &'static str {
        let lines = include_str!("../packed/digests.sha256").lines();
        let mut own = lines.filter_map(|line| {
            let (digests, name) = line.rsplit_once("  ")?;
            (name == self.name).then_some(digests.rsplit_once("  ")?.1)
        });
        own.next().unwrap_or_default()
    }

    /// Returns the component's bytes.
    pub fn component(&self) -> Vec<u8> {
        let mut component = Vec::new();
        let mut packed = self.packed;
        match brotli_decompressor::BrotliDecompress(&mut packed, &mut component) {
            Ok(()) => component,
            Err(error) => unreachable!("the component {} is damaged: {error}", self.name),
        }
    }
}

/// Statics, because each crate that uses a constant gets a copy of its bytes: the command held all components 3 times.
macro_rules! first_party {
    ($($name:literal),+) => {
        &[$(FirstParty {
            name: $name,
            packed: include_bytes!(concat!("../packed/", $name, ".wasm.br")),
        }),+]
    };
}

/// The first-party transforms, by name.
pub static TRANSFORMS: &[FirstParty] =
    first_party!["chunk", "embed", "fold", "group", "map", "merge", "reduce"];

/// The first-party readers, by name. The host itself reads texts.
pub static READERS: &[FirstParty] = first_party!["chats", "documents", "mail", "rows"];

/// Returns every first-party component.
pub fn all() -> impl Iterator<Item = &'static FirstParty> {
    TRANSFORMS.iter().chain(READERS)
}

/// Returns the first-party component of this name.
pub fn component(name: &str) -> Option<Vec<u8>> {
    all()
        .find(|known| known.name == name)
        .map(FirstParty::component)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_component_unpacks() {
        for known in all() {
            let component = known.component();
            assert!(component.starts_with(b"\0asm"), "{}", known.name);
            assert_eq!(
                synix_core::digest::Digest::of(&component).to_string(),
                known.digest()
            );
        }
    }
}
